"""The WSGI middleware: what is reported, once, and that the server sees what it would see without."""

from __future__ import annotations

import asyncio
import gc
import io
import sys
import threading
import weakref
from contextvars import copy_context
from types import SimpleNamespace
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail import _contain, wsgi
from errormail.conf import override_settings
from errormail.reporter.scope import SCOPE, current_scope
from errormail.wsgi import ErrorReportMiddleware, exchange
from errormail.wsgi.exchange import Exchange
from errormail.wsgi.recorder import original_of


class ShopError(Exception):
    pass


@pytest.fixture
def reports(monkeypatch):
    """What the middleware hands to the reporter: failures, with the request at hand then."""
    made = []

    def report(failure, *, settings=None, overrides=None):
        scope = current_scope()
        already = failure.exc is not None and any(failure.exc is each.exc for each in made)
        scope.reported = True
        if not already:
            made.append(
                SimpleNamespace(
                    exc=failure.exc,
                    message=failure.message,
                    level=failure.level,
                    source=scope.source(),
                    settings=settings,
                )
            )
        return not already

    monkeypatch.setattr(exchange, "report", report)
    return made


def environ_of(method="GET", path="/shop", body=None, **more):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, **more}
    if body is not None:
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    setup_testing_defaults(environ)
    return environ


class Server:
    """The least that a WSGI server does: call, iterate, close, whatever happens."""

    def __init__(self):
        self.started = []
        self.written = []

    def start_response(self, status, headers, exc_info=None):
        self.started.append((status, headers, exc_info))
        return self.write

    def write(self, data):
        self.written.append(data)

    def run(self, app, environ=None):
        result = app(environ or environ_of(), self.start_response)
        try:
            self.written.extend(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        return result


def serve(app, environ=None):
    server = Server()
    server.run(app, environ)
    return server


def answering(status="200 OK", body=(b"a", b"b"), kind=list):
    def app(environ, start_response):
        start_response(status, [("Content-Type", "text/plain")])
        return kind(body)

    return app


def stream(chunks=(b"a", b"b")):
    yield from chunks


# What the application raises ------------------------------------------------------------------------------------------


def raising_when_called(exc):
    def app(environ, start_response):
        raise exc

    return app


def raising_when_iterated(exc):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        raise exc

    return app


def raising_when_iteration_begins(exc):
    class Body:
        def __iter__(self):
            raise exc

    return lambda environ, start_response: Body()


def raising_when_closed(exc):
    class Body(list):
        def close(self):
            raise exc

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body([b"a"])

    return app


PLACES = [
    raising_when_called,
    raising_when_iterated,
    raising_when_iteration_begins,
    raising_when_closed,
]


@pytest.mark.parametrize("place", PLACES)
def test_what_the_app_raises_is_reported_and_raised_again(place, reports):
    error = ShopError("no tea")
    environ = environ_of(path="/order")
    with pytest.raises(ShopError) as caught:
        serve(ErrorReportMiddleware(place(error)), environ)
    assert caught.value is error
    assert (error.__cause__, error.__context__, error.args) == (None, None, ("no tea",))
    (report,) = reports
    assert report.exc is error
    assert report.source.request is environ
    assert report.source.seconds >= 0


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "kind", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, BaseException]
)
def test_what_ends_a_program_is_not_reported(place, kind, reports):
    with pytest.raises(kind):
        serve(ErrorReportMiddleware(place(kind())))
    assert reports == []


@pytest.mark.parametrize("place", PLACES)
def test_the_traceback_has_grown_only(place, reports):
    """The innermost frame is the application's, and ours say that they need not be shown."""
    error = ShopError()
    with pytest.raises(ShopError):
        serve(ErrorReportMiddleware(place(error)))
    frames, tb = [], error.__traceback__
    while tb is not None:
        frames.append(tb.tb_frame)
        tb = tb.tb_next
    assert frames[-1].f_code.co_filename == __file__
    ours = [frame for frame in frames if "errormail" in frame.f_globals["__name__"]]
    assert ours
    assert all("__traceback_hide__" in frame.f_locals for frame in ours)


def test_the_error_of_a_closing_after_the_error_of_an_iteration_is_another_one(reports):
    class Body:
        def __iter__(self):
            raise ShopError("first")

        def close(self):
            raise ShopError("second")

    with pytest.raises(ShopError, match="second"):
        serve(ErrorReportMiddleware(lambda environ, start_response: Body()))
    assert [str(report.exc) for report in reports] == ["first", "second"]


def test_the_settings_go_to_the_reporter(reports):
    own = SimpleNamespace()
    with pytest.raises(ShopError):
        serve(ErrorReportMiddleware(raising_when_called(ShopError()), settings=own))
    assert reports[0].settings is own


# Responses with an error status ---------------------------------------------------------------------------------------


@pytest.mark.row("H1", "H12")
@pytest.mark.parametrize("kind", [list, tuple, iter, stream])
def test_a_response_of_500_is_reported_once(kind, reports):
    app = ErrorReportMiddleware(answering("503 Service Unavailable", kind=kind))
    serve(app, environ_of("POST", "/b%C3%BCcher", SCRIPT_NAME="/shop"))
    (report,) = reports
    assert report.exc is None
    assert report.level == "ERROR"
    assert report.message == "503 Service Unavailable: POST /shop/b%C3%BCcher"
    assert report.source.status == 503


def test_the_path_of_an_error_status_is_decoded_and_bounded(reports):
    path = "/ü".encode().decode("latin-1") + "x" * 5_000
    serve(ErrorReportMiddleware(answering("500 " + "y" * 5_000)), environ_of(path=path))
    assert "GET /üxxx" in reports[0].message
    assert len(reports[0].message) < 500


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "499 Gone", "302 Found"])
def test_other_responses_are_not_reported(status, reports):
    serve(ErrorReportMiddleware(answering(status)))
    assert reports == []


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (True, [500, 502, 599]),
        (False, []),
        ({502}, [502]),
        ([404, 500], [404, 500]),
        (range(400, 600), [404, 500, 502, 599]),
        ((), []),
    ],
)
def test_report_status_says_which_codes(rule, told, reports):
    for code in (200, 404, 500, 502, 599):
        serve(ErrorReportMiddleware(answering(f"{code} X"), report_status=rule))
    assert [report.source.status for report in reports] == told


@pytest.mark.parametrize("wrong", [500, "500", None, [500, "502"], 5.0])
def test_a_wrong_report_status_is_refused_at_once(wrong):
    with pytest.raises(TypeError, match="report_status is True, False or a collection"):
        ErrorReportMiddleware(answering(), report_status=wrong)


@pytest.mark.row("H12")
def test_a_response_during_which_something_was_reported_is_not(reports):
    def app(environ, start_response):
        current_scope().reported = True  # as the handler on the framework's logger does
        start_response("500 Oops", [])
        return [b""]

    serve(ErrorReportMiddleware(app))
    assert reports == []


def test_what_is_reported_while_the_body_is_iterated_counts_too(reports):
    def app(environ, start_response):
        start_response("500 Oops", [])
        yield b"a"
        current_scope().reported = True

    serve(ErrorReportMiddleware(app))
    assert reports == []


def test_a_stream_is_judged_when_it_ends_not_before(reports):
    result = ErrorReportMiddleware(answering("500 Oops", kind=iter))(
        environ_of(), Server().start_response
    )
    chunks = iter(result)
    assert [next(chunks), next(chunks), reports] == [b"a", b"b", []]
    assert next(chunks, None) is None
    assert len(reports) == 1
    result.close()
    assert len(reports) == 1


@pytest.mark.parametrize("kind", [list, iter])
def test_a_reporter_that_refuses_is_asked_once(kind, monkeypatch):
    asked = []
    monkeypatch.setattr(exchange, "report", lambda failure, **_: asked.append(failure) or False)
    serve(ErrorReportMiddleware(answering("500 Oops", kind=kind)))
    assert len(asked) == 1


def test_an_abandoned_error_response_is_reported_when_it_is_closed(reports):
    result = ErrorReportMiddleware(answering("500 Oops", kind=iter))(
        environ_of(), Server().start_response
    )
    next(iter(result))
    result.close()
    assert len(reports) == 1


@pytest.mark.parametrize("status", ["", "ok", None, 500, b"500 x"])
def test_a_status_that_is_none_is_left_to_the_server(status, reports):
    server = serve(ErrorReportMiddleware(answering(status)))
    assert server.started[0][0] == status


def test_an_error_page_for_an_exception_that_was_raised_is_not_reported_again(reports):
    """An exception is the failure, also if the middleware was told of a status before."""

    def app(environ, start_response):
        start_response("500 Oops", [])
        raise ShopError

    with pytest.raises(ShopError):
        serve(ErrorReportMiddleware(app))
    assert len(reports) == 1


# start_response -------------------------------------------------------------------------------------------------------


def crash_page(status, error=None):
    """Bottle's way: the exception is caught and goes to start_response."""

    def app(environ, start_response):
        try:
            raise error or ShopError("caught")
        except BaseException:
            start_response(status, [], sys.exc_info())
        return [b"sorry"]

    return app


def test_the_exception_that_start_response_gets_with_an_error_status_is_reported(reports):
    server = serve(ErrorReportMiddleware(crash_page("500 Internal Server Error")))
    (report,) = reports
    assert str(report.exc) == "caught"
    assert report.source.status == 500
    assert server.started[0][2][1] is report.exc


def test_an_exception_goes_with_an_error_status_even_if_statuses_are_not_reported(reports):
    serve(ErrorReportMiddleware(crash_page("500 X"), report_status=False))
    assert len(reports) == 1


@pytest.mark.parametrize(
    ("status", "error"), [("404 Not Found", None), ("500 X", SystemExit()), ("500 X", None)]
)
def test_the_server_gets_exc_info_as_it_is(status, error, reports):
    server = serve(ErrorReportMiddleware(crash_page(status, error)))
    kind, exc, tb = server.started[0][2]
    assert isinstance(exc, kind)
    assert tb is exc.__traceback__
    assert len(reports) == (status == "500 X" and error is None)


def test_exc_info_that_the_server_raises_is_reported_once(reports):
    """PEP 3333: if the headers are out already, the server raises what it is given."""

    class Late(Server):
        def start_response(self, status, headers, exc_info=None):
            if exc_info:
                raise exc_info[1]
            return super().start_response(status, headers)

    with pytest.raises(ShopError):
        Late().run(ErrorReportMiddleware(crash_page("500 Oops")))
    assert len(reports) == 1


def test_exc_info_that_the_server_raises_is_not_held_by_us():
    class Late(Server):
        def start_response(self, status, headers, exc_info=None):
            try:
                raise exc_info[1]
            finally:
                exc_info = None

    class Precious(Exception):
        pass

    def app(environ, start_response):
        try:
            raise Precious
        except Precious:
            start_response("404 X", [], sys.exc_info())

    def run():
        try:
            app_with(environ_of(), Late().start_response)
        except Precious as error:
            traces.append(weakref.ref(error))

    app_with = ErrorReportMiddleware(app)
    traces: list[weakref.ref[Precious]] = []
    gc.disable()
    try:
        run()
        assert traces[0]() is None
    finally:
        gc.enable()


def test_start_response_takes_what_it_takes_without():
    calls = []

    def start_response(*args):
        calls.append(args)
        return write

    def write(data):
        raise AssertionError(data)

    def app(environ, start_response):
        returned.append(start_response("200 OK", []))
        returned.append(start_response("200 OK", [], None))
        returned.append(start_response(status="200 OK", headers=[]))
        return []

    returned = []
    ErrorReportMiddleware(app)(environ_of(), start_response)
    assert returned == [write] * 3
    assert calls == [("200 OK", [])] * 3


def test_what_start_response_raises_is_the_apps_failure(reports):
    def refusing(status, headers):
        raise AssertionError("headers already set")

    with pytest.raises(AssertionError, match="already set"):
        ErrorReportMiddleware(answering())(environ_of(), refusing)
    assert len(reports) == 1


# Clients that go ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write", ["write", "Writer"], ids=["a bound method", "an object with __call__"]
)
def test_a_client_that_goes_while_the_app_writes_is_no_failure(write, reports):
    def broken(_):
        raise BrokenPipeError

    class Writer:
        def __call__(self, data):
            broken(data)

    class Gone(Server):
        def start_response(self, status, headers, exc_info=None):
            return Writer() if write == "Writer" else self.write

        def write(self, data):
            broken(data)

    def app(environ, start_response):
        start_response("200 OK", [])(b"data")
        return []

    with pytest.raises(BrokenPipeError):
        Gone().run(ErrorReportMiddleware(app))
    assert reports == []


def test_a_client_that_goes_while_the_app_reads_is_no_failure(reports):
    class Gone(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionResetError

    environ = environ_of("POST", **{"wsgi.input": Gone()})
    app = ErrorReportMiddleware(lambda environ, start_response: [environ["wsgi.input"].read(10)])
    with pytest.raises(ConnectionResetError):
        serve(app, environ)
    assert reports == []


def test_a_broken_pipe_of_the_apps_own_is_a_failure(reports):
    with pytest.raises(BrokenPipeError):
        serve(ErrorReportMiddleware(raising_when_called(BrokenPipeError("to the database"))))
    assert len(reports) == 1


@pytest.mark.parametrize("kind", [GeneratorExit, BrokenPipeError])
def test_what_the_server_throws_into_the_response_is_no_failure(kind, reports):
    chunks = iter(
        ErrorReportMiddleware(answering(kind=iter))(environ_of(), Server().start_response)
    )
    next(chunks)
    with pytest.raises(kind):
        chunks.throw(kind())
    assert reports == []
    assert current_scope() is None


# What passes through --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [[b"a"], (b"a",), []])
def test_lists_and_tuples_pass_through_untouched(result):
    app = ErrorReportMiddleware(lambda environ, start_response: result)
    assert app(environ_of(), Server().start_response) is result


def test_what_the_servers_file_wrapper_made_passes_through_untouched():
    result = FileWrapper(io.BytesIO(b"file"))
    app = ErrorReportMiddleware(lambda environ, start_response: result)
    environ = environ_of(**{"wsgi.file_wrapper": FileWrapper})
    assert app(environ, Server().start_response) is result


@pytest.mark.parametrize(
    "result",
    [io.BytesIO(b"x"), SimpleNamespace(filelike=None, __iter__=None)],
    ids=["uWSGI", "mod"],
)
def test_a_file_under_a_server_whose_file_wrapper_is_a_function_passes_through(result):
    app = ErrorReportMiddleware(lambda environ, start_response: result)
    environ = environ_of(**{"wsgi.file_wrapper": lambda file, size=8192: result})
    assert app(environ, Server().start_response) is result


def test_another_iterable_under_such_servers_is_looked_at(reports):
    for wrapper in (FileWrapper, lambda file, size: file):
        environ = environ_of(**{"wsgi.file_wrapper": wrapper})
        with pytest.raises(ShopError):
            serve(ErrorReportMiddleware(raising_when_iterated(ShopError())), environ)
    assert len(reports) == 2


def test_an_own_list_class_is_iterated_and_closed_as_it_wants():
    calls = []

    class Body(list):
        def __iter__(self):
            calls.append("iter")
            return super().__iter__()

        def close(self):
            calls.append("close")

    server = serve(ErrorReportMiddleware(answering(kind=Body)))
    assert server.written == [b"a", b"b"]
    assert calls == ["iter", "close"]


def test_a_response_has_a_length_if_the_apps_has():
    class Sized:
        def __len__(self):
            return 1

        def __iter__(self):
            return iter([b"a"])

    app = ErrorReportMiddleware(lambda environ, start_response: Sized())
    assert len(app(environ_of(), Server().start_response)) == 1
    result = ErrorReportMiddleware(answering(kind=iter))(environ_of(), Server().start_response)
    assert hasattr(result, "__len__") is False
    with pytest.raises(TypeError):
        len(result)


def test_other_attributes_of_a_response_are_the_apps():
    class Body:
        app_iter_range = "WebOb asks for it"

        def __iter__(self):
            return iter([b"a"])

        def __repr__(self):
            raise AssertionError

    result = ErrorReportMiddleware(lambda e, s: Body())(environ_of(), Server().start_response)
    assert result.app_iter_range == "WebOb asks for it"
    assert not hasattr(result, "no_such_name")
    assert repr(result) == "<Response of Body>"
    with pytest.raises(AttributeError):
        type(result).__new__(type(result)).no_such_name  # noqa: B018 -- half-made, as copy does


def test_close_of_the_app_is_called_once():
    calls = []

    class Body:
        def __iter__(self):
            return iter([b"a"])

        def close(self):
            calls.append("close")

    server = Server()
    result = server.run(ErrorReportMiddleware(lambda environ, start_response: Body()))
    result.close()
    assert calls == ["close"]


def test_a_generator_that_was_never_iterated_is_closed():
    class Body:
        closed = False

        def __iter__(self):
            raise AssertionError

        def close(self):
            self.closed = True

    body = Body()
    ErrorReportMiddleware(lambda e, s: body)(environ_of(), Server().start_response).close()
    assert body.closed


def test_a_response_can_be_advanced_by_hand_and_iterated_further():
    result = ErrorReportMiddleware(answering(kind=iter))(environ_of(), Server().start_response)
    assert next(result) == b"a"
    assert list(result) == [b"b"]
    assert next(result, None) is None


def test_an_iterable_that_can_be_iterated_twice_still_can():
    class Body:
        def __iter__(self):
            return iter([b"a"])

    result = ErrorReportMiddleware(lambda e, s: Body())(environ_of(), Server().start_response)
    assert [list(result), list(result)] == [[b"a"], [b"a"]]


@pytest.mark.parametrize("wrong", [None, 7, object()])
def test_a_response_that_is_no_iterable_fails_as_without(wrong, reports):
    with pytest.raises(TypeError, match="not iterable"):
        serve(ErrorReportMiddleware(lambda environ, start_response: wrong))
    assert len(reports) == 1


@given(
    chunks=st.lists(st.binary(max_size=9), max_size=9),
    kind=st.sampled_from([list, tuple, iter, stream, io.BytesIO]),
)
def test_the_server_gets_the_bytes_of_the_app(chunks, kind):
    body = b"".join(chunks) if kind is io.BytesIO else chunks
    bare, wrapped = answering(body=body, kind=kind), answering(body=body, kind=kind)
    assert serve(ErrorReportMiddleware(wrapped)).written == serve(bare).written


VALID = [answering(kind=kind) for kind in (list, iter, stream)]


@pytest.mark.parametrize("app", VALID)
@pytest.mark.filterwarnings("ignore::wsgiref.validate.WSGIWarning")
def test_both_sides_keep_to_the_specification(app):
    def reading(environ, start_response):
        environ["wsgi.input"].read(3)
        environ["wsgi.input"].readline(3)
        list(environ["wsgi.input"])
        return app(environ, start_response)

    wrapped = validator(ErrorReportMiddleware(validator(reading)))
    environ = environ_of("POST", body=b"abc\ndef\nghi", QUERY_STRING="", SCRIPT_NAME="")
    assert serve(wrapped, environ).written == [b"a", b"b"]


# environ and the body -------------------------------------------------------------------------------------------------


def reading(environ, start_response):
    environ["wsgi.input"].read(4)
    raise ShopError


def test_the_report_has_what_the_app_read_of_the_body(reports):
    with pytest.raises(ShopError):
        serve(ErrorReportMiddleware(reading), environ_of("POST", body=b"item=tea"))
    assert (reports[0].source.body, reports[0].source.body_size) == (b"item", 4)


def test_what_is_kept_of_a_body_is_bounded(reports):
    def app(environ, start_response):
        while environ["wsgi.input"].read(8_192):
            pass
        raise ShopError

    with pytest.raises(ShopError):
        serve(ErrorReportMiddleware(app), environ_of("PUT", body=b"x" * 1_000_000))
    source = reports[0].source
    assert (source.body, source.body_size) == (b"x" * 65_536, 1_000_000)


@pytest.mark.parametrize(
    ("method", "headers", "recorded"),
    [
        ("GET", {}, False),
        ("HEAD", {}, False),
        ("GET", {"CONTENT_LENGTH": ""}, False),
        ("GET", {"CONTENT_LENGTH": "3"}, True),
        ("GET", {"HTTP_TRANSFER_ENCODING": "chunked"}, True),
        ("POST", {}, True),
        ("DELETE", {}, True),
        ("PROPFIND", {}, True),
    ],
)
def test_the_stream_of_a_request_that_can_have_no_body_stays(method, headers, recorded):
    seen = []

    def app(environ, start_response):
        seen.append(environ["wsgi.input"])
        return []

    environ = environ_of(method, **headers)
    stream = environ["wsgi.input"]
    serve(ErrorReportMiddleware(app), environ)
    assert (seen[0] is not stream) == recorded


@pytest.mark.parametrize("kind", [list, iter])
@pytest.mark.parametrize("place", [None, *PLACES])
def test_the_environ_is_the_servers_and_afterwards_as_it_was(kind, place, reports):
    environ = environ_of("POST", body=b"ab")
    before, seen = dict(environ), []
    inner = answering(kind=kind) if place is None else place(ShopError())

    def app(given, start_response):
        seen.append(given)
        given["shop.user"] = "jane"  # for an access log further out
        return inner(given, start_response)

    try:
        serve(ErrorReportMiddleware(app), environ)
    except ShopError:
        assert place
    assert seen[0] is environ
    assert environ == {**before, "shop.user": "jane"}


def test_a_stream_that_the_app_puts_in_place_stays(reports):
    own = io.BytesIO()

    def app(environ, start_response):
        environ["wsgi.input"] = own
        return []

    environ = environ_of("POST")
    serve(ErrorReportMiddleware(app), environ)
    assert environ["wsgi.input"] is own


def test_nothing_is_read_that_the_app_does_not_read():
    class Endless(io.RawIOBase):
        def readinto(self, buffer):
            raise AssertionError("it would wait for ever")

    environ = environ_of("POST", **{"wsgi.input": Endless(), "CONTENT_LENGTH": "5"})
    assert serve(ErrorReportMiddleware(answering()), environ).written == [b"a", b"b"]


def test_an_environ_without_a_body_is_served():
    environ = {"REQUEST_METHOD": "POST"}
    assert serve(ErrorReportMiddleware(answering()), environ).written == [b"a", b"b"]
    assert environ == {"REQUEST_METHOD": "POST"}


# Requests side by side, and middlewares one in the other -------------------------------------------------------------


def own_scope(seen):
    """An app that notes which scope it runs in, at each step."""

    class Body:
        def __init__(self, name):
            self.name = name
            self.left = 2

        def note(self):
            seen.append((self.name, current_scope().source().request["PATH_INFO"]))

        def __iter__(self):
            self.note()
            return self

        def __next__(self):
            self.note()
            self.left -= 1
            if self.left < 0:
                raise StopIteration
            return b"x"

        def close(self):
            self.note()

    def app(environ, start_response):
        body = Body(environ["PATH_INFO"])
        body.note()
        start_response("200 OK", [])
        return body

    return app


def test_the_scope_is_set_while_the_app_runs_and_only_then():
    seen = []
    result = ErrorReportMiddleware(own_scope(seen))(environ_of(path="/a"), Server().start_response)
    outside = [current_scope()]
    chunks = iter(result)
    for _ in range(2):
        next(chunks)
        outside.append(current_scope())
    list(chunks)
    outside.append(current_scope())
    result.close()
    outside.append(current_scope())
    assert outside == [None] * 5
    assert seen == [("/a", "/a")] * 6


@given(order=st.permutations([name for name in "abc" for _ in range(6)]))
def test_requests_that_take_turns_in_one_thread_do_not_mix(order):
    seen = []
    app = ErrorReportMiddleware(own_scope(seen))

    def steps(name):
        result = app(environ_of(path=f"/{name}"), Server().start_response)
        yield
        chunks = iter(result)
        yield
        for _ in range(3):
            next(chunks, None)
            yield
        result.close()
        yield

    requests = {name: steps(name) for name in "abc"}
    for name in order:
        next(requests[name])
        assert current_scope() is None
    assert len(seen) == 18
    assert all(name == at_hand for name, at_hand in seen)


def test_requests_in_threads_do_not_mix():
    seen, barrier = [], threading.Barrier(2)
    inner = own_scope(seen)

    def app(environ, start_response):
        barrier.wait()
        return inner(environ, start_response)

    wrapped = ErrorReportMiddleware(app)
    threads = [
        threading.Thread(target=serve, args=(wrapped, environ_of(path=path)))
        for path in ("/a", "/b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12
    assert all(name == at_hand for name, at_hand in seen)


def test_a_context_variable_that_the_app_sets_stays_set_as_without():
    from contextvars import ContextVar

    variable = ContextVar("variable", default=0)

    def app(environ, start_response):
        variable.set(1)
        start_response("200 OK", [])
        yield b"a"
        variable.set(2)

    def run():
        server = Server()
        server.run(ErrorReportMiddleware(app))
        return variable.get()

    assert copy_context().run(run) == 2


@pytest.mark.parametrize("place", PLACES)
def test_one_middleware_in_another_report_once(place, reports):
    app = ErrorReportMiddleware(ErrorReportMiddleware(place(ShopError())))
    with pytest.raises(ShopError):
        serve(app, environ_of("POST", body=b"item=tea"))
    assert len(reports) == 1


@pytest.mark.parametrize("kind", [list, iter])
@pytest.mark.parametrize("copies", [False, True])
def test_one_middleware_in_a_mount_inside_another_reports_a_status_once(kind, copies, reports):
    inner = ErrorReportMiddleware(answering("500 Oops", kind=kind))

    def mount(environ, start_response):
        if copies:
            environ = dict(environ)
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/blog", "/post"
        return inner(environ, start_response)

    serve(ErrorReportMiddleware(mount), environ_of("POST", "/blog/post", b"x"))
    assert [report.message for report in reports] == ["500 Oops: POST /blog/post"]


def test_what_is_told_of_in_an_inner_scope_counts_in_the_outer_one(reports):
    numbers = []

    def app(environ, start_response):
        numbers.append(current_scope().number)
        current_scope().reported = True
        start_response("500 Oops", [])
        return [b""]

    inner = ErrorReportMiddleware(app)

    def outer(environ, start_response):
        numbers.append(current_scope().number)
        return inner(environ, start_response)

    serve(ErrorReportMiddleware(outer))
    assert reports == []
    assert numbers[0] == numbers[1]


def test_both_middlewares_see_the_body(reports):
    def outer(environ, start_response):
        with pytest.raises(ShopError):
            inner(environ, start_response)
        environ["wsgi.input"].read(4)
        raise KeyError

    inner = ErrorReportMiddleware(reading)
    environ = environ_of("POST", body=b"item=tea")
    with pytest.raises(KeyError):
        serve(ErrorReportMiddleware(outer), environ)
    assert [report.source.body for report in reports] == [b"item", b"item=tea"]


def test_one_recorder_is_enough_for_several_middlewares():
    seen = []

    def app(environ, start_response):
        seen.append(original_of(environ["wsgi.input"]))
        return []

    environ = environ_of("POST", body=b"item=tea")
    stream = environ["wsgi.input"]
    serve(ErrorReportMiddleware(ErrorReportMiddleware(app)), environ)
    assert seen == [stream]
    assert environ["wsgi.input"] is stream


# errormail's own failures --------------------------------------------------------------------------------------------


def broken(*_, **__):
    raise RuntimeError("errormail is broken")


@pytest.mark.parametrize("part", ["Exchange", "new_scope", "source", "report", "is_file", "record"])
@pytest.mark.parametrize("kind", [list, iter])
def test_the_request_is_served_if_errormail_itself_fails(part, kind, monkeypatch, outbox):
    monkeypatch.setattr(_contain, "strict", False)
    place = {"Exchange": wsgi, "report": exchange, "record": exchange}.get(part, Exchange)
    if part != "is_file":
        monkeypatch.setattr(place, part, broken)
    more = {"wsgi.file_wrapper": HostileType} if part == "is_file" else {}
    with override_settings(ADMINS=["ops@example.com"], DELIVERY="sync"):
        app = ErrorReportMiddleware(answering("500 X", kind=kind))
        server = serve(app, environ_of("POST", body=b"x", **more))
        error = ShopError()
        with pytest.raises(ShopError) as caught:
            serve(ErrorReportMiddleware(raising_when_iterated(error)))
    assert server.written == [b"a", b"b"]
    assert server.started == [("500 X", [("Content-Type", "text/plain")], None)]
    assert caught.value is error
    if (part, kind) != ("is_file", list):  # a list needs no second look
        assert sum(_contain.failures.values()) > 0


class HostileMeta(type):
    def __instancecheck__(cls, instance):
        raise RuntimeError("errormail is broken")


class HostileType(metaclass=HostileMeta):
    pass


def test_no_reference_to_a_request_outlives_it():
    """By reference counts alone: the garbage collector has no work with it."""

    class Traced(dict):
        pass

    gc.collect()
    gc.disable()
    try:
        environ = Traced(environ_of("POST", body=b"abc"))
        trace = weakref.ref(environ)
        serve(ErrorReportMiddleware(answering(kind=iter)), environ)
        del environ
        assert trace() is None
    finally:
        gc.enable()
    assert SCOPE.get() is None
