"""
Who was told of what already: one failure is seen by middleware, framework and server, and makes one email.

The natural key is the exception object, the same one everywhere. It carries a mark, so that nothing of it is kept
alive. Some servers log the traceback as text only: such a record is recognised by its last line, its thread and its time.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import OrderedDict
from logging import LogRecord
from types import TracebackType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = ["exception_of", "is_own", "mark", "told"]

_MARK = "__errormail_told__"
_TRACEBACK = "Traceback (most recent call last):"

SAME_FAILURE_SECONDS = 5.0
"""A record that repeats a reported traceback as text comes within this time, in the same thread."""
_RECENT = 256
"""Failures kept for that."""

_recent: OrderedDict[tuple[int, str], tuple[float, frozenset[str]]] = OrderedDict()
_SUGGESTION = re.compile(r"\. Did you (?:mean|forget)\b[^.]*\?$")
"""What Python adds to a wrong name in a traceback, and not to the exception."""
_type = type.__dict__
_traceback = BaseException.__dict__["__traceback__"]
_lock = threading.RLock()  # reentrant: a signal handler may report while its thread is in here


def is_record(failure: BaseException | LogRecord) -> TypeIs[LogRecord]:
    # By the type alone: isinstance() asks the object, and an exception may have a __getattribute__ that fails.
    return issubclass(type(failure), LogRecord)


def _is_exception(value: object) -> TypeIs[BaseException]:
    return issubclass(type(value), BaseException)  # as above


def is_own(record: LogRecord) -> bool:
    """Return whether *record* was logged by errormail itself."""
    name: object = record.name
    return type(name) is str and name.partition(".")[0] == "errormail"


def told(failure: BaseException | LogRecord, scope: int) -> frozenset[str]:
    """
    Return the addresses that have got an email about *failure*.

    Args:
        scope: Number of the request at hand, 0 outside of one. An exception that was reported in another request is a
            new occurrence: some programs raise one object again and again.
    """
    if is_record(failure):
        marked: frozenset[str] | None = failure.__dict__.get(_MARK)
        return _told_as_text(failure) if marked is None else marked
    try:
        number, addresses = BaseException.__getattribute__(failure, _MARK)
    except (AttributeError, TypeError, ValueError):
        return frozenset()
    return frozenset() if scope and number and scope != number else addresses


def mark(failure: BaseException | LogRecord, scope: int, addresses: frozenset[str]) -> None:
    """Note that *addresses*, and nobody else, have got an email about *failure*; *scope* as for `told`."""
    if is_record(failure):
        failure.__dict__[_MARK] = addresses
        return
    # By the base class: an exception may have a __setattr__ of its own.
    BaseException.__setattr__(failure, _MARK, (scope, addresses))
    line = _last_line(_exception_only(failure))
    if line:
        with _lock:
            _recent[threading.get_ident(), line] = (time.time(), addresses)
            if len(_recent) > _RECENT:
                _recent.popitem(last=False)


def exception_of(record: LogRecord) -> BaseException | None:
    """
    Return the exception that *record* is about.

    That is the one in its ``exc_info``; if it has none but its message ends in the traceback of the exception that is
    being handled (Werkzeug, CherryPy and RQ log so), that one.
    """
    info: object = record.exc_info
    if _is_exception(info):
        return info
    if type(info) is tuple:
        _, exc, tb = (*cast("tuple[object, ...]", info), None, None, None)[:3]
        if _is_exception(exc):
            if type(tb) is TracebackType and _traceback.__get__(exc) is None:
                BaseException.with_traceback(exc, tb)  # by the base class, as in `mark`
            return exc
    live = sys.exc_info()[1]
    if live is None:
        return None
    text = _text_of(record)
    same = _TRACEBACK in text and _last_line(text) == _last_line(_exception_only(live))
    return live if same else None


def _told_as_text(record: LogRecord) -> frozenset[str]:
    text = _text_of(record)
    if _TRACEBACK not in text or record.thread is None:
        return frozenset()
    with _lock:
        at, addresses = _recent.get((record.thread, _last_line(text)), (float("-inf"), frozenset()))
    return addresses if abs(record.created - at) <= SAME_FAILURE_SECONDS else frozenset()


def _text_of(record: LogRecord) -> str:
    """Return the message of *record* if it can hold a traceback, else "": formatting is not for free."""
    template: object = cast("object", record.msg)
    if not issubclass(type(template), str):
        return ""
    try:
        return _plain(record.getMessage() if record.args else template)
    except BaseException:  # noqa: BLE001 -- a foreign __str__, or arguments that do not fit
        return ""


def _plain(text: object) -> str:
    return str.__str__(cast("str", text)) if issubclass(type(text), str) else ""


def _exception_only(exc: BaseException) -> str:
    """Return what Python prints of *exc* below the frames."""
    # Not `traceback.format_exception_only`: it walks all members of a group and their members, without a bound, reads
    # the source of each, and looks into foreign objects for a suggestion.
    cls = type(exc)
    module, name = (_plain(_type[each].__get__(cls)) for each in ("__module__", "__qualname__"))
    name = name if module in {"__main__", "builtins"} else f"{module}.{name}"
    try:
        notes: object = getattr(exc, "__notes__", None)
        if type(notes) is list and notes:
            return _plain(cast("list[object]", notes)[-1])
        message = _plain(str(getattr(exc, "msg", "") if issubclass(cls, SyntaxError) else exc))
    except BaseException:  # noqa: BLE001 -- a foreign __str__
        return ""
    return f"{name}: {message}" if message else name


def _last_line(text: str) -> str:
    return _SUGGESTION.sub("", text.rstrip().rpartition("\n")[2].strip()[:500])
