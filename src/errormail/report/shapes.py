"""
Secrets that are known by what they look like: userinfo in URLs, PEM blocks, tokens, keys of well-known providers, cards.

Every pattern begins where a run of its characters begins and takes the run once, so that none of them can backtrack:
the time is linear in the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from errormail.report.model import REDACTED

__all__ = ["redact_shapes"]

# Between :// and the last @ before the path begins.
_USERINFO = re.compile(r"(?<=://)[^\s/?#\"'<>`|]+@")
# A password with a raw slash, question mark or hash in it; bounded, since it may cross what follows. Not host:port/.
_ODD_USERINFO = re.compile(
    r"(?<=://)[^\s@\"'<>/:]{0,128}:(?!\d{1,5}(?:[/?#]|$))[^\s@\"'<>]{1,256}@"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")
_SCHEME = re.compile(
    r"(?<![A-Za-z0-9_])(basic|bearer|digest|negotiate)(\s{1,4}|%20|\+)([A-Za-z0-9._~+/=:%-]{6,})",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"(?:auth|authentication|authorization|bearer|credentials?|error|expected|failed|header|information|invalid|login|"
    r"method|missing|needed|realm|request|required|scheme|tokens?|username|version|challenge|response|=.*)[.:,]?",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,3}"  # JWT, JWE
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"  # GitHub, GitLab
    r"|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}|GOCSPX-[A-Za-z0-9_-]{20,}"  # Google
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"  # Stripe
    r"|SK[0-9a-f]{32}(?![A-Za-z0-9])|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # Twilio, SendGrid
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|dop_v1_[0-9a-f]{40,}|hf_[A-Za-z0-9]{30,}"
    r"|sk-[A-Za-z0-9_-]{20,}|key-[0-9a-f]{32}(?![A-Za-z0-9])|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"  # OpenAI, Anthropic, ...
    r")"
)
_WEBHOOK = re.compile(
    r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/_-]+|(?<=discord\.com/api/webhooks/)[A-Za-z0-9/_-]+"
)
_CARD = re.compile(r"(?<![\w.])[3-6]\d{3}(?:[ -]?\d){8,15}(?![\w])(?!\.\d)")
_HINT = re.compile(
    r"://|-----BEGIN|[Bb]asic|[Bb]earer|BASIC|BEARER|[Dd]igest|[Nn]egotiate|hooks?[./]"
)


def redact_shapes(text: str) -> str:
    """Return *text* with what looks like a secret replaced."""
    if len(text) < 8:
        return text
    if _HINT.search(text):
        if "-----BEGIN" in text:
            text = _without_pem(text)
        if "://" in text:
            text = _USERINFO.sub(REDACTED + "@", text)
            text = _ODD_USERINFO.sub(REDACTED + "@", text)
        text = _SCHEME.sub(_credentials, text)
        text = _WEBHOOK.sub(REDACTED, text)
    text = _TOKEN.sub(REDACTED, text)
    return _CARD.sub(_card, text)


def _without_pem(text: str) -> str:
    """Replace each block, also one that has lost its end."""
    out: list[str] = []
    at = 0
    while begin := _PEM.search(text, at):
        out += [text[at : begin.start()], REDACTED]
        end = _PEM_END.search(text, begin.end())
        at = end.end() if end else len(text)
    return "".join([*out, text[at:]])


def _credentials(match: re.Match[str]) -> str:
    scheme, space, token = match.groups()
    looks = _is_basic if scheme.lower() == "basic" else _is_bearer
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


def _card(match: re.Match[str]) -> str:
    digits = [int(char) for char in match.group() if char.isdigit()]
    return REDACTED if _has_card_form(digits) and _luhn(digits) else match.group()


def _has_card_form(digits: list[int]) -> bool:
    """Prefix and length belong together, or it is an order number. Source: ISO/IEC 7812 issuer ranges."""
    two, three, length = (
        digits[0] * 10 + digits[1],
        digits[0] * 100 + digits[1] * 10 + digits[2],
        len(digits),
    )
    if digits[0] == 4:  # Visa
        return length in {16, 19}
    if 51 <= two <= 55:  # Mastercard
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
