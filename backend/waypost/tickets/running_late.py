"""Telling of time that runs short, and of time that is over: each moment of a clock once, whoever asks and how often.

The tickets are held first and the moments taken then, in a statement of its own: what another worker took in between is
not there any more. What is said, what is kept and what is done about it is one transaction a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.sla import clocks
from waypost.sla.clock_events import SlaBreached, SlaWarned
from waypost.sla.clock_models import SlaClock, SlaTimer
from waypost.sla.firing import Due, said
from waypost.sla.marking import Metric
from waypost.sla.measuring import BREACH, State
from waypost.tickets import escalating
from waypost.tickets.models import Ticket

TASK = "tickets.clocks"
BATCH = 100
_OF = attrgetter("ticket_id", "metric", "team_id")


async def run_due(database: Database) -> int:
    """Say what is to be said now; how many moments had come. What somebody is just changing is said the next time."""
    count = 0
    while True:
        async with database.transaction() as session:
            taken = await _tell_batch(session, now())
        count += taken
        if not taken:
            return count


async def _tell_batch(session: AsyncSession, at: datetime) -> int:
    is_due = (SlaTimer.fired_at.is_(None), SlaTimer.fires_at <= at)
    waiting = select(SlaTimer.ticket_id).where(*is_due).order_by(SlaTimer.fires_at).limit(BATCH)
    held = await session.scalars(
        select(Ticket).where(Ticket.id.in_(waiting)).with_for_update(skip_locked=True, key_share=True)
    )
    tickets = {ticket.id: ticket for ticket in held}
    if not tickets:
        return 0
    taken = await session.execute(
        update(SlaTimer)
        .where(SlaTimer.ticket_id.in_(tickets), *is_due)
        .values(fired_at=at)
        .returning(SlaTimer.ticket_id, SlaTimer.metric, SlaTimer.team_id, SlaTimer.percent, SlaTimer.fires_at)
        .execution_options(synchronize_session=False)
    )
    rows = sorted(taken.all(), key=_OF)
    known = await clocks.clocks_of(session, {row.ticket_id for row in rows})
    by_key = {_OF(clock): clock for of in known.values() for clock in of}
    told: list[tuple[Ticket, SlaClock, Due]] = []
    for key, group in groupby(rows, key=_OF):
        clock = by_key.get(key)
        if clock is None:
            continue
        due = said([Due(row.percent, row.fires_at) for row in group], clock.due_at, clock.breached_at, at)
        if due is not None:
            told.append((tickets[clock.ticket_id], clock, due))
    await _tell(session, told)
    return len(rows)


async def _tell(session: AsyncSession, told: Sequence[tuple[Ticket, SlaClock, Due]]) -> None:
    """Keep the breaches, and record each thing that is said; then have done what the policy wants done about it."""
    late = [clock for _, clock, due in told if due.percent == BREACH and clock.breached_at is None]
    if late:
        await session.execute(
            update(SlaClock)
            .where(tuple_(SlaClock.ticket_id, SlaClock.metric, SlaClock.team_id).in_([_OF(clock) for clock in late]))
            .values(breached_at=SlaClock.due_at)
            .execution_options(synchronize_session=False)
        )
    for ticket, clock, due in told:
        if due.percent == BREACH and clock.metric != Metric.OWN_TIME and clock.run != "STOPPED":
            ticket.sla_state = State.BREACHED.value
    await session.flush()
    plans = await escalating.plans(session, told)
    for (ticket, clock, due), plan in zip(told, plans, strict=True):
        facts: dict[str, Any] = {
            "ticket_id": ticket.id,
            "metric": clock.metric,
            "team_id": clock.team_id,
            "due_at": rfc3339(clock.due_at or clock.breached_at or due.fires_at),
            "policy_id": clock.policy_id,
            "told_ids": plan.told_ids,
            "visibility": _visibility(clock),
        }
        event = SlaBreached(**facts) if due.percent == BREACH else SlaWarned(**facts, percent=due.percent)
        await record(session, event, actor=SYSTEM)
        await escalating.carry_out(session, ticket, clock.metric, due.percent, plan, visibility=_visibility(clock))


def _visibility(clock: SlaClock) -> str:
    """What a team owes another is nobody else's business."""
    return "INTERNAL" if clock.metric == Metric.OWN_TIME else "PUBLIC"
