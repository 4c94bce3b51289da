"""AdminEmailHandler: what becomes of a record, by whatever way it comes."""

from __future__ import annotations

import copy
import json
import logging
import logging.config
import logging.handlers
import queue
import socket
import sys

import pytest

import errormail
from errormail import conf, mail
from errormail.delivery.worker import WORKER
from errormail.handler import (
    AdminEmailHandler,
    CallbackFilter,
    RequireDebugFalse,
    RequireDebugTrue,
)
from errormail.reporter import seen

ENVIRON = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/pay",
    "SERVER_NAME": "shop.example.com",
    "SERVER_PORT": "443",
    "wsgi.url_scheme": "https",
    "REMOTE_ADDR": "203.0.113.24",
    "HTTP_USER_AGENT": "curl/8",
}


@pytest.fixture(autouse=True)
def _settings(outbox):
    seen._recent.clear()
    WORKER.leave_to_parent()  # no outage of another test
    with conf.override_settings(ADMINS=["Ops <ops@example.com>"], DELIVERY="sync"):
        yield


@pytest.fixture
def logger():
    """A logger of its own, without handlers."""
    own = logging.getLogger("shop.tests")
    own.propagate = False
    own.setLevel(logging.DEBUG)
    yield own
    for handler in list(own.handlers):
        own.removeHandler(handler)
    own.propagate = True


def fail(password="hunter2hunter2"):
    return [][1]


SUBJECT = "IndexError: list index out of range in fail (tests/test_handler.py)"


def log_failure(logger, *args, **kwargs):
    try:
        fail()
    except IndexError:
        logger.exception(*args or ["it broke"], **kwargs)


def text_of(message):
    return message.body


def html_of(message):
    (alternative,) = message.alternatives
    return alternative.content


def only_mail():
    (message,) = mail.outbox
    return message


@pytest.mark.row("H1")
def test_an_exception_is_mailed_with_traceback_and_request(logger):
    logger.addHandler(AdminEmailHandler())
    log_failure(logger, extra={"request": ENVIRON})
    message = only_mail()
    assert message.to == ["Ops <ops@example.com>"]
    assert message.from_email == "root@localhost"
    assert message.subject == f"[errormail] {SUBJECT}"
    for content in text_of(message), html_of(message):
        assert "test_handler.py" in content
        assert "[][1]" in content
        assert "https://shop.example.com/pay" in content
        assert "curl/8" in content
        assert "hunter2" not in content


@pytest.mark.row("H1")
def test_nothing_is_mailed_while_debug_is_on(logger):
    logger.addHandler(AdminEmailHandler())
    with conf.override_settings(DEBUG=True):
        log_failure(logger)
    assert mail.outbox == []


@pytest.mark.row("H2")
def test_arguments_by_position_are_django_s():
    handler = AdminEmailHandler(False, "errormail.mail.backends.dummy.EmailBackend", None, None)
    assert handler.include_html is False
    assert handler.email_backend == "errormail.mail.backends.dummy.EmailBackend"


@pytest.mark.row("H2")
@pytest.mark.parametrize("key", ["class", "()"])
def test_dict_config_takes_all_arguments(key, logger):
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(levelname)s in %(name)s: %(message)s"}},
        "filters": {"require_debug_false": {"()": "errormail.RequireDebugFalse"}},
        "handlers": {
            "mail": {
                key: "errormail.AdminEmailHandler",
                "level": "ERROR",
                "filters": ["require_debug_false"],
                "formatter": "plain",
                "include_html": False,
                "email_backend": "errormail.mail.backends.locmem.EmailBackend",
                "reporter_class": "errormail.report.debug.ExceptionReporter",
                "admins": ["dev@example.com", ["Jane", "jane@example.com"]],
                "subject_prefix": "[pay] ",
            }
        },
        "loggers": {"shop.tests": {"handlers": ["mail"], "propagate": False}},
    }
    logging.config.dictConfig(json.loads(json.dumps(config)))
    logger.warning("not this")
    logger.error("this")
    message = only_mail()
    assert message.to == ["dev@example.com", "Jane <jane@example.com>"]
    assert message.subject == "[pay] ERROR: this"
    assert message.alternatives == []
    assert text_of(message).startswith("ERROR in shop.tests: this\n\n")


@pytest.mark.row("H2")
def test_using_names_a_mailer(logger):
    mailers = {
        "alerts": {"BACKEND": "errormail.mail.backends.locmem.EmailBackend", "OPTIONS": {}},
    }
    logger.addHandler(AdminEmailHandler(using="alerts"))
    with conf.override_settings(MAILERS=mailers):
        logger.error("this")
    assert only_mail().sent_using == "alerts"


def test_email_backend_and_using_exclude_each_other():
    with pytest.raises(TypeError, match="email_backend and using"):
        AdminEmailHandler(email_backend="a.B", using="bulk")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"admins": ["a b"]}, "admins: .*'a b'"),
        ({"admins": "ops@example.com"}, "admins: .*str"),
        ({"reporter_class": "no.such.Class"}, "reporter_class: 'no.such.Class'.*ModuleNotFound"),
        ({"reporter_class": "os.path.join"}, "expected a class"),
        ({"reporter_class": "nonsense"}, "not a dotted path"),
    ],
)
def test_a_mistake_is_refused_when_it_is_made(arguments, words):
    with pytest.raises(errormail.ImproperlyConfigured, match=words):
        AdminEmailHandler(**arguments)


def test_settings_are_looked_up_when_a_record_comes(logger):
    logger.addHandler(AdminEmailHandler())
    with conf.override_settings(ADMINS=["late@example.com"]):
        logger.error("this")
    assert only_mail().to == ["late@example.com"]


def test_settings_of_its_own_go_before_the_process_wide_ones(logger):
    own = errormail.Settings(
        ADMINS=["own@example.com"],
        SERVER_EMAIL="own-shop@example.com",
        EMAIL_BACKEND="errormail.mail.backends.locmem.EmailBackend",
        DELIVERY="sync",
    )
    logger.addHandler(AdminEmailHandler(settings=own))
    logger.error("this")
    assert (only_mail().to, only_mail().from_email) == (["own@example.com"], "own-shop@example.com")


@pytest.mark.row("H3")
def test_nobody_in_admins_is_an_early_end(logger, monkeypatch):
    logger.addHandler(AdminEmailHandler())
    monkeypatch.setattr("errormail.reporter.hand_over", None)
    with conf.override_settings(ADMINS=[]):
        log_failure(logger)
    assert mail.outbox == []


@pytest.mark.row("H3")
def test_an_overridden_send_mail_is_called_although_nobody_is_in_admins(logger):
    sent = []

    class Handler(AdminEmailHandler):
        def send_mail(self, subject, message, *args, html_message=None, **kwargs):
            sent.append((subject, message, html_message))

    logger.addHandler(Handler())
    with conf.override_settings(ADMINS=[]):
        log_failure(logger)
    ((subject, message, html),) = sent
    assert subject == SUBJECT
    assert "return [][1]" in message
    assert "IndexError" in html
    assert mail.outbox == []


def test_an_overridden_send_mail_may_call_the_original(logger):
    class Handler(AdminEmailHandler):
        def send_mail(self, subject, message, *args, **kwargs):
            super().send_mail(f"{subject} (on call)", message, *args, **kwargs)

    logger.addHandler(Handler(subject_prefix="[pay] "))
    log_failure(logger)
    message = only_mail()
    assert message.subject == f"[pay] {SUBJECT} (on call)"
    assert message.to == ["Ops <ops@example.com>"]
    assert "IndexError" in html_of(message)
    assert message.extra_headers["X-Errormail-Occurrences"] == "1"


def test_an_overridden_send_mail_that_fails_harms_nobody(logger, capsys, monkeypatch):
    class Handler(AdminEmailHandler):
        def send_mail(self, *args, **kwargs):
            raise OSError

    monkeypatch.setattr("errormail._contain.strict", False)
    logger.addHandler(Handler())
    log_failure(logger)
    assert "errormail:" in capsys.readouterr().err


def test_an_overridden_format_subject_makes_the_subject(logger):
    class Handler(AdminEmailHandler):
        def format_subject(self, subject):
            return f"<{subject}>"

    logger.addHandler(Handler())
    log_failure(logger)
    assert only_mail().subject == f"[errormail] <{SUBJECT}>"


@pytest.mark.row("H4")
@pytest.mark.parametrize(
    ("level", "extra", "internal", "subject"),
    [
        (logging.ERROR, {}, [], "ERROR: no stock of 7"),
        (logging.CRITICAL, {"request": ENVIRON}, [], "CRITICAL (EXTERNAL IP): no stock of 7"),
        (
            logging.ERROR,
            {"request": ENVIRON},
            ["203.0.113.0/24"],
            "ERROR (internal IP): no stock of 7",
        ),
    ],
)
def test_subject_of_a_record_without_exception(logger, level, extra, internal, subject):
    logger.addHandler(AdminEmailHandler())
    with conf.override_settings(INTERNAL_IPS=internal, EMAIL_SUBJECT_PREFIX="[shop] "):
        logger.log(level, "no stock of %d", 7, extra=extra)
    assert only_mail().subject == f"[shop] {subject}"


@pytest.mark.row("H5")
def test_line_breaks_in_a_message_are_visible_in_the_subject(logger):
    logger.addHandler(AdminEmailHandler())
    logger.error("a\r\nBcc: victim@example.com\x0b\x0c\x1c\x85\u2028z")
    subject = only_mail().subject
    assert subject.startswith(r"[errormail] ERROR: a\r\nBcc: victim@example.com")
    assert len(subject.splitlines()) == 1
    assert only_mail().message()["Bcc"] is None


@pytest.mark.row("H5")
def test_format_subject_makes_line_breaks_visible():
    assert AdminEmailHandler().format_subject("a\r\nb") == r"a\r\nb"


@pytest.mark.row("H6")
def test_a_formatter_s_line_stands_before_the_text_and_the_report_is_the_html_part(logger):
    handler = AdminEmailHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s|%(message)s"))
    logger.addHandler(handler)
    log_failure(logger, "order %d", 7)
    text = text_of(only_mail())
    assert text.startswith("ERROR|order 7\n\nIndexError: list index out of range\n")
    assert text.count("Traceback (most recent call last)") == 1
    assert only_mail().alternatives[0].mimetype == "text/html"


@pytest.mark.row("H6")
def test_include_html_false_leaves_the_html_part_out(logger):
    logger.addHandler(AdminEmailHandler(include_html=False))
    log_failure(logger)
    assert only_mail().alternatives == []


def test_a_formatter_that_fails_loses_its_line_only(logger):
    class Broken(logging.Formatter):
        def format(self, record):
            raise KeyError

    handler = AdminEmailHandler()
    handler.setFormatter(Broken())
    logger.addHandler(handler)
    log_failure(logger)
    assert text_of(only_mail()).startswith("IndexError: ")


@pytest.mark.row("H7")
def test_a_record_without_exception_makes_a_report_and_stays_as_it_is(logger):
    seen = []
    logger.addHandler(AdminEmailHandler())
    logger.addHandler(Keep(seen))
    logger.error("no stock of %d", 7, extra={"shelf": 4}, stack_info=True)
    (record,) = seen
    assert (record.msg, record.args, record.exc_info, record.exc_text) == (
        "no stock of %d",
        (7,),
        None,
        None,
    )
    assert record.stack_info.startswith("Stack (most recent call last)")
    text = text_of(only_mail())
    assert "no stock of 7" in text
    assert "shelf: 4" in text
    assert "CALL STACK" in text
    assert "__errormail" not in text


class Keep(logging.Handler):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def emit(self, record):
        self.seen.append(record)


@pytest.fixture
def dead_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.row("H8")
@pytest.mark.parametrize("style", ["EMAIL_*", "MAILERS"])
def test_a_dead_mail_server_is_no_error_of_the_program(logger, dead_port, capsys, style):
    smtp = "errormail.mail.backends.smtp.EmailBackend"
    options = {"host": "127.0.0.1", "port": dead_port}
    settings = {
        "EMAIL_*": {"EMAIL_BACKEND": smtp, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": dead_port},
        "MAILERS": {"MAILERS": {"default": {"BACKEND": smtp, "OPTIONS": options}}},
    }[style]
    own = errormail.Settings(ADMINS=["ops@example.com"], DELIVERY="sync", **settings)
    logger.addHandler(AdminEmailHandler(settings=own))
    log_failure(logger)
    assert capsys.readouterr().err.startswith("errormail: ")


@pytest.mark.row("H8")
def test_a_wrong_setting_is_told_once_and_does_not_rise(logger, capsys, monkeypatch):
    monkeypatch.setattr("errormail._contain._told", set())
    logger.addHandler(AdminEmailHandler())
    with conf.override_settings(ADMINS=["a b c"]):
        log_failure(logger)
        log_failure(logger)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "no error mail: ADMINS: " in told


@pytest.mark.row("H8")
def test_a_mailer_that_does_not_exist_does_not_rise(logger, capsys):
    logger.addHandler(AdminEmailHandler(using="missing"))
    log_failure(logger)
    assert "missing" in capsys.readouterr().err


@pytest.mark.row("H9")
@pytest.mark.parametrize("debug", [True, False])
def test_filters_by_debug(debug):
    record = logging.makeLogRecord({})
    with conf.override_settings(DEBUG=debug):
        assert RequireDebugTrue().filter(record) is debug
        assert RequireDebugFalse().filter(record) is not debug


@pytest.mark.row("H9")
def test_callback_filter(logger):
    handler = AdminEmailHandler()
    handler.addFilter(CallbackFilter(lambda record: record.args))
    logger.addHandler(handler)
    logger.error("not this")
    logger.error("this %s", "one")
    assert only_mail().subject == "[errormail] ERROR: this one"


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="filters replace records from Python 3.12 on"
)
def test_a_filter_may_replace_the_record(logger):
    def replace(record):
        other = copy.copy(record)
        other.msg = "other"
        return other

    handler = AdminEmailHandler()
    handler.addFilter(replace)
    logger.addHandler(handler)
    logger.error("this")
    assert only_mail().subject == "[errormail] ERROR: other"


def test_a_queue_listener_brings_the_traceback_as_text(logger):
    records = queue.SimpleQueue()
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, AdminEmailHandler(level="ERROR"))
    listener.start()
    log_failure(logger)
    logger.warning("below the level, which QueueListener does not look at")
    listener.stop()
    text = text_of(only_mail())
    assert "IndexError: list index out of range" in text
    assert "return [][1]" in text


def test_a_memory_handler_does_not_look_at_the_level(logger):
    target = AdminEmailHandler(level="ERROR")
    memory = logging.handlers.MemoryHandler(10, flushLevel=logging.ERROR, target=target)
    logger.addHandler(memory)
    logger.info("before")
    logger.error("this")
    memory.close()
    assert only_mail().subject == "[errormail] ERROR: this"


def test_one_record_that_reaches_two_handlers_is_one_email(logger):
    logger.addHandler(AdminEmailHandler())
    logger.addHandler(AdminEmailHandler())
    logger.error("this")
    log_failure(logger)
    assert len(mail.outbox) == 2


def test_handlers_with_other_recipients_each_mail_theirs(logger):
    logger.addHandler(AdminEmailHandler())
    logger.addHandler(AdminEmailHandler(admins=["OPS@example.com", "db@example.com"]))
    log_failure(logger)
    assert [message.to for message in mail.outbox] == [
        ["Ops <ops@example.com>"],
        ["db@example.com"],
    ]


def test_an_exception_that_is_logged_by_layers_is_one_email(logger):
    logger.addHandler(AdminEmailHandler())
    try:
        try:
            fail()
        except IndexError:
            logger.exception("inner")
            raise
    except IndexError as error:
        logger.error("outer", exc_info=error)
    assert only_mail().subject == f"[errormail] {SUBJECT}"


@pytest.mark.parametrize("name", ["errormail", "errormail.delivery"])
def test_own_loggers_are_never_mailed(name):
    own = logging.getLogger(name)
    handler = AdminEmailHandler()
    own.addHandler(handler)
    try:
        own.error("this")
    finally:
        own.removeHandler(handler)
    assert mail.outbox == []


def test_what_is_logged_while_a_report_is_made_is_not_mailed(logger):
    class Chatty:
        def __repr__(self):
            logger.error("my repr was called")
            return "<chatty>"

    logger.addHandler(AdminEmailHandler())
    try:
        chatty = Chatty()
        fail(chatty)
    except IndexError:
        logger.exception("it broke")
    assert only_mail().subject == f"[errormail] {SUBJECT}"


@pytest.mark.parametrize("arguments", [("%d", "x"), ("%s %s", "x"), ({"event": "paid"},)])
def test_wrong_arguments_do_not_lose_the_mail(arguments):
    message, *args = arguments
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, message, tuple(args), None)
    AdminEmailHandler().handle(record)
    assert "ERROR" in only_mail().subject


def test_an_exception_in_every_form_of_exc_info(logger):
    logger.addHandler(AdminEmailHandler())
    for form in "true", "exception", "triple":
        try:
            fail()
        except IndexError as error:
            given = {"true": True, "exception": error, "triple": sys.exc_info()}[form]
            logger.error("it broke", exc_info=given)
    logger.error("none is live", exc_info=True)  # noqa: LOG014 -- people do
    assert [message.subject for message in mail.outbox] == [
        *[f"[errormail] {SUBJECT}"] * 3,
        "[errormail] ERROR: none is live",
    ]


def test_a_reporter_class_makes_both_parts(logger):
    class Reporter:
        def __init__(self, request, exc_type, exc_value, tb, is_email=False):
            self.given = (request, exc_type.__name__, str(exc_value), tb is not None, is_email)

        def get_traceback_text(self):
            return f"text {self.given}"

        def get_traceback_html(self):
            return f"html {self.given}"

    handler = AdminEmailHandler(reporter_class=Reporter)
    logger.addHandler(handler)
    log_failure(logger)
    expected = "(None, 'IndexError', 'list index out of range', True, True)"
    assert f"text {expected}" in text_of(only_mail())
    assert html_of(only_mail()) == f"html {expected}"


def test_a_reporter_class_that_fails_loses_nothing(logger, monkeypatch):
    class Broken:
        def __init__(self, *args, **kwargs):
            raise KeyError

    monkeypatch.setattr("errormail._contain.strict", False)
    logger.addHandler(AdminEmailHandler(reporter_class=Broken))
    log_failure(logger)
    assert "return [][1]" in text_of(only_mail())


def test_the_handler_holds_no_lock_while_a_report_is_made():
    """A repr may wait for another thread that logs: with a lock of the handler both would wait for ever."""
    handler = AdminEmailHandler()
    assert handler.lock is None
    handler.acquire()
    handler.release()
    handler.flush()
    handler.close()


@pytest.mark.row("H10")
def test_the_usual_logging_of_django_by_our_names():
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "require_debug_false": {"()": "errormail.RequireDebugFalse"},
            "require_debug_true": {"()": "errormail.RequireDebugTrue"},
        },
        "handlers": {
            "console": {
                "level": "INFO",
                "filters": ["require_debug_true"],
                "class": "logging.StreamHandler",
            },
            "mail_admins": {
                "level": "ERROR",
                "filters": ["require_debug_false"],
                "class": "errormail.AdminEmailHandler",
            },
        },
        "loggers": {"django": {"handlers": ["console", "mail_admins"], "level": "INFO"}},
    }
    logging.config.dictConfig(config)
    own = logging.getLogger("django.anything")
    try:
        own.info("not this")
        with conf.override_settings(DEBUG=True):
            own.error("nor this")
        own.error("this")
        assert only_mail().subject == "[errormail] ERROR: this"
    finally:
        logging.getLogger("django").handlers.clear()
