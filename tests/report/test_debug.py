"""Reporter and filter classes as a program subclasses them, and what happens when they fail."""

from __future__ import annotations

import io
import re
import shlex
import sys
import types

import flask
import pytest
from django.test import RequestFactory
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from actors.frameworks import set_up_django
from errormail import _contain
from errormail.conf import configure, override_settings
from errormail.report import debug, filtering
from errormail.report.capture import capture
from errormail.report.debug import (
    ExceptionReporter,
    SafeExceptionReporterFilter,
    filter_options,
    get_exception_reporter_class,
    get_exception_reporter_filter,
)
from errormail.report.decorators import sensitive_post_parameters, sensitive_variables
from errormail.report.model import REDACTED
from errormail.report.options import CaptureOptions
from errormail.report.request import RequestSource, capture_request

set_up_django()

SECRET = "correct-horse-battery"


@pytest.fixture(autouse=True)
def _told(monkeypatch):
    monkeypatch.setattr(filtering, "_told", set())


def failure(function):
    """Return what *function* raises."""
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("it did not raise")


@sensitive_variables("answer")
def ask(answer, amount=42, apple="red-delicious"):
    raise LookupError("nothing there")


def asked():
    return failure(lambda: ask(SECRET))


def posted(**data):
    """A Werkzeug request whose form was parsed, and in which "answer" is declared."""
    builder = EnvironBuilder(
        path="/reset", method="POST", data=data or {"answer": SECRET, "note": "hello"}
    )
    environ = builder.get_environ()
    builder.close()
    environ["HTTP_COOKIE"] = f"sessionid={SECRET}-2"
    environ["HTTP_X_FRUIT"] = "red-delicious"
    request = WerkzeugRequest(environ)
    assert request.form
    sensitive_post_parameters("answer")(lambda request: None)(request)
    return request


def reporter(exc=None, request=None, cls=ExceptionReporter):
    exc = exc or asked()
    return cls(request, type(exc), exc, exc.__traceback__, is_email=True)


def ordinary(exc, request=None):
    """Return the report that the doors make: by way of `filter_options`."""
    options = filter_options(request)
    redactor = options.redactor
    captured = None
    if request is not None:
        captured = capture_request(request, redactor=redactor, declared=options.declared)
        redactor = captured.redactor
    report = capture(
        exc=exc,
        request=captured and captured.request,
        redactor=redactor,
        fingerprint="0" * 12,
        now=0.0,
        options=CaptureOptions(declared=options.declared, frame_variables=options.frame_variables),
    )
    return options.finish(report, redactor)


def variables(report, function="ask"):
    (frame,) = [frame for frame in report.exception.frames if frame.function.endswith(function)]
    return {each.name: each.value for each in frame.variables}


# The reporter.


@pytest.mark.row("R12")
def test_a_reporter_makes_text_and_html():
    made = reporter(request=posted())
    for text in (made.get_traceback_text(), made.get_traceback_html()):
        assert "LookupError" in text
        assert "nothing there" in text
        assert "/reset" in text
        assert SECRET not in text
    assert made.is_email is True


@pytest.mark.row("R12")
def test_the_html_has_no_script_no_form_and_nothing_folded_away():
    html = reporter(request=posted()).get_traceback_html()
    assert re.findall(r"<(script|form|details)\b", html) == []
    assert "red-delicious" in html


@pytest.mark.row("R11")
def test_a_reporter_of_a_message_alone():
    text = ExceptionReporter(None, None, "only a message", None).get_traceback_text()
    assert "only a message" in text
    assert ExceptionReporter(None, None, None, None).get_traceback_text()


def test_the_traceback_that_is_given_counts_where_the_exception_has_none():
    error = asked()
    tb, error.__traceback__ = error.__traceback__, None
    report = ExceptionReporter(None, LookupError, error, tb).report
    assert variables(report)["amount"] == "42"


@pytest.mark.row("R10")
def test_the_data_for_ones_own_templates_has_view_and_settings():
    app = flask.Flask(__name__)
    seen = []

    @app.route("/orders")
    def order():
        seen.append(reporter(request=flask.request).get_traceback_data())
        return ""

    with override_settings(EMAIL_HOST_PASSWORD=SECRET, SERVICE="shop"):
        app.test_client().get("/orders?page=2")
    (data,) = seen
    assert data["raising_view_name"] == "order"
    assert data["settings"]["SERVICE"] == "shop"
    assert data["settings"]["EMAIL_HOST_PASSWORD"] == REDACTED
    assert data["request_GET_items"] == [("page", "2")]
    assert data["exception_type"] == "LookupError"
    assert data["exception_value"] == "nothing there"
    assert data["lastframe"].function.endswith("ask")
    assert SECRET not in repr(data)


def test_the_data_without_a_request_and_an_exception_is_empty():
    data = ExceptionReporter(None, None, "a message", None).get_traceback_data()
    assert (data["exception_type"], data["frames"], data["raising_view_name"]) == (None, (), "")


# The filter by itself.


@pytest.mark.row("X7")
def test_a_filter_cleanses_settings_at_any_depth_and_calls_nothing():
    def explode():
        raise AssertionError("called")

    own = SafeExceptionReporterFilter()
    value = {"a": [{"API_KEY": SECRET, "b": ({"password": SECRET},)}], "f": explode}
    cleansed = own.cleanse_setting("X", value)
    assert cleansed == {"a": [{"API_KEY": REDACTED, "b": ({"password": REDACTED},)}], "f": explode}
    assert own.cleanse_setting("SECRET_KEY", {"a": 1}) == REDACTED
    assert own.cleanse_setting("sessionid", "x") == REDACTED
    assert own.cleanse_setting(3, "x") == "x"
    value["self"] = value
    assert SECRET not in repr(own.cleanse_setting("X", value))


@pytest.mark.row("X2")
def test_a_callable_among_the_settings_is_not_called():
    def token():
        raise AssertionError("called")

    with override_settings(EMAIL_OAUTH2_TOKEN=token, ADMINS=token):
        safe = SafeExceptionReporterFilter().get_safe_settings()
    assert safe["EMAIL_OAUTH2_TOKEN"] == REDACTED
    assert safe["ADMINS"] is token


def test_a_filter_gives_meta_cookies_and_form_without_secrets():
    own = SafeExceptionReporterFilter()
    request = posted()
    meta = own.get_safe_request_meta(request)
    assert meta["HTTP_COOKIE"] == REDACTED
    assert meta["HTTP_X_FRUIT"] == "red-delicious"
    assert own.get_safe_cookies(request) == {"sessionid": REDACTED}
    assert own.get_post_parameters(request) == {"answer": REDACTED, "note": "hello"}
    scope = {"type": "http", "headers": [(b"x-fruit", b"apple"), (b"authorization", b"x")]}
    assert own.get_safe_request_meta(scope) == {
        "HTTP_X_FRUIT": "apple",
        "HTTP_AUTHORIZATION": REDACTED,
    }


def test_a_filter_without_a_request_gives_nothing():
    own = SafeExceptionReporterFilter()
    assert own.get_safe_request_meta(None) == {}
    assert own.get_safe_cookies(None) == {}
    assert own.get_post_parameters(None) == {}


@pytest.mark.row("X6")
def test_declared_fields_and_variables_are_hidden_only_while_debug_is_off():
    own, request, error = SafeExceptionReporterFilter(), posted(), asked()
    frame = error.__traceback__.tb_next.tb_next.tb_frame
    assert dict(own.get_traceback_frame_variables(request, frame))["answer"] == REDACTED
    with override_settings(DEBUG=True):
        assert not own.is_active(request)
        assert own.get_post_parameters(request)["answer"] == SECRET
        assert dict(own.get_traceback_frame_variables(request, frame))["answer"] == SECRET
        assert own.get_safe_request_meta(request)["HTTP_COOKIE"] == REDACTED


@pytest.mark.row("X4")
def test_forms_among_the_variables_lose_their_declared_fields():
    request = posted()

    def view():
        form = request.form
        raise LookupError(form["missing"])

    own = SafeExceptionReporterFilter()
    frame = failure(view).__traceback__.tb_next.tb_frame
    shown = dict(own.get_traceback_frame_variables(request, frame))
    assert SECRET not in repr(shown["form"])
    assert "hello" in repr(shown["form"])
    with override_settings(DEBUG=True):
        assert own.cleanse_special_types(request, request.form) is request.form


@pytest.mark.row("X6")
def test_a_report_honours_the_decorators_while_debug_is_off():
    assert variables(ordinary(asked()))["answer"] == REDACTED
    with override_settings(DEBUG=True):
        assert SECRET in variables(ordinary(asked()))["answer"]


@pytest.mark.row("X3", "X4")
def test_what_is_declared_of_a_request_is_gone_from_the_locals_too():
    def view(request):
        copy = {"answer": SECRET}
        note = f"it is {SECRET}"
        raise LookupError(copy, note)

    request = posted()
    report = ordinary(failure(lambda: view(request)), request)
    assert SECRET not in repr(report)


# A filter of one's own in the ordinary report.


class FruitFilter(SafeExceptionReporterFilter):
    cleansed_substitute = "<gone>"
    hidden_settings = re.compile("APPLE|FRUIT", re.IGNORECASE)


@pytest.mark.row("X7")
def test_hidden_settings_and_substitute_of_a_filter_hold_for_the_whole_report():
    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=FruitFilter):
        report = ordinary(asked(), posted(pineapple="red-delicious", password=SECRET, note="x"))
    assert variables(report)["apple"] == "<gone>"
    assert {each.name: each.value for each in report.request.form} == {
        "pineapple": "<gone>",
        "password": "<gone>",
        "note": "x",
    }
    assert {each.name: each.value for each in report.request.headers}["X-Fruit"] == "<gone>"
    assert REDACTED not in repr(report)
    assert SECRET not in repr(report)


@pytest.mark.row("X7")
def test_the_curl_line_says_what_a_filter_lets_it_say():
    class Own(SafeExceptionReporterFilter):
        def get_post_parameters(self, request):
            return {}

    class Quoted(SafeExceptionReporterFilter):
        cleansed_substitute = "it's gone"

    source = RequestSource(request=posted(note="x"), body=b"note=x", body_size=6)
    assert "note=x" in ordinary(asked(), source).request.curl
    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=Own):
        assert ordinary(asked(), source).request.curl == ""
    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=Quoted):
        words = shlex.split(ordinary(asked(), source).request.curl)
    assert any(word.endswith("it's gone") for word in words)


@pytest.mark.row("X7")
def test_a_filter_that_overrides_cleanse_setting_hides_by_it():
    class Own(SafeExceptionReporterFilter):
        def cleanse_setting(self, key, value):
            return (
                self.cleansed_substitute if key == "amount" else super().cleanse_setting(key, value)
            )

    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=Own):
        shown = variables(ordinary(asked()))
    assert shown["amount"] == REDACTED
    assert shown["apple"] == "'red-delicious'"


@pytest.mark.row("X7")
def test_a_filter_makes_variables_form_and_headers():
    class Own(SafeExceptionReporterFilter):
        def get_traceback_frame_variables(self, request, tb_frame):
            shown = super().get_traceback_frame_variables(request, tb_frame)
            return [(name, "mine" if name == "amount" else value) for name, value in shown]

        def get_post_parameters(self, request):
            return {**super().get_post_parameters(request), "more": [1], "password": SECRET}

        def get_safe_request_meta(self, request):
            return {"HTTP_X_OWN": "1", "HTTP_COOKIE": SECRET, "wsgi.input": 3}

    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=Own):
        report = ordinary(asked(), posted())
    shown = variables(report)
    assert (shown["amount"], shown["answer"]) == ("'mine'", REDACTED)
    assert [(each.name, each.value) for each in report.request.form] == [
        ("answer", REDACTED),
        ("note", "hello"),
        ("more", "[1]"),
        ("password", REDACTED),
    ]
    assert [(each.name, each.value) for each in report.request.headers] == [("X-Own", "1")]


@pytest.mark.row("X7")
def test_a_filter_switches_the_decorators_off_or_on():
    class Off(SafeExceptionReporterFilter):
        def is_active(self, request):
            return False

    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=Off):
        assert filter_options(None).declared is False
        assert SECRET in variables(ordinary(asked()))["answer"]


def test_the_default_filter_changes_nothing():
    options = filter_options(RequestSource(request=posted()))
    assert options.frame_variables is None
    assert (options.form, options.headers, options.substitute) == (None, None, REDACTED)
    assert not options.redactor.hides("keyboard")


def test_djangos_own_filter_can_be_named():
    with override_settings(
        DEFAULT_EXCEPTION_REPORTER_FILTER="django.views.debug.SafeExceptionReporterFilter"
    ):
        options = filter_options(None)
        assert options.declared is True
        assert options.frame_variables is None
        assert options.substitute == "*" * 20


# For one request.


class OwnReporter(ExceptionReporter):
    def get_traceback_text(self):
        return "my own"


def requests_with(name, value):
    django_request = RequestFactory().get("/")
    setattr(django_request, name, value)
    werkzeug_request = WerkzeugRequest(EnvironBuilder().get_environ())
    setattr(werkzeug_request, name, value)
    by_class = type("Request", (WerkzeugRequest,), {name: value})(EnvironBuilder().get_environ())
    return [django_request, werkzeug_request, by_class]


@pytest.mark.row("R13")
def test_a_request_has_a_reporter_class_of_its_own():
    for request in requests_with("exception_reporter_class", OwnReporter):
        assert get_exception_reporter_class(request) is OwnReporter
    assert get_exception_reporter_class(posted()) is ExceptionReporter
    assert get_exception_reporter_class(None) is ExceptionReporter
    assert get_exception_reporter_class(object()) is ExceptionReporter


@pytest.mark.row("R13")
@pytest.mark.parametrize("value", [FruitFilter, FruitFilter()])
def test_a_request_has_a_filter_of_its_own(value):
    for request in requests_with("exception_reporter_filter", value):
        assert isinstance(get_exception_reporter_filter(request), FruitFilter)
        assert isinstance(reporter(request=request).filter, FruitFilter)
        assert filter_options(request).redactor.hides("apple")
    assert type(get_exception_reporter_filter(posted())) is SafeExceptionReporterFilter


@pytest.mark.row("R13")
def test_the_settings_name_the_classes_by_class_or_path(monkeypatch):
    module = types.ModuleType("own_reports")
    module.Reporter, module.Filter = OwnReporter, FruitFilter
    monkeypatch.setitem(sys.modules, "own_reports", module)
    configure(
        DEFAULT_EXCEPTION_REPORTER="own_reports.Reporter",
        DEFAULT_EXCEPTION_REPORTER_FILTER="own_reports.Filter",
    )
    assert get_exception_reporter_class(None) is OwnReporter
    assert type(get_exception_reporter_filter(None)) is FruitFilter
    configure(DEFAULT_EXCEPTION_REPORTER=OwnReporter)
    assert get_exception_reporter_class(None) is OwnReporter


# Broken ones.


class Refused(BaseException):
    pass


class BrokenFilter(SafeExceptionReporterFilter):
    def __init__(self):
        raise Refused


class FailingFilter(SafeExceptionReporterFilter):
    @property
    def cleansed_substitute(self):
        raise Refused

    def is_active(self, request):
        raise Refused

    def cleanse_setting(self, key, value):
        raise Refused

    def get_traceback_frame_variables(self, request, tb_frame):
        raise Refused

    def get_post_parameters(self, request):
        raise Refused

    def get_safe_request_meta(self, request):
        raise Refused


@pytest.mark.row("X7")
def test_a_filter_whose_methods_fail_costs_values_and_not_the_report():
    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=FailingFilter):
        report = ordinary(asked(), posted())
    assert report.exception.type_name == "LookupError"
    assert set(variables(report).values()) == {REDACTED}
    assert report.request.form == ()
    assert report.request.headers == ()


@pytest.mark.parametrize("broken", [BrokenFilter, "no.such.Filter", "nonsense", 3])
def test_a_filter_that_cannot_be_made_gives_way_to_the_default(broken, capsys):
    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=broken):
        for _ in range(2):
            own = get_exception_reporter_filter(None)
    assert type(own) is SafeExceptionReporterFilter
    assert capsys.readouterr().err.count("errormail: exception reporter filter failed") == 1


@pytest.mark.parametrize("broken", ["no.such.Reporter", 3])
def test_a_reporter_class_that_cannot_be_had_gives_way_to_the_default(broken):
    request = posted()
    request.exception_reporter_class = broken
    assert get_exception_reporter_class(request) is ExceptionReporter
    with override_settings(DEFAULT_EXCEPTION_REPORTER=broken):
        assert get_exception_reporter_class(None) is ExceptionReporter


def test_a_broken_filter_of_a_request_gives_way_to_that_of_the_settings():
    request = posted()
    request.exception_reporter_filter = BrokenFilter
    with override_settings(DEFAULT_EXCEPTION_REPORTER_FILTER=FruitFilter):
        assert type(get_exception_reporter_filter(request)) is FruitFilter


def test_nothing_of_a_failure_but_type_and_place_is_said(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)

    def fail():
        raise LookupError(SECRET)

    assert filtering.guarded("filter", fail, 1) == 1
    assert "LookupError at test_debug.py" in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert _contain.failures == {}


def test_the_public_names_are_there():
    for name in debug.__all__:
        assert hasattr(debug, name)
