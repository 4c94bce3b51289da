"""
By what a request is found again in the logs of others: its request id, and its trace id (W3C Trace Context).

Both are somebody's claim, and shown as that: short, of printable characters, else not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from errormail.report.objects import dict_get, exact_str, stored
from errormail.report.request.frameworks import Carrier, adhoc_attribute, comes_from, mapping_of
from errormail.report.request.wire import Wire

__all__ = ["request_id_of", "trace_id_of"]

HEADERS = (
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "correlation-id",
    "x-amzn-trace-id",
    "x-amzn-requestid",
    "cf-ray",
    "x-cloud-trace-context",
    "x-vercel-id",
    "fly-request-id",
    "x-arr-log-id",
    "x-nf-request-id",
    "x-ms-client-request-id",
)
"""
The first that there is counts. General ones, then those of Amazon, Cloudflare, Google, Vercel, Fly, Azure, Netlify and of
Microsoft's clients.
"""
ATTRIBUTES = ("request_id", "correlation_id", "id")
"""What programs and their middleware set on a request; the last is what django-log-request-id does."""
ENVIRON = ("REQUEST_ID", "UNIQUE_ID")
"""What servers put into an environ: nginx's $request_id by uwsgi_param, and Apache's mod_unique_id."""

_ID = re.compile(r"[!-~]{1,128}")
_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-.*)?",
    re.DOTALL,
)


def request_id_of(carrier: Carrier, wire: Wire) -> str:
    """
    Return the id that the program gave the request, else the one that it came with, else the server's; "" if none has.

    The program's own goes first, since that one stands in its log.
    """
    for candidate in _candidates(carrier, wire):
        if _ID.fullmatch(candidate):
            return candidate
    return ""


def trace_id_of(wire: Wire) -> str:
    """
    Return the trace id of the traceparent header, "" if there is none that is valid.

    Source: W3C Trace Context section 3.2.2. Ids of zeros only and version ff are invalid; of a higher version than 00 what
    follows is not looked at.
    """
    match = _TRACEPARENT.fullmatch(wire.joined("traceparent").strip(" \t"))
    if match is None or match["version"] == "ff" or (match["version"] == "00" and match["more"]):
        return ""
    if not match["trace"].strip("0") or not match["parent"].strip("0"):
        return ""
    return match["trace"]


def _candidates(carrier: Carrier, wire: Wire) -> Iterator[str]:
    state = mapping_of(carrier.in_scope("state"))  # Starlette's request.state
    for name in ATTRIBUTES:
        yield _text(adhoc_attribute(carrier, name))
        if state is not None:
            yield _text(dict_get(state, name))
    headers: dict[str, str] = {}
    for name, value in wire.headers:
        headers.setdefault(name.lower(), value)
    for name in HEADERS:
        yield _plain(name, headers.get(name, "").strip())
    for name in ENVIRON:
        yield exact_str(carrier.in_environ(name))


def _text(value: object) -> str:
    """A str, or a UUID, which is what these are made of before they are text."""
    if value is not None and comes_from(value, "uuid", "UUID"):
        number = stored(value, "int")
        digits = f"{number:032x}" if type(number) is int else ""
        return "-".join(
            filter(None, (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        )
    return exact_str(value)


def _plain(name: str, value: str) -> str:
    """Return the id alone, where a header says more. Source: the documentation of AWS X-Ray and of Google Cloud Trace."""
    if name == "x-amzn-trace-id":
        for part in value.split(";"):
            key, _, own = part.strip().partition("=")
            if key == "Root":
                return own
    if name == "x-cloud-trace-context":
        return value.partition("/")[0]
    return value
