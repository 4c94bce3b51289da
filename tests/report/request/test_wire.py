"""What came over the wire is read as it is: joined headers, pseudo headers, addresses of every form."""

from __future__ import annotations

import pytest

from actors.requests import environ, pairs, request_of, scope
from errormail.report.model import REDACTED
from errormail.report.request.frameworks import carrier_of
from errormail.report.request.wire import wire_of


def wire(made):
    return wire_of(carrier_of(made))


def test_headers_of_one_name_stay_apart_and_can_be_joined():
    found = wire(scope(headers=[(b"x-a", b"1"), (b"host", b"h"), (b"X-A", b"2, 3")]))
    assert found.header("x-a") == "1"
    assert found.joined("x-a") == "1, 2, 3"
    assert found.joined("x-b") == found.header("x-b") == ""


def test_bytes_that_are_not_utf_8_are_shown():
    found = wire(scope(headers=[(b"x-a", b"caf\xe9"), (b"x-b", "caf\u00e9".encode())]))
    assert found.headers == (("X-A", "caf\u00e9"), ("X-B", "caf\u00e9"))


def test_pseudo_headers_of_http_2_are_headers_without_secrets():
    headers = [
        (b":path", b"/a?pass%77ord=correct-horse"),
        (b":authority", b"jane:battery-staple@a.example"),
        (b":scheme", b"https"),
    ]
    shown = request_of(scope(headers=headers))
    assert dict(pairs(shown.headers)) == {
        ":Path": f"/a?pass%77ord={REDACTED}",
        ":Authority": f"{REDACTED}@a.example",
        ":Scheme": "https",
    }


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("203.0.113.9", 1), "203.0.113.9"),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1"),
        (["203.0.113.9", None], "203.0.113.9"),
        ("/run/app.sock", "/run/app.sock"),
        (None, ""),
        ((), ""),
        ((b"x", 1), ""),
    ],
)
def test_the_client_of_a_scope(client, address):
    assert wire(scope(client=client)).client == address


def test_a_websocket_has_the_scheme_of_one():
    found = wire(scope(type="websocket", scheme="wss", method=None))
    assert (found.method, found.scheme, found.url) == (
        "WEBSOCKET",
        "wss",
        "wss://shop.example.com/orders/7",
    )


def test_a_path_is_percent_encoded_in_the_address_and_decoded_elsewhere():
    found = wire(environ(path="/caf\u00c3\u00a9/a b?c#d%/;x=1"))
    assert found.path == "/caf\u00e9/a b?c#d%/;x=1"
    assert found.url == "https://shop.example.com/caf%C3%A9/a%20b%3Fc%23d%25/;x=1"
