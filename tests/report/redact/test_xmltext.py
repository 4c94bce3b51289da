"""What stands in hidden elements of XML is found and replaced, in whatever shape the XML is."""

from __future__ import annotations

import time
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.redact.xmltext import unescaped, without_hidden_elements


def shown(text):
    return without_hidden_elements(text, DEFAULT_REDACTOR.hides)


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        ("<a><user>jane</user><pin>1234</pin></a>", f"<a><user>jane</user><pin>{REDACTED}</pin></a>", ["1234"]),
        ("<w:Password T='text'>abc</w:Password>", f"<w:Password {REDACTED}>{REDACTED}</w:Password>", ["text", "abc"]),
        ("<password><![CDATA[a<b]]></password>", f"<password>{REDACTED}</password>", ["a<b"]),
        ("<auth><u>jane</u> <p>abc</p></auth><b>x</b>", f"<auth><u>{REDACTED}</u><p>{REDACTED}</p></auth><b>x</b>", ["jane", "abc"]),
        ('<token value="abc"/>x', f"<token {REDACTED}/>x", ["abc"]),
        ("<token/>x", "<token/>x", []),
        ("<token value=abc />x", f"<token {REDACTED}/>x", ["abc"]),
        ("<password>cut off", f"<password>{REDACTED}", ["cut off"]),
        ("<password>a</b>c</password>d", f"<password>{REDACTED}</b>{REDACTED}</password>d", ["a", "c"]),
        ("<a><password>b</a>c", f"<a><password>{REDACTED}</a>c", ["b"]),
        ("<password><!-- x -->a</password>", f"<password>{REDACTED}</password>", ["a"]),
        ("<!-- <password> -->shown", "<!-- <password> -->shown", []),
        ("<![CDATA[<password>]]>shown", "<![CDATA[<password>]]>shown", []),
        ("no XML < at > all", "no XML < at > all", []),
        ('<?xml version="1.0"?><!DOCTYPE a><a/>', '<?xml version="1.0"?><!DOCTYPE a><a/>', []),
        ("", "", []),
    ],
)  # fmt: skip
def test_hidden_elements_lose_their_content(text, expected, found):
    assert shown(text) == (expected, found)
    assert shown(expected)[0] == expected


def test_what_is_too_deep_is_hidden():
    text = "<a>" * 300 + "deep" + "</a>" * 300 + "<b>shown</b>"
    assert shown(text) == (text.replace("deep", REDACTED), ["deep"])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a&lt;b&amp;lt;", "a<b&lt;"),
        ("&#65;&#x42;&quot;&apos;&gt;", "AB\"'>"),
        ("&#xD800;&#9999999;&unknown;&", "&#xD800;&#9999999;&unknown;&"),
    ],
)
def test_references_stand_for_characters(text, plain):
    assert unescaped(text) == plain


TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]),
    min_size=1,
)
NAME = st.sampled_from(["a", "user", "password", "Envelope", "api-key", "x.token"])
TREE = st.recursive(
    TEXT, lambda inner: st.lists(st.tuples(NAME, inner), min_size=1, max_size=4), max_leaves=10
)


def written(tree):
    if isinstance(tree, str):
        return escape(tree)
    return "".join(f"<{name}>{written(inner)}</{name}>" for name, inner in tree)


def expected(tree, hidden=False):
    if isinstance(tree, str):
        return REDACTED if hidden else escape(tree)
    return "".join(
        f"<{name}>{expected(inner, hidden or DEFAULT_REDACTOR.hides(name))}</{name}>"
        for name, inner in tree
    )


@given(st.lists(st.tuples(NAME, TREE), min_size=1, max_size=3))
def test_of_well_formed_xml_all_is_hidden_that_should_be_and_nothing_else(tree):
    text = written([("root", tree)])
    ET.fromstring(text)
    assert shown(text)[0] == expected([("root", tree)])


@given(
    st.lists(
        st.sampled_from(
            ["<", ">", "/", "a", "password", "<![CDATA[", "]]>", "<!--", "-->", '"', " "]
        )
    )
)
def test_whatever_comes_the_second_pass_changes_nothing(pieces):
    once = shown("".join(pieces))[0]
    assert shown(once)[0] == once


@pytest.mark.parametrize(
    "piece", ["<a>", "<password>", "<!--", "<![CDATA[", "<a ", "<", "</a>", '<a b="', "<a/>", "]]>"]
)
def test_a_long_text_takes_linear_time(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        start = time.process_time()
        shown(text)
        return time.process_time() - start

    assert seconds(200_000) < 1.5
