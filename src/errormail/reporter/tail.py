"""
Where the log before a failure is kept until there is one: in a ring per request, else per asyncio task, else per thread.

The ring of a request lies on its `Scope`: its tasks and threads share it, the next request of the thread has another.
That of a task ends with the task, that of a thread with the thread. There is no lock: what is appended is a tuple.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections import deque
from contextlib import suppress
from logging import LogRecord
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from errormail._contain import contained
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.log import Line, line_of, origin_of
from errormail.reporter.scope import current_scope
from errormail.reporter.seen import is_own

if TYPE_CHECKING:
    import asyncio

__all__ = ["Tail", "keep", "tail_at_hand"]

_KEEPING = contained("log tail")  # it has no state: one for all records


class Tail:
    """The last lines of one request, task or thread, at most ``log_lines`` and ``log_bytes`` of them."""

    __slots__ = ("_bytes", "_last", "_numbers", "lines")

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=DEFAULT_LIMITS.log_lines)
        self._numbers = itertools.count(1)
        self._bytes = 0
        self._last: Line | None = None

    def add(self, record: LogRecord) -> None:
        """Keep *record*, unless it was the last that was kept: it may come by the way of several loggers."""
        last = self._last
        if last is not None and last.record == id(record) and last.at == record.created:
            return
        line = self._last = line_of(record, next(self._numbers))
        self.lines.append(line)
        # An upper bound, since what falls out at the other end is not subtracted: it is counted only now and then.
        self._bytes += sys.getsizeof(line.message)
        if self._bytes > DEFAULT_LIMITS.log_bytes:
            self._trim()

    def before(self, record: LogRecord | None) -> tuple[list[Line], int]:
        """
        Return the lines before *record*, and how many there were before those.

        Args:
            record: What is reported; its own line is left out. If a QueueListener handles it in a thread of its own, so
                do the lines of others: only those of its process, thread and task are returned.
        """
        lines = list(self.lines)
        if record is None:
            return lines, lines[0].number - 1 if lines else 0
        lines = [line for line in lines if line.record != id(record) or line.at != record.created]
        origin = origin_of(record)
        if origin[:2] != (os.getpid(), threading.get_ident()):
            return [line for line in lines if line.origin == origin], 0
        return lines, lines[0].number - 1 if lines else 0

    def _trim(self) -> None:
        sizes = [sys.getsizeof(line.message) for line in list(self.lines)]
        total = sum(sizes)
        for size in sizes[:-1]:
            if total <= DEFAULT_LIMITS.log_bytes:
                break
            with suppress(IndexError):  # another thread of the request does the same
                self.lines.popleft()
            total -= size
        self._bytes = total


def keep(record: LogRecord) -> None:
    """Keep what *record* says for the report of a failure that may come, unless it is our own. Never raises."""
    with _KEEPING:
        if not is_own(record):
            tail_at_hand().add(record)


def tail_at_hand() -> Tail:
    """Return the ring of the request that is served, else of the task that runs, else of the thread."""
    scope = current_scope()
    if scope is not None:
        scope = scope.outermost
        tail = scope.tail
        if tail is None:
            tail = scope.tail = Tail()
        return tail
    task = _task()
    if task is not None:
        tail = _of_tasks.get(task)
        if tail is None:
            tail = _of_tasks[task] = Tail()
        return tail
    try:
        return _of_threads.tail
    except AttributeError:
        tail = _of_threads.tail = Tail()
        return tail


class _OfThreads(threading.local):
    tail: Tail


_of_threads = _OfThreads()
_of_tasks: WeakKeyDictionary[asyncio.Task[object], Tail] = WeakKeyDictionary()


def _task() -> asyncio.Task[object] | None:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        # Asked first, because current_task() raises where no loop runs, and that takes longer than all the rest.
        loop = asyncio._get_running_loop()  # noqa: SLF001 -- in asyncio's __all__
        return None if loop is None else asyncio.current_task(loop)
    except (AttributeError, RuntimeError):  # it is just being imported; a loop of a foreign kind
        return None
