"""A mail as the program of its reader has it: parsed, decoded, taken apart; and whether it is a valid one."""

from __future__ import annotations

import email
import email.policy
import gzip
import re
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser

HTML_BYTES = 90_000
SUBJECT_CHARS = 100
ONCE = {"Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "Content-Type"}
HEADERS = {
    *ONCE,
    *("Auto-Submitted", "X-Auto-Response-Suppress", "X-Errormail-Kind"),
    *("X-Errormail-Fingerprint", "X-Errormail-Occurrences"),
}
ATTACHMENTS = {"report.txt", "report.txt.gz", "report.json", "report.json.gz"}

# What a reader's screen must not get: control characters, bidi marks, lone surrogates, further line ends.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_VOID = {"br", "hr", "img", "meta", "link", "input", "col", "wbr"}
_ACTIVE = {"script", "iframe", "object", "embed", "form", "input", "img", "link", "svg", "base"}


@dataclass(frozen=True)
class Received:
    """One mail as it arrives."""

    raw: bytes
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._body("text/plain")

    @property
    def html(self) -> str:
        return self._body("text/html")

    @property
    def attachments(self) -> dict[str, bytes]:
        """By name, unpacked."""
        found = {}
        for part in self.message.walk():
            if part.get_content_disposition() == "attachment":
                content = part.get_payload(decode=True)
                name = str(part.get_filename())
                found[name] = gzip.decompress(content) if name.endswith(".gz") else content
        return found

    def _body(self, kind: str) -> str:
        (part,) = [
            part
            for part in self.message.walk()
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment"
        ]
        return part.get_payload(decode=True).decode("utf-8")


def received(sent) -> Received:
    """Return what arrives of a message that a backend was given."""
    return parsed(sent.message().as_bytes())


def parsed(raw: bytes) -> Received:
    return Received(raw, email.message_from_bytes(raw, policy=email.policy.default))


def assert_valid(mail: Received, *, to: str = "ops@example.com") -> None:
    """Fail unless every mail program can show *mail*, and it goes to nobody but *to*."""
    raw, message = mail.raw, mail.message
    assert raw.isascii()
    assert b"\0" not in raw
    assert max(map(len, raw.splitlines())) <= 998
    assert set(message.keys()) <= HEADERS, set(message.keys()) - HEADERS
    for name in ONCE:
        assert len(message.get_all(name, [])) == 1, name
    assert [address.addr_spec for address in message["To"].addresses] == [to]
    assert len(mail.subject) <= SUBJECT_CHARS
    for name, value in message.items():
        assert not value.defects, (name, value.defects)
        assert not UNSEEN.search(str(value)), name
        assert "\n" not in str(value), name
    for part in message.walk():
        assert not part.defects, part.defects
    assert set(mail.attachments) <= ATTACHMENTS
    assert not UNSEEN.search(mail.text)
    assert not UNSEEN.search(mail.html)
    assert len(mail.html.encode()) <= HTML_BYTES
    assert_inert(mail.html)


def assert_inert(html: str) -> None:
    """Fail unless each element is closed, and none of them loads, runs or sends anything."""
    parser = _Structure()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert parser.tags.isdisjoint(_ACTIVE), parser.tags & _ACTIVE
    assert not [name for name in parser.attributes if name.startswith("on") or name == "src"]


class _Structure(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = set()
        self.attributes = set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attributes)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open[-1] == tag, (self.open, tag)
        self.open.pop()
