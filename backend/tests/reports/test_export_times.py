"""When schedules are due, against a clock that is looked at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.reports.export_times import Every, Rhythm, instant_of, next_after

# Changes of an hour, of half an hour, of none, at midnight, against the sun, and a day that is left out.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Santiago",
    "America/Havana",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
)
TURNS = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "America/Santiago": (date(2026, 4, 5), date(2026, 9, 6)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 25)),
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),
    "Europe/Dublin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Pacific/Apia": (date(2011, 12, 30), date(2011, 12, 31)),
    "Pacific/Chatham": (date(2026, 4, 5), date(2026, 9, 27)),
}


@st.composite
def rhythms(draw: st.DrawFn) -> tuple[Rhythm, datetime]:
    """A rhythm, and an instant: mostly near a change of the clocks."""
    name = draw(st.sampled_from(ZONES))
    near = draw(st.sampled_from(TURNS.get(name, (date(2026, 5, 1), date(2028, 2, 28)))))
    start = datetime.combine(near, time(), UTC) + timedelta(minutes=draw(st.integers(-3000, 3000)))
    at = time(draw(st.sampled_from((0, 1, 2, 3, 12, 23))), draw(st.sampled_from((0, 15, 30, 59))))
    every = draw(st.sampled_from(list(Every)))
    weekdays = frozenset(draw(st.sets(st.integers(1, 7), min_size=1)))
    return Rhythm(every, at, ZoneInfo(name), weekdays, draw(st.sampled_from((1, 15, 29, 30, 31)))), start


def slow_instants(rhythm: Rhythm, start: datetime, days: int) -> list[datetime]:
    """Look at the clock every minute: of each day that fits, the first minute that shows the time or a later one."""
    begin = start - timedelta(days=3)
    due: dict[date, datetime] = {}
    waiting = [begin.astimezone(rhythm.zone).date() + timedelta(days=n) for n in range(2, days + 4)]
    waiting = [day for day in waiting if rhythm.fits(day)]
    for minute in range((days + 6) * 24 * 60):
        at = begin + timedelta(minutes=minute)
        shown = at.astimezone(rhythm.zone).replace(tzinfo=None)
        while waiting and shown >= datetime.combine(waiting[0], rhythm.at):
            due[waiting.pop(0)] = at
    return sorted({at for at in due.values() if at > start})


@settings(max_examples=150, deadline=None)
@given(rhythms())
def test_it_is_due_when_a_clock_that_is_watched_says_so(given_: tuple[Rhythm, datetime]) -> None:
    rhythm, start = given_
    expected = slow_instants(rhythm, start, 9)
    found, at = [], start
    for _ in expected:
        following = next_after(rhythm, at)
        assert following is not None
        found.append(at := following)
    assert found == expected


@settings(max_examples=300, deadline=None)
@given(rhythms())
def test_it_goes_on_for_ever_and_never_back(given_: tuple[Rhythm, datetime]) -> None:
    rhythm, at = given_
    for _ in range(5):
        following = next_after(rhythm, at)
        assert following is not None
        assert following > at
        assert next_after(rhythm, following - timedelta(seconds=1)) == following, "asked again it is the same"
        at = following


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:00:00+00:00"),  # left out: when clocks go on
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30:00+00:00"),  # twice: the first
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:30:00+00:00"),
        ("America/Havana", date(2026, 3, 8), time(0, 0), "2026-03-08T05:00:00+00:00"),
        ("Pacific/Apia", date(2011, 12, 30), time(9, 0), "2011-12-30T10:00:00+00:00"),  # a day that was left out
        ("Asia/Kolkata", date(2026, 3, 29), time(2, 30), "2026-03-28T21:00:00+00:00"),
    ],
)
def test_changes_of_the_clocks(zone: str, day: date, at: time, expected: str) -> None:
    assert instant_of(day, at, ZoneInfo(zone)) == datetime.fromisoformat(expected)


def test_a_short_month_has_a_last_day() -> None:
    rhythm = Rhythm(Every.MONTH, time(8), ZoneInfo("UTC"), day=31)
    at, found = datetime(2028, 1, 1, tzinfo=UTC), []
    for _ in range(4):
        following = next_after(rhythm, at)
        assert following is not None
        found.append(f"{following:%m-%d}")
        at = following
    assert found == ["01-31", "02-29", "03-31", "04-30"]
