"""
What is known of places in code from earlier reports: the lines around them, as they are shown, and the names in them.

A program fails in the same places again and again, and nothing of this changes unless the file does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import TYPE_CHECKING

from errormail.report.redact import Redactor
from errormail.report.redact.known import NO_VALUES, runs_in
from errormail.report.tracebacks.positions import Names, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Lookup", "Site", "recall", "remember"]

KEPT = 500
"""Places, of the whole process."""
KEPT_CHARS = 8_000
"""A place with longer lines around it is looked up each time."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a frame is: in code, or in the template that the code was generated from."""

    module: str
    function: str
    path: str
    filename: str
    """As the reader knows it."""
    in_app: bool
    lines: Sequence[str]
    note: str
    place: Place
    variables: Mapping[str, object] | None = None
    """Of a template; None: the frame's own."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A site, and what is shown of it."""

    site: Site
    first: int
    """Number of the first line that is shown."""
    source: tuple[str, ...]
    place: Place
    """In the lines that are shown."""
    names: Names


@dataclass(frozen=True, slots=True)
class _Kept:
    code: CodeType
    """Kept alive, so that its id is no other's."""
    redactor: Redactor
    """Without known values: those are looked for in `runs` each time."""
    runs: frozenset[str]
    """Of the lines before anything in them was hidden."""
    lookup: Lookup


_KEPT: dict[tuple[object, ...], _Kept] = {}


def recall(key: tuple[object, ...], code: CodeType, redactor: Redactor) -> Lookup | None:
    """Return what `remember` was given for the same *key* and *code*, if *redactor* would show the same."""
    kept = _KEPT.get(key)
    if kept is None or kept.code is not code or not _is_same(kept.redactor, redactor):
        return None
    return None if redactor.known.may_occur(kept.runs) else kept.lookup


def remember(key: tuple[object, ...], code: CodeType, redactor: Redactor, lookup: Lookup) -> None:
    """
    Keep *lookup* for later reports, unless something in it was hidden that only this one knows of.

    Args:
        key: All that the lookup depends on beside *code* and *redactor*: the state of the file first of all.
    """
    begin = max(lookup.first - 1, 0)
    raw = "\n".join(lookup.site.lines[begin : begin + len(lookup.source)])
    if len(raw) > KEPT_CHARS or redactor.known.occur_in(raw):
        return
    if len(_KEPT) >= KEPT:
        _KEPT.clear()
    lookup = replace(lookup, site=replace(lookup.site, lines=()))
    _KEPT[key] = _Kept(code, replace(redactor, known=NO_VALUES), runs_in(raw), lookup)


def _is_same(one: Redactor, other: Redactor) -> bool:
    # A subclass asks a filter of the program's own, which may say something else each time.
    return (
        type(other) is Redactor is type(one)
        and one.declared is other.declared
        and one.names == other.names
    )
