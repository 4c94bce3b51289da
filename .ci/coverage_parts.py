"""
Print how much of each part of errormail the tests run, in percent of statements and branches; fail below ``--least``.

A part is a file or a package directly below ``src/errormail``. A total over all would let a well tested part pay for
one that is not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import PurePath


def parts(report: dict[str, object]) -> dict[str, float]:
    """Return the percentage of each part, from the report that ``coverage json`` writes."""
    run: Counter[str] = Counter()
    there: Counter[str] = Counter()
    files = report["files"]
    assert isinstance(files, dict)
    for name, file in files.items():
        path = PurePath(name.replace("\\", "/")).parts
        part = path[path.index("errormail") + 1]
        summary = file["summary"]
        run[part] += summary["covered_lines"] + summary["covered_branches"]
        there[part] += summary["num_statements"] + summary["num_branches"]
    return {part: 100 * run[part] / there[part] if there[part] else 100.0 for part in sorted(there)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("report", type=argparse.FileType("r"))
    arguments.add_argument("--least", type=float, default=90.0)
    options = arguments.parse_args()
    percentages = parts(json.load(options.report))
    for part, percent in percentages.items():
        print(f"{part:16} {percent:6.1f} %{'' if percent >= options.least else '  too little'}")
    poor = [part for part, percent in percentages.items() if percent < options.least]
    if poor or not percentages:
        sys.exit(f"below {options.least:g} %: {', '.join(poor) or 'nothing was measured'}")


if __name__ == "__main__":
    main()
