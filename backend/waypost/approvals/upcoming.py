"""What happens next by itself while a step is not answered, and at what instant: the timer as people read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.climbing import ways_up
from waypost.approvals.foretelling import Ahead, Next, foretell
from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.states import ASKED, Ladder, State
from waypost.approvals.working import with_hours
from waypost.kernel.clock import rfc3339

_ASKED = frozenset(s.value for s in ASKED)


def next_of(step: ApprovalStep, stage: ApprovalStage) -> dict[str, Any] | None:
    """`{at, what}`; None while nothing is due: it is answered, not asked yet, or waits for the requester."""
    if step.timer_at is None or step.status not in _ASKED:
        return None
    kept = stage.ladder or {}
    reminders = len(kept.get("remind_before", Ladder().remind_before))
    what = Next.REJECT if kept.get("rejects", Ladder().rejects) else Next.ASK_ADMINISTRATORS
    if step.climbs < kept.get("repeat", Ladder().repeat):
        what = Next.ASK_FURTHER
    if not step.climbs and step.reminders < reminders:
        what = Next.REMIND
    return {"at": rfc3339(step.timer_at), "what": what.value}


async def ahead_of(session: AsyncSession, row: ApprovalWorkflow, state: State) -> list[Ahead]:
    """Everything that happens by itself in a running workflow if nobody answers, to its end. Nothing is written."""
    timed = [s.id for s in state.asked() if s.timer_at is not None]
    if not timed:
        return []
    ways = await ways_up(session, row, state, timed)
    return foretell(await with_hours(session, state, ways.people), ways.of)
