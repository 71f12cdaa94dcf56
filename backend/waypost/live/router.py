"""`/events/stream`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from redis.asyncio import Redis

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.events import SessionClosed
from waypost.access.permissions import Permission
from waypost.access.queries import actors
from waypost.access.session_events import SessionRulesChanged
from waypost.kernel.clock import now
from waypost.kernel.db import Database, database
from waypost.kernel.errors import Kind, Refusal
from waypost.kernel.http import StrictRoute
from waypost.kernel.ids import MAX_ID
from waypost.kernel.openapi import problems
from waypost.live.follower import Follower, Happened, Position, follow, position_of
from waypost.live.screens import shown

router = APIRouter(route_class=StrictRoute, prefix="/events", tags=["Live"])
LOOK = 10.0  # seconds after which a quiet stream checks that its session still lives
STREAM = Permission.NOTIFICATIONS_READ
MOST_STREAMS = 30  # of one person in one process: a browser has one a tab
_follower: Follower | None = None
_open: Counter[int] = Counter()


class TooManyStreams(Refusal):
    """So many screens of yours are open already. Please close some."""

    code, kind, title = "too_many_streams", Kind.THROTTLED, "Too many screens"


@asynccontextmanager
async def following(database: Database, valkey: Redis) -> AsyncIterator[None]:
    """While this is open, streams are served in this process."""
    global _follower  # noqa: PLW0603
    async with follow(database, valkey) as _follower:
        yield
    _follower = None


def _ends(actor: Actor, happened: Happened) -> bool:
    """Whether this is the end of the session a stream is open for."""
    return happened.type == SessionClosed.type and happened.data.get("session_id") == actor.session_id


def _may_end(actor: Actor, happened: Happened) -> bool:
    """Whether this may change what the person of a stream may see: about a role, about them, or how long sign-ins last."""
    about_them = happened.object_type == "user" and happened.object_id == actor.user_id
    return about_them or happened.object_type in ("role", SessionRulesChanged.object_type)


async def _still(request: Request, actor: Actor) -> Actor:
    """Who a stream is open for, asked anew. Raises a `Refusal` when it is open to them no more: their sign-in has ended, a
    role was taken, or they must set up a second factor first."""
    fresh = await current_actor(request)
    fresh.require(STREAM)
    return fresh


def _patience(actor: Actor, looked_at: float) -> float:
    """For how many seconds a stream need not be asked about: its sign-in may end before it is looked at anyhow."""
    left = LOOK - (time.monotonic() - looked_at)
    if actor.good_until is not None:
        left = min(left, (actor.good_until - now()).total_seconds())
    return max(left, 0.0)


async def _start(follower: Follower, last_event_id: str | None) -> Position:
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= MAX_ID:
        async with database().read() as session:
            return await position_of(session, int(last_event_id)) or follower.head
    return follower.head


async def _place(actor: Annotated[Actor, permit(STREAM)]) -> AsyncIterator[Actor]:
    if _open[actor.user_id] >= MOST_STREAMS:
        raise TooManyStreams(retry_after=10)
    _open[actor.user_id] += 1
    try:
        yield actor
    finally:
        _open[actor.user_id] -= 1
        if not _open[actor.user_id]:
            del _open[actor.user_id]


_EXAMPLE = 'id: 1042\nevent: ticket.updated\ndata: {"ticket_id": 42, "type": "ticket.approved", "version": 3}\n\n'


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}, **problems(TooManyStreams)},
)
async def stream(
    request: Request,
    actor: Annotated[Actor, Depends(_place)],
    last_event_id: Annotated[str | None, Header(max_length=64, examples=["1042"])] = None,
) -> AsyncIterator[ServerSentEvent]:
    """What happens to what the caller may see, as it happens. `Last-Event-ID` replays what was missed."""
    follower = _follower
    assert follower is not None
    position, looked_at = await _start(follower, last_event_id), time.monotonic()
    yield ServerSentEvent(comment="open", retry=2000)
    while not follower.is_closing:
        events = await follower.after(position)
        if events:
            if any(_ends(actor, happened) for happened in events):
                return
            facts = await follower.facts(events)
            is_about = any(_may_end(actor, happened) for happened in events)
            if is_about:
                actors.forget(actor.session_id or 0)
            # Most streams have no part in most events. One that has is asked anew whether it still may.
            if is_about or not _patience(actor, looked_at) or any(shown(actor, happened, facts) for happened in events):
                try:
                    actor, looked_at = await _still(request, actor), time.monotonic()
                except Refusal:  # the session has ended, and with it the stream
                    return
            for happened in events:
                told = shown(actor, happened, facts)
                if told is not None:
                    yield ServerSentEvent(event=told[0], data=told[1], id=str(happened.id))
            position = events[-1].position
            continue
        await follower.wait(position, _patience(actor, looked_at))
        if follower.head > position and _patience(actor, looked_at):
            continue
        try:
            actor, looked_at = await _still(request, actor), time.monotonic()
        except Refusal:
            return
