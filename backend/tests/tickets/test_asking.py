"""Asking for somebody else: who may for whom, whose request it then is, and who can't approve it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.db import Database
from waypost.tickets import policy

_numbers = count(1)
IDS = st.integers(1, 6)


@given(
    scope=st.sampled_from([None, *Scope]),
    reports=st.frozensets(IDS),
    departments=st.frozensets(IDS),
    me=IDS,
    person=IDS,
    department=st.none() | IDS,
)
def test_for_whom_one_may_ask(
    scope: Scope | None, reports: frozenset[int], departments: frozenset[int], me: int, person: int, department: Any
) -> None:
    permissions = {} if scope is None else {Permission.TICKETS_CREATE: scope}
    actor = Actor(me, "x", None, permissions, department_ids=departments, report_ids=reports)
    may = policy.may_ask_for(actor, person, department)
    if scope is None:
        assert not may
    elif person == me or scope is Scope.ALL:
        assert may
    elif scope is Scope.OWN:
        assert not may
    elif scope in (Scope.LINE, Scope.TEAM):
        assert may == (person in reports)
    else:
        assert may == (person in reports or department in departments)


@pytest.mark.parametrize("scope", [None, *Scope])
async def test_the_row_and_its_sql_agree(database: Database, scope: Scope | None) -> None:
    async with database.read() as session:
        people = (await session.scalars(select(User).order_by(User.id))).all()
        permissions = {} if scope is None else {Permission.TICKETS_CREATE: scope}
        for reports, departments in ((set(), set()), ({3, 4}, set()), ({3}, {people[0].department_id})):
            actor = Actor(
                people[1].id,
                "x",
                None,
                permissions,
                department_ids=frozenset(departments),
                report_ids=frozenset(reports),
            )
            found = (await session.scalars(select(User.id).where(policy.people_to_ask_for(actor)))).all()
            assert set(found) == {p.id for p in people if policy.may_ask_for(actor, p.id, p.department_id)}


async def test_whom_the_picker_offers(fresh_who: Any) -> None:
    async def offered(username: str, q: str | None = None) -> set[str]:
        page = await (await fresh_who(username)).get("/requesters", params={"limit": 100, **({"q": q} if q else {})})
        return {p["username"] for p in page["items"]}

    assert await offered("employee") == set()
    assert await offered("manager") == {"employee", "colleague"}
    assert await offered("head") == {"manager", "employee", "colleague"}
    everyone = await offered("agent")
    assert {"employee", "outsider", "admin", "executive"} <= everyone
    assert "agent" not in everyone
    assert await offered("agent", "jane") == {"employee"}
    first = await (await fresh_who("agent")).get("/requesters", params={"limit": 2})
    assert len(first["items"]) == 2
    second = await (await fresh_who("agent")).get("/requesters", params={"limit": 2, "cursor": first["next_cursor"]})
    assert not {p["id"] for p in first["items"]} & {p["id"] for p in second["items"]}
    await (await fresh_who("auditor")).get("/requesters", expect=403)
    assert (await (await fresh_who("agent")).get("/requesters", params={"q": "x" * 1001}))["items"] == []


async def test_it_is_the_requesters_request(who: Any, hardware: Any, find_step: Any) -> None:
    agent, employee, manager = await who("agent"), await who("employee"), await who("manager")
    made = await agent.post("/tickets", hardware("500.00", requester_id=employee.id), expect=201)
    assert (made["requester"]["username"], made["department"]["name"]) == ("employee", "Marketing")
    assert await find_step(manager, made["id"]) is not None, "the requester's manager is asked"
    history = (await employee.get(f"/tickets/{made['id']}/history"))["items"]
    assert (history[0]["actor"]["username"], history[0]["on_behalf_of"]["username"]) == ("agent", "employee")
    assert "withdraw" in (await employee.get(f"/tickets/{made['id']}"))["allowed_actions"]
    own = await employee.post("/tickets", hardware(requester_id=employee.id), expect=201)
    assert (await employee.get(f"/tickets/{own['id']}/history"))["items"][0]["on_behalf_of"] is None


async def test_whoever_typed_it_can_not_approve_it(who: Any, hardware: Any, find_step: Any) -> None:
    manager, head, employee = await who("manager"), await who("head"), await who("employee")
    made = await manager.post("/tickets", hardware("500.00", requester_id=employee.id), expect=201)
    assert await find_step(manager, made["id"]) is None
    step = await find_step(head, made["id"])
    assert step is not None, "it goes past the manager who typed it, to the next above"
    assert (await manager.post(f"/approvals/{step['id']}/approve", expect=None)).status_code in (403, 404)
    assert (await employee.post(f"/approvals/{step['id']}/approve", expect=None)).status_code in (403, 404)
    delegated = await head.post(
        f"/approvals/{step['id']}/delegate", {"delegate_to": manager.id, "comments": "You"}, expect=None
    )
    assert delegated.status_code in (409, 422), "nor through a delegate"
    assert (await head.post(f"/approvals/{step['id']}/approve"))["workflow"]["status"] == "APPROVED"


async def test_who_writes_it_for_somebody_goes_on_until_it_is_sent(who: Any) -> None:
    agent, employee, colleague = await who("agent"), await who("employee"), await who("colleague")
    body = {"title": "Payment", "ticket_type": "FINANCE", "amount": "20.00", "custom_fields": {}}
    made = await agent.post("/tickets", {**body, "requester_id": employee.id}, expect=201)
    path = f"/tickets/{made['id']}"
    assert {"edit", "submit", "comment"} <= set(made["allowed_actions"])
    for api in (agent, employee):
        listed = (await api.get("/tickets", params={"status": "DRAFT", "limit": 100}))["items"]
        assert made["id"] in [t["id"] for t in listed]
    await colleague.get(path, expect=404)
    file = {"file": ("quote.txt", b"20.00", "text/plain")}
    await agent.post(f"{path}/attachments", expect=201, files=file)
    changed = await agent.put(path, {"title": "Payment for Jane", "version": made["version"]})
    sent = await agent.post(f"{path}/submit")
    assert sent["status"] == "IN_REVIEW"
    assert not {"edit", "withdraw", "answer"} & set(sent["allowed_actions"]), "now it is the requester's"
    await agent.put(path, {"title": "x", "version": changed["version"]}, expect=403)
    assert (await agent.get("/tickets", params={"requester_id": str(employee.id)}))["items"]
    await employee.post(f"{path}/transitions", {"to": "DRAFT"})
    taken_back = await agent.get(path)
    assert (taken_back["status"], taken_back["allowed_actions"].count("submit")) == ("DRAFT", 0)
    await agent.post(f"{path}/submit", expect=403)


async def test_both_are_told(who: Any, hardware: Any, find_step: Any, database: Database) -> None:
    manager, head, employee = await who("manager"), await who("head"), await who("employee")
    title = f"A desk {next(_numbers)}"
    made = await manager.post("/tickets", hardware("500.00", requester_id=employee.id, title=title), expect=201)
    await relay.drain(database)

    async def told(api: Any) -> list[str]:
        items = (await api.get("/notifications", params={"limit": 100}))["items"]
        return [n["kind"] for n in items if n["link"] == f"/tickets/{made['id']}"]

    assert await told(employee) == ["ticket.asked_for_you"]
    assert await told(manager) == []
    step = await find_step(head, made["id"])
    await head.post(f"/approvals/{step['id']}/approve")
    await relay.drain(database)
    assert await told(employee) == ["ticket.approved", "ticket.asked_for_you"]
    assert await told(manager) == ["ticket.approved"]


async def test_for_whom_one_may_not(who: Any, hardware: Any, database: Database) -> None:
    employee, manager, agent = await who("employee"), await who("manager"), await who("agent")
    colleague, outsider = await who("colleague"), await who("outsider")
    unknown = 2**40
    for api, person in ((employee, colleague.id), (manager, outsider.id), (manager, unknown), (employee, unknown)):
        refused = await api.post("/tickets", hardware(requester_id=person), expect=403)
        assert refused["code"] == "not_yours_to_ask_for"
        worse = await api.post("/tickets", hardware("nothing", requester_id=person, colour="red"), expect=403)
        assert worse["code"] == "not_yours_to_ask_for", "403 comes before 422"
    refused = await agent.post("/tickets", hardware(requester_id=unknown), expect=422)
    assert refused["errors"][0]["pointer"] == "/requester_id"
    many = await agent.post("/tickets", hardware("nothing", requester_id=unknown), expect=422)
    assert {e["pointer"] for e in many["errors"]} == {"/amount"}
    broken = await agent.post("/tickets", expect=None, content="{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (422, "malformed_body")
    for bad in (0, -1, 2**63, "me", True, 1.5):
        bodies = await agent.post("/tickets", hardware(requester_id=bad), expect=422)
        assert bodies["errors"][0]["pointer"] == "/requester_id"
    async with database.transaction() as session:
        await session.execute(update(User).where(User.username == "finance3").values(is_active=False))
        gone = await session.scalar(select(User.id).where(User.username == "finance3"))
    try:
        refused = await agent.post("/tickets", hardware(requester_id=gone), expect=422)
        assert refused["errors"][0]["pointer"] == "/requester_id"
    finally:
        async with database.transaction() as session:
            await session.execute(update(User).where(User.username == "finance3").values(is_active=True))
