"""Who has a role: given for good or for a time, taken away, ended by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.errors import LastAdministrator, RoleNotFound
from waypost.access.events import RolesGranted
from waypost.access.models import Role, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.reach import ADMINISTRATOR
from waypost.access.role_errors import GivenByProvider, GrantNotFound
from waypost.access.role_events import GrantEnding, GrantExpired, RoleTaken
from waypost.directory.models import User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import SYSTEM, Doer, record

TASK = "roles.end_due"
BATCH = 200
LONGEST = timedelta(days=5 * 366)
# So long before a role ends, its person and who gave it hear of it; of one given for less than twice that, they do not.
WARNED = (timedelta(days=7), timedelta(days=1))


async def find_role(session: AsyncSession, role_id: int, *, lock: bool = False) -> Role:
    """The role. Raises `RoleNotFound`."""
    role = await session.get(Role, role_id, with_for_update=lock or None, populate_existing=lock)
    if role is None:
        raise RoleNotFound
    return role


async def is_last_administrator(session: AsyncSession, user_id: int) -> bool:
    """Whether nobody else who is active administers for good: who does so for a time keeps no house in order."""
    active = (
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Role, Role.id == UserRole.role_id)
        .where(Role.key == ADMINISTRATOR, User.is_active, held())
    )
    others = active.where(User.id != user_id, UserRole.expires_at.is_(None))
    is_other = await session.scalar(select(func.count()).select_from(others.subquery()))
    return not is_other and await session.scalar(active.where(User.id == user_id)) is not None


async def check_grant(
    session: AsyncSession, role: Role, user_id: int, *, expires_at: datetime | None, at: datetime
) -> None:
    """Raises `Invalid` for somebody who is not there or an end that is none, and `LastAdministrator`."""
    known = await session.scalar(select(User.id).where(User.id == user_id, User.is_active))
    if known is None:
        raise invalid_field("/user_id", "there is no such active person")
    if expires_at is None:
        return
    if expires_at <= at:
        raise invalid_field("/expires_at", "has to lie ahead")
    if expires_at > at + LONGEST:
        raise invalid_field("/expires_at", "is too far ahead: give the role for good, or for five years at most")
    if role.key == ADMINISTRATOR and await is_last_administrator(session, user_id):
        raise LastAdministrator


async def give(
    session: AsyncSession,
    doer: Doer,
    role: Role,
    user_id: int,
    *,
    expires_at: datetime | None,
    reason: str,
    at: datetime,
    asked_by_id: int | None = None,
) -> UserRole:
    """Give somebody a role, or change until when they have it. The caller holds the role's lock and has checked."""
    values = {
        "granted_at": at,
        "granted_by_id": asked_by_id or doer.person_id,
        "reason": reason,
        "expires_at": expires_at,
        "told_at": None,
        "provider_id": None,  # given by hand now: no provider takes it away
    }
    given = insert(UserRole).values(user_id=user_id, role_id=role.id, **values)
    await session.execute(given.on_conflict_do_update(index_elements=["user_id", "role_id"], set_=values))
    until = rfc3339(expires_at) if expires_at else None
    event = RolesGranted(user_id=user_id, roles=(role.key,), expires_at=until, reason=reason, asked_by_id=asked_by_id)
    await record(session, event, actor=doer, at=at)
    return (await session.scalars(_grant(role.id, user_id).execution_options(populate_existing=True))).one()


async def take(session: AsyncSession, actor: Actor, role_id: int, user_id: int) -> None:
    """Take a role from somebody, at once.

    Raises `RoleNotFound`, `GrantNotFound`, `GivenByProvider` or `LastAdministrator`.
    """
    actor.require(Permission.ROLES_CONFIGURE)
    # of two administrators who take it from each other at once, the second waits for the first
    role = await find_role(session, role_id, lock=True)
    grant = await session.scalar(_grant(role_id, user_id).where(held()).with_for_update())
    if grant is None:
        raise GrantNotFound
    if grant.provider_id is not None:
        raise GivenByProvider
    if role.key == ADMINISTRATOR and await is_last_administrator(session, user_id):
        raise LastAdministrator
    await session.delete(grant)
    await session.flush()
    await record(session, RoleTaken(user_id=user_id, role_id=role_id, role=role.key), actor=actor)


def _grant(role_id: int, user_id: int) -> Select[UserRole]:
    return select(UserRole).where(UserRole.role_id == role_id, UserRole.user_id == user_id)


async def end_due(database: Database) -> None:
    """Remove what has ended, and say so; and tell of roles that end within a week, and within a day.

    What ended counted nowhere since. Who was not told in time, because nothing ran, is told once.
    """
    at = now()
    async with database.transaction() as session:
        for grant, key in await _due(session, at):
            await session.execute(
                delete(UserRole).where(UserRole.user_id == grant.user_id, UserRole.role_id == grant.role_id)
            )
            assert grant.expires_at is not None
            ended = GrantExpired(
                user_id=grant.user_id,
                role_id=grant.role_id,
                role=key,
                expires_at=rfc3339(grant.expires_at),
                granted_by_id=grant.granted_by_id,
            )
            await record(session, ended, actor=SYSTEM, at=at)
        for grant, key in await _ending(session, at):
            assert grant.expires_at is not None
            grant.told_at = at
            await session.flush()
            ending = GrantEnding(
                user_id=grant.user_id,
                role_id=grant.role_id,
                role=key,
                expires_at=rfc3339(grant.expires_at),
                granted_by_id=grant.granted_by_id,
            )
            await record(session, ending, actor=SYSTEM, at=at)


async def _due(session: AsyncSession, at: datetime) -> list[tuple[UserRole, str]]:
    statement = (
        select(UserRole, Role.key)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.expires_at <= at)
        .order_by(UserRole.expires_at)
        .limit(BATCH)
        .with_for_update(of=UserRole, skip_locked=True)
    )
    return [(grant, key) for grant, key in await session.execute(statement)]


async def _ending(session: AsyncSession, at: datetime) -> list[tuple[UserRole, str]]:
    """Those that end soon and were not told of since: a week before, and a day before."""
    due = or_(
        *(
            and_(
                UserRole.expires_at <= at + before,
                UserRole.granted_at < UserRole.expires_at - 2 * before,
                or_(UserRole.told_at.is_(None), UserRole.told_at < UserRole.expires_at - before),
            )
            for before in WARNED
        )
    )
    statement = (
        select(UserRole, Role.key)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.expires_at > at, due)
        .order_by(UserRole.expires_at)
        .limit(BATCH)
        .with_for_update(of=UserRole, skip_locked=True)
    )
    return [(grant, key) for grant, key in await session.execute(statement)]
