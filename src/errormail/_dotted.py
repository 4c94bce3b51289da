"""What a dotted path names, imported."""

from __future__ import annotations

from importlib import import_module

__all__ = ["import_dotted"]


def import_dotted(path: str) -> object:
    """
    Return what ``package.module.Name`` names.

    Raises:
        ValueError: It is no dotted path, or it cannot be imported; says why, and the import's own error is the cause.
    """
    module, _, name = path.rpartition(".")
    if not module or not all(part.isidentifier() for part in path.split(".")):
        raise ValueError("it is not a dotted path")
    try:
        found: object = getattr(import_module(module), name)
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return found
