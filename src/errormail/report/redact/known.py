"""
Values that are known to be secret, found wherever they occur in a text, in each form that they may have there.

Hundreds of values, each in ten forms, are looked for in hundreds of texts: one after the other would take milliseconds.
So each form is known by a window of 8 characters in it, and the window by its four runs of 5. Whatever text it stands
in, one of the four begins at a multiple of 4: only there is the text looked at, and compared where a run is met. A text
that holds none of the values costs a few dozen look-ups in a dict.
"""

from __future__ import annotations

import json
import re
import string
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote, quote_plus

from errormail.report.model import REDACTED

__all__ = ["NO_VALUES", "KnownValues", "runs_in"]

VALUE_CHARS_MIN = 8
"""A shorter value occurs by chance, and hiding it would tell where."""
VALUE_CHARS_MAX = 16_384
VALUES_MAX = 500
"""Of a request."""
PIECE_CHARS = 128
"""A longer value is known by its pieces of this length: so it is found where it was cut, too."""
# fmt: off
COMMON_VALUES = frozenset({
    "administrator", "anonymous", "application", "application/json", "authenticated", "changeme",
    "checkbox", "continue", "customer", "database", "default1", "developer", "development",
    "disabled", "document", "download", "enabled", "function", "hostname", "identity",
    "info@example.com", "internal", "javascript", "keep-alive", "localhost", "memcached",
    "minioadmin", "multipart", "no-cache", "password", "password1", "postgres", "postgresql",
    "production", "rabbitmq", "readonly", "redacted", "register", "required", "sqlalchemy",
    "staging1", "submit-button", "superuser", "text/html", "text/plain", "unchanged", "undefined",
    "unlimited", "username", "127.0.0.1", "12345678", "123456789", "1234567890",
})
# fmt: on
"""Values that secret fields have by mistake, or for lack of a better one, and that occur everywhere else."""

_WINDOW = VALUE_CHARS_MIN
_RUN = 5
_STEP = _WINDOW - _RUN + 1
_SLICES = [slice(at, at + _RUN) for at in range(0, 16_384, _STEP)]
_CHUNK = len(_SLICES) * _STEP
_CHECKS = 16
"""Comparisons for each place that is looked at, on average; a text that needs more is made to cost time: it is hidden."""
_BASE64 = f"{string.ascii_letters}{string.digits}+/-_="
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=_-]*")
_URLSAFE = str.maketrans("+/", "-_")


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Secret values. Frozen: `with_values` gives further ones, and keeps what was made of the first."""

    values: tuple[str, ...] = field(default=(), repr=False)
    """As they were given."""
    indexes: tuple[_Index, ...] = field(default=(), repr=False, compare=False)

    def with_values(self, values: Iterable[str], *, most: int = VALUES_MAX) -> KnownValues:
        """Return these and *values*: those that have at least 8 characters, and are no words that occur everywhere."""
        known, new = {*self.values}, dict[str, None]()
        for value in values:
            if len(new) >= most:
                break
            value = str.__getitem__(value, slice(0, VALUE_CHARS_MAX))
            if value not in known and is_telling(value):
                new[value] = None
        if not new:
            return self
        indexes = (*self.indexes, _Index(new))
        if len(indexes) > 3:
            indexes = (indexes[0], _Index((*self.values[indexes[0].size :], *new)))
        return KnownValues((*self.values, *new), indexes)

    @property
    def longest(self) -> int:
        """How many characters the longest form has."""
        return max((index.longest for index in self.indexes), default=0)

    def occur_in(self, text: str) -> bool:
        """Return False if none of them occurs in *text*; True if one may."""
        if len(text) < _WINDOW or not self.indexes:
            return False
        if len(text) <= _CHUNK:
            return self._may_hold(text, len(text) // _STEP)
        return any(
            self._may_hold(text[at : at + _CHUNK + _RUN], len(_SLICES))
            for at in range(0, len(text), _CHUNK)
        )

    def _may_hold(self, text: str, count: int) -> bool:
        return self.may_occur({*map(text.__getitem__, _SLICES[:count])})

    def may_occur(self, runs: AbstractSet[str]) -> bool:
        """Return False if none of them occurs in the text that *runs* were made of, by `runs_in`."""
        return any(not index.runs.keys().isdisjoint(runs) for index in self.indexes)

    def replaced_in(self, text: str) -> str:
        """Return *text* with `REDACTED` in place of each of them; of all of it where it would take too long to tell."""
        if not self.occur_in(text):
            return text
        # What was redacted stands between the pieces, so that no value is found across it, or in it.
        return REDACTED.join(map(self._replaced, text.split(REDACTED)))

    def _replaced(self, text: str) -> str:
        spans: list[tuple[int, int, bool]] = []
        for index in self.indexes:
            found = index.spans(text)
            if found is None:
                return REDACTED
            spans += found
        out: list[str] = []
        at = 0
        for start, end in _joined(text, sorted(spans)):
            out.append(text[at:start])
            at = end
        return REDACTED.join([*out, text[at:]])


NO_VALUES = KnownValues()


def runs_in(text: str) -> frozenset[str]:
    """Return what `KnownValues.may_occur` asks of a text of at most 65,536 characters that is looked at again and again."""
    return frozenset(map(text.__getitem__, _SLICES[: len(text) // _STEP]))


class _Index:
    """The forms of some values, by runs of five characters in them. Never changes once it is made."""

    __slots__ = ("longest", "runs", "size")

    def __init__(self, values: Iterable[str]) -> None:
        self.runs: dict[str, list[tuple[str, int, bool]]] = {}
        """Forms, where in each the run stands, and whether it is base64."""
        self.size = 0
        self.longest = 0
        seen: set[str] = set()
        for value in values:
            self.size += 1
            for form, is_base64 in forms_of(value):
                if form not in seen and is_telling(form):
                    seen.add(form)
                    self._add(form, is_base64)
        self.longest = max(map(len, seen), default=0)

    def _add(self, form: str, is_base64: bool) -> None:
        """Know *form* by the window that is least like those of others: many tokens begin alike."""
        runs, last = self.runs, len(form) - _WINDOW
        best, fewest = 0, -1
        for at in dict.fromkeys((0, last, last // 2, last // 4, last - last // 4)):
            others = sum(len(runs.get(form[at + i : at + i + _RUN], ())) for i in range(_STEP))
            if fewest < 0 or others < fewest:
                best, fewest = at, others
            if not others:
                break
        for at in range(best, best + _STEP):
            runs.setdefault(form[at : at + _RUN], []).append((form, at, is_base64))

    def spans(self, text: str) -> list[tuple[int, int, bool]] | None:
        """Return begin and end of each form in *text*, and whether it is base64; None if that takes too long."""
        found: list[tuple[int, int, bool]] = []
        runs = self.runs
        checks = 1_000 + _CHECKS * (len(text) // _STEP)
        for at in range(0, len(text) - _RUN + 1, _STEP):
            forms = runs.get(text[at : at + _RUN])
            if forms is None:
                continue
            checks -= len(forms)
            if checks < 0:
                return None
            for form, offset, is_base64 in forms:
                if offset <= at and text.startswith(form, at - offset):
                    found.append((at - offset, at - offset + len(form), is_base64))
        return found


def _joined(text: str, spans: list[tuple[int, int, bool]]) -> Iterator[tuple[int, int]]:
    """Yield *spans* without those that touch each other; base64 to the ends of its run, which hold bits of the value."""
    begin = end = -1
    for start, stop, is_base64 in spans:
        if is_base64 and stop > end:
            floor = max(end, 0)
            start = floor + len(text[floor:start].rstrip(_BASE64)) if start > floor else start
            run = _BASE64_RUN.match(text, stop)
            stop = run.end() if run else stop
        if start > end:
            if end >= 0:
                yield begin, end
            begin = start
        end = max(end, stop)
    if end >= 0:
        yield begin, end


def is_telling(value: str) -> bool:
    """Is *value* long enough, and no word that occurs everywhere?"""
    return (
        len(value) >= VALUE_CHARS_MIN
        and len(set(value)) > 2  # ******** and 00000000
        and REDACTED not in value
        and value not in REDACTED
        and value.lower() not in COMMON_VALUES
    )


def forms_of(value: str) -> Iterator[tuple[str, bool]]:
    """Yield *value* as it may stand in a text: plain, escaped, percent-encoded, in hex; and whether it is in base64."""
    if len(value) > PIECE_CHARS:
        for at in range(0, len(value), PIECE_CHARS):
            yield from forms_of(value[at : at + PIECE_CHARS])
        if len(value) % PIECE_CHARS < 2 * _WINDOW:
            yield from forms_of(value[-4 * _WINDOW :])
        return
    yield value, False
    data = value.encode("utf-8", "surrogatepass")
    for core in _in_base64(data):
        yield core, True
    yield data.hex(), False
    yield data.hex().upper(), False
    if value.isascii() and value.isalnum():
        return  # nothing in it is ever escaped
    for percent in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield percent, False
        yield _lower_hex(percent), False
    for escaped in (
        repr(value)[1:-1],
        repr("\"'" + value)[4:-1],  # the quote is escaped in any case
        repr(data)[2:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    ):
        yield escaped, False
        yield repr(escaped)[1:-1], False
        yield json.dumps(escaped)[1:-1], False
    yield escape(value), False
    yield escape(value, quote=False), False
    if not value.isascii():
        try:
            latin = value.encode("latin-1")
        except UnicodeEncodeError:
            return
        for core in _in_base64(latin):
            yield core, True
        yield quote(latin, safe=""), False


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield what of the base64 of any text with *data* in it depends on nothing but *data*: three ways to begin."""
    for before in range(3):
        coded = b2a_base64(bytes(before) + data, newline=False).decode("ascii")
        core = coded[(8 * before + 5) // 6 : 8 * (before + len(data)) // 6]
        yield core
        if "+" in core or "/" in core:
            yield core.translate(_URLSAFE)
            yield quote(core, safe="")


def _lower_hex(percent: str) -> str:
    first, *others = percent.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])
