"""Sends messages to a mail server (RFC 5321)."""

from __future__ import annotations

import email.policy
import logging
import os
import re
import smtplib
import ssl
import threading
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from errormail._dotted import import_dotted
from errormail.conf import settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer
from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.backends.smtp_client import Client
from errormail.mail.backends.tls import context_for
from errormail.mail.headers import ascii_domain, envelope_address
from errormail.mail.message import EmailMessage
from errormail.mail.utils import DNS_NAME

__all__ = ["EmailBackend"]

_LOGGER = logging.getLogger("errormail.mail")
"""Its records are never mailed: see the guard of the reporter."""

PORT, STARTTLS_PORT, TLS_PORT = 25, 587, 465
"""RFC 5321, RFC 6409, RFC 8314."""

_NOT_YOURS = (501, 550, 553)
"""Replies to MAIL by servers that let a user send in his own name only."""
_LINE_END = re.compile(rb"\r\n|\r|\n")

Token = str | Callable[[], str]


class _Ready(NamedTuple):
    """A message as it is to be sent."""

    message: EmailMessage
    sender: str
    recipients: list[str]
