"""
The way of a failure in the caller's thread: is it ours to report? → group → capture → hand over.

Every door calls `report`, which never raises. What is handed over is a `Report`: no reference to a frame, a request or
an exception outlives the call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from logging import LogRecord
from typing import TYPE_CHECKING, Union, cast

from errormail import conf
from errormail._addresses import parse_address, to_strings
from errormail._contain import contained, tell_once
from errormail.conf import Settings, checks
from errormail.delivery.job import Destination, Job
from errormail.delivery.worker import WORKER, sending
from errormail.exceptions import ImproperlyConfigured
from errormail.reporter.depth import has_room, on_a_fresh_stack
from errormail.reporter.ignore import Why, ignored_because, rules_of
from errormail.reporter.scope import Scope, current_scope
from errormail.reporter.seen import exception_of, is_own, mark, told

if TYPE_CHECKING:
    from errormail.mail import EmailMultiAlternatives
    from errormail.report.model import Report

__all__ = [
    "Failure",
    "Overrides",
    "SettingsSource",
    "checked_sections",
    "destination",
    "flush",
    "hand_over",
    "report",
    "report_exception",
    "resolve_settings",
]

SettingsSource = Union[Settings, Callable[[], Settings], None]  # noqa: UP007 -- | needs types, at run time
"""Which settings a door reports with: these, those that the callable returns, or the process-wide ones."""

_BUSY: ContextVar[bool] = ContextVar("errormail.busy", default=False)
"""A context variable, not a thread's: many greenlets can live in one thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a door tells of a failure: an exception, a log record, or a message alone."""

    exc: BaseException | None = None
    record: LogRecord | None = None
    request: object | None = None
    """In any shape that `errormail.report.request` understands; None: the request at hand, if there is one."""
    message: str = ""
    """Where there is no record."""
    level: str = "ERROR"
    context: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What one door has in place of the settings. The defaults change nothing."""

    admins: Sequence[str] | None = None
    place: str = "admins of a logging handler"
    """Where `admins` come from, for the footer."""
    subject_prefix: str | None = None
    using: str | None = None
    email_backend: str | None = None
    include_html: bool = True
    reporter_class: type | None = None
    sections: Sequence[Callable[[Report], object]] = ()
    """Beside those of SECTIONS."""
    format_record: Callable[[LogRecord], str] | None = None
    """Makes of the record what stands before the text part."""
    format_subject: Callable[[str], str] | None = None
    send_mail: Callable[[EmailMultiAlternatives], object] | None = None
    """Sends in place of a connection."""


NO_OVERRIDES = Overrides()


def report_exception(
    exc: BaseException | None = None, *, request: object | None = None, **context: object
) -> None:
    """
    Report *exc*, or the exception that is being handled. Never raises; without an exception it does nothing.

    Args:
        request: In any shape that docs/handler.md names; by default the request at hand.
        **context: Shown in the report.
    """
    if exc is None:
        exc = sys.exc_info()[1]
    if exc is not None:
        try:
            report(Failure(exc=exc, request=request, context=context))
        except (
            RecursionError
        ):  # no room even for this call: who handles it further out may report it
            return


def flush(timeout: float = 5.0) -> bool:
    """Wait until what was reported before is sent, at most *timeout* seconds; return whether nothing is left."""
    return WORKER.flush(timeout)


def report(
    failure: Failure, *, settings: SettingsSource = None, overrides: Overrides = NO_OVERRIDES
) -> bool:
    """
    Make an email of *failure*, unless it is not ours or somebody made one before. Never raises.

    Returns:
        Whether an email of it was sent, or waits, by this call.
    """
    # Whatever fails or logs while we report must not be reported: that would never end.
    if _BUSY.get() or sending():
        return False
    try:
        if not has_room():
            again = partial(report, failure, settings=settings, overrides=overrides)
            return on_a_fresh_stack(again)
    except RecursionError:  # not even to ask
        return False
    token = _BUSY.set(True)
    try:
        with contained("report"):
            return _report(failure, settings, overrides)
    finally:
        _BUSY.reset(token)
    return False


def resolve_settings(source: SettingsSource) -> Settings:
    """
    Return the settings that *source* means.

    Raises:
        ImproperlyConfigured: They are wrong.
    """
    if source is None:
        return conf.current()
    return source if isinstance(source, Settings) else source()


def destination(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> Destination:
    """
    Return where the email of a door goes, and how.

    Raises:
        ImproperlyConfigured: ADMINS has a wrong shape.
    """
    place = "ADMINS" if overrides.admins is None else overrides.place
    recipients = _admins(settings.ADMINS) if overrides.admins is None else overrides.admins
    prefix = overrides.subject_prefix
    return Destination(
        settings=settings,
        recipients=tuple(recipients),
        sender=settings.SERVER_EMAIL,
        subject_prefix=settings.EMAIL_SUBJECT_PREFIX if prefix is None else prefix,
        using=overrides.using,
        email_backend=overrides.email_backend,
        include_html=overrides.include_html,
        reason=_reason(recipients, place, settings),
    )


def checked_sections(
    sections: Sequence[str | Callable[[Report], object]],
) -> tuple[Callable[[Report], object], ...]:
    """
    Return the callables that the argument *sections* of a door means.

    Raises:
        ImproperlyConfigured: One of them is no callable, or its dotted path cannot be imported.
    """
    try:
        checked = checks.check_hooks([*sections] if isinstance(sections, tuple) else sections)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"sections: expected callables or their dotted paths: {error}"
        ) from error
    return tuple(cast("list[Callable[[Report], object]]", checked))


def hand_over(job: Job) -> bool:
    """Send *job*, now or in the background, as its settings say; return whether it is sent or waits. Never raises."""
    if job.destination.settings.DELIVERY == "sync":
        return WORKER.deliver_now(job)
    return WORKER.submit(job)


def _report(failure: Failure, source: SettingsSource, overrides: Overrides) -> bool:
    if failure.record is not None and is_own(failure.record):
        return False
    try:
        settings = resolve_settings(source)
        if settings.DEBUG:
            return False
        everybody = destination(settings, overrides)
    except ImproperlyConfigured as error:
        tell_once(f"no error mail: {error}")
        return False
    if not everybody.recipients and overrides.send_mail is None:
        return False
    if failure.exc is None and failure.record is not None:
        failure = replace(failure, exc=exception_of(failure.record))
    untold = _untold(failure, everybody)
    if untold is None or _is_ignored(failure, settings, untold):
        return False
    from errormail.reporter.assemble import assemble  # what only a failure needs, it loads

    with conf.using(settings):
        job = assemble(failure, untold.to, overrides)
    # Not before: at the bottom of a recursion there may be no room for us, but there is for who handles it further out.
    # Also where BEFORE_SEND has dropped it: who sees the same failure further out does not ask again.
    untold.note()
    return job is not None and hand_over(job)


def _is_ignored(failure: Failure, settings: Settings, untold: _Untold) -> bool:
    why: Why = ""
    with contained("ignore"):
        why = ignored_because(failure, rules_of(settings), lambda: _request(failure))
    if why == "exception":
        # As if it had been mailed: nobody mails it further out, as a traceback in text or as a response with status 500.
        untold.note()
    elif why == "callable" and failure.exc is not None and untold.scope is not None:
        untold.scope.reported = True
    return why != ""


def _request(failure: Failure) -> object | None:
    from errormail.reporter.request import object_of, request_of

    return object_of(request_of(failure))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Untold:
    """Who has not got an email of a failure."""

    to: Destination
    failures: tuple[BaseException | LogRecord, ...]
    """What carries the note."""
    addresses: frozenset[str]
    """With those who have got one before."""
    scope: Scope | None

    def note(self) -> None:
        """Note that they have one now."""
        number = 0 if self.scope is None else self.scope.number
        for each in self.failures:
            mark(each, number, self.addresses)
        if self.scope is not None:
            self.scope.reported = True


def _untold(failure: Failure, to: Destination) -> _Untold | None:
    """Return who of *to* has not got an email of *failure*; None if everybody has."""
    scope = current_scope()
    number = 0 if scope is None else scope.number
    # A record is looked at besides its exception: it may repeat as text what was reported as an exception.
    seen = tuple(each for each in (failure.exc, failure.record) if each is not None)
    already = frozenset[str]().union(*(told(each, number) for each in seen))
    keys = {_key(recipient): recipient for recipient in to.recipients}
    # An overridden send_mail decides on the recipients by itself: it counts as one.
    new = [key for key in keys or [""] if key not in already]
    if not new:
        if scope is not None:
            scope.reported = True
        return None
    return _Untold(
        to=replace(to, recipients=tuple(keys[key] for key in new if key in keys)),
        failures=seen,
        addresses=already.union(new),
        scope=scope,
    )


@lru_cache(maxsize=1_000)
def _key(recipient: str) -> str:
    return parse_address(recipient)[1].lower()


def _admins(entries: Sequence[str | tuple[str, str]]) -> list[str]:
    try:
        return to_strings(entries)
    except ValueError as error:  # only after override_settings(): configure() refuses it
        raise ImproperlyConfigured(f"ADMINS: {error}") from error


def _reason(recipients: Sequence[str], place: str, settings: Settings) -> str:
    names = ", ".join(parse_address(recipient)[1] for recipient in recipients)
    program = ", ".join(filter(None, (settings.SERVICE, settings.ENVIRONMENT)))
    verb = "is" if len(recipients) == 1 else "are"
    return f"{names} {verb} in {place}{f' of {program}' if program else ''}"
