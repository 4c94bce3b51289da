"""The name of this host, and Message-IDs."""

from __future__ import annotations

import re
import socket
from email import utils

__all__ = ["DNS_NAME", "CachedDnsName", "make_msgid"]

_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


class CachedDnsName:
    """The fully qualified name of this host, looked up when it is first needed: that may take seconds."""

    def __init__(self) -> None:
        self._fqdn = ""

    def __str__(self) -> str:
        return self.get_fqdn()

    def get_fqdn(self) -> str:
        """Return the name, in ASCII; ``localhost`` if it has none that mail can use."""
        if not self._fqdn:
            name = socket.getfqdn()
            try:
                name = name.encode("idna").decode("ascii")
            except UnicodeError:  # too long, or an empty label
                name = ""
            self._fqdn = name if _DOMAIN.fullmatch(name) else "localhost"
        return self._fqdn


DNS_NAME = CachedDnsName()


def make_msgid(idstring: str | None = None, domain: object = None) -> str:
    """
    Return a new Message-ID, in angle brackets.

    Args:
        idstring: Put into it, after what makes it unique.
        domain: Its right side; this host's name if not given.
    """
    return utils.make_msgid(idstring, domain=str(DNS_NAME if domain is None else domain))
