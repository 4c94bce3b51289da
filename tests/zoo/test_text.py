"""Text that is more than text: line ends of every kind, encoded words, control characters, markup, in every place that reaches a mail."""

from __future__ import annotations

import contextlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errormail
from actors.doors import DOORS, LOGGER, by_report_exception, by_wsgi, handling
from actors.mails import assert_valid, received
from errormail import conf, mail

# Every character at which str.splitlines breaks.
BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
INJECTION = "\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>"
TEXTS = {
    **{f"U+{ord(char):04X}": f"before{char}Bcc: evil@example.com" for char in BREAKS},
    "CR LF": INJECTION,
    "encoded word": "=?utf-8?q?before=0D=0ABcc=3A_evil=40example.com?=",
    "encoded word in base64": "=?utf-8?b?YmVmb3JlDQpCY2M6IGV2aWxAZXhhbXBsZS5jb20=?=",
    "many encoded words": "=?utf-8?q?a?= =?utf-8?q?=0A?=" * 20,
    "begin of an encoded word": "=?utf-8?q?",
    "surrogates": "a\ud800\udfffb\udc80",
    "NULs": "\0" * 50,
    "ANSI": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "bidi": "a\u202eb\u2066c\u200fd",
    "not a character": "\ufffe\uffff\U0010ffff",
    "markup": "</td></table></body><script>alert(1)</script><img src=x onerror=alert(1)>&lt;",
    "markup in attributes": "\"'><a href='javascript:alert(1)' style=\"x",
    "MIME": "--===============1==\r\nContent-Type: text/html\r\n\r\n--\n.\n.\r\nFrom evil",
    "astral": "\U0001f600" * 300,
    "one long word": "x" * 5_000,
    "combining": "e\u0301" * 3_000,
    "percent": "%s %d %(name)s {} {0.__class__} %n",
    "blanks": " \t\u00a0\u3000" * 100,
    "empty": "",
}


def harmless(found):
    """Fail if an injection worked: `assert_valid` has seen to the headers as such."""
    assert found.message["Bcc"] is None
    assert "<script" not in found.html
    assert found.subject == found.subject.strip()
    for part in found.message.walk():
        assert part["Bcc"] is None


@pytest.mark.parametrize("door", list(DOORS))
@pytest.mark.parametrize("name", list(TEXTS))
def test_as_the_message_of_an_exception_and_in_its_locals_and_notes(name, door, only_mail):
    text = TEXTS[name]

    def fail():
        local = {text: text}
        error = ValueError(local[text])
        error.__notes__ = [text, text[::-1]]
        raise error

    DOORS[door](fail)
    harmless(only_mail())


@pytest.mark.parametrize("name", list(TEXTS))
def test_as_the_message_of_a_record_and_in_its_fields(name, only_mail):
    text = TEXTS[name]
    with handling():
        logging.getLogger(LOGGER).error(
            text.replace("%", "%%"), extra={text or "?": text, "field": text}
        )
    harmless(only_mail())


@pytest.mark.parametrize("name", list(TEXTS))
def test_as_a_logger_s_name_and_all_else_that_a_record_says(name, only_mail):
    text = TEXTS[name]
    fields = ("name", "msg", "levelname", "pathname", "funcName", "threadName", "processName")
    more = dict.fromkeys(
        (*fields, "taskName", "stack_info", "exc_text", "filename", "module"), text
    )
    with handling() as root:
        root.handle(logging.makeLogRecord({**more, "levelno": logging.ERROR, "lineno": 5}))
    harmless(only_mail())


@pytest.mark.parametrize("name", list(TEXTS))
def test_in_the_settings_that_a_reader_sees(name, only_mail):
    text = TEXTS[name]
    with conf.override_settings(SERVICE=text, ENVIRONMENT=text, RELEASE=text):
        by_report_exception(lambda: [][1])
    harmless(only_mail())


@pytest.mark.parametrize("name", list(TEXTS))
def test_as_a_name_of_a_class_and_its_module(name, only_mail):
    text = TEXTS[name].encode("utf-8", "replace").decode().replace("\0", "")
    cls = type(text, (Exception,), {"__module__": text, "__qualname__": text})

    def fail():
        raise cls("fine")

    by_report_exception(fail)
    harmless(only_mail())


@pytest.mark.parametrize("name", list(TEXTS))
def test_in_a_request(name, only_mail):
    text = TEXTS[name]
    multipart = (
        f'--b\r\nContent-Disposition: form-data; name="upload"; filename="{text}"\r\n'
        f"Content-Type: {text}\r\n\r\ncontent\r\n"
        f'--b\r\nContent-Disposition: form-data; name="{text}"\r\n\r\n{text}\r\n--b--\r\n'
    )
    import io

    places = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_REFERER")
    more = (*places, "HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "REMOTE_ADDR", "REMOTE_USER")
    environ = dict.fromkeys((*more, "HTTP_COOKIE", f"HTTP_{text}", "wsgi.url_scheme"), text)
    body = multipart.encode("utf-8", "surrogatepass")

    def fail():
        raise ValueError("fine")

    by_wsgi(
        fail,
        **environ,
        **{
            "CONTENT_TYPE": "multipart/form-data; boundary=b",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        },
    )
    harmless(only_mail())


@pytest.mark.parametrize("name", list(TEXTS))
def test_in_the_context(name, only_mail):
    text = TEXTS[name]
    with errormail.context(**{text or "?": text}):
        by_report_exception(lambda: [][1])
    harmless(only_mail())


@pytest.mark.parametrize("name", ["U+2028", "encoded word", "markup", "astral", "one long word"])
def test_a_sample_passes_the_checker_of_mail_programs(name, emailcheck, only_mail):
    text = TEXTS[name]

    def fail():
        local = text
        raise ValueError(local)

    by_wsgi(fail, QUERY_STRING=text)
    emailcheck(only_mail().raw)


PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [*BREAKS, "=?utf-8?q?", "?=", "\r\nBcc: a@b", "=0D=0A", "<", "\ud800", "\x1b["]
    ),
)


@given(st.lists(PIECES, max_size=8).map("".join), st.sampled_from(["exception", "record", "name"]))
def test_whatever_the_text_the_mail_is_valid(text, place):
    with _settings():
        if place == "exception":
            errormail.report_exception(ValueError(text))
        else:
            fields = {"msg": "fine", "levelno": logging.ERROR, "name": LOGGER}
            fields["msg" if place == "record" else "name"] = text
            with handling() as root:
                root.handle(logging.makeLogRecord(fields))
        if not text.startswith("errormail") or place != "name":
            (sent,) = mail.outbox
            found = received(sent)
            assert_valid(found)
            harmless(found)


@contextlib.contextmanager
def _settings():
    mail.outbox.clear()
    yield
    mail.outbox.clear()
