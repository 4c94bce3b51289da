"""
The stretches of a traceback that both renderers show, and leave out, alike.

A traceback of hundreds of frames is shown by its ends, so its frames are put into items first: an application frame, a
run of library frames, or words in place of frames. What cannot be in a part of that size is not written at all: a report
at its limits would take seconds, to be cut afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from errormail.report.model import CapturedException, Elision, Frame, Report, Variable
from errormail.report.rendering.trim import Lengths, Reach, Step
from errormail.report.rendering.wording import counted

__all__ = [
    "LIBRARY_ENDS",
    "LIBRARY_RUN",
    "Costs",
    "Item",
    "Place",
    "Run",
    "Stretch",
    "ends",
    "exceptions_in",
    "frames_in",
    "items",
    "middle",
    "place_of",
    "reach_of",
    "spared",
    "step_of_member",
]

LIBRARY_RUN = 6
"""A longer run of library frames may be shown by its ends."""
LIBRARY_ENDS = 2
FRAMES_KEPT = 30
"""Application frames of one traceback that stay before whole causes go."""
SPINE_OUTER = 2
"""Items at the outer end of a traceback that always stay."""
SPINE_INNER = 6
MEMBERS_KEPT = 5
"""Members of a group that stay before whole causes go."""


class Run(NamedTuple):
    """Library frames that follow each other."""

    frames: tuple[Frame, ...]


Item = Frame | Elision | Run
Place = tuple[str, int | None, int | None, str, tuple[Variable, ...]]


class Stretch(NamedTuple):
    """Items that may go."""

    step: Step
    indexes: range
    """Outermost first."""
    words: str
    """What stands in their place."""


def items(frames: Iterable[Frame | Elision]) -> list[Item]:
    """Return *frames* in the same order, library frames that follow each other as one Run."""
    found: list[Item] = []
    for is_library, group in groupby(
        frames, lambda frame: isinstance(frame, Frame) and not frame.in_app
    ):
        if is_library:
            found.append(Run(tuple(frame for frame in group if isinstance(frame, Frame))))
        else:
            found.extend(group)
    return found


def middle(shown: list[Item]) -> list[Stretch]:
    """Return what lies between the application frames that are kept; nothing of a short traceback."""
    app = [index for index, item in enumerate(shown) if isinstance(item, Frame)]
    if len(app) <= FRAMES_KEPT:
        return []
    between = range(app[FRAMES_KEPT // 2 - 1] + 1, app[-FRAMES_KEPT // 2])
    return _stretches(shown, (Step.FRAMES, between))


def ends(shown: list[Item]) -> list[Stretch]:
    """Return what lies between the ends that always stay, and then between the two last ones."""
    return _stretches(
        shown,
        (Step.SPINE, range(SPINE_OUTER, len(shown) - SPINE_INNER)),
        (Step.ENDS, range(1, len(shown) - 1)),
    )


def _stretches(shown: list[Item], *candidates: tuple[Step, range]) -> list[Stretch]:
    return [
        Stretch(step, indexes, f"{frames_in(shown[indexes.start : indexes.stop])} not shown")
        for step, indexes in candidates
        if len(indexes) > 1
    ]


def spared(frames: Iterable[Frame | Elision]) -> list[Frame]:
    """Return the frames whose locals stay longest: the culprit's and its caller's."""
    return [frame for frame in frames if isinstance(frame, Frame) and frame.in_app][-2:]


def frames_in(shown: Iterable[Item]) -> str:
    """Return "44 frames": how many calls the items stand for."""
    number = 0
    for item in shown:
        if isinstance(item, Run):
            number += len(item.frames)
        elif isinstance(item, Elision):
            number += item.frames
        else:
            number += 1
    return counted(number, "frame")


def step_of_member(index: int) -> Step:
    """Return when the member of a group is down to one line."""
    return Step.MEMBERS if index >= MEMBERS_KEPT else Step.CAUSES


def place_of(frame: Frame) -> Place:
    """Return what tells one line of a traceback from another: with its values, for members of a group run the same code."""
    return frame.filename, frame.lineno, frame.colno, frame.function, frame.variables


def exceptions_in(exc: CapturedException) -> Iterator[tuple[CapturedException, Step]]:
    """Yield what *exc* holds and came from, in the order of a tree, each with the step at which it goes."""
    for index, member in enumerate(exc.members):
        yield member, step_of_member(index)
        yield from exceptions_in(member)
    if exc.cause is not None:
        yield exc.cause, Step.CAUSES
        yield from exceptions_in(exc.cause)


class Costs(NamedTuple):
    """What a renderer writes at the least, in bytes."""

    variable: int
    """Beside name and value."""
    frame: int
    """Beside its file's name and source line, without its locals."""
    shows_again: bool
    """Whether a cause shows the frames that it shares with what it led to."""


def reach_of(report: Report, room: int, costs: Costs, lengths: Lengths) -> Reach:
    """Return what can be in a part of *room* bytes at most."""
    exc = report.exception
    led_to = [] if exc is None else list(exceptions_in(exc))
    tracebacks = [report.calls if exc is None else exc.frames]
    tracebacks += [one.frames for one, _ in led_to]
    return Reach(
        _within(room, _prices_of_locals(tracebacks, costs, lengths)),
        _not_worth(room, list(_prices_of_frames(exc, led_to, costs))),
    )


def _within(room: int, prices: Iterable[int]) -> int:
    """Return how many of *prices* have to be paid until *room* is used up; more than there are if it never is."""
    number = 0
    for number, price in enumerate(prices, 1):
        room -= price
        if room < 0:
            return number
    return number + 1


def _not_worth(room: int, prices: list[tuple[Step, int]]) -> frozenset[int]:
    """Return which exceptions go for sure: members beyond the first ones before all others, then those further down."""
    numbered = list(enumerate(prices, start=1))
    found: set[int] = set()
    for step in (Step.CAUSES, Step.MEMBERS):
        for number, (goes_at, price) in numbered:
            if goes_at is step:
                if room < 0:
                    found.add(number)
                room -= price
    return frozenset(found)


def _prices_of_locals(
    tracebacks: Iterable[tuple[Frame | Elision, ...]], costs: Costs, lengths: Lengths
) -> list[int]:
    """Return what the locals cost, by distance from where the exception was raised: they go outermost first."""
    found: Counter[int] = Counter()
    for frames in tracebacks:
        for distance, item in enumerate(reversed(items(frames))):
            if isinstance(item, Frame):
                shown = item.variables[: lengths.variables]
                values = sum(min(len(one.value), lengths.value_chars) for one in shown)
                found[distance] += costs.variable * len(shown) + values
    return [found[distance] for distance in range(max(found, default=-1) + 1)]


def _prices_of_frames(
    exc: CapturedException | None, led_to: Iterable[tuple[CapturedException, Step]], costs: Costs
) -> Iterator[tuple[Step, int]]:
    """Yield when each exception goes and what its frames cost, once all has gone that goes before whole exceptions do."""
    seen: set[tuple[object, ...]] = set()
    for one in [exc] if exc else []:
        seen.update(map(_line_of, _app_frames(one)))
    for one, step in led_to:
        app = _app_frames(one)
        if not costs.shows_again:
            app, known = [frame for frame in app if _line_of(frame) not in seen], app
            seen.update(map(_line_of, known))
        prices = sorted(
            costs.frame + len(frame.filename[:80]) + len(frame.line.strip()[:24]) for frame in app
        )
        yield step, sum(prices[:FRAMES_KEPT])


def _app_frames(exc: CapturedException) -> list[Frame]:
    return [frame for frame in exc.frames if isinstance(frame, Frame) and frame.in_app]


def _line_of(frame: Frame) -> tuple[object, ...]:
    return frame.filename, frame.lineno, frame.colno, frame.function
