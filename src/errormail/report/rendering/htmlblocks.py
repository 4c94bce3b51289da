"""The sections of the HTML part that are rows, lines and sentences."""

from __future__ import annotations

from collections.abc import Sequence

from errormail.report.model import REDACTED, LogLine, Variable
from errormail.report.rendering import htmlparts as parts
from errormail.report.rendering.blocks import Block, names_only
from errormail.report.rendering.markup import EMPTY, Markup, join, lines
from errormail.report.rendering.outline import LOG_KEPT, Part, last_lines
from errormail.report.rendering.trim import Draft, Step, begin
from errormail.report.rendering.wording import counted
from errormail.report.visible import shorten

__all__ = ["part", "part_gone", "rows", "value_of"]

_SHORT = 160
"""Characters that always stay of a long text."""
_LEVEL = 20
_NOT_SHOWN = "not shown here, the mail would be too big"


def part(draft: Draft, shown: Part) -> None:
    """Add a section."""
    if shown.log:
        _log(draft, shown)
    else:
        draft.add(parts.SECTION(shown.title, parts.small_note(shown.note)))
    for note in draft.first(shown.notes, draft.lengths.rows):
        draft.add(parts.SENTENCE(draft.shorten(note, draft.lengths.note_chars)))
    if len(shown.notes) > draft.lengths.rows:
        draft.add(parts.SENTENCE(counted(len(shown.notes) - draft.lengths.rows, "more note")))
    for block in shown.blocks:
        draft.add(parts.BLOCK)
        if block.title != shown.title:
            draft.add(parts.GROUP(block.title))
        _block(draft, block)
        draft.add(parts.BLOCK_END)


def part_gone(title: str) -> Markup:
    """Return what stands in place of a section."""
    return join([parts.SECTION(title, EMPTY), parts.SENTENCE(_NOT_SHOWN)])


def _log(draft: Draft, shown: Part) -> None:
    """Add title and lines. The title goes with the first of them: it says how many there are."""
    start = draft.position
    first = max(len(shown.log) - LOG_KEPT, 0)
    draft.add(_log_title(shown, len(shown.log)))
    draft.add(*(_log_line(draft, *line) for line in shown.log[:first]))
    if first:
        draft.may_cut(start, Step.LOG, _log_title(shown, LOG_KEPT))
    for time, line in shown.log[first:]:
        start = draft.position
        draft.add(_log_line(draft, time, line))
        draft.may_cut(start, Step.LONG_TEXTS, _log_line(draft, time, line, _SHORT))
    draft.add(parts.LOG_END)


def _log_title(shown: Part, lines_shown: int) -> Markup:
    note = parts.SMALL_NOTE(last_lines(shown.log_total, lines_shown))
    return join([parts.SECTION(shown.title, note), parts.LOG])


def _log_line(draft: Draft, time: str, line: LogLine, chars: int | None = None) -> Markup:
    message = (
        draft.shorten(line.message, draft.lengths.log_chars)
        if chars is None
        else begin(line.message, chars)
    )
    level = shorten(line.level, _LEVEL)
    logger = shorten(line.logger, draft.lengths.name_chars)
    return parts.log_line(time, level, logger, lines(message))


def _block(draft: Draft, block: Block) -> None:
    if block.text:
        start = draft.position
        draft.add(parts.VERBATIM(block.text))
        hidden = counted(len(block.text), "character")
        draft.may_cut(start, Step.DETAILS, parts.NOTE(f"{hidden} not shown"))
        return
    draft.add(parts.ROWS)
    start = draft.position
    draft.add(*rows(draft, block.rows))
    rest = draft.position
    draft.add(*rows(draft, block.rest, are_first=not block.rows))
    draft.may_cut(rest, Step.ROWS, parts.WIDE_ROW(names_only("more row", block.rest)))
    if block.omitted:
        draft.is_cut = True
        draft.add(parts.WIDE_ROW(f"{counted(block.omitted, 'more row')} not shown"))
    total = names_only("row", (*block.rows, *block.rest), block.omitted)
    draft.may_cut(start, Step.DETAILS, parts.WIDE_ROW(total))
    draft.add(parts.ROWS_END)


def rows(draft: Draft, variables: Sequence[Variable], *, are_first: bool = True) -> list[Markup]:
    """Return table rows of name and value."""
    return [
        parts.name_and_value(
            shorten(variable.name, draft.lengths.name_chars),
            value_of(draft, variable),
            is_first=are_first and not number,
        )
        for number, variable in enumerate(variables)
    ]


def value_of(draft: Draft, variable: Variable) -> Markup:
    """Return the value, cut; what is redacted as a neutral token."""
    if variable.value == REDACTED:
        return parts.TOKEN
    return lines(draft.shorten(variable.value, draft.lengths.value_chars))
