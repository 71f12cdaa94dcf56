"""Who an account of another system is here: by a stored, verified contact point, never by a name that is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.sealed_numbers import same_digest
from waypost.notifications.models import ContactPoint


async def person_of(database: Database, channel: str, account: str) -> int | None:
    """The person an account is; None when it is nobody's, or that of several."""
    async with database.read() as session:
        found = await session.scalars(
            select(ContactPoint.user_id)
            .join(User, User.id == ContactPoint.user_id)
            .where(
                ContactPoint.channel == channel,
                same_digest(ContactPoint.address, account),
                ContactPoint.address == account,
                ContactPoint.verified_at.is_not(None),
                ContactPoint.stopped_at.is_(None),
                User.is_active,
            )
            .limit(2)
        )
    ids = list(found)
    return ids[0] if len(ids) == 1 else None


async def keep_account(database: Database, channel: str, account: str, email: str) -> int | None:
    """Keep that an account is the person with this address, which the other system has verified; None when nobody is."""
    at = now()
    async with database.transaction() as session:
        user_id = await session.scalar(select(User.id).where(func.lower(User.email) == email.lower(), User.is_active))
        if user_id is None:
            return None
        await keep_point(session, user_id, channel, account, verified_at=at, stopped_at=None)
    return user_id


async def keep_point(
    session: AsyncSession, user_id: int, channel: str, address: str, **learned: datetime | None
) -> None:
    """Keep what was learned about where a person is reached, or is not."""
    row = {"user_id": user_id, "channel": channel, "address": address, "label": "", "created_at": now(), **learned}
    same: list[Any] = ["channel", text("md5(address)"), "user_id"]
    await session.execute(insert(ContactPoint).values(**row).on_conflict_do_update(index_elements=same, set_=learned))


async def note_used(session: AsyncSession, user_id: int, channel: str, address: str, at: datetime) -> None:
    """Keep that a message was brought to an address of theirs."""
    await session.execute(
        update(ContactPoint)
        .where(
            ContactPoint.user_id == user_id,
            ContactPoint.channel == channel,
            same_digest(ContactPoint.address, address),
        )
        .values(used_at=at)
    )
