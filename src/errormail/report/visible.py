"""
Text of the program made harmless for a reader's screen: what cannot be seen becomes an escape that can.

A control character can clear a terminal (ANSI), end a line where none ends (U+2028), show text backwards (bidi) or
make Gmail clip the mail (C1). None of them survives into any part of an email.
"""

from __future__ import annotations

import re

__all__ = ["one_line", "shorten", "visible"]

# Line feed and tab stay: they are layout. Everything else here is a control character (C0, DEL, C1), steers the
# direction of text, breaks a line in `str.splitlines`, is a lone surrogate, no character at all, or invisible by design.
# The joiners U+200C and U+200D stay: Persian and emoji are wrong without them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
    + "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
_SHORT = {"\r": "\\r", "\n": "\\n"}  # as people write them


def visible(text: str) -> str:
    r"""Return *text* with ``\x1b`` and ``\u202e`` in place of what cannot be seen; line feeds stay, tabs become spaces."""
    if text.isascii() and text.isprintable():  # most values: twenty times as fast as the search
        return text
    if "\t" in text or "\r\n" in text:
        text = text.replace("\r\n", "\n").expandtabs(4)
    return _INVISIBLE.sub(_escape, text)


def one_line(text: str) -> str:
    r"""Return *text* visible and on one line: a line feed becomes ``\n`` as two characters."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(_escape, text).replace("\n", "\\n").replace("\t", " ")


def shorten(text: str, chars: int) -> str:
    """Return *text* at most *chars* characters long, cut at a word if one ends near, marked by three dots."""
    if len(text) <= chars:
        return text
    room = max(chars - 3, 0)
    space = text.rfind(" ", room * 2 // 3, room + 1)
    return (text[: space if space > 0 else room].rstrip() + "...")[:chars]


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
