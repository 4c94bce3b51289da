"""A child has its own queue, its own thread, its own connection; what waited in the parent is the parent's."""

from __future__ import annotations

import os

import pytest

from actors.jobs import run, words_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def sorted_words(server, number):
    return sorted(words_of(server.wait_for(number)))


def test_a_child_sends_by_its_own_thread(tmp_path, smtp_server):
    program = """
import os, sys
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

destination = to(int(sys.argv[1]))
WORKER.submit(job(destination, "parent before"))
assert WORKER.flush(30)
pid = os.fork()
if not pid:
    WORKER.submit(job(destination, "child"))
    assert WORKER.flush(30)
    assert WORKER.stats.sent == 1
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
WORKER.submit(job(destination, "parent after"))
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted_words(smtp_server, 3) == ["child", "parent after", "parent before"]
    by_words = {words_of([each])[0]: each.connection for each in smtp_server.messages}
    assert by_words["parent before"] == by_words["parent after"] != by_words["child"]


def test_what_waits_in_the_parent_is_sent_once_by_the_parent(tmp_path, smtp_server):
    program = """
import os, sys, threading
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

destination = to(int(sys.argv[1]))
gate, begun = threading.Event(), threading.Event()
WORKER.submit(job(destination, "", send=lambda _: (begun.set(), gate.wait(30))))
for number in range(5):
    WORKER.submit(job(destination, str(number)))
assert begun.wait(30)
pid = os.fork()
if not pid:
    assert WORKER.stats.waiting == 0
    assert WORKER.flush(0)
    sys.exit()
assert os.waitpid(pid, 0)[1] == 0
gate.set()
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted_words(smtp_server, 5) == list("01234")


def test_a_child_forked_in_the_midst_of_anything_delivers(tmp_path, smtp_server):
    """The thread of the parent loads, composes, sends and looks up names all the while; no lock of it hangs a child."""
    program = """
import os, sys
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

destination = to(int(sys.argv[1]), SHUTDOWN_TIMEOUT=30.0)
pids = []
for number in range(20):
    WORKER.submit(job(destination, "parent"))
    pid = os.fork()
    if not pid:
        WORKER.submit(job(destination, "child"))
        os._exit(0 if WORKER.flush(30) else 1)
    pids.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 20
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted_words(smtp_server, 40) == ["child"] * 20 + ["parent"] * 20


def test_the_first_email_and_a_fork_at_once(tmp_path, smtp_server):
    """A child that finds a module half loaded would wait for its lock for ever."""
    program = """
import os, sys
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

destination = to(int(sys.argv[1]))
WORKER.submit(job(destination, "parent"))
pid = os.fork()  # while the thread loads the mail library
if not pid:
    import smtplib, ssl, email.message, errormail.mail
    WORKER.submit(job(destination, "child"))
    os._exit(0 if WORKER.flush(30) else 1)
assert os.waitpid(pid, 0)[1] == 0
"""
    for _ in range(3):
        done = run(tmp_path, program, smtp_server.port)
        assert (done.returncode, done.stderr) == (0, "")
    assert sorted_words(smtp_server, 6) == ["child"] * 3 + ["parent"] * 3


def test_a_forked_child_that_exits_sends_what_waits(tmp_path, smtp_server):
    """Children of gunicorn end so."""
    program = """
import os, sys
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

destination = to(int(sys.argv[1]))
WORKER.submit(job(destination, "parent"))
pid = os.fork()
if not pid:
    for number in range(3):
        WORKER.submit(job(destination, "child"))
    sys.exit(5)
assert os.waitpid(pid, 0)[1] >> 8 == 5
"""
    done = run(tmp_path, program, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted_words(smtp_server, 4) == ["child"] * 3 + ["parent"]


MULTIPROCESSING = """
import multiprocessing, sys
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

def work(port, number):
    for _ in range(3):
        WORKER.submit(job(to(port), f"child {number}"))
    if number == 1:
        sys.exit(3)

if __name__ == "__main__":
    method, port = sys.argv[1], int(sys.argv[2])
    WORKER.submit(job(to(port), "parent"))
    context = multiprocessing.get_context(method)
    children = [context.Process(target=work, args=(port, number)) for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 3, 0]
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_send_before_they_end(tmp_path, smtp_server, method):
    done = run(tmp_path, MULTIPROCESSING, method, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    wanted = sorted([f"child {number}" for number in range(3)] * 3 + ["parent"])
    assert sorted_words(smtp_server, 10) == wanted


POOL = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

def work(port, number):
    WORKER.submit(job(to(port), f"task {number}"))

if __name__ == "__main__":
    method, port = sys.argv[1], int(sys.argv[2])
    with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
        list(pool.map(work, [port] * 6, range(6)))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_a_pool_send_before_they_end(tmp_path, smtp_server, method):
    done = run(tmp_path, POOL, method, smtp_server.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted_words(smtp_server, 6) == [f"task {number}" for number in range(6)]


SILENT = """
import multiprocessing, sys, time
from actors.jobs import job, to
from errormail.delivery.worker import WORKER

def work(port):
    WORKER.submit(job(to(port, SHUTDOWN_TIMEOUT=0.2)))

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=work, args=(int(sys.argv[1]),))
    child.start()
    child.join()
    print("child ended")
"""


def test_a_silent_server_does_not_keep_a_child_alive(tmp_path, smtp_server):
    smtp_server.stall = "connect"
    done = run(tmp_path, SILENT, smtp_server.port)
    assert done.stdout == "child ended\n"
    assert done.stderr == "errormail: at the end of the program: 1 error email not sent in time\n"
