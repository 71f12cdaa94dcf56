"""The event log, newest first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.audit.events import AuditRead
from waypost.audit.searching import Sought, narrowed, newest_first
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import database
from waypost.kernel.events import EventRow, record
from waypost.kernel.paging import decode_cursor, encode_cursor

AGAIN_AFTER = timedelta(minutes=5)
MOST_COUNTED = 10_000
MOST_REMEMBERED = 10_000
_told: dict[tuple[int, str], datetime] = {}


async def _note_read(actor: Actor, sought: Sought) -> None:
    """Keep that somebody reads the trail; the same person once in five minutes (for each process).

    Whoever looks for words, an address or a request looks for somebody or something: each such search is kept.
    """
    filters = sought.told()
    is_search = bool(sought.q or sought.address or sought.ticket)
    key = (actor.user_id, json.dumps(filters, sort_keys=True) if is_search else "")
    at, last = now(), _told.get(key)
    if last is not None and abs(at - last) < AGAIN_AFTER:
        return
    if len(_told) >= MOST_REMEMBERED:
        _told.clear()  # told once more, rather than not
    _told[key] = at
    try:
        async with database().transaction() as own:
            await record(own, AuditRead(filters=filters), actor=actor, at=at)
    except BaseException:
        _told.pop(key, None)
        raise


async def audit_trail(
    session: AsyncSession, actor: Actor, sought: Sought, *, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What was done, newest first: `{items, next_cursor}`. For those with `audit:read`, who read everything."""
    actor.require(Permission.AUDIT_READ)
    before = decode_cursor(cursor, "audit", int)[0] if cursor else None
    statement = newest_first(await narrowed(session, actor, sought), before, limit + 1)
    rows = list((await session.scalars(statement)).all())
    await _note_read(actor, sought)  # before anything is told, and after the search, which does not find itself
    page = rows[:limit]
    return {
        "items": await in_full(session, page),
        "next_cursor": encode_cursor("audit", page[-1].id) if len(rows) > limit else None,
    }


async def audit_count(session: AsyncSession, actor: Actor, sought: Sought) -> dict[str, Any]:
    """How many rows fit, counted to `MOST_COUNTED`. It answers questions as reading does, and is told like it."""
    actor.require(Permission.AUDIT_READ)
    found = select(EventRow.id).where(*await narrowed(session, actor, sought)).limit(MOST_COUNTED + 1).subquery()
    count = await session.scalar(select(func.count()).select_from(found)) or 0
    await _note_read(actor, sought)
    return {"count": min(count, MOST_COUNTED), "is_more": count > MOST_COUNTED}


async def in_full(session: AsyncSession, rows: Sequence[EventRow]) -> list[dict[str, Any]]:
    """Rows as they are told, with the names of people."""
    people = await names.people(session, [i for r in rows for i in (r.actor_id, r.on_behalf_of_id)])
    return [
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
        for r in rows
    ]
