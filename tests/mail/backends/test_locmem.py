"""The backend that keeps messages in memory, for tests."""

from __future__ import annotations

import pytest

from errormail import mail
from errormail.conf import override_settings
from errormail.mail import BadHeaderError, EmailMessage, EmailMultiAlternatives, mailers, send_mail
from errormail.mail.backends.locmem import EmailBackend

pytestmark = pytest.mark.usefixtures("outbox")

PATH = "errormail.mail.backends.locmem.EmailBackend"


def message(subject="subject", **changes):
    return EmailMessage(
        subject,
        "body",
        changes.pop("from_email", "from@example.com"),
        changes.pop("to", ["to@example.com"]),
        **changes,
    )


@pytest.mark.row("B12")
def test_messages_are_kept_in_order():
    assert EmailBackend().send_messages([message("first"), message("second")]) == 2
    assert [kept.subject for kept in mail.outbox] == ["first", "second"]


@pytest.mark.row("B12")
def test_all_instances_share_the_outbox():
    EmailBackend().send_messages([message("first")])
    EmailBackend().send_messages([message("second")])
    assert [kept.subject for kept in mail.outbox] == ["first", "second"]


@pytest.mark.row("B12")
def test_what_is_kept_does_not_change_with_the_message():
    sent = EmailMultiAlternatives("subject", "body", "from@example.com", ["to@example.com"])
    sent.attach_alternative("<p>body", "text/html")
    EmailBackend().send_messages([sent])
    sent.subject = "another"
    sent.to.append("later@example.com")
    sent.alternatives.clear()
    sent.extra_headers["X-Later"] = "1"
    (kept,) = mail.outbox
    assert kept is not sent
    assert (kept.subject, kept.to) == ("subject", ["to@example.com"])
    assert [alternative.content for alternative in kept.alternatives] == ["<p>body"]
    assert kept.extra_headers == {}


@pytest.mark.row("B12")
def test_what_a_test_does_to_a_kept_message_does_not_change_the_programs():
    sent = message()
    EmailBackend().send_messages([sent])
    mail.outbox[0].to.clear()
    assert sent.to == ["to@example.com"]
    assert getattr(sent, "sent_using", None) is None


@pytest.mark.row("B12")
def test_the_outbox_can_be_a_new_list():
    backend = EmailBackend()
    backend.send_messages([message("before")])
    before = mail.outbox
    mail.outbox = []
    backend.send_messages([message("after")])
    assert [kept.subject for kept in before] == ["before"]
    assert [kept.subject for kept in mail.outbox] == ["after"]


@pytest.mark.row("B12")
def test_a_kept_message_says_which_mailer_sent_it():
    with override_settings(MAILERS={"bulk": {"BACKEND": PATH}}, EMAIL_BACKEND=PATH):
        mailers["bulk"].send_messages([message()])
        send_mail("subject", "body", None, ["to@example.com"], using="bulk")
        send_mail("subject", "body", None, ["to@example.com"])
    EmailBackend().send_messages([message()])
    assert [kept.sent_using for kept in mail.outbox] == ["bulk", "bulk", "default", None]


@pytest.mark.row("B12")
@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "one\ntwo"},
        {"subject": "one\rtwo"},
        {"headers": {"X-Order": "1\nBcc: all@example.com"}},
        {"to": ["to@example.com\nbcc: all@example.com"]},
        {"from_email": "from@example.com\n"},
    ],
)
def test_headers_are_checked_as_if_it_were_sent(wrong):
    with pytest.raises(BadHeaderError):
        EmailBackend().send_messages([message(**wrong)])
    assert mail.outbox == []


@pytest.mark.row("B12")
@pytest.mark.parametrize(
    "wrong",
    [
        {"to": ["a@example.com, b@example.com"]},
        {"bcc": ["jörg@example.com"]},
        {"from_email": "jörg@example.com"},
    ],
)
def test_addresses_are_checked_as_if_it_were_sent(wrong):
    with pytest.raises(ValueError, match=r"@example\.com"):
        EmailBackend().send_messages([message(**wrong)])
    assert mail.outbox == []


@pytest.mark.row("B12")
def test_mistakes_are_raised_even_if_it_is_to_fail_silently():
    with pytest.raises(BadHeaderError):
        EmailBackend(fail_silently=True).send_messages([message("one\ntwo")])


@pytest.mark.row("B12")
def test_messages_before_a_wrong_one_are_kept():
    with pytest.raises(BadHeaderError):
        EmailBackend().send_messages([message("right"), message("one\ntwo"), message("after")])
    assert [kept.subject for kept in mail.outbox] == ["right"]
