"""Writes messages to a stream."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any, TextIO

from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.message import EmailMessage

__all__ = ["EmailBackend"]

SEPARATOR = "-" * 79


class EmailBackend(BaseEmailBackend):
    """
    Writes messages to *stream*, each with a line of dashes after it.

    Args:
        stream: Where to; stdout, as it is when a message is sent, if None.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        stream: TextIO | None = None,
        alias: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fail_silently=fail_silently, alias=alias, **options)
        self.stream = stream
        self._lock = threading.RLock()

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        count = 0
        with self._lock:
            for message in email_messages:
                text = shown(message)
                try:
                    self._write(text)
                except (OSError, ValueError):  # ValueError: it is closed
                    if not self.fail_silently:
                        raise
                else:
                    count += 1
        return count

    def _write(self, text: str) -> None:
        stream = sys.stdout if self.stream is None else self.stream
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def shown(message: EmailMessage) -> str:
    """Return *message* as it can be read, with SEPARATOR after it."""
    content = message.message()
    charset = str(content.get_content_charset("utf-8"))
    return f"{content.as_bytes().decode(charset, 'backslashreplace')}\n{SEPARATOR}\n"
