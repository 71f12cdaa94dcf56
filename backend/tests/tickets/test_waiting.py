"""What somebody waits on: who holds each request, through its whole life."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from waypost.directory.names import names
from waypost.tickets.lifecycle import OVER, Status
from waypost.tickets.waiting import Holder, holder


@pytest.mark.parametrize(
    ("status", "assignee", "expected"),
    [
        (Status.DRAFT, None, Holder((1,), None, "SUBMIT")),
        (Status.SUBMITTED, None, Holder((7, 8), None, "DECIDE")),
        (Status.IN_REVIEW, None, Holder((7, 8), None, "DECIDE")),
        (Status.PENDING_INFO, None, Holder((1,), None, "ANSWER")),
        (Status.APPROVED, None, Holder((), 5, "START")),
        (Status.APPROVED, 3, Holder((3,), None, "START")),
        (Status.IN_PROGRESS, None, Holder((), 5, "COMPLETE")),
        (Status.IN_PROGRESS, 3, Holder((3,), None, "COMPLETE")),
        (Status.COMPLETED, 3, Holder((1,), None, "CONFIRM")),
    ],
)
def test_who_holds_it(status: Status, assignee: int | None, expected: Holder) -> None:
    assert holder(status, requester_id=1, assignee_id=assignee, team_id=5, approver_ids=(7, 8)) == expected
    assert status not in OVER


async def line(api: Any, ticket_id: int) -> dict[str, Any] | None:
    cursor = None
    while True:
        page = await api.get("/my-requests", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        for item in page["items"]:
            if item["id"] == ticket_id:
                return dict(item)
        cursor = page["next_cursor"]
        if cursor is None:
            return None


async def test_a_request_and_who_holds_it_until_it_is_over(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, agent = await who("employee"), await who("manager"), await who("agent")
    ticket = await employee.post("/tickets", hardware("500.00", submit=False), expect=201)
    path = f"/tickets/{ticket['id']}"

    async def held() -> tuple[bool, list[str], str | None, str]:
        found = await line(employee, ticket["id"])
        assert found is not None
        waits = found["waits_for"]
        team = waits["team"] and waits["team"]["name"]
        return waits["is_you"], [p["username"] for p in waits["people"]], team, waits["next_step"]

    assert await held() == (True, ["employee"], None, "SUBMIT")
    await employee.post(f"{path}/submit")
    assert await held() == (False, ["manager"], None, "DECIDE")
    found = await line(employee, ticket["id"])
    assert found is not None
    assert found["waits_for"]["since"] <= found["waits_for"]["due_at"]
    assert found["ticket_type_name"] == "IT hardware"
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/request-info", {"comments": "Which?"})
    assert await held() == (True, ["employee"], None, "ANSWER")
    await employee.post(f"{path}/transitions", {"to": "IN_REVIEW", "comment": "That one"})
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve")
    await agent.post(f"{path}/assign", {"assignee_id": None}, expect=None)
    assert await held() == (False, [], "IT Support", "START")
    await agent.post(f"{path}/assign", {"assignee_id": agent.id})
    assert await held() == (False, ["agent"], None, "START")
    await agent.post(f"{path}/transitions", {"to": "IN_PROGRESS"})
    assert await held() == (False, ["agent"], None, "COMPLETE")
    await agent.post(f"{path}/transitions", {"to": "COMPLETED", "comment": "Done"})
    assert await held() == (True, ["employee"], None, "CONFIRM")
    await employee.post(f"{path}/transitions", {"to": "CLOSED"})
    assert await line(employee, ticket["id"]) is None


async def test_of_others_only_what_one_asked_for_them(who: Any, hardware: Any) -> None:
    manager, employee, head = await who("manager"), await who("employee"), await who("head")
    own = await employee.post("/tickets", hardware("500.00"), expect=201)
    for_her = await manager.post("/tickets", hardware("500.00", requester_id=employee.id), expect=201)
    found = await line(manager, for_her["id"])
    assert found is not None
    assert (found["requester"]["username"], found["waits_for"]["is_you"]) == ("employee", False)
    assert await line(employee, for_her["id"]) is not None
    assert await line(manager, own["id"]) is None
    assert await line(head, for_her["id"]) is None
    await (await who(None)).get("/my-requests", expect=401)
    await manager.get("/my-requests", params={"cursor": "x"}, expect=422)
    await manager.get("/my-requests", params={"limit": 101}, expect=422)


async def test_it_is_one_statement(who: Any, hardware: Any, database: Any) -> None:
    employee = await who("employee")
    for _ in range(3):
        await employee.post("/tickets", hardware("500.00"), expect=201)
    names.forget()
    await employee.get("/my-requests")
    ran: list[str] = []

    def see(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:
            ran.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", see)
    try:
        assert len((await employee.get("/my-requests"))["items"]) >= 3
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", see)
    assert len(ran) == 1, ran
