"""Keeping stored files in order: scanned, named by a row, wrapped by the current key. Runs in the worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel import crypto
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Unavailable
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.kernel.relay import wait_before
from waypost.kernel.settings import get_settings
from waypost.tickets import events
from waypost.tickets.attaching import contents, store
from waypost.tickets.models import Attachment
from waypost.vendors import clamd
from waypost.vendors.object_store import StoreFailed

log = get_logger(__name__)
ORPHAN_AFTER = timedelta(hours=24)
MAX_SCANS = 20
SCAN_BATCH = 10
ROW_BATCH = 500
TASK = "attachments.scan"
SCANNER_LOCK = 0x57415952


async def scan_due(database: Database) -> int:
    """Let the virus scanner look at what waits for it; returns how many files were looked at."""
    url = get_settings().clamd_url
    done = 0
    async with database.alone(SCANNER_LOCK) as is_alone:
        while is_alone and url and (rows := await _take_scans(database)):
            for row in rows:
                await _keep_verdict(database, row, await _verdict(url, row))
                done += 1
            if any(r.scan_attempts > 1 for r in rows):
                break  # the scanner has trouble: the rest is due at the next timer
    return done


async def _verdict(url: str, row: Attachment) -> clamd.Verdict:
    """What the scanner says of a file; one that cannot be read must not hold up those behind it."""
    try:
        data = await contents(row, start=0, length=row.size)
        return await clamd.scan(url, data, ca_file=get_settings().clamd_ca_file)
    except (Unavailable, StoreFailed, crypto.Damaged) as failed:
        return clamd.NotScanned(f"{type(failed).__name__}: {failed}"[:200])


async def _take_scans(database: Database) -> list[Attachment]:
    at = now()
    async with database.transaction() as session:
        waiting = select(Attachment).where(Attachment.scan == "PENDING", Attachment.scan_at <= at)
        rows = (await session.scalars(waiting.order_by(Attachment.scan_at).limit(SCAN_BATCH).with_for_update())).all()
        for row in rows:
            row.scan_attempts += 1
            row.scan_at = at + wait_before(row.scan_attempts)
        return list(rows)


async def _keep_verdict(database: Database, seen: Attachment, verdict: clamd.Verdict) -> None:
    if isinstance(verdict, clamd.NotScanned):
        log.warning("file not scanned", attachment_id=seen.id, why=verdict.why)
        if seen.scan_attempts < MAX_SCANS:
            return
    result = {clamd.Clean: "CLEAN", clamd.Infected: "INFECTED", clamd.NotScanned: "FAILED"}[type(verdict)]
    async with database.transaction() as session:
        row = await session.get(Attachment, seen.id, with_for_update=True)
        if row is None or row.scan != "PENDING":
            return
        row.scan, row.scan_at = result, None
        await session.flush()
        await record(
            session,
            events.AttachmentScanned(
                ticket_id=row.ticket_id,
                attachment_id=row.id,
                filename=row.filename,
                result=result,
                visibility=row.visibility,
            ),
            actor=SYSTEM,
        )


Owners = Callable[[AsyncSession, Collection[str]], Awaitable[set[str]]]  # which of these objects are some room's


async def forget_orphans(database: Database, *owners: Owners) -> int:
    """Remove objects that no row names: uploads that broke off, files whose removal did not reach the store.

    `owners` say what other rooms keep in the same place.
    """
    place, removed, batch = store(), 0, list[str]()

    async def clear() -> int:
        async with database.read() as session:
            known = set(await session.scalars(select(Attachment.object_name).where(Attachment.object_name.in_(batch))))
            for owned in owners:
                known |= await owned(session, batch)
        for name in batch:
            if name not in known:
                await place.delete(name)
        return len(set(batch) - known)

    async for name in place.names(older_than=ORPHAN_AFTER):
        batch.append(name)
        if len(batch) >= ROW_BATCH:
            removed += await clear()
            batch.clear()
    return removed + (await clear() if batch else 0)
