"""The Python code in README.md and in the pages of docs/ runs as it stands, and in the README it mails an error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import errormail

ROOT = Path(__file__).parent.parent
SOURCES = str(Path(errormail.__file__).parent.parent)


def code_blocks(path):
    """Return the Python blocks of a Markdown file, by the heading that they stand below."""
    blocks = {}
    heading = ""
    for match in re.finditer(
        r"^#+ ([^\n]+)$|^```python\n(.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        if match[1]:
            heading = match[1]
        else:
            line = path.read_text("utf-8").count("\n", 0, match.start(2))
            blocks[heading] = (
                "\n" * line + match[2]
            )  # so that a traceback names the line of the page
    return blocks


README = code_blocks(ROOT / "README.md")
PAGES = [
    pytest.param(page, block, id=f"{page.name}: {heading}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for heading, block in code_blocks(page).items()
]

FAIL = {
    "logging": """
try:
    [][1]
except IndexError:
    logging.getLogger("shop").exception("it broke")
""",
    "WSGI": """
try:
    application({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, print)
except LookupError:
    pass
else:
    raise AssertionError("the middleware raises on")
""",
    "Flask": """
@app.get("/")
def fail():
    return [][1]

response = app.test_client().get("/")
assert response.status_code == 500
""",
    "A script": "",
}
HEADLINE = {
    "logging": "IndexError",
    "WSGI": "LookupError: no such page",
    "Flask": "IndexError",
    "A script": "ZeroDivisionError",
}
# Mail is kept where it would go to smtp.example.com. On one line: the code below keeps its line numbers.
PROLOGUE = (
    "from errormail.mail.backends import locmem, smtp; smtp.EmailBackend = type('Kept', (locmem.EmailBackend,), "
    "{'__init__': lambda self, **options: locmem.EmailBackend.__init__(self)}); "
)


def run(code, **environment):
    """Run *code* in a new process, warnings being errors."""
    kept = {
        name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT", "HOME"}
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**kept, "PYTHONPATH": SOURCES, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_readme_shows_each_way_of_use():
    assert set(README) == set(FAIL)


@pytest.mark.parametrize("heading", sorted(FAIL))
def test_code_of_the_readme_mails_an_error(heading):
    check = f"""
import errormail
from errormail import mail
assert errormail.flush(timeout=20)
(message,) = mail.outbox
assert {HEADLINE[heading]!r} in message.subject, message.subject
assert "ops@example.com" in message.to[0], message.to
"""
    run(PROLOGUE + README[heading] + FAIL[heading] + check)


@pytest.mark.parametrize(("page", "code"), PAGES)
def test_code_of_the_pages_runs(page, code):
    assert run(code).stderr == ""


def test_links_between_the_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
