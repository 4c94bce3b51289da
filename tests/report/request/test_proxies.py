"""Whose request it was, behind proxies: the words of trusted ones are believed, and nobody else's."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix

from actors.requests import environ, request_of, scope
from errormail.report.request.proxies import (
    forwarded_elements,
    is_internal,
    node_address,
    through_proxies,
)
from errormail.report.request.wire import Wire

PEER = "192.0.2.200"


def wire(scheme="http", host="inner:8000", **headers):
    return Wire(
        method="GET",
        scheme=scheme,
        host=host,
        path="/",
        query="",
        headers=tuple((name.replace("_", "-").title(), value) for name, value in headers.items()),
        client=PEER,
    )


def client(hops, **headers):
    return through_proxies(wire(**headers), hops)[0].client


THREE = "203.0.113.1, 203.0.113.2, 203.0.113.3"


@pytest.mark.parametrize(
    ("hops", "address"),
    [(0, PEER), (1, "203.0.113.3"), (2, "203.0.113.2"), (3, "203.0.113.1"), (9, "203.0.113.1")],
)
def test_so_many_entries_are_believed_as_there_are_proxies(hops, address):
    assert client(hops, x_forwarded_for=THREE) == address
    forwarded = ",".join(f"for={each.strip()}" for each in THREE.split(","))
    assert client(hops, forwarded=forwarded) == address


def test_without_trusted_proxies_nothing_is_believed():
    told = wire(x_forwarded_for=THREE, x_forwarded_proto="https", x_forwarded_host="evil.example")
    assert through_proxies(told, 0) == (told, ())


def test_what_a_client_puts_in_front_changes_nothing():
    """One proxy: it adds whom it saw, whatever stood there before."""
    for claim in ("", "198.51.100.1", "198.51.100.1, 198.51.100.2", '"', ",,,", "for=x", "\x00"):
        assert client(1, x_forwarded_for=f"{claim}, 203.0.113.3") == "203.0.113.3"


def test_without_the_headers_the_peer_is_shown():
    assert through_proxies(wire(), 2) == (wire(), ())


def test_headers_of_one_name_are_one_header():
    """ASGI servers hand them over one by one, WSGI servers joined."""
    told = scope(
        headers=[
            (b"host", b"shop.example.com"),
            (b"x-forwarded-for", b"198.51.100.1, 203.0.113.1"),
            (b"x-forwarded-for", b"203.0.113.2"),
        ]
    )
    assert request_of(told, trusted_proxies=2).remote_addr == "203.0.113.1"
    told["headers"] = [(b"forwarded", b"for=203.0.113.1"), (b"forwarded", b'for="203.0.113.2"')]
    assert request_of(told, trusted_proxies=2).remote_addr == "203.0.113.1"


# RFC 7239 sections 4 and 6.


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ('For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('for="192.0.2.60:4711"', "192.0.2.60"),
        ("for=192.0.2.60:4711", "192.0.2.60"),
        ("for=[2001:db8::1]", "2001:db8::1"),
        ('for="_gazonk"', "_gazonk"),
        ("for=_SEVKISEK", "_SEVKISEK"),
        ('for="_gazonk:_p"', "_gazonk"),
        ("for=unknown", "unknown"),
        ('proto=https; FOR = "192.0.2.60" ;host=a', "192.0.2.60"),
        (r'for="192.0.2.\60"', "192.0.2.60"),
        ('host="a,b;c";for=192.0.2.60', "192.0.2.60"),
        ("for=192.0.2.60;for=192.0.2.61", "192.0.2.60"),
        (" , for=192.0.2.60", "192.0.2.60"),
    ],
)
def test_forwarded_is_read_as_the_rfc_has_it(header, address):
    assert client(1, forwarded=header) == address


@pytest.mark.parametrize(
    "header",
    [
        'for="192.0.2.60',
        "for",
        "192.0.2.60",
        "for=",
        "for=<b>",
        "for=1.2.3",
        'for="a"b',
        "by=x",
        "=",
    ],
)
def test_a_malformed_forwarded_leaves_the_peer(header):
    assert client(1, forwarded=header) == PEER


def test_a_forwarded_that_cannot_be_taken_apart_is_said():
    seen, notes = through_proxies(wire(forwarded='for="192.0.2.60, for=192.0.2.61'), 1)
    assert seen.client == PEER
    assert notes == ("remote address: the Forwarded header is malformed, and not believed",)


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:443", "203.0.113.9"),
        (" 2001:DB8::1 ", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::1", "::1"),
        ("::ffff:203.0.113.9", "::ffff:cb00:7109"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("unknown", "unknown"),
        ("", ""),
        ("203.0.113.9:x", ""),
        ("203.0.113.999", ""),
        ("shop.example.com", ""),
        ("203.0.113.9 OR 1=1", ""),
        ("[::1", ""),
        ("1" * 100_000, ""),
        ("_" + "a" * 100_000, ""),
        ("\u0661.\u0662.\u0663.\u0664", ""),
    ],
    ids=ascii,
)
def test_the_address_of_a_node(node, address):
    found = node_address(node)
    assert found == address or (node.startswith("::ffff") and found == "::ffff:203.0.113.9")


def test_a_malformed_x_forwarded_for_leaves_the_peer_and_says_so():
    seen, notes = through_proxies(wire(x_forwarded_for="203.0.113.1, nonsense"), 1)
    assert seen.client == PEER
    assert notes == ("remote address: X-Forwarded-For is malformed, that of the peer is shown",)


def test_x_forwarded_for_goes_before_forwarded():
    """Proxies write the one; the other, if it is there too, they have passed on as the client made it up."""
    both = wire(x_forwarded_for="203.0.113.1", forwarded="for=198.51.100.1;host=evil.example")
    seen, notes = through_proxies(both, 1)
    assert seen.client == "203.0.113.1"
    assert notes == ("remote address: Forwarded says another than X-Forwarded-For, shown here",)
    agreed = wire(x_forwarded_for="203.0.113.1", forwarded="for=203.0.113.1")
    assert through_proxies(agreed, 1)[1] == ()


# The address that the user saw.


def test_scheme_and_host_are_those_that_the_user_saw():
    told = environ(
        HTTP_HOST="inner:8000",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="shop.example.com",
        **{"wsgi.url_scheme": "http"},
    )
    assert request_of(told).url == "http://inner:8000/orders/7"
    assert request_of(told, trusted_proxies=1).url == "https://shop.example.com/orders/7"


def test_forwarded_tells_scheme_and_host_too():
    told = wire(
        forwarded="for=a;host=evil.example, for=203.0.113.1;proto=HTTPS;host=shop.example.com"
    )
    seen, _ = through_proxies(told, 1)
    assert (seen.scheme, seen.host) == ("https", "shop.example.com")


@pytest.mark.parametrize(
    ("hops", "host"), [(1, "c.example"), (2, "b.example"), (3, "a.example"), (4, "a.example")]
)
def test_host_and_scheme_are_those_of_the_outermost_proxy(hops, host):
    told = wire(
        x_forwarded_host="a.example, b.example, c.example", x_forwarded_proto="https,https,https"
    )
    seen, _ = through_proxies(told, hops)
    assert (seen.scheme, seen.host) == ("https", host)


@pytest.mark.parametrize(
    "host", ["", "a b", "u:p@a.example", "a.example/x?", "<b>", "a" * 300, "[x]"]
)
@pytest.mark.parametrize("scheme", ["", "javascript", "https://", "wss"])
def test_a_host_or_scheme_that_is_none_is_not_believed(host, scheme):
    seen, _ = through_proxies(wire(x_forwarded_host=host, x_forwarded_proto=scheme), 1)
    assert (seen.scheme, seen.host) == ("http", "inner:8000")


@pytest.mark.parametrize("host", ["a.example:8443", "[2001:db8::1]:80", "xn--bcher-kva.example"])
def test_a_host_may_have_a_port_and_be_an_address(host):
    assert through_proxies(wire(x_forwarded_host=host), 1)[0].host == host


@pytest.mark.parametrize("proto", ["https", "wss"])
def test_a_websocket_keeps_its_scheme(proto):
    assert through_proxies(wire(scheme="ws", x_forwarded_proto=proto), 1)[0].scheme == "wss"


# What a server or a middleware has done already is not done twice.


def fixed(made, **options):
    seen = []
    ProxyFix(lambda environ, start_response: seen.append(environ) or [], **options)(made, None)
    return seen[0]


@pytest.mark.parametrize("hops", [1, 2])
def test_after_werkzeugs_proxy_fix_the_answer_is_the_same(hops):
    made = environ(
        HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.1, 203.0.113.2",
        HTTP_X_FORWARDED_PROTO="http, https, http",
        HTTP_X_FORWARDED_HOST="a.example, b.example, c.example",
    )
    before = request_of(dict(made), trusted_proxies=hops)
    after = request_of(fixed(made, x_for=hops, x_proto=hops, x_host=hops), trusted_proxies=hops)
    assert (after.remote_addr, after.url) == (before.remote_addr, before.url)


def test_after_uvicorns_proxy_headers_the_answer_is_the_same():
    """It puts the address in place of the peer's, with port 0, and leaves the headers."""
    headers = [(b"host", b"a.example"), (b"x-forwarded-for", b"198.51.100.1, 203.0.113.1")]
    before = request_of(scope(headers=headers, client=(PEER, 50_000)), trusted_proxies=1)
    after = request_of(scope(headers=headers, client=("203.0.113.1", 0)), trusted_proxies=1)
    assert before.remote_addr == after.remote_addr == "203.0.113.1"


def test_what_proxy_fix_believed_is_shown_without_our_setting():
    made = environ(HTTP_X_FORWARDED_FOR="203.0.113.1")
    assert request_of(fixed(made, x_for=1)).remote_addr == "203.0.113.1"


# INTERNAL_IPS.


def test_the_resolved_address_is_judged():
    """Behind a proxy the peer is always internal; the user is not."""
    made = environ(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.1")
    assert request_of(made, internal_ips=["10.0.0.0/8"]).internal
    assert not request_of(made, internal_ips=["10.0.0.0/8"], trusted_proxies=1).internal
    made = environ(HTTP_X_FORWARDED_FOR="10.1.2.3")
    assert request_of(made, internal_ips=["10.0.0.0/8"], trusted_proxies=1).internal


@pytest.mark.parametrize("node", ["unknown", "_hidden"])
def test_an_obfuscated_address_is_not_internal(node):
    assert not is_internal(node, ["0.0.0.0/0"])


# Whatever comes.

ANYTHING = st.text(st.sampled_from('for="[]:;,\\ =._ab12\u00e9%')) | st.text()


@given(ANYTHING, ANYTHING, ANYTHING, st.integers(-1, 5))
def test_whatever_comes_the_peer_or_something_well_formed_is_shown(forwarded, x_for, host, hops):
    told = wire(forwarded=forwarded, x_forwarded_for=x_for, x_forwarded_host=host)
    seen, _ = through_proxies(told, hops)
    assert seen.client == PEER or node_address(seen.client) == seen.client
    assert seen.host.isascii()
    assert not set(seen.host) & set(' @/?#\\"<>')


PAIR = st.tuples(
    st.sampled_from(["for", "by", "host", "x"]),
    st.text(st.characters(max_codepoint=126), max_size=8),
)


@given(st.lists(st.lists(PAIR, min_size=1, unique_by=lambda pair: pair[0]), min_size=1))
def test_what_was_written_as_forwarded_comes_back(elements):
    def quoted(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ",".join(
        ";".join(f"{name}={quoted(value)}" for name, value in each) for each in elements
    )
    assert forwarded_elements(header) == [dict(each) for each in elements]


@pytest.mark.parametrize(
    "piece", ['"', '"\\"', "for=", ";", ",", "\\", " ", '"a"', "[", "1:"], ids=ascii
)
def test_a_long_header_takes_little_time(piece):
    header = piece * (1_000_000 // len(piece))
    start = time.process_time()
    through_proxies(wire(forwarded=header, x_forwarded_for=header, x_forwarded_host=header), 1)
    assert time.process_time() - start < 1.0
