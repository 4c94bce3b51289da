"""Throws messages away."""

from __future__ import annotations

from collections.abc import Iterable

from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.message import EmailMessage

__all__ = ["EmailBackend"]


class EmailBackend(BaseEmailBackend):
    """Counts messages."""

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        return len(list(email_messages))
