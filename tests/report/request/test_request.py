"""A request of every framework is understood and left as it is."""

from __future__ import annotations

import asyncio
import io
import json
import types
from contextlib import contextmanager
from unittest import mock

import falcon
import falcon.asgi
import falcon.testing
import flask
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject
from starlette.applications import Starlette
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route
from werkzeug.local import LocalProxy
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from actors.frameworks import set_up_django, webob
from actors.requests import (
    BODY,
    FORM,
    REQUESTS,
    SECRET,
    captured,
    environ,
    full_environ,
    pairs,
    receive_nothing,
    request_of,
    scope,
)
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.request import (
    RequestSource,
    capture_request,
    user_name,
)

set_up_django()


@pytest.mark.row("R2", "R9")
@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_of_every_framework_is_understood(kind):
    request = request_of(REQUESTS[kind]())
    assert request.method == "POST"
    assert request.url == f"https://shop.example.com/orders/7?page=2&token={REDACTED}&page=3"
    assert request.path == "/orders/7"
    assert pairs(request.query) == [("page", "2"), ("token", REDACTED), ("page", "3")]
    assert pairs(request.cookies) == [("sessionid", REDACTED), ("theme", REDACTED)]
    headers = dict(pairs(request.headers))
    assert headers["X-Shop"] == "7"
    assert headers["Authorization"] == REDACTED
    assert "Cookie" not in headers
    assert headers["Content-Type"] == FORM
    assert request.remote_addr == "203.0.113.9"


@pytest.mark.row("R9")
@pytest.mark.parametrize("kind", REQUESTS)
def test_a_body_that_was_not_read_stays_unread(kind):
    made = REQUESTS[kind]()
    request = request_of(made)
    assert request.form == ()
    assert request.notes == ("body: not read by the application, or not kept",)
    stream = getattr(made, "environ", None) or (made if isinstance(made, dict) else {})
    if "wsgi.input" in stream:
        assert stream["wsgi.input"].tell() == 0


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_secrets_of_a_request_vanish_from_the_rest_of_the_report(kind):
    redactor = captured(REQUESTS[kind]()).redactor
    text = redactor.text(f"a {SECRET} b {SECRET}-2 c {SECRET}-3 d hello")
    assert SECRET not in text
    assert text.endswith("hello")


@pytest.mark.row("R9")
@pytest.mark.parametrize("kind", REQUESTS)
def test_what_the_middleware_saw_of_the_body_is_shown(kind):
    source = RequestSource(
        request=REQUESTS[kind](), body=BODY, body_size=len(BODY), status=500, seconds=0.25
    )
    request = request_of(source)
    assert pairs(request.form) == [("note", "hello"), ("pin", REDACTED)]
    assert (request.status, request.seconds) == (500, 0.25)
    assert request.notes == ("curl: without the body, in which something is redacted",)


def test_what_the_door_knows_goes_first():
    source = RequestSource(
        request=environ(REMOTE_USER="other"), route="shop.order", user="jane", notes=("a note",)
    )
    request = request_of(source)
    assert (request.route, request.user, request.notes) == ("shop.order", "jane", ("a note",))


# What a framework has parsed by itself.

JPEG = b"\xff\xd8\xff" * 5


def multipart_environ():
    builder = EnvironBuilder(
        method="POST",
        data={"note": "hello", "pin": "1234", "photo": (io.BytesIO(JPEG), "me.jpg", "image/jpeg")},
    )
    try:
        return builder.get_environ()
    finally:
        builder.close()


@pytest.mark.row("R9")
def test_a_form_that_django_has_parsed_is_shown():
    request = RequestFactory().post(
        "/",
        {
            "note": ["a", "b"],
            "pin": "1234",
            "photo": SimpleUploadedFile("me.jpg", JPEG, "image/jpeg"),
        },
    )
    assert request_of(request).form == ()
    assert request.POST["note"] == "b"
    shown = request_of(request)
    assert pairs(shown.form) == [("note", "a"), ("note", "b"), ("pin", REDACTED)]
    (photo,) = shown.files
    assert (photo.field, photo.filename, photo.content_type, photo.size) == (
        "photo",
        "me.jpg",
        "image/jpeg",
        15,
    )
    assert shown.notes == ("curl: without the body, which has several parts",)


@pytest.mark.row("R9")
def test_json_that_django_has_read_is_shown():
    body = {"user": {"password": SECRET, "name": "jane"}, "amount": 3, "note": f"x{SECRET}x"}
    request = RequestFactory().post("/", body, content_type="application/json")
    assert json.loads(request.body) == body
    found = captured(request)
    assert pairs(found.request.form) == [
        ("user", "{'password': [redacted], 'name': 'jane'}"),
        ("amount", "3"),
        ("note", f"x{REDACTED}x"),
    ]
    assert SECRET not in found.redactor.text(f"= {SECRET}")


def test_a_django_request_made_by_hand_is_shown():
    request = HttpRequest()
    request.method = "POST"
    request.path = "/hand"
    request.META = {"HTTP_HOST": "shop.example.com", "HTTP_X_SHOP": "7"}
    request.COOKIES = {"sessionid": SECRET}
    request.POST = {"note": "hello"}
    shown = request_of(request)
    assert (shown.method, shown.url) == ("POST", "http://shop.example.com/hand")
    assert pairs(shown.form) == [("note", "hello")]
    assert pairs(shown.cookies) == [("sessionid", REDACTED)]
    assert pairs(shown.headers) == [("Host", "shop.example.com"), ("X-Shop", "7")]
    assert request_of(HttpRequest()).method == ""


@pytest.mark.row("R2")
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_host_that_django_refuses_is_shown_as_it_came(kind):
    from django.core.handlers.asgi import ASGIRequest
    from django.core.handlers.wsgi import WSGIRequest

    if kind == "wsgi":
        request = WSGIRequest(environ(HTTP_HOST="evil.example"))
    else:
        request = ASGIRequest(scope(headers=[(b"host", b"evil.example")]), io.BytesIO())
    with pytest.raises(Exception, match="Invalid HTTP_HOST"):
        request.get_host()
    with pytest.raises(Exception, match="Invalid HTTP_HOST"):
        request.build_absolute_uri()
    shown = request_of(request)
    assert shown.url == "https://evil.example/orders/7"
    assert shown.notes == ()


class Unreadable(Exception):
    pass


def test_a_post_property_that_raises_is_not_touched():
    from django.core.handlers.wsgi import WSGIRequest

    class Request(WSGIRequest):
        @property
        def POST(self):  # noqa: N802 -- Django's name
            raise Unreadable

        @property
        def user(self):
            raise Unreadable

    assert request_of(Request(full_environ())).method == "POST"


@pytest.mark.row("R9")
def test_a_lazy_user_stays_unevaluated():
    def look_up():
        raise AssertionError("the database was asked")

    request = RequestFactory().get("/")
    request.user = SimpleLazyObject(look_up)
    shown = request_of(request)
    assert shown.user == ""
    assert shown.notes == (
        "user: not looked up by the application yet, so not by the report either",
    )


@contextmanager
def no_queries():
    """A database of Django's that fails whatever it is asked."""
    from django.db import connections
    from django.db.utils import ConnectionHandler

    def refuse(execute, sql, params, many, context):
        raise AssertionError(f"the database was asked: {sql}")

    before = connections["default"]
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    connection = connections["default"] = ConnectionHandler({"default": sqlite})["default"]
    try:
        with connection.execute_wrapper(refuse):
            yield
    finally:
        if connection.connection is not None:  # close() leaves one in memory alone
            connection.connection.close()
        connections["default"] = before


def test_djangos_own_lazy_user_asks_no_database():
    """What AuthenticationMiddleware puts on a request, with a session that is loaded and says who it is."""
    from django.contrib.auth import get_user
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.session._session_cache = {
        "_auth_user_id": "1",
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    }
    request.user = SimpleLazyObject(lambda: get_user(request))
    with no_queries():
        shown = request_of(request)
        with pytest.raises(AssertionError, match="auth_user"):
            assert request.user.username  # the guard does what it says
    assert shown.user == ""
    assert shown.notes == (
        "user: not looked up by the application yet, so not by the report either",
    )


def test_a_user_that_django_has_looked_up_for_async_code_is_shown():
    request = RequestFactory().get("/")
    request._acached_user = User("jane")
    request.user = SimpleLazyObject(lambda: pytest.fail("looked up"))
    assert request_of(request).user == "jane"


def test_the_user_of_flask_login_is_shown_once_it_was_loaded():
    """As Flask-Login does it: a proxy that loads on first use, and keeps what it loaded in ``g``."""
    app = flask.Flask(__name__)
    seen = []

    def load():
        if "_login_user" not in flask.g:
            flask.g._login_user = types.SimpleNamespace(username="jane")
        return flask.g._login_user

    current_user = LocalProxy(load)

    @app.get("/")
    def view():
        seen.append(request_of(flask.request).user)
        assert "_login_user" not in flask.g
        assert current_user.username == "jane"
        seen.append(request_of(flask.request).user)
        return ""

    app.test_client().get("/")
    assert seen == ["", "jane"]


class User:
    USERNAME_FIELD = "login_name"

    def __init__(self, login_name):
        self.login_name = login_name

    def get_username(self):
        raise AssertionError("called")


@pytest.mark.row("R9")
def test_a_lazy_user_that_was_evaluated_is_shown():
    request = RequestFactory().get("/")
    request.user = SimpleLazyObject(lambda: User("jane"))
    assert request.user.login_name == "jane"
    assert request_of(request).user == "jane"


def test_the_user_that_the_server_authenticated_is_shown():
    assert request_of(environ(REMOTE_USER="jane")).user == "jane"


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ("jane", "jane"),
        (7, "7"),
        (User("jane"), "jane"),
        (types.SimpleNamespace(email="jane@example.com", id=3), "jane@example.com"),
        (types.SimpleNamespace(id=3), "3"),
        (types.SimpleNamespace(is_admin=True), ""),
        ({"username": "jane"}, "jane"),
        (None, ""),
        (object(), ""),
    ],
)
def test_a_user_is_called_by_what_is_stored_in_it(user, name):
    assert user_name(user) == name


@pytest.mark.parametrize("lazy", [mock.MagicMock, SimpleLazyObject, LocalProxy])
def test_a_user_that_would_have_to_be_looked_up_has_no_name(lazy):
    def look_up():
        raise AssertionError("looked up")

    assert user_name(lazy(look_up)) == ""


def test_an_anonymous_user_is_called_that():
    from django.contrib.auth.models import AnonymousUser as DjangoUser
    from starlette.authentication import UnauthenticatedUser

    assert user_name(DjangoUser()) == "anonymous"
    assert user_name(UnauthenticatedUser()) == "anonymous"


@pytest.mark.row("R10")
def test_djangos_view_is_named():
    from django.urls import ResolverMatch

    request = RequestFactory().get("/")
    request.resolver_match = ResolverMatch(test_djangos_view_is_named, (), {}, url_name="detail")
    assert request_of(request).route.endswith("test_djangos_view_is_named")


def bottle_environ():
    route = types.SimpleNamespace(rule="/orders/<number>")
    return environ(**{"bottle.route": route})


def werkzeug_request():
    request = WerkzeugRequest(environ())
    request.url_rule = types.SimpleNamespace(endpoint="shop.order")
    return request


def falcon_request():
    request = falcon.Request(environ())
    request.uri_template = "/orders/{number}"
    return request


@pytest.mark.parametrize(
    ("make", "route"),
    [
        (bottle_environ, "/orders/<number>"),
        (werkzeug_request, "shop.order"),
        (falcon_request, "/orders/{number}"),
        (lambda: scope(endpoint=falcon_request), f"{__name__}.falcon_request"),
        (
            lambda: environ(
                **{"webob.adhoc_attrs": {"matched_route": types.SimpleNamespace(name="order")}}
            ),
            "order",
        ),
        (environ, ""),
        (scope, ""),
    ],
    ids=["bottle", "werkzeug", "falcon", "starlette", "pyramid", "wsgi", "asgi"],
)
def test_the_route_is_named_by_what_each_framework_stores(make, route):
    assert request_of(make()).route == route


@pytest.mark.row("R9")
def test_a_loaded_django_session_shows_its_keys():
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    request = RequestFactory().get("/")
    request.session = SessionStore()
    assert request_of(request).session == ()
    request.session._session_cache = {"cart": [SECRET], "user_id": 7}
    shown = request_of(request)
    assert pairs(shown.session) == [("cart", REDACTED), ("user_id", REDACTED)]


@pytest.mark.row("R9", "R10")
def test_what_flask_knows_is_shown_also_from_the_environ():
    app = flask.Flask(__name__)
    app.secret_key = SECRET
    seen = []

    @app.post("/orders/<number>")
    def order(number):
        flask.session["cart"] = [SECRET]
        seen.append(flask.request.form["note"])
        seen.append(request_of(flask.request))
        seen.append(request_of(flask.request.environ))
        return ""

    data = {"note": "hello", "pin": "1234", "photo": (io.BytesIO(JPEG), "me.jpg")}
    assert app.test_client().post("/orders/7", data=data).status_code == 200
    for shown in seen[1:]:
        assert sorted(pairs(shown.form)) == [("note", "hello"), ("pin", REDACTED)]
        assert shown.route == "order"
        assert [(each.filename, each.content_type) for each in shown.files] == [
            ("me.jpg", "image/jpeg")
        ]
        assert pairs(shown.session) == [("cart", REDACTED)]


def test_json_that_werkzeug_has_read_is_shown():
    request = WerkzeugRequest(
        environ(body=b'{"a": [1, {"secret": 5}]}', CONTENT_TYPE="application/json")
    )
    assert request.json["a"][0] == 1
    assert pairs(request_of(request).form) == [("a", "[1, {'secret': [redacted]}]")]


def test_an_unbound_proxy_is_no_request():
    assert capture_request(flask.request, redactor=DEFAULT_REDACTOR) is None


@pytest.mark.row("R9", "R10")
def test_what_starlette_has_parsed_is_shown():
    seen = []

    async def order(request):
        await request.json()
        seen.append(request_of(request))
        return StarletteResponse("")

    async def call():
        app = Starlette(routes=[Route("/orders/7", order, methods=["POST"])])
        messages = [{"type": "http.request", "body": b'{"pin": 1234, "a": {"b": 1}}'}]

        async def receive():
            return messages.pop()

        async def send(message): ...

        headers = [(b"content-type", b"application/json")]
        session = {"cart": SECRET}
        user = types.SimpleNamespace(username="jane")
        await app(scope(method="POST", headers=headers, session=session, user=user), receive, send)

    asyncio.run(call())
    (shown,) = seen
    assert pairs(shown.form) == [("pin", REDACTED), ("a", "{'b': 1}")]
    assert shown.route.endswith("order")
    assert pairs(shown.session) == [("cart", REDACTED)]
    assert shown.user == "jane"


def test_a_form_that_starlette_has_parsed_is_shown():
    request = StarletteRequest(scope(method="POST"), receive_nothing)
    photo = UploadFile(
        io.BytesIO(JPEG),
        size=15,
        filename="me.jpg",
        headers=Headers({"content-type": "image/jpeg"}),
    )
    request._form = FormData([("note", "a"), ("note", "b"), ("photo", photo)])
    shown = request_of(request)
    assert pairs(shown.form) == [("note", "a"), ("note", "b")]
    (upload,) = shown.files
    assert (upload.filename, upload.content_type, upload.size) == ("me.jpg", "image/jpeg", 15)


def test_a_websocket_is_shown():
    shown = request_of(scope(type="websocket", scheme="wss", method=None))
    assert (shown.method, shown.url) == ("WEBSOCKET", "wss://shop.example.com/orders/7")


def test_a_scope_that_says_next_to_nothing_is_shown():
    shown = request_of({"type": "http", "headers": []})
    assert (shown.method, shown.url, shown.path, shown.remote_addr) == ("", "http:///", "/", "")


def test_the_lifespan_is_no_request():
    assert capture_request({"type": "lifespan", "headers": []}, redactor=DEFAULT_REDACTOR) is None


def test_root_path_is_put_in_front_once():
    assert request_of(scope(root_path="/api")).path == "/api/orders/7"
    assert request_of(scope(root_path="/api", path="/api/orders/7")).path == "/api/orders/7"


def test_the_servers_own_name_stands_in_for_a_host_header():
    assert request_of(scope(headers=[])).url == "https://127.0.0.1:8000/orders/7"
    bare = environ()
    del bare["HTTP_HOST"]
    assert request_of(bare).url == "https://127.0.0.1:8000/orders/7"
    assert request_of({**bare, "SERVER_PORT": "443"}).url == "https://127.0.0.1/orders/7"


def test_a_form_that_webob_has_parsed_is_shown():
    request = webob.Request(multipart_environ())
    assert request.POST["note"] == "hello"
    request.matched_route = types.SimpleNamespace(name="order")
    request.session = {"cart": SECRET}
    shown = request_of(request)
    assert pairs(shown.form) == [("note", "hello"), ("pin", REDACTED)]
    assert [(each.filename, each.content_type) for each in shown.files] == [
        ("me.jpg", "image/jpeg")
    ]
    assert shown.route == "order"
    assert pairs(shown.session) == [("cart", REDACTED)]


def test_json_that_webob_has_read_is_shown():
    request = webob.Request(
        environ(body=b'{"a": 1}', CONTENT_TYPE="application/json"), charset=None
    )
    assert request.json_body == {"a": 1}
    assert pairs(request_of(request).form) == [("a", "1")]


@pytest.mark.row("R10")
def test_what_falcon_has_read_is_shown():
    seen = []

    class Order:
        def on_post(self, request, response, number):
            seen.append(request.get_media())
            seen.append(request_of(request))

    app = falcon.App()
    app.add_route("/orders/{number}", Order())
    falcon.testing.TestClient(app).simulate_post("/orders/7", json={"pin": 1, "a": [1]})
    assert pairs(seen[1].form) == [("pin", REDACTED), ("a", "[1]")]
    assert seen[1].route == "/orders/{number}"


@pytest.mark.row("R9", "R10")
def test_what_aiohttp_has_read_is_shown():
    seen = []

    async def order(request):
        await request.post()
        seen.append(request_of(request))
        return web.Response()

    async def call():
        app = web.Application()
        app.router.add_post("/orders/{number}", order)
        async with TestClient(TestServer(app)) as client:
            response = await client.post(
                "/orders/7?a=%C3%A9",
                data={"note": "hello", "pin": "1234", "photo": io.BytesIO(JPEG)},
            )
            assert response.status == 200

    asyncio.run(call())
    (shown,) = seen
    assert pairs(shown.form) == [("note", "hello"), ("pin", REDACTED)]
    assert len(shown.files) == 1
    assert shown.route.endswith("order")
    assert shown.url.startswith("http://127.0.0.1:")
    assert shown.url.endswith("/orders/7?a=%C3%A9")
    assert pairs(shown.query) == [("a", "é")]
    assert shown.remote_addr == "127.0.0.1"


def test_an_absolute_target_in_aiohttp_is_taken_apart():
    request = make_mocked_request("GET", "http://other.example/a?b=1", headers={"Host": "x"})
    shown = request_of(request)
    assert (shown.path, pairs(shown.query)) == ("/a", [("b", "1")])


def test_a_request_of_django_rest_framework_is_opened(monkeypatch):
    module = types.ModuleType("rest_framework.request")
    code = "class Request:\n    def __init__(self, request): self._request = request"
    exec(compile(code, "request.py", "exec"), module.__dict__)
    inner = RequestFactory().post("/x", {"a": "1"})
    request = module.Request(inner)
    request._full_data = {"note": "hello"}
    shown = request_of(request)
    assert (shown.method, shown.path) == ("POST", "/x")
    assert pairs(shown.form) == [("note", "hello")]


def test_the_thread_local_request_of_bottle_is_asked_for_its_environ():
    module = types.ModuleType("bottle")
    code = "class BaseRequest:\n    @property\n    def environ(self): return ENVIRON"
    exec(compile(code, "bottle.py", "exec"), module.__dict__)
    module.ENVIRON = environ()
    assert request_of(module.BaseRequest()).path == "/orders/7"


def test_a_mapping_that_is_no_dict_is_a_request_too():
    assert request_of(types.MappingProxyType(environ())) is not None
    import collections

    assert request_of(collections.UserDict(environ())).path == "/orders/7"
