"""
TLS contexts: made once for the same files, and never while the process forks.

A fork that happens while another thread is in OpenSSL's loading of certificates leaves a lock taken in the child for ever.
"""

from __future__ import annotations

import os
import ssl
from typing import NamedTuple

from errormail._forking import undivided

__all__ = ["PathLike", "context_for"]

PathLike = str | os.PathLike[str]

MOST = 16
"""Contexts that are kept."""

_contexts: dict[_Key, ssl.SSLContext] = {}


class _Key(NamedTuple):
    certfile: str | None
    keyfile: str | None
    is_verified: bool
    seen: tuple[object, ...]
    """When the files were changed, and where the system's roots are: a renewed certificate makes a new context."""


def context_for(
    certfile: PathLike | None, keyfile: PathLike | None, *, is_verified: bool = True
) -> ssl.SSLContext:
    """
    Return the context for a connection to a server.

    Args:
        certfile: A certificate to show to it; with *keyfile*, unless that has the key too.
        is_verified: Check the server's certificate and name against the system's roots.

    Raises:
        OSError: A file cannot be read, or is no certificate or key.
    """
    cert, key = _text(certfile), _text(keyfile)
    roots = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    wanted = _Key(cert, key, is_verified, (_changed_at(cert), _changed_at(key), *roots))
    with undivided():
        context = _contexts.get(wanted)
        if context is None:
            context = _made(wanted)
            if len(_contexts) >= MOST:
                _contexts.clear()
            _contexts[wanted] = context
    return context


def _made(key: _Key) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not key.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if key.certfile is not None:
        context.load_cert_chain(key.certfile, key.keyfile)
    return context


def _text(path: PathLike | None) -> str | None:
    return os.fspath(path) if path else None


def _changed_at(path: str | None) -> int | None:
    return None if path is None else os.stat(path).st_mtime_ns
