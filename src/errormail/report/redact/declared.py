"""What a program says of names: REDACT, REDACT_ALLOW and REDACT_MODE."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from errormail.report.model import REDACTED

__all__ = ["NOTHING_DECLARED", "Declared", "declared_by"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_BETWEEN = re.compile(r"[\W_]+")
_JUDGED = 4_096
"""So many names are remembered."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Names that are hidden, and such as are not. Make one with `declared_by`."""

    hidden: tuple[str, ...] = ()
    """In lower case, without what separates words: "customerno"."""
    hidden_patterns: tuple[re.Pattern[str], ...] = ()
    shown: frozenset[str] = frozenset()
    shown_patterns: tuple[re.Pattern[str], ...] = ()
    only_shown: bool = False
    """REDACT_MODE is "allowlist"."""
    _judged: dict[str, bool | None] = field(
        default_factory=dict[str, "bool | None"], repr=False, compare=False
    )

    def judge(self, name: str) -> bool | None:
        """Return True if a value under *name* is hidden, False if it is shown; None where nothing was said of it."""
        if name not in self._judged:
            if len(self._judged) >= _JUDGED:
                self._judged.clear()
            self._judged[name] = self._verdict(name)
        return self._judged[name]

    def _verdict(self, name: str) -> bool | None:
        if squashed(name) in self.shown or any(
            each.fullmatch(name) for each in self.shown_patterns
        ):
            return False
        if "." in name and all(part and self.judge(part) is False for part in name.split(".")):
            return False  # self.rates, where both are shown
        if any(each.search(name) for each in self.hidden_patterns):
            return True
        if not self.hidden:
            return None
        # "customer_no" is in "oldCustomerNo", in "CUSTOMER-NO-2" and in "customerno", not in "customer_note".
        words = [word.casefold() for word in _WORD.findall(name)]
        joined = "".join(words)
        ends = {0, *accumulate(map(len, words))}
        for each in self.hidden:
            at = joined.find(each)
            while at >= 0:
                if at in ends and at + len(each) in ends:
                    return True
                at = joined.find(each, at + 1)
        return True if squashed(name) in self.hidden else None

    def may_name(self, text: str) -> bool:
        """Return False if no name in *text* is hidden by what is in here."""
        if self.only_shown or self.hidden_patterns:
            return True
        plain = squashed(text) if self.hidden else ""
        return any(each in plain for each in self.hidden)

    def occur_in(self, text: str) -> bool:
        """Return whether one of the patterns finds something in *text*."""
        return any(each.search(text) for each in self.hidden_patterns)

    def replaced_in(self, text: str) -> str:
        """Return *text* with `REDACTED` for all that the patterns find in it."""
        for each in self.hidden_patterns:
            pieces = (
                each.sub(lambda match: REDACTED if match.group() else "", piece)
                for piece in text.split(REDACTED)
            )
            text = REDACTED.join(pieces)
        return text


NOTHING_DECLARED = Declared()


def declared_by(
    hidden: Iterable[str | re.Pattern[str]] = (),
    shown: Iterable[str | re.Pattern[str]] = (),
    *,
    only_shown: bool = False,
) -> Declared:
    """
    Return what REDACT (*hidden*), REDACT_ALLOW (*shown*) and REDACT_MODE say.

    A text in *hidden* is found in a name as a run of words, one in *shown* is a whole name; both in any spelling. A
    pattern in *hidden* hides the names in which it is found and whatever it finds in a text; one in *shown* must match a
    whole name. What is in *shown* goes before *hidden*.
    """
    hidden, shown = [*hidden], [*shown]
    return Declared(
        hidden=tuple(dict.fromkeys(squashed(each) for each in hidden if isinstance(each, str))),
        hidden_patterns=tuple(each for each in hidden if not isinstance(each, str)),
        shown=frozenset(squashed(each) for each in shown if isinstance(each, str)),
        shown_patterns=tuple(each for each in shown if not isinstance(each, str)),
        only_shown=only_shown,
    )


def squashed(name: str) -> str:
    """Return *name* in lower case, without what separates its words; as it is where it has nothing else."""
    return _BETWEEN.sub("", name).casefold() or name
