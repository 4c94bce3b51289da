"""
What a header says, as the lines that say it: folded (RFC 5322 section 2.2.3), with encoded words where needed (RFC 2047).

Pure functions from text to ASCII (or UTF-8, where RFC 6532 is asked for). No line ends inside a word, and each line but
the first begins with white space, whatever the text was.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from errormail._addresses import format_address

__all__ = ["LINE_LENGTH", "LONGEST_LINE", "Piece", "fold", "phrase", "text_pieces"]

LINE_LENGTH = 78
"""Characters, without CR LF: what a line should not exceed (RFC 5322 section 2.1.1)."""
LONGEST_LINE = 998
"""What it must not exceed."""
LONGEST_ENCODED_WORD = 75
"""RFC 2047 section 2."""
LONGEST_RAW_WORD = 900
"""A word of a header of unknown kind is left alone up to here; it may be one that must not be encoded."""
LEAST_ROOM = 36
"""Where a line has less left, an encoded word begins a new one."""

_FRAME = len("=?utf-8?Q??=")
_MESSAGE_ID_HEADERS = frozenset(
    ["message-id", "references", "in-reply-to", "resent-message-id", "content-id"]
)
_WORD = re.compile(r"([ \t]*)([^ \t]+)")
_NOT_PLAIN = re.compile(r"[^ -~]|=\?")
"""What a reader might not show as it stands."""
_ENCODED_WORD = re.compile(r"=\?[^?\s]*\?[bBqQ]\?")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A display name that needs no quotes (RFC 5322 section 3.2.3)."""
_Q = {
    byte: chr(byte) if re.match(rb"[A-Za-z0-9!*+/-]", bytes([byte])) else f"={byte:02X}"
    for byte in range(256)
} | {ord(" "): "_"}
"""How each byte is written in an encoded word, in a display name too (RFC 2047 section 5, rule 3)."""


class Piece(NamedTuple):
    """A part of a header's value, in which no line may end unless it is to be encoded."""

    space: str
    """White space, before which a line may end; empty: it belongs right behind the piece before it."""
    text: str
    is_encoded: bool = False
    """*text* is to be written as encoded words."""


def text_pieces(name: str, text: str, *, utf8: bool = False) -> list[Piece]:
    """
    Return the pieces of *text* in the header *name*: from the first word that has to be encoded to the last, all is.

    Args:
        utf8: Letters other than ASCII may stand as they are (RFC 6532).
    """
    field = name.lower()
    words = [Piece(match[1], match[2]) for match in _WORD.finditer(text.strip(" \t"))]
    needy = [at for at, word in enumerate(words) if _must_encode(field, word.text, utf8)]
    if not needy:
        return words
    first, last = needy[0], needy[-1]
    span = "".join(word.space + word.text for word in words[first : last + 1])
    space = words[first].space
    return [*words[:first], Piece(space, span[len(space) :], True), *words[last + 1 :]]


def _must_encode(field: str, word: str, utf8: bool) -> bool:
    longest = LINE_LENGTH - len(" ") if field == "subject" else LONGEST_RAW_WORD
    if field in _MESSAGE_ID_HEADERS and word.isascii() and word.isprintable():
        return bool(_ENCODED_WORD.search(word)) or len(word) > longest
    if utf8 and word.isprintable():
        return "=?" in word or len(word.encode()) > longest
    return len(word) > longest or bool(_NOT_PLAIN.search(word))


def phrase(name: str, *, utf8: bool = False) -> list[Piece]:
    """Return the pieces of a display name: as it stands, in quotes, or to be encoded."""
    if not name:
        return []
    if "=?" not in name:
        if _PLAIN_PHRASE.fullmatch(name):
            return [Piece(" ", word) for word in name.split(" ")]
        quoted = format_address(name, "").removesuffix(" <>")
        if (
            name.isprintable()
            and (utf8 or name.isascii())
            and len(quoted) < LINE_LENGTH - LEAST_ROOM
        ):
            return [Piece(" ", quoted)]
    return [Piece(" ", name, True)]


def fold(name: str, pieces: Iterable[Piece], longest: int = LINE_LENGTH) -> str:
    """
    Return the value of header *name* that *pieces* make, in lines with LF between them.

    A line has at most *longest* characters, unless a single piece is longer. The first piece stays on the line of the
    name: some readers take a line with nothing on it for the end of the headers.

    Raises:
        ValueError: A line would be longer than mail allows.
    """
    line, lines = f"{name}:", list[str]()
    has_text = False
    for space, text in _written(name, pieces, longest):
        if has_text and space and len(line) + len(space) + len(text) > longest:
            lines.append(line)
            line = ""
        line += (space if has_text else " ") + text
        has_text = True
    lines.append(line)
    if any(len(each.encode()) > LONGEST_LINE for each in lines):
        raise ValueError(f"header {name}: a line would have more than {LONGEST_LINE} characters")
    return "\n".join(lines)[len(name) + 1 :].removeprefix(" ")


def _written(name: str, pieces: Iterable[Piece], longest: int) -> Iterator[tuple[str, str]]:
    """Yield white space and text of each word as it is to be written."""
    column = len(name) + 1  # where it stands at most, for encoded words: they can be made to fit
    for piece in pieces:
        if not piece.is_encoded:
            yield piece.space, piece.text
            column += len(piece.space) + len(piece.text)
            if column > longest:
                column = len(piece.space) + len(piece.text)
            continue
        space = piece.space or " "
        left = longest - column - len(space)
        is_first = column == len(name) + 1
        for word in _encoded_words(piece.text, left, longest - 1, has_to_fit=is_first):
            yield space, word
            space, column = " ", len(" ") + len(word)


def _encoded_words(text: str, left: int, room: int, *, has_to_fit: bool) -> Iterator[str]:
    """
    Yield encoded words that say *text*, all of one encoding, each of whole characters.

    Args:
        left: Characters that the line has left for the first word.
        room: Characters of each other line.
        has_to_fit: The first word stands on this line; else it begins another if there is too little left.
    """
    content = text.encode()
    size_q = sum(len(_Q[byte]) for byte in content)
    size_b = (len(content) + 2) // 3 * 4
    is_base64 = size_b < size_q
    room = max(min(room, LONGEST_ENCODED_WORD), LEAST_ROOM) - _FRAME
    left = min(left - _FRAME, room)
    # Not divided if it needs not be: some readers put a space between encoded words.
    is_better_alone = left < LEAST_ROOM - _FRAME or left < min(size_b, size_q) <= room
    if is_better_alone and not has_to_fit:
        left = room
    left = max(left, LEAST_ROOM - _FRAME)
    begin, used = 0, 0
    for at, character in enumerate(text):
        encoded = character.encode()
        size = len(encoded) if is_base64 else sum(len(_Q[byte]) for byte in encoded)
        if used + size > (left // 4 * 3 if is_base64 else left):
            yield _encoded_word(text[begin:at], is_base64)
            begin, used, left = at, 0, room
        used += size
    yield _encoded_word(text[begin:], is_base64)


def _encoded_word(text: str, is_base64: bool) -> str:
    content = text.encode()
    if is_base64:
        return f"=?utf-8?B?{binascii.b2a_base64(content, newline=False).decode()}?="
    return f"=?utf-8?Q?{''.join(_Q[byte] for byte in content)}?="
