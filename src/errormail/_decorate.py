"""A context manager around functions and classes of tests. Imported by tests only: inspect and unittest are not light."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from functools import wraps
from types import FunctionType
from typing import Any, TypeVar, cast
from unittest import TestCase

Decorated = TypeVar("Decorated", bound=Callable[..., object])
Enter = Callable[[], AbstractContextManager[None]]

PLAIN_METHODS = {"setup_method", "teardown_method"}
"""Of pytest; wrapped besides those named ``test...``."""


def decorate(decorated: Decorated, enter: Enter) -> Decorated:
    """
    Return *decorated* so that it runs inside of ``enter()``.

    A function, coroutine function or generator function (a fixture) is wrapped. A class is changed and returned: of a
    `unittest.TestCase` all is inside from ``setUpClass`` on, of another class each test method.
    """
    target: object = decorated
    if not inspect.isclass(target):
        return cast(Decorated, wrapped(decorated, enter))
    if issubclass(target, TestCase):
        decorate_test_case(target, enter)
    else:
        decorate_methods(target, enter)
    return decorated


def wrapped(function: Callable[..., Any], enter: Enter) -> Callable[..., Any]:
    @wraps(function)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with enter():
            return await function(*args, **kwargs)

    @wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with enter():
            return (yield from cast("Generator[Any, Any, Any]", function(*args, **kwargs)))

    @wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with enter():
            return function(*args, **kwargs)

    if inspect.iscoroutinefunction(function):
        return coroutine
    return generator if inspect.isgeneratorfunction(function) else plain


def wrapped_set_up(function: FunctionType, enter: Enter) -> Callable[..., Any]:
    takes_method = (
        function.__code__.co_argcount > 1
    )  # pytest looks there as well: *args would not do

    @wraps(function)
    def wrapper(self: object, method: object = None) -> None:
        with enter():
            function(self, *([method] if takes_method else []))

    return wrapper


def decorate_test_case(case: type[TestCase], enter: Enter) -> None:
    inner = cast(Callable[[type[TestCase]], None], cast(Any, case.setUpClass).__func__)

    def enter_for(cls: type[TestCase]) -> None:
        manager = enter()
        manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)  # runs also if setUpClass raises

    @wraps(inner)
    def set_up_class(cls: type[TestCase]) -> None:
        enter_for(cls)
        inner(cls)
        enter_for(cls)  # again: what inner entered for a decorated base class must not go before it

    setattr(case, "setUpClass", classmethod(set_up_class))  # noqa: B010 -- to mypy it is a method


def decorate_methods(decorated: type, enter: Enter) -> None:
    for name in dir(decorated):
        if not name.startswith("test") and name not in PLAIN_METHODS:
            continue
        found: object = inspect.getattr_static(decorated, name)
        if inspect.isfunction(found):
            wrap = wrapped_set_up if name in PLAIN_METHODS else wrapped
            setattr(decorated, name, wrap(found, enter))
        elif isinstance(found, (staticmethod, classmethod)):
            bound = cast(Any, found)
            setattr(decorated, name, type(bound)(wrapped(bound.__func__, enter)))
