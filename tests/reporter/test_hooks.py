"""SECTIONS, `sections=` and BEFORE_SEND: the program's own code in the making of a report."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errormail
from errormail import ImproperlyConfigured, conf
from errormail.report.limits import Limits
from errormail.report.model import REDACTED, Report, Request, Runtime, Section, Variable
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.redacted import redacted_report
from errormail.reporter import Failure, report
from errormail.reporter.hooks import apply_before_send, with_sections

EMPTY = Report(
    exception=None,
    message="it failed",
    level="ERROR",
    logger="",
    call_site="",
    stack="",
    extra=(),
    context=(),
    request=None,
    runtime=Runtime(host="", pid=1, process="", thread="", task="", python="", platform=""),
    service="",
    environment="",
    release="",
    occurred_at=0.0,
    fingerprint="0" * 12,
)
LIMITS = Limits(section_rows=3)


def order_facts(report):
    return {"order": 42, "state": "paid"}


def of(hook, redactor=DEFAULT_REDACTOR, limits=LIMITS):
    return with_sections(EMPTY, [hook], redactor=redactor, limits=limits)


def rows(section):
    return [(row.name, row.value) for row in section.rows]


def before_send(hook):
    return apply_before_send(
        EMPTY, hook, lambda changed: redacted_report(changed, DEFAULT_REDACTOR)
    )


# Sections


def test_a_function_adds_a_section_that_is_called_like_it():
    (section,) = of(order_facts).sections
    assert section.title == "Order facts"
    assert rows(section) == [("order", "42"), ("state", "paid")]


def test_a_title_of_its_own_goes_before_the_name():
    def facts(report):
        return [("a", 1)]

    facts.title = "Of the order"
    assert of(facts).sections[0].title == "Of the order"
    assert of(lambda report: {"a": 1}).sections[0].title == "More"


@pytest.mark.parametrize(
    "result",
    [
        {"a": 1, "b": "two"},
        [("a", 1), ("b", "two")],
        (("a", 1), ["b", "two"]),
        Section(title="X", rows=(Variable(name="a", value="1"), Variable(name="b", value="two"))),
        [Variable(name="a", value="1"), Variable(name="b", value="two")],
    ],
    ids=["mapping", "pairs", "lists", "section", "variables"],
)
def test_rows_come_in_several_shapes(result):
    assert rows(of(lambda report: result).sections[0]) == [("a", "1"), ("b", "two")]


def test_rows_can_come_out_of_a_generator():
    def facts(report):
        yield "message", report.message

    assert rows(of(facts).sections[0]) == [("message", "it failed")]


def test_several_sections_can_be_returned():
    two = [Section(title=t, rows=(Variable(name="a", value=t),)) for t in ("One", "Two")]
    assert [each.title for each in of(lambda report: two).sections] == ["One", "Two"]


@pytest.mark.parametrize("result", [None, {}, [], Section(title="X", rows=())], ids=repr)
def test_nothing_to_say_is_no_section(result):
    found = of(lambda report: result)
    assert (found.sections, found.notes) == ((), ())


@pytest.mark.parametrize(
    "result",
    [
        5,
        "text",
        b"bytes",
        [1],
        ["ab", 5],
        [("a",)],
        object(),
        [("a", 1), Section(title="", rows=())],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_rows_costs_a_note(result):
    found = of(lambda report: result)
    if result != ["ab", 5]:
        assert found.sections == ()
    assert len(found.notes) == 1
    assert "is missing" in found.notes[0]


@pytest.mark.parametrize(
    "error", [KeyError("secret text"), SystemExit("secret text"), MemoryError()]
)
def test_a_section_that_fails_costs_a_note_and_not_the_others(error):
    def broken(report):
        raise error

    found = with_sections(EMPTY, [broken, order_facts], redactor=DEFAULT_REDACTOR, limits=LIMITS)
    assert [each.title for each in found.sections] == ["Order facts"]
    assert found.notes == (
        f"The section 'Broken' is missing: {type(error).__name__} in its function.",
    )


def test_a_generator_that_fails_midway_costs_a_note():
    def facts(report):
        yield "a", 1
        raise KeyError

    assert "KeyError" in of(facts).notes[0]


@pytest.mark.parametrize(
    ("result", "more"),
    [
        ({str(number): number for number in range(10)}, "7 more"),
        ([(str(number), number) for number in range(10)], "more"),
        (Section(title="X", rows=(Variable(name="a", value="b"),) * 5), "2 more"),
    ],
    ids=["mapping", "pairs", "section"],
)
def test_rows_are_bounded_and_what_is_left_out_is_said(result, more):
    section = of(lambda report: result).sections[0]
    assert len(section.rows) == 4
    assert rows(section)[-1] == ("...", more)


def test_endless_rows_end():
    section = of(lambda report: ((str(number), number) for number in itertools.count())).sections[0]
    assert len(section.rows) == 4


def test_values_are_redacted_and_bounded():
    def facts(report):
        return {
            "password": "hunter2hunter2",
            "url": "https://u:geheim99@host/",
            "big": "x" * 10_000,
        }

    section = of(facts).sections[0]
    assert rows(section)[0] == ("password", REDACTED)
    assert "geheim99" not in rows(section)[1][1]
    assert len(rows(section)[2][1]) <= 4_096


def test_the_secrets_of_the_request_are_hidden_in_sections_too():
    redactor = DEFAULT_REDACTOR.with_values(["Tr0ub4dor-and-3"])
    found = of(lambda report: [("Tr0ub4dor-and-3", "is Tr0ub4dor-and-3")], redactor)
    assert "Tr0ub4dor" not in str(found.sections)


def test_objects_are_described_without_being_evaluated():
    class QuerySet:
        def __repr__(self):
            raise AssertionError("asked")

    assert rows(of(lambda report: {"orders": QuerySet()}).sections[0])[0][1].startswith("<")


# BEFORE_SEND


def test_the_same_report_goes_on_as_it_is():
    assert before_send(lambda report: report) is EMPTY
    assert apply_before_send(EMPTY, None, None) is EMPTY


def test_none_drops_it():
    assert before_send(lambda report: None) is None


def test_a_changed_report_goes_on_redacted():
    def change(report):
        request = Request(method="GET", url="https://u:geheim99@host/", path="/")
        extra = (Variable(name="password", value="hunter2hunter2"),)
        return replace(report, message="token=abcdefgh1234", request=request, extra=extra)

    changed = before_send(change)
    assert changed.message == f"token={REDACTED}"
    assert changed.extra == (Variable(name="password", value=REDACTED),)
    assert "geheim99" not in changed.request.url
    assert changed.notes == ()


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40))
def test_no_secret_comes_back_by_the_hook(secret):
    redactor = DEFAULT_REDACTOR.with_values([secret])
    if redactor.text(secret) == secret:  # a common word
        return

    def change(report):
        row = Variable(name="x", value=f"<{secret}>")
        return replace(
            report, message=secret, context=(row,), sections=(Section(title=secret, rows=(row,)),)
        )

    changed = apply_before_send(EMPTY, change, lambda each: redacted_report(each, redactor))
    assert secret not in str(changed)


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(3), RecursionError()])
def test_a_hook_that_fails_changes_nothing_and_a_note_says_so(error):
    def fails(report):
        raise error

    found = before_send(fails)
    assert replace(found, notes=()) == EMPTY
    assert found.notes == (
        f"BEFORE_SEND failed with {type(error).__name__}: the report is as it was before.",
    )


@pytest.mark.parametrize("result", [True, False, "text", {}, 5], ids=repr)
def test_a_result_that_is_no_report_changes_nothing_and_a_note_says_so(result):
    found = before_send(lambda report: result)
    assert replace(found, notes=()) == EMPTY
    assert f"BEFORE_SEND returned {type(result).__name__}" in found.notes[0]


@pytest.mark.parametrize(
    "fields",
    [{"message": 5}, {"context": ["x"]}, {"context": (("a", "b"),)}, {"runtime": None}],
    ids=str,
)
def test_a_report_that_is_none_inside_changes_nothing(fields, monkeypatch):
    monkeypatch.setattr("errormail._contain.strict", False)
    found = before_send(lambda report: replace(report, **fields))
    assert replace(found, notes=()) == EMPTY
    assert "could not be redacted" in found.notes[0]


# In the way of a failure


@pytest.fixture
def mailed(monkeypatch):
    """What is handed over, in place of its mail."""
    found = []
    monkeypatch.setattr(
        "errormail.reporter.hand_over", lambda job: found.append(job.report) or True
    )
    with conf.override_settings(ADMINS=["ops@example.com"]):
        yield found


def caught():
    try:
        raise ValueError("no rate")
    except ValueError as error:
        return error


def test_settings_and_doors_add_sections(mailed):
    def of_the_door(report):
        return {"type": report.exception.type_name}

    def app(environ, start_response):
        raise ValueError("no rate")

    middleware = errormail.wsgi.ErrorReportMiddleware(app, sections=[of_the_door])
    with conf.override_settings(SECTIONS=[order_facts]):
        with pytest.raises(ValueError, match="no rate"):
            middleware({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
        report(Failure(exc=caught()))
    assert [each.title for each in mailed[0].sections] == ["Order facts", "Of the door"]
    assert rows(mailed[0].sections[1]) == [("type", "ValueError")]
    assert [each.title for each in mailed[1].sections] == ["Order facts"]


def test_a_handler_adds_sections_by_dotted_path(mailed):
    import logging

    handler = errormail.AdminEmailHandler(sections=("reprlib.repr", "json.loads"))
    handler.handle(logging.makeLogRecord({"levelno": 40, "levelname": "ERROR", "msg": "x"}))
    assert len(mailed[0].notes) == 2


@pytest.mark.parametrize("door", ["handler", "wsgi", "flask"])
@pytest.mark.parametrize(
    "given", [["no.such.function"], [5], order_facts], ids=["path", "int", "bare"]
)
def test_a_door_refuses_what_is_no_section(door, given):
    make = {
        "handler": lambda: errormail.AdminEmailHandler(sections=given),
        "wsgi": lambda: errormail.wsgi.ErrorReportMiddleware(None, sections=given),
        "flask": lambda: errormail.flask.ErrorMail(sections=given),
    }[door]
    with pytest.raises(ImproperlyConfigured, match=re.escape("sections: expected callables")):
        make()


def test_before_send_drops_a_failure_once_and_for_all(mailed):
    asked = []

    def drop(report):
        asked.append(report)

    def app(environ, start_response):
        try:
            raise ValueError("no rate")
        except ValueError:
            errormail.report_exception()
            errormail.report_exception()
        start_response("500 Oh", [])
        return []

    with conf.override_settings(BEFORE_SEND=drop):
        errormail.wsgi.ErrorReportMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *_: None)
    assert mailed == []
    assert len(asked) == 1


def test_before_send_sees_sections_and_changes_what_is_mailed(mailed):
    def change(report):
        assert report.sections
        return replace(report, sections=(), service="other")

    with conf.override_settings(BEFORE_SEND=change, SECTIONS=[order_facts]):
        report(Failure(exc=caught()))
    assert (mailed[0].service, mailed[0].sections) == ("other", ())
    assert mailed[0].exception.frames


def test_a_report_made_inside_a_hook_is_none(mailed):
    def nested(each):
        assert not report(Failure(exc=KeyError()))
        return each

    with conf.override_settings(BEFORE_SEND=nested):
        assert report(Failure(exc=caught()))
    assert len(mailed) == 1
