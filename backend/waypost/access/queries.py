"""Who is asking, and what may they do: read in one statement, kept for a second per process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import HELD, Credential, LoginSession, Role, RolePermission, UserRole, held
from waypost.access.permissions import Permission, Scope
from waypost.access.providers.models import IdentityProvider
from waypost.access.session_times import ABSOLUTE, ENDS, IDLE, Times, end_of, installed, minutes
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.paging import after, decode_cursor, encode_cursor

FRESH = 1.0  # a revoked session or a changed right is in force after at most this many seconds
KEPT = 10_000

FACTS = f"""
    SELECT u.id, u.username,
      (SELECT coalesce(jsonb_object_agg(p.permission, p.scope), '{{}}'::jsonb) FROM
        (SELECT rp.permission, max(rp.scope) AS scope FROM user_roles ur
           JOIN role_permissions rp ON rp.role_id = ur.role_id WHERE ur.user_id = u.id AND {HELD}
           GROUP BY rp.permission) p) AS permissions,
      (SELECT min(ur.expires_at) FROM user_roles ur WHERE ur.user_id = u.id AND {HELD}) AS good_until,
      (SELECT coalesce(array_agg(r.key ORDER BY r.key), '{{}}') FROM user_roles ur JOIN roles r ON r.id = ur.role_id
        WHERE ur.user_id = u.id AND {HELD}) AS roles,
      (SELECT coalesce(array_agg(team_id), '{{}}') FROM team_members WHERE user_id = u.id) AS team_ids,
      (WITH RECURSIVE tree(id) AS (
          SELECT d.id FROM departments d WHERE d.head_id = u.id
          UNION SELECT d.id FROM departments d JOIN tree ON d.parent_id = tree.id)
        SELECT coalesce(array_agg(id), '{{}}') FROM tree) AS department_ids,
      (WITH RECURSIVE below(id, level) AS (
          SELECT r.id, 1 FROM users r WHERE r.manager_id = u.id
          UNION SELECT r.id, below.level + 1 FROM users r JOIN below ON r.manager_id = below.id WHERE below.level < 20)
        SELECT coalesce(array_agg(DISTINCT id), '{{}}') FROM below) AS report_ids
"""  # noqa: S608 - our own words
# A role of theirs needs a second factor, and they have none, and nobody who is trusted with it asked for one.
NEEDS_FACTOR = f"""
      (EXISTS (SELECT 1 FROM user_roles ur JOIN roles r ON r.id = ur.role_id
          WHERE ur.user_id = u.id AND {HELD} AND r.needs_second_factor)
        AND NOT EXISTS (SELECT 1 FROM totp_secrets t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = u.id)
        AND NOT {{vouched}})
        AS must_enrol
"""  # noqa: S608 - our own words
_of_session = text(
    FACTS
    + f", s.renewed_at, {ENDS} AS ends_at,"
    + NEEDS_FACTOR.format(vouched="s.is_vouched")
    + " FROM login_sessions s JOIN users u ON u.id = s.user_id AND u.is_active"
    f" WHERE s.id = :session_id AND s.user_id = :user_id AND s.ended_at IS NULL AND {ENDS} > :at"
)
_limits = text(
    f"SELECT {IDLE} AS idle, {ABSOLUTE} AS absolute, (SELECT x.most_at_once FROM session_rules x) AS most"  # noqa: S608
    " FROM users u WHERE u.id = :user_id"
)
_of_users = text(FACTS + " FROM users u WHERE u.id = ANY(CAST(:user_ids AS bigint[])) AND u.is_active")
_granted = text(FACTS + " FROM users u WHERE u.id = ANY(CAST(:user_ids AS bigint[]))")
_of_user = text(
    FACTS + " FROM users u WHERE u.id = :user_id AND (u.is_active"  # noqa: S608 - our own words
    " OR EXISTS (SELECT 1 FROM service_accounts a WHERE a.user_id = u.id AND a.is_on))"
)


def actor_from(row: Any, session_id: int | None, channel: str) -> Actor:
    """The actor a row of `FACTS` is about."""
    granted = {Permission(k): Scope(v) for k, v in row.permissions.items() if k in _KNOWN}
    return Actor(
        user_id=row.id,
        username=row.username,
        session_id=session_id,
        permissions=granted,
        team_ids=frozenset(row.team_ids),
        department_ids=frozenset(row.department_ids),
        report_ids=frozenset(row.report_ids),
        channel=channel,
        roles=tuple(row.roles),
        # whoever comes through another door (mail, chat, jobs) has shown there who they are
        must_enrol=getattr(row, "must_enrol", False),
        good_until=min((at for at in (row.good_until, getattr(row, "ends_at", None)) if at is not None), default=None),
        renewed_at=getattr(row, "renewed_at", None),
    )


_KNOWN = frozenset(p.value for p in Permission)


async def actor_of_session(session: AsyncSession, *, user_id: int, session_id: int) -> Actor | None:
    """The actor behind a live session; None when it has ended or the person is not active any more."""
    wanted = {"session_id": session_id, "user_id": user_id, "at": now(), **installed()}
    row = (await session.execute(_of_session, wanted)).first()
    return actor_from(row, session_id, "web") if row else None


async def limits_of(session: AsyncSession, user_id: int) -> tuple[Times, int]:
    """How long sign-ins of somebody last, by the house and by their roles, and how many there may be at once."""
    row = (await session.execute(_limits, {"user_id": user_id, **installed()})).one()
    return minutes(idle=row.idle, absolute=row.absolute), int(row.most)


async def actor_of_user(session: AsyncSession, user_id: int, channel: str = "system") -> Actor | None:
    """The actor a person would be, without a session (mail, jobs, visibility checks); None when not active."""
    row = (await session.execute(_of_user, {"user_id": user_id})).first()
    return actor_from(row, None, channel) if row else None


async def actors_of_users(session: AsyncSession, user_ids: Collection[int]) -> dict[int, Actor]:
    """The actors people would be, by id, in one statement; those who are not active are left out."""
    if not user_ids:
        return {}
    rows = await session.execute(_of_users, {"user_ids": list(user_ids)})
    return {row.id: actor_from(row, None, "system") for row in rows}


async def granted_below(session: AsyncSession, permission: Permission, scope: Scope) -> frozenset[int]:
    """The ids of the people whom a role grants a permission that reaches less far than `scope`."""
    rows = await session.scalars(
        select(UserRole.user_id)
        .join(RolePermission, RolePermission.role_id == UserRole.role_id)
        .where(RolePermission.permission == permission.value, RolePermission.scope < scope.value, held())
        .distinct()
    )
    return frozenset(rows)


async def password_since(session: AsyncSession, user_id: int) -> datetime | None:
    """Since when somebody has the password they have here; None without one."""
    return await session.scalar(select(Credential.changed_at).where(Credential.user_id == user_id))


class ActorCache:
    """Actors by session, at most `FRESH` seconds old; one whose role or sign-in has ended meanwhile is read anew."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[float, int, Actor]] = OrderedDict()

    async def get(self, database: Database, *, user_id: int, session_id: int) -> Actor | None:
        """The session's actor, from memory when fresh; None when the session has ended."""
        kept = self._kept.get(session_id)
        tick = time.monotonic()
        if kept is not None and kept[1] == user_id and tick - kept[0] < FRESH and kept[2].is_good(now()):
            return kept[2]
        async with database.read() as session:
            actor = await actor_of_session(session, user_id=user_id, session_id=session_id)
        if actor is None:
            self._kept.pop(session_id, None)
            return None
        self._kept[session_id] = (tick, user_id, actor)
        self._kept.move_to_end(session_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return actor

    def forget(self, session_id: int) -> None:
        """Ask the database again next time."""
        self._kept.pop(session_id, None)

    def forget_all(self) -> None:
        """Ask the database again for everybody."""
        self._kept.clear()


actors = ActorCache()


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A sign-in that is open: when it ends if it is used no more, and the name of the provider it came by."""

    login: LoginSession
    ends_at: datetime
    provider: str | None


async def session_page(
    session: AsyncSession, user_id: int, *, cursor: str | None, limit: int
) -> tuple[list[OpenSession], str | None]:
    """A person's live sessions, newest first."""
    at, (times, _) = now(), await limits_of(session, user_id)
    statement = (
        select(LoginSession, IdentityProvider.name)
        .outerjoin(IdentityProvider, IdentityProvider.id == LoginSession.provider_id)
        .where(
            LoginSession.user_id == user_id,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > at,
            LoginSession.last_seen_at > at - times.idle,
            LoginSession.created_at > at - times.absolute,
        )
        .order_by(LoginSession.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "sessions", int)
        statement = statement.where(after([(LoginSession.id, last, True)]))
    rows = [
        OpenSession(login, min(login.expires_at, end_of(login, times)), provider)
        for login, provider in await session.execute(statement)
    ]
    following = encode_cursor("sessions", rows[limit - 1].login.id) if len(rows) > limit else None
    return rows[:limit], following


async def roles_of(session: AsyncSession, user_ids: list[int]) -> dict[int, list[dict[str, str]]]:
    """The roles of people as `{key, name}`."""
    rows = await session.execute(
        select(UserRole.user_id, Role.key, Role.name)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.user_id.in_(user_ids), held())
        .order_by(Role.key)
    )
    found: dict[int, list[dict[str, str]]] = {i: [] for i in user_ids}
    for row in rows:
        found[row.user_id].append({"key": row.key, "name": row.name})
    return found


async def role_names(session: AsyncSession, role_ids: Collection[int]) -> list[dict[str, str]]:
    """These roles as `{key, name}`, by key."""
    rows = await session.execute(select(Role.key, Role.name).where(Role.id.in_(role_ids)).order_by(Role.key))
    return [{"key": row.key, "name": row.name} for row in rows]


async def people_with_role(session: AsyncSession, role_key: str) -> list[int]:
    """The ids of the people who have a role, in order; active or not."""
    return (await people_with_roles(session, [role_key])).get(role_key, [])


async def people_with_roles(session: AsyncSession, role_keys: Collection[str]) -> dict[str, list[int]]:
    """The ids of the people who have each of these roles, in order; active or not. One statement."""
    rows = await session.execute(
        select(Role.key, UserRole.user_id)
        .join(UserRole, UserRole.role_id == Role.id)
        .where(Role.key.in_(set(role_keys)), held())
        .order_by(UserRole.user_id)
    )
    found: dict[str, list[int]] = {}
    for key, user_id in rows:
        found.setdefault(key, []).append(user_id)
    return found


async def people_who_may(session: AsyncSession, permission: Permission, ids: Collection[int]) -> frozenset[int]:
    """Those of these people who have a permission, with any scope; active or not."""
    if not ids:
        return frozenset()
    rows = await session.scalars(
        select(UserRole.user_id)
        .join(RolePermission, RolePermission.role_id == UserRole.role_id)
        .where(RolePermission.permission == permission.value, UserRole.user_id.in_(sorted(ids)), held())
    )
    return frozenset(rows)


async def granted_to_all(session: AsyncSession, user_ids: Collection[int]) -> dict[int, list[Permission]]:
    """What these people's roles grant now, whether they are active or not."""
    rows = await session.execute(_granted, {"user_ids": list(user_ids)})
    return {row.id: [Permission(k) for k in row.permissions if k in _KNOWN] for row in rows}


async def scopes_granted(session: AsyncSession, user_id: int) -> dict[Permission, Scope]:
    """What somebody's roles grant now and how far, whether they are let in at the moment or not."""
    row = (await session.execute(_granted, {"user_ids": [user_id]})).first()
    return {Permission(k): Scope(v) for k, v in row.permissions.items() if k in _KNOWN} if row else {}


async def granted_to(session: AsyncSession, user_id: int) -> list[Permission]:
    """What somebody's roles grant now."""
    return (await granted_to_all(session, [user_id])).get(user_id, [])
