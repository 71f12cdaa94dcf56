"""Watching tickets: being told what the requester is told. The team may let in somebody who does not see the ticket."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.kernel.clock import now
from waypost.kernel.events import Doer, record
from waypost.tickets import events, policy
from waypost.tickets.errors import NoSuchPerson, NotYours, TooManyWatchers
from waypost.tickets.lifecycle import Part
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.working_models import TicketWatcher

MOST_WATCHERS = 100


def may_choose_watchers(actor: Actor, facts: policy.TicketFacts) -> bool:
    """Whether they may let others in, and take them off: the team that works on it."""
    return Part.FULFILLER in policy.parts_of(actor, facts)


def may_watch(actor: Actor, facts: policy.TicketFacts) -> bool:
    """Whether they may be told of what happens on a ticket they see: all who do more than read."""
    return policy.takes_part(actor)


async def watch(session: AsyncSession, actor: Actor, ticket_id: int, user_id: int) -> None:
    """Let somebody be told from now on; whom the team adds sees the ticket from then on as well. Twice is once.

    Raises `NotYours` when who asks only reads, or it is somebody else and not the team that asks;
    `NoSuchPerson`, `TooManyWatchers`.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    by_team = may_choose_watchers(actor, found.facts)
    if not may_watch(actor, found.facts):
        raise NotYours
    if user_id != actor.user_id:
        if not by_team:
            raise NotYours
        reader = await actor_of_user(session, user_id)
        if reader is None or not reader.may(Permission.TICKETS_READ):
            raise NoSuchPerson
    await add_watcher(session, actor, found, user_id, gives_sight=user_id != actor.user_id)


async def add_watcher(session: AsyncSession, actor: Doer, found: Found, user_id: int, *, gives_sight: bool) -> None:
    """Write a watcher down and record it, unless they watch in the same way already. The caller holds the lock."""
    ticket = found.ticket
    row = await session.get(TicketWatcher, (ticket.id, user_id))
    if row is not None and (row.gives_sight or not gives_sight):
        return
    count = select(func.count()).select_from(TicketWatcher).where(TicketWatcher.ticket_id == ticket.id)
    if row is None and (await session.scalar(count) or 0) >= MOST_WATCHERS:
        raise TooManyWatchers
    at = now()
    added = {"gives_sight": gives_sight, "added_by_id": actor.person_id or user_id}
    await session.execute(
        insert(TicketWatcher)
        .values(ticket_id=ticket.id, user_id=user_id, created_at=at, **added)
        .on_conflict_do_update(index_elements=["ticket_id", "user_id"], set_=added)
    )
    await record(
        session,
        events.WatcherAdded(ticket_id=ticket.id, user_id=user_id, gives_sight=gives_sight),
        actor=actor,
        at=at,
    )


async def unwatch(session: AsyncSession, actor: Actor, ticket_id: int, user_id: int) -> None:
    """Let somebody not be told any more. One's own watching ends always, even of what one does not see any more."""
    if user_id != actor.user_id:
        found = await find_ticket(session, actor, ticket_id, lock=True)
        if not may_choose_watchers(actor, found.facts):
            raise NotYours
    gone = delete(TicketWatcher).where(TicketWatcher.ticket_id == ticket_id, TicketWatcher.user_id == user_id)
    if (await session.execute(gone.returning(TicketWatcher.user_id))).first() is not None:
        await record(session, events.WatcherRemoved(ticket_id=ticket_id, user_id=user_id), actor=actor)


async def watchers_of(session: AsyncSession, ticket_id: int) -> list[int]:
    """The ids of those who are told, for who tells them; applies no permission."""
    rows = await session.scalars(select(TicketWatcher.user_id).where(TicketWatcher.ticket_id == ticket_id))
    return list(rows)
