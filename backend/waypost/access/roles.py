"""Roles themselves: added, changed, removed. What gives power may wait for a second administrator (`role_changes`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, delete, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.events import RoleCreated
from waypost.access.grants import find_role
from waypost.access.models import Role, RolePermission, RoleRules, UserRole, held
from waypost.access.permissions import SYSTEM_ROLES, Permission, Scope
from waypost.access.reach import counts_as, faults, settled
from waypost.access.role_errors import KeyTaken, RoleInUse, RoleIsSystem
from waypost.access.role_events import RoleChanged, RoleRemoved
from waypost.access.role_rules import granted_by_roles
from waypost.access.role_uses import uses_of_role
from waypost.kernel.errors import FieldError, Invalid, escape_pointer, invalid_field
from waypost.kernel.events import Doer, record


@dataclass(frozen=True, slots=True)
class Wanted:
    """A role as it is to be."""

    name: str
    description: str
    is_privileged: bool
    permissions: Mapping[Permission, Scope]

    def as_json(self) -> dict[str, Any]:
        """As a change keeps it: scopes by name."""
        return {
            "name": self.name,
            "description": self.description,
            "is_privileged": self.is_privileged,
            "permissions": {p.value: s.name for p, s in sorted(self.permissions.items())},
        }


def wanted_of(kept: Mapping[str, Any]) -> Wanted:
    """A role as a change keeps it; a word this release does not know is left out."""
    known = {p.value: p for p in Permission}
    granted = {known[w]: Scope[s] for w, s in kept["permissions"].items() if w in known}
    return Wanted(kept["name"], kept["description"], kept["is_privileged"], granted)


async def as_it_is(session: AsyncSession, role: Role) -> Wanted:
    """The role in force, in the same shape."""
    stored = (await granted_by_roles(session, [role.id]))[role.id]
    granted = {p: reached for p, scope in stored.items() if (reached := counts_as(p, scope))}
    return Wanted(role.name, role.description, role.is_privileged, granted)


def check(key: str, granted: Mapping[Permission, Scope]) -> None:
    """Raises `Invalid` naming each permission that cannot be so."""
    if wrong := faults(key, granted):
        raise Invalid(
            errors=tuple(FieldError(f"/permissions/{escape_pointer(f.permission.value)}", f.message) for f in wrong)
        )


async def add(session: AsyncSession, doer: Doer, *, key: str, wanted: Wanted) -> Role:
    """Add a role. Raises `Invalid`, or `KeyTaken`."""
    granted = settled(wanted.permissions)
    check(key, granted)
    made = await session.scalar(
        pg_insert(Role)
        .values(key=key, name=wanted.name, description=wanted.description, is_privileged=wanted.is_privileged)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Role.id)
    )
    if made is None:
        raise KeyTaken
    await _grant(session, made, granted)
    words = {p.value: int(s) for p, s in granted.items()}
    await record(session, RoleCreated(role_id=made, key=key, permissions=words), actor=doer)
    return await find_role(session, made)


async def apply(
    session: AsyncSession, doer: Doer, role: Role, wanted: Wanted, *, asked_by_id: int | None = None
) -> Role:
    """Let a role be what is wanted. The caller holds its lock and has checked; the same again changes nothing."""
    before = (await as_it_is(session, role)).as_json()
    granted = settled(wanted.permissions)
    after = Wanted(wanted.name, wanted.description, wanted.is_privileged, granted).as_json()
    if before == after:
        return role
    role.name, role.description, role.is_privileged = wanted.name, wanted.description, wanted.is_privileged
    role.version += 1
    await session.flush()
    await session.execute(delete(RolePermission).where(RolePermission.role_id == role.id))
    await _grant(session, role.id, granted)
    old, new = differing(before, after)
    event = RoleChanged(role_id=role.id, before=old, after=new, asked_by_id=asked_by_id)
    await record(session, event, actor=doer)
    return role


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between two roles as JSON: of the permissions only those that do."""
    old = {k: v for k, v in before.items() if k != "permissions" and after.get(k) != v}
    new = {k: after[k] for k in old}
    was, will = before["permissions"], after["permissions"]
    words = sorted(w for w in was.keys() | will.keys() if was.get(w) != will.get(w))
    if words:
        old["permissions"] = {w: was.get(w) for w in words}
        new["permissions"] = {w: will.get(w) for w in words}
    return old, new


async def check_removal(session: AsyncSession, role: Role, move_to_id: int | None) -> None:
    """Raises `RoleIsSystem`, `RoleInUse`, or `Invalid` for a role its people cannot move to."""
    if role.is_system:
        raise RoleIsSystem
    if move_to_id == role.id:
        raise invalid_field("?move_to", "is the role that goes")
    if move_to_id is not None and await session.get(Role, move_to_id) is None:
        raise invalid_field("?move_to", "there is no such role")
    if found := await uses_of_role(session, role.key):
        raise RoleInUse("This role is still named by: " + "; ".join(found[:5]) + ".")


async def remove(
    session: AsyncSession, doer: Doer, role: Role, move_to_id: int | None, *, asked_by_id: int | None = None
) -> None:
    """Remove a role; whoever has it gets the other one until the same end, unless they have that already."""
    people = await session.scalar(select(func.count()).select_from(UserRole).where(UserRole.role_id == role.id, held()))
    granted = (await granted_by_roles(session, [role.id]))[role.id]
    if move_to_id is not None:
        columns = [UserRole.granted_at, UserRole.granted_by_id, UserRole.reason, UserRole.expires_at]
        moved = select(UserRole.user_id, literal(move_to_id, BigInteger), *columns)
        names = ["user_id", "role_id", *(c.key for c in columns)]
        await session.execute(
            pg_insert(UserRole)
            .from_select(names, moved.where(UserRole.role_id == role.id, held()))
            .on_conflict_do_nothing()
        )
    key, role_id = role.key, role.id
    await session.delete(role)
    await session.flush()
    removed = RoleRemoved(
        role_id=role_id,
        key=key,
        people=people or 0,
        moved_to_id=move_to_id,
        permissions={p.value: int(s) for p, s in granted.items()},
    )
    # asked by one and confirmed by another: both stand in the log, in the event of the confirmation
    await record(session, removed, actor=doer)


async def _grant(session: AsyncSession, role_id: int, granted: Mapping[Permission, Scope]) -> None:
    if granted:
        rows = [{"role_id": role_id, "permission": p.value, "scope": int(s)} for p, s in granted.items()]
        await session.execute(insert(RolePermission), rows)


async def ensure_system_roles(session: AsyncSession) -> None:
    """Create the roles every installation has. Those nobody changed get this release's permissions; of the others each
    keeps what was decided, and gets the permissions that are new with this release."""
    await session.execute(pg_insert(RoleRules).values(id=1).on_conflict_do_nothing())
    kept = (await session.scalars(select(RoleRules).with_for_update())).one()
    for key, (name, granted) in SYSTEM_ROLES.items():
        await session.execute(
            pg_insert(Role).values(key=key, name=name, is_system=True).on_conflict_do_nothing(index_elements=["key"])
        )
        role = (await session.scalars(select(Role).where(Role.key == key))).one()
        if role.version == 1:
            await session.execute(delete(RolePermission).where(RolePermission.role_id == role.id))
            await _grant(session, role.id, granted)
        else:
            new = {p: s for p, s in granted.items() if p.value not in kept.known}
            has = (await granted_by_roles(session, [role.id]))[role.id]
            await _grant(session, role.id, {p: s for p, s in new.items() if p not in has})
    kept.known = sorted(p.value for p in Permission)
    await session.flush()
