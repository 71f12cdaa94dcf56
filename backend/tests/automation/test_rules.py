"""Rules as values: what they wait for, whether and why they hold, where loops end, when they are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.automation.rules import (
    LONGEST_CHAIN,
    MOST_PER_HOUR,
    OF_DATES,
    TIMED,
    Action,
    By,
    Change,
    Do,
    On,
    Stop,
    Trigger,
    Unit,
    faults,
    host_of,
    matches,
    moment,
    read,
    said,
    shorter,
    stopped,
    trigger_of,
    why,
    without,
)
from waypost.catalog.sensitive import mark
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import Field, Kind, catalogue
from waypost.kernel.conditions.tree import parse
from waypost.sla.calendar import ALWAYS, Calendar, elapsed

FIELDS = catalogue(
    Field("priority", Kind.CHOICE, "priority", ("LOW", "HIGH")),
    Field("amount", Kind.NUMBER, "amount"),
    Field("tags", Kind.LIST, "tags"),
    Field("due_date", Kind.INSTANT, "due date"),
    Field("team_id", Kind.ID, "team"),
    Field("custom.day", Kind.DATE, "Day"),
    Field("custom.code", Kind.TEXT, "Code"),
    Field("custom.illness", Kind.TEXT, "Illness", is_sensitive=True),
    Field("custom.since", Kind.DATE, "Since", is_sensitive=True),
)
AT = datetime(2026, 11, 26, 9, tzinfo=UTC)  # a Thursday
OFFICE = Calendar("Europe/Berlin", ((((8 * 60), 18 * 60),),) * 5 + ((), ()))


def document(**trigger: Any) -> dict[str, Any]:
    return {"trigger": {"on": "SUBMITTED", **trigger}, "condition": None, "actions": [], "stops": False}


def test_a_document_is_read() -> None:
    doc = document(on="UPDATED", fields=["priority"], by="TEAM") | {
        "condition": {"field": "priority", "op": "eq", "value": "HIGH"},
        "actions": [{"do": "SET_PRIORITY", "priority": "LOW"}],
        "stops": True,
    }
    rule = read(doc, FIELDS, id=1, version=2, name="One")
    assert (rule.id, rule.version, rule.name, rule.stops) == (1, 2, "One", True)
    assert rule.trigger == Trigger(On.UPDATED, fields=frozenset({"priority"}), by=By.TEAM)
    assert rule.actions[0].do is Do.SET_PRIORITY


# --- what it waits for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "change", "expected"),
    [
        (Trigger(On.SUBMITTED), Change(frozenset({On.SUBMITTED})), True),
        (Trigger(On.SUBMITTED), Change(frozenset({On.UPDATED})), False),
        (Trigger(On.UPDATED), Change(frozenset({On.UPDATED}), fields=frozenset({"title"})), True),
        (Trigger(On.UPDATED, fields=frozenset({"priority"})), Change(frozenset({On.UPDATED})), False),
        (
            Trigger(On.UPDATED, fields=frozenset({"priority", "tags"})),
            Change(frozenset({On.UPDATED}), fields=frozenset({"tags"})),
            True,
        ),
        (Trigger(On.STATUS_CHANGED), Change(frozenset({On.STATUS_CHANGED}), status="CLOSED"), True),
        (
            Trigger(On.STATUS_CHANGED, statuses=frozenset({"CLOSED"})),
            Change(frozenset({On.STATUS_CHANGED}), status="APPROVED"),
            False,
        ),
        (Trigger(On.COMMENTED, visibility="PUBLIC"), Change(frozenset({On.COMMENTED}), visibility="INTERNAL"), False),
        (Trigger(On.COMMENTED, by=By.REQUESTER), Change(frozenset({On.COMMENTED}), by=By.REQUESTER), True),
        (Trigger(On.COMMENTED, by=By.REQUESTER), Change(frozenset({On.COMMENTED}), by=By.TEAM), False),
        (
            Trigger(On.APPROVAL_DECIDED, outcome="REJECTED"),
            Change(frozenset({On.APPROVAL_DECIDED}), outcome="APPROVED"),
            False,
        ),
        (Trigger(On.APPROVAL_DECIDED), Change(frozenset({On.APPROVAL_DECIDED}), outcome="APPROVED"), True),
    ],
)
def test_it_waits_for(trigger: Trigger, change: Change, expected: bool) -> None:
    assert matches(trigger, change) is expected


# --- whether and why --------------------------------------------------------------------------------------------------

leaf = st.sampled_from(
    [
        {"field": "priority", "op": "eq", "value": "HIGH"},
        {"field": "priority", "op": "is_empty"},
        {"field": "amount", "op": "gte", "value": "10"},
        {"field": "tags", "op": "contains", "value": "vip"},
        {"field": "due_date", "op": "lt", "value": "2030-01-01T00:00:00Z"},
    ]
)
tree = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds(lambda p: {"all": p}, st.lists(inner, max_size=3)),
        st.builds(lambda p: {"any": p}, st.lists(inner, max_size=3)),
        st.builds(lambda p: {"not": p}, inner),
    ),
    max_leaves=8,
)
record = st.fixed_dictionaries(
    {
        "priority": st.sampled_from([None, "LOW", "HIGH"]),
        "amount": st.one_of(st.none(), st.decimals(0, 20, places=2)),
        "tags": st.lists(st.sampled_from(["vip", "x"]), max_size=2),
        "due_date": st.sampled_from([None, AT]),
    }
)


def _consistent(told: dict[str, Any]) -> bool:
    parts = [p["held"] for p in told["parts"]]
    expected = {"ALL": all(parts), "ANY": any(parts), "NOT": not all(parts), "IS": told["held"]}[told["kind"]]
    return told["held"] == expected and all(map(_consistent, told["parts"]))


@given(tree, record)
def test_why_says_what_holds_says_and_every_part_adds_up(written: Any, facts: dict[str, Any]) -> None:
    condition = parse(written, FIELDS)
    told = why(condition, facts)
    assert told["held"] == holds(condition, facts)
    assert _consistent(told)


def test_why_names_what_the_ticket_had() -> None:
    def value(field: str, op: str, wanted: Any, has: Any, name: Any = None) -> Any:
        comparison = {"field": field, "op": op, "value": wanted}
        return why(parse(comparison, FIELDS), {field: has}, name)["value"]

    assert value("amount", "gt", "1", Decimal("12.50")) == "12.50"
    assert value("tags", "contains", "x", ["a", "b"]) == "a, b"
    assert value("tags", "contains", "x", []) is None
    assert value("due_date", "lt", "2030-01-01T00:00:00Z", AT) == "2026-11-26 09:00 UTC"
    assert value("team_id", "eq", 3, 4, lambda _f, v: f"Team {v}") == "Team 4"
    assert why(parse(None, FIELDS), {})["held"]


# --- loops ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 9), max_size=9), st.integers(1, 9), st.integers(0, 2 * MOST_PER_HOUR))
def test_no_chain_is_endless_and_no_rule_follows_itself(chain: list[int], rule: int, lately: int) -> None:
    stop = stopped(rule, chain, lately)
    if rule in chain:
        assert stop is Stop.OWN
    elif len(chain) >= LONGEST_CHAIN:
        assert stop is Stop.DEPTH
    else:
        assert stop is (Stop.BUDGET if lately >= MOST_PER_HOUR else None)


@given(st.dictionaries(st.integers(1, 6), st.sets(st.integers(1, 6), max_size=6), max_size=6))
def test_whatever_sets_off_whatever_it_ends(sets_off: dict[int, set[int]]) -> None:
    """Any graph of rules that cause each other: the chains end, and the budget bounds how many fire."""
    fired, waiting = 0, [(rule, ()) for rule in sets_off]
    asked = 0
    while waiting:
        asked += 1
        assert asked <= 6 * (MOST_PER_HOUR + 1) + 6
        rule, chain = waiting.pop()
        if stopped(rule, chain, fired):
            continue
        fired += 1
        waiting += [(nxt, (*chain, rule)) for nxt in sets_off.get(rule, ())]
    assert fired <= MOST_PER_HOUR


# --- time -------------------------------------------------------------------------------------------------------------


def test_when_it_is_due() -> None:
    def due(on: On, amount: int, unit: Unit) -> datetime:
        return moment(Trigger(on, amount=amount, unit=unit), AT, OFFICE)

    assert due(On.QUIET, 90, Unit.MINUTES) == AT + timedelta(minutes=90)
    assert due(On.IN_STATUS, 2, Unit.DAYS) == AT + timedelta(days=2)
    assert due(On.BEFORE_DATE, 2, Unit.HOURS) == AT - timedelta(hours=2)
    assert due(On.AFTER_DATE, 0, Unit.HOURS) == AT
    # Thursday 10:00 in Berlin: eight hours are over at six, one more the next morning
    assert due(On.IN_STATUS, 8, Unit.WORKING_HOURS) == datetime(2026, 11, 26, 17, tzinfo=UTC)
    assert due(On.IN_STATUS, 9, Unit.WORKING_HOURS) == datetime(2026, 11, 27, 8, tzinfo=UTC)
    # the end of the second working day after: Friday, Monday
    assert due(On.IN_STATUS, 2, Unit.WORKING_DAYS) == datetime(2026, 11, 30, 17, tzinfo=UTC)


@given(st.integers(1, 300), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_working_hours_are_over_when_they_are(hours: int, start: datetime) -> None:
    anchor = start.replace(tzinfo=UTC)
    due = moment(Trigger(On.QUIET, amount=hours, unit=Unit.WORKING_HOURS), anchor, OFFICE)
    assert elapsed(OFFICE, anchor, due) == timedelta(hours=hours)
    assert moment(Trigger(On.QUIET, amount=hours), anchor, ALWAYS) == anchor + timedelta(hours=hours)


# --- what is wrong ----------------------------------------------------------------------------------------------------


def pointers(doc: dict[str, Any]) -> list[str]:
    return [e.pointer for e in faults(doc, FIELDS)]


def test_what_is_sensitive_is_neither_counted_from_nor_filled_in() -> None:
    beside = document(on="BEFORE_DATE", date_field="custom.since", amount=1, unit="DAYS")
    assert [(e.pointer, "sensitive" in e.message) for e in faults(beside, FIELDS)] == [("/trigger/date_field", True)]
    fills = document() | {"actions": [{"do": "SET_FIELD", "field": "custom.illness", "value": "flu"}]}
    assert pointers(fills) == ["/actions/0/field"]
    stands_for = {"do": "SET_FIELD", "field": "custom.code", "value": mark(uuid4())}
    assert pointers(document() | {"actions": [stands_for]}) == ["/actions/0/value"]


def test_what_is_hidden_later_is_taken_out_of_what_was_said() -> None:
    condition = parse(
        {
            "all": [
                {"field": "custom.code", "op": "eq", "value": "X"},
                {"not": {"field": "priority", "op": "eq", "value": "LOW"}},
            ]
        },
        FIELDS,
    )
    told = why(condition, {"custom.code": "X", "priority": "HIGH"})
    hidden = without(told, {"custom.code"}, ["Code"])
    assert "X" not in str(hidden["parts"][0])
    assert hidden["parts"][1] == told["parts"][1]
    before = {k: v for k, v in told["parts"][0].items() if k != "field"}  # as an earlier release wrote it
    assert "X" not in str(without(before, {"custom.code"}, ["Code"]))
    assert without(before, {"custom.other"}, ["Other"]) == before


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"on": "QUIET"}, ["/trigger/amount"]),
        ({"on": "QUIET", "amount": 3}, []),
        ({"on": "QUIET", "amount": 400, "unit": "DAYS"}, ["/trigger/amount"]),
        ({"on": "IN_STATUS", "amount": 1}, ["/trigger/statuses"]),
        ({"on": "IN_STATUS", "amount": 1, "statuses": ["APPROVED"], "unit": "WORKING_DAYS"}, []),
        ({"on": "BEFORE_DATE", "amount": 1}, ["/trigger/date_field"]),
        ({"on": "BEFORE_DATE", "amount": 1, "date_field": "priority"}, ["/trigger/date_field"]),
        ({"on": "AFTER_DATE", "date_field": "custom.day"}, []),
        ({"on": "BEFORE_DATE", "amount": 1, "date_field": "due_date", "unit": "WORKING_DAYS"}, ["/trigger/unit"]),
        ({"on": "SUBMITTED", "date_field": "due_date"}, ["/trigger/date_field"]),
        ({"on": "UPDATED", "fields": ["priority", "nothing"]}, ["/trigger/fields"]),
    ],
)
def test_a_trigger_that_makes_no_sense_is_named(trigger: dict[str, Any], expected: list[str]) -> None:
    assert pointers(document(**trigger)) == expected
    assert (trigger_of({"on": "QUIET"}).on in TIMED, OF_DATES < TIMED) == (True, True)


def test_an_action_that_makes_no_sense_is_named() -> None:
    actions = [
        {"do": "ASSIGN", "to": "PERSON"},
        {"do": "ASSIGN", "to": "TEAM"},
        {"do": "ASSIGN", "to": "PERSON", "user_id": 1},
        {"do": "SET_FIELD", "field": "priority"},
        {"do": "SET_FIELD", "field": "custom.none"},
        {"do": "SET_FIELD", "field": "custom.code"},
        {"do": "NOTIFY", "to": [{"kind": "REQUESTER"}, {"kind": "ROLE"}, {"kind": "PERSON", "id": 2}]},
        {"do": "COMMENT", "visibility": "PUBLIC", "body": "x"},
    ]
    assert pointers(document() | {"actions": actions}) == [
        "/actions/0/user_id",
        "/actions/1/team_id",
        "/actions/3/field",
        "/actions/4/field",
        "/actions/6/to/1/id",
    ]


# --- in words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"do": "ASSIGN", "to": "PERSON", "user_id": 1}, "assign it to person 1"),
        ({"do": "ASSIGN", "to": "TEAM", "team_id": 2}, "give it to the team team 2"),
        ({"do": "ASSIGN", "to": "ROUND_ROBIN", "team_id": 2}, "assign it to the next in turn of the team team 2"),
        ({"do": "ASSIGN", "to": "NOBODY"}, "take the assignee off it"),
        ({"do": "SET_PRIORITY", "priority": "HIGH"}, "set the priority to high"),
        ({"do": "SET_DUE", "amount": 2, "unit": "WORKING_DAYS"}, "set the due date to 2 working days from then"),
        ({"do": "SET_DUE", "amount": 0, "unit": "HOURS"}, "take the due date away"),
        ({"do": "ADD_TAGS", "tags": ["a", "b"]}, "add the tags a, b"),
        ({"do": "REMOVE_TAGS", "tags": ["a"]}, "take away the tags a"),
        ({"do": "SET_FIELD", "field": "custom.code", "value": 1}, "fill in code"),
        ({"do": "TRANSITION", "to": "IN_PROGRESS"}, "move it to in progress"),
        ({"do": "COMMENT", "visibility": "INTERNAL", "body": "x"}, "comment internally"),
        ({"do": "COMMENT", "visibility": "PUBLIC", "body": "x"}, "comment for all to read"),
        ({"do": "NOTIFY", "to": [{"kind": "TEAM"}, {"kind": "ROLE", "id": 3}]}, "tell its team, role 3"),
        ({"do": "ESCALATE", "how": "RAISE_PRIORITY"}, "raise the priority by one"),
        ({"do": "WEBHOOK", "url": "https://a.example/token/secret"}, "call https://a.example"),
        ({"do": "START_APPROVAL", "workflow_id": 4}, "start the approval workflow 4"),
    ],
)
def test_an_action_is_said(action: dict[str, Any], expected: str) -> None:
    assert said(Action(Do(action["do"]), action), lambda kind, known: f"{kind} {known}") == expected


def test_long_words_are_cut() -> None:
    assert shorter(["a", "b"]) == "a; b"
    assert len(shorter(["x" * 50], 20)) == 20
    assert host_of("https://a.example:8443/x?token=1") == "https://a.example:8443"
