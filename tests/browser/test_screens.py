"""
Mails of real crashes on screens of three widths, in light and dark: nothing sticks out, all can be read, nothing is loaded.

Pictures of all of them are left in build/screenshots.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actors import failing_shop
from actors.failing_shop import CRASHES
from actors.jobs import FOLDERS

pytestmark = pytest.mark.once

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)
WIDTHS = PHONE, TABLET, DESK = 375, 640, 1_100
FOLD = 660
"""Pixels that a phone shows before its reader scrolls: email/DESIGN."""
CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""


@pytest.fixture(scope="module")
def browser():
    def missing(reason):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)

    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    if CHROMIUM is None:
        missing("there is no Chromium on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mails():
    """The HTML part of each crash's mail, made by a program of its own: without frames of pytest, and without its event loop."""
    command = [sys.executable, failing_shop.__file__]
    path = {"PYTHONPATH": os.pathsep.join(FOLDERS)}
    done = subprocess.run(
        command, env={**os.environ, **path}, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


@pytest.fixture
def show(browser):
    """Opens HTML as a mail program does: without scripts, and whatever it wants to load is refused and noted."""
    contexts, wanted = [], []

    def refuse(route):
        wanted.append(route.request.url)
        route.abort()

    def open_page(html, width=PHONE, **media):
        context = browser.new_context(
            viewport={"width": width, "height": FOLD}, java_script_enabled=False, **media
        )
        contexts.append(context)
        page = context.new_page()
        page.route("**/*", refuse)
        page.set_content(html, wait_until="load")
        return page

    open_page.wanted = wanted
    yield open_page
    for context in contexts:
        context.close()
    assert wanted == []


STICKS_OUT = """() => {
  const found = [], room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > room) found.push('the page');
  for (const element of document.body.querySelectorAll('*')) {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (style.display === 'none' || !box.width) continue;
    const wider = style.display !== 'inline' && element.scrollWidth > element.clientWidth + 1;
    if (wider || box.right > room + 0.5 || box.left < -0.5)
      found.push(element.outerHTML.slice(0, 200));
  }
  return found;
}"""

# WCAG 2.2: contrast of each text against the nearest ground that is not transparent.
FAINT = """(least) => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parts(color).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor, alpha = parts(color)[3];
      if (alpha === undefined || alpha > 0) return color;
    }
    return getComputedStyle(document.documentElement).colorScheme.includes('dark')
      && matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)';
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element);
    const range = document.createRange();
    range.selectNodeContents(node);
    // A bar is a line one pixel high with a no-break space in it.
    if (!node.textContent.replace(/[\\s\\u00a0]/g, '') || !range.getBoundingClientRect().width) continue;
    texts += 1;
    const [one, other] = [luminance(style.color), luminance(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < least || parseFloat(style.fontSize) < 12)
      found.push(`${contrast.toFixed(2)} ${style.fontSize} ${node.textContent.slice(0, 60)}`);
  }
  return texts < 10 ? [`only ${texts} texts`] : found;
}"""


def faults(page, width):
    """Return what is wrong with *page* when it is *width* pixels wide."""
    page.set_viewport_size({"width": width, "height": FOLD})
    return page.evaluate(STICKS_OUT) + page.evaluate(FAINT, CONTRAST)


def picture(page, name):
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("crash", CRASHES)
def test_it_fits_and_can_be_read(mails, show, crash, scheme):
    page = show(mails[crash], color_scheme=scheme)
    for width in WIDTHS:
        assert (width, faults(page, width)) == (width, [])
        picture(page, f"{crash}-{width}-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("crash", CRASHES)
def test_it_does_so_without_its_style_sheet(mails, show, crash, scheme):
    """Gmail with an account of somebody else drops it."""
    html, number = re.subn(r"(?s)<style.*?</style>", "", mails[crash])
    assert number == 1
    page = show(html, color_scheme=scheme)
    for width in (PHONE, DESK):
        assert (width, faults(page, width)) == (width, [])


@pytest.mark.parametrize("crash", CRASHES)
def test_it_can_be_read_in_the_colours_of_the_reader(mails, show, crash):
    """High contrast: the system's colours in place of the mail's."""
    page = show(mails[crash], forced_colors="active")
    assert faults(page, PHONE) == []
    picture(page, f"{crash}-{PHONE}-forced")


FIRST = {
    "one_frame": ["NEW", "ZeroDivisionError", "division by zero", "mean = total / count"],
    "twelve_frames_with_cause": ["NEW", "PricingError", "no rate from CHF to EUR", "raise PricingError("],
    "group": ["NEW", "ExceptionGroup", "KeyError, TimeoutError", "asyncio.TaskGroup()"],
    "recursion": ["NEW", "RecursionError", "maximum recursion depth exceeded", "max(map(depth, node))"],
    "no_request": ["NEW", "ValueError", "invalid literal for int()", "int(quantity)"],
    "log_record_only": ["NEW", "CRITICAL", "payment provider answered 503", "failing_shop.py"],
}  # fmt: skip


@pytest.mark.parametrize("crash", CRASHES)
def test_a_phone_shows_what_broke_and_where_without_scrolling(mails, show, crash):
    """Pill, type, message and the line of the culprit."""
    page = show(mails[crash])
    for words in FIRST[crash]:
        box = page.get_by_text(words).locator("visible=true").first.bounding_box()
        assert box is not None, words
        assert box["y"] + box["height"] <= FOLD, words


# the tests see what they are there for


def test_what_a_mail_would_load_is_noticed(show):
    show(
        '<img src="https://example.com/pixel.png"><link rel="stylesheet" href="https://example.org/x.css">',
    )
    assert sorted(show.wanted) == ["https://example.com/pixel.png", "https://example.org/x.css"]
    show.wanted.clear()


@pytest.mark.parametrize(
    "body",
    [
        '<div style="width:400px">x</div>',
        "<pre>" + "x" * 100 + "</pre>",
        '<div style="width:100px;overflow:auto"><p style="width:200px">x</p></div>',
        '<p style="margin-left:-9px">x</p>',
    ],
    ids=["wide", "long", "scrolls", "left"],
)
def test_what_sticks_out_is_noticed(show, body):
    assert show(f'<!doctype html><body style="margin:0">{body}').evaluate(STICKS_OUT) != []


@pytest.mark.parametrize(
    "style",
    [
        "color:#888;background-color:#fff",
        "color:#666;background-color:#000",
        "font-size:11px;background-color:#fff",
        "color:#fff",
    ],
)
def test_what_is_faint_is_noticed(show, style):
    page = show(f'{"<p>text</p>" * 10}<p style="{style}">one</p>')
    assert [line.split()[-1] for line in page.evaluate(FAINT, CONTRAST)] == ["one"]
