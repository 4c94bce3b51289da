"""Reports built by hand, from one frame to one with everything at its limit, and the facts that a mail must tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from errormail.report.model import (
    REDACTED,
    CapturedException,
    Elision,
    Frame,
    Frequency,
    LogLine,
    Report,
    Request,
    Runtime,
    Section,
    Upload,
    Variable,
)
from errormail.report.visible import one_line, visible

OCCURRED_AT = 1_791_170_055.0
"""5 Oct 2026, 03:14:15 UTC."""
STARTED_AT = OCCURRED_AT - 4_451
NEW = Frequency(occurrences=1, first_at=OCCURRED_AT, since=STARTED_AT)
AGAIN = Frequency(occurrences=1_204, first_at=STARTED_AT + 60, since=STARTED_AT)
FOOTER = (
    "You get this because ops@example.com is in ADMINS of shop, production. Repeats are not folded in"
    " this version: each failure is one email."
)
RUNTIME = Runtime(
    host="web-3",
    pid=4711,
    process="gunicorn: worker [shop]",
    thread="ThreadPoolExecutor-0_3",
    task="",
    python="CPython 3.13.1",
    platform="Linux 6.12 x86_64",
)


def variables(**values: str) -> tuple[Variable, ...]:
    return tuple(Variable(name=name, value=value) for name, value in values.items())


def pairs(*values: tuple[str, str]) -> tuple[Variable, ...]:
    return tuple(Variable(name=name, value=value) for name, value in values)


def frame(
    filename: str,
    lineno: int,
    function: str,
    source: str = "",
    part: str = "",
    /,
    *,
    in_app: bool = True,
    around: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
    focus: tuple[str, ...] = (),
    omitted: int = 0,
    **values: str,
) -> Frame:
    """Return a frame at *source*, of which *part* failed, with the lines before and after it in *around*."""
    before, after = around
    colno = source.index(part) if part else None
    return Frame(
        module=filename.removesuffix(".py").replace("/", "."),
        function=function,
        filename=filename,
        lineno=lineno,
        end_lineno=lineno if part else None,
        colno=colno,
        end_colno=None if colno is None else colno + len(part),
        in_app=in_app,
        first_lineno=lineno - len(before) if source else 0,
        source=(*before, source, *after) if source else (),
        variables=variables(**values),
        focus=focus,
        omitted=omitted,
    )


def log_lines(*lines: tuple[float, str, str, str]) -> tuple[LogLine, ...]:
    """Return log lines from (seconds before the failure, level, logger, message)."""
    return tuple(
        LogLine(at=OCCURRED_AT - before, level=level, logger=logger, message=message)
        for before, level, logger, message in lines
    )


LOG = log_lines(
    (1.129, "INFO", "shop.orders", "checkout started for cart c-88213, 3 lines"),
    (1.098, "INFO", "shop.orders", "coupon AUTUMN10 accepted, 10 %"),
    (1.091, "DEBUG", "shop.pricing", "rate CHF/EUR not in table of 2026-10-04"),
    (0.588, "WARNING", "shop.rates", "rates.example.net slow: 500 ms, retry 1 of 3"),
    (0.58, "WARNING", "shop.rates", "rates.example.net slow: 1,000 ms, retry 2 of 3"),
    (0.066, "ERROR", "shop.web", "unhandled exception on POST /checkout/"),
)
SOURCE_URL = "https://git.example.com/shop/blob/2026.10.4/"


def linked(exc: CapturedException) -> CapturedException:
    """Return *exc* with a link to the source of each application frame."""
    frames = tuple(
        replace(one, url=f"{SOURCE_URL}{one.filename}#L{one.lineno}")
        if isinstance(one, Frame) and one.in_app
        else one
        for one in exc.frames
    )
    return replace(exc, frames=frames)


def library(filename: str, lineno: int, function: str, source: str = "") -> Frame:
    return frame(filename, lineno, function, source, in_app=False)


def exception(
    type_name: str, message: str, *frames: Frame | Elision, **more: Any
) -> CapturedException:
    more.setdefault("module", "")
    return CapturedException(type_name=type_name, message=message, frames=frames, **more)


def report(exc: CapturedException | None = None, **changes: Any) -> Report:
    """Return a report of *exc* as a script has it: no request, no logger."""
    plain = Report(
        exception=exc,
        message="",
        level="ERROR",
        logger="",
        call_site="",
        stack="",
        extra=(),
        context=(),
        request=None,
        runtime=RUNTIME,
        service="shop",
        environment="production",
        release="2026.10.4",
        occurred_at=OCCURRED_AT,
        fingerprint="7f3a91c2d05e",
    )
    return replace(plain, **changes)


def request(**changes: Any) -> Request:
    """Return the request of the checkout."""
    plain = Request(
        method="POST",
        url="https://shop.example.com/checkout/?step=3",
        path="/checkout/",
        query=pairs(("step", "3")),
        form=pairs(
            ("cart_id", "c-88213"),
            ("coupon", "AUTUMN10"),
            ("street", "Bahnhofstrasse 12"),
            ("city", "Zürich"),
            ("country", "CH"),
            ("card_number", REDACTED),
            ("password", REDACTED),
        ),
        headers=pairs(
            ("Host", "shop.example.com"),
            ("Referer", "https://shop.example.com/cart/"),
            (
                "User-Agent",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"
                " (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
            ),
            ("Accept-Language", "de-CH,de;q=0.9,en;q=0.8"),
            ("Authorization", REDACTED),
        ),
        cookies=pairs(("customer", "u-5512"), ("sessionid", REDACTED), ("theme", "dark")),
        remote_addr="203.0.113.24",
        user="u-5512",
        route="shop.checkout",
        status=500,
        seconds=2.063,
    )
    return replace(plain, **changes)


def one_frame() -> Report:
    """A script that divides by zero."""
    return report(
        exception(
            "ZeroDivisionError",
            "division by zero",
            frame(
                "nightly.py",
                9,
                "<module>",
                "print(total / count)",
                "total / count",
                total="19",
                count="0",
                focus=("total", "count"),
            ),
        ),
        runtime=replace(RUNTIME, process="nightly.py", thread="MainThread"),
    )


def checkout() -> Report:
    """The mock's: twelve frames, a cause that is a group of two, a request."""
    table = exception(
        "KeyError",
        "('CHF', 'EUR')",
        frame(
            "shop/pricing/rates.py",
            22,
            "RateTable._from_table",
            "        return self._table[source, target]",
            "self._table[source, target]",
            **{"self._table": "{('EUR', 'EUR'): Decimal('1'), ('USD', 'EUR'): Decimal('0.9135')}"},
        ),
    )
    service = exception(
        "TimeoutError",
        "rates.example.net did not answer within 2.0 s",
        frame(
            "shop/pricing/rates.py",
            31,
            "RateTable._from_service",
            "        reply = self.http.get(url, timeout=self.timeout)",
            "self.http.get(url, timeout=self.timeout)",
            url="'https://rates.example.net/v2/CHF/EUR?key=[redacted]'",
            api_key=REDACTED,
        ),
        library(
            "httpx/_client.py",
            1053,
            "Client.get",
            '        return self.request("GET", url, timeout=timeout)',
        ),
        library(
            "httpx/_transports/default.py",
            250,
            "HTTPTransport.handle_request",
            "            resp = self._pool.handle_request(req)",
        ),
    )
    group = exception(
        "ExceptionGroup",
        "no rate source had CHF to EUR (2 sub-exceptions)",
        frame(
            "shop/pricing/engine.py",
            43,
            "PricingEngine.convert",
            "            rate = self.rates.lookup(source, target)",
            "self.rates.lookup(source, target)",
            source="'CHF'",
            target="'EUR'",
        ),
        frame(
            "shop/pricing/rates.py",
            40,
            "RateTable.lookup",
            '        raise ExceptionGroup(f"no rate source had {source} to {target}", errors)',
            errors="[KeyError(('CHF', 'EUR')), TimeoutError('rates.example.net …')]",
        ),
        members=(table, service),
    )
    cart = "<Cart c-88213: 3 lines>"
    exc = exception(
        "PricingError",
        "no rate from CHF to EUR",
        library(
            "flask/app.py",
            1511,
            "Flask.wsgi_app",
            "            response = self.full_dispatch_request()",
        ),
        library(
            "flask/app.py",
            917,
            "Flask.full_dispatch_request",
            "            rv = self.dispatch_request()",
        ),
        library(
            "flask/app.py",
            902,
            "Flask.dispatch_request",
            "        return self.ensure_sync(self.view_functions[rule.endpoint])(**view_args)",
        ),
        frame(
            "shop/orders/views.py",
            17,
            "checkout",
            '    order = service.place(cart, request.form["coupon"], address, card)',
            'service.place(cart, request.form["coupon"], address, card)',
            cart=cart,
            address="{'street': 'Bahnhofstrasse 12', 'city': 'Zürich', 'country': 'CH'}",
            card=REDACTED,
        ),
        frame(
            "shop/orders/service.py",
            31,
            "CheckoutService.place",
            "        total = self.total(cart, coupon, address)",
            "self.total(cart, coupon, address)",
            cart=cart,
            coupon="'AUTUMN10'",
            card=REDACTED,
            self="<CheckoutService eu-1>",
        ),
        frame(
            "shop/orders/service.py",
            35,
            "CheckoutService.total",
            '        return self.pricing.total(cart.lines, coupon, address["country"])',
            'self.pricing.total(cart.lines, coupon, address["country"])',
            cart=cart,
        ),
        frame(
            "shop/pricing/engine.py",
            24,
            "PricingEngine.total",
            "        subtotal = sum((self.line_total(line) for line in lines), ZERO)",
            "sum((self.line_total(line) for line in lines), ZERO)",
            lines="[('SKU-1041', 2, 'EUR'), ('SKU-2200', 1, 'EUR'), ('SKU-7734', 5, 'CHF')]",
            country="'CH'",
            discount="Decimal('0.10')",
        ),
        frame(
            "shop/pricing/engine.py",
            24,
            "PricingEngine.total.<locals>.<genexpr>",
            "        subtotal = sum((self.line_total(line) for line in lines), ZERO)",
            "self.line_total(line)",
            line="('SKU-7734', 5, 'CHF')",
        ),
        frame(
            "shop/pricing/engine.py",
            34,
            "PricingEngine.line_total",
            "        return self.convert(price * quantity, currency, self.currency)",
            "self.convert(price * quantity, currency, self.currency)",
            price="Decimal('3.20')",
            quantity="5",
            currency="'CHF'",
        ),
        library(
            "tenacity/__init__.py", 338, "wrapped_f", "            return copy(f, *args, **kw)"
        ),
        library(
            "tenacity/__init__.py",
            477,
            "Retrying.__call__",
            "                    result = fn(*args, **kwargs)",
        ),
        frame(
            "shop/pricing/engine.py",
            45,
            "PricingEngine.convert",
            '            raise PricingError(f"no rate from {source} to {target}") from exc',
            'PricingError(f"no rate from {source} to {target}")',
            around=(
                (
                    "",
                    "        try:",
                    "            rate = self.rates.lookup(source, target)",
                    "        except ExceptionGroup as exc:",
                ),
                ("        return (amount * rate).quantize(CENT)", ""),
            ),
            focus=("source", "target", "amount"),
            amount="Decimal('16.00')",
            source="'CHF'",
            target="'EUR'",
            self="<PricingEngine EUR, 3 prices>",
        ),
        module="shop.pricing",
        cause=group,
        relation="cause",
    )
    return report(
        exc,
        message="unhandled exception on POST /checkout/",
        logger="shop.web",
        call_site="shop/web.py:88 in handle",
        request=request(),
        context=pairs(("order", "42")),
    )


def everything() -> Report:
    """The checkout with all that can stand around it: log, sections, links, packages, command, ids."""
    plain = checkout()
    assert plain.exception is not None
    return replace(
        plain,
        exception=linked(plain.exception),
        log=LOG,
        log_omitted=35,
        sections=(
            Section(
                title="Cart", rows=pairs(("id", "c-88213"), ("lines", "3"), ("total", "48.00 CHF"))
            ),
            Section(
                title="Feature flags", rows=pairs(("new-rates", "on"), ("session_key", REDACTED))
            ),
        ),
        request=request(
            request_id="01J9Z3W5Q2T8",
            trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
            curl="curl 'https://shop.example.com/checkout/?step=3' -X POST"
            " -H 'Referer: https://shop.example.com/cart/'"
            " -H 'User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"
            " AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1'"
            " -H 'Accept-Language: de-CH,de;q=0.9,en;q=0.8' -H 'Authorization: [redacted]'",
        ),
        runtime=replace(
            RUNTIME,
            uptime=11 * 86_400 + 7_000.0,
            memory=222_298_112,
            packages=pairs(("flask", "3.1.3"), ("httpx", "0.28.1"), ("tenacity", "9.1.2")),
        ),
    )


def record_with_calls() -> Report:
    """A line in the log without an exception, and who logged it."""
    calls = (
        frame("shop/jobs.py", 12, "main", "    run(queue)", "run(queue)", queue="<Queue 3>"),
        library("celery/app/trace.py", 453, "trace_task", "    R = retval = fun(*args, **kwargs)"),
        Elision(frames=8, text="the frame above, 8 times more"),
        frame(
            "shop/payments.py",
            71,
            "Payments.charge",
            '        log.error("provider answered %d", status)',
            around=(("    if status != 200:",), ("        return None",)),
            status="503",
            card=REDACTED,
            focus=("status",),
        ),
    )
    calls = tuple(
        replace(one, url=f"{SOURCE_URL}{one.filename}#L{one.lineno}", note=note)
        if isinstance(one, Frame) and one.in_app
        else one
        for one, note in zip(calls, ("changed since it was loaded", "", "", ""), strict=True)
    )
    return report(
        None,
        message="provider answered 503",
        logger="shop.payments",
        call_site="shop/payments.py:71 in Payments.charge",
        calls=calls,
        stack='Stack (most recent call last):\n  File "shop/payments.py", line 71, in charge',
        extra=pairs(("attempt", "3")),
        log=LOG[:2],
    )


def recursion() -> Report:
    """A function without an end: most of its frames are words."""
    outer = frame("tree.py", 30, "main", "    print(depth(root))", "depth(root)", root="<Node a>")
    again = [
        frame("tree.py", line, name, f"    return {call}", call, node="<Node a>")
        for line, name, call in [
            (12, "depth", "1 + widest(node)"),
            (17, "widest", "max(map(depth, node.children))"),
            (22, "Node.children", "self.load()"),
        ]
    ]
    return report(
        exception(
            "RecursionError",
            "maximum recursion depth exceeded",
            outer,
            *again,
            Elision(frames=993, text="the 3 frames above, 331 times more"),
            again[0],
        ),
        runtime=replace(RUNTIME, process="tree.py", thread="MainThread"),
    )


def record_only() -> Report:
    """A line in the log without an exception, with a stack and fields of its own."""
    return report(
        None,
        message="payment provider answered 503 three times, giving up",
        level="CRITICAL",
        logger="shop.payments",
        call_site="shop/payments.py:71 in charge",
        stack='Stack (most recent call last):\n  File "shop/payments.py", line 71, in charge\n    log.critical("payment provider answered %d three times, giving up", status)',
        extra=pairs(("provider", "'pay.example.net'"), ("attempt", "3"), ("token", REDACTED)),
        notes=("two fields of the log record could not be read",),
    )


def group_alone() -> Report:
    """An exception group that nobody caught, with a member that has a cause, and notes."""
    inner = exception(
        "OSError",
        "[Errno 111] Connection refused",
        frame(
            "jobs/net.py",
            4,
            "connect",
            "    sock.connect(address)",
            "sock.connect(address)",
            address="('10.0.0.7', 5432)",
        ),
    )
    members = (
        exception(
            "DatabaseError",
            "cannot connect",
            frame("jobs/db.py", 8, "load", "    raise DatabaseError('cannot connect') from exc"),
            module="jobs.db",
            cause=inner,
            relation="cause",
            notes=("replica 2 of 3", "tried for 30 s"),
        ),
        exception(
            "ExceptionGroup",
            "parsing (1 sub-exception)",
            members=(
                exception(
                    "ValueError",
                    "line 3: no date in 'n/a'",
                    frame("jobs/parse.py", 31, "date", "    raise ValueError(text)", text="'n/a'"),
                    cause=exception("TypeError", "expected str"),
                    relation="context",
                ),
            ),
        ),
    )
    return report(
        exception(
            "ExceptionGroup",
            "unhandled errors in a TaskGroup (2 sub-exceptions)",
            frame(
                "jobs/main.py",
                12,
                "run",
                "    async with asyncio.TaskGroup() as tasks:",
                "asyncio.TaskGroup()",
            ),
            library(
                "asyncio/taskgroups.py",
                145,
                "TaskGroup.__aexit__",
                "            raise me from None",
            ),
            members=members,
            notes=("while importing 2026-10-04",),
        ),
        runtime=replace(RUNTIME, process="import.py", thread="MainThread", task="Task-1"),
    )


def syntax_error() -> Report:
    """A module that does not compile, loaded by library code at the innermost frame, in a long expression over lines."""
    call = Frame(
        module="plugins",
        function="load",
        filename="app/plugins.py",
        lineno=20,
        end_lineno=23,
        colno=13,
        end_colno=5,
        first_lineno=18,
        source=(
            "def load(name):",
            "    # by name",
            "    module = importlib.import_module(",
            "        name,",
            '        package="plugins",',
            "    )",
            "",
            "    return module",
        ),
        variables=pairs(("name", "'broken'")),
        focus=("name",),
    )
    return report(
        exception(
            "SyntaxError",
            "invalid syntax (broken.py, line 3)",
            call,
            library(
                "importlib/__init__.py",
                90,
                "import_module",
                "    return _bootstrap._gcd_import(name[level:], package, level)",
            ),
            details=('  File "plugins/broken.py", line 3', "    def f(:", "          ^"),
        ),
    )


NASTY = "".join(
    map(
        chr,
        [
            *range(0x20),
            *range(0x7F, 0xA0),
            0xAD,
            0x61C,
            0x200B,
            0x200E,
            0x2028,
            0x2029,
            0x202E,
            0x2066,
            0xFEFF,
            0xE0001,
        ],
    )
)
HTML = "<script>alert(1)</script><img src=x onerror='alert(2)'>\"'&lt;&#x27;</pre></title></style><!-- ]]> =?utf-8?q?=0d=0aBcc:x?= {} {0} %s"


def hostile() -> Report:
    """Every text is an attack: markup, control and bidi characters, long words, encoded words."""
    text = f"{HTML} {NASTY} {'w' * 300} javascript:alert(3)"
    short = "<b>Bad\x1b[0m\u202e\"'&"
    rows = pairs(
        (HTML, text),
        (short, NASTY),
        ("quotes", "\"'" * 300),
        ("emoji", "🦊" * 300),
        ("multi", "one\n  two\n\nREQUEST\n-------\n"),
    )
    bad = Frame(
        module=HTML,
        function=short,
        filename="<i>/\x1b\u2028.py",
        lineno=7,
        end_lineno=7,
        colno=4,
        end_colno=30,
        first_lineno=5,
        source=(HTML, NASTY, f"    x = '\x1b[2J' + {HTML}", ""),
        variables=rows,
        focus=(HTML, short, "emoji"),
        omitted=3,
        note=text,
        url=f"https://x/{HTML}",
    )
    exc = exception(
        short,
        text,
        bad,
        library(HTML, 1, HTML, HTML),
        bad,
        notes=(text, short),
        details=(text,),
        module="<m>",
        members=(exception(short, text, bad, notes=(text,)),) * 2,
        cause=exception(HTML, HTML, bad, cut=HTML),
        relation="context",
    )
    return report(
        exc,
        message=text,
        level="ERROR",
        logger=HTML,
        call_site=text,
        stack=text,
        extra=rows,
        context=rows,
        calls=(bad, library(HTML, 1, HTML, HTML), Elision(frames=2, text=text)),
        log=log_lines((1.0, HTML, HTML, text), (-9e30, short, short, NASTY)) * 8,
        log_omitted=1_000_000,
        sections=(Section(title=HTML, rows=rows), Section(title=text, rows=rows)) * 8,
        request=request(
            method=short,
            url=f"https://x/{HTML}",
            path=f"/{HTML}",
            query=rows,
            form=rows,
            files=(Upload(field=HTML, filename=short, content_type=HTML, size=None),),
            headers=rows,
            cookies=rows,
            session=rows,
            remote_addr=HTML,
            user=text,
            route=text,
            request_id=HTML,
            trace_id=text,
            curl=f"curl '{HTML}'",
            notes=(text,),
        ),
        runtime=Runtime(
            host=HTML,
            pid=1,
            process=text,
            thread=short,
            task=short,
            python=short,
            platform=HTML,
            uptime=1e300,
            memory=10**30,
            packages=rows,
        ),
        service=short,
        environment=HTML,
        release=short,
        notes=(text, short),
    )


def giant() -> Report:
    """Everything at the limits of a capture."""
    value = ("{'id': 4711, 'name': 'Grüße', 'items': [1, 2, 3]}, " * 90)[:4096]
    many = tuple(Variable(name=f"variable_{number}", value=value) for number in range(40))
    line = "    return " + "compute(alpha, beta) + " * 20 + "0"
    frames: list[Frame | Elision] = [
        frame(
            f"shop/deep/module_{number}.py",
            100 + number,
            f"function_{number}",
            line,
            "compute(alpha, beta)",
            in_app=number % 3 != 0,
        )
        for number in range(60)
    ]
    frames = [
        replace(one, variables=many, focus=("variable_1",))
        if isinstance(one, Frame) and one.in_app
        else one
        for one in frames
    ]
    frames.insert(30, Elision(frames=19_940, text="19,940 frames not shown"))

    def one(number: int, **more: Any) -> CapturedException:
        return exception(
            f"Error{number}",
            f"{number}: " + "something went wrong again " * 300,
            *frames,
            notes=("a note of some length " * 300,) * 20,
            **more,
        )

    members = tuple(one(number) for number in range(25))
    cause = one(99, cut="chain longer than 50")
    for number in range(24):
        cause = one(50 + number, cause=cause, relation="context")
    fields = tuple(Variable(name=f"field_{number}", value=value) for number in range(200))
    return report(
        one(0, members=members, members_omitted=1_000, cause=cause, relation="cause"),
        message="failed " * 1_000,
        logger="shop.giant",
        call_site="shop/giant.py:1 in main",
        stack=("  File x\n" * 4000)[:32_768],
        extra=fields,
        context=fields,
        request=request(
            url="https://shop.example.com/" + "a/b?c=d&" * 900,
            query=fields,
            form=fields,
            headers=fields,
            cookies=fields,
            session=fields,
        ),
        notes=("the capture took too long",) * 30,
        log=log_lines(
            *((50.0 - number, "INFO", "shop.giant", value[:650]) for number in range(50))
        ),
        log_omitted=19_950,
        sections=tuple(
            Section(title=f"Section {number}", rows=fields[:100]) for number in range(30)
        ),
    )


def worst() -> Report:
    """The giant in characters that cost the most: each of them takes twelve bytes in quoted-printable."""
    fox = "🦊" * 8_192
    deep = Frame(
        module="m",
        function=fox[:500],
        filename=f"{fox[:500]}/x.py",
        lineno=1,
        end_lineno=1,
        colno=0,
        end_colno=500,
        first_lineno=1,
        source=(fox[:500],) * 5,
        variables=(Variable(name=fox[:100], value=fox[:4096]),) * 40,
        focus=(fox[:100],),
    )
    exc = exception(fox[:200], fox, *(deep,) * 60, notes=(fox,) * 20)
    rows = (Variable(name=fox[:200], value=fox[:4096]),) * 200
    return report(
        replace(exc, members=(exc,) * 24, cause=exc, relation="cause"),
        message=fox,
        logger=fox,
        call_site=fox,
        stack=fox * 4,
        extra=rows,
        context=rows,
        request=request(
            method=fox,
            url=fox,
            path=fox,
            user=fox,
            route=fox,
            form=rows,
            headers=rows,
            notes=(fox,) * 50,
            request_id=fox,
            trace_id=fox,
            curl=fox[:2_000],
        ),
        service=fox,
        environment=fox,
        release=fox,
        notes=(fox,) * 50,
        log=log_lines((1.0, fox, fox, fox)) * 50,
        sections=(Section(title=fox, rows=rows[:100]),) * 30,
        runtime=Runtime(
            host=fox, pid=1, process=fox, thread=fox, task=fox, python=fox, platform=fox
        ),
    )


def filled(kind: Any, texts: Iterator[str], depth: int = 3) -> Any:
    """Return an instance of *kind*, a class of the model, whose every text is one of *texts*: fields still to come too."""
    hints = get_type_hints(kind)
    numbers: dict[str, Any] = {"end_colno": 9, "members_omitted": 2}
    return kind(
        **{
            field.name: numbers.get(field.name) or _filled(hints[field.name], texts, depth)
            for field in fields(kind)
        }
    )


def _filled(hint: Any, texts: Iterator[str], depth: int) -> Any:
    if hint in (str, int, float, bool):
        return {str: next(texts), int: 3, float: 1.0, bool: True}[hint]
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if is_dataclass(hint):
        return filled(hint, texts, depth - 1)
    kinds = [kind for kind in get_args(hint) if kind not in (type(None), Ellipsis)]
    if get_origin(hint) is tuple:
        kinds = list(get_args(kinds[0])) or kinds * 2
        return tuple(_filled(kind, texts, depth) for kind in kinds) if depth > 0 else ()
    return _filled(kinds[0], texts, depth) if depth > 0 else None


SAMPLES = {
    made.__name__: made
    for made in (
        one_frame,
        checkout,
        everything,
        recursion,
        record_only,
        record_with_calls,
        group_alone,
        syntax_error,
        hostile,
        giant,
        worst,
    )
}


def exceptions(exc: CapturedException | None) -> Iterator[CapturedException]:
    """Yield *exc*, what it came from and what it holds."""
    for link in exc.chain() if exc else ():
        yield link
        for member in link.members:
            yield from exceptions(member)


def facts(sample: Report, *, whole: bool = True) -> dict[str, Any]:
    """
    Return what a mail of *sample* must tell in both parts, for the checker.

    Args:
        whole: Also what may be cut from a mail that is too big.
    """

    def place(one: Frame) -> dict[str, Any]:
        return {
            "file": one_line(one.filename)[-60:],
            "line": one.lineno,
            "function": one_line(one.function.rpartition(".")[2])[:40],
        }

    told: dict[str, Any] = {
        "must": [sample.runtime.host if whole else "", sample.fingerprint],
        "must_not": ["hunter2"],
    }
    exc, request_ = sample.exception, sample.request
    told["exc_type"] = one_line(exc.type_name if exc else sample.level)[:40]
    told["exc_message"] = visible(exc.message if exc else sample.message)[:120]
    if sample.culprit:
        told["culprit"] = place(sample.culprit)
    if whole:
        told["must"] += [line.message for line in sample.log]
        told["must"] += [
            words
            for section in sample.sections
            for words in (row.value for row in section.rows)
            if words != REDACTED
        ]
        told["must"] += [f"{row.name} {row.value}" for row in sample.runtime.packages]
        told["must"] += [sample.environment, sample.release, str(sample.runtime.pid)]
        told["frames"] = [
            place(one)
            for frames in (sample.calls, *(link.frames for link in exceptions(exc)))
            for one in frames
            if isinstance(one, Frame)
        ]
        told["must"] += [
            words
            for link in exceptions(exc)
            for words in (link.type_name, link.message, *link.notes, *link.details)
        ]
        told["must"] += [
            one.name
            for link in exceptions(exc)
            for at in link.frames
            if isinstance(at, Frame)
            for one in at.variables
        ]
    if request_ and whole:
        told["must"] += [
            request_.method,
            request_.url,
            request_.user,
            request_.request_id,
            request_.trace_id,
            *(row.value for row in request_.form if row.value != REDACTED),
        ]
    return told
