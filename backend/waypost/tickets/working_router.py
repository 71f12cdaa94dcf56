"""`/tickets/{id}/…`: what stands beside a ticket while it is worked on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.shapes import PersonRef
from waypost.tickets import watching
from waypost.tickets.errors import NoSuchPerson, NotYours, TicketNotFound, TooManyWatchers
from waypost.tickets.surroundings import surroundings

router = APIRouter(route_class=StrictRoute, prefix="/tickets/{ticket_id}", tags=["Working tickets"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


class Watcher(BaseModel):
    person: PersonRef
    gives_sight: Annotated[bool, Field(description="The team let them in: they see the ticket because of this.")]
    since: datetime


class Surroundings(BaseModel):
    """What stands beside a ticket on its page."""

    watchers: list[Watcher]
    is_watching: bool
    allowed_actions: Annotated[list[str], Field(examples=[["choose_watchers"]])]


@router.get("/surroundings", response_model=Surroundings, responses=problems(TicketNotFound))
async def ticket_surroundings(ticket_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """Who watches a ticket, and what else stands beside it."""
    return json_response(await surroundings(session, actor, ticket_id))


@router.put(
    "/watchers/{user_id}",
    response_model=Surroundings,
    responses=problems(TicketNotFound, NotYours, NoSuchPerson, TooManyWatchers),
)
async def watch_ticket(ticket_id: PathId, user_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Watch a ticket oneself, or, as its team, let somebody else: they see it from then on."""
    await watching.watch(session, actor, ticket_id, user_id)
    return json_response(await surroundings(session, actor, ticket_id))


@router.delete("/watchers/{user_id}", status_code=204, responses=problems(TicketNotFound, NotYours))
async def unwatch_ticket(ticket_id: PathId, user_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Watch it no more. Always possible for oneself; others are taken off by the team."""
    await watching.unwatch(session, actor, ticket_id, user_id)
    return Response(status_code=204)
