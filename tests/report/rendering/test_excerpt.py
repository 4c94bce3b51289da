"""The source lines around a failure, and which part of them failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.model import Frame
from errormail.report.rendering.excerpt import SourceLine, excerpt, failing_lines


def at(source, lineno, *, first=1, **more):
    return Frame(
        module="m",
        function="f",
        filename="m.py",
        lineno=lineno,
        first_lineno=first,
        source=tuple(source),
        **more,
    )


def numbers(frame):
    return [line.number for line in excerpt(frame)]


BODY = [
    "def f(x):",
    "    a = 1",
    "    b = 2",
    "    c = x / 0",
    "    d = 4",
    "    e = 5",
    "    f = 6",
]


def test_two_lines_before_and_after_are_shown():
    assert numbers(at(BODY, 4)) == [2, 3, 4, 5, 6]


def test_where_fewer_lines_follow_more_come_before():
    assert numbers(at(BODY, 7)) == [3, 4, 5, 6, 7]


def test_it_begins_with_the_function_and_ends_with_it():
    source = [
        "def before():",
        "    return 1",
        "",
        "@cached",
        "def f(x):",
        "    return x / 0",
        "",
        "@cached",
        "async def after():",
    ]
    assert numbers(at(source, 6)) == [4, 5, 6]
    assert numbers(at(source[:3] + source[4:], 5)) == [4, 5]


def test_a_function_within_the_function_does_not_end_it():
    source = ["def f():", "    def g():", "        return 1", "    return g() / 0"]
    assert numbers(at(source, 4)) == [1, 2, 3, 4]
    module = ["def g():", "    return 1", "g() / 0", "def h():", "    pass"]
    assert numbers(at(module, 3)) == [1, 2, 3, 4, 5]


def test_lines_are_dedented_together():
    assert [line.text for line in excerpt(at(BODY, 3))] == [
        "def f(x):",
        "    a = 1",
        "    b = 2",
        "    c = x / 0",
        "    d = 4",
    ]
    assert next(line.text for line in excerpt(at(BODY, 5))) == "b = 2"


def test_blank_lines_at_the_ends_are_left_out():
    assert numbers(at(["", "x = 1", "", ""], 2)) == [2]


def test_without_source_there_is_nothing():
    assert excerpt(at([], 3)) == []
    assert excerpt(at(["x"], 9)) == []
    assert excerpt(at(["   "], 1)) == []
    assert failing_lines(at([], 3)) == []


@pytest.mark.row("R4")
def test_the_failing_part_is_that_of_the_position():
    (line,) = failing_lines(at(BODY, 4, end_lineno=4, colno=8, end_colno=13))
    assert line.text[line.start : line.end] == "x / 0"


def test_without_a_position_the_line_fails_as_a_whole():
    (line,) = failing_lines(at(BODY, 4))
    assert (line.failing, line.start, line.end) == (True, 0, 0)


def test_an_expression_over_lines_fails_on_each_of_them():
    source = ["    x = call(", "        1,", "    )"]
    lines = failing_lines(at(source, 1, end_lineno=3, colno=8, end_colno=5))
    assert [line.text[line.start : line.end] for line in lines] == ["call(", "1,", ")"]


def test_of_a_very_long_expression_five_lines_are_shown():
    source = ["x = call(", *["    1,"] * 20, ")"]
    assert len(failing_lines(at(source, 1, end_lineno=22, colno=4, end_colno=1))) == 5


def test_control_characters_move_the_failing_part_along():
    line = SourceLine(1, "a\x1bb = c()", failing=True, start=6, end=9).visible()
    assert line.text[line.start : line.end] == "c()"
    assert line.text == "a\\x1bb = c()"


@given(st.text("abc ", min_size=1, max_size=300), st.data(), st.integers(20, 80))
def test_a_clipped_line_fits_and_keeps_the_failing_part_in_view(text, data, chars):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    clipped = SourceLine(1, text, failing=True, start=start, end=end).clipped(chars)
    assert len(clipped.text) <= chars
    assert 0 <= clipped.start <= clipped.end <= chars
    part = clipped.text[clipped.start : clipped.end].removesuffix("...")
    assert text[start:end].startswith(part[: chars - 14])


@given(
    st.lists(st.text("ab \t", max_size=8), max_size=9),
    st.integers(-2, 12),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9),
)
def test_no_position_raises(source, lineno, end_lineno, colno, end_colno):
    """Positions may be stale: the file can have changed since the program was started."""
    for line in excerpt(
        at(source, lineno, end_lineno=end_lineno, colno=colno, end_colno=end_colno)
    ):
        assert 0 <= line.start <= line.end <= len(line.text)
