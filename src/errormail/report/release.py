"""
Which release of a program runs, and in which environment: found where nobody has said it, without running a program.

First what platforms and people put in environment variables, then the commit in a `.git` directory, read as files. A
wrong release is worse than none: what is not certain is left out.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping

__all__ = ["commit_of", "environment_of", "release_of"]

CHARS = 64
"""Of a name; a longer one is none."""
COMMIT_CHARS = 12
"""Of a commit's hash. Git itself shows 7 to 12."""
DEPTH = 20
"""So many folders upward a `.git` is looked for."""
SYMREF_DEPTH = 5
"""Git follows as many. Source: SYMREF_MAXDEPTH of its refs.c."""
FILE_BYTES = 4_096
PACKED_BYTES = 8_000_000
"""Of packed-refs: some 100,000 refs."""

ENVIRONMENT_NAMES = (
    # What people call it.
    *("APP_ENV", "APP_ENVIRONMENT", "APPLICATION_ENV", "ENVIRONMENT", "ENVIRONMENT_NAME"),
    *("DEPLOY_ENV", "DEPLOYMENT_ENV", "DEPLOYMENT_ENVIRONMENT"),
    *("DJANGO_ENV", "FLASK_ENV", "QUART_ENV", "FASTAPI_ENV", "PYTHON_ENV"),
    # What they have told another tool.
    *("SENTRY_ENVIRONMENT", "DD_ENV"),
    # Platforms. Azure's slots are called "Production" and as their owner likes.
    *("RAILWAY_ENVIRONMENT_NAME", "RAILWAY_ENVIRONMENT", "VERCEL_ENV", "WEBSITE_SLOT_NAME"),
)
"""Not ENV, a shell's start file (POSIX), and not NODE_ENV or RAILS_ENV: another program's."""

RELEASE_NAMES = (
    *("APP_RELEASE", "APP_VERSION", "RELEASE_VERSION", "SENTRY_RELEASE", "DD_VERSION"),
    # Heroku. HEROKU_SLUG_COMMIT keeps an old value where releases are promoted: last.
    *("HEROKU_BUILD_COMMIT", "HEROKU_SLUG_COMMIT"),
    # Other platforms, while the program runs.
    *("RENDER_GIT_COMMIT", "RAILWAY_GIT_COMMIT_SHA", "VERCEL_GIT_COMMIT_SHA"),
    *("CC_COMMIT_ID", "KOYEB_GIT_SHA", "ZEABUR_GIT_COMMIT_SHA", "OPENSHIFT_BUILD_COMMIT"),
    *("FLY_IMAGE_REF", "K_REVISION", "GAE_VERSION", "GAE_DEPLOYMENT_ID"),
    # What a build puts into an image, under one of these names as a rule.
    *("GIT_COMMIT_SHA", "GIT_COMMIT", "GIT_SHA", "COMMIT_SHA", "SOURCE_COMMIT", "SOURCE_VERSION"),
    # Builds and tests themselves.
    *("CODEBUILD_RESOLVED_SOURCE_VERSION", "CIRCLE_SHA1", "GITHUB_SHA", "CI_COMMIT_SHA"),
    *("BITBUCKET_COMMIT", "BUILDKITE_COMMIT", "DRONE_COMMIT_SHA", "TRAVIS_COMMIT"),
    "BUILD_SOURCEVERSION",
)
"""Most telling first: a name that somebody has chosen for this goes before one that is always there."""

_NAME = re.compile(r"\w[\w.+@/:~ -]*")
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.IGNORECASE)  # SHA-1, SHA-256
_DIGEST = re.compile(r"@sha256:([0-9a-f]{12,64})$")
_REF = re.compile(r"refs/[^\s\\:?*\[\x00-\x1f\x7f~^]+")


def environment_of(environ: Mapping[str, str]) -> str:
    """Return what *environ* says of where the program runs ("staging"), "" if nothing."""
    return _first(environ, ENVIRONMENT_NAMES)


def release_of(environ: Mapping[str, str]) -> str:
    """Return what *environ* says of the release that runs, "" if nothing; 12 hex digits of a commit."""
    found = _first(environ, RELEASE_NAMES)
    if _HASH.fullmatch(found):
        return found[:COMMIT_CHARS].lower()
    return found


def commit_of(folders: Iterable[str], *, changed_before: float = float("inf")) -> str:
    """
    Return 12 hex digits of the commit that is checked out in or above one of *folders*, the first that has a `.git`; "" if none has.

    Args:
        changed_before: Unix time. A commit that was checked out later is not what runs, and "" is returned.
    """
    for folder in folders:
        git = _git_above(folder)
        if git:
            # The first that there is decides: a folder further off is another project's.
            return _head(git, changed_before)
    return ""


def _first(environ: Mapping[str, str], names: Iterable[str]) -> str:
    return next((text for name in names if (text := _plain(name, environ.get(name, "")))), "")


def _plain(name: str, value: str) -> str:
    """Return a value as a name on one line, "" where it is none."""
    text = value.strip()
    if name == "FLY_IMAGE_REF":  # registry.fly.io/shop:deployment-01HPMGF4FZ..., or a digest
        digest = _DIGEST.search(text)
        text = digest[1][:COMMIT_CHARS] if digest else text.rpartition(":")[2]
    # A path, a URL with a password or a whole sentence is not what we looked for.
    is_name = len(text) <= CHARS and _NAME.fullmatch(text) and "://" not in text
    return text if is_name else ""


def _git_above(folder: str) -> str:
    """Return the repository of the work tree that *folder* lies in, "" if there is none."""
    if not folder:
        return ""
    folder = os.path.abspath(folder)
    for _ in range(DEPTH):
        git = _repository(os.path.join(folder, ".git"))
        if git:
            return git
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    return ""


def _repository(git: str) -> str:
    """Return the directory *git*, or that which it names if it is a file: of a further work tree, of a submodule."""
    if os.path.isdir(git):
        return git
    text, _ = _read(git, FILE_BYTES)
    key, _, path = text.partition(":")
    if key != "gitdir" or not path.strip():
        return ""
    found = os.path.join(os.path.dirname(git), path.strip())
    return found if os.path.isdir(found) else ""


def _head(git: str, changed_before: float) -> str:
    text, changed = _read(os.path.join(git, "HEAD"), FILE_BYTES)
    # A further work tree has a HEAD of its own, and its branches where the first one has them.
    shared, _ = _read(os.path.join(git, "commondir"), FILE_BYTES)
    places = [git, os.path.join(git, shared.strip())] if shared.strip() else [git]
    for _ in range(SYMREF_DEPTH):
        text = text.strip()
        if changed > changed_before:
            return ""
        if _HASH.fullmatch(text):
            return text[:COMMIT_CHARS].lower()
        key, _, name = text.partition(":")
        name = name.strip()
        if key != "ref" or not _REF.fullmatch(name) or ".." in name:  # it must not lead elsewhere
            return ""
        text, changed = _ref(places, name)
    return ""


def _ref(places: Iterable[str], name: str) -> tuple[str, float]:
    """Return what *name* stands for, and when it began to; "" where it is unknown."""
    for place in places:
        text, changed = _read(os.path.join(place, *name.split("/")), FILE_BYTES)
        if text:
            return text, changed
    for place in places:
        # No time: they are packed long after, and what changes gets a file of its own.
        text, _ = _read(os.path.join(place, "packed-refs"), PACKED_BYTES)
        at = text.find(f" {name}\n")
        if at >= 0:
            return text[:at].rpartition("\n")[2], 0.0
    return "", 0.0


def _read(path: str, size: int) -> tuple[str, float]:
    """Return the text of a regular file of at most *size* bytes and when it was changed; "" for anything else."""
    # O_NONBLOCK: somebody may have put a FIFO there.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > size:
                return "", 0.0
            return file.read(size).decode("utf-8", "replace"), status.st_mtime
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return "", 0.0
