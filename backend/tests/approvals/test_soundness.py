"""What a check finds: everything that keeps a document from being read, and what an author should know. Pure."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.approvals.test_comparing import DOCUMENTS
from waypost.approvals import checking
from waypost.approvals.checking import MOST, Level
from waypost.approvals.definition import FIELDS, Approver, ApproverKind, Definition
from waypost.approvals.errors import BadDefinition
from waypost.approvals.planning import Candidate
from waypost.approvals.reading import read
from waypost.approvals.soundness import OWN_DOMAINS, Company, Other, doubts, in_words, named
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import Field, Kind
from waypost.kernel.conditions.possible import Domain
from waypost.kernel.conditions.tree import InvalidCondition, parse

MANAGER = {"kind": "REQUESTER_MANAGER"}
FORM = {
    "custom.size": Field("custom.size", Kind.NUMBER, "size"),
    "custom.boss": Field("custom.boss", Kind.TEXT, "boss"),
}
ALL = FIELDS | FORM
ADA, BEN, CAT = Candidate(1, True, (9,), "why"), Candidate(2, False, (9,), "why"), Candidate(3, False, (), "why")
ADMIN = Candidate(99, True, (), "administrator")
MEMBERS = {
    Approver(ApproverKind.USER, 1): [ADA],
    Approver(ApproverKind.USER, 2): [BEN],
    Approver(ApproverKind.USER, 3): [CAT],
    Approver(ApproverKind.USERS, (1, 2)): [ADA, BEN],
    Approver(ApproverKind.ROLE, "empty"): [],
    Approver(ApproverKind.ROLE, "finance"): [Candidate(n, n > 5, (), "why", True) for n in (4, 5, 6, 7)],
    Approver(ApproverKind.TEAM, 1): [],
    Approver(ApproverKind.TEAM, 2): [Candidate(7, True, (), "why", True)],
    Approver(ApproverKind.DEPARTMENT_HEAD, None, 7): [],
}


def company(**more: Any) -> Company:
    there: dict[str, Any] = {
        "people": {1: "Ada", 2: "Ben", 3: "Cat"},
        "roles": {"empty": "Empty", "finance": "Finance"},
        "teams": {1: "Nobody", 2: "One"},
        "departments": {7: "Marketing"},
        "members": MEMBERS,
        "administrators": [ADMIN],
        "types": ("IT", "HR"),
        "types_with": {"size": frozenset({"IT"}), "boss": frozenset({"HR"})},
        "domains": OWN_DOMAINS | {"ticket_type": Domain(choices=("IT", "HR"), is_never_empty=True)},
    }
    return Company(**there | more)


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def stage(**more: Any) -> dict[str, Any]:
    return {"name": "One", "approvers": [MANAGER], **more}


def definition(*stages: dict[str, Any], condition: Any = None) -> Definition:
    named_stages = [{**s, "name": s["name"] if n == 0 else f"{s['name']} {n}"} for n, s in enumerate(stages)]
    return read({"name": "Test", "condition": condition, "stages": named_stages}, ALL)


def found(*stages: dict[str, Any], condition: Any = None, others: Any = (), rank: Any = (1, 1, 5), **more: Any) -> Any:
    told = doubts(definition(*stages, condition=condition), company(**more), others, rank)
    assert all(p.level is Level.WARNING and p.message.endswith((".", "then.")) for p in told)
    return [(p.pointer, p.code) for p in told]


def missing(*stages: dict[str, Any]) -> list[tuple[str, str]]:
    told = list(named(definition(*stages), company()))
    assert all(p.level is Level.ERROR for p in told)
    return [(p.pointer, p.code) for p in told]


# --- what keeps it from being read ------------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_found_at_once() -> None:
    document = {
        "name": "",
        "condition": {"all": [{"field": "wage", "op": "eq", "value": 1}]},
        "one_by_one_above": -1,
        "more": 1,
        "stages": [
            {
                "approvers": [{"kind": "USER"}, {"kind": "USER", "user_id": 5}, "x"],
                "quorum": 0,
                "mode": "X",
                "extra": 1,
            },
            "x",
            {"name": "Three", "approvers": [MANAGER], "condition": {"field": "amount", "op": "like", "value": "5"}},
            {"name": "Four", "approvers": [MANAGER], "quorum": 2},
            {"name": "Five", "approvers": [MANAGER, MANAGER], "fallback": [{"kind": "NEXT_MANAGER"}], "judges": ["x"]},
            {
                "name": "Six",
                "approvers": [MANAGER],
                "condition": {"field": "amount", "op": "gt"},
                "escalation": {"to": 5},
            },
        ],
    }
    read_, told = checking.read(document, FIELDS)
    assert read_ is None
    assert {(p.pointer, p.code) for p in told} == {
        ("/name", "missing"),
        ("/condition/all/0/field", "unknown_field"),
        ("/one_by_one_above", "invalid"),
        ("/more", "invalid"),
        ("/stages/0/name", "missing"),
        ("/stages/0/approvers/0/user_id", "missing"),
        ("/stages/0/approvers/2/kind", "missing"),
        ("/stages/0/quorum", "invalid"),
        ("/stages/0/mode", "invalid"),
        ("/stages/0/extra", "invalid"),
        ("/stages/1", "invalid"),
        ("/stages/2/condition/op", "bad_condition"),
        ("/stages/3/quorum", "invalid"),
        ("/stages/4/approvers", "invalid"),
        ("/stages/4/fallback/0/kind", "invalid"),
        ("/stages/4/judges/0", "invalid"),
        ("/stages/5/condition/value", "missing"),
        ("/stages/5/escalation/after_minutes", "missing"),
    }
    assert all(p.level is Level.ERROR for p in told)


@pytest.mark.parametrize("document", [None, 5, "x", [], [{}]])
def test_what_is_no_document(document: Any) -> None:
    assert [(p.pointer, p.code) for p in checking.read(document, FIELDS)[1]] == [("", "invalid")]


@pytest.mark.parametrize(
    ("stages", "code"), [(None, "missing"), ([], "missing"), (5, "invalid"), ([{}] * 21, "invalid")]
)
def test_stages_that_are_none(stages: Any, code: str) -> None:
    told = checking.read({"name": "x", "stages": stages}, FIELDS)[1]
    assert ("/stages", code) in [(p.pointer, p.code) for p in told]
    assert len(told) <= MOST


def test_no_more_than_can_be_read() -> None:
    broken = {"approvers": [{"kind": "USER"}] * 50}
    assert len(checking.read({"stages": [broken] * 20}, FIELDS)[1]) == MOST


@given(DOCUMENTS)
def test_a_check_finds_what_reading_refuses(document: dict[str, Any]) -> None:
    read_, told = checking.read(document, FIELDS)
    refused: set[str] = set()
    try:
        assert read(document, FIELDS) == read_
    except (BadDefinition, InvalidCondition) as wrong:
        refused = {e.pointer for e in wrong.errors}
    assert (read_ is None) == bool(refused) == bool(told)
    assert refused <= {p.pointer for p in told}


# --- whom and what it names -------------------------------------------------------------------------------------------


def test_what_is_named_and_not_there() -> None:
    told = missing(
        stage(approvers=[{"kind": "USER", "user_id": 8}, {"kind": "USERS", "user_ids": [1, 7, 2, 6]}]),
        stage(approvers=[{"kind": "ROLE", "role": "x"}], fallback=[{"kind": "TEAM", "team_id": 9}]),
        stage(escalation={"after_minutes": 5, "to": {"kind": "DEPARTMENT_HEAD", "department_id": 9}}),
        stage(approvers=[{"kind": "FORM_FIELD", "field": "x"}, {"kind": "DEPARTMENT_HEAD"}]),
    )
    assert told == [
        ("/stages/0/approvers/0/user_id", "unknown_person"),
        ("/stages/0/approvers/1/user_ids/1", "unknown_person"),
        ("/stages/0/approvers/1/user_ids/3", "unknown_person"),
        ("/stages/1/approvers/0/role", "unknown_role"),
        ("/stages/1/fallback/0/team_id", "unknown_team"),
        ("/stages/2/escalation/to/department_id", "unknown_department"),
    ]


def test_a_quorum_that_groups_cannot_give() -> None:
    finance, one = {"kind": "ROLE", "role": "finance"}, {"kind": "TEAM", "team_id": 2}
    assert missing(stage(approvers=[finance], quorum=5)) == [("/stages/0/quorum", "quorum_unreachable")]
    assert missing(stage(approvers=[finance], quorum=4)) == []
    assert missing(stage(approvers=[finance, one, MANAGER], quorum=5)) == [], "who is in both counts once"
    assert missing(stage(approvers=[finance, one, MANAGER], quorum=6)) == [("/stages/0/quorum", "quorum_unreachable")]
    assert missing(stage(approvers=[finance], quorum=9, mode="SEQUENTIAL")) == []


# --- doubts -----------------------------------------------------------------------------------------------------------


def test_who_can_decide_today() -> None:
    empty, finance = {"kind": "ROLE", "role": "empty"}, {"kind": "ROLE", "role": "finance"}
    ben, cat = {"kind": "USER", "user_id": 2}, {"kind": "USER", "user_id": 3}
    assert found(stage(approvers=[finance, MANAGER])) == []
    assert found(stage(approvers=[finance, empty])) == [("/stages/0/approvers/1", "nobody_today")]
    assert found(stage(approvers=[MANAGER, ben])) == [("/stages/0/approvers/1", "may_not_decide")]
    assert found(stage(approvers=[{"kind": "USERS", "user_ids": [1, 2]}])) == [
        ("/stages/0/approvers/0", "may_not_decide")
    ]
    assert found(stage(approvers=[finance], quorum=3)) == [("/stages/0/quorum", "quorum_short")]
    assert found(stage(approvers=[finance, MANAGER], quorum=3)) == []
    assert found(stage(approvers=[{"kind": "USER", "user_id": 77}])) == [], "that is an error already"
    ladder = {"after_minutes": 5, "to": {"kind": "TEAM", "team_id": 1}}
    headless = {"kind": "DEPARTMENT_HEAD", "department_id": 7}
    assert found(stage(fallback=[cat, headless, {"kind": "TEAM", "team_id": 66}], escalation=ladder)) == [
        ("/stages/0/fallback/0", "may_not_decide"),
        ("/stages/0/fallback/1", "nobody_today"),
        ("/stages/0/escalation/to", "nobody_today"),
    ]

    def instead(*approvers: Any, **more: Any) -> str:
        there = company(**more.pop("there", {}))
        (problem,) = doubts(definition(stage(approvers=list(approvers), **more)), there, (), ())
        assert (problem.pointer, problem.code) == ("/stages/0/approvers", "nobody_today")
        return problem.message.partition("today")[2]

    assert instead(ben) == "; who is above them is asked instead."
    assert instead(cat) == "; an administrator is asked instead."
    assert instead(empty, fallback=[MANAGER, {"kind": "USER", "user_id": 1}]) == "; those who stand in are asked."
    assert (
        instead(empty, there={"administrators": []}) == ", and nobody else is found: requests could not be submitted."
    )


def test_words_that_do_nothing() -> None:
    told = doubts(read({"name": "x", "stages": [stage(), stage(name="one")]}), company(), (), ())
    assert [(p.pointer, p.code) for p in told] == [("/stages/1/name", "same_name")]
    assert found(stage(mode="SEQUENTIAL", quorum="ANY")) == [("/stages/0/quorum", "quorum_ignored")]


def test_what_is_never_reached() -> None:
    below, above = leaf("amount", "lt", "1000"), leaf("amount", "gte", "1000")
    empty = leaf("amount", "is_empty")
    cents = [stage(condition=leaf("amount", "lte", "999.99")), stage(condition=above), stage(condition=empty)]
    assert found(*cents) == [], "between 999.99 and 1,000 there is no amount"
    assert found(stage(condition=below), stage(condition=above)) == [("/stages", "dead_end")]
    assert found(stage(condition={"any": [below, empty]}), stage(condition=above)) == []
    assert found(stage(), stage(condition={"all": [below, above]})) == [("/stages/1/condition", "unreachable_stage")]
    assert found(stage(), stage(condition=below), condition=above) == [("/stages/1/condition", "unreachable_stage")]
    assert found(stage(), condition={"all": [below, above]}) == [("/condition", "never_used")]
    assert found(stage(), condition=leaf("ticket_type", "eq", "GARDEN")) == [("/condition", "never_used")]
    assert found(stage(condition=leaf("priority", "in", ["LOW", "MEDIUM"]))) == [("/stages", "dead_end")]
    every = [leaf("priority", "in", ["LOW", "MEDIUM"]), leaf("priority", "in", ["HIGH", "CRITICAL"])]
    assert found(*(stage(condition=c) for c in every)) == []


def test_fields_that_are_always_empty() -> None:
    boss, size = {"kind": "FORM_FIELD", "field": "boss"}, leaf("custom.size", "gt", "5")
    it, hr = leaf("ticket_type", "eq", "IT"), leaf("ticket_type", "eq", "HR")
    assert found(stage(approvers=[boss, MANAGER])) == []
    assert found(stage(approvers=[boss]), condition=hr) == []
    assert found(stage(approvers=[boss]), condition=it) == [("/stages/0/approvers/0/field", "field_elsewhere")]
    assert found(stage(), stage(condition=size), condition=hr) == [("/stages/1/condition", "field_elsewhere")]
    assert found(stage(judges=["custom.size", "custom.nope", "amount"]), condition=hr) == [
        ("/stages/0/judges/0", "field_elsewhere"),
        ("/stages/0/judges/1", "unknown_field"),
    ]
    assert found(stage(fallback=[{"kind": "FORM_FIELD", "field": "x"}])) == [
        ("/stages/0/fallback/0/field", "unknown_field")
    ]


def test_beside_other_workflows() -> None:
    it, large = leaf("ticket_type", "eq", "IT"), leaf("amount", "gt", "5000")

    def other(condition: Any, *rank: int) -> Other:
        return Other("Other", parse(condition, ALL), rank)

    both = {"all": [it, large]}
    shadow = [("/condition", "shadowed")]
    assert found(stage(), condition=both, rank=(2, 1, 1), others=[other(both, 2, 1, 9)]) == shadow
    assert found(stage(), condition=it, rank=(1, 1, 1), others=[other({"any": [it, large]}, 2, 1, 9)]) == shadow
    assert found(stage(), condition=both, rank=(2, 1, 9), others=[other(it, 1, 1, 1)]) == []
    assert found(stage(), condition=it, rank=(1, 1, 9), others=[other(both, 2, 1, 1)]) == []
    told = found(stage(), condition={"any": [it, large]}, rank=(2, 1, 9), others=[other(it, 1, 1, 1)])
    assert told == [("/condition", "shadows")]
    overlap = [("/condition", "overlaps")]
    assert (
        found(stage(), condition=it, rank=(1, 1, 9), others=[other(leaf("priority", "eq", "LOW"), 1, 1, 1)]) == overlap
    )
    assert (
        found(stage(), condition=it, rank=(1, 1, 1), others=[other(leaf("priority", "eq", "LOW"), 1, 1, 9)]) == overlap
    )
    assert found(stage(), condition=it, rank=(1, 1, 9), others=[other(leaf("ticket_type", "eq", "HR"), 1, 1, 1)]) == []


def test_what_takes_too_long_is_no_doubt() -> None:
    hard = [{"any": [leaf("amount", "gt", str(n + m)) for n in range(18)]} for m in range(9)]
    never = {"all": [*hard, leaf("amount", "lt", "0.01")]}
    began = time.perf_counter()
    assert found(stage(condition=never), condition=never) == [], "so many ways through it are not all tried"
    plain = {"all": [leaf("amount", "lt", "5"), leaf("amount", "gt", "5")]}
    told = found(stage(condition=never), stage(), stage(condition=plain))
    assert told == [("/stages/2/condition", "unreachable_stage")], "what is easy to see is seen beside it"
    assert time.perf_counter() - began < 5


def test_examples_in_words() -> None:
    conditions = [parse(leaf("amount", "gt", "5"), ALL), parse(leaf("title", "eq", "x"), ALL)]
    conditions += [parse(leaf("department_id", "in", [3, 4]), ALL), parse(leaf("priority", "eq", "LOW"), ALL)]
    tags = Field("tags", Kind.LIST, "tags")
    conditions.append(parse(leaf("tags", "contains", "red"), {"tags": tags}))
    record = {"amount": None, "title": "~", "department_id": 7, "priority": "LOW", "tags": ["red", "blue"]}
    assert in_words(record, conditions, company()) == (
        "when amount is empty and title is something else and department is something else and priority is LOW"
        " and tags is red, blue"
    )
    named_ = company(call=lambda field, value: "Marketing" if field.name == "department_id" else None)
    assert in_words({"department_id": 3, "priority": "LOW"}, conditions, named_) == (
        "when department is Marketing and priority is LOW"
    )
    assert in_words({}, conditions, company()) == "whatever it says"


AMOUNTS = st.sampled_from(["0", "999.99", "1000", "1000.01", "5000"])
PARTS = st.one_of(
    st.builds(lambda op, v: leaf("amount", op, v), st.sampled_from(["lt", "lte", "gt", "gte", "eq", "ne"]), AMOUNTS),
    st.builds(lambda op: leaf("amount", op), st.sampled_from(["is_empty", "is_not_empty"])),
    st.builds(lambda v: leaf("priority", "eq", v), st.sampled_from(["LOW", "HIGH"])),
)
STAGES = st.lists(st.lists(PARTS, min_size=1, max_size=3).map(lambda p: {"any": p}) | PARTS, min_size=1, max_size=4)


@given(STAGES, PARTS)
def test_a_dead_end_is_told_exactly_when_there_is_one(conditions: list[Any], for_: Any) -> None:
    """Every amount that matters and every priority, tried one by one."""
    whole = definition(*(stage(condition=c) for c in conditions), condition=for_)
    told = {code for _, code in found(*(stage(condition=c) for c in conditions), condition=for_)}
    amounts = [
        None,
        *(Decimal(a) + d for a in ("0", "999.99", "1000", "5000") for d in map(Decimal, ("0", "0.01", "0.02"))),
    ]
    amounts += [Decimal("999.98"), Decimal("4999.99")]
    cases = [{"amount": a, "priority": p} for a in amounts for p in ("LOW", "MEDIUM", "HIGH", "CRITICAL")]
    fitting = [c for c in cases if holds(whole.condition, c)]
    reaching = [[c for c in fitting if holds(s.condition, c)] for s in whole.stages]
    if not fitting:
        assert told == {"never_used"}
        return
    assert ("dead_end" in told) == any(not any(c in r for r in reaching) for c in fitting)
    assert ("unreachable_stage" in told) == any(not r for r in reaching)
