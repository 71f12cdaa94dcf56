"""Working hours on the line of instants: when a calendar is open, how much of it lies between two instants. Pure.

A calendar says hours by the clock on the wall of its zone; everything is measured in UTC. An instant is in working hours
exactly when the wall clock shows one at it: on the night the clocks go back an hour of the wall happens twice and counts
twice, on the night they go forward it does not happen. Spans are half-open, `[start, end)`.

Source: domain rules of service levels; IANA time zones as `zoneinfo` has them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
NEVER_AFTER = timedelta(days=20 * 366)  # who finds nothing open for so long is told so
_FIRST_REACH = timedelta(days=8)  # how far is looked back at first: a week, and a bit for its change of offset
_STEP = timedelta(hours=6)  # no zone changes its offset and back within that
_ZERO = timedelta()
_END = datetime(MAXYEAR, 12, 30, tzinfo=UTC)  # two days before there are no dates any more, in any zone

Hours = tuple[tuple[int, int], ...]  # minutes of a day, from and to, ascending, none touching another's inside


class NeverOpen(ValueError):
    """A calendar has less time open than is asked of it, in all the years looked at."""


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from `start` up to, and without, `end`; both UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: `week` from Monday on; `closed` are single dates, `yearly` (month, day) of every year.

    `special` are dates with hours of their own, which win over everything else. A 29 February of every year comes in leap
    years alone. `closed`'s words (a holiday's name) are not known here.
    """

    zone: str
    week: tuple[Hours, ...]
    closed: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    special: tuple[tuple[date, Hours], ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` for hours that overlap, are empty or lie outside of a day, and for a zone nobody knows."""
        if len(self.week) != 7:
            raise ValueError("a week has seven days")
        for hours in (*self.week, *(hours for _, hours in self.special)):
            for start, end in hours:
                if not 0 <= start < end <= MINUTES_A_DAY:
                    raise ValueError(f"no hours of a day: {start} to {end}")
            if any(end > start for (_, end), (start, _) in pairwise(hours)):
                raise ValueError("hours overlap, or do not ascend")
        ZoneInfo(self.zone)

    def is_holiday(self, day: date) -> bool:
        """Whether a day is closed that would otherwise have hours, or has others than its weekday."""
        return day in self.closed or (day.month, day.day) in self.yearly

    def hours(self, day: date) -> Hours:
        """The hours of one local day."""
        for special, hours in self.special:
            if special == day:
                return hours
        return () if self.is_holiday(day) else self.week[day.weekday()]


ALWAYS = Calendar("UTC", (((0, MINUTES_A_DAY),),) * 7)


# --- when it is open --------------------------------------------------------------------------------------------------


def spans(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """What is open between two instants, ascending; spans that touch are one."""
    kept: Span | None = None
    for found in _pieces(calendar, start, end):
        if kept is not None and kept.end == found.start:
            kept = Span(kept.start, found.end)
            continue
        if kept is not None:
            yield kept
        kept = found
    if kept is not None:
        yield kept


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How much of the time between two instants is open; zero when `end` does not lie after `start`."""
    if calendar is ALWAYS:
        return max(end - start, _ZERO)
    return sum((found.length for found in _pieces(calendar, start, end)), _ZERO)


def opening(calendar: Calendar, at: datetime) -> datetime:
    """The first instant from `at` on that is open. Raises `NeverOpen`."""
    return after(calendar, at, _ZERO)


def after(calendar: Calendar, start: datetime, budget: timedelta) -> datetime:
    """The earliest instant at which `budget` of open time has passed since `start`.

    A budget that ends exactly at closing time is over then, not at the next opening; an empty one at the next opening.
    Raises `NeverOpen`, and `ValueError` for a budget below zero.
    """
    if budget < _ZERO:
        raise ValueError("a budget is not below zero")
    left = budget
    for found in _pieces(calendar, start, min(start, _END - NEVER_AFTER) + NEVER_AFTER):
        if left <= found.length:
            return found.start + left
        left -= found.length
    raise NeverOpen(calendar.zone)


def before(calendar: Calendar, end: datetime, budget: timedelta) -> datetime:
    """The latest instant from which `budget` of open time passes until `end`; an empty one is `end` itself.

    A budget that begins exactly at an opening begins there, not at the closing before it. Raises `NeverOpen`, and
    `ValueError` for a budget below zero.
    """
    if budget < _ZERO:
        raise ValueError("a budget is not below zero")
    if not budget:
        return end
    left, until, reach = budget, end, _FIRST_REACH
    while end - until < NEVER_AFTER:
        start = until - reach
        for found in reversed(list(_pieces(calendar, start, until))):
            if left <= found.length:
                return found.end - left
            left -= found.length
        until, reach = start, 2 * reach
    raise NeverOpen(calendar.zone)


def working_days(calendar: Calendar, start: datetime, days: int) -> timedelta:
    """The open time up to the end of the `days`-th working day, the day of `start` not counted: a target in days.

    A working day is a local date with any open time. Kept as a budget it behaves like every other one when it is paused.
    Raises `NeverOpen`.
    """
    zone = ZoneInfo(calendar.zone)
    first = start.astimezone(zone).date()
    counted, seen, total = 0, first, _ZERO
    for found in _pieces(calendar, start, min(start, _END - NEVER_AFTER) + NEVER_AFTER):
        day = found.start.astimezone(zone).date()
        if day > seen:
            if counted == days:
                return total
            counted, seen = counted + 1, day
        total += found.length
    raise NeverOpen(calendar.zone)


def holidays(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """What would be open between two instants if no day were closed, and is not."""
    plain = Calendar(calendar.zone, calendar.week)
    zone = ZoneInfo(calendar.zone)
    special = {day for day, _ in calendar.special}
    for found in _pieces(plain, start, end):
        day = found.start.astimezone(zone).date()
        if day not in special and calendar.is_holiday(day):
            yield found


# --- the wall's clock and the line of instants ------------------------------------------------------------------------


def _pieces(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """Open spans, cut at each change of the zone's offset and at each midnight."""
    for left, right, offset in _offsets(calendar.zone, start, end):
        wall, wall_end = (left + offset).replace(tzinfo=None), (right + offset).replace(tzinfo=None)
        day = wall.date()
        while (midnight := datetime.combine(day, time.min)) < wall_end:
            for first, last in calendar.hours(day):
                begins = max(midnight + timedelta(minutes=first), wall)
                ends = min(midnight + timedelta(minutes=last), wall_end)
                if begins < ends:
                    yield Span((begins - offset).replace(tzinfo=UTC), (ends - offset).replace(tzinfo=UTC))
            day += DAY


def _offsets(zone: str, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time between two instants in parts of one offset from UTC each."""
    at = start
    for year in range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1):
        changes = _changes(zone, year)
        times = [instant for instant, _ in changes]
        while at < end:
            n = bisect_right(times, at) - 1
            until = times[n + 1] if n + 1 < len(times) else _new_year(year + 1)
            if at >= until:
                break
            yield at, min(until, end), changes[n][1]
            at = min(until, end)


def _new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC) if year <= MAXYEAR else _END


@lru_cache(maxsize=4096)
def _changes(zone: str, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    """A zone's offsets in a year of UTC, each with the instant since when; the first since the year's beginning."""
    info = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta:
        return at.astimezone(info).utcoffset() or _ZERO

    at = datetime(year, 1, 1, tzinfo=UTC)
    end = _new_year(year + 1)
    found = [(at, offset(at))]
    while at < end:
        following = min(at + _STEP, end)
        if offset(following - timedelta(seconds=1)) != found[-1][1]:
            low, high = at - timedelta(seconds=1), following  # the change lies behind `low`, at the latest at `high`
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
            found.append((high, offset(high)))
        at = following
    return tuple(found)
