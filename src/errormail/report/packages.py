"""
Which installed distributions occur in a traceback, and their versions.

Not by `importlib.metadata.packages_distributions`, which reads the files of every distribution there is (some 100 ms):
a distribution's folder beside a module has its name and version in its own name, and one listing per folder tells.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from errormail._contain import contained
from errormail.report.model import CapturedException, Elision, Frame, Variable
from errormail.report.objects import encodable, exact_str, stored

__all__ = ["packages_of"]

PACKAGES = 20
"""At most so many."""
NAME_CHARS = 100
ENTRIES = 20_000
"""So many names in a folder are looked at."""
ASKED = 1_000
"""So many distributions are asked which modules they have, where their names do not tell."""
TOP_LEVEL_BYTES = 4_096
RECORD_BYTES = 16_384

_DISTRIBUTION = re.compile(r"(.+?)-(\d[^-]*)(?:-py\d[^-]*)?\.(?:dist|egg)-info")
_SEPARATORS = re.compile(r"[-_.]+")
_INSTALLED = {"site-packages", "dist-packages"}


def packages_of(
    exception: CapturedException | None, calls: Iterable[Frame | Elision]
) -> tuple[Variable, ...]:
    """
    Return name and version of the distributions whose modules have frames in *exception* or *calls*, by name.

    The first time it lists the folders that they are installed in, some 0.2 ms each; after that it looks them up.
    """
    found: dict[str, Variable] = {}
    for frame in _frames(exception, calls):
        package = _package_of(frame.module)
        if package is not None:
            found.setdefault(package.name, package)
    return tuple(found[name] for name in sorted(found, key=str.lower)[:PACKAGES])


def _frames(
    exception: CapturedException | None, calls: Iterable[Frame | Elision]
) -> Iterator[Frame]:
    yield from (each for each in calls if type(each) is Frame)
    for link in exception.chain() if exception else ():
        yield from (each for each in link.frames if type(each) is Frame)
        for member in link.members:
            yield from _frames(member, ())


@lru_cache(maxsize=4_096)
def _package_of(module: str) -> Variable | None:
    """Return the distribution that has *module*, None for the standard library's and the program's own."""
    top = module.partition(".")[0]
    if not top or top in {"__main__", "errormail"} or top in sys.stdlib_module_names:
        return None
    with contained("package"):
        folder = _import_root(module)
        # Beside the program's own modules there is nothing to be found, or their build's leftovers.
        if os.path.basename(folder) in _INSTALLED:
            return _by_name(module, folder) or _by_content(top, folder) or _by_itself(top)
    return None


def _import_root(module: str) -> str:
    """Return the folder that *module* was imported from: of shop.pricing.engine that which holds shop; "" if unknown."""
    path = exact_str(stored(sys.modules.get(module), "__file__"))
    if not path:
        return ""
    steps = module.count(".") + 1
    if os.path.basename(path).startswith("__init__."):
        steps += 1
    for _ in range(steps):
        path = os.path.dirname(path)
    return path


def _by_name(module: str, folder: str) -> Variable | None:
    """google.cloud.storage.blob is of google-cloud-storage, if there is one; flask.app of Flask."""
    distributions = _distributions(folder)
    name = _normal(module)
    while name:
        if name in distributions:
            return _shown(distributions[name])
        name = name.rpartition("-")[0]
    return None


def _by_content(top: str, folder: str) -> Variable | None:
    """Modules that are called otherwise than their distribution: yaml of PyYAML."""
    entry = _owners(folder).get(top)
    return None if entry is None else _shown(entry)


def _by_itself(top: str) -> Variable | None:
    """What the module says of itself, where the distribution was taken away: in a frozen program, say."""
    version = exact_str(stored(sys.modules.get(top), "__version__"))[:NAME_CHARS]
    return Variable(name=encodable(top), value=encodable(version)) if version else None


@lru_cache(maxsize=64)
def _distributions(folder: str) -> dict[str, str]:
    """Return the folders of the distributions in *folder*, by their normalised name. Source: PEP 503, PEP 376."""
    found: dict[str, str] = {}
    with os.scandir(folder) as entries:
        for entry in islice(entries, ENTRIES):
            match = _DISTRIBUTION.fullmatch(entry.name)
            if match:
                found[_normal(match[1])] = entry.name
    return found


@lru_cache(maxsize=64)
def _owners(folder: str) -> dict[str, str]:
    """
    Return the distributions in *folder* by the names of their modules.

    Reads a file or two of each, some 0.1 ms: only where a name has not told, and once.
    """
    found: dict[str, str] = {}
    for entry in islice(_distributions(folder).values(), ASKED):
        for module in _modules_of(os.path.join(folder, entry)):
            found.setdefault(module, entry)
    return found


def _modules_of(distribution: str) -> set[str]:
    named = _read(os.path.join(distribution, "top_level.txt"), TOP_LEVEL_BYTES).split()
    if named:
        return set(named)
    # "bs4/__init__.py,sha256=...,123", "six.py,...": the names of files and folders at the top
    record = _read(os.path.join(distribution, "RECORD"), RECORD_BYTES)
    tops = (line.partition(",")[0].partition("/") for line in record.splitlines())
    modules = (first if slash else first.removesuffix(".py") for first, slash, _ in tops)
    return {module for module in modules if module.isidentifier()}


def _read(path: str, size: int) -> str:
    if not os.path.isfile(path):
        return ""
    try:
        with open(path, "rb") as file:
            return file.read(size).decode("utf-8", "replace")
    except OSError:
        return ""


def _normal(name: str) -> str:
    return _SEPARATORS.sub("-", name).strip("-").lower()  # _pytest is pytest's


def _shown(entry: str) -> Variable:
    match = _DISTRIBUTION.fullmatch(entry)
    name, version = (match[1], match[2]) if match else (entry, "")
    return Variable(
        name=encodable(name.replace("_", "-")[:NAME_CHARS]), value=encodable(version[:NAME_CHARS])
    )
