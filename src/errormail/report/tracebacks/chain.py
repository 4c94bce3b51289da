"""An exception with all that it came from, and all members of a group: each once, bounded in number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from errormail._contain import contained
from errormail.report.model import CapturedException
from errormail.report.objects import cause_of, members_of, module_of, qualname_of, traceback_of
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.frames import capture_frames
from errormail.report.tracebacks.printed import details_of, message_of, notes_of

__all__ = ["bare_exception", "capture_exception"]


@dataclass(slots=True)
class _State:
    """What has been captured of one report."""

    context: FrameContext
    seen: set[int]
    """Ids of exceptions: they all live as long as the first one does."""
    room: int
    """So many more exceptions may be captured."""


def capture_exception(exc: BaseException, context: FrameContext) -> CapturedException:
    """Return *exc* captured, with its causes and members, each at its first place; at most ``limits.exceptions``."""
    return _capture(exc, _State(context, set(), context.limits.exceptions))


def bare_exception(exc: BaseException) -> CapturedException:
    """Return *exc* with nothing but its type: what is left when capturing it has failed."""
    return CapturedException(type_name=qualname_of(type(exc)), module=_module(exc), message="")


def _capture(exc: BaseException, state: _State) -> CapturedException:
    # Along the chain without recursion, for there the order is: what happened last first.
    links: list[CapturedException] = []
    relations: list[Literal["cause", "context"]] = []
    link: BaseException | None = exc
    cut = ""
    while link is not None:
        if id(link) in state.seen:
            cut = "seen above"
            break
        if state.room <= 0:
            cut = f"chain longer than {state.context.limits.exceptions}"
            break
        links.append(_link(link, state))
        link, relation = cause_of(link)
        relations.append("cause" if relation == "cause" else "context")
    if not links:
        return replace(_heading(exc, state.context), cut=cut)
    # Put together from the end. The last one tells why there are no more.
    captured = replace(links[-1], cut=cut)
    for before, relation in zip(reversed(links[:-1]), reversed(relations[: len(links) - 1])):  # noqa: B905 -- equal
        captured = replace(before, cause=captured, relation=relation)
    return captured


def _link(exc: BaseException, state: _State) -> CapturedException:
    """Return *exc* and its members, without what it came from."""
    state.seen.add(id(exc))
    state.room -= 1
    context = state.context
    captured = _heading(exc, context)
    with contained("notes"):
        captured = replace(captured, notes=notes_of(exc, context))
    with contained("details"):
        captured = replace(captured, details=details_of(exc, context))
    with contained("frames"):
        captured = replace(captured, frames=capture_frames(traceback_of(exc), context))
    with contained("members"):
        found = members_of(exc)
        members = tuple(_member(each, state) for each in found[: context.limits.members])
        kept = tuple(member for member in members if member is not None)
        return replace(captured, members=kept, members_omitted=len(found) - len(kept))
    return captured


def _member(exc: BaseException, state: _State) -> CapturedException | None:
    """Return a member of a group; None where there is no room for it any more."""
    if state.room <= 0 and id(exc) not in state.seen:
        return None
    return _capture(exc, state)


def _heading(exc: BaseException, context: FrameContext) -> CapturedException:
    """Return type and message."""
    captured = bare_exception(exc)
    with contained("message"):
        return replace(captured, message=message_of(exc, context))
    return captured


def _module(exc: BaseException) -> str:
    module = module_of(type(exc))
    return "" if module in {"builtins", "__main__"} else module
