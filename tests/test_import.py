"""`import errormail` costs a program next to nothing: what is heavy is imported when it is first used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import errormail

HEAVY = {"asyncio", "email", "html", "smtplib", "socketserver", "sqlite3", "ssl"}
FOLDER = str(Path(errormail.__file__).parent.parent)
PREFACE = f"import sys; sys.path.insert(0, {FOLDER!r}); import errormail\n"


def imported_by(code):
    """Return the top-level modules that a fresh interpreter imports for *code*, nothing of site-packages in its way."""
    command = [sys.executable, "-I", "-S", "-X", "importtime", "-c", PREFACE + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_the_measurement_sees_what_is_imported():
    assert {"errormail", "smtplib", "email"} <= imported_by("import smtplib")


def test_importing_errormail_loads_nothing_heavy():
    assert HEAVY & imported_by("") == set()


@pytest.mark.parametrize("door", ["handler", "wsgi", "reporter", "conf"])
def test_importing_a_door_loads_nothing_heavy(door):
    assert HEAVY & imported_by(f"import errormail.{door}") == set()


def test_making_handler_and_middleware_loads_nothing_heavy():
    code = "errormail.AdminEmailHandler(); errormail.wsgi.ErrorReportMiddleware(lambda environ, start_response: [])"
    assert HEAVY & imported_by(code) == set()


def test_configuring_loads_no_network():
    code = "errormail.configure(ADMINS=['ops@example.com'], EMAIL_URL='smtp+tls://u:p@smtp.example.com')"
    assert {"asyncio", "smtplib", "socketserver", "sqlite3", "ssl"} & imported_by(code) == set()


def test_reporting_without_recipients_loads_nothing_heavy():
    code = "try: 1 / 0\nexcept ZeroDivisionError: errormail.report_exception()"
    assert HEAVY & imported_by(code) == set()
