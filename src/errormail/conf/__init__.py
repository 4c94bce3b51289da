"""
Settings: where they come from, and which are in force.

    keyword  >  mapping or object  >  environment variable  >  default

What is wrong is refused when it is given. Values are looked up when they are needed: a handler may be made before `configure` is called.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar, cast

from errormail.conf import checks, kinds, sources
from errormail.conf.kinds import KINDS
from errormail.conf.sources import PREFIX
from errormail.exceptions import ImproperlyConfigured, InvalidMailer

__all__ = ["Settings", "configure", "override_settings", "settings"]

OF_DEFAULT_MAILER = [
    *("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"),
    *("EMAIL_OAUTH2_TOKEN", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_SSL_CERTFILE"),
    *("EMAIL_SSL_KEYFILE", "EMAIL_SSL_VERIFY", "EMAIL_TIMEOUT", "EMAIL_FILE_PATH"),
]
"""What defines the mailer "default" as long as MAILERS has none. Django 6.1 draws the line in the same place."""


class Settings:
    """
    A set of settings, by name. It does not change.

    Args:
        source: A mapping, or an object whose attributes are settings. Only known names are taken from it, and None counts as not given.
        settings: The same by keyword; they go before *source*, which goes before the environment.

    Raises:
        ImproperlyConfigured: A value is wrong, or the name of a keyword.
    """

    ADMINS: Sequence[str | tuple[str, str]] = ()
    MANAGERS: Sequence[str | tuple[str, str]] = ()
    SERVER_EMAIL: str = "root@localhost"
    DEFAULT_FROM_EMAIL: str = "webmaster@localhost"
    EMAIL_SUBJECT_PREFIX: str = "[errormail] "
    SERVICE: str = ""
    ENVIRONMENT: str = ""
    RELEASE: str = ""
    SOURCE_URL: str = ""
    IN_APP: Sequence[str] = ()
    LIBRARY_LOCALS: bool = False
    VALUES_TIMEOUT: float = 0.2
    IGNORE: Sequence[str | type[BaseException] | re.Pattern[str] | Callable[..., object]] = ()
    BEFORE_SEND: str | Callable[[Any], Any] | None = None
    SECTIONS: Sequence[str | Callable[[Any], Any]] = ()
    SECRETS: Sequence[str] | str | Callable[[], Any] | None = None
    REDACT: Sequence[str | re.Pattern[str]] = ()
    REDACT_ALLOW: Sequence[str | re.Pattern[str]] = ()
    REDACT_MODE: str = "denylist"
    TRUSTED_PROXIES: int = 0
    ATTACH_JSON: bool = False
    DEBUG: bool = False
    INTERNAL_IPS: Sequence[str] = ()
    SESSION_COOKIE_NAME: str = "sessionid"
    IGNORABLE_404_URLS: Sequence[str | re.Pattern[str]] = ()
    EMAIL_BACKEND: str = checks.SMTP_BACKEND
    EMAIL_HOST: str = "localhost"
    EMAIL_PORT: int = 25
    EMAIL_HOST_USER: str = ""
    EMAIL_HOST_PASSWORD: str = ""
    EMAIL_OAUTH2_TOKEN: str | Callable[[], str] | None = None
    EMAIL_USE_TLS: bool = False
    EMAIL_USE_SSL: bool = False
    EMAIL_SSL_CERTFILE: str | os.PathLike[str] | None = None
    EMAIL_SSL_KEYFILE: str | os.PathLike[str] | None = None
    EMAIL_SSL_VERIFY: bool = True
    EMAIL_TIMEOUT: float | None = None
    EMAIL_FILE_PATH: str | os.PathLike[str] | None = None
    EMAIL_USE_LOCALTIME: bool = False
    DEFAULT_CHARSET: str = "utf-8"
    MAILERS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    DELIVERY: str = "background"
    SHUTDOWN_TIMEOUT: float = 5.0
    DEFAULT_EXCEPTION_REPORTER: str | type[Any] = checks.EXCEPTION_REPORTER
    DEFAULT_EXCEPTION_REPORTER_FILTER: str | type[Any] = checks.EXCEPTION_REPORTER_FILTER

    _given: frozenset[str]

    def __init__(
        self, source: Mapping[str, object] | object | None = None, /, **settings: object
    ) -> None:
        refuse_unknown(settings)
        of_source = given_by(source)
        layers = [("", settings), ("", of_source), (PREFIX, sources.from_environment())]
        fill(self, checked(layers))
        refuse_contradictions(self)

    def is_given(self, name: str) -> bool:
        """Was *name* set, by keyword, source, environment or EMAIL_URL, or has it its default?"""
        return name in self._given

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Settings do not change: make other ones, or use override_settings()")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("Settings do not change: make other ones, or use override_settings()")

    def __repr__(self) -> str:
        """Show what was given; secrets, and what is in OPTIONS of MAILERS, are left out."""
        listed = (
            f"{name}={represented(name, getattr(self, name))}"
            for name in NAMES
            if self.is_given(name)
        )
        return f"Settings({', '.join(listed)})"


NAMES = [name for name in KINDS if name != "EMAIL_URL"]
"""What a `Settings` has. EMAIL_URL is taken apart when it is given, and not kept."""


def given_by(source: object) -> Mapping[str, object]:
    """Return what is given in *source*: settings, a mapping, an object, or None."""
    if source is None:
        return {}
    if isinstance(source, _Current):
        source = current()
    if isinstance(source, Settings):
        return {name: getattr(source, name) for name in NAMES if source.is_given(name)}
    return sources.from_source(source)


def fill(empty: Settings, given: Mapping[str, object]) -> None:
    values = {**{name: default(name) for name in NAMES}, **given}
    empty.__dict__.update(values, _given=frozenset(given))  # __setattr__ refuses


def with_values(own: Settings, values: Mapping[str, object]) -> Settings:
    """Return a copy of *own* in which *values*, unchecked, go before what it has."""
    copy = object.__new__(Settings)
    fill(copy, {**given_by(own), **values})
    return copy


def default(name: str) -> object:
    """Return the default of *name*; a list or dict is a new one, so that nobody changes that of somebody else."""
    value: object = getattr(Settings, name)
    if value == ():
        return []
    return {} if name == "MAILERS" else value


def represented(name: str, value: object) -> str:
    """Return *value* for the repr, without what may be secret."""
    if name == "MAILERS" and isinstance(value, Mapping):
        mailers = cast("Mapping[object, object]", value)
        return f"{{{', '.join(f'{checks.shown(alias)}: ...' for alias in mailers)}}}"
    return "[hidden]" if KINDS[name].is_secret else checks.shown(value)


def refuse_unknown(names: Mapping[str, object]) -> None:
    for name in names:
        if name not in KINDS:
            from difflib import get_close_matches

            close = get_close_matches(name.upper(), KINDS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(KINDS))}"
            raise ImproperlyConfigured(f"unknown setting {name}: {hint}")


def refuse_contradictions(own: Settings) -> None:
    if own.EMAIL_USE_TLS and own.EMAIL_USE_SSL:
        raise ImproperlyConfigured(
            "EMAIL_USE_TLS and EMAIL_USE_SSL: expected at most one, got both; EMAIL_USE_TLS is STARTTLS "
            "(usually port 587), EMAIL_USE_SSL is TLS from the first byte (usually port 465)"
        )
    if own.EMAIL_SSL_KEYFILE is not None and own.EMAIL_SSL_CERTFILE is None:
        raise ImproperlyConfigured(
            "EMAIL_SSL_KEYFILE: expected EMAIL_SSL_CERTFILE with it, got none"
        )
    if not own.EMAIL_HOST and own.EMAIL_BACKEND == checks.SMTP_BACKEND:
        raise ImproperlyConfigured(f"EMAIL_HOST: expected {kinds.HOST.expected}, got ''")
    both = [name for name in OF_DEFAULT_MAILER if own.is_given(name)]
    if both and "default" in own.MAILERS:
        raise ImproperlyConfigured(
            f"MAILERS: it has 'default', and so {', '.join(both)} (perhaps of EMAIL_URL or the environment) "
            "cannot be given: expected the one or the other"
        )


def checked(layers: Sequence[tuple[str, Mapping[str, object]]]) -> dict[str, object]:
    """
    Return the values that are given, by name, each from the first of *layers* that has it.

    Args:
        layers: What each names and the values; the prefix is empty, or PREFIX where values are text.
    """
    given: dict[str, object] = {}
    for prefix, values in with_url_taken_apart(layers):
        for name, value in values.items():
            if name not in given:
                given[name] = check(prefix, name, value)
    return given


def with_url_taken_apart(
    layers: Sequence[tuple[str, Mapping[str, object]]],
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Put what the first EMAIL_URL says right after the layer that has it; others of them do not count."""
    is_first = True
    for prefix, values in layers:
        yield prefix, {name: value for name, value in values.items() if name != "EMAIL_URL"}
        if is_first and "EMAIL_URL" in values:
            is_first = False
            yield "", url_settings(prefix, values["EMAIL_URL"])


def url_settings(prefix: str, url: object) -> dict[str, object]:
    from errormail.conf.email_url import parse_email_url

    text = cast(str, check(prefix, "EMAIL_URL", url))
    try:
        return parse_email_url(text)
    except ValueError as error:
        reason = f"{error}"
    raise ImproperlyConfigured(refusal(prefix, "EMAIL_URL", text, reason))


def check(prefix: str, name: str, value: object) -> object:
    """
    Return *value* as it is to be kept.

    Raises:
        ImproperlyConfigured: It is wrong. The error is raised outside the `except`: its context could hold a secret.
    """
    kind = KINDS[name]
    text = checks.plain(value)
    try:
        return kind.check(kind.read(cast(str, text)) if prefix else text)
    except InvalidMailer:
        raise
    except ValueError as error:
        reason, cause = f"{error}", error.__cause__
    raise ImproperlyConfigured(refusal(prefix, name, value, reason)) from cause


def refusal(prefix: str, name: str, value: object, reason: str) -> str:
    kind = KINDS[name]
    message = f"{prefix}{name}: expected {kind.expected}, got {kind.shown(value)}"
    return f"{message}: {reason}" if reason else message


class _Current:
    """The settings in force, looked up at each access."""

    __slots__ = ()

    def __getattr__(self, name: str) -> object:
        return getattr(current(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(current(), name, value)  # which refuses

    def __dir__(self) -> list[str]:
        return dir(Settings)

    def __repr__(self) -> str:
        return repr(current())


settings: Settings = cast(Settings, _Current())
"""The settings in force, by name: ``settings.ADMINS``."""

_configured: Settings | None = None
_of_environment: Settings | None = None
_overrides: tuple[Mapping[str, object], ...] = ()
"""Innermost last. Replaced, never changed: other threads read without a lock."""
_overridden: tuple[Settings, tuple[Mapping[str, object], ...], Settings] | None = None
"""The last answer of `current` and what it was made of."""
_changing_overrides = RLock()
_own: ContextVar[Settings | None] = ContextVar("errormail_settings", default=None)


def current() -> Settings:
    """
    Return the settings in force: those of `using`, else the overridden, else the configured ones, else those of the environment.

    Raises:
        ImproperlyConfigured: Nothing was configured, and an environment variable is wrong.
    """
    global _of_environment, _overridden
    own = _own.get()
    if own is not None:
        return own
    base = _configured or _of_environment
    if base is None:
        base = _of_environment = Settings()  # two threads may both do it, and get the same
    overrides = _overrides
    if not overrides:
        return base
    known = _overridden
    if known is None or known[0] is not base or known[1] is not overrides:
        values = {name: value for layer in overrides for name, value in layer.items()}
        known = _overridden = (base, overrides, with_values(base, values))
    return known[2]


def configured() -> Settings | None:
    """Return what `configure` has set, None before its first call."""
    return _configured


def configure(source: Mapping[str, object] | object | None = None, /, **settings: object) -> None:
    """
    Set the process-wide settings, in place of what an earlier call said.

    Args:
        source: A mapping, or an object whose attributes are settings.
        settings: The same by keyword; they go before *source*.

    Raises:
        ImproperlyConfigured: A value is wrong, or the name of a keyword. What was configured before stays.
    """
    global _configured
    _configured = Settings(source, **settings)


@contextmanager
def using(own: Settings | None) -> Generator[None]:
    """Let *own* be in force inside the block, in this context only (a thread, a task). None changes nothing."""
    if own is None or isinstance(own, _Current):
        yield
        return
    token = _own.set(own)
    try:
        yield
    finally:
        _own.reset(token)


_Decorated = TypeVar("_Decorated", bound=Callable[..., object])


class override_settings:  # noqa: N801 -- Django's name
    """
    Other settings for a while, in tests: a context manager, and a decorator of functions, coroutine functions, generator functions and classes.

    It holds for the whole process, and goes before what `configure` says, also inside the block. Values are taken unchecked: a
    wrong one is refused where it is used.

    Raises:
        ImproperlyConfigured: There is no setting of a name, or EMAIL_URL cannot be taken apart.
    """

    def __init__(self, **settings: object) -> None:
        refuse_unknown(settings)
        layers = with_url_taken_apart([("", settings)])
        self._values = {
            name: value for _, layer in [*layers][::-1] for name, value in layer.items()
        }
        self._entered: list[Mapping[str, object]] = []

    def __enter__(self) -> None:
        global _overrides
        layer = MappingProxyType(self._values)  # a new one each time: it is found again by identity
        with _changing_overrides:
            _overrides = (*_overrides, layer)
        self._entered.append(layer)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        global _overrides
        own = self._entered.pop()
        with _changing_overrides:
            _overrides = tuple(layer for layer in _overrides if layer is not own)

    def __call__(self, decorated: _Decorated, /) -> _Decorated:
        from errormail._decorate import decorate

        # Another one at each call: a decorated function may run in several threads at once.
        return decorate(decorated, lambda: override_settings(**self._values))
