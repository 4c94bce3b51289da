"""
The pieces that the HTML part is made of: each a Template with its colours, fonts and spaces inline.

email/DESIGN has the reasons. In short: everything essential is inline, since many clients drop ``<style>``; layout is
tables, padding only on cells, for Word; a text colour and its ground are set together; one class per colour role, for
the dark rules; the `font` shorthand with px on everything that holds text, since tables inherit no fonts in quirks mode.
"""

from __future__ import annotations

from typing import Final

from errormail.report.rendering.markup import EMPTY, Markup, Template, escape, join
from errormail.report.rendering.wording import is_address

__all__ = [
    "BLOCK",
    "BLOCK_END",
    "BODY",
    "CODE_LINE",
    "CODE_LINE_FAILING",
    "CULPRIT",
    "CULPRIT_END",
    "CULPRIT_SOURCE",
    "CULPRIT_SOURCE_END",
    "END",
    "FAILING_PART",
    "FIGURE",
    "FIGURES",
    "FIRST",
    "FOOTER",
    "FOOTER_END",
    "FRAME",
    "FRAMES_NOTE",
    "FRAME_END",
    "FRAME_SOURCE",
    "GROUP",
    "HEAD",
    "HEADING",
    "HEAD_END",
    "HEAD_MESSAGE",
    "HEAD_NOTE",
    "HEAD_PLACE",
    "HEAD_TYPE",
    "HEAD_WARNING",
    "INK",
    "LABEL",
    "LOG",
    "LOG_END",
    "MEMBER",
    "MONO_SOFT",
    "NOTE",
    "PARAGRAPH",
    "PILL",
    "PRE",
    "RAISING",
    "ROWS",
    "ROWS_END",
    "SECTION",
    "SENTENCE",
    "SMALL_NOTE",
    "TOKEN",
    "VERBATIM",
    "WIDE_ROW",
    "indented",
    "linked",
    "log_line",
    "name_and_value",
    "separated",
    "small_note",
    "soft_or_linked",
]

SANS: Final = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
MONO: Final = "Menlo,Consolas,monospace"
INK_COLOR: Final = "color:#1b2027"
SOFT_COLOR: Final = "color:#57606b"
RED_COLOR: Final = "color:#b3261e"
BREAK: Final = "word-break:break-word"
"""On the card, for all within: a word that is too long for a phone goes on in the next line."""
WHOLE: Final = "word-break:normal"
GRID: Final = 'table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'

BODY = Template(
    f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<meta name="x-apple-disable-message-reformatting">
<style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
.p {{ background: #0e1116 !important; }}
.c {{ background: #171b21 !important; }}
.k {{ background: #1e242c !important; }}
.e {{ background: #2e1b1b !important; }}
.m {{ background: #3a2f10 !important; }}
.t {{ background: #2b323b !important; }}
.i {{ color: #e7eaee !important; }}
.s {{ color: #a3acb8 !important; }}
.r {{ color: #ff9d92 !important; }}
.w {{ color: #f0c36a !important; }}
.l {{ color: #8fb8ff !important; }}
.b {{ border-color: #2b323b !important; }}
.a {{ border-color: #5d6876 !important; }}
.h {{ border-color: #ff9d92 !important; }}
.x {{ background: #ff9d92 !important; color: #2a1210 !important; }}
}}
@media (max-width: 600px) {{
.g {{ padding-left: 16px !important; padding-right: 16px !important; }}
.o {{ padding: 0 !important; }}
.q {{ border-radius: 0 !important; }}
}}
</style>
</head>
<body class="p i" style="margin:0;padding:0;background:#eceff3;{INK_COLOR}">
<div style="display:none;mso-hide:all;max-height:0;overflow:hidden">{{}}</div>
<{GRID} class="p" bgcolor="#eceff3" style="background:#eceff3">
<tr><td class="o" align="center" style="padding:24px 12px">
<{GRID} class="c q i" bgcolor="#ffffff" style="{INK_COLOR};{BREAK};max-width:720px;background:#ffffff;border-radius:10px;text-align:left">
"""
)
"""Title, preheader."""
END = Template("</table>\n</td></tr>\n</table>\n</body>\n</html>\n")()

HEAD = Template(
    '<tr><td class="g e q" style="padding:24px 28px 20px;background:#fdf0ee;border-radius:10px 10px 0 0">'
)()
FIRST = Template(f'<div class="s" style="font:12px/18px {SANS};{SOFT_COLOR}">{{}}{{}}</div>')
"""Pill, words."""
PILL = Template(
    '<b class="x" style="background:#b3261e;color:#ffffff;border-radius:3px">&nbsp;{}&nbsp;</b>&ensp;'
)
HEAD_TYPE = Template(
    f'<h1 class="r" style="margin:6px 0 2px;font:bold 23px/29px {SANS};{RED_COLOR}">{{}}</h1>'
)
HEAD_WARNING = Template(
    f'<h1 class="w" style="margin:6px 0 2px;font:bold 23px/29px {SANS};color:#8a5a00">{{}}</h1>'
)
"""The level of a record that is no error."""
HEAD_MESSAGE = Template(f'<div style="font:17px/25px {SANS}">{{}}</div>')
HEAD_NOTE = Template(f'<div style="margin:4px 0 0;font:13px/19px {SANS}">{{}}</div>')
HEAD_PLACE = Template(
    f'<div class="s" style="margin:8px 0 0;font:13px/19px {SANS};{SOFT_COLOR}">{{}}</div>'
)
HEAD_END = Template("</td></tr>\n")()

CULPRIT = Template(
    f'<tr><td class="g" style="padding:20px 28px 0"><div class="s" style="font:13px/20px {MONO};{SOFT_COLOR}">'
    f'{{}} in <b class="i" style="{INK_COLOR}">{{}}</b></div>'
)
"""File and line, function."""
CULPRIT_END = Template("</td></tr>\n")()
CULPRIT_SOURCE = Template(
    f'</td></tr>\n<tr><td class="g" style="padding:8px 28px"><{GRID} class="k b s" bgcolor="#f5f7f9"'
    f' style="background:#f5f7f9;{SOFT_COLOR};border:1px solid #dde2e8;border-radius:6px">'
)()
CODE_LINE = Template(
    '<tr valign="top"><td align="right" width="34"'
    f' style="padding:1px 8px 1px 4px;font:12px/19px {MONO};{WHOLE}">{{}}</td><td style="padding:1px 10px 1px 0">'
    f'<pre style="margin:0;white-space:pre-wrap;font:12px/19px {MONO}">{{}}</pre></td></tr>'
)
"""Number, source. Colour and ground are the table's."""
CODE_LINE_FAILING = Template(
    '<tr valign="top"><td class="m s" align="right" width="34" bgcolor="#fff3cd"'
    f' style="background:#fff3cd;padding:1px 8px 1px 4px;font:12px/19px {MONO};{SOFT_COLOR};{WHOLE}">{{}}</td>'
    '<td class="m" bgcolor="#fff3cd" style="background:#fff3cd;padding:1px 10px 1px 0">'
    f'<pre class="i" style="margin:0;white-space:pre-wrap;font:12px/19px {MONO};{INK_COLOR}">{{}}</pre></td></tr>'
)
FAILING_PART = Template('<b style="text-decoration:underline">{}</b>')
CULPRIT_SOURCE_END = Template('</table></td></tr>\n<tr><td class="g" style="padding:0 28px">')()
MONO_SOFT = Template(f'<div class="s" style="font:12px/19px {MONO};{SOFT_COLOR}">{{}}</div>')
"""Values of the culprit; library frames one by one."""
INK = Template(f'<span class="i" style="{INK_COLOR}">{{}}</span>')
TOKEN = Template(
    f'<span class="t s" style="background:#e9edf1;{SOFT_COLOR};border-radius:3px">&nbsp;redacted&nbsp;</span>'
)()

SECTION = Template(
    '<tr><td style="padding:20px 0 0;font:1px/1px Arial">&nbsp;</td></tr>\n'
    '<tr><td class="g b" style="padding:14px 28px 8px;border-top:1px solid #dde2e8">'
    f'<h2 style="margin:0;font:bold 15px/22px {SANS}">{{}}{{}}</h2></td></tr>\n'
)
"""Title, SMALL_NOTE or nothing."""
SMALL_NOTE = Template(f' <span class="s" style="font-weight:normal;{SOFT_COLOR}">{{}}</span>')
SENTENCE = Template(
    f'<tr><td class="g" style="padding:0 28px"><div class="s" style="font:13px/20px {SANS};{SOFT_COLOR}">{{}}</div></td></tr>\n'
)
FIGURES = Template(
    f'<tr><td class="g" style="padding:0 28px 8px"><{GRID}><tr>{{}}</tr></table></td></tr>\n'
)
FIGURE = Template(
    f'<td valign="top" width="33%" style="padding:0 8px 0 0;font:bold 15px/21px {SANS}">'
    f'<div class="s" style="font:12px/17px {SANS};{SOFT_COLOR}">{{}}</div>{{}}</td>'
)
"""Label, value."""
HEADING = Template(
    f'<tr><td class="g" style="padding:0 28px"><div style="font:13px/20px {MONO}"><b>{{}}</b> {{}}</div></td></tr>\n'
)
"""What a section begins with: method and address."""
GROUP = Template(
    f'<h3 class="s" style="margin:0 0 2px;font:bold 13px/20px {SANS};{SOFT_COLOR}">{{}}</h3>'
)
BLOCK = Template('<tr><td class="g" style="padding:2px 28px 10px">')()
BLOCK_END = Template("</td></tr>\n")()

MEMBER = Template(
    f'<tr><td class="g" style="padding:6px 28px 2px"><{GRID}><tr>{{}}'
    f'<td style="font:14px/21px {SANS}">{{}}<b class="r" style="{RED_COLOR}">{{}}</b> {{}}</td></tr></table></td></tr>\n'
)
"""Indentation, "1 of 2", type, message."""
FRAME = {
    "raising": Template(
        f'<tr><td class="g" style="padding:7px 28px"><{GRID}><tr>{{}}<td class="h" style="border-left:3px solid #b3261e;padding:1px 0 3px 12px">'
        f'<div style="font:13px/20px {MONO}"><b>{{}}</b> {{}}{{}}</div>'
    ),
    "app": Template(
        f'<tr><td class="g" style="padding:7px 28px"><{GRID}><tr>{{}}<td class="a" style="border-left:3px solid #9aa4b2;padding:1px 0 3px 12px">'
        f'<div style="font:13px/20px {MONO}"><b>{{}}</b> {{}}{{}}</div>'
    ),
    "library": Template(
        f'<tr><td class="g" style="padding:5px 28px"><{GRID}><tr>{{}}<td class="b" style="border-left:3px solid #dde2e8;padding:0 0 0 12px">'
    ),
    "library raising": Template(
        f'<tr><td class="g" style="padding:5px 28px"><{GRID}><tr>{{}}<td class="h" style="border-left:3px solid #b3261e;padding:0 0 0 12px">'
    ),
}
"""By kind. An application frame: indentation, function, place, RAISING or nothing. Library frames: indentation."""
FRAME_END = Template("</td></tr></table></td></tr>\n")()
FRAMES_NOTE = Template(
    f'<tr><td class="g" style="padding:3px 28px"><{GRID}><tr>{{}}<td class="s" style="padding:0 0 0 15px;font:12px/19px {SANS};{SOFT_COLOR}">{{}}</td></tr></table></td></tr>\n'
)
"""Indentation, words in place of frames."""
NOTE = Template(f'<div class="s" style="font:12px/19px {SANS};{SOFT_COLOR}">{{}}</div>')
LABEL = Template(f'<span class="s" style="{SOFT_COLOR}">{{}}</span> ')
RAISING = Template(f' <span class="r" style="{RED_COLOR}">{{}}</span>')
FRAME_SOURCE = Template(
    f'<pre style="margin:3px 0 4px;white-space:pre-wrap;font:12px/18px {MONO}">{{}}</pre>'
)
PRE = Template(
    '<tr><td class="g" style="padding:4px 28px">'
    f'<pre style="margin:0;white-space:pre-wrap;font:12px/18px {MONO}">{{}}</pre></td></tr>\n'
)

VERBATIM = Template(f'<pre style="margin:0;white-space:pre-wrap;font:12px/18px {MONO}">{{}}</pre>')
LOG = Template(f'<tr><td class="g" style="padding:0 28px"><{GRID}>')()
_LOG_LINE = Template(
    f'<tr><td style="padding:2px 0;font:12px/18px {MONO}"><span class="s" style="{SOFT_COLOR}">{{}} {{}} {{}}</span> {{}}</td></tr>\n'
)
"""Time, level, logger, message."""
_LOG_LINE_MARKED = {
    "w": Template('<span class="w" style="color:#8a5a00;font-weight:bold">{}</span>'),
    "r": Template(f'<span class="r" style="{RED_COLOR};font-weight:bold">{{}}</span>'),
}
LOG_END = Template("</table></td></tr>\n")()
_SOFT = Template(f'<span class="s" style="{SOFT_COLOR}">{{}}</span>')
_LINK = Template('<a class="l" href="{}" style="color:#0b57c2;text-decoration:none">{}</a>')
ROWS = Template(f"<{GRID}>")()
_NAME = f'class="s" style="padding:1px 12px 1px 0;font:12px/18px {MONO};{SOFT_COLOR}'
_VALUE = f'</td><td style="padding:1px 0;font:12px/18px {MONO}">{{}}</td></tr>\n'
_ROWS = {
    (True, False): Template(f'<tr valign="top"><td width="22%" {_NAME};{WHOLE}">{{}}{_VALUE}'),
    (False, False): Template(f'<tr valign="top"><td {_NAME};{WHOLE}">{{}}{_VALUE}'),
    (True, True): Template(f'<tr valign="top"><td width="34%" {_NAME}">{{}}{_VALUE}'),
    (False, True): Template(f'<tr valign="top"><td {_NAME}">{{}}{_VALUE}'),
}
"""Name, value; by whether it is the first, which sets the width, and whether the name may be broken. The value has the table's colour."""
WIDE_ROW = Template(
    f'<tr><td class="s" colspan="2" style="padding:1px 0;font:12px/18px {SANS};{SOFT_COLOR}">{{}}</td></tr>\n'
)
ROWS_END = Template("</table>")()

FOOTER = Template(
    '<tr><td style="padding:20px 0 0;font:1px/1px Arial">&nbsp;</td></tr>\n'
    '<tr><td class="g b" style="padding:16px 28px 16px;border-top:1px solid #dde2e8">'
)()
PARAGRAPH = Template(
    f'<p class="s" style="margin:0 0 8px;font:12px/18px {SANS};{SOFT_COLOR}">{{}}</p>'
)
FOOTER_END = Template("</td></tr>\n")()

LONGEST_UNBROKEN_NAME = 24
_INDENT = Template('<td width="{}" style="font:1px/1px Arial">&nbsp;</td>')


def indented(depth: int) -> Markup:
    """Return the empty cell that moves what follows to the right, as far as a phone has room for."""
    return _INDENT(str(min(depth, 4) * 16)) if depth else EMPTY


def name_and_value(name: str, value: Markup, *, is_first: bool = True) -> Markup:
    """Return a table row. A name may be broken only if it is so long that it would push the value out of a phone."""
    return _ROWS[is_first, len(name) > LONGEST_UNBROKEN_NAME](name, value)


def log_line(time: str, level: str, logger: str, message: Markup) -> Markup:
    """Return a line of the log. Those that warn stand out by weight, and by colour."""
    mark = {"WARNING": "w", "ERROR": "r", "CRITICAL": "r"}.get(level)
    return _LOG_LINE(time, _LOG_LINE_MARKED[mark](level) if mark else level, logger, message)


def linked(words: str, url: str) -> Markup:
    """Return *words* as a link to *url*, without one where that is no plain https address."""
    return _LINK(url, words) if is_address(url) else escape(words)


def soft_or_linked(words: str, url: str) -> Markup:
    """Return *words* as a link to *url*, else in the soft colour."""
    return linked(words, url) if is_address(url) else _SOFT(words)


def small_note(words: str) -> Markup:
    """Return what stands beside a title; nothing for no words."""
    return SMALL_NOTE(words) if words else EMPTY


def separated(pieces: list[Markup]) -> Markup:
    """Return *pieces* with middle dots between them. (They also keep the part from being pure ASCII: email/DESIGN.)"""
    return join(pieces, " · ")
