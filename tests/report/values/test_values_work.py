"""What a value costs does not depend on its size: work is counted, not timed."""

from __future__ import annotations

import array
import collections
import dataclasses
import sys
import tracemalloc
import types

import pytest

from errormail.report.capture import capture
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.values import Budget, Values, describe

SMALL, LARGE = 1_000, 1_000_000


def shown(value):
    return describe(value, limits=DEFAULT_LIMITS, redactor=DEFAULT_REDACTOR, budget=Budget(1e9))


def calls_of(function, *args):
    """Return how many functions, Python's and C's, *function* calls."""
    count = 0

    def profile(frame, event, arg):
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function(*args)
    finally:
        sys.setprofile(before)
    return count


def peak_of(function, *args):
    """Return how many bytes of memory *function* takes at most."""
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


GIANTS = {
    "list": lambda size: [0] * size,
    "tuple": lambda size: (0,) * size,
    "set": lambda size: set(range(1_000_000, 1_000_000 + size)),
    "frozenset": lambda size: frozenset(range(1_000_000, 1_000_000 + size)),
    "deque": lambda size: collections.deque([0] * size),
    "dict": lambda size: dict.fromkeys(range(1_000_000, 1_000_000 + size)),
    "OrderedDict": lambda size: collections.OrderedDict.fromkeys(range(size)),
    "UserDict": lambda size: collections.UserDict.fromkeys(range(size)),
    "Counter": lambda size: collections.Counter(range(size)),
    "mappingproxy": lambda size: types.MappingProxyType(dict.fromkeys(range(size))),
    "keys": lambda size: dict.fromkeys(range(size)).keys(),
    "array": lambda size: array.array("i", [0]) * size,
    "str": lambda size: "x" * 10 * size,
    "bytes": lambda size: b"x" * 10 * size,
    "bytearray": lambda size: bytearray(10 * size),
    "in a dict": lambda size: {"a": [0] * size, "b": "x" * 10 * size},
    "namespace": lambda size: types.SimpleNamespace(a=[0] * size),
    "error": lambda size: ValueError([0] * size),
}


@pytest.mark.row("R6")
@pytest.mark.parametrize("kind", GIANTS)
def test_as_much_is_done_for_a_thousand_items_as_for_a_million(kind):
    small, large = GIANTS[kind](SMALL), GIANTS[kind](LARGE)
    shown(small)  # what is remembered of names is
    assert (
        calls_of(shown, large) <= calls_of(shown, small) + 20
    )  # more digits in the number of items


@pytest.mark.row("R6")
@pytest.mark.parametrize("kind", GIANTS)
def test_nothing_is_copied_or_sorted_as_a_whole(kind):
    giant = GIANTS[kind](LARGE)
    shown(giant)
    assert peak_of(shown, giant) < 200_000


def test_giants_among_the_locals_add_nothing():
    def fails(items, text):
        raise ValueError

    def captured(items, text):
        try:
            fails(items, text)
        except ValueError as error:
            capture(exc=error, fingerprint="0", now=0.0)

    small, large = ([0] * SMALL, "x" * 10 * SMALL), ([0] * LARGE, "x" * 10 * LARGE)
    captured(*small)
    assert calls_of(captured, *large) <= calls_of(captured, *small) + 20


def test_an_object_is_asked_once_however_many_frames_have_it():
    asked = []

    class Slow:
        def __repr__(self):
            asked.append(self)
            return "<Slow>"

    def fails(depth, slow):
        wrapped = [slow]
        return fails(depth - 1, slow) if depth else wrapped[depth - 1]["key"]

    slow = Slow()
    try:
        fails(20, slow)
    except TypeError as error:
        report = capture(exc=error, fingerprint="0", now=0.0)
    assert len(asked) == 1
    assert str(report).count("<Slow>") > 1


def test_a_repr_that_hangs_costs_its_time_once():
    """The budget is looked at between values: after the first one, all show as their types."""
    now = [0.0]
    asked = []

    class Hangs:
        def __repr__(self):
            now[0] += 1.0
            asked.append(self)
            return "<hung>"

    budget = Budget(0.2, lambda: now[0])
    values = Values(DEFAULT_LIMITS, DEFAULT_REDACTOR, budget)
    first, *others = values.texts(Hangs() for _ in range(50))
    assert first == "<hung>"
    assert len(asked) == 1
    assert {text.rpartition(".")[2] for text in others} == {"Hangs>"}
    assert budget.exceeded


def test_clean_values_are_looked_at_once():
    """Not leaf by leaf: that is what makes it affordable to search all of them for secrets."""

    @dataclasses.dataclass
    class Line:
        sku: str
        amount: int

    values = [{"a": f"text {number}", "line": Line("A-1", number)} for number in range(20)]
    seen = []

    class Redactor:
        looks_at_many = True
        margin = 512

        def hides(self, name):
            return False

        def looks_clean(self, text):
            seen.append(text)
            return True

        def occur_in(self, text):
            seen.append(text)
            return False

    Values(DEFAULT_LIMITS, Redactor(), Budget(1e9)).texts(values)
    assert len(seen) == 2
