"""Settings: where they come from, what is refused, which are in force."""

from __future__ import annotations

import copy
import dataclasses
import enum
import ipaddress
import pickle
import re
import subprocess
import sys
import threading
import types
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail import conf
from errormail.conf import Settings, checks, configure, current, kinds, settings, using
from errormail.exceptions import ImproperlyConfigured, InvalidMailer

FOLDER = str(Path(conf.__file__).parent.parent.parent)


@pytest.fixture
def unconfigured(monkeypatch):
    """As in a process in which nobody has called configure()."""
    monkeypatch.setattr(conf, "_configured", None)
    monkeypatch.setattr(conf, "_of_environment", None)


@pytest.fixture
def environment():
    """Sets variables by the name of the setting; takes them back before conftest.py looks at settings again."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda name, text: patch.setenv(f"ERRORMAIL_{name}", text)


class Secret:
    """As pydantic's SecretStr."""

    def __init__(self, text):
        self._text = text

    def get_secret_value(self):
        return self._text


class Url:
    """As pydantic's AnyUrl: no str."""

    def unicode_string(self):
        return "smtp+tls://mail.example.com"


DEFAULTS = [
    pytest.param(name, value, id=f"{row} {name}")
    for row, values in {
        "T1": {
            "EMAIL_BACKEND": "errormail.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "localhost",
            "EMAIL_PORT": 25,
            "EMAIL_HOST_USER": "",
            "EMAIL_HOST_PASSWORD": "",
        },
        "T2": {
            "EMAIL_USE_TLS": False,
            "EMAIL_USE_SSL": False,
            "EMAIL_SSL_CERTFILE": None,
            "EMAIL_SSL_KEYFILE": None,
            "EMAIL_SSL_VERIFY": True,
            "EMAIL_TIMEOUT": None,
        },
        "T3": {
            "DEFAULT_FROM_EMAIL": "webmaster@localhost",
            "SERVER_EMAIL": "root@localhost",
            "EMAIL_SUBJECT_PREFIX": "[errormail] ",
        },
        "T4": {"ADMINS": [], "MANAGERS": []},
        "T5": {"EMAIL_FILE_PATH": None, "EMAIL_USE_LOCALTIME": False, "DEFAULT_CHARSET": "utf-8"},
        "T6": {"MAILERS": {}, "INTERNAL_IPS": [], "DEBUG": False},
        "T7": {
            "DEFAULT_EXCEPTION_REPORTER": "errormail.report.debug.ExceptionReporter",
            "DEFAULT_EXCEPTION_REPORTER_FILTER": "errormail.report.debug.SafeExceptionReporterFilter",
            "SESSION_COOKIE_NAME": "sessionid",
            "IGNORABLE_404_URLS": [],
        },
    }.items()
    for name, value in values.items()
]


@pytest.mark.row("T1", "T2", "T3", "T4", "T5", "T6")
@pytest.mark.parametrize(("name", "value"), DEFAULTS)
def test_default(name, value):
    assert getattr(Settings(), name) == value
    assert not Settings().is_given(name)


def test_every_setting_has_a_kind_and_an_attribute():
    attributes = {name for name in dir(Settings) if name.isupper()}
    assert attributes == set(conf.NAMES) == set(kinds.KINDS) - {"EMAIL_URL"}
    assert attributes == {name for name in Settings.__annotations__ if name.isupper()}


def test_a_default_list_belongs_to_one_settings_only():
    Settings().ADMINS.append("ops@example.com")
    Settings().MAILERS["bulk"] = {}
    assert Settings().ADMINS == []
    assert Settings().MAILERS == {}


# Where a setting is looked for


def test_keyword_before_source_before_environment_before_default(environment):
    for name in ("SERVICE", "ENVIRONMENT", "RELEASE"):
        environment(name, "environment")
    own = Settings({"SERVICE": "source", "ENVIRONMENT": "source"}, SERVICE="keyword")
    assert (own.SERVICE, own.ENVIRONMENT, own.RELEASE) == ("keyword", "source", "environment")
    assert own.EMAIL_HOST == "localhost"


def test_is_given_says_what_is_no_default(environment):
    environment("EMAIL_PORT", "25")
    own = Settings({"DEBUG": False}, EMAIL_HOST="localhost")
    assert [name for name in conf.NAMES if own.is_given(name)] == [
        "DEBUG",
        "EMAIL_HOST",
        "EMAIL_PORT",
    ]


def test_a_value_that_does_not_win_is_not_looked_at(environment):
    environment("EMAIL_PORT", "none")
    assert Settings(EMAIL_PORT=587).EMAIL_PORT == 587


def test_configure_replaces_what_it_said_before():
    configure(SERVICE="shop", RELEASE="1")
    configure(SERVICE="blog")
    assert (settings.SERVICE, settings.RELEASE) == ("blog", "")


def test_a_refused_configure_leaves_the_settings_as_they_were():
    configure(SERVICE="shop")
    with pytest.raises(ImproperlyConfigured):
        configure(SERVICE="blog", EMAIL_PORT=0)
    assert settings.SERVICE == "shop"


def test_without_configure_the_environment_applies(unconfigured, environment):
    environment("SERVICE", "shop")
    assert settings.SERVICE == "shop"


def test_without_configure_a_wrong_variable_is_refused_at_each_use(unconfigured, environment):
    environment("EMAIL_PORT", "none")
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match=r"ERRORMAIL_EMAIL_PORT.*port.*'none'"):
            settings.SERVICE  # noqa: B018 -- the look-up is the test


# Sources


def test_of_a_mapping_known_names_are_taken():
    own = Settings({"SERVICE": "shop", "SECRET_KEY": "s3cret", "service": "no", 5: 6})
    assert own.SERVICE == "shop"
    assert not hasattr(own, "SECRET_KEY")


def test_none_in_a_source_counts_as_not_given(environment):
    environment("SERVICE", "shop")
    own = Settings({"SERVICE": None, "EMAIL_HOST": None, "DEBUG": None})
    assert (own.SERVICE, own.EMAIL_HOST) == ("shop", "localhost")
    assert not own.is_given("DEBUG")


def test_of_a_module_upper_case_names_are_taken():
    module = types.ModuleType("shop.settings")
    module.SERVICE = "shop"
    module.release = "no setting"
    own = Settings(module)
    assert (own.SERVICE, own.RELEASE) == ("shop", "")


def test_a_class_and_its_instance_are_sources():
    class Config:
        SERVICE = "shop"

    assert Settings(Config).SERVICE == Settings(Config()).SERVICE == "shop"


def test_fields_of_a_pydantic_model_may_be_lower_case():
    class Model:
        model_fields = {"email_host": None, "service": None, "release": None}  # noqa: RUF012

        def __init__(self):
            self.email_host = "mail.example.com"
            self.email_host_password = Secret("undeclared")
            self.service = Secret("shop")
            self.release = None

    own = Settings(Model())
    assert (own.EMAIL_HOST, own.SERVICE, own.RELEASE) == ("mail.example.com", "shop", "")
    assert own.EMAIL_HOST_PASSWORD == ""


def test_fields_of_a_dataclass_may_be_lower_case():
    @dataclasses.dataclass
    class Config:
        email_host: str = "mail.example.com"
        EMAIL_PORT: int = 587

    own = Settings(Config())
    assert (own.EMAIL_HOST, own.EMAIL_PORT) == ("mail.example.com", 587)


def test_fields_of_an_attrs_class_may_be_lower_case():
    @attrs.define
    class Config:
        email_host: str = "mail.example.com"

    assert Settings(Config()).EMAIL_HOST == "mail.example.com"


def test_a_method_is_overridden_of_others_than_django_means_nothing():
    """Dynaconf has one, with another meaning."""

    class Config:
        SERVICE = "shop"

        def is_overridden(self, name):
            return False

    assert Settings(Config()).SERVICE == "shop"


def test_settings_are_a_source_of_what_is_given_in_them(environment):
    base = Settings(SERVICE="shop", EMAIL_URL="smtps://mail.example.com")
    environment("RELEASE", "1")
    own = Settings(base, ENVIRONMENT="test")
    assert (own.SERVICE, own.EMAIL_PORT, own.ENVIRONMENT) == ("shop", 465, "test")
    assert own.RELEASE == "1"


def test_the_settings_in_force_are_a_source():
    configure(SERVICE="shop")
    assert Settings(settings).SERVICE == "shop"


def test_flask_config_is_a_source():
    from flask import Flask

    app = Flask(__name__)
    app.config.update(SERVICE="shop", EMAIL_HOST="mail.example.com")
    own = Settings(app.config)
    assert (own.SERVICE, own.EMAIL_HOST, own.DEBUG) == ("shop", "mail.example.com", False)
    assert own.SESSION_COOKIE_NAME == "session"


def test_a_flask_application_itself_is_refused():
    from flask import Flask

    with pytest.raises(ImproperlyConfigured, match="a Flask: did you mean its attribute config"):
        Settings(Flask(__name__))


@pytest.mark.parametrize("source", ["ops@example.com", b"", 5, ["a"], ("a",), {"a"}, lambda: None])
def test_what_has_no_settings_is_no_source(source):
    with pytest.raises(ImproperlyConfigured, match="expected a mapping or an object"):
        configure(source)


@pytest.mark.row("T7")
def test_the_rest_of_a_django_settings_module_does_no_harm():
    module = types.ModuleType("shop.settings")
    module.__dict__.update(
        LOGGING={"version": 1, "handlers": {}},
        LOGGING_CONFIG=None,
        INSTALLED_APPS=["django.contrib.admin"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        SECRET_KEY="s3cret",
        STORAGES={},
        EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend",
        DEFAULT_EXCEPTION_REPORTER="django.views.debug.ExceptionReporter",
        DEFAULT_EXCEPTION_REPORTER_FILTER="django.views.debug.SafeExceptionReporterFilter",
        IGNORABLE_404_URLS=[re.compile(r"\.php$")],
        ADMINS=(),
        MAILERS={"bulk": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}, "plain": {}},
    )
    own = Settings(module)
    assert own.EMAIL_BACKEND == "errormail.mail.backends.console.EmailBackend"
    assert own.DEFAULT_EXCEPTION_REPORTER == "errormail.report.debug.ExceptionReporter"
    assert [re.compile(r"\.php$")] == own.IGNORABLE_404_URLS
    assert own.MAILERS["bulk"] == {"BACKEND": "errormail.mail.backends.dummy.EmailBackend"}


def test_of_django_settings_only_what_somebody_set_is_taken():
    code = """
from django.conf import settings
settings.configure(SERVICE="shop", DEBUG=True, EMAIL_HOST="mail.example.com")
from errormail.conf import Settings
own = Settings(settings)
assert (own.SERVICE, own.DEBUG, own.EMAIL_HOST) == ("shop", True, "mail.example.com")
assert own.EMAIL_SUBJECT_PREFIX == "[errormail] "
assert not own.is_given("EMAIL_PORT")
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


# Environment variables

VARIABLES = [
    ("SERVICE", "shop", "shop"),
    ("SERVICE", "", ""),
    ("EMAIL_SUBJECT_PREFIX", "", ""),
    ("DEBUG", "true", True),
    ("DEBUG", " YES ", True),
    ("DEBUG", "on", True),
    ("DEBUG", "1", True),
    ("DEBUG", "False", False),
    ("DEBUG", "no", False),
    ("DEBUG", "off", False),
    ("DEBUG", "0", False),
    ("EMAIL_PORT", "587", 587),
    ("EMAIL_TIMEOUT", "2.5", 2.5),
    ("SHUTDOWN_TIMEOUT", "0", 0),
    ("EMAIL_FILE_PATH", "/var/mail out", "/var/mail out"),
    ("EMAIL_OAUTH2_TOKEN", "shop.tokens.fetch", "shop.tokens.fetch"),
    ("INTERNAL_IPS", "127.0.0.1, ::1,10.0.0.0/8", ["127.0.0.1", "::1", "10.0.0.0/8"]),
    ("IGNORABLE_404_URLS", r'^/a{2}$, "^/b{1,2}$"', ["^/a{2}$", "^/b{1,2}$"]),
    ("DELIVERY", "sync", "sync"),
    (
        "MAILERS",
        '{"bulk": {"OPTIONS": {"host": "bulk.example.com"}}}',
        {"bulk": {"OPTIONS": {"host": "bulk.example.com"}}},
    ),
    ("ADMINS", "ops@example.com", ["ops@example.com"]),
    (
        "ADMINS",
        'Ops <ops@example.com>, "Doe, Jane" <jane@example.com>,, dev@example.com ,',
        ["Ops <ops@example.com>", '"Doe, Jane" <jane@example.com>', "dev@example.com"],
    ),
    (
        "MANAGERS",
        r'"Doe \"D, D\", Jane" <jane@example.com>',
        [r'"Doe \"D, D\", Jane" <jane@example.com>'],
    ),
]


@pytest.mark.parametrize(("name", "text", "value"), VARIABLES)
def test_an_environment_variable_is_text(environment, name, text, value):
    environment(name, text)
    own = Settings()
    assert getattr(own, name) == value
    assert own.is_given(name)


@pytest.mark.parametrize("name", ["EMAIL_HOST", "EMAIL_PORT", "DEBUG", "ADMINS", "EMAIL_URL"])
def test_an_empty_variable_counts_as_not_set(environment, name):
    environment(name, "")
    assert not Settings().is_given(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DEBUG", "maybe"),
        ("EMAIL_PORT", "smtp"),
        ("EMAIL_PORT", "25_0"),
        ("EMAIL_PORT", "２５"),  # noqa: RUF001 -- int() takes them
        ("EMAIL_PORT", "70000"),
        ("EMAIL_TIMEOUT", "-1"),
        ("EMAIL_TIMEOUT", "nan"),
        ("EMAIL_TIMEOUT", "0"),
        ("ADMINS", 'Doe, "Jane <jane@example.com>'),
        ("ADMINS", "a b c"),
        ("INTERNAL_IPS", "10.0.0.0/99"),
        ("IGNORABLE_404_URLS", "("),
        ("MAILERS", "{"),
        ("MAILERS", "[1]"),
        ("DELIVERY", "later"),
        ("RELEASE", "1\n2"),
        ("RELEASE", "\udcff"),
        ("EMAIL_URL", "imap://mail.example.com"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(environment, name, text):
    environment(name, text)
    with pytest.raises(ImproperlyConfigured, match=rf"^ERRORMAIL_{name}: expected .*, got "):
        Settings()


ITEM = st.text(st.characters(exclude_characters='",\\', exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(st.booleans(), ITEM)))
def test_items_keep_what_stands_between_their_quotes(items):
    texts = [f'"{text}, {text}"' if quoted else text for quoted, text in items]
    expected = [text.strip() for text in texts if text.strip()]
    assert checks.read_items(",".join(texts)) == expected


@given(st.text('ab ,"\\'))
def test_items_of_any_text_are_read_or_refused(text):
    try:
        items = checks.read_items(text)
    except ValueError:
        return
    assert "".join(items).replace(" ", "").count("a") == text.count("a")


# What is refused

SOME_CLASS = "errormail.exceptions.ErrorMailError"

GOOD = [
    ("ADMINS", ["ops@example.com", "Ops <ops@example.com>", ("Ops", "ops@example.com")]),
    ("ADMINS", ("ops@example.com",)),
    ("ADMINS", ["root"]),
    ("SERVER_EMAIL", "Shop <shop@example.com>"),
    ("EMAIL_PORT", 1),
    ("EMAIL_PORT", 65535),
    ("EMAIL_HOST", "::1"),
    ("EMAIL_HOST", "10.0.0.1"),
    ("EMAIL_TIMEOUT", 3),
    ("EMAIL_TIMEOUT", None),
    ("SHUTDOWN_TIMEOUT", 0),
    ("EMAIL_FILE_PATH", Path("mail")),
    ("EMAIL_BACKEND", SOME_CLASS),
    ("EMAIL_OAUTH2_TOKEN", lambda: "token"),
    ("DEFAULT_EXCEPTION_REPORTER", SOME_CLASS),
    ("DEFAULT_EXCEPTION_REPORTER", ImproperlyConfigured),
    ("DEFAULT_CHARSET", "iso-8859-15"),
    ("INTERNAL_IPS", ["10.0.0.1/8", ipaddress.ip_address("::1")]),
    ("IGNORABLE_404_URLS", ["^/a", re.compile("b")]),
    ("MAILERS", {}),
    ("MAILERS", {"bulk": {}}),
    ("MAILERS", {"bulk": {"BACKEND": SOME_CLASS, "OPTIONS": {"host": "mail.example.com"}}}),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_values_are_taken(name, value):
    assert Settings(**{name: value}).is_given(name)


BAD = [
    ("ADMINS", "ops@example.com"),
    ("ADMINS", None),
    ("ADMINS", {"ops": "ops@example.com"}),
    ("ADMINS", iter(["ops@example.com"])),
    ("ADMINS", ["no address at all"]),
    ("ADMINS", ["a@example.com, b@example.com"]),
    ("ADMINS", ["a@example.com\nBcc: b@example.com"]),
    ("ADMINS", [("Ops", "ops@example.com", "third")]),
    ("ADMINS", [5]),
    ("ADMINS", [None]),
    ("MANAGERS", [""]),
    ("SERVER_EMAIL", ""),
    ("SERVER_EMAIL", "shop@example.com, b@example.com"),
    ("SERVER_EMAIL", None),
    ("DEFAULT_FROM_EMAIL", ("Shop", "shop@example.com")),
    ("EMAIL_SUBJECT_PREFIX", "a\nb"),
    ("EMAIL_SUBJECT_PREFIX", "a\u2028"),
    ("SERVICE", 5),
    ("DEBUG", "true"),
    ("DEBUG", 1),
    ("DEBUG", None),
    ("EMAIL_PORT", 0),
    ("EMAIL_PORT", 65536),
    ("EMAIL_PORT", -25),
    ("EMAIL_PORT", "25"),
    ("EMAIL_PORT", True),
    ("EMAIL_PORT", 25.0),
    pytest.param("EMAIL_PORT", 10**5000, id="EMAIL_PORT-giant"),
    ("EMAIL_HOST", None),
    ("EMAIL_HOST", ""),
    ("EMAIL_HOST", "mail.example.com:25"),
    ("EMAIL_HOST", "[::1]"),
    ("EMAIL_HOST", "smtp://mail.example.com"),
    ("EMAIL_HOST", "mail example"),
    ("EMAIL_HOST_USER", None),
    ("EMAIL_HOST_PASSWORD", b"bytes"),
    ("EMAIL_OAUTH2_TOKEN", 5),
    ("EMAIL_USE_TLS", "yes"),
    ("EMAIL_SSL_CERTFILE", ""),
    ("EMAIL_SSL_CERTFILE", 5),
    ("EMAIL_TIMEOUT", 0),
    ("EMAIL_TIMEOUT", -1),
    ("EMAIL_TIMEOUT", float("nan")),
    ("EMAIL_TIMEOUT", float("inf")),
    ("EMAIL_TIMEOUT", True),
    ("EMAIL_TIMEOUT", "10"),
    ("SHUTDOWN_TIMEOUT", None),
    ("SHUTDOWN_TIMEOUT", -1.0),
    ("EMAIL_FILE_PATH", 5),
    ("DEFAULT_CHARSET", "utf-9"),
    ("DEFAULT_CHARSET", "rot13"),
    ("DEFAULT_CHARSET", "a\0b"),
    ("INTERNAL_IPS", ["localhost"]),
    ("INTERNAL_IPS", "127.0.0.1"),
    ("INTERNAL_IPS", [5]),
    ("IGNORABLE_404_URLS", ["("]),
    ("IGNORABLE_404_URLS", [5]),
    ("SESSION_COOKIE_NAME", ""),
    ("SESSION_COOKIE_NAME", "a b"),
    ("DELIVERY", "later"),
    ("DELIVERY", None),
    ("EMAIL_BACKEND", ""),
    ("EMAIL_BACKEND", "smtp"),
    ("EMAIL_BACKEND", "no_such_module.EmailBackend"),
    ("EMAIL_BACKEND", "errormail.exceptions.NoSuchClass"),
    ("EMAIL_BACKEND", "errormail.conf.PREFIX"),
    ("EMAIL_BACKEND", "errormail..conf"),
    ("EMAIL_BACKEND", ImproperlyConfigured),
    ("DEFAULT_EXCEPTION_REPORTER", "no_such_module.Reporter"),
    ("DEFAULT_EXCEPTION_REPORTER_FILTER", 5),
    ("MAILERS", "smtp"),
    ("MAILERS", None),
    ("MAILERS", {5: {}}),
    ("EMAIL_URL", ""),
    ("EMAIL_URL", None),
    ("EMAIL_URL", 5),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_expected(name, value):
    with pytest.raises(ImproperlyConfigured) as caught:
        Settings(**{name: value})
    text = str(caught.value)
    assert re.match(rf"{name}: expected .+, got .+", text)
    assert len(text) < 1000


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, "a mapping"),
        ({"BACKND": SOME_CLASS}, "BACKEND and OPTIONS only"),
        ({"BACKEND": "no_such_module.EmailBackend"}, "dotted path"),
        ({"BACKEND": None}, "dotted path"),
        ({"OPTIONS": []}, "a mapping"),
        ({"OPTIONS": {5: 6}}, "key"),
        ({"OPTIONS": {"alias": "bulk"}}, "'alias'"),
    ],
)
def test_a_wrong_entry_of_mailers_is_named_by_its_alias(entry, expected):
    with pytest.raises(InvalidMailer, match=r"^MAILERS\['bulk'\]") as caught:
        Settings(MAILERS={"bulk": entry})
    assert expected in str(caught.value)
    assert caught.value.alias == "bulk"


@pytest.mark.row("F11")
def test_admins_are_kept_as_they_are_given():
    given = ["ops@example.com", "Ops <ops@example.com>", ("Ops", "ops@example.com")]
    assert given == Settings(ADMINS=given).ADMINS
    assert given == Settings(ADMINS=tuple(given)).ADMINS
    assert Settings(ADMINS=[["Ops", "ops@example.com"]]).ADMINS == [("Ops", "ops@example.com")]


def test_a_list_that_is_changed_later_is_not_seen():
    given = ["ops@example.com"]
    own = Settings(ADMINS=given)
    given.append("dev@example.com")
    assert own.ADMINS == ["ops@example.com"]


@pytest.mark.row("F12")
@pytest.mark.parametrize("shape", ["ops@example.com", [("Ops",)], {"ops@example.com"}])
@pytest.mark.parametrize("name", ["ADMINS", "MANAGERS"])
def test_a_wrong_shape_of_admins_is_refused_at_once_but_not_by_override_settings(name, shape):
    with pytest.raises(ImproperlyConfigured, match=f"^{name}: expected a list of addresses"):
        configure(**{name: shape})
    with conf.override_settings(**{name: shape}):
        assert getattr(settings, name) == shape


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("EMAIL_HOTS", "EMAIL_HOST"), ("admins", "ADMINS"), ("EMAIL_URI", "EMAIL_URL")],
)
def test_an_unknown_keyword_names_the_nearest_known_one(name, nearest):
    with pytest.raises(ImproperlyConfigured, match=f"{name}: did you mean {nearest}?"):
        configure(**{name: "x"})


def test_a_keyword_near_to_nothing_lists_the_known_ones():
    with pytest.raises(ImproperlyConfigured, match=r"qqqqq: known are ADMINS, .*SESSION_COOKIE"):
        configure(qqqqq=1)


def test_tls_and_ssl_exclude_each_other(environment):
    environment("EMAIL_USE_SSL", "1")
    with pytest.raises(ImproperlyConfigured, match="EMAIL_USE_TLS and EMAIL_USE_SSL"):
        Settings(EMAIL_USE_TLS=True)


def test_a_key_needs_its_certificate():
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_SSL_KEYFILE.*EMAIL_SSL_CERTFILE"):
        Settings(EMAIL_SSL_KEYFILE="key.pem")


def test_an_empty_host_does_no_harm_to_other_backends():
    assert Settings(EMAIL_HOST="", EMAIL_URL="console:").EMAIL_HOST == ""


def test_the_error_of_the_import_is_the_cause(tmp_path, monkeypatch):
    (tmp_path / "broken_backend.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ImproperlyConfigured, match=r"'broken_backend.Own'.*no_such_package") as one:
        Settings(EMAIL_BACKEND="broken_backend.Own")
    assert isinstance(one.value.__cause__, ModuleNotFoundError)
    with pytest.raises(InvalidMailer, match=r"'broken_backend.Own'.*no_such_package") as other:
        Settings(MAILERS={"bulk": {"BACKEND": "broken_backend.Own"}})
    assert isinstance(other.value.__cause__, ModuleNotFoundError)


@pytest.mark.row("F20")
@pytest.mark.parametrize(
    "given",
    [
        {"EMAIL_HOST": "mail.example.com"},
        {"EMAIL_BACKEND": "errormail.mail.backends.dummy.EmailBackend"},
        {"EMAIL_TIMEOUT": 5},
        {"EMAIL_URL": "console:"},
    ],
)
def test_email_settings_and_a_default_mailer_exclude_each_other(given):
    with pytest.raises(ImproperlyConfigured, match="MAILERS: it has 'default', and so EMAIL_"):
        Settings({"MAILERS": {"default": {}}}, **given)


@pytest.mark.row("F20")
def test_email_settings_and_other_mailers_go_together():
    own = Settings(MAILERS={"bulk": {}}, EMAIL_HOST="mail.example.com")
    assert own.EMAIL_HOST == "mail.example.com"
    Settings(MAILERS={"default": {}}, EMAIL_SUBJECT_PREFIX="[shop] ", EMAIL_USE_LOCALTIME=True)


# What a value may be


def test_secret_objects_are_unwrapped():
    own = Settings(
        EMAIL_HOST_PASSWORD=Secret("s3cret"),
        EMAIL_OAUTH2_TOKEN=Secret("t0ken"),
        MAILERS={"bulk": {"OPTIONS": {"password": Secret("0ther")}}},
    )
    assert (own.EMAIL_HOST_PASSWORD, own.EMAIL_OAUTH2_TOKEN) == ("s3cret", "t0ken")
    assert own.MAILERS["bulk"]["OPTIONS"] == {"password": "0ther"}


def test_a_url_object_is_taken():
    assert Settings(EMAIL_URL=Url()).EMAIL_HOST == "mail.example.com"
    assert Settings(EMAIL_URL=Secret("smtp://a.example.com")).EMAIL_HOST == "a.example.com"


def test_a_member_of_an_enum_of_texts_is_kept_as_its_text():
    class Name(str, enum.Enum):
        PRODUCTION = "production"

    assert type(Settings(ENVIRONMENT=Name.PRODUCTION).ENVIRONMENT) is str
    assert Settings(ENVIRONMENT=Name.PRODUCTION).ENVIRONMENT == "production"


def test_objects_of_ipaddress_become_text():
    own = Settings(INTERNAL_IPS=[ipaddress.ip_network("10.0.0.0/8")])
    assert own.INTERNAL_IPS == ["10.0.0.0/8"]


# Settings as an object


def test_settings_do_not_change():
    own = Settings()
    with pytest.raises(AttributeError, match="override_settings"):
        own.DEBUG = True
    with pytest.raises(AttributeError, match="override_settings"):
        del own.DEBUG
    with pytest.raises(AttributeError, match="override_settings"):
        settings.DEBUG = True


def test_settings_can_be_copied_and_pickled():
    own = Settings(SERVICE="shop")
    for twin in (copy.copy(own), copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        assert twin.SERVICE == "shop"
        assert twin.is_given("SERVICE")


def test_the_repr_shows_what_is_given():
    own = Settings(SERVICE="shop", EMAIL_PORT=587, ADMINS=[("Ops", "ops@example.com")])
    expected = "Settings(ADMINS=[('Ops', 'ops@example.com')], SERVICE='shop', EMAIL_PORT=587)"
    assert repr(own) == expected
    assert repr(Settings()) == "Settings()"


def test_the_proxy_is_like_the_settings_in_force():
    configure(SERVICE="shop")
    assert repr(settings) == "Settings(SERVICE='shop')"
    assert set(dir(Settings)) == set(dir(settings))
    assert settings.is_given("SERVICE")


# Which are in force


def test_explicit_settings_are_in_force_inside_using_only():
    configure(SERVICE="shop")
    with using(Settings(SERVICE="blog")):
        assert settings.SERVICE == "blog"
        with using(Settings(SERVICE="wiki")):
            assert settings.SERVICE == "wiki"
        with using(None):
            assert settings.SERVICE == "blog"
        assert settings.SERVICE == "blog"
    assert settings.SERVICE == "shop"


def test_using_ends_with_an_exception():
    with pytest.raises(KeyError), using(Settings(SERVICE="blog")):
        raise KeyError
    assert settings.SERVICE == ""


def test_using_goes_before_override_settings():
    with using(Settings(SERVICE="blog")), conf.override_settings(SERVICE="test"):
        assert settings.SERVICE == "blog"


def test_using_the_settings_in_force_changes_nothing():
    configure(SERVICE="shop")
    with using(settings):
        assert settings.SERVICE == "shop"


def test_using_holds_in_its_own_thread_only():
    seen = []
    with using(Settings(SERVICE="blog")):
        thread = threading.Thread(target=lambda: seen.append(settings.SERVICE))
        thread.start()
        thread.join()
    assert seen == [""]


def test_readers_never_see_half_of_a_configure():
    """While other threads read, configure() and override_settings() swap whole sets."""
    stop = threading.Event()
    torn = []

    def read():
        while not stop.is_set():
            own = current()
            if own.SERVICE != own.RELEASE:
                torn.append((own.SERVICE, own.RELEASE))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(300):
        configure(SERVICE=f"{number}", RELEASE=f"{number}")
        with conf.override_settings(SERVICE="test", RELEASE="test"):
            assert settings.SERVICE == "test"
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def imported_by(code):
    preface = f"import sys; sys.path.insert(0, {FOLDER!r}); from errormail import conf\n"
    command = [sys.executable, "-I", "-S", "-c", f"{preface}{code}\nprint(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_importing_conf_loads_nothing_heavy():
    heavy = {"smtplib", "ssl", "sqlite3", "html", "email", "socketserver", "asyncio"}
    rare = {"difflib", "json", "ipaddress", "inspect", "unittest", "urllib.parse"}
    assert (heavy | rare) & imported_by("") == set()


def test_naming_our_own_backends_imports_none_of_them():
    code = "\n".join(
        f"conf.configure(EMAIL_BACKEND='errormail.mail.backends.{name}.EmailBackend')"
        for name in ("smtp", "console", "filebased", "locmem", "dummy")
    )
    assert {"smtplib", "ssl", "errormail.mail"} & imported_by(code) == set()
