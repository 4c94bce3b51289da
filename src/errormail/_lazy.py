"""Names of a package that are imported when they are first used (PEP 562): a program pays for what it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

__all__ = ["lazy_names"]


def lazy_names(
    namespace: dict[str, object], places: Mapping[str, Sequence[str]]
) -> Callable[[str], object]:
    """
    Return a ``__getattr__`` for the package with the globals *namespace*.

    Args:
        places: The names, by the module that has them. A module without names is a name itself: its last part.
    """
    own = str(namespace["__name__"])
    place_of = {name: place for place, names in places.items() for name in names}
    modules = {place.rpartition(".")[2]: place for place, names in places.items() if not names}

    def __getattr__(name: str) -> object:  # noqa: N807 -- what it becomes
        if name in modules:
            return import_module(modules[name])  # which sets the attribute
        if name not in place_of:
            raise AttributeError(f"module {own!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(place_of[name]), name)
        return value

    return __getattr__
