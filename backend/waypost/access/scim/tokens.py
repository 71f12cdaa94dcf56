"""A provider's tokens: made once, shown once, two at most, so that one can take over from the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim2_models import UnauthorizedException
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import throttling
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.people import mapped_roles
from waypost.access.scim.errors import Throttled, TokenNotFound, TokensUsedUp
from waypost.access.scim.events import ScimTokenMade, ScimTokenRevoked
from waypost.access.scim.models import ScimToken
from waypost.access.service import check_holds
from waypost.access.tokens import hash_token
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.events import record
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings

KIND = "scim"
MOST = 2
SHOWN = 12  # characters of a token that tell which one it is
USED_EVERY = timedelta(minutes=1)
_SHAPE = re.compile(r"wsc_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Known:
    """Whose token it is."""

    provider: IdentityProvider
    mail_domain: str


class Waiting(Throttled):
    """Too many tokens that are none came from this address."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.retry_after = seconds


async def recognise(authorization: str, network: str) -> Known:
    """The provider behind a request. Raises `UnauthorizedException`, or `Waiting` for an address that tries too often.

    A right token always passes, so that nobody can lock a provider out from its own address.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    at = now()
    if scheme.lower() == "bearer" and _SHAPE.fullmatch(token):
        async with database().read() as session:
            row = (
                await session.execute(
                    select(ScimToken, IdentityProvider)
                    .join(IdentityProvider, IdentityProvider.id == ScimToken.provider_id)
                    .where(
                        ScimToken.token_hash == hash_token(token),
                        ScimToken.revoked_at.is_(None),
                        ScimToken.expires_at > at,
                        IdentityProvider.is_on,
                        IdentityProvider.kind == KIND,
                    )
                )
            ).first()
        if row is not None:
            await _used(row[0], row[1], at)
            return Known(row[1], str(row[1].settings.get("mail_domain") or ""))
    async with database().transaction() as session:
        key = f"scim:{network}"
        waiting = await throttling.seconds_to_wait(session, [key], at)
        waiting = waiting or await throttling.count_try(session, key, get_settings().login_attempts_per_address)
    if waiting:
        raise Waiting(waiting)
    raise UnauthorizedException(detail="A provider's token is needed, as Authorization: Bearer.")


async def _used(token: ScimToken, provider: IdentityProvider, at: datetime) -> None:
    """Remember, to the minute, that a token is in use."""
    if token.used_at is not None and at - token.used_at < USED_EVERY:
        return
    async with database().transaction() as session:
        await session.execute(update(ScimToken).where(ScimToken.id == token.id).values(used_at=at))
        await session.execute(update(IdentityProvider).where(IdentityProvider.id == provider.id).values(worked_at=at))


async def make(session: AsyncSession, actor: Actor, provider: IdentityProvider, *, days: int) -> tuple[ScimToken, str]:
    """A new token, and the one time it is told. Raises `TokensUsedUp`."""
    actor.require(Permission.IDENTITY_CONFIGURE)
    await check_holds(session, actor, await mapped_roles(session, provider.id))
    at = now()
    await session.execute(
        select(IdentityProvider.id).where(IdentityProvider.id == provider.id).with_for_update(key_share=True)
    )
    if len([t for t in await of_provider(session, provider.id) if t.expires_at > at]) >= MOST:
        raise TokensUsedUp
    token = random_token("wsc_")
    row = ScimToken(
        provider_id=provider.id,
        token_hash=hash_token(token),
        prefix=token[:SHOWN],
        created_by_id=actor.user_id,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(row)
    await session.flush()
    told = ScimTokenMade(
        provider_id=provider.id,
        name=provider.name,
        token_id=row.id,
        prefix=row.prefix,
        expires_at=row.expires_at.isoformat(),
    )
    await record(session, told, actor=actor, at=at)
    return row, token


async def revoke(session: AsyncSession, actor: Actor, provider: IdentityProvider, token_id: int) -> None:
    """Take a token back: it opens nothing from now on. Raises `TokenNotFound`."""
    actor.require(Permission.IDENTITY_CONFIGURE)
    row = await session.scalar(
        select(ScimToken)
        .where(ScimToken.id == token_id, ScimToken.provider_id == provider.id, ScimToken.revoked_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise TokenNotFound
    row.revoked_at = now()
    await session.flush()
    told = ScimTokenRevoked(provider_id=provider.id, name=provider.name, token_id=row.id, prefix=row.prefix)
    await record(session, told, actor=actor)


async def of_provider(session: AsyncSession, provider_id: int) -> list[ScimToken]:
    """A provider's tokens that nobody took back, expired ones too; the newest first, and at most ten."""
    wanted = select(ScimToken).where(ScimToken.provider_id == provider_id, ScimToken.revoked_at.is_(None))
    return list(await session.scalars(wanted.order_by(ScimToken.id.desc()).limit(10)))
