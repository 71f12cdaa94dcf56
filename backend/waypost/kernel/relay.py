"""The relay: brings committed events to their consumers, at least once, in order per object, whatever dies when.

An event is written together with an outbox row, so the row is visible exactly when the event is. The relay moves
outbox rows to one delivery row per consumer (`hand_out`), and runs deliveries (`deliver`). A consumer writes to the
database only, in the transaction that removes its delivery: a crash leaves the delivery for the next run, and the
effect happens once. Work on the network has rows of its own (see `notifications`), so no session waits for a network.

Order: a writer holds its object's row lock while it records, so an earlier event of the same object is committed before
a later one is even written. `hand_out` is serialised by an advisory lock, and `deliver` takes an object's event only
when no earlier one is pending for that consumer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, SmallInteger, String, Text, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from waypost.kernel.clock import now
from waypost.kernel.db import Base, BigId, Database
from waypost.kernel.events import EventRow, OutboxRow, log_columns, recorded, registry, wiring
from waypost.kernel.logs import get_logger

log = get_logger(__name__)

HAND_OUT_LOCK = 0x57415950  # "WAYP": one process at a time hands out, which keeps the order
BATCH = 200
MAX_ATTEMPTS = 12
LONGEST_WAIT = timedelta(hours=1)


class DeliveryRow(Base):
    """One event still to be dealt with by one consumer. Done ones are removed, hopeless ones are parked."""

    __tablename__ = "event_deliveries"

    id: Mapped[BigId]
    consumer: Mapped[str] = mapped_column(String(32))
    event_id: Mapped[int] = mapped_column(BigInteger)
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_at: Mapped[datetime]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_event_deliveries_due", "next_at", "event_id", postgresql_where=text("parked_at IS NULL")),
        Index(
            "uq_event_deliveries_object",
            "consumer",
            "object_type",
            "object_id",
            "event_id",
            unique=True,
        ),
    )


async def hand_out(database: Database, *, batch: int = BATCH) -> int:
    """Turn outbox rows into delivery rows; returns how many events. Another process at it means 0, never a wait."""
    async with database.transaction() as session:
        if not await session.scalar(select(text(f"pg_try_advisory_xact_lock({HAND_OUT_LOCK})"))):
            return 0
        waiting = select(OutboxRow.event_id).order_by(OutboxRow.event_id).limit(batch).scalar_subquery()
        ids = (
            await session.scalars(
                delete(OutboxRow).where(OutboxRow.event_id.in_(waiting)).returning(OutboxRow.event_id)
            )
        ).all()
        if not ids:
            return 0
        rows = await session.execute(
            select(EventRow.id, EventRow.type, EventRow.object_type, EventRow.object_id)
            .where(EventRow.id.in_(ids))
            .order_by(EventRow.id)
        )
        at = now()
        deliveries = [
            {
                "consumer": consumer,
                "event_id": row.id,
                "object_type": row.object_type,
                "object_id": row.object_id,
                "next_at": at,
            }
            for row in rows
            for consumer in _consumers_of(row.type)
        ]
        if deliveries:
            await session.execute(insert(DeliveryRow), deliveries)
        return len(ids)


def _consumers_of(type_: str) -> Sequence[str]:
    if type_ not in registry:  # of a later release, after a step back: it must not stop what comes behind it
        log.error("unknown event", type=type_)
        return ()
    return wiring().subscriptions.get(registry[type_], ())


async def first_waiting(session: AsyncSession) -> int | None:
    """The event that is handed out next. While the relay works, it is another one each time."""
    return await session.scalar(select(func.min(OutboxRow.event_id)))


async def deliver(database: Database) -> bool:
    """Deal with one due delivery. False when none is due (or others hold them all)."""
    async with database.transaction() as session:
        row = (await session.execute(_next_due(now()))).first()
        if row is None:
            return False
        delivery: DeliveryRow = row[0]
        try:
            async with session.begin_nested():
                await _consume(session, delivery)
        except Exception as error:  # a consumer's defect must not stop the others; it is kept, retried and shown
            await _postpone(session, delivery, error)
        else:
            await session.execute(delete(DeliveryRow).where(DeliveryRow.id == delivery.id))
        return True


async def drain(database: Database, *, most: int = 2000) -> int:
    """Hand out and deliver until nothing is due (or `most` deliveries are done, so that one run ends)."""
    done = 0
    while done < most:
        handed = await hand_out(database)
        ran = 0
        while done < most and await deliver(database):
            done += 1
            ran += 1
        if not handed and not ran:
            break
    return done


def _next_due(at: datetime):  # type: ignore[no-untyped-def]
    earlier = aliased(DeliveryRow)
    blocked = (
        select(1)
        .where(
            earlier.consumer == DeliveryRow.consumer,
            earlier.object_type == DeliveryRow.object_type,
            earlier.object_id == DeliveryRow.object_id,
            earlier.event_id < DeliveryRow.event_id,
            earlier.parked_at.is_(None),
        )
        .exists()
    )
    return (
        select(DeliveryRow)
        .where(DeliveryRow.parked_at.is_(None), DeliveryRow.next_at <= at, ~blocked)
        .order_by(DeliveryRow.event_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


async def _consume(session: AsyncSession, delivery: DeliveryRow) -> None:
    row = (await session.execute(select(*log_columns).where(EventRow.id == delivery.event_id))).one()
    await wiring().consumers[delivery.consumer](session, recorded(row))


def wait_before(attempt: int) -> timedelta:
    """The wait before the next try: doubling from 2 s to an hour, with jitter so that many don't return at once."""
    return min(timedelta(seconds=2 ** min(attempt, 12)), LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311


async def _postpone(session: AsyncSession, delivery: DeliveryRow, error: Exception) -> None:
    attempts = delivery.attempts + 1
    parked = attempts >= MAX_ATTEMPTS
    log.error(
        "consumer failed",
        consumer=delivery.consumer,
        event_id=delivery.event_id,
        attempts=attempts,
        parked=parked,
        exc_info=error,
    )
    await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery.id)
        .values(
            attempts=attempts,
            next_at=now() + wait_before(attempts),
            parked_at=now() if parked else None,
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
    )
