"""What rules name is known to whoever takes it away, and the addresses they call stand sealed."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select, text

from waypost.automation.models import AutomationRule
from waypost.automation.sealed_addresses import opened, seal_plain, sealed
from waypost.kernel.sealing import rewrap_all

URL = "https://hooks.example.com/waypost?token=s3cr3t"


async def test_a_person_a_rule_names_is_found(who: Any, rule: Any) -> None:
    admin, agent, manager = await who("admin"), await who("agent"), await who("manager")
    gives = await rule("SUBMITTED", {"do": "ASSIGN", "to": "PERSON", "user_id": agent.id})
    tells = await rule("SUBMITTED", {"do": "NOTIFY", "to": [{"kind": "PERSON", "id": agent.id}], "message": "Look."})
    looks = await rule(
        "SUBMITTED",
        {"do": "SET_PRIORITY", "priority": "HIGH"},
        condition={"field": "requester_id", "op": "eq", "value": agent.id},
    )
    found = (await admin.get(f"/users/{agent.id}/mentions"))["items"]
    named = {(m["id"], m["how"]) for m in found if m["kind"] == "automation_rule"}
    assert named == {(gives["id"], "assignee"), (tells["id"], "told"), (looks["id"], "condition")}
    others = (await admin.get(f"/users/{manager.id}/mentions"))["items"]
    assert [m for m in others if m["kind"] == "automation_rule"] == []


async def test_a_team_a_rule_gives_work_to_is_not_closed(who: Any, rule: Any) -> None:
    admin = await who("admin")
    team = await admin.post("/teams", {"name": "Night desk", "member_ids": []}, expect=201)
    made = await rule("SUBMITTED", {"do": "ASSIGN", "to": "TEAM", "team_id": team["id"]})
    refused = await admin.delete(f"/teams/{team['id']}", expect=409)
    assert made["name"] in refused["detail"]
    await admin.delete(f"/automation/rules/{made['id']}")
    looks = await rule(
        "SUBMITTED",
        {"do": "SET_PRIORITY", "priority": "HIGH"},
        condition={"field": "team_id", "op": "in", "value": [team["id"]]},
    )
    refused = await admin.delete(f"/teams/{team['id']}", expect=409)
    assert looks["name"] in refused["detail"]
    await admin.delete(f"/automation/rules/{looks['id']}")
    await admin.delete(f"/teams/{team['id']}")


async def test_a_department_a_rule_looks_for_is_not_closed(who: Any, rule: Any) -> None:
    admin = await who("admin")
    department = await admin.post("/departments", {"name": "Night shift"}, expect=201)
    made = await rule(
        "SUBMITTED",
        {"do": "SET_PRIORITY", "priority": "HIGH"},
        condition={"field": "department_id", "op": "eq", "value": department["id"]},
    )
    refused = await admin.delete(f"/departments/{department['id']}", expect=409)
    assert made["name"] in refused["detail"]
    await admin.delete(f"/automation/rules/{made['id']}")
    await admin.delete(f"/departments/{department['id']}")


async def test_a_field_rules_speak_of_is_found(who: Any, rule: Any) -> None:
    admin = await who("admin")
    fills = await rule("SUBMITTED", {"do": "SET_FIELD", "field": "custom.budget_code", "value": "X-1"})
    looks = await rule(
        "SUBMITTED",
        {"do": "SET_PRIORITY", "priority": "HIGH"},
        condition={"field": "custom.budget_code", "op": "eq", "value": "X-1"},
    )
    uses = (await admin.get("/ticket-types/IT_HARDWARE/fields/budget_code/uses"))["items"]
    named = {u["id"] for u in uses if u["kind"] == "automation_rule"}
    assert named == {fills["id"], looks["id"]}


async def test_an_address_stands_sealed_and_opens_under_new_keys(database: Any, who: Any, rule: Any) -> None:
    made = await rule("SUBMITTED", {"do": "SET_PRIORITY", "priority": "HIGH"})
    plain = {**{k: made[k] for k in ("trigger", "condition", "stops")}, "actions": [{"do": "WEBHOOK", "url": URL}]}

    async def kept() -> str:
        async with database.read() as session:
            return str(
                await session.scalar(
                    text("SELECT document::text FROM automation_rules WHERE id = :id"), {"id": made["id"]}
                )
            )

    async with database.transaction() as session:  # as an earlier release kept it
        await session.execute(
            text("UPDATE automation_rules SET document = CAST(:document AS jsonb) WHERE id = :id"),
            {"document": json.dumps(plain), "id": made["id"]},
        )
    assert "s3cr3t" in await kept()
    async with database.read() as session:
        row = await session.scalar(select(AutomationRule).where(AutomationRule.id == made["id"]))
        assert row.document["actions"][0]["url"] == URL
    await seal_plain(database)
    assert "s3cr3t" not in await kept()
    once = await kept()
    await seal_plain(database)
    assert await kept() == once  # what is sealed stays
    await rewrap_all(database)
    assert "s3cr3t" not in await kept()
    async with database.read() as session:
        row = await session.scalar(select(AutomationRule).where(AutomationRule.id == made["id"]))
        assert row.document["actions"][0]["url"] == URL


def test_sealing_an_address_twice_changes_nothing() -> None:
    assert opened(sealed(URL)) == URL
    assert sealed(sealed(URL)).startswith("~")
    assert opened(URL) == URL
