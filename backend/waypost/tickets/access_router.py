"""`/tickets/{id}/access`: why somebody can, or cannot, see a ticket."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.directory.errors import PersonNotFound
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import Id, PathId
from waypost.kernel.openapi import problems
from waypost.tickets import explaining
from waypost.tickets.access_schemas import TicketAccess
from waypost.tickets.errors import TicketNotFound

router = APIRouter(route_class=StrictRoute, prefix="/tickets", tags=["Tickets"])


@router.get("/{ticket_id}/access", response_model=TicketAccess, responses=problems(TicketNotFound, PersonNotFound))
async def ticket_access(
    ticket_id: PathId,
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.ROLES_READ)],
    user_id: Annotated[Id, Query(description="Whose access is asked about.", examples=[3])],
) -> Response:
    """What somebody can do with a ticket one sees oneself, by which rule, or what is missing for the nearest one."""
    return json_response(await explaining.access_of(session, actor, ticket_id, user_id))
