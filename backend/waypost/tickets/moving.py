"""Taking a ticket along an edge that has been decided: the row, its version, and the one event that says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.membership import work_came
from waypost.kernel.clock import now
from waypost.kernel.events import Doer, record
from waypost.tickets import events
from waypost.tickets.lifecycle import Status, Step
from waypost.tickets.models import Ticket

_EVENT: dict[Step, type[events.StatusChanged]] = {
    Step.SUBMIT: events.TicketSubmitted,
    Step.START_REVIEW: events.ReviewStarted,
    Step.APPROVE: events.TicketApproved,
    Step.REJECT: events.TicketRejected,
    Step.ASK: events.InfoRequested,
    Step.ANSWER: events.InfoProvided,
    Step.WITHDRAW: events.TicketWithdrawn,
    Step.DISCARD: events.TicketClosed,
    Step.START: events.WorkStarted,
    Step.COMPLETE: events.TicketCompleted,
    Step.REOPEN: events.TicketReopened,
    Step.CLOSE: events.TicketClosed,
    Step.MERGE: events.TicketMerged,
}


def touch(ticket: Ticket) -> datetime:
    """Give the ticket its next version; returns the instant of the change (UTC)."""
    at = now()
    ticket.version += 1
    ticket.updated_at = at
    return at


def bar(ticket: Ticket, person_id: int) -> None:
    """Keep that this person changed what is judged: they do not decide it, in this round or a later one."""
    if person_id not in ticket.edited_by_ids:
        ticket.edited_by_ids = [*ticket.edited_by_ids, person_id]


async def apply_step(
    session: AsyncSession, actor: Doer, ticket: Ticket, step: Step, to: Status, *, comment: str = "", **facts: Any
) -> None:
    """Move the ticket along an edge that has been decided, and record it."""
    old = ticket.status
    at = touch(ticket)
    ticket.status = to.value
    if step is Step.COMPLETE:
        ticket.completed_at = at
    elif step is Step.REOPEN:
        ticket.completed_at = None
    if to is Status.CLOSED:
        ticket.closed_at = at
    await session.flush()
    await record(
        session,
        _EVENT[step](
            ticket_id=ticket.id,
            ticket_version=ticket.version,
            old_status=old,
            new_status=to.value,
            comment=comment,
            **facts,
        ),
        actor=actor,
        at=at,
    )


async def give(
    session: AsyncSession,
    actor: Doer,
    ticket: Ticket,
    assignee_id: int | None,
    team_id: int | None,
    *,
    how: str = "",
    why: str = "",
) -> None:
    """Move responsibility to where it has been decided, and record it."""
    old_assignee, old_team = ticket.assignee_id, ticket.team_id
    ticket.assignee_id, ticket.team_id = assignee_id, team_id
    at = touch(ticket)
    await session.flush()
    await work_came(session, team_id, assignee_id, at)
    await record(
        session,
        events.TicketAssigned(
            ticket_id=ticket.id,
            ticket_version=ticket.version,
            old_assignee_id=old_assignee,
            new_assignee_id=assignee_id,
            old_team_id=old_team,
            new_team_id=team_id,
            how=how,
            why=why,
        ),
        actor=actor,
        at=at,
    )
