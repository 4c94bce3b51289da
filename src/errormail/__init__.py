"""Error-reporting mail for every Python program: Django's ADMINS mail, freed from Django."""

from __future__ import annotations

from typing import TYPE_CHECKING

from errormail._lazy import lazy_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from errormail import flask, mail, wsgi
    from errormail.conf import Settings, configure, override_settings, settings
    from errormail.exceptions import ErrorMailError, ImproperlyConfigured
    from errormail.handler import (
        AdminEmailHandler,
        CallbackFilter,
        LogTailHandler,
        RequireDebugFalse,
        RequireDebugTrue,
    )
    from errormail.report.decorators import sensitive_post_parameters, sensitive_variables
    from errormail.reporter import flush, report_exception
    from errormail.reporter.scope import add_context, context

__all__ = [
    "AdminEmailHandler",
    "CallbackFilter",
    "ErrorMailError",
    "ImproperlyConfigured",
    "LogTailHandler",
    "RequireDebugFalse",
    "RequireDebugTrue",
    "Settings",
    "__version__",
    "add_context",
    "configure",
    "context",
    "flask",
    "flush",
    "mail",
    "override_settings",
    "report_exception",
    "sensitive_post_parameters",
    "sensitive_variables",
    "settings",
    "wsgi",
]

__version__ = "0.1.0"

__getattr__: Callable[[str], object] = lazy_names(
    globals(),
    {
        "errormail.conf": ("Settings", "configure", "override_settings", "settings"),
        "errormail.exceptions": ("ErrorMailError", "ImproperlyConfigured"),
        "errormail.handler": (
            "AdminEmailHandler",
            "CallbackFilter",
            "LogTailHandler",
            "RequireDebugFalse",
            "RequireDebugTrue",
        ),
        "errormail.report.decorators": ("sensitive_post_parameters", "sensitive_variables"),
        "errormail.reporter": ("flush", "report_exception"),
        "errormail.reporter.scope": ("add_context", "context"),
        "errormail.flask": (),
        "errormail.mail": (),
        "errormail.wsgi": (),
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
