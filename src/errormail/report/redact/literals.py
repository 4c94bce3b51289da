"""
Literals in Python source that are given to a secret's name: ``API_KEY = "sk-..."``, ``connect(auth=("bob", "..."))``.

What is no literal stays: ``sorted(names, key=len)``, ``token = request.form["token"]``.
"""

from __future__ import annotations

import re

from errormail.report.model import REDACTED
from errormail.report.redact.pairs import (
    OPENING_QUOTE,
    PAIR,
    Hides,
    closing_bracket,
    is_secret,
    is_tuple,
    quoted,
)

__all__ = ["redact_literals"]

_ANNOTATION = re.compile(r"[\w.]+(?:\[[^\]\n]{0,80}\])?(?:[ \t]*\|[ \t]*[\w.]+)*[ \t]*=[ \t]*")
# What a literal is given to on its way: SecretStr("..."), field(default="..."), base64.b64decode("...").
_WRAPPER = re.compile(
    r"(?:\w{1,64}\.){0,4}(?:[A-Z]\w{0,64}|field|b64decode|b16decode|fromhex|unhexlify|bytes|bytearray|str|quote|unquote)(?=\()"
)
_KEYWORD = re.compile(r"\w{1,64}[ ]?=[ ]?(?=[bBuUrR]{0,2}[\"'])")
_BETWEEN = re.compile(r"[ \t]*(?:\\\n[ \t]*)?")
_BETWEEN_IN_BRACKETS = re.compile(r"[\s,:()\[\]{}]*(?:\w{1,64}[ ]?=[ ]?)?")
BRACKET_CHARS = 400
"""Within so many characters brackets must close."""
# In a comment there are no quotation marks around a value; without a digit it is a word of prose.
_WORD_IN_COMMENT = re.compile(r"(?=[^\s\d\"']{0,64}\d)[^\s\"',;)\]}]{6,}")
_NUMBER = re.compile(r"[+-]?\d[\d_.]{3,}(?![\w.])")


def redact_literals(source: str, hides: Hides) -> str:
    """Return lines of source with each literal replaced that is given to a name that *hides*; as many lines."""
    out: list[str] = []
    at = position = 0
    while match := PAIR.search(source, position):
        position = match.end()
        for start, end in _literals(match, hides):
            lines = "\n" * source.count("\n", start, end)
            out += [source[at:start], REDACTED, lines]
            at = end
        position = max(position, at)
    return "".join([*out, source[at:]])


def _literals(match: re.Match[str], hides: Hides) -> list[tuple[int, int]]:
    """Return where the literals stand that are given to the name in *match*."""
    text, at, sep = match.string, match.end(), match["sep"]
    if not match["quote"] and text[max(match.start() - 1, 0)] in "\"'":
        return []  # the name is the begin of a string that goes on: what follows is its end
    if (sep == "," and not is_tuple(match)) or not is_secret(match, hides):
        return []
    # Not the other way round: the word may be long, and only what is hidden is not looked at again.
    if _in_comment(text, match.start()) and (word := _WORD_IN_COMMENT.match(text, at)):
        return [word.span()]
    if sep == ":" and (annotation := _ANNOTATION.match(text, at)):
        at = annotation.end()
    if sep == "," and (keyword := _KEYWORD.match(text, at)):
        at = keyword.end()
    if number := _NUMBER.match(text, at):
        return [] if sep == "," else [number.span()]
    if wrapper := _WRAPPER.match(text, at):
        at = wrapper.end()
    if text.startswith(("(", "[", "{"), at):
        between = _BETWEEN_IN_BRACKETS.match(text, at + 1)
        within = text[at : at + BRACKET_CHARS]
        return _run_of_literals(
            text,
            between.end() if between else at + 1,
            at + closing_bracket(within, 0),
            in_brackets=True,
        )
    return _run_of_literals(text, at, len(text), in_brackets=False)


def _in_comment(text: str, at: int) -> bool:
    """Does a comment begin before *at* on its line, as far as can be told from its quotation marks?"""
    begin = max(at - BRACKET_CHARS, 0)
    code, hash_, _ = text[begin:at].rpartition("\n")[2].partition("#")
    return bool(hash_) and code.count("'") % 2 == 0 and code.count('"') % 2 == 0


def _run_of_literals(text: str, at: int, limit: int, *, in_brackets: bool) -> list[tuple[int, int]]:
    """Return where the literals stand that follow one another from *at* on: adjacent ones, or the items in brackets."""
    found: list[tuple[int, int]] = []
    while (span := _literal(text, at)) and span[0] < limit:
        if span[1] > span[0]:
            found.append(span)
        opening = OPENING_QUOTE.match(text, at)
        at = span[1] + (len(opening["quote"]) if opening else 1)
        between = (_BETWEEN_IN_BRACKETS if in_brackets else _BETWEEN).match(text, at)
        at = between.end() if between else at
    return found


def _literal(text: str, at: int) -> tuple[int, int] | None:
    opening = OPENING_QUOTE.match(text, at)
    if opening is None or "f" in opening["prefix"].lower():
        return None
    start, end = quoted(text, at) or (at, at)
    if len(opening["quote"]) == 1 and (newline := text.find("\n", start, end)) >= 0:
        end = newline  # it has lost its end
    return start, end
