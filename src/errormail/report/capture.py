"""
Makes a Report of an exception or a log record, in the thread where it happened: frames and locals change afterwards.

Nothing in here raises, whatever the program's objects do, and no reference to a frame, an exception or a value outlives
the call. Where capture itself fails there is less in the report, and a note says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace

from errormail._contain import contained
from errormail.report import LOADED_AT
from errormail.report.model import (
    CapturedException,
    Elision,
    Frame,
    LogLine,
    Report,
    Request,
    Runtime,
    Variable,
)
from errormail.report.objects import encodable, is_a, sequence_items
from errormail.report.options import DEFAULT_OPTIONS, CaptureOptions
from errormail.report.packages import packages_of
from errormail.report.records import CapturedRecord, capture_record, variables_of
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.runtime import capture_runtime
from errormail.report.tracebacks.calls import capture_calls
from errormail.report.tracebacks.chain import bare_exception, capture_exception
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.source import Sources
from errormail.report.values import Budget

__all__ = ["capture"]

NAME_CHARS = 500

_NOWHERE = Runtime(host="", pid=0, process="", thread="", task="", python="", platform="")


def capture(
    *,
    exc: BaseException | None = None,
    record: logging.LogRecord | None = None,
    request: Request | None = None,
    redactor: Redactor = DEFAULT_REDACTOR,
    options: CaptureOptions = DEFAULT_OPTIONS,
    message: str = "",
    level: str = "ERROR",
    context: Mapping[str, object] | None = None,
    service: str = "",
    environment: str = "",
    release: str = "",
    log: tuple[LogLine, ...] = (),
    log_omitted: int = 0,
    fingerprint: str,
    now: float,
) -> Report:
    """
    Return the Report of *exc*, of *record* (whose exception counts where *exc* is not given), or of *message*.

    Args:
        request: Captured already.
        redactor: Knows the secrets of the request.
        message: In place of the record's.
        level: Where there is no record.
        context: From ``errormail.context()`` and the like; shown by name.
        log: What was logged before, redacted already.
        log_omitted: How many lines before those in *log* are known of.
        fingerprint: The group's.
        now: Unix time.
    """
    limits = options.limits
    budget = Budget(limits.seconds, options.clock)
    runtime = _NOWHERE
    with contained("runtime"):
        runtime = _told_of(capture_runtime(record), redactor)
    service, environment, release = (
        _told(each, redactor) for each in (service, environment, release)
    )
    # A child that was forked later has the code of its parent.
    loaded_at = min(time.time() - (runtime.uptime or 0.0), LOADED_AT)
    frames = FrameContext(
        options=options,
        redactor=redactor,
        budget=budget,
        sources=Sources(limits.source_bytes, loaded_at),
        release=release,
    )
    notes: list[str] = []
    exc = exc if exc is not None else _exception_of(record)
    captured = _exception(exc, frames, notes) if exc is not None else None
    found = _record(record, frames, notes, with_exception=exc is not None) if record else None
    calls: tuple[Frame | Elision, ...] = ()
    if record is not None and exc is None and not (found and found.has_traceback):
        with contained("calls"):
            calls = capture_calls(record, frames)
    with contained("packages"):
        runtime = replace(runtime, packages=packages_of(captured, calls))
    shown: tuple[Variable, ...] = ()
    with contained("context"):
        fields = list((context or {}).items())
        shown = variables_of([*fields], limits=limits, redactor=redactor, budget=budget)
    if budget.exceeded:
        notes.append(
            f"Some values show as their type only: to look at all would take more than {limits.seconds:g} s."
        )
    text = encodable(redactor.bounded(message, limits.message_chars))
    return Report(
        exception=captured,
        message=text or (found.message if found else ""),
        level=found.level if found else level,
        logger=found.logger if found else "",
        call_site=found.call_site if found else "",
        stack=found.stack if found else "",
        extra=found.extra if found else (),
        context=shown,
        request=request,
        runtime=runtime,
        service=service,
        environment=environment,
        release=release,
        occurred_at=now,
        fingerprint=fingerprint,
        calls=calls,
        log=log,
        log_omitted=log_omitted,
        notes=tuple(notes),
    )


def _told_of(runtime: Runtime, redactor: Redactor) -> Runtime:
    """Return *runtime* with the names that the program gives redacted."""
    process, thread, task = (
        _told(each, redactor) for each in (runtime.process, runtime.thread, runtime.task)
    )
    return replace(runtime, process=process, thread=thread, task=task)


def _told(text: str, redactor: Redactor) -> str:
    # By far most are one word, "MainThread" or "production", and no secret is letters alone.
    return text if text.isalpha() else encodable(redactor.bounded(text, NAME_CHARS))


def _exception_of(record: logging.LogRecord | None) -> BaseException | None:
    """`exc_info` of a record is a triple, or what somebody put there."""
    if record is None:
        return None
    for value in (record.exc_info, *sequence_items(record.exc_info)):
        if is_a(value, BaseException):
            return value  # type: ignore[return-value]  # pyright: ignore[reportReturnType] -- is_a has seen to it
    return None


def _exception(exc: BaseException, context: FrameContext, notes: list[str]) -> CapturedException:
    with contained("capture"):
        return capture_exception(exc, context)
    notes.append("Local variables are missing: to capture them failed.")
    with contained("capture without variables"):
        without = replace(context.options, limits=replace(context.limits, variables=0))
        return capture_exception(exc, replace(context, options=without))
    notes[-1] = "Only the type of the exception is shown: to capture it failed."
    return bare_exception(exc)


def _record(
    record: logging.LogRecord, context: FrameContext, notes: list[str], *, with_exception: bool
) -> CapturedRecord | None:
    with contained("record"):
        return capture_record(
            record,
            with_exception=with_exception,
            limits=context.limits,
            redactor=context.redactor,
            budget=context.budget,
        )
    notes.append("The log record is missing: to capture it failed.")
    return None
