"""Nothing secret stays in a text or under a name; what is harmless stays readable."""

from __future__ import annotations

import json
import string
import sys
import time
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errormail import _contain
from errormail.report import pairs, redact
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR, Redactor


def words(text):
    return text.split()


HIDDEN = words(
    """
    password passwd passphrase user_password db_pass dbpass smtpPassword new-password2 PASSWORD pwd MYSQL_PWD secret
    STRIPE_SECRET client_secret SECRET_KEY AWS_SECRET_ACCESS_KEY api_key X-Api-Key apikey APIKey ApiKey private_key
    privatekey token access_token refreshToken authToken csrfmiddlewaretoken XSRF-TOKEN _csrf csrftoken auth
    Authorization proxy-authorization HTTP_AUTHORIZATION x-auth-token oauth_token basic_auth credentials cookie
    Set-Cookie HTTP_COOKIE session sessionid PHPSESSID JSESSIONID connect.sid aiohttp_session user_session symfony
    signature X-Hub-Signature-256 sig sas assertion client_assertion jwt bearer sso SAMLResponse sid card_number
    cardNumber cvv cvc cvv2 pin userPIN iban account_number sort_code ssn dob otp totp nonce seed mnemonic dsn
    SENTRY_DSN database_url connection_string webhook_url kubeconfig salt certificate encrypted_data key STRIPE_KEY
    identity api user[password] form.password PASSWORDhash API AUTH TOKEN KEY SECRET PASS SIGNATURE
    """
)
READABLE = words(
    """
    author authors co_author X-Author authority is_authenticated authorized keyboard X-Keyboard monkey keyword keys
    compass passenger passage passed bypass tokenizer tokenize token_count tokenCount max_tokens secretary assignee
    primary_key public_key foreign_key cache_key cacheKey sort_key shipping spinner design assigned sidebar consider
    rapid capital classic KeyError TokenExpiredError name email address user_id country amount HTTP_HOST referer seeds
    description pinned obsession url path cause class hockey
    """
)


@pytest.mark.row("X1")
@pytest.mark.parametrize("name", HIDDEN)
def test_a_name_that_speaks_of_a_secret_hides(name):
    assert DEFAULT_REDACTOR.hides(name)
    assert DEFAULT_REDACTOR.value(name, "anything") == REDACTED


@pytest.mark.parametrize("name", READABLE)
def test_other_names_stay_readable(name):
    assert not DEFAULT_REDACTOR.hides(name)
    assert DEFAULT_REDACTOR.value(name, "anything") == "anything"


def test_names_are_judged_in_any_case_and_with_either_dash():
    for name in ["api-key", "API_KEY", "Api.Key", "apiKey", "api key"]:
        assert DEFAULT_REDACTOR.hides(name)


def test_a_huge_name_costs_what_a_long_one_costs():
    assert DEFAULT_REDACTOR.hides("x_" * 5_000_000 + "password")
    assert DEFAULT_REDACTOR.hides("password" + "_x" * 5_000_000)


def test_further_names_hide_as_a_whole_and_in_any_case():
    redactor = DEFAULT_REDACTOR.with_names(["Answer", "my-field"])
    assert redactor.hides("ANSWER")
    assert redactor.hides("my_field")
    assert not redactor.hides("answers")
    assert redactor.text("answer=42 answers=43") == f"answer={REDACTED} answers=43"


SECRET = "s3cr3t-W0rd"

TEXTS = [
    "password={}",
    "login failed: password={}, user=bob",
    "a password: {} and more",
    '{{"password": "{}", "user": "bob"}}',
    "{{'password': '{}', 'user': 'bob'}}",
    "{{'user': 'bob', 'Password' : '{}'}}",
    '{{"token":"{}"}}',
    'say "{{\\"password\\": \\"{}\\"}}"',
    "GET /login?user=bob&token={}&next=/ HTTP/1.1",
    "GET /login?user%5Bpassword%5D={}&x=1",
    "https://bob:{}@example.com/path",
    "postgres://bob:{}@db.example.com:5432/shop",
    "postgres://bob:pa/ss{}@db.example.com/shop",
    "redis://:{}@localhost/0",
    "https://{}@github.com/x.git",
    "host=db user=bob password={} dbname=shop",
    "Server=db;Uid=bob;Pwd={};Encrypt=yes",
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "Authorization: Digest username=bob, response={}",
    "Cookie: theme=dark; sid={}; lang=en",
    "curl -H 'Cookie: a=b; c={}' http://example.com",
    "sent Bearer {} to the server",
    "[(b'cookie', b'a={}'), (b'host', b'x')]",
    "(('password', '{}'), ('user', 'bob'))",
    "Headers([('Authorization', '{}')])",
    "<CIMultiDict('Cookie': '{}')>",
    "Login(user='bob', password='{}')",
    "Login(user=bob, password={})",
    "<Login password={}>",
    "password = '{}'",
    'API_KEY: str = "{}"',
    "os.environ['API_KEY'] = '{}'",
    "secret => {}",
    "if token == '{}':",
    "{{'credentials': {{'user': 'bob', 'value': '{}'}}, 'x': 1}}",
    "{{'tokens': ['a', '{}'], 'x': 1}}",
    "token=Token('{}', 5) next",
    "token=<Token {}> next",
    "<password>{}</password>",
    '<input name="password" value="{}">',
    '{{"name": "password", "value": "{}"}}',
    'Content-Disposition: form-data; name="pin"\r\n\r\n{}\r\n--boundary',
    "b'form-data; name=\"pin\"\\r\\n\\r\\n{}\\r\\n--boundary'",
    "b'user=bob\\npin={}'",
    "passphrase: correct horse {} battery",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----\n{}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_in_a_text_is_hidden(text):
    found = DEFAULT_REDACTOR.text(text.format(SECRET))
    assert SECRET not in found
    assert REDACTED in found


@given(
    st.sampled_from(TEXTS), st.text(string.ascii_letters + string.digits, min_size=8, max_size=30)
)
def test_whatever_the_secret_is(text, secret):
    """A digit makes it differ from the words around."""
    secret = f"{secret}7"
    assert secret not in DEFAULT_REDACTOR.text(text.format(secret))


@given(st.text(min_size=1))
def test_a_quoted_secret_of_any_characters_is_hidden(secret):
    for text in (
        json.dumps({"password": secret, "user": "bob"}),
        repr({"password": secret, "user": "bob"}),
    ):
        found = DEFAULT_REDACTOR.text(text)
        assert found.replace("'", '"') == f'{{"password": "{REDACTED}", "user": "bob"}}'


@given(st.text(min_size=1))
def test_a_percent_encoded_secret_of_any_characters_is_hidden(secret):
    text = urlencode({"token": secret.encode("utf-8", "surrogatepass"), "user": "bob"})
    assert DEFAULT_REDACTOR.text(text) == f"token={REDACTED}&user=bob"


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'EUR'",
        "ERROR:shop.api:no route",
        "no rate from CHF to EUR",
        "GET /cart?step=3&lang=en HTTP/1.1",
        "http://localhost:8080/a@b",
        "https://example.com/keyboard?author=jane",
        "mailto:jane@example.com",
        "order 4111111111111112, phone 4915112345678",
        "Basic information about the order",
        "bearer authentication required",
        "author: Jane, primary_key: 17, token_count=12",
        "{'author': 'Jane', 'assignee': 'bob'}",
        "timestamp 1764042000123456",
        "['token', 'value']",
        "",
    ],
)
def test_what_is_harmless_stays(text):
    assert DEFAULT_REDACTOR.text(text) == text


@pytest.mark.parametrize(
    "parts",
    [
        (
            "eyJhbGciOiJIUzI1NiJ9",
            ".",
            "eyJzdWIiOiIxMjM0NTY3ODkwIn0",
            ".",
            "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        ),
        ("AKIA", "IOSFODNN7EXAMPLE"),
        ("ghp", "_", "a1B2" * 9),
        ("github_pat", "_", "a1B2" * 9),
        ("glpat", "-", "a1B2" * 5),
        ("AIza", "SyA1" * 9),
        ("xoxb", "-", "1234567890-abcdef"),
        ("sk", "_live_", "a1B2" * 6),
        ("SG", ".", "a1B2" * 5, ".", "a1B2" * 10),
        ("npm", "_", "a1B2" * 9),
        ("pypi", "-", "AgEI" * 20),
        ("sk", "-proj-", "a1B2" * 8),
        ("https://hooks.slack.com/services/", "T0/B0/", "x1y2" * 6),
    ],
)
def test_keys_of_a_published_form_are_hidden(parts):
    """Put together here, so that nobody's scanner finds a key in this file."""
    key = "".join(parts)
    found = DEFAULT_REDACTOR.text(f"using {key} now")
    assert parts[-1] not in found
    assert found.startswith("using ")
    assert found.endswith(" now")


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "5500 0055 5555 5559",
        "3782-822463-10005",
        "30569309025904",
        "3530111333300000",
        "6011111111111117",
    ],
)
def test_card_numbers_are_hidden(number):
    assert DEFAULT_REDACTOR.text(f"charged {number}!") == f"charged {REDACTED}!"


# Known values


def test_a_known_value_is_hidden_wherever_it_stands():
    redactor = DEFAULT_REDACTOR.with_values(["hunter2/hunter2"])
    assert redactor.text("so hunter2/hunter2 it is") == f"so {REDACTED} it is"


@given(
    st.text(min_size=8, max_size=40).filter(lambda text: len(set(text)) > 2), st.text(max_size=20)
)
def test_a_known_value_is_hidden_in_each_form(value, around):
    redactor = DEFAULT_REDACTOR.with_values([value])
    if not redactor.values or value in around or value in REDACTED:
        return
    encodable = value.encode("utf-8", "surrogatepass")
    for form in (value, quote(encodable, safe=""), repr(value)[1:-1], json.dumps(value)[1:-1]):
        assert form in REDACTED or form not in redactor.text(f"<{form}>").replace(REDACTED, "")


@pytest.mark.parametrize(
    "value", ["short", "password", "checkbox", "********", "redacted", "anonymous", ""]
)
def test_short_values_and_words_that_are_everywhere_are_no_known_values(value):
    assert DEFAULT_REDACTOR.with_values([value]).values == ()


def test_the_longest_known_value_is_looked_for_first():
    redactor = DEFAULT_REDACTOR.with_values(["abcdefgh1", "abcdefgh1-and-more"])
    assert redactor.text("abcdefgh1-and-more") == REDACTED


def test_known_values_are_bounded_in_number():
    redactor = DEFAULT_REDACTOR.with_values(f"value-number-{index}" for index in range(100_000))
    assert len(redactor.values) <= 600


def test_a_redactor_stays_as_it_is_when_further_ones_are_made_of_it():
    DEFAULT_REDACTOR.with_values(["hunter2hunter2"]).with_names(["answer"])
    assert Redactor() == DEFAULT_REDACTOR


# Cutting


@given(st.integers(0, 900), st.integers(20, 200))
def test_no_secret_survives_because_a_cut_went_through_it(offset, chars):
    secret = "hunter2hunter2" * 5
    redactor = DEFAULT_REDACTOR.with_values([secret])
    text = "-" * offset + secret + "-" * 2_000
    found = redactor.bounded(text, chars)
    assert len(found) <= chars
    assert "hunter" not in found


def test_a_text_of_100_mb_is_cut_before_it_is_looked_at():
    assert DEFAULT_REDACTOR.bounded("x" * 100_000_000, 50) == "x" * 47 + "..."


# Promises about the redactor itself


FRAGMENTS = st.sampled_from(
    [
        *(
            "password",
            "token",
            "key",
            "cookie",
            "user",
            "Authorization",
            "name",
            "value",
            "form-data; name=",
        ),
        *(
            "=",
            ":",
            ": ",
            "://",
            "@",
            "'",
            '"',
            '"""',
            "\\",
            "\\'",
            '\\"',
            ",",
            ", ",
            ";",
            "&",
            "(",
            ")",
            "[",
        ),
        *(
            "]",
            "{",
            "}",
            "<",
            ">",
            "</",
            " ",
            "\n",
            "\r\n\r\n",
            "\\n",
            "b'",
            "Bearer ",
            "Basic ",
            "-----BEGIN A-----",
        ),
        *(
            "%5D",
            "=>",
            "eyJabcdef.abcdef",
            "4111111111111111",
            REDACTED,
            "redacted",
            "secretvalue",
            "x1",
            "--",
        ),
    ]
)


@settings(max_examples=1500)
@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_redacting_twice_changes_nothing(text):
    redactor = DEFAULT_REDACTOR.with_values(["secretvalue"])
    once = redactor.text(text)
    assert redactor.text(once) == once
    assert redactor.source(redactor.source(text)) == redactor.source(text)


@given(st.text())
def test_any_text_is_taken(text):
    DEFAULT_REDACTOR.text(text)
    DEFAULT_REDACTOR.hides(text)


def adversaries(size):
    """Texts that make patterns backtrack, of *size* characters."""
    units = [
        *(
            "a",
            "=",
            "password=",
            "://",
            '"',
            "token: (",
            "1 ",
            "1",
            "password=,",
            "eyJa.",
            "x,",
            "<a>",
            "<a ",
            "\t",
        ),
        *(
            "-----BEGIN A-----",
            "form-data; name=x",
            "bearer ",
            "://a:",
            "\\",
            "password=\\'",
            "cookie: 'a",
        ),
        *(
            "'cookie:",
            "name='a'value",
            "a%5D",
            "token:a[",
            "'token','",
            "4 ",
            "key=<",
            "]",
            "sk-",
            "basic a",
        ),
    ]
    for unit in units:
        yield unit, unit * (size // len(unit))
    yield "open quote", "password='" + "\\" * size
    yield "open bracket", "token=" + "(" * size
    yield "closing brackets", "token=" + "]" * size
    yield "annotation", "token:" + "a|" * (size // 2)
    yield "blanks", "token" + " " * size


@pytest.mark.parametrize("index", range(len(dict(adversaries(100)))))
def test_time_is_linear_in_the_text(index):
    """Ten times the text takes about ten times as long, up to 1 MB; quadratic were a hundred times."""
    cases = [dict(adversaries(size)) for size in (100_000, 1_000_000)]
    name = list(cases[0])[index]
    seconds = []
    for case in cases:
        started = time.perf_counter()
        DEFAULT_REDACTOR.text(case[name])
        seconds.append(time.perf_counter() - started)
    assert seconds[1] < 35 * max(seconds[0], 0.002), name


def test_a_failure_hides_the_text(monkeypatch):
    def fail(*args):
        raise KeyError

    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(redact, "redact_pairs", fail)
    assert DEFAULT_REDACTOR.text("harmless") == REDACTED
    monkeypatch.setattr(redact, "redact_literals", fail)
    assert DEFAULT_REDACTOR.source("harmless") == REDACTED
    monkeypatch.setattr(redact, "is_sensitive", fail)
    assert DEFAULT_REDACTOR.hides("harmless")


def test_a_text_that_goes_on_changing_is_hidden(monkeypatch):
    monkeypatch.setattr(redact, "redact_pairs", lambda text, hides: f"{text}!")
    assert DEFAULT_REDACTOR.text("x") == REDACTED


def test_a_str_with_methods_of_its_own_is_taken_as_plain_text():
    class Loud(str):
        __slots__ = ()

        def __getitem__(self, item):
            raise SystemExit

        def __len__(self):
            raise SystemExit

        def split(self, *args):
            raise SystemExit

    assert DEFAULT_REDACTOR.text(Loud("password=hunter2")) == f"password={REDACTED}"
    assert DEFAULT_REDACTOR.hides(Loud("password"))
    assert DEFAULT_REDACTOR.bounded(Loud("password=hunter2"), 50) == f"password={REDACTED}"


# Source lines


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('API_KEY = "sk-1"', f'API_KEY = "{REDACTED}"'),
        ('API_KEY: str = "sk-1"', f'API_KEY: str = "{REDACTED}"'),
        ("connect(password='x', user='bob')", f"connect(password='{REDACTED}', user='bob')"),
        ('{"password": "x", "a": 1}', f'{{"password": "{REDACTED}", "a": 1}}'),
        ('get("token", "zz")', f'get("token", "{REDACTED}")'),
        ('url = "https://u:p@h"', f'url = "https://{REDACTED}@h"'),
    ],
)
def test_a_literal_beside_a_secret_name_is_hidden_in_source(line, shown):
    assert DEFAULT_REDACTOR.source(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "sorted(names, key=len)",
        "def connect(password: str, key=None):",
        'input("Password: ")',
        'key=f"cart:{cart_id}"',
        'token = request.form["token"]',
        'password = ""',
        "session = Session(engine)",
    ],
)
def test_code_beside_a_secret_name_stays(line):
    assert DEFAULT_REDACTOR.source(line) == line


def test_the_pairs_in_a_text_are_found_by_one_scan():
    """Counted, not timed: a name is asked about once for each separator behind it."""
    asked = []
    pairs.redact_pairs("a=b, " * 1_000, lambda name: asked.append(name) or False)
    assert len(asked) == 1_000


def test_deep_nesting_does_not_recurse():
    text = "token=" + "[" * (sys.getrecursionlimit() * 3)
    assert DEFAULT_REDACTOR.text(text) == f"token={REDACTED}"
