"""TLS of the SMTP backend: the server proves who it is, or nothing is said to it."""

from __future__ import annotations

import os
import smtplib
import ssl

import pytest
import trustme

from actors.smtp import PATIENCE, RawServer, SmtpServer, replies
from errormail.conf import configure, override_settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer
from errormail.mail import EmailMessage, get_connection, mailers
from errormail.mail.backends.smtp import EmailBackend
from errormail.mail.backends.tls import context_for

SECURITIES = [("starttls", "use_tls"), ("implicit_tls", "use_ssl")]
"""How the server does it, and the option for it."""


def message():
    return EmailMessage("subject", "body", "from@example.com", ["to@example.com"])


def backend_for(server, **options):
    return EmailBackend("127.0.0.1", server.port, timeout=PATIENCE, **options)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def _trusted(authority, tmp_path, monkeypatch):
    """The system's roots are *authority* alone."""
    roots = tmp_path / "roots.pem"
    authority.cert_pem.write_to_path(str(roots))
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
def certificate(authority, tmp_path):
    """Files with a certificate of a client, and its key."""
    issued = authority.issue_cert("client.example.com")
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    return cert, key


# -- encrypted ----------------------------------------------------------------------------------


@pytest.mark.row("B5", "X11")
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_a_server_that_the_system_trusts_gets_the_message_encrypted(authority, kind, option):
    with SmtpServer(authority=authority, **{kind: True}) as server:
        assert backend_for(server, **{option: True}).send_messages([message()]) == 1
        server.wait_until(lambda: server.open_connections == 0)
    assert server.messages[0].is_encrypted


@pytest.mark.row("B5")
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_the_settings_ask_for_it(authority, kind, option):
    with SmtpServer(authority=authority, **{kind: True}) as server:
        configure(
            EMAIL_HOST="127.0.0.1", EMAIL_PORT=server.port, **{f"EMAIL_{option.upper()}": True}
        )
        assert get_connection().send_messages([message()]) == 1
    assert server.messages[0].is_encrypted


@pytest.mark.row("B5")
@pytest.mark.usefixtures("_trusted")
def test_the_server_is_greeted_anew_after_starttls(authority):
    """What it said before, anybody may have said."""
    with SmtpServer(authority=authority, starttls=True) as server:
        backend_for(server, use_tls=True).send_messages([message()])
    assert [command.split()[0] for command in server.commands] == ["EHLO", "EHLO", "MAIL", "RCPT"]


@pytest.mark.row("B5")
def test_the_two_ways_exclude_each_other():
    with pytest.raises(ImproperlyConfigured, match="mutually exclusive") as caught:
        EmailBackend(use_tls=True, use_ssl=True)
    assert isinstance(caught.value, ValueError)


@pytest.mark.row("B5")
def test_the_two_ways_exclude_each_other_in_mailers():
    options = {"host": "mx.example.com", "use_tls": True, "use_ssl": True}
    with (
        override_settings(MAILERS={"bulk": {"OPTIONS": options}}),
        pytest.raises(InvalidMailer, match=r"'bulk'.*mutually exclusive"),
    ):
        mailers["bulk"]


# -- refused ------------------------------------------------------------------------------------


@pytest.mark.row("B5", "X11")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_a_certificate_that_the_system_does_not_trust_is_refused(kind, option):
    with SmtpServer(mechanisms=("PLAIN",), **{kind: True}) as server:
        login = {"username": server.username, "password": server.password}
        backend = backend_for(server, **{option: True}, **login)
        with pytest.raises(ssl.SSLCertVerificationError):
            backend.send_messages([message()])
        assert backend.connection is None
        server.wait_until(lambda: server.open_connections == 0)
    assert server.logins == []
    assert server.messages == []


@pytest.mark.row("B5", "X11")
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_a_certificate_for_another_host_is_refused(authority, kind, option):
    with SmtpServer(authority=authority, host="mx.example.com", **{kind: True}) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)IP address mismatch"):
            backend_for(server, **{option: True}).open()
        server.wait_until(lambda: server.open_connections == 0)


@pytest.mark.row("B7", "X11")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_failing_silently_is_no_way_around_the_certificate(kind, option):
    with SmtpServer(**{kind: True}) as server:
        backend = backend_for(server, fail_silently=True, **{option: True})
        assert backend.open() is None
        assert backend.send_messages([message()]) == 0
    assert server.messages == []


@pytest.mark.row("X11")
@pytest.mark.parametrize("fail_silently", [False, True])
def test_nothing_is_sent_in_plain_text_where_starttls_is_not_offered(smtp_server, fail_silently):
    smtp_server.mechanisms = ("PLAIN",)
    login = {"username": smtp_server.username, "password": smtp_server.password}
    backend = backend_for(smtp_server, use_tls=True, fail_silently=fail_silently, **login)
    if fail_silently:
        assert backend.send_messages([message()]) == 0
    else:
        with pytest.raises(smtplib.SMTPNotSupportedError, match="STARTTLS"):
            backend.send_messages([message()])
    smtp_server.wait_until(lambda: smtp_server.open_connections == 0)
    assert smtp_server.logins == []
    assert [command.split()[0] for command in smtp_server.commands] == ["EHLO"]


@pytest.mark.row("X11")
def test_nothing_is_sent_in_plain_text_where_starttls_is_refused():
    heard = []

    def script(connection):
        for line in ("220 mx", "250-mx\r\n250 STARTTLS", "454 4.7.0 not now"):
            connection.sendall(line.encode() + b"\r\n")
            heard.append(connection.recv(65536))
        while said := connection.recv(65536):
            heard.append(said)

    with RawServer(script) as server:
        with pytest.raises(smtplib.SMTPResponseException, match="454"):
            backend_for(server, use_tls=True).send_messages([message()])
        assert server.closed.wait(PATIENCE)
    assert [said.split()[0].upper() for said in heard if said] == [b"EHLO", b"STARTTLS"]


@pytest.mark.row("X11")
def test_answers_that_came_before_tls_do_not_count_after_it():
    """Somebody on the way can add them to the last answer in plain text (CVE-2021-38371)."""
    lines = ("220 mx", "250-mx\r\n250 STARTTLS", "220 go on\r\n250-mx\r\n250 AUTH PLAIN")
    with RawServer(replies(*lines)) as server:
        with pytest.raises(smtplib.SMTPException, match="without TLS"):
            backend_for(server, use_tls=True, username="u", password="p").open()
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("X11")
def test_a_server_without_tls_gets_no_plain_text_over_implicit_tls(smtp_server):
    backend = EmailBackend("127.0.0.1", smtp_server.port, use_ssl=True, timeout=5)
    with pytest.raises(ssl.SSLError):
        backend.send_messages([message()])
    assert smtp_server.commands == []


# -- not verified, or by other rules ------------------------------------------------------------


@pytest.mark.row("B5")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_the_check_can_be_switched_off_and_it_is_encrypted_still(kind, option):
    with SmtpServer(host="mx.example.com", **{kind: True}) as server:
        configure(
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=server.port,
            EMAIL_SSL_VERIFY=False,
            **{f"EMAIL_{option.upper()}": True},
        )
        assert get_connection().send_messages([message()]) == 1
    assert server.messages[0].is_encrypted


@pytest.mark.row("B5")
def test_an_option_switches_the_check_off_for_one_mailer():
    with SmtpServer(implicit_tls=True) as server:
        options = {"host": "127.0.0.1", "port": server.port, "use_ssl": True}
        entries = {
            "lax": {"OPTIONS": {**options, "ssl_verify": False}},
            "strict": {"OPTIONS": options},
        }
        with override_settings(MAILERS=entries, EMAIL_SSL_VERIFY=False):
            assert mailers["lax"].send_messages([message()]) == 1
            with pytest.raises(ssl.SSLCertVerificationError):
                mailers["strict"].send_messages([message()])


@pytest.mark.row("B5")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_a_context_of_the_programs_own_decides(authority, kind, option):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with SmtpServer(authority=authority, **{kind: True}) as server:
        backend = backend_for(server, ssl_context=context, **{option: True})
        assert backend.send_messages([message()]) == 1
    assert server.messages[0].is_encrypted


# -- a certificate of the client ----------------------------------------------------------------


@pytest.mark.row("B5")
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize(("kind", "option"), SECURITIES)
def test_a_certificate_of_the_client_is_shown(authority, certificate, kind, option):
    cert, key = certificate
    with SmtpServer(authority=authority, client_certificate=True, **{kind: True}) as server:
        backend = backend_for(server, ssl_certfile=cert, ssl_keyfile=key, **{option: True})
        assert backend.send_messages([message()]) == 1


@pytest.mark.row("B5")
@pytest.mark.usefixtures("_trusted")
def test_a_server_that_demands_a_certificate_gets_nothing_without(authority):
    with (
        SmtpServer(authority=authority, client_certificate=True, implicit_tls=True) as server,
        pytest.raises(OSError),  # noqa: PT011 -- the TLS version decides which one
    ):
        backend_for(server, use_ssl=True).send_messages([message()])
    assert server.messages == []


@pytest.mark.row("B5", "X11")
def test_a_certificate_of_the_client_does_not_switch_the_check_off(certificate):
    """The server's certificate is not by whom the system trusts."""
    cert, key = certificate
    with SmtpServer(implicit_tls=True) as server:
        backend = backend_for(server, ssl_certfile=cert, ssl_keyfile=key, use_ssl=True)
        with pytest.raises(ssl.SSLCertVerificationError):
            backend.open()


@pytest.mark.row("B5", "B7")
@pytest.mark.parametrize("fail_silently", [False, True])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_file_that_cannot_be_used_is_a_mistake_of_settings(
    tmp_path, fail_silently, content
):
    path = tmp_path / "client.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    backend = EmailBackend(
        "127.0.0.1", 1, use_ssl=True, ssl_certfile=path, fail_silently=fail_silently
    )
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_SSL_CERTFILE.*client\.pem"):
        backend.open()


# -- contexts -----------------------------------------------------------------------------------


@pytest.mark.row("B5")
def test_contexts_verify_the_certificate_and_the_name():
    context = context_for(None, None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is True


@pytest.mark.row("B5")
def test_a_context_is_made_once():
    assert context_for(None, None) is context_for(None, None)
    assert context_for(None, None, is_verified=False) is not context_for(None, None)


@pytest.mark.row("B5")
def test_a_renewed_certificate_makes_a_new_context(certificate):
    before = context_for(*certificate)
    assert context_for(*certificate) is before
    os.utime(certificate[0], ns=(1, 1))
    assert context_for(*certificate) is not before
