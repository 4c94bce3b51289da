"""
Who sent a request and to which address, as far as trusted proxies tell: X-Forwarded-For and its like, or Forwarded.

Everybody can send such headers. But each proxy adds its word at the end, so that of a program behind two proxies the last
two entries are theirs. Counted is from the right, within the header alone: whether a server or a middleware (uvicorn's
--proxy-headers, Werkzeug's ProxyFix) has put the client's address in place of the peer's makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from errormail.report.request.wire import Wire

__all__ = ["HOST", "forwarded_elements", "is_internal", "node_address", "through_proxies"]

HEADER_CHARS = 16_384
"""Of these headers, from the right; longer ones are nobody's but an attacker's."""
HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
"""What may be shown as the host of an address: a name or an address, perhaps a port."""

_NODE = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]{2,45})\]|(?P<plain>[\w.-]{1,64}))(?::(?:\d{1,5}|_[\w.-]{1,64}))?"
    r"|(?P<bare>[0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,32})?)",
    re.ASCII,
)
_OBFUSCATED = re.compile(r"unknown|_[A-Za-z0-9._-]+", re.ASCII)
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[^",;]+|[,;"]', re.DOTALL)
_OF_WEBSOCKETS = {"http": "ws", "https": "wss"}

T = TypeVar("T")


def through_proxies(wire: Wire, hops: int) -> tuple[Wire, tuple[str, ...]]:
    """
    Return *wire* with client, scheme and host as the user's side saw them, and notes on what could not be believed.

    X-Forwarded-For, -Proto and -Host go before Forwarded: nearly every proxy writes them, and passes on a Forwarded that a
    client made up. A header that is malformed says nothing.

    Args:
        hops: How many proxies are trusted: so many entries from the right are believed. 0: none, *wire* stays as it is.
    """
    if hops < 1:
        return wire, ()
    notes: list[str] = []
    element: dict[str, str] = {}
    if header := wire.joined("forwarded")[-HEADER_CHARS:]:
        elements = forwarded_elements(header)
        if elements is None:
            notes.append("remote address: the Forwarded header is malformed, and not believed")
        element = _of_hop(elements or [{}], hops)
    by_standard = node_address(element.get("for", ""))
    client = by_standard
    if header := wire.joined("x-forwarded-for")[-HEADER_CHARS:]:
        client = node_address(_of_hop(header.split(","), hops))
        if not client:
            notes.append("remote address: X-Forwarded-For is malformed, that of the peer is shown")
        elif by_standard and by_standard != client:
            notes.append("remote address: Forwarded says another than X-Forwarded-For, shown here")
    scheme = _of_hop(wire.joined("x-forwarded-proto").split(","), hops) or element.get("proto", "")
    host = _of_hop(wire.joined("x-forwarded-host").split(","), hops) or element.get("host", "")
    seen = replace(
        wire,
        client=client or wire.client,
        scheme=_scheme(scheme.strip().lower(), wire.scheme),
        host=host.strip() if HOST.fullmatch(host.strip()) else wire.host,
    )
    return seen, tuple(notes)


def forwarded_elements(header: str) -> list[dict[str, str]] | None:
    """
    Return the elements of a Forwarded header, each as its parameters; None if it cannot be taken apart.

    Source: RFC 7239 section 4; without quotes also what needs them, as in ``for=[2001:db8::1]:80``.
    """
    elements: list[dict[str, str]] = []
    pairs: dict[str, str] = {}
    pair = ""
    for match in _PIECE.finditer(f"{header},"):
        piece = match.group()
        if piece == '"':  # one that is never closed
            return None
        if piece not in (",", ";"):
            pair += piece
            continue
        name, equals, value = (part.strip() for part in pair.partition("="))
        if name and not equals:
            return None
        if name:
            pairs.setdefault(name.lower(), _unquoted(value))
        pair = ""
        if piece == ",":
            elements.append(pairs)
            pairs = {}
    return elements


def node_address(node: str) -> str:
    """
    Return the address in *node* without its port, or the identifier that hides it ("unknown", "_proxy7"); "" if it is neither.

    Source: RFC 7239 section 6. Bare IPv6 addresses, and ports, stand in X-Forwarded-For too.
    """
    match = _NODE.fullmatch(node.strip().strip('"'))
    if match is None:
        return ""
    name = match["bracketed"] or match["plain"] or match["bare"]
    if _OBFUSCATED.fullmatch(name):
        return name
    import ipaddress  # most programs trust no proxy

    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return ""


def is_internal(address: str, internal_ips: Sequence[str]) -> bool:
    """Return whether *address* is one of *internal_ips*, or in one of those that are networks."""
    if not address or not internal_ips:
        return False
    if address in internal_ips:
        return True
    import ipaddress  # most programs have no such setting

    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # ::ffff:10.0.0.1, from a socket that serves both
    ip = getattr(ip, "ipv4_mapped", None) or ip
    for network in internal_ips:
        try:
            if ip in ipaddress.ip_network(network, strict=False):
                return True
        except ValueError:  # noqa: PERF203 -- a wrong one must not make the others ineffective
            continue
    return False


def _of_hop(entries: Sequence[T], hops: int) -> T:
    """Return what the outermost trusted proxy said; with fewer entries than proxies the first of them."""
    return entries[max(len(entries) - hops, 0)]


def _unquoted(value: str) -> str:
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _scheme(told: str, own: str) -> str:
    if own in ("ws", "wss"):
        told = _OF_WEBSOCKETS.get(told, told)
        return told if told in ("ws", "wss") else own
    return told if told in ("http", "https") else own
