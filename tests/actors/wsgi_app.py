"""A WSGI application that fails in every place where one can."""

from __future__ import annotations

import io
import threading
from urllib.parse import parse_qs

from errormail.wsgi import ErrorReportMiddleware

PLAIN = [("Content-Type", "text/plain")]
FILE = b"0123456789abcdef" * 4_096
left = threading.Event()
"""Set when an endless response was closed."""


class CallError(Exception):
    pass


class StreamError(Exception):
    pass


class CloseError(Exception):
    pass


class FormError(Exception):
    pass


class ClosingBadly:
    def __iter__(self):
        return iter([b"a", b"b"])

    def close(self):
        raise CloseError


class Endless:
    def __iter__(self):
        return self

    def __next__(self):
        return b"x" * 65_536

    def close(self):
        left.set()


def failing_stream():
    yield b"begun"
    raise StreamError


def form_of(environ):
    """Read the body as Werkzeug does: through readinto where there is one."""
    stream, buffer = environ["wsgi.input"], bytearray(int(environ["CONTENT_LENGTH"]))
    if hasattr(stream, "readinto"):
        stream.readinto(buffer)
    else:
        buffer[:] = stream.read(len(buffer))
    return parse_qs(buffer.decode())


def bare(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/call":
        raise CallError
    if path == "/status":
        start_response("503 Service Unavailable", PLAIN)
        return [b"later"]
    if path == "/form":
        raise FormError(len(form_of(environ)["item"]))
    start_response("200 OK", PLAIN)
    if path == "/stream":
        return failing_stream()
    if path == "/close":
        return ClosingBadly()
    if path == "/endless":
        left.clear()
        return Endless()
    if path == "/left":
        return [b"left" if left.wait(20) else b"still there"]
    if path == "/file":
        wrapper = environ.get("wsgi.file_wrapper", lambda file: iter(lambda: file.read(999), b""))
        return wrapper(io.BytesIO(FILE))
    return iter([b"well", b" done"])


application = ErrorReportMiddleware(bare)
