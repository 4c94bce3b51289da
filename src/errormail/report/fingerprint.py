"""
Which group an exception or a log record belongs to: 12 hex digits, made without looking at any value.

An edit elsewhere in a file keeps the group, since a place is a function and a line within it. Recursion is collapsed:
each place counts once in a traceback, however deep it went.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import cast

from errormail._contain import contained
from errormail.report.objects import (
    cause_of,
    dict_get,
    exact_str,
    is_a,
    members_of,
    traceback_of,
    type_name,
)
from errormail.report.tracebacks.paths import code_module, display_name, is_app_code

__all__ = ["fingerprint_exception", "fingerprint_record", "template_of"]

EXCEPTIONS = 50
"""Looked at, of a chain and its groups."""
ENTRIES = 500
"""Of a traceback looked at, from its begin and from its end."""
TEMPLATE_CHARS = 2_000
"""Of a log message."""

# What differs from one occurrence to the next. Longest forms first.
_VARYING = re.compile(
    r"(?P<quoted>'[^'\n]{0,200}'|\"[^\"\n]{0,200}\")"
    r"|(?P<id>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b0x[0-9a-fA-F]+\b|\b(?=[a-f]*\d)[0-9a-f]{7,128}\b)"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6})"
    r"|(?P<number>[-+]?\d[\d.,:_TZ+-]*)"
)
_FRAME = re.compile(r'^[ |]*File "([^"\n]{1,500})", line \d+, in ([^\n]{1,200})', re.MULTILINE)
_LAST_TYPE = re.compile(r"^[ |]*([A-Za-z_][\w.]{0,200})(?::|$)", re.MULTILINE)
TRACEBACK_TEXT = re.compile(
    r"^[ +|-]*(?:Exception Group )?Traceback \(most recent call last\):?[ ]*$", re.MULTILINE
)


def fingerprint_exception(exc: BaseException, in_app: tuple[str, ...] = ()) -> str:
    """
    Return the group of *exc*: 12 hex digits.

    Made of type, module, function and line within the function of each place in the application that it went through
    (of the innermost place, where the application has none), and the same of what it came from. Members of an exception
    group count once each, in no order; the message of none of them counts.

    Args:
        in_app: IN_APP, see `is_app_code`.
    """
    with contained("fingerprint"):
        return _digest(_parts(exc, set(), in_app))
    return _digest([type_name(type(exc))])


def fingerprint_record(record: logging.LogRecord, in_app: tuple[str, ...] = ()) -> str:
    """
    Return the group of a log record without an exception: 12 hex digits.

    Made of the logger, the message before its arguments are put in, without numbers, ids and what is quoted, and the
    function that logged. A traceback that came as text counts as an exception's does.
    """
    with contained("fingerprint"):
        template = template_of(record)
        begin = TRACEBACK_TEXT.search(template)
        head = template[: begin.start()] if begin else template
        trace = template[begin.start() :] if begin else ""
        trace = trace or exact_str(record.exc_text)
        parts = [
            str(record.name),
            _without_varying(head.strip()[:TEMPLATE_CHARS]),
            str(record.module),
            str(record.funcName),
            *_parts_of_text(trace[-32_768:], in_app),
        ]
        return _digest(parts)
    return _digest(["record"])


def template_of(record: logging.LogRecord) -> str:
    """Return the message of *record* before its arguments are put in; its event, where structlog made it a dict."""
    message = cast("object", record.msg)
    if is_a(message, dict):
        message = dict_get(message, "event", "")
    text = exact_str(message)
    if text or is_a(message, str):
        return text
    try:
        return f"{type_name(type(message))} {exact_str(str(message))[: 4 * TEMPLATE_CHARS]}"
    except BaseException:  # noqa: BLE001 -- logger.error(anything)
        return type_name(type(message))


def _digest(parts: Iterable[str]) -> str:
    data = "\0".join(parts).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(data, digest_size=6).hexdigest()


def _parts(exc: BaseException, seen: set[int], in_app: tuple[str, ...]) -> list[str]:
    """Return what the group of *exc* is made of. *seen*: ids of the exceptions looked at already."""
    parts: list[str] = []
    link: BaseException | None = exc
    while link is not None and id(link) not in seen and len(seen) < EXCEPTIONS:
        seen.add(id(link))
        parts += [type_name(type(link)), *_places(traceback_of(link), in_app)]
        members = islice(members_of(link), EXCEPTIONS)
        inner = [_parts(member, seen, in_app) for member in members]
        parts += sorted({_digest(each) for each in inner if each})
        link, relation = cause_of(link)
        parts.append(relation)
    return parts


def _places(tb: TracebackType | None, in_app: tuple[str, ...]) -> list[str]:
    places: dict[str, None] = {}
    functions: dict[int, tuple[str, bool]] = {}
    innermost = ""
    for entry in _entries(tb):
        code = entry.tb_frame.f_code
        if id(code) not in functions:
            functions[id(code)] = _function(entry, in_app)
        function, is_own = functions[id(code)]
        innermost = f"{function}:{(entry.tb_lineno or 0) - code.co_firstlineno}"
        if is_own:
            places[innermost] = None
    return list(places) or [innermost]


def _function(entry: TracebackType, in_app: tuple[str, ...]) -> tuple[str, bool]:
    """Return the name of the function, and whether it is the application's."""
    code = entry.tb_frame.f_code
    module = exact_str(dict_get(entry.tb_frame.f_globals, "__name__"))
    # One name for a program started as a script or with -m: its main module is known by its file.
    # A template of Jinja2 or Mako is a module with the name of its file, or that of an address in memory.
    is_file_name = module in {"", "__main__", code.co_filename}
    name = display_name(code.co_filename) if is_file_name else module
    name = "<template>" if name.startswith("memory:") else name
    function: str = getattr(code, "co_qualname", code.co_name)  # co_qualname: Python 3.11
    spec_name = code_module(entry.tb_frame.f_globals) if in_app else module
    return f"{name}:{function}", is_app_code(code.co_filename, spec_name, in_app)


def _entries(tb: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the outermost and innermost entries of *tb*; a million of them are only walked past."""
    count = 0
    while tb is not None and count < ENTRIES:
        yield tb
        tb = tb.tb_next
        count += 1
    last: deque[TracebackType] = deque(maxlen=ENTRIES)
    while tb is not None:
        last.append(tb)
        tb = tb.tb_next
    yield from last


def _parts_of_text(trace: str, in_app: tuple[str, ...]) -> list[str]:
    """Return the places and the type that a traceback in text names: no line numbers, for they change with any edit."""
    if not trace:
        return []
    places: dict[str, None] = {}
    for match in _FRAME.finditer(trace):
        if is_app_code(match[1], "", in_app):
            places[f"{display_name(match[1])}:{match[2]}"] = None
    last = trace.rstrip().rpartition("\n")[2]
    found = _LAST_TYPE.match(last)
    return [*places, found[1] if found else ""]


def _without_varying(text: str) -> str:
    return _VARYING.sub(lambda match: f"<{match.lastgroup}>", text)
