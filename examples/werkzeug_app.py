"""
A WSGI shop written with Werkzeug, wrapped with errormail's middleware.

    python examples/werkzeug_app.py                                  Werkzeug's own server, on port 8000
    gunicorn --chdir examples werkzeug_app:application               any other WSGI server

Ask for an item that is not sold, and the mail shows here, since ERRORMAIL_EMAIL_URL is "console:" unless it is set:

    curl -d "item=cocoa&quantity=2&password=hunter2hunter2" http://127.0.0.1:8000/order

ERRORMAIL_EMAIL_URL=smtp+tls://user:password@smtp.example.com:587 sends it, ERRORMAIL_ADMINS says to whom.
"""

from __future__ import annotations

import os

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request, Response

import errormail

PRICES = {"tea": 4, "coffee": 6}


@Request.application
def shop(request: Request) -> Response | HTTPException:
    """The application; it knows nothing of errormail."""
    if request.path == "/order":
        return order(request)
    if request.path == "/":
        return Response("tea and coffee\n")
    return NotFound()


def order(request: Request) -> Response:
    item, quantity = request.form["item"], int(request.form["quantity"])
    return Response(f"{quantity} {item}: {PRICES[item] * quantity} EUR\n")


os.environ.setdefault("ERRORMAIL_ADMINS", "Ops <ops@example.com>")
os.environ.setdefault("ERRORMAIL_EMAIL_URL", "console:")
errormail.configure(SERVER_EMAIL="shop@example.com", EMAIL_SUBJECT_PREFIX="[shop] ", SERVICE="shop")
application = errormail.wsgi.ErrorReportMiddleware(shop)

if __name__ == "__main__":
    run_simple("127.0.0.1", int(os.environ.get("PORT", "8000")), application)
