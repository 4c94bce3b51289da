"""Frames of Jinja2 and Mako templates show the template's lines: of files, of memory, and of nothing that is not known."""

from __future__ import annotations

import importlib.util
import sys

import jinja2
import jinja2.sandbox
import mako.lookup
import mako.template
import pytest

from errormail.report.capture import capture
from errormail.report.fingerprint import fingerprint_exception
from errormail.report.model import Frame
from errormail.report.tracebacks import jinja
from errormail.report.tracebacks import mako as own_mako

BASE = "<html>\n{% block body %}{% endblock %}\n</html>\n"
CART = """\
{% extends 'base.html' %}
{% block body %}
<h1>{{ title }}</h1>
{% for item in items %}
  {{ item.price / user.count }}
{% endfor %}
{% endblock %}
"""
OUTER = "<p>\n{% include 'inner.html' %}\n</p>\n"
INNER = "one\ntwo {{ 1 / count }}\n"
MACRO = "{% macro part(whole) %}\n\n{{ whole / count }}\n{% endmacro %}\n{{ part(1) }}\n"
PAGES = {
    "base.html": BASE,
    "cart.html": CART,
    "outer.html": OUTER,
    "inner.html": INNER,
    "macro.html": MACRO,
}
MAKO = "<h1>${title}</h1>\n% for item in items:\n\n  <b>${item / count}</b>\n% endfor\n"


class Thing:
    """An object with stored attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


def error_of(function, *args, **given):
    try:
        function(*args, **given)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def frames_of(function, *args, **given):
    """Return the frames of templates in the report of what *function* raises."""
    report = capture(exc=error_of(function, *args, **given), fingerprint="0" * 12, now=1.0)
    frames = [frame for frame in report.exception.frames if isinstance(frame, Frame)]
    return [
        frame
        for frame in frames
        if frame.filename.endswith(".html") or frame.filename.startswith("<")
    ]


def places(frames):
    return [(frame.filename.rpartition("/")[2], frame.lineno, frame.line) for frame in frames]


def values_of(frame):
    return {variable.name: variable.value for variable in frame.variables}


@pytest.fixture(params=["file", "memory", "choice", "prefix", "bytecode"])
def environment(request, tmp_path):
    """An environment whose loader finds `PAGES` in one way or another."""
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    loaders = {
        "file": jinja2.FileSystemLoader(tmp_path),
        "memory": jinja2.DictLoader(PAGES),
        "choice": jinja2.ChoiceLoader([jinja2.DictLoader({}), jinja2.DictLoader(PAGES)]),
        "prefix": jinja2.ChoiceLoader(
            [jinja2.PrefixLoader({"x": jinja2.DictLoader({})}), jinja2.DictLoader(PAGES)]
        ),
        "bytecode": jinja2.FileSystemLoader(tmp_path),
    }
    cache = None
    if request.param == "bytecode":
        (tmp_path / "cache").mkdir()
        cache = jinja2.FileSystemBytecodeCache(str(tmp_path / "cache"))
    return jinja2.Environment(loader=loaders[request.param], autoescape=True, bytecode_cache=cache)


CART_VALUES = {"title": "Cart", "items": [Thing(price=3)], "user": Thing(count=0)}


def test_each_template_on_the_way_shows_its_line(environment):
    frames = frames_of(environment.get_template("cart.html").render, CART_VALUES)
    assert places(frames) == [
        ("cart.html", 1, "{% extends 'base.html' %}"),
        ("base.html", 2, "{% block body %}{% endblock %}"),
        ("cart.html", 5, "  {{ item.price / user.count }}"),
    ]
    assert frames[-1].source[0] == "{% extends 'base.html' %}"
    assert [frame.function for frame in frames] == [
        "top-level template code",
        "top-level template code",
        "block 'body'",
    ]
    assert all(frame.in_app for frame in frames)


def test_no_columns_are_shown_for_they_are_of_generated_code(environment):
    frames = frames_of(environment.get_template("cart.html").render, CART_VALUES)
    assert {frame.colno for frame in frames} == {None}


def test_what_the_template_sees_is_shown_without_the_machinery_of_jinja(environment):
    frame = frames_of(environment.get_template("cart.html").render, CART_VALUES)[-1]
    assert list(values_of(frame)) == [
        *("item", "user", "item.price", "user.count"),
        *("title", "items"),
    ]
    assert values_of(frame)["user.count"] == "0"


def test_an_included_template_is_found(environment):
    frames = frames_of(environment.get_template("outer.html").render, count=0)
    assert places(frames) == [
        ("outer.html", 2, "{% include 'inner.html' %}"),
        ("inner.html", 2, "two {{ 1 / count }}"),
    ]


def test_a_macro_shows_its_line(environment):
    frames = frames_of(environment.get_template("macro.html").render, count=0)
    assert places(frames) == [
        ("macro.html", 5, "{{ part(1) }}"),
        ("macro.html", 3, "{{ whole / count }}"),
    ]
    assert values_of(frames[-1])["whole"] == "1"


def test_code_that_jinja_has_not_rewritten_shows_the_template_too(environment):
    def render():
        template = environment.get_template("macro.html")
        list(template.root_render_func(template.new_context({"count": 0, "title": "Cart"})))

    frames = frames_of(render)
    assert places(frames) == [
        ("macro.html", 5, "{{ part(1) }}"),
        ("macro.html", 3, "{{ whole / count }}"),
    ]
    assert [frame.function for frame in frames] == ["top-level template code", "macro"]
    assert values_of(frames[0])["title"] == "'Cart'"
    assert "context" not in values_of(frames[0])
    assert values_of(frames[1]) == {"whole": "1", "count": "0"}


def test_a_block_that_jinja_has_not_rewritten_is_called_as_it_calls_it(environment):
    def render():
        template = environment.get_template("cart.html")
        list(template.blocks["body"](template.new_context(CART_VALUES)))

    (frame,) = frames_of(render)
    assert (frame.function, frame.lineno) == ("block 'body'", 5)
    assert values_of(frame)["item.price"] == "3"


def test_a_syntax_error_shows_its_line_from_files_memory_and_text(tmp_path):
    text = "one\n\n{% if %}\n"
    (tmp_path / "bad.html").write_text(text)
    loaders = [jinja2.FileSystemLoader(tmp_path), jinja2.DictLoader({"bad.html": text})]
    for loader in loaders:
        frames = frames_of(jinja2.Environment(loader=loader).get_template, "bad.html")
        assert places(frames) == [("bad.html", 3, "{% if %}")]
    (frame,) = frames_of(jinja2.Environment().from_string, text)
    assert (frame.lineno, frame.line) == (3, "{% if %}")


def test_a_template_of_text_has_a_line_and_says_that_its_source_is_not_known():
    (frame,) = frames_of(jinja2.Template("one\n{{ 1 / count }}").render, count=0)
    assert (frame.filename, frame.lineno, frame.source) == ("<template>", 2, ())
    assert frame.note == "source not available"
    assert values_of(frame) == {"count": "0"}


def test_a_loader_is_never_asked():
    asked = []

    def load(name):
        asked.append(name)
        return PAGES[name]

    environment = jinja2.Environment(loader=jinja2.FunctionLoader(load))
    error = error_of(environment.get_template("outer.html").render, count=0)
    before = len(asked)
    capture(exc=error, fingerprint="0" * 12, now=1.0)
    assert len(asked) == before


def test_a_sandbox_and_an_async_environment_show_the_template(tmp_path):
    (tmp_path / "inner.html").write_text(INNER)
    loader = jinja2.FileSystemLoader(tmp_path)
    for environment in (
        jinja2.sandbox.SandboxedEnvironment(loader=loader),
        jinja2.Environment(loader=loader, enable_async=True),
    ):
        frames = frames_of(environment.get_template("inner.html").render, count=0)
        assert places(frames)[-1] == ("inner.html", 2, "two {{ 1 / count }}")


def test_secrets_of_a_template_are_hidden():
    template = jinja2.Template("{{ 1 / count }}{{ password }}")
    (frame,) = frames_of(template.render, count=0, password="hunter2", user=Thing(token="x1y2"))
    assert "hunter2" not in repr(frame)
    assert "x1y2" not in repr(frame)


def test_what_is_wrong_in_the_template_code_leaves_the_frame(monkeypatch):
    def fail(*args):
        raise KeyError

    monkeypatch.setattr("errormail._contain.strict", False)
    monkeypatch.setattr("errormail._contain.tell", lambda text: None)
    monkeypatch.setattr(jinja.JinjaTemplates, "frame", fail)
    assert frames_of(jinja2.Template("{{ 1 / count }}").render, count=0)
    monkeypatch.setattr(jinja.JinjaTemplates, "__init__", fail)
    assert frames_of(jinja2.Template("{{ 1 / count }}").render, count=0)


# Mako


def mako_templates(tmp_path):
    (tmp_path / "cart.html").write_text(MAKO, encoding="utf-8")
    (tmp_path / "modules").mkdir()
    return {
        "text": mako.template.Template(MAKO),
        "file": mako.template.Template(filename=str(tmp_path / "cart.html")),
        "module": mako.template.Template(
            filename=str(tmp_path / "cart.html"), module_directory=str(tmp_path / "modules")
        ),
        "lookup": mako.lookup.TemplateLookup([str(tmp_path)]).get_template("cart.html"),
    }


@pytest.mark.parametrize("kind", ["text", "file", "module", "lookup"])
def test_a_mako_template_shows_its_line(tmp_path, kind):
    template = mako_templates(tmp_path)[kind]
    (frame,) = frames_of(template.render, title="Cart", items=[1], count=0)
    assert (frame.lineno, frame.line) == (4, "  <b>${item / count}</b>")
    assert frame.filename.endswith("<template>" if kind == "text" else "cart.html")
    assert values_of(frame) == {"item": "1", "count": "0", "title": "'Cart'", "items": "[1]"}
    assert (frame.function, frame.in_app, frame.note) == ("render_body", True, "")


def test_a_mako_template_in_another_encoding_is_read_in_it(tmp_path):
    path = tmp_path / "latin.html"
    path.write_bytes("## -*- coding: latin-1 -*-\n<b>Grüße ${1 / count}</b>\n".encode("latin-1"))
    (frame,) = frames_of(mako.template.Template(filename=str(path)).render, count=0)
    assert frame.line == "<b>Grüße ${1 / count}</b>"


def test_an_inherited_mako_template_and_a_def_show_their_lines(tmp_path):
    (tmp_path / "base.html").write_text("<html>\n${self.body()}\n${self.foot()}\n</html>\n")
    (tmp_path / "page.html").write_text(
        '<%inherit file="base.html"/>\n<%def name="foot()">\n${1 / 0}\n</%def>\nbody\n'
    )
    lookup = mako.lookup.TemplateLookup([str(tmp_path)])
    frames = frames_of(lookup.get_template("page.html").render)
    assert places(frames) == [("base.html", 3, "${self.foot()}"), ("page.html", 3, "${1 / 0}")]


def test_generated_code_of_mako_without_its_table_shows_as_it_is(tmp_path, monkeypatch):
    template = mako.template.Template(MAKO)
    error = error_of(template.render, title="Cart", items=[1], count=0)
    for table in ("", "__M_BEGIN_METADATA\n{", "__M_BEGIN_METADATA\n{}"):
        lines = table.split("\n")
        monkeypatch.setattr(own_mako, "split_lines", lambda _text, lines=lines: lines)
        frames = capture(exc=error, fingerprint="0" * 12, now=1.0).exception.frames
        assert frames[-1].function == "render_body"


def test_a_template_of_text_belongs_to_the_same_group_each_time():
    def error(count):
        return error_of(mako.template.Template(MAKO).render, title=1, items=[1], count=count)

    assert fingerprint_exception(error(0)) == fingerprint_exception(error(0))
    one, two = (jinja2.Template("\n{{ 1 / count }}") for _ in range(2))
    assert fingerprint_exception(error_of(one.render, count=0)) == fingerprint_exception(
        error_of(two.render, count=0)
    )


def test_neither_library_is_imported_by_errormail():
    for module in (jinja, own_mako):
        spec = importlib.util.find_spec(module.__name__)
        text = spec.loader.get_source(module.__name__)
        assert "import jinja2" not in text
        assert "import mako" not in text
    assert "mako" in sys.modules
