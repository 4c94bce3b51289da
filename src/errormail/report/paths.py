"""Which code is the application's, and how a file of it is called."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache

__all__ = ["display_name", "is_app_code", "is_generated"]

PATH_CHARS = 500
"""A longer path keeps its end."""

_INSTALLED = re.compile(r"(?:^|/)(?:site-packages|dist-packages)/|/python3\d*\.zip/|\.egg/")


def is_generated(filename: str) -> bool:
    """Return whether there is no file of this name: ``<string>``, ``<frozen runpy>``."""
    return filename.startswith("<") and filename.endswith(">")


def is_app_code(filename: str, module: str = "") -> bool:
    """
    Return whether code in *filename* is the application's own.

    It is not if it lies in the standard library, among installed packages, beside the interpreter (console scripts) or
    in errormail, or if it was generated; except in ``__main__``, where generated code is what a user typed.
    """
    if not filename or is_generated(filename):
        return module == "__main__" and not filename.startswith("<frozen ")
    return _is_app_file(filename)


@lru_cache(maxsize=2048)
def _is_app_file(filename: str) -> bool:
    path = _normal(filename)
    return not (_INSTALLED.search(path) or path.startswith(_library_roots()))


@lru_cache(maxsize=1)
def _library_roots() -> tuple[str, ...]:
    stdlib = os.path.dirname(os.__file__)
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    scripts = os.path.dirname(sys.executable) if sys.executable else ""
    roots = {stdlib, os.path.realpath(stdlib), own, scripts}
    return tuple(_normal(root).rstrip("/") + "/" for root in sorted(roots) if len(root) > 1)


def display_name(filename: str, module: str = "") -> str:
    """
    Return *filename* as the application knows it: relative to where *module* was imported from, else to the working
    directory, else to the entry of `sys.path` that it lies in; with forward slashes. The whole path where none fits.
    """
    if not filename or is_generated(filename):
        return filename or "<unknown>"
    path = _normal(filename)
    name = _relative_to_import_root(path, module) or _relative_to_root(path) or path
    return name if len(name) <= PATH_CHARS else "..." + name[3 - PATH_CHARS :]


def _relative_to_import_root(path: str, module: str) -> str:
    """``/app/src/shop/pricing/engine.py`` of ``shop.pricing.engine`` is ``shop/pricing/engine.py``."""
    if not module or module.startswith("__"):
        return ""
    inner = module.replace(".", "/")
    for ending in (f"{inner}.py", f"{inner}/__init__.py", f"{inner}.pyw"):
        if path.endswith(f"/{ending}") or path == ending:
            return ending
    return ""


def _relative_to_root(path: str) -> str:
    directory = _working_directory()
    if directory and path.startswith(directory):
        return path[len(directory) :]
    entries = [entry for entry in list(sys.path) if type(entry) is str and len(entry) > 1]
    roots = [_normal(entry).rstrip("/") + "/" for entry in entries]
    longest = max((root for root in roots if path.startswith(root)), key=len, default="")
    return path[len(longest) :] if longest else ""


def _working_directory() -> str:
    try:
        directory = _normal(os.getcwd()).rstrip("/") + "/"
    except OSError:  # it was deleted
        return ""
    return directory if len(directory) > 1 else ""  # "/": then every path would be relative to it


def _normal(path: str) -> str:
    path = path.replace("\\", "/") if os.sep == "\\" or path[1:3] == ":\\" else path
    while path.startswith("./"):
        path = path[2:]
    return path
