"""One failure that middleware, framework and server all see and log is one email."""

from __future__ import annotations

import pytest

from actors.serving import SERVERS, ask, serving

FORM = b"item=cocoa&password=hunter2hunter2"
TYPE = ("Content-Type: application/x-www-form-urlencoded",)


@pytest.mark.parametrize("server", SERVERS)
def test_middleware_framework_and_server_log_make_one_email(server, smtp_server):
    environment = {
        "ERRORMAIL_ADMINS": "ops@example.com",
        "ERRORMAIL_EMAIL_URL": f"smtp://127.0.0.1:{smtp_server.port}",
    }
    with serving(server, "actors.flask_logged", "application", **environment) as port:
        ask(port, "POST", "/view", FORM, TYPE)
        smtp_server.wait_for(1)
        ask(port, "GET", "/teardown")
        smtp_server.wait_for(2)
    # The server has ended, and sent whatever waited.
    assert [each.message["Subject"] for each in smtp_server.messages] == [
        "[errormail] KeyError: 'cocoa' in view (actors/flask_logged.py)",
        "[errormail] RuntimeError: in teardown in teardown (actors/flask_logged.py)",
    ]
    texts = [each.message.get_body(("plain",)).get_content() for each in smtp_server.messages]
    assert "POST http://shop.example.com/view" in texts[0]
    assert "item: cocoa" in texts[0]
    assert "GET http://shop.example.com/teardown" in texts[1]
    assert not any("hunter2" in text for text in texts)
