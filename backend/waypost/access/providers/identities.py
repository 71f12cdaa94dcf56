"""By which providers somebody signs in to their account, as they see it themselves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import factors, step_up
from waypost.access.actor import Actor
from waypost.access.models import Credential, LoginSession
from waypost.access.providers import queries
from waypost.access.providers.errors import IdentityNotFound, LastWayIn
from waypost.access.providers.events import IdentityUnlinked
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.providers.registry import signs_in_by_redirect
from waypost.access.queries import actors
from waypost.access.sessions import end_session
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import record


async def of_person(session: AsyncSession, user_id: int) -> dict[str, Any]:
    """The providers linked with an account, and those that are not."""
    rows = await session.execute(
        select(Identity, IdentityProvider)
        .join(IdentityProvider, IdentityProvider.id == Identity.provider_id)
        .where(Identity.user_id == user_id)
        .order_by(func.lower(IdentityProvider.name), Identity.id)
        .limit(100)
    )
    items, linked = [], set()
    for identity, provider in rows:
        if not signs_in_by_redirect(provider.kind):
            continue
        linked.add(provider.key)
        items.append(
            {
                "id": identity.id,
                "provider": {"key": provider.key, "name": provider.name, "kind": provider.kind},
                "is_on": provider.is_on,
                "created_at": rfc3339(identity.created_at),
                "used_at": rfc3339(identity.used_at) if identity.used_at else None,
            }
        )
    ways = await queries.ways_to_sign_in(session)
    return {"items": items, "more": [w for w in ways if w["key"] not in linked], "next_cursor": None}


async def unlink(session: AsyncSession, actor: Actor, identity_id: int) -> None:
    """Do without a provider. Raises `IdentityNotFound`, `StepUpNeeded`, or `LastWayIn` when nothing else lets one in."""
    row = await session.scalar(
        select(Identity).where(Identity.id == identity_id, Identity.user_id == actor.user_id).with_for_update()
    )
    if row is None:
        raise IdentityNotFound
    await step_up.require(session, actor)
    others = exists().where(Identity.user_id == actor.user_id, Identity.id != identity_id)
    has_other = await session.scalar(
        select(others | exists().where(Credential.user_id == actor.user_id))
    ) or await factors.has_passkey(session, actor.user_id)
    if not has_other:
        raise LastWayIn
    await session.delete(row)
    live = select(LoginSession).where(
        LoginSession.user_id == actor.user_id,
        LoginSession.provider_id == row.provider_id,
        LoginSession.ended_at.is_(None),
        LoginSession.id != actor.session_id,
    )
    at = now()
    for login in await session.scalars(live.order_by(LoginSession.id).with_for_update()):
        await end_session(session, login, "unlinked", at, actor)
        actors.forget(login.id)
    await record(session, IdentityUnlinked(user_id=actor.user_id, provider_id=row.provider_id), actor=actor, at=at)
