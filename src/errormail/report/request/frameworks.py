"""
Where the requests of different frameworks keep what they are made of: found by its shape, no framework is imported.

Nearly all of them stand on a WSGI environ (PEP 3333) or an ASGI scope. Only what is *stored* is read: an instance's own
dict, or a slot. Properties and ``__getattr__`` are not called, so that nothing is parsed, no body is read, no lazy user
is looked up in a database, and a request whose every attribute raises does no harm.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from errormail.report.objects import (
    dict_get,
    exact_str,
    is_a,
    module_of,
    mro_of,
    qualname_of,
    stored,
)

__all__ = [
    "Carrier",
    "adhoc_attribute",
    "carrier_of",
    "comes_from",
    "current_request",
    "first",
    "mapping_of",
]

T = TypeVar("T")

WRAPPERS = 5
"""How many proxies and wrappers around a request are opened."""
ENVIRONS = ("environ", "env", "META", "wsgi_environ")
"""Attributes that hold an environ: Werkzeug, WebOb and Django; Falcon; Django without a server; CherryPy."""


class Carrier:
    """What a request is made of. Each part is None where the framework has none."""

    __slots__ = ("environ", "objects", "scope", "state")

    def __init__(
        self,
        environ: dict[str, object] | None = None,
        scope: dict[str, object] | None = None,
        state: dict[str, object] | None = None,
        objects: Sequence[object] = (),
    ) -> None:
        self.environ: dict[str, object] | None = environ
        """WSGI's, or Django's META."""
        self.scope: dict[str, object] | None = scope
        """ASGI's, of type http or websocket."""
        self.state: dict[str, object] | None = state
        """aiohttp's own mapping in the request."""
        self.objects: tuple[object, ...] = tuple(objects)
        """The framework's request, and what it wraps: where parsed forms, users and routes lie."""

    def in_environ(self, name: str) -> object | None:
        """Return what the environ has under *name*."""
        return None if self.environ is None else dict_get(self.environ, name)

    def in_scope(self, name: str) -> object | None:
        """Return what the scope has under *name*."""
        return None if self.scope is None else dict_get(self.scope, name)

    def stored(self, *names: str) -> object | None:
        """Return what one of the objects keeps under one of *names*, the first that is not None."""
        return first(*(stored(each, name) for each in self.objects for name in names))


def carrier_of(request: object) -> Carrier | None:
    """Return what *request* is made of, None if it is no request of a known shape. Never raises."""
    try:
        return _carrier(request)
    except BaseException:  # noqa: BLE001 -- a foreign object; what it does is not known
        return None


def adhoc_attribute(carrier: Carrier, name: str) -> object | None:
    """Return what a program has set on a request: as an attribute (WebOb keeps those in its environ), in aiohttp as an item."""
    adhoc = mapping_of(carrier.in_environ("webob.adhoc_attrs"))
    return first(
        carrier.stored(name),
        None if adhoc is None else dict_get(adhoc, name),
        None if carrier.state is None else dict_get(carrier.state, name),
    )


def comes_from(value: object, module: str, name: str) -> bool:
    """Return whether the class of *value*, or one it derives from, is *name* of *module* or of a module below."""
    return any(
        qualname_of(cls) == name and f"{module_of(cls)}.".startswith(f"{module}.")
        for cls in mro_of(type(value))
    )


def first(*values: T | None) -> T | None:
    """Return the first of *values* that is not None. `or` would ask a foreign object whether it is true."""
    return next((value for value in values if value is not None), None)


def mapping_of(value: object) -> dict[str, object] | None:
    """Return *value* itself if it is a dict, a copy if it is another mapping, else None. Never raises."""
    try:
        if is_a(value, dict):
            return cast("dict[str, object]", value)
        if is_a(value, Mapping):
            return dict(cast("Mapping[str, object]", value))
    except BaseException:  # noqa: BLE001, S110 -- a foreign mapping
        pass
    return None


def current_request() -> object | None:
    """Return the request that Flask or Quart has bound to this context, None if there is none. Never raises."""
    for name in ("flask", "quart"):
        module = sys.modules.get(name)
        try:
            if module is not None and module.has_request_context():
                return cast("object", module.request._get_current_object())  # noqa: SLF001 -- Werkzeug documents it
        except BaseException:  # noqa: BLE001, S110 -- half-imported, or another thing of that name
            pass
    return None


def _carrier(request: object) -> Carrier | None:
    objects = _opened(request)
    for each in objects:
        if comes_from(each, "aiohttp.web_request", "BaseRequest"):
            return Carrier(state=_plain_dict(stored(each, "_state")), objects=objects)
        if is_a(each, dict):
            return _of_mapping(cast("dict[str, object]", each))
    for each in objects:
        environ = first(*(_environ(each, name) for name in ENVIRONS))
        scope = mapping_of(_kept(each, "scope"))
        if scope is not None and not _is_scope(scope):
            scope = None
        if environ is None and scope is None and comes_from(each, "django.http", "HttpRequest"):
            environ = _plain_dict(stored(each, "META"))  # HttpRequest(), as tests make it
        if environ is not None or scope is not None:
            return Carrier(environ, scope, objects=objects)
    copy = mapping_of(request)  # last, for Starlette's request is a mapping as well
    return None if copy is None else _of_mapping(copy)


def _of_mapping(own: dict[str, object]) -> Carrier | None:
    if _is_environ(own):
        # Werkzeug puts its request there: from it a middleware outside learns what was parsed.
        inner = dict_get(own, "werkzeug.request")
        return Carrier(environ=own, objects=() if inner is None else (inner,))
    return Carrier(scope=own) if _is_scope(own) else None


def _opened(request: object) -> list[object]:
    """Return *request*, what it stands for if it is a proxy, and what that wraps."""
    objects = [request]
    for _ in range(WRAPPERS):
        value = objects[-1]
        inner = None
        if comes_from(value, "werkzeug.local", "LocalProxy"):
            current = object.__getattribute__(value, "_get_current_object")
            inner = current()  # raises RuntimeError outside of a request
            objects.clear()
        elif comes_from(value, "rest_framework.request", "Request"):
            inner = stored(value, "_request")
        if inner is None:
            break
        objects.append(inner)
    return objects


def _environ(value: object, name: str) -> dict[str, object] | None:
    own = mapping_of(_kept(value, name))
    return own if own is not None and _is_environ(own) else None


def _kept(value: object, name: str) -> object | None:
    """Return what is stored, else what a property of Bottle or CherryPy gives: those keep it per thread."""
    found = stored(value, name)
    if found is None and (
        comes_from(value, "bottle", "BaseRequest") or comes_from(value, "cherrypy", "Request")
    ):
        found = getattr(value, name, None)
    return found


def _is_environ(own: dict[str, object]) -> bool:
    return is_a(dict_get(own, "REQUEST_METHOD"), str)


def _is_scope(own: dict[str, object]) -> bool:
    kind = exact_str(dict_get(own, "type"))
    return kind in ("http", "websocket") and dict_get(own, "headers") is not None


def _plain_dict(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if type(value) is dict else {}
