"""The proof of each rung: who was told what by which channel, when it arrived and was seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from waypost.approvals import timing
from waypost.approvals.models import ApprovalStep
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.db import database as current
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery


async def proof(api: Any, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await api.get(f"/tickets/{ticket['id']}/approval-proof"))["items"])


async def test_each_rung_of_an_emergency_is_proved(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    agent, auditor = await who("agent"), await who("auditor")
    async with current().transaction() as session:
        await session.execute(update(ApprovalStep).values(timer_at=None))
    ticket = await employee.post("/tickets", hardware("500.00", priority="CRITICAL"), expect=201)
    await relay.drain(current())
    (rung,) = await proof(employee, ticket)
    assert rung["person"]["username"] == "manager"
    assert rung["rung"] == 0
    assert rung["seen_at"] is None
    (asked,) = rung["calls"]
    assert asked["what"] == "ASKED"
    assert [(t["channel"], t["status"]) for t in asked["told"]] == [("app", "SENT"), ("email", "PENDING")]
    assert asked["told"][1]["delivered_at"] is None, "the mail server has not taken it"
    assert asked["told"][0]["delivered_at"]

    async with current().transaction() as session:
        taken = update(Delivery).where(Delivery.user_id == manager.id, Delivery.status == "PENDING")
        await session.execute(taken.values(status="SENT", sent_at=now()))
    step = await find_step(manager, ticket["id"])
    assert step["seen_at"] is None
    await manager.post(f"/approvals/{step['id']}/seen", expect=204)
    await manager.post(f"/approvals/{step['id']}/seen", expect=204)
    (rung,) = await proof(employee, ticket)
    assert rung["calls"][0]["told"][1]["delivered_at"]
    assert rung["seen_by"]["username"] == "manager"
    first_seen = rung["seen_at"]
    assert first_seen
    flow = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    assert flow["stages"][0]["steps"][0]["seen_at"] == first_seen
    async with current().read() as session:
        seen = await session.scalars(
            select(EventRow.id).where(EventRow.type == "approval.seen", EventRow.object_id == ticket["id"])
        )
        assert len(list(seen)) == 1, "noted once"

    later = _later(flow)
    with clock(lambda: later):
        await timing.run_due(current())
    await relay.drain(current())
    late, next_up = await proof(employee, ticket)
    assert [c["what"] for c in late["calls"]] == ["ASKED", "LATE"]
    assert next_up["person"]["username"] == "head"
    assert next_up["rung"] == 1
    theirs = await find_step(head, ticket["id"])
    await head.post(f"/approvals/{theirs['id']}/approve")
    late, next_up = await proof(employee, ticket)
    assert next_up["status"] == "APPROVED"
    assert next_up["answered_by"]["username"] == "head"
    assert late["seen_at"] == first_seen

    for reader in (agent, auditor):
        (first, *_) = await proof(reader, ticket)
        assert first["calls"][0]["told"][1]["address"] == "manager@example.com", reader.username
    for reader in (employee, manager):
        document = await reader.get(f"/tickets/{ticket['id']}/approval-proof")
        assert not document["shows_addresses"]
        assert "@example.com" not in str(document), reader.username
    await (await who("outsider")).get(f"/tickets/{ticket['id']}/approval-proof", expect=404)


def _later(flow: dict[str, Any]) -> Any:
    return datetime.fromisoformat(flow["ahead"][0]["at"]) + timedelta(seconds=1)


async def test_only_who_is_asked_says_they_saw_it(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    step = await find_step(manager, ticket["id"])
    path = f"/approvals/{step['id']}/seen"
    await employee.post(path, expect=403)
    await (await who("outsider")).post(path, expect=404)
    await (await who("auditor")).post(path, expect=403)
    await manager.post(f"/approvals/{step['id']}/approve")
    await manager.post(path, expect=204)
    (rung,) = await proof(employee, ticket)
    assert rung["seen_at"] is None, "what is decided is not opened for the first time"


async def test_what_is_foretold_names_who_comes_next(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    flow = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    ahead = flow["ahead"]
    assert ahead[0]["what"] == "REMIND"
    assert ahead[0]["people"][0]["username"] == "manager"
    assert ahead[0] == {**ahead[0], "at": flow["stages"][0]["steps"][0]["next"]["at"]}
    assert [(a["what"], [p["username"] for p in a["people"]]) for a in ahead[1:]] == [
        ("ASK_FURTHER", ["head"]),
        ("ASK_FURTHER", ["executive"]),
        ("ASK_ADMINISTRATORS", ["admin"]),
    ]
    manager = await who("manager")
    step = flow["stages"][0]["steps"][0]["id"]
    await manager.post(f"/approvals/{step}/request-info", {"comments": "Which?"})
    flow = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    assert flow["ahead"] == [], "the clock waits for the answer"
