"""
Each row of Django's mail interface has a test that proves it, marked ``@pytest.mark.row("F1")``.

``rows.txt`` lists the rows: number and what it is about. Their full text is in the design, beside the repository where
it is developed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DESIGN = TESTS.parent.parent / "shared" / "MAIL_API.md"
ROWS = [
    line.split(maxsplit=1)[0]
    for line in (TESTS / "rows.txt").read_text(encoding="utf-8").splitlines()
]
NO_TEST = {"skip", "skipif", "xfail"}


def marks(decorators: Iterable[ast.expr]) -> Iterator[tuple[str, list[ast.expr]]]:
    """Yield name and arguments of each ``pytest.mark.name(...)`` in *decorators*, in ``pytest.param(marks=)`` too."""
    for decorator in decorators:
        for node in ast.walk(decorator):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "mark"
            ):
                yield node.attr, []
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr, node.args


def rows_tested(source: str) -> set[str]:
    """Return the rows that the tests in *source* are marked with; a test that may not run proves none."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith(
            "test_"
        ):
            marked = list(marks(node.decorator_list))
            if NO_TEST.isdisjoint(name for name, _ in marked):
                arguments = [
                    argument for name, given in marked if name == "row" for argument in given
                ]
                found |= {
                    str(argument.value)
                    for argument in arguments
                    if isinstance(argument, ast.Constant)
                }
    return found


def all_rows_tested() -> set[str]:
    files = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    return {row for path in files for row in rows_tested(path.read_text(encoding="utf-8"))}


def test_every_row_has_a_test():
    tested = all_rows_tested()
    missing = [row for row in ROWS if row not in tested]
    assert not missing, f"no test is marked with {', '.join(missing)}"


def test_every_mark_names_a_row():
    assert all_rows_tested() <= set(ROWS)


def test_the_list_of_rows_is_that_of_the_design():
    if not DESIGN.exists():
        pytest.skip("the design is not beside this clone")
    numbers = re.findall(r"^\| ([A-Z]\d+) \|", DESIGN.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(ROWS) == sorted(numbers)


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("@pytest.mark.row('F1')\ndef test_a(): ...", {"F1"}),
        ("@pytest.mark.row('F1', 'F2')\nasync def test_a(): ...", {"F1", "F2"}),
        ("class TestA:\n    @pytest.mark.row('F1')\n    def test_a(self): ...", {"F1"}),
        (
            "@pytest.mark.parametrize('a', [pytest.param(1, marks=pytest.mark.row('F1'))])\ndef test_a(a): ...",
            {"F1"},
        ),
        ("@pytest.mark.row('F1')\ndef helper(): ...", set()),
        ("@pytest.mark.skip\n@pytest.mark.row('F1')\ndef test_a(): ...", set()),
        ("@pytest.mark.xfail(reason='')\n@pytest.mark.row('F1')\ndef test_a(): ...", set()),
        ("def test_f1(): ...", set()),
    ],
)
def test_what_counts_as_a_test_of_a_row(source, rows):
    assert rows_tested(source) == rows
