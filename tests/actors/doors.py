"""The public doors of errormail, one form for all: given something that fails, each reports it and lets nothing else out."""

from __future__ import annotations

import io
import logging

import errormail
from errormail.handler import AdminEmailHandler
from errormail.wsgi import ErrorReportMiddleware

LOGGER = "actors.doors"


def environ(**more):
    """A WSGI environ of a plain request."""
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/pay",
        "QUERY_STRING": "page=2",
        "SERVER_NAME": "shop.example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.24",
        "HTTP_HOST": "shop.example.com",
        "HTTP_USER_AGENT": "curl/8",
        "wsgi.url_scheme": "https",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }


class handling:  # noqa: N801 -- reads as the statement it is: `with handling():`
    """An `AdminEmailHandler` at a logger, by default the root one, and no other: pytest's fails of what is hostile."""

    def __init__(self, name="", **arguments):
        self.logger = logging.getLogger(name)
        self.handler = AdminEmailHandler(**{"level": logging.ERROR, **arguments})
        self.before = []

    def __enter__(self):
        self.before = self.logger.handlers[:]
        self.logger.handlers[:] = [self.handler]
        return self.logger

    def __exit__(self, *raised):
        self.logger.handlers[:] = self.before


def by_logging(fail):
    with handling():
        try:
            fail()
        except BaseException:
            logging.getLogger(LOGGER).exception("it broke")
        else:
            raise AssertionError("it did not fail")


def by_report_exception(fail):
    try:
        fail()
    except BaseException as error:
        errormail.report_exception(error)
    else:
        raise AssertionError("it did not fail")


def by_wsgi(fail, **more):
    """The exception of the application comes out, and no other."""
    raised = []

    def application(environ, start_response):
        try:
            return fail()
        except BaseException as error:
            raised.append(error)
            raise

    serve = ErrorReportMiddleware(application)
    try:
        serve(environ(**more), lambda status, headers, exc_info=None: lambda data: None)
    except BaseException as error:
        assert error is raised[0]  # noqa: PT017 -- whatever it is: pytest.raises takes Exception's subclasses
    else:
        raise AssertionError("it did not fail")


DOORS = {"logging": by_logging, "report_exception": by_report_exception, "wsgi": by_wsgi}
