"""
A frame of a template as a line of the template, not of the Python code that was generated from it: what all engines share.

What is needed stands in the globals of such a frame and in what the libraries keep in memory; none of them is imported,
and none of their code, or of a template loader, is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType, ModuleType

from errormail.report.objects import exact_str, is_a
from errormail.report.tracebacks.source import Source

__all__ = ["IN_MEMORY", "VARIABLES", "TemplateFrame", "frame_locals", "is_shown"]

IN_MEMORY = "<template>"
"""What a template without a file and a name is called, as in Jinja2."""
VARIABLES = 1_000
"""Of a template that are looked at."""

_CODE = (ModuleType, type, FunctionType, MethodType, BuiltinFunctionType)


@dataclass(frozen=True, slots=True)
class TemplateFrame:
    """A frame as a place in a template."""

    filename: str
    """Its path, or its name where it has none."""
    is_file: bool
    function: str
    lineno: int
    source: Source
    variables: dict[str, object] = field(default_factory=dict[str, object])


def frame_locals(frame: FrameType) -> dict[str, object]:
    """Return the locals of *frame*, {} where they cannot be had."""
    try:
        items = list(frame.f_locals.items())[:VARIABLES]
    except BaseException:  # noqa: BLE001 -- code may be run with a mapping of its own
        return {}
    return {exact_str(name): value for name, value in items}


def is_shown(name: str, value: object) -> bool:
    """Return whether a variable is one of whoever rendered the template: no machinery, no function."""
    return bool(name) and not name.startswith(("_", ".")) and not is_a(value, *_CODE)
