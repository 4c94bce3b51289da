"""A request is found again: its request id and its trace id are read where they are, and only if they look like ids."""

from __future__ import annotations

import types
import uuid

import pytest
from aiohttp.test_utils import make_mocked_request
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request as StarletteRequest

from actors.frameworks import set_up_django, webob
from actors.requests import environ, pairs, receive_nothing, request_of, scope
from errormail.report.model import REDACTED
from errormail.report.request.tracing import HEADERS

set_up_django()

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def with_header(name, value):
    return request_of(environ(**{f"HTTP_{name.upper().replace('-', '_')}": value}))


@pytest.mark.parametrize("name", HEADERS)
def test_the_headers_of_proxies_and_platforms_are_known(name):
    shown = with_header(name, "7f3a-91")
    assert shown.request_id == "7f3a-91"
    assert (name.title(), "7f3a-91") in pairs(shown.headers)


def test_the_general_header_goes_first():
    made = environ(HTTP_CF_RAY="ray", HTTP_X_CORRELATION_ID="correlation", HTTP_X_REQUEST_ID="id")
    assert request_of(made).request_id == "id"


def test_of_headers_that_say_more_the_id_alone_is_taken():
    amazon = "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678"
    assert (
        with_header("x-amzn-trace-id", amazon).request_id == "1-67891233-abcdef012345678912345678"
    )
    google = "105445aa7843bc8bf206b12000100000/1;o=1"
    assert with_header("x-cloud-trace-context", google).request_id == google[:32]


@pytest.mark.parametrize(
    "value", ["", " ", "two words", "a\nb", "a" * 129, "caf\u00e9", "\x1b[31m"]
)
def test_what_does_not_look_like_an_id_is_passed_over(value):
    assert with_header("x-request-id", value).request_id == ""
    made = environ(HTTP_X_REQUEST_ID=value, HTTP_X_CORRELATION_ID="next")
    assert request_of(made).request_id == "next"


def test_an_id_that_holds_a_secret_is_redacted():
    made = environ(HTTP_COOKIE="a=correct-horse", HTTP_X_REQUEST_ID="x-correct-horse")
    assert request_of(made).request_id == f"x-{REDACTED}"


@pytest.mark.parametrize("name", ["UNIQUE_ID", "REQUEST_ID"])
def test_the_servers_own_id_is_the_last_resort(name):
    assert request_of(environ(**{name: "server"})).request_id == "server"
    assert request_of(environ(**{name: "server", "HTTP_X_REQUEST_ID": "id"})).request_id == "id"


def django_request():
    request = RequestFactory().get("/")
    request.id = "own"
    return request


def webob_request():
    request = webob.Request(environ())
    request.request_id = "own"
    return request


def starlette_request():
    request = StarletteRequest(scope(state={}), receive_nothing)
    request.state.correlation_id = "own"
    return request


def aiohttp_request():
    request = make_mocked_request("GET", "/")
    request["request_id"] = "own"
    return request


@pytest.mark.filterwarnings("ignore:It is recommended to use web.RequestKey")
@pytest.mark.parametrize(
    "make",
    [django_request, webob_request, starlette_request, aiohttp_request],
    ids=lambda f: f.__name__,
)
def test_the_id_that_the_program_gave_goes_first(make):
    request = make()
    assert request_of(request).request_id == "own"


def test_an_id_may_be_a_uuid():
    own = uuid.uuid4()
    assert request_of(scope(state={"request_id": own})).request_id == str(own)


class Broken(uuid.UUID):
    def __str__(self):
        raise AssertionError("called")


@pytest.mark.parametrize("value", [None, 7, [], types.SimpleNamespace(), Broken(int=5)])
def test_an_object_that_is_no_id_is_not_asked(value):
    assert request_of(scope(state={"request_id": value})).request_id in ("", str(uuid.UUID(int=5)))


# Source: W3C Trace Context section 3.2.


@pytest.mark.parametrize(
    "value",
    [
        f"00-{TRACE}-{PARENT}-01",
        f" 00-{TRACE}-{PARENT}-00\t",
        f"01-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01-more",
    ],
)
def test_a_traceparent_gives_the_trace_id(value):
    shown = with_header("traceparent", value)
    assert shown.trace_id == TRACE
    assert dict(pairs(shown.headers))["Traceparent"] == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        TRACE,
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}0-{PARENT}-01",
        f"0x-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"00-{TRACE}-{PARENT}-01\n",
    ],
    ids=ascii,
)
def test_a_malformed_traceparent_gives_none(value):
    assert with_header("traceparent", value).trace_id == ""


def test_of_two_traceparents_neither_is_believed():
    header = (b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())
    assert request_of(scope(headers=[header])).trace_id == TRACE
    assert request_of(scope(headers=[header, header])).trace_id == ""


@given(st.text(), st.text())
def test_whatever_comes_an_id_is_short_and_printable(request_id, traceparent):
    shown = request_of(environ(HTTP_X_REQUEST_ID=request_id, HTTP_TRACEPARENT=traceparent))
    assert len(shown.request_id) <= 128
    assert shown.request_id.isascii()
    assert shown.request_id == "" or shown.request_id.isprintable()
    assert len(shown.trace_id) in (0, 32)
