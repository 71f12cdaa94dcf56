"""What a subject's approval is to one person: what they are asked, were asked or will be, and for whom they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.policy import URGENT
from waypost.approvals.standing import is_deputys
from waypost.approvals.states import ASKED, WorkflowStatus


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a subject's approval as it concerns a person. `for_id`: they may decide it for somebody, as a deputy."""

    stage: str
    order: int
    status: str
    is_open: bool
    was_asked: bool
    for_id: int | None


async def parts_of_person(
    session: AsyncSession, subject_type: str, subject_id: int, person_id: int, at: datetime
) -> list[Part]:
    """The steps that are or were a person's, and those of others they may decide now; newest round first."""
    about = (ApprovalWorkflow.subject_type == subject_type, ApprovalWorkflow.subject_id == subject_id)
    rounds = list(await session.scalars(select(ApprovalWorkflow.id).where(*about).order_by(ApprovalWorkflow.id)))
    if not rounds:
        return []
    stands_in = is_deputys(person_id, at, rounds)
    rows = await session.execute(
        select(ApprovalStep, ApprovalStage.name, stands_in)
        .join(ApprovalStage, ApprovalStage.id == ApprovalStep.stage_id)
        .where(
            ApprovalStep.workflow_id.in_(rounds),
            (ApprovalStep.approver_id == person_id) | (ApprovalStep.decided_by_id == person_id) | stands_in,
        )
        .order_by(ApprovalStep.workflow_id.desc(), ApprovalStep.step_order, ApprovalStep.id)
        .limit(50)
    )
    open_ones = {s.value for s in ASKED}
    return [
        Part(
            stage=stage,
            order=step.step_order,
            status=step.status,
            is_open=step.status in open_ones and (step.approver_id == person_id or bool(may)),
            was_asked=step.requested_at is not None,
            for_id=None if step.approver_id == person_id else step.approver_id,
        )
        for step, stage, may in rows
    ]


async def emergencies(session: AsyncSession, subject_type: str, subject_id: int) -> list[ApprovalWorkflow]:
    """The running workflows of a subject that are emergencies."""
    urgent = (
        select(ApprovalStep.workflow_id)
        .where(ApprovalStep.urgency >= URGENT, ApprovalStep.status.in_([s.value for s in ASKED]))
        .scalar_subquery()
    )
    found = select(ApprovalWorkflow).where(
        ApprovalWorkflow.subject_type == subject_type,
        ApprovalWorkflow.subject_id == subject_id,
        ApprovalWorkflow.status == WorkflowStatus.RUNNING.value,
        ApprovalWorkflow.id.in_(urgent),
    )
    return list(await session.scalars(found))
