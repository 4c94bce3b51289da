"""A fork waits for what it must not cut in two, but not for ever."""

from __future__ import annotations

import threading

import pytest

from actors.smtp import PATIENCE
from errormail import _forking as forking
from errormail._forking import undivided


@pytest.fixture(autouse=True)
def _own_lock(monkeypatch):
    monkeypatch.setattr(forking, "_lock", threading.RLock())
    monkeypatch.setattr(forking, "_children", [])


def is_free():
    """Return whether another thread than this one could have the lock."""
    answers = []

    def look():
        answers.append(forking._lock.acquire(blocking=False))
        if answers[0]:
            forking._lock.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(PATIENCE)
    return answers[0]


@pytest.fixture
def busy():
    """Another thread is in the midst of something. Set it to let it end."""
    gate, begun = threading.Event(), threading.Event()

    def work():
        with undivided():
            begun.set()
            gate.wait(PATIENCE)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(PATIENCE)
    yield gate
    gate.set()
    thread.join(PATIENCE)


def test_a_fork_holds_the_lock_as_long_as_it_goes_on():
    forking.before_fork()
    assert not is_free()
    forking.after_fork_in_parent()
    assert is_free()


def test_a_fork_waits(busy, monkeypatch):
    monkeypatch.setattr(forking, "LONGEST_SECONDS", PATIENCE)
    steps = []

    def fork():
        forking.before_fork()
        steps.append("fork")
        forking.after_fork_in_parent()

    thread = threading.Thread(target=fork)
    thread.start()
    steps.append("end of the work")
    busy.set()
    thread.join(PATIENCE)
    assert steps == ["end of the work", "fork"]
    assert is_free()


def test_a_fork_does_not_wait_for_ever(busy, monkeypatch):
    monkeypatch.setattr(forking, "LONGEST_SECONDS", 0.01)
    forking.before_fork()
    forking.after_fork_in_parent()  # releases nothing that is not its own
    assert not is_free()


def test_a_fork_in_the_midst_of_which_this_was_loaded_releases_nothing(monkeypatch):
    monkeypatch.setattr(forking, "_own", threading.local())
    forking.after_fork_in_parent()
    assert is_free()


@pytest.mark.usefixtures("busy")
def test_a_child_begins_with_a_free_lock_and_is_told():
    told = []
    forking.when_forked(lambda: told.append("child"))
    forking.after_fork_in_child()
    assert told == ["child"]
    assert is_free()
