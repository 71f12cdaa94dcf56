"""A team is closed: the kinds of request it takes go to another team."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType
from waypost.directory.errors import TeamInUse
from waypost.directory.events import TeamDeleted
from waypost.kernel.events import Doer


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """Give the types of a team to another. Raises `TeamInUse` where there is none."""
    name = await session.scalar(select(TicketType.name).where(TicketType.team_id == event.team_id).limit(1))
    if name is not None and event.moved_to_id is None:
        raise TeamInUse(f"It takes the requests of the type “{name[:80]}”: say which team takes them.")
    await session.execute(
        update(TicketType).where(TicketType.team_id == event.team_id).values(team_id=event.moved_to_id)
    )
