"""What happens by itself: reminders, somebody further up, the end. Each due step in a transaction of its own.

The instant stands in `approval_steps.timer_at`; the engine decides what is due and moves it on, so that a second worker
that comes to the same step finds nothing to do.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import engine, states
from waypost.approvals.definition import Approver, ApproverKind
from waypost.approvals.definitions import chosen_version
from waypost.approvals.finding import ADMINISTRATORS, candidates, nearest_above
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.rows import Running, keep, load
from waypost.approvals.states import ASKED, Receiver
from waypost.approvals.subject import Subject, room_of
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM

TASK = "approvals.timers"
BATCH = 100
AGAIN_AFTER = timedelta(minutes=10)
_NEXT_MANAGER = Approver(ApproverKind.NEXT_MANAGER)
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
    above, administrators = await _receivers(session, running, step_id)
    after, effects = engine.on_time(running.state, step_id, above, administrators, at)
    await keep(session, SYSTEM, running, after, effects, at, urgency=row.urgency)


async def _receivers(session: AsyncSession, running: Running, step_id: int) -> tuple[list[Receiver], list[Receiver]]:
    """Who is asked further up when this step is not answered, and the administrators."""
    stage, step = running.state.find(step_id)
    row = running.row
    keeps = await chosen_version(session, row.definition_id, row.definition_version)
    is_emergency = not stage.ladder.after  # what a definition says is a minute at least
    known = len(keeps.definition.stages) >= stage.position > 0
    rule = keeps.definition.stages[stage.position - 1].escalation.to if known and not is_emergency else _NEXT_MANAGER
    if rule.kind is ApproverKind.NEXT_MANAGER:
        above = await _next_managers(session, running, step)
        [admins] = await candidates(session, [(ADMINISTRATORS,)], subject_of(row))
    else:
        found, admins = await candidates(session, [(rule,), (ADMINISTRATORS,)], subject_of(row))
        above = [Receiver(c.person, f"{c.why}: nobody answered in time") for c in found if c.is_able]
    return above, [Receiver(c.person, f"{c.why}: nobody answered in time") for c in admins if c.is_able]


async def _next_managers(session: AsyncSession, running: Running, step: states.Step) -> list[Receiver]:
    boss = await nearest_above(session, running.state, step)
    return [] if boss is None else [Receiver(boss, "next in line, because nobody answered in time")]


def subject_of(row: ApprovalWorkflow) -> Subject:
    """The subject as finding people needs it: as it stood when it was asked for or last edited."""
    return Subject(
        type=row.subject_type,
        id=row.subject_id,
        round=row.round,
        requester_id=row.subject["requester_id"],
        department_id=row.subject["department_id"],
        urgency=1,
        facts={},
        custom_fields=row.subject.get("custom_fields", {}),
        shown=row.subject,
        barred=frozenset(row.barred_ids),
    )
