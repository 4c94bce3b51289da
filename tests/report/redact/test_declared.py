"""REDACT, REDACT_ALLOW and REDACT_MODE: what a program says of names."""

from __future__ import annotations

import re

import pytest

from errormail.report.model import REDACTED
from errormail.report.redact import Redactor
from errormail.report.redact.declared import declared_by


def redactor(*hidden, shown=(), only_shown=False):
    return Redactor(declared=declared_by(hidden, shown, only_shown=only_shown))


@pytest.mark.parametrize("declared", ["customer_no", "customer-no", "customerNo", "CUSTOMER NO"])
@pytest.mark.parametrize(
    "name",
    ["customer_no", "customerNo", "CustomerNo", "CUSTOMER-NO", "old_customer_no", "customerno",
     "customer_no_2", "customerNo2", "X-Customer-No", "order.customer.no"],
)  # fmt: skip
def test_a_name_is_found_as_a_run_of_words_in_any_spelling(declared: str, name: str) -> None:
    assert redactor(declared).hides(name)


@pytest.mark.parametrize(
    "name", ["customer_note", "customer", "no", "no_customer", "subcustomerno"]
)
def test_other_names_stay(name: str) -> None:
    assert not redactor("customer_no").hides(name)


def test_names_of_digits_and_signs_are_names() -> None:
    assert redactor("4711").hides("4711")
    assert redactor("§").hides("§")
    assert redactor("größe").hides("kunden_größe")


def test_a_declared_name_hides_in_texts_and_in_source() -> None:
    own = redactor("customer_no")
    assert own.text("customerNo=4711, a=1") == f"customerNo={REDACTED}, a=1"
    assert own.source('CUSTOMER_NO = "4711"') == f'CUSTOMER_NO = "{REDACTED}"'


def test_a_pattern_hides_names_and_what_it_finds_in_a_text() -> None:
    own = redactor(re.compile(r"^kd|KD-\d+"))
    assert own.hides("kdnr")
    assert own.text("no KD-4711 here") == f"no {REDACTED} here"
    assert own.value("note", "see KD-1") == f"see {REDACTED}"
    assert own.text(own.text("KD-1 KD-2")) == f"{REDACTED} {REDACTED}"


def test_a_pattern_that_finds_a_part_of_a_name_hides_its_value_all_the_same() -> None:
    own = redactor(re.compile("^shade_"))
    assert "navy" not in own.text("shade_of_blue=navy")
    assert "navy" not in own.source("shade_of_blue = 'navy'")


@pytest.mark.parametrize("pattern", [r"x*", r"[a-z]+", r"\b", r"$", r"\[.*"])
def test_no_pattern_makes_a_text_go_on_changing(pattern: str) -> None:
    own = redactor(re.compile(pattern))
    once = own.text("some text, and more")
    assert own.text(once) == once


@pytest.mark.parametrize(
    "shown", ["session_count_key", "sessionCountKey", re.compile(r"(?i)session.count.key")]
)
def test_an_exception_is_shown_in_any_spelling(shown: object) -> None:
    own = redactor(shown=[shown])
    assert not own.hides("session_count_key")
    assert not own.hides("Session-Count-Key")
    assert own.hides("old_session_count_key")
    assert own.text("session_count_key=5, key=6") == f"session_count_key=5, key={REDACTED}"


def test_an_exception_beats_names_and_nothing_else() -> None:
    own = redactor("token", shown=["token"])
    assert not own.hides("token")
    assert own.value("token", "4111111111111111") == REDACTED
    assert own.with_values(["hunter2hunter2"]).value("token", "hunter2hunter2") == REDACTED
    assert own.with_names(["token"]).hides("token")


def test_an_allowlist_hides_each_other_name() -> None:
    own = redactor(shown=["city", re.compile("order_.*")], only_shown=True)
    assert not own.hides("city")
    assert not own.hides("order_id")
    assert own.hides("street")
    assert own.hides("")
    assert not own.hides("...")
    assert not own.hides("order_.city")
    assert own.text("Address(city='Bern', street='Gasse 1')") == (
        f"Address(city='Bern', street='{REDACTED}')"
    )
    assert own.text("/a?city=Bern&street=x") == f"/a?city=Bern&street={REDACTED}"


@pytest.mark.parametrize(
    "text", ["ValueError: invalid literal: 'abc'", "ERROR shop: no route from Bern", "it is 7:30"]
)
def test_with_an_allowlist_prose_stays_readable(text: str) -> None:
    own = redactor(shown=["city"], only_shown=True)
    assert own.text(text) == text
    assert own.text(f"{text} password: hunter2").endswith(f"password: {REDACTED}")


def test_with_an_allowlist_source_stays_readable() -> None:
    own = redactor(only_shown=True)
    assert own.source('street = "x"; password = "y"') == f'street = "x"; password = "{REDACTED}"'


def test_what_an_allowlist_hides_is_no_secret_elsewhere() -> None:
    own = redactor(only_shown=True)
    assert own.hides("street")
    assert not own.denies("street")
    assert not own.denying.hides("street")
    assert own.denies("password")


def test_many_names_do_not_fill_the_memory() -> None:
    own = declared_by(["customer_no"])
    for number in range(10_000):
        own.judge(f"name{number}")
    assert len(own._judged) <= 4_096
