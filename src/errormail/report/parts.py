"""What an object consists of: the parts that are stored in it, found without running any of its code."""

from __future__ import annotations

import os
import types
from array import array
from collections import UserDict, UserList, deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, cast

from errormail.report.objects import (
    defined_in,
    dict_get,
    dict_items,
    exact_str,
    is_a,
    module_of,
    mro_of,
    qualname_of,
    sequence_items,
    size_of,
    stored,
    stored_attributes,
)

__all__ = ["Parts", "parts_of"]

_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}
_ENVIRON_ITEMS = 1_000
"""Looked at in a WSGI environ: some servers put the environment of the process into it."""
_VIEWS = {"dict_keys", "dict_values", "dict_items", "odict_keys", "odict_values", "odict_items"}
_MISSING = object()
_exception: Mapping[str, Any] = BaseException.__dict__


class Parts:
    """
    How something that has parts is written: ``opening + parts + closing``.

    Args:
        size: How many parts there are.
        items: Gives them, when they are wanted, of a sequence or set.
        pairs: Gives them, names and values, of anything else.
        separator: Between name and value: "=" for fields, ": " for keys.
    """

    __slots__ = ("closing", "is_tuple", "items", "opening", "pairs", "separator", "size")

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
        self.opening: str = opening
        self.closing: str = closing
        self.size: int = size
        self.items: Callable[[], Iterable[object]] = items
        self.pairs: Callable[[], Iterable[tuple[object, object]]] | None = pairs
        self.separator: str = separator
        self.is_tuple: bool = False


def parts_of(value: object) -> Parts | None:
    """Return what *value* consists of; None where only its own `__repr__` knows."""
    cls = type(value)
    name = qualname_of(cls)
    if is_a(value, dict):
        opening, closing = ("{", "}") if cls is dict else (f"{name}({{", "})")
        if dict_get(value, "wsgi.input") is not None:
            own = _of_the_request(value)
            return Parts(opening, closing, len(own), pairs=lambda: own, separator=": ")
        return Parts(
            opening, closing, size_of(value, dict), pairs=lambda: dict_items(value), separator=": "
        )
    if (fields := _fields(value)) is not None:
        return Parts(f"{name}(", ")", len(fields), pairs=lambda: fields, separator="=")
    for kind, (opening, closing) in _BRACKETS.items():
        if is_a(value, kind):
            if cls is not kind:
                opening, closing = f"{name}({opening}", f"{closing})"
            size = size_of(value, kind)
            parts = Parts(opening, closing, size, items=lambda: sequence_items(value))
            parts.is_tuple = kind is tuple
            return parts
    if is_a(value, BaseException) and _repr_is_from(cls, "builtins"):
        args: tuple[object, ...] = _exception["args"].__get__(value)
        return Parts(f"{name}(", ")", len(args), items=lambda: sequence_items(args))
    return _rare_parts(value, cls, name)


def _of_the_request(environ: object) -> list[tuple[object, object]]:
    """Return the items of a WSGI environ without the process's environment, which wsgiref and uWSGI copy into it."""
    process = os.environ
    return [
        (name, item)
        for name, item in islice(dict_items(environ), _ENVIRON_ITEMS)
        if not (type(name) is str and type(item) is str and process.get(name) == item)
    ]


def _rare_parts(value: object, cls: type, name: str) -> Parts | None:
    if name in _VIEWS and module_of(cls) in {"builtins", "collections"}:
        view = cast("Any", value)
        return Parts(f"{name}([", "])", len(view), items=lambda: view)
    if is_a(value, array):
        numbers = cast("array[Any]", value)
        return Parts(f"{name}([", "])", size_of(value, array), items=lambda: iter(numbers[:100]))
    if cls is types.MappingProxyType or cls is os._Environ:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- it has no other name
        return _mapping(cast("Mapping[object, object]", value), name)
    is_wrapper = any(base is UserDict or base is UserList for base in mro_of(cls))  # abstract
    data = stored(value, "data") if is_wrapper else None
    if data is not None and is_a(data, dict, list):
        inner = parts_of(data)
        if inner is not None:
            inner.opening, inner.closing = f"{name}({inner.opening}", f"{inner.closing})"
        return inner
    return None


def _mapping(mapping: Mapping[object, object], name: str) -> Parts | None:
    """A read-only view of a mapping, `os.environ`: what they hold is stored, but in a mapping of another type perhaps."""
    try:
        size = len(mapping)
    except BaseException:  # noqa: BLE001 -- a view of a foreign mapping
        return None
    return Parts(f"{name}({{", "})", size, pairs=lambda: iter(mapping.items()), separator=": ")


def _fields(value: object) -> list[tuple[object, object]] | None:
    """
    Return names and values of an object that declares its fields; None if it does not, or has a `__repr__` of its own.

    Fields that the class keeps out of its repr (``field(repr=False)``) are left out here too.
    """
    cls = type(value)
    names: list[str] | None = None
    if is_a(value, tuple):
        return _named_tuple_fields(value)
    if cls is types.SimpleNamespace:
        names = list(stored_attributes(value))
    elif cls is partial:
        names = ["func", "args", "keywords"]
    elif declared := defined_in(cls, "__dataclass_fields__"):
        names = _shown(dict_items(declared[1])) if _is_generated_repr(cls) else None
    elif declared := defined_in(cls, "__attrs_attrs__"):
        attributes = [(stored(item, "name"), item) for item in sequence_items(declared[1])]
        names = _shown(attributes) if _is_generated_repr(cls) else None
    elif defined_in(cls, "__pydantic_validator__") or defined_in(cls, "__pydantic_fields__"):
        names = _pydantic_names(value) if _repr_is_from(cls, "pydantic") else None
    elif _is_model(cls, value):  # their own repr may ask the database
        names = [name for name in stored_attributes(value) if not exact_str(name).startswith("_")]
    if names is None:
        return None
    found = [(name, stored(value, name, _MISSING)) for name in names]
    return [(name, item) for name, item in found if item is not _MISSING]


def _named_tuple_fields(value: object) -> list[tuple[object, object]] | None:
    declared = defined_in(type(value), "_fields")
    if declared is None or not is_a(declared[1], tuple):
        return None
    names = [exact_str(name) for name in sequence_items(declared[1])]
    return list(zip(names, sequence_items(value), strict=False))


def _shown(fields: Iterable[tuple[object, object]]) -> list[str]:
    return [exact_str(name) for name, field in fields if stored(field, "repr") is True]


def _pydantic_names(value: object) -> list[str]:
    declared = defined_in(type(value), "__pydantic_fields__")
    fields = declared[1] if declared else None
    names = [exact_str(name) for name in stored_attributes(value)]
    if not is_a(fields, dict):
        return names
    return [name for name in names if stored(dict_get(fields, name), "repr", True) is True]


def _is_generated_repr(cls: type) -> bool:
    """dataclasses and attrs compile the repr that they make under a name that is no file."""
    defined = defined_in(cls, "__repr__")
    function = defined[1] if defined else None
    function = stored(function, "__wrapped__", function)
    return type(function) is types.FunctionType and function.__code__.co_filename.startswith("<")


def _repr_is_from(cls: type, package: str) -> bool:
    defined = defined_in(cls, "__repr__")
    return defined is not None and module_of(defined[0]).partition(".")[0] == package


def _is_model(cls: type, value: object) -> bool:
    """Is it an object of a database row: Django, SQLAlchemy?"""
    if "_sa_instance_state" in stored_attributes(value):
        return True
    return any(
        qualname_of(base) == "Model" and module_of(base) == "django.db.models.base"
        for base in mro_of(cls)
    )
