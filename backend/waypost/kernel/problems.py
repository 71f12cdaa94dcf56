"""Refusals as RFC 9457 problems: here and nowhere else.

A body problem is only told to those who may know that the thing exists: before a 422 goes out, the route's guard is asked
(contract: 401, 404, 403, then 422, then 409 and 412).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from itertools import islice
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from waypost.kernel import events
from waypost.kernel.bodies import BodyTooLarge, MalformedBody, WrongMediaType
from waypost.kernel.db import is_busy, sqlstate
from waypost.kernel.errors import FieldError, Invalid, Kind, NotFound, Refusal, Unavailable, escape_pointer

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
MOST_ERRORS = 100  # told of one body
API = "/api/"
Guard = Callable[[Request], Awaitable[None]]
Noter = Callable[[Request, Refusal], Awaitable[None]]
_TYPE = re.compile(r"[\[(]|^function-")

# What stands behind these opens something to whoever holds it: logs and answers do not repeat it.
_KEY_IN_PATH = re.compile(r"^(/decide/|/api/v1/decision-links/|/api/v1/files/|/api/v1/integrations/sms/gateway/)[^/]+")


def without_keys(path: str) -> str:
    """A path as it may be written down."""
    return _KEY_IN_PATH.sub(r"\1…", path)


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


def install_handlers(app: FastAPI, *, authenticate: Guard, note: Noter | None = None) -> None:
    """Give the app our errors. `authenticate` raises `Unauthenticated` for a caller without a session.

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


def internal_error(path: str) -> Response:
    """The answer to a request that met a defect of ours: nothing of it leaks."""
    document = {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on our side. It has been logged under the request id.",
        "instance": without_keys(path),
        "code": "internal_error",
        "request_id": events.request_id.get(),
    }
    return Response(msgspec.json.encode(document), 500, media_type=PROBLEM)
