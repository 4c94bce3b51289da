"""A report that the program has changed: redacted once more, and a report still."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import Frame, Report, Request, Runtime, Variable
from errormail.report.objects import encodable, exact_str
from errormail.report.redact import Redactor
from errormail.report.request.curl import requoted
from errormail.report.serial import report_from_dict, report_to_dict

__all__ = ["redacted_report"]

TEXT_CHARS = DEFAULT_LIMITS.stack_chars
"""Of each text: the longest that a report has."""
ITEMS = 10_000
"""Of each tuple."""

T = TypeVar("T")


def redacted_report(report: Report, redactor: Redactor) -> Report:
    """
    Return *report*, which somebody else has made or changed, with each of its texts redacted and bounded.

    Raises:
        ValueError: A field has a value that no report has.
    """
    # By way of plain values: each field is of its type then, down to the last string.
    return _redacted(report_from_dict(report_to_dict(report)), redactor)


def _redacted(value: T, redactor: Redactor) -> T:
    if isinstance(value, str):
        return cast("T", _text(value, redactor))
    if isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        return cast("T", tuple(_redacted(each, redactor) for each in parts[:ITEMS]))
    if isinstance(value, Variable):
        shown = _text(redactor.value(value.name, value.value), redactor)
        return cast("T", Variable(name=_text(value.name, redactor), value=shown))
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            each.name: _redacted(getattr(value, each.name), redactor) for each in fields(value)
        }
        if isinstance(value, Runtime):  # no values of the program's
            changes["packages"] = _redacted(value.packages, redactor.denying)
        if isinstance(value, Request):
            changes["curl"] = requoted(value.curl, redactor.text)
        if isinstance(value, Frame):
            changes["source"] = tuple(redactor.source_lines([*value.source]))
        return cast("T", replace(cast("Any", value), **changes))
    return value


def _text(text: str, redactor: Redactor) -> str:
    return encodable(redactor.bounded(exact_str(text), TEXT_CHARS))
