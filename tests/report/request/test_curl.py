"""The curl line repeats the request, gives nothing away, and does nothing else when it is pasted."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.requests import FORM, SECRET, captured, environ, pairs, request_of, scope
from errormail.report.capture import capture
from errormail.report.decorators import sensitive_post_parameters
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.redacted import redacted_report
from errormail.report.request import RequestSource
from errormail.report.request.curl import CURL_CHARS, curl_of, requoted
from errormail.reporter.hooks import apply_before_send

URL = "https://shop.example.com/orders/7"


def line(method="GET", url=URL, headers=(), **options):
    return curl_of(method=method, url=url, headers=headers, **options)[0]


def notes(method="GET", url=URL, headers=(), **options):
    return curl_of(method=method, url=url, headers=headers, **options)[1]


def posted(body, kind=FORM, size=None, **more):
    made = environ(body=body, CONTENT_TYPE=kind, **more)
    return RequestSource(request=made, body=body, body_size=len(body) if size is None else size)


def test_a_plain_request_is_a_short_line():
    assert request_of(environ()).curl == f"curl {URL}"


def test_a_form_is_repeated():
    shown = request_of(posted(b"note=it+is+o'clock&size=2", HTTP_X_SHOP="7"))
    words = shlex.split(shown.curl)
    assert words[:2] == ["curl", URL]
    assert words[-2:] == ["--data-raw", "note=it+is+o'clock&size=2"]
    assert sorted(words[2:-2]) == ["-H", "-H", f"Content-Type: {FORM}", "X-Shop: 7"]
    assert shown.notes == ()


@pytest.mark.parametrize(
    ("method", "body", "words"),
    [
        ("GET", "", []),
        ("POST", "a=1", ["--data-raw", "a=1"]),
        ("POST", "", ["-X", "POST"]),
        ("PUT", "a=1", ["-X", "PUT", "--data-raw", "a=1"]),
        ("GET", "a=1", ["-X", "GET", "--data-raw", "a=1"]),
        ("DELETE", "", ["-X", "DELETE"]),
        ("HEAD", "", ["--head"]),
        ("HEAD", "a=1", ["--head"]),
    ],
)
def test_the_method_is_said_where_curl_would_take_another(method, body, words):
    assert shlex.split(line(method, body=body)) == ["curl", URL, *words]


def test_what_makes_no_difference_is_left_out():
    headers = {
        "Host": "a.example",
        "Content-Length": "3",
        "Connection": "close",
        "Accept-Encoding": "br",
        "X-Forwarded-For": "203.0.113.1",
        "X-Request-Id": "1",
        "Traceparent": "00-1",
        "Sec-Fetch-Mode": "cors",
        "Cf-Ray": "1",
        "Cookie": "a=b",
        "Accept": "text/html",
        "User-Agent": "Mozilla/5.0",
    }
    assert shlex.split(line(headers=headers.items())) == [
        *("curl", URL, "-H", "Accept: text/html", "-H", "User-Agent: Mozilla/5.0")
    ]


def test_a_header_without_a_value_is_sent_without_one():
    """``-H 'X-Empty:'`` would take the header away."""
    assert shlex.split(line(headers=[("X-Empty", "")]))[-1] == "X-Empty;"


# Secrets.


def test_secrets_stay_redacted():
    made = environ(
        HTTP_AUTHORIZATION=f"Bearer {SECRET}",
        HTTP_COOKIE=f"sessionid={SECRET}-2",
        HTTP_X_API_KEY=f"{SECRET}-3",
        HTTP_X_ECHO=f"echo {SECRET}",
        QUERY_STRING=f"page=2&token={SECRET}-4",
    )
    shown = request_of(made)
    assert shlex.split(shown.curl) == [
        *("curl", f"{URL}?page=2&token={REDACTED}", "--globoff"),
        *("-H", f"Authorization: {REDACTED}", "-H", f"X-Api-Key: {REDACTED}"),
        *("-H", f"X-Echo: echo {REDACTED}", "-H", f"Cookie: {REDACTED}"),
    ]


HIDDEN = {
    "a field": (b"note=x&password=hunter2", FORM),
    "a percent-encoded name": (b"note=x&pass%77ord=hunter2", FORM),
    "json": (b'{"user": {"pin": 1234}}', "application/json"),
    "an escaped name": (b'{"pass\\u0077ord": "hunter2"}', "application/json"),
    "deep json": (b'{"a":' * 50 + b'{"pin":1}' + b"}" * 50, "application/json"),
    "deep json, escaped": (
        b'{"a":' * 50 + b'{"p\\u0069n":1}' + b"}" * 50,
        "application/json",
    ),
    "a name given twice": (
        b'{"note": "AKIAIOSFODNN7EXAMPLE", "note": "x"}',
        "application/json",
    ),
    "a true secret": (b'{"password": true}', "application/json"),
    "a list": (b'[{"name": "password", "value": "hunter2"}]', "application/json"),
    "graphql": (b'{"query": "mutation", "variables": {"password": "x"}}', "application/json"),
    "graphql text": (b'{"query": "{login(password: \\"hunter2\\")}"}', "application/json"),
    "xml": (b"<a><Password>hunter2</Password></a>", "text/xml"),
    "an attribute": (b'<a password="hunter2"/>', "text/xml"),
    "cdata": (b"<a><auth><b><![CDATA[hunter2]]></b></auth></a>", "text/xml"),
    "text": (b"password: hunter2", "text/plain"),
    "a card": (b"note=4111111111111111", FORM),
    "a key": (b"note=AKIAIOSFODNN7EXAMPLE", FORM),
    "a known value": (f"note={SECRET}".encode(), FORM),
    "an encoded known value": (f"note=%{ord(SECRET[0]):x}{SECRET[1:]}".encode(), FORM),
    "many fields": (b"&".join(b"a=%d" % n for n in range(300)), FORM),
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_a_body_in_which_something_is_hidden_is_left_out(kind):
    shown = request_of(posted(*HIDDEN[kind], HTTP_COOKIE=f"a={SECRET}"))
    assert "--data-raw" not in shown.curl
    assert "-X POST" in shown.curl
    assert shown.notes[-1] == "curl: without the body, in which something is redacted"


def test_declared_fields_are_hidden_in_it_too():
    source = posted(b"answer=blue&note=x")
    sensitive_post_parameters("answer")(lambda request: None)(source.request)
    assert "blue" not in repr(request_of(source))
    source = posted(b"answer=blue&note=x")
    sensitive_post_parameters()(lambda request: None)(source.request)
    assert "--data-raw" not in request_of(source).curl


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (posted(b"a=1\nb=2"), "which is not one line of text"),
        (posted(b"a=\xff"), "which is not shown in full"),
        (posted(b"a=1", kind="image/png"), "which is not shown in full"),
        (posted(b"a=" + b"x" * 3_000), "which is too long"),
        (posted(b"a=" + b"x" * 1_600), "which is too long"),
        (posted(b"--x\r\n", kind="multipart/form-data; boundary=x"), ""),
        (posted(b"a=1", size=50), ""),
    ],
    ids=["lines", "bytes", "picture", "long", "nearly as long", "multipart", "cut"],
)
def test_a_body_that_cannot_be_repeated_is_left_out_with_the_reason(source, why):
    shown = request_of(source)
    assert shown.curl
    assert "--data-raw" not in shown.curl
    assert any(note.startswith("body:") for note in shown.notes) or (
        f"curl: without the body, {why}" in shown.notes
    )


def test_json_and_text_are_repeated():
    for body, kind in [
        (b'{"a": [1, "x"]}', "application/json"),
        (b"[1]", "application/vnd.api+json"),
        (b"<a>b</a>", "text/xml"),
        ("caf\u00e9".encode(), "text/plain; charset=utf-8"),
    ]:
        words = shlex.split(request_of(posted(body, kind)).curl)
        assert words[-2:] == ["--data-raw", body.decode()]


# Where there can be none.


@pytest.mark.parametrize(
    "url",
    ["", "/orders", "ftp://a.example/", "ws://a.example/", "https:///x", "https://a b/", "https://u@a.example/", "https://-o@x/", "file:///etc/passwd", "https://<b>/"],
)  # fmt: skip
def test_without_an_absolute_address_there_is_none(url):
    assert line(url=url) == ""


@pytest.mark.parametrize("method", ["", "-o", "GET /", "G\nT", "A" * 100, "\u0130"], ids=ascii)
def test_without_a_method_there_is_none(method):
    assert line(method) == ""


def test_an_address_that_was_cut_is_not_repeated():
    assert request_of(environ(path="/" + "x" * 5_000)).curl == ""
    assert request_of(environ(path="/" + "x" * 1_990)).curl == ""
    assert request_of(scope(type="websocket", scheme="wss")).curl == ""


def test_headers_that_do_not_fit_are_left_out_and_counted():
    headers = [("X-Long", "x" * 1_990), ("X-Odd", "a\u202eb"), ("X-Short", "1")]
    assert shlex.split(line(headers=headers)) == ["curl", URL, "-H", "X-Short: 1"]
    assert notes(headers=headers) == ("curl: without 2 of the headers, too long or not printable",)


# It is made to be pasted.

TEXT = st.text(
    st.sampled_from("'\"`$(){}[]<>|&;!#~*?\\@= -\n\r\t\x00\x1b\u202e\u00e9a0/%:") | st.characters(),
    max_size=30,
)
HEADERS = st.lists(
    st.tuples(TEXT | st.sampled_from(["X-A", "@x", "Content-Type"]), TEXT), max_size=4
)


@given(TEXT, TEXT, TEXT, HEADERS, TEXT, st.sampled_from(["", REDACTED]))
def test_whatever_comes_the_line_is_words_that_do_nothing(
    method, path, query, headers, body, cookies
):
    command = curl_of(
        method=method if "-" in method else "PATCH",
        url=f"https://a.example/{path}?{query}",
        headers=headers,
        cookies=cookies,
        body=body,
    )[0]
    assert command.isprintable()
    assert len(command) <= CURL_CHARS
    if not command:
        return
    words = shlex.split(command)
    assert shlex.join(words) == command
    assert words[:1] == ["curl"]
    assert words[1].startswith("https://a.example/")
    assert re.fullmatch(r"[!-~]+", words[1])
    assert ("--globoff" in words) == bool(set("[]") & set(words[1]))
    rest = iter(words[2:])
    for word in rest:
        if word in ("--globoff", "--path-as-is", "--head"):
            continue
        value = next(rest)
        assert word in ("-X", "-H", "--data-raw")
        if word == "-H":
            assert re.match(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+[:;]", value)
            assert (value[:1], value[:2]) != ("@", "@x")
        if word == "--data-raw":
            assert value == body


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    "evil",
    ["$(touch pwned)", "`touch pwned`", "'; touch pwned; '", '"; touch pwned; "', "a & touch pwned", "| touch pwned", "> pwned", "~", "*", "!!", "\\", "'", "$HOME", "{a,b}", "#", "-o pwned"],
)  # fmt: skip
def test_a_shell_sees_the_words_and_runs_nothing(tmp_path, shell, evil):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command = line(
        "POST",
        url=f"https://a.example/x?a={evil}",
        headers=[("X-Evil", evil), ("User-Agent", evil)],
        body=f"a={evil}",
        cookies=REDACTED,
    )
    assert command.startswith("curl ")
    arguments = command.removeprefix("curl ")
    done = subprocess.run(
        [shell, "-c", f"printf '%s\\0' {arguments}"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        text=True,
    )
    assert done.stdout.split("\0")[:-1] == shlex.split(arguments)
    assert os.listdir(tmp_path) == []


class _Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, list(self.headers.items()), body))
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = _any  # noqa: N815 -- their names

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    with http.server.HTTPServer(("127.0.0.1", 0), _Recorder) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def pasted(server, command, tmp_path):
    """Run the line as somebody who pastes it does, and return what reached the server."""
    del server.seen[:]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "no_proxy": "*"}
    subprocess.run(
        ["sh", "-c", command],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        timeout=20,
    )
    return server.seen


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
@pytest.mark.parametrize(
    ("method", "path", "query", "body", "kind"),
    [
        ("GET", "/orders/7", "page=2&q=a%20b", b"", ""),
        ("GET", "/a{b,c}/[1-3]", "x[]=1&y={1,2}", b"", ""),
        ("GET", "/../../etc/passwd", "", b"", ""),
        ("HEAD", "/", "", b"", ""),
        ("DELETE", "/orders/7", "", b"", ""),
        ("POST", "/orders", "", b"a=1&b=it's+%24HOME", FORM),
        ("POST", "/orders", "", b"@/etc/passwd", "text/plain"),
        ("PUT", "/orders/7", "", '{"name": "J\u00fcrgen \\"x\\" $(id) `id`"}'.encode(), "application/json"),
        ("PATCH", "/orders/7", "", b"-d 'x'", "text/plain"),
        ("GET", "/search", "", b'{"q": 1}', "application/json"),
    ],
)  # fmt: skip
def test_curl_sends_the_same_request_once(tmp_path, method, path, query, body, kind):
    with serving() as server:
        made = environ(
            path=path,
            body=body,
            REQUEST_METHOD=method,
            QUERY_STRING=query,
            HTTP_HOST=f"127.0.0.1:{server.server_port}",
            HTTP_X_ODD="@/etc/passwd 'a' \"b\" $x",
            HTTP_X_EMPTY="",
            HTTP_ACCEPT="text/html",
            **{"wsgi.url_scheme": "http", "CONTENT_TYPE": kind},
        )
        shown = request_of(RequestSource(request=made, body=body, body_size=len(body)))
        seen = pasted(server, shown.curl, tmp_path)
    assert len(seen) == 1
    command, target, headers, sent = seen[0]
    assert (command, sent) == (method, body)
    assert target == shown.url.removeprefix(f"http://127.0.0.1:{server.server_port}").translate(
        {ord("{"): "%7B", ord("}"): "%7D"}
    )
    headers = dict(headers)
    assert headers["X-Odd"] == "@/etc/passwd 'a' \"b\" $x"
    assert headers["X-Empty"] == ""
    assert headers["Accept"] == "text/html"
    assert headers.get("Content-Type", "") == kind


@needs_curl
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
)
def test_whatever_was_sent_curl_sends_again(tmp_path_factory, path, header, text):
    with serving() as server:
        command = line(
            "PUT",
            f"http://127.0.0.1:{server.server_port}/x?{path.replace('#', '')}",
            [("X-Any", header.strip()), ("Content-Type", "text/plain")],
            body=text,
        )
        seen = pasted(server, command, tmp_path_factory.mktemp("home"))
    ((method, _, headers, sent),) = seen
    assert method == "PUT"
    assert dict(headers)["X-Any"] == header.strip()
    assert sent.decode() == (text if text.isprintable() else "")


# A filter of the program's own, and its own substitute.


def test_a_substitute_is_quoted_where_it_stands():
    command = line(url=f"{URL}?token={REDACTED}", headers=[("X-Api-Key", REDACTED)])
    changed = requoted(command, lambda word: word.replace(REDACTED, "it's `hidden`"))
    assert shlex.split(changed)[1] == f"{URL}?token=it's `hidden`"
    assert shlex.split(changed)[-1] == "X-Api-Key: it's `hidden`"
    assert requoted(command, lambda word: word.replace(REDACTED, "a\nb")) == ""
    assert requoted("", str) == ""
    assert requoted("it's no command", str) == ""


def report_of(request):
    return capture(request=request, message="x", fingerprint="0" * 12, now=0.0)


@given(HEADERS, TEXT)
def test_a_report_that_was_redacted_once_more_has_a_line_of_words_still(headers, body):
    command = line("POST", headers=[("X-A", "password="), *headers], body=body)
    shown = replace(request_of(environ()), curl=command)
    again = redacted_report(report_of(shown), DEFAULT_REDACTOR).request.curl
    assert shlex.join(shlex.split(again)) == again
    assert len(shlex.split(again)) == len(shlex.split(command))


def test_what_before_send_takes_out_of_a_request_is_not_in_the_line_either():
    report = report_of(request_of(posted(b"note=x")))
    changed = lambda given: replace(given, request=replace(given.request, form=()))  # noqa: E731
    own = lambda given: replace(given, request=replace(given.request, form=(), curl="curl x"))  # noqa: E731
    other = lambda given: replace(given, level="INFO")  # noqa: E731
    for hook, curl in [(changed, ""), (own, "curl x"), (other, report.request.curl)]:
        after = apply_before_send(
            report, hook, lambda given: redacted_report(given, DEFAULT_REDACTOR)
        )
        assert after.request.curl == curl


def test_a_request_without_values_has_a_line_without_headers():
    shown = request_of(posted(b"a=1", HTTP_X_SHOP="7"), limits=replace(DEFAULT_LIMITS, fields=0))
    assert shown.curl == f"curl {URL} -X POST"


def test_json_with_what_the_client_did_not_hide_stays_as_it_was():
    body = json.dumps({"author": "jane", "keyboard": "de"}).encode()
    found = captured(posted(body, "application/json"))
    assert pairs(found.request.form) == [("author", "jane"), ("keyboard", "de")]
    assert shlex.split(found.request.curl)[-1] == body.decode()
