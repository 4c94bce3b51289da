"""send_mail, send_mass_mail, mail_admins and mail_managers."""

from __future__ import annotations

import email.policy

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

LOCMEM = "errormail.mail.backends.locmem.EmailBackend"
DUMMY = "errormail.mail.backends.dummy.EmailBackend"


class Lazy:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


class Recording(BaseEmailBackend):
    """Remembers how it was made and used."""

    made = []  # noqa: RUF012 -- the test's, emptied by the fixture

    def __init__(self, fail_silently=False, **options):
        super().__init__(fail_silently=fail_silently)
        self.options = options
        self.batches = []
        Recording.made.append(self)

    def open(self):
        raise AssertionError("nobody asked for a connection")

    def send_messages(self, email_messages):
        self.batches.append(list(email_messages))
        return len(self.batches[-1])


@pytest.fixture
def recording():
    """The default backend is `Recording`; gives the list of those that were made."""
    Recording.made.clear()
    with conf.override_settings(EMAIL_BACKEND=f"{__name__}.Recording"):
        yield Recording.made


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """A dotted path finds this module, which pytest does not put into sys.modules under its own name."""
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _self())


def _self():
    import types

    module = types.ModuleType(__name__)
    module.__dict__.update(globals())
    return module


def content_of(message):
    return message.message(policy=email.policy.default)


@pytest.mark.row("F1", "F4")
def test_send_mail_with_arguments_by_name(outbox):
    sent = send_mail(
        subject="subject",
        message="text",
        from_email="from@example.com",
        recipient_list=["to@example.com"],
        fail_silently=False,
        auth_user=None,
        auth_password=None,
        connection=None,
        html_message="<p>text",
        using=None,
    )
    assert sent == 1
    (message,) = outbox
    parts = list(content_of(message).iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part.get_content() for part in parts] == ["text", "<p>text"]


@pytest.mark.row("F1")
def test_send_mail_in_the_older_positional_order(recording):
    connection = Recording()
    recording.clear()
    assert send_mail("s", "m", "a@x.y", ["b@x.y"], False, None, None, connection, "<p>") == 1
    assert recording == []
    ((message,),) = connection.batches
    assert message.alternatives == [("<p>", "text/html")]
    assert send_mail("s", "m", "a@x.y", ["b@x.y"], True, "user", "password") == 1
    (made,) = recording
    assert made.fail_silently
    assert made.options == {"username": "user", "password": "password"}


@pytest.mark.row("F2")
@pytest.mark.parametrize("recipients", [[], (), None, [""]])
def test_without_recipients_there_is_no_connection(recording, recipients):
    assert send_mail("s", "m", "a@x.y", recipients) == 0
    assert recording == []


@pytest.mark.row("F2")
def test_send_mail_returns_how_many_were_sent(outbox):
    assert send_mail("s", "m", "a@x.y", ["b@x.y", "c@x.y"]) == 1

    class Failing(BaseEmailBackend):
        def send_messages(self, email_messages):
            return None  # as some backends of others do when nothing was sent

    assert send_mail("s", "m", "a@x.y", ["b@x.y"], connection=Failing()) == 0


@pytest.mark.row("F3", "F6")
def test_all_recipients_stand_in_one_to_header(outbox):
    send_mail("s", "m", "Shop <a@x.y>", ["b@x.y", "Jane <c@x.y>", '"Doe, J" <d@x.y>'])
    content = content_of(outbox[0])
    assert content.get_all("To") == ['b@x.y, Jane <c@x.y>, "Doe, J" <d@x.y>']
    assert content["From"] == "Shop <a@x.y>"
    assert outbox[0].recipients() == ["b@x.y", "Jane <c@x.y>", '"Doe, J" <d@x.y>']


@pytest.mark.row("F5")
@pytest.mark.parametrize("sender", [None, ""])
def test_without_sender_it_is_the_default_one(outbox, sender):
    with conf.override_settings(DEFAULT_FROM_EMAIL="Shop <shop@example.com>"):
        send_mail("s", "m", sender, ["b@x.y"])
    assert content_of(outbox[0])["From"] == "Shop <shop@example.com>"


@pytest.mark.row("F7")
def test_send_mass_mail_returns_a_count(outbox):
    data = (
        ("first", "text 1", "a@x.y", ["b@x.y"]),
        ("second", "text 2", None, ["c@x.y", "d@x.y"]),
    )
    assert send_mass_mail(data) == 2
    assert [(each.subject, each.body, each.from_email, each.to) for each in outbox] == [
        ("first", "text 1", "a@x.y", ["b@x.y"]),
        ("second", "text 2", "webmaster@localhost", ["c@x.y", "d@x.y"]),
    ]
    assert send_mass_mail([]) == 0
    assert send_mass_mail(iter(data)) == 2


@pytest.mark.row("F8")
def test_send_mass_mail_hands_all_to_one_backend(recording):
    assert send_mass_mail([("s", "m", None, ["b@x.y"])] * 3) == 3
    (made,) = recording
    assert [len(batch) for batch in made.batches] == [3]


@pytest.mark.row("F7", "F9")
def test_send_mass_mail_in_the_older_positional_order(recording):
    connection = Recording()
    recording.clear()
    assert send_mass_mail([("s", "m", None, ["b@x.y"])], False, None, None, connection) == 1
    assert recording == []
    send_mass_mail([], True, "user", "password")
    assert recording[0].fail_silently
    assert recording[0].options == {"username": "user", "password": "password"}


@pytest.mark.row("F9")
def test_user_and_password_are_those_of_the_backend(recording):
    send_mail("s", "m", None, ["b@x.y"], auth_user="user", auth_password="password")
    assert recording[0].options == {"username": "user", "password": "password"}


@pytest.mark.row("F9")
def test_user_and_password_do_not_trouble_other_backends(outbox):
    assert send_mail("s", "m", None, ["b@x.y"], auth_user="user", auth_password="password") == 1
    with conf.override_settings(EMAIL_BACKEND=DUMMY):
        assert send_mail("s", "m", None, ["b@x.y"], auth_user="user", fail_silently=True) == 1


@pytest.mark.row("F9", "F16")
def test_user_and_password_do_not_trouble_mailers():
    with conf.override_settings(MAILERS={"default": {"BACKEND": DUMMY}}):
        assert send_mail("s", "m", None, ["b@x.y"], auth_user="u", fail_silently=True) == 1


SENDERS = {"ADMINS": mail_admins, "MANAGERS": mail_managers}


@pytest.mark.row("F10", "F11")
@pytest.mark.parametrize("setting", SENDERS)
def test_those_who_run_the_program_get_mail(outbox, setting):
    people = ["ops@example.com", "Dev <dev@example.com>", ("Doe, Jane", "jane@example.com")]
    with conf.override_settings(
        **{setting: people},
        SERVER_EMAIL="Shop <shop@example.com>",
        EMAIL_SUBJECT_PREFIX="[shop] ",
    ):
        assert SENDERS[setting]("subject", "text", html_message="<p>text") is None
    (message,) = outbox
    content = content_of(message)
    assert content["Subject"] == "[shop] subject"
    assert content["From"] == "Shop <shop@example.com>"
    assert content["To"] == 'ops@example.com, Dev <dev@example.com>, "Doe, Jane" <jane@example.com>'
    assert [part.get_content() for part in content.iter_parts()] == ["text", "<p>text"]


@pytest.mark.row("F10")
@pytest.mark.parametrize("setting", SENDERS)
def test_mail_to_them_in_the_older_positional_order(recording, setting):
    connection = Recording()
    recording.clear()
    with conf.override_settings(**{setting: ["ops@example.com"]}):
        SENDERS[setting]("s", "m", False, connection, "<p>")
    ((message,),) = connection.batches
    assert message.subject == "[errormail] s"
    assert message.alternatives == [("<p>", "text/html")]
    assert recording == []


@pytest.mark.row("F10")
def test_the_prefix_may_be_empty_and_subjects_lazy(outbox):
    with conf.override_settings(ADMINS=["ops@example.com"], EMAIL_SUBJECT_PREFIX=Lazy("")):
        mail_admins(Lazy("subject"), Lazy("text"))
    assert content_of(outbox[0])["Subject"] == "subject"


@pytest.mark.row("F12")
@pytest.mark.parametrize("setting", SENDERS)
@pytest.mark.parametrize(
    "wrong",
    [
        "ops@example.com",
        {"ops@example.com"},
        [1],
        [("a", "b", "c")],
        ["no address here"],
        ["a@x.y\nBcc: evil@x.y"],
    ],
)
def test_a_wrong_shape_is_refused_when_it_is_used(recording, setting, wrong):
    with (
        conf.override_settings(**{setting: wrong}),
        pytest.raises(ImproperlyConfigured, match=setting),
    ):
        SENDERS[setting]("s", "m")
    assert recording == []


@pytest.mark.row("F13")
@pytest.mark.parametrize("setting", SENDERS)
@pytest.mark.parametrize("nobody", [[], (), None, ""])
def test_nobody_there_means_no_mail_and_no_connection(recording, setting, nobody):
    with conf.override_settings(**{setting: nobody}):
        SENDERS[setting]("s", "m")
    assert recording == []


@pytest.mark.row("F14")
def test_what_is_no_str_but_has_one(outbox):
    send_mail(Lazy("subject"), Lazy("text"), Lazy("a@x.y"), [Lazy("b@x.y")])
    content = content_of(outbox[0])
    assert [content[name] for name in ("Subject", "From", "To")] == ["subject", "a@x.y", "b@x.y"]


def everything_that_sends(**arguments):
    """Yield calls that would send, each with *arguments*."""
    yield lambda: send_mail("s", "m", None, ["b@x.y"], **arguments)
    yield lambda: send_mass_mail([("s", "m", None, ["b@x.y"])], **arguments)
    if not {"auth_user", "auth_password"} & arguments.keys():
        yield lambda: mail_admins("s", "m", **arguments)
        yield lambda: mail_managers("s", "m", **arguments)
    if not {"auth_user", "auth_password", "connection"} & arguments.keys():
        yield lambda: mail.EmailMessage("s", "m", to=["b@x.y"]).send(**arguments)
    if "connection" in arguments:
        others = {name: value for name, value in arguments.items() if name != "connection"}
        if not {"auth_user", "auth_password"} & others.keys():
            yield lambda: mail.EmailMessage(
                "s", "m", to=["b@x.y"], connection=arguments["connection"]
            ).send(**others)


@pytest.mark.row("F18")
@pytest.mark.parametrize(
    "arguments",
    [
        {"connection": BaseEmailBackend()},
        {"fail_silently": True},
        {"auth_user": "user"},
        {"auth_password": "password"},
        {"auth_user": ""},
    ],
    ids=lambda arguments: ",".join(arguments),
)
def test_using_excludes_what_else_says_how_to_send(recording, arguments):
    (name,) = arguments
    for send in everything_that_sends(using="default", **arguments):
        with pytest.raises(TypeError, match=f"{name}.*'using'"):
            send()
    assert recording == []


@pytest.mark.row("F19")
@pytest.mark.parametrize(
    "arguments",
    [{"fail_silently": True}, {"auth_user": "user"}, {"auth_password": "password"}],
    ids=str,
)
def test_a_connection_excludes_what_it_was_made_with(arguments):
    connection = get_connection(LOCMEM)
    (name,) = arguments
    for send in everything_that_sends(connection=connection, **arguments):
        with pytest.raises(TypeError, match=rf"{name}.*get_connection\(\)"):
            send()


@pytest.mark.row("F16", "F18")
def test_using_names_a_mailer(outbox):
    mailers = {"bulk": {"BACKEND": LOCMEM}}
    with conf.override_settings(MAILERS=mailers, ADMINS=["a@x.y"], MANAGERS=["a@x.y"]):
        for send in everything_that_sends(using="bulk"):
            send()
    assert [message.sent_using for message in outbox] == ["bulk"] * 5


@pytest.mark.row("F1", "B7")
def test_mistakes_of_the_caller_are_raised_even_if_silent(outbox):
    for arguments in [
        ("a\nb", "m", None, ["b@x.y"]),
        ("s", "m", "no address here", ["b@x.y"]),
        ("s", "m", None, ["b@x.y, c@x.y"]),
    ]:
        with pytest.raises(ValueError, match=r"line break|mail address"):
            send_mail(*arguments, fail_silently=True)
    with pytest.raises(TypeError, match='"to" argument'):
        send_mail("s", "m", None, "b@x.y", fail_silently=True)
    assert outbox == []
