"""
Print the Pythons of this machine that errormail supports, oldest first, one a line: ``3.10 /usr/bin/python3.10``.

Each has been run, since a name on the PATH may be a shim with nothing behind it. ``--ends``: the oldest and the newest.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MINORS = range(10, 15)
PROBE = "import sys, ensurepip, venv; print(sys.implementation.name, *sys.version_info[:2])"


def candidates() -> Iterator[Path]:
    """Yield what may be a Python: this one, those on the PATH, those that pyenv has built."""
    yield Path(sys.executable)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for minor in MINORS:
            yield Path(folder or ".") / f"python3.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/*/bin/python3"))


def minor_version(python: Path) -> int | None:
    """Return the minor version of the CPython 3 at *python*; None where there is none that runs and can make a venv."""
    try:
        done = subprocess.run(
            [python, "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=20,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    name, _, version = done.stdout.strip().partition(" ")
    if done.returncode or name != "cpython":
        return None
    major, minor = version.split()
    return int(minor) if major == "3" else None


def main() -> None:
    found: dict[int, Path] = {}
    for python in candidates():
        if python.is_file():
            minor = minor_version(python)
            if minor in MINORS:
                found.setdefault(minor, python)
    lines = [f"3.{minor} {found[minor]}" for minor in sorted(found)]
    if "--ends" in sys.argv[1:]:
        lines = [*lines[:1], *lines[1:][-1:]]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
