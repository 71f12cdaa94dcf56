"""`/queues`, and claiming and releasing a ticket."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.directory.errors import TeamNotFound
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.tickets import queues
from waypost.tickets.errors import (
    AlreadyTaken,
    NothingToClaim,
    NotInItsTeam,
    NotWithYou,
    NotYours,
    TicketIsClosed,
    TicketNotFound,
)
from waypost.tickets.queue_schemas import AssigneesAnswer, QueuesAnswer, TeamQueuePage
from waypost.tickets.router import read_again
from waypost.tickets.schemas import TicketRead

router = APIRouter(route_class=StrictRoute, tags=["Queues"])
Worker = Annotated[Actor, permit(Permission.TICKETS_WORK)]


@router.get("/queues", response_model=QueuesAnswer)
async def team_queues(session: ReadSession, actor: Worker) -> Response:
    """The teams one works in, with how much waits, is nobody's, one's own, overdue, or still in review."""
    return json_response({"items": await queues.counts(session, actor)})


@router.get("/queues/{team_id}/tickets", response_model=TeamQueuePage, responses=problems(TeamNotFound, NotYours))
async def queue_tickets(
    team_id: PathId,
    session: ReadSession,
    actor: Worker,
    show: Annotated[Literal["unassigned", "mine", "all"], Query(examples=["unassigned"])] = "unassigned",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What there is to do in a team: most urgent first, of those the oldest."""
    return json_response(await queues.queue(session, actor, team_id, show=show, cursor=cursor, limit=limit))


@router.post(
    "/queues/{team_id}/claim-next",
    response_model=TicketRead,
    responses=problems(TeamNotFound, NotYours, NothingToClaim),
)
async def claim_next(team_id: PathId, session: WriteSession, actor: Worker, once: OnceOnly) -> Response:
    """Take the most urgent ticket that nobody has, of those the oldest; several who ask at once get different ones."""

    async def work() -> Response:
        ticket = await queues.claim_next(session, actor, team_id)
        return await read_again(session, actor, ticket.id)

    return await once.answer(session, actor.user_id, work)


@router.post(
    "/tickets/{ticket_id}/claim",
    response_model=TicketRead,
    responses=problems(TicketNotFound, NotYours, AlreadyTaken, NotInItsTeam, TicketIsClosed),
)
async def claim_ticket(
    ticket_id: PathId, session: WriteSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """Take a ticket of one's team, if nobody has it; who has it is named otherwise."""
    await queues.claim(session, actor, ticket_id)
    return await read_again(session, actor, ticket_id)


@router.post(
    "/tickets/{ticket_id}/release",
    response_model=TicketRead,
    responses=problems(TicketNotFound, NotYours, NotWithYou, NotInItsTeam, TicketIsClosed),
)
async def release_ticket(
    ticket_id: PathId, session: WriteSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """Give a ticket one has back to its team's queue."""
    await queues.release(session, actor, ticket_id)
    return await read_again(session, actor, ticket_id)


@router.get(
    "/tickets/{ticket_id}/assignees", response_model=AssigneesAnswer, responses=problems(TicketNotFound, NotYours)
)
async def assignees(
    ticket_id: PathId, session: ReadSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """The people it can be given to: the active members of its team, how much each has, and who is away."""
    return json_response({"items": await queues.assignees(session, actor, ticket_id)})
