"""
Reading along: a stand-in for ``wsgi.input`` that keeps the first bytes of what the application reads of it.

It never reads by itself, so it can neither block nor take a byte away. What the original has not, it has not either:
frameworks choose their way of reading by ``hasattr``, and Werkzeug reads through ``readinto`` where that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, cast

from errormail._contain import contained

__all__ = ["BodyRecorder", "body_of", "came_through", "original_of", "record"]

_KEEPING = contained("request body")  # it has no state: one is enough


class BodyRecorder:
    """
    Hands every call on to *stream* and keeps a copy of the bytes that come back.

    Only attributes that are asked for are looked up: at the first use of ``read`` the recording function is put in the
    instance, where the next use finds it without a detour.

    Args:
        stream: The original.
        limit: Bytes to keep; what is read beyond is counted only.
    """

    def __init__(self, stream: object, limit: int) -> None:
        # Names that hide nothing of the stream.
        self.errormail_stream = stream
        self.errormail_copy: Copy = Copy(limit)

    def __getattr__(self, name: str) -> object:
        # Special methods are looked up in the type, so to show the stream's would be a lie. And a copy that `copy` has
        # not filled yet has no stream: no recursion.
        if name.startswith("__") or name == "errormail_stream":
            raise AttributeError(name)
        value = getattr(self.errormail_stream, name)  # its AttributeError is the right one
        wrap = _WRAPPERS.get(name)
        if wrap is None or not callable(value):
            return value
        recording = wrap(value, self.errormail_copy)
        self.__dict__[name] = recording
        return recording

    def __repr__(self) -> str:
        # Not the original's: in a report it could show the body.
        return f"<{type(self).__name__} of {type(self.errormail_stream).__name__}>"


class IterableRecorder(BodyRecorder):
    """Of a stream that can be iterated, as PEP 3333 asks for."""

    def __iter__(self) -> Iterator[bytes]:
        iterator = iter(cast("Iterator[bytes]", self.errormail_stream))
        if iterator is self.errormail_stream and hasattr(self, "__next__"):
            return cast("Iterator[bytes]", self)
        return _recorded_lines(iterator, self.errormail_copy)


class IteratorRecorder(IterableRecorder):
    """Of a stream that is its own iterator, as those of `io` are."""

    def __next__(self) -> bytes:
        line = next(cast("Iterator[bytes]", self.errormail_stream))
        self.errormail_copy.add(line)
        return line


def record(stream: object, limit: int) -> BodyRecorder:
    """Return the recorder for *stream*, of which it keeps the first *limit* bytes that are read."""
    kind = type(stream)
    if not hasattr(kind, "__iter__"):  # iter() looks at the type as well
        return BodyRecorder(stream, limit)
    return (IteratorRecorder if hasattr(kind, "__next__") else IterableRecorder)(stream, limit)


def body_of(recorder: BodyRecorder) -> tuple[bytes, int]:
    """Return what *recorder* has kept, and how many bytes have been read in all."""
    copy = recorder.errormail_copy
    return bytes(copy.data), copy.size


def original_of(recorder: BodyRecorder) -> object:
    """Return the stream that *recorder* stands for."""
    return recorder.errormail_stream


def came_through(tb: TracebackType | None) -> bool:
    """Return whether an exception with the traceback *tb* rose while a recorder handed a call on to its stream."""
    while tb is not None:
        if tb.tb_frame.f_globals is _GLOBALS:
            return True
        tb = tb.tb_next
    return False


class Copy:
    """The first *limit* bytes of what was added, and the size of all."""

    __slots__ = ("data", "limit", "size")

    def __init__(self, limit: int) -> None:
        self.data: bytes | bytearray = b""
        self.limit: int = limit
        self.size: int = 0

    def add(self, chunk: object) -> None:
        """Take note of what one call gave. Anything but bytes (None of a raw stream, str of a wrong one) is ignored."""
        if isinstance(chunk, (bytes, bytearray)):
            with _KEEPING:
                size = len(chunk)
                room = self.limit - len(self.data)
                if room > 0:
                    self._append(chunk if size <= room else chunk[:room])
                self.size += size

    def _append(self, chunk: bytes | bytearray) -> None:
        if not self.data and type(chunk) is bytes:
            self.data = chunk  # most bodies are read at once: no copy then
            return
        if not isinstance(self.data, bytearray):
            self.data = bytearray(self.data)
        self.data += chunk

    def move(self, position: object) -> None:
        """
        Take note that the stream now stands at *position*, in bytes from its begin.

        Going back means that the application reads again what is in the copy: that must not be there twice. After a
        jump forward nothing more is kept, since the copy would have a hole.
        """
        if not isinstance(position, int):
            return
        if position <= self.size:
            self.data = self.data[:position]
        else:
            self.limit = len(self.data)
        self.size = position


class _Method(Protocol):
    def __call__(self, *args: object, **kwargs: object) -> object: ...


def _returns_bytes(original: _Method, copy: Copy) -> _Method:
    def read(*args: object, **kwargs: object) -> object:
        data = original(*args, **kwargs)
        copy.add(data)
        return data

    return read


def _returns_lines(original: _Method, copy: Copy) -> _Method:
    def readlines(*args: object, **kwargs: object) -> object:
        lines = original(*args, **kwargs)
        if isinstance(lines, list):
            for line in cast("list[object]", lines):
                copy.add(line)
        return lines  # pyright: ignore[reportUnknownVariableType] -- narrowed to list[Unknown] above

    return readlines


def _fills_buffer(original: _Method, copy: Copy) -> _Method:
    def readinto(*args: object, **kwargs: object) -> object:
        count = original(*args, **kwargs)
        if args and isinstance(count, int):  # None: a raw stream that had nothing yet
            with _KEEPING:
                copy.add(memoryview(cast("bytearray", args[0])).cast("B")[:count].tobytes())
        return count

    return readinto


def _moves(original: _Method, copy: Copy) -> _Method:
    def seek(*args: object, **kwargs: object) -> object:
        position = original(*args, **kwargs)
        copy.move(position)
        return position

    return seek


def _recorded_lines(lines: Iterator[bytes], copy: Copy) -> Iterator[bytes]:
    for line in lines:
        copy.add(line)
        yield line


_WRAPPERS: dict[str, Callable[[_Method, Copy], _Method]] = {
    "read": _returns_bytes,
    "read1": _returns_bytes,
    "readall": _returns_bytes,
    "readline": _returns_bytes,
    "readlines": _returns_lines,
    "readinto": _fills_buffer,
    "readinto1": _fills_buffer,
    "seek": _moves,
}
"""Everything that moves a stream of `io` or of a WSGI server. Other attributes, ``peek`` say, are the original's."""

_GLOBALS = globals()
