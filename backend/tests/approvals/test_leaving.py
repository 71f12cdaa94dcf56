"""Somebody leaves: what waits for them goes on, their delegations end, and what names them is told before."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import Api

_numbers = itertools.count(1)
PASSWORD = "demo-Passw0rd-2026"


async def hire(who: Any, app: Any, manager: str | None = None, roles: tuple[str, ...] = ("employee",)) -> Api:
    """Somebody new, signed in."""
    admin = await who("admin")
    name = f"leaver{next(_numbers)}"
    body = {
        "username": name,
        "email": f"{name}@example.com",
        "first_name": "Lea",
        "last_name": name.capitalize(),
        "manager_id": (await who(manager)).id if manager else None,
        "roles": list(roles),
        "password": PASSWORD,
    }
    await admin.post("/users", body, expect=201)
    return await Api(app, name).sign_in()


async def workflow_of(who: Any, key: str, *approvers: Api, **more: Any) -> None:
    """A kind of request that these people decide."""
    admin = await who("admin")
    await admin.post("/ticket-types", {"key": key, "name": key.title(), "form": {}}, expect=201)
    stage = {"name": "Named", "approvers": [{"kind": "USER", "user_id": a.id} for a in approvers], **more}
    condition = {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}
    await admin.post("/approval-workflows", {"name": key, "condition": condition, "stages": [stage]}, expect=201)


async def ask(who: Any, key: str, by: str = "employee") -> dict[str, Any]:
    body = {"title": f"For {key}", "ticket_type": key, "custom_fields": {}, "submit": True}
    return dict(await (await who(by)).post("/tickets", body, expect=201))


async def steps_of(who: Any, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    flow = (await (await who("admin")).get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    return [step for stage in flow["stages"] for step in stage["steps"]]


async def deactivate(who: Any, person: Api, expect: int = 200) -> Any:
    return await (await who("admin")).put(f"/users/{person.id}/active", {"is_active": False}, expect=expect)


async def test_what_waits_goes_to_the_next_in_line(who: Any, app: Any, find_step: Any) -> None:
    lea, other = await hire(who, app, "manager"), await hire(who, app, "manager")
    await workflow_of(who, "LEAVE_A", lea, other, mode="SEQUENTIAL")
    await workflow_of(who, "LEAVE_B", other, lea, mode="SEQUENTIAL")
    open_one, waiting = await ask(who, "LEAVE_A"), await ask(who, "LEAVE_B")
    assert await find_step(lea, open_one["id"]) is not None
    assert (await deactivate(who, lea))["is_active"] is False
    await lea.get("/auth/me", expect=401)
    manager = await who("manager")
    step = await find_step(manager, open_one["id"])
    assert "does not work here any more" in step["reason"]
    gone, new, last = await steps_of(who, open_one)
    assert (gone["status"], new["status"], last["status"]) == ("REROUTED", "PENDING", "WAITING")
    await manager.post(f"/approvals/{step['id']}/approve", {})
    first, gone, new = await steps_of(who, waiting)
    assert (first["status"], gone["status"], new["status"]) == ("PENDING", "REROUTED", "WAITING")
    assert new["approver"]["username"] == "manager"
    entries = (await (await who("employee")).get(f"/tickets/{open_one['id']}/history?limit=100"))["items"]
    assert any(e["type"] == "approval.rerouted" and e["actor"]["username"] == "admin" for e in entries)
    again = await deactivate(who, lea)
    assert again["is_active"] is False


async def test_who_is_barred_or_seated_is_passed_over(who: Any, app: Any, find_step: Any) -> None:
    lea, manager = await hire(who, app, "manager"), await who("manager")
    await workflow_of(who, "LEAVE_C", lea)
    ticket = await ask(who, "LEAVE_C", by="manager")
    await workflow_of(who, "LEAVE_D", lea, manager)
    both = await ask(who, "LEAVE_D")
    await deactivate(who, lea)
    assert [s["approver"]["username"] for s in await steps_of(who, ticket)][1:] == ["head"]
    assert await find_step(manager, ticket["id"]) is None
    names = [s["approver"]["username"] for s in await steps_of(who, both)]
    assert sorted(names[-2:]) == ["head", "manager"]


async def test_with_nobody_above_the_fallback_and_then_an_administrator(who: Any, app: Any) -> None:
    lea, other = await hire(who, app), await hire(who, app)
    await workflow_of(who, "LEAVE_E", lea, fallback=[{"kind": "USER", "user_id": other.id}])
    await workflow_of(who, "LEAVE_F", lea)
    one, two = await ask(who, "LEAVE_E"), await ask(who, "LEAVE_F")
    await deactivate(who, lea)
    assert (await steps_of(who, one))[-1]["approver"]["username"] == other.username
    assert (await steps_of(who, two))[-1]["approver"]["username"] == "admin"


async def test_with_nobody_at_all_they_stay(who: Any, app: Any) -> None:
    admin, lea = await who("admin"), await hire(who, app)
    await workflow_of(who, "LEAVE_G", lea)
    ticket = await ask(who, "LEAVE_G", by="admin")
    refused = await deactivate(who, lea, expect=409)
    assert refused["code"] == "nobody_to_ask"
    assert ticket["ticket_number"] in refused["detail"]
    assert (await admin.get(f"/users/{lea.id}"))["is_active"] is True
    await lea.get("/auth/me")
    assert (await steps_of(who, ticket))[-1]["status"] == "PENDING"


async def test_delegations_end_and_what_names_them_is_told(who: Any, app: Any, find_step: Any) -> None:
    admin, lea, colleague = await who("admin"), await hire(who, app, "manager"), await who("colleague")
    manager = await who("manager")
    at = datetime.now(UTC)
    window = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(days=1)).isoformat()}
    await manager.post("/approvals/delegations", {"delegate_id": lea.id, **window}, expect=201)
    await lea.post("/approvals/delegations", {"delegate_id": colleague.id, **window}, expect=201)
    await workflow_of(who, "LEAVE_H", lea)
    ticket = await ask(who, "LEAVE_H")
    view = {"name": "Hers", "filters": {"requester_id": [str(lea.id)]}, "scope": "ROLE", "role": "employee"}
    made = await admin.post("/saved-views", view, expect=None)
    told = await admin.get(f"/users/{lea.id}/mentions")
    found = {(m["kind"], m["how"]) for m in told["items"]}
    assert {
        ("ticket", "approver"),
        ("approval_workflow", "approver"),
        ("delegation", "delegator"),
        ("delegation", "delegate"),
    } <= found
    assert (("saved_view", "condition") in found) is (made.status_code == 201)
    assert any(ticket["ticket_number"] in m["name"] for m in told["items"])
    assert told["is_last_administrator"] is False
    assert await find_step(colleague, ticket["id"]) is not None
    await deactivate(who, lea)
    assert await find_step(colleague, ticket["id"]) is None
    assert (await manager.get("/approvals/standing-in"))["for_me"] == []
    left = await admin.get(f"/users/{lea.id}/mentions")
    assert not {"delegation", "ticket"} & {m["kind"] for m in left["items"]}
    back = await admin.put(f"/users/{lea.id}/active", {"is_active": True})
    assert back["is_active"] is True
    assert (await steps_of(who, ticket))[-1]["approver"]["username"] == "manager"


@pytest.mark.parametrize("how", ["approver", "fallback", "escalation", "condition", "draft"])
async def test_every_way_a_workflow_names_somebody(who: Any, app: Any, how: str) -> None:
    """Among several who are named as well as alone."""
    admin, lea, manager = await who("admin"), await hire(who, app), await who("manager")
    both = {"kind": "USERS", "user_ids": [manager.id, lea.id]}
    stage: dict[str, Any] = {"name": "One", "approvers": [{"kind": "REQUESTER_MANAGER"}]}
    more: dict[str, Any] = {
        "approver": {"approvers": [both]},
        "fallback": {"fallback": [both]},
        "escalation": {"escalation": {"after_minutes": 60, "to": both}},
        "condition": {"condition": {"field": "requester_id", "op": "in", "value": [manager.id, lea.id]}},
        "draft": {"approvers": [both]},
    }
    never = {"all": [{"field": "title", "op": "eq", "value": f"For {lea.username}"}]}
    body = {"name": f"Names {lea.username}", "condition": never, "stages": [stage | more[how]]}
    made = await admin.post("/approval-workflows", {**body, "publish": how != "draft"}, expect=201)
    told = (await admin.get(f"/users/{lea.id}/mentions"))["items"]
    assert [(m["kind"], m["id"], m["how"]) for m in told] == [("approval_workflow", made["id"], how)]


async def test_what_names_somebody_very_often_is_counted(who: Any, app: Any) -> None:
    admin, lea = await who("admin"), await hire(who, app)
    stage = {"name": "One", "approvers": [{"kind": "USER", "user_id": lea.id}]}
    for n in range(55):
        body = {"name": f"Often {lea.username} {n:02}", "condition": None, "stages": [stage], "publish": False}
        await admin.post("/approval-workflows", body, expect=201)
    told = (await admin.get(f"/users/{lea.id}/mentions"))["items"]
    assert (len(told), told[0]["name"], told[-1]["id"], told[-1]["count"]) == (51, f"Often {lea.username} 00", None, 5)


async def test_rules_departments_and_reports_that_name_them(who: Any, app: Any) -> None:
    admin, lea = await who("admin"), await hire(who, app)
    body = {"username": f"report{next(_numbers)}", "first_name": "R", "last_name": "Eport", "manager_id": lea.id}
    await admin.post("/users", {**body, "email": f"{body['username']}@example.com"}, expect=201)
    await admin.post("/departments", {"name": f"Department of {lea.username}", "head_id": lea.id}, expect=201)
    await admin.post("/teams", {"name": f"Team of {lea.username}", "member_ids": [lea.id]}, expect=201)
    await lea.post("/canned-replies", {"title": "Hello", "body": "Hello"}, expect=None)
    await lea.post("/saved-views", {"name": "Own", "filters": {}}, expect=201)
    found = {(m["kind"], m["how"]) for m in (await admin.get(f"/users/{lea.id}/mentions"))["items"]}
    assert {("person", "manager"), ("department", "head"), ("team", "member"), ("own_view", "owner")} <= found


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "auditor", "executive"])
async def test_only_administrators_may(who: Any, username: str) -> None:
    api, outsider = await who(username), await who("outsider")
    await api.put(f"/users/{outsider.id}/active", {"is_active": False}, expect=403)
    await api.get(f"/users/{outsider.id}/mentions", expect=403)


async def test_bad_input_and_oneself(who: Any) -> None:
    admin, outsider = await who("admin"), await who("outsider")
    await admin.put("/users/4611686018427387903/active", {"is_active": False}, expect=404)
    await admin.get("/users/4611686018427387903/mentions", expect=404)
    await admin.get("/users/4611686018427387903", expect=404)
    for body in ({}, {"is_active": "no"}, {"is_active": None}, {"is_active": False, "x": 1}):
        await admin.put(f"/users/{outsider.id}/active", body, expect=422)
    await admin.put(f"/users/{admin.id}/active", {"is_active": False}, expect=422)
    assert (await admin.get(f"/users/{outsider.id}"))["is_active"] is True


async def test_the_last_administrator_stays(who: Any, app: Any) -> None:
    """Two administrators who deactivate each other at once: one is left."""
    from waypost.access.leaving import is_last_administrator
    from waypost.kernel.db import database

    admin = await who("admin")
    one, two = [await hire(who, app, roles=("employee", "admin")) for _ in range(2)]
    async with database().transaction() as session:
        from waypost.directory.models import User

        await session.execute(update(User).where(User.id == admin.id).values(is_active=False))
    try:
        calls = (
            one.put(f"/users/{two.id}/active", {"is_active": False}, None),
            two.put(f"/users/{one.id}/active", {"is_active": False}, None),
        )
        answers = await asyncio.gather(*calls)
        assert sorted(a.status_code for a in answers) == [200, 409]
        refused = next(a for a in answers if a.status_code == 409)
        assert refused.json()["code"] == "last_administrator"
        left = one if answers[0].status_code == 200 else two
        async with database().read() as session:
            assert await is_last_administrator(session, left.id)
    finally:
        async with database().transaction() as session:
            await session.execute(update(User).where(User.id == admin.id).values(is_active=True))
        for person in (one, two):
            await admin.put(f"/users/{person.id}/active", {"is_active": False}, None)


async def test_what_was_asked_at_that_moment_is_given_on_afterwards(who: Any, app: Any, database: Any) -> None:
    from waypost.approvals import leaving
    from waypost.approvals.models import ApprovalStep
    from waypost.directory.models import User

    lea = await hire(who, app, "manager")
    await workflow_of(who, "LEAVE_I", lea)
    ticket = await ask(who, "LEAVE_I")
    async with database.transaction() as session:  # as a directory elsewhere would
        await session.execute(update(User).where(User.id == lea.id).values(is_active=False))
    assert await leaving.sweep(database) >= 1
    assert (await steps_of(who, ticket))[-1]["approver"]["username"] == "manager"
    async with database.read() as session:
        left = select(ApprovalStep).where(ApprovalStep.approver_id == lea.id, ApprovalStep.status == "PENDING")
        assert (await session.scalars(left)).all() == []


async def test_what_they_were_to_decide_for_somebody_goes_back(who: Any, app: Any, find_step: Any) -> None:
    lea, manager, other = await hire(who, app, "head"), await who("manager"), await hire(who, app, "head")
    await workflow_of(who, "LEAVE_J", manager)
    ticket, again = await ask(who, "LEAVE_J"), await ask(who, "LEAVE_J")
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/delegate", {"delegate_to": lea.id})
    for person, to in ((manager, other), (other, lea)):
        step = await find_step(person, again["id"])
        await person.post(f"/approvals/{step['id']}/delegate", {"delegate_to": to.id})
    await deactivate(who, lea)
    for one in (ticket, again):
        step = await find_step(manager, one["id"])
        assert "given back" in step["reason"]
        assert step["on_behalf_of"] is None
    entries = (await (await who("employee")).get(f"/tickets/{ticket['id']}/history?limit=100"))["items"]
    [words] = [e["summary"] for e in entries if e["type"] == "approval.rerouted"]
    assert words == f"asked {manager.me['name']} instead of Lea {lea.username.capitalize()}, who cannot decide any more"
    done = await manager.post(f"/approvals/{step['id']}/approve", {})
    assert done["workflow"]["status"] == "APPROVED"


async def test_one_that_cannot_be_given_on_stands_in_nobody_s_way(
    who: Any, app: Any, database: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from waypost.approvals import leaving
    from waypost.directory.models import User

    lea = await hire(who, app, "manager")
    await workflow_of(who, "LEAVE_K", lea)
    tickets = [await ask(who, "LEAVE_K") for _ in range(3)]
    first, second = [(await steps_of(who, t))[-1]["id"] for t in tickets[:2]]
    real = leaving._instead

    async def breaks(session: Any, running: Any, step: Any) -> Any:
        if step.id == first:
            raise RuntimeError("out of order")
        if step.id == second:
            raise leaving.NobodyToAsk("Nobody else may decide it.")
        return await real(session, running, step)

    monkeypatch.setattr(leaving, "_instead", breaks)
    monkeypatch.setattr(leaving, "BATCH", 1)
    async with database.transaction() as session:
        await session.execute(update(User).where(User.id == lea.id).values(is_active=False))
    assert await leaving.sweep(database) >= 3
    assert [(await steps_of(who, t))[-1]["approver"]["username"] for t in tickets] == [
        lea.username,
        lea.username,
        "manager",
    ]
    monkeypatch.undo()
    await leaving.sweep(database)
