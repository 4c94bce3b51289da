"""What a report is captured with: the settings of the program as plain values, and what its own filter asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType

from errormail.report.limits import DEFAULT_LIMITS, Limits

__all__ = ["DEFAULT_OPTIONS", "CaptureOptions", "FrameVariables"]

FrameVariables = Callable[[FrameType], Iterable[tuple[str, object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOptions:
    """How one report is captured."""

    limits: Limits = DEFAULT_LIMITS
    declared: bool = True
    """Whether what `sensitive_variables` says is honoured: while DEBUG is off."""
    frame_variables: FrameVariables | None = None
    """In place of a frame's locals: a filter of the program's own."""
    in_app: tuple[str, ...] = ()
    """IN_APP: what counts as the application's code, and, with "!" in front, what does not."""
    library_locals: bool = False
    """LIBRARY_LOCALS: the locals of frames of libraries, too."""
    source_url: str = ""
    """SOURCE_URL, with {path}, {line} and {release}."""
    clock: Callable[[], float] = time.monotonic
    """For the time that may be spent on values, in seconds."""


DEFAULT_OPTIONS = CaptureOptions()
