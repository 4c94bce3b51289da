"""Who logged a record that has no exception: the frames of its thread, from the outermost one to the call of the logger."""

from __future__ import annotations

import logging
import sys
from types import FrameType

from errormail.report.model import Elision, Frame
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.frames import capture_entries
from errormail.report.tracebacks.walk import walk_back

__all__ = ["capture_calls"]

SEARCHED = 200
"""Frames between here and who logged: of logging, of the program's own handlers, of errormail."""


def capture_calls(record: logging.LogRecord, context: FrameContext) -> tuple[Frame | Elision, ...]:
    """
    Return the frames of whoever logged *record*, outermost first; () below ERROR and where it was logged elsewhere.

    That is the case behind a QueueListener: the place that the record names is not in the stack of its thread.
    """
    levelno: object = vars(record).get("levelno")
    if type(levelno) is not int or levelno < logging.ERROR:
        return ()
    frame = _frame_of(record)
    if frame is None:
        return ()
    return capture_entries(walk_back(frame, context.limits.walked_frames), context)


def _frame_of(record: logging.LogRecord) -> FrameType | None:
    """Return the frame that stands where *record* says that it was logged."""
    known = vars(record)
    place = (known.get("pathname"), known.get("lineno"), known.get("funcName"))
    if not all(type(each) in {str, int} for each in place):
        return None
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- as logging itself does  # pyright: ignore[reportPrivateUsage]
    for _ in range(SEARCHED):
        if frame is None:
            return None
        code = frame.f_code
        if (code.co_filename, frame.f_lineno, code.co_name) == place:
            return frame
        frame = frame.f_back
    return None
