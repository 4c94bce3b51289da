"""Where the program runs: host, process, thread, task, versions."""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading

from errormail.report.model import Runtime
from errormail.report.objects import encodable, exact_str

__all__ = ["capture_runtime"]

_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


def capture_runtime(record: logging.LogRecord | None = None) -> Runtime:
    """
    Return where the program runs.

    Args:
        record: It knows the thread and task in which it was made: a QueueListener handles it in another.
    """
    known = vars(record) if record is not None else {}
    system = platform.uname()
    release = ".".join(system.release.split(".")[:2])
    name = sys.implementation.name
    pid: object = known.get("process")
    return Runtime(
        host=encodable(system.node),
        pid=pid if type(pid) is int else os.getpid(),
        process=encodable(_process(exact_str(known.get("processName")))),
        thread=encodable(exact_str(known.get("threadName")) or _thread()),
        task=encodable(exact_str(known.get("taskName")) or _task()),
        python=f"{_IMPLEMENTATIONS.get(name, name)} {platform.python_version()}",
        platform=encodable(f"{system.system} {release} {system.machine}".strip()),
    )


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
