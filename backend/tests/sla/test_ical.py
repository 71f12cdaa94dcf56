"""Which days a calendar file closes: told as files, against a slow model, and whatever a stranger writes into one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.sla import ical, ical_reading
from waypost.sla.ical import BadFile, read

FIRST, LAST = date(2025, 1, 1), date(2029, 12, 31)
DAY = timedelta(days=1)


def event(*lines: str, name: str = "Closed for good", uid: str = "one@example.com") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{name}", *lines, "END:VEVENT"])


def file(*events: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *events, "END:VCALENDAR", ""]).encode()


def days(data: bytes, zone: str = "Europe/Berlin") -> list[str]:
    return [one.day.isoformat() for one in read(data, zone, FIRST, LAST).days]


def test_a_day_and_several_days() -> None:
    assert days(file(event("DTSTART;VALUE=DATE:20261224"))) == ["2026-12-24"]
    several = event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227")
    assert days(file(several)) == ["2026-12-24", "2026-12-25", "2026-12-26"]
    assert days(file(event("DTSTART;VALUE=DATE:20261224", "DURATION:P2D"))) == ["2026-12-24", "2026-12-25"]
    backwards = read(file(event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261220")), "UTC", FIRST, LAST)
    assert (backwards.days, backwards.ignored[0].reason) == ((), "ends before it begins")


def test_what_comes_every_year_with_exceptions_and_moved_ones() -> None:
    yearly = event("DTSTART;VALUE=DATE:20101225", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20271225")
    moved = event("DTSTART;VALUE=DATE:20281227", "RECURRENCE-ID;VALUE=DATE:20281225")
    assert days(file(yearly, moved)) == ["2025-12-25", "2026-12-25", "2028-12-27", "2029-12-25"]


def test_one_day_of_what_repeats_can_be_cancelled() -> None:
    yearly = event("DTSTART;VALUE=DATE:20101225", "RRULE:FREQ=YEARLY")
    cancelled = event("DTSTART;VALUE=DATE:20271225", "RECURRENCE-ID;VALUE=DATE:20271225", "STATUS:CANCELLED")
    assert days(file(yearly, cancelled)) == ["2025-12-25", "2026-12-25", "2028-12-25", "2029-12-25"]


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART;VALUE=DATE:20271301",),
        ("DTSTART;VALUE=DATE:20270101", "DTEND;VALUE=DATE:99999999"),
        ("DTSTART;VALUE=DATE:20270101", "RRULE:FREQ=SOMETIMES"),
        ("DTSTART;VALUE=DATE:20270101", "RRULE:FREQ=YEARLY;UNTIL=soon"),
    ],
)
def test_one_broken_event_is_told_and_the_others_close_their_days(lines: tuple[str, ...]) -> None:
    found = read(file(event(*lines), event("DTSTART;VALUE=DATE:20280101", uid="two")), "UTC", FIRST, LAST)
    assert [one.day.isoformat() for one in found.days] == ["2028-01-01"]
    assert [one.reason for one in found.ignored] == ["has a date, or a way to repeat, that is none"]


def test_the_last_monday_of_may() -> None:
    rule = event("DTSTART;VALUE=DATE:20200525", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20270601")
    assert days(file(rule)) == ["2025-05-26", "2026-05-25", "2027-05-31"]


def test_hours_are_told_and_close_nothing() -> None:
    meeting = event("DTSTART:20261224T090000Z", "DTEND:20261224T100000Z", "RRULE:FREQ=DAILY;COUNT=3", name="Meeting")
    found = read(file(meeting), "Europe/Berlin", FIRST, LAST)
    assert found.days == ()
    assert [(one.name, one.reason) for one in found.ignored] == [("Meeting", "has hours of a day, and closes none")]


def test_midnight_to_midnight_by_the_calendars_clock_is_a_day() -> None:
    in_berlin = event("DTSTART:20261223T230000Z", "DTEND:20261224T230000Z")
    assert days(file(in_berlin), "Europe/Berlin") == ["2026-12-24"]
    assert days(file(in_berlin), "America/New_York") == []
    floating = event("DTSTART:20261224T000000", "DTEND:20261226T000000")
    assert days(file(floating), "Asia/Tokyo") == ["2026-12-24", "2026-12-25"]
    through_the_change = event("DTSTART;TZID=Europe/Berlin:20260328T000000", "DTEND;TZID=Europe/Berlin:20260330T000000")
    assert days(file(through_the_change)) == ["2026-03-28", "2026-03-29"]


def test_two_of_one_day_close_it_once_under_both_names() -> None:
    both = file(
        event("DTSTART;VALUE=DATE:20261224", name="Holy evening", uid="a"),
        event("DTSTART;VALUE=DATE:20261224", name="Company  closed", uid="b"),
        event("DTSTART;VALUE=DATE:20261224", name="Holy evening", uid="c"),
        event("DTSTART;VALUE=DATE:20261224", "STATUS:CANCELLED", name="Not any more", uid="d"),
    )
    assert [one.name for one in read(both, "UTC", FIRST, LAST).days] == ["Company closed, Holy evening"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff",
        b"hello",
        b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        b"BEGIN:VCALENDAR\r\n",
        b"BEGIN:VEVENT\r\nEND:VEVENT\r\n",
        b"x" * (ical.MOST_BYTES + 1),
        file(*[event("DTSTART;VALUE=DATE:20261224")] * (ical.MOST_EVENTS + 1)),
    ],
)
def test_what_is_no_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadFile):
        read(data, "UTC", FIRST, LAST)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=1",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYSECOND=0,1,2",
        "FREQ=YEARLY;INTERVAL=0",
        "FREQ=YEARLY;INTERVAL=99999999",
    ],
)
def test_what_repeats_out_of_bounds_is_told(rule: str) -> None:
    found = read(file(event("DTSTART;VALUE=DATE:20260101", f"RRULE:{rule}")), "UTC", FIRST, LAST)
    assert found.days == ()
    assert found.ignored_count == 1


def test_what_is_daily_without_an_end_ends_with_the_window() -> None:
    found = read(file(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=DAILY")), "UTC", FIRST, LAST)
    assert (found.days[0].day, found.days[-1].day, len(found.days)) == (date(2026, 1, 1), LAST, 1461)


async def test_a_file_is_read_in_a_process_of_its_own() -> None:
    found = await ical_reading.read(file(event("DTSTART;VALUE=DATE:20261224")), "UTC", date(2026, 11, 26))
    assert [one.day for one in found.days] == [date(2026, 12, 24)]
    with pytest.raises(BadFile, match="no calendar file"):
        await ical_reading.read(b"hello", "UTC", date(2026, 11, 26))
    with pytest.raises(BadFile, match="larger"):
        await ical_reading.read(b"x" * (ical.MOST_BYTES + 1), "UTC", date(2026, 11, 26))


async def test_what_would_be_computed_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical_reading, "BOUNDS", replace(ical_reading.BOUNDS, patience=0.05))
    with pytest.raises(BadFile, match="too long"):
        await ical_reading.read(file(event("DTSTART;VALUE=DATE:20261224")), "UTC", date(2026, 11, 26))


# --- against a slow model ---------------------------------------------------------------------------------------------

_starts = st.dates(date(2015, 1, 1), date(2029, 12, 31))
_rules = st.fixed_dictionaries(
    {"freq": st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]), "interval": st.integers(1, 4)},
    optional={"until": st.dates(date(2020, 1, 1), date(2031, 1, 1)), "count": st.integers(1, 40)},
)


def _happens(start: date, rule: dict[str, Any], day: date) -> bool:
    """Whether a rule says a day, leaving its count out."""
    if day < start or ("until" in rule and day > rule["until"]):
        return False
    if rule["freq"] == "DAILY":
        return (day - start).days % rule["interval"] == 0
    if rule["freq"] == "WEEKLY":
        weeks = ((day - timedelta(days=day.weekday())) - (start - timedelta(days=start.weekday()))).days // 7
        return day.weekday() == start.weekday() and weeks % rule["interval"] == 0
    if day.day != start.day:
        return False
    months = (day.year - start.year) * 12 + day.month - start.month
    if rule["freq"] == "MONTHLY":
        return months % rule["interval"] == 0
    return day.month == start.month and (day.year - start.year) % rule["interval"] == 0


def _model(start: date, length: int, rule: dict[str, Any], without: set[date]) -> list[str]:
    """Every day looked at on its own, from the beginning."""
    found: set[date] = set()
    left = rule.get("count", 10**9)
    day = start
    while day <= LAST and left:
        if _happens(start, rule, day):
            left -= 1
            if day not in without:
                found |= {day + timedelta(days=n) for n in range(length)}
        day += DAY
    return [day.isoformat() for day in sorted(found) if FIRST <= day <= LAST]


@given(_starts, st.integers(1, 5), _rules, st.data())
def test_what_repeats_is_as_the_slow_model_says(start: date, length: int, rule: dict[str, Any], data: Any) -> None:
    if "count" in rule:
        rule.pop("until", None)  # RFC 5545: one or the other
    written = f"RRULE:FREQ={rule['freq']};INTERVAL={rule['interval']}"
    written += f";UNTIL={rule['until']:%Y%m%d}" if "until" in rule else ""
    written += f";COUNT={rule['count']}" if "count" in rule else ""
    all_of_them = [date.fromisoformat(d) for d in _model(start, 1, rule, set())]
    without = set(data.draw(st.lists(st.sampled_from(all_of_them), max_size=3))) if all_of_them else set()
    lines = [f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DTEND;VALUE=DATE:{start + timedelta(days=length):%Y%m%d}", written]
    lines += [f"EXDATE;VALUE=DATE:{day:%Y%m%d}" for day in sorted(without)]
    assert days(file(event(*lines))) == _model(start, length, rule, without)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: file(event(t, "DTSTART;VALUE=DATE:20261224"))))
def test_whatever_stands_in_a_file_it_is_read_or_refused(data: bytes) -> None:
    try:
        found = read(data, "Europe/Berlin", FIRST, LAST)
    except BadFile:
        found = ical.Reading(())
    assert all(FIRST <= one.day <= LAST for one in found.days)
