"""``python -m errormail`` is the command."""

from __future__ import annotations

import importlib
import subprocess
import sys

import errormail


def test_python_m_runs_the_command():
    command = [sys.executable, "-m", "errormail", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert errormail.__version__ in done.stdout


def test_importing_it_runs_nothing(capsys):
    importlib.import_module("errormail.__main__")
    assert capsys.readouterr().out == ""
