"""``python -m errormail``: the command, see errormail.cli."""

from __future__ import annotations

import sys

from errormail.cli import main

if __name__ == "__main__":
    sys.exit(main())
