"""The traceback of the HTML part, most recent call first, and the exceptions that led to it, each with its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

from errormail.report import htmlparts as parts
from errormail.report.blocks import (
    LIBRARY_ENDS,
    LIBRARY_RUN,
    MEMBERS_KEPT,
    Item,
    Run,
    between_ends,
    beyond_spine,
    frames_in,
    items,
    middle,
)
from errormail.report.excerpt import failing_lines
from errormail.report.markup import EMPTY, Markup, join, lines
from errormail.report.model import REDACTED, CapturedException, Elision, Frame, Report, Variable
from errormail.report.trim import Draft, SectionRank, Step, begin
from errormail.report.visible import shorten
from errormail.report.wording import counted, qualified, reversed_elision

__all__ = ["exceptions", "row", "traceback", "value_of"]

_SHORT = 160
"""Characters that always stay of a long text."""
_ONE_LINE = 120
"""Characters of a message where an exception is down to one line."""


def traceback(draft: Draft, report: Report) -> None:
    """Add the exception's own traceback; nothing for a record without one."""
    exc = report.exception
    if exc is None:
        return
    draft.add(parts.SECTION("Traceback", parts.SMALL_NOTE("most recent call first")))
    _heading(draft, exc, 0, "")
    app = [frame for frame in exc.frames if isinstance(frame, Frame) and frame.in_app]
    shown = items(exc.frames)
    starts = _frames(draft, shown, 0, spared=app[-2:], culprit=exc.culprit)
    _may_cut_frames(draft, shown, starts, beyond_spine(shown), Step.SPINE, 0)
    _may_cut_frames(draft, shown, starts, between_ends(shown), Step.ENDS, 0)


def exceptions(draft: Draft, report: Report) -> None:
    """Add what the exception holds and what it came from, as an indented tree."""
    exc = report.exception
    if exc is None:
        return
    tree = _Tree(draft, exc)
    if exc.members:
        start = draft.position
        draft.add(parts.SECTION("Exceptions in the group", EMPTY))
        tree.members(exc, 0)
        _may_go(draft, start, "Exceptions in the group", SectionRank.MEMBERS)
    first, *causes = exc.chain()
    if causes or first.cut:
        start = draft.position
        title = "Caused by" if exc.relation == "cause" else "While handling"
        draft.add(parts.SECTION(title, EMPTY))
        tree.chain(exc, 0, words=False)
        _may_go(draft, start, title, SectionRank.CAUSES)


def row(draft: Draft, variable: Variable) -> Markup:
    """Return a table row of name and value."""
    name = shorten(variable.name, draft.lengths.name_chars)
    return parts.name_and_value(name, value_of(draft, variable))


def value_of(draft: Draft, variable: Variable) -> Markup:
    """Return the value, cut; what is redacted as a neutral token."""
    if variable.value == REDACTED:
        return parts.TOKEN
    return lines(draft.shorten(variable.value, draft.lengths.value_chars))


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
            step = Step.MEMBERS if index >= MEMBERS_KEPT else Step.CAUSES
            self._one(member, depth, f"{index + 1} of {total}", step)
            self.members(member, depth + 1)
            self.chain(member, depth + 1)
        if exc.members_omitted:
            more = counted(exc.members_omitted, "more exception")
            self._draft.add(parts.FRAMES_NOTE(parts.indented(depth), f"{more} not shown"))

    def _one(self, exc: CapturedException, depth: int, label: str, step: Step) -> None:
        draft = self._draft
        self._shown += 1
        start = draft.position
        _heading(draft, exc, depth, label)
        _frames(draft, items(self._without_shown(exc)), depth)
        hidden = f" ({frames_in(items(exc.frames))} not shown)" if exc.frames else ""
        message = begin(exc.message, _ONE_LINE)
        line = _member(exc, depth, label, f"{message}{hidden}")
        draft.may_cut(start, step, line, rank=-self._shown)

    def _without_shown(self, exc: CapturedException) -> list[Frame | Elision]:
        """Return the frames, those that it shares with an exception above, from the outermost on, as words."""
        frames = list(exc.frames)
        shared = list(takewhile(lambda frame: _place_of(frame) in self._places, frames))
        self._places |= _places(exc)
        if not shared:
            return frames
        words = f"{counted(len(shared), 'frame')} shown already"
        return [Elision(frames=len(shared), text=words), *frames[len(shared) :]]


def _places(exc: CapturedException) -> set[tuple[object, ...]]:
    return {_place_of(frame) for frame in exc.frames if isinstance(frame, Frame)}


def _place_of(frame: Frame | Elision) -> tuple[object, ...]:
    if isinstance(frame, Elision):
        return ()
    return frame.filename, frame.lineno, frame.colno, frame.function


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
    spared: Sequence[Frame] = (),
    culprit: Frame | None = None,
) -> list[int]:
    """
    Add *shown* (outermost first) in reverse; return where each begins, in the order added, and the end.

    Args:
        spared: Frames whose locals stay longest.
        culprit: The frame whose source stands above.
    """
    starts: list[int] = []
    for distance, item in enumerate(reversed(shown)):
        starts.append(draft.position)
        if isinstance(item, Frame):
            step = Step.CULPRIT_LOCALS if any(item is frame for frame in spared) else Step.LOCALS
            _app_frame(draft, item, depth, distance, step, is_culprit=item is culprit)
        elif isinstance(item, Run):
            _library_run(draft, item, depth, is_raising=distance == 0 and culprit is not None)
        else:
            draft.add(_note(depth, reversed_elision(item)))
    starts.append(draft.position)
    _may_cut_frames(draft, shown, starts, middle(shown), Step.FRAMES, depth)
    return starts


def _may_cut_frames(
    draft: Draft, shown: list[Item], starts: list[int], stretch: range, step: Step, depth: int
) -> None:
    """Allow that the items of *stretch* go, which count outermost first."""
    if len(stretch) < 2:
        return
    words = f"{frames_in(shown[stretch.start : stretch.stop])} not shown"
    begins, ends = starts[len(shown) - stretch.stop], starts[len(shown) - stretch.start]
    draft.may_cut(begins, step, _note(depth, words), end=ends)


def _app_frame(
    draft: Draft, frame: Frame, depth: int, distance: int, step: Step, *, is_culprit: bool
) -> None:
    lengths = draft.lengths
    words = EMPTY
    if is_culprit:
        words = (
            parts.RAISING("raised here, source above")
            if not distance
            else parts.LABEL(" · source above")
        )
    draft.add(
        parts.FRAME["raising" if is_culprit and not distance else "app"](
            parts.indented(depth),
            shorten(qualified(frame.function), lengths.name_chars),
            _place(draft, frame),
            words,
        )
    )
    if not is_culprit:
        _source(draft, frame)
    start = draft.position
    hidden = counted(len(frame.variables) + frame.omitted, "local variable")
    if step is Step.LOCALS and distance >= draft.locals_reach and frame.variables:
        draft.is_cut = True
        draft.add(parts.NOTE(f"{hidden} not shown"))
    else:
        _locals(draft, frame)
        draft.may_cut(start, step, parts.NOTE(f"{hidden} not shown"), rank=-distance)
    draft.add(parts.FRAME_END)


def _source(draft: Draft, frame: Frame) -> None:
    source = [line.visible() for line in failing_lines(frame)]
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
        draft.add(parts.ROWS, *(row(draft, variable) for variable in variables), parts.ROWS_END)
    more = len(frame.variables) - len(variables) + frame.omitted
    if more:
        draft.add(parts.NOTE(f"{counted(more, 'more local variable')} not shown"))


def _library_run(draft: Draft, run: Run, depth: int, *, is_raising: bool) -> None:
    draft.add(parts.FRAME["library raising" if is_raising else "library"](parts.indented(depth)))
    shown = [
        parts.MONO_SOFT(
            f"{_place(draft, frame)} {shorten(qualified(frame.function), draft.lengths.name_chars)}"
        )
        for frame in reversed(run.frames)
    ]
    if is_raising:
        draft.add(parts.MONO_SOFT(parts.RAISING("raised here:")))
    draft.add(*shown[:LIBRARY_ENDS])
    start = draft.position
    draft.add(*shown[LIBRARY_ENDS:-LIBRARY_ENDS])
    if len(shown) > LIBRARY_RUN:
        hidden = counted(len(shown) - 2 * LIBRARY_ENDS, "library frame")
        draft.may_cut(start, Step.LIBRARY, parts.MONO_SOFT(hidden))
    draft.add(*shown[max(len(shown) - LIBRARY_ENDS, LIBRARY_ENDS) :], parts.FRAME_END)


def _place(draft: Draft, frame: Frame) -> str:
    filename = frame.filename[-draft.lengths.file_chars :]
    return f"{filename}:{frame.lineno}" if frame.lineno is not None else filename


def _note(depth: int, words: str) -> Markup:
    return parts.FRAMES_NOTE(parts.indented(depth), words)


def _may_go(draft: Draft, start: int, title: str, rank: int) -> None:
    instead = join(
        [parts.SECTION(title, EMPTY), parts.SENTENCE("not shown here, the mail would be too big")]
    )
    draft.may_cut(start, Step.SECTIONS, instead, rank=rank)
