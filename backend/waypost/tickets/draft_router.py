"""`/request-drafts`: what somebody is still writing. For everybody but its owner it is not there."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.catalog.errors import UnknownTicketType
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import NotFound, StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.tickets import drafts
from waypost.tickets.draft_schemas import DraftCreate, DraftPage, DraftRead, DraftUpdate
from waypost.tickets.errors import DraftDamaged, DraftExists, DraftNotFound, DraftTooLarge, TooManyDrafts

router = APIRouter(route_class=StrictRoute, prefix="/request-drafts", tags=["Drafts"])
Writer = Annotated[Actor, permit(Permission.TICKETS_CREATE)]
DraftId = Annotated[UUID, Path(examples=["6f1c9a52-4a0b-4d1e-9a57-3f4c2f0f7b11"])]


async def _only_mine(request: Request) -> None:
    """404 before a 422: a body's faults are told only to the draft's owner."""
    actor = await current_actor(request)
    actor.require(Permission.TICKETS_CREATE)
    try:
        draft_id = UUID(str(request.path_params.get("draft_id")))
    except ValueError as wrong:
        raise NotFound from wrong
    async with database().read() as session:
        await drafts.find_draft(session, actor, draft_id)


@router.get("", response_model=DraftPage)
async def request_drafts(session: ReadSession, actor: Writer, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """One's own drafts, the one changed last first."""
    return json_response(await drafts.draft_page(session, actor, cursor=cursor, limit=limit))


@router.post(
    "",
    status_code=201,
    response_model=DraftRead,
    responses=problems(UnknownTicketType, DraftExists, TooManyDrafts, DraftTooLarge),
)
async def create_request_draft(body: DraftCreate, session: WriteSession, actor: Writer, once: OnceOnly) -> Response:
    """Keep a new draft. It is no ticket: it has no number, and nobody is told."""

    async def work() -> Response:
        made = await drafts.keep_draft(
            session, actor, draft_id=body.id, ticket_type=body.ticket_type, content=body.content
        )
        return json_response(drafts.draft_json(made), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/{draft_id}", response_model=DraftRead, responses=problems(DraftNotFound, DraftDamaged))
async def request_draft(draft_id: DraftId, session: ReadSession, actor: Writer) -> Response:
    """One draft of one's own."""
    return json_response(drafts.draft_json(await drafts.find_draft(session, actor, draft_id)))


@router.put("/{draft_id}", response_model=DraftRead, responses=problems(DraftNotFound, DraftTooLarge, StaleVersion))
@guarded(_only_mine)
async def update_request_draft(draft_id: DraftId, body: DraftUpdate, session: WriteSession, actor: Writer) -> Response:
    """Keep what it says now, over the version one read."""
    changed = await drafts.change_draft(session, actor, draft_id, version=body.version, content=body.content)
    return json_response(drafts.draft_json(changed))


@router.delete("/{draft_id}", status_code=204)
async def delete_request_draft(draft_id: DraftId, session: WriteSession, actor: Writer) -> Response:
    """Discard a draft of one's own; one that is gone already is no mistake."""
    await drafts.discard_draft(session, actor, draft_id)
    return Response(status_code=204)
