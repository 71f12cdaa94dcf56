"""A provider's last requests, for whoever sets it up: what it asked for, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.scim.models import ScimRequestRow
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.logs import get_logger
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.kernel.problems import DATABASE_ERRORS

log = get_logger(__name__)
KEPT = 200  # requests of a provider
SWEPT_EVERY = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its answer. Of the query nothing is kept: names of people stand in filters."""

    provider_id: int
    method: str
    path: str
    status: int
    detail: str


async def keep(asked: Asked, seconds: float) -> None:
    """Write a request down, and forget the oldest now and then. The answer does not depend on it."""
    values = {
        "provider_id": asked.provider_id,
        "at": now(),
        "method": asked.method[:8],
        "path": asked.path.replace("\x00", "")[:200],
        "status": asked.status,
        "detail": asked.detail.replace("\x00", ""),
        "milliseconds": min(int(seconds * 1000), 2_000_000_000),
    }
    try:
        async with database().transaction() as session:
            put = insert(ScimRequestRow).values(values).returning(ScimRequestRow.id)
            if (await session.scalar(put) or 0) % SWEPT_EVERY == 0:
                await _forget_oldest(session, asked.provider_id)
    except DATABASE_ERRORS:
        log.exception("a push was answered, but not written down", provider_id=asked.provider_id)


async def _forget_oldest(session: AsyncSession, provider_id: int) -> None:
    of_provider = ScimRequestRow.provider_id == provider_id
    oldest = select(ScimRequestRow.id).where(of_provider).order_by(ScimRequestRow.id.desc()).offset(KEPT).limit(1)
    await session.execute(delete(ScimRequestRow).where(of_provider, ScimRequestRow.id <= oldest.scalar_subquery()))


async def page(
    session: AsyncSession, provider_id: int, *, only_errors: bool, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """A provider's last requests, newest first."""
    wanted = select(ScimRequestRow).where(ScimRequestRow.provider_id == provider_id)
    if only_errors:
        wanted = wanted.where(ScimRequestRow.status >= 400)
    if cursor:
        (last,) = decode_cursor(cursor, "scim_requests", int)
        wanted = wanted.where(ScimRequestRow.id < last)
    rows = list(await session.scalars(wanted.order_by(ScimRequestRow.id.desc()).limit(limit + 1)))
    items = [
        {
            "id": row.id,
            "at": row.at,
            "method": row.method,
            "path": row.path,
            "status": row.status,
            "detail": row.detail,
            "milliseconds": row.milliseconds,
        }
        for row in rows[:limit]
    ]
    return items, encode_cursor("scim_requests", rows[limit - 1].id) if len(rows) > limit else None
