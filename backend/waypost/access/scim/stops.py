"""A provider that wants to deactivate too many at once: stopped, told to administrators, and let go on by one."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.providers.models import IdentityProvider
from waypost.access.scim.bursts import ALLOWED_FOR, WITHIN
from waypost.access.scim.errors import NotStopped
from waypost.access.scim.events import ProvisioningAllowed, ProvisioningStopped
from waypost.access.scim.models import ScimStop
from waypost.access.scim.people import PUSHED
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import record


async def stop(database: Database, provider_id: int, why: str) -> None:
    """Remember that a provider was stopped; administrators hear of it once an hour, however often it tries."""
    at = now()
    async with database.transaction() as session:
        first = insert(ScimStop).values(provider_id=provider_id, why="", updated_at=at)
        await session.execute(first.on_conflict_do_nothing())
        row = await session.get(ScimStop, provider_id, with_for_update=True)
        provider = await session.get(IdentityProvider, provider_id)
        if row is None or provider is None:
            return  # removed meanwhile
        is_news = row.stopped_at is None or at - row.stopped_at > WITHIN
        row.why, row.updated_at = why, at
        if is_news:
            row.stopped_at = at
            provider.last_error, provider.failed_at = why, at
            await session.flush()
            told = ProvisioningStopped(provider_id=provider_id, name=provider.name, why=why)
            await record(session, told, actor=PUSHED, at=at)


async def allow(session: AsyncSession, actor: Actor, provider: IdentityProvider) -> ScimStop:
    """Let a stopped provider go on for an hour. Raises `NotStopped`."""
    actor.require(Permission.IDENTITY_CONFIGURE)
    at = now()
    row = await session.get(ScimStop, provider.id, with_for_update=True)
    if row is None or row.stopped_at is None:
        raise NotStopped
    row.stopped_at, row.allowed_until, row.allowed_by_id, row.updated_at = None, at + ALLOWED_FOR, actor.user_id, at
    provider.last_error = None
    await session.flush()
    told = ProvisioningAllowed(provider_id=provider.id, name=provider.name, until=(at + ALLOWED_FOR).isoformat())
    await record(session, told, actor=actor, at=at)
    return row
