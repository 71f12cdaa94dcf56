"""That somebody who is asked has seen it: noted once, when the request first stands on their screen."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals import service
from waypost.approvals.events import ApprovalSeen
from waypost.approvals.models import ApprovalStep
from waypost.approvals.states import ASKED
from waypost.kernel.clock import now
from waypost.kernel.events import record


async def note_seen(session: AsyncSession, actor: Actor, step_id: int) -> None:
    """Note it, unless it was noted before or there is nothing to decide any more.

    Raises `StepNotFound`, `Forbidden` or `NotAsked`.
    """
    running = await service.check_asked(session, actor, step_id)
    at = now()
    first = (
        update(ApprovalStep)
        .where(
            ApprovalStep.id == step_id,
            ApprovalStep.seen_at.is_(None),
            ApprovalStep.status.in_([s.value for s in sorted(ASKED)]),
        )
        .values(seen_at=at)
        .execution_options(synchronize_session=False)
        .returning(ApprovalStep.id)
    )
    if await session.scalar(first) is None:
        return
    stage, step = running.state.find(step_id)
    row = running.row
    seen = ApprovalSeen(
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        workflow_id=row.id,
        step_id=step_id,
        stage_name=stage.name,
        approver_id=step.approver,
        for_id=None if step.approver == actor.user_id else step.approver,
    )
    await record(session, seen, actor=actor, at=at)
