"""
Django's two decorators: what a function, or a request, holds that no report may show.

`sensitive_variables` writes the names into the function's own code object, as a further constant: the frames of a
traceback lead to it, it costs a call nothing, and the function stays what it was (signature, coroutine or generator,
picklable by name). A copy of the code object is made for that, since closures share theirs.

`sensitive_post_parameters` writes the names into the request at hand, where it is kept for all layers: Django's
attribute, the WSGI environ, the ASGI scope.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial, partialmethod, wraps
from itertools import chain
from types import CodeType, FrameType, FunctionType, MethodType
from typing import TYPE_CHECKING, TypeVar, cast

from errormail.report.declarations import (
    ALL,
    DJANGO_ALL,
    DJANGO_PARAMETERS,
    PARAMETERS_KEY,
    declared_parameters,
)

if TYPE_CHECKING:
    from errormail.report.request.frameworks import Carrier

__all__ = [
    "hidden_variables",
    "sensitive_post_parameters",
    "sensitive_variables",
]

CALLERS = 20_000
"""So many callers of a frame are asked whether they are decorated; what lies deeper is hidden as a whole."""
WRAPPED = 50
"""So many decorators around a function are opened."""

# Programs that come from Django may have decorated with its own, and go on to.
_DJANGO = "django.views.decorators.debug"

_METHODS = (
    staticmethod,
    classmethod,
    partialmethod,
    property,
)  # not callable, or not in Python 3.10

F = TypeVar("F")


class _Hidden:
    """The constant in a code object that says which of its variables are hidden."""

    __slots__ = ("names",)

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names


_is_used = False  # until a function is decorated, no frame needs to be looked at


def sensitive_variables(*variables: str) -> Callable[[F], F]:
    """
    Return a decorator that hides local variables of a function in reports: *variables*, or all if none is given.

    Also hidden are variables of these names in the functions that it calls. The names stay visible. Functions and
    methods of every kind can be decorated, above or below other decorators; the same object comes back.

    Raises:
        TypeError: It is used without parentheses, or on something that cannot be called.
    """
    names = _names("sensitive_variables", variables)

    def decorate(function: F) -> F:
        global _is_used
        if not _can_be_decorated(function):
            raise TypeError(f"sensitive_variables() decorates functions, not {function!r:.100}")
        _is_used = True
        for own in _functions(function):
            own.__code__ = _marked(own.__code__, names)
        return function

    return decorate


def sensitive_post_parameters(*parameters: str) -> Callable[[F], F]:
    """
    Return a decorator for views that hides form fields in reports on their request: *parameters*, or all if none is given.

    The view is a callable, sync or async, whose first or second argument (methods) is a request of one of the kinds
    that `errormail.report.request` understands; a Flask view need not take it. Also fields of a JSON body are hidden.

    Raises:
        TypeError: It is used without parentheses; when the view is called: there is no request.
    """
    names = _names("sensitive_post_parameters", parameters)

    def decorate(view: F) -> F:
        if isinstance(view, staticmethod):
            return cast("F", staticmethod(_declaring(_function(cast("object", view)), names)))
        if isinstance(view, classmethod):
            return cast("F", classmethod(_declaring(_function(cast("object", view)), names)))
        if not callable(view):
            raise TypeError(f"sensitive_post_parameters() decorates views, not {view!r:.100}")
        return cast("F", _declaring(view, names))

    return decorate


def hidden_variables(frame: FrameType, callers: Iterable[FrameType] = ()) -> frozenset[str] | None:
    """
    Return the names of the variables of *frame* that a decorator hides, `ALL`, or None if there are none.

    Those that a caller's decorator hides count too, as in Django (there the nearest counts, here all do).

    Args:
        callers: Frames further out in the same traceback. Python 3.10 to 3.12 forget who awaited a finished coroutine.
    """
    if frame.f_globals is _GLOBALS:
        return ALL  # the arguments of a view, on their way through our wrapper
    if not _is_used and _DJANGO not in sys.modules:
        return None
    hidden: set[str] = set()
    for each in chain(_with_callers(frame), callers):
        names = ALL if each is None else _declared(each)
        if names is ALL:
            return ALL
        if names:
            hidden |= names
    return frozenset(hidden) or None


def _names(decorator: str, names: tuple[str, ...]) -> frozenset[str]:
    if not all(isinstance(name, str) for name in cast("tuple[object, ...]", names)):
        raise TypeError(
            f"{decorator}() takes names, as in @{decorator}('password'), or nothing, as in @{decorator}(): "
            f"the parentheses are needed, and {names[0]!r:.100} is no name"
        )
    return frozenset(names) or ALL


def _can_be_decorated(value: object) -> bool:
    return not isinstance(value, type) and (callable(value) or isinstance(value, _METHODS))


def _functions(value: object) -> Iterator[FunctionType]:
    """Yield the Python functions in *value*, outermost first: what its decorators, bindings and wrappers stand around."""
    seen: list[object] = []
    while value is not None and len(seen) < WRAPPED and not any(value is each for each in seen):
        seen.append(value)
        if isinstance(value, FunctionType):
            yield value
        value = _inner(value)


def _inner(value: object) -> object | None:
    if isinstance(value, (MethodType, staticmethod, classmethod)):
        return cast("object", value.__func__)  # pyright: ignore[reportUnknownMemberType]
    if isinstance(value, (partial, partialmethod)):
        return cast("object", value.func)  # pyright: ignore[reportUnknownMemberType]
    if isinstance(value, property):
        return value.fget
    inner = getattr(value, "__wrapped__", None)
    if inner is None and not isinstance(value, FunctionType):
        inner = getattr(type(value), "__call__", None)  # noqa: B004 -- the function is wanted, not the answer
    return cast("object | None", inner)


def _marked(code: CodeType, names: frozenset[str]) -> CodeType:
    """Return a copy of *code* that says that *names* are hidden too; *code* itself if it says so already."""
    known = _marks(code)
    if known is ALL or (known is not None and names is not ALL and names <= known):
        return code
    if known is None:
        return code.replace(co_consts=(*code.co_consts, _Hidden(names)))
    more = ALL if names is ALL else names | known
    return code.replace(co_consts=(*code.co_consts[:-1], _Hidden(more)))


def _marks(code: CodeType) -> frozenset[str] | None:
    constants = code.co_consts
    last: object = constants[-1] if constants else None
    return last.names if type(last) is _Hidden else None


def _declared(frame: FrameType) -> frozenset[str] | None:
    return _marks(frame.f_code) or (_djangos(frame) if _DJANGO in sys.modules else None)


def _with_callers(frame: FrameType) -> Iterator[FrameType | None]:
    """Yield *frame*, who called it, and so on; None where the walk was given up."""
    own: FrameType | None = frame
    for _ in range(CALLERS):
        if own is None:
            return
        yield own
        own = own.f_back
    yield None


def _djangos(frame: FrameType) -> frozenset[str] | None:
    """Django marks the frame of its wrapper; coroutine functions are in a dict, by file and line."""
    code = frame.f_code
    try:
        if code.co_name == "sensitive_variables_wrapper":
            wrapper = frame.f_locals.get("sensitive_variables_wrapper")
            return _of_django(getattr(wrapper, "sensitive_variables", None))
        if code.co_flags & 0x80:  # inspect.CO_COROUTINE
            known = sys.modules[_DJANGO].coroutine_functions_to_sensitive_variables
            return _of_django(known.get(hash(f"{code.co_filename}:{code.co_firstlineno}")))
    except Exception:  # noqa: BLE001, S110 -- another version of Django keeps it elsewhere
        pass
    return None


def _of_django(names: object) -> frozenset[str] | None:
    if names == DJANGO_ALL:
        return ALL
    return frozenset(cast("Iterable[str]", names)) if isinstance(names, (list, tuple)) else None


def _declaring(view: Callable[..., object], names: frozenset[str]) -> Callable[..., object]:
    """Return *view* in a function of its kind that declares *names* in the request before it calls."""

    @wraps(view)
    async def async_view(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True  # reports leave such a frame out
        _declare(view, args, kwargs, names)
        return await cast("Awaitable[object]", view(*args, **kwargs))

    @wraps(view)
    def sync_view(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True
        _declare(view, args, kwargs, names)
        return view(*args, **kwargs)

    return async_view if _is_coroutine_function(view) else sync_view


def _function(method: object) -> Callable[..., object]:
    return cast("Callable[..., object]", _inner(method))


def _is_coroutine_function(view: object) -> bool:
    from inspect import iscoroutinefunction  # not needed by programs that do not decorate

    return (
        iscoroutinefunction(view)
        or iscoroutinefunction(getattr(type(view), "__call__", None))  # noqa: B004 -- its kind is asked for
        # asgiref's and asyncio's mark on a function that is none
        or getattr(view, "_is_coroutine", None) is not None
    )


def _declare(
    view: object, args: tuple[object, ...], kwargs: dict[str, object], names: frozenset[str]
) -> None:
    from errormail.report.request.frameworks import carrier_of, current_request

    # FastAPI calls by keyword.
    for given in (*args[:2], *kwargs.values()):
        carrier = carrier_of(given)
        if carrier is not None:
            return _declare_in(carrier, names)
    carrier = carrier_of(current_request())
    if carrier is None:
        name = getattr(view, "__qualname__", type(view).__qualname__)
        raise TypeError(
            f"sensitive_post_parameters() decorates {name}(), which was called without a request: "
            "it must be the first argument, or the second of a method"
        )
    return _declare_in(carrier, names)


def _declare_in(carrier: Carrier, names: frozenset[str]) -> None:
    from errormail.report.request.frameworks import comes_from

    told = {DJANGO_ALL} if names is ALL else names
    for place in (carrier.environ, carrier.scope, carrier.state):
        if place is not None:
            cast("dict[str, set[str]]", place).setdefault(PARAMETERS_KEY, set()).update(told)
    known = declared_parameters(carrier) or names
    for each in carrier.objects:
        if comes_from(
            each, "django.http", "HttpRequest"
        ):  # so that Django's own reports hide it as well
            value = DJANGO_ALL if known is ALL else tuple(sorted(known))
            setattr(each, DJANGO_PARAMETERS, value)


_GLOBALS = globals()
