"""Changes that give power, in a house where that takes two: one administrator asks, another confirms or refuses.

Neither the one who asked confirms it, nor anybody who would be able to do more by it. What was asked upon a role that has
changed since is not put into force any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import grants, roles, step_up
from waypost.access.actor import Actor
from waypost.access.errors import AnotherMust
from waypost.access.models import Role, RoleChange
from waypost.access.permissions import Permission
from waypost.access.reach import gains, gives_power
from waypost.access.role_errors import ChangeNotFound, ChangeOutdated, ChangeWaits, NobodyToConfirm
from waypost.access.role_events import (
    RoleChangeAsked,
    RoleChangeConfirmed,
    RoleChangeExpired,
    RoleChangeRefused,
    RoleRulesChanged,
)
from waypost.access.role_rules import able_to_confirm, granted_by_roles, needs_two, rules
from waypost.access.roles import Wanted
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import SYSTEM, record

TASK = "roles.expire_changes"
LIFE = timedelta(days=3)
BATCH = 200


class What(StrEnum):
    """What can be asked for."""

    ROLE = "ROLE"  # another name, mark or other permissions of a role
    REMOVAL = "REMOVAL"  # that a role goes
    GRANT = "GRANT"  # a role for somebody
    RULE = "RULE"  # that it does not take two any more


class Outcome(StrEnum):
    """How it ended."""

    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"  # by another administrator
    DROPPED = "DROPPED"  # by the one who asked
    EXPIRED = "EXPIRED"  # nobody answered


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: a role, a grant as it is now, or a change that waits for another administrator."""

    role: Role | None = None
    change: RoleChange | None = None


# --- asking, or doing it at once --------------------------------------------------------------------------------------


async def add_role(session: AsyncSession, actor: Actor, *, key: str, wanted: Wanted, reason: str) -> Done:
    """Add a role; where it takes two, it grants nothing until another administrator confirms what it is to grant."""
    actor.require(Permission.ROLES_CONFIGURE)
    if not wanted.permissions or not await needs_two(session):
        return Done(role=await roles.add(session, actor, key=key, wanted=wanted))
    roles.check(key, wanted.permissions)
    bare = Wanted(wanted.name, wanted.description, wanted.is_privileged, {})
    role = await roles.add(session, actor, key=key, wanted=bare)
    return Done(role, await _ask(session, actor, What.ROLE, role=role, before=bare, wanted=wanted, reason=reason))


async def change_role(
    session: AsyncSession, actor: Actor, role_id: int, *, version: int, wanted: Wanted, reason: str
) -> Done:
    """Change a role. Raises `RoleNotFound`, `StepUpNeeded`, `Invalid`, `StaleVersion`, and what asking raises."""
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    role = await grants.find_role(session, role_id, lock=True)
    roles.check(role.key, wanted.permissions)
    if role.version != version:
        raise StaleVersion(current_version=role.version)
    before = await roles.as_it_is(session, role)
    gives = before.permissions != wanted.permissions or before.is_privileged != wanted.is_privileged
    if gives and await needs_two(session):
        return Done(role, await _ask(session, actor, What.ROLE, role=role, before=before, wanted=wanted, reason=reason))
    return Done(await roles.apply(session, actor, role, wanted))


async def remove_role(
    session: AsyncSession, actor: Actor, role_id: int, *, move_to_id: int | None, reason: str
) -> Done:
    """Remove a role. Raises `RoleNotFound`, `StepUpNeeded`, `RoleIsSystem`, `RoleInUse`, and what asking raises."""
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    role = await grants.find_role(session, role_id, lock=True)
    await roles.check_removal(session, role, move_to_id)
    if await needs_two(session):
        before = await roles.as_it_is(session, role)
        kept = {"move_to_id": move_to_id}
        return Done(
            role, await _ask(session, actor, What.REMOVAL, role=role, before=before, wanted=kept, reason=reason)
        )
    await roles.remove(session, actor, role, move_to_id)
    return Done()


async def give_role(
    session: AsyncSession,
    actor: Actor,
    role_id: int,
    *,
    user_id: int,
    expires_at: datetime | None,
    reason: str,
    is_proved: bool = False,
) -> Done:
    """Give somebody a role, for good or until it ends; with `is_proved` the caller has asked for a step-up already.

    Raises `RoleNotFound`, `Invalid`, `LastAdministrator`, and for one that gives power `StepUpNeeded` and, where that
    takes two, what asking raises.
    """
    actor.require(Permission.ROLES_CONFIGURE)
    role = await grants.find_role(session, role_id, lock=True)
    at = now()
    granted = (await granted_by_roles(session, [role.id]))[role.id]
    is_power = gives_power(granted, is_marked=role.is_privileged)
    if is_power and not is_proved:
        await step_up.require(session, actor)
    await grants.check_grant(session, role, user_id, expires_at=expires_at, at=at)
    if is_power and await needs_two(session):
        kept = {"expires_at": rfc3339(expires_at) if expires_at else None}
        change = await _ask(
            session, actor, What.GRANT, role=role, user_id=user_id, before={}, wanted=kept, reason=reason
        )
        return Done(role, change)
    await grants.give(session, actor, role, user_id, expires_at=expires_at, reason=reason, at=at)
    return Done(role)


async def set_rule(session: AsyncSession, actor: Actor, *, is_needed: bool, version: int, reason: str) -> Done:
    """Say whether giving power takes two; that it does not any more, another administrator confirms.

    Raises `StepUpNeeded`, `StaleVersion`, `NobodyToConfirm`, `ChangeWaits`.
    """
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    kept = await rules(session, lock=True)
    if kept.version != version:
        raise StaleVersion(current_version=kept.version)
    if kept.needs_two == is_needed:
        return Done()
    if not is_needed:
        change = await _ask(
            session, actor, What.RULE, before={"needs_two": True}, wanted={"needs_two": False}, reason=reason
        )
        return Done(change=change)
    if not await able_to_confirm(session, (actor.user_id,)):
        raise NobodyToConfirm
    kept.needs_two, kept.version = True, kept.version + 1
    await session.flush()
    await record(session, RoleRulesChanged(needs_two=True), actor=actor)
    return Done()


async def _ask(
    session: AsyncSession,
    actor: Actor,
    what: What,
    *,
    role: Role | None = None,
    user_id: int | None = None,
    before: Wanted | Mapping[str, Any],
    wanted: Wanted | Mapping[str, Any],
    reason: str,
) -> RoleChange:
    if not await able_to_confirm(session, (actor.user_id, user_id)):
        raise NobodyToConfirm
    at = now()
    role_id = role.id if role else None
    same = (
        RoleChange.kind == what.value,
        RoleChange.role_id.is_not_distinct_from(role_id),
        RoleChange.user_id.is_not_distinct_from(user_id),
        RoleChange.settled_at.is_(None),
    )
    await _settle_expired(session, at, *same)
    if await session.scalar(select(RoleChange.id).where(*same)) is not None:
        raise ChangeWaits
    row = RoleChange(
        kind=what.value,
        role_id=role_id,
        user_id=user_id,
        role_version=role.version if role else None,
        before=before.as_json() if isinstance(before, Wanted) else dict(before),
        wanted=wanted.as_json() if isinstance(wanted, Wanted) else dict(wanted),
        reason=reason,
        asked_by_id=actor.user_id,
        created_at=at,
        expires_at=at + LIFE,
    )
    session.add(row)
    await session.flush()
    asked = RoleChangeAsked(
        change_id=row.id,
        role_id=role_id,
        user_id=user_id,
        what=what.value,
        before=row.before,
        wanted=row.wanted,
        reason=reason,
    )
    await record(session, asked, actor=actor, at=at)
    return row


# --- answering --------------------------------------------------------------------------------------------------------


async def confirm(session: AsyncSession, actor: Actor, change_id: int) -> RoleChange:
    """Put a change into force, as the second administrator.

    Raises `ChangeNotFound`, `AnotherMust`, `StepUpNeeded`, `ChangeOutdated`, and what doing it would raise.
    """
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    row = await _open(session, change_id)
    what = What(row.kind)
    role = await grants.find_role(session, row.role_id, lock=True) if row.role_id is not None else None
    # who asked has to be an administrator still: it takes two of them
    still = row.asked_by_id in await able_to_confirm(session)
    if not still or not may_confirm(actor, row, role.key if role else None):
        raise AnotherMust
    if role is not None and role.version != row.role_version:
        raise ChangeOutdated
    at = now()
    row.settled_at, row.settled_by_id, row.outcome = at, actor.user_id, Outcome.CONFIRMED.value
    done = RoleChangeConfirmed(change_id=row.id, role_id=row.role_id, user_id=row.user_id, asked_by_id=row.asked_by_id)
    await session.flush()
    await record(session, done, actor=actor, at=at)
    await _do(session, actor, row, what, role, at)
    return row


async def _do(
    session: AsyncSession, actor: Actor, row: RoleChange, what: What, role: Role | None, at: datetime
) -> None:
    by = row.asked_by_id
    if what is What.RULE:
        kept = await rules(session, lock=True)
        kept.needs_two, kept.version = False, kept.version + 1
        await session.flush()
        await record(session, RoleRulesChanged(needs_two=False), actor=actor, at=at)
        return
    assert role is not None
    if what is What.ROLE:
        wanted = roles.wanted_of(row.wanted)
        roles.check(role.key, wanted.permissions)
        await roles.apply(session, actor, role, wanted, asked_by_id=by)
    elif what is What.REMOVAL:
        await roles.check_removal(session, role, row.wanted["move_to_id"])
        await roles.remove(session, actor, role, row.wanted["move_to_id"], asked_by_id=by)
    else:
        until = row.wanted["expires_at"]
        expires_at = datetime.fromisoformat(until) if until else None
        assert row.user_id is not None
        await grants.check_grant(session, role, row.user_id, expires_at=expires_at, at=at)
        await grants.give(
            session, actor, role, row.user_id, expires_at=expires_at, reason=row.reason, at=at, asked_by_id=by
        )


async def refuse(session: AsyncSession, actor: Actor, change_id: int) -> RoleChange:
    """Let a change be: as another administrator, or as the one who asked for it. Raises `ChangeNotFound`."""
    actor.require(Permission.ROLES_CONFIGURE)
    row = await _open(session, change_id)
    outcome = Outcome.DROPPED if row.asked_by_id == actor.user_id else Outcome.REFUSED
    row.settled_at, row.settled_by_id, row.outcome = now(), actor.user_id, outcome.value
    await session.flush()
    refused = RoleChangeRefused(
        change_id=row.id,
        role_id=row.role_id,
        user_id=row.user_id,
        outcome=outcome.value,
        asked_by_id=row.asked_by_id,
    )
    await record(session, refused, actor=actor)
    return row


async def _open(session: AsyncSession, change_id: int) -> RoleChange:
    waiting = (RoleChange.id == change_id, RoleChange.settled_at.is_(None), RoleChange.expires_at > now())
    row = await session.scalar(select(RoleChange).where(*waiting).with_for_update())
    if row is None:
        raise ChangeNotFound
    return row


async def expire_due(database: Database) -> None:
    """Settle what nobody answered in time: whoever asked for it hears of that."""
    async with database.transaction() as session:
        await _settle_expired(session, now())


async def _settle_expired(session: AsyncSession, at: datetime, *narrowed: ColumnElement[bool]) -> None:
    waiting = select(RoleChange).where(RoleChange.settled_at.is_(None), RoleChange.expires_at <= at, *narrowed)
    for row in await session.scalars(waiting.order_by(RoleChange.id).limit(BATCH).with_for_update(skip_locked=True)):
        row.settled_at, row.outcome = at, Outcome.EXPIRED.value
        await session.flush()
        expired = RoleChangeExpired(
            change_id=row.id, role_id=row.role_id, user_id=row.user_id, asked_by_id=row.asked_by_id
        )
        await record(session, expired, actor=SYSTEM, at=at)


def may_confirm(actor: Actor, row: RoleChange, role_key: str | None) -> bool:
    """Whether a change that waits is theirs to confirm: not who asked, and nobody who would be able to do more by it.

    Who has the role that goes, and gets another one for it, is taken to gain.
    """
    if actor.user_id in (row.asked_by_id, row.user_id) or not actor.may(Permission.ROLES_CONFIGURE):
        return False
    if role_key not in actor.roles:
        return True
    if row.kind == What.REMOVAL.value:
        return row.wanted["move_to_id"] is None
    if row.kind == What.ROLE.value:
        before, after = roles.wanted_of(row.before).permissions, roles.wanted_of(row.wanted).permissions
        return not gains(actor.permissions, before, after)
    return True
