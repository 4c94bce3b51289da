"""How often has a group occurred? In this version every occurrence is mailed; the count is what the email says of it."""

from __future__ import annotations

import threading
from collections import OrderedDict

from errormail.report.model import Frequency

__all__ = ["MAX_GROUPS", "Gate"]

MAX_GROUPS = 10_000
"""Groups that a process remembers; past it the least recently seen one counts as new again."""


class Gate:
    """
    Counts the occurrences of each group in this process.

    Args:
        since: Unix time from which on it counts.
    """

    def __init__(self, since: float, *, max_groups: int = MAX_GROUPS) -> None:
        self._since = since
        self._max_groups = max_groups
        self._groups: OrderedDict[str, tuple[int, float]] = OrderedDict()
        # Reentrant: a signal handler or a finalizer may report while its thread is in here.
        self._lock = threading.RLock()

    def admit(self, fingerprint: str, now: float) -> Frequency:
        """Count one occurrence of the group *fingerprint* at Unix time *now*; return how often it has occurred."""
        with self._lock:
            count, first_at = self._groups.pop(fingerprint, (0, now))
            self._groups[fingerprint] = (count + 1, first_at)
            if len(self._groups) > self._max_groups:
                self._groups.popitem(last=False)
        return Frequency(occurrences=count + 1, first_at=first_at, since=self._since)
