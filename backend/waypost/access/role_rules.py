"""Whether giving power takes two administrators here, and which roles give it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role, RolePermission, RoleRules, UserRole, held
from waypost.access.permissions import Permission, Scope
from waypost.access.reach import gives_power
from waypost.directory.models import User

_KNOWN = {p.value: p for p in Permission}


def as_granted(stored: Mapping[str, int]) -> dict[Permission, Scope]:
    """Stored permissions as this release knows them; words it does not know grant nothing."""
    return {_KNOWN[word]: Scope(scope) for word, scope in stored.items() if word in _KNOWN}


async def rules(session: AsyncSession, *, lock: bool = False) -> RoleRules:
    """The rules in force."""
    statement = select(RoleRules)
    return (await session.scalars(statement.with_for_update() if lock else statement)).one()


async def needs_two(session: AsyncSession) -> bool:
    """Whether a change that gives power waits for a second administrator."""
    return bool(await session.scalar(select(RoleRules.needs_two)))


async def granted_by_roles(session: AsyncSession, role_ids: Collection[int]) -> dict[int, dict[Permission, Scope]]:
    """What each of these roles grants, in one statement."""
    found: dict[int, dict[str, int]] = {i: {} for i in role_ids}
    rows = await session.execute(
        select(RolePermission.role_id, RolePermission.permission, RolePermission.scope).where(
            RolePermission.role_id.in_(sorted(found))
        )
    )
    for role_id, permission, scope in rows:
        found[role_id][permission] = scope
    return {i: as_granted(stored) for i, stored in found.items()}


async def privileged(session: AsyncSession, roles: Collection[Role]) -> list[Role]:
    """Those of these roles that give power."""
    granted = await granted_by_roles(session, [r.id for r in roles])
    return [r for r in roles if gives_power(granted[r.id], is_marked=r.is_privileged)]


async def able_to_confirm(session: AsyncSession, besides: Collection[int | None] = ()) -> list[int]:
    """The active people who may configure roles, without these."""
    rows = await session.scalars(
        select(UserRole.user_id)
        .join(RolePermission, RolePermission.role_id == UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .where(RolePermission.permission == Permission.ROLES_CONFIGURE.value, User.is_active, held())
        .distinct()
        .order_by(UserRole.user_id)
    )
    return [i for i in rows if i not in besides]
