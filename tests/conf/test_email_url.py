"""EMAIL_URL: what each URL means, and that a wrong one is refused without telling its secrets."""

from __future__ import annotations

import traceback
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.conf import Settings, override_settings, settings
from errormail.exceptions import ImproperlyConfigured

BACKENDS = "errormail.mail.backends"
SMTP = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL")


def smtp_of(url):
    own = Settings(EMAIL_URL=url)
    assert f"{BACKENDS}.smtp.EmailBackend" == own.EMAIL_BACKEND
    return tuple(getattr(own, name) for name in SMTP)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp:", ("localhost", 25, False, False)),
        ("smtp://", ("localhost", 25, False, False)),
        ("smtp://mail.example.com", ("mail.example.com", 25, False, False)),
        ("smtp://mail.example.com:", ("mail.example.com", 25, False, False)),
        ("smtp://mail.example.com:2525/", ("mail.example.com", 2525, False, False)),
        ("SMTP://mail.example.com", ("mail.example.com", 25, False, False)),
        (" smtp://mail.example.com\n", ("mail.example.com", 25, False, False)),
        ("submission://mail.example.com", ("mail.example.com", 587, True, False)),
        ("submit://mail.example.com", ("mail.example.com", 587, True, False)),
        ("smtp+tls://mail.example.com", ("mail.example.com", 587, True, False)),
        ("smtp+tls://mail.example.com:25", ("mail.example.com", 25, True, False)),
        ("smtps://mail.example.com", ("mail.example.com", 465, False, True)),
        ("smtp+ssl://mail.example.com", ("mail.example.com", 465, False, True)),
        ("smtp://[::1]", ("::1", 25, False, False)),
        ("smtp://u:p@[2001:db8::1]:2525", ("2001:db8::1", 2525, False, False)),
        ("smtp://mail.example.com:465?ssl=True", ("mail.example.com", 465, False, True)),
        ("smtp://mail.example.com/?tls=True", ("mail.example.com", 587, True, False)),
        ("smtp://mail.example.com?tls=no&ssl=0", ("mail.example.com", 25, False, False)),
        ("smtps://mail.example.com?ssl=on", ("mail.example.com", 465, False, True)),
    ],
)
def test_smtp(url, expected):
    assert smtp_of(url) == expected


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("console:", "console"),
        ("console://", "console"),
        ("memory:", "locmem"),
        ("memory://", "locmem"),
        ("dummy:", "dummy"),
        ("file:///var/mail", "filebased"),
    ],
)
def test_other_backends(url, backend):
    own = Settings(EMAIL_URL=url)
    assert f"{BACKENDS}.{backend}.EmailBackend" == own.EMAIL_BACKEND
    assert not own.is_given("EMAIL_HOST")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///var/mail", "/var/mail"),
        ("file:/var/mail", "/var/mail"),
        ("file:mail/out", "mail/out"),
        ("file:///var/my%20mail@home", "/var/my mail@home"),
        ("file:///C:/mail", "C:/mail"),
    ],
)
def test_the_folder_of_a_file_url(url, path):
    assert path == Settings(EMAIL_URL=url).EMAIL_FILE_PATH


def test_user_and_password_are_percent_decoded():
    own = Settings(EMAIL_URL="smtp+tls://jane%40example.com:p%40ss%3A%2F%3F%23%C3%A9+x@mail")
    assert own.EMAIL_HOST_USER == "jane@example.com"
    assert own.EMAIL_HOST_PASSWORD == "p@ss:/?#é+x"


def test_the_user_may_be_an_address_as_it_is():
    own = Settings(EMAIL_URL="smtp://user@domain.com:pass@smtp.example.com:465/?ssl=True")
    assert (own.EMAIL_HOST_USER, own.EMAIL_HOST_PASSWORD) == ("user@domain.com", "pass")
    assert own.EMAIL_HOST == "smtp.example.com"


@given(st.text(min_size=1), st.text())
def test_any_user_and_password_come_back(user, password):
    try:
        encoded = f"{quote(user, safe='')}:{quote(password, safe='')}"
    except UnicodeEncodeError:  # lone surrogates
        return
    own = Settings(EMAIL_URL=f"smtps://{encoded}@mail.example.com")
    assert (user, password) == (own.EMAIL_HOST_USER, own.EMAIL_HOST_PASSWORD)


def test_options():
    own = Settings(
        EMAIL_URL="smtp://mail.example.com?timeout=2.5&_server_email=errors@example.com"
        "&_default_from_email=Shop%20%3Cshop@example.com%3E"
    )
    assert own.EMAIL_TIMEOUT == 2.5
    assert own.SERVER_EMAIL == "errors@example.com"
    assert own.DEFAULT_FROM_EMAIL == "Shop <shop@example.com>"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mail.example.com", "not a URL"),
        ("smtp://mail example", "not a URL"),
        ("smtp://mail\nexample", "not a URL"),
        ("imap://mail.example.com", "scheme is none of smtp, submission"),
        ("http://mail.example.com", "scheme is none of"),
        ("smtp://mail.example.com:0", "port"),
        ("smtp://mail.example.com:65536", "port"),
        ("smtp://mail.example.com:smtp", "port"),
        ("smtp://mail.example.com:-25", "port"),
        ("smtp://::1", "brackets"),
        ("smtp://[::1", "brackets"),
        ("smtp://[mail.example.com]", "IPv6"),
        ("smtp://mail.example.com/path", "only options"),
        ("smtp://mail.example.com#x", "percent-encoded"),
        ("smtp://mail.example.com?colour=red", "unknown option colour"),
        ("smtp://mail.example.com?timeout=soon", "option timeout"),
        ("smtp://mail.example.com?timeout=0", "option timeout"),
        ("smtp://mail.example.com?timeout=1&timeout=2", "twice"),
        ("smtp://mail.example.com?ssl=maybe", "option ssl"),
        ("smtp://mail.example.com?_server_email=a%20b%20c", "option _server_email"),
        ("smtp://mail.example.com?ssl=1&tls=1", "STARTTLS"),
        ("smtps://mail.example.com?tls=1", "STARTTLS"),
        ("smtps://mail.example.com?ssl=0", "contradict"),
        ("smtp://:pass@mail.example.com", "no user"),
        ("smtp://user:%FF@mail.example.com", "UTF-8"),
        ("console://somewhere", "nothing follows"),
        ("memory:?timeout=1", "no options"),
        ("file:", "no path"),
        ("file://var/mail", "three slashes"),
        ("file:///var/mail?timeout=1", "no options"),
    ],
)
def test_a_wrong_url_is_refused(url, reason):
    with pytest.raises(ImproperlyConfigured) as caught:
        Settings(EMAIL_URL=url)
    text = str(caught.value)
    assert text.startswith("EMAIL_URL: expected a URL such as ")
    assert reason in text


# Which of several wins


def test_a_single_setting_goes_before_the_url_beside_it():
    own = Settings(EMAIL_URL="smtp://jane:a@mail.example.com", EMAIL_HOST_PASSWORD="b")
    assert (own.EMAIL_HOST_USER, own.EMAIL_HOST_PASSWORD) == ("jane", "b")


def test_the_url_goes_before_single_settings_of_the_environment(monkeypatch):
    monkeypatch.setenv("ERRORMAIL_EMAIL_HOST", "other.example.com")
    monkeypatch.setenv("ERRORMAIL_EMAIL_USE_TLS", "1")
    monkeypatch.setenv("ERRORMAIL_EMAIL_PORT", "2525")
    assert smtp_of("smtp://mail.example.com") == ("mail.example.com", 25, False, False)


def test_a_password_that_the_url_does_not_have_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("ERRORMAIL_EMAIL_HOST_PASSWORD", "s3cret")
    assert Settings(EMAIL_URL="smtps://jane@mail").EMAIL_HOST_PASSWORD == "s3cret"


def test_of_two_urls_the_first_counts_whole(monkeypatch):
    """A password of the one server is never offered to the other."""
    monkeypatch.setenv("ERRORMAIL_EMAIL_URL", "smtps://jane:s3cret@mail.example.com")
    own = Settings(EMAIL_URL="smtp://localhost:1025")
    assert (own.EMAIL_HOST_USER, own.EMAIL_HOST_PASSWORD) == ("", "")


def test_the_environment_has_urls_too(monkeypatch):
    monkeypatch.setenv("ERRORMAIL_EMAIL_URL", "smtps://jane:s3cret@mail.example.com")
    own = Settings()
    assert (own.EMAIL_HOST, own.EMAIL_HOST_PASSWORD) == ("mail.example.com", "s3cret")


def test_override_settings_takes_a_url():
    with override_settings(EMAIL_URL="memory:"):
        assert f"{BACKENDS}.locmem.EmailBackend" == settings.EMAIL_BACKEND
    assert f"{BACKENDS}.smtp.EmailBackend" == settings.EMAIL_BACKEND


# Secrets

SECRET = st.text("abcXYZ0189:/?#[]@!$&'()*+,;=%. \n", min_size=6, max_size=20).map("s3".__add__)


@given(
    st.sampled_from(["smtp", "smtp+tls", "smtps", "console", "file", "imap", "smtp "]),
    st.sampled_from(["jane", "", "jane%40example.com"]),
    SECRET,
    st.sampled_from(["mail", "mail:x", "mail:0", "[::1", "mail?x=1", "mail/x", "mail#x", ""]),
)
def test_no_url_tells_its_password(scheme, user, secret, rest):
    """However wrong the URL is, and whatever the password does to its syntax."""
    url = f"{scheme}://{user}:{secret}@{rest}"
    try:
        shown = repr(Settings(EMAIL_URL=url))
    except ImproperlyConfigured as error:
        shown = "".join(traceback.format_exception(error)) + repr(error.__context__)
    # Pieces: the syntax may cut the password into several parts.
    for start in range(len(secret) - 4):
        piece = secret[start : start + 5]
        if piece.strip("/:.@?#") and not piece.isspace():
            assert piece not in shown.replace("user:password@smtp.example.com", "")
