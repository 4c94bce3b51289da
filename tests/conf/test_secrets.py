"""Neither the repr of settings nor an error about them shows a password, a token or the userinfo of a URL."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail import conf
from errormail.conf import Settings, configure, override_settings, settings
from errormail.exceptions import ImproperlyConfigured

PLANTED = "hunter2hunter2"


class Secret:
    def __init__(self, text):
        self._text = text

    def get_secret_value(self):
        return self._text

    def __repr__(self):
        return f"Secret({self._text!r})"


def told(error):
    """Return all that can be seen of *error*: its text, repr, arguments, and those of what it is chained to."""
    seen = [*traceback.format_exception(error)]
    while error is not None:
        seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


SECRETS = {
    "EMAIL_HOST_USER": PLANTED,
    "EMAIL_HOST_PASSWORD": PLANTED,
    "EMAIL_OAUTH2_TOKEN": PLANTED,
    "MAILERS": {"bulk": {"OPTIONS": {"password": PLANTED, "nested": [{"token": PLANTED}]}}},
}


@pytest.mark.parametrize("name", SECRETS)
def test_the_repr_of_settings_hides(name):
    own = Settings(**{name: SECRETS[name]})
    assert name in repr(own)
    assert PLANTED not in repr(own)
    with override_settings(**{name: SECRETS[name]}):
        assert PLANTED not in repr(settings)


def test_the_repr_hides_what_came_by_url():
    own = Settings(EMAIL_URL=f"smtp+tls://{PLANTED}:{PLANTED}@mail.example.com")
    assert own.EMAIL_HOST_PASSWORD == PLANTED
    assert PLANTED not in repr(own)


def test_the_repr_hides_unchecked_values_too():
    wrong = {
        "MAILERS": [PLANTED],
        "EMAIL_HOST": f"smtp://user:{PLANTED}@mail",
        "SERVICE": Secret(PLANTED),
        "ADMINS": {"password": PLANTED},
    }
    with override_settings(**wrong):
        assert PLANTED not in repr(settings)


REFUSED = [
    {"EMAIL_HOST_PASSWORD": [PLANTED]},
    {"EMAIL_HOST_PASSWORD": PLANTED.encode()},
    {"EMAIL_HOST_PASSWORD": Secret([PLANTED])},
    {"EMAIL_HOST_USER": (PLANTED,)},
    {"EMAIL_OAUTH2_TOKEN": {PLANTED: 1}},
    {"EMAIL_PASWORD": PLANTED},
    {"SECRET_KEY": PLANTED},
    {"EMAIL_HOST": f"user:{PLANTED}@mail.example.com"},
    {"EMAIL_HOST": f"smtp://user:{PLANTED}@mail.example.com"},
    {"EMAIL_HOST": f"//user:{PLANTED}@mail.example.com"},
    {"EMAIL_HOST": f"u:{'x' * 2000}{PLANTED}@mail.example.com"},
    {"EMAIL_HOST": Secret(f"a {PLANTED}")},
    {"EMAIL_BACKEND": f"smtp://user:{PLANTED}@mail.example.com"},
    {"EMAIL_PORT": f"smtp://user:{PLANTED}@mail.example.com"},
    {"EMAIL_PORT": Secret(PLANTED)},
    {"SERVER_EMAIL": f"smtp://user:{PLANTED}@mail.example.com"},
    {"ADMINS": [f"smtp://user:{PLANTED}@mail.example.com"]},
    {"ADMINS": {"password": PLANTED}},
    {"MAILERS": PLANTED},
    {"MAILERS": [PLANTED]},
    {"MAILERS": {"bulk": PLANTED}},
    {"MAILERS": {"bulk": {"OPTIONS": PLANTED}}},
    {"MAILERS": {"bulk": {"OPTIONS": {"alias": PLANTED}}}},
    {"MAILERS": {"bulk": {"BACKEND": "no.such", "OPTIONS": {"password": PLANTED}}}},
    {"MAILERS": {"default": {"OPTIONS": {"password": PLANTED}}}, "EMAIL_HOST": "mail"},
    {"EMAIL_URL": f"imap://user:{PLANTED}@mail.example.com"},
    {"EMAIL_URL": f"smtp://user:{PLANTED}@mail.example.com:port"},
    {"EMAIL_URL": f"smtp://user:{PLANTED}/x@mail.example.com"},
    {"EMAIL_URL": f"smtp://user:x?{PLANTED}@mail.example.com"},
    {"EMAIL_URL": f"smtp://user:x?{PLANTED}=x@mail.example.com"},
    {"EMAIL_URL": f"smtp://mail.example.com?{PLANTED}=1"},
    {"EMAIL_URL": f"smtp://user:x#{PLANTED}@mail.example.com"},
    {"EMAIL_URL": f"smtp://user:x]{PLANTED}[@[mail.example.com"},
    {"EMAIL_URL": f"smtp://{PLANTED}:%FF@mail.example.com"},
    {"EMAIL_URL": f"{PLANTED}://mail.example.com"},
    {"EMAIL_URL": [PLANTED]},
    {"EMAIL_URL": f"smtps://u:{PLANTED}@mail?tls=1"},
    {"EMAIL_URL": f"smtps://u:{PLANTED}@mail", "EMAIL_USE_TLS": True},
]


@pytest.mark.parametrize("given", REFUSED)
def test_no_error_tells_a_secret(given):
    for source, keywords in ((None, given), (given, {})):
        if source is not None and not set(given) <= set(conf.KINDS):
            continue
        with pytest.raises(ImproperlyConfigured) as caught:
            configure(source, **keywords)
        assert PLANTED not in told(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAILERS", f'{{"bulk": {{"OPTIONS": {{"password": "{PLANTED}"}}}}'),
        ("MAILERS", f'{{"bulk": {{"OPTIONS": "{PLANTED}"}}}}'),
        ("EMAIL_URL", f"imap://user:{PLANTED}@mail.example.com"),
        ("EMAIL_HOST", f"smtp://user:{PLANTED}@mail.example.com"),
    ],
)
def test_no_error_about_a_variable_tells_a_secret(name, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"ERRORMAIL_{name}", text)
        with pytest.raises(ImproperlyConfigured, match=name) as caught:
            Settings()
    assert PLANTED not in told(caught.value)


@given(
    st.sampled_from(["EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_TIMEOUT", "DELIVERY", "MAILERS"]),
    st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.lists(st.text())),
    st.text("ß☃ø", min_size=6),
)
def test_whatever_else_is_wrong_the_password_beside_it_is_not_told(name, value, password):
    try:
        shown = repr(
            Settings(
                **{name: value},
                EMAIL_HOST_PASSWORD=password,
                EMAIL_URL="smtp://mail.example.com",
            )
        )
    except ImproperlyConfigured as error:
        shown = told(error)
    assert password not in shown or password in repr(value)
