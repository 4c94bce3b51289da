"""send_mail and its like: what they take, what they return, to whom they send."""

from __future__ import annotations

import socket

import pytest

from errormail import conf, mail
from errormail.exceptions import ImproperlyConfigured
from errormail.mail import (
    get_connection,
    mail_admins,
    mail_managers,
    send_mail,
    send_mass_mail,
)
from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.backends.locmem import EmailBackend as LocmemBackend

TO = ["Jane <jane@example.com>", "joe@example.com"]
LOCMEM = "errormail.mail.backends.locmem.EmailBackend"
BULK = {"bulk": {"BACKEND": LOCMEM}}


class Lazy:
    """As Django's lazy translations: no str, but with a __str__."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


class Recording(BaseEmailBackend):
    """Notes what happens to it."""

    made: list[Recording] = []  # noqa: RUF012 -- emptied by a fixture

    def __init__(self, *args, username=None, password=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.login = (username, password)
        self.sent = []
        self.made.append(self)

    def send_messages(self, email_messages):
        self.sent.append(list(email_messages))
        return len(self.sent[-1])


@pytest.fixture
def recording():
    Recording.made.clear()
    with conf.override_settings(EMAIL_BACKEND=f"{__name__}.Recording"):
        yield Recording.made


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _module())


def _module():
    import types

    module = types.ModuleType(__name__)
    module.Recording = Recording
    return module


@pytest.fixture
def no_server():
    """The settings of a mail server that is not there: whoever connects fails."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with conf.override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=port):
        yield


@pytest.mark.row("F1", "F2", "F3", "F4", "F6")
def test_send_mail_sends_one_message_to_all_with_text_before_html(smtp_server):
    with conf.override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=smtp_server.port):
        sent = send_mail("Subject", "text\n", "Shop <shop@example.com>", TO, html_message="<p>html")
    assert sent == 1
    (envelope,) = smtp_server.wait_for(1)
    message = envelope.message
    assert envelope.mail_from == "shop@example.com"
    assert envelope.rcpt_tos == ["jane@example.com", "joe@example.com"]
    assert message.get_all("To") == ["Jane <jane@example.com>, joe@example.com"]
    assert message["From"] == "Shop <shop@example.com>"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@pytest.mark.row("F1")
def test_send_mail_takes_the_older_positional_order(recording):
    connection = Recording()
    assert send_mail("s", "b", "a@example.com", TO, False, None, None, connection, "<p>h") == 1
    ((message,),) = connection.sent
    assert message.alternatives[0].content == "<p>h"
    assert recording == [connection]


@pytest.mark.row("F2")
@pytest.mark.parametrize("recipients", [[], [""], None])
def test_without_recipients_nothing_is_sent_and_nobody_is_connected(recipients, no_server):
    assert send_mail("s", "b", None, recipients) == 0


@pytest.mark.row("F5")
@pytest.mark.parametrize("sender", [None, ""])
def test_the_default_sender(sender, outbox):
    with conf.override_settings(DEFAULT_FROM_EMAIL="us@example.com"):
        send_mail("s", "b", sender, TO)
    assert mail.outbox[0].from_email == "us@example.com"


@pytest.mark.row("F7", "F8")
def test_send_mass_mail_sends_all_over_one_connection(smtp_server):
    data = [(f"s{number}", "b", "a@example.com", ["c@example.com"]) for number in range(3)]
    with conf.override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=smtp_server.port):
        assert send_mass_mail(tuple(data)) == 3
    messages = smtp_server.wait_for(3)
    assert [each.message["Subject"] for each in messages] == ["s0", "s1", "s2"]
    assert smtp_server.connections == 1


@pytest.mark.row("F7")
def test_send_mass_mail_takes_an_iterator_and_a_connection():
    connection = Recording()
    assert send_mass_mail(iter([("s", "b", None, TO)]), connection=connection) == 1


@pytest.mark.row("F9")
def test_auth_user_and_auth_password_are_the_login_of_the_backend(recording):
    send_mail("s", "b", None, TO, auth_user="me", auth_password="pw")
    send_mass_mail([("s", "b", None, TO)], auth_user="me", auth_password="pw")
    assert [each.login for each in recording] == [("me", "pw"), ("me", "pw")]


@pytest.mark.row("F10", "F11")
@pytest.mark.parametrize(
    ("function", "setting"), [(mail_admins, "ADMINS"), (mail_managers, "MANAGERS")]
)
def test_mail_to_those_who_run_the_program(function, setting, outbox):
    people = ["ops@example.com", "Ops <ops2@example.com>", ("Jane, the boss", "jane@example.com")]
    with conf.override_settings(
        **{setting: people}, SERVER_EMAIL="shop@example.com", EMAIL_SUBJECT_PREFIX="[shop] "
    ):
        assert function("Subject", "text", html_message="<p>html") is None
    (message,) = mail.outbox
    assert message.subject == "[shop] Subject"
    assert message.from_email == "shop@example.com"
    assert message.message()["To"] == (
        'ops@example.com, Ops <ops2@example.com>, "Jane, the boss" <jane@example.com>'
    )
    assert message.alternatives[0].content == "<p>html"


@pytest.mark.row("F12")
@pytest.mark.parametrize("function", [mail_admins, mail_managers])
@pytest.mark.parametrize(
    "people", ["ops@example.com", ["a b"], [("a", "b", "c")], [None], {"a@b.c"}]
)
def test_a_wrong_shape_is_refused_when_it_is_used(function, people, outbox):
    with (
        conf.override_settings(ADMINS=people, MANAGERS=people),
        pytest.raises(ImproperlyConfigured, match=r"ADMINS|MANAGERS"),
    ):
        function("s", "b")


@pytest.mark.row("F13")
@pytest.mark.parametrize("function", [mail_admins, mail_managers])
@pytest.mark.parametrize("nobody", [[], ()])
def test_nobody_to_mail_is_no_connection(function, nobody, no_server):
    with conf.override_settings(ADMINS=nobody, MANAGERS=nobody):
        function("s", "b")


@pytest.mark.row("F14")
def test_objects_with_a_str_are_text(outbox):
    send_mail(
        Lazy("Sübject"), Lazy("text"), Lazy("a@example.com"), [Lazy("Jane <jane@example.com>")]
    )
    with conf.override_settings(
        ADMINS=[Lazy("ops@example.com")], EMAIL_SUBJECT_PREFIX=Lazy("[x] ")
    ):
        mail_admins(Lazy("s"), "b")
    message = mail.outbox[0].message()
    assert (message["Subject"], message["To"]) == ("Sübject", "Jane <jane@example.com>")
    assert message.get_content() == "text\n" or message.get_content() == "text"
    assert mail.outbox[1].message()["Subject"] == "[x] s"


@pytest.mark.row("F15")
def test_get_connection_by_path_and_by_the_settings():
    assert isinstance(get_connection(LOCMEM), LocmemBackend)
    with conf.override_settings(EMAIL_BACKEND=LOCMEM):
        assert isinstance(get_connection(), LocmemBackend)
    assert get_connection(LOCMEM, fail_silently=True).fail_silently is True
    smtp = get_connection(host="mail.example.com", port=2525, username="me", password="pw")
    assert (smtp.host, smtp.port, smtp.username, smtp.password) == (
        "mail.example.com",
        2525,
        "me",
        "pw",
    )


@pytest.mark.row("F15")
@pytest.mark.parametrize("path", ["no.such.Backend", "nonsense", "os.path.join"])
def test_a_backend_that_is_none_is_an_import_error(path):
    with pytest.raises(ImportError, match=path):
        get_connection(path)


@pytest.mark.row("F18")
@pytest.mark.parametrize(
    "more",
    [
        {"fail_silently": True},
        {"auth_user": "me"},
        {"auth_password": "pw"},
        {"connection": Recording()},
    ],
)
def test_using_goes_with_nothing_that_says_the_same(more):
    with conf.override_settings(MAILERS=BULK):
        with pytest.raises(TypeError, match="using"):
            send_mail("s", "b", None, TO, using="bulk", **more)
        with pytest.raises(TypeError, match="using"):
            send_mass_mail([], using="bulk", **more)


@pytest.mark.row("F18")
def test_using_names_the_mailer(outbox):
    with conf.override_settings(
        MAILERS=BULK, ADMINS=["ops@example.com"], MANAGERS=["m@example.com"]
    ):
        send_mail("s", "b", None, TO, using="bulk")
        send_mass_mail([("s", "b", None, TO)], using="bulk")
        mail_admins("s", "b", using="bulk")
        mail_managers("s", "b", using="bulk")
    assert [each.sent_using for each in mail.outbox] == ["bulk"] * 4


@pytest.mark.row("F19")
@pytest.mark.parametrize(
    "more", [{"fail_silently": True}, {"auth_user": "me"}, {"auth_password": "pw"}]
)
def test_a_connection_goes_with_nothing_that_belongs_into_it(more):
    with pytest.raises(TypeError, match="get_connection"):
        send_mail("s", "b", None, TO, connection=Recording(), **more)
    with pytest.raises(TypeError, match="get_connection"):
        send_mass_mail([], connection=Recording(), **more)
