"""What an administrator does for somebody's account: editing it, a first password, their sessions.

Whoever holds somebody's address or a link to set their password can become them. So these are done by those who may as
much as that person themselves, and an address is changed only by who has just shown to be the one who is signed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import role_rules, service, sessions, step_up
from waypost.access.actor import Actor
from waypost.access.errors import HasPassword, MayMore, SessionNotFound
from waypost.access.events import PasswordLinkMade
from waypost.access.models import Credential, LoginSession, OneTimeLink, Passkey, RecoveryCode, TotpSecret
from waypost.access.permissions import Permission
from waypost.access.queries import actors, scopes_granted
from waypost.directory import editing
from waypost.directory.errors import PersonNotFound
from waypost.directory.models import User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import EventRow, record
from waypost.kernel.paging import decode_cursor, encode_cursor

OPENS = ("username", "email")  # what somebody signs in with, and is sent links to


async def one_user(session: AsyncSession, user_id: int) -> User:
    """The person, active or not. Raises `PersonNotFound`."""
    user = await session.get(User, user_id)
    if user is None:
        raise PersonNotFound
    return user


async def check_may_as_much(session: AsyncSession, actor: Actor, user_id: int) -> None:
    """Raises `MayMore` for an account that opens more than one's own, or would once it is let in again.

    Who configures roles can open all anyway; but where giving power takes two, nobody becomes the second one.
    """
    if user_id == actor.user_id:
        return
    theirs = await scopes_granted(session, user_id)
    if Permission.ROLES_CONFIGURE in theirs and await role_rules.needs_two(session):
        raise MayMore
    if not actor.may(Permission.ROLES_CONFIGURE) and any(actor.permissions.get(p, 0) < s for p, s in theirs.items()):
        raise MayMore


async def edit_user(
    session: AsyncSession,
    actor: Actor,
    user_id: int,
    *,
    version: int | None,
    values: Mapping[str, Any],
    is_proved: bool = False,
) -> User:
    """Change what is known of somebody, of the version one read (None: of any). Raises what `editing.edit_user` does,
    `MayMore`, or for another address or username `StepUpNeeded`, unless the caller has asked for it (`is_proved`)."""
    actor.require(Permission.DIRECTORY_CONFIGURE)
    user = await one_user(session, user_id)
    if any(field in values and getattr(user, field) != values[field] for field in OPENS):
        await check_may_as_much(session, actor, user_id)
        if not is_proved:
            await step_up.require(session, actor)
    is_moved = "email" in values and values["email"] != user.email
    changed = await editing.edit_user(session, actor, user_id, version=version, values=values)
    if is_moved:
        # a link that waits in the old mailbox opens nothing any more
        await session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None)))
    return changed


async def make_first_password_link(session: AsyncSession, actor: Actor, user_id: int) -> tuple[str, datetime]:
    """A link for somebody who has no password yet, and until when it works; earlier ones open nothing any more.

    Raises `PersonNotFound`, `HasPassword`, `MayMore` or `StepUpNeeded`.
    """
    actor.require(Permission.DIRECTORY_CONFIGURE)
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise PersonNotFound
    if not user.is_active:
        raise invalid_field("/user_id", "does not work here any more")
    if await session.scalar(select(Credential.user_id).where(Credential.user_id == user_id)) is not None:
        raise HasPassword
    await check_may_as_much(session, actor, user_id)
    await step_up.require(session, actor)
    await session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None)))
    link = await service.make_password_link(session, user_id)
    await record(session, PasswordLinkMade(user_id=user_id), actor=actor)
    return link, now() + service.LINK_LIFE


async def end_sessions(session: AsyncSession, actor: Actor, user_id: int) -> int:
    """End every sign-in of somebody; how many there were."""
    actor.require(Permission.SESSIONS_MANAGE)
    await one_user(session, user_id)
    live = (LoginSession.user_id == user_id, LoginSession.ended_at.is_(None), LoginSession.expires_at > now())
    count = await session.scalar(select(func.count()).select_from(LoginSession).where(*live)) or 0
    await sessions.end_all_sessions(session, user_id, "ended_by_admin", now(), actor)
    return count


async def end_one_session(session: AsyncSession, actor: Actor, user_id: int, session_id: int) -> None:
    """End one sign-in of somebody. Raises `SessionNotFound`."""
    actor.require(Permission.SESSIONS_MANAGE)
    login = await session.scalar(
        select(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
        .with_for_update()
    )
    if login is None:
        raise SessionNotFound
    await sessions.end_session(session, login, "ended_by_admin", now(), actor)
    actors.forget(session_id)


async def security_of(session: AsyncSession, user_id: int) -> dict[str, Any]:
    """How somebody signs in, without anything that opens their account. Raises `PersonNotFound`."""
    user = await one_user(session, user_id)
    password = await session.scalar(select(Credential.changed_at).where(Credential.user_id == user_id))
    app = await session.scalar(
        select(TotpSecret.confirmed_at).where(TotpSecret.user_id == user_id, TotpSecret.confirmed_at.is_not(None))
    )
    passkeys = await session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id).limit(100))
    codes = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    link = await session.scalar(
        select(func.max(OneTimeLink.expires_at)).where(
            OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now()
        )
    )
    return {
        "signed_in_at": user.signed_in_at and rfc3339(user.signed_in_at),
        "password_set_at": password and rfc3339(password),
        "authenticator_since": app and rfc3339(app),
        "passkeys": [
            {"name": p.name, "created_at": rfc3339(p.created_at), "used_at": p.used_at and rfc3339(p.used_at)}
            for p in passkeys
        ],
        "recovery_codes_left": await session.scalar(codes) or 0,
        "link_expires_at": link and rfc3339(link),
    }


# Facts about a person's account; that they were told something is theirs.
_HISTORY = ("user.%", "absence.%", "role.%", "auth.%", "erasure.%", "personal_export.%", "phone.%", "identity.%")


async def history_of(
    session: AsyncSession, user_id: int, *, cursor: str | None, limit: int
) -> tuple[list[EventRow], str | None]:
    """What happened to somebody's account, newest first, a page at a time. One statement."""
    await one_user(session, user_id)
    statement = (
        select(EventRow)
        .where(
            EventRow.object_type == "user",
            EventRow.object_id == user_id,
            EventRow.type.like(func.any(list(_HISTORY))),
        )
        .order_by(EventRow.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "person history", int)
        statement = statement.where(EventRow.id < last)
    rows = list(await session.scalars(statement))
    return rows[:limit], encode_cursor("person history", rows[limit - 1].id) if len(rows) > limit else None
