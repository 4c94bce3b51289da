"""Prose and values in 78 columns: wrapped with a hanging indent, no tabs, no trailing spaces."""

from __future__ import annotations

import ast
import re
import shlex
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate

from errormail.report.rendering.excerpt import SourceLine
from errormail.report.visible import visible

__all__ = ["COLUMNS", "carets", "columns", "shell_lines", "underlined", "wrapped"]

COLUMNS = 78
"""RFC 5322 section 2.1.1, and what a terminal and a quoted answer have room for."""
_NARROWEST = 24
"""Columns that a text has, however far it is indented."""
_WIDE = re.compile("[\u0300-\u200f\u2060-\U0010ffff]")
"""Characters that may take none or two columns: not the dashes, quotes and dots of U+2010 to U+205F."""
_OPTION = re.compile(r" *-[\w-]{1,20}")
_OPERATOR = re.compile(r"[^\s()\\#]+")


def wrapped(text: str, *, first: str = "", hanging: str = "    ", width: int = COLUMNS) -> str:
    """
    Return *text* as lines that end with a line feed, none longer than *width*.

    Args:
        first: Stands before the first line.
        hanging: Stands before the others, be they wrapped or lines of *text*.
    """
    text = visible(text)
    if "\n" not in text and len(first) + len(text) <= width and not _WIDE.search(text):
        return f"{first}{text}".rstrip() + "\n"
    out: list[str] = []
    indent = first
    for line in text.split("\n"):
        out.extend(_wrapped_line(line.rstrip(), indent, hanging, width))
        indent = hanging
    return "".join([f"{line.rstrip()}\n" for line in out])


def _wrapped_line(line: str, first: str, hanging: str, width: int) -> list[str]:
    own = len(line) - len(line.lstrip(" "))
    deeper = " " * min(own, width // 3) if own else ""
    room = max(width - len(hanging) - len(deeper), _NARROWEST)
    fits = _fitting(line)
    out: list[str] = []
    at, indent, space = 0, first, max(width - len(first), _NARROWEST)
    while (end := fits(at, space)) < len(line):
        cut = line.rfind(" ", at, end + 1)
        # A break at a blank, unless the word that follows is too long for a line: it begins on this one then.
        if cut <= at or _is_long_word(line, cut + 1, fits(cut + 1, room)):
            cut = max(end, at + 1)
        if text := line[at:cut].rstrip():
            out.append(indent + text)
            indent, space = hanging + deeper, room
        at = _end_of_blanks(line, cut)
    out.append(indent + line[at:])
    return out


def _is_long_word(line: str, start: int, end: int) -> bool:
    """Return whether the word at *start* goes beyond *end*, which is as far as a line does."""
    return end < len(line) and line.find(" ", start, end + 1) < 0


def _end_of_blanks(line: str, start: int) -> int:
    while start < len(line) and line[start] == " ":
        start += 1
    return start


def _fitting(line: str) -> Callable[[int, int], int]:
    """Return a function: how far *line* goes, from a character on, in so many columns."""
    if not _WIDE.search(line):
        return lambda start, room: min(start + room, len(line))
    places = [0, *accumulate(map(_room_of, line))]  # columns before each character, and in all
    return lambda start, room: bisect_right(places, places[start] + room, start) - 1


def underlined(title: str, note: str = "") -> str:
    """Return a section's title and the row of hyphens below it."""
    line = f"{title.upper()}  ({note})" if note else title.upper()
    return f"\n{line}\n{'-' * len(line)}\n"


def carets(line: SourceLine, *, as_python: bool = False) -> str:
    """
    Return the row that stands below *line* and marks its failing part; "" where that is unknown or the whole line.

    Args:
        as_python: As Python prints it from 3.13 on: "~~~~^~~~" where the part has an operator, an index or arguments;
            nothing where a call is all that the line returns or assigns.
    """
    part = line.text[line.start : line.end]
    core = _core(part) if as_python else None
    if not part.strip() or (core is None and part.strip() == line.text.strip()):
        return ""
    if as_python and line.text.endswith(part) and _is_one_call(line.text.strip()):
        return ""
    first, last = core or (0, len(part))
    before, marked, after = columns(part[:first]), columns(part[first:last]), columns(part[last:])
    margin = " " * columns(line.text[: line.start])
    return f"{margin}{'~' * before}{'^' * max(marked, 1)}{'~' * after}"


def shell_lines(command: str, *, first: str = "  ", hanging: str = "    ") -> list[str]:
    """
    Return *command* in lines of at most 78 columns that a shell takes for the same command.

    Each option has a line. A word that is too long is cut into quoted pieces, which the backslash at the end of a line joins.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # a quotation without an end: it was cut
        return wrapped(command, first=first, hanging=hanging).splitlines()
    lines: list[str] = []
    for word in words:
        is_option = word.startswith("-")
        beside = f"{lines[-1]} " if lines and not is_option else ""
        if beside and columns(beside + shlex.quote(word)) <= COLUMNS - 2:
            lines[-1] = beside + shlex.quote(word)
        elif beside and _OPTION.fullmatch(lines[-1]):
            lines[-1:] = _shell_pieces(beside, word)
        else:
            if lines:
                lines[-1] += " \\"
            lines += _shell_pieces(hanging if lines else first, word)
    return lines


def _shell_pieces(begin: str, word: str) -> list[str]:
    """Return *word* in one line; if that is too long, in pieces, each but the last with the backslash."""
    if columns(begin + shlex.quote(word)) <= COLUMNS - 2:
        return [begin + shlex.quote(word)]
    lines: list[str] = []
    while word:
        room = COLUMNS - 3 - len(begin)
        size = room
        while size > 1 and columns(_quoted(word[:size])) > room:
            size -= 1
        lines.append(begin + _quoted(word[:size]))
        word, begin = word[size:], ""
    return [*(f"{line}\\" for line in lines[:-1]), lines[-1]]


def _quoted(word: str) -> str:
    """Return *word* in single quotes, also where a shell needs none: a piece that begins a line shall look like one."""
    return "'" + word.replace("'", "'\"'\"'") + "'"


@lru_cache(maxsize=1024)
def _core(part: str) -> tuple[int, int] | None:
    """Return which characters of an expression Python marks by carets; None: all of it."""
    statement = _parsed(f"(\n{part}\n)")
    expression = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(expression, ast.BinOp):
        return _operator(part, expression)
    if isinstance(expression, ast.Subscript):
        return _between(part, expression.value, "[")
    if isinstance(expression, ast.Call):
        return _between(part, expression.func, "(")
    return None


@lru_cache(maxsize=1024)
def _is_one_call(statement: str) -> bool:
    """Return whether it is ``return name(...)`` or ``target = anything(...)``."""
    parsed = _parsed(statement)
    if isinstance(parsed, ast.Return) and isinstance(parsed.value, ast.Call):
        return isinstance(parsed.value.func, ast.Name)
    return isinstance(parsed, ast.Assign) and isinstance(parsed.value, ast.Call)


def _parsed(source: str) -> ast.stmt | None:
    """Return the only statement in *source*, None if it is another thing."""
    try:
        (statement,) = ast.parse(source).body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return statement


def _operator(part: str, expression: ast.BinOp) -> tuple[int, int] | None:
    start, end = _end_of(part, expression.left), expression.right.col_offset
    between = part.encode()[start:end].decode(errors="replace")
    found = _OPERATOR.search(between)
    if found is None:
        return None
    first = len(part.encode()[:start].decode()) + found.start()
    return first, first + len(found.group())


def _between(part: str, subject: ast.expr, bracket: str) -> tuple[int, int] | None:
    first = part.find(bracket, len(part.encode()[: _end_of(part, subject)].decode()))
    return (first, len(part.rstrip())) if first > 0 else None


def _end_of(part: str, expression: ast.expr) -> int:
    """Return where *expression* ends, in bytes; everything stands in the second line of what was parsed."""
    return expression.end_col_offset or len(part.encode())


def columns(text: str) -> int:
    """Return how many columns of a terminal *text* takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(char) for char in text)


@lru_cache(maxsize=4096)
def _room_of(char: str) -> int:
    """Return its columns, one for those that have none: a line has at most 78 characters as well."""
    return max(_columns_of(char), 1)


@lru_cache(maxsize=4096)
def _columns_of(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
