"""What a report takes from a log record: every shape that libraries give them, broken ones too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from errormail.report.fingerprint import TRACEBACK_TEXT, template_of
from errormail.report.limits import Limits
from errormail.report.model import REDACTED, Variable
from errormail.report.objects import dict_items, encodable, exact_str, is_a
from errormail.report.redact import Redactor
from errormail.report.tracebacks.paths import display_name
from errormail.report.values import Budget, describe

__all__ = ["CapturedRecord", "capture_record", "shorten_stack", "variables_of"]

NAME_CHARS = 200

_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
# What others put there for themselves: the request is a part of the report, structlog's are its machinery.
_NOT_SHOWN = _STANDARD | {"request", "_logger", "_name", "_record", "_from_structlog"}
_MARK = "__errormail_"
"""Begins what errormail notes on a record."""
_STACK = "\nStack (most recent call last):"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedRecord:
    """A log record's part of a `Report`; the names are its."""

    message: str
    level: str
    logger: str
    call_site: str
    stack: str
    extra: tuple[Variable, ...]
    has_traceback: bool
    """Of an exception, in `stack`: the record, or its message, had it as text."""


def capture_record(
    record: logging.LogRecord,
    *,
    with_exception: bool,
    limits: Limits,
    redactor: Redactor,
    budget: Budget,
) -> CapturedRecord:
    """
    Return what *record* says. Never raises for anything in the record.

    Args:
        with_exception: The report has the exception itself: a traceback in text is left out.
    """

    def shown(value: object) -> str:
        return describe(value, limits=limits, redactor=redactor, budget=budget)

    message, trace = _message_and_trace(record, shown)
    stack = "" if with_exception else trace
    own_stack = _text_of(record, "stack_info")
    stack = "\n".join(each for each in (stack, own_stack) if each)
    fields: list[tuple[object, object]] = [
        (name, value)
        for name, value in vars(record).items()
        if name not in _NOT_SHOWN and not name.startswith(_MARK)
    ]
    if template_of(record):
        fields += islice(_event_fields(record), limits.fields + 1)
    return CapturedRecord(
        message=encodable(redactor.bounded(message, limits.message_chars)),
        level=encodable(_text_of(record, "levelname")[:NAME_CHARS]) or "ERROR",
        logger=encodable(redactor.text(_text_of(record, "name")[:NAME_CHARS])),
        call_site=encodable(_call_site(record)),
        stack=shorten_stack(stack, limits.stack_chars, redactor),
        extra=variables_of(fields, limits=limits, redactor=redactor, budget=budget),
        has_traceback=TRACEBACK_TEXT.search(trace) is not None,
    )


def variables_of(
    fields: list[tuple[object, object]], *, limits: Limits, redactor: Redactor, budget: Budget
) -> tuple[Variable, ...]:
    """Return fields as Variables, at most ``limits.fields`` of them; a further one says how many more there are."""
    found: list[Variable] = []
    for name, value in fields[: limits.fields]:
        text = exact_str(name) or "?"
        shown = (
            REDACTED
            if redactor.hides(text)
            else describe(value, limits=limits, redactor=redactor, budget=budget)
        )
        found.append(Variable(name=encodable(text[:NAME_CHARS]), value=shown))
    if len(fields) > limits.fields:
        found.append(Variable(name="...", value=f"{len(fields) - limits.fields:,} more"))
    return tuple(found)


def shorten_stack(stack: str, chars: int, redactor: Redactor) -> str:
    """Return a traceback in text, redacted, at most *chars* characters: its begin and, three times as much, its end."""
    if len(stack) <= chars:
        return encodable(redactor.text(stack))
    # Cut at line ends, so that no secret is cut in two; lines beyond any measure are cut short.
    lines = [redactor.bounded(line, 1_000) for line in stack[: 2 * chars].split("\n")]
    begin = _whole_lines(lines, chars // 4)
    tail = [redactor.bounded(line, 1_000) for line in stack[-2 * chars :].split("\n")[1:]]
    end = _whole_lines(tail[::-1], chars - chars // 4 - 80)[::-1]
    left_out = max(stack.count("\n") + 1 - len(begin) - len(end), 1)
    return encodable("\n".join([*begin, f"  ... {left_out:,} lines not shown ...", *end]))


def _whole_lines(lines: list[str], chars: int) -> list[str]:
    taken: list[str] = []
    for line in lines:
        chars -= len(line) + 1
        if chars < 0:
            break
        taken.append(line)
    return taken


def _message_and_trace(
    record: logging.LogRecord, shown: Callable[[object], str]
) -> tuple[str, str]:
    """
    Return the message, and the traceback that came as text.

    QueueHandler formats a record with its traceback and its stack before it hands it on, and takes the exception away;
    loguru does so beside the exception.
    """
    message = _formatted(record, shown)
    begins = [match.start() for match in [TRACEBACK_TEXT.search(message)] if match]
    begins += [at + 1 for at in [message.find(_STACK)] if at >= 0]
    trace = message[min(begins) :] if begins else ""
    message = message[: min(begins)].rstrip() if begins else message
    return message, (trace or _text_of(record, "exc_text")).strip("\n")


def _formatted(record: logging.LogRecord, shown: Callable[[object], str]) -> str:
    template: object = cast("object", record.msg)
    if is_a(template, dict):  # structlog: the configured formatter would make text of it
        return template_of(record) or shown(template)
    try:
        return exact_str(record.getMessage())
    except BaseException:  # noqa: BLE001 -- wrong arguments, or one of them that has no text
        arguments = f"arguments that do not fit: {shown(record.args)}"
    return f"{template_of(record)} ({arguments})"


def _event_fields(record: logging.LogRecord) -> Iterator[tuple[object, object]]:
    """The fields of a structlog event."""
    for name, value in dict_items(cast("object", record.msg)):
        if exact_str(name) not in {"event", "exc_info", "stack_info"}:
            yield name, value


def _call_site(record: logging.LogRecord) -> str:
    path, function = _text_of(record, "pathname"), _text_of(record, "funcName")[:NAME_CHARS]
    lineno: object = vars(record).get("lineno")
    if not path:
        return ""
    place = f"{display_name(path)}:{lineno}" if type(lineno) is int else display_name(path)
    return f"{place} in {function}" if function else place


def _text_of(record: logging.LogRecord, name: str) -> str:
    return exact_str(vars(record).get(name))
