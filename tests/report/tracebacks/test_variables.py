"""Beside local variables a reader sees the attributes that the failing line reads, without one being computed."""

from __future__ import annotations

import sys
import types

import pytest

from errormail import sensitive_variables
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED
from errormail.report.options import CaptureOptions
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.tracebacks import variables
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.frames import capture_frames
from errormail.report.tracebacks.source import Sources
from errormail.report.values import Budget

HAS_POSITIONS = sys.version_info >= (3, 11)


class Rates:
    """Has a table, and much that must not be looked at."""

    __slots__ = ("_table", "name")

    def __init__(self, table):
        self._table = table
        self.name = "daily"

    def lookup(self, source, target):
        return self._table[source, target]


class Engine:
    """Has attributes of each kind."""

    shared = "of the class"

    def __init__(self):
        self.rates = Rates({("EUR", "EUR"): 1})
        self.password = "hunter2"
        self.zero = 0
        self.__own = 5

    @property
    def computed(self):
        raise AssertionError("a property was computed")

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")

    def divide(self):
        return self.zero / self.zero

    def divide_own(self):
        return self.__own / 0

    def compute(self):
        return [self.rates, self.password] and self.rates.name.upper() / self.zero

    def wrong(self, order):
        return order.customer.name + self.rates


def frame_of(function, *args, limits=DEFAULT_LIMITS, **options):
    try:
        function(*args)
    except Exception as error:
        tb = error.__traceback__
    options = CaptureOptions(limits=limits, **options)
    context = FrameContext(
        options=options,
        redactor=DEFAULT_REDACTOR,
        budget=Budget(10),
        sources=Sources(1_000_000),
    )
    return capture_frames(tb, context)[-1]


def values_of(frame):
    return {variable.name: variable.value for variable in frame.variables}


def test_an_attribute_on_the_failing_line_is_shown_by_its_expression():
    frame = frame_of(Rates({("EUR", "EUR"): 1}).lookup, "CHF", "EUR")
    assert values_of(frame)["self._table"] == "{('EUR', 'EUR'): 1}"
    assert list(values_of(frame))[:4] == ["self", "source", "target", "self._table"]


def test_attributes_of_the_failing_part_are_in_focus_in_order_of_occurrence():
    frame = frame_of(Rates({}).lookup, "CHF", "EUR")
    assert frame.focus == ("self", "self._table", "source", "target")


def test_attributes_of_attributes_are_followed_as_far_as_they_are_stored():
    order = types.SimpleNamespace(customer=types.SimpleNamespace(name=5))
    assert values_of(frame_of(Engine().wrong, order))["order.customer.name"] == "5"
    order = types.SimpleNamespace(customer=Engine())
    assert "order.customer" in values_of(frame_of(lambda order: order.customer.zero.x, order))


def test_in_front_of_a_call_stands_what_is_called():
    frame = frame_of(Engine().compute)
    assert values_of(frame)["self.rates.name"] == "'daily'"
    assert "self.rates.name.upper" not in values_of(frame)


def test_nothing_is_computed():
    engine = Engine()
    frame = frame_of(lambda: [1 / 0, engine.computed, engine.shared, engine.nothing])
    assert list(values_of(frame)) == ["engine"]


def test_an_attribute_with_two_underscores_is_found_by_the_name_that_its_class_gave_it():
    assert values_of(frame_of(Engine().divide_own))["self.__own"] == "5"


def test_an_attribute_whose_name_is_a_secrets_is_hidden():
    frame = frame_of(Engine().compute)
    assert values_of(frame)["self.password"] == REDACTED
    secret = "".join(["x1", "y2"])  # not in the source that the report shows
    inside = types.SimpleNamespace(token=types.SimpleNamespace(text=secret))
    frame = frame_of(lambda: inside.token.text / 0)
    assert values_of(frame)["inside.token"] == REDACTED
    assert secret not in repr(frame)


def test_attributes_of_what_a_decorator_hides_are_not_shown():
    @sensitive_variables("card")
    def pay(card, order):
        return card.number + order.card + order.zero

    frame = frame_of(pay, types.SimpleNamespace(number=411), types.SimpleNamespace(card=412))
    assert values_of(frame)["card"] == REDACTED
    assert "card.number" not in values_of(frame)
    assert values_of(frame)["order.card"] == REDACTED


def test_functions_modules_and_classes_are_no_values():
    import os

    thing = types.SimpleNamespace(run=print, cls=Engine, inner=os)
    frame = frame_of(lambda: (thing.run, thing.cls, thing.inner.path) and thing.zero)
    assert set(values_of(frame)) == {"thing"}


def test_each_is_shown_once_and_their_number_is_bounded():
    thing = types.SimpleNamespace(a=types.SimpleNamespace(b=0))
    frame = frame_of(lambda: thing.a.b + thing.a.c + thing.a.d)
    assert set(values_of(frame)) == {"thing", "thing.a", "thing.a.b"}
    many = types.SimpleNamespace(**{f"x{number}": number for number in range(30)})
    namespace = {}
    line = " + ".join(f"many.x{number}" for number in range(30))
    source = f"def f(many):\n    return {line} + None\n"
    exec(compile(source, "many.py", "exec"), namespace)
    sources = Sources(100_000)
    sources._sources["many.py", ""] = variables_source(source)
    try:
        namespace["f"](many)
    except TypeError as error:
        tb = error.__traceback__.tb_next
    context = FrameContext(redactor=DEFAULT_REDACTOR, budget=Budget(10), sources=sources)
    namespace.pop("__name__", None)
    shown = capture_frames(tb, context)[-1].variables
    assert len(shown) == 1 + variables.ATTRIBUTES


def variables_source(text):
    from errormail.report.tracebacks.source import Source

    return Source(text.split("\n"))


@pytest.mark.skipif(not HAS_POSITIONS, reason="Python 3.10 has no columns")
def test_attributes_elsewhere_on_the_line_come_after_those_of_the_failing_part():
    thing = types.SimpleNamespace(a=1, b=0)
    frame = frame_of(lambda: [thing.a, thing.a / thing.b])
    assert frame.focus == ("thing", "thing.a", "thing.b")
    frame = frame_of(lambda: [thing.a, 1 / thing.b])
    assert frame.focus == ("thing", "thing.b")
    assert list(values_of(frame)) == ["thing", "thing.b", "thing.a"]


def test_without_room_for_variables_there_are_no_attributes():
    frame = frame_of(Engine().divide, limits=Limits(variables=0))
    assert (frame.variables, frame.focus) == ((), ())


def test_a_filter_of_the_program_decides_on_attributes_too():
    frame = frame_of(Engine().divide, frame_variables=lambda _frame: [("self", "***")])
    assert values_of(frame) == {"self": "'***'"}
    frame = frame_of(Engine().divide, frame_variables=lambda _frame: [])
    assert values_of(frame) == {}


def test_locals_of_libraries_are_shown_on_request():
    import json

    assert frame_of(json.loads, "{").variables == ()
    frame = frame_of(json.loads, "{", library_locals=True)
    assert not frame.in_app
    assert values_of(frame)["s"] == "'{'"
