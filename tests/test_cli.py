"""The command: what it sends, what it says, and with which exit code it ends."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from actors import reports
from actors.jobs import to
from actors.smtp import SmtpServer
from errormail import cli, conf, mail
from errormail.cli import main
from errormail.delivery.compose import compose
from errormail.delivery.job import Job
from errormail.report import render_html, render_text, report_from_dict, report_to_dict

PASSWORD = "hunter2-hunter2"  # an example
MEMORY = "errormail.mail.backends.locmem.EmailBackend"


@pytest.fixture
def environment():
    """Sets variables by the name of the setting; takes them back before conftest.py looks at settings again."""
    with pytest.MonkeyPatch.context() as patch:

        def set_variables(**values):
            for name, text in values.items():
                patch.setenv(f"ERRORMAIL_{name}", text)
            conf.configure()

        yield set_variables


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that can be imported, from the current folder only, and returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder])
    names = []

    def write(text, name="cli_test_settings"):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)


def fails(arguments, capsys):
    """Run the command, which must fail with one line on stderr; return that line."""
    assert main(arguments) == 1
    _, err = capsys.readouterr()
    assert err.startswith("errormail: ")
    assert err.count("\n") == 1
    return err


def dead_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# sendtestemail


@pytest.mark.row("H14")
def test_an_address_gets_the_test_email(outbox, capsys):
    assert main(["sendtestemail", "jane@example.com", "joe@example.com"]) == 0
    [message] = outbox
    assert message.to == ["jane@example.com", "joe@example.com"]
    assert message.from_email == "webmaster@localhost"
    host = re.escape(socket.gethostname())
    assert re.fullmatch(rf"Test email from {host} on \d{{4}}-\d\d-\d\d \d\d:.*", message.subject)
    assert capsys.readouterr() == ("sent to jane@example.com, joe@example.com\n", "")


@pytest.mark.row("H14")
def test_admins_and_managers_get_the_test_email(outbox, environment):
    environment(
        ADMINS="ops@example.com", MANAGERS="boss@example.com", SERVER_EMAIL="shop@example.com"
    )
    assert main(["sendtestemail", "--admins", "--managers"]) == 0
    assert sorted(str(message.to) for message in outbox) == [
        "['boss@example.com']",
        "['ops@example.com']",
    ]
    for message in outbox:
        assert message.from_email == "shop@example.com"
        assert message.subject.startswith("[errormail] Test email from ")


@pytest.mark.row("H14")
def test_using_names_a_mailer(outbox, capsys):
    mailers = {"bulk": {"BACKEND": MEMORY}}
    with conf.override_settings(MAILERS=mailers, ADMINS=["ops@example.com"]):
        assert main(["sendtestemail", "jane@example.com", "--admins", "--using", "bulk"]) == 0
        assert [message.sent_using for message in outbox] == ["bulk", "bulk"]
        assert "other" in fails(["sendtestemail", "jane@example.com", "--using", "other"], capsys)


def test_a_default_mailer_sends(environment):
    mail.outbox = []
    environment(MAILERS=f'{{"default": {{"BACKEND": "{MEMORY}"}}}}')
    assert main(["sendtestemail", "jane@example.com"]) == 0
    assert [message.sent_using for message in mail.outbox] == ["default"]
    mail.outbox = []


@pytest.mark.row("H14")
def test_it_arrives_at_a_real_server(smtp_server, environment):
    environment(EMAIL_URL=f"smtp://{smtp_server.host}:{smtp_server.port}")
    assert main(["sendtestemail", "jane@example.com"]) == 0
    [message] = smtp_server.messages
    assert message.rcpt_tos == ["jane@example.com"]
    assert b"Subject: Test email from " in message.content


@pytest.mark.row("H14")
def test_a_real_server_that_refuses_the_login(capsys):
    server = SmtpServer(mechanisms=("PLAIN",))
    with (
        server,
        conf.override_settings(EMAIL_URL=f"smtp://jane:{PASSWORD}@127.0.0.1:{server.port}"),
    ):
        line = fails(["sendtestemail", "jane@example.com"], capsys)
    assert "SMTPAuthenticationError" in line
    assert PASSWORD not in line
    assert server.messages == []


def test_a_real_server_that_refuses_the_recipient(capsys):
    server = SmtpServer(refuse_recipients={"jane@example.com": "550 unknown"})
    with server, conf.override_settings(EMAIL_URL=f"smtp://127.0.0.1:{server.port}"):
        line = fails(["sendtestemail", "jane@example.com"], capsys)
    assert "550" in line
    assert "127.0.0.1" in line


@pytest.mark.row("H14")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [([], "--admins"), (["--admins"], "ADMINS is empty"), (["--managers"], "MANAGERS is empty")],
)
def test_nobody_is_addressed(outbox, capsys, arguments, reason):
    assert reason in fails(["sendtestemail", *arguments], capsys)
    assert outbox == []


def test_nothing_is_sent_if_one_list_is_empty(outbox, environment, capsys):
    environment(ADMINS="ops@example.com")
    assert "MANAGERS" in fails(["sendtestemail", "--admins", "--managers"], capsys)
    assert outbox == []


def test_a_server_that_is_not_there(environment, capsys):
    environment(EMAIL_URL=f"smtp://jane:{PASSWORD}@127.0.0.1:{dead_port()}")
    line = fails(["sendtestemail", "jane@example.com"], capsys)
    assert "ConnectionRefusedError" in line
    assert "127.0.0.1" in line
    assert PASSWORD not in line


class Lazy:
    """A backend that takes nothing and says nothing."""

    def __init__(self, **_options):
        pass

    def send_messages(self, messages):
        return 0


def test_a_backend_that_takes_nothing(environment, capsys, monkeypatch):
    monkeypatch.setattr("errormail.exceptions.Lazy", Lazy, raising=False)
    environment(EMAIL_BACKEND="errormail.exceptions.Lazy")
    assert "took no email" in fails(["sendtestemail", "jane@example.com"], capsys)


def test_an_address_that_is_none(outbox, capsys):
    assert "no address" in fails(["sendtestemail", "no address"], capsys)


def test_a_wrong_setting(environment, capsys):
    with pytest.raises(conf.ImproperlyConfigured):
        environment(EMAIL_URL=f"imap://jane:{PASSWORD}@mail.example.com")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conf, "_configured", None)
        patch.setattr(conf, "_of_environment", None)
        line = fails(["sendtestemail", "jane@example.com"], capsys)
    assert "ERRORMAIL_EMAIL_URL" in line
    assert PASSWORD not in line


class Chatty:
    """A backend whose server repeats all that it was told."""

    def __init__(self, **_options):
        self.timeout = conf.settings.EMAIL_TIMEOUT

    def send_messages(self, messages):
        own = conf.settings
        plain = f"\0{own.EMAIL_HOST_USER}\0{own.EMAIL_HOST_PASSWORD}"
        told = [own.EMAIL_HOST_PASSWORD, plain, own.EMAIL_OAUTH2_TOKEN or ""]
        told += [base64.b64encode(text.encode()).decode() for text in told if text]
        told += [option for mailer in own.MAILERS.values() for option in mailer["OPTIONS"].values()]
        raise OSError(f"535 no:\r\n{told}, timeout {self.timeout}" + "x" * 10_000)


def test_a_server_that_repeats_the_password(environment, capsys, monkeypatch):
    monkeypatch.setattr("errormail.exceptions.Chatty", Chatty, raising=False)
    environment(
        EMAIL_BACKEND="errormail.exceptions.Chatty",
        EMAIL_HOST_USER="jane",
        EMAIL_HOST_PASSWORD=PASSWORD,
        EMAIL_OAUTH2_TOKEN="t0ken-t0ken",
        MAILERS='{"bulk": {"OPTIONS": {"username": "joe", "password": "0ther-0ther"}}}',
    )
    line = fails(["sendtestemail", "jane@example.com"], capsys)
    assert "[hidden]" in line
    assert len(line) < 1000
    for secret in (PASSWORD, "t0ken-t0ken", "0ther-0ther"):
        assert secret not in line
        for text in (secret, f"\0jane\0{secret}"):
            assert base64.b64encode(text.encode()).decode() not in line


@pytest.mark.parametrize(("given", "expected"), [("", 30.0), ("5", 5.0)])
def test_it_does_not_wait_for_ever(environment, capsys, monkeypatch, given, expected):
    monkeypatch.setattr("errormail.exceptions.Chatty", Chatty, raising=False)
    environment(EMAIL_BACKEND="errormail.exceptions.Chatty", EMAIL_TIMEOUT=given)
    assert f"timeout {expected}" in fails(["sendtestemail", "jane@example.com"], capsys)


# --settings


def test_settings_come_from_a_module(outbox, module):
    name = module("ADMINS = ['ops@example.com']\nDEFAULT_FROM_EMAIL = 'shop@example.com'\n")
    assert main(["sendtestemail", "jane@example.com", "--settings", name]) == 0
    assert outbox[0].from_email == "shop@example.com"
    assert conf.settings.ADMINS == ["ops@example.com"]


def test_a_module_may_configure_by_itself(outbox, module):
    name = module("from errormail.conf import configure\nconfigure(SERVICE='shop')\n")
    assert main(["sendtestemail", "jane@example.com", "--settings", name]) == 0
    assert conf.settings.SERVICE == "shop"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        (f"raise KeyError({PASSWORD!r})", "importing it raised KeyError at cli_test_settings.py:1"),
        ("EMAIL_PORT = 0", "EMAIL_PORT: expected a port"),
        ("from errormail.conf import configure\nconfigure(ADMIN=[])", "did you mean ADMINS"),
    ],
)
def test_a_wrong_module(module, capsys, text, reason):
    line = fails(["check", "--settings", module(text)], capsys)
    assert reason in line
    assert PASSWORD not in line


# check


def checked(capsys):
    code = main(["check"])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out.splitlines()


def test_good_settings(environment, capsys):
    environment(
        ADMINS="ops@example.com",
        SERVER_EMAIL="shop@example.com",
        EMAIL_URL=f"smtp+tls://jane:{PASSWORD}@mail.example.com",
    )
    assert checked(capsys) == (0, ["the settings are good"])


def test_nobody_gets_error_mail(environment, capsys):
    environment(SERVER_EMAIL="shop@example.com")
    assert checked(capsys) == (1, ["error: ADMINS is empty: nobody gets error mail"])


def test_warnings(environment, capsys):
    environment(ADMINS="ops@example.com", DEBUG="1", EMIAL_HOST="mail", SERVICE_HOST="10.0.0.1")
    code, lines = checked(capsys)
    assert code == 0
    assert [line[:30] for line in lines] == [
        "warning: DEBUG is on: no error",
        "warning: SERVER_EMAIL is root@",
        "warning: the environment varia",
        "the settings are good",
    ]
    assert "ERRORMAIL_EMIAL_HOST is not looked at: did you mean ERRORMAIL_EMAIL_HOST?" in lines[2]


def test_a_password_without_encryption(environment, capsys):
    environment(
        ADMINS="ops@example.com",
        SERVER_EMAIL="shop@example.com",
        EMAIL_URL=f"smtp://jane:{PASSWORD}@mail.example.com",
    )
    code, [warning, _] = checked(capsys)
    assert (code, "EMAIL_USE_TLS" in warning, PASSWORD in warning) == (0, True, False)


@pytest.mark.parametrize(
    "given",
    [
        {"EMAIL_URL": "console:"},
        {"MAILERS": f'{{"default": {{"BACKEND": "{MEMORY}"}}}}'},
    ],
)
def test_mail_that_goes_nowhere(environment, capsys, given):
    environment(ADMINS="ops@example.com", SERVER_EMAIL="shop@example.com", **given)
    code, [warning, _] = checked(capsys)
    assert (code, "sends nothing" in warning) == (0, True)


def test_a_mailer_that_cannot_be_made(environment, capsys):
    environment(
        ADMINS="ops@example.com",
        SERVER_EMAIL="shop@example.com",
        MAILERS='{"bulk": {"OPTIONS": {"colour": "red", "password": "0ther-0ther"}}}',
    )
    code, [line] = checked(capsys)
    assert code == 1
    assert line.startswith("error: the mailer 'bulk' cannot be made: InvalidMailer: ")
    assert "0ther-0ther" not in line


def test_a_wrong_setting_is_said(capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conf, "_configured", None)
        patch.setattr(conf, "_of_environment", None)
        patch.setenv("ERRORMAIL_EMAIL_PORT", "none")
        assert "ERRORMAIL_EMAIL_PORT: expected a port" in fails(["check"], capsys)


# The command itself


def run(*arguments, **variables):
    command = [sys.executable, "-W", "error", "-m", "errormail", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_it_runs_as_a_module(tmp_path):
    done = run("sendtestemail", "jane@example.com", ERRORMAIL_EMAIL_URL=f"file://{tmp_path}")
    assert (done.returncode, done.stderr) == (0, "")
    [file] = tmp_path.iterdir()
    assert b"Subject: Test email from " in file.read_bytes()


def test_its_exit_code_tells_a_failure():
    done = run("sendtestemail", "--admins")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "errormail: ADMINS is empty: nothing was sent\n"


def test_text_that_the_terminal_cannot_show_does_no_harm(tmp_path):
    variables = {"ERRORMAIL_EMAIL_URL": f"file://{tmp_path}", "PYTHONIOENCODING": "ascii"}
    done = run("sendtestemail", "Jörg <joerg@example.com>", **variables)
    assert (done.returncode, done.stdout) == (0, "sent to J\\xf6rg <joerg@example.com>\n")


def test_a_wrong_use_ends_with_two():
    for arguments in ([], ["no-such-command"], ["check", "--colour"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"errormail {cli.version()}\n"


# render


def written(folder, report, *, frequency=None, name="report.json"):
    """Write what a mail carries, and return the file's path."""
    content = json.dumps(report_to_dict(report, frequency=frequency), ensure_ascii=False).encode()
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path)


def printed(arguments, capfdbinary):
    assert main(["render", *arguments]) == 0
    out, err = capfdbinary.readouterr()
    assert err == b""
    return out.decode()


@pytest.mark.parametrize("sample", ["checkout", "recursion", "record_only", "hostile"])
@pytest.mark.parametrize("name", ["report.json", "report.json.gz"])
def test_a_report_is_rendered_as_the_mail_had_it(tmp_path, capfdbinary, sample, name):
    # A capture has no frame twice: these samples have, which both renderers see.
    report = report_from_dict(report_to_dict(reports.SAMPLES[sample]()))
    path = written(tmp_path, report, frequency=reports.AGAIN, name=name)
    html = render_html(report, frequency=reports.AGAIN).content
    assert printed([path, "--html"], capfdbinary) == html
    text = render_text(report, frequency=reports.AGAIN).content
    assert printed([path, "--text"], capfdbinary) == text
    assert printed([path], capfdbinary) == text


def test_what_a_mail_carries_gives_the_mail_s_parts_again(tmp_path, capfdbinary):
    destination = to(ATTACH_JSON=True)
    email = compose(Job(report=reports.checkout(), destination=destination, frequency=reports.NEW))
    path = tmp_path / "report.json"
    path.write_bytes(email.attachments[0].content)
    assert printed([str(path), "--text"], capfdbinary) == email.body
    assert printed([str(path), "--html"], capfdbinary) == email.alternatives[0].content


def test_the_whole_is_what_a_report_txt_holds(tmp_path, capfdbinary):
    report = replace(reports.checkout(), message="late " * 1_000, exception=None)
    path = written(tmp_path, report)
    whole = printed([path, "--whole"], capfdbinary)
    assert whole == render_text(report, bound=None).content
    assert len(whole) > len(printed([path], capfdbinary))


def test_it_reads_standard_input(tmp_path, capfdbinary, monkeypatch):
    path = written(tmp_path, reports.one_frame(), name="report.json.gz")
    with open(path, "rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        assert "ZeroDivisionError" in printed(["-"], capfdbinary)


def test_text_is_written_whatever_the_encoding_is(tmp_path):
    path = written(tmp_path, reports.checkout())
    command = [sys.executable, "-m", "errormail", "render", path]
    done = subprocess.run(
        [*command, "--text"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"Z\\xfcrich" in done.stdout
    done = subprocess.run(
        [*command, "--html"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert "Zürich".encode() in done.stdout


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    path = written(tmp_path, reports.checkout())
    command = [sys.executable, "-m", "errormail", "render", path, "--html"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "no JSON"),
        (b"{}", "schema: expected 'errormail-report'"),
        (b"[" * 100_000, "no JSON"),
        (b"\x1f\x8b", "no gzip"),
        (b'{"schema": "errormail-report", "version": 7}', "version 7, and this errormail reads up to"),
        (b'{"schema": "errormail-report", "version": 1}', "exception: is missing"),
    ],
    ids=["text", "object", "brackets", "gzip", "newer", "empty"],
)  # fmt: skip
def test_what_is_no_report_is_said(tmp_path, capsys, content, words):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    said = fails(["render", str(path)], capsys)
    assert said.startswith(f"errormail: {path}: ")
    assert words in said


@pytest.mark.parametrize("moment", [1e300, -1e17])
def test_a_time_that_no_calendar_has_costs_nothing_else(tmp_path, capfdbinary, moment):
    path = written(tmp_path, replace(reports.one_frame(), occurred_at=moment))
    assert "ZeroDivisionError" in printed([path], capfdbinary)


def test_a_cause_of_a_cause_and_so_on_is_said(tmp_path, capsys):
    whole = report_to_dict(reports.one_frame())
    exc = json.dumps({**whole["exception"], "cause": None})
    text = json.dumps({**whole, "exception": None})
    begin, end = exc.split('"cause": null')
    deep = f'{begin}"cause": ' * 900 + "null" + end * 900
    path = tmp_path / "report.json"
    path.write_text(text.replace('"exception": null', f'"exception": {deep}'), encoding="utf-8")
    assert str(path) in fails(["render", str(path)], capsys)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_said(tmp_path, capsys, name):
    path = str(tmp_path / name)
    assert fails(["render", path], capsys).startswith(f"errormail: {path}: ")


@pytest.mark.parametrize("arguments", [[], ["a.json", "--html", "--text"]])
def test_a_wrong_use_of_render_ends_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(["render", *arguments])
    assert ended.value.code == 2
    assert "usage: errormail render" in capsys.readouterr().err
