"""
A program that fails in several ways, each reported through one of errormail's doors: what a mail looks like is seen on it.

Run as a script it prints the HTML parts by the names of the crashes, as JSON.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from dataclasses import dataclass
from decimal import Decimal
from wsgiref.util import setup_testing_defaults

import errormail

FORM = b"cart_id=c-88213&coupon=AUTUMN10&street=Bahnhofstrasse+12&city=Z%C3%BCrich&card_number=4111111111111111"


class PricingError(Exception):
    """No price can be given."""


@dataclass
class Line:
    sku: str
    quantity: int
    currency: str


class Rates:
    """What a currency costs in another."""

    def __init__(self, table):
        self.table = table

    def lookup(self, source, target):
        return self.table[source, target]


class Engine:
    """Adds up a cart, whatever currencies its prices are in."""

    def __init__(self, currency="EUR"):
        self.currency = currency
        self.prices = {"SKU-1041": Decimal("4.50"), "SKU-7734": Decimal("3.20")}
        self.rates = Rates({("EUR", "EUR"): Decimal(1), ("USD", "EUR"): Decimal("0.9135")})

    def total(self, lines, country):
        discount = Decimal("0.10")
        return sum(self.line_total(line) for line in lines) * (1 - discount)

    def line_total(self, line):
        price = self.prices[line.sku]
        return self.convert(price * line.quantity, line.currency, self.currency)

    def convert(self, amount, source, target):
        try:
            rate = self.rates.lookup(source, target)
        except KeyError as exc:
            raise PricingError(f"no rate from {source} to {target}") from exc
        return (amount * rate).quantize(Decimal("0.01"))


def checkout(environ, start_response):
    """A WSGI application; its failure has twelve frames with the middleware's, some in the standard library."""
    form = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    cart = json.loads('[["SKU-1041", 2, "EUR"], ["SKU-7734", 5, "CHF"]]', object_hook=dict)
    return place([Line(*line) for line in cart], form)


def place(lines, form):
    session_token = "s3cr3t-of-the-session"  # a secret that no mail may show
    return asyncio.run(price(lines, form, session_token))


async def price(lines, form, session_token):
    return await asyncio.wait_for(total_of(lines, country="CH"), timeout=5)


async def total_of(lines, country):
    return Engine().total(lines, country)


def in_a_request(app):
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/checkout/",
        "QUERY_STRING": "step=3",
        "HTTP_HOST": "shop.example.com",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(FORM),
        "CONTENT_LENGTH": str(len(FORM)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "REMOTE_ADDR": "203.0.113.24",
        "HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        "HTTP_COOKIE": "sessionid=0123456789abcdef; theme=dark",
        "HTTP_AUTHORIZATION": "Bearer 0123456789abcdef0123456789",
    }
    setup_testing_defaults(environ)
    try:
        errormail.wsgi.ErrorReportMiddleware(app)(environ, print)
    except PricingError:
        return
    raise AssertionError("the application did not fail")


def reported(function, *arguments, **context):
    try:
        function(*arguments)
    except Exception:
        errormail.report_exception(**context)


def one_frame():
    total, count = 19, 0
    try:
        mean = total / count
        assert mean
    except ZeroDivisionError:
        errormail.report_exception()


def twelve_frames_with_cause():
    in_a_request(checkout)


async def fetch(url, timeout):
    await asyncio.sleep(0)
    raise TimeoutError(f"{url} did not answer within {timeout} s")


async def read(table, key):
    await asyncio.sleep(0)
    return table[key]


async def gather():
    async with asyncio.TaskGroup() as tasks:  # Python 3.11
        tasks.create_task(fetch("https://rates.example.net/v2/CHF/EUR?key=0123456789", 2.0))
        tasks.create_task(read({"USD": 0.9135}, "CHF"))
        tasks.create_task(fetch("https://rates.example.org/CHF", 0.5))


def group():
    reported(asyncio.run, gather(), job="rates")


def depth(node):
    return 1 + widest(node)


def widest(node):
    return max(map(depth, node))


def recursion():
    node = []
    node.append(node)
    reported(depth, node)


def import_rows(rows):
    with errormail.context(file="orders-2026-10-05.csv", rows=len(rows)):
        for number, row in enumerate(rows, 1):
            import_row(number, row)


def import_row(number, row):
    sku, quantity, price = row.split(";")
    return sku, int(quantity), Decimal(price)


def no_request():
    reported(import_rows, ["SKU-1041;2;4.50", "SKU-7734;five;3.20"], order="c-88213")


def log_record_only():
    logger = logging.getLogger("shop.payments")
    handler = errormail.AdminEmailHandler()
    logger.addHandler(handler)
    try:
        logger.critical(
            "payment provider answered %d three times, giving up on order %s",
            503,
            "c-88213",
            extra={"provider": "pay.example.net", "attempt": 3, "api_token": "0123456789abcdef"},
        )
    finally:
        logger.removeHandler(handler)


CRASHES = {
    made.__name__: made
    for made in (
        one_frame,
        twelve_frames_with_cause,
        group,
        recursion,
        no_request,
        log_record_only,
    )
}
if sys.version_info < (3, 11):
    del CRASHES["group"]


def main():
    from errormail import mail

    errormail.configure(
        EMAIL_BACKEND="errormail.mail.backends.locmem.EmailBackend",
        ADMINS=["Ops <ops@example.com>"],
        SERVER_EMAIL="shop@example.com",
        DELIVERY="sync",
        SERVICE="shop",
        ENVIRONMENT="production",
        RELEASE="2026.10.4",
    )
    mail.outbox = []
    for crash in CRASHES.values():
        crash()
    return {
        name: str(message.alternatives[0].content)
        for name, message in zip(CRASHES, mail.outbox, strict=True)
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
