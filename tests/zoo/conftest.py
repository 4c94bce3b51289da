"""The zoo: whatever fails comes in by a public door, and a mail comes out that every program can show."""

from __future__ import annotations

import traceback

import pytest

from actors.mails import assert_valid, received
from errormail import conf, mail
from errormail.delivery.worker import WORKER
from errormail.reporter import scope, seen, tail


@pytest.fixture(autouse=True)
def _settings(outbox):
    seen._recent.clear()
    scope._ADDED.set({})  # no context of another test
    tail._of_threads.__dict__.clear()  # and no log of it
    WORKER.leave_to_parent()  # no outage of another test
    with conf.override_settings(ADMINS=["Ops <ops@example.com>"], DELIVERY="sync"):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call():
    """Let out of a test nothing hostile: pytest would look at it, and die."""
    try:
        return (yield)
    except (pytest.skip.Exception, pytest.fail.Exception):
        raise
    except BaseException as error:
        name = type.__dict__["__name__"].__get__(type(error))
        said = str(error) if type(error) in {AssertionError, ValueError, TypeError} else ""
        trace = BaseException.__dict__["__traceback__"].__get__(error)
        # Without source: the file may be one that one may not read.
        places = [
            f"  {frame.f_code.co_filename!r}:{line} in {frame.f_code.co_name!r}"
            for frame, line in traceback.walk_tb(trace)
        ]
        failed = "\n".join([f"{name}: {said}", *places[-30:]])
    raise AssertionError(failed)


@pytest.fixture
def only_mail():
    """Return the mail that was sent, after a look at whether it is a valid one."""

    def take():
        (sent,) = mail.outbox
        found = received(sent)
        assert_valid(found)
        return found

    return take
