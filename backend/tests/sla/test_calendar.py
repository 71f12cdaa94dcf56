"""Working hours against a model that asks every minute whether the wall's clock shows an open one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waypost.sla import calendar as under_test
from waypost.sla.calendar import (
    ALWAYS,
    Calendar,
    NeverOpen,
    Span,
    after,
    before,
    elapsed,
    holidays,
    opening,
    spans,
    working_days,
)

MINUTE = timedelta(minutes=1)
# Zones whose clocks change in every way there is: at midnight, by half an hour, across a date, southern, not at all.
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Moscow",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Havana",
    "America/St_Johns",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Auckland",
    "UTC",
)
DAY_HOURS = ((9 * 60, 17 * 60),)
OFFICE = (DAY_HOURS,) * 5 + ((),) * 2


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def is_open(calendar: Calendar, at: datetime) -> bool:
    """The model: what the clock on the wall shows, nothing else."""
    wall = at.astimezone(ZoneInfo(calendar.zone))
    day, minute = wall.date(), wall.hour * 60 + wall.minute
    special = dict(calendar.special)
    if day in special:
        hours = special[day]
    elif day in calendar.closed or (day.month, day.day) in calendar.yearly:
        hours = ()
    else:
        hours = calendar.week[day.weekday()]
    return any(start <= minute < end for start, end in hours)


def open_minutes(calendar: Calendar, start: datetime, end: datetime) -> list[datetime]:
    found, at = [], start
    while at < end:
        if is_open(calendar, at):
            found.append(at)
        at += MINUTE
    return found


@st.composite
def hours(draw: Any) -> tuple[tuple[int, int], ...]:
    edges = sorted(draw(st.sets(st.integers(0, 1440), min_size=0, max_size=6)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def a_time(draw: Any) -> tuple[str, datetime]:
    """A zone and an instant in it; often one within two days of a change of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    at = utc(2008, 1, 1) + MINUTE * draw(st.integers(0, 20 * 366 * 1440))
    changes = under_test._changes(zone, at.year)[1:]
    if changes and draw(st.booleans()):
        at = draw(st.sampled_from(changes))[0] + MINUTE * draw(st.integers(-2 * 1440, 1440))
    return zone, at


@st.composite
def calendars(draw: Any, zone: str, around: datetime) -> Calendar:
    days = st.integers(-2, 8).map(lambda n: (around + timedelta(days=n)).date())
    closed = draw(st.frozensets(days, max_size=2))
    yearly = draw(st.frozensets(days.map(lambda d: (d.month, d.day)), max_size=2))
    special = draw(st.dictionaries(days, hours(), max_size=2))
    return Calendar(zone, tuple(draw(hours()) for _ in range(7)), closed, yearly, tuple(special.items()))


@given(st.data())
def test_what_is_open_is_what_the_wall_shows(data: Any) -> None:
    zone, start = data.draw(a_time())
    calendar = data.draw(calendars(zone, start))
    end = start + MINUTE * data.draw(st.integers(0, 3 * 1440))
    expected = open_minutes(calendar, start, end)
    found = list(spans(calendar, start, end))
    assert sum((s.length for s in found), timedelta()) == elapsed(calendar, start, end) == MINUTE * len(expected)
    listed = []
    for span in found:
        assert start <= span.start < span.end <= end
        at = span.start
        while at < span.end:
            listed.append(at)
            at += MINUTE
    assert listed == expected
    assert all(a.end < b.start for a, b in pairwise(found)), "what touches is one"


@given(st.data())
def test_a_budget_is_over_when_so_much_was_open_and_no_minute_later(data: Any) -> None:
    zone, start = data.draw(a_time())
    calendar = data.draw(calendars(zone, start))
    minutes = open_minutes(calendar, start, start + timedelta(days=3))
    if not minutes:
        return
    n = data.draw(st.integers(1, len(minutes)))
    due = after(calendar, start, MINUTE * n)
    assert due == minutes[n - 1] + MINUTE
    assert elapsed(calendar, start, due) == MINUTE * n
    assert opening(calendar, start) == minutes[0]


@given(st.data())
def test_looking_back_finds_the_last_instant_from_which_so_much_is_left(data: Any) -> None:
    zone, end = data.draw(a_time())
    calendar = data.draw(calendars(zone, end))
    minutes = open_minutes(calendar, end - timedelta(days=3), end)
    assert before(calendar, end, timedelta()) == end
    if not minutes:
        return
    n = data.draw(st.integers(1, len(minutes)))
    begins = before(calendar, end, MINUTE * n)
    assert begins == minutes[-n]
    assert elapsed(calendar, begins, end) == MINUTE * n


def test_a_long_time_back_is_found_however_far() -> None:
    quarter = Calendar("Europe/Berlin", (((540, 600),), *((),) * 6), frozenset({date(2026, 3, 2)}))  # Mondays, an hour
    assert before(quarter, utc(2026, 3, 20), timedelta(hours=9)) == utc(2026, 1, 12, 8)
    assert before(quarter, utc(2026, 3, 20), timedelta(minutes=30)) == utc(2026, 3, 16, 8, 30)


def test_what_is_open_over_midnight_is_one_span() -> None:
    """Two nights of a shift: each in two days, both one."""
    shift = Calendar("Europe/Berlin", (((1320, 1440),), ((0, 360), (1320, 1440)), ((0, 360),), *((),) * 4))
    assert list(spans(shift, utc(2026, 1, 5), utc(2026, 1, 9))) == [
        Span(utc(2026, 1, 5, 21), utc(2026, 1, 6, 5)),
        Span(utc(2026, 1, 6, 21), utc(2026, 1, 7, 5)),
    ]
    assert list(spans(ALWAYS, utc(2026, 1, 5, 7), utc(2027, 1, 9))) == [Span(utc(2026, 1, 5, 7), utc(2027, 1, 9))]


@given(st.data())
def test_parts_of_a_time_are_its_whole(data: Any) -> None:
    zone, start = data.draw(a_time())
    calendar = data.draw(calendars(zone, start))
    one, two = (timedelta(seconds=data.draw(st.integers(0, 400_000)), microseconds=7) for _ in range(2))
    middle, end = start + one, start + one + two
    assert elapsed(calendar, start, middle) + elapsed(calendar, middle, end) == elapsed(calendar, start, end)


@given(st.data())
def test_holidays_and_open_time_make_the_ordinary_week(data: Any) -> None:
    zone, start = data.draw(a_time())
    calendar = data.draw(calendars(zone, start))
    calendar = Calendar(calendar.zone, calendar.week, calendar.closed, calendar.yearly)
    end = start + timedelta(days=3)
    lost = sum((s.length for s in holidays(calendar, start, end)), timedelta())
    assert lost + elapsed(calendar, start, end) == elapsed(Calendar(zone, calendar.week), start, end)


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_days_around_the_clock_is_as_long_as_it_is(zone: str) -> None:
    always = Calendar(zone, (((0, 1440),),) * 7)
    for year in range(2007, 2030):
        assert elapsed(always, utc(year, 1, 1), utc(year + 1, 1, 1)) == utc(year + 1, 1, 1) - utc(year, 1, 1)


def test_days_of_23_and_25_hours() -> None:
    calendar = Calendar("Europe/Berlin", (((0, 1440),),) * 7)
    spring, autumn = utc(2026, 3, 28, 23), utc(2026, 10, 24, 22)  # the midnights before
    assert after(calendar, spring, timedelta(hours=23)) == utc(2026, 3, 29, 22)
    assert after(calendar, autumn, timedelta(hours=25)) == utc(2026, 10, 25, 23)
    nights = Calendar("Europe/Berlin", (((60, 180),),) * 7)  # 01:00 to 03:00
    assert elapsed(nights, spring, spring + timedelta(days=1)) == timedelta(hours=1)
    assert elapsed(nights, autumn, autumn + timedelta(days=1)) == timedelta(hours=3)


def test_what_the_field_expects() -> None:
    """The fixtures of other products' documents."""
    wide = Calendar("UTC", (((480, 1080),),) * 5 + ((),) * 2)
    assert after(wide, utc(2026, 11, 26, 16), timedelta(hours=4)) == utc(2026, 11, 27, 10)
    eight = Calendar("UTC", (((480, 1020),),) * 5 + ((),) * 2)
    assert elapsed(eight, utc(2026, 11, 27, 21), utc(2026, 11, 30, 9, 30)) == timedelta(hours=1, minutes=30)
    office = Calendar("UTC", OFFICE)
    assert elapsed(office, utc(2026, 11, 26, 14), utc(2026, 11, 27, 9)) == timedelta(hours=3)
    assert after(office, utc(2026, 11, 26, 14), timedelta(hours=3)) == utc(2026, 11, 26, 17), "due at closing"
    assert after(office, utc(2026, 11, 27, 21), timedelta()) == utc(2026, 11, 30, 9), "starts at the next opening"


def test_targets_in_days_end_with_a_working_day() -> None:
    calendar = Calendar("UTC", OFFICE, frozenset({date(2026, 11, 30)}))
    start = utc(2026, 11, 26, 14)  # a Thursday; Monday is closed
    for days, end in ((0, utc(2026, 11, 26, 17)), (1, utc(2026, 11, 27, 17)), (2, utc(2026, 12, 1, 17))):
        assert after(calendar, start, working_days(calendar, start, days)) == end
    late = utc(2026, 11, 28, 14)  # a Saturday
    assert after(calendar, late, working_days(calendar, late, 1)) == utc(2026, 12, 1, 17)


def test_a_day_the_calendar_leaps_over() -> None:
    """Samoa had no 30 December 2011."""
    calendar = Calendar("Pacific/Apia", (((0, 1440),),) * 7, frozenset({date(2011, 12, 30)}))
    assert elapsed(calendar, utc(2011, 12, 29), utc(2012, 1, 2)) == timedelta(days=4)


@example(2024)
@given(st.integers(2008, 2040))
def test_the_29th_of_february_of_every_year_comes_in_leap_years(year: int) -> None:
    calendar = Calendar("UTC", (((0, 1440),),) * 7, yearly=frozenset({(2, 29)}))
    is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    lost = utc(year + 1, 1, 1) - utc(year, 1, 1) - elapsed(calendar, utc(year, 1, 1), utc(year + 1, 1, 1))
    assert lost == timedelta(days=1 if is_leap else 0)


def test_what_never_opens_says_so() -> None:
    never = Calendar("UTC", ((),) * 7)
    for ask in (
        lambda: opening(never, utc(2026, 1, 1)),
        lambda: after(never, utc(9990, 1, 1), MINUTE),
        lambda: working_days(never, utc(2026, 1, 1), 1),
        lambda: before(never, utc(2026, 1, 1), MINUTE),
    ):
        with pytest.raises(NeverOpen):
            ask()
    with pytest.raises(ValueError, match="below zero"):
        after(ALWAYS, utc(2026, 1, 1), -MINUTE)
    with pytest.raises(ValueError, match="below zero"):
        before(ALWAYS, utc(2026, 1, 1), -MINUTE)
    assert elapsed(ALWAYS, utc(2026, 1, 2), utc(2026, 1, 1)) == timedelta()
    assert elapsed(ALWAYS, utc(2026, 1, 1), utc(2026, 1, 2)) == timedelta(days=1)


@pytest.mark.parametrize("bad", [((5, 5),), ((-1, 5),), ((0, 1441),), ((0, 10), (9, 20)), ((10, 20), (0, 5))])
def test_hours_that_are_none(bad: Any) -> None:
    with pytest.raises(ValueError, match="hours"):
        Calendar("UTC", (bad, *((),) * 6))
    with pytest.raises(ValueError, match="hours"):
        Calendar("UTC", ((),) * 7, special=((date(2026, 1, 1), bad),))


def test_a_week_of_other_days_is_none() -> None:
    with pytest.raises(ValueError, match="seven"):
        Calendar("UTC", ((),) * 6)


def test_a_zone_nobody_knows() -> None:
    with pytest.raises(KeyError):
        Calendar("Europe/Nowhere", ((),) * 7)
