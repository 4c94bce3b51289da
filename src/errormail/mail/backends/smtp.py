"""Sends messages to a mail server (RFC 5321)."""

from __future__ import annotations

import email.policy
import logging
import os
import re
import smtplib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, cast

from errormail._dotted import import_dotted
from errormail.conf import settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer
from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.backends.smtp_client import Client
from errormail.mail.backends.tls import PathLike, context_for
from errormail.mail.headers import ascii_domain, envelope_address
from errormail.mail.message import EmailMessage
from errormail.mail.utils import DNS_NAME
from errormail.mail.written import AnyPolicy

__all__ = ["EmailBackend"]

_LOGGER = logging.getLogger("errormail.mail")
"""Its records are never mailed: see the guard of the reporter."""

PORT, STARTTLS_PORT, TLS_PORT = 25, 587, 465
"""RFC 5321, RFC 6409, RFC 8314."""

_NOT_YOURS = (501, 550, 553)
"""Replies to MAIL by servers that let a user send in his own name only."""
_HINT = (
    b" (it may let you send in the name of EMAIL_HOST_USER only: "
    b"see SERVER_EMAIL or DEFAULT_FROM_EMAIL, whichever names this sender)"
)
_LINE_END = re.compile(rb"\r\n|\r|\n")

Token = str | Callable[[], str]
_warned = threading.Event()
"""A login without TLS was seen; once is enough."""


class EmailBackend(BaseEmailBackend):
    """
    Sends messages. A connection that `open` made stays open until `close`; else each `send_messages` has its own.

    Args:
        host, port: The server. The port is 25, 587 with *use_tls*, 465 with *use_ssl* if it is not given.
        username, password: For a login; there is one only with both, or with *oauth2_token*.
        use_tls: STARTTLS.
        use_ssl: TLS from the first byte.
        timeout: Seconds that one answer may take.
        ssl_keyfile, ssl_certfile: A client certificate.
        ssl_verify: False: do not check the server's certificate.
        ssl_context: In place of the three before.
        oauth2_token: An access token, or a callable (or its dotted path) that is asked for one at each login.

    What is None comes from the EMAIL_* settings, unless this is made of MAILERS.

    Raises:
        ImproperlyConfigured: Both *use_tls* and *use_ssl*; no *host*; a *port* or *timeout* that is none.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        use_tls: bool | None = None,
        fail_silently: bool = False,
        use_ssl: bool | None = None,
        timeout: float | None = None,
        ssl_keyfile: PathLike | None = None,
        ssl_certfile: PathLike | None = None,
        *,
        ssl_verify: bool | None = None,
        ssl_context: ssl.SSLContext | None = None,
        oauth2_token: Token | None = None,
        alias: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fail_silently=fail_silently, alias=alias, **options)
        if alias is None:
            host = host or settings.EMAIL_HOST
            if port is None and settings.is_given("EMAIL_PORT"):
                port = settings.EMAIL_PORT
            username = settings.EMAIL_HOST_USER if username is None else username
            password = settings.EMAIL_HOST_PASSWORD if password is None else password
            use_tls = settings.EMAIL_USE_TLS if use_tls is None else use_tls
            use_ssl = settings.EMAIL_USE_SSL if use_ssl is None else use_ssl
            timeout = settings.EMAIL_TIMEOUT if timeout is None else timeout
            ssl_keyfile = settings.EMAIL_SSL_KEYFILE if ssl_keyfile is None else ssl_keyfile
            ssl_certfile = settings.EMAIL_SSL_CERTFILE if ssl_certfile is None else ssl_certfile
            ssl_verify = settings.EMAIL_SSL_VERIFY if ssl_verify is None else ssl_verify
            oauth2_token = settings.EMAIL_OAUTH2_TOKEN if oauth2_token is None else oauth2_token
        self.host: str = host or ""
        self.username: str = username or ""
        self.password: str = password or ""
        self.use_tls: bool = bool(use_tls)
        self.use_ssl: bool = bool(use_ssl)
        self.port: int = port or (TLS_PORT if use_ssl else STARTTLS_PORT if use_tls else PORT)
        self.timeout = timeout
        self.ssl_keyfile = ssl_keyfile
        self.ssl_certfile = ssl_certfile
        self.ssl_verify: bool = ssl_verify is not False
        self.ssl_context = ssl_context
        self.oauth2_token = oauth2_token
        self.connection: Client | None = None
        self._lock = threading.RLock()
        self._refuse_mistakes()

    def _refuse_mistakes(self) -> None:
        if self.use_ssl and self.use_tls:
            raise self._refusal(
                "use_tls",
                "it and use_ssl are mutually exclusive: use_tls is STARTTLS, use_ssl TLS from the first byte",
            )
        if not self.host:
            raise self._refusal("host", "expected the name of a mail server, got none")
        port = cast("object", self.port)
        if not isinstance(port, int) or not 0 < port < 65536:
            raise self._refusal("port", f"expected an int from 1 to 65535, got {self.port!r}")
        if self.timeout is not None and not self.timeout > 0:
            raise self._refusal("timeout", f"expected seconds, more than 0, got {self.timeout!r}")

    def _refusal(self, option: str, reason: str) -> ImproperlyConfigured:
        if self.alias is None:
            return ImproperlyConfigured(f"EMAIL_{option.upper()}: {reason}")
        where = f"MAILERS[{self.alias!r}]['OPTIONS'][{option!r}]"
        return InvalidMailer(f"{where}: {reason}", alias=self.alias)

    # -- the connection -------------------------------------------------------------------------

    def open(self) -> bool | None:
        """
        Connect, and log in if there is a user.

        Returns:
            True if it was done, False if there was a connection, None if it failed and `fail_silently` is set.

        Raises:
            OSError: There is no connection. smtplib.SMTPException is one, and ssl.SSLError.
            ImproperlyConfigured: The client certificate cannot be used.
        """
        with self._lock:
            if self.connection is not None:
                return False
            context = self._context() if self.use_tls or self.use_ssl else None
            try:
                self.connection = self._connected(context)
            except OSError:
                if not self.fail_silently:
                    raise
                return None
            return True

    def _context(self) -> ssl.SSLContext:
        if self.ssl_context is not None:
            return self.ssl_context
        try:
            return context_for(self.ssl_certfile, self.ssl_keyfile, is_verified=self.ssl_verify)
        except OSError as error:
            reason = f"{os.fspath(self.ssl_certfile or '')!r} cannot be used: {error}"
            raise self._refusal("ssl_certfile", reason) from error

    def _connected(self, context: ssl.SSLContext | None) -> Client:
        seconds = socket.getdefaulttimeout() if self.timeout is None else self.timeout
        client = Client("localhost", seconds)
        client.open(ascii_domain(self.host), self.port, context if self.use_ssl else None)
        try:
            client.local_hostname = own_name(client)
            if self.use_tls and context is not None:
                client.begin_tls(context)
            self._log_in(client)
        except BaseException:
            client.close()
            raise
        return client

    @property
    def _has_login(self) -> bool:
        return bool(self.username and (self.password or self.oauth2_token))

    def _log_in(self, client: Client) -> None:
        if not self._has_login:
            return
        if not client.is_private and not _warned.is_set():
            _warned.set()
            warnings.warn(
                f"the login at {self.host} is not encrypted: anybody on the way can read the password; "
                "set EMAIL_USE_TLS or EMAIL_USE_SSL",
                RuntimeWarning,
                stacklevel=2,
            )
        if self.oauth2_token:
            client.log_in_with_token(self.username, access_token(self.oauth2_token))
        else:
            client.log_in(self.username, self.password)

    def close(self) -> None:
        """Take leave of the server. What goes wrong with that does not matter: it has taken the messages, or said so."""
        with self._lock:
            client, self.connection = self.connection, None
            if client is None:
                return
            try:
                client.quit()
            except OSError:
                pass
            finally:
                client.close()

    # -- messages -------------------------------------------------------------------------------

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """
        Send *email_messages*; return how many the server took, for one recipient at least.

        Recipients that are refused while others are not are told on the logger ``errormail.mail``.

        Raises:
            ValueError: A header or an address that is none.
            OSError: What went wrong in delivery, smtplib.SMTPException included, unless `fail_silently` is set.
        """
        count, is_ours = 0, False
        with self._lock:
            try:
                for message in email_messages:
                    if not message.recipients():
                        continue
                    envelope = Envelope.of(message)  # mistakes in it need no connection
                    is_new = self.open()
                    if self.connection is None:
                        break  # for the next it would be the same
                    is_ours = is_ours or bool(is_new)
                    count += self._send(self.connection, envelope)
            finally:
                if is_ours:
                    self.close()
        return count

    def _send(self, client: Client, envelope: Envelope) -> bool:
        try:
            content, options = envelope.content_for(client)
            refused = client.sendmail(envelope.sender, envelope.recipients, content, options)
        except OSError as error:
            self._clean_up(client, error)
            if not self.fail_silently:
                raise self._explained(error) from error.__cause__
            return False
        if refused:
            told = ", ".join(f"{address} ({code})" for address, (code, _) in refused.items())
            _LOGGER.warning("the mail server took a message, but not for %s", told)
        return True

    def _clean_up(self, client: Client, error: OSError) -> None:
        """Leave a connection on which another message can be sent, or none."""
        if client.sock is not None and isinstance(error, smtplib.SMTPDataError):
            with suppress(OSError):  # it closes the connection
                client.rset()
        if client.sock is None:
            self.connection = None

    def _explained(self, error: OSError) -> OSError:
        """Return *error*, with a hint if the sender was refused for not being who logged in."""
        if (
            not isinstance(error, smtplib.SMTPSenderRefused)
            or error.smtp_code not in _NOT_YOURS
            or not self._has_login
            or error.sender.lower() == self.username.lower()
        ):
            return error
        said = cast("object", error.smtp_error)
        text = said if isinstance(said, bytes) else str(said).encode()
        return smtplib.SMTPSenderRefused(error.smtp_code, text + _HINT, error.sender)


class Envelope(NamedTuple):
    """A message, and what SMTP has to know of it."""

    message: EmailMessage
    sender: str
    recipients: list[str]
    content: bytes
    """With CRLF."""

    @classmethod
    def of(cls, message: EmailMessage) -> Envelope:
        """Raises ValueError if something in it is wrong."""
        return cls(
            message,
            envelope_address(message.from_email or settings.DEFAULT_FROM_EMAIL),
            [envelope_address(address) for address in message.recipients()],
            wire_bytes(message, email.policy.SMTP),
        )

    def content_for(self, client: Client) -> tuple[bytes, list[str]]:
        """Return the content as this server takes it, and options for MAIL."""
        if self.content.isascii():
            return self.content, []
        client.ehlo_or_helo_if_needed()
        if client.has_extn("8bitmime"):
            return self.content, ["BODY=8BITMIME"]
        return wire_bytes(self.message, email.policy.SMTP.clone(cte_type="7bit")), []


def wire_bytes(message: EmailMessage, policy: AnyPolicy) -> bytes:
    """Return *message* with CRLF at the end of each line, and no other CR or LF."""
    return _LINE_END.sub(b"\r\n", message.message(policy=policy).as_bytes())


def own_name(client: Client) -> str:
    """Return what to say in EHLO: the name of this host, or its address if it has none (RFC 5321 section 4.1.3)."""
    name = DNS_NAME.get_fqdn()
    if "." in name or client.sock is None:
        return name
    address = str(client.sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def access_token(token: Token) -> str:
    """Return the token that *token* is, or gives. A str that names a callable, which can be imported, is that."""
    source: object = token
    if isinstance(token, str):
        with suppress(ValueError):  # a token with dots in it
            source = import_dotted(token)
    return str(source() if callable(source) else token)
