"""Values that have no parts as text: strings, code, and what an object says of itself."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable
from typing import Any, cast

from errormail.report.model import REDACTED
from errormail.report.objects import encodable, exact_str, is_a, size_of, stored, type_name
from errormail.report.redact import Redactor

__all__ = ["code_text", "name_text", "safe_repr", "safe_str", "string_text"]


def safe_repr(value: object) -> tuple[str, bool]:
    """Return what the own `__repr__` of *value* says, whatever its length, and whether it succeeded. Never raises."""
    return _call(repr, value, "repr")


def safe_str(value: object) -> tuple[str, bool]:
    """Return ``str(value)``, whatever its length, and whether it succeeded. Never raises."""
    return _call(str, value, "str")


def _call(function: Callable[[object], str], value: object, name: str) -> tuple[str, bool]:
    try:
        return exact_str(function(value)), True
    except BaseException as error:  # noqa: BLE001 -- a foreign __repr__ may even raise SystemExit
        return f"<{type_name(type(value))}: {name} raised {type_name(type(error))}>", False


def name_text(name: object) -> str | None:
    """Return *name* as plain text if it is one (`str`, `bytes`, an enum of one), to ask `Redactor.hides`; else None."""
    if is_a(name, str):
        return exact_str(name)
    if is_a(name, bytes):
        return bytes.__getitem__(cast("bytes", name), slice(0, 1000)).decode("latin-1")
    if is_a(name, enum.Enum):
        return exact_str(stored(name, "_value_")) or None
    return None


def string_text(value: object, kind: type, chars: int, redactor: Redactor) -> str:
    """
    Return the repr of the begin of a string, redacted, with a note of its size where that is not all of it.

    Args:
        kind: `str`, `bytes` or `bytearray`, that the type of *value* is or is derived from.
        chars: At most so many, from 20 on.
    """
    size = size_of(value, kind)
    note = f" <{size:,} {'characters' if kind is str else 'bytes'}>" if size > chars else ""
    chars = max(chars - len(note) - 3, 17)
    if kind is str:
        begin = redactor.bounded(cast("str", value), chars)
        text = repr(begin)
    else:
        # One byte more than is needed, so that it is known to have been cut.
        data: bytes = cast("Any", kind).__getitem__(value, slice(0, chars + redactor.margin + 1))
        begin = redactor.bounded(data.decode("latin-1"), chars)
        text = repr(kind(begin.encode("latin-1")))
    # The length of a secret is told by nothing. What is shorter than it could be has lost one at its end.
    return text if REDACTED in text or len(begin) < chars else text + note


def code_text(value: object) -> str:
    """Return functions, methods and modules by name: the repr of a bound method would call that of its object."""
    if type(value) is types.MethodType:
        return f"<bound method {_function_name(value.__func__)}>"
    if is_a(value, types.ModuleType):
        return f"<module {encodable(exact_str(stored(value, '__name__'))[:200])!r}>"
    kind = "function" if type(value) is types.FunctionType else "built-in function"
    return f"<{kind} {_function_name(value)}>"


def _function_name(function: object) -> str:
    if type(function) is types.FunctionType or type(function) is types.BuiltinFunctionType:
        return encodable(exact_str(function.__qualname__)[:200])
    return type_name(type(function))
