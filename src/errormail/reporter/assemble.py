"""
A failure becomes a Job: its group, its request, its Report, and what a reporter class of the user makes of it.

Loaded at the first failure. A ladder, not an empty result: full report → report without values → plain traceback → one
line with the type.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from errormail._contain import contained
from errormail.conf import Settings
from errormail.delivery.gate import Gate
from errormail.delivery.job import Destination, Job
from errormail.report import debug
from errormail.report.capture import capture
from errormail.report.fingerprint import fingerprint_exception, fingerprint_record
from errormail.report.held import settings_redactor
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.log import Line, log_lines
from errormail.report.model import LogLine, Report
from errormail.report.options import CaptureOptions
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.redacted import redacted_report
from errormail.report.rendering.subject import subject_line
from errormail.report.request import capture_request
from errormail.reporter.deployment import deployment_of
from errormail.reporter.hooks import Hook, apply_before_send, with_sections
from errormail.reporter.plain import plain_report
from errormail.reporter.request import object_of, request_of
from errormail.reporter.scope import current_context
from errormail.reporter.tail import tail_at_hand

if TYPE_CHECKING:
    from errormail.reporter import Failure, Overrides

__all__ = ["assemble"]

WITHOUT_VALUES = replace(DEFAULT_LIMITS, variables=0, fields=0)
_UNKNOWN = "0" * 12

_GATE = Gate(time.time())


def assemble(failure: Failure, to: Destination, overrides: Overrides) -> Job | None:
    """
    Return the job of *failure*, None if BEFORE_SEND drops it.

    Runs in the thread of the failure; what the program's objects do is contained.
    """
    now = time.time()
    lines = _log_before(failure)
    request = request_of(failure)
    fingerprint = _fingerprint(failure, tuple(to.settings.IN_APP))
    facts = _Facts(
        failure=failure,
        settings=to.settings,
        request=request,
        lines=lines,
        sections=(*to.settings.SECTIONS, *overrides.sections),
        fingerprint=fingerprint,
        now=now,
    )
    captured = (
        _captured(facts, DEFAULT_LIMITS)
        or _captured(facts, WITHOUT_VALUES, "Values are missing: to capture them failed.")
        or _Captured(
            plain_report(failure, fingerprint, now, redactor := _redactor(to.settings)), redactor
        )
    )
    report = apply_before_send(
        captured.report,
        to.settings.BEFORE_SEND,
        lambda changed: redacted_report(changed, captured.redactor),
    )
    if report is None:
        return None
    return Job(
        report=report,
        destination=to,
        frequency=_GATE.admit(fingerprint, now),
        preface=_preface(failure, overrides, captured.redactor),
        rendered=_rendered(failure, report, overrides, request, captured.redactor),
        subject=_subject(report, to, overrides),
        send=overrides.send_mail,
    )


def _fingerprint(failure: Failure, in_app: tuple[str, ...]) -> str:
    with contained("fingerprint"):
        if failure.exc is not None:
            return fingerprint_exception(failure.exc, in_app)
        if failure.record is not None:
            return fingerprint_record(failure.record, in_app)
        return fingerprint_record(logging.makeLogRecord({"name": "", "msg": failure.message}))
    return _UNKNOWN


def _log_before(failure: Failure) -> tuple[list[Line], int]:
    with contained("log tail"):
        return tail_at_hand().before(failure.record)
    return [], 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a report is made of."""

    failure: Failure
    settings: Settings
    request: object | None
    lines: tuple[list[Line], int]
    """Of the log before the failure, and how many there were before those."""
    sections: tuple[Hook, ...]
    fingerprint: str
    now: float


class _Captured(NamedTuple):
    report: Report
    redactor: Redactor
    """That of its request."""


def _captured(facts: _Facts, limits: Limits, *notes: str) -> _Captured | None:
    failure, settings = facts.failure, facts.settings
    limits = replace(limits, seconds=settings.VALUES_TIMEOUT)
    with contained("capture"):
        own = debug.filter_options(facts.request)
        redactor = settings_redactor(settings, own.redactor)
        captured = None
        if facts.request is not None:
            captured = capture_request(
                facts.request,
                redactor=redactor,
                limits=limits,
                internal_ips=settings.INTERNAL_IPS,
                trusted_proxies=settings.TRUSTED_PROXIES,
                declared=own.declared,
            )
        if captured is not None:
            redactor = captured.redactor
        environment, release = deployment_of(settings)
        lines, omitted = facts.lines
        log: tuple[LogLine, ...] = ()
        with contained("log before"):
            log = log_lines(lines, redactor, limits)
        report = capture(
            exc=failure.exc,
            record=failure.record,
            request=None if captured is None else captured.request,
            redactor=redactor,
            options=CaptureOptions(
                limits=limits,
                declared=own.declared,
                frame_variables=own.frame_variables,
                in_app=tuple(settings.IN_APP),
                library_locals=settings.LIBRARY_LOCALS,
                source_url=settings.SOURCE_URL,
            ),
            message=failure.message,
            level=failure.level,
            context={**current_context(failure.exc), **(failure.context or {})},
            service=settings.SERVICE,
            environment=environment,
            release=release,
            log=log,
            log_omitted=omitted + len(lines) - len(log),
            fingerprint=facts.fingerprint,
            now=facts.now,
        )
        report = replace(report, notes=(*notes, *report.notes)) if notes else report
        with contained("sections"):
            report = with_sections(report, facts.sections, redactor=redactor, limits=limits)
        return _Captured(own.finish(report, redactor), redactor)
    return None


def _redactor(settings: Settings) -> Redactor:
    with contained("secrets"):
        return settings_redactor(settings)
    return DEFAULT_REDACTOR


def _preface(failure: Failure, overrides: Overrides, redactor: Redactor) -> str:
    """Return the record as the handler's own formatter shows it, "" where there is none."""
    record = failure.record
    if record is None or overrides.format_record is None:
        return ""
    # The traceback stands in the report. A copy, since other handlers get the same record.
    plain = logging.makeLogRecord(record.__dict__)
    plain.exc_info = plain.exc_text = plain.stack_info = None
    try:
        text = overrides.format_record(plain)
    except BaseException:  # noqa: BLE001 -- a foreign formatter, arguments that do not fit
        return ""
    return redactor.bounded(text, DEFAULT_LIMITS.stack_chars)


def _rendered(
    failure: Failure,
    report: Report,
    overrides: Overrides,
    request: object | None,
    redactor: Redactor,
) -> tuple[str, str | None] | None:
    """Return text and HTML of a reporter class that is not ours, None where there is none."""
    asked = object_of(request)
    with contained("reporter class"):
        cls = overrides.reporter_class or debug.get_exception_reporter_class(asked)
        if cls is debug.ExceptionReporter:
            return None
        exc = failure.exc
        if exc is None:
            # As Django does: the message stands in place of an exception.
            reporter = cls(asked, None, report.message, None, is_email=True)
        else:
            reporter = cls(asked, type(exc), exc, exc.__traceback__, is_email=True)
        html = reporter.get_traceback_html() if overrides.include_html else None
        text = redactor.text(reporter.get_traceback_text())
        return text, None if html is None else redactor.markup(html)
    return None


def _subject(report: Report, to: Destination, overrides: Overrides) -> str | None:
    """Return the subject that an overridden ``format_subject`` makes, None where it is not overridden."""
    if overrides.format_subject is None:
        return None
    with contained("format_subject"):
        return to.subject_prefix + overrides.format_subject(subject_line(report))
    return None
