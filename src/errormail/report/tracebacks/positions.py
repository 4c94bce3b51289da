"""Which part of its lines a frame stopped in, the lines around it as a reader sees them, and the names in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from types import CodeType
from typing import NamedTuple, cast

from errormail.report.objects import encodable
from errormail.report.redact import Redactor
from errormail.report.tracebacks.source import column_of
from errormail.report.visible import visible

__all__ = ["Expression", "Names", "Place", "names_in", "shown_lines"]

EXPRESSION_LINES = 3
"""Of an expression over hundreds of lines so many times the lines around one are shown."""

# `order`, `order.customer.name`, and in front of a call what is called: `self.rates` of `self.rates.lookup(`.
_EXPRESSION = re.compile(r"(?<![\w.])([^\W\d]\w*)((?:\.[^\W\d]\w*)*)(?P<call>[ ]*\()?")


@dataclass(frozen=True, slots=True)
class Place:
    """What failed: line numbers, and columns in characters of the shown source."""

    lineno: int | None
    end_lineno: int | None = None
    colno: int | None = None
    end_colno: int | None = None

    @staticmethod
    def of(code: CodeType, lineno: int | None, instruction: int, lines: Sequence[str]) -> Place:
        """Return where in *lines* the *instruction* stands that *code* is at (PEP 657); with Python 3.10 only the line."""
        if instruction < 0 or not hasattr(code, "co_positions") or lineno is None:
            return Place(lineno)
        positions = next(islice(code.co_positions(), instruction // 2, None), None)
        if positions is None or None in positions:
            return Place(lineno)
        first, last, start, end = cast("tuple[int, int, int, int]", positions)
        if first != lineno or not first <= last <= len(lines):  # the source has changed
            return Place(lineno)
        return Place(
            lineno, last, column_of(lines[first - 1], start), column_of(lines[last - 1], end)
        )


def shown_lines(
    lines: Sequence[str], place: Place, *, around: int, chars: int, redactor: Redactor
) -> tuple[int, tuple[str, ...], Place]:
    """
    Return the number of the first line, the lines as they are shown, and *place* in them.

    Args:
        around: Lines on either side.
        chars: Of a line.
    """
    lineno = place.lineno
    if lineno is None or not 1 <= lineno <= len(lines):
        return 0, (), place
    first, last = (
        max(lineno - around, 1),
        min(max(lineno, place.end_lineno or 0) + around, len(lines)),
    )
    last = min(last, lineno + EXPRESSION_LINES * around)
    before = _visible([line[: 4 * chars] for line in lines[first - 1 : last]])
    after = redactor.source_lines(before)
    for number in {lineno, min(place.end_lineno or lineno, last)}:
        if after[number - first] != before[number - first]:
            place = _moved(place, number, before[number - first], after[number - first])
    return first, tuple([encodable(line[:chars]) for line in after]), place


def _visible(lines: list[str]) -> list[str]:
    """Return `visible` of each; of most excerpts it is known in one look that nothing is invisible."""
    whole = "".join(lines)
    return lines if whole.isascii() and whole.isprintable() else [visible(line) for line in lines]


def _moved(place: Place, number: int, before: str, after: str) -> Place:
    """Return *place* after the redaction of line *number*."""
    colno, end_colno = place.colno, place.end_colno
    if colno is not None and number == place.lineno:
        colno = _moved_column(colno, before, after)
    if end_colno is not None and number == place.end_lineno:
        end_colno = max(_moved_column(end_colno, before, after), 0)
    return Place(place.lineno, place.end_lineno, colno, end_colno)


def _moved_column(column: int, before: str, after: str) -> int:
    """What stands before the first and behind the last change is found again; what lies within goes to its begin or end."""
    same_begin = next(
        (
            index
            for index, pair in enumerate(zip(before, after, strict=False))
            if pair[0] != pair[1]
        ),
        min(len(before), len(after)),
    )
    if column <= same_begin:
        return column
    return max(len(after) - (len(before) - column), same_begin)


class Expression(NamedTuple):
    """A name as it stands in source, with the attributes that are read from it."""

    name: str
    attributes: tuple[str, ...] = ()
    """Without the last one where that is called."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the failing lines name, in order of occurrence, each once."""

    failing: tuple[Expression, ...]
    """In the part that failed."""
    line: tuple[Expression, ...]
    """On the lines, those in the part that failed too."""
    failing_names: tuple[str, ...] = ()
    """Of `failing`, without their attributes."""
    other_names: tuple[str, ...] = ()
    """Those of `line` that are not in `failing_names`."""
    reading: tuple[Expression, ...] = ()
    """All that read attributes, those in the part that failed first."""

    @staticmethod
    def of(failing: tuple[Expression, ...], line: tuple[Expression, ...]) -> Names:
        """Return them in all the orders in which they are asked for."""
        names = dict.fromkeys(each.name for each in failing)
        others = dict.fromkeys(each.name for each in line if each.name not in names)
        reading = dict.fromkeys(each for each in (*failing, *line) if each.attributes)
        return Names(failing, line, tuple(names), tuple(others), tuple(reading))


def names_in(source: tuple[str, ...], first: int, place: Place) -> Names:
    """
    Return what the lines of *place* name.

    Args:
        first: Number of ``source[0]``.
    """
    if not source or place.lineno is None:
        return Names.of((), ())
    begin = place.lineno - first
    end = max(place.end_lineno or 0, place.lineno) - first
    lines = list(source[begin : end + 1])
    whole = _expressions(_EXPRESSION.finditer("\n".join(lines)))
    if place.colno is None or not lines:
        return Names.of(whole, whole)
    if place.end_colno is not None and end - begin + 1 == len(lines):
        lines[-1] = lines[-1][: place.end_colno]
    # Not cut off at the begin: an attribute's name would look like a variable's.
    found = _EXPRESSION.finditer("\n".join(lines))
    failing = _expressions(match for match in found if match.start() >= (place.colno or 0))
    return Names.of(failing, whole)


def _expressions(matches: Iterable[re.Match[str]]) -> tuple[Expression, ...]:
    found: dict[Expression, None] = {}
    for match in matches:
        name, path, call = match.groups()
        attributes = tuple(path.split(".")[1:]) if path else ()
        found[Expression(name, attributes[:-1] if call else attributes)] = None
    return tuple(found)
