"""Logins of the SMTP backend: which mechanism, what is said, and what nobody may read."""

from __future__ import annotations

import base64
import smtplib
import sys
import threading
import traceback
from types import ModuleType

import pytest

from actors.smtp import PATIENCE, RawServer, SmtpServer, replies
from errormail.conf import configure
from errormail.mail import EmailMessage, get_connection
from errormail.mail.backends import smtp
from errormail.mail.backends.smtp import EmailBackend
from errormail.mail.backends.smtp_client import Client

PASSWORD = "hunter2-hunter2"


def message():
    return EmailMessage("subject", "body", "from@example.com", ["to@example.com"])


def backend_for(server, **options):
    options = {"username": "user@example.com", "timeout": PATIENCE, **options}
    return EmailBackend("127.0.0.1", server.port, **options)


def encodings(secret):
    """Return *secret* as it may stand in what was said: also in base64, wherever in a longer text."""
    encoded = [base64.b64encode(b"x" * shift + secret.encode()).decode() for shift in range(3)]
    return [secret, *(text[4:-4] for text in encoded)]


# -- which mechanism ----------------------------------------------------------------------------


@pytest.mark.row("B4")
@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (("LOGIN", "PLAIN", "CRAM-MD5", "XOAUTH2"), "CRAM-MD5"),
        (("LOGIN", "PLAIN"), "PLAIN"),
        (("XOAUTH2", "LOGIN"), "LOGIN"),
    ],
)
def test_a_password_goes_by_the_best_that_is_offered(offered, taken):
    with SmtpServer(mechanisms=offered, demands_login=True) as server:
        backend = backend_for(server, password=server.password)
        assert backend.send_messages([message()]) == 1
    assert server.logins == [(taken, server.username, True)]
    assert server.messages[0].login == server.username


@pytest.mark.row("B4")
def test_the_settings_say_who_logs_in():
    with SmtpServer(mechanisms=("PLAIN",), demands_login=True) as server:
        configure(
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=server.port,
            EMAIL_HOST_USER=server.username,
            EMAIL_HOST_PASSWORD=server.password,
        )
        assert get_connection().send_messages([message()]) == 1
    assert server.logins == [("PLAIN", server.username, True)]


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_users_and_passwords_in_other_letters(mechanism):
    with SmtpServer(mechanisms=(mechanism,), username="jörg", password="pässwörd 東") as server:
        backend = backend_for(server, username=server.username, password=server.password)
        assert backend.send_messages([message()]) == 1
    assert server.logins == [(mechanism, "jörg", True)]


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["PLAIN", "XOAUTH2", "OAUTHBEARER"])
def test_a_secret_that_is_too_long_for_one_command(mechanism):
    secret = "x" * 600
    with SmtpServer(mechanisms=(mechanism,), password=secret, token=secret) as server:
        secrets = {"password": secret} if mechanism == "PLAIN" else {"oauth2_token": secret}
        assert backend_for(server, **secrets).send_messages([message()]) == 1
    assert server.logins == [(mechanism, server.username, True)]


@pytest.mark.row("B4")
def test_what_is_offered_but_does_not_work_is_passed_over():
    said = []

    def script(connection):
        lines = [
            "220 mx",
            "250-mx\r\n250 AUTH CRAM-MD5 PLAIN",
            "535 no CRAM-MD5 today",
            "235 welcome",
        ]
        for line in lines:
            connection.sendall(line.encode() + b"\r\n")
            said.append(connection.recv(65536))

    with RawServer(script) as server:
        with backend_for(server, password=PASSWORD) as backend:
            assert backend.connection is not None
        assert server.closed.wait(PATIENCE)
    assert said[1:3][0].startswith(b"AUTH CRAM-MD5")
    assert said[2].startswith(b"AUTH PLAIN ")


@pytest.mark.row("B4")
def test_a_server_that_offers_nothing_we_have_is_named_with_what_it_offers():
    with RawServer(replies("220 mx", "250-mx\r\n250 AUTH GSSAPI NTLM")) as server:
        with pytest.raises(smtplib.SMTPNotSupportedError, match="GSSAPI NTLM"):
            backend_for(server, password=PASSWORD).open()
        assert server.closed.wait(PATIENCE)


# -- tokens -------------------------------------------------------------------------------------


@pytest.fixture
def module():
    """A module that a dotted path can name, with a function that gives tokens, and the list of those it gave."""
    made = ModuleType("my_tokens")
    made.given = []

    def token():
        made.given.append(f"token-{len(made.given) + 1}")
        return made.given[-1]

    made.token = token
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_that_is_a_str(mechanism):
    with SmtpServer(mechanisms=(mechanism, "PLAIN"), token="ya29.a.b") as server:
        backend = backend_for(server, oauth2_token="ya29.a.b", password=PASSWORD)
        assert backend.send_messages([message()]) == 1
    assert server.logins == [(mechanism, server.username, True)]


@pytest.mark.row("B4")
def test_a_callable_named_by_its_dotted_path_is_asked_at_each_login(module):
    with SmtpServer(mechanisms=("XOAUTH2",)) as server:
        configure(
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=server.port,
            EMAIL_HOST_USER=server.username,
            EMAIL_OAUTH2_TOKEN="my_tokens.token",
        )
        for number in (1, 2):
            server.token = f"token-{number}"
            assert get_connection().send_messages([message(), message()]) == 2
    assert module.given == ["token-1", "token-2"]


@pytest.mark.row("B4")
def test_a_token_is_not_asked_for_until_there_is_a_server(module):
    backend = EmailBackend(
        "127.0.0.1", 1, username="u", oauth2_token=module.token, fail_silently=True
    )
    assert backend.open() is None
    assert module.given == []


@pytest.mark.row("B4", "B7")
@pytest.mark.parametrize("fail_silently", [False, True])
def test_what_a_callable_for_tokens_raises_is_raised(fail_silently):
    def token():
        raise LookupError("the account is locked")

    with SmtpServer(mechanisms=("XOAUTH2",)) as server:
        with pytest.raises(LookupError, match="locked"):
            backend_for(server, oauth2_token=token, fail_silently=fail_silently).send_messages(
                [message()]
            )
        server.wait_until(lambda: server.open_connections == 0)


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_wrong_token_raises_and_shows_no_token(mechanism):
    with SmtpServer(mechanisms=(mechanism,)) as server:
        backend = backend_for(server, oauth2_token=PASSWORD)
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            backend.send_messages([message()])
        server.wait_until(lambda: server.open_connections == 0)
    shown = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in encodings(PASSWORD) if secret in shown]
    assert server.logins == [(mechanism, server.username, False)]
    assert server.messages == []


# -- a wrong password ---------------------------------------------------------------------------


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_wrong_password_raises_and_shows_no_password(mechanism):
    with SmtpServer(mechanisms=(mechanism,)) as server:
        backend = backend_for(server, password=PASSWORD)
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            backend.send_messages([message()])
        server.wait_until(lambda: server.open_connections == 0)
    shown = "".join(traceback.format_exception(caught.value))
    assert caught.value.smtp_code == 535
    assert not [secret for secret in encodings(PASSWORD) if secret in shown]
    assert backend.connection is None


@pytest.mark.row("B4")
def test_a_server_that_hangs_up_after_a_refusal_has_refused():
    """The second mechanism meets a closed connection; what the first was told says more."""

    def script(connection):
        for line in ("220 mx", "250-mx\r\n250 AUTH PLAIN LOGIN", "535 5.7.8 wrong"):
            connection.sendall(line.encode() + b"\r\n")
            connection.recv(65536)

    with (
        RawServer(script) as server,
        pytest.raises(smtplib.SMTPAuthenticationError, match="wrong"),
    ):
        backend_for(server, password=PASSWORD).open()


@pytest.mark.row("B4")
@pytest.mark.parametrize("challenge", ["334 no base64!", "334 AAAA", "334"])
def test_a_server_that_asks_on_and_on_is_given_up(challenge):
    lines = ["220 mx", "250-mx\r\n250 AUTH LOGIN", *[challenge] * 50]
    with RawServer(replies(*lines)) as server:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            backend_for(server, password=PASSWORD).open()
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B4", "B7")
def test_a_wrong_password_fails_silently_too():
    with SmtpServer(mechanisms=("PLAIN",)) as server:
        backend = backend_for(server, password=PASSWORD, fail_silently=True)
        assert backend.open() is None
        assert backend.send_messages([message()]) == 0
    assert server.messages == []


@pytest.mark.row("B4")
def test_the_backend_shows_no_password():
    backend = EmailBackend("mx.example.com", password=PASSWORD, oauth2_token=PASSWORD)
    assert PASSWORD not in repr(backend)


# -- who can listen -----------------------------------------------------------------------------


class Peer:
    """Where a socket leads to."""

    def __init__(self, address):
        self.address = address

    def getpeername(self):
        return (self.address, 25)


@pytest.mark.parametrize(
    ("address", "is_private"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("192.0.2.1", False),
        ("10.0.0.1", False),
        ("2001:db8::1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_only_this_machine_is_private_without_tls(address, is_private):
    client = Client("localhost", None)
    client.sock = Peer(address)
    assert client.is_private is is_private
    client.sock = None


@pytest.mark.row("B4")
def test_no_login_on_loopback_or_by_tls_is_warned_about(monkeypatch):
    """Warnings are errors here."""
    monkeypatch.setattr(smtp, "_warned", threading.Event())
    with SmtpServer(mechanisms=("PLAIN",)) as server:
        assert backend_for(server, password=server.password).send_messages([message()]) == 1
    with SmtpServer(mechanisms=("PLAIN",), starttls=True) as server:
        backend = backend_for(server, password=server.password, use_tls=True, ssl_verify=False)
        assert backend.send_messages([message()]) == 1
    assert not smtp._warned.is_set()


@pytest.mark.row("B4")
def test_the_warning_shows_no_password_and_may_be_made_an_error(monkeypatch):
    monkeypatch.setattr(smtp, "_warned", threading.Event())
    monkeypatch.setattr(Client, "is_private", False)
    with SmtpServer(mechanisms=("PLAIN",)) as server:
        with pytest.raises(RuntimeWarning, match="EMAIL_USE_TLS") as caught:
            backend_for(server, password=PASSWORD).open()
        server.wait_until(lambda: server.open_connections == 0)
    assert PASSWORD not in str(caught.value)
    assert server.logins == []


@pytest.mark.row("B4")
def test_the_warning_comes_once_and_the_message_is_sent(monkeypatch):
    monkeypatch.setattr(smtp, "_warned", threading.Event())
    monkeypatch.setattr(Client, "is_private", False)
    with SmtpServer(mechanisms=("PLAIN",)) as server:
        backend = backend_for(server, password=server.password)
        with pytest.warns(RuntimeWarning, match="EMAIL_USE_TLS") as caught:
            backend.send_messages([message()])
        assert backend.send_messages([message()]) == 1  # warnings are errors here
    assert len(caught) == 1
    assert len(server.messages) == 2


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["PLAIN", "XOAUTH2"])
@pytest.mark.parametrize(
    "half",
    [
        {"username": "user@example.com"},
        {"username": "", "password": "correct horse"},
        {"username": "", "oauth2_token": "ya29.token"},
    ],
)
def test_without_both_user_and_secret_there_is_no_login(mechanism, half):
    with SmtpServer(mechanisms=(mechanism,)) as server:
        assert backend_for(server, **half).send_messages([message()]) == 1
    assert server.logins == []


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_login_by_each_mechanism_is_one_for_all_messages(mechanism):
    with SmtpServer(mechanisms=(mechanism,), demands_login=True) as server:
        backend = backend_for(server, password=server.password)
        assert backend.send_messages([message(), message()]) == 2
    assert server.logins == [(mechanism, server.username, True)]
