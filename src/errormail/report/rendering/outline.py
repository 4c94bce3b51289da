"""
What a report shows and in which order, email/DESIGN's: the one table of its sections, for every renderer.

A renderer says how each kind of section looks in its medium, a `Medium`. This file says which there are, and sees to it
that the whole fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from errormail.report.model import REDACTED, Frequency, LogLine, Report
from errormail.report.rendering.blocks import (
    Block,
    context_blocks,
    environment,
    request_blocks,
    rows_block,
)
from errormail.report.rendering.trim import Draft, Rendered, SectionRank, Step, begin
from errormail.report.rendering.wording import clock, closing, counted
from errormail.report.visible import one_line, shorten

__all__ = ["LOG_KEPT", "Medium", "Page", "Part", "last_lines", "write"]

LOG_KEPT = 5
"""Log lines that stay when others go."""
_FOOTER_CHARS = 1_000
_TITLE_CHARS = 60


class Page(NamedTuple):
    """What is to be shown."""

    report: Report
    frequency: Frequency | None
    footer: str


class Part(NamedTuple):
    """A section that looks the same whatever it tells of: blocks of names and values, log lines, sentences."""

    title: str
    rank: SectionRank
    """When it goes."""
    blocks: Sequence[Block] = ()
    """Those with the section's title need none of their own."""
    log: Sequence[tuple[str, LogLine]] = ()
    """Each with its time in words."""
    log_total: int = 0
    """How many lines there were, with those in `log`."""
    note: str = ""
    """Beside the title."""
    notes: tuple[str, ...] = ()
    """Sentences at the end."""


Section = Callable[[Draft, Page], None]
"""Adds what it tells of the page to the draft, nothing if there is nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """How a renderer shows each section."""

    head: Section
    culprit: Section
    how_often: Section
    request: Section
    traceback: Section
    """With the exceptions that led to it."""
    part: Callable[[Draft, Part], None]
    part_gone: Callable[[str], str]
    """A title and the words that the section below it is not shown."""
    footer: Callable[[Draft, str], None]
    closing: Callable[[str], str]
    """The last sentences, within the footer."""
    end: str


def write(draft: Draft, medium: Medium, page: Page, bound: int) -> Rendered:
    """Return the whole document: all sections in their order, cut until they cost at most *bound*."""
    report = page.report
    medium.head(draft, page)
    medium.culprit(draft, page)
    medium.how_often(draft, page)
    medium.request(draft, page)
    medium.traceback(draft, page)
    for parts_of in (_stack, _log, _context, _own, _details, _environment, _notes):
        start = draft.position
        shown = list(parts_of(draft, report))
        for part in shown:
            medium.part(draft, part)
        for part in shown[:1]:
            title = part.title if len(shown) == 1 else counted(len(shown), "section")
            draft.may_cut(start, Step.SECTIONS, medium.part_gone(title), rank=part.rank)
    medium.footer(draft, begin(page.footer, _FOOTER_CHARS))
    closed = draft.position  # the longer form counts in `fit`
    draft.add(medium.closing(closing(report, page.frequency, is_cut=True)), medium.end)
    draft.fit(bound)
    draft.replace(closed, medium.closing(closing(report, page.frequency, is_cut=draft.is_cut)))
    return Rendered(str(draft), draft.is_cut)


def last_lines(total: int, shown: int) -> str:
    """Return what stands beside the title of the log: "last 6 of 41 lines"."""
    return (
        f"last {shown:,} of {counted(total, 'line')}" if shown < total else counted(total, "line")
    )


def _stack(draft: Draft, report: Report) -> Iterator[Part]:
    # What `stack_info` has of a record without an exception stands above, with source: `Report.calls`.
    is_above = (
        bool(report.calls) and report.exception is None and report.stack.startswith("Stack (")
    )
    if report.stack and not is_above:
        text = draft.shorten(report.stack.strip("\n"), draft.lengths.stack_chars)
        yield Part("Stack", SectionRank.STACK, (Block("Stack", text=text),))


def _log(draft: Draft, report: Report) -> Iterator[Part]:
    if report.log:
        last = draft.last(report.log, draft.lengths.log_lines)
        shown = [(clock(line.at, report.occurred_at), line) for line in last]
        total = len(report.log) + report.log_omitted
        yield Part("Log before the error", SectionRank.LOG, log=shown, log_total=total)


def _context(draft: Draft, report: Report) -> Iterator[Part]:
    if blocks := context_blocks(report, draft.lengths.rows):
        yield Part("Context", SectionRank.CONTEXT, blocks)


def _own(draft: Draft, report: Report) -> Iterator[Part]:
    for section in draft.first(report.sections, draft.lengths.sections):
        title = shorten(one_line(section.title), _TITLE_CHARS)
        yield Part(title, SectionRank.OWN, (rows_block(title, section.rows, draft.lengths.rows),))
    more = report.sections[draft.lengths.sections :]
    if more:
        titles = ", ".join(shorten(one_line(section.title), _TITLE_CHARS) for section in more)
        words = f"{counted(len(more), 'more section')} not shown: {shorten(titles, 400)}"
        yield Part("More sections", SectionRank.OWN, notes=(words,))


def _details(draft: Draft, report: Report) -> Iterator[Part]:
    request = report.request
    if request is None:
        return
    blocks = request_blocks(request, draft.lengths)
    if blocks or request.notes:
        hides = any(row.value == REDACTED for block in blocks for row in (*block.rows, *block.rest))
        note = "secrets are redacted before they reach this mail" if hides else ""
        yield Part("Request details", SectionRank.DETAILS, blocks, note=note, notes=request.notes)


def _environment(draft: Draft, report: Report) -> Iterator[Part]:
    yield Part("Environment", SectionRank.ENVIRONMENT, (environment(report),))


def _notes(draft: Draft, report: Report) -> Iterator[Part]:
    if report.notes:
        yield Part("About this report", SectionRank.ABOUT, notes=report.notes)
