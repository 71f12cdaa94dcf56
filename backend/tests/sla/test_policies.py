"""Which policy a request gets, what its document may say, and that what is kept says the same."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sla.test_calendar import utc
from waypost.kernel.conditions import tree
from waypost.kernel.errors import Invalid
from waypost.sla.calendar import Calendar
from waypost.sla.marking import Metric, Reopening
from waypost.sla.policies import (
    BEFORE,
    FIELDS,
    OVER,
    PAUSABLE,
    PRIORITIES,
    WAITING_FOR_APPROVAL,
    Days,
    Do,
    On,
    Policy,
    Target,
    Unit,
    choose,
    rules_of,
)
from waypost.sla.policy_documents import BadPolicy, catalogue_of, read, spoken_fields, whole
from waypost.tickets.fields import FIELDS as TICKET_FIELDS
from waypost.tickets.lifecycle import Priority, Status

ANY_TARGET: dict[str, Any] = {"RESOLUTION": {"HIGH": {"amount": 8, "unit": "HOURS"}}}
OFFICE = Calendar("Europe/Berlin", ((((8 * 60), (18 * 60)),),) * 5 + ((), ()))


def test_the_words_are_those_of_requests() -> None:
    assert set(PRIORITIES) == set(Priority)
    assert BEFORE | WAITING_FOR_APPROVAL | set(PAUSABLE) | OVER == set(Status)
    assert len(BEFORE) + len(WAITING_FOR_APPROVAL) + len(PAUSABLE) + len(OVER) == len(Status)
    assert FIELDS.items() <= dict(TICKET_FIELDS).items()


def test_a_document_says_everything() -> None:
    document = {
        "condition": {"all": [{"field": "priority", "op": "eq", "value": "HIGH"}]},
        "calendar_id": 3,
        "targets": {
            "FIRST_RESPONSE": {"HIGH": {"amount": 30, "unit": "MINUTES"}, "LOW": None},
            "RESOLUTION": {"HIGH": {"amount": 2, "unit": "DAYS", "days": "BLOCKS"}},
        },
        "own_time": [{"team_id": 7, "targets": {"HIGH": {"amount": 1, "unit": "DAYS"}}}],
        "paused": ["PENDING_INFO"],
        "reopening": "RESTART",
        "warnings": [75, 50],
        "actions": [
            {"on": "WARNING", "do": "TELL_PERSON", "user_id": 4, "percent": 75},
            {"on": "BREACH", "do": "HAND_TO_TEAM", "team_id": 7, "metrics": ["RESOLUTION"]},
        ],
    }
    policy = read(1, 2, "High ones", document)
    assert (policy.id, policy.version, policy.name, policy.calendar_id) == (1, 2, "High ones", 3)
    assert policy.target(Metric.FIRST_RESPONSE, "HIGH") == Target(30, Unit.MINUTES)
    assert policy.target(Metric.FIRST_RESPONSE, "LOW") is None
    assert policy.target(Metric.NEXT_UPDATE, "HIGH") is None
    assert policy.target(Metric.RESOLUTION, "HIGH") == Target(2, Unit.DAYS, Days.BLOCKS)
    assert policy.target(Metric.OWN_TIME, "HIGH", 7) == Target(1, Unit.DAYS, Days.END_OF_DAY)
    assert policy.target(Metric.OWN_TIME, "HIGH", 8) is None
    assert policy.target(Metric.OWN_TIME, "HIGH") is None
    assert policy.rules == rules_of(["PENDING_INFO"], counts_approval=False, reopening=Reopening.RESTART)
    assert policy.rules.paused == {"PENDING_INFO", "SUBMITTED", "IN_REVIEW"}
    assert policy.warnings == (50, 75)
    tell, hand = policy.actions
    assert tell.is_for(Metric.FIRST_RESPONSE, 75)
    assert not tell.is_for(Metric.FIRST_RESPONSE, 50)
    assert not tell.is_for(Metric.FIRST_RESPONSE)
    assert hand.is_for(Metric.RESOLUTION)
    assert not hand.is_for(Metric.NEXT_UPDATE)
    assert not hand.is_for(Metric.RESOLUTION, 50)
    assert (tell.on, tell.do, tell.user_id, hand.team_id) == (On.WARNING, Do.TELL_PERSON, 4, 7)


def test_waiting_for_approval_counts_where_it_is_said_to() -> None:
    policy = read(1, 1, "x", {"targets": ANY_TARGET, "counts_approval": True})
    assert policy.rules.paused == frozenset()
    assert policy.rules.before == {"DRAFT"}


def test_what_a_target_is_in_working_time() -> None:
    friday = utc(2026, 11, 27, 15)  # 16:00 in Berlin
    assert Target(90, Unit.MINUTES).budget(OFFICE, friday) == timedelta(minutes=90)
    assert Target(8, Unit.HOURS).budget(OFFICE, friday) == timedelta(hours=8)
    assert Target(1, Unit.DAYS).budget(OFFICE, friday) == timedelta(hours=12)  # two today, all of Monday
    assert Target(1, Unit.DAYS, Days.BLOCKS).budget(OFFICE, friday) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"targets": ANY_TARGET, "colour": 1}, "/colour"),
        ({"targets": ANY_TARGET, "a/b": 1}, "/a~1b"),
        ({"targets": {}}, "/targets"),
        ({"targets": []}, "/targets"),
        ({"targets": {"COFFEE": {}}}, "/targets/COFFEE"),
        ({"targets": {"OWN_TIME": ANY_TARGET["RESOLUTION"]}}, "/targets/OWN_TIME"),
        ({"targets": {"RESOLUTION": 3}}, "/targets/RESOLUTION"),
        ({"targets": {"RESOLUTION": {"URGENT": {}}}}, "/targets/RESOLUTION/URGENT"),
        ({"targets": {"RESOLUTION": {"LOW": 3}}}, "/targets/RESOLUTION/LOW"),
        ({"targets": {"RESOLUTION": {"LOW": {"amount": 1, "unit": "YEARS"}}}}, "/targets/RESOLUTION/LOW/unit"),
        ({"targets": {"RESOLUTION": {"LOW": {"amount": 0, "unit": "DAYS"}}}}, "/targets/RESOLUTION/LOW/amount"),
        ({"targets": {"RESOLUTION": {"LOW": {"amount": True, "unit": "DAYS"}}}}, "/targets/RESOLUTION/LOW/amount"),
        ({"targets": {"RESOLUTION": {"LOW": {"amount": 1.5, "unit": "HOURS"}}}}, "/targets/RESOLUTION/LOW/amount"),
        ({"targets": {"RESOLUTION": {"LOW": {"amount": 366, "unit": "DAYS"}}}}, "/targets/RESOLUTION/LOW/amount"),
        (
            {"targets": {"RESOLUTION": {"LOW": {"amount": 1, "unit": "DAYS", "days": "SUNNY"}}}},
            "/targets/RESOLUTION/LOW/days",
        ),
        (
            {"targets": {"RESOLUTION": {"LOW": {"amount": 1, "unit": "DAYS", "x": 1}}}},
            "/targets/RESOLUTION/LOW/x",
        ),
        ({"targets": ANY_TARGET, "calendar_id": "1"}, "/calendar_id"),
        ({"targets": ANY_TARGET, "calendar_id": 2**63}, "/calendar_id"),
        ({"targets": ANY_TARGET, "counts_approval": 1}, "/counts_approval"),
        ({"targets": ANY_TARGET, "reopening": "NEVER"}, "/reopening"),
        ({"targets": ANY_TARGET, "paused": ["CLOSED"]}, "/paused/0"),
        ({"targets": ANY_TARGET, "paused": "CLOSED"}, "/paused"),
        ({"targets": ANY_TARGET, "paused": ["APPROVED", "APPROVED"]}, "/paused"),
        ({"targets": ANY_TARGET, "paused": ["APPROVED", "IN_PROGRESS"]}, "/paused"),
        ({"targets": ANY_TARGET, "warnings": [100]}, "/warnings/0"),
        ({"targets": ANY_TARGET, "warnings": [50, 50]}, "/warnings/1"),
        ({"targets": ANY_TARGET, "warnings": list(range(1, 12))}, "/warnings"),
        ({"targets": ANY_TARGET, "actions": [{"on": "NOON", "do": "TELL_LEADS"}]}, "/actions/0/on"),
        ({"targets": ANY_TARGET, "actions": [{"on": "BREACH", "do": "SING"}]}, "/actions/0/do"),
        ({"targets": ANY_TARGET, "actions": [{"on": "BREACH", "do": "TELL_LEADS", "x": 1}]}, "/actions/0/x"),
        ({"targets": ANY_TARGET, "actions": [3]}, "/actions/0"),
        ({"targets": ANY_TARGET, "actions": [{"on": "WARNING", "do": "TELL_LEADS"}]}, "/actions/0/on"),
        (
            {
                "targets": ANY_TARGET,
                "warnings": [1],
                "actions": [{"on": "WARNING", "do": "TELL_LEADS", "percent": True}],
            },
            "/actions/0/percent",
        ),
        (
            {"targets": ANY_TARGET, "warnings": [50], "actions": [{"on": "BREACH", "do": "TELL_LEADS", "percent": 50}]},
            "/actions/0/percent",
        ),
        ({"targets": ANY_TARGET, "actions": [{"on": "BREACH", "do": "TELL_PERSON"}]}, "/actions/0/user_id"),
        (
            {"targets": ANY_TARGET, "actions": [{"on": "BREACH", "do": "TELL_LEADS", "user_id": 3}]},
            "/actions/0/user_id",
        ),
        ({"targets": ANY_TARGET, "actions": [{"on": "BREACH", "do": "HAND_TO_TEAM"}]}, "/actions/0/team_id"),
        ({"own_time": [{"team_id": 0, "targets": ANY_TARGET["RESOLUTION"]}]}, "/own_time/0/team_id"),
        ({"own_time": [{"team_id": 1, "targets": {}}]}, "/own_time/0/targets"),
        ({"own_time": [{"team_id": 1, "targets": ANY_TARGET["RESOLUTION"], "x": 1}]}, "/own_time/0/x"),
        ({"own_time": [{"team_id": 1, "targets": ANY_TARGET["RESOLUTION"]}] * 2}, "/own_time/1/team_id"),
        ({"targets": ANY_TARGET, "condition": {"field": "mood", "op": "eq", "value": 1}}, "/condition/field"),
    ],
)
def test_each_mistake_is_named(document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(1, 1, "x", document)
    assert pointer in {e.pointer for e in refused.value.errors}


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.sampled_from([*PRIORITIES, *PAUSABLE, *Metric, *Unit, *Do, "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*PRIORITIES, *Metric, "amount", "unit", "days", "on", "do", "team_id"]), inner
        )
    ),
    max_leaves=12,
)
_parts = st.sampled_from(
    ["calendar_id", "targets", "own_time", "paused", "counts_approval", "reopening", "warnings", "actions", "x"]
)


@given(st.dictionaries(_parts, _json, max_size=5))
def test_whatever_stands_in_a_document_it_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        policy = read(1, 1, "x", document)
    except BadPolicy as refused:
        policy, named = None, len(refused.errors)
    assert read(1, 1, "x", whole(document)) == policy if policy else named


_target = st.builds(
    lambda amount, unit, days: {"amount": amount, "unit": unit} | ({"days": days} if days else {}),
    st.integers(1, 365),
    st.sampled_from([str(u) for u in Unit]),
    st.sampled_from([None, "END_OF_DAY", "BLOCKS"]),
)
_by_priority = st.dictionaries(st.sampled_from(PRIORITIES), _target, min_size=1)
_metrics = st.sampled_from(["FIRST_RESPONSE", "NEXT_UPDATE", "RESOLUTION"])
_documents = st.fixed_dictionaries(
    {"targets": st.dictionaries(_metrics, _by_priority, min_size=1)},
    optional={
        "condition": st.sampled_from([None, {"all": []}, {"field": "custom.site", "op": "eq", "value": "Oslo"}]),
        "calendar_id": st.none() | st.integers(1, 9),
        "own_time": st.lists(
            st.fixed_dictionaries({"team_id": st.integers(1, 9), "targets": _by_priority}),
            unique_by=lambda one: one["team_id"],
            max_size=3,
        ),
        "paused": st.lists(st.sampled_from(["PENDING_INFO", "APPROVED"]), unique=True),
        "counts_approval": st.booleans(),
        "reopening": st.sampled_from([str(r) for r in Reopening]),
        "warnings": st.lists(st.integers(1, 99), unique=True, max_size=5),
        "actions": st.lists(st.sampled_from([{"on": "BREACH", "do": "TELL_LEADS"}]), max_size=2),
    },
)


@given(_documents)
def test_what_is_kept_says_the_same(document: dict[str, Any]) -> None:
    fields = catalogue_of(
        {"custom.site": {"kind": "text", "label": "Site", "choices": [], "labels": [], "refers_to": None}}
    )
    policy = read(1, 1, "x", document, fields)
    kept = json.loads(json.dumps(whole(document)))
    assert whole(kept) == kept
    assert read(1, 1, "x", kept, catalogue_of(json.loads(json.dumps(spoken_fields(policy))))) == policy


_facts = st.fixed_dictionaries({"priority": st.sampled_from(PRIORITIES), "amount": st.none() | st.integers(0, 10)})
_conditions = st.sampled_from(
    [None, {"any": []}]
    + [{"field": "priority", "op": "eq", "value": p} for p in PRIORITIES]
    + [{"field": "amount", "op": "gte", "value": n} for n in range(0, 10, 3)]
)


@given(st.lists(_conditions, max_size=6), _facts)
def test_the_first_whose_condition_holds_is_chosen(conditions: list[Any], facts: dict[str, Any]) -> None:
    policies = [read(n, 1, str(n), {"condition": c, "targets": ANY_TARGET}) for n, c in enumerate(conditions)]

    def fits(condition: dict[str, Any] | None) -> bool:
        """Judged by hand."""
        if condition is None:
            return True
        if "any" in condition:
            return False
        if condition["field"] == "priority":
            return bool(facts["priority"] == condition["value"])
        return facts["amount"] is not None and facts["amount"] >= condition["value"]

    expected = next((n for n, c in enumerate(conditions) if fits(c)), None)
    chosen = choose(policies, facts)
    assert (chosen.id if chosen else None) == expected


def test_a_policy_without_a_condition_is_for_all() -> None:
    policy: Policy = read(1, 1, "x", {"targets": ANY_TARGET})
    assert policy.condition == tree.ALWAYS
    assert choose([policy], {}) is policy
