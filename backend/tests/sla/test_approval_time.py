"""An approval's own clock: the engine's instants in the approver's calendar, against a model that counts open minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.sla.test_calendar import MINUTE, ZONES, a_time, calendars, is_open, utc
from waypost.approvals import engine
from waypost.approvals.definition import Mode
from waypost.approvals.foretelling import foretell
from waypost.approvals.hours import CLOCK, due_with, left
from waypost.approvals.states import (
    Action,
    Ladder,
    Receiver,
    Stage,
    StageStatus,
    State,
    Step,
    StepStatus,
    Verb,
    WorkflowStatus,
)
from waypost.sla.calendar import Calendar
from waypost.sla.working_hours import WorkingHours

OFFICE = (((480, 1020),),) * 5 + ((),) * 2
HOUR = timedelta(hours=1)
ANA, BEN, BOSS = 1, 2, 3


def stage_of(due_in: timedelta, ladder: Ladder | None = None, *, people: tuple[int, ...] = (ANA,)) -> Stage:
    steps = tuple(Step(-n, n, 1, person, StepStatus.WAITING) for n, person in enumerate(people, 1))
    values = {"ladder": ladder or Ladder(), "in_working_time": True}
    return Stage(-1, 1, "Budget", Mode.PARALLEL, len(people), False, due_in, StageStatus.WAITING, steps, **values)


def begun(at: datetime, stage: Stage, hours: dict[int, Calendar]) -> State:
    known = {person: WorkingHours(calendar) for person, calendar in hours.items()}
    return engine.begin(State(WorkflowStatus.RUNNING, (stage,), hours=known), at)[0]


def of(state: State, person: int) -> Step:
    return next(s for s in state.asked() if s.approver == person)


def model_due(calendar: Calendar, at: datetime, minutes: int) -> datetime:
    """Minute by minute, until so many were open."""
    for n in count():
        if is_open(calendar, at + n * MINUTE):
            minutes -= 1
            if not minutes:
                return at + (n + 1) * MINUTE
    raise AssertionError


def model_left(calendar: Calendar, at: datetime, due: datetime) -> int:
    return sum(is_open(calendar, at + n * MINUTE) for n in range(int((due - at) / MINUTE)))


@st.composite
def a_calendar(draw: Any, around: datetime) -> Calendar:
    """Any calendar that is open on some day of every week."""
    found = draw(calendars(draw(st.sampled_from(ZONES)), around))
    return replace(found, week=(*found.week[:3], ((600, 720), (780, 900)), *found.week[4:]))


def test_eight_hours_from_friday_at_four_are_tuesday_when_monday_is_off() -> None:
    calendar = Calendar("Europe/Berlin", OFFICE, frozenset({date(2026, 11, 30)}))
    state = begun(utc(2026, 11, 27, 15), stage_of(8 * HOUR), {ANA: calendar})
    assert of(state, ANA).due_at == utc(2026, 12, 1, 14), "an hour on Friday, seven on Tuesday"


@given(st.data())
def test_due_reminded_and_climbed_when_so_many_open_minutes_are_over(data: Any) -> None:
    _, at = data.draw(a_time())
    ana, boss = data.draw(a_calendar(at)), data.draw(a_calendar(at))
    due_in, remind, later = (data.draw(st.integers(1, 900)) for _ in range(3))
    remind = min(remind, due_in - 1)
    ladder = Ladder((remind * MINUTE,), later * MINUTE, later * MINUTE, 1)
    state = begun(at, stage_of(due_in * MINUTE, ladder), {ANA: ana, BOSS: boss})
    step = of(state, ANA)
    due = model_due(ana, at, due_in)
    assert step.due_at == due
    assert step.timer_at is not None
    assert model_left(ana, step.timer_at, due) == remind
    assert at <= step.timer_at <= due
    state, _ = engine.on_time(state, step.id, [], [], step.timer_at)
    climbs = model_due(ana, due, later)
    assert of(state, ANA).timer_at == climbs
    state, _ = engine.on_time(state, step.id, [Receiver(BOSS, "next")], [], climbs)
    assert of(state, BOSS).due_at == model_due(boss, climbs, later), "in the hours of the one who is asked then"


@given(st.data())
def test_what_is_handed_on_has_as_many_minutes_of_the_next_one(data: Any) -> None:
    _, at = data.draw(a_time())
    ana, ben = data.draw(a_calendar(at)), data.draw(a_calendar(at))
    due_in = data.draw(st.integers(1, 900))
    state = begun(at, stage_of(due_in * MINUTE), {ANA: ana, BEN: ben})
    later = at + MINUTE * data.draw(st.integers(0, 3 * 1440))
    action = Action(Verb.DELEGATE, of(state, ANA).id, ANA, to=BEN)
    due = of(state, ANA).due_at
    assert due is not None
    state, _ = engine.act(state, action, later)
    minutes = max(model_left(ana, later, due), min(due_in, 8 * 60))
    assert of(state, BEN).due_at == model_due(ben, later, minutes)


@given(st.data())
def test_a_question_takes_no_working_time(data: Any) -> None:
    _, at = data.draw(a_time())
    ana = data.draw(a_calendar(at))
    due_in, asked_after, answered_after = (data.draw(st.integers(1, 2000)) for _ in range(3))
    state = begun(at, stage_of(due_in * MINUTE), {ANA: ana})
    asked = at + asked_after * MINUTE
    answered = asked + answered_after * MINUTE
    was_due = of(state, ANA).due_at
    assert was_due is not None
    state, _ = engine.act(state, Action(Verb.REQUEST_INFO, of(state, ANA).id, ANA, "Which?"), asked)
    state, _ = engine.answer(state, "This one", answered)
    due = of(state, ANA).due_at
    assert due is not None
    if was_due > asked:
        assert due == model_due(ana, answered, model_left(ana, asked, was_due))
    else:
        assert model_left(ana, due, answered) == model_left(ana, was_due, asked), "as late as it was"


@given(st.data())
def test_it_comes_as_it_was_foretold_in_everybodys_own_hours(data: Any) -> None:
    _, at = data.draw(a_time())
    hours = {person: data.draw(a_calendar(at)) for person in (ANA, BEN, BOSS, 9)}
    minutes = [data.draw(st.integers(1, 600)) for _ in range(3)]
    due_in, after, every = (n * MINUTE for n in minutes)
    ladder = Ladder((due_in / 2, timedelta(0)), after, every, 2)
    state = begun(at, stage_of(due_in, ladder, people=(ANA, BEN)), hours)

    def above(state: State, step_id: int) -> tuple[list[Receiver], list[Receiver]]:
        stage, _ = state.find(step_id)
        return [Receiver(BOSS, "next")] if BOSS not in stage.involved() else [], [Receiver(9, "admin")]

    foretold = foretell(state, above)
    happened = set()
    for _ in range(50):
        due = [(s.timer_at, s.id < 0, abs(s.id), s.id) for s in state.asked() if s.timer_at]
        if not due:
            break
        instant, *_, step_id = min(due)
        state, _ = engine.on_time(state, step_id, *above(state, step_id), instant)
        happened.add(instant)
    assert {one.at for one in foretold} == happened


@given(st.integers(-10_000, 10_000), st.integers(0, 10_000))
def test_by_the_clock_it_is_plain_arithmetic(due: int, later: int) -> None:
    at = utc(2026, 1, 1)
    span = left(CLOCK, at, at + due * MINUTE)
    assert span == due * MINUTE
    assert due_with(CLOCK, at + later * MINUTE, span) == at + (due + later) * MINUTE


def test_a_calendar_that_hardly_ever_opens_loses_nobodys_deadline() -> None:
    """An hour a week is a thousand hours in twenty years; a year of minutes is more, so the clock counts."""
    hours = WorkingHours(Calendar("UTC", (((540, 600),), *((),) * 6)))
    at, long = utc(2026, 1, 5), timedelta(days=365)
    assert hours.after(at, long) == at + long
    assert hours.before(at, long) == at - long
    assert hours.after(at, HOUR) == utc(2026, 1, 5, 10)
