"""
What a request said on the wire, out of a WSGI environ, an ASGI scope or aiohttp's message: as text, nothing redacted yet.

What proxies claim (X-Forwarded-*, Forwarded) stands among the headers; address, host and scheme are those that the server
saw, since everybody can send such headers. `errormail.report.request.proxies` believes those of trusted ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from errormail.report.objects import (
    dict_get,
    dict_items,
    encodable,
    exact_str,
    is_a,
    sequence_items,
    stored,
)
from errormail.report.request.frameworks import Carrier

__all__ = ["Wire", "any_text", "percent_encoded", "wire_of"]

HEADERS = 2_000
"""More are not looked at."""
PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
PATH_SAFE = "/!$&'()*+,;=:@-._~"
"""RFC 3986 section 3.3: what may stand in a path as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The request line, the headers, and who sent them."""

    method: str
    scheme: str
    host: str
    """The Host header as it came; without one, what the server calls itself."""
    path: str
    """Decoded."""
    query: str
    """As it came."""
    headers: tuple[tuple[str, str], ...]
    """In order, also several of one name."""
    client: str
    """Address of the peer, "" where unknown."""
    user: str = ""
    """REMOTE_USER: who the server says was authenticated."""

    @property
    def url(self) -> str:
        """Absolute, without the query."""
        return f"{self.scheme}://{self.host}{percent_encoded(self.path)}"

    def header(self, name: str) -> str:
        """Return the first header of *name* (lower case), "" if there is none."""
        return next((value for own, value in self.headers if own.lower() == name), "")

    def joined(self, name: str) -> str:
        """Return all headers of *name* (lower case) as the one that they stand for. Source: RFC 9110 section 5.3."""
        return ", ".join(value for own, value in self.headers if own.lower() == name)


def percent_encoded(path: str) -> str:
    """Return *path* as it stands in an address."""
    return quote(path.encode("utf-8", "surrogateescape"), safe=PATH_SAFE)


def wire_of(carrier: Carrier) -> Wire:
    """Return what came over the wire, with "" for what *carrier* does not tell."""
    if carrier.scope is not None:
        return _of_scope(carrier.scope)
    if carrier.environ is not None:
        return _of_environ(carrier.environ, carrier)
    return _of_aiohttp(carrier)


def _of_environ(environ: dict[str, object], carrier: Carrier) -> Wire:
    def get(name: str, default: str = "") -> str:
        return _tunnelled(exact_str(dict_get(environ, name))) or default

    scheme = get("wsgi.url_scheme", "http")
    path = get("SCRIPT_NAME") + get("PATH_INFO")
    return Wire(
        method=get("REQUEST_METHOD") or _str(carrier.stored("method")),
        scheme=scheme,
        host=get("HTTP_HOST") or _authority(scheme, get("SERVER_NAME"), get("SERVER_PORT")),
        path=path or _str(carrier.stored("path")) or "/",
        query=get("QUERY_STRING"),
        headers=tuple(_environ_headers(environ)),
        client=get("REMOTE_ADDR"),
        user=get("REMOTE_USER"),
    )


def _environ_headers(environ: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in list(dict_items(environ)):  # another thread may write to it
        if type(name) is not str or not is_a(value, str):
            continue
        value = exact_str(value)
        if name.startswith("HTTP_"):
            yield _title(name[5:]), _tunnelled(value)
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield _title(name), _tunnelled(value)


def _of_scope(scope: dict[str, object]) -> Wire:
    headers = tuple(_byte_headers(dict_get(scope, "headers")))
    is_websocket = dict_get(scope, "type") == "websocket"
    scheme = _str(dict_get(scope, "scheme")) or ("ws" if is_websocket else "http")
    path, root = _str(dict_get(scope, "path")), _str(dict_get(scope, "root_path"))
    if root and path != root and not path.startswith(root.rstrip("/") + "/"):
        path = root + path  # servers differ in whether it is in there already
    host = next((value for name, value in headers if name == "Host"), "")
    server = _pair(dict_get(scope, "server"))
    query = dict_get(scope, "query_string")
    return Wire(
        method="WEBSOCKET" if is_websocket else _str(dict_get(scope, "method")),
        scheme=scheme,
        host=host or _authority(scheme, *server),
        path=path or "/",
        query=any_text(query),
        headers=headers,
        client=_pair(dict_get(scope, "client"))[0],
    )


def _of_aiohttp(carrier: Carrier) -> Wire:
    message = carrier.stored("_message")
    headers = tuple(_byte_headers(_attribute(message, "raw_headers")))
    cache = carrier.stored("_cache")
    known = cast("dict[str, object]", cache) if type(cache) is dict else {}
    target = _str(_attribute(message, "path"))
    if "://" in target.partition("?")[0]:  # absolute form, as for a proxy
        split = urlsplit(target)
        target = f"{split.path}?{split.query}" if split.query else split.path
    path, _, query = target.partition("?")
    is_tls = carrier.stored("_transport_sslcontext") is not None
    host = next((value for name, value in headers if name == "Host"), "")
    return Wire(
        method=_str(_attribute(message, "method")),
        scheme=_str(known.get("scheme")) or ("https" if is_tls else "http"),
        host=_str(known.get("host")) or host,
        path=unquote(path, errors="replace") or "/",
        query=query,
        headers=headers,
        client=_str(known.get("remote")) or _pair(carrier.stored("_transport_peername"))[0],
    )


def _attribute(value: object, name: str) -> object | None:
    """aiohttp's message is a named tuple, or a type written in C that has no dict."""
    found = stored(value, name)
    try:
        return getattr(value, name, None) if found is None else found
    except BaseException:  # noqa: BLE001 -- a foreign property
        return None


def _byte_headers(headers: object) -> Iterator[tuple[str, str]]:
    for pair in islice(sequence_items(headers), HEADERS):
        parts = list(islice(sequence_items(pair), 3))
        if len(parts) == 2:
            yield _title(any_text(parts[0])), any_text(parts[1])


def _title(name: str) -> str:
    return name.replace("_", "-").title()


def _authority(scheme: str, name: str, port: str) -> str:
    return name if port in ("", PORTS.get(scheme)) else f"{name}:{port}"


def _pair(value: object) -> tuple[str, str]:
    """Return address and port of ``(address, port, ...)`` or of an address alone, as text."""
    address, port, *_ = *map(_str_or_int, islice(sequence_items(value), 2)), "", ""
    return (address or _str(value), port)


def _str_or_int(value: object) -> str:
    return int.__repr__(value) if type(value) is int else _str(value)


def any_text(value: object) -> str:
    """Return *value* as text if it is a str or bytes, else ""."""
    return _decoded(cast("bytes", value)) if is_a(value, bytes) else _str(value)


def _str(value: object) -> str:
    return encodable(exact_str(value))


def _tunnelled(value: str) -> str:
    """Return the text that a WSGI string stands for: its characters are bytes (PEP 3333), UTF-8 nearly always."""
    if value.isascii():
        return exact_str(value)
    try:
        return _decoded(value.encode("latin-1"))
    except UnicodeEncodeError:
        return _str(value)  # not from a server: text already


def _decoded(value: bytes) -> str:
    try:
        return bytes.decode(value)
    except UnicodeDecodeError:
        return bytes.decode(value, "latin-1")
