"""The subject of a report's mail: type first, since a phone shows forty characters. The same for all mails of a group."""

from __future__ import annotations

import re
from collections.abc import Iterator

from errormail.report.model import Frame, Report
from errormail.report.rendering.naming import message_of, name_of, where_of
from errormail.report.rendering.varying import steady
from errormail.report.visible import one_line, shorten

__all__ = ["SUBJECT_CHARS", "subject_line"]

SUBJECT_CHARS = 100
"""email/DESIGN, Envelope. Gmail shows about 70, a phone 40."""
ENVIRONMENT_CHARS = 20
PRODUCTION = {"", "production", "prod", "live"}
"""Environments that a subject does not name: what is out of the ordinary is said."""


def subject_line(report: Report, *, prefix: str = "", chars: int = SUBJECT_CHARS) -> str:
    r"""
    Return the subject: one line, at most *chars* characters, cut at a word.

    "[shop] [staging] PricingError: no rate from CHF to EUR in convert (shop/pricing/engine.py)": *prefix*, environment
    unless it is production, type, message, place. The place goes first where there is no room. Without an exception it
    is Django's "LEVEL: message", and "LEVEL (EXTERNAL IP): message" within a request.

    Ids and numbers show as ``#``: with them no two mails about one thing would stand together (in the message of a
    record small numbers stay, as Django has them). Line ends show as ``\n``
    and ``\r``, other control characters likewise; what a mail reader would decode as an encoded word (RFC 2047) is
    broken by a space: ``= ?``.
    """
    begin = shorten(one_line(prefix).lstrip(), chars // 2) + _tag(report.environment, prefix)
    begin = _without_encoded_words(begin + one_line(_words(report)))
    for place in _places(report):
        line = begin + _without_encoded_words(one_line(place))
        if len(line) <= chars:
            return line
    return shorten(begin, chars).rstrip()


def _tag(environment: str, prefix: str) -> str:
    """Return "[staging] ", nothing if it is production or stands in *prefix* already."""
    name = one_line(environment.strip())
    if name.lower() in PRODUCTION or name.lower() in re.findall(r"[\w-]+", prefix.lower()):
        return ""
    return f"[{shorten(name, ENVIRONMENT_CHARS)}] "


def _words(report: Report) -> str:
    exc = report.exception
    if exc is not None:
        message = steady(message_of(exc))
        return f"{name_of(exc)}: {message}" if message else name_of(exc)
    level = report.level
    if report.request is not None:
        level += " (internal IP)" if report.request.internal else " (EXTERNAL IP)"
    return f"{level}: {_record(report)}" if report.message else level


def _record(report: Report) -> str:
    """Return the message, near to Django's; a status at its begin stays, for the words after it belong to that number."""
    status = f"{report.request.status} " if report.request is not None else ""
    begin = status if report.message.startswith(status) else ""
    return begin + steady(report.message[len(begin) :], gently=True)


def _places(report: Report) -> Iterator[str]:
    """Yield the place in words, the longest first: no line numbers, which change with each release."""
    frame = where_of(report.exception) if report.exception is not None else None
    if frame is not None:
        yield from _in(frame)


def _in(frame: Frame) -> Iterator[str]:
    # That of "bill.<locals>.<genexpr>" is bill; Python 3.10 knows the last part only.
    names = [name for name in frame.function.split(".") if not name.startswith("<")]
    if names:
        yield f" in {names[-1]} ({frame.filename})"
        yield f" in {names[-1]}"
    else:
        yield f" in {frame.filename}"


def _without_encoded_words(text: str) -> str:
    # Python's own header code has decoded encoded words out of text it was given: CVE-2024-6923, CVE-2026-1299.
    return re.sub(r"=(?=\?)", "= ", text)
