"""The HTTP door's manners: strict routes, request ids, security headers, one log line for each request.

What a refusal becomes stands in `problems`, how a body is read in `bodies`, how a caller is counted in `counting`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waypost.kernel import events, limits
from waypost.kernel.bodies import check_body
from waypost.kernel.counting import STANDING, STRANGER, check_stranger, is_from_proxy, network_of, of_address
from waypost.kernel.logs import get_logger
from waypost.kernel.problems import API, Guard, Noter, install_handlers, internal_error, problem, without_keys
from waypost.kernel.settings import get_settings

log = get_logger(__name__)

KEYS = ("/decide/", "/api/v1/decision-links/")  # whose addresses no other site and no cache may keep
LEAVING = ("/api/v1/auth/logout", "/api/v1/auth/sign-out")  # after which no page can be gone back to
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
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class StrictRoute(APIRoute):
    """Reads a JSON body once, strictly: bounded size and depth, UTF-8, no NaN, NUL, lone surrogate or repeated key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if getattr(self.endpoint, "__public__", False):
                check_stranger(request)
            if self.body_field is not None:
                await check_body(request)
            return await handle(request)

        return strict


def guarded(guard: Guard) -> Callable[[Endpoint], Endpoint]:
    """Name the check that decides 404 and 403 for this route, asked before a 422 about the body is told."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__guard__ = guard  # type: ignore[attr-defined]
        return endpoint

    return mark


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON written by msgspec: for answers that are plain dicts and lists already."""
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def install(app: FastAPI, *, authenticate: Guard, note: Noter | None = None) -> None:
    """Give the app our errors and headers. `authenticate` raises `Unauthenticated` for a caller without a session.

    `note` is told of every refusal before it is answered.
    """
    install_handlers(app, authenticate=authenticate, note=note)
    app.add_middleware(Manners)


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
UNCOUNTED = ("/api/v1/health/",)  # watchdogs ask there
# Text whose type alone says nothing of its characters; of JSON they are known (RFC 8259).
_IN_CHARACTERS = re.compile(
    r"text/|image/svg\+xml$|application/(.+\+)?xml$|application/manifest\+json$|application/x-pem-file$"
)


def _defect(path: str, method: str, error: Exception) -> Response:
    """The answer to a request that met a defect of ours: nothing of it leaks, the log has it all."""
    log.error("unhandled error", path=without_keys(path), method=method, exc_info=error)
    return internal_error(path)


def _log_request(method: str, route: str, status: int, seconds: float) -> None:
    """One line for whatever changed something, was refused or slow; reads and beats are told at level DEBUG only."""
    is_plain = (method in ("GET", "HEAD") or route in BEATS) and status < 400 and (seconds < SLOW or route in ENDLESS)
    tell = log.debug if is_plain else log.info if status < 500 else log.error
    tell("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


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
        rid = given if _REQUEST_ID.fullmatch(given) and is_from_proxy(scope) else uuid.uuid4().hex
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
                if _IN_CHARACTERS.match(headers.get("content-type", "")) and "charset" not in headers["content-type"]:
                    headers["Content-Type"] += "; charset=utf-8"
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer" if is_key else "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers.setdefault("Content-Security-Policy", API_POLICY if is_api else PAGE_POLICY)
                if is_key:
                    headers["Cache-Control"] = "no-store"
                elif is_api:
                    headers.setdefault("Cache-Control", "no-store")
                if scope["path"] in LEAVING and status < 300:
                    headers["Clear-Site-Data"] = (
                        '"cache"'  # also what is held for the way back; what stays, the app removes
                    )
                standing: limits.Standing | None = state.get(STANDING)
                if standing is not None and "RateLimit-Policy" not in headers:
                    for name, value in standing.headers().items():
                        headers.setdefault(name, value)
                if get_settings().is_https:
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
            await send(message)

        try:
            if is_api and not scope["path"].startswith(UNCOUNTED):
                state[STRANGER] = limits.limiter.take(of_address(), network_of(Request(scope)))
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
