"""What programs hang into a report: log tail, sections, hooks, context, the caller's stack; each as bad as it can be."""

from __future__ import annotations

import contextlib
import logging

import pytest

import errormail
from actors.doors import DOORS, LOGGER, by_logging, by_report_exception, handling
from actors.hostile import EXCEPTIONS, OBJECTS
from errormail import _contain, conf, mail
from errormail.handler import LogTailHandler

SMALL = [name for name in OBJECTS if not name.startswith("huge")]


class AroundError(Exception):
    pass


def fail():
    animal = "in sight"
    raise AroundError(animal)


@pytest.fixture
def log():
    """Logs what is kept for the next report: `log(object)`."""
    logger = logging.getLogger(f"{LOGGER}.tail")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(LogTailHandler())

    def log(*args):
        with handling():  # no handler of others: pytest's fails of what is hostile
            logger.info(*args)

    yield log
    logger.handlers.clear()


@pytest.mark.parametrize("name", [name for name in OBJECTS if name != "logs"])
def test_an_object_in_the_log_before(name, log, only_mail):
    value = OBJECTS[name]()
    log("fed %s with %r", "hay", value)
    log("and went")
    by_report_exception(fail)
    assert "and went" in only_mail().text


@pytest.mark.parametrize("name", [name for name in SMALL if name != "logs"])
def test_an_object_as_a_message_of_the_log_before(name, log, only_mail):
    log(OBJECTS[name]())
    log("and went")
    by_report_exception(fail)
    assert "and went" in only_mail().text


def test_an_object_that_logs_when_it_is_logged(log, only_mail):
    """Its line is kept while another is being kept: neither hangs."""

    class LogsWithinLogs:
        def __str__(self):
            log("within")
            return "<LogsWithinLogs>"

    log("%s", LogsWithinLogs())
    log("and went")
    by_report_exception(fail)
    assert "and went" in only_mail().text


def test_records_in_great_number_and_size_are_bounded(log, only_mail):
    for number in range(2_000):
        log("%d %s", number, "x" * 10_000)
    by_report_exception(fail)
    found = only_mail()
    assert "1999" in found.text
    assert len(found.raw) < 200_000


@pytest.mark.parametrize("name", list(EXCEPTIONS))
def test_a_section_that_raises_costs_a_note(name, only_mail, monkeypatch):
    def section(report):
        error = EXCEPTIONS[name]()
        raise error

    monkeypatch.setattr(_contain, "strict", False)
    with conf.override_settings(SECTIONS=[section]):
        by_logging(fail)
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("name", list(OBJECTS))
def test_a_section_of_anything(name, only_mail, monkeypatch):
    monkeypatch.setattr(_contain, "strict", False)
    value = OBJECTS[name]()
    sections = [
        lambda report: value,
        lambda report: {"animal": value, "food": "hay"},
        lambda report: [("animal", value), (value, "hay"), value],
    ]
    with conf.override_settings(SECTIONS=sections):
        by_logging(fail)
    assert "in sight" in only_mail().text


def test_a_section_without_end(only_mail, monkeypatch):
    def section(report):
        number = 0
        while True:
            number += 1
            yield f"row {number}", number

    monkeypatch.setattr(_contain, "strict", False)
    with conf.override_settings(SECTIONS=[section]):
        by_logging(fail)
    assert "in sight" in only_mail().text


def test_a_section_that_logs_and_reports(only_mail):
    def section(report):
        logging.getLogger(LOGGER).error("within the section")
        by_report_exception(fail)
        return {"food": "hay"}

    with conf.override_settings(SECTIONS=[section]):
        by_logging(fail)
    assert "hay" in only_mail().text


@pytest.mark.parametrize("name", list(EXCEPTIONS))
def test_a_hook_before_sending_that_raises_loses_no_mail(name, only_mail, monkeypatch):
    def hook(report):
        error = EXCEPTIONS[name]()
        raise error

    monkeypatch.setattr(_contain, "strict", False)
    with conf.override_settings(BEFORE_SEND=hook):
        by_logging(fail)
    assert "in sight" in only_mail().text


@pytest.mark.parametrize(
    "name", ["raises SystemExit", "claims another class", "hostile dict", "mock"]
)
def test_a_hook_before_sending_that_returns_anything_loses_no_mail(name, only_mail, monkeypatch):
    monkeypatch.setattr(_contain, "strict", False)
    value = OBJECTS[name]()
    with conf.override_settings(BEFORE_SEND=lambda report: value):
        by_logging(fail)
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("name", list(EXCEPTIONS))
def test_a_rule_of_ignore_that_raises_loses_no_mail(name, only_mail, monkeypatch):
    def rule(*failure):
        error = EXCEPTIONS[name]()
        raise error

    monkeypatch.setattr(_contain, "strict", False)
    with conf.override_settings(IGNORE=[rule]):
        by_logging(fail)
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("name", [name for name in EXCEPTIONS if name != "hostile metaclass"])
def test_rules_of_ignore_look_at_any_exception(name, only_mail):
    import re

    error = EXCEPTIONS[name]()

    def raise_it():
        animal = "in sight"
        if animal:
            raise error

    with conf.override_settings(IGNORE=[OSError, "shop.Gone", "shop.log", re.compile("^/health")]):
        by_logging(raise_it)
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("name", list(OBJECTS))
def test_context_that_is_added(name, only_mail):
    value = OBJECTS[name]()
    with errormail.context():
        errormail.add_context(animal=value, food="hay")
        by_report_exception(fail)
    assert "hay" in only_mail().text


@pytest.mark.parametrize("name", list(OBJECTS))
def test_the_caller_s_stack_of_a_record(name, only_mail):
    """Without an exception the frames of who logged are shown, with their values."""

    def keeper(animal):
        beside = "in sight"
        logging.getLogger(LOGGER).error("it escaped", stack_info=False)
        return beside, animal

    value = OBJECTS[name]()
    with handling():
        keeper(value)
    found = only_mail()
    assert "it escaped" in found.text
    assert "keeper" in found.text


def test_a_record_from_the_bottom_of_a_recursion(monkeypatch):
    """There is room for logging, and hardly more: nothing comes out, and the next failure is mailed as ever."""
    monkeypatch.setattr(_contain, "strict", False)
    escaped = []

    left = [20]

    def down():
        with contextlib.suppress(RecursionError):
            down()
        if left[0]:
            left[0] -= 1
            try:
                logging.getLogger(LOGGER).error("deep")
            except RecursionError:
                pass  # logging itself had no room
            except BaseException as out:
                escaped.append(out)

    with handling():
        down()
    assert escaped == []
    assert mail.outbox
    mail.outbox.clear()
    by_report_exception(fail)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("door", list(DOORS))
def test_a_mail_with_everything_is_valid(door, log, only_mail):
    def fail_late():
        log("before")
        fail()

    with (
        conf.override_settings(
            SECTIONS=[lambda report: {"a": 1}],
            ATTACH_JSON=True,
            SOURCE_URL="https://git.example.com/{release}/{path}#L{line}",
            RELEASE="1.2",
            LIBRARY_LOCALS=True,
        ),
        errormail.context(order=42),
    ):
        DOORS[door](fail_late)
    found = only_mail()
    assert set(found.attachments) >= {"report.json"}
    assert "before" in found.text
    assert "42" in found.text
