"""Calendars of working hours: adding, changing and removing them. Every change is a version that what runs can keep to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now, zone_names
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import Doer, record
from waypost.kernel.settings_form import changed_only
from waypost.sla.calendar import Calendar, Hours, NeverOpen, opening
from waypost.sla.clock_models import SlaClock
from waypost.sla.errors import CalendarInUse, CalendarNotFound, NameTaken, TooMany
from waypost.sla.events import CalendarAdded, CalendarChanged, CalendarRemoved
from waypost.sla.models import SlaCalendar, SlaCalendarDay, SlaCalendarVersion, SlaPolicyVersion, SlaWorkingCalendar

MOST_CALENDARS = 100
MOST_DAYS = 3_000  # of one calendar, from all sources: a century of holidays and some more
MANUAL, ICAL = "MANUAL", "ICAL"


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is not as its weekday. `day` is a date, or None for the `month_day` of every year; `hours` of its own,
    or None for closed.
    """

    name: str
    day: date | None = None
    month_day: tuple[int, int] | None = None
    hours: Hours | None = None
    uid: str | None = None

    @property
    def kind(self) -> str:
        if self.month_day is not None:
            return "YEARLY"
        return "CLOSED" if self.hours is None else "SPECIAL"

    @property
    def key(self) -> tuple[date | None, tuple[int, int] | None]:
        return self.day, self.month_day


@dataclass(frozen=True, slots=True)
class Setup:
    """A calendar as somebody wants it; `days` are those set by hand."""

    name: str
    zone: str
    week: tuple[Hours, ...]
    days: tuple[Day, ...] = ()
    in_persons_zone: bool = False
    is_default: bool = False


def check(setup: Setup) -> None:
    """Raises `Invalid`, naming the hours, the zone or the day that cannot be."""
    wrong: list[FieldError] = []
    for n, hours in enumerate(setup.week):
        wrong += _fault(hours, f"/week/{n}")
    seen: set[Any] = set()
    for n, day in enumerate(setup.days):
        wrong += _fault(day.hours or (), f"/days/{n}/hours")
        if day.key in seen:
            wrong.append(FieldError(f"/days/{n}", "is there twice"))
        seen.add(day.key)
    if setup.zone not in zone_names():
        wrong.append(FieldError("/zone", "must be a time zone such as Europe/Berlin"))
    if not any(setup.week):
        wrong.append(FieldError("/week", "must be open at some time"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    _check_opens(setup)


def _check_opens(setup: Setup) -> None:
    """Days may close all that the week opens: what goes by such a calendar would never be due, and nobody would be told."""
    days = setup.days
    calendar = Calendar(
        zone=setup.zone,
        week=setup.week,
        closed=frozenset(d.day for d in days if d.kind == "CLOSED" and d.day),
        yearly=frozenset(d.month_day for d in days if d.kind == "YEARLY" and d.month_day),
        special=tuple((d.day, d.hours or ()) for d in days if d.kind == "SPECIAL" and d.day),
    )
    try:
        opening(calendar, now())
    except NeverOpen as never:
        raise Invalid(errors=(FieldError("/days", "leave no day open: it must be open at some time"),)) from never


def _fault(hours: Hours, pointer: str) -> list[FieldError]:
    try:
        Calendar("UTC", (hours, *((),) * 6))
    except ValueError:
        return [
            FieldError(
                pointer,
                "must be hours of one day, in order, none of them empty; a night is two: up to 24:00, and from 00:00",
            )
        ]
    return []


async def add_calendar(session: AsyncSession, actor: Doer, setup: Setup) -> SlaCalendar:
    """Add a calendar. Raises `Invalid`, `NameTaken`, `TooMany`."""
    check(setup)
    if (await session.scalar(select(func.count()).select_from(SlaCalendar)) or 0) >= MOST_CALENDARS:
        raise TooMany(f"There are {MOST_CALENDARS} calendars already.")
    week = [[list(pair) for pair in hours] for hours in setup.week]
    made_id = await session.scalar(
        insert(SlaCalendar)
        .values(name=setup.name, zone=setup.zone, week=week, in_persons_zone=setup.in_persons_zone)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(SlaCalendar.id)
    )
    if made_id is None:
        raise NameTaken
    row = await session.get_one(SlaCalendar, made_id)
    await _put_days(session, row.id, MANUAL, setup.days)
    if setup.is_default:
        await _make_default(session, row)
    document = await keep(session, row, actor)
    await record(session, CalendarAdded(calendar_id=row.id, name=row.name, after=_told(document)), actor=actor)
    return row


async def locked(session: AsyncSession, calendar_id: int, version: int | None = None) -> SlaCalendar:
    """The calendar, until the transaction ends. Raises `CalendarNotFound`, `StaleVersion`."""
    row = await session.get(SlaCalendar, calendar_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise CalendarNotFound
    if version is not None and row.version != version:
        raise StaleVersion(current_version=row.version)
    return row


async def change_calendar(
    session: AsyncSession, actor: Doer, calendar_id: int, version: int, setup: Setup
) -> SlaCalendar:
    """Change a calendar: its next version, for what begins from now on.

    Raises `CalendarNotFound`, `StaleVersion`, `NameTaken`, `Invalid`, and `CalendarInUse` for a default that would be none.
    """
    row = await locked(session, calendar_id, version)
    check(setup)
    if row.is_default and not setup.is_default:
        raise CalendarInUse("One calendar is the default. Make another one that instead.")
    taken = select(SlaCalendar.id).where(SlaCalendar.name == setup.name, SlaCalendar.id != row.id)
    if await session.scalar(taken):
        raise NameTaken
    before = {**await document_of(session, row), "is_default": row.is_default}
    row.name, row.zone, row.in_persons_zone = setup.name, setup.zone, setup.in_persons_zone
    row.week = [[list(pair) for pair in hours] for hours in setup.week]
    await _put_days(session, row.id, MANUAL, setup.days)
    if setup.is_default and not row.is_default:
        await _make_default(session, row)
    await kept_if_other(session, actor, row, before)
    return row


async def put_file_days(session: AsyncSession, actor: Doer, row: SlaCalendar, days: tuple[Day, ...]) -> bool:
    """The days that a calendar file closes, instead of those it closed before; whether that changed anything.

    The caller holds the row's lock. Raises `TooMany`.
    """
    before = {**await document_of(session, row), "is_default": row.is_default}
    await _put_days(session, row.id, ICAL, days)
    return await kept_if_other(session, actor, row, before)


async def kept_if_other(session: AsyncSession, actor: Doer, row: SlaCalendar, before: dict[str, Any]) -> bool:
    """Make what stands in the tables the next version, unless it says what the last one did."""
    after = {**await document_of(session, row), "is_default": row.is_default}
    if before == after:
        return False
    row.version, row.updated_at = row.version + 1, now()
    await session.flush()
    await keep(session, row, actor)
    old, new = changed_only(_told(before), _told(after))
    changed = CalendarChanged(calendar_id=row.id, name=row.name, before=old, after=new, calendar_version=row.version)
    await record(session, changed, actor=actor)
    return True


async def remove_calendar(session: AsyncSession, actor: Doer, calendar_id: int) -> None:
    """Take away a calendar that nothing goes by and nothing ever did. Raises `CalendarNotFound`, `CalendarInUse`."""
    row = await locked(session, calendar_id)
    if row.is_default:
        raise CalendarInUse("It is the default. Make another one that first.")
    policy = await session.scalar(
        select(SlaPolicyVersion.name)
        .where(SlaPolicyVersion.document["calendar_id"].as_integer() == row.id)
        .order_by(SlaPolicyVersion.changed_at.desc())
        .limit(1)
    )
    if policy is not None:
        raise CalendarInUse(f"The policy “{policy[:80]}” goes by it, or did, and what began then still does.")
    if await session.scalar(select(SlaClock.ticket_id).where(SlaClock.calendar_id == row.id).limit(1)):
        raise CalendarInUse("Clocks of requests began by it when it was the default.")
    if await session.scalar(select(SlaWorkingCalendar.id).where(SlaWorkingCalendar.calendar_id == row.id).limit(1)):
        raise CalendarInUse("People or departments work by it. Give them another one first.")
    before = _told(await document_of(session, row))
    await session.delete(row)
    await session.flush()
    await record(session, CalendarRemoved(calendar_id=calendar_id, name=row.name, before=before), actor=actor)


async def document_of(session: AsyncSession, row: SlaCalendar) -> dict[str, Any]:
    """The calendar whole, as a version keeps it."""
    day = SlaCalendarDay
    in_order = (day.day.nulls_last(), day.month, day.day_of_month, day.source, day.id)
    rows = await session.scalars(select(day).where(day.calendar_id == row.id).order_by(*in_order))
    return {
        "name": row.name,
        "zone": row.zone,
        "week": row.week,
        "in_persons_zone": row.in_persons_zone,
        "days": [
            {
                "kind": d.kind,
                "day": d.day.isoformat() if d.day else None,
                "month": d.month,
                "day_of_month": d.day_of_month,
                "hours": d.hours,
                "name": d.name,
                "source": d.source,
            }
            for d in rows
        ],
    }


async def keep(session: AsyncSession, row: SlaCalendar, actor: Doer) -> dict[str, Any]:
    """Keep what the calendar says now under its version."""
    document = await document_of(session, row)
    session.add(
        SlaCalendarVersion(
            calendar_id=row.id,
            version=row.version,
            document=document,
            changed_by_id=actor.person_id,
            changed_at=now(),
        )
    )
    await session.flush()
    return document


async def _put_days(session: AsyncSession, calendar_id: int, source: str, days: tuple[Day, ...]) -> None:
    day = SlaCalendarDay
    others = await session.scalar(select(func.count()).where(day.calendar_id == calendar_id, day.source != source))
    if (others or 0) + len(days) > MOST_DAYS:
        raise TooMany(f"A calendar has {MOST_DAYS:,} days of its own at most.")
    await session.execute(delete(day).where(day.calendar_id == calendar_id, day.source == source))
    rows = [
        {
            "calendar_id": calendar_id,
            "kind": d.kind,
            "day": d.day,
            "month": d.month_day[0] if d.month_day else None,
            "day_of_month": d.month_day[1] if d.month_day else None,
            "hours": None if d.hours is None else [list(pair) for pair in d.hours],
            "name": d.name,
            "source": source,
            "uid": d.uid,
        }
        for d in days
    ]
    if rows:
        await session.execute(insert(day), rows)


async def _make_default(session: AsyncSession, row: SlaCalendar) -> None:
    """One at a time: who asks beside waits for the one that is it."""
    others = select(SlaCalendar).where(or_(SlaCalendar.is_default, SlaCalendar.id == row.id)).order_by(SlaCalendar.id)
    for other in await session.scalars(others.with_for_update()):
        other.is_default = False
    await session.flush()
    row.is_default = True
    await session.flush()


def _told(document: dict[str, Any]) -> dict[str, Any]:
    """A calendar as the trail tells it: its days one by one, so that only those that differ are told."""
    told = {name: value for name, value in document.items() if name != "days"}
    for day in document["days"]:
        key = day["day"] or f"{day['month']:02}-{day['day_of_month']:02}"
        told[f"{key} ({day['source'].lower()})"] = {"kind": day["kind"], "name": day["name"], "hours": day["hours"]}
    return told
