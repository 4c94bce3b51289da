"""What is public is what ``__all__`` lists and docs/reference.md explains: the same names in both."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import errormail
from errormail.conf import Settings

DOCS = Path(__file__).parent.parent / "docs"


def documented(text):
    """Return the names of each ``## `module``` section: what stands in backquotes at the begin of a list item."""
    names: dict[str, list[str]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title = re.match(r"`([\w.]+)`", section)
        if title:
            items = re.findall(r"^- (`[^:]*`):", section, re.MULTILINE)
            names[title[1]] = [name for item in items for name in re.findall(r"`(\w+)", item)]
    return names


REFERENCE = documented((DOCS / "reference.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", sorted(REFERENCE))
def test_public_names_are_the_documented_ones(module):
    public = importlib.import_module(module).__all__
    assert sorted(public) == sorted(REFERENCE[module])


@pytest.mark.parametrize("module", sorted(REFERENCE))
def test_every_public_name_is_there(module):
    imported = importlib.import_module(module)
    assert [name for name in REFERENCE[module] if not hasattr(imported, name)] == []


def test_the_doors_are_documented():
    assert {
        "errormail",
        "errormail.mail",
        "errormail.report",
        "errormail.wsgi",
        "errormail.flask",
    } <= set(REFERENCE)


def test_dir_shows_the_public_names():
    assert set(errormail.__all__) <= set(dir(errormail))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        errormail.no_such_name  # noqa: B018 -- the look-up is the test


def test_every_setting_is_documented():
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    settings = {name for name in dir(Settings) if name.isupper() and not name.startswith("_")}
    assert settings <= set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
