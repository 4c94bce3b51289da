"""
Flask's door: `ErrorMail` wraps the application with the WSGI middleware and hears of what Flask catches by itself.

Flask answers an exception in a view with a 500 that no middleware sees as an exception; its signal
``got_request_exception`` tells of it, before it is logged. What rises in ``teardown_request`` or while a response is
streamed nobody catches: that is the middleware's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, cast

from errormail import reporter
from errormail._contain import contained
from errormail.conf import NAMES, Settings
from errormail.exceptions import ImproperlyConfigured
from errormail.reporter import Failure, Overrides, SettingsSource
from errormail.reporter.scope import current_scope
from errormail.wsgi import ErrorReportMiddleware

try:
    from flask import g, got_request_exception, request, request_finished, request_started
except ImportError as _error:
    raise ImproperlyConfigured("errormail.flask needs Flask: pip install flask") from _error

if TYPE_CHECKING:
    from flask import Flask

    from errormail.report.model import Report

__all__ = ["ErrorMail"]

_EXTENSION = "errormail"


class ErrorMail:
    """
    Error mail for a Flask application.

    Args:
        app: The application; or call `init_app` later.
        settings: In place of those in ``app.config``.
        report_status: Which responses without an exception are reported, as for `ErrorReportMiddleware`.
        sections: Callables, or their dotted paths, that add sections to the report, as for `ErrorReportMiddleware`.

    Raises:
        ImproperlyConfigured: ``app.config`` has a wrong value, or one of *sections* is no callable.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        settings: SettingsSource = None,
        report_status: bool | Collection[int] = True,
        sections: Sequence[str | Callable[[Report], object]] = (),
    ) -> None:
        self._settings = settings
        self._report_status = report_status
        self._sections = reporter.checked_sections(sections)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """
        Report what fails in *app*. A second call for the same application changes nothing.

        Raises:
            ImproperlyConfigured: ``app.config`` has a wrong value.
        """
        if _EXTENSION in app.extensions:
            return
        settings = self._settings if self._settings is not None else _SettingsOf(app)
        reporter.resolve_settings(settings)  # a mistake is refused now, not at the first failure
        door = _Door(settings, Overrides(sections=self._sections))
        app.extensions[_EXTENSION] = door
        app.wsgi_app = ErrorReportMiddleware(  # type: ignore[method-assign]  # as Flask's documentation does
            app.wsgi_app,
            settings=settings,
            report_status=self._report_status,
            sections=self._sections,
        )
        request_started.connect(door.note_route, app)
        request_finished.connect(door.note_user, app)
        got_request_exception.connect(door.report, app)


class _SettingsOf:
    """The settings of an application, made anew only if its configuration was changed in between."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._given: dict[str, object] | None = None
        self._settings: Settings | None = None

    def __call__(self) -> Settings:
        config = cast("dict[str, object]", self._app.config)
        given = {name: config[name] for name in _NAMES if name in config}
        given["DEBUG"] = self._app.debug
        if self._settings is None or given != self._given:
            self._settings, self._given = Settings(given), given
        return self._settings


class _Door:
    """What listens to the signals of one application, which keeps it alive: signals do not."""

    def __init__(self, settings: SettingsSource, overrides: Overrides) -> None:
        self._settings = settings
        self._overrides = overrides

    def note_route(self, app: Flask, **_: object) -> None:
        """Note endpoint and view at the start: where an error rises in a stream, the request is gone."""
        scope = current_scope()
        if scope is not None:
            with contained("flask route"):
                scope.facts["route"] = _route(app)

    def note_user(self, app: Flask, **_: object) -> None:
        scope = current_scope()
        if scope is not None:
            with contained("flask user"):
                scope.facts["user"] = _user()

    def report(self, app: Flask, exception: BaseException, **_: object) -> None:
        self.note_user(app)
        reporter.report(Failure(exc=exception), settings=self._settings, overrides=self._overrides)


_NAMES = [*NAMES, "EMAIL_URL"]


def _route(app: Flask) -> str:
    """Return endpoint and view, as ``checkout (shop.views.checkout)``; "" where no rule matched."""
    endpoint = request.endpoint
    if endpoint is None:
        return ""
    view = app.view_functions.get(endpoint)
    name = getattr(view, "__qualname__", "")
    return f"{endpoint} ({getattr(view, '__module__', '')}.{name})" if name else endpoint


def _user() -> str:
    """Return who is logged in, as Flask-Login has noted it; it is not asked, since that may query a database."""
    from errormail.report.request import user_name

    user = g.get("_login_user")
    return "" if user is None else user_name(user)
