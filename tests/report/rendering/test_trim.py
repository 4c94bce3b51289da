"""A document whose parts go in a stated order until it fits."""

from __future__ import annotations

import quopri

from hypothesis import given
from hypothesis import strategies as st

from errormail.report.rendering.trim import Draft, Step, begin, encoded_size

PART = st.text("ab", min_size=1, max_size=30)
STEPS = st.sampled_from(list(Step))


def draft_of(*texts):
    draft = Draft(len)
    draft.add(*texts)
    return draft


def test_nothing_is_cut_from_what_fits():
    draft = draft_of("abc")
    draft.add("def")
    draft.may_cut(1, Step.ROWS, "-")
    draft.fit(6)
    assert (str(draft), draft.is_cut) == ("abcdef", False)


def test_steps_go_in_order_and_only_as_many_as_needed():
    draft = Draft(len)
    for step, text in [(Step.DETAILS, "detail"), (Step.ROWS, "rowrow"), (Step.LOCALS, "locals")]:
        start = draft.position
        draft.add(text)
        draft.may_cut(start, step, "-")
    draft.fit(13)
    assert (str(draft), draft.is_cut) == ("detail-locals"[:7] + "locals", True)
    draft.fit(8)
    assert str(draft) == "detail--"


def test_within_a_step_the_lowest_rank_goes_first():
    draft = Draft(len)
    for rank, text in [(2, "second"), (1, "first.")]:
        start = draft.position
        draft.add(text)
        draft.may_cut(start, Step.LOCALS, "-", rank=rank)
    draft.fit(8)
    assert str(draft) == "second-"


def test_a_stretch_within_one_that_is_gone_is_gone():
    draft = draft_of("head ")
    start = draft.position
    draft.add("inner inner ")
    draft.may_cut(start, Step.SECTIONS, "i")
    draft.add("more more ")
    draft.may_cut(start, Step.ROWS, "[both]")
    draft.fit(0)
    assert str(draft) == "head [both]"


def test_a_stretch_is_not_replaced_by_longer_words():
    draft = draft_of("ab")
    draft.may_cut(0, Step.ROWS, "2 letters not shown")
    draft.fit(1)
    assert (str(draft), draft.is_cut) == ("ab", False)


def test_an_empty_stretch_leaves_no_words():
    draft = draft_of("ab")
    draft.may_cut(draft.position, Step.ROWS, "0 rows")
    draft.fit(0)
    assert str(draft) == "ab"


def test_a_part_can_be_replaced_after_fitting():
    draft = draft_of("a", "bb")
    draft.replace(1, "c")
    assert str(draft) == "ac"


def test_shortened_text_tells_how_much_is_missing():
    draft = Draft(len)
    assert draft.shorten("abc", 3) == "abc"
    assert not draft.is_cut
    assert draft.shorten("abcd", 3) == "abc… 1 more character"
    assert draft.is_cut
    assert begin("x" * 2_000, 1) == "x… 1,999 more characters"


def test_of_many_values_the_first_stay():
    draft = Draft(len)
    assert draft.first([1, 2], 2) == [1, 2]
    assert not draft.is_cut
    assert draft.first([1, 2, 3], 2) == [1, 2]
    assert draft.is_cut


@given(st.lists(st.tuples(PART, st.none() | STEPS)), st.integers(0, 200))
def test_protected_parts_stay_and_the_rest_fits(parts, room):
    """Over the bound only by what may not go."""
    draft = Draft(len)
    for text, step in parts:
        start = draft.position
        draft.add(text)
        if step is not None:
            draft.may_cut(start, step, "")
    protected = [text for text, step in parts if step is None]
    bound = len("".join(protected)) + room
    draft.fit(bound)
    assert len(str(draft)) <= bound
    left = iter(str(draft))
    assert all(char in left for char in "".join(protected))
    assert draft.is_cut == (str(draft) != "".join(text for text, _ in parts))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))))
def test_the_size_counted_bounds_both_sizes(parts):
    """Counted part by part it is never less than what stands in the mail."""
    text = "".join(parts)
    encoded = quopri.encodestring(text.encode()).replace(b"\n", b"\r\n")
    assert sum(map(encoded_size, parts)) >= max(len(encoded), len(text.encode())) - 3
