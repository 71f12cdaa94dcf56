"""Named people, one or several."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject


async def find(session: AsyncSession, rule: Approver, subject: Subject) -> tuple[list[int], str]:
    """The people themselves."""
    return list(rule.named), "named in the workflow"
