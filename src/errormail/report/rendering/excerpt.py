"""The source lines that a reader sees of a frame, and which part of them failed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import takewhile

from errormail.report.model import Frame
from errormail.report.visible import one_line

__all__ = ["SourceLine", "excerpt", "failing_lines"]

AROUND = 2
"""Lines before and after the failing one; where fewer follow, more of those before are shown."""
FAILING_LINES = 5
"""Of an expression over many lines."""

_DEFINITION = re.compile(r" *(?:(?:async +def|def|class) |@\w)")
_DECORATOR = re.compile(r" *@\w")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of source."""

    number: int
    text: str
    failing: bool = False
    start: int = 0
    end: int = 0
    """The failing part is ``text[start:end]``; empty where it is not known."""

    def visible(self) -> SourceLine:
        """Return it with control characters escaped, and the failing part still where it was."""
        text = one_line(self.text)
        if text == self.text:
            return self
        start = len(one_line(self.text[: self.start]))
        return replace(self, text=text, start=start, end=len(one_line(self.text[: self.end])))

    def clipped(self, chars: int) -> SourceLine:
        """Return it at most *chars* characters long, with the begin of the failing part in view."""
        if len(self.text) <= chars:
            return self
        # Cut on the right if that leaves the failing part whole, or as much of it as there is room for.
        skip = (
            0 if self.end <= chars - 3 else max(0, min(self.start - 8, len(self.text) - chars + 3))
        )
        text = self.text[skip:] if not skip else "..." + self.text[skip + 3 :]
        if len(text) > chars:
            text = text[: chars - 3] + "..."
        start = max(self.start - skip, 0)
        return replace(self, text=text, start=start, end=max(start, min(self.end - skip, chars)))


def excerpt(frame: Frame, around: int = AROUND) -> list[SourceLine]:
    """Return the failing line and those around it, dedented, five or so; [] where there is no source."""
    if not frame.line.strip():
        return []
    numbered = dict(enumerate(frame.source, frame.first_lineno))
    first, last = _failing_range(frame)
    indent = _indent(numbered[first])
    after = [number for number in range(last + 1, last + 1 + around) if number in numbered]
    after = [*takewhile(lambda number: not _begins_other(numbered[number], indent), after)]
    after = _without_blank_end(after, numbered)
    room = 2 * around - len(after)
    before = [number for number in range(first - room, first) if number in numbered]
    before = _without_blank_end(_in_function(before[::-1], numbered, indent), numbered)[::-1]
    shown = [*before, *range(first, last + 1), *after]
    margin = min(
        (_indent(numbered[number]) for number in shown if numbered[number].strip()), default=0
    )
    return [_source_line(frame, number, numbered[number], margin) for number in shown]


def failing_lines(frame: Frame) -> list[SourceLine]:
    """Return the failing line, or lines of an expression over several, dedented; [] where there is no source."""
    return [line for line in excerpt(frame, around=0) if line.failing]


def _failing_range(frame: Frame) -> tuple[int, int]:
    first = frame.lineno or 0
    last = min(
        frame.end_lineno or first,
        first + FAILING_LINES - 1,
        frame.first_lineno + len(frame.source) - 1,
    )
    return first, max(first, last)


def _source_line(frame: Frame, number: int, text: str, margin: int) -> SourceLine:
    first, last = frame.lineno or 0, max(frame.end_lineno or 0, frame.lineno or 0)
    body = text[margin:].rstrip()
    if not first <= number <= last:
        return SourceLine(number, body)
    if frame.colno is None:
        return SourceLine(number, body, failing=True)
    start = frame.colno if number == first else _indent(text)
    end = frame.end_colno if number == last and frame.end_colno is not None else len(text)
    start = min(max(start - margin, 0), len(body))
    return SourceLine(
        number, body, failing=True, start=start, end=max(start, min(end - margin, len(body)))
    )


def _in_function(upwards: list[int], numbered: dict[int, str], indent: int) -> list[int]:
    """Return the lines up to the begin of the function: what stands above it belongs to another one."""
    for count, number in enumerate(upwards, 1):
        if _begins_other(numbered[number], indent) and not _DECORATOR.match(numbered[number]):
            decorators = takewhile(lambda above: _DECORATOR.match(numbered[above]), upwards[count:])
            return [*upwards[:count], *decorators]
    return upwards


def _begins_other(line: str, indent: int) -> bool:
    """Does a function or class begin here, further out than *indent*?"""
    return _indent(line) < indent and _DEFINITION.match(line) is not None


def _without_blank_end(numbers: list[int], numbered: dict[int, str]) -> list[int]:
    blank = len(list(takewhile(lambda number: not numbered[number].strip(), reversed(numbers))))
    return numbers[: len(numbers) - blank]


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
