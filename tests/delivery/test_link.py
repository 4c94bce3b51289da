"""One connection for what goes the same way, opened again when the server has gone."""

from __future__ import annotations

import smtplib
import socket

import pytest

from actors.jobs import RECORDER, Recorder, job, to
from actors.smtp import RawServer, SmtpServer, replies
from errormail import conf, mail
from errormail.delivery import link as link_module
from errormail.delivery.compose import compose
from errormail.delivery.link import Link, NothingSent, smtp_code


@pytest.fixture
def link():
    own = Link()
    yield own
    own.close()


def send(link, destination, **more):
    email = compose(job(destination))
    with conf.using(destination.settings):
        link.send(email, destination, **more)
    return email


def sever(server):
    """Close all connections from the server's side."""
    for transport in list(server._transports):
        server._loop.call_soon_threadsafe(transport.abort)
    server.wait_until(lambda: server.open_connections == 0)


def test_what_goes_the_same_way_uses_one_connection(link, smtp_server):
    destination = to(smtp_server.port)
    for _ in range(3):
        send(link, destination)
    assert [each.connection for each in smtp_server.wait_for(3)] == [1, 1, 1]


def test_another_way_is_another_connection(link):
    one, two = to(email_backend=RECORDER, SERVICE="one"), to(email_backend=RECORDER, SERVICE="two")
    for destination in (one, two):
        send(link, destination)
    assert Recorder.steps() == ["open", "send", "close", "open", "send"]
    assert [fact[1] for step, fact in Recorder.log if step == "send"] == ["one", "two"]


def test_an_alias_of_mailers_is_a_way(link, smtp_server):
    mailers = {
        "ops": {
            "BACKEND": "errormail.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": smtp_server.port},
        }
    }
    send(link, to(using="ops", MAILERS=mailers))
    assert len(smtp_server.wait_for(1)) == 1
    assert link.name == f"127.0.0.1:{smtp_server.port}"


@pytest.mark.parametrize(("own", "used"), [(None, 10.0), (3.0, 3.0), (60.0, 10.0)])
def test_one_answer_of_the_server_is_waited_for_ten_seconds_at_most(link, own, used):
    send(link, to(email_backend=RECORDER, EMAIL_TIMEOUT=own))
    assert Recorder.log[0] == ("open", used)


def test_less_time_shortens_the_wait(link):
    send(link, to(email_backend=RECORDER), longest_wait=0.5)
    assert Recorder.log[0] == ("open", 0.5)


def test_a_connection_that_the_server_ended_meanwhile_is_made_again(link, smtp_server):
    destination = to(smtp_server.port)
    send(link, destination)
    sever(smtp_server)
    send(link, destination)
    assert [each.connection for each in smtp_server.wait_for(2)] == [1, 2]


def test_a_server_that_says_goodbye_is_asked_again():
    refusal = smtplib.SMTPSenderRefused(421, b"closing", "shop@example.com")
    Recorder.trouble["send"] = [None, refusal]
    link, destination = Link(), to(email_backend=RECORDER)
    for _ in range(2):
        send(link, destination)
    assert Recorder.steps() == ["open", "send", "send", "close", "open", "send"]


def test_a_lost_reply_sends_the_same_message_again(link):
    with SmtpServer(vanish_after=2) as server:
        destination = to(server.port)
        send(link, destination)
        send(link, destination)
        first, second, third = (each.message["Message-ID"] for each in server.wait_for(3))
    assert first != second == third


def test_a_new_connection_that_breaks_is_not_tried_again(link):
    with SmtpServer(vanish_in_data=True) as server:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(link, to(server.port))
        assert server.connections == 1
    assert not link.is_open


def test_a_timeout_is_not_waited_for_twice(link, smtp_server):
    destination = to(smtp_server.port, EMAIL_TIMEOUT=0.2)
    send(link, destination)
    smtp_server.stall = "MAIL"
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(link, destination)
    assert smtp_server.connections == 1
    smtp_server.wait_until(lambda: smtp_server.open_connections == 0)


def test_after_a_timeout_nobody_waits_for_the_goodbye(link):
    """QUIT to a server that says nothing would take as long again."""
    heard = []

    def script(connection):
        replies_of_greeting = b"220 hello\r\n", b"250 go on\r\n"
        for reply in replies_of_greeting:
            connection.sendall(reply)
            heard.append(connection.recv(65536))
        while data := connection.recv(65536):
            heard.append(data)

    with RawServer(script) as server:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(link, to(server.port, EMAIL_TIMEOUT=0.2))
        assert server.closed.wait(30)
    assert not any(line.upper().startswith(b"QUIT") for line in heard)


@pytest.mark.parametrize("refusal", ["550 no such user", "554 no"])
def test_a_refusal_leaves_the_connection_as_it_is(link, smtp_server, refusal):
    destination = to(smtp_server.port)
    smtp_server.refuse_data = refusal
    with pytest.raises(smtplib.SMTPException):
        send(link, destination)
    assert link.is_open
    smtp_server.refuse_data = ""
    send(link, destination)
    assert smtp_server.wait_for(1)[0].connection == 1


def test_a_refusal_for_now_ends_the_connection(link, smtp_server):
    smtp_server.refuse_sender = "451 later"
    with pytest.raises(smtplib.SMTPException):
        send(link, to(smtp_server.port))
    assert not link.is_open


def test_a_login_that_fails_leaves_no_connection(link):
    Recorder.trouble["open"] = [smtplib.SMTPAuthenticationError(535, b"no")]
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(link, to(email_backend=RECORDER))
    assert not link.is_open
    assert Recorder.steps() == ["open", "close"]


def test_a_backend_that_sends_nothing_in_silence_is_found_out(link):
    Recorder.count = 0
    with pytest.raises(NothingSent):
        send(link, to(email_backend=RECORDER))


def test_a_backend_that_does_not_count_is_believed(link):
    Recorder.count = None
    send(link, to(email_backend=RECORDER))
    assert link.is_open


def test_a_close_that_fails_is_no_failure(link):
    send(link, to(email_backend=RECORDER))
    Recorder.trouble["close"] = [OSError()]
    link.close()
    assert not link.is_open
    assert Recorder.steps()[-1] == "close"


def test_a_child_says_nothing_to_the_server(smtp_server):
    link, destination = Link(), to(smtp_server.port)
    send(link, destination)
    said = len(smtp_server.said)
    link.forget()
    assert not link.is_open
    smtp_server.wait_until(lambda: smtp_server.open_connections == 0)
    assert smtp_server.said[said:] == []


def test_a_child_can_forget_any_backend():
    link = Link()
    link.forget()
    send(link, to(email_backend=RECORDER))
    link.forget()
    assert Recorder.steps() == ["open", "send"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (smtplib.SMTPDataError(552, b"too big"), 552),
        (smtplib.SMTPRecipientsRefused({"a": (550, b""), "b": (451, b"")}), 451),
        (smtplib.SMTPRecipientsRefused({}), None),
        (smtplib.SMTPRecipientsRefused({"a": "odd"}), None),  # type: ignore[dict-item] -- odd on purpose
        (smtplib.SMTPServerDisconnected("gone"), None),
        (ValueError(), None),
    ],
)
def test_the_reply_code_of_an_error(error, code):
    assert smtp_code(error) == code


def test_a_server_is_named_before_anything_is_known_of_it(link):
    with pytest.raises(Exception, match="nowhere"):
        send(link, to(using="nowhere"))
    assert link.name == "nowhere"


def test_a_dead_port_is_named(link):
    with RawServer(replies()) as server:
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        send(link, to(port))
    assert link.name == f"127.0.0.1:{port}"


def test_the_first_look_up_of_a_process_is_not_cut_by_a_fork(link, monkeypatch, smtp_server):
    """A child that is forked in the midst of it would hang in its own."""
    held = []

    def look_up(*_):
        held.append(link_module.undivided.is_held)
        raise OSError

    class Undivided:
        is_held = False

        def __call__(self):
            return self

        def __enter__(self):
            self.is_held = True

        def __exit__(self, *_):
            self.is_held = False

    monkeypatch.setattr(link_module, "undivided", Undivided())
    monkeypatch.setattr(link_module, "_is_prepared", False)
    monkeypatch.setattr(socket, "getfqdn", look_up)
    monkeypatch.setattr(mail.DNS_NAME, "_fqdn", "")
    with pytest.raises(OSError, match=r"^$"):
        send(link, to(smtp_server.port))  # the backend looks it up again, and fails in its place
    monkeypatch.setattr(mail.DNS_NAME, "_fqdn", "host.example.com")
    send(link, to(smtp_server.port))
    assert held == [True, False]
