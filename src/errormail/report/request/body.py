"""
Form fields, JSON, text and the names of uploads, out of the first bytes of a request's body.

It is given bytes and gives values: it reads nothing, keeps no content of an upload, and takes whatever comes for what it
can be taken for. What is no text is not shown, and nothing is unpacked. Nothing is redacted here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, unquote

from errormail.report.model import Upload

__all__ = ["JSON_NAME", "TEXT_NAME", "XML_NAME", "Body", "media_type", "parse_body"]

PARTS = 1_000
"""Of a multipart body. More can hardly be meant."""
PART_HEADER_BYTES = 8_192
JSON_NAME = "(JSON)"
"""What a JSON body that is no object is shown under."""
XML_NAME = "(XML)"
TEXT_NAME = "(text)"
"""What a body is shown under that is text of another kind."""
LINES = 1_000
"""Of a body with a JSON value on each line."""
CHARSETS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""
Of bodies; any other is taken for UTF-8. A table, since looking up a codec by name imports a module of that name.
Source: WHATWG Encoding section 4.2 for what stands for Latin-1.
"""
JSON_LINES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq"}
)
TEXTS = frozenset(
    {
        "application/csp-report",
        "application/graphql",
        "application/sql",
        "application/toml",
        "application/yaml",
        "application/x-yaml",
        "application/javascript",
    }
)
"""Text, beside text/*."""

_PARAMETER = re.compile(r';\s*([\w!#$%&*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.ASCII)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_SPACE = re.compile(r"[ \t\n\r]*")
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Source: WHATWG MIME Sniffing, "binary data byte"."""
_NAMED = re.compile(
    r"(?<![\w.-])([\w.-]{1,100})[\"']?[ \t]{0,8}[:=][ \t]{0,8}"
    r"(?:\"((?:[^\"\\]|\\.){0,4096})\"|'([^'\r\n]{0,4096})'|([^\s\"'&;,<>{}]{1,4096}))"
)
_PAIR = re.compile(r'"((?:[^"\\]|\\.){0,256})"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.){0,4096})')


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a body says."""

    fields: tuple[tuple[str, object], ...] = ()
    """Name and value, in order, also several of one name. A str; from JSON any value that JSON has."""
    files: tuple[Upload, ...] = ()
    notes: tuple[str, ...] = ()
    unsure: tuple[tuple[str, str], ...] = ()
    """Pairs that stand in a text which was not taken apart, in the order of their appearance: for hiding, not to be shown."""


def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Return type and parameters of a Content-Type or Content-Disposition, names in lower case. Source: RFC 9110 5.6.6."""
    kind, semicolon, rest = content_type[:PART_HEADER_BYTES].partition(";")
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(semicolon + rest):
        parameters.setdefault(name.lower(), _unquoted(value.strip()))
    return kind.strip().lower(), parameters


def parse_body(content_type: str, body: bytes, *, size: int = 0, encoding: str = "") -> Body:
    """
    Return what *body* says, read as *content_type*. Never raises.

    Args:
        size: How many bytes the body has in all; more than ``len(body)`` if that is only its beginning.
        encoding: The Content-Encoding header. What is compressed is not unpacked; who did it already has not said so in there.
    """
    kind, parameters = media_type(content_type)
    is_cut = size > len(body)
    if _is_packed(encoding, body):
        return Body(notes=(f"body: compressed ({encoding[:40]}), and not unpacked",))
    found = _parsed(kind, parameters, body, is_cut=is_cut)
    if found is None or not is_cut:
        return found or Body()
    note = f"body: only the first {len(body):,} of {size:,} bytes were kept"
    return Body(
        fields=found.fields, files=found.files, notes=(note, *found.notes), unsure=found.unsure
    )


def _parsed(kind: str, parameters: dict[str, str], body: bytes, *, is_cut: bool) -> Body | None:
    """Return what *body* says, None if it is of a kind that is not shown."""
    charset = CHARSETS.get(parameters.get("charset", "").lower(), "utf-8")
    if kind == "application/x-www-form-urlencoded":
        return Body(fields=tuple(_urlencoded(body, charset)))
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return _json(body, charset, is_cut=is_cut)
    if kind in JSON_LINES:
        return _json_lines(body)
    if kind == "multipart/form-data":
        return _multipart(body, parameters.get("boundary", ""), is_cut=is_cut)
    if kind in ("application/xml", "text/xml") or kind.endswith("+xml"):
        return _text(XML_NAME, body, charset)
    if kind.startswith("text/") or kind in TEXTS or kind.endswith("+yaml"):
        return _text(TEXT_NAME, body, charset)
    return None


def _is_packed(encoding: str, body: bytes) -> bool:
    """Return whether *body* is compressed still: aiohttp unpacks it and leaves the header. No packed form is UTF-8."""
    if encoding.strip().lower() in ("", "identity"):
        return False
    return _decoded(body, "utf-8") is None or _BINARY.search(body) is not None


def _decoded(body: bytes, charset: str) -> str | None:
    """Return *body* as text, None if it is none. A character may have been cut in two at the end."""
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        if len(body) - error.start > 3:
            return None
        return body[: error.start].decode(charset, "replace")


def _text(name: str, body: bytes, charset: str) -> Body:
    text = _decoded(body, charset)
    if text is None or (not charset.startswith("utf-16") and _BINARY.search(body)):
        return Body(notes=("body: not text, although it says so",))
    if not text.strip():
        return Body()
    unsure = tuple((own, "".join(values)) for own, *values in _NAMED.findall(text))
    return Body(fields=((name, text),), unsure=unsure)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    value = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
    # HTML escapes only the quote, as %22. A backslash stands for itself before anything but a quote or a backslash, as
    # in the Windows paths that old browsers send.
    return value.replace("\\\\", "\\").replace('\\"', '"').replace("%22", '"')


def _urlencoded(body: bytes, charset: str) -> list[tuple[str, str]]:
    return parse_qsl(
        body.decode(charset, "replace"), keep_blank_values=True, encoding=charset, errors="replace"
    )


def _json_lines(body: bytes) -> Body:
    """Source: ndjson.org, and RFC 7464, which begins each with a record separator."""
    fields: list[tuple[str, object]] = []
    unsure: list[tuple[str, str]] = []
    for number, line in enumerate(body.split(b"\n", LINES)[:LINES], 1):
        if not (line := line.strip(b" \t\r\x1e")):
            continue
        try:
            fields.append((f"(line {number})", json.loads(line)))
        except (ValueError, RecursionError):  # none, or the one that was cut
            unsure += _PAIR.findall(line.decode("utf-8", "replace"))
    return Body(fields=tuple(fields), unsure=tuple(unsure))


def _json(body: bytes, charset: str, *, is_cut: bool) -> Body:
    try:
        # Also ValueError: more digits than Python turns into a number.
        value = None if is_cut else _loaded(body, charset)
    except (ValueError, RecursionError):
        text = _text_of_json(body)
        return Body(notes=("body: not valid JSON",), unsure=tuple(_PAIR.findall(text)))
    if is_cut:
        text = _text_of_json(body)
        return Body(fields=tuple(_complete(text)), unsure=tuple(_PAIR.findall(text)))
    if isinstance(value, dict):
        return Body(fields=tuple(cast("dict[str, object]", value).items()))
    return Body(fields=((JSON_NAME, value),))


def _loaded(body: bytes, charset: str) -> object:
    """JSON is UTF-8 (RFC 8259 section 8.1); another charset is believed where it is not."""
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        if charset == "utf-8":
            raise
        return json.loads(body.decode(charset))


def _text_of_json(body: bytes) -> str:
    return body.decode(json.detect_encoding(body), "replace")


def _complete(text: str) -> Iterator[tuple[str, object]]:
    """Yield the members of a JSON object whose text ends somewhere, those that are complete."""
    decoder = json.JSONDecoder()
    at = _after_space(text, 0)
    if text[at : at + 1] != "{":
        return
    try:
        while text[at : at + 1] in ("{", ","):
            name, at = decoder.raw_decode(text, _after_space(text, at + 1))
            at = _after_space(text, at)
            if text[at : at + 1] != ":" or not isinstance(name, str):
                return
            value, at = decoder.raw_decode(text, _after_space(text, at + 1))
            at = _after_space(text, at)
            if text[at : at + 1] not in {",", "}"}:
                return  # 12 may be the begin of 123, and 1 that of 1e5
            yield name, value
    except (ValueError, RecursionError):
        return


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _multipart(body: bytes, boundary: str, *, is_cut: bool) -> Body:
    if not boundary:
        return Body(notes=("body: multipart without a boundary",))
    fields: list[tuple[str, object]] = []
    files: list[Upload] = []
    parts, is_whole = _parts(body, boundary.encode("latin-1", "replace"))
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        # Without content, the blank line can be the one that belongs to the delimiter: Werkzeug writes it so.
        header_end = _HEADER_END.search(part[:PART_HEADER_BYTES] + b"\r\n")
        if header_end is None:
            continue
        headers = _part_headers(part[: header_end.start()])
        content = part[header_end.end() :]
        disposition, named = media_type(headers.get("content-disposition", ""))
        if disposition != "form-data" or "name" not in named:
            continue
        filename = named.get("filename")
        if "filename*" in named:  # RFC 8187: charset'language'percent-encoded
            filename = unquote(named["filename*"].rpartition("'")[2], errors="replace")
        if filename is None:
            fields.append((named["name"], content.decode("utf-8", "replace")))
        else:
            size = None if is_last and not is_whole else len(content)
            kind = headers.get("content-type", "")
            files.append(
                Upload(field=named["name"], filename=filename, content_type=kind, size=size)
            )
    notes = () if is_whole or is_cut else ("body: multipart without its end",)
    return Body(fields=tuple(fields), files=tuple(files), notes=notes)


def _parts(body: bytes, boundary: bytes) -> tuple[list[bytes], bool]:
    """Return the parts, each with its headers, and whether the closing delimiter came. Source: RFC 2046 section 5.1.1."""
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    parts: list[bytes] = []
    begin: int | None = None
    at = 0
    while len(parts) < PARTS:
        match = delimiter.search(body, at)
        if match is None:
            break
        if begin is not None:
            parts.append(body[begin : match.start()])
        if match.group(1):
            return parts, True
        begin = match.end()
        # The line end of this delimiter may begin the next one, around a part that is empty.
        at = max(begin - 2, match.start() + 1)
    if begin is not None:
        parts.append(body[begin:])
    return parts, False


def _part_headers(block: bytes) -> dict[str, str]:
    """Return them by name in lower case. UTF-8, which is what browsers send; a folded line is joined."""
    text = re.sub(r"\r?\n[ \t]+", " ", block.decode("utf-8", "replace"))
    headers: dict[str, str] = {}
    for line in re.split(r"\r?\n", text):
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers
