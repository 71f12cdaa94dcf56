"""`/tickets/{id}/sla`: by when, and how that came about."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.tickets import clock_reading
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.sla_schemas import TicketSla

router = APIRouter(route_class=StrictRoute, prefix="/tickets", tags=["Tickets"])


@router.get("/{ticket_id}/sla", response_model=TicketSla, responses=problems(TicketNotFound))
async def ticket_sla(
    ticket_id: PathId, session: ReadSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """The targets of a ticket, how each stands, and the ledger of dated stretches that explains its due date.

    What teams owe each other is shown to those who may read internal words.
    """
    return json_response(await clock_reading.ticket_sla(session, actor, ticket_id))
