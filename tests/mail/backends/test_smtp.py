"""The SMTP backend: settings, connections, envelopes, and what goes wrong. TLS and logins have files of their own."""

from __future__ import annotations

import logging
import smtplib
import socket
import threading
from email.mime.base import MIMEBase

import pytest

from actors.smtp import PATIENCE, RawServer, SmtpServer, endless_greeting, replies
from errormail.conf import configure, override_settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer
from errormail.mail import BadHeaderError, EmailMessage, get_connection, mailers, send_mail
from errormail.mail.backends.smtp import EmailBackend
from errormail.mail.backends.smtp_client import REPLY_LINES

FIRST_REPLIES = ("220 mx.example.com", "250 mx.example.com")
"""To the connection, and to EHLO."""


def message(subject="subject", body="body", to=("to@example.com",), **changes):
    from_email = changes.pop("from_email", "from@example.com")
    return EmailMessage(subject, body, from_email, list(to), **changes)


def backend_for(server, **options):
    return EmailBackend("127.0.0.1", server.port, **options)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return unused.getsockname()[1]


def wait_until_closed(server):
    server.wait_until(lambda: server.open_connections == 0)


# -- the constructor ----------------------------------------------------------------------------


@pytest.mark.row("B2")
def test_everything_comes_from_the_settings():
    configure(
        EMAIL_HOST="mx.example.com",
        EMAIL_PORT=2525,
        EMAIL_HOST_USER="user",
        EMAIL_HOST_PASSWORD="pass",
        EMAIL_USE_TLS=True,
        EMAIL_TIMEOUT=7,
        EMAIL_SSL_KEYFILE="key.pem",
        EMAIL_SSL_CERTFILE="cert.pem",
    )
    made = get_connection()
    assert isinstance(made, EmailBackend)
    assert (made.host, made.port, made.username, made.password) == (
        "mx.example.com",
        2525,
        "user",
        "pass",
    )
    assert (made.use_tls, made.use_ssl, made.timeout) == (True, False, 7)
    assert (made.ssl_keyfile, made.ssl_certfile) == ("key.pem", "cert.pem")
    assert (made.connection, made.fail_silently) == (None, False)


@pytest.mark.row("B2")
def test_without_settings_it_is_the_server_on_this_machine():
    made = EmailBackend()
    assert (made.host, made.port, made.timeout) == ("localhost", 25, None)
    assert (made.username, made.password) == ("", "")
    assert (made.use_tls, made.use_ssl) == (False, False)


@pytest.mark.row("B2")
def test_arguments_go_before_the_settings():
    with override_settings(
        EMAIL_HOST="a.example.com", EMAIL_HOST_USER="a", EMAIL_USE_TLS=True, EMAIL_TIMEOUT=7
    ):
        made = EmailBackend(
            host="b.example.com", username="", password="b", use_tls=False, timeout=3
        )
    assert (made.host, made.username, made.password) == ("b.example.com", "", "b")
    assert (made.use_tls, made.timeout) == (False, 3)


@pytest.mark.row("B2")
def test_the_order_of_the_arguments():
    made = EmailBackend("mx.example.com", 26, "u", "p", False, True, True, 5, "key", "cert")
    assert (made.host, made.port, made.username, made.password) == ("mx.example.com", 26, "u", "p")
    assert (made.use_tls, made.fail_silently, made.use_ssl, made.timeout) == (False, True, True, 5)
    assert (made.ssl_keyfile, made.ssl_certfile) == ("key", "cert")


@pytest.mark.row("B2", "B6")
def test_options_of_mailers_stand_alone():
    """A mailer with OPTIONS of its own must not log in at its host with the password for another."""
    options = {"host": "bulk.example.com", "username": "bulk"}
    with override_settings(
        MAILERS={"bulk": {"OPTIONS": options}}, EMAIL_HOST_PASSWORD="other", EMAIL_TIMEOUT=7
    ):
        made = mailers["bulk"]
    assert isinstance(made, EmailBackend)
    assert (made.alias, made.host, made.username) == ("bulk", "bulk.example.com", "bulk")
    assert (made.password, made.timeout) == ("", None)


@pytest.mark.row("B6")
def test_a_mailer_needs_a_host():
    entry = {"OPTIONS": {"port": 25}}
    with (
        override_settings(MAILERS={"bulk": entry}, EMAIL_HOST="mx.example.com"),
        pytest.raises(InvalidMailer, match=r"'bulk'.*'host'"),
    ):
        mailers["bulk"]


@pytest.mark.row("B6")
@pytest.mark.parametrize(
    ("security", "port"), [({}, 25), ({"use_tls": True}, 587), ({"use_ssl": True}, 465)]
)
def test_the_port_follows_the_security(security, port):
    assert EmailBackend("mx.example.com", **security).port == port
    assert EmailBackend("mx.example.com", 2525, **security).port == 2525
    with override_settings(MAILERS={"bulk": {"OPTIONS": {"host": "mx.example.com", **security}}}):
        assert mailers["bulk"].port == port


@pytest.mark.row("B6")
@pytest.mark.parametrize(
    ("security", "port"),
    [({}, 25), ({"EMAIL_USE_TLS": True}, 587), ({"EMAIL_USE_SSL": True}, 465)],
)
def test_the_port_follows_the_security_in_the_settings(security, port):
    configure(**security)
    assert EmailBackend().port == port
    configure(EMAIL_PORT=25, **security)
    assert EmailBackend().port == 25


@pytest.mark.row("B2")
@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"port": 70_000}, "EMAIL_PORT"),
        ({"port": "25"}, "EMAIL_PORT"),
        ({"port": -1}, "EMAIL_PORT"),
        ({"timeout": 0}, "EMAIL_TIMEOUT"),
        ({"timeout": -1}, "EMAIL_TIMEOUT"),
    ],
)
def test_values_that_cannot_be_are_refused(options, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        EmailBackend(**options)


@pytest.mark.row("B2")
def test_the_timeout_can_be_changed_before_opening():
    with RawServer(lambda connection: connection.recv(1)) as silent:
        backend = backend_for(silent, timeout=600)
        backend.timeout = 0.1
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            backend.open()


# -- whose connection ---------------------------------------------------------------------------


@pytest.mark.row("B3")
def test_open_says_whether_it_did_something(smtp_server):
    backend = backend_for(smtp_server)
    assert backend.open() is True
    assert backend.open() is False
    backend.close()
    assert backend.connection is None
    assert backend.open() is True
    backend.close()
    assert smtp_server.connections == 2


@pytest.mark.row("B3", "B7")
def test_open_that_fails_silently_says_none():
    backend = EmailBackend("127.0.0.1", closed_port(), fail_silently=True)
    assert backend.open() is None
    assert backend.connection is None


@pytest.mark.row("B3")
def test_open_that_fails_is_an_error():
    backend = EmailBackend("127.0.0.1", closed_port())
    with pytest.raises(ConnectionRefusedError):
        backend.open()
    assert backend.connection is None


@pytest.mark.row("B3")
def test_messages_sent_together_share_a_connection_that_is_closed_after(smtp_server):
    backend = backend_for(smtp_server)
    assert backend.send_messages([message(), message(), message()]) == 3
    assert backend.connection is None
    wait_until_closed(smtp_server)
    assert [envelope.connection for envelope in smtp_server.messages] == [1, 1, 1]
    assert smtp_server.said[-1].startswith("221")


@pytest.mark.row("B3")
def test_a_connection_that_was_opened_stays(smtp_server):
    with backend_for(smtp_server) as backend:
        backend.send_messages([message()])
        assert backend.connection is not None
        backend.send_messages([message()])
        assert smtp_server.open_connections == 1
    wait_until_closed(smtp_server)
    assert [envelope.connection for envelope in smtp_server.messages] == [1, 1]


@pytest.mark.row("B3")
@pytest.mark.parametrize("messages", [[], [message(to=[])]])
def test_nothing_to_send_makes_no_connection(smtp_server, messages):
    assert backend_for(smtp_server).send_messages(messages) == 0
    assert smtp_server.connections == 0


@pytest.mark.row("B3")
def test_closing_what_is_closed_does_nothing():
    backend = EmailBackend()
    backend.close()
    backend.close()


@pytest.mark.row("B3")
def test_a_server_that_is_gone_does_not_disturb_closing(smtp_server):
    backend = backend_for(smtp_server)
    backend.open()
    client = backend.connection
    smtp_server.stop()
    backend.close()
    assert backend.connection is None
    assert client.sock is None


@pytest.mark.row("B3")
@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["554 5.3.2 not now"], smtplib.SMTPConnectError),
        (["hello"], smtplib.SMTPConnectError),
        (["220 mx", "500 what", "500 what"], smtplib.SMTPException),
    ],
)
@pytest.mark.parametrize("fail_silently", [False, True])
def test_a_half_open_connection_is_closed(lines, error, fail_silently):
    with RawServer(replies(*lines)) as server:
        backend = backend_for(server, username="u", password="p", fail_silently=fail_silently)
        if fail_silently:
            assert backend.open() is None
        else:
            with pytest.raises(error):
                backend.open()
        assert backend.connection is None
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B3")
def test_a_connection_is_closed_when_the_program_is_interrupted():
    def token():
        raise KeyboardInterrupt

    with RawServer(replies("220 mx", "250-mx\r\n250 AUTH XOAUTH2")) as server:
        with pytest.raises(KeyboardInterrupt):
            backend_for(server, username="u", oauth2_token=token).open()
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B3")
def test_threads_that_share_a_backend_take_turns(smtp_server):
    backend = backend_for(smtp_server)
    together, counts = threading.Barrier(4), []

    def send(number):
        together.wait(PATIENCE)
        counts.append(backend.send_messages([message(f"{number}"), message(f"{number}")]))

    threads = [threading.Thread(target=send, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert counts == [2, 2, 2, 2]
    subjects = [envelope.message["Subject"] for envelope in smtp_server.messages]
    assert subjects[::2] == subjects[1::2]
    assert sorted(subjects[::2]) == ["0", "1", "2", "3"]


@pytest.mark.row("B3")
def test_messages_from_a_generator_that_fails_close_the_connection(smtp_server):
    def messages():
        yield message()
        raise LookupError("of the program")

    with pytest.raises(LookupError):
        backend_for(smtp_server).send_messages(messages())
    wait_until_closed(smtp_server)
    assert len(smtp_server.messages) == 1


# -- what is sent -------------------------------------------------------------------------------


@pytest.mark.row("B8")
def test_the_envelope_has_addresses_without_names(smtp_server):
    sent = message(
        from_email='"Shop, the" <shop@example.com>',
        to=["Jane Doe <jane@example.com>"],
        cc=["Jörg <joe@example.com>"],
        bcc=["hidden@example.com"],
    )
    backend_for(smtp_server).send_messages([sent])
    (arrived,) = smtp_server.messages
    assert arrived.mail_from == "shop@example.com"
    assert arrived.rcpt_tos == ["jane@example.com", "joe@example.com", "hidden@example.com"]
    assert b"hidden@example.com" not in arrived.content


@pytest.mark.row("B8")
def test_domains_of_the_envelope_are_in_idna(smtp_server):
    sent = message(from_email="Shop <shop@bücher.example>", to=["Jane <jane@exämple.com>"])
    backend_for(smtp_server).send_messages([sent])
    (arrived,) = smtp_server.messages
    assert arrived.mail_from == "shop@xn--bcher-kva.example"
    assert arrived.rcpt_tos == ["jane@xn--exmple-cua.com"]


@pytest.mark.row("B9")
@pytest.mark.parametrize(
    "changes", [{"to": ["jörg@example.com"]}, {"from_email": "jörg@example.com"}]
)
@pytest.mark.parametrize("fail_silently", [False, True])
def test_other_letters_before_the_at_sign_are_refused(smtp_server, changes, fail_silently):
    backend = backend_for(smtp_server, fail_silently=fail_silently)
    with pytest.raises(ValueError, match="jörg"):
        backend.send_messages([message(**changes)])
    assert smtp_server.connections == 0


@pytest.mark.row("B8")
@pytest.mark.parametrize("body", ["a\nb", "a\r\nb\r\n", "a\rb\n\rc", "Grüße\nb", "Grüße\rb\n"])
def test_every_line_ends_with_crlf(smtp_server, body):
    backend_for(smtp_server).send_messages([message(body=body)])
    (arrived,) = smtp_server.messages
    rest = arrived.content.replace(b"\r\n", b"")
    assert b"\n" not in rest
    assert b"\r" not in rest
    text = arrived.message.get_payload(decode=True).decode()
    assert text.splitlines() == body.splitlines()


@pytest.mark.row("B8")
@pytest.mark.parametrize("body", [".", "..", "a\n.\nb", ".a\n..b\n...", "a\n.\nMAIL FROM:<x@y>\n"])
def test_lines_that_begin_with_dots_arrive_as_they_are(smtp_server, body):
    with backend_for(smtp_server) as backend:
        backend.send_messages([message(body=body), message("next")])
    first, second = smtp_server.messages
    text = first.content.partition(b"\r\n\r\n")[2].decode().replace("\r\n", "\n")
    assert text.rstrip("\n") == body.rstrip("\n")
    assert second.message["Subject"] == "next"


@pytest.mark.row("B8")
def test_a_server_with_8bitmime_gets_8_bit_and_is_told(smtp_server):
    backend_for(smtp_server).send_messages([message(body="Grüße")])
    (arrived,) = smtp_server.messages
    assert "Grüße".encode() in arrived.content
    assert arrived.mail_options == ["BODY=8BITMIME"]


@pytest.mark.row("B8")
def test_a_server_without_8bitmime_gets_ascii(smtp_server):
    smtp_server.eight_bit = False
    backend_for(smtp_server).send_messages([message(body="Grüße")])
    (arrived,) = smtp_server.messages
    assert arrived.content.isascii()
    assert arrived.message.get_content().rstrip("\r\n") == "Grüße"
    assert arrived.mail_options == []


@pytest.mark.row("B8")
def test_a_large_message_arrives_whole(smtp_server):
    body = "\n".join(f"{number:070}" for number in range(5000))
    backend_for(smtp_server).send_messages([message(body=body)])
    content = smtp_server.messages[0].content.partition(b"\r\n\r\n")[2]
    assert content.decode().replace("\r\n", "\n").rstrip("\n") == body


# -- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.row("B7")
@pytest.mark.parametrize("reply", ["501 5.1.7 no", "550 5.7.1 not yours", "553 5.7.1 not owned"])
def test_a_sender_that_is_not_who_logged_in_names_the_settings(smtp_server, reply):
    smtp_server.mechanisms = ("PLAIN",)
    smtp_server.refuse_sender = reply
    backend = backend_for(smtp_server, username=smtp_server.username, password=smtp_server.password)
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        backend.send_messages([message()])
    assert (caught.value.smtp_code, caught.value.sender) == (int(reply[:3]), "from@example.com")
    text = caught.value.smtp_error.decode()
    assert text.startswith(reply[4:])
    for name in ("SERVER_EMAIL", "DEFAULT_FROM_EMAIL", "EMAIL_HOST_USER"):
        assert name in text
        assert name in str(caught.value)


@pytest.mark.row("B7")
@pytest.mark.parametrize(
    ("reply", "sender", "has_login"),
    [
        ("550 5.7.1 no", "from@example.com", False),
        ("550 5.7.1 no", "USER@example.com", True),
        ("452 4.3.1 disk full", "from@example.com", True),
    ],
)
def test_a_sender_refused_for_another_reason_gets_no_advice(smtp_server, reply, sender, has_login):
    smtp_server.mechanisms = ("PLAIN",)
    smtp_server.refuse_sender = reply
    login = {"username": smtp_server.username, "password": smtp_server.password}
    backend = backend_for(smtp_server, **(login if has_login else {}))
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        backend.send_messages([message(from_email=sender)])
    assert caught.value.smtp_error == reply[4:].encode()


@pytest.mark.row("B7")
def test_one_refused_recipient_of_three_is_told_and_the_others_get_it(smtp_server, caplog):
    smtp_server.refuse_recipients = {"b@example.com": "550 5.1.1 no such user"}
    sent = message(to=["a@example.com", "b@example.com", "c@example.com"])
    with caplog.at_level(logging.WARNING, "errormail.mail"):
        assert backend_for(smtp_server).send_messages([sent]) == 1
    assert smtp_server.messages[0].rcpt_tos == ["a@example.com", "c@example.com"]
    (record,) = caplog.records
    assert "b@example.com (550)" in record.getMessage()
    assert "a@example.com" not in record.getMessage()


@pytest.mark.row("B7")
def test_a_message_that_all_recipients_are_refused_for_is_an_error(smtp_server):
    smtp_server.refuse_recipients = {"*": "550 5.1.1 no such user"}
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        backend_for(smtp_server).send_messages([message()])
    assert caught.value.recipients["to@example.com"][0] == 550
    wait_until_closed(smtp_server)


@pytest.mark.row("B7")
@pytest.mark.parametrize(
    "trouble",
    [
        {"refuse_sender": "550 no"},
        {"refuse_recipients": {"*": "550 no"}},
        {"refuse_data": "554 5.7.1 looks like spam"},
    ],
)
def test_a_message_after_a_refused_one_goes_over_the_same_connection(smtp_server, trouble):
    for name, value in trouble.items():
        setattr(smtp_server, name, value)
    with backend_for(smtp_server) as backend:
        with pytest.raises(smtplib.SMTPException):
            backend.send_messages([message("refused")])
        for name, value in trouble.items():
            setattr(smtp_server, name, type(value)())
        assert backend.send_messages([message("taken")]) == 1
    (arrived,) = smtp_server.messages
    assert arrived.message["Subject"] == "taken"
    assert smtp_server.connections == 1


@pytest.mark.row("B7")
def test_a_refused_message_does_not_keep_others_back_if_it_fails_silently(smtp_server):
    smtp_server.refuse_recipients = {"no@example.com": "550 no"}
    backend = backend_for(smtp_server, fail_silently=True)
    messages = [message("1"), message("2", to=["no@example.com"]), message("3")]
    assert backend.send_messages(messages) == 2
    assert [envelope.message["Subject"] for envelope in smtp_server.messages] == ["1", "3"]
    assert smtp_server.connections == 1


@pytest.mark.row("B7", "B3")
def test_a_server_that_vanishes_in_data_is_an_error_and_the_next_connection_is_new(smtp_server):
    smtp_server.vanish_in_data = True
    backend = backend_for(smtp_server)
    backend.open()
    client = backend.connection
    with pytest.raises(OSError):  # noqa: PT011 -- what it says depends on the platform
        backend.send_messages([message(body="x" * 70 + "\n" * 3)])
    assert backend.connection is None
    assert client.sock is None
    smtp_server.vanish_in_data = False
    assert backend.send_messages([message()]) == 1
    assert smtp_server.connections == 2


@pytest.mark.row("B7")
def test_a_server_that_vanishes_after_a_message_is_passed_over_silently(smtp_server):
    smtp_server.vanish_after = 1
    backend = backend_for(smtp_server, fail_silently=True)
    assert backend.send_messages([message("1"), message("2")]) == 1
    wait_until_closed(smtp_server)
    assert [envelope.message["Subject"] for envelope in smtp_server.messages] == ["1", "2"]
    assert [envelope.connection for envelope in smtp_server.messages] == [1, 2]


@pytest.mark.row("B7")
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fail_silently", [False, True])
def test_a_server_that_falls_silent_is_given_up(smtp_server, command, fail_silently):
    smtp_server.stall = command
    backend = backend_for(smtp_server, timeout=0.2, fail_silently=fail_silently)
    if fail_silently:
        assert backend.send_messages([message()]) == 0
    else:
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            backend.send_messages([message()])
    assert backend.connection is None
    wait_until_closed(smtp_server)


@pytest.mark.row("B7", "B3")
@pytest.mark.parametrize("use_ssl", [False, True])
def test_a_server_that_does_not_even_greet_is_given_up(use_ssl):
    def listen(connection):
        while connection.recv(65536):
            pass

    with RawServer(listen) as server:
        with pytest.raises(OSError, match="timed out"):
            backend_for(server, timeout=0.2, use_ssl=use_ssl).open()
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B7")
def test_a_greeting_without_end_is_cut_off():
    with RawServer(endless_greeting) as server:
        with pytest.raises(smtplib.SMTPResponseException, match=f"more than {REPLY_LINES} lines"):
            backend_for(server).open()
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B7")
def test_a_line_without_end_is_cut_off():
    def endless_line(connection):
        while True:
            connection.sendall(b"220 " + b"x" * 1000)

    with RawServer(endless_line) as server:
        with pytest.raises(smtplib.SMTPResponseException, match="too long"):
            backend_for(server).open()
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B7")
def test_an_answer_that_comes_byte_by_byte_has_to_be_complete_in_time():
    """Each byte comes long before the timeout: what counts is the whole."""
    gone = threading.Event()

    def drip(connection):
        try:
            while not gone.wait(0.05):
                connection.sendall(b"2")
        finally:
            gone.set()

    with RawServer(drip) as server:
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            backend_for(server, timeout=0.3).open()
        assert gone.wait(PATIENCE)


@pytest.mark.row("B7")
@pytest.mark.parametrize("answer", ["", "abc", "99", "\0\xff", "250"])
def test_nonsense_in_place_of_answers_is_a_delivery_error(answer):
    with RawServer(replies(*FIRST_REPLIES, answer, answer, answer, answer)) as server:
        backend = backend_for(server, timeout=0.5, fail_silently=True)
        assert backend.send_messages([message()]) == 0
        assert server.closed.wait(PATIENCE)


@pytest.mark.row("B7")
@pytest.mark.parametrize(
    "wrong", [{"subject": "one\ntwo"}, {"to": ["a@example.com, b@example.com"]}]
)
def test_mistakes_of_the_caller_are_raised_even_if_it_fails_silently(smtp_server, wrong):
    with pytest.raises(ValueError):  # noqa: PT011 -- their texts are the business of other tests
        backend_for(smtp_server, fail_silently=True).send_messages([message(**wrong)])
    assert smtp_server.connections == 0


@pytest.mark.row("B7", "B3")
def test_a_mistake_after_a_right_message_closes_the_connection(smtp_server):
    backend = backend_for(smtp_server)
    with pytest.raises(BadHeaderError):
        backend.send_messages([message("right"), message("one\ntwo")])
    assert backend.connection is None
    wait_until_closed(smtp_server)
    assert len(smtp_server.messages) == 1


@pytest.mark.row("B7")
def test_without_a_server_nothing_is_sent_silently():
    backend = EmailBackend("127.0.0.1", closed_port(), fail_silently=True)
    assert backend.send_messages([message(), message()]) == 0


@pytest.mark.row("B7")
def test_a_host_that_does_not_exist_is_a_delivery_error():
    assert EmailBackend("no-such-host.invalid", fail_silently=True).open() is None
    with pytest.raises(OSError):  # noqa: PT011 -- what it says depends on the platform
        EmailBackend("no-such-host.invalid").open()


@pytest.mark.row("B7")
def test_send_mail_hands_its_silence_on():
    with override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=closed_port()):
        sent = send_mail("s", "b", "from@example.com", ["to@example.com"], fail_silently=True)
        assert sent == 0
        with pytest.raises(ConnectionRefusedError):
            send_mail("s", "b", "from@example.com", ["to@example.com"])


@pytest.mark.row("B3")
def test_what_is_said_in_ehlo_is_a_name_or_an_address(smtp_server):
    backend_for(smtp_server).send_messages([message()])
    (said,) = [command for command in smtp_server.commands if command.startswith("EHLO")]
    name = said.removeprefix("EHLO ")
    assert name == "[127.0.0.1]" or "." in name


@pytest.mark.row("B3")
def test_two_servers_one_after_the_other():
    backend = EmailBackend("127.0.0.1", 1)
    for _ in range(2):
        with SmtpServer() as server:
            backend.port = server.port
            assert backend.send_messages([message()]) == 1
            wait_until_closed(server)


@pytest.mark.row("B6")
@pytest.mark.parametrize("security", ["EMAIL_USE_TLS", "EMAIL_USE_SSL"])
def test_a_port_that_is_given_counts_even_if_it_is_the_default(security):
    configure(EMAIL_PORT=25, **{security: True})
    assert EmailBackend().port == 25


@pytest.mark.row("B3", "B7")
def test_a_message_after_a_refused_data_command_begins_anew():
    """The server refuses before the content: without RSET, the next MAIL would come within this transaction."""
    heard = []

    def script(connection):
        answers = {b"EHLO": "250 mx", b"DATA": "451 4.3.0 later", b"QUIT": "221 bye"}
        connection.sendall(b"220 mx\r\n")
        while said := connection.recv(65536):
            heard.append(said[:4].upper())
            connection.sendall(answers.get(heard[-1], "250 OK").encode() + b"\r\n")

    with RawServer(script) as server:
        with backend_for(server, fail_silently=True) as backend:
            assert backend.send_messages([message(), message()]) == 0
        assert server.closed.wait(PATIENCE)
    once = [b"MAIL", b"RCPT", b"DATA", b"RSET"]
    assert heard == [b"EHLO", *once, *once, b"QUIT"]


@pytest.mark.row("B8")
def test_a_part_that_the_program_made_with_bare_lf_arrives_with_crlf(smtp_server):
    """The standard library writes such a payload as it is."""
    part = MIMEBase("message", "rfc822")
    part.set_payload("Subject: inner\n\n.\nMAIL FROM:<evil@example.com>\r\r\n")
    backend_for(smtp_server).send_messages([message(attachments=[part]), message("next")])
    first, second = smtp_server.messages
    rest = first.content.replace(b"\r\n", b"")
    assert b"Subject: inner\r\n\r\n.\r\nMAIL FROM" in first.content
    assert b"\n" not in rest
    assert b"\r" not in rest
    assert second.message["Subject"] == "next"


@pytest.mark.row("B8")
def test_an_address_stands_in_angle_brackets_whatever_is_in_it():
    """RFC 5321 section 4.1.1.2; smtplib takes such an address apart in its own way."""
    heard = []

    def script(connection):
        connection.sendall(b"220 mx\r\n")
        while said := connection.recv(65536):
            heard.append(said.decode().rstrip())
            connection.sendall(b"354 go on\r\n" if said[:4].upper() == b"DATA" else b"250 OK\r\n")

    with RawServer(script) as server:
        to = ['"a>b c" <"x> y"@example.com>', r'"q\"\\"@example.com', "root", "a@[192.0.2.1]"]
        backend_for(server).send_messages([message(to=to)])
        assert server.closed.wait(PATIENCE)
    assert heard[1:6] == [
        "MAIL FROM:<from@example.com>",
        'RCPT TO:<"x> y"@example.com>',
        r'RCPT TO:<"q\"\\"@example.com>',
        "RCPT TO:<root>",
        "RCPT TO:<a@[192.0.2.1]>",
    ]


@pytest.mark.row("B7")
def test_a_host_that_cannot_be_one_is_a_mistake_and_never_silent():
    for host in ("ü" * 100 + ".example", "ü..example"):
        with pytest.raises(ValueError, match="not the name of a domain"):
            EmailBackend(host, 25, fail_silently=True).open()
