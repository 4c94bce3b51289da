"""Which code is the application's, and how a file of it is called."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from functools import lru_cache

from errormail.report.objects import dict_get, exact_str, stored

__all__ = ["code_module", "display_name", "is_app_code", "is_generated", "project_path"]

PATH_CHARS = 500
"""A longer path keeps its end."""
FOLDERS = 32
"""Above a file that are looked at."""

_INSTALLED = re.compile(r"(?:^|/)(?:site-packages|dist-packages)/|/python3\d*\.zip/|\.egg/")


def is_generated(filename: str) -> bool:
    """Return whether there is no file of this name: ``<string>``, ``<frozen runpy>``."""
    return filename.startswith("<") and filename.endswith(">")


def code_module(module_globals: Mapping[str, object]) -> str:
    """Return the name of the module that code runs in: of ``python -m shop.web`` not "__main__" but "shop.web"."""
    name = exact_str(dict_get(module_globals, "__name__"))
    if name != "__main__":
        return name
    return exact_str(stored(dict_get(module_globals, "__spec__"), "name")) or name


def is_app_code(filename: str, module: str = "", in_app: tuple[str, ...] = ()) -> bool:
    """
    Return whether code in *filename* is the application's own.

    It is not if it lies in the standard library, among installed packages, beside the interpreter (console scripts) or
    in errormail, or if it was generated; except in ``__main__``, where generated code is what a user typed.

    Args:
        in_app: Says otherwise of code in files, by module ("shop": it and all below it) or folder ("/srv/plugins"); with
            "!" before it that the code is not the application's. Of several that fit, the last one counts.
    """
    if not filename or is_generated(filename):
        return module == "__main__" and not filename.startswith("<frozen ")
    return _is_app_file(filename) if not in_app else _is_included(filename, module, in_app)


@lru_cache(maxsize=2048)
def _is_included(filename: str, module: str, in_app: tuple[str, ...]) -> bool:
    for entry in reversed(in_app):
        name = entry.removeprefix("!").strip()
        is_folder = "/" in name or "\\" in name
        if (
            _lies_in(filename, name) if is_folder else f"{module}.".startswith(f"{name}.")
        ) and name:
            return name == entry.strip()
    return _is_app_file(filename)


def _lies_in(filename: str, folder: str) -> bool:
    path, root = (_normal(os.path.abspath(each)) for each in (filename, folder))
    return f"{path}/".startswith(root.rstrip("/") + "/")


@lru_cache(maxsize=2048)
def _is_app_file(filename: str) -> bool:
    path = _normal(filename)
    return not (_INSTALLED.search(path) or path.startswith(_library_roots()))


@lru_cache(maxsize=1)
def _library_roots() -> tuple[str, ...]:
    stdlib = os.path.dirname(os.__file__)
    own = os.path.abspath(__file__).rpartition(f"{os.sep}report{os.sep}")[0]
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


def project_path(filename: str, module: str = "") -> str:
    """
    Return *filename* relative to the project, as its repository has it; "" where that is not known.

    That is relative to the folder above it that has ``.git``, else to the working directory if it lies in that, else to
    the folder above it that has ``pyproject.toml``, else to where *module* was imported from.
    """
    if not filename or is_generated(filename):
        return ""
    path = _normal(os.path.abspath(filename))
    if _INSTALLED.search(path):  # a virtual environment may lie in the project
        return _relative_to_import_root(path, module)
    folder = os.path.dirname(path)
    for root in (_above(folder, ".git"), _working_directory(), _above(folder, "pyproject.toml")):
        if root and path.startswith(root):
            return path[len(root) :]
    return _relative_to_import_root(path, module)


@lru_cache(maxsize=256)
def _above(folder: str, mark: str) -> str:
    """Return *folder*, or the nearest one above it, that has an entry *mark*, with a slash at its end; "" if none has."""
    for _ in range(FOLDERS):
        if os.path.exists(os.path.join(folder, mark)):
            return folder.rstrip("/") + "/"
        if folder == (folder := os.path.dirname(folder)):
            break
    return ""


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
