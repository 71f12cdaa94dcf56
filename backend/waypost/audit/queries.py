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
from waypost.audit.looking import A_STATEMENT, PATIENCE, look
from waypost.audit.searching import Sought, is_one_of, narrowed, newest_first
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
    """What was done, newest first: `{items, next_cursor, looked_back_to}`. For those with `audit:read`, who read everything.

    `looked_back_to` is the instant back to which entries were looked at when time ran out before the page was full (UTC); the
    next page goes on there. Null when a full page, or everything there is, was found.
    """
    actor.require(Permission.AUDIT_READ)
    before = decode_cursor(cursor, "audit", int)[0] if cursor else None
    if not sought.has_letters:
        statement = newest_first((await narrowed(session, actor, sought)).plain, before, limit + 1)
        rows = list((await session.scalars(statement)).all())
        await _note_read(actor, sought)  # before anything is told, and after the search, which does not find itself
        return await _page(session, rows[:limit], rows[limit - 1].id if len(rows) > limit else None)
    async with database().limited_read(A_STATEMENT) as limited:
        wanted = await narrowed(limited, actor, sought)
        found = await look(limited, wanted, before=before, rows=limit + 1, patience=PATIENCE)
    await _note_read(actor, sought)
    rows = await entries(session, found.ids[:limit])
    if len(found.ids) > limit:
        return await _page(session, rows, rows[-1].id)
    back_to = await _instant_of(session, found.floor) if found.floor else None
    return await _page(session, rows, found.floor or None, back_to)


async def _page(
    session: AsyncSession, rows: Sequence[EventRow], before: int | None, back_to: str | None = None
) -> dict[str, Any]:
    return {
        "items": await in_full(session, rows),
        "next_cursor": None if before is None else encode_cursor("audit", before),
        "looked_back_to": back_to,
    }


async def _instant_of(session: AsyncSession, floor: int) -> str | None:
    """When the first entry from an id on was written."""
    first = select(EventRow.at).where(EventRow.id >= floor).order_by(EventRow.id).limit(1)
    at = await session.scalar(first)
    return None if at is None else rfc3339(at)


async def entries(session: AsyncSession, ids: Sequence[int]) -> list[EventRow]:
    """These entries, newest first."""
    if not ids:
        return []
    found = await session.scalars(select(EventRow).where(is_one_of(EventRow.id, ids)))  # an order would be walked in
    return sorted(found, key=lambda row: -row.id)


async def audit_count(session: AsyncSession, actor: Actor, sought: Sought) -> dict[str, Any]:
    """How many rows fit, counted to `MOST_COUNTED`, or as far as time allows. Told like reading, since it answers questions."""
    actor.require(Permission.AUDIT_READ)
    if sought.has_letters:
        async with database().limited_read(A_STATEMENT) as limited:
            wanted = await narrowed(limited, actor, sought)
            looked = await look(limited, wanted, before=None, rows=MOST_COUNTED + 1, patience=PATIENCE)
        count, is_more = len(looked.ids), looked.floor > 0
    else:
        where = (await narrowed(session, actor, sought)).plain
        found = select(EventRow.id).where(*where).limit(MOST_COUNTED + 1).subquery()
        count, is_more = await session.scalar(select(func.count()).select_from(found)) or 0, False
    await _note_read(actor, sought)
    return {"count": min(count, MOST_COUNTED), "is_more": is_more or count > MOST_COUNTED}


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
