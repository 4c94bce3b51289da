"""
What is known of a request before anything is hidden: gathered from what carries it, and from what the door says.

Each part is read on its own: one that fails costs a note, not the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast
from urllib.parse import parse_qsl

from errormail.report.declarations import ALL, declared_parameters
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.objects import exact_str
from errormail.report.request.body import Body, parse_body
from errormail.report.request.frameworks import Carrier
from errormail.report.request.parsed import (
    NOT_LOOKED_UP,
    parsed_form,
    path_parameters,
    raw_body,
    route_of,
    session_keys,
    user_name,
    user_of,
)
from errormail.report.request.proxies import through_proxies
from errormail.report.request.tracing import request_id_of, trace_id_of
from errormail.report.request.wire import Wire, wire_of

__all__ = ["QUERY_CHARS", "Facts", "RequestSource", "facts_of", "pairs_of"]

QUERY_CHARS = 16_384
"""Of a query string or Cookie header; what is longer is not looked at."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSource:
    """A request, and what the door that it came through knows beside it."""

    request: object
    """A WSGI environ, an ASGI scope, or the request of a framework."""
    body: bytes = b""
    """The first bytes that the application has read."""
    body_size: int = 0
    """How many bytes it has read in all."""
    status: int | None = None
    """Of the response, where it has begun."""
    seconds: float | None = None
    """Since the request began."""
    route: str = ""
    user: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of a request, before anything is hidden."""

    wire: Wire
    query: list[tuple[str, str]]
    cookies: list[tuple[str, str]]
    body: Body
    raw: bytes
    """The body as it came, where all of it is there; else b""."""
    session: list[str]
    user: str
    route: str
    parameters: list[tuple[str, str]]
    """Of the path, as the router found them."""
    request_id: str
    trace_id: str
    declared: frozenset[str]
    notes: list[str] = field(default_factory=list[str])


def facts_of(
    source: RequestSource, carrier: Carrier, *, declared: bool, trusted_proxies: int
) -> Facts:
    """Return what *source* and *carrier* tell. Never raises."""
    notes = list(source.notes)

    def read(what: str, look: Callable[[], T], otherwise: T) -> T:
        try:
            return look()
        except BaseException as error:  # noqa: BLE001 -- objects of a framework, or of who imitates one
            notes.append(f"{what}: could not be read ({type(error).__name__})")
            return otherwise

    wire = read("request", lambda: wire_of(carrier), _NO_WIRE)
    unproxied: tuple[Wire, tuple[str, ...]] = (wire, ())
    wire, told = read("proxies", lambda: through_proxies(wire, trusted_proxies), unproxied)
    notes += told
    user = source.user or read("user", lambda: _user(carrier, wire, notes), "")
    body, raw = read("body", lambda: _body(source, carrier, wire), (Body(), b""))
    return Facts(
        wire=wire,
        query=read("query", lambda: pairs_of(wire.query), []),
        cookies=read("cookies", lambda: _cookies(carrier, wire), []),
        body=body,
        raw=raw,
        session=read("session", lambda: session_keys(carrier), []),
        user=user,
        route=source.route or read("route", lambda: route_of(carrier), ""),
        parameters=read("path parameters", lambda: path_parameters(carrier), []),
        request_id=read("request id", lambda: request_id_of(carrier, wire), ""),
        trace_id=read("trace id", lambda: trace_id_of(wire), ""),
        declared=read("form", lambda: declared_parameters(carrier) or frozenset(), ALL)
        if declared
        else frozenset(),
        notes=notes,
    )


_NO_WIRE = Wire(method="", scheme="", host="", path="", query="", headers=(), client="")


def pairs_of(query: str) -> list[tuple[str, str]]:
    """Return names and values of a query string, decoded."""
    return parse_qsl(query[:QUERY_CHARS], keep_blank_values=True, errors="replace")


def _cookies(carrier: Carrier, wire: Wire) -> list[tuple[str, str]]:
    """Return the cookies as they were sent. Source: RFC 6265 section 5.4; a pair without "=" is a value alone."""
    found: list[tuple[str, str]] = []
    for name, value in wire.headers:
        if name == "Cookie":
            for pair in value[:QUERY_CHARS].split(";"):
                key, equals, own = pair.strip().partition("=")
                if key or own:
                    found.append((key.strip(), own.strip()) if equals else ("", key))
    by_hand = carrier.stored("COOKIES")  # Django's HttpRequest, as tests make it
    if not found and type(by_hand) is dict:
        texts = cast("dict[object, object]", by_hand).items()
        found = [(exact_str(name), exact_str(value)) for name, value in list(texts)]
    return found


def _user(carrier: Carrier, wire: Wire, notes: list[str]) -> str:
    user = user_of(carrier)
    if user is NOT_LOOKED_UP:
        notes.append("user: not looked up by the application yet, so not by the report either")
        return wire.user
    return user_name(user) or wire.user


def _body(source: RequestSource, carrier: Carrier, wire: Wire) -> tuple[Body, bytes]:
    """
    Return the body as it was read, else as the framework has parsed it, else what the framework has kept of it.

    With it its bytes, where that is all of them.
    """
    kind, encoding = wire.header("content-type"), wire.header("content-encoding")
    length = wire.header("content-length")
    sent = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else 0
    size = max(source.body_size, len(source.body), sent)
    read = parse_body(kind, source.body, size=size, encoding=encoding) if source.body else Body()
    if source.body and size == len(source.body) and (read.fields or read.files or not encoding):
        return read, source.body
    kept = raw_body(carrier)
    raw = kept if kept is not None and sent <= len(kept) <= DEFAULT_LIMITS.body_bytes else b""
    parsed = parsed_form(carrier)
    if parsed.fields or parsed.files:
        return parsed, raw
    if source.body:
        return read, b""
    if kept:
        first = kept[: DEFAULT_LIMITS.body_bytes]
        return parse_body(kind, first, size=len(kept), encoding=encoding), raw
    if sent and kept is None:
        return Body(notes=("body: not read by the application, or not kept",)), b""
    return Body(), b""
