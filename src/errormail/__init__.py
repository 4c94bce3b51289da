"""Error-reporting mail for every Python program: Django's ADMINS mail, freed from Django."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from errormail import flask, mail, wsgi
    from errormail.conf import Settings, configure, override_settings, settings
    from errormail.exceptions import ErrorMailError, ImproperlyConfigured
    from errormail.handler import (
        AdminEmailHandler,
        CallbackFilter,
        RequireDebugFalse,
        RequireDebugTrue,
    )
    from errormail.report.decorators import sensitive_post_parameters, sensitive_variables
    from errormail.reporter import flush, report_exception
    from errormail.reporter.scope import context

__all__ = [
    "AdminEmailHandler",
    "CallbackFilter",
    "ErrorMailError",
    "ImproperlyConfigured",
    "RequireDebugFalse",
    "RequireDebugTrue",
    "Settings",
    "__version__",
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

_MODULES = ("flask", "mail", "wsgi")
_PLACES = {
    "errormail.conf": ("Settings", "configure", "override_settings", "settings"),
    "errormail.exceptions": ("ErrorMailError", "ImproperlyConfigured"),
    "errormail.handler": (
        "AdminEmailHandler",
        "CallbackFilter",
        "RequireDebugFalse",
        "RequireDebugTrue",
    ),
    "errormail.report.decorators": ("sensitive_post_parameters", "sensitive_variables"),
    "errormail.reporter": ("flush", "report_exception"),
    "errormail.reporter.scope": ("context",),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    # PEP 562: a program that imports errormail pays for what it uses, when it uses it.
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"errormail.{name}")
    if name not in _PLACE_OF:
        raise AttributeError(f"module 'errormail' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
