"""
Is a failure one that nobody needs to hear of: by the rules of IGNORE, and by those that hold for every program?

Asked before anything is captured, so it costs microseconds; nothing of the program runs but callables of IGNORE.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Literal, cast
from weakref import WeakKeyDictionary

from errormail._contain import tell_once
from errormail.conf import Settings
from errormail.report.objects import (
    dict_get,
    exact_str,
    is_group,
    members_of,
    module_of,
    mro_of,
    qualname_of,
    stored,
    traceback_of,
    type_name,
)

if TYPE_CHECKING:
    from errormail.reporter import Failure

__all__ = ["Why", "ignored_because", "rules_of"]

Why = Literal["", "exception", "logger", "path", "callable"]
"""What a failure is ignored for; "" if it is not."""

LEAVES = 1_000
"""So many members of a group are looked at; a larger one is reported."""
FRAMES = 200
"""The innermost frames of a traceback: so many are looked at."""

# fmt: off
CONTROL = frozenset({
    ("builtins", "KeyboardInterrupt"), ("builtins", "GeneratorExit"), ("greenlet", "GreenletExit"),
    ("asyncio", "CancelledError"), ("concurrent", "CancelledError"), ("trio", "Cancelled"),
})
"""Something is to end; it has not failed. By package and name of the class: none is imported for it."""

DISCONNECTED = frozenset({
    ("starlette", "ClientDisconnect"), ("starlette", "WebSocketDisconnect"),
    ("werkzeug", "ClientDisconnected"), ("django", "UnreadablePostError"),
    ("uvicorn", "ClientDisconnected"), ("gunicorn", "ClientDisconnected"),
    ("waitress", "ClientDisconnected"), ("gunicorn", "NoMoreData"),
    ("falcon", "WebSocketDisconnected"), ("litestar", "WebSocketDisconnect"),
    ("sanic", "RequestCancelled"),
})
"""The client has gone, in the words of servers and frameworks."""

SERVERS = frozenset({
    "gunicorn", "waitress", "uvicorn", "hypercorn", "daphne", "granian", "cheroot", "meinheld",
    "wsgiref", "socketserver", "http.server", "gevent.pywsgi", "eventlet.wsgi", "paste.httpserver",
    "werkzeug.serving", "werkzeug.wsgi", "werkzeug.formparser", "werkzeug.sansio",
    "aiohttp.web", "tornado.web", "tornado.httpserver", "tornado.http1connection",
    "sanic.server", "sanic.http", "twisted.web", "errormail.wsgi",
})
"""Code that talks with clients, and with nobody else."""

CARRIERS = frozenset({
    "socket", "ssl", "asyncio", "selectors", "io", "_pyio", "contextlib", "anyio", "uvloop",
    "gevent", "eventlet", "greenlet", "tornado.iostream", "aiohttp.http_writer", "aiohttp.streams",
    "aiohttp.base_protocol", "aiohttp.helpers", "h11", "h2", "wsproto",
})
"""Code that servers and clients alike are built upon: it does not tell whose connection it was."""
# fmt: on

_LOST = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)
_LOST_BY_NAME = ("tornado", "StreamClosedError")
_code = cast("Callable[[SystemExit], object]", SystemExit.__dict__["code"].__get__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """IGNORE, sorted by what is looked at."""

    classes: tuple[type, ...] = ()
    names: frozenset[str] = frozenset()
    """Of exceptions, with or without their module, and of loggers."""
    paths: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    callables: tuple[Callable[[Failure], object], ...] = ()
    taken_out: frozenset[str] = frozenset()
    """``"!SystemExit"``: what is ignored in every other program is reported in this one."""


_known: WeakKeyDictionary[Settings, Rules] = WeakKeyDictionary()


def rules_of(settings: Settings) -> Rules:
    """Return the rules of *settings*, sorted when they are first asked for."""
    rules = _known.get(settings)
    if rules is None:
        rules = _known[settings] = _sorted(settings.IGNORE)
    return rules


def _sorted(given: Iterable[object]) -> Rules:
    classes: list[type] = []
    texts: list[str] = []
    patterns: list[re.Pattern[str]] = []
    callables: list[Callable[[Failure], object]] = []
    for rule in given:
        if isinstance(rule, str):
            texts.append(rule.strip())
        elif isinstance(rule, re.Pattern):
            patterns.append(cast("re.Pattern[str]", rule))
        elif isinstance(rule, type):
            classes.append(rule)
        elif callable(rule):
            callables.append(cast("Callable[[Failure], object]", rule))
    return Rules(
        classes=tuple(classes),
        names=frozenset(text for text in texts if text[:1] not in {"!", "/"}),
        paths=tuple(text for text in texts if text.startswith("/")),
        patterns=tuple(patterns),
        callables=tuple(callables),
        taken_out=frozenset(text[1:].strip() for text in texts if text.startswith("!")),
    )


def ignored_because(failure: Failure, rules: Rules, request: Callable[[], object]) -> Why:
    """
    Return what *failure* is ignored for, "" if it is not. Never raises.

    Args:
        request: Gives its request: called only if a rule asks for it.
    """
    if failure.exc is not None and _is_ignored(failure.exc, rules):
        return "exception"
    if failure.record is not None and _is_named(exact_str(failure.record.name), rules.names):
        return "logger"
    if (rules.paths or rules.patterns) and _is_path_ignored(request(), rules):
        return "path"
    if rules.callables and _says_a_callable(failure, rules.callables, request):
        return "callable"
    return ""


# By the exception


def _is_ignored(exc: BaseException, rules: Rules) -> bool:
    """A group is ignored by its own class, or if each of its leaves is."""
    if not is_group(exc):
        return _is_no_fault(exc, rules.taken_out) or _is_listed(type(exc), rules)
    if _is_listed(type(exc), rules):
        return True
    leaves = list(islice(_leaves(exc), LEAVES + 1))
    return 0 < len(leaves) <= LEAVES and all(
        _is_no_fault(leaf, rules.taken_out) or _is_listed(type(leaf), rules) for leaf in leaves
    )


def _leaves(group: BaseException) -> Iterator[BaseException]:
    # By a list, not by recursion: groups can be nested deeper than we may call.
    waiting = [group]
    for _ in range(2 * LEAVES):
        if not waiting:
            return
        exc = waiting.pop()
        if is_group(exc):
            waiting += members_of(exc)
        else:
            yield exc
    yield from waiting


def _is_listed(cls: type, rules: Rules) -> bool:
    # By identity: a metaclass may say what it likes of equality and of subclasses.
    mro = mro_of(cls)
    listed = [*rules.classes, *map(_imported, rules.names)]
    if any(own is each for each in listed for own in mro):
        return True
    return bool(rules.names) and any(
        name in rules.names for own in mro if own is not object for name in _names_of(own)
    )


def _imported(name: str) -> object:
    """Return what a program gets by *name*: requests.ConnectionError is defined in requests.exceptions."""
    module, _, own = name.rpartition(".")
    return stored(sys.modules.get(module), own) if module else None


def _names_of(cls: type) -> Iterator[str]:
    name = qualname_of(cls)
    yield name
    yield name.rpartition(".")[2]  # of a class within another, or within a function
    yield f"{module_of(cls)}.{name}"


def _is_no_fault(exc: BaseException, taken_out: frozenset[str]) -> bool:
    """Return whether *exc* says that something is to end, or that the client has gone."""
    for cls in mro_of(type(exc)):
        known = (module_of(cls).partition(".")[0], qualname_of(cls))
        if known in CONTROL or known in DISCONNECTED:
            return not _is_taken_out(cls, taken_out)
        if cls is SystemExit:
            code: object = _code(cast("SystemExit", exc))
            ends_well = code is None or (type(code) is int and code == 0)
            return ends_well and not _is_taken_out(cls, taken_out)
        if known == _LOST_BY_NAME or any(cls is lost for lost in _LOST):
            return not _is_taken_out(cls, taken_out) and _is_to_a_client(traceback_of(exc))
    return False


def _is_taken_out(cls: type, taken_out: frozenset[str]) -> bool:
    return bool(taken_out) and any(name in taken_out for name in _names_of(cls))


def _is_to_a_client(tb: TracebackType | None) -> bool:
    """
    Return whether the connection was a server's, to its client.

    The innermost frame that is not of what every connection is built upon decides: it is a server's, or that of a
    driver, of an HTTP client, of the program itself, and then the connection is the program's own.
    """
    innermost: deque[str] = deque(maxlen=FRAMES)
    while tb is not None:
        innermost.append(exact_str(dict_get(tb.tb_frame.f_globals, "__name__")))
        tb = tb.tb_next
    for module in reversed(innermost):
        if _is_in(module, SERVERS) or module.startswith("aiohttp.web"):
            return True
        if not _is_in(module, CARRIERS):
            return False
    return False


def _is_in(module: str, names: frozenset[str]) -> bool:
    """Is *module* one of *names*, or below one?"""
    while module:
        if module in names:
            return True
        module = module.rpartition(".")[0]
    return False


# By what else is known


def _is_named(logger: str, names: frozenset[str]) -> bool:
    return bool(names) and _is_in(logger, names)


def _is_path_ignored(request: object, rules: Rules) -> bool:
    path = _path_of(request)
    if not path:
        return False
    return any(fnmatchcase(path, pattern) for pattern in rules.paths) or any(
        pattern.search(path) for pattern in rules.patterns
    )


def _path_of(request: object) -> str:
    """Return the path of a request, decoded; "" where there is none."""
    if request is None:
        return ""
    from errormail.report.request.frameworks import carrier_of
    from errormail.report.request.wire import wire_of

    carrier = carrier_of(request)
    return "" if carrier is None else wire_of(carrier).path


def _says_a_callable(
    failure: Failure, rules: Iterable[Callable[[Failure], object]], request: Callable[[], object]
) -> bool:
    from dataclasses import replace

    asked = replace(failure, request=request())
    return any(_says(rule, asked) for rule in rules)


def _says(rule: Callable[[Failure], object], failure: Failure) -> bool:
    try:
        return bool(rule(failure))
    except BaseException as error:  # noqa: BLE001 -- a foreign callable: one that fails ignores nothing
        name = getattr(rule, "__qualname__", type_name(type(rule)))
        tell_once(f"a callable of IGNORE ({name}) failed with {type_name(type(error))}")
    return False
