"""A record without an exception shows who logged it, with the values there."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import sys
import threading

import pytest

from errormail import sensitive_variables
from errormail.report.capture import capture
from errormail.report.limits import Limits
from errormail.report.model import REDACTED, Elision
from errormail.report.options import CaptureOptions
from errormail.report.tracebacks import calls

OUTERMOST = {"<module>", "_run_module_as_main"}
"""Of this process: as pytest was started."""


class Capturing(logging.Handler):
    """Makes the report of a record where it is handled."""

    def __init__(self, options=None):
        super().__init__()
        self.options = options or CaptureOptions()
        self.reports = []

    def emit(self, record):
        self.reports.append(
            capture(record=record, options=self.options, fingerprint="0" * 12, now=1.0)
        )


@pytest.fixture
def handler():
    return Capturing()


@pytest.fixture
def logger(handler):
    logger = logging.Logger("shop")  # noqa: LOG001 -- of its own, for one test
    logger.addHandler(handler)
    return logger


def place(logger, total):
    logger.error("no rate for %s", total)


def checkout(logger, cart):
    place(logger, cart + 1)


def test_the_frames_of_who_logged_stand_outermost_first(logger, handler):
    checkout(logger, 4)
    (report,) = handler.reports
    outer, inner = report.calls[-2:]
    assert [frame.function for frame in (outer, inner)] == ["checkout", "place"]
    assert inner.line == '    logger.error("no rate for %s", total)'
    assert inner.filename == "tests/report/tracebacks/test_calls.py"
    assert report.calls[0].function in OUTERMOST


def test_they_have_values_and_the_failing_part(logger, handler):
    checkout(logger, 4)
    outer, inner = handler.reports[0].calls[-2:]
    assert {each.name: each.value for each in inner.variables}["total"] == "5"
    assert "total" in inner.focus
    if sys.version_info >= (3, 11):
        assert outer.line[outer.colno : outer.end_colno] == "place(logger, cart + 1)"


def test_the_culprit_of_the_report_is_who_logged(logger, handler):
    checkout(logger, 4)
    assert handler.reports[0].culprit.function == "place"


def test_a_function_that_logs_for_another_counts_by_what_the_record_says(logger, handler):
    def complain():
        logger.error("nothing", stacklevel=2)

    def ask():
        complain()

    ask()
    assert [frame.function.rpartition(".")[2] for frame in handler.reports[0].calls][-1] == "ask"


def test_secrets_in_the_values_are_hidden(logger, handler):
    @sensitive_variables("card")
    def pay(card, password):
        logger.error("no luck")

    pay("4111", "hunter2")
    values = {each.name: each.value for each in handler.reports[0].calls[-1].variables}
    assert (values["card"], values["password"]) == (REDACTED, REDACTED)


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING])
def test_below_error_there_are_none(logger, handler, level):
    logger.log(level, "hm")
    assert handler.reports[0].calls == ()


def test_with_an_exception_or_its_traceback_in_text_there_are_none(logger, handler):
    try:
        int("x")
    except ValueError:
        logger.exception("no number")
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "no number", (), None)
    record.exc_text = "Traceback (most recent call last):\nValueError: x"
    handler.emit(record)
    logger.error("no number\nTraceback (most recent call last):\nValueError: x")
    assert [report.calls for report in handler.reports] == [(), (), ()]


def test_the_stack_that_somebody_asked_for_stays_beside_them(logger, handler):
    logger.error("hm", stack_info=True)
    (report,) = handler.reports
    assert report.calls
    assert report.stack.startswith("Stack (most recent call last):")


def test_behind_a_queue_there_are_none(handler):
    waiting = queue.SimpleQueue()
    logger = logging.Logger("shop")  # noqa: LOG001 -- of its own, for one test
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    place(logger, 4)
    listener.stop()
    assert [(report.message, report.calls) for report in handler.reports] == [("no rate for 4", ())]


def test_in_a_thread_they_are_those_of_the_thread(logger, handler):
    thread = threading.Thread(target=checkout, args=(logger, 4))
    thread.start()
    thread.join()
    functions = [frame.function for frame in handler.reports[0].calls]
    assert functions[-2:] == ["checkout", "place"]
    assert not any("test_" in function for function in functions)


def test_recursion_is_folded_and_the_number_of_frames_is_bounded(logger, handler):
    def fall(depth):
        if depth:
            fall(depth - 1)
        else:
            logger.error("deep down")

    fall(200)
    frames = handler.reports[0].calls
    assert len(frames) <= Limits().frames + 1
    assert any(isinstance(frame, Elision) and frame.frames > 150 for frame in frames)


def test_of_more_frames_than_are_walked_the_outermost_and_innermost_stay(logger, handler):
    handler.options = CaptureOptions(limits=Limits(walked_frames=4))
    checkout(logger, 4)
    first, _, elision, third, fourth = handler.reports[0].calls
    assert first.function in OUTERMOST
    assert elision.text.endswith(" frames not shown")
    assert (third.function, fourth.function) == ("checkout", "place")
    assert elision.frames > 10


def test_a_frame_that_hides_itself_is_not_shown(logger, handler):
    def helper():
        __tracebackhide__ = True
        place(logger, 4)

    helper()
    functions = [frame.function for frame in handler.reports[0].calls]
    assert functions[-1] == "place"
    assert not any("helper" in function for function in functions)


@pytest.mark.parametrize(
    "changed",
    [{"pathname": None}, {"lineno": "x"}, {"funcName": 7}, {"levelno": "high"}],
    ids=["pathname", "lineno", "funcName", "levelno"],
)
def test_a_broken_record_has_none(handler, changed):
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "hm", (), None, "f")
    vars(record).update(changed)
    handler.emit(record)
    assert handler.reports[0].calls == ()


def test_the_search_ends(logger, handler, monkeypatch):
    monkeypatch.setattr(calls, "SEARCHED", 2)
    checkout(logger, 4)
    assert handler.reports[0].calls == ()


def test_without_values_the_frames_stay(logger, handler):
    handler.options = CaptureOptions(limits=Limits(variables=0))
    checkout(logger, 4)
    assert handler.reports[0].calls[-1].function == "place"
    assert handler.reports[0].calls[-1].variables == ()
