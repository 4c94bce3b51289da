"""The subject of a report's mail: type first, since a phone shows forty characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from errormail.report.model import CapturedException, Report
from errormail.report.visible import one_line, shorten

__all__ = ["SUBJECT_CHARS", "subject_line"]

SUBJECT_CHARS = 100
"""email/DESIGN, Envelope. Gmail shows about 70, a phone 40."""

_GROUP_COUNT = re.compile(r" \(\d+ sub-exceptions?\)$")


def subject_line(report: Report, *, prefix: str = "", chars: int = SUBJECT_CHARS) -> str:
    r"""
    Return the subject: one line, at most *chars* characters, cut at a word.

    With an exception "Type: message", of a group also which exceptions it holds; without one Django's
    "LEVEL: message", and "LEVEL (EXTERNAL IP): message" within a request. Nothing in it changes from one occurrence of
    a group to the next but the message itself. Line ends show as ``\n`` and ``\r``, other control characters likewise;
    what a mail reader would decode as an encoded word (RFC 2047) is broken by a space: ``= ?``.
    """
    begin = shorten(one_line(prefix).lstrip(), chars // 2)
    return shorten(_without_encoded_words(begin + one_line(_words(report))), chars).rstrip()


def _words(report: Report) -> str:
    if report.exception is not None:
        exc = report.exception
        message = _message(exc)
        return f"{exc.type_name}: {message}" if message else exc.type_name
    level = report.level
    if report.request is not None:
        level += " (internal IP)" if report.request.internal else " (EXTERNAL IP)"
    return f"{level}: {report.message}" if report.message else level


def _message(exc: CapturedException) -> str:
    """Return its message; of a group with what is in it, since all groups have the same few messages."""
    if not exc.members:
        return exc.message.strip()
    names = list(dict.fromkeys(leaf.type_name for leaf in _leaves(exc)))
    message = _GROUP_COUNT.sub("", exc.message)
    return f"{message} ({', '.join(names)})"


def _leaves(exc: CapturedException) -> Iterator[CapturedException]:
    if not exc.members:
        yield exc
    for member in exc.members:
        yield from _leaves(member)


def _without_encoded_words(text: str) -> str:
    # Python's own header code has decoded encoded words out of text it was given: CVE-2024-6923, CVE-2026-1299.
    return re.sub(r"=(?=\?)", "= ", text)
