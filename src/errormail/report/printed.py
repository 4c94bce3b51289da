"""What Python prints of one exception besides its frames: message, suggestion, notes, the place of a SyntaxError."""

from __future__ import annotations

import traceback
from itertools import islice
from types import ModuleType
from typing import Any, cast

from errormail.report.frames import FrameContext
from errormail.report.objects import (
    defined_in,
    dict_items,
    encodable,
    exact_str,
    is_a,
    module_of,
    qualname_of,
    sequence_items,
    size_of,
    stored,
    stored_attributes,
    traceback_of,
)
from errormail.report.paths import display_name
from errormail.report.values import safe_repr, safe_str

__all__ = ["details_of", "message_of", "notes_of"]

DETAIL_LINES = 200
"""Of a traceback that another process sent as text."""
HINT_CHARS = 5
"""Around the characters that could not be encoded or decoded. Django shows as many."""

_REMOTE = {"_RemoteTraceback", "RemoteTraceback"}
"""How concurrent.futures and multiprocessing.pool hand on a worker's traceback: as the text of a cause."""


def _text(text: str, context: FrameContext) -> str:
    return encodable(context.redactor.bounded(text, context.limits.message_chars))


def message_of(exc: BaseException, context: FrameContext) -> str:
    """Return the text of *exc*, bounded and redacted; "<unprintable Order object>" where there is none to have."""
    if is_a(exc, SyntaxError):  # its str() has the place in it, which stands in the details
        return _text(exact_str(_field(exc, "msg")) or "<no detail available>", context)
    text, succeeded = safe_str(exc)
    if not succeeded:
        return f"<unprintable {qualname_of(type(exc))} object>"
    if qualname_of(type(exc)) in _REMOTE:
        return _text(_remote_text(exc).rpartition("\n")[2], context)
    return _text(text + _suggestion(exc, text, context), context)


def _field(exc: BaseException, name: str) -> object:
    """Return a field of a builtin exception, past an override in the class."""
    for base in (SyntaxError, UnicodeError, NameError, AttributeError, ImportError):
        slot = vars(base).get(name)
        if slot is not None and is_a(exc, base):
            try:
                return cast("object", slot.__get__(exc))
            except BaseException:  # noqa: BLE001 -- never set
                return None
    return None


def _suggestion(exc: BaseException, text: str, context: FrameContext) -> str:
    """
    Return ". Did you mean: 'total'?" as Python has it for a wrong name; "" where there is none, or before Python 3.12.

    Python looks for it with `dir()` and `hasattr()`: not done where either would run code of the object's own.
    """
    if not is_a(exc, NameError, AttributeError, ImportError) or context.budget.is_spent():
        return ""
    if is_a(exc, AttributeError) and not _is_harmless(_field(exc, "obj")):
        return ""
    if is_a(exc, NameError) and not _is_harmless(_innermost_self(exc)):
        return ""
    try:
        printed = traceback.TracebackException(
            type(exc),
            exc,
            traceback_of(exc),
            limit=0,
            lookup_lines=False,
            _seen=set(),  # not the chain, which may be long
        )
        whole = str(printed)
    except BaseException:  # noqa: BLE001 -- it calls the exception's own __str__ and looks into foreign objects
        return ""
    return whole[len(text) :] if whole.startswith(text) and len(whole) - len(text) < 300 else ""


def _is_harmless(value: object) -> bool:
    """Would `dir()` and `hasattr()` of it run only Python's own code?"""
    if is_a(value, ModuleType):
        return "__dir__" not in stored_attributes(value) and "__getattr__" not in stored_attributes(
            value
        )
    cls = type(value)
    for name in ("__dir__", "__getattribute__", "__getattr__", "__dict__", "__class__"):
        found = defined_in(cls, name)
        if found is not None and module_of(found[0]) != "builtins" and _is_code(found[1]):
            return False
    return len(stored_attributes(value)) < 2_000


def _is_code(member: object) -> bool:
    """Is *member* of a class code, not the slot that Python makes for ``__dict__``?"""
    return type(member).__name__ not in {"getset_descriptor", "member_descriptor"}


def _innermost_self(exc: BaseException) -> object:
    tb = traceback_of(exc)
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    if tb is None or "self" not in tb.tb_frame.f_code.co_varnames:
        return None
    try:
        return tb.tb_frame.f_locals.get("self")
    except BaseException:  # noqa: BLE001 -- code may be run with a mapping of its own
        return None


def notes_of(exc: BaseException, context: FrameContext) -> tuple[str, ...]:
    """Return the notes of *exc* (PEP 678) and what helps to understand it, bounded and redacted."""
    return (*_notes(exc, context), *_hints(exc, context))


def _notes(exc: BaseException, context: FrameContext) -> list[str]:
    """PEP 678. Python shows what is no list as its repr."""
    try:
        notes = cast("object", cast("Any", exc).__notes__)
    except BaseException:  # noqa: BLE001 -- mostly: there are none
        return []
    if notes is None:
        return []
    if not is_a(notes, list, tuple):
        return [_text(safe_repr(notes)[0], context)]
    bound = context.limits.notes
    found = [
        _text(exact_str(note) or safe_str(note)[0], context)
        for note in islice(sequence_items(notes), bound)
    ]
    size = size_of(notes, list if is_a(notes, list) else tuple)
    return [*found, f"... {size - bound:,} more notes"] if size > bound else found


def _hints(exc: BaseException, context: FrameContext) -> list[str]:
    """What Django adds to a UnicodeError: the characters around the one that it is about."""
    if not is_a(exc, UnicodeEncodeError, UnicodeDecodeError, UnicodeTranslateError):
        return []
    text, start, end = _unicode_part(exc)
    if text is None:
        return []
    first = max(start - HINT_CHARS, 0)
    part = text[first : max(end, start) + HINT_CHARS]
    shown = ascii(context.redactor.text(part[:200]))
    verb = "decoded" if is_a(exc, UnicodeDecodeError) else "encoded"
    return [f"The text that could not be {verb} was: {shown}"]


def _unicode_part(exc: BaseException) -> tuple[str | None, int, int]:
    for base in (UnicodeEncodeError, UnicodeDecodeError, UnicodeTranslateError):
        if is_a(exc, base):
            fields: dict[str, Any] = dict(vars(base))
            try:
                text, start, end = (
                    fields[name].__get__(exc) for name in ("object", "start", "end")
                )
            except BaseException:  # noqa: BLE001 -- a subclass that does not call __init__
                return None, 0, 0
            if is_a(text, bytes):
                around = cast("bytes", text)[max(start - 100, 0) : start + 100]
                return (
                    around.decode("latin-1"),
                    min(start, 100),
                    min(start, 100) + min(end - start, 100),
                )
            return exact_str(text), start, end
    return None, 0, 0


def details_of(exc: BaseException, context: FrameContext) -> tuple[str, ...]:
    """Return lines that belong between the frames and the message: the place of a SyntaxError, a worker's traceback."""
    if qualname_of(type(exc)) in _REMOTE:
        bounded = context.redactor.bounded(_remote_text(exc), context.limits.stack_chars)
        return tuple(encodable(bounded).splitlines()[:DETAIL_LINES])
    lines = _syntax_lines(exc) if is_a(exc, SyntaxError) else _template_lines(exc)
    return tuple(_text(line, context) for line in lines)


def _remote_text(exc: BaseException) -> str:
    return safe_str(exc)[0].strip().strip('"').strip()


def _syntax_lines(exc: BaseException) -> list[str]:
    """Return place, source line and caret, as Python prints them."""
    filename = exact_str(_field(exc, "filename")) or "<string>"
    lineno, text = _field(exc, "lineno"), exact_str(_field(exc, "text"))[:1_000]
    lines = [
        f'  File "{display_name(filename)}", line {lineno}'
        if type(lineno) is int
        else f'  File "{display_name(filename)}"'
    ]
    text = text.rstrip("\n").expandtabs(1)  # the offset counts a tab as one
    stripped = text.lstrip(" \f")
    if not stripped:
        return lines
    lines.append(f"    {stripped}")
    offset, end = _field(exc, "offset"), _field(exc, "end_offset")
    if type(offset) is not int:
        return lines
    start = offset - 1 - (len(text) - len(stripped))
    same_line = _field(exc, "end_lineno") in {None, lineno}
    width = end - offset if type(end) is int and same_line and end > offset else 1
    if 0 <= start <= len(stripped):
        lines.append("    " + " " * start + "^" * min(width, max(len(stripped) - start, 1)))
    return lines


def _template_lines(exc: BaseException) -> list[str]:
    """Where in a template it happened (Django), and where it was looked for."""
    lines: list[str] = []
    debug = {exact_str(name): value for name, value in dict_items(stored(exc, "template_debug"))}
    if debug:
        name, line, during = (debug.get(key) for key in ("name", "line", "during"))
        if type(line) is int:
            lines.append(f'  Template "{exact_str(name)}", line {line}')
            lines.append(f"    {exact_str(during).strip()}")
    if qualname_of(type(exc)) == "TemplateDoesNotExist":
        for each in islice(sequence_items(stored(exc, "tried")), 20):
            origin, status = (*sequence_items(each), None, None)[:2]
            place = exact_str(stored(origin, "name")) or exact_str(origin)
            lines.append(f"  Tried {place} ({exact_str(status)})")
    return lines
