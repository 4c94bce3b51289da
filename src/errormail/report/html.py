"""
A Report as the HTML part of a mail: email/DESIGN's order, colours and sizes.

Everything from the program goes through `markup.escape`; nothing is loaded, linked or hidden but the preheader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from errormail.report import htmlparts as parts
from errormail.report.blocks import (
    Block,
    context_blocks,
    environment,
    locals_reach,
    names_only,
    request_blocks,
)
from errormail.report.excerpt import SourceLine, excerpt
from errormail.report.htmlframes import exceptions, row, traceback, value_of
from errormail.report.markup import EMPTY, Markup, escape, join, lines
from errormail.report.model import REDACTED, Frequency, Report, Variable
from errormail.report.trim import IN_A_MAIL, Draft, Rendered, SectionRank, Step, begin, encoded_size
from errormail.report.visible import one_line, shorten
from errormail.report.wording import (
    age,
    closing,
    counted,
    day_and_time,
    how_often,
    logged,
    place,
    qualified,
    ran_in,
    reply,
    title,
)

__all__ = ["HTML_AIM", "HTML_BOUND", "Rendered", "render_html"]

HTML_AIM = 60_000
"""Bytes, the larger of decoded and quoted-printable size: email/DESIGN, Size."""
HTML_BOUND = 90_000
"""Bytes. Gmail clips a message at about 102 kB of HTML and drops its <style> then."""
_FOCUS = 5
"""Values below the source of the culprit."""
_SHORT = 160
"""Characters that always stay of a long text."""
_SHORT_CODE = 60
"""Characters that always stay of a source line."""
_PREHEADER = 140
_FOOTER_CHARS = 1_000
_LOCALS = 400
"""More do not fit: a row takes 270 bytes."""
_NOT_SHOWN = "not shown here, the mail would be too big"


def render_html(
    report: Report,
    *,
    frequency: Frequency | None = None,
    footer: str = "",
    bound: int = HTML_AIM,
) -> Rendered:
    """
    Return the HTML part.

    Args:
        frequency: How often the group has occurred; None: not known, nothing is said of it.
        footer: One plain paragraph at the end: why the reader gets this.
        bound: Bytes, encoded; more than `HTML_BOUND` counts as that.
    """
    draft = Draft(encoded_size, IN_A_MAIL)
    draft.locals_reach = locals_reach(report, _LOCALS, draft.lengths.variables)
    _head(draft, report, frequency)
    _culprit(draft, report)
    _how_often(draft, report, frequency)
    _request(draft, report)
    traceback(draft, report)
    exceptions(draft, report)
    for section in (_stack, _context, _details, _environment, _notes):
        section(draft, report)
    draft.add(parts.FOOTER)
    if footer:
        draft.add(parts.PARAGRAPH(lines(begin(footer, _FOOTER_CHARS))))
    closed = draft.position  # the longer form counts in `fit`
    draft.add(parts.PARAGRAPH(closing(report, frequency, is_cut=True)), parts.FOOTER_END, parts.END)
    draft.fit(min(bound, HTML_BOUND))
    draft.replace(closed, parts.PARAGRAPH(closing(report, frequency, is_cut=draft.is_cut)))
    return Rendered(str(draft), draft.is_cut)


def _head(draft: Draft, report: Report, frequency: Frequency | None) -> None:
    lengths = draft.lengths
    headline = shorten(report.headline, lengths.name_chars)
    draft.add(
        parts.BODY(
            shorten(one_line(f"{title(report)}: {report.summary}".rstrip(": ")), _SHORT),
            shorten(_preheader(report, frequency), _PREHEADER),
        ),
        parts.HEAD,
    )
    pill, words = age(frequency)
    if words:
        draft.add(parts.FIRST(parts.PILL(pill) if pill else EMPTY, words))
    is_warning = report.exception is None and report.level == "WARNING"
    draft.add((parts.HEAD_WARNING if is_warning else parts.HEAD_TYPE)(headline))
    if report.summary:
        start = draft.position
        draft.add(parts.HEAD_MESSAGE(lines(draft.shorten(report.summary, lengths.message_chars))))
        draft.may_cut(
            start, Step.LONG_TEXTS, parts.HEAD_MESSAGE(lines(begin(report.summary, _SHORT)))
        )
    notes = report.exception.notes if report.exception else ()
    start = draft.position
    draft.add(*(parts.HEAD_NOTE(lines(begin(note, _SHORT))) for note in notes[: lengths.notes]))
    if len(notes) > lengths.notes:
        more = counted(len(notes) - lengths.notes, "more note")
        draft.add(parts.HEAD_NOTE(f"{more} at the traceback"))
    draft.may_cut(start, Step.LONG_TEXTS, parts.HEAD_NOTE(counted(len(notes), "note")))
    facts = [day_and_time(report.occurred_at)]
    if where := place(report):
        facts.insert(0, shorten(where, _SHORT))
    if report.request and report.request.path:
        facts.insert(0, f"at {shorten(one_line(report.request.path), lengths.name_chars)}")
    draft.add(parts.HEAD_PLACE(parts.separated([escape(fact) for fact in facts])), parts.HEAD_END)


def _preheader(report: Report, frequency: Frequency | None) -> str:
    """Return what the inbox shows after the subject: 40 to 140 characters if there is that much to say."""
    culprit = report.exception.culprit if report.exception else None
    request = report.request
    said = [
        f"{culprit.filename}:{culprit.lineno} in {qualified(culprit.function)}"
        if culprit
        else report.call_site,
        age(frequency)[1].capitalize(),
        f"{request.method} {request.path}" if request else ran_in(report),
        f"user {request.user}" if request and request.user else "",
    ]
    said = [shorten(one_line(part), 100) for part in said if part]
    for part in (place(report), report.runtime.host, day_and_time(report.occurred_at)):
        if part and sum(map(len, said)) < 40:
            said.append(shorten(one_line(part), 60))
    return " · ".join(said)


def _culprit(draft: Draft, report: Report) -> None:
    lengths = draft.lengths
    frame = report.exception.culprit if report.exception else None
    if frame is None:
        if report.exception is None and report.call_site:
            at, _, function = report.call_site.partition(" in ")
            draft.add(
                parts.CULPRIT(
                    shorten(at, lengths.file_chars), shorten(function, lengths.name_chars)
                ),
                parts.CULPRIT_END,
            )
        return
    at = frame.filename[-lengths.file_chars :]
    if frame.lineno is not None:
        at = f"{at}:{frame.lineno}"
    draft.add(parts.CULPRIT(at, shorten(qualified(frame.function), lengths.name_chars)))
    source = excerpt(frame)
    if source:
        draft.add(parts.CULPRIT_SOURCE)
        for line in source:
            _code_line(draft, line)
        draft.add(parts.CULPRIT_SOURCE_END)
    else:
        draft.add(parts.MONO_SOFT("The source is not available."))
    values = {variable.name: variable for variable in frame.variables}
    focus = [values[name] for name in frame.focus if name in values][:_FOCUS]
    if focus:
        start = draft.position
        draft.add(_focus(focus, draft))
        draft.may_cut(start, Step.LONG_TEXTS, EMPTY)
    draft.add(parts.CULPRIT_END)


def _focus(focus: Sequence[Variable], draft: Draft) -> Markup:
    lengths = draft.lengths
    shown = [
        join(
            [
                f"{shorten(variable.name, lengths.name_chars)}: ",
                parts.INK(value_of(draft, variable)),
            ]
        )
        for variable in focus
    ]
    return parts.MONO_SOFT(parts.separated(shown))


def _code_line(draft: Draft, line: SourceLine) -> None:
    template = parts.CODE_LINE_FAILING if line.failing else parts.CODE_LINE
    number = str(line.number)
    start = draft.position
    draft.add(template(number, _code(line.visible().clipped(draft.lengths.code_chars))))
    draft.may_cut(
        start, Step.LONG_TEXTS, template(number, _code(line.visible().clipped(_SHORT_CODE)))
    )


def _code(line: SourceLine) -> Markup:
    """Return the source with the failing part underlined: a row of carets would lose its place when the line wraps."""
    if line.start >= line.end:
        return escape(line.text or "\xa0")
    before, part, after = (
        line.text[: line.start],
        line.text[line.start : line.end],
        line.text[line.end :],
    )
    return join([before, parts.FAILING_PART(part), after])


def _how_often(draft: Draft, report: Report, frequency: Frequency | None) -> None:
    if frequency is None:
        return
    draft.add(parts.SECTION("How often", EMPTY))
    if frequency.occurrences > 1:
        figures = [
            parts.FIGURE("In this process", f"{frequency.occurrences:,} times"),
            parts.FIGURE("Process", str(report.runtime.pid)),
            parts.FIGURE("Host", shorten(report.runtime.host, 60)),
        ]
        draft.add(parts.FIGURES(join(figures)))
    draft.add(parts.SENTENCE(how_often(frequency)))


def _request(draft: Draft, report: Report) -> None:
    """The request; without one where the program was. And the log record that told of it."""
    lengths = draft.lengths
    request, record = report.request, logged(report)
    if request is not None:
        draft.add(parts.SECTION("Request", EMPTY))
        method, url = shorten(request.method, 20), request.url or request.path
        start = draft.position
        draft.add(parts.HEADING(method, draft.shorten(url, lengths.url_chars)))
        draft.may_cut(start, Step.LONG_TEXTS, parts.HEADING(method, begin(url, _SHORT)))
        facts = [
            join(
                [
                    f"{words} " if words else EMPTY,
                    parts.INK(shorten(value, lengths.name_chars)) if words else value,
                ]
            )
            for words, value in reply(request)
        ]
        if facts:
            draft.add(parts.SENTENCE(parts.separated(facts)))
    elif not record:
        draft.add(parts.SECTION("Program", EMPTY))
        draft.add(parts.SENTENCE(parts.INK(shorten(ran_in(report), _SHORT))))
    if record:
        draft.add(parts.SECTION("Logged", EMPTY))
        if report.exception is not None and report.message:
            draft.add(parts.PRE(begin(report.message, _SHORT)))
        draft.add(parts.SENTENCE(shorten(record, 2 * _SHORT)))


def _stack(draft: Draft, report: Report) -> None:
    if report.stack:
        start = draft.position
        text = draft.shorten(report.stack.strip("\n"), draft.lengths.stack_chars)
        draft.add(parts.SECTION("Stack", EMPTY), parts.PRE(text))
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
        start = draft.position
        draft.add(parts.SECTION("About this report", EMPTY))
        _sentences(draft, report.notes)
        _may_go(draft, start, "About this report", SectionRank.ABOUT)


def _blocks(
    draft: Draft, name: str, blocks: Sequence[Block], notes: Iterable[str], rank: int
) -> None:
    start = draft.position
    holds_secrets = rank is SectionRank.DETAILS and any(
        row.value == REDACTED for block in blocks for row in (*block.rows, *block.rest)
    )
    note = "secrets are redacted before they reach this mail"
    draft.add(parts.SECTION(name, parts.SMALL_NOTE(note) if holds_secrets else EMPTY))
    for block in blocks:
        draft.add(parts.BLOCK)
        if block.title != name:
            draft.add(parts.GROUP(block.title))
        _block(draft, block)
        draft.add(parts.BLOCK_END)
    _sentences(draft, tuple(notes))
    _may_go(draft, start, name, rank)


def _block(draft: Draft, block: Block) -> None:
    draft.add(parts.ROWS)
    start = draft.position
    draft.add(*(row(draft, variable) for variable in block.rows))
    rest = draft.position
    draft.add(*(row(draft, variable) for variable in block.rest))
    draft.may_cut(rest, Step.ROWS, parts.WIDE_ROW(names_only("more row", block.rest)))
    if block.omitted:
        draft.is_cut = True
        draft.add(parts.WIDE_ROW(f"{counted(block.omitted, 'more row')} not shown"))
    total = names_only("row", (*block.rows, *block.rest), block.omitted)
    draft.may_cut(start, Step.DETAILS, parts.WIDE_ROW(total))
    draft.add(parts.ROWS_END)


def _sentences(draft: Draft, notes: Sequence[str]) -> None:
    for note in draft.first(notes, draft.lengths.rows):
        draft.add(parts.SENTENCE(draft.shorten(note, draft.lengths.note_chars)))
    if len(notes) > draft.lengths.rows:
        draft.add(parts.SENTENCE(counted(len(notes) - draft.lengths.rows, "more note")))


def _may_go(draft: Draft, start: int, name: str, rank: int) -> None:
    instead = join([parts.SECTION(name, EMPTY), parts.SENTENCE(_NOT_SHOWN)])
    draft.may_cut(start, Step.SECTIONS, instead, rank=rank)
