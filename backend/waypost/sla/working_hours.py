"""By which calendar somebody works: their own, their department's, or the company's default."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from waypost.directory.models import User
from waypost.kernel.logs import get_logger
from waypost.sla import calendar, queries
from waypost.sla.calendar import Calendar, NeverOpen
from waypost.sla.calendar_documents import KnownCalendar
from waypost.sla.models import SlaWorkingCalendar

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Somebody's working hours on the line of instants (UTC). Spans are zero or longer.

    Where a calendar has, in twenty years, less time open than is asked of it, the clock on the wall counts instead: nobody's
    deadline may get lost in a calendar that hardly ever opens.
    """

    calendar: Calendar

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The first instant at which so much working time has passed since `start`."""
        try:
            return calendar.after(self.calendar, start, span)
        except NeverOpen:
            _log.warning("a calendar is hardly ever open, so the clock counts", zone=self.calendar.zone)
            return start + span

    def before(self, end: datetime, span: timedelta) -> datetime:
        """The last instant from which so much working time is left until `end`."""
        try:
            return calendar.before(self.calendar, end, span)
        except NeverOpen:
            _log.warning("a calendar was hardly ever open, so the clock counts", zone=self.calendar.zone)
            return end - span

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two instants; zero when `end` is not the later one."""
        return calendar.elapsed(self.calendar, start, end)


async def hours_of(session: AsyncSession, people: Collection[int]) -> dict[int, WorkingHours]:
    """When each of these people works, as it is set up now. Two statements, and one for calendars not read before.

    Who is not in the directory works by the default.
    """
    known = await queries.calendars(session)
    own, departments = aliased(SlaWorkingCalendar), aliased(SlaWorkingCalendar)
    rows = await session.execute(
        select(User.id, User.timezone, own.calendar_id, departments.calendar_id)
        .outerjoin(own, own.user_id == User.id)
        .outerjoin(departments, departments.department_id == User.department_id)
        .where(User.id.in_(sorted(set(people))))
    )
    found = {i: WorkingHours(_meant(known.of(mine or theirs), zone)) for i, zone, mine, theirs in rows}
    return {i: found.get(i) or WorkingHours(known.default.calendar) for i in people}


def _meant(known: KnownCalendar, zone: str) -> Calendar:
    """A calendar as it is meant for somebody who is in `zone`."""
    if not known.in_persons_zone or zone == known.calendar.zone:
        return known.calendar
    return replace(known.calendar, zone=zone)
