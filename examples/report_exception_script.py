"""
A script that tells errormail itself: what goes wrong is reported, and the work goes on.

    python examples/report_exception_script.py

The mail shows here, since ERRORMAIL_EMAIL_URL is "console:" unless it is set; ERRORMAIL_ADMINS says to whom it goes.
"""

from __future__ import annotations

import os

import errormail

ORDERS = {17: ["tea", "coffee"], 18: ["tea", "cocoa"], 19: ["coffee"]}
PRICES = {"tea": 4, "coffee": 6}


def bill(items: list[str], *, password: str) -> int:
    """Return the sum in euros; *password* is what one would need to look it up, and must not be in the mail."""
    return sum(PRICES[item] for item in items)


def main() -> None:
    os.environ.setdefault("ERRORMAIL_ADMINS", "Ops <ops@example.com>")
    os.environ.setdefault("ERRORMAIL_EMAIL_URL", "console:")
    errormail.configure(SERVER_EMAIL="shop@example.com", EMAIL_SUBJECT_PREFIX="[billing] ")
    for number, items in ORDERS.items():
        with errormail.context(order=number):
            try:
                print(f"order {number}: {bill(items, password='hunter2hunter2')} EUR")
            except KeyError:
                errormail.report_exception()


if __name__ == "__main__":
    main()
