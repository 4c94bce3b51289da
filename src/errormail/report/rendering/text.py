"""
A Report as the text part of a mail: the same facts as the HTML part in the same order, in 78 columns.

It is to be read in mutt, in a ticket, in a terminal. Source lines and the caret row are never wrapped: a source line that
is too long shows the part around what failed.
"""

from __future__ import annotations

from collections.abc import Iterator

from errormail.report.model import Frame, Frequency, Report
from errormail.report.rendering.excerpt import excerpt
from errormail.report.rendering.outline import Medium, Page, write
from errormail.report.rendering.stretches import Costs, exceptions_in, reach_of
from errormail.report.rendering.textblocks import part, part_gone, row
from errormail.report.rendering.textframes import traceback
from errormail.report.rendering.textwrapping import COLUMNS, carets, underlined, wrapped
from errormail.report.rendering.trim import (
    IN_A_FILE,
    IN_A_MAIL,
    Draft,
    Lengths,
    Rendered,
    Step,
    begin,
    encoded_size,
)
from errormail.report.rendering.wording import (
    age,
    counted,
    day_and_time,
    headline,
    how_often,
    in_the_group,
    is_address,
    logged,
    place,
    qualified,
    ran_in,
    reply,
    source_words,
    words_of,
)
from errormail.report.visible import one_line, shorten

__all__ = ["FILE_BOUND", "TEXT_BOUND", "render_text"]

TEXT_BOUND = 60_000
"""Bytes in quoted-printable. Nobody scrolls further in a terminal; the whole is in the attached file."""
FILE_BOUND = 1_000_000
"""Bytes of utf-8."""
_COSTS = Costs(variable=10, frame=40, shows_again=True)
_SHORT = 160
"""Characters that always stay of a long text."""
_FOCUS = 5


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
    room = FILE_BOUND if bound is None else bound
    if bound is None:
        draft = Draft(_file_size, _lengths_of_file(report))
    else:
        draft = Draft(encoded_size, IN_A_MAIL)
    draft.reach = reach_of(report, room, _COSTS, draft.lengths)
    return write(draft, _TEXT, Page(report, frequency, footer), room)


def _head(draft: Draft, page: Page) -> None:
    report, frequency, _ = page
    lengths = draft.lengths
    exc = report.exception
    words = f"{headline(report)}: {words_of(report)}".rstrip(": ")
    _long(draft, words, lengths.message_chars)
    leaves = in_the_group(exc) if exc else []
    start = draft.position
    draft.add(*(wrapped(words, first="  ") for words in leaves))
    draft.may_cut(start, Step.LONG_TEXTS, f"  [{counted(len(leaves), 'line')} not shown]\n")
    for note in exc.notes[: lengths.notes] if exc else ():
        _long(draft, note, lengths.note_chars)
    if exc and len(exc.notes) > lengths.notes:
        more = counted(len(exc.notes) - lengths.notes, "more note")
        draft.add(f"[{more} below the traceback]\n")
    if report.request and report.request.path:
        draft.add(wrapped(f"at {shorten(one_line(report.request.path), lengths.name_chars)}"))
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


def _culprit(draft: Draft, page: Page) -> None:
    report = page.report
    frame = report.culprit
    if frame is None:
        if report.exception is None and report.call_site:
            draft.add("\n", wrapped(shorten(report.call_site, 2 * _SHORT)))
        return
    name = one_line(shorten(qualified(frame.function), draft.lengths.name_chars))
    at = one_line(frame.filename[-draft.lengths.file_chars :])
    if frame.lineno is not None:
        at = f"{at}:{frame.lineno}"
    draft.add("\n", wrapped(f"{at} in {name}"))
    if is_address(frame.url) and len(frame.url) <= COLUMNS:
        draft.add(f"{frame.url}\n")  # never wrapped: half of it leads nowhere
    digits = _culprit_source(draft, frame)
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


def _culprit_source(draft: Draft, frame: Frame) -> int:
    """Add the lines around the failing one; return how many digits their numbers have."""
    draft.add("\n")
    source = excerpt(frame)
    if words := source_words(frame):
        draft.add(wrapped(f"({shorten(words, _SHORT)})", first="  "))
    digits = len(str(max((line.number for line in source), default=0)))
    for line in source:
        mark = ">" if line.failing else " "
        text = line.visible().clipped(draft.lengths.columns - digits - 5)
        draft.add(f"{mark} {line.number:>{digits}} | {text.text}".rstrip() + "\n")
        if line.failing and (row := carets(text)):
            draft.add(f"  {'':{digits}} | {row}\n")
    return digits


def _how_often(draft: Draft, page: Page) -> None:
    if page.frequency is not None:
        draft.add(underlined("How often"), _prose(how_often(page.frequency)))
        draft.add(row("host", shorten(page.report.runtime.host, _SHORT)))


def _request(draft: Draft, page: Page) -> None:
    """The request; without one where the program was. And the log record that told of it."""
    report = page.report
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


def _prose(words: str) -> str:
    return wrapped(shorten(one_line(words), 3 * _SHORT), first="  ", hanging="  ")


def _footer(draft: Draft, words: str) -> None:
    draft.add("\n-- \n")  # the signature's mark, RFC 3676 section 4.3: the one trailing space
    if words:
        draft.add(wrapped(words, hanging=""))


def _closing(words: str) -> str:
    return wrapped(words, hanging="")


_TEXT = Medium(
    head=_head,
    culprit=_culprit,
    how_often=_how_often,
    request=_request,
    traceback=traceback,
    part=part,
    part_gone=part_gone,
    footer=_footer,
    closing=_closing,
    end="",
)


def _file_size(text: str) -> int:
    return len(text.encode())


def _lengths_of_file(report: Report) -> Lengths:
    """Return how much of each value goes into a file: all, if that fits; writing 400 MB to cut them would take a minute."""
    return IN_A_FILE if sum(_sizes(report)) < FILE_BOUND // 2 else IN_A_MAIL


def _sizes(report: Report) -> Iterator[int]:
    """Yield how many characters the long texts of *report* have."""
    yield len(report.stack)
    yield from (len(line.message) + len(line.logger) for line in report.log)
    blocks = [report.extra, report.context, *(section.rows for section in report.sections)]
    if request := report.request:
        blocks += [request.query, request.form, request.headers, request.cookies, request.session]
    for block in blocks:
        yield from (len(row.value) + len(row.name) for row in block)
    exc = report.exception
    every = [exc, *(one for one, _ in exceptions_in(exc))] if exc else []
    yield from (len(one.message) + sum(map(len, one.notes)) for one in every)
    for frames in (report.calls, *(one.frames for one in every)):
        for frame in frames:
            if isinstance(frame, Frame):
                yield 100 + sum(len(row.value) + len(row.name) for row in frame.variables)
