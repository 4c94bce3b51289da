"""Each kind of secret in each place: by its form in texts, by its name where there are names."""

from __future__ import annotations

import builtins
import collections
import dataclasses
import enum
import io
import json
import logging
import os
import sys
import threading
import types
from urllib.parse import urlencode

import attrs
import pydantic
import pytest

import errormail
from actors.doors import LOGGER, by_logging, by_report_exception, by_wsgi, handling
from actors.planted import HARMLESS_NAMES, HARMLESS_TEXTS, NAMES


class PlaceError(Exception):
    pass


def fail(value):
    soil = value
    beside = "in sight"
    raise PlaceError(beside, soil is value)


def with_local(texts):
    by_logging(lambda: fail(texts))


def some(texts, count=8):
    """Return *texts*, *count* of them at a time: each mail costs."""
    values = list(texts.values())
    return [values[first : first + count] for first in range(0, len(values), count)]


def lines(texts):
    return ["\n".join(each) for each in some(texts)]


def with_locals(texts):
    for each in some(texts):
        first, second, *others = each
        by_report_exception(lambda first=first, second=second: fail((first, [second])))
        for text in others[:2]:
            by_report_exception(lambda text=text: fail(text))


def nested(texts):
    by_logging(lambda: fail({"a": [{"b": (text, {text})} for text in texts.values()]}))


def as_bytes(texts):
    by_logging(lambda: fail([text.encode() for text in texts.values()]))


class Repr:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return f"<Repr {self.text}>"


def in_reprs(texts):
    by_logging(lambda: fail([Repr(text) for text in texts.values()]))


def in_reprs_of_reprs(texts):
    by_logging(lambda: fail([Repr(repr(Repr(repr(text)))) for text in texts.values()]))


def in_a_message(texts):
    for text in lines(texts):
        errormail.report_exception(PlaceError(f"cannot reach {text} today"))


def in_arguments(texts):
    errormail.report_exception(PlaceError(*texts.values()))


def in_notes(texts):
    error = PlaceError("noted")
    error.__notes__ = list(texts.values())[:18]
    errormail.report_exception(error)
    error = PlaceError("noted")
    error.__notes__ = list(texts.values())[18:36]
    errormail.report_exception(error)
    error = PlaceError("noted")
    error.__notes__ = list(texts.values())[36:]
    errormail.report_exception(error)


def in_a_chain(texts):
    error = None
    for text in texts.values():
        following = PlaceError(text)
        following.__context__ = error
        error = following
    errormail.report_exception(error)


def in_a_group(texts):
    if sys.version_info < (3, 11):
        pytest.skip("exception groups are of Python 3.11")
    values = list(texts.values())
    for part in (values[:25], values[25:]):
        errormail.report_exception(
            builtins.ExceptionGroup(part[0], [PlaceError(text) for text in part])
        )


def in_log_messages(texts):
    with handling():
        for text in lines(texts):
            logging.getLogger(LOGGER).error(f"cannot reach {text} today".replace("%", "%%"))


def in_log_arguments(texts):
    with handling():
        for text in lines(texts):
            logging.getLogger(LOGGER).error("cannot reach %s, %r", text, {"a": text})


def in_wrong_log_arguments(texts):
    with handling():
        for text in lines(texts):
            logging.getLogger(LOGGER).error("cannot reach %d", text)


def in_log_fields(texts):
    with handling():
        extra = {f"field{at}": text for at, text in enumerate(texts.values())}
        logging.getLogger(LOGGER).error("fields", extra=extra)


def in_stack_info(texts):
    with handling() as root:
        record = logging.makeLogRecord({"msg": "stack", "levelno": 40, "name": LOGGER})
        record.stack_info = "Stack (most recent call last):\n" + "\n".join(texts.values())
        root.handle(record)


def in_a_traceback_as_text(texts):
    with handling() as root:
        for text in lines(texts):
            trace = (
                f'Traceback (most recent call last):\n  File "a.py", line 1, in f\nError: {text}'
            )
            root.handle(logging.makeLogRecord({"msg": trace, "levelno": 40, "name": LOGGER}))


def in_a_formatter(texts):
    with handling() as root:
        root.handlers[0].setFormatter(logging.Formatter("%(message)s -- %(args)s"))
        for text in lines(texts):
            logging.getLogger(LOGGER).error("cannot reach %s", text)


def in_a_logger_s_name(texts):
    with handling() as root:
        for text in texts.values():
            root.handle(logging.makeLogRecord({"msg": "named", "levelno": 40, "name": text}))


def in_the_context(texts):
    values = {f"field{at}": text for at, text in enumerate(texts.values())}
    with errormail.context(**values):
        by_report_exception(lambda: fail(1))


def in_context_of_the_call(texts):
    values = {f"field{at}": text for at, text in enumerate(texts.values())}
    errormail.report_exception(PlaceError("called"), **values)


def in_headers(texts):
    headers = {f"HTTP_X_FIELD_{at}": text for at, text in enumerate(texts.values())}
    by_wsgi(lambda: fail(1), **headers)


def in_cookies(texts):
    for each in some(texts):
        fields = "; ".join(f"field{at}={text}" for at, text in enumerate(each))
        by_wsgi(lambda: fail(1), HTTP_COOKIE=f"theme=dark; {fields}")


def as_fields(texts):
    """Return *texts* under names that say nothing, ten at a time."""
    values = list(texts.values())
    for first in range(0, len(values), 10):
        part = values[first : first + 10]
        yield {**{f"field{at}": text for at, text in enumerate(part)}, "page": 2}


def in_a_query(texts):
    for fields in as_fields(texts):
        by_wsgi(lambda: fail(1), QUERY_STRING=urlencode(fields))


def in_a_referer(texts):
    for fields in as_fields(texts):
        by_wsgi(lambda: fail(1), HTTP_REFERER=f"https://shop.example.com/?{urlencode(fields)}")


def in_a_path(texts):
    for text in texts.values():
        by_wsgi(lambda: fail(1), PATH_INFO=f"/go/{text}")


def with_body(body, kind, **more):
    """The application has read the body when it fails."""

    def application(environ, start_response):
        environ["wsgi.input"].read()
        fail(1)

    from actors.doors import environ
    from errormail.wsgi import ErrorReportMiddleware

    made = environ(
        CONTENT_TYPE=kind,
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body), **more},
    )
    with pytest.raises(PlaceError):
        ErrorReportMiddleware(application)(made, lambda status, headers, exc_info=None: None)


FORM = "application/x-www-form-urlencoded"


def in_a_form(texts):
    for fields in as_fields(texts):
        with_body(urlencode(fields).encode(), FORM)


def in_json(texts):
    body = json.dumps({"fields": [{"comment": text} for text in texts.values()]}).encode()
    with_body(body, "application/json")


def in_broken_json(texts):
    for fields in as_fields(texts):
        with_body(json.dumps({"a": fields}).encode()[:-1], "application/json")


def multipart(fields, files=()):
    parts = [(f'name="{name}"', str(value)) for name, value in fields.items()]
    parts += [
        (f'name="upload"; filename="{name}"\r\nContent-Type: a/b', "content") for name in files
    ]
    begin = "--b\r\nContent-Disposition: form-data; "
    return "".join(
        [*(f"{begin}{each}\r\n\r\n{text}\r\n" for each, text in parts), "--b--\r\n"]
    ).encode()


MULTIPART = "multipart/form-data; boundary=b"


def in_a_multipart_field(texts):
    for fields in as_fields(texts):
        with_body(multipart(fields), MULTIPART)


def in_an_upload_s_name(texts):
    for fields in as_fields(texts):
        names = [f"{text}.txt" for text in fields.values() if not {"\n", '"'} & set(str(text))]
        with_body(multipart({}, names), MULTIPART)


def in_a_thread_s_name(texts):
    for text in texts.values():
        thread = threading.Thread(target=by_report_exception, args=(lambda: fail(1),), name=text)
        thread.start()
        thread.join()


def in_the_settings(texts):
    from errormail import conf

    for text in texts.values():
        with conf.override_settings(SERVICE=text, ENVIRONMENT=text, RELEASE=text):
            by_report_exception(lambda: fail(1))


def in_a_syntax_error(texts):
    for text in texts.values():
        try:
            compile(f"x = {text!r} +* 1", "wild.py", "exec")
        except SyntaxError as error:
            errormail.report_exception(error)


def in_the_user_s_name(texts):
    for text in texts.values():
        by_wsgi(lambda: fail(1), REMOTE_USER=text)


TEXT_PLACES = [
    *(with_local, with_locals, nested, as_bytes, in_reprs, in_reprs_of_reprs, in_a_message),
    *(in_arguments, in_notes, in_a_chain, in_a_group, in_log_messages, in_log_arguments),
    *(in_wrong_log_arguments, in_log_fields, in_stack_info, in_a_traceback_as_text),
    *(in_a_formatter, in_a_logger_s_name, in_the_context, in_context_of_the_call, in_headers),
    *(in_cookies, in_a_query, in_a_referer, in_a_path, in_a_form, in_json, in_broken_json),
    *(in_a_multipart_field, in_an_upload_s_name, in_a_thread_s_name, in_the_settings),
    *(in_a_syntax_error, in_the_user_s_name),
]


FEW = ("userinfo", "Bearer", "JWT", "GitHub", "Stripe", "card", "pair", "JSON pair", "query")
"""Where each text costs a mail of its own."""
ONE_A_MAIL = {
    *(in_a_path, in_a_thread_s_name, in_the_settings, in_the_user_s_name, in_a_syntax_error),
    in_a_logger_s_name,
}


@pytest.mark.parametrize("place", TEXT_PLACES, ids=lambda place: place.__name__)
def test_by_its_form(place, planted, all_mails):
    place(planted.shaped(FEW if place in ONE_A_MAIL else ()))
    assert all_mails()


# By name


@dataclasses.dataclass
class AsDataclass:
    password: str
    author: str


@attrs.define
class AsAttrs:
    password: str
    author: str


class AsPydantic(pydantic.BaseModel):
    password: str
    author: str


class AsNamedTuple(collections.namedtuple("AsNamedTuple", "password author")):  # noqa: PYI024 -- the older form
    __slots__ = ()


class AsSlots:
    __slots__ = ("author", "password")

    def __init__(self, password, author):
        self.password, self.author = password, author

    def __repr__(self):
        return f"AsSlots(password={self.password!r}, author={self.author!r})"


class AsTypedMapping(collections.UserDict):
    def __init__(self, password, author):
        super().__init__(password=password, author=author)


class AsNamespace(types.SimpleNamespace):
    def __init__(self, password, author):
        super().__init__(password=password, author=author)


class AsText:
    """As loggers and ORMs write objects."""

    def __init__(self, password, author):
        self.text = f"<AsText password: {password} author: {author}>"

    def __repr__(self):
        return self.text


KINDS = [
    *(AsDataclass, AsAttrs, AsPydantic, AsNamedTuple, AsSlots, AsTypedMapping, AsNamespace, AsText),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_field_of_an_object(kind, planted, only_mail):
    value = kind(password=planted.value("field"), author="Ada Lovelace")
    by_logging(lambda: fail([value, {"deep": (value,)}]))
    assert "Ada Lovelace" in only_mail().text


class Key(str, enum.Enum):
    PASSWORD = "password"


NAMED_PLACES = {
    "dict": lambda pairs: fail(pairs),
    "dict of bytes": lambda pairs: fail({k.encode(): v.encode() for k, v in pairs.items()}),
    "nested dict": lambda pairs: fail(
        {"a": [{"b": {name: [value]}} for name, value in pairs.items()]}
    ),
    "pairs": lambda pairs: fail(list(pairs.items())),
    "pairs of bytes": lambda pairs: fail([(k.encode(), v.encode()) for k, v in pairs.items()]),
    "lists of two": lambda pairs: fail([[name, value] for name, value in pairs.items()]),
    "OrderedDict": lambda pairs: fail(collections.OrderedDict(pairs)),
    "UserDict": lambda pairs: fail(collections.UserDict(pairs)),
    "ChainMap": lambda pairs: fail(collections.ChainMap({}, pairs)),
    "MappingProxyType": lambda pairs: fail(types.MappingProxyType(pairs)),
    "name and value": lambda pairs: fail([{"name": k, "value": v} for k, v in pairs.items()]),
    "JSON text": lambda pairs: fail(json.dumps(pairs)),
    "repr": lambda pairs: fail([Repr(repr(pairs))]),
    "query text": lambda pairs: fail(urlencode(pairs)),
    "lines": lambda pairs: fail("\n".join(f"{name}: {value}" for name, value in pairs.items())),
    "assignments": lambda pairs: fail([f"{name}={value!r}" for name, value in pairs.items()]),
    "body": lambda pairs: fail(json.dumps({"body": json.dumps(pairs)}).encode()),
    "message": lambda pairs: (_ for _ in ()).throw(PlaceError(f"in sight: cannot use {pairs}")),
}


def batches(pairs, size=40):
    """Yield *pairs* in parts that a container shows whole."""
    items = list(pairs.items())
    for at in range(0, len(items), size):
        yield dict(items[at : at + size])


@pytest.mark.parametrize("place", list(NAMED_PLACES))
def test_by_its_name(place, planted, all_mails):
    for pairs in batches({name: planted.value(name) for name in NAMES}):
        by_logging(lambda pairs=pairs: NAMED_PLACES[place](pairs))
    for found in all_mails():
        assert "in sight" in found.text


def test_under_a_key_that_is_an_enum(planted, only_mail):
    value = {Key.PASSWORD: planted.value("enum")}
    by_logging(lambda: fail(value))
    only_mail()


def test_locals(planted, all_mails, tmp_path):
    names = [name for name in NAMES if name.isidentifier()]
    for pairs in batches({name: planted.value(name) for name in names}, 30):
        source = "def fail(given):\n" + "".join(f"    {name} = given[{name!r}]\n" for name in pairs)
        path = tmp_path / "wild.py"
        path.write_text(f"{source}    raise LookupError('in the wild')\n", encoding="utf-8")
        namespace = {"__name__": "wild"}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
        # Held by none of our own locals: the frame of this test is no part of the traceback.
        by_report_exception(lambda pairs=pairs, namespace=namespace: namespace["fail"](pairs))
    for found in all_mails():
        assert "in the wild" in found.text


def test_globals_of_a_module_that_fails(planted, only_mail, tmp_path):
    value = planted.value("global")
    path = tmp_path / "wild.py"
    path.write_text(
        f"SECRET_KEY = {value!r}\nAUTHOR = 'Ada'\nraise LookupError(AUTHOR)\n", encoding="utf-8"
    )
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    by_report_exception(lambda: exec(code, {"__name__": "wild"}))
    assert "Ada" in only_mail().text


def test_literals_in_the_source(planted, only_mail, tmp_path):
    """What stands around the failing line is shown, with what people write there."""
    lines = [
        f"api_key = {planted.value('assignment')!r}",
        f"client = dict(password={planted.value('keyword')!r}, page=2)",
        f"headers = {{'Authorization': 'Bearer {planted.value('header')}'}}",
        f"url = 'https://jane:{planted.value('userinfo')}@shop.example.com/'",
        f"auth = ('jane', {planted.value('tuple')!r})  # noqa",
        f"client['token'] = {planted.value('item')!r}; raise LookupError(headers)",
        f"# password: {planted.value('comment')}",
        f"DB_PASSWORD: str = {planted.value('annotated')!r}",
        f"os.environ['SECRET'] = {planted.value('environment')!r}",
        f"login(user='jane', passwd={planted.value('call')!r})",
    ]
    path = tmp_path / "wild.py"
    path.write_text("\n".join(lines), encoding="utf-8")
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    by_report_exception(lambda: exec(code, {"__name__": "wild"}))
    found = only_mail()
    assert "raise LookupError(headers)" in found.text
    assert b"page=2" in found.attachments["report.json"]


def test_the_environment(planted, only_mail, monkeypatch):
    """`os.environ` as a local, as a dict, and what is in it wherever else it occurs."""
    for name in ("STRIPE_SECRET", "DATABASE_URL", "GITHUB_TOKEN", "MY_API_KEY", "DB_PASSWORD"):
        monkeypatch.setenv(name, planted.value(name))
    copy = dict(os.environ)
    value = os.environ["STRIPE_SECRET"]

    def use():
        whole, copied, harmless = os.environ, copy, f"it was {value} that failed"
        raise PlaceError("in sight", harmless, len(whole) == len(copied))

    by_logging(use)
    assert "in sight" in only_mail().text


def request_like(planted):
    """Return headers in the shapes that libraries keep them in."""
    values = {name: planted.value(name) for name in ("Cookie", "Authorization", "X-Api-Key")}
    raw = [(name.lower().encode(), value.encode()) for name, value in values.items()]
    return {
        "dict": values,
        "list of bytes": raw,
        "tuple of bytes": tuple(map(list, raw)),
        "scope": {
            "type": "http",
            "headers": raw,
            "query_string": b"token=" + values["Cookie"].encode(),
        },
        "environ": {
            f"HTTP_{name.upper().replace('-', '_')}": value for name, value in values.items()
        },
        "lines": "\r\n".join(f"{name}: {value}" for name, value in values.items()),
        "bytes": b"GET / HTTP/1.1\r\n" + b"\r\n".join(b": ".join(pair) for pair in raw),
    }


@pytest.mark.parametrize(
    "shape", ["dict", "list of bytes", "tuple of bytes", "scope", "environ", "lines", "bytes"]
)
def test_headers_as_a_local(shape, planted, only_mail):
    headers = request_like(planted)[shape]
    by_logging(lambda: fail(headers))
    only_mail()


# What must stay readable


def test_names_that_only_look_like_a_secret_s(only_mail):
    pairs = {name: f"readable{at}" for at, name in enumerate(HARMLESS_NAMES)}
    for pairs_of_batch in (dict(list(pairs.items())[:20]), dict(list(pairs.items())[20:])):
        from errormail import mail

        mail.outbox.clear()
        by_logging(lambda given=pairs_of_batch: fail(given))
        whole = only_mail().attachments["report.json"].decode()
        assert [name for name, value in pairs_of_batch.items() if value not in whole] == []


@pytest.mark.parametrize("text", HARMLESS_TEXTS, ids=range(len(HARMLESS_TEXTS)))
def test_texts_that_must_stay_readable(text, only_mail):
    def use():
        raise PlaceError(text)

    by_logging(use)
    found = only_mail()
    assert text in " ".join(found.text.split())
    assert "[redacted]" not in found.text
