"""What an object consists of: the parts that are stored in it, found without running any of its code."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, cast

from errormail.report.objects import (
    defined_in,
    dict_get,
    dict_items,
    exact_str,
    is_a,
    sequence_items,
    size_of,
    stored,
    stored_attributes,
)
from errormail.report.values.kinds import Kind, Plan, plan_of

__all__ = ["Parts", "is_row_of", "parts_of"]

_ENVIRON_ITEMS = 1_000
"""Looked at in a WSGI environ: some servers put the environment of the process into it."""
ARRAY_ITEMS = 100
"""Taken out of an array: more than are shown of anything."""
_MISSING = object()
_exception: Mapping[str, Any] = BaseException.__dict__

Pair = tuple[object, object]


class Parts:
    """
    How something that has parts is written: ``opening + parts + closing``.

    Args:
        size: How many parts there are.
        items: They themselves, of a sequence or set.
        pairs: Names and values, of anything else.
        separator: Between name and value: "=" for fields, ": " for keys.
    """

    __slots__ = ("closing", "items", "opening", "pairs", "separator", "size")

    def __init__(
        self,
        opening: str,
        closing: str,
        size: int,
        items: Iterable[object] = (),
        pairs: Iterable[Pair] | None = None,
        separator: str = "",
    ) -> None:
        self.opening: str = opening
        self.closing: str = closing
        self.size: int = size
        self.items: Iterable[object] = items
        self.pairs: Iterable[Pair] | None = pairs
        self.separator: str = separator


def parts_of(value: object, plan: Plan) -> Parts | None:
    """Return what *value* consists of; None where that cannot be told."""
    find = _FIND.get(plan.kind)
    return find(value, plan) if find is not None else None


def is_row_of(value: object) -> bool:
    """Is *value* an object of a database row by what is stored in it: SQLAlchemy's mark?"""
    return "_sa_instance_state" in stored_attributes(value)


def _dict(value: object, plan: Plan) -> Parts:
    if dict_get(value, "wsgi.input") is not None:
        own = _of_the_request(value)
        return Parts(plan.opening, plan.closing, len(own), (), own, ": ")
    size = size_of(value, dict)
    return Parts(plan.opening, plan.closing, size, (), dict_items(value), ": ")


def _of_the_request(environ: object) -> list[Pair]:
    """Return the items of a WSGI environ without the process's environment, which wsgiref and uWSGI copy into it."""
    return [
        (name, item)
        for name, item in islice(dict_items(environ), _ENVIRON_ITEMS)
        if not (type(name) is str and type(item) is str and _is_of_the_process(name, item))
    ]


def _is_of_the_process(name: str, item: str) -> bool:
    try:
        return os.environ.get(name) == item
    except UnicodeEncodeError:  # a name that no environment can have
        return False


def _sequence(value: object, plan: Plan) -> Parts:
    base: Any = plan.base
    return Parts(plan.opening, plan.closing, base.__len__(value), base.__iter__(value))


def _view(value: object, plan: Plan) -> Parts:
    view = cast("Any", value)
    return Parts(plan.opening, plan.closing, len(view), view)


def _array(value: object, plan: Plan) -> Parts:
    kind: Any = array
    begin = kind.__getitem__(value, slice(0, ARRAY_ITEMS))
    return Parts(plan.opening, plan.closing, size_of(value, array), begin)


def _mapping(value: object, plan: Plan) -> Parts | None:
    """A read-only view of a mapping, `os.environ`: what they hold is stored, but in a mapping of another type perhaps."""
    mapping = cast("Mapping[object, object]", value)
    try:
        size, pairs = len(mapping), iter(mapping.items())
    except BaseException:  # noqa: BLE001 -- a view of a foreign mapping
        return None
    return Parts(plan.opening, plan.closing, size, (), pairs, ": ")


def _wrapper(value: object, plan: Plan) -> Parts | None:
    """UserDict, UserList: a container in a container."""
    data = stored(value, "data")
    if not is_a(data, dict, list):
        return None
    inner = parts_of(data, plan_of(type(data)))
    if inner is not None:
        inner.opening, inner.closing = plan.opening + inner.opening, inner.closing + plan.closing
    return inner


def _chain(value: object, plan: Plan) -> Parts | None:
    maps = stored(value, "maps")
    return (
        Parts(plan.opening, plan.closing, size_of(maps, list), sequence_items(maps))
        if is_a(maps, list)
        else None
    )


def _slice(value: object, plan: Plan) -> Parts:
    cut = cast("slice[object, object, object]", value)
    return Parts(plan.opening, plan.closing, 3, (cut.start, cut.stop, cut.step))


def _error(value: object, plan: Plan) -> Parts:
    args: tuple[object, ...] = _exception["args"].__get__(value)
    return Parts(plan.opening, plan.closing, len(args), args)


# What declares its fields


def _of_fields(found: list[Pair], plan: Plan) -> Parts:
    return Parts(plan.opening, plan.closing, len(found), (), found, "=")


def _fields(value: object, plan: Plan) -> Parts:
    attributes = stored_attributes(value)
    found: list[Pair] = []
    for name in plan.fields:
        item = attributes.get(name, _MISSING)
        if item is _MISSING:
            item = stored(value, name, _MISSING)  # in a slot
        if item is not _MISSING:
            found.append((name, item))
    return _of_fields(found, plan)


def _named_tuple(value: object, plan: Plan) -> Parts:
    return _of_fields(list(zip(plan.fields, sequence_items(value), strict=False)), plan)


def _namespace(value: object, plan: Plan) -> Parts:
    return _of_fields(list(stored_attributes(value).items()), plan)


def _pydantic(value: object, plan: Plan) -> Parts:
    """What is declared, and what came beside it (``extra="allow"``)."""
    extra = dict_items(stored(value, "__pydantic_extra__"))
    found = [*stored_attributes(value).items(), *extra]
    return _of_fields([pair for pair in found if exact_str(pair[0]) not in plan.fields], plan)


def _model(value: object, plan: Plan) -> Parts:
    """What has been loaded of a row, in the order in which its class has it: SQLAlchemy loads in any order."""
    found: list[Pair] = [
        pair for pair in stored_attributes(value).items() if not exact_str(pair[0]).startswith("_")
    ]
    manager = defined_in(type(value), "_sa_class_manager")
    if manager is not None:
        order = {name: index for index, (name, _) in enumerate(dict_items(manager[1]))}
        found.sort(key=lambda pair: order.get(pair[0], len(order)))
    return _of_fields(found, plan)


def _row(value: object, plan: Plan) -> Parts | None:
    """A row that SQLAlchemy gives for a query: the values, and where the name of each says it stands."""
    data, positions = (_computed_slot(value, name) for name in ("_data", "_key_to_index"))
    if not is_a(data, tuple):
        return None
    names = {
        index: exact_str(key)
        for key, index in dict_items(positions)
        if exact_str(key) and type(index) is int
    }
    items = enumerate(sequence_items(data))
    return _of_fields([(names.get(index, f"_{index}"), item) for index, item in items], plan)


def _computed_slot(value: object, name: str) -> object:
    """Return an attribute that is stored in C, or in a slot."""
    defined = defined_in(type(value), name)
    if defined is None or type(defined[1]).__name__ not in {
        "getset_descriptor",
        "member_descriptor",
    }:
        return None
    try:
        return cast("Any", defined[1]).__get__(value)
    except AttributeError:  # never set
        return None


_FIND: dict[Kind, Callable[[object, Plan], Parts | None]] = {
    Kind.DICT: _dict,
    Kind.SEQUENCE: _sequence,
    Kind.FIELDS: _fields,
    Kind.NAMED_TUPLE: _named_tuple,
    Kind.VIEW: _view,
    Kind.ARRAY: _array,
    Kind.MAPPING: _mapping,
    Kind.WRAPPER: _wrapper,
    Kind.CHAIN: _chain,
    Kind.SLICE: _slice,
    Kind.NAMESPACE: _namespace,
    Kind.PYDANTIC: _pydantic,
    Kind.MODEL: _model,
    Kind.ROW: _row,
    Kind.ERROR: _error,
}
