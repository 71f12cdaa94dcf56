"""`/tickets/{id}/sensitive-answers`: what stands hidden in a request, in the clear."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.catalog.schemas import Answer
from waypost.kernel.db import WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.tickets import sealed
from waypost.tickets.errors import AnswerDamaged, NotYours, TicketNotFound

router = APIRouter(route_class=StrictRoute, prefix="/tickets", tags=["Tickets"])


class SensitiveAnswers(BaseModel):
    """The answers to the sensitive fields, in the form's order."""

    items: list[Answer]


@router.post(
    "/{ticket_id}/sensitive-answers/reveal",
    response_model=SensitiveAnswers,
    responses=problems(TicketNotFound, NotYours, AnswerDamaged),
)
async def reveal_sensitive_answers(
    ticket_id: PathId, session: WriteSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """Show what was answered to sensitive fields. Unless it is the requester's own, that it was read is recorded."""
    items = await sealed.reveal(session, actor, ticket_id)
    return json_response({"items": items}, headers={"Cache-Control": "no-store"})
