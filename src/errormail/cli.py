"""
The ``errormail`` command, also ``python -m errormail``: is the mail set up, does it arrive, and what did it say?

COMMANDS lists what it can do.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from difflib import get_close_matches
from importlib import import_module
from typing import NamedTuple, TextIO, cast

from errormail import _contain, conf
from errormail.conf import Settings, configure, override_settings, settings
from errormail.conf.checks import CONSOLE_BACKEND, DUMMY_BACKEND, LOCMEM_BACKEND, SMTP_BACKEND
from errormail.conf.kinds import KINDS
from errormail.conf.sources import PREFIX
from errormail.exceptions import ImproperlyConfigured

__all__ = ["main"]

TIMEOUT = 30.0
"""Seconds to wait for one answer of the server where EMAIL_TIMEOUT does not say: nobody waits for ever before a terminal."""

LINE_CHARS = 500
"""Of one line on stderr: what a server says may be long."""

SECRET_OPTIONS = ("password", "oauth2_token")
DEVELOPMENT_BACKENDS = {CONSOLE_BACKEND, LOCMEM_BACKEND, DUMMY_BACKEND}


class Command(NamedTuple):
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    """Returns the exit code."""


class Failed(Exception):
    """The command ends with 1; the text is its line on stderr."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: Those after the command's name; None: those of the process.

    Returns:
        The exit code: 0 if all went well, 1 if not. argparse itself exits with 2 for a wrong use.
    """
    parser = argparse.ArgumentParser(
        prog="errormail", description="Mail about errors: check it, try it, read it again."
    )
    parser.add_argument("--version", action="version", version=f"errormail {version()}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        its_parser = parsers.add_parser(name, help=command.help, description=command.help)
        add_common_arguments(its_parser)
        command.add_arguments(its_parser)
    chosen = parser.parse_args(arguments)
    try:
        load_settings(chosen.settings)
        return COMMANDS[chosen.command].run(chosen)
    except (Failed, ImproperlyConfigured) as error:
        say(f"errormail: {one_line(error)}", sys.stderr)
        return 1


def version() -> str:
    # The package is above this module: it is there by now, and is not imported from here.
    return str(getattr(sys.modules["errormail"], "__version__", "unknown"))


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings",
        metavar="MODULE",
        help="dotted path of a module that holds the settings, or that calls errormail.configure() when "
        f"it is imported; without it the environment counts ({PREFIX}ADMINS, {PREFIX}EMAIL_URL, ...)",
    )


def load_settings(module: str | None) -> None:
    """Configure with *module*, unless it did so itself while it was imported."""
    if module is None:
        return
    before = conf.configured()
    # The folder of a console script stands there in its place.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = import_module(module)
    except ImproperlyConfigured:
        raise
    except ImportError as error:
        raise Failed(f"--settings {module}: {type(error).__name__}: {error}") from error
    except Exception as error:  # a module may raise anything; its text may hold what it was given
        where = _contain.describe(error, error.__traceback__)
        raise Failed(f"--settings {module}: importing it raised {where}") from error
    if conf.configured() is before:
        configure(found)


def add_recipients(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="who gets it")
    parser.add_argument("--admins", action="store_true", help="send it to ADMINS")
    parser.add_argument("--managers", action="store_true", help="send it to MANAGERS")
    parser.add_argument("--using", metavar="ALIAS", help="send by this entry of MAILERS")


def sendtestemail(chosen: argparse.Namespace) -> int:
    """
    Send the test email, as Django's command of that name.

    Raises:
        Failed: There is nobody to send it to, or it was not delivered.
    """
    from errormail import mail

    addresses: list[str] = chosen.addresses
    using: str | None = chosen.using
    if not (addresses or chosen.admins or chosen.managers):
        raise Failed("nobody is addressed: give an ADDRESS, --admins or --managers")
    for name in ("ADMINS", "MANAGERS"):
        if getattr(chosen, name.lower()) and not getattr(settings, name):
            raise Failed(f"{name} is empty: nothing was sent")
    subject = f"Test email from {socket.gethostname()} on {datetime.now(timezone.utc)}"
    text = "If you can read this, errormail can send mail."
    with override_settings(**patience()):
        if addresses:
            with delivering(", ".join(addresses)):
                if not mail.send_mail(subject, text, None, addresses, using=using):
                    raise Failed(f"the backend took no email to {', '.join(addresses)}")
        if chosen.managers:
            with delivering("MANAGERS"):
                mail.mail_managers(subject, f"{text} It went to the managers.", using=using)
        if chosen.admins:
            with delivering("ADMINS"):
                mail.mail_admins(subject, f"{text} It went to the admins.", using=using)
    return 0


def patience() -> dict[str, object]:
    """Return a timeout for where the settings have none. The options of a default mailer exclude EMAIL_TIMEOUT."""
    if settings.EMAIL_TIMEOUT or "default" in settings.MAILERS:
        return {}
    return {"EMAIL_TIMEOUT": TIMEOUT}


@contextmanager
def delivering(to: str) -> Generator[None]:
    """
    Say what was sent, or why it was not.

    Raises:
        Failed: Something went wrong; its text holds no password.
    """
    try:
        yield
    except Failed:
        raise
    except ImproperlyConfigured as error:
        raise Failed(without_secrets(f"{error}")) from error
    except Exception as error:  # connection, TLS, SMTP, an address: whatever a backend raises
        through = f" (EMAIL_HOST is {settings.EMAIL_HOST})" if uses_smtp() else ""
        reason = without_secrets(f"{type(error).__name__}: {error}")
        raise Failed(f"the email to {to} was not sent{through}: {reason}") from error
    say(f"sent to {to}", sys.stdout)


def uses_smtp() -> bool:
    return settings.EMAIL_BACKEND == SMTP_BACKEND and "default" not in settings.MAILERS


def without_secrets(text: str) -> str:
    """Return *text*, in which a server may repeat what it was told, without passwords and tokens, plain or as base64."""
    for user, secret in logins():
        told = [secret, f"\0{user}\0{secret}"]  # as LOGIN and PLAIN send it, RFC 4616
        encoded = [
            b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii") for value in told
        ]
        for shown in (*encoded, secret, repr(secret)[1:-1]):
            text = text.replace(shown, "[hidden]")
    return text


def logins() -> Iterator[tuple[str, str]]:
    """Yield user and secret, both as text, of the settings and of each mailer."""
    yield from pairs(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    yield from pairs(settings.EMAIL_HOST_USER, settings.EMAIL_OAUTH2_TOKEN)
    for mailer in settings.MAILERS.values():
        options = cast("Mapping[str, object]", mailer.get("OPTIONS", {}))
        for name in SECRET_OPTIONS:
            yield from pairs(options.get("username"), options.get(name))


def pairs(user: object, secret: object) -> list[tuple[str, str]]:
    if not isinstance(secret, str) or not secret:
        return []
    return [(user if isinstance(user, str) else "", secret)]


def add_nothing(_parser: argparse.ArgumentParser) -> None:
    pass


def check(_chosen: argparse.Namespace) -> int:
    """Print what is wrong (error) or looks like a mistake (warning). With an error the exit code is 1."""
    errors = [*wrong_mailers()]
    if not settings.ADMINS:
        errors.append("ADMINS is empty: nobody gets error mail")
    for text in errors:
        say(f"error: {text}", sys.stdout)
    for text in warnings():
        say(f"warning: {text}", sys.stdout)
    if not errors:
        say("the settings are good", sys.stdout)
    return 1 if errors else 0


def wrong_mailers() -> Iterator[str]:
    """Yield why a mailer cannot be made. None is opened."""
    for alias in dict.fromkeys(["default", *settings.MAILERS]):
        reason = why_not(alias)
        if reason:
            yield f"the mailer {alias!r} cannot be made: {reason}"


def why_not(alias: str) -> str:
    from errormail.mail import mailers

    try:
        mailers[alias]
    except Exception as error:  # noqa: BLE001 -- a backend of somebody else may raise anything
        return one_line(without_secrets(f"{type(error).__name__}: {error}"))
    return ""


def warnings() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on: no error mail is sent"
    if settings.SERVER_EMAIL == Settings.SERVER_EMAIL:
        yield f"SERVER_EMAIL is {Settings.SERVER_EMAIL}, the default: many servers refuse such a sender"
    default = settings.MAILERS.get("default", {}).get("BACKEND", SMTP_BACKEND)
    if "default" not in settings.MAILERS:
        default = settings.EMAIL_BACKEND
    if default in DEVELOPMENT_BACKENDS:
        yield f"mail goes to {default}, which sends nothing"
    if uses_smtp() and settings.EMAIL_HOST_PASSWORD and not has_tls():
        yield "EMAIL_HOST_PASSWORD goes over a connection without encryption: see EMAIL_USE_TLS"
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in KINDS:
            continue
        close = get_close_matches(name, KINDS, n=1, cutoff=0.8)
        if close:  # others mean something else: a container platform makes ERRORMAIL_SERVICE_HOST
            known = PREFIX + close[0]
            yield f"the environment variable {variable} is not looked at: did you mean {known}?"


def has_tls() -> bool:
    return settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL


def add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="report.json or report.json.gz; - for standard input"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="as the text of the mail (the default)")
    form.add_argument("--html", action="store_true", help="as its HTML part, in utf-8")
    form.add_argument("--whole", action="store_true", help="as report.txt: text, without cuts")


def render(chosen: argparse.Namespace) -> int:
    """
    Print the report again as the mail had it. Needs no settings and sends nothing.

    Raises:
        Failed: The file cannot be read, or holds no report.
    """
    from errormail.report import render_html, render_text
    from errormail.report.serial import frequency_from_dict, loads, report_from_dict

    name: str = "standard input" if chosen.file == "-" else chosen.file
    try:
        found = loads(content_of(chosen.file))
        report, frequency = report_from_dict(found), frequency_from_dict(found)
        if chosen.html:
            rendered = render_html(report, frequency=frequency)
        elif chosen.whole:
            rendered = render_text(report, frequency=frequency, bound=None)
        else:
            rendered = render_text(report, frequency=frequency)
    except OSError as error:
        raise Failed(f"{name}: {error.strerror or error}") from error
    except RecursionError as error:
        raise Failed(f"{name}: too many exceptions within exceptions") from error
    except ValueError as error:
        raise Failed(f"{name}: {error}") from error
    write(rendered.content, "utf-8" if chosen.html else sys.stdout.encoding)
    return 0


def content_of(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    with open(file, "rb") as stream:
        return stream.read()


def write(text: str, encoding: str) -> None:
    """Write *text* to stdout as it is, its line ends too."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
        sys.stdout.flush()
    except (
        BrokenPipeError
    ):  # its reader, head say, has seen enough; Python would complain when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


COMMANDS = {
    "sendtestemail": Command(
        "Send an email to see that it arrives.", add_recipients, sendtestemail
    ),
    "check": Command(
        "See whether the settings are good, without sending anything.", add_nothing, check
    ),
    "render": Command(
        "Make text or HTML of a report.json that an error mail carried.", add_report, render
    ),
}


def say(text: str, stream: TextIO) -> None:
    """Write a line, whatever the encoding of *stream* is."""
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def one_line(text: object) -> str:
    line = " ".join(f"{text}".split())
    return line if len(line) <= LINE_CHARS else f"{line[:LINE_CHARS]}..."
