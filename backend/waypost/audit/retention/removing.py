"""Removing what the policy lets go: in batches, each signed before it is done, none of it unless all of it.

Never what is not under a signed checkpoint, nor what a destination of the trail that is on has not got yet, nor what a
consumer of events has not dealt with.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit import sealing
from waypost.audit.events import EntriesRemoved
from waypost.audit.keys import signing_keys
from waypost.audit.retention.models import AuditRemoval, AuditRetention
from waypost.audit.retention.rules import GROUPS, Removal, cutoff, digest_of, sign
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record

ALONE = 0x57415252  # "WARR"
BATCH = 5000
BATCHES_A_RUN = 20

_DUE = text("""
    SELECT s.position, s.row_hash FROM audit_seals s JOIN events e ON e.id = s.event_id
    WHERE e.type = ANY(:types) AND e.at < :before AND s.position <= :upto
        AND NOT EXISTS (SELECT 1 FROM event_outbox o WHERE o.event_id = e.id)
        AND NOT EXISTS (SELECT 1 FROM event_deliveries d WHERE d.event_id = e.id)
    ORDER BY s.position LIMIT :most
""")
_UPTO = text("""
    SELECT least(
        coalesce((SELECT max(position) FROM audit_checkpoints WHERE kind = 'SEALED'), 0),
        coalesce((SELECT min(position) FROM audit_streams WHERE is_on), 9223372036854775807)
    )
""")
_UNCHANGED = text(f"SELECT pg_advisory_xact_lock({sealing.ALONE})")  # nothing is sealed or erased meanwhile
_REMOVE = text("SELECT waypost_remove_events(:number, CAST(:positions AS bigint[]))")


async def run_due(database: Database) -> None:
    """Remove what the policy lets go now; what is left waits for the next run."""
    async with database.alone(ALONE) as is_alone:
        if not is_alone:
            return
        at = now()
        async with database.read() as session:
            years = await session.scalar(select(AuditRetention.years)) or {}
        batches = 0
        for group, kept_for in sorted(years.items()):
            if group not in GROUPS or kept_for is None:
                continue
            while batches < BATCHES_A_RUN:
                batches += 1
                async with database.transaction() as session:
                    if await _remove(session, group, cutoff(int(kept_for), at)) < BATCH:
                        break


async def _remove(session: AsyncSession, group: str, before: datetime) -> int:
    await session.execute(_UNCHANGED)
    upto = await session.scalar(_UPTO)
    asked = {"types": list(GROUPS[group]), "before": before, "upto": upto, "most": BATCH}
    rows = [(r.position, r.row_hash) for r in await session.execute(_DUE, asked)]
    if not rows:
        return 0
    keys, at = signing_keys(), now()
    number = (await session.scalar(select(func.max(AuditRemoval.number))) or 0) + 1
    made = Removal(
        number=number,
        group=group,
        upto=rows[-1][0],
        count=len(rows),
        before=rfc3339(before),
        digest=digest_of(rows),
        at=rfc3339(at),
        key_id=keys.current,
    )
    signed = sign(made, keys.private)
    await session.execute(insert(AuditRemoval).values(number=number, body=made.body, signature=signed, at=at))
    await session.execute(_REMOVE, {"number": number, "positions": [position for position, _ in rows]})
    told = EntriesRemoved(number=number, group=group, count=len(rows), upto=made.upto, before=made.before)
    await record(session, told, actor=SYSTEM, at=at)
    return len(rows)
