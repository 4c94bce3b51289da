"""A worker of the test's own, that leaves nothing behind."""

from __future__ import annotations

import threading

import pytest

from actors.jobs import Recorder
from errormail.delivery.worker import Worker


def threads():
    """Return the threads that deliver."""
    return [thread for thread in threading.enumerate() if thread.name == "errormail"]


def end(worker):
    """Let the thread of *worker* end now."""
    worker._idle_seconds = 0
    worker.flush(30)


@pytest.fixture
def worker():
    """A worker whose thread ends as soon as nothing waits."""
    return Worker(idle_seconds=0)


@pytest.fixture
def lingering():
    """A worker whose thread stays until the test is over."""
    own = Worker(idle_seconds=60)
    yield own
    end(own)


@pytest.fixture(autouse=True)
def _fresh_start():
    Recorder.reset()
    yield
    for thread in threads():
        thread.join(30)
        assert not thread.is_alive()
