"""Everybody with a role."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import people_with_role
from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject


async def members(session: AsyncSession, rule: Approver) -> list[int]:
    """The people who have the role, active or not."""
    return await people_with_role(session, str(rule.target))


async def find(session: AsyncSession, rule: Approver, subject: Subject) -> tuple[list[int], str]:
    """The people who have the role."""
    return await members(session, rule), f"member of {str(rule.target).replace('_', ' ').title()}"
