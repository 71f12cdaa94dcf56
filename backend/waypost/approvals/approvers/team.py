"""Everybody in a team."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject
from waypost.directory.models import Team
from waypost.directory.queries import team_members


async def members(session: AsyncSession, rule: Approver) -> list[int]:
    """The team's active members."""
    return await team_members(session, rule.number)


async def find(session: AsyncSession, rule: Approver, subject: Subject) -> tuple[list[int], str]:
    """The team's active members."""
    name = await session.scalar(select(Team.name).where(Team.id == rule.number))
    return await members(session, rule), f"member of {name or 'a team'}"
