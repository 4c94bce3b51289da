"""
One mail address: is it one, and which name goes with it? (RFC 5322 section 3.4)

Whatever passes here can stand in a header and in an envelope: it holds no character at which a line could end, not even
inside an encoded word (CVE-2024-6923, CVE-2026-1299).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import cast

__all__ = ["format_address", "parse_address", "to_strings"]

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, what `str.splitlines` breaks at, and lone surrogates, which cannot be encoded."""
_PLAIN_NAME = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*")
"""A name that needs no quotes: atoms (RFC 5322 section 3.2.3) and spaces; letters of any script."""


def parse_address(text: str) -> tuple[str, str]:
    """
    Return name and address of the one mailbox in *text*: ``("Ops", "ops@example.com")`` of ``"Ops <ops@example.com>"``.

    A local part alone (``root``) is an address: the mail server completes it. Domains come back as they are.

    Raises:
        ValueError: *text* is not exactly one mailbox.
    """
    refusal = ValueError(f"{text!r} is not exactly one mail address")
    if _UNSAFE.search(text):
        raise ValueError(f"{text!r} has a control character or a line break in it")
    from email.errors import NonASCIILocalPartDefect, ObsoleteHeaderDefect
    from email.headerregistry import AddressHeader, HeaderRegistry

    try:
        header = cast(AddressHeader, HeaderRegistry()("To", text))
    except (ValueError, IndexError, AttributeError) as error:  # what its parser raises, by version
        raise refusal from error
    if len(header.addresses) != 1 or header.groups[0].display_name is not None:
        raise refusal
    mailbox = header.addresses[0]
    for defect in header.defects:
        harmless = isinstance(defect, (ObsoleteHeaderDefect, NonASCIILocalPartDefect))
        if not harmless and not (mailbox.domain == "" and "no domain" in str(defect)):
            raise refusal
    name, address = mailbox.display_name, mailbox.addr_spec
    if not mailbox.username or _UNSAFE.search(name + address):
        raise refusal
    return name, address


def format_address(name: str, address: str) -> str:
    """Return ``name <address>`` as `parse_address` reads it, the name in quotes if it needs them."""
    if not name:
        return address
    if not _PLAIN_NAME.fullmatch(name) or "=?" in name:
        escaped = re.sub(r'(["\\])', r"\\\1", name)
        name = f'"{escaped}"'
    return f"{name} <{address}>"


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
        name, address = str(pair[0]), parse_address(str(pair[1]))[1]
        text = format_address(name, address)
    elif isinstance(entry, (bytes, int, float, dict, set)) or entry is None:
        raise ValueError(f"expected an address, got {entry!r}")
    else:
        text = str(entry)
    return format_address(*parse_address(text))
