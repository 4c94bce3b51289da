"""The text part: the traceback as Python prints it, in 78 columns, with everything the report tells."""

from __future__ import annotations

import linecache
import re
import traceback
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import reports
from actors.reports import AGAIN, FOOTER, NEW
from errormail.report.model import Frame
from errormail.report.text import FILE_BOUND, TEXT_BOUND, render_text
from errormail.report.textwrapping import carets, columns, wrapped
from errormail.report.trim import encoded_size

ANY = st.text(st.characters(exclude_categories=()), max_size=120)


def text_of(sample, **more):
    return render_text(sample, frequency=NEW, footer=FOOTER, **more).content


@pytest.fixture(scope="module", params=list(reports.SAMPLES))
def rendered(request):
    return render_text(reports.SAMPLES[request.param](), frequency=NEW, footer=FOOTER)


def test_every_line_is_narrow_and_clean(rendered):
    lines = rendered.content.split("\n")
    assert max(map(len, lines)) <= 78
    assert [line for line in lines if line != line.rstrip()] == ["-- "]
    assert "\t" not in rendered.content
    assert rendered.content.endswith("\n")


def test_it_is_never_over_its_bound(rendered):
    assert encoded_size(rendered.content) <= TEXT_BOUND


def test_it_can_be_encoded(rendered):
    rendered.content.encode()
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", rendered.content
    )


def failing():
    def convert(rates, currency):
        return rates[currency]

    def total():
        try:
            return convert({}, "CHF")
        except KeyError as error:
            raise ValueError("no rate") from error

    total()


def captured(exc, **more):
    """Return *exc* in the form of the model, made of what the traceback module says of it."""
    frames = tuple(
        Frame(
            module="",
            function=one.name,
            filename=one.filename,
            lineno=one.lineno,
            end_lineno=getattr(one, "end_lineno", None),
            colno=getattr(one, "colno", None),
            end_colno=getattr(one, "end_colno", None),
            first_lineno=one.lineno,
            source=(linecache.getline(one.filename, one.lineno).rstrip("\n"),),
        )
        for one in traceback.extract_tb(exc.__traceback__)
    )
    return reports.exception(
        type(exc).__name__, str(exc), *frames, notes=tuple(getattr(exc, "__notes__", ())), **more
    )


@pytest.mark.row("R4")
def test_the_traceback_is_what_python_prints():
    """Line by line; where Python tells operator and operands of a failing part apart (~), the part is marked as a whole."""
    try:
        failing()
    except ValueError as error:
        exc = error
    sample = reports.report(captured(exc, cause=captured(exc.__cause__), relation="cause"))
    ours = render_text(sample, bound=None).content
    ours = ours.partition("last)\n")[2].partition("\n")[2].partition("\nENVIRONMENT")[0]
    printed = "".join(traceback.format_exception(exc))

    def lines(text):
        return [re.sub(r"[~^]+", "^", line) for line in text.rstrip().split("\n")]

    without_carets = [line for line in lines(printed) if line.strip() != "^"]
    assert [line for line in lines(ours) if line.strip() != "^"] == without_carets
    # From 3.13 on Python marks a call that is the whole line as well, to tell its name and arguments apart.
    printed_carets = {line for line in lines(printed) if line.strip() == "^"} - {"    ^"}
    assert printed_carets <= {line for line in lines(ours) if line.strip() == "^"}


@pytest.mark.row("R4")
def test_the_caret_row_stands_below_the_failing_part():
    lines = text_of(reports.checkout()).split("\n")
    at = lines.index('    raise PricingError(f"no rate from {source} to {target}") from exc')
    part = lines[at][lines[at + 1].index("^") : len(lines[at + 1])]
    assert part == 'PricingError(f"no rate from {source} to {target}")'
    assert set(lines[at + 1].strip()) == {"^"}


def test_the_caret_row_stays_below_wide_characters_and_escapes():
    one = reports.frame("m.py", 1, "f", "名 = '\x1b' + g()", "g()")
    lines = text_of(reports.report(reports.exception("E", "m", one))).split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("    名"))
    assert columns(lines[at][: lines[at].index("g()")]) == lines[at + 1].index("^")


def test_a_long_source_line_shows_the_part_that_failed():
    one = reports.frame("m.py", 1, "f", "x = (" + "alpha + " * 40 + "boom())", "boom()")
    text = text_of(reports.report(reports.exception("E", "m", one)))
    assert text.count("boom()") == 2
    assert "    ..." in text


def test_locals_stand_below_their_line_and_wrap_with_a_hanging_indent():
    assert (
        "      lines: [('SKU-1041', 2, 'EUR'), ('SKU-2200', 1, 'EUR'), ('SKU-7734', 5,\n"
        "          'CHF')]\n" in text_of(reports.checkout())
    )


@pytest.mark.row("R1")
def test_it_begins_with_type_message_notes_and_path():
    exc = replace(reports.checkout().exception, notes=("cart c-88213 is kept",))
    text = text_of(replace(reports.checkout(), exception=exc))
    assert text.startswith(
        "PricingError: no rate from CHF to EUR\ncart c-88213 is kept\nat /checkout/\n\nNEW "
    )
    assert "\nshop.pricing.PricingError: no rate from CHF to EUR\ncart c-88213 is kept\n" in text


def test_sections_stand_in_the_order_of_the_html_part():
    titles = re.findall(
        r"^([A-Z][A-Z ]+)(?:  \(.*\))?\n-+$", text_of(reports.checkout()), re.MULTILINE
    )
    assert titles == [
        "HOW OFTEN",
        "REQUEST",
        "LOGGED",
        "TRACEBACK",
        "CONTEXT",
        "REQUEST DETAILS",
        "ENVIRONMENT",
    ]


def test_a_cause_comes_first_with_pythons_words():
    text = text_of(reports.checkout())
    words = "The above exception was the direct cause of the following exception:"
    places = [text.index(part) for part in ("in lookup", words, "shop.pricing.PricingError:")]
    assert places == sorted(places)
    context = replace(reports.checkout().exception, relation="context")
    assert "During handling of the above exception, another" in text_of(reports.report(context))


def test_a_group_is_a_tree():
    text = text_of(reports.group_alone())
    for line in [
        "  +-- 1 of 2: jobs.db.DatabaseError: cannot connect",
        "  |   replica 2 of 3",
        "  |   +-- caused by OSError: [Errno 111] Connection refused",
        "  +-- 2 of 2: ExceptionGroup: parsing (1 sub-exception)",
        "      +-- 1 of 1: ValueError: line 3: no date in 'n/a'",
        "          +-- while handling TypeError: expected str",
    ]:
        assert f"\n{line}\n" in text


def test_repeated_frames_are_one_line():
    assert "  [the 3 frames above, 331 times more]\n" in text_of(reports.recursion())


def test_names_and_values_are_neither_aligned_nor_joined_by_an_equals_sign():
    details = text_of(reports.checkout()).partition("REQUEST DETAILS")[2]
    assert "  coupon: AUTUMN10\n" in details
    assert "  password: [redacted]\n" in details


def test_a_record_shows_level_message_call_site_stack_and_fields():
    text = text_of(reports.record_only())
    assert text.startswith("CRITICAL: payment provider answered 503 three times, giving up\n")
    for line in [
        "shop/payments.py:71 in charge",
        "Stack (most recent call last):",
        "  attempt: 3",
        "  token: [redacted]",
    ]:
        assert f"\n{line}\n" in text
    assert "TRACEBACK" not in text


@pytest.mark.parametrize(
    ("frequency", "words"),
    [
        (NEW, "NEW first time seen since this process started\n"),
        (AGAIN, "\n1,204 times since this process started\n"),
        (None, "\nshop, production, release 2026.10.4, 5 Oct 2026, 03:14:15 UTC\n"),
    ],
)
def test_the_head_says_how_often(frequency, words):
    text = render_text(reports.one_frame(), frequency=frequency).content
    assert words in text
    assert ("HOW OFTEN" in text) == (frequency is not None)


def test_the_footer_says_why_and_which_group():
    end = text_of(reports.one_frame()).partition("\n-- \n")[2]
    assert end.startswith("You get this because ops@example.com")
    assert "Group 7f3a91c2d05e" in end
    assert "report.txt" not in end


def test_a_cut_report_says_so_and_where_the_rest_is():
    part = render_text(reports.giant(), frequency=NEW)
    assert part.is_cut
    assert "The whole report is attached: report.txt." in " ".join(part.content.split())
    assert "frames not shown" in part.content
    assert "more characters" in part.content


@pytest.mark.parametrize("bound", [5_000, 20_000])
def test_head_culprit_request_and_footer_outlast_every_cut(bound):
    part = render_text(reports.giant(), frequency=NEW, footer=FOOTER, bound=bound)
    for words in [
        "Error0: 0: something",
        "shop/deep/module_59.py:159",
        "POST https://shop.",
        "You get this because",
        "7f3a91c2d05e",
    ]:
        assert words in part.content
    if bound > 5_000:
        assert encoded_size(part.content) <= bound


def test_the_file_holds_what_the_mail_leaves_out():
    value = "word " * 500 + "the end"
    one = reports.frame("m.py", 1, "f", "x", value=value)
    sample = reports.report(reports.exception("E", "m", one))
    assert render_text(sample).is_cut
    whole = render_text(sample, bound=None)
    assert not whole.is_cut
    assert "the end" in whole.content


def test_the_file_is_bounded_too():
    assert len(render_text(reports.giant(), bound=None).content.encode()) <= FILE_BOUND


@settings(max_examples=50, deadline=None)
@given(ANY, ANY, ANY)
def test_whatever_the_texts_the_part_is_narrow_and_encodable(name, message, value):
    one = reports.frame(name, 3, name, value.replace("\n", " "), x=value)
    exc = reports.exception(
        name, message, one, notes=(value,), members=(reports.exception(name, message, one),)
    )
    content = render_text(
        reports.report(exc, context=reports.pairs((name, value)), logger=name, call_site=message)
    ).content
    content.encode()
    assert max(map(len, content.split("\n"))) <= 78
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", content)


@given(st.text(max_size=400), st.text(" |", max_size=20), st.text(" ", max_size=20))
def test_wrapping_loses_nothing_but_white_space(text, first, hanging):
    from errormail.report.visible import visible

    shown = wrapped(text, first=first, hanging=hanging)
    assert "".join(shown.split()) == "".join((first + visible(text)).split())


def test_a_whole_line_needs_no_carets():
    from errormail.report.excerpt import SourceLine

    assert carets(SourceLine(1, "f()", failing=True, start=0, end=3)) == ""
    assert carets(SourceLine(1, "f()", failing=True)) == ""
    assert carets(SourceLine(1, "x = f()", failing=True, start=4, end=7)) == "    ^^^"
