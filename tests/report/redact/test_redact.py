"""Nothing secret stays in a text or under a name; what is harmless stays readable."""

from __future__ import annotations

import dataclasses
import json
import re
import string
import sys
import time
import xml.sax.saxutils
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errormail import _contain
from errormail.report import redact
from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR, Redactor, pairs


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


MORE_TEXTS = [
    "GET /a?next=%2Flogin%3Fpin%3D{}%26a%3Db HTTP/1.1",
    "next=%252Flogin%253Fpin%253D{}%2526a%253Db",
    "password%20=%20{}",
    "Command '['mysql', '--password', '{}']' returned non-zero exit status 1.",
    "run it with --api-key {} now",
    "Key (email, api_key)=(bob@example.com, {}) already exists.",
    "(IntegrityError) x\n[SQL: INSERT INTO users (name, password) VALUES (?, ?)]\n[parameters: ('bob', '{}')]",
    "[SQL: UPDATE users SET pin=%s]\n[parameters: [('1',), ('{}',)]]",
    "<password><![CDATA[{}]]></password>",
    "<password type='x'><value>{}</value></password>",
    "<soap:Password>{}</soap:Password>",
    '{{"Card Number": "{}", "a": 1}}',
    "Account number: {}",
    "your security code: {}",
    "&quot;password&quot;: &quot;{}&quot;, x",
    "\\u0022password\\u0022: \\u0022{}\\u0022",
    "Server=tcp:x;User ID=bob;Password={};Encrypt=yes",
    "AccountKey={};EndpointSuffix=core.windows.net",
    "SharedAccessSignature sv=2020&sig={}&se=x",
    "password: |\n  {}\n  {}\nuser: bob",
    '"password":\n  "{}"',
    '{{\\"password\\":\\n  \\"{}\\"}}',
    "passwd -> {}",
    "Invalid password '{}' for bob",
    'api key "{}" is unknown',
    '<add key="ApiKey" value="{}" />',
    "export DB_PASS={}",
    "Set-Cookie: a={}; Path=/",
    "X-Api-Key: {}",
]


@pytest.mark.parametrize("text", MORE_TEXTS)
def test_a_secret_in_other_syntaxes_is_hidden(text):
    found = DEFAULT_REDACTOR.text(text.format(*[SECRET] * 2))
    assert SECRET not in found
    assert REDACTED in found


LISTED = st.sampled_from(
    [
        "password",
        "db_password",
        "apiKey",
        "X-Api-Key",
        "client_secret",
        "pin",
        "CARD_NUMBER",
        "token",
    ]
)


def syntaxes(name, secret):
    """Texts in which *secret* stands under *name*, in the syntaxes in which programs and protocols write it."""
    plain = {name: secret, "user": "bob"}
    attribute = re.sub(r"\W", "_", name)
    made = dataclasses.make_dataclass("Login", ["user", attribute])("bob", secret)
    encodable = secret.encode("utf-8", "surrogatepass")
    escaped = xml.sax.saxutils.escape(secret)
    yield repr(plain)
    yield repr(made)
    yield f"{attribute}={secret!r}"
    yield f"login failed with {name}: {secret!r}"
    yield json.dumps(plain)
    yield json.dumps(plain, ensure_ascii=False, indent=2)
    yield json.dumps({"data": json.dumps(plain)})
    yield repr(json.dumps(plain))
    yield repr(json.dumps(plain).encode())
    yield repr([(name, secret), ("user", "bob")])
    yield repr({"a": [{"b": repr(plain)}]})
    yield urlencode({name: encodable, "user": "bob"})
    yield f"GET /login?{urlencode({name: encodable})}&x=1 HTTP/1.1"
    yield urlencode({"next": f"/login?{urlencode({name: encodable})}"})
    yield f"<login><{attribute}>{escaped}</{attribute}></login>"
    yield f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n--x--'


@settings(max_examples=300)
@given(LISTED, st.text(min_size=1, max_size=40))
def test_a_secret_of_random_text_under_a_listed_name_never_survives(name, secret):
    secret = f"\0{secret}\0"  # so that it is found in no other part of the texts
    for text in syntaxes(name, secret):
        found = DEFAULT_REDACTOR.text(text)
        percent = quote(secret.encode("utf-8", "surrogatepass"))
        for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], percent):
            assert form not in found, text
        assert REDACTED in found, text


@settings(max_examples=300)
@given(
    LISTED,
    st.text(string.ascii_letters + string.digits + "-._~!$*+@/?#^|", min_size=6, max_size=40),
)
def test_a_secret_without_quotes_never_survives(name, secret):
    secret = f"a{secret}7"
    for text in (
        f"{name}={secret} next",
        f"{name}: {secret}",
        f"{name}={secret}&user=bob",
        f"host=db {name}={secret} dbname=shop",
        f"--{name} {secret} next",
        f"{name}:\n  {secret!r}",
    ):
        assert secret not in DEFAULT_REDACTOR.text(text), text


@settings(max_examples=300)
@given(st.text(string.ascii_letters + string.digits + "-._~!$*+,;=:%", min_size=6, max_size=40))
def test_a_password_in_an_address_never_survives(secret):
    secret = f"{secret}7"
    for text in (
        f"postgres://bob:{secret}@db/shop",
        f"see https://{secret}@example.com/?a=b for more",
    ):
        assert secret not in DEFAULT_REDACTOR.text(text)


@settings(max_examples=300)
@given(st.sampled_from(["password", "API_KEY", "self.token"]), st.text(min_size=1, max_size=40))
def test_a_literal_of_random_text_never_survives_in_source(name, secret):
    secret = f"\0{secret}\0"
    literal = repr(secret)
    for line in (
        f"{name} = {literal}",
        f"{name}: str = {literal}",
        f"{name} = ({literal}, {literal})",
        f"{name} = 'x' {literal}",
        f"{name} = SecretStr({literal})",
        f"config('{name}', default={literal})",
    ):
        assert literal[1:-1] not in DEFAULT_REDACTOR.source(line), line


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
    if not redactor.known.values or value in around or value in REDACTED:
        return
    encodable = value.encode("utf-8", "surrogatepass")
    for form in (value, quote(encodable, safe=""), repr(value)[1:-1], json.dumps(value)[1:-1]):
        assert form in REDACTED or form not in redactor.text(f"<{form}>").replace(REDACTED, "")


@pytest.mark.parametrize(
    "value", ["short", "password", "checkbox", "********", "redacted", "anonymous", ""]
)
def test_short_values_and_words_that_are_everywhere_are_no_known_values(value):
    assert DEFAULT_REDACTOR.with_values([value]).known.values == ()


def test_the_longest_known_value_is_looked_for_first():
    redactor = DEFAULT_REDACTOR.with_values(["abcdefgh1", "abcdefgh1-and-more"])
    assert redactor.text("abcdefgh1-and-more") == REDACTED


def test_known_values_are_bounded_in_number():
    redactor = DEFAULT_REDACTOR.with_values(f"value-number-{index}" for index in range(100_000))
    assert len(redactor.known.values) <= 500


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


ADVERSARIES = [
    *("a", "=", "password=", "://", '"', "token: (", "1 ", "1", "password=,", "eyJa.", "x,", "<a>", "<a ", "\t"),
    *("-----BEGIN A-----", "-----END A-----", "--- ", "form-data; name=x", "form-data; name=pin", "bearer ", "://a:"),
    *("\\", "password=\\'", "cookie: 'a", "'cookie:", "name='a'value", "name='pin' value=", "a%5D", "token:a["),
    *("'token','", "('token','", "4 ", "411 ", "4111", "4111 ", "%20411", "key=<", "]", "sk-", "basic a", "Basic YTo"),
    *("%3A%2F%2F", "%3A%2F%2Fa", ":\\/\\/", "<password>", "<password a", "</password>", "(a)=(", "(pin)=("),
    *("[parameters: (", "[SQL: x [parameters: (pin ", "--token ", "--token 'a", "'--token', ", "-u a:", " -u a:b"),
    *("&quot;", "pin&quot;:&quot;", "\\u0022pin\\u0022:\\u0022", "pin%3D", "pin%253D%25", "%", "%25", "token%25253D"),
    *("hunter2", "hunter2hunter2", "aHVudGVyMmh1bnRlcjI", "aaaaaaa", "eyJ", "eyJaaaaaaaaaaaaaaaa.", "ghp_", "\\nghp_a"),
    *("AKIA", "AKIAAAAAAAAAAAAAAAAA ", "aB1/" * 9, "SG.aaaaaaaaaaaaaaaaaaa.", "dp.st.a.", "1//0", "a.0Q~", "M", "Ma1"),
    *("a.atlasv1.", "12345678:AA", "bot12345678:AA", "hooks.slack.com/services/", "digest a", "password = SecretStr("),
    *("card number ", "'a b c password':", "secret=[{(", "password 'a", "password: |\n ", "password: |\n\n", "passw->"),
    *("password + ", "password%20", "token:a|", "token \n", "token='", 'x = ("a" ', "password = ('a' ", "'" * 3, REDACTED),
]  # fmt: skip
"""Repeated, they would make careless patterns backtrack, or begin again at each place."""
ADVERSARIES_OF_SOURCE = ADVERSARIES[::6] + ADVERSARIES[-9:]


def seconds(redact_text, text):
    """CPU time: other processes do not count."""
    started = time.process_time()
    redact_text(text)
    return time.process_time() - started


def is_linear(redact_text, unit):
    """Eight times the text, up to 1 MB, takes about eight times as long; quadratic were 64 times. The best of three."""
    small, large = unit * (125_000 // len(unit)), unit * (1_000_000 // len(unit))
    if seconds(redact_text, large) < 0.3:  # quadratic were minutes
        return True
    return any(
        seconds(redact_text, large) < 24 * max(seconds(redact_text, small), 0.002) for _ in range(3)
    )


@pytest.mark.once
@pytest.mark.parametrize("number", range(len(ADVERSARIES)))
def test_time_is_linear_in_the_text(number):
    redactor = DEFAULT_REDACTOR.with_values(["hunter2hunter2", "aaaaaaab", "xyxyxyxyxy1"])
    assert is_linear(redactor.text, ADVERSARIES[number]), ADVERSARIES[number]


@pytest.mark.once
@pytest.mark.parametrize("number", range(len(ADVERSARIES_OF_SOURCE)))
def test_time_is_linear_in_source(number):
    unit = ADVERSARIES_OF_SOURCE[number]
    assert is_linear(DEFAULT_REDACTOR.source, unit), unit


@pytest.mark.parametrize(
    "text",
    [
        "password='" + "\\" * 1_000_000,
        "token=" + "(" * 1_000_000,
        "token=" + "]" * 1_000_000,
        "token:" + "a|" * 500_000,
        "token" + " " * 1_000_000,
    ],
    ids=["open quote", "open bracket", "closing brackets", "annotation", "blanks"],
)
def test_a_long_end_is_looked_at_once(text):
    cut = text[: len(text) // 8]
    assert seconds(DEFAULT_REDACTOR.text, text) < 24 * max(
        seconds(DEFAULT_REDACTOR.text, cut), 0.01
    )


def test_a_failure_hides_the_text(monkeypatch):
    def fail(*args):
        raise KeyError

    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(redact, "redact_pairs", fail)
    assert DEFAULT_REDACTOR.text("key: harmless") == REDACTED
    monkeypatch.setattr(redact, "redact_literals", fail)
    assert DEFAULT_REDACTOR.source("key = 'harmless'") == REDACTED
    monkeypatch.setattr(redact, "is_sensitive", fail)
    assert DEFAULT_REDACTOR.hides("harmless")


def test_a_text_that_goes_on_changing_is_hidden(monkeypatch):
    monkeypatch.setattr(redact, "redact_pairs", lambda text, *hides: f"{text}!")
    assert DEFAULT_REDACTOR.text("key: x") == REDACTED


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
        ("pwd = 'a' 'b'", f"pwd = '{REDACTED}' '{REDACTED}'"),
        ('auth=("bob", "x"), a="b"', f'auth=("{REDACTED}", "{REDACTED}"), a="b"'),
        ("PIN = 4711", f"PIN = {REDACTED}"),
        ('key: str = field(default="x")', f'key: str = field(default="{REDACTED}")'),
        ('token = b64decode("x")', f'token = b64decode("{REDACTED}")'),
        ('get("TOKEN", default="x")', f'get("TOKEN", default="{REDACTED}")'),
        ('password = "x', f'password = "{REDACTED}'),
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


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (
            ["password = (", '    "abc"', '    "def"', ")", "x = 1"],
            ["password = (", f'    "{REDACTED}"', f'    "{REDACTED}"', ")", "x = 1"],
        ),
        (
            ['KEY = """', "-----BEGIN A-----", "MIIE", "-----END A-----", '"""', 'x = "y"'],
            ['KEY = """' + REDACTED, "", "", "", '"""', 'x = "y"'],
        ),
        (
            ["MIIE", "-----END RSA PRIVATE KEY-----", "x = 1"],
            [REDACTED, "", "x = 1"],
        ),
        (['token = "abc', "x = 1"], [f'token = "{REDACTED}', "x = 1"]),
        (["x = 1", "y = 2"], ["x = 1", "y = 2"]),
    ],
    ids=["brackets", "three quotes", "end of a block", "open quote", "nothing"],
)
def test_a_literal_over_several_lines_is_hidden_and_the_lines_stay_as_many(lines, shown):
    assert DEFAULT_REDACTOR.source_lines(lines) == shown
    assert DEFAULT_REDACTOR.source_lines(shown) == shown


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_source_has_as_many_lines_as_before(text):
    lines = text.split("\n")
    assert len(DEFAULT_REDACTOR.source_lines(lines)) == len(lines)


def test_markup_that_is_not_ours_stays_whole():
    redactor = DEFAULT_REDACTOR.with_values(["hunter2hunter2"])
    markup = '<td class="a" data-token="b">hunter2hunter2 Bearer abc1234</td>'
    assert redactor.markup(markup) == (
        f'<td class="a" data-token="b">{REDACTED} Bearer {REDACTED}</td>'
    )


def test_the_pairs_in_a_text_are_found_by_one_scan():
    """Counted, not timed: a name is asked about once for each separator behind it."""
    asked = []
    pairs.redact_pairs("a=b, " * 1_000, lambda name: asked.append(name) or False)
    assert len(asked) == 1_000


def test_deep_nesting_does_not_recurse():
    text = "token=" + "[" * (sys.getrecursionlimit() * 3)
    assert DEFAULT_REDACTOR.text(text) == f"token={REDACTED}"
