"""`/tickets`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.approvals.queries import workflows_of
from waypost.approvals.schemas import WorkflowsAnswer
from waypost.catalog.answers import answers, ids_named, with_names
from waypost.catalog.errors import FormNotFilled, UnknownTicketType
from waypost.catalog.kinds import FieldKind
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, settle
from waypost.kernel.errors import StaleVersion, VersionRequired
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.versions import IfMatch, version_of
from waypost.tickets import assigning, history, listing, policy, queries, service
from waypost.tickets.asking_router import only_for_whom_one_may_ask
from waypost.tickets.clock_words import in_short
from waypost.tickets.errors import (
    ApprovedFacts,
    CommentNeeded,
    ImpossibleTransition,
    NotInTeam,
    NotYours,
    NotYoursToAskFor,
    ReopenTooLate,
    TicketIsClosed,
    TicketNotFound,
)
from waypost.tickets.guards import only_if
from waypost.tickets.lifecycle import Status
from waypost.tickets.list_query import ListFilters, ListSort
from waypost.tickets.schemas import (
    Assignment,
    HistoryPage,
    StatusChange,
    TicketCreate,
    TicketPage,
    TicketRead,
    TicketUpdate,
)

router = APIRouter(route_class=StrictRoute, prefix="/tickets", tags=["Tickets"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


_OUT_OF_SIGHT: dict[int | str, dict[str, Any]] = {
    204: {"description": "It belongs to another team now, and the caller sees it no more."}
}


async def _read(session: ReadSession, actor: Actor, found: queries.Found, status: int = 200) -> Response:
    t = found.ticket
    given = answers(found.form, t.custom_fields)
    people, teams, departments = await names.all(
        session,
        people=[t.requester_id, t.assignee_id, t.created_by_id, *ids_named(given, FieldKind.PERSON)],
        teams=[t.team_id],
        departments=[t.department_id, *ids_named(given, FieldKind.DEPARTMENT)],
    )
    return json_response(
        {
            "id": t.id,
            "ticket_number": t.ticket_number,
            "title": t.title,
            "description": t.description,
            "ticket_type": t.ticket_type,
            "ticket_type_name": found.type_name,
            "status": t.status,
            "priority": t.priority,
            "amount": None if t.amount is None else str(t.amount),
            "currency": t.currency,
            "requester": people.get(t.requester_id),
            "assignee": people.get(t.assignee_id),
            "team": teams.get(t.team_id),
            "department": departments.get(t.department_id),
            "due_date": t.due_date and rfc3339(t.due_date),
            "sla": in_short(t),
            "tags": t.tags,
            "is_confidential": t.is_confidential,
            "checklist": {"done": t.checklist_done, "total": t.checklist_total},
            "created_by": people.get(t.created_by_id),
            "custom_fields": t.custom_fields,
            "form": found.form,
            "answers": with_names(given, people, departments),
            "version": t.version,
            "comment_count": t.comment_count,
            "created_at": rfc3339(t.created_at),
            "updated_at": rfc3339(t.updated_at),
            "submitted_at": t.submitted_at and rfc3339(t.submitted_at),
            "completed_at": t.completed_at and rfc3339(t.completed_at),
            "closed_at": t.closed_at and rfc3339(t.closed_at),
            "allowed_actions": service.allowed_actions(actor, found),
        },
        status,
        {"ETag": f'"{t.id}-{t.version}"'},
    )


async def read_again(session: WriteSession, actor: Actor, ticket_id: int, status: int = 200) -> Response:
    """The ticket as it stands after a change, read in the same transaction."""
    await settle(session)
    session.expire_all()
    return await _read(session, actor, await queries.find_ticket(session, actor, ticket_id), status)


@router.get("", response_model=TicketPage, responses=problems(InvalidCondition))
async def tickets(
    session: ReadSession,
    actor: Reader,
    filters: ListFilters,
    sort: ListSort = "-created_at",
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """The tickets one may see, filtered and sorted, a page at a time. `assignee_id` takes `me` and `none` too."""
    return json_response(await listing.ticket_list(session, actor, filters, sort=sort, cursor=cursor, limit=limit))


@router.post(
    "",
    status_code=201,
    response_model=TicketRead,
    responses=problems(NotYoursToAskFor, UnknownTicketType, FormNotFilled),
)
@guarded(only_for_whom_one_may_ask)
async def create_ticket(
    body: TicketCreate,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_CREATE)],
    once: OnceOnly,
) -> Response:
    """Write a request, for oneself or for somebody else: a draft, or submitted at once."""

    async def work() -> Response:
        ticket = await service.create_ticket(session, actor, **body.model_dump())
        return await read_again(session, actor, ticket.id, 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/{ticket_id}", response_model=TicketRead, responses=problems(TicketNotFound))
async def ticket(ticket_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """One ticket. The `ETag` names its version."""
    return await _read(session, actor, await queries.find_ticket(session, actor, ticket_id))


def _any_version(ticket_id: int, if_match: str | None) -> int | None:
    """The version named in `If-Match`, where a change needs none."""
    return None if if_match is None else version_of(ticket_id, None, if_match)


@router.put(
    "/{ticket_id}",
    response_model=TicketRead,
    responses=problems(
        TicketNotFound, NotYours, FormNotFilled, StaleVersion, VersionRequired, TicketIsClosed, ApprovedFacts
    ),
)
@guarded(only_if(policy.parts_of))
async def update_ticket(
    ticket_id: PathId,
    body: TicketUpdate,
    session: WriteSession,
    actor: Reader,
    if_match: IfMatch = None,
) -> Response:
    """Change fields of the version one read."""
    values = body.model_dump(exclude_unset=True, exclude={"version"})
    await service.update_ticket(
        session, actor, ticket_id, version=lambda: version_of(ticket_id, body.version, if_match), values=values
    )
    return await read_again(session, actor, ticket_id)


@router.post(
    "/{ticket_id}/submit",
    response_model=TicketRead,
    responses=problems(TicketNotFound, NotYours, ImpossibleTransition, FormNotFilled),
)
async def submit_ticket(ticket_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Send a draft off to its approvers."""
    await service.submit_ticket(session, actor, ticket_id)
    return await read_again(session, actor, ticket_id)


@router.post(
    "/{ticket_id}/transitions",
    response_model=TicketRead,
    responses=problems(TicketNotFound, NotYours, ImpossibleTransition, ReopenTooLate, CommentNeeded, StaleVersion),
)
@guarded(only_if(policy.parts_of))
async def change_status(
    ticket_id: PathId, body: StatusChange, session: WriteSession, actor: Reader, if_match: IfMatch = None
) -> Response:
    """Take one of the transitions that `allowed_actions` offers; with `If-Match`, of that version only."""
    version = _any_version(ticket_id, if_match)
    await service.change_status(
        session, actor, ticket_id, to=Status(body.to), comment=body.comment or "", version=version
    )
    return await read_again(session, actor, ticket_id)


@router.post(
    "/{ticket_id}/assign",
    response_model=TicketRead,
    responses=_OUT_OF_SIGHT | problems(TicketNotFound, NotYours, NotInTeam, TicketIsClosed, StaleVersion),
)
@guarded(only_if(policy.may_assign))
async def assign_ticket(
    ticket_id: PathId, body: Assignment, session: WriteSession, actor: Reader, if_match: IfMatch = None
) -> Response:
    """Give responsibility to a member of the team, back to the team, or to another team; `If-Match` as elsewhere."""
    await assigning.assign_ticket(
        session,
        actor,
        ticket_id,
        assignee_id=body.assignee_id,
        team_id=body.team_id,
        move_team="team_id" in body.model_fields_set and body.team_id is not None,
        version=_any_version(ticket_id, if_match),
    )
    try:
        return await read_again(session, actor, ticket_id)
    except TicketNotFound:  # another team's now, and out of this person's sight
        return Response(status_code=204)


@router.get("/{ticket_id}/approvals", response_model=WorkflowsAnswer, responses=problems(TicketNotFound))
async def ticket_approvals(ticket_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """Who was asked, who said what, and who is asked now; the newest round first."""
    await queries.find_ticket(session, actor, ticket_id)
    return json_response({"items": await workflows_of(session, actor, "ticket", ticket_id)})


@router.get("/{ticket_id}/history", response_model=HistoryPage, responses=problems(TicketNotFound))
async def ticket_history(
    ticket_id: PathId, session: ReadSession, actor: Reader, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Everything that happened, oldest first, from the event log."""
    return json_response(await history.ticket_history(session, actor, ticket_id, cursor=cursor, limit=limit))
