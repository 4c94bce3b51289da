"""A report that is too big becomes a smaller one, which says so and still is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors import reports
from errormail.report.model import Elision, LogLine, Section, Upload
from errormail.report.serial import report_from_dict, report_to_dict
from errormail.report.slim import slimmer, weight, without_values

EVERYTHING = 1 << 40
SMALL = sorted(set(reports.SAMPLES) - {"giant", "worst"})


def frames_in(exc):
    return sum(one.frames if isinstance(one, Elision) else 1 for one in exc.frames)


@pytest.fixture(scope="module")
def smaller():
    """The giant, smaller and smaller."""
    return list(slimmer(reports.giant(), most=30_000_000))


def test_each_is_smaller_than_the_one_before(smaller):
    weights = list(map(weight, smaller))
    assert len(weights) > 2
    assert weights == sorted(weights, reverse=True)
    assert weights[0] <= 30_000_000
    assert weights[-1] <= 100_000


@pytest.mark.parametrize("sample", ["giant", "worst"])
def test_the_last_is_small_whatever_it_was(sample):
    *_, last = slimmer(reports.SAMPLES[sample](), most=1_000_000)
    assert weight(last) <= 100_000
    assert report_from_dict(report_to_dict(last)) == last


def test_each_says_so(smaller):
    assert {each.notes[-1] for each in smaller} == {
        "errormail cut this file to its essentials, for it would have been too big"
    }


def test_frames_members_and_variables_that_are_gone_are_counted(smaller):
    whole = reports.giant().exception
    for each in smaller:
        exc = each.exception
        assert frames_in(exc) == frames_in(whole)
        assert len(exc.members) + exc.members_omitted == len(whole.members) + whole.members_omitted
        frame, before = exc.frames[1], whole.frames[1]
        assert len(frame.variables) + frame.omitted == len(before.variables) + before.omitted


def test_the_ends_of_a_traceback_stay(smaller):
    whole = reports.giant().exception
    for each in smaller:
        for end in (0, -1):
            assert each.exception.frames[end].lineno == whole.frames[end].lineno


def test_a_chain_that_is_cut_says_so(smaller):
    links = list(smaller[-1].exception.chain())
    assert (len(links), links[-1].cut, links[-1].relation) == (3, "chain longer than 3", "")


def test_of_the_log_the_last_lines_stay():
    log = tuple(
        LogLine(at=float(n), level="INFO", logger="shop", message=str(n)) for n in range(50)
    )
    *_, last = slimmer(replace(reports.checkout(), log=log, log_omitted=7), most=EVERYTHING)
    assert last.log[-1].message == "49"
    assert len(last.log) + last.log_omitted == 57


@pytest.mark.parametrize("sample", SMALL)
def test_a_text_says_how_much_of_it_is_missing(sample):
    report = replace(reports.SAMPLES[sample](), stack="x" * 10_000)
    first = next(slimmer(report, most=EVERYTHING))
    assert first.stack == "x" * 1_000 + "… 9,000 more characters"


def test_without_values_there_are_none():
    row = reports.pairs(("row", "in a section"))
    report = replace(
        reports.checkout(),
        log=(LogLine(at=1.0, level="INFO", logger="shop", message="in the log"),),
        sections=(Section(title="Cart", rows=row),),
        extra=row,
        request=reports.request(
            files=(Upload(field="f", filename="in.txt", content_type="text/plain", size=3),)
        ),
    )
    bare = without_values(report)
    text = str(report_to_dict(bare))
    for value in ("SKU-7734", "Bahnhofstrasse", "in the log", "in a section", "in.txt", "AUTUMN10"):
        assert value not in text, value
    for kept in ("no rate from CHF to EUR", "shop/pricing/engine.py", "self.rates.lookup"):
        assert kept in text, kept
    culprit = report.exception.culprit
    assert bare.exception.culprit.omitted == culprit.omitted + len(culprit.variables)
    assert bare.notes[-1].startswith("Values are missing")
