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
from contextlib import contextmanager, suppress
from pathlib import Path

import errormail

PATIENCE = 30.0
"""Seconds until a test gives up; nothing waits that long unless something is wrong."""

TRIES = 6
"""To end a process, within that."""

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


class Process:
    """
    Python with *arguments*, in a process of its own.

    Args:
        env: Its environment.
        cwd: Where it runs.
    """

    def __init__(self, arguments, env, cwd=None):
        self.popen = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = []
        self._lines = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.popen.stdout:
            self.output.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern):
        """Return the match of *pattern* in the next line of output that has one."""
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"ended without a line like {pattern}:\n{''.join(self.output)}")

    def port(self):
        """Return the port that it says it listens at."""
        return int(self.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])

    def end(self):
        """End it as Ctrl-C does, gunicorn as its manual says; return its exit code."""
        # gunicorn's gthread worker can lock itself out in its handler of SIGINT, where it waits for its thread pool.
        how = signal.SIGTERM if "gunicorn" in self.popen.args else signal.SIGINT
        for _ in range(TRIES):
            if self.popen.poll() is None:
                # Once is not enough: wsgiref swallows a KeyboardInterrupt that comes while it ends a request.
                self.popen.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                code = self.popen.wait(timeout=PATIENCE / TRIES)
                break
        else:
            self.popen.kill()
            raise AssertionError(f"did not end:\n{''.join(self.output)}")
        self._reader.join(timeout=PATIENCE)
        self.popen.stdout.close()
        return code


@contextmanager
def serving(server, module, name, **environment):
    """Run ``module.name`` under *server*; yield its port."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    process = Process(
        [part.format(module=module, name=name) for part in SERVERS[server]],
        {**kept, "PYTHONPATH": PATH, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        yield process.port()
    finally:
        process.end()
        print("".join(process.output))  # noqa: T201 -- pytest shows it if the test fails


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
