"""The destinations of the trail, and how far behind each is: one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit.models import AuditSeal
from waypost.audit.streams import standing
from waypost.audit.streams.delivering import HTTPS, SYSLOG
from waypost.audit.streams.errors import StreamNotFound
from waypost.audit.streams.models import AuditStream
from waypost.audit.streams.service import OF_KIND, OF_TLS
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import EventRow

_end = select(func.coalesce(func.max(AuditSeal.position), 0).label("position")).subquery()
_first_missing = (
    select(EventRow.at.label("at"))
    .join(AuditSeal, AuditSeal.event_id == EventRow.id)
    .where(AuditSeal.position > AuditStream.position)
    .order_by(AuditSeal.position)
    .limit(1)
    .lateral()
)
_streams = (
    select(AuditStream, _end.c.position, _first_missing.c.at)
    .select_from(AuditStream)
    .join(_end, true())
    .outerjoin(_first_missing, true())
    .order_by(func.lower(AuditStream.name), AuditStream.id)
)


async def stream_list(session: AsyncSession) -> dict[str, Any]:
    """Every destination, and how it goes."""
    return {"items": [_json(row) for row in await session.execute(_streams)], "next_cursor": None}


async def one_stream(session: AsyncSession, stream_id: int) -> dict[str, Any]:
    """One destination. Raises `StreamNotFound`."""
    found = (
        await session.execute(_streams.where(AuditStream.id == stream_id).execution_options(populate_existing=True))
    ).first()
    if found is None:
        raise StreamNotFound
    return _json(found)


_NOTHING = dict.fromkeys((*OF_KIND[SYSLOG], *OF_KIND[HTTPS], *OF_TLS))


def _json(found: Sequence[Any]) -> dict[str, Any]:
    row, end, missing_at = found
    at = now()
    behind = max(0, end - row.position)
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "families": row.families,
        "is_on": row.is_on,
        **_NOTHING,
        **row.settings,
        "has_secrets": row.sealed is not None,
        "version": row.version,
        "health": {
            "state": standing.state_of(row),
            "position": row.position,
            "sealed_to": end,
            "behind": behind,
            "behind_since": rfc3339(missing_at) if behind and missing_at else None,
            "sent_count": row.sent_count,
            "failures": row.failures,
            "failing_since": row.failing_since and rfc3339(row.failing_since),
            "last_error": row.last_error,
            "failed_at": row.failed_at and rfc3339(row.failed_at),
            "worked_at": row.worked_at and rfc3339(row.worked_at),
            "paused_until": rfc3339(row.open_until) if standing.is_paused(row, at) else None,
        },
    }
