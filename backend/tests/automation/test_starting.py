"""Rules that start approvals: by a workflow they name, where the lifecycle leads to approvers, and never two at once."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from tests.automation.conftest import COMMENT
from waypost.automation import running
from waypost.kernel.events import EventRow, recorded

NUMBER = count(1)
NEVER = {  # found by no request's facts: only somebody who names it comes to it
    "all": [{"field": "title", "op": "eq", "value": "Nobody asks"}, {"field": "amount", "op": "eq", "value": "0.01"}]
}


@pytest.fixture
def workflow(who: Any) -> Any:
    """`await workflow(stage_condition=…)`: a workflow in force in which the head decides."""

    async def make(condition: Any = None, **more: Any) -> dict[str, Any]:
        head = await who("head")
        stage = {"name": "Board", "condition": condition, "approvers": [{"kind": "USER", "user_id": head.id}]}
        body = {"name": f"Board {next(NUMBER)}", "condition": NEVER, "stages": [stage], **more}
        made: dict[str, Any] = await (await who("admin")).post("/approval-workflows", body, expect=201)
        return made

    return make


def start(workflow: dict[str, Any]) -> dict[str, Any]:
    return {"do": "START_APPROVAL", "workflow_id": workflow["id"]}


async def approvals_of(who: Any, made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await (await who("admin")).get(f"/tickets/{made['id']}/approvals"))["items"]
    return found


async def test_a_request_is_judged_by_the_workflow_a_rule_names(
    who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any, runs: Any, find_step: Any
) -> None:
    board = await workflow()
    written = await rule("SUBMITTED", start(board), COMMENT)
    assert written["then"][0] == f"start the approval “{board['name']}”"
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    made = await employee.post("/tickets", hardware("40.00"), expect=201)
    assert await find_step(manager, made["id"]) is not None
    await drain()
    (run,) = await runs(ticket_id=made["id"])
    assert (run["outcome"], [a["done"] for a in run["actions"]]) == ("DONE", [True, True]), run
    assert await find_step(manager, made["id"]) is None, "nobody is asked by the one it took the place of"
    flows = await approvals_of(who, made)
    assert [(f["workflow_name"], f["status"]) for f in flows if f["status"] != "CANCELLED"] == [
        (board["name"], "RUNNING")
    ]
    step = await find_step(head, made["id"])
    await head.post(f"/approvals/{step['id']}/approve")
    assert (await employee.get(f"/tickets/{made['id']}"))["status"] == "APPROVED"
    history = (await employee.get(f"/tickets/{made['id']}/history", params={"limit": 100}))["items"]
    assert any(written["name"] in h["summary"] for h in history), [h["summary"] for h in history]


async def test_it_is_started_once_whoever_brings_it_again(
    database: Any, who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any
) -> None:
    await rule("SUBMITTED", start(await workflow()))
    made = await (await who("employee")).post("/tickets", hardware("40.00"), expect=201)
    await drain()
    sent = select(EventRow).where(EventRow.object_id == made["id"], EventRow.type == "ticket.submitted")
    async with database.read() as session:
        again = recorded((await session.scalars(sent)).one())

    async def follow() -> None:
        async with database.transaction() as session:
            await running.follow(session, again)

    before = await approvals_of(who, made)
    await asyncio.gather(follow(), follow(), follow())
    assert await approvals_of(who, made) == before


async def test_where_the_lifecycle_leads_to_no_approver_the_log_says_so_and_the_rest_is_done(
    who: Any, rule: Any, workflow: Any, support: Any, drain: Any, runs: Any
) -> None:
    await rule("SUBMITTED", start(await workflow()), COMMENT)
    made = await support()
    await drain()
    (run,) = await runs(ticket_id=made["id"])
    assert (run["outcome"], [a["done"] for a in run["actions"]]) == ("DONE", [False, True])
    assert run["actions"][0]["wrong"] == "Not possible here: A ticket that is APPROVED cannot become IN_REVIEW."
    assert await approvals_of(who, made) == []
    assert (await (await who("employee")).get(f"/tickets/{made['id']}"))["status"] == "APPROVED"
    assert len((await (await who("agent")).get(f"/tickets/{made['id']}/comments"))["items"]) == 1


async def test_a_running_approval_is_not_doubled(
    who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any, runs: Any, find_step: Any
) -> None:
    first, second = await workflow(), await workflow()
    await rule("SUBMITTED", start(first))
    await rule("SUBMITTED", start(second))
    await rule("UPDATED", start(first))
    employee = await who("employee")
    made = await employee.post("/tickets", hardware("40.00"), expect=201)
    await drain()
    now = await employee.get(f"/tickets/{made['id']}")
    await employee.put(f"/tickets/{made['id']}", {"title": "Another title", "version": now["version"]})
    await drain()
    same, other, fired = await runs(ticket_id=made["id"])
    assert fired["actions"][0]["done"]
    assert "was started for it already" in other["actions"][0]["wrong"]
    assert "is running for it already" in same["actions"][0]["wrong"]
    running_now = [f for f in await approvals_of(who, made) if f["status"] == "RUNNING"]
    assert [f["workflow_name"] for f in running_now] == [first["name"]]


async def test_what_somebody_has_acted_on_goes_on(
    who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any, runs: Any, find_step: Any
) -> None:
    employee, manager = await who("employee"), await who("manager")
    made = await employee.post("/tickets", hardware("40.00"), expect=201)
    await drain()
    step = await find_step(manager, made["id"])
    await manager.post(f"/approvals/{step['id']}/request-info", {"comments": "Which model?"})
    await rule("COMMENTED", start(await workflow()))
    await employee.post(f"/tickets/{made['id']}/comments", {"body": "Soon.", "visibility": "PUBLIC"}, expect=201)
    await drain()
    (run,) = await runs(ticket_id=made["id"])
    assert "Somebody has acted" in run["actions"][0]["wrong"]
    assert [f["status"] for f in await approvals_of(who, made)] == ["RUNNING"]


async def test_an_edit_does_not_lead_around_the_workflow_a_rule_named(
    who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any, find_step: Any
) -> None:
    board = await workflow()
    await rule("CREATED", start(board))
    employee, head = await who("employee"), await who("head")
    made = await employee.post("/tickets", hardware("40.00"), expect=201)
    await drain()
    for change in ({"amount": "9000.00"}, {"priority": "CRITICAL"}, {"priority": "LOW"}):
        now = await employee.get(f"/tickets/{made['id']}")
        await employee.put(f"/tickets/{made['id']}", {**change, "version": now["version"]})
        (flow,) = [f for f in await approvals_of(who, made) if f["status"] == "RUNNING"]
        assert flow["workflow_name"] == board["name"], change
    assert await find_step(head, made["id"]) is not None


async def test_a_workflow_none_of_whose_stages_applies_is_not_started(
    who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any, runs: Any
) -> None:
    large = await workflow({"field": "amount", "op": "gte", "value": "5000"})
    await rule("SUBMITTED", start(large))
    made = await (await who("employee")).post("/tickets", hardware("40.00"), expect=201)
    await drain()
    (run,) = await runs(ticket_id=made["id"])
    assert f"No stage of “{large['name']}” applies" in run["actions"][0]["wrong"]
    assert [f["status"] for f in await approvals_of(who, made)] == ["RUNNING"]


async def test_a_workflow_is_named_that_is_in_force(who: Any, workflow: Any) -> None:
    admin = await who("admin")
    draft = await workflow(publish=False)
    off = await workflow()
    await admin.put(f"/approval-workflows/{off['id']}/active", {"is_active": False, "version": off["version"]})
    body = {"name": "Bad", "trigger": {"on": "SUBMITTED"}, "condition": None}
    for wrong, told in ((draft["id"], "is not in force"), (off["id"], "is not in force"), (10**9, "no such workflow")):
        for path, more in (("/automation/rules", {}), ("/automation/rules/dry-run", {"name": None})):
            sent = {k: v for k, v in (body | more).items() if k != "name" or v}
            action = {"do": "START_APPROVAL", "workflow_id": wrong}
            refused = await admin.post(path, {**sent, "actions": [COMMENT, action]}, expect=422)
            (error,) = refused["errors"]
            assert error["pointer"] == "/actions/1/workflow_id"
            assert told in error["message"]
    for action in ({"do": "START_APPROVAL"}, {"do": "START_APPROVAL", "workflow_id": "x"}):
        refused = await admin.post("/automation/rules", {**body, "actions": [action]}, expect=422)
        assert "workflow_id" in refused["errors"][0]["pointer"]


async def test_a_workflow_that_is_retired_later_is_said_of_the_rule_and_of_its_runs(
    who: Any, rule: Any, workflow: Any, hardware: Any, drain: Any, runs: Any
) -> None:
    admin, board = await who("admin"), await workflow()
    written = await rule("SUBMITTED", start(board))
    off = {"is_active": False, "version": board["version"]}
    await admin.put(f"/approval-workflows/{board['id']}/active", off)
    assert (await admin.get(f"/automation/rules/{written['id']}"))["broken"] == ["workflow: is not in force"]
    made = await (await who("employee")).post("/tickets", hardware("40.00"), expect=201)
    await drain()
    (run,) = await runs(ticket_id=made["id"])
    assert f"The workflow “{board['name']}” is not in force." in run["actions"][0]["wrong"]
    assert [f["status"] for f in await approvals_of(who, made)] == ["RUNNING"]


async def test_a_dry_run_shows_it_and_starts_nothing(
    who: Any, workflow: Any, hardware: Any, support: Any, drain: Any
) -> None:
    admin, board = await who("admin"), await workflow()
    draft = {"trigger": {"on": "SUBMITTED"}, "condition": None, "actions": [start(board), COMMENT]}
    judged = await (await who("employee")).post("/tickets", hardware("40.00"), expect=201)
    done = await support()
    for made, is_possible in ((judged, True), (done, False)):
        before = await approvals_of(who, made)
        tried = await admin.post("/automation/rules/dry-run", {**draft, "ticket_id": made["id"]})
        (item,) = tried["items"]
        assert [a["done"] for a in item["actions"]] == [is_possible, True]
        assert (item["actions"][0]["wrong"] is None) is is_possible
        assert await approvals_of(who, made) == before
