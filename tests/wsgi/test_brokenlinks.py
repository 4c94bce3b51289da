"""MANAGERS hear of links on the own site that lead nowhere, and of nothing else."""

from __future__ import annotations

import re
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errormail import _contain, mail
from errormail.conf import Settings, override_settings
from errormail.wsgi import BrokenLinkMiddleware, ErrorReportMiddleware, brokenlinks
from errormail.wsgi.brokenlinks import Visit, is_broken_link, message_of, subject_of, visit_of

SITE = "www.example.com"
PAGE = f"https://{SITE}/guide"


def visit(path="/missing", referrer=PAGE, host=SITE):
    return Visit(
        host=host, path=path, referrer=referrer, user_agent="Mozilla", remote_addr="192.0.2.7"
    )


@pytest.mark.row("H13")
@pytest.mark.parametrize(
    "referrer",
    [
        PAGE,
        f"http://{SITE}/",
        f"http://{SITE}",
        f"HTTPS://{SITE.upper()}:443/guide",
        f"http://{SITE}:80/a",
        f"https://{SITE}/search?q=tea",
        f"https://{SITE}?q=tea",
        f"https://{SITE}#top",
        f"https://{SITE}/missing/further",
    ],
)
def test_a_link_on_another_page_of_the_same_site_is_broken(referrer):
    assert is_broken_link(visit(referrer=referrer), [])


@pytest.mark.row("H13")
@pytest.mark.parametrize(
    "referrer",
    [
        "",
        "-",
        "/guide",
        "https://",
        "https://[",
        "about:blank",
        f"ftp://{SITE}/guide",
        f"https://{SITE}.evil.test/guide",
        f"https://evil.test/{SITE}/guide",
        f"https://{SITE}@evil.test/",
        f"https://user@{SITE}/",
        f"https://{SITE}:8080/",
        "https://other.example.com/guide",
        "https://search.test/?q=tea",
    ],
)
def test_no_referrer_and_that_of_another_host_are_ignored(referrer):
    assert not is_broken_link(visit(referrer=referrer), [])


@pytest.mark.row("H13")
@pytest.mark.parametrize(
    ("path", "referrer"),
    [
        ("/missing", f"https://{SITE}/missing"),
        ("/missing", f"http://{SITE}:80/missing"),
        ("/missing", f"https://{SITE}/missing?x=1"),
        ("/missing?x=1", f"https://{SITE}/missing?x=1"),
        ("/m%C3%BCll", f"https://{SITE}/müll"),
        ("/missing", "/missing"),
    ],
)
def test_a_bot_that_claims_to_come_from_where_it_goes_is_ignored(path, referrer):
    assert not is_broken_link(visit(path, referrer), [], external=True)


def test_a_page_that_links_to_itself_with_another_query_has_a_broken_link():
    """The page itself exists; its 17th page of results does not."""
    assert is_broken_link(visit("/search?page=17", f"https://{SITE}/search"), [])


@pytest.mark.row("H13")
@pytest.mark.parametrize(
    ("referrer", "told"),
    [
        ("https://other.example.org/list", True),
        ("https://other.example.org/missing", True),
        ("https://search.test/?q=tea", False),
        ("android-app://com.example", True),
        ("/guide", False),
        ("", False),
        (PAGE, True),
        (f"{PAGE}?a=b", True),
    ],
)
def test_links_from_other_sites_count_if_that_is_wanted_but_for_search_engines(referrer, told):
    assert is_broken_link(visit(referrer=referrer), [], external=True) == told


@pytest.mark.row("H13")
@pytest.mark.parametrize("compiled", [re.compile, str])
@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"\.php$", True),
        (r"^/missing", False),
        (r"utm_source=", False),
        (r"issing\?", False),
        (r"^missing", True),
    ],
)
def test_ignorable_urls_are_searched_in_the_path_with_its_query(compiled, pattern, told):
    patterns = [re.compile("favicon"), compiled(pattern)]
    assert is_broken_link(visit("/missing?utm_source=x"), patterns) == told


def environ_of(path="/missing", referrer=PAGE, **more):
    environ = {
        "PATH_INFO": path,
        "HTTP_HOST": SITE,
        "HTTP_USER_AGENT": "Mozilla/5.0",
        "REMOTE_ADDR": "192.0.2.7",
        **more,
    }
    if referrer is not None:
        environ["HTTP_REFERER"] = referrer
    setup_testing_defaults(environ)
    return environ


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        (environ_of("/a b/ü".encode().decode("latin-1")), "/a%20b/%C3%BC"),
        (environ_of("/post", SCRIPT_NAME="/blog", QUERY_STRING="a=b&c"), "/blog/post?a=b&c"),
        (environ_of("/x?y#z"), "/x%3Fy%23z"),
    ],
)
def test_the_path_is_what_stood_in_the_address(environ, path):
    assert visit_of(environ).path == path


def test_the_host_is_that_of_the_server_if_the_client_sent_none():
    environ = {
        "SERVER_NAME": "shop.local",
        "SERVER_PORT": "80",
        "HTTP_REFERER": "http://shop.local/a",
    }
    assert visit_of(environ).host == "shop.local:80"
    assert is_broken_link(visit_of(environ), [])


def test_subject_and_message_are_djangos():
    assert subject_of(visit()) == "Broken INTERNAL link on www.example.com"
    assert subject_of(visit(referrer="https://b.test/")) == "Broken link on www.example.com"
    assert message_of(visit()) == (
        "Referrer: https://www.example.com/guide\n"
        "Requested URL: /missing\n"
        "User agent: Mozilla\n"
        "IP address: 192.0.2.7"
    )


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\x0b\x85\u2028\u202e"))


@settings(deadline=None)  # a megabyte takes its time where coverage is measured
@given(host=TEXT, path=TEXT, referrer=TEXT, agent=TEXT, factor=st.sampled_from([1, 50_000]))
def test_nothing_that_a_client_sends_makes_a_line_or_grows_without_bound(
    host, path, referrer, agent, factor
):
    hostile = Visit(
        host=host * factor,
        path=path * factor,
        referrer=referrer * factor,
        user_agent=agent * factor,
        remote_addr=agent,
    )
    assert len(subject_of(hostile).splitlines()) == 1
    assert len(subject_of(hostile)) < 150
    assert [line.partition(":")[0] for line in message_of(hostile).splitlines()] == [
        "Referrer",
        "Requested URL",
        "User agent",
        "IP address",
    ]
    assert len(message_of(hostile)) < 6_000


@given(referrer=TEXT | st.text("htps:/[]@?#.wexamplco", max_size=40), host=TEXT)
def test_any_referrer_is_judged(referrer, host):
    is_broken_link(visit(referrer=referrer, host=host), [], external=True)


# The middleware -------------------------------------------------------------------------------------------------------


def answering(status):
    def app(environ, start_response):
        app.write = start_response(status, [("Content-Type", "text/plain")])
        return app.result

    app.result = [b"sorry"]
    return app


def serve(app, environ):
    started = []

    def write(data):
        raise AssertionError(data)

    def start_response(*args):
        started.append(args)
        return write

    result = app(environ, start_response)
    assert len(started) == 1
    return started[0], result, write


@pytest.fixture
def managers(outbox):
    with override_settings(
        MANAGERS=["Web <web@example.com>", ("Sales", "sales@example.com")],
        SERVER_EMAIL="shop@example.com",
        EMAIL_SUBJECT_PREFIX="[shop] ",
        DELIVERY="sync",
    ):
        yield outbox


@pytest.mark.row("H13")
def test_managers_get_an_email_of_a_broken_link(managers):
    app = answering("404 Not Found")
    serve(BrokenLinkMiddleware(app), environ_of(QUERY_STRING="a=b"))
    (message,) = managers
    assert message.to == ["Web <web@example.com>", "Sales <sales@example.com>"]
    assert message.from_email == "shop@example.com"
    assert message.subject == "[shop] Broken INTERNAL link on www.example.com"
    assert "Referrer: https://www.example.com/guide\n" in message.body
    assert "Requested URL: /missing?a=b\n" in message.body
    assert "User agent: Mozilla/5.0\n" in message.body
    assert "IP address: 192.0.2.7\n" in message.body
    assert "ADMINS" not in message.body


@pytest.mark.row("H13")
@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "410 Gone", "500 Oops", "302 Found"])
def test_other_responses_are_no_broken_links(status, managers):
    serve(BrokenLinkMiddleware(answering(status)), environ_of())
    assert managers == []


@pytest.mark.row("H13")
@pytest.mark.parametrize(
    ("given_settings", "environ"),
    [
        ({"DEBUG": True}, environ_of()),
        ({"MANAGERS": []}, environ_of()),
        ({"IGNORABLE_404_URLS": [re.compile("^/miss")]}, environ_of()),
        ({}, environ_of(referrer=None)),
        ({}, environ_of(referrer="")),
        ({}, environ_of(referrer="https://other.example.org/")),
    ],
)
def test_nothing_is_mailed_where_there_is_nothing_to_tell(given_settings, environ, managers):
    with override_settings(**given_settings):
        serve(BrokenLinkMiddleware(answering("404 Not Found")), environ)
    assert managers == []


def test_nobody_in_admins_is_no_reason_to_be_silent(managers):
    with override_settings(ADMINS=["ops@example.com"]):
        serve(BrokenLinkMiddleware(answering("404 Not Found")), environ_of())
    assert "ops@example.com" not in managers[0].recipients()


def test_secrets_in_addresses_are_hidden(managers):
    environ = environ_of(
        "/reset",
        f"https://{SITE}/mail?token=hunter2hunter2",
        QUERY_STRING="password=hunter2hunter2",
    )
    serve(BrokenLinkMiddleware(answering("404 Not Found")), environ)
    assert "hunter2" not in managers[0].message().as_string()
    assert "hunter2" not in managers[0].body


def test_it_can_have_settings_of_its_own(outbox):
    own = Settings(
        MANAGERS=["own@example.com"],
        DELIVERY="sync",
        EMAIL_BACKEND="errormail.mail.backends.locmem.EmailBackend",
    )
    serve(BrokenLinkMiddleware(answering("404 Not Found"), settings=own), environ_of())
    serve(BrokenLinkMiddleware(answering("404 Not Found"), settings=lambda: own), environ_of())
    assert [message.to for message in mail.outbox] == [["own@example.com"]] * 2


def test_server_and_app_see_what_they_see_without(managers):
    for environ in (environ_of(), environ_of(referrer=None)):
        app = answering("404 Not Found")
        before = dict(environ)
        started, result, write = serve(BrokenLinkMiddleware(app), environ)
        assert started == ("404 Not Found", [("Content-Type", "text/plain")])
        assert result is app.result
        assert app.write is write
        assert environ == before


def test_exc_info_is_handed_on():
    def app(environ, start_response):
        start_response("500 Oops", [], "exc_info")
        return []

    started, _, _ = serve(BrokenLinkMiddleware(app), environ_of())
    assert started == ("500 Oops", [], "exc_info")


def test_a_failure_of_its_own_is_contained(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(brokenlinks, "visit_of", broken)
    with override_settings(MANAGERS=["web@example.com"]):
        app = answering("404 Not Found")
        _, result, _ = serve(BrokenLinkMiddleware(app), environ_of())
    assert result is app.result
    assert _contain.failures["broken link"] == 1


def test_it_works_with_the_other_middleware_around_it(managers):
    app = ErrorReportMiddleware(BrokenLinkMiddleware(answering("404 Not Found")))
    serve(app, environ_of())
    assert len(managers) == 1
