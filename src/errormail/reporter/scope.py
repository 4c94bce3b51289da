"""
What surrounds a failure although nobody hands it on: the request at hand, and the values of `context` and `add_context`.

They live in context variables: a thread, a task or a greenlet sees its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

from errormail.report.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from errormail.report.request import RequestSource
    from errormail.reporter.tail import Tail

__all__ = ["SCOPE", "Scope", "add_context", "context", "current_context", "current_scope"]

Decorated = TypeVar("Decorated", bound=Callable[..., object])

_numbers = itertools.count(1)
_NOTHING: Mapping[str, object] = {}
_REMEMBERED = "__errormail_context__"
_ADDED_MAX = DEFAULT_LIMITS.fields
"""A program that adds ever new names must not grow by it: the oldest go."""


class Scope:
    """
    One request while it is served.

    Args:
        source: Called when a report is made: what is known of the request then.
        outer: The scope around it, of a middleware further out: both are of one request.
    """

    __slots__ = ("_source", "facts", "number", "outer", "reported", "tail", "values")

    def __init__(self, source: Callable[[], RequestSource], outer: Scope | None = None) -> None:
        self._source = source
        self.outer: Scope | None = outer
        self.number: int = next(_numbers) if outer is None else outer.number
        """No two requests of a process have the same."""
        self.values: Mapping[str, object] = _NOTHING
        """Of `add_context`; on the outermost scope of a request, as is `tail`. Replaced, never changed."""
        self.tail: Tail | None = None
        """What was logged while it was served."""
        self.reported: bool = False
        """Whether something was reported while it was served."""
        self.facts: dict[str, str] = {}
        """What an inner door knows: ``route`` and ``user``, as in `RequestSource`."""

    @property
    def outermost(self) -> Scope:
        """The first scope of the same request."""
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope

    def source(self) -> RequestSource:
        """Return what is known of the request by now."""
        source = self._source()
        return replace(
            source,
            route=self.facts.get("route") or source.route,
            user=self.facts.get("user") or source.user,
        )


SCOPE: ContextVar[Scope | None] = ContextVar("errormail.scope", default=None)
"""Set by the door that sees a request first, around every call into the application."""

_CONTEXT: ContextVar[Mapping[str, object]] = ContextVar("errormail.context")
_ADDED: ContextVar[Mapping[str, object]] = ContextVar("errormail.added")


def current_scope() -> Scope | None:
    """Return the scope of the request at hand, None outside of one."""
    return SCOPE.get()


class context:  # noqa: N801 -- reads as the statement it is: `with context(order=42):`
    """
    Show *values* in every report made inside the block, and in the report of an exception that leaves it.

    Blocks nest; the innermost value of a name wins. Also a decorator, of coroutine functions too.
    """

    # Not contextlib's: that sets attributes of the exception, which some refuse, and raises in place of it then.
    __slots__ = ("_tokens", "_values")

    def __init__(self, /, **values: object) -> None:
        self._values = values
        self._tokens: list[Token[Mapping[str, object]]] = []

    def __enter__(self) -> None:
        self._tokens.append(_CONTEXT.set({**_CONTEXT.get(_NOTHING), **self._values}))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if exc is not None:
            # Who reports it further out, a middleware say, is no longer inside.
            _remember(exc, _CONTEXT.get(_NOTHING))
        with suppress(ValueError):  # a generator may be closed in another context than it began in
            _CONTEXT.reset(self._tokens.pop())

    def __call__(self, decorated: Decorated, /) -> Decorated:
        from errormail._decorate import decorate

        # Another one at each call: a decorated function may run in several threads at once.
        return decorate(decorated, lambda: context(**self._values))


def add_context(**values: object) -> None:
    """
    Show *values* in every report made from now on: until the end of the request, else of the task or thread.

    Who reports an exception further out in the same request shows them too. A name that was added before gets the new
    value; a block of `context` that has the same name goes before. At most 200 names are kept, the last ones.
    """
    scope = current_scope()
    if scope is None:
        _ADDED.set(_added(_ADDED.get(_NOTHING), values))
    else:
        scope = scope.outermost
        scope.values = _added(scope.values, values)


def _added(values: Mapping[str, object], new: Mapping[str, object]) -> Mapping[str, object]:
    kept = {name: value for name, value in values.items() if name not in new}
    return dict([*kept.items(), *new.items()][-_ADDED_MAX:])


def current_context(exc: BaseException | None) -> dict[str, object]:
    """Return what was added, the values of the blocks that we are in, and of those that *exc* has left."""
    scope = current_scope()
    added = _NOTHING if scope is None else scope.outermost.values
    remembered = _NOTHING if exc is None else _remembered(exc)
    return {**_ADDED.get(_NOTHING), **added, **_CONTEXT.get(_NOTHING), **remembered}


def _remember(exc: BaseException, values: Mapping[str, object]) -> None:
    # By the base class: an exception may have a __setattr__ of its own.
    BaseException.__setattr__(exc, _REMEMBERED, {**values, **_remembered(exc)})


def _remembered(exc: BaseException) -> Mapping[str, object]:
    try:
        values = BaseException.__getattribute__(exc, _REMEMBERED)
    except AttributeError:
        return _NOTHING
    return cast("dict[str, object]", values) if isinstance(values, dict) else _NOTHING
