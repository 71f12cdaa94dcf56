"""`/tickets/{id}/approval-proof`."""

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
from waypost.notifications.proof import approval_proof
from waypost.notifications.proof_schemas import ProofAnswer
from waypost.tickets.errors import TicketNotFound

router = APIRouter(route_class=StrictRoute, tags=["Approvals"])


@router.get("/tickets/{ticket_id}/approval-proof", response_model=ProofAnswer, responses=problems(TicketNotFound))
async def proof_of_approval(
    ticket_id: PathId, session: ReadSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """Who was asked when and by which channels, when it arrived, was seen and answered: each rung of the ladder."""
    return json_response(await approval_proof(session, actor, ticket_id))
