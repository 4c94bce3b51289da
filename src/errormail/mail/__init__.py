"""
Sending mail: the interface of `django.core.mail`, without Django. Usable alone.

    from errormail.mail import send_mail

    send_mail("Your order", "It is on its way.", None, ["jane@example.com"])
"""

from __future__ import annotations

from errormail.exceptions import InvalidMailer, MailerDoesNotExist
from errormail.mail.connections import get_connection, mailers
from errormail.mail.message import (
    DEFAULT_ATTACHMENT_MIME_TYPE,
    BadHeaderError,
    EmailAlternative,
    EmailAttachment,
    EmailMessage,
    EmailMultiAlternatives,
)
from errormail.mail.shortcuts import mail_admins, mail_managers, send_mail, send_mass_mail
from errormail.mail.utils import DNS_NAME, make_msgid

__all__ = [
    "DEFAULT_ATTACHMENT_MIME_TYPE",
    "DNS_NAME",
    "BadHeaderError",
    "EmailAlternative",
    "EmailAttachment",
    "EmailMessage",
    "EmailMultiAlternatives",
    "InvalidMailer",
    "MailerDoesNotExist",
    "get_connection",
    "mail_admins",
    "mail_managers",
    "mailers",
    "make_msgid",
    "outbox",
    "send_mail",
    "send_mass_mail",
]

outbox: list[EmailMessage] = []
"""What the locmem backend was given. Tests may put another list here."""
