"""What a report is captured with: the settings of the program as plain values, and what its own filter asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType

from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.places import Lookup
from errormail.report.redact import Redactor
from errormail.report.source import Sources
from errormail.report.values import Budget, Values

__all__ = ["DEFAULT_OPTIONS", "CaptureOptions", "FrameContext", "FrameVariables"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameContext:
    """What the exceptions and frames of one report are captured with."""

    options: CaptureOptions = DEFAULT_OPTIONS
    redactor: Redactor
    budget: Budget
    sources: Sources
    release: str = ""
    places: dict[tuple[int, ...], Lookup] = field(default_factory=dict[tuple[int, ...], Lookup])
    """What has been found out about places in code; many frames of a report are at the same ones."""

    values: Values = field(init=False)
    """Of the report: what is found out about one value helps with the next."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", Values(self.limits, self.redactor, self.budget))

    @property
    def limits(self) -> Limits:
        """The bounds of the report."""
        return self.options.limits
