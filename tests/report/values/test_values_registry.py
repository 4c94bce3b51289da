"""A program says how a report shows objects of its own: never, or by a function."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from errormail.report import register_type
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.values import Budget, Values, describe, registry


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(registry, "decided", {})


class Cart:
    def __init__(self, *lines):
        self.lines = lines

    def __repr__(self):
        raise AssertionError


class SpecialCart(Cart):
    pass


NAME = f"{Cart.__module__}.Cart"


def shown(value, *, limits=DEFAULT_LIMITS, budget=None):
    budget = budget or Budget(60)
    return describe(value, limits=limits, redactor=DEFAULT_REDACTOR, budget=budget)


@pytest.mark.parametrize("cls", [Cart, NAME, "Cart"], ids=["class", "dotted", "bare"])
def test_a_type_may_be_declared_as_never_evaluated(cls):
    register_type(cls)
    assert shown(Cart(1)) == f"<{NAME}>"
    assert shown([SpecialCart()]).endswith("SpecialCart>]")
    assert "raised" not in shown(SpecialCart())


def test_a_type_may_have_a_text_of_its_own():
    register_type(Cart, lambda cart: f"<Cart of {len(cart.lines)} lines>")
    assert shown({"cart": Cart(1, 2)}) == "{'cart': <Cart of 2 lines>}"


def test_the_fields_of_a_mapping_are_redacted_by_name():
    register_type(Cart, lambda cart: {"owner": "bob", "password": "hunter2", "lines": cart.lines})
    assert shown(Cart(1)) == f"Cart(owner='bob', password={REDACTED}, lines=(1,))"


def test_what_a_function_returns_is_redacted_and_bounded():
    register_type(Cart, lambda cart: "token=s3cr3t-value " + "x" * 100_000)
    text = shown(Cart(), limits=Limits(value_chars=100))
    assert text.startswith(f"token={REDACTED}")
    assert len(text) <= 100
    register_type(Cart, lambda cart: dict.fromkeys(range(1_000_000)))
    assert len(shown(Cart())) <= DEFAULT_LIMITS.value_chars


@pytest.mark.parametrize(
    "error", [KeyError("a"), SystemExit(1), MemoryError()], ids=lambda e: type(e).__name__
)
def test_a_function_that_fails_is_told(error):
    def fail(cart):
        raise error

    register_type(Cart, fail)
    assert shown(Cart()) == f"<{NAME}: describe raised {type(error).__name__}>"


def test_a_function_that_returns_neither_text_nor_fields_is_told():
    register_type(Cart, lambda cart: 5)
    assert shown(Cart()) == f"<{NAME}: describe returned int>"
    register_type(Cart, lambda cart: cart)
    assert shown(Cart()) == f"<{NAME}: describe returned {NAME}>"


def test_past_the_budget_no_function_is_called():
    register_type(Cart, lambda cart: pytest.fail("it was called"))
    assert shown(Cart(), budget=Budget(-1)) == f"<{NAME}>"


def test_a_function_is_called_once_for_an_object_in_one_report():
    calls = []
    register_type(Cart, lambda cart: calls.append(cart) or f"token=abc {len(calls)}")
    cart = Cart()
    values = Values(DEFAULT_LIMITS, DEFAULT_REDACTOR, Budget(60))
    assert values.texts([cart, [cart], cart]) == [
        f"token={REDACTED} 1",
        f"[token={REDACTED} 1]",
        f"token={REDACTED} 1",
    ]
    assert calls == [cart]


def test_the_nearest_class_counts_and_what_is_said_last():
    register_type(Cart, lambda cart: "a cart")
    register_type(SpecialCart)
    assert shown(Cart()) == "a cart"
    assert shown(SpecialCart()).endswith("SpecialCart>")
    register_type(SpecialCart, lambda cart: "a special cart")
    assert shown(SpecialCart()) == "a special cart"


def test_a_registered_subclass_of_a_builtin_is_shown_as_registered():
    class Secret(str):
        __slots__ = ()

    class Rows(dict):
        pass

    register_type(Secret)
    register_type(Rows, lambda rows: f"{len(rows)} rows")
    assert shown([Secret("s3cr3t")]).endswith("Secret>]")
    assert shown(Rows(a=1)) == "1 rows"
    assert shown({"a": "b"}) == "{'a': 'b'}"


def test_what_the_program_says_goes_before_what_we_know():
    class QuerySet:
        sql = "SELECT 1"

    assert shown(QuerySet()).endswith("QuerySet>")
    register_type("QuerySet", lambda query: query.sql)
    assert shown(QuerySet()) == "SELECT 1"


def test_a_class_is_not_kept_alive_for_being_registered_or_shown():
    class Local:
        def __repr__(self):
            return "<Local>"

    register_type(Local, lambda each: "local")
    assert shown(Local()) == "local"
    alive = weakref.ref(Local)
    del Local
    gc.collect()
    assert alive() is None


def test_another_class_at_the_same_address_is_not_taken_for_the_first():
    """By id is how types are remembered: an id is given again."""
    ids = set()
    for number in range(30):
        name = f"Each{number}"
        cls = type(name, (), {"__repr__": lambda self: type(self).__name__} if number % 2 else {})
        ids.add(id(cls))
        assert shown(cls()) == (name if number % 2 else f"<{__name__}.{name} object>")
        del cls
        gc.collect()
    assert len(ids) < 30


def test_a_hostile_metaclass_is_not_asked():
    class Meta(type):
        def __hash__(cls):
            raise SystemExit

        def __eq__(cls, other):
            raise SystemExit

        def __getattribute__(cls, name):
            raise SystemExit

        def __instancecheck__(cls, instance):
            raise SystemExit

    hostile = Meta("Hostile", (), {"__repr__": lambda self: "<hostile>"})
    register_type("shop.Nothing")
    assert shown(object.__new__(hostile)) == "<hostile>"


def test_threads_may_register_and_show_at_the_same_time():
    failures = []
    classes = [type(f"Part{number}", (), {}) for number in range(200)]

    def register():
        for cls in classes:
            register_type(cls, lambda each: type(each).__name__)

    def show():
        for cls in classes:
            text = shown(cls())
            if text != cls.__name__ and not text.endswith(f"{cls.__name__} object>"):
                failures.append(text)

    threads = [threading.Thread(target=each) for each in (register, show, show)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [shown(cls()) for cls in classes] == [cls.__name__ for cls in classes]
