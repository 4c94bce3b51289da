"""ErrorMail: one email for what fails in a Flask application, wherever it fails."""

from __future__ import annotations

import pytest
from flask import Flask, Response, abort, g, request, stream_with_context

import errormail
from errormail import conf, mail
from errormail.flask import ErrorMail

CONFIG = {
    "ADMINS": ["ops@example.com"],
    "EMAIL_BACKEND": "errormail.mail.backends.locmem.EmailBackend",
    "DELIVERY": "sync",
    "SERVICE": "shop",
    "SECRET_KEY": "flask-secret-key",
}


class Customer:
    """A user as Flask-Login knows them."""

    def __init__(self, name):
        self.name = name

    def get_id(self):
        return self.name


@pytest.fixture
def app():
    shop = Flask("shop_app")
    shop.config.update(CONFIG)

    @shop.post("/order/<item>")
    def order(item):
        g._login_user = Customer("jane")
        return str({}[request.form["name"] and item])

    @shop.get("/stream")
    def stream():
        def lines():
            yield "one\n"
            raise LookupError("mid-stream")

        return Response(stream_with_context(lines()))

    @shop.get("/unavailable")
    def unavailable():
        abort(503)

    @shop.get("/fine")
    def fine():
        return "fine"

    return shop


def post(app):
    form = {"name": "Jane", "password": "hunter2hunter2"}
    return app.test_client().post("/order/cocoa", data=form)


def only_mail():
    (message,) = mail.outbox
    return message


@pytest.fixture(autouse=True)
def _empty_outbox(outbox):
    pass


@pytest.mark.parametrize("way", ["constructor", "init_app"])
def test_an_exception_in_a_view_is_one_email_with_all_that_flask_knows(app, way):
    if way == "constructor":
        ErrorMail(app)
    else:
        ErrorMail().init_app(app)
    assert post(app).status_code == 500
    message = only_mail()
    assert message.subject == "[errormail] KeyError: 'cocoa' in order (tests/test_flask.py)"
    assert "POST http://localhost/order/cocoa" in message.body
    assert "name: Jane" in message.body
    assert "user jane" in message.body
    assert "order" in message.body
    assert "hunter2" not in message.body
    assert "flask-secret-key" not in message.body


def test_the_client_s_answer_is_what_it_is_without(app):
    bare = post(app)
    ErrorMail(app)
    wrapped = post(app)
    assert (bare.status, bare.headers, bare.data) == (wrapped.status, wrapped.headers, wrapped.data)


def test_flask_s_own_log_and_the_signal_make_one_email(app):
    ErrorMail(app)
    handler = errormail.AdminEmailHandler()
    app.logger.addHandler(handler)
    with conf.override_settings(ADMINS=["ops@example.com"], DELIVERY="sync"):
        post(app)
    app.logger.removeHandler(handler)
    assert only_mail().subject == "[errormail] KeyError: 'cocoa' in order (tests/test_flask.py)"


def test_a_handler_alone_knows_the_request_through_the_middleware(app):
    handler = errormail.AdminEmailHandler()
    app.logger.addHandler(handler)
    app.wsgi_app = errormail.wsgi.ErrorReportMiddleware(app.wsgi_app)
    with conf.override_settings(ADMINS=["ops@example.com"], DELIVERY="sync"):
        post(app)
    app.logger.removeHandler(handler)
    assert "POST http://localhost/order/cocoa" in only_mail().body
    assert "name: Jane" in only_mail().body


def test_an_error_in_a_stream_is_reported_with_its_route(app):
    ErrorMail(app)
    with pytest.raises(LookupError, match="mid-stream"):
        app.test_client().get("/stream", buffered=True)
    assert (
        only_mail().subject == "[errormail] LookupError: 'mid-stream'"
        or "mid-stream" in only_mail().subject
    )
    assert "/stream" in only_mail().body


def test_an_error_in_teardown_is_reported(app):
    @app.teardown_request
    def teardown(error):
        raise RuntimeError("teardown")

    ErrorMail(app)
    with pytest.raises(RuntimeError, match="teardown"):
        app.test_client().get("/fine")
    assert (
        only_mail().subject
        == "[errormail] RuntimeError: teardown in teardown (tests/test_flask.py)"
    )


def test_an_errorhandler_for_500_does_not_hide_the_failure(app):
    @app.errorhandler(500)
    def sorry(error):
        return "sorry", 500

    ErrorMail(app)
    assert post(app).data == b"sorry"
    assert only_mail().subject == "[errormail] KeyError: 'cocoa' in order (tests/test_flask.py)"


def test_what_an_errorhandler_answers_and_abort_404_are_no_failures(app):
    @app.errorhandler(KeyError)
    def handled(error):
        return "no such item", 404

    ErrorMail(app)
    assert post(app).status_code == 404
    assert app.test_client().get("/nowhere").status_code == 404
    assert mail.outbox == []


def test_a_5xx_without_exception_is_reported_unless_that_is_switched_off(app):
    ErrorMail(app)
    assert app.test_client().get("/unavailable", buffered=True).status_code == 503
    assert "503" in only_mail().subject


def test_report_status_is_handed_on(app):
    ErrorMail(app, report_status=False)
    app.test_client().get("/unavailable", buffered=True)
    assert mail.outbox == []


def test_testing_mode_raises_and_reports_once(app):
    app.testing = True
    ErrorMail(app)
    with pytest.raises(KeyError):
        post(app)
    assert len(mail.outbox) == 1


def test_flask_s_debug_mode_means_no_mail(app):
    ErrorMail(app)
    app.debug = True
    with pytest.raises(KeyError):
        post(app)
    assert mail.outbox == []


def test_configuration_that_comes_after_init_app_counts(app):
    ErrorMail(app)
    app.config["ADMINS"] = ["late@example.com"]
    post(app)
    assert only_mail().to == ["late@example.com"]


def test_a_mistake_in_the_configuration_is_refused_at_once(app):
    app.config["ADMINS"] = ["a b"]
    with pytest.raises(errormail.ImproperlyConfigured, match="ADMINS"):
        ErrorMail(app)


def test_settings_go_before_the_configuration(app):
    own = errormail.Settings({**CONFIG, "ADMINS": ["own@example.com"]})
    ErrorMail(app, settings=own)
    post(app)
    assert only_mail().to == ["own@example.com"]


def test_a_second_time_changes_nothing(app):
    ErrorMail(app)
    wrapped = app.wsgi_app
    ErrorMail(app)
    assert app.wsgi_app is wrapped
    post(app)
    assert len(mail.outbox) == 1


def test_a_user_that_fails_costs_nothing_else(app, monkeypatch):
    class Broken:
        def __getattribute__(self, name):
            raise SystemExit

    @app.before_request
    def log_in():
        g._login_user = Broken()
        raise ValueError("early")

    ErrorMail(app)
    assert post(app).status_code == 500
    assert only_mail().subject == "[errormail] ValueError: early in log_in (tests/test_flask.py)"


def test_two_applications_have_their_own_recipients(app):
    other = Flask("other_app")
    other.config.update(CONFIG, ADMINS=["other@example.com"])

    @other.get("/")
    def index():
        return [][1]

    ErrorMail(app)
    ErrorMail(other)
    other.test_client().get("/")
    post(app)
    assert [message.to for message in mail.outbox] == [["other@example.com"], ["ops@example.com"]]
