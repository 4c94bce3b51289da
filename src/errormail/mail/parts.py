"""
MIME parts: text, bytes, whole messages, and several of them (RFC 2045, 2046).

Here is decided how a body is encoded for transfer. The standard library's own choice folds at 78 characters, and does
not keep a last line without line end, or a lone CR.
"""

from __future__ import annotations

import binascii
import codecs
import copy
import re
import secrets
from collections.abc import Iterable, Sequence
from email import message_from_bytes
from email.charset import BASE64, QP, Charset
from email.message import EmailMessage, Message
from urllib.parse import quote

from errormail.mail.folding import LINE_LENGTH, LONGEST_LINE, Piece
from errormail.mail.headers import header_text
from errormail.mail.written import AnyMessage, AnyPolicy, keep_headers, write_header

__all__ = [
    "binary_part",
    "checked_type",
    "message_part",
    "multipart",
    "set_disposition",
    "text_part",
]

QP_LINE = 76
"""Characters, with the equals sign at the end of a line that goes on."""
BASE64_BYTES = 57
"""Of content on a line of 76 characters, the longest that MIME allows (RFC 2045 section 6.8)."""

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"
_PARAMETER = rf'\s*;\s*{_WORD}=(?:{_WORD}|"[ !#-\[\]-~]*")'
_TYPE = re.compile(rf"({_WORD})/({_WORD})((?:{_PARAMETER})*)\s*;?\s*")
_ONE_PARAMETER = re.compile(rf'({_WORD})=({_WORD}|"[^"]*")')
_NOT_QP = re.compile(rb"[^\t -<>-~]|[\t ]$")
_PLAIN_FILENAME = re.compile(r"[A-Za-z0-9 !#$&'()+,./:;<>@\[\]^_`{|}~-]{1,60}")
"""What can stand in quotes as it is: neither of the quotes' own characters, nor an encoded word, nor a percent sign."""


def checked_type(mimetype: object) -> tuple[str, str, list[tuple[str, str]]]:
    """
    Return main type, subtype and parameters of a Content-Type such as ``text/calendar; method=REQUEST``.

    Raises:
        ValueError: It is none.
    """
    text = str.__str__(str(mimetype))
    match = _TYPE.fullmatch(text)
    if match is None or not text.isprintable():
        raise ValueError(f"{text!r} is not a content type, such as 'text/plain'")
    parameters = [(found[1], found[2].strip('"')) for found in _ONE_PARAMETER.finditer(match[3])]
    return match[1].lower(), match[2].lower(), parameters


def text_part(
    content: str, mimetype: str, encoding: str | Charset, policy: AnyPolicy
) -> EmailMessage:
    """
    Return a part that says *content*, as a *mimetype* that begins with ``text/``.

    Args:
        encoding: Name of a charset, or one that says how to encode for transfer. UTF-8 is taken where it cannot say *content*.
    """
    maintype, subtype, parameters = checked_type(mimetype)
    charset, wanted = _charset(encoding)
    text = content.replace("\r\n", "\n")
    try:
        data = text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
        data = text.encode(charset, "backslashreplace")
    how = wanted or transfer_encoding(data, "a\n".encode(charset) == b"a\n", policy)
    if how == "base64" and (policy.linesep == "\r\n" or "\r" in text):
        # What base64 hides, nobody else gives the line ends of mail to (RFC 2045 section 6.8).
        data = text.replace("\n", "\r\n").encode(charset, "backslashreplace")
    kept = [(name, value) for name, value in parameters if name.lower() != "charset"]
    part = _part(f"{maintype}/{subtype}", [("charset", charset), *kept], policy)
    _set_content(part, data, how)
    return part


def binary_part(content: bytes, mimetype: str, policy: AnyPolicy) -> EmailMessage:
    """Return a part with *content*, in base64."""
    maintype, subtype, parameters = checked_type(mimetype)
    part = _part(f"{maintype}/{subtype}", parameters, policy)
    _set_content(part, content, "base64")
    return part


def message_part(content: AnyMessage | bytes, mimetype: str, policy: AnyPolicy) -> EmailMessage:
    """
    Return a part that is a whole message. It is not encoded: RFC 2046 section 5.2.1 does not allow that.

    Args:
        content: A message, of which a copy is taken, or the bytes of one; their headers are kept as they are.
        mimetype: Such as ``message/rfc822``.
    """
    maintype, subtype, parameters = checked_type(mimetype)
    if isinstance(content, Message):
        message: AnyMessage = copy.deepcopy(content)
    else:
        message = message_from_bytes(content, policy=policy)
    keep_headers(message)
    part = _part(f"{maintype}/{subtype}", parameters, policy)
    part.set_payload([message])
    return part


def multipart(subtype: str, parts: Sequence[AnyMessage], policy: AnyPolicy) -> EmailMessage:
    """Return a part that has *parts*."""
    # Nobody can guess it and put it into a body; `=_` does not occur in quoted-printable or base64 besides.
    boundary = f"=_{secrets.token_hex(16)}"
    whole = _part(f"multipart/{subtype}", [("boundary", boundary)], policy)
    whole.set_payload(list(parts))
    return whole


def set_disposition(part: AnyMessage, filename: object) -> None:
    """
    Say that *part* is an attachment, and how the file is called, if it has a name.

    Raises:
        ValueError: There is a line break in the name.
    """
    pieces = [Piece("", "attachment")]
    if filename:
        pieces += _file_name(header_text(filename, name="Content-Disposition"))
    write_header(part, "Content-Disposition", pieces)


def transfer_encoding(data: bytes, is_like_ascii: bool, policy: AnyPolicy) -> str:
    """
    Return how to encode the bytes of a text: not at all if that is possible, else by what is shorter.

    Args:
        is_like_ascii: A byte below 128 stands for the character that it is in ASCII.
    """
    if not is_like_ascii or b"\r" in data:
        return "base64"  # quoted-printable takes 0A and 0D for line ends
    is_short = max(map(len, data.split(b"\n"))) <= LONGEST_LINE
    if is_short and b"\0" not in data:
        if data.isascii():
            return "7bit"
        if policy.cte_type == "8bit":
            return "8bit"
    is_qp_shorter = len(quoted_printable(data)) <= (len(data) + 2) // 3 * 4 * 77 // 76
    return "quoted-printable" if is_qp_shorter else "base64"


def quoted_printable(data: bytes) -> bytes:
    """
    Return *data*, lines with LF, in quoted-printable (RFC 2045 section 6.7), in lines of at most 76 characters.

    `binascii.b2a_qp` makes one of 77 now and then.
    """
    lines: list[bytes] = []
    for line in data.split(b"\n"):
        encoded = _NOT_QP.sub(lambda found: b"=%02X" % ord(found[0]), line)
        begin = 0
        while len(encoded) - begin > QP_LINE:
            end = begin + QP_LINE - 1
            equals = encoded.find(b"=", end - 2, end)  # not between it and its two digits
            end = end if equals < 0 else equals
            lines.append(encoded[begin:end] + b"=")
            begin = end
        lines.append(encoded[begin:])
    return b"\n".join(lines)


def _charset(encoding: str | Charset) -> tuple[str, str | None]:
    """Return the name of a charset that Python has, and how it wants to be encoded for transfer, if it says so."""
    if isinstance(encoding, Charset):
        name = str(encoding.get_output_charset())
        how = {QP: "quoted-printable", BASE64: "base64"}.get(encoding.body_encoding or 0)
    else:
        name, how = str.__str__(str(encoding)), None
    codecs.lookup(name)  # LookupError: unknown
    if not re.fullmatch(_WORD, name):
        raise ValueError(f"{name!r} is not the name of a charset")
    return name.lower(), how


def _part(mimetype: str, parameters: Iterable[tuple[str, str]], policy: AnyPolicy) -> EmailMessage:
    """Return an empty part of that type."""
    part = EmailMessage(policy=policy)
    pieces = [Piece("", mimetype)]
    for name, value in parameters:
        pieces += [Piece("", ";"), Piece(" ", f'{name}="{value}"')]
    write_header(part, "Content-Type", pieces)
    return part


def _set_content(part: AnyMessage, data: bytes, how: str) -> None:
    """Give *part* its content, encoded for transfer. A payload is text with LF, with surrogates for 8-bit bytes."""
    if how == "base64":
        lines = [data[at : at + BASE64_BYTES] for at in range(0, len(data), BASE64_BYTES)]
        data = b"".join(binascii.b2a_base64(line) for line in lines)
    elif how == "quoted-printable":
        data = quoted_printable(data)
    write_header(part, "Content-Transfer-Encoding", [Piece("", how)])
    part.set_payload(data.decode("ascii", "surrogateescape"))


def _file_name(name: str) -> list[Piece]:
    """Return the pieces of a file name: in quotes, or percent-encoded and in sections if it is long (RFC 2231)."""
    if _PLAIN_FILENAME.fullmatch(name):
        return [Piece("", ";"), Piece(" ", f'filename="{name}"')]
    encoded = quote(name, safe="")
    if len(encoded) <= LINE_LENGTH - len(" filename*=utf-8'';"):
        return [Piece("", ";"), Piece(" ", f"filename*=utf-8''{encoded}")]
    sections = re.findall(r"(?:%..|[^%]){1,18}", encoded)
    pieces: list[Piece] = []
    for number, section in enumerate(sections):
        charset = "utf-8''" if number == 0 else ""
        pieces += [Piece("", ";"), Piece(" ", f"filename*{number}*={charset}{section}")]
    return pieces
