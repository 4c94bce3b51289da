"""A 404 whose Referer is another page of the same site: somebody there has a broken link, and MANAGERS can mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from errormail._addresses import to_strings
from errormail._contain import contained
from errormail.report.visible import one_line, shorten
from errormail.reporter import Failure, Overrides, SettingsSource, report, resolve_settings

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["BrokenLinkMiddleware"]

_URL_CHARS = 2_000
_HOST_CHARS = 100
_AGENT_CHARS = 300
_READ_CHARS = 16_384
"""What is looked at of a header at all: more than servers take."""
_DEFAULT_PORT = re.compile(r":(80|443)?$")


class BrokenLinkMiddleware:
    """
    A WSGI application that serves what *app* serves, and mails MANAGERS when a link to it is broken.

    That is: the answer is 404, and the Referer is another page of the same host. Nothing is mailed while DEBUG is on,
    nor of what IGNORABLE_404_URLS has: regular expressions, searched in the path with its query. Django's
    BrokenLinkEmailsMiddleware, but for links from other sites.

    Args:
        external: Whether links from other sites count too, unless there is a "?" in the Referer (a search engine), as in
            Django. Any client can claim to come from anywhere.
        settings: In place of the process-wide ones: settings, or a callable that gives them when they are needed.
    """

    def __init__(
        self, app: WSGIApplication, *, external: bool = False, settings: SettingsSource = None
    ) -> None:
        self._app = app
        self._external = external
        self._settings = settings

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        __traceback_hide__ = True  # the report leaves such a frame out
        if not environ.get("HTTP_REFERER"):
            return self._app(environ, start_response)

        def watched(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            if exc_info is None:
                write = start_response(status, headers)
            else:
                write = start_response(status, headers, exc_info)
            if status[:3] == "404":
                with contained("broken link"):
                    self._tell(environ)
            return write

        return self._app(environ, watched)

    def _tell(self, environ: WSGIEnvironment) -> None:
        settings = resolve_settings(self._settings)
        if not settings.MANAGERS:
            return
        visit = visit_of(environ)
        if not is_broken_link(visit, settings.IGNORABLE_404_URLS, external=self._external):
            return
        subject = subject_of(visit)
        report(
            Failure(request=environ, message=f"{subject}\n\n{message_of(visit)}", level="WARNING"),
            settings=settings,
            overrides=Overrides(
                admins=to_strings(settings.MANAGERS),
                place="MANAGERS",
                format_subject=lambda _usual: subject,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody followed a link, or says so. All of it is text that the client chose."""

    host: str
    path: str
    """Percent-encoded, with the query."""
    referrer: str
    user_agent: str
    remote_addr: str


def visit_of(environ: WSGIEnvironment) -> Visit:
    """Return what *environ* says of where the client is and where it came from."""
    from urllib.parse import quote

    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    query = str(environ.get("QUERY_STRING", ""))
    encoded = quote(path.encode("latin-1", "replace"), safe="/!$&'()*+,;=:@-._~")
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    return Visit(
        host=str(host),
        path=f"{encoded}?{query}" if query else encoded,
        referrer=_decoded(environ.get("HTTP_REFERER")),
        user_agent=_decoded(environ.get("HTTP_USER_AGENT")),
        remote_addr=str(environ.get("REMOTE_ADDR", "")),
    )


def _decoded(header: object) -> str:
    text = str(header or "")[:_READ_CHARS]
    return text.encode("latin-1", "replace").decode(
        "utf-8", "replace"
    )  # PEP 3333: bytes as latin-1


def is_broken_link(
    visit: Visit, ignorable: Sequence[str | re.Pattern[str]], *, external: bool = False
) -> bool:
    """Return whether *visit*, answered by 404, is one that MANAGERS want to hear of."""
    from urllib.parse import unquote, urlsplit

    try:
        referrer = urlsplit(visit.referrer)
    except ValueError:  # "http://[": no URL
        return False
    if not is_internal(visit) and (not external or not referrer.netloc or "?" in visit.referrer):
        return False
    # A page that does not exist links to nothing: a bot that sends where it goes as where it came from.
    came_from = f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path
    is_same_page = unquote(visit.path) in {unquote(came_from), unquote(referrer.path)}
    if is_same_page and _same_host(referrer.netloc, visit.host):
        return False
    return not any(re.search(pattern, visit.path) for pattern in ignorable)


def is_internal(visit: Visit) -> bool:
    """Return whether the referrer is a page of the host that was asked."""
    scheme, separator, rest = visit.referrer.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return bool(separator) and scheme.lower() in {"http", "https"} and _same_host(host, visit.host)


def _same_host(one: str, other: str) -> bool:
    return _DEFAULT_PORT.sub("", one).lower() == _DEFAULT_PORT.sub("", other).lower()


def subject_of(visit: Visit) -> str:
    """Return Django's subject: ``Broken INTERNAL link on www.example.com``."""
    kind = "INTERNAL link" if is_internal(visit) else "link"
    return f"Broken {kind} on {shorten(one_line(visit.host[:_READ_CHARS]), _HOST_CHARS)}"


def message_of(visit: Visit) -> str:
    """Return what Django's email says, a line each. Reports redact what stands in it."""
    lines = {
        "Referrer": (visit.referrer, _URL_CHARS),
        "Requested URL": (visit.path, _URL_CHARS),
        "User agent": (visit.user_agent, _AGENT_CHARS),
        "IP address": (visit.remote_addr, _AGENT_CHARS),
    }
    return "\n".join(
        f"{name}: {shorten(one_line(text[:_READ_CHARS]), chars)}"
        for name, (text, chars) in lines.items()
    )
