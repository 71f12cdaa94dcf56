"""Where one is reached besides by mail: accounts of the company's chat, phones, browsers.

How an address comes here is each channel's own matter (an account is found by its verified mail address, a phone answers
with a code); here one sees what there is, and takes it away.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.notifications.browsers import PUSH
from waypost.notifications.choices import LABELS
from waypost.notifications.errors import ContactPointNotFound, NotReached
from waypost.notifications.events import ChannelTested, ContactPointRemoved
from waypost.notifications.models import ContactPoint
from waypost.notifications.previewing import TESTED, tell_oneself, words_of_test


async def point_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """One's own addresses, oldest first."""
    statement = select(ContactPoint).where(ContactPoint.user_id == actor.user_id).order_by(ContactPoint.id)
    if cursor:
        (last,) = decode_cursor(cursor, "contact points", int)
        statement = statement.where(ContactPoint.id > last)
    rows = list(await session.scalars(statement.limit(limit + 1)))
    following = encode_cursor("contact points", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": [point_json(row) for row in rows[:limit]], "next_cursor": following}


async def remove_point(session: AsyncSession, actor: Actor, point_id: int) -> None:
    """Take one of one's own addresses away: nothing goes there any more. Raises `ContactPointNotFound`."""
    own = (ContactPoint.id == point_id, ContactPoint.user_id == actor.user_id)
    channel = await session.scalar(delete(ContactPoint).where(*own).returning(ContactPoint.channel))
    if channel is None:
        raise ContactPointNotFound
    await record(session, ContactPointRemoved(user_id=actor.user_id, point_id=point_id, channel=channel), actor=actor)


async def find_point(session: AsyncSession, actor: Actor, point_id: int) -> ContactPoint:
    """One of one's own addresses. Raises `ContactPointNotFound`."""
    row = await session.get(ContactPoint, point_id)
    if row is None or row.user_id != actor.user_id:
        raise ContactPointNotFound
    return row


async def try_point(session: AsyncSession, actor: Actor, point_id: int) -> dict[str, Any]:
    """Send oneself a message to one of one's own addresses. Raises `ContactPointNotFound`, `NotReached`."""
    row = await find_point(session, actor, point_id)
    if row.verified_at is None or row.stopped_at is not None:
        raise NotReached
    event_id = await record(session, ChannelTested(channel=row.channel), actor=actor)
    words = await words_of_test(session, actor, row.channel)
    return await tell_oneself(session, actor, event_id, row.channel, TESTED, words, to=row.address)


def point_json(row: ContactPoint) -> dict[str, Any]:
    """An address as its owner sees it; of a browser, who brings messages there."""
    return {
        "id": row.id,
        "channel": row.channel,
        "channel_label": LABELS.get(row.channel, row.channel),
        "label": row.label,
        "address": row.address.partition("/")[0] if row.channel == PUSH else row.address,
        "is_verified": row.verified_at is not None,
        "is_stopped": row.stopped_at is not None,
        "used_at": row.used_at and rfc3339(row.used_at),
        "created_at": rfc3339(row.created_at),
    }
