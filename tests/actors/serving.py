"""WSGI servers, each in a process of its own, and a client that notes all that comes back."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import errormail

PATIENCE = 30.0
"""Seconds until a test gives up; nothing waits that long unless something is wrong."""

PATH = os.pathsep.join(
    [str(Path(errormail.__file__).parent.parent), str(Path(__file__).parents[1])]
)
_IMPORT = "from {module} import {name} as application; "
_GUNICORN = "-m gunicorn --bind 127.0.0.1:0 --log-level info"

SERVERS = {
    "wsgiref": [
        "-c",
        _IMPORT + "from wsgiref.simple_server import make_server; "
        "server = make_server('127.0.0.1', 0, application); "
        "print(f'http://127.0.0.1:{{server.server_port}}', flush=True); server.serve_forever()",
    ],
    "werkzeug": [
        "-c",
        _IMPORT + "from werkzeug.serving import run_simple; "
        "run_simple('127.0.0.1', 0, application, threaded=True)",
    ],
    "waitress": [
        "-c",
        _IMPORT + "import logging, waitress; logging.basicConfig(level=logging.INFO); "
        "waitress.serve(application, listen='127.0.0.1:0')",
    ],
    "gunicorn sync": [*_GUNICORN.split(), "--worker-class", "sync", "{module}:{name}"],
    "gunicorn gthread": [
        *_GUNICORN.split(),
        *("--worker-class", "gthread", "--threads", "4", "{module}:{name}"),
    ],
}
"""Arguments to Python. Each prints the address it listens at, and ends by SIGINT."""


@contextmanager
def serving(server, module, name, **environment):
    """Run ``module.name`` under *server*; yield its port."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    process = subprocess.Popen(
        [sys.executable, *(part.format(module=module, name=name) for part in SERVERS[server])],
        env={**kept, "PYTHONPATH": PATH, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    output: list[str] = []
    reader = threading.Thread(target=_read, args=(process.stdout, lines, output), daemon=True)
    reader.start()
    try:
        yield _port(lines)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            reader.join(PATIENCE)
            process.stdout.close()
            print("".join(output))  # noqa: T201 -- pytest shows it if the test fails


def _read(stream, lines, output):
    for line in stream:
        output.append(line)
        lines.put(line)
    lines.put("")


def _port(lines):
    seen = []
    while line := lines.get(timeout=PATIENCE):
        seen.append(line)
        if match := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return int(match[1])
    raise AssertionError(f"it ended without listening:\n{''.join(seen)}")


def ask(port, method, path, body=b"", headers=()):
    """Return every byte of the answer, but the date."""
    lines = [
        f"{method} {path} HTTP/1.0",
        "Host: shop.example.com",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return re.sub(rb"\r\nDate: [^\r]*", b"", answer)


def ask_and_leave(port, path):
    """Ask, wait for the first bytes of the answer, and hang up without reading the rest."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: shop.example.com\r\n\r\n".encode())
        connection.recv(1)
        # Without lingering: the server sees a reset at its next write, not a client that is slow.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
