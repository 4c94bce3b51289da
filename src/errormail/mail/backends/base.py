"""What every backend has."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from errormail.exceptions import InvalidMailer

if TYPE_CHECKING:
    from typing_extensions import Self

    from errormail.mail.message import EmailMessage

__all__ = ["BaseEmailBackend"]

_OPTIONS_OF_OURS = frozenset(
    [
        *("host", "port", "username", "password", "use_tls", "use_ssl", "timeout", "ssl_keyfile"),
        *("ssl_certfile", "ssl_context", "ssl_verify", "oauth2_token", "stream", "file_path"),
    ]
)
"""One of our backends takes them. The others ignore them, so that a test can put locmem in the place of smtp."""


class BaseEmailBackend:
    """
    Does something with messages. Derive from it, and have `send_messages`.

    Args:
        fail_silently: Swallow what goes wrong in delivery.
        alias: The key in MAILERS that this is made of.
        options: What a subclass does not know, and hands on.

    Raises:
        InvalidMailer: There are *options*, and MAILERS has them.
        TypeError: There are *options* that no backend has, and this is one of errormail's.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        alias: str | None = None,
        _not_needed: Collection[str] = (),
        **options: object,
    ) -> None:
        # _not_needed: options that did not come from MAILERS, such as a user for send_mail(auth_user=)
        self.alias = alias
        self.fail_silently = fail_silently
        options = {name: value for name, value in options.items() if name not in _not_needed}
        unknown = ", ".join(sorted(options))
        if options and alias is not None:
            raise InvalidMailer(f"MAILERS[{alias!r}]: unknown OPTIONS: {unknown}", alias=alias)
        if not options.keys() <= _OPTIONS_OF_OURS and type(self).__module__.startswith(
            "errormail."
        ):
            raise TypeError(f"{type(self).__module__}.EmailBackend has no such options: {unknown}")

    def open(self) -> bool | None:
        """
        Open the connection, if there is such a thing.

        Returns:
            True if it was opened, False if it was open before, None if that failed silently.
        """

    def close(self) -> None:
        """Close the connection, if there is such a thing."""

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Send *email_messages*, a list or an iterator; return how many were sent."""
        raise NotImplementedError(f"{type(self).__qualname__} has no send_messages()")
