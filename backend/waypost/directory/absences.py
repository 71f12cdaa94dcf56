"""Absences: who is away, until when, and who may say so. Windows are half-open: one who is away until ten is there at ten.

A person says it of themselves, a lead of their team's members, an administrator of everybody. That somebody is away is
for all to see; why is for them and for those who may set it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from waypost.directory.errors import AbsenceNotFound, AbsenceOverlaps
from waypost.directory.events import AbsenceRemoved, AbsenceSet
from waypost.directory.models import Absence, TeamMember, User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import Forbidden, invalid_field
from waypost.kernel.events import Doer, record
from waypost.kernel.paging import after, decode_cursor, encode_cursor

LONGEST = timedelta(days=2 * 366)


def is_away(user_id: Any, at: datetime) -> ColumnElement[bool]:
    """Whether somebody is away at an instant, as SQL over a column of people's ids."""
    return exists().where(Absence.user_id == user_id, Absence.starts_at <= at, Absence.ends_at > at)


async def away_until(session: AsyncSession, ids: Collection[int | None], at: datetime) -> dict[int, datetime]:
    """Who of these people is away at an instant, and until when; who is there is left out. One statement."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    rows = await session.execute(
        select(Absence.user_id, Absence.ends_at).where(
            Absence.user_id.in_(wanted), Absence.starts_at <= at, Absence.ends_at > at
        )
    )
    return {row.user_id: row.ends_at for row in rows}


async def leads(session: AsyncSession, lead_id: int, user_id: int) -> bool:
    """Whether one leads a team the other is in."""
    other = aliased(TeamMember)
    found = select(
        exists().where(
            TeamMember.user_id == lead_id,
            TeamMember.is_lead,
            other.team_id == TeamMember.team_id,
            other.user_id == user_id,
        )
    )
    return bool(await session.scalar(found))


async def may_set(session: AsyncSession, actor: Doer, user_id: int, *, everybody: bool) -> bool:
    """Whether somebody may say when this person is away. `everybody`: they may say it of all."""
    if everybody or actor.person_id == user_id:
        return True
    return actor.person_id is not None and await leads(session, actor.person_id, user_id)


async def set_absence(
    session: AsyncSession,
    actor: Doer,
    *,
    user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    everybody: bool,
) -> Absence:
    """Say when a person is away. Raises `Forbidden`, `AbsenceOverlaps`, or names what is wrong with the window."""
    at = now()
    # The person's row is the lock: of two windows that overlap, said at once, one is refused.
    known = await session.scalar(
        select(User.id).where(User.id == user_id, User.is_active).with_for_update(key_share=True)
    )
    if not await may_set(session, actor, user_id, everybody=everybody):
        raise Forbidden("You may say when you are away yourself, and your team's lead or an administrator may too.")
    if known is None:
        raise invalid_field("/user_id", "there is no such active person")
    if ends_at <= starts_at:
        raise invalid_field("/ends_at", "must be after the beginning")
    if ends_at <= at:
        raise invalid_field("/ends_at", "must not be past")
    if ends_at - starts_at > LONGEST:
        raise invalid_field("/ends_at", "must be at most two years after the beginning")
    overlapping = select(Absence.id).where(
        Absence.user_id == user_id, Absence.starts_at < ends_at, Absence.ends_at > starts_at
    )
    if await session.scalar(overlapping.limit(1)) is not None:
        raise AbsenceOverlaps
    absence = Absence(
        user_id=user_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason or None,
        created_by_id=actor.person_id,
        created_at=at,
    )
    session.add(absence)
    await session.flush()
    await record(session, AbsenceSet(absence_id=absence.id, **_window(absence)), actor=actor, at=at)
    return absence


def _window(absence: Absence) -> dict[str, Any]:
    return {
        "user_id": absence.user_id,
        "starts_at": rfc3339(absence.starts_at),
        "ends_at": rfc3339(absence.ends_at),
    }


async def remove_absence(session: AsyncSession, actor: Doer, absence_id: int, *, everybody: bool) -> None:
    """Take an absence back; of one that has begun the person is there again at once.

    Raises `AbsenceNotFound` for what is over, `Forbidden` for somebody else's.
    """
    there = select(Absence).where(Absence.id == absence_id, Absence.ends_at > now())
    absence = await session.scalar(there.with_for_update())  # of two who take it back at once, one does
    if absence is None:
        raise AbsenceNotFound
    if not await may_set(session, actor, absence.user_id, everybody=everybody):
        raise Forbidden("This is for the person themselves, their team's lead or an administrator.")
    told = AbsenceRemoved(absence_id=absence.id, **_window(absence))
    await session.delete(absence)
    await session.flush()
    await record(session, told, actor=actor)


async def absence_page(
    session: AsyncSession,
    reader_id: int,
    *,
    user_id: int | None,
    team_id: int | None,
    everybody: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[tuple[Absence, bool]], str | None]:
    """Absences of now and later, soonest first, each with whether the reader may set it; those of one person, of a
    team's members, or the reader's own and of all whose lead they are. One statement.
    """
    led, other = aliased(TeamMember), aliased(TeamMember)
    is_lead = exists().where(
        led.user_id == reader_id, led.is_lead, other.team_id == led.team_id, other.user_id == Absence.user_id
    )
    statement = (
        select(Absence, is_lead).where(Absence.ends_at > now()).order_by(Absence.starts_at, Absence.id).limit(limit + 1)
    )
    if user_id is not None:
        statement = statement.where(Absence.user_id == user_id)
    if team_id is not None:
        members = select(TeamMember.user_id).where(TeamMember.team_id == team_id)
        statement = statement.where(Absence.user_id.in_(members))
    if user_id is None and team_id is None and not everybody:
        statement = statement.where((Absence.user_id == reader_id) | is_lead)
    if cursor:
        starts_at, last = decode_cursor(cursor, "absences", datetime, int)
        statement = statement.where(after([(Absence.starts_at, starts_at, False), (Absence.id, last, False)]))
    rows = [(a, everybody or lead or a.user_id == reader_id) for a, lead in await session.execute(statement)]
    end = rows[limit - 1][0] if len(rows) > limit else None
    return rows[:limit], encode_cursor("absences", end.starts_at, end.id) if end else None
