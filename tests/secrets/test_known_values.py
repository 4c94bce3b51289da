"""What the request and the program itself hold as secret is hidden wherever it occurs, also under harmless names and coded."""

from __future__ import annotations

import base64
import json
import logging
import os
import warnings
from urllib.parse import quote, quote_plus, urlencode

import pytest

import errormail
from actors.doors import LOGGER, by_logging, by_report_exception, by_wsgi, environ, handling
from actors.mails import assert_valid, received
from errormail import conf, mail
from errormail.report.decorators import sensitive_post_parameters, sensitive_variables


class KnownError(Exception):
    pass


def fail(*values):
    soil = values
    beside = "in sight"
    raise KnownError(beside, len(soil))


CODED = {
    "plain": lambda value: value,
    "within": lambda value: f"it was {value}, they say",
    "glued": lambda value: f"a{value}b",
    "percent": lambda value: quote(value + "/ +", safe=""),
    "form": lambda value: quote_plus(value),
    "repr": lambda value: repr([value]),
    "JSON": json.dumps,
    "bytes": lambda value: value.encode(),
    "repr of bytes": lambda value: repr(value.encode()),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of more": lambda value: base64.b64encode(f"jane:{value}".encode()).decode(),
    "base64 of URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


@pytest.mark.parametrize("coded", list(CODED))
def test_a_cookie_s_value(coded, planted, only_mail):
    value = planted.value("cookie")
    held = CODED[coded](value)

    def view():
        fail({"harmless": held}, held)

    by_wsgi(view, HTTP_COOKIE=f"theme=dark; plain={value}")
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("coded", list(CODED))
def test_a_value_of_the_settings(coded, planted, only_mail):
    value = planted.value("settings")
    held = CODED[coded](value)
    with conf.override_settings(EMAIL_HOST_PASSWORD=value):
        by_report_exception(lambda: fail(held))
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("coded", list(CODED))
def test_a_value_of_the_environment(coded, planted, only_mail, monkeypatch):
    value = planted.value("environment")
    monkeypatch.setenv("SHOP_API_TOKEN", value)
    held = CODED[coded](value)
    by_report_exception(lambda: fail(held))
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("way", ["list", "callable"])
def test_a_value_of_secrets(way, planted, only_mail):
    value = planted.value("SECRETS")
    given = [value] if way == "list" else lambda: {"harmless": value, "password": value}
    with conf.override_settings(SECRETS=given):
        by_report_exception(lambda: fail(f"it was {value}"))
    assert "in sight" in only_mail().text


def test_the_password_of_a_mailer(planted, only_mail):
    value = planted.value("mailer")
    options = {"password": value}
    mailers = {
        "second": {"BACKEND": "errormail.mail.backends.smtp.EmailBackend", "OPTIONS": options}
    }
    with conf.override_settings(MAILERS=mailers):
        by_report_exception(lambda: fail(conf.settings, f"it was {value}", mailers))
    only_mail()


PLACES = {
    "a message": lambda value: errormail.report_exception(KnownError(f"no {value} here")),
    "a note": lambda value: errormail.report_exception(_noted(value)),
    "a record": lambda value: _log("no %s here", value),
    "a field": lambda value: _log("no", extra={"harmless": value}),
    "a subject": lambda value: _log(f"{value}: it broke"),
    "a local": lambda value: by_logging(lambda: fail(value)),
    "a bytes local": lambda value: by_logging(lambda: fail(f"<{value}>".encode())),
    "a key": lambda value: by_logging(lambda: fail({value: 1})),
    "the context": lambda value: errormail.report_exception(KnownError("a"), harmless=value),
    "a thread's name": lambda value: _in_a_thread(f"worker-{value}"),
}


def _noted(value):
    error = KnownError("noted")
    error.__notes__ = [f"no {value} here"]
    return error


def _log(*args, **more):
    with handling():
        logging.getLogger(LOGGER).error(*args, **more)


def _in_a_thread(name):
    import threading

    thread = threading.Thread(target=by_report_exception, args=(fail,), name=name)
    thread.start()
    thread.join()


@pytest.mark.parametrize("place", list(PLACES))
def test_a_known_value_in_a_place(place, planted, only_mail):
    value = planted.value("known")
    with conf.override_settings(SECRETS=[value]):
        PLACES[place](value)
    only_mail()


@pytest.mark.parametrize("place", list(PLACES))
def test_a_value_of_the_request_in_a_place(place, planted, only_mail):
    """While it is served: the door of logging knows the request at hand."""
    from errormail.wsgi import ErrorReportMiddleware

    if place == "a thread's name":
        pytest.skip("another thread has no request at hand")
    value = planted.value("session")

    def application(environ, start_response):
        PLACES[place](value)
        start_response("200 OK", [])
        return []

    made = environ(HTTP_COOKIE=f"sessionid={value}")
    list(ErrorReportMiddleware(application)(made, lambda status, headers, exc_info=None: None))
    only_mail()


def test_short_and_common_values_hide_nothing(only_mail, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "password")
    monkeypatch.setenv("SHOP_TOKEN", "a1")
    with conf.override_settings(SECRETS=["localhost", "in", "production"]):
        by_wsgi(
            lambda: fail("on localhost a1 in production"),
            HTTP_COOKIE="lang=en; theme=dark; consent=true",
        )
    assert "localhost a1 in" in " ".join(only_mail().text.split())


# Declared


def test_a_variable_that_is_declared(planted, only_mail):
    @sensitive_variables("harmless", "copied")
    def use():
        beside = "in sight"
        harmless = planted.value("declared")
        copied = [harmless]
        raise KnownError(beside, len(copied))

    by_logging(use)
    assert "in sight" in only_mail().text


def test_a_form_field_that_is_declared(planted, only_mail):
    import io

    value = planted.value("declared")
    body = urlencode({"answer": value, "note": "hello"}).encode()

    @sensitive_post_parameters("answer")
    def view(request):
        request["wsgi.input"].read()
        fail(f"it was {value}")

    from errormail.wsgi import ErrorReportMiddleware

    made = environ(
        CONTENT_TYPE="application/x-www-form-urlencoded",
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body)},
    )
    with pytest.raises(KnownError):
        ErrorReportMiddleware(lambda environ, start: view(environ))(made, None)
    assert "hello" in only_mail().text


def test_names_that_the_settings_declare(planted, only_mail):
    import re

    pairs = {name: planted.value(name) for name in ("flavour", "shade_of_blue")}
    with conf.override_settings(REDACT=["flavour", re.compile("^shade_")]):
        by_logging(lambda: fail(pairs, *[f"{name}={value}" for name, value in pairs.items()]))
    only_mail()


def test_names_that_the_settings_allow(only_mail):
    with conf.override_settings(REDACT_ALLOW=["sort_code"]):
        by_logging(lambda: fail({"sort_code": "to be read"}))
    assert "to be read" in only_mail().text


def test_only_listed_names_are_shown_in_the_mode_that_says_so(planted, only_mail):
    pairs = {name: planted.value(name) for name in ("flavour", "author", "order")}
    with conf.override_settings(REDACT_MODE="allowlist", REDACT_ALLOW=["beside"]):
        by_logging(lambda: fail(pairs))
    assert "in sight" in only_mail().text


# Requests of frameworks, as locals


def flask_request(planted):
    import flask

    app = flask.Flask("shop")
    made = framework_environ(planted)
    with app.request_context(made):
        request = flask.request._get_current_object()
    request.form  # noqa: B018 -- parsed by being looked at
    return request


def werkzeug_request(planted):
    from werkzeug.wrappers import Request

    request = Request(framework_environ(planted))
    request.form  # noqa: B018 -- parsed by being looked at
    request.cookies  # noqa: B018 -- the same
    return request


def django_request(planted):
    from actors.frameworks import set_up_django

    set_up_django()
    from django.core.handlers.wsgi import WSGIRequest

    request = WSGIRequest(framework_environ(planted))
    request.POST  # noqa: B018 -- parsed by being looked at
    request.COOKIES  # noqa: B018 -- the same
    return request


def starlette_request(planted):
    from starlette.requests import Request

    headers = [
        (b"cookie", f"sessionid={planted.value('cookie')}".encode()),
        (b"authorization", f"Bearer {planted.value('authorization')}".encode()),
        (b"x-api-key", planted.value("key").encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/pay",
        "query_string": f"token={planted.value('query')}".encode(),
        "headers": headers,
    }
    request = Request(scope)
    request.cookies  # noqa: B018 -- parsed by being looked at
    request.query_params  # noqa: B018 -- the same
    request._json = {"password": planted.value("JSON")}
    request._body = json.dumps(request._json).encode()  # as `await request.json()` leaves them
    return request


def webob_request(planted):
    from actors.frameworks import webob

    request = webob.Request(framework_environ(planted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        request.POST  # noqa: B018 -- parsed by being looked at
    return request


def framework_environ(planted):
    import io

    body = urlencode({"password": planted.value("form"), "note": "hello"}).encode()
    return environ(
        HTTP_COOKIE=f"theme=dark; sessionid={planted.value('cookie')}",
        HTTP_AUTHORIZATION=f"Bearer {planted.value('authorization')}",
        HTTP_X_API_KEY=planted.value("key"),
        QUERY_STRING=urlencode({"token": planted.value("query"), "page": 2}),
        CONTENT_TYPE="application/x-www-form-urlencoded",
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body)},
    )


FRAMEWORKS = {
    "flask": flask_request,
    "werkzeug": werkzeug_request,
    "django": django_request,
    "starlette": starlette_request,
    "webob": webob_request,
}


@pytest.mark.parametrize("name", list(FRAMEWORKS))
def test_a_request_object_as_a_local(name, planted, only_mail):
    """And all that one takes out of it: nobody has told us that it is the request."""
    request = FRAMEWORKS[name](planted)
    parts = [
        getattr(request, part, None)
        for part in ("headers", "form", "POST", "GET", "cookies", "COOKIES", "META", "environ")
    ]
    parts += [getattr(request, part, None) for part in ("args", "query_params", "scope", "_json")]
    by_logging(lambda: fail(request, [request], *parts))
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("name", list(FRAMEWORKS))
def test_a_request_object_that_is_given(name, planted, only_mail):
    """Then its values are known, and hidden wherever they occur."""
    request = FRAMEWORKS[name](planted)
    values = [value for values in planted.secrets.values() for value in values]
    try:
        fail(*values)
    except KnownError as error:
        errormail.report_exception(error, request=request)
    assert "in sight" in only_mail().text


def test_the_body_as_bytes_in_a_parser(planted, only_mail):
    value = planted.value("form")
    body = urlencode({"a": 1, "password": value, "b": 2}).encode()
    by_logging(lambda: fail(body, [body], bytearray(body), memoryview(body)))
    only_mail()


def test_a_server_s_log_of_the_query(planted, only_mail):
    """gunicorn and Sanic log the whole address: it is the subject then."""
    query = urlencode({"page": 2, "reset_token": planted.value("query")})
    _log("Error handling request GET /reset?%s", query)
    assert "page=2" in only_mail().text


def test_the_arguments_of_a_task(planted, only_mail):
    """Celery's and RQ's records hold them as fields."""
    data = {"id": "17", "args": "(1,)", "kwargs": {"password": planted.value("task")}}
    _log("Task shop.pay[17] raised", extra={"data": data, "kwargs": repr(data["kwargs"])})
    only_mail()


def test_the_environment_of_the_process_in_an_environ(planted, only_mail, monkeypatch):
    """wsgiref and uWSGI copy it into the environ of each request."""
    monkeypatch.setenv("SHOP_SETTING", planted.value("of the process"))
    made = {**os.environ}
    by_wsgi(lambda: fail(1), **made)
    only_mail()


def test_the_mails_of_one_test_are_as_many_as_its_crashes(planted):
    """The search of this folder looks at what was sent: it must be there."""
    by_logging(lambda: fail(planted.value("a")))
    (sent,) = mail.outbox
    assert_valid(received(sent))
    assert planted.leaks(received(sent)).keys() == {"a"}
