"""Each sample as a real mail passes the checker of email clients that lies beside the clone where errormail is developed."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import EmailPolicy

import pytest

from actors import reports
from actors.reports import FOOTER, NEW
from errormail.report.rendering.html import render_html
from errormail.report.rendering.subject import subject_line
from errormail.report.rendering.text import render_text


def mail_of(sample):
    """Return the bytes of the mail: email/DESIGN, Envelope."""
    mail = EmailMessage(policy=EmailPolicy(max_line_length=76))
    mail["From"] = "shop@example.com"
    mail["To"] = "Ops <ops@example.com>"
    mail["Subject"] = subject_line(sample, prefix="[errormail] ")
    mail["Date"] = "Mon, 05 Oct 2026 03:14:16 +0000"
    mail["Message-ID"] = "<179117005600.4711.1@shop.example.com>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Errormail-Kind"] = "report"
    text = render_text(sample, frequency=NEW, footer=FOOTER)
    html = render_html(sample, frequency=NEW, footer=FOOTER)
    mail.set_content(text.content, charset="utf-8", cte="quoted-printable")
    mail.add_alternative(html.content, subtype="html", charset="utf-8", cte="quoted-printable")
    return mail.as_bytes(), not (text.is_cut or html.is_cut)


@pytest.mark.parametrize("name", list(reports.SAMPLES))
def test_a_person_can_read_it_in_the_mail_program_they_have(emailcheck, name):
    sample = reports.SAMPLES[name]()
    raw, whole = mail_of(sample)
    emailcheck(raw, reports.facts(sample, whole=whole))
