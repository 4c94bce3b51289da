"""
A Flask shop with errormail.

    python examples/flask_app.py                                     Flask's own server, on port 8000
    gunicorn --chdir examples flask_app:app                          any other WSGI server

Ask for an item that is not sold, and the mail shows here, since ERRORMAIL_EMAIL_URL is "console:" unless it is set:

    curl -d "item=cocoa&quantity=2&password=hunter2hunter2" http://127.0.0.1:8000/order

ERRORMAIL_EMAIL_URL=smtp+tls://user:password@smtp.example.com:587 sends it, ERRORMAIL_ADMINS says to whom.
"""

from __future__ import annotations

import os

from flask import Flask, request

from errormail.flask import ErrorMail

PRICES = {"tea": 4, "coffee": 6}


def create_shop() -> Flask:
    """The application; it knows nothing of errormail."""
    shop = Flask(__name__)

    @shop.get("/")
    def index() -> str:
        return "tea and coffee\n"

    @shop.post("/order")
    def order() -> str:
        item, quantity = request.form["item"], int(request.form["quantity"])
        return f"{quantity} {item}: {PRICES[item] * quantity} EUR\n"

    return shop


os.environ.setdefault("ERRORMAIL_ADMINS", "Ops <ops@example.com>")
os.environ.setdefault("ERRORMAIL_EMAIL_URL", "console:")
app = create_shop()
app.config.update(SERVER_EMAIL="shop@example.com", EMAIL_SUBJECT_PREFIX="[shop] ", SERVICE="shop")
ErrorMail(app)

if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ.get("PORT", "8000")))
