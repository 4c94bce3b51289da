"""An exception becomes a Report: capture, redact, render. Knows nothing of mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from errormail._lazy import lazy_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from errormail.report.debug import ExceptionReporter, SafeExceptionReporterFilter
    from errormail.report.decorators import sensitive_post_parameters, sensitive_variables
    from errormail.report.html import render_html
    from errormail.report.limits import Limits
    from errormail.report.model import Report
    from errormail.report.redact import Redactor
    from errormail.report.request import RequestSource, capture_request
    from errormail.report.subject import subject_line
    from errormail.report.text import render_text

__all__ = [
    "ExceptionReporter",
    "Limits",
    "Redactor",
    "Report",
    "RequestSource",
    "SafeExceptionReporterFilter",
    "capture_request",
    "render_html",
    "render_text",
    "sensitive_post_parameters",
    "sensitive_variables",
    "subject_line",
]

__getattr__: Callable[[str], object] = lazy_names(
    globals(),
    {
        "errormail.report.debug": ("ExceptionReporter", "SafeExceptionReporterFilter"),
        "errormail.report.decorators": ("sensitive_post_parameters", "sensitive_variables"),
        "errormail.report.html": ("render_html",),
        "errormail.report.limits": ("Limits",),
        "errormail.report.model": ("Report",),
        "errormail.report.redact": ("Redactor",),
        "errormail.report.request": ("RequestSource", "capture_request"),
        "errormail.report.subject": ("subject_line",),
        "errormail.report.text": ("render_text",),
    },
)
