"""
What an XML text holds under the names of secrets: elements at any depth, with their attributes and CDATA.

No parser: it takes broken XML and the beginning of one, expands no entity, and is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from errormail.report.model import REDACTED

__all__ = ["unescaped", "without_hidden_elements"]

DEPTH = 200
"""Of elements within elements. What lies deeper is hidden."""
SPACE = " \t\r\n"

_MARKUP = re.compile(
    r"<!--(?:(?!-->).)*(?:-->|\Z)"
    r"|<!\[CDATA\[(?P<cdata>(?:(?!\]\]>).)*)(?:\]\]>|\Z)"
    r"|<(?P<slash>/?)(?P<name>[\w.:-]{1,200})(?P<rest>[^<>]*)>?",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"\"([^\"]*)\"?|'([^']*)'?|=([^\s\"'/]+)")
_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def unescaped(text: str) -> str:
    """Return *text* with the characters that its references stand for. Source: XML 1.0 sections 4.1 and 4.6."""

    def character(match: re.Match[str]) -> str:
        name, decimal, hexadecimal = match.groups()
        if name:
            return _NAMED[name]
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()

    return _REFERENCE.sub(character, text)


def without_hidden_elements(text: str, hides: Callable[[str], bool]) -> tuple[str, list[str]]:
    """
    Return *text* with `REDACTED` for what stands in elements whose names are hidden, and the texts that stood there.

    Not their other attributes: ``password="..."`` is found as any pair is.
    """
    walk = _Walk(hides)
    at = 0
    for match in _MARKUP.finditer(text):
        walk.text(text[at : match.start()])
        at = match.end()
        if match["name"] is not None:
            walk.tag(match)
        elif walk.hidden_from is None:
            walk.out.append(match.group())
        else:
            walk.text(match["cdata"] or "")
    walk.text(text[at:])
    return "".join(walk.out), walk.found


class _Walk:
    """What is shown and what was found so far, and which elements are open."""

    def __init__(self, hides: Callable[[str], bool]) -> None:
        self.out: list[str] = []
        self.found: list[str] = []
        self.hidden_from: int | None = None
        """Depth of the outermost hidden element that is open."""
        self._hides = hides
        self._names: list[str] = []
        self._deeper = 0

    def text(self, piece: str) -> None:
        if self.hidden_from is None:
            self.out.append(piece)
        elif piece := piece.strip(SPACE):
            self.found.append(piece)
            if self.out[-1:] != [REDACTED]:
                self.out.append(REDACTED)

    def tag(self, match: re.Match[str]) -> None:
        name, rest = match["name"], match["rest"]
        if match["slash"]:
            self._leave(name)
            self.out.append(match.group())
            return
        depth = len(self._names)
        is_hidden = (
            self.hidden_from is not None
            or depth >= DEPTH
            or self._hides(name.rpartition(":")[2])  # without the prefix of its namespace
        )
        self.out.append(self._without_values(name, rest) if is_hidden else match.group())
        if rest.endswith("/"):
            return
        if is_hidden and self.hidden_from is None:
            self.hidden_from = depth
        if depth < DEPTH:
            self._names.append(name)
        else:
            self._deeper += 1

    def _without_values(self, name: str, rest: str) -> str:
        values = ["".join(each) for each in _ATTRIBUTE.findall(rest)]
        self.found += filter(None, values)
        mark = f" {REDACTED}" if rest.strip(SPACE + "/") else ""
        return f"<{name}{mark}{'/' if rest.endswith('/') else ''}>"

    def _leave(self, name: str) -> None:
        if self._deeper:
            self._deeper -= 1
        elif name in self._names:
            while self._names.pop() != name:  # what was opened after it was never closed
                pass
        if self.hidden_from is not None and len(self._names) + self._deeper <= self.hidden_from:
            self.hidden_from = None
