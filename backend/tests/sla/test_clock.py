"""Clocks against a model that goes through every minute and asks whether it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sla.test_calendar import MINUTE, OFFICE, a_time, calendars, is_open, utc
from waypost.sla.calendar import ALWAYS, Calendar
from waypost.sla.clock import Kind, Mark, Run, Standing, ledger, moment, standing, used

OFFICE_HOURS = Calendar("Europe/Berlin", OFFICE)


def run_at(marks: list[Mark], at: datetime) -> Run:
    return next((m.run for m in reversed(marks) if m.at <= at), Run.STOPPED)


def counted(calendar: Calendar, marks: list[Mark], until: datetime) -> list[datetime]:
    """The model: the minutes that count."""
    found, at = [], marks[0].at
    while at < until:
        if run_at(marks, at) is Run.RUNNING and is_open(calendar, at):
            found.append(at)
        at += MINUTE
    return found


@st.composite
def histories(draw: Any) -> tuple[Calendar, list[Mark]]:
    zone, start = draw(a_time())
    calendar = draw(calendars(zone, start))
    gaps = draw(st.lists(st.integers(0, 900), max_size=6))
    marks, at = [Mark(start, draw(st.sampled_from(Run)))], start
    for gap in gaps:
        at += MINUTE * gap
        marks.append(Mark(at, draw(st.sampled_from(Run))))
    return calendar, marks


@given(histories(), st.integers(0, 1500))
def test_what_has_run_is_what_every_minute_says(history: tuple[Calendar, list[Mark]], more: int) -> None:
    calendar, marks = history
    until = marks[-1].at + MINUTE * more
    minutes = counted(calendar, marks, until)
    assert used(calendar, marks, until) == MINUTE * len(minutes)
    lines = ledger(calendar, marks, until)
    assert sum((line.length for line in lines if line.kind is Kind.RUNNING), timedelta()) == MINUTE * len(minutes)
    if lines:
        assert (lines[0].start, lines[-1].end) == (marks[0].at, until)
    else:
        assert until == marks[0].at
    for before, line in pairwise(lines):
        assert before.end == line.start
        assert (before.kind, before.why) != (line.kind, line.why)
    for line in lines:
        run = run_at(marks, line.start)
        if line.kind in (Kind.PAUSED, Kind.STOPPED):
            assert run.name == line.kind.name
        else:
            assert run is Run.RUNNING
            assert is_open(calendar, line.start) == (line.kind is Kind.RUNNING)


@given(histories(), st.integers(1, 2000))
def test_it_is_due_when_so_much_has_run(history: tuple[Calendar, list[Mark]], budget: int) -> None:
    calendar, marks = history
    if not any(calendar.week):
        return
    due = moment(calendar, marks, MINUTE * budget)
    ran = used(calendar, marks, marks[-1].at)
    if due is None:
        assert marks[-1].run is not Run.RUNNING
        assert ran < MINUTE * budget
        return
    assert used(calendar, marks, due) == MINUTE * budget
    assert used(calendar, marks, due - MINUTE) == MINUTE * (budget - 1), "not a minute earlier"


@given(histories(), st.integers(0, 1500), st.integers(0, 3000), st.integers(0, 3000))
def test_it_is_late_from_its_due_date_on(
    history: tuple[Calendar, list[Mark]], target: int, one: int, other: int
) -> None:
    calendar, marks = history
    if not any(calendar.week):
        return
    early, late = (marks[0].at + MINUTE * n for n in sorted((one, other)))
    before, then = (standing(calendar, marks, MINUTE * target, at) for at in (early, late))
    assert before.used <= then.used
    assert then.left == MINUTE * target - then.used
    assert then.run is run_at(marks, late)
    if before.used > MINUTE * target:
        assert then.is_breached, "what is late stays late"
    if then.is_breached:
        assert then.left <= timedelta()
    if then.left < timedelta():
        assert then.is_breached
    if then.run is Run.RUNNING and then.due_at is not None:
        assert then.is_breached == (then.due_at <= late)


@given(histories(), st.integers(1, 600))
def test_a_pause_adds_nothing_however_long_it_is(history: tuple[Calendar, list[Mark]], budget: int) -> None:
    """The remaining working time after a pause is what it was before it."""
    calendar, marks = history
    at = marks[-1].at
    held = [*marks, Mark(at, Run.PAUSED)]
    for days in (0, 1, 300):
        resumed = [*held, Mark(at + timedelta(days=days), Run.RUNNING)]
        assert used(calendar, resumed, at + timedelta(days=days)) == used(calendar, marks, at)
    assert not any(
        standing(calendar, held, MINUTE * budget, at + timedelta(days=d)).is_breached
        for d in (0, 1, 300)
        if used(calendar, marks, at) <= MINUTE * budget
    ), "nothing is late by a pause"


def test_a_day_in_the_office() -> None:
    start = utc(2026, 11, 26, 14)  # 15:00 in Berlin, a Thursday
    marks = [Mark(start, Run.RUNNING)]
    assert moment(OFFICE_HOURS, marks, timedelta(hours=4)) == utc(2026, 11, 27, 10)
    asked = [*marks, Mark(utc(2026, 11, 26, 15), Run.PAUSED, "Pending info")]
    assert standing(OFFICE_HOURS, asked, timedelta(hours=4), utc(2026, 12, 1)) == Standing(
        Run.PAUSED, timedelta(hours=1), timedelta(hours=3), None, is_breached=False
    )
    answered = [*asked, Mark(utc(2026, 11, 30, 9), Run.RUNNING)]  # Monday, 10:00
    assert moment(OFFICE_HOURS, answered, timedelta(hours=4)) == utc(2026, 11, 30, 12)
    closed = Calendar(OFFICE_HOURS.zone, OFFICE_HOURS.week, frozenset({utc(2026, 11, 30).date()}))
    lines = ledger(closed, answered, utc(2026, 12, 1, 9))
    assert [(line.kind.value, line.why, line.length) for line in lines] == [
        ("RUNNING", "", timedelta(hours=1)),
        ("PAUSED", "Pending info", timedelta(days=3, hours=18)),
        ("HOLIDAY", "", timedelta(hours=7)),
        ("CLOSED", "", timedelta(hours=16)),
        ("RUNNING", "", timedelta(hours=1)),
    ]


def test_what_is_done_at_the_very_instant_is_in_time() -> None:
    start, hour = utc(2026, 11, 26, 9), timedelta(hours=1)
    for run, late in ((Run.STOPPED, False), (Run.PAUSED, False), (Run.RUNNING, True)):
        marks = [Mark(start, Run.RUNNING), Mark(start + hour, run)]
        assert standing(ALWAYS, marks, hour, start + hour).is_breached is late
    again = [Mark(start, Run.RUNNING), Mark(start + hour, Run.PAUSED), Mark(start + 2 * hour, Run.RUNNING)]
    assert not standing(ALWAYS, again[:2], hour, start + 9 * hour).is_breached
    assert standing(ALWAYS, again, hour, start + 2 * hour).is_breached


def test_another_target_counts_from_the_start_with_the_pauses_there_were() -> None:
    start, hour = utc(2026, 11, 26, 9), timedelta(hours=1)
    marks = [Mark(start, Run.RUNNING), Mark(start + hour, Run.PAUSED), Mark(start + 3 * hour, Run.RUNNING)]
    assert moment(ALWAYS, marks, 4 * hour) == start + 6 * hour
    assert moment(ALWAYS, marks, hour / 2) == start + hour / 2, "a shorter one was over long ago"


def test_a_solved_interval_does_not_count_when_it_is_opened_again() -> None:
    start, hour = utc(2026, 11, 26, 9), timedelta(hours=1)
    marks = [Mark(start, Run.RUNNING), Mark(start + hour, Run.STOPPED), Mark(start + 50 * hour, Run.RUNNING)]
    assert used(ALWAYS, marks, start + 51 * hour) == 2 * hour
    assert moment(ALWAYS, marks, 3 * hour) == start + 52 * hour


def test_without_marks_nothing_runs() -> None:
    at = utc(2026, 11, 26)
    assert used(ALWAYS, [], at) == timedelta()
    assert moment(ALWAYS, [], MINUTE) is None
    assert ledger(ALWAYS, [], at) == []
    assert standing(ALWAYS, [], MINUTE, at) == Standing(Run.STOPPED, timedelta(), MINUTE, None, is_breached=False)


def test_marks_that_do_not_ascend_are_none() -> None:
    marks = [Mark(utc(2026, 1, 2), Run.RUNNING), Mark(utc(2026, 1, 1), Run.PAUSED)]
    for ask in (lambda: used(ALWAYS, marks, utc(2026, 1, 3)), lambda: moment(ALWAYS, marks, MINUTE)):
        with pytest.raises(ValueError, match="ascend"):
            ask()
