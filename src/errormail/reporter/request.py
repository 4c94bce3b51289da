"""Which request a failure is of: what the door gave, what the log record carries, the one at hand, or two of them as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from errormail._contain import contained
from errormail.report.request import RequestSource
from errormail.reporter.scope import current_scope

if TYPE_CHECKING:
    from errormail.reporter import Failure

__all__ = ["object_of", "request_of"]


def request_of(failure: Failure) -> object | None:
    """Return the request of *failure*, None if it has none: a `RequestSource`, or a request of any shape."""
    scope = current_scope()
    given = failure.request
    if given is None and failure.record is not None:
        given = failure.record.__dict__.get("request")
    if scope is None:
        return given
    source = None
    with contained("request at hand"):
        source = scope.source()
    if source is None or given is None:
        return given if source is None else source
    # The middleware knows the body and the time, the object the user: both, if they are of the same request.
    return replace(source, request=given) if _same(given, source.request) else given


def object_of(request: object | None) -> object | None:
    """Return what the program knows as the request."""
    return request.request if type(request) is RequestSource else request


def _same(given: object, environ: object) -> bool:
    """Return whether *given* is a request made of the WSGI *environ*, or of a copy of it: they share the body."""
    try:
        # An attribute everywhere but in proxies.
        own: object = getattr(given, "environ", None)
        own = cast("object", given) if isinstance(given, Mapping) else own
        if not isinstance(environ, Mapping) or not isinstance(own, Mapping):
            return False
        ours = cast("Mapping[object, object]", environ).get("wsgi.input")
        return ours is not None and cast("Mapping[object, object]", own).get("wsgi.input") is ours
    except BaseException:  # noqa: BLE001 -- a proxy that is bound to nothing, a property that fails
        return False
