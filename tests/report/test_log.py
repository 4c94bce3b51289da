"""What is kept of a log record while nothing has failed, and what a report shows of it."""

from __future__ import annotations

import logging
import sys
import tracemalloc
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.log import KEPT_CHARS, SHOWN_CHARS, line_of, log_lines
from errormail.report.redact import DEFAULT_REDACTOR


def record(msg: object, *args: object, **fields: object) -> logging.LogRecord:
    return logging.LogRecord("shop.orders", logging.INFO, "f.py", 1, msg, args, None)


def message(msg: object, *args: object) -> str:
    return line_of(record(msg, *args), 1).message


class Query:
    """As Django's querysets: looked at, it asks the database."""

    def __init__(self):
        self.asked = 0

    def __repr__(self):
        self.asked += 1
        return "<QuerySet [rows]>"


Query.__name__ = Query.__qualname__ = "QuerySet"


class Broken:
    def __str__(self):
        raise SystemExit("no text")


class Loud:
    """Logs while it is formatted, itself among the arguments."""

    calls = 0

    def __str__(self):
        Loud.calls += 1
        line_of(record("formatting %s", self), 1)
        return "loud"


@pytest.mark.parametrize(
    ("msg", "args", "text"),
    [
        ("plain", (), "plain"),
        ("100%", (), "100%"),
        ("%s of %d, %.1f", ("A-1", 42, 0.5), "A-1 of 42, 0.5"),
        ("%(a)s and %(b)d", ({"a": "x", "b": 2},), "x and 2"),
        ("%s", ({"a": 1},), "{'a': 1}"),
        ("%r", (["x"],), "['x']"),
        ("%s", (ValueError("no rate"),), "no rate"),
        ("%s", (b"bytes",), "b'bytes'"),
        ({"event": "order placed", "order": 7}, (), "order placed"),
        (ValueError("as a message"), (), "as a message"),
    ],
    ids=[
        "plain",
        "percent",
        "usual",
        "names",
        "dict",
        "list",
        "exc",
        "bytes",
        "structlog",
        "object",
    ],
)
def test_a_message_is_formatted_as_logging_does(msg, args, text):
    assert message(msg, *args) == text


@pytest.mark.parametrize(
    ("msg", "args"),
    [("%d", ("x",)), ("%s %s", (1,)), ("%s", (Broken(),)), ("%(a)s", ({"b": 1},)), ("%", (1,))],
    ids=["type", "number", "str", "name", "template"],
)
def test_arguments_that_do_not_fit_leave_the_template(msg, args):
    assert message(msg, *args) == msg


def test_what_would_ask_a_database_shows_as_its_type():
    query = Query()
    assert "QuerySet" in message("orders: %s", query)
    assert "QuerySet" in message("orders: %r", [query])
    assert query.asked == 0


def test_an_argument_that_logs_while_it_is_formatted_ends():
    assert message("got %s", Loud()) == "got loud"
    assert Loud.calls == 1


def test_a_record_of_the_program_s_own_class_formats_itself():
    class Braces(logging.LogRecord):
        def getMessage(self):  # noqa: N802 -- logging's name
            return self.msg.format(*self.args)

    own = Braces("x", logging.INFO, "f.py", 1, "{} of {}", (1, 2), None)
    assert line_of(own, 1).message == "1 of 2"


@pytest.mark.parametrize(
    "args",
    [
        ("x" * 50_000_000,),
        (["y"] * 3_000_000,),
        ({"rows": list(range(1_000_000))},),
        (dict.fromkeys(range(300_000), "z"),),
        (b"z" * 50_000_000,),
    ],
    ids=["text", "list", "nested", "dict", "bytes"],
)
def test_a_giant_is_not_formatted_as_a_whole(args):
    tracemalloc.start()
    line = line_of(record("got %s", *args), 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert len(line.message) <= KEPT_CHARS


def test_nothing_of_the_record_is_kept_alive():
    argument = Query()
    references = sys.getrefcount(argument)
    line = line_of(record("got %s", argument), 1)
    assert sys.getrefcount(argument) == references
    assert line.logger == "shop.orders"


def test_attributes_that_are_missing_or_wrong_cost_nothing_else():
    own = record("hello")
    own.name, own.levelname, own.created = b"x", None, "never"  # type: ignore[assignment]
    (line,) = log_lines([line_of(own, 1)], DEFAULT_REDACTOR, DEFAULT_LIMITS)
    assert (line.at, line.level, line.logger, line.message) == (0.0, "", "", "hello")


def lines_of(*messages):
    return [line_of(record(text), number) for number, text in enumerate(messages, 1)]


def test_lines_are_redacted_by_the_report_s_redactor():
    redactor = DEFAULT_REDACTOR.with_values(["Tr0ub4dor-and-3"])
    lines = lines_of("login with Tr0ub4dor-and-3", "password=hunter2hunter2")
    shown = log_lines(lines, redactor, DEFAULT_LIMITS)
    assert [line.message for line in shown] == ["login with [redacted]", "password=[redacted]"]


@given(st.integers(0, 900))
def test_no_part_of_a_secret_survives_where_a_message_was_cut(begin):
    """Percent-encoded it is so long that it begins among what is shown and ends beyond what was kept."""
    secret = "".join(chr(0x4E00 + number) for number in range(250))
    redactor = DEFAULT_REDACTOR.with_values([secret])
    lines = lines_of("." * begin + quote(secret) + "." * 500)
    (line,) = log_lines(lines, redactor, DEFAULT_LIMITS)
    assert "%E4" not in line.message


def test_a_long_message_is_cut_and_says_so():
    (line,) = log_lines(lines_of("word " * 1_000), DEFAULT_REDACTOR, DEFAULT_LIMITS)
    assert len(line.message) <= SHOWN_CHARS
    assert line.message.endswith("...")


def test_the_last_lines_are_shown_oldest_first():
    lines = lines_of("one", "two", "three", "four")
    shown = log_lines(lines, DEFAULT_REDACTOR, Limits(log_lines=2))
    assert [line.message for line in shown] == ["three", "four"]


def test_all_lines_together_are_bounded():
    shown = log_lines(lines_of(*["é" * 900] * 40), DEFAULT_REDACTOR, Limits(log_bytes=4_000))
    assert len(shown) == 2
