"""A value that is known is found wherever and however it stands; to look for hundreds costs little."""

from __future__ import annotations

import base64
import html
import json
import random
import string
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.model import REDACTED
from errormail.report.redact import known
from errormail.report.redact.known import NO_VALUES, KnownValues, forms_of, is_telling

VALUES = st.text(min_size=8, max_size=60).filter(is_telling)
AROUND = st.text("abc /=+.,:'", max_size=40)


def known_values(*values: str) -> KnownValues:
    return NO_VALUES.with_values(values)


@given(VALUES, AROUND, AROUND)
def test_a_value_is_replaced_wherever_it_stands(value: str, before: str, after: str) -> None:
    found = known_values(value).replaced_in(f"{before}{value}{after}")
    assert value not in found.replace(REDACTED, "\0")
    assert REDACTED in found


@given(VALUES)
def test_a_value_is_found_in_each_form(value: str) -> None:
    data = value.encode("utf-8", "surrogatepass")
    texts = [
        *(repr(value)[1:-1], repr(data)[2:-1], json.dumps(value)[1:-1], html.escape(value)),
        *(quote(data, safe=""), quote(data), quote_plus(data), data.hex(), data.hex().upper()),
        *(repr(repr(value)[1:-1])[1:-1], json.dumps(json.dumps(value)[1:-1])[1:-1]),
    ]
    for text in texts:
        if is_telling(text):
            assert known_values(value).replaced_in(f"<{text}>") == f"<{REDACTED}>"


@given(
    st.text(string.printable, min_size=8, max_size=60).filter(is_telling),
    st.binary(max_size=20),
    st.binary(max_size=20),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_a_value_within_a_longer_text_in_base64_is_found(value, before, after, encode):
    coded = encode(before + value.encode() + after).decode()
    assert known_values(value).replaced_in(f"x: {coded}, y") == f"x: {REDACTED}, y"


def test_the_base64_of_user_and_password_is_known_by_the_password() -> None:
    for user in ("bob", "jane", "admin"):
        coded = base64.b64encode(f"{user}:hunter2hunter2".encode()).decode()
        assert known_values("hunter2hunter2").replaced_in(coded) == REDACTED


def test_a_long_value_is_found_also_where_it_was_cut() -> None:
    value = "".join(random.Random(1).choices(string.ascii_letters, k=3_000))
    values = known_values(value)
    assert values.replaced_in(f"<{value}>") == f"<{REDACTED}>"
    assert values.replaced_in(value[:1_024]) == REDACTED
    assert values.longest < 600


@pytest.mark.parametrize(
    "value",
    ["short", "password", "postgres", "********", "redacted", "[redacted]", "Anonymous", ""],
)
def test_short_values_and_words_that_are_everywhere_are_none(value: str) -> None:
    assert known_values(value) is NO_VALUES


def test_neighbours_and_overlaps_become_one() -> None:
    values = known_values("abcdefgh1", "fgh1-and-more", "abcdefgh1-and-more")
    assert values.replaced_in("<abcdefgh1-and-more>") == f"<{REDACTED}>"
    assert values.replaced_in("abcdefgh1abcdefgh1") == REDACTED


def test_nothing_is_found_across_what_was_redacted() -> None:
    values = known_values("d]secret12")
    assert values.replaced_in(f"{REDACTED}secret12") == f"{REDACTED}secret12"


def test_further_values_keep_what_was_compiled() -> None:
    first = known_values("hunter2hunter2")
    second = first.with_values(["correct-horse"])
    assert second.indexes[0] is first.indexes[0]
    assert second.with_values(["hunter2hunter2", "short"]) is second
    many = second
    for number in range(10):
        many = many.with_values([f"another-secret-{number}"])
    assert len(many.indexes) <= 3
    for value in ("hunter2hunter2", "correct-horse", "another-secret-0", "another-secret-9"):
        assert many.replaced_in(value) == REDACTED


def test_values_are_not_in_a_repr() -> None:
    assert "hunter2" not in repr(known_values("hunter2hunter2"))


def test_values_are_bounded_in_number() -> None:
    assert len(known_values(*(f"value-number-{index}" for index in range(2_000))).values) == 500


def test_a_text_that_is_made_to_cost_time_is_hidden() -> None:
    """400 values that are alike wherever one looks, and a text of nothing else."""
    values = known_values(*("abc" * (3 + number) for number in range(400)))
    assert values.replaced_in("abc" * 5_000) == REDACTED


class Counting(dict[str, object]):
    """Counts look-ups."""

    asked = 0

    def get(self, key, default=None):
        Counting.asked += 1
        return dict.get(self, key, default)


def test_a_text_is_looked_at_in_every_fourth_place_only_and_that_only_if_it_may_hold_a_value() -> (
    None
):
    values = known_values("hunter2hunter2")
    index = values.indexes[0]
    index.runs = Counting(index.runs)
    Counting.asked = 0
    assert not values.occur_in("nothing to be seen in here " * 100)
    assert values.replaced_in("nothing " * 100) == "nothing " * 100
    assert Counting.asked == 0
    values.replaced_in("nothing " * 100 + "hunter2hunter2")
    assert 200 <= Counting.asked <= 205


@given(st.integers(0, 40), st.integers(0, 5))
def test_a_value_is_found_in_a_text_of_any_length(offset: int, chunks: int) -> None:
    at = chunks * known._CHUNK + offset - 20
    text = "-" * max(at, 0) + "hunter2hunter2" + "-" * 30_000
    values = known_values("hunter2hunter2")
    assert values.occur_in(text)
    assert "hunter2" not in values.replaced_in(text)


def test_a_value_of_letters_has_few_forms() -> None:
    assert len({form for form, _ in forms_of("Hunter2Hunter2")}) == 6
