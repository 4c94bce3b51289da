"""
Which values are so simple that `repr` alone shows them: builtin types through and through, short, with nothing to hide
by its name. Most locals are, and to look is a fraction of the work of taking them apart.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from errormail.report.limits import Limits

__all__ = ["SHORT_CHARS", "is_simple"]

SHORT_CHARS = 200
"""Of each string in it."""
NODES = 100
"""Values in it, at any depth."""
_LARGE = 10**12
"""A number with more digits may be that of a card."""
_SHORT_NUMBER = len("Decimal('-123456789.12')")
_HARMLESS = re.compile(r"(?:[A-Za-z0-9_., ]|(?<=[A-Za-z0-9])-){0,11}")
"""No pair is in it, and whatever is known by its look is longer."""

# By id: a metaclass may define __hash__ and __eq__.
_ALWAYS = frozenset(id(cls) for cls in (bool, type(None), float))
_STR, _INT, _DICT = id(str), id(int), id(dict)
_SEQUENCES = frozenset((id(list), id(tuple)))
_OF_LIBRARY = {
    "datetime": ("date", "time", "datetime", "timedelta"),
    "decimal": ("Decimal",),
    "uuid": ("UUID",),
}
"""Classes of the standard library whose texts are short."""


def is_simple(value: Any, hides: Callable[[str], bool], limits: Limits, looks: list[str]) -> bool:
    """
    Return whether ``repr(value)`` is how *value* is to be shown, once what is put into *looks* has been found clean.

    Nothing of the program runs for it: types are compared by identity, and only builtin ones are looked into. False
    where it is not certain.

    Args:
        hides: Whether what stands under a name is hidden.
        looks: Gets the texts in *value* that may hold a secret.
    """
    cls = id(type(value))  # pyright: ignore[reportUnknownArgumentType] -- of any type
    if cls == _STR:
        return _is_simple_text(value, looks)
    if cls == _INT:
        return bool(-_LARGE < value < _LARGE)
    if cls in _ALWAYS:
        return True
    if cls == _DICT or cls in _SEQUENCES:
        try:
            items, left = min(limits.items, NODES), [NODES]
            return _is_simple_container(value, cls, hides, items, limits.depth, left, looks)
        except RuntimeError:  # another thread changes the container
            return False
    if cls in _of_library():
        _look_at(value, looks)
        return True
    return False


def _look_at(value: object, looks: list[str]) -> None:
    """Of a date, and of a number with few digits, no part looks like a secret; that of a time zone is foreign."""
    text = repr(value)
    if (not text.startswith("datetime.") or "tzinfo" in text) and len(text) > _SHORT_NUMBER:
        looks.append(text)


def _is_simple_text(text: str, looks: list[str]) -> bool:
    if not _HARMLESS.fullmatch(text):
        if len(text) > SHORT_CHARS:
            return False
        looks.append(text)
    return True


def _is_simple_container(
    value: Any,
    cls: int,
    hides: Callable[[str], bool],
    items: int,
    depth: int,
    left: list[int],
    looks: list[str],
) -> bool:
    left[0] -= len(value)
    if depth <= 0 or len(value) > items or left[0] < 0:
        return False
    if cls == _DICT:
        if "value" in value:  # {"name": "password", "value": "..."}
            return False
        for name in value:
            if type(name) is not str or hides(name) or not _is_simple_text(name, looks):
                return False
        members = value.values()
    else:
        members = value
        # A name may say what stands beside it, as a flag in a command does.
        if value and type(value[0]) is str and hides(value[0]):
            return False
    for member in members:
        kind = id(type(member))  # pyright: ignore[reportUnknownArgumentType] -- of any type
        if kind == _STR:
            if not _HARMLESS.fullmatch(member):
                if len(member) > SHORT_CHARS or (member[0] == "-" and cls != _DICT):
                    return False
                looks.append(member)
        elif kind == _INT:
            if not -_LARGE < member < _LARGE:
                return False
        elif kind in _ALWAYS:
            continue
        elif kind == _DICT or kind in _SEQUENCES:
            if not _is_simple_container(member, kind, hides, items, depth - 1, left, looks):
                return False
        elif kind in _of_library():
            _look_at(member, looks)
        else:
            return False
    return True


_found: dict[int, type] = {}
_modules = 0


def _of_library() -> dict[int, type]:
    """Return the classes of `_OF_LIBRARY` by their ids, those of modules that the program has imported."""
    global _modules
    if _modules != len(sys.modules):
        _modules = len(sys.modules)
        for module, names in _OF_LIBRARY.items():
            for name in names:
                cls: object = getattr(sys.modules.get(module), name, None)
                if isinstance(cls, type) and cls.__module__ == module:
                    _found[id(cls)] = cls
    return _found
