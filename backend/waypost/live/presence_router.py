"""`/tickets/{id}/presence`."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from redis.asyncio import Redis
from redis.exceptions import RedisError

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.errors import Unavailable
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.shapes import PersonRef, Strict
from waypost.live import presence
from waypost.tickets import policy
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.guards import only_if
from waypost.tickets.queries import find_ticket

router = APIRouter(route_class=StrictRoute, prefix="/tickets/{ticket_id}/presence", tags=["Live"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]
FRESH = 5.0  # seconds for which a person's right to a ticket is not looked up again
KEPT = 10_000
_rights: OrderedDict[tuple[int, int], tuple[float, bool]] = OrderedDict()
ScreenName = Annotated[str, Field(pattern=r"^[a-z0-9]{8,32}$", examples=["k3jx09ab"])]


class Beat(Strict):
    """What one does with a ticket on this screen now. `screen` is a word of the screen's own, such as a random one."""

    screen: ScreenName
    state: Literal["VIEWING", "TYPING", "IDLE"]
    is_internal: Annotated[bool, Field(strict=True, description="Typing an internal note.")] = False


class PresentPerson(BaseModel):
    person: PersonRef
    state: Literal["VIEWING", "TYPING", "IDLE"]


class Presence(BaseModel):
    """Who else is there, at most 20. A screen is forgotten `life_seconds` after its last beat."""

    items: list[PresentPerson]
    life_seconds: Annotated[int, Field(examples=[12])]


async def _reads_internal(actor: Actor, ticket_id: int) -> bool:
    """Whether they may read the team's words there. Raises `TicketNotFound`. Kept for a moment: beats come often."""
    key, tick = (actor.user_id, ticket_id), time.monotonic()
    kept = _rights.get(key)
    if kept is not None and tick - kept[0] < FRESH:
        return kept[1]
    _rights.pop(key, None)
    async with database().read() as session:
        found = await find_ticket(session, actor, ticket_id)
    may = policy.may_see_internal(actor, found.facts)
    _rights[key] = (tick, may)
    if len(_rights) > KEPT:
        _rights.popitem(last=False)
    return may


@asynccontextmanager
async def _valkey(request: Request) -> AsyncIterator[Redis]:
    try:
        yield request.app.state.valkey
    except (RedisError, OSError, TimeoutError) as away:
        raise Unavailable("Who else is here cannot be told at the moment.", retry_after=15) from away


@router.put("", response_model=Presence, responses=problems(TicketNotFound, Unavailable))
@guarded(only_if(lambda actor, facts: True))
async def beat(ticket_id: PathId, body: Beat, request: Request, actor: Reader) -> Response:
    """Say that one has the ticket open, and learn who else has. Only among people who may see it.

    Who only reads tickets (an auditor) learns it and is not shown.
    """
    reads_internal = await _reads_internal(actor, ticket_id)
    at = now()
    screen = presence.Screen(actor.user_id, body.screen, body.state, body.is_internal, at + presence.LIFE)
    async with _valkey(request) as valkey:
        if policy.takes_part(actor):
            screens = await presence.beat(valkey, ticket_id, screen, at)
        else:
            screens = await presence.look(valkey, ticket_id, at)
    there = presence.others(screens, me=actor.user_id, reads_internal=reads_internal)
    people = {}
    if there:
        async with database().read() as session:
            people = await names.people(session, [user_id for user_id, _ in there])
    items = [{"person": people[i], "state": state} for i, state in there if i in people]
    return json_response({"items": items, "life_seconds": int(presence.LIFE.total_seconds())})


@router.delete("", status_code=204, responses=problems(TicketNotFound, Unavailable))
async def leave(
    ticket_id: PathId,
    request: Request,
    actor: Reader,
    screen: Annotated[str, Query(pattern=r"^[a-z0-9]{8,32}$", examples=["k3jx09ab"])],
) -> Response:
    """Say that one has closed it."""
    await _reads_internal(actor, ticket_id)
    async with _valkey(request) as valkey:
        await presence.leave(valkey, ticket_id, actor.user_id, screen)
    return Response(status_code=204)
