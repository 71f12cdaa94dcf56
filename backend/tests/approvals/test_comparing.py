"""What changed between two versions of a workflow: nothing when nothing did, each change once, in words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.approvals.comparing import UNFINISHED, compare, duration, in_words, rule_in_words, stage_in_words
from waypost.approvals.definition import FIELDS
from waypost.approvals.mentions import Called, mentioned
from waypost.kernel.conditions.fields import Field, Kind

CALLED = Called(
    people={1: "Ada Ford", 2: "Ben Gold"},
    teams={5: "HR Services"},
    departments={7: "Marketing"},
    roles={"finance": "Finance Committee"},
    types={"IT": "IT hardware"},
    fields=FIELDS
    | {
        "custom.boss": Field("custom.boss", Kind.ID, "who decides", refers_to="person"),
        "custom.size": Field("custom.size", Kind.NUMBER, "size"),
    },
)
MANAGER = {"kind": "REQUESTER_MANAGER"}


def stage(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "approvers": [MANAGER], **more}


def document(*stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "Purchases", "condition": None, "stages": list(stages), **more}


def changes(before: Any, after: Any) -> list[tuple[str, str, str, Any, Any]]:
    return [(c.pointer, c.kind, c.what, c.before, c.after) for c in compare(before, after, CALLED)]


def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def test_the_whole() -> None:
    before = document(one_by_one_above=None)
    after = {
        "name": "Buying",
        "condition": {"all": [leaf("ticket_type", "eq", "IT"), leaf("department_id", "in", [7, 8])]},
        "stages": [],
        "one_by_one_above": "250.00",
    }
    assert changes(before, after) == [
        ("/name", "changed", "Name", "Purchases", "Buying"),
        (
            "/condition",
            "changed",
            "Which requests",
            "always",
            "type is IT hardware and department is one of Marketing, 8",
        ),
        ("/one_by_one_above", "changed", "One by one above", "5,000", "250.00"),
    ]
    assert changes(before, document(condition={"all": []})) == [], "the same in other words is no change"
    assert changes({}, {"name": ["x"], "condition": {"field": "wage"}}) == [
        ("/condition", "changed", "Which requests", "always", UNFINISHED)
    ]


def test_stages_come_go_and_move() -> None:
    a, b, c = stage("A"), stage("B", approvers=[{"kind": "TEAM", "team_id": 5}]), stage("C", quorum=2)
    assert changes(document(a, b, c), document(c, a, b)) == [("/stages/0", "moved", "Stage “C”", "place 3", "place 1")]
    assert changes(document(a), document(b, a)) == [("/stages/0", "added", "Stage “B”", None, "the team HR Services")]
    assert changes(document(a, c), document(a)) == [
        ("/stages/1", "removed", "Stage “C”", "the requester's manager; 2 of them", None)
    ]
    assert changes(document(a, b), document(a | {"name": "First"}, b)) == [
        ("/stages/0/name", "changed", "Stage “First”: name", "A", "First")
    ]
    assert changes(document(a, b), document(b, c, a | {"name": "Last"}))[:2] == [
        ("/stages/1", "added", "Stage “C”", None, "the requester's manager; 2 of them"),
        ("/stages/2", "moved", "Stage “Last”", "place 1", "place 3"),
    ]
    changed = changes(document(a), document(stage("Z", quorum="ANY")))
    assert [c[:3] for c in changed] == [
        ("/stages/0/name", "changed", "Stage “Z”: name"),
        ("/stages/0/quorum", "changed", "Stage “Z”: who must say yes"),
    ], "one that stands alone at its place is the same"
    twice = document(a, a | {"quorum": 2})
    assert changes(twice, document(a, a | {"quorum": 3})) == [
        ("/stages/1/quorum", "changed", "Stage “A”: who must say yes", "2 of them", "3 of them")
    ]


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("approvers", [{"kind": "USER", "user_id": 1}, MANAGER], "Ada Ford, the requester's manager"),
        ("approvers", [{"kind": "USERS", "user_ids": [1, 2, 3]}], "Ada Ford, Ben Gold, somebody or something unknown (3)"),
        ("approvers", [], "nobody"),
        ("approvers", ["x"], UNFINISHED),
        ("fallback", [{"kind": "MANAGERS_MANAGER"}], "the manager of the requester's manager"),
        ("fallback", [{"kind": "MANAGER_LEVEL", "level": 3}], "3 levels above the requester"),
        ("fallback", [{"kind": "DEPARTMENT_HEAD"}], "the head of the requester's department"),
        ("fallback", [{"kind": "DEPARTMENT_HEAD", "department_id": 7}], "the head of Marketing"),
        ("fallback", [{"kind": "ROLE", "role": "finance"}], "everybody with the role Finance Committee"),
        ("fallback", [{"kind": "FORM_FIELD", "field": "boss"}], "the person in the field who decides"),
        ("fallback", [{"kind": "FORM_FIELD", "field": "other"}], "the person in the field other"),
        ("mode", "SEQUENTIAL", "one after the other"),
        ("mode", "SOMEHOW", UNFINISHED),
        ("quorum", "FIRST", "whoever answers first"),
        ("quorum", {"percent": 50.0}, "50 % of them"),
        ("quorum", {"percent": "x"}, UNFINISHED),
        ("quorum", True, UNFINISHED),
        ("due_in_minutes", 1500, "1 day 1 hour"),
        ("judges", None, "whatever no other stage names"),
        ("judges", ["amount", "custom.size", "custom.gone"], "amount, size, gone"),
        ("judges", [], "nothing"),
        ("escalation", "x", UNFINISHED),
        ("condition", leaf("custom.boss", "eq", 1), "who decides is Ada Ford"),
        (
            "escalation",
            {"after_minutes": 60, "to": {"kind": "NEXT_MANAGER"}, "repeat": 3, "finally": "REJECT",
             "remind_before_minutes": [0, 1440]},
            "a reminder 1 day before it is due, when it is due; 1 hour after it was due the next manager is asked as well,"
            " up to 3 times; at last it is rejected",
        ),
        (
            "escalation",
            {"after_minutes": 5, "to": MANAGER, "remind_before_minutes": [], "repeat": False},
            "no reminder; 5 minutes after it was due the requester's manager is asked as well; at last an administrator is"
            " asked",
        ),
        (
            "escalation",
            {"after_minutes": "x", "repeat": True},
            "a reminder when it is due; not finished after it was due not finished is asked as well, up to 10 times;"
            " at last an administrator is asked",
        ),
        ("escalation", {"repeat": 0}, "a reminder when it is due; at last an administrator is asked"),
    ],
)  # fmt: skip
def test_members_in_words(member: str, value: Any, words: str) -> None:
    assert in_words(member, value, CALLED) == words


def test_stages_and_durations_in_words() -> None:
    whole = stage("A", mode="SEQUENTIAL", quorum="ANY", condition=leaf("amount", "gt", "5000"))
    assert stage_in_words(whole, CALLED) == "the requester's manager; one after the other; when amount is above 5,000"
    assert stage_in_words(stage("A"), CALLED) == "the requester's manager"
    assert [duration(n) for n in (0, 1, 61, 2880, -1, True)] == [
        "no time", "1 minute", "1 hour 1 minute", "2 days", UNFINISHED, UNFINISHED,
    ]  # fmt: skip
    assert rule_in_words({"kind": "USER"}, CALLED) == UNFINISHED
    assert rule_in_words({"kind": "USERS"}, CALLED) == UNFINISHED
    assert rule_in_words({"kind": "FORM_FIELD"}, CALLED) == f"the person in the field {UNFINISHED}"
    assert changes(document(stage("  ")), document(stage("  ", quorum="ANY")))[0][2] == "Stage “…”: who must say yes"


def test_what_a_document_mentions() -> None:
    whole = document(
        stage("A", approvers=[{"kind": "USERS", "user_ids": [1, 2]}, "x"], fallback=[{"kind": "TEAM", "team_id": 5}]),
        stage("B", approvers=5, escalation={"to": {"kind": "USER", "user_id": 3}}),
        condition={"not": {"any": [leaf("department_id", "in", [7, True, "x"]), leaf("custom.boss", "eq", 9)]}},
    )
    whole["stages"] += ["x", {"condition": leaf("requester_id", "ne", 4), "escalation": {"to": "x"}}]
    found = mentioned(whole, CALLED.fields)
    assert (found.people, found.teams, found.departments) == ({1, 2, 3, 4, 9}, {5}, {7})
    assert mentioned("x", CALLED.fields).people == set()
    assert mentioned({"stages": "x"}, CALLED.fields).people == set()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "A", "B", "amount"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "user_ids", "all", "field", "op", "value", "percent", "to"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
STAGES = st.dictionaries(
    st.sampled_from(
        ["name", "condition", "approvers", "mode", "quorum", "due_in_minutes", "escalation", "fallback", "judges"]
    ),
    JSON,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={"name": JSON, "condition": JSON, "stages": st.lists(STAGES, max_size=4) | JSON, "one_by_one_above": JSON},
)


@given(DOCUMENTS, DOCUMENTS)
def test_whatever_is_written_can_be_compared(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = deepcopy((before, after))
    assert compare(before, before, CALLED) == []
    found = compare(before, after, CALLED)
    assert (before, after) == kept
    for change in found:
        assert (change.before is None) == (change.kind == "added")
        assert (change.after is None) == (change.kind == "removed")
        assert change.before != change.after
    mentioned(before, CALLED.fields)


@given(st.permutations(range(5)), st.sets(st.integers(0, 4)))
def test_what_only_moved_is_only_moved(order: list[int], gone: set[int]) -> None:
    before = [stage(f"S{n}", quorum=n + 1) for n in range(5)]
    after = [before[n] for n in order if n not in gone]
    found = compare(document(*before), document(*after), CALLED)
    assert sum(c.kind == "removed" for c in found) == len(gone)
    assert {c.kind for c in found} <= {"moved", "removed"}
    if order == sorted(order):
        assert not any(c.kind == "moved" for c in found)


def test_the_usual_time_is_of_how_time_counts() -> None:
    by_clock, at_work = stage("A"), stage("A", counts="WORKING_TIME")
    assert changes(document(at_work), document(at_work | {"due_in_minutes": 960})) == []
    assert changes(document(by_clock), document(by_clock | {"due_in_minutes": 2880})) == []
    said = changes(document(by_clock), document(at_work))
    assert ("/stages/0/counts", "changed", "Stage “A”: how time counts", "by the clock", "in working hours") in said
    assert ("/stages/0/due_in_minutes", "changed", "Stage “A”: time to decide", "2 days", "16 hours") in said
