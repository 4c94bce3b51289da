"""Which backend sends: by dotted path, by the settings, or by its alias in MAILERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from errormail._dotted import import_dotted
from errormail.conf import current, refuse_contradictions, settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer, MailerDoesNotExist
from errormail.mail.backends.base import BaseEmailBackend

__all__ = ["choose_connection", "get_connection", "mailers", "refuse_mixture"]

DEFAULT_ALIAS = "default"
DEFAULT_BACKEND = "errormail.mail.backends.smtp.EmailBackend"
"""Of an entry of MAILERS that names none."""


def get_connection(
    backend: str | None = None, fail_silently: bool = False, **options: Any
) -> BaseEmailBackend:
    """
    Return a new backend.

    Args:
        backend: Dotted path of its class; the mailer "default" if None.
        fail_silently: Swallow what goes wrong in delivery.
        options: For the backend, before what the settings say.

    Raises:
        ImportError: There is no class *backend*.
        ImproperlyConfigured: Settings are wrong.
    """
    if fail_silently:
        options["fail_silently"] = True
    if backend is None:
        return mailers.create(DEFAULT_ALIAS, **options)
    try:
        make = backend_class(backend)
    except ValueError as error:
        raise ImportError(f"backend: {error}") from error
    return make(**options)


def refuse_mixture(
    connection: BaseEmailBackend | None = None,
    *,
    using: str | None = None,
    fail_silently: bool = False,
    auth_user: str | None = None,
    auth_password: str | None = None,
) -> None:
    """Raise TypeError if what says how to send says it twice."""
    has_auth = auth_user is not None or auth_password is not None
    if using is not None:
        if connection is not None:
            raise TypeError("'connection' is not compatible with 'using'")
        if fail_silently:
            raise TypeError(
                "'fail_silently' is not compatible with 'using': set it in OPTIONS of MAILERS"
            )
        if has_auth:
            raise TypeError(
                "'auth_user' and 'auth_password' are not compatible with 'using': "
                "set 'username' and 'password' in OPTIONS of MAILERS"
            )
    elif connection is not None:
        if fail_silently:
            raise TypeError(
                "'fail_silently' is not compatible with 'connection': give it to get_connection()"
            )
        if has_auth:
            raise TypeError(
                "'auth_user' and 'auth_password' are not compatible with 'connection': "
                "give 'username' and 'password' to get_connection()"
            )


def choose_connection(
    connection: BaseEmailBackend | None = None,
    *,
    using: str | None = None,
    fail_silently: bool = False,
    auth_user: str | None = None,
    auth_password: str | None = None,
) -> BaseEmailBackend:
    """Return *connection*, or the mailer *using*, or the default one with the other arguments; see `refuse_mixture`."""
    refuse_mixture(
        connection,
        using=using,
        fail_silently=fail_silently,
        auth_user=auth_user,
        auth_password=auth_password,
    )
    if using is not None:
        return mailers[using]
    if connection is not None:
        return connection
    auth = {"username": auth_user, "password": auth_password}
    given = {name: value for name, value in auth.items() if value is not None}
    return get_connection(fail_silently=fail_silently, **given)


class Mailers:
    """The backends of MAILERS, by alias; a new one at each look-up. The EMAIL_* settings are "default" if it has none."""

    def __getitem__(self, alias: str | None, /) -> BaseEmailBackend:
        return self.create(DEFAULT_ALIAS if alias is None else alias)

    def __contains__(self, alias: object, /) -> bool:
        return alias in list(self)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([DEFAULT_ALIAS, *_entries()]))

    def get(
        self, alias: str | None = None, /, default: BaseEmailBackend | None = None
    ) -> BaseEmailBackend | None:
        """Return the backend of *alias*, or *default* if there is no such entry."""
        try:
            return self[alias]
        except MailerDoesNotExist:
            return default

    @property
    def default(self) -> BaseEmailBackend:
        """The backend that sends when nothing else is said."""
        return self[DEFAULT_ALIAS]

    def create(self, alias: str, /, **options: Any) -> BaseEmailBackend:
        """
        Return a new backend of *alias*.

        Args:
            options: They go before what MAILERS or the settings say; those that the backend does not have do not count.

        Raises:
            MailerDoesNotExist: There is no entry of that alias.
            InvalidMailer: The entry is wrong.
            ImproperlyConfigured: MAILERS has "default", and EMAIL_* are given as well.
        """
        entries = _entries()
        if alias == DEFAULT_ALIAS:
            refuse_contradictions(current())
            if alias not in entries:
                return self._of_settings(options)
        if alias not in entries:
            known = ", ".join(repr(known) for known in self)
            raise MailerDoesNotExist(f"MAILERS has no {alias!r}: it has {known}", alias=alias)
        return self._of_entry(alias, entries[alias], options)

    def _of_settings(self, options: dict[str, Any]) -> BaseEmailBackend:
        try:
            make = backend_class(settings.EMAIL_BACKEND)
        except ValueError as error:
            raise ImproperlyConfigured(f"EMAIL_BACKEND: {error}") from error
        made = make(**options)
        made.alias = DEFAULT_ALIAS  # no argument: that says that the EMAIL_* settings do not count
        return made

    def _of_entry(self, alias: str, entry: object, overrides: dict[str, Any]) -> BaseEmailBackend:
        where = f"MAILERS[{alias!r}]"
        if not isinstance(entry, Mapping):
            raise InvalidMailer(f"{where}: expected a mapping, got {entry!r}", alias=alias)
        parts = cast("Mapping[object, object]", entry)
        options = parts.get("OPTIONS", {})
        if not isinstance(options, Mapping) or "alias" in options:
            raise InvalidMailer(
                f"{where}: expected a mapping without 'alias' as OPTIONS", alias=alias
            )
        given = {**cast("Mapping[str, Any]", options), **overrides, "alias": alias}
        if overrides:
            given["_not_needed"] = frozenset(overrides)
        try:
            make = backend_class(parts.get("BACKEND", DEFAULT_BACKEND))
        except ValueError as error:
            raise InvalidMailer(f"{where}['BACKEND']: {error}", alias=alias) from error
        try:
            return make(**given)
        except TypeError as error:
            raise InvalidMailer(f"{where}: {error}", alias=alias) from error


mailers: Mailers = Mailers()


def backend_class(path: object) -> Callable[..., BaseEmailBackend]:
    """
    Return the backend that *path* names.

    Raises:
        ValueError: It is no dotted path, cannot be imported, or is no backend.
    """
    try:
        found = import_dotted(path) if isinstance(path, str) else path
    except ValueError as error:
        raise ValueError(f"{path!r} cannot be imported: {error}") from error
    if not callable(found) or not hasattr(found, "send_messages"):
        raise ValueError(f"{path!r} is not a backend: it has no send_messages()")
    return cast("Callable[..., BaseEmailBackend]", found)


def _entries() -> Mapping[str, object]:
    entries: object = getattr(settings, "MAILERS")  # noqa: B009 -- override_settings() takes anything
    if not isinstance(entries, Mapping):
        raise ImproperlyConfigured(f"MAILERS: expected a mapping, got {type(entries).__name__}")
    return cast("Mapping[str, object]", entries)
