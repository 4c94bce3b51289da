"""What a setting may hold, by name: how a value is checked, read from text, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable

from errormail.conf import checks
from errormail.conf.checks import a, shown


class Kind:
    """
    One kind of setting.

    Args:
        expected: What stands after "expected" in an error.
        check: Returns the value to keep; raises ValueError.
        read: Makes a value, for *check*, of an environment variable's text; raises ValueError.
        is_secret: Its values are never shown.
    """

    __slots__ = ("check", "expected", "is_secret", "read")

    def __init__(
        self,
        expected: str,
        check: Callable[[object], object],
        read: Callable[[str], object] = str,
        *,
        is_secret: bool = False,
    ) -> None:
        self.expected: str = expected
        self.check: Callable[[object], object] = check
        self.read: Callable[[str], object] = read
        self.is_secret: bool = is_secret

    def shown(self, value: object) -> str:
        """Return *value* as an error message may show it."""
        return f"{a(value)} that is not shown" if self.is_secret else shown(value)


def _list_of(items: str) -> str:
    return f"a list of {items}"


FLAG = Kind("True or False", checks.check_flag, checks.read_flag)
LINE = Kind("one line of text (a str)", checks.check_line)
HOST = Kind("the name or the address of a host", checks.check_host)
PORT = Kind("a port: an int from 1 to 65535", checks.check_port, checks.read_port)
USER = Kind("text (a str)", checks.check_text, is_secret=True)
PASSWORD = Kind("text (a str)", checks.check_text, is_secret=True)
TOKEN = Kind(
    "a token (a str), a callable that returns one, its dotted path, or None",
    checks.check_token,
    is_secret=True,
)
TIMEOUT = Kind(
    "seconds: a number greater than 0, or None", checks.check_timeout, checks.read_seconds
)
SECONDS = Kind("seconds: a number, 0 or greater", checks.check_seconds, checks.read_seconds)
PATH = Kind("a path (a str or os.PathLike), or None", checks.check_path)
CHARSET = Kind("the name of an encoding, such as 'utf-8'", checks.check_charset)
COOKIE_NAME = Kind("the name of a cookie", checks.check_cookie_name)
DELIVERY = Kind("'background' or 'sync'", checks.check_delivery)
ADDRESS = Kind("one address: 'name@example.com' or 'Name <name@example.com>'", checks.check_address)
ADDRESSES = Kind(
    _list_of("addresses: 'name@example.com', 'Name <name@example.com>' or (name, address) pairs"),
    checks.check_addresses,
    checks.read_items,
)
NETWORKS = Kind(_list_of("IP addresses and networks"), checks.check_networks, checks.read_items)
PATTERNS = Kind(
    _list_of("regular expressions: str or re.Pattern"),
    checks.check_patterns,
    checks.read_patterns,
)
SOURCE_URL = Kind(
    "a web address with {path}, and perhaps {line} and {release}, in it", checks.check_source_url
)
NAMES = Kind(
    _list_of("names (str)"),
    checks.check_names,
    checks.read_items,
)
NAME_PATTERNS = Kind(
    _list_of("names (str) and compiled regular expressions"),
    checks.check_name_patterns,
    checks.read_items,
)
RULES = Kind(
    _list_of(
        "exception classes, names of exceptions or loggers, paths ('/health*'), compiled regular expressions "
        "or callables"
    ),
    checks.check_rules,
    checks.read_items,
)
HOOK = Kind("a callable, its dotted path, or None", checks.check_hook)
HOOKS = Kind(_list_of("callables or their dotted paths"), checks.check_hooks, checks.read_items)
SECRETS = Kind(
    "a list of texts, a callable that returns one, its dotted path, or None",
    checks.check_secrets,
    is_secret=True,
)
REDACT_MODE = Kind("'denylist' or 'allowlist'", checks.check_redact_mode)
HOPS = Kind("a number of proxies: an int, 0 or greater", checks.check_hops, checks.read_hops)
BACKEND = Kind(checks.EXPECTED_BACKEND, checks.check_backend)
CLASS = Kind("a class, or the dotted path of one that can be imported", checks.check_class)
MAILERS = Kind(
    "a mapping {alias: {'BACKEND': dotted path, 'OPTIONS': {...}}}",
    checks.check_mailers,
    checks.read_json,
    is_secret=True,
)
URL = Kind(
    "a URL such as 'smtp+tls://user:password@smtp.example.com:587'",
    checks.check_url,
    is_secret=True,
)

KINDS = {
    "ADMINS": ADDRESSES,
    "MANAGERS": ADDRESSES,
    "SERVER_EMAIL": ADDRESS,
    "DEFAULT_FROM_EMAIL": ADDRESS,
    "EMAIL_SUBJECT_PREFIX": LINE,
    "SERVICE": LINE,
    "ENVIRONMENT": LINE,
    "RELEASE": LINE,
    "SOURCE_URL": SOURCE_URL,
    "IN_APP": NAMES,
    "LIBRARY_LOCALS": FLAG,
    "VALUES_TIMEOUT": SECONDS,
    "IGNORE": RULES,
    "BEFORE_SEND": HOOK,
    "SECTIONS": HOOKS,
    "SECRETS": SECRETS,
    "REDACT": NAME_PATTERNS,
    "REDACT_ALLOW": NAME_PATTERNS,
    "REDACT_MODE": REDACT_MODE,
    "TRUSTED_PROXIES": HOPS,
    "ATTACH_JSON": FLAG,
    "DEBUG": FLAG,
    "INTERNAL_IPS": NETWORKS,
    "SESSION_COOKIE_NAME": COOKIE_NAME,
    "IGNORABLE_404_URLS": PATTERNS,
    "EMAIL_URL": URL,
    "EMAIL_BACKEND": BACKEND,
    "EMAIL_HOST": HOST,
    "EMAIL_PORT": PORT,
    "EMAIL_HOST_USER": USER,
    "EMAIL_HOST_PASSWORD": PASSWORD,
    "EMAIL_OAUTH2_TOKEN": TOKEN,
    "EMAIL_USE_TLS": FLAG,
    "EMAIL_USE_SSL": FLAG,
    "EMAIL_SSL_CERTFILE": PATH,
    "EMAIL_SSL_KEYFILE": PATH,
    "EMAIL_SSL_VERIFY": FLAG,
    "EMAIL_TIMEOUT": TIMEOUT,
    "EMAIL_FILE_PATH": PATH,
    "EMAIL_USE_LOCALTIME": FLAG,
    "DEFAULT_CHARSET": CHARSET,
    "MAILERS": MAILERS,
    "DELIVERY": DELIVERY,
    "SHUTDOWN_TIMEOUT": SECONDS,
    "DEFAULT_EXCEPTION_REPORTER": CLASS,
    "DEFAULT_EXCEPTION_REPORTER_FILTER": CLASS,
}
"""Every setting, by name."""
