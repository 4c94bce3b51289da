"""The base of every backend, one of a program's own, and the one that throws messages away."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from errormail.conf import override_settings
from errormail.exceptions import InvalidMailer
from errormail.mail import EmailMessage, get_connection, mailers, send_mail
from errormail.mail.backends import base, console, dummy, filebased, locmem, smtp


class Recorded(base.BaseEmailBackend):
    """Notes what is called; `open` fails with *error* if there is one."""

    def __init__(self, *args, error=None, **options):
        super().__init__(*args, **options)
        self.error = error
        self.calls = []

    def open(self):
        self.calls.append("open")
        if self.error is not None:
            raise self.error
        return True

    def close(self):
        self.calls.append("close")

    def send_messages(self, email_messages):
        sent = [message.subject for message in email_messages]
        self.calls.append(sent)
        return len(sent)


class Shortest(base.BaseEmailBackend):
    """As little as there may be."""

    def send_messages(self, email_messages):
        return len(list(email_messages))


@pytest.fixture
def module():
    """A module that a dotted path can name, with a backend."""
    made = ModuleType("my_mail_backends")
    made.Recorded = Recorded
    sys.modules[made.__name__] = made
    yield made.__name__
    del sys.modules[made.__name__]


def message(subject="subject"):
    return EmailMessage(subject, "body", "from@example.com", ["to@example.com"])


# -- the base -----------------------------------------------------------------------------------


@pytest.mark.row("B1")
def test_a_with_block_opens_and_closes():
    backend = Recorded()
    with backend as entered:
        assert entered is backend
        assert backend.calls == ["open"]
    assert backend.calls == ["open", "close"]


@pytest.mark.row("B1")
def test_what_is_raised_in_a_with_block_passes_and_closes():
    backend = Recorded()
    with pytest.raises(KeyError), backend:
        raise KeyError("of the program")
    assert backend.calls == ["open", "close"]


@pytest.mark.row("B1")
@pytest.mark.parametrize("error", [OSError("no server"), KeyboardInterrupt()])
def test_what_could_not_be_opened_is_closed(error):
    backend = Recorded(error=error)
    with pytest.raises(type(error)), backend:
        pytest.fail("the block must not run")
    assert backend.calls == ["open", "close"]


@pytest.mark.row("B1")
def test_opening_and_closing_need_not_be_written():
    backend = Shortest()
    with backend:
        assert backend.open() is None
    assert backend.close() is None


@pytest.mark.row("B1")
def test_a_backend_that_cannot_send_says_so():
    with pytest.raises(NotImplementedError, match="send_messages"):
        base.BaseEmailBackend().send_messages([message()])


@pytest.mark.row("B1")
def test_the_attributes_of_every_backend():
    backend = base.BaseEmailBackend()
    assert (backend.fail_silently, backend.alias) == (False, None)
    backend = base.BaseEmailBackend(True, alias="bulk")
    assert (backend.fail_silently, backend.alias) == (True, "bulk")


@pytest.mark.row("B1")
@pytest.mark.parametrize("make", [list, iter, tuple])
def test_messages_come_as_a_list_or_from_an_iterator(make, tmp_path, outbox, capsys, smtp_server):
    backends = [
        dummy.EmailBackend(),
        locmem.EmailBackend(),
        console.EmailBackend(),
        filebased.EmailBackend(file_path=tmp_path),
        smtp.EmailBackend("127.0.0.1", smtp_server.port),
    ]
    counts = [backend.send_messages(make([message(), message()])) for backend in backends]
    assert counts == [2] * len(backends)


@pytest.mark.row("B1")
@pytest.mark.parametrize("module_of_ours", [dummy, locmem, console, filebased, smtp])
def test_a_misspelt_option_of_our_backends_is_refused(module_of_ours):
    with pytest.raises(TypeError, match="hostname"):
        module_of_ours.EmailBackend(hostname="mx.example.com")


@pytest.mark.row("B1")
def test_options_of_another_backend_of_ours_do_not_matter():
    backend = get_connection(
        "errormail.mail.backends.locmem.EmailBackend", host="mx.example.com", use_tls=True
    )
    assert isinstance(backend, locmem.EmailBackend)


@pytest.mark.row("B1")
def test_an_option_in_mailers_that_the_backend_does_not_know_is_refused():
    entry = {"BACKEND": "errormail.mail.backends.dummy.EmailBackend", "OPTIONS": {"colour": "red"}}
    with (
        override_settings(MAILERS={"bulk": entry}),
        pytest.raises(InvalidMailer, match=r"'bulk'.*colour") as caught,
    ):
        mailers["bulk"]
    assert caught.value.alias == "bulk"


# -- one of a program's own ---------------------------------------------------------------------


@pytest.mark.row("B14")
def test_a_backend_of_ones_own_by_the_setting(module):
    with override_settings(EMAIL_BACKEND=f"{module}.Recorded"):
        backend = get_connection()
        assert type(backend) is Recorded
        assert send_mail("subject", "body", "from@example.com", ["to@example.com"]) == 1


@pytest.mark.row("B14")
def test_a_backend_of_ones_own_in_mailers(module):
    own = {"BACKEND": f"{module}.Recorded", "OPTIONS": {"fail_silently": True}}
    with override_settings(MAILERS={"own": own}):
        backend = mailers["own"]
    assert (type(backend), backend.alias, backend.fail_silently) == (Recorded, "own", True)


@pytest.mark.row("B14")
def test_a_message_is_sent_over_the_connection_that_it_was_given():
    backend = Recorded()
    own = EmailMessage("first", "body", "from@example.com", ["to@example.com"], connection=backend)
    assert own.send() == 1
    assert backend.calls == [["first"]]


# -- dummy --------------------------------------------------------------------------------------


@pytest.mark.row("B13")
def test_dummy_only_counts(outbox, capsys):
    backend = dummy.EmailBackend()
    assert backend.send_messages([message(), message(), message()]) == 3
    assert backend.send_messages([]) == 0
    assert outbox == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.row("B13")
def test_dummy_does_not_look_into_messages():
    assert dummy.EmailBackend().send_messages(iter([object()])) == 1


@pytest.mark.row("B13")
def test_dummy_has_nothing_to_open():
    with dummy.EmailBackend() as backend:
        assert backend.open() is None
