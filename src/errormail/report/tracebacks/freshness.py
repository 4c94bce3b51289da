"""
Whether the lines of a source file are still those that the running code was compiled from.

A file that is no newer than the program is taken as it is: nothing else is looked at. Of a newer one the compiled file
beside it (``__pycache__``) tells which source the running code was made of; where there is none, or it is another one's,
the lines are compared with the names in the code.
"""

from __future__ import annotations

import keyword
import marshal
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType

from errormail.report.objects import dict_get, exact_str, stored

__all__ = ["is_changed", "state_of"]

BYTECODE_BYTES = 4_000_000
"""A larger compiled file is not read."""
HEADER_BYTES = 16
"""Of a compiled file (PEP 552): magic number, flags, and, where these are 0, time and size of the source."""

KNOWN = 500
"""Places of which it is remembered whether their source has changed."""

_KNOWN: dict[tuple[object, ...], tuple[CodeType, bool]] = {}
_WORD = re.compile(r"[^\W\d]\w*")
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")


def is_changed(
    code: CodeType,
    lineno: int | None,
    module_globals: Mapping[str, object],
    lines: Sequence[str],
    status: os.stat_result,
    since: float,
) -> bool:
    """
    Return whether *lines* are others than those that *code* was compiled from.

    Args:
        lineno: Where *code* is at.
        lines: Of its file.
        status: Of its file.
        since: Unix time at which the program was started.
    """
    if lineno is not None and lineno > len(lines):
        return True
    if max(status.st_mtime, _moved_at(status)) < since:
        return False
    as_written = type(dict_get(module_globals, "__loader__")) is SourceFileLoader
    key = (id(code), lineno, state_of(status), as_written)  # to hash code costs as much as to look
    _, known = _KNOWN.get(key, (code, None))
    if known is None:
        # Another loader may have made something else of the source, as that of pytest does.
        compiled = _compiled_from(code, module_globals, status) if as_written else None
        known = not _fits(code, lineno, lines) if compiled is None else not compiled
        if len(_KNOWN) >= KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = (code, known)  # kept alive, so that its id is no other's
    return known


def state_of(status: os.stat_result) -> tuple[int, ...]:
    """Return what of a file's status changes with its content."""
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


def _moved_at(status: os.stat_result) -> float:
    """Return when the file was put in its place: tools that copy keep the time at which it was written."""
    return status.st_ctime if os.name == "posix" else 0.0


def _compiled_from(
    code: CodeType, module_globals: Mapping[str, object], status: os.stat_result
) -> bool | None:
    """Return whether *code* comes from the file as it is now; None where the compiled file does not tell."""
    path = exact_str(dict_get(module_globals, "__cached__")) or exact_str(
        stored(dict_get(module_globals, "__spec__"), "_cached")
    )
    data = _bytecode(path) if path else b""
    if data[:4] != MAGIC_NUMBER or data[4:8] != bytes(4):
        return None
    has_time = _number(data, 8) == int(status.st_mtime) & 0xFFFFFFFF
    has_size = _number(data, 12) == status.st_size & 0xFFFFFFFF
    found = _contains(data, code)
    if found and has_size:
        # The same size at another time: written anew, most often as it was.
        return True if has_time else None
    # What was compiled from the file as it is now does not have the code in it, or the code comes from another file.
    return False if found or (found is False and has_time and has_size) else None


def _number(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")


def _bytecode(path: str) -> bytes:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > BYTECODE_BYTES:
            return b""
        with open(path, "rb") as file:
            return file.read(BYTECODE_BYTES)
    except (OSError, ValueError):
        return b""


def _contains(data: bytes, code: CodeType) -> bool | None:
    """Return whether the compiled file *data* has *code* in it; None where it is none."""
    try:
        module: object = marshal.loads(data[HEADER_BYTES:])  # noqa: S302 -- Python runs this file
    except Exception:  # noqa: BLE001 -- it is just being written, or was cut
        return None
    if not isinstance(module, CodeType):
        return None
    return any(_is_same(each, code) for each in _codes(module))


def _codes(code: CodeType) -> Iterator[CodeType]:
    waiting = [code]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += [const for const in each.co_consts if isinstance(const, CodeType)]


def _is_same(one: CodeType, other: CodeType) -> bool:
    return (
        one.co_firstlineno == other.co_firstlineno
        and one.co_name == other.co_name
        and one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and _plain(one) == _plain(other)
        and list(one.co_lines()) == list(other.co_lines())
    )


def _plain(code: CodeType) -> list[object]:
    """Return the constants of *code*; of the functions in it their names, for their inside has not failed."""
    return [each.co_name if isinstance(each, CodeType) else each for each in code.co_consts]


def _fits(code: CodeType, lineno: int | None, lines: Sequence[str]) -> bool:
    """Return whether a function of this name begins where *code* does, and *lineno* names something that *code* does."""
    first = code.co_firstlineno
    if not 1 <= first <= max(len(lines), 1):
        return False
    name, begin = code.co_name, lines[first - 1] if lines else ""
    if name == "<lambda>" and "lambda" not in begin:
        return False
    if not name.startswith("<") and not re.match(
        rf"\s*(?:@|(?:async\s+)?def\s+{re.escape(name)}\b|class\s+{re.escape(name)}\b)", begin
    ):
        return False
    if lineno is None or lineno == first:
        return True
    text = lines[lineno - 1].strip()
    if not text or text.startswith("#"):
        return False
    words = {word for word in _WORD.findall(_STRING.sub("", text)) if not keyword.iskeyword(word)}
    return not words or not words.isdisjoint(_names(code))


def _names(code: CodeType) -> set[str]:
    names: set[str] = set()
    for each in _codes(code):
        for group in (each.co_names, each.co_varnames, each.co_freevars, each.co_cellvars):
            names.update(part for name in group for part in name.split("."))
        names.add(each.co_name)
    return names
