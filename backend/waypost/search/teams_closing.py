"""A team is closed: the views it shares are shared with the team that takes its work; without one they end with it."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.events import TeamDeleted
from waypost.kernel.events import Doer
from waypost.search.models import SavedView


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """Share a team's views with another."""
    if event.moved_to_id is not None:
        await session.execute(
            update(SavedView).where(SavedView.team_id == event.team_id).values(team_id=event.moved_to_id)
        )
