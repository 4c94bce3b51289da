"""
One request that a WSGI application serves: what is known of it, and the response that it iterates.

Kept apart from the middleware because it is the part that costs time for every request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, cast

from errormail._contain import contained
from errormail.report.limits import DEFAULT_LIMITS
from errormail.reporter import Failure, Overrides, SettingsSource, report
from errormail.reporter.scope import SCOPE, Scope
from errormail.wsgi.recorder import BodyRecorder, body_of, came_through, original_of, record

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from errormail.report.request import RequestSource

__all__ = ["Exchange", "Response", "SizedResponse"]

_METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_BODY_BYTES = DEFAULT_LIMITS.body_bytes
_STATUS_CHARS = 100
_PATH_CHARS = 200

# A `contained` has no state but its name: one for all requests.
_REPORTING = contained("WSGI report")
_FINISHING = contained("WSGI finish")


@dataclass(frozen=True, slots=True)
class Door:
    """What a middleware reports with."""

    settings: SettingsSource
    overrides: Overrides

    def report(self, failure: Failure) -> None:
        """Report *failure*."""
        report(failure, settings=self.settings, overrides=self.overrides)


class Exchange:
    """
    One request, and what is known of the response to it.

    It does not know its scope, which knows it: a cycle for each request would keep the garbage collector busy.
    """

    __slots__ = (
        "_door",
        "_environ",
        "_is_done",
        "_is_failure",
        "_outer",
        "_owns_recorder",
        "_recorder",
        "_start_response",
        "_started",
        "_status_line",
        "_write",
    )

    def __init__(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        is_failure: Callable[[int], bool],
        door: Door,
    ) -> None:
        self._environ = environ
        self._start_response = start_response
        self._is_failure = is_failure
        self._door = door
        self._started = perf_counter()
        self._status_line = ""
        self._is_done = False
        self._write: object = None
        self._outer = SCOPE.get()
        self._recorder: BodyRecorder | None = None
        self._owns_recorder = False
        if (
            environ.get("REQUEST_METHOD") not in _METHODS_WITHOUT_BODY
            or environ.get("CONTENT_LENGTH")
            or "HTTP_TRANSFER_ENCODING" in environ
        ):
            self._record_body()

    def _record_body(self) -> None:
        stream = self._environ.get("wsgi.input")
        if isinstance(stream, BodyRecorder):
            self._recorder = stream  # of a middleware further out: one copy is enough
        elif stream is not None:
            self._recorder = self._environ["wsgi.input"] = record(stream, _BODY_BYTES)
            self._owns_recorder = True

    def new_scope(self) -> Scope:
        """Return a scope for it. Within another one it counts as the same request: what was told there was told."""
        return Scope(self.source, self._outer)

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: OptExcInfo | None = None,
    ) -> Callable[[bytes], object]:
        """Hand on to the server, and take note. With *exc_info* and an error status (Bottle) that exception is reported."""
        __traceback_hide__ = True  # the report leaves such a frame out
        self._status_line = status
        try:
            if exc_info is None:
                write = self._start_response(status, headers)
            else:
                if (self.status or 0) >= 500 and exc_info[1] is not None:
                    self.fail(exc_info[1])
                write = self._start_response(status, headers, exc_info)
        finally:
            exc_info = None  # if the server raised it, its traceback leads to this frame: a cycle
        self._write = write
        return write

    @property
    def status(self) -> int | None:
        """The response's status code, None before it began or if it is no number."""
        try:
            return int(self._status_line[:3])
        except (ValueError, TypeError):  # a wrong application: its server will say so
            return None

    def source(self) -> RequestSource:
        """Return what is known of the request by now."""
        from errormail.report.request import RequestSource

        body, size = (b"", 0) if self._recorder is None else body_of(self._recorder)
        return RequestSource(
            request=self._environ,
            body=body,
            body_size=size,
            status=self.status,
            seconds=perf_counter() - self._started,
        )

    def is_file(self, result: object) -> bool:
        """Return whether *result* was made with ``wsgi.file_wrapper``: the server may send such a file by other means."""
        with _REPORTING:
            wrapper = self._environ.get("wsgi.file_wrapper")
            if wrapper is None:
                return False
            if isinstance(wrapper, type):
                return isinstance(result, wrapper)
            # A function. uWSGI's returns the file itself, mod_wsgi's an object that has it as `filelike`.
            return hasattr(result, "read") or hasattr(result, "filelike")
        return False

    def fail(self, exc: BaseException) -> None:
        """Report *exc*, which the application raised, if it is a failure."""
        with _REPORTING:
            self._is_done = True  # a server makes another response of it, or ends this one
            if isinstance(exc, Exception) and not _is_lost_connection(exc, self._write):
                self._door.report(Failure(exc=exc))

    def finish(self, scope: Scope) -> None:
        """The response is complete, or has ended otherwise. Can be called several times."""
        with _FINISHING:
            if not self._is_done:
                self._is_done = True
                self._report_status(scope)
            if scope.reported and self._outer is not None:
                self._outer.reported = True
            if self._recorder is not None and self._owns_recorder:
                self._put_back(self._recorder)

    def _put_back(self, recorder: BodyRecorder) -> None:
        # If somebody further in has put another stream there, that one stays.
        if self._environ.get("wsgi.input") is recorder:
            self._environ["wsgi.input"] = original_of(recorder)

    def _report_status(self, scope: Scope) -> None:
        status = self.status
        if status is not None and self._is_failure(status) and not scope.reported:
            self._door.report(Failure(message=_status_message(self._status_line, self._environ)))


class Response:
    """
    Iterates and closes *iterable*, a response, on behalf of a server, and reports what it raises.

    Other attributes are those of *iterable*.
    """

    __slots__ = ("_exchange", "_is_closed", "_iterable", "_iterator", "_scope")

    def __init__(self, iterable: Iterable[bytes], exchange: Exchange, scope: Scope) -> None:
        self._iterable = iterable
        self._iterator: Iterator[bytes] | None = None
        self._exchange = exchange
        self._scope = scope
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        # A generator: between two chunks it costs half of what a __next__ in Python would.
        __traceback_hide__ = True  # the report leaves such a frame out
        set_scope, reset, scope = SCOPE.set, SCOPE.reset, self._scope
        token = set_scope(scope)
        is_inside = True
        try:
            for chunk in self._iterable:
                reset(token)
                is_inside = False
                yield chunk
                token = set_scope(scope)
                is_inside = True
            self._exchange.finish(scope)
        except BaseException as exc:
            if is_inside:  # else the server has thrown something in, GeneratorExit as a rule
                self._exchange.fail(exc)
            raise
        finally:
            if is_inside:
                reset(token)

    def __next__(self) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self)
        return next(self._iterator)

    def close(self) -> None:
        """Close the response, the first time; PEP 3333 has servers call this once, whatever happened before."""
        __traceback_hide__ = True  # the report leaves such a frame out
        if self._is_closed:
            return
        self._is_closed = True
        token = SCOPE.set(self._scope)
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as exc:
            self._exchange.fail(exc)
            raise
        finally:
            self._exchange.finish(self._scope)
            SCOPE.reset(token)

    def __getattr__(self, name: str) -> object:
        if name in Response.__slots__:  # a copy that `copy` has not filled yet: no recursion
            raise AttributeError(name)
        return getattr(self._iterable, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {type(self._iterable).__name__}>"


class SizedResponse(Response):
    """Of an iterable that has a length: of one chunk a server can make a Content-Length."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(cast("list[bytes]", self._iterable))


def _status_message(status_line: str, environ: WSGIEnvironment) -> str:
    """Return what a response was an answer to: ``502 Bad Gateway: POST /order``."""
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    path = path.encode("latin-1", "replace").decode("utf-8", "replace")  # PEP 3333: not decoded yet
    method = str(environ.get("REQUEST_METHOD", ""))
    return f"{status_line[:_STATUS_CHARS]}: {method[:_STATUS_CHARS]} {path[:_PATH_CHARS]}"


def _is_lost_connection(exc: BaseException, write: object) -> bool:
    """Return whether *exc* came out of what the server gave for talking with the client: ``wsgi.input`` or *write*."""
    if not issubclass(type(exc), OSError):  # isinstance() would ask the exception
        return False
    tb = BaseException.__dict__["__traceback__"].__get__(exc)
    return came_through(tb) or _has_code(tb, _code_of(write))


def _code_of(function: object) -> object:
    """Return the code object of *function*, or of a callable object's ``__call__``; None if it is not Python's."""
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(type(function).__dict__.get("__call__"), "__code__", None)
    return code


def _has_code(tb: TracebackType | None, code: object) -> bool:
    while tb is not None:
        if tb.tb_frame.f_code is code:
            return True
        tb = tb.tb_next
    return False
