"""What a report costs does not depend on what the program holds: memory is measured, work is counted, the clock is ours."""

from __future__ import annotations

import collections
import functools
import gc
import logging
import sys
import tracemalloc

import pytest

import errormail
from actors.doors import LOGGER, by_report_exception, by_wsgi, handling
from errormail import mail
from errormail.report.limits import DEFAULT_LIMITS
from errormail.reporter import assemble


class BoundError(Exception):
    pass


def raised(*values, message="a"):
    """Return an exception whose frame holds *values*."""
    try:
        raise BoundError(message)
    except BoundError as error:
        return error


def peak_of(error):
    """Return the most memory that the report of *error* had at once, in bytes."""
    tracemalloc.start()
    try:
        errormail.report_exception(error)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def plain_peak():
    """That of a plain crash, once all is loaded."""
    from errormail import conf

    with conf.override_settings(
        ADMINS=["Ops <ops@example.com>"],
        DELIVERY="sync",
        EMAIL_BACKEND="errormail.mail.backends.locmem.EmailBackend",
    ):
        peak_of(raised(1))
        return max(peak_of(raised(1)), peak_of(raised("text")))


GIANTS = {
    "str": lambda: "x" * 100_000_000,
    "str of other scripts": lambda: "\u4e2d" * 50_000_000,
    "str of escapes": lambda: "\x00" * 50_000_000,
    "bytes": lambda: bytes(100_000_000),
    "bytearray": lambda: bytearray(100_000_000),
    "memoryview": lambda: memoryview(bytes(100_000_000)),
    "list": lambda: [None] * 3_000_000,
    "list of lists": lambda: [[1] * 1000] * 1_000_000,
    "tuple": lambda: (1.5,) * 3_000_000,
    "dict": lambda: dict.fromkeys(range(500_000)),
    "dict of long keys": lambda: {"k" * 10_000_000 + str(each): each for each in range(5)},
    "set": lambda: set(range(500_000)),
    "deque": lambda: collections.deque(range(500_000)),
    "range": lambda: range(10**12),
    "defaultdict": lambda: collections.defaultdict(list, dict.fromkeys(range(300_000))),
    "int": lambda: 1 << 100_000_000,
    "str subclass": lambda: type("Own", (str,), {})("x" * 50_000_000),
    "list subclass": lambda: type("Own", (list,), {})([0] * 1_000_000),
    "environ": lambda: {f"HTTP_{each}": "x" * 100_000 for each in range(300)},
    "a sharing tower": lambda: functools.reduce(lambda inner, _: [inner] * 50, range(6), "x"),
}


@pytest.mark.parametrize("name", list(GIANTS))
def test_a_giant_costs_no_memory(name, plain_peak, only_mail):
    giant = GIANTS[name]()
    peak = peak_of(raised(giant))
    assert only_mail().text
    assert peak < plain_peak + 3_000_000


def test_a_giant_message_costs_no_more_than_a_copy_of_it(plain_peak, only_mail):
    size = 50_000_000
    peak = peak_of(raised(message="x" * size))
    assert only_mail().text
    assert peak < plain_peak + size + 3_000_000


def test_a_giant_repr_is_not_copied(plain_peak, only_mail):
    """It runs whole: its text is there once. Not to be redacted, escaped and encoded as a whole."""
    size = 200_000_000

    class HugeRepr:
        def __repr__(self):
            return "x" * size

    peak = peak_of(raised(HugeRepr()))
    assert only_mail().text
    assert peak < plain_peak + size + 3_000_000


def test_the_mail_of_giants_is_small(only_mail):
    giants = [GIANTS[name]() for name in ("str", "list", "dict", "bytes", "environ")]

    def fail():
        first, second, third, fourth, fifth = giants[:5]
        raise BoundError(first[:100], second[:1], len(third), fourth[:1], len(fifth))

    by_report_exception(fail)
    found = only_mail()
    assert len(found.raw) < 300_000


def test_a_giant_in_a_request_costs_no_memory(plain_peak, only_mail):
    text = "x" * 50_000_000
    error = BoundError("a")

    def fail():
        raise error

    tracemalloc.start()
    by_wsgi(fail, QUERY_STRING=text, HTTP_COOKIE=text, HTTP_REFERER=text, HTTP_X_OWN=text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert only_mail().text
    assert peak < plain_peak + 8_000_000


class Clock:
    """Goes on only when it is told to."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    options = functools.partial(assemble.CaptureOptions, clock=clock)
    monkeypatch.setattr(assemble, "CaptureOptions", options)
    return clock


class Slow:
    """Takes *seconds* of *clock* for a repr."""

    looked_at = 0

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds

    def __repr__(self):
        Slow.looked_at += 1
        self.clock.now += self.seconds
        return "<Slow>"


@pytest.mark.parametrize("around", ["locals", "list", "dict", "chain", "extra"])
def test_slow_reprs_are_run_within_the_budget_only(clock, around, monkeypatch, only_mail):
    """The one that goes beyond it is the last: 0.2 s, and each takes 0.06."""
    monkeypatch.setattr(Slow, "looked_at", 0)
    slow = [Slow(clock, 0.06) for _ in range(30)]

    def fail(depth=10):
        first, second, third = slow[:3] if around in {"locals", "chain"} else (1, 2, 3)
        inside = slow if around == "list" else dict(enumerate(slow)) if around == "dict" else ()
        try:
            raise BoundError(len(inside), first is second is third)
        except BoundError:
            if around != "chain" or not depth:
                raise
            fail(depth - 1)

    if around == "extra":
        with handling():
            logging.getLogger(LOGGER).error(
                "a", extra={f"e{i}": each for i, each in enumerate(slow)}
            )
    else:
        by_report_exception(fail)
    assert 1 <= Slow.looked_at <= 4
    assert "Slow" in only_mail().text


def test_one_that_hangs_costs_its_own_time_only(clock, only_mail):
    """A repr cannot be interrupted: after it, nothing of the program runs any more."""
    first = Slow(clock, 3_600)
    others = [Slow(clock, 0) for _ in range(10)]
    Slow.looked_at = 0

    def fail():
        animals = [first, *others]
        raise BoundError(len(animals))

    by_report_exception(fail)
    assert Slow.looked_at == 1
    assert "0.2 s" in " ".join(only_mail().text.split())


class Counted:
    """Counts what is asked of all of its kind."""

    asked = 0

    def __repr__(self):
        Counted.asked += 1
        return "<Counted>"


@pytest.mark.parametrize("size", [100, 10_000, 1_000_000])
@pytest.mark.parametrize("container", [list, tuple, lambda items: dict(enumerate(items))])
def test_items_are_looked_at_up_to_the_bound(size, container, only_mail):
    Counted.asked = 0
    value = container([Counted()] * size)
    errormail.report_exception(raised(value))
    assert only_mail().text
    # In the frames and in the arguments of the crash.
    assert 0 < Counted.asked <= 3 * DEFAULT_LIMITS.items


def test_frames_beyond_the_bound_are_not_looked_at(only_mail):
    Counted.asked = 0

    def down(left):
        animal = Counted()
        if left:
            return (down, down2)[left % 2](left - 1), animal
        raise BoundError(animal)

    def down2(left):
        animal = Counted()
        return down(left), animal

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(3_000)
    try:
        by_report_exception(lambda: down(900))
    finally:
        sys.setrecursionlimit(before)
    assert only_mail().text
    assert Counted.asked <= 2 * DEFAULT_LIMITS.frames


def test_10_000_locals(only_mail, tmp_path):
    names = "".join(f"    name{each} = counted\n" for each in range(10_000))
    source = f"def fail():\n{names}    raise BoundError(name9999)"
    path = tmp_path / "wild.py"
    path.write_text(source, encoding="utf-8")
    namespace = {"counted": Counted(), "BoundError": BoundError}
    Counted.asked = 0
    exec(compile(source, str(path), "exec"), namespace)
    by_report_exception(namespace["fail"])
    assert "name9999" in only_mail().text
    assert Counted.asked <= 2 * DEFAULT_LIMITS.variables


def test_a_crash_in_a_loop_is_not_slower_each_time():
    """Nothing piles up: what is kept of a report is gone with the next."""
    for _ in range(30):
        errormail.report_exception(raised("x" * 1_000))
        mail.outbox.clear()
    gc.collect()
    tracemalloc.start()
    for _ in range(60):
        errormail.report_exception(raised("x" * 1_000))
        mail.outbox.clear()
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # The 60 reports would take a megabyte. What is left is the e-mail package's: it makes classes for header fields.
    assert kept < 300_000
