"""Failures that are alike have the same fingerprint, others have another one."""

from __future__ import annotations

import json
import logging
import re
import sys
import textwrap
import time

import pytest

from actors import hostile
from errormail import _contain
from errormail.report import fingerprint
from errormail.report.fingerprint import fingerprint_exception, fingerprint_record, template_of


def raised(source, call="f()", module="shop.views", filename="/app/shop/views.py", **names):
    """Return the exception that *call* raises in a module with *source*."""
    namespace = {"__name__": module, **names}
    exec(compile(textwrap.dedent(source), filename, "exec"), namespace)
    try:
        exec(call, namespace)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


DIVIDE = """
def f(x=0):
    y = 1
    return y / x
"""


def test_a_fingerprint_is_12_hex_digits():
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint_exception(raised(DIVIDE)))


def test_the_same_failure_has_the_same_one():
    assert fingerprint_exception(raised(DIVIDE)) == fingerprint_exception(raised(DIVIDE))


def test_an_edit_elsewhere_in_the_file_changes_nothing():
    assert fingerprint_exception(raised("\n\n# more\n" + DIVIDE)) == fingerprint_exception(
        raised(DIVIDE)
    )


def test_an_edit_in_the_function_does():
    edited = DIVIDE.replace("y = 1", "y = 1\n    z = 2")
    assert fingerprint_exception(raised(edited)) != fingerprint_exception(raised(DIVIDE))


def test_another_message_changes_nothing():
    source = "def f(text):\n    raise ValueError(text)\n"
    assert fingerprint_exception(raised(source, "f('a')")) == fingerprint_exception(
        raised(source, "f('b')")
    )


@pytest.mark.parametrize(
    "other",
    [
        raised(DIVIDE, "f('')"),
        raised(DIVIDE.replace("f(", "g("), "g()"),
        raised(DIVIDE, module="shop.other"),
        raised(DIVIDE + "def g():\n    f()\n", "g()"),
        raised("def f():\n    try:\n        1 / 0\n    finally:\n        {}['a']\n"),
    ],
    ids=["type", "function", "module", "way there", "context"],
)
def test_another_failure_has_another_one(other):
    assert fingerprint_exception(other) != fingerprint_exception(raised(DIVIDE))


def test_where_it_lies_on_the_disk_does_not_matter():
    assert fingerprint_exception(
        raised(DIVIDE, filename="/srv/2/shop/views.py")
    ) == fingerprint_exception(raised(DIVIDE))


def test_library_frames_do_not_count():
    source = "def f(load, text):\n    load(text)\n"
    plain = raised(source, "f(load, '{')", load=json.loads)
    deeper = raised(source, "f(load, '{\"a\": }')", load=json.loads)
    assert fingerprint_exception(plain) == fingerprint_exception(deeper)


def test_without_application_frames_the_innermost_counts():
    def fail(function, argument):
        try:
            function(argument)
        except Exception as error:
            return error.with_traceback(error.__traceback__.tb_next)

    assert fingerprint_exception(fail(json.loads, "{")) == fingerprint_exception(
        fail(json.loads, "{")
    )
    assert fingerprint_exception(fail(json.loads, 5)) != fingerprint_exception(
        fail(textwrap.dedent, 5)
    )


VENDORED = """
def f(x=0):
    return inner(x)

def inner(x):
    return 1 / x
"""


def test_what_is_the_applications_is_decided_by_in_app():
    site = "/venv/lib/python3.13/site-packages/shop/views.py"
    one = raised(VENDORED, "f()", module="shop.views", filename=site)
    other = raised(VENDORED, "inner(0)", module="shop.views", filename=site)
    assert fingerprint_exception(one) == fingerprint_exception(other)  # the innermost place alone
    included = [fingerprint_exception(each, ("shop",)) for each in (one, other)]
    assert included[0] != included[1]
    folder = ("/venv/lib/python3.13/site-packages/shop",)
    assert fingerprint_exception(one, folder) == included[0]
    mine = raised(VENDORED, "f()")
    assert fingerprint_exception(mine, ("!shop",)) != fingerprint_exception(mine)


def test_in_app_counts_for_a_traceback_in_text_by_folder():
    text = (
        'Traceback (most recent call last):\n  File "/app/shop/views.py", line 3, in f\nKeyError: 5'
    )
    record = logging.makeLogRecord({"msg": "no", "exc_text": text})
    assert fingerprint_record(record, ("!/app",)) != fingerprint_record(record)


RECURSE = """
def f(depth):
    if not depth:
        raise KeyError(depth)
    g(depth - 1)

def g(depth):
    f(depth)
"""


def test_recursion_is_collapsed():
    fingerprints = {
        fingerprint_exception(raised(RECURSE, f"f({depth})")) for depth in (2, 3, 50, 300)
    }
    assert len(fingerprints) == 1


def test_a_million_frames_are_only_walked_past(monkeypatch):
    looked_at = []
    is_app_code = fingerprint.is_app_code
    monkeypatch.setattr(
        fingerprint, "is_app_code", lambda *args: looked_at.append(args) or is_app_code(*args)
    )

    class Entry:
        tb_lineno = 1
        tb_next = None
        tb_frame = sys._getframe()

    first = entry = Entry()
    for _ in range(1_000_000):
        entry.tb_next = Entry()
        entry = entry.tb_next
    monkeypatch.setattr(fingerprint, "traceback_of", lambda exc: first)
    started = time.perf_counter()
    fingerprint_exception(ValueError())
    assert time.perf_counter() - started < 5
    assert len(looked_at) == 1


@pytest.mark.parametrize("name", hostile.EXCEPTIONS)
def test_a_hostile_exception_has_one(name):
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint_exception(hostile.EXCEPTIONS[name]()))


class Group(Exception):
    """Of the backport's shape: its base class has this name, and there is an attribute."""

    __qualname__ = "BaseExceptionGroup"

    def __init__(self, *exceptions):
        super().__init__("several")
        self.exceptions = exceptions


def test_a_group_is_known_by_its_members_in_any_order_and_number():
    one, two = raised(DIVIDE), raised(DIVIDE, "f('')")
    assert fingerprint_exception(Group(one, two)) == fingerprint_exception(Group(two, one))
    again = raised(DIVIDE)
    assert fingerprint_exception(Group(one, again, two)) == fingerprint_exception(Group(one, two))
    assert fingerprint_exception(Group(one)) != fingerprint_exception(Group(two))


def test_the_message_of_a_group_does_not_count():
    one = raised(DIVIDE)
    taskgroup, nursery = Group(one), Group(one)
    taskgroup.args = ("unhandled errors in a TaskGroup",)
    nursery.args = ("Exceptions from Trio nursery",)
    assert fingerprint_exception(taskgroup) == fingerprint_exception(nursery)


def test_a_failure_of_ours_leaves_the_type(monkeypatch):
    def fail(*args):
        raise KeyError

    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(fingerprint, "_parts", fail)
    monkeypatch.setattr(fingerprint, "template_of", fail)
    assert fingerprint_exception(ValueError()) == fingerprint_exception(ValueError("x"))
    assert fingerprint_exception(ValueError()) != fingerprint_exception(KeyError())
    assert fingerprint_record(record("x"))


# Log records


def record(msg, *args, name="shop", func="checkout", **fields):
    made = logging.LogRecord(name, logging.ERROR, "/app/shop/views.py", 17, msg, args, None, func)
    vars(made).update(fields)
    return made


def test_the_arguments_of_a_record_do_not_count():
    assert fingerprint_record(record("no %s", 1)) == fingerprint_record(record("no %s", "x"))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("order 17 failed after 3.5 s", "order 4,711 failed after 12.25 s"),
        ("no user jane@example.com", "no user bob@example.org"),
        ("key 'a' is missing", "key 'b' is missing"),
        ('key "a" is missing', 'key "b c" is missing'),
        ("object at 0x7f00aa", "object at 0x7e11bb"),
        ("id 0b0e1d3c-6f3f-4b1c-9d1e-5c1c0e0f9a77", "id 1c1e1d3c-6f3f-4b1c-9d1e-5c1c0e0f9a78"),
        ("commit 3f2a91c2d05e", "commit 4a2b91c2d05f"),
        ("from 10.0.0.1", "from 192.168.17.4"),
        ("at 2026-10-05T03:14:15Z", "at 2026-11-25T13:14:15Z"),
    ],
)
def test_what_varies_in_a_message_does_not_count(one, two):
    assert fingerprint_record(record(one)) == fingerprint_record(record(two))


@pytest.mark.parametrize(
    "other",
    [record("no rates"), record("no rate", name="shop.x"), record("no rate", func="pay")],
    ids=["message", "logger", "function"],
)
def test_another_record_has_another_one(other):
    assert fingerprint_record(other) != fingerprint_record(record("no rate"))


TRACEBACK = """Unhandled
Traceback (most recent call last):
  File "/app/shop/views.py", line 17, in checkout
    pay()
  File "/app/shop/pay.py", line {line}, in {function}
    raise PayError(5)
shop.pay.PayError: {message}
"""


def test_a_traceback_that_came_as_text_counts_by_places_and_type():
    def of(**fields):
        return fingerprint_record(record(TRACEBACK.format(**fields)))

    first = of(line=5, function="pay", message="5")
    assert of(line=9, function="pay", message="order 6") == first
    assert of(line=5, function="refund", message="5") != first
    in_exc_text = record(
        "Unhandled",
        exc_text=TRACEBACK.format(line=5, function="pay", message="5").partition("\n")[2],
    )
    assert fingerprint_record(in_exc_text) == first


def test_a_structlog_event_is_known_by_its_event():
    assert fingerprint_record(record({"event": "no rate", "order": 1})) == fingerprint_record(
        record({"event": "no rate", "order": 2})
    )
    assert template_of(record({"event": "no rate"})) == "no rate"


@pytest.mark.parametrize("name", hostile.OBJECTS)
def test_anything_may_be_logged(name):
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint_record(record(hostile.OBJECTS[name]())))
