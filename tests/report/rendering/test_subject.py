"""The subject: type first, one line, harmless."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import reports
from errormail.report.rendering.subject import subject_line

ANY = st.text(st.characters(exclude_categories=()), max_size=300)
HOSTILE = st.lists(
    ANY
    | st.sampled_from(["=?utf-8?q?=0d=0aBcc:x?=", "=?", "?=", "=", "?", "\r\n", "\u2028", "\x85"])
).map("".join)


def raising(type_name, message, place=("shop/views.py", "order"), /, **changes):
    """Return a report of an exception that was raised at *place*: file and function."""
    file, function = place
    exc = reports.exception(type_name, message, reports.frame(file, 17, function))
    return reports.report(exc, **changes)


def test_prefix_type_message_and_place():
    assert subject_line(reports.checkout(), prefix="[shop] ") == (
        "[shop] PricingError: no rate from CHF to EUR in convert (shop/pricing/engine.py)"
    )


def test_without_a_message_there_is_no_colon():
    assert (
        subject_line(reports.report(reports.exception("KeyboardInterrupt", "")))
        == "KeyboardInterrupt"
    )


def test_the_file_alone_is_the_place_outside_of_functions():
    sample = raising("ValueError", "no date", ("nightly.py", "<module>"))
    assert subject_line(sample) == "ValueError: no date in nightly.py"


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        (10, "late in order (shop/views.py)"),
        (15, "late late in order"),
        (17, "late late"),
        (30, "late late..."),
    ],
)
def test_the_place_goes_first_where_there_is_no_room(words, ends):
    subject = subject_line(raising("ValueError", " ".join(["late"] * words)))
    assert subject.endswith(ends)
    assert len(subject) <= 100


@pytest.mark.parametrize("environment", ["", "production", "Production", "prod", "live"])
def test_production_is_not_named(environment):
    sample = raising("ValueError", "no date", environment=environment)
    assert subject_line(sample, prefix="[shop] ").startswith("[shop] ValueError")


@pytest.mark.parametrize(
    ("prefix", "begin"),
    [
        ("[shop] ", "[shop] [staging] ValueError: no date in"),
        ("[shop STAGING] ", "[shop STAGING] ValueError: no date in"),
        ("[shop-staging2] ", "[shop-staging2] [staging] ValueError: no date in"),
        ("", "[staging] ValueError: no date in"),
    ],
)
def test_any_other_environment_is_unless_the_prefix_does(prefix, begin):
    sample = raising("ValueError", "no date", environment="staging")
    assert subject_line(sample, prefix=prefix).startswith(begin)


def test_a_record_tells_its_environment_too():
    assert subject_line(reports.report(message="late", environment="test")) == "[test] ERROR: late"


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


def group(message, *names, frames=()):
    members = [reports.exception(name, f"{name} was it") for name in names]
    return reports.exception("ExceptionGroup", message, *frames, members=tuple(members))


IN_A_TASK_GROUP = "unhandled errors in a TaskGroup (2 sub-exceptions)"


def test_a_group_is_named_by_what_it_holds():
    assert subject_line(reports.group_alone()) == (
        "ExceptionGroup (DatabaseError, ValueError) in run (jobs/main.py)"
    )


def test_the_only_one_in_a_group_lends_it_message_and_place():
    leaf = reports.exception("KeyError", "'tea'", reports.frame("shop/price.py", 3, "price"))
    outer = reports.exception("ExceptionGroup", "unhandled errors in a TaskGroup (1 sub-exception)")
    sample = reports.report(
        replace(outer, members=(replace(group("x (1 sub-exception)"), members=(leaf,)),))
    )
    assert subject_line(sample) == "ExceptionGroup (KeyError): 'tea' in price (shop/price.py)"


def test_a_group_keeps_a_message_of_its_own():
    sample = reports.report(
        group("no source had it (2 sub-exceptions)", "KeyError", "TimeoutError")
    )
    assert subject_line(sample) == "ExceptionGroup (KeyError, TimeoutError): no source had it"


def test_order_and_number_of_the_members_change_nothing():
    one = group(IN_A_TASK_GROUP, "KeyError", "TimeoutError")
    other = group(
        "unhandled errors in a TaskGroup (3 sub-exceptions)", "TimeoutError", "KeyError", "KeyError"
    )
    assert subject_line(reports.report(one)) == subject_line(reports.report(other))


def test_of_many_types_the_first_are_named():
    sample = reports.report(group(IN_A_TASK_GROUP, "E5", "E4", "E3", "E2", "E1"))
    assert subject_line(sample) == "ExceptionGroup (E1, E2, E3 and 2 more)"


def test_the_place_of_a_recursion_is_not_where_python_gave_up():
    sample = reports.recursion()
    frames = sample.exception.frames
    later = replace(sample, exception=replace(sample.exception, frames=(*frames, frames[2])))
    assert subject_line(sample) == subject_line(later)
    assert subject_line(sample).endswith("in children (tree.py)")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("order 4711 not found", "order # not found"),
        ("no user 550e8400-e29b-41d4-a716-446655440000", "no user #"),
        ("<Order object at 0x7f3a12b4c0>", "<Order object at 0x#>"),
        ("no account for jane.doe+x@example.com", "no account for #"),
        ("'u-5512'", "'u-#'"),
        ("no charge ch_3MmlLrLkdIwHu7ix0snN0B15", "no charge ch_#"),
        ("commit 4f2c9d1 is gone", "commit # is gone"),
        ("closed at 2026-10-05T03:14:15.123Z", "closed at #"),
        ("(3, -4.5) is not in 1,204", "(#, #) is not in #"),
        ("did not answer within 2.0 s", "did not answer within # s"),
        ("holds 1000000.5 bytes", "holds # bytes"),
        # what never changes, and what a reader needs
        ("'cocoa'", "'cocoa'"),
        ("[Errno 111] Connection refused", "[Errno 111] Connection refused"),
        ("'utf-8' codec can't decode byte 0xff", "'utf-8' codec can't decode byte 0x#"),
        (
            "sha256 of x86_64 by psycopg2 over HTTP/1.1",
            "sha256 of x86_64 by psycopg2 over HTTP/1.1",
        ),
        (
            "invalid literal for int() with base 10: 'a'",
            "invalid literal for int() with base 10: 'a'",
        ),
    ],
)
def test_ids_and_numbers_do_not_change_it(message, shown):
    assert subject_line(reports.report(reports.exception("LookupError", message))) == (
        f"LookupError: {shown}"
    )


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("order 4711 of jane@example.com failed", "order # of jane@example.com failed"),
        ("no stock of 7", "no stock of 7"),
        ("job 9f86d081-884c-4d65-9a2f-eaa0c55ad015 died", "job # died"),
    ],
)
def test_ids_and_large_numbers_do_not_change_that_of_a_record(message, shown):
    assert subject_line(reports.report(message=message)) == f"ERROR: {shown}"


def test_a_status_stays_with_its_words():
    request = reports.request(status=503)
    sample = reports.report(message="503 Service Unavailable: GET /order/4711", request=request)
    assert subject_line(sample) == ("ERROR (EXTERNAL IP): 503 Service Unavailable: GET /order/#")


IDS = (
    st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.uuids().map(str)
    | st.uuids().map(lambda each: each.hex)
    | st.datetimes().map(lambda each: each.isoformat(timespec="seconds"))
    | st.integers(0x100, 1 << 128)
    .map(hex)
    .map(
        lambda each: (
            each[2:] if each[2].isdigit() and len(each) > 8 else each[2:].upper().rjust(12, "0")
        )
    )
    | st.builds(
        "{}{}{}".format,
        st.integers(100),
        st.from_regex("[A-Za-z]{2,9}", fullmatch=True),
        st.integers(100),
    )
)
WORDS = st.lists(
    st.sampled_from(
        ["no order", "'", "(", "[", "<", "at", "id=", "/", ": ", "user", ", ", "€", "\n"]
    ),
    min_size=1,
    max_size=4,
)


@given(st.data())
def test_it_is_the_same_for_a_group(data):
    """Whatever ids and numbers the message holds."""
    words = data.draw(st.lists(WORDS.map(" ".join), min_size=1, max_size=4))

    def message():
        return " ".join(f"{word} {data.draw(IDS)}" for word in words)

    one, other = (subject_line(raising("KeyError", message()), prefix="[shop] ") for _ in range(2))
    assert one == other


def test_a_long_message_is_cut_at_a_word():
    sample = reports.report(reports.exception("ValueError", "word " * 100))
    subject = subject_line(sample, prefix="[errormail] ")
    assert 80 < len(subject) <= 100
    assert subject.endswith("word...")


def test_a_long_prefix_leaves_room_for_the_type():
    subject = subject_line(reports.checkout(), prefix="[" + "x" * 200 + "] ")
    assert "PricingError" in subject
    assert len(subject) <= 100


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.booleans())
def test_it_is_one_bounded_line_that_decodes_to_itself(prefix, type_name, message, place, raised):
    """Whatever the texts are: no line break, no control character, no encoded word that a reader would decode."""
    frame = reports.frame(place, 1, place)
    exc = reports.exception(type_name, message, frame) if raised else None
    sample = reports.report(exc, level=type_name, message=message, environment=place)
    subject = subject_line(sample, prefix=prefix)
    assert len(subject) <= 100
    assert len(subject.splitlines()) <= 1
    assert "=?" not in subject
    mail = EmailMessage()
    mail["Subject"] = subject
    again = message_from_bytes(mail.as_bytes(), policy=default)
    assert again.keys() == ["Subject"]
    # Python may drop the space between two encoded words.
    assert "".join(again["Subject"].split()) == "".join(subject.split())
