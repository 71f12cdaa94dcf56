"""Everybody in a team."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject
from waypost.directory.names import names
from waypost.directory.queries import members_of_teams, team_members


async def members(session: AsyncSession, rule: Approver) -> list[int]:
    """The team's active members."""
    return await team_members(session, rule.number)


async def find(session: AsyncSession, asks: Sequence[tuple[Approver, Subject]]) -> list[tuple[list[int], str]]:
    """The team's active members."""
    ids = [rule.number for rule, _ in asks]
    called = await names.teams(session, ids)
    active = await members_of_teams(session, ids)
    return [(active.get(i, []), f"member of {called[i]['name'] if i in called else 'a team'}") for i in ids]
