"""
Makes a Report of an exception or a log record, in the thread where it happened: frames and locals change afterwards.

Nothing in here raises, whatever the program's objects do, and no reference to a frame, an exception or a value outlives
the call. Where capture itself fails there is less in the report, and a note says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import FrameType

from errormail._contain import contained
from errormail.report.chain import bare_exception, capture_exception
from errormail.report.frames import FrameContext
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import CapturedException, Report, Request, Runtime, Variable
from errormail.report.objects import encodable, is_a, sequence_items
from errormail.report.records import CapturedRecord, capture_record, variables_of
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.runtime import capture_runtime
from errormail.report.source import Sources
from errormail.report.values import Budget

__all__ = ["capture"]

_NOWHERE = Runtime(host="", pid=0, process="", thread="", task="", python="", platform="")


def capture(
    *,
    exc: BaseException | None = None,
    record: logging.LogRecord | None = None,
    request: Request | None = None,
    redactor: Redactor = DEFAULT_REDACTOR,
    message: str = "",
    level: str = "ERROR",
    context: Mapping[str, object] | None = None,
    service: str = "",
    environment: str = "",
    release: str = "",
    fingerprint: str,
    now: float,
    declared: bool = True,
    limits: Limits = DEFAULT_LIMITS,
    frame_variables: Callable[[FrameType], Iterable[tuple[str, object]]] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """
    Return the Report of *exc*, of *record* (whose exception counts where *exc* is not given), or of *message*.

    Args:
        request: Captured already.
        redactor: Knows the secrets of the request.
        message: In place of the record's.
        level: Where there is no record.
        context: From ``errormail.context()`` and the like; shown by name.
        fingerprint: The group's.
        now: Unix time.
        declared: Whether what `sensitive_variables` says is honoured: while DEBUG is off.
        frame_variables: In place of a frame's locals: a filter of the program's own.
        clock: For the time that may be spent on values, in seconds.
    """
    budget = Budget(limits.seconds, clock)
    frames = FrameContext(
        limits=limits,
        redactor=redactor,
        budget=budget,
        sources=Sources(limits.source_bytes),
        declared=declared,
        variables=frame_variables,
    )
    notes: list[str] = []
    exc = exc if exc is not None else _exception_of(record)
    captured = _exception(exc, frames, notes) if exc is not None else None
    found = _record(record, frames, notes, with_exception=exc is not None) if record else None
    runtime = _NOWHERE
    with contained("runtime"):
        runtime = capture_runtime(record)
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
        notes=tuple(notes),
    )


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
        return capture_exception(exc, replace(context, limits=replace(context.limits, variables=0)))
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
