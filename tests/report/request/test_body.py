"""What is found in the bytes of a body: the same as others find in it, and never an exception."""

from __future__ import annotations

import gzip
import io
import json
import time
import zlib
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from errormail.report.request.body import JSON_NAME, Body, media_type, parse_body

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xyz"
KINDS = [
    FORM,
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "application/json; charset=latin1",
    MULTIPART,
    "text/plain",
    "text/plain; charset=utf-16",
    "text/xml",
    "",
]


@given(
    st.sampled_from(KINDS) | st.text() | st.text().map("multipart/form-data; boundary={}".format),
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"--xyz",
                b"--",
                b"\r\n",
                b"\n",
                b'Content-Disposition: form-data; name="a"',
                b"{",
                b'"',
            ]
        )
    ).map(b"".join),
    st.integers(0, 1000),
)
def test_nothing_that_comes_raises(kind, body, size):
    found = parse_body(kind, body, size=size)
    for name, _ in found.fields:
        assert isinstance(name, str)


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_urlencoded_is_what_parse_qsl_says(body):
    expected = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    assert list(parse_body(FORM, body).fields) == expected


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_what_was_urlencoded_comes_back(pairs):
    pairs = [tuple(part.encode("utf-8", "replace").decode() for part in pair) for pair in pairs]
    assert list(parse_body(FORM, urlencode(pairs).encode()).fields) == pairs


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "utf-32-le"]))
def test_json_is_what_json_says(value, encoding):
    body = json.dumps(value).encode(encoding)
    fields = parse_body("application/vnd.api+json; charset=x", body).fields
    expected = tuple(value.items()) if isinstance(value, dict) else ((JSON_NAME, value),)
    assert fields == expected


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=5), st.data())
def test_of_json_that_is_cut_the_complete_members_are_found(value, data):
    text = json.dumps(value)
    end = data.draw(st.integers(0, len(text) - 1))
    found = parse_body("application/json", text[:end].encode(), size=len(text))
    assert list(found.fields) == list(value.items())[: len(found.fields)]
    assert found.notes[0].startswith("body: only the first")


def test_of_json_that_is_cut_all_but_the_last_member_stands():
    body = b'{"a": {"b": [1, 2]}, "c": "d", "e": 12e'
    found = parse_body("application/json", body, size=100)
    assert found.fields == (("a", {"b": [1, 2]}), ("c", "d"))
    assert found.notes == ("body: only the first 39 of 100 bytes were kept",)


@pytest.mark.parametrize("body", [b"[1, 2", b"{1: 2", b'{"a" 1, "b": 2', b'{"a": 1} {', b""])
def test_of_other_json_that_is_cut_nothing_is_made_up(body):
    fields = parse_body("application/json", body, size=100).fields
    assert fields in ((), (("a", 1),))


@pytest.mark.parametrize("body", [b"{", b"[" * 60_000, b"1" * 5_000, b"\xff\xfe\x00", b"{'a': 1}"])
def test_json_that_is_none_is_said(body):
    assert parse_body("application/json", body).notes == ("body: not valid JSON",)


def test_pairs_in_broken_json_are_found_for_hiding():
    found = parse_body("application/json", b'{"user": {"password": "top\\"secret", "n": 1,}}')
    assert found.fields == ()
    assert found.unsure == (("password", 'top\\"secret'),)


@pytest.mark.parametrize("body", [b'"\\"' * 20_000, b'"' * 60_000, b"\\" * 60_000, b'"":' * 20_000])
def test_broken_json_takes_little_time(body):
    start = time.perf_counter()
    parse_body("application/json", body + b"{")
    assert time.perf_counter() - start < 5


# werkzeug strips blanks around names, and cannot write control characters into a header.
NAMES = st.text(
    st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"], blacklist_characters='"\\%'),
    min_size=1,
    max_size=20,
).filter(lambda name: name == name.strip())
FIELDS = st.lists(st.tuples(NAMES, st.text(st.characters(blacklist_categories=["Cs"]))), max_size=6)
FILES = st.lists(
    st.tuples(NAMES, st.binary(max_size=100), NAMES, st.sampled_from(["image/png", "text/plain"])),
    max_size=3,
)


@given(FIELDS, FILES)
def test_multipart_is_what_werkzeug_says(fields, files):
    builder = EnvironBuilder(method="POST", content_type="multipart/form-data")
    for name, value in fields:
        builder.form.add(name, value)
    for name, content, filename, kind in files:
        builder.files.add_file(name, io.BytesIO(content), filename, kind)
    environ = builder.get_environ()
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    found = parse_body(environ["CONTENT_TYPE"], body)
    _, form, uploads = parse_form_data(environ, stream_factory=lambda *_, **__: io.BytesIO())
    assert sorted(found.fields) == sorted(form.items(multi=True))
    assert sorted(
        (each.field, each.filename, each.content_type, each.size) for each in found.files
    ) == sorted(
        (name, each.filename, each.mimetype, len(each.read()))
        for name, each in uploads.items(multi=True)
    )
    assert found.notes == ()


def part(disposition, content, *more):
    return "\r\n".join(["--xyz", f"Content-Disposition: {disposition}", *more, "", content, ""])


def multipart(*parts, end="--xyz--\r\n"):
    return parse_body(MULTIPART, ("".join(parts) + end).encode())


def test_an_upload_shows_name_type_and_size_and_no_content():
    found = multipart(
        part('form-data; name="cv"; filename="cv.pdf"', "12345", "Content-Type: application/pdf")
    )
    (upload,) = found.files
    assert (upload.field, upload.filename, upload.content_type, upload.size) == (
        "cv",
        "cv.pdf",
        "application/pdf",
        5,
    )
    assert found.fields == ()


def test_an_upload_that_was_cut_has_no_size():
    body = part('form-data; name="a"', "1") + part('form-data; name="cv"; filename="x"', "123")
    found = parse_body(MULTIPART, body.encode(), size=10_000)
    assert found.fields == (("a", "1"),)
    assert [each.size for each in found.files] == [None]
    assert "only the first" in found.notes[0]


def test_multipart_without_its_end_is_said():
    found = multipart(part('form-data; name="a"', "1"), end="")
    assert found.notes == ("body: multipart without its end",)


def test_multipart_without_a_boundary_is_said():
    assert parse_body("multipart/form-data", b"--x").notes == (
        "body: multipart without a boundary",
    )


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ("form-data; name=a; filename=plain.txt", "plain.txt"),
        ("form-data; name=\"a\"; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ('form-data; name="a"; filename="C:\\\\temp\\\\x.txt"', "C:\\temp\\x.txt"),
        ('form-data; name="a"; filename="say %22hi%22.txt"', 'say "hi".txt'),
        ('form-data; name="a"; filename="open', "open"),
        ('form-data; name="a"; filename=""', ""),
    ],
)
def test_file_names_are_read_in_every_form(disposition, filename):
    assert multipart(part(disposition, "x")).files[0].filename == filename


def test_parts_that_are_no_form_fields_are_passed_over():
    found = multipart(
        part("attachment; name=a", "x"),
        part("form-data", "x"),
        "--xyz\r\nno header at all\r\n",
        "--xyz\r\n",
        part('form-data; name="folded";\r\n filename="f"', "x"),
    )
    assert found.fields == ()
    assert [each.filename for each in found.files] == ["f"]


def test_line_feeds_alone_are_taken_as_line_ends():
    body = b'preamble\n--xyz\nContent-Disposition: form-data; name="a"\n\n1\n--xyz--\nepilogue'
    assert parse_body(MULTIPART, body).fields == (("a", "1"),)


def test_a_thousand_parts_are_enough():
    body = part('form-data; name="a"', "1") * 1_500
    assert len(parse_body(MULTIPART, body.encode()).fields) == 1_001


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "image/svg", "video/mp4"])
def test_other_types_give_nothing(kind):
    assert parse_body(kind, b"a=1") == Body()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text/plain", "(text)"),
        ("text/csv; charset=utf-8", "(text)"),
        ("application/graphql", "(text)"),
        ("application/yaml", "(text)"),
        ("application/xml", "(XML)"),
        ("text/xml", "(XML)"),
        ("application/soap+xml; charset=utf-8", "(XML)"),
    ],
)
def test_text_is_kept_as_a_whole(kind, name):
    assert parse_body(kind, b"<a>caf\xc3\xa9</a>").fields == ((name, "<a>caf\u00e9</a>"),)
    assert parse_body(kind, b" \r\n") == Body()


def test_text_in_another_charset_is_read_in_it():
    assert parse_body("text/plain; charset=ISO-8859-1", b"caf\xe9").fields == (
        ("(text)", "caf\u00e9"),
    )
    assert parse_body("text/plain; charset=utf-16", "caf\u00e9".encode("utf-16")).fields == (
        ("(text)", "caf\u00e9"),
    )
    form = "application/x-www-form-urlencoded; charset=windows-1252"
    assert parse_body(form, b"a=caf%E9").fields == (("a", "caf\u00e9"),)
    assert parse_body("application/json; charset=latin1", b'{"a": "caf\xe9"}').fields == (
        ("a", "caf\u00e9"),
    )


@pytest.mark.parametrize("charset", ["antigravity", "rot13", "utf-7", "idna", ""])
def test_a_charset_that_is_not_on_the_list_is_taken_for_utf_8(charset):
    assert parse_body(f"text/plain; charset={charset}", b"caf\xc3\xa9").fields == (
        ("(text)", "caf\u00e9"),
    )


@pytest.mark.parametrize("body", [b"\x00\x01\x02", b"\xff\xfe\xfd\xfc\xfb\xfa", b"abc\x08def"])
def test_what_only_says_that_it_is_text_is_not_shown(body):
    assert parse_body("text/plain", body) == Body(notes=("body: not text, although it says so",))


def test_a_text_may_end_within_a_character():
    found = parse_body("text/plain", "a\u20ac".encode()[:-1], size=4)
    assert found.fields == (("(text)", "a"),)
    assert found.notes == ("body: only the first 3 of 4 bytes were kept",)


def test_pairs_in_text_are_found_for_hiding():
    text = b'login(password: "a \\" b", pin: \'12 34\') token=abc {"key": "x"}'
    assert parse_body("application/graphql", text).unsure == (
        ("password", 'a \\" b'),
        ("pin", "12 34"),
        ("token", "abc"),
        ("key", "x"),
    )


@pytest.mark.parametrize(
    "text", ["a=" * 32_000, 'a="' * 21_000, "a" * 65_000, "a='" * 21_000, 'a="\\' * 16_000]
)
def test_odd_text_takes_little_time(text):
    start = time.process_time()
    parse_body("text/plain", text.encode())
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b"password=1"), zlib.compress(b"password=1"), b"\x28\xb5\x2f\xfd..."],
    ids=["gzip", "zlib", "zstd"],
)
def test_a_compressed_body_is_said_and_not_unpacked(packed):
    found = parse_body("application/x-www-form-urlencoded", packed, encoding="gzip")
    assert found == Body(notes=("body: compressed (gzip), and not unpacked",))


@pytest.mark.parametrize("encoding", ["", "identity", "gzip"])
def test_what_was_unpacked_already_is_read(encoding):
    assert parse_body("application/json", b'{"a": 1}', encoding=encoding).fields == (("a", 1),)


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl"])
def test_json_on_each_line_is_read_line_by_line(kind):
    body = b'{"a": 1}\r\n\n[2]\n{"password": "correct-horse", \n3'
    found = parse_body(kind, body)
    assert found.fields == (("(line 1)", {"a": 1}), ("(line 3)", [2]), ("(line 5)", 3))
    assert found.unsure == (("password", "correct-horse"),)


def test_a_sequence_of_json_texts_is_read_too():
    assert parse_body("application/json-seq", b"\x1e1\n\x1e2\n").fields == (
        ("(line 1)", 1),
        ("(line 2)", 2),
    )


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/vnd.api+json", "APPLICATION/LD+JSON"]
)
@pytest.mark.parametrize("value", [[1, "a"], "a", 3, None, {"a": {"b": [1]}}])
def test_json_of_every_kind_and_top_level_is_read(kind, value):
    fields = parse_body(kind, json.dumps(value).encode()).fields
    assert fields == (tuple(value.items()) if type(value) is dict else (("(JSON)", value),))


@pytest.mark.parametrize(
    ("text", "kind", "parameters"),
    [
        ("Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ('a/b;x="1;2";y=3', "a/b", {"x": "1;2", "y": "3"}),
        ("a/b;x=1;x=2", "a/b", {"x": "1"}),
        ('a/b; x="say \\"hi\\""', "a/b", {"x": 'say "hi"'}),
        ("", "", {}),
    ],
)
def test_a_media_type_is_taken_apart(text, kind, parameters):
    assert media_type(text) == (kind, parameters)
