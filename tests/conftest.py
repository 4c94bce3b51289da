"""What every test starts from: nothing configured, nothing swallowed, an empty outbox."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from errormail import _contain, conf

# No deadline: the time of one example says more about what else runs on the machine.
settings.register_profile("errormail", deadline=None)
settings.load_profile("errormail")


@pytest.fixture(autouse=True)
def _clean_slate():
    with pytest.MonkeyPatch.context() as patch:  # undone last, after what a test patches
        for name in [name for name in os.environ if name.startswith("ERRORMAIL_")]:
            patch.delenv(name)
        patch.setattr(_contain, "strict", True)
        patch.setattr(conf, "_configured", conf.Settings())
        _contain.failures.clear()
        yield


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
