"""
Objects that do what no object should: each as a factory, so that every test has its own.

``OBJECTS`` are values, ``EXCEPTIONS`` failures, by what is wrong with them.
"""

from __future__ import annotations

import enum
import logging
import unittest.mock
from collections import UserDict, namedtuple
from dataclasses import dataclass, field


class Raises:
    """Raises *error* from every method that can be defined."""

    def __init__(self, error):
        object.__setattr__(self, "error", error)

    def _raise(self, *args, **kwargs):
        raise object.__getattribute__(self, "error")

    __repr__ = __str__ = __len__ = __iter__ = __bool__ = __format__ = __dir__ = __int__ = (
        __index__
    ) = _raise
    __eq__ = __hash__ = __getitem__ = __contains__ = __enter__ = __call__ = __lt__ = __sizeof__ = (
        _raise
    )
    __reduce_ex__ = __setattr__ = __delattr__ = __bytes__ = __fspath__ = _raise

    def __getattr__(self, name):
        raise object.__getattribute__(self, "error")

    @property
    def __class__(self):
        raise object.__getattribute__(self, "error")

    @property
    def __dict__(self):
        raise object.__getattribute__(self, "error")


class RaisesFromGetattribute:
    def __getattribute__(self, name):
        raise SystemExit(name)

    def __repr__(self):
        return self.nothing


class Recurses:
    def __repr__(self):
        return repr(self)


class ReturnsNoText:
    def __repr__(self):
        return 42

    __str__ = __repr__


class ReturnsText(str):
    """Returns from its repr a str that overrides all that it can."""

    __slots__ = ()

    def __repr__(self):
        return self

    __str__ = __repr__

    def _raise(self, *args):
        raise SystemExit

    __len__ = __getitem__ = __iter__ = __eq__ = __contains__ = __add__ = __format__ = _raise
    encode = split = replace = find = startswith = isascii = _raise
    __hash__ = str.__hash__


class HugeRepr:
    def __repr__(self):
        return "x" * 100_000_000


class Logs:
    """Logs in its repr, as objects do that were made for debugging."""

    def __repr__(self):
        logging.getLogger("actors.hostile").error("looked at")
        return "<Logs>"


class ControlText:
    def __repr__(self):
        return "\x00\x1b[31m\u202e\ud800\x85\u2028"


class Proxy:
    """Claims to be what it is not."""

    @property
    def __class__(self):
        return dict

    def __repr__(self):
        return "<Proxy>"


class HostileMeta(type):
    def _raise(cls, *args):
        raise SystemExit

    __eq__ = __repr__ = __str__ = __instancecheck__ = __subclasscheck__ = __len__ = __iter__ = (
        __call__
    ) = _raise
    __hash__ = type.__hash__
    __mro__ = __dict__ = property(_raise)

    def __getattribute__(cls, name):
        raise SystemExit(name)


def of_hostile_class():
    return object.__new__(_HostileClass)


_HostileClass = type.__new__(HostileMeta, "OfHostileClass", (), {})


class HostileDict(dict):
    def _raise(self, *args):
        raise SystemExit

    __len__ = __iter__ = __getitem__ = __contains__ = __repr__ = __eq__ = keys = items = values = (
        get
    ) = _raise


class HostileList(list):
    def _raise(self, *args):
        raise SystemExit

    __len__ = __iter__ = __getitem__ = __contains__ = __repr__ = __eq__ = __bool__ = _raise


class HostileTuple(tuple):
    __slots__ = ()
    _fields = 42

    def _raise(self, *args):
        raise SystemExit

    __len__ = __iter__ = __getitem__ = __contains__ = __repr__ = __eq__ = __bool__ = _raise


class HostileInt(int):
    def _raise(self, *args):
        raise SystemExit

    __repr__ = __str__ = bit_length = __eq__ = __lt__ = __bool__ = __format__ = _raise
    __hash__ = int.__hash__


class HostileKey:
    """A key that was quiet until it was in the dict."""

    loud = False

    def __hash__(self):
        if self.loud:
            raise SystemExit
        return 1

    def __eq__(self, other):
        raise SystemExit

    def __repr__(self):
        raise SystemExit


def dict_of_hostile_keys():
    key = HostileKey()
    mapping = {key: 1}
    key.loud = True
    return mapping


class QuerySet:
    """Looks like Django's: whatever looks into it asks the database."""

    queries = 0

    def __init__(self):
        self._result_cache = None

    def _fetch_all(self):
        QuerySet.queries += 1

    def __iter__(self):
        self._fetch_all()
        return iter(())

    def __len__(self):
        self._fetch_all()
        return 0

    def __repr__(self):
        self._fetch_all()
        return "<QuerySet []>"

    __bool__ = __len__


class BadEnum(enum.Enum):
    A = 1

    def __repr__(self):
        raise MemoryError


@dataclass
class HalfMade:
    """Its fields were never set."""

    name: str
    other: str = field(init=False)

    def __init__(self):
        pass


def self_containing_list():
    value = [1]
    value.append(value)
    return value


def self_containing_dict():
    value = {"a": 1}
    value["self"] = value
    return value


def deep(container):
    value = container(())
    for _ in range(10_000):
        value = container((value,))
    return value


def deep_dict():
    value = {}
    for _ in range(10_000):
        value = {"inner": value}
    return value


class BrokenMapping(UserDict):
    def __init__(self):
        pass


def generator():
    yield 1


class Descriptor:
    def __get__(self, instance, owner):
        raise SystemExit

    def __set__(self, instance, value):
        raise SystemExit


class HostileNamedTuple(namedtuple("HostileNamedTuple", "first second")):  # noqa: PYI024 -- the older form
    first = Descriptor()
    _fields = ("first", 7)


OBJECTS = {
    "raises RuntimeError": lambda: Raises(RuntimeError("no")),
    "raises SystemExit": lambda: Raises(SystemExit(3)),
    "raises MemoryError": lambda: Raises(MemoryError()),
    "raises KeyboardInterrupt": lambda: Raises(KeyboardInterrupt()),
    "raises RecursionError": lambda: Raises(RecursionError()),
    "raises GeneratorExit": lambda: Raises(GeneratorExit()),
    "raises from __getattribute__": RaisesFromGetattribute,
    "recurses": Recurses,
    "returns no text": ReturnsNoText,
    "returns a hostile str": lambda: type(
        "A", (), {"__repr__": lambda self: ReturnsText("fine")}
    )(),
    "hostile str": lambda: ReturnsText("fine"),
    "huge repr": HugeRepr,
    "logs": Logs,
    "control characters": ControlText,
    "claims another class": Proxy,
    "hostile metaclass": of_hostile_class,
    "the hostile class itself": lambda: _HostileClass,
    "hostile dict": lambda: HostileDict(a=1, password="hunter2hunter2"),
    "hostile list": lambda: HostileList([1, 2]),
    "hostile tuple": lambda: HostileTuple((1, 2)),
    "hostile named tuple": lambda: HostileNamedTuple(1, 2),
    "hostile int": lambda: HostileInt(5),
    "hostile keys": dict_of_hostile_keys,
    "queryset": QuerySet,
    "bad enum": lambda: BadEnum.A,
    "half-made dataclass": HalfMade,
    "half-made mapping": BrokenMapping,
    "list in itself": self_containing_list,
    "dict in itself": self_containing_dict,
    "deep list": lambda: deep(list),
    "deep tuple": lambda: deep(tuple),
    "deep dict": deep_dict,
    "mock": unittest.mock.MagicMock,
    "mock of everything": lambda: unittest.mock.MagicMock(
        __repr__=unittest.mock.Mock(side_effect=SystemExit)
    ),
    "generator": generator,
    "surrogate": lambda: "\ud800",
    "NUL": lambda: "\x00",
    "huge int": lambda: 1 << 1_000_000,
    "huge str": lambda: "x" * 100_000_000,
    "huge bytes": lambda: bytes(100_000_000),
    "huge list": lambda: [None] * 3_000_000,
    "huge dict": lambda: dict.fromkeys(range(500_000)),
    "huge set": lambda: set(range(500_000)),
}


class BrokenStr(Exception):
    def __str__(self):
        raise SystemExit


class NoTextStr(Exception):
    def __str__(self):
        return 42


class BrokenEverything(Exception):
    def _raise(self, *args):
        raise SystemExit

    __str__ = __repr__ = __eq__ = __bool__ = __getattr__ = __dir__ = __len__ = __format__ = _raise
    __hash__ = Exception.__hash__
    __cause__ = __context__ = __traceback__ = __notes__ = __suppress_context__ = args = property(
        _raise
    )

    @property
    def __class__(self):
        raise SystemExit


class BrokenGetattribute(Exception):
    def __getattribute__(self, name):
        raise SystemExit


class HostileMetaError(Exception, metaclass=HostileMeta):
    pass


class BrokenSyntaxError(SyntaxError):
    msg = property(lambda self: 1 / 0)
    text = property(lambda self: 1 / 0)


def with_notes(notes):
    error = ValueError("noted")
    error.__notes__ = notes
    return error


def broken_syntax_error():
    error = SyntaxError("bad")
    error.lineno, error.offset, error.text, error.filename, error.end_offset = (
        "x",
        object(),
        5,
        b"x",
        "y",
    )
    return error


def cycle():
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    return first


def self_caused():
    error = ValueError("self")
    error.__context__ = error
    return error


def long_chain():
    error = ValueError("0")
    for index in range(1, 2_000):
        following = ValueError(str(index))
        following.__context__ = error
        error = following
    return error


def without_init():
    return UnicodeDecodeError.__new__(UnicodeDecodeError)


EXCEPTIONS = {
    "broken str": BrokenStr,
    "str that is none": NoTextStr,
    "broken everything": BrokenEverything,
    "broken __getattribute__": lambda: BaseException.__new__(BrokenGetattribute),
    "hostile metaclass": lambda: BaseException.__new__(HostileMetaError),
    "notes that are no list": lambda: with_notes(42),
    "notes that hold objects": lambda: with_notes([1, Raises(SystemExit()), "fine"]),
    "notes that are a hostile list": lambda: with_notes(HostileList(["fine"])),
    "many notes": lambda: with_notes(["note"] * 100_000),
    "hostile args": lambda: ValueError(Raises(SystemExit())),
    "huge args": lambda: ValueError("x" * 50_000_000),
    "cycle": cycle,
    "its own context": self_caused,
    "long chain": long_chain,
    "broken SyntaxError": broken_syntax_error,
    "SyntaxError with properties": lambda: BrokenSyntaxError("bad"),
    "UnicodeError without fields": without_init,
    "surrogates": lambda: ValueError("\ud800\x00\u202e"),
}
