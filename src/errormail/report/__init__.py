"""An exception becomes a Report: capture, redact, render. Knows nothing of mail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from errormail._lazy import lazy_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from errormail.report.debug import ExceptionReporter, SafeExceptionReporterFilter
    from errormail.report.decorators import sensitive_post_parameters, sensitive_variables
    from errormail.report.limits import Limits
    from errormail.report.model import Report
    from errormail.report.redact import Redactor
    from errormail.report.rendering.html import render_html
    from errormail.report.rendering.subject import subject_line
    from errormail.report.rendering.text import render_text
    from errormail.report.request import RequestSource, capture_request
    from errormail.report.serial import report_from_dict, report_to_dict
    from errormail.report.values.registry import register_type

__all__ = [
    "ExceptionReporter",
    "Limits",
    "Redactor",
    "Report",
    "RequestSource",
    "SafeExceptionReporterFilter",
    "capture_request",
    "register_type",
    "render_html",
    "render_text",
    "report_from_dict",
    "report_to_dict",
    "sensitive_post_parameters",
    "sensitive_variables",
    "subject_line",
]

LOADED_AT = time.time()
"""Unix time at which errormail was loaded, about when the program was; a child that is forked has code as old."""

__getattr__: Callable[[str], object] = lazy_names(
    globals(),
    {
        "errormail.report.debug": ("ExceptionReporter", "SafeExceptionReporterFilter"),
        "errormail.report.decorators": ("sensitive_post_parameters", "sensitive_variables"),
        "errormail.report.rendering.html": ("render_html",),
        "errormail.report.limits": ("Limits",),
        "errormail.report.model": ("Report",),
        "errormail.report.redact": ("Redactor",),
        "errormail.report.values.registry": ("register_type",),
        "errormail.report.request": ("RequestSource", "capture_request"),
        "errormail.report.serial": ("report_from_dict", "report_to_dict"),
        "errormail.report.rendering.subject": ("subject_line",),
        "errormail.report.rendering.text": ("render_text",),
    },
)
