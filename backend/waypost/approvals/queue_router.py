"""`/approvals/pending` and what reads differently: the approver's queue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.approvals import noticing, queue, service
from waypost.approvals.errors import NotAsked, StepNotFound
from waypost.approvals.queue_schemas import ChangesAnswer, QueuePage, QueueSummary
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, tags=["Approvals"])
Approver = Annotated[Actor, permit(Permission.APPROVALS_DECIDE)]
TypeKey = Annotated[
    str | None,
    Query(max_length=64, pattern=r"^[^\x00]*$", description="Requests of this type only.", examples=["IT_HARDWARE"]),
]
WorkflowName = Annotated[
    str | None,
    Query(max_length=100, pattern=r"^[^\x00]*$", description="What this workflow judges only.", examples=["Purchases"]),
]
Since = Annotated[int, Query(ge=1, le=2**31 - 1, description="The `version` one looked at.", examples=[1])]


@router.get("/approvals/pending", response_model=QueuePage)
async def pending_approvals(
    session: ReadSession,
    actor: Approver,
    limit: Limit = 25,
    cursor: Cursor = None,
    ticket_type: TypeKey = None,
    workflow: WorkflowName = None,
) -> Response:
    """The steps that wait for the caller, most urgent first."""
    return json_response(
        await queue.approval_queue(
            session, actor, cursor=cursor, limit=limit, ticket_type=ticket_type, workflow=workflow
        )
    )


@router.get("/approvals/pending/summary", response_model=QueueSummary)
async def pending_summary(session: ReadSession, actor: Approver) -> Response:
    """How much waits for the caller: in all, overdue, by workflow and type, and the amounts asked for."""
    return json_response(await queue.summary(session, actor))


@router.get("/approvals/{step_id}/changes", response_model=ChangesAnswer, responses=problems(StepNotFound))
async def changes_of_step(
    step_id: PathId,
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    since: Since = 1,
) -> Response:
    """What reads differently now than in the version one looked at; nothing when that is the version of now."""
    return json_response(await service.changes_of_step(session, actor, step_id, since=since))


@router.post("/approvals/{step_id}/seen", status_code=204, responses=problems(StepNotFound, NotAsked))
async def note_seen(step_id: PathId, session: WriteSession, actor: Approver) -> Response:
    """The request stands on the caller's screen, who is asked: noted once, as proof that it reached them."""
    await noticing.note_seen(session, actor, step_id)
    return Response(status_code=204)
