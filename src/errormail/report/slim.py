"""
A Report made smaller: for a file that may not be larger than a mail server takes, or without what it fails on.

It is a valid Report all the same.

What is missing is counted where the model has a place for it; `Report.notes` says that something is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar, cast

from errormail.report.model import (
    CapturedException,
    Elision,
    Frame,
    LogLine,
    Report,
    Section,
    Upload,
    Variable,
)
from errormail.report.rendering.trim import begin

__all__ = ["slimmer", "weight", "without_values"]

_T = TypeVar("_T")
NOTE = "errormail cut this file to its essentials, for it would have been too big"
NO_VALUES = "Values are missing: errormail could not show this report with them."
VALUES = (Variable, Upload, Section, LogLine)
FIELD = 16
"""Bytes that a field costs beside its text: name, quotes, indentation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much of each part stays."""

    chars: int
    """Per text."""
    variables: int
    """Per frame."""
    rows: int
    """Of each other list."""
    frames: int
    """Per traceback, from both of its ends."""
    exceptions: int
    """Members of a group, and links of a chain."""


STEPS = (
    Keep(chars=1_000, variables=40, rows=200, frames=60, exceptions=100),
    Keep(chars=200, variables=40, rows=200, frames=60, exceptions=100),
    Keep(chars=200, variables=12, rows=50, frames=60, exceptions=50),
    Keep(chars=120, variables=4, rows=20, frames=30, exceptions=20),
    Keep(chars=80, variables=0, rows=10, frames=6, exceptions=2),
)


def slimmer(report: Report, *, most: int) -> Iterator[Report]:
    """
    Yield *report* smaller and smaller, each below *most* by `weight`.

    The last is below 500 kB of JSON, whatever it was.
    """
    for keep in STEPS:
        # Worth a look before the work: most of what is too big is so by its texts.
        if keep.variables == STEPS[0].variables and weight(report, chars=keep.chars) > most:
            continue
        slim = _cut(report, keep)
        if weight(slim) <= most:
            yield replace(slim, notes=(*slim.notes, NOTE))


def without_values(report: Report) -> Report:
    """Return *report* without what the program's values were: locals, fields of the request, context, log."""
    return replace(_bare(report), notes=(*report.notes, NO_VALUES))


def _bare(value: _T) -> _T:
    if isinstance(value, tuple):
        kept = [each for each in cast("tuple[object, ...]", value) if not isinstance(each, VALUES)]
        return cast("_T", tuple(map(_bare, kept)))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    parts = {each.name: _bare(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Frame):
        parts.update(omitted=value.omitted + len(value.variables), focus=())
    return replace(value, **parts)


def weight(value: object, *, chars: int = sys.maxsize) -> int:
    """Return about how many bytes of JSON *value* makes, a Report or a part of one, with texts cut to *chars*."""
    if isinstance(value, str):
        return min(len(value), chars) + FIELD
    if isinstance(value, tuple):
        return sum((weight(each, chars=chars) for each in cast("tuple[object, ...]", value)), FIELD)
    if is_dataclass(value):
        parts = (getattr(value, each.name) for each in fields(value))
        return sum((weight(each, chars=chars) for each in parts), FIELD)
    return FIELD


def _cut(value: _T, keep: Keep, depth: int = 0) -> _T:
    """Return *value*, any part of a report, with nothing longer than *keep* says. *depth*: how many exceptions it is in."""
    if isinstance(value, str):
        return cast("_T", begin(value, keep.chars))
    if isinstance(value, tuple):
        return cast("_T", tuple(_cut(each, keep, depth) for each in _fewer(value, keep)))  # pyright: ignore[reportUnknownArgumentType]
    if not is_dataclass(value) or isinstance(value, type):
        return value
    whole: object = value
    if isinstance(value, CapturedException):
        whole = _fewer_links(value, keep, depth)
        depth += 1
    elif isinstance(value, Frame):
        kept = value.variables[: keep.variables]
        omitted = value.omitted + len(value.variables) - len(kept)
        whole = replace(value, variables=kept, omitted=omitted)
    elif isinstance(value, Report):
        omitted = value.log_omitted + max(len(value.log) - keep.rows, 0)
        whole = replace(value, log=value.log[-keep.rows :], log_omitted=omitted)
    parts = {each.name: _cut(getattr(whole, each.name), keep, depth) for each in fields(value)}
    return replace(value, **parts)


def _fewer(items: tuple[object, ...], keep: Keep) -> tuple[object, ...]:
    if not any(isinstance(each, Frame | Elision) for each in items):
        return items[: keep.rows]
    if len(items) <= keep.frames:
        return items
    half = keep.frames // 2
    gone = items[half:-half]
    number = sum(each.frames if isinstance(each, Elision) else 1 for each in gone)
    elision = Elision(frames=number, text=f"{number:,} frames not shown")
    return (*items[:half], elision, *items[-half:])


def _fewer_links(exc: CapturedException, keep: Keep, depth: int) -> CapturedException:
    most = keep.exceptions if depth < keep.exceptions else 0
    members = exc.members[:most]
    omitted = exc.members_omitted + len(exc.members) - len(members)
    exc = replace(exc, members=members, members_omitted=omitted)
    if exc.cause is None or most:
        return exc
    return replace(exc, cause=None, relation="", cut=f"chain longer than {depth + 1}")
