"""
Which names speak of a secret: decided on the words of the name, so that ``password`` and ``X-Api-Key`` are hidden, and
``compass``, ``author`` and ``primary_key`` are not.

The lists are the union of what Django, Sentry and Rails hide by default and of what all of them miss. Personal data
(e-mail and IP addresses, names) is on some of their lists and on purpose not on ours: one must often know it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["is_secret_phrase", "is_sensitive", "may_give_secret", "may_name_secret", "words_of"]

NAME_CHARS = 256
"""A longer name is judged by its begin and its end, this many characters of each."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


WORDS = _words(
    """
    api apikey auth authkey authorisation authorization authentication bearer certificate cred creds credential
    credentials crypt bcrypt scrypt encrypted encryption decrypted decryption cookie cookies csrf xsrf cvc cvv
    dob dsn hmac iban identity jwk jwt key keypair kubeconfig mfa mnemonic nonce oauth otp totp hotp pass
    passkey passcode passphrase passwd password passwort pem pin pw pwd refreshtoken salt saml sas seed session
    sessions sid sig signature signatures sso ssn symfony token tokens accesskey accountkey accountnumber aeskey
    appkey birthdate cardnumber ccnumber clientkey connectionstring connstr consumerkey creditcard databaseurl
    debitcard deploykey encryptionkey hmackey licensekey masterkey privatekey routingnumber rsakey sessionkey
    sharedkey signingkey sortcode sshkey userkey webhookurl hostkey publishablekey assertion twofactor pincode
    cvv2 jwe jws securitycode socialsecurity dateofbirth seedphrase otpauth
    """
)
"""A name with one of these as a word is hidden."""

PHRASES = _phrases(
    """
    access code, access keys, account no, account number, account numbers, acct number, api keys, auth keys,
    backup codes, birth date, card no, card num, card number, card numbers, cc num, cc number, code verifier,
    conn str, connection str, connection string, connection uri, connection url, credit card, database uri,
    database url, date of birth, db uri, db url, debit card, device code, encryption keys, private keys,
    recovery code, recovery codes, routing number, secret keys, security answer, security code, signing keys,
    social security, sort code, verification code, webhook uri, webhook url, web hook url
    """
)
"""These words in a row are hidden."""

STEMS = ("passw", "passwd", "passphrase", "secret", "token", "credential", "apikey", "privatekey")
"""A word that contains one of these is hidden: ``userpassword``, ``accesstoken``, ``htpasswd``."""

STARTS = ("session", "sessid", "cookie", "csrf", "xsrf", "saml", "aspsession")
"""A word that begins with one of these is hidden: ``sessionid``, ``csrfmiddlewaretoken``."""

ENDS = ("auth", "pass", "sessid", "sessionid", "pwd")
"""A word that ends in one of these is hidden: ``oauth``, ``dbpass``, ``phpsessid``."""

HARMLESS = _words(
    """
    author compass encompass bypass overpass surpass trespass underpass cookiecutter secretary secretaries
    secretariat tokenize tokenizes tokenized tokenizer tokenizers tokenizing tokenization tokenise tokenised
    tokeniser tokenisation detokenize detokenizer sessionmaker
    """
)
"""Words that contain one of the above by accident."""

HARMLESS_PHRASES = _phrases(
    """
    primary key, primary keys, public key, public keys, foreign key, cache key, sort key, partition key, group
    key, grouping key, index key, dict key, row key, column key, field key, lookup key, natural key, composite
    key, unique key, hash key, range key, map key, routing key, translation key, key error, key name, key names,
    key type, key types, key count, key size, key length, key func, key function, key column, key field, missing
    key, token count, token counts, token type, token types, token limit, token usage, token index, token
    length, token expiry, max tokens, min tokens, num tokens, total tokens, prompt tokens, completion tokens,
    input tokens, output tokens, tokens used, api version, pass count, pass rate, cookie name, cookie domain,
    cookie path, cookie age, cookie consent, session count
    """
)
"""These words in a row say nothing of a secret."""

_PHRASE_ENDS = frozenset(phrase.rpartition(" ")[2] for phrase in (*PHRASES, *HARMLESS_PHRASES))

NO_VALUES = frozenset({"error", "errors", "exception", "warning"})
"""
A name that ends in one of these names a failure: ``KeyError: 'EUR'``, ``TokenExpiredError: ...``. Its text is searched
for secrets as any other.
"""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_PLAIN_WORD = re.compile(r"[^\W\d_]+")
_STRONG = re.compile(
    "passw|passphrase|secret(?!ar)|apikey|privatekey|credential|sessionid|cardnumber"
)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """What finds each of *words* and `PHRASES` in a text in lower case, by its first letter first: that is fast."""
    words = {*words}
    patterns = [
        re.escape(word) for word in words if not any(other in word for other in words - {word})
    ]
    patterns += ["[^a-z]*".join(phrase.split()) for phrase in PHRASES]
    by_letter: dict[str, list[str]] = {}
    for pattern in sorted(patterns):
        by_letter.setdefault(pattern[0], []).append(pattern[1:])
    return re.compile(
        "|".join(f"{letter}(?:{'|'.join(rests)})" for letter, rests in by_letter.items())
    )


_SUSPECT = _any_of(
    {*WORDS, *STEMS, *STARTS, *ENDS, "passw", "passphrase", "apikey", "privatekey", "cardnumber"}
)


def may_name_secret(text: str) -> bool:
    """Return False if no part of *text* is a name that `is_sensitive`: known in one look at it."""
    return _SUSPECT.search(text.lower()) is not None


_SUSPECT_GIVEN = re.compile(rf"(?:{_SUSPECT.pattern})[^\n]*?[=:,%]")


def may_give_secret(source: str) -> bool:
    """Return False if in no line of *source* a separator follows on a name that `is_sensitive`, as it does in ``pin = 1``."""
    return _SUSPECT_GIVEN.search(source.lower()) is not None


def is_secret_phrase(before: str, name: str) -> bool | None:
    """
    Return whether *name*, a word of prose, speaks of a secret by the words *before* it: ``card number``, ``access code``.

    Returns:
        False where they say that it does not: ``primary key``. None where they say nothing.
    """
    own = words_of(name[:NAME_CHARS])
    if not own or own[-1] not in _PHRASE_ENDS:
        return None
    words = [*words_of(before)[-2:], *own]
    if " ".join(words[-len(own) - 1 :]) in HARMLESS_PHRASES:
        return False
    spaced = f" {' '.join(words)}"
    return True if any(spaced.endswith(f" {phrase}") for phrase in PHRASES) else None


def words_of(name: str) -> list[str]:
    """Return the words of *name* in lower case: ``dbPassword2`` gives ``["db", "password"]``."""
    return [word.lower() for word in _WORD.findall(name)]


@lru_cache(maxsize=4096)
def is_sensitive(name: str) -> bool:
    """Return whether *name* speaks of a secret. *name* is a plain `str` of at most a few hundred characters."""
    if not may_name_secret(name):
        return False
    words = words_of(name)
    if not words or words[-1] in NO_VALUES:
        return False
    spaced = f" {' '.join(words)} "
    if any(f" {phrase} " in spaced for phrase in PHRASES):
        return True
    for phrase in HARMLESS_PHRASES:
        spaced = spaced.replace(f" {phrase} ", "  ")
    if any(map(_is_sensitive_word, spaced.split())):
        return True
    # Words that capitals tear apart in a way nobody meant: PASSWORDhash. And those that begin in the middle of it.
    return any(
        (word in WORDS and word not in words) or _STRONG.search(word)
        for word in map(str.lower, _PLAIN_WORD.findall(name))
        if word not in HARMLESS
    )


def _is_sensitive_word(word: str) -> bool:
    if word in HARMLESS:
        return False
    return (
        word in WORDS
        or word.startswith(STARTS)
        or word.endswith(ENDS)
        or any(stem in word for stem in STEMS)
    )
