"""
The crash that the benchmarks of the report share: raised 20 frames deep over four files, ten locals of ordinary kinds a frame.

The files are written anew, so that nothing is special about them, and compiled, as those of a program are.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

DEPTH = 20
FILES = 4
GIANTS = (
    "list(range(1_000_000))",
    "'x' * 5_000_000",
    "dict.fromkeys(range(100_000))",
)
SLOW = "Slow()"
"""An object whose repr takes 2 ms: measured by itself, since nobody who shows it can take less."""

HEAD = """
import dataclasses
import datetime
import decimal
import time
import uuid

{imports}

@dataclasses.dataclass
class Line:
    sku: str
    amount: int
    price: decimal.Decimal


class Customer:
    def __init__(self, number):
        self.number = number

    def __repr__(self):
        return f"<Customer {{self.number}}>"


class Slow:
    def __repr__(self):
        end = time.perf_counter() + 0.002
        while time.perf_counter() < end:
            pass
        return "<Slow>"

"""
FUNCTION = """
def step_{number}(order_id, giants):
    # What the shop does with an order, step {number}.
    customer = Customer(order_id)
    currency = "CHF" if order_id % 2 else "EUR"
    path = f"/orders/{{order_id}}/confirm/"
    total = decimal.Decimal(order_id) / 10
    created = datetime.datetime(2026, 10, 5, 14, 30, {number})
    skus = ["A-100", "A-101", "B-{number}"]
    options = {{"gift": False, "note": f"Leave at door {{order_id}}", "step": {number}, "weight": 1.25}}
    line = Line(f"A-{{order_id}}", 2, total)
    if giants:
        {giant}
    return {call}
"""
Raise = Callable[[int, bool], object]


def write_modules(directory: Path, name: str, giants: tuple[str, ...]) -> None:
    """Write four modules whose functions call each other DEPTH deep."""
    per_file = DEPTH // FILES
    # Each giant stands in for a local of a frame of its own, so that the number of values stays.
    places = ("skus", "path", "options", "customer")
    for file in range(FILES):
        following = f"{name}_{file + 1}"
        text = HEAD.format(imports=f"import {following}" if file + 1 < FILES else "")
        for number in range(file * per_file, (file + 1) * per_file):
            index, is_giant = divmod(number, DEPTH // FILES)
            giant = (
                f"{places[index]} = {giants[index]}"
                if not is_giant and index < len(giants)
                else "pass"
            )
            module = f"{following}." if number + 1 == (file + 1) * per_file else ""
            call = f"{module}step_{number + 1}(order_id + 1, giants)"
            if number + 1 == DEPTH:
                call = "options['missing'] + order_id"
            text += FUNCTION.format(number=number, giant=giant, call=call)
        (directory / f"{name}_{file}.py").write_text(text)


def entry(name: str) -> Raise:
    """Return the outermost function of the modules that are called *name*."""
    return cast("Raise", importlib.import_module(f"{name}_0").step_0)


def failure(function: Callable[..., object], *args: object) -> BaseException:
    """Return what *function* raises, without the frame of this one."""
    try:
        function(*args)
    except BaseException as error:
        return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")
