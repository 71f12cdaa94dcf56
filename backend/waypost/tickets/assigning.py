"""Giving a ticket to a person and a team, and giving it back."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import Team, TeamMember, User
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import Doer
from waypost.tickets import lifecycle, policy
from waypost.tickets.conflicts import check_version
from waypost.tickets.errors import ChangedSince, NotInTeam, NotYours, TicketIsClosed, TicketNotFound
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.moving import give
from waypost.tickets.queries import Found, any_ticket, find_ticket


async def assign_ticket(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    *,
    assignee_id: int | None,
    team_id: int | None,
    move_team: bool,
    version: int | None = None,
) -> Ticket:
    """Give responsibility to a member of the ticket's team, to nobody, or (`move_team`) to another team.

    Raises `NotYours`, `TicketIsClosed`, `NotInTeam`, or names an unknown team.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    if not policy.may_assign(actor, found.facts):
        raise NotYours
    await check_version(session, found.ticket, version)
    return await place(session, actor, found, assignee_id, team_id if move_team else found.ticket.team_id)


async def give_back(
    session: AsyncSession, actor: Actor, ticket_id: int, *, version: int, assignee_id: int | None, team_id: int | None
) -> Ticket:
    """Undo their own assignment: give it to whom it was with before, unless somebody changed it since.

    Asked is what they may do with it as it was before: whoever gave it to another team may not see it any more, and may
    still take that back. Raises `TicketNotFound`, `ChangedSince`, and what `assign_ticket` raises.
    """
    found = await any_ticket(session, ticket_id, lock=True)
    before = replace(found.facts, team_id=team_id, assignee_id=assignee_id)
    if not (
        policy.may_read(actor, found.facts) or (found.ticket.version == version and policy.may_read(actor, before))
    ):
        raise TicketNotFound
    if found.ticket.version != version:
        raise ChangedSince
    if not policy.may_assign(actor, before):
        raise NotYours
    return await place(session, actor, found, assignee_id, team_id)


async def place(
    session: AsyncSession,
    actor: Doer,
    found: Found,
    assignee_id: int | None,
    new_team: int | None,
    *,
    how: str = "",
    why: str = "",
) -> Ticket:
    """Give it to this person and team, when the two fit; the ticket is locked, and somebody has said that it may be.

    Raises `TicketIsClosed`, `NotInTeam`, or names an unknown team.
    """
    ticket = found.ticket
    await check_place(session, ticket, assignee_id, new_team)
    if (ticket.assignee_id, ticket.team_id) == (assignee_id, new_team):
        return ticket
    await give(session, actor, ticket, assignee_id, new_team, how=how, why=why)
    return ticket


async def check_place(session: AsyncSession, ticket: Ticket, assignee_id: int | None, new_team: int | None) -> None:
    """Raises `TicketIsClosed`, `NotInTeam`, or names an unknown team."""
    if Status(ticket.status) not in lifecycle.ASSIGNABLE:
        raise TicketIsClosed(f"A ticket that is {ticket.status} is not assigned.")
    moves = new_team is not None and new_team != ticket.team_id
    if moves and await session.scalar(select(Team.id).where(Team.id == new_team)) is None:
        raise Invalid(errors=(FieldError("/team_id", "there is no such team"),))
    if assignee_id is not None:
        member = (
            select(User.id)
            .join(TeamMember, TeamMember.user_id == User.id)
            .where(User.id == assignee_id, User.is_active, TeamMember.team_id == new_team)
        )
        if await session.scalar(member) is None:
            raise NotInTeam
