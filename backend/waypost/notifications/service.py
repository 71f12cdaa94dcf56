"""Reading marks on one's own notices."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.notifications.errors import NotificationNotFound
from waypost.notifications.models import Notification


async def mark_read(session: AsyncSession, actor: Actor, notification_id: int) -> None:
    """Mark one notice as read; doing it again changes nothing. Raises `NotificationNotFound`."""
    own = (Notification.id == notification_id, Notification.user_id == actor.user_id)
    if await session.scalar(select(Notification.id).where(*own)) is None:
        raise NotificationNotFound
    await session.execute(update(Notification).where(*own).values(read_at=func.coalesce(Notification.read_at, now())))


async def mark_all_read(session: AsyncSession, actor: Actor, ticket_id: int | None = None) -> None:
    """Mark everything one was told so far as read, or all that is about one request."""
    unread = update(Notification).where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
    if ticket_id is not None:
        unread = unread.where(Notification.ticket_id == ticket_id)
    await session.execute(unread.values(read_at=now()))
