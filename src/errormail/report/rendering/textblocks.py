"""The sections of the text part that are rows, lines and sentences."""

from __future__ import annotations

from errormail.report.model import LogLine, Variable
from errormail.report.rendering.blocks import Block, names_only
from errormail.report.rendering.outline import LOG_KEPT, Part, last_lines
from errormail.report.rendering.textwrapping import shell_lines, underlined, wrapped
from errormail.report.rendering.trim import Draft, Step, begin
from errormail.report.rendering.wording import counted
from errormail.report.visible import one_line, shorten, visible

__all__ = ["part", "part_gone", "row"]

_SHORT = 160
"""Characters that always stay of a long text."""
_LEVEL = 20
_NOT_SHOWN = "  [not shown here, the mail would be too big]\n"


def part(draft: Draft, shown: Part) -> None:
    """Add a section."""
    if shown.log:
        _log(draft, shown)
    else:
        draft.add(underlined(shown.title))
    for note in draft.first(shown.notes, draft.lengths.rows):
        draft.add(wrapped(draft.shorten(note, draft.lengths.note_chars), first="  "))
    if len(shown.notes) > draft.lengths.rows:
        draft.add(f"  [{counted(len(shown.notes) - draft.lengths.rows, 'more note')}]\n")
    for block in shown.blocks:
        if block.title != shown.title:
            draft.add(f"{block.title}\n")
        _block(draft, block)


def part_gone(title: str) -> str:
    """Return what stands in place of a section."""
    return underlined(title) + _NOT_SHOWN


def row(name: str, value: str) -> str:
    """Return a name and its value."""
    return wrapped(f"{one_line(name)}: {value}", first="  ", hanging="      ")


def _log(draft: Draft, shown: Part) -> None:
    """Add title and lines. The title goes with the first of them: it says how many there are."""
    start = draft.position
    first = max(len(shown.log) - LOG_KEPT, 0)
    draft.add(underlined(shown.title, last_lines(shown.log_total, len(shown.log))))
    draft.add(*(_log_line(draft, *line) for line in shown.log[:first]))
    if first:
        fewer = underlined(shown.title, last_lines(shown.log_total, LOG_KEPT))
        draft.may_cut(start, Step.LOG, fewer)
    for time, line in shown.log[first:]:
        start = draft.position
        draft.add(_log_line(draft, time, line))
        draft.may_cut(start, Step.LONG_TEXTS, _log_line(draft, time, line, _SHORT))


def _log_line(draft: Draft, time: str, line: LogLine, chars: int | None = None) -> str:
    message = (
        draft.shorten(line.message, draft.lengths.log_chars)
        if chars is None
        else begin(line.message, chars)
    )
    level = one_line(shorten(line.level, _LEVEL))
    logger = one_line(shorten(line.logger, draft.lengths.name_chars))
    return wrapped(f"{time} {level:<7} {logger}: {message}", first="  ", hanging="      ")


def _block(draft: Draft, block: Block) -> None:
    start = draft.position
    if block.text:
        draft.add(_verbatim(block))
        hidden = counted(len(block.text), "character")
        draft.may_cut(start, Step.DETAILS, _bracketed(f"{hidden} not shown"))
        return
    draft.add(*(_variable(draft, one) for one in block.rows))
    rest = draft.position
    draft.add(*(_variable(draft, one) for one in block.rest))
    draft.may_cut(rest, Step.ROWS, _bracketed(names_only("more row", block.rest)))
    if block.omitted:
        draft.is_cut = True
        draft.add(f"  [{counted(block.omitted, 'more row')} not shown]\n")
    names = names_only("row", (*block.rows, *block.rest), block.omitted)
    draft.may_cut(start, Step.DETAILS, _bracketed(names))


def _verbatim(block: Block) -> str:
    if block.is_command:
        return "".join(f"{line}\n" for line in shell_lines(visible(block.text)))
    return "".join(wrapped(line, hanging=" " * 8) for line in block.text.split("\n"))


def _variable(draft: Draft, variable: Variable) -> str:
    name = shorten(variable.name, draft.lengths.name_chars)
    return row(name, draft.shorten(variable.value, draft.lengths.value_chars))


def _bracketed(words: str) -> str:
    return wrapped(f"[{words}]", first="  ", hanging="      ")
