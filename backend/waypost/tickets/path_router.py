"""`/tickets/path`: who will be asked, while a request is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from waypost.access.actor import Actor
from waypost.access.deps import CurrentActor, permit
from waypost.access.permissions import Permission
from waypost.catalog.errors import UnknownTicketType
from waypost.kernel import limits
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.tickets import foreseeing, policy
from waypost.tickets.asking_router import only_for_whom_one_may_ask
from waypost.tickets.errors import (
    AnswerDamaged,
    ApprovedFacts,
    NotYours,
    NotYoursToAskFor,
    TicketIsClosed,
    TicketNotFound,
    TooManyPaths,
)
from waypost.tickets.guards import only_if
from waypost.tickets.path_schemas import ChangeAsk, ChangePath, PathAsk, TicketPath

router = APIRouter(route_class=StrictRoute, prefix="/tickets", tags=["Tickets"])
# How it is kept is nobody's business before it is kept.
_NOT_JUDGED = {"submit", "draft_id"}
ALLOWED = 240  # a minute, of one person: forms ask in the pauses of typing


async def _slow_down(actor: CurrentActor) -> None:
    limits.slow_down(limits.Policy("paths", ALLOWED), str(actor.user_id), TooManyPaths)


@router.post(
    "/path",
    response_model=TicketPath,
    responses=problems(NotYoursToAskFor, UnknownTicketType, TooManyPaths),
    dependencies=[Depends(_slow_down)],
)
@guarded(only_for_whom_one_may_ask)
async def ticket_path(
    body: PathAsk, session: ReadSession, actor: Annotated[Actor, permit(Permission.TICKETS_CREATE)]
) -> Response:
    """Who would be asked about this request, and why, were it sent now. An unfinished form has a path too."""
    path = await foreseeing.path_of_new(session, actor, **body.model_dump(exclude=_NOT_JUDGED))
    return json_response(path)


@router.post(
    "/{ticket_id}/path",
    response_model=ChangePath,
    responses=problems(TicketNotFound, NotYours, ApprovedFacts, TicketIsClosed, AnswerDamaged, TooManyPaths),
    dependencies=[Depends(_slow_down)],
)
@guarded(only_if(policy.parts_of))
async def change_path(
    ticket_id: PathId, body: ChangeAsk, session: ReadSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """Whom a change would ask, and whom again, before it is made. Nothing is stored."""
    values = body.model_dump(exclude_unset=True, exclude={"version"})
    return json_response(await foreseeing.path_of_change(session, actor, ticket_id, values))
