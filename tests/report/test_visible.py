"""What cannot be seen becomes an escape that can."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.visible import one_line, shorten, visible

ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x00", "\\x00"),
        ("\x92", "\\x92"),
        ("abc\u202edef", "abc\\u202edef"),
        ("a\u200bb", "a\\u200bb"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\U0001ffff", "\\U0001ffff"),
        ("a\rb", "a\\rb"),
        ("Grüße, 東京 🦊", "Grüße, 東京 🦊"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_invisible_characters_show_as_escapes(text, shown):
    assert visible(text) == one_line(text) == shown


def test_line_feeds_stay_and_tabs_become_spaces():
    assert visible("a\r\n\tb\n") == "a\n    b\n"


def test_on_one_line_a_line_feed_shows_as_people_write_it():
    assert one_line("a\nb\r\nc\td") == "a\\nb\\r\\nc d"


@given(ANY)
def test_one_line_is_one_line_for_every_way_to_split(text):
    assert len(one_line(text).splitlines()) <= 1


@given(ANY)
def test_no_control_or_direction_character_is_left(text):
    left = {unicodedata.bidirectional(char) for char in visible(text)}
    assert not left & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert {char for char in visible(text) if unicodedata.category(char) == "Cc"} <= {"\n"}
    visible(text).encode()


@given(ANY)
def test_what_is_visible_stays_as_it_is(text):
    assert visible(visible(text)) == visible(text)


@given(ANY, st.integers(0, 200))
def test_shortened_text_is_never_longer(text, chars):
    assert len(shorten(text, chars)) <= max(chars, 0)


def test_text_is_shortened_at_a_word():
    assert shorten("the quick brown fox jumps", 20) == "the quick brown..."
    assert shorten("x" * 30, 10) == "xxxxxxx..."
    assert shorten("short", 10) == "short"
