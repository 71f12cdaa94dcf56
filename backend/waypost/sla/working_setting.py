"""Saying by which calendar a person, or a department's people, work; and what is said of it now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.errors import DepartmentNotFound, PersonNotFound
from waypost.directory.models import Department, User
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import Doer, record
from waypost.sla import queries
from waypost.sla.calendar_documents import KnownCalendar
from waypost.sla.events import WorkingCalendarSet
from waypost.sla.models import SlaCalendar, SlaWorkingCalendar

PERSON, DEPARTMENT, COMPANY = "PERSON", "DEPARTMENT", "COMPANY"


async def of_person(session: AsyncSession, actor: Actor, user_id: int) -> dict[str, Any]:
    """`{calendar, in_force, comes_from, allowed_actions}` of a person. Raises `PersonNotFound`."""
    person = await session.get(User, user_id)
    if person is None:
        raise PersonNotFound
    own = await _named(session, user_id=user_id)
    theirs = await _named(session, department_id=person.department_id) if person.department_id else None
    return await _told(session, actor, own, [(PERSON, own), (DEPARTMENT, theirs)])


async def of_department(session: AsyncSession, actor: Actor, department_id: int) -> dict[str, Any]:
    """The same of a department's people, as far as they have none of their own. Raises `DepartmentNotFound`."""
    if await session.get(Department, department_id) is None:
        raise DepartmentNotFound
    own = await _named(session, department_id=department_id)
    return await _told(session, actor, own, [(DEPARTMENT, own)])


async def set_of_person(session: AsyncSession, actor: Doer, user_id: int, calendar_id: int | None) -> None:
    """Let a person work by a calendar, or by none of their own. Raises `PersonNotFound`, or names `calendar_id`."""
    if await session.get(User, user_id, with_for_update={"key_share": True}) is None:
        raise PersonNotFound
    await _set(session, actor, PERSON, {"user_id": user_id}, calendar_id)


async def set_of_department(session: AsyncSession, actor: Doer, department_id: int, calendar_id: int | None) -> None:
    """The same for a department's people. Raises `DepartmentNotFound`, or names `calendar_id`."""
    if await session.get(Department, department_id, with_for_update={"key_share": True}) is None:
        raise DepartmentNotFound
    await _set(session, actor, DEPARTMENT, {"department_id": department_id}, calendar_id)


async def _set(session: AsyncSession, actor: Doer, whose: str, of: dict[str, int], calendar_id: int | None) -> None:
    """The caller holds the lock of whom it is about, so of two at once the second sees what the first said."""
    if calendar_id is not None:
        there = select(SlaCalendar.id).where(SlaCalendar.id == calendar_id).with_for_update(key_share=True, read=True)
        if await session.scalar(there) is None:
            raise invalid_field("/calendar_id", "is no calendar")
    before = await _named(session, **of)
    if before == calendar_id:
        return
    row = SlaWorkingCalendar
    [(column, whose_id)] = of.items()
    if calendar_id is None:
        await session.execute(delete(row).where(getattr(row, column) == whose_id))
    else:
        given = insert(row).values(calendar_id=calendar_id, **of)
        await session.execute(given.on_conflict_do_update(index_elements=[column], set_={"calendar_id": calendar_id}))
    event = WorkingCalendarSet(whose=whose.lower(), whose_id=whose_id, before=before, after=calendar_id)
    await record(session, event, actor=actor)


async def _named(session: AsyncSession, **of: int) -> int | None:
    """The id of the calendar that is named for somebody."""
    [(column, whose_id)] = of.items()
    named = select(SlaWorkingCalendar.calendar_id).where(getattr(SlaWorkingCalendar, column) == whose_id)
    return await session.scalar(named)


async def _told(
    session: AsyncSession, actor: Actor, own: int | None, in_order: list[tuple[str, int | None]]
) -> dict[str, Any]:
    known = await queries.calendars(session)
    where, found = next(((w, i) for w, i in in_order if i is not None), (COMPANY, None))
    return {
        "calendar": None if own is None else _ref(known.of(own)),
        "in_force": _ref(known.of(found)),
        "comes_from": where,
        "allowed_actions": ["update"] if actor.may(Permission.SLA_CONFIGURE) else [],
    }


def _ref(calendar: KnownCalendar) -> dict[str, Any]:
    return {"id": calendar.id, "name": calendar.name, "zone": calendar.calendar.zone}
