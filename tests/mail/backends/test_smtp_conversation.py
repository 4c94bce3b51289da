"""The SMTP backend in real conversations: what it says, what it returns, what it does when the server is unkind."""

from __future__ import annotations

import smtplib
import socket
import ssl
import warnings

import pytest

from actors.smtp import RawServer, SmtpServer, endless_greeting
from errormail import conf
from errormail.exceptions import ImproperlyConfigured
from errormail.mail import EmailMessage, InvalidMailer, mailers, send_mail
from errormail.mail.backends import smtp
from errormail.mail.backends.smtp import EmailBackend

SMTP = "errormail.mail.backends.smtp.EmailBackend"


def message(**given):
    return EmailMessage("s", "b", "a@example.com", **{"to": ["b@example.com"], **given})


def backend(server, **options):
    return EmailBackend("127.0.0.1", server.port, **{"timeout": 20, **options})


@pytest.fixture
def dead_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.row("B2")
def test_arguments_come_from_the_settings():
    with conf.override_settings(
        EMAIL_HOST="mail.example.com",
        EMAIL_PORT=2525,
        EMAIL_HOST_USER="me",
        EMAIL_HOST_PASSWORD="pw",
        EMAIL_USE_TLS=True,
        EMAIL_TIMEOUT=7,
        EMAIL_SSL_CERTFILE="/cert",
        EMAIL_SSL_KEYFILE="/key",
    ):
        made = EmailBackend()
    assert (made.host, made.port, made.username, made.password) == (
        "mail.example.com",
        2525,
        "me",
        "pw",
    )
    assert (made.use_tls, made.use_ssl, made.timeout) == (True, False, 7)
    assert (made.ssl_certfile, made.ssl_keyfile) == ("/cert", "/key")
    assert (made.connection, made.fail_silently) == (None, False)


@pytest.mark.row("B2", "B6")
def test_arguments_of_a_mailer_come_from_its_options_alone():
    entry = {"BACKEND": SMTP, "OPTIONS": {"host": "bulk.example.com", "use_ssl": True}}
    with conf.override_settings(MAILERS={"bulk": entry}, EMAIL_HOST_USER="me", EMAIL_PORT=2525):
        made = mailers["bulk"]
    assert (made.host, made.port, made.username) == ("bulk.example.com", 465, "")


@pytest.mark.row("B6")
@pytest.mark.parametrize(
    ("security", "port"), [({}, 25), ({"EMAIL_USE_TLS": True}, 587), ({"EMAIL_USE_SSL": True}, 465)]
)
def test_the_port_follows_the_security(security, port):
    with conf.override_settings(**security):
        assert EmailBackend().port == port
    with conf.override_settings(**security, EMAIL_PORT=2525):
        assert EmailBackend().port == 2525


@pytest.mark.row("B5", "B6")
@pytest.mark.parametrize(
    "options", [{"use_tls": True, "use_ssl": True, "host": "a"}, {}, {"host": "a", "port": 0.5}]
)
def test_a_mailer_that_cannot_be_is_refused(options):
    entry = {"BACKEND": SMTP, "OPTIONS": options}
    with (
        conf.override_settings(MAILERS={"bulk": entry}),
        pytest.raises(InvalidMailer, match="bulk"),
    ):
        mailers["bulk"]


@pytest.mark.row("B5")
def test_starttls_and_implicit_tls_exclude_each_other():
    with pytest.raises(ValueError, match="mutually exclusive"):
        EmailBackend("a", use_tls=True, use_ssl=True)


@pytest.mark.row("B3")
def test_open_says_whether_it_opened(smtp_server, dead_port):
    made = backend(smtp_server)
    assert made.open() is True
    assert made.open() is False
    made.close()
    made.close()
    assert made.connection is None
    assert EmailBackend("127.0.0.1", dead_port, fail_silently=True).open() is None


@pytest.mark.row("B3")
def test_a_connection_of_one_s_own_is_closed_and_an_opened_one_is_kept(smtp_server):
    made = backend(smtp_server)
    assert made.send_messages([message(), message()]) == 2
    assert made.connection is None
    with backend(smtp_server) as kept:
        kept.send_messages([message()])
        kept.send_messages(iter([message()]))
        assert kept.connection is not None
    smtp_server.wait_for(4)
    assert smtp_server.connections == 2


@pytest.mark.row("B3", "B7")
@pytest.mark.parametrize("stage", ["connect", "starttls", "login"])
def test_a_connection_that_was_opened_half_is_closed(stage, dead_port):
    with SmtpServer() as server:
        options = {
            "connect": {"port": dead_port},
            "starttls": {"use_tls": True},  # not offered
            "login": {"username": "me", "password": "hunter2hunter2"},  # not offered
        }[stage]
        made = EmailBackend("127.0.0.1", **{"port": server.port, "timeout": 20, **options})
        with pytest.raises(OSError) as caught:  # noqa: PT011 -- the kind differs
            made.open()
        assert made.connection is None
        server.wait_until(lambda: server.open_connections == 0)
        assert "hunter2" not in str(caught.value)
        silent = EmailBackend("127.0.0.1", **{"port": server.port, **options}, fail_silently=True)
        assert silent.send_messages([message()]) == 0
        assert server.messages == []


@pytest.mark.row("B4")
@pytest.mark.parametrize("half", [{"username": "user@example.com"}, {"password": "correct horse"}])
def test_without_both_user_and_password_there_is_no_login(half):
    with SmtpServer(mechanisms=("PLAIN",)) as server:
        assert (
            backend(
                server, username=half.get("username", ""), password=half.get("password", "")
            ).send_messages([message()])
            == 1
        )
        assert server.logins == []


@pytest.mark.row("B4")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_login_by_each_mechanism(mechanism):
    with SmtpServer(mechanisms=(mechanism,)) as server:
        made = backend(server, username=server.username, password=server.password)
        assert made.send_messages([message()]) == 1
        assert server.logins == [(mechanism, server.username, True)]


@pytest.mark.row("B4")
def test_a_wrong_password_is_an_error_that_does_not_show_it():
    with SmtpServer(mechanisms=("PLAIN", "LOGIN")) as server:
        made = backend(server, username=server.username, password="hunter2hunter2")
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            made.send_messages([message()])
        assert "hunter2" not in f"{caught.value!r}"
        assert server.messages == []


@pytest.mark.row("B5")
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_is_asked_for_at_each_login(mechanism):
    asked = []

    with SmtpServer(mechanisms=(mechanism,)) as server:

        def token():
            asked.append(1)
            return server.token

        made = backend(server, username=server.username, oauth2_token=token)
        made.send_messages([message()])
        made.send_messages([message()])
        assert server.logins == [(mechanism, server.username, True)] * 2
    assert len(asked) == 2


@pytest.fixture
def authority(monkeypatch, tmp_path):
    """Whom this machine trusts, in place of the system's roots."""
    import trustme

    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    from errormail.mail.backends import tls

    tls.context_for.cache_clear() if hasattr(tls.context_for, "cache_clear") else None
    if hasattr(tls, "_contexts"):
        monkeypatch.setattr(tls, "_contexts", {})
    return ca


KINDS = {
    "STARTTLS": ({"starttls": True}, {"use_tls": True}),
    "TLS": ({"implicit_tls": True}, {"use_ssl": True}),
}


@pytest.mark.row("B5", "X11")
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_with_a_certificate_of_a_known_authority_is_trusted(kind, authority):
    offered, wanted = KINDS[kind]
    with SmtpServer(authority=authority, mechanisms=("PLAIN",), **offered) as server:
        made = backend(server, username=server.username, password=server.password, **wanted)
        assert made.send_messages([message()]) == 1


@pytest.mark.row("X11")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", ["self-signed", "host"])
def test_another_certificate_is_refused_before_the_password_is_sent(kind, wrong, authority):
    offered, wanted = KINDS[kind]
    more = {"host": {"authority": authority, "host": "other.example.com"}, "self-signed": {}}[wrong]
    with SmtpServer(mechanisms=("PLAIN",), **more, **offered) as server:
        made = backend(server, username=server.username, password=server.password, **wanted)
        with pytest.raises(ssl.SSLCertVerificationError):
            made.send_messages([message()])
        assert made.connection is None
        server.wait_until(lambda: server.open_connections == 0)
        assert (server.logins, server.messages) == ([], [])
        assert backend(server, **wanted, ssl_verify=False).send_messages([message()]) == 1


@pytest.mark.row("X11")
def test_there_is_no_way_back_to_plain_text(smtp_server):
    with pytest.raises(smtplib.SMTPException):
        backend(smtp_server, use_tls=True).send_messages([message()])
    assert smtp_server.messages == []


@pytest.mark.row("B5")
def test_a_client_certificate_is_shown(authority, tmp_path):
    certificate = authority.issue_cert("client@example.com")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = {"ssl_certfile": tmp_path / "cert.pem", "ssl_keyfile": tmp_path / "key.pem"}
    with SmtpServer(implicit_tls=True, client_certificate=True, authority=authority) as server:
        assert backend(server, use_ssl=True, **files).send_messages([message()]) == 1
        with pytest.raises(OSError):  # noqa: PT011 -- TLS 1.3: at the handshake, or at the first answer
            backend(server, use_ssl=True).send_messages([message()])


@pytest.mark.row("B5")
def test_a_client_certificate_that_is_none_is_a_wrong_setting(tmp_path):
    made = EmailBackend("127.0.0.1", 1, use_ssl=True, ssl_certfile=tmp_path / "missing.pem")
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_SSL_CERTFILE.*missing\.pem"):
        made.open()


@pytest.mark.row("B7")
def test_fail_silently_swallows_delivery_and_no_mistake_of_the_caller(dead_port):
    with SmtpServer(refuse_sender="550 no") as server:
        assert backend(server, fail_silently=True).send_messages([message()]) == 0
        with pytest.raises(smtplib.SMTPSenderRefused):
            backend(server).send_messages([message()])
    silent = EmailBackend("127.0.0.1", dead_port, fail_silently=True)
    assert silent.send_messages([message()]) == 0
    with pytest.raises(ValueError, match="Subject"):
        silent.send_messages([EmailMessage("a\nBcc: x@example.com", "b", to=["b@example.com"])])


@pytest.mark.row("B8")
def test_the_envelope_is_addresses_only_and_lines_end_with_crlf(smtp_server):
    body = ".\n..dots\nline\r\nlast\n"
    sent = message(to=["Jane <jane@bücher.example>"], cc=["c@example.com"], bcc=["d@example.com"])
    sent.body = body
    backend(smtp_server).send_messages([sent])
    (envelope,) = smtp_server.wait_for(1)
    assert envelope.mail_from == "a@example.com"
    assert envelope.rcpt_tos == ["jane@xn--bcher-kva.example", "c@example.com", "d@example.com"]
    assert b"d@example.com" not in envelope.content
    assert b"\n" not in envelope.content.replace(b"\r\n", b"")
    assert envelope.content.endswith(b"\r\n\r\n.\r\n..dots\r\nline\r\nlast\r\n")


@pytest.mark.row("B9")
def test_a_local_part_in_other_letters_is_refused(smtp_server):
    with pytest.raises(ValueError, match="jürgen"):
        backend(smtp_server).send_messages([message(to=["jürgen@example.com"])])
    assert smtp_server.messages == []


def test_a_refused_sender_is_told_which_settings_to_look_at():
    with SmtpServer(mechanisms=("PLAIN",), refuse_sender="553 5.7.1 not yours") as server:
        made = backend(server, username=server.username, password=server.password)
        with pytest.raises(smtplib.SMTPSenderRefused, match="EMAIL_HOST_USER") as caught:
            made.send_messages([message()])
    assert (caught.value.smtp_code, caught.value.sender) == (553, "a@example.com")
    assert b"SERVER_EMAIL" in caught.value.smtp_error


def test_one_refused_recipient_of_three_does_not_hold_back_the_others(caplog):
    with SmtpServer(refuse_recipients={"b@example.com": "550 5.1.1 unknown"}) as server:
        to = ["a@example.com", "b@example.com", "c@example.com"]
        assert backend(server).send_messages([message(to=to)]) == 1
        (envelope,) = server.wait_for(1)
    assert envelope.rcpt_tos == ["a@example.com", "c@example.com"]
    assert "b@example.com (550)" in caplog.text


def test_all_recipients_refused_is_an_error():
    with SmtpServer(refuse_recipients={"*": "550 5.1.1 unknown"}) as server:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            backend(server).send_messages([message()])
        server.wait_until(lambda: server.open_connections == 0)


def test_a_server_that_goes_in_the_midst_of_data_is_an_error_and_the_next_message_connects_anew():
    with SmtpServer(vanish_in_data=True) as server:
        made = backend(server)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            made.send_messages([message()])
        assert made.connection is None
        server.vanish_in_data = False
        assert made.send_messages([message()]) == 1


def test_a_silent_server_ends_by_the_timeout():
    with SmtpServer(stall="connect") as server, pytest.raises(OSError):  # noqa: PT011 -- a timeout by some name
        backend(server, timeout=0.2).open()


def test_an_endless_greeting_is_cut():
    with RawServer(endless_greeting) as server, pytest.raises(smtplib.SMTPException):
        EmailBackend("127.0.0.1", server.port, timeout=20).open()


def test_a_login_in_the_clear_to_another_host_warns_once(monkeypatch):
    monkeypatch.setattr(smtp, "_warned", type(smtp._warned)())
    with SmtpServer(mechanisms=("PLAIN",)) as server:
        monkeypatch.setattr("errormail.mail.backends.smtp_client.Client.is_private", False)
        made = backend(server, username=server.username, password=server.password)
        with pytest.warns(RuntimeWarning, match="EMAIL_USE_TLS"):
            made.send_messages([message()])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            made.send_messages([message()])


def test_one_connection_for_a_burst(smtp_server):
    with backend(smtp_server) as connection:
        for number in range(5):
            send_mail(f"{number}", "b", None, ["b@example.com"], connection=connection)
    smtp_server.wait_for(5)
    assert smtp_server.connections == 1
