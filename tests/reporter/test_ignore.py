"""What makes no email: IGNORE, and what is no fault of any program."""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures
import io
import logging
import re
import socket
import sys
import threading

import pytest

import errormail
from errormail import conf
from errormail.reporter import Failure, ignore, report
from errormail.reporter.ignore import ignored_because, rules_of

ExceptionGroup = getattr(builtins, "ExceptionGroup", None)  # from Python 3.11 on
BaseExceptionGroup = getattr(builtins, "BaseExceptionGroup", None)
needs_groups = pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups")


class NotFoundError(LookupError):
    """The program's own."""


class Outer:
    class InnerError(Exception):
        pass


def why(failure, *rules, request=None):
    return ignored_because(failure, rules_of(conf.Settings(IGNORE=list(rules))), lambda: request)


def of(exc):
    return Failure(exc=exc)


def foreign(module, name, *bases):
    """Return a class as another package defines it."""
    return type(name, bases or (Exception,), {"__module__": module})


def raised_in(exc, *modules):
    """Return *exc* with a traceback through functions of *modules*, the first outermost."""
    run = None
    for module in reversed(modules):
        code = "def run():\n    " + ("inner()" if run else "raise exc")
        namespace = {"__name__": module, "inner": run, "exc": exc}
        exec(code, namespace)
        run = namespace["run"]
    try:
        run()
    except BaseException as error:
        return error


def environ(path):
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "wsgi.input": io.BytesIO(),
        "SERVER_NAME": "x",
    }


# What is no fault of the program


@pytest.mark.parametrize(
    "exc",
    [
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        concurrent.futures.CancelledError(),
        SystemExit(),
        SystemExit(0),
        foreign("starlette.requests", "ClientDisconnect")(),
        foreign("starlette.websockets", "WebSocketDisconnect")(),
        foreign("werkzeug.exceptions", "ClientDisconnected")(),
        foreign("django.http.request", "UnreadablePostError", OSError)(),
        foreign("uvicorn.protocols.utils", "ClientDisconnected", OSError)(),
        foreign("sanic.exceptions", "RequestCancelled", asyncio.CancelledError)(),
    ],
    ids=lambda exc: f"{type(exc).__module__}.{type(exc).__name__} {exc}",
)
def test_what_is_no_fault_is_ignored_also_in_a_class_derived_from_it(exc):
    derived = type("Derived", (type(exc),), {})(*exc.args)
    assert why(of(exc)) == why(of(derived)) == "exception"


@pytest.mark.parametrize(
    "exc",
    [
        SystemExit(1),
        SystemExit("cannot go on"),
        SystemExit(True),
        TimeoutError(),
        foreign("shop.errors", "ClientDisconnect")(),
        ConnectionRefusedError(),
        Exception(),
    ],
    ids=lambda exc: f"{type(exc).__module__}.{type(exc).__name__} {exc}",
)
def test_what_looks_like_it_is_reported(exc):
    assert why(of(exc)) == ""


@pytest.mark.parametrize("cls", [BrokenPipeError, ConnectionResetError, ConnectionAbortedError])
@pytest.mark.parametrize(
    "modules",
    [
        ("gunicorn.workers.sync", "shop.views", "gunicorn.http.wsgi"),
        ("shop.views", "wsgiref.handlers", "socketserver", "socket"),
        (
            "uvicorn.server",
            "starlette.responses",
            "uvicorn.protocols.http.h11_impl",
            "asyncio.streams",
        ),
        ("shop.views", "aiohttp.web_response", "aiohttp.http_writer"),
        ("shop.upload", "errormail.wsgi.recorder", "socket"),
        ("shop.views", "werkzeug.formparser", "socket", "ssl"),
    ],
    ids=lambda modules: modules[-1],
)
def test_a_connection_that_a_server_has_lost_is_its_client_s(cls, modules):
    assert why(of(raised_in(cls(), *modules))) == "exception"


@pytest.mark.parametrize(
    "modules",
    [
        ("gunicorn.workers.sync", "shop.views"),
        ("gunicorn.workers.sync", "shop.views", "psycopg2.extensions"),
        ("waitress.task", "shop.views", "redis.connection", "socket"),
        ("waitress.task", "shop.views", "http.client", "socket"),
        ("aiohttp.web_protocol", "shop.views", "aiohttp.client", "aiohttp.http_writer"),
        ("socketserver", "shop.server", "smtplib", "ssl"),
        ("socket",),
    ],
    ids=lambda modules: " ".join(modules[-2:]),
)
def test_a_connection_of_the_program_s_own_is_reported(modules):
    assert why(of(raised_in(ConnectionResetError(), *modules))) == ""


def test_a_real_database_connection_that_breaks_is_reported():
    """The program itself writes to a socket whose other end is gone."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(BrokenPipeError) as caught:
        ours.sendall(b"SELECT 1")
    assert why(of(caught.value)) == ""


def test_a_real_client_that_has_gone_is_ignored():
    """wsgiref writes to a browser that has closed its connection."""
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    errors = []

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    def app(environ, start_response):
        write = start_response("200 OK", [])
        try:
            write(b"x")
            gone.wait(10)
            for _ in range(200):
                write(b"x" * 100_000)
        except OSError as error:
            errors.append(error)
            raise
        return []

    gone = threading.Event()
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        server.handle_error = lambda *_: None
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with socket.create_connection(server.server_address) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.recv(1)
        gone.set()
        thread.join()
    assert isinstance(errors[0], (BrokenPipeError, ConnectionResetError))
    assert why(of(errors[0])) == "exception"


@pytest.mark.parametrize("name", ["SystemExit", "builtins.SystemExit"])
def test_what_is_taken_out_is_reported(name):
    assert why(of(SystemExit(0)), f"!{name}") == ""
    assert why(of(KeyboardInterrupt()), f"!{name}") == "exception"


def test_a_lost_client_can_be_taken_out():
    error = raised_in(BrokenPipeError(), "waitress.channel")
    assert why(of(error), "!BrokenPipeError") == ""


# IGNORE


@pytest.mark.parametrize(
    "rule",
    [
        LookupError,
        NotFoundError,
        "NotFoundError",
        "LookupError",
        f"{__name__}.NotFoundError",
        "builtins.LookupError",
    ],
    ids=str,
)
def test_a_class_or_its_name_ignores_it_and_what_is_derived_from_it(rule):
    assert why(of(NotFoundError()), rule) == "exception"
    assert why(of(ValueError()), rule) == ""


@pytest.mark.parametrize("rule", ["InnerError", "Outer.InnerError", f"{__name__}.Outer.InnerError"])
def test_a_class_within_a_class_has_its_own_name_too(rule):
    assert why(of(Outer.InnerError()), rule) == "exception"


def test_a_name_by_which_a_program_imports_a_class_counts():
    """asyncio.CancelledError is defined in asyncio.exceptions."""
    assert (
        why(of(asyncio.IncompleteReadError(b"", 1)), "asyncio.IncompleteReadError") == "exception"
    )


@pytest.mark.parametrize(
    "rule", ["Exception", "NotFound", "shop.NotFoundError", "errors", "object"]
)
def test_another_name_does_not(rule):
    assert (why(of(NotFoundError()), rule) == "") == (rule != "Exception")


def test_a_class_that_claims_to_be_another_one_is_not_believed():
    class Meta(type):
        def __subclasscheck__(cls, other):
            return True

        def __eq__(cls, other):
            return True

        def __hash__(cls):
            return 1

    class Claims(Exception, metaclass=Meta):
        pass

    assert why(of(ValueError()), Claims) == ""
    assert why(of(Claims()), ValueError, "ValueError") == ""


def record(name, **fields):
    return logging.makeLogRecord({"name": name, "levelno": logging.ERROR, "msg": "x", **fields})


@pytest.mark.parametrize(
    ("logger", "ignored"),
    [("noisy.lib", True), ("noisy.lib.deep", True), ("noisy", False), ("noisy.library", False)],
)
def test_a_logger_s_name_ignores_its_records_and_those_below(logger, ignored):
    assert (why(Failure(record=record(logger)), "noisy.lib") == "logger") == ignored


@pytest.mark.parametrize(
    ("rule", "path", "ignored"),
    [
        ("/health*", "/healthz", True),
        ("/health*", "/api/health", False),
        ("/static/*", "/static/a/b.css", True),
        ("/exact", "/exact", True),
        ("/exact", "/exact/not", False),
        (re.compile("admin"), "/x/admin/y", True),
        (re.compile("^admin"), "/x/admin", False),
    ],
    ids=str,
)
def test_a_path_is_ignored_by_a_pattern_of_it(rule, path, ignored):
    assert (why(of(ValueError()), rule, request=environ(path)) == "path") == ignored


@pytest.mark.parametrize(
    "request_", [None, 5, object(), {"PATH_INFO": 5}], ids=["none", "int", "object", "odd"]
)
def test_without_a_path_no_pattern_of_it_holds(request_):
    assert why(of(ValueError()), "/*", re.compile("."), request=request_) in {"", "path"}
    assert why(of(ValueError()), re.compile("x"), request=request_) == ""


def test_a_callable_is_asked_with_all_that_is_known():
    asked = []
    failure = Failure(exc=ValueError("x"), level="ERROR", context={"order": 1})
    request = environ("/x")
    assert why(failure, lambda each: asked.append(each), request=request) == ""
    assert why(failure, lambda each: "some truth", request=request) == "callable"
    assert asked[0].exc is failure.exc
    assert asked[0].request is request
    assert asked[0].context == {"order": 1}


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(), KeyboardInterrupt()], ids=repr)
def test_a_callable_that_fails_ignores_nothing_and_that_is_said_once(error, capsys, monkeypatch):
    monkeypatch.setattr("errormail._contain._told", set())

    def fails(failure):
        raise error

    assert why(of(ValueError()), fails) == ""
    assert why(of(ValueError()), fails, lambda failure: True) == "callable"
    err = capsys.readouterr().err
    assert err.count("a callable of IGNORE") == 1
    assert type(error).__name__ in err


def test_rules_are_sorted_once():
    settings = conf.Settings(IGNORE=["KeyError"])
    assert rules_of(settings) is rules_of(settings)


def test_settings_that_have_gone_are_not_kept():
    settings = conf.Settings(IGNORE=["KeyError"])
    rules_of(settings)
    count = len(ignore._known)
    del settings
    assert len(ignore._known) == count - 1


# Groups


@needs_groups
def test_a_group_is_ignored_if_each_of_its_leaves_is():
    group = ExceptionGroup("x", [NotFoundError(), ExceptionGroup("y", [NotFoundError()])])
    assert why(of(group), NotFoundError) == "exception"
    mixed = ExceptionGroup("x", [NotFoundError(), ExceptionGroup("y", [ValueError()])])
    assert why(of(mixed), NotFoundError) == ""
    assert why(of(mixed), "ExceptionGroup") == "exception"
    assert why(of(BaseExceptionGroup("x", [KeyboardInterrupt(), SystemExit(0)]))) == "exception"


@needs_groups
def test_a_deep_or_large_group_costs_little_and_is_reported():
    deep = ExceptionGroup("x", [NotFoundError()])
    for _ in range(3_000):
        deep = ExceptionGroup("x", [deep])
    large = ExceptionGroup("x", [NotFoundError() for _ in range(ignore.LEAVES + 1)])
    assert why(of(large), NotFoundError) == ""
    assert why(of(deep), NotFoundError) == ""


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


def test_an_ignored_exception_makes_no_email_by_no_way(mailed):
    """Neither the middleware, nor a log record of it, nor a traceback in text, nor the response with status 500."""
    handler = errormail.AdminEmailHandler()

    def app(environ, start_response):
        try:
            raise NotFoundError("nothing here")
        except NotFoundError as error:
            info = sys.exc_info()
            handler.handle(record("app", exc_info=info))
            text = "Traceback (most recent call last):\n  ...\n" + (
                f"{type(error).__module__}.NotFoundError: nothing here"
            )
            handler.handle(record("server", msg=text, thread=threading.get_ident()))
        start_response("500 Internal Server Error", [])
        return []

    with conf.override_settings(IGNORE=["NotFoundError"]):
        errormail.wsgi.ErrorReportMiddleware(app)(environ("/"), lambda *_: None)
    assert mailed == []


def test_an_ignored_logger_does_not_hide_the_exception_from_others(mailed):
    error = raised_in(ValueError("x"), "shop.views")
    with conf.override_settings(IGNORE=["noisy"]):
        assert not report(Failure(record=record("noisy.lib", exc_info=(type(error), error, None))))
        assert report(Failure(exc=error))
    assert len(mailed) == 1


def test_nothing_is_ignored_by_default_but_what_is_no_fault(mailed):
    assert report(of(ValueError("x")))
    assert not report(of(KeyboardInterrupt()))
    assert report(of(SystemExit(1)))


def test_a_path_is_ignored_whatever_happens_there(mailed):
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/health/raises":
            raise ValueError("x")
        start_response("500 Oh", [])
        return []

    middleware = errormail.wsgi.ErrorReportMiddleware(app)
    with conf.override_settings(IGNORE=["/health*"]):
        with pytest.raises(ValueError, match="x"):
            middleware(environ("/health/raises"), lambda *_: None)
        middleware(environ("/health"), lambda *_: None)
        middleware(environ("/other"), lambda *_: None)
    assert [each.request.path for each in mailed] == ["/other"]


def test_what_a_callable_ignores_is_no_response_with_status_500_either(mailed):
    def app(environ, start_response):
        try:
            raise ValueError("x")
        except ValueError:
            errormail.report_exception()
        start_response("500 Oh", [])
        return []

    with conf.override_settings(IGNORE=[lambda failure: failure.exc is not None]):
        errormail.wsgi.ErrorReportMiddleware(app)(environ("/"), lambda *_: None)
    assert mailed == []


def test_rules_that_cannot_be_used_lose_no_email(mailed, monkeypatch, capsys):
    monkeypatch.setattr("errormail._contain.strict", False)
    with conf.override_settings(IGNORE=5):
        assert report(of(ValueError("x")))
    assert "ignore failed with TypeError" in capsys.readouterr().err
