"""
One conversation with a mail server: smtplib's, with bounds.

An answer has to be complete within the timeout. smtplib counts it anew for each read, so that a server that says a byte
now and then, or a greeting without end, would hold the caller for ever.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import smtplib
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence

__all__ = ["Client"]

REPLY_LINES = 100
"""Of one answer. The longest usual one, to EHLO, has 10 to 20."""
REPLY_LINE_BYTES = 8192
"""smtplib's own bound; RFC 5321 section 4.5.3.1.5 says 512."""
CHUNK = 65_536
"""Bytes sent at a time. The timeout is for each, so that a large message over a slow line may take longer."""
INITIAL_RESPONSE_CHARS = 400
"""A command has at most 512 (RFC 4954 section 4): a longer answer goes on a line of its own."""

_CONTINUE = 334
_ACCEPTED = (235, 503)
"""The second: is logged in already."""

Answer = Callable[[bytes], bytes]
"""From what the server asks to what the client says."""


class Client(smtplib.SMTP):
    """
    A connection that is not yet open.

    Args:
        local_hostname: What the client calls itself.
        seconds: How long an answer, or 64 kB that are sent, may take; None: as long as it takes.
    """

    # smtplib's own, of which a type checker sees here only what is assigned.
    sock: socket.socket | None
    ehlo_resp: bytes | None
    helo_resp: bytes | None
    esmtp_features: dict[str, str]

    def __init__(self, local_hostname: str, seconds: float | None) -> None:
        super().__init__(local_hostname=local_hostname)
        self._seconds = seconds
        self._received = b""

    def open(self, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        """
        Connect, with TLS from the first byte if there is a *context*.

        Raises:
            OSError: There is no connection, or its certificate is not right.
            SMTPException: The greeting is none.
        """
        sys.audit("smtplib.connect", self, host, port)
        self._host = host
        self.sock = socket.create_connection((host, port), self._seconds)
        try:
            if context is not None:
                self._encrypt(context)
            code, text = self.getreply()
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
        except BaseException:
            self.close()
            raise

    def begin_tls(self, context: ssl.SSLContext) -> None:
        """
        Go over to TLS. Only for a connection on which nothing else has been said.

        Raises:
            SMTPException: The server does not, or not in the right way.
            OSError: Its certificate is not right.
        """
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server.")
        code, text = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        if self._received:  # somebody in between could have said it (CVE-2021-38371 and its kin)
            raise smtplib.SMTPException("the server went on without TLS after STARTTLS")
        self._encrypt(context)
        # What was said without TLS does not count any more (RFC 3207 section 4.2).
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def _encrypt(self, context: ssl.SSLContext) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        self.sock = context.wrap_socket(self.sock, server_hostname=self._host)

    @property
    def is_private(self) -> bool:
        """Is the connection encrypted, or to this very machine?"""
        if self.sock is None or isinstance(self.sock, ssl.SSLSocket):
            return True
        address = str(self.sock.getpeername()[0]).partition("%")[0]
        return ipaddress.ip_address(address).is_loopback

    # -- logins ---------------------------------------------------------------------------------

    def log_in(self, username: str, password: str) -> None:
        """
        Log in by the first that works of CRAM-MD5, PLAIN and LOGIN.

        Raises:
            SMTPAuthenticationError: Wrong user or password.
            SMTPException: The server offers none of these, or something else is wrong.
        """
        user, key = username.encode(), password.encode()

        def signed(challenge: bytes) -> bytes:
            return user + b" " + hmac.new(key, challenge, "md5").hexdigest().encode()

        self._log_in_by(
            {
                "CRAM-MD5": (False, [signed]),
                "PLAIN": (True, [lambda _: b"\0%b\0%b" % (user, key)]),
                "LOGIN": (False, [lambda _: user, lambda _: key]),
            }
        )

    def log_in_with_token(self, username: str, token: str) -> None:
        """Log in with an access token, by XOAUTH2 or OAUTHBEARER (RFC 7628); raises as `log_in` does."""
        user, bearer = username.encode(), b"auth=Bearer %b" % token.strip().encode()
        name = user.replace(b"=", b"=3D").replace(b",", b"=2C")  # RFC 5801 section 4
        # The last answers are to a refusal, which comes as a question.
        self._log_in_by(
            {
                "XOAUTH2": (True, [lambda _: b"user=%b\1%b\1\1" % (user, bearer), lambda _: b""]),
                "OAUTHBEARER": (
                    True,
                    [lambda _: b"n,a=%b,\1%b\1\1" % (name, bearer), lambda _: b"\1"],
                ),
            }
        )

    def _log_in_by(self, mechanisms: dict[str, tuple[bool, Sequence[Answer]]]) -> None:
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("auth"):
            raise smtplib.SMTPNotSupportedError("SMTP AUTH extension not supported by server.")
        offered = self.esmtp_features["auth"].upper().split()
        refusal: smtplib.SMTPException = smtplib.SMTPNotSupportedError(
            f"the server offers {' '.join(offered)} for a login, expected {' or '.join(mechanisms)}"
        )
        for name, (has_initial, answers) in mechanisms.items():
            if name not in offered:
                continue
            try:
                self._authenticate(name, has_initial, list(answers))
            except smtplib.SMTPAuthenticationError as error:
                refusal = error  # some servers offer what they do not have: try the next
            except smtplib.SMTPServerDisconnected:
                # Many servers hang up on a wrong password; that says less than the refusal before it.
                if isinstance(refusal, smtplib.SMTPAuthenticationError):
                    raise refusal from None
                raise
            else:
                return
        raise refusal

    def _authenticate(self, mechanism: str, has_initial: bool, answers: list[Answer]) -> None:
        command = mechanism
        if has_initial:
            initial = base64.b64encode(answers[0](b"")).decode("ascii")
            if len(initial) <= INITIAL_RESPONSE_CHARS:
                command = f"{mechanism} {initial}"
                answers.pop(0)
        code, text = self.docmd("AUTH", command)
        while code == _CONTINUE and answers:
            try:
                said = answers.pop(0)(base64.b64decode(text))
            except ValueError:  # no base64; or no MD5, in FIPS mode
                break
            code, text = self.docmd(base64.b64encode(said).decode("ascii"))
        if code == _CONTINUE:
            code, text = self.docmd("*")  # the client gives up, RFC 4954 section 4
        if code not in _ACCEPTED:
            raise smtplib.SMTPAuthenticationError(code, text)

    # -- what smtplib does without bounds -------------------------------------------------------

    def getreply(self) -> tuple[int, bytes]:
        """
        Return code and text of an answer; -1 if it is none.

        Raises:
            SMTPServerDisconnected: It did not come, or not in time.
            SMTPResponseException: It is too long.
        """
        end = None if self._seconds is None else time.monotonic() + self._seconds
        lines: list[bytes] = []
        while len(lines) < REPLY_LINES:
            line = self._line(end)
            lines.append(line[4:].strip(b" \t\r\n"))
            is_last = line[3:4] != b"-"
            if is_last or not line[:3].isdigit():
                return int(line[:3]) if line[:3].isdigit() else -1, b"\n".join(lines)
        self.close()
        raise smtplib.SMTPResponseException(500, f"an answer of more than {REPLY_LINES} lines")

    def _line(self, end: float | None) -> bytes:
        while b"\n" not in self._received:
            if len(self._received) > REPLY_LINE_BYTES:
                self.close()
                raise smtplib.SMTPResponseException(500, "Line too long.")
            self._received += self._chunk(end)
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _chunk(self, end: float | None) -> bytes:
        """Return what has come, within the time that is left until *end*."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        try:
            if end is not None:
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError("timed out")
                self.sock.settimeout(left)
            chunk = self.sock.recv(4096)
            self.sock.settimeout(self._seconds)
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(
                f"Connection unexpectedly closed: {error}"
            ) from error
        if not chunk:
            self.close()
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        return chunk

    def send(self, s: object) -> None:
        data = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)  # type: ignore[call-overload]
        for at in range(0, len(data), CHUNK):
            super().send(data[at : at + CHUNK])

    def close(self) -> None:
        self._received = b""
        super().close()

    # -- what smtplib guesses -------------------------------------------------------------------

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """Say MAIL for *sender*, an address alone; smtplib would take it apart first, each version in its own way."""
        return self._say_path("MAIL FROM:", sender, options if self.does_esmtp else ())

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        return self._say_path("RCPT TO:", recip, options if self.does_esmtp else ())

    def _say_path(self, verb: str, address: str, options: Sequence[str]) -> tuple[int, bytes]:
        return self.docmd(" ".join([f"{verb}<{address}>", *options]))
