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
from errormail.report.redact.sensitive import is_secret_phrase

__all__ = [
    "ANNOTATION",
    "OPENING_QUOTE",
    "PAIR",
    "Hides",
    "closing_bracket",
    "is_secret",
    "is_tuple",
    "may_hold_pair",
    "quoted",
    "redact_pairs",
    "without",
]

Hides = Callable[[str], bool]

_CODED_QUOTE = r"&quot;|&#3[49];|&#x2[27];|\\u002[27]|\\x2[27]"
"""In HTML, and in JSON within HTML."""
PAIR = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]+)(?P<escape>\\{0,7})"
    rf"(?P<quote>(?:[\"']|{_CODED_QUOTE})?)(?:\]|%5[Dd])*(?:[ \t+]|%20)*(?P<sep>[=-]>|[:!=]?=|%(?:25)*3[Dd]|:(?!//)|,)"
    r"[ \t]*(?:(?:\\r|\r)?(?:\\n|\n)[ \t]*(?=\\{0,7}[\"']))?"  # the value on the next line
)
# What an escape leaves at the begin of a name: \npassword, \x00password, %5Bpassword, %253Fpassword.
_ESCAPE_REST = re.compile(
    r"(?<=\\)(?:[nrtfv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})|(?<=%)(?:25)*[0-9a-fA-F]{2}"
)
OPENING_QUOTE = re.compile(
    rf"(?P<prefix>[bBuUrRfF]{{0,2}})(?P<escape>\\{{0,7}})(?P<quote>\"\"\"|'''|[\"']|{_CODED_QUOTE})"
)
ANNOTATION = re.compile(
    r"[\w.]+(?:\[[^\]\n]{0,80}\])?(?:[ \t]*\|[ \t]*[\w.]+)*[ \t]*=[ \t]*(?=[bBuUrRfF]{0,2}\\{0,7}[\"'])"
)
_QUOTED_NAME = re.compile(r"[\"']([\w .-]+ )\Z")
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
    r"|\\(?!\\{0,7}[\"'])(?![nrt][\w.-]{1,60}[ ]?[=:]))*"
)
# Within a parameter of an address that is itself a parameter: ends at the & of either.
_ENCODED_RUN = re.compile(r"(?:[^\s&\"'<>%]|%(?!(?:25)*26))*")
_LINE = re.compile(r"(?:[^\r\n\\]|\\(?![rn]))*")
_WHOLE_LINE_NAMES = re.compile(
    r"cookie|authori[sz]ation|passphrase|mnemonic|private[-_]?key", re.IGNORECASE
)
# Loggers and modules have names like these: "ERROR:shop.api:no route".
_WEAK = re.compile(
    r".*\.(?:api|auth|oauth|cookies?|identity|key|seed|sessions?|signature|tokens?|secrets)",
    re.DOTALL,
)
_ELEMENT = re.compile(r"<([\w.:-]+)(?:\s[^<>]{0,200})?>")
ELEMENT_CHARS = 4_096
"""Within so many characters an element must end."""
# PostgreSQL: Key (email, api_key)=(bob@example.com, s3cret) already exists.
_COLUMNS = re.compile(r"\(([^()\n]{1,200})\)=(?=\()")
# SQLAlchemy: [SQL: INSERT INTO users (name, password) VALUES (?, ?)]\n[parameters: ('bob', 's3cret')]
_SQL, _PARAMETERS = "[SQL: ", "[parameters: "
# What is said of one: invalid password 'hunter2'
_SAID = re.compile(
    r"(?<![\w/-])(?:passwords?|passwd|passphrase|pwd|secret|api[ _-]?key)(?: is| was)? (?P<quote>[\"'`])(?=[^\"'`\s]{1,200}(?P=quote))",
    re.IGNORECASE,
)
# YAML: password: |
_BLOCK = re.compile(r"[|>][+-]?\d?[ \t]*\r?\n(?:[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)*")
_COLUMN = re.compile(r"[a-z_][a-z0-9_]*")
# A flag of a command: --password hunter2, ['--password', 'hunter2']
_FLAG = re.compile(
    r"(?<![\w-])(?P<quote>[\"']?)--?(?P<name>[A-Za-z][\w-]{1,100})(?:(?P=quote),[ \t]+(?=[bu]?[\"'])|[ \t]+(?![-=:,]))"
)
_FLAG_WORD = re.compile(
    r"(?:is|are|was|must|may|can|cannot|has|not|and|or|option|argument|flag|parameter|requires?|to|with|for|in|on|from)\b"
)
_FIELD = re.compile(r"form-data;[ \t]*name=\\?[\"']?([^\"'\\\r\n;]{1,200})")
_BLANK_LINE = re.compile(r"\\r\\n\\r\\n|\\n\\n|\r\n\r\n|\n\n")
_BOUNDARY = re.compile(r"(?:\\r|\r)?(?:\\n|\n)--")
_NAMED = re.compile(
    r"(?:name|key|field|header|id)\\?[\"']?[ \t]*[=:][ \t]*\\?[\"']([\w.\[\]-]{1,100})\\?[\"'][ \t,]*\\?[\"']?value\\?[\"']?"
    r"[ \t]*[=:][ \t]*",
    re.IGNORECASE,
)


def may_hold_pair(text: str) -> bool:
    """Return False if there is no pair in *text*: known in a few looks."""
    if "=" in text or ":" in text or "</" in text:
        return True
    return "'" in text or '"' in text or "`" in text or "%" in text or "-" in text


def redact_pairs(text: str, hides: Hides, hides_in_prose: Hides | None = None) -> str:
    """
    Return *text* with the value of each pair replaced whose name *hides*.

    Args:
        hides_in_prose: In place of *hides* for a name without quotes before a colon: any sentence may have one.
    """
    prose = hides_in_prose or hides
    if not may_hold_pair(text):
        return text
    if "</" in text:
        text = without(text, _ELEMENT, lambda match: _element(match, hides))
    if ")=(" in text:
        text = without(text, _COLUMNS, lambda match: _columns(match, hides))
    if _PARAMETERS in text:
        text = _without_parameters(text, hides)
    if "-" in text:
        text = without(text, _FLAG, lambda match: _flag_value(match, prose))
    if "form-data" in text:
        text = _without_fields(text, hides)
    if "alue" in text or "ALUE" in text:
        text = without(text, _NAMED, lambda match: _named_value(match, hides))
    text = without(text, _SAID, lambda match: _said(match, hides))
    return without(text, PAIR, lambda match: _pair_value(match, hides, prose))


def without(
    text: str,
    pattern: re.Pattern[str],
    find: Callable[[re.Match[str]], tuple[int, int] | None],
    *,
    keep_lines: bool = False,
) -> str:
    """Replace what *find* points out for each match of *pattern*; the search goes on behind it."""
    out: list[str] = []
    at = position = 0
    while match := pattern.search(text, position):
        position = match.end()
        span = find(match)
        if span is not None:
            out += [text[at : span[0]], REDACTED]
            if keep_lines:
                out.append("\n" * text.count("\n", *span))
            at = span[1]
            position = max(position, at)
    return "".join([*out, text[at:]]) if out else text


def _pair_value(match: re.Match[str], hides: Hides, prose: Hides) -> tuple[int, int] | None:
    text, at, sep = match.string, match.end(), match["sep"]
    if sep == ":" and not match["quote"]:
        hides = prose
    if (sep == "," and not is_tuple(match)) or not is_secret(match, hides):
        return None
    if sep == ",":
        return quoted(text, at)
    if sep == ":" and not match["quote"]:
        if _WEAK.fullmatch(match["name"]) or match["name"].startswith("-"):
            return None  # "argument --token: expected one argument"
        if annotation := ANNOTATION.match(text, at):
            at = annotation.end()
    return quoted(text, at) or _unquoted(match, at)


def is_secret(match: re.Match[str], hides: Hides) -> bool:
    name, text, start = match["name"], match.string, match.start()
    if start and text[start - 1] == " ":
        before = text[max(start - 48, 0) : start]
        if match["quote"]:
            whole = _QUOTED_NAME.search(before)
            if whole is not None:
                return hides(whole[1] + name)
        elif (verdict := is_secret_phrase(before, name)) is not None:
            return verdict
    if hides(name):
        return True
    rest = _ESCAPE_REST.match(text, start)
    return rest is not None and rest.end() < match.end("name") and hides(name[len(rest.group()) :])


def is_tuple(match: re.Match[str]) -> bool:
    """Is it ``('name', 'value')`` or ``[["name", "value"]]``, not two of many words in a list?"""
    if not match["quote"]:
        return False
    before = match.string[max(match.start() - 16, 0) : match.start()].rstrip("\\\"'").rstrip("bu ")
    return before.endswith("(") or (
        before.endswith("[") and before[:-1].rstrip()[-1:] in {"[", ","}
    )


def quoted(text: str, at: int) -> tuple[int, int] | None:
    """Return where the text within quotes that open at *at* stands; to the end if they never close."""
    opening = OPENING_QUOTE.match(text, at)
    if opening is None:
        return None
    quote = opening["quote"]
    if len(quote) > 1:
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
    if match["sep"].startswith("%"):
        run = _ENCODED_RUN.match(text, at)
        end = run.end() if run else at
    elif block := _BLOCK.match(text, at):
        end = block.end()
    elif _WHOLE_LINE_NAMES.search(match["name"][-100:]) and not text.startswith(
        ("{", "[", "(", "<"), at
    ):
        end = _end_of_line(match, at)
    else:
        start = scheme.end() if (scheme := _SCHEME.match(text, at)) else at
        if opening := _OPENING_BRACKET.match(text, start):
            start = closing_bracket(text, opening.end() - 1)
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


def closing_bracket(text: str, at: int) -> int:
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


def _element(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    """The content of an element, with the elements in it."""
    if not hides(match[1]):
        return None
    end = match.string.find(f"</{match[1]}", match.end(), match.end() + ELEMENT_CHARS)
    return (match.end(), end) if end > match.end() else None


def _columns(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    if any(hides(name.strip(' "')) for name in match[1].split(",")):
        return match.end(), closing_bracket(match.string, match.end())
    return None


def _without_parameters(text: str, hides: Hides) -> str:
    """Replace the parameters of a statement that have no names, if the statement names a secret."""
    out: list[str] = []
    at = 0
    while (found := text.find(_PARAMETERS, at)) >= 0:
        begin = found + len(_PARAMETERS)
        statement = text[max(text.rfind(_SQL, at, found), at) : found]
        out.append(text[at:begin])
        at = begin
        if text.startswith(("(", "[("), begin) and _names_secret(statement, hides):
            out.append(REDACTED)
            at = closing_bracket(text, begin)
    return "".join([*out, text[at:]])


def _names_secret(statement: str, hides: Hides) -> bool:
    return any(hides(word) for word in _COLUMN.findall(statement[:ELEMENT_CHARS]))


def _said(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    name = match.group().rpartition(" ")[0]
    if not hides(name):
        return None
    return match.end(), match.string.index(match["quote"], match.end())


def _flag_value(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    text, at = match.string, match.end()
    if not hides(match["name"]) or _FLAG_WORD.match(text, at):
        return None
    if within := quoted(text, at):
        return within
    run = _RUN.match(text, at)
    return (at, run.end()) if run and run.end() > at else None


def _named_value(match: re.Match[str], hides: Hides) -> tuple[int, int] | None:
    """``name="password" value="..."``, ``{"name": "password", "value": "..."}``."""
    if not hides(match[1]):
        return None
    run = _RUN.match(match.string, match.end())
    return quoted(match.string, match.end()) or ((match.end(), run.end()) if run else None)


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

    return without(text, _FIELD, value)
