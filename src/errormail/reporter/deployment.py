"""Which release of the program runs, and in which environment, where its settings do not say: found once per process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from errormail._contain import contained
from errormail.conf import Settings
from errormail.report.objects import exact_str, stored
from errormail.report.release import commit_of, environment_of, release_of
from errormail.report.runtime import started_at
from errormail.report.tracebacks.paths import is_app_code

__all__ = ["deployment_of"]

TOLERANCE = 1.0
"""Seconds that the file system's clock and that of the process may differ."""


def deployment_of(settings: Settings) -> tuple[str, str]:
    """Return environment and release: of *settings*, else what is found, else ""."""
    environment, release = settings.ENVIRONMENT, settings.RELEASE
    if not environment or not release:
        with contained("release"):
            environment, release = environment or found()[0], release or found()[1]
    return environment, release


@lru_cache(maxsize=1)
def found() -> tuple[str, str]:
    """Return environment and release by the environment variables and the work tree, "" for what they do not say."""
    started = started_at()
    changed_before = float("inf") if started is None else started + TOLERANCE
    release = release_of(os.environ) or commit_of(_folders(), changed_before=changed_before)
    return environment_of(os.environ), release


def _folders() -> Iterator[str]:
    """Yield where the program may lie: beside its main script, if that is its own and no console script, and here."""
    script = exact_str(stored(sys.modules.get("__main__"), "__file__"))
    folder = os.path.dirname(os.path.abspath(script)) if script else ""
    if folder and os.path.basename(folder) not in {"bin", "Scripts"} and is_app_code(script):
        yield folder
    with suppress(OSError):  # it was deleted
        yield os.getcwd()
