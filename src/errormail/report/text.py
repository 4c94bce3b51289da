"""
A Report as the text part of a mail: the same facts as the HTML part in the same order, in 78 columns.

It is to be read in mutt, in a ticket, in a terminal. Source lines and the caret row are never wrapped: a source line that
is too long shows the part around what failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from errormail.report.blocks import (
    Block,
    context_blocks,
    environment,
    locals_reach,
    names_only,
    request_blocks,
)
from errormail.report.excerpt import excerpt
from errormail.report.model import Frame, Frequency, Report, Variable
from errormail.report.textframes import traceback
from errormail.report.textwrapping import carets, underlined, wrapped
from errormail.report.trim import (
    IN_A_FILE,
    IN_A_MAIL,
    Draft,
    Lengths,
    Rendered,
    SectionRank,
    Step,
    begin,
    encoded_size,
)
from errormail.report.visible import one_line, shorten
from errormail.report.wording import (
    age,
    closing,
    counted,
    day_and_time,
    heading,
    how_often,
    logged,
    place,
    qualified,
    ran_in,
    reply,
)

__all__ = ["FILE_BOUND", "TEXT_BOUND", "render_text"]

TEXT_BOUND = 60_000
"""Bytes in quoted-printable. Nobody scrolls further in a terminal; the whole is in the attached file."""
FILE_BOUND = 1_000_000
"""Bytes of utf-8."""
_SHORT = 160
"""Characters that always stay of a long text."""
_FOCUS = 5
_LOCAL = 30
"""Bytes that a local variable takes at the least."""
_FOOTER_CHARS = 1_000
_NOT_SHOWN = "  [not shown here, the mail would be too big]\n"


def render_text(
    report: Report,
    *,
    frequency: Frequency | None = None,
    footer: str = "",
    bound: int | None = TEXT_BOUND,
) -> Rendered:
    """
    Return the text part.

    Args:
        frequency: How often the group has occurred; None: not known, nothing is said of it.
        footer: One plain paragraph at the end: why the reader gets this.
        bound: Bytes, quoted-printable. None: for a file: all that the report holds, if that is below `FILE_BOUND`.
    """
    if bound is None:
        draft = Draft(_file_size, _lengths_of_file(report))
    else:
        draft = Draft(encoded_size, IN_A_MAIL)
    if draft.lengths is IN_A_MAIL:
        most = FILE_BOUND if bound is None else bound
        draft.locals_reach = locals_reach(report, most // _LOCAL, draft.lengths.variables)
    _head(draft, report, frequency)
    _culprit(draft, report)
    if frequency is not None:
        draft.add(underlined("How often"), _prose(how_often(frequency)))
        draft.add(_row("host", shorten(report.runtime.host, _SHORT)))
    _request(draft, report)
    traceback(draft, report)
    for section in (_stack, _context, _details, _environment, _notes):
        section(draft, report)
    draft.add("\n-- \n")  # the signature's mark, RFC 3676 section 4.3: the one trailing space
    if footer:
        draft.add(wrapped(begin(footer, _FOOTER_CHARS), hanging=""))
    closed = draft.position  # the longer form counts in `fit`
    draft.add(wrapped(closing(report, frequency, is_cut=True), hanging=""))
    draft.fit(FILE_BOUND if bound is None else bound)
    end = closing(report, frequency, is_cut=draft.is_cut)
    draft.replace(closed, wrapped(end, hanging=""))
    return Rendered(str(draft), draft.is_cut)


def _head(draft: Draft, report: Report, frequency: Frequency | None) -> None:
    lengths = draft.lengths
    exc = report.exception
    words = heading(exc) if exc else f"{report.level}: {report.message}".rstrip(": ")
    _long(draft, words, lengths.message_chars)
    for note in exc.notes[: lengths.notes] if exc else ():
        _long(draft, note, lengths.note_chars)
    if exc and len(exc.notes) > lengths.notes:
        more = counted(len(exc.notes) - lengths.notes, "more note")
        draft.add(f"[{more} below the traceback]\n")
    if report.request and report.request.path:
        draft.add(wrapped(f"at {shorten(one_line(report.request.path), lengths.url_chars)}"))
    draft.add("\n")
    pill, meaning = age(frequency)
    if meaning:
        draft.add(wrapped(f"{pill} {meaning}".lstrip()))
    where = (place(report), day_and_time(report.occurred_at))
    draft.add(wrapped(shorten(", ".join(part for part in where if part), 2 * _SHORT)))


def _long(draft: Draft, text: str, chars: int, *, first: str = "", hanging: str = "    ") -> None:
    start = draft.position
    draft.add(wrapped(draft.shorten(text, chars), first=first, hanging=hanging))
    short = wrapped(begin(text, _SHORT), first=first, hanging=hanging)
    draft.may_cut(start, Step.LONG_TEXTS, short)


def _culprit(draft: Draft, report: Report) -> None:
    frame = report.exception.culprit if report.exception else None
    if frame is None:
        if report.exception is None and report.call_site:
            draft.add("\n", wrapped(shorten(report.call_site, 2 * _SHORT)))
        return
    name = one_line(shorten(qualified(frame.function), draft.lengths.name_chars))
    at = one_line(frame.filename[-draft.lengths.file_chars :])
    if frame.lineno is not None:
        at = f"{at}:{frame.lineno}"
    draft.add("\n", wrapped(f"{at} in {name}"), "\n")
    source = excerpt(frame)
    if not source:
        draft.add("  (the source is not available)\n")
    digits = len(str(max((line.number for line in source), default=0)))
    for line in source:
        mark = ">" if line.failing else " "
        text = line.visible().clipped(draft.lengths.columns - digits - 5)
        draft.add(f"{mark} {line.number:>{digits}} | {text.text}".rstrip() + "\n")
        if line.failing and (row := carets(text)):
            draft.add(f"  {'':{digits}} | {row}\n")
    values = {variable.name: variable.value for variable in frame.variables}
    focus = [name for name in frame.focus if name in values][:_FOCUS]
    if focus:
        start = draft.position
        shown = [
            f"{name}: {draft.shorten(values[name], draft.lengths.value_chars)}" for name in focus
        ]
        draft.add(
            "\n", wrapped(" · ".join(shown), first=" " * (digits + 3), hanging=" " * (digits + 7))
        )
        draft.may_cut(start, Step.LONG_TEXTS, "")


def _request(draft: Draft, report: Report) -> None:
    """The request; without one where the program was. And the log record that told of it."""
    request, record = report.request, logged(report)
    if request is not None:
        draft.add(underlined("Request"))
        address = f"{shorten(request.method, 20)} {request.url or request.path}"
        _long(draft, address, draft.lengths.url_chars, first="  ")
        facts = [f"{words} {one_line(value)}".lstrip() for words, value in reply(request)]
        if facts:
            draft.add(_prose(", ".join(facts)))
    elif not record:
        draft.add(underlined("Program"), _prose(ran_in(report)))
    if record:
        draft.add(underlined("Logged"))
        if report.exception is not None and report.message:
            _long(draft, report.message, draft.lengths.message_chars, first="  ")
        draft.add(_prose(record))


def _stack(draft: Draft, report: Report) -> None:
    if report.stack:
        start = draft.position
        text = draft.shorten(report.stack.strip("\n"), draft.lengths.stack_chars)
        draft.add(underlined("Stack"))
        draft.add(*(wrapped(line, hanging=" " * 8) for line in text.split("\n")))
        _may_go(draft, start, "Stack", SectionRank.STACK)


def _context(draft: Draft, report: Report) -> None:
    blocks = context_blocks(report, draft.lengths.rows)
    if blocks:
        _blocks(draft, "Context", blocks, (), SectionRank.CONTEXT)


def _details(draft: Draft, report: Report) -> None:
    if report.request is None:
        return
    blocks = request_blocks(report.request, draft.lengths.rows)
    if blocks or report.request.notes:
        _blocks(draft, "Request details", blocks, report.request.notes, SectionRank.DETAILS)


def _environment(draft: Draft, report: Report) -> None:
    _blocks(draft, "Environment", [environment(report)], (), SectionRank.ENVIRONMENT)


def _notes(draft: Draft, report: Report) -> None:
    if report.notes:
        _blocks(draft, "About this report", [], report.notes, SectionRank.ABOUT)


def _blocks(
    draft: Draft, title: str, blocks: Sequence[Block], notes: Iterable[str], rank: int
) -> None:
    start = draft.position
    draft.add(underlined(title))
    for block in blocks:
        if block.title != title:
            draft.add(f"{block.title}\n")
        _block(draft, block)
    every = tuple(notes)
    for note in draft.first(every, draft.lengths.rows):
        draft.add(wrapped(draft.shorten(note, draft.lengths.note_chars), first="  "))
    if len(every) > draft.lengths.rows:
        draft.add(f"  [{counted(len(every) - draft.lengths.rows, 'more note')}]\n")
    _may_go(draft, start, title, rank)


def _block(draft: Draft, block: Block) -> None:
    start = draft.position
    draft.add(*(_variable(draft, row) for row in block.rows))
    rest = draft.position
    draft.add(*(_variable(draft, row) for row in block.rest))
    draft.may_cut(rest, Step.ROWS, _bracketed(names_only("more row", block.rest)))
    if block.omitted:
        draft.is_cut = True
        draft.add(f"  [{counted(block.omitted, 'more row')} not shown]\n")
    names = names_only("row", (*block.rows, *block.rest), block.omitted)
    draft.may_cut(start, Step.DETAILS, _bracketed(names))


def _variable(draft: Draft, row: Variable) -> str:
    name = shorten(row.name, draft.lengths.name_chars)
    return _row(name, draft.shorten(row.value, draft.lengths.value_chars))


def _prose(words: str) -> str:
    return wrapped(shorten(one_line(words), 3 * _SHORT), first="  ", hanging="  ")


def _row(name: str, value: str) -> str:
    return wrapped(f"{one_line(name)}: {value}", first="  ", hanging="      ")


def _bracketed(words: str) -> str:
    return wrapped(f"[{words}]", first="  ", hanging="      ")


def _may_go(draft: Draft, start: int, title: str, rank: int) -> None:
    draft.may_cut(start, Step.SECTIONS, underlined(title) + _NOT_SHOWN, rank=rank)


def _file_size(text: str) -> int:
    return len(text.encode())


def _lengths_of_file(report: Report) -> Lengths:
    """Return how much of each value goes into a file: all, if that fits; writing 400 MB to cut them would take a minute."""
    return IN_A_FILE if sum(_sizes(report)) < FILE_BOUND // 2 else IN_A_MAIL


def _sizes(report: Report) -> Iterator[int]:
    """Yield how many characters the long texts of *report* have."""
    yield len(report.stack)
    blocks = [report.extra, report.context]
    if request := report.request:
        blocks += [request.query, request.form, request.headers, request.cookies, request.session]
    for block in blocks:
        yield from (len(row.value) + len(row.name) for row in block)
    waiting = [report.exception] if report.exception else []
    while waiting:
        exc = waiting.pop()
        waiting += [*exc.members, *([exc.cause] if exc.cause else [])]
        yield len(exc.message) + sum(map(len, exc.notes))
        for frame in exc.frames:
            if isinstance(frame, Frame):
                yield 100 + sum(len(row.value) + len(row.name) for row in frame.variables)
