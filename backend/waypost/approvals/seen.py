"""What approvers were shown: every version of a subject is kept, so a decision can be held against what it saw."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import differences
from waypost.approvals.models import ApprovalSubjectVersion, ApprovalWorkflow
from waypost.approvals.subject import Subject
from waypost.directory.names import names


def is_one_by_one(subject: Subject, above: Decimal) -> bool:
    """Whether this is never decided together with others: an emergency, or worth more than so much."""
    amount = subject.facts.get("amount")
    return subject.is_emergency or (isinstance(amount, Decimal) and amount > above)


def keep_version(session: AsyncSession, row: ApprovalWorkflow, at: datetime) -> None:
    """Keep what approvers read from now on. Call it whenever `subject_version` has become another."""
    session.add(
        ApprovalSubjectVersion(workflow_id=row.id, version=row.subject_version, subject=row.subject, at=at),
    )


async def versions(session: AsyncSession, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    """Subjects by workflow and version, those that are kept; one statement at most."""
    if not wanted:
        return {}
    v = ApprovalSubjectVersion
    rows = await session.execute(
        select(v.workflow_id, v.version, v.subject).where(tuple_(v.workflow_id, v.version).in_(sorted(wanted)))
    )
    return {(workflow_id, version): subject for workflow_id, version, subject in rows}


async def changes_since(session: AsyncSession, row: ApprovalWorkflow, version: int) -> list[dict[str, Any]]:
    """What reads differently now than in an earlier version; nothing when that version was never there."""
    found = await versions(session, {(row.id, version)})
    before = found.get((row.id, version))
    if before is None:
        return []
    people, _, departments = await names.all(
        session,
        people=differences.people_of(before, row.subject),
        departments=differences.departments_of(before, row.subject),
    )
    return differences.changes(before, row.subject, people, departments)
