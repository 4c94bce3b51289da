"""
See the email that errormail makes of a crash: `make demo`, or `PYTHONPATH=src python3 examples/demo.py`.

Serves a small shop on a loopback port, asks it for a page that crashes, and shows the email that arrives at a mail
server which also runs in here. Nothing is installed and nothing leaves the machine. With ``--serve`` the shop stays
open, so that one can click.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import io
import socketserver
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import demo_shop

import errormail

FORM = {
    "product": "alpine-herbs",
    "quantity": "2",
    "email": "jane@example.com",
    "password": "correct-horse-battery",
    "card_number": "4111 1111 1111 1111",
}
PATIENCE = 20.0
"""Seconds until the demo says that no email came."""


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every message, by as much of SMTP (RFC 5321) as that needs, and keeps it in a queue."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.messages: SimpleQueue[bytes] = SimpleQueue()


class Conversation(socketserver.StreamRequestHandler):
    """One client's connection to the MailServer."""

    def handle(self) -> None:
        self.say("220 demo.invalid ready")
        for line in self.rfile:
            command = line[:4].upper()
            if command == b"DATA":
                self.say("354 go on, end with a dot")
                cast(MailServer, self.server).messages.put(self.message())
                self.say("250 kept")
            elif command == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())

    def message(self) -> bytes:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


class WebServer(socketserver.ThreadingMixIn, WSGIServer):
    """wsgiref's, a thread for each request."""

    daemon_threads = True


class QuietRequestHandler(WSGIRequestHandler):
    """wsgiref's, without its log and without the traceback that it prints: the email is what we want to see."""

    def get_stderr(self) -> io.StringIO:
        return io.StringIO()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description="See the email that errormail makes of a crash.")
    parser.add_argument("--serve", action="store_true", help="keep the shop open until Ctrl-C")
    serve = parser.parse_args().serve

    mail_server = MailServer()
    in_background(mail_server)
    errormail.configure(
        ADMINS=["Ops <ops@example.com>"],
        SERVER_EMAIL="shop@example.com",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=mail_server.server_address[1],
        EMAIL_SUBJECT_PREFIX="[shop] ",
        SERVICE="shop",
    )
    web_server = WebServer(("127.0.0.1", 0), QuietRequestHandler)
    web_server.set_app(errormail.wsgi.ErrorReportMiddleware(demo_shop.shop))
    in_background(web_server)
    address = f"http://127.0.0.1:{web_server.server_port}/"

    folder = Path(tempfile.mkdtemp(prefix="errormail-demo-"))
    say(f"A tea shop runs at {address}. Somebody buys there what has no price in euros.")
    say(f"The shop answers: {buy(address)}")
    try:
        show(mail_server.messages.get(timeout=PATIENCE), folder / "email.html")
    except Empty:
        sys.exit("No email came.")
    if serve:
        stay_open(mail_server, address, folder)


def in_background(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


def buy(address: str) -> str:
    """Order what crashes the shop; return the status that it answers."""
    form = urllib.parse.urlencode(FORM).encode()
    try:
        with urllib.request.urlopen(
            f"{address}checkout?step=3", form, timeout=PATIENCE
        ) as response:
            return f"{response.status} {response.reason}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.reason}"


def show(content: bytes, html_path: Path) -> None:
    """Print an email, and write its HTML part to *html_path*."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    if text is None or html is None:
        sys.exit("The email lacks its text or its HTML part.")
    html_path.write_text(html.get_content(), encoding="utf-8")
    say("This email arrives:\n")
    for name in ("From", "To", "Subject"):
        say(f"{name}: {message[name]}")
    say(f"\n{text.get_content()}")
    say(f"Its HTML part, for a browser: {html_path}")


def stay_open(mail_server: MailServer, address: str, folder: Path) -> None:
    """Show each further email, until Ctrl-C."""
    say(f"\nOpen {address} in a browser and press Pay. Ctrl-C ends this.")
    number = 1
    try:
        while True:
            content = mail_server.messages.get()
            number += 1
            show(content, folder / f"email-{number}.html")
    except KeyboardInterrupt:
        say("\nThe shop is closed.")


def say(text: str) -> None:
    """Print *text*, whatever the terminal can show of it."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


if __name__ == "__main__":
    main()
