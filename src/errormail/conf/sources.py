"""Where settings come from: the environment, a mapping, an object. What is found is not checked here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import FunctionType
from typing import cast

from errormail.conf import checks, kinds
from errormail.conf.kinds import KINDS
from errormail.exceptions import ImproperlyConfigured

PREFIX = "ERRORMAIL_"
"""Begins the names of environment variables."""

NO_SOURCES: set[type] = {str, bytes, bool, int, float, list, tuple, set, frozenset, FunctionType}
"""Objects without any setting: somebody meant something else."""


def from_environment() -> dict[str, object]:
    """Return the text of each variable that is set. One that is empty counts as not set, where a setting cannot be empty."""
    found: dict[str, object] = {}
    for name, kind in KINDS.items():
        text = os.environ.get(PREFIX + name)
        if text or (text == "" and kind in {kinds.LINE, kinds.USER, kinds.PASSWORD}):
            found[name] = text
    return found


def from_source(source: object) -> dict[str, object]:
    """Return what *source* says of our settings. None counts as not said."""
    if isinstance(source, Mapping):
        mapping = cast("Mapping[object, object]", source)
        found = {name: mapping[name] for name in KINDS if name in mapping}
    else:
        found = from_object(source)
    given = {name: ours(name, value) for name, value in found.items()}
    return {name: value for name, value in given.items() if value is not None}


def from_object(source: object) -> dict[str, object]:
    """Return the attributes of a module, a class, an object. Fields that it declares may be lower-case, as pydantic's usually are."""
    fields = declared_fields(type(source))
    # Django's settings object has its defaults as attributes too, and says which are not. Others have a method
    # of that name as well, with another meaning.
    is_django = type(source).__module__ == "django.conf"
    is_overridden: object = getattr(source, "is_overridden", None) if is_django else None
    found: dict[str, object] = {}
    for name in KINDS:
        if callable(is_overridden) and not is_overridden(name):
            continue
        value = getattr(source, name, None)
        if value is None and name.lower() in fields:
            value = getattr(source, name.lower(), None)
        if value is not None:
            found[name] = value
    if type(source) in NO_SOURCES or (not found and has_config(source)):
        hint = ": did you mean its attribute config?" if has_config(source) else ""
        raise ImproperlyConfigured(
            "settings: expected a mapping or an object whose attributes are settings, "
            f"got {checks.a(source)}{hint}"
        )
    return found


def has_config(source: object) -> bool:
    """Is it a Flask application or the like?"""
    return isinstance(getattr(source, "config", None), Mapping)


def declared_fields(kind: type) -> set[str]:
    """Return the names of the fields of a pydantic model, dataclass or attrs class."""
    for attribute in ("model_fields", "__dataclass_fields__", "__attrs_attrs__", "__fields__"):
        fields = getattr(kind, attribute, None)
        if fields is not None:
            return {getattr(field, "name", field) for field in fields}
    return set()


def ours(name: str, value: object) -> object:
    """Return *value* with Django's own backends replaced by ours of the same name, and None for its own classes of reports."""
    if name == "MAILERS" and isinstance(value, Mapping):
        mailers = cast("Mapping[object, object]", value)
        return {alias: our_mailer(entry) for alias, entry in mailers.items()}
    if not isinstance(value, str):
        return value
    if name == "EMAIL_BACKEND":
        return our_backend(value)
    is_django = name.startswith("DEFAULT_EXCEPTION_") and value.startswith("django.views.debug.")
    return None if is_django else value


def our_mailer(entry: object) -> object:
    if not isinstance(entry, Mapping):
        return entry
    given = cast("Mapping[object, object]", entry)
    path = given.get("BACKEND")
    return {**given, "BACKEND": our_backend(path)} if isinstance(path, str) else given


def our_backend(path: str) -> str:
    our_path = path.replace("django.core.mail.backends.", "errormail.mail.backends.")
    return our_path if our_path in checks.OWN_PATHS else path
