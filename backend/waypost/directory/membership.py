"""Who is in a team, who leads it, and when work last came to whom."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import NotAMember, TeamNotFound
from waypost.directory.events import TeamMembershipChanged
from waypost.directory.models import Team, TeamMember, User
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import Doer, record


async def _locked(session: AsyncSession, team_id: int) -> None:
    found = await session.scalar(select(Team.id).where(Team.id == team_id).with_for_update(key_share=True))
    if found is None:
        raise TeamNotFound


async def set_member(session: AsyncSession, actor: Doer, team_id: int, user_id: int, *, is_lead: bool) -> None:
    """Take somebody into a team, or say whether they lead it; saying the same again changes nothing.

    Raises `TeamNotFound`, or names who is not there.
    """
    await _locked(session, team_id)
    before = await session.scalar(
        select(TeamMember.is_lead).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    )
    if before is is_lead:
        return
    if before is None:
        if await session.scalar(select(User.id).where(User.id == user_id, User.is_active)) is None:
            raise invalid_field("/user_id", "there is no such active person")
        await session.execute(insert(TeamMember).values(team_id=team_id, user_id=user_id, is_lead=is_lead))
    else:
        await session.execute(
            update(TeamMember)
            .where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
            .values(is_lead=is_lead)
        )
    told = TeamMembershipChanged(
        team_id=team_id,
        user_id=user_id,
        is_member=True,
        is_lead=is_lead,
        was_member=before is not None,
        was_lead=bool(before),
    )
    await record(session, told, actor=actor)


async def remove_member(session: AsyncSession, actor: Doer, team_id: int, user_id: int) -> None:
    """Take somebody out of a team; what is assigned to them stays theirs. Raises `TeamNotFound` or `NotAMember`."""
    await _locked(session, team_id)
    gone = await session.execute(
        delete(TeamMember)
        .where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
        .returning(TeamMember.is_lead)
    )
    left = gone.first()
    if left is None:
        raise NotAMember
    told = TeamMembershipChanged(
        team_id=team_id, user_id=user_id, is_member=False, is_lead=False, was_member=True, was_lead=left.is_lead
    )
    await record(session, told, actor=actor)


async def work_came(session: AsyncSession, team_id: int | None, user_id: int | None, at: datetime) -> None:
    """Remember that a ticket came to a member of a team."""
    if team_id is not None and user_id is not None:
        await session.execute(
            update(TeamMember)
            .where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
            .values(last_assigned_at=at)
        )


async def leads_of(session: AsyncSession, team_ids: Collection[int]) -> dict[int, list[int]]:
    """Who leads these teams, by team; one that nobody leads is left out."""
    if not team_ids:
        return {}
    rows = await session.execute(
        select(TeamMember.team_id, TeamMember.user_id)
        .where(TeamMember.team_id.in_(sorted(team_ids)), TeamMember.is_lead)
        .order_by(TeamMember.team_id, TeamMember.user_id)
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.team_id, []).append(row.user_id)
    return found
