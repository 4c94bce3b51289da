"""The settings of what is reported and shown: read from text, refused when they are wrong."""

from __future__ import annotations

import re

import pytest

from errormail import ImproperlyConfigured
from errormail.conf import Settings


def hook(report: object) -> object:
    return report


def test_hooks_are_callables_or_their_dotted_paths() -> None:
    own = Settings(BEFORE_SEND=hook, SECTIONS=[hook, "json.dumps"], SECRETS="json.dumps")
    assert own.BEFORE_SEND is hook
    assert [getattr(each, "__name__", "") for each in own.SECTIONS] == ["hook", "dumps"]
    assert callable(own.SECRETS)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("BEFORE_SEND", 5, "expected a callable, its dotted path, or None, got 5"),
        ("BEFORE_SEND", "json.nothing", "BEFORE_SEND"),
        ("SECTIONS", [None], "None is neither"),
        ("SECTIONS", hook, "neither a list nor a tuple"),
        ("SECRETS", [b"bytes"], "no str"),
        ("IGNORE", [int], "int is no exception class"),
        ("IGNORE", [7], "7 is none of them"),
        ("IGNORE", "KeyError", "neither a list nor a tuple"),
        ("IN_APP", [""], "'' is none"),
        ("REDACT", [5], "5 is neither"),
        ("REDACT_MODE", "all", "'denylist' or 'allowlist'"),
        ("TRUSTED_PROXIES", -1, "0 or greater"),
        ("TRUSTED_PROXIES", True, "0 or greater"),
        ("SOURCE_URL", "ftp://git.example.com/{path}", "https://"),
        ("SOURCE_URL", "https://git.example.com/{path.__class__}", "is not known"),
        ("SOURCE_URL", "https://git.example.com/{path}/}", "is not known"),
        ("SOURCE_URL", "https://git.example.com/main", "{path} is missing"),
        ("SOURCE_URL", "https://user:pw@git.example.com/{path}", "https://"),
        ("VALUES_TIMEOUT", -1, "0 or greater"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: object, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(reason)):
        Settings({name: value})


def test_no_text_of_secrets_stands_in_a_repr_or_an_error() -> None:
    assert "hunter2hunter2" not in repr(Settings(SECRETS=["hunter2hunter2"]))
    with pytest.raises(ImproperlyConfigured) as caught:
        Settings(SECRETS=["hunter2hunter2", 5])
    assert "hunter2hunter2" not in str(caught.value)


def test_the_environment_has_them_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "IN_APP": "shop, !shop.vendor",
        "IGNORE": "KeyError,/health*,django.security",
        "REDACT": "customer_no",
        "TRUSTED_PROXIES": "2",
        "ATTACH_JSON": "yes",
        "SOURCE_URL": "https://git.example.com/{release}/{path}#L{line}",
        "BEFORE_SEND": "json.dumps",
    }
    for name, text in texts.items():
        monkeypatch.setenv(f"ERRORMAIL_{name}", text)
    own = Settings()
    assert own.IN_APP == ["shop", "!shop.vendor"]
    assert own.IGNORE == ["KeyError", "/health*", "django.security"]
    assert own.REDACT == ["customer_no"]
    assert own.TRUSTED_PROXIES == 2
    assert own.ATTACH_JSON is True
    assert own.SOURCE_URL == "https://git.example.com/{release}/{path}#L{line}"
    assert callable(own.BEFORE_SEND)
