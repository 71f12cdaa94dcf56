"""What is foretold is what happens: the same engine, run to the end by a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from waypost.approvals import engine
from waypost.approvals.definition import Mode
from waypost.approvals.foretelling import MOST, Next, foretell
from waypost.approvals.states import (
    Action,
    Happened,
    Ladder,
    Receiver,
    Stage,
    StageStatus,
    State,
    Step,
    StepStatus,
    Verb,
    What,
    WorkflowStatus,
)

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADMINISTRATORS = [90, 91]


def begun(
    people: list[int], ladder: Ladder, *, first_counts: bool = False, barred: frozenset[int] = frozenset()
) -> State:
    steps = tuple(Step(-n, n, 1, p, StepStatus.WAITING) for n, p in enumerate(people, 1))
    needed = 1 if first_counts else len(people)
    stage = Stage(
        -1,
        1,
        "Budget",
        Mode.PARALLEL,
        needed,
        first_counts,
        2 * HOUR,
        StageStatus.WAITING,
        steps,
        ladder=ladder,
    )
    return engine.begin(State(WorkflowStatus.RUNNING, (stage,), barred), AT)[0]


def above(state: State, step_id: int) -> tuple[list[Receiver], list[Receiver]]:
    """The next in line is numbered ten higher, as far as there is one."""
    stage, step = state.find(step_id)
    taken = state.barred | stage.involved()
    line = [i for i in range(step.approver + 10, 60, 10) if i not in taken]
    return [Receiver(i, "next") for i in line[:1]], [Receiver(i, "admin") for i in ADMINISTRATORS]


def test_reminders_then_further_up_then_administrators() -> None:
    ladder = Ladder((HOUR, timedelta(0)), HOUR, HOUR, 2)
    state = begun([41], ladder)
    found = foretell(state, above)
    said = [(one.at - AT, one.what, one.late, one.people) for one in found]
    assert said == [
        (1 * HOUR, Next.REMIND, (41,), (41,)),
        (2 * HOUR, Next.REMIND, (41,), (41,)),
        (3 * HOUR, Next.ASK_FURTHER, (41,), (51,)),
        (4 * HOUR, Next.ASK_ADMINISTRATORS, (51,), (90, 91)),
    ]
    assert found[0].step_ids == (state.stages[0].steps[0].id,)


def test_a_ladder_that_rejects_says_so_and_ends_there() -> None:
    found = foretell(begun([59], Ladder((), HOUR, HOUR, 3, rejects=True)), above)
    assert [(one.at - AT, one.what, one.people) for one in found] == [(3 * HOUR, Next.REJECT, (59,))]


def test_several_at_the_same_instant_are_one_thing() -> None:
    found = foretell(begun([1, 2, 3], Ladder((timedelta(0),), HOUR, HOUR, 1)), above)
    assert found[0].what is Next.REMIND
    assert found[0].people == (1, 2, 3)
    assert [one.what for one in found] == [Next.REMIND, Next.ASK_FURTHER, Next.ASK_ADMINISTRATORS, Next.REMIND]
    assert found[3].people == (12, 13), "for whom nobody is left to ask"
    assert found[1].people == (11, 12, 13)


def test_an_emergency_climbs_from_its_first_seat() -> None:
    ladder = Ladder((), timedelta(0), timedelta(minutes=15))
    found = foretell(begun([30, 31], ladder, first_counts=True), above)
    assert [(one.what, one.people) for one in found[:2]] == [(Next.ASK_FURTHER, (40,)), (Next.ASK_FURTHER, (50,))]
    assert found[1].at - found[0].at == timedelta(minutes=15)
    assert found[-1].what is Next.ASK_ADMINISTRATORS


def test_where_one_ladder_is_enough_its_reminder_reaches_all() -> None:
    state = begun([30, 31], Ladder((timedelta(0),), HOUR, HOUR, 1), first_counts=True)
    found = foretell(state, above)
    assert (found[0].what, found[0].people) == (Next.REMIND, (30, 31))
    assert found[0].step_ids == tuple(s.id for s in state.asked())


def test_when_everybody_has_a_part_already_it_is_a_reminder() -> None:
    state = begun([90, 91], Ladder((), HOUR, HOUR, 1), barred=frozenset({90, 91}))
    assert [one.what for one in foretell(state, lambda *_: ([], []))] == [Next.REMIND]


def test_while_a_question_is_open_nothing_happens() -> None:
    state = begun([1], Ladder())
    step = state.asked()[0]
    asked, _ = engine.act(state, Action(Verb.REQUEST_INFO, step.id, 1, "Which?"), AT)
    assert foretell(asked, above) == []


def test_it_looks_ahead_so_far_and_no_further() -> None:
    ladder = Ladder(tuple(n * timedelta(minutes=10) for n in (5, 4, 3, 2, 1)), HOUR, HOUR, 10)
    found = foretell(begun(list(range(100, 100 + MOST // 5 + 1)), ladder), lambda *_: ([], []))
    assert {one.what for one in found} == {Next.REMIND}
    assert sum(len(one.step_ids) for one in found) == MOST


def test_nothing_lies_ahead_of_what_has_ended() -> None:
    ended, _ = engine.override(begun([1], Ladder()), 7, approves=True, comments="x", at=AT)
    assert foretell(ended, above) == []


@given(
    people=st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
    reminders=st.lists(st.integers(0, 200), max_size=3).map(lambda m: tuple(sorted(m, reverse=True))),
    after=st.integers(0, 100),
    every=st.integers(1, 100),
    repeat=st.integers(1, 6),
    rejects=st.booleans(),
    first_counts=st.booleans(),
)
def test_it_comes_as_it_was_foretold(
    people: list[int],
    reminders: tuple[int, ...],
    after: int,
    every: int,
    repeat: int,
    rejects: bool,
    first_counts: bool,
) -> None:
    minute = timedelta(minutes=1)
    ladder = Ladder(tuple(m * minute for m in reminders), after * minute, every * minute, repeat, rejects)
    state = begun(people, ladder, first_counts=first_counts)
    foretold = foretell(state, above)
    happened: list[tuple[datetime, bool]] = []
    for _ in range(400):  # a clock that stops at every timer
        due = sorted((s.timer_at, s.id < 0, abs(s.id), s.id) for s in state.asked() if s.timer_at)
        if not due or state.status is not WorkflowStatus.RUNNING:
            break
        at, step_id = due[0][0], due[0][3]
        state, effects = engine.on_time(state, step_id, *above(state, step_id), at)
        happened.append((at, any(isinstance(e, Happened) and e.what is What.CLIMBED for e in effects)))
    assert {one.at for one in foretold} == {at for at, _ in happened}
    climbs = {at for at, climbed in happened if climbed}
    assert {one.at for one in foretold if one.what in (Next.ASK_FURTHER, Next.ASK_ADMINISTRATORS)} == climbs
    assert [one.at for one in foretold] == sorted(one.at for one in foretold)
