"""
A script that logs, with errormail as one more handler of `logging`: a record of level ERROR becomes an email.

    python examples/dictconfig_script.py

The mail shows here, since ERRORMAIL_EMAIL_URL is "console:" unless it is set; ERRORMAIL_ADMINS says to whom it goes.
"""

from __future__ import annotations

import logging
import logging.config
import os

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"require_debug_false": {"()": "errormail.RequireDebugFalse"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler"},
        "mail_admins": {
            "class": "errormail.AdminEmailHandler",
            "level": "ERROR",
            "filters": ["require_debug_false"],
            "subject_prefix": "[import] ",
        },
    },
    "root": {"level": "INFO", "handlers": ["console", "mail_admins"]},
}
ROWS = ["tea;4", "coffee;6", "cocoa;five"]

logger = logging.getLogger("prices")


def price(row: str, *, password: str) -> tuple[str, int]:
    """Return item and price; *password* is what one would need to look it up, and must not be in the mail."""
    item, _, text = row.partition(";")
    return item, int(text)


def main() -> None:
    os.environ.setdefault("ERRORMAIL_ADMINS", "Ops <ops@example.com>")
    os.environ.setdefault("ERRORMAIL_EMAIL_URL", "console:")
    logging.config.dictConfig(LOGGING)
    for number, row in enumerate(ROWS, 1):
        try:
            item, euros = price(row, password="hunter2hunter2")
        except ValueError:
            logger.exception("row %d is no price", number, extra={"row": row})
        else:
            logger.info("%s costs %d EUR", item, euros)


if __name__ == "__main__":
    main()
