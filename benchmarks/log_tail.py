"""
What LogTailHandler costs a logging call.

    python benchmarks/log_tail.py [rounds]

Side by side in one process, so that the ratios mean something on any machine: logging's own handlers, from the one that
does nothing to the one that writes into memory, and LogTailHandler in a thread, in a request and in an asyncio task. The
table has nanoseconds of processor time that a handler takes for a record, the best of all rounds, and that as a ratio to StreamHandler's.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable
from functools import partial
from logging.handlers import MemoryHandler
from time import thread_time

from errormail import LogTailHandler
from errormail.report.request import RequestSource
from errormail.reporter.scope import SCOPE, Scope

CALLS = 1_000
MESSAGES: dict[str, tuple[str, tuple[object, ...]]] = {
    "no arguments": ("cache warmed", ()),
    "three plain arguments": ("order %s of %d by %s", ("A-1", 42, "jane")),
    "a small dict": ("order %s", ({"id": 42, "state": "paid"},)),
    "a message of 5 kB": ("x" * 5_000, ()),
    "a dict of 100,000": ("%s", (dict.fromkeys(range(100_000), "x"),)),
}


def nanoseconds(
    handler: logging.Handler, message: str, args: tuple[object, ...], calls: int
) -> float:
    handle = handler.handle
    # All made before: a record that is the last one's twin would not be kept again.
    records = [
        logging.LogRecord("shop.orders", logging.INFO, "f.py", 1, message, args, None)
        for _ in range(calls)
    ]
    began = thread_time()
    for record in records:
        handle(record)
    return (thread_time() - began) / calls * 1e9


def in_thread(work: Callable[[], float]) -> float:
    return work()


def in_request(work: Callable[[], float]) -> float:
    token = SCOPE.set(Scope(lambda: RequestSource(request={})))
    try:
        return work()
    finally:
        SCOPE.reset(token)


def in_task(work: Callable[[], float]) -> float:
    async def main() -> float:
        return work()

    return asyncio.run(main())


def main(rounds: int) -> None:
    logging.raiseExceptions = False
    print(f"{'':24}{'':28}{'ns':>12}{'StreamHandler = 1':>20}")
    for title, (message, args) in MESSAGES.items():
        calls = CALLS if "100,000" not in title else 3
        cases: list[tuple[str, logging.Handler, Callable[[Callable[[], float]], float]]] = [
            ("StreamHandler", logging.StreamHandler(io.StringIO()), in_thread),
            ("NullHandler", logging.NullHandler(), in_thread),
            ("MemoryHandler", MemoryHandler(10**9, flushLevel=100), in_thread),
            ("LogTailHandler, thread", LogTailHandler(), in_thread),
            ("LogTailHandler, request", LogTailHandler(), in_request),
            ("LogTailHandler, task", LogTailHandler(), in_task),
        ]
        best: dict[str, float] = {}
        for _ in range(rounds):
            for name, handler, place in cases:
                spent = place(partial(nanoseconds, handler, message, args, calls))
                best[name] = min(best.get(name, spent), spent)
                if isinstance(handler, MemoryHandler):
                    handler.buffer.clear()
        for name, spent in best.items():
            print(f"{title:24}{name:28}{spent:12,.0f}{spent / best['StreamHandler']:20.2f}")
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
