"""
What capturing a failure costs the thread it happens in.

    python benchmarks/report_capture.py [rounds]

An exception raised 20 frames deep over four files, with ten locals a frame of ordinary kinds; the same with giants among
them; a recursion; a group of 50; locals of 100 to 10,000,000 items; tracebacks longer than what is shown. Side by side
in one process, in turns, so that the ratios mean something on any machine; each figure is the median of all rounds, in
time of the processor that the thread has had: on a busy machine the clock is unfair to whoever takes longer.

The peers:
    floor       written by hand: walks the frames and takes one bounded repr of each local (reprlib, bounds as ours).
                No source, no redaction: less cannot show locals.
    traceback   `traceback.TracebackException(capture_locals=True)` of the standard library, source lines included.
    Django      what its AdminEmailHandler does for a record: report as text and as HTML, into a message. Left out where
                Django is not installed.

Warm: source files and names have been seen before in this process. Cold: all caches are emptied before each capture.
"""

from __future__ import annotations

import builtins
import compileall
import gc
import linecache
import logging
import math
import reprlib
import secrets
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import _lru_cache_wrapper
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any, cast

from crash import GIANTS, SLOW, Raise, entry, failure, write_modules

from errormail.report.capture import capture
from errormail.report.limits import DEFAULT_LIMITS
from errormail.report.model import CapturedException, Report
from errormail.report.redact import DEFAULT_REDACTOR, Redactor
from errormail.report.values import registry

KNOWN_VALUES = 30

# The failures


def recursion(frames: int) -> object:
    return 1 // frames if frames <= 1 and not frames - 1 else recursion(frames - 1)


def fails_at(frames: int) -> object:
    total, name = frames, "a name"
    if frames <= 1:
        raise ValueError(name, total)
    return fails_at(frames - 1)


def group_of(members: int, function: Raise) -> BaseException:
    kind: Any = vars(builtins)["BaseExceptionGroup"]  # from Python 3.11 on
    return cast(
        "BaseException",
        kind("several", [failure(function, 7 + each, False) for each in range(members)]),
    )


LONG = "def f{0}(n, bits):\n    if not n:\n        raise ValueError(n)\n    return table[bits[n] % 97](n - 1, bits)\n"


def long_traceback(frames: int) -> BaseException:
    """Frames in an order that does not repeat, so that nothing of them folds."""
    names: dict[str, Any] = {}
    exec("".join(LONG.format(number) for number in range(97)), names)
    names["table"] = [names[f"f{number}"] for number in range(97)]
    order = [number * number * 31 // 7 for number in range(frames + 1)]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, frames + 1_000))
    try:
        return failure(names["f0"], frames - 1, order)
    finally:
        sys.setrecursionlimit(limit)


def with_local(value: object) -> BaseException:
    def fail(items: object) -> None:
        raise ValueError(len(cast("Any", items)))

    return failure(fail, value)


# Who shows them


_FLOOR = reprlib.Repr()
_FLOOR.maxlevel = DEFAULT_LIMITS.depth
_FLOOR.maxstring = _FLOOR.maxother = _FLOOR.maxlong = DEFAULT_LIMITS.value_chars
_FLOOR.maxlist = _FLOOR.maxdict = _FLOOR.maxtuple = _FLOOR.maxset = DEFAULT_LIMITS.items


def floor(exc: BaseException) -> object:
    frames: list[object] = []
    tb = exc.__traceback__
    while tb is not None:
        frame = tb.tb_frame
        shown = {name: _FLOOR.repr(value) for name, value in frame.f_locals.items()}
        frames.append((frame.f_code.co_filename, tb.tb_lineno, frame.f_code.co_name, shown))
        tb = tb.tb_next
    return frames


def standard(exc: BaseException, *, capture_locals: bool = True) -> object:
    return traceback.TracebackException.from_exception(exc, capture_locals=capture_locals)


def standard_bare(exc: BaseException) -> object:
    return standard(exc, capture_locals=False)


def ours(redactor: Redactor) -> Callable[[BaseException], Report]:
    return lambda exc: capture(exc=exc, redactor=redactor, fingerprint="0" * 16, now=0.0)


def django_handler() -> Callable[[BaseException], object] | None:
    try:
        import django
        from django.conf import settings
        from django.core import mail
        from django.utils.log import AdminEmailHandler
    except ImportError:
        return None
    backend = "django.core.mail.backends.locmem.EmailBackend"
    mails = (
        {"MAILERS": {"default": {"BACKEND": backend}}}
        if django.VERSION >= (6, 1)
        else {"EMAIL_BACKEND": backend}
    )
    admins = ["ops@example.com"] if django.VERSION >= (6, 0) else [("Ops", "ops@example.com")]
    settings.configure(ADMINS=admins, SECRET_KEY=secrets.token_hex(), USE_TZ=True, **mails)
    django.setup()
    handler = AdminEmailHandler(include_html=True)

    def report(exc: BaseException) -> None:
        record = logging.LogRecord(
            "shop", logging.ERROR, __file__, 1, "failed", (), (type(exc), exc, exc.__traceback__)
        )
        handler.emit(record)
        mail.outbox.clear()

    report(failure(fails_at, 1))
    return report


# Measuring


def seconds(show: Callable[[BaseException], object], exc: BaseException, repeat: int = 1) -> float:
    began = thread_time()
    for _ in range(repeat):
        show(exc)
    return (thread_time() - began) / repeat


def medians(
    cases: Mapping[str, tuple[Callable[[BaseException], object], BaseException]],
    rounds: int,
    *,
    cold: bool = False,
) -> dict[str, float]:
    """Return what each case takes, in seconds: in turns, so that a busy moment of the machine hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    caches = list(our_caches())
    gc.collect()
    gc.disable()  # in turns, too: whose garbage would it be?
    try:
        for number in range(rounds + 1):
            for name, (show, exc) in cases.items():
                if cold:
                    for clear in caches:
                        clear()
                taken = seconds(show, exc)
                if number or cold:  # the first round warms up
                    times[name].append(taken)
            gc.collect()
    finally:
        gc.enable()
    return {name: median(each) for name, each in times.items()}


def our_caches() -> Iterator[Callable[[], object]]:
    """Everything that is remembered from one capture to the next."""
    yield linecache.clearcache
    yield registry.decided.clear
    for name, module in sorted(sys.modules.items()):
        if name.startswith("errormail."):
            for value in vars(module).values():
                if isinstance(value, _lru_cache_wrapper):
                    yield value.cache_clear


def slope(times: dict[int, float]) -> float:
    """Return how time grows with size, of a line through the logarithms: 0 not at all, 1 in proportion."""
    points = [(math.log(size), math.log(taken)) for size, taken in times.items()]
    x, y = (sum(each) / len(points) for each in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def row(what: str, measured: float, aim: float) -> None:
    verdict = "met" if measured <= aim else "MISSED"
    print(f"{what:72}{measured:9.3f}{aim:9.3f}  {verdict}")


def times_table(title: str, times: dict[str, float]) -> None:
    print(
        f"\n{title}, microseconds: "
        + ", ".join(f"{name} {taken * 1e6:,.0f}" for name, taken in times.items())
    )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    if len(sys.argv) > 2:
        sys.path.insert(0, sys.argv[2])
        measure(rounds)
        return
    # The modules are there before the process that fails is, as those of a program are.
    with tempfile.TemporaryDirectory(prefix="shop-") as directory:
        for name, giants in {"plain": (), "giant": GIANTS, "slow": (*GIANTS, SLOW)}.items():
            write_modules(Path(directory), name, giants)
        compileall.compile_dir(directory, quiet=1)
        time.sleep(0.1)
        subprocess.run([sys.executable, __file__, str(rounds), directory], check=True)


def measure(rounds: int) -> None:
    step = entry("plain")
    plain, giants, slow = (
        failure(step, 7, False),
        failure(entry("giant"), 7, True),
        failure(entry("slow"), 7, True),
    )
    default = ours(DEFAULT_REDACTOR)
    knows = ours(
        DEFAULT_REDACTOR.with_values(secrets.token_urlsafe(8 + n) for n in range(KNOWN_VALUES))
    )
    django = django_handler()
    print(f"{'':72}{'measured':>9}{'aim':>9}")

    for cold in (False, True):
        heat = "cold" if cold else "warm"
        times = medians(
            {
                "floor": (floor, plain),
                "traceback": (standard, plain),
                "errormail": (default, plain),
                f"errormail, {KNOWN_VALUES} known values": (knows, plain),
            },
            rounds,
            cold=cold,
        )
        times_table(f"20 frames of ten locals, {heat}", times)
        row(f"errormail / floor, {heat}", times["errormail"] / times["floor"], 2)
        known = times[f"errormail, {KNOWN_VALUES} known values"]
        row(f"the same knowing {KNOWN_VALUES} values, {heat}", known / times["floor"], 2)
        if django:
            handler = medians(
                {"django": (django, plain), "errormail": (knows, plain)},
                max(rounds // 8, 3),
                cold=cold,
            )
            times_table(f"the handler, {heat}", handler)
            row(
                f"errormail / Django's handler, {heat}",
                handler["errormail"] / handler["django"],
                1 / 50,
            )

    times = medians(
        {"plain": (knows, plain), "giants": (knows, giants), "slow": (knows, slow)}, rounds
    )
    times_table("giants", times)
    row(
        "with a list of 1e6, a string of 5 MB, a dict of 1e5 / without",
        times["giants"] / times["plain"],
        1.6,
    )
    row(
        "and a repr that takes 2 ms, that time taken off",
        (times["slow"] - 0.002) / times["plain"],
        1.6,
    )
    row("and a repr that takes 2 ms, that time included", times["slow"] / times["plain"], 1.6)

    deep = failure(fails_at, 990) if sys.getrecursionlimit() >= 1_000 else failure(fails_at, 900)
    times = medians(
        {
            "errormail": (default, deep),
            "traceback": (standard, deep),
            "without locals": (standard_bare, deep),
        },
        rounds,
    )
    times_table("recursion of 990 frames", times)
    row("errormail / traceback with locals", times["errormail"] / times["traceback"], 0.5)
    row("errormail / traceback without locals", times["errormail"] / times["without locals"], 0.5)

    if sys.version_info >= (3, 11):
        group = group_of(50, step)
        times = medians(
            {
                "errormail": (default, group),
                "traceback": (standard, group),
                "without locals": (standard_bare, group),
            },
            max(rounds // 4, 3),
        )
        shown = len(cast("CapturedException", default(group).exception).members)
        times_table(f"group of 50, {shown} shown", times)
        row("members of 50 that are not shown", 50 - shown, 0)
        row("errormail / traceback with locals", times["errormail"] / times["traceback"], 4)
        row("errormail / traceback without locals", times["errormail"] / times["without locals"], 4)

    print()
    sizes = [10**power for power in range(2, 8)]
    kinds: dict[str, Callable[[int], object]] = {
        "list": lambda size: [0] * size,
        "str": lambda size: "x" * size,
        "bytes": lambda size: b"x" * size,
    }
    for kind, make in kinds.items():
        cases = {str(size): (default, with_local(make(size))) for size in sizes}
        times = medians(cases, rounds)
        row(
            f"slope in the size of a {kind}, 1e2 to 1e7",
            slope({size: times[str(size)] for size in sizes}),
            0.03,
        )
    sizes = sizes[:-1]
    for kind, make in {
        "dict": lambda size: dict.fromkeys(range(size)),
        "set": lambda size: set(range(size)),
    }.items():
        cases = {str(size): (default, with_local(make(size))) for size in sizes}
        times = medians(cases, rounds)
        row(
            f"slope in the size of a {kind}, 1e2 to 1e6",
            slope({size: times[str(size)] for size in sizes}),
            0.03,
        )

    frames = [100, 300, 1_000, 3_000, 10_000]
    cases = {str(each): (default, long_traceback(each)) for each in frames}
    times = medians(cases, max(rounds // 2, 3))
    times_table("frames that do not fold", times)
    row(
        "slope in frames beyond the bound, 100 to 10,000",
        slope({each: times[str(each)] for each in frames}),
        0.3,
    )


if __name__ == "__main__":
    main()
