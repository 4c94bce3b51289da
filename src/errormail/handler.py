"""logging's door: a record becomes an email to ADMINS, or waits to be shown in one. Django's handler and filters, by their names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from errormail import conf, reporter
from errormail._addresses import to_strings
from errormail._dotted import import_dotted
from errormail.exceptions import ImproperlyConfigured
from errormail.reporter import Failure, Overrides, SettingsSource, tail

if TYPE_CHECKING:
    from errormail.mail import EmailMultiAlternatives
    from errormail.mail.backends.base import BaseEmailBackend
    from errormail.report.model import Report

__all__ = [
    "AdminEmailHandler",
    "CallbackFilter",
    "LogTailHandler",
    "RequireDebugFalse",
    "RequireDebugTrue",
]

_SENDING: ContextVar[EmailMultiAlternatives | None] = ContextVar("errormail.sending", default=None)


class _Unlocked(logging.Handler):
    """A handler whose `emit` shares nothing, and runs foreign code (repr) that no lock may wait for."""

    def createLock(self) -> None:  # noqa: N802 -- logging's name
        """Make none."""
        self.lock: Any = None  # a Lock or an RLock, by the version of the stubs

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit *record* unless a filter stops it."""
        # As logging.Handler does, which takes the lock without asking whether there is one from Python 3.13 on.
        passed = cast("object", self.filter(record))  # a record from Python 3.12 on
        if isinstance(passed, logging.LogRecord):
            record = passed
        if passed:
            self.emit(record)
        return bool(passed)


class AdminEmailHandler(_Unlocked):
    """
    Mail each record to ADMINS, while DEBUG is off: with the exception's traceback, the request at hand, the record's fields.

    Settings are looked up when a record comes, so it can be made before `errormail.configure()` is called. A record
    does not wait for the mail server unless DELIVERY is "sync", and no error of delivery comes out of logging.

    Args:
        include_html: Whether the email has an HTML part beside the text.
        email_backend: Dotted path of a backend, in place of EMAIL_BACKEND.
        reporter_class: Class, or its dotted path, in place of DEFAULT_EXCEPTION_REPORTER.
        using: An alias of MAILERS.
        admins: Recipients, in the shapes of ADMINS and in its place.
        subject_prefix: In place of EMAIL_SUBJECT_PREFIX.
        sections: Callables, or their dotted paths, that add sections to the report, beside those of SECTIONS.
        settings: In place of the process-wide settings.
        level: As of `logging.Handler`.

    Raises:
        ImproperlyConfigured: *admins* has an address that is none, or *reporter_class* or one of *sections* cannot be
            imported.
        TypeError: Both *email_backend* and *using* are given.
    """

    def __init__(
        self,
        include_html: bool = True,
        email_backend: str | None = None,
        reporter_class: type | str | None = None,
        using: str | None = None,
        *,
        admins: Sequence[str | tuple[str, str]] | None = None,
        subject_prefix: str | None = None,
        sections: Sequence[str | Callable[[Report], object]] = (),
        settings: SettingsSource = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        if email_backend is not None and using is not None:
            raise TypeError("email_backend and using: expected at most one, got both")
        self.include_html = include_html
        self.email_backend = email_backend
        self.using = using
        self.reporter_class: type | None = _loaded(reporter_class)
        self.admins: list[str] | None = None if admins is None else _checked_addresses(admins)
        self.subject_prefix = subject_prefix
        self.sections: tuple[Callable[[Report], object], ...] = reporter.checked_sections(sections)
        self.settings = settings

    def emit(self, record: logging.LogRecord) -> None:
        """Report *record*. Never raises."""
        # QueueListener and MemoryHandler do not look at the level of the handler behind them.
        if record.levelno >= self.level:
            try:
                reporter.report(
                    Failure(record=record, level=record.levelname),
                    settings=self.settings,
                    overrides=self._overrides(),
                )
            except (
                RecursionError
            ):  # no room even for this call: who handles it further out may log it
                return

    def send_mail(
        self,
        subject: str,
        message: str,
        *args: object,
        html_message: str | None = None,
        **kwargs: object,
    ) -> None:
        """
        Send the email of a record, as `errormail.mail.mail_admins` does.

        Called only where a subclass overrides it, which may call this one: by the thread that delivers, with the
        subject without its prefix.
        """
        from errormail.mail import EmailMultiAlternatives

        composed = _SENDING.get()
        to = reporter.destination(reporter.resolve_settings(self.settings), self._overrides())
        email = EmailMultiAlternatives(
            subject=f"{to.subject_prefix}{subject}",
            body=message,
            from_email=to.sender,
            to=to.recipients if composed is None else composed.to,
            headers={} if composed is None else composed.extra_headers,
            connection=self.connection(),
        )
        if html_message:
            email.attach_alternative(html_message, "text/html")
        email.send()

    def connection(self) -> BaseEmailBackend:
        """Return the backend that this handler sends with."""
        from errormail.mail import get_connection, mailers

        return get_connection(self.email_backend) if self.using is None else mailers[self.using]

    def format_subject(self, subject: str) -> str:
        r"""Return *subject*, which comes without its prefix, with CR and LF as ``\r`` and ``\n``. To be overridden."""
        return subject.replace("\n", "\\n").replace("\r", "\\r")

    def _overrides(self) -> Overrides:
        return Overrides(
            admins=self.admins,
            subject_prefix=self.subject_prefix,
            using=self.using,
            email_backend=self.email_backend,
            include_html=self.include_html,
            reporter_class=self.reporter_class,
            sections=self.sections,
            format_record=None if self.formatter is None else self.format,
            format_subject=self.format_subject
            if self._overrides_method("format_subject")
            else None,
            send_mail=self._send if self._overrides_method("send_mail") else None,
        )

    def _overrides_method(self, name: str) -> bool:
        function = getattr(getattr(self, name), "__func__", None)
        return function is not AdminEmailHandler.__dict__[name]

    def _send(self, email: EmailMultiAlternatives) -> None:
        """Let a subclass's ``send_mail`` send what was composed."""
        prefix = self.subject_prefix
        if prefix is None:
            prefix = reporter.resolve_settings(self.settings).EMAIL_SUBJECT_PREFIX
        html = [each.content for each in email.alternatives if each.mimetype == "text/html"]
        token = _SENDING.set(email)
        try:
            self.send_mail(
                str(email.subject).removeprefix(prefix),
                email.body,
                html_message=str(html[0]) if html else None,
            )
        finally:
            _SENDING.reset(token)


class LogTailHandler(_Unlocked):
    """
    Keep the last records, for the reports of failures that come after them: at most 50, and 32 kB of messages.

    They are kept per request (inside a middleware of errormail), else per asyncio task, else per thread, and shown in a
    report that is made there. On whichever loggers it is, and however often, all handlers of this class keep the same.

    Args:
        level: As of `logging.Handler`.
    """

    def __init__(self, level: int | str = logging.INFO) -> None:
        super().__init__(level)

    def handle(self, record: logging.LogRecord) -> bool:
        """Keep *record* unless a filter stops it."""
        if self.filters:
            return super().handle(record)
        self.emit(record)  # the usual case, called for every record of a program
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Keep *record*. Never raises."""
        # As above: some callers do not look at the level.
        if record.levelno >= self.level:
            tail.keep(record)


class RequireDebugFalse(logging.Filter):
    """Lets records through while DEBUG is off."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not conf.settings.DEBUG


class RequireDebugTrue(logging.Filter):
    """Lets records through while DEBUG is on."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(conf.settings.DEBUG)


class CallbackFilter(logging.Filter):
    """Lets records through for which *callback* returns something true."""

    def __init__(self, callback: Callable[[logging.LogRecord], object]) -> None:
        super().__init__()
        self.callback = callback

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(self.callback(record))


def _checked_addresses(admins: Sequence[str | tuple[str, str]]) -> list[str]:
    try:
        return to_strings(admins)
    except ValueError as error:
        raise ImproperlyConfigured(f"admins: {error}") from error


def _loaded(given: type | str | None) -> type | None:
    if given is None or isinstance(given, type):
        return given
    try:
        found = import_dotted(given)
    except ValueError as error:
        raise ImproperlyConfigured(f"reporter_class: {given!r} does not import: {error}") from error
    if not isinstance(found, type):
        raise ImproperlyConfigured(f"reporter_class: expected a class, {given!r} is none")
    return found
