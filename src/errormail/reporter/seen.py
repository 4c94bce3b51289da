"""
Who was told of what already: one failure is seen by middleware, framework and server, and makes one email.

The natural key is the exception object, the same one everywhere. It carries a mark, so that nothing of it is kept
alive. Some servers log the traceback as text only: such a record is recognised by its last line, its thread and its time.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import OrderedDict
from logging import LogRecord
from types import TracebackType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = ["exception_of", "mark", "told"]

_MARK = "__errormail_told__"
_TRACEBACK = "Traceback (most recent call last):"

SAME_FAILURE_SECONDS = 5.0
"""A record that repeats a reported traceback as text comes within this time, in the same thread."""
_RECENT = 256
"""Failures kept for that."""

_recent: OrderedDict[tuple[int, str], tuple[float, frozenset[str]]] = OrderedDict()
_lock = threading.RLock()  # reentrant: a signal handler may report while its thread is in here


def is_record(failure: BaseException | LogRecord) -> TypeIs[LogRecord]:
    # By the type alone: isinstance() asks the object, and an exception may have a __getattribute__ that fails.
    return issubclass(type(failure), LogRecord)


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
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        _, exc, tb = (*cast("tuple[object, ...]", info), None, None, None)[:3]
        if isinstance(exc, BaseException):
            if exc.__traceback__ is None and isinstance(tb, TracebackType):
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
    if not isinstance(record.msg, str):
        return ""
    if not record.args:
        return record.msg
    try:
        return record.getMessage()
    except BaseException:  # noqa: BLE001 -- a foreign __str__, or arguments that do not fit
        return ""


def _exception_only(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception_only(type(exc), exc))
    except BaseException:  # noqa: BLE001 -- a foreign __str__
        return ""


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2].strip()[:500]
