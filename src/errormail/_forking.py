"""
What a fork must not cut in two, and the fork that waits for it, though not for ever.

A child has only the thread that forked. A lock that another thread held at that moment stays held in it for ever: that
of a module half loaded, or one inside the C library, which hooks into fork for its larger ones only.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["undivided", "when_forked"]

LONGEST_SECONDS = 1.0
"""How long a fork waits. What it waits for happens once per process, and takes some 0.1 s unless name servers are slow."""

LOADED_BEFORE_ANY_THREAD = (logging,)
"""It hooks into fork. Loaded by another thread while a fork waits, it would be called after the fork but not before it."""

_lock = threading.RLock()
_own = threading.local()
_children: list[Callable[[], None]] = []


@contextmanager
def undivided() -> Generator[None]:
    """Let a fork wait until the block has ended."""
    with _lock:
        yield


def when_forked(begin: Callable[[], None]) -> None:
    """Call *begin* in each child process, first of all."""
    _children.append(begin)


def before_fork() -> None:
    _own.is_held = _lock.acquire(timeout=LONGEST_SECONDS)


def after_fork_in_parent() -> None:
    if getattr(_own, "is_held", False):  # not if we were loaded in the midst of the fork
        _lock.release()


def after_fork_in_child() -> None:
    global _lock
    _lock = threading.RLock()
    for begin in _children:
        begin()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=before_fork,
        after_in_parent=after_fork_in_parent,
        after_in_child=after_fork_in_child,
    )
