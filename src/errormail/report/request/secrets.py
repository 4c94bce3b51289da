"""
Which secrets a request holds, as values that must not be seen anywhere, and its addresses and headers without them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import cast
from urllib.parse import unquote, unquote_plus

from errormail.report.model import REDACTED
from errormail.report.objects import exact_str, is_a
from errormail.report.redact import Redactor
from errormail.report.redact.xmltext import unescaped, without_hidden_elements
from errormail.report.request.body import XML_NAME
from errormail.report.request.facts import QUERY_CHARS, Facts, pairs_of
from errormail.report.request.wire import Wire, percent_encoded

__all__ = ["CREDENTIALS", "address_of", "header_text", "holds_hidden", "secrets_of", "url_text"]

NODES = 5_000
"""So many fields of a query or form, and values within a JSON body, are looked at for secrets."""
DECODED = 500
"""So many parameters of an address are looked at one by one; further ones are hidden where one of them all may be a secret."""
CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
"""Headers that are hidden whatever the redactor says of their names."""
HOSTS = frozenset({"host", "forwarded", "x-forwarded-host", "x-original-host", ":authority"})
"""Headers that name a host: what stands before an @ in them is user and password."""
PROTOCOL_CHARS = 40
"""Of a WebSocket subprotocol; the longest that are registered have some 30."""

DIGEST = frozenset({"response", "cnonce", "opaque"})
"""Parameters of Digest (RFC 7616) that are secret, beside those whose names say so."""
PAIR_NAMES = ("name", "key", "field", "header", "id")
"""What may hold a name in an object that is a pair: ``{"name": "password", "value": "..."}``."""
_CREDENTIAL = re.compile(r'(?<![\w-])([\w-]{1,64})="([^"]+)"')
_USERINFO = re.compile(r"[^\s;,=\"/@]+@")


def secrets_of(facts: Facts, redactor: Redactor) -> Iterator[str]:
    """Yield what must not be seen anywhere, in the forms in which programs have it: decoded, and without a prefix."""
    for _, value in facts.cookies:
        yield from (value, unquote(value), value.strip('"'))
    for name, value in facts.wire.headers:
        yield from _of_header(name, value, redactor)
    yield from _userinfo(facts.wire.host)
    yield from _hidden_in(chain(facts.query, facts.parameters), redactor)
    yield from _hidden_in(_matrix(facts.wire.path), redactor)
    yield from _hidden_in(chain(facts.body.fields, facts.body.unsure), redactor)
    for name, text in facts.body.fields:
        if name == XML_NAME and type(text) is str:
            for own in without_hidden_elements(text, redactor.hides)[1]:
                yield from (own, unescaped(own))


def address_of(wire: Wire, redactor: Redactor) -> str:
    """Return the absolute address without its secrets: of a path that is looked at before it is percent-encoded."""
    pieces = redactor.text(wire.path[:QUERY_CHARS]).split(REDACTED)
    path = REDACTED.join(map(percent_encoded, pieces))
    query = f"?{wire.query[:QUERY_CHARS]}" if wire.query else ""
    return url_text(f"{wire.scheme}://{wire.host}{path}{query}", redactor)


def url_text(url: str, redactor: Redactor) -> str:
    """Return *url* with `REDACTED` for the values in its query that are secrets, however they are percent-encoded."""
    address, mark, query = url.partition("?")
    if not mark:
        return url
    query, hash_, fragment = query.partition("#")
    decoded = unquote_plus(query)
    is_clean = decoded == query or redactor.text(decoded) == decoded
    pairs: list[str] = []
    for number, pair in enumerate(query.split("&")):
        name, equals, own = pair.partition("=")
        is_hidden = bool(equals) and redactor.hides(unquote_plus(name))
        if not is_hidden and not is_clean and ("%" in own or "+" in own):
            plain = unquote_plus(own)
            is_hidden = number > DECODED or redactor.text(plain) != plain
        pairs.append(f"{name}={REDACTED}" if is_hidden else pair)
    return f"{address}?{'&'.join(pairs)}{hash_}{fragment}"


def header_text(name: str, value: str, redactor: Redactor) -> str:
    """Return a header's value without what its own form says is secret; names and shapes are the redactor's business."""
    lower = name.lower()
    if lower in CREDENTIALS:
        return REDACTED
    if lower in HOSTS:
        return _USERINFO.sub(f"{REDACTED}@", value[:QUERY_CHARS])
    if lower == "sec-websocket-protocol":
        return ", ".join(
            REDACTED if is_secret else each for each, is_secret in _protocols(value, redactor)
        )
    # Any may hold an address: Referer, Location, X-Original-URL, X-Rewrite-URL, Destination, :path, and whatever comes.
    return url_text(value[:QUERY_CHARS], redactor) if "?" in value else value


def holds_hidden(pairs: Iterable[tuple[str, object]], redactor: Redactor) -> bool:
    """Return whether a name is hidden, or a text holds a secret, at any depth; True as well if there is too much to look at."""
    todo: list[tuple[object, bool]] = []
    for name, value in islice(pairs, NODES):
        todo += [(name, False), (value, redactor.hides(name))]
    for _ in range(NODES):
        if not todo:
            return False
        value, is_hidden = todo.pop()
        if is_hidden:
            return True
        if type(value) is dict:
            mapping = cast("dict[object, object]", value)
            todo += [(name, False) for name in list(mapping)[:NODES]]
            todo += _members(mapping, redactor)
        elif type(value) is list:
            todo += _items(cast("list[object]", value), redactor)
        elif is_a(value, str) and redactor.text(exact_str(value)) != value:
            return True
    return True


def _of_header(name: str, value: str, redactor: Redactor) -> Iterator[str]:
    lower = name.lower()
    if lower in CREDENTIALS:
        yield from _credentials(value, redactor)
    elif lower == "sec-websocket-protocol":
        yield from (each for each, is_secret in _protocols(value, redactor) if is_secret)
    elif name != "Cookie" and redactor.hides(name):
        yield value
    else:
        address, _, query = value[:QUERY_CHARS].partition("?")
        yield from _hidden_in(pairs_of(query.partition("#")[0]), redactor)
        yield from _userinfo(address.partition("://")[2])
        if lower in HOSTS:
            yield from (match.group()[:-1] for match in _USERINFO.finditer(value[:QUERY_CHARS]))


def _protocols(value: str, redactor: Redactor) -> Iterator[tuple[str, bool]]:
    """
    Yield each subprotocol of a WebSocket, and whether it is a credential.

    Browsers let a program set no other header, so tokens travel here: behind a name that says so, or as a "protocol" of
    their own, as in Kubernetes' ``base64url.bearer.authorization.k8s.io.<token>``.
    """
    before = ""
    for each in map(str.strip, value[:QUERY_CHARS].split(",")):
        yield each, len(each) > PROTOCOL_CHARS or (bool(before) and redactor.hides(before))
        before = each


def _matrix(path: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters within a path: ``/cart;jsessionid=1234``. Source: RFC 3986 section 3.3."""
    for piece in islice(re.split("[;/]", path[:QUERY_CHARS]), NODES):
        name, equals, value = piece.partition("=")
        if equals:
            yield name, value


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
            mapping = cast("dict[object, object]", value)
            todo += [(own, is_hidden or hides) for own, hides in _members(mapping, redactor)]
        elif type(value) is list:
            items = cast("list[object]", value)
            todo += [(own, is_hidden or hides) for own, hides in _items(items, redactor)]
        elif is_hidden and is_a(value, str):
            yield exact_str(value)
        elif is_hidden and type(value) in (int, float):
            yield repr(value)


def _members(mapping: dict[object, object], redactor: Redactor) -> list[tuple[object, bool]]:
    """Return the values of *mapping*, each with whether its name is hidden."""
    is_pair = "value" in mapping and any(
        redactor.hides(exact_str(mapping[key])) for key in PAIR_NAMES if key in mapping
    )
    return [
        (own, (is_pair and name == "value") or redactor.hides(exact_str(name)))
        for name, own in list(mapping.items())[:NODES]
    ]


def _items(items: list[object], redactor: Redactor) -> list[tuple[object, bool]]:
    """Return *items*, each with whether it is hidden, as the second of ``["password", "..."]`` is."""
    is_pair = len(items) == 2 and redactor.hides(exact_str(items[0])[:PROTOCOL_CHARS])
    return [(own, is_pair and number == 1) for number, own in enumerate(items[:NODES])]
