"""
A Job becomes an email. Some email always goes.

A ladder, not an empty result, for each part: the full report → without values → a plain traceback in place of the text
→ one line with the type. What failed on the way stands at the end of the text. A rung counts only once its message has
been built, since a header or a charset can fail as well.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from email.charset import QP, Charset
from email.utils import format_datetime
from email.utils import make_msgid as python_make_msgid

from errormail._addresses import parse_address
from errormail._contain import contained, describe
from errormail.delivery.attachments import Attachment, json_file, text_file
from errormail.delivery.job import Destination, Job
from errormail.mail import EmailMultiAlternatives, make_msgid
from errormail.report.model import CapturedException, Frame, Report
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.rendering.html import render_html
from errormail.report.rendering.subject import SUBJECT_CHARS, subject_line
from errormail.report.rendering.text import render_text
from errormail.report.rendering.trim import Rendered
from errormail.report.slim import without_values
from errormail.report.visible import one_line, shorten, visible

__all__ = ["compose"]

FOREIGN_CHARS = 1_000_000
"""Of text or HTML that a reporter class of the user made."""
PLAIN_CHARS = 500
"""Per line of the plain ones."""


# Gmail clips ISO-8859-1, whatever its size. Lines of at most 76 characters pass every server: email/DESIGN, Envelope.
_QUOTED_PRINTABLE_UTF8 = Charset("utf-8")
_QUOTED_PRINTABLE_UTF8.body_encoding = QP


def compose(job: Job) -> EmailMultiAlternatives:
    """Return the email of *job*, with the Message-ID and the Date that it keeps from now on."""
    failed: list[str] = []
    headers = _headers(job)
    subject = _subject(job, failed)
    for name, rung in _RUNGS:
        with _step(name, failed):
            email = _email(job, subject, headers, rung(job, failed), failed)
            email.message()
            return email
    return _email(job, "Error report", headers, _Parts(_one_line(job)), failed)


class _Parts:
    """What an email consists of."""

    __slots__ = ("attachments", "html", "text")

    def __init__(
        self, text: str, html: str | None = None, attachments: Sequence[Attachment] = ()
    ) -> None:
        self.text = text
        self.html = html
        self.attachments = attachments


@contextmanager
def _step(name: str, failed: list[str]) -> Generator[None]:
    """Contain a failure, and note it for the reader."""
    with contained(f"composing {name}"):
        try:
            yield
        except Exception as error:
            failed.append(f"{name} failed with {describe(error, error.__traceback__)}")
            raise


def _headers(job: Job) -> dict[str, str]:
    now = datetime.now(timezone.utc)
    if job.destination.settings.EMAIL_USE_LOCALTIME:
        now = now.astimezone()
    return {
        "Message-ID": _message_id(job.destination),
        "Date": format_datetime(now),
        "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation replies
        "X-Auto-Response-Suppress": "All",  # the same for Exchange
        "X-Errormail-Kind": "report",
        "X-Errormail-Fingerprint": one_line(job.report.fingerprint),
        "X-Errormail-Occurrences": "1",
    }


def _message_id(to: Destination) -> str:
    """
    Return a Message-ID on the sender's domain, else on this host's, else on that of a recipient.

    The sender's comes first: spam filters compare the two, and the look-up of the host's name may wait for a name
    server, which the end of a program has no time for.
    """
    domain = _domain_of(to.sender)
    if domain:
        return python_make_msgid(domain=domain)
    of_host = make_msgid()
    if "." in of_host.rpartition("@")[2]:
        return of_host
    of_recipients: Iterator[str] = filter(None, map(_domain_of, to.recipients))
    of_recipient = next(of_recipients, None)
    return of_host if of_recipient is None else python_make_msgid(domain=of_recipient)


def _domain_of(address: str) -> str:
    """Return the domain of *address*, "" where it has none that other hosts know."""
    with contained("domain of an address"):
        domain = parse_address(address)[1].rpartition("@")[2].encode("idna").decode("ascii")
        if "." in domain and not domain.startswith("["):
            return domain
    return ""


def _subject(job: Job, failed: list[str]) -> str:
    with _step("the subject", failed):
        if job.subject is not None:
            # Its begin is somebody else's: no line end, and no encoded word, which Python's header code may decode.
            return one_line(job.subject).replace("=?", "= ?")
        return subject_line(job.report, prefix=job.destination.subject_prefix)
    return shorten(f"{one_line(job.destination.subject_prefix)}error", SUBJECT_CHARS)


def _email(
    job: Job, subject: str, headers: dict[str, str], parts: _Parts, failed: list[str]
) -> EmailMultiAlternatives:
    text = f"{job.preface}\n\n{parts.text}" if job.preface else parts.text
    if failed:
        text = f"{text.rstrip()}\n\nerrormail could not make all of this email:\n" + "".join(
            f"  {line}\n" for line in dict.fromkeys(failed)
        )
    email = EmailMultiAlternatives(
        subject=subject,
        body=_encodable(text),
        from_email=job.destination.sender,
        to=job.destination.recipients,
        headers=dict(headers),
    )
    email.encoding = _QUOTED_PRINTABLE_UTF8
    if parts.html is not None:
        email.attach_alternative(_encodable(parts.html), "text/html")
    for attachment in parts.attachments:
        email.attach(*attachment)
    return email


def _all_parts(job: Job, failed: list[str]) -> _Parts:
    if job.rendered is not None:
        text, html = job.rendered
        html = None if html is None or not job.destination.include_html else html[:FOREIGN_CHARS]
        files = _files(job, failed, is_cut=False)
        return _Parts(text[:FOREIGN_CHARS], html, files)
    text_part, html_part = _text(job, failed), _html(job, failed)
    is_cut = text_part.is_cut or (html_part is not None and html_part.is_cut)
    html = None if html_part is None else html_part.content
    return _Parts(text_part.content, html, _files(job, failed, is_cut=is_cut))


def _text_alone(job: Job, failed: list[str]) -> _Parts:
    if job.rendered is not None:
        return _Parts(job.rendered[0][:FOREIGN_CHARS])
    return _Parts(_text(job, failed).content)


def _plain_text(job: Job, _failed: list[str]) -> _Parts:
    return _Parts(_plain_lines(job))


_RUNGS: tuple[tuple[str, Callable[[Job, list[str]], _Parts]], ...] = (
    ("the email as a whole", _all_parts),
    ("the text alone", _text_alone),
    ("the plain traceback", _plain_text),
)


def _text(job: Job, failed: list[str]) -> Rendered:
    for name, report in _with_and_without_values(job, "the text part", failed):
        with _step(name, failed):
            return render_text(report(), frequency=job.frequency, footer=_footer(job))
    with _step("the plain traceback", failed):
        return Rendered(_plain_lines(job), False)
    return Rendered(_one_line(job), False)


def _html(job: Job, failed: list[str]) -> Rendered | None:
    if job.destination.include_html:
        for name, report in _with_and_without_values(job, "the HTML part", failed):
            with _step(name, failed):
                return render_html(report(), frequency=job.frequency, footer=_footer(job))
    return None


def _with_and_without_values(
    job: Job, name: str, failed: list[str]
) -> Iterator[tuple[str, Callable[[], Report]]]:
    yield name, lambda: job.report
    yield f"{name} without values", lambda: without_values(job.report)


def _files(job: Job, failed: list[str], *, is_cut: bool) -> list[Attachment]:
    """Return what is attached: the whole report where the mail is not; report.json also where a step failed or it is wanted."""
    files: list[Attachment] = []
    if is_cut:
        with _step("report.txt", failed):
            whole = render_text(job.report, frequency=job.frequency, footer="", bound=None)
            files.append(text_file(whole.content))
    if is_cut or failed or job.destination.settings.ATTACH_JSON:
        with _step("report.json", failed):
            files.append(json_file(job.report, job.frequency))
    return files


def _footer(job: Job) -> str:
    reason = DEFAULT_REDACTOR.text(job.destination.reason)
    return f"You get this because {reason}. Each occurrence is one email." if reason else ""


def _plain_lines(job: Job) -> str:
    """Return what a reader needs most, made by nothing that could fail on the report's content."""
    lines = [_plain(each) for each in _facts(job.report)]
    return "\n".join([*lines, "", "-- ", _plain(_footer(job)), ""])


def _one_line(job: Job) -> str:
    """Return the last rung: it must not fail, whatever the report is."""
    name = ""
    with contained("the type alone"):
        name = _plain(job.report.headline)
    return f"{name or 'An error'} was reported.\n"


def _facts(report: Report) -> Generator[str]:
    yield f"{report.headline}: {report.summary}"
    where = ", ".join(filter(None, (report.service, report.environment, report.release)))
    yield f"{where or report.runtime.process}, {_moment(report.occurred_at)}"
    if report.request is not None:
        yield f"{report.request.method} {report.request.url}"
    if report.call_site:
        yield f"logged at {report.call_site}"
    for exception in report.exception.chain() if report.exception else ():
        yield ""
        yield from _traceback(exception)
    yield ""
    yield from report.stack.splitlines()[-50:]
    yield f"Group {report.fingerprint}"


def _traceback(exception: CapturedException) -> Generator[str]:
    for frame in exception.frames:
        if isinstance(frame, Frame):
            yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.function}'
        else:
            yield f"  [{frame.text}]"
    yield f"{exception.qualified_name}: {exception.message}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _plain(text: str) -> str:
    return shorten(visible(text).replace("\n", "\n    "), PLAIN_CHARS)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
