"""
One mail address: is it one, and which name goes with it? (RFC 5322 section 3.4)

Whatever passes here can stand in a header and in an envelope: it holds no character at which a line could end, not even
inside an encoded word (CVE-2024-6923, CVE-2026-1299). The parser is our own because those of the standard library
differ from one version to the next in what they let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import cast

__all__ = ["format_address", "parse_address", "to_strings"]

LONGEST_ADDRESS = 320
"""Characters: 64 for the local part, an at sign, 255 for the domain (RFC 5321 section 4.5.3.1)."""
LONGEST_MAILBOX = 2000
"""Characters of name and address together; our own bound."""

_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, what `str.splitlines` breaks at, and lone surrogates, which cannot be encoded."""
_ATOM = r"[\w!#$%&'*+/=?^`{|}~\-\U000000a0-\U0010ffff]+"
"""RFC 5322 section 3.2.3; letters of any script by RFC 6532."""
_TOKEN = re.compile(
    rf"""
    (?P<space> [ \t]+ )
    | (?P<atom> {_ATOM} )
    | (?P<quoted> " (?: [^"\\] | \\. )* " )
    | (?P<literal> \[ [!-Z^-~]+ \] )
    | (?P<special> [<>@.] )
    """,
    re.VERBOSE,
)
_PLAIN_NAME = re.compile(rf"(?:{_ATOM}[ ])*{_ATOM}")
"""A name that needs no quotes."""
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED_PAIR = re.compile(r"\\(.)")
_ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]+)(?:\*[^?]*)?\?([bBqQ])\?([!->@-~]*)\?=")
"""RFC 2047 section 2: charset, encoding and encoded text; RFC 2231 section 5 adds a language."""

_Token = tuple[str, str]
"""Kind, as the groups of _TOKEN are called, and text."""


def parse_address(text: object) -> tuple[str, str]:
    """
    Return name and address of the one mailbox in *text*: ``("Ops", "ops@example.com")`` of ``"Ops <ops@example.com>"``.

    A local part alone (``root``) is an address: the mail server completes it. Domains come back as they are, comments
    do not come back at all. An encoded word in the name (RFC 2047) is decoded.

    Args:
        text: A str, or an object whose ``__str__`` gives one.

    Raises:
        ValueError: *text* is not exactly one mailbox.
    """
    plain = str.__str__(str(text))  # a subclass of str may have methods of its own
    if _UNSAFE.search(plain):
        raise ValueError(f"{plain!r} has a control character or a line break in it")
    if len(plain) > LONGEST_MAILBOX:
        raise ValueError(f"{plain[:50]!r}... is too long for a mail address")
    refusal = ValueError(f"{plain!r} is not exactly one mail address")
    tokens = _tokens(plain)
    if tokens is None:
        raise refusal
    name, address = _split(tokens)
    if not _is_address(address):
        raise refusal
    display_name = _display_name(name)
    if display_name is None or _UNSAFE.search(display_name):
        raise refusal
    return display_name, _joined(address)


def format_address(name: object, address: str) -> str:
    """
    Return ``name <address>`` as `parse_address` reads it, the name in quotes if it needs them.

    Raises:
        ValueError: *name* holds a control character or a line break.
    """
    plain = _one_line(str.__str__(str(name)))
    if _UNSAFE.search(plain):
        raise ValueError(f"{plain!r} has a control character or a line break in it")
    if not plain:
        return address
    if not _PLAIN_NAME.fullmatch(plain) or "=?" in plain or not plain.isprintable():
        escaped = re.sub(r'(["\\])', r"\\\1", plain)
        plain = f'"{escaped}"'
    return f"{plain} <{address}>"


def to_strings(entries: Iterable[object]) -> list[str]:
    """
    Return the *entries* of a setting like ADMINS as ``"Name <address>"`` strings.

    Args:
        entries: A list or tuple of addresses, of ``"Name <address>"`` strings or objects with such a ``__str__``, and
            of pairs of name and address.

    Raises:
        ValueError: It has another shape, or an entry is not exactly one mailbox.
    """
    if not isinstance(entries, (list, tuple)):
        raise ValueError(f"expected a list or tuple of addresses, got {type(entries).__name__}")
    return [_to_string(entry) for entry in cast("Sequence[object]", entries)]


def _to_string(entry: object) -> str:
    if isinstance(entry, (list, tuple)):
        pair = cast("Sequence[object]", entry)
        if len(pair) != 2:
            raise ValueError(f"expected a pair of name and address, got {len(pair)} items")
        name, address = parse_address(pair[1])
        return format_address(pair[0] or name, address)
    if isinstance(entry, (bytes, bytearray, int, float, dict, set)) or entry is None:
        raise ValueError(f"expected an address, got {entry!r}")
    return format_address(*parse_address(entry))


def _tokens(text: str) -> list[_Token] | None:
    """Return the tokens of *text* without comments, None if there is a character that cannot stand where it does."""
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at] == "(":
            end = _end_of_comment(text, at)
            if end is None:
                return None
            tokens.append(("space", " "))
            at = end
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        tokens.append((str(match.lastgroup), match[0]))
        at = match.end()
    while tokens and tokens[0][0] == "space":
        tokens.pop(0)
    while tokens and tokens[-1][0] == "space":
        tokens.pop()
    return tokens


def _end_of_comment(text: str, at: int) -> int | None:
    """Return where the comment that begins at *at* has ended; comments nest (RFC 5322 section 3.2.2)."""
    depth = 0
    while at < len(text):
        character = text[at]
        at += 2 if character == "\\" else 1
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return at
    return None


def _split(tokens: list[_Token]) -> tuple[list[_Token], list[_Token]]:
    """Return the tokens of the name and those of the address; the latter empty if angle brackets are out of place."""
    opening = ("special", "<")
    if opening not in tokens:
        return [], tokens
    begin = tokens.index(opening)
    if tokens[-1] != ("special", ">"):
        return [], []
    return tokens[:begin], [token for token in tokens[begin + 1 : -1] if token[0] != "space"]


def _is_address(tokens: list[_Token]) -> bool:
    local, at, domain = _partition(tokens)
    if not local:
        return False
    is_local = _is_dotted(local) or (len(local) == 1 and local[0][0] == "quoted")
    is_domain = _is_dotted(domain) or (len(domain) == 1 and domain[0][0] == "literal")
    # An empty quoted string is grammatical, and no mailbox.
    return (
        is_local
        and local != [("quoted", '""')]
        and "=?" not in _joined(tokens)  # a reader may take it for an encoded word
        and not re.search(r"\s", _joined(domain))
        and (is_domain or not at)
        and len(_joined(tokens)) <= LONGEST_ADDRESS
    )


def _partition(tokens: list[_Token]) -> tuple[list[_Token], bool, list[_Token]]:
    """Return what is before the first at sign, whether there is one, and what is after it."""
    at = ("special", "@")
    if at not in tokens:
        return tokens, False, []
    place = tokens.index(at)
    return tokens[:place], True, tokens[place + 1 :]


def _is_dotted(tokens: list[_Token]) -> bool:
    """Are these atoms with single dots between them?"""
    words, dots = tokens[::2], tokens[1::2]
    return (
        len(words) == len(dots) + 1
        and all(kind == "atom" for kind, _ in words)
        and all(token == ("special", ".") for token in dots)
    )


def _joined(tokens: list[_Token]) -> str:
    """Return the address of *tokens*, its local part without quotes if it needs none."""
    texts = [text for _, text in tokens]
    if tokens and tokens[0][0] == "quoted":
        content = _QUOTED_PAIR.sub(r"\1", texts[0][1:-1])
        if _DOT_ATOM.fullmatch(content):
            texts[0] = content
    return "".join(texts)


def _display_name(tokens: list[_Token]) -> str | None:
    """Return the text of a display name (a phrase, RFC 5322 section 3.2.5), None if it is none."""
    if any(kind == "literal" or (kind == "special" and text != ".") for kind, text in tokens):
        return None
    name, space, was_encoded = "", "", False
    for kind, text in tokens:
        if kind == "space":
            space = " "
            continue
        decoded = _decoded(text) if kind == "atom" else None
        if decoded is None:
            name += space + (_QUOTED_PAIR.sub(r"\1", text[1:-1]) if kind == "quoted" else text)
        else:  # a space between two encoded words is no text (RFC 2047 section 6.2)
            name += decoded if was_encoded else space + decoded
        space, was_encoded = "", decoded is not None
    return _one_line(name)


def _one_line(name: str) -> str:
    """Return *name* with single spaces: more of them mean nothing in a display name."""
    return re.sub("[ \t]+", " ", name).strip(" ")


def _decoded(atom: str) -> str | None:
    """Return the text of an encoded word (RFC 2047), None if *atom* is none that can be read."""
    match = _ENCODED_WORD.fullmatch(atom)
    if match is None:
        return None
    import binascii

    charset, encoding, text = match.groups()
    try:
        if encoding in "bB":
            content = binascii.a2b_base64(text + "=" * (-len(text) % 4))
        else:
            content = binascii.a2b_qp(text, header=True)
        return content.decode(charset, "replace")
    except (ValueError, LookupError):
        return None
