"""Hostile objects wherever a report may meet them."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

import errormail
from actors.doors import DOORS, LOGGER, by_logging, by_report_exception, by_wsgi, handling
from actors.hostile import EXCEPTIONS, OBJECTS, Raises

GIANTS = {name for name in OBJECTS if name.startswith("huge")}
SMALL = [name for name in OBJECTS if name not in GIANTS]


class ZooError(Exception):
    pass


def fail_with_local(value):
    animal = value
    beside = "in sight"
    raise ZooError("the keeper is out", len(beside), animal is value)


@pytest.mark.parametrize("door", list(DOORS))
@pytest.mark.parametrize("name", list(OBJECTS))
def test_an_object_as_a_local(name, door, only_mail):
    value = OBJECTS[name]()
    DOORS[door](lambda: fail_with_local(value))
    found = only_mail()
    for part in (found.text, found.html):
        assert "ZooError" in part
        assert "animal" in part
        assert "in sight" in part


@pytest.mark.parametrize("name", SMALL)
def test_an_object_within_containers(name, only_mail):
    value = OBJECTS[name]()
    nested = {"list": [value, (value,)], "named": {"animal": value}}
    by_logging(lambda: fail_with_local(nested))
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("name", SMALL)
def test_an_object_as_an_argument_of_an_exception(name, only_mail):
    value = OBJECTS[name]()

    def fail():
        raise ZooError(value)

    by_report_exception(fail)
    assert "ZooError" in only_mail().subject


@pytest.mark.parametrize("name", SMALL)
def test_an_object_as_a_note(name, only_mail):
    error = ZooError("noted")
    error.__notes__ = [OBJECTS[name](), "a note that can be read"]

    def fail():
        raise error

    by_logging(fail)
    assert "a note that can be read" in only_mail().text


@pytest.mark.parametrize("name", SMALL)
def test_an_object_as_all_notes(name, only_mail):
    error = ZooError("noted")
    error.__notes__ = OBJECTS[name]()

    def fail():
        raise error

    by_logging(fail)
    assert "ZooError: noted" in only_mail().text


@pytest.mark.parametrize("name", list(OBJECTS))
def test_an_object_as_an_argument_of_a_record(name, only_mail):
    value = OBJECTS[name]()
    with handling():
        logging.getLogger(LOGGER).error("animals %s and %r", "tame", value)
    assert "animals" in only_mail().subject


@pytest.mark.parametrize("name", SMALL)
def test_an_object_as_the_message_of_a_record(name, only_mail):
    value = OBJECTS[name]()
    with handling():
        logging.getLogger(LOGGER).error(value)
    assert "ERROR" in only_mail().subject


@pytest.mark.parametrize("name", list(OBJECTS))
def test_an_object_as_a_field_of_a_record_and_in_the_context(name, only_mail):
    value = OBJECTS[name]()
    with handling(), errormail.context(keeper="Ada", kept=value):
        logging.getLogger(LOGGER).error("fed", extra={"animal": value, "food": "hay"})
    text = only_mail().text
    assert "hay" in text
    assert "Ada" in text


@pytest.mark.parametrize("name", SMALL)
def test_an_object_in_the_environ(name, only_mail):
    value = OBJECTS[name]()
    places = ("HTTP_X_ANIMAL", "REMOTE_USER", "shop.animal", "QUERY_STRING", "PATH_INFO")
    more = {**dict.fromkeys(places, value), "HTTP_X_FOOD": "hay"}
    by_wsgi(lambda: fail_with_local("tame"), **more)
    assert "hay" in only_mail().text


@pytest.mark.parametrize("name", SMALL)
def test_an_object_as_the_request(name, only_mail):
    value = OBJECTS[name]()
    errormail.report_exception(ZooError("fed"), request=value)
    assert "ZooError" in only_mail().subject


@pytest.mark.parametrize("door", list(DOORS))
@pytest.mark.parametrize("name", [name for name in EXCEPTIONS if name != "hostile metaclass"])
def test_an_exception(name, door, only_mail):
    error = EXCEPTIONS[name]()

    def fail():
        animal = "in sight"
        if animal:
            raise error

    DOORS[door](fail)
    assert "in sight" in only_mail().text


def test_an_exception_that_python_itself_cannot_raise(only_mail):
    """`raise` asks the metaclass whether the instance is one."""
    errormail.report_exception(EXCEPTIONS["hostile metaclass"]())
    assert "HostileMetaError" in only_mail().subject


@pytest.mark.parametrize("name", list(EXCEPTIONS))
def test_an_exception_as_a_local_and_as_a_cause(name, only_mail):
    def fail():
        animal = EXCEPTIONS[name]()
        error = ZooError("caused")
        BaseException.__setattr__(error, "__cause__", animal)
        raise error

    by_logging(fail)
    assert "caused" in only_mail().text


@pytest.mark.parametrize(
    "raised", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, MemoryError]
)
def test_what_an_object_raises_does_not_come_out_of_logging(raised, only_mail):
    """Not even what ends a program: it was not the program that was asked to end."""
    value = Raises(raised())
    by_logging(lambda: fail_with_local([value, {"a": value}]))
    assert "in sight" in only_mail().text


def test_all_animals_at_once_and_in_threads():
    """Reports made at the same time do not disturb each other."""
    from errormail import mail

    values = [OBJECTS[name]() for name in SMALL]
    escaped = []

    def work():
        try:
            fail_with_local(values)
        except ZooError as error:
            try:
                errormail.report_exception(error)
            except BaseException as out:
                escaped.append(out)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert escaped == []
    assert len(mail.outbox) == 4
