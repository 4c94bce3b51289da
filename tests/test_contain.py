"""A failure of errormail itself is swallowed in one place, counted, and said once."""

from __future__ import annotations

import io
import sys

import pytest

from errormail import _contain
from errormail._contain import contained, describe, tell


@pytest.fixture
def lenient(monkeypatch):
    monkeypatch.setattr(_contain, "strict", False)


def fail():
    raise KeyError("a secret")


def test_a_failure_is_swallowed_counted_and_said_once(lenient, capsys):
    for _ in range(3):
        with contained("capture"):
            fail()
    assert _contain.failures["capture"] == 3
    said = capsys.readouterr().err
    assert said.startswith("errormail: capture failed with KeyError at test_contain.py:")
    assert said.count("\n") == 1
    assert "secret" not in said


def test_what_does_not_fail_says_nothing(lenient, capsys):
    with contained("capture"):
        pass
    assert not _contain.failures
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_passes(lenient, error):
    with pytest.raises(error), contained("capture"):
        raise error


def test_tests_see_every_failure():
    with pytest.raises(KeyError), contained("capture"):
        fail()


@pytest.mark.parametrize(
    "stream", [None, io.TextIOWrapper(io.BytesIO(), encoding="ascii"), object()]
)
def test_stderr_may_be_missing_closed_or_of_another_kind(stream, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream)
    tell("ä")
    if isinstance(stream, io.TextIOWrapper):
        stream.close()
        tell("closed")


def test_an_exception_without_traceback_is_described_by_its_type():
    assert describe(KeyError("x"), None) == "KeyError"
