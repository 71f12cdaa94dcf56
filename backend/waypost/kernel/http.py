"""The HTTP door's manners: request ids, problem details, body limits, security headers.

Refusals become RFC 9457 problems here and nowhere else. A body problem is only told to those who may know that the
thing exists: before a 422 goes out, the route's guard is asked (contract: 401, 404, 403, then 422, then 409 and 412).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeVar

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import Counter, Histogram
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waypost.kernel import events, limits, proxies
from waypost.kernel.db import is_busy, sqlstate
from waypost.kernel.errors import FieldError, Invalid, Kind, NotFound, Refusal, Unavailable, escape_pointer
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings

log = get_logger(__name__)

STATUS = {
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.RANGE: 416,
    Kind.INVALID: 422,
    Kind.PRECONDITION_REQUIRED: 428,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}
PROBLEM = "application/problem+json"
# What `translate_database_error` has words for.
DATABASE_ERRORS = (DBAPIError, PoolTimeout, OSError)
MAX_DEPTH = 32
MAX_MEMBERS = 1000  # of one object in a body: no form has as many fields
MOST_ERRORS = 100  # told of one body
API = "/api/"
KEYS = ("/decide/", "/api/v1/decision-links/")  # whose addresses no other site and no cache may keep
SLOW = 0.5  # seconds after which a read is worth a line in the log
ENDLESS = ("/api/v1/events/stream",)
BEATS = ("/api/v1/tickets/{ticket_id}/presence",)  # of every open screen, every few seconds: they change nothing kept

requests_total = Counter("waypost_http_requests", "HTTP requests answered", ["method", "route", "status"])
request_seconds = Histogram(
    "waypost_http_request_seconds",
    "Time to answer, in seconds",
    ["method", "route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10),
)

# Possessive: a string that never ends is passed over once, not from each of its quotes again.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_TYPE = re.compile(r"[\[(]|^function-")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Guard = Callable[[Request], Awaitable[None]]
Noter = Callable[[Request, Refusal], Awaitable[None]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class MalformedBody(Invalid):
    """The body is not JSON we can read."""

    code, title = "malformed_body", "Malformed body"


class BodyTooLarge(Refusal):
    """The body is larger than this endpoint takes."""

    code, kind, title = "body_too_large", Kind.TOO_LARGE, "Too large"


class WrongMediaType(Refusal):
    """Send JSON, with `Content-Type: application/json`."""

    code, kind, title = "wrong_media_type", Kind.UNSUPPORTED, "Wrong media type"


class StrictRoute(APIRoute):
    """Reads a JSON body once, strictly: bounded size and depth, UTF-8, no NaN, NUL, lone surrogate or repeated key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if getattr(self.endpoint, "__public__", False):
                check_stranger(request)
            if self.body_field is not None:
                await _check_json(request)
            return await handle(request)

        return strict


def guarded(guard: Guard) -> Callable[[Endpoint], Endpoint]:
    """Name the check that decides 404 and 403 for this route, asked before a 422 about the body is told."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__guard__ = guard  # type: ignore[attr-defined]
        return endpoint

    return mark


async def _check_json(request: Request) -> None:
    body = await read_body(request)
    if not body:
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType
    check_json(body)


async def read_body(request: Request) -> bytes:
    """The body as it came, no larger than a JSON body may be. Raises `BodyTooLarge` or `MalformedBody`."""
    limit = get_settings().max_body_bytes
    if int(request.headers.get("content-length") or 0) > limit:
        raise BodyTooLarge(f"A body holds at most {limit} bytes.")
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(f"A body holds at most {limit} bytes.")
            chunks.append(chunk)
    except ClientDisconnect as gone:
        raise _malformed("broke off") from gone
    body = b"".join(chunks)
    request._body = body
    return body


def check_json(body: bytes) -> object:
    """The value of a JSON body. Raises `MalformedBody` for whatever PostgreSQL or our rules could not take."""
    # Depth is measured on the text: no parser should recurse into a hostile body before we know how deep it is.
    depth = deepest = 0
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
            depth += 1 if bracket in b"[{" else -1
            deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise _malformed(f"is nested deeper than {MAX_DEPTH} levels")
    try:
        value = msgspec.json.decode(body)  # strict about numbers and encoding, but the last of two equal keys wins
        json.loads(body, object_pairs_hook=_once_each)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as wrong:
        raise _malformed(f"is not valid JSON: {wrong}") from wrong
    _check_text(value, "")
    return value


def _malformed(why: str) -> MalformedBody:
    """What is wrong with a body as a whole."""
    return MalformedBody(f"The body {why}.", errors=(FieldError("", why),))


def _once_each(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) > MAX_MEMBERS:
        raise ValueError(f"an object has more than {MAX_MEMBERS} members")
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one object")


def _check_text(value: object, pointer: str) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise MalformedBody(errors=(FieldError(pointer, "must not contain the NUL character"),))
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as wrong:
                raise MalformedBody(errors=(FieldError(pointer, "contains half a character (surrogate)"),)) from wrong
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, pointer)
            _check_text(inner, f"{pointer}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_text(inner, f"{pointer}/{index}")


# What stands behind these opens something to whoever holds it: logs and answers do not repeat it.
_KEY_IN_PATH = re.compile(r"^(/decide/|/api/v1/decision-links/|/api/v1/files/|/api/v1/integrations/sms/gateway/)[^/]+")


def without_keys(path: str) -> str:
    """A path as it may be written down."""
    return _KEY_IN_PATH.sub(r"\1…", path)


# --- answers ---------------------------------------------------------------------------------------------------------


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON written by msgspec: for answers that are plain dicts and lists already."""
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def problem(refusal: Refusal, request: Request) -> Response:
    """The RFC 9457 answer for a refusal."""
    status = STATUS[refusal.kind]
    document: dict[str, Any] = {
        "type": f"urn:waypost:problem:{refusal.code}",
        "title": refusal.title,
        "status": status,
        "detail": refusal.detail,
        "instance": without_keys(request.url.path),
        "code": refusal.code,
        "request_id": events.request_id.get(),
    }
    if refusal.errors:
        document["errors"] = [{"pointer": e.pointer, "message": e.message} for e in refusal.errors]
    headers: dict[str, str] = {}
    for name, value in refusal.facts.items():
        if name == "retry_after":
            seconds = max(1, int(str(value)))
            limit = str(refusal.facts.get("policy", '"default"')).partition(";")[0]
            headers |= {"Retry-After": str(seconds), "RateLimit": f"{limit};r=0;t={seconds}"}
        elif name == "policy":
            headers["RateLimit-Policy"] = str(value)
        else:
            document[name] = value
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(document), status, headers, media_type=PROBLEM)


class _Plain(Refusal):
    """A refusal of the framework (unknown path, wrong method)."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def _validation_errors(errors: Iterable[Any]) -> tuple[FieldError, ...]:
    found = []
    for error in islice(errors, MOST_ERRORS):
        where, *path = error["loc"]
        if where == "body":
            # The name of a type or validator stands in the path too ("list[str]"); a pointer names members only.
            pointer = "".join(f"/{escape_pointer(p)}" for p in path if not (isinstance(p, str) and _TYPE.search(p)))
        elif where == "path":
            raise NotFound
        else:
            pointer = f"?{'/'.join(map(str, path))}"
        message = _in_characters(error) or str(error["msg"]).removeprefix("Value error, ")
        found.append(FieldError(pointer, message[:1].lower() + message[1:]))
    return tuple(found)


def _in_characters(error: Any) -> str | None:
    """How long a text may be, where its length was asked after it was made tidy: Pydantic speaks of "items" then."""
    bound, name = {"too_long": ("most", "max_length"), "too_short": ("least", "min_length")}.get(
        error["type"], ("", "")
    )
    if not bound or not isinstance(error["input"], str):
        return None
    limit = error["ctx"][name]
    return f"should have at {bound} {limit} {'character' if limit == 1 else 'characters'}"


def install(app: FastAPI, *, authenticate: Guard, note: Noter | None = None) -> None:
    """Give the app our errors and headers. `authenticate` raises `Unauthenticated` for a caller without a session.

    `note` is told of every refusal before it is answered.
    """

    async def may_know(request: Request) -> None:
        endpoint = request.scope.get("endpoint")
        if not getattr(endpoint, "__public__", False):
            await authenticate(request)
        guard: Guard | None = getattr(endpoint, "__guard__", None)
        if guard is not None:
            await guard(request)

    async def refuse(refusal: Refusal, request: Request) -> Response:
        if note is not None:
            await note(request, refusal)
        return problem(refusal, request)

    async def on_refusal(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)
        if isinstance(refusal, (MalformedBody, BodyTooLarge, WrongMediaType)) or refusal.needs_guard:
            try:
                await may_know(request)
            except Refusal as earlier:
                return await refuse(earlier, request)
        return await refuse(refusal, request)

    async def on_invalid(request: Request, invalid: Exception) -> Response:
        assert isinstance(invalid, RequestValidationError)
        try:
            await may_know(request)
            errors = _validation_errors(invalid.errors())
        except Refusal as earlier:
            return await refuse(earlier, request)
        detail = "; ".join(f"{e.pointer.lstrip('/?') or 'body'}: {e.message}" for e in errors[:3])
        return problem(Invalid(f"{detail}.", errors=errors), request)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        is_page = getattr(request.scope.get("endpoint"), "__elsewhere__", False)
        if request.url.path.startswith(API) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and is_page:
            error = HTTPException(404, "There is nothing here.")  # only the web app's pages answer to any path
        if request.url.path.startswith(API) and error.status_code == HTTPStatus.NOT_FOUND:
            try:
                await authenticate(request)
            except Refusal as earlier:
                return problem(earlier, request)
        phrase = HTTPStatus(error.status_code).phrase
        document = {
            "type": "about:blank",
            "title": phrase,
            "status": error.status_code,
            "detail": str(error.detail),
            "instance": without_keys(request.url.path),
            "code": phrase.lower().replace(" ", "_"),
            "request_id": events.request_id.get(),
        }
        return Response(msgspec.json.encode(document), error.status_code, error.headers, media_type=PROBLEM)

    async def on_database(request: Request, error: Exception) -> Response:
        return problem(translate_database_error(error), request)

    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, on_database)
    app.add_middleware(Manners)


def translate_database_error(error: Exception) -> Refusal:
    """What a person is told about an error of the database; re-raises those that are our defects."""
    if isinstance(error, (PoolTimeout, OSError)):
        return Unavailable(retry_after=1)
    assert isinstance(error, DBAPIError)
    state = sqlstate(error)
    if isinstance(error, IntegrityError) and state == "23505":
        return _conflict("already_exists", "Something with this name or key exists already.")
    if isinstance(error, IntegrityError) and state == "23503":
        return Invalid("Something this refers to does not exist.")
    if is_busy(error):
        return _conflict("busy", "Somebody else was changing this at the same moment. Please try again.")
    if state[:2] in ("08", "53", "57") or error.connection_invalidated:
        return Unavailable(retry_after=1)
    raise error


def _conflict(code: str, detail: str) -> Refusal:
    refusal = Refusal(detail)
    refusal.code, refusal.kind, refusal.title = code, Kind.CONFLICT, "No longer possible"  # type: ignore[misc]
    return refusal


# --- around every request ---------------------------------------------------------------------------------------------

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"


def _defect(path: str, method: str, error: Exception) -> Response:
    """The answer to a request that met a defect of ours: nothing of it leaks, the log has it all."""
    path = without_keys(path)
    log.error("unhandled error", path=path, method=method, exc_info=error)
    document = {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on our side. It has been logged under the request id.",
        "instance": path,
        "code": "internal_error",
        "request_id": events.request_id.get(),
    }
    return Response(msgspec.json.encode(document), 500, media_type=PROBLEM)


def _log_request(method: str, route: str, status: int, seconds: float) -> None:
    """One line for whatever changed something, was refused or slow; reads and beats are told at level DEBUG only."""
    is_plain = (method in ("GET", "HEAD") or route in BEATS) and status < 400 and (seconds < SLOW or route in ENDLESS)
    tell = log.debug if is_plain else log.info if status < 500 else log.error
    tell("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


STRANGER = "waypost_stranger"  # of a request: how its address stands, until somebody is found behind it
STANDING = "waypost_standing"  # of a request: how its caller stands against the limit it was counted under
UNCOUNTED = ("/api/v1/health/",)  # watchdogs ask there


def network_of(request: Request) -> str:
    """What a caller without a sign-in is counted under; an IPv6 host owns its whole /64."""
    return proxies.network(address_of(request))


def address_of(request: Request) -> str:
    """Where a request comes from; what our own proxies say of it is believed."""
    settings = get_settings()
    peer = request.client.host if request.client else ""
    return proxies.client_of(
        peer,
        settings.proxy_header,
        request.headers.getlist(settings.proxy_header),
        proxies.networks(tuple(settings.trusted_proxies)),
    )


def count_person(request: Request, user_id: int) -> None:
    """Count a request of somebody signed in, once. Raises `TooManyRequests`."""
    state = request.scope.setdefault("state", {})
    if state.pop(STRANGER, None) is not None:
        limits.limiter.give_back(_of_address(), network_of(request))
    if STANDING in state:
        return
    state[STANDING] = limits.slow_down(limits.Policy("person", get_settings().quota("person")), str(user_id))
    if getattr(request.scope.get("endpoint"), "__costly__", False):
        costly = limits.Policy("costly", get_settings().quota("costly"))
        state[STANDING] = limits.slow_down(costly, str(user_id))


def check_stranger(request: Request) -> None:
    """Refuse a request nobody is known behind, from an address that asked too much. Raises `TooManyRequests`.

    Asked where a header that may say anything would otherwise be a way around the limit: before a key is looked up, where
    nobody was found, and at doors that are open to everybody.
    """
    standing: limits.Standing | None = request.scope.get("state", {}).get(STRANGER)
    if standing is not None and standing.is_over:
        raise limits.TooManyRequests(retry_after=standing.reset, policy=str(standing.policy))


def _is_from_proxy(scope: Scope) -> bool:
    """Whether a request comes through a proxy of ours, which may have named it already."""
    trusted = proxies.networks(tuple(get_settings().trusted_proxies))
    return bool(trusted) and proxies.is_among((scope.get("client") or ("",))[0], trusted)


def _of_address() -> limits.Policy:
    return limits.Policy("address", get_settings().quota("address"))


def _too_many(standing: limits.Standing, request: Request) -> Response:
    return problem(limits.TooManyRequests(retry_after=standing.reset, policy=str(standing.policy)), request)


POURED = 4  # times the largest file: so much of a refused request's body is read on
POURED_SECONDS = 60.0


async def _pour_away(receive: Receive) -> None:
    """Read on for a while after a refusal: a client that is still sending would not see the answer otherwise."""
    most = POURED * get_settings().attachment_max_bytes
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(POURED_SECONDS):
            while most >= 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                most -= len(message.get("body", b""))


class Manners:
    """Request id in and out, security headers, one log line and one measurement per request.

    What was refused before its body was read, is read on after the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given_headers = dict(scope["headers"])
        is_read = given_headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in given_headers
        given = given_headers.get(b"x-request-id", b"").decode("latin-1")
        rid = given if _REQUEST_ID.fullmatch(given) and _is_from_proxy(scope) else uuid.uuid4().hex
        token, by = events.request_id.set(rid), events.acting_by.set(None)
        structlog.contextvars.bind_contextvars(request_id=rid)
        began, status, has_begun = time.perf_counter(), 500, False
        is_api, is_key = scope["path"].startswith(API), scope["path"].startswith(KEYS)
        state = scope.setdefault("state", {})

        async def noted() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or message["type"] != "http.request" or not message.get("more_body")
            return message

        async def polite(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = rid
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer" if is_key else "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers.setdefault("Content-Security-Policy", API_POLICY if is_api else PAGE_POLICY)
                if is_key:
                    headers["Cache-Control"] = "no-store"
                elif is_api:
                    headers.setdefault("Cache-Control", "no-store")
                standing: limits.Standing | None = state.get(STANDING)
                if standing is not None and "RateLimit-Policy" not in headers:
                    for name, value in standing.headers().items():
                        headers.setdefault(name, value)
                if get_settings().is_https:
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
            await send(message)

        try:
            if is_api and not scope["path"].startswith(UNCOUNTED):
                state[STRANGER] = limits.limiter.take(_of_address(), network_of(Request(scope)))
                if b"authorization" not in given_headers:
                    state[STANDING] = state[STRANGER]
            if STANDING in state and state[STANDING].is_over:
                await _too_many(state[STANDING], Request(scope))(scope, noted, polite)
            else:
                await self.app(scope, noted, polite)
        except Exception as error:  # a defect; told here, so that this answer has its request id and headers too
            if has_begun:
                raise
            await _defect(scope["path"], scope["method"], error)(scope, receive, polite)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "(none)")
            method = scope["method"] if scope["method"] in _METHODS else "other"  # anybody can invent more
            requests_total.labels(method, route, status).inc()
            request_seconds.labels(method, route).observe(seconds)
            _log_request(scope["method"], route, status, seconds)
            structlog.contextvars.unbind_contextvars("request_id", "actor_id")
            events.request_id.reset(token)
            events.acting_by.reset(by)
        if not is_read:
            await _pour_away(receive)
