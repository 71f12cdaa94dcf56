"""Keeping the clocks of tickets: what changed in a transaction is measured once, at its end, from the tickets' own log.

Nothing is counted up: each time the whole story of a ticket is read (a few lines of one index) and measured anew, so what
is kept is always what anybody finds who begins with the log (`rebuild`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.db import Database, before_commit
from waypost.kernel.events import SYSTEM, Doer, EventRow, record
from waypost.sla import clocks
from waypost.sla.clock_events import SlaAttached
from waypost.sla.clock_models import ACTIVE, SlaClock
from waypost.sla.measuring import Clock, Deal, Story, measure, summary
from waypost.sla.models import SlaPolicy
from waypost.tickets import events
from waypost.tickets.clock_words import NO_TARGET
from waypost.tickets.fields import record_of
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.stories import MOVES, TYPES, Line, Told, told

_WAITING = "clocks_to_measure"
# After these another policy may hold for the ticket; every other change leaves it with the one it has.
_CHOOSING = (events.TicketSubmitted, events.TicketUpdated, events.TicketRouted, events.TicketAssigned)
CHANGES = (*MOVES, *(e for e in _CHOOSING if e not in MOVES), events.CommentAdded)
_OVER = frozenset({Status.REJECTED, Status.COMPLETED, Status.CLOSED})
BATCH = 200


async def on_change(session: AsyncSession, event: events.TicketEvent, actor: Doer) -> None:
    """Remember, until the transaction ends, that this ticket's clocks are to be measured."""
    del actor
    if isinstance(event, events.CommentAdded) and event.visibility != "PUBLIC":
        return
    waiting: dict[int, bool] = session.info.setdefault(_WAITING, {})
    waiting[event.ticket_id] = waiting.get(event.ticket_id, False) or isinstance(event, _CHOOSING)
    before_commit(session, _measure_waiting)


async def _measure_waiting(session: AsyncSession) -> None:
    waiting: dict[int, bool] = session.info.pop(_WAITING, {})
    tickets = [ticket for i in waiting if (ticket := await session.get(Ticket, i)) is not None]
    await measure_tickets(session, tickets, now(), choosing=frozenset(i for i, chooses in waiting.items() if chooses))


@dataclass(frozen=True, slots=True)
class Measured:
    """A ticket with its clocks as they are. `holds` is what is agreed for it from now on, None for nothing any more."""

    ticket: Ticket
    clocks: list[Clock]
    holds: Deal | None
    is_attached: bool  # whether that is something else than before


async def measure_tickets(
    session: AsyncSession, tickets: Sequence[Ticket], at: datetime, *, choosing: Collection[int] = (), why: str = ""
) -> list[Measured]:
    """Measure the clocks of these tickets, which are locked; of the `choosing` ones it is asked which policy holds.

    `why` is given when an administrator has the newest versions applied: then a newer version of the same policy counts
    as another one.
    """
    found = await look(session, tickets, at, choosing=choosing, is_newest=bool(why))
    for one in found:
        if one.is_attached:
            await _attach(session, one.ticket.id, one.holds, at, why)
    if found:
        await clocks.write(session, {one.ticket.id: one.clocks for one in found}, at)
    for ticket, due, word in ((one.ticket, *_in_short(one)) for one in found):
        if (ticket.sla_due_at, ticket.sla_state) != (due, word):
            ticket.sla_due_at, ticket.sla_state = due, word
    await session.flush()
    return found


async def look(
    session: AsyncSession,
    tickets: Sequence[Ticket],
    at: datetime,
    *,
    choosing: Collection[int] = (),
    is_newest: bool = False,
    ahead: Sequence[Line] = (),
) -> list[Measured]:
    """What `measure_tickets` finds, of those tickets that have clocks or get some. Nothing is written.

    `ahead` is what is taken as having happened to each of them after all its log says.
    """
    chosen: dict[int, Deal | None] = {}
    for ticket in tickets:
        if ticket.id in choosing and ticket.submitted_at is not None and Status(ticket.status) not in _OVER:
            chosen[ticket.id] = await clocks.chosen(session, record_of(ticket))
    asked = [t for t in tickets if t.sla_state is not None or chosen.get(t.id) is not None]
    if not asked:
        return []
    stories = await stories_of(session, asked, ahead)
    attached: dict[int, Deal | None] = {}
    for ticket_id in chosen.keys() & stories.keys():
        pins, deal = stories[ticket_id].pins, chosen[ticket_id]
        pin = pins[-1][1] if pins else None
        is_other = (deal and deal.policy.id) != (pin and pin[0])
        if is_other or (is_newest and deal is not None and clocks.pin_of(deal) != pin):
            pins.append((at, None if deal is None else clocks.pin_of(deal)))
            attached[ticket_id] = deal
    deals = await clocks.agreed(session, {pin for s in stories.values() for _, pin in s.pins if pin is not None})
    found = []
    for ticket in asked:
        story = stories[ticket.id]
        since = tuple((since, deals.get(pin) if pin is not None else None) for since, pin in story.pins)
        made = measure(Story(tuple(story.happenings), tuple(story.priorities), since), at)
        found.append(Measured(ticket, made, since[-1][1] if since else None, ticket.id in attached))
    return found


async def foresee(session: AsyncSession, ticket: Ticket) -> None:
    """Say on `ticket`, which is nobody's row, how its service level would stand had it been sent just now, into review."""
    at = now()
    moves = ((events.TicketSubmitted, Status.SUBMITTED), (events.ReviewStarted, Status.IN_REVIEW))
    sent = [
        Line(events.TicketUpdated.type, {"changes": {"priority": [None, ticket.priority]}}, at, None),
        *(Line(move.type, {"new_status": status.value}, at, None) for move, status in moves),
    ]
    found = await look(session, [ticket], at, choosing={ticket.id}, ahead=sent)
    ticket.sla_due_at, ticket.sla_state = _in_short(found[0]) if found else (None, None)


async def stories_of(session: AsyncSession, tickets: Sequence[Ticket], ahead: Sequence[Line] = ()) -> dict[int, Told]:
    """What the log says of each of these tickets, and what is `ahead`."""
    lines = await _log(session, [t.id for t in tickets])
    return {
        t.id: told([*lines[t.id], *ahead], requester_id=t.requester_id, team_id=t.team_id, priority=t.priority)
        for t in tickets
    }


def _in_short(one: Measured) -> tuple[datetime | None, str | None]:
    due, state = summary(one.clocks)
    return due, state.value if state else NO_TARGET if one.holds is not None else None


async def _attach(session: AsyncSession, ticket_id: int, deal: Deal | None, at: datetime, why: str) -> None:
    await record(
        session,
        SlaAttached(
            ticket_id=ticket_id,
            policy_id=deal.policy.id if deal else None,
            policy_version=deal.policy.version if deal else None,
            policy_name=deal.policy.name if deal else "",
            calendar_id=deal.calendar.id if deal else None,
            calendar_version=deal.calendar.version if deal else None,
            why=why,
        ),
        actor=SYSTEM,
        at=at,
    )


async def _log(session: AsyncSession, ticket_ids: Sequence[int]) -> Mapping[int, list[Line]]:
    """What clocks go by in the log of these tickets, oldest first. One statement, over one index."""
    found: dict[int, list[Line]] = {ticket_id: [] for ticket_id in ticket_ids}
    rows = await session.execute(
        select(EventRow.object_id, EventRow.type, EventRow.data, EventRow.at, EventRow.actor_id)
        .where(
            EventRow.object_type == "ticket",
            EventRow.object_id.in_(ticket_ids),
            EventRow.type.in_(TYPES),
            or_(EventRow.type != events.TicketUpdated.type, EventRow.data["changes"].has_key("priority")),
        )
        .order_by(EventRow.id)
    )
    for ticket_id, type_, data, at, actor_id in rows:
        found[ticket_id].append(Line(type_, data, at, actor_id))
    return found


# --- many at once -----------------------------------------------------------------------------------------------------


async def rebuild(database: Database) -> int:
    """Measure every ticket that has clocks anew, from the log; how many there were. Work goes on meanwhile."""
    count = last = 0
    while True:
        async with database.transaction() as session:
            wanted = select(Ticket).where(Ticket.sla_state.is_not(None), Ticket.id > last)
            tickets = await held(session, wanted)
            await measure_tickets(session, tickets, now())
        if not tickets:
            return count
        count, last = count + len(tickets), tickets[-1].id


async def held(session: AsyncSession, wanted: Any) -> list[Ticket]:
    statement = wanted.order_by(Ticket.id).limit(BATCH).with_for_update(key_share=True)
    return list((await session.scalars(statement)).all())


async def next_running(session: AsyncSession, policy_ids: Sequence[int], after: int, most: int = BATCH) -> list[int]:
    """The next tickets, by id, with a clock by one of these policies that is not over: a short walk of one index each."""
    walks = [
        select(SlaClock.ticket_id)
        .where(SlaClock.policy_id == policy_id, text(ACTIVE), SlaClock.ticket_id > after)
        .distinct()
        .order_by(SlaClock.ticket_id)
        .limit(most)
        for policy_id in policy_ids
    ]
    return sorted({i for walk in walks for i in await session.scalars(walk)})[:most]


async def apply_newest(database: Database, name: str, why: str) -> int | None:
    """Have the running tickets of the policy of this name go by what holds now, over their whole time; how many there
    were, None when there is no such policy. Tickets are taken by batches, each in one transaction.
    """
    async with database.read() as session:
        policy_ids = list(await session.scalars(select(SlaPolicy.id).where(SlaPolicy.name == name)))
    if not policy_ids:
        return None
    count, last = 0, 0
    while True:
        async with database.transaction() as session:
            ids = await next_running(session, policy_ids, last)
            tickets = await held(session, select(Ticket).where(Ticket.id.in_(ids)))
            await measure_tickets(session, tickets, now(), choosing=frozenset(ids), why=why)
        if not ids:
            return count
        count, last = count + len(tickets), ids[-1]
