"""What the application itself holds as secret is in no text: its settings, its environment, SECRETS."""

from __future__ import annotations

import pytest

from errormail import _contain
from errormail.conf import Settings
from errormail.report import filtering, held
from errormail.report.filtering import FilteringRedactor
from errormail.report.held import (
    environment_secrets,
    secrets_in,
    secrets_within,
    settings_redactor,
)
from errormail.report.model import REDACTED
from errormail.report.redact.sensitive import is_sensitive

SECRET = "c0rrect-h0rse-battery"


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch):
    monkeypatch.setattr(held, "_held", ())
    monkeypatch.setattr(held, "_called", (None, 0.0, ()))
    monkeypatch.setattr(filtering, "_told", set())


def shown(text, base=None, **settings):
    redactor = settings_redactor(Settings(settings), *filter(None, [base]))
    return redactor.text(text)


@pytest.mark.parametrize(
    "settings",
    [
        {"EMAIL_HOST_PASSWORD": SECRET},
        {"EMAIL_OAUTH2_TOKEN": SECRET},
        {"EMAIL_URL": f"smtp://bob:{SECRET}@mail.example.com:587"},
        {"SECRETS": [SECRET]},
        {"SECRETS": lambda: [SECRET]},
        {"SECRETS": lambda: SECRET.encode()},
        {"SECRETS": lambda: {"SECRET_KEY": SECRET, "DEBUG": "harmless-value"}},
        {"SECRETS": lambda: {"DATABASES": {"default": {"PASSWORD": SECRET, "PORT": 5432}}}},
        {
            "MAILERS": {
                "default": {
                    "BACKEND": "errormail.mail.backends.smtp.EmailBackend",
                    "OPTIONS": {"host": "mail.example.com", "password": SECRET},
                }
            }
        },
    ],
    ids=["password", "oauth2", "url", "list", "callable", "bytes", "mapping", "nested", "mailers"],
)
def test_secrets_of_the_settings_are_hidden_wherever_they_stand(settings):
    assert shown(f"so {SECRET} it is, harmless-value", **settings) == (
        f"so {REDACTED} it is, harmless-value"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", SECRET),
        ("DJANGO_SECRET_KEY", "/9j/4AAQSkZJRgABAQEASABIAAD"),
        ("STRIPE_API_KEY", SECRET),
        ("DB_PASS", SECRET),
        ("DATABASE_URL", f"postgres://bob:{SECRET}@db.example.com/shop"),
        ("CACHE", f"redis://:{SECRET}@localhost/0"),
        ("BROKER", "amqp://bob:c0rrect%2Dh0rse-battery@mq.example.com//"),
        ("AZURE", f"Endpoint=sb://x.example.com/;SharedAccessKey={SECRET}"),
        ("HOOK", f"https://example.com/x?token={SECRET}"),
        ("AUTH_CODE", "a1b2c3d4e5f6"),
    ],
)
def test_secrets_of_the_environment_are_hidden(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    secret = SECRET if SECRET in value or "%2D" in value else value
    assert shown(f"so {secret} it is") == f"so {REDACTED} it is"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PWD", "/srv/shop/current"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-XXXX1234/agent.99"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus"),
        ("XDG_SESSION_TYPE", "x11-wayland"),
        ("SESSION_MANAGER", "local/shop:@/tmp/.ICE-unix/1"),
        ("API_URL", "https://api.example.com/v2"),
        ("API_DIR", "/srv/shop/api"),
        ("TOKEN_FILE", "/run/secrets/token1"),
        ("SECRETS_HOME", "/srv/shop/private"),
        ("SESSION_ENGINE", "shop.sessions.backend"),
        ("AUTH_MODE", "development"),
        ("CERTIFICATE", "letsencrypt"),
        ("POSTGRES_PASSWORD", "postgres"),
        ("DB_PASSWORD", "sqlalchemy"),
        ("MODULE_SECRET", "errormail.report.held"),
        ("USER_NAME", "jane-of-example"),
        ("PATH", "/usr/local/bin:/usr/bin"),
        ("DB_PASSWORD", "short"),
    ],
)
def test_places_and_choices_in_the_environment_stay_readable(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert shown(f"so {value} it is") == f"so {value} it is"


def test_declared_names_count_for_the_environment(monkeypatch):
    monkeypatch.setenv("CUSTOMER_NO", "KD-4711-0815")
    assert shown("KD-4711-0815", REDACT=["customer_no"]) == REDACTED


def test_a_changed_environment_is_seen(monkeypatch):
    own = Settings()
    assert settings_redactor(own).text(SECRET) == SECRET
    monkeypatch.setenv("SECRET_KEY", SECRET)
    assert settings_redactor(own).text(SECRET) == REDACTED


def test_what_has_not_changed_is_not_compiled_again():
    own = Settings(SECRETS=[SECRET])
    first = settings_redactor(own)
    assert settings_redactor(own).known is first.known
    assert settings_redactor(own, FilteringRedactor(asks=bool)).known is first.known
    assert settings_redactor(Settings(SECRETS=[SECRET])).known is not first.known
    assert len(held._held) == 2
    for _ in range(10):
        settings_redactor(Settings())
    assert len(held._held) == held.KEPT


def test_names_and_values_of_the_base_stay():
    base = FilteringRedactor(asks=lambda name: name == "city").with_values(["hunter2hunter2"])
    own = settings_redactor(Settings(SECRETS=[SECRET]), base.with_names(["answer"]))
    assert own.text(f"hunter2hunter2 {SECRET} answer=4 city=5 a=6") == (
        f"{REDACTED} {REDACTED} answer={REDACTED} city={REDACTED} a=6"
    )


def test_the_session_cookie_and_the_declared_names_are_hidden():
    own = settings_redactor(
        Settings(SESSION_COOKIE_NAME="shopper", REDACT=["customer_no"], REDACT_ALLOW=["sort_code"])
    )
    assert [own.hides(name) for name in ("shopper", "customerNo", "sort_code")] == [
        True,
        True,
        False,
    ]
    assert settings_redactor(Settings(REDACT_MODE="allowlist")).hides("anything")


# A callable


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_callable_is_asked_again_after_some_seconds_only():
    clock, asked = Clock(), []

    def secrets():
        asked.append(clock.now)
        return [f"secret-number-{len(asked)}"]

    own = Settings(SECRETS=secrets)
    for _ in range(5):
        assert settings_redactor(own, clock=clock).text("secret-number-1") == REDACTED
    clock.now += held.SECONDS
    assert settings_redactor(own, clock=clock).text("secret-number-2") == REDACTED
    assert asked == [100.0, 110.0]


def test_a_callable_that_fails_is_told_of_once_and_what_it_returned_stays(capsys):
    clock, results = Clock(), iter([[SECRET]])

    def secrets():
        found = next(results, None)
        if found is None:
            raise SystemExit(SECRET)
        return found

    own = Settings(SECRETS=secrets)
    for _ in range(3):
        assert settings_redactor(own, clock=clock).text(SECRET) == REDACTED
        clock.now += held.SECONDS
    told = capsys.readouterr().err
    assert told.count("SECRETS failed with SystemExit") == 1
    assert SECRET not in told


@pytest.mark.parametrize("result", [None, 5, object(), [5, None], {"SECRET": object()}, {5: 6}])
def test_a_callable_may_return_anything(result):
    settings_redactor(Settings(SECRETS=lambda: result)).text("x")


def test_a_callable_that_reports_a_failure_itself_is_not_called_within_itself():
    calls = []

    def secrets():
        calls.append(1)
        settings_redactor(own)
        return [SECRET]

    own = Settings(SECRETS=secrets)
    assert settings_redactor(own).text(SECRET) == REDACTED
    assert calls == [1]
    assert not _contain.failures["secrets"]


def test_an_endless_list_of_secrets_is_bounded():
    def secrets():
        number = 0
        while True:
            number += 1
            yield f"secret-number-{number}"

    assert len(settings_redactor(Settings(SECRETS=secrets)).known.values) >= 1_000


# Parts


def test_secrets_are_found_at_any_depth_and_within_texts():
    value = {
        "name": "harmless", "password": SECRET, "tokens": ["t1", {"x": "t2"}], "n": 5,
        "url": "https://bob:pw1@example.com/?api_key=k1&a=b",
    }  # fmt: skip
    assert {*secrets_in(value, is_sensitive)} == {SECRET, "t1", "t2", "pw1", "k1"}


def test_a_value_that_contains_itself_ends():
    value: dict[str, object] = {"password": SECRET}
    value["self"] = value
    assert SECRET in {*secrets_in(value, is_sensitive)}


def test_passwords_in_addresses_are_found_as_written_and_decoded():
    assert [*secrets_within("x://a:b%20c@h, https://tok@h", is_sensitive)] == [
        "b%20c",
        "b c",
        "tok",
    ]


def test_the_environment_may_hold_anything():
    assert [*environment_secrets({"": "x", "=C:": "C:\\", "TOKEN": "\udcff" * 9})] == ["\udcff" * 9]


def test_an_environment_of_another_kind_is_read_too(monkeypatch):
    monkeypatch.setattr(held.os, "environ", {"SECRET_KEY": SECRET})
    assert settings_redactor(Settings()).text(SECRET) == REDACTED
