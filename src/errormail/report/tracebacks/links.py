"""Where a line of the program can be read: the address that SOURCE_URL makes of it."""

from __future__ import annotations

import re
from urllib.parse import quote

from errormail.report.tracebacks.paths import project_path

__all__ = ["source_link"]

_PLACEHOLDER = re.compile(r"\{(path|line|release)\}")


def source_link(
    template: str, *, filename: str, module: str, lineno: int | None, release: str
) -> str:
    """
    Return *template* with {path} (relative to the project), {line} and {release} filled in; "" where one is not known.

    Path and release are percent-encoded: nothing in them ends the path of the address or leads out of it.
    """
    if not template or lineno is None or ("{release}" in template and not release):
        return ""
    path = project_path(filename, module)
    if any(part in {"", ".", ".."} for part in path.split("/")) or ":" in path:
        return ""
    values = {
        "path": quote(path, errors="replace"),
        "line": str(lineno),
        "release": quote(release, safe="", errors="replace"),
    }
    # Dots alone would lead upwards, and stay what they are in `quote`.
    if values["release"].strip(".") == "" and "{release}" in template:
        return ""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)
