"""Headers that the standard library's messages hold as they are written here, and do not fold anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import Message
from email.policy import EmailPolicy, Policy
from typing import TYPE_CHECKING, Any, TypeAlias

from errormail.mail.folding import LINE_LENGTH, Piece, fold

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AnyMessage", "AnyPolicy", "WrittenHeader", "is_utf8", "keep_headers", "write_header"]

AnyMessage: TypeAlias = "Message[Any, Any]"
AnyPolicy: TypeAlias = "Policy[Any]"

LONGEST_PARSED = 10_000
"""Characters. The standard library's parser takes quadratic time; what is longer is not parsed."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_GOOD_LINES = re.compile(r"[^\r\n]*(?:\r?\n[ \t][^\r\n]*[^\s][^\r\n]*)*")
"""Lines of a header, each of which but the first begins with white space and has something more."""


class WrittenHeader(BaseHeader):
    """
    A header of the standard library whose lines are kept.

    It reads like any other, decoded, with ``addresses`` or ``datetime`` if it has such.
    """

    _lines: str

    def __new__(cls, name: str, value: str) -> Self:
        self = super().__new__(cls, name, _LINE_END.sub("", value))
        self._lines = value
        return self

    def fold(self, *, policy: AnyPolicy) -> str:
        """Return the whole header, with *policy*'s line ends."""
        if not self._lines.isascii() and not is_utf8(policy) and policy.cte_type == "7bit":
            return super().fold(policy=policy)
        return f"{self.name}: {_LINE_END.sub(policy.linesep, self._lines)}{policy.linesep}"


class UnparsedHeader(str):
    """The same for a header that is too long, or too strange, to be parsed: it reads as it is written."""

    name: str
    _lines: str

    def __new__(cls, name: str, value: str) -> Self:
        self = super().__new__(cls, _LINE_END.sub("", value))
        self.name = name
        self._lines = value
        return self

    def fold(self, *, policy: AnyPolicy) -> str:
        return f"{self.name}: {_LINE_END.sub(policy.linesep, self._lines)}{policy.linesep}"

    def __reduce__(self) -> tuple[object, ...]:
        return (UnparsedHeader, (self.name, self._lines))


_REGISTRY = HeaderRegistry(base_class=WrittenHeader)


def is_utf8(policy: AnyPolicy) -> bool:
    """May headers hold other letters than ASCII (RFC 6532)?"""
    return bool(getattr(policy, "utf8", False))


def write_header(message: AnyMessage, name: str, pieces: Iterable[Piece]) -> None:
    """Add the header *name* to *message*; raises ValueError if it cannot be written in lines that mail allows."""
    longest = min(message.policy.max_line_length or LINE_LENGTH, LINE_LENGTH)
    set_written(message, name, fold(name, pieces, longest))


def set_written(message: AnyMessage, name: str, value: str) -> None:
    """Add the header *name* to *message*, whose lines are *value*."""
    if isinstance(message.policy, EmailPolicy):
        message.set_raw(name, written(name, value))
    else:  # compat32 knows no header objects; it keeps short lines
        message.set_raw(name, value)


def written(name: str, value: str) -> str:
    """Return a header object, for `Message.set_raw`."""
    if len(value) > LONGEST_PARSED:
        return UnparsedHeader(name, value)
    try:
        header: str = _REGISTRY(name, value)
    except Exception:  # noqa: BLE001 -- what the parser raises on hostile text depends on the version
        return UnparsedHeader(name, value)
    return header


def keep_headers(message: AnyMessage) -> None:
    """
    Let the headers of a *message* that was parsed be written as they came, in it and in all its parts.

    Headers that a program has set are left to the standard library.
    """
    for part in message.walk():
        items = list(part.raw_items())
        for name in part.keys():  # noqa: SIM118 -- a message is no dict
            del part[name]
        for name, value in items:
            is_source = type(value) is str and value.isascii() and _GOOD_LINES.fullmatch(value)
            part.set_raw(name, written(name, value) if is_source else value)
