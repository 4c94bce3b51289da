"""What a program gives a message to carry: text, bytes, files, other messages."""

from __future__ import annotations

import mimetypes
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from errormail.mail.parts import checked_type

if TYPE_CHECKING:
    from errormail.mail.message import EmailMessage

__all__ = [
    "DEFAULT_ATTACHMENT_MIME_TYPE",
    "Content",
    "EmailAlternative",
    "EmailAttachment",
    "Part",
    "as_bytes",
    "as_text",
    "attachment_of",
    "decoded",
]

DEFAULT_ATTACHMENT_MIME_TYPE = "application/octet-stream"
"""Of an attachment whose type is not given and cannot be guessed."""

Content: TypeAlias = "str | bytes | EmailMessage | Message[Any, Any]"
Part: TypeAlias = "MIMEPart[Any, Any] | MIMEBase"
_BYTES = (bytes, bytearray, memoryview)


class EmailAlternative(NamedTuple):
    """Another representation of the body."""

    content: Content
    mimetype: str


class EmailAttachment(NamedTuple):
    """A file that goes with the message."""

    filename: str | None
    content: Content
    mimetype: str | None


def attachment_of(
    filename: str | None = None, content: Content | None = None, mimetype: str | None = None
) -> EmailAttachment:
    """Return the attachment, its type guessed and its text decoded; raises ValueError."""
    if content is None:
        raise ValueError("content must be provided.")
    mimetype = str(mimetype or guessed_type(filename))
    maintype, _, _ = checked_type(mimetype)
    if maintype == "text":
        content = decoded(content)
        if isinstance(content, bytes):
            mimetype = DEFAULT_ATTACHMENT_MIME_TYPE
    return EmailAttachment(filename, content, mimetype)


def guessed_type(filename: str | None) -> str:
    """Return the content type that a file of that name probably has."""
    mimetype, compression = mimetypes.guess_type(str(filename)) if filename else (None, None)
    # A compressed text is none; that of an unknown type says how it is compressed, at least.
    if compression is not None:
        mimetype = {"gzip": "application/gzip", "bzip2": "application/x-bzip2"}.get(compression)
    return mimetype or DEFAULT_ATTACHMENT_MIME_TYPE


def decoded(content: Content) -> Content:
    """Return *content* as text if it is bytes in UTF-8."""
    if isinstance(content, _BYTES):
        try:
            return bytes(content).decode()
        except UnicodeDecodeError:
            return bytes(content)
    return content


def as_text(content: object) -> str:
    """Return *content* as an exact str."""
    if isinstance(content, _BYTES):
        return bytes(cast("bytes", content)).decode("utf-8", "backslashreplace")
    return str.__str__(str("" if content is None else content))


def as_bytes(content: object) -> bytes:
    if isinstance(content, _BYTES):
        return bytes(cast("bytes", content))
    return as_text(content).encode("utf-8", "backslashreplace")
