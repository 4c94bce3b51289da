"""Django with errormail's handler in place of its own: what Django logs, and what of it is mailed."""

from __future__ import annotations

import io
import logging
import sys
import types
from wsgiref.util import setup_testing_defaults

import pytest

from actors.frameworks import set_up_django
from errormail import conf, mail
from errormail.handler import AdminEmailHandler

set_up_django()

from django.core.exceptions import SuspiciousOperation  # noqa: E402 -- Django must be set up before
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import Http404, HttpResponse, HttpResponseServerError  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import clear_url_caches, path  # noqa: E402


def crash(request):
    request.POST.get("item")
    return [][1]


def suspicious(request):
    raise SuspiciousOperation("odd\r\ncookie")


def missing(request):
    raise Http404


def unavailable(request):
    return HttpResponseServerError("sorry")


URLS = types.ModuleType("urls_of_test_django")
URLS.urlpatterns = [
    path("crash", crash),
    path("suspicious", suspicious),
    path("missing", missing),
    path("unavailable", unavailable),
    path("host", lambda request: HttpResponse(request.get_host())),
    path("fine", lambda request: HttpResponse("fine")),
]


@pytest.fixture(autouse=True)
def _django(outbox, monkeypatch):
    monkeypatch.setitem(sys.modules, URLS.__name__, URLS)
    logger = logging.getLogger("django")
    before = logger.handlers[:]
    logger.handlers[:] = [AdminEmailHandler(level="ERROR")]
    with (
        override_settings(ROOT_URLCONF=URLS.__name__, DEBUG_PROPAGATE_EXCEPTIONS=False),
        conf.override_settings(ADMINS=["ops@example.com"], DELIVERY="sync"),
    ):
        clear_url_caches()
        yield
    logger.handlers[:] = before
    clear_url_caches()


def ask(where, body=b"", **more):
    """Return the status that Django answers."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": where,
        "HTTP_HOST": "shop.example.com",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "REMOTE_ADDR": "203.0.113.24",
        **more,
    }
    setup_testing_defaults(environ)
    statuses = []
    response = WSGIHandler()(
        environ, lambda status, headers, exc_info=None: statuses.append(status)
    )
    list(response)
    response.close()
    return int(statuses[0][:3])


@pytest.mark.row("H1", "H11")
def test_an_exception_in_a_view_is_mailed_with_its_request():
    assert ask("/crash", b"item=cocoa&password=hunter2hunter2") == 500
    (message,) = mail.outbox
    assert (
        message.subject
        == "[errormail] IndexError: list index out of range in crash (tests/test_django.py)"
    )
    assert "POST http://shop.example.com/crash" in message.body
    assert "item: cocoa" in message.body
    assert "password: [redacted]" in message.body
    assert "test_django.crash" in message.body


@pytest.mark.row("H11")
def test_any_5xx_answer_is_mailed():
    assert ask("/unavailable") == 500
    (message,) = mail.outbox
    assert message.subject == "[errormail] ERROR (EXTERNAL IP): Internal Server Error: /unavailable"


@pytest.mark.row("H11")
def test_a_404_is_a_warning_and_not_mailed():
    assert ask("/missing") == 404
    assert ask("/fine") == 200
    assert mail.outbox == []


@pytest.mark.row("H11", "H5")
def test_a_suspicious_operation_is_mailed_though_it_is_a_400():
    assert ask("/suspicious") == 400
    (message,) = mail.outbox
    assert (
        message.subject
        == r"[errormail] SuspiciousOperation: odd\r\ncookie in suspicious (tests/test_django.py)"
    )


@pytest.mark.row("H11")
def test_a_disallowed_host_is_mailed_although_its_request_has_no_address():
    assert ask("/host", HTTP_HOST="evil.example.com") == 400
    (message,) = mail.outbox
    assert "DisallowedHost" in message.subject
    assert "evil.example.com" in message.body


@pytest.mark.row("H11", "X12")
def test_control_characters_of_a_path_are_visible():
    assert ask("/missing\r\n\x1b[2J") == 404
    assert ask("/crash", HTTP_USER_AGENT="a\x1b[2Jb") == 500
    (message,) = mail.outbox
    assert "\x1b" not in message.body
    assert r"a\x1b[2Jb" in message.body
