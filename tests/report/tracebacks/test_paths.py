"""Which code is the application's, and the names that its files have in a report."""

from __future__ import annotations

import json
import os
import sys
import types

import flask
import pytest

import errormail
from errormail.report.tracebacks.paths import PATH_CHARS, code_module, display_name, is_app_code


@pytest.mark.parametrize(
    "filename",
    [
        json.__file__,
        flask.__file__,
        errormail.__file__,
        os.path.join(os.path.dirname(sys.executable), "gunicorn"),
        "/usr/lib/python3/dist-packages/yaml/__init__.py",
        "/usr/lib/python311.zip/json/__init__.py",
        "/srv/eggs/thing.egg/thing.py",
        "<string>",
        "<frozen runpy>",
        "<attrs generated init shop.Order>",
        "",
    ],
)
def test_libraries_and_generated_code_are_not_the_applications(filename):
    assert not is_app_code(filename, "some.module")


@pytest.mark.parametrize(
    "filename", ["/app/shop/views.py", "shop/views.py", __file__, "/app/app.pyz/__main__.py"]
)
def test_other_files_are(filename):
    assert is_app_code(filename, "shop.views")


def test_what_was_typed_is_the_applications():
    assert is_app_code("<stdin>", "__main__")
    assert not is_app_code("<frozen runpy>", "__main__")


SITE = "/venv/lib/python3.13/site-packages"


@pytest.mark.parametrize(
    ("in_app", "filename", "module", "is_own"),
    [
        (["shop"], f"{SITE}/shop/views.py", "shop.views", True),
        (["shop"], f"{SITE}/shop/__init__.py", "shop", True),
        (["shop"], f"{SITE}/shopping/views.py", "shopping.views", False),
        (["shop.views"], f"{SITE}/shop/orders.py", "shop.orders", False),
        (["!shop.vendored"], "/app/shop/vendored/yaml.py", "shop.vendored.yaml", False),
        (["!shop.vendored"], "/app/shop/views.py", "shop.views", True),
        (["/srv/plugins"], "/srv/plugins/site-packages/x.py", "x", True),
        (["/srv/plugins/"], "/srv/plugins/../plugins/site-packages/x.py", "x", True),
        (["/srv/plug"], "/srv/plugins/site-packages/x.py", "x", False),
        (["!/app/vendored"], "/app/vendored/yaml.py", "yaml", False),
        (["! /app/vendored"], "/app/vendored/yaml.py", "yaml", False),
        (["shop", "!shop.vendored"], f"{SITE}/shop/vendored/yaml.py", "shop.vendored.yaml", False),
        (["!shop.vendored", "shop"], f"{SITE}/shop/vendored/yaml.py", "shop.vendored.yaml", True),
        (["shop", f"!{SITE}"], f"{SITE}/shop/views.py", "shop.views", False),
        (["other"], "/app/shop/views.py", "shop.views", True),
        (["!", ""], "/app/shop/views.py", "shop.views", True),
        (["shop"], "<string>", "shop.order", False),
    ],
)
def test_in_app_decides_by_module_and_folder_and_the_last_that_fits_counts(
    in_app, filename, module, is_own
):
    assert is_app_code(filename, module, tuple(in_app)) is is_own


def test_a_folder_may_be_relative_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "plugins" / "site-packages" / "x.py"
    assert is_app_code(str(path), "x", ("./plugins",))


def test_a_module_that_is_run_has_the_name_that_it_was_started_by():
    spec = types.SimpleNamespace(name="shop.web")
    assert code_module({"__name__": "__main__", "__spec__": spec}) == "shop.web"
    assert code_module({"__name__": "__main__", "__spec__": None}) == "__main__"
    assert code_module({"__name__": "shop.views", "__spec__": spec}) == "shop.views"
    assert code_module({}) == ""


@pytest.mark.parametrize(
    ("filename", "module", "name"),
    [
        ("/app/src/shop/pricing/engine.py", "shop.pricing.engine", "shop/pricing/engine.py"),
        ("/x/site-packages/tenacity/__init__.py", "tenacity", "tenacity/__init__.py"),
        ("/x/site-packages/flask/app.py", "flask.app", "flask/app.py"),
        ("/elsewhere/engine.py", "shop.pricing.engine", "/elsewhere/engine.py"),
        ("<string>", "shop", "<string>"),
        ("", "", "<unknown>"),
        ("./run.py", "__main__", "run.py"),
        ("C:\\app\\shop\\views.py", "shop.views", "shop/views.py"),
    ],
)
def test_a_file_is_called_by_its_module(filename, module, name):
    assert display_name(filename, module) == name


def test_a_script_is_called_by_its_place_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert display_name(str(tmp_path / "tools" / "run.py"), "__main__") == "tools/run.py"


def test_a_script_elsewhere_is_called_by_its_place_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [7, "", str(tmp_path), str(tmp_path / "inner")])
    assert display_name(str(tmp_path / "inner" / "run.py"), "__main__") == "run.py"


def test_a_deleted_working_directory_is_no_error(tmp_path, monkeypatch):
    def fail():
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", fail)
    assert display_name("/nowhere/run.py") == "/nowhere/run.py"


def test_from_the_root_directory_paths_stay_whole(monkeypatch):
    monkeypatch.setattr(os, "getcwd", lambda: "/")
    assert display_name("/nowhere/run.py") == "/nowhere/run.py"


def test_a_long_path_keeps_its_end():
    name = display_name("/" + "x" * 10_000 + "/engine.py")
    assert len(name) == PATH_CHARS
    assert name.endswith("/engine.py")
