"""The public interface as programs use it, for the type checkers: `make types` checks it, nothing runs it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from email.message import EmailMessage as PythonMessage
from typing import TYPE_CHECKING

from flask import Flask
from typing_extensions import assert_type

import errormail
from errormail.flask import ErrorMail
from errormail.mail import (
    EmailAttachment,
    EmailMessage,
    EmailMultiAlternatives,
    get_connection,
    mail_admins,
    mail_managers,
    mailers,
    make_msgid,
    outbox,
    send_mail,
    send_mass_mail,
)
from errormail.mail.backends.base import BaseEmailBackend

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def settings() -> None:
    errormail.configure(ADMINS=["ops@example.com", ("Ops", "ops@example.com")], EMAIL_PORT=587)
    errormail.configure({"ADMINS": []}, SERVER_EMAIL="shop@example.com")
    own = errormail.Settings(DEBUG=True)
    assert_type(own.DEBUG, bool)
    assert_type(own.EMAIL_PORT, int)
    assert_type(errormail.settings.EMAIL_HOST, str)
    with errormail.override_settings(DEBUG=True):
        pass


@errormail.override_settings(DEBUG=True)
def decorated(number: int) -> str:
    return str(number)


assert_type(decorated(1), str)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return []


def doors() -> None:
    wrapped: WSGIApplication = errormail.wsgi.ErrorReportMiddleware(app)
    errormail.wsgi.ErrorReportMiddleware(wrapped, report_status={500, 502})
    errormail.wsgi.ErrorReportMiddleware(app, report_status=False)
    flask_app = Flask(__name__)
    ErrorMail(flask_app)
    ErrorMail().init_app(flask_app)
    handler: logging.Handler = errormail.AdminEmailHandler(
        include_html=False, admins=["ops@example.com"]
    )
    handler.addFilter(errormail.RequireDebugFalse())
    handler.addFilter(errormail.CallbackFilter(lambda record: record.levelno > logging.ERROR))


def by_hand(request: object) -> None:
    try:
        with errormail.context(order=42, user="jane"):
            pass
    except ValueError as error:
        errormail.report_exception(error, request=request, step=3)
    errormail.report_exception()
    assert_type(errormail.flush(timeout=5.0), bool)


@errormail.sensitive_variables("password")
def log_in(user: str, password: str) -> bool:
    return bool(user and password)


assert_type(log_in("jane", "secret"), bool)


@errormail.sensitive_post_parameters()
async def view(request: object) -> int:
    return 200


def mail() -> None:
    assert_type(send_mail("subject", "body", None, ["jane@example.com"], html_message="<p>"), int)
    assert_type(send_mass_mail([("subject", "body", None, ["jane@example.com"])]), int)
    mail_admins("subject", "body")
    mail_managers("subject", "body", using="bulk")
    message = EmailMessage("subject", "body", to=["jane@example.com"], headers={"X-Shop": "1"})
    message.attach("bill.txt", "4 EUR", "text/plain")
    message.attachments.append(EmailAttachment("bill.txt", "4 EUR", "text/plain"))
    assert_type(message.recipients(), list[str])
    python_message: PythonMessage = message.message()
    both = EmailMultiAlternatives("subject", "body")
    both.attach_alternative("<p>", "text/html")
    assert_type(both.send(), int)
    connection: BaseEmailBackend = get_connection(fail_silently=True)
    with connection as opened:
        opened.send_messages([message, both])
    default: BaseEmailBackend = mailers["default"]
    assert_type(make_msgid(), str)
    assert_type(len(outbox), int)
    both.attach(python_message)
    default.close()


class OwnBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        return len(list(email_messages))
