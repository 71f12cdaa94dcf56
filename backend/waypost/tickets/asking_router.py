"""`/requesters`, `/my-requests`, and the look at a new request that comes before a 422: for whom is it?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.directory_schemas import PersonPage
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, database
from waypost.kernel.errors import Invalid
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import MAX_ID
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Sought
from waypost.tickets import asking, waiting
from waypost.tickets.asking_schemas import WaitingPage

router = APIRouter(route_class=StrictRoute, tags=["Tickets"])
Wanted = Annotated[Sought | None, Query(description="Part of a name or address.", examples=["jane"])]


@router.get("/requesters", response_model=PersonPage)
async def requesters(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_CREATE)],
    q: Wanted = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """The people besides oneself for whom one may make a request. Empty: one asks for oneself only."""
    return json_response(await asking.requester_page(session, actor, q=q, cursor=cursor, limit=limit))


@router.get("/my-requests", response_model=WaitingPage)
async def my_requests(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """One's requests that are not over, those made for others too: who holds each now, and what happens next."""
    return json_response(await waiting.waiting_page(session, actor, cursor=cursor, limit=limit))


async def only_for_whom_one_may_ask(request: Request) -> None:
    """403 before a 422: what is wrong with a request for somebody is told only to who may ask for them."""
    actor = await current_actor(request)
    actor.require(Permission.TICKETS_CREATE)
    try:
        body = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # no JSON we read; that is said by who reads it
    wanted = body.get("requester_id") if isinstance(body, dict) else None
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 < wanted <= MAX_ID:
        return
    async with database().read() as session:
        try:
            await asking.requester_of(session, actor, wanted)
        except Invalid:
            return  # one of the body's faults, told with the others
