"""EmailMessage and EmailMultiAlternatives: what a program writes, and the message that comes of it."""

from __future__ import annotations

import copy
import email
import email.policy
import pickle
import quopri
import re
from datetime import datetime, timedelta, timezone
from email.charset import BASE64, QP, Charset
from email.message import EmailMessage as PythonMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errormail import conf, mail
from errormail.mail import (
    EmailAlternative,
    EmailAttachment,
    EmailMessage,
    EmailMultiAlternatives,
    parts,
    utils,
)
from errormail.mail.backends.base import BaseEmailBackend


class Lazy:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


class Collecting(BaseEmailBackend):
    def __init__(self, **options):
        super().__init__(**options)
        self.sent = []

    def send_messages(self, email_messages):
        messages = list(email_messages)
        self.sent += messages
        return len(messages)


def structure(part):
    """Return the content types of *part*, nested."""
    if not part.is_multipart():
        return part.get_content_type()
    return (part.get_content_type(), [structure(child) for child in part.get_payload()])


def read(message, policy=email.policy.default):
    """Return *message* as its receiver parses it."""
    return email.message_from_bytes(
        message.message(policy=policy).as_bytes(), policy=email.policy.default
    )


@pytest.mark.row("M1")
def test_the_arguments_by_name():
    connection = Collecting()
    message = EmailMultiAlternatives(
        subject="subject",
        body="body",
        from_email="from@example.com",
        to=["to@example.com"],
        bcc=["bcc@example.com"],
        connection=connection,
        attachments=[("a.txt", "text", "text/plain")],
        headers={"X-Shop": "1"},
        alternatives=[("<p>", "text/html")],
        cc=["cc@example.com"],
        reply_to=["reply@example.com"],
    )
    content = read(message)
    assert content["Subject"] == "subject"
    assert content["From"] == "from@example.com"
    assert content["To"] == "to@example.com"
    assert content["Cc"] == "cc@example.com"
    assert content["Reply-To"] == "reply@example.com"
    assert content["X-Shop"] == "1"
    assert message.recipients() == ["to@example.com", "cc@example.com", "bcc@example.com"]
    assert message.send() == 1
    assert connection.sent == [message]


@pytest.mark.row("M1")
def test_the_arguments_by_position():
    message = EmailMessage(
        "s", "b", "f@x.y", ["t@x.y"], ["b@x.y"], None, [("a", b"c", "a/b")], {"X-A": "1"}, ["c@x.y"]
    )
    assert (message.bcc, message.cc, message.extra_headers) == (["b@x.y"], ["c@x.y"], {"X-A": "1"})
    message = EmailMultiAlternatives(
        "s", "b", "f@x.y", ["t@x.y"], ["b@x.y"], None, [], {}, [("<p>", "text/html")], ["c@x.y"]
    )
    assert message.alternatives == [EmailAlternative("<p>", "text/html")]
    assert message.cc == ["c@x.y"]


@pytest.mark.row("M1", "F5")
def test_all_arguments_are_optional():
    message = EmailMessage()
    content = read(message)
    assert content["Subject"] == ""
    assert content["From"] == "webmaster@localhost"
    assert content["To"] is None
    assert content.get_content() == ""
    assert message.recipients() == []
    assert EmailMultiAlternatives().alternatives == []


@pytest.mark.row("M2")
def test_each_argument_is_an_attribute_that_can_be_set_later():
    message = EmailMultiAlternatives()
    connection = Collecting()
    message.subject = "subject"
    message.body = "body"
    message.from_email = "from@example.com"
    message.to = ["to@example.com"]
    message.cc = ("cc@example.com",)
    message.bcc = ["bcc@example.com"]
    message.reply_to = ["reply@example.com"]
    message.connection = connection
    message.attachments = [("a.txt", "text", None)]
    message.extra_headers = {"X-Shop": "1"}
    message.alternatives = [("<p>", "text/html")]
    content = read(message)
    assert structure(content) == (
        "multipart/mixed",
        [("multipart/alternative", ["text/plain", "text/html"]), "text/plain"],
    )
    assert [content[name] for name in ("Subject", "From", "To", "Cc", "Reply-To", "X-Shop")] == [
        "subject",
        "from@example.com",
        "to@example.com",
        "cc@example.com",
        "reply@example.com",
        "1",
    ]
    assert message.recipients() == ["to@example.com", "cc@example.com", "bcc@example.com"]
    assert message.send() == 1


@pytest.mark.row("M3")
@pytest.mark.parametrize("name", ["to", "cc", "bcc", "reply_to"])
def test_a_str_in_place_of_a_list_is_a_type_error(name):
    match = f'"{name}" argument must be a list or tuple'
    with pytest.raises(TypeError, match=match):
        EmailMessage(**{name: "jane@example.com"})
    message = EmailMessage()
    setattr(message, name, "jane@example.com")
    with pytest.raises(TypeError, match=match):
        message.message() if name == "reply_to" else message.recipients()


@pytest.mark.row("M4")
def test_recipients_are_to_cc_and_bcc_without_empty_ones():
    message = EmailMessage(
        to=("a@x.y", ""), cc=[None, "b@x.y"], bcc=iter(["c@x.y", ""]), reply_to=["d@x.y"]
    )
    assert message.recipients() == ["a@x.y", "b@x.y", "c@x.y"]
    assert read(message)["To"] == "a@x.y"
    assert EmailMessage(to=["", None]).recipients() == []


@pytest.mark.row("M5")
def test_bcc_stands_in_no_header():
    content = EmailMessage(to=["a@x.y"], bcc=["secret@x.y"]).message().as_bytes()
    assert b"secret" not in content
    for name in ("Bcc", "bcc", "BCC", "Resent-Bcc"):
        with pytest.raises(ValueError, match="use bcc="):
            EmailMessage(headers={name: "secret@x.y"}).message()


@pytest.mark.row("M6")
def test_the_message_is_one_of_the_standard_library():
    message = EmailMessage("Grüße", "größer", to=["Jörg <jörg@müller.de>"])
    utf8 = message.message(policy=email.policy.SMTPUTF8)
    assert isinstance(utf8, PythonMessage)
    assert utf8.policy is email.policy.SMTPUTF8
    assert "To: Jörg <jörg@müller.de>\r\n" in utf8.as_bytes().decode()
    message.to = ["Jörg <j@müller.de>"]
    for policy in (
        email.policy.SMTP.clone(cte_type="7bit"),
        email.policy.default.clone(cte_type="7bit"),
    ):
        content = message.message(policy=policy).as_bytes()
        assert content.isascii()
        assert read(message, policy).get_content() == "größer"


@pytest.mark.row("M6")
def test_an_8_bit_message_can_be_written_in_7_bit_later():
    content = (
        EmailMessage("s", "größer")
        .message()
        .as_bytes(policy=email.policy.SMTP.clone(cte_type="7bit"))
    )
    assert content.isascii()
    assert "größer" in email.message_from_bytes(content, policy=email.policy.default).get_content()


@pytest.mark.row("M7")
def test_headers_override_and_the_envelope_stays():
    given_headers = {
        "from": "Shop <shop@example.com>",
        "TO": "list:;",
        "Cc": "A <a@example.com>, b@example.com",
        "reply-to": "c@example.com",
        "date": "Wed, 25 Nov 2026 04:54:01 +0000",
        "message-ID": "<1@example.com>",
    }
    message = EmailMessage(
        "s",
        "b",
        "envelope@example.com",
        ["to@example.com"],
        cc=["cc@example.com"],
        reply_to=["reply@example.com"],
        headers=given_headers,
    )
    content = read(message)
    for name, value in given_headers.items():
        assert content.get_all(name) == [value]
    assert message.recipients() == ["to@example.com", "cc@example.com"]
    assert message.from_email == "envelope@example.com"


@pytest.mark.row("M7")
def test_headers_for_one_thread_of_emails():
    """What the delivery of reports sets."""
    extra = {
        "References": "<1@example.com> <2@example.com>",
        "In-Reply-To": "<2@example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Errormail-Occurrences": 1,
    }
    content = read(EmailMessage("s", "b", headers=extra))
    assert {name: str(content[name]) for name in extra} == {**extra, "X-Errormail-Occurrences": "1"}


def test_an_address_header_takes_a_list():
    content = read(EmailMessage(headers={"Reply-To": ["A <a@x.y>", "b@x.y"]}))
    assert content["Reply-To"] == "A <a@x.y>, b@x.y"


@pytest.mark.parametrize("name", ["Content-Type", "content-transfer-encoding", "MIME-Version"])
def test_headers_that_are_made_of_the_content_cannot_be_given(name):
    with pytest.raises(ValueError, match="made of the body"):
        EmailMessage(headers={name: "text/html"}).message()


def test_a_header_cannot_be_given_twice():
    with pytest.raises(ValueError, match="given twice"):
        EmailMessage(headers={"X-Shop": "1", "x-shop": "2"}).message()


def test_a_message_without_sender_is_refused():
    with pytest.raises(ValueError, match="From"):
        EmailMessage(headers={"From": ""}).message()


@pytest.mark.row("M8")
def test_the_date_is_in_utc():
    date = read(EmailMessage())["Date"].datetime
    assert date.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - date) < timedelta(minutes=1)
    assert str(read(EmailMessage())["Date"]).endswith("+0000")


@pytest.mark.row("M8")
def test_the_date_is_local_with_the_setting(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        with conf.override_settings(EMAIL_USE_LOCALTIME=True):
            date = read(EmailMessage())["Date"].datetime
    finally:
        monkeypatch.undo()
        time.tzset()
    assert date.utcoffset() == timedelta(hours=5, minutes=45)
    assert abs(datetime.now(timezone.utc) - date) < timedelta(minutes=1)


@pytest.mark.row("M8")
def test_a_date_can_be_given_as_a_datetime():
    date = datetime(2026, 11, 25, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    assert read(EmailMessage(headers={"Date": date}))["Date"] == "Wed, 25 Nov 2026 04:05:06 +0200"


@pytest.fixture
def host(monkeypatch):
    """Set the name of this host, and count how often it is looked up."""
    lookups = []

    def set_name(name):
        def getfqdn(*args):
            lookups.append(args)
            return name

        monkeypatch.setattr(utils.socket, "getfqdn", getfqdn)
        monkeypatch.setattr(utils.DNS_NAME, "_fqdn", "")
        return lookups

    return set_name


@pytest.mark.row("M9")
def test_the_name_of_the_host_is_looked_up_once_and_late(host):
    lookups = host("mail.example.com")
    EmailMessage(headers={"Message-ID": "<1@example.com>"}).message()
    assert lookups == []
    ids = [read(EmailMessage())["Message-ID"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(identity.endswith("@mail.example.com>") for identity in ids)
    assert len(lookups) == 1
    assert mail.make_msgid().endswith("@mail.example.com>")
    assert mail.make_msgid("x", "b.example").endswith(".x@b.example>")
    assert str(mail.DNS_NAME) == "mail.example.com"


@pytest.mark.row("M9")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("bad host", "localhost"),
        ("", "localhost"),
        ("a..b", "localhost"),
        ("1.0.0.127.in-addr.arpa", "1.0.0.127.in-addr.arpa"),
    ],
)
def test_the_name_of_the_host_is_one_that_mail_can_use(host, name, expected):
    host(name)
    assert mail.DNS_NAME.get_fqdn() == expected


@pytest.mark.row("M9")
@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Shop <shop@example.com>", "example.com"),
        ("shop@bücher.example", "xn--bcher-kva.example"),
        ("root@localhost", "web1"),
        ("root", "web1"),
        ("shop@[192.0.2.1]", "web1"),
        ("a@example.com, b@example.com", "web1"),
    ],
)
def test_a_host_without_a_domain_gives_way_to_that_of_the_sender(host, sender, domain):
    host("web1")
    assert read(EmailMessage(from_email=sender))["Message-ID"].endswith(f"@{domain}>")


# -- the body ---------------------------------------------------------------------------------------


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["\n", "\r\n", "\r", "é", "€", "=", ".", "From ", " ", "\t", "\0", "x" * 1100, "a" * 70]
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
).map("".join)
POLICIES = [
    email.policy.default,
    email.policy.SMTP,
    email.policy.SMTP.clone(cte_type="7bit"),
    email.policy.SMTPUTF8,
]


@given(
    TEXTS, st.sampled_from(POLICIES), st.sampled_from(["utf-8", "iso-8859-1", "utf-16", "cp037"])
)
@settings(max_examples=400, deadline=None)
@pytest.mark.row("M13")
def test_any_body_arrives_as_it_was_written(text, policy, encoding):
    message = EmailMessage("s", text)
    message.encoding = encoding
    content = message.message(policy=policy).as_bytes()
    received = email.message_from_bytes(content, policy=email.policy.default)
    charset = received.get_content_charset()
    body = received.get_payload(decode=True).decode(charset)
    assert body.replace("\r\n", "\n") == text.replace("\r\n", "\n")
    _, _, lines = content.partition(policy.linesep.encode() * 2)
    longest = max(map(len, lines.split(policy.linesep.encode())))
    how = received["Content-Transfer-Encoding"]
    assert longest <= (998 if how in {"7bit", "8bit"} else 76)
    assert charset == encoding or not _can_encode(text, encoding)
    if how == "7bit" or policy.cte_type == "7bit":
        assert content.isascii()


@given(st.binary(), st.integers(0, 200), st.sampled_from([b"a", b"\xc3", b" ", b"=", b"."]))
@settings(deadline=None)
@pytest.mark.row("M13")
def test_quoted_printable_is_exact_and_short(data, times, filler):
    data = (filler * times + data).replace(b"\r", b"")
    encoded = parts.quoted_printable(data)
    assert quopri.decodestring(encoded) == data
    assert all(len(line) <= 76 for line in encoded.split(b"\n"))
    assert not any(line.endswith((b" ", b"\t")) for line in encoded.split(b"\n"))
    assert re.fullmatch(rb"[\t\n -~]*", encoded)


def _can_encode(text, encoding):
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.row("M13")
@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("plain", "7bit"),
        ("x" * 998, "7bit"),
        ("größer", "8bit"),
        ("ö" * 499, "8bit"),
        ("x" * 999, "quoted-printable"),
        ("größer, and what is plain " * 50, "quoted-printable"),
        ("日本語" * 200, "base64"),
        ("a\0b and some more text", "quoted-printable"),
        ("a\rb", "base64"),
        ("", "7bit"),
    ],
)
def test_how_a_body_is_encoded_for_transfer(text, how):
    content = read(EmailMessage("s", text))
    assert content["Content-Transfer-Encoding"] == how
    assert content["Content-Type"] == 'text/plain; charset="utf-8"'


@pytest.mark.row("M13")
def test_the_charset_is_that_of_the_message_else_that_of_the_settings():
    message = EmailMessage("s", "größer")
    with conf.override_settings(DEFAULT_CHARSET="iso-8859-15"):
        assert read(message).get_content_charset() == "iso-8859-15"
        assert read(message).get_content() == "größer"
        message.encoding = "windows-1252"
        assert read(message).get_content_charset() == "windows-1252"
    message.encoding = "iso-8859-1"
    message.body = "4 €"
    assert read(message).get_content_charset() == "utf-8"  # it cannot say it
    assert read(message).get_content() == "4 €"


@pytest.mark.row("M13")
@pytest.mark.parametrize(("wish", "how"), [(QP, "quoted-printable"), (BASE64, "base64")])
def test_a_charset_object_says_how_to_encode(wish, how):
    charset = Charset("utf-8")
    charset.body_encoding = wish
    message = EmailMessage("s", "größer and a long line " * 20)
    message.encoding = charset
    content = read(message)
    assert content["Content-Transfer-Encoding"] == how
    assert all(len(line) <= 76 for line in content.get_payload().splitlines())
    assert content.get_content() == message.body


@pytest.mark.row("M13")
def test_an_unknown_charset_is_refused():
    message = EmailMessage("s", "b")
    for wrong in ("no-such", 'utf-8"; x="', "utf-8\r\nBcc: x"):
        message.encoding = wrong
        with pytest.raises((LookupError, ValueError)):
            message.message()


def test_a_body_of_another_type_becomes_text():
    for body, expected in [
        (Lazy("lazy"), "lazy"),
        (b"gr\xc3\xb6\xc3\x9fer", "größer"),
        (None, ""),
        ("a\udc80", "a\\udc80"),
    ]:
        assert read(EmailMessage("s", body)).get_content() == expected


@pytest.mark.row("M14")
@pytest.mark.parametrize("policy", POLICIES)
def test_from_at_the_beginning_of_a_line_stays(policy):
    text = "From the beginning\nFrom me\n>From him\n"
    content = EmailMessage("s", text).message(policy=policy).as_bytes()
    assert content.replace(b"\r\n", b"\n").endswith(text.encode())


@pytest.mark.row("M15")
def test_a_body_may_be_html_alone():
    message = EmailMessage("s", "<p>größer")
    message.content_subtype = "html"
    content = read(message)
    assert structure(content) == "text/html"
    assert content.get_content() == "<p>größer"


@pytest.mark.row("M16")
def test_alternatives_of_any_type():
    message = EmailMultiAlternatives("s", "text")
    message.attach_alternative("<p>größer", "text/html")
    message.attach_alternative("<p>größer".encode(), "text/x-amp-html")
    message.attach_alternative("BEGIN:VCALENDAR", "text/calendar; method=REQUEST")
    message.attach_alternative(b"\0\1\2", "audio/mpeg")
    message.attach_alternative("{}", "application/json")
    message.attach_alternative(b"\xff", "text/plain")
    content = read(message)
    parts_read = list(content.iter_parts())
    assert structure(content)[1] == [
        "text/plain",
        "text/html",
        "text/x-amp-html",
        "text/calendar",
        "audio/mpeg",
        "application/json",
        "text/plain",
    ]
    assert [part.get_content() for part in parts_read[1:6]] == [
        "<p>größer",
        "<p>größer",
        "BEGIN:VCALENDAR",
        b"\0\1\2",
        b"{}",
    ]
    assert parts_read[3].get_param("method") == "REQUEST"
    assert parts_read[6].get_payload(decode=True) == b"\xff"
    assert all(part["Content-Disposition"] is None for part in parts_read)
    assert message.alternatives[0] == EmailAlternative("<p>größer", "text/html")
    assert message.alternatives[0].mimetype == "text/html"


@pytest.mark.row("M16")
def test_an_alternative_needs_both_arguments():
    message = EmailMultiAlternatives()
    for arguments in [(None, "text/html"), ("<p>", None), (None, None)]:
        with pytest.raises(ValueError, match="needs both"):
            message.attach_alternative(*arguments)
    with pytest.raises(ValueError, match="content type"):
        message.attach_alternative("<p>", "html")


@pytest.mark.row("X9")
@pytest.mark.parametrize(
    "mimetype",
    [
        "text/html\r\nBcc: x",
        "text/html\n",
        'text/html; a="b\r\n"',
        "text/html; charset=x\x85y",
        "text",
        "text/",
        "/html",
        "text/html; a",
        "text/ht ml",
        "=?utf-8?q?a/b=0A?=",
        "",
    ],
)
def test_what_is_no_content_type_is_refused(mimetype):
    with pytest.raises(ValueError, match="content type"):
        EmailMultiAlternatives().attach_alternative("<p>", mimetype)
    message = EmailMessage("s", "b")
    message.content_subtype = mimetype.partition("/")[2] + "\n"
    with pytest.raises(ValueError, match="content type"):
        message.message()


@pytest.mark.row("M17")
def test_body_contains_looks_into_body_and_text_alternatives():
    message = EmailMultiAlternatives("s", "I am content.")
    assert message.body_contains("content")
    assert not message.body_contains("other")
    message.attach_alternative("<p>I am <b>content</b>.", "text/html")
    assert message.body_contains("I am")
    assert not message.body_contains("I am content")
    message.attach_alternative(b"\0", "audio/mpeg")
    assert message.body_contains("I am")
    message.attach_alternative(b"nothing", "text/plain")
    assert not message.body_contains("I am")


@pytest.mark.row("M18")
@pytest.mark.parametrize(
    ("body", "alternatives", "attachments", "expected"),
    [
        ("b", [], [], "text/plain"),
        ("", [], [], "text/plain"),
        ("b", ["text/html"], [], ("multipart/alternative", ["text/plain", "text/html"])),
        ("", ["text/html"], [], ("multipart/alternative", ["text/html"])),
        ("b", [], ["image/png"], ("multipart/mixed", ["text/plain", "image/png"])),
        ("", [], ["image/png"], ("multipart/mixed", ["image/png"])),
        (
            "",
            ["text/html"],
            ["image/png"],
            ("multipart/mixed", [("multipart/alternative", ["text/html"]), "image/png"]),
        ),
        (
            "b",
            ["text/html", "text/x-amp-html"],
            ["image/png", "text/csv"],
            (
                "multipart/mixed",
                [
                    ("multipart/alternative", ["text/plain", "text/html", "text/x-amp-html"]),
                    "image/png",
                    "text/csv",
                ],
            ),
        ),
    ],
)
def test_how_parts_are_nested(body, alternatives, attachments, expected):
    message = EmailMultiAlternatives("s", body)
    for mimetype in alternatives:
        message.attach_alternative("content", mimetype)
    for mimetype in attachments:
        message.attach("file", b"content", mimetype)
    assert structure(read(message)) == expected
    for policy in POLICIES:
        assert structure(read(message, policy)) == expected


def test_no_body_can_hold_the_boundary():
    first = EmailMultiAlternatives("s", "text", alternatives=[("<p>", "text/html")])
    boundary = first.message().get_boundary()
    again = EmailMultiAlternatives("s", f"--{boundary}\n", alternatives=[("<p>", "text/html")])
    assert structure(read(again)) == ("multipart/alternative", ["text/plain", "text/html"])
    assert again.message().get_boundary() != again.message().get_boundary()


@pytest.mark.row("M19")
def test_a_message_is_pickled_and_copied():
    message = EmailMultiAlternatives(
        "subject",
        "größer",
        "a@x.y",
        ["b@x.y"],
        headers={"Date": "Wed, 25 Nov 2026 04:54:01 +0000", "Message-ID": "<1@x.y>"},
        connection=mail.get_connection("errormail.mail.backends.console.EmailBackend"),
    )
    message.attach_alternative("<p>", "text/html")
    message.attach("a.txt", "content", "text/plain")
    part = PythonMessage()
    part.set_content("part")
    message.attach(part)
    message.encoding = Charset("utf-8")
    for again in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert again is not message
        assert again.connection is None
        contents = [re.sub(rb"=_\w+", b"", each.message().as_bytes()) for each in (message, again)]
        assert contents[0] == contents[1]
        assert again.attachments[0] == EmailAttachment("a.txt", "content", "text/plain")


@pytest.mark.row("M20")
def test_attributes_that_are_gone_say_so():
    class Old(EmailMultiAlternatives):
        mixed_subtype = "related"

    message = Old("s", "b", attachments=[("a", "b", "text/plain")])
    with pytest.raises(AttributeError, match="mixed_subtype"):
        message.message()
    message = EmailMultiAlternatives("s", "b", alternatives=[("<p>", "text/html")])
    message.alternative_subtype = "related"
    with pytest.raises(AttributeError, match="alternative_subtype"):
        message.message()


@pytest.mark.row("F14")
def test_lazy_subjects_and_addresses():
    message = EmailMessage(
        Lazy("subject"), Lazy("body"), Lazy("a@x.y"), [Lazy("b@x.y")], headers={"X-A": Lazy("1")}
    )
    content = read(message)
    assert [content[name] for name in ("Subject", "From", "To", "X-A")] == [
        "subject",
        "a@x.y",
        "b@x.y",
        "1",
    ]
    assert content.get_content() == "body"


@pytest.mark.row("X9")
@pytest.mark.parametrize("character", "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
@pytest.mark.parametrize("kind", [str, Lazy])
def test_a_line_break_is_refused_wherever_it_stands(character, kind):
    text = kind(f"a{character}Bcc: evil@example.com")
    wrong = [
        {"subject": text},
        {"from_email": text},
        {"to": [text]},
        {"cc": ["b@x.y", text]},
        {"reply_to": [text]},
        {"headers": {"X-Shop": text}},
        {"headers": {text: "1"}},
        {"headers": {"From": text}},
        {"headers": {"Reply-To": [text]}},
        {"attachments": [(text, b"content", "application/pdf")]},
        {"attachments": [("a", b"content", text)]},
        {"alternatives": [("<p>", text)]},
    ]
    for arguments in wrong:
        with pytest.raises(
            ValueError, match=r"line break|mail address|name of a header|content type"
        ):
            EmailMultiAlternatives(**arguments).message()


def test_the_repr_shows_no_address():
    assert repr(EmailMessage("s", to=["jane@example.com"])) == "<EmailMessage: 1 recipients>"
