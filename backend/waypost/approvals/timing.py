"""What happens by itself: reminders, somebody further up, the end. Each due step in a transaction of its own.

The instant stands in `approval_steps.timer_at`; the engine decides what is due and moves it on, so that a second worker
that comes to the same step finds nothing to do.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import engine
from waypost.approvals.climbing import ways_up
from waypost.approvals.models import ApprovalStep
from waypost.approvals.rows import Running, keep, load
from waypost.approvals.states import ASKED
from waypost.approvals.subject import room_of
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM

TASK = "approvals.timers"
BATCH = 100
AGAIN_AFTER = timedelta(minutes=10)
_log = logging.getLogger(__name__)


async def run_due(database: Database) -> int:
    """Do what is due now, oldest first, at most `BATCH` steps; how many there were.

    A step that fails is tried again after `AGAIN_AFTER`, so that it never stands in the way of others.
    """
    async with database.transaction() as session:
        due = (
            await session.execute(
                select(ApprovalStep.id, ApprovalStep.subject_type, ApprovalStep.subject_id, ApprovalStep.workflow_id)
                .where(ApprovalStep.timer_at <= now())
                .order_by(ApprovalStep.timer_at, ApprovalStep.id)
                .limit(BATCH)
            )
        ).all()
    for step_id, subject_type, subject_id, workflow_id in due:
        try:
            async with database.transaction() as session:
                await room_of(subject_type).lock(session, subject_id)
                await _on_time(session, await load(session, workflow_id, lock=True), step_id, now())
        except Exception:
            _log.exception("the timer of an approval step failed", extra={"step_id": step_id})
            async with database.transaction() as session:
                later = update(ApprovalStep).where(ApprovalStep.id == step_id, ApprovalStep.timer_at.is_not(None))
                await session.execute(later.values(timer_at=now() + AGAIN_AFTER))
    return len(due)


async def _on_time(session: AsyncSession, running: Running, step_id: int, at: datetime) -> None:
    row = running.steps[step_id]
    if row.timer_at is None or row.timer_at > at:
        return
    if row.status not in {s.value for s in ASKED} or running.row.ended_at is not None:
        row.timer_at = None  # it ended before there were ladders
        await session.flush()
        return
    ways = await ways_up(session, running.row, running.state, [step_id])
    above, administrators = ways.of(running.state, step_id)
    after, effects = engine.on_time(running.state, step_id, above, administrators, at)
    await keep(session, SYSTEM, running, after, effects, at, urgency=row.urgency)
