"""What planning makes, to the letter: numbers, orders, times and words; and exactly when the next people are looked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.approvals.test_planning import ADMIN, make, people, person
from waypost.approvals.definition import Mode
from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.planning import Candidate, seats_of, signature
from waypost.approvals.states import Ladder, StageStatus, StepStatus, WorkflowStatus

ABOVE = {"all": [{"field": "amount", "op": "gt", "value": "5000"}]}
SMALL, LARGE = {"amount": Decimal("10")}, {"amount": Decimal("9000")}


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def reasons(state: Any) -> list[str]:
    return [s.reason for stage in state.stages for s in stage.steps]


def test_places_seats_and_orders_are_counted_through() -> None:
    stages = [{"mode": "SEQUENTIAL"}, {"condition": ABOVE}, {"mode": "PARALLEL"}]
    found = [[person(1), person(2)], [person(3)], [person(4), person(5)]]
    state = make(stages, found, facts=SMALL, barred={77})
    assert (state.status, state.barred) == (WorkflowStatus.RUNNING, {77})
    assert [(s.id, s.position, s.name) for s in state.stages] == [
        (-1, 1, "Stage 1"),
        (-2, 2, "Stage 2"),
        (-3, 3, "Stage 3"),
    ]
    assert [[(s.id, s.seat, s.order) for s in stage.steps] for stage in state.stages] == [
        [(-1, 1, 1), (-2, 2, 2)],
        [],
        [(-3, 3, 3), (-4, 4, 3)],
    ]
    assert {s.status for stage in state.stages for s in stage.steps} == {StepStatus.WAITING}
    assert [s.status for s in state.stages] == [StageStatus.WAITING, StageStatus.SKIPPED, StageStatus.WAITING]
    assert [s.needed for s in state.stages] == [2, 0, 2]
    assert [s.mode for s in state.stages] == [Mode.SEQUENTIAL, Mode.PARALLEL, Mode.PARALLEL]


def test_how_long_there_is_and_what_happens_then_is_the_stages_own() -> None:
    rule = {
        "remind_before_minutes": [60, 5],
        "after_minutes": 30,
        "to": {"kind": "NEXT_MANAGER"},
        "repeat": 3,
        "finally": "REJECT",
    }
    given, silent = make(
        [{"due_in_minutes": 120, "escalation": rule}, {"due_in_minutes": 60, "quorum": "FIRST"}],
        [[person(1)], [person(2)]],
    ).stages
    assert (given.due_in, given.first_answer_counts) == (minutes(120), False)
    assert given.ladder == Ladder((minutes(60), minutes(5)), minutes(30), minutes(30), 3, rejects=True)
    assert (silent.due_in, silent.first_answer_counts) == (minutes(60), True)
    assert silent.ladder == Ladder((minutes(0),), timedelta(days=1), timedelta(days=1), 10, rejects=False) == Ladder()


def test_why_somebody_is_asked_says_the_condition_when_there_is_one() -> None:
    state = make([{"condition": ABOVE}, {}], [[person(1)], [person(2)]], facts=LARGE)
    assert reasons(state) == ["person 1, because amount is above 5,000", "person 2"]
    assert [s.reason for s in state.stages] == ["amount is above 5,000", ""]
    state = make([{"condition": ABOVE}, {}], [[], [person(2)]], facts=SMALL)
    assert [s.reason for s in state.stages] == ["only when amount is above 5,000", ""]


def test_why_somebody_else_is_asked_says_what_is_wrong_with_the_first() -> None:
    assert reasons(make([{}], [[person(1, 2)]], barred={1})) == [
        "person 1; next in line, because that person asked for it, wrote it or changed it"
    ]
    assert reasons(make([{}], [[person(1, 2, active=False)]])) == [
        "person 1; next in line, because that person cannot decide it any more"
    ]
    assert reasons(make([{}], [[]])) == ["administrator: nobody else was found"]


def test_in_the_line_it_is_the_nearest_who_may_and_is_not_asked_already() -> None:
    assert people(make([{}], [[person(1, 2, 3, 4)]], barred={1, 2})) == [[3]]
    assert people(make([{}], [[person(2), person(1, 2, 3, 4)]], barred={1})) == [[2, 3]], "one more, not one less"
    assert people(make([{}], [[person(2), person(1, 2)]], barred={1})) == [[2]]


def test_members_of_a_group_have_their_managers_asked_only_while_too_few_are_left() -> None:
    group = [person(1, 11, group=True), person(2, 12, group=True), person(3, group=True), person(4, group=True)]
    assert people(make([{"quorum": 2}], [group], barred={1, 2})) == [[3, 4]]
    assert people(make([{"quorum": 3}], [group], barred={1, 2})) == [[3, 4, 11]]
    assert people(make([{"quorum": 4}], [group], barred={1, 2})) == [[3, 4, 11, 12]]
    assert people(make([{"quorum": "ALL"}], [group], barred={1, 2})) == [[3, 4]], "all who are left"
    assert people(make([{"quorum": "ANY"}], [group[:2]], barred={1, 2})) == [[11]]


@pytest.mark.parametrize(
    ("least", "asked"), [(1, [1, 2]), (2, [1, 2]), (3, [1, 2, 7]), (4, [1, 2, 7, 99]), (9, [1, 2, 7, 99])]
)
def test_each_fallback_is_asked_only_while_too_few_are_found(least: int, asked: list[int]) -> None:
    seats = seats_of([person(1), person(2)], frozenset(), [person(7)], [ADMIN], least=least)
    assert [s.person for s in seats] == asked


def test_somebody_found_twice_is_asked_for_the_first_reason() -> None:
    seats = seats_of([person(1), person(2)], frozenset(), [person(1), person(7)], least=3)
    assert [(s.person, s.why) for s in seats] == [
        (1, "person 1"),
        (2, "person 2"),
        (7, "person 7: nobody else was found"),
    ]


def test_a_stage_may_lack_people_only_where_that_is_said() -> None:
    state = make([{}, {}], [[], [person(2)]], fallback=[], may_lack=True)
    assert people(state) == [[], [2]]
    emergency = make([{}], [[]], fallback=[], may_lack=True, is_emergency=True)
    assert people(emergency) == [[]]
    for is_emergency in (False, True):
        with pytest.raises(NobodyToAsk):
            make([{}], [[]], fallback=[], is_emergency=is_emergency)
    with pytest.raises(NobodyToAsk):
        seats_of([], frozenset(), [], least=1)


def test_who_was_found_for_themself_has_their_manager_asked_beside_the_others() -> None:
    alone = Candidate(1, False, (2,), "person 1")
    assert people(make([{}], [[person(5), alone]])) == [[5, 2]]
    assert people(make([{"quorum": "ANY"}], [[person(5), replace(alone, in_group=True)]])) == [[5]]


def test_each_stage_has_the_fallback_that_is_its_own() -> None:
    own = [[person(7)], [person(8)]]
    assert people(make([{}, {}], [[], []], instead=own)) == [[7], [8]]


def test_an_emergency_to_the_letter() -> None:
    stages = [{}, {"condition": ABOVE}, {"mode": "SEQUENTIAL"}]
    found = [[person(1), person(2)], [person(3)], [person(2), person(4)]]
    state = make(stages, found, facts=SMALL, is_emergency=True, barred={4})
    [stage] = state.stages
    assert (state.status, state.barred) == (WorkflowStatus.RUNNING, {4})
    assert (stage.id, stage.position, stage.status, stage.mode) == (-1, 1, StageStatus.WAITING, Mode.PARALLEL)
    assert (stage.name, stage.needed, stage.first_answer_counts) == ("Emergency: Stage 1, Stage 3", 1, True)
    assert stage.reason == "critical: everybody who may decide is asked at once, the first answer counts"
    assert [(s.id, s.seat, s.order, s.approver) for s in stage.steps] == [(-1, 1, 1, 1), (-2, 2, 1, 2)]
    assert reasons(state) == ["emergency: person 1", "emergency: person 2"]
    assert stage.due_in == minutes(15)
    assert stage.ladder == Ladder((), minutes(0), minutes(15), 10, rejects=False)


def test_in_an_emergency_one_is_enough_and_nobody_is_not() -> None:
    """No administrator is woken while somebody can decide; the managers of a group are when nobody of it can."""
    assert people(make([{}], [[person(1)]], is_emergency=True, instead=[[person(7)]])) == [[1]]
    group = [person(1, 11, group=True), person(2, 12, group=True)]
    assert people(make([{}], [group], barred={1, 2}, is_emergency=True)) == [[11]]


def test_an_emergency_in_which_no_stage_applies_still_asks_somebody() -> None:
    never = {"condition": ABOVE}
    state = make([never], [[person(1)]], facts=SMALL, is_emergency=True, instead=[[person(7)]])
    assert people(state) == [[99]], "not who would be asked only for more"
    assert state.stages[0].name == "Emergency"


def test_an_emergency_asks_the_fallbacks_of_the_stages_that_apply() -> None:
    stages = [{"condition": ABOVE}, {}, {}]
    own = [[person(6)], [person(7)], [person(8)]]
    assert people(make(stages, [[], [], []], facts=SMALL, is_emergency=True, instead=own)) == [[7, 8]]


def test_what_must_not_change_unseen() -> None:
    """Who is asked first, how many must agree, how, and where; not who it has come to since."""
    one = make([{}, {}], [[person(1), person(2)], [person(3)]])
    assert signature(one) == (
        (StageStatus.WAITING, Mode.PARALLEL, 2, (1, 2)),
        (StageStatus.WAITING, Mode.PARALLEL, 1, (3,)),
    )
    others = [
        make([{}, {}], [[person(2), person(1)], [person(3)]]),
        make([{"quorum": 1}, {}], [[person(1), person(2)], [person(3)]]),
        make([{"mode": "SEQUENTIAL"}, {}], [[person(1), person(2)], [person(3)]]),
        make([{}, {"condition": ABOVE}], [[person(1), person(2)], [person(3)]], facts=SMALL),
    ]
    assert signature(one) not in [signature(other) for other in others]
    stage = one.stages[0]
    first = stage.steps[0]
    handed = replace(stage, steps=(first, replace(first, id=-9, approver=9), stage.steps[1]))
    assert signature(replace(one, stages=(handed, one.stages[1]))) == signature(one)
