"""What all exceptions and frames of one report are captured with."""

from __future__ import annotations

from dataclasses import dataclass, field

from errormail.report.limits import Limits
from errormail.report.options import DEFAULT_OPTIONS, CaptureOptions
from errormail.report.redact import Redactor
from errormail.report.tracebacks.places import Lookup
from errormail.report.tracebacks.source import Sources
from errormail.report.values import Budget, Values

__all__ = ["FrameContext"]


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
