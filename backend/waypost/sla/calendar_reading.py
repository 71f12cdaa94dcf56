"""Calendars as screens show them: the list, one with its days, a year of it, its versions, and what would be due when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.errors import invalid_field
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.sla import calendar_documents
from waypost.sla.calendar import Hours, NeverOpen, after
from waypost.sla.calendar_documents import KnownCalendar
from waypost.sla.clock import Kind, Mark, Run, ledger
from waypost.sla.errors import CalendarNotFound
from waypost.sla.models import (
    SlaCalendar,
    SlaCalendarDay,
    SlaCalendarFile,
    SlaCalendarVersion,
    SlaPolicy,
    SlaPolicyVersion,
    SlaWorkingCalendar,
)
from waypost.sla.policies import Target

_DAY = timedelta(days=1)


def time_of(minutes: int) -> str:
    """A minute of a day as people write it; the day's end is 24:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def hours_json(hours: Hours | list[list[int]]) -> list[dict[str, str]]:
    """Hours of a day: `[{"from": "08:00", "to": "12:00"}]`."""
    return [{"from": time_of(start), "to": time_of(end)} for start, end in hours]


def allowed(actor: Actor, *, is_default: bool) -> list[str]:
    """What this person may do with a calendar."""
    if not actor.may(Permission.SLA_CONFIGURE):
        return []
    return ["update", "import"] if is_default else ["update", "import", "delete"]


async def calendar_list(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """Every calendar, the default one first, with how many days of its own it has and what goes by it. Two statements."""
    by_it = (
        select(SlaPolicyVersion.document["calendar_id"].as_integer().label("calendar_id"), func.count().label("count"))
        .join(SlaPolicy, (SlaPolicy.id == SlaPolicyVersion.policy_id) & (SlaPolicy.version == SlaPolicyVersion.version))
        .where(SlaPolicy.removed_at.is_(None))
        .group_by("calendar_id")
    ).subquery()
    day, work = SlaCalendarDay, SlaWorkingCalendar
    days = select(day.calendar_id, func.count().label("count")).group_by(day.calendar_id).subquery()
    people = select(work.calendar_id, func.count().label("count")).group_by(work.calendar_id).subquery()
    rows = await session.execute(
        select(
            SlaCalendar,
            func.coalesce(days.c.count, 0),
            func.coalesce(by_it.c.count, 0),
            func.coalesce(people.c.count, 0),
            SlaCalendarFile.name,
            SlaCalendarFile.failing_since,
        )
        .outerjoin(days, days.c.calendar_id == SlaCalendar.id)
        .outerjoin(by_it, by_it.c.calendar_id == SlaCalendar.id)
        .outerjoin(people, people.c.calendar_id == SlaCalendar.id)
        .outerjoin(SlaCalendarFile, SlaCalendarFile.calendar_id == SlaCalendar.id)
        .order_by(SlaCalendar.is_default.desc(), SlaCalendar.name)
    )
    items = [
        _head(row, actor)
        | {
            "day_count": own,
            "policy_count": policies,
            "people_count": workers,
            "file_name": file,
            "is_failing": failing is not None,
        }
        for row, own, policies, workers, file, failing in rows
    ]
    return {
        "items": items,
        "next_cursor": None,
        "allowed_actions": ["create"] if actor.may(Permission.SLA_CONFIGURE) else [],
    }


def _head(row: SlaCalendar, actor: Actor) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "zone": row.zone,
        "week": [hours_json(hours) for hours in row.week],
        "in_persons_zone": row.in_persons_zone,
        "is_default": row.is_default,
        "version": row.version,
        "updated_at": rfc3339(row.updated_at),
        "allowed_actions": allowed(actor, is_default=row.is_default),
    }


async def one_calendar(session: AsyncSession, actor: Actor, calendar_id: int) -> dict[str, Any]:
    """A calendar with its days and its file. Raises `CalendarNotFound`."""
    row = await session.get(SlaCalendar, calendar_id, populate_existing=True)
    if row is None:
        raise CalendarNotFound
    day = SlaCalendarDay
    in_order = (day.day.nulls_first(), day.month, day.day_of_month, day.source)
    days = await session.scalars(select(day).where(day.calendar_id == row.id).order_by(*in_order))
    file = await session.get(SlaCalendarFile, row.id, populate_existing=True)
    return _head(row, actor) | {"days": [_day(d) for d in days], "file": _file(file) if file else None}


def _day(row: SlaCalendarDay) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "day": row.day.isoformat() if row.day else None,
        "month_day": f"{row.month:02}-{row.day_of_month:02}" if row.month else None,
        "hours": None if row.hours is None else hours_json(row.hours),
        "name": row.name,
        "source": row.source,
    }


def _file(row: SlaCalendarFile) -> dict[str, Any]:
    return {
        "name": row.name,
        "is_fetched": row.address is not None,
        "read_at": rfc3339(row.read_at),
        "next_at": rfc3339(row.next_at),
        "failing_since": rfc3339(row.failing_since) if row.failing_since else None,
        "error": row.error or None,
    }


async def known(session: AsyncSession, calendar_id: int) -> KnownCalendar:
    """A calendar as it is now, whole. Raises `CalendarNotFound`."""
    row = await session.get(SlaCalendar, calendar_id)
    kept = await session.get(SlaCalendarVersion, (calendar_id, row.version)) if row else None
    if row is None or kept is None:
        raise CalendarNotFound
    calendar, day_names, yearly = calendar_documents.read(kept.document)
    return KnownCalendar(
        row.id, row.version, row.name, calendar, day_names, yearly, row.in_persons_zone, row.is_default
    )


def year_of(calendar: KnownCalendar, year: int) -> dict[str, Any]:
    """Each day of a year: whether it is open, when, and why it is not as its weekday."""
    days = []
    at = date(year, 1, 1)
    while at.year == year:
        hours = calendar.calendar.hours(at)
        usual = calendar.calendar.week[at.weekday()]
        name = calendar.name_of(at)
        is_special = any(day == at for day, _ in calendar.calendar.special)
        if is_special:
            state = "SPECIAL"
        elif calendar.calendar.is_holiday(at):
            state = "HOLIDAY"
        else:
            state = "OPEN" if hours else "CLOSED"
        days.append(
            {
                "day": at.isoformat(),
                "state": state,
                "is_open": bool(hours),
                "hours": hours_json(hours),
                "usual_hours": hours_json(usual),
                "name": name,
            }
        )
        at += _DAY
    return {"year": year, "days": days}


async def version_page(session: AsyncSession, calendar_id: int, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """Who changed a calendar, when, and what; newest first. Raises `CalendarNotFound`."""
    if await session.get(SlaCalendar, calendar_id) is None:
        raise CalendarNotFound
    kept = SlaCalendarVersion
    statement = select(kept).where(kept.calendar_id == calendar_id).order_by(kept.version.desc()).limit(limit + 1)
    if cursor:
        (last,) = decode_cursor(cursor, "sla-calendar-versions", int)
        statement = statement.where(kept.version < last)
    rows = list((await session.scalars(statement)).all())
    page = rows[:limit]
    people = await names.people(session, [v.changed_by_id for v in page])
    items = []
    for n, row in enumerate(page):
        before = rows[n + 1].document if n + 1 < len(rows) else None
        items.append(
            {
                "version": row.version,
                "changed_at": rfc3339(row.changed_at),
                "changed_by": people.get(row.changed_by_id),
                "changes": []
                if before is None
                else sorted(k for k in row.document if row.document[k] != before.get(k)),
            }
        )
    following = encode_cursor("sla-calendar-versions", page[-1].version) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}


def tried(calendar: KnownCalendar, start: datetime, target: Target) -> dict[str, Any]:
    """When a target that begins at `start` would be due, and of what the time until then is made."""
    try:
        budget = target.budget(calendar.calendar, start)
        due = after(calendar.calendar, start, budget)
    except (NeverOpen, OverflowError) as never:
        raise invalid_field("/target", "is never over: the calendar has not so much time open") from never
    zone = ZoneInfo(calendar.calendar.zone)
    lines = ledger(calendar.calendar, [Mark(start, Run.RUNNING)], due)
    return {
        "zone": calendar.calendar.zone,
        "due_at": rfc3339(due),
        "due_local": due.astimezone(zone).isoformat(),
        "working_minutes": int(budget.total_seconds()) // 60,
        "elapsed_minutes": int((due - start).total_seconds()) // 60,
        "ledger": [
            {
                "start": rfc3339(line.start),
                "end": rfc3339(line.end),
                "kind": line.kind.value,
                "minutes": int(line.length.total_seconds()) // 60,
                "why": ", ".join(_why(calendar, line.start, line.end, zone)) if line.kind is Kind.HOLIDAY else "",
            }
            for line in lines
        ],
    }


def _why(calendar: KnownCalendar, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[str]:
    """The names of the days in a stretch."""
    day, last = start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    while day <= last:
        if name := calendar.name_of(day):
            yield name
        day += _DAY
