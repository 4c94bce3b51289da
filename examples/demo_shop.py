"""
A shop of one page, as plain WSGI: what `make demo` puts errormail around. It knows nothing of errormail.

Prices are in euros and in Swiss francs, and nobody thought of an exchange rate for the francs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tea shop</title>
<body style="font:16px/1.5 sans-serif;max-width:40em;margin:2em auto;padding:0 1em">
<h1>Tea shop</h1>
<form method="post" action="/checkout">
<p><label><input type="radio" name="product" value="darjeeling"> Darjeeling, 8.50 EUR</label><br>
<label><input type="radio" name="product" value="alpine-herbs" checked> Alpine herbs, 6.40 CHF (this one crashes)</label>
<p><label>Quantity <input name="quantity" value="2"></label>
<p><label>Email <input name="email" value="jane@example.com"></label>
<p><label>Password <input name="password" type="password" value="correct-horse-battery"></label>
<p><label>Card <input name="card_number" value="4111 1111 1111 1111"></label>
<p><button>Pay</button>
</form>
"""

RATES = {("EUR", "EUR"): Decimal(1), ("USD", "EUR"): Decimal("0.92")}
PRODUCTS = {"darjeeling": (Decimal("8.50"), "EUR"), "alpine-herbs": (Decimal("6.40"), "CHF")}


class PricingError(Exception):
    """A price cannot be told."""


@dataclass
class Line:
    """One line of an order."""

    product: str
    quantity: int
    price: Decimal
    currency: str


def shop(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application."""
    if environ["PATH_INFO"] == "/checkout" and environ["REQUEST_METHOD"] == "POST":
        return answer(start_response, "200 OK", checkout(read_form(environ)))
    if environ["PATH_INFO"] == "/":
        return answer(start_response, "200 OK", PAGE)
    return answer(
        start_response, "404 Not Found", "<p>There is no such page. <a href='/'>To the shop</a>"
    )


def answer(start_response: StartResponse, status: str, html: str) -> list[bytes]:
    body = html.encode()
    start_response(
        status,
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [body]


def read_form(environ: WSGIEnvironment) -> dict[str, str]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def checkout(form: dict[str, str]) -> str:
    price, currency = PRODUCTS[form["product"]]
    order = [Line(form["product"], int(form["quantity"]), price, currency)]
    return f"<p>Thank you. You paid {total(order, 'EUR')} EUR. <a href='/'>Back</a>"


def total(order: list[Line], currency: str) -> Decimal:
    return sum(
        (convert(line.price * line.quantity, line.currency, currency) for line in order), Decimal(0)
    )


def convert(amount: Decimal, source: str, target: str) -> Decimal:
    try:
        rate = RATES[source, target]
    except KeyError as error:
        raise PricingError(f"no rate from {source} to {target}") from error
    return (amount * rate).quantize(Decimal("0.01"))
