"""
Secrets made for one test, and the search for what of them is in a mail.

Each value is random, so that nothing knows it beforehand; each is looked for in every form that a mail may have it in,
also in part: a dozen characters of it in a row are a leak.
"""

from __future__ import annotations

import base64
import html
import json
import random
import re
import string
from contextlib import suppress
from urllib.parse import unquote, unquote_plus

from actors.mails import Received

WINDOW = 8
STRIDE = 4
_ALNUM = string.ascii_letters + string.digits
_BASE64URL = _ALNUM + "-_"
_HEX = "0123456789abcdef"
_TAG = re.compile(r"<[^<>]*>")
_BLANK = re.compile(r"\s+")


class Planted:
    """
    Makes secrets and remembers them.

    Args:
        seed: Of the random numbers; None: as the random numbers of the test have it.
    """

    def __init__(self, seed=None):
        self.random = random.Random(random.random() if seed is None else seed)
        self.secrets: dict[str, list[str]] = {}
        """The parts that may not be seen, by what they are."""

    def chars(self, count, alphabet=_ALNUM):
        return "".join(self.random.choice(alphabet) for _ in range(count))

    def value(self, what, count=22, alphabet=_ALNUM):
        """Return a random text that gives itself away by nothing; it is one from now on."""
        return self.known(what, "q" + self.chars(count, alphabet) + "z")

    def known(self, what, value, core=None):
        self.secrets.setdefault(what, []).append(core or value)
        return value

    def shaped(self, names=()):
        """Return texts by name, each with a secret that is one by its form; all of them, or those of *names*."""
        return {name: SHAPES[name](self, name) for name in names or SHAPES}

    def card(self, what):
        """Return a number that a Visa card may have, in groups."""
        while True:
            digits = "4" + self.chars(14, string.digits)
            digits += str(-_luhn_sum(digits + "0") % 10)
            if len(set(digits)) > 5:
                break
        self.known(what, digits)
        return digits

    def leaks(self, mail: Received) -> dict[str, str]:
        """
        Return of what kinds *mail* tells something, and where: `WINDOW` + `STRIDE` characters in a row are enough.
        """
        text = "\n".join(dict.fromkeys(forms(mail)))
        return {
            what: f"{value[at : at + WINDOW]} in ...{text[max(found - 100, 0) : found + 100]}..."
            for what, values in self.secrets.items()
            for value in values
            for at in range(0, max(len(value) - WINDOW, 0) + 1, STRIDE)
            if (found := text.find(value[at : at + WINDOW])) >= 0
        }


def forms(mail: Received):
    """Yield all that a reader, or a program, could make of *mail*."""
    yield mail.raw.decode("latin-1")
    bodies = [mail.subject, *map(str, mail.message.values())]
    bodies += [
        part.get_payload(decode=True).decode("utf-8", "replace")
        for part in mail.message.walk()
        if not part.is_multipart()
    ]
    bodies += [content.decode("utf-8", "replace") for content in mail.attachments.values()]
    for body in bodies:
        yield body
        plain = html.unescape(_TAG.sub("", body))
        for text in (plain, unquote(plain), unquote_plus(plain)):
            yield text
            yield _BLANK.sub("", text)  # lines are wrapped, also within a long word
        yield plain.replace("\\", "")
        with suppress(ValueError):
            yield json.dumps(json.loads(body), ensure_ascii=False)
        for run in set(re.findall(r"[A-Za-z0-9+/_-]{16,}={0,2}", plain)):
            yield from _decoded(run)


def _decoded(run):
    """Yield what *run* is if it is base64, beginning anywhere, or hexadecimal."""
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    for begin in range(4):
        part = plain[begin:]
        part = part[: len(part) // 4 * 4]
        yield base64.b64decode(part).decode("latin-1")
    if re.fullmatch(r"(?:[0-9a-f]{2})+", run):
        yield bytes.fromhex(run).decode("latin-1")


def _luhn_sum(digits):
    total = 0
    for at, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if at % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total


def _prefixed(prefix, count, alphabet=_ALNUM, end=""):
    def make(planted, what):
        core = planted.chars(count, alphabet)
        return planted.known(what, f"{prefix}{core}{end}", core)

    return make


def _within(template):
    """A value of no form in a text that says what it is."""

    def make(planted, what):
        return template.replace("@@", planted.value(what))

    return make


def _jwt(planted, what):
    def part(mapping):
        text = json.dumps(mapping).encode()
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    payload = part({"sub": planted.value(what)})
    signature = planted.value(what, 41, _BASE64URL)
    planted.known(what, payload)
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{payload}.{signature}"


def _pem(planted, what):
    lines = [planted.value(what, 62, _ALNUM + "+/") for _ in range(4)]
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    return "\n".join([begin, *lines, end])


def _basic(planted, what):
    pair = f"jane:{planted.value(what)}"
    token = base64.b64encode(pair.encode()).decode()
    return f"Basic {planted.known(what, token, token[8:-4])}"


def _grouped_card(planted, what):
    digits = planted.card(what)
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


SHAPES = {
    "userinfo": _within("https://jane:@@@shop.example.com/path"),
    "userinfo without user": _within("redis://:@@@cache.example.com:6379/0"),
    "token as user": _within("https://@@@git.example.com/shop.git"),
    "DSN of SQLAlchemy": _within(
        "postgresql+psycopg2://shop:@@@db.example.com:5432/shop?sslmode=require"
    ),
    "DSN of words": _within("host=db.example.com dbname=shop user=shop password=@@ port=5432"),
    "DSN of ADO": _within("Server=db.example.com;Database=shop;User Id=shop;Password=@@;"),
    "Authorization": _within("Authorization: Token @@"),
    "Bearer": _within("Bearer @@"),
    "Basic": _basic,
    "JWT": _jwt,
    "PEM": _pem,
    "AWS": _prefixed("AKIA", 16, string.ascii_uppercase + "234567"),
    "AWS session": _prefixed("ASIA", 16, string.ascii_uppercase + "234567"),
    "GitHub": _prefixed("ghp_", 36),
    "GitHub server": _prefixed("ghs_", 36),
    "GitHub fine-grained": _prefixed("github_pat_", 82, _ALNUM),
    "GitLab": _prefixed("glpat-", 20, _BASE64URL),
    "Google": _prefixed("AIza", 35, _ALNUM),
    "Google OAuth": _prefixed("ya29.a0", 60, _ALNUM),
    "Google client": _prefixed("GOCSPX-", 28, _ALNUM),
    "Slack": _prefixed("xoxb-123456789012-1234567890123-", 24),
    "Slack webhook": _prefixed("https://hooks.slack.com/services/T01ABCDEF/B01ABCDEF/", 24),
    "Stripe": _prefixed("sk_live_", 24),
    "Stripe restricted": _prefixed("rk_live_", 24),
    "Stripe webhook": _prefixed("whsec_", 32),
    "Twilio": _prefixed("SK", 32, _HEX),
    "SendGrid": _prefixed("SG.abcdefghijklmnopqrstuv.", 43, _ALNUM),
    "npm": _prefixed("npm_", 36),
    "PyPI": _prefixed("pypi-AgEIcHlwaS5vcmc", 80, _ALNUM),
    "OpenAI": _prefixed("sk-", 48),
    "OpenAI project": _prefixed("sk-proj-", 60),
    "Anthropic": _prefixed("sk-ant-api03-", 80, _ALNUM),
    "Hugging Face": _prefixed("hf_", 34),
    "DigitalOcean": _prefixed("dop_v1_", 64, _HEX),
    "Shopify": _prefixed("shpat_", 32, _HEX),
    "card": lambda planted, what: planted.card(what),
    "card in groups": _grouped_card,
    "pair": _within("password=@@"),
    "pair among others": _within("user=jane&access_token=@@&page=2"),
    "quoted pair": _within("client_secret='@@'"),
    "pair in a repr": _within("Login(user='jane', passwd='@@')"),
    "JSON pair": _within('{"user": "jane", "apiKey": "@@"}'),
    "JSON in JSON": _within('{"body": "{\\"password\\": \\"@@\\"}"}'),
    "Python pair": _within("{'user': 'jane', 'refresh_token': '@@'}"),
    "query": _within("https://shop.example.com/reset?token=@@&page=2"),
    "header line": _within("Cookie: theme=dark; sessionid=@@"),
    "Set-Cookie": _within("Set-Cookie: sessionid=@@; Path=/; HttpOnly"),
    "environment line": _within("export STRIPE_SECRET=@@"),
    "INI line": _within("db_password = @@"),
    "YAML line": _within("password: @@"),
}
"""Texts with a secret in them, by how one can tell."""

NAMES = [
    *("password", "passwd", "pwd", "user_password", "dbPassword", "PASSWORD_HASH", "passphrase"),
    *(
        "secret",
        "client_secret",
        "STRIPE_SECRET",
        "SECRET_KEY",
        "secretKey",
        "aws_secret_access_key",
    ),
    *(
        "token",
        "access_token",
        "refresh_token",
        "refreshToken",
        "csrf_token",
        "csrfmiddlewaretoken",
    ),
    *("api_key", "apikey", "X-Api-Key", "apiKey", "private_key", "privatekey", "encryption_key"),
    *("auth", "authorization", "Proxy-Authorization", "credentials", "jwt", "bearer", "oauth"),
    *("cookie", "cookies", "Set-Cookie", "session", "sessionid", "PHPSESSID", "connect.sid", "sid"),
    *("pin", "cvv", "cvc", "card_number", "cardNumber", "credit_card", "iban", "account_number"),
    *("ssn", "otp", "totp", "nonce", "seed", "mnemonic", "salt", "dsn", "SENTRY_DSN"),
    *("connection_string", "database_url", "DATABASE_URL", "webhook_url", "sas", "signature"),
    *("assertion", "sso", "saml", "SAMLResponse", "client_token", "mysql_pwd", "x_csrftoken"),
    *("sort_code", "kubeconfig", "security_code", "verification_code", "signing_key"),
]
"""Names whose value is a secret, whatever it looks like."""

HARMLESS_NAMES = [
    *("author", "keyboard", "monkey", "compass", "passenger", "tokenizer", "token_count"),
    *("secretary", "assignee", "primary_key", "public_key", "foreign_key", "cache_key", "sort_key"),
    *("X-Author", "X-Keyboard", "bypass", "username", "email", "user_id", "order", "passing"),
    *("keys", "spinner", "opinion", "shipping", "inside", "sidebar", "resident", "considered"),
]
"""Names that only look like one."""

HARMLESS_TEXTS = [
    "order 4111111111111112 was paid",  # no card: the check digit is wrong
    "order 1234567890123456 was paid",
    "tracking 00340434161094042557",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "request 123e4567-e89b-42d3-a456-426614174000",
    "https://shop.example.com:8443/orders/17?page=2&sort=asc",
    "jane.doe@example.com wrote to ops@example.com",
    "bearer of bad news",
    "the password is wrong",
    "basic arithmetic",
    "token_count=512",
    "author=Jane, assignee=Joe",
    "KeyError: 'currency'",
    "2026-10-05T03:14:15.926535+00:00",
    "2001:db8::8a2e:370:7334 and 203.0.113.24:443",
    "skeleton and task-list and sk-learn",
    "SELECT id FROM orders WHERE primary_key = 17",
]
"""Texts that a person must be able to read in a report."""
