"""
A mail server on a loopback port: aiosmtpd, that can also refuse, stall, vanish and talk nonsense.

    with SmtpServer() as server:
        send_mail(..., connection=SmtpBackend("127.0.0.1", server.port))
        server.wait_for(1)
        assert server.messages[0].message["Subject"] == "..."
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import logging
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, auth_mechanism

if TYPE_CHECKING:
    from typing_extensions import Self

logging.getLogger("mail.log").propagate = False  # aiosmtpd's; nothing a test listens to
logging.getLogger("mail.log").addHandler(logging.NullHandler())

PATIENCE = 30.0
"""Seconds until a test gives up; nothing waits that long unless something is wrong."""


@dataclass(frozen=True)
class Envelope:
    """What arrived in one transaction."""

    mail_from: str
    rcpt_tos: list[str]
    content: bytes
    """As it came, with CRLF, without the dots that SMTP adds."""
    connection: int
    """Counted from 1: over which connection it came."""
    mail_options: list[str]
    """Parameters of MAIL FROM, such as ``BODY=8BITMIME``."""
    is_encrypted: bool
    login: str | None
    """Who logged in."""

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass(frozen=True)
class _Login:
    login: str


class _Session(SMTP):
    """One connection, with what aiosmtpd has no hook for."""

    def __init__(self, server: SmtpServer) -> None:
        super().__init__(
            server,
            hostname="mx.example.com",
            ident="errormail tests",
            tls_context=server.tls_context if server.starttls else None,
            require_starttls=server.starttls,
            auth_require_tls=False,
            auth_exclude_mechanism=sorted(ALL_MECHANISMS - set(server.mechanisms)),
            command_call_limit=100_000,
            data_size_limit=None,
            loop=asyncio.get_running_loop(),
        )
        self._auth_required = server.demands_login  # the argument warns where there is no TLS
        self.server = server

    def connection_made(self, transport) -> None:
        if self.transport is None:  # else TLS begins on a connection that is known
            self.number = self.server.connected(transport)
        super().connection_made(transport)

    def connection_lost(self, error) -> None:
        super().connection_lost(error)
        self.server.disconnected()

    async def _handle_client(self) -> None:
        await self.server.maybe_stall("connect")
        await super()._handle_client()

    async def smtp_DATA(self, arg) -> None:  # noqa: N802 -- aiosmtpd's name
        if self.server.vanish_in_data:
            await self.push("354 go on")
            await self._reader.readuntil(b"\r\n")
            self.transport.abort()
        else:
            await super().smtp_DATA(arg)

    async def push(self, status) -> None:
        text = status if isinstance(status, str) else status.decode("ascii")
        self.server.said.append(text)
        await super().push(status)

    async def auth_PLAIN(self, _, args):  # noqa: N802 -- aiosmtpd's name
        _, login, password = (await self._answer(args)).decode().split("\0")
        return self._verdict(login, self._is_right(login, password), "PLAIN")

    async def auth_LOGIN(self, _, args):  # noqa: N802 -- aiosmtpd's name
        login = (await self._answer(args, "User Name")).decode()
        password = (await self.challenge_auth("Password")).decode()
        return self._verdict(login, self._is_right(login, password), "LOGIN")

    def _is_right(self, login: str, password: str) -> bool:
        return (login, password) == (self.server.username, self.server.password)

    @auth_mechanism("CRAM-MD5")
    async def auth_cram(self, _, args):
        challenge = b"<1896.697170952@mx.example.com>"
        answer = await self.challenge_auth(challenge)
        login, digest = answer.decode().rsplit(" ", 1)
        right = hmac.new(self.server.password.encode(), challenge, hashlib.md5).hexdigest()
        return self._verdict(login, hmac.compare_digest(digest, right), "CRAM-MD5")

    @auth_mechanism("XOAUTH2")
    async def auth_xoauth2(self, _, args):
        answer = await self._answer(args)
        fields = answer.decode().rstrip("\x01").split("\x01")
        login = fields[0].removeprefix("user=")
        right = fields[1] == f"auth=Bearer {self.server.token}"
        return await self._bearer_verdict(login, right, "XOAUTH2", b"")

    @auth_mechanism("OAUTHBEARER")
    async def auth_oauthbearer(self, _, args):
        answer = await self._answer(args)
        gs2, *fields = answer.decode().rstrip("\x01").split("\x01")
        login = gs2.removeprefix("n,a=").rstrip(",")
        right = f"auth=Bearer {self.server.token}" in fields
        return await self._bearer_verdict(login, right, "OAUTHBEARER", b"\x01")

    async def _answer(self, args, challenge="") -> bytes:
        if len(args) == 2:
            return base64.b64decode(args[1])
        return await self.challenge_auth(challenge)

    async def _bearer_verdict(self, login, right, mechanism, acknowledgement):
        if not right:  # the error comes as a challenge, and the client has to answer it
            answer = await self.challenge_auth(b'{"status":"401"}')
            assert answer == acknowledgement
        return self._verdict(login, right, mechanism)

    def _verdict(self, login, right, mechanism):
        self.server.logins.append((mechanism, login, right))
        return AuthResult(success=right, handled=False, auth_data=_Login(login))


ALL_MECHANISMS = {"LOGIN", "PLAIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"}


@dataclass
class SmtpServer:
    """
    A server that runs in a thread while the ``with`` block lasts. Everything can be set anew while it runs.

    It takes everything, unless told otherwise.
    """

    starttls: bool = False
    """Offer STARTTLS, and demand it."""
    implicit_tls: bool = False
    """TLS from the first byte."""
    host: str = "127.0.0.1"
    """Whom its certificate is for."""
    client_certificate: bool = False
    """Demand one that `authority` has signed."""
    authority: trustme.CA | None = None
    """Who signs its certificate; made when needed."""
    mechanisms: tuple[str, ...] = ()
    """What it offers for a login, of ALL_MECHANISMS."""
    demands_login: bool = False
    username: str = "user@example.com"
    password: str = "correct horse"
    token: str = "ya29.token"
    """For XOAUTH2 and OAUTHBEARER."""
    refuse_sender: str = ""
    """The reply to MAIL, such as ``"553 5.7.1 not yours"``."""
    refuse_recipients: dict[str, str] = field(default_factory=dict)
    """Replies to RCPT, by address; ``"*"`` is for all."""
    refuse_data: str = ""
    """The reply to a message that has come whole."""
    vanish_in_data: bool = False
    """Close the connection when DATA begins."""
    vanish_after: int | None = None
    """Close the connection when so many messages have been taken, before the reply to the last."""
    stall: str = ""
    """Say nothing from this on: ``"connect"``, or the name of a command, such as ``"DATA"``."""
    eight_bit: bool = True
    """Offer 8BITMIME."""

    messages: list[Envelope] = field(default_factory=list)
    connections: int = 0
    """How many have been made."""
    open_connections: int = 0
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    """Mechanism, user, and whether it was right."""
    said: list[str] = field(default_factory=list)
    """Each line of a reply."""
    commands: list[str] = field(default_factory=list)
    """EHLO, MAIL and RCPT, as they came."""

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transports: list[asyncio.Transport] = []
        self.tls_context: ssl.SSLContext | None = None
        if self.starttls or self.implicit_tls:
            self._make_certificate()

    def _make_certificate(self) -> None:
        self.authority = self.authority or trustme.CA()
        self.tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(self.host).configure_cert(self.tls_context)
        if self.client_certificate:
            self.authority.configure_trust(self.tls_context)
            self.tls_context.verify_mode = ssl.CERT_REQUIRED

    # -- the thread -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE)
        return self

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Session(self),
            sock=self._socket,
            ssl=self.tls_context if self.implicit_tls else None,
        )
        ready.set()
        await self._stop.wait()
        server.close()
        for transport in self._transports:
            transport.abort()
        await asyncio.sleep(0)  # they notice

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and all connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()

    # -- what tests ask -------------------------------------------------------------------------

    def wait_for(self, number: int, timeout: float = PATIENCE) -> list[Envelope]:
        """Return the messages as soon as there are *number* of them."""
        self.wait_until(lambda: len(self.messages) >= number, timeout)
        return self.messages

    def wait_until(self, condition, timeout: float = PATIENCE) -> None:
        """Return as soon as *condition*, a function of this server's state, is true."""
        end = time.monotonic() + timeout
        with self._changed:
            while not condition():
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"after {timeout} s: {len(self.messages)} messages over {self.connections} connections"
                    )
                self._changed.wait(left)

    # -- what happens ---------------------------------------------------------------------------

    def connected(self, transport) -> int:
        with self._changed:
            self.connections += 1
            self.open_connections += 1
            self._transports.append(transport)
            self._changed.notify_all()
            return self.connections

    def disconnected(self) -> None:
        with self._changed:
            self.open_connections -= 1
            self._changed.notify_all()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 -- aiosmtpd's name
        self.commands.append(f"EHLO {hostname}")
        session.host_name = hostname
        if not self.eight_bit:
            responses = [line for line in responses if "8BITMIME" not in line]
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 -- aiosmtpd's name
        self.commands.append(f"MAIL {address}")
        await self.maybe_stall("MAIL")
        if self.refuse_sender:
            return self.refuse_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 -- aiosmtpd's name
        self.commands.append(f"RCPT {address}")
        await self.maybe_stall("RCPT")
        refusal = self.refuse_recipients.get(address) or self.refuse_recipients.get("*")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- aiosmtpd's name
        await self.maybe_stall("DATA")
        if self.refuse_data:
            return self.refuse_data
        with self._changed:
            self.messages.append(
                Envelope(
                    mail_from=envelope.mail_from,
                    rcpt_tos=list(envelope.rcpt_tos),
                    content=envelope.original_content,
                    connection=server.number,
                    mail_options=list(envelope.mail_options),
                    is_encrypted=session.ssl is not None or self.implicit_tls,
                    login=getattr(session.auth_data, "login", None),
                )
            )
            self._changed.notify_all()
        if self.vanish_after == len(self.messages):
            server.transport.abort()
        return "250 OK"

    async def maybe_stall(self, command: str) -> None:
        if self.stall == command:
            await asyncio.Event().wait()


class RawServer:
    """
    A port where *script* talks with whoever connects: what a mail server must not do.

    Args:
        script: Called in a thread with each connection, a socket; its end closes the connection. It may raise OSError.
    """

    def __init__(self, script) -> None:
        self._script = script
        self.connections = 0
        self.closed = threading.Event()
        """The client has closed a connection, and the script has ended."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(PATIENCE)
                with contextlib.suppress(OSError):
                    self._script(connection)
            self.closed.set()

    def __exit__(self, *exc_info: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._socket.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def replies(*lines: str):
    """Return a script that says *lines*, the first at once, each other after a command, and then waits for the end."""

    def script(connection: socket.socket) -> None:
        for line in lines:
            connection.sendall(line.encode() + b"\r\n")
            if not connection.recv(65536):
                return
        while connection.recv(65536):
            pass

    return script


def endless_greeting(connection: socket.socket) -> None:
    """Say hello, and never come to an end."""
    while True:
        connection.sendall(b"220-hello\r\n" * 100)
