r"""
Pairs of a name and a value in a text, where the name is a secret's: ``name=value``, ``"name": "value"``, headers,
``('name', 'value')``, XML elements, fields of a multipart body; in any mixture, also escaped (``{\"name\": \"value\"}``).

A scanner: one pattern finds the next name with a separator, then the value is taken by hand, so that quotes, escapes and
brackets are understood and each character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from errormail.report.model import REDACTED

__all__ = ["redact_literals", "redact_pairs"]

Hides = Callable[[str], bool]

_PAIR = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]+)(?P<escape>\\{0,7})(?P<quote>[\"']?)(?:\]|%5[Dd])*"
    r"[ \t]*(?P<sep>=>|[:!=]?=|:(?!//)|,)[ \t]*"
)
# What an escape leaves at the begin of a name: \npassword, \x00password, %5Bpassword.
_ESCAPE_REST = re.compile(
    r"(?<=\\)(?:[nrtfv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})|(?<=%)[0-9a-fA-F]{2}"
)
_OPENING_QUOTE = re.compile(
    r"(?P<prefix>[bBuUrRfF]{0,2})(?P<escape>\\{0,7})(?P<quote>\"\"\"|'''|[\"'])"
)
_ANNOTATION = re.compile(
    r"[\w.]+(?:\[[^\]\n]{0,80}\])?(?:[ \t]*\|[ \t]*[\w.]+)*[ \t]*=[ \t]*(?=[bBuUrRfF]{0,2}\\{0,7}[\"'])"
)
_SCHEME = re.compile(r"(?:basic|bearer|digest|token|negotiate|apikey)[ \t]+", re.IGNORECASE)
_OPENING_BRACKET = re.compile(r"[\w.]*[(\[{<]")
_BRACKET = re.compile(r"\\*[\[\](){}<>\"']")
# A value without quotes. What may separate it from what follows belongs to it unless something that looks like the end,
# or like the next pair, stands there: passwords hold all of these.
_RUN = re.compile(
    r"(?:[^\s&;,\"'`<>)\]}\\]"
    r"|[&;,](?!\s|$|amp;|[\"']|[\w.%\[\]-]{0,60}=|[\w.-]{1,60}:[ ])"
    r"|[)\]}>\"'`](?![\s)\]}>,;:.&\"'`\\]|$)"
    r"|<(?![\w/!])"
    r"|\\(?!\\{0,7}[\"']))*"
)
_LINE = re.compile(r"(?:[^\r\n\\]|\\(?![rn]))*")
_WHOLE_LINE_NAMES = re.compile(
    r"cookie|authori[sz]ation|passphrase|mnemonic|private[-_]?key", re.IGNORECASE
)
# Loggers and modules have names like these: "ERROR:shop.api:no route".
_WEAK = re.compile(
    r".*\.(?:api|auth|oauth|cookies?|identity|key|seed|sessions?|signature|tokens?|secrets)",
    re.DOTALL,
)
_ELEMENT = re.compile(r"<([\w.:-]+)(?:\s[^<>]{0,200})?>([^<]*)")
_FIELD = re.compile(r"form-data;[ \t]*name=\\?[\"']?([^\"'\\\r\n;]{1,200})")
_BLANK_LINE = re.compile(r"\\r\\n\\r\\n|\\n\\n|\r\n\r\n|\n\n")
_BOUNDARY = re.compile(r"(?:\\r|\r)?(?:\\n|\n)--")
_NAMED = re.compile(
    r"(?:name|key|field|header|id)\\?[\"']?[ \t]*[=:][ \t]*\\?[\"']([\w.\[\]-]{1,100})\\?[\"'][ \t,]*\\?[\"']?value\\?[\"']?"
    r"[ \t]*[=:][ \t]*",
    re.IGNORECASE,
)


def redact_pairs(text: str, hides: Hides) -> str:
    """Return *text* with the value of each pair replaced whose name *hides*."""
    if "</" in text:
        text = _ELEMENT.sub(lambda match: _element(match, hides), text)
    if "=" not in text and ":" not in text and "," not in text:
        return text
    if "form-data" in text:
        text = _without_fields(text, hides)
    if "alue" in text or "ALUE" in text:
        text = _without(text, _NAMED, lambda match: _named_value(match, hides))
    return _without(text, _PAIR, lambda match: _pair_value(match, hides))


def redact_literals(line: str, hides: Hides) -> str:
    """Return a line of Python source with each string literal replaced that is given to a name that *hides*."""
    return _without(line, _PAIR, lambda match: _literal(match, hides))


def _without(
    text: str, pattern: re.Pattern[str], find: Callable[[re.Match[str]], tuple[int, int] | None]
) -> str:
    """Replace what *find* points out for each match of *pattern*; the search goes on behind it."""
    out: list[str] = []
    at = position = 0
    while match := pattern.search(text, position):
        position = match.end()
        span = find(match)
        if span is not None:
            out += [text[at : span[0]], REDACTED]
            at = span[1]
            position = max(position, at)
    return "".join([*out, text[at:]]) if out else text


def _pair_value(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    text, at, sep = match.string, match.end(), match["sep"]
    if (sep == "," and not _is_tuple(match)) or not _is_secret(match, hides):
        return None
    if sep == ",":
        return _quoted(text, at)
    if sep == ":" and not match["quote"]:
        if _WEAK.fullmatch(match["name"]):
            return None
        if annotation := _ANNOTATION.match(text, at):
            at = annotation.end()
    return _quoted(text, at) or _unquoted(match, at)


def _literal(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    text, at = match.string, match.end()
    if not match["quote"] and text[max(match.start() - 1, 0)] in "\"'":
        return None  # the name is the begin of a string that goes on: what follows is its end
    if (match["sep"] == "," and not _is_tuple(match)) or not _is_secret(match, hides):
        return None
    if match["sep"] == ":" and (annotation := _ANNOTATION.match(text, at)):
        at = annotation.end()
    opening = _OPENING_QUOTE.match(text, at)
    if opening is None or "f" in opening["prefix"].lower():
        return None
    start, end = _quoted(text, at) or (at, at)
    return (start, end) if end > start else None


def _is_secret(match: re.Match[str], hides: Hides) -> bool:
    name = match["name"]
    if hides(name):
        return True
    rest = _ESCAPE_REST.match(match.string, match.start())
    return rest is not None and rest.end() < match.end("name") and hides(name[len(rest.group()) :])


def _is_tuple(match: re.Match[str]) -> bool:
    """Is it ``('name', 'value')`` or ``[["name", "value"]]``, not two of many words in a list?"""
    if not match["quote"]:
        return False
    before = match.string[max(match.start() - 16, 0) : match.start()].rstrip("\\\"'").rstrip("bu ")
    return before.endswith("(") or (
        before.endswith("[") and before[:-1].rstrip()[-1:] in {"[", ","}
    )


def _quoted(text: str, at: int) -> tuple[int, int] | None:
    """Return where the text within quotes that open at *at* stands; to the end if they never close."""
    opening = _OPENING_QUOTE.match(text, at)
    if opening is None:
        return None
    quote = opening["quote"]
    if len(quote) == 3:
        end = text.find(quote, opening.end())
        return opening.end(), end if end >= 0 else len(text)
    return opening.end(), _closing_quote(text, opening.end(), quote, len(opening["escape"]))


def _closing_quote(text: str, start: int, quote: str, escapes: int) -> int:
    r"""
    Return the index of the closing quote, or of the backslashes that belong to it.

    *escapes* is the number of backslashes that the opening one had: 0, 1 in ``\"``, 3 in ``\\\"``.
    """
    at = start
    while (at := text.find(quote, at)) >= 0:
        begin = at
        while begin > start and text[begin - 1] == "\\":
            begin -= 1
        count = at - begin
        level = escapes
        while count % 2 and level:  # undo one level of escaping
            count, level = (count - 1) // 2, (level - 1) // 2
        if count % 2 == 0:
            return max(start, at - min(escapes, at - begin))
        at += 1
    return len(text)


def _unquoted(match: re.Match[str], at: int) -> tuple[int, int] | None:
    text = match.string
    if _WHOLE_LINE_NAMES.search(match["name"][-100:]) and not text.startswith(
        ("{", "[", "(", "<"), at
    ):
        end = _end_of_line(match, at)
    else:
        start = scheme.end() if (scheme := _SCHEME.match(text, at)) else at
        if opening := _OPENING_BRACKET.match(text, start):
            start = _closing_bracket(text, opening.end() - 1)
        run = _RUN.match(text, start)
        end = run.end() if run else start
    return (at, end) if end > at else None


def _end_of_line(match: re.Match[str], at: int) -> int:
    """Values of Cookie and Authorization hold blanks: they end with the line, or the quotes around the whole header."""
    text = match.string
    line = _LINE.match(text, at)
    end = line.end() if line else at
    before = text[match.start() - 1] if match.start() else ""
    if before in {'"', "'"} and not match["quote"]:
        escapes = len(text[max(match.start() - 8, 0) : match.start() - 1])
        escapes -= len(text[max(match.start() - 8, 0) : match.start() - 1].rstrip("\\"))
        end = min(end, _closing_quote(text[:end], at, before, escapes))
    return end


def _closing_bracket(text: str, at: int) -> int:
    """Return the index behind the bracket that closes the one at *at*; the end of *text* where none does."""
    angles = text[at] == "<"
    depth = 0
    while match := _BRACKET.search(text, at):
        at = match.end()
        char = text[at - 1]
        if char in "\"'":
            escapes = len(match.group()) - 1
            at = _closing_quote(text, at, char, escapes) + escapes + 1
        elif char in "([{" or (angles and char == "<"):
            depth += 1
        elif char in ")]}" or (angles and char == ">"):
            depth -= 1
        if depth <= 0:
            return at
    return len(text)


def _element(match: re.Match[str], hides: Hides) -> str:
    name, content = match.groups()
    if content and match.string.startswith(f"</{name}", match.end()) and hides(name):
        return match.group()[: -len(content)] + REDACTED
    return match.group()


def _named_value(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    """``name="password" value="..."``, ``{"name": "password", "value": "..."}``."""
    if not hides(match[1]):
        return None
    run = _RUN.match(match.string, match.end())
    return _quoted(match.string, match.end()) or ((match.end(), run.end()) if run else None)


def _without_fields(text: str, hides: Hides) -> str:
    """Fields of a multipart body, also within a repr: from the blank line to the boundary."""

    def value(match: re.Match[str]) -> tuple[int, int] | None:
        if not hides(match[1]):
            return None
        blank = _BLANK_LINE.search(match.string, match.end(), match.end() + 300)
        if blank is None:
            return None
        boundary = _BOUNDARY.search(match.string, blank.end())
        return blank.end(), boundary.start() if boundary else len(match.string)

    return _without(text, _FIELD, value)
