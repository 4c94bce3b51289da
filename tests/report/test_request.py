"""A request of every framework is understood, left as it is, and gives away none of its secrets."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
import types
import warnings
from dataclasses import replace
from unittest import mock
from urllib.parse import quote, urlencode

import django
import falcon
import falcon.asgi
import falcon.testing
import flask
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import AsyncRequestFactory, RequestFactory
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route
from werkzeug.local import LocalProxy
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from errormail.report.decorators import sensitive_post_parameters
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.request import (
    RequestSource,
    capture_request,
    is_internal,
    user_name,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # webob imports cgi
    import webob

if not django_settings.configured:
    django_settings.configure(ALLOWED_HOSTS=["shop.example.com"], USE_TZ=True)
    django.setup()

SECRET = "correct-horse-battery"
FORM = "application/x-www-form-urlencoded"


def captured(source, **options):
    found = capture_request(source, redactor=DEFAULT_REDACTOR, **options)
    assert found is not None
    return found


def request_of(source, **options):
    return captured(source, **options).request


def environ(path="/orders/7", body=b"", **more):
    made = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "shop.example.com",
        "REMOTE_ADDR": "203.0.113.9",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **more,
    }
    if body:
        made = {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body)), **made}
    return made


def scope(**more):
    return {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "path": "/orders/7",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"shop.example.com")],
        "client": ("203.0.113.9", 50000),
        "server": ("127.0.0.1", 8000),
        **more,
    }


def pairs(variables):
    return [(each.name, each.value) for each in variables]


def everything(request):
    """All text that is in a captured request."""
    return repr(request)


# One request, in every framework: method, address, headers, cookies.

HEADERS = {
    "Host": "shop.example.com",
    "X-Shop": "7",
    "Cookie": f"sessionid={SECRET}; theme=dark",
    "Authorization": f"Bearer {SECRET}-2",
    "Content-Type": FORM,
    "Content-Length": "19",
}
QUERY = f"page=2&token={SECRET}-3&page=3"
BODY = b"note=hello&pin=1234"


def full_environ():
    more = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS.items()}
    made = environ(body=BODY, QUERY_STRING=QUERY, **more)
    del made["HTTP_CONTENT_TYPE"], made["HTTP_CONTENT_LENGTH"]
    return made


def full_scope():
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    return scope(method="POST", headers=headers, query_string=QUERY.encode())


def django_wsgi():
    from django.core.handlers.wsgi import WSGIRequest

    return WSGIRequest(full_environ())


def django_asgi():
    from django.core.handlers.asgi import ASGIRequest

    return ASGIRequest(full_scope(), io.BytesIO(BODY))


async def _receive():
    raise AssertionError("the body was read")


def falcon_asgi():
    return falcon.asgi.Request(full_scope(), _receive)


def aiohttp_request():
    return make_mocked_request(
        "POST",
        f"/orders/7?{QUERY}",
        headers=HEADERS,
        transport=_Transport(),
    )


class _Transport:
    def get_extra_info(self, name, default=None):
        return {"peername": ("203.0.113.9", 50000), "sslcontext": object()}.get(name)


REQUESTS = {
    "wsgi": full_environ,
    "asgi": full_scope,
    "django wsgi": django_wsgi,
    "django asgi": django_asgi,
    "werkzeug": lambda: WerkzeugRequest(full_environ()),
    "werkzeug proxy": lambda: LocalProxy(lambda: WerkzeugRequest(full_environ())),
    "flask": lambda: flask.Request(full_environ()),
    "starlette": lambda: StarletteRequest(full_scope(), _receive),
    "webob": lambda: webob.Request(full_environ()),
    "falcon wsgi": lambda: falcon.Request(full_environ()),
    "falcon asgi": falcon_asgi,
    "aiohttp": aiohttp_request,
}


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
    assert request.notes == ()


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
    assert shown.notes == ()


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
@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_a_host_that_django_refuses_is_shown_as_it_came(factory):
    request = factory().get("/", headers={"host": "evil.example"})
    with pytest.raises(Exception, match="Invalid HTTP_HOST"):
        request.get_host()
    shown = request_of(request)
    assert shown.url == "http://evil.example/"
    assert shown.notes == ()


class Unreadable(Exception):
    pass


class Refused(BaseException):
    """No Exception, as SystemExit is none; that one would end pytest when it shows values."""


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


def hostile_user():
    """A user whose attributes raise, those of its class too. Made late: pytest looks at what a module holds."""

    class Meta(type):
        def __getattr__(cls, name):
            raise Refused(name)

    class HostileUser(metaclass=Meta):
        @property
        def username(self):
            raise Refused

        def __getattr__(self, name):
            raise Refused(name)

    return HostileUser()


def test_a_hostile_user_has_no_name():
    assert user_name(hostile_user()) == ""


@pytest.mark.row("R10")
def test_djangos_view_is_named():
    from django.urls import ResolverMatch

    request = RequestFactory().get("/")
    request.resolver_match = ResolverMatch(test_djangos_view_is_named, (), {}, url_name="detail")
    assert request_of(request).route.endswith("test_djangos_view_is_named")


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
def test_what_flask_knows_is_shown_from_inside_and_from_the_environ_outside():
    app = flask.Flask(__name__)
    app.secret_key = SECRET
    seen = []
    outside = []

    @app.post("/orders/<number>")
    def order(number):
        flask.session["cart"] = [SECRET]
        seen.append(flask.request.form["note"])
        seen.append(request_of(flask.request))
        return ""

    inner = app.wsgi_app

    def middleware(environ, start_response):
        response = inner(environ, start_response)
        outside.append(request_of(environ))
        return response

    app.wsgi_app = middleware
    data = {"note": "hello", "pin": "1234", "photo": (io.BytesIO(JPEG), "me.jpg")}
    assert app.test_client().post("/orders/7", data=data).status_code == 200
    for shown in (seen[1], outside[0]):
        assert sorted(pairs(shown.form)) == [("note", "hello"), ("pin", REDACTED)]
        assert shown.route == "order"
        assert [(each.filename, each.content_type) for each in shown.files] == [
            ("me.jpg", "image/jpeg")
        ]
    assert pairs(seen[1].session) == [("cart", REDACTED)]


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
    request = StarletteRequest(scope(method="POST"), _receive)
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


# Hostile and broken.


class Hostile:
    """Every attribute raises."""

    def __getattribute__(self, name):
        raise Refused(name)

    def __repr__(self):
        raise Refused

    def __eq__(self, other):
        raise Refused

    __hash__ = None


class HostileDict(dict):
    def _raise(self, *args):
        raise Refused

    get = items = keys = __getitem__ = __iter__ = __contains__ = __len__ = __bool__ = _raise


NO_REQUESTS = {
    "hostile": Hostile,
    "hostile class": hostile_user,
    "mock": mock.MagicMock,
    "object": object,
    "none": lambda: None,
    "text": lambda: "GET /",
    "list": list,
    "dict": dict,
    "hostile dict": HostileDict,
}


@pytest.mark.parametrize("kind", NO_REQUESTS)
def test_what_is_no_request_is_none(kind):
    assert capture_request(NO_REQUESTS[kind](), redactor=DEFAULT_REDACTOR) is None


def test_a_hostile_environ_is_read_past_its_methods():
    shown = request_of(HostileDict(environ()))
    assert shown.path == "/orders/7"
    assert shown.notes == ()


class HostileDjango(HttpRequest):
    def __getattribute__(self, name):
        raise Refused(name)


def test_a_request_whose_every_attribute_raises_is_captured_from_what_it_stores():
    request = HttpRequest()
    request.META = environ()
    request.__class__ = HostileDjango
    assert request_of(request).path == "/orders/7"


def test_values_of_the_wrong_type_do_no_harm():
    shown = request_of(
        environ(
            PATH_INFO=None, QUERY_STRING=3, REMOTE_ADDR=Hostile(), HTTP_X=Hostile(), HTTP_HOST=b"x"
        )
    )
    assert (shown.path, shown.query, shown.remote_addr) == ("/", (), "")
    odd = [("a", "b"), (b"a",), None, (1, 2), Hostile(), [b"x-list", b"1"]]
    shown = request_of(
        scope(headers=odd, client=Hostile(), server=None, path=b"/x", query_string=None)
    )
    assert pairs(shown.headers) == [("A", "b"), ("", ""), ("X-List", "1")]
    assert request_of(scope(headers=Hostile())).headers == ()


def test_a_part_that_cannot_be_read_leaves_a_note(monkeypatch):
    class Session(dict):
        pass

    class Keys(str):
        def __str__(self):
            raise Refused

    request = RequestFactory().get("/")
    request.session = Session({Keys("x"): 1})
    shown = request_of(request)
    assert shown.notes == ("session: could not be read (Refused)",)


def test_latin_1_strings_of_wsgi_are_read_as_utf_8():
    tunnelled = "/caf\u00e9 \u20ac".encode().decode("latin-1")
    shown = request_of(
        environ(path=tunnelled, HTTP_X_NAME="J\u00fcrgen".encode().decode("latin-1"))
    )
    assert shown.path == "/caf\u00e9 \u20ac"
    assert shown.url.endswith("/caf%C3%A9%20%E2%82%AC")
    assert dict(pairs(shown.headers))["X-Name"] == "J\u00fcrgen"


def test_what_is_no_utf_8_stays_latin_1():
    shown = request_of(environ(path="/caf\xe9", HTTP_X_NAME="J\xfcrgen", HTTP_X_TEXT="\u20ac"))
    assert shown.path == "/caf\xe9"
    assert dict(pairs(shown.headers))["X-Name"] == "J\xfcrgen"
    assert dict(pairs(shown.headers))["X-Text"] == "\u20ac"


@given(
    st.text(st.characters(max_codepoint=255)),
    st.text(st.characters(max_codepoint=255)),
    st.dictionaries(st.text(), st.text() | st.binary() | st.none(), max_size=5),
    st.binary(max_size=200),
    st.text(),
)
def test_garbage_in_an_environ_does_not_raise_and_is_encodable(path, query, more, body, kind):
    more = {f"HTTP_{name}": value for name, value in more.items()}
    made = {**environ(path, QUERY_STRING=query, CONTENT_TYPE=kind, CONTENT_LENGTH="x"), **more}
    shown = request_of(RequestSource(request=made, body=body, body_size=len(body)))
    everything(shown).encode()
    for each in (*shown.query, *shown.form, *shown.headers):
        (each.name + each.value).encode()


@given(
    st.binary(max_size=100),
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=50)), max_size=5),
    st.text(),
)
def test_garbage_in_a_scope_does_not_raise_and_is_encodable(query, headers, path):
    shown = request_of(scope(query_string=query, headers=headers, path=path))
    (shown.url + shown.path).encode()
    for each in (*shown.query, *shown.headers):
        (each.name + each.value).encode()


def test_what_proxies_claim_is_shown_and_not_believed():
    claims = {
        "HTTP_X_FORWARDED_FOR": "10.0.0.1",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PROTO": "http",
        "HTTP_FORWARDED": "for=10.0.0.1;host=evil.example",
    }
    shown = request_of(environ(**claims), internal_ips=["10.0.0.0/8"])
    assert shown.url == "https://shop.example.com/orders/7"
    assert shown.remote_addr == "203.0.113.9"
    assert shown.internal is False
    assert dict(pairs(shown.headers))["X-Forwarded-For"] == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("10.1.2.3", ["10.1.2.3"], True),
        ("10.1.2.3", ["192.168.0.0/16", "10.1.2.4"], False),
        ("10.1.2.3", ["10.1.2.4/8"], True),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("::1", ["127.0.0.1"], False),
        ("", ["10.0.0.0/8"], False),
        ("10.1.2.3", [], False),
        ("unix:", ["10.0.0.0/8"], False),
        ("10.1.2.3", ["nonsense", "10.0.0.0/8"], True),
    ],
)
def test_an_address_is_internal_by_addresses_and_networks(address, networks, expected):
    assert is_internal(address, networks) is expected


def test_an_internal_request_says_so():
    assert request_of(environ(REMOTE_ADDR="10.0.0.9"), internal_ips=["10.0.0.0/8"]).internal


# Bounds.


def test_a_huge_header_is_cut():
    shown = request_of(environ(HTTP_X_HUGE="x" * 1_000_000))
    assert len(dict(pairs(shown.headers))["X-Huge"]) <= DEFAULT_LIMITS.value_chars


def test_a_huge_address_is_cut():
    shown = request_of(environ(path="/" + "x" * 1_000_000, QUERY_STRING="a=" + "x" * 1_000_000))
    for text in (shown.url, shown.path, shown.query[0].value):
        assert len(text) <= DEFAULT_LIMITS.value_chars


@pytest.mark.parametrize("block", ["headers", "query", "form", "cookies"])
def test_more_fields_than_allowed_are_counted(block):
    many = "&".join(f"a{number}=1" for number in range(12))
    made = environ(
        QUERY_STRING=many,
        HTTP_COOKIE=many.replace("&", "; "),
        CONTENT_TYPE=FORM,
        **{f"HTTP_X_{number}": "1" for number in range(12)},
    )
    source = RequestSource(request=made, body=many.encode())
    shown = request_of(source, limits=replace(DEFAULT_LIMITS, fields=5))
    assert len(getattr(shown, block)) == 5
    more = {"headers": 9, "query": 7, "form": 7, "cookies": 7}[block]
    assert f"{block}: {more} more not shown" in shown.notes


def test_names_that_occur_several_times_are_kept_in_order():
    made = scope(
        headers=[(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")], query_string=b"c=3&a=1&c=2"
    )
    shown = request_of(made)
    assert pairs(shown.headers) == [("X-A", "1"), ("X-B", "2"), ("X-A", "3")]
    assert pairs(shown.query) == [("c", "3"), ("a", "1"), ("c", "2")]


def test_a_body_that_was_cut_leaves_a_note_and_what_the_framework_parsed_goes_first():
    request = WerkzeugRequest(environ(body=b"note=hello&more=" + b"x" * 100))
    source = RequestSource(request=request, body=b"note=he", body_size=116)
    assert request_of(source).notes == ("body: only the first 7 of 116 bytes were kept",)
    assert request.form["note"] == "hello"
    assert dict(pairs(request_of(source).form))["note"] == "hello"


# Secrets.


@pytest.mark.row("X1")
def test_cookies_and_credentials_are_redacted_whatever_their_names():
    made = environ(
        HTTP_COOKIE=f'theme={SECRET}; {SECRET}-1; quoted="{SECRET}-2"; percent={quote(SECRET + "+3")}',
        HTTP_AUTHORIZATION=f"Own {SECRET}-4",
        HTTP_PROXY_AUTHORIZATION=f"Own {SECRET}-5",
        HTTP_X_API_KEY=f"{SECRET}-6",
    )
    found = captured(made)
    assert SECRET not in everything(found.request)
    assert pairs(found.request.cookies) == [
        ("theme", REDACTED),
        ("", REDACTED),
        ("quoted", REDACTED),
        ("percent", REDACTED),
    ]
    for end in ("", "-1", "-2", "+3", "-4", "-5", "-6"):
        assert found.redactor.text(SECRET + end) == REDACTED or end
        assert SECRET not in found.redactor.text(SECRET + end)


def test_the_password_of_basic_is_known():
    token = base64.b64encode(f"jane:{SECRET}".encode()).decode()
    redactor = captured(environ(HTTP_AUTHORIZATION=f"Basic {token}")).redactor
    assert redactor.text(f"a {SECRET} {token} jane") == f"a {REDACTED} {REDACTED} jane"


@pytest.mark.parametrize("value", ["Basic", "Basic \xff", "Basic a", "", "Basic " + "=" * 99])
def test_credentials_that_are_none_do_no_harm(value):
    assert (
        dict(pairs(request_of(environ(HTTP_AUTHORIZATION=value)).headers))["Authorization"]
        == REDACTED
    )


def test_of_digest_the_response_is_known_and_the_realm_is_not():
    value = (
        f'Digest username="jane", realm="members only", response="{SECRET}", cnonce="0a4f113b99"'
    )
    redactor = captured(environ(HTTP_AUTHORIZATION=value)).redactor
    assert (
        redactor.text(f"members only {SECRET} 0a4f113b99") == f"members only {REDACTED} {REDACTED}"
    )


def test_secrets_within_the_referer_and_the_address_are_redacted():
    made = environ(
        HTTP_REFERER=f"https://jane:{SECRET}@shop.example.com/?page=2&pass%77ord={SECRET}-2#top",
        QUERY_STRING=f"reset%5Ftoken={SECRET}-3&page=2",
        HTTP_HOST=f"jane:{SECRET}-4@shop.example.com",
    )
    found = captured(made)
    assert SECRET not in everything(found.request)
    assert "page=2" in dict(pairs(found.request.headers))["Referer"]
    assert SECRET not in found.redactor.text(f"{SECRET}-2 {SECRET}-3")


def test_a_secret_that_also_stands_in_a_harmless_place_is_hidden_there():
    made = environ(path=f"/reset/{SECRET}", HTTP_X_TRACE=f"t-{SECRET}", QUERY_STRING=f"q={SECRET}")
    body = f"password={SECRET}&note=it+is+{SECRET}".encode()
    source = RequestSource(
        request={**made, "CONTENT_TYPE": FORM}, body=body, user=SECRET, route=SECRET
    )
    shown = request_of(source)
    assert SECRET not in everything(shown)
    assert shown.path == f"/reset/{REDACTED}"


def test_secrets_in_broken_json_are_known():
    body = f'{{"user": {{"password": "{SECRET}", }}}}'.encode()
    made = environ(body=body, CONTENT_TYPE="application/json")
    found = captured(RequestSource(request=made, body=body, body_size=len(body)))
    assert found.redactor.text(f"invalid: {SECRET}") == f"invalid: {REDACTED}"


@pytest.mark.row("X4")
@pytest.mark.parametrize("kind", [FORM, "application/json"])
def test_declared_form_fields_are_hidden_with_their_values(kind):
    fields = {"answer": SECRET, "note": "hello"}
    body = urlencode(fields).encode() if kind == FORM else json.dumps(fields).encode()
    made = environ(body=body, CONTENT_TYPE=kind, QUERY_STRING=f"q={SECRET}")
    sensitive_post_parameters("answer")(lambda request: None)(made)
    source = RequestSource(request=made, body=body, body_size=len(body))
    found = captured(source)
    assert pairs(found.request.form) == [("answer", REDACTED), ("note", "hello")]
    assert SECRET not in everything(found.request)
    assert found.redactor.hides("answer")


@pytest.mark.row("X4")
def test_all_form_fields_are_hidden_where_all_are_declared():
    body = f"answer={SECRET}&note=hello&=x".encode()
    made = environ(body=body)
    sensitive_post_parameters()(lambda request: None)(made)
    found = captured(RequestSource(request=made, body=body, body_size=len(body)))
    assert pairs(found.request.form) == [("answer", REDACTED), ("note", REDACTED), ("", REDACTED)]
    assert found.redactor.text(SECRET) == REDACTED


@pytest.mark.row("X6")
def test_what_is_declared_is_shown_where_the_filter_is_off_and_the_rest_is_hidden_still():
    body = f"answer=hello&password={SECRET}".encode()
    made = environ(body=body)
    sensitive_post_parameters()(lambda request: None)(made)
    shown = request_of(RequestSource(request=made, body=body, body_size=len(body)), declared=False)
    assert pairs(shown.form) == [("answer", "hello"), ("password", REDACTED)]


SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, blacklist_categories=["Cs", "Cc"]),
    min_size=8,
    max_size=40,
).filter(
    lambda text: len(set(text)) > 2 and REDACTED not in text and text not in everything_plain()
)


def everything_plain():
    """What a report of a request without secrets says: a secret that is part of it cannot be told from it."""
    return _PLAIN


_PLAIN = repr(
    capture_request(
        RequestSource(request=full_environ(), body=b"note=hello"), redactor=DEFAULT_REDACTOR
    )
)
NAMES = st.sampled_from(
    ["password", "X-Api-Key", "access_token", "clientSecret", "pin", "card[number]"]
)


@given(
    SECRETS,
    NAMES,
    st.sampled_from(["form", "query", "json", "nested", "cookie", "header", "multipart"]),
)
def test_a_secret_under_a_listed_name_never_appears(secret, name, place):
    value, made, body = quote(secret, safe=""), environ(), b""
    if place == "form":
        body, made["CONTENT_TYPE"] = urlencode({name: secret}).encode(), FORM
    elif place == "query":
        made["QUERY_STRING"] = urlencode({name: secret})
    elif place == "json":
        body, made["CONTENT_TYPE"] = json.dumps({name: secret}).encode(), "application/json"
    elif place == "nested":
        body = json.dumps({"a": [{"b": {name: [secret]}}]}).encode()
        made["CONTENT_TYPE"] = "application/json"
    elif place == "cookie":
        made["HTTP_COOKIE"] = f"{name}={value}"
    elif place == "header":
        made["HTTP_X_AUTH_TOKEN"] = secret.encode().decode("latin-1")
    else:
        part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n--b--\r\n'
        body, made["CONTENT_TYPE"] = part.encode(), "multipart/form-data; boundary=b"
    made["HTTP_X_ECHO"] = f"<{secret}>".encode().decode("latin-1")
    source = RequestSource(request=made, body=body, body_size=len(body))
    found = captured(source)
    text = everything(found.request)
    assert secret not in text
    assert value not in text
    assert secret not in found.redactor.text(f"it is {secret}.")


def test_no_framework_is_imported():
    import subprocess

    code = (
        "import sys; from errormail.report import request;"
        "print(*{'django', 'flask', 'werkzeug', 'starlette', 'webob', 'falcon', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
