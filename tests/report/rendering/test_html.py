"""The HTML part: everything in its place, nothing of the program's text as markup, never too big."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import cycle

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import reports
from actors.reports import AGAIN, FOOTER, NEW
from errormail.report.model import REDACTED, Elision, Report
from errormail.report.rendering.html import HTML_AIM, HTML_BOUND, render_html
from errormail.report.rendering.trim import encoded_size

ANY = st.text(st.characters(exclude_categories=()), max_size=120)
TEXT = ANY | st.sampled_from(
    ["</title><script>", "</pre><b>", '" onload="x', "<!--", "]]>", "&#60;b&#62;", "{}", "{0}"]
)

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td"}
ELEMENTS |= {"b", "h1", "h2", "h3", "span", "pre", "p", "br", "a"}
ATTRIBUTES = {"lang", "charset", "name", "content", "class", "style", "role", "width", "bgcolor"}
ATTRIBUTES |= {"cellpadding", "cellspacing", "border", "align", "valign", "colspan", "href"}
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
ATTACK = "<i id=x>\"'&"
"""No element of ours, no attribute of ours, and all that may end one."""


def html_of(sample, **more):
    return render_html(sample, frequency=more.pop("frequency", NEW), footer=FOOTER, **more).content


def parsed(html):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def shown(html):
    """Return the text that a reader sees, white space as single spaces."""
    body = parsed(html).find("body")
    body.remove(body.find("div"))  # the preheader
    return " ".join("".join(body.itertext()).split())


def node_texts(html):
    """Return the texts of a page one by one: what is apart for a reader is apart."""
    return [" ".join(text.split()) for text in parsed(html).find("body").itertext() if text.strip()]


def titles_of(html):
    return [(node.text or "").strip() for node in parsed(html).iter("h2")]


@pytest.fixture(scope="module", params=list(reports.SAMPLES))
def rendered(request):
    return render_html(reports.SAMPLES[request.param](), frequency=NEW, footer=FOOTER)


@pytest.mark.row("R12", "X8")
def test_only_our_elements_and_attributes_are_there(rendered):
    """No script, form, link, picture or `details`; locals are open."""
    nodes = list(parsed(rendered.content).iter())
    assert {node.tag for node in nodes} <= ELEMENTS
    assert {name for node in nodes for name in node.attrib} <= ATTRIBUTES


@pytest.mark.row("R12")
def test_locals_are_in_the_open():
    html = html_of(reports.checkout())
    assert "&lt;PricingEngine EUR, 3 prices&gt;" in html
    assert html.count("display:none") == 1  # the preheader


def test_it_is_never_over_its_bound(rendered):
    assert encoded_size(rendered.content) <= HTML_AIM


@pytest.mark.parametrize("name", ["giant", "worst"])
def test_no_bound_given_goes_over_what_gmail_shows(name):
    part = render_html(reports.SAMPLES[name](), bound=10**9)
    assert part.is_cut
    assert encoded_size(part.content) <= HTML_BOUND


def test_it_can_be_encoded_and_holds_no_control_character(rendered):
    rendered.content.encode()
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", rendered.content
    )


@pytest.mark.row("X8")
@settings(max_examples=25, deadline=None)
@given(TEXT, TEXT)
def test_whatever_the_texts_they_are_text(one, other):
    """In every field that a report has."""
    sample = reports.filled(Report, cycle([one + ATTACK, ATTACK + other, ATTACK]))
    for made in (sample, replace(sample, exception=None, request=None)):
        for bound in (60_000, 15_000):
            html = render_html(made, frequency=AGAIN, footer=one + ATTACK, bound=bound).content
            nodes = list(parsed(html).iter())
            assert {node.tag for node in nodes} <= ELEMENTS - {"a"}
            assert {name for node in nodes for name in node.attrib} <= ATTRIBUTES - {"href"}
            assert not UNSEEN.search("".join(parsed(html).itertext()))


LINKS = st.sampled_from(
    ["https://g.example/b/", "http://g/", "javascript:alert(1)//", "tel:+41", "//g/", "https:g", ""]
)


@settings(max_examples=200, deadline=None)
@given(LINKS, TEXT)
def test_only_a_plain_https_address_is_a_link(begin, end):
    url = begin + end
    one = replace(reports.frame("m.py", 3, "f", "f()"), url=url)
    html = html_of(reports.report(reports.exception("E", "m", one)))
    nodes = list(parsed(html).iter())
    assert {name for node in nodes for name in node.attrib} <= ATTRIBUTES
    links = {node.get("href") for node in nodes if node.tag == "a"}
    assert links <= {url}
    assert all(re.fullmatch(r"https://[!-~]+", link) for link in links)


@pytest.mark.row("R1")
def test_the_head_shows_type_path_message_and_notes():
    exc = replace(reports.checkout().exception, notes=("cart c-88213 is kept",))
    html = html_of(replace(reports.checkout(), exception=exc))
    tree = parsed(html)
    assert tree.find("head/title").text == "PricingError at /checkout/: no rate from CHF to EUR"
    assert [node.text for node in tree.iter("h1")] == ["PricingError"]
    text = shown(html)
    assert re.search(
        r"PricingError ?no rate from CHF to EUR ?cart c-88213 is kept ?at /checkout/ · shop, production",
        text,
    )


@pytest.mark.row("R4")
def test_the_failing_part_is_underlined_on_the_marked_line():
    html = html_of(reports.checkout())
    assert (
        '    raise <b style="text-decoration:underline">PricingError(f"no rate from {source} to {target}")</b> from exc'
        in html
    )
    assert html.count('class="m"') == 1


def test_the_values_of_the_failing_part_stand_below_the_source():
    assert "source: 'CHF' · target: 'EUR' · amount: Decimal('16.00')" in shown(
        html_of(reports.checkout())
    )


def test_the_most_recent_call_comes_first():
    text = shown(html_of(reports.checkout())).partition("most recent call first")[2]
    functions = [
        "PricingEngine.convert",
        "Retrying.__call__",
        "PricingEngine.line_total",
        "checkout",
        "Flask.wsgi_app",
        "Caused by",
    ]
    places = [text.index(function) for function in functions]
    assert places == sorted(places)


def test_sections_stand_in_the_order_of_the_design():
    titles = titles_of(html_of(reports.checkout()))
    assert titles == [
        "How often",
        "Request",
        "Logged",
        "Traceback",
        "Caused by",
        "Context",
        "Request details",
        "Environment",
    ]


def test_what_the_report_does_not_have_leaves_no_empty_block():
    titles = titles_of(render_html(reports.one_frame()).content)
    assert titles == ["Program", "Traceback", "Environment"]


def test_words_in_place_of_frames_point_the_other_way():
    assert "the 3 frames below, 331 times more" in shown(html_of(reports.recursion()))


def test_frames_that_a_cause_shares_are_not_shown_again():
    outer = reports.frame("m.py", 5, "main", "work()", "work()")
    cause = reports.exception("KeyError", "'x'", outer, reports.frame("m.py", 9, "inner", "d['x']"))
    exc = reports.exception("ValueError", "bad", outer, cause=cause, relation="cause")
    text = shown(html_of(reports.report(exc))).partition("Caused by")[2]
    assert "m.py:9" in text
    assert "1 frame shown already" in text
    assert "m.py:5" not in text


@pytest.mark.parametrize(
    ("relation", "title"), [("cause", "Caused by"), ("context", "While handling")]
)
def test_the_section_says_how_a_cause_led_to_it(relation, title):
    exc = replace(reports.checkout().exception, relation=relation)
    assert title in titles_of(html_of(reports.report(exc)))


def test_members_of_a_group_are_shown_with_what_led_to_them():
    text = shown(html_of(reports.group_alone()))
    for words in [
        "Exceptions in the group",
        "1 of 2 DatabaseError cannot connect",
        "replica 2 of 3",
        "caused by OSError",
        "while handling TypeError",
    ]:
        assert words in text


def test_a_redacted_value_is_a_neutral_token():
    html = html_of(reports.checkout())
    assert html.count("&nbsp;redacted&nbsp;") == 7
    assert REDACTED not in html.replace(f"key={REDACTED}", "")


def test_the_pill_says_new_only_where_it_is():
    assert ">&nbsp;NEW&nbsp;<" in html_of(reports.one_frame())
    again = html_of(reports.one_frame(), frequency=AGAIN)
    assert "NEW" not in again
    assert "1,204 times since this process started" in shown(again)
    assert "NEW" not in render_html(reports.one_frame()).content


def test_the_preheader_says_what_the_subject_does_not():
    for make in reports.SAMPLES.values():
        preheader = parsed(html_of(make())).find("body/div").text
        assert 40 <= len(preheader) <= 140
    assert parsed(html_of(reports.checkout())).find("body/div").text == (
        "shop/pricing/engine.py:45 in PricingEngine.convert · First time seen since this process started · POST /checkout/ · user u-5512"
    )


def test_a_warning_is_not_red():
    html = html_of(reports.report(None, level="WARNING", message="disk nearly full"))
    assert '<h1 class="w"' in html


def test_a_frame_without_source_says_so():
    html = html_of(reports.report(reports.exception("E", "m", reports.library("<string>", 1, "f"))))
    assert "the source is not available" in html
    assert "raised here" in html


def test_an_exception_without_frames_has_a_mail():
    assert "StopIteration" in shown(html_of(reports.report(reports.exception("StopIteration", ""))))


def test_a_frame_without_line_number_has_none():
    one = replace(reports.frame("m.py", 1, "f"), lineno=None)
    text = shown(
        html_of(
            reports.report(
                reports.exception("E", "m", one, Elision(frames=2, text="2 frames not shown"))
            )
        )
    )
    assert "m.py in f" in text
    assert "None" not in text


def test_a_request_says_who_asked():
    sample = replace(
        reports.checkout(), request=reports.request(internal=True, status=None, seconds=12.5)
    )
    assert (
        "failed after 12.5 s · user u-5512 · from 203.0.113.24 (internal) · route shop.checkout"
        in shown(html_of(sample))
    )


def test_an_upload_is_told_by_name_type_and_size():
    upload = reports.Upload(field="photo", filename="cat.png", content_type="image/png", size=1_234)
    sample = replace(
        reports.checkout(),
        request=reports.request(
            files=(upload,), notes=("body: only the first 65,536 bytes were kept",)
        ),
    )
    assert "cat.png, image/png, 1,234 bytes" in shown(html_of(sample))
    assert "only the first 65,536 bytes were kept" in shown(html_of(sample))


def test_long_values_messages_and_many_locals_are_cut_with_a_note():
    text = shown(html_of(reports.giant()))
    assert "… 3,896 more characters" in text
    assert "28 more local variables not shown" in text
    assert "180 more rows not shown" in shown(
        html_of(replace(reports.one_frame(), extra=reports.giant().extra))
    )


def test_every_cut_says_what_and_how_much():
    text = shown(html_of(reports.giant()))
    for words in [
        "frames not shown",
        "local variables not shown",
        "The whole report is attached: report.txt.",
    ]:
        assert words in text


def test_rows_go_to_their_names_before_anything_else_goes():
    fields = tuple(
        reports.Variable(name=f"x-field-{number}", value="v" * 200) for number in range(15)
    )
    request = reports.request(headers=(*reports.request().headers, *fields), cookies=fields)
    sample = replace(reports.checkout(), request=request)
    whole = encoded_size(html_of(sample))
    text = shown(html_of(sample, bound=whole - 2_000))
    assert "15 more rows, names only: x-field-0, x-field-1" in text
    assert "User-Agent" in text
    assert "<Cart c-88213: 3 lines>" in text


def test_locals_go_outermost_first_and_never_those_of_the_culprit_and_its_caller():
    text = shown(html_of(reports.checkout(), bound=34_000))
    assert "3 local variables not shown" in text
    assert (
        "'street': 'Bahnhofstrasse 12'"
        not in text.partition("Traceback")[2].partition("Caused by")[0]
    )
    assert "<PricingEngine EUR, 3 prices>" in text
    assert "Decimal('3.20')" in text


def test_the_middle_of_a_long_run_of_library_frames_goes():
    run = [reports.library(f"lib/m{number}.py", number, f"f{number}") for number in range(1, 19)]
    sample = reports.report(reports.exception("E", "m", reports.frame("a.py", 1, "f"), *run))
    whole = encoded_size(html_of(sample))
    text = shown(html_of(sample, bound=whole - 200))
    assert "14 library frames" in text
    assert [f"lib/m{number}.py" in text for number in (1, 2, 3, 16, 17, 18)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]


def test_members_beyond_the_fifth_are_down_to_one_line_before_the_others():
    members = tuple(
        reports.exception(
            "E", "m", *[reports.frame(f"{name}.py", line, "f", "x = 1") for line in range(1, 9)]
        )
        for name in "abcdefgh"
    )
    sample = reports.report(reports.exception("Group", "g", members=members))
    whole = encoded_size(html_of(sample))
    text = shown(html_of(sample, bound=whole - 10_000))
    assert text.count("(8 frames not shown)") == 3
    assert "8 of 8 E m (8 frames not shown)" in text


@pytest.mark.parametrize("bound", [20_000, 30_000])
def test_head_culprit_request_and_footer_outlast_every_cut(bound):
    part = render_html(reports.giant(), frequency=NEW, footer=FOOTER, bound=bound)
    assert encoded_size(part.content) <= bound
    text = shown(part.content)
    for words in [
        "Error0",
        "shop/deep/module_59.py:159",
        "First time seen",
        "POST https://shop.example.com/",
        "You get this because",
        "7f3a91c2d05e",
    ]:
        assert words in text


def test_a_small_report_is_not_cut():
    part = render_html(reports.checkout(), frequency=NEW, footer=FOOTER)
    assert not part.is_cut
    assert "report.txt" not in part.content


def test_what_stands_around_the_failure_is_shown():
    html = html_of(reports.everything())
    assert titles_of(html) == [
        "How often",
        "Request",
        "Logged",
        "Traceback",
        "Caused by",
        "Log before the error",
        "Context",
        "Cart",
        "Feature flags",
        "Request details",
        "Environment",
    ]
    text = " ".join(node_texts(html))
    for words in [
        "Log before the error last 6 of 41 lines",
        "03:14:13.871 INFO shop.orders checkout started for cart c-88213, 3 lines",
        "pid 4711, gunicorn: worker [shop], up 11 days, 212 MiB",
        "flask 3.1.3, httpx 0.28.1, tenacity 9.1.2",
        "request 01J9Z3W5Q2T8 · trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "Repeat it curl 'https://shop.example.com/checkout/?step=3' -X POST -H 'Referer:",
    ]:
        assert words in text


def test_frames_of_the_application_are_links_to_their_source():
    nodes = list(parsed(html_of(reports.everything())).iter("a"))
    assert {node.text for node in nodes} >= {"shop/pricing/engine.py:45", "shop/orders/views.py:17"}
    assert nodes[0].get("href") == (
        "https://git.example.com/shop/blob/2026.10.4/shop/pricing/engine.py#L45"
    )


def test_a_record_without_exception_shows_who_logged_it():
    html = html_of(reports.record_with_calls())
    assert titles_of(html)[:4] == ["How often", "Logged", "Call stack", "Log before the error"]
    text = shown(html)
    assert "shop/payments.py:71 in Payments.charge" in text
    assert "status: 503" in text
    assert "logged here, source above" in text
    assert "the source has changed since it was loaded" in text
    assert "the frame below, 8 times more" in text


def test_a_group_is_called_after_what_is_in_it():
    text = " ".join(node_texts(html_of(reports.group_alone())))
    assert (
        "ExceptionGroup (DatabaseError, ValueError) DatabaseError: cannot connect, at jobs/db.py:8"
        in text
    )
    assert text.index("unhandled errors in a TaskGroup") > text.index("most recent call first")


def test_of_a_large_group_the_head_names_the_first():
    members = tuple(reports.exception(f"Error{number}", "m") for number in range(9))
    html = html_of(reports.report(reports.exception("Group", "all of it", members=members)))
    text = " ".join(node_texts(html))
    assert "all of it Error0: m Error1: m Error2: m and more" in text


def test_a_frame_that_ran_with_other_values_is_shown_again():
    members = tuple(
        reports.exception("E", "m", reports.frame("m.py", 3, "f", "f(x)", x=value))
        for value in "ab"
    )
    text = shown(html_of(reports.report(reports.exception("Group", "g", members=members))))
    assert text.count("m.py:3") == 4  # two in the head
    assert "shown already" not in text


def test_a_statement_over_lines_that_failed_as_a_whole_is_not_underlined():
    block = replace(
        reports.frame("m.py", 3, "f", "    with a:"),
        source=("    with a:", "        b()"),
        colno=4,
        end_lineno=4,
        end_colno=11,
    )
    html = html_of(reports.report(reports.exception("E", "m", block)))
    assert "underline" not in html
    assert html.count('class="m"') == 2


def test_a_crash_of_one_frame_in_a_request_takes_20_kb():
    everything = reports.everything()
    sample = replace(
        everything,
        exception=reports.linked(reports.one_frame().exception),
        message="",
        logger="",
        call_site="",
        context=(),
        log=reports.LOG[:2],
        sections=(),
    )
    assert encoded_size(html_of(sample)) <= 20_000


def test_a_recursion_without_end_takes_20_kb():
    sample = replace(reports.recursion(), log=reports.LOG, log_omitted=44)
    sample = replace(sample, exception=reports.linked(sample.exception))
    assert encoded_size(html_of(sample)) <= 20_000
