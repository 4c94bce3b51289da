"""The thread: jobs go in from anywhere, each is sent, failed or dropped, and nothing waits for the mail server."""

from __future__ import annotations

import gc
import logging
import smtplib
import sys
import threading
from dataclasses import replace

import pytest

from actors.jobs import RECORDER, Recorder, job, run, to, words_of
from actors.smtp import PATIENCE, RawServer, SmtpServer, replies
from errormail import _contain
from errormail.delivery import worker as worker_module
from errormail.delivery.worker import Worker, sending
from errormail.exceptions import ImproperlyConfigured


def delivery_threads():
    return [thread for thread in threading.enumerate() if thread.name == "errormail"]


def join_all():
    for thread in delivery_threads():
        thread.join(PATIENCE)
    assert delivery_threads() == []


def counts(worker):
    stats = worker.stats
    return stats.sent, stats.failed, stats.dropped, stats.waiting


def dead_port():
    with RawServer(replies()) as server:
        return server.port


def lines(capsys):
    return [line.removeprefix("errormail: ") for line in capsys.readouterr().err.splitlines()]


# sent


def test_a_job_becomes_an_email(worker, smtp_server):
    assert worker.submit(job(to(smtp_server.port), "boom"))
    assert worker.flush(PATIENCE)
    (arrived,) = smtp_server.messages
    assert arrived.mail_from == "shop@example.com"
    assert arrived.rcpt_tos == ["ops@example.com"]
    assert arrived.message["Subject"] == "[shop] ERROR: boom"
    assert counts(worker) == (1, 0, 0, 0)


def test_what_waits_together_uses_one_connection_in_order(worker, smtp_server):
    for number in range(30):
        worker.submit(job(to(smtp_server.port), str(number)))
    # Settings that are equal are not the same ones: each job has its own destination here.
    assert worker.flush(PATIENCE)
    assert words_of(smtp_server.messages) == [str(number) for number in range(30)]


def test_one_connection_for_one_destination(worker, smtp_server):
    destination = to(smtp_server.port)
    for number in range(30):
        worker.submit(job(destination, str(number)))
    assert worker.flush(PATIENCE)
    assert {each.connection for each in smtp_server.messages} == {1}


def test_thread_and_connection_go_when_nothing_comes_and_come_again(worker, smtp_server):
    destination = to(smtp_server.port)
    for number in (1, 2):
        worker.submit(job(destination))
        assert worker.flush(PATIENCE)
        join_all()
        assert smtp_server.connections == number
        smtp_server.wait_until(lambda: smtp_server.open_connections == 0)


def test_a_lingering_thread_keeps_its_connection(lingering, smtp_server):
    destination = to(smtp_server.port)
    for _ in range(2):
        lingering.submit(job(destination))
        assert lingering.flush(PATIENCE)
    assert smtp_server.connections == 1


def test_the_thread_is_a_daemon_and_knows_nothing_of_who_started_it(worker):
    seen = []
    worker_module.conf._own.set(to(SERVICE="of the caller").settings)
    try:
        worker.submit(
            job(
                to(SERVICE="of the job"),
                send=lambda _: seen.append(
                    (worker_module.conf.settings.SERVICE, threading.current_thread().daemon)
                ),
            )
        )
        assert worker.flush(PATIENCE)
    finally:
        worker_module.conf._own.set(None)
    assert seen == [("of the job", True)]


def test_settings_of_the_destination_are_in_force(worker):
    worker.submit(job(to(email_backend=RECORDER, SERVICE="shop")))
    worker.submit(job(to(email_backend=RECORDER, SERVICE="blog")))
    assert worker.flush(PATIENCE)
    assert [fact[1] for step, fact in Recorder.log if step == "send"] == ["shop", "blog"]


def test_a_handler_can_send_by_itself(worker):
    emails = []
    worker.submit(job(to(email_backend=RECORDER), send=emails.append))
    assert worker.flush(PATIENCE)
    assert emails[0].subject == "[shop] ERROR: boom"
    assert Recorder.log == []
    assert counts(worker) == (1, 0, 0, 0)


def test_only_delivery_is_sending(worker):
    worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    assert [fact[2] for step, fact in Recorder.log if step == "send"] == [True]
    assert not sending()


def test_delivery_does_not_wait_for_itself(worker):
    answers = []
    worker.submit(job(to(), send=lambda _: answers.append(worker.flush(PATIENCE))))
    assert worker.flush(PATIENCE)
    assert answers == [False]


def test_a_job_that_delivery_submits_is_sent(worker):
    words = []
    inner = job(to(), "inner", send=lambda email: words.append(email.subject))
    worker.submit(job(to(), "outer", send=lambda _: worker.submit(inner)))
    worker.flush(PATIENCE)
    join_all()
    assert words == ["[shop] ERROR: inner"]


def test_a_job_that_comes_while_the_thread_is_leaving_is_sent(worker, monkeypatch):
    close = worker_module.Link.close

    def close_and_submit(link):
        if link.is_open:
            monkeypatch.setattr(worker_module.Link, "close", close)
            worker.submit(job(to(email_backend=RECORDER)))  # the baton is still held
        close(link)

    monkeypatch.setattr(worker_module.Link, "close", close_and_submit)
    worker.submit(job(to(email_backend=RECORDER)))
    join_all()
    assert counts(worker) == (2, 0, 0, 0)


# not in the way


def test_submit_does_not_wait_for_a_silent_server(lingering):
    with SmtpServer(stall="connect") as server:
        for _ in range(20):
            assert lingering.submit(job(to(server.port)))
        assert not lingering.flush(0.01)
        assert counts(lingering) == (0, 0, 0, 20)
        server.stall = ""
        server.stop()  # else the thread would wait on


def test_flush_with_nothing_to_do_starts_no_thread(worker):
    assert worker.flush(0)
    assert delivery_threads() == []


def test_flush_waits_for_what_was_submitted_before_it(worker):
    gate, begun = threading.Event(), threading.Event()

    def send(_):
        begun.set()
        assert gate.wait(PATIENCE)

    worker.submit(job(to(), send=send))
    assert begun.wait(PATIENCE)
    assert not worker.flush(0)
    gate.set()
    assert worker.flush(PATIENCE)
    assert counts(worker) == (1, 0, 0, 0)


def test_a_full_queue_drops_and_says_so_once(capsys):
    worker = Worker(capacity=3, idle_seconds=0)
    gate = threading.Event()
    hold = job(to(), send=lambda _: gate.wait(PATIENCE))
    assert [worker.submit(hold) for _ in range(6)] == [True] * 3 + [False] * 3
    assert counts(worker) == (0, 0, 3, 3)
    assert len(lines(capsys)) == 1
    gate.set()
    assert worker.flush(PATIENCE)
    join_all()
    assert counts(worker) == (3, 0, 3, 0)
    assert lines(capsys) == ["no error email waits any more; 3 error emails had been dropped"]
    assert worker.submit(hold)
    assert worker.flush(PATIENCE)
    join_all()


def test_every_job_of_many_threads_is_counted_once():
    worker = Worker(capacity=100, idle_seconds=0)
    destination = to(email_backend=RECORDER)
    Recorder.trouble["send"] = [OSError() if number % 3 == 0 else None for number in range(4_000)]
    gate, accepted = threading.Barrier(8), []

    def submit():
        gate.wait(PATIENCE)
        accepted.extend(worker.submit(job(destination)) for _ in range(250))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert worker.flush(PATIENCE)
    join_all()
    sent, failed, dropped, waiting = counts(worker)
    assert sent + failed + dropped == 2_000
    assert (waiting, dropped) == (0, accepted.count(False))
    assert failed > 0


def test_many_threads_start_one(lingering, monkeypatch):
    worker = lingering
    started = []
    start = threading.Thread.start

    def counted(thread):
        if thread.name == "errormail":
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    gate = threading.Barrier(8)

    def submit():
        gate.wait(PATIENCE)
        for _ in range(50):
            worker.submit(job(to(email_backend=RECORDER)))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert worker.flush(PATIENCE)
    assert len(started) == 1
    assert counts(worker) == (400, 0, 0, 0)


# what fails


def test_an_outage_is_said_once_and_its_end_too(worker, smtp_server, capsys):
    port = dead_port()
    for _ in range(3):
        worker.submit(job(to(port)))
    assert worker.flush(PATIENCE)
    assert lines(capsys) == [
        f"error mail cannot be delivered: 127.0.0.1:{port}, ConnectionRefusedError; until it can, it is only counted"
    ]
    worker.submit(job(to(smtp_server.port)))
    assert worker.flush(PATIENCE)
    assert lines(capsys) == ["error mail is delivered again; 3 error emails could not be"]
    assert counts(worker) == (1, 3, 0, 0)


def test_one_refused_email_holds_back_no_other(worker, smtp_server, capsys):
    smtp_server.refuse_recipients = {"gone@example.com": "550 no such user"}
    good = to(smtp_server.port)
    bad = replace(good, recipients=("gone@example.com",))
    for number, destination in enumerate([good, bad, bad, good]):
        worker.submit(job(destination, str(number)))
    assert worker.flush(PATIENCE)
    assert words_of(smtp_server.messages) == ["0", "3"]
    assert {each.connection for each in smtp_server.messages} == {1}
    assert counts(worker) == (2, 2, 0, 0)
    assert lines(capsys) == [
        f"an error email could not be delivered: 127.0.0.1:{smtp_server.port} refused it, "
        "SMTPRecipientsRefused 550; more of them are only counted"
    ]


def test_a_login_that_is_refused_is_an_outage_and_shows_no_password(worker, capsys):
    error = smtplib.SMTPAuthenticationError(535, b"wrong password: hunter2")
    Recorder.trouble["open"] = [error, error]
    for _ in range(2):
        worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    (line,) = lines(capsys)
    assert "SMTPAuthenticationError 535" in line
    assert "hunter2" not in line


def test_a_timeout_is_named(worker, capsys):
    with SmtpServer(stall="MAIL") as server:
        worker.submit(job(to(server.port, EMAIL_TIMEOUT=0.1)))
        assert worker.flush(PATIENCE)
    (line,) = lines(capsys)
    assert "imeout" in line


def test_a_wrong_setting_is_told_in_full(worker, capsys):
    error = ImproperlyConfigured("MAILERS['ops']: expected\na BACKEND")
    Recorder.trouble["open"] = [error]
    worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    (line,) = lines(capsys)
    assert "ImproperlyConfigured: MAILERS['ops']: expected a BACKEND" in line


def test_a_silent_failure_of_a_backend_is_told(worker, capsys):
    Recorder.count = 0
    worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    assert "sent nothing and did not say why" in lines(capsys)[0]
    assert counts(worker) == (0, 1, 0, 0)


def test_a_job_that_cannot_be_composed_holds_back_no_other(worker, monkeypatch, capsys):
    compose = worker_module._composed

    def fails_once(job):
        monkeypatch.setattr(worker_module, "_composed", compose)
        raise KeyError("secret")

    monkeypatch.setattr(worker_module, "_composed", fails_once)
    for _ in range(2):
        worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    assert counts(worker) == (1, 1, 0, 0)
    assert lines(capsys) == [
        "an error email could not be delivered: it could not be made, KeyError; more of them are only counted"
    ]


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(3)])
def test_a_handler_that_fails_to_send_holds_back_no_other(worker, capsys, error):
    def fail(_):
        raise error

    worker.submit(job(to(), send=fail))
    worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    assert counts(worker) == (1, 1, 0, 0)
    assert "secret" not in capsys.readouterr().err


def test_what_a_backend_logs_can_call_delivery_again(worker, caplog):
    """A handler on the root logger would report it: that must not go round for ever, nor wait for itself."""
    log = logging.getLogger("some.backend")
    sendings = []

    class Handler(logging.Handler):
        def emit(self, record):
            sendings.append(sending())

    handler = Handler()
    log.addHandler(handler)
    try:
        worker.submit(job(to(), send=lambda _: log.error("in the midst of sending")))
        assert worker.flush(PATIENCE)
    finally:
        log.removeHandler(handler)
    assert sendings == [True]


def test_a_failure_of_our_own_does_not_come_out(worker, monkeypatch, capsys):
    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(worker, "_own", lambda: 1 / 0)
    assert worker.submit(job(to())) is False
    assert worker.deliver_now(job(to())) is False
    assert "handing over failed with ZeroDivisionError" in capsys.readouterr().err


# at once


def test_sync_sends_before_it_returns_over_its_own_connection(worker, smtp_server):
    assert worker.deliver_now(job(to(smtp_server.port)))
    assert len(smtp_server.messages) == 1
    assert delivery_threads() == []
    smtp_server.wait_until(lambda: smtp_server.open_connections == 0)
    assert counts(worker) == (1, 0, 0, 0)
    assert not sending()


def test_sync_does_not_raise(worker, capsys):
    assert worker.deliver_now(job(to(dead_port()))) is False
    assert counts(worker) == (0, 1, 0, 0)
    assert len(lines(capsys)) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_sync_lets_pass_what_is_meant_for_the_program(worker, error):
    Recorder.trouble["send"] = [error()]
    with pytest.raises(error):
        worker.deliver_now(job(to(email_backend=RECORDER)))
    assert counts(worker) == (0, 1, 0, 0)
    assert Recorder.steps()[-1] == "close"
    assert not sending()


# when no thread can be had


def no_thread(monkeypatch, before=None):
    start = threading.Thread.start

    def refuse(thread):
        if thread.name != "errormail":
            return start(thread)
        if before is not None:
            before(thread, start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_without_a_thread_jobs_wait_for_flush(worker, monkeypatch):
    no_thread(monkeypatch)
    destination = to(email_backend=RECORDER)
    assert worker.submit(job(destination))
    assert counts(worker) == (0, 0, 0, 1)
    assert worker.flush(PATIENCE)
    assert counts(worker) == (1, 0, 0, 0)


def test_without_a_thread_jobs_wait_for_the_next_one_that_can_be_had(worker, monkeypatch):
    no_thread(monkeypatch)
    worker.submit(job(to(email_backend=RECORDER)))
    monkeypatch.undo()
    worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    assert counts(worker) == (2, 0, 0, 0)


def test_without_a_thread_flush_ends_in_time(monkeypatch):
    now = [0.0]
    worker = Worker(clock=lambda: now[0])
    no_thread(monkeypatch)

    def send(_):
        now[0] += 3

    for _ in range(5):
        worker.submit(job(to(), send=send))
    assert not worker.flush(7)
    assert counts(worker) == (3, 0, 0, 2)
    assert worker.flush(7)


def test_where_there_are_no_daemons_the_thread_does_not_linger(monkeypatch):
    """Sub-interpreters of mod_wsgi have none before Python 3.12; the end of the program waits for the thread."""
    worker = Worker(idle_seconds=60)
    start = threading.Thread.start

    def refuse(thread):
        if thread.daemon and thread.name == "errormail":
            raise RuntimeError("daemon thread are not supported in subinterpreters")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    worker.submit(job(to(email_backend=RECORDER)))
    join_all()
    assert counts(worker) == (1, 0, 0, 0)


@pytest.mark.parametrize("is_running", [True, False])
def test_a_signal_handler_that_raises_while_the_thread_starts_loses_nothing(
    worker, monkeypatch, is_running
):
    def interrupt(thread, start):
        if is_running:
            start(thread)
        raise KeyboardInterrupt

    no_thread(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        worker.submit(job(to(email_backend=RECORDER)))
    monkeypatch.undo()
    worker.submit(job(to(email_backend=RECORDER)))
    assert worker.flush(PATIENCE)
    join_all()
    assert counts(worker) == (2, 0, 0, 0)


# the end of the process, and its begin


def test_at_the_end_what_waits_is_sent_in_the_thread_that_ends_it(worker, monkeypatch):
    no_thread(monkeypatch)
    worker.submit(job(to(email_backend=RECORDER)))
    worker.drain()
    assert counts(worker) == (1, 0, 0, 0)
    assert Recorder.steps() == ["open", "send", "close"]


def test_at_the_end_the_thread_ends(lingering):
    """A sub-interpreter, of mod_wsgi say, that ends beside a thread ends the whole process."""
    lingering.submit(job(to(email_backend=RECORDER)))
    lingering.drain()
    assert delivery_threads() == []
    assert Recorder.steps() == ["open", "send", "close"]


def test_after_the_end_has_begun_submit_sends_before_it_returns(worker):
    worker.drain()
    assert worker.submit(job(to(email_backend=RECORDER)))
    assert counts(worker) == (1, 0, 0, 0)
    assert delivery_threads() == []


def test_the_end_takes_shutdown_timeout_in_all(capsys, monkeypatch):
    now = [0.0]
    worker = Worker(clock=lambda: now[0])
    no_thread(monkeypatch)

    def send(_):
        now[0] += 2

    for _ in range(5):
        worker.submit(job(to(SHUTDOWN_TIMEOUT=5.0), send=send))
    worker.drain()
    assert counts(worker) == (3, 0, 0, 2)
    assert lines(capsys) == ["at the end of the program: 2 error emails not sent in time"]
    worker.submit(job(to(SHUTDOWN_TIMEOUT=5.0), send=send))
    assert now == [6.0]
    assert counts(worker) == (3, 0, 0, 3)


def test_at_the_end_the_server_is_waited_for_no_longer_than_is_left(worker):
    worker.drain()
    worker.submit(job(to(email_backend=RECORDER, SHUTDOWN_TIMEOUT=3.0)))
    assert Recorder.log[0][1] == pytest.approx(3.0, abs=1.0)


def test_delivery_that_ends_the_program_does_not_wait_for_itself(worker):
    worker.submit(job(to(), send=lambda _: worker.drain()))
    assert worker.flush(PATIENCE)
    assert counts(worker) == (1, 0, 0, 0)


def test_a_thread_that_the_interpreter_has_stopped_is_not_waited_for(worker, monkeypatch):
    monkeypatch.setattr(worker_module.sys, "is_finalizing", lambda: True)
    assert worker._own().baton.acquire(blocking=False)  # as that thread did
    worker.submit(job(to(email_backend=RECORDER, SHUTDOWN_TIMEOUT=3_600.0)))
    assert counts(worker) == (0, 0, 0, 1)


def test_a_child_of_a_fork_begins_anew(worker, monkeypatch):
    no_thread(monkeypatch)
    worker.submit(job(to(email_backend=RECORDER)))
    inherited = worker._own()
    worker.leave_to_parent()
    assert worker._own() is not inherited
    assert counts(worker) == (0, 0, 0, 0)
    assert worker.flush(0)


def test_a_child_of_a_fork_that_python_was_not_told_of_begins_anew(worker, monkeypatch):
    no_thread(monkeypatch)
    worker.submit(job(to(email_backend=RECORDER)))
    monkeypatch.setattr(worker_module.os, "getpid", lambda: -1)
    assert counts(worker) == (0, 0, 0, 0)


def test_a_child_of_multiprocessing_is_drained_by_its_finalizer(worker, monkeypatch):
    import multiprocessing.process
    import multiprocessing.util

    registered = []
    monkeypatch.setattr(multiprocessing.process, "parent_process", lambda: object())
    monkeypatch.setattr(
        multiprocessing.util, "Finalize", lambda *args, **more: registered.append((args, more))
    )
    for _ in range(2):
        worker.submit(job(to(email_backend=RECORDER)))
    assert registered == [((None, worker.drain), {"exitpriority": -100})]
    assert worker.flush(PATIENCE)


# from where nobody expects it


def test_a_garbage_collection_inside_submit_can_submit(worker):
    destination = to(email_backend=RECORDER)
    submitted = []

    class Garbage:
        def __init__(self):
            self.myself = self

        def __del__(self):
            submitted.append(worker.submit(job(destination)))

    threshold = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for _ in range(100):
            Garbage()
            submitted.append(worker.submit(job(destination)))
    finally:
        gc.set_threshold(*threshold)
    join_all()  # in which a collection may be going on
    gc.collect()
    assert len(submitted) == 200
    assert worker.flush(PATIENCE)
    join_all()
    assert counts(worker) == (200, 0, 0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no timers")
def test_a_signal_handler_inside_submit_can_submit(tmp_path):
    program = """
import signal
from actors.jobs import RECORDER, Recorder, job, to
from errormail.delivery.worker import Worker

worker = Worker(capacity=10, idle_seconds=0)
destination = to(email_backend=RECORDER)
Recorder.reset()
submitted = [0]

def submit(*_):
    worker.submit(job(destination))
    submitted[0] += 1

count = 0
def on_signal(*_):
    global count
    count += 1
    worker.submit(job(destination))
    worker.flush(0)

signal.signal(signal.SIGALRM, on_signal)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
while count < 300:
    submit()
signal.setitimer(signal.ITIMER_REAL, 0)
assert worker.flush(30)
stats = worker.stats
assert stats.waiting == 0, stats
assert stats.sent + stats.dropped == count + submitted[0], (stats, count, submitted)
print("done")
"""
    done = run(tmp_path, program)
    assert done.stdout == "done\n", done.stderr
