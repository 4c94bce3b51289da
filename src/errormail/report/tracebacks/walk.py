"""The entries of a traceback: walked, repeated ones folded, bounded, before anything of them is looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import FrameType, TracebackType
from typing import NamedTuple, cast

from errormail.report.model import Elision

__all__ = ["Entry", "Walked", "bounded", "folded", "walk", "walk_back"]

PERIOD = 16
"""Frames in the longest cycle that is folded."""
CANDIDATES = 4
"""How many earlier places of a line may begin the cycle that it belongs to."""
FOLDED = 3
"""At least so many frames: fewer are as short as the words for them."""
HIDE_MARKS = ("__tracebackhide__", "__traceback_hide__")
"""pytest's and Django's: a local variable that is True takes its frame out of the traceback."""


class Entry(NamedTuple):
    """One line of a traceback, before anything of it is looked at."""

    frame: FrameType
    lineno: int | None
    instruction: int
    position: int
    """From the outermost one that was walked."""

    def is_same_place(self, other: Entry) -> bool:
        return self.frame.f_code is other.frame.f_code and self.lineno == other.lineno


Walked = list["Entry | Elision"]


def walk(tb: TracebackType | None, bound: int) -> Walked:
    """Return the entries of *tb* that are to be shown; of more than *bound* only the outermost and innermost ones."""
    half = max(bound // 2, 1)
    first = list(islice(_linked(tb), half))
    rest = first[-1].tb_next if len(first) == half else None
    last = deque[TracebackType](maxlen=half)
    count = 0
    for each in _linked(rest):
        last.append(each)
        count += 1
    may_hide: dict[int, bool] = {}
    outer = _visible_entries(first, may_hide, 0)
    inner = _visible_entries(last, may_hide, half)
    if not outer and not inner and first:  # all of them hide: the one that raised is shown
        return [_entry((last or first)[-1], 0)]
    skipped = count - len(last)
    return [*outer, *([_elision(skipped)] if skipped else []), *inner]


def walk_back(frame: FrameType, bound: int) -> Walked:
    """Return the entries of the stack that ends in *frame*, as `walk` does those of a traceback."""
    half = max(bound // 2, 1)
    last: list[FrameType] = []
    each: FrameType | None = frame
    while each is not None and len(last) < half:
        last.append(each)
        each = each.f_back
    first = deque[FrameType](maxlen=half)
    count = 0
    while each is not None:
        first.append(each)
        count += 1
        each = each.f_back
    may_hide: dict[int, bool] = {}
    outer = [*reversed(first)]
    inner = [*reversed(last)]
    entries = [
        Entry(each, each.f_lineno, each.f_lasti, position)
        for position, each in enumerate([*outer, *inner])
        if each is frame or not _is_hidden(each, may_hide)
    ]
    skipped = count - len(first)
    if not skipped:
        return [*entries]
    split = sum(entry.position < len(outer) for entry in entries)
    return [*entries[:split], _elision(skipped), *entries[split:]]


def _linked(tb: TracebackType | None) -> Iterator[TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def _entry(tb: TracebackType, position: int) -> Entry:
    lineno: int | None = tb.tb_lineno  # None where the compiler gave no line
    return Entry(tb.tb_frame, lineno, tb.tb_lasti, position)


def _visible_entries(
    entries: Iterable[TracebackType], may_hide: dict[int, bool], position: int
) -> list[Entry]:
    found: list[Entry] = []
    for index, tb in enumerate(entries, position):
        # Most frames cannot hide; what is done here is done for each of thousands of frames.
        frame = tb.tb_frame
        if may_hide.get(id(frame.f_code)) is False or not _is_hidden(frame, may_hide):
            found.append(Entry(frame, tb.tb_lineno, tb.tb_lasti, index))
    return found


def _is_hidden(frame: FrameType, may_hide: dict[int, bool]) -> bool:
    code = frame.f_code
    if id(code) not in may_hide:  # f_locals of each of a million frames would cost
        may_hide[id(code)] = any(mark in code.co_varnames for mark in HIDE_MARKS)
    if not may_hide[id(code)]:
        return False
    local: object = frame.f_locals
    return any(_local(local, mark) is True for mark in HIDE_MARKS)


def _local(mapping: object, name: str) -> object:
    try:
        return cast("Mapping[str, object]", mapping)[name]
    except BaseException:  # noqa: BLE001 -- code may be run with a mapping of its own
        return None


def folded(entries: Walked) -> Walked:
    """Replace what repeats by one line: ``A B C A B C A B C D`` is ``A B C``, "the 3 frames above, 2 times more", ``D``."""
    out: Walked = []
    seen: dict[tuple[int, int | None], deque[int]] = {}
    index = 0
    while index < len(entries):
        entry = entries[index]
        if isinstance(entry, Entry):
            times, period = _cycle(entries, index, entry, seen)
            if times * period >= FOLDED:
                above = "the frame above" if period == 1 else f"the {period} frames above"
                more = "once more" if times == 1 else f"{times:,} times more"
                out.append(_elision(times * period, f"{above}, {more}"))
                index += times * period
                continue
        out.append(entry)
        index += 1
    return out


def _cycle(
    entries: Walked, index: int, entry: Entry, seen: dict[tuple[int, int | None], deque[int]]
) -> tuple[int, int]:
    """Return how often entries before *index* are repeated from there on, and how many they are; 0 where none are."""
    place = (id(entry.frame.f_code), entry.lineno)
    before = seen.get(place)
    if before is None:
        seen[place] = deque([index], maxlen=CANDIDATES + 1)
        return 0, 0
    before.append(index)
    if index - before[-2] > PERIOD:  # the nearest one is too far away
        return 0, 0
    periods = [index - each for each in before if 0 < index - each <= PERIOD]
    found = [(_repetitions(entries, index, period), period) for period in periods]
    return max(found, key=lambda each: each[0] * each[1])


def _repetitions(entries: Walked, index: int, period: int) -> int:
    """Return how often the *period* entries before *index* stand again from *index* on."""
    end = index
    while end < len(entries):
        entry, model = entries[end], entries[end - period]
        if isinstance(entry, Elision) or isinstance(model, Elision):
            break
        if not entry.is_same_place(model):
            break
        end += 1
    return (end - index) // period


def bounded(entries: Walked, bound: int) -> Walked:
    """Leave the outermost and innermost halves."""
    if len(entries) <= bound:
        return entries
    outer, inner = max(bound // 2, 1), max(bound - bound // 2, 1)
    omitted = entries[outer:-inner]
    frames = sum(each.frames if isinstance(each, Elision) else 1 for each in omitted)
    return [*entries[:outer], _elision(frames), *entries[-inner:]]


def _elision(frames: int, text: str = "") -> Elision:
    words = "frame" if frames == 1 else "frames"
    return Elision(frames=frames, text=text or f"{frames:,} {words} not shown")
