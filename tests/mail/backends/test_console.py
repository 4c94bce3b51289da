"""The backend that writes messages to a stream."""

from __future__ import annotations

import io
import os
import sys
import threading

import pytest

from errormail.mail import BadHeaderError, EmailMessage
from errormail.mail.backends.console import EmailBackend

LINE = "-" * 79


def message(subject="subject", body="body", **changes):
    return EmailMessage(subject, body, "from@example.com", ["to@example.com"], **changes)


class Stream(io.StringIO):
    """Notes what has been written at each flush."""

    def __init__(self):
        super().__init__()
        self.flushed = []

    def flush(self):
        self.flushed.append(self.getvalue())


class Full(io.StringIO):
    """A disk that is full whenever *is_full* is set."""

    is_full = True

    def write(self, text):
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(text)


@pytest.mark.row("B10")
def test_messages_are_written_to_stdout(capsys):
    assert EmailBackend().send_messages([message()]) == 1
    written = capsys.readouterr().out
    assert "Subject: subject\n" in written
    assert written.endswith(f"\n\nbody\n{LINE}\n")


@pytest.mark.row("B10")
def test_stdout_is_the_one_of_the_moment(monkeypatch):
    backend = EmailBackend()
    later = io.StringIO()
    monkeypatch.setattr(sys, "stdout", later)
    backend.send_messages([message()])
    assert "Subject: subject" in later.getvalue()


@pytest.mark.row("B10")
def test_a_stream_takes_the_place_of_stdout(capsys):
    stream = io.StringIO()
    assert EmailBackend(stream=stream).send_messages([message()]) == 1
    assert "Subject: subject" in stream.getvalue()
    assert capsys.readouterr().out == ""


@pytest.mark.row("B10")
def test_after_each_message_there_is_a_line_of_79_dashes():
    stream = io.StringIO()
    EmailBackend(stream=stream).send_messages([message(), message(), message()])
    lines = stream.getvalue().splitlines()
    assert lines.count(LINE) == 3
    assert lines[-1] == LINE


@pytest.mark.row("B10")
def test_each_message_is_flushed():
    stream = Stream()
    EmailBackend(stream=stream).send_messages([message("first"), message("second")])
    first, second = stream.flushed
    assert first.endswith(f"{LINE}\n")
    assert "second" not in first
    assert second.endswith(f"{LINE}\n")
    assert "second" in second


@pytest.mark.row("B10")
def test_letters_are_readable():
    stream = io.StringIO()
    EmailBackend(stream=stream).send_messages([message(body="Grüße, 東京")])
    assert "Grüße, 東京" in stream.getvalue()


@pytest.mark.row("B10")
def test_a_stream_that_cannot_show_a_letter_shows_its_number():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    assert EmailBackend(stream=stream).send_messages([message(body="Grüße")]) == 1
    assert rb"Gr\xfc\xdfe" in raw.getvalue()


@pytest.mark.row("B10")
def test_a_body_in_another_charset_is_readable():
    sent = message(body="Grüße")
    sent.encoding = "iso-8859-1"
    stream = io.StringIO()
    assert EmailBackend(stream=stream).send_messages([sent]) == 1
    assert stream.getvalue().endswith(f"\n{LINE}\n")
    assert "Grüße" in stream.getvalue() or "Gr=FC=DFe" in stream.getvalue()


@pytest.mark.row("B10")
def test_messages_of_two_threads_do_not_mix():
    """One thread waits in the middle of a message; the other one has to wait for it."""
    begun, go_on, arrived = threading.Event(), threading.Event(), []

    class Slow(io.StringIO):
        def write(self, text):
            arrived.append(threading.current_thread().name)
            if not begun.is_set():
                begun.set()
                assert go_on.wait(30)
            return super().write(text)

    stream = Slow()
    backend = EmailBackend(stream=stream)

    def send(subject):
        backend.send_messages([message(subject)])

    first = threading.Thread(target=send, args=["first"], name="first")
    second = threading.Thread(target=send, args=["second"], name="second")
    first.start()
    assert begun.wait(30)
    second.start()
    second.join(0.05)
    assert arrived == ["first"]
    go_on.set()
    first.join(30)
    second.join(30)
    subjects = [line for line in stream.getvalue().splitlines() if line.startswith("Subject:")]
    assert subjects == ["Subject: first", "Subject: second"]


@pytest.mark.row("B10")
def test_a_stream_that_fails_is_an_error():
    with pytest.raises(OSError, match="No space left"):
        EmailBackend(stream=Full()).send_messages([message()])


@pytest.mark.row("B10")
def test_a_closed_stream_is_an_error():
    stream = io.StringIO()
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        EmailBackend(stream=stream).send_messages([message()])


@pytest.mark.row("B10")
def test_a_pipe_that_nobody_reads_is_an_error():
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stream:
        with pytest.raises(BrokenPipeError):
            EmailBackend(stream=stream).send_messages([message()])
        with pytest.raises(BrokenPipeError):
            stream.close()


@pytest.mark.row("B10")
def test_failing_silently_goes_on_with_the_next_message():
    stream = Full()
    backend = EmailBackend(stream=stream, fail_silently=True)

    def messages():
        yield message("lost")
        stream.is_full = False
        yield message("written")

    assert backend.send_messages(messages()) == 1
    assert "Subject: written" in stream.getvalue()


@pytest.mark.row("B10")
@pytest.mark.parametrize("fail_silently", [False, True])
def test_a_wrong_message_is_an_error_and_nothing_of_it_is_written(fail_silently):
    stream = io.StringIO()
    backend = EmailBackend(fail_silently, stream=stream)
    with pytest.raises(BadHeaderError):
        backend.send_messages([message("right"), message("one\ntwo")])
    assert stream.getvalue().count(LINE) == 1
    assert "Subject: right" in stream.getvalue()
