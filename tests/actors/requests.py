"""A request, in every framework, and how to look at what was captured of it."""

from __future__ import annotations

import io
from unittest import mock

import falcon
import falcon.asgi
import falcon.testing
import flask
from aiohttp.test_utils import make_mocked_request
from starlette.requests import Request as StarletteRequest
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Request as WerkzeugRequest

from actors.frameworks import set_up_django, webob
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.request import (
    capture_request,
)

set_up_django()

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


async def receive_nothing():
    raise AssertionError("the body was read")


def falcon_asgi():
    return falcon.asgi.Request(full_scope(), receive_nothing)


def aiohttp_request():
    return make_mocked_request(
        "POST",
        f"/orders/7?{QUERY}",
        headers=HEADERS,
        transport=mock.Mock(get_extra_info={"peername": ("203.0.113.9", 50000)}.get),
        sslcontext=mock.Mock(),
    )


REQUESTS = {
    "wsgi": full_environ,
    "asgi": full_scope,
    "django wsgi": django_wsgi,
    "django asgi": django_asgi,
    "werkzeug": lambda: WerkzeugRequest(full_environ()),
    "werkzeug proxy": lambda: LocalProxy(lambda: WerkzeugRequest(full_environ())),
    "flask": lambda: flask.Request(full_environ()),
    "starlette": lambda: StarletteRequest(full_scope(), receive_nothing),
    "webob": lambda: webob.Request(full_environ()),
    "falcon wsgi": lambda: falcon.Request(full_environ()),
    "falcon asgi": falcon_asgi,
    "aiohttp": aiohttp_request,
}
