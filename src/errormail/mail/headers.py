"""
Header fields: what may stand in one, and the exact lines it becomes (RFC 5322 section 2.2, RFC 2047).

The lines are made here and handed to the standard library as they are. What its own folding makes of hostile text
depends on the version: an encoded word that holds CR LF could end a header in it (CVE-2024-6923, CVE-2026-1299), a long
message id became an encoded word, a quoted name lost its quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from errormail._addresses import parse_address
from errormail.mail.folding import Piece, phrase, text_pieces
from errormail.mail.written import is_utf8, write_header

if TYPE_CHECKING:
    from errormail.mail.written import AnyMessage

__all__ = ["BadHeaderError", "envelope_address", "header_text", "set_address_header", "set_header"]

BadHeaderError = ValueError
"""Django's name. The same class since Django 6.1."""

ADDRESS_HEADERS = frozenset(
    [
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "resent-from",
        "resent-sender",
        "resent-to",
        "resent-cc",
    ]
)

_NAME = re.compile(r"[!-9;-~]{1,76}")
"""RFC 5322 section 2.2, and short enough that a value begins on the same line."""
_LINE_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Where `str.splitlines` breaks."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_GROUP = re.compile(r'\s*((?:"(?:[^"\\]|\\.)*"|[^":<>@])+):(.*);\s*')


def header_text(value: object, *, name: str) -> str:
    """
    Return *value* as text for the header *name*.

    Args:
        value: A str, an object with a ``__str__``, a datetime (for Date), or bytes in UTF-8.

    Raises:
        ValueError: There is a line break in it.
        TypeError: It is None.
    """
    if value is None:
        raise TypeError(f"header {name}: expected text, got None")
    if isinstance(value, datetime):
        value = format_datetime(value)
    elif isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "backslashreplace")
    text = str.__str__(str(value))  # a subclass of str may have methods of its own
    if _LINE_BREAK.search(text):
        raise ValueError(f"header {name}: {text!r} has a line break in it")
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def set_header(message: AnyMessage, name: object, value: object) -> None:
    """
    Add the header *name* to *message*, encoded and folded.

    What *value* says is text: where it looks like an encoded word, it is encoded once more, and a reader sees it as it
    was given. Addresses belong into `set_address_header`, which this calls for their headers.

    Raises:
        ValueError: The name is no header's, or there is a line break in name or value, or an address is none.
        TypeError: *value* is None.
    """
    field = checked_name(name)
    if field.lower() in ADDRESS_HEADERS:
        set_address_header(message, field, split_addresses(header_text(value, name=field)))
        return
    text = header_text(value, name=field)
    write_header(message, field, text_pieces(field, text, utf8=is_utf8(message.policy)))


def set_address_header(message: AnyMessage, name: str, addresses: Iterable[object]) -> None:
    """
    Add the header *name* that lists *addresses*, each one mailbox. Without any there is no such header.

    Raises:
        ValueError: One is not exactly one mailbox, or it has letters before the at sign that mail cannot carry.
    """
    utf8 = is_utf8(message.policy)
    pieces = _listed([_group_or_mailbox(address, utf8) for address in addresses])
    if pieces:
        write_header(message, name, pieces)


def checked_name(name: object) -> str:
    """Return *name* if it can be that of a header; raises ValueError."""
    text = str.__str__(str(name))
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header")
    return text


def envelope_address(text: object) -> str:
    """
    Return the address alone of the one mailbox in *text*, as SMTP takes it: ASCII, the domain in IDNA.

    Raises:
        ValueError: *text* is not exactly one mailbox, or it has letters before the at sign that SMTP cannot carry.
    """
    return ascii_address(parse_address(text)[1])


def ascii_address(address: str) -> str:
    """Return *address* with its domain in IDNA; raises ValueError where that is not enough, or not possible."""
    local, at, domain = address.rpartition("@") if "@" in address else (address, "", "")
    if not local.isascii():
        raise ValueError(f"{address!r}: what is before the at sign must be ASCII")
    return local + at + ascii_domain(domain)


def ascii_domain(domain: str) -> str:
    """Return *domain* in IDNA (RFC 3490, what Python has), ASCII unchanged; raises ValueError."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{domain!r} is not the name of a domain: {error}") from error


def split_addresses(text: str) -> list[str]:
    """Return the mailboxes and groups of a header's value: what is between its commas, as it stands."""
    parts: list[str] = []
    begin, depth, group = 0, 0, False
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|\\.|[(),:;]', text):
        found = match[0]
        depth += {"(": 1, ")": -1}.get(found, 0)
        if depth:
            continue
        if found == ":":
            group = True
        elif found == ";":
            group = False
        elif found == "," and not group:
            parts.append(text[begin : match.start()])
            begin = match.end()
    parts.append(text[begin:])
    return [part.strip(" \t") for part in parts if part.strip(" \t")]


def _group_or_mailbox(address: object, utf8: bool) -> list[Piece]:
    """Return the pieces of a mailbox, or of a group (RFC 5322 section 3.4): ``undisclosed-recipients:;``."""
    text = str.__str__(str(address))
    group = _GROUP.fullmatch(text)
    if group is None:
        return _mailbox(text, utf8)
    name, _ = parse_address(f"{group[1]} <group>")
    members = [_mailbox(member, utf8) for member in split_addresses(group[2])]
    return [*phrase(name, utf8=utf8), Piece("", ":"), *_listed(members), Piece("", ";")]


def _mailbox(text: str, utf8: bool) -> list[Piece]:
    name, address = parse_address(text)
    if not utf8:
        address = ascii_address(address)
    return [*phrase(name, utf8=utf8), Piece(" ", f"<{address}>")] if name else [Piece(" ", address)]


def _listed(items: Iterable[list[Piece]]) -> list[Piece]:
    """Return the pieces of all *items*, with commas between them."""
    pieces: list[Piece] = []
    for item in items:
        pieces += [Piece("", ","), *item] if pieces else item
    return pieces
