"""What happens next by itself while a step is not answered, and at what instant: the timer as people read it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from waypost.approvals.models import ApprovalStage, ApprovalStep
from waypost.approvals.states import ASKED, Ladder
from waypost.kernel.clock import rfc3339

_ASKED = frozenset(s.value for s in ASKED)


class Next(StrEnum):
    """The word for it. Nothing is ever approved by time."""

    REMIND = "REMIND"
    ASK_FURTHER = "ASK_FURTHER"
    ASK_ADMINISTRATORS = "ASK_ADMINISTRATORS"
    REJECT = "REJECT"


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
