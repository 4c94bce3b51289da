"""Reports at the worst moment: from a finalizer, a signal handler, within logging, within a report, as things are closed."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import threading

import pytest

import errormail
from actors.doors import LOGGER, by_logging, by_report_exception, by_wsgi, handling
from errormail import mail


class MomentError(Exception):
    pass


def fail(beside="in sight"):
    animal = beside
    raise MomentError(animal)


def report():
    by_report_exception(fail)


def test_from_a_finalizer(only_mail):
    class Dying:
        def __del__(self):
            report()

    animal = Dying()
    del animal
    gc.collect()
    assert "MomentError" in only_mail().subject


def test_from_a_finalizer_that_the_garbage_collector_calls_while_we_report():
    """An object dies while the report of something else is made: that is not reported, and nothing waits for ever."""

    class Dying:
        def __init__(self):
            self.itself = self

        def __del__(self):
            by_report_exception(fail)

    class Collects:
        def __repr__(self):
            Dying()
            gc.collect()
            return "<Collects>"

    animal = Collects()
    by_logging(lambda: fail(animal))
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("door", [by_logging, by_report_exception])
def test_from_a_signal_handler_while_we_report(door):
    """It interrupts a report of the same thread, wherever that is: no lock of ours may be waited for."""

    class Interrupts:
        def __repr__(self):
            os.kill(os.getpid(), signal.SIGUSR1)
            return "<Interrupts>"

    handled = []

    def handler(number, frame):
        handled.append(number)
        door(fail)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        by_logging(lambda: fail(Interrupts()))
        assert handled
        door(fail)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(mail.outbox) >= 2


def test_from_a_signal_handler_at_any_line(monkeypatch):
    """Called in place of a signal at each tenth line of a report: nothing comes out, nothing hangs."""
    import sys

    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if "errormail" not in frame.f_code.co_filename or "/tests/" in frame.f_code.co_filename:
            return trace
        count += 1
        if count % 199 == 0:
            sys.settrace(None)
            errormail.report_exception(MomentError("interrupting"))
            sys.settrace(trace)
        return trace

    error = MomentError("interrupted")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        errormail.report_exception(error)
    finally:
        sys.settrace(before)
    assert count > 1_000
    assert len(mail.outbox) >= 1


def test_from_a_filter(only_mail):
    class Reports(logging.Filter):
        def filter(self, record):
            logging.getLogger(LOGGER + ".filter").error("within the filter")
            report()
            return True

    with handling() as root:
        # Once: the filter itself would go on for ever, with any handler.
        reports = Reports()
        handler = root.handlers[0]
        calls = []
        monkeyed = reports.filter
        handler.addFilter(lambda record: calls.append(1) or len(calls) > 1 or monkeyed(record))
        logging.getLogger(LOGGER).error("filtered")
    assert len(mail.outbox) == 3  # that of the filter's log, its exception, and the record


def test_from_a_formatter():
    class Reports(logging.Formatter):
        def format(self, record):
            report()
            logging.getLogger(LOGGER).error("within the formatter")
            return super().format(record)

    with handling() as root:
        root.handlers[0].setFormatter(Reports())
        logging.getLogger(LOGGER).error("formatted")
    assert len(mail.outbox) == 1
    assert mail.outbox[0].body.startswith("formatted")


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, MemoryError, ValueError])
def test_a_formatter_that_raises(raised, only_mail):
    class Raises(logging.Formatter):
        def format(self, record):
            raise raised

    with handling() as root:
        root.handlers[0].setFormatter(Raises())
        logging.getLogger(LOGGER).error("formatted")
    assert "formatted" in only_mail().subject


def test_from_a_repr_during_our_capture():
    """A repr that logs and reports makes no mail of its own, and no end of mails."""

    class Reports:
        def __repr__(self):
            logging.getLogger(LOGGER).error("looked at")
            report()
            by_wsgi(fail)
            return "<Reports>"

    by_logging(lambda: fail(Reports()))
    assert len(mail.outbox) == 1
    report()
    assert len(mail.outbox) == 2  # and it is over with the report


def test_while_the_mail_is_sent(monkeypatch):
    """A mail library that logs: with the handler at the root logger that is no second mail."""
    from errormail.mail.backends import locmem

    original = locmem.EmailBackend.send_messages

    def send_messages(self, messages):
        logging.getLogger("smtplib").error("sending")
        logging.getLogger(LOGGER).error("sending")
        report()
        return original(self, messages)

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", send_messages)
    by_logging(fail)
    assert len(mail.outbox) == 1


def test_a_generator_that_is_closed(only_mail):
    def work():
        animal = "in sight"
        try:
            yield animal
        finally:
            report()

    running = work()
    next(running)
    running.close()
    assert "MomentError" in only_mail().subject


def test_an_exception_of_a_generator_that_is_closed(only_mail):
    def work():
        animal = "in sight"
        try:
            yield animal
        except GeneratorExit:
            fail(animal)

    running = work()
    next(running)
    by_report_exception(running.close)
    assert "in sight" in only_mail().text


def test_a_coroutine_that_is_cancelled(only_mail):
    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            report()

    async def main():
        task = asyncio.get_running_loop().create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert "MomentError" in only_mail().subject


def test_an_asynchronous_generator_that_is_closed(only_mail):
    async def work():
        try:
            yield 1
        finally:
            report()

    async def main():
        running = work()
        await running.__anext__()
        await running.aclose()

    asyncio.run(main())
    assert "MomentError" in only_mail().subject


def test_frames_that_run_on(only_mail):
    """Frames of generators, coroutines and of the thread itself, as locals, and one that another thread runs."""
    import sys

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()

    def generator():
        yield 1

    try:
        animals = [*sys._current_frames().values(), generator(), sys._getframe()]
        by_logging(lambda: fail(animals))
    finally:
        stop.set()
        thread.join()
    assert "MomentError" in only_mail().subject


def test_many_threads_that_change_what_is_captured():
    """Containers grow and shrink while they are looked at."""
    shared = {"list": [], "dict": {}, "set": set()}
    stop = threading.Event()

    def change():
        number = 0
        while not stop.is_set():
            number += 1
            shared["list"].append(number)
            shared["dict"][number] = number
            shared["set"].add(number)
            if not number % 50:
                shared["list"].clear()
                shared["dict"].clear()
                shared["set"].clear()

    threads = [threading.Thread(target=change) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            by_report_exception(lambda: fail(shared))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(mail.outbox) == 20


def test_after_the_modules_were_torn_down(only_mail, monkeypatch):
    """At the end of the interpreter names of modules are None."""
    import sys

    for name in ("asyncio", "multiprocessing.process"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "argv", None)
    by_report_exception(fail)
    assert "MomentError" in only_mail().subject
