"""How long sign-ins last and how many of one person there may be: as administrators set it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import grants, session_times, step_up
from waypost.access.actor import Actor
from waypost.access.models import Role
from waypost.access.permissions import Permission
from waypost.access.queries import actors
from waypost.access.session_events import RoleSessionTimes, SessionRulesChanged
from waypost.access.session_models import SessionRules
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record


async def rules_json(session: AsyncSession) -> dict[str, Any]:
    """The rules in force, the bounds they have, and what holds while nothing is set."""
    return _json(await _rules(session))


async def _rules(session: AsyncSession, *, is_locked: bool = False) -> SessionRules:
    statement = select(SessionRules)
    return (await session.scalars(statement.with_for_update() if is_locked else statement)).one()


def _in_force(rules: SessionRules) -> dict[str, int]:
    here = session_times.installed()
    return {
        "idle_minutes": rules.idle_minutes or here["idle_minutes"],
        "absolute_minutes": rules.absolute_minutes or here["absolute_minutes"],
        "most_at_once": rules.most_at_once,
    }


def _json(rules: SessionRules) -> dict[str, Any]:
    return {**_in_force(rules), "version": rules.version}


def _check(idle: int, absolute: int) -> None:
    if idle > absolute:
        raise Invalid(errors=(FieldError("/idle_minutes", "is longer than a sign-in lasts in all"),))


async def set_rules(
    session: AsyncSession, actor: Actor, *, idle_minutes: int, absolute_minutes: int, most_at_once: int, version: int
) -> dict[str, Any]:
    """Say how long sign-ins last and how many there may be; it holds for those that are open too.

    Raises `StepUpNeeded`, `Invalid`, `StaleVersion`.
    """
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    _check(idle_minutes, absolute_minutes)
    rules = await _rules(session, is_locked=True)
    if rules.version != version:
        raise StaleVersion(current_version=rules.version)
    before = _in_force(rules)
    rules.idle_minutes, rules.absolute_minutes, rules.most_at_once = idle_minutes, absolute_minutes, most_at_once
    after = _in_force(rules)
    if after != before:
        rules.version += 1
        await session.flush()
        await record(session, SessionRulesChanged(before=before, after=after), actor=actor)
    actors.forget_all()
    return _json(rules)


async def set_role_times(
    session: AsyncSession,
    actor: Actor,
    role_id: int,
    *,
    idle_minutes: int | None,
    absolute_minutes: int | None,
    version: int,
) -> Role:
    """Give sign-ins of a role's people times of their own; None leaves it to the house.

    Raises `RoleNotFound`, `StepUpNeeded`, `Invalid`, `StaleVersion`.
    """
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    if idle_minutes is not None and absolute_minutes is not None:
        _check(idle_minutes, absolute_minutes)
    role = await grants.find_role(session, role_id, lock=True)
    if role.version != version:
        raise StaleVersion(current_version=role.version)
    before = _times(role)
    role.session_idle_minutes, role.session_absolute_minutes = idle_minutes, absolute_minutes
    after = _times(role)
    if after != before:
        role.version += 1
        await session.flush()
        await record(session, RoleSessionTimes(role_id=role.id, before=before, after=after), actor=actor)
    actors.forget_all()
    return role


def _times(role: Role) -> dict[str, int | None]:
    return {"idle_minutes": role.session_idle_minutes, "absolute_minutes": role.session_absolute_minutes}
