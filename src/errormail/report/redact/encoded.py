"""Secrets within percent-encoded text: a query string, a form's body, a path hold JSON, addresses and pairs in that coding."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

from errormail.report.model import REDACTED

__all__ = ["decoded", "redact_encoded"]

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
# What stands between the fields of a query, or around a word of a text.
_FIELD = re.compile(r"[^\s\"'<>&?;,]+")


def decoded(text: str) -> str:
    """Return *text* without its percent-encoding; itself where it has none."""
    return unquote_plus(text) if "%" in text and _ESCAPE.search(text) else text


def redact_encoded(text: str, redact: Callable[[str], str]) -> str:
    """
    Return *text* with `REDACTED` for each percent-encoded word, or value of a field, in which there is a secret.

    Args:
        redact: Does so in what is not encoded.
    """
    if "%" not in text:
        return text
    return _FIELD.sub(lambda match: _field(match.group(), redact), text)


def _field(field: str, redact: Callable[[str], str]) -> str:
    if _ESCAPE.search(field) is None:
        return field
    name, equals, value = field.partition("=")
    if not equals:
        name, value = "", field
    plain = unquote_plus(value)
    return field if redact(plain) == plain else f"{name}{equals}{REDACTED}"
