"""Which values of a frame a reader sees: its locals, those that the failing line names first, and their attributes there."""

from __future__ import annotations
import __future__

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType, ModuleType

from errormail.report.model import REDACTED, Variable
from errormail.report.objects import encodable, exact_str, is_a, mro_of, qualname_of, stored
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.positions import Expression, Names

__all__ = ["NO_VARIABLES", "Variables", "locals_of", "variables_of_frame"]

NAME_CHARS = 200
ATTRIBUTES = 10
"""Expressions with attributes that are looked up in one frame."""
LOCALS = 10_000
"""Names of a frame that are looked at."""

_FEATURE: type = type(__future__.annotations)
"""What ``from __future__ import annotations`` leaves behind in a module."""
_CODE = (ModuleType, type, FunctionType, MethodType, BuiltinFunctionType)
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Variables:
    """What of a frame's values is shown; the names are those of `Frame`."""

    variables: tuple[Variable, ...] = ()
    focus: tuple[str, ...] = ()
    omitted: int = 0


NO_VARIABLES = Variables()


Hides = Callable[[str], bool]
"""Whether what stands under a name is hidden."""


def _all(name: str) -> bool:
    return True


def _hides(declared: frozenset[str] | None, by_name: Hides) -> Hides:
    """Return what decides on the names of one frame; *declared* are those of a decorator, None: all."""
    if declared is None:
        return _all
    if not declared:
        return by_name
    return lambda name: name in declared or by_name(name)


def variables_of_frame(
    frame: FrameType,
    callers: Sequence[FrameType],
    names: Names,
    context: FrameContext,
    given: Mapping[str, object] | None = None,
) -> Variables:
    """
    Return what is shown of the values in *frame*.

    Args:
        callers: Frames further out, for what a decorator has declared.
        names: Of the failing line; they come first.
        given: In place of the frame's locals: those of the template that it renders.
    """
    bound = context.limits.variables
    if bound <= 0:
        return NO_VARIABLES
    found = dict(given) if given is not None else locals_of(frame, context, names)
    values = context.values
    hides = _hides(_declared(frame, callers, context), values.hides)
    failing = [name for name in names.failing_names if name in found]
    others = [name for name in names.other_names if name in found]
    if failing or others:
        first = {*failing, *others}
        others += [name for name in found if name not in first]
    else:
        others = list(found)
    omitted = len(failing) + len(others) - bound
    if omitted > 0:
        failing = failing[:bound]
        others = others[: bound - len(failing)]
    attributes = _attributes(names.reading, found, hides) if names.reading else {}
    shown = [
        *[(name, found[name], hides(name)) for name in failing],
        *attributes.values(),
        *[(name, found[name], hides(name)) for name in others],
    ]
    texts = values.texts([None if is_secret else value for _, value, is_secret in shown])
    variables = [
        Variable(
            name=name if name.isascii() and len(name) <= NAME_CHARS else _name(name),
            value=REDACTED if is_secret else text,
        )
        for (name, _, is_secret), text in zip(shown, texts)  # noqa: B905 -- equal
    ]
    return Variables(tuple(variables), _focus(names.failing, failing, attributes), max(omitted, 0))


def _name(name: str) -> str:
    return encodable(name[:NAME_CHARS])


def _focus(
    failing: Sequence[Expression],
    names: Sequence[str],
    attributes: Mapping[Expression, tuple[str, object, bool]],
) -> tuple[str, ...]:
    """Return the names that are shown of the failing part, in order of occurrence."""
    found: dict[str, None] = {}
    for each in failing:
        if each.name in names:
            found[each.name] = None
        if each in attributes:
            found[attributes[each][0]] = None
    return tuple(found)


def _attributes(
    expressions: Iterable[Expression], found: Mapping[str, object], hides: Hides
) -> dict[Expression, tuple[str, object, bool]]:
    """Return name, value, and whether it is secret, of the expressions whose attributes are stored in their objects."""
    attributes: dict[Expression, tuple[str, object, bool]] = {}
    names: set[str] = set()
    candidates = (each for each in expressions if each.name in found)
    for expression in islice(candidates, ATTRIBUTES):
        if hides(expression.name):
            continue
        looked_up = _looked_up(expression, found[expression.name], hides)
        if looked_up is None:
            continue
        if (
            looked_up[0] in names
        ):  # `self.rates` of `self.rates.lookup(...)` and of `self.rates.table[...]`
            continue
        names.add(looked_up[0])
        attributes[expression] = looked_up
    return attributes


def _looked_up(
    expression: Expression, value: object, hides: Hides
) -> tuple[str, object, bool] | None:
    """Return as much of *expression* as is stored: of ``self.order.total`` perhaps only ``self.order``."""
    path = [expression.name]
    for attribute in expression.attributes:
        inner = _stored(value, attribute)
        if inner is _MISSING:
            break
        path.append(attribute)
        if hides(attribute):
            return ".".join(path), REDACTED, True
        value = inner
    if len(path) == 1 or is_a(value, *_CODE):
        return None
    return ".".join(path), value, False


def _stored(value: object, name: str) -> object:
    """Return an attribute that is stored in *value*; one with two underscores by the name that its class gave it."""
    found = stored(value, name, _MISSING)
    if found is not _MISSING or not name.startswith("__") or name.endswith("__"):
        return found
    for cls in mro_of(type(value)):
        own = qualname_of(cls).rpartition(".")[2].lstrip("_")
        if (found := stored(value, f"_{own}{name}", _MISSING)) is not _MISSING:
            return found
    return _MISSING


def locals_of(frame: FrameType, context: FrameContext, names: Names) -> dict[str, object]:
    """Return the local variables that a person wrote: nothing that was imported or, in a module, defined, unless the line has it."""
    items: Iterable[tuple[object, object]] = ()
    try:
        if context.options.frame_variables is not None:
            items = list(islice(context.options.frame_variables(frame), LOCALS))
        else:
            items = list(islice(frame.f_locals.items(), LOCALS))
    except BaseException:  # noqa: BLE001 -- a filter of the program's own; a mapping that code is run with
        return {}
    # .0 of a comprehension, @py_assert1 of pytest
    found = {
        name: value
        for key, value in items
        if (name := key if type(key) is str else exact_str(key))
        and name[0] not in ".@"
        and name[:2] != "__"
    }
    is_module = frame.f_code.co_name == "<module>"
    left_out = [
        name
        for name, value in found.items()
        if (cls := type(value)) is ModuleType
        or cls is _FEATURE
        or (is_module and is_a(value, ModuleType, type, FunctionType))
    ]
    for name in left_out:
        on_line = name in names.failing_names or name in names.other_names
        if not on_line or type(found[name]) is _FEATURE:
            del found[name]
    return found


def _declared(
    frame: FrameType, callers: Sequence[FrameType], context: FrameContext
) -> frozenset[str] | None:
    """Return the names that a decorator hides; None: all."""
    if not context.options.declared:
        return frozenset()
    try:
        from errormail.report.declarations import ALL
        from errormail.report.decorators import hidden_variables

        hidden = hidden_variables(frame, callers)
    except Exception:  # noqa: BLE001 -- what cannot be decided is hidden
        return None
    return None if hidden is ALL else hidden or frozenset()
