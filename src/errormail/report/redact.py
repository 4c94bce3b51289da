"""
What is hidden, and how: by name, by what a text looks like, and by value.

Everything here is linear in the length of the text, and idempotent: what is redacted stays as it is when it is
redacted again. A failure hides the whole text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus

from errormail._contain import contained
from errormail.report.model import REDACTED
from errormail.report.pairs import redact_literals, redact_pairs
from errormail.report.sensitive import NAME_CHARS, is_sensitive
from errormail.report.shapes import redact_shapes

__all__ = ["DEFAULT_REDACTOR", "Redactor", "exact"]

VALUE_CHARS_MIN = 8
"""A shorter value occurs by chance, and hiding it would tell where."""
VALUE_CHARS_MAX = 16_384
VALUES_MAX = 500
ROUNDS = 4
"""Redaction repeats until nothing changes; a text that goes on changing is hidden as a whole."""
# fmt: off
COMMON_VALUES = frozenset({
    "anonymous", "application", "authenticated", "checkbox", "continue", "customer",
    "database", "disabled", "document", "download", "enabled", "function", "identity",
    "javascript", "keep-alive", "localhost", "multipart", "no-cache", "required",
    "register", "undefined", "username", "password", "submit-button", "password1",
    "12345678", "123456789", "1234567890", "text/html", "text/plain", "application/json",
    "unlimited", "unchanged", "hostname",
})
# fmt: on
"""Values that secret fields have by mistake, and that occur everywhere else."""


def exact(text: str) -> str:
    """Return *text* as a plain `str`: a subclass may override what it likes."""
    return text if type(text) is str else str.__str__(text)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Decides what a report hides. Frozen: `with_values` and `with_names` give a further one."""

    names: frozenset[str] = frozenset()
    """Hidden beside those that speak of a secret; in lower case, with underscores."""
    values: tuple[str, ...] = ()
    """Hidden wherever they occur, longest first, in each form that they may have in a text."""

    def hides(self, name: str) -> bool:
        """Return whether a value under *name* is hidden, whatever it is."""
        try:
            name = str.__getitem__(name, slice(None, None))
            if len(name) > 2 * NAME_CHARS:
                name = f"{name[:NAME_CHARS]} {name[-NAME_CHARS:]}"
            return is_sensitive(name) or (bool(self.names) and _plain_name(name) in self.names)
        except Exception:  # noqa: BLE001 -- a failure hides
            return True

    def text(self, text: str) -> str:
        """
        Return *text* with its secrets replaced by `REDACTED`; the whole of it where that fails.

        Hidden are known values, user and password in URLs, values beside a name that `hides` (``name=value``,
        ``"name": "value"``, headers), what follows Basic and Bearer, JWTs, PEM blocks, keys of well-known providers and
        card numbers.
        """
        with contained("redaction"):
            text = exact(text)
            for _ in range(ROUNDS):
                before = text
                text = redact_pairs(redact_shapes(self._without_values(text)), self.hides)
                if text == before:
                    return text
        return REDACTED

    def source(self, line: str) -> str:
        """
        Return a line of source with its secrets replaced: as `text`, but of what stands beside a name only literals.

        ``sorted(names, key=len)`` stays as it is, ``API_KEY = "sk-..."`` does not.
        """
        with contained("redaction"):
            line = exact(line)
            for _ in range(ROUNDS):
                before = line
                line = redact_literals(redact_shapes(self._without_values(line)), self.hides)
                if line == before:
                    return line
        return REDACTED

    def value(self, name: str, text: str) -> str:
        """Return `REDACTED` if *name* is a secret's, else `text` of *text*."""
        return REDACTED if self.hides(name) else self.text(text)

    def with_values(self, values: Iterable[str]) -> Redactor:
        """
        Return a redactor that hides *values* too, wherever they occur, also percent-encoded or with escapes.

        Those with fewer than 8 characters, and words that occur everywhere, are passed over.
        """
        forms = set(self.values)
        for value in values:
            if len(forms) >= VALUES_MAX:
                break
            value = exact(value)[:VALUE_CHARS_MAX]
            if _is_telling(value):
                forms.update(form for form in _forms(value) if _is_telling(form))
        return replace(self, values=tuple(sorted(forms, key=lambda form: (-len(form), form))))

    def with_names(self, names: Iterable[str]) -> Redactor:
        """Return a redactor that hides what stands under *names* too: whole names, in any case."""
        return replace(self, names=self.names | {_plain_name(exact(name)) for name in names})

    @property
    def margin(self) -> int:
        """
        How many characters must be cut off the end of a text that was cut before it was redacted.

        A secret that the cut went through is not recognised; it begins within this distance of the end.
        """
        return max(512, 2 * len(self.values[0]) if self.values else 0)

    def bounded(self, text: str, chars: int) -> str:
        """
        Return *text* redacted and at most *chars* characters long; "..." at its end says that more there was.

        Only a little more than *chars* of it is looked at, and no secret survives because a cut went through it.
        """
        length = str.__len__(text)
        room = chars + self.margin
        if length <= room:
            redacted = self.text(text)
        else:
            redacted = self.text(str.__getitem__(text, slice(0, room)))
            redacted = redacted[: max(len(redacted) - self.margin, 0)]
            if len(redacted) <= chars:
                return (redacted[: max(chars - 3, 0)] + "...")[:chars]
        return redacted if len(redacted) <= chars else redacted[: max(chars - 3, 0)] + "..."[:chars]

    def _without_values(self, text: str) -> str:
        if not self.values:
            return text
        # What was redacted stands between the pieces, so that no value is found across it, or in it.
        pieces = text.split(REDACTED)
        for value in self.values:
            if value in text:
                pieces = [part for piece in pieces for part in piece.split(value)]
        return REDACTED.join(pieces)


def _plain_name(name: str) -> str:
    return name.casefold().replace("-", "_")


def _is_telling(value: str) -> bool:
    return (
        len(value) >= VALUE_CHARS_MIN
        and len(set(value)) > 2  # ******** and 00000000
        and value.lower() not in COMMON_VALUES
        and REDACTED not in value
        and value not in REDACTED
    )


def _forms(value: str) -> Iterable[str]:
    """Yield *value* as it may stand in a text: plain, percent-encoded, escaped by repr() and by JSON."""
    yield value
    encodable = value.encode("utf-8", "surrogatepass")
    percent = quote(encodable, safe="")
    yield percent
    yield quote(encodable)
    yield quote_plus(encodable)
    if "%" in percent:
        yield _lower_hex(percent)
    yield repr(value)[1:-1]
    yield repr(encodable)[2:-1]
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]


def _lower_hex(percent: str) -> str:
    first, *others = percent.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


DEFAULT_REDACTOR = Redactor()
"""Knows no values and no further names."""
