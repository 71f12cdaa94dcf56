"""A workflow that is named for a subject, instead of the one the workflows' conditions would find.

It judges the subject whatever its own condition says; the conditions of its stages count as ever.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definitions import Chosen, chosen_version
from waypost.approvals.errors import BegunAlready, JudgedAlready, NoStageFits, NotInForce
from waypost.approvals.models import ApprovalDefinition, ApprovalWorkflow
from waypost.approvals.rows import running_of
from waypost.approvals.states import StepStatus, WorkflowStatus
from waypost.approvals.subject import Subject
from waypost.kernel.conditions.evaluate import holds

_ACTED = frozenset({StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.DELEGATED, StepStatus.INFO_REQUESTED})


async def named(session: AsyncSession, definition_id: int, subject: Subject, why: str) -> Chosen:
    """The workflow as it is in force, to judge this subject. Raises `NotInForce` or `NoStageFits`."""
    found = await session.get(ApprovalDefinition, definition_id)
    if found is None or not found.is_active:
        raise NotInForce(f"The workflow “{found.name}” is not in force." if found else None)
    kept = await chosen_version(session, found.id, found.version)
    if not fits(kept, subject):
        raise NoStageFits(f"No stage of “{found.name}” applies to this request.")
    return Chosen(kept.definition, found.id, found.version, why)


async def names_of(session: AsyncSession, ids: Collection[int], *, in_force: bool = False) -> dict[int, str]:
    """What these workflows are called now, by number; those there are, or those that are in force."""
    rows = select(ApprovalDefinition.id, ApprovalDefinition.name).where(ApprovalDefinition.id.in_(sorted(set(ids))))
    if in_force:
        rows = rows.where(ApprovalDefinition.is_active)
    return {row.id: row.name for row in await session.execute(rows)}


async def make_way(session: AsyncSession, subject: Subject, definition_id: int) -> ApprovalWorkflow | None:
    """The approval that runs, when another workflow may take its place.

    Raises `JudgedAlready` when it is this workflow's or was named itself, `BegunAlready` once somebody has acted on it.
    """
    running = await running_of(session, subject.type, subject.id)
    if running is None:
        return None
    row = running.row
    if row.definition_id == definition_id:
        raise JudgedAlready(f"“{row.name}” is running for it already.")
    if row.is_named:
        raise JudgedAlready(f"“{row.name}” was started for it already: {row.reason}.")
    steps = [step for stage in running.state.stages for step in stage.steps]
    if any(s.status in _ACTED or s.info_requested_at is not None for s in steps):
        raise BegunAlready(f"Somebody has acted on “{row.name}” already.")
    return row


async def goes_on(session: AsyncSession, subject: Subject) -> Chosen | None:
    """What a new round is judged by: the workflow that was named for the running one, while a stage of it applies.

    It goes on in its newest version, or as it was when it is not in force any more. None: the conditions choose.
    """
    kept = ApprovalWorkflow
    row = await session.scalar(
        select(kept).where(
            kept.subject_type == subject.type,
            kept.subject_id == subject.id,
            kept.status == WorkflowStatus.RUNNING.value,
            kept.is_named,
        )
    )
    if row is None:
        return None
    in_force = select(ApprovalDefinition.version).where(
        ApprovalDefinition.id == row.definition_id, ApprovalDefinition.is_active
    )
    version = await session.scalar(in_force) or row.definition_version
    found = await chosen_version(session, row.definition_id, version)
    return Chosen(found.definition, row.definition_id, version, row.reason) if fits(found, subject) else None


def fits(chosen: Chosen, subject: Subject) -> bool:
    """Whether a stage of it applies to the subject."""
    return any(holds(stage.condition, subject.facts) for stage in chosen.definition.stages)
