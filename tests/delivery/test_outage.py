"""A line when it begins, a line when it is over, none per email."""

from __future__ import annotations

import threading

import pytest

from errormail.delivery.outage import MOST_REASONS, Outage


@pytest.fixture
def lines():
    return []


@pytest.fixture
def outage(lines):
    return Outage(lines.append)


def test_a_good_time_says_nothing(outage, lines):
    outage.delivered()
    outage.caught_up()
    outage.ended(0)
    assert lines == []


def test_an_outage_says_a_line_when_it_begins_and_one_when_it_is_over(outage, lines):
    for _ in range(1_234):
        outage.failed("mx.example.com:25, ConnectionRefusedError")
    assert lines == [
        "error mail cannot be delivered: mx.example.com:25, ConnectionRefusedError; until it can, it is only counted"
    ]
    outage.delivered()
    outage.delivered()
    assert lines[1:] == ["error mail is delivered again; 1,234 error emails could not be"]


def test_the_next_outage_is_another_one(outage, lines):
    for _ in range(2):
        outage.failed("x")
        outage.delivered()
    assert len(lines) == 4
    assert "1 error email could" in lines[3]


def test_a_refused_email_is_said_once_per_reason_and_ends_nothing(outage, lines):
    for why in ("a", "b", "a", "b", "a"):
        outage.refused(why)
        outage.delivered()
    assert len(lines) == 2


def test_reasons_are_bounded(outage, lines):
    for number in range(MOST_REASONS + 50):
        outage.refused(f"reason {number}")
    assert len(lines) == MOST_REASONS


def test_a_full_queue_is_said_once_and_counted_when_it_is_empty_again(outage, lines):
    for _ in range(3):
        outage.dropped()
    assert len(lines) == 1
    outage.caught_up()
    outage.caught_up()
    assert lines[1:] == ["no error email waits any more; 3 error emails had been dropped"]


def test_the_end_of_the_program_says_what_was_lost(outage, lines):
    outage.failed("a")
    outage.refused("b")
    outage.dropped()
    del lines[:]
    outage.ended(4)
    assert lines == [
        "at the end of the program: 2 error emails could not be delivered, 1 error email had been dropped, "
        "4 error emails not sent in time"
    ]
    outage.ended(0)
    assert len(lines) == 1


def test_many_threads_say_it_once(outage, lines):
    gate = threading.Barrier(8)

    def fail():
        gate.wait(30)
        for _ in range(200):
            outage.failed("x")

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(lines) == 1
    outage.delivered()
    assert "1,600" in lines[1]


def test_what_listens_to_the_lines_may_cause_the_next_ones():
    """stderr can be somebody's way into logging."""
    lines = []

    def say(line):
        lines.append(line)
        outage.failed("y")
        outage.dropped()

    outage = Outage(say)
    outage.failed("x")
    assert len(lines) == 2
