"""
A Report as the HTML part of a mail: email/DESIGN's order, colours and sizes.

Everything from the program goes through `markup.escape`; nothing is loaded, linked or hidden but the preheader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from errormail.report.model import Frame, Frequency, Report, Variable
from errormail.report.rendering import htmlparts as parts
from errormail.report.rendering.excerpt import SourceLine, excerpt
from errormail.report.rendering.htmlblocks import part, part_gone, value_of
from errormail.report.rendering.htmlframes import place_of_frame, traceback
from errormail.report.rendering.markup import EMPTY, Markup, escape, join, lines
from errormail.report.rendering.outline import Medium, Page, write
from errormail.report.rendering.stretches import Costs, reach_of
from errormail.report.rendering.trim import IN_A_MAIL, Draft, Rendered, Step, begin, encoded_size
from errormail.report.rendering.wording import (
    age,
    counted,
    day_and_time,
    headline,
    how_often,
    in_the_group,
    logged,
    place,
    qualified,
    ran_in,
    reply,
    source_words,
    title,
    words_of,
)
from errormail.report.visible import one_line, shorten

__all__ = ["HTML_AIM", "HTML_BOUND", "Rendered", "render_html"]

HTML_AIM = 60_000
"""Bytes, the larger of decoded and quoted-printable size: email/DESIGN, Size."""
HTML_BOUND = 90_000
"""Bytes. Gmail clips a message at about 102 kB of HTML and drops its <style> then."""
_COSTS = Costs(variable=200, frame=400, shows_again=False)
_FOCUS = 5
"""Values below the source of the culprit."""
_SHORT = 160
"""Characters that always stay of a long text."""
_SHORT_CODE = 60
"""Characters that always stay of a source line."""
_PREHEADER = 140


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
    room = min(bound, HTML_BOUND)
    draft = Draft(encoded_size, IN_A_MAIL)
    draft.reach = reach_of(report, room, _COSTS, draft.lengths)
    return write(draft, _HTML, Page(report, frequency, footer), room)


def _head(draft: Draft, page: Page) -> None:
    report, frequency, _ = page
    lengths = draft.lengths
    exc = report.exception
    message = words_of(report)
    draft.add(
        parts.BODY(
            shorten(one_line(f"{title(report)}: {message}".rstrip(": ")), _SHORT),
            shorten(_preheader(report, frequency), _PREHEADER),
        ),
        parts.HEAD,
    )
    pill, words = age(frequency)
    if words:
        draft.add(parts.FIRST(parts.PILL(pill) if pill else EMPTY, words))
    is_warning = exc is None and report.level == "WARNING"
    draft.add(
        (parts.HEAD_WARNING if is_warning else parts.HEAD_TYPE)(
            shorten(headline(report), lengths.name_chars)
        )
    )
    if message:
        start = draft.position
        draft.add(parts.HEAD_MESSAGE(lines(draft.shorten(message, lengths.message_chars))))
        draft.may_cut(start, Step.LONG_TEXTS, parts.HEAD_MESSAGE(lines(begin(message, _SHORT))))
    _head_notes(draft, report)
    facts = [day_and_time(report.occurred_at)]
    if where := place(report):
        facts.insert(0, shorten(where, _SHORT))
    if report.request and report.request.path:
        facts.insert(0, f"at {shorten(one_line(report.request.path), lengths.name_chars)}")
    draft.add(parts.HEAD_PLACE(parts.separated([escape(fact) for fact in facts])), parts.HEAD_END)


def _head_notes(draft: Draft, report: Report) -> None:
    """What is in a group, and the notes of the exception: PEP 678."""
    exc, lengths = report.exception, draft.lengths
    if exc is None:
        return
    leaves = in_the_group(exc)
    start = draft.position
    draft.add(*(parts.HEAD_NOTE(words) for words in leaves))
    draft.may_cut(
        start, Step.LONG_TEXTS, parts.HEAD_NOTE(f"{counted(len(leaves), 'line')} not shown")
    )
    notes = exc.notes
    start = draft.position
    draft.add(*(parts.HEAD_NOTE(lines(begin(note, _SHORT))) for note in notes[: lengths.notes]))
    if len(notes) > lengths.notes:
        more = counted(len(notes) - lengths.notes, "more note")
        draft.add(parts.HEAD_NOTE(f"{more} at the traceback"))
    draft.may_cut(start, Step.LONG_TEXTS, parts.HEAD_NOTE(counted(len(notes), "note")))


def _preheader(report: Report, frequency: Frequency | None) -> str:
    """Return what the inbox shows after the subject: 40 to 140 characters if there is that much to say."""
    culprit = report.culprit
    request = report.request
    said = [
        f"{culprit.filename}:{culprit.lineno} in {qualified(culprit.function)}"
        if culprit
        else report.call_site,
        age(frequency)[1].capitalize(),
        f"{request.method} {request.path}" if request else ran_in(report),
        f"user {request.user}" if request and request.user else "",
    ]
    said = [shorten(one_line(words), 100) for words in said if words]
    for words in (place(report), report.runtime.host, day_and_time(report.occurred_at)):
        if words and sum(map(len, said)) < 40:
            said.append(shorten(one_line(words), 60))
    return " · ".join(said)


def _culprit(draft: Draft, page: Page) -> None:
    report, lengths = page.report, draft.lengths
    frame = report.culprit
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
    function = shorten(qualified(frame.function), lengths.name_chars)
    draft.add(parts.CULPRIT(parts.linked(place_of_frame(draft, frame), frame.url), function))
    _culprit_source(draft, frame)
    values = {variable.name: variable for variable in frame.variables}
    focus = [values[name] for name in frame.focus if name in values][:_FOCUS]
    if focus:
        start = draft.position
        draft.add(_focus(focus, draft))
        draft.may_cut(start, Step.LONG_TEXTS, EMPTY)
    draft.add(parts.CULPRIT_END)


def _culprit_source(draft: Draft, frame: Frame) -> None:
    source = excerpt(frame)
    if source:
        draft.add(parts.CULPRIT_SOURCE)
        failing = [line for line in source if line.failing]
        says_nothing = len(failing) > 1 and all(map(_is_whole, failing))
        for line in source:
            _code_line(draft, replace(line, end=line.start) if says_nothing else line)
        draft.add(parts.CULPRIT_SOURCE_END)
    if words := source_words(frame):
        draft.add(parts.MONO_SOFT(shorten(words, _SHORT)))


def _is_whole(line: SourceLine) -> bool:
    """Return whether all of the line failed: of a statement over several lines the ground says so already."""
    return not line.text[: line.start].strip() and not line.text[line.end :].strip()


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


def _how_often(draft: Draft, page: Page) -> None:
    report, frequency, _ = page
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


def _request(draft: Draft, page: Page) -> None:
    """The request; without one where the program was. And the log record that told of it."""
    report, lengths = page.report, draft.lengths
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


def _footer(draft: Draft, words: str) -> None:
    draft.add(parts.FOOTER)
    if words:
        draft.add(parts.PARAGRAPH(lines(words)))


_HTML = Medium(
    head=_head,
    culprit=_culprit,
    how_often=_how_often,
    request=_request,
    traceback=traceback,
    part=part,
    part_gone=part_gone,
    footer=_footer,
    closing=parts.PARAGRAPH,
    end=join([parts.FOOTER_END, parts.END]),
)
