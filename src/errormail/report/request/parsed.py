"""
What a framework has made of a request already: form, uploads, body, session, user, route. Nothing is made here.

Every name of an attribute in here is one that a framework *stores* under, so that reading it parses nothing, reads no body
and asks no database.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import cast

from errormail.report.model import Upload
from errormail.report.objects import dict_get, dict_items, exact_str, is_a, stored
from errormail.report.request.body import JSON_NAME, Body
from errormail.report.request.frameworks import (
    Carrier,
    adhoc_attribute,
    comes_from,
    first,
    mapping_of,
)
from errormail.report.request.wire import any_text

__all__ = [
    "NOT_LOOKED_UP",
    "parsed_form",
    "path_parameters",
    "raw_body",
    "route_of",
    "session_keys",
    "user_name",
    "user_of",
]

FORMS = ("_post", "form", "_form", "POST", "_full_data", "_media")
"""Django and aiohttp; Werkzeug; Starlette; Django's HttpRequest by hand; Django REST framework; Falcon."""
FILES = ("_files", "files", "FILES")
BODIES = ("_body", "_cached_data", "_read_bytes")
"""Django and Starlette; Werkzeug; aiohttp."""
USER_NAMES = ("username", "user_name", "login", "email", "name", "id", "pk", "user_id", "sub")
NOT_LOOKED_UP = object()
"""A user that it would take a query to know."""


def parsed_form(carrier: Carrier) -> Body:
    """Return the fields and uploads that the framework has parsed."""
    fields: list[tuple[str, object]] = []
    files: list[Upload] = []
    forms = [carrier.stored(name) for name in FORMS]
    vars_of_webob = carrier.in_environ("webob._parsed_post_vars")
    if type(vars_of_webob) is tuple:
        forms.append(cast("tuple[object, ...]", vars_of_webob)[0])
    for form in forms:
        for name, value in _pairs(form):
            upload = _upload(name, value)
            if upload is None:
                fields.append((name, value))
            else:
                files.append(upload)
        if fields or files:
            break
    for holder in FILES:
        for name, value in _pairs(carrier.stored(holder)):
            upload = _upload(name, value)
            if upload is not None:
                files.append(upload)
    return Body(fields=tuple(fields), files=tuple(files))


def raw_body(carrier: Carrier) -> bytes | None:
    """Return the body that the framework has read and kept, None if it has not."""
    body = carrier.stored(*BODIES)
    if is_a(body, bytes):
        return cast("bytes", body)
    stream = carrier.in_environ("wsgi.input")
    if carrier.in_environ("webob.is_body_seekable") is True and type(stream) is io.BytesIO:
        return stream.getvalue()
    return None


def session_keys(carrier: Carrier) -> list[str]:
    """Return the keys of a session that is loaded."""
    session = first(
        carrier.in_scope("session"),
        adhoc_attribute(carrier, "session"),
        _flask_session(carrier),
    )
    if session is None:
        return []
    cache = stored(session, "_session_cache")  # Django: there once it was loaded
    own = mapping_of(session if cache is None else cache)
    keys = [] if own is None else [key for key, _ in list(dict_items(own))]
    return [text for text in map(_str_or_int, keys) if text]


def user_of(carrier: Carrier) -> object | None:
    """Return the user, None if the framework has none, `NOT_LOOKED_UP` if it would have to ask a database."""
    user = first(
        carrier.in_scope("user"),
        carrier.stored("_cached_user", "_acached_user", "_user"),  # Django, looked up already
        carrier.stored("user"),
        stored(_flask_context(carrier, "app_ctx", "g"), "_login_user"),  # Flask-Login
    )
    if user is None:
        return None
    wrapped = _unwrapped(user)
    return NOT_LOOKED_UP if wrapped is None else wrapped


def user_name(user: object) -> str:
    """
    Return what *user* is called: a name, an address or an id that is stored in it, "" if there is none. Never raises.

    Asks no database: an attribute that is not loaded, or a lazy object that is not evaluated, is left alone.
    """
    user = _unwrapped(user)
    if is_a(user, str, int):
        return _str_or_int(user)
    if comes_from(user, "django", "AnonymousUser") or comes_from(
        user, "starlette", "UnauthenticatedUser"
    ):
        return "anonymous"
    own = mapping_of(user)
    for name in (_username_field(user), *USER_NAMES):
        value = stored(user, name) if own is None else dict_get(own, name)
        if text := _str_or_int(value):
            return text
    return ""


def route_of(carrier: Carrier) -> str:
    """Return the name of the view, endpoint or route that the request was routed to, "" if it was to none yet."""
    match = carrier.stored("resolver_match")
    route = stored(carrier.stored("_match_info"), "_route")
    candidates = (
        stored(match, "_func_path"),  # Django
        stored(match, "view_name"),
        stored(carrier.stored("url_rule"), "endpoint"),  # Werkzeug, Flask
        _name_of(carrier.in_scope("endpoint")),  # Starlette
        stored(adhoc_attribute(carrier, "matched_route"), "name"),  # Pyramid
        carrier.stored("uri_template"),  # Falcon
        stored(carrier.in_environ("bottle.route"), "rule"),
        _name_of(stored(route, "_handler")),  # aiohttp
    )
    names = (exact_str(candidate) for candidate in candidates)
    return next((name for name in names if name), "")


def path_parameters(carrier: Carrier) -> list[tuple[str, str]]:
    """Return what the router has taken out of the path, by name: ``/reset/<token>`` tells that it is a token."""
    url_route = mapping_of(carrier.in_scope("url_route"))  # Django Channels
    holders = (
        carrier.in_scope("path_params"),  # Starlette
        stored(carrier.stored("resolver_match"), "kwargs"),  # Django
        carrier.stored("view_args"),  # Werkzeug, Flask
        carrier.stored("_match_info"),  # aiohttp
        adhoc_attribute(carrier, "matchdict"),  # Pyramid
        None if url_route is None else dict_get(url_route, "kwargs"),
    )
    return [
        (exact_str(name), _str_or_int(value))
        for holder in holders
        for name, value in list(dict_items(holder))
    ]


def _username_field(user: object) -> str:
    """Django's user models say under which name theirs is stored."""
    try:
        field = getattr(type(user), "USERNAME_FIELD", None)
    except BaseException:  # noqa: BLE001 -- a metaclass can do anything
        return ""
    return exact_str(field)


def _str_or_int(value: object) -> str:
    if is_a(value, int) and not is_a(value, bool):
        return int.__repr__(cast("int", value))
    return exact_str(value)


def _name_of(view: object) -> str:
    """Return where *view* was written: its module and qualified name, those of its class for an object."""
    if view is None:
        return ""
    named = cast("type", view) if is_a(view, FunctionType, MethodType, type) else type(view)
    return f"{named.__module__}.{named.__qualname__}"


def _flask_session(carrier: Carrier) -> object | None:
    # Asking flask.session for it counts as an access, which adds "Vary: Cookie" to the response.
    return first(
        _flask_context(carrier, "request_ctx", "_session"),
        _flask_context(carrier, "request_ctx", "session"),
    )


def _flask_context(carrier: Carrier, context: str, name: str) -> object | None:
    """Return what Flask stores beside the request that is bound here, if that is ours: in a context of the thread or task."""
    flask = sys.modules.get("flask")
    if flask is None or not any(comes_from(each, "flask", "Request") for each in carrier.objects):
        return None
    try:
        bound = flask.request._get_current_object()  # noqa: SLF001 -- Werkzeug documents it
        if not any(bound is each for each in carrier.objects):
            return None
        return stored(getattr(flask.globals, context)._get_current_object(), name)  # noqa: SLF001
    except Exception:  # noqa: BLE001 -- no request is bound here
        return None


def _unwrapped(user: object) -> object | None:
    """Return what a lazy object or a proxy stands for, None if that is not known yet."""
    if comes_from(user, "django.utils.functional", "LazyObject"):
        wrapped = stored(user, "_wrapped")
        return None if type(wrapped) is object else wrapped  # Django's mark for "not evaluated"
    if comes_from(user, "werkzeug.local", "LocalProxy"):
        return None  # Flask-Login's current_user: opening it loads the user
    return user


def _pairs(form: object) -> Iterator[tuple[str, object]]:
    """Yield name and value of each field of a form of whatever framework, or of a parsed JSON body."""
    items: object = None
    if type(form) is dict:
        items = list(dict_items(cast("dict[str, object]", form)))
    elif is_a(form, list):
        items = [(JSON_NAME, form)] if form else []
    elif issubclass(type(form), dict):  # Django, Werkzeug: name → list of values
        items = [
            (name, value)
            for name, values in list(dict_items(cast("dict[str, object]", form)))
            for value in (cast("list[object]", values) if is_a(values, list) else [values])
        ]
    elif comes_from(form, "multidict", "MultiDictProxy") or comes_from(
        form, "multidict", "MultiDict"
    ):
        items = list(cast("dict[str, object]", form).items())
    elif form is not None:
        items = first(stored(form, "_list"), stored(form, "_items"))  # Starlette, WebOb
    if is_a(items, list):
        for pair in cast("list[object]", items):
            if type(pair) is tuple and len(cast("tuple[object, ...]", pair)) == 2:
                name, value = cast("tuple[object, object]", pair)
                yield any_text(name) or ascii(name), value


def _upload(field: str, value: object) -> Upload | None:
    """Return the upload that *value* is, by what the frameworks' classes store; None if it is none."""
    if value is None or is_a(value, str, bytes, int, float, list, dict):
        return None
    filename = first(stored(value, "filename"), stored(value, "_name"))
    if not is_a(filename, str):
        return None
    kind = first(stored(value, "content_type"), stored(value, "type"), _content_type(value))
    size = stored(value, "size")
    return Upload(
        field=field,
        filename=exact_str(filename),
        content_type=exact_str(kind),
        size=size if type(size) is int else None,
    )


def _content_type(value: object) -> str:
    """Werkzeug's FileStorage and Starlette's UploadFile keep headers, those a list of pairs of str or bytes."""
    for name, kind in _pairs(stored(value, "headers")):
        if name.lower() == "content-type":
            return any_text(kind)
    return ""
