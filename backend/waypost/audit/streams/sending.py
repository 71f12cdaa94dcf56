"""The sender: takes sealed rows in the order of the chain and brings them to each destination that is on.

A destination is leased by whoever sends to it, for longer than a portion may take; no session is open meanwhile. How far
it has come is kept after every portion, by who still holds the lease: a process that dies costs one portion sent twice,
never one that is missing. Destinations are served side by side, each for a few seconds a run.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit.models import AuditSeal
from waypost.audit.streams import standing
from waypost.audit.streams.delivering import Destination, NotTaken, bring, portions_of, written
from waypost.audit.streams.entries import TEST, Entry
from waypost.audit.streams.models import AuditStream
from waypost.audit.streams.secrets import unseal
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger

log = get_logger(__name__)
TASK = "audit.stream"
BATCH = 500  # rows read at once
MOST_BYTES = 4_000_000  # of details read at once, roughly: then the rows so far go first
LEASE = timedelta(seconds=90)
A_RUN = 6.0  # seconds for each destination; then others have their turn
MOST_AT_ONCE = 10

_NEXT = text("""
    SELECT s.position, s.row_hash, s.chain_hash, e.id, e.at, e.type, e.object_type, e.object_id, e.actor_id,
        e.on_behalf_of_id, e.channel, e.request_id, e.data, pg_column_size(e.data) AS size
    FROM audit_seals s LEFT JOIN events e ON e.id = s.event_id
    WHERE s.position > :after ORDER BY s.position LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Taken:
    """A destination as it was when it was leased."""

    stream_id: int
    lease: str
    version: int
    position: int
    sent_position: int
    families: frozenset[str]
    destination: Destination | None  # None when its secrets cannot be opened


async def run_due(database: Database) -> bool:
    """Bring what is sealed to the destinations that are on. True when there is more to do."""
    taken = await _take(database)
    done = await asyncio.gather(*(_follow_on(database, one) for one in taken), return_exceptions=True)
    for one, result in zip(taken, done, strict=True):
        if isinstance(result, BaseException):
            log.error("audit stream left with its lease", stream_id=one.stream_id, error=repr(result))
    return any(result is True for result in done)


async def _follow_on(database: Database, taken: Taken) -> bool:
    """Bring one destination forward; whatever goes wrong with it is its own failure, and nobody else's."""
    try:
        return await _follow(database, taken)
    except Exception as error:
        log.exception("audit stream failed", stream_id=taken.stream_id)
        await _fail(database, taken, NotTaken(f"something went wrong here: {type(error).__name__}"))
        return False


async def _take(database: Database) -> list[Taken]:
    at = now()
    end = select(func.coalesce(func.max(AuditSeal.position), 0)).scalar_subquery()
    due = (
        select(AuditStream)
        .where(
            AuditStream.is_on,
            AuditStream.position < end,
            or_(AuditStream.open_until.is_(None), AuditStream.open_until <= at),
            or_(AuditStream.leased_until.is_(None), AuditStream.leased_until <= at),
        )
        .order_by(AuditStream.worked_at.asc().nulls_first(), AuditStream.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    async with database.transaction() as session:
        rows = (await session.scalars(due)).all()
        for row in rows:
            row.lease, row.leased_until = secrets.token_hex(16), at + LEASE
        return [_taken(row) for row in rows]


def _taken(row: AuditStream) -> Taken:
    try:
        opened = Destination(row.kind, row.settings, unseal(row))
    except Damaged:
        opened = None
    families = frozenset(row.families)
    return Taken(row.id, row.lease or "", row.version, row.position, row.sent_position, families, opened)


async def _follow(database: Database, taken: Taken) -> bool:
    """Bring one destination forward for a while. True when it has more to get."""
    until = time.monotonic() + A_RUN
    position, sent = taken.position, taken.sent_position
    try:
        if taken.destination is None:
            raise NotTaken("its secrets cannot be opened any more: enter them anew", is_wrong=True)
        while True:
            rows, entries, is_more = await _next(database, taken, position, sent)
            if not rows:
                break
            lines = await asyncio.to_thread(written, taken.destination, entries)
            for first, end in portions_of(taken.destination, lines):
                span = f"{entries[first].position}-{entries[end - 1].position}"
                await bring(taken.destination, lines[first:end], positions=span)
                position = sent = entries[end - 1].position
                if not await _keep(database, taken, position, sent, end - first):
                    return False
                if time.monotonic() > until and end < len(lines):
                    await _release(database, taken)
                    return True
            position = rows[-1]
            if not await _keep(database, taken, position, sent, 0):
                return False
            if not is_more or time.monotonic() > until:
                await _release(database, taken)
                return is_more
        await _release(database, taken)
    except NotTaken as error:
        await _fail(database, taken, error)
    return False


async def _next(database: Database, taken: Taken, after: int, sent: int) -> tuple[list[int], list[Entry], bool]:
    """The next rows of the chain: their positions, those that are wanted as entries, and whether more may follow."""
    async with database.read() as session:
        found = (await session.execute(_NEXT, {"after": after, "most": BATCH})).mappings().all()
        is_more, size = len(found) == BATCH, 0
        rows: list[Any] = []
        for row in found:
            if rows and size > MOST_BYTES:
                is_more = True
                break
            rows.append(row)
            size += row["size"] or 0
        wanted = [
            r
            for r in rows
            if r["id"] is not None and (not taken.families or r["type"].partition(".")[0] in taken.families)
        ]
        people = await names.people(session, [i for r in wanted for i in (r["actor_id"], r["on_behalf_of_id"])])
    entries = []
    for row in wanted:
        entries.append(_entry(row, sent, people))
        sent = row["position"]
    return [r["position"] for r in rows], entries, is_more


def _entry(row: Any, previous: int, people: Mapping[int | None, Any]) -> Entry:
    return Entry(
        position=row["position"],
        previous=previous,
        event_id=row["id"],
        row_hash=row["row_hash"].hex(),
        chain_hash=row["chain_hash"].hex(),
        at=exactly(row["at"]),
        action=row["type"],
        object_type=row["object_type"],
        object_id=row["object_id"],
        actor=people.get(row["actor_id"]),
        on_behalf_of=people.get(row["on_behalf_of_id"]),
        channel=row["channel"],
        request_id=row["request_id"],
        data=row["data"],
    )


def exactly(at: datetime) -> str:
    """A time to the microsecond, as RFC 5424 allows at most."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


async def _keep(database: Database, taken: Taken, position: int, sent: int, count: int) -> bool:
    """Keep how far it has come, and the lease for the next portion. False when somebody changed or took it meanwhile."""
    async with database.transaction() as session:
        row = await _held(session, taken)
        if row is None:
            return False
        row.position, row.sent_position = position, sent
        row.sent_count += count
        row.leased_until = now() + LEASE
        if count:
            await standing.note_worked(session, row)
        return True


async def _held(session: AsyncSession, taken: Taken) -> AuditStream | None:
    mine = select(AuditStream).where(
        AuditStream.id == taken.stream_id, AuditStream.lease == taken.lease, AuditStream.version == taken.version
    )
    return (await session.scalars(mine.with_for_update())).first()


async def _release(database: Database, taken: Taken) -> None:
    mine = (AuditStream.id == taken.stream_id, AuditStream.lease == taken.lease)
    async with database.transaction() as session:
        await session.execute(update(AuditStream).where(*mine).values(lease=None, leased_until=None))


async def _fail(database: Database, taken: Taken, error: NotTaken) -> None:
    async with database.transaction() as session:
        row = await _held(session, taken)
        if row is not None:
            await standing.note_failed(session, row, error)


def trial() -> Entry:
    """The entry by which a destination is tried."""
    at = now()
    return Entry(0, 0, 0, "", "", exactly(at), TEST, "audit_stream", 0, data={"sent": rfc3339(at)})
