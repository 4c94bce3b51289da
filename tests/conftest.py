"""What every test starts from: nothing configured, nothing swallowed, an empty outbox."""

from __future__ import annotations

import os

import pytest

from errormail import _contain, conf


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch):
    for name in [name for name in os.environ if name.startswith("ERRORMAIL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(_contain, "strict", True)
    _contain.failures.clear()
    conf.configure()
    yield
    conf.configure()


@pytest.fixture
def outbox():
    """Mail stays in this list."""
    from errormail import mail

    mail.outbox = []
    with conf.override_settings(EMAIL_BACKEND="errormail.mail.backends.locmem.EmailBackend"):
        yield mail.outbox
    mail.outbox = []


@pytest.fixture
def smtp_server():
    """A mail server on a loopback port that takes everything."""
    from actors.smtp import SmtpServer

    with SmtpServer() as server:
        yield server
