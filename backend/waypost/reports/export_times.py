"""When a schedule is due: days, a time of day and a zone, as instants. Pure.

Due is the first instant of a day that fits at which the clock on the wall shows the time or a later one. So a time that a
change of the clocks leaves out is due when the clocks go on, one that comes twice is due the first time, and days that
fall together are due once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LOOK_AHEAD = 800  # days; every rhythm has a day within two months, and zones have left out days


class Every(StrEnum):
    """On which days."""

    DAY = "DAY"
    WEEKDAY = "WEEKDAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When: `weekdays` (1 is Monday) of WEEK; `day` of MONTH, 1 to 31, a month that is shorter on its last day.

    `at` is what the clock on the wall of `zone` shows.
    """

    every: Every
    at: time
    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset()
    day: int = 1

    def fits(self, on: date) -> bool:
        """Whether a day is one of its days."""
        match self.every:
            case Every.DAY:
                return True
            case Every.WEEKDAY:
                return on.isoweekday() <= 5
            case Every.WEEK:
                return on.isoweekday() in self.weekdays
        return on.day == min(self.day, _days_of(on))


def next_after(rhythm: Rhythm, after: datetime) -> datetime | None:
    """The first instant after this one at which it is due, in UTC; None when there is none within two years."""
    day = after.astimezone(rhythm.zone).date() - timedelta(days=1)
    for _ in range(LOOK_AHEAD):
        if rhythm.fits(day) and (due := instant_of(day, rhythm.at, rhythm.zone)) > after:
            return due
        day += timedelta(days=1)
    return None


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant of a day at which the clock shows a time, or a later one, in UTC."""
    wall = datetime.combine(day, at)
    first = wall.replace(tzinfo=zone).astimezone(UTC)  # of two, the first
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # The clocks go on over it: find when, between what each side of the gap takes it for.
    early, late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            late = middle
        else:
            early = middle
    return late


def _days_of(on: date) -> int:
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return (following - timedelta(days=1)).day
