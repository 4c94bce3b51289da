"""
The traceback of the text part as Python prints it, causes first, most recent call last, with locals below each line.

An exception group is a tree: the group first, then each member below it, with its own traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from errormail.report.model import CapturedException, Frame
from errormail.report.rendering.excerpt import failing_lines
from errormail.report.rendering.outline import Page
from errormail.report.rendering.stretches import (
    LIBRARY_ENDS,
    LIBRARY_RUN,
    Item,
    Run,
    Stretch,
    ends,
    exceptions_in,
    frames_in,
    items,
    middle,
    spared,
    step_of_member,
)
from errormail.report.rendering.textwrapping import carets, underlined, wrapped
from errormail.report.rendering.trim import Draft, SectionRank, Step, begin
from errormail.report.rendering.wording import bare, caught, counted, heading, source_words
from errormail.report.visible import one_line, shorten

__all__ = ["traceback"]

_SHORT = 160
_ONE_LINE = 120
_DEEPEST = 32
"""Columns: a tree is not indented further than this."""


def traceback(draft: Draft, page: Page) -> None:
    """Add the exception with its causes; of a record without one, who logged it."""
    report = page.report
    if report.exception is not None:
        draft.add(underlined("Traceback", "as Python prints it: most recent call last"))
        _Tree(draft, report.exception).write()
    elif report.calls:
        draft.add(underlined("Call stack", "most recent call last"))
        shown = items(report.calls)
        starts = _frames(draft, shown, "", kept=spared(report.calls))
        _may_cut_frames(draft, shown, starts, ends(shown), "")


class _Tree:
    """An exception with what it holds and came from; knows in which order they go when there is too much."""

    def __init__(self, draft: Draft, exc: CapturedException) -> None:
        self._draft = draft
        self._exc = exc
        self._numbers: dict[int, int] = {}
        for number, (one, _) in enumerate(exceptions_in(exc), start=1):
            self._numbers.setdefault(id(one), number)

    def write(self) -> None:
        """Add all of it: the causes first, since they came first."""
        draft = self._draft
        causes = list(self._exc.chain())[1:]
        last = causes[-1] if causes else self._exc
        if last.cut:
            words = shorten(one_line(last.cut), _SHORT)
            draft.add(wrapped(f"[the chain ends here: {words}]"), "\n")
        start = draft.position
        for distance in range(len(causes), 0, -1):
            effect = causes[distance - 2] if distance > 1 else self._exc
            self._cause(causes[distance - 1])
            draft.add(f"\n{caught(effect)}\n\n")
        hidden = counted(len(causes), "exception")
        draft.may_cut(
            start,
            Step.SECTIONS,
            f"[{hidden} that led to it not shown]\n\n",
            rank=SectionRank.CAUSES,
        )
        self._link(self._exc, is_last=True)

    def _cause(self, exc: CapturedException) -> None:
        """Add one that led to it: in one line if there is too much."""
        start = self._draft.position
        line = _one_line(exc, "", "")
        if self._is_worth(exc):
            self._link(exc, is_last=False)
            self._draft.may_cut(start, Step.CAUSES, line, rank=-self._numbers[id(exc)])
        else:
            self._draft.add(line)

    def _link(self, exc: CapturedException, *, is_last: bool) -> None:
        """Add one exception of the chain, with what it holds; *is_last*: the one that was caught last."""
        draft = self._draft
        if exc.members:
            _heading(draft, exc, "", "")
        elif exc.frames:
            draft.add("Traceback (most recent call last):\n")
        shown = items(exc.frames)
        starts = _frames(draft, shown, "", kept=spared(exc.frames) if is_last else ())
        if is_last:
            _may_cut_frames(draft, shown, starts, ends(shown), "")
        if not exc.members:
            draft.add(*(_lines(line, "") for line in exc.details))
            _heading(draft, exc, "", "")
        start = draft.position
        self._members(exc, "  ")
        hidden = counted(len(exc.members) + exc.members_omitted, "exception")
        draft.may_cut(
            start,
            Step.SECTIONS,
            f"  [{hidden} in this group not shown]\n",
            rank=SectionRank.MEMBERS,
        )

    def _members(self, exc: CapturedException, indent: str) -> None:
        """Add the members of a group below it, and below each of them what it holds and came from."""
        total = len(exc.members) + exc.members_omitted
        for index, member in enumerate(exc.members):
            below = indent + ("    " if index == total - 1 else "|   ")
            if len(below) > _DEEPEST:
                below = indent
            label = f"{indent}+-- {index + 1} of {total}: "
            self._branch(member, label, below, step_of_member(index))
            for effect, cause in pairwise(member.chain()):
                words = "caused by " if effect.relation == "cause" else "while handling "
                # Its own causes follow beside it, not below.
                self._branch(cause, f"{below}+-- {words}", f"{below}    ", Step.CAUSES)
        if exc.members_omitted:
            more = counted(exc.members_omitted, "more exception")
            self._draft.add(f"{indent}+-- {more} not shown\n")

    def _branch(self, exc: CapturedException, label: str, below: str, step: Step) -> None:
        """Add an exception within the tree, and what it holds."""
        draft = self._draft
        start = draft.position
        line = _one_line(exc, label, below)
        if self._is_worth(exc):
            _heading(draft, exc, label, below)
            draft.add(*(_lines(each, below) for each in exc.details))
            _frames(draft, items(exc.frames), below)
            draft.may_cut(start, step, line, rank=-self._numbers[id(exc)])
        else:
            draft.add(line)
        self._members(exc, below)

    def _is_worth(self, exc: CapturedException) -> bool:
        """Return whether its frames are worth writing."""
        if self._numbers[id(exc)] not in self._draft.reach.not_worth:
            return True
        self._draft.is_cut = True
        return False


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


def _one_line(exc: CapturedException, first: str, below: str) -> str:
    message = shorten(one_line(heading(exc, qualified=True)), _ONE_LINE)
    frames = f" [{frames_in(items(exc.frames))} not shown]" if exc.frames else ""
    return wrapped(message + frames, first=first, hanging=f"{below}    ")


def _frames(
    draft: Draft, shown: list[Item], indent: str, *, kept: Sequence[Frame] = ()
) -> list[int]:
    """Add *shown*, outermost first; return where each begins, and the end. The locals of *kept* stay longest."""
    starts: list[int] = []
    for distance, item in zip(range(len(shown) - 1, -1, -1), shown, strict=True):
        starts.append(draft.position)
        if isinstance(item, Frame):
            step = Step.CULPRIT_LOCALS if any(item is frame for frame in kept) else Step.LOCALS
            _call(draft, item, indent)
            _locals(draft, item, indent, step, distance)
        elif isinstance(item, Run):
            _library_run(draft, item, indent)
        else:
            draft.add(_bracketed(item.text, indent))
    starts.append(draft.position)
    _may_cut_frames(draft, shown, starts, middle(shown), indent)
    return starts


def _may_cut_frames(
    draft: Draft, shown: list[Item], starts: list[int], stretches: list[Stretch], indent: str
) -> None:
    """Allow that *stretches* go."""
    for step, indexes, words in stretches:
        begins, after = starts[indexes.start], starts[indexes.stop]
        draft.may_cut(begins, step, _bracketed(words, indent), end=after)


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
    if frame.note and frame.in_app:
        draft.add(_bracketed(shorten(source_words(frame), _SHORT), f"{indent}  "))
    start = draft.position
    room = max(lengths.columns - len(indent) - 4, 24)
    for source in failing_lines(frame):
        clipped = source.visible().clipped(room)
        draft.add(f"{indent}    {clipped.text}".rstrip() + "\n")
        if row := carets(clipped, as_python=True):
            draft.add(f"{indent}    {row}\n")
    draft.may_cut(start, Step.LONG_TEXTS, "")


def _locals(draft: Draft, frame: Frame, indent: str, step: Step, distance: int) -> None:
    lengths = draft.lengths
    start = draft.position
    hidden = counted(len(frame.variables) + frame.omitted, "local variable")
    instead = _bracketed(f"{hidden} not shown", f"{indent}    ")
    if step is Step.LOCALS and distance >= draft.reach.frames and frame.variables:
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
