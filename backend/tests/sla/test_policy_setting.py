"""Policies as configuration: their order, their versions, what they name, and what refuses them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from waypost.sla import queries
from waypost.sla.policies import choose


def body(name: str, **more: Any) -> dict[str, Any]:
    targets = {"RESOLUTION": {"HIGH": {"amount": 8, "unit": "HOURS"}, "LOW": {"amount": 3, "unit": "DAYS"}}}
    return {"name": name, "targets": targets, "warnings": [75], **more}


async def test_a_policy_is_set_up_changed_and_removed(who: Any, database: Any) -> None:
    admin, employee, auditor = await who("admin"), await who("employee"), await who("auditor")
    condition = {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"}
    made = await admin.post("/sla/policies", body("Hardware", condition=condition), 201)
    path = f"/sla/policies/{made['id']}"
    assert made["targets"]["RESOLUTION"]["LOW"] == {"amount": 3, "unit": "DAYS", "days": "END_OF_DAY"}
    assert made["targets"]["FIRST_RESPONSE"] == dict.fromkeys(["LOW", "MEDIUM", "HIGH", "CRITICAL"])
    assert made["calendar"]["name"]
    assert made["position"] == 1
    assert (await auditor.get(path))["allowed_actions"] == []
    await auditor.put(path, {}, 403)
    await employee.get(path, 403)
    async with database.read() as session:
        policies = await queries.policies(session)
    assert choose(policies, {"ticket_type": "IT_HARDWARE"}).id == made["id"]  # type: ignore[union-attr]
    assert choose(policies, {"ticket_type": "HR"}).id != made["id"]  # type: ignore[union-attr]

    changed = await admin.put(path, body("Hardware", note="As agreed", warnings=[50, 75], version=1))
    assert (changed["version"], changed["condition"], changed["warnings"]) == (2, None, [50, 75])
    await admin.put(path, body("Hardware", version=1), 412)
    versions = (await admin.get(f"{path}/versions"))["items"]
    assert [(v["version"], v["note"], v["changes"]) for v in versions] == [
        (2, "As agreed", ["condition", "warnings"]),
        (1, "", []),
    ]
    async with database.read() as session:
        event = await session.scalar(text("SELECT data FROM events WHERE type = 'sla_policy.changed' ORDER BY id DESC"))
    assert event["before"] == {"condition": condition, "warnings": [75]}
    assert event["after"] == {"condition": None, "warnings": [50, 75]}
    await admin.delete(path)
    await admin.get(path, 404)
    async with database.read() as session:
        assert made["id"] not in [p.id for p in await queries.policies(session)]
        kept = await queries.policy_versions(session, [(made["id"], 2)])
    assert kept[made["id"], 2].warnings == (50, 75), "what began by it goes on"
    await admin.post("/sla/policies", body("Hardware"), 201)  # its name is free again


async def test_policies_have_an_order(who: Any) -> None:
    admin = await who("admin")
    first = await admin.post("/sla/policies", body("Before all"), 201)
    last = await admin.post("/sla/policies", body("Behind", position=100), 201)
    order = [p["id"] for p in (await admin.get("/sla/policies"))["items"]]
    assert order[0] == first["id"]
    assert order[-1] == last["id"]
    turned = order[::-1]
    found = await admin.put("/sla/policies/order", {"order": turned, "instead_of": order})
    assert [p["id"] for p in found["items"]] == turned
    await admin.put("/sla/policies/order", {"order": order, "instead_of": order}, 412)
    await admin.put("/sla/policies/order", {"order": turned[1:], "instead_of": turned}, 422)
    await (await who("employee")).put("/sla/policies/order", {"order": order, "instead_of": turned}, 403)


async def test_what_a_policy_names_has_to_be_there(who: Any) -> None:
    admin = await who("admin")
    for change, pointer in (
        ({"calendar_id": 2**60}, "/calendar_id"),
        (
            {"own_time": [{"team_id": 2**60, "targets": {"HIGH": {"amount": 1, "unit": "HOURS"}}}]},
            "/own_time/0/team_id",
        ),
        ({"actions": [{"on": "BREACH", "do": "TELL_PERSON", "user_id": 2**60}]}, "/actions/0/user_id"),
        ({"actions": [{"on": "BREACH", "do": "HAND_TO_TEAM", "team_id": 2**60}]}, "/actions/0/team_id"),
    ):
        refused = await admin.post("/sla/policies", body("Wrong", **change), 422)
        assert pointer in [e["pointer"] for e in refused["errors"]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"targets": {}}, "/targets"),
        ({"targets": {"TEA": {}}}, "/targets/TEA"),
        ({"targets": {"RESOLUTION": {"HIGH": {"amount": -1, "unit": "HOURS"}}}}, "/targets/RESOLUTION/HIGH/amount"),
        ({"targets": {"RESOLUTION": {"HIGH": {"amount": 9_000, "unit": "HOURS"}}}}, "/targets/RESOLUTION/HIGH/amount"),
        ({"warnings": [0]}, "/warnings/0"),
        ({"paused": ["APPROVED", "IN_PROGRESS"]}, "/paused"),
        ({"condition": {"field": "mood", "op": "eq", "value": "x"}}, "/condition/field"),
        ({"actions": [{"on": "BREACH", "do": "TELL_PERSON"}]}, "/actions/0/user_id"),
        ({"colour": 1}, "/colour"),
    ],
)
async def test_each_mistake_is_named(who: Any, change: dict[str, Any], pointer: str) -> None:
    refused = await (await who("admin")).post("/sla/policies", body("Wrong") | change, 422)
    assert any(e["pointer"].startswith(pointer) for e in refused["errors"]), refused["errors"]


async def test_somebody_who_is_gone_is_shown_as_broken(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    outsider = await fresh_who("outsider")
    actions = [{"on": "BREACH", "do": "TELL_PERSON", "user_id": outsider.id}]
    made = await admin.post("/sla/policies", body("Tells", actions=actions), 201)
    assert made["broken"] == []
    await admin.put(f"/users/{outsider.id}/active", {"is_active": False})
    assert [b["pointer"] for b in (await admin.get(f"/sla/policies/{made['id']}"))["broken"]] == ["/actions/0/user_id"]


async def test_conditions_ask_for_what_policies_go_by(who: Any) -> None:
    fields = (await (await who("admin")).get("/ticket-fields", params={"use": "service_levels"}))["items"]
    names = {f["name"] for f in fields}
    assert {"ticket_type", "priority", "team_id"} <= names
    assert not names & {"status", "completed_at", "due_date"}


async def test_an_earlier_version_is_read_and_brought_back(who: Any) -> None:
    admin, auditor, employee = await who("admin"), await who("auditor"), await who("employee")
    made = await admin.post("/sla/policies", body("Versions of it", position=100), 201)
    path = f"/sla/policies/{made['id']}"
    await admin.put(path, body("Versions of it now", warnings=[50, 90], version=1))
    was = await auditor.get(f"{path}/versions/1")
    assert (was["name"], was["warnings"], was["differs"]) == ("Versions of it", [75], ["name", "warnings"])
    assert was["targets"] == made["targets"]
    assert (await auditor.get(f"{path}/versions/2"))["differs"] == []
    text = {k: was[k] for k in ("name", "condition", "calendar_id", "targets", "own_time", "paused", "warnings")}
    await admin.put(path, {**text, "actions": was["actions"], "note": "As in version 1", "version": 2})
    assert (await auditor.get(f"{path}/versions/1"))["differs"] == []
    await auditor.get(f"{path}/versions/9", 404)
    await employee.get(f"{path}/versions/1", 403)
    await admin.delete(path)
    await admin.get(f"{path}/versions/1", 404)


async def test_who_is_told_stands_in_the_leavers_report_and_a_team_is_not_closed_under_a_policy(who: Any) -> None:
    admin, agent = await who("admin"), await who("agent")
    team = await admin.post("/teams", {"name": "Named by a policy"}, 201)
    actions = [
        {"on": "WARNING", "percent": 75, "do": "TELL_PERSON", "user_id": agent.id},
        {"on": "BREACH", "do": "HAND_TO_TEAM", "team_id": team["id"]},
    ]
    made = await admin.post("/sla/policies", body("Tells somebody", actions=actions, position=100), 201)
    named = [m for m in (await admin.get(f"/users/{agent.id}/mentions"))["items"] if m["kind"] == "sla_policy"]
    assert [(m["id"], m["name"], m["how"]) for m in named] == [(made["id"], "Tells somebody", "told")]
    wrong = await admin.delete(f"/teams/{team['id']}", 409)
    assert "Tells somebody" in wrong["detail"]
    await admin.put(f"/sla/policies/{made['id']}", body("Tells somebody", version=1))
    assert not [m for m in (await admin.get(f"/users/{agent.id}/mentions"))["items"] if m["kind"] == "sla_policy"]
    await admin.delete(f"/teams/{team['id']}")
