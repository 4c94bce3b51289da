"""
Make report.schema.json of errormail.report.model: python docs/report_schema.py

The descriptions are the docstrings below the fields. A test holds the file against what this makes.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from errormail.report import model
from errormail.report.serial import SCHEMA, VERSION

FILE = Path(__file__).with_name("report.schema.json")
SIMPLE = {str: "string", int: "integer", bool: "boolean", float: "number", NoneType: "null"}


def schema() -> dict[str, object]:
    """Return the JSON Schema of report.json. Fields that are not in it are allowed: a later errormail may have more."""
    classes = [value for value in vars(model).values() if is_dataclass(value)]
    report = described(model.Report)
    head = {
        "schema": {"const": SCHEMA},
        "version": {"type": "integer", "const": VERSION},
        "frequency": {
            "anyOf": [reference(model.Frequency), {"type": "null"}],
            "description": "How often the group has occurred; null where that is not known.",
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of errormail",
        **report,
        "required": ["schema", "version", *report["required"]],
        "properties": {**head, **report["properties"]},
        "$defs": {
            cls.__name__: described(cls)
            for cls in sorted(classes, key=lambda each: each.__name__)
            if cls is not model.Report
        },
    }


def described(cls: type) -> dict[str, Any]:
    texts, hints = docstrings(cls), get_type_hints(cls)
    return {
        "type": "object",
        "description": one_line(inspect.getdoc(cls) or ""),
        "required": [each.name for each in fields(cls) if each.default is MISSING],
        "properties": {
            each.name: {**of_type(hints[each.name]), **texts.get(each.name, {})}
            for each in fields(cls)
        },
    }


def of_type(kind: Any) -> dict[str, Any]:
    inner = get_args(kind)
    if is_dataclass(kind):
        return reference(kind)
    if get_origin(kind) is tuple:
        return {"type": "array", "items": of_type(inner[0])}
    if get_origin(kind) in (Union, UnionType):
        return {"anyOf": [of_type(each) for each in inner]}
    if get_origin(kind) is Literal:
        return {"enum": list(inner)}
    return {"type": SIMPLE[kind]}


def reference(cls: type) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{cls.__name__}"}


def docstrings(cls: type) -> dict[str, dict[str, str]]:
    """Return the description of each field that has one: the string that stands below it."""
    (tree,) = ast.parse(inspect.getsource(cls)).body
    texts: dict[str, dict[str, str]] = {}
    above: list[tuple[str, str]] = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign):
            above.append((node.target.id, ast.unparse(node.annotation)))
        else:
            if above and isinstance(node, ast.Expr):
                text, (last, kind) = one_line(ast.literal_eval(node.value)), above[-1]
                each = text.startswith("Each ")
                meant = [name for name, its in above if name == last or (each and its == kind)]
                texts.update({name: {"description": text} for name in meant})
            above = []
    return texts


def one_line(text: str) -> str:
    """Return *text* on one line, in JSON's words."""
    return re.sub(r"\bNone\b", "null", " ".join(text.replace("``", "`").split()))


def as_text() -> str:
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
