"""
A failure becomes a Job: its group, its request, its Report, and what a reporter class of the user makes of it.

Loaded at the first failure. A ladder, not an empty result: full report → report without values → plain traceback → one
line with the type.
"""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from errormail._contain import contained
from errormail.conf import Settings
from errormail.delivery.gate import Gate
from errormail.delivery.job import Destination, Job
from errormail.report import debug
from errormail.report.capture import capture
from errormail.report.fingerprint import fingerprint_exception, fingerprint_record
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import Report, Runtime
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.request import RequestSource, capture_request
from errormail.report.subject import subject_line
from errormail.reporter.scope import current_context, current_scope

if TYPE_CHECKING:
    from errormail.reporter import Failure, Overrides

__all__ = ["assemble"]

WITHOUT_VALUES = replace(DEFAULT_LIMITS, variables=0, fields=0)
_UNKNOWN = "0" * 12

_GATE = Gate(time.time())


def assemble(failure: Failure, to: Destination, overrides: Overrides) -> Job:
    """Return the job of *failure*. Runs in the thread of the failure; what the program's objects do is contained."""
    now = time.time()
    request = _request_of(failure)
    fingerprint = _fingerprint(failure)
    report = (
        _captured(failure, to.settings, request, fingerprint, now, DEFAULT_LIMITS)
        or _captured(failure, to.settings, request, fingerprint, now, WITHOUT_VALUES)
        or _plain(failure, fingerprint, now)
    )
    return Job(
        report=report,
        destination=to,
        frequency=_GATE.admit(fingerprint, now),
        preface=_preface(failure, overrides),
        rendered=_rendered(failure, report, overrides, request),
        subject=_subject(report, to, overrides),
        send=overrides.send_mail,
    )


def _request_of(failure: Failure) -> object | None:
    """Return what the door gave, what the record carries, or the request at hand: the first that there is."""
    scope = current_scope()
    given = failure.request
    if given is None and failure.record is not None:
        given = failure.record.__dict__.get("request")
    if scope is None:
        return given
    source = None
    with contained("request at hand"):
        source = scope.source()
    if source is None or given is None:
        return given if source is None else source
    # The middleware knows the body and the time, the object the user: both, if they are of the same request.
    return replace(source, request=given) if _same(given, source.request) else given


def _same(given: object, environ: object) -> bool:
    """Return whether *given* is a request made of the WSGI *environ*, or of a copy of it: they share the body."""
    if not isinstance(environ, Mapping):
        return False
    own: object = given
    if not isinstance(given, Mapping):
        try:
            own = getattr(given, "environ", None)  # an attribute everywhere but in proxies
        except BaseException:  # noqa: BLE001 -- a proxy that is bound to nothing, a property that fails
            return False
    if not isinstance(own, Mapping):
        return False
    ours = cast("Mapping[object, object]", environ).get("wsgi.input")
    return ours is not None and cast("Mapping[object, object]", own).get("wsgi.input") is ours


def _fingerprint(failure: Failure) -> str:
    with contained("fingerprint"):
        if failure.exc is not None:
            return fingerprint_exception(failure.exc)
        if failure.record is not None:
            return fingerprint_record(failure.record)
        return fingerprint_record(logging.makeLogRecord({"name": "", "msg": failure.message}))
    return _UNKNOWN


def _captured(
    failure: Failure,
    settings: Settings,
    request: object | None,
    fingerprint: str,
    now: float,
    limits: Limits,
) -> Report | None:
    with contained("capture"):
        options = debug.filter_options(request)
        redactor = options.redactor.with_names([settings.SESSION_COOKIE_NAME])
        captured = None
        if request is not None:
            captured = capture_request(
                request,
                redactor=redactor,
                limits=limits,
                internal_ips=settings.INTERNAL_IPS,
                declared=options.declared,
            )
        if captured is not None:
            redactor = captured.redactor
        report = capture(
            exc=failure.exc,
            record=failure.record,
            request=None if captured is None else captured.request,
            redactor=redactor,
            message=failure.message,
            level=failure.level,
            context={**current_context(failure.exc), **(failure.context or {})},
            service=settings.SERVICE,
            environment=settings.ENVIRONMENT,
            release=settings.RELEASE,
            fingerprint=fingerprint,
            now=now,
            declared=options.declared,
            limits=limits,
            frame_variables=options.frame_variables,
        )
        return options.finish(report, redactor)
    return None


def _plain(failure: Failure, fingerprint: str, now: float) -> Report:
    """Return a report without anything of ours in it that could fail again: the traceback as Python prints it."""
    text = ""
    with contained("plain traceback"):
        if failure.exc is not None:
            text = "".join(traceback.format_exception(failure.exc))
            text = DEFAULT_REDACTOR.text(text[-DEFAULT_LIMITS.stack_chars :])
    name = type(failure.exc).__name__ if failure.exc is not None else failure.level
    return Report(
        exception=None,
        message=name,
        level=failure.level,
        logger=failure.record.name if failure.record is not None else "",
        call_site="",
        stack=text,
        extra=(),
        context=(),
        request=None,
        runtime=Runtime(
            host="", pid=os.getpid(), process="", thread="", task="", python="", platform=""
        ),
        service="",
        environment="",
        release="",
        occurred_at=now,
        fingerprint=fingerprint,
        notes=("errormail could not make the report of this failure: this is what is left",),
    )


def _preface(failure: Failure, overrides: Overrides) -> str:
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
    return DEFAULT_REDACTOR.text(text[: DEFAULT_LIMITS.stack_chars])


def _rendered(
    failure: Failure, report: Report, overrides: Overrides, request: object | None
) -> tuple[str, str | None] | None:
    """Return text and HTML of a reporter class that is not ours, None where there is none."""
    asked = request.request if isinstance(request, RequestSource) else request
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
        return reporter.get_traceback_text(), html
    return None


def _subject(report: Report, to: Destination, overrides: Overrides) -> str | None:
    """Return the subject that an overridden ``format_subject`` makes, None where it is not overridden."""
    if overrides.format_subject is None:
        return None
    with contained("format_subject"):
        return to.subject_prefix + overrides.format_subject(subject_line(report))
    return None
