"""
A document in parts, some of which can be left out when it is too big.

A renderer writes everything once, in order, and says of some stretches at which step they may go and which words stand
in their place. If the whole is too big, steps are taken one by one until it fits: nothing is rendered twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

__all__ = [
    "IN_A_FILE",
    "IN_A_MAIL",
    "Draft",
    "Lengths",
    "Reach",
    "Rendered",
    "SectionRank",
    "Step",
    "begin",
    "encoded_size",
]

_T = TypeVar("_T")
UNBOUNDED = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How much of each part is shown, however small the rest is. Every field is an upper bound; `email/DESIGN`, Size."""

    value_chars: int = 200
    message_chars: int = 1_000
    note_chars: int = 500
    """Per PEP 678 note."""
    stack_chars: int = 8_000
    """`Report.stack`, which is a traceback as text."""
    variables: int = 12
    """Locals per frame."""
    rows: int = 20
    """Per block of request details."""
    log_lines: int = 20
    log_chars: int = 500
    """Per log line."""
    sections: int = 10
    """Of the program's own."""
    command_chars: int = 2_000
    """A longer command is not shown at all: half of one is none."""
    code_chars: int = 300
    """Per source line."""
    name_chars: int = 120
    """Names of variables, functions, users: what is short unless somebody plays tricks."""
    file_chars: int = 160
    """Of a file's name, from its end."""
    url_chars: int = 1_000
    columns: int = 78
    """Of source lines and of Python's ``File`` lines in the text part; prose is always wrapped at 78."""
    notes: int = 3
    """PEP 678 notes in the head; under the traceback all of them."""


IN_A_MAIL = Lengths()
IN_A_FILE = Lengths(
    value_chars=UNBOUNDED,
    message_chars=UNBOUNDED,
    note_chars=UNBOUNDED,
    stack_chars=UNBOUNDED,
    variables=UNBOUNDED,
    rows=UNBOUNDED,
    code_chars=UNBOUNDED,
    name_chars=UNBOUNDED,
    file_chars=UNBOUNDED,
    columns=UNBOUNDED,
    url_chars=UNBOUNDED,
    notes=UNBOUNDED,
    log_lines=UNBOUNDED,
    log_chars=UNBOUNDED,
    sections=UNBOUNDED,
    command_chars=UNBOUNDED,
)
"""All that the report holds."""


class Step(IntEnum):
    """What goes first when a report is too big: email/DESIGN's order, then what keeps the bound whatever comes."""

    ROWS = 1
    """Header, session and environment rows outside a short list."""
    LOG = 2
    """Log lines but the last ones."""
    LOCALS = 3
    """Outermost frames first."""
    LIBRARY = 4
    """The middle of runs of library frames."""
    FRAMES = 5
    """Application frames from the middle of a long traceback."""
    MEMBERS = 6
    """Members of a group beyond the first: one line each."""
    DETAILS = 7
    """Request details, context, the program's own sections: names only."""
    CAUSES = 8
    """Causes and members, last first: one line each."""
    SPINE = 9
    """All but the ends of the traceback."""
    SECTIONS = 10
    """Whole sections, in the order of `SectionRank`."""
    CULPRIT_LOCALS = 11
    """The locals that step 3 spares."""
    LONG_TEXTS = 12
    """What is left of long texts (message, notes, source lines): their begin."""
    ENDS = 13
    """All but the two ends of the traceback."""


class SectionRank(IntEnum):
    """Which section goes first when whole sections go: what is long and tells least."""

    NOTES = 1
    """Those of PEP 678; the first are in the head."""
    STACK = 2
    ABOUT = 3
    OWN = 4
    """The program's own sections."""
    CONTEXT = 5
    DETAILS = 6
    LOG = 7
    CAUSES = 8
    MEMBERS = 9
    ENVIRONMENT = 10
    """Seven short lines."""


class _Cut(NamedTuple):
    step: Step
    rank: int
    start: int
    end: int
    instead: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """One part of a mail."""

    content: str
    is_cut: bool
    """Whether anything that the report holds is missing in it."""


class Reach(NamedTuple):
    """What is worth writing: the rest would be cut, whatever else there is."""

    frames: int
    """Locals of frames this far from where the exception was raised, and further, are not."""
    not_worth: frozenset[int] = frozenset()
    """Of which causes and members the frames are not, counted from 1 down the tree."""


class Draft:
    """
    A document while it is written.

    Args:
        cost: How much a part counts, in the unit of the bound given to `fit`.
        lengths: How much is shown of each value, message, ...; the renderers look them up here.
    """

    def __init__(self, cost: Callable[[str], int], lengths: Lengths = IN_A_MAIL) -> None:
        self._cost = cost
        self._parts: list[str] = []
        self._cuts: list[_Cut] = []
        self.lengths: Lengths = lengths
        self.reach: Reach = Reach(UNBOUNDED)
        self.is_cut: bool = False
        """Whether anything of the report is missing here."""

    @property
    def position(self) -> int:
        """Where the next part will stand, to be given to `may_cut`."""
        return len(self._parts)

    def add(self, *parts: str) -> None:
        self._parts.extend(parts)

    def may_cut(
        self, start: int, step: Step, instead: str, *, rank: int = 0, end: int | None = None
    ) -> None:
        """
        Allow that what was added since *start* (up to *end*) is replaced by *instead* at *step*, lowest *rank* first.

        Stretches lie within each other or apart, they do not overlap. One within another that is gone is gone as well.
        """
        stop = len(self._parts) if end is None else end
        if start < stop:
            self._cuts.append(_Cut(step, rank, start, stop, instead))

    def shorten(self, text: str, chars: int) -> str:
        """Return *text* cut to *chars* characters and a note of how many are missing."""
        if len(text) <= chars:
            return text
        self.is_cut = True
        return begin(text, chars)

    def first(self, values: Sequence[_T], number: int) -> Sequence[_T]:
        """Return the first *number* of *values*; the caller says how many are missing."""
        if len(values) > number:
            self.is_cut = True
        return values[:number]

    def last(self, values: Sequence[_T], number: int) -> Sequence[_T]:
        """Return the last *number* of *values*; the caller says how many are missing."""
        if len(values) > number:
            self.is_cut = True
        return values[max(len(values) - number, 0) :]

    def replace(self, position: int, part: str) -> None:
        """Put *part* where another one stands, after `fit`."""
        self._parts[position] = part

    def fit(self, bound: int) -> None:
        """Cut until the parts together cost at most *bound*, or until nothing is left that may go."""
        if self._cost("".join(self._parts)) <= bound:
            return  # as most reports do: one price instead of hundreds
        costs = [self._cost(part) for part in self._parts]
        total = sum(costs)
        gone: list[_Cut | None] = [None] * len(costs)
        for cut in sorted(self._cuts):
            if total <= bound:
                return
            earlier = gone[cut.start]
            if earlier is not None and earlier.end >= cut.end:
                continue  # a stretch around this one went before
            price = self._cost(cut.instead)
            saved = sum(costs[cut.start : cut.end]) - price
            if saved <= 0:
                continue
            width = cut.end - cut.start
            self._parts[cut.start : cut.end] = [cut.instead] + [""] * (width - 1)
            costs[cut.start : cut.end] = [price] + [0] * (width - 1)
            gone[cut.start : cut.end] = [cut] * width
            total -= saved
            self.is_cut = True

    def __str__(self) -> str:
        return "".join(self._parts)


def begin(text: str, chars: int) -> str:
    """Return the first *chars* characters of *text*, and a note of how many are missing."""
    more = len(text) - chars
    if more <= 0:
        return text
    return f"{text[:chars]}… {more:,} more character{'s' if more > 1 else ''}"


def encoded_size(text: str) -> int:
    """
    Return at most how many bytes *text* takes in quoted-printable with lines of 76 (RFC 2045 section 6.7).

    That is never less than its utf-8 bytes. Parts can be counted one by one: their sum bounds the size of the whole.
    """
    raw = text.encode()
    # Printable ASCII but "=" stands for itself, a line end for CR LF, any other byte takes three characters.
    plain = len(raw) - len(raw.translate(None, _PLAIN))
    newlines = raw.count(b"\n")
    size = plain + 2 * newlines + 3 * (len(raw) - plain - newlines)
    return size + 3 * size // 73 + 1  # soft line breaks: "=" CR LF after 73 to 75 characters


_PLAIN = bytes(code for code in range(0x20, 0x7F) if code != ord("="))
