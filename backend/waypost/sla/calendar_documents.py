"""A calendar's document: zone, week and days as they are kept with each version, read into a `Calendar`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from waypost.sla.calendar import Calendar, Hours


@dataclass(frozen=True)
class KnownCalendar:
    """A calendar in one version, with what people call it and its days. `is_default` is whether it is that now."""

    id: int
    version: int
    name: str
    calendar: Calendar
    names: Mapping[date, str]  # of closed and special dates
    yearly_names: Mapping[tuple[int, int], str]
    in_persons_zone: bool = False
    is_default: bool = False

    def name_of(self, day: date) -> str:
        """Why a day is not as its weekday: a holiday's name; nothing when it is, or nobody said why."""
        return self.names.get(day) or self.yearly_names.get((day.month, day.day), "")


@dataclass(frozen=True)
class Calendars:
    """All calendars as they are now, by id."""

    by_id: Mapping[int, KnownCalendar]

    @cached_property
    def default(self) -> KnownCalendar:
        """What goes by no other."""
        return next(c for c in self.by_id.values() if c.is_default)

    def of(self, calendar_id: int | None) -> KnownCalendar:
        """The one with this id, else the default."""
        return self.by_id.get(calendar_id or 0) or self.default


def hours_of(pairs: list[list[int]]) -> Hours:
    """Hours of a day as they are kept: `[[480, 720], [780, 1080]]`."""
    return tuple((start, end) for start, end in pairs)


def read(document: Mapping[str, Any]) -> tuple[Calendar, dict[date, str], dict[tuple[int, int], str]]:
    """The calendar a kept document stands for, and the names of its days."""
    closed: set[date] = set()
    yearly: dict[tuple[int, int], str] = {}
    special: dict[date, Hours] = {}
    names: dict[date, str] = {}
    for one in document["days"]:
        if one["kind"] == "YEARLY":
            yearly[one["month"], one["day_of_month"]] = _both(yearly.get((one["month"], one["day_of_month"])), one)
            continue
        day = date.fromisoformat(one["day"])
        names[day] = _both(names.get(day), one)
        if one["kind"] == "SPECIAL":
            special[day] = hours_of(one["hours"])
        else:
            closed.add(day)
    calendar = Calendar(
        zone=document["zone"],
        week=tuple(hours_of(day) for day in document["week"]),
        closed=frozenset(closed),
        yearly=frozenset(yearly),
        special=tuple(sorted(special.items())),
    )
    return calendar, names, yearly


def _both(before: str | None, one: Mapping[str, Any]) -> str:
    """A day can stand there twice, by hand and from a file: it has both names."""
    names = [name for name in (before, one["name"]) if name]
    return ", ".join(dict.fromkeys(names))
