"""
A request of whatever framework becomes a `Request`, and a `Redactor` that knows its secrets.

It is looked at twice: first for the secrets in it (cookies, credentials, hidden fields), then for what is shown, so that
a secret that also stands in a harmless place is hidden there too. No framework is imported, no body is read, no database
is asked: see `errormail.report.frameworks`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TypeVar, cast
from urllib.parse import parse_qsl, unquote, unquote_plus

from errormail._contain import contained
from errormail.report.body import Body, parse_body
from errormail.report.decorators import ALL, declared_parameters
from errormail.report.frameworks import Carrier, carrier_of
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED, Request, Upload, Variable
from errormail.report.objects import encodable, exact_str, is_a
from errormail.report.parsed import (
    NOT_LOOKED_UP,
    parsed_form,
    raw_body,
    route_of,
    session_keys,
    user_name,
    user_of,
)
from errormail.report.redact import Redactor
from errormail.report.values import Budget, describe
from errormail.report.wire import Wire, wire_of

__all__ = ["RequestCapture", "RequestSource", "capture_request", "user_name"]

NAME_CHARS = 256
"""Of a field's or header's name, a user, a route, a file name."""
QUERY_CHARS = 16_384
"""Of a query string or Cookie header; what is longer is not looked at."""
NODES = 5_000
"""So many fields of a query or form, and values within a JSON body, are looked at for secrets."""
CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
URL_HEADERS = frozenset({"referer", "origin", "location"})

DIGEST = frozenset({"response", "cnonce", "opaque"})
"""Parameters of Digest (RFC 7616) that are secret, beside those whose names say so."""
_CREDENTIAL = re.compile(r'(?<![\w-])([\w-]{1,64})="([^"]+)"')

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCapture:
    """A captured request, and what hides its secrets in the rest of the report."""

    request: Request
    redactor: Redactor


@dataclass(slots=True)
class _Facts:
    """What is known of a request, before anything is hidden."""

    wire: Wire
    query: list[tuple[str, str]]
    cookies: list[tuple[str, str]]
    body: Body
    session: list[str]
    user: str
    route: str
    declared: frozenset[str]
    notes: list[str] = field(default_factory=list[str])


def capture_request(
    source: RequestSource | object,
    *,
    redactor: Redactor,
    limits: Limits = DEFAULT_LIMITS,
    internal_ips: Sequence[str] = (),
    declared: bool = True,
) -> RequestCapture | None:
    """
    Return what *source* says, bounded and redacted; None if it is no request of a known shape. Never raises.

    Args:
        source: A `RequestSource`, or a request alone.
        redactor: What hides by name and shape. That of the result also hides this request's secrets, by their values.
        internal_ips: Addresses and networks (``10.0.0.0/8``) that count as internal.
        declared: Whether what `sensitive_post_parameters` says is honoured.
    """
    with contained("request"):
        if type(source) is not RequestSource:
            source = RequestSource(request=source)
        carrier = carrier_of(source.request)
        if carrier is None:
            return None
        facts = _facts(source, carrier, declared=declared)
        names = [name for name, _ in facts.body.fields] if facts.declared is ALL else facts.declared
        redactor = redactor.with_names(filter(None, names))
        redactor = redactor.with_values(_secrets(facts, redactor))
        return RequestCapture(
            request=_shown(source, facts, redactor, limits, internal_ips), redactor=redactor
        )
    return None


def is_internal(address: str, internal_ips: Sequence[str]) -> bool:
    """Return whether *address* is one of *internal_ips*, or in one of those that are networks."""
    if not address or not internal_ips:
        return False
    if address in internal_ips:
        return True
    import ipaddress  # most programs have no such setting

    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
        ip = (
            getattr(ip, "ipv4_mapped", None) or ip
        )  # ::ffff:10.0.0.1, from a socket that serves both
    except ValueError:
        return False
    for network in internal_ips:
        try:
            if ip in ipaddress.ip_network(network, strict=False):
                return True
        except ValueError:  # noqa: PERF203 -- a wrong one must not make the others ineffective
            continue
    return False


def _facts(source: RequestSource, carrier: Carrier, *, declared: bool) -> _Facts:
    notes = list(source.notes)

    def read(what: str, look: Callable[[], T], otherwise: T) -> T:
        try:
            return look()
        except BaseException as error:  # noqa: BLE001 -- objects of a framework, or of who imitates one
            notes.append(f"{what}: could not be read ({type(error).__name__})")
            return otherwise

    wire = read("request", lambda: wire_of(carrier), _NO_WIRE)
    user = source.user or read("user", lambda: _user(carrier, wire, notes), "")
    return _Facts(
        wire=wire,
        query=read("query", lambda: _pairs(wire.query), []),
        cookies=read("cookies", lambda: _cookies(carrier, wire), []),
        body=read("body", lambda: _body(source, carrier, wire), Body()),
        session=read("session", lambda: session_keys(carrier), []),
        user=user,
        route=source.route or read("route", lambda: route_of(carrier), ""),
        declared=read("form", lambda: declared_parameters(carrier) or frozenset(), ALL)
        if declared
        else frozenset(),
        notes=notes,
    )


_NO_WIRE = Wire(method="", scheme="", host="", path="", query="", headers=(), client="")


def _pairs(query: str) -> list[tuple[str, str]]:
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


def _body(source: RequestSource, carrier: Carrier, wire: Wire) -> Body:
    """Return the body as it was read, else as the framework has parsed it, else what the framework has kept of it."""
    kind = wire.header("content-type")
    length = wire.header("content-length")
    sent = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else 0
    size = max(source.body_size, len(source.body), sent)
    read = parse_body(kind, source.body, size=size) if source.body else Body()
    if source.body and size == len(source.body):
        return read
    parsed = parsed_form(carrier)
    if parsed.fields or parsed.files:
        return parsed
    if source.body:
        return read
    kept = raw_body(carrier)
    if kept:
        return parse_body(kind, kept[: DEFAULT_LIMITS.body_bytes], size=len(kept))
    if sent and kept is None:
        return Body(notes=("body: not read by the application, or not kept",))
    return Body()


def _secrets(facts: _Facts, redactor: Redactor) -> Iterator[str]:
    """Yield what must not be seen anywhere, in the forms in which programs have it: decoded, and without a prefix."""
    for _, value in facts.cookies:
        yield from (value, unquote(value), value.strip('"'))
    for name, value in facts.wire.headers:
        if name.lower() in CREDENTIALS:
            yield from _credentials(value, redactor)
        elif name != "Cookie" and redactor.hides(name):
            yield value
        elif name.lower() in URL_HEADERS:
            yield from _hidden_in(_pairs(value.partition("?")[2]), redactor)
            yield from _userinfo(value.partition("://")[2])
    yield from _userinfo(facts.wire.host)
    yield from _hidden_in(facts.query, redactor)
    yield from _hidden_in(chain(facts.body.fields, facts.body.unsure), redactor)


def _userinfo(address: str) -> Iterator[str]:
    """Yield user and password, and the password, in front of a host and perhaps a path."""
    userinfo, at, _ = re.split("[/?#]", address, maxsplit=1)[0].rpartition("@")
    if at:
        yield from (userinfo, unquote(userinfo.partition(":")[2]))


def _credentials(value: str, redactor: Redactor) -> Iterator[str]:
    """Yield an Authorization header, what follows its scheme, and the password of Basic. Source: RFC 7617."""
    yield value
    scheme, _, token = value.partition(" ")
    yield token.strip()
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(token.strip(), validate=False).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        yield from (decoded, decoded.partition(":")[2])
    else:
        for name, own in _CREDENTIAL.findall(token):
            if name.lower() in DIGEST or redactor.hides(name):
                yield own


def _hidden_in(pairs: Iterable[tuple[str, object]], redactor: Redactor) -> Iterator[str]:
    """Yield each text under a name that is hidden, at any depth."""
    todo: list[tuple[object, bool]] = [
        (value, redactor.hides(name)) for name, value in islice(pairs, NODES)
    ]
    for _ in range(NODES):
        if not todo:
            return
        value, is_hidden = todo.pop()
        if type(value) is dict:
            inner = list(cast("dict[object, object]", value).items())[:NODES]
            todo += [(own, is_hidden or redactor.hides(exact_str(name))) for name, own in inner]
        elif type(value) is list:
            todo += [(own, is_hidden) for own in cast("list[object]", value)[:NODES]]
        elif is_hidden and is_a(value, str):
            yield exact_str(value)
        elif is_hidden and type(value) in (int, float):
            yield repr(value)


def _shown(
    source: RequestSource,
    facts: _Facts,
    redactor: Redactor,
    limits: Limits,
    internal_ips: Sequence[str],
) -> Request:
    notes = facts.notes
    wire = facts.wire
    budget = Budget(limits.seconds)

    def clean(text: str, chars: int = NAME_CHARS) -> str:
        return encodable(redactor.bounded(encodable(text), chars))

    def variable(name: str, value: object) -> Variable:
        if redactor.hides(name) or (not name and facts.declared is ALL):
            return Variable(name=clean(name), value=REDACTED)
        if is_a(value, str):
            return Variable(name=clean(name), value=clean(exact_str(value), limits.value_chars))
        text = describe(value, limits=limits, redactor=redactor, budget=budget)
        return Variable(name=clean(name), value=text)

    def block(what: str, pairs: Sequence[T]) -> Sequence[T]:
        if len(pairs) > limits.fields:
            notes.append(f"{what}: {len(pairs) - limits.fields:,} more not shown")
        return pairs[: limits.fields]

    def header(name: str, value: str) -> Variable:
        if name.lower() in CREDENTIALS:
            return Variable(name=name, value=REDACTED)
        if name.lower() in URL_HEADERS:
            value = _without_secrets(value[:QUERY_CHARS], redactor)
        if name == "Host" and "@" in value:
            value = f"{REDACTED}@{value.rpartition('@')[2]}"
        return variable(name, value)

    def upload(each: Upload) -> Upload:
        return Upload(
            field=clean(each.field),
            filename=clean(each.filename),
            content_type=clean(each.content_type),
            size=each.size,
        )

    notes += facts.body.notes
    url = wire.url + (f"?{wire.query[:QUERY_CHARS]}" if wire.query else "")
    headers = [(name, value) for name, value in wire.headers if name != "Cookie"]
    return Request(
        method=clean(wire.method, 32),
        url=clean(_without_secrets(url, redactor), limits.value_chars),
        path=clean(wire.path, limits.value_chars),
        query=tuple(variable(*pair) for pair in block("query", facts.query)),
        form=tuple(variable(*pair) for pair in block("form", facts.body.fields)),
        files=tuple(upload(each) for each in block("uploads", facts.body.files)),
        headers=tuple(header(*pair) for pair in block("headers", headers)),
        cookies=tuple(
            Variable(name=clean(name), value=REDACTED)
            for name, _ in block("cookies", facts.cookies)
        ),
        session=tuple(
            Variable(name=clean(key), value=REDACTED) for key in block("session", facts.session)
        ),
        remote_addr=clean(wire.client),
        internal=is_internal(wire.client, internal_ips),
        user=clean(facts.user),
        route=clean(facts.route),
        status=source.status,
        seconds=source.seconds,
        notes=tuple(notes),
    )


def _without_secrets(url: str, redactor: Redactor) -> str:
    """Return *url* with `REDACTED` for the values of hidden parameters, also where their names are percent-encoded."""
    address, mark, query = url.partition("?")
    if not mark:
        return url
    pairs: list[str] = []
    for pair in query.split("&"):
        name, equals, _ = pair.partition("=")
        is_hidden = equals and redactor.hides(unquote_plus(name))
        pairs.append(f"{name}={REDACTED}" if is_hidden else pair)
    return f"{address}?{'&'.join(pairs)}"
