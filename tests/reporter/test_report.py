"""The way of a failure in the caller's thread: what is reported, what is not, and what harms nobody."""

from __future__ import annotations

import gc
import io
import logging
import threading
import weakref

import pytest
import werkzeug

import errormail
from errormail import conf, mail
from errormail.report.request import RequestSource
from errormail.reporter import Failure, Overrides, report, report_exception
from errormail.reporter.scope import SCOPE, Scope

ENVIRON = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/pay",
    "SERVER_NAME": "shop.example.com",
    "SERVER_PORT": "443",
    "wsgi.url_scheme": "https",
    "wsgi.input": io.BytesIO(),
    "CONTENT_TYPE": "application/x-www-form-urlencoded",
}


@pytest.fixture(autouse=True)
def _settings(outbox):
    with conf.override_settings(ADMINS=["ops@example.com"], DELIVERY="sync"):
        yield


def fail(value="x"):
    raise ValueError("no rate")


def caught(value="x"):
    try:
        fail(value)
    except ValueError as error:
        return error


@pytest.fixture
def scope():
    """A request at hand."""
    own = Scope(
        lambda: RequestSource(request=ENVIRON, body=b"item=cocoa", body_size=10, status=500)
    )
    token = SCOPE.set(own)
    yield own
    SCOPE.reset(token)


def test_the_exception_at_hand_is_reported_with_what_is_given():
    try:
        fail()
    except ValueError:
        report_exception(order=42)
    (message,) = mail.outbox
    assert (
        message.subject == "[errormail] ValueError: no rate in fail (tests/reporter/test_report.py)"
    )
    assert "order: 42" in message.body
    assert message.extra_headers["X-Errormail-Kind"] == "report"


def test_without_an_exception_there_is_nothing_to_report():
    report_exception()
    assert mail.outbox == []


def test_values_of_context_are_shown_also_of_blocks_that_the_exception_has_left():
    with pytest.raises(ValueError, match="no rate") as error, errormail.context(job="nightly"):
        fail()
    with errormail.context(host="web-3"):
        report_exception(error.value)
    assert "job: 'nightly'" in mail.outbox[0].body or "job: nightly" in mail.outbox[0].body
    assert "host: " in mail.outbox[0].body


def test_an_exception_is_reported_once():
    error = caught()
    assert report(Failure(exc=error))
    assert not report(Failure(exc=error))
    report_exception(error)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("settings", [{"DEBUG": True}, {"ADMINS": []}])
def test_what_is_not_mailed_is_not_marked(settings):
    """DEBUG may be on for one application of a process and off for another."""
    error = caught()
    with conf.override_settings(**settings):
        assert not report(Failure(exc=error))
    assert report(Failure(exc=error))


def test_the_request_at_hand_stands_in_the_report(scope):
    assert report(Failure(exc=caught()))
    body = mail.outbox[0].body
    assert "https://shop.example.com/pay" in body
    assert "item: cocoa" in body
    assert scope.reported


def test_a_request_object_of_the_same_request_gets_body_and_status_of_the_door(scope):
    request = werkzeug.Request({**ENVIRON, "HTTP_HOST": "other.example.com"})
    assert report(Failure(exc=caught(), request=request))
    assert "https://other.example.com/pay" in mail.outbox[0].body
    assert "item: cocoa" in mail.outbox[0].body


def test_a_request_of_its_own_is_not_mixed_with_the_one_at_hand(scope):
    other = dict(ENVIRON, PATH_INFO="/other")
    other["wsgi.input"] = io.BytesIO()
    assert report(Failure(exc=caught(), request=other))
    body = mail.outbox[0].body
    assert "https://shop.example.com/other" in body
    assert "cocoa" not in body


def test_a_request_that_is_none_costs_nothing():
    assert report(Failure(exc=caught(), request=object()))
    assert "ValueError: no rate" in mail.outbox[0].body


def test_a_message_alone_makes_a_report(scope):
    assert report(Failure(message="500 Internal Server Error: GET /pay"))
    (message,) = mail.outbox
    assert "500 Internal Server Error: GET /pay" in message.subject
    assert "Traceback" not in message.body


def test_alike_failures_are_one_group_and_are_counted():
    for _ in range(2):
        report(Failure(exc=caught()))
    first, second = (message.extra_headers["X-Errormail-Fingerprint"] for message in mail.outbox)
    assert first == second
    assert len(first) == 12


def test_settings_may_come_from_a_callable():
    own = conf.Settings(
        ADMINS=["own@example.com"],
        DELIVERY="sync",
        EMAIL_BACKEND="errormail.mail.backends.locmem.EmailBackend",
    )
    assert report(Failure(exc=caught()), settings=lambda: own)
    assert mail.outbox[0].to == ["own@example.com"]


def test_overrides_go_before_settings():
    overrides = Overrides(admins=["db@example.com"], subject_prefix="[db] ", include_html=False)
    assert report(Failure(exc=caught()), overrides=overrides)
    (message,) = mail.outbox
    assert (message.to, message.subject) == (
        ["db@example.com"],
        "[db] ValueError: no rate in fail (tests/reporter/test_report.py)",
    )
    assert message.alternatives == []


def test_nothing_of_the_program_is_kept_alive():
    class Value:
        pass

    value = Value()
    gone = weakref.ref(value)
    error = caught(value)
    assert report(Failure(exc=error))
    del error, value
    gc.collect()
    assert gone() is None


def test_a_report_made_inside_a_report_is_none():
    class Recursive:
        def __repr__(self):
            assert not report(Failure(exc=caught()))
            return "<recursive>"

    assert report(Failure(exc=caught(Recursive())))
    assert len(mail.outbox) == 1
    assert "<recursive>" in mail.outbox[0].body


def test_threads_report_at_the_same_time():
    threads = [threading.Thread(target=lambda: report(Failure(exc=caught()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mail.outbox) == 8


@pytest.fixture
def lenient(monkeypatch):
    monkeypatch.setattr("errormail._contain.strict", False)


class Fails:
    """A function that fails the first *times* that it is called."""

    def __init__(self, function, times):
        self.function, self.times = function, times

    def __call__(self, *args, **kwargs):
        if self.times:
            self.times -= 1
            raise RuntimeError("a bug of ours")
        return self.function(*args, **kwargs)


def test_a_capture_that_fails_gives_a_report_without_values(lenient, monkeypatch, capsys):
    from errormail.reporter import assemble

    monkeypatch.setattr(assemble, "capture", Fails(assemble.capture, 1))
    assert report(Failure(exc=caught("the value")))
    (message,) = mail.outbox
    assert "raise ValueError" in message.body
    assert "the value" not in message.body
    assert "capture failed with RuntimeError" in capsys.readouterr().err


def test_a_capture_that_fails_again_gives_a_plain_traceback(lenient, monkeypatch):
    from errormail.reporter import assemble

    monkeypatch.setattr(assemble, "capture", Fails(assemble.capture, 2))
    assert report(Failure(exc=caught()))
    (message,) = mail.outbox
    assert "ValueError" in message.subject
    assert ", in caught" in message.body
    assert "could not make the report" in message.body


@pytest.mark.parametrize(
    "step",
    ["fingerprint_exception", "capture_request", "subject_line", "_preface", "current_context"],
)
def test_no_step_that_fails_reaches_the_program(lenient, monkeypatch, step, scope, capsys):
    from errormail.reporter import assemble

    monkeypatch.setattr(assemble, step, Fails(None, 99))
    report(Failure(exc=caught()))
    capsys.readouterr()


def test_a_wrong_environment_is_told_once(monkeypatch, capsys):
    monkeypatch.setattr(conf, "_configured", None)
    monkeypatch.setattr(conf, "_of_environment", None)
    monkeypatch.setattr("errormail._contain._told", set())
    monkeypatch.setenv("ERRORMAIL_EMAIL_PORT", "none")
    logging.getLogger("x")
    source = conf.Settings  # reads the environment at each call
    assert not report(Failure(exc=caught()), settings=source)
    assert not report(Failure(exc=caught()), settings=source)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "ERRORMAIL_EMAIL_PORT" in told


def test_flush_says_whether_nothing_is_left():
    assert errormail.flush(timeout=5.0) is True


def test_a_failure_at_the_bottom_of_a_recursion_is_reported_by_who_handles_it_further_out(lenient):
    """Where it rises there may be no room left to make a report; it must not count as made."""

    def sink(depth):
        try:
            sink(depth + 1)
        except RecursionError as error:
            report(Failure(exc=error))
            raise

    with conf.override_settings(DELIVERY="background"):
        with pytest.raises(RecursionError):
            sink(0)
        assert errormail.flush(timeout=20)
    assert len(mail.outbox) == 1
    assert "RecursionError" in mail.outbox[0].subject


def test_a_failure_of_which_no_email_could_be_made_is_not_noted(lenient, monkeypatch, capsys):
    error = caught()
    with monkeypatch.context() as patch:
        patch.setattr("errormail.reporter.assemble.assemble", Fails(None, 99))
        assert not report(Failure(exc=error))
    capsys.readouterr()
    assert report(Failure(exc=error))
