"""Everybody with a role."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import people_with_role, people_with_roles
from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject


async def members(session: AsyncSession, rule: Approver) -> list[int]:
    """The people who have the role, active or not."""
    return await people_with_role(session, str(rule.target))


async def find(session: AsyncSession, asks: Sequence[tuple[Approver, Subject]]) -> list[tuple[list[int], str]]:
    """The people who have the role."""
    keys = [str(rule.target) for rule, _ in asks]
    holders = await people_with_roles(session, keys)
    return [(holders.get(key, []), f"member of {key.replace('_', ' ').title()}") for key in keys]
