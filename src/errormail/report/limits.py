"""Every bound on a report, in one place. A failure may hold gigabytes; its report holds none of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a failure is kept. Every field is an upper bound."""

    frames: int = 60
    """Per traceback; the outermost and innermost halves stay."""
    walked_frames: int = 2_000
    """Per traceback, looked at one by one (for folding); those between the outermost and innermost halves are only counted."""
    exceptions: int = 100
    """In one report: chain and group members together."""
    members: int = 50
    """Per exception group."""
    source_lines: int = 5
    """On either side of the failing line, application frames. Library frames have 1."""
    source_line_chars: int = 500
    """Per source line."""
    source_bytes: int = 4_000_000
    """A larger source file is not read."""
    variables: int = 40
    """Locals per frame."""
    value_chars: int = 4_096
    """Per value. Django's error report trims at the same length."""
    items: int = 50
    """Per container within a value."""
    depth: int = 5
    """Of containers within containers."""
    message_chars: int = 8_192
    """Exception and log messages, each note."""
    notes: int = 20
    """PEP 678 notes per exception."""
    stack_chars: int = 32_768
    """`stack_info`, or a traceback that came as text."""
    fields: int = 200
    """Per block of a request (headers, form, ...) and of a log record."""
    body_bytes: int = 65_536
    """Of a request's body."""
    log_lines: int = 50
    """Of the log before the failure."""
    log_bytes: int = 32_768
    """Of all of them together, and kept in memory for each request, task or thread."""
    section_rows: int = 100
    """Of a section of the program's own."""
    seconds: float = 0.2
    """Wall clock for all values of one report, checked between values: past it a value shows as its type only."""


DEFAULT_LIMITS = Limits()
