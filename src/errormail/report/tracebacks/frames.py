"""
A traceback as Frames: folded while it is walked, so that a million frames cost little; bounded; without a reference to
any frame afterwards.
"""

from __future__ import annotations

from bisect import bisect_left
from types import CodeType, FrameType, TracebackType

from errormail._contain import contained
from errormail.report.model import Elision, Frame
from errormail.report.objects import dict_get, encodable, exact_str
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.freshness import state_of
from errormail.report.tracebacks.jinja import JinjaTemplates
from errormail.report.tracebacks.links import source_link
from errormail.report.tracebacks.mako import mako_frame
from errormail.report.tracebacks.paths import code_module, display_name, is_app_code
from errormail.report.tracebacks.places import Lookup, Site, recall, remember
from errormail.report.tracebacks.positions import Place, names_in, shown_lines
from errormail.report.tracebacks.source import Source
from errormail.report.tracebacks.templates import TemplateFrame
from errormail.report.tracebacks.variables import NO_VARIABLES, variables_of_frame
from errormail.report.tracebacks.walk import Entry, Walked, bounded, folded, walk

__all__ = ["capture_entries", "capture_frames"]

LIBRARY_SOURCE_LINES = 1
"""On either side of the failing line."""
NAME_CHARS = 200
CHANGED = "changed since it was loaded"


def capture_frames(tb: TracebackType | None, context: FrameContext) -> tuple[Frame | Elision, ...]:
    """Return the frames of a traceback, outermost first, repeated ones folded, at most ``limits.frames`` of them."""
    return capture_entries(walk(tb, context.limits.walked_frames), context)


def capture_entries(walked: Walked, context: FrameContext) -> tuple[Frame | Elision, ...]:
    """Return the frames of what has been walked, as `capture_frames` does."""
    positions, callers = _callers(walked)
    entries = bounded(folded(walked), context.limits.frames)
    templates = None
    with contained("templates"):
        templates = JinjaTemplates(entries, context.sources)
    captured: list[Frame | Elision] = []
    # Innermost first: if time runs out, it does where the values matter least.
    for entry in reversed(entries):
        if isinstance(entry, Elision):
            captured.append(entry)
            continue
        frame = None
        with contained("frame"):
            outer = callers[: bisect_left(positions, entry.position)]
            frame = _frame(entry, outer, templates, context)
        captured.append(frame or _bare_frame(entry))
    return tuple(reversed(captured))


def _callers(entries: Walked) -> tuple[list[int], list[FrameType]]:
    """Return positions and frames of the outermost call of each function, outermost first."""
    callers: dict[int, tuple[int, FrameType]] = {}
    for entry in entries:
        if isinstance(entry, Entry):
            callers.setdefault(id(entry.frame.f_code), (entry.position, entry.frame))
    return [position for position, _ in callers.values()], [frame for _, frame in callers.values()]


def _frame(
    entry: Entry, callers: list[FrameType], templates: JinjaTemplates | None, context: FrameContext
) -> Frame:
    template = None
    with contained("template"):
        template = templates.frame(entry) if templates is not None else None
        template = template or mako_frame(entry, context.sources)
    found = (
        _looked_up(_in_template(template, context), context)
        if template is not None
        else _looked_up_once(entry, context)
    )
    site, place = found.site, found.place
    shown = NO_VARIABLES
    if site.in_app or context.options.library_locals:
        shown = variables_of_frame(entry.frame, callers, found.names, context, site.variables)
    return Frame(
        module=site.module,
        function=site.function,
        filename=site.filename,
        lineno=place.lineno,
        end_lineno=place.end_lineno,
        colno=place.colno,
        end_colno=place.end_colno,
        in_app=site.in_app,
        first_lineno=found.first,
        source=found.source,
        variables=shown.variables,
        focus=shown.focus,
        omitted=shown.omitted,
        note=site.note,
        url=_url(site, context) if site.in_app else "",
    )


def _looked_up_once(entry: Entry, context: FrameContext) -> Lookup:
    frame = entry.frame
    key = (id(frame.f_code), id(frame.f_globals), entry.lineno or -1, entry.instruction)
    found = context.places.get(key)
    if found is None:
        found = context.places[key] = _known_or_looked_up(entry, context)
    return found


def _known_or_looked_up(entry: Entry, context: FrameContext) -> Lookup:
    code, module_globals, limits = entry.frame.f_code, entry.frame.f_globals, context.limits
    source = context.sources.source(code.co_filename, module_globals)
    changed = context.sources.is_changed(code, entry.lineno, module_globals)
    module = exact_str(dict_get(module_globals, "__name__"))[:NAME_CHARS]
    in_app = context.options.in_app
    known_as = code_module(module_globals) if in_app else module
    if source.status is None:
        site = _in_code(entry, module, known_as, source, changed, in_app)
        return _looked_up(site, context)
    key = (
        *(id(code), entry.lineno, entry.instruction, state_of(source.status), changed, module),
        *(known_as, in_app, limits.source_lines, limits.source_line_chars),
    )
    found = recall(key, code, context.redactor)
    if found is None:
        site = _in_code(entry, module, known_as, source, changed, in_app)
        found = _looked_up(site, context)
        remember(key, code, context.redactor, found)
    return found


def _looked_up(site: Site, context: FrameContext) -> Lookup:
    first, source, place = shown_lines(
        site.lines,
        site.place,
        around=context.limits.source_lines if site.in_app else LIBRARY_SOURCE_LINES,
        chars=context.limits.source_line_chars,
        redactor=context.redactor,
    )
    return Lookup(site, first, source, place, names_in(source, first, place))


def _in_code(
    entry: Entry,
    module: str,
    known_as: str,
    source: Source,
    changed: bool,
    in_app: tuple[str, ...],
) -> Site:
    code = entry.frame.f_code
    return Site(
        module=encodable(module),
        function=_function(code),
        path=code.co_filename,
        filename=_filename(code, module),
        in_app=is_app_code(code.co_filename, known_as, in_app),
        lines=source.lines,
        note=CHANGED if changed else source.note,
        place=Place(entry.lineno)
        if changed
        else Place.of(code, entry.lineno, entry.instruction, source.lines),
    )


def _in_template(template: TemplateFrame, context: FrameContext) -> Site:
    return Site(
        module="",
        function=encodable(template.function[:NAME_CHARS]),
        path=template.filename if template.is_file else "",
        filename=encodable(
            display_name(template.filename) if template.is_file else template.filename[:NAME_CHARS]
        ),
        in_app=not template.is_file or is_app_code(template.filename, "", context.options.in_app),
        lines=template.source.lines,
        note=template.source.note,
        place=Place(template.lineno),
        variables=template.variables,
    )


def _url(site: Site, context: FrameContext) -> str:
    if not context.options.source_url:
        return ""
    return source_link(
        context.options.source_url,
        filename=site.path,
        module=site.module,
        lineno=site.place.lineno,
        release=context.release,
    )


def _bare_frame(entry: Entry) -> Frame:
    code = entry.frame.f_code
    return Frame(
        module="", function=_function(code), filename=_filename(code, ""), lineno=entry.lineno
    )


def _function(code: CodeType) -> str:
    name: str = getattr(code, "co_qualname", code.co_name)  # co_qualname: Python 3.11
    return encodable(name[:NAME_CHARS])


def _filename(code: CodeType, module: str) -> str:
    return encodable(display_name(code.co_filename, module))
