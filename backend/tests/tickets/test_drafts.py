"""Requests still being written: theirs alone, never lost, never overwritten in silence."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select

from waypost.kernel.clock import clock, now
from waypost.kernel.db import Database
from waypost.kernel.events import EventRow
from waypost.kernel.paging import encode_cursor
from waypost.tickets import drafts
from waypost.tickets.models import RequestDraft, Ticket

NOBODYS = "/request-drafts/6f1c9a52-4a0b-4d1e-9a57-3f4c2f0f7b11"


def draft(**content: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "ticket_type": "IT_HARDWARE", "content": {"title": "A lap", **content}}


async def count(database: Database, *of: Any) -> int:
    async with database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(of[0]).where(*of[1:])) or 0)


async def test_a_draft_is_kept_changed_and_discarded_and_costs_no_number(who: Any, database: Database) -> None:
    employee = await who("employee")
    tickets, events = await count(database, Ticket), await count(database, EventRow)
    body = draft(amount="12,", fields={"budget_code": "PROJ"})
    made = await employee.post("/request-drafts", body, expect=201)
    assert (made["id"], made["version"], made["content"]) == (body["id"], 1, body["content"])
    path = f"/request-drafts/{made['id']}"
    changed = await employee.put(path, {"content": {"title": "A laptop"}, "version": 1})
    assert (changed["version"], changed["content"]) == (2, {"title": "A laptop"})
    same = await employee.put(path, {"content": {"title": "A laptop"}, "version": 2})
    assert (same["version"], same["updated_at"]) == (2, changed["updated_at"])
    listed = (await employee.get("/request-drafts", params={"limit": 100}))["items"]
    mine = next(d for d in listed if d["id"] == made["id"])
    assert (mine["title"], mine["ticket_type_name"], mine["version"]) == ("A laptop", "IT hardware", 2)
    assert "content" not in mine
    for _ in range(2):
        await employee.call("DELETE", path, expect=204)
    await employee.get(path, expect=404)
    assert (await count(database, Ticket), await count(database, EventRow)) == (tickets, events)


async def test_of_two_devices_the_later_one_is_told(who: Any) -> None:
    employee = await who("employee")
    path = f"/request-drafts/{(await employee.post('/request-drafts', draft(), expect=201))['id']}"
    answers = await asyncio.gather(
        *(employee.put(path, {"content": {"title": t}, "version": 1}, expect=None) for t in ("here", "there"))
    )
    assert sorted(a.status_code for a in answers) == [200, 412]
    refused = next(a.json() for a in answers if a.status_code == 412)
    assert (refused["code"], refused["current_version"]) == ("stale_version", 2)
    kept = next(a.json() for a in answers if a.status_code == 200)
    assert (await employee.get(path))["content"] == kept["content"]


@pytest.mark.parametrize("username", ["colleague", "manager", "agent", "executive", "admin"])
async def test_for_everybody_else_it_is_not_there(who: Any, username: str) -> None:
    employee, other = await who("employee"), await who(username)
    made = await employee.post("/request-drafts", draft(), expect=201)
    path = f"/request-drafts/{made['id']}"
    await other.get(path, expect=404)
    await other.put(path, {"content": {}, "version": 1}, expect=404)
    await other.put(path, {"content": {}, "version": 1, "colour": "red"}, expect=404)
    await other.call("DELETE", path, expect=204)
    assert all(d["id"] != made["id"] for d in (await other.get("/request-drafts"))["items"])
    # the same name is another draft with them, and says nothing about this one
    theirs = await other.post("/request-drafts", {**draft(), "id": made["id"], "content": {"title": "x"}}, expect=201)
    assert theirs["version"] == 1
    await other.call("DELETE", path, expect=204)
    assert (await employee.get(path))["content"] == made["content"]


async def test_who_may_not_ask_keeps_no_drafts(who: Any) -> None:
    auditor, nobody = await who("auditor"), await who(None)
    await auditor.get("/request-drafts", expect=403)
    await auditor.post("/request-drafts", draft(), expect=403)
    await auditor.put(NOBODYS, {}, expect=403)
    for path in ("/request-drafts", NOBODYS):
        await nobody.get(path, expect=401)


async def test_sending_it_twice_keeps_one(who: Any, database: Database) -> None:
    employee = await who("employee")
    body = draft()
    header = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(employee.post("/request-drafts", body, expect=201, headers=header) for _ in range(2))
    )
    assert answers[0] == answers[1]
    again = await employee.post("/request-drafts", body, expect=409)
    assert again["code"] == "draft_exists"


async def test_the_ticket_takes_its_draft_away(who: Any, hardware: Any) -> None:
    employee, colleague = await who("employee"), await who("colleague")
    made = await employee.post("/request-drafts", draft(), expect=201)
    path = f"/request-drafts/{made['id']}"
    await employee.post("/tickets", hardware(draft_id=made["id"], amount="no"), expect=422)
    await employee.get(path)
    await colleague.post("/tickets", hardware(draft_id=made["id"]), expect=201)  # another's draft is not theirs to end
    await employee.get(path)
    await employee.post("/tickets", hardware(draft_id=made["id"]), expect=201)
    await employee.get(path, expect=404)
    kept = await employee.post("/request-drafts", draft(), expect=201)
    await employee.post("/tickets", hardware(draft_id=kept["id"], submit=False), expect=201)
    await employee.get(f"/request-drafts/{kept['id']}", expect=404)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"id": "me"}, 422, "invalid"),
        ({"id": 7}, 422, "invalid"),
        ({"ticket_type": "NO_SUCH"}, 422, "unknown_ticket_type"),
        ({"ticket_type": "X" * 10_000}, 422, "invalid"),
        ({"content": "text"}, 422, "invalid"),
        ({"content": {"title": "\x00"}}, 422, "malformed_body"),
        (
            {"content": {"deep": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}},
            422,
            "malformed_body",
        ),
        ({"content": {"description": "x" * (256 * 1024)}}, 413, "draft_too_large"),
        ({"owner_id": 1}, 422, "invalid"),
    ],
)
async def test_what_no_draft_can_be(who: Any, database: Database, change: Any, status: int, code: str) -> None:
    employee = await who("employee")
    before = await count(database, RequestDraft)
    refused = await employee.post("/request-drafts", {**draft(), **change}, expect=status)
    assert refused["code"] == code
    assert await count(database, RequestDraft) == before


async def test_bad_addresses_cursors_and_versions(who: Any) -> None:
    employee = await who("employee")
    for bad in ("1", "x", str(2**70), "%00", "6f1c9a52"):
        assert (await employee.get(f"/request-drafts/{bad}", expect=None)).status_code == 404
        assert (await employee.put(f"/request-drafts/{bad}", {"x": 1}, expect=None)).status_code == 404
    made = await employee.post("/request-drafts", draft(), expect=201)
    for version in (0, -1, 2**31, 2**70, "1", None, 1.5):
        body = {"content": {}, "version": version}
        assert (await employee.put(f"/request-drafts/{made['id']}", body, expect=422))["code"] == "invalid"
    for cursor in ("x", encode_cursor("drafts", now(), "no-uuid"), encode_cursor("types", "a", 1)):
        await employee.get("/request-drafts", params={"cursor": cursor}, expect=422)
    big = {"content": {"description": "x" * (256 * 1024)}, "version": 1}
    assert (await employee.put(f"/request-drafts/{made['id']}", big, expect=413))["code"] == "draft_too_large"


async def test_no_more_than_one_person_may_keep_even_at_once(fresh_who: Any, fresh_database: Database) -> None:
    employee = await fresh_who("employee")
    for n in range(drafts.MOST - 2):
        await employee.post("/request-drafts", draft(title=f"{n}"), expect=201)
    answers = await asyncio.gather(*(employee.post("/request-drafts", draft(), expect=None) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 201, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"too_many_drafts"}
    seen: list[str] = []
    cursor = None
    while True:
        page = await employee.get("/request-drafts", params={"limit": 20, **({"cursor": cursor} if cursor else {})})
        seen += [d["id"] for d in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(set(seen)) == len(seen) == drafts.MOST


async def test_a_list_is_one_statement(who: Any, database: Database) -> None:
    employee = await who("employee")
    for _ in range(3):
        await employee.post("/request-drafts", draft(), expect=201)
    ran: list[str] = []

    def see(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if "request_drafts" in statement:
            ran.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", see)
    try:
        assert len((await employee.get("/request-drafts"))["items"]) >= 3
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", see)
    assert len(ran) == 1


async def test_what_nobody_wrote_at_for_long_goes(who: Any, database: Database) -> None:
    employee = await who("employee")
    at = now() - drafts.LIFE
    with clock(lambda: at):
        async with database.transaction() as session:
            old = RequestDraft(
                owner_id=employee.id,
                id=uuid4(),
                ticket_type="HR",
                content={},
                version=1,
                created_at=now(),
                updated_at=now(),
            )
            session.add(old)
    fresh = await employee.post("/request-drafts", draft(), expect=201)
    async with database.transaction() as session:
        await drafts.forget_old_drafts(session)
    await employee.get(f"/request-drafts/{old.id}", expect=404)
    await employee.get(f"/request-drafts/{fresh['id']}")
