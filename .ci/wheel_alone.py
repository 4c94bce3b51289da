"""
Install the wheel in the folder given into an empty virtual environment, without a network, and import all of it there.

What this catches: a file that is not packaged, and an import that the development environment satisfies by chance.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

INSIDE = """
import importlib, importlib.metadata, pkgutil, sys
from pathlib import Path
import errormail

package = Path(errormail.__file__).parent
assert Path(sys.prefix) in package.parents, package
assert (package / "py.typed").is_file(), "py.typed is missing"
installed = {each.metadata["Name"] for each in importlib.metadata.distributions()}
assert installed == {"errormail"}, installed
needed = [each for each in importlib.metadata.requires("errormail") or [] if "extra ==" not in each]
assert not needed, needed
assert errormail.__version__ == importlib.metadata.version("errormail")

names = [each.name for each in pkgutil.walk_packages(errormail.__path__, "errormail.")]
for name in names:
    if name == "errormail.flask":
        continue
    importlib.import_module(name)
try:
    import errormail.flask
except Exception as error:
    assert "flask" in str(error).lower(), error
else:
    raise AssertionError("errormail.flask was imported without Flask")
for name in errormail.__all__:
    if name != "flask":
        getattr(errormail, name)
print(f"errormail {errormail.__version__}: {len(names)} modules imported alone")
"""


def main() -> None:
    (wheel,) = Path(sys.argv[1]).glob("*.whl")
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=False)
        python = Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        subprocess.run([*pip, "--no-index", "--no-deps", str(wheel.resolve())], check=True)
        subprocess.run([str(python), "-I", "-c", INSIDE], check=True, cwd=folder)


if __name__ == "__main__":
    main()
