"""Numbers, dates and times as a person reads them: by their locale (CLDR) and in their time zone, as screens show them.

The words of the product are English; what stands in files and mails is written in the reader's manner all the same, so that
1,234.5 is not read as one and a bit.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_day_names
from babel.numbers import NumberPattern
from babel.units import format_unit

from waypost.kernel.clock import zone_of

Number = float | int | str | Decimal
ENGLISH = Locale("en")
BEYOND = 0x530  # the first letter behind Latin, Greek and Cyrillic ones


@dataclass(frozen=True, slots=True)
class Formats:
    """How one person reads numbers and dates."""

    locale: Locale
    zone: ZoneInfo

    def number(self, value: Number, most: int = 0, *, least: int = 0) -> str:
        """`1,234.5`: with at most and at least so many places."""
        return self._put(self.locale.decimal_formats[None], value, least, most)

    def share(self, value: Number) -> str:
        """`45.0%` of a share between 0 and 1."""
        return self._put(self.locale.percent_formats[None], value, 1, 1)

    def lasting(self, seconds: float) -> str:
        """A length of time as people say it: minutes below an hour, hours below two days, then days."""
        hours = seconds / 3600
        if hours < 1:
            return self._unit(max(1, round(seconds / 60)), "minute")
        return self.hours(seconds) if hours < 48 else self._unit(hours / 24, "day")

    def hours(self, seconds: float) -> str:
        """A length of time in hours, however long: of working time, a day of which has no 24."""
        return self._unit(seconds / 3600, "hour")

    def day(self, on: date, *, with_year: bool = True) -> str:
        """`Nov 26, 2026`, or `Nov 26`."""
        return str(format_skeleton("yMMMd" if with_year else "MMMd", on, locale=self.locale))

    def weekdays(self) -> list[str]:
        """The names of the days, Monday first."""
        named = get_day_names("wide", "stand-alone", self.locale)
        return [named[n] for n in range(7)]

    def instant(self, at: datetime) -> str:
        """`Thursday, November 26, 2026, 11:10 PM CET`, in this person's zone."""
        local = at.astimezone(self.zone)
        day = format_date(local.date(), "full", locale=self.locale)
        return f"{day}, {format_time(local.timetz(), 'short', locale=self.locale)} {local:%Z}"

    def _put(self, pattern: NumberPattern, value: Number, least: int, most: int) -> str:
        placed = copy.copy(pattern)
        placed.frac_prec = (least, most)
        return str(placed.apply(Decimal(str(value)), self.locale))

    def _unit(self, value: float, unit: str) -> str:
        placed = copy.copy(self.locale.decimal_formats[None])
        placed.frac_prec = (0, 1)
        return str(format_unit(Decimal(str(round(value, 1))), f"duration-{unit}", "short", placed, locale=self.locale))


def formats_of(locale: str, zone: str) -> Formats:
    """The manner of somebody with this locale (BCP 47) and IANA zone; what is not known there is English, and UTC.

    So is what is written in letters the documents have no font for: neither Latin, Greek nor Cyrillic.
    """
    return Formats(_locale(locale), zone_of(zone))


@lru_cache(maxsize=200)
def _locale(name: str) -> Locale:
    for tried in (name, name.partition("-")[0]):
        try:
            found = Locale.parse(tried, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        return found if max(map(ord, "".join(found.months["format"]["wide"].values()))) < BEYOND else ENGLISH
    return ENGLISH
