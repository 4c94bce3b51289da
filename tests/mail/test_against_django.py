"""
The same messages, made by errormail and by the Django beside it (5.2 or later): a receiver gets the same.

What differs on purpose stands in `test_what_differs_on_purpose`.
"""

from __future__ import annotations

import email
import email.policy
import inspect
import warnings
from email.message import MIMEPart
from email.mime.image import MIMEImage

import pytest

from actors.frameworks import set_up_django
from actors.smtp import SmtpServer
from errormail import mail
from errormail.mail.backends import smtp

set_up_django()

import django  # noqa: E402 -- Django must be set up before
from django.core import mail as django_mail  # noqa: E402
from django.core.mail.backends import smtp as django_smtp  # noqa: E402

HEADERS = {"Date": "Wed, 25 Nov 2026 04:54:01 +0000", "Message-ID": "<1@example.com>"}


def inner_message(module):
    return module.EmailMessage(
        "inner", "größer\n", "a@example.com", ["b@example.com"], headers=HEADERS
    )


def image_part(module):
    if module is django_mail and django.VERSION < (6,):  # it knows legacy parts only
        part = MIMEImage(b"\x89PNG", "png")
        part["Content-Disposition"] = "inline"
    else:
        part = MIMEPart()
        part.set_content(b"\x89PNG", maintype="image", subtype="png", disposition="inline")
    part["Content-ID"] = "<logo>"
    return part


# Arguments, by name, and the calls that follow: name of the method and its arguments. A callable gets the mail module.
MESSAGES = {
    "plain": ({"subject": "subject", "body": "text\n"}, []),
    "no body": ({"subject": "subject"}, []),
    "letters": ({"subject": "Grüße aus Köln", "body": "größer\n€ 日本語\n"}, []),
    "long subject": ({"subject": "word " * 60 + "é" * 100, "body": "text\n"}, []),
    "names": (
        {
            "from_email": "Jörg Müller <j@example.com>",
            "to": ['"Doe, Jane" <jane@example.com>', "b@example.com", "Root <root@example.com>"],
            "cc": ['"J. R." <jr@example.com>'],
            "reply_to": ["Ä <r@example.com>", "s@example.com"],
            "bcc": ["Secret <secret@example.com>"],
        },
        [],
    ),
    "idna": (
        {"from_email": "a@müller.de", "to": ["Ä <b@bücher.example>", "c@xn--mller-kva.de"]},
        [],
    ),
    "encoded name": ({"to": ["=?utf-8?q?J=C3=B6rg?= <j@example.com>"]}, []),
    "many": ({"to": [f"Number {at} <u{at}@example.com>" for at in range(40)]}, []),
    "headers": (
        {
            "to": ["envelope@example.com"],
            "headers": {
                "From": "Other <other@example.com>",
                "To": "list@example.com",
                "Reply-To": "reply@example.com",
                "References": "<1@example.com> <2@example.com>",
                "Auto-Submitted": "auto-generated",
                "X-Letters": "größer",
            },
        },
        [],
    ),
    "html": (
        {"body": "text\n", "alternatives": [("<p>größer\n", "text/html")]},
        [("attach_alternative", ("<amp>\n", "text/x-amp-html"))],
    ),
    "html alone": ({"alternatives": [("<p>text\n", "text/html")]}, []),
    "long lines": ({"body": "x" * 2000 + "\n" + "größer " * 300 + "\n"}, []),
    "from": ({"body": "From the beginning\n.\n..dots\n"}, []),
    "crlf": ({"body": "one\r\ntwo\nthree\r\n"}, []),
    "attachments": (
        {"body": "text\n", "attachments": [("a.txt", "text\n", "text/plain"), ("b.csv", b"1;2\n")]},
        [
            ("attach", ("c.png", b"\x89PNG\r\n", None)),
            ("attach", ("größer.pdf", b"%PDF", "application/pdf")),
            ("attach", ("d.txt", b"\xff\xfe", "text/plain")),
            ("attach", ("e.no-such-type", b"x" * 200)),
            ("attach", lambda module: (image_part(module),)),
        ],
    ),
    "attachments alone": ({"attachments": [("a.txt", "größer\n", "text/plain")]}, []),
    "message": (
        {"body": "text\n"},
        [("attach", lambda module: ("m.eml", inner_message(module), "message/rfc822"))],
    ),
    "everything": (
        {
            "subject": "Ä",
            "body": "text\n",
            "alternatives": [("<p>\n", "text/html")],
            "attachments": [("a.txt", "text\n", "text/plain")],
        },
        [],
    ),
}


def made(module, name):
    arguments, calls = MESSAGES[name]
    given = {"from_email": "from@example.com", "to": ["to@example.com"], **arguments}
    given["headers"] = {**HEADERS, **arguments.get("headers", {})}
    message = module.EmailMultiAlternatives(**given)
    for method, call in calls:
        getattr(message, method)(*(call(module) if callable(call) else call))
    return message


def content(part):
    """Return what a part says, whatever way it was encoded; one line end more or less does not count."""
    if part.get_content_type() == "message/rfc822":
        return received(part.get_payload(0).as_bytes())
    if part.is_multipart():
        return [facts(child) for child in part.get_payload()]
    data = part.get_payload(decode=True)
    if part.get_content_maintype() == "text":
        text = data.decode(part.get_content_charset("utf-8")).replace("\r\n", "\n")
        return text.removesuffix("\n")
    return data


def facts(part):
    disposition = part.get_content_disposition()
    return part.get_content_type(), part.get_filename(), disposition, content(part)


def received(data):
    """Return what a receiver reads in *data*: headers, decoded and sorted, and the parts."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    ignored = {"content-type", "content-transfer-encoding", "mime-version"}
    headers = sorted(
        (name.lower(), " ".join(str(value).split()))
        for name, value in message.items()
        if name.lower() not in ignored
    )
    return headers, facts(message)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_receiver_gets_what_django_would_have_sent(name):
    ours = received(made(mail, name).message().as_bytes())
    theirs = received(made(django_mail, name).message().as_bytes())
    assert ours == theirs


@pytest.mark.parametrize("name", MESSAGES)
def test_the_envelope_is_what_django_would_have_said(name):
    assert made(mail, name).recipients() == made(django_mail, name).recipients()
    with SmtpServer() as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django 6.1 deprecates backends without MAILERS
        ours = smtp.EmailBackend("127.0.0.1", server.port)
        theirs = django_smtp.EmailBackend(host="127.0.0.1", port=server.port)
        assert ours.send_messages([made(mail, name)]) == 1
        assert theirs.send_messages([made(django_mail, name)]) == 1
    first, second = server.messages
    assert (first.mail_from, first.rcpt_tos) == (second.mail_from, second.rcpt_tos)
    assert received(first.content) == received(second.content)


WRONG = {
    "a line break in the subject": {"subject": "a\nBcc: x@example.com"},
    "a line break in an address": {"to": ["a@example.com\nBcc: x@example.com"]},
    "a line break in the sender": {"from_email": "a@exam\r\nple.com"},
    "a line break in a header": {"headers": {"X-Shop": "a\r\nBcc: x@example.com"}},
    "a str of recipients": {"to": "a@example.com"},
    "a str of replies": {"reply_to": "a@example.com"},
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_of_the_same_type(name):
    raised = []
    for module in (mail, django_mail):
        with pytest.raises((TypeError, ValueError)) as caught:
            module.EmailMessage(**{"subject": "s", **WRONG[name]}).message()
        raised.append(TypeError if isinstance(caught.value, TypeError) else ValueError)
    assert raised[0] is raised[1]


def test_what_differs_on_purpose():
    """Each of these is decided, and a receiver is better off."""

    def texts(**arguments):
        messages = [
            module.EmailMessage(headers=HEADERS, **arguments) for module in (mail, django_mail)
        ]
        return [message.message().as_bytes() for message in messages]

    def parsed(data):
        return email.message_from_bytes(data, policy=email.policy.default)

    # What looks like an encoded word in a subject stays what it was: an error message may hold one.
    ours, theirs = map(parsed, texts(subject="=?utf-8?q?a=C3=A9?="))
    assert (ours["Subject"], theirs["Subject"]) == ("=?utf-8?q?a=C3=A9?=", "aé")
    # A body keeps its last line as it was; Django 6 ends it.
    ours, theirs = texts(body="text")
    assert ours.endswith(b"\n\ntext")
    assert theirs.endswith(b"\n\ntext\n" if django.VERSION >= (6,) else b"\n\ntext")
    # An attachment without a name says that it is one; Django 5.2 does not.
    ours, theirs = (parsed(data) for data in texts(attachments=[(None, b"x", "application/pdf")]))
    assert [part.get_content_disposition() for part in ours.iter_parts()] == ["attachment"]
    # A dot in a name is fine without quotes too; Django 6.1 does not send to it.
    ours, _ = map(parsed, texts(to=["J. R. <jr@example.com>"]))
    assert ours["To"] == '"J. R." <jr@example.com>'
    # A compressed text is sent as what it is, not as the text that it would be.
    ours, theirs = (parsed(data) for data in texts(attachments=[("a.tar.gz", b"\x1f\x8b", None)]))
    assert [part.get_content_type() for part in ours.iter_parts()] == ["application/gzip"]
    assert [part.get_content_type() for part in theirs.iter_parts()] == ["application/x-tar"]


@pytest.mark.parametrize("header", ["Bcc", "bcc"])
def test_a_bcc_header_is_refused_where_django_5_shows_it(header):
    with pytest.raises(ValueError, match="use bcc="):
        mail.EmailMessage(headers={header: "secret@example.com"}).message()


FUNCTIONS = ["get_connection", "mail_admins", "mail_managers", "send_mail", "send_mass_mail"]
CLASSES = ["EmailAlternative", "EmailAttachment", "EmailMessage", "EmailMultiAlternatives"]


@pytest.mark.row("F1", "M1")
@pytest.mark.parametrize("name", FUNCTIONS + CLASSES)
def test_each_argument_of_django_is_taken_in_the_same_place(name):
    ours, theirs = (
        [
            parameter.name
            for parameter in inspect.signature(getattr(module, name)).parameters.values()
        ]
        for module in (mail, django_mail)
    )
    named = [argument for argument in theirs if argument not in {"args", "kwargs", "kwds"}]
    assert [argument for argument in ours if argument in named] == named


@pytest.mark.parametrize("name", CLASSES)
def test_each_public_attribute_of_django_is_there(name):
    made_of = ("content",) if name == "EmailAlternative" else ("name", "content")
    arguments = (*made_of, "text/plain") if name in CLASSES[:2] else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dir() asks for deprecated ones
        ours, theirs = (getattr(module, name)(*arguments) for module in (mail, django_mail))
        missing = {attribute for attribute in dir(theirs) if attribute[0] != "_"} - {*dir(ours)}
    # Undocumented, and gone in Django 6.
    assert missing <= {"get_connection", "mixed_subtype", "alternative_subtype"}
