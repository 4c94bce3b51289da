"""What every test starts from: nothing configured, nothing swallowed, an empty outbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from errormail import _contain, conf
from errormail.reporter import tail

# No deadline: the time of one example says more about what else runs on the machine.
settings.register_profile("errormail", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("errormail")


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _clean_slate():
    with pytest.MonkeyPatch.context() as patch:  # undone last, after what a test patches
        for name in [name for name in os.environ if name.startswith("ERRORMAIL_")]:
            patch.delenv(name)
        patch.setattr(_contain, "strict", True)
        patch.setattr(conf, "_configured", conf.Settings())
        _contain.failures.clear()
        tail._of_threads.__dict__.clear()  # no test shows the log lines of another
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


@pytest.fixture
def emailcheck(tmp_path):
    """Fail if an email is not fit for the mail clients that people have, or lacks one of the facts."""
    checker = SHARED / "email" / "emailcheck.py"
    if not checker.exists():
        if os.environ.get("CI") and SHARED.exists():
            pytest.fail("the checker has gone from the folder beside this clone")
        pytest.skip("the checker is not beside this clone")

    def check(content, facts=None):
        mail, facts_file = tmp_path / "mail.eml", tmp_path / "facts.json"
        mail.write_bytes(content)
        facts_file.write_text(json.dumps(facts), encoding="utf-8")
        with_facts = ["--facts", facts_file] if facts else []
        command = [sys.executable, checker, mail, *with_facts, "--budget", "60000", "--strict"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return check
