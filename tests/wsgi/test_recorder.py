"""Reading along: the application sees what it would see without, and the copy is the begin of what it has read."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errormail.wsgi.recorder import BodyRecorder, body_of, came_through, original_of, record

BODIES = st.lists(st.sampled_from([b"\n", b"a", b"bc\n", b"\x00\xff", b"x" * 50]), max_size=40).map(
    b"".join
)
SIZES = st.integers(-1, 60)
CALLS = st.one_of(
    st.tuples(st.sampled_from(["read", "read1", "readline", "readlines"]), SIZES),
    st.tuples(st.sampled_from(["readinto", "readinto1"]), st.integers(0, 60)),
    st.tuples(st.sampled_from(["iterate", "next", "read_all"]), st.integers(0, 4)),
)


class Minimal:
    """What PEP 3333 asks for and no more."""

    def __init__(self, body):
        self._body = io.BytesIO(body)

    def read(self, size=-1):
        return self._body.read(size)

    def readline(self, size=-1):
        return self._body.readline(size)

    def readlines(self, hint=-1):
        return self._body.readlines(hint)

    def __iter__(self):
        while line := self.readline():
            yield line


STREAMS = {
    "BytesIO": io.BytesIO,
    "BufferedReader": lambda body: io.BufferedReader(io.BytesIO(body)),
    "Minimal": Minimal,
}


def perform(stream, call):
    """Do one call; return what the application sees of it."""
    name, number = call
    try:
        if name in {"readinto", "readinto1"}:
            buffer = bytearray(number)
            return getattr(stream, name)(buffer), bytes(buffer)
        if name == "iterate":
            return [line for _, line in zip(range(number), stream, strict=False)]
        if name == "next":
            return next(stream)
        if name == "read_all":
            return stream.read()
        return getattr(stream, name)(number)
    except (AttributeError, TypeError, StopIteration) as error:
        return type(error)


def bytes_of(seen):
    if isinstance(seen, bytes):
        return seen
    if isinstance(seen, list):
        return b"".join(seen)
    if isinstance(seen, tuple):
        return seen[1][: seen[0]]
    return b""


@pytest.mark.parametrize("kind", STREAMS)
@given(body=BODIES, calls=st.lists(CALLS, max_size=12), limit=st.integers(0, 200))
@example(body=b"a\nb\n", calls=[("readlines", 1), ("readinto", 9), ("next", 0)], limit=3)
def test_any_calls_on_any_body_give_what_the_bare_stream_gives(kind, body, calls, limit):
    bare, recorder = STREAMS[kind](body), record(STREAMS[kind](body), limit)
    seen = [perform(recorder, call) for call in calls]
    assert seen == [perform(bare, call) for call in calls]
    read = b"".join(map(bytes_of, seen))
    assert body_of(recorder) == (read[:limit], len(read))


NAMES = [
    "read", "readline", "readlines", "readinto", "read1", "readinto1", "readall", "peek", "seek", "tell", "fileno",
    "close", "closed", "__next__", "__iter__", "getvalue", "no_such_name",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", STREAMS)
def test_it_has_the_attributes_of_the_stream_and_no_others(kind, name):
    stream = STREAMS[kind](b"")
    assert hasattr(record(stream, 9), name) == hasattr(stream, name)


def test_a_stream_that_cannot_be_iterated_stays_so():
    class Bare:
        def read(self, size):
            return b"x" * size

    recorder = record(Bare(), 9)
    assert not hasattr(recorder, "__iter__")
    with pytest.raises(TypeError):
        iter(recorder)
    assert recorder.read(3) == b"xxx"


def test_a_stream_that_is_its_own_iterator_stays_so():
    recorder = record(io.BytesIO(b"a\nb\n"), 9)
    assert iter(recorder) is recorder
    assert list(recorder) == [b"a\n", b"b\n"]
    assert body_of(recorder) == (b"a\nb\n", 4)


@pytest.mark.parametrize("step", [b"ab", b"abcdef"])
def test_what_is_read_again_after_seek_is_in_the_copy_once(step):
    recorder = record(io.BytesIO(b"abcdef"), 9)
    assert recorder.read(len(step)) == step
    assert recorder.seek(0) == 0
    assert recorder.read() == b"abcdef"
    assert body_of(recorder) == (b"abcdef", 6)


def test_after_a_jump_forward_the_copy_ends():
    recorder = record(io.BytesIO(b"abcdef"), 9)
    recorder.read(2)
    recorder.seek(4)
    assert recorder.read() == b"ef"
    assert body_of(recorder) == (b"ab", 6)


def test_a_stream_that_has_nothing_yet_gives_none():
    class Raw(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            return None

    recorder = record(Raw(), 9)
    assert recorder.read(5) is None
    assert recorder.readinto(bytearray(5)) is None
    assert body_of(recorder) == (b"", 0)


@pytest.mark.parametrize("odd", ["text", 7, None, [1, 2]])
def test_a_stream_that_gives_something_else_is_handed_through(odd):
    class Odd:
        def read(self):
            return odd

        readlines = readinto = seek = read

    recorder = record(Odd(), 9)
    assert [recorder.read(), recorder.readlines(), recorder.readinto(), recorder.seek()] == [
        odd
    ] * 4
    assert body_of(recorder)[0] == b""


def test_it_reads_into_a_buffer_of_any_shape():
    from array import array

    recorder = record(io.BytesIO(bytes(range(8))), 99)
    buffer = array("i", [0, 0, 0])
    assert recorder.readinto(buffer) == 8
    assert body_of(recorder) == (bytes(range(8)), 8)


def test_it_reads_nothing_by_itself():
    class Silent:
        def __getattr__(self, name):
            raise AssertionError(f"asked for {name}")

    recorder = record(Silent(), 9)
    repr(recorder)
    assert body_of(recorder) == (b"", 0)


def test_an_error_of_the_stream_comes_out_as_it_is():
    error = OSError("the client is gone")

    class Broken:
        def read(self, size=-1):
            raise error

    with pytest.raises(OSError, match="gone") as caught:
        record(Broken(), 9).read()
    assert caught.value is error
    assert came_through(caught.value.__traceback__)


def test_an_error_from_elsewhere_did_not_come_through_it():
    with pytest.raises(OSError, match="disk") as caught:
        raise OSError("disk")
    assert not came_through(caught.value.__traceback__)
    assert not came_through(None)


def test_its_repr_shows_no_byte_of_the_body():
    class Telling(io.BytesIO):
        def __repr__(self):
            return f"<{self.getvalue()!r}>"

    recorder = record(Telling(b"secret"), 9)
    recorder.read()
    assert repr(recorder) == "<IteratorRecorder of Telling>"


def test_it_can_be_copied_and_gives_its_stream_back():
    import copy

    stream = io.BytesIO(b"ab")
    recorder = record(stream, 9)
    assert copy.copy(recorder).read() == b"ab"
    assert original_of(recorder) is stream
    assert isinstance(recorder, BodyRecorder)


def test_other_streams_can_be_laid_over_it():
    body = "grüße\nzwei\n".encode()
    recorder = record(io.BytesIO(body), 5)
    text = io.TextIOWrapper(recorder, encoding="utf-8")
    assert text.read() == "grüße\nzwei\n"
    assert body_of(recorder) == (body[:5], len(body))


@given(chunks=st.lists(st.integers(0, 5_000), max_size=60))
def test_the_copy_never_grows_beyond_its_limit(chunks):
    recorder = record(io.BytesIO(b"x" * 300_000), 1_000)
    for size in chunks:
        recorder.read(size)
    kept, size = body_of(recorder)
    assert (len(kept), size) == (min(1_000, sum(chunks)), sum(chunks))
