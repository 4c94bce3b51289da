"""
HTML that escapes unless told not to.

There are two kinds of strings. A `Markup` is HTML; any other string is text. A `Template` is the only way to make one
out of the other: its own characters come from our source code, which the type checker sees to (`LiteralString`), and
whatever fills its holes is escaped unless it is a `Markup` already. Joining a Markup with a string by ``+`` gives a
string again, so a slip escapes twice, which everybody sees, and never not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from errormail.report.visible import visible

if TYPE_CHECKING:
    from typing_extensions import LiteralString

__all__ = ["EMPTY", "Markup", "Template", "escape", "join", "lines"]

_SPECIAL = re.compile("[&<>\"']")
_ENTITY = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "'": "&#39;",
}  # the shortest: values are full of quotes


class Markup(str):
    """HTML, safe to put into a page as it is."""

    __slots__ = ()


EMPTY = Markup("")


def escape(text: str) -> Markup:
    """Return *text* as it shall show, harmless in an element and in a quoted attribute; a Markup unchanged."""
    if isinstance(text, Markup):
        return text
    return Markup(_SPECIAL.sub(_entity, visible(text)))


class Template:
    """
    A piece of HTML with holes: ``Template('<b>{}</b>')("a < b")`` is ``<b>a &lt; b</b>``.

    Raises:
        ValueError: When called with more or fewer values than there are holes.
    """

    __slots__ = ("_pieces",)

    def __init__(self, html: LiteralString) -> None:
        self._pieces: tuple[str, ...] = tuple(html.split("{}"))

    def __call__(self, *values: str) -> Markup:
        first, *rest = self._pieces
        out = [first]
        for value, piece in zip(values, rest, strict=True):
            out.append(escape(value))
            out.append(piece)
        return Markup("".join(out))


def join(pieces: Iterable[str], separator: str = EMPTY) -> Markup:
    """Return the *pieces* as one Markup, each escaped unless it is Markup, as is the *separator*."""
    return Markup(escape(separator).join([escape(piece) for piece in pieces]))


def lines(text: str) -> Markup:
    """Return *text* with its line breaks and the spaces at the begin of its lines kept, for any element but ``pre``."""
    html = escape(text)
    if "\n" not in html:
        return html
    return Markup("<br>".join([_indented(line) for line in html.split("\n")]))


def _indented(line: str) -> str:
    body = line.lstrip(" ")
    return "&nbsp;" * (len(line) - len(body)) + body


def _entity(match: re.Match[str]) -> str:
    return _ENTITY[match.group()]
