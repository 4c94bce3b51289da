"""What is known to be secret by what it looks like, wherever it stands; put together here, so that no scanner finds a key."""

from __future__ import annotations

import base64
import random
import string

import pytest

from errormail.report.model import REDACTED
from errormail.report.redact import DEFAULT_REDACTOR

RANDOM = random.Random(20251125)
LETTERS = string.ascii_letters + string.digits


def of(alphabet: str, length: int) -> str:
    """*length* characters, of which the first is a digit and the second a letter."""
    rest = "".join(RANDOM.choices(alphabet, k=length - 2))
    return f"7{'a' if 'a' in alphabet else 'A'}{rest}"


def letters(length: int) -> str:
    return of(LETTERS, length)


def hexed(length: int) -> str:
    return of("0123456789abcdef", length)


KEYS = {
    "aws id": "AKIA" + of(string.ascii_uppercase, 16),
    "aws temporary id": "ASIA" + of(string.ascii_uppercase, 16),
    "google api": "AIza" + letters(35),
    "google oauth": "ya29." + letters(60),
    "google client": "GOCSPX-" + letters(28),
    "google refresh": "1//0" + letters(40),
    "azure client": letters(3) + "8Q~" + letters(34),
    "azure storage": base64.b64encode(bytes(range(64))).decode(),
    "github": "ghp_" + letters(36),
    "github oauth": "gho_" + letters(36),
    "github server": "ghs_" + letters(36),
    "github fine": "github_pat_" + letters(22) + "_" + letters(59),
    "gitlab": "glpat-" + letters(20),
    "gitlab runner": "glrt-" + letters(20),
    "atlassian": "ATATT3" + letters(60),
    "slack bot": "xoxb-" + "123456789012-" + letters(24),
    "slack app": "xapp-1-" + letters(40),
    "discord": "MTk4" + letters(20) + "." + letters(6) + "." + letters(38),
    "telegram": "1234567890:AA" + letters(33),
    "twitch": "oauth:" + of(string.ascii_lowercase, 30),
    "stripe": "sk_live_" + letters(24),
    "stripe restricted": "rk_test_" + letters(24),
    "stripe webhook": "whsec_" + letters(32),
    "square": "sq0atp-" + letters(22),
    "square token": "EAAA" + letters(60),
    "twilio key": "SK" + hexed(32),
    "twilio account": "AC" + hexed(32),
    "sendgrid": "SG." + letters(22) + "." + letters(43),
    "mailgun": "key-" + hexed(32),
    "mailgun new": hexed(32) + "-" + hexed(8) + "-" + hexed(8),
    "mailchimp": hexed(32) + "-us12",
    "npm": "npm_" + letters(36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + letters(60),
    "rubygems": "rubygems_" + hexed(48),
    "docker": "dckr_pat_" + letters(27),
    "openai": "sk-" + letters(48),
    "openai project": "sk-proj-" + letters(80),
    "anthropic": "sk-ant-api03-" + letters(93),
    "hugging face": "hf_" + letters(34),
    "groq": "gsk_" + letters(52),
    "digitalocean": "dop_v1_" + hexed(64),
    "heroku": "HRKU-AA" + letters(58),
    "databricks": "dapi" + hexed(32),
    "supabase": "sbp_" + hexed(40),
    "shopify": "shpat_" + hexed(32),
    "linear": "lin_api_" + letters(40),
    "postman": "PMAK-" + hexed(24) + "-" + hexed(34),
    "hashicorp": "hvs." + letters(24),
    "pulumi": "pul-" + hexed(40),
    "doppler": "dp.pt." + letters(43),
    "sentry": "sntrys_" + letters(60),
    "grafana": "glsa_" + letters(32) + "_" + hexed(8),
    "new relic": "NRAK-" + of(string.ascii_uppercase, 27),
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + letters(30) + "." + letters(43),
    "age": "AGE-SECRET-KEY-1" + of(string.ascii_uppercase, 58),
}


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize(
    "around",
    ["{}", "using {} now", "'{}'", "a\\n{}\\nb", "https://x/?q=%20{}", "[{}]", "x={}", "<{}>"],
)
def test_a_key_of_a_published_form_is_hidden(provider: str, around: str) -> None:
    key = KEYS[provider]
    found = DEFAULT_REDACTOR.text(around.format(key))
    assert key[-12:] not in found
    assert REDACTED in found


def test_the_secret_beside_an_aws_key_id_is_hidden() -> None:
    secret = letters(20) + "/+" + letters(18)
    found = DEFAULT_REDACTOR.text(f"AKIA{'Q' * 16} and {secret}")
    assert found == f"{REDACTED} and {REDACTED}"
    assert DEFAULT_REDACTOR.text(f"etag {secret}") == f"etag {secret}"


PEM = "MIIEpAIBAAKCAQEA" + letters(48)


@pytest.mark.parametrize(
    "text",
    [
        f"-----BEGIN RSA PRIVATE KEY-----\n{PEM}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\\n{PEM}\\n-----END PRIVATE KEY-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{PEM}\n{PEM}",
        f"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{PEM}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        f"{PEM}\n{PEM}\n-----END EC PRIVATE KEY-----",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{PEM}",
    ],
    ids=["whole", "escaped", "end cut", "ssh2", "begin cut", "pgp"],
)
def test_a_pem_block_is_hidden_also_cut(text: str) -> None:
    found = DEFAULT_REDACTOR.text(f"<{text}")
    assert found == f"<{REDACTED}"


def test_what_stands_around_pem_blocks_stays() -> None:
    block = "-----BEGIN A-----\nMIIE\n-----END A-----"
    assert DEFAULT_REDACTOR.text(f"a {block} b {block} c") == f"a {REDACTED} b {REDACTED} c"


@pytest.mark.parametrize(
    "text",
    [
        "https://bob:{}@example.com/x",
        "amqp://bob:{}@mq/vhost",
        "postgresql+psycopg://bob:{}@db/shop",
        "http:\\/\\/bob:{}@example.com\\/x",
        "/login?next=https%3A%2F%2Fbob%3A{}%40example.com%2F",
        "https://{}@o1.ingest.sentry.io/2",
        "https://hooks.slack.com/services/{}",
        "https://discord.com/api/v10/webhooks/{}",
        "https://example.webhook.office.com/webhookb2/{}",
        "curl -u bob:{} https://example.com",
        "['curl', '-u', 'bob:{}']",
        "Bearer {}",
        "sent Token {} to it",
        "Authorization: AWS4-HMAC-SHA256 Credential={}",
    ],
)
def test_credentials_in_addresses_and_headers_are_hidden(text: str) -> None:
    secret = letters(20)
    found = DEFAULT_REDACTOR.text(text.format(secret))
    assert secret not in found
    assert REDACTED in found


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_credentials_are_hidden(scheme: str) -> None:
    coded = base64.b64encode(b"bob:hunter2").decode()
    assert DEFAULT_REDACTOR.text(f"{scheme} {coded}") == f"{scheme} {REDACTED}"


def with_check_digit(number: str) -> str:
    """*number* with its last digit made right. Source: ISO/IEC 7812-1, annex B."""
    digits = [int(char) for char in number[-2::-1]]
    total = sum(
        sum(divmod(2 * each, 10)) if at % 2 == 0 else each for at, each in enumerate(digits)
    )
    return f"{number[:-1]}{-total % 10}"


CARDS = [
    with_check_digit(number)
    for number in [
        *(
            "4" + "1" * 15,
            "4" + "2" * 18,
            "5105105105105100",
            "2221000000000000",
            "2720990000000000",
        ),
        *(
            "340000000000000",
            "371449635398430",
            "30000000000000",
            "36000000000000",
            "3530111333300000",
        ),
        *("6011000000000000", "6200000000000000", "6500000000000000", "6759000000000000"),
    ]
]


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("around", ["{}", "card {}, please", "'{}'", "a\\n{}", "{}.", "{} 123"])
def test_a_cards_number_is_hidden(number: str, around: str) -> None:
    assert DEFAULT_REDACTOR.text(around.format(number)) == around.format(REDACTED)


@pytest.mark.parametrize("number", CARDS)
def test_a_cards_number_in_groups_is_hidden_whatever_digits_follow(number: str) -> None:
    grouped = " ".join(number[at : at + 4] for at in range(0, 12, 4)) + f" {number[12:]}"
    if len(number) - 12 < 3:
        grouped = f"{number[:4]} {number[4:10]} {number[10:]}"
    for text in (grouped, grouped.replace(" ", "-"), f"{grouped} 123", f"9000 {grouped}"):
        assert number[-4:] not in DEFAULT_REDACTOR.text(text).replace(REDACTED, "")
        assert REDACTED in DEFAULT_REDACTOR.text(text)


@pytest.mark.parametrize("number", CARDS)
def test_a_number_with_a_wrong_check_digit_stays(number: str) -> None:
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    assert DEFAULT_REDACTOR.text(f"order {wrong}") == f"order {wrong}"


@pytest.mark.parametrize(
    "text",
    [
        "1764042000", "1764042000123", "1764042000123456", "1764042000123456789",
        "+49 151 23456789", "004915123456789", "2025-11-25 07:12:01.123456", "0.4111111111111111",
        "4111111111111111.5", "41111111111111111111111111", "d41d8cd98f00b204e9800998ecf8427e",
        "550e8400-e29b-41d4-a716-446655440000", "sk-learn-some-package-name-long", "task-1234567890",
        "MyApplicationConfiguration.models.SomethingVeryLongClassNameHereAndThere",
        "shop.pricing.engine.PricingEngineImplementation", "/srv/shop/src/shop/views/checkout_pages.py",
        "https://example.com/a/b?page=2#top", "https://example.com:8080/a@b", "bearer of bad news",
        "Basic information on orders", "token expired yesterday", "ls -u foo", "a --- b --- c",
        "-----------------------------", "hooks are called here", "IMG_20251125_101010.jpg",
        "2,111,111,111,111,111", "SKU1234567890",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert DEFAULT_REDACTOR.text(text) == text


def test_a_key_of_another_kind_beside_an_amazon_id_is_not_torn_apart():
    """The header of a JWT, and the begin of its signature, may have the 40 characters that Amazon's secrets have."""
    header = base64.b64encode(b'{"alg": "HS256", "typ": "JWT"}').decode()
    assert len(header) == 40
    payload = base64.b64encode(b'{"sub": "somebody"}').decode().rstrip("=")
    text = f"{'AKIA' + 'Q' * 15 + '7'}\n{header}.{payload}.{'aB3' * 13}x_Mz"
    assert DEFAULT_REDACTOR.text(text) == f"{REDACTED}\n{REDACTED}"
