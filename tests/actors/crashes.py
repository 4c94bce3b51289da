"""Crashes as programs have them, for whole emails: each function fails, or logs that it did."""

from __future__ import annotations

import asyncio
import json
import logging
from decimal import Decimal

log = logging.getLogger("shop.crashes")


class PricingError(Exception):
    """No price can be told."""


class Engine:
    def __init__(self, rates):
        self.rates = rates

    def __repr__(self):
        return f"<Engine with {len(self.rates)} rates>"

    def rate(self, source, target):
        try:
            return self.rates[source, target]
        except KeyError as exc:
            raise PricingError(f"no rate from {source} to {target}") from exc

    def line_total(self, line):
        _, quantity, currency = line
        return Decimal("3.20") * quantity * self.rate(currency, "EUR")

    def total(self, lines):
        return sum((self.line_total(line) for line in lines), Decimal(0))


def one_frame():
    total, count = 19, 0
    return total / count


def place(cart, address):
    log.info("placing cart %s to %s", cart["id"], address["city"])
    return settle(cart, address)


def settle(cart, address):
    engine = Engine({("EUR", "EUR"): 1})
    log.warning("rates of %s are old", "2026-10-04")
    return charge(engine, cart)


def charge(engine, cart):
    return authorize(engine, cart["lines"])


def authorize(engine, lines):
    return retried(lambda: engine.total(lines))


def retried(call):
    return call()


def twelve_frames_and_a_cause():
    cart = {"id": "c-88213", "lines": [("SKU-1041", 2, "EUR"), ("SKU-7734", 5, "CHF")]}
    address = {"street": "Bahnhofstrasse 12", "city": "Zürich"}
    return checked(cart, address)


def checked(cart, address):
    return priced(cart, address)


def priced(cart, address):
    return place(cart, address)


def depth(node):
    return 1 + widest(node)


def widest(node):
    return max(depth(child) for child in node["children"])


def recursion():
    node = {"name": "a", "children": []}
    node["children"].append(node)
    return depth(node)


async def fetch(name, failure):
    await asyncio.sleep(0)
    if failure is not None:
        raise failure
    return name


async def fetch_all():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fetch("table", KeyError("CHF")))
        tasks.create_task(fetch("service", TimeoutError("rates.example.net did not answer")))
        tasks.create_task(fetch("cache", None))


def group():
    asyncio.run(fetch_all())


def no_request():
    text = '{"amount": 19, "when": }'
    return json.loads(text)


def record():
    status, order = 503, "o-4711"
    log.error("payment provider answered %d, giving up", status, extra={"order": order})
