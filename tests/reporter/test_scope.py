"""`context` and the request at hand."""

from __future__ import annotations

import asyncio
import threading

import pytest

from errormail.report.request import RequestSource
from errormail.reporter.scope import (
    _ADDED,
    SCOPE,
    Scope,
    add_context,
    context,
    current_context,
    current_scope,
)


@pytest.fixture(autouse=True)
def _nothing_added():
    token = _ADDED.set({})
    yield
    _ADDED.reset(token)


@pytest.fixture
def scope():
    """A request at hand."""
    own = Scope(lambda: RequestSource(request={}))
    token = SCOPE.set(own)
    yield own
    SCOPE.reset(token)


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


def test_what_is_added_stays_until_the_thread_ends():
    seen = []

    def work():
        add_context(order=1)
        add_context(user="jane", order=2)
        seen.append(current_context(None))

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [{"order": 2, "user": "jane"}] * 2
    assert current_context(None) == {}


def test_what_is_added_in_a_task_stays_in_it():
    seen = []

    async def task(name):
        add_context(task=name)
        await asyncio.sleep(0)
        seen.append(current_context(None))

    async def main():
        add_context(job="nightly")
        await asyncio.gather(task("a"), task("b"))
        seen.append(current_context(None))

    asyncio.run(main())
    assert sorted(map(str, seen)) == [
        "{'job': 'nightly', 'task': 'a'}",
        "{'job': 'nightly', 'task': 'b'}",
        "{'job': 'nightly'}",
    ]
    assert current_context(None) == {}


def test_what_is_added_in_a_request_is_shown_further_out_in_it_and_ends_with_it(scope):
    def view():
        with context(step="payment"):
            add_context(order=42)
            raise KeyError

    with pytest.raises(KeyError) as caught:
        view()
    assert current_context(caught.value) == {"order": 42, "step": "payment"}
    token = SCOPE.set(Scope(lambda: RequestSource(request={})))
    assert current_context(None) == {}
    SCOPE.reset(token)


def test_all_tasks_and_threads_of_a_request_add_to_it(scope):
    async def part(name):
        add_context(**{name: True})
        await asyncio.to_thread(lambda: add_context(**{f"{name} thread": True}))

    async def main():
        await asyncio.gather(part("a"), part("b"))

    asyncio.run(main())
    assert set(current_context(None)) == {"a", "b", "a thread", "b thread"}


def test_a_middleware_within_a_middleware_adds_to_the_same_request(scope):
    inner = Scope(lambda: RequestSource(request={}), scope)
    assert inner.number == scope.number
    token = SCOPE.set(inner)
    add_context(order=42)
    SCOPE.reset(token)
    assert current_context(None) == {"order": 42}


def test_a_block_goes_before_what_was_added(scope):
    add_context(order=1)
    with context(order=2):
        add_context(order=3)
        assert current_context(None) == {"order": 2}
    assert current_context(None) == {"order": 3}


def test_ever_new_names_do_not_grow_without_a_bound(scope):
    for number in range(1_000):
        add_context(**{f"name{number}": number}, always=True)
    assert len(current_context(None)) == 200
    assert list(current_context(None))[-2:] == ["name999", "always"]
