"""HTML that escapes unless told not to."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.rendering.markup import EMPTY, Markup, Template, escape, join, lines

ANY = st.text(st.characters(exclude_categories=()), max_size=200)
HOSTILE = st.lists(
    st.one_of(
        ANY,
        st.sampled_from(
            ["<", ">", "&", '"', "'", "</b>", "<script>", "{}", "&lt;", "-->", "\x00", "\r"]
        ),
    )
).map("".join)


def elements(html):
    tree = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    return [(node.tag, dict(node.attrib)) for node in tree.iter() if node is not tree]


@pytest.mark.row("X8")
@given(HOSTILE)
def test_no_element_or_attribute_comes_from_a_value(text):
    html = Template('<b title="{}">{}</b>')(text, text)
    ((tag, attributes),) = elements(html)
    assert tag == "b"
    assert list(attributes) == ["title"]


@given(HOSTILE)
def test_what_shows_is_the_text_itself_made_visible(text):
    from errormail.report.visible import visible

    tree = html5lib.parseFragment(escape(text), namespaceHTMLElements=False)
    assert "".join(tree.itertext()) == visible(text)


def test_markup_is_not_escaped_twice():
    assert Template("<i>{}</i>")(Template("<b>{}</b>")("<")) == "<i><b>&lt;</b></i>"
    assert escape(EMPTY) is EMPTY


def test_markup_and_text_added_are_text_again():
    assert escape(Markup("<b>") + "<") == "&lt;b&gt;&lt;"


def test_too_few_or_too_many_values_are_refused():
    with pytest.raises(ValueError, match="zip"):
        Template("{}{}")("one")
    with pytest.raises(ValueError, match="zip"):
        Template("{}")("one", "two")


def test_joined_pieces_and_their_separator_are_escaped():
    assert join(["<", Markup("<br>")], "&") == "&lt;&amp;<br>"


def test_line_breaks_and_indentation_are_kept():
    assert lines("a\n  b<\nc") == "a<br>&nbsp;&nbsp;b&lt;<br>c"
    assert lines("a < b") == "a &lt; b"
