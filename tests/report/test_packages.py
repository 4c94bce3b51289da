"""Which installed distributions occur in a traceback."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from types import ModuleType

import pytest

from errormail.report import packages
from errormail.report.model import CapturedException, Elision, Frame, Variable
from errormail.report.packages import packages_of


def frame(module: str, *, in_app: bool = False) -> Frame:
    return Frame(module=module, function="f", filename="f.py", lineno=1, in_app=in_app)


def raised(*modules: str, **fields: object) -> CapturedException:
    frames = (Elision(frames=3, text="3 frames"), *map(frame, modules))
    return CapturedException(type_name="E", module="", message="", frames=frames, **fields)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages, and a function that installs a distribution with its modules."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    for cached in (packages._package_of, packages._distributions, packages._owners):
        cached.cache_clear()

    def install(distribution, *modules, **files):
        (folder / distribution).mkdir()
        for name, text in files.items():
            (folder / distribution / name.replace("_txt", ".txt")).write_text(text)
        for name in modules:
            module = ModuleType(name)
            module.__file__ = str(folder.joinpath(*name.split(".")).with_suffix(".py"))
            monkeypatch.setitem(sys.modules, name, module)

    return install


@pytest.mark.parametrize("module", ["werkzeug.serving", "django.http", "jinja2", "_pytest.config"])
def test_a_module_has_the_version_of_its_distribution(module):
    importlib.import_module(module)
    (package,) = packages_of(raised(module), ())
    name = module.partition(".")[0].strip("_")
    assert package == Variable(name=name, value=importlib.metadata.version(name))


def test_a_module_that_is_called_otherwise_than_its_distribution_is_found():
    importlib.import_module("attr._make")
    (package,) = packages_of(raised("attr._make"), ())
    assert package == Variable(name="attrs", value=importlib.metadata.version("attrs"))


def test_a_distribution_within_a_namespace_is_found(site):
    site("google_cloud_storage-2.1.0.dist-info", "google.cloud.storage.blob")
    site("google_auth-1.0.dist-info", "google.auth")
    found = packages_of(raised("google.cloud.storage.blob", "google.auth"), ())
    assert [(each.name, each.value) for each in found] == [
        ("google-auth", "1.0"),
        ("google-cloud-storage", "2.1.0"),
    ]


def test_the_top_level_file_tells_what_the_name_does_not(site):
    site("PyYAML-6.0.2.dist-info", "yaml.scanner", top_level_txt="_yaml\nyaml\n")
    assert packages_of(raised("yaml.scanner"), ()) == (Variable(name="PyYAML", value="6.0.2"),)


def test_the_record_tells_where_there_is_no_top_level_file(site):
    record = "bs4/__init__.py,sha256=x,1\nbeautifulsoup4-4.9.dist-info/RECORD,,\n"
    site("beautifulsoup4-4.9.dist-info", "bs4.element", RECORD=record)
    assert packages_of(raised("bs4.element"), ()) == (Variable(name="beautifulsoup4", value="4.9"),)


def test_an_egg_s_version_has_no_python_in_it(site):
    site("simplejson-3.17.2-py3.11.egg-info", "simplejson.decoder")
    assert packages_of(raised("simplejson.decoder"), ())[0].value == "3.17.2"


def test_a_module_without_a_distribution_says_its_version_itself(site, monkeypatch):
    site("other-1.0.dist-info", "vendored")
    sys.modules["vendored"].__version__ = "7.1"
    assert packages_of(raised("vendored"), ()) == (Variable(name="vendored", value="7.1"),)


@pytest.mark.parametrize(
    "module", ["json.decoder", "asyncio", "__main__", "errormail.wsgi", "", "no.such"]
)
def test_what_is_not_installed_is_no_package(module):
    assert packages_of(raised(module), ()) == ()


def test_modules_beside_the_program_s_own_are_none(site, tmp_path, monkeypatch):
    (tmp_path / "shop-1.0.dist-info").mkdir()
    module = ModuleType("shop")
    module.__file__ = str(tmp_path / "shop.py")
    monkeypatch.setitem(sys.modules, "shop", module)
    assert packages_of(raised("shop"), ()) == ()


def test_causes_members_and_calls_count_and_each_occurs_once(site):
    for name in ("one", "two", "three", "four"):
        site(f"{name}-1.dist-info", f"{name}.a", f"{name}.b")
    cause = raised("two.a", "two.b", members=(raised("three.a"),))
    found = packages_of(raised("one.a", cause=cause), (frame("four.a"),))
    assert [each.name for each in found] == ["four", "one", "three", "two"]


def test_at_most_twenty_are_named(site):
    names = [f"lib{number:02}" for number in range(30)]
    for name in names:
        site(f"{name}-1.dist-info", name)
    assert len(packages_of(raised(*names), ())) == packages.PACKAGES


def test_once_known_nothing_is_read(site, monkeypatch):
    site("one-1.dist-info", "one.a")
    packages_of(raised("one.a"), ())
    monkeypatch.setattr(packages, "_import_root", None)
    assert packages_of(raised("one.a"), ()) == (Variable(name="one", value="1"),)


def test_a_module_that_fails_when_it_is_looked_at_costs_nothing_else(site, monkeypatch):
    class Hostile(ModuleType):
        def __getattribute__(self, name):
            raise SystemExit

    site("one-1.dist-info", "one.a")
    monkeypatch.setitem(sys.modules, "hostile", Hostile("hostile"))
    assert [each.name for each in packages_of(raised("hostile", "one.a"), ())] == ["one"]
