"""
Make docs/email.png: the email of the crash that `make demo` shows, as Chromium renders it.

The email is a real one: the demo runs, and its HTML part is what is pictured. Needs Debian's package ``chromium`` (any
Chromium or Chrome on the PATH does).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
WIDTH, HEIGHT = 760, 1000
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "chrome"]
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1.5",
]


def main() -> None:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        sys.exit("No Chromium is on the PATH: apt-get install chromium")
    demo = DOCS.parent / "examples" / "demo.py"
    done = subprocess.run([sys.executable, demo], check=True, capture_output=True, text=True)
    html = re.findall(r"for a browser: (.+)", done.stdout)[-1]
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                *OPTIONS,
                f"--user-data-dir={profile}",
                f"--window-size={WIDTH},{HEIGHT}",
                f"--screenshot={DOCS / 'email.png'}",
                Path(html).as_uri(),
            ],
            check=True,
            timeout=120,
        )


if __name__ == "__main__":
    main()
