"""A captured request gives away none of its secrets."""

from __future__ import annotations

import base64
import json
import sys
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.requests import (
    FORM,
    SECRET,
    captured,
    environ,
    everything,
    full_environ,
    pairs,
    request_of,
    scope,
)
from errormail.report.decorators import sensitive_post_parameters
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.redact.known import COMMON_VALUES
from errormail.report.request import (
    RequestSource,
    capture_request,
)


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


# Where secrets are besides the obvious.


@pytest.mark.parametrize(
    "name",
    ["REFERER", "ORIGIN", "LOCATION", "X_ORIGINAL_URL", "X_REWRITE_URL", "X_FORWARDED_URI", "DESTINATION", "X_ANY", "CONTENT_LOCATION"],
)  # fmt: skip
def test_an_address_in_any_header_loses_its_secrets(name):
    value = f"https://jane:{SECRET}-1@a.example/x?page=2&reset%5Ftoken={SECRET}-2&a=b#top"
    found = captured(environ(**{f"HTTP_{name}": value}))
    header = dict(pairs(found.request.headers))[name.replace("_", "-").title()]
    assert header == f"https://{REDACTED}@a.example/x?page=2&reset%5Ftoken={REDACTED}&a=b#top"
    assert SECRET not in found.redactor.text(f"{SECRET}-1 {SECRET}-2")


@pytest.mark.parametrize("name", ["FORWARDED", "X_FORWARDED_HOST", "X_ORIGINAL_HOST"])
def test_user_and_password_in_front_of_a_host_are_hidden(name):
    found = captured(environ(**{f"HTTP_{name}": f'for=1.2.3.4;host="jane:{SECRET}@a.example"'}))
    header = dict(pairs(found.request.headers))[name.replace("_", "-").title()]
    assert header == f'for=1.2.3.4;host="{REDACTED}@a.example"'
    assert SECRET not in found.redactor.text(f"it is jane:{SECRET}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("graphql-transport-ws, v12.stomp", "graphql-transport-ws, v12.stomp"),
        (f"access_token, {SECRET}", f"access_token, {REDACTED}"),
        (f"Bearer, {SECRET}, mqtt", f"Bearer, {REDACTED}, mqtt"),
        (f"base64url.bearer.authorization.k8s.io.{SECRET}", REDACTED),
    ],
)
def test_a_token_among_the_subprotocols_of_a_websocket_is_hidden(value, shown):
    headers = [(b"sec-websocket-protocol", value.encode())]
    found = captured(scope(type="websocket", scheme="wss", headers=headers))
    assert pairs(found.request.headers) == [("Sec-Websocket-Protocol", shown)]


def test_a_token_in_the_address_of_a_websocket_is_hidden():
    made = scope(type="websocket", scheme="wss", query_string=f"token={SECRET}&room=3".encode())
    found = captured(made)
    assert found.request.url == f"wss://shop.example.com/orders/7?token={REDACTED}&room=3"
    assert SECRET not in found.redactor.text(f"rejected {SECRET}")


def test_parameters_within_the_path_are_hidden():
    found = captured(environ(path=f"/cart;jsessionid={SECRET};page=2/items"))
    assert found.request.url == f"https://shop.example.com/cart;jsessionid={REDACTED};page=2/items"
    assert SECRET not in everything(found.request)
    assert SECRET not in found.redactor.text(f"session {SECRET} is gone")


def test_a_segment_of_the_path_that_looks_like_a_secret_is_hidden():
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    shown = request_of(environ(path=f"/keys/{key}/use"))
    assert (shown.path, key in everything(shown)) == (f"/keys/{REDACTED}/use", False)


def of_starlette(value):
    return scope(path=f"/reset/{value}", path_params={"token": value, "page": "2"})


def of_django(value):
    from django.test import RequestFactory
    from django.urls import ResolverMatch

    request = RequestFactory().get(f"/reset/{value}")
    request.resolver_match = ResolverMatch(of_django, (), {"token": value})
    return request


def of_werkzeug(value):
    from werkzeug.wrappers import Request

    request = Request(environ(path=f"/reset/{value}"))
    request.view_args = {"token": value}
    return request


def of_pyramid(value):
    return environ(path=f"/reset/{value}", **{"webob.adhoc_attrs": {"matchdict": {"token": value}}})


@pytest.mark.parametrize(
    "make", [of_starlette, of_django, of_werkzeug, of_pyramid], ids=lambda make: make.__name__
)
def test_what_the_route_calls_a_token_is_hidden_in_the_path(make):
    found = captured(make(SECRET))
    assert found.request.path == f"/reset/{REDACTED}"
    assert SECRET not in everything(found.request)
    assert SECRET not in found.redactor.text(f"no such {SECRET}")


def sent(body, kind="application/json", **more):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = environ(body=body, CONTENT_TYPE=kind, **more)
    return captured(RequestSource(request=made, body=body, body_size=len(body)))


@pytest.mark.parametrize(
    "name",
    ["user[password]", "user.password", "card[number]", "users[0][api_key]", "payment[card][cvc]", "form-0-token", "user%5Bpassword%5D"],
)  # fmt: skip
def test_nested_names_of_forms_are_understood(name):
    body = urlencode({"user[name]": "jane", name: SECRET, "card[brand]": "x"}).encode()
    found = sent(body, FORM)
    assert ("user[name]", "jane") in pairs(found.request.form)
    assert ("card[brand]", "x") in pairs(found.request.form)
    assert SECRET not in everything(found.request)
    assert SECRET not in found.redactor.text(f"it is {SECRET}")


JSONS = {
    "graphql": {"query": "mutation($p: String!) {login(password: $p)}", "variables": {"password": SECRET}},
    "json api": {"data": {"type": "users", "attributes": {"name": "jane", "password": SECRET}}},
    "a sensitive parent": {"name": "jane", "credentials": {"a": ["x", {"b": SECRET}]}},
    "pairs": {"fields": [{"name": "password", "value": SECRET}]},
    "tuples": {"fields": [["password", SECRET]]},
    "a list": [{"password": SECRET}],
    "batched graphql": [{"variables": {"input": {"clientSecret": SECRET}}}],
}  # fmt: skip


@pytest.mark.parametrize("kind", JSONS)
def test_secrets_at_any_depth_of_json_are_hidden_and_known(kind):
    found = sent(JSONS[kind], HTTP_X_ECHO=SECRET)
    assert SECRET not in everything(found.request)
    assert SECRET not in found.redactor.text(f"it is {SECRET}")


def test_a_secret_written_into_a_graphql_query_is_hidden():
    found = sent({"query": f'mutation {{login(name: "jane", password: "{SECRET}") {{id}}}}'})
    assert SECRET not in everything(found.request)
    assert "jane" in everything(found.request)


XMLS = {
    "an element": f"<a><name>jane</name><Password>{SECRET}</Password></a>",
    "soap": f'<s:Envelope xmlns:s="x"><s:Header><w:UsernameToken><w:Nonce>{SECRET}</w:Nonce></w:UsernameToken></s:Header>'
    "<s:Body><name>jane</name></s:Body></s:Envelope>",
    "cdata": f"<a><name>jane</name><token><![CDATA[{SECRET}]]></token></a>",
    "an attribute": f'<a name="jane" password="{SECRET}"/>',
    "an attribute of a hidden element": f'<a><name>jane</name><password value="{SECRET}"/></a>',
    "below a hidden element": f"<a><name>jane</name><credentials><b>{SECRET}</b></credentials></a>",
    "a cut one": f"<a><name>jane</name><password>{SECRET}",
}


@pytest.mark.parametrize("kind", XMLS)
def test_secrets_in_xml_are_hidden_and_known(kind):
    found = sent(XMLS[kind].encode(), "application/soap+xml; charset=utf-8", HTTP_X_ECHO=SECRET)
    assert SECRET not in everything(found.request)
    assert "jane" in dict(pairs(found.request.form))["(XML)"]
    assert SECRET not in found.redactor.text(f"it is {SECRET}")


def test_secrets_in_text_are_hidden_and_known():
    text = f"user: jane\npassword: {SECRET}\ncard: 4111 1111 1111 1111\n"
    found = sent(text.encode(), "text/plain", HTTP_X_ECHO=SECRET)
    assert dict(pairs(found.request.form))["(text)"] == (
        f"user: jane\npassword: {REDACTED}\ncard: {REDACTED}\n"
    )
    assert SECRET not in everything(found.request)


def test_text_is_bounded():
    found = sent(b"word " * 5_000, "text/plain")
    ((_, text),) = pairs(found.request.form)
    assert len(text) <= DEFAULT_LIMITS.value_chars
    assert text.endswith("...")


def test_all_of_a_text_is_hidden_where_all_fields_are():
    made = environ(body=b"hello", CONTENT_TYPE="text/plain")
    sensitive_post_parameters()(lambda request: None)(made)
    found = captured(RequestSource(request=made, body=b"hello", body_size=5))
    assert pairs(found.request.form) == [("(text)", REDACTED)]


def test_the_name_of_an_upload_loses_its_secrets():
    part = f'--b\r\nContent-Disposition: form-data; name="f"; filename="{SECRET}.txt"\r\n\r\nx\r\n--b--'
    found = sent(part.encode(), "multipart/form-data; boundary=b", HTTP_COOKIE=f"a={SECRET}")
    (upload,) = found.request.files
    assert upload.filename == f"{REDACTED}.txt"
    found = sent(
        part.replace(SECRET, "password=hunter2").encode(), "multipart/form-data; boundary=b"
    )
    assert "hunter2" not in everything(found.request)


def test_a_compressed_body_gives_nothing_away_and_what_the_framework_made_of_it_is_shown():
    import gzip

    from werkzeug.wrappers import Request

    packed = gzip.compress(b"password=hunter2")
    made = environ(body=packed, HTTP_CONTENT_ENCODING="gzip")
    source = RequestSource(request=made, body=packed, body_size=len(packed))
    shown = request_of(source)
    assert shown.form == ()
    assert shown.notes == ("body: compressed (gzip), and not unpacked",)
    request = Request(made)
    request.__dict__["form"] = {"note": "x"}  # as a middleware that unpacks leaves it
    source = RequestSource(request=request, body=packed, body_size=len(packed))
    assert pairs(request_of(source).form) == [("note", "x")]


SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, blacklist_categories=["Cs", "Cc"]),
    min_size=8,
    max_size=40,
).filter(
    lambda text: (
        len(set(text)) > 2
        and REDACTED not in text
        and text.lower() not in COMMON_VALUES
        and text not in everything_plain()
    )
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
    st.sampled_from(
        [
            "form",
            "query",
            "json",
            "nested",
            "cookie",
            "header",
            "multipart",
            "xml",
            "ndjson",
            "path",
        ]
    ),
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
    elif place == "xml":
        element = "".join(char for char in name if char.isalpha()) + "Token"
        body = f"<a><{element}>{escape(secret)}</{element}></a>".encode()
        made["CONTENT_TYPE"] = "text/xml"
        value = escape(secret)
    elif place == "ndjson":
        body, made["CONTENT_TYPE"] = json.dumps({name: secret}).encode(), "application/x-ndjson"
    elif place == "path":
        made = scope(path=f"/x/{secret}/y", path_params={name: secret})
    elif place == "header":
        made["HTTP_X_AUTH_TOKEN"] = secret.encode().decode("latin-1")
    else:
        part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n--b--\r\n'
        body, made["CONTENT_TYPE"] = part.encode(), "multipart/form-data; boundary=b"
    if "headers" in made:
        made["headers"] = [(b"x-echo", f"<{secret}>".encode())]
    else:
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
