"""`LogTailHandler`: the log before a failure, of the same request, task or thread, and of no other."""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import json
import logging
import logging.config
import logging.handlers
import queue
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

import errormail
from errormail import conf
from errormail.report.request import RequestSource
from errormail.reporter import Failure, report, report_exception, tail
from errormail.reporter.scope import SCOPE, Scope
from errormail.reporter.tail import tail_at_hand

_names = itertools.count()


@pytest.fixture
def logger():
    """A logger with a LogTailHandler, that nobody else has."""
    own = logging.getLogger(f"tail{next(_names)}")
    own.setLevel(logging.DEBUG)
    own.propagate = False
    own.addHandler(errormail.LogTailHandler())
    yield own
    own.handlers.clear()


@pytest.fixture
def reports(monkeypatch):
    """Every report that is handed over, in place of its mail."""
    found = []
    monkeypatch.setattr(
        "errormail.reporter.hand_over", lambda job: found.append(job.report) or True
    )
    with conf.override_settings(ADMINS=["ops@example.com"]):
        yield found


def messages(record=None):
    return [line.message for line in tail_at_hand().before(record)[0]]


def serve(work):
    """Run *work* as a request."""
    token = SCOPE.set(Scope(lambda: RequestSource(request={})))
    try:
        return work()
    finally:
        SCOPE.reset(token)


def caught():
    try:
        raise ValueError("no rate")
    except ValueError as error:
        return error


def test_records_at_info_and_above_are_kept(logger):
    logger.debug("too small")
    logger.info("order %s", "A-1")
    logger.warning("slow")
    assert messages() == ["order A-1", "slow"]


def test_another_level_can_be_asked_for():
    handler = errormail.LogTailHandler(level="DEBUG")
    assert handler.level == logging.DEBUG


def test_a_handler_that_is_called_past_its_level_looks_itself(logger):
    memory = logging.handlers.MemoryHandler(10, target=logger.handlers[0])
    memory.handle(logging.makeLogRecord({"levelno": logging.DEBUG, "msg": "small"}))
    memory.flush()
    memory.close()
    assert messages() == []


def test_the_last_fifty_are_kept_and_the_others_counted(logger):
    for number in range(120):
        logger.info("line %d", number)
    lines, omitted = tail_at_hand().before(None)
    assert [line.message for line in lines] == [f"line {number}" for number in range(70, 120)]
    assert omitted == 70


@pytest.mark.parametrize("text", ["x" * 5_000, "é" * 5_000, "\U0001f600" * 5_000, "x" * 900])
def test_memory_is_bounded_in_bytes(logger, text):
    for _ in range(300):
        logger.info(text)
    kept = sum(sys.getsizeof(line.message) for line in tail_at_hand().lines)
    assert 0 < kept <= 32_768


def test_one_message_that_is_larger_than_all_may_be_is_kept(logger, monkeypatch):
    monkeypatch.setattr(tail, "DEFAULT_LIMITS", errormail.report.Limits(log_bytes=100))
    logger.info("x" * 500)
    logger.info("y" * 500)
    assert messages() == ["y" * 500]


def test_one_record_on_several_loggers_is_kept_once(logger):
    child = logger.getChild("below")
    child.addHandler(errormail.LogTailHandler())
    child.info("once")
    logger.info("once")
    assert messages() == ["once", "once"]


def test_our_own_loggers_are_left_out():
    handler = errormail.LogTailHandler()
    before = messages()
    for name in ("errormail", "errormail.delivery", "errormailer"):
        handler.handle(logging.makeLogRecord({"name": name, "levelno": 20, "msg": name}))
    assert messages() == [*before, "errormailer"]


def test_a_filter_holds_records_back(logger):
    logger.handlers[0].addFilter(lambda record: "health" not in record.getMessage())
    logger.info("health")
    logger.info("order")
    assert messages() == ["order"]


def test_a_handler_takes_no_lock(logger):
    """A message may run foreign code, which may log, wait, or fork."""
    assert logger.handlers[0].lock is None
    logging.shutdown([weakref.ref(logger.handlers[0])])


def test_threads_have_their_own(logger):
    logger.info("main")
    seen = []

    def work():
        logger.info("thread")
        seen.extend(messages())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["thread"]
    assert messages() == ["main"]


def test_a_thread_that_ends_frees_its_lines(logger):
    kept = []

    def work():
        logger.info("thread")
        tails = [each for each in gc.get_objects() if type(each) is tail.Tail]
        kept.append(len(tails))

    for _ in range(3):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    gc.collect()
    assert len(set(kept)) == 1


def test_tasks_have_their_own_and_free_it(logger):
    seen = {}

    async def work(name):
        for number in range(3):
            logger.info("%s %d", name, number)
            await asyncio.sleep(0)
        seen[name] = messages()

    async def main():
        logger.info("main")
        await asyncio.gather(work("a"), work("b"))
        seen["main"] = messages()

    asyncio.run(main())
    gc.collect()
    assert seen == {"a": ["a 0", "a 1", "a 2"], "b": ["b 0", "b 1", "b 2"], "main": ["main"]}
    assert len(tail._of_tasks) == 0


def test_a_callback_of_a_loop_is_the_thread_s(logger):
    async def main():
        asyncio.get_running_loop().call_soon(logger.info, "callback")
        await asyncio.sleep(0)

    asyncio.run(main())
    assert messages() == ["callback"]


def test_a_request_shares_its_lines_with_its_tasks_and_threads_and_with_nobody_else(logger):
    async def part(name):
        logger.info("%s begins", name)
        await asyncio.sleep(0)
        await asyncio.to_thread(logger.info, "%s in a thread", name)

    async def request(name):
        SCOPE.set(Scope(lambda: RequestSource(request={})))
        logger.info("%s", name)
        await asyncio.gather(part(f"{name}1"), part(f"{name}2"))
        return messages()

    async def main():
        logger.info("outside")
        return await asyncio.gather(request("a"), request("b"))

    for name, lines in zip("ab", asyncio.run(main()), strict=True):
        parts = [f"{name}{number}{text}" for number in "12" for text in (" begins", " in a thread")]
        assert sorted(lines) == sorted([name, *parts])


def test_the_next_request_of_a_pooled_thread_begins_afresh(logger):
    def request(number):
        logger.info("request %d", number)
        return messages()

    with ThreadPoolExecutor(1) as pool:
        seen = [pool.submit(serve, lambda n=number: request(n)).result() for number in range(3)]
    assert seen == [["request 0"], ["request 1"], ["request 2"]]


def test_requests_at_the_same_time_do_not_mix(logger):
    barrier = threading.Barrier(4)

    def request(name):
        for number in range(20):
            logger.info("%s %d", name, number)
            barrier.wait()
        return messages()

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(serve, lambda n=name: request(n)) for name in "abcd"]
        for name, future in zip("abcd", futures, strict=True):
            assert future.result() == [f"{name} {number}" for number in range(20)]


def test_many_threads_of_one_request_keep_the_bounds(logger):
    scope = Scope(lambda: RequestSource(request={}))

    def work():
        token = SCOPE.set(scope)
        for _ in range(500):
            logger.info("x" * 1_500)
        SCOPE.reset(token)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scope.tail is not None
    assert sum(sys.getsizeof(line.message) for line in scope.tail.lines) <= 32_768 + 4 * 2_048


def test_a_middleware_within_a_middleware_is_one_request(logger):
    outer = Scope(lambda: RequestSource(request={}))
    inner = Scope(lambda: RequestSource(request={}), outer)
    token = SCOPE.set(outer)
    logger.info("outer")
    within = SCOPE.set(inner)
    logger.info("inner")
    assert messages() == ["outer", "inner"]
    SCOPE.reset(within)
    assert messages() == ["outer", "inner"]
    SCOPE.reset(token)


@pytest.mark.parametrize("first", [True, False], ids=["tail first", "tail last"])
def test_the_reported_record_is_left_out_of_its_own_log(logger, reports, first):
    mail = errormail.AdminEmailHandler(level=logging.ERROR)
    logger.handlers.insert(1 if first else 0, mail)
    logger.info("before")
    logger.error("it failed")
    logger.error("again %s", "failed")
    assert [line.message for line in reports[0].log] == ["before"]
    assert [line.message for line in reports[1].log] == ["before", "it failed"]
    assert reports[0].message == "it failed"


def test_the_log_stands_in_the_report_of_an_exception(logger, reports):
    def request():
        for number in range(60):
            logger.info("step %d, password=hunter2hunter2", number)
        report(Failure(exc=caught()))

    serve(request)
    (found,) = reports
    assert len(found.log) == 50
    assert found.log_omitted == 10
    assert found.log[-1].message == "step 59, password=[redacted]"
    assert (found.log[-1].level, found.log[-1].logger) == ("INFO", logger.name)


def test_behind_a_queue_listener_only_lines_of_the_record_s_own_thread_are_shown(reports):
    """All records are handled in the listener's thread: the lines of others must not stand in the mail."""
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(
        records, errormail.LogTailHandler(), errormail.AdminEmailHandler(level=logging.ERROR)
    )
    own = logging.getLogger(f"tail{next(_names)}")
    own.propagate = False
    own.setLevel(logging.INFO)
    own.addHandler(logging.handlers.QueueHandler(records))

    def work(name):
        own.info("%s begins", name)
        barrier.wait()
        own.error("%s failed", name)

    listener.start()
    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=work, args=[name]) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listener.stop()
    own.handlers.clear()
    shown = {each.message: [line.message for line in each.log] for each in reports}
    assert shown == {"a failed": ["a begins"], "b failed": ["b begins"]}


def test_dict_config_makes_one(reports):
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "tail": {"class": "errormail.LogTailHandler"},
            "mail": {"class": "errormail.AdminEmailHandler", "level": "ERROR"},
        },
        "loggers": {
            "tailconf": {"handlers": ["tail", "mail"], "level": "INFO", "propagate": False}
        },
    }
    logging.config.dictConfig(json.loads(json.dumps(config)))
    own = logging.getLogger("tailconf")

    def request():
        own.info("before")
        own.error("it failed")

    serve(request)
    own.handlers.clear()
    assert [line.message for line in reports[0].log] == ["before"]


def test_no_failure_of_ours_rises_into_a_logging_call(logger, monkeypatch, capsys):
    monkeypatch.setattr("errormail._contain.strict", False)
    monkeypatch.setattr(tail, "line_of", None)
    logger.info("hello")
    assert "log tail failed with TypeError" in capsys.readouterr().err


def test_wsgi_requests_at_the_same_time_show_their_own_log(logger, reports):
    barrier = threading.Barrier(3)

    def app(environ, start_response):
        name = environ["PATH_INFO"]
        for number in range(5):
            logger.info("%s %d", name, number)
            barrier.wait()
        raise ValueError(name)

    wrapped = errormail.wsgi.ErrorReportMiddleware(app)

    def request(name):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/{name}", "wsgi.input": io.BytesIO()}
        with pytest.raises(ValueError, match=name):
            wrapped(environ, lambda *_: None)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(2):
            list(pool.map(request, "abc"))
    assert len(reports) == 6
    for each in reports:
        name = each.summary
        assert [line.message for line in each.log] == [f"{name} {number}" for number in range(5)]


def test_flask_requests_show_their_own_log_and_context(logger, reports):
    import flask

    app = flask.Flask("tailapp")
    errormail.flask.ErrorMail(app, settings=conf.current())

    @app.get("/<name>")
    def view(name):
        errormail.add_context(order=name)
        logger.info("view %s", name)
        raise ValueError(name)

    def request(name):
        return app.test_client().get(f"/{name}").status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(request, ["a", "b", "c", "d"])) == [500] * 4
    assert sorted(each.summary for each in reports) == ["a", "b", "c", "d"]
    for each in reports:
        assert [line.message for line in each.log] == [f"view {each.summary}"]
        assert [(row.name, row.value) for row in each.context] == [("order", repr(each.summary))]


def test_without_a_handler_there_is_no_log(reports):
    def request():
        logging.getLogger("nobody").warning("unseen")
        report_exception(caught())

    serve(request)
    assert reports[0].log == ()
    assert reports[0].log_omitted == 0
