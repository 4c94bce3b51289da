"""Secrets planted wherever a program may have them: no mail may tell one, in no part of it."""

from __future__ import annotations

import random

import pytest

from actors.mails import assert_valid, received
from actors.planted import Planted
from errormail import conf, mail
from errormail.delivery.worker import WORKER
from errormail.reporter import scope, seen, tail


@pytest.fixture(autouse=True)
def _settings(outbox):
    seen._recent.clear()
    scope._ADDED.set({})  # no context of another test
    tail._of_threads.__dict__.clear()  # and no log of it
    WORKER.leave_to_parent()  # no outage of another test
    admins = ["Ops <ops@example.com>"]
    with conf.override_settings(ADMINS=admins, DELIVERY="sync", ATTACH_JSON=True):
        yield


@pytest.fixture
def planted(request):
    # pytest-randomly begins each test with the same numbers: no two tests may plant the same.
    return Planted(f"{random.random()} {request.node.nodeid}")


@pytest.fixture
def only_mail(planted):
    """Return the mail that was sent, after a search for what was planted."""

    def take():
        (sent,) = mail.outbox
        found = received(sent)
        assert_valid(found)
        leaks = planted.leaks(found)
        assert not leaks
        return found

    return take


@pytest.fixture
def all_mails(planted):
    """Return all mails that were sent, after the same search."""

    def take():
        found = [received(sent) for sent in mail.outbox]
        leaks = {}
        for each in found:
            assert_valid(each)
            leaks |= planted.leaks(each)
        assert not leaks
        return found

    return take
