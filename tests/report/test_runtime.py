"""Where the program runs, for how long, and in how much memory."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from errormail.report import runtime
from errormail.report.runtime import (
    capture_runtime,
    memory_of,
    start_of,
    started_at,
    uptime,
)

ON_LINUX = sys.platform.startswith("linux")
linux = pytest.mark.skipif(not ON_LINUX, reason="there is no /proc")


def stat_of(name: str, started: int) -> bytes:
    fields = ["S", *["0"] * 18, str(started), *["0"] * 30]
    return f"77 ({name}) {' '.join(fields)}\n".encode()


@pytest.mark.parametrize("name", ["python", "my app", "a) S 1 2 3 (b", ""])
def test_the_start_of_a_process_is_found_whatever_its_name(name):
    assert start_of(stat_of(name, 25_000), 100) == 250.0


@pytest.mark.parametrize("stat", [b"", b"77 (python) S 1 2", stat_of("x", 0), b"\xff" * 50])
def test_what_does_not_tell_the_start_gives_none(stat):
    assert start_of(stat, 100) is None


def test_memory_is_the_second_number_in_pages():
    assert memory_of(b"9000 250 30 1 0 0 0\n") == 250 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("statm", [b"", b"9000", b"x y", b"10 0 0"])
def test_what_does_not_tell_the_memory_gives_none(statm):
    assert memory_of(statm) is None


@linux
def test_uptime_is_that_of_this_process_and_grows():
    started = time.monotonic()
    first = uptime()
    assert first is not None
    assert first > 0
    second = uptime()
    assert second is not None
    assert 0 <= second - first <= time.monotonic() - started + 0.02  # a tick is 10 ms


@linux
def test_a_child_has_an_uptime_of_its_own():
    code = "from errormail.report.runtime import uptime; print(uptime())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 <= float(done.stdout) < (uptime() or 0) + 60
    assert float(done.stdout) < 30


@linux
def test_the_start_is_told_in_unix_time():
    started = started_at()
    assert started is not None
    assert started < time.time()


@linux
def test_memory_is_resident_memory():
    before = capture_runtime().memory
    block = b"x" * 50_000_000
    after = capture_runtime().memory
    assert before is not None
    assert after is not None
    assert after - before > 0.5 * len(block)


def test_where_there_is_no_proc_nothing_is_claimed(monkeypatch):
    runtime._started.cache_clear()
    monkeypatch.setattr(runtime, "_read", lambda path: b"")
    found = capture_runtime()
    runtime._started.cache_clear()
    assert (found.uptime, found.memory) == (None, None)
    assert found.pid == os.getpid()


def test_a_record_of_another_process_claims_neither_uptime_nor_memory():
    record = logging.makeLogRecord({"process": os.getpid() + 1, "processName": "worker-3"})
    found = capture_runtime(record)
    assert (found.uptime, found.memory) == (None, None)
    assert found.pid == os.getpid() + 1
    assert "worker-3" in found.process


def test_the_thread_and_the_task_are_named():
    found = []

    async def work():
        found.append(capture_runtime())

    async def main():
        await asyncio.create_task(work(), name="import-orders")

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="night")
    thread.start()
    thread.join()
    assert (found[0].thread, found[0].task) == ("night", "import-orders")
    assert capture_runtime().task == ""
