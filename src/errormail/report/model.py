"""
What a failure is once it has been captured: frozen values, bounded, redacted, without a reference to the program.

    Report
    ├── exception: CapturedException      None for a log record without one
    │   ├── frames: Frame | Elision, …    outermost first, as Python prints them
    │   │   └── variables: Variable, …
    │   ├── cause: CapturedException      __cause__ or __context__, see `relation`
    │   └── members: CapturedException, … of an exception group
    ├── calls: Frame | Elision, …         who logged a record without an exception
    ├── request: Request
    ├── extra, context: Variable, …
    ├── sections: Section, …              the program's own
    ├── log: LogLine, …                   what was logged before
    └── runtime: Runtime

Every text in here is plain and unescaped: each renderer escapes for its own medium. All of it is encodable (no lone
surrogates), and what is secret is already gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "REDACTED",
    "CapturedException",
    "Elision",
    "Frame",
    "Frequency",
    "LogLine",
    "Report",
    "Request",
    "Runtime",
    "Section",
    "Upload",
    "Variable",
]

REDACTED = "[redacted]"
"""What stands in place of a secret. Always the same, so that it tells nothing of the length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A name and its value as text: a local variable, a form field, a header, a field of a log record."""

    name: str
    value: str
    """Bounded. `REDACTED` as a whole where the name is a secret's; in longer text only the secret part is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elision:
    """Frames that are not shown one by one."""

    frames: int
    """How many frames it stands for."""
    text: str
    """The words that say so: "the 3 frames above, 331 times more", "40 frames not shown"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One line of a traceback."""

    module: str
    """``__name__`` of the module, "" where unknown."""
    function: str
    """Qualified (``PricingEngine.convert``) from Python 3.11 on, else the bare name."""
    filename: str
    """As the application knows it: relative to the import root or the project, with forward slashes."""
    lineno: int | None
    end_lineno: int | None = None
    colno: int | None = None
    """First character of the failing part on its line, from 0, in characters (PEP 657); None where unknown."""
    end_colno: int | None = None
    """One past its last character, on line `end_lineno`."""
    in_app: bool = True
    """False for the standard library, installed packages and generated code."""
    first_lineno: int = 0
    """Line number of ``source[0]``."""
    source: tuple[str, ...] = ()
    """Lines around `lineno` without line ends, tabs expanded, indentation kept; () where there is no source."""
    variables: tuple[Variable, ...] = ()
    """Locals, those named on the failing line first. Empty for library frames."""
    focus: tuple[str, ...] = ()
    """The names in `variables` that occur in the failing part, in order of occurrence."""
    omitted: int = 0
    """How many local variables are not in `variables`."""
    note: str = ""
    """Why there is no source, or what is wrong with it: "changed since it was loaded"; "" where all is well."""
    url: str = ""
    """Where its source can be read, of SOURCE_URL; "" without one."""

    @property
    def line(self) -> str:
        """The failing line, or "" where there is no source."""
        index = (self.lineno or 0) - self.first_lineno
        return self.source[index] if self.source and 0 <= index < len(self.source) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedException:
    """An exception with what led to it."""

    type_name: str
    """``__qualname__`` of its class."""
    module: str
    """Module of its class; "" for builtins and ``__main__``, which Python does not print either."""
    message: str
    """``str(exc)``, bounded and redacted; "<unprintable PricingError object>" where that failed."""
    notes: tuple[str, ...] = ()
    """PEP 678."""
    details: tuple[str, ...] = ()
    """Lines that Python prints between the frames and the message: where a SyntaxError stands."""
    frames: tuple[Frame | Elision, ...] = ()
    """Outermost first."""
    cause: CapturedException | None = None
    """What it came from: `__cause__`, or `__context__` unless that is suppressed."""
    relation: Literal["cause", "context", ""] = ""
    """Which of the two `cause` is."""
    members: tuple[CapturedException, ...] = ()
    """Of an exception group."""
    members_omitted: int = 0
    """How many members beyond the bound are not in `members`."""
    cut: str = ""
    """Why the chain ends here although the exception has more: "seen above", "chain longer than 50"."""

    @property
    def qualified_name(self) -> str:
        """As Python prints it: with the module, except for builtins and ``__main__``."""
        return f"{self.module}.{self.type_name}" if self.module else self.type_name

    @property
    def culprit(self) -> Frame | None:
        """The innermost application frame; if there is none, the innermost frame."""
        return _culprit(self.frames)

    def chain(self) -> Iterator[CapturedException]:
        """Yield it, then what it came from, and so on: last happened first."""
        link: CapturedException | None = self
        while link is not None:
            yield link
            link = link.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An uploaded file: never its content."""

    field: str
    filename: str
    content_type: str
    size: int | None
    """In bytes; None where it was not read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, whatever framework it came through."""

    method: str
    url: str
    """Absolute, with the query string; secrets in it redacted."""
    path: str
    """Decoded, with the part that the server stripped (SCRIPT_NAME, root_path)."""
    query: tuple[Variable, ...] = ()
    form: tuple[Variable, ...] = ()
    """Urlencoded and multipart fields; the top level of a JSON body."""
    files: tuple[Upload, ...] = ()
    headers: tuple[Variable, ...] = ()
    """Without Cookie, which is in `cookies`."""
    cookies: tuple[Variable, ...] = ()
    session: tuple[Variable, ...] = ()
    """Keys only: each value is `REDACTED`."""
    remote_addr: str = ""
    internal: bool = False
    """`remote_addr` is in INTERNAL_IPS."""
    user: str = ""
    route: str = ""
    """Endpoint, view or route name, where the framework told."""
    status: int | None = None
    """Of the response, where it had begun."""
    seconds: float | None = None
    """From the start of the request to the failure."""
    request_id: str = ""
    """As a proxy or the framework gave it (X-Request-ID and the like)."""
    trace_id: str = ""
    """Of the W3C traceparent header: 32 hex digits."""
    curl: str = ""
    """A shell command that repeats the request, "" where none could: secrets redacted."""
    notes: tuple[str, ...] = ()
    """What could not be read, or was cut: "body: only the first 65,536 bytes were kept"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where the program ran."""

    host: str
    pid: int
    process: str
    """What runs in it: the script's name or the process's title."""
    thread: str
    task: str
    """Name of the asyncio task, "" outside of one."""
    python: str
    """"CPython 3.13.1"."""
    platform: str
    """"Linux 6.12 x86_64"."""
    uptime: float | None = None
    """Seconds since the process was started; None where unknown."""
    memory: int | None = None
    """Bytes of the process that are in memory; None where unknown."""
    packages: tuple[Variable, ...] = ()
    """Installed distributions that occur in the traceback: name and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A log record from before the failure."""

    at: float
    """Unix time."""
    level: str
    logger: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows that the program adds to its reports (`SECTIONS`)."""

    title: str
    rows: tuple[Variable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often a group has occurred, as far as this process knows."""

    occurrences: int
    """With this one."""
    first_at: float
    """Unix time of the first."""
    since: float
    """Unix time from which on was counted: the start of the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One failure in full."""

    exception: CapturedException | None
    """None for a log record, or a response with an error status, without one."""
    message: str
    """The log record's formatted message; the status line of a response; "" for a bare exception."""
    level: str
    """Name of the log level: "ERROR"."""
    logger: str
    """Name of the logger, "" where the failure did not come through logging."""
    call_site: str
    """Where the record was logged: "shop/views.py:17 in checkout"; "" without a record."""
    stack: str
    """The record's `stack_info`, or a traceback that came as text only (QueueHandler); may be ""."""
    extra: tuple[Variable, ...]
    """The record's own fields (`extra=`)."""
    context: tuple[Variable, ...]
    """From `errormail.context(...)` and `report_exception(**context)`."""
    request: Request | None
    runtime: Runtime
    service: str
    environment: str
    release: str
    """Each "" where not known."""
    occurred_at: float
    """Unix time."""
    fingerprint: str
    """The group's, 12 hex digits."""
    calls: tuple[Frame | Elision, ...] = ()
    """Without an exception: the frames of whoever logged the record, outermost first."""
    log: tuple[LogLine, ...] = ()
    """What was logged before, in the same request, task or thread: oldest first."""
    log_omitted: int = 0
    """How many lines before those in `log` are known of and not shown."""
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader must know of the report itself: what was cut, which step failed."""

    @property
    def headline(self) -> str:
        """What the h1 and the subject begin with: the exception's type, else the level."""
        return self.exception.type_name if self.exception else self.level

    @property
    def culprit(self) -> Frame | None:
        """That of the exception, else that of who logged the record."""
        return self.exception.culprit if self.exception else _culprit(self.calls)

    @property
    def summary(self) -> str:
        """The words after the headline: the exception's message, else the record's."""
        return self.exception.message if self.exception else self.message


def _culprit(entries: tuple[Frame | Elision, ...]) -> Frame | None:
    frames = [entry for entry in entries if isinstance(entry, Frame)]
    app = [frame for frame in frames if frame.in_app]
    return app[-1] if app else frames[-1] if frames else None
