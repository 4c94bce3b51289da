"""EMAIL_URL: where mail goes, in one line. The vocabulary is that of dj-email-url; ``smtps`` means implicit TLS, as with everybody else."""

from __future__ import annotations

import re
from urllib.parse import unquote

from errormail.conf import checks, kinds

EMAIL_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    r"(//(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(\?(?P<query>[^#]*))?(#(?P<fragment>.*))?"
)
"""RFC 3986 appendix B. Not urllib.parse.urlsplit: what it accepts, strips and says in errors differs between Pythons."""

SMTP_SCHEMES: dict[str, str | None] = {
    "smtp": None,
    "submission": "EMAIL_USE_TLS",
    "submit": "EMAIL_USE_TLS",
    "smtp+tls": "EMAIL_USE_TLS",
    "smtps": "EMAIL_USE_SSL",
    "smtp+ssl": "EMAIL_USE_SSL",
}
"""What each switches on."""

PORTS: dict[str | None, int] = {None: 25, "EMAIL_USE_TLS": 587, "EMAIL_USE_SSL": 465}

OTHER_SCHEMES = {
    "console": checks.CONSOLE_BACKEND,
    "memory": checks.LOCMEM_BACKEND,
    "dummy": checks.DUMMY_BACKEND,
}

SCHEMES = [*SMTP_SCHEMES, *OTHER_SCHEMES, "file"]

OPTIONS = {
    "timeout": ("EMAIL_TIMEOUT", kinds.TIMEOUT),
    "tls": ("EMAIL_USE_TLS", kinds.FLAG),
    "ssl": ("EMAIL_USE_SSL", kinds.FLAG),
    "_server_email": ("SERVER_EMAIL", kinds.ADDRESS),
    "_default_from_email": ("DEFAULT_FROM_EMAIL", kinds.ADDRESS),
}


def parse_email_url(url: str) -> dict[str, object]:
    """
    Return the settings that *url* stands for.

    User and password are among them only if the URL has them.

    Raises:
        ValueError: It is no such URL. The reason tells which part is wrong, and repeats nothing that may be a secret.
    """
    match = EMAIL_URL.fullmatch(url.strip())
    if match is None or re.search(r"[\s\x00-\x1f\x7f]", url.strip()):
        raise ValueError("it is not a URL")
    parts = {name: text or "" for name, text in match.groupdict().items()}
    scheme = parts["scheme"].lower()
    if scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise ValueError(f"its scheme is none of {known}")
    if parts["fragment"] or (scheme != "file" and "@" in _without_addresses(parts)):
        # The end of a user or password that holds / ? or # is taken for the rest of the URL: it must not be shown.
        raise ValueError("a special character in user or password must be percent-encoded")
    if scheme in SMTP_SCHEMES:
        return _smtp_settings(scheme, parts)
    if parts["query"]:
        raise ValueError(f"{scheme}: has no options")
    if scheme == "file":
        return _file_settings(parts)
    if parts["authority"] or parts["path"].strip("/"):
        raise ValueError(f"nothing follows {scheme}:")
    return {"EMAIL_BACKEND": OTHER_SCHEMES[scheme]}


def _without_addresses(parts: dict[str, str]) -> str:
    """Return what follows the authority, without the values of the options that are addresses."""
    query = re.sub(r"(^|&)(_server_email|_default_from_email)=[^&]*", "", parts["query"])
    return parts["path"] + query


def _file_settings(parts: dict[str, str]) -> dict[str, object]:
    if parts["authority"]:
        raise ValueError("three slashes begin an absolute path: file:///path/of/a/folder")
    path = _decoded(parts["path"])
    if not path:
        raise ValueError("it has no path")
    if re.match("/[A-Za-z]:/", path):  # file:///C:/mail, RFC 8089 appendix D.2
        path = path[1:]
    return {"EMAIL_BACKEND": checks.FILE_BACKEND, "EMAIL_FILE_PATH": path}


def _smtp_settings(scheme: str, parts: dict[str, str]) -> dict[str, object]:
    if parts["path"].strip("/"):
        raise ValueError("only options may follow host and port")
    userinfo, _, location = parts["authority"].rpartition("@")
    host, port = _host_and_port(location)
    options = _options(parts["query"])
    security = _security(SMTP_SCHEMES[scheme], options)
    return {
        "EMAIL_BACKEND": checks.SMTP_BACKEND,
        "EMAIL_HOST": host,
        **_login(userinfo),
        **options,
        "EMAIL_PORT": port or PORTS[security],
        "EMAIL_USE_TLS": security == "EMAIL_USE_TLS",
        "EMAIL_USE_SSL": security == "EMAIL_USE_SSL",
    }


def _host_and_port(location: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?", location)
    if match is None:
        raise ValueError("an IPv6 address stands in brackets: smtp://[::1]:25")
    address, name, port = match.groups()
    host = _ipv6(address) if address is not None else _decoded(name)
    return checks.check_host(host or "localhost"), _port(port) if port else None


def _ipv6(text: str) -> str:
    from ipaddress import IPv6Address

    address = _decoded(text)
    if checks.is_refused(IPv6Address, address):
        raise ValueError("what stands in brackets is no IPv6 address")
    return address


def _port(text: str) -> int:
    try:
        return checks.check_port(checks.read_port(text))
    except ValueError:
        pass
    raise ValueError("its port is none: an int from 1 to 65535")


def _login(userinfo: str) -> dict[str, object]:
    user, has_password, password = userinfo.partition(":")
    if password and not user:
        raise ValueError("it has a password and no user")
    login: dict[str, object] = {}
    if user:
        login["EMAIL_HOST_USER"] = _decoded(user)
    if user and has_password:
        login["EMAIL_HOST_PASSWORD"] = _decoded(password)
    return login


def _options(query: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for item in filter(None, query.split("&")):
        name, _, text = item.partition("=")
        if name not in OPTIONS:
            shown = f" {name}" if re.fullmatch("[a-z_]{1,30}", name) else ""
            raise ValueError(f"unknown option{shown}: its options are {', '.join(OPTIONS)}")
        setting, kind = OPTIONS[name]
        if setting in found:
            raise ValueError(f"the option {name} stands there twice")
        found[setting] = _option(name, kind, _decoded(text))
    return found


def _option(name: str, kind: kinds.Kind, text: str) -> object:
    try:
        return kind.check(kind.read(text))
    except ValueError:
        pass
    raise ValueError(f"its option {name} is wrong: expected {kind.expected}")


def _security(by_scheme: str | None, options: dict[str, object]) -> str | None:
    """Return which of EMAIL_USE_TLS and EMAIL_USE_SSL is on, by the scheme or by an option."""
    if by_scheme is not None and options.get(by_scheme) is False:
        raise ValueError("its scheme and its options contradict each other")
    switches = ("EMAIL_USE_TLS", "EMAIL_USE_SSL")
    on = {switch for switch in switches if switch == by_scheme or options.get(switch)}
    if len(on) == 2:
        raise ValueError("it asks for STARTTLS (tls) and for TLS from the first byte (ssl)")
    return on.pop() if on else None


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        pass
    raise ValueError("what is percent-encoded in it is not UTF-8")
