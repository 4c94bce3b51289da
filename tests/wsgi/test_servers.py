"""Behind real servers: one email for each failure, and to the client not a byte of difference."""

from __future__ import annotations

import re
import signal

import pytest

from actors.serving import SERVERS, ask, ask_and_leave, serving
from actors.wsgi_app import FILE

FORM = b"item=cocoa&password=hunter2hunter2"
REQUESTS = [
    ("GET", "/"),
    ("GET", "/call"),
    ("GET", "/stream"),
    ("GET", "/close"),
    ("GET", "/status"),
    ("GET", "/file"),
    ("POST", "/form", FORM, ["Content-Type: application/x-www-form-urlencoded"]),
    ("GET", "/"),
]
EXPECTED = {
    "CallError": "GET http://shop.example.com/call",
    "StreamError": "GET http://shop.example.com/stream",
    "CloseError": "GET http://shop.example.com/close",
    "FormError": "POST http://shop.example.com/form",
    "503 Service Unavailable": "GET http://shop.example.com/status",
}
"""What the subject names, and the line of the request."""


@pytest.fixture(autouse=True)
def interruptible():
    """A shell that runs the tests in the background has them ignore SIGINT, and their children would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def mail_to(smtp_server):
    return {
        "ERRORMAIL_ADMINS": "ops@example.com",
        "ERRORMAIL_EMAIL_URL": f"smtp://127.0.0.1:{smtp_server.port}",
    }


def joined(answer):
    """Return *answer* without the marks between chunks: Werkzeug's server sends such."""
    return re.sub(rb"\r\n[0-9a-f]+\r\n", b"", answer)


@pytest.mark.parametrize("server", SERVERS)
def test_each_failure_is_one_email_and_the_client_sees_no_difference(server, smtp_server):
    with serving(server, "actors.wsgi_app", "bare") as port:
        expected = [ask(port, *request) for request in REQUESTS]
    assert b"well done" in joined(expected[0])
    assert FILE in joined(expected[5])

    with serving(server, "actors.wsgi_app", "application", **mail_to(smtp_server)) as port:
        assert [ask(port, *request) for request in REQUESTS] == expected
        smtp_server.wait_for(len(EXPECTED))
    messages = {
        name: envelope.message
        for envelope in smtp_server.messages
        for name in EXPECTED
        if name in envelope.message["Subject"]
    }
    assert len(smtp_server.messages) == len(messages) == len(EXPECTED)
    for name, message in messages.items():
        assert EXPECTED[name] in message.get_body(("plain",)).get_content()
    form = messages["FormError"].get_body(("plain",)).get_content()
    assert "item: cocoa" in form
    assert b"hunter2" not in b"".join(envelope.content for envelope in smtp_server.messages)


@pytest.mark.parametrize("server", SERVERS)
def test_a_client_that_hangs_up_is_no_failure(server, smtp_server):
    with serving(server, "actors.wsgi_app", "application", **mail_to(smtp_server)) as port:
        ask_and_leave(port, "/endless")
        assert b"left" in ask(port, "GET", "/left")
        assert b"well done" in joined(ask(port, "GET", "/"))
    assert smtp_server.messages == []
