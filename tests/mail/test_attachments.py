"""Attachments: files, parts, other messages."""

from __future__ import annotations

import email
import email.policy
import email.utils
from email.message import EmailMessage as PythonMessage
from email.message import MIMEPart
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.text import MIMEText

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errormail.mail import DEFAULT_ATTACHMENT_MIME_TYPE, EmailAttachment, EmailMessage

POLICIES = [
    email.policy.default,
    email.policy.SMTP,
    email.policy.SMTP.clone(cte_type="7bit"),
    email.policy.SMTPUTF8,
]


class Lazy:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


def attached(message, policy=email.policy.default):
    """Return the attachments as a receiver parses them."""
    content = message.message(policy=policy).as_bytes()
    whole = email.message_from_bytes(content, policy=email.policy.default)
    return list(whole.iter_attachments())


def facts(part):
    return part.get_filename(), part.get_content_type(), part.get_payload(decode=True)


@pytest.mark.row("A1")
@pytest.mark.parametrize(
    ("filename", "content", "mimetype", "expected"),
    [
        ("a.txt", "text", "text/plain", ("a.txt", "text/plain", b"text")),
        ("a.png", b"\x89PNG", None, ("a.png", "image/png", b"\x89PNG")),
        ("a.txt", "text", None, ("a.txt", "text/plain", b"text")),
        ("a.no-such", b"x", None, ("a.no-such", DEFAULT_ATTACHMENT_MIME_TYPE, b"x")),
        ("a.txt.gz", b"\x1f\x8b", None, ("a.txt.gz", "application/gzip", b"\x1f\x8b")),
        ("a.tar.xz", b"\xfd7z", None, ("a.tar.xz", DEFAULT_ATTACHMENT_MIME_TYPE, b"\xfd7z")),
        (None, b"x", None, (None, DEFAULT_ATTACHMENT_MIME_TYPE, b"x")),
        ("", "text", "text/csv", (None, "text/csv", b"text")),
        ("a", "größer", "application/json", ("a", "application/json", "größer".encode())),
        ("a", bytearray(b"x"), "image/png", ("a", "image/png", b"x")),
        ("a", memoryview(b"x"), "text/plain", ("a", "text/plain", b"x")),
        (Lazy("a.csv"), Lazy("1;2"), Lazy("text/csv"), ("a.csv", "text/csv", b"1;2")),
    ],
)
def test_a_file_is_attached(filename, content, mimetype, expected):
    message = EmailMessage("s", "b")
    message.attach(filename, content, mimetype)
    for policy in POLICIES:
        (part,) = attached(message, policy)
        assert facts(part) == expected
        assert part.get_content_disposition() == "attachment"


@pytest.mark.row("A1")
def test_content_must_be_given():
    for arguments in [("a.txt",), (), ("a.txt", None, "text/plain")]:
        with pytest.raises(ValueError, match="content must be provided"):
            EmailMessage().attach(*arguments)


def test_an_empty_file_is_a_file():
    message = EmailMessage("s", "b")
    message.attach("a.txt", "")
    message.attach("a.bin", b"", "application/pdf")
    assert [facts(part)[2] for part in attached(message)] == [b"", b""]


@pytest.mark.row("A2")
@pytest.mark.parametrize("make", [MIMEPart, PythonMessage])
def test_a_part_is_attached_as_it_is(make):
    part = make()
    part.set_content(
        b"\x89PNG", maintype="image", subtype="png", cid="<logo>", disposition="inline"
    )
    message = EmailMessage("s", "b", attachments=[part])
    message.attach(part)
    assert message.attachments == [part, part]
    content = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    _, *parts = content.iter_parts()
    assert [facts(each) for each in parts] == [(None, "image/png", b"\x89PNG")] * 2
    assert parts[0]["Content-ID"] == "<logo>"
    assert parts[0].get_content_disposition() == "inline"


@pytest.mark.row("A2")
def test_a_legacy_part_is_attached_without_a_warning():
    image = MIMEImage(b"\x89PNG", "png")
    image["Content-ID"] = "<logo>"
    text = MIMEText("größer", "plain", "utf-8")
    message = EmailMessage("s", "b", attachments=[image])
    message.attach(text)
    parts = list(
        email.message_from_bytes(
            message.message().as_bytes(), policy=email.policy.default
        ).iter_parts()
    )
    assert facts(parts[1]) == (None, "image/png", b"\x89PNG")
    assert parts[2].get_content() == "größer"


@pytest.mark.row("A2")
@pytest.mark.parametrize("part", [MIMEPart(), MIMEBase("image", "png")])
def test_a_part_is_attached_alone(part):
    for more in [("content", None), (None, "image/png"), ("", "")]:
        with pytest.raises(ValueError, match="alone"):
            EmailMessage().attach(part, *more)


@pytest.mark.row("A3")
def test_a_file_is_read_from_a_path(tmp_path):
    text, binary, wrong = tmp_path / "a.txt", tmp_path / "a.png", tmp_path / "b.txt"
    text.write_bytes("größer".encode())
    binary.write_bytes(b"\x89PNG")
    wrong.write_bytes(b"\xff\xfe")
    message = EmailMessage("s", "b")
    message.attach_file(text)
    message.attach_file(str(binary))
    message.attach_file(str(wrong))
    message.attach_file(text, "text/csv")
    message.attach_file(text, mimetype="application/pdf")
    assert [facts(part) for part in attached(message)] == [
        ("a.txt", "text/plain", "größer".encode()),
        ("a.png", "image/png", b"\x89PNG"),
        ("b.txt", DEFAULT_ATTACHMENT_MIME_TYPE, b"\xff\xfe"),
        ("a.txt", "text/csv", "größer".encode()),
        ("a.txt", "application/pdf", "größer".encode()),
    ]


@pytest.mark.row("A3")
def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        EmailMessage().attach_file(tmp_path / "none.txt")


@pytest.mark.row("A4")
def test_attachments_of_the_constructor_become_named_tuples():
    part = MIMEPart()
    message = EmailMessage(
        "s",
        "b",
        attachments=[
            EmailAttachment("a.txt", "text", "text/plain"),
            ("b.txt", "text"),
            ("c.txt", b"text", "text/csv"),
            part,
        ],
    )
    assert message.attachments == [
        EmailAttachment("a.txt", "text", "text/plain"),
        EmailAttachment("b.txt", "text", "text/plain"),
        EmailAttachment("c.txt", "text", "text/csv"),
        part,
    ]
    assert message.attachments[1].filename == "b.txt"
    assert message.attachments[1].content == "text"
    assert message.attachments[1].mimetype == "text/plain"


@pytest.mark.row("A4")
def test_plain_tuples_can_be_added_later():
    message = EmailMessage("s", "b")
    message.attachments += [("a.png", b"\x89PNG", None), EmailAttachment(None, "text", "text/csv")]
    assert [facts(part) for part in attached(message)] == [
        ("a.png", "image/png", b"\x89PNG"),
        (None, "text/csv", b"text"),
    ]


@pytest.mark.row("A5")
def test_bytes_of_a_text_type_are_text_if_they_are_utf_8():
    message = EmailMessage("s", "b")
    message.attach("a.txt", "größer".encode(), "text/plain")
    message.attach("b.txt", "größer".encode("utf-16"), "text/plain")
    message.attach("c.csv", b"\xff", None)
    assert message.attachments == [
        EmailAttachment("a.txt", "größer", "text/plain"),
        EmailAttachment("b.txt", "größer".encode("utf-16"), DEFAULT_ATTACHMENT_MIME_TYPE),
        EmailAttachment("c.csv", b"\xff", DEFAULT_ATTACHMENT_MIME_TYPE),
    ]
    first, second, third = attached(message)
    assert first.get_content() == "größer"
    assert first.get_content_charset() == "utf-8"
    assert second.get_content() == "größer".encode("utf-16")
    assert third.get_content() == b"\xff"


@pytest.mark.row("A5")
def test_text_has_the_charset_of_the_message():
    message = EmailMessage("s", "b", attachments=[("a.txt", "größer", "text/plain")])
    message.encoding = "iso-8859-1"
    (part,) = attached(message)
    assert facts(part) == ("a.txt", "text/plain", "größer".encode("iso-8859-1"))
    assert part.get_content_charset() == "iso-8859-1"


@given(st.binary(max_size=300), st.sampled_from(POLICIES))
@settings(deadline=None)
def test_any_bytes_arrive_unchanged(content, policy):
    message = EmailMessage("s", "b", attachments=[("a.bin", content, "application/pdf")])
    (part,) = attached(message, policy)
    assert part.get_content() == content


INNER = (
    b"Subject: inner\r\nFrom: a@x.y\r\nX-Long: " + b"word " * 40 + b"\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)


def inner_messages():
    """Yield the same message in each form that can be attached."""
    yield EmailMessage("inner", "größer\n", "a@x.y", ["b@x.y"])
    source = INNER + "größer\r\n".encode()
    yield source
    yield source.decode()
    yield email.message_from_bytes(source, policy=email.policy.default)
    yield email.message_from_bytes(source)


@pytest.mark.row("A6")
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("content", [*inner_messages()], ids=lambda content: type(content).__name__)
def test_a_message_is_attached_and_not_encoded(content, policy):
    message = EmailMessage("s", "b")
    message.attach("m.eml", content, "message/rfc822")
    message.attach("none.eml", content, "message/rfc822")
    for part in attached(message, policy):
        assert part.get_content_type() == "message/rfc822"
        assert part["Content-Transfer-Encoding"] in {None, "7bit", "8bit"}
        inner = part.get_content()
        assert inner["Subject"] == "inner"
        assert inner.get_content().replace("\r\n", "\n") == "größer\n"
    if policy.cte_type == "7bit":
        assert message.message(policy=policy).as_bytes().isascii()


@pytest.mark.row("A6", "X9")
def test_headers_of_an_attached_message_are_not_folded_anew():
    """The standard library decodes an encoded word in a long header, line breaks and all, and writes it so."""
    source = (
        b"Subject: " + b"x" * 60 + b" =?utf-8?q?a=0D=0ABcc=3A_evil=40example=2Ecom?= "
        b"and more\nTo: a@x.y\n\nbody\n"
    )
    message = EmailMessage("s", "b", attachments=[("m.eml", source, "message/rfc822")])
    content = message.message(policy=email.policy.SMTP).as_bytes().replace(b"\r\n", b"\n")
    assert source.rstrip() in content
    (part,) = attached(message)
    assert part.get_content().keys() == ["Subject", "To"]


@pytest.mark.row("A6")
def test_an_attached_message_of_the_program_is_left_as_it_was():
    inner = PythonMessage()
    inner["Subject"] = "inner"
    inner.set_content("größer")
    before = inner.as_bytes()
    message = EmailMessage("s", "b", attachments=[("m.eml", inner, "message/rfc822")])
    message.message(policy=email.policy.SMTP.clone(cte_type="7bit")).as_bytes()
    assert inner.as_bytes() == before


@pytest.mark.row("A7")
@pytest.mark.parametrize(
    "name",
    [
        "plain name.txt",
        "größer.txt",
        "日本語" * 30 + ".pdf",
        "x" * 300 + ".pdf",
        'quo"ted.txt',
        "back\\slash.txt",
        "100%.txt",
        "a;b=c.txt",
        "=?utf-8?q?a=0D=0ABcc=3A_x?=",
        "tab\there\x07.txt",
        "an'apostrophe.txt",
    ],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_file_name_in_any_letters_arrives(name, policy):
    message = EmailMessage("s", "b", attachments=[(name, b"x", "application/pdf")])
    content = message.message(policy=policy).as_bytes()
    assert content.isascii()
    assert all(len(line) <= 78 for line in content.splitlines())
    (part,) = attached(message, policy)
    assert part.get_filename() == name


@given(
    st.text(st.characters(exclude_characters="\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1)
)
@example("<>")
@example('"a"')
@settings(deadline=None)
@pytest.mark.row("A7", "X9")
def test_any_file_name_is_one_parameter(name):
    message = EmailMessage("s", "b", attachments=[(name, b"x", "application/pdf")])
    (part,) = attached(message)
    assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
    expected = name.encode("utf-8", "backslashreplace").decode()
    # The standard library strips it, and takes quotation marks and angle brackets around it for its own.
    assert part.get_filename() == email.utils.unquote(expected).strip()
    assert part["Content-Disposition"].params.keys() == {"filename"}


@pytest.mark.row("X9")
@pytest.mark.parametrize("character", "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
@pytest.mark.parametrize("kind", [str, Lazy])
def test_a_line_break_in_a_file_name_is_refused(kind, character):
    message = EmailMessage("s", "b")
    message.attach(kind(f"a{character}b"), b"x", "application/pdf")
    with pytest.raises(ValueError, match="line break"):
        message.message()
