"""
The thread that makes and sends the email, and all that can happen to it: fork, flush, the end of the program.

One thread per process, started with the first job, ending when there is nothing to do for a while. It is a daemon: it
never keeps a program alive. Whoever holds the *baton* of the process takes jobs from its queue: the thread, or at the
end of the program, where Python 3.12 and later start no thread any more, the thread that ends it.

A signal handler, a finalizer or a garbage collection may hand over a job at any point of this file, also while the same
thread is in here. So nothing waits for a lock that such code could hold: the queue is a SimpleQueue, the baton is only
ever tried, counters have an RLock, and nothing foreign runs under any of them.
"""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from errormail import conf
from errormail._contain import contained, tell
from errormail._forking import undivided, when_forked
from errormail.delivery.job import Job
from errormail.delivery.link import LONGEST_WAIT, Link, NothingSent, smtp_code
from errormail.delivery.outage import Outage
from errormail.exceptions import ErrorMailError

if TYPE_CHECKING:
    from collections.abc import Generator

    from errormail.mail import EmailMultiAlternatives

__all__ = ["WORKER", "Stats", "Worker", "sending"]

CAPACITY = 1_000
"""Jobs that wait at most."""
IDLE_SECONDS = 10.0
"""How long thread and connection stay when nothing comes."""
REASON_CHARS = 300
EXIT_PRIORITY = -100
"""Of `multiprocessing.util.Finalize`: after the program's own, whose errors are to be sent too."""

LOADED_WITH_THE_FIRST_EMAIL = ("encodings.idna", "errormail.mail.backends.smtp")
"""Besides what `compose` needs: what sending would load."""

_SENDING: ContextVar[bool] = ContextVar("errormail_sending", default=False)
"""A context variable, not a thread's: many greenlets can live in one thread."""


def sending() -> bool:
    """Return whether the code that asks was called by delivery, in this thread: what it reports would never end."""
    return _SENDING.get()


@contextmanager
def _as_sender() -> Generator[None]:
    token = _SENDING.set(True)
    try:
        yield
    finally:
        _SENDING.reset(token)


def _say(line: str) -> None:
    with _as_sender():  # stderr may be somebody's way into logging
        tell(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What became of the jobs of this process. Together they are those that were handed over."""

    sent: int
    failed: int
    dropped: int
    waiting: int


class _Marker:
    """A place in the queue: when it is reached, all that was in front of it is done."""

    __slots__ = ("is_end", "reached")

    def __init__(self, *, is_end: bool) -> None:
        self.reached = threading.Event()
        self.is_end = is_end
        """Close the connection there, and end: nothing more is expected."""


class _Process:
    """
    What one process has of its own. A child never looks at that of its parent: other threads may have left it in any
    state, and what waits in there is the parent's.
    """

    def __init__(self) -> None:
        # Looked up and made at the first job: gevent may have put its own in their places since we were imported.
        self.queue: queue.SimpleQueue[Job | _Marker] = queue.SimpleQueue()
        self.baton = threading.Lock()
        """Held by whoever takes from the queue. Only ever tried, never waited for."""
        self.thread: threading.Thread | None = None
        """The last one that was started."""
        self.link = Link()
        """For the holder of the baton."""
        self.outage = Outage(_say)
        self.shutdown_timeout = 0.0
        """SHUTDOWN_TIMEOUT of the last job."""
        self.is_ending = False
        self.end_seconds = 0.0
        """How much of it is used up."""
        self.has_finalizer = False
        self._counting = threading.RLock()
        self._submitted = self._sent = self._failed = self._dropped = 0

    @property
    def is_idle(self) -> bool:
        return self.queue.empty() and not self.baton.locked()

    def stats(self) -> Stats:
        with self._counting:
            done = self._sent + self._failed + self._dropped
            return Stats(
                sent=self._sent,
                failed=self._failed,
                dropped=self._dropped,
                waiting=self._submitted - done,
            )

    def admit(self, capacity: int) -> bool:
        """Count a job as handed over; return whether it may wait, else it counts as dropped."""
        with self._counting:
            has_room = self.stats().waiting < capacity
            self._submitted += 1
            if not has_room:
                self._dropped += 1
        return has_room

    def done(self, *, is_sent: bool) -> None:
        with self._counting:
            if is_sent:
                self._sent += 1
            else:
                self._failed += 1


class Worker:
    """
    Makes and sends the email of jobs, in the background or at once.

    Args:
        capacity: How many jobs may wait.
        idle_seconds: How long thread and connection stay when nothing comes.
        clock: Monotonic, in seconds; for how much of a timeout is left.
    """

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._processes: dict[int, _Process] = {}

    @property
    def stats(self) -> Stats:
        return self._own().stats()

    def submit(self, job: Job) -> bool:
        """
        Let *job* wait for the thread, and return whether it does: there may be no room. Never raises.

        It does not block, except while the process ends: then it is sent before this returns, within what is left of
        SHUTDOWN_TIMEOUT.
        """
        with contained("handing over"):
            own = self._own()
            own.shutdown_timeout = job.destination.settings.SHUTDOWN_TIMEOUT
            if not own.admit(self._capacity):
                own.outage.dropped()
                return False
            own.queue.put(job)
            _drain_at_end_of_child(self, own)
            if own.is_ending or sys.is_finalizing():
                self._finish(own)
            else:
                self._start(own)
            return True
        return False

    def deliver_now(self, job: Job) -> bool:
        """Send *job* in this thread, over a connection of its own, and return whether that worked. Raises no Exception."""
        with contained("delivery"):
            own = self._own()
            own.admit(sys.maxsize)
            link = Link()
            try:
                with _as_sender():
                    return self._deliver(own, job, link, LONGEST_WAIT)
            finally:
                link.close()
        return False

    def flush(self, timeout: float) -> bool:
        """
        Wait until all that was submitted before is sent, or has failed, at most *timeout* seconds.

        Returns:
            Whether it is: nothing of it waits any more.
        """
        if sending():
            return False  # it would wait for itself
        return self._flush(self._own(), timeout)

    def drain(self) -> None:
        """Send what waits, since the process ends; from now on `submit` sends by itself. Within SHUTDOWN_TIMEOUT in all."""
        with contained("sending at the end of the program"):
            own = self._own()
            own.is_ending = True
            self._finish(own)

    def leave_to_parent(self) -> None:
        """Forget all that came with a fork: this is the child."""
        inherited, self._processes = self._processes, {}
        for process in inherited.values():
            process.link.forget()

    def _own(self) -> _Process:
        # By number, beside the hook after fork: a C program can fork without telling Python. setdefault is atomic.
        pid = os.getpid()
        return self._processes.get(pid) or self._processes.setdefault(pid, _Process())

    def _start(self, own: _Process) -> bool:
        """Return whether somebody takes from the queue, a new thread if nobody did."""
        if not own.baton.acquire(blocking=False):
            return True
        claim = threading.Lock()
        try:
            # A sub-interpreter may have no daemon: then one that does not linger, since its end is waited for.
            for is_daemon in (True, False):
                thread = threading.Thread(
                    target=Context().run,  # empty: what is in ours would live as long as the thread
                    args=(self._run, own, claim, is_daemon),
                    name="errormail",
                )
                with suppress(RuntimeError):  # no thread can be started, or none any more
                    thread.daemon = is_daemon
                    thread.start()
                    own.thread = thread
                    return True
        except BaseException:
            # Out of a signal handler: the thread may run by now. Who claims the baton first has it.
            if claim.acquire(blocking=False):
                own.baton.release()
            raise
        own.baton.release()
        return False

    def _run(self, own: _Process, claim: threading.Lock, lingers: bool) -> None:
        """The thread."""
        if claim.acquire(blocking=False):
            self._work(own, lingers=lingers)

    def _work(
        self, own: _Process, *, lingers: bool = False, deadline: float = float("inf")
    ) -> None:
        """Take from the queue until nothing comes, for a while if it *lingers*. The baton is held, and released."""
        with _as_sender():
            while True:
                try:
                    self._serve(own, lingers, deadline)
                finally:
                    own.link.close()
                    own.baton.release()
                # What came after the last look and before the release was left to us.
                if own.queue.empty() or self._clock() >= deadline:
                    return
                if not own.baton.acquire(blocking=False):
                    return

    def _serve(self, own: _Process, lingers: bool, deadline: float) -> None:
        while (left := deadline - self._clock()) > 0:
            if own.queue.empty():
                own.outage.caught_up()
            idle_seconds = self._idle_seconds if lingers else 0.0
            try:
                item = own.queue.get(timeout=idle_seconds)
            except queue.Empty:
                return
            if isinstance(item, _Marker):
                if item.is_end:
                    own.link.close()
                item.reached.set()
                if item.is_end:
                    return
            else:
                # Of a foreign backend: those behind must not wait for ever.
                with suppress(SystemExit):
                    self._deliver(own, item, own.link, min(left, LONGEST_WAIT))
            del item  # not while we wait: it holds a report

    def _deliver(self, own: _Process, job: Job, link: Link, longest_wait: float) -> bool:
        """Make and send the email of *job*; count it, and say why if that fails. Raises no Exception."""
        email = None
        is_sent = False
        try:
            with conf.using(job.destination.settings):
                email = _composed(job)
                if job.send is not None:
                    job.send(email)
                else:
                    link.send(email, job.destination, longest_wait=longest_wait)
            is_sent = True
        except Exception as error:  # noqa: BLE001 -- a foreign backend, the network: whatever it is, the next job comes
            reason = _reason(error)
            if email is None:
                own.outage.refused(f"it could not be made, {reason}")
            elif job.send is not None:
                own.outage.refused(f"the handler's send_mail() raised {reason}")
            elif link.is_open:
                own.outage.refused(f"{link.name} refused it, {reason}")
            else:
                own.outage.failed(f"{link.name}, {reason}")
        finally:
            own.done(is_sent=is_sent)
        if is_sent:
            own.outage.delivered()
        return is_sent

    def _flush(self, own: _Process, timeout: float, *, is_end: bool = False) -> bool:
        if own.is_idle:
            return True
        deadline = self._clock() + timeout
        marker = _Marker(is_end=is_end)
        own.queue.put(marker)
        # At the end no thread can be started any more, or would not live long enough.
        if (is_end or not self._start(own)) and own.baton.acquire(blocking=False):
            self._work(own, deadline=deadline)
        return marker.reached.wait(max(0.0, deadline - self._clock()))

    def _finish(self, own: _Process) -> None:
        """Send what waits, within what is left of SHUTDOWN_TIMEOUT, and say what could not be."""
        if sending():
            return
        begin = self._clock()
        # Once the interpreter is taken apart, a thread that holds the baton will never go on.
        if not (sys.is_finalizing() and own.baton.locked()):
            left = max(0.0, own.shutdown_timeout - own.end_seconds)
            is_done = self._flush(own, left, is_end=True)
            if is_done and own.thread is not None:
                # It leaves right after the marker: a sub-interpreter that ends beside a thread ends the whole process.
                own.thread.join(max(0.0, begin + left - self._clock()))
        own.end_seconds += self._clock() - begin
        own.outage.ended(own.stats().waiting)


_is_loaded = False


def _composed(job: Job) -> EmailMultiAlternatives:
    """Return the email of *job*. The first one loads what is needed for all, and no fork cuts that in two."""
    global _is_loaded
    if not _is_loaded:
        with undivided():
            from errormail.delivery.compose import compose

            for name in LOADED_WITH_THE_FIRST_EMAIL:
                import_module(name)
            email = compose(job)
        _is_loaded = True
        return email
    from errormail.delivery.compose import compose

    return compose(job)


def _reason(error: Exception) -> str:
    """Return type and SMTP code of *error*. Its text only if it is one of ours, which hold no secrets."""
    name = type(error).__name__
    if isinstance(error, NothingSent):
        return "it sent nothing and did not say why"
    if isinstance(error, ErrorMailError):
        name = f"{name}: {' '.join(str(error).split())[:REASON_CHARS]}"
    elif isinstance(error.__context__, TimeoutError):
        name = f"{name} after a timeout"  # smtplib's way to say it
    code = smtp_code(error)
    return name if code is None else f"{name} {code}"


def _drain_at_end_of_child(worker: Worker, own: _Process) -> None:
    """In a child of multiprocessing, which ends without atexit before Python 3.13, drain *worker* at its end."""
    process = sys.modules.get("multiprocessing.process")
    if own.has_finalizer or process is None or process.parent_process() is None:
        return
    from multiprocessing.util import Finalize

    own.has_finalizer = True
    Finalize(None, worker.drain, exitpriority=EXIT_PRIORITY)


WORKER = Worker()
"""The one of this process, and of each child that it has."""

atexit.register(WORKER.drain)
when_forked(WORKER.leave_to_parent)
