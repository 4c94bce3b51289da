"""Frameworks whose requests the tests use, set up as far as they need it."""

from __future__ import annotations

import warnings

import django
from django.conf import settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # webob imports cgi
    import webob

__all__ = ["set_up_django", "webob"]


def set_up_django() -> None:
    """Make Django's requests, users and sessions usable. Can be called several times."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["shop.example.com"],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
            SECRET_KEY="only for tests",
            USE_TZ=True,
        )
        django.setup()
