"""Somebody has lost their second factors: one administrator asks, another agrees, and they sign in anew without."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.errors import AnotherMust, ResetNotFound, ResetWaits, RoleNotFound
from waypost.access.events import FactorResetAsked, FactorResetDropped, FactorsReset, RoleSecondFactor
from waypost.access.models import FactorReset, Passkey, RecoveryCode, Role, TotpSecret
from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may
from waypost.access.sessions import end_all_sessions
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor

LIFE = timedelta(hours=24)


async def ask_reset(session: AsyncSession, actor: Actor, *, user_id: int, reason: str) -> FactorReset:
    """Ask that somebody's second factors be taken away. Raises `Invalid`, `ResetWaits` or `StepUpNeeded`."""
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    if user_id == actor.user_id:
        raise AnotherMust
    # held until the end: two who ask at once make one request
    known = await session.scalar(select(User.id).where(User.id == user_id, User.is_active).with_for_update())
    if known is None:
        raise Invalid(errors=(FieldError("/user_id", "there is no such active person"),))
    at = now()
    await session.execute(
        update(FactorReset)
        .where(FactorReset.user_id == user_id, FactorReset.settled_at.is_(None), FactorReset.expires_at <= at)
        .values(settled_at=at)
    )
    waits = select(FactorReset.id).where(FactorReset.user_id == user_id, FactorReset.settled_at.is_(None))
    if await session.scalar(waits) is not None:
        raise ResetWaits
    row = FactorReset(user_id=user_id, asked_by_id=actor.user_id, reason=reason, created_at=at, expires_at=at + LIFE)
    session.add(row)
    await session.flush()
    await record(session, FactorResetAsked(user_id=user_id, reset_id=row.id, reason=reason), actor=actor, at=at)
    return row


async def agree(session: AsyncSession, actor: Actor, reset_id: int) -> None:
    """Take them away, as the second administrator. Raises `ResetNotFound`, `AnotherMust` or `StepUpNeeded`."""
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    row = await _open(session, reset_id)
    # who asked has to be an administrator still: it takes two of them
    asking = await people_who_may(session, Permission.ROLES_CONFIGURE, [row.asked_by_id])
    is_active = await session.scalar(select(User.is_active).where(User.id == row.asked_by_id))
    if actor.user_id in (row.asked_by_id, row.user_id) or not asking or not is_active:
        raise AnotherMust
    at = now()
    row.settled_at = at
    await session.execute(delete(TotpSecret).where(TotpSecret.user_id == row.user_id))
    await session.execute(delete(Passkey).where(Passkey.user_id == row.user_id))
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == row.user_id))
    await end_all_sessions(session, row.user_id, "factors_reset", at, actor)
    done = FactorsReset(user_id=row.user_id, reset_id=row.id, asked_by_id=row.asked_by_id)
    await record(session, done, actor=actor, at=at)


async def drop(session: AsyncSession, actor: Actor, reset_id: int) -> None:
    """Let a request be, whoever made it. Raises `ResetNotFound`."""
    actor.require(Permission.ROLES_CONFIGURE)
    row = await _open(session, reset_id)
    row.settled_at = now()
    await record(session, FactorResetDropped(user_id=row.user_id, reset_id=row.id), actor=actor)


async def _open(session: AsyncSession, reset_id: int) -> FactorReset:
    waiting = (FactorReset.id == reset_id, FactorReset.settled_at.is_(None), FactorReset.expires_at > now())
    row = await session.scalar(select(FactorReset).where(*waiting).with_for_update())
    if row is None:
        raise ResetNotFound
    return row


async def open_resets(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """The requests that wait for a second administrator, newest first."""
    actor.require(Permission.ROLES_CONFIGURE)
    statement = (
        select(FactorReset)
        .where(FactorReset.settled_at.is_(None), FactorReset.expires_at > now())
        .order_by(FactorReset.id.desc())
    )
    if cursor:
        (last,) = decode_cursor(cursor, "factor resets", int)
        statement = statement.where(FactorReset.id < last)
    rows = list(await session.scalars(statement.limit(limit + 1)))
    following = encode_cursor("factor resets", rows[limit - 1].id) if len(rows) > limit else None
    people = await names.people(session, [i for row in rows for i in (row.user_id, row.asked_by_id)])
    return {"items": [reset_json(row, people, actor) for row in rows[:limit]], "next_cursor": following}


def reset_json(row: FactorReset, people: dict[int | None, dict[str, Any]], actor: Actor) -> dict[str, Any]:
    """A request as an administrator sees it; `may_agree` says whether they are the second one it waits for."""
    return {
        "id": row.id,
        "user": people.get(row.user_id),
        "asked_by": people.get(row.asked_by_id),
        "reason": row.reason,
        "created_at": rfc3339(row.created_at),
        "expires_at": rfc3339(row.expires_at),
        "may_agree": actor.user_id not in (row.asked_by_id, row.user_id),
    }


async def set_role_need(session: AsyncSession, actor: Actor, role_id: int, *, is_needed: bool) -> Role:
    """Say whether a role's people need a second factor. Raises `RoleNotFound` or `StepUpNeeded`."""
    actor.require(Permission.ROLES_CONFIGURE)
    await step_up.require(session, actor)
    role = await session.get(Role, role_id, with_for_update=True)
    if role is None:
        raise RoleNotFound
    if role.needs_second_factor != is_needed:
        role.needs_second_factor = is_needed
        await session.flush()
        await record(session, RoleSecondFactor(role_id=role.id, is_needed=is_needed), actor=actor)
    return role
