"""The words that both renderers say the same way: dates, counts, how often, where it ran."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from itertools import islice

from errormail.report.model import CapturedException, Elision, Frame, Frequency, Report, Request
from errormail.report.rendering.naming import leaves, message_of, name_of
from errormail.report.visible import one_line, shorten

__all__ = [
    "age",
    "bare",
    "caught",
    "clock",
    "closing",
    "counted",
    "day_and_time",
    "duration",
    "heading",
    "headline",
    "how_often",
    "in_the_group",
    "is_address",
    "logged",
    "mebibytes",
    "place",
    "qualified",
    "ran_in",
    "reply",
    "reversed_elision",
    "source_words",
    "span",
    "title",
    "words_of",
]

ID_CHARS = 64
ADDRESS_CHARS = 500
_ADDRESS = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*"
)
LEAVES = 3
"""Exceptions of a group that its head names."""
LEAF_CHARS = 100

# Not strftime's: its names follow the locale of the process.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DAY = 86_400
_LAST = 253_402_300_799
"""31 Dec 9999, 23:59:59 UTC."""


def day_and_time(seconds: float) -> str:
    """Return Unix time *seconds* as "5 Oct 2026, 03:14:15 UTC"."""
    moment = _moment(seconds)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S} UTC"


def clock(seconds: float, occurred_at: float) -> str:
    """Return "03:14:15.934"; with the day, "4 Oct 23:59:59.100", where that is not the day of the failure."""
    moment = _moment(seconds)
    time = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    if seconds // _DAY == occurred_at // _DAY:
        return time
    return f"{moment.day} {_MONTHS[moment.month - 1]} {time}"


def _moment(seconds: float) -> datetime:
    # The time of a log record is whatever somebody put there; a calendar ends with the year 9999.
    return datetime.fromtimestamp(seconds if 0 <= seconds <= _LAST else 0, timezone.utc)


def counted(number: int, noun: str) -> str:
    """Return "1 frame", "1,204 frames"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return "2,063 ms", from ten seconds on "12.5 s"."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:,.1f} s"


def span(seconds: float) -> str:
    """Return "11 days", "3 hours", "4 minutes", "12 s": as long as it takes to read."""
    for unit, noun in ((_DAY, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * unit:
            return counted(int(min(seconds, _LAST) // unit), noun)
    return f"{max(seconds, 0):.0f} s"


def mebibytes(size: int) -> str:
    """Return "212 MiB"."""
    return f"{size / 2**20:,.0f} MiB"


def headline(report: Report) -> str:
    """Return what the h1 says: the exception's type, of a group with those in it, else the level."""
    return name_of(report.exception) if report.exception else report.headline


def words_of(report: Report) -> str:
    """Return the words after the headline: the exception's message, unless it says nothing, else the record's."""
    return message_of(report.exception) if report.exception else report.summary


def title(report: Report) -> str:
    """Return Django's headline, "PricingError at /checkout/", without the path where there is no request."""
    path = report.request.path if report.request else ""
    return f"{headline(report)} at {one_line(path)}" if path else headline(report)


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
    if request.request_id:
        facts.append(("request", shorten(request.request_id, ID_CHARS)))
    if request.trace_id:
        facts.append(("trace", shorten(request.trace_id, ID_CHARS)))
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


def source_words(frame: Frame) -> str:
    """Return why there is no source, or what is wrong with it; "" where all is well."""
    if not frame.note:
        return "" if frame.line.strip() else "the source is not available"
    return frame.note if "source" in frame.note else f"the source has {frame.note}"


def is_address(url: str) -> bool:
    """Return whether *url* is one that a line of source may be linked to: plain https, as SOURCE_URL makes them."""
    return 0 < len(url) <= ADDRESS_CHARS and _ADDRESS.fullmatch(url) is not None


def in_the_group(exc: CapturedException) -> list[str]:
    """Return a line for each of the first exceptions in the group *exc*, and how many more there are; [] if it is none."""
    if not exc.members:
        return []
    found = list(islice(leaves(exc), LEAVES + 1))
    told = [one_line(_with_place(leaf)) for leaf in found[:LEAVES]]
    return told if len(found) <= LEAVES else [*told, "and more"]


def _with_place(exc: CapturedException) -> str:
    culprit = exc.culprit
    words = shorten(heading(exc), LEAF_CHARS)
    return (
        f"{words}, at {culprit.filename[-LEAF_CHARS // 2 :]}:{culprit.lineno}" if culprit else words
    )


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
