"""
Is this value a good one? Checks of single settings, and how a value is read from the text of an environment variable.

A check returns the value to keep, or raises ValueError with a reason. Neither a reason nor `shown` repeats what may be a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from errormail._dotted import import_dotted
from errormail.exceptions import InvalidMailer

SMTP_BACKEND = "errormail.mail.backends.smtp.EmailBackend"
CONSOLE_BACKEND = "errormail.mail.backends.console.EmailBackend"
FILE_BACKEND = "errormail.mail.backends.filebased.EmailBackend"
LOCMEM_BACKEND = "errormail.mail.backends.locmem.EmailBackend"
DUMMY_BACKEND = "errormail.mail.backends.dummy.EmailBackend"
EXCEPTION_REPORTER = "errormail.report.debug.ExceptionReporter"
EXCEPTION_REPORTER_FILTER = "errormail.report.debug.SafeExceptionReporterFilter"
OWN_PATHS = {
    *(SMTP_BACKEND, CONSOLE_BACKEND, FILE_BACKEND, LOCMEM_BACKEND, DUMMY_BACKEND),
    *(EXCEPTION_REPORTER, EXCEPTION_REPORTER_FILTER),
}
"""They are there: importing them to see it would load smtplib and ssl for nothing."""

SHOWN_CHARS = 80
SHOWN_ITEMS = 5
TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}
EXPECTED_BACKEND = "the dotted path of a class that can be imported"


def a(value: object) -> str:
    """Return *value* by its type only: ``a str``, ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def shown(value: object) -> str:
    """Return *value*, cut, without the userinfo of a URL. No foreign ``repr`` is called."""
    if isinstance(value, str):
        return repr(without_userinfo(str.__str__(value))[:SHOWN_CHARS])
    if isinstance(value, list | tuple):
        items = list(cast("Iterable[object]", value))
        listed = ", ".join(shown(item) for item in items[:SHOWN_ITEMS])
        more = ", ..." if len(items) > SHOWN_ITEMS else ""
        return f"[{listed}{more}]" if isinstance(value, list) else f"({listed}{more})"
    if value is None or type(value) is bool or type(value) is float:
        return repr(value)
    if type(value) is int and abs(value) < 10**20:  # repr() of a giant one raises
        return repr(value)
    return a(value)


def without_userinfo(text: str) -> str:
    """Return *text* without what may be user and password: of a URL the scheme stays, and what is ``x:y@`` goes."""
    scheme, is_url, _ = text.partition("://")
    if is_url:
        return f"{scheme.rpartition('@')[2].rpartition(':')[2]}://[hidden]"
    userinfo, _, rest = text.rpartition("@")
    return f"[hidden]@{rest}" if ":" in userinfo else text


def plain(value: object) -> object:
    """Return the text inside a pydantic ``SecretStr`` or the like; anything else as it is."""
    # Looked up on the type: an instance of a mock has every attribute.
    unwrap = getattr(type(value), "get_secret_value", None)
    return cast("Callable[[object], object]", unwrap)(value) if callable(unwrap) else value


def is_one_line(text: str) -> bool:
    """Is there nothing in *text* at which `str.splitlines` breaks?"""
    return len(f"{text}.".splitlines()) == 1


def check_url(value: object) -> str:
    as_text = getattr(type(value), "unicode_string", None)  # pydantic's URLs are no str
    return check_text(as_text(value) if callable(as_text) else value)


def check_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def read_flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError
    return word in TRUE


def check_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return str.__str__(value)  # the text of a str that is a member of an enum


def check_line(value: object) -> str:
    text = check_text(value)
    if not is_one_line(text):
        raise ValueError("it has a line break")
    if re.search("[\ud800-\udfff]", text):  # bytes of an environment variable that are not UTF-8
        raise ValueError("it cannot be encoded")
    return text


def check_cookie_name(value: object) -> str:
    name = check_text(value)
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):  # a token of RFC 9110 section 5.6.2
        raise ValueError
    return name


def check_host(value: object) -> str:
    host = check_text(value)
    if re.search(r"[\s/@\[\]\x00-\x1f\x7f]", host):
        raise ValueError("a host has no spaces, slashes, brackets or user")
    if host.count(":") == 1:  # more of them: an IPv6 address
        raise ValueError("the port goes into EMAIL_PORT")
    return host


def check_port(value: object) -> int:
    if type(value) is not int or not 1 <= value <= 65535:
        raise ValueError
    return value


def read_port(text: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,5}\s*", text):
        raise ValueError
    return int(text)


def check_seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError
    return value


def read_seconds(text: str) -> float:
    if not re.fullmatch(r"\s*[0-9]{1,9}(\.[0-9]*)?\s*", text):
        raise ValueError
    return float(text)


def check_timeout(value: object) -> float | None:
    if value is None:
        return None
    if value == 0:
        raise ValueError("0 would not wait at all")
    return check_seconds(value)


def check_token(value: object) -> object:
    if value is not None and not isinstance(value, str) and not callable(value):
        raise ValueError
    return value


def check_path(value: object) -> object:
    if value is not None and not isinstance(value, str | os.PathLike):
        raise ValueError
    if value == "":
        raise ValueError("it is empty")
    return cast(object, value)


def check_charset(value: object) -> str:
    charset = check_text(value)
    try:
        "".encode(charset)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        pass
    else:
        return charset
    raise ValueError("Python knows no such encoding")


def check_delivery(value: object) -> str:
    delivery = check_text(value)
    if delivery not in {"background", "sync"}:
        raise ValueError
    return delivery


def check_address(value: object) -> str:
    from errormail._addresses import parse_address

    address = check_text(value)
    if is_refused(parse_address, address):
        raise ValueError
    return address


def check_addresses(value: object) -> list[object]:
    """Return the list as given: strings stay strings, pairs become tuples."""
    from errormail._addresses import to_strings

    items = [
        tuple(cast("list[object]", item)) if isinstance(item, list) else item
        for item in items_of(value)
    ]
    for item in items:
        if is_refused(to_strings, [item]):
            raise ValueError(f"{shown(item)} is none")
    return items


def is_refused(check: Callable[[Any], object], value: object) -> bool:
    """Does *check* raise ValueError? Its text repeats the value, which may hold a secret, and so do errors behind it."""
    try:
        check(value)
    except ValueError:
        return True
    return False


def check_networks(value: object) -> list[str]:
    """Return addresses and networks as text; objects of the ipaddress module are taken as well."""
    import ipaddress

    texts: list[str] = []
    for item in items_of(value):
        text = f"{item}" if type(item).__module__ == "ipaddress" else item
        if not isinstance(text, str) or is_refused(
            partial(ipaddress.ip_network, strict=False), text
        ):
            raise ValueError(f"{shown(item)} is neither")
        texts.append(text)
    return texts


def check_patterns(value: object) -> list[object]:
    items = items_of(value)
    for item in items:
        if isinstance(item, str):
            check_pattern(item)
        elif not isinstance(item, re.Pattern):
            raise ValueError(f"{shown(item)} is neither")
    return items


def check_pattern(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        reason = f"{shown(text)}: {error}"
    else:
        return
    raise ValueError(reason)


def items_of(value: object) -> list[object]:
    """Return a list of what is in *value*, which must be a list or a tuple: a str has items as well, and they are letters."""
    if not isinstance(value, list | tuple):
        raise ValueError("it is neither a list nor a tuple")
    return list(cast("Iterable[object]", value))


def read_items(text: str) -> list[str]:
    """
    Return what stands between the commas of *text*, without empty items.

    A comma within double quotes is none: ``"Doe, Jane" <jane@example.com>`` is one item, quotes included.
    """
    parts = re.findall(r'(?:[^",\\]|\\.|"(?:[^"\\]|\\.)*")+|["\\]', text, re.DOTALL)
    if any(part in {'"', "\\"} for part in parts):
        raise ValueError("a quotation mark is not closed")
    return [item for part in parts if (item := part.strip())]


def read_patterns(text: str) -> list[str]:
    """Return regular expressions, separated by commas; double quotes around one that has commas are taken off."""
    return [item[1:-1] if re.fullmatch('".*"', item) else item for item in read_items(text)]


def check_names(value: object) -> list[str]:
    items = items_of(value)
    for item in items:
        if not isinstance(item, str) or not item.strip():
            raise ValueError(f"{shown(item)} is none")
    return [check_text(item).strip() for item in items]


def check_name_patterns(value: object) -> list[object]:
    """Return names and compiled patterns; a `str` is always a name, so that a dot in it is a dot."""
    items = items_of(value)
    for item in items:
        if not isinstance(item, re.Pattern) and (not isinstance(item, str) or not item.strip()):
            raise ValueError(f"{shown(item)} is neither")
    return items


def check_rules(value: object) -> list[object]:
    items = items_of(value)
    for item in items:
        if isinstance(item, type) and not issubclass(item, BaseException):
            raise ValueError(f"{item.__name__} is no exception class")
        named = isinstance(item, str) and bool(item.strip())
        if not (named or isinstance(item, re.Pattern) or callable(item)):
            raise ValueError(f"{shown(item)} is none of them")
    return items


def check_hook(value: object) -> object:
    """Return a callable; one that is named by its dotted path is imported."""
    if value is None or callable(value):
        return value
    path = check_text(value)
    load(path)
    return import_dotted(path)


def check_hooks(value: object) -> list[object]:
    hooks: list[object] = []
    for item in items_of(value):
        if item is None:
            raise ValueError("None is neither")
        hooks.append(check_hook(item))
    return hooks


def check_secrets(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        items = [*cast("Iterable[object]", value)]
        if not all(isinstance(item, str) for item in items):
            raise ValueError("one of them is no str")
        return items
    return check_hook(value)


def check_redact_mode(value: object) -> str:
    mode = check_text(value)
    if mode not in {"denylist", "allowlist"}:
        raise ValueError
    return mode


def check_hops(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 100:
        raise ValueError
    return value


def read_hops(text: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,3}\s*", text):
        raise ValueError
    return int(text)


def check_source_url(value: object) -> str:
    """Return the template. Its fields are filled in by name, so that no others and no attributes may stand in it."""
    url = check_line(value)
    if not url:
        return url
    if not re.match(r"https?://[^/\s{}@]+/", url):
        raise ValueError("it does not begin with https:// and a host")
    fields = re.findall(r"\{[^{}]*\}?|\}", url)
    unknown = [field for field in fields if field not in {"{path}", "{line}", "{release}"}]
    if unknown:
        raise ValueError(f"{shown(unknown[0])} is not known")
    if "{path}" not in fields:
        raise ValueError("{path} is missing")
    return url


def check_backend(value: object) -> str:
    path = check_text(value)
    load(path)
    return path


def check_class(value: object) -> object:
    if isinstance(value, str):
        load(value)
    elif not isinstance(value, type):
        raise ValueError
    return value


def load(path: str) -> None:
    """
    Import what the dotted *path* names and see that it can be called.

    Raises:
        ValueError: It cannot; the import's own error is the cause.
    """
    if path in OWN_PATHS:
        return
    found = import_dotted(path)
    if not callable(found):
        raise ValueError(f"it is {a(found)} and cannot be called")


def check_mailers(value: object) -> dict[str, dict[str, object]]:
    """
    Return copies of the entries.

    Raises:
        ValueError: It is no mapping of names.
        InvalidMailer: An entry is wrong.
    """
    if not isinstance(value, Mapping):
        raise ValueError
    mailers = cast("Mapping[object, object]", value)
    if not all(isinstance(alias, str) for alias in mailers):
        raise ValueError("an alias is a str")
    return {cast(str, alias): check_mailer(alias, mailers[alias]) for alias in mailers}


def check_mailer(alias: object, entry: object) -> dict[str, object]:
    name = cast(str, alias)
    where = f"MAILERS[{shown(alias)}]"
    if not isinstance(entry, Mapping):
        raise InvalidMailer(f"{where}: expected a mapping, got {a(entry)}", alias=name)
    given = cast("Mapping[object, object]", entry)
    for key in given:
        if key not in {"BACKEND", "OPTIONS"}:
            raise InvalidMailer(
                f"{where}: expected BACKEND and OPTIONS only, got {shown(key)}", alias=name
            )
    checked: dict[str, object] = {}
    if "BACKEND" in given:
        checked["BACKEND"] = check_mailer_backend(name, where, given["BACKEND"])
    if "OPTIONS" in given:
        checked["OPTIONS"] = check_mailer_options(name, where, given["OPTIONS"])
    return checked


def check_mailer_backend(alias: str, where: str, path: object) -> str:
    cause = None
    try:
        return check_backend(path)
    except ValueError as error:
        reason, cause = f"{error}", error.__cause__
    message = f"{where}['BACKEND']: expected {EXPECTED_BACKEND}, got {shown(path)}"
    raise InvalidMailer(f"{message}: {reason}" if reason else message, alias=alias) from cause


def check_mailer_options(alias: str, where: str, options: object) -> dict[str, object]:
    if not isinstance(options, Mapping):
        message = f"{where}['OPTIONS']: expected a mapping, got {a(options)}"
        raise InvalidMailer(message, alias=alias)
    given = cast("Mapping[object, object]", options)
    for key in given:
        if not isinstance(key, str) or key == "alias":
            raise InvalidMailer(
                f"{where}['OPTIONS'] must not have the key {shown(key)}", alias=alias
            )
    return {cast(str, key): plain(given[key]) for key in given}


def read_json(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        # The error holds the whole document: it must not become part of the chain.
        reason = f"{getattr(error, 'msg', 'error')} at position {getattr(error, 'pos', '?')}"
    raise ValueError(reason)
