"""Prose and values in 78 columns: wrapped with a hanging indent, no tabs, no trailing spaces."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from functools import lru_cache

from errormail.report.excerpt import SourceLine
from errormail.report.visible import visible

__all__ = ["COLUMNS", "carets", "columns", "underlined", "wrapped"]

COLUMNS = 78
"""RFC 5322 section 2.1.1, and what a terminal and a quoted answer have room for."""
_NARROWEST = 24
"""Columns that a text has, however far it is indented."""


def wrapped(text: str, *, first: str = "", hanging: str = "    ", width: int = COLUMNS) -> str:
    """
    Return *text* as lines that end with a line feed, none longer than *width*.

    Args:
        first: Stands before the first line.
        hanging: Stands before the others, be they wrapped or lines of *text*.
    """
    out: list[str] = []
    indent = first
    for line in visible(text).split("\n"):
        body = line.rstrip()
        out.extend(_wrapped_line(body, indent, hanging, max(width, len(hanging) + _NARROWEST)))
        indent = hanging
    return "".join(f"{line.rstrip()}\n" for line in out)


def _wrapped_line(line: str, first: str, hanging: str, width: int) -> list[str]:
    if not line.isascii():
        # textwrap counts characters: make room for those that are two columns wide.
        width = max(
            width * len(line) // max(columns(line), len(line), 1), len(hanging) + _NARROWEST
        )
    if len(first) + len(line) <= width:
        return [first + line]
    own = re.match(r" *", line)
    deeper = hanging + (own.group()[: width // 3] if own else "")
    return textwrap.wrap(
        line.lstrip(),
        width,
        initial_indent=first + deeper[len(hanging) :],
        subsequent_indent=deeper,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    ) or [first.rstrip()]


def underlined(title: str, note: str = "") -> str:
    """Return a section's title and the row of hyphens below it."""
    line = f"{title.upper()}  ({note})" if note else title.upper()
    return f"\n{line}\n{'-' * len(line)}\n"


def carets(line: SourceLine) -> str:
    """Return the row that stands below *line* and marks its failing part; "" where that is unknown or the whole line."""
    part = line.text[line.start : line.end]
    if not part.strip() or part.strip() == line.text.strip():
        return ""
    return " " * columns(line.text[: line.start]) + "^" * max(columns(part), 1)


def columns(text: str) -> int:
    """Return how many columns of a terminal *text* takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(char) for char in text)


@lru_cache(maxsize=4096)
def _columns_of(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
