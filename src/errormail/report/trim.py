"""
A document in parts, some of which can be left out when it is too big.

A renderer writes everything once, in order, and says of some stretches at which step they may go and which words stand
in their place. If the whole is too big, steps are taken one by one until it fits: nothing is rendered twice.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

__all__ = ["Draft", "Step"]


class Step(IntEnum):
    """What goes first when a report is too big: email/DESIGN's order, then what keeps the bound whatever comes."""

    ROWS = 1
    """Header, session and environment rows outside a short list."""
    LOCALS = 3
    """Outermost frames first."""
    LIBRARY = 4
    """The middle of runs of library frames."""
    FRAMES = 5
    """Application frames from the middle of a long traceback."""
    MEMBERS = 6
    """Members of a group beyond the first: one line each."""
    DETAILS = 7
    """Request details: names only."""
    CAUSES = 8
    """Causes and members, last first: one line each."""
    SPINE = 9
    """All but the ends of the traceback."""
    SECTIONS = 10
    """Whole sections, last first."""
    CULPRIT_LOCALS = 11
    """The locals that step 3 spares."""


class _Cut(NamedTuple):
    step: Step
    rank: int
    start: int
    end: int
    instead: str


class Draft:
    """
    A document while it is written.

    Args:
        cost: How much a part counts, in the unit of the bound given to `fit`.
    """

    def __init__(self, cost: Callable[[str], int]) -> None:
        self._cost = cost
        self._parts: list[str] = []
        self._cuts: list[_Cut] = []
        self.is_cut = False
        """Whether anything of the report is missing here."""

    @property
    def position(self) -> int:
        """Where the next part will stand, to be given to `may_cut`."""
        return len(self._parts)

    def add(self, *parts: str) -> None:
        self._parts.extend(parts)

    def may_cut(self, start: int, step: Step, instead: str, *, rank: int = 0) -> None:
        """
        Allow that what was added since *start* is replaced by *instead* at *step*, lowest *rank* first.

        A stretch within another one must have an earlier step or a lower rank than that.
        """
        if start < len(self._parts):
            self._cuts.append(_Cut(step, rank, start, len(self._parts), instead))

    def shorten(self, text: str, chars: int) -> str:
        """Return *text* cut to *chars* characters and a note of how many are missing."""
        more = len(text) - chars
        if more <= 0:
            return text
        self.is_cut = True
        return f"{text[:chars]}… {more:,} more character{'s' if more > 1 else ''}"

    def fit(self, bound: int) -> None:
        """Cut until the parts together cost at most *bound*, or until nothing is left that may go."""
        costs = [self._cost(part) for part in self._parts]
        total = sum(costs)
        for cut in sorted(self._cuts):
            if total <= bound:
                return
            price = self._cost(cut.instead)
            saved = sum(costs[cut.start : cut.end]) - price
            if saved <= 0:
                continue
            width = cut.end - cut.start
            self._parts[cut.start : cut.end] = [cut.instead] + [""] * (width - 1)
            costs[cut.start : cut.end] = [price] + [0] * (width - 1)
            total -= saved
            self.is_cut = True

    def __str__(self) -> str:
        return "".join(self._parts)
