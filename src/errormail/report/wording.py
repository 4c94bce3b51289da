"""The words that both renderers say the same way: dates, counts, how often, where it ran."""

from __future__ import annotations

from datetime import datetime, timezone

from errormail.report.model import CapturedException, Elision, Frequency, Report, Request
from errormail.report.visible import one_line, shorten

__all__ = [
    "age",
    "bare",
    "caught",
    "closing",
    "counted",
    "day_and_time",
    "duration",
    "heading",
    "how_often",
    "logged",
    "place",
    "qualified",
    "ran_in",
    "reply",
    "reversed_elision",
    "title",
]

# Not strftime's: its names follow the locale of the process.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_and_time(seconds: float) -> str:
    """Return Unix time *seconds* as "5 Oct 2026, 03:14:15 UTC"."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S} UTC"


def counted(number: int, noun: str) -> str:
    """Return "1 frame", "1,204 frames"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return "2,063 ms", from ten seconds on "12.5 s"."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:,.1f} s"


def title(report: Report) -> str:
    """Return Django's headline, "PricingError at /checkout/", without the path where there is no request."""
    path = report.request.path if report.request else ""
    return f"{report.headline} at {one_line(path)}" if path else report.headline


def heading(exc: CapturedException, *, qualified: bool = False) -> str:
    """Return "Type: message" as Python prints it, without the colon where there is no message."""
    name = exc.qualified_name if qualified else exc.type_name
    return f"{name}: {exc.message}" if exc.message else name


def age(frequency: Frequency | None) -> tuple[str, str]:
    """Return the pill ("NEW" or "") and what it means in words, both "" where it is not known."""
    if frequency is None:
        return "", ""
    if frequency.occurrences <= 1:
        return "NEW", "first time seen since this process started"
    return "", f"{frequency.occurrences:,} times since this process started"


def how_often(frequency: Frequency) -> str:
    """Return the one sentence that says it."""
    start = day_and_time(frequency.since)
    if frequency.occurrences <= 1:
        return f"First time seen since this process started, {start}."
    first = day_and_time(frequency.first_at)
    return (
        f"{frequency.occurrences:,} times since this process started, {start}."
        f" The first was at {first}."
    )


def place(report: Report) -> str:
    """Return "shop, production, release 2026.10.4", or as much of it as is known."""
    release = f"release {report.release}" if report.release else ""
    return ", ".join(part for part in (report.service, report.environment, release) if part)


def reply(request: Request) -> list[tuple[str, str]]:
    """Return what follows the request's method and address, each as (words, value): ("user", "u-5512")."""
    facts: list[tuple[str, str]] = []
    took = f"after {duration(request.seconds)}" if request.seconds is not None else ""
    if request.status is not None:
        facts.append(("", f"{request.status} {took}".rstrip()))
    elif took:
        facts.append(("", f"failed {took}"))
    if request.user:
        facts.append(("user", request.user))
    if request.remote_addr:
        facts.append(("from", request.remote_addr + (" (internal)" if request.internal else "")))
    if request.route:
        facts.append(("route", request.route))
    return facts


def logged(report: Report) -> str:
    """Return "ERROR by shop.web at shop/web.py:17 in checkout", "" for a failure that was not logged."""
    if not report.logger and not report.call_site:
        return ""
    by = f" by {report.logger}" if report.logger else ""
    at = f" at {report.call_site}" if report.call_site else ""
    return f"{report.level}{by}{at}"


def ran_in(report: Report) -> str:
    """Return what stands in place of the request where there is none: "nightly.py, task refresh"."""
    runtime = report.runtime
    task = f"task {runtime.task}" if runtime.task else ""
    thread = f"thread {runtime.thread}" if runtime.thread not in ("", "MainThread") else ""
    process = runtime.process or f"process {runtime.pid}"
    return ", ".join(part for part in (process, thread, task) if part)


def caught(exc: CapturedException) -> str:
    """Return how *exc* came from its cause, in Python's words."""
    if exc.relation == "cause":
        return "The above exception was the direct cause of the following exception:"
    return "During handling of the above exception, another exception occurred:"


def qualified(function: str) -> str:
    """Return the function's name without ``<locals>``: "PricingEngine.total.<genexpr>"."""
    return function.replace("<locals>.", "")


def bare(function: str) -> str:
    """Return the function's name as a traceback of Python has it: "<genexpr>"."""
    return function.rpartition(".")[2] or function


def reversed_elision(elision: Elision) -> str:
    """Return its words for a traceback with the most recent call first."""
    return elision.text.replace(" above", " below")


def closing(report: Report, frequency: Frequency | None, *, is_cut: bool) -> str:
    """Return the last sentences of the mail: which group, and where the rest is."""
    count = f", occurrence {frequency.occurrences:,} of this process" if frequency else ""
    rest = " The whole report is attached: report.txt." if is_cut else ""
    return f"Group {shorten(report.fingerprint, 64)}{count}. Sent by errormail.{rest}"
