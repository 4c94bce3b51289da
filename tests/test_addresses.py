"""One mail address in a text: what counts as one, and what never passes."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errormail._addresses import format_address, parse_address, to_strings

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""Where str.splitlines breaks."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ops@example.com", ("", "ops@example.com")),
        ("Ops <ops@example.com>", ("Ops", "ops@example.com")),
        ("  Ops  Team  < ops@example.com > ", ("Ops Team", "ops@example.com")),
        ("<ops@example.com>", ("", "ops@example.com")),
        ("root", ("", "root")),
        ("Root <root>", ("Root", "root")),
        ('"Doe, Jane" <jane@example.com>', ("Doe, Jane", "jane@example.com")),
        (r'"a \"b\" \\ c" <jane@example.com>', (r'a "b" \ c', "jane@example.com")),
        ("J. R. Doe <jr@example.com>", ("J. R. Doe", "jr@example.com")),
        ("Jörg Müller <j@müller.de>", ("Jörg Müller", "j@müller.de")),
        ("δοκιμή@παράδειγμα.ελ", ("", "δοκιμή@παράδειγμα.ελ")),
        ('"john doe"@example.com', ("", '"john doe"@example.com')),
        ('"john.doe"@example.com', ("", "john.doe@example.com")),
        ("jane@[192.0.2.1]", ("", "jane@[192.0.2.1]")),
        ("jane@[IPv6:2001:db8::1]", ("", "jane@[IPv6:2001:db8::1]")),
        ("jane@example.com (Jane (at home) \\) x)", ("", "jane@example.com")),
        ("o'hara+tag@example.com", ("", "o'hara+tag@example.com")),
        ("=?utf-8?q?J=C3=B6rg?= <j@example.com>", ("Jörg", "j@example.com")),
        ("=?UTF-8?B?SsO2?= =?iso-8859-1?Q?rg=20?= x <j@example.com>", ("Jörg x", "j@example.com")),
        ("a =?utf-8*de?q?b_c?= <j@example.com>", ("a b c", "j@example.com")),
        ("=?utf-8?q?Doe=2C_Jane?= <j@example.com>", ("Doe, Jane", "j@example.com")),
        # Not decoded: inside quotes (RFC 2047 section 5), of a charset that is none, or broken.
        ('"=?utf-8?q?a?=" <j@example.com>', ("=?utf-8?q?a?=", "j@example.com")),
        ("=?zip?q?a?= <j@example.com>", ("=?zip?q?a?=", "j@example.com")),
        ("=?utf-8?b?a?= <j@example.com>", ("=?utf-8?b?a?=", "j@example.com")),
    ],
)
def test_one_mailbox_is_parsed(text, expected):
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "<>",
        "Ops <>",
        "@example.com",
        "ops@",
        "ops@@example.com",
        "ops@example..com",
        "ops..team@example.com",
        ".ops@example.com",
        "ops.@example.com",
        "o ps@example.com",
        "ops@example.com, dev@example.com",
        "ops@example.com dev@example.com",
        "Doe, Jane <jane@example.com>",
        "jane@other.example <jane@example.com>",
        "Jane <jane@example.com> x",
        "Jane <jane@example.com",
        "Jane jane@example.com>",
        "Jane <<jane@example.com>>",
        "A <a@example.com> <b@example.com>",
        "team: jane@example.com;",
        '"Jane <jane@example.com>',
        "Jane (at home <jane@example.com>",
        "Jane) <jane@example.com>",
        '""@example.com',
        "[192.0.2.1] <jane@example.com>",
        "jane@[192.0.2.1",
        "jane@exam\\ple.com",
        "a" * 400 + "@example.com",
        "jane@example.com\u3000x",
        "=?utf-8?q?a=0D=0ABcc=3A_x?=@example.com",
    ],
)
@pytest.mark.row("X10")
def test_what_is_not_exactly_one_mailbox_is_refused(text):
    with pytest.raises(ValueError, match="mail address"):
        parse_address(text)


@pytest.mark.parametrize("character", [*LINE_BREAKS, "\0", "\x07", "\x7f", "\x9b", "\ud800"])
@pytest.mark.parametrize(
    "template", ["a{}b@example.com", "a@exam{}ple.com", "A{}b <a@b.c>", '"A{}b" <a@b.c>', "a@b.c{}"]
)
@pytest.mark.row("X9", "X10")
def test_a_control_character_is_refused(template, character):
    with pytest.raises(ValueError, match="control character"):
        parse_address(template.format(character))


@pytest.mark.parametrize(
    "word",
    [
        "=?utf-8?q?a=0D=0ABcc=3A_x?=",
        "=?utf-8?q?a=0A?=",
        "=?utf-8?b?YQ0KQmNjOiB4?=",
        "=?utf-8?q?a=E2=80=A8b?=",
        "=?iso-8859-1?q?a=85b?=",
        "=?utf-7?q?+AAo-?=",
        "=?unicode_escape?q?a=5Cnb?=",
        "=?utf-16?b?DQAKAA==?=",
    ],
)
@pytest.mark.row("X9")
def test_a_line_break_inside_an_encoded_word_is_refused(word):
    with pytest.raises(ValueError, match="mail address"):
        parse_address(f"{word} <jane@example.com>")


class Hostile(str):
    """Says something else of itself than it is."""

    __slots__ = ()

    def __str__(self):
        return self

    def __contains__(self, item):
        return False

    def __len__(self):
        return 1


class Lazy:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


@pytest.mark.parametrize("kind", [Hostile, Lazy, lambda text: Lazy(Hostile(text))])
@pytest.mark.row("X9")
def test_subclasses_and_lazy_objects_are_looked_into(kind):
    assert parse_address(kind("Ops <ops@example.com>")) == ("Ops", "ops@example.com")
    with pytest.raises(ValueError, match="line break"):
        parse_address(kind("Ops\n <ops@example.com>"))


NAMES = st.lists(
    st.one_of(
        st.sampled_from([" ", "a", ".", ",", '"', "\\", "=?utf-8?q?a?=", "<", "@", "(", ":", "é"]),
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    )
).map("".join)


@given(NAMES)
@settings(deadline=None)
def test_what_is_formatted_is_parsed_again(name):
    formatted = format_address(name, "jane@example.com")
    expected = " ".join(part for part in name.split(" ") if part)
    assert parse_address(formatted) == (expected, "jane@example.com")


@given(st.text())
@settings(deadline=None)
@example("=?utf-8?q?=0A?= <a@b>")
@example('"\\\n" <a@b>')
def test_any_text_is_a_safe_mailbox_or_refused(text):
    try:
        name, address = parse_address(text)
    except ValueError:
        return
    assert len((name + address + ".").splitlines()) == 1
    assert address
    assert parse_address(format_address(name, address)) == (name, address)
    message = email.message_from_string(
        f"To: {format_address(name, address)}\n\n", policy=email.policy.default
    )
    assert len(message["To"].addresses) == 1


def test_a_name_with_a_line_break_is_not_formatted():
    with pytest.raises(ValueError, match="line break"):
        format_address("a\nb", "jane@example.com")


@pytest.mark.parametrize("part", ["(", "()", '"' + "\\" * 99, "a.", "=?", "a ", "=?utf-8?q?a?= "])
def test_a_text_that_is_too_long_is_refused_before_it_is_parsed(part):
    with pytest.raises(ValueError, match="too long") as caught:
        parse_address(part * 100_000 + "<a@example.com>")
    assert len(str(caught.value)) < 200


@pytest.mark.row("F11")
def test_addresses_strings_with_names_and_pairs_become_strings():
    entries = [
        "dev@example.com",
        "Ops <ops@example.com>",
        ("Doe, Jane", "jane@example.com"),
        ["Jörg", "j@example.com"],
        ("", "root@example.com"),
        ("", "Root <root@example.com>"),
        Lazy("lazy@example.com"),
    ]
    assert to_strings(entries) == [
        "dev@example.com",
        "Ops <ops@example.com>",
        '"Doe, Jane" <jane@example.com>',
        "Jörg <j@example.com>",
        "root@example.com",
        "Root <root@example.com>",
        "lazy@example.com",
    ]
    assert to_strings(()) == []


@pytest.mark.parametrize(
    "entries",
    [
        "ops@example.com",
        {"ops@example.com"},
        None,
        [None],
        [1],
        [b"ops@example.com"],
        [("a", "b", "c")],
        [()],
        ["no address here"],
        [("Name", "no address here")],
        [("a\nb", "ops@example.com")],
    ],
)
@pytest.mark.row("F12")
def test_another_shape_is_refused(entries):
    with pytest.raises(ValueError, match=r"address|line break"):
        to_strings(entries)
