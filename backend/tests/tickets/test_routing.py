"""Routing decisions: rules over facts, turns, loads, and rules beside each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel.conditions.fields import Field, Kind, catalogue
from waypost.kernel.conditions.tree import ALWAYS, parse
from waypost.tickets.routing import (
    Change,
    Company,
    Member,
    Rule,
    Way,
    decide,
    differences,
    fault,
    least_loaded,
    next_in_turn,
    unreachable,
)

FIELDS = catalogue(
    Field("amount", Kind.NUMBER, "amount"), Field("priority", Kind.TEXT, "priority"), Field("type", Kind.TEXT, "type")
)
LARGE = parse({"all": [{"field": "amount", "op": "gte", "value": "1000"}]}, FIELDS)
LARGE_IT = parse(
    {"all": [{"field": "type", "op": "eq", "value": "IT"}, {"field": "amount", "op": "gte", "value": "1000"}]}, FIELDS
)
NEVER = parse({"any": []}, FIELDS)
COMPANY = Company({1: frozenset({10, 11}), 2: frozenset({20}), 3: frozenset()}, frozenset({10, 11, 20}))


def rule(key: str, **more: Any) -> Rule:
    return Rule(**{"key": key, "name": key, "condition": ALWAYS, **more})


def test_without_rules_nothing_is_said() -> None:
    decision = decide([], {}, COMPANY, team_id=1)
    assert (decision.team_id, decision.priority, decision.way, decision.fired) == (None, None, None, ())


def test_the_first_that_holds_ends_the_search() -> None:
    rules = [rule("a", condition=LARGE, team_id=2), rule("b", team_id=1)]
    assert decide(rules, {"amount": 5}, COMPANY, team_id=3).team_id == 1
    large = decide(rules, {"amount": 1000}, COMPANY, team_id=3)
    assert large.team_id == 2
    assert [f.rule.key for f in large.fired] == ["a"]


def test_what_goes_on_fills_only_what_is_not_set() -> None:
    rules = [
        rule("a", team_id=2, stops=False),
        rule("off", priority="LOW", is_active=False),
        rule("b", team_id=1, priority="HIGH", way=Way.ROUND_ROBIN, stops=False),
        rule("c", priority="LOW", way=Way.NOBODY),
    ]
    decision = decide(rules, {}, COMPANY, team_id=None)
    assert (decision.team_id, decision.priority, decision.way) == (2, "HIGH", Way.ROUND_ROBIN)
    assert [(f.rule.key, f.gave) for f in decision.fired] == [("a", ("team",)), ("b", ("priority", "way")), ("c", ())]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (rule("a", team_id=9), "its team is not there any more"),
        (rule("a", way=Way.PERSON, assignee_id=99), "the person it names is not active any more"),
        (rule("a", team_id=2, way=Way.PERSON, assignee_id=10), "the person it names is not in its team any more"),
    ],
)
def test_a_broken_rule_is_left_out_and_says_why(broken: Rule, reason: str) -> None:
    assert fault(broken, COMPANY) == reason
    decision = decide([broken, rule("b", priority="HIGH")], {}, COMPANY, team_id=1)
    assert [(s.rule.key, s.reason) for s in decision.skipped] == [("a", reason)]
    assert decision.priority == "HIGH"
    assert fault(rule("ok", team_id=1, way=Way.PERSON, assignee_id=10), COMPANY) is None


def test_a_named_person_settles_the_team() -> None:
    named = rule("a", way=Way.PERSON, assignee_id=10, stops=False)
    decision = decide([named, rule("b", team_id=2)], {}, COMPANY, team_id=1)
    assert (decision.team_id, decision.assignee_id, decision.way) == (1, 10, Way.PERSON)
    elsewhere = decide([named], {}, COMPANY, team_id=2)
    assert [s.reason for s in elsewhere.skipped] == ["the person it names is not in the request's team"]
    assert elsewhere.way is None
    nowhere = decide([named], {}, COMPANY, team_id=None)
    assert len(nowhere.skipped) == 1
    # somebody named below a way that is settled already is not asked about
    later = decide([rule("x", way=Way.NOBODY, stops=False), named], {}, COMPANY, team_id=2)
    assert (later.way, later.assignee_id, later.skipped) == (Way.NOBODY, None, ())


ways = st.sampled_from([None, Way.ROUND_ROBIN, Way.LEAST_LOADED, Way.NOBODY, Way.PERSON])


@st.composite
def some_rules(draw: st.DrawFn) -> list[Rule]:
    found = []
    for n in range(draw(st.integers(0, 6))):
        way = draw(ways)
        found.append(
            rule(
                f"r{n}",
                condition=draw(st.sampled_from([ALWAYS, LARGE, LARGE_IT, NEVER])),
                team_id=draw(st.sampled_from([None, 1, 2, 3, 9])),
                priority=draw(st.sampled_from([None, "LOW", "HIGH"])),
                way=way,
                assignee_id=draw(st.sampled_from([10, 20, 99])) if way is Way.PERSON else None,
                stops=draw(st.booleans()),
                is_active=draw(st.booleans()),
            )
        )
    return found


facts = st.fixed_dictionaries({"amount": st.sampled_from([None, 5, 1000]), "type": st.sampled_from(["IT", "HR"])})


@given(some_rules(), facts, st.sampled_from([None, 1, 2]))
def test_a_decision_names_only_what_is_there(rules: list[Rule], record: dict[str, Any], team_id: int | None) -> None:
    decision = decide(rules, record, COMPANY, team_id=team_id)
    assert decision.team_id is None or decision.team_id in COMPANY.members
    if decision.way is Way.PERSON:
        team = decision.team_id or team_id
        assert team is not None
        assert decision.assignee_id in COMPANY.members[team]
    else:
        assert decision.assignee_id is None
    fired = [f.rule for f in decision.fired]
    assert all(r.is_active for r in fired)
    assert not any(r.stops for r in fired[:-1])
    # nothing is given twice, and everything settled was given by one rule (or is the team a named person works in)
    gave = [word for f in decision.fired for word in f.gave]
    assert len(gave) == len(set(gave))
    assert (decision.priority is not None) == ("priority" in gave)
    assert (decision.way is not None) == ("way" in gave)


@given(some_rules(), facts, st.sampled_from([None, 1, 2]))
def test_what_is_unreachable_changes_nothing(rules: list[Rule], record: dict[str, Any], team_id: int | None) -> None:
    never = unreachable(rules)
    healthy = [r for r in rules if fault(r, COMPANY) is None]
    kept = [r for r in healthy if r.key not in unreachable(healthy)]
    names_nobody = all(r.way is not Way.PERSON for r in healthy)
    if names_nobody:
        whole, less = (decide(some, record, COMPANY, team_id=team_id) for some in (healthy, kept))
        assert replace(whole, skipped=()) == replace(less, skipped=())
    assert set(never) <= {r.key for r in rules if r.is_active}


def test_unreachable_says_why() -> None:
    rules = [
        rule("never", condition=NEVER),
        rule("goes on", stops=False),
        rule("large", condition=LARGE),
        rule("large it", condition=LARGE_IT),
        rule("off", is_active=False),
        rule("all"),
        rule("last", condition=parse({"not": {"field": "type", "op": "eq", "value": "IT"}}, FIELDS)),
    ]
    assert unreachable(rules) == {
        "never": "its condition never holds",
        "large it": "“large” above always ends the search before it",
        "last": "“all” above always ends the search before it",
    }


# --- turns and loads --------------------------------------------------------------------------------------------------


def test_turns_go_around_and_pass_over_who_is_away() -> None:
    team = [Member(3), Member(1), Member(2, is_away=True)]
    assert next_in_turn(team, None) == 1
    assert next_in_turn(team, 1) == 3
    assert next_in_turn(team, 3) == 1
    assert next_in_turn(team, 2) == 3  # whoever had the last turn may have left since
    assert next_in_turn(team, 99) == 1
    assert next_in_turn([Member(1, is_away=True)], 1) is None
    assert next_in_turn([], None) is None


@given(st.sets(st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 40), st.integers(0, 60))
def test_turns_are_fair(ids: set[int], rounds: int, last: int) -> None:
    team = [Member(i) for i in ids]
    came = dict.fromkeys(ids, 0)
    turn: int | None = last
    for _ in range(rounds):
        turn = next_in_turn(team, turn)
        assert turn is not None
        came[turn] += 1
    assert max(came.values()) - min(came.values()) <= 1


NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_the_least_loaded_and_of_equals_who_waited_longest() -> None:
    assert least_loaded([Member(1, load=3), Member(2, load=1), Member(3, is_away=True)]) == 2
    assert least_loaded([Member(1, load=1, last_assigned_at=NOON), Member(2, load=1)]) == 2
    earlier = NOON - timedelta(hours=1)
    assert least_loaded([Member(1, last_assigned_at=NOON), Member(2, last_assigned_at=earlier)]) == 2
    assert least_loaded([Member(2), Member(1)]) == 1
    assert least_loaded([Member(1, is_away=True)]) is None


@given(
    st.lists(
        st.builds(
            Member,
            st.integers(1, 30),
            st.booleans(),
            st.integers(0, 5),
            st.sampled_from([None, NOON, NOON + timedelta(minutes=5)]),
        ),
        unique_by=lambda m: m.user_id,
    )
)
def test_nobody_present_has_less_to_do(team: list[Member]) -> None:
    chosen = least_loaded(team)
    present = [m for m in team if not m.is_away]
    assert (chosen is None) == (not present)
    if chosen is not None:
        assert min(m.load for m in present) == next(m.load for m in present if m.user_id == chosen)


# --- versions ---------------------------------------------------------------------------------------------------------


def doc(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": key.upper(), "team_id": 1, "priority": None, **more}


def test_differences_say_what_happened_to_each_rule() -> None:
    before = [doc("a"), doc("b"), doc("c"), doc("d")]
    after = [doc("c"), doc("a", priority="HIGH"), doc("b"), doc("e")]
    assert differences(before, after) == [
        Change("moved", "c", "C"),
        Change("changed", "a", "A", (("priority", None, "HIGH"),)),
        Change("added", "e", "E"),
        Change("removed", "d", "D"),
    ]
    assert differences([], []) == []
    assert differences(before, before) == []


@given(st.permutations(["a", "b", "c", "d", "e"]))
def test_what_moved_back_gives_the_old_order(order: list[str]) -> None:
    before, after = [doc(k) for k in "abcde"], [doc(k) for k in order]
    moved = {c.key for c in differences(before, after)}
    stayed = [k for k in order if k not in moved]
    assert stayed == sorted(stayed)
    assert len(moved) < len(order)
