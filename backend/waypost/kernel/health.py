"""Whether this process lives and what it depends on answers."""

from __future__ import annotations

import asyncio
import ipaddress

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import select, text
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from waypost.kernel.db import database
from waypost.kernel.http import json_response

router = APIRouter(prefix="/health", tags=["Health"])


class Live(BaseModel):
    status: str = "ok"


class Ready(BaseModel):
    """`status` is `ok`, `degraded` (works without the cache) or `down`."""

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


async def _valkey(request: Request) -> str:
    try:
        async with asyncio.timeout(2):
            await request.app.state.valkey.ping()
    except Exception as error:
        return f"down: {type(error).__name__}"
    return "ok"


async def ready(request: Request) -> Response:
    """Each dependency by name. 503 only without the database: without the cache work goes on, more slowly."""
    postgres, valkey = await asyncio.gather(_database(), _valkey(request))
    dependencies = {"postgresql": postgres, "valkey": valkey}
    status = "down" if postgres != "ok" else "degraded" if valkey != "ok" else "ok"
    return json_response({"status": status, "dependencies": dependencies}, 503 if status == "down" else 200)


live.__public__ = ready.__public__ = True  # type: ignore[attr-defined]
router.add_api_route("/live", live, methods=["GET"], response_model=Live)
router.add_api_route("/ready", ready, methods=["GET"], response_model=Ready)


def local_only(app: ASGIApp) -> ASGIApp:
    """Measurements are for the machine itself and its private network, never for the public."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        host = (scope.get("client") or ("", 0))[0]
        forwarded = any(name in (b"x-forwarded-for", b"forwarded") for name, _ in scope.get("headers", []))
        try:
            allowed = ipaddress.ip_address(host).is_loopback and not forwarded
        except ValueError:
            allowed = False
        if allowed:
            await app(scope, receive, send)
        else:
            await PlainTextResponse("Not found", 404)(scope, receive, send)

    return guarded
