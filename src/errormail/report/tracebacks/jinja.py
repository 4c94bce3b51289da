"""Frames of Jinja2 templates as lines of the templates: those that Jinja2 has rewritten itself, and those that it has not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import FrameType

from errormail.report.objects import (
    dict_get,
    dict_items,
    exact_str,
    is_a,
    qualname_of,
    sequence_items,
    stored,
)
from errormail.report.tracebacks.paths import is_generated
from errormail.report.tracebacks.source import Source, Sources, split_lines
from errormail.report.tracebacks.templates import VARIABLES, TemplateFrame, frame_locals, is_shown
from errormail.report.tracebacks.walk import Entry

__all__ = ["JinjaTemplates"]

LOADERS = 3
"""Within one another."""

_RENDER = {"render", "render_async", "generate", "generate_async", "stream"}
# In Jinja2's own globals and those of Flask: in each template, and seldom the reason.
_GLOBALS = {
    *("range", "dict", "lipsum", "cycler", "joiner", "namespace", "self", "caller"),
    *("config", "request", "session", "g", "url_for", "get_flashed_messages"),
}
_LOCAL = re.compile(r"l_(\d{1,4})_(.+)")
_REFERENCE = re.compile(r"\{%[-+]?\s*(?:extends|include|import|from)\s+(?:'([^']+)'|\"([^\"]+)\")")


class JinjaTemplates:
    """
    The templates of one traceback.

    Args:
        entries: Outermost first: what is rendered tells the name of a template that has no file.
    """

    __slots__ = ("_memory", "_sources")

    def __init__(self, entries: Iterable[object], sources: Sources) -> None:
        self._sources = sources
        self._memory = _templates_in_memory(
            [each for each in entries if isinstance(each, Entry)], sources
        )

    def frame(self, entry: Entry) -> TemplateFrame | None:
        """Return *entry* as a place in a template; None where it is none."""
        if _is_rewritten(entry.frame):
            return self._rewritten(entry)
        has_template = dict_get(entry.frame.f_globals, "__jinja_template__") is not None
        return self._generated(entry) if has_template else None

    def _rewritten(self, entry: Entry) -> TemplateFrame:
        """Of a frame that Jinja2 has made itself for an error while rendering: file and line are the template's."""
        code, lineno = entry.frame.f_code, entry.lineno or 1
        name, text = self._memory.get(entry.position, ("", ""))
        exc = dict_get(entry.frame.f_globals, "__jinja_exception__")
        if code.co_name == "template" and stored(exc, "lineno") == lineno:  # a TemplateSyntaxError
            text = text or exact_str(stored(exc, "source"))
            name = name or exact_str(stored(exc, "name"))
        return self._frame(
            code.co_filename, name, code.co_name, lineno, text, _of_context(entry.frame)
        )

    def _generated(self, entry: Entry) -> TemplateFrame:
        """Of a frame in the code that Jinja2 has generated."""
        template = dict_get(entry.frame.f_globals, "__jinja_template__")
        name = exact_str(stored(template, "name"))
        line = _line(exact_str(stored(template, "_debug_info")), entry.lineno or 0)
        text = _from_loader(stored(stored(template, "environment"), "loader"), name)
        code = entry.frame.f_code
        function = (
            "top-level template code"
            if code.co_name == "root"
            else f"block '{code.co_name[6:]}'"
            if code.co_name.startswith("block_")
            else code.co_name
        )
        return self._frame(code.co_filename, name, function, line, text, _of_compiled(entry.frame))

    def _frame(
        self,
        filename: str,
        name: str,
        function: str,
        lineno: int,
        text: str,
        variables: dict[str, object],
    ) -> TemplateFrame:
        is_file = not is_generated(filename)
        source = Source(split_lines(text)) if text else Source(note="source not available")
        if is_file:
            source = self._sources.file(filename, "utf-8")
        return TemplateFrame(
            filename if is_file else name or filename,
            is_file,
            function,
            lineno,
            source,
            variables,
        )


def _is_rewritten(frame: FrameType) -> bool:
    return dict_get(frame.f_globals, "__jinja_exception__") is not None


def _templates_in_memory(entries: list[Entry], sources: Sources) -> dict[int, tuple[str, str]]:
    """
    Return name and source of the templates without a file among *entries*, by position, as far as they can be known.

    Jinja2 leaves of them only the line. The first one is that which is rendered; a further one that which the line before
    includes or extends; a block is in the first of them that has a block of this name.
    """
    found: dict[int, tuple[str, str]] = {}
    loader, name = None, ""
    for entry in entries:
        frame = entry.frame
        if frame.f_code.co_name in _RENDER:
            if dict_get(frame.f_globals, "__name__") == "jinja2.environment":
                template = frame_locals(frame).get("self")
                loader = stored(stored(template, "environment"), "loader")
                name = exact_str(stored(template, "name"))
            continue
        if not _is_rewritten(frame):
            continue
        filename, text = frame.f_code.co_filename, ""
        if not is_generated(filename):
            lines: list[str] = sources.file(filename, "utf-8").lines
        else:
            if frame.f_code.co_name.startswith("block "):
                name, text = _with_block(frame.f_code.co_name[6:].strip("'\""), found.values())
            elif not name and frame.f_code.co_name == "template":  # a macro, or the body of a loop
                name, text = _only(set(found.values()))
            else:
                text = _from_loader(loader, name) if name else ""
            found[entry.position] = (name, text)
            lines = split_lines(text)
        reference = _REFERENCE.search(
            lines[entry.lineno - 1] if entry.lineno and entry.lineno <= len(lines) else ""
        )
        name = (reference[1] or reference[2]) if reference else ""
    return found


def _with_block(block: str, known: Iterable[tuple[str, str]]) -> tuple[str, str]:
    begin = re.compile(rf"\{{%[-+]?\s*block\s+{re.escape(block)}\b")
    return next((each for each in known if begin.search(each[1])), ("", ""))


def _only(known: set[tuple[str, str]]) -> tuple[str, str]:
    """Return the only template, unless it imports others."""
    if len(known) != 1:
        return "", ""
    (name, text) = known.pop()
    return ("", "") if "import" in text else (name, text)


def _line(debug_info: str, lineno: int) -> int:
    """Return the line of the template; *debug_info* is "template line=line of the code&..."."""
    line = 1
    for pair in debug_info.split("&"):
        template_line, _, code_line = pair.partition("=")
        if not template_line.isdecimal() or not code_line.isdecimal() or int(code_line) > lineno:
            break
        line = int(template_line)
    return line


def _from_loader(loader: object, name: str, depth: int = 0) -> str:
    """Return what a loader has in memory under *name*: `DictLoader`, also within `ChoiceLoader` and `PrefixLoader`."""
    mapping = stored(loader, "mapping")
    if is_a(mapping, dict):
        text = exact_str(dict_get(mapping, name))
        prefix, _, rest = name.partition(exact_str(stored(loader, "delimiter")) or "/")
        inner = dict_get(mapping, prefix)
        return text or (_from_loader(inner, rest, depth + 1) if inner and depth < LOADERS else "")
    texts = (
        _from_loader(each, name, depth + 1)
        for each in sequence_items(stored(loader, "loaders"))
        if depth < LOADERS
    )
    return next((text for text in texts if text), "")


def _of_context(frame: FrameType) -> dict[str, object]:
    """Return what a template sees, of a frame that Jinja2 has made: it has put all of it into the locals."""
    return _shown(frame_locals(frame))


def _of_compiled(frame: FrameType) -> dict[str, object]:
    """Return what a template sees, of a frame in generated code: its context, and above that ``l_1_name``."""
    names = frame_locals(frame)
    context = names.get("context")
    seen: dict[str, object] = {}
    for part in ("parent", "vars"):
        for key, value in list(dict_items(stored(context, part)))[:VARIABLES]:
            seen[exact_str(key)] = value
    matches = [(match, value) for name, value in names.items() if (match := _LOCAL.fullmatch(name))]
    for match, value in sorted(matches, key=lambda each: int(each[0][1])):
        if not qualname_of(type(value)).endswith("MissingType"):
            seen[match[2]] = value
    return _shown(seen)


def _shown(variables: dict[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in variables.items()
        if name not in _GLOBALS and is_shown(name, value)
    }
