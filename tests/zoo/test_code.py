"""Code whose source is not there, is not what ran, or is no file that one may read; and frames that are none of a function."""

from __future__ import annotations

import builtins
import codecs
import collections
import linecache
import os
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

import errormail
from actors.doors import DOORS, by_logging, by_report_exception

SOURCE = """\
def fail():
    animal = "in sight"
    raise LookupError("in the wild")
"""


def function_of(source, filename, **more):
    """Return ``fail`` of *source*, compiled under *filename*: what that file holds is not read."""
    namespace = {"__name__": "wild", **more}
    exec(compile(source, "<wild>", "exec"), namespace)
    fail = namespace["fail"]
    fail.__code__ = fail.__code__.replace(co_filename=filename)  # `compile` refuses some
    return fail


def written(tmp_path, content, name="wild.py"):
    path = tmp_path / name
    path.write_bytes(content)
    return str(path)


def fifo(tmp_path):
    path = str(tmp_path / "wild.py")
    os.mkfifo(path)
    return path


def sparse(tmp_path):
    path = written(tmp_path, b"")
    os.truncate(path, 900_000_000)
    return path


def deleted(tmp_path):
    path = written(tmp_path, SOURCE.encode())
    os.unlink(path)
    return path


def linked_in_a_circle(tmp_path):
    path = tmp_path / "wild.py"
    path.symlink_to(path)
    return str(path)


FILES = {
    "no file": lambda tmp_path: "<string>",
    "stdin": lambda tmp_path: "<stdin>",
    "empty name": lambda tmp_path: "",
    "a name with NUL": lambda tmp_path: "wild\0.py",
    "a name with a surrogate": lambda tmp_path: "wild\ud800.py",
    "a name with line ends": lambda tmp_path: "wild\r\nBcc: evil@example.com\u2028.py",
    "a name with an encoded word": lambda tmp_path: (
        "=?utf-8?q?wild=0D=0ABcc=3A_evil=40example.com?="
    ),
    "a long name": lambda tmp_path: "wild/" * 10_000 + "wild.py",
    "markup": lambda tmp_path: "<script>alert(1)</script>/wild.py",
    "a folder": lambda tmp_path: str(tmp_path),
    "no right to read": lambda tmp_path: "/proc/1/mem",
    "a FIFO": fifo,
    "/dev/zero": lambda tmp_path: "/dev/zero",
    "/dev/stdin": lambda tmp_path: "/dev/stdin",
    "/dev/tty": lambda tmp_path: "/dev/tty",
    "a sparse file of 900 MB": sparse,
    "deleted": deleted,
    "linked in a circle": linked_in_a_circle,
    "binary": lambda tmp_path: written(tmp_path, bytes(range(256)) * 100),
    "NULs": lambda tmp_path: written(tmp_path, SOURCE.encode("utf-16")),
    "wrongly encoded": lambda tmp_path: written(tmp_path, b"# coding: utf-8\n# \xff\xfe\n" * 3),
    "an unknown encoding": lambda tmp_path: written(tmp_path, b"# coding: klingon\n" * 5),
    "an encoding that is none of text": lambda tmp_path: written(tmp_path, b"# coding: zlib\n" * 5),
    "an encoding that takes for ever": lambda tmp_path: written(
        tmp_path, b"# coding: punycode\n" + b"x" * 100_000
    ),
    "fewer lines": lambda tmp_path: written(tmp_path, b"# short"),
    "one long line": lambda tmp_path: written(tmp_path, b"\n\n#" + b"x" * 3_000_000),
    "form feeds": lambda tmp_path: written(tmp_path, b"\x0c\x0b\x1c\n" * 10),
    "changed": lambda tmp_path: written(tmp_path, b"# another\n" * 10),
    "/proc/self/environ": lambda tmp_path: "/proc/self/environ",
}


@pytest.fixture
def read_by_linecache(monkeypatch):
    """Names of the files that `linecache` was asked to read: it reads anything."""
    names = []

    def updatecache(filename, module_globals=None):
        names.append(filename)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(linecache, "updatecache", updatecache)
        yield names


@pytest.mark.skipif(
    sys.gettrace() is not None, reason="the tracer of coverage refuses such names, in the program"
)
@pytest.mark.parametrize("name", list(FILES))
def test_a_file(name, tmp_path, only_mail, read_by_linecache):
    filename = FILES[name](tmp_path)
    by_logging(function_of(SOURCE, filename))
    assert filename not in read_by_linecache
    found = only_mail()
    assert "LookupError: in the wild" in found.text
    assert "evil" not in "".join(map(str, found.message.get_all("Bcc", [])))


@pytest.mark.parametrize("name", ["a FIFO", "/dev/zero", "a sparse file of 900 MB"])
def test_a_file_that_one_may_not_read_in_a_member_of_a_group_and_in_a_cause(
    name, tmp_path, only_mail, read_by_linecache
):
    """Not even to tell whether the failure was reported before."""
    filename = FILES[name](tmp_path)
    fail = function_of(SOURCE, filename)

    def caught():
        try:
            fail()
        except LookupError as error:
            return error

    def fail_around():
        if sys.version_info < (3, 11):
            raise ValueError("around") from caught()
        raise builtins.ExceptionGroup("around", [caught()]) from caught()

    by_logging(fail_around)
    assert filename not in read_by_linecache
    assert "around" in only_mail().text


@pytest.mark.parametrize("name", ["/dev/zero", "a sparse file of 900 MB", "one long line"])
def test_a_file_costs_no_memory(name, tmp_path, only_mail):
    fail = function_of(SOURCE, FILES[name](tmp_path))
    try:
        fail()
    except LookupError as error:
        tracemalloc.start()
        errormail.report_exception(error)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert only_mail().text
    assert peak < 40_000_000


def test_a_file_that_changed_shows_no_wrong_line_as_right(tmp_path, only_mail):
    """What stands there now may be another program's; if it is shown, the mail says that it changed."""
    path = written(tmp_path, SOURCE.encode())
    fail = function_of(SOURCE, path)
    now = "# all of it is new\n" * 20
    Path(path).write_text(now, encoding="utf-8")
    later = os.stat(path).st_mtime + 3600
    os.utime(path, (later, later))
    by_report_exception(fail)
    text = only_mail().text
    assert "all of it is new" not in text or "changed" in text


def test_code_in_a_zip_has_source(tmp_path, only_mail, monkeypatch):
    archive = tmp_path / "wild.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zoo_in_zip.py", SOURCE)
    monkeypatch.syspath_prepend(str(archive))
    import zoo_in_zip

    by_report_exception(zoo_in_zip.fail)
    assert 'raise LookupError("in the wild")' in only_mail().text


class Loader:
    """A loader that is asked for source, and gives what it likes."""

    def __init__(self, source):
        self.source = source

    def get_source(self, name):
        if isinstance(self.source, BaseException):
            raise self.source
        return self.source

    def __getattr__(self, name):
        raise SystemExit


@pytest.mark.parametrize(
    "source",
    [SystemExit(), MemoryError(), 42, b"bytes", "x" * 10_000_000, "\ud800\n" * 5, "\0\n" * 5],
    ids=["SystemExit", "MemoryError", "int", "bytes", "long", "surrogates", "NULs"],
)
def test_a_loader(source, only_mail):
    fail = function_of(SOURCE, "wild.py", __loader__=Loader(source), __spec__=Loader(source))
    by_logging(fail)
    assert "in sight" in only_mail().text


NAMES = [
    "<script>alert(1)</script>",
    "a\r\nBcc: evil@example.com",
    "a\x1b[2J\u202e\u2028b",
    "=?utf-8?q?=0D=0ABcc=3A_evil=40example.com?=",
    "\ud800\udfff",
    "x" * 1_000_000,
    "",
    "&lt;b&gt;</td></table>",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_function_s_name(name, only_mail):
    def fail():
        animal = "in sight"
        raise LookupError(animal)

    named = {"co_name": name}
    if sys.version_info >= (3, 11):
        named["co_qualname"] = name
    fail.__code__ = fail.__code__.replace(**named)
    by_logging(fail)
    found = only_mail()
    assert "in sight" in found.text
    assert found.message["Bcc"] is None


@pytest.mark.parametrize("name", NAMES[:-1], ids=range(len(NAMES) - 1))
def test_a_variable_s_name(name, only_mail):
    """Code may run with any names: those of its namespace."""
    namespace = {"__name__": name, name: "in sight", "other": 1}
    code = compile("raise LookupError(other)", "<wild>", "exec")
    by_logging(lambda: exec(code, namespace))
    assert "in sight" in only_mail().text


class Mapping(collections.abc.MutableMapping):
    """A namespace that misbehaves in *way*."""

    def __init__(self, way):
        self.way = way
        self.stored = {"animal": "in sight"}
        self.quiet = True

    def _act(self):
        if not self.quiet:
            self.way()

    def __getitem__(self, name):
        self._act()
        return self.stored[name]

    def __setitem__(self, name, value):
        self.stored[name] = value

    def __delitem__(self, name):
        del self.stored[name]

    def __iter__(self):
        self._act()
        return iter(self.stored)

    def __len__(self):
        self._act()
        return len(self.stored)

    def items(self):
        self._act()
        return super().items()

    def loud(self):
        self.quiet = False
        return LookupError("in the wild")


def raising(error):
    def way():
        raise error

    return way


class Endless(Mapping):
    def items(self):
        number = 0
        while not self.quiet:
            number += 1
            yield f"name{number}", number


class Odd(Mapping):
    def items(self):
        return [(1, 2), ("animal",), object(), (None, None)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Mapping(raising(SystemExit())),
        lambda: Mapping(raising(KeyboardInterrupt())),
        lambda: Mapping(raising(MemoryError())),
        lambda: Endless(lambda: None),
        lambda: Odd(lambda: None),
    ],
    ids=["SystemExit", "KeyboardInterrupt", "MemoryError", "endless", "odd"],
)
def test_a_namespace(make, only_mail):
    namespace = make()
    code = compile("raise loud()", "<wild>", "exec")
    namespace["loud"] = namespace.loud
    by_logging(lambda: exec(code, {"__name__": "wild"}, namespace))
    assert "in the wild" in only_mail().text


@pytest.mark.skipif(
    sys.gettrace() is not None, reason="the tracer of coverage asks them for __file__"
)
def test_a_module_s_globals(only_mail):
    """What a module says of itself is only what it says."""
    more = {"__name__": 42, "__file__": object(), "__package__": [], "__spec__": 7}
    for door in (by_logging, by_report_exception):
        fail = function_of(SOURCE, "wild.py", **{**more, "__loader__": type})
        door(fail)
        assert "in sight" in only_mail().text
        from errormail import mail

        mail.outbox.clear()


def test_an_eval_and_a_lambda(only_mail):
    by_logging(lambda: eval("(lambda animal: animal.in_sight)(1)"))
    assert "in_sight" in only_mail().text


def test_a_codec_of_the_program_s_own(tmp_path, only_mail):
    """PEP 263 lets a file name its codec, and a program may register one that does anything."""

    def search(name):
        if name == "wildcodec":
            raise SystemExit

    codecs.register(search)
    try:
        path = written(tmp_path, b"# coding: wildcodec\n" * 5)
        by_logging(function_of(SOURCE, path))
    finally:
        codecs.unregister(search)
    assert "in sight" in only_mail().text


@pytest.mark.parametrize("door", list(DOORS))
def test_line_numbers_that_no_file_has(door, only_mail, tmp_path):
    source = "\n" * 100_000 + SOURCE
    fail = function_of(source, written(tmp_path, b"short\n"))
    DOORS[door](fail)
    assert "in sight" in only_mail().text
