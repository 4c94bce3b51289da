"""
What both renderers show in the same order: blocks of names and values, and the stretches of a traceback.

A traceback of hundreds of frames is shown by its ends, so its frames are put into items first: an application frame, a
run of library frames, or words in place of frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from errormail.report.model import Elision, Frame, Report, Request, Upload, Variable
from errormail.report.visible import one_line, shorten
from errormail.report.wording import counted, place

__all__ = [
    "LIBRARY_ENDS",
    "LIBRARY_RUN",
    "MEMBERS_KEPT",
    "Block",
    "Item",
    "Run",
    "between_ends",
    "beyond_spine",
    "context_blocks",
    "environment",
    "frames_in",
    "items",
    "locals_reach",
    "middle",
    "names_only",
    "request_blocks",
]

LIBRARY_RUN = 6
"""A longer run of library frames may be shown by its ends."""
LIBRARY_ENDS = 2
FRAMES_KEPT = 30
"""Application frames of one traceback that stay before whole causes go."""
SPINE_OUTER = 2
"""Items at the outer end of a traceback that always stay."""
SPINE_INNER = 6
MEMBERS_KEPT = 5
"""Members of a group that stay before whole causes go."""

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
    """Names and values under one title."""

    title: str
    rows: tuple[Variable, ...]
    rest: tuple[Variable, ...] = ()
    """Rows that may go first."""
    omitted: int = 0
    """Rows that are not shown at all."""


class Run(NamedTuple):
    """Library frames that follow each other."""

    frames: tuple[Frame, ...]


Item = Frame | Elision | Run


def request_blocks(request: Request, most: int) -> list[Block]:
    """Return those blocks of request details that hold something, at most *most* rows each."""
    files = tuple(Variable(name=upload.field, value=_described(upload)) for upload in request.files)
    blocks = [
        _block("Form", request.form, most),
        _block("Files", files, most),
        _block("Query", request.query, most),
        _block("Headers", request.headers, most, stay=_TELLING_HEADERS),
        _block("Cookies", request.cookies, most),
        _block("Session", request.session, most, stay=frozenset()),
    ]
    return [block for block in blocks if block.rows or block.rest]


def context_blocks(report: Report, most: int) -> list[Block]:
    """Return what the program said of itself: ``errormail.context(...)`` and the record's own fields."""
    blocks = [_block("Context", report.context, most), _block("Log record", report.extra, most)]
    return [block for block in blocks if block.rows]


def environment(report: Report) -> Block:
    """Return where the program ran."""
    runtime = report.runtime
    facts = {
        "service": place(report),
        "host": runtime.host,
        "process": ", ".join(
            part for part in (f"pid {runtime.pid}", runtime.process.strip()) if part
        ),
        "thread": runtime.thread,
        "task": runtime.task,
        "runtime": ", ".join(part for part in (runtime.python, runtime.platform) if part),
    }
    rows = (Variable(name=name, value=value) for name, value in facts.items() if value)
    return Block("Environment", tuple(rows))


def items(frames: Iterable[Frame | Elision]) -> list[Item]:
    """Return *frames* in the same order, library frames that follow each other as one Run."""
    found: list[Item] = []
    for is_library, group in groupby(
        frames, lambda frame: isinstance(frame, Frame) and not frame.in_app
    ):
        if is_library:
            found.append(Run(tuple(frame for frame in group if isinstance(frame, Frame))))
        else:
            found.extend(group)
    return found


def middle(shown: list[Item]) -> range:
    """Return the indexes in *shown* (outermost first) of what lies between the application frames that are kept."""
    app = [index for index, item in enumerate(shown) if isinstance(item, Frame)]
    if len(app) <= FRAMES_KEPT:
        return range(0)
    return range(app[FRAMES_KEPT // 2 - 1] + 1, app[-FRAMES_KEPT // 2])


def beyond_spine(shown: list[Item]) -> range:
    """Return the indexes in *shown* (outermost first) of all but the ends that always stay."""
    return range(SPINE_OUTER, len(shown) - SPINE_INNER)


def between_ends(shown: list[Item]) -> range:
    """Return the indexes in *shown* of all but the first and the last."""
    return range(1, len(shown) - 1)


def locals_reach(report: Report, most: int, per_frame: int) -> int:
    """
    Return how far from where an exception was raised its frames' locals are worth writing.

    Locals go outermost first. With thousands of frames those beyond this distance go anyway, and to write them would
    take seconds. *most* is how many variables there may be in all, *per_frame* how many are shown of one.
    """
    counts: Counter[int] = Counter()
    waiting = [report.exception] if report.exception else []
    while waiting:
        exc = waiting.pop()
        waiting += [*exc.members, *([exc.cause] if exc.cause else [])]
        for distance, item in enumerate(reversed(items(exc.frames))):
            if isinstance(item, Frame):
                counts[distance] += min(len(item.variables), per_frame)
    total = 0
    for distance in sorted(counts):
        total += counts[distance]
        if total > most:
            return distance
    return max(counts, default=0) + 1


def frames_in(shown: Iterable[Item]) -> str:
    """Return "44 frames": how many calls the items stand for."""
    number = 0
    for item in shown:
        if isinstance(item, Run):
            number += len(item.frames)
        elif isinstance(item, Elision):
            number += item.frames
        else:
            number += 1
    return counted(number, "frame")


def names_only(noun: str, rows: Iterable[Variable], omitted: int = 0) -> str:
    """Return what stands in place of rows: "7 rows, names only: Accept, Connection, ..."."""
    names = [shorten(one_line(row.name), 60) for row in rows]
    return f"{counted(len(names) + omitted, noun)}, names only: {shorten(', '.join(names), 400)}"


def _block(
    title: str, rows: tuple[Variable, ...], most: int, *, stay: frozenset[str] | None = None
) -> Block:
    if stay is None:
        return Block(title, rows[:most], (), max(len(rows) - most, 0))
    telling = tuple(row for row in rows if row.name.lower() in stay)[:most]
    others = [row for row in rows if row.name.lower() not in stay]
    rest = tuple(others[: most - len(telling)])
    return Block(title, telling, rest, len(rows) - len(telling) - len(rest))


def _described(upload: Upload) -> str:
    size = "size unknown" if upload.size is None else counted(upload.size, "byte")
    return ", ".join(part for part in (upload.filename, upload.content_type, size) if part)
