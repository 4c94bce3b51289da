"""A Flask application that three places watch: `ErrorMail`, the root logger's handler, and so the server's own log."""

from __future__ import annotations

import logging

from flask import Flask, request

import errormail
from errormail.flask import ErrorMail

logging.basicConfig(level=logging.INFO)
logging.getLogger().addHandler(errormail.AdminEmailHandler(level="ERROR"))

application = Flask("flask_logged")


@application.post("/view")
def view():
    return {}[request.form["item"]]


@application.get("/teardown")
def fine():
    return "fine"


@application.teardown_request
def teardown(_error):
    if request.path == "/teardown":
        raise RuntimeError("in teardown")


ErrorMail(application)
