"""`/tickets/{id}/evidence` and `/evidence/{id}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.audit import evidence
from waypost.audit.errors import EvidenceNotFound
from waypost.audit.schemas import EvidenceRead
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.tickets.errors import TicketNotFound

router = APIRouter(route_class=StrictRoute, tags=["Audit"])
Auditor = Annotated[Actor, permit(Permission.AUDIT_READ)]


@router.post(
    "/tickets/{ticket_id}/evidence", status_code=202, response_model=EvidenceRead, responses=problems(TicketNotFound)
)
async def ask_for_evidence(ticket_id: PathId, actor: Auditor, once: OnceOnly) -> Response:
    """Have the evidence of a request put together: what it says, its events, and the proof that they are genuine."""
    async with database().transaction() as session:

        async def work() -> Response:
            return json_response(evidence.pack_json(await evidence.ask_for(session, actor, ticket_id)), 202)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(evidence.TASK)
    return answer


@router.get("/evidence/{pack_id}", response_model=EvidenceRead, responses=problems(EvidenceNotFound))
async def evidence_standing(pack_id: PathId, session: ReadSession, actor: Auditor) -> Response:
    """Whether the evidence one asked for is ready. It is kept for a day."""
    return json_response(evidence.pack_json(await evidence.find_pack(session, actor, pack_id)))


@router.get(
    "/evidence/{pack_id}/file",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {"example": "…"}}, "description": "The pack."},
        **problems(EvidenceNotFound),
    },
)
async def take_evidence(pack_id: PathId, session: WriteSession, actor: Auditor) -> Response:
    """The evidence: a ZIP file with a document for people and one for programs."""
    content = await evidence.take(session, actor, pack_id)
    headers = {"Content-Disposition": f'attachment; filename="evidence-{pack_id}.zip"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/zip", headers=headers)
