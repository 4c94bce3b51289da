"""Blocks of names and values that both renderers show: of the request, of the program, of where it ran."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from errormail.report.model import Report, Request, Upload, Variable
from errormail.report.rendering.trim import Lengths
from errormail.report.rendering.wording import counted, mebibytes, place, span
from errormail.report.visible import one_line, shorten

__all__ = [
    "Block",
    "context_blocks",
    "environment",
    "names_only",
    "request_blocks",
    "rows_block",
]

PACKAGES = 15
"""Named in one line; of more, their number."""

# What tells who asked for what, as opposed to what every browser sends. Lower case.
_TELLING_HEADERS = frozenset(
    {
        "host",
        "referer",
        "origin",
        "user-agent",
        "content-type",
        "content-length",
        "authorization",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-request-id",
        "x-correlation-id",
        "traceparent",
        "accept-language",
    }
)


class Block(NamedTuple):
    """Names and values under one title, or a text as it stands."""

    title: str
    rows: tuple[Variable, ...] = ()
    rest: tuple[Variable, ...] = ()
    """Rows that may go first."""
    omitted: int = 0
    """Rows that are not shown at all."""
    text: str = ""
    """In place of rows."""
    is_command: bool = False
    """Whether `text` is to be copied into a shell."""


def request_blocks(request: Request, lengths: Lengths) -> list[Block]:
    """Return those blocks of request details that hold something."""
    most = lengths.rows
    files = tuple(Variable(name=upload.field, value=_described(upload)) for upload in request.files)
    blocks = [
        rows_block("Form", request.form, most),
        rows_block("Files", files, most),
        rows_block("Query", request.query, most),
        rows_block("Headers", request.headers, most, stay=_TELLING_HEADERS),
        rows_block("Cookies", request.cookies, most),
        rows_block("Session", request.session, most, stay=frozenset()),
        _command(request.curl, lengths.command_chars),
    ]
    return [block for block in blocks if block.rows or block.rest or block.text]


def context_blocks(report: Report, most: int) -> list[Block]:
    """Return what the program said of itself: ``errormail.context(...)`` and the record's own fields."""
    blocks = [
        rows_block("Context", report.context, most),
        rows_block("Log record", report.extra, most),
    ]
    return [block for block in blocks if block.rows]


def rows_block(
    title: str, rows: tuple[Variable, ...], most: int, *, stay: frozenset[str] | None = None
) -> Block:
    """Return at most *most* of *rows*; those whose names are in *stay*, in lower case, go last."""
    if stay is None:
        return Block(title, rows[:most], (), max(len(rows) - most, 0))
    telling = tuple(row for row in rows if row.name.lower() in stay)[:most]
    others = [row for row in rows if row.name.lower() not in stay]
    rest = tuple(others[: most - len(telling)])
    return Block(title, telling, rest, len(rows) - len(telling) - len(rest))


def environment(report: Report) -> Block:
    """Return where the program ran."""
    runtime = report.runtime
    facts = {
        "service": place(report),
        "host": runtime.host,
        "process": _listed(
            f"pid {runtime.pid}",
            runtime.process.strip(),
            "" if runtime.uptime is None else f"up {span(runtime.uptime)}",
            "" if runtime.memory is None else mebibytes(runtime.memory),
        ),
        "thread": runtime.thread,
        "task": runtime.task,
        "runtime": _listed(runtime.python, runtime.platform),
        "packages": _packages(runtime.packages),
    }
    rows = (Variable(name=name, value=value) for name, value in facts.items() if value)
    return Block("Environment", tuple(rows))


def names_only(noun: str, rows: Iterable[Variable], omitted: int = 0) -> str:
    """Return what stands in place of rows: "7 rows, names only: Accept, Connection, ..."."""
    names = [shorten(one_line(row.name), 60) for row in rows]
    return f"{counted(len(names) + omitted, noun)}, names only: {shorten(', '.join(names), 400)}"


def _command(command: str, chars: int) -> Block:
    if len(command) > chars:
        return Block(
            "Repeat it",
            text=f"{len(command):,} characters are not shown here: half a command is none",
        )
    return Block("Repeat it", text=command, is_command=True)


def _described(upload: Upload) -> str:
    size = "size unknown" if upload.size is None else counted(upload.size, "byte")
    return _listed(upload.filename, upload.content_type, size)


def _packages(packages: tuple[Variable, ...]) -> str:
    more = f"and {len(packages) - PACKAGES} more" if len(packages) > PACKAGES else ""
    return _listed(
        *(f"{package.name} {package.value}".strip() for package in packages[:PACKAGES]), more
    )


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
