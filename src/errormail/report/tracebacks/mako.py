"""Frames of Mako templates as lines of the templates, by the table that Mako appends to the code it generates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import cast

from errormail.report.objects import (
    dict_get,
    exact_str,
    is_a,
    qualname_of,
    stored,
    stored_attributes,
)
from errormail.report.tracebacks.source import NOT_FOUND, Source, Sources, split_lines
from errormail.report.tracebacks.templates import IN_MEMORY, TemplateFrame, frame_locals, is_shown
from errormail.report.tracebacks.walk import Entry

__all__ = ["mako_frame"]

_INTERNAL = {"context", "pageargs", "caller", "loop", "capture"}


def mako_frame(entry: Entry, sources: Sources) -> TemplateFrame | None:
    """Return *entry* as a place in a Mako template; None where it is none."""
    module_globals, code = entry.frame.f_globals, entry.frame.f_code
    if dict_get(module_globals, "_magic_number") is None:
        return None
    info = _info(exact_str(dict_get(module_globals, "__name__")))
    generated = split_lines(exact_str(stored(info, "module_source")))
    generated = generated or sources.source(code.co_filename, module_globals).lines
    line = _line(generated, entry.lineno or 0)
    if line is None:
        return None
    filename = exact_str(dict_get(module_globals, "_template_filename"))
    uri = exact_str(dict_get(module_globals, "_template_uri"))
    encoding = exact_str(dict_get(module_globals, "_source_encoding")) or "utf-8"
    text = _decoded(stored(info, "template_source"), encoding)
    if text:
        source = Source(split_lines(text))
    else:
        source = sources.file(filename, encoding) if filename else Source(note=NOT_FOUND)
    return TemplateFrame(
        filename or (IN_MEMORY if uri.startswith("memory:") else uri),
        bool(filename),
        code.co_name,
        line,
        source,
        _variables(entry.frame),
    )


def _info(module: str) -> object:
    """Return what Mako knows of the template that became *module*."""
    info: object = stored_attributes(sys.modules.get("mako.template")).get("ModuleInfo")
    if not is_a(info, type):
        return None
    known = cast("Mapping[str, object]", type.__dict__["__dict__"].__get__(info))
    reference = dict_get(stored(known.get("_modules"), "data", {}), module)
    return cast("Callable[[], object]", reference)() if reference is not None else None


def _line(generated: list[str], lineno: int) -> int | None:
    """Return the line of the template, after the table that Mako appends to the code it generates."""
    begin = next(
        (
            index
            for index in range(len(generated) - 1, -1, -1)
            if generated[index] == "__M_BEGIN_METADATA"
        ),
        None,
    )
    if begin is None:
        return None
    try:
        lines = {
            int(key): int(value)
            for key, value in json.loads(generated[begin + 1])["line_map"].items()
        }
    except Exception:  # noqa: BLE001 -- of another version
        return None
    before = [line for line in lines if line <= lineno]
    return max(lines[max(before)], 1) if before else None


def _decoded(text: object, encoding: str) -> str:
    if isinstance(text, bytes):
        try:
            return text.decode(encoding, "replace")
        except LookupError:
            return ""
    return exact_str(text)


def _variables(frame: FrameType) -> dict[str, object]:
    """Return what the template sees: names that are set, without Mako's own."""
    return {
        name: value
        for name, value in frame_locals(frame).items()
        if name not in _INTERNAL
        and is_shown(name, value)
        and qualname_of(type(value)) != "Undefined"
    }
