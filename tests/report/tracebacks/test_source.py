"""Source lines come from loader or file, and no file hangs or floods the reporter."""

from __future__ import annotations

import importlib
import linecache
import os
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.tracebacks import source
from errormail.report.tracebacks.source import Sources, column_of

BYTES = 100_000


def read_source(filename, module_globals, max_bytes):
    return "\n".join(source.read_source(filename, module_globals, max_bytes).lines)


def lines(sources, filename):
    return sources.source(filename, {}).lines


@pytest.mark.row("R5")
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a = 1\n", "a = 1\n"),
        ("a = 'ü€'\n".encode(), "a = 'ü€'\n"),
        ("# coding: latin-1\na = 'ü'\n".encode("latin-1"), "# coding: latin-1\na = 'ü'\n"),
        ("# coding: cp1252\na = '€'\n".encode("cp1252"), "# coding: cp1252\na = '€'\n"),
        (b"\xef\xbb\xbfa = 1\n", "a = 1\n"),
        (b"a = '\xff'\n", "a = '\ufffd'\n"),
        (b"# coding: nonsense\na = 1\n", "# coding: nonsense\na = 1\n"),
        (b"# coding: rot13\na = 1\n", "# coding: rot13\na = 1\n"),
        (b"# coding: punycode\na = 1\n", "# coding: punycode\na = 1\n"),
    ],
)
def test_a_file_is_read_in_its_declared_encoding(tmp_path, content, text):
    path = tmp_path / "module.py"
    path.write_bytes(content)
    assert read_source(str(path), {}, BYTES) == text


@pytest.mark.row("R5")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_python_ends_them(tmp_path, end):
    path = tmp_path / "module.py"
    path.write_bytes(end.join(["a = 1", "b = '\u2028\x0c'", "c = 3"]).encode())
    assert lines(Sources(BYTES), str(path)) == ["a = 1", "b = '\u2028\x0c'", "c = 3"]


@pytest.mark.row("R5")
def test_a_loader_that_is_not_of_files_is_asked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("zipped_module.py", "a = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "code.zip"))
    module = importlib.import_module("zipped_module")
    monkeypatch.delitem(sys.modules, "zipped_module")
    assert read_source(module.__file__, vars(module), BYTES) == "a = 1\n"
    assert read_source(module.__file__, vars(module), 3) == ""


def test_a_zipped_module_is_read_in_its_declared_encoding(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "latin.zip", "w") as archive:
        text = "# coding: latin-1\na = 'ü'\n"
        archive.writestr("zipped_latin.py", text.encode("latin-1"))
    monkeypatch.syspath_prepend(str(tmp_path / "latin.zip"))
    module = importlib.import_module("zipped_latin")
    monkeypatch.delitem(sys.modules, "zipped_latin")
    assert read_source(module.__file__, vars(module), BYTES) == text
    assert read_source(module.__file__, vars(module), 3) == ""
    assert read_source("/nowhere.py", vars(module), BYTES) == ""


@pytest.mark.parametrize("error", [SystemExit, ImportError, MemoryError])
def test_a_loader_that_fails_leaves_the_file(tmp_path, error):
    class Loader:
        def get_source(self, name):
            raise error

    path = tmp_path / "module.py"
    path.write_text("a = 1\n")
    assert read_source(str(path), {"__loader__": Loader(), "__name__": "x"}, BYTES) == "a = 1\n"


def test_the_loader_of_files_is_not_asked_for_it_reads_anything(tmp_path):
    from importlib.machinery import SourceFileLoader

    class Loader(SourceFileLoader):
        def get_source(self, name):
            raise AssertionError

    assert read_source("nowhere.py", {"__loader__": Loader("x", "nowhere.py")}, BYTES) == ""


@pytest.mark.row("R5")
@pytest.mark.parametrize(
    "name", ["<string>", "<stdin>", "", "nowhere.py", "/nowhere/at/all.py", "a\0b", "<frozen x>"]
)
def test_no_source_is_no_error(name):
    assert read_source(name, {}, BYTES) == ""


def test_frozen_modules_have_their_source_beside_them():
    assert "def " in read_source("<frozen os>", vars(os), 4_000_000)


def test_what_linecache_was_given_is_found(monkeypatch):
    entry = (10, None, ["a = 1\n", "b = 2\n"], "<ipython-1>")
    monkeypatch.setitem(linecache.cache, "<ipython-1>", entry)
    monkeypatch.setitem(linecache.cache, "<lazy>", (lambda: "a",))
    assert lines(Sources(BYTES), "<ipython-1>") == ["a = 1", "b = 2", ""]
    assert read_source("<lazy>", {}, BYTES) == ""


def test_a_fifo_a_device_and_a_folder_are_no_source(tmp_path):
    os.mkfifo(tmp_path / "fifo.py")
    (tmp_path / "link.py").symlink_to(tmp_path / "fifo.py")
    for path in (tmp_path / "fifo.py", tmp_path / "link.py", "/dev/zero", "/dev/stdin", tmp_path):
        assert read_source(str(path), {}, BYTES) == ""


def test_a_fifo_that_takes_the_place_of_a_file_is_no_source(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n")
    status = os.stat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(os, "stat", lambda _: status)
    assert read_source(str(path), {}, BYTES) == ""


def test_a_sparse_file_of_900_mb_is_not_read(tmp_path):
    path = tmp_path / "module.py"
    with path.open("wb") as file:
        file.truncate(900_000_000)
    assert read_source(str(path), {}, 4_000_000) == ""


def test_a_file_that_grows_while_it_is_read_is_not_shown(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n" * 100)
    small = os.stat_result((0o100644, *[0] * 9))
    monkeypatch.setattr(os, "stat", lambda _: small)
    monkeypatch.setattr(os, "fstat", lambda _: small)
    assert read_source(str(path), {}, 50) == ""


def test_a_binary_file_is_no_source(tmp_path):
    path = tmp_path / "module.so"
    path.write_bytes(b"\x7fELF\0\0")
    assert read_source(str(path), {}, BYTES) == ""


def test_a_relative_name_is_looked_for_along_the_path(tmp_path, monkeypatch):
    (tmp_path / "shop.py").write_text("a = 1\n")
    monkeypatch.setattr(sys, "path", [7, str(tmp_path)])
    assert read_source("shop.py", {}, BYTES) == "a = 1\n"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (None, "source not available: there is no such file"),
        (b"a = 1\n" * 100, "source not available: the file is too large"),
        (b"\x7fELF\0\0", "source not available: the file is not text"),
        (b"a = 1\n", ""),
    ],
    ids=["missing", "large", "binary", "fine"],
)
def test_why_there_is_no_source_is_said(tmp_path, content, note):
    path = tmp_path / "module.py"
    if content is not None:
        path.write_bytes(content)
    assert source.read_source(str(path), {}, 100).note == note


def test_of_what_is_no_file_it_is_said_too(tmp_path):
    note = "source not available: it is not an ordinary file"
    assert source.read_source(str(tmp_path), {}, BYTES).note == note
    assert source.read_source("<string>", {}, BYTES).note == "generated code: no source"


def test_the_text_of_a_command_is_that_of_the_main_module_alone(monkeypatch):
    """Python 3.13 and later keep what `python -c` was given as "<string>", which other code is called, too."""
    text = "import shop; shop.sell()\n"
    monkeypatch.setitem(linecache.cache, "<string>", (len(text), None, [text], "<string>"))
    assert source.read_source("<string>", {"__name__": "shop"}, BYTES).lines == []
    assert source.read_source("<string>", {"__name__": "__main__"}, BYTES).lines[0] == text.rstrip()


def test_a_file_that_changes_is_read_again_by_the_next_report(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n")
    first = lines(Sources(BYTES), str(path))
    assert lines(Sources(BYTES), str(path)) is first  # kept in memory
    path.write_text("a = 22\n")
    assert lines(Sources(BYTES), str(path)) == ["a = 22", ""]


def test_a_file_that_became_a_pipe_in_memory_of_the_last_report_is_not_read(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n")
    assert lines(Sources(BYTES), str(path))
    path.unlink()
    os.mkfifo(path)
    assert lines(Sources(BYTES), str(path)) == []


def test_large_files_are_not_kept_in_memory(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n" * 20_000)
    first = lines(Sources(1_000_000), str(path))
    assert len(first) == 20_001
    assert lines(Sources(1_000_000), str(path)) is not first


def test_each_file_is_read_once(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("a = 1\n")
    sources = Sources(BYTES)
    first = lines(sources, str(path))
    path.unlink()
    assert lines(sources, str(path)) is first


@pytest.mark.row("R4")
def test_byte_offsets_become_columns():
    line = "\tprice = 'ü€' + x"
    offset = len("\tprice = 'ü€' + ".encode())
    assert column_of(line, offset) == len("    price = 'ü€' + ")
    assert column_of("abc", 2) == 2
    assert column_of("abc", 99) == 3


@given(st.text(), st.integers(0, 50))
def test_any_line_and_offset_give_a_column(line, offset):
    assert column_of(line, offset) >= 0
