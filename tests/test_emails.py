"""Whole emails, as they come out of a crash: fit for the mail clients that people have, and without a secret."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

import errormail
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
