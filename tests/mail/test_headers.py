"""Headers: whatever stands in one, the bytes of the message parse back to exactly the headers that were meant."""

from __future__ import annotations

import copy
import email
import email.policy
import pickle
import re
from email.message import EmailMessage as PythonMessage

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from errormail._addresses import parse_address
from errormail.mail import BadHeaderError, EmailMessage
from errormail.mail.folding import LINE_LENGTH, LONGEST_LINE, fold, phrase, text_pieces
from errormail.mail.headers import (
    envelope_address,
    set_address_header,
    set_header,
    split_addresses,
)
from errormail.mail.written import keep_headers

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
POLICIES = [
    email.policy.default,
    email.policy.SMTP,
    email.policy.SMTPUTF8,
    email.policy.default.clone(cte_type="7bit"),
    email.policy.default.clone(max_line_length=60),
    email.policy.default.clone(max_line_length=None, refold_source="all"),
]
INJECTION = "=?utf-8?q?a=0D=0ABcc=3A_evil=40example=2Ecom?="
WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            [" ", "  ", "\t", "a", "word", "é", "日本語", "€", "=?", "?=", "x" * 80, '"', "\\"]
        ),
        st.sampled_from(
            [INJECTION, "=?utf-8?b?DQpCY2M6IHg=?=", ",", "<a@b>", ";", ":", "\0", "\x7f", "\xa0"]
        ),
        st.characters(exclude_characters=LINE_BREAKS, exclude_categories=["Cs"]),
    )
).map("".join)


class Subclass(str):
    """A str that lies about itself."""

    __slots__ = ()

    def __str__(self):
        return self

    def __contains__(self, item):
        return False

    def splitlines(self, keepends=False):
        return [self]


class Lazy:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


def message_with(name, value, policy=email.policy.default):
    message = PythonMessage(policy=policy)
    set_header(message, name, value)
    set_header(message, "X-After", "1")
    return message


def parsed(content):
    if content.isascii():
        return email.message_from_bytes(content, policy=email.policy.default)
    return email.message_from_string(content.decode(), policy=email.policy.default)  # RFC 6532


@given(WORDS, st.sampled_from(["Subject", "Comments", "X-Shop"]), st.sampled_from(POLICIES))
@settings(max_examples=400, deadline=None)
@pytest.mark.row("X9")
def test_any_text_is_read_back_as_it_was_given(text, name, policy):
    message = message_with(name, text, policy)
    content = message.as_bytes()
    read = parsed(content)
    assert read.keys() == [name, "X-After"]
    assert str(read[name]) == text.strip(" \t")
    assert str(message[name]) == text.strip(" \t")
    lines = content.split(policy.linesep.encode())
    assert not any(b"\n" in line or b"\r" in line or len(line) > LONGEST_LINE for line in lines)


@given(WORDS, st.sampled_from(["References", "Message-ID", "Date", "List-Unsubscribe"]))
@settings(deadline=None)
@pytest.mark.row("X9")
def test_any_text_in_a_structured_header_ends_no_header(text, name):
    try:
        content = message_with(name, text).as_bytes()
    except ValueError:  # too long a line
        assert len(text) > 900
        return
    assert parsed(content).keys() == [name, "X-After"]
    assert email.message_from_bytes(content).keys() == [name, "X-After"]


NAMES = WORDS.map(lambda text: re.sub(r"[\0\x07\x7f\x80-\x9f]|[\x00-\x1f]", "", text))


@given(st.lists(NAMES, min_size=1, max_size=5), st.sampled_from(POLICIES))
@settings(max_examples=400, deadline=None)
@pytest.mark.row("X9", "M10")
def test_any_names_are_read_back_as_they_were_given(names, policy):
    message = PythonMessage(policy=policy)
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names]
    set_address_header(
        message, "To", [f'"{name}" <u{at}@example.com>' for at, name in enumerate(quoted)]
    )
    set_header(message, "X-After", "1")
    content = message.as_bytes()
    read = parsed(content)
    assert read.keys() == ["To", "X-After"]
    addresses = read["To"].addresses
    assert [address.addr_spec for address in addresses] == [
        f"u{at}@example.com" for at in range(len(names))
    ]
    for address, name in zip(addresses, names, strict=True):
        # The parser is not exact with white space: ours, below, is.
        assert "".join(address.display_name.split()) == "".join(name.split())
    value = content.decode().removeprefix("To: ").rpartition("X-After")[0]
    written = split_addresses(re.sub(r"\r?\n", "", value))
    assert [parse_address(mailbox)[0] for mailbox in written] == [
        " ".join(part for part in name.split(" ") if part) for name in names
    ]
    assert all(len(line) <= LONGEST_LINE for line in content.splitlines())


@pytest.mark.parametrize("character", LINE_BREAKS)
@pytest.mark.parametrize("kind", [str, Subclass, Lazy, lambda text: Lazy(Subclass(text))])
@pytest.mark.parametrize(
    "name", ["Subject", "X-Shop", "To", "From", "Message-ID", "Date", "References"]
)
@pytest.mark.row("X9")
def test_a_line_break_in_a_value_is_refused(name, kind, character):
    with pytest.raises(BadHeaderError):
        message_with(name, kind(f"a{character}Bcc: evil@example.com"))
    with pytest.raises(BadHeaderError):
        message_with(name, kind(f"a{character}"))


@pytest.mark.parametrize("kind", [str, Subclass, Lazy])
@pytest.mark.parametrize(
    "name", ["X\nBcc", "X\r\nBcc: evil@example.com\r\nX", "X:", "X Y", "", "Ü", "X\x00", "x" * 80]
)
@pytest.mark.row("X9")
def test_what_is_no_name_of_a_header_is_refused(name, kind):
    with pytest.raises(ValueError, match="not the name of a header"):
        message_with(kind(name), "value")


def test_none_is_no_value():
    with pytest.raises(TypeError, match="X-Shop"):
        message_with("X-Shop", None)


def test_bytes_are_taken_for_utf_8():
    assert str(message_with("X-Shop", "é".encode())["X-Shop"]) == "é"
    assert str(message_with("X-Shop", b"\xe9")["X-Shop"]) == "\\xe9"


def test_lone_surrogates_become_visible():
    assert str(message_with("Subject", "a\udc80b")["Subject"]) == "a\\udc80b"


@pytest.mark.row("X9")
def test_an_encoded_word_with_line_breaks_stays_text():
    """CVE-2024-6923 and CVE-2026-1299."""
    for policy in POLICIES:
        content = message_with("Subject", f"{INJECTION} {'x' * 100} {INJECTION}", policy).as_bytes()
        assert b"Bcc" not in content.replace(b"=3F", b"").split(b"X-After")[0] or parsed(
            content
        ).keys() == ["Subject", "X-After"]
        assert INJECTION in str(parsed(content)["Subject"])
    refolded = parsed(content).as_bytes(policy=email.policy.SMTP)
    assert parsed(refolded)["Bcc"] is None


# -- folding ----------------------------------------------------------------------------------------


def lines_of(name, text, longest=LINE_LENGTH):
    return f"{name}: {fold(name, text_pieces(name, text), longest)}".split("\n")


@pytest.mark.row("M10")
def test_a_long_header_is_folded_at_spaces():
    lines = lines_of("Subject", "word " * 60)
    assert len(lines) > 3
    assert all(len(line) <= LINE_LENGTH for line in lines)
    assert all(line.startswith(" word") for line in lines[1:])


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=300))
@settings(deadline=None)
def test_no_line_of_a_subject_is_longer_than_it_should_be(text):
    for given_text in (text, text + "é", f"é {text}", f"{text} é"):
        assert all(len(line) <= LINE_LENGTH for line in lines_of("Subject", given_text))


@given(WORDS)
@settings(deadline=None)
def test_no_line_is_blank(text):
    assume(text.strip(" \t"))
    assert all(line.strip() for line in lines_of("Subject", text))


@pytest.mark.row("M10")
def test_only_what_needs_it_is_encoded():
    assert lines_of("Subject", "Order of Jörg is here") == [
        "Subject: Order of =?utf-8?B?SsO2cmc=?= is here"
    ]
    assert lines_of("Subject", "日本語") == ["Subject: =?utf-8?B?5pel5pys6Kqe?="]


@pytest.mark.row("M10")
def test_an_encoded_word_has_whole_characters_and_the_right_length():
    for text in ("é" * 300, "日本語" * 100, "\U0001f600" * 50, "a\0" * 200):
        words = re.findall(r"=\?utf-8\?[BQ]\?[^?]*\?=", "\n".join(lines_of("Subject", text)))
        assert len(words) > 2
        assert all(len(word) <= 75 for word in words)
        assert "".join(str(message_with("Subject", word)["Subject"]) for word in words)
        decoded = [str(parsed(f"Subject: {word}\n\n".encode())["Subject"]) for word in words]
        assert "".join(decoded) == text


def test_a_name_is_not_divided_where_a_line_has_room_for_it():
    name = "Ä" * 12
    header = address_header(*[f"{name} <u{at}@example.com>" for at in range(20)])
    assert header.count("=?utf-8?") == 20
    assert all(len(line) <= LINE_LENGTH for line in header.split("\n"))


def test_a_word_that_must_not_be_encoded_is_left_alone():
    url = "<https://example.com/" + "x" * 200 + ">"
    assert lines_of("List-Unsubscribe", url) == [f"List-Unsubscribe: {url}"]
    identity = f"<{'x' * 100}@example.com>"
    assert lines_of("References", f"{identity} {identity}") == [
        f"References: {identity}",
        f" {identity}",
    ]


def test_a_line_that_mail_cannot_carry_is_refused():
    with pytest.raises(ValueError, match="998"):
        fold("X-Shop", phrase("a" * 1500))


def test_a_message_id_that_only_looks_like_an_encoded_word_is_left_alone():
    assert lines_of("In-Reply-To", "<a=?b@example.com>") == ["In-Reply-To: <a=?b@example.com>"]


def test_with_smtputf8_letters_stand_as_they_are():
    message = message_with("Subject", "Grüße aus Köln", email.policy.SMTPUTF8)
    set_address_header(message, "To", ["Jörg <jörg@müller.de>", '"Ä, B" <b@example.com>'])
    content = message.as_bytes().decode()
    assert "Subject: Grüße aus Köln\r\n" in content
    assert 'To: Jörg <jörg@müller.de>, "Ä, B" <b@example.com>\r\n' in content


def test_other_letters_made_for_smtputf8_can_be_written_without_it():
    message = message_with("Subject", "Grüße", email.policy.SMTPUTF8)
    content = message.as_bytes(policy=email.policy.SMTP.clone(cte_type="7bit"))
    assert content.isascii()
    assert str(parsed(content)["Subject"]) == "Grüße"


def test_a_header_reads_like_one_of_the_standard_library():
    message = PythonMessage()
    set_address_header(message, "To", ['"A, B" <a@example.com>', "c@example.com"])
    set_header(message, "Date", "Wed, 25 Nov 2026 04:54:01 +0000")
    assert message["To"] == '"A, B" <a@example.com>, c@example.com'
    assert [address.display_name for address in message["To"].addresses] == ["A, B", ""]
    assert message["Date"].datetime.year == 2026


@pytest.mark.parametrize("text", ["short é", "long é " * 3000])
def test_a_message_with_such_headers_is_copied_and_pickled(text):
    message = message_with("Subject", text)
    for again in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert again.as_bytes() == message.as_bytes()


def test_a_gigantic_header_is_written_fast():
    content = message_with("X-Shop", "word é " * 50_000).as_bytes()
    assert max(map(len, content.splitlines())) <= LINE_LENGTH


def test_what_the_parser_chokes_on_is_a_header_all_the_same(monkeypatch):
    from errormail.mail import written

    def broken(name, value):
        raise IndexError

    monkeypatch.setattr(written, "_REGISTRY", broken)
    assert str(message_with("X-Shop", "value")["X-Shop"]) == "value"


def test_a_legacy_policy_gets_the_same_lines():
    message = message_with("Subject", "é" * 100, email.policy.compat32)
    assert parsed(message.as_bytes())["Subject"] == "é" * 100


# -- addresses --------------------------------------------------------------------------------------


def address_header(*addresses, policy=email.policy.default):
    message = PythonMessage(policy=policy)
    set_address_header(message, "To", addresses)
    return message.as_bytes().decode().split("\n\n")[0]


@pytest.mark.row("M10")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Jane Doe <jane@example.com>", "Jane Doe <jane@example.com>"),
        ('"Doe, Jane" <jane@example.com>', '"Doe, Jane" <jane@example.com>'),
        ("J. Doe <jane@example.com>", '"J. Doe" <jane@example.com>'),
        (r'"a\"b" <jane@example.com>', r'"a\"b" <jane@example.com>'),
        ("Jörg <j@example.com>", "=?utf-8?B?SsO2cmc=?= <j@example.com>"),
        ('"Jörg, M" <j@example.com>', "=?utf-8?B?SsO2cmcsIE0=?= <j@example.com>"),
        ("=?utf-8?b?SsO2cmc=?= <j@example.com>", "=?utf-8?B?SsO2cmc=?= <j@example.com>"),
        ('"=?utf-8?q?a?=" <j@example.com>', "=?utf-8?B?PT91dGYtOD9xP2E/PQ==?= <j@example.com>"),
    ],
)
def test_a_name_is_quoted_or_encoded_as_it_needs(address, expected):
    assert address_header(address) == f"To: {expected}"


@pytest.mark.row("M11")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("j@müller.de", "j@xn--mller-kva.de"),
        ("J <j@müller.de>", "J <j@xn--mller-kva.de>"),
        ("j@xn--mller-kva.de", "j@xn--mller-kva.de"),
        ("j@παράδειγμα.ελ", "j@xn--hxajbheg2az3al.xn--qxam"),
    ],
)
def test_a_domain_in_other_letters_becomes_idna(address, expected):
    assert address_header(address) == f"To: {expected}"
    assert envelope_address(address) == expected.removeprefix("J <").removesuffix(">")


@pytest.mark.row("M11", "X10")
def test_a_domain_that_has_no_idna_is_refused():
    with pytest.raises(ValueError, match="not the name of a domain"):
        envelope_address(f"j@{'ü' * 100}.de")


@pytest.mark.row("M12")
def test_an_address_may_be_a_local_part_alone():
    assert address_header("root", "Root <root>") == "To: root, Root <root>"
    assert envelope_address("Root <root>") == "root"


@pytest.mark.row("B9")
def test_other_letters_before_the_at_sign_need_smtputf8():
    with pytest.raises(ValueError, match="must be ASCII"):
        address_header("jörg@example.com")
    with pytest.raises(ValueError, match="must be ASCII"):
        envelope_address("jörg@example.com")


@pytest.mark.row("X10")
def test_an_envelope_address_is_one_mailbox():
    assert envelope_address("Ops <ops@example.com>") == "ops@example.com"
    for text in ("a@b.c, d@e.f", "a@b.c d@e.f", "<a@b.c> SIZE=1", "a@b.c>\r\nRCPT TO:<d@e.f", ""):
        with pytest.raises(ValueError, match=r"address|line break"):
            envelope_address(text)


def test_a_list_of_addresses_is_split_at_its_commas():
    text = r' "a, \"b" <a@b.c> , (x, (y)) d@e.f,, g: h@i.j, k@l.m;, n@o.p '
    assert split_addresses(text) == [
        r'"a, \"b" <a@b.c>',
        "(x, (y)) d@e.f",
        "g: h@i.j, k@l.m;",
        "n@o.p",
    ]


def test_a_group_can_stand_in_a_header():
    message = message_with("To", "undisclosed-recipients:;")
    assert message.as_bytes().startswith(b"To: undisclosed-recipients:;\n")
    message = message_with("To", '"A, B": Jörg <j@müller.de>, k@l.m;, n@o.p')
    read = parsed(message.as_bytes())["To"]
    assert [group.display_name for group in read.groups] == ["A, B", None]
    assert [address.addr_spec for address in read.addresses] == [
        "j@xn--mller-kva.de",
        "k@l.m",
        "n@o.p",
    ]


def test_many_addresses_are_folded_between_them():
    header = address_header(*[f"User Number {at} <user{at}@example.com>" for at in range(50)])
    assert all(len(line) <= LINE_LENGTH for line in header.split("\n"))
    assert len(parsed(header.encode())["To"].addresses) == 50


@pytest.mark.row("X9")
@given(text=WORDS)
@settings(max_examples=150, deadline=None)
def test_a_whole_message_has_exactly_its_headers(text):
    message = EmailMessage(
        text, text, "a@example.com", ["b@example.com"], headers={"X-Shop": text, "Comments": text}
    )
    message.attach(text, b"content", "application/pdf")
    expected = ["Subject", "From", "To", "Date", "Message-ID", "X-Shop", "Comments"]
    expected += ["MIME-Version", "Content-Type"]
    for policy in POLICIES:
        read = parsed(message.message(policy=policy).as_bytes())
        assert read.keys() == expected
        assert [str(read[name]) for name in ("Subject", "X-Shop", "Comments")] == [
            text.strip(" \t")
        ] * 3
        (attachment,) = read.iter_attachments()
        assert attachment.keys() == [
            "Content-Type",
            "Content-Transfer-Encoding",
            "Content-Disposition",
        ]
        assert attachment.get_content() == b"content"


def test_headers_of_a_parsed_message_are_kept():
    source = (
        b"Subject: =?utf-8?q?a=0D=0ABcc=3A_x?= " + b"y" * 100 + b"\n"
        b"References: <a@b.c>\n\t<d@e.f>\n"
        b"\n"
        b"body\n"
    )
    for policy in (email.policy.default, email.policy.compat32):
        message = email.message_from_bytes(source, policy=policy)
        keep_headers(message)
        assert message.as_bytes(policy=email.policy.default) == source
