"""
Django's class shapes over this package: what a program subclasses to say what a report looks like and what it hides.

`ExceptionReporter` makes text and HTML of an exception and a request. `SafeExceptionReporterFilter` says what is hidden.
Either can be set for the process (DEFAULT_EXCEPTION_REPORTER, DEFAULT_EXCEPTION_REPORTER_FILTER) or for one request
(attributes ``exception_reporter_class`` and ``exception_reporter_filter``). One that fails costs no report: the default
takes its place, and where a filter was to hide something, that is not shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from types import FrameType, TracebackType
from typing import Any, cast

from errormail.conf import current
from errormail.report.declarations import declared_parameters
from errormail.report.decorators import hidden_variables
from errormail.report.filtering import FilterOptions, guarded, options_of
from errormail.report.held import settings_redactor
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import REDACTED, Report, Variable
from errormail.report.objects import defined_in, dict_items
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.request import RequestCapture, RequestSource, capture_request
from errormail.report.request.frameworks import adhoc_attribute, carrier_of
from errormail.report.request.parsed import parsed_form
from errormail.report.request.wire import wire_of

__all__ = [
    "ExceptionReporter",
    "FilterOptions",
    "SafeExceptionReporterFilter",
    "filter_options",
    "get_exception_reporter_class",
    "get_exception_reporter_filter",
]

UNKNOWN_FINGERPRINT = "0" * 12


class SafeExceptionReporterFilter:
    """
    What is hidden in a report, beside what always is.

    A subclass changes the attributes, or overrides `is_active`, `cleanse_setting`, `get_post_parameters`,
    `get_safe_request_meta` or `get_traceback_frame_variables`. It can hide more than the default does, and honour the
    decorators or not; it cannot show what is hidden by name.
    """

    cleansed_substitute: str = REDACTED
    """What stands in place of a hidden value."""
    hidden_settings: re.Pattern[str] = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE", re.IGNORECASE
    )
    """Names in which it is found are hidden. Django's default; for the whole report only if a subclass says otherwise."""

    def is_active(self, request: object) -> bool:
        """Return whether what the decorators say is honoured: while DEBUG is off."""
        return not current().DEBUG

    def cleanse_setting(self, key: object, value: object) -> object:
        """Return *value*, or its substitute if *key* is a secret's; within dicts, lists and tuples at any depth. Calls nothing."""
        return self._cleansed(key, value, DEFAULT_LIMITS.depth * 2)

    def _cleansed(self, key: object, value: object, depth: int) -> object:
        if isinstance(key, str) and self._hides(key):
            return self.cleansed_substitute
        if depth == 0 and isinstance(value, (dict, list, tuple)):
            return self.cleansed_substitute  # too deep to look into, or contains itself
        if isinstance(value, dict):
            return {
                name: self._cleansed(name, own, depth - 1)
                for name, own in dict_items(cast("object", value))
            }
        if isinstance(value, (list, tuple)):
            cleansed = [self._cleansed("", own, depth - 1) for own in cast("list[object]", value)]
            return cleansed if isinstance(value, list) else tuple(cleansed)
        return value

    def _hides(self, name: str) -> bool:
        if settings_redactor(current()).hides(name):
            return True
        return self.hidden_settings.search(name) is not None

    def get_safe_settings(self) -> dict[str, object]:
        """Return errormail's settings without their secrets, by name. Those that are functions are not called."""
        settings = current()
        names = [name for name in dir(settings) if name.isupper()]
        return {name: self.cleanse_setting(name, getattr(settings, name)) for name in names}

    def get_safe_request_meta(self, request: object) -> dict[str, object]:
        """Return the WSGI environ or META of *request* without its secrets; of an ASGI request the headers, named as there."""
        carrier = carrier_of(request)
        if carrier is None:
            return {}
        if carrier.environ is None:
            meta: list[tuple[object, object]] = [
                (f"HTTP_{name.upper().replace('-', '_')}", value)
                for name, value in wire_of(carrier).headers
            ]
        else:
            meta = list(dict_items(carrier.environ))
        return {
            name: self.cleanse_setting(name, value) for name, value in meta if isinstance(name, str)
        }

    def get_safe_cookies(self, request: object) -> dict[str, object]:
        """Return the names of the cookies, each with the substitute."""
        captured = _captured(request, declared=False)
        cookies = () if captured is None else captured.request.cookies
        return {cookie.name: self.cleansed_substitute for cookie in cookies}

    def get_post_parameters(self, request: object) -> Mapping[str, object]:
        """Return the form fields that the application has parsed, without those that `sensitive_post_parameters` names."""
        carrier = carrier_of(request)
        if carrier is None:
            return {}
        names = declared_parameters(carrier) if self.is_active(request) else None
        return {
            name: self.cleansed_substitute if names and name in names else value
            for name, value in parsed_form(carrier).fields
        }

    def get_cleansed_multivaluedict(self, request: object, multivaluedict: Any) -> Any:
        """Return a copy of *multivaluedict* without the fields that `sensitive_post_parameters` names."""
        carrier = carrier_of(request)
        names = declared_parameters(carrier) if carrier and self.is_active(request) else None
        if not names:
            return multivaluedict
        return {
            name: self.cleansed_substitute if name in names else value
            for name, value in dict_items(multivaluedict)
        }

    def cleanse_special_types(self, request: object, value: object) -> object:
        """Return *value*, without its sensitive fields if it is a form: a MultiValueDict or MultiDict."""
        names = {cls.__name__ for cls in type(value).__mro__}
        if names & {"MultiValueDict", "MultiDict"}:
            return cast("object", self.get_cleansed_multivaluedict(request, value))
        return value

    def get_traceback_frame_variables(
        self, request: object, tb_frame: FrameType
    ) -> Iterable[tuple[str, object]]:
        """Return name and value of each local variable, without the values that `sensitive_variables` names."""
        hidden = (hidden_variables(tb_frame) if self.is_active(request) else None) or frozenset()
        return [
            (
                name,
                self.cleansed_substitute
                if name in hidden
                else self.cleanse_special_types(request, value),
            )
            for name, value in dict(tb_frame.f_locals).items()
        ]


class ExceptionReporter:
    """
    Makes text and HTML of an exception. A subclass overrides `get_traceback_text` or `get_traceback_html`.

    Args:
        request: Of any kind that is understood, or None.
        exc_type: Class of the exception, None for a message alone.
        exc_value: The exception, or the message.
        tb: Its traceback.
        is_email: Always true when errormail calls. The report is the same.
    """

    def __init__(
        self,
        request: object,
        exc_type: type[BaseException] | None,
        exc_value: object,
        tb: TracebackType | None,
        is_email: bool = False,
    ) -> None:
        self.request = request
        self.exc_type = exc_type
        self.exc_value = exc_value
        self.tb = tb
        self.is_email = is_email
        self.filter: SafeExceptionReporterFilter = get_exception_reporter_filter(request)

    @cached_property
    def report(self) -> Report:
        """What was captured, once, when it was first needed."""
        from errormail.report.capture import capture  # a filter alone does not need it
        from errormail.report.fingerprint import fingerprint_exception
        from errormail.report.options import CaptureOptions

        exc = self.exc_value if isinstance(self.exc_value, BaseException) else None
        if exc is not None and exc.__traceback__ is None:
            exc.__traceback__ = self.tb
        settings = current()
        options = options_of(self.filter, self.request)
        redactor = settings_redactor(settings, options.redactor)
        captured = _captured(self.request, declared=options.declared, redactor=redactor)
        if captured is not None:
            redactor = captured.redactor
        report = capture(
            exc=exc,
            request=None if captured is None else captured.request,
            redactor=redactor,
            message="" if exc is not None or self.exc_value is None else str(self.exc_value),
            service=settings.SERVICE,
            environment=settings.ENVIRONMENT,
            release=settings.RELEASE,
            fingerprint=UNKNOWN_FINGERPRINT
            if exc is None
            else fingerprint_exception(exc, tuple(settings.IN_APP)),
            now=time.time(),
            options=CaptureOptions(
                limits=replace(DEFAULT_LIMITS, seconds=settings.VALUES_TIMEOUT),
                declared=options.declared,
                frame_variables=options.frame_variables,
                in_app=tuple(settings.IN_APP),
                library_locals=settings.LIBRARY_LOCALS,
                source_url=settings.SOURCE_URL,
            ),
        )
        return options.finish(report, redactor)

    def get_traceback_data(self) -> dict[str, object]:
        """Return what the report says, for templates of one's own: the `Report`, and parts of it by Django's names."""
        report = self.report
        exception, request = report.exception, report.request
        return {
            "report": report,
            "is_email": self.is_email,
            "request": self.request,
            "exception_type": None if exception is None else exception.type_name,
            "exception_value": report.summary,
            "frames": () if exception is None else exception.frames,
            "lastframe": None if exception is None else exception.culprit,
            "raising_view_name": "" if request is None else request.route,
            "user_str": "" if request is None else request.user,
            "request_insecure_uri": "" if request is None else request.url,
            "filtered_POST_items": _items(() if request is None else request.form),
            "request_GET_items": _items(() if request is None else request.query),
            "request_COOKIES_items": _items(() if request is None else request.cookies),
            "request_meta": self.filter.get_safe_request_meta(self.request),
            "settings": self.filter.get_safe_settings(),
        }

    def get_traceback_text(self) -> str:
        """Return the report as plain text."""
        from errormail.report.rendering.text import render_text

        return render_text(self.report).content

    def get_traceback_html(self) -> str:
        """Return the report as an HTML document."""
        from errormail.report.rendering.html import render_html

        return render_html(self.report).content


def get_exception_reporter_filter(request: object) -> SafeExceptionReporterFilter:
    """Return the filter for *request*: its ``exception_reporter_filter`` (an instance, a class or a path), else the default."""
    own = _per_request(request, "exception_reporter_filter")
    for given in (own, current().DEFAULT_EXCEPTION_REPORTER_FILTER):
        if given is not None:
            made = guarded("exception reporter filter", partial(_made, given), None)
            if made is not None:
                return made
    return SafeExceptionReporterFilter()


def get_exception_reporter_class(request: object) -> type[Any]:
    """Return the reporter class for *request*: its ``exception_reporter_class`` (a class or a path), else the default."""
    own = _per_request(request, "exception_reporter_class")
    for given in (own, current().DEFAULT_EXCEPTION_REPORTER):
        if given is not None:
            cls = guarded("exception reporter class", partial(_resolved, given), None)
            if isinstance(cls, type):
                return cast("type[Any]", cls)
    return ExceptionReporter


def filter_options(request: object) -> FilterOptions:
    """Return what the filter for *request* (one of any kind, a `RequestSource`, or None) asks of the capture."""
    if type(request) is RequestSource:
        request = request.request
    return options_of(get_exception_reporter_filter(request), request)


def _per_request(request: object, name: str) -> object | None:
    """Return attribute *name* of *request*, stored in it or written in its class."""
    if request is None:
        return None
    carrier = carrier_of(request)
    if carrier is None:
        return None
    found = adhoc_attribute(carrier, name)
    if found is not None:
        return found
    for each in carrier.objects:
        defined = defined_in(type(each), name)
        if defined is not None and not hasattr(type(defined[1]), "__get__"):  # no property
            return defined[1]
    return None


def _resolved(given: object) -> object:
    from errormail._dotted import import_dotted

    return import_dotted(given) if isinstance(given, str) else given


def _made(given: object) -> SafeExceptionReporterFilter:
    found = _resolved(given)
    made: object = found() if isinstance(found, type) else found
    if not callable(getattr(made, "is_active", None)):
        raise TypeError("it is no filter")
    return cast("SafeExceptionReporterFilter", made)


def _captured(
    request: object, *, declared: bool, redactor: Redactor = DEFAULT_REDACTOR
) -> RequestCapture | None:
    if request is None:
        return None
    settings = current()
    return capture_request(
        request,
        redactor=redactor,
        internal_ips=settings.INTERNAL_IPS,
        trusted_proxies=settings.TRUSTED_PROXIES,
        declared=declared,
    )


def _items(variables: tuple[Variable, ...]) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in variables]
