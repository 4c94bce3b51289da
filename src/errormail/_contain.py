"""
The one place where a failure of errormail itself is swallowed.

Nothing in errormail may raise into the application that it reports on (promise 1), yet a failure that leaves no trace
would hide a bug for ever: each one is counted, and the first of each stage is written to stderr.
"""

from __future__ import annotations

import sys
from collections import Counter
from types import TracebackType

strict = False
"""Raise instead of swallowing. tests/conftest.py sets it for every test."""

failures: Counter[str] = Counter()
"""How often each stage has failed in this process."""

_told: set[str] = set()
_TOLD_MAX = 100


class contained:  # noqa: N801 -- reads as the statement it is: `with contained("capture"):`
    """
    Swallow an `Exception` that rises inside the block. KeyboardInterrupt and SystemExit pass.

    Args:
        stage: What was being done, for the counter and the line on stderr. A constant, never data of the program.
    """

    __slots__ = ("stage",)

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> bool:
        if exc_type is None or not issubclass(exc_type, Exception):
            return False
        if strict:
            return False
        failures[self.stage] += 1
        if failures[self.stage] == 1:
            tell(
                f"{self.stage} failed with {describe(exc, tb)}; further failures of it are only counted"
            )
        return True


def describe(exc: BaseException | None, tb: TracebackType | None) -> str:
    """
    Return type and place of *exc*, as ``KeyError at frames.py:31``.

    Never its text: that may hold a secret, and ``str(exc)`` of a foreign exception may itself raise.
    """
    name = type(exc).__name__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    if tb is None:
        return name
    file = tb.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{name} at {file}:{tb.tb_lineno}"


def tell(text: str) -> None:
    """Write one line to stderr, prefixed ``errormail:``. A stderr that is closed or missing is no error."""
    try:
        stream = sys.stderr
        if stream is not None:  # pythonw and some daemons have none
            stream.write(f"errormail: {text}\n")
            stream.flush()
    except (
        OSError,
        ValueError,
        AttributeError,
        RuntimeError,
    ):  # the last: a signal handler in the midst of a write
        pass


def tell_once(text: str) -> None:
    """Write one line to stderr as `tell` does, unless the same was written before; 100 different ones at most."""
    if text not in _told and len(_told) < _TOLD_MAX:
        _told.add(text)
        tell(text)
