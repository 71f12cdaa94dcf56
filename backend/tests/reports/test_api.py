"""The dashboard's numbers are those one may count oneself."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from waypost.reports import keeping


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "executive"])
async def test_numbers_equal_the_lists(fresh_who: Any, username: str) -> None:
    api = await fresh_who(username)
    board = await api.get("/reports/dashboard")
    tickets: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await api.get("/tickets", params={"limit": 100, **cursor})
        tickets += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert {k: n for k, n in board["tickets_by_status"].items() if n} == Counter(t["status"] for t in tickets)
    assert {k: n for k, n in board["tickets_by_priority"].items() if n} == Counter(t["priority"] for t in tickets)
    assert len(board["trend"]) == 30
    assert sum(day["created"] for day in board["trend"]) <= len(tickets)
    pending = await api.get("/approvals/pending", params={"limit": 100}, expect=None)
    waiting = len(pending.json()["items"]) if pending.status_code == 200 else 0
    assert board["pending_approvals"] == waiting


async def test_a_completed_request_moves_the_numbers(
    fresh_database: Any, fresh_who: Any, hardware: Any, find_step: Any
) -> None:
    jane, mike, agent = await fresh_who("employee"), await fresh_who("manager"), await fresh_who("agent")
    before = await jane.get("/reports/dashboard")
    ticket = await jane.post("/tickets", hardware(due_date="2099-01-01T00:00:00Z"), expect=201)
    step = await find_step(mike, ticket["id"])
    await mike.post(f"/approvals/{step['id']}/approve", {})
    path = f"/tickets/{ticket['id']}"
    await agent.post(f"{path}/transitions", {"to": "IN_PROGRESS"})
    await agent.post(f"{path}/transitions", {"to": "COMPLETED"})
    assert not await keeping.run_due(fresh_database)
    after = await jane.get("/reports/dashboard")
    done = "COMPLETED"
    assert after["tickets_by_status"][done] == before["tickets_by_status"][done] + 1
    assert after["trend"][-1]["completed"] == before["trend"][-1]["completed"] + 1
    assert after["sla_compliance"] is not None
    assert after["average_resolution_hours"] is not None


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "executive"])
async def test_states_are_never_behind(
    fresh_database: Any, fresh_who: Any, hardware: Any, find_step: Any, username: str
) -> None:
    """Nobody has followed the log since: what was decided a moment ago is in the numbers, once, before and after that."""
    jane, mike, reader = await fresh_who("employee"), await fresh_who("manager"), await fresh_who(username)
    path = "/reports/dashboard"

    def moved(of: dict[str, Any], since: dict[str, Any]) -> dict[str, int]:
        states = "tickets_by_status"
        return {k: n - since[states][k] for k, n in of[states].items() if n != since[states][k]}

    first = await reader.get(path)
    ticket = await jane.post("/tickets", hardware(), expect=201)
    asked = await reader.get(path)
    step = await find_step(mike, ticket["id"])
    await mike.post(f"/approvals/{step['id']}/approve", {})
    decided = await reader.get(path)
    sees = username != "agent"
    sees_later = ticket["id"] in [t["id"] for t in (await reader.get("/tickets", params={"limit": 100}))["items"]]
    assert moved(asked, first) == ({"IN_REVIEW": 1} if sees or sees_later else {})
    assert moved(decided, first) == ({"APPROVED": 1} if sees_later else {})
    while await keeping.run_due(fresh_database):
        pass
    followed = await reader.get(path)
    assert moved(followed, decided) == {}
    kinds = (await reader.get("/reports/dashboards"))["kinds"]
    for kind in kinds:
        board = await reader.get(f"/reports/dashboards/{kind}")
        ticket = await jane.post("/tickets", hardware(), expect=201)
        seen = ticket["id"] in [t["id"] for t in (await reader.get("/tickets", params={"limit": 100}))["items"]]
        after = await reader.get(f"/reports/dashboards/{kind}")
        counts = seen and (kind != "EMPLOYEE" or username == "employee") and kind != "AGENT"
        assert counts is False or moved(after, board) == {"IN_REVIEW": 1}, kind
