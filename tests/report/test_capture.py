"""An exception or a log record becomes a Report, whatever the program's objects do."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import logging
import logging.handlers
import multiprocessing
import os
import queue
import sys
import threading
import time
import types
import weakref
from dataclasses import fields, replace

import pytest

from actors import hostile
from errormail import _contain
from errormail.report import capture as capture_module
from errormail.report.capture import capture
from errormail.report.limits import DEFAULT_LIMITS, Limits
from errormail.report.model import REDACTED, Elision, Frame, LogLine, Request
from errormail.report.options import DEFAULT_OPTIONS, CaptureOptions
from errormail.report.redact import DEFAULT_REDACTOR
from errormail.report.tracebacks import chain

OPTIONS = {field.name for field in fields(CaptureOptions)}


def report(exc=None, *, options=DEFAULT_OPTIONS, **given):
    """Return the report of *exc*. Arguments that `CaptureOptions` has go into *options*."""
    of_options = {name: given.pop(name) for name in OPTIONS & set(given)}
    options = replace(options, **of_options)
    given = {"exc": exc, "fingerprint": "0123456789ab", "now": 1.0, **given}
    return capture(options=options, **given)


def raised(function, *args):
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def divide(total, count):
    return total / count


class PricingError(Exception):
    pass


def convert():
    try:
        divide(1, 0)
    except ZeroDivisionError as error:
        raise PricingError("no rate") from error


def convert_while_handling():
    try:
        divide(1, 0)
    except ZeroDivisionError:
        raise PricingError("no rate")  # noqa: B904 -- the context is what is tested


def convert_from_none():
    try:
        divide(1, 0)
    except ZeroDivisionError:
        raise PricingError("no rate") from None


# Exceptions


@pytest.mark.row("R1")
def test_type_message_and_notes():
    error = PricingError("no rate from CHF")
    error.__notes__ = ["ask the bank", "or wait"]
    exception = report(error).exception
    assert exception.type_name == "PricingError"
    assert exception.qualified_name == f"{PricingError.__module__}.PricingError"
    assert exception.message == "no rate from CHF"
    assert exception.notes == ("ask the bank", "or wait")
    assert report(error).headline == "PricingError"


def test_builtin_types_have_no_module():
    assert report(KeyError("a")).exception.qualified_name == "KeyError"
    assert report(KeyError("a")).exception.message == "'a'"


@pytest.mark.row("R3")
@pytest.mark.parametrize(
    ("function", "relation"), [(convert, "cause"), (convert_while_handling, "context")]
)
def test_the_chain_says_how_it_hangs_together(function, relation):
    exception = report(raised(function)).exception
    assert [link.type_name for link in exception.chain()] == ["PricingError", "ZeroDivisionError"]
    assert exception.relation == relation
    assert [frame.function for frame in exception.cause.frames] == [function.__name__, "divide"]
    assert exception.cause.relation == ""


@pytest.mark.row("R3")
def test_from_none_ends_the_chain():
    exception = report(raised(convert_from_none)).exception
    assert (exception.cause, exception.relation, exception.cut) == (None, "", "")


@pytest.mark.row("R3")
def test_a_cycle_is_cut_where_it_closes():
    exception = report(hostile.cycle()).exception
    assert [link.message for link in exception.chain()] == ["first", "'second'"]
    assert exception.cause.cut == "seen above"


@pytest.mark.row("R3")
def test_a_long_chain_is_cut_and_says_so():
    links = list(report(hostile.long_chain()).exception.chain())
    assert len(links) == DEFAULT_LIMITS.exceptions
    assert links[-1].cut == "chain longer than 100"


class BaseExceptionGroup(Exception):
    def __init__(self, message, exceptions):
        super().__init__(message)
        self.exceptions = tuple(exceptions)


class Group(BaseExceptionGroup):
    pass


@pytest.mark.row("R3")
def test_members_of_a_group_are_shown_with_their_frames():
    group = Group("several", [raised(convert), KeyError("a")])
    exception = report(group).exception
    assert [member.type_name for member in exception.members] == ["PricingError", "KeyError"]
    assert exception.members[0].culprit.function == "convert"
    assert exception.members[0].cause.type_name == "ZeroDivisionError"


def test_the_groups_of_this_python_are_groups():
    if sys.version_info >= (3, 11):
        from builtins import ExceptionGroup as Native
    else:
        from exceptiongroup import ExceptionGroup as Native

    exception = report(Native("several", [KeyError("a"), ValueError("b")])).exception
    assert exception.message == "several (2 sub-exceptions)"
    assert [member.message for member in exception.members] == ["'a'", "b"]


@pytest.mark.row("R3")
def test_each_member_has_its_own_values():
    group = Group("several", [raised(divide, 7, 0), raised(divide, 8, 0)])
    members = report(raised(lambda: (_ for _ in ()).throw(group))).exception.members
    values = [{each.name: each.value for each in member.culprit.variables} for member in members]
    assert [each["total"] for each in values] == ["7", "8"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with Python 3.11")
def test_a_task_group_shows_the_tasks_that_failed():
    async def task(total):
        await asyncio.sleep(0)
        divide(total, 0)

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(task(7))
            group.create_task(task(8))

    exception = report(raised(asyncio.run, main())).exception
    assert exception.message == "unhandled errors in a TaskGroup (2 sub-exceptions)"
    assert [member.culprit.function for member in exception.members] == ["divide", "divide"]
    assert [member.message for member in exception.members] == ["division by zero"] * 2


@pytest.mark.row("R3")
def test_what_a_group_holds_twice_is_shown_once():
    shared = KeyError("a")
    inner = Group("inner", [shared])
    outer = Group("outer", [shared, inner])
    inner.exceptions += (outer,)
    exception = report(outer).exception
    first, second = exception.members
    assert first.cut == ""
    assert [member.cut for member in second.members] == ["seen above", "seen above"]


def test_members_beyond_the_bound_are_counted():
    exception = report(Group("many", [KeyError(index) for index in range(500)])).exception
    assert len(exception.members) + exception.members_omitted == 500
    assert exception.members_omitted > 0


def test_groups_1000_deep_are_cut():
    error = KeyError("a")
    for _ in range(1_000):
        error = Group("group", [error])
    exception, depth = report(error).exception, 0
    while exception.members:
        exception = exception.members[0]
        depth += 1
    assert depth == DEFAULT_LIMITS.exceptions - 1
    assert exception.members_omitted == 1


def test_a_group_whose_members_are_none_is_an_exception_like_any():
    class Broken(BaseExceptionGroup):
        exceptions = property(lambda self: 1 / 0)

        def __init__(self):
            pass

    assert report(Broken()).exception.members == ()
    strange = Group("strange", [])
    strange.exceptions = (1, "a", KeyError("a"))
    assert [member.type_name for member in report(strange).exception.members] == ["KeyError"]


@pytest.mark.row("R7")
@pytest.mark.parametrize("name", hostile.EXCEPTIONS)
def test_a_hostile_exception_gives_a_report(name):
    exception = report(hostile.EXCEPTIONS[name]()).exception
    assert exception.type_name
    assert len(exception.message) <= DEFAULT_LIMITS.message_chars
    assert len(exception.notes) <= DEFAULT_LIMITS.notes + 1
    for link in exception.chain():
        for text in (link.message, *link.notes, *link.details):
            text.encode()


@pytest.mark.row("R7")
def test_a_message_that_cannot_be_made_is_said_so():
    assert report(hostile.BrokenStr()).exception.message == "<unprintable BrokenStr object>"


def test_messages_and_notes_are_bounded_and_redacted():
    error = hostile.with_notes(["token=abc", "x" * 1_000_000])
    error.args = ("password=hunter2 " + "x" * 10_000_000,)
    exception = report(error).exception
    assert exception.message.startswith(f"password={REDACTED} x")
    assert exception.message.endswith("x...")
    assert exception.notes[0] == f"token={REDACTED}"
    assert len(exception.notes[1]) == DEFAULT_LIMITS.message_chars


def test_known_secrets_are_hidden_in_messages_notes_and_values():
    secret = "correct-horse-battery"

    def fail(anything):
        error = ValueError(f"no {anything}")
        error.__notes__ = [anything]
        raise error

    found = report(
        raised(fail, secret),
        redactor=DEFAULT_REDACTOR.with_values([secret]),
        context={"x": secret},
        message=secret,
    )
    assert secret not in repr(found)
    assert repr(found).count(REDACTED) >= 5


@pytest.mark.row("R8")
def test_a_unicode_error_shows_the_characters_around():
    error = raised(b"abcdefgh\xff12345678".decode)
    assert report(error).exception.notes == (
        "The text that could not be decoded was: 'defgh\\xff12345'",
    )
    error = raised("grüße-€-grüße".encode, "latin-1")
    assert report(error).exception.notes == (
        "The text that could not be encoded was: 'r\\xfc\\xdfe-\\u20ac-gr\\xfc\\xdf'",
    )


def test_a_unicode_error_of_a_giant_costs_nothing():
    data = b"a" * 50_000_000 + b"\xff"
    assert "aaaaa\\xff" in report(raised(data.decode)).exception.notes[0]


@pytest.mark.row("R8")
def test_a_template_error_shows_its_place():
    error = ValueError("bad tag")
    error.template_debug = {"name": "cart.html", "line": 7, "during": "  {% bad %}", "total": 9}
    assert report(error).exception.details == ('  Template "cart.html", line 7', "    {% bad %}")


@pytest.mark.row("R8")
def test_a_missing_template_shows_where_it_was_looked_for():
    from django.template import TemplateDoesNotExist

    tried = [(types.SimpleNamespace(name="/app/templates/cart.html"), "Source does not exist"), 5]
    details = report(TemplateDoesNotExist("cart.html", tried=tried)).exception.details
    assert details[0] == "  Tried /app/templates/cart.html (Source does not exist)"


@pytest.mark.row("R8")
def test_a_syntax_error_shows_its_own_place():
    error = raised(compile, "def f():\n\tprice = 1 +* 2\n", "/nowhere/shop.py", "exec")
    exception = report(error).exception
    assert exception.message == "invalid syntax"
    assert exception.details == (
        '  File "/nowhere/shop.py", line 2',
        "    price = 1 +* 2",
        "               ^",
    )


def test_a_syntax_error_without_a_line_shows_its_file():
    error = SyntaxError("bad", ("/nowhere/shop.py", 2, None, ""))
    assert report(error).exception.details == ('  File "/nowhere/shop.py", line 2',)
    assert report(SyntaxError("bad", ("/nowhere/shop.py", 2, 99, "x = 1"))).exception.details[
        1:
    ] == ("    x = 1",)


def test_a_secret_in_the_line_of_a_syntax_error_is_hidden():
    error = raised(compile, "password='hunter2' +* 2", "shop.py", "exec")
    assert "hunter2" not in repr(report(error))


def test_suggestions_stay_where_python_has_them():
    def wrong_name():
        total = 5
        return totl + total  # noqa: F821 -- that is the point

    message = report(raised(wrong_name)).exception.message
    assert message == "name 'totl' is not defined. Did you mean: 'total'?"


def test_suggestions_run_no_code_of_objects():
    class Loud:
        def __dir__(self):
            raise AssertionError

        @property
        def __dict__(self):
            raise AssertionError

    def wrong_attribute():
        return Loud().anything

    assert "anything" in report(raised(wrong_attribute)).exception.message

    module = types.ModuleType("loud")
    module.__dir__ = Loud.__dir__
    assert "nothing" in report(raised(lambda: module.nothing)).exception.message

    class Proxy:
        def __getattr__(self, name):
            raise SystemExit

        def wrong_name(self):
            return nothing + 1  # noqa: F821 -- that is the point

    assert report(raised(Proxy().wrong_name)).exception.message == "name 'nothing' is not defined"


def test_the_traceback_of_a_worker_process_is_kept():
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        error = raised(pool.submit(int, "x").result)
    cause = report(error).exception.cause
    assert cause.type_name == "_RemoteTraceback"
    assert cause.message == "ValueError: invalid literal for int() with base 10: 'x'"
    assert cause.details[0] == "Traceback (most recent call last):"
    assert cause.details[-1] == cause.message


def test_capture_holds_on_to_nothing():
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)

    def fail(thing):
        raise ValueError

    error = raised(fail, thing)
    found = report(error)
    del thing, error
    gc.collect()
    assert gone() is None
    assert found.exception.frames


def recurse(depth):
    return recurse(depth + 1)


def test_recursion_gives_a_small_report():
    frames = report(raised(recurse, 0)).exception.frames
    assert len(frames) < 8
    assert any(isinstance(frame, Elision) and frame.frames > 500 for frame in frames)


def test_a_report_can_be_made_at_the_bottom_of_a_recursion(monkeypatch):
    """Where hardly a call is possible any more: something may be missing, nothing rises."""
    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(_contain, "tell", lambda text: None)
    # Python tells of what it cannot finish down there, and pytest's hook itself has no room.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    found = []

    def fall():
        try:
            fall()
        except RecursionError as error:
            if len(found) >= 100:
                return
            with contextlib.suppress(RecursionError):  # where not even the call is possible
                found.append(report(error))
            raise

    fall()
    assert {each.exception.type_name for each in found} == {"RecursionError"}
    assert found[-1].exception.frames


# The budget


def test_a_spent_budget_leaves_a_note():
    class Slow:
        def __repr__(self):
            return "<slow>"

    ticks = iter(range(10_000_000))
    found = report(
        raised(divide, Slow(), Slow()), clock=lambda: next(ticks), limits=Limits(seconds=0.5)
    )
    assert len(found.notes) == 1
    assert "0.5 s" in found.notes[0]
    assert report(raised(divide, 1, 0)).notes == ()


def test_giants_cost_what_small_values_cost():
    """Counted by the clock of the budget: it is asked once for each item that is looked at."""

    def asked(size):
        ticks = []
        giants = [
            list(range(size)),
            {index: index for index in range(size)},
            "x" * size,
            set(range(size)),
        ]
        report(raised(divide, giants, None), clock=lambda: ticks.append(1) or 0.0)
        return len(ticks)

    assert asked(1_000_000) == asked(20_000)


# Log records


def make_record(msg="no rate", *args, **fields):
    record = logging.LogRecord(
        "shop.views", logging.ERROR, __file__, 17, msg, args, None, "checkout"
    )
    vars(record).update(fields)
    return record


@pytest.mark.row("R11")
def test_a_record_without_an_exception():
    found = report(record=make_record("no rate for %s", "CHF", order=5, api_token="x"))
    assert found.exception is None
    assert found.message == "no rate for CHF"
    assert (found.level, found.logger) == ("ERROR", "shop.views")
    assert found.call_site == "tests/report/test_capture.py:17 in checkout"
    assert [(each.name, each.value) for each in found.extra] == [
        ("order", "5"),
        ("api_token", REDACTED),
    ]
    assert found.headline == "ERROR"
    assert found.summary == "no rate for CHF"


def test_what_was_logged_before_is_in_the_report():
    line = LogLine(at=1.0, level="INFO", logger="shop", message="begun")
    found = report(message="no", log=(line,), log_omitted=3)
    assert (found.log, found.log_omitted) == ((line,), 3)
    assert (report(message="no").log, report(message="no").log_omitted) == ((), 0)


def test_the_release_is_in_the_links():
    error = raised(divide, 1, 0)
    found = report(error, source_url="https://x/{release}/{path}", release="v1")
    assert found.exception.culprit.url == "https://x/v1/tests/report/test_capture.py"


def test_the_packages_of_the_traceback_are_in_the_runtime():
    import jinja2

    found = report(raised(jinja2.Template("{{ 1 / 0 }}").render))
    assert "jinja2" in {each.name.lower() for each in found.runtime.packages}


@pytest.mark.row("R11")
def test_a_message_alone():
    found = report(message="500 Internal Server Error\r\npassword=hunter2", level="CRITICAL")
    assert (found.exception, found.request, found.logger, found.call_site) == (None, None, "", "")
    assert found.level == "CRITICAL"
    assert found.message == f"500 Internal Server Error\r\npassword={REDACTED}"


@pytest.mark.row("R11")
def test_nothing_at_all():
    assert report().summary == ""


def test_what_is_given_stands_in_the_report():
    request = Request(method="GET", url="http://x/", path="/")
    found = report(
        request=request,
        service="shop",
        environment="production",
        release="1",
        context={"order": 5, "password": "x"},
    )
    assert found.request is request
    assert (found.service, found.environment, found.release) == ("shop", "production", "1")
    assert [(each.name, each.value) for each in found.context] == [
        ("order", "5"),
        ("password", REDACTED),
    ]
    assert (found.fingerprint, found.occurred_at) == ("0123456789ab", 1.0)


@pytest.mark.parametrize("shape", ["triple", "exception"])
def test_the_exception_of_a_record_counts(shape):
    error = raised(divide, 1, 0)
    exc_info = (type(error), error, error.__traceback__) if shape == "triple" else error
    found = report(record=make_record(exc_info=exc_info))
    assert found.exception.type_name == "ZeroDivisionError"
    assert found.message == "no rate"


@pytest.mark.parametrize(
    "exc_info", [(None, None, None), True, None, 5, (), [1], hostile.HostileTuple((1, 2))]
)
def test_exc_info_without_an_exception_is_none(exc_info):
    assert report(record=make_record(exc_info=exc_info)).exception is None


@pytest.mark.row("R7")
@pytest.mark.parametrize(
    "args", [("x",), (), ("x", "y", "z"), (hostile.Raises(SystemExit()), 1), ({"a": 1},)]
)
def test_wrong_arguments_lose_no_message(args):
    found = report(record=make_record("%d of %d", *args))
    assert found.message.startswith("%d of %d")


@pytest.mark.row("R7")
@pytest.mark.parametrize("name", hostile.OBJECTS)
def test_anything_may_be_logged(name):
    value = hostile.OBJECTS[name]()
    logging.disable()
    try:
        found = report(
            record=make_record(
                value, extra=value, stack_info=value, levelname=value, funcName=value
            )
        )
    finally:
        logging.disable(logging.NOTSET)
    assert len(found.message) <= DEFAULT_LIMITS.message_chars
    assert [each.name for each in found.extra][-1:] == ["extra"]


@pytest.mark.row("X12")
def test_control_characters_in_a_record_are_kept_for_the_renderers_to_escape():
    """They make the text safe for their medium; a lone surrogate could not even be encoded."""
    found = report(record=make_record("GET %s", "/\x1b[31m\r\n\ud800\u2028"))
    assert found.message == "GET /\x1b[31m\r\n\\ud800\u2028"


@pytest.mark.row("X12")
def test_control_characters_in_values_are_escaped():
    found = report(record=make_record(path="/\x1b[31m\r\n\u2028"))
    assert found.extra[0].value == "'/\\x1b[31m\\r\\n\\u2028'"


@pytest.mark.row("X2")
def test_a_callable_is_not_called():
    def secret_key():
        raise AssertionError

    class Settings:
        def __call__(self):
            raise AssertionError

    found = report(
        record=make_record(factory=secret_key, backend=Settings()), context={"call": secret_key}
    )
    assert "<function" in found.extra[0].value
    assert "Settings object>" in found.extra[1].value


def through_a_queue(record):
    """Return *record* as QueueHandler hands it on."""
    waiting = queue.Queue()
    logging.handlers.QueueHandler(waiting).handle(record)
    return waiting.get_nowait()


def test_a_traceback_that_came_as_text_is_the_stack():
    error = raised(divide, 1, 0)
    record = make_record(exc_info=(type(error), error, error.__traceback__))
    found = report(record=through_a_queue(record))
    assert found.exception is None
    assert found.message == "no rate"
    assert found.stack.startswith("Traceback (most recent call last):\n")
    assert found.stack.endswith("ZeroDivisionError: division by zero")


def test_beside_the_exception_the_text_is_left_out():
    error = raised(divide, 1, 0)
    record = make_record("no rate\nTraceback (most recent call last):\n  File ...", exc_info=error)
    found = report(record=record)
    assert (found.message, found.stack) == ("no rate", "")


def test_a_traceback_in_exc_text_is_the_stack():
    found = report(
        record=make_record(exc_text="Traceback (most recent call last):\nKeyError: 'token=abc'")
    )
    assert found.stack == f"Traceback (most recent call last):\nKeyError: 'token={REDACTED}'"


def test_stack_info_is_the_stack():
    found = report(record=make_record(stack_info="Stack (most recent call last):\n  File"))
    assert found.stack == "Stack (most recent call last):\n  File"
    found = report(
        record=through_a_queue(make_record(stack_info="Stack (most recent call last):\n  File"))
    )
    assert (found.message, found.stack) == ("no rate", "Stack (most recent call last):\n  File")


def test_a_long_stack_keeps_its_end():
    stack = "begin\n" + "line password=hunter2hunter2\n" * 100_000 + "end"
    found = report(record=make_record(stack_info=stack)).stack
    assert len(found) <= DEFAULT_LIMITS.stack_chars
    assert found.startswith("begin\n")
    assert found.endswith("\nend")
    assert "hunter2" not in found
    assert "lines not shown" in found
    one_line = report(record=make_record(stack_info="x" * 10_000_000)).stack
    assert len(one_line) <= DEFAULT_LIMITS.stack_chars


def test_a_structlog_event_is_taken_apart():
    event = {"event": "no rate", "order": 5, "token": "x", "exc_info": True}
    found = report(record=make_record(event, _logger=object(), _name="error"))
    assert found.message == "no rate"
    assert [(each.name, each.value) for each in found.extra] == [
        ("order", "5"),
        ("token", REDACTED),
    ]


def test_the_request_is_no_field():
    assert report(record=make_record(request=object())).extra == ()


def test_fields_are_bounded():
    found = report(record=make_record(**{f"field_{index}": index for index in range(1_000)}))
    assert len(found.extra) == DEFAULT_LIMITS.fields + 1
    assert found.extra[-1].value == "800 more"


# Where it ran


def test_where_it_ran():
    found = report().runtime
    assert found.pid == os.getpid()
    assert found.thread == threading.current_thread().name
    assert found.host
    assert found.python.startswith("CPython 3.")
    assert found.platform
    assert found.task == ""


def test_a_record_knows_where_it_was_made():
    record = make_record(
        threadName="worker-3", process=4711, processName="SpawnProcess-1", taskName="Task-5"
    )
    found = report(record=record).runtime
    assert (found.thread, found.pid, found.task) == ("worker-3", 4711, "Task-5")
    assert found.process.endswith("(SpawnProcess-1)")


def test_the_task_is_named():
    async def work():
        return report().runtime.task

    async def main():
        return await asyncio.create_task(work(), name="checkout")

    assert asyncio.run(main()) == "checkout"


def test_a_thread_that_python_did_not_start_is_not_entered_anywhere():
    import _thread

    done = threading.Event()
    found = []

    def work():
        found.append(report().runtime.thread)
        done.set()

    _thread.start_new_thread(work, ())
    assert done.wait(10)
    assert found[0].startswith("thread ")


@pytest.mark.parametrize("argv", [["-c"], [""], [], None])
def test_a_program_without_a_script_has_a_name(monkeypatch, argv):
    monkeypatch.setattr(sys, "argv", argv)
    assert report().runtime.process


# The ladder


def failing(*args, **kwargs):
    raise KeyError


def test_where_values_fail_the_report_has_no_variables(monkeypatch):
    capture_exception, calls = chain.capture_exception, []

    def first_fails(exc, context):
        calls.append(context.limits.variables)
        if len(calls) == 1:
            raise KeyError
        return capture_exception(exc, context)

    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(capture_module, "capture_exception", first_fails)
    found = report(raised(divide, 1, 0))
    assert found.exception.culprit.variables == ()
    assert found.exception.culprit.line
    assert found.notes == ("Local variables are missing: to capture them failed.",)


def test_where_capture_fails_the_type_is_left(monkeypatch):
    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(capture_module, "capture_exception", failing)
    monkeypatch.setattr(capture_module, "capture_record", failing)
    monkeypatch.setattr(capture_module, "capture_runtime", failing)
    found = report(raised(divide, 1, 0), record=make_record())
    assert found.exception.type_name == "ZeroDivisionError"
    assert found.runtime.host == ""
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    "step", ["notes_of", "details_of", "capture_frames", "members_of", "message_of"]
)
def test_a_step_that_fails_costs_its_part_only(monkeypatch, step):
    monkeypatch.setattr(_contain, "strict", False)
    monkeypatch.setattr(chain, step, failing)
    exception = report(raised(convert)).exception
    assert exception.type_name == "PricingError"
    assert exception.cause.type_name == "ZeroDivisionError"


def test_a_context_that_is_broken_costs_itself(monkeypatch):
    monkeypatch.setattr(_contain, "strict", False)

    class Broken(dict):
        def items(self):
            raise KeyError

    assert report(context=Broken()).context == ()


@pytest.mark.row("R6", "R7")
def test_a_frame_full_of_hostile_objects_gives_a_report():
    source = (
        "def f("
        + ", ".join(f"v{index}" for index in range(len(hostile.OBJECTS)))
        + "):\n    return 1 / 0\n"
    )
    namespace = {"__name__": "shop"}
    exec(compile(source, "/nowhere/shop.py", "exec"), namespace)
    logging.disable()
    try:
        error = raised(namespace["f"], *[make() for make in hostile.OBJECTS.values()])
        started = time.perf_counter()
        found = report(error, limits=Limits(variables=100, seconds=30))
        assert time.perf_counter() - started < 15
    finally:
        logging.disable(logging.NOTSET)
    frame = found.exception.culprit
    assert isinstance(frame, Frame)
    assert len(frame.variables) == len(hostile.OBJECTS)
