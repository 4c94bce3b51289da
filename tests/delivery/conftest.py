"""A worker of the test's own, that leaves nothing behind."""

from __future__ import annotations

import threading

import pytest
from actors.jobs import Recorder

from errormail.delivery.worker import Worker


def threads():
    """Return the threads that deliver."""
    return [thread for thread in threading.enumerate() if thread.name == "errormail"]


@pytest.fixture
def worker():
    """A worker whose thread ends as soon as nothing waits."""
    own = Worker(idle_seconds=0)
    yield own
    for thread in threads():
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def lingering():
    """A worker whose thread stays until the test is over, or longer."""
    own = Worker(idle_seconds=60)
    yield own
    # The thread's own way to end, sixty seconds earlier.
    own._idle_seconds = 0
    for process in own._processes.values():
        process.link.close()


@pytest.fixture(autouse=True)
def _fresh_recorder():
    Recorder.reset()
