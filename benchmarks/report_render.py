"""
What it takes to write the text and the HTML of a report, in the worker.

    python benchmarks/report_render.py [rounds]

An exception raised 20 frames deep over four files, ten locals a frame: the report is captured before, only rendering is
timed. Side by side in one process, in turns, so that the ratios mean something on any machine; each figure is the median
of all rounds. Time of the processor: nothing here waits.

The peers:
    traceback   `traceback.TracebackException(capture_locals=True)` and `format()` of the standard library.
    Django      ExceptionReporter: `get_traceback_text()` and `get_traceback_html()`. Left out where Django is not installed.

Both of them capture on the way, since they cannot do one without the other.

Then reports at every limit of a capture, `tests/actors/reports.py`'s: what is not shown shall not cost.
"""

from __future__ import annotations

import compileall
import gc
import secrets
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from crash import entry, failure, write_modules

from actors import reports
from errormail.report.capture import capture
from errormail.report.model import Report
from errormail.report.rendering.html import render_html
from errormail.report.rendering.text import render_text

Case = Callable[[], object]


def peers(exc: BaseException) -> dict[str, Case]:
    def standard() -> str:
        captured = traceback.TracebackException.from_exception(exc, capture_locals=True)
        return "".join(captured.format())

    cases: dict[str, Case] = {"traceback": standard}
    try:
        import django
        from django.conf import settings
        from django.views.debug import ExceptionReporter
    except ImportError:
        return cases
    settings.configure(USE_TZ=True, SECRET_KEY=secrets.token_hex())
    django.setup()

    def reporter() -> ExceptionReporter:
        return ExceptionReporter(None, type(exc), exc, exc.__traceback__, is_email=True)

    cases["Django, text"] = lambda: reporter().get_traceback_text()
    cases["Django, HTML"] = lambda: reporter().get_traceback_html()
    return cases


def ours(report: Report) -> dict[str, Case]:
    told = {"frequency": reports.NEW, "footer": reports.FOOTER}
    return {
        "text": lambda: render_text(report, **told).content,
        "HTML": lambda: render_html(report, **told).content,
        "file": lambda: render_text(report, bound=None).content,
    }


def medians(cases: dict[str, Case], rounds: int) -> dict[str, float]:
    """Return what each case takes, in seconds: in turns, so that a busy moment of the machine hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds + 1):
            for name, case in cases.items():
                began = process_time()
                case()
                if number:  # the first round warms up
                    times[name].append(process_time() - began)
            gc.collect()
    finally:
        gc.enable()
    return {name: median(each) for name, each in times.items()}


def row(what: str, measured: float, aim: float) -> None:
    print(f"{what:60}{measured:9.2f}{aim:9.2f}  {'met' if measured <= aim else 'MISSED'}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory(prefix="shop-") as directory:
        write_modules(Path(directory), "plain", ())
        compileall.compile_dir(directory, quiet=1)
        time.sleep(0.1)
        sys.path.insert(0, directory)
        exc = failure(entry("plain"), 7, False)
        report = capture(exc=exc, fingerprint="0" * 12, now=0.0)
        times = medians({**peers(exc), **ours(report)}, rounds)
    for name, taken in times.items():
        print(f"{name:12}{taken * 1e6:10,.0f} us")
    print(f"\n{'':60}{'measured':>9}{'aim':>9}")
    row("text / traceback with locals", times["text"] / times["traceback"], 1.5)
    row("HTML / traceback with locals", times["HTML"] / times["traceback"], 3)
    for medium in ("text", "HTML"):
        if f"Django, {medium}" in times:
            what = f"{medium}: Django / traceback with locals (for comparison)"
            print(f"{what:60}{times[f'Django, {medium}'] / times['traceback']:9.2f}")
    for name in ("giant", "worst"):
        big = reports.SAMPLES[name]()
        taken = medians(ours(big), max(rounds // 10, 1))
        shown = ", ".join(f"{part} {seconds * 1e3:,.0f} ms" for part, seconds in taken.items())
        print(f"\n{name}, at every limit of a capture: {shown}")


if __name__ == "__main__":
    main()
