"""
What went wrong for others has a test here: ``pitfalls.txt`` says which.

The full list stands in the design, beside the repository where it is developed.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from errormail.report.redact import DEFAULT_REDACTOR

TESTS = Path(__file__).parent
DESIGN = TESTS.parent.parent / "shared" / "PITFALLS.md"
NO_TEST = {"skip", "xfail"}
# Of delivery, folding, queues and stores: 2, 4, 5 and so on; none of them is made by capture, redaction, subject or header.
OF_DELIVERY = {*(2, 4, 5, 8, 9, 18, 19, 20, 22, 30, 32), *range(35, 46), 49, 51}


def entries():
    """Yield number and tests of each line."""
    for line in (TESTS / "pitfalls.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            number, _, rest = line.partition(" ")
            yield number, rest.rpartition(" :: ")[2].split()


ENTRIES = dict(entries())


def names_in(path):
    """Return the names of the tests of a file; one that never runs is none."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            marks = {
                each.attr
                for decorator in node.decorator_list
                for each in ast.walk(decorator)
                if isinstance(each, ast.Attribute)
            }
            if node.name.startswith("test_") and not marks & NO_TEST:
                found.add(node.name)
    return found


@pytest.mark.parametrize("number", list(ENTRIES))
def test_each_pitfall_has_its_tests(number):
    assert ENTRIES[number]
    for named in ENTRIES[number]:
        file, _, name = named.partition("::")
        assert name in names_in(TESTS / file), named


def test_the_list_is_that_of_the_design():
    if not DESIGN.exists():
        pytest.skip("the design is not beside this clone")
    sections = re.split(r"^## (\d)\. .*$", DESIGN.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = dict(zip(sections[1::2], sections[2::2], strict=True))
    numbers = {int(each) for each in re.findall(r"^(\d+)\. ", texts["1"], re.MULTILINE)}
    ours = {int(each.partition(".")[2]) for each in ENTRIES if each.startswith("1.")}
    assert ours | OF_DELIVERY == numbers
    measured = len(re.findall(r"^- ", texts["2"], re.MULTILINE))
    # The eighth is on certificates and endless greetings: the conversation of SMTP.
    assert {f"2.{each}" for each in range(1, measured + 1)} - ENTRIES.keys() == {"2.8"}


# The lists of others, as they have them.
DJANGO = ["API", "AUTH", "TOKEN", "KEY", "SECRET", "PASS", "SIGNATURE", "HTTP_COOKIE"]
SENTRY = [
    *("password", "passwd", "secret", "api_key", "apikey", "auth", "credentials", "mysql_pwd"),
    *("privatekey", "private_key", "token", "session", "csrftoken", "sessionid", "x_csrftoken"),
    *("set_cookie", "cookie", "authorization", "proxy-authorization", "x_api_key", "pwd", "jwt"),
    *("aiohttp_session", "connect.sid", "csrf_token", "csrf", "_csrf", "_csrf_token", "PHPSESSID"),
    *("_session", "user_session", "symfony", "_xsrf", "XSRF-TOKEN", "bearer", "sso", "saml"),
    *("xsrf", "sid", "identity"),
]
RAILS = ["passw", "secret", "token", "_key", "crypt", "salt", "certificate", "otp", "ssn"]
MISSED_BY_ALL = [
    *("passphrase", "pin", "cvv", "cvc", "card_number", "dsn", "database_url", "otp", "pwd"),
    *("connection_string", "refresh_token", "client_secret", "iban", "account_number", "sort_code"),
    *("dob", "nonce", "seed", "mnemonic", "kubeconfig", "webhook_url", "sas", "signature"),
    "assertion",
]


@pytest.mark.parametrize("name", [*DJANGO, *SENTRY, *RAILS])
def test_names_that_others_hide_are_hidden(name):
    assert DEFAULT_REDACTOR.hides(name)
    assert DEFAULT_REDACTOR.hides(f"my_{name.strip('_')}")


@pytest.mark.parametrize("name", MISSED_BY_ALL)
def test_names_that_all_others_miss_are_hidden(name):
    assert DEFAULT_REDACTOR.hides(name)
    assert DEFAULT_REDACTOR.hides(name.upper())
    assert DEFAULT_REDACTOR.hides(f"user-{name}")
    assert DEFAULT_REDACTOR.hides("".join(map(str.title, name.split("_"))))
