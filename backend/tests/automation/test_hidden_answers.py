# ruff: noqa: F811 - fixtures of other files
"""Answers that became sensitive, and people who were erased: nothing of them stays with the rules."""

from __future__ import annotations

import copy
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from tests.access.test_privacy import hire, second  # noqa: F401
from tests.automation.conftest import COMMENT
from tests.tickets.test_resealing import OPEN, finish
from tests.tickets.test_sealed import FORM, IBAN, body, kind, places, publish  # noqa: F401
from waypost.automation.models import AutomationCall, AutomationDue, AutomationRun
from waypost.automation.rules import without
from waypost.catalog.sensitive import mark
from waypost.kernel.events import EventRow
from waypost.notifications.models import Notification

DAY = "2031-08-17"
DATED = copy.deepcopy(OPEN)
DATED["properties"]["day"] = {"x-kind": "date", "title": "Day off"}
DATED_SEALED = copy.deepcopy(FORM)
DATED_SEALED["properties"]["day"] = {"x-kind": "date", "title": "Day off", "x-sensitive": True}
SAID = {"field": "custom.iban", "op": "is_not_empty"}
BESIDE = {"on": "BEFORE_DATE", "date_field": "custom.day", "amount": 3, "unit": "DAYS"}


def renamed(form: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The form with keys that no other type has: what one type calls sensitive is so for the rules in all of them."""
    return {"properties": {f"{prefix}{key}": copy.deepcopy(schema) for key, schema in form["properties"].items()}}


async def test_what_rules_wrote_down_of_an_answer_goes_with_it(
    who: Any, kind: Any, rule: Any, drain: Any, runs: Any, database: Any
) -> None:
    employee, made = await who("employee"), await kind(DATED)
    asked = await rule("SUBMITTED", COMMENT, condition={"all": [SAID, {"field": "priority", "op": "is_not_empty"}]})
    dated = await rule(BESIDE, COMMENT, {"do": "WEBHOOK", "url": "https://hooks.example.com/x"})
    sent = await employee.post("/tickets", body(made, {"iban": IBAN, "day": DAY}, priority="HIGH"), expect=201)
    await drain()
    assert {p["value"] for p in (await runs(rule_id=asked["id"]))[0]["why"]["parts"]} == {IBAN, "HIGH"}
    async with database.transaction() as session:
        due = (await session.scalars(select(AutomationDue).where(AutomationDue.rule_id == dated["id"]))).one()
        assert due.anchor.date().isoformat() == DAY
        at = due.due_at
        cause = "time:BEFORE_DATE:3DAYS:20310817T000000000000"
        of_rule = {"rule_id": dated["id"], "ticket_id": sent["id"]}
        known = {"rule_version": 1, "rule_name": "x", "trigger": "BEFORE_DATE", "outcome": "DONE", "chain": []}
        why = {"kind": "ALL", "held": True, "text": "", "value": None, "parts": []}
        session.add(AutomationRun(**of_rule, **known, cause=cause, why=why, actions=[], took_ms=1, at=at))
        call = {"url": "https://hooks.example.com/x", "status": "DONE", "attempts": 1, "next_at": at, "created_at": at}
        session.add(AutomationCall(**of_rule, **call, body={"cause": cause, "id": "k"}))
    assert {"automation_runs.why"} <= set(await places(database, IBAN))
    await publish(who, made, DATED_SEALED)
    await finish(database)
    assert await places(database, IBAN, DAY, "20310817") == {}
    (told,) = await runs(rule_id=asked["id"])
    assert sorted(p["value"] for p in told["why"]["parts"]) == ["HIGH", "Hidden"]
    assert all("field" not in p for p in told["why"]["parts"])
    async with database.read() as session:
        assert (await session.scalars(select(AutomationDue).where(AutomationDue.rule_id == dated["id"]))).all() == []
        kept = (await session.scalars(select(AutomationCall).where(AutomationCall.rule_id == dated["id"]))).one()
        assert kept.body == {"cause": "hidden:", "id": "k"}


async def test_a_rule_from_before_writes_down_no_hidden_answer(
    who: Any, kind: Any, rule: Any, drain: Any, runs: Any, database: Any
) -> None:
    employee, made = await who("employee"), await kind(renamed(DATED, "old_"))
    asked = await rule("SUBMITTED", COMMENT, condition={**SAID, "field": "custom.old_iban"})
    dated = await rule({**BESIDE, "date_field": "custom.old_day"}, COMMENT)
    await publish(who, made, renamed(DATED_SEALED, "old_"))
    fields = {"old_iban": "FI2112345600000785", "old_day": "2032-02-13"}
    sent = await employee.post("/tickets", body(made, fields), expect=201)
    await drain()
    (told,) = await runs(rule_id=asked["id"], ticket_id=sent["id"], all_asked=True)
    assert (told["outcome"], told["why"]["value"]) == ("NOT_HELD", None)
    async with database.read() as session:
        assert (await session.scalars(select(AutomationDue).where(AutomationDue.rule_id == dated["id"]))).all() == []
    assert await places(database, "FI2112345600000785", "2032-02-13", "20320213") == {}


async def test_no_rule_names_what_is_sensitive(who: Any, kind: Any) -> None:
    admin = await who("admin")
    form = renamed(DATED_SEALED, "secret_")
    form["properties"]["loose_text"] = {"x-kind": "text", "title": "Loose"}
    await kind(form)
    plain = {"name": "Names it", "trigger": {"on": "SUBMITTED"}, "condition": None, "actions": [COMMENT]}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"condition": {"field": "custom.secret_iban", "op": "is_not_empty"}}, "/condition/field"),
        ({"trigger": {**BESIDE, "date_field": "custom.secret_day"}}, "/trigger/date_field"),
        ({"actions": [{"do": "SET_FIELD", "field": "custom.secret_iban", "value": IBAN}]}, "/actions/0/field"),
        (
            {"actions": [{"do": "SET_FIELD", "field": "custom.loose_text", "value": mark(uuid4())}]},
            "/actions/0/value",
        ),
    ]
    for part, pointer in wrong:
        refused = await admin.post("/automation/rules", {**plain, **part}, expect=422)
        assert [e["pointer"] for e in refused["errors"]] == [pointer], refused


@pytest.mark.parametrize(
    ("leaf", "is_hidden"),
    [
        ({"field": "custom.iban", "text": "Account is A", "value": "A"}, True),
        ({"field": "custom.why", "text": "Account is A", "value": "A"}, False),
        ({"text": "Account is A", "value": "A"}, True),  # of before a part named its field
        ({"text": "Why is A", "value": "A"}, False),
    ],
)
def test_only_what_is_about_it_is_hidden(leaf: dict[str, Any], is_hidden: bool) -> None:
    part = {"kind": "IS", "held": True, "parts": [], **leaf}
    tree = {"kind": "NOT", "held": False, "text": "", "value": None, "parts": [part]}
    found = without(tree, {"custom.iban"}, ["Account"])
    assert (found["parts"][0]["value"] == "Hidden") is is_hidden
    assert ("A" not in found["parts"][0]["text"].split()) is is_hidden
    assert found["parts"][0]["held"]
    assert tree["parts"][0] is part
    assert part["value"] == "A"


async def test_what_a_rule_tells_is_kept_without_names(
    who: Any, rule: Any, support: Any, drain: Any, database: Any
) -> None:
    employee = await who("employee")
    name = employee.me["name"]
    await rule("SUBMITTED", {"do": "NOTIFY", "to": [{"kind": "TEAM"}], "message": "{{ requester.name }} waits"})
    made = await support()
    await drain()
    async with database.read() as session:
        row = (await session.scalars(select(EventRow).where(EventRow.type == "ticket.told_by_rule"))).one()
        assert row.data["message"] == "{{ requester.name }} waits"
        told = select(Notification.body).where(
            Notification.ticket_id == made["id"], Notification.kind == "ticket.told_by_rule"
        )
        bodies = list(await session.scalars(told))
        assert bodies
        assert all(f"{name} waits" in said for said in bodies)


async def test_an_erased_person_is_named_by_no_run(
    who: Any, app: Any, rule: Any, drain: Any, runs: Any, database: Any, second: Any
) -> None:
    admin, person = await who("admin"), await hire(who, app)
    name = person.me["name"]
    await rule(
        "SUBMITTED",
        {"do": "NOTIFY", "to": [{"kind": "PERSON", "id": person.id}], "message": "{{ requester.name }} waits"},
        condition={"field": "requester_id", "op": "eq", "value": person.id},
    )
    await rule("SUBMITTED", COMMENT, condition={"field": "title", "op": "contains", "value": "Laptop"})
    asked = {"title": f"Laptop of {name}", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    made = await person.post("/tickets", asked, expect=201)
    await drain()
    before = await runs(ticket_id=made["id"])
    assert str(before).count(name) >= 3
    await admin.put(f"/users/{person.id}/active", {"is_active": False})
    erasure = await admin.post(f"/users/{person.id}/erasure", {"reason": "They left"}, expect=201)
    await second.post(f"/erasures/{erasure['id']}/do", expect=204)
    async with database.read() as session:
        for table in ("automation_runs", "events"):
            said = text(
                f"SELECT count(*) FROM {table} t WHERE strpos(t::text, :name) > 0 AND strpos(t::text, :title) = 0"
            )
            assert await session.scalar(said, {"name": name, "title": f"Laptop of {name}"}) == 0, table
        in_runs = text("SELECT count(*) FROM automation_runs t WHERE strpos(t::text, :name) > 0")
        assert await session.scalar(in_runs, {"name": name}) == 0
    after = await runs(ticket_id=made["id"])
    assert [r["outcome"] for r in after] == [r["outcome"] for r in before]
    assert f"Former employee {person.id}" in str(after)
    await person.http.aclose()
