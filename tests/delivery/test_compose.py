"""Some email always goes, and says what is missing in it."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from datetime import timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from actors import reports
from actors.jobs import job, to
from errormail import _contain
from errormail.conf import override_settings
from errormail.delivery import attachments
from errormail.delivery import compose as compose_module
from errormail.delivery.attachments import ATTACHMENT_BYTES
from errormail.delivery.compose import compose
from errormail.delivery.job import Job
from errormail.report.model import Variable
from errormail.report.rendering.trim import Rendered
from errormail.report.serial import frequency_from_dict, report_from_dict


def of(report, /, **changes):
    return Job(report=report, destination=to(), **changes)


def text_of(email):
    return email.message().get_body(("plain",)).get_content()


def parts_of(email):
    return [part.get_content_type() for part in email.message().walk()]


def broken(name, error=KeyError):
    """Return a renderer of that *name* that fails."""

    def fail(*_, **__):
        raise error("secret")

    fail.__name__ = name
    return fail


@pytest.fixture
def contained(monkeypatch):
    monkeypatch.setattr(_contain, "strict", False)


# what is in it


def test_text_comes_first_and_html_second():
    assert parts_of(compose(of(reports.checkout()))) == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_html_can_be_left_out():
    destination = to(include_html=False)
    email = compose(Job(report=reports.checkout(), destination=destination))
    assert parts_of(email) == ["text/plain"]


def test_envelope_is_that_of_the_destination():
    destination = to(recipients=["Ops <ops@example.com>", "dev@example.com"])
    email = compose(job(destination))
    assert email.from_email == "shop@example.com"
    assert list(email.to) == ["Ops <ops@example.com>", "dev@example.com"]
    assert email.message()["To"] == "Ops <ops@example.com>, dev@example.com"


def test_headers_say_that_a_machine_wrote_it():
    message = compose(of(reports.checkout())).message()
    wanted = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Errormail-Kind": "report",
        "X-Errormail-Fingerprint": "7f3a91c2d05e",
        "X-Errormail-Occurrences": "1",
    }
    assert {name: message[name] for name in wanted} == wanted
    names = [name.lower() for name in message]
    assert len(names) == len(set(names))


def test_message_id_and_date_are_made_once():
    email = compose(job(to()))
    first, second = email.message(), email.message()
    for name in ("Message-ID", "Date"):
        assert first[name] == second[name] != ""
    assert compose(job(to())).message()["Message-ID"] != first["Message-ID"]


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("shop@example.com", "example.com"),
        ("Shop <shop@mail.example.com>", "mail.example.com"),
        ("shop@bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_message_id_is_on_the_domain_of_the_sender(sender, domain):
    email = compose(job(replace(to(), sender=sender)))
    assert re.fullmatch(rf"<[^@<>\s]+@{re.escape(domain)}>", str(email.message()["Message-ID"]))


@pytest.mark.parametrize("sender", ["root@localhost", "root", "shop@[192.0.2.1]"])
def test_without_a_domain_of_the_sender_message_id_is_that_of_mail(monkeypatch, sender):
    monkeypatch.setattr(compose_module, "make_msgid", lambda: "<1@host.example>")
    email = compose(job(replace(to(), sender=sender)))
    assert email.message()["Message-ID"] == "<1@host.example>"


def test_without_any_other_message_id_is_on_the_domain_of_a_recipient(monkeypatch):
    monkeypatch.setattr(compose_module, "make_msgid", lambda: "<1@box>")
    destination = replace(to(recipients=["root", "ops@example.com"]), sender="root@localhost")
    assert compose(job(destination)).message()["Message-ID"].endswith("@example.com>")


def test_date_is_in_utc_unless_settings_want_local_time(monkeypatch):
    assert compose(job(to())).message()["Date"].endswith("+0000")
    monkeypatch.setenv("TZ", "XYZ-5:30")
    import time

    time.tzset()
    try:
        local = compose(job(to(EMAIL_USE_LOCALTIME=True))).message()["Date"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert parsedate_to_datetime(local).tzinfo == timezone(timedelta(hours=5, minutes=30))


def test_both_parts_are_utf_8_whatever_the_charset_of_mail():
    with override_settings(DEFAULT_CHARSET="iso-8859-1"):
        message = compose(job(to(), "Zürich")).message()
    assert {part.get_content_charset() for part in message.iter_parts()} == {"utf-8"}


def test_reason_stands_in_the_footer_of_both_parts():
    destination = replace(to(), reason="ops@example.com is in ADMINS of shop")
    email = compose(job(destination))
    sentence = (
        "You get this because ops@example.com is in ADMINS of shop. Each occurrence is one email."
    )
    assert sentence in " ".join(text_of(email).split())
    assert "ops@example.com is in ADMINS of shop" in str(email.alternatives[0].content)


def test_no_reason_no_sentence():
    assert "You get this" not in text_of(compose(job(to())))


def test_preface_and_an_empty_line_stand_before_the_text():
    email = compose(job(to(), preface="2026-10-05 ERROR shop boom"))
    assert text_of(email).startswith("2026-10-05 ERROR shop boom\n\nERROR: boom\n")
    assert "2026-10-05" not in str(email.alternatives[0].content)


def test_frequency_is_told():
    email = compose(of(reports.checkout(), frequency=reports.AGAIN))
    assert "1,204 times since this process started" in text_of(email)


def test_what_a_reporter_class_made_stands_in_place_of_ours():
    email = compose(job(to(), rendered=("own text", "<p>own"), preface="line"))
    assert text_of(email).strip() == "line\n\nown text"
    assert email.alternatives[0].content == "<p>own"


def test_a_reporter_class_can_do_without_html():
    assert parts_of(compose(job(to(), rendered=("own text", None)))) == ["text/plain"]


def test_what_a_reporter_class_made_is_bounded_and_encodable():
    email = compose(job(to(), rendered=("\ud800" + "x" * 3_000_000, None)))
    assert text_of(email).startswith("\\ud800x")
    assert len(email.body) < 1_100_000


# the subject


def test_subject_is_prefix_type_and_message():
    assert compose(of(reports.checkout())).subject == (
        "[shop] PricingError: no rate from CHF to EUR in convert (shop/pricing/engine.py)"
    )


def test_subject_of_the_job_stands_in_place_of_ours():
    assert compose(job(to(), subject="[own] my words")).subject == "[own] my words"


@pytest.mark.parametrize(
    "subject",
    [
        "a\nBcc: x@example.com",
        "a\r\nb",
        "a\x0bb\x0cc\x1cd\x85e\u2028f",
        "=?utf-8?q?=0ABcc?=",
        "\ud800",
    ],
)
def test_subject_of_the_job_is_one_line(subject):
    email = compose(job(to(), subject=subject))
    message = email.message()
    assert len(str(message["Subject"]).splitlines()) == 1
    assert message["Bcc"] is None
    assert "=?" not in email.subject


@given(st.text(max_size=300))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_whatever_the_message_the_email_can_be_built(words):
    message = compose(job(to(), words)).message()
    assert message["Bcc"] is None
    assert message.as_bytes()


# a report that is cut


def test_a_report_that_is_whole_has_no_attachment():
    assert "multipart/mixed" not in parts_of(compose(job(to())))


def attached(email):
    """Return the attached files by their names: content type and content, unpacked."""
    files = {}
    for part in email.message().iter_attachments():
        content = part.get_payload(decode=True)
        name, kind = part.get_filename(), part.get_content_type()
        files[name] = kind, gzip.decompress(content) if name.endswith(".gz") else content
    return files


def again(content):
    return report_from_dict(json.loads(content))


def cut(monkeypatch, text):
    """Let renderers say that they left something out; the whole is *text*."""

    def render_text(*_, bound=60_000, **__):
        return Rendered("short\n", True) if bound is not None else Rendered(text, False)

    monkeypatch.setattr(compose_module, "render_text", render_text)


def test_a_cut_report_carries_the_whole_one_as_text_and_as_json(monkeypatch):
    cut(monkeypatch, "whole: Zürich\n")
    email = compose(of(reports.checkout(), frequency=reports.AGAIN))
    files = attached(email)
    assert list(files) == ["report.txt", "report.json"]
    assert files["report.txt"] == ("text/plain", "whole: Zürich\n".encode())
    kind, content = files["report.json"]
    assert (kind, again(content)) == ("application/json", reports.checkout())
    assert frequency_from_dict(json.loads(content)) == reports.AGAIN
    assert parts_of(email)[:2] == ["multipart/mixed", "multipart/alternative"]


def test_a_long_one_is_compressed(monkeypatch):
    cut(monkeypatch, "0123456789" * 20_000)
    files = attached(compose(of(reports.report(stack="0123456789" * 20_000))))
    assert list(files) == ["report.txt.gz", "report.json.gz"]
    assert files["report.txt.gz"] == ("application/gzip", b"0123456789" * 20_000)
    kind, content = files["report.json.gz"]
    assert (kind, again(content).stack) == ("application/gzip", "0123456789" * 20_000)


def noise(chars):
    rng = random.Random(1)
    return "".join(chr(rng.randrange(0x21, 0x7F)) for _ in range(chars))


def test_a_text_that_does_not_compress_is_cut():
    text = noise(2_000_000)
    name, content, _ = attachments.text_file(text)
    assert name == "report.txt.gz"
    assert len(content) <= ATTACHMENT_BYTES
    begin, _, note = gzip.decompress(content).decode().rpartition("\n\n")
    assert text.startswith(begin)
    assert note == f"[cut here: {len(text) - len(begin)} bytes more]\n"


def test_a_json_that_does_not_compress_is_a_smaller_report():
    report = reports.checkout()
    frames = report.exception.frames
    text = noise(40 * 4_000)
    rows = tuple(
        Variable(name="text", value=text[at : at + 4_000]) for at in range(0, len(text), 4_000)
    )
    big = replace(frames[3], variables=rows)
    report = replace(report, exception=replace(report.exception, frames=(big,) * 60))
    name, content, _ = attachments.json_file(report, None)
    assert name == "report.json.gz"
    assert len(content) <= ATTACHMENT_BYTES
    smaller = again(gzip.decompress(content))
    assert smaller.exception.message == report.exception.message
    assert len(smaller.exception.frames) == 60
    assert "too big" in smaller.notes[-1]


@pytest.mark.parametrize("sample", ["giant", "worst"])
def test_a_giant_is_attached_whatever_it_is_made_of(sample):
    email = compose(of(getattr(reports, sample)()))
    sizes = [len(part.get_payload(decode=True)) for part in email.message().iter_attachments()]
    assert max(sizes) <= ATTACHMENT_BYTES
    files = attached(email)
    assert list(files) == ["report.txt.gz", "report.json.gz"]
    assert "too big" in again(files["report.json.gz"][1]).notes[-1]


def test_the_same_report_gives_the_same_files(monkeypatch):
    monkeypatch.setattr(attachments, "GZIP_FROM_BYTES", 100)
    first, again = (attachments.json_file(reports.checkout(), reports.AGAIN) for _ in range(2))
    assert first == again


def test_json_comes_with_each_mail_that_wants_it():
    email = compose(Job(report=reports.checkout(), destination=to(ATTACH_JSON=True)))
    assert again(attached(email)["report.json"][1]) == reports.checkout()
    assert list(attached(email)) == ["report.json"]


def test_json_comes_with_what_a_reporter_class_made():
    email = compose(job(to(ATTACH_JSON=True), rendered=("own text", "<p>own")))
    assert list(attached(email)) == ["report.json"]
    assert text_of(email).strip() == "own text"


# the ladder


def failing_on(monkeypatch, name, *, values_only=False):
    """Let the renderer *name* fail: always, or on a report that has values."""
    render = getattr(compose_module, name)

    def fail(report, **more):
        if not values_only or report.request.form:
            raise KeyError("secret")
        return render(report, **more)

    monkeypatch.setattr(compose_module, name, fail)


def said(email):
    """Return what the end of the text says of the steps that failed."""
    text = text_of(email)
    assert "secret" not in text
    _, found, steps = text.partition("\n\nerrormail could not make all of this email:\n")
    assert found
    places = re.findall(r"^  (.+) failed with (\w+) at \w+\.py:\d+$", steps, re.MULTILINE)
    assert len(places) == steps.count("\n")
    return [step for step, _ in places]


@pytest.mark.usefixtures("contained")
def test_html_without_values_if_it_fails_with_them(monkeypatch):
    failing_on(monkeypatch, "render_html", values_only=True)
    email = compose(of(reports.checkout()))
    html = str(email.alternatives[0].content)
    assert "PricingError" in html
    assert "return (amount * rate).quantize(CENT)" in html
    assert "Bahnhofstrasse" not in html
    assert "Values are missing" in html
    assert "Bahnhofstrasse" in text_of(email)
    assert said(email) == ["the HTML part"]


@pytest.mark.usefixtures("contained")
def test_no_html_if_it_fails_without_values_too(monkeypatch):
    failing_on(monkeypatch, "render_html")
    email = compose(of(reports.checkout()))
    assert email.alternatives == []
    assert text_of(email).startswith("PricingError: no rate from CHF to EUR")
    assert said(email) == ["the HTML part", "the HTML part without values"]


@pytest.mark.usefixtures("contained")
def test_text_without_values_if_it_fails_with_them(monkeypatch):
    failing_on(monkeypatch, "render_text", values_only=True)
    email = compose(of(reports.checkout()))
    text = text_of(email)
    assert "return self.convert(price * quantity" in text
    assert "Bahnhofstrasse" not in text
    assert "Values are missing" in text
    assert "Bahnhofstrasse" in str(email.alternatives[0].content)
    assert said(email) == ["the text part"]


@pytest.mark.usefixtures("contained")
def test_plain_lines_if_the_text_fails_without_values_too(monkeypatch):
    failing_on(monkeypatch, "render_text")
    destination = replace(to(), reason="you are in ADMINS")
    email = compose(Job(report=reports.checkout(), destination=destination, preface="line"))
    text = text_of(email)
    assert text.startswith("line\n\nPricingError: no rate from CHF to EUR\n")
    for fact in (
        'File "shop/pricing/engine.py", line 45',
        "POST https://",
        "Group 7f3a91c2d05e",
        "production",
        "2026-10-05 03:14:15 UTC",
        "You get this because you are in ADMINS.",
    ):
        assert fact in text
    assert said(email) == ["the text part", "the text part without values"]
    assert len(email.alternatives) == 1
    assert email.subject.startswith("[shop] PricingError: no rate from CHF to EUR")


@pytest.mark.usefixtures("contained")
def test_one_line_with_the_type_if_even_those_fail(monkeypatch):
    failing_on(monkeypatch, "render_text")
    failing_on(monkeypatch, "render_html")
    monkeypatch.setattr(compose_module, "_facts", broken("facts"))
    email = compose(of(reports.checkout()))
    assert text_of(email).startswith("PricingError was reported.\n")
    assert "the plain traceback" in said(email)


@pytest.mark.usefixtures("contained")
def test_one_line_without_it_if_that_fails(monkeypatch):
    for name in ("render_text", "render_html", "_facts", "_plain"):
        monkeypatch.setattr(compose_module, name, broken(name))
    assert text_of(compose(of(reports.checkout()))).startswith("An error was reported.\n")


@pytest.mark.usefixtures("contained")
@pytest.mark.parametrize("renderer", ["render_text", "render_html"])
def test_the_report_is_attached_as_json_if_a_step_failed(monkeypatch, renderer):
    failing_on(monkeypatch, renderer)
    files = attached(compose(of(reports.checkout())))
    assert again(files["report.json"][1]) == reports.checkout()


@pytest.mark.usefixtures("contained")
@pytest.mark.parametrize(
    "sample", ["checkout", "recursion", "record_only", "group_alone", "hostile"]
)
def test_plain_lines_of_any_report(monkeypatch, sample):
    monkeypatch.setattr(compose_module, "render_text", broken("text"))
    report = getattr(reports, sample)()
    text = text_of(compose(of(report)))
    assert report.fingerprint in text
    assert max(map(len, text.splitlines())) < 1_000


@pytest.mark.usefixtures("contained")
@pytest.mark.parametrize(
    ("bad", "step", "shown"),
    [
        (1, "the email as a whole", "PricingError: no rate from CHF to EUR\nat /checkout/"),
        (2, "the text alone", "PricingError: no rate from CHF to EUR\nshop, production"),
        (3, "the plain traceback", "PricingError was reported."),
    ],
)
def test_a_rung_whose_message_cannot_be_built_does_not_count(monkeypatch, bad, step, shown):
    message, tries = compose_module.EmailMultiAlternatives.message, []

    def refused(email, **more):
        tries.append(email)
        if len(tries) <= bad:
            raise ValueError("secret")
        return message(email, **more)

    monkeypatch.setattr(compose_module.EmailMultiAlternatives, "message", refused)
    email = compose(of(reports.checkout()))
    assert text_of(email).startswith(shown)
    assert said(email)[-1] == step
    assert email.alternatives == []


@pytest.mark.usefixtures("contained")
def test_the_text_of_a_reporter_class_alone_if_its_html_cannot_be_sent(monkeypatch):
    message = compose_module.EmailMultiAlternatives.message

    def without_html(email, **more):
        if email.alternatives:
            raise ValueError("secret")
        return message(email, **more)

    monkeypatch.setattr(compose_module.EmailMultiAlternatives, "message", without_html)
    email = compose(job(to(), rendered=("own text", "<p>own")))
    assert text_of(email).startswith("own text\n")
    assert said(email) == ["the email as a whole"]


@pytest.mark.usefixtures("contained")
def test_a_subject_that_fails_leaves_the_prefix(monkeypatch):
    monkeypatch.setattr(compose_module, "subject_line", broken("subject"))
    email = compose(of(reports.checkout()))
    assert email.subject == "[shop] error"
    assert said(email) == ["the subject"]
    assert len(email.alternatives) == 1


@pytest.mark.usefixtures("contained")
@pytest.mark.parametrize("name", ["text", "json"])
def test_an_attachment_that_fails_leaves_the_rest(monkeypatch, name):
    cut(monkeypatch, "whole")
    monkeypatch.setattr(compose_module, f"{name}_file", broken("file"))
    email = compose(of(reports.checkout()))
    assert len(email.alternatives) == 1
    assert said(email) == [{"text": "report.txt", "json": "report.json"}[name]]
    assert len(attached(email)) == 1


@pytest.mark.usefixtures("contained")
def test_a_sender_that_is_no_address_still_gives_a_message_id(monkeypatch):
    monkeypatch.setattr(compose_module, "make_msgid", lambda: "<1@host.example>")
    headers = compose_module._headers(job(replace(to(), sender="a b c")))
    assert headers["Message-ID"] == "<1@host.example>"
