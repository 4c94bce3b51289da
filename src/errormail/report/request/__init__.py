"""
A request of whatever framework becomes a `Request`, and a `Redactor` that knows its secrets.

It is looked at twice: first for the secrets in it (cookies, credentials, hidden fields), then for what is shown, so that
a secret that also stands in a harmless place is hidden there too. No framework is imported, no body is read, no database
is asked: see `errormail.report.request.frameworks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from errormail._contain import contained
from errormail.report.declarations import ALL
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED, Request, Upload, Variable
from errormail.report.objects import encodable, exact_str, is_a
from errormail.report.redact import Redactor
from errormail.report.redact.xmltext import without_hidden_elements
from errormail.report.request.body import XML_NAME, parse_body
from errormail.report.request.curl import CURL_CHARS, curl_of
from errormail.report.request.facts import Facts, RequestSource, facts_of
from errormail.report.request.frameworks import carrier_of
from errormail.report.request.parsed import user_name
from errormail.report.request.proxies import is_internal
from errormail.report.request.secrets import address_of, header_text, holds_hidden, secrets_of
from errormail.report.values import Budget, describe

__all__ = ["RequestCapture", "RequestSource", "capture_request", "user_name"]

NAME_CHARS = 256
"""Of a field's or header's name, a user, a route, a file name."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCapture:
    """A captured request, and what hides its secrets in the rest of the report."""

    request: Request
    redactor: Redactor


def capture_request(
    source: RequestSource | object,
    *,
    redactor: Redactor,
    limits: Limits = DEFAULT_LIMITS,
    internal_ips: Sequence[str] = (),
    trusted_proxies: int = 0,
    declared: bool = True,
) -> RequestCapture | None:
    """
    Return what *source* says, bounded and redacted; None if it is no request of a known shape. Never raises.

    Args:
        source: A `RequestSource`, or a request alone.
        redactor: What hides by name and shape. That of the result also hides this request's secrets, by their values.
        internal_ips: Addresses and networks (``10.0.0.0/8``) that count as internal.
        trusted_proxies: How many proxies' words on address, scheme and host are believed; see `errormail.report.request.proxies`.
        declared: Whether what `sensitive_post_parameters` says is honoured.
    """
    with contained("request"):
        if type(source) is not RequestSource:
            source = RequestSource(request=source)
        carrier = carrier_of(source.request)
        if carrier is None:
            return None
        facts = facts_of(source, carrier, declared=declared, trusted_proxies=trusted_proxies)
        names = [name for name, _ in facts.body.fields] if facts.declared is ALL else facts.declared
        redactor = redactor.with_names(filter(None, names))
        redactor = redactor.with_values(secrets_of(facts, redactor.denying))
        return RequestCapture(
            request=_shown(source, facts, redactor, limits, internal_ips), redactor=redactor
        )
    return None


def _shown(
    source: RequestSource,
    facts: Facts,
    redactor: Redactor,
    limits: Limits,
    internal_ips: Sequence[str],
) -> Request:
    notes = facts.notes
    wire = facts.wire
    budget = Budget(limits.seconds)

    def clean(text: str, chars: int = NAME_CHARS) -> str:
        return encodable(redactor.bounded(encodable(text), chars))

    def named(name: str, text: str) -> str:
        """What has no block of its own is shown under its name, too, where only some names are."""
        return REDACTED if text and redactor.hides(name) else clean(text)

    def variable(name: str, value: object) -> Variable:
        if redactor.hides(name) or (not name and facts.declared is ALL):
            return Variable(name=clean(name), value=REDACTED)
        if is_a(value, str):
            text = exact_str(value)
            if name == XML_NAME:
                text = without_hidden_elements(text, redactor.hides)[0]
            return Variable(name=clean(name), value=clean(text, limits.value_chars))
        text = describe(value, limits=limits, redactor=redactor, budget=budget)
        return Variable(name=clean(name), value=text)

    def block(what: str, pairs: Sequence[T]) -> Sequence[T]:
        if len(pairs) > limits.fields:
            notes.append(f"{what}: {len(pairs) - limits.fields:,} more not shown")
        return pairs[: limits.fields]

    def header(name: str, value: str) -> Variable:
        if redactor.hides(name):
            return Variable(name=clean(name), value=REDACTED)
        return variable(name, header_text(name, value, redactor))

    def upload(each: Upload) -> Upload:
        return Upload(
            field=clean(each.field),
            filename=clean(each.filename),
            content_type=clean(each.content_type),
            size=each.size,
        )

    notes += facts.body.notes
    address = address_of(wire, redactor)
    url = clean(address, limits.value_chars)
    headers = tuple(
        header(*pair)
        for pair in block("headers", [pair for pair in wire.headers if pair[0] != "Cookie"])
    )
    form = tuple(variable(*pair) for pair in block("form", facts.body.fields))
    body, why_not = _repeatable(facts, form, redactor)
    curl, curl_notes = curl_of(
        method=wire.method,
        url=url if len(address) <= limits.value_chars else "",
        headers=[(each.name, each.value) for each in headers],
        cookies=REDACTED if facts.cookies else "",
        body=body,
    )
    notes += curl_notes
    # What else was said of the body tells why.
    if curl and why_not and not any(note.startswith("body:") for note in notes):
        notes.append(f"curl: without the body, {why_not}")
    return Request(
        method=clean(wire.method, 32),
        url=url,
        path=clean(wire.path, limits.value_chars),
        query=tuple(variable(*pair) for pair in block("query", facts.query)),
        form=form,
        files=tuple(upload(each) for each in block("uploads", facts.body.files)),
        headers=headers,
        cookies=tuple(
            Variable(name=clean(name), value=REDACTED)
            for name, _ in block("cookies", facts.cookies)
        ),
        session=tuple(
            Variable(name=clean(key), value=REDACTED) for key in block("session", facts.session)
        ),
        remote_addr=named("remote_addr", wire.client),
        internal=is_internal(wire.client, internal_ips),
        user=named("user", facts.user),
        route=clean(facts.route),
        status=source.status,
        seconds=source.seconds,
        request_id=clean(facts.request_id),
        trace_id=clean(facts.trace_id),
        curl=curl,
        notes=tuple(notes),
    )


def _repeatable(facts: Facts, form: Sequence[Variable], redactor: Redactor) -> tuple[str, str]:
    """Return the body if all of it may be repeated, else "" and why not; "" twice where there is none."""
    length = facts.wire.header("content-length")
    if not facts.raw and not facts.body.fields and not facts.body.files and length in ("", "0"):
        return "", ""
    if facts.wire.header("content-type").strip().lower().startswith("multipart/"):
        return "", "which has several parts"
    if not facts.raw:
        return "", "not all of which was kept"
    if len(facts.raw) > CURL_CHARS:
        return "", "which is too long"
    text = _text(facts.raw)
    if not facts.body.fields or not text:
        return "", "which is not shown in full"
    if _is_hidden_in(facts, text, form, redactor):
        return "", "in which something is redacted"
    return text, ""


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _is_hidden_in(facts: Facts, text: str, form: Sequence[Variable], redactor: Redactor) -> bool:
    """Return whether something in the body is hidden, or beyond the bounds of what is shown."""
    if len(form) < len(facts.body.fields) or any(REDACTED in each.value for each in form):
        return True
    # Taken apart once more: what the framework made of it need not be all that it says.
    read = parse_body(facts.wire.header("content-type"), facts.raw)
    return redactor.text(text) != text or holds_hidden(read.fields, redactor)
