"""The traceback of the HTML part, most recent call first, and the exceptions that led to it, each with its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

from errormail.report.model import CapturedException, Elision, Frame
from errormail.report.rendering import htmlparts as parts
from errormail.report.rendering.excerpt import failing_lines
from errormail.report.rendering.htmlblocks import part_gone, rows
from errormail.report.rendering.markup import EMPTY, Markup, join, lines
from errormail.report.rendering.outline import Page
from errormail.report.rendering.stretches import (
    LIBRARY_ENDS,
    LIBRARY_RUN,
    Item,
    Place,
    Run,
    Stretch,
    ends,
    frames_in,
    items,
    middle,
    place_of,
    spared,
    step_of_member,
)
from errormail.report.rendering.trim import Draft, SectionRank, Step, begin
from errormail.report.rendering.wording import counted, qualified, reversed_elision, source_words
from errormail.report.visible import shorten

__all__ = ["place_of_frame", "traceback"]

_SHORT = 160
"""Characters that always stay of a long text."""
_ONE_LINE = 120
"""Characters of a message where an exception is down to one line."""


def traceback(draft: Draft, page: Page) -> None:
    """Add the exception's own traceback and those that led to it; of a record without exception, who logged it."""
    report = page.report
    exc = report.exception
    if exc is None:
        if report.calls:
            draft.add(parts.SECTION("Call stack", parts.SMALL_NOTE("most recent call first")))
            _whole(draft, report.calls, report.culprit, "logged here")
        return
    draft.add(parts.SECTION("Traceback", parts.SMALL_NOTE("most recent call first")))
    _heading(draft, exc, 0, "")
    _whole(draft, exc.frames, exc.culprit, "raised here")
    _exceptions(draft, exc)


def _whole(
    draft: Draft, frames: tuple[Frame | Elision, ...], culprit: Frame | None, words: str
) -> None:
    """Add the traceback that the report begins with. *words* say what happened in its innermost frame."""
    shown = items(frames)
    starts = _frames(draft, shown, 0, kept=spared(frames), culprit=culprit, words=words)
    _may_cut_frames(draft, shown, starts, ends(shown), 0)


def _exceptions(draft: Draft, exc: CapturedException) -> None:
    """Add what the exception holds and what it came from, as an indented tree."""
    tree = _Tree(draft, exc)
    if exc.members:
        title = "Exceptions in the group"
        start = draft.position
        draft.add(parts.SECTION(title, EMPTY))
        tree.members(exc, 0)
        draft.may_cut(start, Step.SECTIONS, part_gone(title), rank=SectionRank.MEMBERS)
    if exc.cause is not None or exc.cut:
        title = "Caused by" if exc.relation == "cause" else "While handling"
        start = draft.position
        draft.add(parts.SECTION(title, EMPTY))
        tree.chain(exc, 0, words=False)
        draft.may_cut(start, Step.SECTIONS, part_gone(title), rank=SectionRank.CAUSES)


class _Tree:
    """The causes and members of an exception, in order; knows how many it has shown."""

    def __init__(self, draft: Draft, shown_before: CapturedException) -> None:
        self._draft = draft
        self._shown = 0
        self._places = _places(shown_before)

    def chain(self, exc: CapturedException, depth: int, *, words: bool = True) -> None:
        """Add the causes of *exc*; *words* says how each came about, also of the first."""
        for effect, cause in pairwise(exc.chain()):
            label = "caused by" if effect.relation == "cause" else "while handling"
            self._one(cause, depth, label if words else "", Step.CAUSES)
            self.members(cause, depth + 1)
            words = True
        last = list(exc.chain())[-1]
        if last.cut:
            self._draft.add(parts.FRAMES_NOTE(parts.indented(depth), f"ends here: {last.cut}"))

    def members(self, exc: CapturedException, depth: int) -> None:
        total = len(exc.members) + exc.members_omitted
        for index, member in enumerate(exc.members):
            self._one(member, depth, f"{index + 1} of {total}", step_of_member(index))
            self.members(member, depth + 1)
            self.chain(member, depth + 1)
        if exc.members_omitted:
            more = counted(exc.members_omitted, "more exception")
            self._draft.add(parts.FRAMES_NOTE(parts.indented(depth), f"{more} not shown"))

    def _one(self, exc: CapturedException, depth: int, label: str, step: Step) -> None:
        draft = self._draft
        self._shown += 1
        hidden = f" ({frames_in(items(exc.frames))} not shown)" if exc.frames else ""
        line = _member(exc, depth, label, f"{begin(exc.message, _ONE_LINE)}{hidden}")
        if self._shown in draft.reach.not_worth:
            draft.is_cut = True
            draft.add(line)
            return
        start = draft.position
        _heading(draft, exc, depth, label)
        _frames(draft, items(self._without_shown(exc)), depth)
        draft.may_cut(start, step, line, rank=-self._shown)

    def _without_shown(self, exc: CapturedException) -> list[Frame | Elision]:
        """Return the frames, those that it shares with an exception above, from the outermost on, as words."""
        frames = list(exc.frames)
        shared = list(
            takewhile(
                lambda frame: isinstance(frame, Frame) and place_of(frame) in self._places, frames
            )
        )
        self._places |= _places(exc)
        if not shared:
            return frames
        words = f"{counted(len(shared), 'frame')} shown already"
        return [Elision(frames=len(shared), text=words), *frames[len(shared) :]]


def _places(exc: CapturedException) -> set[Place]:
    return {place_of(frame) for frame in exc.frames if isinstance(frame, Frame)}


def _heading(draft: Draft, exc: CapturedException, depth: int, label: str) -> None:
    lengths = draft.lengths
    start = draft.position
    draft.add(_member(exc, depth, label, draft.shorten(exc.message, lengths.message_chars)))
    draft.may_cut(start, Step.LONG_TEXTS, _member(exc, depth, label, begin(exc.message, _SHORT)))
    start = draft.position
    for note in exc.notes:
        text = lines(draft.shorten(note, lengths.note_chars))
        draft.add(parts.FRAMES_NOTE(parts.indented(depth), text))
    if exc.details:
        draft.add(parts.PRE(join(exc.details, "\n")))
    instead = f"{counted(len(exc.notes) + len(exc.details), 'more line')} not shown"
    draft.may_cut(start, Step.SECTIONS, _note(depth, instead), rank=SectionRank.NOTES)


def _member(exc: CapturedException, depth: int, label: str, message: str) -> Markup:
    return parts.MEMBER(
        parts.indented(depth),
        parts.LABEL(label) if label else EMPTY,
        shorten(exc.type_name, _ONE_LINE),
        lines(message),
    )


def _frames(
    draft: Draft,
    shown: list[Item],
    depth: int,
    *,
    kept: Sequence[Frame] = (),
    culprit: Frame | None = None,
    words: str = "",
) -> list[int]:
    """
    Add *shown* (outermost first) in reverse; return where each begins, in the order added, and the end.

    Args:
        kept: Frames whose locals stay longest.
        culprit: The frame whose source stands above.
        words: What happened in the innermost frame, where one is the culprit.
    """
    starts: list[int] = []
    for distance, item in enumerate(reversed(shown)):
        starts.append(draft.position)
        if isinstance(item, Frame):
            step = Step.CULPRIT_LOCALS if any(item is frame for frame in kept) else Step.LOCALS
            label = _culprit_label(words, distance) if item is culprit else EMPTY
            _app_frame(draft, item, depth, distance, step, label)
        elif isinstance(item, Run):
            _library_run(draft, item, depth, words if distance == 0 else "")
        else:
            draft.add(_note(depth, reversed_elision(item)))
    starts.append(draft.position)
    _may_cut_frames(draft, shown, starts, middle(shown), depth)
    return starts


def _culprit_label(words: str, distance: int) -> Markup:
    return parts.LABEL(" · source above") if distance else parts.RAISING(f"{words}, source above")


def _may_cut_frames(
    draft: Draft, shown: list[Item], starts: list[int], stretches: list[Stretch], depth: int
) -> None:
    """Allow that *stretches* go, which count outermost first."""
    for step, indexes, words in stretches:
        begins, after = starts[len(shown) - indexes.stop], starts[len(shown) - indexes.start]
        draft.may_cut(begins, step, _note(depth, words), end=after)


def _app_frame(
    draft: Draft, frame: Frame, depth: int, distance: int, step: Step, label: Markup
) -> None:
    """Add a frame; *label* says of the culprit that its source stands above."""
    draft.add(
        parts.FRAME["raising" if label and not distance else "app"](
            parts.indented(depth),
            shorten(qualified(frame.function), draft.lengths.name_chars),
            parts.soft_or_linked(place_of_frame(draft, frame), frame.url),
            label,
        )
    )
    if not label:
        _source(draft, frame)
    start = draft.position
    hidden = counted(len(frame.variables) + frame.omitted, "local variable")
    if step is Step.LOCALS and distance >= draft.reach.frames and frame.variables:
        draft.is_cut = True
        draft.add(parts.NOTE(f"{hidden} not shown"))
    else:
        _locals(draft, frame)
        draft.may_cut(start, step, parts.NOTE(f"{hidden} not shown"), rank=-distance)
    draft.add(parts.FRAME_END)


def _source(draft: Draft, frame: Frame) -> None:
    source = [line.visible() for line in failing_lines(frame)]
    if frame.note:
        draft.add(parts.NOTE(shorten(source_words(frame), _SHORT)))
    if not source:
        return
    start = draft.position
    draft.add(
        parts.FRAME_SOURCE(
            "\n".join(line.clipped(draft.lengths.code_chars).text for line in source)
        )
    )
    short = source[0].clipped(_ONE_LINE).text
    draft.may_cut(start, Step.LONG_TEXTS, parts.FRAME_SOURCE(short))


def _locals(draft: Draft, frame: Frame) -> None:
    variables = draft.first(frame.variables, draft.lengths.variables)
    if variables:
        draft.add(parts.ROWS, *rows(draft, variables), parts.ROWS_END)
    more = len(frame.variables) - len(variables) + frame.omitted
    if more:
        draft.add(parts.NOTE(f"{counted(more, 'more local variable')} not shown"))


def _library_run(draft: Draft, run: Run, depth: int, words: str) -> None:
    draft.add(parts.FRAME["library raising" if words else "library"](parts.indented(depth)))
    if words:
        draft.add(parts.MONO_SOFT(parts.RAISING(f"{words}:")))
    shown = [_library_frame(draft, frame) for frame in reversed(run.frames)]
    draft.add(*shown[:LIBRARY_ENDS])
    start = draft.position
    draft.add(*shown[LIBRARY_ENDS:-LIBRARY_ENDS])
    if len(shown) > LIBRARY_RUN:
        hidden = counted(len(shown) - 2 * LIBRARY_ENDS, "library frame")
        draft.may_cut(start, Step.LIBRARY, parts.MONO_SOFT(hidden))
    draft.add(*shown[max(len(shown) - LIBRARY_ENDS, LIBRARY_ENDS) :], parts.FRAME_END)


def _library_frame(draft: Draft, frame: Frame) -> Markup:
    function = shorten(qualified(frame.function), draft.lengths.name_chars)
    return parts.MONO_SOFT(
        join([parts.linked(place_of_frame(draft, frame), frame.url), f" {function}"])
    )


def place_of_frame(draft: Draft, frame: Frame) -> str:
    """Return file and line."""
    filename = frame.filename[-draft.lengths.file_chars :]
    return f"{filename}:{frame.lineno}" if frame.lineno is not None else filename


def _note(depth: int, words: str) -> Markup:
    return parts.FRAMES_NOTE(parts.indented(depth), words)
