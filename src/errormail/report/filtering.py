"""
What a program's own filter asks of the ordinary capture: found out without trusting it.

A filter that fails hides what it was asked about; its failure is said once on stderr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from errormail import _contain
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import REDACTED, Report, Variable
from errormail.report.objects import defined_in, encodable, module_of, stored
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.request.curl import requoted
from errormail.report.values import Budget, describe

if TYPE_CHECKING:
    from errormail.report.debug import SafeExceptionReporterFilter

__all__ = ["FilterOptions", "FilteringRedactor", "guarded", "options_of"]

BASES = ("errormail.report.debug", "django.views.debug")
"""What is defined there is no change that a program has made."""
NAME_CHARS = 256
_PROBE = "a value"
_told: set[str] = set()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FilteringRedactor(Redactor):
    """Also hides the names that a filter of the program hides."""

    asks: Callable[[str], bool] = bool

    def judges(self, name: str, *, only_shown: bool) -> bool:
        """Return whether a value under *name* is hidden. A filter that fails hides."""
        # dataclass(slots=True) makes a second class, of which super() would not know.
        return Redactor.judges(self, name, only_shown=only_shown) or guarded(
            "filter", lambda: self.asks(name), True
        )

    def may_name(self, text: str) -> bool:
        """Return True: which names the filter hides is known to nobody else."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions:
    """What a filter asks of the ordinary capture."""

    redactor: Redactor
    declared: bool
    """What the decorators say is honoured."""
    frame_variables: Callable[[FrameType], Iterable[tuple[str, object]]] | None = None
    """In place of a frame's locals; None where the filter changes nothing in them."""
    substitute: str = REDACTED
    form: Callable[[], Mapping[str, object]] | None = None
    headers: Callable[[], Mapping[str, object]] | None = None

    def finish(self, report: Report, redactor: Redactor | None = None) -> Report:
        """
        Return *report* as the filter wants it: with its form fields and headers, if it makes them, and its substitute.

        Args:
            redactor: That of the request; it sees what the filter says, too.
        """
        redactor = redactor or self.redactor
        request = report.request
        if request is not None and self.form is not None:
            # The body that curl would send is not what the filter lets see.
            request = replace(request, form=_variables(self.form, redactor), curl="")
        if request is not None and self.headers is not None:
            request = replace(request, headers=_headers(self.headers, redactor), curl="")
        if request is not None and self.substitute != REDACTED:
            substituted = requoted(
                request.curl, lambda word: word.replace(REDACTED, self.substitute)
            )
            request = replace(request, curl=substituted)
        report = replace(report, request=request)
        return report if self.substitute == REDACTED else _substituted(report, self.substitute)


def guarded(what: str, call: Callable[[], T], otherwise: T) -> T:
    """Return what *call*, code of the program, returns; *otherwise* if it fails, which is said once."""
    try:
        return call()
    except BaseException as error:  # noqa: BLE001 -- a program's class; its report must not be lost
        if what not in _told:
            _told.add(what)
            _contain.tell(
                f"{what} failed with {_contain.describe(error, error.__traceback__)}; the default takes its place"
            )
        return otherwise


def options_of(own: SafeExceptionReporterFilter, request: object) -> FilterOptions:
    redactor = DEFAULT_REDACTOR
    asks = _asks(own)
    if asks is not None:
        redactor = FilteringRedactor(asks=asks)
    substitute = guarded("filter", lambda: str(own.cleansed_substitute), REDACTED)
    frame_variables = form = headers = None
    if _overrides(own, "get_traceback_frame_variables", "cleanse_special_types"):
        frame_variables = _frame_variables(own, request)
    if _overrides(own, "get_post_parameters"):
        form = lambda: own.get_post_parameters(request)  # noqa: E731 -- a hook
    if _overrides(own, "get_safe_request_meta"):
        headers = lambda: own.get_safe_request_meta(request)  # noqa: E731
    return FilterOptions(
        redactor=redactor,
        declared=guarded("filter", lambda: bool(own.is_active(request)), True),
        frame_variables=frame_variables,
        substitute=substitute,
        form=form,
        headers=headers,
    )


def _asks(own: SafeExceptionReporterFilter) -> Callable[[str], bool] | None:
    """Return what tells whether a name is hidden, None where the program has changed nothing in that."""
    if _overrides(own, "cleanse_setting"):
        return lambda name: own.cleanse_setting(name, _PROBE) is not _PROBE
    if _overrides(own, "hidden_settings"):
        return lambda name: own.hidden_settings.search(name) is not None
    return None


def _frame_variables(
    own: SafeExceptionReporterFilter, request: object
) -> Callable[[FrameType], Iterable[tuple[str, object]]]:
    def variables(frame: FrameType) -> list[tuple[str, object]]:
        hidden: list[tuple[str, object]] = [(name, REDACTED) for name in dict(frame.f_locals)]
        return guarded(
            "filter", lambda: list(own.get_traceback_frame_variables(request, frame)), hidden
        )

    return variables


def _overrides(own: object, *names: str) -> bool:
    """Return whether the program has changed one of *names*, in the instance or in a class of its own."""
    for name in names:
        defined = defined_in(type(own), name)
        if stored(own, name) is not None:
            return True
        if defined is not None and module_of(defined[0]) not in BASES:
            return True
    return False


def _variables(
    make: Callable[[], Mapping[str, object]], redactor: Redactor
) -> tuple[Variable, ...]:
    """Return the form fields that a filter makes; none if it fails."""
    made: dict[str, object] = guarded("filter", lambda: dict(make().items()), {})
    budget = Budget(DEFAULT_LIMITS.seconds)
    variables: list[Variable] = []
    for name, value in list(made.items())[: DEFAULT_LIMITS.fields]:
        if redactor.hides(name):
            text = REDACTED
        elif isinstance(value, str):
            text = encodable(redactor.bounded(value, DEFAULT_LIMITS.value_chars))
        else:
            text = describe(value, limits=DEFAULT_LIMITS, redactor=redactor, budget=budget)
        variables.append(Variable(name=encodable(redactor.bounded(name, NAME_CHARS)), value=text))
    return tuple(variables)


def _headers(make: Callable[[], Mapping[str, object]], redactor: Redactor) -> tuple[Variable, ...]:
    """Return the headers in the META that a filter makes."""
    names = ("HTTP_", "CONTENT_")
    return tuple(
        Variable(name=each.name.removeprefix("HTTP_").replace("_", "-").title(), value=each.value)
        for each in _variables(make, redactor)
        if each.name.startswith(names) and each.name != "HTTP_COOKIE"
    )


def _substituted(value: T, substitute: str) -> T:
    """Return *value*, a part of a report, with *substitute* in place of each `REDACTED`."""
    if isinstance(value, str):
        return cast("T", value.replace(REDACTED, substitute))
    if isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        return cast("T", tuple(_substituted(each, substitute) for each in parts))
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            each.name: _substituted(getattr(value, each.name), substitute) for each in fields(value)
        }
        return cast("T", replace(cast("Any", value), **changes))
    return value
