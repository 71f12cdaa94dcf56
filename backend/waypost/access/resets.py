"""A new password for who has forgotten theirs, and the end of a sign-in that was not theirs.

Whoever asks learns nothing: the same is written, answered and counted for a name that is nobody's. The link is made
behind the relay, goes out by mail only, opens once, and for half an hour; a second factor is asked for afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from waypost.access import api_tokens, devices, factors, step_up, throttling, tokens
from waypost.access.actor import Actor
from waypost.access.errors import LinkUsedUp, TooManyAttempts
from waypost.access.events import PasswordResetAsked, SignInDisowned
from waypost.access.models import Credential, OneTimeLink, Passkey, TotpSecret
from waypost.access.permissions import Permission
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.service import set_password
from waypost.access.sessions import Caller, end_all_sessions
from waypost.directory.errors import PersonNotFound
from waypost.directory.models import User
from waypost.directory.queries import by_login
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings

LIFE = timedelta(minutes=30)
NOT_ME_LIFE = timedelta(days=7)
MOST_LINKS = 3  # that open at one time: who is asked for by strangers has got a link all the same
MOST_ASKED = 20  # from one address, before a pause
PASSWORD = "password"  # noqa: S105 - a purpose
NOT_ME = "not_me"


# --- one's own --------------------------------------------------------------------------------------------------------


async def change(database: Database, caller: Caller, actor: Actor, *, password: str, current: str | None) -> None:
    """Set a password of one's own; every other sign-in ends.

    It takes the one before, or that one has just shown to be oneself. Raises `WrongProof`, `StepUpNeeded`,
    `TooManyAttempts` or `WeakPassword`.
    """
    if current is not None:
        await step_up.check_password(database, caller, actor, current, pointer="/current_password")
    async with database.transaction() as session:
        if current is None:
            await step_up.require(session, actor)
        user = (await session.scalars(select(User).where(User.id == actor.user_id).with_for_update())).one()
        await set_password(session, actor, user, password, pointer="/password")
        await _void_links(session, user.id, OneTimeLink.purpose == PASSWORD)
        await devices.forget(session, user.id, but=caller.device)
        await end_all_sessions(session, user.id, "password_set", now(), actor, but=actor.session_id)


async def _void_links(session: AsyncSession, user_id: int, *narrowed: ColumnElement[bool]) -> None:
    theirs = (OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None), *narrowed)
    await session.execute(delete(OneTimeLink).where(*theirs))


# --- forgotten --------------------------------------------------------------------------------------------------------


async def ask(database: Database, caller: Caller, *, username: str) -> None:
    """Ask for a new password by a name. Whether it is somebody's changes nothing here. Raises `TooManyAttempts`."""
    async with database.read() as session:
        user_id = await session.scalar(select(User.id).where(by_login(username), User.is_active))
    async with database.transaction() as session:
        waiting = await throttling.count_try(session, f"reset:{caller.network}", MOST_ASKED)
        if not waiting:
            asked = PasswordResetAsked(user_id=user_id or 0, ip_address=caller.ip_address)
            await record(session, asked, actor=SYSTEM)
    if waiting:
        raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())


async def send(session: AsyncSession, caller: Caller, actor: Actor, user_id: int) -> None:
    """Let somebody have a link for a new password by mail, as an administrator. Raises `PersonNotFound`."""
    actor.require(Permission.DIRECTORY_CONFIGURE)
    if await session.scalar(select(User.id).where(User.id == user_id, User.is_active)) is None:
        raise PersonNotFound
    await record(session, PasswordResetAsked(user_id=user_id, ip_address=caller.ip_address), actor=actor)


async def elsewhere(session: AsyncSession, user_id: int) -> str | None:
    """By which provider somebody signs in who has no password here; None when they have one, or no provider."""
    if await session.scalar(select(Credential.user_id).where(Credential.user_id == user_id)):
        return None
    return await session.scalar(
        select(IdentityProvider.name)
        .join(Identity, Identity.provider_id == IdentityProvider.id)
        .where(Identity.user_id == user_id, IdentityProvider.is_on, IdentityProvider.kind != "scim")
        .order_by(Identity.id)
        .limit(1)
    )


async def make_link(session: AsyncSession, user_id: int) -> str | None:
    """A link to a new password; None while as many as may be are open."""
    at = now()
    open_ones = select(func.count()).where(
        OneTimeLink.user_id == user_id,
        OneTimeLink.purpose == PASSWORD,
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at.between(at, at + LIFE),
    )
    if int(await session.scalar(open_ones) or 0) >= MOST_LINKS:
        return None
    token = random_token("wpl_")
    session.add(OneTimeLink(token_hash=tokens.hash_token(token), user_id=user_id, expires_at=at + LIFE))
    await session.flush()
    return f"{get_settings().origin}/reset#{token}"


# --- "this was not me" ------------------------------------------------------------------------------------------------


async def make_not_me_link(session: AsyncSession, user_id: int, since: datetime) -> str:
    """A link by which somebody says that the sign-in of that moment was not theirs."""
    token = random_token("wpn_")
    session.add(
        OneTimeLink(
            token_hash=tokens.hash_token(token),
            user_id=user_id,
            purpose=NOT_ME,
            since=since,
            expires_at=now() + NOT_ME_LIFE,
        )
    )
    await session.flush()
    return f"{get_settings().origin}/not-me#{token}"


async def disown(session: AsyncSession, caller: Caller, *, token: str) -> None:
    """Void the password, end every sign-in, take away what was added since, and send a link. Raises `LinkUsedUp`."""
    at = now()
    link = (
        await session.execute(
            update(OneTimeLink)
            .where(
                OneTimeLink.token_hash == tokens.hash_token(token),
                OneTimeLink.purpose == NOT_ME,
                OneTimeLink.used_at.is_(None),
                OneTimeLink.expires_at > at,
            )
            .values(used_at=at)
            .returning(OneTimeLink.user_id, OneTimeLink.since)
        )
    ).first()
    if link is None or not await session.scalar(select(User.is_active).where(User.id == link.user_id)):
        raise LinkUsedUp
    user_id, since = link
    person = Actor(user_id=user_id, username="", session_id=None, permissions={})
    await _void_links(session, user_id)
    await session.execute(delete(Credential).where(Credential.user_id == user_id))
    await devices.forget(session, user_id)
    added = await session.scalars(
        delete(Passkey).where(Passkey.user_id == user_id, Passkey.created_at >= since).returning(Passkey.id)
    )
    passkeys = len(added.all())
    unsure = or_(TotpSecret.confirmed_at.is_(None), TotpSecret.confirmed_at >= since)
    await session.execute(delete(TotpSecret).where(TotpSecret.user_id == user_id, unsure))
    await factors.void_unneeded_codes(session, user_id)
    await session.execute(delete(Identity).where(Identity.user_id == user_id, Identity.created_at >= since))
    revoked = await api_tokens.revoke_all(session, person, user_id, "disowned", since=since)
    await end_all_sessions(session, user_id, "disowned", at, person)
    done = SignInDisowned(user_id=user_id, ip_address=caller.ip_address, passkeys=passkeys, tokens=revoked)
    await record(session, done, actor=person, at=at)
    await record(session, PasswordResetAsked(user_id=user_id, ip_address=caller.ip_address), actor=person, at=at)
