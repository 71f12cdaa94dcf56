"""Somebody leaves, or comes back. What hangs on them is given on in the same transaction, by who hears of it."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import api_tokens
from waypost.access.actor import Actor
from waypost.access.errors import LastAdministrator
from waypost.access.grants import is_last_administrator
from waypost.access.models import LoginSession, OneTimeLink, Role
from waypost.access.permissions import Permission
from waypost.access.queries import actors
from waypost.access.reach import ADMINISTRATOR
from waypost.access.sessions import end_session
from waypost.directory.errors import PersonNotFound, WasErased
from waypost.directory.events import UserDeactivated, UserReactivated
from waypost.directory.models import SERVICE, User
from waypost.kernel.clock import now
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import Doer, record

__all__ = ["ADMINISTRATOR", "is_last_administrator", "set_active"]


async def set_active(session: AsyncSession, actor: Doer, user_id: int, *, is_active: bool) -> User:
    """Deactivate somebody who leaves, or let them in again; saying the same again changes nothing.

    A person needs the permission to do that; an identity system that is set up for it does it in its own name.
    Raises `PersonNotFound`, `Invalid` for oneself, `LastAdministrator`, and what keeps their work from being given on.
    """
    if isinstance(actor, Actor):
        actor.require(Permission.DIRECTORY_CONFIGURE)
    # Of two administrators who deactivate each other at once, the second is asked to wait for the first.
    await session.execute(select(Role.id).where(Role.key == ADMINISTRATOR).with_for_update())
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None or user.kind == SERVICE:
        raise PersonNotFound
    if user.is_active is is_active:
        return user
    if is_active and user.erased_at is not None:
        raise WasErased
    if not is_active:
        if user_id == actor.person_id:
            raise invalid_field("/is_active", "somebody else has to do this for you")
        if await is_last_administrator(session, user_id):
            raise LastAdministrator
    user.is_active, user.updated_at = is_active, now()
    await session.flush()
    if is_active:
        await record(session, UserReactivated(user_id=user_id), actor=actor)
        return user
    await session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None)))
    live = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
    for login in await session.scalars(live.order_by(LoginSession.id).with_for_update()):
        await end_session(session, login, "deactivated", now(), actor)
        actors.forget(login.id)
    await api_tokens.revoke_all(session, actor, user_id, "deactivated")
    await record(session, UserDeactivated(user_id=user_id), actor=actor)
    return user
