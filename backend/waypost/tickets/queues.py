"""A team's queue: what waits in it, and taking something out of it. Two who reach for one ticket never both get it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.absences import away_until
from waypost.directory.errors import TeamNotFound
from waypost.directory.models import Team
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.tickets import desk_policy, lifecycle, policy
from waypost.tickets.clock_words import in_short
from waypost.tickets.dispatching import team_state
from waypost.tickets.errors import AlreadyTaken, NothingToClaim, NotInItsTeam, NotWithYou, NotYours, TicketIsClosed
from waypost.tickets.models import UNFINISHED, WORKABLE, Ticket
from waypost.tickets.moving import give
from waypost.tickets.queries import Found, find_ticket

_UNFINISHED, _WORKABLE = text(f"tickets.{UNFINISHED}"), text(f"tickets.{WORKABLE}")
_WORKABLE_STATES = ("APPROVED", "IN_PROGRESS")
_ORDER = (Ticket.urgency.desc(), Ticket.created_at, Ticket.id)  # most urgent first, of those the oldest


async def counts(session: AsyncSession, actor: Actor) -> list[dict[str, Any]]:
    """The teams this person works in (administrators of all work: every team), by name, with what waits. One statement
    when names are known.
    """
    wanted = None if desk_policy.sees_all_queues(actor) else sorted(actor.team_ids)
    if wanted is None:
        wanted = list(await session.scalars(select(Team.id).order_by(Team.id).limit(100)))
    if not wanted:
        return []
    # what is unfinished was sent: of their own teams they see all of it, and a look at each would read it ticket by ticket
    sees_all = policy.way_through(actor, team_ids=wanted) == "sent"
    found = await session.execute(
        select(
            Ticket.team_id,
            Ticket.status,
            func.count().label("n"),
            func.count(Ticket.assignee_id).label("taken"),
            func.count().filter(Ticket.assignee_id == actor.user_id).label("mine"),
            func.count().filter(Ticket.due_date < now()).label("overdue"),
        )
        .where(Ticket.team_id.in_(wanted), _UNFINISHED, true() if sees_all else policy.visible_to(actor))
        .group_by(Ticket.team_id, Ticket.status),
        policy.values(actor),
    )
    words = ("open", "unassigned", "mine", "overdue", "in_review")
    by_team = {i: dict.fromkeys(words, 0) for i in wanted}
    for row in found:
        of = by_team[row.team_id]
        if row.status in _WORKABLE_STATES:
            of["open"] += row.n
            of["unassigned"] += row.n - row.taken
            of["mine"] += row.mine
            of["overdue"] += row.overdue
        else:
            of["in_review"] += row.n
    teams = await names.teams(session, wanted)
    return sorted(
        ({"team": teams[i], "is_mine": i in actor.team_ids, **by_team[i]} for i in wanted if i in teams),
        key=lambda q: (not q["is_mine"], str(q["team"]["name"])),
    )


async def _may_look(session: AsyncSession, actor: Actor, team_id: int) -> None:
    if await session.scalar(select(Team.id).where(Team.id == team_id)) is None:
        raise TeamNotFound
    if not desk_policy.may_look_at_queue(actor, team_id):
        raise NotYours("A queue is for the members of its team.")


async def queue(
    session: AsyncSession, actor: Actor, team_id: int, *, show: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What there is to do in a team, most urgent first, of those the oldest: all, what nobody has, or one's own.

    Raises `TeamNotFound` or `NotYours`.
    """
    await _may_look(session, actor, team_id)
    statement = (
        select(Ticket)
        .where(Ticket.team_id == team_id, _WORKABLE, policy.visible_to(actor))
        .order_by(*_ORDER)
        .limit(limit + 1)
    )
    if show == "unassigned":
        statement = statement.where(Ticket.assignee_id.is_(None))
    elif show == "mine":
        statement = statement.where(Ticket.assignee_id == actor.user_id)
    if cursor:
        urgency, created_at, last = decode_cursor(cursor, f"queue {show}", int, datetime, int)
        statement = statement.where(
            after([(Ticket.urgency, urgency, True), (Ticket.created_at, created_at, False), (Ticket.id, last, False)])
        )
    rows = list((await session.scalars(statement, policy.values(actor))).all())
    page = rows[:limit]
    people = await names.people(session, [i for t in page for i in (t.requester_id, t.assignee_id)])
    items = [
        {
            "id": t.id,
            "ticket_number": t.ticket_number,
            "title": t.title,
            "ticket_type": t.ticket_type,
            "status": t.status,
            "priority": t.priority,
            "requester": people.get(t.requester_id),
            "assignee": people.get(t.assignee_id),
            "due_date": t.due_date and rfc3339(t.due_date),
            "sla": in_short(t),
            "created_at": rfc3339(t.created_at),
            "may_claim": t.assignee_id is None and desk_policy.may_claim_from(actor, team_id),
        }
        for t in page
    ]
    end = page[-1] if len(rows) > limit else None
    following = encode_cursor(f"queue {show}", end.urgency, end.created_at, end.id) if end else None
    return {"items": items, "next_cursor": following}


async def claim(session: AsyncSession, actor: Actor, ticket_id: int) -> Ticket:
    """Take a ticket of one's team that nobody has; taking what one has already changes nothing.

    Raises `NotYours`, `NotInItsTeam`, `TicketIsClosed`, or `AlreadyTaken` naming who has it.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    _check(actor, found)
    ticket = found.ticket
    if ticket.assignee_id == actor.user_id:
        return ticket
    if ticket.assignee_id is not None:
        holder = (await names.people(session, [ticket.assignee_id])).get(ticket.assignee_id)
        raise AlreadyTaken(f"{holder['name'] if holder else 'Somebody else'} has it.", assignee=holder)
    await give(session, actor, ticket, actor.user_id, ticket.team_id, how="claimed")
    return ticket


def _check(actor: Actor, found: Found) -> None:
    if not policy.may_claim(actor, found.facts):
        if policy.may_assign(actor, found.facts):
            raise NotInItsTeam
        raise NotYours
    if found.facts.status not in lifecycle.ASSIGNABLE:
        raise TicketIsClosed(f"A ticket that is {found.facts.status} is not claimed.")


async def claim_next(session: AsyncSession, actor: Actor, team_id: int) -> Ticket:
    """Take the most urgent ticket nobody has, of those the oldest. Who else asks now gets the one after it.

    Raises `TeamNotFound`, `NotYours` or `NothingToClaim`.
    """
    await _may_look(session, actor, team_id)
    if not desk_policy.may_claim_from(actor, team_id):
        raise NotYours("Only a member of the team can claim from its queue.")
    statement = (
        select(Ticket)
        .where(Ticket.team_id == team_id, _WORKABLE, Ticket.assignee_id.is_(None), policy.visible_to(actor))
        .order_by(*_ORDER)
        .limit(1)
        .with_for_update(of=Ticket, key_share=True, skip_locked=True)
    )
    ticket: Ticket | None = await session.scalar(statement, policy.values(actor))
    if ticket is None:
        raise NothingToClaim
    await give(session, actor, ticket, actor.user_id, team_id, how="claimed")
    return ticket


async def release(session: AsyncSession, actor: Actor, ticket_id: int) -> Ticket:
    """Give back what one has to the team's queue. Raises `NotYours`, `NotInItsTeam`, `TicketIsClosed` or `NotWithYou`."""
    found = await find_ticket(session, actor, ticket_id, lock=True)
    _check(actor, found)
    if found.ticket.assignee_id != actor.user_id:
        raise NotWithYou
    await give(session, actor, found.ticket, None, found.ticket.team_id, how="released")
    return found.ticket


async def assignees(session: AsyncSession, actor: Actor, ticket_id: int) -> list[dict[str, Any]]:
    """The active members of the ticket's team, by name: how many open tickets each has, and until when one is away.

    Raises `NotYours` for who may not give it to anybody.
    """
    found = await find_ticket(session, actor, ticket_id)
    if not policy.may_assign(actor, found.facts):
        raise NotYours
    members = await team_state(session, found.ticket.team_id)
    people = await names.people(session, [m.user_id for m in members])
    away = await away_until(session, [m.user_id for m in members if m.is_away], now())
    told = [
        people[m.user_id]
        | {"open_tickets": m.load, "away_until": rfc3339(away[m.user_id]) if m.user_id in away else None}
        for m in members
        if m.user_id in people
    ]
    return sorted(told, key=lambda p: str(p["name"]))
