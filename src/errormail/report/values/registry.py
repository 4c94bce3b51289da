"""
Which types are never evaluated, and which are shown in a way of their own: what we know, and what the program adds.

By name: no library is imported to know its classes, and no class is kept alive for being known.
"""

from __future__ import annotations

import contextvars
import threading
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from errormail.report.objects import module_of, mro_of, qualname_of

__all__ = ["Describer", "is_lazy", "register_type", "registered_for"]

Describer = Callable[[Any], object]
"""Gets an object; returns a text, or a mapping of names to values that is shown field by field."""

# Bare names hold for a class of that name in any module.
_LAZY_NAMES = frozenset(
    {
        *("QuerySet", "BaseQuerySet", "RawQuerySet", "ModelSelect", "Query", "AsyncResult"),
        *("Session", "AsyncSession", "scoped_session", "async_scoped_session"),
        *("Connection", "AsyncConnection", "AppenderMixin", "AbstractCollectionWriter"),
        *("LazyObject", "SimpleLazyObject", "LocalProxy", "LazyProxy", "ObjectProxy"),
        *("Promise", "_LazyString", "LazyString", "LazyModule", "_LazyModule"),
        *("NonCallableMock", "Mock", "Future", "Task", "Response", "StreamingBody"),
        *("UploadFile", "FileStorage", "FileWrapper", "LimitedStream", "StreamReader"),
        *("SpooledTemporaryFile", "_TemporaryFileWrapper"),
        "django.core.paginator.Paginator",  # counts its rows to say how many pages there are
        "django.core.paginator.Page",
        "sqlalchemy.engine.result.Result",
        "sqlalchemy.engine.result.ScalarResult",
        *("socket.socket", "_socket.socket", "weakref.WeakKeyDictionary"),
        *("weakref.WeakValueDictionary", "_weakrefset.WeakSet"),
    }
)
"""Shown by type: what would ask a database, open a proxy, read a file or wait when it is looked at."""
# Their reprs hold, or ask, that of the object which they lead to; or say nothing but an address.
_LAZY_TYPES = (
    *(weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType),
    *(contextvars.ContextVar, contextvars.Token, contextvars.Context),
    *(type(threading.Lock()), type(threading.RLock()), threading.local, memoryview),
)

_lock = threading.Lock()
_registered: Mapping[str, Describer | None] = MappingProxyType({})
decided: dict[int, tuple[weakref.ref[type], Any]] = {}
"""What `kinds.plan_of` has decided, by id of the type, as long as that lives. Another dict after each `register_type`."""


def register_type(cls: type | str, describe: Describer | None = None) -> None:
    """
    Say how a report shows objects of *cls*, and of what is derived from it.

    Args:
        cls: The class; or its name, with its module (``"shop.cart.Cart"``) so that it need not be imported, or without,
            for classes of that name in any module.
        describe: Called with the object while the failure is captured, within the time for all values. A text that it
            returns is shown as it is, of a mapping each value under its name; both redacted and bounded as any
            other value is. It may fail: then the report says so. Without it, objects show as their type only, and
            nothing of them is ever evaluated.

    What is said last holds. May be called from any thread, at any time.
    """
    global _registered, decided
    name = cls if isinstance(cls, str) else f"{module_of(cls)}.{qualname_of(cls)}"
    with _lock:
        _registered = MappingProxyType({**_registered, name: describe})
        decided = {}


def registered_for(cls: type) -> tuple[Describer | None] | None:
    """Return what was registered for the nearest of the classes of *cls*, in a tuple; None if nothing was."""
    registered = _registered
    if not registered:
        return None
    for base in mro_of(cls):
        for name in (f"{module_of(base)}.{qualname_of(base)}", _bare(base)):
            if name in registered:
                return (registered[name],)
    return None


def is_lazy(cls: type) -> bool:
    """Return whether one of the classes of *cls* is one that is never evaluated."""
    return any(
        any(base is lazy for lazy in _LAZY_TYPES)
        or f"{module_of(base)}.{qualname_of(base)}" in _LAZY_NAMES
        or _bare(base) in _LAZY_NAMES
        for base in mro_of(cls)
    )


def _bare(cls: type) -> str:
    return qualname_of(cls).rpartition(".")[2]
