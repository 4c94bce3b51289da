"""
A traceback as Frames: folded while it is walked, so that a million frames cost little; bounded; without a reference to
any frame afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import cast

from errormail._contain import contained
from errormail.report.limits import Limits
from errormail.report.model import REDACTED, Elision, Frame, Variable
from errormail.report.objects import dict_get, encodable, exact_str, is_a
from errormail.report.paths import display_name, is_app_code
from errormail.report.redact import Redactor
from errormail.report.source import Sources, column_of
from errormail.report.values import Budget, describe
from errormail.report.visible import visible
from errormail.report.walk import Entry, Walked, bounded, folded, walk

__all__ = ["FrameContext", "capture_frames"]

FrameVariables = Callable[[FrameType], Iterable[tuple[str, object]]]

LIBRARY_SOURCE_LINES = 1
"""On either side of the failing line."""
NAME_CHARS = 200

_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameContext:
    """What the frames of one report are captured with."""

    limits: Limits
    redactor: Redactor
    budget: Budget
    sources: Sources
    declared: bool = True
    """Whether `sensitive_variables` is honoured."""
    variables: FrameVariables | None = None
    """In place of a frame's locals."""


def capture_frames(tb: TracebackType | None, context: FrameContext) -> tuple[Frame | Elision, ...]:
    """Return the frames of a traceback, outermost first, repeated ones folded, at most ``limits.frames`` of them."""
    walked = walk(tb, context.limits.walked_frames)
    callers = _callers(walked)
    captured: list[Frame | Elision] = []
    # Innermost first: if time runs out, it does where the values matter least.
    for entry in reversed(bounded(folded(walked), context.limits.frames)):
        if isinstance(entry, Elision):
            captured.append(entry)
            continue
        frame = None
        with contained("frame"):
            outer = [caller for position, caller in callers if position < entry.position]
            frame = _frame(entry, outer, context)
        captured.append(frame or _bare_frame(entry))
    return tuple(reversed(captured))


def _callers(entries: Walked) -> list[tuple[int, FrameType]]:
    """Return position and frame of the outermost call of each function."""
    callers: dict[int, tuple[int, FrameType]] = {}
    for entry in entries:
        if isinstance(entry, Entry):
            callers.setdefault(id(entry.frame.f_code), (entry.position, entry.frame))
    return list(callers.values())


def _frame(entry: Entry, callers: list[FrameType], context: FrameContext) -> Frame:
    frame = entry.frame
    code = frame.f_code
    module = exact_str(dict_get(frame.f_globals, "__name__"))[:NAME_CHARS]
    in_app = is_app_code(code.co_filename, module)
    lines = context.sources.lines(code.co_filename, frame.f_globals)
    place = _Place.of(entry, lines)
    around = context.limits.source_lines if in_app else LIBRARY_SOURCE_LINES
    first, source, place = _excerpt(lines, place, around, context)
    names = _names_in(source, first, place)
    variables, omitted = _variables(frame, callers, names, context) if in_app else ((), 0)
    shown = {variable.name for variable in variables}
    return Frame(
        module=encodable(module),
        function=_function(code),
        filename=_filename(code, module),
        lineno=entry.lineno,
        end_lineno=place.end_lineno,
        colno=place.colno,
        end_colno=place.end_colno,
        in_app=in_app,
        first_lineno=first,
        source=source,
        variables=variables,
        focus=tuple(name for name in names.failing if name in shown),
        omitted=omitted,
    )


def _bare_frame(entry: Entry) -> Frame:
    code = entry.frame.f_code
    return Frame(
        module="", function=_function(code), filename=_filename(code, ""), lineno=entry.lineno
    )


def _function(code: CodeType) -> str:
    name: str = getattr(code, "co_qualname", code.co_name)  # co_qualname: Python 3.11
    return encodable(name[:NAME_CHARS])


def _filename(code: CodeType, module: str) -> str:
    return encodable(display_name(code.co_filename, module))


@dataclass(frozen=True, slots=True)
class _Place:
    """What failed: line numbers, and columns in characters of the shown source."""

    lineno: int | None
    end_lineno: int | None = None
    colno: int | None = None
    end_colno: int | None = None

    @staticmethod
    def of(entry: Entry, lines: list[str]) -> _Place:
        code, lineno = entry.frame.f_code, entry.lineno
        if entry.instruction < 0 or not hasattr(code, "co_positions") or lineno is None:
            return _Place(lineno)
        positions = next(islice(code.co_positions(), entry.instruction // 2, None), None)
        if positions is None or None in positions:
            return _Place(lineno)
        first, last, start, end = cast("tuple[int, int, int, int]", positions)
        if first != lineno or not first <= last <= len(lines):  # the source has changed
            return _Place(lineno)
        return _Place(
            lineno, last, column_of(lines[first - 1], start), column_of(lines[last - 1], end)
        )


def _excerpt(
    lines: list[str], place: _Place, around: int, context: FrameContext
) -> tuple[int, tuple[str, ...], _Place]:
    """Return the number of the first line, the lines as they are shown, and *place* in them."""
    lineno = place.lineno
    if lineno is None or not 1 <= lineno <= len(lines):
        return 0, (), place
    first, last = (
        max(lineno - around, 1),
        min(max(lineno, place.end_lineno or 0) + around, len(lines)),
    )
    last = min(last, lineno + 3 * around)  # of an expression over hundreds of lines
    shown: list[str] = []
    for number in range(first, last + 1):
        before = visible(lines[number - 1][: 4 * context.limits.source_line_chars])
        after = context.redactor.source(before)
        if after != before and number in {lineno, place.end_lineno}:
            place = _moved(place, number, before, after)
        shown.append(encodable(after[: context.limits.source_line_chars]))
    return first, tuple(shown), place


def _moved(place: _Place, number: int, before: str, after: str) -> _Place:
    """Return *place* after the redaction of line *number*."""
    colno, end_colno = place.colno, place.end_colno
    if colno is not None and number == place.lineno:
        colno = _moved_column(colno, before, after)
    if end_colno is not None and number == place.end_lineno:
        end_colno = max(_moved_column(end_colno, before, after), 0)
    return _Place(place.lineno, place.end_lineno, colno, end_colno)


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


@dataclass(frozen=True, slots=True)
class _Names:
    """Names on the failing line, in order of occurrence."""

    failing: tuple[str, ...]
    """In the part that failed."""
    line: tuple[str, ...]


def _names_in(source: tuple[str, ...], first: int, place: _Place) -> _Names:
    if not source or place.lineno is None:
        return _Names((), ())
    begin = place.lineno - first
    end = max(place.end_lineno or 0, place.lineno) - first
    lines = list(source[begin : end + 1])
    whole = _unique(_NAME.findall("\n".join(lines)))
    if place.colno is None or not lines:
        return _Names(whole, whole)
    if place.end_colno is not None and end - begin + 1 == len(lines):
        lines[-1] = lines[-1][: place.end_colno]
    # Not cut off at the begin: an attribute's name would look like a variable's.
    failing = _NAME.finditer("\n".join(lines))
    return _Names(
        _unique(match.group() for match in failing if match.start() >= place.colno), whole
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _variables(
    frame: FrameType, callers: list[FrameType], names: _Names, context: FrameContext
) -> tuple[tuple[Variable, ...], int]:
    """Return the locals of *frame*, those on the failing line first, and how many were left out."""
    bound = context.limits.variables
    if bound <= 0:
        return (), 0
    found = dict(_locals(frame, context, names))
    first = [name for name in _unique((*names.failing, *names.line)) if name in found]
    ordered = _unique((*first, *found))
    hidden = _hidden(frame, callers, context)
    variables: list[Variable] = []
    for name in ordered[:bound]:
        secret = hidden is None or name in hidden or context.redactor.hides(name)
        text = (
            REDACTED
            if secret
            else describe(
                found[name],
                limits=context.limits,
                redactor=context.redactor,
                budget=context.budget,
            )
        )
        variables.append(Variable(name=encodable(name[:NAME_CHARS]), value=text))
    return tuple(variables), len(ordered) - len(variables)


def _locals(frame: FrameType, context: FrameContext, names: _Names) -> Iterator[tuple[str, object]]:
    """Yield the local variables that a person wrote; of a module not what it imported and defined."""
    items: Iterable[tuple[object, object]] = ()
    try:
        if context.variables is not None:
            items = list(islice(context.variables(frame), 10_000))
        else:
            items = list(islice(frame.f_locals.items(), 10_000))
    except BaseException:  # noqa: BLE001 -- a filter of the program's own; a mapping that code is run with
        return
    is_module = frame.f_code.co_name == "<module>"
    for key, value in items:
        name = exact_str(key)
        if not name or name.startswith(
            (".", "@", "__")
        ):  # .0 of a comprehension, @py_assert1 of pytest
            continue
        if is_module and name not in names.line and is_a(value, ModuleType, type, type(_unique)):
            continue
        yield name, value


def _hidden(
    frame: FrameType, callers: list[FrameType], context: FrameContext
) -> frozenset[str] | None:
    """Return the names that a decorator hides; None: all."""
    if not context.declared:
        return frozenset()
    try:
        from errormail.report.decorators import ALL, hidden_variables

        hidden = hidden_variables(frame, callers)
    except Exception:  # noqa: BLE001 -- what cannot be decided is hidden
        return None
    return None if hidden is ALL else hidden or frozenset()
