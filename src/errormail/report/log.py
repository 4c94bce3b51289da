"""
The log before a failure: what is kept of each record while nothing has failed yet, and what a report makes of it.

Keeping happens for every record of the program, so it is cheap: the message is formatted, bounded, and nothing else is
kept. Formatting later would be no cheaper, arguments change, and they would be kept alive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from errormail.report.limits import Limits
from errormail.report.model import LogLine
from errormail.report.objects import dict_get, encodable, exact_str, is_a, type_name

if TYPE_CHECKING:
    from errormail.report.redact import Redactor  # loaded when something fails, and no sooner

__all__ = ["KEPT_CHARS", "Line", "line_of", "log_lines", "origin_of"]

KEPT_CHARS = 2_048
"""Of a message while nothing has failed. More than is shown: what stands at a cut is not redacted reliably."""
SHOWN_CHARS = 1_000
NAME_CHARS = 200

ITEMS = 20
ITEM_CHARS = 200
DEPTH = 2
"""A container of a message with more than that is not formatted as it is."""

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""What these make of themselves is cheap and nobody else's code."""
_CONTAINERS = frozenset({dict, list, tuple, set, frozenset})
_ARGUMENT_LIMITS = Limits(value_chars=KEPT_CHARS, items=20, depth=3, seconds=0.02)
_MISSING = object()
_tuple: Callable[..., Any] = cast("Any", tuple).__new__
_FORMATTING: ContextVar[bool] = ContextVar("errormail.formatting", default=False)


class Line(NamedTuple):
    """A log record as it is kept: no reference to the record or its arguments."""

    number: int
    """Of the lines that are kept together; the first is 1."""
    record: int
    """``id()`` of the record, which tells it from others together with `at`."""
    at: float
    level: str
    logger: str
    message: str
    is_cut: bool
    origin: tuple[object, object, object]
    """Process, thread and task in which it was logged."""


def line_of(record: logging.LogRecord, number: int) -> Line:
    """Return what is kept of *record*. Never raises for anything in it."""
    message = _message(record)
    is_cut = len(message) > KEPT_CHARS
    if is_cut:
        message = message[:KEPT_CHARS]
    # Past the constructor that NamedTuple makes, which takes twice as long.
    line: Line = _tuple(
        Line,
        (
            number,
            id(record),
            record.created,
            record.levelname,
            record.name,
            message,
            is_cut,
            origin_of(record),
        ),
    )
    return line


def origin_of(record: logging.LogRecord) -> tuple[object, object, object]:
    """Return process, thread and task in which *record* was logged; the task's name from Python 3.12 on."""
    known = record.__dict__
    return known.get("process"), known.get("thread"), known.get("taskName")


def log_lines(lines: Iterable[Line], redactor: Redactor, limits: Limits) -> tuple[LogLine, ...]:
    """Return the last of *lines*, redacted, oldest first: at most ``limits.log_lines`` and ``limits.log_bytes``."""
    shown: list[LogLine] = []
    room = limits.log_bytes
    for line in [*lines][: -limits.log_lines - 1 : -1]:
        message = encodable(_redacted(line, redactor))
        room -= len(message.encode())
        if room < 0:
            break
        at: object = line.at
        shown.append(
            LogLine(
                at=at if type(at) is float else 0.0,
                level=encodable(exact_str(line.level)[:NAME_CHARS]),
                logger=encodable(redactor.text(exact_str(line.logger)[:NAME_CHARS])),
                message=message,
            )
        )
    return tuple(reversed(shown))


def _redacted(line: Line, redactor: Redactor) -> str:
    if not line.is_cut:
        return redactor.bounded(line.message, SHOWN_CHARS)
    # A secret that the cut went through is not recognised, wherever it began: so far from the end nothing is shown.
    room = min(SHOWN_CHARS, len(line.message) - redactor.margin - 1)
    return redactor.bounded(line.message, room) if room > 3 else "..."


def _message(record: logging.LogRecord) -> str:
    template: object = record.msg
    args: object = record.args
    # The usual shapes first, in a few hundred nanoseconds.
    if type(template) is str and type(record) is logging.LogRecord:
        if not args:
            return template
        if type(args) is tuple and _is_plain(args):
            try:
                return template % args
            except Exception:  # noqa: BLE001 -- arguments that do not fit; logging itself says so
                return template
    if _FORMATTING.get():
        return exact_str(template)  # an argument logs while it is formatted: it would never end
    token = _FORMATTING.set(True)
    try:
        return exact_str(_formatted(record, template, args))
    except BaseException:  # noqa: BLE001 -- a foreign __str__, arguments that do not fit
        return exact_str(template)
    finally:
        _FORMATTING.reset(token)


def _is_plain(values: tuple[object, ...]) -> bool:
    try:
        for value in values:
            cls = type(value)
            if cls is str:
                if len(cast("str", value)) > KEPT_CHARS:
                    return False
            elif cls not in _PLAIN:
                return False
    except BaseException:  # noqa: BLE001 -- a metaclass with a __hash__ of its own
        return False
    return True


def _formatted(record: logging.LogRecord, template: object, args: object) -> str:
    if type(record) is not logging.LogRecord:
        return record.getMessage()  # of a class of the program's own: only it knows
    if is_a(template, dict):  # structlog's event
        event = dict_get(template, "event")
        return exact_str(event) if is_a(event, str) else _shown(template)
    text = template if type(template) is str else str(_harmless(template))
    if not args:
        return text
    if type(args) is tuple:
        return text % tuple(_harmless(arg) for arg in cast("tuple[object, ...]", args))
    if not is_a(args, dict):
        return text % (_harmless(args),)
    # One argument alone: for %(name)s, and for %s as well.
    named = cast("dict[object, object]", args)
    is_small = type(named) is dict and _is_small(named, DEPTH)
    return text % (named if is_small else _Arguments(named))


class _Shown:
    """Stands in for an argument that must not be formatted as it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class _Arguments(dict[object, object]):
    """Arguments by name, made harmless when they are asked for."""

    __slots__ = ("_args",)

    def __init__(self, args: dict[object, object]) -> None:
        super().__init__()
        self._args = args

    def __getitem__(self, name: object) -> object:
        value = dict_get(self._args, name, _MISSING)
        if value is _MISSING:
            raise KeyError(name)
        return _harmless(value)

    def __repr__(self) -> str:
        return _shown(self._args)


def _harmless(value: object) -> object:
    """Return *value*, or in its place a text: of what is huge, and of what would ask a database when it is formatted."""
    cls = type(value)
    if cls in _PLAIN:
        return value[: KEPT_CHARS + 1] if type(value) is str else value
    if cls in _CONTAINERS:
        return value if _is_small(value, DEPTH) else _Shown(_shown(value))
    if is_a(value, bytes, bytearray) or _by_type_only(cls):
        return _Shown(_shown(value))
    return value


def _is_small(value: object, depth: int) -> bool:
    """Return whether *value* is a container of a few plain values: its own repr() is the fastest then."""
    if type(value) is dict:
        pairs = cast("dict[object, object]", value)
        if len(pairs) > ITEMS:
            return False
        items = [*pairs, *pairs.values()]
    else:
        members = cast("list[object]", value)
        if len(members) > ITEMS:
            return False
        items = [*members]
    return all(
        len(item) <= ITEM_CHARS
        if type(item) is str
        else type(item) in _PLAIN
        or (depth > 0 and type(item) in _CONTAINERS and _is_small(item, depth - 1))
        for item in items
    )


def _by_type_only(cls: type) -> bool:
    from errormail.report.values.kinds import Kind, plan_of

    return plan_of(cls).kind is Kind.TYPE_ONLY


def _shown(value: object) -> str:
    from errormail.report.redact import DEFAULT_REDACTOR
    from errormail.report.values import Budget, describe

    budget = Budget(_ARGUMENT_LIMITS.seconds)
    text = describe(value, limits=_ARGUMENT_LIMITS, redactor=DEFAULT_REDACTOR, budget=budget)
    return text or f"<{type_name(type(value))}>"
