"""
Looking at foreign objects without running their code: through the type's own slots, past every override.

A metaclass, a `__getattribute__` or a `__class__` property may do what it likes; what is in here asks none of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MemberDescriptorType, TracebackType
from typing import Any, Literal, cast

__all__ = [
    "cause_of",
    "defined_in",
    "dict_get",
    "dict_items",
    "encodable",
    "exact_str",
    "field_of",
    "is_a",
    "is_group",
    "members_of",
    "module_of",
    "mro_of",
    "qualname_of",
    "sequence_items",
    "size_of",
    "stored",
    "stored_attributes",
    "traceback_of",
    "type_name",
]

_type: Mapping[str, Any] = type.__dict__
_type_mro: Callable[[type], object] = _type["__mro__"].__get__
_type_dict: Callable[[type], Mapping[str, object]] = _type["__dict__"].__get__
_type_module: Callable[[type], object] = _type["__module__"].__get__
_type_qualname: Callable[[type], object] = _type["__qualname__"].__get__
_dict: Mapping[str, Any] = dict.__dict__
dict_get: Callable[..., object] = _dict["get"]
"""`dict.get` past an override: ``dict_get(mapping, key, default)``."""
_exception: Mapping[str, Any] = BaseException.__dict__
_MISSING = object()


def exact_str(value: object) -> str:
    """Return *value* as a plain `str` if it is one, or of a subclass; else ""."""
    if type(value) is str:
        return value
    return str.__str__(cast("str", value)) if is_a(value, str) else ""


def encodable(text: str) -> str:
    """Return *text* with lone surrogates escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def mro_of(cls: type) -> tuple[type, ...]:
    """Return the classes of *cls*, itself first."""
    mro = _type_mro(cls)
    return cast("tuple[type, ...]", mro) if type(mro) is tuple else (cls,)


def is_a(value: object, *classes: type) -> bool:
    """
    Return whether the type of *value* is one of *classes* or derived from one; `isinstance` would ask ``__class__``.

    No abstract ones: they ask the type of *value*.
    """
    # Asks the metaclass of *classes*, not that of the value's type.
    return issubclass(type(value), classes)


def module_of(cls: type) -> str:
    """Return the name of the module of *cls*, "" where unknown."""
    return encodable(exact_str(_type_module(cls))[:200])


def qualname_of(cls: type) -> str:
    """Return the qualified name of *cls*."""
    return encodable(exact_str(_type_qualname(cls))[:200]) or "?"


def type_name(cls: type) -> str:
    """Return the name of *cls* as Python prints it: with its module, except for builtins and ``__main__``."""
    module, name = module_of(cls), qualname_of(cls)
    return name if module in {"", "builtins", "__main__"} else f"{module}.{name}"


def defined_in(cls: type, name: str) -> tuple[type, object] | None:
    """Return the class that defines *name* for *cls*, and what it is there; None if only `object` or none does."""
    for base in mro_of(cls):
        if base is not object and name in (namespace := _type_dict(base)):
            return base, namespace[name]
    return None


def stored_attributes(value: object) -> dict[str, object]:
    """Return the instance dictionary of *value*; {} where it has none that is a plain one."""
    try:
        found: object = object.__getattribute__(value, "__dict__")
    except BaseException:  # noqa: BLE001 -- a class may define a property of this name
        return {}
    return cast("dict[str, object]", found) if type(found) is dict else {}


def stored(value: object, name: str, default: object = None) -> object:
    """Return attribute *name* of *value* if it is stored in it, in its dictionary or a slot; computes nothing."""
    found = stored_attributes(value).get(name, _MISSING)
    if found is not _MISSING:
        return found
    defined = defined_in(type(value), name)
    if defined is None or type(defined[1]) is not MemberDescriptorType:
        return default
    try:
        return defined[1].__get__(value)
    except AttributeError:  # a slot that was never set
        return default


def traceback_of(exc: BaseException) -> TracebackType | None:
    """Return the traceback of *exc*."""
    return cast("TracebackType | None", _exception["__traceback__"].__get__(exc))


def cause_of(exc: BaseException) -> tuple[BaseException | None, Literal["cause", "context", ""]]:
    """Return what *exc* came from, and how: its cause, else its context unless that is suppressed (``from None``)."""
    cause = _exception["__cause__"].__get__(exc)
    if cause is not None:
        return cause, "cause"
    context = _exception["__context__"].__get__(exc)
    if context is None or _exception["__suppress_context__"].__get__(exc):
        return None, ""
    return context, "context"


def field_of(exc: BaseException, name: str) -> object:
    """Return a field of a builtin exception (``SyntaxError.lineno``), past an override in the class; None if never set."""
    for base in (SyntaxError, UnicodeError, NameError, AttributeError, ImportError):
        slot = _type_dict(base).get(name)
        if slot is not None and is_a(exc, base):
            try:
                return cast("object", cast("Any", slot).__get__(exc))
            except BaseException:  # noqa: BLE001 -- never set
                return None
    return None


def is_group(exc: BaseException) -> bool:
    """Return whether *exc* is an exception group, built in from Python 3.11 on, or of the backport `exceptiongroup`."""
    return any(qualname_of(cls) == "BaseExceptionGroup" for cls in mro_of(type(exc)))


def members_of(exc: BaseException) -> tuple[BaseException, ...]:
    """Return the members of an exception group; () of anything else."""
    if not is_group(exc):
        return ()
    try:
        members = cast("object", cast("Any", exc).exceptions)
    except BaseException:  # noqa: BLE001 -- a property in the backport
        return ()
    return tuple(
        cast("BaseException", member)
        for member in sequence_items(members)
        if is_a(member, BaseException)
    )


def sequence_items(value: object) -> Iterator[object]:
    """Return an iterator over a tuple, list, set or deque, past an override of ``__iter__``; an empty one for anything else."""
    for kind in (tuple, list, set, frozenset, deque):
        if is_a(value, kind):
            iterate: Callable[[object], Iterator[object]] = cast("Any", kind).__iter__
            return iterate(value)
    return iter(())


def dict_items(value: object) -> Iterator[tuple[object, object]]:
    """Return an iterator over the items of a dict, past an override; an empty one for anything else."""
    if not is_a(value, dict):
        return iter(())
    items: Callable[[object], Iterable[tuple[object, object]]] = _dict["items"]
    return iter(items(value))


def size_of(value: object, kind: type) -> int:
    """Return the length of *value*, as *kind* (a builtin that it is derived from) counts it."""
    return int(cast("Any", kind).__len__(value))
