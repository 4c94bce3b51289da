"""
A Report as plain dicts, lists, strings and numbers, and back: what report.json holds. docs/report-json.md describes it.

Nothing here names a field of the model: a new one is written and read without a second edit, as long as it has a default.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache, partial
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from errormail.report.model import Frequency, Report

__all__ = [
    "SCHEMA",
    "VERSION",
    "frequency_from_dict",
    "loads",
    "report_from_dict",
    "report_to_dict",
]

SCHEMA = "errormail-report"
JSON_BYTES = 100_000_000
"""Of a file that is read, unpacked. Those that errormail writes have a tenth of it."""
VERSION = 1
"""A reader of this version understands any report with the same number: one that gets new fields keeps it."""

_Reader = Callable[[object, str], object]
"""Takes a value and the place where it stands; raises ValueError."""


def report_to_dict(report: Report, *, frequency: Frequency | None = None) -> dict[str, object]:
    """Return *report*, and how often its group has occurred if that is known, as values that JSON knows."""
    head = {"schema": SCHEMA, "version": VERSION, "frequency": _plain(frequency)}
    return {**head, **cast("dict[str, object]", _plain(report))}


def report_from_dict(mapping: Mapping[str, object]) -> Report:
    """
    Return the Report that *mapping* was made of. Fields that are not known here are left out.

    Raises:
        ValueError: It is none, or of a newer version; the text names the place and what was expected there.
    """
    _check_head(mapping)
    return cast("Report", _reader(Report)(mapping, ""))


def frequency_from_dict(mapping: Mapping[str, object]) -> Frequency | None:
    """
    Return the Frequency in what `report_to_dict` made, None where it is not known.

    Raises:
        ValueError: As `report_from_dict`.
    """
    _check_head(mapping)
    read = _reader(cast("type", Frequency | None))
    return cast("Frequency | None", read(mapping.get("frequency"), "frequency"))


def loads(content: bytes) -> dict[str, object]:
    """
    Return what stands in report.json or report.json.gz, for the two functions above.

    Raises:
        ValueError: It is no JSON object, or larger than `JSON_BYTES`.
    """
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content)
    if len(content) > JSON_BYTES:
        raise ValueError(f"larger than {JSON_BYTES:,} bytes")
    try:
        found: object = json.loads(content)
    except (
        ValueError,
        RecursionError,
    ) as error:  # no JSON, no utf-8, or brackets within brackets for ever
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"expected a report, got {_kind(found)}")
    return cast("dict[str, object]", found)


def _unpacked(content: bytes) -> bytes:
    unpacked = zlib.decompressobj(wbits=31)  # gzip's header and trailer
    try:
        found = unpacked.decompress(content, JSON_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"no gzip: {error}") from error
    if not unpacked.eof and len(found) <= JSON_BYTES:
        raise ValueError("no gzip: it ends too early")
    return found


def _check_head(mapping: object) -> None:
    if not isinstance(mapping, Mapping):
        raise ValueError(f"expected a report, got {_kind(mapping)}")
    head = cast("Mapping[str, object]", mapping)
    if head.get("schema") != SCHEMA:
        raise ValueError(f"schema: expected {SCHEMA!r}: this is no report of errormail")
    version = head.get("version")
    if type(version) is not int or version < 1:
        raise ValueError("version: expected a number from 1 on")
    if version > VERSION:
        raise ValueError(
            f"version: the report is of version {version}, and this errormail reads up to {VERSION}: a newer one can"
        )


# to plain values


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in cast("tuple[object, ...]", value)]
    return value


# and back, by the annotations of the model


@lru_cache(maxsize=64)
def _reader(kind: Any) -> _Reader:
    """Return what reads a value of type *kind*, one of those that the model uses."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return partial(_read_fields, cast("type", kind))
    if origin is tuple:
        return partial(_read_tuple, inner[0])
    if origin in (Union, UnionType):
        return partial(_read_union, inner)
    if origin is Literal:
        return partial(_read_choice, inner)
    return _SIMPLE[kind]


def _read_fields(cls: type, value: object, at: str) -> object:
    if not isinstance(value, Mapping):
        raise ValueError(f"{at}: expected an object, got {_kind(value)}")
    given = cast("Mapping[str, object]", value)
    read: dict[str, object] = {}
    for field, kind in _fields_of(cls):
        place = f"{at}.{field.name}" if at else field.name
        if field.name in given:
            read[field.name] = _reader(kind)(given[field.name], place)
        elif _is_required(field):
            raise ValueError(f"{place}: is missing")
    return cls(**read)


def _read_tuple(kind: Any, value: object, at: str) -> object:
    if not isinstance(value, list):
        raise ValueError(f"{at}: expected a list, got {_kind(value)}")
    read = _reader(kind)
    return tuple(
        read(each, f"{at}[{number}]") for number, each in enumerate(cast("list[object]", value))
    )


def _read_union(kinds: tuple[Any, ...], value: object, at: str) -> object:
    if value is None and NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    # Which of two classes it is, Frame or Elision, its fields tell.
    given = _names_in(value)
    return _reader(max(kinds, key=lambda kind: _likeness(kind, given)))(value, at)


def _names_in(value: object) -> set[str]:
    return set(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else set()


def _likeness(kind: Any, given: set[str]) -> float:
    """Return the share of the fields which *kind* must have that are *given*."""
    if not is_dataclass(kind):
        return 0.0
    required = {field.name for field, _ in _fields_of(cast("type", kind)) if _is_required(field)}
    return len(required & given) / len(required)


def _read_choice(choices: tuple[str, ...], value: object, at: str) -> object:
    if value not in choices:
        shown = f"the str {value[:40]!r}" if isinstance(value, str) else _kind(value)
        raise ValueError(f"{at}: expected one of {', '.join(map(repr, choices))}, got {shown}")
    return value


def _read_str(value: object, at: str) -> object:
    if type(value) is not str:
        raise ValueError(f"{at}: expected a str, got {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{at}: expected text, got a lone surrogate in it") from error
    return value


def _read_int(value: object, at: str) -> object:
    if type(value) is not int:
        raise ValueError(f"{at}: expected an int, got {_kind(value)}")
    return value


def _read_bool(value: object, at: str) -> object:
    if type(value) is not bool:
        raise ValueError(f"{at}: expected a bool, got {_kind(value)}")
    return value


def _read_float(value: object, at: str) -> object:
    """JSON has one kind of number: many a program writes 2.0 as 2."""
    if type(value) is int and abs(value) < sys.float_info.max:
        return float(value)
    if type(value) is not float or not isfinite(value):
        raise ValueError(f"{at}: expected a number, got {_kind(value)}")
    return value


_SIMPLE: dict[object, _Reader] = {
    str: _read_str,
    int: _read_int,
    bool: _read_bool,
    float: _read_float,
}


@lru_cache(maxsize=32)
def _fields_of(cls: type) -> tuple[tuple[Field[Any], Any], ...]:
    """Return the fields of a dataclass of the model, each with its type."""
    hints = get_type_hints(cls)
    return tuple((field, hints[field.name]) for field in fields(cls))


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _kind(value: object) -> str:
    """Return what *value* is, in JSON's words where it has no type of Python's that a reader knows."""
    if value is None:
        return "null"
    name = "object" if isinstance(value, dict) else type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
