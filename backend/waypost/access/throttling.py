"""Counting wrong passwords, by account and by address; how they slow further ones down is `throttle`'s to say."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import throttle
from waypost.access.models import Throttle
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings

FORGIVEN_BY_SUCCESS = 10  # failures of an address that a right password makes up for: an office has many people


def account(user_id: int) -> str:
    """The key under which tries for a person's account are counted, whichever of their names is typed."""
    return f"account:{user_id}"


def address(network: str) -> str:
    """The key under which tries from an address are counted."""
    return f"address:{network}"


def policy() -> str:
    """The limit in force, for the `RateLimit-Policy` header."""
    settings = get_settings()
    return f'"login";q={settings.login_attempts};w={settings.login_pause_minutes * 60}'


async def seconds_to_wait(session: AsyncSession, keys: list[str], at: datetime) -> int:
    """How long the next try has to wait, 0 when it may come now."""
    rows = await session.scalars(select(Throttle).where(Throttle.key.in_(keys)))
    return max((throttle.seconds_to_wait(_failures(r), at) for r in rows), default=0)


def _failures(row: Throttle) -> throttle.Failures:
    return throttle.Failures(row.failures, row.level, row.blocked_until, row.updated_at)


async def count_try(session: AsyncSession, key: str, allowed: int) -> int:
    """Count one more try; returns the seconds to wait when this one comes during a pause, and then counts nothing."""
    at = now()
    # made or locked in one statement: between two, somebody who signs in at the same moment could take the row away
    first = insert(Throttle).values(key=key, failures=0, level=0, updated_at=at)
    held = first.on_conflict_do_update(index_elements=["key"], set_={"key": key}).returning(Throttle)
    row = (await session.scalars(held, execution_options={"populate_existing": True})).one()
    before = _failures(row)
    if waiting := throttle.seconds_to_wait(before, at):
        return waiting
    pause = timedelta(minutes=get_settings().login_pause_minutes)
    after = throttle.after_failure(before, at, allowed=allowed, pause=pause)
    row.failures, row.level = after.count, after.level
    row.blocked_until, row.updated_at = after.blocked_until, at
    await session.flush()
    return 0


async def forgive(session: AsyncSession, account_key: str, address_key: str) -> None:
    """After a right password: the account starts anew, and some failures of its address are made up for."""
    await session.execute(delete(Throttle).where(Throttle.key == account_key))
    await session.execute(
        update(Throttle)
        .where(Throttle.key == address_key, Throttle.failures > 0)
        .values(failures=func.greatest(Throttle.failures - FORGIVEN_BY_SUCCESS, 0))
    )


async def forgive_account(session: AsyncSession, key: str) -> None:
    """What is counted under a key starts anew."""
    await session.execute(delete(Throttle).where(Throttle.key == key))


async def take_back(session: AsyncSession, key: str) -> None:
    """Count one try less: it could not be looked at whether it was right."""
    await session.execute(
        update(Throttle).where(Throttle.key == key, Throttle.failures > 0).values(failures=Throttle.failures - 1)
    )
