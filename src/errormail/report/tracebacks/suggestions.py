"""What Python suggests for a wrong name: ". Did you mean: 'total'?", found without running code of the program."""

from __future__ import annotations

import builtins
import sys
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType, FunctionType, ModuleType

from errormail.report.objects import (
    defined_in,
    dict_items,
    exact_str,
    field_of,
    is_a,
    module_of,
    stored_attributes,
    traceback_of,
)

__all__ = ["suggestion_of"]

SUGGESTION_CHARS = 300
ATTRIBUTES = 2_000
"""An object that has more is not searched."""

# As in Python, which tells what it has found only to its own printer before 3.12.
CANDIDATES = 750
CANDIDATE_CHARS = 40
MOVE_COST = 2
CASE_COST = 1


def suggestion_of(exc: BaseException, text: str) -> str:
    """
    Return what Python prints after *text*, the message of *exc*, for a wrong name; "" where there is no suggestion.

    Python looks for it with `dir()` and `hasattr()`: not done where either would run code of the object's own.
    """
    if not is_a(exc, NameError, AttributeError, ImportError):
        return ""
    if not _may_look(exc):
        return ""
    if sys.version_info < (3, 12):
        found = _closest(exact_str(field_of(exc, "name")), _candidates(exc))
        return f". Did you mean: '{found}'?" if found else ""
    try:
        printed = traceback.TracebackException(
            type(exc),
            exc,
            traceback_of(exc),
            limit=0,
            lookup_lines=False,
            _seen=set(),  # not the chain, which may be long
        )
        whole = str(printed)
    except BaseException:  # noqa: BLE001 -- it calls the exception's own __str__ and looks into foreign objects
        return ""
    added = whole.removeprefix(text) if whole.startswith(text) else ""
    return added if len(added) < SUGGESTION_CHARS else ""


def _may_look(exc: BaseException) -> bool:
    """Return whether nothing of the program would run: of what it looks into, and of what it asks for."""
    name = exact_str(field_of(exc, "name"))
    if is_a(exc, AttributeError):
        return _is_harmless(field_of(exc, "obj"))
    if is_a(exc, ImportError):  # it would be imported again
        return name in sys.modules and _is_harmless(sys.modules[name])
    own = _innermost_local(exc, "self")
    return _is_harmless(own) and not _is_computed(type(own), name)


def _is_computed(cls: type, name: str) -> bool:
    """Would an attribute *name* of an object of *cls* run code?"""
    found = defined_in(cls, name)
    return (
        found is not None
        and type(found[1]) is not FunctionType
        and (defined_in(type(found[1]), "__get__") is not None)
    )


def _is_harmless(value: object) -> bool:
    """Would `dir()` and `hasattr()` of it run only Python's own code?"""
    attributes = stored_attributes(value)
    if is_a(value, ModuleType):
        return "__dir__" not in attributes and "__getattr__" not in attributes
    if is_a(value, type):  # its metaclass may define them, and so may its bases for themselves
        return type(value) is type
    cls = type(value)
    for name in ("__dir__", "__getattribute__", "__getattr__", "__dict__", "__class__"):
        found = defined_in(cls, name)
        if found is not None and module_of(found[0]) != "builtins" and _is_code(found[1]):
            return False
    return len(attributes) < ATTRIBUTES


def _is_code(member: object) -> bool:
    """Is *member* of a class code, not the slot that Python makes for ``__dict__``?"""
    return type(member).__name__ not in {"getset_descriptor", "member_descriptor"}


def _innermost_frame(exc: BaseException) -> FrameType | None:
    tb = traceback_of(exc)
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return tb.tb_frame if tb is not None else None


def _innermost_local(exc: BaseException, name: str) -> object:
    frame = _innermost_frame(exc)
    if frame is None or name not in frame.f_code.co_varnames:
        return None
    try:
        return frame.f_locals.get(name)
    except BaseException:  # noqa: BLE001 -- code may be run with a mapping of its own
        return None


def _candidates(exc: BaseException) -> Iterator[Iterable[object]]:
    """Yield the names that one could have meant, the nearest scope first."""
    if is_a(exc, AttributeError):
        value = field_of(exc, "obj")
        yield dir(value) if value is not None else ()
    elif is_a(exc, NameError) and (frame := _innermost_frame(exc)) is not None:
        yield frame.f_code.co_varnames
        yield [name for name, _ in dict_items(frame.f_globals)]
        yield dir(builtins)


def _closest(wrong: str, scopes: Iterable[Iterable[object]]) -> str:
    """Return the name that is most like *wrong*, "" if none is like it."""
    for names in scopes if wrong else ():
        candidates = [exact_str(name) for name in names]
        if len(candidates) > CANDIDATES:
            continue
        best, least = "", sys.maxsize
        for name in candidates:
            bound = min((len(wrong) + len(name) + 3) * MOVE_COST // 6, least - 1)
            if name and name != wrong and (distance := _distance(wrong, name, bound)) <= bound:
                best, least = name, distance
        if best:
            return best
    return ""


def _distance(one: str, other: str, bound: int) -> int:
    """Return the cost of making *other* of *one*: of letters that come, go or change; more than *bound* where that is exceeded."""
    if max(len(one), len(other)) > CANDIDATE_CHARS or (
        abs(len(one) - len(other)) * MOVE_COST > bound
    ):
        return bound + 1
    row = [index * MOVE_COST for index in range(len(other) + 1)]
    for index, letter in enumerate(one, 1):
        before, row[0] = row[0], index * MOVE_COST
        for column, each in enumerate(other, 1):
            change = before + _change(letter, each)
            before = row[column]
            row[column] = min(change, row[column] + MOVE_COST, row[column - 1] + MOVE_COST)
        if min(row) > bound:
            return bound + 1
    return row[-1]


def _change(one: str, other: str) -> int:
    if one == other:
        return 0
    return CASE_COST if one.lower() == other.lower() else MOVE_COST
