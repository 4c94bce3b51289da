"""
Any object as a short text: bounded before it is formatted, redacted before it is cut, computing nothing.

Containers and objects with declared fields (named tuples, dataclasses, attrs, pydantic, Django and SQLAlchemy models)
are taken apart here, so that redaction sees the names and a million items cost what fifty cost. Anything else shows what
its own `__repr__` says, if its type defines one and time is left, or its type. What would work when it is looked at
(querysets, lazy proxies, generators, files, mocks) always shows as its type.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import io
import os
import pathlib
import time
import types
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, cast

from errormail._contain import contained
from errormail.report.limits import Limits
from errormail.report.model import REDACTED
from errormail.report.objects import (
    defined_in,
    dict_get,
    encodable,
    exact_str,
    is_a,
    module_of,
    mro_of,
    qualname_of,
    sequence_items,
    stored,
    stored_attributes,
    type_name,
)
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

_PLAIN = (bool, type(None), float, complex, type(...), type(NotImplemented))
_SIMPLE = (
    *(
        datetime.date,
        datetime.time,
        datetime.timedelta,
        datetime.tzinfo,
        decimal.Decimal,
        uuid.UUID,
    ),
    *(fractions.Fraction, pathlib.PurePath, range),
)
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}
_VIEWS = (type({}.keys()), type({}.values()), type({}.items()))
_INT_BITS = 4_000
"""Of a number that is written out; Python refuses more than 4,300 digits, and takes long below that."""
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
        self.exceeded = False
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
        elif cls in _PLAIN:
            text = repr(value)
        elif is_a(value, int) and not is_a(value, enum.Enum):
            text = self._integer(cast("int", value))
        elif is_a(value, type):
            text = f"<class '{type_name(cast('type', value))}'>"
        elif cls in _CODE:
            text = _code(value)
        elif (composite := self._composite(value)) is not None:
            return self._nested(value, composite, depth)
        else:
            text = self._opaque(value)
        self.room -= len(text)
        return text

    # Leaves

    def _string(self, value: object) -> str:
        """The quotes, escapes and prefix of repr(), of the begin of a string."""
        chars = max(min(self.limits.value_chars, self.room), 20)
        if is_a(value, str):
            length = str.__len__(cast("str", value))
            text = repr(self.redactor.bounded(cast("str", value), chars))
        else:
            kind = bytes if is_a(value, bytes) else bytearray
            cut: Callable[[object, slice], bytes] = cast("Any", kind).__getitem__
            length = cast("Any", kind).__len__(value)
            begin = cut(value, slice(0, chars + self.redactor.margin + 1)).decode("latin-1")
            text = repr(self.redactor.bounded(begin, chars).encode("latin-1"))
            text = text if kind is bytes else f"bytearray({text})"
        if length <= chars:
            return text
        unit = "characters" if is_a(value, str) else "bytes"
        note = f" <{length:,} {unit}>"
        return text[: max(chars - len(note), 20)] + note

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
        if is_a(value, io.IOBase) or _is_lazy(cls):
            return f"<{name}>"
        if defined is None or (not is_a(value, *_SIMPLE) and _is_iterator(cls)):
            return f"<{name} object>" if defined is None else f"<{name}>"
        if self.budget.is_spent():
            return f"<{name}>"
        text, succeeded = safe_repr(value)
        if not succeeded:
            return text
        return self.redactor.bounded(text, max(min(self.limits.value_chars, self.room), 20))

    # What has parts

    def _composite(self, value: object) -> _Composite | None:
        cls = type(value)
        name = qualname_of(cls)
        if is_a(value, dict):
            return _Composite(
                "{" if cls is dict else f"{name}({{",
                "}" if cls is dict else "})",
                dict.__len__(cast("dict[object, object]", value)),
                pairs=lambda: _dict_items(value),
                separator=": ",
            )
        if cls in {types.MappingProxyType, os._Environ}:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- its type has no public name
            return _mapping(value, name)
        if (fields := _fields(value)) is not None:
            return _Composite(f"{name}(", ")", len(fields), pairs=lambda: fields, separator="=")
        for kind, (opening, closing) in _BRACKETS.items():
            if is_a(value, kind):
                if cls is not kind:
                    opening, closing = f"{name}({opening}", f"{closing})"
                size = cast("Any", kind).__len__(value)
                return _Composite(opening, closing, size, items=lambda: sequence_items(value))
        if cls in _VIEWS:
            view = cast("Iterable[object]", value)
            return _Composite(f"{name}([", "])", len(cast("Any", value)), items=lambda: view)
        if is_a(value, BaseException) and _has_builtin_repr(cls):
            args = cast("Any", BaseException.__dict__["args"]).__get__(value)
            return _Composite(f"{name}(", ")", len(args), items=lambda: sequence_items(args))
        return None

    def _nested(self, value: object, composite: _Composite, depth: int) -> str:
        opening, closing = composite.opening, composite.closing
        if id(value) in self.inside or (depth >= self.limits.depth and composite.size):
            self.room -= 5
            return f"{opening}...{closing}"
        self.inside.add(id(value))
        self.room -= len(opening) + len(closing)
        try:
            parts = self._parts(composite, depth)
        except RuntimeError as error:  # another thread changes the container
            if is_a(error, RecursionError):
                raise
            parts = ["<changed while it was read>"]
        finally:
            self.inside.discard(id(value))
        if composite.size == 1 and type(value) is tuple:
            closing = ",)"
        if composite.opening == "{" and is_a(value, set) and not composite.size:
            return "set()"
        return opening + ", ".join(parts) + closing

    def _parts(self, composite: _Composite, depth: int) -> list[str]:
        parts: list[str] = []
        bound = self.limits.items
        if composite.pairs is not None:
            pairs = list(islice(composite.pairs(), bound))
            hidden_by_name = _value_is_secret(pairs, self.redactor)
            for name, item in pairs:
                if self._is_full():
                    break
                parts.append(
                    self._pair(name, item, composite.separator, depth, hidden=hidden_by_name)
                )
        else:
            items = list(islice(composite.items(), bound))
            is_pair = composite.opening.endswith("(") and composite.size == 2
            for index, item in enumerate(items):
                if self._is_full():
                    break
                if (is_pair and index == 1 and self._hides(items[0])) or self._is_secret_list(item):
                    parts.append(self._hidden_in_pair(item, alone=is_pair and index == 1))
                else:
                    parts.append(self.describe(item, depth + 1))
                self.room -= 2
        if len(parts) < composite.size:
            parts.append(f"... {composite.size - len(parts):,} more")
        return parts

    def _pair(self, name: object, item: object, separator: str, depth: int, *, hidden: bool) -> str:
        shown = exact_str(name) if separator == "=" else self.describe(name, depth + 1)
        self.room -= 4
        if self._hides(name) or (hidden and name == "value"):
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

    def _is_secret_list(self, item: object) -> bool:
        """Is it ``["cookie", "..."]``, an entry of a list of lists?"""
        if not is_a(item, list) or list.__len__(cast("list[object]", item)) != 2:
            return False
        return self._hides(next(sequence_items(item), None))

    def _hidden_in_pair(self, item: object, *, alone: bool) -> str:
        self.room -= len(REDACTED)
        if alone:
            return REDACTED
        return f"[{self.describe(next(sequence_items(item), None), self.limits.depth)}, {REDACTED}]"

    def _is_full(self) -> bool:
        return self.room <= 0 or self.budget.is_spent()


class _Composite:
    """How something that has parts is written. *pairs* or *items* gives them, when they are wanted."""

    __slots__ = ("closing", "items", "opening", "pairs", "separator", "size")

    def __init__(
        self,
        opening: str,
        closing: str,
        size: int,
        *,
        items: Callable[[], Iterable[object]] = tuple,
        pairs: Callable[[], Iterable[tuple[object, object]]] | None = None,
        separator: str = "",
    ) -> None:
        self.opening = opening
        self.closing = closing
        self.size = size
        self.items = items
        self.pairs = pairs
        self.separator = separator


def _dict_items(value: object) -> Iterator[tuple[object, object]]:
    return iter(dict.items(cast("dict[object, object]", value)))


def _mapping(value: object, name: str) -> _Composite | None:
    """A read-only view of a mapping, `os.environ`: their items are stored, but in a mapping of another type perhaps."""
    mapping = cast("Mapping[object, object]", value)
    try:
        return _Composite(
            f"{name}({{", "})", len(mapping), pairs=lambda: iter(mapping.items()), separator=": "
        )
    except Exception:  # noqa: BLE001 -- a view of a foreign mapping
        return None


def _value_is_secret(pairs: list[tuple[object, object]], redactor: Redactor) -> bool:
    """Is it ``{"name": "password", "value": "..."}``?"""
    if len(pairs) > 12:
        return False
    texts = {exact_str(name): item for name, item in pairs if is_a(name, str)}
    if "value" not in texts:
        return False
    names = (name_text(texts[key]) for key in _PAIR_NAMES if key in texts)
    return any(name is not None and redactor.hides(name) for name in names)


def _fields(value: object) -> list[tuple[object, object]] | None:
    """
    Return names and values of an object that declares its fields; None if it does not, or has a `__repr__` of its own.

    Fields that the class keeps out of its repr (``field(repr=False)``) are left out here too.
    """
    cls = type(value)
    names: list[str] | None = None
    if is_a(value, tuple):
        declared = defined_in(cls, "_fields")
        if declared is None or not is_a(declared[1], tuple):
            return None
        texts = [exact_str(name) for name in sequence_items(declared[1])]
        return list(zip(texts, sequence_items(value), strict=False))
    if declared := defined_in(cls, "__dataclass_fields__"):
        fields = declared[1] if is_a(declared[1], dict) else {}
        names = [
            exact_str(name) for name, field in _dict_items(fields) if stored(field, "repr") is True
        ]
        generated = _is_generated_repr(cls)
    elif declared := defined_in(cls, "__attrs_attrs__"):
        names = [
            exact_str(stored(field, "name"))
            for field in sequence_items(declared[1])
            if stored(field, "repr") is True
        ]
        generated = _is_generated_repr(cls)
    elif defined_in(cls, "__pydantic_fields__") or defined_in(cls, "__pydantic_validator__"):
        declared = defined_in(cls, "__pydantic_fields__")
        fields = declared[1] if declared and is_a(declared[1], dict) else {}
        names = [
            name
            for name in stored_attributes(value)
            if stored(dict_get(fields, name), "repr", True) is True
        ]
        generated = _repr_is_from(cls, "pydantic")
    elif _is_model(cls, value):
        names = [name for name in stored_attributes(value) if not name.startswith("_")]
        generated = True  # their own repr may ask the database
    else:
        return None
    if not generated:
        return None
    missing = object()
    found = [(name, stored(value, name, missing)) for name in names]
    return [(name, item) for name, item in found if item is not missing]


def _is_generated_repr(cls: type) -> bool:
    """dataclasses and attrs compile the repr that they make under a name that is no file."""
    defined = defined_in(cls, "__repr__")
    function = defined[1] if defined else None
    function = stored(function, "__wrapped__", function)
    return type(function) is types.FunctionType and function.__code__.co_filename.startswith("<")


def _repr_is_from(cls: type, package: str) -> bool:
    defined = defined_in(cls, "__repr__")
    return defined is not None and module_of(defined[0]).partition(".")[0] == package


def _has_builtin_repr(cls: type) -> bool:
    defined = defined_in(cls, "__repr__")
    return defined is not None and module_of(defined[0]) == "builtins"


def _is_model(cls: type, value: object) -> bool:
    """Is it an object of a database row: Django, SQLAlchemy?"""
    if "_sa_instance_state" in stored_attributes(value):
        return True
    return any(
        qualname_of(base) == "Model" and module_of(base) == "django.db.models.base"
        for base in mro_of(cls)
    )


def _is_lazy(cls: type) -> bool:
    """Does looking at it do work? By the names of its classes, and by what only querysets have."""
    return any(
        qualname_of(base) in LAZY_TYPES or type_name(base) in LAZY_TYPES for base in mro_of(cls)
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
    if type(function) in {types.FunctionType, types.BuiltinFunctionType}:
        named = cast("types.FunctionType", function)
        return encodable(exact_str(named.__qualname__)[:200])
    return type_name(type(function))
