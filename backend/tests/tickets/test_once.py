"""One `Idempotency-Key`, one thing done: files, imports, jobs on many tickets, and what one takes from a queue."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

_numbers = itertools.count(1)


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": f"once-{next(_numbers)}"}


@pytest.fixture
async def ticket(who: Any) -> dict[str, Any]:
    body = {"title": "Screen", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    return dict(await (await who("employee")).post("/tickets", body, expect=201))


async def test_a_file_is_added_once(who: Any, ticket: Any, key: Any) -> None:
    employee, path = await who("employee"), f"/tickets/{ticket['id']}/attachments"

    async def send(content: bytes, expect: int) -> Any:
        return await employee.post(path, expect=expect, headers=key, files={"file": ("a.txt", content, "text/plain")})

    first = await send(b"one", 201)
    assert await send(b"one", 201) == first
    assert (await send(b"two", 422))["code"] == "idempotency_key_reused"
    assert [f["id"] for f in (await employee.get(path))["items"]] == [first["id"]]
    assert (await employee.get(f"/attachments/{first['id']}", expect=None)).content == b"one"


async def test_an_import_is_brought_once(who: Any, key: Any) -> None:
    admin = await who("admin")

    async def send(content: bytes, expect: int) -> Any:
        files = {"file": ("a.csv", content, "text/csv")}
        return await admin.post("/ticket-imports", expect=expect, headers=key, files=files)

    first = await send(b"Subject\r\nA\r\n", 201)
    assert await send(b"Subject\r\nA\r\n", 201) == first
    await send(b"Subject\r\nB\r\n", 422)


async def test_a_job_is_done_once(who: Any, ticket: Any, key: Any) -> None:
    agent = await who("agent")
    body = {"ticket_ids": [ticket["id"]], "action": {"type": "comment", "body": "Seen"}}
    first = await agent.post("/tickets/bulk", body, headers=key)
    assert first["results"] == [{"ticket_id": ticket["id"], "ok": True, "error": None}]
    again = await agent.post("/tickets/bulk", body, expect=None, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["job"]["id"] == first["job"]["id"]
    assert (await agent.get(f"/tickets/{ticket['id']}"))["comment_count"] == 1
    await agent.post("/tickets/bulk", {**body, "wait": False}, expect=422, headers=key)
    await agent.post("/tickets/bulk?priority=HIGH", body, expect=422, headers=key)


async def test_one_is_taken_from_a_queue(who: Any, ticket: Any, key: Any) -> None:
    agent = await who("agent")
    path = f"/queues/{ticket['team']['id']}/claim-next"
    first = await agent.post(path, headers=key)
    assert (await agent.post(path, headers=key))["id"] == first["id"]
