"""A captured request gives away none of its secrets."""

from __future__ import annotations

import base64
import json
import sys
from urllib.parse import quote, urlencode

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
)
from errormail.report.decorators import sensitive_post_parameters
from errormail.report.model import REDACTED
from errormail.report.redact import COMMON_VALUES, DEFAULT_REDACTOR
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
