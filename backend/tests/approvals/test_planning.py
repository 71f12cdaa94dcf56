"""Who is asked: replaced, left out, found at last; and never the one who asks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.planning import Candidate, plan, seats_of, signature
from waypost.approvals.reading import read
from waypost.approvals.states import StageStatus

ADMIN = Candidate(99, True, (), "administrator")


def definition(*stages: dict[str, Any]) -> Any:
    whole = [
        {"name": f"Stage {n}", "approvers": [{"kind": "ROLE", "role": "any"}], **s} for n, s in enumerate(stages, 1)
    ]
    return read({"name": "Test", "stages": whole})


def person(number: int, *line: int, active: bool = True, group: bool = False) -> Candidate:
    return Candidate(number, active, line, f"person {number}", group)


def people(state: Any) -> list[list[int]]:
    return [[s.approver for s in stage.steps] for stage in state.stages]


def make(
    stages: list[dict[str, Any]], found: list[list[Candidate]], barred: set[int] | None = None, **more: Any
) -> Any:
    facts = more.pop("facts", {})
    options = {"fallback": [ADMIN], "is_emergency": False} | more
    return plan(definition(*stages), facts, found, barred=frozenset(barred or ()), **options)


def test_a_barred_or_absent_approver_is_replaced_up_the_line() -> None:
    assert people(make([{}], [[person(1, 2, 3)]], barred={1})) == [[2]]
    assert people(make([{}], [[person(1, 2, 3)]], barred={1, 2})) == [[3]]
    assert people(make([{}], [[person(1, 2, active=False)]])) == [[2]]
    assert people(make([{}], [[person(1)]], barred={1})) == [[99]]
    assert people(make([{}], [[]])) == [[99]]


def test_a_stages_own_fallback_comes_before_the_administrators() -> None:
    own = [person(7, 8), person(6)]
    assert people(make([{}], [[]], instead=[own])) == [[7, 6]]
    assert people(make([{}], [[person(1)]], barred={1}, instead=[own])) == [[7, 6]]
    assert people(make([{}], [[person(1, 2)]], barred={1}, instead=[own])) == [[2]], "the manager line comes first"
    assert people(make([{}], [[]], barred={7, 6}, instead=[own])) == [[8]], "in their stead, who is above them"
    assert people(make([{}], [[]], barred={7, 6, 8}, instead=[own])) == [[99]]
    assert people(make([{"quorum": 2}], [[person(1)]], instead=[[person(7)]])) == [[1, 7]]
    step = make([{}], [[]], instead=[own]).stages[0].steps[0]
    assert step.reason == "person 7: nobody else was found"
    assert people(make([{}, {}], [[], []], instead=[[], own], is_emergency=True)) == [[7, 6]]


def test_a_barred_member_of_a_group_is_left_out() -> None:
    group = [person(n, 9, group=True) for n in (1, 2, 3)]
    assert people(make([{"quorum": 2}], [group], barred={1})) == [[2, 3]]
    assert people(make([{"quorum": 3}], [group], barred={1})) == [[2, 3, 9]]


def test_everybody_counts_once() -> None:
    assert people(make([{}], [[person(1), person(1), person(2, 1, active=False), person(3)]])) == [[1, 3]]


def test_nobody_at_all_is_refused() -> None:
    with pytest.raises(NobodyToAsk):
        make([{}], [[]], fallback=[])
    with pytest.raises(NobodyToAsk):
        make([{}], [[person(1)]], barred={1, 99})


def test_conditions_choose_stages_and_say_why() -> None:
    above = {"all": [{"field": "amount", "op": "gt", "value": "5000"}]}
    state = make([{"condition": above}, {}], [[person(1)], [person(2)]], facts={"amount": Decimal("10")})
    assert [s.status for s in state.stages] == [StageStatus.SKIPPED, StageStatus.WAITING]
    assert state.stages[0].reason == "only when amount is above 5,000"
    state = make([{"condition": above}, {}], [[person(1)], [person(2)]], facts={"amount": Decimal("9000")})
    assert state.stages[0].steps[0].reason == "person 1, because amount is above 5,000"


def test_order_of_steps() -> None:
    state = make([{"mode": "SEQUENTIAL"}, {}], [[person(1), person(2)], [person(3), person(4)]])
    assert [[s.order for s in stage.steps] for stage in state.stages] == [[1, 2], [3, 3]]


def test_an_emergency_asks_everybody_at_once() -> None:
    never = {"all": [{"field": "amount", "op": "gt", "value": "5000"}]}
    state = make(
        [{}, {"mode": "SEQUENTIAL"}, {"condition": never}],
        [[person(1)], [person(2), person(1)], [person(3)]],
        is_emergency=True,
    )
    assert people(state) == [[1, 2]]
    assert (state.stages[0].needed, state.stages[0].first_answer_counts) == (1, True)
    assert state.stages[0].due_in.total_seconds() == 900


def test_signature_tells_whether_others_are_asked() -> None:
    one, same, other = (make([{}], [[person(n)]]) for n in (1, 1, 2))
    assert signature(one) == signature(same) != signature(other)


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 6),
        st.booleans(),
        st.lists(st.integers(1, 9), max_size=3, unique=True).map(tuple),
        st.just("why"),
        st.booleans(),
    ),
    max_size=6,
)


@given(CANDIDATES, CANDIDATES, st.frozensets(st.integers(1, 9), max_size=4), st.integers(1, 4))
def test_nobody_barred_is_ever_asked(
    found: list[Candidate], own: list[Candidate], barred: frozenset[int], least: int
) -> None:
    seats = [s.person for s in seats_of(found, barred, own, [ADMIN], least=least)]
    assert not barred & set(seats)
    assert len(seats) == len(set(seats)) >= 1
    active = {c.person for c in found if c.is_able} - barred
    assert active <= set(seats), "who may decide and is there is asked"
