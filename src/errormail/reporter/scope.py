"""
What surrounds a failure although nobody hands it on: the request at hand, and the values of `context`.

Both live in context variables: a thread, a task or a greenlet sees its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from errormail.report.request import RequestSource

__all__ = ["SCOPE", "Scope", "context", "current_context", "current_scope"]

Decorated = TypeVar("Decorated", bound=Callable[..., object])

_numbers = itertools.count(1)
_REMEMBERED = "__errormail_context__"


class Scope:
    """
    One request while it is served.

    Args:
        source: Called when a report is made: what is known of the request then.
    """

    __slots__ = ("_source", "facts", "number", "reported")

    def __init__(self, source: Callable[[], RequestSource]) -> None:
        self._source = source
        self.number: int = next(_numbers)
        """No two scopes of a process have the same."""
        self.reported: bool = False
        """Whether something was reported while it was served."""
        self.facts: dict[str, str] = {}
        """What an inner door knows: ``route`` and ``user``, as in `RequestSource`."""

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
_NOTHING: Mapping[str, object] = {}


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


def current_context(exc: BaseException | None) -> dict[str, object]:
    """Return the values of the blocks that we are in, and of those that *exc* has left."""
    return {**_CONTEXT.get(_NOTHING), **(_remembered(exc) if exc is not None else {})}


def _remember(exc: BaseException, values: Mapping[str, object]) -> None:
    # By the base class: an exception may have a __setattr__ of its own.
    BaseException.__setattr__(exc, _REMEMBERED, {**values, **_remembered(exc)})


def _remembered(exc: BaseException) -> Mapping[str, object]:
    try:
        values = BaseException.__getattribute__(exc, _REMEMBERED)
    except AttributeError:
        return _NOTHING
    return cast("dict[str, object]", values) if isinstance(values, dict) else _NOTHING
