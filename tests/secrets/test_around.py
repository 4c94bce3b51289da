"""What stands around a failure tells no secret: the log before it, sections, hooks, the caller's stack, the curl line."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import string
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errormail
from actors.doors import LOGGER, by_logging, by_report_exception, by_wsgi, environ, handling
from actors.mails import assert_valid, received
from actors.planted import NAMES, Planted
from errormail import conf, mail
from errormail.handler import LogTailHandler
from errormail.report.model import Section, Variable
from errormail.wsgi import ErrorReportMiddleware


class AroundError(Exception):
    pass


def fail(*values):
    soil = values
    beside = "in sight"
    raise AroundError(beside, len(soil))


@pytest.fixture
def log():
    """A logger whose records are kept for the next report."""
    logger = logging.getLogger(f"{LOGGER}.tail")
    logger.setLevel(logging.DEBUG)
    handler = LogTailHandler()
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def test_secrets_by_form_in_the_log_before(planted, log, all_mails):
    for number, text in enumerate(planted.shaped().values()):
        log.info("cannot reach %s today", text)
        log.info(f"cannot reach {text} today".replace("%", "%%"))
        if number % 12 == 11:
            by_report_exception(fail)
    by_report_exception(fail)
    assert len(all_mails()) >= 4


def test_secrets_by_name_in_the_log_before(planted, log, all_mails):
    for number, name in enumerate(NAMES):
        log.info("got %s", {name: planted.value(name)})
        if number % 20 == 19:
            by_report_exception(fail)
    by_report_exception(fail)
    assert all_mails()


def test_a_secret_at_the_cut_of_a_long_line_before(planted, log, all_mails):
    for length in range(900, 2_200, 37):
        log.info("%s password=%s", "x" * length, planted.value("cut"))
    by_report_exception(fail)
    assert all_mails()


def test_a_known_value_in_the_log_before_of_the_same_request(planted, log, only_mail):
    value = planted.value("session")

    def application(environ, start_response):
        log.info("session %s is loaded", value)
        log.info("it is %r", {"harmless": value})
        fail()

    made = environ(HTTP_COOKIE=f"sessionid={value}")
    with pytest.raises(AroundError):
        ErrorReportMiddleware(application)(made, None)
    assert "is loaded" in only_mail().text


def test_the_log_of_another_request_is_not_shown(log, only_mail):
    def application(environ, start_response):
        log.info("%s was here", environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/second":
            fail()
        return []

    serve = ErrorReportMiddleware(application)
    list(serve(environ(PATH_INFO="/first"), None))
    with pytest.raises(AroundError):
        serve(environ(PATH_INFO="/second"), None)
    text = only_mail().text
    assert "/second was here" in text
    assert "/first was here" not in text


@pytest.mark.parametrize("shape", ["dict", "pairs", "generator"])
def test_sections(shape, planted, all_mails):
    texts = planted.shaped()
    pairs = {**{f"row {at}": text for at, text in enumerate(texts.values())}, "beside": "in sight"}
    named = {name: planted.value(name) for name in NAMES[:30]}
    rows = {
        "dict": lambda pairs: pairs,
        "pairs": lambda pairs: list(pairs.items()),
        "generator": lambda pairs: iter(pairs.items()),
    }[shape]
    sections = [lambda report: rows(pairs), lambda report: rows(named)]
    with conf.override_settings(SECTIONS=sections):
        by_report_exception(fail)
    (found,) = all_mails()
    assert "in sight" in found.attachments["report.json"].decode()


def test_a_section_that_fails_with_a_secret(planted, only_mail, monkeypatch):
    from errormail import _contain

    monkeypatch.setattr(_contain, "strict", False)

    def section(report):
        raise AroundError(f"password={planted.value('message')}")

    with conf.override_settings(SECTIONS=[section]):
        by_report_exception(fail)
    only_mail()


def test_what_a_hook_puts_into_the_report(planted, only_mail):
    """The last gate is behind the program's own hooks."""
    text = f"postgres://shop:{planted.value('DSN')}@db.example.com/shop"
    rows = (Variable(name="password", value=planted.value("row")), Variable(name="db", value=text))

    def hook(report):
        return dataclasses.replace(
            report, message=text, context=rows, sections=(Section(title="own", rows=rows),)
        )

    with conf.override_settings(BEFORE_SEND=hook), handling():
        logging.getLogger(LOGGER).error("plain")
    only_mail()


def test_context_that_is_added(planted, all_mails):
    texts = planted.shaped()
    with errormail.context():
        errormail.add_context(**{f"field{at}": text for at, text in enumerate(texts.values())})
        errormail.add_context(**{n: planted.value(n) for n in NAMES[:40] if n.isidentifier()})
        by_report_exception(fail)
    assert all_mails()


def test_the_frames_of_who_logged(planted, only_mail):
    def keeper():
        password = planted.value("local")
        headers = {"Authorization": f"Bearer {planted.value('header')}"}
        beside = "in sight"
        logging.getLogger(LOGGER).error("no exception here", stack_info=True)
        return password, headers, beside

    with handling():
        keeper()
    assert "no exception here" in only_mail().text


def test_library_locals(planted, only_mail):
    """Shown on request only, and redacted like all others."""
    secret = planted.value("JSON")
    text = json.dumps({"password": secret})[:-1]
    del secret

    def use(given):
        json.loads(given)

    with conf.override_settings(LIBRARY_LOCALS=True):
        by_report_exception(lambda: use(text))
    assert "JSONDecodeError" in only_mail().subject


@pytest.mark.parametrize("kind", ["form", "JSON", "multipart", "text"])
def test_the_curl_line(kind, planted, only_mail):
    fields = {"password": planted.value("field"), "note": "hello"}
    body, content_type = {
        "form": (urlencode(fields), "application/x-www-form-urlencoded"),
        "JSON": (json.dumps(fields), "application/json"),
        "multipart": (
            "".join(
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in fields.items()
            )
            + "--b--\r\n",
            "multipart/form-data; boundary=b",
        ),
        "text": (f"password: {fields['password']}\n", "text/plain"),
    }[kind]

    def application(environ, start_response):
        environ["wsgi.input"].read()
        fail()

    made = environ(
        HTTP_COOKIE=f"sessionid={planted.value('cookie')}",
        HTTP_AUTHORIZATION=f"Bearer {planted.value('authorization')}",
        HTTP_REFERER=f"https://shop.example.com/?token={planted.value('referer')}",
        QUERY_STRING=urlencode({"access_token": planted.value("query"), "page": 2}),
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body.encode())},
    )
    with pytest.raises(AroundError):
        ErrorReportMiddleware(application)(made, None)
    assert "curl" in only_mail().attachments["report.json"].decode()


def test_the_session_shows_its_keys_only(planted, only_mail):
    """flask's and django's, by their request objects."""
    import flask

    app = flask.Flask("shop")
    app.secret_key = planted.value("key of the application")
    with app.test_request_context("/pay"):
        flask.session["basket"] = planted.value("session")
        try:
            fail()
        except AroundError as error:
            errormail.report_exception(error, request=flask.request)
    only_mail()


def test_a_mail_that_was_cut_tells_nothing_at_the_cuts(planted, all_mails):
    """What is left out of the mail is in the attachment: redacted there as here."""

    def deep(left):
        password = planted.value("local")
        token = f"Bearer {planted.value('bearer')}"
        filling = [f"{left} {at} https://u:{planted.value('url')}@a.example/" for at in range(40)]
        if left:
            deep(left - 1)
        raise AroundError("in sight", password == token, len(filling))

    by_logging(lambda: deep(25))
    (found,) = all_mails()
    assert set(found.attachments) & {"report.txt", "report.txt.gz"}


@pytest.mark.parametrize("chars", range(3_600, 4_300, 50))
def test_a_secret_where_a_value_is_cut(chars, planted, only_mail):
    text = "x" * chars + f" password={planted.value('pair')} " + "y" * 500
    data = ("z" * chars + f" Bearer {planted.value('bearer')} " + "y" * 9_000).encode()
    by_logging(lambda: fail(text, data, [text], {"a": data}))
    only_mail()


TEXT = st.text(string.ascii_letters + string.digits + "!$^*_-~./ %'\"\\&<>äß€漢", max_size=30)


def caught(value):
    """Return the exception of a function that holds *value*; this one holds it under a name of its own."""
    try:
        fail(value)
    except AroundError as error:
        return error.with_traceback(error.__traceback__.tb_next)


PLACES = {
    "dict": lambda name, value: errormail.report_exception(caught({name: value})),
    "nested": lambda name, value: errormail.report_exception(caught([{"a": ({name: [value]},)}])),
    "JSON": lambda name, value: errormail.report_exception(caught(json.dumps({name: value}))),
    "repr": lambda name, value: errormail.report_exception(AroundError(repr({name: value}))),
    "query": lambda name, value: by_wsgi(fail, QUERY_STRING=urlencode({name: value})),
    "referer": lambda name, value: by_wsgi(
        fail, HTTP_REFERER=f"https://a.example/?{urlencode({name: value})}"
    ),
    "context": lambda name, value: errormail.report_exception(AroundError("a"), **{name: value}),
}


@given(TEXT, st.sampled_from(NAMES), st.sampled_from(list(PLACES)))
@settings(max_examples=60)
def test_whatever_stands_under_a_listed_name_is_not_told(text, name, place):
    planted = Planted()
    mail.outbox.clear()
    PLACES[place](name, f"{planted.value('begin')}{text}{planted.value('end')}")
    (sent,) = mail.outbox
    found = received(sent)
    assert_valid(found)
    assert not planted.leaks(found)
