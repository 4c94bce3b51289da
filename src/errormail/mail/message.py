"""A message, as a program writes it: subject, text, recipients, attachments. What it becomes is `email.message.EmailMessage`."""

from __future__ import annotations

import email.message
import email.policy
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.charset import Charset
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from errormail.conf import settings
from errormail.mail.contents import (
    DEFAULT_ATTACHMENT_MIME_TYPE,
    Content,
    EmailAlternative,
    EmailAttachment,
    Part,
    as_bytes,
    as_text,
    attachment_of,
    decoded,
)
from errormail.mail.headers import (
    BadHeaderError,
    envelope_address,
    set_address_header,
    set_header,
)
from errormail.mail.parts import (
    binary_part,
    checked_type,
    message_part,
    multipart,
    set_disposition,
    text_part,
)
from errormail.mail.utils import DNS_NAME, make_msgid
from errormail.mail.written import AnyMessage, AnyPolicy

if TYPE_CHECKING:
    from errormail.mail.backends.base import BaseEmailBackend

__all__ = [
    "DEFAULT_ATTACHMENT_MIME_TYPE",
    "BadHeaderError",
    "EmailAlternative",
    "EmailAttachment",
    "EmailMessage",
    "EmailMultiAlternatives",
]

AttachmentTuple: TypeAlias = "tuple[str | None, Content] | tuple[str | None, Content, str | None]"

_OWN_HEADERS = frozenset(["content-type", "content-transfer-encoding", "mime-version"])
"""Made of the body and the attachments."""


class EmailMessage:
    """
    A message that can be sent. Each argument is an attribute, and may be set until then.

    Args:
        subject: One line.
        body: The text.
        from_email: The sender; DEFAULT_FROM_EMAIL if None or empty.
        to, cc, bcc, reply_to: Lists of addresses, each with or without a name. Nobody sees those in *bcc*.
        connection: The backend that sends it; if None, that of the settings.
        attachments: `EmailAttachment`, tuples like it, or MIME parts.
        headers: Further headers, by name. From, To, Cc, Reply-To, Date and Message-ID replace what would stand there; who
            gets the message is not changed by them.

    Raises:
        TypeError: *to*, *cc*, *bcc* or *reply_to* is a str.
    """

    content_subtype = "plain"
    """``"html"`` for a body that is HTML."""
    encoding: str | Charset | None = None
    """Charset of body and text attachments; DEFAULT_CHARSET if None."""
    sent_using: str | None = None
    """In `errormail.mail.outbox`: alias of the mailer that was to send it."""

    def __init__(
        self,
        subject: str = "",
        body: str = "",
        from_email: str | None = None,
        to: Iterable[str] | None = None,
        bcc: Iterable[str] | None = None,
        connection: BaseEmailBackend | None = None,
        attachments: Iterable[EmailAttachment | AttachmentTuple | Part] | None = None,
        headers: Mapping[str, object] | None = None,
        cc: Iterable[str] | None = None,
        reply_to: Iterable[str] | None = None,
    ) -> None:
        self.subject = subject
        self.body: str = body or ""
        self.from_email: str = from_email or settings.DEFAULT_FROM_EMAIL
        self.to: list[str] = address_list("to", to)
        self.cc: list[str] = address_list("cc", cc)
        self.bcc: list[str] = address_list("bcc", bcc)
        self.reply_to: list[str] = address_list("reply_to", reply_to)
        self.connection = connection
        self.attachments: list[EmailAttachment | Part] = []
        for attachment in attachments or ():
            if isinstance(attachment, (MIMEPart, MIMEBase)):
                self.attach(attachment)
            else:
                self.attach(*cast("tuple[Any, ...]", attachment))
        self.extra_headers: dict[str, object] = dict(headers or {})

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "connection": None}  # it has a lock and perhaps a socket

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.recipients())} recipients>"

    def recipients(self) -> list[str]:
        """Return who gets the message: to, cc and bcc."""
        lists = (address_list(name, getattr(self, name)) for name in ("to", "cc", "bcc"))
        return [address for addresses in lists for address in addresses if address]

    def send(self, fail_silently: bool = False, *, using: str | None = None) -> int:
        """
        Send the message; return how many were sent, 0 or 1.

        Args:
            fail_silently: Swallow what goes wrong in delivery.
            using: Alias of a mailer in MAILERS; goes with neither *fail_silently* nor `connection`.
        """
        from errormail.mail.connections import choose_connection, refuse_mixture

        refuse_mixture(self.connection, fail_silently=fail_silently, using=using)
        if not self.recipients():
            return 0
        connection = choose_connection(self.connection, fail_silently=fail_silently, using=using)
        return connection.send_messages([self]) or 0

    def attach(
        self,
        filename: str | Part | None = None,
        content: Content | None = None,
        mimetype: str | None = None,
    ) -> None:
        """
        Add a file, or a MIME part as it is.

        Args:
            filename: Its name, or the part, which then is the only argument.
            content: Text, bytes, or for ``message/rfc822`` a message. Bytes of a text type are decoded as UTF-8; what is not
                UTF-8 is sent unchanged, as DEFAULT_ATTACHMENT_MIME_TYPE.
            mimetype: Guessed by the name if not given.

        Raises:
            ValueError: There is no content, or something besides a part, or *mimetype* is none.
        """
        if isinstance(filename, (MIMEPart, MIMEBase)):
            if content is not None or mimetype is not None:
                raise ValueError("a MIME part is attached alone, without content and mimetype")
            self.attachments.append(filename)
        else:
            self.attachments.append(attachment_of(filename, content, mimetype))

    def attach_file(self, path: str | os.PathLike[str], mimetype: str | None = None) -> None:
        """Add the file at *path*; see `attach`."""
        file = Path(path)
        self.attach(file.name, file.read_bytes(), mimetype)

    def message(self, *, policy: AnyPolicy = email.policy.default) -> email.message.EmailMessage:
        """
        Return the message as one of the standard library.

        Raises:
            ValueError: A header, an address or a file name holds a line break, or an address is none.
        """
        message = self._content(policy)
        of_content = list(message.raw_items())
        for name, _ in of_content:
            del message[name]
        self._write_headers(message)
        set_header(message, "MIME-Version", "1.0")
        for name, value in of_content:
            message.set_raw(name, value)
        return message

    # -- body and attachments -------------------------------------------------------------------

    def _charset(self) -> str | Charset:
        return self.encoding or settings.DEFAULT_CHARSET

    def _content(self, policy: AnyPolicy) -> email.message.EmailMessage:
        bodies = self._body_parts(policy)
        if not self.attachments:
            return bodies[0]
        if hasattr(self, "mixed_subtype"):
            raise AttributeError("EmailMessage has no mixed_subtype any more, since Django 6.0")
        files = [self._attachment_part(attachment, policy) for attachment in self.attachments]
        return multipart("mixed", [*bodies, *files], policy)

    def _body_parts(self, policy: AnyPolicy) -> list[email.message.EmailMessage]:
        """Return the part of the body, or none if there are attachments alone."""
        if not self.body and self.attachments:
            return []
        text = as_text(self.body)
        return [text_part(text, f"text/{self.content_subtype}", self._charset(), policy)]

    def _attachment_part(
        self, attachment: EmailAttachment | AttachmentTuple | Part, policy: AnyPolicy
    ) -> AnyMessage:
        if isinstance(attachment, (MIMEPart, MIMEBase)):
            return attachment
        filename, content, mimetype = attachment_of(*cast("tuple[Any, ...]", attachment))
        part = self._part(content, mimetype or DEFAULT_ATTACHMENT_MIME_TYPE, policy)
        set_disposition(part, filename)
        return part

    def _part(
        self, content: Content, mimetype: str, policy: AnyPolicy
    ) -> email.message.EmailMessage:
        maintype, _, _ = checked_type(mimetype)
        if maintype == "message":
            if isinstance(content, EmailMessage):
                content = content.message(policy=policy)
            if not isinstance(content, Message):
                content = as_bytes(content)
            return message_part(content, mimetype, policy)
        if maintype == "text" and not isinstance(content, (bytes, bytearray, memoryview)):
            return text_part(as_text(content), mimetype, self._charset(), policy)
        return binary_part(as_bytes(content), mimetype, policy)

    # -- headers --------------------------------------------------------------------------------

    def _write_headers(self, message: email.message.EmailMessage) -> None:
        given = self._given_headers()
        usual: dict[str, object] = {
            "Subject": self.subject,
            "From": self.from_email or settings.DEFAULT_FROM_EMAIL,
            "To": address_list("to", self.to),
            "Cc": address_list("cc", self.cc),
            "Reply-To": address_list("reply_to", self.reply_to),
        }
        for name, of_attribute in usual.items():
            _, value = given.pop(name.lower(), (name, of_attribute))
            if isinstance(value, (list, tuple)):
                set_address_header(message, name, filter(None, cast("list[str]", value)))
            else:
                set_header(message, name, value)
        if "From" not in message:
            raise ValueError("header From: expected an address, got none")
        if "date" not in given:
            set_header(message, "Date", now())
        if "message-id" not in given:
            set_header(message, "Message-ID", make_msgid(domain=self._msgid_domain()))
        for name, value in given.values():
            set_header(message, name, value)

    def _given_headers(self) -> dict[str, tuple[str, object]]:
        """Return name and value of each extra header, by the name in lower case."""
        given: dict[str, tuple[str, object]] = {}
        for name, value in self.extra_headers.items():
            lower = str(name).lower()
            if lower in {"bcc", "resent-bcc"}:
                raise ValueError(f"header {name}: everybody would see it; use bcc=")
            if lower in _OWN_HEADERS:
                raise ValueError(
                    f"header {name}: it is made of the body; see content_subtype, encoding and attachments"
                )
            if lower in given:
                raise ValueError(f"header {name}: given twice, as {given[lower][0]} too")
            given[lower] = (name, value)
        return given

    def _msgid_domain(self) -> str:
        """Return this host's name, or the domain of the sender where that says more: ``localhost`` may be anybody."""
        host = DNS_NAME.get_fqdn()
        if "." in host:
            return host
        try:
            domain = envelope_address(self.from_email).rpartition("@")[2]
        except ValueError:  # several senders: each is right, and so is the host
            return host
        return domain if "." in domain and not domain.startswith("[") else host


class EmailMultiAlternatives(EmailMessage):
    """
    A message with other representations of its body, such as HTML.

    Args:
        alternatives: `EmailAlternative`, or tuples like it; the best one last.
    """

    def __init__(
        self,
        subject: str = "",
        body: str = "",
        from_email: str | None = None,
        to: Iterable[str] | None = None,
        bcc: Iterable[str] | None = None,
        connection: BaseEmailBackend | None = None,
        attachments: Iterable[EmailAttachment | AttachmentTuple | Part] | None = None,
        headers: Mapping[str, object] | None = None,
        alternatives: Iterable[EmailAlternative | tuple[Content, str]] | None = None,
        cc: Iterable[str] | None = None,
        reply_to: Iterable[str] | None = None,
    ) -> None:
        super().__init__(
            subject,
            body,
            from_email,
            to,
            bcc,
            connection,
            attachments,
            headers,
            cc,
            reply_to,
        )
        self.alternatives: list[EmailAlternative] = []
        for alternative in alternatives or ():
            self.attach_alternative(*alternative)

    def attach_alternative(self, content: Content, mimetype: str) -> None:
        """
        Add another representation of the body.

        Raises:
            ValueError: One of the two is None, or *mimetype* is none.
        """
        if None in cast("tuple[object, ...]", (content, mimetype)):
            raise ValueError("an alternative needs both content and mimetype")
        checked_type(mimetype)
        self.alternatives.append(EmailAlternative(content, mimetype))

    def body_contains(self, text: str) -> bool:
        """Is *text* in the body, and in each alternative that is text?"""
        texts = [as_text(self.body)]
        texts += [as_text(each[0]) for each in self.alternatives if each[1].startswith("text/")]
        return all(text in each for each in texts)

    def _body_parts(self, policy: AnyPolicy) -> list[email.message.EmailMessage]:
        if not self.alternatives:
            return super()._body_parts(policy)
        if hasattr(self, "alternative_subtype"):
            raise AttributeError(
                "EmailMultiAlternatives has no alternative_subtype any more, since Django 6.0"
            )
        parts = super()._body_parts(policy) if self.body else []
        for content, mimetype in self.alternatives:
            if checked_type(mimetype)[0] == "text":
                content = decoded(content)
            parts.append(self._part(content, mimetype, policy))
        return [multipart("alternative", parts, policy)]


def address_list(name: str, addresses: Iterable[str] | None) -> list[str]:
    """Return *addresses*, the attribute *name* of a message, as a list; raises TypeError if they are a str."""
    if isinstance(addresses, (str, bytes)):
        raise TypeError(f'"{name}" argument must be a list or tuple')
    return list(addresses or ())


def now() -> datetime:
    """Return the time, in UTC or with EMAIL_USE_LOCALTIME in local time."""
    utc = datetime.now(timezone.utc)
    return utc.astimezone() if settings.EMAIL_USE_LOCALTIME else utc
