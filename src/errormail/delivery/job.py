"""What the reporter hands over to delivery: frozen values, no reference to the program that failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from errormail.conf import Settings
from errormail.report.model import Frequency, Report

if TYPE_CHECKING:
    from errormail.mail import EmailMultiAlternatives

__all__ = ["Destination", "Job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an email goes, and how."""

    settings: Settings
    """In force while the email is made and sent."""
    recipients: tuple[str, ...]
    """``"Name <address>"`` strings."""
    sender: str
    subject_prefix: str
    using: str | None = None
    """Alias of MAILERS."""
    email_backend: str | None = None
    """Dotted path of a backend, in place of EMAIL_BACKEND."""
    include_html: bool = True
    reason: str = ""
    """Why they get it, for the footer: "ops@example.com is in ADMINS of shop, production"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One email to make and to send."""

    report: Report
    destination: Destination
    frequency: Frequency | None = None
    preface: str = ""
    """The log record as the handler's own formatter shows it; stands before the text part."""
    rendered: tuple[str, str | None] | None = None
    """Text and HTML that a reporter class of the user made, in place of ours."""
    subject: str | None = None
    """In place of ours, with the prefix: what an overridden ``format_subject`` made."""
    send: Callable[[EmailMultiAlternatives], object] | None = None
    """An overridden ``AdminEmailHandler.send_mail``, in place of a connection."""
