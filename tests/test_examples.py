"""Each example runs as it stands, and what goes wrong in it arrives as one email, over SMTP."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

import errormail
from actors.serving import PATIENCE, Process

SOURCES = str(Path(errormail.__file__).parent.parent)
EXAMPLES = Path(__file__).parent.parent / "examples"
PASSWORD = "hunter2hunter2"
ORDER = {"item": "cocoa", "quantity": "2", "password": PASSWORD}

MODULE = "import {module} as example; application = example.{expression}; "
SERVERS = {
    "gunicorn sync": "-m gunicorn --bind 127.0.0.1:0 --worker-class sync {module}:{expression}",
    "gunicorn gthread": "-m gunicorn --bind 127.0.0.1:0 --worker-class gthread --threads 4 {module}:{expression}",
    "waitress": [
        "-c",
        MODULE + "import logging, waitress; logging.basicConfig(level=logging.INFO); "
        "waitress.serve(application, listen='127.0.0.1:0')",
    ],
    "wsgiref": [
        "-c",
        MODULE + "from wsgiref.simple_server import make_server; "
        "server = make_server('127.0.0.1', 0, application); "
        "print(f'http://127.0.0.1:{{server.server_port}}', flush=True); server.serve_forever()",
    ],
    "werkzeug": [
        "-c",
        MODULE + "from werkzeug.serving import run_simple; run_simple('127.0.0.1', 0, application)",
    ],
}
APPS = {
    "werkzeug_app": {"with": "application", "without": "shop"},
    "flask_app": {"with": "app", "without": "create_shop()"},
}


def environment(**more):
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
        if name in os.environ
    }
    path = os.pathsep.join([SOURCES, str(EXAMPLES)])
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PORT": "0", **more}


def mail_to(server):
    return {
        "ERRORMAIL_ADMINS": "Ops <ops@example.com>, dev@example.com",
        "ERRORMAIL_EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
    }


def run_script(*arguments, **more):
    """Run an example to its end; return what it wrote."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=EXAMPLES,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(autouse=True)
def interruptible():
    """A shell that runs the tests in the background has them ignore SIGINT, and their children would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def serving(arguments, env):
    """Run a server; yield its port."""
    process = Process(arguments, env, EXAMPLES)
    try:
        yield process.port()
    finally:
        process.end()


def command(server, module, expression):
    spec = SERVERS[server]
    if isinstance(spec, str):
        return spec.format(module=module, expression=expression).split()
    return [part.format(module=module, expression=expression) for part in spec]


def ask(port, method, path, form=None):
    """Return status, headers but those that differ by the time of day, and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, path, urlencode(form) if form else None, headers)
        response = connection.getresponse()
        body = response.read()
        return response.status, [pair for pair in response.getheaders() if pair[0] != "Date"], body
    finally:
        connection.close()


def talk(port):
    """Return the answers to a request that works, one that crashes the shop, and one that works."""
    return [
        ask(port, "GET", "/"),
        ask(port, "POST", "/order", ORDER),
        ask(port, "POST", "/order", {**ORDER, "item": "tea"}),
    ]


def text_of(message):
    """Return the text part and the HTML part of an email."""
    parts = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
    return tuple(part.replace("\r\n", "\n") for part in parts)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("module", APPS)
def test_a_crash_behind_a_server_is_one_good_email(module, server, smtp_server):
    env = environment(**mail_to(smtp_server))
    with serving(command(server, module, APPS[module]["without"]), env) as port:
        expected = talk(port)
    assert [status for status, _, _ in expected] == [200, 500, 200]
    assert expected[2][2] == b"2 tea: 8 EUR\n"

    with serving(command(server, module, APPS[module]["with"]), env) as port:
        assert talk(port) == expected
        smtp_server.wait_for(1)
    check_order_mail(smtp_server, module, port)


@pytest.mark.parametrize("module", APPS)
def test_an_app_that_is_run_as_a_script_serves_and_mails(module, smtp_server):
    with serving([f"{module}.py"], environment(**mail_to(smtp_server))) as port:
        answers = talk(port)
        smtp_server.wait_for(1)
    assert [status for status, _, _ in answers] == [200, 500, 200]
    check_order_mail(smtp_server, module, port)


def check_order_mail(smtp_server, module, port):
    """The one email of `ORDER` says all that one must know, and no password."""
    (envelope,) = smtp_server.messages
    message = envelope.message
    text, html = text_of(message)
    assert sorted(envelope.rcpt_tos) == ["dev@example.com", "ops@example.com"]
    assert envelope.mail_from == "shop@example.com"
    assert message["Subject"].startswith("[shop] KeyError: 'cocoa' in order (")
    assert message["To"] == "Ops <ops@example.com>, dev@example.com"
    assert message["X-Errormail-Occurrences"] == "1"
    assert re.search(rf"^{module}\.py:\d+ in (\w+\.)?order$", text, re.MULTILINE), text
    assert f"POST http://127.0.0.1:{port}/order" in text
    assert "  item: cocoa\n" in text
    assert "  password: [redacted]\n" in text
    assert "cocoa" in html
    assert f"{module}.py" in html
    assert PASSWORD not in text + html
    assert PASSWORD.encode() not in envelope.content


SCRIPTS = {
    "dictconfig_script.py": {
        "sender": "root@localhost",
        "subject": "[import] ValueError: invalid literal for int() with base 10: 'five' in price (dict",
        "text": [
            "dictconfig_script.py:",
            "in price",
            "row 3 is no price",
            "row: 'cocoa;five'",
            "ERROR by prices at dictconfig_script.py:",
        ],
        "output": "tea costs 4 EUR",
    },
    "report_exception_script.py": {
        "sender": "shop@example.com",
        "subject": "[billing] KeyError: 'cocoa' in ",
        "text": ["report_exception_script.py:", "in bill", "order: 18", "item: 'cocoa'"],
        "output": "order 19: 6 EUR",
    },
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_mails_what_goes_wrong_and_goes_on(script, smtp_server):
    expected = SCRIPTS[script]
    done = run_script(script, **mail_to(smtp_server))
    assert done.returncode == 0, done.stderr
    assert expected["output"] in done.stdout + done.stderr

    (envelope,) = smtp_server.messages  # sent before the process had ended
    text, html = text_of(envelope.message)
    assert sorted(envelope.rcpt_tos) == ["dev@example.com", "ops@example.com"]
    assert envelope.mail_from == expected["sender"]
    assert envelope.message["Subject"].startswith(expected["subject"])
    assert [part for part in expected["text"] if part not in text] == []
    assert "password: [redacted]" in text
    assert PASSWORD not in text + html


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_without_a_mail_server_prints_the_email(script):
    done = run_script(script)
    assert done.returncode == 0, done.stderr
    assert f"Subject: {SCRIPTS[script]['subject']}"[:60] in done.stdout
    assert "ops@example.com" in done.stdout


def check_demo_output(output):
    assert "The shop answers: 500" in output
    assert (
        "Subject: [shop] PricingError: no rate from CHF to EUR in convert (demo_shop.py)\n"
        in output
    )
    assert "demo_shop.py:" in output
    assert "/checkout?step=3" in output
    assert "product: alpine-herbs" in output
    assert "card_number: [redacted]" in output
    assert "correct-horse-battery" not in output
    assert "4111 1111" not in output
    html = Path(re.findall(r"for a browser: (.+\.html)\n", output)[-1])
    assert "PricingError" in html.read_text("utf-8")


def test_the_demo_shows_the_email_and_ends(tmp_path):
    done = run_script("demo.py", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    check_demo_output(done.stdout)


def test_the_demo_stays_open_until_it_is_interrupted(tmp_path):
    demo = Process(["demo.py", "--serve"], environment(TMPDIR=str(tmp_path)), EXAMPLES)
    try:
        port = int(demo.wait_for(r"Open http://127\.0\.0\.1:(\d+)/")[1])
        _, _, page = ask(port, "GET", "/")
        assert b"<button>Pay</button>" in page
        form = {"product": "darjeeling", "quantity": "2", "password": PASSWORD}
        assert ask(port, "POST", "/checkout", form)[0] == 200
        assert ask(port, "POST", "/checkout", {**form, "product": "alpine-herbs"})[0] == 500
        demo.wait_for(r"email-2\.html")
    finally:
        code = demo.end()
    assert code == 0
    assert PASSWORD not in "".join(demo.output)
    check_demo_output("".join(demo.output).replace("/checkout\n", "/checkout?step=3\n"))
