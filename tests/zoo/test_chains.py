"""Exceptions that hang together in ways that no program means: cycles, towers, crowds, and the bottom of a recursion."""

from __future__ import annotations

import builtins
import logging
import sys

import pytest

import errormail
from actors.doors import DOORS, LOGGER, by_logging, by_report_exception, handling
from errormail import _contain, mail

if sys.version_info < (3, 11):  # the backport has the same shape, and no such class is built in
    pytest.skip("exception groups are of Python 3.11", allow_module_level=True)

ExceptionGroup = builtins.ExceptionGroup


class LeafError(Exception):
    pass


def raised(error):
    """Return *error* with a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


def tower(height):
    error = raised(LeafError("at the bottom"))
    for level in range(height):
        error = ExceptionGroup(f"level {level}", [error])
    return error


def crowd(size):
    return ExceptionGroup("a crowd", [raised(LeafError(f"number {each}")) for each in range(size)])


def tangle():
    """Each group is the cause of its member, and the member's context is the group of the group."""
    leaf = LeafError("tangled")
    inner = ExceptionGroup("inner", [leaf, leaf])
    outer = ExceptionGroup("outer", [inner, leaf, inner])
    leaf.__cause__, leaf.__context__ = inner, outer
    inner.__cause__, outer.__cause__ = outer, leaf
    return outer


def crowd_of_chains():
    members = []
    for number in range(200):
        error = LeafError(f"number {number}")
        for _ in range(200):
            following = LeafError("after it")
            following.__context__ = error
            error = following
        members.append(error)
    return ExceptionGroup("many long ones", members)


def doubling():
    """2 ** 40 ways through it, 40 objects."""
    error = LeafError("the only one")
    for _ in range(40):
        error = ExceptionGroup("two of one", [error, error])
    return error


class Liar(ExceptionGroup):
    """Its members are whatever is asked for."""

    @property
    def exceptions(self):
        raise SystemExit

    def derive(self, members):
        raise SystemExit

    split = subgroup = derive


CROWDS = {
    "1,000 levels": lambda: tower(1_000),
    "10,000 members": lambda: crowd(10_000),
    "tangle": tangle,
    "long chains": crowd_of_chains,
    "doubling": doubling,
    "members that raise": lambda: Liar("liar", [LeafError("hidden")]),
    "group as its own cause": lambda: (lambda group: setattr(group, "__cause__", group) or group)(
        crowd(3)
    ),
}


@pytest.mark.parametrize("door", list(DOORS))
@pytest.mark.parametrize("name", list(CROWDS))
def test_a_group(name, door, only_mail):
    error = CROWDS[name]()

    def fail():
        animal = "in sight"
        if animal:
            raise error

    DOORS[door](fail)
    assert "in sight" in only_mail().text


def test_what_is_left_out_of_a_crowd_is_counted(only_mail):
    def fail():
        raise crowd(10_000)

    by_report_exception(fail)
    text = only_mail().text
    assert "number 0" in text
    assert "9,9" in text  # 9,950 or so are not shown


def test_an_exception_without_a_traceback(only_mail):
    errormail.report_exception(LeafError("never raised"))
    found = only_mail()
    assert "never raised" in found.text
    assert "never raised" in found.html


@pytest.mark.parametrize(
    "exc_info",
    [
        (None, None, None),
        (LeafError, LeafError("a"), None),
        (LeafError, None, None),
        (None, LeafError("a"), None),
        ("LeafError", "a", "tb"),
        (1,),
        42,
        "text",
        object(),
        LeafError("a"),
    ],
    ids=lambda value: None,
)
def test_exc_info_of_any_shape(exc_info, only_mail):
    record = logging.makeLogRecord({"msg": "shaped", "levelno": logging.ERROR, "name": LOGGER})
    record.exc_info = exc_info
    with handling() as root:
        root.handle(record)
    assert only_mail().subject


class Refuses(Exception):
    """Takes no attribute, and has no dictionary of its own."""

    __slots__ = ()

    def __setattr__(self, name, value):
        raise AttributeError(name)

    def __delattr__(self, name):
        raise AttributeError(name)

    @property
    def __dict__(self):
        raise AttributeError


@pytest.mark.parametrize("door", list(DOORS))
def test_an_exception_that_refuses_attributes_is_one_mail(door, only_mail):
    error = Refuses("no marks")

    def fail():
        raise error

    DOORS[door](fail)
    errormail.report_exception(error)
    assert "no marks" in only_mail().text


def test_args_that_were_exchanged(only_mail):
    class OwnError(Exception):
        def __init__(self):
            pass

        def __str__(self):
            return self.args[5]

        def __repr__(self):
            raise self

    def fail():
        error = OwnError()
        error.args = (error, object())
        raise error

    by_logging(fail)
    assert "OwnError" in only_mail().subject


def endless(number):
    animal = "in sight"
    return endless(number + 1) + len(animal)


def ping(number):
    return pong(number + 1) + 1


def pong(number):
    return ping(number + 1) + 1


@pytest.mark.parametrize("function", [endless, ping])
@pytest.mark.parametrize("door", list(DOORS))
def test_a_recursion_without_end(door, function, only_mail):
    DOORS[door](lambda: function(0))
    found = only_mail()
    assert "RecursionError" in found.subject
    assert len(found.html.encode()) <= 20_000


def test_frames_in_great_number_are_walked_and_not_shown(only_mail):
    """As many as a raised recursion limit allows: the report folds them while it walks."""
    before = sys.getrecursionlimit()

    def fail():
        sys.setrecursionlimit(200_000)
        try:
            down(60_000)
        finally:
            sys.setrecursionlimit(before)

    def down(left):
        if not left:
            raise LeafError("at last")
        down(left - 1)

    if sys.version_info < (3, 11):
        pytest.skip("the stack of C would not hold them")
    by_report_exception(fail)
    found = only_mail()
    assert "at last" in found.text
    assert len(found.html.encode()) <= 30_000


@pytest.mark.skipif(
    sys.gettrace() is not None,
    reason="the tracer of coverage needs room too, and takes it from the program",
)
def test_reported_from_the_bottom_of_a_recursion(monkeypatch):
    """There is hardly room for us: nothing comes out, and who handles it further out reports it, if nobody could before."""
    monkeypatch.setattr(_contain, "strict", False)
    escaped = []

    def down():
        try:
            return down() + 1
        except RecursionError as error:
            try:
                errormail.report_exception(error)
            except BaseException as out:
                if out.__traceback__.tb_next is not None:  # else Python could not even call us
                    escaped.append(out)
            raise

    with pytest.raises(RecursionError):
        down()
    assert len(mail.outbox) == 1
    assert escaped == []
