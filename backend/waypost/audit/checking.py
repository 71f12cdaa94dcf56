"""Checks of the whole chain as auditors ask for them, and every night; and the quick look at its end."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.audit import anchors
from waypost.audit.chain import GENESIS, Kind, Problem, Walk
from waypost.audit.checkpoints import FalseCheckpoint, Signed, read
from waypost.audit.events import AuditCheckAsked, AuditChecked
from waypost.audit.keys import public_keys
from waypost.audit.models import AuditCheck, AuditCheckpoint, AuditSeal
from waypost.audit.reading import SEALED
from waypost.audit.retention.checking import signed_removals
from waypost.audit.verifying import FAR, Found, step, verify
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, EventRow, record

TASK = "audit.check"
ALONE = 0x57414348  # "WACH"
EVERY = timedelta(hours=24)
QUICK = 500  # rows of the end that are looked at while somebody waits
TRIES = 3


async def ask_for_check(session: AsyncSession, actor: Actor) -> None:
    """Have the whole chain checked by the worker; one that waits already is enough."""
    actor.require(Permission.AUDIT_READ)
    waiting = await session.scalar(select(AuditCheck.id).where(AuditCheck.finished_at.is_(None)).limit(1))
    if waiting is None:
        await session.execute(insert(AuditCheck).values(asked_by_id=actor.user_id, asked_at=now()))
    await record(session, AuditCheckAsked(), actor=actor)


async def run_due(database: Database) -> None:
    """Run the check that is asked for, or the daily one."""
    async with database.alone(ALONE) as is_alone:
        if not is_alone:
            return
        async with database.transaction() as session:
            check_id = await _next(session)
        if check_id is not None:
            await _run(database, check_id)


async def _next(session: AsyncSession) -> int | None:
    open_ = select(AuditCheck).where(AuditCheck.finished_at.is_(None)).order_by(AuditCheck.asked_at).limit(1)
    check: AuditCheck | None = await session.scalar(open_)
    at = now()
    if check is None:
        last = await session.scalar(select(func.max(AuditCheck.asked_at)))
        is_sealed = await session.scalar(select(AuditSeal.position).limit(1))
        if (last is not None and at - last < EVERY) or is_sealed is None:
            return None
        made = insert(AuditCheck).values(asked_at=at).returning(AuditCheck.id)
        check = await session.get(AuditCheck, await session.scalar(made))
        assert check is not None
    check.attempts += 1
    check.started_at = at
    if check.attempts > TRIES:  # it broke off again and again: nobody waits for it for ever
        check.finished_at, check.result = at, {"valid": None, "sentence": "The check broke off and was given up."}
        return None
    return check.id


async def _run(database: Database, check_id: int) -> None:
    told = time.monotonic()

    async def progress(done: int, of: int) -> None:
        nonlocal told
        if time.monotonic() - told > 2:
            told = time.monotonic()
            async with database.transaction() as session:
                await session.execute(update(AuditCheck).where(AuditCheck.id == check_id).values(done=done))

    found = await verify(database, public_keys(), anchor=anchors.anchor_path(), progress=progress)
    async with database.transaction() as session:
        await session.execute(
            update(AuditCheck)
            .where(AuditCheck.id == check_id)
            .values(finished_at=now(), done=found.rows, result=found.told())
        )
        first = found.first
        await record(
            session,
            AuditChecked(
                valid=found.count == 0,
                rows=found.rows,
                position=found.position,
                problem=first.kind.value if first else None,
            ),
            actor=SYSTEM,
        )


async def standing(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """What is known of the chain now: the last whole check, one that runs, and a quick look at the chain's end."""
    actor.require(Permission.AUDIT_READ)
    last = await session.scalar(
        select(AuditCheck).where(AuditCheck.finished_at.is_not(None)).order_by(AuditCheck.id.desc()).limit(1)
    )
    running = await session.scalar(select(AuditCheck).where(AuditCheck.finished_at.is_(None)).limit(1))
    quick = await _quick_look(session)
    sealed_to, newest = (
        await session.execute(
            select(
                select(func.max(AuditSeal.position)).scalar_subquery(),
                select(AuditCheckpoint.at).order_by(AuditCheckpoint.number.desc()).limit(1).scalar_subquery(),
            )
        )
    ).one()
    result = dict(last.result) if last is not None and last.result else None
    is_valid = quick.count == 0 and (result is None or result.get("valid") is True)
    return {
        "valid": is_valid,
        "sealed_to": sealed_to or 0,
        "last_checkpoint_at": rfc3339(newest) if newest else None,
        "quick": quick.told(),
        "last_check": result,
        "last_check_at": rfc3339(last.finished_at) if last is not None and last.finished_at else None,
        "running": {"asked_at": rfc3339(running.asked_at), "done": running.done, "of": sealed_to or 0}
        if running is not None
        else None,
    }


async def _quick_look(session: AsyncSession) -> Found:
    """The last rows against their seals, and the newest checkpoint."""
    found, at = Found(), now()
    found.began_at = rfc3339(at)
    end = await session.scalar(select(func.max(AuditSeal.position))) or 0
    first = max(0, end - QUICK)
    before: bytes | None = GENESIS
    if first:
        before = await session.scalar(select(AuditSeal.chain_hash).where(AuditSeal.position == first))
    if (
        before is None
    ):  # the position itself is gone, or everything before was removed by policy: begin at what is there
        row = (
            await session.execute(
                select(AuditSeal.position, AuditSeal.chain_hash)
                .where(AuditSeal.position > first)
                .order_by(AuditSeal.position)
                .limit(1)
            )
        ).first()
        first, before = (row.position, row.chain_hash) if row else (0, GENESIS)
    walk = Walk(first, before)
    removed = await signed_removals(session, public_keys())
    for kept in (await session.execute(SEALED, {"after": first, "upto": FAR, "most": QUICK})).all():
        found.add(step(walk, kept, removed))
        found.rows += 1
    found.start, found.position, found.erased = first, walk.position, walk.erased
    found.note_removed(removed, first)
    newest = await session.scalar(select(AuditCheckpoint).order_by(AuditCheckpoint.number.desc()).limit(1))
    if newest is not None:
        await _look_at(session, found, newest)
    found.waiting = (
        await session.scalar(
            select(func.count()).select_from(
                select(EventRow.id)
                .where(EventRow.at > at - timedelta(minutes=10))
                .where(~select(AuditSeal.position).where(AuditSeal.event_id == EventRow.id).exists())
                .limit(10_000)
                .subquery()
            )
        )
        or 0
    )
    found.seconds = (now() - at).total_seconds()
    return found


async def _look_at(session: AsyncSession, found: Found, newest: AuditCheckpoint) -> None:
    try:
        one = read(Signed(newest.body, newest.signature), public_keys())
    except FalseCheckpoint as wrong:
        sentence = f"The newest checkpoint is not genuine: {wrong}."
        found.add(Problem(Kind.CHECKPOINT_FALSE, newest.position, None, sentence))
        return
    found.checkpoints, found.last_checkpoint_at = 1, one.at
    kept = await session.scalar(select(AuditSeal.chain_hash).where(AuditSeal.position == one.position))
    if kept is None and one.position > found.position:
        sentence = f"The chain ends at {found.position}; it was signed at {one.position}."
        found.add(Problem(Kind.TRUNCATED, found.position + 1, None, sentence))
    elif kept is not None and kept.hex() != one.chain_hash:
        sentence = f"The chain is not the one that was signed at position {one.position}."
        found.add(Problem(Kind.REWRITTEN, one.position, None, sentence))
