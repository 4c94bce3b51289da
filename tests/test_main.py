"""``python -m errormail`` is the command."""

from __future__ import annotations

import runpy
import sys

import pytest

import errormail


def test_python_m_runs_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["errormail", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("errormail", run_name="__main__")
    assert not ended.value.code
    assert errormail.__version__ in capsys.readouterr().out


def test_importing_it_runs_nothing(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["errormail", "--version"])
    runpy.run_module("errormail.__main__", run_name="imported")
