"""
Source lines of a frame: from its module's loader, or from the file, as far as that is an ordinary one of ordinary size.

A file name in a code object is only a text. What it names may be a pipe, a device, or grow without end: `linecache`
reads all of them.
"""

from __future__ import annotations

import io
import linecache
import os
import re
import stat
import sys
import tokenize
from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from typing import Any, cast

from errormail.report.objects import dict_get, exact_str, is_a, sequence_items, stored
from errormail.report.paths import is_generated
from errormail.report.visible import visible

__all__ = ["Sources", "column_of", "read_source"]

# Python's own line ends (language reference, 2.1.2). str.splitlines knows more of them, which may stand within a line.
_LINE_END = re.compile(r"\r\n|\r|\n")
# They take quadratic time, or are no encoding of files.
_NO_ENCODINGS = {
    "idna",
    "punycode",
    "undefined",
    "unicode_escape",
    "raw_unicode_escape",
    "mbcs",
    "oem",
}


class Sources:
    """
    The source files that one report needs, each read once.

    Args:
        max_bytes: A larger file is not read.
    """

    __slots__ = ("_lines", "_max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lines: dict[tuple[str, str], list[str]] = {}

    def lines(self, filename: str, module_globals: Mapping[str, object]) -> list[str]:
        """Return the lines of a file, without their ends; [] where there is no source. Never raises."""
        key = (filename, exact_str(dict_get(module_globals, "__name__")))
        if key not in self._lines:
            text = read_source(filename, module_globals, self._max_bytes)
            self._lines[key] = _LINE_END.split(text) if text else []
        return self._lines[key]


def read_source(filename: str, module_globals: Mapping[str, object], max_bytes: int) -> str:
    """
    Return the source text of a module; "" where there is none. Never raises.

    A loader that is not that of ordinary files (zip, frozen, one's own) is asked first, then the file is read, then what
    `linecache` was given (doctest, IPython, attrs).
    """
    return (
        _from_loader(module_globals, max_bytes)
        or _from_file(filename, module_globals, max_bytes)
        or _from_linecache(filename, max_bytes)
    )


def _from_loader(module_globals: Mapping[str, object], max_bytes: int) -> str:
    loader = dict_get(module_globals, "__loader__")
    if loader is None or is_a(loader, SourceFileLoader) or is_a(loader, type):
        return ""  # it would read the file, whatever that is
    name = exact_str(stored(dict_get(module_globals, "__spec__"), "name")) or exact_str(
        dict_get(module_globals, "__name__")
    )
    try:
        text = exact_str(cast("Any", loader).get_source(name))
    except BaseException:  # noqa: BLE001 -- a foreign loader, or none at all
        return ""
    return text if len(text) <= max_bytes else ""


def _from_file(filename: str, module_globals: Mapping[str, object], max_bytes: int) -> str:
    if is_generated(filename):  # <frozen os> has its source beside it
        filename = exact_str(dict_get(module_globals, "__file__"))
        if not filename.endswith(".py") or dict_get(module_globals, "__name__") == "__main__":
            return ""
    data = _read(filename, max_bytes)
    if data is None and filename and not os.path.isabs(filename):
        entries = [entry for entry in list(sys.path) if type(entry) is str]
        found = (_read(os.path.join(entry, filename), max_bytes) for entry in entries[:50])
        data = next((each for each in found if each is not None), None)
    return _decode(data) if data and b"\0" not in data else ""


def _read(path: str, max_bytes: int) -> bytes | None:
    """Return the content of a regular file of at most *max_bytes*; None for anything else."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if not _is_readable(os.stat(path), max_bytes):
            return None
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            if not _is_readable(os.fstat(file.fileno()), max_bytes):  # it was exchanged in between
                return None
            data = file.read(max_bytes + 1)  # it grows while it is read
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    return data if len(data) <= max_bytes else None


def _is_readable(status: os.stat_result, max_bytes: int) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size <= max_bytes


def _decode(data: bytes) -> str:
    """PEP 263; what does not fit the declared encoding is replaced."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding.replace("-", "_") not in _NO_ENCODINGS:
            return data.decode(encoding, "replace")
    except Exception:  # noqa: BLE001, S110 -- SyntaxError, LookupError, or what a registered codec raises
        pass
    return data.decode("utf-8", "replace")


def _from_linecache(filename: str, max_bytes: int) -> str:
    entry: object = linecache.cache.get(filename)
    if not is_a(entry, tuple) or len(cast("Any", entry)) != 4:
        return ""
    lines = [exact_str(line) for line in sequence_items(tuple(sequence_items(entry))[2])]
    return "".join(lines) if sum(map(len, lines)) <= max_bytes else ""


def column_of(line: str, offset: int, *, shown: Callable[[str], str] = visible) -> int:
    """
    Return the column, in characters of *shown* (*line*), of a byte offset as code objects have it (PEP 657).

    Args:
        line: As in the file, with its tabs.
        offset: In bytes of the line's UTF-8.
    """
    if line.isascii() and line.isprintable():
        return min(offset, len(line))
    begin = line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")
    return len(shown(begin))
