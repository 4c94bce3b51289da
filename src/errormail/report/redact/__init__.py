"""
What is hidden, and how: by name, by what a text looks like, by value, and by what the program says.

Everything here is linear in the length of the text, and idempotent: what is redacted stays as it is when it is
redacted again. A failure hides the whole text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from errormail._contain import contained
from errormail.report.model import REDACTED
from errormail.report.redact.declared import NOTHING_DECLARED, Declared
from errormail.report.redact.encoded import decoded, redact_encoded
from errormail.report.redact.known import NO_VALUES, KnownValues
from errormail.report.redact.literals import redact_literals
from errormail.report.redact.pairs import may_hold_pair, redact_pairs
from errormail.report.redact.sensitive import (
    NAME_CHARS,
    is_sensitive,
    may_give_secret,
    may_name_secret,
)
from errormail.report.redact.shapes import may_hold_shape, redact_shapes

__all__ = ["DEFAULT_REDACTOR", "Redactor", "exact"]

CODINGS = 3
"""Percent-encoded text within percent-encoded text is looked at so many times."""
ROUNDS = 4
"""Redaction repeats until nothing changes; a text that goes on changing is hidden as a whole."""


def exact(text: str) -> str:
    """Return *text* as a plain `str`: a subclass may override what it likes."""
    return text if type(text) is str else str.__str__(text)


MORE = "..."
"""The name of what says how many more there are."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Decides what a report hides. Frozen: `with_values` and `with_names` give a further one."""

    names: frozenset[str] = frozenset()
    """Hidden beside those that speak of a secret; in lower case, with underscores."""
    known: KnownValues = NO_VALUES
    """Hidden wherever they occur, in each form that they may have in a text."""
    declared: Declared = NOTHING_DECLARED
    """Settings REDACT, REDACT_ALLOW and REDACT_MODE."""

    def hides(self, name: str) -> bool:
        """Return whether a value under *name* is hidden, whatever it is."""
        return self.judges(name, only_shown=self.declared.only_shown)

    def denies(self, name: str) -> bool:
        """
        Return whether *name* is a secret's: as `hides`, without the allowlist.

        What `hides` only because it is on no list is hidden where it stands, and not in prose, in source, or wherever
        else the value occurs: no line of a report would stay readable.
        """
        return self.judges(name, only_shown=False)

    def judges(self, name: str, *, only_shown: bool) -> bool:
        """Return what `hides` and `denies` do."""
        try:
            name = str.__getitem__(name, slice(None, None))
            if len(name) > 2 * NAME_CHARS:
                name = f"{name[:NAME_CHARS]} {name[-NAME_CHARS:]}"
            if self.names and _plain_name(name) in self.names:
                return True
            if self.declared is NOTHING_DECLARED:
                return is_sensitive(name)
            if name == MORE:
                return False
            verdict = self.declared.judge(name)
            return (only_shown or is_sensitive(name)) if verdict is None else verdict
        except Exception:  # noqa: BLE001 -- a failure hides
            return True

    def text(self, text: str) -> str:
        """
        Return *text* with its secrets replaced by `REDACTED`; the whole of it where that fails.

        Hidden are known values, user and password in URLs, values beside a name that `hides` (``name=value``,
        ``"name": "value"``, headers), what follows Basic and Bearer, JWTs, PEM blocks, keys of well-known providers,
        card numbers, and what a pattern of REDACT finds.
        """
        if type(text) is str and self.is_clean(text):
            return text
        return self._text(text, CODINGS)

    def _text(self, text: str, codings: int) -> str:
        """Return `text`; percent-encoded text within percent-encoded text is looked at *codings* times."""
        with contained("redaction"):
            text = exact(text)
            for _ in range(ROUNDS):
                before = text
                text = redact_shapes(self.known.replaced_in(text))
                text = redact_pairs(text, self.hides, self.denies)
                if codings:
                    text = redact_encoded(text, lambda inner: self._text(inner, codings - 1))
                text = self.declared.replaced_in(text)  # last: it may find the name of a pair
                if text == before:
                    return text
        return REDACTED

    def markup(self, markup: str) -> str:
        """Return HTML that is not ours with known values and what looks like a secret replaced: no pairs, to keep it whole."""
        with contained("redaction"):
            markup = self.known.replaced_in(exact(markup))
            return self.declared.replaced_in(redact_shapes(markup))
        return REDACTED

    def source(self, source: str) -> str:
        """
        Return a line of source, or several, with their secrets replaced: as `text`, but of what stands beside a name only literals.

        ``sorted(names, key=len)`` stays as it is, ``API_KEY = "sk-..."`` does not. There are as many lines as before.
        """
        with contained("redaction"):
            source = exact(source)
            for _ in range(ROUNDS):
                before = source
                source = redact_shapes(self.known.replaced_in(source), keep_lines=True)
                source = self.declared.replaced_in(redact_literals(source, self.denies))
                if source == before:
                    return source
        return REDACTED

    def source_lines(self, lines: list[str]) -> list[str]:
        """Return `source` of *lines*, together: a literal may go over several. Most are known to be clean in one look."""
        whole = "\n".join(lines)
        with contained("redaction"):
            if not (self.occur_in(whole) or may_hold_shape(whole) or self._may_give(whole)):
                return lines
        redacted = self.source(whole).split("\n")
        return redacted if len(redacted) == len(lines) else [self.source(line) for line in lines]

    def value(self, name: str, text: str) -> str:
        """Return `REDACTED` if *name* is a secret's, else `text` of *text*."""
        return REDACTED if self.hides(name) else self.text(text)

    def with_values(self, values: Iterable[str]) -> Redactor:
        """
        Return a redactor that hides *values* too, wherever they occur: also escaped, percent-encoded, in base64 or hex.

        Those with fewer than 8 characters, and words that occur everywhere, are passed over.
        """
        return replace(self, known=self.known.with_values(map(exact, values)))

    def with_names(self, names: Iterable[str]) -> Redactor:
        """Return a redactor that hides what stands under *names* too: whole names, in any case."""
        return replace(self, names=self.names | {_plain_name(exact(name)) for name in names})

    @property
    def denying(self) -> Redactor:
        """Itself without the allowlist: `hides` is `denies`."""
        if not self.declared.only_shown:
            return self
        return replace(self, declared=replace(self.declared, only_shown=False))

    @property
    def margin(self) -> int:
        """
        How many characters must be cut off the end of a text that was cut before it was redacted.

        A secret that the cut went through is not recognised; it begins within this distance of the end.
        """
        return max(512, 2 * self.known.longest)

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

    @property
    def looks_at_many(self) -> bool:
        """
        Return whether texts that are clean together are clean one by one, so that `is_clean` can be asked of all.

        A pattern of the program's may be one for a whole text.
        """
        return not self.declared.hidden_patterns and not self.declared.only_shown

    def is_clean(self, text: str) -> bool:
        """Return True if nothing in *text* is to be replaced: known in a few looks, since most texts are clean."""
        return self.looks_clean(text) and not self.occur_in(text)

    def looks_clean(self, text: str) -> bool:
        """Return what `is_clean` does, but for known values and patterns of the program's."""
        try:
            for _ in range(CODINGS + 1):
                if (may_hold_pair(text) and self.may_name(text)) or may_hold_shape(text):
                    return False
                plain = decoded(text)
                if plain == text:
                    return True
                text = plain
            return False
        except Exception:  # noqa: BLE001 -- what has no answer is looked at closely
            return False

    def occur_in(self, text: str) -> bool:
        """Return False if neither a known value nor a pattern of the program's is in *text*."""
        try:
            return self.known.occur_in(text) or self.declared.occur_in(text)
        except Exception:  # noqa: BLE001 -- as above
            return True

    def _may_give(self, source: str) -> bool:
        """Return False if in *source* nothing is given to a name that `hides`."""
        if may_give_secret(source) or self.declared.may_name(source):
            return True
        plain = _plain_name(source) if self.names else ""
        return any(name in plain for name in self.names)

    def may_name(self, text: str) -> bool:
        """Return False if no part of *text* is a name that `hides`."""
        if may_name_secret(text) or self.declared.may_name(text):
            return True
        plain = _plain_name(text) if self.names else ""
        return any(name in plain for name in self.names)


def _plain_name(name: str) -> str:
    return name.casefold().replace("-", "_")


DEFAULT_REDACTOR = Redactor()
"""Knows no values and no further names."""
