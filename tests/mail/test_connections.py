"""Which backend sends: get_connection and mailers."""

from __future__ import annotations

import sys
import types

import pytest

from errormail import conf, mail
from errormail.exceptions import ErrorMailError, ImproperlyConfigured
from errormail.mail import InvalidMailer, MailerDoesNotExist, get_connection, mailers
from errormail.mail.backends import console, dummy, filebased, locmem, smtp
from errormail.mail.backends.base import BaseEmailBackend

BACKENDS = "errormail.mail.backends"
LOCMEM = f"{BACKENDS}.locmem.EmailBackend"
SMTP = f"{BACKENDS}.smtp.EmailBackend"


class Own(BaseEmailBackend):
    """A backend of somebody else, for today's Django."""

    def __init__(self, *, api_key="", **options):
        super().__init__(**options)
        self.api_key = api_key
        self.sent = []

    def send_messages(self, email_messages):
        messages = list(email_messages)
        self.sent += messages
        return len(messages)


class Older(BaseEmailBackend):
    """A backend of somebody else, for an older Django: it knows no alias, and hands nothing on."""

    def __init__(self, fail_silently=False, **options):
        super().__init__(fail_silently=fail_silently)
        self.options = options

    def send_messages(self, email_messages):
        return len(email_messages)


class Strict:
    """A backend that derives from nothing."""

    def __init__(self, alias=None, key=None):
        self.alias = alias

    def send_messages(self, email_messages):
        return 0


@pytest.fixture(autouse=True)
def _third_party(monkeypatch):
    module = types.ModuleType("third_party")
    module.Own, module.Older, module.Strict = Own, Older, Strict
    module.not_a_backend = 1
    module.NoBackend = dict
    monkeypatch.setitem(sys.modules, "third_party", module)


@pytest.mark.row("F15")
@pytest.mark.parametrize("module", [smtp, console, locmem, dummy])
def test_a_connection_by_its_dotted_path(module):
    connection = get_connection(f"{module.__name__}.EmailBackend", fail_silently=True)
    assert type(connection) is module.EmailBackend
    assert connection.fail_silently
    assert connection.alias is None
    assert not get_connection(f"{module.__name__}.EmailBackend").fail_silently


@pytest.mark.row("F15")
def test_the_connection_of_the_settings():
    assert type(get_connection()) is smtp.EmailBackend
    with conf.override_settings(EMAIL_BACKEND="third_party.Own"):
        connection = get_connection(None, True, api_key="key")
        assert type(connection) is Own
        assert connection.fail_silently
        assert connection.api_key == "key"
        assert get_connection() is not get_connection()


@pytest.mark.row("F15")
def test_options_are_those_of_the_backend(tmp_path):
    connection = get_connection(SMTP, host="mail.example.com", port=2525, username="u", timeout=3)
    assert (connection.host, connection.port, connection.username, connection.timeout) == (
        "mail.example.com",
        2525,
        "u",
        3,
    )
    folder = get_connection(f"{BACKENDS}.filebased.EmailBackend", file_path=tmp_path / "mail")
    assert type(folder) is filebased.EmailBackend
    assert folder.file_path == tmp_path / "mail"


@pytest.mark.row("F15")
@pytest.mark.parametrize(
    "path", ["no.such.Backend", "third_party.Missing", "third_party.not_a_backend", "x", ""]
)
def test_a_path_that_leads_to_no_backend(path):
    with pytest.raises(ImportError, match="backend"):
        get_connection(path)
    with (
        conf.override_settings(EMAIL_BACKEND=path),
        pytest.raises(ImproperlyConfigured, match="EMAIL_BACKEND"),
    ):
        get_connection()


def test_a_misspelt_option_is_an_error():
    with pytest.raises(TypeError, match="hots"):
        get_connection(SMTP, hots="mail.example.com")
    with pytest.raises(TypeError, match="streem"):
        get_connection(LOCMEM, streem=None)


@pytest.mark.row("B14")
def test_a_backend_of_somebody_else_sends():
    with conf.override_settings(EMAIL_BACKEND="third_party.Own"):
        connection = get_connection()
        assert mail.send_mail("s", "m", None, ["b@x.y"], connection=connection) == 1
        assert [message.subject for message in connection.sent] == ["s"]
        assert mail.send_mail("s", "m", None, ["b@x.y"]) == 1
    with conf.override_settings(EMAIL_BACKEND="third_party.Older"):
        assert mail.send_mail("s", "m", None, ["b@x.y"], auth_user="user") == 1
        assert get_connection(no_such=1).options == {"no_such": 1}


@pytest.mark.row("F16")
def test_mailers_by_alias():
    entries = {
        "default": {"BACKEND": LOCMEM},
        "bulk": {"BACKEND": SMTP, "OPTIONS": {"host": "bulk.example.com", "use_tls": True}},
        "own": {"BACKEND": "third_party.Own", "OPTIONS": {"api_key": "key", "fail_silently": True}},
        "old": {"BACKEND": "third_party.Older", "OPTIONS": {"key": 1}},
        "usual": {"OPTIONS": {"host": "usual.example.com"}},
    }
    with conf.override_settings(MAILERS=entries):
        assert list(mailers) == list(entries)
        assert "bulk" in mailers
        assert "none" not in mailers
        assert type(mailers["default"]) is locmem.EmailBackend
        assert type(mailers.default) is locmem.EmailBackend
        assert type(mailers[None]) is locmem.EmailBackend
        assert type(get_connection()) is locmem.EmailBackend
        assert mailers["bulk"].host == "bulk.example.com"
        assert mailers["bulk"].alias == "bulk"
        assert mailers["bulk"] is not mailers["bulk"]
        assert mailers["own"].api_key == "key"
        assert mailers["own"].fail_silently
        assert mailers["old"].options == {"key": 1, "alias": "old"}
        assert type(mailers["usual"]) is smtp.EmailBackend
        assert mailers.get("bulk").alias == "bulk"
        assert mailers.get().alias == "default"
        assert mailers.get("none") is None
        other = dummy.EmailBackend()
        assert mailers.get("none", other) is other
        assert mailers.get("none", default=other) is other


@pytest.mark.row("F16", "F20")
@pytest.mark.parametrize("entries", [{}, {"bulk": {"BACKEND": LOCMEM}}])
def test_the_email_settings_are_the_default_mailer_if_there_is_none(entries):
    with conf.override_settings(MAILERS=entries, EMAIL_HOST="mail.example.com"):
        assert list(mailers) == ["default", *entries]
        assert "default" in mailers
        assert mailers.default.host == "mail.example.com"
        assert mailers.default.alias == "default"
        assert get_connection().host == "mail.example.com"


@pytest.mark.row("F17")
def test_an_alias_that_is_not_there():
    with (
        conf.override_settings(MAILERS={"bulk": {}}),
        pytest.raises(MailerDoesNotExist) as caught,
    ):
        mailers["bulky"]
    error = caught.value
    assert isinstance(error, (InvalidMailer))
    assert isinstance(error, (ImproperlyConfigured))
    assert isinstance(error, KeyError)
    assert isinstance(error, ErrorMailError)
    assert error.alias == "bulky"
    assert str(error) == "MAILERS has no 'bulky': it has 'default', 'bulk'"


@pytest.mark.row("F17")
@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"BACKEND": "no.such.Backend"}, "BACKEND.*no.such.Backend.*No module"),
        ({"BACKEND": "third_party.NoBackend"}, "send_messages"),
        ({"BACKEND": "third_party.not_a_backend"}, "send_messages"),
        ({"BACKEND": None}, "send_messages"),
        ({"BACKEND": LOCMEM, "OPTIONS": {"hots": 1}}, "unknown OPTIONS: hots"),
        ({"BACKEND": LOCMEM, "OPTIONS": {"host": 1}}, "unknown OPTIONS: host"),
        ({"BACKEND": "third_party.Own", "OPTIONS": {"no_such": 1}}, "unknown OPTIONS: no_such"),
        ({"BACKEND": "third_party.Strict", "OPTIONS": {"no_such": 1}}, "no_such"),
        ({"BACKEND": SMTP, "OPTIONS": {"host": "x", "alias": "y"}}, "alias"),
        ({"OPTIONS": 1}, "OPTIONS"),
        ("x", "expected a mapping"),
    ],
)
def test_an_entry_that_is_wrong_is_named(entry, reason):
    with (
        conf.override_settings(MAILERS={"bulk": entry}),
        pytest.raises(InvalidMailer, match=rf"MAILERS\['bulk'\].*{reason}") as caught,
    ):
        mailers["bulk"]
    assert caught.value.alias == "bulk"


@pytest.mark.row("F17")
def test_mailers_that_are_no_mapping():
    with (
        conf.override_settings(MAILERS=["bulk"]),
        pytest.raises(ImproperlyConfigured, match="MAILERS: expected a mapping, got list"),
    ):
        mailers["bulk"]


@pytest.mark.row("F20")
def test_email_settings_and_a_default_mailer_exclude_each_other():
    entries = {"default": {"BACKEND": LOCMEM}}
    with pytest.raises(ImproperlyConfigured, match="EMAIL_HOST"):
        conf.configure(MAILERS=entries, EMAIL_HOST="mail.example.com")
    with conf.override_settings(MAILERS=entries, EMAIL_HOST="mail.example.com"):
        for use in (lambda: mailers.default, get_connection, lambda: mailers.get("default")):
            with pytest.raises(ImproperlyConfigured, match="EMAIL_HOST"):
                use()


@pytest.mark.row("F20")
def test_email_settings_and_other_mailers_go_together():
    conf.configure(MAILERS={"bulk": {"BACKEND": LOCMEM}}, EMAIL_HOST="mail.example.com")
    assert mailers.default.host == "mail.example.com"
    assert type(mailers["bulk"]) is locmem.EmailBackend


def test_settings_of_ones_own_count():
    own = conf.Settings(EMAIL_HOST="own.example.com", DEFAULT_FROM_EMAIL="own@example.com")
    with conf.using(own):
        assert get_connection().host == "own.example.com"
        assert mail.EmailMessage().from_email == "own@example.com"
    assert get_connection().host == "localhost"
