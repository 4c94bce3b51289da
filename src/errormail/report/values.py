"""
Any object as a short text: bounded before it is formatted, redacted before it is cut, computing nothing.

Containers and objects with declared fields (named tuples, dataclasses, attrs, pydantic, Django and SQLAlchemy models)
are taken apart here, so that redaction sees the names and a million items cost what fifty cost. Anything else shows what
its own `__repr__` says, if its type defines one and time is left, or its type. What would work when it is looked at
(querysets, lazy proxies, generators, files, mocks) always shows as its type.
"""

from __future__ import annotations

import enum
import io
import re
import time
import types
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

from errormail._contain import contained
from errormail.report.limits import Limits
from errormail.report.model import REDACTED
from errormail.report.objects import (
    defined_in,
    encodable,
    exact_str,
    is_a,
    mro_of,
    qualname_of,
    sequence_items,
    size_of,
    stored,
    type_name,
)
from errormail.report.parts import Parts, parts_of
from errormail.report.redact import Redactor

__all__ = ["LAZY_TYPES", "Budget", "describe", "name_text", "safe_repr", "safe_str"]

LAZY_TYPES = {
    *("QuerySet", "BaseQuerySet", "RawQuerySet", "ModelSelect", "Query", "AsyncResult"),
    *("Session", "AsyncSession", "scoped_session", "Connection", "AsyncConnection"),
    *(
        "LazyObject",
        "SimpleLazyObject",
        "LocalProxy",
        "LazyProxy",
        "ObjectProxy",
        "Promise",
        "_LazyString",
    ),
    *(
        "NonCallableMock",
        "Mock",
        "Future",
        "Response",
        "StreamingBody",
        "UploadFile",
        "FileStorage",
    ),
    *(
        "FileWrapper",
        "LimitedStream",
        "StreamReader",
        "SpooledTemporaryFile",
        "_TemporaryFileWrapper",
    ),
}
"""Objects with a class of one of these names among theirs are shown by type. A program may add to it."""

# By id: a metaclass may define __eq__ and __hash__.
_PLAIN = {id(cls) for cls in (bool, type(None), float, complex, type(...), type(NotImplemented))}
_FUNCTIONS = {id(types.FunctionType), id(types.BuiltinFunctionType)}
_CODE = _FUNCTIONS | {id(types.MethodType), id(types.ModuleType)}
_FILE = io.IOBase.__bases__[0]
"""What all files are derived from; `io.IOBase` itself would ask the class, as each abstract one does."""
_INT_BITS = 4_000
"""Of a number that is written out; Python refuses more than 4,300 digits, and takes long below that."""
_PAIR_NAME = re.compile(r"[^\s=]{1,100}")
_PAIR_NAMES = ("name", "key", "field", "header")


class Budget:
    """
    The time that all values of one report may take together.

    Args:
        seconds: From now on.
        clock: Seconds, monotonic.
    """

    __slots__ = ("_clock", "_deadline", "exceeded")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self.exceeded: bool = False
        """Something was left out for it."""

    def is_spent(self) -> bool:
        """Return whether the time is over."""
        if not self.exceeded:
            self.exceeded = self._clock() > self._deadline
        return self.exceeded


def describe(value: object, *, limits: Limits, redactor: Redactor, budget: Budget) -> str:
    """
    Return *value* as text of at most ``limits.value_chars`` characters. Never raises.

    Returns:
        Encodable text, as `repr` would have it where it is short: ``'CHF'``, ``{'a': 1, ... 499,950 more}``,
        ``<Order: repr raised KeyError>``, ``<QuerySet>``.
    """
    try:
        with contained("value"):
            text = _Describer(limits, redactor, budget).describe(value, 0)
            chars = limits.value_chars
            return encodable(text if len(text) <= chars else text[: max(chars - 3, 0)] + "...")
    except RecursionError:  # reported from very deep in a recursion: no room for us
        pass
    return "<value: not shown>"


def safe_repr(value: object) -> tuple[str, bool]:
    """Return what the own `__repr__` of *value* says, whatever its length, and whether it succeeded. Never raises."""
    return _call(repr, value, "repr")


def safe_str(value: object) -> tuple[str, bool]:
    """Return ``str(value)``, whatever its length, and whether it succeeded. Never raises."""
    return _call(str, value, "str")


def name_text(name: object) -> str | None:
    """Return *name* as plain text if it is one (`str`, `bytes`, an enum of one), to ask `Redactor.hides`; else None."""
    if is_a(name, str):
        return exact_str(name)
    if is_a(name, bytes):
        return bytes.__getitem__(cast("bytes", name), slice(0, 1000)).decode("latin-1")
    if is_a(name, enum.Enum):
        return exact_str(stored(name, "_value_")) or None
    return None


def _call(function: Callable[[object], str], value: object, name: str) -> tuple[str, bool]:
    try:
        return exact_str(function(value)), True
    except BaseException as error:  # noqa: BLE001 -- a foreign __repr__ may even raise SystemExit
        return f"<{type_name(type(value))}: {name} raised {type_name(type(error))}>", False


class _Describer:
    """One value: how much room is left for it, and what it is inside of."""

    __slots__ = ("budget", "inside", "limits", "redactor", "room")

    def __init__(self, limits: Limits, redactor: Redactor, budget: Budget) -> None:
        self.limits = limits
        self.redactor = redactor
        self.budget = budget
        self.room = limits.value_chars
        self.inside: set[int] = set()
        """Ids of the containers around: a list in itself shows as ``[...]``."""

    def describe(self, value: object, depth: int) -> str:
        cls = type(value)
        if is_a(value, str, bytes, bytearray):
            text = self._string(value)
        elif id(cls) in _PLAIN:
            text = repr(value)
        elif is_a(value, int) and not is_a(value, enum.Enum):
            text = self._integer(cast("int", value))
        elif is_a(value, type):
            text = f"<class '{type_name(cast('type', value))}'>"
        elif id(cls) in _CODE:
            text = _code(value)
        elif (parts := parts_of(value)) is not None:
            return self._nested(value, parts, depth)
        else:
            text = self._opaque(value)
        self.room -= len(text)
        return text

    # Leaves

    def _string(self, value: object) -> str:
        """The quotes, escapes and prefix of repr(), of the begin of a string."""
        chars = max(min(self.limits.value_chars, self.room), 20)
        kind = str if is_a(value, str) else bytes if is_a(value, bytes) else bytearray
        size = size_of(value, kind)
        note = f" <{size:,} {'characters' if kind is str else 'bytes'}>" if size > chars else ""
        chars = max(chars - len(note) - 3, 17)
        if kind is str:
            text = repr(self.redactor.bounded(cast("str", value), chars))
        else:
            # One byte more than is needed, so that it is known to have been cut.
            begin = slice(0, chars + self.redactor.margin + 1)
            data: bytes = cast("Any", kind).__getitem__(value, begin)
            text = self.redactor.bounded(data.decode("latin-1"), chars)
            text = repr(kind(text.encode("latin-1")))
        return (
            text if REDACTED in text else text + note
        )  # the length of a secret is told by nothing

    def _integer(self, value: int) -> str:
        bits = int.bit_length(value)
        if bits > _INT_BITS:
            return f"<int of {bits:,} bits>"
        return self.redactor.text(int.__repr__(value))  # a card's number

    def _opaque(self, value: object) -> str:
        """Something whose inside is not known: what its own `__repr__` says, or its type."""
        cls = type(value)
        name = type_name(cls)
        defined = defined_in(cls, "__repr__")
        if is_a(value, _FILE) or _is_lazy(cls):
            return f"<{name}>"
        if defined is None:
            return f"<{name} object>"
        if _is_iterator(cls) or self.budget.is_spent():
            return f"<{name}>"
        text, succeeded = safe_repr(value)
        if not succeeded:
            return text
        return self.redactor.bounded(text, max(min(self.limits.value_chars, self.room), 20))

    # What has parts

    def _nested(self, value: object, parts: Parts, depth: int) -> str:
        opening, closing = parts.opening, parts.closing
        if id(value) in self.inside or (depth >= self.limits.depth and parts.size):
            self.room -= 5
            return f"{opening}...{closing}"
        self.inside.add(id(value))
        self.room -= len(opening) + len(closing)
        try:
            texts = self._texts(parts, depth)
        except RecursionError:
            raise
        except RuntimeError:  # another thread changes the container
            texts = ["<changed while it was read>"]
        finally:
            self.inside.discard(id(value))
        if parts.size == 1 and opening == "(":
            closing = ",)"
        if opening == "{" and not parts.size and parts.pairs is None:
            return "set()"
        return f"{opening}{', '.join(texts)}{closing}"

    def _texts(self, parts: Parts, depth: int) -> list[str]:
        texts: list[str] = []
        bound = self.limits.items
        if parts.pairs is not None:
            pairs = list(islice(parts.pairs(), bound))
            hidden_by_name = _value_is_secret(pairs, self.redactor)
            for name, item in pairs:
                if self._is_full():
                    break
                texts.append(self._pair(name, item, parts.separator, depth, hidden=hidden_by_name))
        else:
            items = list(islice(parts.items(), bound))
            is_secret_pair = parts.is_tuple and self._is_secret_pair(items)
            for index, item in enumerate(items):
                if self._is_full():
                    break
                if is_secret_pair and index == 1:
                    texts.append(REDACTED)
                elif is_a(item, list) and self._is_secret_pair(
                    list(islice(sequence_items(item), 3))
                ):
                    name = self.describe(next(sequence_items(item)), depth + 2)
                    texts.append(f"[{name}, {REDACTED}]")
                else:
                    texts.append(self.describe(item, depth + 1))
                self.room -= 2
        if len(texts) < parts.size:
            texts.append(f"... {parts.size - len(texts):,} more")
        return texts

    def _pair(self, name: object, item: object, separator: str, depth: int, *, hidden: bool) -> str:
        shown = exact_str(name) if separator == "=" else self.describe(name, depth + 1)
        self.room -= 4
        if self._hides(name) or (hidden and exact_str(name) == "value"):
            self.room -= len(REDACTED)
            return f"{shown}{separator}{REDACTED}"
        return f"{shown}{separator}{self.describe(item, depth + 1)}"

    def _hides(self, name: object) -> bool:
        """A name that is a tuple counts by its members."""
        if is_a(name, tuple):
            members = islice(sequence_items(name), self.limits.items)
            return any(self._hides(member) for member in members if not is_a(member, tuple))
        text = name_text(name)
        return text is not None and self.redactor.hides(text)

    def _is_secret_pair(self, items: list[object]) -> bool:
        """Is it ``("cookie", "...")``: a name, no sentence, and a value?"""
        name = name_text(items[0]) if len(items) == 2 else None
        return bool(name and _PAIR_NAME.fullmatch(name)) and self._hides(name)

    def _is_full(self) -> bool:
        return self.room <= 0 or self.budget.is_spent()


def _value_is_secret(pairs: list[tuple[object, object]], redactor: Redactor) -> bool:
    """Is it ``{"name": "password", "value": "..."}``?"""
    if len(pairs) > 12:
        return False
    texts = {exact_str(name): item for name, item in pairs if is_a(name, str)}
    if "value" not in texts:
        return False
    names = (name_text(texts[key]) for key in _PAIR_NAMES if key in texts)
    return any(name is not None and redactor.hides(name) for name in names)


def _is_lazy(cls: type) -> bool:
    """Does looking at it do work? By the names of its classes, and by what only querysets have."""
    return any(
        qualname_of(base).rpartition(".")[2] in LAZY_TYPES or type_name(base) in LAZY_TYPES
        for base in mro_of(cls)
    ) or (defined_in(cls, "_fetch_all") is not None)


def _is_iterator(cls: type) -> bool:
    return any(
        defined_in(cls, name) is not None for name in ("__next__", "__anext__", "__await__", "send")
    )


def _code(value: object) -> str:
    """Functions, methods and modules by name: the repr of a bound method would call that of its object."""
    if type(value) is types.MethodType:
        return f"<bound method {_function_name(value.__func__)}>"
    if type(value) is types.ModuleType:
        return f"<module {exact_str(stored(value, '__name__'))[:200]!r}>"
    kind = "function" if type(value) is types.FunctionType else "built-in function"
    return f"<{kind} {_function_name(value)}>"


def _function_name(function: object) -> str:
    if id(type(function)) in _FUNCTIONS:
        named = cast("types.FunctionType", function)
        return encodable(exact_str(named.__qualname__)[:200])
    return type_name(type(function))
