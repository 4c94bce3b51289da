"""Keeps messages in memory, for tests."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from errormail import mail
from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.headers import envelope_address
from errormail.mail.message import EmailMessage

__all__ = ["EmailBackend"]


class EmailBackend(BaseEmailBackend):
    """
    Puts copies of messages into `errormail.mail.outbox`, each with the attribute ``sent_using``: the alias of this mailer.

    All but the network happens: a message that SMTP could not send is refused here too.
    """

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        count = 0
        for message in email_messages:
            message.message().as_bytes()
            for address in (message.from_email, *message.recipients()):
                envelope_address(address)
            kept = copy.deepcopy(message)
            kept.sent_using = self.alias
            mail.outbox.append(kept)  # looked up each time: tests write `mail.outbox = []`
            count += 1
        return count
