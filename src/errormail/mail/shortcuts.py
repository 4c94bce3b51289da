"""The functions most programs need: one message, several, one to those who run the program."""

from __future__ import annotations

from collections.abc import Iterable

from errormail._addresses import to_strings
from errormail.conf import settings
from errormail.exceptions import ImproperlyConfigured
from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.connections import choose_connection, refuse_mixture
from errormail.mail.message import EmailMessage, EmailMultiAlternatives

__all__ = ["mail_admins", "mail_managers", "send_mail", "send_mass_mail"]


def send_mail(
    subject: str,
    message: str,
    from_email: str | None,
    recipient_list: Iterable[str] | None,
    fail_silently: bool = False,
    auth_user: str | None = None,
    auth_password: str | None = None,
    connection: BaseEmailBackend | None = None,
    html_message: str | None = None,
    *,
    using: str | None = None,
) -> int:
    """
    Send one message to *recipient_list*, who all see each other; return how many were sent, 0 or 1.

    Args:
        from_email: The sender; DEFAULT_FROM_EMAIL if None or empty.
        fail_silently: Swallow what goes wrong in delivery.
        auth_user, auth_password: For a login, in place of what the settings say.
        connection: The backend that sends it.
        html_message: The same in HTML.
        using: Alias of a mailer in MAILERS; goes with none of *connection*, *fail_silently* and the login.

    Raises:
        TypeError: Arguments that exclude each other.
        ValueError: A header or an address that is none.
        smtplib.SMTPException, OSError: What went wrong in delivery.
    """
    refuse_mixture(
        connection,
        using=using,
        fail_silently=fail_silently,
        auth_user=auth_user,
        auth_password=auth_password,
    )
    email = EmailMultiAlternatives(subject, message, from_email, recipient_list)
    if html_message:
        email.attach_alternative(html_message, "text/html")
    if not email.recipients():
        return 0
    email.connection = choose_connection(
        connection,
        using=using,
        fail_silently=fail_silently,
        auth_user=auth_user,
        auth_password=auth_password,
    )
    return email.send()


def send_mass_mail(
    datatuple: Iterable[tuple[str, str, str | None, Iterable[str]]],
    fail_silently: bool = False,
    auth_user: str | None = None,
    auth_password: str | None = None,
    connection: BaseEmailBackend | None = None,
    *,
    using: str | None = None,
) -> int:
    """
    Send several messages over one connection; return how many were sent.

    Args:
        datatuple: Subject, text, sender and recipients of each.

    The other arguments, and what is raised: see `send_mail`.
    """
    chosen = choose_connection(
        connection,
        using=using,
        fail_silently=fail_silently,
        auth_user=auth_user,
        auth_password=auth_password,
    )
    messages = [
        EmailMessage(subject, text, sender, recipients, connection=chosen)
        for subject, text, sender, recipients in datatuple
    ]
    return chosen.send_messages(messages) or 0


def mail_admins(
    subject: str,
    message: str,
    fail_silently: bool = False,
    connection: BaseEmailBackend | None = None,
    html_message: str | None = None,
    *,
    using: str | None = None,
) -> None:
    """
    Send a message to ADMINS, from SERVER_EMAIL, with EMAIL_SUBJECT_PREFIX before the subject.

    Raises:
        ImproperlyConfigured: ADMINS has another shape.

    The arguments, and what else is raised: see `send_mail`.
    """
    _mail_setting("ADMINS", subject, message, fail_silently, connection, html_message, using)


def mail_managers(
    subject: str,
    message: str,
    fail_silently: bool = False,
    connection: BaseEmailBackend | None = None,
    html_message: str | None = None,
    *,
    using: str | None = None,
) -> None:
    """Send a message to MANAGERS; otherwise see `mail_admins`."""
    _mail_setting("MANAGERS", subject, message, fail_silently, connection, html_message, using)


def _mail_setting(
    setting: str,
    subject: str,
    message: str,
    fail_silently: bool,
    connection: BaseEmailBackend | None,
    html_message: str | None,
    using: str | None,
) -> None:
    refuse_mixture(connection, using=using, fail_silently=fail_silently)
    entries = getattr(settings, setting)
    if not entries:
        return
    try:
        recipients = to_strings(entries)
    except ValueError as error:
        raise ImproperlyConfigured(f"{setting}: {error}") from error
    send_mail(
        f"{settings.EMAIL_SUBJECT_PREFIX}{subject}",
        message,
        settings.SERVER_EMAIL,
        recipients,
        fail_silently=fail_silently,
        connection=connection,
        html_message=html_message,
        using=using,
    )
