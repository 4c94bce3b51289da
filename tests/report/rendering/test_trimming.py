"""Whatever a report holds: both parts keep their bound, and what email/DESIGN protects stays in them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import reports
from actors.reports import FOOTER, NEW
from errormail.report.model import LogLine, Section, Variable
from errormail.report.rendering.html import render_html
from errormail.report.rendering.text import render_text
from errormail.report.rendering.trim import Reach, encoded_size

CHARS = st.sampled_from(["x", "é", "🦊", "'", "=", "<", "\n", "\x1b"])
LENGTHS = st.integers(0, 9_000)
FEW = st.integers(0, 6)
MANY = st.integers(0, 60)


def rows_of(number, length, char):
    return tuple(
        Variable(name=f"row_{index}", value=(char * length)[:4_096]) for index in range(number)
    )


@st.composite
def tracebacks(draw, char):
    """Frames of f0.py to f59.py, the culprit last."""
    length = draw(LENGTHS)
    number = draw(st.integers(1, 60))
    in_app = draw(st.lists(st.booleans(), min_size=number, max_size=number))
    values = {f"name_{index}": (char * length)[:4_096] for index in range(draw(st.integers(0, 40)))}
    frames = [
        reports.frame(
            f"f{index}.py", index + 1, f"run_{index}", f"    step_{index}(all)", in_app=app
        )
        for index, app in enumerate(in_app)
    ]
    culprit = reports.frame("culprit.py", 77, "fails", "    raise it", "raise it", **values)
    return [*frames, culprit]


@st.composite
def any_report(draw):
    """Return a report, and how many frames its own traceback has."""
    char = draw(CHARS)
    frames = draw(tracebacks(char))

    def exception(name, **more):
        notes = (char * draw(LENGTHS),) * draw(FEW)
        return reports.exception(name, f"{name} " + char * draw(LENGTHS), notes=notes, **more)

    members = tuple(
        reports.exception(f"Member{index}", "m", *frames)
        for index in range(draw(st.integers(0, 30)))
    )
    cause = reports.exception("Cause", "c", *draw(tracebacks(char)))
    exc = exception("Failure", members=members, cause=cause, relation="cause")
    exc = replace(exc, frames=tuple(frames))
    rows = rows_of(draw(MANY), draw(LENGTHS), char)
    line = LogLine(
        at=reports.OCCURRED_AT, level="INFO", logger="shop", message=char * draw(LENGTHS)
    )
    return (
        reports.report(
            exc,
            context=rows,
            extra=rows,
            stack=char * draw(LENGTHS),
            log=(line,) * draw(MANY),
            sections=(Section(title="Own", rows=rows),) * draw(FEW),
            request=reports.request(
                form=rows, headers=rows, cookies=rows, curl=f"curl {char * 900}"
            ),
            notes=(char * draw(LENGTHS),) * draw(FEW),
        ),
        len(frames),
    )


def visible_words(html):
    return unescape(re.sub("<[^>]*>", " ", html.partition("<body")[2]))


PROTECTED = (
    "Failure",
    "culprit.py:77",
    "First time seen since this process started",
    "POST",
    "https://shop.example.com/checkout/?step=3",
    "500 after 2,063 ms",
    "You get this because ops@example.com is in ADMINS",
    "7f3a91c2d05e",
)


@settings(max_examples=60)
@given(any_report(), st.sampled_from([60_000, 75_000, 90_000, 10**9]))
def test_the_html_part_keeps_its_bound_and_what_is_protected(made, bound):
    sample, _ = made
    part = render_html(sample, frequency=NEW, footer=FOOTER, bound=bound)
    assert encoded_size(part.content) <= min(bound, 90_000)
    words = " ".join(visible_words(part.content).split())
    assert [kept for kept in PROTECTED if kept not in words] == []
    assert ("The whole report is attached: report.txt." in words) == part.is_cut


@settings(max_examples=60)
@given(any_report())
def test_the_text_part_keeps_its_bound_and_what_is_protected(made):
    sample, _ = made
    part = render_text(sample, frequency=NEW, footer=FOOTER)
    assert encoded_size(part.content) <= 60_000
    assert max(map(len, part.content.split("\n"))) <= 78
    words = " ".join(part.content.split())
    assert [kept for kept in PROTECTED if kept not in words] == []
    assert ("The whole report is attached: report.txt." in words) == part.is_cut


@settings(max_examples=60)
@given(any_report(), st.sampled_from([20_000, 40_000, 60_000]))
def test_each_frame_is_shown_or_counted(made, bound):
    """A cut says how much is missing."""
    sample, number = made
    html = render_html(sample, frequency=NEW, footer=FOOTER, bound=bound).content
    own = visible_words(html).partition("most recent call first")[2]
    own = re.split(r"Exceptions in the group|Caused by", own)[0]
    shown = len(re.findall(r"\b(?:f\d+|culprit)\.py:\d+", own))
    counted = re.findall(r"(\d+) (?:library frames?|frames? not shown)", own)
    assert shown + sum(map(int, counted)) == number


@pytest.mark.parametrize("render", [render_html, render_text])
def test_log_lines_but_the_last_go_before_locals_do(render):
    sample = reports.everything()
    log = tuple(
        LogLine(
            at=reports.OCCURRED_AT - 20 + index,
            level="INFO",
            logger="shop",
            message=f"line {index} " + "x" * 400,
        )
        for index in range(20)
    )
    sample = replace(sample, log=log, log_omitted=21)
    whole = encoded_size(render(sample, frequency=NEW, footer=FOOTER, bound=10**6).content)
    part = render(sample, frequency=NEW, footer=FOOTER, bound=whole - 2_000).content
    assert "last 5 of 41 lines" in part
    assert "line 14 " not in part
    assert "line 15 " in part
    assert "<Cart c-88213: 3 lines>" in unescape(part)
    assert "last 20 of 41 lines" in render(sample, bound=10**6).content


@pytest.mark.parametrize("render", [render_html, render_text])
def test_the_command_goes_with_the_request_details_and_says_its_length(render):
    sample = reports.everything()
    size = encoded_size(render(sample, frequency=NEW, footer=FOOTER).content)
    for bound in range(size - 1, size // 4, -size // 60):
        part = render(sample, frequency=NEW, footer=FOOTER, bound=bound).content
        if f"{len(sample.request.curl)} characters not shown" in part:
            break
    else:
        pytest.fail("the command was never left out")
    assert "names only: cart_id" in part


def test_more_sections_of_the_program_than_fit_are_named():
    sections = tuple(Section(title=f"Own {index}", rows=rows_of(1, 3, "x")) for index in range(13))
    sample = reports.report(reports.one_frame().exception, sections=sections)
    for part in (render_html(sample), render_text(sample)):
        assert "3 more sections not shown: Own 10, Own 11, Own 12" in part.content
        assert part.is_cut
    assert "OWN 12" in render_text(sample, bound=None).content


def large_group(members):
    """Return a report of a group whose members have frames of their own, more than there is room for."""
    values = {f"name_{index}": "x" * 300 for index in range(12)}
    one = [
        reports.exception(
            f"Error{member}",
            "m",
            *(
                reports.frame(f"m{member}.py", line + 1, "run", f"step_{line}(all)", **values)
                for line in range(40)
            ),
        )
        for member in range(members)
    ]
    return reports.report(
        reports.exception("Group", "g", members=tuple(one), cause=one[0], relation="cause")
    )


@pytest.mark.parametrize("render", [render_html, render_text])
@pytest.mark.parametrize(
    "make",
    [lambda: large_group(50), reports.giant, reports.everything],
    ids=["group", "giant", "everything"],
)
def test_what_is_not_written_would_have_been_cut(render, make, monkeypatch):
    """Only the time differs: a part has the same words as if all had been written first."""
    sample = make()
    part = render(sample, frequency=NEW, footer=FOOTER)
    for module in ("html", "text"):
        monkeypatch.setattr(
            f"errormail.report.rendering.{module}.reach_of", lambda *_: Reach(10**9)
        )
    assert render(sample, frequency=NEW, footer=FOOTER) == part
