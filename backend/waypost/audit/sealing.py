"""The sealer: gives every committed event its place in the chain, and signs where the chain is.

Events commit out of the order of their ids. As the relay does, only those below the oldest running transaction are taken,
in the order (transaction, id): nothing can appear before them any more. One process at a time seals, in short transactions.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit import anchors
from waypost.audit.chain import GENESIS, seal
from waypost.audit.checkpoints import NOTHING_BEFORE, PRUNED, SEALED, Checkpoint, Signed, sign
from waypost.audit.keys import signing_keys
from waypost.audit.models import AuditCheckpoint, AuditSeal
from waypost.audit.reading import EVENT, event_of
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database

TASK = "audit.seal"
ALONE = 0x57415345  # "WASE"
BATCH = 1000
BATCHES_A_RUN = 30  # then others have their turn; what is left asks for the next one
CHECKPOINT_EVERY = timedelta(seconds=30)  # when something is new; the timer is the rest of the minute

_AFTER = (
    "(e.txid, e.id) > (CAST(CAST(:txid AS text) AS xid8), :id) AND e.txid < pg_snapshot_xmin(pg_current_snapshot())"
)
# A dump that was read into a new server brings numbers of transactions which that server has not reached yet.
_RESTORED = (
    "e.id > :id - 100000 AND NOT e.txid = ANY(SELECT pg_snapshot_xip(pg_current_snapshot()))"
    " AND NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id)"
    " AND (e.txid < pg_snapshot_xmin(pg_current_snapshot()) OR e.txid >= pg_snapshot_xmax(pg_current_snapshot()))"
)
_NEXT = text(f"SELECT {EVENT} FROM events e WHERE {_AFTER} ORDER BY e.txid, e.id LIMIT :most")  # noqa: S608
_NEXT_RESTORED = text(f"SELECT {EVENT} FROM events e WHERE {_RESTORED} ORDER BY e.id LIMIT :most")  # noqa: S608
_REACHED = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
_KEEP = text(
    "INSERT INTO audit_seals (position, event_id, txid, row_hash, chain_hash, salt) "
    "SELECT * FROM unnest(CAST(:positions AS bigint[]), CAST(:events AS bigint[]), CAST(:txids AS bigint[]), "
    "CAST(:rows AS bytea[]), CAST(:chains AS bytea[]), CAST(:salts AS bytea[]))"
)


async def run_due(database: Database) -> bool:
    """Seal what is there, sign, and write what was signed outside of the database. True when there is more to do."""
    async with database.alone(ALONE) as is_alone:
        if not is_alone:
            return False
        is_more = True
        for _ in range(BATCHES_A_RUN):
            async with database.transaction() as session:
                sealed = await seal_next(session)
                is_more = sealed == BATCH
                await sign_if_due(session, is_full=is_more)
            if not is_more:
                break
        await write_anchors(database)
        return is_more


async def seal_all(database: Database) -> None:
    """Seal everything there is, and sign it now."""
    while await run_due(database):
        pass
    async with database.alone(ALONE) as is_alone, database.transaction() as session:
        if is_alone:
            await sign_if_due(session, is_full=True)
    await write_anchors(database)


async def seal_next(session: AsyncSession, *, most: int = BATCH) -> int:
    """Give the next events their places; how many there were."""
    last = (
        await session.execute(
            select(AuditSeal.position, AuditSeal.event_id, AuditSeal.txid, AuditSeal.chain_hash)
            .order_by(AuditSeal.position.desc())
            .limit(1)
        )
    ).first()
    position, chain = (last.position, last.chain_hash) if last else await beginning(session)
    txid, event_id = (last.txid, last.event_id) if last else (0, 0)
    is_restored = txid > await session.scalar(_REACHED)
    rows = await session.execute(
        _NEXT_RESTORED if is_restored else _NEXT, {"txid": str(txid), "id": event_id, "most": most}
    )
    seals, txids = [], []
    for found in rows:
        position += 1
        made = seal(chain, position, event_of(found), secrets.token_bytes(16))
        chain = made.chain_hash
        seals.append(made)
        txids.append(found.txid)
    if seals:
        columns: dict[str, Any] = {
            "positions": [s.position for s in seals],
            "events": [s.event_id for s in seals],
            "txids": txids,
            "rows": [s.row_hash for s in seals],
            "chains": [s.chain_hash for s in seals],
            "salts": [s.salt for s in seals],
        }
        await session.execute(_KEEP, columns)
    return len(seals)


async def beginning(session: AsyncSession) -> tuple[int, bytes]:
    """Where a chain without seals goes on: at its start, or where everything older was removed by policy."""
    pruned = await session.scalar(
        select(AuditCheckpoint.body)
        .where(AuditCheckpoint.kind == PRUNED)
        .order_by(AuditCheckpoint.number.desc())
        .limit(1)
    )
    if pruned is None:
        return 0, GENESIS
    told = _told(pruned)
    return int(told["position"]), bytes.fromhex(told["chain_hash"])


def _told(body: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(body)
    return told


async def sign_if_due(session: AsyncSession, *, is_full: bool = False) -> Signed | None:
    """Sign where the chain is, when it went on since the last checkpoint and that was a while ago (or many rows)."""
    end = (
        await session.execute(
            select(AuditSeal.position, AuditSeal.chain_hash).order_by(AuditSeal.position.desc()).limit(1)
        )
    ).first()
    before = await last_checkpoint(session)
    if end is None or (before is not None and before.position >= end.position):
        return None
    if before is not None and not is_full and now() - before.at < CHECKPOINT_EVERY:
        return None
    return await keep_checkpoint(session, SEALED, end.position, end.chain_hash, before)


async def last_checkpoint(session: AsyncSession) -> AuditCheckpoint | None:
    """The newest one."""
    found: AuditCheckpoint | None = await session.scalar(
        select(AuditCheckpoint).order_by(AuditCheckpoint.number.desc()).limit(1)
    )
    return found


async def keep_checkpoint(
    session: AsyncSession, kind: str, position: int, chain: bytes, before: AuditCheckpoint | None
) -> Signed:
    """Sign that the chain is, or begins, here; and keep it."""
    keys, at = signing_keys(), now()
    previous = Signed(before.body, before.signature).hash if before else NOTHING_BEFORE
    made = Checkpoint(
        number=before.number + 1 if before else 1,
        kind=kind,
        position=position,
        chain_hash=chain.hex(),
        count=position,
        at=rfc3339(at),
        previous=previous,
        key_id=keys.current,
    )
    signed = sign(made, keys.private)
    values = {"number": made.number, "position": position, "kind": kind, "at": at}
    await session.execute(insert(AuditCheckpoint).values(**values, body=signed.body, signature=signed.signature))
    return signed


async def write_anchors(database: Database, *, most: int = 1000) -> None:
    """Write the checkpoints that are not yet in the file outside of the database, in order."""
    path = anchors.anchor_path()
    while True:
        async with database.read() as session:
            rows = await session.execute(
                select(AuditCheckpoint.body, AuditCheckpoint.signature)
                .where(AuditCheckpoint.number > anchors.last_number(path))
                .order_by(AuditCheckpoint.number)
                .limit(most)
            )
            new = [Signed(row.body, row.signature) for row in rows]
        if new:
            await anchors.append(path, new)
        if len(new) < most:
            return
