"""
How an object of a type is shown: decided once for each type, without running any of its code.

The decision is remembered for the process, by the id of the type and only as long as that is alive: a metaclass may
define ``__hash__``, and no class is kept for having been shown.
"""

from __future__ import annotations

import enum
import io
import os
import types
import weakref
from array import array
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from errormail.report.objects import (
    defined_in,
    dict_items,
    exact_str,
    module_of,
    mro_of,
    qualname_of,
    sequence_items,
    stored,
    type_name,
)
from errormail.report.values import registry
from errormail.report.values.registry import Describer, is_lazy, registered_for

__all__ = ["Kind", "Plan", "model_plan", "plan_of"]

REMEMBERED = 2_000
"""Types. Each Mock has a class of its own."""

_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}
_VIEWS = {"dict_keys", "dict_values", "dict_items", "odict_keys", "odict_values", "odict_items"}
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_FILE = io.IOBase.__bases__[0]
"""What all files are derived from; `io.IOBase` itself would ask the class, as each abstract one does."""
_ARRAYS = ("__array_interface__", "__array_struct__", "__cuda_array_interface__", "__dataframe__")
_ITERATORS = ("__next__", "__anext__", "__await__", "_fetch_all")
"""What consumes when it is looked at; the last is what only querysets have."""


class Kind(str, enum.Enum):
    """What is done to show an object. Strings: their hash costs nothing."""

    TEXT = "text"
    PLAIN = "plain"
    INTEGER = "integer"
    CLASS = "class"
    CODE = "code"
    DICT = "dict"
    MAPPING = "mapping"
    SEQUENCE = "sequence"
    VIEW = "view"
    ARRAY = "array"
    WRAPPER = "wrapper"
    CHAIN = "chain"
    FIELDS = "fields"
    NAMED_TUPLE = "named tuple"
    PYDANTIC = "pydantic"
    ROW = "row"
    MODEL = "model"
    NAMESPACE = "namespace"
    SLICE = "slice"
    ERROR = "error"
    MEMBER = "member"
    DESCRIBED = "described"
    TYPE_ONLY = "type only"
    OPAQUE = "opaque"
    """By its own `__repr__`."""
    BARE = "bare"
    """It has none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How objects of one type are shown. Holds no reference to the type, unless it is built in."""

    kind: Kind
    name: str
    """Of the type, with its module."""
    opening: str = ""
    closing: str = ""
    base: type = object
    """The builtin that the type is, or is derived from."""
    fields: tuple[str, ...] = ()
    describe: Describer | None = None
    has_attributes: bool = False
    """Is there a dictionary in each object, as in those of classes that a program defines?"""


def plan_of(cls: type) -> Plan:
    """Return how objects of *cls* are shown."""
    plan = _BUILTIN.get(id(cls))
    if plan is not None:
        return plan
    decided = registry.decided
    known = decided.get(id(cls))
    if known is not None and known[0]() is cls:
        found: Plan = known[1]
        return found
    plan = _decide(cls)
    if len(decided) >= REMEMBERED:
        decided.clear()
    decided[id(cls)] = (weakref.ref(cls), plan)
    return plan


def _decide(cls: type) -> Plan:
    name = type_name(cls)
    registered = registered_for(cls)
    if registered is not None:
        describe = registered[0]
        kind = Kind.TYPE_ONLY if describe is None else Kind.DESCRIBED
        return Plan(kind, name, describe=describe)
    return _scalar(cls, name) or _container(cls, name) or _declared(cls, name) or _whole(cls, name)


def _derives(cls: type, base: type) -> bool:
    """Return whether *cls* is *base* or derived from it: asks the metaclass of *base*, which must be no abstract class."""
    return issubclass(cls, base)


def _scalar(cls: type, name: str) -> Plan | None:
    for base in (str, bytes, bytearray):
        if _derives(cls, base):
            return Plan(Kind.TEXT, name, base=base)
    if any(cls is plain for plain in _PLAIN):
        return Plan(Kind.PLAIN, name)
    if _derives(cls, enum.Enum):
        own = _repr_is_from(cls, "enum")
        return Plan(Kind.MEMBER, name, f"<{qualname_of(cls)}.") if own else None
    if _derives(cls, int):
        return Plan(Kind.INTEGER, name, base=int)
    if _derives(cls, type):
        return Plan(Kind.CLASS, name)
    if _derives(cls, types.ModuleType) or any(cls is each for each in _FUNCTIONS):
        return Plan(Kind.CODE, name)
    return None


def _container(cls: type, name: str) -> Plan | None:
    called = qualname_of(cls)
    if _derives(cls, dict):
        brackets = ("{", "}") if cls is dict else (f"{called}({{", "})")
        return Plan(Kind.DICT, name, *brackets, base=dict)
    if _derives(cls, tuple) and (declared := defined_in(cls, "_fields")):
        names = tuple(exact_str(each) for each in sequence_items(declared[1]))
        return Plan(Kind.NAMED_TUPLE, name, f"{called}(", ")", fields=names)
    for base, (opening, closing) in _BRACKETS.items():
        if _derives(cls, base):
            if cls is not base:
                opening, closing = f"{called}({opening}", f"{closing})"
            return Plan(Kind.SEQUENCE, name, opening, closing, base=base)
    if called in _VIEWS and module_of(cls) in {"builtins", "collections"}:
        return Plan(Kind.VIEW, name, f"{called}([", "])")
    if _derives(cls, array):
        return Plan(Kind.ARRAY, name, f"{called}([", "])", base=array)
    if cls is types.MappingProxyType or cls is os._Environ or _is_multidict(cls):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] -- it has no other name
        return Plan(Kind.MAPPING, name, f"{called}({{", "})")
    if _derives(cls, slice):
        return Plan(Kind.SLICE, name, "slice(", ")")
    if any(base is UserDict or base is UserList for base in mro_of(cls)):  # abstract ones
        return Plan(Kind.WRAPPER, name, f"{called}(", ")")
    if any(base is ChainMap for base in mro_of(cls)):
        return Plan(Kind.CHAIN, name, f"{called}(", ")")
    return None


def _declared(cls: type, name: str) -> Plan | None:
    """Objects that declare their fields, unless they have a `__repr__` of their own."""
    called = f"{qualname_of(cls)}("
    names: Iterable[str] | None = None
    if cls is types.SimpleNamespace:
        return Plan(Kind.NAMESPACE, name, called, ")")
    if cls is partial:
        names = ("func", "args", "keywords")
    elif declared := defined_in(cls, "__dataclass_fields__"):
        names = _shown(dict_items(declared[1])) if _is_generated_repr(cls) else None
    elif declared := defined_in(cls, "__attrs_attrs__"):
        attributes = [(stored(item, "name"), item) for item in sequence_items(declared[1])]
        names = _shown(attributes) if _is_generated_repr(cls) else None
    elif defined_in(cls, "__pydantic_validator__") or defined_in(cls, "__pydantic_fields__"):
        if not _repr_is_from(cls, "pydantic"):
            return None
        fields = defined_in(cls, "__pydantic_fields__")
        kept_out = _kept_out(dict_items(fields[1])) if fields else ()
        return Plan(Kind.PYDANTIC, name, called, ")", fields=tuple(kept_out))
    elif _is_model(cls):  # their own repr may ask the database
        return Plan(Kind.MODEL, name, called, ")")
    elif _is_sql_row(cls):
        return Plan(Kind.ROW, name, called, ")")
    return None if names is None else Plan(Kind.FIELDS, name, called, ")", fields=tuple(names))


def _whole(cls: type, name: str) -> Plan:
    """Something whose inside is not known: by its own `__repr__`, or its type."""
    called = qualname_of(cls)
    if _derives(cls, BaseException) and _repr_is_from(cls, "builtins"):
        return Plan(Kind.ERROR, name, f"{called}(", ")")
    if _derives(cls, _FILE) or is_lazy(cls):
        return Plan(Kind.TYPE_ONLY, name)
    has_attributes = defined_in(cls, "__dict__") is not None
    if defined_in(cls, "__repr__") is None:
        return Plan(Kind.BARE, name, has_attributes=has_attributes)
    if any(defined_in(cls, each) for each in _ITERATORS) or _is_array(cls):
        return Plan(Kind.TYPE_ONLY, name)
    return Plan(Kind.OPAQUE, name, has_attributes=has_attributes)


def _shown(fields: Iterable[tuple[object, object]]) -> list[str]:
    """Fields that the class keeps out of its repr (``field(repr=False)``) are left out here too."""
    return [exact_str(name) for name, field in fields if stored(field, "repr") is True]


def _kept_out(fields: Iterable[tuple[object, object]]) -> list[str]:
    return [exact_str(name) for name, field in fields if stored(field, "repr", True) is not True]


def _is_generated_repr(cls: type) -> bool:
    """dataclasses and attrs compile the repr that they make under a name that is no file."""
    defined = defined_in(cls, "__repr__")
    function = defined[1] if defined else None
    function = stored(function, "__wrapped__", function)
    return type(function) is types.FunctionType and function.__code__.co_filename.startswith("<")


def _repr_is_from(cls: type, package: str) -> bool:
    defined = defined_in(cls, "__repr__")
    return defined is not None and module_of(defined[0]).partition(".")[0] == package


def _is_model(cls: type) -> bool:
    """Is it of a database row: Django, SQLAlchemy?"""
    return defined_in(cls, "_sa_class_manager") is not None or any(
        qualname_of(base) == "Model" and module_of(base) == "django.db.models.base"
        for base in mro_of(cls)
    )


def model_plan(cls: type) -> Plan:
    """Return how objects of *cls* are shown that turn out to be rows of a database, by what is stored in them."""
    return Plan(Kind.MODEL, type_name(cls), f"{qualname_of(cls)}(", ")")


def _is_sql_row(cls: type) -> bool:
    return any(
        qualname_of(base) == "BaseRow" and module_of(base).startswith("sqlalchemy.")
        for base in mro_of(cls)
    )


def _is_multidict(cls: type) -> bool:
    return module_of(cls).partition(".")[0] == "multidict" and qualname_of(cls).endswith(
        ("MultiDict", "MultiDictProxy")
    )


def _is_array(cls: type) -> bool:
    """Of numbers, as numpy has them; a single number of it is none."""
    if any(qualname_of(base) == "generic" and module_of(base) == "numpy" for base in mro_of(cls)):
        return False
    return any(defined_in(cls, name) is not None for name in _ARRAYS)


_PLAIN: tuple[type, ...] = (bool, type(None), float, complex, type(...), type(NotImplemented))
_COMMON: tuple[type, ...] = (
    str,
    bytes,
    bytearray,
    int,
    type,
    *_PLAIN,
    *_FUNCTIONS,
    types.ModuleType,
)
_BUILTIN: dict[int, Plan] = {}


def _fill() -> None:
    for cls in (*_COMMON, dict, *_BRACKETS):
        name = type_name(cls)
        plan = _scalar(cls, name) or _container(cls, name)
        if plan is not None:
            _BUILTIN[id(cls)] = plan


_fill()
