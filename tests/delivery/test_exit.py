"""However a program ends, what waits is sent, within SHUTDOWN_TIMEOUT."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from actors.jobs import FOLDERS, run, words_of

PREFACE = """
import atexit, gc, logging, os, signal, sys, threading, time
from actors.jobs import job, to
from errormail.delivery import worker as module
from errormail.delivery.worker import WORKER

destination = to(int(sys.argv[1]))

def submit(words="boom", to=destination):
    return WORKER.submit(job(to, words))
"""

ENDINGS = {
    "at the last line": ("", 0),
    "by sys.exit": ("sys.exit(3)", 3),
    "by an exception": ("raise ValueError", 1),
    "by SystemExit out of a signal handler": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)",
        4,
    ),
    "by KeyboardInterrupt": ("raise KeyboardInterrupt", None),  # platforms differ
    "beside a daemon thread": (
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        0,
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_waits_is_sent(tmp_path, smtp_server, ending):
    how, code = ENDINGS[ending]
    program = f"{PREFACE}\nfor number in range(5): submit(str(number))\n{how}\n"
    done = run(tmp_path, program, smtp_server.port)
    assert code is None or done.returncode == code, done.stderr
    assert "errormail" not in done.stderr.replace("errormail.delivery", "")
    assert words_of(smtp_server.messages) == list("01234")


def test_the_connection_is_closed_politely(tmp_path, smtp_server):
    run(tmp_path, f"{PREFACE}\nsubmit()", smtp_server.port)
    smtp_server.wait_until(lambda: smtp_server.open_connections == 0)
    assert smtp_server.said[-1].startswith("221")


def test_other_threads_may_report_until_they_end(tmp_path, smtp_server):
    program = f"""{PREFACE}
def work():
    threading.main_thread().join()
    submit("from a thread that outlives the main one")

threading.Thread(target=work).start()
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert words_of(smtp_server.messages) == ["from a thread that outlives the main one"]


@pytest.mark.parametrize("first", ["", "submit('first')"])
def test_what_exit_functions_report_is_sent(tmp_path, smtp_server, first):
    """Those registered before ours run after it, when Python 3.12 and later start no thread any more."""
    program = f"""
import atexit
atexit.register(lambda: submit("after"))
{PREFACE}
atexit.register(lambda: submit("before"))
{first}
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    wanted = ["before", "after"] if not first else ["first", "before", "after"]
    assert words_of(smtp_server.messages) == wanted


def test_what_the_end_of_logging_reports_is_sent(tmp_path, smtp_server):
    """`logging.shutdown` flushes a MemoryHandler after our exit function."""
    program = f"""{PREFACE}
import logging.handlers

class Target(logging.Handler):
    def emit(self, record):
        submit(record.getMessage())

memory = logging.handlers.MemoryHandler(100, flushLevel=100, target=Target())
logging.getLogger().addHandler(memory)
logging.error("kept until the end")
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert words_of(smtp_server.messages) == ["kept until the end"]


def test_a_thread_that_has_ended_before_is_not_missed(tmp_path, smtp_server):
    program = f"""
import atexit
atexit.register(lambda: submit("second"))
{PREFACE}
WORKER._idle_seconds = 0
submit("first")
while any(thread.name == "errormail" for thread in threading.enumerate()):
    pass
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert words_of(smtp_server.messages) == ["first", "second"]


@pytest.mark.parametrize("stall", ["connect", "MAIL", "DATA"])
def test_a_silent_server_does_not_keep_the_program_alive(tmp_path, smtp_server, stall):
    smtp_server.stall = stall
    program = f"""{PREFACE}
quick = to(int(sys.argv[1]), SHUTDOWN_TIMEOUT=0.3)
for _ in range(3):
    assert submit(to=quick)
begin = time.monotonic()
atexit.register(lambda: print("submitted"))
# Registered before ours would run after it; this one stands in for the end of the interpreter.
drain = WORKER.drain
atexit.unregister(drain)
def timed():
    drain()
    print(time.monotonic() - begin < 5)
atexit.register(timed)
"""
    done = run(tmp_path, program, smtp_server.port)
    assert done.returncode == 0
    assert done.stdout == "True\nsubmitted\n"
    assert done.stderr == "errormail: at the end of the program: 3 error emails not sent in time\n"


def test_a_silent_server_does_not_hold_exit_functions_longer_than_the_timeout_in_all(
    tmp_path, smtp_server
):
    smtp_server.stall = "connect"
    program = f"""
import atexit, time
quick = None
def late():
    begin = time.monotonic()
    for _ in range(10):
        submit(to=quick)
    print(time.monotonic() - begin < 5)
atexit.register(late)
{PREFACE}
quick = to(int(sys.argv[1]), SHUTDOWN_TIMEOUT=0.5)
submit(to=quick)
"""
    done = run(tmp_path, program, smtp_server.port)
    assert done.stdout == "True\n"
    assert done.returncode == 0


def test_a_dead_server_is_told_at_the_end(tmp_path, smtp_server):
    smtp_server.stop()
    done = run(tmp_path, f"{PREFACE}\nsubmit()\nsubmit()", smtp_server.port)
    assert done.returncode == 0
    begin, end = done.stderr.splitlines()
    assert "ConnectionRefusedError" in begin
    assert end == "errormail: at the end of the program: 2 error emails could not be delivered"


def test_a_signal_that_is_not_handled_ends_the_program_at_once(tmp_path, smtp_server):
    smtp_server.stall = "connect"
    path = tmp_path / "program.py"
    path.write_text(f"{PREFACE}\nsubmit()\nprint('ready', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, str(path), str(smtp_server.port)],
        env={"PYTHONPATH": ":".join(FOLDERS)},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        assert process.wait(30) == -signal.SIGTERM
        assert time.monotonic() - begin < 5


def test_what_is_reported_while_the_interpreter_is_taken_apart_hangs_nothing(tmp_path, smtp_server):
    program = f"""{PREFACE}
class Late:
    def __init__(self, words):
        self.words, self.myself, self.submit = words, self, submit
    def __del__(self):
        self.submit(self.words)

submit("first")
assert WORKER.flush(30)
kept = Late("late")
module.kept = Late("later")
"""
    done = run(tmp_path, program, smtp_server.port)
    assert done.returncode == 0
    assert "first" in words_of(smtp_server.messages)
    assert "Traceback" not in done.stderr, done.stderr


def test_an_idle_program_ends_at_once(tmp_path, smtp_server):
    program = f"{PREFACE}\nsubmit()\nassert WORKER.flush(30)\nprint(time.time())"
    done = run(tmp_path, program, smtp_server.port)
    assert time.time() - float(done.stdout) < 5


def test_nothing_was_reported_nothing_happens(tmp_path, smtp_server):
    done = run(tmp_path, f"{PREFACE}\nprint(threading.active_count())", smtp_server.port)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    assert smtp_server.connections == 0
