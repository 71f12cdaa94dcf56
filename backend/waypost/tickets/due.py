"""Telling those who work on a request that its time runs short, and that it is over.

A request is at risk once three quarters of the time from its submission to its due date have passed, but not earlier than
`EARLIEST` before it; it is late when the due date has come. Each is said once for a due date: one that is moved is looked
at anew. While somebody is asked for information the clock is not theirs who work on it, and nothing is said; nor is a
warning once it is late. Told are the assignee, or the team's leads while nobody is assigned; the leads hear of what is
late in either case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.membership import leads_of
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.tickets.events import TicketDueSoon, TicketOverdue
from waypost.tickets.models import UNTOLD_LATE, UNWARNED, Ticket

TASK = "tickets.due"
EARLIEST = timedelta(days=3)
BATCH = 200


async def run_due(database: Database) -> int:
    """Say what is to be said now; how many there were. What somebody is just changing is said the next time."""
    told = 0
    for is_late in (True, False):
        while True:
            async with database.transaction() as session:
                rows = await _take(session, now(), is_late=is_late)
                await _tell(session, rows, is_late=is_late)
            told += len(rows)
            if len(rows) < BATCH:
                break
    return told


async def _take(session: AsyncSession, at: datetime, *, is_late: bool) -> Sequence[Ticket]:
    """Those of whom something is to be said, held, and marked as said."""
    wanted = (
        (text(UNTOLD_LATE), Ticket.due_date <= at)
        if is_late
        else (
            text(UNWARNED),
            Ticket.due_date > at,
            Ticket.due_date <= at + EARLIEST,
            # what is over is three times what is left
            text("CAST(:at AS timestamptz) - submitted_at >= 3 * (due_date - CAST(:at AS timestamptz))").bindparams(
                at=at
            ),
        )
    )
    rows = list(
        await session.scalars(
            select(Ticket).where(*wanted).order_by(Ticket.due_date).limit(BATCH).with_for_update(skip_locked=True)
        )
    )
    if rows:
        mark = {"late_told_for": Ticket.due_date} if is_late else {"warned_for": Ticket.due_date}
        await session.execute(
            update(Ticket)
            .where(Ticket.id.in_([row.id for row in rows]))
            .values(**mark)
            .execution_options(synchronize_session=False)
        )
    return rows


async def _tell(session: AsyncSession, rows: Sequence[Ticket], *, is_late: bool) -> None:
    leads = await leads_of(session, {row.team_id for row in rows if row.team_id is not None})
    for row in rows:
        of_team = leads.get(row.team_id or 0, [])
        own = [row.assignee_id] if row.assignee_id is not None else []
        told = tuple(dict.fromkeys([*own, *of_team] if is_late or not own else own))
        kind = TicketOverdue if is_late else TicketDueSoon
        due = rfc3339(row.due_date) if row.due_date else ""
        await record(session, kind(ticket_id=row.id, due_date=due, told_ids=told), actor=SYSTEM)
