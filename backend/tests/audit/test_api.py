"""The trail: everything is in it, for those who may read it, and nobody writes into it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from waypost.kernel.clock import now, rfc3339


async def test_what_was_done_is_found(who: Any, hardware: Any) -> None:
    jane, auditor = await who("employee"), await who("auditor")
    before = now() - timedelta(seconds=1)
    ticket = await jane.post("/tickets", hardware(), expect=201)
    trail = await auditor.get("/audit", params={"object_type": "ticket", "object_id": ticket["id"], "limit": 100})
    actions = [e["action"] for e in trail["items"]]
    assert actions[-1] == "ticket.created"
    assert "ticket.submitted" in actions
    theirs = [e for e in trail["items"] if not e["action"].startswith("sla.")]  # a clock that starts is nobody's doing
    assert all(e["actor"]["username"] == "employee" for e in theirs)
    assert all(e["actor"] is None for e in trail["items"] if e not in theirs)
    assert all(e["request_id"] for e in trail["items"])

    async def count(**wanted: Any) -> int:
        params = {"object_type": "ticket", "object_id": ticket["id"], "limit": 100, **wanted}
        return len((await auditor.get("/audit", params=params))["items"])

    assert await count(action="ticket.created", actor_id=jane.id) == 1
    assert await count(action="ticket.created", actor_id=auditor.id) == 0
    assert await count(**{"from": rfc3339(now() + timedelta(hours=1))}) == 0
    assert await count(**{"to": rfc3339(before)}) == 0
    first = await auditor.get("/audit", params={"limit": 1})
    second = await auditor.get("/audit", params={"limit": 1, "cursor": first["next_cursor"]})
    assert second["items"][0]["id"] < first["items"][0]["id"]


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "outsider"])
async def test_not_for_everybody(who: Any, username: str) -> None:
    await (await who(username)).get("/audit", expect=403)


async def test_it_cannot_be_written(who: Any) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        await (await who("admin")).call(method, "/audit", expect=405)


@pytest.mark.parametrize("bad", [{"action": "x'; --"}, {"object_id": "0"}, {"from": "yesterday"}, {"cursor": "e30"}])
async def test_bad_questions(who: Any, bad: dict[str, str]) -> None:
    problem = await (await who("auditor")).get("/audit", params=bad, expect=422)
    assert problem["errors"][0]["pointer"] == f"?{next(iter(bad))}"
