"""What happens by itself: reminders, somebody further up, the end. Each due step in a transaction of its own.

The instant stands in `approval_steps.timer_at`; the engine decides what is due and moves it on, so that a second worker
that comes to the same step finds nothing to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import engine
from waypost.approvals.climbing import ways_up
from waypost.approvals.models import ApprovalStep
from waypost.approvals.rows import Running, keep, load
from waypost.approvals.states import ASKED, Receiver
from waypost.approvals.subject import room_of
from waypost.approvals.working import with_hours
from waypost.kernel.clock import now
from waypost.kernel.db import Database, is_busy
from waypost.kernel.events import SYSTEM

TASK = "approvals.timers"
BATCH = 100
LONGEST_RUN = 20.0  # seconds after which other work has its turn
PATIENCE = "250ms"  # for a subject that somebody is just changing
AGAIN_AFTER = timedelta(minutes=10)
_log = logging.getLogger(__name__)


async def run_due(database: Database) -> bool:
    """Do what is due now, oldest first, for `LONGEST_RUN` at most; whether there may be more.

    A step whose subject somebody is just changing stays due. One that fails is tried again after `AGAIN_AFTER`. Neither
    ever stands in the way of others.
    """
    ends = time.monotonic() + LONGEST_RUN
    at, last = now(), None
    while due := await _due(database, at, last):
        for row in due:
            await _fire(database, row)
            if time.monotonic() > ends:
                return True
        last = due[-1]
    return False


async def _due(database: Database, at: datetime, last: Any) -> Sequence[Any]:
    """The next steps behind `last` for which something is due."""
    s = ApprovalStep
    wanted = select(s.id, s.timer_at, s.subject_type, s.subject_id, s.workflow_id).where(s.timer_at <= at)
    if last is not None:
        wanted = wanted.where(tuple_(s.timer_at, s.id) > tuple_(last.timer_at, last.id))
    async with database.read() as session:
        return (await session.execute(wanted.order_by(s.timer_at, s.id).limit(BATCH))).all()


async def _fire(database: Database, due: Any) -> None:
    try:
        async with database.transaction() as session:
            await session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
            await room_of(due.subject_type).lock(session, due.subject_id)
            await _on_time(session, await load(session, due.workflow_id, lock=True), due.id, now())
    except Exception as error:
        if is_busy(error):
            _log.info("the timer of an approval step waits for somebody", extra={"step_id": due.id})
            return
        _log.exception("the timer of an approval step failed", extra={"step_id": due.id})
        try:
            await _postpone(database, due)
        except Exception:  # the next run comes to it again, after all others
            _log.exception("the timer of an approval step could not be put off", extra={"step_id": due.id})


async def _postpone(database: Database, due: Any) -> None:
    """Unless somebody has moved it since."""
    async with database.transaction() as session:
        later = update(ApprovalStep).where(ApprovalStep.id == due.id, ApprovalStep.timer_at == due.timer_at)
        await session.execute(later.values(timer_at=now() + AGAIN_AFTER))


async def _on_time(session: AsyncSession, running: Running, step_id: int, at: datetime) -> None:
    row = running.steps[step_id]
    if row.timer_at is None or row.timer_at > at:
        return
    if row.status not in {s.value for s in ASKED} or running.row.ended_at is not None:
        row.timer_at = None  # it ended before there were ladders
        await session.flush()
        return
    stage, step = running.state.find(step_id)
    above: list[Receiver] = []
    administrators: list[Receiver] = []
    if not stage.ladder.reminds(step):
        ways = await ways_up(session, running.row, running.state, [step_id])
        above, administrators = ways.of(running.state, step_id)
    state = await with_hours(session, running.state, (r.person for r in (*above, *administrators)))
    after, effects = engine.on_time(state, step_id, above, administrators, at)
    await keep(session, SYSTEM, running, after, effects, at, urgency=row.urgency)
