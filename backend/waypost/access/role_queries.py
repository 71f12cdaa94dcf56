"""Reading roles, who has them, and what waits for a second administrator; as clients read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.models import Role, RoleChange, RolePermission, UserRole, held
from waypost.access.permissions import Permission, Scope
from waypost.access.providers.models import IdentityProvider
from waypost.access.reach import (
    ADMINISTRATOR,
    KEPT_BY_ADMINISTRATORS,
    PRIVILEGED,
    counts_as,
    gives_power,
    reach_of,
)
from waypost.access.role_changes import may_confirm
from waypost.access.role_confirmers import MOST_NAMED, confirmers
from waypost.access.role_errors import ChangeNotFound
from waypost.access.role_rules import able_to_confirm, granted_by_roles, needs_two, rules
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.paging import after, decode_cursor, encode_cursor

Json = dict[str, Any]


def permission_list() -> Json:
    """Every permission there is, in the order a screen groups them."""
    return {
        "items": [
            {
                "permission": p.value,
                "room": p.value.partition(":")[0],
                "label_key": p.value.replace(":", "."),
                "scopes": [s.name for s in reach_of(p)],
                "is_privileged": p in PRIVILEGED,
                "is_kept_by_administrators": p in KEPT_BY_ADMINISTRATORS,
            }
            for p in sorted(Permission)
        ]
    }


async def roles_json(session: AsyncSession, actor: Actor, rows: Sequence[Role]) -> list[Json]:
    """Roles with what they grant and how many people have them: two statements for all of them."""
    granted = await granted_by_roles(session, [r.id for r in rows])
    counted = await session.execute(
        select(UserRole.role_id, func.count().label("n"))
        .join(User, User.id == UserRole.user_id)
        .where(UserRole.role_id.in_([r.id for r in rows]), User.is_active, held())
        .group_by(UserRole.role_id)
    )
    people = {row.role_id: int(row.n) for row in counted}
    may = actor.may(Permission.ROLES_CONFIGURE)
    return [
        {
            "id": r.id,
            "key": r.key,
            "name": r.name,
            "description": r.description,
            "is_system": r.is_system,
            "is_privileged": r.is_privileged,
            "gives_power": gives_power(granted[r.id], is_marked=r.is_privileged),
            "needs_second_factor": r.needs_second_factor,
            "session_idle_minutes": r.session_idle_minutes,
            "session_absolute_minutes": r.session_absolute_minutes,
            "permissions": {
                p.value: s.name for p, stored in sorted(granted[r.id].items()) if (s := counts_as(p, stored))
            },
            "people_count": people.get(r.id, 0),
            "version": r.version,
            "allowed_actions": [*(["edit", "grant"] if may else []), *(["remove"] if may and not r.is_system else [])],
        }
        for r in rows
    ]


async def role_json(session: AsyncSession, actor: Actor, role: Role) -> Json:
    """One role."""
    return (await roles_json(session, actor, [role]))[0]


async def role_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> Json:
    """Roles by key."""
    statement = select(Role).order_by(Role.key).limit(limit + 1)
    if cursor:
        (key,) = decode_cursor(cursor, "roles", str)
        statement = statement.where(Role.key > key)
    rows = list(await session.scalars(statement))
    following = encode_cursor("roles", rows[limit - 1].key) if len(rows) > limit else None
    return {"items": await roles_json(session, actor, rows[:limit]), "next_cursor": following}


# --- who has them -----------------------------------------------------------------------------------------------------


async def people_page(session: AsyncSession, actor: Actor, role: Role, *, cursor: str | None, limit: int) -> Json:
    """Those who have a role now, by name."""
    name = func.lower(User.last_name)
    statement = (
        select(UserRole, User, name.label("key"))
        .join(User, User.id == UserRole.user_id)
        .where(UserRole.role_id == role.id, held())
        .order_by(name, User.id)
        .limit(limit + 1)
    )
    if cursor:
        last, last_id = decode_cursor(cursor, "people of a role", str, int)
        statement = statement.where(after([(name, last, False), (User.id, last_id, False)]))
    rows = (await session.execute(statement)).all()
    following = None
    if len(rows) > limit:
        end = rows[limit - 1]
        following = encode_cursor("people of a role", end.key, end.User.id)
    return {
        "items": await _grants(session, actor, [(g, u, role) for g, u, _ in rows[:limit]]),
        "next_cursor": following,
    }


async def grants_of(session: AsyncSession, actor: Actor, user: User) -> Json:
    """The roles somebody has now, each with who gave it and until when; and those that wait for a second administrator."""
    rows = await session.execute(
        select(UserRole, Role)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.user_id == user.id, held())
        .order_by(Role.key)
        .limit(100)
    )
    waiting = await session.scalars(
        select(RoleChange)
        .where(RoleChange.user_id == user.id, RoleChange.settled_at.is_(None), RoleChange.expires_at > now())
        .order_by(RoleChange.id)
        .limit(100)
    )
    may = actor.may(Permission.ROLES_CONFIGURE) and user.is_active
    return {
        "items": await _grants(session, actor, [(g, user, r) for g, r in rows]),
        "waiting": await changes_json(session, actor, list(waiting)),
        "needs_two": await needs_two(session),
        "allowed_actions": ["give"] if may else [],
    }


async def grants_of_permissions(session: AsyncSession, user_id: int, words: Sequence[str]) -> list[Json]:
    """By which of their roles somebody has these permissions, how far, and until when."""
    rows = await session.execute(
        select(RolePermission.permission, RolePermission.scope, Role.key, Role.name, UserRole.expires_at)
        .join(Role, Role.id == RolePermission.role_id)
        .join(UserRole, UserRole.role_id == Role.id)
        .where(UserRole.user_id == user_id, RolePermission.permission.in_(words), held())
        .order_by(RolePermission.permission, Role.key)
    )
    return [
        {
            "permission": word,
            "scope": Scope(scope).name,
            "key": key,
            "name": name,
            "expires_at": expires_at and rfc3339(expires_at),
        }
        for word, scope, key, name, expires_at in rows
    ]


async def one_grant(session: AsyncSession, actor: Actor, role: Role, user_id: int) -> Json:
    """How somebody has a role now."""
    statement = (
        select(UserRole, User)
        .join(User, User.id == UserRole.user_id)
        .where(UserRole.role_id == role.id, UserRole.user_id == user_id)
    )
    grant, user = (await session.execute(statement)).one()
    return (await _grants(session, actor, [(grant, user, role)]))[0]


async def _grants(session: AsyncSession, actor: Actor, rows: list[tuple[UserRole, User, Role]]) -> list[Json]:
    by = sorted({g.provider_id for g, _, _ in rows if g.provider_id is not None})
    providers = {}
    if by:
        named = select(IdentityProvider.id, IdentityProvider.name).where(IdentityProvider.id.in_(by))
        providers = {row.id: {"id": row.id, "name": row.name} for row in await session.execute(named)}
    may = actor.may(Permission.ROLES_CONFIGURE)
    people = await names.people(session, [i for g, u, _ in rows for i in (u.id, g.granted_by_id)])
    return [
        {
            "user": people[u.id],
            "is_active": u.is_active,
            "role": {"id": r.id, "key": r.key, "name": r.name},
            "granted_at": g.granted_at and rfc3339(g.granted_at),
            "granted_by": people.get(g.granted_by_id),
            "reason": g.reason,
            "expires_at": g.expires_at and rfc3339(g.expires_at),
            "provider": providers.get(g.provider_id),
            "allowed_actions": ["take"] if may and g.provider_id is None else [],
        }
        for g, u, r in rows
    ]


# --- what waits -------------------------------------------------------------------------------------------------------


async def change_page(session: AsyncSession, actor: Actor, *, is_open: bool, cursor: str | None, limit: int) -> Json:
    """The changes that wait for a second administrator, or those that are settled; newest first."""
    settled = RoleChange.settled_at.is_not(None) | (RoleChange.expires_at <= now())
    statement = (
        select(RoleChange).where(~settled if is_open else settled).order_by(RoleChange.id.desc()).limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "role changes", int)
        statement = statement.where(RoleChange.id < last)
    rows = list(await session.scalars(statement))
    following = encode_cursor("role changes", rows[limit - 1].id) if len(rows) > limit else None
    return {"items": await changes_json(session, actor, rows[:limit]), "next_cursor": following}


async def find_change(session: AsyncSession, change_id: int) -> RoleChange:
    """The change, settled or not. Raises `ChangeNotFound`."""
    row = await session.get(RoleChange, change_id)
    if row is None:
        raise ChangeNotFound
    return row


async def changes_json(session: AsyncSession, actor: Actor, rows: Sequence[RoleChange]) -> list[Json]:
    """Changes with what was and what is wanted; `allowed_actions` are the reader's."""
    ids = {i for c in rows for i in (c.role_id, c.wanted.get("move_to_id")) if i is not None}
    found = {r.id: r for r in await session.scalars(select(Role).where(Role.id.in_(sorted(ids))))}
    at = now()
    over = {c.id: c.settled_at is not None or c.expires_at <= at for c in rows}
    able = await confirmers(session, [c for c in rows if not over[c.id]], {i: r.key for i, r in found.items()})
    shown = {i: ids[:MOST_NAMED] for i, ids in able.items()}
    wanted = [i for c in rows for i in (c.user_id, c.asked_by_id, c.settled_by_id, *shown.get(c.id, ()))]
    people = await names.people(session, wanted)
    return [
        _change(c, found, people, actor, is_over=over[c.id])
        | {"waits_for": [people[i] for i in shown.get(c.id, ()) if i in people]}
        for c in rows
    ]


def _change(
    c: RoleChange, found: dict[int, Role], people: dict[int | None, Json], actor: Actor, *, is_over: bool
) -> Json:
    role = found.get(c.role_id or 0)
    moved = found.get(c.wanted.get("move_to_id") or 0)
    is_outdated = not is_over and role is not None and role.version != c.role_version
    may = may_confirm(actor, c, role.key if role else None) and not is_outdated
    theirs = [*(["confirm"] if may else []), *(["refuse"] if actor.may(Permission.ROLES_CONFIGURE) else [])]
    return {
        "id": c.id,
        "kind": c.kind,
        "role": {"id": role.id, "key": role.key, "name": role.name} if role else None,
        "user": people.get(c.user_id),
        "move_to": {"id": moved.id, "key": moved.key, "name": moved.name} if moved else None,
        "until": c.wanted.get("expires_at"),
        "before": _side(c.before),
        "after": _side(c.wanted),
        "reason": c.reason,
        "asked_by": people.get(c.asked_by_id),
        "created_at": rfc3339(c.created_at),
        "expires_at": rfc3339(c.expires_at),
        "outcome": c.outcome or ("EXPIRED" if is_over else None),
        "settled_by": people.get(c.settled_by_id),
        "settled_at": c.settled_at and rfc3339(c.settled_at),
        "is_outdated": is_outdated,
        "allowed_actions": [] if is_over else theirs,
    }


def _side(kept: Json) -> Json | None:
    return kept if "permissions" in kept else None


async def rules_json(session: AsyncSession, actor: Actor) -> Json:
    """Whether giving power takes two here; `others` counts who else could confirm what the reader asks for."""
    kept = await rules(session)
    waits = await session.scalar(
        select(RoleChange.id).where(
            RoleChange.kind == "RULE", RoleChange.settled_at.is_(None), RoleChange.expires_at > now()
        )
    )
    return {
        "needs_two": kept.needs_two,
        "version": kept.version,
        "others": len(await able_to_confirm(session, (actor.user_id,))),
        "waits": waits is not None,
        "administrator_key": ADMINISTRATOR,
        "may_change": actor.may(Permission.ROLES_CONFIGURE),
    }
