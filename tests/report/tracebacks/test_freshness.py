"""Source that has changed since it was loaded is said to have, and source that has not is not."""

from __future__ import annotations

import importlib
import importlib.util
import os
import py_compile
import subprocess
import sys
import time

import pytest

from errormail.report.tracebacks import freshness
from errormail.report.tracebacks.source import Sources

SOURCE = """\
RATE = 2


def half(value):
    step = value - RATE
    return 1 / step
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function that imports a module of some text, as an application does."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    names = []

    def load(text=SOURCE, name="shop_rates"):
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        names.append(name)
        return importlib.import_module(name), path

    yield load
    for name in names:
        sys.modules.pop(name, None)


def is_changed(module, since, lineno=6):
    return Sources(100_000, since).is_changed(module.half.__code__, lineno, vars(module))


def rewrite(path, text, seconds=5.0):
    """Write *text* as it is done some time after the module was loaded."""
    path.write_text(text, encoding="utf-8")
    later = path.stat().st_mtime + seconds
    os.utime(path, (later, later))


LONG_AGO = 1.0


def test_a_file_that_is_older_than_the_process_is_fresh_and_nothing_else_is_looked_at(
    load, monkeypatch
):
    module, _ = load()
    monkeypatch.setattr(freshness, "_compiled_from", lambda *_: pytest.fail("looked"))
    assert not is_changed(module, time.time() + 10)


def test_a_file_that_came_after_the_process_and_has_not_changed_is_fresh(load):
    module, _ = load()
    assert not is_changed(module, LONG_AGO)


@pytest.mark.parametrize(
    "text",
    [
        "# a new line\n" + SOURCE,
        SOURCE.replace("1 / step", "10 / step"),
        SOURCE.replace("half", "quarter"),
        "RATE = 2\n",
        "",
    ],
    ids=["line above", "number", "name", "shorter", "empty"],
)
def test_a_file_that_was_edited_has_changed(load, text):
    module, path = load()
    rewrite(path, text)
    assert is_changed(module, LONG_AGO)


@pytest.mark.skipif(
    os.name != "posix", reason="Windows does not tell when a file was put in its place"
)
def test_an_edit_is_seen_where_who_copied_the_file_kept_its_time(load):
    module, path = load()
    year_2001, year_2010 = 1e9, 1.26e9
    path.write_text(SOURCE.replace("1 / step", "10 / step"), encoding="utf-8")
    os.utime(path, (year_2001, year_2001))
    assert is_changed(module, year_2010)


def test_an_edit_is_seen_where_another_process_has_compiled_the_new_file(load):
    module, path = load()
    rewrite(path, SOURCE.replace("1 / step", "3 / step"))
    py_compile.compile(str(path))
    assert is_changed(module, LONG_AGO)


def test_a_file_that_was_written_anew_as_it_was_is_fresh(load):
    module, path = load()
    rewrite(path, SOURCE)
    assert not is_changed(module, LONG_AGO)


def without_bytecode(module):
    os.unlink(importlib.util.cache_from_source(module.__file__))


def test_without_the_compiled_file_a_shifted_or_renamed_line_is_seen(load):
    module, path = load()
    without_bytecode(module)
    assert not is_changed(module, LONG_AGO)
    rewrite(path, "# a new line\n" + SOURCE)
    assert is_changed(module, LONG_AGO)
    rewrite(path, SOURCE.replace("    step", "    # hm\n    step"))
    assert not is_changed(module, LONG_AGO, lineno=7)
    assert is_changed(module, LONG_AGO, lineno=5)
    rewrite(path, SOURCE.replace("return 1 / step", "return other('step')"))
    assert is_changed(module, LONG_AGO)


def test_a_compiled_file_that_is_cut_or_of_another_python_tells_nothing(load):
    module, _ = load()
    path = importlib.util.cache_from_source(module.__file__)
    with open(path, "r+b") as file:
        file.truncate(40)
    assert not is_changed(module, LONG_AGO)
    with open(path, "wb") as file:
        file.write(b"nonsense" * 10)
    assert not is_changed(module, LONG_AGO)
    os.unlink(path)
    os.mkfifo(path)
    assert not is_changed(module, LONG_AGO)


def test_each_kind_of_code_is_known_by_its_first_line(load):
    module, path = load(
        "class Shop:\n"
        "    name = [1 / x for x in (1,)]\n"
        "    @property\n"
        "    def total(self):\n"
        "        return 1\n"
        "    async def rate(self): return 2\n"
        "turn = lambda x: x\n"
    )
    without_bytecode(module)
    functions = [module.Shop.total.fget, module.Shop.rate, module.turn]
    codes = [(each.__code__, each.__code__.co_firstlineno) for each in functions]
    sources = Sources(100_000, LONG_AGO)
    assert not any(sources.is_changed(code, line, vars(module)) for code, line in codes)
    rewrite(path, "\n\n" + path.read_text())
    sources = Sources(100_000, LONG_AGO)
    assert all(sources.is_changed(code, line, vars(module)) for code, line in codes)


def test_code_that_a_loader_of_ones_own_has_changed_is_not_compared_with_the_compiled_file(load):
    module, _ = load()

    class Rewriting:
        pass

    code = module.half.__code__.replace(co_consts=(None, 99))
    known = {**vars(module), "__loader__": Rewriting()}
    assert not Sources(100_000, LONG_AGO).is_changed(code, 6, known)
    assert Sources(100_000, LONG_AGO).is_changed(code, 6, vars(module))


def test_an_answer_is_remembered_until_the_file_is_another_one(load, monkeypatch):
    module, path = load()
    assert not is_changed(module, LONG_AGO)
    asked = []
    real = freshness._compiled_from
    monkeypatch.setattr(freshness, "_compiled_from", lambda *a: asked.append(a) or real(*a))
    assert not is_changed(module, LONG_AGO)
    assert asked == []
    rewrite(path, "# a new line\n" + SOURCE)
    assert is_changed(module, LONG_AGO)
    assert len(asked) == 1


def test_not_all_answers_are_remembered(load, monkeypatch):
    monkeypatch.setattr(freshness, "KNOWN", 3)
    module, _ = load()
    for lineno in range(1, 20):
        is_changed(module, LONG_AGO, lineno)
        assert len(freshness._KNOWN) <= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_is_forked_has_the_code_of_its_parent(load):
    """Its process is younger than the file, its code is not."""
    program = """if True:
        import os, sys, time
        sys.path.insert(0, {folder!r})
        import errormail.report, shop_rates
        from errormail.report.capture import capture
        with open(shop_rates.__file__, "r+") as file:
            text = file.read()
            file.seek(0)
            file.write("# a new line\\n" + text)
        time.sleep(0.05)  # the kernel counts the begin of a process in hundredths of a second
        if os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
        try:
            shop_rates.half(2)
        except ZeroDivisionError as error:
            frame = capture(exc=error, fingerprint="0" * 12, now=1.0).exception.frames[-1]
            os._exit(0 if frame.note == "changed since it was loaded" else 3)
        """
    _, path = load()
    run = subprocess.run(
        [sys.executable, "-c", program.format(folder=str(path.parent))], check=False, timeout=60
    )
    assert run.returncode == 0


def test_what_has_no_file_has_not_changed():
    code = compile("a = 1", "<string>", "exec")
    assert not Sources(100_000, LONG_AGO).is_changed(code, 1, {})
