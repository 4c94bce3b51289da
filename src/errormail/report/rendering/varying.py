"""
What differs from one occurrence of a failure to the next: ids and numbers, by their shape.

`steady` is for what a person reads and a mail program sorts by. `fingerprint` has a coarser form for groups, and a
faster one: it is made at each occurrence.
"""

from __future__ import annotations

import re

__all__ = ["steady"]

MARK = "#"
"""Stands in place of an id or a number. ASCII, so that a subject needs no encoding for it."""
STEADY_CHARS = 2_000
"""No more of a text is looked at. Some of the forms cost the square of it."""
SMALL = 2
"""Digits of a number that is more likely a count than an id."""

# First what holds digits and yet is always the same: names of encodings, algorithms, protocols, packages, and numbers
# that words beside them determine. Then the ids, longest forms first, then numbers.
_VARYING = re.compile(
    r"""
      (?P<same> (?<![A-Za-z0-9]) (?:
            (?:utf|ucs)[-_]?\d{1,2} (?:[-_]?[bl]e)? | latin[-_]?\d | iso[-_]?8859[-_]\d{1,2} | (?:cp|windows-)\d{3,4}
          | sha[-_]?\d{1,3} (?:[-_]\d{3})? | md[45] | blake2[bs] | base(?:16|32|58|64|85) | crc32 | ed25519 | x509
          | u?int(?:8|16|32|64) | float(?:16|32|64) | x86(?:[-_]64)? | x64 | arm64 | amd64 | win32 | ipv?[46] | inet6
          | https?/\d(?:\.\d)? | h[123] | tlsv?\d(?:[._]\d)? | sslv?[23] | oauth[12] | socks[45] | i18n | l10n | k8s
          | s3 | ec2 | boto3 | urllib[23] | psycopg[23]? | (?:jinja|py|bs|lib|neo|db|sqlite|html|python)[2-6]
        ) (?![A-Za-z0-9])
        | \[(?:Errno|WinError)[ ]-?\d{1,9}\] | \bbase[ ]\d{1,2}\b )
    | (?P<prefix>\b0x)[0-9a-f]+\b
    | \b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b
    | (?P<mail>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6})
    | \b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,}\b
    | (?<![A-Za-z0-9])(?=[A-Za-z]*\d+[A-Za-z]+\d)[A-Za-z0-9]{6,}
    | (?P<number>(?:(?<![\w.)\]'"-])[-+])?\d(?:[\d.,:_TE+-]*\d)?(?:Z\b)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def steady(text: str, *, gently: bool = False) -> str:
    """
    Return *text* with `MARK` in place of each id and number: "order 4711 not found" becomes "order # not found".

    An id is a UUID, a hexadecimal number or digest, an email address, or a word in which letters and digits alternate.
    What stands in quotes stays, but for the ids and numbers in it: a reader needs the name that was not found.

    Args:
        gently: Email addresses, and numbers of one or two digits, stay.
    """
    return _VARYING.sub(_marked_gently if gently else _marked, text[:STEADY_CHARS])


def _marked(match: re.Match[str]) -> str:
    return match["same"] or (match["prefix"] or "") + MARK


def _marked_gently(match: re.Match[str]) -> str:
    small = match["number"] or ""
    return match["mail"] or (small if 0 < len(small) <= SMALL else _marked(match))
