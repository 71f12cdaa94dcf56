"""Whether this process lives and what it depends on answers."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import BaseModel
from sqlalchemy import select, text

from waypost.kernel.db import Database, database
from waypost.kernel.errors import NotFound
from waypost.kernel.http import json_response
from waypost.kernel.relay import first_waiting

caution_set = Gauge(
    "waypost_caution",
    "What an operator should know of the settings: 1 while it is so",
    ["name"],
    multiprocess_mode="max",
)
router = APIRouter(prefix="/health", tags=["Health"])
STUCK = 60.0  # seconds one event may be the next for the relay before somebody should look
MULTIPROC = "PROMETHEUS_MULTIPROC_DIR"  # the library's own variable; set by `serve-api`


class Live(BaseModel):
    status: str = "ok"


class Ready(BaseModel):
    """`status` is `ok`, `degraded` (works, without the cache or with mails waiting) or `down`."""

    status: str
    dependencies: dict[str, str]


async def live() -> Live:
    """This process answers."""
    return Live()


async def _database() -> str:
    try:
        async with asyncio.timeout(2), database().read() as session:
            await session.execute(select(text("1")))
    except Exception as error:  # any failure means the same here: it does not answer
        return f"down: {type(error).__name__}"
    return "ok"


@dataclass
class Progress:
    """Since when the same event has been the next for the relay, as far as this process has seen.

    The time an event itself bears would mislead: imported ones are old, and after a stop all are.
    """

    event_id: int | None = None
    since: float = 0.0

    def seen(self, event_id: int | None, at: float) -> float:
        """How long this event has been the next, in seconds of `at`'s clock; 0 when none waits."""
        if event_id is None or event_id != self.event_id:
            self.event_id, self.since = event_id, at
        return at - self.since


_progress = Progress()


async def _relay() -> str:
    """Whether what happened is told: stuck when no event was taken for a minute though some wait."""
    try:
        async with asyncio.timeout(2), database().read() as session:
            seconds = _progress.seen(await first_waiting(session), monotonic())
    except Exception as error:
        return f"down: {type(error).__name__}"
    return "ok" if seconds < STUCK else f"stuck for {seconds:.0f} s"


async def _valkey(request: Request) -> str:
    try:
        async with asyncio.timeout(2):
            await request.app.state.valkey.ping()
    except Exception as error:
        return f"down: {type(error).__name__}"
    return "ok"


Check = Callable[[Database], Awaitable[str]]  # `ok`, or what is wrong
checks: dict[str, Check] = {}  # what rooms want looked at, by name; filled by the door


async def _checked(check: Check) -> str:
    try:
        async with asyncio.timeout(2):
            return await check(database())
    except Exception as error:
        return f"down: {type(error).__name__}"


async def ready(request: Request) -> Response:
    """Each dependency by name. 503 only without the database: without the cache work goes on, more slowly."""
    named = {"postgresql": _database(), "valkey": _valkey(request), "relay": _relay()}
    named |= {name: _checked(check) for name, check in checks.items()}
    dependencies = dict(zip(named, await asyncio.gather(*named.values()), strict=True))
    is_well = all(said == "ok" for said in dependencies.values())
    status = "down" if dependencies["postgresql"] != "ok" else "ok" if is_well else "degraded"
    return json_response({"status": status, "dependencies": dependencies}, 503 if status == "down" else 200)


live.__public__ = ready.__public__ = True  # type: ignore[attr-defined]
router.add_api_route("/live", live, methods=["GET"], response_model=Live)
router.add_api_route("/ready", ready, methods=["GET"], response_model=Ready)


async def metrics(request: Request) -> Response:
    """Measurements of all web processes in Prometheus' format, for the machine itself and never for the public."""
    host = request.client.host if request.client else ""
    forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    try:
        allowed = ipaddress.ip_address(host).is_loopback and not forwarded
    except ValueError:
        allowed = False
    if not allowed:
        raise NotFound
    registry = REGISTRY
    if MULTIPROC in os.environ:  # each process keeps its numbers in files there; whoever is asked adds them up
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
