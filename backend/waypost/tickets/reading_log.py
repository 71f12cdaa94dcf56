"""Who read a confidential ticket is kept: once per person, ticket and five minutes, by whatever way they read it.

Told before the answer goes out, in a transaction of its own. A process remembers what it told, so reading on costs nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, DateTime, ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.kernel.db import Base, database
from waypost.kernel.events import record
from waypost.tickets.events import TicketRead

AGAIN_AFTER = timedelta(minutes=5)
MOST_REMEMBERED = 20_000
_told: OrderedDict[tuple[int, int], datetime] = OrderedDict()


class ConfidentialRead(Base):
    """When somebody's reading of a confidential ticket was told last."""

    __tablename__ = "confidential_reads"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def note_read(session: AsyncSession, actor: Actor, ticket_id: int) -> None:
    """Keep that this person reads this confidential ticket now. A change they make is kept anyway, so it is none."""
    if session.bind is not database().read_engine:
        return
    await note_reads(actor, (ticket_id,))


async def note_reads(actor: Actor, ticket_ids: Iterable[int]) -> None:
    """Keep that this person reads these confidential tickets now. One statement for all of them, one for each that is new."""
    at = now()
    fresh = [i for i in sorted(set(ticket_ids)) if not _is_told((actor.user_id, i), at)]
    if not fresh:
        return
    async with database().transaction() as own:
        told = insert(ConfidentialRead).values(
            [{"user_id": actor.user_id, "ticket_id": i, "read_at": at} for i in fresh]
        )
        new = await own.scalars(
            told.on_conflict_do_update(
                index_elements=["user_id", "ticket_id"],
                set_={"read_at": told.excluded.read_at},
                where=ConfidentialRead.read_at < told.excluded.read_at - AGAIN_AFTER,
            ).returning(ConfidentialRead.ticket_id)
        )
        for ticket_id in sorted(new):
            await record(own, TicketRead(ticket_id=ticket_id, session_id=actor.session_id), actor=actor, at=at)
    _told.update({(actor.user_id, i): at for i in fresh})
    while len(_told) > MOST_REMEMBERED:
        _told.popitem(last=False)


def _is_told(key: tuple[int, int], at: datetime) -> bool:
    last = _told.get(key)
    return last is not None and abs(at - last) < AGAIN_AFTER
