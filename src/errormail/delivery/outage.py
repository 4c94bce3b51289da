"""
What goes wrong with delivery, said on stderr: one line when it begins, one when it is over, none per email.

Never through logging, which could lead back to us, and never with a text of the server or of a library: that may repeat
a password.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from errormail._contain import tell

__all__ = ["Outage"]

MOST_REASONS = 100
"""Reasons for a single email's failure that are said; further ones are only counted."""


class Outage:
    """
    Says when error mail cannot be delivered, and when it can again.

    Every method can be called from any thread, and from a signal handler that interrupts another one.

    Args:
        say: Writes a line.
    """

    def __init__(self, say: Callable[[str], None] = tell) -> None:
        self._say = say
        self._lock = threading.RLock()  # nothing foreign runs under it
        self._is_down = False
        self._is_full = False
        self._reasons: set[str] = set()
        self._lost = 0
        self._refused = 0
        self._dropped = 0

    def failed(self, why: str) -> None:
        """An email is lost because mail does not get through at all."""
        with self._lock:
            begins, self._is_down = not self._is_down, True
            self._lost += 1
        if begins:
            self._say(f"error mail cannot be delivered: {why}; until it can, it is only counted")

    def refused(self, why: str) -> None:
        """An email is lost, and this says nothing about the next one."""
        with self._lock:
            is_new = why not in self._reasons and len(self._reasons) < MOST_REASONS
            if is_new:
                self._reasons.add(why)
            self._refused += 1
        if is_new:
            self._say(
                f"an error email could not be delivered: {why}; more of them are only counted"
            )

    def delivered(self) -> None:
        """An email got through."""
        if not self._is_down:
            return
        with self._lock:
            ends, self._is_down = self._is_down, False
            lost, self._lost = self._lost, 0
        if ends:
            self._say(f"error mail is delivered again; {_emails(lost)} could not be")

    def dropped(self) -> None:
        """An email is lost because too many wait."""
        with self._lock:
            begins, self._is_full = not self._is_full, True
            self._dropped += 1
        if begins:
            self._say(
                "too many error emails wait for delivery: until there is room, new ones are dropped and counted"
            )

    def caught_up(self) -> None:
        """None waits any more."""
        if not self._is_full:
            return
        with self._lock:
            ends, self._is_full = self._is_full, False
            dropped, self._dropped = self._dropped, 0
        if ends:
            self._say(f"no error email waits any more; {_emails(dropped)} had been dropped")

    def ended(self, waiting: int) -> None:
        """The process ends, while *waiting* emails are not sent."""
        with self._lock:
            counts = {
                "could not be delivered": self._lost + self._refused,
                "had been dropped": self._dropped,
                "not sent in time": waiting,
            }
            self._lost = self._refused = self._dropped = 0
            self._is_down = self._is_full = False
        told = [f"{_emails(count)} {what}" for what, count in counts.items() if count]
        if told:
            self._say(f"at the end of the program: {', '.join(told)}")


def _emails(count: int) -> str:
    return f"{count:,} error email{'' if count == 1 else 's'}"
