"""A team is closed: the mailboxes whose requests go to it give them to another."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import TeamInUse
from waypost.directory.events import TeamDeleted
from waypost.kernel.events import Doer
from waypost.notifications.incoming.models import Mailbox


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """Let the mailboxes of a team be another's. Raises `TeamInUse` where there is none."""
    name = await session.scalar(select(Mailbox.name).where(Mailbox.team_id == event.team_id).limit(1))
    if name is not None and event.moved_to_id is None:
        raise TeamInUse(f"The mailbox “{name[:80]}” gives it work: say which team takes it.")
    await session.execute(update(Mailbox).where(Mailbox.team_id == event.team_id).values(team_id=event.moved_to_id))
