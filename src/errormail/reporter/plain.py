"""The report of last resort: the places of a traceback and one line, with nothing in it of ours that could fail again."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from errormail._contain import contained
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import Report, Runtime
from errormail.report.objects import exact_str, traceback_of, type_name
from errormail.report.redact import Redactor
from errormail.report.values.leaves import safe_str

if TYPE_CHECKING:
    from errormail.reporter import Failure

__all__ = ["plain_report"]

FRAMES = 50
"""The innermost ones."""


def plain_report(failure: Failure, fingerprint: str, now: float, redactor: Redactor) -> Report:
    """
    Return what can be said of *failure* without looking into anything: no values, no source, no causes.

    Not made by `traceback`: that reads whatever a frame calls its source, and walks members of groups without a bound.
    """
    text = ""
    with contained("plain traceback"):
        if failure.exc is not None:
            lines = redactor.bounded("\n".join(_lines(failure.exc)), DEFAULT_LIMITS.stack_chars)
            text = lines.encode("utf-8", "backslashreplace").decode()
    return Report(
        exception=None,
        message=type_name(type(failure.exc)) if failure.exc is not None else failure.level,
        level=failure.level,
        logger=exact_str(failure.record.name) if failure.record is not None else "",
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


def _lines(exc: BaseException) -> Iterator[str]:
    yield "Traceback (most recent call last):"
    last = deque[TracebackType](maxlen=FRAMES)
    count = 0
    tb = traceback_of(exc)
    while tb is not None:
        last.append(tb)
        count += 1
        tb = tb.tb_next
    if count > FRAMES:
        yield f"  [{count - FRAMES:,} frames not shown]"
    for each in last:
        code = each.tb_frame.f_code
        yield f'  File "{code.co_filename}", line {each.tb_lineno}, in {code.co_name}'
    message = safe_str(exc)[0][: DEFAULT_LIMITS.message_chars]
    name = type_name(type(exc))
    yield f"{name}: {message}" if message else name
