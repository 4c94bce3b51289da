"""
Any object as a short text: bounded before it is formatted, redacted before it is cut, computing nothing.

Containers and objects with declared fields (named tuples, dataclasses, attrs, pydantic, Django and SQLAlchemy models)
are taken apart here, so that redaction sees the names and a million items cost what fifty cost. Anything else shows what
its own `__repr__` says, if its type defines one and time is left, or its type. What would work when it is looked at
(querysets, lazy proxies, generators, files, mocks) always shows as its type.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar, cast

from errormail._contain import contained
from errormail.report.limits import Limits
from errormail.report.model import REDACTED
from errormail.report.objects import (
    dict_items,
    encodable,
    exact_str,
    is_a,
    sequence_items,
    size_of,
    stored,
    stored_attributes,
    type_name,
)
from errormail.report.redact import Redactor
from errormail.report.values.kinds import Kind, Plan, model_plan, plan_of
from errormail.report.values.leaves import code_text, name_text, safe_repr, string_text
from errormail.report.values.parts import Parts, is_row_of, parts_of
from errormail.report.values.simple import SHORT_CHARS, is_simple

__all__ = ["Budget", "Values", "describe"]

_INT_BITS = 4_000
"""Of a number that is written out; Python refuses more than 4,300 digits, and takes long below that."""
_SHORT_ROOM = 4 * SHORT_CHARS
"""With so much room left, short texts are never cut."""
_REMEMBERED = 4_000
"""Objects, and names, in one report."""
_FLAG_CHARS = 100
_PAIR_NAME = re.compile(r"[^\s=]{1,100}")
_PAIR_NAMES = ("name", "key", "field", "header")
_VALUE_NAMES = ("'value'", "b'value'", "value")


class Budget:
    """
    The time that all values of one report may take together.

    Args:
        seconds: From now on.
        clock: Seconds, monotonic.
    """

    __slots__ = ("_clock", "_deadline", "exceeded", "memory")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self.exceeded: bool = False
        """Something was left out for it."""
        self.memory: _Memory | None = None

    def is_spent(self) -> bool:
        """Return whether the time is over."""
        if not self.exceeded:
            self.exceeded = self._clock() > self._deadline
        return self.exceeded


def describe(value: object, *, limits: Limits, redactor: Redactor, budget: Budget) -> str:
    """
    Return *value* as text of at most ``limits.value_chars`` characters. Never raises.

    Returns:
        Encodable text, as `repr` would have it where it is short: ``'CHF'``, ``{'a': 1, ... 499,950 more}``,
        ``<Order: repr raised KeyError>``, ``<QuerySet>``.
    """
    return Values(limits, redactor, budget).texts((value,))[0]


class _Memory:
    """What has been found out while one report is made; it goes with the budget of that."""

    __slots__ = ("answers", "hidden", "limits", "redactor", "texts")

    def __init__(self, limits: Limits, redactor: Redactor) -> None:
        self.limits: Limits = limits
        self.redactor: Redactor = redactor
        self.hidden: dict[str, bool] = {}
        """Names: is what stands under them hidden?"""
        self.texts: dict[int, tuple[object, str]] = {}
        """By id: objects that were shown as a whole, kept so that the id stays theirs."""
        self.answers: dict[int, tuple[object, object]] = {}
        """By id: objects, and what foreign code has said of them. None is asked twice for one report."""


class Values:
    """
    The values of one report. Not for two threads at a time.

    Most values hold no secret. They are written out as they are first, a *draft*, and one look at all of it together
    tells so; only what may hold one is written again, each text in it redacted by itself.

    Args:
        limits: For each of them.
        redactor: Sees all text.
        budget: Of the report: what has been found out about one value helps with the next.
    """

    __slots__ = ("_is_draft", "_looks", "_memory", "budget", "inside", "limits", "redactor", "room")

    def __init__(self, limits: Limits, redactor: Redactor, budget: Budget) -> None:
        memory = budget.memory
        if memory is None or memory.redactor is not redactor or memory.limits is not limits:
            memory = budget.memory = _Memory(limits, redactor)
        self._memory = memory
        self._is_draft = False
        self._looks: list[str] = []
        """Of the draft: what may hold a secret."""
        self.limits: Limits = limits
        self.redactor: Redactor = redactor
        self.budget: Budget = budget
        self.room: int = limits.value_chars
        self.inside: set[int] = set()
        """Ids of the containers around: a list in itself shows as ``[...]``."""

    def hides(self, name: str) -> bool:
        """Return whether a value under *name*, a plain `str`, is hidden, whatever it is."""
        found = self._memory.hidden.get(name)
        if found is None:
            found = self.redactor.hides(name)
            if len(self._memory.hidden) < _REMEMBERED:
                self._memory.hidden[name] = found
        return found

    def texts(self, values: Iterable[object]) -> list[str]:
        """Return each of *values* as `describe` does."""
        values = list(values)
        if not self.redactor.looks_at_many:
            return [self._text_of(value) for value in values]
        self._is_draft = True
        self._looks.clear()
        drafts = [self._text_of(value) for value in values]
        self._is_draft = False
        redactor = self.redactor
        # What is harmless by its looks may be known all the same.
        clean = redactor.looks_clean("\n".join(self._looks))
        if clean and not redactor.occur_in("\n".join(drafts)):
            return [self._finished(value, draft) for value, draft in zip(values, drafts)]  # noqa: B905 -- equal
        return [
            self._finished(value, draft) if redactor.is_clean(draft) else self._text_of(value)
            for value, draft in zip(values, drafts)  # noqa: B905 -- equal
        ]

    def _text_of(self, value: object) -> str:
        known = self._memory.texts.get(id(value))
        if known is not None:
            return known[1]
        self.room = self.limits.value_chars
        try:
            if self._is_draft:
                text = self._simple_text(value)
                # Escapes may stand in the midst of a secret: the look at the draft would not find it.
                if text and "\\" not in text and len(text) <= self.room:
                    return text
            plan = plan_of(type(value))
            text = self._SHOW[plan.kind](self, value, 0, plan)
            if not self._is_draft:
                return self._finished(value, text)
            self._looks.append(text)
            return text
        except RecursionError:  # reported from very deep in a recursion: no room for us
            self.inside.clear()
        except Exception:
            self.inside.clear()
            with contained("value"):
                raise
        return "<value: not shown>"

    def _simple_text(self, value: object) -> str:
        """Return *value* as `repr` shows it, if that is all that need be done; else ""."""
        if is_simple(value, self.hides, self.limits, self._looks):
            return repr(value)
        plan = plan_of(type(value))
        if plan.kind is not Kind.FIELDS:
            return ""
        attributes = stored_attributes(value)
        texts: list[str] = []
        for name in plan.fields:
            item = attributes.get(name, self)
            if self.hides(name) or not is_simple(item, self.hides, self.limits, self._looks):
                return ""
            texts.append(f"{name}={item!r}")
        return f"{plan.opening}{', '.join(texts)}{plan.closing}"

    def _finished(self, value: object, text: str) -> str:
        chars = self.limits.value_chars
        if len(text) <= SHORT_CHARS and chars >= SHORT_CHARS:
            return encodable(text)
        text = encodable(text if len(text) <= chars else text[: max(chars - 3, 0)] + "...")
        if len(self._memory.texts) < _REMEMBERED:
            self._memory.texts[id(value)] = (value, text)
        return text

    def _describe(self, value: object, depth: int) -> str:
        plan = plan_of(type(value))
        return self._SHOW[plan.kind](self, value, depth, plan)

    def _took(self, text: str) -> str:
        self.room -= len(text)
        return text

    def _foreign(self, text: str) -> str:
        """Return a text of the program's as it may be shown."""
        if len(text) <= SHORT_CHARS and self.room >= _SHORT_ROOM:
            text = text if self._is_draft else self.redactor.text(text)
        else:
            text = self.redactor.bounded(text, max(min(self.limits.value_chars, self.room), 20))
        self.room -= len(text)
        return text

    # Leaves

    def _text(self, value: object, depth: int, plan: Plan) -> str:
        """The quotes, escapes and prefix of repr(), of the begin of a string."""
        if type(value) is str and len(value) <= SHORT_CHARS and self.room >= _SHORT_ROOM:
            text = repr(value)
            # Escapes may stand in the midst of a secret: the look at the draft would not find it.
            if not self._is_draft or "\\" in text:
                text = repr(self.redactor.text(value))
            self.room -= len(text)
            return text
        chars = max(min(self.limits.value_chars, self.room), 20)
        return self._took(string_text(value, plan.base, chars, self.redactor))

    def _plain(self, value: object, depth: int, plan: Plan) -> str:
        return self._took(repr(value))

    def _integer(self, value: object, depth: int, plan: Plan) -> str:
        number = cast("int", value)
        bits = int.bit_length(number)
        if bits > _INT_BITS:
            return self._took(f"<int of {bits:,} bits>")
        return self._foreign(int.__repr__(number))  # a card's number

    def _class(self, value: object, depth: int, plan: Plan) -> str:
        return self._took(f"<class '{type_name(cast('type', value))}'>")

    def _code(self, value: object, depth: int, plan: Plan) -> str:
        return self._took(code_text(value))

    def _member(self, value: object, depth: int, plan: Plan) -> str:
        """A member of an enumeration: its value under its name."""
        name = exact_str(stored(value, "_name_"))
        if not name:  # several flags together
            return self._opaque(value, depth, plan)
        begin = self._took(f"{plan.opening}{encodable(name)}: ")
        shown = (
            REDACTED if self.hides(name) else self._describe(stored(value, "_value_"), depth + 1)
        )
        return begin + shown + self._took(">")

    def _type_only(self, value: object, depth: int, plan: Plan) -> str:
        return self._took(f"<{plan.name}>")

    def _bare(self, value: object, depth: int, plan: Plan) -> str:
        if plan.has_attributes and is_row_of(value):
            return self._parts(value, depth, model_plan(type(value)))
        return self._took(f"<{plan.name} object>")

    def _opaque(self, value: object, depth: int, plan: Plan) -> str:
        """Something whose inside is not known: what its own `__repr__` says, or its type."""
        if plan.has_attributes and is_row_of(value):
            return self._parts(value, depth, model_plan(type(value)))
        answer = self._answer(value, plan, safe_repr)
        if answer is None:
            return self._took(f"<{plan.name}>")
        text, succeeded = cast("tuple[str, bool]", answer)
        return self._foreign(text) if succeeded else self._took(text)

    def _described(self, value: object, depth: int, plan: Plan) -> str:
        """What the program's own function says of it."""
        answer = self._answer(value, plan, plan.describe or safe_repr)
        if answer is None:
            return self._took(f"<{plan.name}>")
        if is_a(answer, str):
            return self._foreign(exact_str(answer))
        if is_a(answer, dict):
            called = plan.name.rpartition(".")[2]
            size = size_of(answer, dict)
            parts = Parts(f"{called}(", ")", size, (), dict_items(answer), "=")
            return self._nested(value, parts, depth)
        return self._took(f"<{plan.name}: describe returned {type_name(type(answer))}>")

    def _answer(self, value: object, plan: Plan, ask: Callable[[Any], object]) -> object:
        """Return what foreign code says of *value*, the first time as now; None if there is no time to ask it."""
        known = self._memory.answers.get(id(value))
        if known is not None:
            return known[1]
        if self.budget.is_spent():
            return None
        try:
            answer = ask(value)
        except BaseException as error:  # noqa: BLE001 -- a foreign function
            answer = f"<{plan.name}: describe raised {type_name(type(error))}>"
        if len(self._memory.answers) < _REMEMBERED:
            self._memory.answers[id(value)] = (value, answer)
        return answer

    # What has parts

    def _parts(self, value: object, depth: int, plan: Plan) -> str:
        parts = parts_of(value, plan)
        if parts is None:
            return self._took(f"<{plan.name}>")
        return self._nested(value, parts, depth)

    def _nested(self, value: object, parts: Parts, depth: int) -> str:
        opening, closing = parts.opening, parts.closing
        if id(value) in self.inside or (depth >= self.limits.depth and parts.size):
            self.room -= 5
            return f"{opening}...{closing}"
        self.inside.add(id(value))
        self.room -= len(opening) + len(closing)
        try:
            texts = self._within(parts, depth)
        except RecursionError:
            raise
        except RuntimeError:  # another thread changes the container
            texts = ["<changed while it was read>"]
        finally:
            self.inside.discard(id(value))
        if parts.size == 1 and opening == "(":
            closing = ",)"
        if opening == "{" and not parts.size and parts.pairs is None:
            return "set()"
        return f"{opening}{', '.join(texts)}{closing}"

    def _within(self, parts: Parts, depth: int) -> list[str]:
        if parts.size and self.budget.is_spent():
            return [f"... {parts.size:,} more"]
        if parts.pairs is not None:
            texts = self._pairs([*islice(parts.pairs, self.limits.items)], parts.separator, depth)
        else:
            texts = self._items([*islice(parts.items, self.limits.items)], parts, depth)
        if len(texts) < parts.size:
            texts.append(f"... {parts.size - len(texts):,} more")
        return texts

    def _pairs(self, pairs: list[tuple[object, object]], separator: str, depth: int) -> list[str]:
        texts: list[str] = []
        for name, item in pairs:
            if self.room <= 0:
                break
            if separator == "=":
                shown = encodable(exact_str(name))
            else:
                shown = self._describe(name, depth + 1)
            self.room -= 4
            hidden = self.hides(name) if type(name) is str else self._hides(name)
            if hidden or (shown in _VALUE_NAMES and self._is_secret_value(pairs)):
                self.room -= len(REDACTED)
                texts.append(f"{shown}{separator}{REDACTED}")
            else:
                texts.append(f"{shown}{separator}{self._describe(item, depth + 1)}")
        return texts

    def _items(self, items: list[object], parts: Parts, depth: int) -> list[str]:
        texts: list[str] = []
        hides_second = len(items) == 2 and parts.opening[-1:] == "(" and self._is_secret_pair(items)
        after_flag = False
        for item in items:
            if self.room <= 0:
                break
            if after_flag or (hides_second and texts):
                texts.append(REDACTED)
            elif is_a(item, list) and self._is_secret_pair([*islice(sequence_items(item), 3)]):
                name = self._describe(next(sequence_items(item)), depth + 2)
                texts.append(f"[{name}, {REDACTED}]")
            else:
                texts.append(self._describe(item, depth + 1))
            after_flag = not after_flag and self._is_secret_flag(item)
            self.room -= 2
        return texts

    def _is_secret_flag(self, item: object) -> bool:
        """Is it "--password" in ``["mysql", "--password", "..."]``?"""
        if not is_a(item, str):
            return False
        text = str.__getitem__(cast("str", item), slice(0, _FLAG_CHARS))
        return text[:1] == "-" and "=" not in text and self.hides(text)

    def _hides(self, name: object) -> bool:
        """A name that is a tuple counts by its members."""
        if is_a(name, tuple):
            members = islice(sequence_items(name), self.limits.items)
            return any(self._hides(member) for member in members if not is_a(member, tuple))
        text = name_text(name)
        return text is not None and self.hides(text)

    def _is_secret_pair(self, items: list[object]) -> bool:
        """Is it ``("cookie", "...")``: a name, no sentence, and a value?"""
        name = name_text(items[0]) if len(items) == 2 else None
        return bool(name and _PAIR_NAME.fullmatch(name)) and self._hides(name)

    def _is_secret_value(self, pairs: list[tuple[object, object]]) -> bool:
        """Is it ``{"name": "password", "value": "..."}``?"""
        if len(pairs) > 12:
            return False
        texts = {exact_str(name): item for name, item in pairs if is_a(name, str)}
        return any(self._hides(texts[key]) for key in _PAIR_NAMES if key in texts)

    _SHOW: ClassVar[Mapping[Kind, Callable[[Any, object, int, Plan], str]]] = {
        **dict.fromkeys(Kind, _parts),
        Kind.TEXT: _text,
        Kind.PLAIN: _plain,
        Kind.INTEGER: _integer,
        Kind.CLASS: _class,
        Kind.CODE: _code,
        Kind.MEMBER: _member,
        Kind.TYPE_ONLY: _type_only,
        Kind.BARE: _bare,
        Kind.OPAQUE: _opaque,
        Kind.DESCRIBED: _described,
    }
