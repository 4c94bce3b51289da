"""Objects of the real libraries: nothing lazy is evaluated, and what has fields shows them, so that redaction sees the names."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import contextvars
import dataclasses
import enum
import functools
import importlib.util
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import threading
import types
import unittest.mock
import weakref

import attrs
import pydantic
import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from actors.frameworks import set_up_django
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.values import Budget, describe

SECRET = "hunter2-hunter2"


def shown(value):
    return describe(value, limits=DEFAULT_LIMITS, redactor=DEFAULT_REDACTOR, budget=Budget(60))


class Untouched:
    """Fails when anything is done with it."""

    def _fail(self, *args):
        raise AssertionError

    __repr__ = __str__ = __len__ = __iter__ = __bool__ = __call__ = __eq__ = __hash__ = _fail
    __getattr__ = _fail


UNTOUCHED = Untouched()


# The standard library


LAZY = {
    "generator": lambda: (1 / 0 for _ in [1]),
    "map": lambda: map(Untouched(), [1]),
    "filter": lambda: filter(Untouched(), [1]),
    "zip": lambda: zip([1], strict=False),
    "enumerate": lambda: enumerate([1]),
    "reversed": lambda: reversed([1]),
    "count": lambda: itertools.count(5),
    "chain": lambda: itertools.chain([1]),
    "islice": lambda: itertools.islice([1], 1),
    "repeat": lambda: itertools.repeat(Untouched()),
    "cycle": lambda: itertools.cycle([1]),
    "tee": lambda: itertools.tee([1])[0],
    "iterator": lambda: iter({"a": 1}),
    "file": tempfile.TemporaryFile,
    "spooled": tempfile.SpooledTemporaryFile,
    "named": tempfile.NamedTemporaryFile,
    "socket": socket.socket,
    "memoryview": lambda: memoryview(b"hunter2"),
    "lock": threading.Lock,
    "rlock": threading.RLock,
    "local": threading.local,
    "context": contextvars.copy_context,
    "contextvar": lambda: contextvars.ContextVar("name", default=UNTOUCHED),
    "mock": unittest.mock.Mock,
    "magicmock": unittest.mock.MagicMock,
    "asyncmock": unittest.mock.AsyncMock,
    "spec": lambda: unittest.mock.create_autospec(Untouched),
}


@pytest.mark.row("R7")
@pytest.mark.parametrize("name", LAZY)
def test_the_lazy_shows_as_its_type(name):
    value = LAZY[name]()
    cls = type(value)
    text = shown([value])
    assert cls.__qualname__ in text
    assert "raised" not in text
    assert "0x" not in text
    assert "hunter2" not in text
    if name in {"file", "spooled", "named", "socket"}:
        value.close()


def test_mocks_are_not_called_and_note_nothing():
    mock = unittest.mock.MagicMock(name="client")
    shown({"a": mock, "b": mock.get, "c": mock.get()})
    calls = [call for call in mock.mock_calls if call != unittest.mock.call.get()]
    assert calls == []


def test_iterators_are_not_consumed():
    iterator = iter([1, 2])
    mapped = map(str, [1, 2])
    shown([iterator, mapped])
    assert list(iterator) == [1, 2]
    assert list(mapped) == ["1", "2"]


def test_weak_references_do_not_ask_what_they_lead_to():
    class Named:
        def __getattr__(self, name):
            raise AssertionError

    target = Named()
    assert shown(weakref.ref(target)) == "<weakref.ReferenceType>"
    assert "ProxyType>" in shown(weakref.proxy(target))
    assert "WeakSet" in shown(weakref.WeakSet([target]))
    assert "raised" not in shown(weakref.WeakValueDictionary(a=target))


def test_tasks_futures_coroutines_and_async_generators_are_not_awaited():
    ran = []

    async def work():
        ran.append("work")
        return SECRET

    async def numbers():
        ran.append("numbers")
        yield 1

    async def main():
        coroutine, generator = work(), numbers()
        task = asyncio.ensure_future(work())
        future = asyncio.get_running_loop().create_future()
        step = generator.__anext__()
        texts = [shown(each) for each in (coroutine, generator, step, task, future)]
        coroutine.close()
        step.close()
        before = list(ran)
        await task
        assert SECRET not in shown(task)
        return texts, before

    texts, before = asyncio.run(main())
    assert before == []
    assert [text.strip("<>").rpartition(".")[2].removesuffix(" object") for text in texts] == [
        "coroutine",
        "async_generator",
        "async_generator_asend",
        "Task",
        "Future",
    ]


def test_a_lazy_module_is_not_loaded(tmp_path, monkeypatch):
    (tmp_path / "lazily_loaded.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.find_spec("lazily_loaded")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert shown(module) == "<module 'lazily_loaded'>"


def test_a_process_is_not_waited_for():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert "Popen" in shown(process)
    finally:
        process.communicate(b"\n")


class Array:
    """As numpy's is to Python."""

    __array_interface__ = types.MappingProxyType({"shape": (1_000_000,), "version": 3})

    def __repr__(self):
        raise AssertionError


def test_arrays_show_as_their_type():
    assert shown(Array()).endswith("Array>")


# Fields


class Colour(enum.Enum):
    RED = 1
    PASSWORD = SECRET


class Size(enum.IntFlag):
    S = 1
    M = 2


@dataclasses.dataclass
class Login:
    user: str
    password: str
    hidden: str = dataclasses.field(default=SECRET, repr=False)
    start: dataclasses.InitVar[int] = 0
    count = 5


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    user: str
    token: str


@attrs.define
class Defined:
    user: str
    api_key: str
    hidden: str = attrs.field(default=SECRET, repr=False)
    masked: str = attrs.field(default=SECRET, repr=lambda value: "***")


@attrs.define(slots=False)
class Open:
    user: str
    secret: str


class Credentials(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    user: str
    password: str
    pin: pydantic.SecretStr
    code: pydantic.SecretStr
    hidden: str = pydantic.Field(SECRET, repr=False)
    note: str = pydantic.Field("", validation_alias="remark")

    @pydantic.computed_field
    @property
    def computed(self) -> str:
        raise AssertionError


@pydantic.dataclasses.dataclass
class Checked:
    user: str
    password: str


class Order(collections.namedtuple("Order", "number token")):  # noqa: PYI024 -- the older form
    __slots__ = ()


FIELDS = [
    (Login("bob", SECRET), f"Login(user='bob', password={REDACTED})"),
    (Slotted("bob", SECRET), f"Slotted(user='bob', token={REDACTED})"),
    (Defined("bob", SECRET), f"Defined(user='bob', api_key={REDACTED})"),
    (Open("bob", SECRET), f"Open(user='bob', secret={REDACTED})"),
    (
        Credentials(
            user="bob", password=SECRET, pin=SECRET, code=SECRET, api_token=SECRET, tag="a"
        ),
        f"Credentials(user='bob', password={REDACTED}, pin={REDACTED}, code=SecretStr('**********'), note='', "
        f"api_token={REDACTED}, tag='a')",
    ),
    (Checked("bob", SECRET), f"Checked(user='bob', password={REDACTED})"),
    (Order(5, SECRET), f"Order(number=5, token={REDACTED})"),
    (types.SimpleNamespace(a=1, token=SECRET), f"SimpleNamespace(a=1, token={REDACTED})"),
    (types.MappingProxyType({"pin": 4, "a": 1}), f"mappingproxy({{'pin': {REDACTED}, 'a': 1}})"),
    (
        collections.ChainMap({"pin": 4}, {"a": 1}),
        f"ChainMap({{'pin': {REDACTED}}}, {{'a': 1}})",
    ),
    (collections.UserDict(pin=4), f"UserDict({{'pin': {REDACTED}}})"),
    (collections.UserList([{"pin": 4}]), f"UserList([{{'pin': {REDACTED}}}])"),
    (collections.OrderedDict(pin=4), f"OrderedDict({{'pin': {REDACTED}}})"),
    (collections.defaultdict(Untouched, pin=4), f"defaultdict({{'pin': {REDACTED}}})"),
    (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
    (slice(1, {"pin": 4}), f"slice(1, {{'pin': {REDACTED}}}, None)"),
    (
        functools.partial(print, user="bob", password=SECRET),
        f"partial(func=<built-in function print>, args=(), keywords={{'user': 'bob', 'password': {REDACTED}}})",
    ),
    (Colour.RED, "<Colour.RED: 1>"),
    (Colour.PASSWORD, f"<Colour.PASSWORD: {REDACTED}>"),
    (Size.S, "<Size.S: 1>"),
]


@pytest.mark.row("X1")
@pytest.mark.parametrize(
    ("value", "text"), FIELDS, ids=[f"{n}-{type(v).__name__}" for n, (v, _) in enumerate(FIELDS)]
)
def test_what_has_fields_shows_them_and_hides_the_secret_ones(value, text):
    assert shown(value) == text
    assert shown({"nested": [value]}) == f"{{'nested': [{text}]}}"


def test_several_flags_show_as_python_shows_them():
    assert shown(Size.S | Size.M) == repr(Size.S | Size.M)


def test_multidicts_are_mappings():
    multidict = pytest.importorskip("multidict")
    headers = multidict.CIMultiDict([("Cookie", "a=1"), ("Host", "b"), ("Host", "c")])
    assert shown(headers) == f"CIMultiDict({{'Cookie': {REDACTED}, 'Host': 'b', 'Host': 'c'}})"
    assert shown(multidict.CIMultiDictProxy(headers)).startswith("CIMultiDictProxy({'Cookie'")


def test_the_environment_hides_by_name(monkeypatch):
    monkeypatch.setenv("STRIPE_SECRET", SECRET)
    for value in (os.environ, dict(os.environ), {"environ": os.environ}):
        assert SECRET not in shown(value)


# werkzeug, Flask


def test_flask_proxies_are_not_opened():
    import flask
    from werkzeug.local import LocalProxy

    for proxy in (flask.request, flask.session, flask.g, flask.current_app):
        assert shown(proxy) == "<werkzeug.local.LocalProxy>"
    app = flask.Flask("shop")
    with app.test_request_context("/?token=abc", headers={"Cookie": f"session={SECRET}"}):
        text = shown(
            [flask.request, flask.request.cookies, flask.request.headers, flask.request.args]
        )
        text += shown(flask.request._get_current_object())
    assert text.startswith("[<werkzeug.local.LocalProxy>, ")
    assert SECRET not in text
    assert "token=abc" not in text
    assert shown(LocalProxy(Untouched()._fail)) == "<werkzeug.local.LocalProxy>"


def test_werkzeug_collections_are_shown_by_name():
    from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict

    assert (
        shown(MultiDict([("a", "1"), ("pin", "4")]))
        == f"MultiDict({{'a': ['1'], 'pin': {REDACTED}}})"
    )
    assert REDACTED in shown(ImmutableMultiDict([("pin", "4")]))
    assert SECRET not in shown(Headers([("Cookie", SECRET), ("Host", "a")]))


# SQLAlchemy


class Base(orm.DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    password: orm.Mapped[str]
    books: orm.Mapped[list[Book]] = orm.relationship(back_populates="author")
    notes: orm.WriteOnlyMapped[Note] = orm.relationship()


class Book(Base):
    __tablename__ = "book"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("author.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")

    def __repr__(self):
        return f"<Book {self.title} by {self.author.name}>"


class Note(Base):
    __tablename__ = "note"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("author.id"))


@pytest.fixture
def database():
    """A session, and the list of statements that its engine was given."""
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add(Author(name="bob", password=SECRET, books=[Book(title="One")]))
        session.commit()
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with orm.Session(engine) as session:
        yield session, statements
    engine.dispose()


def test_sqlalchemy_is_given_no_statement(database):
    session, statements = database
    author = session.scalars(sa.select(Author)).one()
    book = session.scalars(sa.select(Book)).one()
    with session.connection() as connection:
        result = connection.execute(sa.text("SELECT 1"))
        values = [
            author,
            book,
            session,
            connection,
            session.query(Author),
            sa.select(Author),
            result,
            result.scalars(),
            author.notes,
            orm.scoped_session(lambda: session),
            session.get_bind(),
            Author.name,
        ]
        statements.clear()
        texts = [shown(each) for each in values] + [shown({"nested": values})]
        assert statements == []
        assert [tuple(row) for row in result] == [(1,)]
    assert not any("raised" in text for text in texts)
    assert not any(SECRET in text for text in texts)
    assert texts[:2] == [
        f"Author(id=1, name='bob', password={REDACTED})",
        "Book(id=1, title='One', author_id=1)",
    ]
    assert texts[2:5] == [
        "<sqlalchemy.orm.session.Session>",
        "<sqlalchemy.engine.base.Connection>",
        "<sqlalchemy.orm.query.Query>",
    ]


def test_what_sqlalchemy_has_loaded_is_shown(database):
    session, statements = database
    author = session.scalars(sa.select(Author)).one()
    assert len(author.books) == 1
    statements.clear()
    assert "books=InstrumentedList([Book(" in shown(author)
    session.expire(author)
    assert shown(author) == "Author()"
    assert statements == []


def test_a_row_of_sqlalchemy_is_shown_by_name(database):
    session, _ = database
    row = session.execute(sa.select(Author.name, Author.password)).one()
    assert shown(row) == f"Row(name='bob', password={REDACTED})"
    assert shown(row._mapping).startswith("<sqlalchemy") or SECRET not in shown(row._mapping)


def test_a_detached_row_is_shown(database):
    session, statements = database
    book = session.scalars(sa.select(Book)).one()
    session.close()
    statements.clear()
    assert shown(book) == "Book(id=1, title='One', author_id=1)"
    assert statements == []


# Django


@pytest.fixture(scope="module")
def person():
    """A model of Django's, its table in a database in memory with one row."""
    set_up_django()
    from django.db import connections, models

    class Person(models.Model):
        name = models.CharField(max_length=20)
        password = models.CharField(max_length=20)
        friend = models.ForeignKey("self", models.CASCADE, null=True)

        class Meta:
            app_label = "zoo_of_values"

        def __str__(self):
            return f"{self.name} of {self.friend.name}"

    connection = connections["default"]
    with connection.schema_editor() as editor:
        editor.create_model(Person)
    first = Person.objects.create(name="ann", password=SECRET)
    Person.objects.create(name="bob", password=SECRET, friend=first)
    yield Person
    connection.close()


@contextlib.contextmanager
def no_queries():
    from django.db import connection

    def fail(execute, sql, params, many, context):
        raise AssertionError(sql)

    with connection.execute_wrapper(fail):
        yield


def test_django_runs_no_query(person):
    from django.core.paginator import Paginator
    from django.db.models import Prefetch

    bob = person.objects.get(name="bob")
    deferred = person.objects.only("name").get(name="bob")
    unevaluated = person.objects.order_by("name")
    values = {
        "bob": bob,
        "deferred": deferred,
        "unevaluated": unevaluated,
        "values": person.objects.values("name"),
        "raw": person.objects.raw("SELECT * FROM nothing"),
        "iterator": person.objects.order_by("name").iterator(),
        "manager": person.objects,
        "related": bob.person_set,
        "paginator": Paginator(unevaluated, 1),
        "page": Paginator(unevaluated, 1).get_page,
        "prefetch": Prefetch("friend", queryset=unevaluated),
    }
    with no_queries():
        texts = {name: shown(value) for name, value in values.items()} | {"all": shown(values)}
    assert not any("raised" in text or SECRET in text for text in texts.values())
    assert texts["bob"].endswith(f"Person(id=2, name='bob', password={REDACTED}, friend_id=1)")
    assert texts["deferred"].endswith("Person(id=2, name='bob')")
    assert texts["unevaluated"] == "<django.db.models.query.QuerySet>"
    assert texts["paginator"] == "<django.core.paginator.Paginator>"
    assert unevaluated._result_cache is None


def test_an_evaluated_queryset_shows_as_its_type_too(person):
    evaluated = person.objects.all()
    assert len(evaluated) == 2
    with no_queries():
        assert shown(evaluated) == "<django.db.models.query.QuerySet>"
        assert SECRET not in shown(list(evaluated))


def test_a_page_of_django_does_not_count_its_rows(person):
    from django.core.paginator import Page, Paginator

    page = Page(person.objects.order_by("name"), 1, Paginator(person.objects.order_by("name"), 1))
    with no_queries():
        assert shown(page) == "<django.core.paginator.Page>"


def test_lazy_objects_of_django_are_not_opened():
    from django.conf import LazySettings
    from django.utils.functional import SimpleLazyObject, lazy
    from django.utils.translation import gettext_lazy

    assert (
        shown(SimpleLazyObject(Untouched()._fail)) == "<django.utils.functional.SimpleLazyObject>"
    )
    assert shown(LazySettings()) == "<django.conf.LazySettings>"
    assert "raised" not in shown([gettext_lazy("Pay"), lazy(Untouched()._fail, str)()])
