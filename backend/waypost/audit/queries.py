"""The event log, newest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.audit.events import AuditRead
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import database
from waypost.kernel.events import EventRow, record
from waypost.kernel.paging import decode_cursor, encode_cursor

AGAIN_AFTER = timedelta(minutes=5)
_told: dict[int, datetime] = {}


async def _note_read(
    actor: Actor, action: str | None, actor_id: int | None, object_type: str | None, object_id: int | None
) -> None:
    """Keep that somebody reads the trail; the same person once in five minutes (for each process)."""
    at, last = now(), _told.get(actor.user_id)
    if last is not None and abs(at - last) < AGAIN_AFTER:
        return
    _told[actor.user_id] = at
    asked = {"action": action, "actor_id": actor_id, "object_type": object_type, "object_id": object_id}
    filters = {k: v for k, v in asked.items() if v is not None}
    async with database().transaction() as own:
        await record(own, AuditRead(filters=filters), actor=actor, at=at)


async def audit_trail(
    session: AsyncSession,
    actor: Actor,
    *,
    actor_id: int | None,
    action: str | None,
    family: str | None,
    channel: str | None,
    object_type: str | None,
    object_id: int | None,
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """What was done, newest first: `{items, next_cursor}`. For those with `audit:read`, who read everything."""
    actor.require(Permission.AUDIT_READ)
    statement = select(EventRow).order_by(EventRow.id.desc()).limit(limit + 1)
    for column, value in (
        (EventRow.actor_id, actor_id),
        (EventRow.type, action),
        (EventRow.channel, channel),
        (EventRow.object_type, object_type),
        (EventRow.object_id, object_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if family is not None:
        statement = statement.where(EventRow.type.startswith(f"{family}.", autoescape=True))
    if since is not None:
        statement = statement.where(EventRow.at >= since)
    if until is not None:
        statement = statement.where(EventRow.at <= until)
    await _note_read(actor, action, actor_id, object_type, object_id)
    if cursor:
        (last,) = decode_cursor(cursor, "audit", int)
        statement = statement.where(EventRow.id < last)
    rows = list((await session.scalars(statement)).all())
    page = rows[:limit]
    people = await names.people(session, [i for r in page for i in (r.actor_id, r.on_behalf_of_id)])
    items = [
        {
            "id": r.id,
            "at": rfc3339(r.at),
            "actor": people.get(r.actor_id),
            "on_behalf_of": people.get(r.on_behalf_of_id),
            "action": r.type,
            "object_type": r.object_type,
            "object_id": r.object_id,
            "channel": r.channel,
            "request_id": r.request_id,
            "data": r.data,
        }
        for r in page
    ]
    return {"items": items, "next_cursor": encode_cursor("audit", page[-1].id) if len(rows) > limit else None}
