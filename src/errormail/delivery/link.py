"""The connection that mail goes out on, kept from one email to the next."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from errormail._forking import undivided
from errormail.delivery.job import Destination

if TYPE_CHECKING:
    from errormail.mail import EmailMultiAlternatives
    from errormail.mail.backends.base import BaseEmailBackend

__all__ = ["Link", "NothingSent", "smtp_code"]

LONGEST_WAIT = 10.0
"""Seconds for one answer of the server; EMAIL_TIMEOUT counts if it is less."""


class NothingSent(Exception):
    """The backend says that it sent none, and raised nothing: it is silent about its failures."""


class Link:
    """
    A backend that is open, or none. For one thread at a time.

    It is opened when it is needed, and again if the server has gone away in the meantime or if another destination needs
    another backend.
    """

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._destination: Destination | None = None
        self.name: str = ""
        """Where it leads, or led last: host and port, else the name of the backend."""

    @property
    def is_open(self) -> bool:
        return self._backend is not None

    def send(
        self,
        email: EmailMultiAlternatives,
        destination: Destination,
        *,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """
        Send *email*.

        Args:
            longest_wait: Seconds for one answer of the server, while the connection is opened by this call and after.

        Raises:
            Exception: Whatever the backend raises. The connection is still open then if only this email was refused.
        """
        if not self._leads_to(destination):
            self.close()
        is_reused = self.is_open
        if not is_reused:
            self._open(destination, longest_wait)
        try:
            self._send(email)
        except Exception as error:
            # A server may end a connection on which nothing comes. Nothing else is tried twice.
            if not (is_reused and _has_gone(error)):
                raise
            self._open(destination, longest_wait)
            self._send(email)

    def close(self) -> None:
        """Close the connection, politely. A failure of that is none: what was sent is sent."""
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(Exception):
                backend.close()

    def forget(self) -> None:
        """
        Let go of the connection, in a child process: it is the parent's.

        Nothing is said to the server. Only our copy of the socket is closed, past the locks of the objects around it, which
        a thread that is not there in the child may hold.
        """
        backend: Any = self._backend
        self._backend = None
        with suppress(Exception):  # only SMTP has one
            os.close(backend.connection.sock.detach())

    def _leads_to(self, destination: Destination) -> bool:
        mine = self._destination
        return (
            mine is not None
            and mine.settings is destination.settings
            and mine.using == destination.using
            and mine.email_backend == destination.email_backend
        )

    def _open(self, destination: Destination, longest_wait: float) -> None:
        from errormail.mail import get_connection, mailers

        self.name = destination.using or destination.email_backend or "the mail server"
        backend: Any  # not every backend has a timeout
        if destination.using is not None:
            backend = mailers[destination.using]
        else:
            backend = get_connection(destination.email_backend)
        self.name = _name(backend)
        _prepare_name_service(backend)
        if hasattr(backend, "timeout"):
            backend.timeout = min(backend.timeout or LONGEST_WAIT, LONGEST_WAIT, longest_wait)
        try:
            backend.open()
        except BaseException:
            _abandon(backend)
            raise
        self._backend = backend
        self._destination = destination

    def _send(self, email: EmailMultiAlternatives) -> None:
        backend = self._backend
        assert backend is not None  # noqa: S101 -- both callers have opened it
        try:
            count = cast("int | None", backend.send_messages([email]))
        except BaseException as error:
            if not _is_refusal(error):
                self._backend = None
                _abandon(backend)
            raise
        if count == 0:  # None is what a backend returns that does not count
            raise NothingSent


def smtp_code(error: BaseException) -> int | None:
    """Return the reply code (RFC 5321 section 4.2) that *error* is about, None if it is about none."""
    code: Any = getattr(error, "smtp_code", None)
    if code is None:
        # smtplib.SMTPRecipientsRefused. One that may be taken later makes the whole email such a one.
        replies: Any = getattr(error, "recipients", None)
        with suppress(AttributeError, TypeError, ValueError, IndexError):
            code = min(reply[0] for reply in replies.values())
    return code if isinstance(code, int) else None


def _is_refusal(error: BaseException) -> bool:
    """Return whether *error* is a verdict on this email for good, after which the conversation goes on."""
    return isinstance(error, NothingSent) or 500 <= (smtp_code(error) or 0) <= 599


def _has_gone(error: BaseException) -> bool:
    """Return whether the server ended the connection, rather than being slow: that would be waited for twice."""
    code = smtp_code(error)
    if code is not None:
        return code == 421
    # smtplib makes an SMTPServerDisconnected of a timeout as well.
    is_timeout = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return isinstance(error, OSError) and not is_timeout


_is_prepared = False


def _prepare_name_service(backend: Any) -> None:
    """
    Look up once what *backend* will look up, while no fork goes on.

    Measured with glibc 2.36: the first look-up of a process sets up its name service, and a child that is forked
    meanwhile hangs in its own first look-up (9 of 10 times); beside later ones it never does.
    """
    global _is_prepared
    host = getattr(backend, "host", None)
    if _is_prepared or not isinstance(host, str):
        return
    import socket

    from errormail.mail import DNS_NAME

    with undivided(), suppress(OSError, UnicodeError):  # it will fail in its place, and be told
        socket.getaddrinfo(host, None)
        DNS_NAME.get_fqdn()
    _is_prepared = True


def _abandon(backend: Any) -> None:
    """Close *backend* without a word to the server: after a timeout, QUIT would wait as long again."""
    with suppress(Exception):  # only SMTP has one
        backend.connection.close()
    with suppress(Exception):
        backend.close()


def _name(backend: BaseEmailBackend) -> str:
    host, port = getattr(backend, "host", None), getattr(backend, "port", None)
    if isinstance(host, str) and isinstance(port, int):
        return f"{host}:{port}"
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
