"""
Secrets that are known by what they look like: userinfo in URLs, PEM blocks, tokens, keys of well-known providers, cards.

Every pattern begins where a run of its characters begins and takes the run once, so that none of them can backtrack:
the time is linear in the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Callable

from errormail.report.model import REDACTED
from errormail.report.redact.providers import may_hold_key, redact_keys

__all__ = ["may_hold_shape", "redact_shapes"]

# Between :// and the last @ before the path begins; also as PHP's JSON writes it.
_USERINFO = re.compile(r"(?:(?<=://)|(?<=:\\/\\/))[^\s/?#\"'<>`|\\]+@")
# A password with a raw slash, question mark or hash in it; bounded, since it may cross what follows. Not host:port/.
_ODD_USERINFO = re.compile(
    r"(?<=://)[^\s@\"'<>/:]{0,128}:(?!\d{1,5}(?:[/?#]|$))[^\s@\"'<>]{1,256}@"
)
# An address in a parameter of another: ?next=https%3A%2F%2Fbob%3As3cret%40example.com
_ENCODED_USERINFO = re.compile(
    r"(?<=%3A%2F%2F)(?:(?!%2F|%40|%3F)[^\s&\"'<>]){1,256}(?=%40)", re.IGNORECASE
)
_PEM = re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{1,40}-{4,5}")
_PEM_END = re.compile(r"-{4,5} ?END [A-Z0-9 ]{1,40}-{4,5}")
_IN_PEM = f"{string.ascii_letters}{string.digits}+/=\\ \t\r\n"
_SCHEME = re.compile(
    r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))(basic|bearer|digest|negotiate|token|api-?key)(\s{1,4}|%20|\+)([A-Za-z0-9._~+/=:%-]{6,})",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"(?:auth|authentication|authorization|bearer|credentials?|error|expected|failed|header|information|invalid|login|"
    r"method|missing|needed|realm|request|required|scheme|tokens?|username|version|challenge|response|=.*)[.:,]?",
    re.IGNORECASE,
)
# curl -u bob:s3cret, ['-u', 'bob:s3cret']
_USER_FLAG = re.compile(
    r"((?<!\S)[\"']?-(?:u|-user|-proxy-user)(?:[\"'],)?[ \t=]+[\"']?[^\s:\"',]{1,100}:)[^\s\"',\[]+"
)
_WEBHOOK = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/"
    r"|hooks\.zapier\.com/hooks/|webhook\.office\.com/webhookb2/|outlook\.office\.com/webhook/|/with/key/)[\w/@.%+-]+"
)
# Digits in groups of three and more; what stands before may be the rest of an escape: \n4111...
_DIGITS = re.compile(
    r"(?:(?<![\w.])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))\d{3,}(?:(?:[ +-]|%20)\d{3,})*(?!\w)(?!\.(?!0(?!\d))\d)"
)
_GROUP = re.compile(r"%20|[ +-]|\d+")
_NO_DIGITS = bytes(code for code in range(128) if not 48 <= code <= 57)
CARD_DIGITS_MIN, CARD_DIGITS_MAX = 14, 19
_MANY_DIGITS = re.compile(rf"\d(?:(?:[ +-]|%20)?\d){{{CARD_DIGITS_MIN - 1}}}")


def may_hold_shape(text: str) -> bool:
    """Return False if there is nothing in *text* that `redact_shapes` replaces: known in a few looks."""
    if "://" in text or "---" in text:
        return True
    if len(text) < 12:  # all others are as long
        return False
    lower = text.lower()
    return (
        may_hold_key(text)
        or "hook" in lower
        or "-u" in lower
        or "token " in lower
        or "apikey " in lower
        or "api-key " in lower
        or "basic" in lower
        or "bearer" in lower
        or "digest" in lower
        or "negotiate" in lower
        or "%3a%2f%2f" in lower
        or ":\\/\\/" in lower
        or _may_hold_card(text)
    )


def _may_hold_card(text: str) -> bool:
    """Most texts have few digits."""
    if text.isascii() and len(text.encode().translate(None, _NO_DIGITS)) < CARD_DIGITS_MIN:
        return False
    return _MANY_DIGITS.search(text) is not None


def redact_shapes(text: str, *, keep_lines: bool = False) -> str:
    """Return *text* with what looks like a secret replaced; *keep_lines*: of source, with as many lines as before."""
    if not may_hold_shape(text):
        return text
    if "---" in text:
        text = _without_pem(text, keep_lines)
    text = _USERINFO.sub(REDACTED + "@", text)
    text = _ODD_USERINFO.sub(REDACTED + "@", text)
    text = _ENCODED_USERINFO.sub(REDACTED, text)
    text = _SCHEME.sub(_credentials, text)
    if "-u" in text or "-proxy-u" in text:
        text = _USER_FLAG.sub(rf"\1{REDACTED}", text)
    text = _WEBHOOK.sub(rf"\1{REDACTED}", text)
    text = redact_keys(text, REDACTED)
    return _DIGITS.sub(_without_cards, text) if _may_hold_card(text) else text


def _without_pem(text: str, keep_lines: bool) -> str:
    """Replace each block, also one that has lost its end, or its begin."""
    out: list[str] = []
    at = 0

    def replace(begin: int, end: int) -> None:
        nonlocal at
        lines = text.count("\n", begin, end) if keep_lines else 0
        out.extend((text[at:begin], REDACTED, "\n" * lines))
        at = end

    while end := _PEM_END.search(text, at):
        begin = _PEM.search(text, at, end.start())
        before = at + len(text[at : end.start()].rstrip(_IN_PEM))
        replace(begin.start() if begin else before, end.end())
    if begin := _PEM.search(text, at):
        replace(begin.start(), len(text))
    return "".join([*out, text[at:]])


def _credentials(match: re.Match[str]) -> str:
    scheme, space, token = match.groups()
    looks = _LOOKS.get(scheme.lower(), _is_random)
    return f"{scheme}{space}{REDACTED}" if looks(token) else match.group()


def _is_basic(token: str) -> bool:
    """RFC 7617: base64 of user, colon, password. Words of prose are none."""
    try:
        if b":" in base64.b64decode(token.rstrip("=.,") + "==", validate=False):
            return True
    except (binascii.Error, ValueError):
        pass
    return len(token) >= 12 and any(char.isdigit() for char in token)


def _is_bearer(token: str) -> bool:
    return not _PROSE.fullmatch(token)


def _is_random(token: str) -> bool:
    return len(token) >= 16 and any(map(str.isdigit, token)) and any(map(str.isalpha, token))


_LOOKS = {"basic": _is_basic, "bearer": _is_bearer, "digest": _is_bearer, "negotiate": _is_bearer}


def _without_cards(match: re.Match[str]) -> str:
    """Replace each card's number among groups of digits: ``4111 1111 1111 1111 123`` holds one."""
    parts = _GROUP.findall(match.group())
    out: list[str] = []
    at = 0
    while at < len(parts):
        end = _end_of_card(parts, at)
        out.append(REDACTED if end else parts[at])
        at = end or at + 1
    return "".join(out)


def _end_of_card(parts: list[str], at: int) -> int:
    """Return the index behind the card's number that begins at *at*, 0 if none does. Digits and separators alternate."""
    number = ""
    if parts[at][0] not in "23456":
        return 0
    for end in range(at, len(parts), 2):
        number += parts[end]
        if len(number) > CARD_DIGITS_MAX:
            return 0
        if len(number) >= CARD_DIGITS_MIN and _is_card(number):
            return end + 1
    return 0


def _is_card(number: str) -> bool:
    digits = [int(char) for char in number]
    return _has_card_form(digits) and _luhn(digits)


def _has_card_form(digits: list[int]) -> bool:
    """Prefix and length belong together, or it is an order number. Source: ISO/IEC 7812 issuer ranges."""
    two, three, length = (
        digits[0] * 10 + digits[1],
        digits[0] * 100 + digits[1] * 10 + digits[2],
        len(digits),
    )
    if digits[0] == 4:  # Visa
        return length in {16, 19}
    if 51 <= two <= 55 or 2221 <= three * 10 + digits[3] <= 2720:  # Mastercard
        return length == 16
    if two in {34, 37}:  # American Express
        return length == 15
    if two in {36, 38} or 300 <= three <= 305:  # Diners Club
        return length in {14, 16, 19}
    if two == 35:  # JCB
        return 16 <= length <= 19
    return (
        two in {60, 62, 64, 65, 50, 56, 57, 58, 67} and 16 <= length <= 19
    )  # Discover, UnionPay, Maestro


def _luhn(digits: list[int]) -> bool:
    doubled: Callable[[int], int] = lambda digit: digit * 2 - 9 if digit > 4 else digit * 2  # noqa: E731 -- one line
    return (sum(digits[-1::-2]) + sum(map(doubled, digits[-2::-2]))) % 10 == 0
