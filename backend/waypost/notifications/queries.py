"""Reading what one was told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.notifications.models import Notification
from waypost.tickets.models import Ticket

MOST_COUNTED = 1000  # a badge shows "999+"; counting further would cost and tell nobody anything


async def notification_page(
    session: AsyncSession, actor: Actor, *, unread: bool, cursor: str | None, limit: int
) -> dict[str, Any]:
    """One's own notices, newest first: `{items, next_cursor, unread_count}`."""
    statement = (
        select(Notification, Ticket.ticket_number)
        .outerjoin(Ticket, Ticket.id == Notification.ticket_id)
        .where(Notification.user_id == actor.user_id)
        .order_by(Notification.id.desc())
        .limit(limit + 1)
    )
    if unread:
        statement = statement.where(Notification.read_at.is_(None))
    if cursor:
        (last,) = decode_cursor(cursor, "notifications", int)
        statement = statement.where(Notification.id < last)
    rows = (await session.execute(statement)).all()
    counted = (
        select(Notification.id)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        .limit(MOST_COUNTED)
        .subquery()
    )
    unread_count = await session.scalar(select(func.count()).select_from(counted))
    items = [
        {
            "id": n.id,
            "kind": n.kind,
            "title": n.title,
            "body": n.body,
            "ticket": {"id": n.ticket_id, "ticket_number": number} if n.ticket_id else None,
            "link": n.link,
            "created_at": rfc3339(n.created_at),
            "read_at": n.read_at and rfc3339(n.read_at),
        }
        for n, number in rows[:limit]
    ]
    following = encode_cursor("notifications", rows[limit - 1][0].id) if len(rows) > limit else None
    return {"items": items, "next_cursor": following, "unread_count": unread_count}
