"""A report becomes plain values and is the same again; what is none is refused in words."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import gzip
import importlib.util
import json
from pathlib import Path
from typing import get_type_hints

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from actors import reports
from errormail.report import model, serial
from errormail.report.serial import frequency_from_dict, loads, report_from_dict, report_to_dict

DOCS = Path(__file__).parents[2] / "docs"
SMALL = sorted(set(reports.SAMPLES) - {"giant", "worst"})

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def made(cls, /, **more):
    """Return a strategy for *cls*: each simple field of it is drawn, the others are *more*."""
    simple = {
        str: TEXT,
        int: st.integers(),
        bool: st.booleans(),
        float: NUMBER,
        int | None: st.none() | st.integers(),
        float | None: st.none() | NUMBER,
        tuple[str, ...]: st.lists(TEXT, max_size=2).map(tuple),
        tuple[model.Variable, ...]: ROWS,
    }
    hints = get_type_hints(cls)
    return st.builds(
        cls, **{name: more[name] if name in more else simple[hints[name]] for name in hints}
    )


def some(strategy):
    return st.lists(strategy, max_size=2).map(tuple)


ROWS = some(st.builds(model.Variable, name=TEXT, value=TEXT))
FRAMES = some(made(model.Frame) | made(model.Elision))


def exceptions(cause, members):
    return made(
        model.CapturedException,
        frames=FRAMES,
        cause=cause,
        relation=st.sampled_from(["cause", "context", ""]),
        members=members,
    )


EXCEPTIONS = st.recursive(
    exceptions(st.none(), st.just(())),
    lambda inner: exceptions(st.none() | inner, some(inner)),
    max_leaves=4,
)
REPORTS = made(
    model.Report,
    exception=st.none() | EXCEPTIONS,
    request=st.none() | made(model.Request, files=some(made(model.Upload))),
    runtime=made(model.Runtime),
    calls=FRAMES,
    log=some(made(model.LogLine)),
    sections=some(made(model.Section)),
)


# there and back


@given(REPORTS, st.none() | made(model.Frequency))
@hypothesis_settings(max_examples=200)
def test_a_report_is_the_same_again(report, frequency):
    """Whatever it holds, and through JSON text."""
    text = json.dumps(report_to_dict(report, frequency=frequency), ensure_ascii=False)
    again = loads(text.encode())
    assert report_from_dict(again) == report
    assert frequency_from_dict(again) == frequency
    assert json.dumps(report_to_dict(report, frequency=frequency), ensure_ascii=False) == text


@pytest.mark.parametrize("sample", SMALL)
def test_hand_made_reports_are_the_same_again(sample):
    report = reports.SAMPLES[sample]()
    assert report_from_dict(loads(json.dumps(report_to_dict(report)).encode())) == report


def test_it_is_made_of_what_json_knows():
    def kinds(value):
        yield type(value)
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            yield from kinds(inner)

    whole = report_to_dict(reports.checkout(), frequency=reports.AGAIN)
    assert set(kinds(whole)) <= {dict, list, str, int, float, bool, type(None)}


def test_it_begins_with_what_it_is():
    assert list(report_to_dict(reports.one_frame()).items())[:3] == [
        ("schema", "errormail-report"),
        ("version", 1),
        ("frequency", None),
    ]


def test_no_field_of_a_report_has_a_name_of_the_head():
    names = {field.name for field in dataclasses.fields(model.Report)}
    assert names.isdisjoint({"schema", "version", "frequency"})


def test_a_field_that_is_not_required_may_be_missing():
    """A report of an older errormail lacks the fields that came later."""
    whole = report_to_dict(reports.one_frame())
    del whole["log"], whole["exception"]["frames"][0]["url"]
    assert report_from_dict(whole) == reports.one_frame()


def test_a_field_that_is_not_known_is_left_out():
    """A report of a newer errormail has them."""
    whole = report_to_dict(reports.checkout())
    for each in (whole, whole["exception"], whole["exception"]["frames"][0], whole["request"]):
        each["weather"] = {"rain": [True]}
    assert report_from_dict(whole) == reports.checkout()


def test_a_whole_number_is_a_number():
    whole = report_to_dict(reports.one_frame())
    whole["occurred_at"] = 1791170055
    report = report_from_dict(whole)
    assert (report.occurred_at, type(report.occurred_at)) == (1791170055.0, float)


# what is refused


def refusal(read, whole):
    """Return the words with which *read* refuses *whole*."""
    with pytest.raises(ValueError, match=r".") as caught:
        read(whole)
    return str(caught.value)


def at(whole, path):
    for key in path[:-1]:
        whole = whole[key]
    return whole, path[-1]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["message"], 7, "message: expected a str, got an int"),
        (["message"], None, "message: expected a str, got null"),
        (["exception", "frames", 3, "lineno"], "17", "exception.frames[3].lineno: expected an int, got a str"),
        (["exception", "frames", 3, "lineno"], True, "exception.frames[3].lineno: expected an int, got a bool"),
        (["exception", "frames", 3, "in_app"], 1, "exception.frames[3].in_app: expected a bool, got an int"),
        (["exception", "frames", 3], ["a"], "exception.frames[3]: expected an object, got a list"),
        (["exception", "frames"], {}, "exception.frames: expected a list, got an object"),
        (["exception", "cause", "members", 1, "notes", ], [1.5], "exception.cause.members[1].notes[0]: expected a str, got a float"),
        (["exception", "relation"], "friend", "exception.relation: expected one of 'cause', 'context', '', got the str 'friend'"),
        (["exception", "relation"], 3, "exception.relation: expected one of 'cause', 'context', '', got an int"),
        (["request"], "GET", "request: expected an object, got a str"),
        (["occurred_at"], "now", "occurred_at: expected a number, got a str"),
        (["occurred_at"], True, "occurred_at: expected a number, got a bool"),
        (["occurred_at"], float("inf"), "occurred_at: expected a number, got a float"),
        (["occurred_at"], 10**400, "occurred_at: expected a number, got an int"),
        (["service"], "\ud800", "service: expected text, got a lone surrogate in it"),
        (["runtime", "pid"], 1.0, "runtime.pid: expected an int, got a float"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_place(path, value, words):
    whole = report_to_dict(reports.checkout())
    parent, key = at(whole, path)
    parent[key] = value
    assert refusal(report_from_dict, whole) == words


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (["level"], "level"),
        (["runtime", "host"], "runtime.host"),
        (["exception", "frames", 1, "filename"], "exception.frames[1].filename"),
        (["exception", "type_name"], "exception.type_name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_required_field_that_is_missing_is_named(path, place):
    whole = report_to_dict(reports.checkout())
    parent, key = at(whole, path)
    del parent[key]
    assert refusal(report_from_dict, whole) == f"{place}: is missing"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"schema": "other"}, "schema: expected 'errormail-report': this is no report of errormail"),
        ({"version": "1"}, "version: expected a number from 1 on"),
        ({"version": True}, "version: expected a number from 1 on"),
        ({"version": 0}, "version: expected a number from 1 on"),
        ({"version": 2}, "version: the report is of version 2, and this errormail reads up to 1: a newer one can"),
    ],
    ids=["schema", "text", "true", "0", "2"],
)  # fmt: skip
@pytest.mark.parametrize("read", [report_from_dict, frequency_from_dict])
def test_another_schema_or_a_newer_version_is_refused(head, words, read):
    assert refusal(read, {**report_to_dict(reports.one_frame()), **head}) == words


@pytest.mark.parametrize("value", [None, [], "report", 3])
def test_what_is_no_mapping_is_refused(value):
    with pytest.raises(ValueError, match="expected a report, got"):
        report_from_dict(value)


def test_a_wrong_frequency_is_refused_with_its_place():
    whole = report_to_dict(reports.one_frame(), frequency=reports.AGAIN)
    whole["frequency"]["occurrences"] = "many"
    with pytest.raises(ValueError, match=r"^frequency\.occurrences: expected an int, got a str$"):
        frequency_from_dict(whole)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_whatever_stands_in_it_is_read_or_refused(data):
    """Any value in any place gives a report or ValueError, nothing else."""
    whole = copy.deepcopy(CHECKOUT)
    spot = whole
    while True:
        key = data.draw(
            st.sampled_from(sorted(spot) if isinstance(spot, dict) else range(len(spot)))
        )
        if not isinstance(spot[key], (dict, list)) or not spot[key] or data.draw(st.booleans()):
            break
        spot = spot[key]
    spot[key] = data.draw(JUNK)
    with contextlib.suppress(ValueError):
        assert isinstance(report_from_dict(whole), model.Report)
        frequency_from_dict(whole)


CHECKOUT = report_to_dict(reports.checkout(), frequency=reports.AGAIN)


# files


def test_a_compressed_file_is_known_by_its_begin():
    assert loads(gzip.compress(b'{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"hello", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b'{"a": "\xff"}', "no JSON"),
        (b"[" * 1_000_000, "no JSON"),
        (b"[1]", "expected a report, got a list"),
        (b"\x1f\x8bjunk", "no gzip"),
        (gzip.compress(b'{"a": 1}')[:-4], "no gzip: it ends too early"),
    ],
    ids=["empty", "text", "utf-16", "no utf-8", "brackets", "list", "junk", "half"],
)
def test_what_is_no_json_is_refused(content, words):
    with pytest.raises(ValueError, match=words):
        loads(content)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "compressed"])
def test_what_is_too_large_is_refused_before_it_is_read(monkeypatch, pack):
    monkeypatch.setattr(serial, "JSON_BYTES", 1_000)
    assert loads(pack(b"{" + b" " * 900 + b"}")) == {}
    with pytest.raises(ValueError, match="larger than 1,000 bytes"):
        loads(pack(b"{" + b" " * 1_000_000 + b"}"))


# the schema


def generator():
    spec = importlib.util.spec_from_file_location("report_schema", DOCS / "report_schema.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schema_in_docs_is_that_of_the_model():
    """If not: python docs/report_schema.py"""
    made_now = generator().as_text()
    assert (DOCS / "report.schema.json").read_text(encoding="utf-8") == made_now


@pytest.fixture(scope="module")
def validator():
    schema = json.loads((DOCS / "report.schema.json").read_text(encoding="utf-8"))
    cls = jsonschema.validators.validator_for(schema)
    cls.check_schema(schema)
    return cls(schema)


@pytest.mark.parametrize("sample", SMALL)
def test_what_is_written_fits_the_schema(validator, sample):
    validator.validate(report_to_dict(reports.SAMPLES[sample](), frequency=reports.AGAIN))


@given(report=REPORTS)
@hypothesis_settings(max_examples=25)
def test_whatever_is_written_fits_the_schema(validator, report):
    validator.validate(report_to_dict(report))


def test_what_does_not_fit_the_schema_is_not_read_either(validator):
    whole = report_to_dict(reports.checkout())
    whole["exception"]["frames"][3]["lineno"] = "17"
    assert not validator.is_valid(whole)


def test_the_page_explains_every_class_and_the_head():
    page = (DOCS / "report-json.md").read_text(encoding="utf-8")
    names = {cls.__name__ for cls in vars(model).values() if dataclasses.is_dataclass(cls)}
    assert {name for name in names if f"`{name}`" not in page} == set()
