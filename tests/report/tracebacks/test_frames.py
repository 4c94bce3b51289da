"""A traceback becomes frames: folded, bounded, with source, positions and the values that matter."""

from __future__ import annotations

import sys
import textwrap
import time
import types
from dataclasses import fields

import pytest

from actors import hostile
from errormail import _contain, sensitive_variables
from errormail.report import decorators
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED, Elision, Frame
from errormail.report.options import CaptureOptions
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.tracebacks import frames, walk
from errormail.report.tracebacks.context import FrameContext
from errormail.report.tracebacks.frames import capture_frames
from errormail.report.tracebacks.source import Sources
from errormail.report.values import Budget

HAS_POSITIONS = sys.version_info >= (3, 11)


def context(limits=DEFAULT_LIMITS, **given):
    """Return a context. Arguments that `CaptureOptions` has go into its options."""
    options = {field.name for field in fields(CaptureOptions)} & set(given)
    return FrameContext(
        **{
            "options": CaptureOptions(limits=limits, **{name: given.pop(name) for name in options}),
            "redactor": DEFAULT_REDACTOR,
            "budget": Budget(10),
            "sources": Sources(100_000, time.time()),
            **given,
        }
    )


def raised(function, *args):
    try:
        function(*args)
    except BaseException as error:
        return error.__traceback__.tb_next
    raise AssertionError("nothing was raised")


def captured(function, *args, limits=DEFAULT_LIMITS, **given):
    return capture_frames(raised(function, *args), context(limits, **given))


def values_of(frame):
    return {variable.name: variable.value for variable in frame.variables}


def module(tmp_path, source, name="shop_views", function="f"):
    """Return *function* of a module in a file of its own."""
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    namespace = {"__name__": name, "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    return namespace[function]


def divide(total, count):
    unused = "unused"  # noqa: F841 -- shown
    return total / count


class Engine:
    def convert(self, amount):
        return divide(amount, 0)


@pytest.mark.row("R3")
def test_frames_stand_outermost_first_with_module_function_file_and_line():
    outer, inner = captured(Engine().convert, 5)
    assert (outer.function, inner.function) == (
        "Engine.convert" if HAS_POSITIONS else "convert",
        "divide",
    )
    assert inner.module == divide.__module__
    assert inner.filename == "tests/report/tracebacks/test_frames.py"
    assert inner.line == "    return total / count"
    assert inner.lineno == divide.__code__.co_firstlineno + 2
    assert inner.in_app


@pytest.mark.row("R4")
def test_the_failing_part_has_its_columns():
    (frame,) = captured(divide, 1, 0)
    if HAS_POSITIONS:
        assert frame.line[frame.colno : frame.end_colno] == "total / count"
        assert frame.end_lineno == frame.lineno
    else:
        assert frame.colno is frame.end_colno is None


@pytest.mark.row("R4")
def test_columns_are_of_characters_not_bytes(tmp_path):
    f = module(tmp_path, "def f():\n\tname = 'ü€'; return 'ü€' + (name / 2)\n")
    (frame,) = captured(f)
    assert frame.line == "    name = 'ü€'; return 'ü€' + (name / 2)"
    if HAS_POSITIONS:
        assert frame.line[frame.colno : frame.end_colno] == "name / 2"


@pytest.mark.row("R4")
def test_an_expression_over_several_lines_has_begin_and_end(tmp_path):
    f = module(tmp_path, "def f(a):\n    return (a +\n        'b'\n    )\n")
    (frame,) = captured(f, 1)
    if HAS_POSITIONS:
        assert (frame.lineno, frame.end_lineno) == (2, 3)
        assert frame.line[frame.colno :] == "a +"
        assert (
            frame.source[frame.end_lineno - frame.first_lineno][: frame.end_colno] == "        'b'"
        )
    assert frame.focus == ("a",)


@pytest.mark.row("R5")
def test_source_around_the_line_is_five_lines_for_the_application_and_one_for_libraries():
    import json

    app, *_, library = captured(lambda: json.loads("{"))
    assert len(app.source) == 11
    assert app.first_lineno == app.lineno - 5
    assert len(library.source) == 3
    assert not library.in_app
    assert library.filename == "json/decoder.py"
    assert library.variables == ()


@pytest.mark.row("R5")
def test_without_source_the_frame_is_there_all_the_same(tmp_path):
    f = module(tmp_path, "def f():\n    1 / 0\n")
    (tmp_path / "shop_views.py").unlink()
    (frame,) = captured(f)
    assert frame.source == ()
    assert frame.line == ""
    assert frame.lineno == 2


@pytest.mark.row("R5")
def test_a_file_that_has_become_shorter_shows_no_line(tmp_path):
    f = module(tmp_path, "\n\n\ndef f():\n    1 / 0\n")
    (tmp_path / "shop_views.py").write_text("x = 1\n")
    (frame,) = captured(f)
    assert frame.source == ()
    assert frame.colno is None


def test_long_source_lines_are_cut(tmp_path):
    f = module(tmp_path, f"def f():\n    1 / 0; x = '{'x' * 10_000}'\n")
    (frame,) = captured(f)
    assert len(frame.line) == DEFAULT_LIMITS.source_line_chars


def test_secrets_in_source_are_hidden_and_columns_move(tmp_path):
    f = module(
        tmp_path,
        "def f(connect):\n    return connect(password='hunter2hunter2', x=1) / connect(password='')\n",
    )
    (frame,) = captured(f, lambda **_: "a")
    assert frame.line == f"    return connect(password='{REDACTED}', x=1) / connect(password='')"
    if HAS_POSITIONS:
        assert frame.line[frame.colno : frame.end_colno] == frame.line.partition("return ")[2]


# Locals


@pytest.mark.row("R6")
def test_locals_on_the_failing_line_come_first():
    (frame,) = captured(divide, 1, 0)
    assert [variable.name for variable in frame.variables] == ["total", "count", "unused"]
    assert frame.focus == ("total", "count")
    assert values_of(frame) == {"total": "1", "count": "0", "unused": "'unused'"}


def test_the_failing_part_decides_what_is_in_focus(tmp_path):
    f = module(tmp_path, "def f(a, b, c):\n    d = a.real; return b if a else c / b\n")
    (frame,) = captured(f, 0, 0, 5)
    assert frame.focus == (("c", "b") if HAS_POSITIONS else ("d", "a", "b", "c"))
    assert [variable.name for variable in frame.variables][:2] == list(frame.focus)[:2]


def test_generated_code_has_no_locals():
    def f():
        scope = {f"name_{index}": index for index in range(100)}
        exec(
            "\n".join(f"{name} = {value}" for name, value in scope.items()) + "\n1 / 0",
            {"__name__": "shop"},
            {},
        )

    tb = raised(f).tb_next
    code = tb.tb_frame.f_code
    assert code.co_filename == "<string>"
    (frame,) = capture_frames(tb, context())
    assert frame.variables == ()  # generated code is nobody's


@pytest.mark.row("R6")
def test_locals_are_bounded_in_number(tmp_path):
    lines = "".join(f"    name_{index} = {index}\n" for index in range(20))
    f = module(tmp_path, f"def f():\n{lines}    return 1 / 0\n")
    (frame,) = captured(f, limits=Limits(variables=5))
    assert len(frame.variables) == 5
    assert frame.omitted == 15


@pytest.mark.row("X1")
def test_locals_are_hidden_by_name():
    def login(user, password, api_key):
        return user / 2

    (frame,) = captured(login, "bob", "hunter2", object())
    assert values_of(frame) == {"user": "'bob'", "password": REDACTED, "api_key": REDACTED}


def test_declared_variables_are_hidden():
    @sensitive_variables("note")
    def transfer(note, amount):
        return amount / 0

    values = values_of(captured(transfer, "my note", 5)[-1])
    assert values == {"note": REDACTED, "amount": "5"}
    assert values_of(captured(transfer, "my note", 5, declared=False)[-1])["note"] == "'my note'"


def test_without_names_all_variables_are_hidden():
    @sensitive_variables()
    def transfer(note, amount):
        return amount / 0

    assert set(values_of(captured(transfer, "my note", 5)[-1]).values()) == {REDACTED}


def test_what_cannot_be_decided_is_hidden(monkeypatch):
    def fail(*args):
        raise KeyError

    monkeypatch.setattr(decorators, "hidden_variables", fail)
    assert set(values_of(captured(divide, 1, 0)[-1]).values()) == {REDACTED}


def test_a_filter_may_give_the_variables():
    (frame,) = captured(
        divide, 1, 0, frame_variables=lambda frame: [("total", "***"), ("password", "x"), (7, 8)]
    )
    assert values_of(frame) == {"total": "'***'", "password": REDACTED}


def test_a_filter_that_fails_shows_no_variables():
    def fail(frame):
        raise SystemExit

    (frame,) = captured(divide, 1, 0, frame_variables=fail)
    assert frame.variables == ()
    assert frame.line


def test_of_a_module_only_what_it_computed_is_shown(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(
        "from __future__ import annotations\nimport os\nimport sys\ndef f(): pass\nclass A: pass\ntotal = 5\n_private = 6\ntotal / sys\n"
    )

    def run():
        exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__"})

    frame = captured(run)[-1]
    assert [variable.name for variable in frame.variables] == ["total", "sys", "_private"]


def test_what_is_imported_is_no_variable_unless_the_line_has_it():
    def fail(count):
        import json  # noqa: F401 -- not named on the line
        import math

        return count / math

    frame = captured(fail, 5)[-1]
    assert [variable.name for variable in frame.variables] == ["count", "math"]


def test_machinery_is_no_variable():
    def f():
        __tracebackhide__ = False
        return list(item / 0 for item in [1])  # noqa: C400 -- its frame has a variable of the machine

    names = [variable.name for frame in captured(f) for variable in frame.variables]
    assert not [name for name in names if name.startswith((".", "@", "__"))]
    assert "item" in names


def test_code_with_a_mapping_of_its_own_for_locals():
    class Mapping(dict):
        def items(self):
            raise SystemExit

        def __getitem__(self, name):
            return dict.__getitem__(self, name)

    def run():
        exec(compile("a = 1\na / 0", __file__, "exec"), {"__name__": "shop"}, Mapping())

    frame = captured(run)[-1]
    assert frame.variables == ()


# Hidden, folded, bounded


@pytest.mark.row("R6")
@pytest.mark.parametrize("mark", walk.HIDE_MARKS)
def test_a_true_mark_takes_a_frame_out(tmp_path, mark):
    source = f"def f(g, value):\n    {mark} = value\n    g(1, 0)\n"
    f = module(tmp_path, source)
    assert [frame.function for frame in captured(f, divide, True)] == ["divide"]
    assert [frame.function for frame in captured(f, divide, 1)] == ["f", "divide"]
    assert [frame.function for frame in captured(f, divide, hostile.Raises(SystemExit()))] == [
        "f",
        "divide",
    ]


def test_if_all_frames_are_hidden_the_one_that_raised_is_shown():
    def f():
        __traceback_hide__ = True
        return 1 / 0

    assert [frame.lineno for frame in captured(f)] == [f.__code__.co_firstlineno + 2]


def recurse():
    recurse()


def test_recursion_is_folded():
    first, elision, *rest = captured(recurse)
    assert isinstance(first, Frame)
    assert isinstance(elision, Elision)
    assert elision.text == f"the frame above, {elision.frames:,} times more"
    assert elision.frames > 500
    assert len(rest) <= 3


def ping(depth):
    if not depth:
        raise KeyError
    pong(depth - 1)


def pong(depth):
    ping(depth)


def test_recursion_over_several_functions_is_folded():
    found = captured(ping, 100)
    assert [getattr(each, "function", "...") for each in found] == ["ping", "pong", "...", "ping"]
    assert found[2] == Elision(frames=198, text="the 2 frames above, 99 times more")


def test_short_repetition_is_shown_as_it_is():
    assert all(isinstance(frame, Frame) for frame in captured(ping, 1))


def entries(text):
    """Return entries of a traceback, one a letter: the same letter is the same place."""
    codes = {letter: (lambda: 0).__code__.replace(co_name=letter) for letter in sorted(set(text))}
    return [
        walk.Entry(types.SimpleNamespace(f_code=codes[letter]), 1, 0, position)
        for position, letter in enumerate(text)
    ]


def as_text(folded):
    return " ".join(
        each.text if isinstance(each, Elision) else each.frame.f_code.co_name for each in folded
    )


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("AAAAB", "A the frame above, 3 times more B"),
        ("AAAB", "A A A B"),
        ("ABABABC", "A B the 2 frames above, 2 times more C"),
        ("ABCABC", "A B C the 3 frames above, once more"),
        ("AABAABAABC", "A A B the 3 frames above, 2 times more C"),
        (
            "XABABABABYABABAB",
            "X A B the 2 frames above, 3 times more Y A B the 2 frames above, 2 times more",
        ),
    ],
)
def test_what_repeats_is_folded(text, folded):
    assert as_text(walk.folded(entries(text))) == folded


def test_no_frame_is_lost_in_folding():
    for text in ("ABABABABC" * 7, "AAAA" * 50, "ABCABDABE" * 9, "AABAAB" * 30):
        count = sum(
            each.frames if isinstance(each, Elision) else 1 for each in walk.folded(entries(text))
        )
        assert count == len(text)


def test_more_frames_than_the_bound_leave_the_outermost_and_innermost():
    found = walk.bounded(entries("ABCDEFGHIJ"), 4)
    assert as_text(found) == "A B 6 frames not shown I J"
    found = walk.bounded(walk.folded(entries("ABCDDDDDDEFGHIJ")), 4)
    assert as_text(found) == "A B 11 frames not shown I J"


def test_folding_is_linear_in_the_frames(monkeypatch):
    compared = []
    same = walk.Entry.is_same_place
    monkeypatch.setattr(
        walk.Entry, "is_same_place", lambda *args: compared.append(1) or same(*args)
    )
    walk.folded(entries("ABCDEFGHIJKLMNOABCDEFGHIJKLMNX" * 500))
    assert len(compared) < 15_000 * 20


def test_of_a_million_frames_only_so_many_are_looked_at():
    class Entry:
        tb_lineno = 5
        tb_lasti = 0
        tb_next = None

        def __init__(self, frame):
            self.tb_frame = frame

    frame = sys._getframe()
    first = entry = Entry(frame)
    for _ in range(1_000_000):
        entry.tb_next = Entry(frame)
        entry = entry.tb_next
    walked = walk.walk(first, 1_000)
    assert len(walked) == 1_001
    assert walked[500] == Elision(frames=999_001, text="999,001 frames not shown")
    found = capture_frames(first, context())
    assert len(found) <= DEFAULT_LIMITS.frames
    assert sum(each.frames if isinstance(each, Elision) else 1 for each in found) == 1_000_001


def test_the_innermost_frames_get_the_time_first():
    class Clock:
        now = 0

        def __call__(self):
            self.now += 1
            return self.now

    class Slow:
        def __repr__(self):
            return "<slow>"

    def outer(a):
        inner(Slow())

    def inner(a):
        return 1 / 0

    first, last = captured(outer, Slow(), budget=Budget(1, Clock()))
    assert values_of(last)["a"] == "<slow>"
    assert values_of(first)["a"] != "<slow>"


def test_no_traceback_gives_no_frames():
    assert capture_frames(None, context()) == ()


def test_a_frame_that_fails_is_shown_bare(monkeypatch):
    def fail(*args):
        raise KeyError

    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(frames, "variables_of_frame", fail)
    (frame,) = captured(divide, 1, 0)
    assert (frame.function, frame.source, frame.variables) == ("divide", (), ())


def test_odd_names_of_code_are_encodable(tmp_path):
    code = compile("def f():\n    1 / 0\n", str(tmp_path / "a\udcff.py"), "exec")
    namespace = {"__name__": "\ud800"}
    exec(code, namespace)
    function = namespace["f"]
    function.__code__ = function.__code__.replace(co_name="\ud800" + "x" * 10_000)
    (frame,) = captured(function)
    for text in (frame.module, frame.function, frame.filename):
        assert text.encode()
    assert len(frame.function) < 1_000


# Which code is the application's, what is said of its source, and where it can be read.


def test_in_app_makes_library_code_the_applications():
    import json

    def load():
        json.loads("{")

    assert [frame.in_app for frame in captured(load)] == [True, False, False, False]
    frames = captured(load, in_app=("json", "!tests"))
    assert [frame.in_app for frame in frames] == [False, True, True, True]
    assert "s" in values_of(frames[1])
    assert len(frames[1].source) > 3
    assert frames[0].variables == ()


def test_missing_source_is_said(tmp_path):
    f = module(tmp_path, "def f():\n    1 / 0\n", name="shop_gone")
    (tmp_path / "shop_gone.py").unlink()
    (frame,) = captured(f)
    assert frame.note == "source not available: there is no such file"
    assert captured(divide, 1, 0)[0].note == ""


def test_source_that_has_changed_is_said_and_has_no_columns(tmp_path):
    f = module(tmp_path, "def f():\n    return 1 / 0\n", name="shop_edited")
    path = tmp_path / "shop_edited.py"
    path.write_text("import os\n" + path.read_text())
    (frame,) = captured(f, sources=Sources(100_000, 1.0))
    assert frame.note == "changed since it was loaded"
    assert (frame.colno, frame.end_colno) == (None, None)
    assert frame.line == "def f():"


def test_an_application_frame_has_a_link_and_a_library_frame_has_none(tmp_path):
    import json

    template = "https://git.example.com/{release}/{path}#{line}"
    frames = captured(lambda: json.loads("{"), source_url=template, release="v 1")
    assert frames[0].url == (
        f"https://git.example.com/v%201/tests/report/tracebacks/test_frames.py#{frames[0].lineno}"
    )
    assert {frame.url for frame in frames[1:]} == {""}
    assert captured(divide, 1, 0, source_url=template)[0].url == ""  # no release
    assert captured(divide, 1, 0)[0].url == ""


def test_a_mark_that_is_not_true_hides_nothing(tmp_path):
    for value in ("1", "'yes'", "[1]", "object()"):
        f = module(tmp_path, f"def f():\n    __tracebackhide__ = {value}\n    1 / 0\n")
        assert captured(f)
