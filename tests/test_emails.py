"""Whole emails, as they come out of a crash: fit for the mail clients that people have, and without a secret."""

from __future__ import annotations

import io
import logging
import quopri
import sys
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

import errormail
from actors import crashes
from errormail import conf, mail

EXAMPLES = Path(__file__).parent.parent / "examples"
PASSWORD = "correct-horse-battery"
FORM = f"product=alpine-herbs&quantity=2&password={PASSWORD}&name=Z%C3%BCrich".encode()


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import demo_shop

    yield demo_shop
    sys.modules.pop("demo_shop", None)


@pytest.fixture(autouse=True)
def _settings(outbox):
    with conf.override_settings(
        ADMINS=["Ops <ops@example.com>"],
        SERVER_EMAIL="shop@example.com",
        DELIVERY="sync",
        SERVICE="shop",
        ENVIRONMENT="production",
        RELEASE="1.2",
    ):
        yield


def crash(shop):
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/checkout",
        "wsgi.input": io.BytesIO(FORM),
        "CONTENT_LENGTH": str(len(FORM)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_AUTHORIZATION": f"Bearer {PASSWORD[::-1]}",
        "HTTP_COOKIE": f"sessionid={PASSWORD.upper()}; theme=dark",
    }
    setup_testing_defaults(environ)
    with pytest.raises(shop.PricingError):
        errormail.wsgi.ErrorReportMiddleware(shop.shop)(environ, print)


def test_the_email_of_a_crash_is_fit_for_mail_clients(shop, emailcheck):
    crash(shop)
    (message,) = mail.outbox
    facts = {
        "exc_type": "PricingError",
        "exc_message": "no rate from CHF to EUR",
        "must": [
            "POST",
            "http://127.0.0.1/checkout",
            "production",
            "1.2",
            "alpine-herbs",
            "Zürich",
        ],
        "must_not": [PASSWORD, PASSWORD[::-1], PASSWORD.upper()],
    }
    emailcheck(message.message().as_bytes(), facts)


def test_the_email_of_a_log_record_is_fit_for_mail_clients(emailcheck):
    logger = logging.getLogger("shop.emails")
    handler = errormail.AdminEmailHandler()
    logger.addHandler(handler)
    logger.error("no stock of %s, Grüße\x1b[2J", "tea", extra={"shelf": 4}, stack_info=True)
    logger.removeHandler(handler)
    (message,) = mail.outbox
    emailcheck(message.message().as_bytes(), {"must": ["no stock of tea", "shelf"]})


def test_both_parts_are_quoted_printable_utf_8_in_short_lines(shop):
    crash(shop)
    content = mail.outbox[0].message().as_bytes()
    for part in mail.outbox[0].message().walk():
        if part.get_content_maintype() == "text":
            assert part.get_content_charset() == "utf-8"
            assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert max(map(len, content.splitlines())) <= 78


CRASHES = Path(crashes.__file__).read_text(encoding="utf-8").splitlines()


def at(function, source):
    """Return the place in the crashes of the line that begins with *source*, as a fact."""
    (number,) = [
        number for number, line in enumerate(CRASHES, 1) if line.lstrip().startswith(source)
    ]
    return {"file": "crashes.py", "line": number, "function": function}


def html_of(message):
    (html,) = [one[0] for one in message.alternatives if one[1] == "text/html"]
    return html


def in_a_request(crash):
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/checkout/",
        "QUERY_STRING": "step=3",
        "HTTP_HOST": "shop.example.com",
        "HTTP_REFERER": "https://shop.example.com/cart/",
        "HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"
        " (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
        "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "HTTP_ACCEPT_LANGUAGE": "de-CH,de;q=0.9,en;q=0.8",
        "HTTP_COOKIE": f"customer=u-5512; sessionid={PASSWORD.upper()}",
        "HTTP_X_REQUEST_ID": "01J9Z3W5Q2T8",
        "REMOTE_ADDR": "203.0.113.24",
        "wsgi.url_scheme": "https",
    }
    setup_testing_defaults(environ)
    with pytest.raises(Exception):  # noqa: B017, PT011 -- whatever it was
        errormail.wsgi.ErrorReportMiddleware(lambda *_: crash())(environ, print)


def reported(crash):
    try:
        crash()
    except BaseException as error:
        errormail.report_exception(error)


def logged(crash):
    handler = errormail.AdminEmailHandler()
    crashes.log.addHandler(handler)
    crash()
    crashes.log.removeHandler(handler)


NEEDS_TASK_GROUPS = pytest.mark.skipif(sys.version_info < (3, 11), reason="no task groups")


@pytest.mark.parametrize(
    ("way", "crash", "facts"),
    [
        pytest.param(
            in_a_request,
            crashes.one_frame,
            {
                "exc_type": "ZeroDivisionError",
                "culprit": at("one_frame", "return total / count"),
                "must": [
                    "POST",
                    "https://shop.example.com/checkout/?step=3",
                    "01J9Z3W5Q2T8",
                    "curl",
                ],
            },
            id="one frame",
        ),
        pytest.param(
            in_a_request,
            crashes.twelve_frames_and_a_cause,
            {
                "exc_type": "PricingError",
                "exc_message": "no rate from CHF to EUR",
                "frames": [
                    at("twelve_frames_and_a_cause", "return checked("),
                    at("checked", "return priced("),
                    at("priced", "return place("),
                    at("place", "return settle("),
                    at("settle", "return charge("),
                    at("charge", "return authorize("),
                    at("authorize", "return retried("),
                    at("retried", "return call("),
                    at("total", "return sum("),
                    at("line_total", "return Decimal("),
                    at("rate", "raise PricingError("),
                    at("rate", "return self.rates["),
                ],
                "must": ["KeyError", "Bahnhofstrasse 12", "<Engine with 1 rates>"],
            },
            id="twelve frames with a cause",
        ),
        pytest.param(
            reported,
            crashes.group,
            {
                "exc_type": "ExceptionGroup",
                "exc_message": "unhandled errors in a TaskGroup",
                "must": ["KeyError", "TimeoutError", "rates.example.net did not answer", "fetch"],
            },
            id="group",
            marks=NEEDS_TASK_GROUPS,
        ),
        pytest.param(
            reported,
            crashes.recursion,
            {"exc_type": "RecursionError", "must": ["times more", "depth", "widest"]},
            id="recursion",
        ),
        pytest.param(
            reported,
            crashes.no_request,
            {"exc_type": "JSONDecodeError", "must": ["no_request", "raw_decode"]},
            id="no request",
        ),
        pytest.param(
            logged,
            crashes.record,
            {
                "exc_type": "ERROR",
                "exc_message": "payment provider answered 503, giving up",
                "culprit": at("record", "log.error"),
                "must": ["shop.crashes", "order", "o-4711"],
            },
            id="log record only",
        ),
    ],
)
def test_the_email_of_a_crash_of_any_kind_is_fit_for_mail_clients(emailcheck, way, crash, facts):
    with conf.override_settings(
        SOURCE_URL="https://git.example.com/shop/blob/{release}/{path}#L{line}",
        SECTIONS=[lambda report: {"plan": "gold"}],
    ):
        way(crash)
    (message,) = mail.outbox
    emailcheck(message.message().as_bytes(), {**facts, "must_not": [PASSWORD.upper()]})


@pytest.mark.parametrize(
    ("way", "crash"),
    [
        pytest.param(in_a_request, crashes.one_frame, id="one frame"),
        pytest.param(reported, crashes.recursion, id="recursion"),
    ],
)
def test_the_html_of_a_small_crash_is_small(way, crash):
    """What reaches the mail program, in the larger of both sizes: at most 20 kB."""
    way(crash)
    (message,) = mail.outbox
    html = html_of(message)
    encoded = quopri.encodestring(html.encode()).replace(b"\n", b"\r\n")
    assert max(len(html.encode()), len(encoded)) <= 20_000
