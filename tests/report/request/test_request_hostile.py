"""Requests that are broken, hostile or huge do no harm."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest
from django.http import HttpRequest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Request as WerkzeugRequest

from actors.frameworks import set_up_django
from actors.requests import FORM, environ, everything, pairs, request_of, scope
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.request import (
    RequestSource,
    capture_request,
    user_name,
)
from errormail.report.request.proxies import is_internal

set_up_django()


class Refused(BaseException):
    """No Exception, as SystemExit is none; that one would end pytest when it shows values."""


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
    def fail(carrier):
        raise Refused

    monkeypatch.setattr("errormail.report.request.facts.session_keys", fail)
    assert request_of(environ()).notes == ("session: could not be read (Refused)",)


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


def test_a_huge_header_is_cut():
    shown = request_of(environ(HTTP_X_HUGE="x" * 1_000_000))
    assert len(dict(pairs(shown.headers))["X-Huge"]) <= DEFAULT_LIMITS.value_chars


def test_a_huge_address_is_cut():
    shown = request_of(environ(path="/" + "x" * 1_000_000, QUERY_STRING="a=" + "x" * 1_000_000))
    for text in (shown.url, shown.path, shown.query[0].value):
        assert len(text) <= DEFAULT_LIMITS.value_chars


def test_of_a_flood_of_parameters_only_so_many_are_looked_at(monkeypatch):
    asked = []
    hides = Redactor.hides
    monkeypatch.setattr(Redactor, "hides", lambda own, name: asked.append(name) or hides(own, name))
    flood = "&".join(f"p{number}=1" for number in range(100_000))
    shown = request_of(environ(QUERY_STRING=flood, HTTP_REFERER="/?" + flood))
    assert len(shown.query) == DEFAULT_LIMITS.fields
    assert len(asked) < 30_000


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
