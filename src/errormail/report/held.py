"""
What the application itself holds as secret: its settings, its environment, and what SECRETS says.

Looked up for each report, and compiled again only when something has changed.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol, cast
from urllib.parse import unquote, unquote_plus

from errormail.report.filtering import guarded
from errormail.report.objects import dict_items, exact_str, is_a, sequence_items
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.redact.declared import Declared, declared_by
from errormail.report.redact.known import VALUE_CHARS_MAX, KnownValues
from errormail.report.redact.sensitive import is_sensitive, words_of

__all__ = ["HasSecrets", "environment_secrets", "secrets_in", "secrets_within", "settings_redactor"]

SECONDS = 10.0
"""So long what a SECRETS callable has returned is good for further reports."""
SECRETS_MAX = 2_000
"""Of the application."""
NODES = 5_000
"""So many values within a mapping are looked at."""
KEPT = 4
"""Settings for which something is kept: an application has one, its tests have many."""

_PLACES = frozenset(
    {
        *("path", "paths", "file", "filename", "files", "dir", "directory", "home", "root", "sock", "socket"),
        *("host", "hostname", "hosts", "port", "domain", "region", "zone", "endpoint", "url", "uri", "urls"),
        *("engine", "backend", "backends", "class", "type", "mode", "provider", "method", "algorithm", "alg"),
        *("name", "user", "username", "header", "prefix", "issuer", "audience", "scope", "scopes", "desktop"),
        *("timeout", "ttl", "age", "expiry", "lifetime", "seconds", "minutes", "days", "length", "size"),
        *("enabled", "required", "samesite", "secure", "httponly", "version", "bus", "address", "manager"),
        *("storage", "serializer", "hashers", "validators", "level", "store", "cache", "redirect", "origin"),
    }
)  # fmt: skip
"""A variable whose name ends in one of these says where or how, and holds no secret itself."""
_WEAK = frozenset(
    {
        *("api", "auth", "session", "sessions", "cookie", "cookies", "identity", "csrf", "xsrf", "sso", "saml"),
        *("oauth", "certificate", "crypt", "encryption", "bearer", "jwt", "sid", "authentication"),
        *("authorization", "symfony", "pem", "cert"),
    }
)  # fmt: skip
"""Words that go with secrets and with much else: the value must look like a secret, too."""
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_+=~-]{8,}")
_PATH = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?(?:[\\/][\w.@+ -]{1,40}){2,}[\\/]?")
_USERINFO = re.compile(r"://([^\s/?#\"'<>]{0,1024})@")
_PAIR = re.compile(r"(?<![\w.-])([\w.-]{1,64})=([^;&\s\"']{1,4096})")
_WORKING_DIRECTORY = frozenset({"PWD", "OLDPWD"})


class HasSecrets(Protocol):
    """The settings that say what is secret."""

    @property
    def SECRETS(self) -> Sequence[str] | str | Callable[[], Any] | None: ...  # noqa: N802 -- a setting
    @property
    def REDACT(self) -> Sequence[str | re.Pattern[str]]: ...  # noqa: N802
    @property
    def REDACT_ALLOW(self) -> Sequence[str | re.Pattern[str]]: ...  # noqa: N802
    @property
    def REDACT_MODE(self) -> str: ...  # noqa: N802
    @property
    def SESSION_COOKIE_NAME(self) -> str: ...  # noqa: N802
    @property
    def EMAIL_HOST_PASSWORD(self) -> str: ...  # noqa: N802
    @property
    def EMAIL_OAUTH2_TOKEN(self) -> str | Callable[[], str] | None: ...  # noqa: N802
    @property
    def MAILERS(self) -> Mapping[str, Mapping[str, Any]]: ...  # noqa: N802


@dataclass(frozen=True, slots=True)
class _Held:
    """What was made of some settings, and for which environment and secrets it is good."""

    settings: HasSecrets
    environment: object
    given: tuple[str, ...]
    known: KnownValues
    declared: Declared


_held: tuple[_Held, ...] = ()
_called: tuple[object, float, tuple[str, ...]] = (None, 0.0, ())
"""A SECRETS callable, when it was called, and what it returned."""
_calling = threading.local()


def settings_redactor(
    settings: HasSecrets,
    base: Redactor = DEFAULT_REDACTOR,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Redactor:
    """
    Return *base* with what *settings* say of names, and with the secrets that the application holds.

    These are the secret ones of *settings*, environment variables whose names speak of a secret, passwords in others
    (``DATABASE_URL``), and what SECRETS has or returns. A callable that fails is told of once; what it returned before
    stays in force.
    """
    held = _held_by(settings, _given(settings.SECRETS, clock))
    return replace(
        base.with_names([settings.SESSION_COOKIE_NAME]),
        known=held.known.with_values(base.known.values),
        declared=held.declared,
    )


def secrets_in(value: object, hides: Callable[[str], bool]) -> Iterator[str]:
    """Yield each text in *value* (dicts, lists, tuples) whose name, or that of what it is in, *hides*, and those within texts."""
    todo: list[tuple[object, bool]] = [(value, False)]
    seen: set[tuple[int, bool]] = (
        set()
    )  # ids of what is contained in *value*, and stays alive with it
    for _ in range(NODES):
        if not todo:
            return
        value, is_hidden = todo.pop()
        if (id(value), is_hidden) in seen:
            continue
        seen.add((id(value), is_hidden))
        if is_a(value, str):
            if is_hidden:
                yield exact_str(value)
            yield from secrets_within(exact_str(value), hides)
        elif is_a(value, dict):
            pairs = islice(dict_items(value), NODES)
            todo += [(own, is_hidden or hides(exact_str(name))) for name, own in pairs]
        elif is_a(value, list, tuple):
            todo += [(own, is_hidden) for own in islice(sequence_items(value), NODES)]


def secrets_within(text: str, hides: Callable[[str], bool]) -> Iterator[str]:
    """Yield the passwords in the addresses of *text*, and the values of pairs: ``host=db;Pwd=...``, ``?token=...``."""
    text = text[:VALUE_CHARS_MAX]
    for match in _USERINFO.finditer(text):
        user, colon, password = match[1].partition(":")
        secret = password if colon else user
        yield from {secret: None, unquote(secret): None}
    if "=" in text:
        for name, value in _PAIR.findall(text):
            if hides(name):
                yield from {value: None, unquote_plus(value): None}


def environment_secrets(
    environ: Mapping[str, str], hides: Callable[[str], bool] = is_sensitive
) -> Iterator[str]:
    """Yield the secrets in environment variables: what has such a name and looks like one, and what stands in addresses."""
    for name, value in environ.items():
        yield from secrets_within(value, hides)
        if hides(name) and _holds_secret(name, value):
            yield value


def _holds_secret(name: str, value: str) -> bool:
    """Is *value* itself secret, not a place, a switch or a choice?"""
    words = words_of(name)
    if name in _WORKING_DIRECTORY or not words or value in sys.modules:
        return False
    if words[-1] in _PLACES:
        return "webhook" in name.lower() or _USERINFO.search(value) is not None
    if _PATH.fullmatch(value) and not any(map(_is_random, re.split(r"[\\/]", value))):
        return False
    speaking = [word for word in words if is_sensitive(word)]
    if speaking and _WEAK.issuperset(speaking):
        return _RANDOM.fullmatch(value) is not None
    return True


def _is_random(part: str) -> bool:
    return len(part) >= 20 and _RANDOM.fullmatch(part) is not None


def _held_by(settings: HasSecrets, given: tuple[str, ...]) -> _Held:
    global _held
    environment = _environment()
    for held in _held:
        if held.settings is settings and held.given == given and held.environment == environment:
            return held
    declared = declared_by(
        settings.REDACT, settings.REDACT_ALLOW, only_shown=settings.REDACT_MODE == "allowlist"
    )
    denies = Redactor(declared=declared).denies
    values = [
        *given,
        *_of_settings(settings),
        *islice(environment_secrets(os.environ, denies), SECRETS_MAX),
    ]
    made = _Held(
        settings, environment, given, KnownValues().with_values(values, most=SECRETS_MAX), declared
    )
    _held = (made, *(held for held in _held if held.settings is not settings))[:KEPT]
    return made


def _environment() -> object:
    """Return a copy of the environment that is quick to make and to compare: os.environ decodes each item."""
    data: object = getattr(os.environ, "_data", None)
    return dict(cast("dict[object, object]", data)) if type(data) is dict else dict(os.environ)


def _of_settings(settings: HasSecrets) -> Iterator[str]:
    yield settings.EMAIL_HOST_PASSWORD
    if isinstance(settings.EMAIL_OAUTH2_TOKEN, str):
        yield settings.EMAIL_OAUTH2_TOKEN
    for mailer in settings.MAILERS.values():
        yield from secrets_in(dict(mailer), is_sensitive)


def _given(secrets: object, clock: Callable[[], float]) -> tuple[str, ...]:
    """Return what SECRETS lists, or what it returns as a callable: called again only after some seconds."""
    global _called
    if not callable(secrets):
        return tuple(_texts(secrets))
    function, at, last = _called
    if function is not secrets:
        last, at = (), clock() - SECONDS
    if clock() - at < SECONDS or getattr(
        _calling, "now", False
    ):  # a failure in it is reported, too
        return last
    _calling.now = True
    try:
        found = guarded("SECRETS", lambda: tuple(_texts(secrets())), last)
    finally:
        _calling.now = False
    _called = (secrets, clock(), found)
    return found


def _texts(given: object) -> Iterator[str]:
    """Yield the texts of a list, those under secret names of a mapping, or the one that it is."""
    if given is None:
        return
    if isinstance(given, Mapping):
        yield from islice(
            secrets_in(dict(cast("Mapping[object, object]", given)), is_sensitive), SECRETS_MAX
        )
    elif isinstance(given, (str, bytes)):
        yield _text(given)
    else:
        for each in islice(cast("Iterable[object]", given), SECRETS_MAX):
            if isinstance(each, (str, bytes)):
                yield _text(each)


def _text(given: str | bytes) -> str:
    return given.decode("utf-8", "replace") if isinstance(given, bytes) else exact_str(given)
