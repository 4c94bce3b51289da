"""A report as files of a mail: report.txt for people, report.json for programs. Each at most `ATTACHMENT_BYTES`."""

from __future__ import annotations

import gzip
import json
from itertools import chain
from typing import NamedTuple

from errormail.report.model import Frequency, Report
from errormail.report.serial import report_to_dict
from errormail.report.slim import slimmer, weight

__all__ = ["Attachment", "json_file", "text_file"]

GZIP_FROM_BYTES = 100_000
"""A longer file is attached compressed. email/DESIGN, Size."""
ATTACHMENT_BYTES = 1_000_000
"""Of a file as it is attached."""
JSON_WEIGHT = 10_000_000
"""Of a report that is written as a whole, see `weight`; a second of work is enough."""


class Attachment(NamedTuple):
    name: str
    content: str | bytes
    mimetype: str


def text_file(text: str) -> Attachment:
    """Return report.txt or report.txt.gz with *text*: its begin, if even compressed it is too long."""
    content = text.encode("utf-8", "backslashreplace")
    if len(content) <= GZIP_FROM_BYTES:
        return Attachment("report.txt", text, "text/plain")
    kept = len(content)
    packed = _packed(content)
    while len(packed) > ATTACHMENT_BYTES:
        kept = kept * 3 // 4
        packed = _packed(
            content[:kept] + b"\n\n[cut here: %d bytes more]\n" % (len(content) - kept)
        )
    return Attachment("report.txt.gz", packed, "application/gzip")


def json_file(report: Report, frequency: Frequency | None) -> Attachment:
    """Return report.json or report.json.gz, from which `report_from_dict` makes the report again: a smaller one, if it is too long."""
    whole = [report] if weight(report) <= JSON_WEIGHT else []
    for each in chain(whole, slimmer(report, most=JSON_WEIGHT)):
        values = report_to_dict(each, frequency=frequency)
        text = json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1)
        content = f"{text}\n".encode()
        if len(content) <= GZIP_FROM_BYTES:
            return Attachment("report.json", content, "application/json")
        packed = _packed(content)
        if len(packed) <= ATTACHMENT_BYTES:
            return Attachment("report.json.gz", packed, "application/gzip")
    raise ValueError("the report does not get small enough")  # no report is: see slimmer()


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # the same bytes for the same report
