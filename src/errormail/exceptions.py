"""
Every exception class of errormail.

    ErrorMailError
    └── ImproperlyConfigured (ValueError)   a setting is wrong: named, with what was given and what is expected
        └── InvalidMailer                   an entry of MAILERS is wrong: named by its alias
            └── MailerDoesNotExist (KeyError)   there is no entry of that alias

A bad header is a plain ValueError (`errormail.mail.BadHeaderError` is ValueError, as in Django 6.1), a wrong type of
argument a TypeError, and what a mail server answers comes as smtplib's own exceptions: code written for
django.core.mail catches all of them as before.
"""

from __future__ import annotations

from functools import partial

__all__ = ["ErrorMailError", "ImproperlyConfigured", "InvalidMailer", "MailerDoesNotExist"]


class ErrorMailError(Exception):
    """The base class of what errormail raises by itself."""


class ImproperlyConfigured(ErrorMailError, ValueError):
    """A setting has a value that it cannot have. Django's name."""


class InvalidMailer(ImproperlyConfigured):
    """An entry of MAILERS, or what it names, cannot be used. Django's name."""

    def __init__(self, message: str, /, *, alias: str | None = None) -> None:
        super().__init__(message)
        self.alias = alias
        """The key in MAILERS, or None where no entry is concerned."""

    def __reduce__(self) -> tuple[object, ...]:
        return (partial(type(self), alias=self.alias), self.args)


class MailerDoesNotExist(InvalidMailer, KeyError):
    """MAILERS has no entry of this alias. Also a KeyError, since `mailers[alias]` is a look-up. Django's name."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr
