"""
What a failure is called: "KeyError", and of an exception group also what is in it, since all groups are called alike.

What is said here is the same for each occurrence of a group but for the words of a message, see `varying`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from errormail.report.model import CapturedException, Elision, Frame

__all__ = ["leaves", "message_of", "name_of", "where_of"]

NAMES = 3
"""Types of leaves that are named; of more, their number."""

_COUNT = re.compile(r" ?\(\d+ sub-exceptions?\)$")
# The messages of groups that say nothing: of asyncio, of anyio and of trio.
_SAYS_NOTHING = {
    "",
    "unhandled errors in a TaskGroup",
    "unhandled errors in a nursery",
    "Exceptions from Trio nursery",
    "multiple tasks failed",
}


def leaves(exc: CapturedException) -> Iterator[CapturedException]:
    """Yield the exceptions that are in the group *exc*, at any depth, without the groups; *exc* itself if it is none."""
    if not exc.members:
        yield exc
    for member in exc.members:
        yield from leaves(member)


def name_of(exc: CapturedException) -> str:
    """Return the type; of a group with those in it: "ExceptionGroup (KeyError, TimeoutError)"."""
    if not exc.members:
        return exc.type_name
    # Sorted and without how many of each: they come in any order and number, the group of the report is the same.
    names = sorted({leaf.type_name for leaf in leaves(exc)})
    shown = ", ".join(names[:NAMES])
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{exc.type_name} ({shown}{more})"


def message_of(exc: CapturedException) -> str:
    """Return the message; of a group without how many are in it, and in place of one that says nothing that of the only leaf."""
    if not exc.members:
        return exc.message.strip()
    own = _COUNT.sub("", exc.message).strip()
    if own not in _SAYS_NOTHING:
        return own
    leaf = _only_leaf(exc)
    return leaf.message.strip() if leaf is not None else ""


def where_of(exc: CapturedException) -> Frame | None:
    """Return the culprit, of a group with a single leaf that of the leaf; the same for each occurrence of a group."""
    if exc.members:
        leaf = _only_leaf(exc)
        exc = exc if leaf is None else leaf
    if exc.type_name == "RecursionError":
        return _end_of_first_round(exc) or exc.culprit
    return exc.culprit


def _only_leaf(exc: CapturedException) -> CapturedException | None:
    found = list(leaves(exc))
    return found[0] if len(found) == 1 else None


def _end_of_first_round(exc: CapturedException) -> Frame | None:
    """Return the last application frame before those that repeat: at which of them Python gives up is chance."""
    last = None
    for entry in exc.frames:
        if isinstance(entry, Elision):
            return last
        if entry.in_app:
            last = entry
    return None
