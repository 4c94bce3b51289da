"""Application frames become links into the program's repository."""

from __future__ import annotations

import os
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.tracebacks import links, paths
from errormail.report.tracebacks.links import source_link

TEMPLATE = "https://git.example.com/shop/blob/{release}/{path}#L{line}"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository that the program does not run in."""
    (tmp_path / "shop" / "src" / "shop").mkdir(parents=True)
    (tmp_path / "shop" / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    paths._above.cache_clear()
    return tmp_path / "shop"


def link(filename, *, template=TEMPLATE, module="shop.views", lineno=45, release="2026.10.4"):
    return source_link(
        template, filename=str(filename), module=module, lineno=lineno, release=release
    )


def test_path_line_and_release_are_filled_in(project):
    assert link(project / "src/shop/views.py") == (
        "https://git.example.com/shop/blob/2026.10.4/src/shop/views.py#L45"
    )


def test_path_and_release_are_percent_encoded(project):
    assert link(project / "src/a b?ü#.py", release="rel/1 #2") == (
        "https://git.example.com/shop/blob/rel%2F1%20%232/src/a%20b%3F%C3%BC%23.py#L45"
    )


def test_without_a_release_that_is_asked_for_there_is_no_link(project):
    path = project / "src/shop/views.py"
    assert link(path, release="") == ""
    assert link(path, release="..") == ""
    assert link(path, release="", template="https://x/{path}") == "https://x/src/shop/views.py"


def test_without_a_template_or_a_line_there_is_no_link(project):
    assert link(project / "src/shop/views.py", template="") == ""
    assert link(project / "src/shop/views.py", lineno=None) == ""


@pytest.mark.parametrize("path", ["../views.py", "a/../views.py", "./views.py", "/etc/x", "a//b"])
def test_a_path_that_leads_elsewhere_has_no_link(monkeypatch, path):
    monkeypatch.setattr(links, "project_path", lambda _filename, _module: path)
    assert link("views.py") == ""


def test_names_of_placeholders_in_a_path_stay_text(project):
    assert link(project / "{line}.py", template="https://x/{path}") == "https://x/%7Bline%7D.py"


@pytest.mark.parametrize("name", ["<string>", "", "/nowhere/run.py", "C:/shop/run.py"])
def test_what_is_not_in_the_project_has_no_link(project, name):
    assert link(name, module="") == ""


def test_a_path_is_relative_to_the_working_directory_where_there_is_no_repository(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "_above", lambda _folder, _mark: "")
    assert paths.project_path(str(tmp_path / "src/shop/views.py")) == "src/shop/views.py"


def test_a_path_is_relative_to_the_project_file_where_the_program_runs_elsewhere(
    tmp_path, monkeypatch
):
    (tmp_path / "app" / "src").mkdir(parents=True)
    (tmp_path / "app" / "pyproject.toml").touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    paths._above.cache_clear()
    assert paths.project_path(str(tmp_path / "app" / "src" / "views.py")) == "src/views.py"


def test_an_installed_application_is_called_by_its_module(project):
    path = project / ".venv/lib/python3.13/site-packages/shop/views.py"
    assert paths.project_path(str(path), "shop.views") == "shop/views.py"


def test_a_path_without_any_root_is_called_by_its_module(monkeypatch):
    monkeypatch.setattr(paths, "_above", lambda _folder, _mark: "")
    assert paths.project_path("/nowhere/shop/views.py", "shop.views") == "shop/views.py"


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_link_never_leaves_its_place(name, release):
    filename = os.path.join(os.getcwd(), name)
    found = link(filename, release=release)
    if found:
        parsed = urllib.parse.urlsplit(found)
        assert parsed.netloc == "git.example.com"
        assert parsed.path.startswith("/shop/blob/")
        assert not {".", ".."} & set(parsed.path.split("/"))
        assert parsed.fragment == "L45"
        assert found.isascii()
        assert found.isprintable()
