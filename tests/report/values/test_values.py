"""Any value becomes a short text: bounded, redacted, and nothing is computed for it."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import fractions
import functools
import io
import logging
import os
import re
import types

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import hostile
from errormail.report import values
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.values import Budget, describe


class Clock:
    """Goes on by *step* seconds whenever it is looked at."""

    def __init__(self, step=0.0):
        self.now = 0.0
        self.step = step

    def __call__(self):
        self.now += self.step
        return self.now


def shown(value, *, limits=DEFAULT_LIMITS, redactor=DEFAULT_REDACTOR, budget=None):
    return describe(value, limits=limits, redactor=redactor, budget=budget or Budget(1, Clock()))


@dataclasses.dataclass
class Login:
    user: str
    password: str
    internal: str = dataclasses.field(default="x", repr=False)


@dataclasses.dataclass
class OwnRepr:
    user: str

    def __repr__(self):
        return "<OwnRepr>"


@dataclasses.dataclass(slots=True)
class Slotted:
    token: str
    amount: int


@attrs.define
class AttrsLogin:
    user: str
    password: str
    internal: str = attrs.field(default="x", repr=False)


Point = collections.namedtuple("Point", "x pin")  # noqa: PYI024 -- the older form


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("CHF", "'CHF'"),
        (b"CHF", "b'CHF'"),
        (bytearray(b"a"), "bytearray(b'a')"),
        (5, "5"),
        (True, "True"),
        (None, "None"),
        (1.5, "1.5"),
        (..., "Ellipsis"),
        (int, "<class 'int'>"),
        (len, "<built-in function len>"),
        ([].append, "<built-in function list.append>"),
        (os, "<module 'os'>"),
        (shown, "<function shown>"),
        (Login("a", "b").__eq__, "<bound method Login.__eq__>"),
        (decimal.Decimal("16.00"), "Decimal('16.00')"),
        (dt.date(2026, 10, 5), "datetime.date(2026, 10, 5)"),
        (range(5), "range(0, 5)"),
        ([], "[]"),
        ((1,), "(1,)"),
        (set(), "set()"),
        ({1}, "{1}"),
        (frozenset({1}), "frozenset({1})"),
        (collections.deque([1, "a"]), "deque([1, 'a'])"),
        ({"a": [1, {"b": 2}]}, "{'a': [1, {'b': 2}]}"),
        (collections.OrderedDict(a=1), "OrderedDict({'a': 1})"),
        ({"a": 1}.keys(), "dict_keys(['a'])"),
        (types.MappingProxyType({"a": 1}), "mappingproxy({'a': 1})"),
        (collections.UserDict(a=1), "UserDict({'a': 1})"),
        (array.array("i", [1, 2]), "array([1, 2])"),
        (types.SimpleNamespace(a=1), "SimpleNamespace(a=1)"),
        (
            functools.partial(len, 1),
            "partial(func=<built-in function len>, args=(1,), keywords={})",
        ),
        (KeyError("EUR"), "KeyError('EUR')"),
        (object(), "<object object>"),
        (OwnRepr("a"), "<OwnRepr>"),
        (Point(1, 2), f"Point(x=1, pin={REDACTED})"),
    ],
    ids=lambda each: each if type(each) is str else type(each).__name__,
)
def test_values_look_as_python_shows_them(value, text):
    assert shown(value).replace("tests.report.", "") == text


def test_a_class_shows_its_full_name():
    assert shown(Login) == repr(Login)


@pytest.mark.row("X1")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"password": "x", "user": "bob"}, f"{{'password': {REDACTED}, 'user': 'bob'}}"),
        ({b"cookie": "x"}, f"{{b'cookie': {REDACTED}}}"),
        ([{"a": ({"token": 5},)}], f"[{{'a': ({{'token': {REDACTED}}},)}}]"),
        ([(b"cookie", b"x"), (b"host", b"y")], f"[(b'cookie', {REDACTED}), (b'host', b'y')]"),
        (("password", "x"), f"('password', {REDACTED})"),
        ([["token", "x"]], f"[['token', {REDACTED}]]"),
        (["token", "x"], "['token', 'x']"),
        ({("user", "password"): "x"}, f"{{('user', 'password'): {REDACTED}}}"),
        ({"name": "password", "value": "x"}, f"{{'name': 'password', 'value': {REDACTED}}}"),
        (Login("bob", "x"), f"Login(user='bob', password={REDACTED})"),
        (Slotted("x", 5), f"Slotted(token={REDACTED}, amount=5)"),
        (AttrsLogin("bob", "x"), f"AttrsLogin(user='bob', password={REDACTED})"),
        (types.SimpleNamespace(api_key="x"), f"SimpleNamespace(api_key={REDACTED})"),
        (
            functools.partial(len, pin=4),
            f"partial(func=<built-in function len>, args=(), keywords={{'pin': {REDACTED}}})",
        ),
        (collections.UserDict(secret=1), f"UserDict({{'secret': {REDACTED}}})"),
        ("password=hunter2", f"'password={REDACTED}'"),
        (b"password=hunter2", f"b'password={REDACTED}'"),
        (4111111111111111, REDACTED),
        (
            ValueError("token=abc", {"pin": 4}),
            f"ValueError('token={REDACTED}', {{'pin': {REDACTED}}})",
        ),
        ({"token": "x"}.items(), f"dict_items([('token', {REDACTED})])"),
    ],
    ids=repr,
)
def test_secrets_are_hidden_by_name_at_any_depth(value, text):
    assert shown(value) == text


def test_an_environ_hides_cookies_and_authorization():
    environ = {
        "HTTP_COOKIE": "sid=s3cr3t",
        "HTTP_AUTHORIZATION": "Basic s3cr3t",
        "QUERY_STRING": "token=s3cr3t&a=1",
        "wsgi.input": io.BytesIO(),
        "PATH_INFO": "/cart",
    }
    text = shown(environ)
    assert "s3cr3t" not in text
    assert "'/cart'" in text
    assert "<_io.BytesIO>" in text


def test_os_environ_is_shown_by_name(monkeypatch):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("STRIPE_SECRET", "s3cr3t")
    monkeypatch.setenv("HOME", "/root")
    assert shown(os.environ) == f"_Environ({{'STRIPE_SECRET': {REDACTED}, 'HOME': '/root'}})"


def test_what_an_own_repr_says_is_redacted():
    class Client:
        def __repr__(self):
            return "<Client https://bob:hunter2@example.com token='abc'>"

    assert shown(Client()) == f"<Client https://{REDACTED}@example.com token='{REDACTED}'>"


def test_redaction_comes_before_the_cut():
    secret = "hunter2hunter2" * 3
    redactor = DEFAULT_REDACTOR.with_values([secret])
    for offset in range(60, 110):
        for value in (
            "-" * offset + secret + "-" * 2_000,
            ("-" * offset + secret).encode() + b"-" * 2_000,
        ):
            assert "hunter" not in shown(value, limits=Limits(value_chars=100), redactor=redactor)


def test_the_length_of_a_secret_is_told_by_nothing():
    redactor = DEFAULT_REDACTOR.with_values(["abcdefgh" * 700])
    assert shown("abcdefgh" * 700, redactor=redactor) in {f"'{REDACTED}'", "'...'"}
    assert not re.search(r"\d", shown("see " + "abcdefgh" * 700, redactor=redactor))


@pytest.mark.row("R7")
@pytest.mark.parametrize("name", hostile.OBJECTS)
def test_a_hostile_object_becomes_a_text(name, caplog):
    value = hostile.OBJECTS[name]()
    text = shown(value)
    assert len(text.encode()) <= 4 * DEFAULT_LIMITS.value_chars
    assert len(text) <= DEFAULT_LIMITS.value_chars
    nested = shown({"outer": [value]})
    assert len(nested) <= DEFAULT_LIMITS.value_chars


@pytest.mark.row("R7")
def test_a_broken_repr_is_shown_as_one():
    assert shown(hostile.Raises(SystemExit(3))) == "<actors.hostile.Raises: repr raised SystemExit>"
    assert (
        shown(hostile.Raises(MemoryError())) == "<actors.hostile.Raises: repr raised MemoryError>"
    )


@pytest.mark.row("R6")
def test_a_value_is_cut_and_says_so():
    assert shown("x" * 100_000).endswith("x...' <100,000 characters>")
    assert shown(b"x" * 100_000).endswith("x...' <100,000 bytes>")
    assert shown([0] * 3_000_000).endswith("0, ... 2,999,950 more]")
    assert shown(dict.fromkeys(range(500_000))).endswith("49: None, ... 499,950 more}")


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=200,
    ),
    st.integers(60, 400),
)
def test_no_value_is_longer_than_the_limit(value, chars):
    assert len(shown(value, limits=Limits(value_chars=chars))) <= chars


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner),
        max_leaves=20,
    )
)
def test_short_values_are_as_repr_has_them(value):
    assert shown(value, limits=Limits(depth=50)) == repr(value)


def test_containers_are_cut_at_a_depth():
    assert shown([[[[1]]]], limits=Limits(depth=2)) == "[[[...]]]"
    assert shown({"a": {"b": {}}}, limits=Limits(depth=2)) == "{'a': {'b': {}}}"


def test_a_container_in_itself_is_shown_once():
    assert shown(hostile.self_containing_list()) == "[1, [...]]"
    assert shown(hostile.self_containing_dict()) == "{'a': 1, 'self': {...}}"


def test_the_same_container_twice_is_no_cycle():
    inner = [1]
    assert shown([inner, inner]) == "[[1], [1]]"


def test_only_the_first_items_of_a_giant_are_looked_at():
    looked_at = []

    class Item:
        def __repr__(self):
            looked_at.append(self)
            return "<Item>"

    shown([Item() for _ in range(1_000)] * 1_000)
    assert len(looked_at) == DEFAULT_LIMITS.items


# Drafts

SECRET_TEXTS = st.sampled_from(
    [
        "password=hunter2",
        "it's token: 'a\"b'",
        "https://bob:hunter2@example.com/",
        "Bearer abcdefgh12345678",
        "4111 1111 1111 1111",
        "AKIA" + "ABCDEFGH12345678",
        "known-secret'value",
        "('cookie', 'a=1')",
        "-----BEGIN RSA PRIVATE KEY-----\nabc",
        "pin",
        "value",
        "name",
    ]
)
LEAVES = st.none() | st.integers() | st.text(max_size=20) | SECRET_TEXTS | st.binary(max_size=9)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | SECRET_TEXTS, inner, max_size=3)
        | st.builds(ValueError, inner)
        | st.builds(lambda text: type("Own", (), {"__repr__": lambda self: text})(), SECRET_TEXTS)
    ),
    max_leaves=12,
)


class LeafByLeaf(type(DEFAULT_REDACTOR)):
    """Sees each text by itself."""

    __slots__ = ()
    looks_at_many = False


@given(st.lists(NESTED, max_size=4))
def test_one_look_at_all_values_finds_what_a_look_at_each_text_does(found):
    secrets = ["known-secret'value", "12345678901"]
    at_once = DEFAULT_REDACTOR.with_values(secrets)
    by_leaf = LeafByLeaf().with_values(secrets)
    texts = values.Values(DEFAULT_LIMITS, at_once, Budget(60)).texts(found)
    assert texts == values.Values(DEFAULT_LIMITS, by_leaf, Budget(60)).texts(found)


@pytest.mark.parametrize(
    "secret", ["ab'cd'ef", "se\ncr\net", 'q"u"o"t"ed'], ids=["quote", "line", "double"]
)
def test_a_known_value_is_found_though_its_text_is_escaped(secret):
    redactor = DEFAULT_REDACTOR.with_values([secret])
    for text in (secret, f"{secret} 'a' \"b\"", f"\\{secret}\n'\""):
        for value in (text, [text], {text: 1}):
            assert REDACTED in shown(value, redactor=redactor)


# Nothing lazy is evaluated


def test_a_queryset_asks_no_database():
    hostile.QuerySet.queries = 0
    assert shown([hostile.QuerySet()]) == "[<actors.hostile.QuerySet>]"
    assert hostile.QuerySet.queries == 0


def test_generators_files_and_iterators_are_shown_by_type(tmp_path):
    consumed = []
    generator = (consumed.append(item) for item in [1])
    assert shown(generator) == "<generator>"
    assert shown(map(consumed.append, [1])).startswith("<map")
    assert shown(iter([1])).startswith("<list_iterator")
    with (tmp_path / "file").open("w") as file:
        assert shown(file) == "<_io.TextIOWrapper>"
    assert consumed == []


def test_a_coroutine_is_not_run():
    async def work():
        raise AssertionError

    coroutine = work()
    assert shown(coroutine) == "<coroutine>"
    coroutine.close()


def test_lazy_proxies_of_frameworks_are_not_opened():
    from django.utils.functional import SimpleLazyObject, lazystr
    from werkzeug.local import LocalProxy

    def fail():
        raise AssertionError

    assert shown(SimpleLazyObject(fail)) == "<django.utils.functional.SimpleLazyObject>"
    assert shown(LocalProxy(fail)) == "<werkzeug.local.LocalProxy>"
    assert "raised" not in shown(lazystr(hostile.Raises(SystemExit())))


def test_a_database_row_shows_what_is_loaded():
    class Row:
        def __init__(self):
            self._sa_instance_state = object()
            self.amount = 5
            self.token = "x"

        def __repr__(self):
            raise AssertionError

    assert shown(Row()).endswith(f"Row(amount=5, token={REDACTED})")


def test_properties_are_not_computed():
    @dataclasses.dataclass
    class Order:
        name: str

        @property
        def total(self):
            raise AssertionError

    order = Order("a")
    assert shown(order).endswith("Order(name='a')")


def test_pydantic_models_are_shown_field_by_field():
    """Of the shape that pydantic 2 has: its classes keep their fields under this name."""

    def represent(self):
        raise AssertionError

    field = types.SimpleNamespace(repr=True)
    base = type("BaseModel", (), {"__module__": "pydantic.main", "__repr__": represent})
    fields = {"user": field, "password": field, "internal": types.SimpleNamespace(repr=False)}
    model = type("Login", (base,), {"__module__": "shop", "__pydantic_fields__": fields})()
    vars(model).update(user="bob", password="x", internal=1)
    assert shown(model) == f"Login(user='bob', password={REDACTED})"


# The budget


def test_past_the_budget_a_value_shows_as_its_type():
    budget = Budget(1, Clock(step=0.6))
    assert shown(OwnRepr("a"), budget=budget) == "<OwnRepr>"
    assert shown(fractions.Fraction(1, 2), budget=budget) == "<fractions.Fraction>"
    assert budget.exceeded


def test_past_the_budget_containers_are_not_walked():
    budget = Budget(0, Clock(step=1))
    assert shown([OwnRepr("a")] * 3, budget=budget) == "[... 3 more]"
    assert shown([1, 2, 3], budget=budget) == "[1, 2, 3]"  # runs nothing of the program


def test_a_budget_that_is_not_spent_says_so():
    assert not Budget(1, Clock(step=0.1)).is_spent()


def test_a_container_that_changes_while_it_is_read_is_shown_as_that(monkeypatch):
    value = {"a": object}

    def items(_):
        yield "a", object
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr("errormail.report.values.parts.dict_items", items)
    assert shown(value) == "{<changed while it was read>}"


def test_logging_in_a_repr_is_only_logging(caplog):
    with caplog.at_level(logging.ERROR):
        assert shown(hostile.Logs()) == "<Logs>"


def test_where_recursion_has_left_no_room_a_word_stands_for_the_value():
    def fall(value):
        try:
            return fall(value)
        except RecursionError:
            return shown(value)

    assert fall({"a": [1]})


@given(st.text() | st.binary())
def test_text_is_encodable(value):
    shown(value).encode()


def test_what_follows_a_flag_for_a_secret_is_hidden():
    command = ["mysql", "-u", "shop", "--password", "hunter2", "--password=hunter2", "--port", "33"]
    assert shown(command) == (
        "['mysql', '-u', 'shop', '--password', [redacted], '--password=[redacted]', '--port', '33']"
    )
    assert "hunter2" not in shown({"argv": tuple(command)})
    assert shown(["--password", "--token"]) == "['--password', [redacted]]"
