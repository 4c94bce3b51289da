"""Where the program runs: host, process, thread, task, versions, for how long and in how much memory."""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import time
from functools import lru_cache

from errormail.report.model import Runtime
from errormail.report.objects import encodable, exact_str

__all__ = ["capture_runtime", "memory_of", "started_at", "uptime"]

_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
_START = 19
"""Field 22 of /proc/[pid]/stat, counted from behind the name in parentheses: proc_pid_stat(5)."""


def capture_runtime(record: logging.LogRecord | None = None) -> Runtime:
    """
    Return where the program runs.

    Args:
        record: It knows the thread and task in which it was made: a QueueListener handles it in another.
    """
    known = vars(record) if record is not None else {}
    recorded: object = known.get("process")
    own = os.getpid()
    pid = recorded if type(recorded) is int else own
    # Of a record of another process neither is known.
    is_own = pid == own
    return Runtime(
        host=_host(),
        pid=pid,
        process=encodable(_process(exact_str(known.get("processName")))),
        thread=encodable(exact_str(known.get("threadName")) or _thread()),
        task=encodable(exact_str(known.get("taskName")) or _task()),
        python=_python(),
        platform=_platform(),
        uptime=uptime() if is_own else None,
        memory=memory_of(_read("/proc/self/statm")) if is_own else None,
    )


def uptime() -> float | None:
    """Return for how many seconds this process has run, None where the system does not tell."""
    started = _started(os.getpid())
    now = _since_boot()
    return now - started if started is not None and now is not None and now >= started else None


def started_at() -> float | None:
    """Return when this process began, in Unix time, by today's clock; None where the system does not tell."""
    seconds = uptime()
    return None if seconds is None else time.time() - seconds


def start_of(stat: bytes, ticks: int) -> float | None:
    """
    Return when a process began, in seconds after the system's start; None where it is not told.

    Args:
        stat: Content of its ``/proc/[pid]/stat``.
        ticks: A second has so many.
    """
    # The name may hold blanks and parentheses itself.
    fields = stat.rpartition(b")")[2].split()
    try:
        started = int(fields[_START]) / ticks
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return started if started > 0 else None  # gVisor and the like say 0


def memory_of(statm: bytes) -> int | None:
    """Return how many bytes are in memory by the content of a ``/proc/[pid]/statm``; None where it is not told."""
    try:
        pages = int(statm.split()[1])
    except (IndexError, ValueError):
        return None
    return pages * _page_size() if pages > 0 else None


# By the number of the process: a forked child began later than its parent.
@lru_cache(maxsize=1)
def _started(pid: int) -> float | None:
    ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0
    return start_of(_read(f"/proc/{pid}/stat"), ticks)


def _since_boot() -> float | None:
    # What the kernel counts starttime from; it goes on while the system sleeps, as CLOCK_MONOTONIC does not.
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.clock_gettime(clock)


def _read(path: str) -> bytes:
    """Return the begin of a file of the kernel's, b"" where there is none: not on Linux, or /proc is not mounted."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1)
def _page_size() -> int:
    return int(os.sysconf("SC_PAGE_SIZE"))


@lru_cache(maxsize=1)
def _python() -> str:
    name = sys.implementation.name
    return f"{_IMPLEMENTATIONS.get(name, name)} {platform.python_version()}"


@lru_cache(maxsize=1)
def _platform() -> str:
    system = platform.uname()
    release = ".".join(system.release.split(".")[:2])
    return encodable(f"{system.system} {release} {system.machine}".strip())


@lru_cache(maxsize=1)
def _host() -> str:
    return encodable(platform.node())


def _process(recorded: str) -> str:
    argv = getattr(sys, "argv", None) or [""]
    script = os.path.basename(str(argv[0])) or os.path.basename(sys.executable or "")
    if script in {"-c", "-m"}:
        script = f"python {script}"
    # Not imported for it: without multiprocessing there is but the main process.
    process = sys.modules.get("multiprocessing.process")
    name = recorded or exact_str(process.current_process().name if process else "")
    return f"{script} ({name})" if name and name != "MainProcess" else script


def _thread() -> str:
    ident = threading.get_ident()
    # current_thread() would enter a thread that Python did not start into its list for ever.
    threads = [thread for thread in threading.enumerate() if thread.ident == ident]
    return str(threads[0].name) if threads else f"thread {ident}"


def _task() -> str:
    """Name of the asyncio task, "" outside of one."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return ""
    try:
        task = asyncio.current_task()
        return exact_str(task.get_name()) if task is not None else ""
    except BaseException:  # noqa: BLE001 -- no loop runs here; or a task of a foreign kind
        return ""
