"""What Python prints of one exception besides its frames: message, suggestion, notes, the place of a SyntaxError."""

from __future__ import annotations

from itertools import islice
from typing import Any, cast

from errormail.report.objects import (
    dict_items,
    encodable,
    exact_str,
    field_of,
    is_a,
    qualname_of,
    sequence_items,
    size_of,
    stored,
)
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.paths import display_name
from errormail.report.tracebacks.suggestions import suggestion_of
from errormail.report.values.leaves import safe_repr, safe_str

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
        return _text(exact_str(field_of(exc, "msg")) or "<no detail available>", context)
    text, succeeded = safe_str(exc)
    if not succeeded:
        return f"<unprintable {qualname_of(type(exc))} object>"
    if qualname_of(type(exc)) in _REMOTE:
        return _text(_remote_text(exc).rpartition("\n")[2], context)
    if not context.budget.is_spent():
        text += suggestion_of(exc, text)
    return _text(text, context)


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
    filename = exact_str(field_of(exc, "filename")) or "<string>"
    lineno, text = field_of(exc, "lineno"), exact_str(field_of(exc, "text"))[:1_000]
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
    offset, end = field_of(exc, "offset"), field_of(exc, "end_offset")
    if type(offset) is not int:
        return lines
    start = offset - 1 - (len(text) - len(stripped))
    same_line = field_of(exc, "end_lineno") in {None, lineno}
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
