"""Python's suggestions for a wrong name stay, on every Python, and looking for them runs nothing of the program."""

from __future__ import annotations

import builtins
import importlib
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.tracebacks import suggestions
from errormail.report.tracebacks.suggestions import suggestion_of

names = st.text("abcAB_", max_size=8)


def suggested(function, *args):
    try:
        function(*args)
    except Exception as error:
        return suggestion_of(error, str(error))
    raise AssertionError("nothing was raised")


class Order:
    """Has names that one can get wrong."""

    def __init__(self):
        self.total = 5

    def customer(self):
        return self.totla

    @property
    def rates(self):
        raise AssertionError("a property was computed")

    def convert(self):
        return rates  # noqa: F821 -- that is the point


def wrong_local():
    quantity = 5
    return quantty + quantity  # noqa: F821 -- that is the point


def wrong_global():
    return wrong_locla  # noqa: F821 -- that is the point


def wrong_builtin():
    return lenn([])  # noqa: F821 -- that is the point


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (wrong_local, "quantity"),
        (wrong_global, "wrong_local"),
        (wrong_builtin, "len"),
        (lambda: Order().custmer, "customer"),
        (lambda: Order().totl, "total"),
        (lambda: Order.custmer, "customer"),
        (lambda: sys.vresion, "version"),
        (lambda: [].apend, "append"),
        (lambda: Order().TotaL, "total"),
        (Order().customer, "total"),
    ],
    ids=[
        *("local", "global", "builtin", "method", "attribute", "class", "module"),
        *("list", "case", "self"),
    ],
)
def test_the_nearest_name_is_suggested(function, name):
    assert suggested(function) == f". Did you mean: '{name}'?"


@pytest.mark.parametrize(
    "function",
    [
        lambda: nothing_like_it,  # noqa: F821 -- that is the point
        lambda: Order().something_else,
        lambda: int("x"),
        lambda: importlib.import_module("nowhere_at_all"),
    ],
    ids=["name", "attribute", "value", "import"],
)
def test_where_no_name_is_near_there_is_no_suggestion(function):
    assert suggested(function) == ""


def test_a_property_of_the_wrong_name_is_not_computed():
    assert suggested(Order().convert) == ""


def test_a_module_is_not_imported_again_for_its_names(tmp_path, monkeypatch):
    (tmp_path / "shop_half.py").write_text("import builtins\nbuiltins.shop_half_runs += 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(builtins, "shop_half_runs", 0, raising=False)

    def ask():
        try:
            from shop_half import rates
        finally:
            sys.modules.pop("shop_half", None)
        return rates

    assert suggested(ask) == ""
    assert builtins.shop_half_runs == 1


def test_an_object_that_answers_for_itself_is_not_asked():
    class Proxy:
        def __getattr__(self, name):
            if name != "wrong":
                raise SystemExit
            raise AttributeError(name, name=name, obj=self)

        def ask(self):
            return nothing  # noqa: F821 -- that is the point

    assert suggested(lambda: Proxy().wrong) == ""
    assert suggested(Proxy().ask) == ""

    class Meta(type):
        def __dir__(cls):
            raise SystemExit

    assert suggested(lambda: Meta("C", (), {"total": 1}).totl) == ""


def test_an_object_with_very_many_attributes_is_not_searched():
    many = types.SimpleNamespace(**{f"total{number}": 1 for number in range(3_000)})
    assert suggested(lambda: many.total) == ""


def test_an_exception_without_name_and_object_has_no_suggestion():
    for error in (NameError("x"), AttributeError("x"), ImportError("x")):
        assert suggestion_of(error, "x") == ""


@given(names, names)
def test_the_distance_is_a_distance(one, other):
    distance = suggestions._distance(one, other, 1_000)
    assert distance == suggestions._distance(other, one, 1_000)
    assert (distance == 0) is (one == other)
    assert suggestions._distance(one, other, distance - 1) == distance or distance > 0
    assert suggestions._distance(one, other, distance - 1) >= distance


def test_long_names_and_many_names_are_not_compared():
    assert suggestions._closest("a" * 50, [["a" * 51]]) == ""
    assert suggestions._closest("total", [["totl"] * 1_000]) == ""
    assert suggestions._closest("total", [["other"], ["totl"]]) == "totl"
    assert suggestions._closest("", [["a"]]) == ""
