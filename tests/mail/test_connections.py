"""`mailers`: the backends of MAILERS, by alias."""

from __future__ import annotations

import pytest

from errormail import conf
from errormail.exceptions import ImproperlyConfigured
from errormail.mail import InvalidMailer, MailerDoesNotExist, mailers
from errormail.mail.backends.locmem import EmailBackend as LocmemBackend
from errormail.mail.backends.smtp import EmailBackend as SmtpBackend

LOCMEM = "errormail.mail.backends.locmem.EmailBackend"
SMTP = "errormail.mail.backends.smtp.EmailBackend"
BULK = {"BACKEND": SMTP, "OPTIONS": {"host": "bulk.example.com", "use_tls": True}}


@pytest.mark.row("F16")
def test_a_mailer_is_looked_up_by_alias_and_new_each_time():
    with conf.override_settings(MAILERS={"bulk": BULK, "default": {"BACKEND": LOCMEM}}):
        bulk = mailers["bulk"]
        assert isinstance(bulk, SmtpBackend)
        assert (bulk.host, bulk.use_tls, bulk.port, bulk.alias) == (
            "bulk.example.com",
            True,
            587,
            "bulk",
        )
        assert mailers["bulk"] is not bulk
        assert isinstance(mailers.default, LocmemBackend)
        assert isinstance(mailers.get("bulk"), SmtpBackend)
        assert mailers.get("missing") is None
        assert mailers.get("missing", bulk) is bulk
        assert "bulk" in mailers
        assert "missing" not in mailers
        assert sorted(mailers) == ["bulk", "default"]


@pytest.mark.row("F16")
@pytest.mark.parametrize("entries", [{}, {"bulk": BULK}])
def test_the_email_settings_are_the_default_mailer_as_long_as_there_is_none(entries):
    with conf.override_settings(MAILERS=entries, EMAIL_BACKEND=LOCMEM):
        assert isinstance(mailers.default, LocmemBackend)
        assert isinstance(mailers["default"], LocmemBackend)
        assert "default" in mailers


@pytest.mark.row("F17")
def test_an_unknown_alias_is_a_mailer_that_does_not_exist():
    with (
        conf.override_settings(MAILERS={"bulk": BULK}),
        pytest.raises(MailerDoesNotExist, match=r"'missing'.*'bulk'") as caught,
    ):
        mailers["missing"]
    assert isinstance(caught.value, (KeyError, InvalidMailer, ImproperlyConfigured))
    assert caught.value.alias == "missing"


@pytest.mark.row("F17")
@pytest.mark.parametrize(
    "entry",
    [
        {"BACKEND": "no.such.Backend"},
        {"BACKEND": "os.path.join"},
        {"BACKEND": SMTP, "OPTIONS": {"host": "a", "nonsense": 1}},
        {"BACKEND": SMTP, "OPTIONS": {"host": "a", "use_tls": True, "use_ssl": True}},
        {"BACKEND": SMTP, "OPTIONS": {"host": "a", "alias": "x"}},
        {"BACKEND": SMTP, "OPTIONS": None},
        {"BACKEND": SMTP},  # no host
        "nonsense",
    ],
)
def test_a_wrong_entry_is_an_invalid_mailer_that_names_its_alias(entry):
    with (
        conf.override_settings(MAILERS={"bulk": entry}),
        pytest.raises(InvalidMailer, match="bulk") as caught,
    ):
        mailers["bulk"]
    assert caught.value.alias == "bulk"


def test_no_error_of_a_mailer_shows_its_password():
    options = {"host": "a", "password": "hunter2hunter2", "nonsense": 1}
    with (
        conf.override_settings(MAILERS={"bulk": {"BACKEND": SMTP, "OPTIONS": options}}),
        pytest.raises(InvalidMailer) as caught,
    ):
        mailers["bulk"]
    assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__!r}"


@pytest.mark.row("F20")
def test_email_settings_and_a_default_mailer_are_refused_together():
    with (
        conf.override_settings(MAILERS={"default": BULK}, EMAIL_HOST="mail.example.com"),
        pytest.raises(ImproperlyConfigured, match="EMAIL_HOST"),
    ):
        _ = mailers.default


def test_mailers_that_are_no_mapping_are_refused():
    with (
        conf.override_settings(MAILERS=["bulk"]),
        pytest.raises(ImproperlyConfigured, match="MAILERS"),
    ):
        mailers["bulk"]
