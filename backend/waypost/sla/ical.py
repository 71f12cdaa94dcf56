"""Which days a calendar file (iCalendar, RFC 5545) closes. Pure.

All-day events close their days, and so do those that last from midnight to midnight by the calendar's clock; what has
hours in a day closes nothing, and is told. What repeats is followed within a window of years. A file is a stranger's: its
size, its events and what they repeat are bounded, and it is read in a process of its own (`ical_reading`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from icalendar.error import BrokenCalendarProperty

from waypost.kernel.shapes import in_one_line

MOST_BYTES = 2_000_000
MOST_EVENTS = 5_000
MOST_DAYS = 2_500  # that one file closes
MOST_TOLD = 100
LONGEST = timedelta(days=366)  # of one event
MOST_NAME = 200
MOST_UID = 255
YEARS_BEFORE, YEARS_AHEAD = 1, 3
FREQUENCIES = frozenset({"YEARLY", "MONTHLY", "WEEKLY", "DAILY"})
_FINE = ("BYHOUR", "BYMINUTE", "BYSECOND")  # parts of a rule that no all-day event has
_DAY = timedelta(days=1)


class BadFile(ValueError):
    """This is no calendar file, or not one that is taken. Its words are for people."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A day that a file closes: by which event, and what that is called."""

    day: date
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that closes nothing, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says of the years looked at. `ignored` names `MOST_TOLD` at most of `ignored_count`."""

    days: tuple[Closed, ...]
    ignored: tuple[Ignored, ...] = ()
    ignored_count: int = 0


def window(today: date) -> tuple[date, date]:
    """The first and the last day that are looked at: a year back, some years ahead."""
    return date(today.year - YEARS_BEFORE, 1, 1), date(today.year + YEARS_AHEAD, 12, 31)


def read(data: bytes, zone: str, first: date, last: date) -> Reading:
    """The days a file closes from `first` to `last`. Raises `BadFile`."""
    if len(data) > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
    ignored: list[Ignored] = []
    found: dict[date, list[Closed]] = {}
    whole = _bounded(_parsed(data), first, ignored)
    clock = ZoneInfo(zone)
    try:
        # A day more on each side: what is midnight here is another day there.
        events = recurring_ical_events.of(whole, skip_bad_series=True).between(first - _DAY, last + _DAY + _DAY)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as wrong:
        raise BadFile("What repeats in the file cannot be followed.") from wrong
    hours_told: set[str] = set()
    for event in events:
        if _is_cancelled(event):  # one day of what repeats
            continue
        name, uid = _words(event)
        days = _days(event, clock)
        if days is None:
            if uid not in hours_told:
                hours_told.add(uid)
                ignored.append(Ignored(name, "has hours of a day, and closes none"))
            continue
        for day in days:
            if first <= day <= last:
                of_day = found.setdefault(day, [])
                if name not in (one.name for one in of_day):
                    of_day.append(Closed(day, name, uid))
        if len(found) > MOST_DAYS:
            raise BadFile(f"The file closes more than {MOST_DAYS:,} days.")
    ignored.sort(key=lambda one: (one.name, one.reason))
    return Reading(tuple(_one(found[day]) for day in sorted(found)), tuple(ignored[:MOST_TOLD]), len(ignored))


def _parsed(data: bytes) -> list[icalendar.Calendar]:
    try:
        parsed: Any = icalendar.Calendar.from_ical(data.decode("utf-8-sig"), multiple=True)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as wrong:
        raise BadFile("This is no calendar file that can be read (iCalendar, .ics).") from wrong
    calendars = [one for one in parsed if getattr(one, "name", None) == "VCALENDAR"]
    if not calendars:
        raise BadFile("This is no calendar file (iCalendar, .ics): there is no VCALENDAR in it.")
    return calendars


def _bounded(calendars: list[icalendar.Calendar], first: date, ignored: list[Ignored]) -> icalendar.Calendar:
    """One calendar of the events that may be followed."""
    kept = icalendar.Calendar()
    count = 0
    for calendar in calendars:
        for component in calendar.subcomponents:
            if component.name == "VTIMEZONE":
                kept.add_component(component)
            if component.name != "VEVENT":
                continue
            count += 1
            if count > MOST_EVENTS:
                raise BadFile(f"The file has more than {MOST_EVENTS:,} events.")
            reason = _fault_of_any(component, first)
            if reason:
                ignored.append(Ignored(_words(component)[0], reason))
            elif reason is None:
                kept.add_component(component)
    return kept


def _fault_of_any(event: Any, first: date) -> str | None:
    """`_fault`, also of an event with a date or a rule that is none: it alone closes nothing, the others do."""
    try:
        return _fault(event, first)
    except BrokenCalendarProperty:
        return "has a date, or a way to repeat, that is none"


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _fault(event: Any, first: date) -> str | None:
    """Why an event is not followed; nothing when it is only over, None when it is followed."""
    if _is_cancelled(event):
        return "" if event.get("RECURRENCE-ID") is None else None
    starts = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(starts, date):
        return "says no day on which it begins"
    if not 1900 <= starts.year <= 9000:
        return "begins in a year that is not looked at"
    ends = getattr(event.get("DTEND"), "dt", None)
    if type(ends) is type(starts) and isinstance(ends, date) and f"{ends:%Y%m%d%H%M}" < f"{starts:%Y%m%d%H%M}":
        return "ends before it begins"
    rules = event.get("RRULE")
    if rules is None:
        return None
    for rule in rules if isinstance(rules, list) else [rules]:
        words = {str(w).upper() for w in rule.get("FREQ", [])}
        if not words or not words <= FREQUENCIES or any(part in rule for part in _FINE):
            return "repeats within a day"
        interval = rule.get("INTERVAL", [1])[0]
        if not isinstance(interval, int) or not 1 <= interval <= 1_000:
            return "repeats in a way that cannot be followed"
    return None


def _words(event: Any) -> tuple[str, str]:
    name = in_one_line("".join(c if c.isprintable() else " " for c in str(event.get("SUMMARY", ""))))
    uid = "".join(c for c in str(event.get("UID", "")) if c.isprintable())
    return name[:MOST_NAME] or "Closed", uid[:MOST_UID]


def _days(event: Any, zone: ZoneInfo) -> Iterator[date] | None:
    """The whole days an event lasts, by the calendar's clock; None when it has hours."""
    start, end = event["DTSTART"].dt, None
    if event.get("DTEND") is not None:
        end = event["DTEND"].dt
    if not isinstance(start, datetime):
        until = end if isinstance(end, date) and not isinstance(end, datetime) else start + _DAY
        return _each(start, min(max(until, start + _DAY), start + LONGEST))
    if not isinstance(end, datetime):
        return None
    begins, ends = (_local(at, zone) for at in (start, end))
    if begins.time() != time.min or ends.time() != time.min or ends <= begins:
        return None
    return _each(begins.date(), min(ends.date(), begins.date() + LONGEST))


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """By the calendar's clock; a time that names no zone is meant by it already."""
    return (at.astimezone(zone) if at.tzinfo is not None else at).replace(tzinfo=None)


def _each(start: date, until: date) -> Iterator[date]:
    return (start + timedelta(days=n) for n in range((until - start).days))


def _one(of_day: list[Closed]) -> Closed:
    """Several events of a day close it once, under all their names."""
    names = sorted(one.name for one in of_day)
    return Closed(of_day[0].day, ", ".join(names)[:MOST_NAME], of_day[0].uid)
