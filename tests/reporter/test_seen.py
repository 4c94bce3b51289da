"""One failure that several places see makes one email for each recipient."""

from __future__ import annotations

import gc
import logging
import sys
import traceback
import weakref

import pytest

from errormail.reporter import seen
from errormail.reporter.seen import exception_of, mark, told

OPS = frozenset({"ops@example.com"})
DEV = frozenset({"dev@example.com"})


def raised(exc):
    try:
        raise exc
    except BaseException as caught:
        return caught


def record(message="it broke", *args, exc_info=None):
    return logging.LogRecord("shop", logging.ERROR, __file__, 1, message, args, exc_info)


@pytest.fixture(autouse=True)
def _nothing_recent():
    seen._recent.clear()


def test_nobody_is_told_of_a_new_failure():
    assert told(ValueError(), 0) == frozenset()
    assert told(record(), 0) == frozenset()


@pytest.mark.parametrize("failure", [ValueError("x"), record()], ids=["exception", "record"])
def test_a_failure_remembers_who_was_told(failure):
    mark(failure, 0, OPS)
    assert told(failure, 0) == OPS
    mark(failure, 0, OPS | DEV)
    assert told(failure, 0) == OPS | DEV


def test_an_exception_that_is_raised_again_in_another_request_is_new():
    exc = ValueError("one object for the whole program")
    mark(exc, 1, OPS)
    assert told(exc, 1) == OPS
    assert told(exc, 2) == frozenset()


def test_the_log_of_a_server_comes_after_the_request_and_is_not_new():
    exc = ValueError()
    mark(exc, 1, OPS)
    assert told(exc, 0) == OPS


def test_an_exception_that_refuses_attributes_is_marked():
    class Frozen(Exception):
        __slots__ = ()

        def __setattr__(self, name, value):
            raise TypeError(name)

        def __getattribute__(self, name):
            raise TypeError(name)

    exc = Frozen()
    mark(exc, 0, OPS)
    assert told(exc, 0) == OPS


def test_nothing_of_an_exception_is_kept_alive():
    class Error(Exception):
        pass

    exc = raised(Error("x"))
    gone = weakref.ref(exc)
    mark(exc, 0, OPS)
    del exc
    gc.collect()
    assert gone() is None


def test_an_exception_whose_str_fails_is_marked():
    class Broken(Exception):
        def __str__(self):
            raise SystemExit

    exc = Broken()
    mark(exc, 0, OPS)
    assert told(exc, 0) == OPS


def text_of(exc):
    return "Error on request:\n" + "".join(traceback.format_exception(exc))


def test_a_record_that_repeats_a_traceback_as_text_is_the_same_failure():
    exc = raised(ValueError("no rate\nfrom CHF"))
    mark(exc, 0, OPS)
    assert told(record(text_of(exc)), 0) == OPS
    assert told(record("%s", text_of(exc)), 0) == OPS


@pytest.mark.parametrize(
    "change",
    [
        {"thread": 1},
        {"created": 0.0},
        {"thread": None},
        {"msg": "ValueError: no rate"},  # no traceback
        {"msg": {"event": "Traceback (most recent call last):\nValueError: no rate"}},
        {"msg": "%d Traceback (most recent call last):\nValueError: no rate", "args": ("x",)},
        {"msg": text_of(raised(ValueError("another")))},
    ],
)
def test_a_record_is_another_failure_by_thread_time_and_text(change):
    exc = raised(ValueError("no rate"))
    mark(exc, 0, OPS)
    other = record(text_of(exc))
    assert told(other, 0) == OPS
    other.__dict__.update(change)
    assert told(other, 0) == frozenset()


def test_recent_failures_are_bounded():
    for number in range(1_000):
        mark(ValueError(number), 0, OPS)
    assert len(seen._recent) <= 256


def test_the_exception_of_a_record_in_every_form():
    exc = raised(ValueError())
    assert exception_of(record(exc_info=exc)) is exc
    assert exception_of(record(exc_info=(ValueError, exc, exc.__traceback__))) is exc
    assert exception_of(record(exc_info=(None, None, None))) is None
    assert exception_of(record(exc_info=None)) is None
    assert exception_of(record(exc_info=())) is None


def test_a_triple_brings_the_traceback_that_its_exception_lacks():
    exc = raised(ValueError())
    tb, exc.__traceback__ = exc.__traceback__, None
    assert exception_of(record(exc_info=(ValueError, exc, tb))).__traceback__ is tb


def test_a_traceback_as_text_brings_the_exception_that_is_being_handled():
    """Werkzeug's server, CherryPy and RQ log so."""
    try:
        raise ValueError("no rate")
    except ValueError:
        live = sys.exc_info()[1]
        assert exception_of(record(text_of(live))) is live
        assert exception_of(record("giving up")) is None
        assert exception_of(record(text_of(raised(KeyError("x"))))) is None
