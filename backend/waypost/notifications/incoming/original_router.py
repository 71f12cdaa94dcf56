"""`/tickets/{id}/comments/{id}/original`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import database
from waypost.kernel.errors import Unavailable
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.notifications.errors import OriginalNotFound
from waypost.notifications.incoming import showing
from waypost.notifications.incoming.original_schemas import OriginalMail
from waypost.tickets.errors import CommentNotFound, TicketNotFound

router = APIRouter(route_class=StrictRoute, prefix="/tickets/{ticket_id}", tags=["Conversation"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


@router.get(
    "/comments/{comment_id}/original",
    response_model=OriginalMail,
    responses=problems(TicketNotFound, CommentNotFound, OriginalNotFound, Unavailable),
)
async def original_mail(ticket_id: PathId, comment_id: PathId, actor: Reader) -> Response:
    """The mail a comment came by, for whoever reads the comment: all of it, with what it quotes."""
    return json_response(await showing.original_of(database(), actor, ticket_id, comment_id))
