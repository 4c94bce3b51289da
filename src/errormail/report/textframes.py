"""
The traceback of the text part as Python prints it, causes first, most recent call last, with locals below each line.

An exception group is a tree: the group first, then each member below it, with its own traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
from errormail.report.model import CapturedException, Frame, Report
from errormail.report.textwrapping import carets, underlined, wrapped
from errormail.report.trim import Draft, SectionRank, Step, begin
from errormail.report.visible import one_line, shorten
from errormail.report.wording import bare, caught, counted, heading

__all__ = ["traceback"]

_SHORT = 160
_ONE_LINE = 120
_DEEPEST = 32
"""Columns: a tree is not indented further than this."""


def traceback(draft: Draft, report: Report) -> None:
    """Add the exception with its causes; nothing for a record without one."""
    exc = report.exception
    if exc is None:
        return
    draft.add(underlined("Traceback", "as Python prints it: most recent call last"))
    causes = list(exc.chain())[1:]
    if causes and causes[-1].cut:
        words = shorten(one_line(causes[-1].cut), _SHORT)
        draft.add(wrapped(f"[the chain ends here: {words}]"), "\n")
    start = draft.position
    for distance in range(len(causes), 0, -1):
        _link(draft, causes[distance - 1], distance)
        effect = causes[distance - 2] if distance > 1 else exc
        draft.add(f"\n{caught(effect)}\n\n")
    hidden = counted(len(causes), "exception")
    draft.may_cut(
        start, Step.SECTIONS, f"[{hidden} that led to it not shown]\n\n", rank=SectionRank.CAUSES
    )
    _link(draft, exc, 0)


def _link(draft: Draft, exc: CapturedException, distance: int) -> None:
    """Add one exception of the chain, the one that was caught last has *distance* 0."""
    start = draft.position
    if exc.members:
        _heading(draft, exc, "", "")
    elif exc.frames:
        draft.add("Traceback (most recent call last):\n")
    shown = items(exc.frames)
    app = [frame for frame in exc.frames if isinstance(frame, Frame) and frame.in_app]
    starts = _frames(draft, shown, "", spared=() if distance else app[-2:])
    if not exc.members:
        draft.add(*(_lines(line, "") for line in exc.details))
        _heading(draft, exc, "", "")
    if distance:
        draft.may_cut(start, Step.CAUSES, _one_line(exc, "", "", shown), rank=-distance)
    else:
        _may_cut_frames(draft, shown, starts, beyond_spine(shown), Step.SPINE, "")
        _may_cut_frames(draft, shown, starts, between_ends(shown), Step.ENDS, "")
    start = draft.position
    _members(draft, exc, "  ")
    hidden = counted(len(exc.members) + exc.members_omitted, "exception")
    draft.may_cut(
        start, Step.SECTIONS, f"  [{hidden} in this group not shown]\n", rank=SectionRank.MEMBERS
    )


def _members(draft: Draft, exc: CapturedException, indent: str) -> None:
    """Add the members of a group below it, and below each of them what it holds and came from."""
    total = len(exc.members) + exc.members_omitted
    for index, member in enumerate(exc.members):
        step = Step.MEMBERS if index >= MEMBERS_KEPT else Step.CAUSES
        is_last = index == total - 1
        _branch(
            draft, member, indent, f"{index + 1} of {total}: ", step, is_last=is_last, rank=-index
        )
    if exc.members_omitted:
        draft.add(f"{indent}+-- {counted(exc.members_omitted, 'more exception')} not shown\n")


def _branch(
    draft: Draft,
    exc: CapturedException,
    indent: str,
    label: str,
    step: Step,
    *,
    is_last: bool,
    rank: int,
) -> None:
    below = indent + ("    " if is_last else "|   ")
    if len(below) > _DEEPEST:
        below = indent
    start = draft.position
    _heading(draft, exc, f"{indent}+-- {label}", below)
    draft.add(*(_lines(line, below) for line in exc.details))
    shown = items(exc.frames)
    _frames(draft, shown, below)
    draft.may_cut(start, step, _one_line(exc, f"{indent}+-- {label}", below, shown), rank=rank)
    _members(draft, exc, below)
    for effect, cause in pairwise(exc.chain()):
        label = "caused by " if effect.relation == "cause" else "while handling "
        _branch_alone(draft, cause, below, label)


def _branch_alone(draft: Draft, exc: CapturedException, indent: str, label: str) -> None:
    """Add a cause of a member: its own causes follow beside it, not below."""
    start = draft.position
    _heading(draft, exc, f"{indent}+-- {label}", f"{indent}    ")
    shown = items(exc.frames)
    _frames(draft, shown, f"{indent}    ")
    line = _one_line(exc, f"{indent}+-- {label}", f"{indent}    ", shown)
    draft.may_cut(start, Step.CAUSES, line)
    _members(draft, exc, f"{indent}    ")


def _heading(draft: Draft, exc: CapturedException, first: str, below: str) -> None:
    """Add type, message and notes. *first* stands before the first line, *below* before the others."""
    hanging = f"{below}    " if first else ""
    start = draft.position
    words = heading(exc, qualified=True)
    message = draft.shorten(words, draft.lengths.message_chars)
    draft.add(wrapped(message, first=first, hanging=hanging))
    short = wrapped(begin(words, _SHORT), first=first, hanging=hanging)
    draft.may_cut(start, Step.LONG_TEXTS, short)
    start = draft.position
    for note in exc.notes:
        text = draft.shorten(note, draft.lengths.note_chars)
        draft.add(wrapped(text, first=below, hanging=below))
    hidden = f"{below}[{counted(len(exc.notes), 'note')} not shown]\n"
    draft.may_cut(start, Step.SECTIONS, hidden, rank=SectionRank.NOTES)


def _one_line(exc: CapturedException, first: str, below: str, shown: list[Item]) -> str:
    message = shorten(one_line(heading(exc, qualified=True)), _ONE_LINE)
    frames = f" [{frames_in(shown)} not shown]" if shown else ""
    return wrapped(message + frames, first=first, hanging=f"{below}    ")


def _frames(
    draft: Draft, shown: list[Item], indent: str, *, spared: Sequence[Frame] = ()
) -> list[int]:
    """Add *shown*, outermost first; return where each begins, and the end. The locals of *spared* stay longest."""
    starts: list[int] = []
    for distance, item in zip(range(len(shown) - 1, -1, -1), shown, strict=True):
        starts.append(draft.position)
        if isinstance(item, Frame):
            step = Step.CULPRIT_LOCALS if any(item is frame for frame in spared) else Step.LOCALS
            _call(draft, item, indent)
            _locals(draft, item, indent, step, distance)
        elif isinstance(item, Run):
            _library_run(draft, item, indent)
        else:
            draft.add(_bracketed(item.text, indent))
    starts.append(draft.position)
    _may_cut_frames(draft, shown, starts, middle(shown), Step.FRAMES, indent)
    return starts


def _may_cut_frames(
    draft: Draft, shown: list[Item], starts: list[int], stretch: range, step: Step, indent: str
) -> None:
    if len(stretch) < 2:
        return
    words = f"{frames_in(shown[stretch.start : stretch.stop])} not shown"
    begins, ends = starts[stretch.start], starts[stretch.stop]
    draft.may_cut(begins, step, _bracketed(words, indent), end=ends)


def _call(draft: Draft, frame: Frame, indent: str) -> None:
    """Add the two or three lines that Python prints of a frame. Its source is not wrapped, but clipped."""
    lengths = draft.lengths
    file = one_line(frame.filename[-lengths.file_chars :])
    function = one_line(shorten(bare(frame.function), lengths.name_chars))
    line = "" if frame.lineno is None else f", line {frame.lineno}"
    where = f'File "{file}"{line},'
    if len(indent) + len(where) + len(function) + 6 <= lengths.columns:
        draft.add(f"{indent}  {where} in {function}\n")
    else:
        draft.add(wrapped(where, first=f"{indent}  ", hanging=f"{indent}      "))
        draft.add(wrapped(f"in {function}", first=f"{indent}      ", hanging=f"{indent}      "))
    start = draft.position
    room = max(lengths.columns - len(indent) - 4, 24)
    for source in failing_lines(frame):
        clipped = source.visible().clipped(room)
        draft.add(f"{indent}    {clipped.text}".rstrip() + "\n")
        if row := carets(clipped):
            draft.add(f"{indent}    {row}\n")
    draft.may_cut(start, Step.LONG_TEXTS, "")


def _locals(draft: Draft, frame: Frame, indent: str, step: Step, distance: int) -> None:
    lengths = draft.lengths
    start = draft.position
    hidden = counted(len(frame.variables) + frame.omitted, "local variable")
    instead = _bracketed(f"{hidden} not shown", f"{indent}    ")
    if step is Step.LOCALS and distance >= draft.locals_reach and frame.variables:
        draft.is_cut = True
        draft.add(instead)
        return
    variables = draft.first(frame.variables, lengths.variables)
    for variable in variables:
        name = one_line(shorten(variable.name, lengths.name_chars))
        value = draft.shorten(variable.value, lengths.value_chars)
        draft.add(
            wrapped(f"{name}: {value}", first=f"{indent}      ", hanging=f"{indent}          ")
        )
    more = len(frame.variables) - len(variables) + frame.omitted
    if more:
        draft.add(_bracketed(f"{counted(more, 'more local variable')} not shown", f"{indent}    "))
    draft.may_cut(start, step, instead, rank=-distance)


def _library_run(draft: Draft, run: Run, indent: str) -> None:
    many = len(run.frames) > LIBRARY_RUN
    inner = range(LIBRARY_ENDS, len(run.frames) - LIBRARY_ENDS)
    start = draft.position
    for index, frame in enumerate(run.frames):
        if index == inner.start:
            start = draft.position
        _call(draft, frame, indent)
        if many and index == inner.stop - 1:
            words = f"{counted(len(inner), 'library frame')} not shown"
            draft.may_cut(start, Step.LIBRARY, _bracketed(words, indent))


def _lines(text: str, indent: str) -> str:
    return wrapped(text, first=indent, hanging=indent)


def _bracketed(words: str, indent: str) -> str:
    return wrapped(f"[{words}]", first=f"{indent}  ", hanging=f"{indent}      ")
