"""
What the WSGI middleware costs a request that goes well.

    python benchmarks/wsgi_overhead.py [rounds]

Three things side by side in one process, so that their ratios mean something on any machine: the bare application, a
hand-written wrapper with try/except around the call and the iteration (the floor: less cannot report what an application
raises), and errormail's middleware. The table has microseconds a request, the best of all rounds, and how many times
the floor's overhead errormail's is.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from errormail.wsgi import ErrorReportMiddleware

HEADERS = [("Content-Type", "text/plain")]
BODY = b"x" * 10_000
CHUNK = b"y" * 100
Environ = dict[str, object]
App = Callable[[Environ, Callable[..., object]], Iterable[bytes]]


def empty(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return []


def post(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))  # type: ignore[attr-defined,call-overload]
    start_response("200 OK", HEADERS)
    return []


def stream(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    for _ in range(100):
        yield CHUNK


CASES: dict[str, tuple[App, str]] = {
    "empty body": (empty, "GET"),
    "POST of 10 kB, read": (post, "POST"),
    "stream of 100 chunks": (stream, "GET"),
}


class Floor:
    """The least that sees every exception."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        try:
            result = self._app(environ, start_response)
        except Exception:
            seen()
            raise
        return self._chunks(result)

    def _chunks(self, result: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from result
        except Exception:
            seen()
            raise
        finally:
            if hasattr(result, "close"):
                result.close()


def seen() -> None:
    raise AssertionError("nothing fails in here")


def environ_of(method: str) -> Environ:
    """Return as many variables as a request behind gunicorn has."""
    environ: Environ = {f"HTTP_X_HEADER_{number}": "value" for number in range(12)}
    environ |= {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": "/order",
        "QUERY_STRING": "a=b",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return environ


def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
    return print


def seconds(app: App, method: str, requests: int) -> float:
    """Return what *requests* requests to *app* take."""
    template = environ_of(method)
    began = perf_counter()
    for _ in range(requests):
        environ = template.copy()
        if method == "POST":
            environ["wsgi.input"] = io.BytesIO(BODY)
            environ["CONTENT_LENGTH"] = "10000"
        result = app(environ, start_response)
        for _chunk in result:
            pass
        if hasattr(result, "close"):
            result.close()
    return perf_counter() - began


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(
        f"{'microseconds a request':24}{'bare':>9}{'floor':>9}{'errormail':>11}"
        f"{'overhead: floor':>18}{'errormail':>11}{'ratio':>8}"
    )
    for name, (app, method) in CASES.items():
        apps: list[App] = [app, Floor(app), ErrorReportMiddleware(app)]  # type: ignore[arg-type,list-item]
        requests = 500 if app is stream else 5_000
        best = [1e9] * len(apps)
        for _ in range(rounds):  # in turns: a busy moment of the machine hits all of them
            for index, each in enumerate(apps):
                best[index] = min(best[index], seconds(each, method, requests))
        bare, floor, ours = (each / requests * 1e6 for each in best)
        print(
            f"{name:24}{bare:9.2f}{floor:9.2f}{ours:11.2f}"
            f"{floor - bare:18.2f}{ours - bare:11.2f}{(ours - bare) / (floor - bare):8.1f}"
        )


if __name__ == "__main__":
    main()
