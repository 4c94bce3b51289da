"""
WSGI: report what an application raises, and what it answers with a status of 500 or more.

A request takes this way. `SCOPE` is set in the steps marked with a star, and only there, since a server may serve
others between them in the same thread or greenlet::

    __call__ ─▶ app(environ, start_response) * ┬▶ a list, a tuple, a file: returned as it is
                                               └▶ any other iterable: Response ─▶ next() * ... close() *
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from errormail._contain import contained
from errormail.reporter import Overrides, SettingsSource, checked_sections
from errormail.reporter.scope import SCOPE, Scope
from errormail.wsgi.brokenlinks import BrokenLinkMiddleware
from errormail.wsgi.exchange import Door, Exchange, Response, SizedResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from errormail.report.model import Report

__all__ = ["BrokenLinkMiddleware", "ErrorReportMiddleware"]

_SETTING_UP = contained("WSGI set-up")  # it has no state: one for all requests


class ErrorReportMiddleware:
    """
    A WSGI application that serves what *app* serves, and reports its failures.

    Reported is an `Exception` that *app* raises when it is called, while its response is iterated, or when that is
    closed; it is raised again, the same object. Other exceptions (SystemExit, KeyboardInterrupt, GeneratorExit,
    asyncio's CancelledError, ...) say that something is to end, not that it failed: they pass. So does an OSError out of
    ``wsgi.input`` or ``write()``: there the client has gone.

    ``environ`` stays the server's own dict, since servers and middlewares read there what the application put in. For
    a request that can have a body ``wsgi.input`` is replaced in it by a recorder, until the response is done.

    Args:
        report_status: Whether a response with a status of 500 or more, during which nothing was reported, is reported by
            itself; or the codes for which it is.
        sections: Callables, or their dotted paths, that add sections to the report, beside those of SECTIONS.
        settings: In place of the process-wide ones: settings, or a callable that gives them when they are needed.

    Raises:
        TypeError: *report_status* is neither a bool nor a collection of int.
        ImproperlyConfigured: One of *sections* is no callable.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        report_status: bool | Collection[int] = True,
        sections: Sequence[str | Callable[[Report], object]] = (),
        settings: SettingsSource = None,
    ) -> None:
        self._app = app
        self._is_failure = _status_rule(report_status)
        self._door = Door(settings, Overrides(sections=checked_sections(sections)))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        __traceback_hide__ = True  # the report leaves such a frame out
        exchange: Exchange | None = None
        scope: Scope | None = None
        with _SETTING_UP:
            exchange = Exchange(environ, start_response, self._is_failure, self._door)
            scope = exchange.new_scope()
        if exchange is None or scope is None:
            return self._app(environ, start_response)

        token = SCOPE.set(scope)
        try:
            result = self._app(environ, exchange.start_response)
            kind = type(result)
            # What these hold is there already: it cannot fail any more, and servers treat them specially.
            if kind is list or kind is tuple or exchange.is_file(result):
                exchange.finish(scope)
                return result
        except BaseException as exc:
            exchange.fail(exc)
            exchange.finish(scope)
            raise
        finally:
            SCOPE.reset(token)
        return (SizedResponse if hasattr(kind, "__len__") else Response)(result, exchange, scope)


def _status_rule(report_status: bool | Collection[int]) -> Callable[[int], bool]:
    """Return the function that says of which codes a response is a failure."""
    if report_status is True:
        return _is_server_error
    if report_status is False:
        return frozenset[int]().__contains__
    try:
        codes = frozenset(map(operator.index, report_status))
    except TypeError as error:
        raise TypeError(
            f"report_status is True, False or a collection of status codes, got {report_status!r}"
        ) from error
    return codes.__contains__


def _is_server_error(status: int) -> bool:
    return status >= 500
