"""A real framework under the middleware, from the failure to the email."""

from __future__ import annotations

import io
import logging
from wsgiref.util import setup_testing_defaults

import pytest
from flask import Flask, Response, abort, request, stream_with_context

from errormail.conf import override_settings
from errormail.handler import AdminEmailHandler
from errormail.wsgi import ErrorReportMiddleware

BODY = b"item=cocoa&password=hunter2hunter2"


class ShopError(Exception):
    pass


def shop():
    app = Flask("shop")

    @app.post("/order")
    def order():
        raise ShopError(request.form["item"])

    @app.post("/stream")
    def stream():
        def chunks():
            yield "begun"
            raise ShopError(request.form["item"])

        return Response(stream_with_context(chunks()))

    @app.post("/close")
    def close():
        def closing():
            raise ShopError(item)

        item = request.form["item"]
        response = Response("done")
        response.call_on_close(closing)
        return response

    @app.post("/teardown")
    def teardown():
        return f"sold {request.form['item']}"

    @app.teardown_request
    def end(_):
        if request.path == "/teardown":
            raise ShopError(request.form["item"])

    @app.post("/abort/<int:code>")
    def stop(code):
        abort(code)

    @app.post("/handled")
    def handled():
        raise ZeroDivisionError

    @app.errorhandler(ZeroDivisionError)
    def answer(_):
        return "never mind", 200

    return app


def post(app, path):
    """Do what a server does; return status and body, or what came out of the app."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "HTTP_HOST": "shop.example.com",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(BODY)),
        "wsgi.input": io.BytesIO(BODY),
        "wsgi.errors": io.StringIO(),
    }
    setup_testing_defaults(environ)
    statuses, body = [], []
    try:
        result = app(environ, lambda status, headers, exc_info=None: statuses.append(status))
        try:
            body.extend(result)
        finally:
            result.close()
    except Exception as error:
        return statuses, body, type(error)
    return statuses, body, None


@pytest.fixture
def outbox(outbox):
    with override_settings(ADMINS=["ops@example.com"], DELIVERY="sync"):
        yield outbox


@pytest.fixture
def flask_app():
    app = shop()
    yield app
    app.logger.handlers.clear()


WITHOUT_LOG = ["/stream", "/close", "/teardown"]


@pytest.mark.row("H1")
@pytest.mark.parametrize("path", WITHOUT_LOG)
def test_what_flask_lets_pass_is_one_email_with_the_form(path, outbox, flask_app):
    expected = post(shop(), path)
    assert expected[2] is ShopError
    assert post(ErrorReportMiddleware(flask_app), path) == expected
    (message,) = outbox
    assert "ShopError" in message.subject
    assert "cocoa" in message.subject
    assert f"POST http://shop.example.com{path}" in message.body
    assert "item: cocoa" in message.body
    assert "hunter2" not in message.message().as_string()
    assert "errormail/wsgi.py" not in message.body


@pytest.mark.row("H12")
@pytest.mark.parametrize("on", ["the app's logger", "the root logger", "both"])
def test_what_flask_logs_is_one_email_with_the_request(on, outbox, flask_app):
    handler, root = AdminEmailHandler(), logging.getLogger()
    flask_app.logger.propagate = on != "the app's logger"
    if on != "the root logger":
        flask_app.logger.addHandler(handler)
    if on != "the app's logger":
        root.addHandler(handler)
    try:
        statuses, _, error = post(ErrorReportMiddleware(flask_app), "/order")
    finally:
        root.removeHandler(handler)
    assert (statuses, error) == (["500 INTERNAL SERVER ERROR"], None)
    (message,) = outbox
    assert "ShopError: cocoa" in message.subject
    assert "POST http://shop.example.com/order" in message.body
    assert "item: cocoa" in message.body


@pytest.mark.row("H12")
def test_what_nobody_logs_is_one_email_for_its_status(outbox, flask_app):
    flask_app.logger.propagate = False
    flask_app.logger.addHandler(logging.NullHandler())
    post(ErrorReportMiddleware(flask_app), "/order")
    post(ErrorReportMiddleware(flask_app), "/abort/503")
    assert [message.subject.partition("INTERNAL")[2] != "" for message in outbox] == [True, False]
    assert "503 SERVICE UNAVAILABLE" in outbox[1].subject
    assert "POST /abort/503" in outbox[1].subject + outbox[1].body
    assert "item: cocoa" in outbox[0].body


@pytest.mark.parametrize("path", ["/abort/404", "/handled", "/no-such-page"])
def test_what_is_answered_is_no_failure(path, outbox, flask_app):
    expected = post(shop(), path)
    assert post(ErrorReportMiddleware(flask_app), path) == expected
    assert outbox == []


@pytest.mark.parametrize("path", ["/order", *WITHOUT_LOG])
def test_the_next_request_works(path, outbox, flask_app):
    flask_app.logger.addHandler(AdminEmailHandler())
    app = ErrorReportMiddleware(flask_app)
    for _ in range(3):
        post(app, path)
        assert post(app, "/handled") == (["200 OK"], [b"never mind"], None)
    assert len(outbox) == 3


def test_debug_on_mails_nothing(outbox, flask_app):
    with override_settings(DEBUG=True):
        assert post(ErrorReportMiddleware(flask_app), "/stream")[2] is ShopError
    assert outbox == []
