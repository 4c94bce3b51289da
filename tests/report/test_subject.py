"""The subject: type first, one line, harmless."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import reports
from errormail.report.subject import subject_line

ANY = st.text(st.characters(exclude_categories=()), max_size=300)
HOSTILE = st.lists(
    ANY
    | st.sampled_from(["=?utf-8?q?=0d=0aBcc:x?=", "=?", "?=", "=", "?", "\r\n", "\u2028", "\x85"])
).map("".join)


def test_type_and_message_follow_the_prefix():
    sample = reports.checkout()
    assert subject_line(sample, prefix="[shop] ") == "[shop] PricingError: no rate from CHF to EUR"


def test_without_a_message_there_is_no_colon():
    assert (
        subject_line(reports.report(reports.exception("KeyboardInterrupt", "")))
        == "KeyboardInterrupt"
    )


@pytest.mark.row("H4")
@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        (None, "CRITICAL: payment"),
        (reports.request(internal=True), "CRITICAL (internal IP): payment"),
        (reports.request(), "CRITICAL (EXTERNAL IP): payment"),
    ],
)
def test_a_record_without_an_exception_has_djangos_subject(request_, subject):
    sample = reports.report(None, level="CRITICAL", message="payment", request=request_)
    assert subject_line(sample) == subject


@pytest.mark.row("H5")
def test_line_ends_show_as_they_are_written():
    sample = reports.report(None, message="one\ntwo\r\nthree")
    assert subject_line(sample) == "ERROR: one\\ntwo\\r\\nthree"


def test_a_group_is_named_by_what_it_holds():
    assert subject_line(reports.group_alone()) == (
        "ExceptionGroup: unhandled errors in a TaskGroup (DatabaseError, ValueError)"
    )


def test_a_long_message_is_cut_at_a_word():
    sample = reports.report(reports.exception("ValueError", "word " * 100))
    subject = subject_line(sample, prefix="[errormail] ")
    assert 80 < len(subject) <= 100
    assert subject.endswith("word...")


def test_a_long_prefix_leaves_room_for_the_type():
    subject = subject_line(reports.checkout(), prefix="[" + "x" * 200 + "] ")
    assert "PricingError" in subject
    assert len(subject) <= 100


@given(HOSTILE, HOSTILE, HOSTILE, st.booleans())
def test_it_is_one_bounded_line_that_decodes_to_itself(prefix, type_name, message, raised):
    """Whatever the texts are: no line break, no control character, no encoded word that a reader would decode."""
    exc = reports.exception(type_name, message) if raised else None
    subject = subject_line(reports.report(exc, level=type_name, message=message), prefix=prefix)
    assert len(subject) <= 100
    assert len(subject.splitlines()) <= 1
    assert "=?" not in subject
    mail = EmailMessage()
    mail["Subject"] = subject
    again = message_from_bytes(mail.as_bytes(), policy=default)
    assert again.keys() == ["Subject"]
    # Python may drop the space between two encoded words.
    assert "".join(again["Subject"].split()) == "".join(subject.split())
