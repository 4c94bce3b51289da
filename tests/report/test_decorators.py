"""sensitive_variables and sensitive_post_parameters: what they hide, and that nothing else changes."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import flask
import pytest
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_post_parameters as django_post_parameters
from django.views.decorators.debug import sensitive_variables as django_variables
from starlette.requests import Request as StarletteRequest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

import errormail
from actors.frameworks import set_up_django
from errormail.report.declarations import ALL, declared_parameters
from errormail.report.decorators import (
    CALLERS,
    hidden_variables,
    sensitive_post_parameters,
    sensitive_variables,
)
from errormail.report.request.frameworks import carrier_of

set_up_django()


class Boom(Exception):
    pass


def frames_of(function, *args, **kwargs):
    """Call, and return the frames of what it raises by the name of their function; coroutines and generators are run."""
    try:
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            asyncio.run(_awaited(result))
        elif inspect.isasyncgen(result):
            asyncio.run(_consumed(result))
        else:
            list(result)
    except Boom as error:
        frames, tb = {}, error.__traceback__
        while tb is not None:
            frames[tb.tb_frame.f_code.co_name] = tb.tb_frame
            tb = tb.tb_next
        return frames
    raise AssertionError("it did not raise")


async def _awaited(awaitable):
    return await awaitable


async def _consumed(iterator):
    return [each async for each in iterator]


def hidden_in(frames, name):
    outer = []
    for own, frame in frames.items():
        if own == name:
            return hidden_variables(frame, outer)
        outer.append(frame)
    raise AssertionError(f"no frame of {name} among {list(frames)}")


@sensitive_variables("password", "pin")
def function(password):
    pin, shown = "1234", 1
    raise Boom(password, pin, shown)


@sensitive_variables("password")
async def coroutine(password):
    await asyncio.sleep(0)
    raise Boom(password)


@sensitive_variables("password")
def generator(password):
    yield 1
    raise Boom(password)


@sensitive_variables("password")
async def async_generator(password):
    yield 1
    raise Boom(password)


class Shop:
    @sensitive_variables("password")
    def method(self, password):
        raise Boom(password)

    @sensitive_variables("password")
    @staticmethod
    def static_above(password):
        raise Boom(password)

    @staticmethod
    @sensitive_variables("password")
    def static_below(password):
        raise Boom(password)

    @sensitive_variables("password")
    @classmethod
    def class_above(cls, password):
        raise Boom(password)

    @classmethod
    @sensitive_variables("password")
    def class_below(cls, password):
        raise Boom(password)

    @sensitive_variables("password")
    def __call__(self, password):
        raise Boom(password)


@pytest.mark.row("X3")
@pytest.mark.parametrize(
    ("callee", "name"),
    [
        (coroutine, "coroutine"),
        (generator, "generator"),
        (async_generator, "async_generator"),
        (Shop().method, "method"),
        (Shop.static_above, "static_above"),
        (Shop().static_below, "static_below"),
        (Shop.class_above, "class_above"),
        (Shop().class_below, "class_below"),
        (Shop(), "__call__"),
    ],
)
def test_the_variables_of_callables_of_every_kind_are_hidden(callee, name):
    assert hidden_in(frames_of(callee, "s3cret"), name) == {"password"}


@pytest.mark.row("X3")
def test_only_the_named_variables_are_hidden():
    hidden = hidden_in(frames_of(function, "s3cret"), "function")
    assert hidden == {"password", "pin"}
    assert "shown" not in hidden


@pytest.mark.row("X3")
def test_without_names_all_variables_are_hidden():
    @sensitive_variables()
    def everything(password):
        raise Boom(password)

    hidden = hidden_in(frames_of(everything, "s3cret"), "everything")
    assert hidden is ALL
    assert "password" in hidden
    assert "anything" in hidden


@pytest.mark.row("X3")
def test_variables_of_functions_that_it_calls_are_hidden_too():
    def inner(password):
        raise Boom(password)

    @sensitive_variables("password")
    def outer():
        inner("s3cret")

    assert hidden_in(frames_of(outer), "inner") == {"password"}


@pytest.mark.row("X3")
def test_a_decorated_caller_counts_that_the_exception_did_not_reach():
    def inner(password):
        raise Boom(password)

    @sensitive_variables("password")
    def outer():
        return frames_of(inner, "s3cret")

    assert hidden_in(outer(), "inner") == {"password"}


@pytest.mark.row("X3")
def test_variables_of_a_coroutine_that_a_decorated_one_awaits_are_hidden_too():
    async def inner(password):
        await asyncio.sleep(0)
        raise Boom(password)

    @sensitive_variables("password")
    async def outer():
        await inner("s3cret")

    assert hidden_in(frames_of(outer), "inner") == {"password"}


@pytest.mark.row("X3")
def test_what_a_decorated_caller_hides_adds_to_what_the_function_itself_hides():
    @sensitive_variables("pin")
    def inner(password, pin):
        raise Boom(password, pin)

    @sensitive_variables("password")
    def outer():
        inner("s3cret", 1)

    assert hidden_in(frames_of(outer), "inner") == {"password", "pin"}


@pytest.mark.row("X3")
def test_the_callers_of_a_decorated_function_show_their_variables():
    def outer():
        function("s3cret")

    assert hidden_in(frames_of(outer), "outer") is None


def passing(function):
    """A decorator as people write them, with functools.wraps."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def passing_plainly(function):
    """A decorator without functools.wraps."""

    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def async_passing(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await function(*args, **kwargs)

    return wrapper


@pytest.mark.row("X3")
@pytest.mark.parametrize(
    "other", [passing, passing_plainly, functools.lru_cache, functools.partial]
)
def test_it_works_above_other_decorators(other):
    @sensitive_variables("password")
    @other
    def callee(password):
        raise Boom(password)

    assert hidden_in(frames_of(callee, "s3cret"), "callee") == {"password"}


@pytest.mark.row("X3")
def test_it_works_above_an_async_decorator():
    @sensitive_variables("password")
    @async_passing
    async def callee(password):
        raise Boom(password)

    frames = frames_of(callee, "s3cret")
    assert hidden_variables(frames["callee"]) == {"password"}
    assert hidden_variables(frames["wrapper"]) == {"password"}


@pytest.mark.row("X3")
def test_it_works_below_other_decorators():
    @passing
    @sensitive_variables("password")
    def callee(password):
        raise Boom(password)

    assert hidden_in(frames_of(callee, "s3cret"), "callee") == {"password"}


def test_other_functions_under_the_same_decorator_are_left_alone():
    @sensitive_variables()
    @passing_plainly
    def callee(password):
        raise Boom(password)

    @passing_plainly
    def other(password):
        raise Boom(password)

    assert hidden_in(frames_of(other, "s3cret"), "other") is None
    assert hidden_in(frames_of(callee, "s3cret"), "callee") is ALL


def test_closures_of_one_function_are_told_apart():
    def make(*names):
        def closure(password):
            raise Boom(password)

        return sensitive_variables(*names)(closure) if names else closure

    first, second, plain = make("password"), make("other"), make()
    assert hidden_in(frames_of(first, "s3cret"), "closure") == {"password"}
    assert hidden_in(frames_of(second, "s3cret"), "closure") == {"other"}
    assert hidden_in(frames_of(plain, "s3cret"), "closure") is None


def test_decorating_twice_adds_names_and_does_not_grow_without_end():
    def callee(password):
        raise Boom(password)

    for _ in range(3):
        sensitive_variables("password")(callee)
    constants = len(callee.__code__.co_consts)
    sensitive_variables("pin")(callee)
    assert hidden_in(frames_of(callee, 1), "callee") == {"password", "pin"}
    sensitive_variables()(callee)
    sensitive_variables("pin")(callee)
    assert hidden_in(frames_of(callee, 1), "callee") is ALL
    assert len(callee.__code__.co_consts) == constants


def test_a_decorated_function_is_the_same_function():
    def callee(user: str, password: str = "") -> bool:
        """Log in."""
        return bool(user and password)

    before = inspect.signature(callee)
    assert sensitive_variables("password")(callee) is callee
    assert inspect.signature(callee) == before
    assert callee.__doc__ == "Log in."
    assert callee("jane", "x") is True
    assert callee("jane") is False


@pytest.mark.parametrize(
    ("callee", "kind"),
    [
        (coroutine, inspect.iscoroutinefunction),
        (generator, inspect.isgeneratorfunction),
        (async_generator, inspect.isasyncgenfunction),
    ],
)
def test_its_kind_stays(callee, kind):
    assert kind(callee)


def test_decorated_functions_and_bound_methods_can_be_pickled():
    shop = pickle.loads(pickle.dumps(PickledShop().method))
    assert shop("x") == "x"


class PickledShop:
    @sensitive_variables("password")
    def method(self, password):
        return password


PickledShop.__module__ = "pickled_shop"


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    # --import-mode=importlib does not make a test module importable by name.
    monkeypatch.setitem(sys.modules, "pickled_shop", sys.modules.get(__name__, _Namespace()))


class _Namespace:
    def __init__(self):
        self.PickledShop = PickledShop


@pytest.mark.row("X5")
@pytest.mark.parametrize("decorator", [sensitive_variables, sensitive_post_parameters])
def test_a_decorator_without_parentheses_is_a_type_error(decorator):
    with pytest.raises(TypeError, match="parentheses"):

        @decorator
        def callee(request): ...


@pytest.mark.row("X5")
@pytest.mark.parametrize("decorator", [sensitive_variables, sensitive_post_parameters])
def test_names_that_are_no_strings_are_a_type_error(decorator):
    with pytest.raises(TypeError, match="is no name"):
        decorator("password", 1)


@pytest.mark.parametrize("value", [Shop, 1, None])
def test_variables_of_what_is_no_function_cannot_be_hidden(value):
    with pytest.raises(TypeError, match="decorates functions"):
        sensitive_variables("password")(value)


def test_a_view_must_be_callable():
    with pytest.raises(TypeError, match="decorates views"):
        sensitive_post_parameters("answer")(1)


def test_what_has_no_python_code_comes_back_as_it_is():
    assert sensitive_variables("obj")(len) is len


def test_a_property_can_be_decorated():
    class Account:
        @sensitive_variables("pin")
        @property
        def code(self):
            pin = 1
            raise Boom(pin)

    assert hidden_in(frames_of(lambda: Account().code), "code") == {"pin"}


def test_beyond_so_many_callers_everything_is_hidden():
    limit = sys.getrecursionlimit()

    def recurse(depth):
        return hidden_variables(sys._getframe()) if depth == 0 else recurse(depth - 1)

    sys.setrecursionlimit(CALLERS + 5_000)
    try:
        assert recurse(10) is None
        assert recurse(CALLERS + 10) is ALL
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.row("X3")
def test_djangos_own_decorator_counts_as_well():
    @django_variables("password")
    def callee(password):
        raise Boom(password)

    @django_variables()
    async def async_callee(password):
        raise Boom(password)

    assert hidden_in(frames_of(callee, "s3cret"), "callee") == {"password"}
    assert hidden_in(frames_of(async_callee, "s3cret"), "async_callee") is ALL


# Requests, and how to see what was declared in them.


def environ(**more):
    builder = EnvironBuilder(path="/reset", method="POST", data={"answer": "42"})
    return {**builder.get_environ(), **more}


def scope(**more):
    return {"type": "http", "method": "POST", "path": "/reset", "headers": [], **more}


def django_request():
    request = HttpRequest()
    request.method = "POST"
    return request


REQUESTS = {
    "wsgi": environ,
    "asgi": scope,
    "django": django_request,
    "werkzeug": lambda: WerkzeugRequest(environ()),
    "flask": lambda: flask.Request(environ()),
    "starlette": lambda: StarletteRequest(scope()),
}


def declared(request):
    return declared_parameters(carrier_of(request))


@pytest.mark.row("X4")
@pytest.mark.parametrize("kind", REQUESTS)
def test_form_fields_are_declared_in_requests_of_every_kind(kind):
    request = REQUESTS[kind]()
    seen = []

    @sensitive_post_parameters("answer")
    def view(request):
        seen.append(declared(request))
        return 200

    assert declared(request) is None
    assert view(request) == 200
    assert seen == [{"answer"}]


@pytest.mark.row("X4")
@pytest.mark.parametrize("kind", REQUESTS)
def test_without_names_all_form_fields_are_declared(kind):
    request = REQUESTS[kind]()
    sensitive_post_parameters()(lambda request: None)(request)
    assert declared(request) is ALL


@pytest.mark.row("X4")
def test_async_views_stay_async():
    @sensitive_post_parameters("answer")
    async def view(request, *, number):
        return number

    request = environ()
    assert inspect.iscoroutinefunction(view)
    assert declared(request) is None
    assert asyncio.run(view(request, number=3)) == 3
    assert declared(request) == {"answer"}


@pytest.mark.row("X4")
def test_an_object_whose_call_is_async_gives_an_async_view():
    class View:
        async def __call__(self, request):
            return 200

    view = sensitive_post_parameters()(View())
    assert inspect.iscoroutinefunction(view)
    assert asyncio.run(view(environ())) == 200


@pytest.mark.row("X4")
def test_methods_get_the_request_second():
    class View:
        @sensitive_post_parameters("answer")
        def post(self, request):
            return declared(request)

        @sensitive_post_parameters("answer")
        @staticmethod
        def static(request):
            return declared(request)

        @sensitive_post_parameters("answer")
        @classmethod
        def of_class(cls, request):
            return cls, declared(request)

    assert View().post(environ()) == {"answer"}
    assert View().static(environ()) == {"answer"}
    assert View.of_class(environ()) == (View, {"answer"})


@pytest.mark.row("X4")
def test_a_request_given_by_keyword_is_found():
    @sensitive_post_parameters("answer")
    def view(number, *, incoming):
        return declared(incoming)

    assert view(number=1, incoming=environ()) == {"answer"}


@pytest.mark.row("X4")
def test_a_flask_view_does_not_take_the_request_and_a_proxy_is_opened():
    app = flask.Flask(__name__)
    seen = []

    @app.post("/plain")
    @sensitive_post_parameters("answer")
    def plain():
        seen.append(declared(flask.request))
        return ""

    @app.post("/proxy")
    def proxy():
        sensitive_post_parameters("answer")(lambda request: None)(flask.request)
        seen.append(declared(flask.request._get_current_object().environ))
        return ""

    client = app.test_client()
    assert client.post("/plain").status_code == 200
    assert client.post("/proxy").status_code == 200
    assert seen == [{"answer"}, {"answer"}]


@pytest.mark.row("X5")
@pytest.mark.parametrize(
    "args", [(), (1,), ({"no": "request"},), ("a", "b", "c"), (flask.request,)]
)
def test_a_call_without_a_request_is_a_type_error(args):
    @sensitive_post_parameters("answer")
    def view(*args):
        raise AssertionError("called")

    with pytest.raises(TypeError, match=r"view\(\), which was called without a request"):
        view(*args)


@pytest.mark.row("X5")
def test_an_async_call_without_a_request_is_a_type_error():
    @sensitive_post_parameters("answer")
    async def view(*args): ...

    with pytest.raises(TypeError, match="without a request"):
        asyncio.run(view(1))


def test_several_views_add_their_fields():
    request = environ()
    sensitive_post_parameters("answer")(lambda request: None)(request)
    sensitive_post_parameters("question")(lambda request: None)(request)
    assert declared(request) == {"answer", "question"}


def test_copies_of_an_environ_share_what_is_declared_afterwards():
    request = environ()
    sensitive_post_parameters("answer")(lambda request: None)(request)
    copy = dict(request)
    sensitive_post_parameters("question")(lambda request: None)(copy)
    assert declared(request) == {"answer", "question"}


@pytest.mark.row("X4")
def test_djangos_own_decorator_for_forms_counts_as_well():
    some, every = django_request(), django_request()
    django_post_parameters("answer")(lambda request: None)(some)
    django_post_parameters()(lambda request: None)(every)
    assert declared(some) == {"answer"}
    assert declared(every) is ALL


def test_djangos_own_report_honours_ours():
    some, every = django_request(), django_request()
    sensitive_post_parameters("answer")(lambda request: None)(some)
    sensitive_post_parameters()(lambda request: None)(every)
    assert some.sensitive_post_parameters == ("answer",)
    assert every.sensitive_post_parameters == "__ALL__"


@pytest.mark.row("X3")
def test_the_arguments_in_the_frame_of_our_own_wrapper_are_hidden():
    @sensitive_post_parameters("answer")
    def view(request, password):
        raise Boom

    frame = frames_of(view, environ(), "s3cret")["sync_view"]
    assert hidden_variables(frame) is ALL
    assert frame.f_locals["__traceback_hide__"] is True


def test_a_view_keeps_name_and_signature():
    def view(request: object, number: int) -> int:
        return number

    decorated = sensitive_post_parameters("answer")(view)
    assert decorated.__name__ == "view"
    assert inspect.signature(decorated) == inspect.signature(view)


def test_the_decorators_are_cheap_to_import():
    folder = str(Path(errormail.__file__).parent.parent)
    code = (
        f"import sys; sys.path.insert(0, {folder!r}); import errormail.report.decorators;"
        "print(*{'asyncio', 'email', 'html', 'inspect', 'dataclasses', 'ssl'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
