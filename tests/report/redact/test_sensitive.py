"""Which names speak of a secret, in whatever spelling; which do not."""

from __future__ import annotations

import pytest

from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.redact.sensitive import PHRASES, STEMS, WORDS, is_secret_phrase

# The lists of Django, Sentry and Rails, those of PITFALLS.md and of the issue; a name of several words with blanks.
NAMES = [
    *("api", "auth", "token", "key", "secret", "pass", "signature", "http cookie"),
    *("password", "passwd", "api key", "apikey", "credentials", "mysql pwd", "privatekey"),
    *("private key", "session", "csrftoken", "sessionid", "x csrftoken", "set cookie", "cookie"),
    *("authorization", "proxy authorization", "x api key", "aiohttp session", "connect sid"),
    *("csrf token", "csrf", "phpsessid", "symfony", "user session", "xsrf", "xsrf token"),
    *("pwd", "jwt", "bearer", "sso", "saml", "sid", "identity"),
    *("passw", "stripe key", "crypt", "salt", "certificate", "otp", "ssn"),
    *("passphrase", "pin", "cvv", "cvc", "card number", "iban", "account number", "nonce", "seed"),
    *("mnemonic", "dsn", "connection string", "database url", "webhook url", "sas", "assertion"),
    *("refresh token", "client secret", "client key", "client assertion", "refreshtoken"),
    *("sort code", "dob", "kubeconfig", "access token", "id token", "security code", "totp"),
]
HARMLESS = [
    *("author", "keyboard", "monkey", "compass", "passenger", "tokenizer", "token count"),
    *("secretary", "assignee", "primary key", "public key", "foreign key", "cache key", "sort key"),
]


def spellings(name: str) -> list[str]:
    """*name* as programs in several languages write it, and with something before and behind."""
    words = name.split()
    camel = words[0] + "".join(word.title() for word in words[1:])
    pascal = "".join(word.title() for word in words)
    snake, kebab, dotted = "_".join(words), "-".join(words), ".".join(words)
    upper = snake.upper()
    plain = [snake, kebab, dotted, upper, kebab.title(), camel, pascal, f"_{snake}", f"{snake}_"]
    around = [f"old_{snake}", f"{snake}_2", f"X-{kebab.title()}", f"SHOP_{upper}", f"user[{snake}]"]
    return [*plain, *around, f"my{pascal}", f"{camel}Old", f"{snake}1"]


@pytest.mark.parametrize("name", NAMES)
def test_a_secrets_name_hides_in_each_spelling(name: str) -> None:
    assert [each for each in spellings(name) if not DEFAULT_REDACTOR.hides(each)] == []


@pytest.mark.parametrize("name", HARMLESS)
def test_a_look_alike_stays_readable_in_each_spelling(name: str) -> None:
    assert [each for each in spellings(name) if DEFAULT_REDACTOR.hides(each)] == []


@pytest.mark.parametrize("name", sorted({*WORDS, *PHRASES, *STEMS}))
def test_each_entry_of_the_lists_works(name: str) -> None:
    assert DEFAULT_REDACTOR.hides(name.replace(" ", "_"))
    assert DEFAULT_REDACTOR.hides(name.replace(" ", "-").upper())


@pytest.mark.parametrize("name", ["PINcode", "PASSWORDhash", "cardNumber", "CARDNUMBER", "APIKey"])
def test_capitals_that_tear_a_word_apart_hide_nothing_from_us(name: str) -> None:
    assert DEFAULT_REDACTOR.hides(name)


def test_in_prose_the_words_before_a_name_count() -> None:
    assert is_secret_phrase("your card ", "number") is True
    assert is_secret_phrase("the primary ", "key") is False
    assert is_secret_phrase("the order ", "number") is None
    assert is_secret_phrase("", "...") is None
