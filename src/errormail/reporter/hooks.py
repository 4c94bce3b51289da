"""
What the program has to say to a report of its own: sections that it adds (SECTIONS), and the last word (BEFORE_SEND).

Both are its code, called with a `Report` in the thread of the failure. What they raise costs a note, not the mail; what
they return is redacted and bounded as everything else is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Union, cast

from errormail._contain import contained
from errormail._dotted import import_dotted
from errormail.report.limits import Limits
from errormail.report.model import REDACTED, Report, Section, Variable
from errormail.report.objects import encodable, exact_str, is_a, type_name
from errormail.report.redact import Redactor
from errormail.report.values import Budget, describe

__all__ = ["Hook", "apply_before_send", "with_sections"]

SECTIONS = 20
"""Of one report."""
TITLE_CHARS = 100
NAME_CHARS = 200

Hook = Union[Callable[[Report], object], str]  # noqa: UP007 -- | needs types, at run time
"""Or its dotted path: `override_settings` takes values as they are."""
_Row = tuple[object, object]


def with_sections(
    report: Report, hooks: Iterable[Hook], *, redactor: Redactor, limits: Limits
) -> Report:
    """Return *report* with the sections that *hooks* make of it, each of the report as it came."""
    budget = Budget(limits.seconds)
    sections: list[Section] = []
    notes: list[str] = []
    for hook in hooks:
        title = _title(hook)
        try:
            drafts = list(islice(_drafts(_call(hook, report), title, limits), SECTIONS))
        except BaseException as error:  # noqa: BLE001 -- the program's function, and what it has returned
            notes.append(
                f"The section {title!r} is missing: {type_name(type(error))} in its function."
            )
            continue
        with contained("section"):
            sections += [_section(*draft, redactor, limits, budget) for draft in drafts]
    if not sections and not notes:
        return report
    return replace(
        report,
        sections=(*report.sections, *(each for each in sections if each.rows))[:SECTIONS],
        notes=(*report.notes, *notes),
    )


def apply_before_send(
    report: Report, hook: Hook | None, redacted: Callable[[Report], Report]
) -> Report | None:
    """
    Return what *hook* makes of *report*: None to drop it, the same one, or another, redacted.

    A hook that fails, or returns anything else, changes nothing, and a note says so.
    """
    if hook is None:
        return report
    try:
        result = _call(hook, report)
    except BaseException as error:  # noqa: BLE001 -- the program's function
        return _noted(report, f"BEFORE_SEND failed with {type_name(type(error))}")
    if result is None or result is report:
        return None if result is None else report
    if type(result) is not Report:
        return _noted(
            report, f"BEFORE_SEND returned {type_name(type(result))}, not a Report or None"
        )
    with contained("BEFORE_SEND"):
        return redacted(_without_stale_curl(result, report))
    return _noted(report, "what BEFORE_SEND returned could not be redacted")


def _without_stale_curl(result: Report, report: Report) -> Report:
    """The line still says what the program has taken out of the request; one of its own stays."""
    before, after = report.request, result.request
    if before is None or after is None or after == before or after.curl != before.curl:
        return result
    return replace(result, request=replace(after, curl=""))


def _call(hook: Hook, report: Report) -> object:
    function = import_dotted(hook) if isinstance(hook, str) else hook
    return cast("Callable[[Report], object]", function)(report)


def _noted(report: Report, what: str) -> Report:
    return replace(report, notes=(*report.notes, f"{what}: the report is as it was before."))


def _title(hook: Hook) -> str:
    """Return what the function's attribute `title` says, else its name: of ``order_facts`` "Order facts"."""
    name = hook.rpartition(".")[2] if isinstance(hook, str) else _attribute(hook, "__name__")
    own = _attribute(hook, "title")
    words = name.strip("_").replace("_", " ") if name.isidentifier() else ""
    title = own.strip() or words[:1].upper() + words[1:] or "More"
    return encodable(" ".join(title.split())[:TITLE_CHARS])


def _attribute(hook: object, name: str) -> str:
    try:
        return exact_str(getattr(hook, name, ""))
    except BaseException:  # noqa: BLE001 -- a property of the program's
        return ""


def _drafts(
    result: object, title: str, limits: Limits
) -> Iterator[tuple[str, list[_Row], int | None]]:
    """
    Yield title, rows and how many rows there are in all (None: not known) of what a function has returned.

    That is a mapping, an iterable of pairs, a `Section`, or an iterable of these; None is nothing.

    Raises:
        TypeError: It is anything else.
    """
    if result is None:
        return
    if type(result) is Section:
        rows = [(row.name, row.value) for row in result.rows[: limits.section_rows]]
        yield result.title, [*rows], len(result.rows)
        return
    if isinstance(result, Mapping):
        mapping = cast("Mapping[object, object]", result)
        yield title, list(islice(mapping.items(), limits.section_rows)), len(mapping)
        return
    if isinstance(result, (str, bytes)) or not isinstance(result, Iterable):
        raise TypeError
    items = list(islice(cast("Iterable[object]", result), limits.section_rows + 1))
    if items and all(type(item) is Section for item in items):
        for item in items[:SECTIONS]:
            yield from _drafts(item, title, limits)
        return
    pairs = [_pair(item) for item in items[: limits.section_rows]]
    yield title, pairs, len(items) if len(items) <= limits.section_rows else None


def _pair(item: object) -> _Row:
    if type(item) is Variable:
        return item.name, item.value
    name, value = cast("Iterable[object]", item)  # TypeError or ValueError of its own
    return name, value


def _section(
    title: str,
    rows: list[_Row],
    size: int | None,
    redactor: Redactor,
    limits: Limits,
    budget: Budget,
) -> Section:
    shown = [_variable(name, value, redactor, limits, budget) for name, value in rows]
    if size is None:
        shown.append(Variable(name="...", value="more"))
    elif size > len(rows):
        shown.append(Variable(name="...", value=f"{size - len(rows):,} more"))
    title = encodable(redactor.bounded(" ".join(exact_str(title).split()), TITLE_CHARS))
    return Section(title=title or "More", rows=tuple(shown))


def _variable(
    name: object, value: object, redactor: Redactor, limits: Limits, budget: Budget
) -> Variable:
    """A text is shown as it is, without the quotes of repr(): these rows are made for a reader."""
    label = exact_str(name) or describe(name, limits=limits, redactor=redactor, budget=budget)
    if redactor.hides(label):
        text = REDACTED
    elif is_a(value, str):
        text = encodable(redactor.bounded(exact_str(value), limits.value_chars))
    else:
        text = describe(value, limits=limits, redactor=redactor, budget=budget)
    return Variable(name=encodable(redactor.bounded(label, NAME_CHARS)), value=text)
