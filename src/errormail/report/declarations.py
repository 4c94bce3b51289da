"""How a decorator says which fields of a request are hidden, and how that is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from errormail.report.objects import dict_get

if TYPE_CHECKING:
    from errormail.report.request.frameworks import Carrier

__all__ = ["ALL", "DJANGO_ALL", "DJANGO_PARAMETERS", "PARAMETERS_KEY", "declared_parameters"]

PARAMETERS_KEY = "errormail.sensitive_post_parameters"
"""Under it the names stand in environ, scope and the like: a set, so that copies of the mapping share it."""

# Programs that come from Django may have decorated with its own, and go on to.
DJANGO_PARAMETERS = "sensitive_post_parameters"
DJANGO_ALL = "__ALL__"


class _All(frozenset[str]):
    """Holds every name."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return "ALL"


ALL: Final[frozenset[str]] = _All()
"""Every name: ``name in ALL`` is always true."""


def declared_parameters(carrier: Carrier) -> frozenset[str] | None:
    """Return which form fields of a request `sensitive_post_parameters` hides, `ALL`, or None. Django's counts too."""
    names: set[str] = set()
    for place in (carrier.environ, carrier.scope, carrier.state):
        found = None if place is None else dict_get(place, PARAMETERS_KEY)
        if type(found) is set:
            names |= cast("set[str]", found)
    given = carrier.stored(DJANGO_PARAMETERS)
    if isinstance(given, str):
        names.add(given)
    elif isinstance(given, (list, tuple)):
        names.update(name for name in cast("list[object]", given) if isinstance(name, str))
    return ALL if DJANGO_ALL in names else frozenset(names) or None
