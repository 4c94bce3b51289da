"""The house keeps its shape: imports go down only, and nothing outside the standard library is needed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "errormail"
FILES = sorted(ROOT.rglob("*.py"))

# Lowest first. A part may import parts of the sets below its own, and itself.
LAYERS = [
    {"_contain", "_dotted", "_forking", "_lazy", "exceptions"},
    {"_addresses", "_decorate"},
    {"conf"},
    {"mail", "report"},
    {"delivery"},
    {"reporter"},
    {"handler", "wsgi"},
    {"flask"},
    {"cli"},
    {"__main__"},
    {"__init__"},
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
REPORT_LAYERS = [
    {"limits", "model", "objects", "visible"},
    {"declarations", "options", "packages", "redact", "release", "rendering", "runtime", "serial"},
    {"slim", "values"},
    {"log", "request"},
    {"decorators", "filtering", "redacted"},
    {"held", "tracebacks"},
    {"fingerprint"},
    {"records"},
    {"capture"},
    {"debug"},
]
"""The same within report: its files and folders."""
REPORT_LEVEL = {part: level for level, parts in enumerate(REPORT_LAYERS) for part in parts}
FOREIGN = {"flask": {"flask", "werkzeug", "blinker"}}
"""What is not in the standard library, by the one part that may import it."""
FOR_TYPES_ONLY = {"_typeshed", "typing_extensions"}
READ_SETTINGS = {"debug.py", "decorators.py"}
"""The files of report that may: Django's interface has no other place for them. The others get values."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of every import, also those inside functions; `from a import b` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(dotted: str) -> str:
    """Return the part that ``errormail.x.y`` belongs to: x, or the package itself."""
    name = dotted.partition(".")[2].partition(".")[0]
    return name if name in LEVEL else "__init__"


def wrong_imports(path: Path, source: str) -> list[str]:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    wrong = []
    for name in imported(ast.parse(source)):
        top = name.partition(".")[0]
        if top != "errormail":
            allowed = FOREIGN.get(own, set()) | FOR_TYPES_ONLY | sys.stdlib_module_names
            right = top in allowed
        elif own == "report" and part_of(name) == "conf":
            right = path.name in READ_SETTINGS
        else:
            right = part_of(name) == own or LEVEL[part_of(name)] < LEVEL[own]
        if not right:
            wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_go_down_only(path):
    assert wrong_imports(path, path.read_text(encoding="utf-8")) == []


def needed(tree: ast.Module) -> Iterator[str]:
    """Yield what `imported` does, but for what only type checkers look at."""
    for node in tree.body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from imported(node)


def wrong_imports_in_report(path: Path, source: str) -> list[str]:
    own = path.relative_to(ROOT / "report").parts[0].removesuffix(".py")
    wrong = []
    for name in needed(ast.parse(source)):
        part = name.removeprefix("errormail.report.").partition(".")[0]
        is_part = name.startswith("errormail.report.") and part in REPORT_LEVEL and part != own
        if is_part and REPORT_LEVEL[part] >= REPORT_LEVEL[own]:
            wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    return wrong


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "report").rglob("*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_imports_within_report_go_down_only(path):
    if path != ROOT / "report" / "__init__.py":
        assert wrong_imports_in_report(path, path.read_text(encoding="utf-8")) == []


def test_an_import_within_report_that_does_not_is_found():
    path = ROOT / "report" / "redact" / "pairs.py"
    assert wrong_imports_in_report(path, "from errormail.report.values import describe") != []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("conf.py", "from errormail.mail import send_mail"),
        ("conf.py", "def lazy(): from errormail.mail import send_mail"),
        ("mail/message.py", "import errormail.report.rendering.text"),
        ("mail/message.py", "from errormail import report"),
        ("report/capture.py", "from errormail.conf import settings"),
        ("delivery/worker.py", "from errormail import reporter"),
        ("handler.py", "import errormail"),
        ("handler.py", "from errormail.wsgi import ErrorReportMiddleware"),
        ("wsgi.py", "import flask"),
        ("mail/message.py", "import dns.resolver"),
    ],
)
def test_an_import_that_does_not_is_found(file, line):
    assert wrong_imports(ROOT / file, line) != []
