"""
A shell command that repeats a request, for who wants to see the failure happen: made of what is redacted already.

What came with a request is an attacker's to choose, and this is made to be pasted. So every word is quoted for the shell, none
can be taken for an option, a file to read or a pattern by curl, and all of it is printable: a line break or a tab would
do something in a terminal before anybody pressed Enter. There is no comment in it, for zsh takes "#" for a word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from urllib.parse import quote

from errormail.report.request.proxies import HOST
from errormail.report.request.tracing import HEADERS as REQUEST_IDS

__all__ = ["curl_of", "requoted"]

CURL_CHARS = 2_000
"""Of the whole command."""
# fmt: off
NOT_REPEATED = frozenset({
    # What curl says itself, and what holds for one connection: RFC 9110 section 7.6.1.
    "host", "content-length", "content-encoding", "connection", "keep-alive", "proxy-connection",
    "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    "expect", "accept-encoding", "cookie",
    # What proxies add.
    "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "x-scheme",
    "x-request-start", "x-queue-start", "x-original-url", "x-original-uri", "x-original-host",
    "x-rewrite-url", "cdn-loop", "traceparent", "tracestate", "baggage",
    # What browsers add, whatever the page.
    "upgrade-insecure-requests", "dnt", "priority", "save-data", "cache-control", "pragma",
})
# fmt: on
PREFIXES_NOT_REPEATED = (
    *("x-forwarded-", "x-envoy-", "x-amzn-", "x-b3-", "x-datadog-", "cf-", "sec-", "x-vercel-"),
    *("x-appengine-", "x-azure-", "x-arr-", "fly-", "fastly-", ":"),
)

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", re.ASCII)
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII)
_URL = re.compile(r"https?://([^/?#]*)(/[^?#]*)?", re.ASCII)
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_URL_SAFE = "%/:?#[]@!$&()*+,;=-._~"
"""As it stands in an address, but for a quote. What else there is, curl would refuse, or take for a pattern: ``{a,b}``."""


def curl_of(
    *,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    cookies: str = "",
    body: str = "",
) -> tuple[str, tuple[str, ...]]:
    """
    Return the command, "" where there can be none, and notes on what is left out of it. Everything comes redacted.

    Args:
        url: Absolute.
        cookies: In place of the Cookie header, "" where there was none.
        body: Text of which nothing was redacted, "" for none.
    """
    place = _URL.match(url)
    if place is None or not HOST.fullmatch(place[1]) or not _METHOD.fullmatch(method):
        return "", ()
    notes: list[str] = []
    if body and (method == "HEAD" or not body.isprintable()):
        notes.append("curl: without the body, which is not one line of text")
        body = ""
    words = [
        "curl",
        quote(url, safe=_URL_SAFE, errors="replace"),
        *_options(method, url, place[2] or "", bool(body)),
    ]
    if body and _length([*words, "--data-raw", body]) > CURL_CHARS * 3 // 4:
        notes.append("curl: without the body, which is too long")
        body = ""
        words = [*words[:2], *_options(method, url, place[2] or "", False)]
    tail = ["--data-raw", body] if body else []
    left_out = 0
    for header in _headers(headers, cookies):
        if header.isprintable() and _length([*words, "-H", header, *tail]) <= CURL_CHARS:
            words += ["-H", header]
        else:
            left_out += 1
    if left_out:
        notes.append(f"curl: without {left_out} of the headers, too long or not printable")
    command = shlex.join([*words, *tail])
    return (command, tuple(notes)) if len(command) <= CURL_CHARS else ("", ())


def requoted(command: str, change: Callable[[str], str]) -> str:
    """
    Return *command* with *change* made to each of its words, "" if it would not be printable any more.

    To change the text as a whole would leave it with quotes that do not belong together.
    """
    try:
        changed = shlex.join(map(change, shlex.split(command)))
    except ValueError:  # not a command of ours
        return ""
    return changed if changed.isprintable() else ""


def _options(method: str, url: str, path: str, has_body: bool) -> list[str]:
    options: list[str] = []
    if "[" in url or "]" in url:  # a redacted part has both
        options.append("--globoff")
    if _DOTS.search(path):
        options.append("--path-as-is")
    if method == "HEAD":
        options.append("--head")
    elif method != ("POST" if has_body else "GET"):
        options += ["-X", method]
    return options


def _headers(headers: Iterable[tuple[str, str]], cookies: str) -> list[str]:
    """Return the headers that make a difference. Their names are tokens: ``-H @file`` would be one that curl reads."""
    words: list[str] = []
    for name, value in headers:
        lower = name.lower()
        if lower in NOT_REPEATED or lower in REQUEST_IDS or lower.startswith(PREFIXES_NOT_REPEATED):
            continue
        if _TOKEN.fullmatch(name):
            words.append(f"{name}: {value}" if value.strip() else f"{name};")
    if cookies:
        words.append(f"Cookie: {cookies}")
    return words


def _length(words: list[str]) -> int:
    return len(shlex.join(words))
