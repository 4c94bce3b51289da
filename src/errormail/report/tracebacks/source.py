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
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any, cast

from errormail.report.objects import dict_get, exact_str, is_a, sequence_items, stored
from errormail.report.tracebacks.freshness import is_changed
from errormail.report.tracebacks.paths import is_generated
from errormail.report.visible import visible

__all__ = ["NOT_FOUND", "Source", "Sources", "column_of", "read_source", "split_lines"]

KEPT_FILES = 32
KEPT_BYTES = 100_000
"""So many files of at most this size are kept in memory, for the next report."""
NOT_FOUND = "source not available: there is no such file"
TOO_LARGE = "the file is too large"

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


class _UnreadableError(Exception):
    """A file is none that may be read as source; its text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a module, or why there is none."""

    lines: list[str] = field(default_factory=list[str])
    """Without their ends. Not to be changed: other reports have the same list."""
    note: str = ""
    """Why there are no lines, in words for the reader."""
    status: os.stat_result | None = None
    """Of the file that it was read from; None where it came from elsewhere."""


class Sources:
    """
    The source files that one report needs, each read once.

    Args:
        max_bytes: A larger file is not read.
        since: Unix time at which the program was started: a file that is older has not changed since it was loaded.
    """

    __slots__ = ("_max_bytes", "_since", "_sources")

    def __init__(self, max_bytes: int, since: float = 0.0) -> None:
        self._max_bytes = max_bytes
        self._sources: dict[tuple[str, str], Source] = {}
        self._since = since

    def source(self, filename: str, module_globals: Mapping[str, object]) -> Source:
        """Return the source of the module that has *module_globals*. Never raises."""
        key = (filename, exact_str(dict_get(module_globals, "__name__")))
        if key not in self._sources:
            self._sources[key] = read_source(filename, module_globals, self._max_bytes)
        return self._sources[key]

    def file(self, path: str, encoding: str = "") -> Source:
        """Return the lines of any text file. Never raises."""
        key = (path, f"({encoding})")
        if key not in self._sources:
            self._sources[key] = _file(path, self._max_bytes, encoding)
        return self._sources[key]

    def is_changed(
        self, code: CodeType, lineno: int | None, module_globals: Mapping[str, object]
    ) -> bool:
        """Return whether the lines around *lineno* are no longer those that *code* was compiled from, as far as can be told."""
        source = self.source(code.co_filename, module_globals)
        if source.status is None:
            return False
        return is_changed(code, lineno, module_globals, source.lines, source.status, self._since)


def read_source(filename: str, module_globals: Mapping[str, object], max_bytes: int) -> Source:
    """
    Return the source of a module. Never raises.

    A loader that is not that of ordinary files (zip, frozen, one's own) is asked first, then the file is read, then what
    `linecache` was given (doctest, IPython, attrs).
    """
    text = _from_loader(filename, module_globals, max_bytes)
    if text:
        return Source(split_lines(text))
    found = _from_file(filename, module_globals, max_bytes)
    # From Python 3.13 on it has the text of `python -c` under the name that all code made by exec() has.
    is_known = filename != "<string>" or dict_get(module_globals, "__name__") == "__main__"
    if is_known and not found.lines and (text := _from_linecache(filename, max_bytes)):
        return Source(split_lines(text))
    return found


def split_lines(text: str) -> list[str]:
    """Return the lines of *text* as Python counts them; `str.splitlines` knows more line ends."""
    if not text:
        return []
    if "\r" in text:
        return _LINE_END.split(text)
    return text.split("\n")


def _from_loader(filename: str, module_globals: Mapping[str, object], max_bytes: int) -> str:
    loader = dict_get(module_globals, "__loader__")
    if loader is None or is_a(loader, SourceFileLoader) or is_a(loader, type):
        return ""  # it would read the file, whatever that is
    name = exact_str(stored(dict_get(module_globals, "__spec__"), "name")) or exact_str(
        dict_get(module_globals, "__name__")
    )
    try:
        text = exact_str(cast("Any", loader).get_source(name))
    except UnicodeDecodeError:  # zipimport takes all source for UTF-8
        text = _from_archive(loader, filename, max_bytes)
    except BaseException:  # noqa: BLE001 -- a foreign loader, or none at all
        return ""
    return text if len(text) <= max_bytes else ""


def _from_archive(loader: object, filename: str, max_bytes: int) -> str:
    try:
        data: object = cast("Any", loader).get_data(filename)
    except BaseException:  # noqa: BLE001 -- a foreign loader
        return ""
    return _decode(data) if isinstance(data, bytes) and len(data) <= max_bytes else ""


def _from_file(filename: str, module_globals: Mapping[str, object], max_bytes: int) -> Source:
    if is_generated(filename):  # <frozen os> has its source beside it
        filename = exact_str(dict_get(module_globals, "__file__"))
        if not filename.endswith(".py") or dict_get(module_globals, "__name__") == "__main__":
            return Source(note="generated code: no source")
    found = _file(filename, max_bytes)
    if found.note != NOT_FOUND or os.path.isabs(filename) or not filename:
        return found
    entries = [entry for entry in list(sys.path) if type(entry) is str]
    others = (_file(os.path.join(entry, filename), max_bytes) for entry in entries[:50])
    return next((each for each in others if each.note != NOT_FOUND), found)


def _file(path: str, max_bytes: int, encoding: str = "") -> Source:
    """Return the lines of a regular text file of at most *max_bytes*."""
    try:
        status = os.stat(path)
        _check(status, max_bytes)
        if status.st_size <= KEPT_BYTES:
            bound = min(max_bytes, KEPT_BYTES)
            lines = _kept(
                path, encoding, bound, (status.st_ino, status.st_mtime_ns, status.st_size)
            )
        else:
            lines = split_lines(_text(_read(path, max_bytes), encoding))
    except _UnreadableError as error:
        return Source(note=f"source not available: {error}")
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return Source(note=NOT_FOUND)
    return Source(lines, "", status)


@lru_cache(maxsize=KEPT_FILES)
def _kept(path: str, encoding: str, max_bytes: int, state: tuple[int, ...]) -> list[str]:
    """Return the lines of a file; its *state* is in the key of the cache: a file that changes is read again."""
    return split_lines(_text(_read(path, max_bytes), encoding))


def _read(path: str, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most *max_bytes*."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        _check(os.fstat(file.fileno()), max_bytes)  # it was exchanged in between
        data = file.read(max_bytes + 1)  # it grows while it is read
    if len(data) > max_bytes:
        raise _UnreadableError(TOO_LARGE)
    return data


def _check(status: os.stat_result, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _UnreadableError("it is not an ordinary file")
    if status.st_size > max_bytes:
        raise _UnreadableError(TOO_LARGE)


def _text(data: bytes, encoding: str = "") -> str:
    if b"\0" in data:
        raise _UnreadableError("the file is not text")
    return _decode(data, encoding)


def _decode(data: bytes, encoding: str = "") -> str:
    """PEP 263 where no *encoding* is given; what does not fit it is replaced."""
    try:
        if not encoding:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding.replace("-", "_") not in _NO_ENCODINGS:
            return data.decode(encoding, "replace")
    except BaseException:  # noqa: BLE001, S110 -- SyntaxError, LookupError, or what a registered codec raises
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
