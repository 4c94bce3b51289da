"""
HTML that escapes unless told not to.

There are two kinds of strings. A `Markup` is HTML; any other string is text. A `Template` is the only way to make one
out of the other: its own characters come from our source code, which the type checker sees to (`LiteralString`), and
whatever fills its holes is escaped unless it is a `Markup` already. Joining a Markup with a string by ``+`` gives a
string again, so a slip escapes twice, which everybody sees, and never not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from errormail.report.visible import visible

if TYPE_CHECKING:
    from typing_extensions import LiteralString

__all__ = ["EMPTY", "Markup", "Template", "escape", "join", "lines"]


class Markup(str):
    """HTML, safe to put into a page as it is."""

    __slots__ = ()


EMPTY = Markup("")


def escape(text: str) -> Markup:
    """Return *text* as it shall show, harmless in an element; a Markup unchanged. Quotes stay: values are full of them."""
    if isinstance(text, Markup):
        return text
    return Markup(visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


class Template:
    """
    A piece of HTML with holes: ``Template('<b>{}</b>')("a < b")`` is ``<b>a &lt; b</b>``.

    In a hole within a tag, which is an attribute's value in quotes, quotes are escaped as well, of a Markup too.

    Raises:
        ValueError: When called with more or fewer values than there are holes.
    """

    __slots__ = ("_holes",)

    def __init__(self, html: LiteralString) -> None:
        first, *pieces = html.split("{}")
        before = first
        self._holes: list[tuple[str, bool]] = [(first, False)]
        """What stands after each hole, and whether that is within a tag; before them what stands first."""
        for piece in pieces:
            self._holes.append((piece, before.rfind("<") > before.rfind(">")))
            before += piece

    def __call__(self, *values: str) -> Markup:
        (first, _), *holes = self._holes
        out = [first]
        for value, (piece, in_tag) in zip(values, holes, strict=True):
            html = escape(value)
            out.append(_quoted(html) if in_tag else html)
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


def _quoted(html: str) -> str:
    return html.replace('"', "&#34;").replace("'", "&#39;")
