"""`/approval-workflows/…/simulate` and `…/replay`: workflows tried out on tickets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.approvals.definitions_router import is_there
from waypost.approvals.errors import DefinitionNotFound
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.tickets import trying
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.trying_schemas import ReplayBody, Replayed, SimulateBody, Simulated

router = APIRouter(route_class=StrictRoute, prefix="/approval-workflows", tags=["Workflows"])
Configurer = Annotated[Actor, permit(Permission.APPROVALS_CONFIGURE)]


async def _simulated(session: ReadSession, actor: Actor, definition_id: int | None, body: SimulateBody) -> Response:
    made_up = None if body.ticket is None else body.ticket.model_dump()
    path = await trying.simulate(
        session,
        actor,
        definition_id=definition_id,
        document=body.document,
        ticket_id=body.ticket_id,
        made_up=made_up,
    )
    return json_response(path)


@router.post("/simulate", response_model=Simulated, responses=problems(TicketNotFound))
async def simulate_document(body: SimulateBody, session: ReadSession, actor: Configurer) -> Response:
    """Who would be asked about a ticket, were this a new workflow. Without a document: as things are now."""
    return await _simulated(session, actor, None, body)


@router.post(
    "/{definition_id}/simulate", response_model=Simulated, responses=problems(DefinitionNotFound, TicketNotFound)
)
@guarded(is_there)
async def simulate_workflow(
    definition_id: PathId, body: SimulateBody, session: ReadSession, actor: Configurer
) -> Response:
    """Who would be asked about a ticket, were this the workflow's next version. Nothing is written."""
    return await _simulated(session, actor, definition_id, body)


@router.post("/{definition_id}/replay", response_model=Replayed, responses=problems(DefinitionNotFound))
@guarded(is_there)
async def replay_workflow(
    definition_id: PathId, session: ReadSession, actor: Configurer, body: ReplayBody | None = None
) -> Response:
    """Which of the newest 500 tickets would have been routed differently, and to whom. Nothing is written."""
    document = body.document if body else None
    return json_response(await trying.replay(session, actor, definition_id=definition_id, document=document))
