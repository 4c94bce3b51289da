"""The text part: the traceback as Python prints it, in 78 columns, with everything the report tells."""

from __future__ import annotations

import linecache
import re
import shlex
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import reports
from actors.reports import AGAIN, FOOTER, NEW
from errormail.report.model import Frame
from errormail.report.rendering.excerpt import SourceLine
from errormail.report.rendering.text import FILE_BOUND, TEXT_BOUND, render_text
from errormail.report.rendering.textwrapping import carets, columns, shell_lines, wrapped
from errormail.report.rendering.trim import encoded_size

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

    def line_total(number):
        return 2 * (number + convert({}, "CHF"))

    def total():
        try:
            amount = line_total(3)
            return convert({}, amount)
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
    """Line by line. The rows of carets are those of 3.13: before that, Python does not tell a call's name from its arguments."""
    try:
        failing()
    except ValueError as error:
        exc = error
    sample = reports.report(captured(exc, cause=captured(exc.__cause__), relation="cause"))
    ours = render_text(sample, bound=None).content
    ours = ours.partition("last)\n")[2].partition("\n")[2].partition("\nENVIRONMENT")[0]
    printed = "".join(traceback.format_exception(exc))
    if sys.version_info >= (3, 13):
        assert ours.rstrip() == printed.rstrip()
        return

    def lines(text):
        return [line for line in text.rstrip().split("\n") if line.strip("~^ ")]

    assert lines(ours) == lines(printed)


@pytest.mark.row("R4")
def test_the_caret_row_stands_below_the_failing_part():
    lines = text_of(reports.checkout()).split("\n")
    source = 'raise PricingError(f"no rate from {source} to {target}") from exc'
    above, below = [at for at, line in enumerate(lines) if line.endswith(source)]
    for at, marks in ((above, {"^"}), (below, {"^", "~"})):
        row = lines[at + 1].partition("| ")[2] or lines[at + 1].strip()
        assert set(row.strip()) == marks
        part = lines[at][-len(source) :][len("raise ") :][: len(row.strip())]
        assert part == 'PricingError(f"no rate from {source} to {target}")'


@pytest.mark.parametrize(
    ("part", "marks"),
    [
        ("total / count", "~~~~~~^~~~~~~"),
        ("(a) ** (b)", "~~~~^^~~~~"),
        ("d['a'][k]", "~~~~~~^^^"),
        ("f(a)(b, c)", "~~~~^^^^^^"),
        ("größe[1] + ü", "~~~~~~~~~^~~"),
        ("x.y", ""),
        ("not a sentence: (", ""),
    ],
)
def test_what_belongs_to_an_operator_an_index_or_a_call_is_marked_otherwise(part, marks):
    line = SourceLine(1, part, failing=True, start=0, end=len(part))
    assert carets(line, as_python=True) == marks


def test_the_caret_row_stays_below_wide_characters_and_escapes():
    one = reports.frame("m.py", 1, "f", "名 = '\x1b' + g()", "g()")
    lines = text_of(reports.report(reports.exception("E", "m", one))).split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith("    名"))
    assert columns(lines[at][: lines[at].index("g()")]) == len(lines[at + 1]) - len(
        lines[at + 1].lstrip()
    )


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
    assert carets(SourceLine(1, "f()", failing=True, start=0, end=3)) == ""
    assert carets(SourceLine(1, "f()", failing=True)) == ""
    assert carets(SourceLine(1, "x = f()", failing=True, start=4, end=7)) == "    ^^^"


def test_the_log_stands_with_its_times_levels_and_loggers():
    text = text_of(reports.everything())
    assert (
        "LOG BEFORE THE ERROR  (last 6 of 41 lines)\n"
        "------------------------------------------\n"
        "  03:14:13.871 INFO    shop.orders: checkout started for cart c-88213, 3 lines\n"
    ) in text
    assert "\n  03:14:14.934 ERROR   shop.web: unhandled exception on POST /checkout/\n" in text


def test_a_log_line_of_another_day_has_its_date():
    sample = replace(
        reports.one_frame(), log=reports.log_lines((12_000.0, "INFO", "shop", "started"))
    )
    assert "\n  4 Oct 23:54:15.000 INFO    shop: started\n" in text_of(sample)


def test_sections_stand_in_the_order_of_the_design():
    titles = re.findall(r"\n([A-Z ]+)(?:  \(.*\))?\n-+\n", text_of(reports.everything()))
    assert titles == [
        "HOW OFTEN",
        "REQUEST",
        "LOGGED",
        "TRACEBACK",
        "LOG BEFORE THE ERROR",
        "CONTEXT",
        "CART",
        "FEATURE FLAGS",
        "REQUEST DETAILS",
        "ENVIRONMENT",
    ]


def test_a_record_without_exception_shows_who_logged_it():
    text = text_of(reports.record_with_calls())
    assert "shop/payments.py:71 in Payments.charge\n" in text
    assert '> 71 |     log.error("provider answered %d", status)\n' in text
    calls = text.partition("CALL STACK  (most recent call last)\n")[2]
    assert '  File "shop/jobs.py", line 12, in main\n' in calls
    assert "    [the source has changed since it was loaded]\n    run(queue)\n" in calls
    assert "  [the frame above, 8 times more]\n" in calls
    assert "card: [redacted]\n" in calls
    assert "Stack (most recent call last)" not in text  # the same once more


def test_where_the_process_stands_and_what_it_loaded_is_in_the_environment():
    text = " ".join(text_of(reports.everything()).split())
    assert "process: pid 4711, gunicorn: worker [shop], up 11 days, 212 MiB" in text
    assert "packages: flask 3.1.3, httpx 0.28.1, tenacity 9.1.2" in text
    assert "request 01J9Z3W5Q2T8, trace 4bf92f3577b34da6a3ce929d0e0e4736" in text


def test_many_packages_are_counted():
    packages = tuple(reports.Variable(name=f"p{number}", value="1") for number in range(20))
    sample = replace(reports.one_frame(), runtime=replace(reports.RUNTIME, packages=packages))
    assert "p14 1, and 5 more" in " ".join(text_of(sample).split())


def test_the_address_of_the_source_stands_whole_or_not_at_all():
    place = "shop/pricing/engine.py:45 in PricingEngine.convert\n"
    url = "https://git.example.com/shop/blob/2026.10.4/shop/pricing/engine.py#L45\n"
    assert place + url in text_of(reports.everything())
    long = replace(reports.frame("m.py", 1, "f", "f()"), url=f"https://git.example.com/{'x' * 80}")
    assert "https" not in text_of(reports.report(reports.exception("E", "m", long)))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "up 0 s"), (119, "up 119 s"), (150, "up 2 minutes"), (7_300, "up 2 hours")],
)
def test_an_uptime_is_as_long_as_it_takes_to_read(seconds, words):
    sample = replace(reports.one_frame(), runtime=replace(reports.RUNTIME, uptime=seconds))
    assert words in text_of(sample)


WORD = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)


@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="needs a POSIX shell")
@settings(max_examples=60)
@given(st.lists(WORD, max_size=5))
def test_a_shell_takes_the_wrapped_command_for_the_same(words):
    lines = shell_lines(shlex.join(["printf", r"%s\0", "-H", *words]))
    assert max(map(len, lines)) <= 78
    done = subprocess.run(["/bin/sh", "-c", "\n".join(lines)], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in ["-H", *words])


def test_a_command_that_was_cut_is_wrapped_as_it_stands():
    assert shell_lines("curl 'https://x") == ["  curl 'https://x"]
