"""`context` and the request at hand."""

from __future__ import annotations

import asyncio
import threading

import pytest

from errormail.report.request import RequestSource
from errormail.reporter.scope import SCOPE, Scope, context, current_context, current_scope


def test_context_holds_inside_its_block_only():
    with context(order=1):
        assert current_context(None) == {"order": 1}
    assert current_context(None) == {}


def test_the_innermost_value_of_a_name_wins():
    with context(order=1, user="jane"), context(order=2):
        assert current_context(None) == {"order": 2, "user": "jane"}


def test_context_is_kept_by_an_exception_that_leaves_the_block():
    """Who reports further out, a middleware say, shows it all the same."""
    with pytest.raises(KeyError) as caught, context(order=1, user="jane"), context(order=2):
        raise KeyError
    assert current_context(caught.value) == {"order": 2, "user": "jane"}
    assert current_context(KeyError()) == {}


def test_context_decorates_a_function():
    @context(job="nightly")
    def run():
        return current_context(None)

    assert run() == run() == {"job": "nightly"}
    assert current_context(None) == {}


def test_context_keeps_the_values_of_an_exception_that_refuses_attributes():
    class Frozen(Exception):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    with pytest.raises(Frozen) as caught, context(order=1):
        raise Frozen
    assert current_context(caught.value) == {"order": 1}


def test_threads_and_tasks_have_their_own_context():
    seen = []

    async def task():
        with context(task=True):
            await asyncio.sleep(0)
            seen.append(current_context(None))

    async def both():
        await asyncio.gather(task(), asyncio.to_thread(lambda: None))
        seen.append(current_context(None))

    with context(order=1):
        thread = threading.Thread(target=lambda: seen.append(current_context(None)))
        thread.start()
        thread.join()
    asyncio.run(both())
    assert seen == [{}, {"task": True}, {}]


def test_a_scope_tells_what_its_door_knows_when_it_is_asked_and_what_inner_doors_added():
    status = None
    scope = Scope(lambda: RequestSource(request={"PATH_INFO": "/"}, status=status))
    status = 500
    scope.facts.update(route="index", user="", unknown="x")
    source = scope.source()
    assert (source.status, source.route, source.user) == (500, "index", "")


def test_scopes_have_numbers_of_their_own():
    first, second = (
        Scope(lambda: RequestSource(request={})),
        Scope(lambda: RequestSource(request={})),
    )
    assert first.number != second.number


def test_there_is_no_scope_outside_of_a_request():
    assert current_scope() is None
    scope = Scope(lambda: RequestSource(request={}))
    token = SCOPE.set(scope)
    assert current_scope() is scope
    SCOPE.reset(token)
