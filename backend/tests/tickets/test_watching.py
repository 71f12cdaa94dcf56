"""Confidential requests, who watches them, tags: over HTTP, by the people of the demo company."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from waypost.access.queries import actors
from waypost.directory.names import names
from waypost.kernel.errors import Invalid
from waypost.kernel.events import EventRow
from waypost.notifications.models import Notification
from waypost.tickets import tagging


@pytest.fixture
def support() -> Any:
    def body(**more: Any) -> dict[str, Any]:
        return {"title": "Screen", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}, **more}

    return body


async def test_who_marks_a_request_confidential(who: Any, support: Any) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    ticket = await employee.post("/tickets", support(), expect=201)
    path = f"/tickets/{ticket['id']}"
    assert (await manager.get(path))["is_confidential"] is False
    await manager.put(path, {"is_confidential": True, "version": ticket["version"]}, expect=403)
    marked = await agent.put(path, {"is_confidential": True, "version": ticket["version"]})
    assert marked["is_confidential"] is True
    await manager.get(path, expect=404)
    assert ticket["id"] not in [t["id"] for t in (await manager.get("/tickets", params={"limit": 100}))["items"]]
    words = [e["summary"] for e in (await employee.get(f"{path}/history"))["items"]]
    assert words[-1] == "made it confidential"
    assert "edit:is_confidential" not in (await agent.get(path))["allowed_actions"]
    await agent.put(path, {"is_confidential": False, "version": marked["version"]}, expect=403)
    assert "edit:is_confidential" in (await employee.get(path))["allowed_actions"]
    await employee.put(path, {"is_confidential": False, "version": marked["version"]})
    await manager.get(path)
    for wrong in (None, 1, "true"):
        await agent.put(path, {"is_confidential": wrong, "version": 99}, expect=422)


async def test_an_administrator_opens_it_and_the_requester_is_told(who: Any, support: Any, database: Any) -> None:
    from waypost.kernel import relay

    employee, admin = await who("employee"), await who("admin")
    ticket = await employee.post("/tickets", support(is_confidential=True, title="Private matter"), expect=201)
    path = f"/tickets/{ticket['id']}"
    await admin.put(path, {"is_confidential": False, "version": ticket["version"]})
    assert (await employee.get(f"{path}/history"))["items"][-1]["actor"]["username"] == "admin"
    await relay.drain(database)
    async with database.read() as session:
        kinds = select(Notification.kind).where(
            Notification.user_id == employee.id, Notification.ticket_id == ticket["id"]
        )
        assert "ticket.opened" in (await session.scalars(kinds)).all()


async def test_what_was_closed_confidential_stays_so(who: Any, support: Any) -> None:
    employee, agent, admin = await who("employee"), await who("agent"), await who("admin")
    ticket = await employee.post("/tickets", support(is_confidential=True), expect=201)
    path = f"/tickets/{ticket['id']}"
    for to in ("IN_PROGRESS", "COMPLETED", "CLOSED"):
        await agent.post(f"{path}/transitions", {"to": to})
    for person in (employee, agent, admin):
        seen = await person.get(path)
        assert "edit:is_confidential" not in seen["allowed_actions"]
        await person.put(path, {"is_confidential": False, "version": seen["version"]}, expect=409)


async def test_who_only_reads_leaves_no_trace(who: Any, support: Any) -> None:
    employee, auditor = await who("employee"), await who("auditor")
    ticket = await employee.post("/tickets", support(), expect=201)
    path = f"/tickets/{ticket['id']}"
    before = (await auditor.get(f"{path}/history"))["items"]
    await auditor.put(f"{path}/watchers/{auditor.id}", expect=403)
    body = {"ticket_ids": [ticket["id"]], "action": {"type": "watch", "on": True}}
    done = await auditor.post("/tickets/bulk", body, expect=None)
    assert done.status_code == 403 or done.json()["results"][0]["error"]["code"] == "not_yours"
    assert "watch" not in (await auditor.get(f"{path}/surroundings"))["allowed_actions"]
    assert "watch" in (await employee.get(f"{path}/surroundings"))["allowed_actions"]
    assert (await employee.get(f"{path}/history"))["items"] == before


async def test_the_team_sorts_what_is_in_review(who: Any, hardware: Any) -> None:
    """Priority, due date, tags and confidentiality from the day it reaches them; its words are the requester's."""
    employee, agent = await who("employee"), await who("agent")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    path = f"/tickets/{ticket['id']}"
    seen = await agent.get(path)
    assert "edit" not in seen["allowed_actions"]
    assert {"edit:priority", "edit:due_date", "edit:tags", "edit:is_confidential"} <= set(seen["allowed_actions"])
    sorted_ = {
        "priority": "LOW",
        "due_date": "2030-01-15T00:00:00Z",
        "tags": ["Fleet  2030"],
        "version": seen["version"],
    }
    after = await agent.put(path, sorted_)
    assert (after["priority"], after["tags"], after["status"]) == ("LOW", ["fleet 2030"], "IN_REVIEW")
    await agent.put(path, {"title": "Mine", "version": after["version"]}, expect=403)
    await agent.put(path, {"tags": ["x"], "title": "Mine", "version": after["version"]}, expect=403)


async def test_watching(who: Any, support: Any) -> None:
    employee, agent, colleague = await who("employee"), await who("agent"), await who("colleague")
    ticket = await employee.post("/tickets", support(is_confidential=True), expect=201)
    path = f"/tickets/{ticket['id']}"
    await colleague.put(f"{path}/watchers/{colleague.id}", expect=404)
    await employee.put(f"{path}/watchers/{colleague.id}", expect=403)
    await agent.put(f"{path}/watchers/999999", expect=404)
    mine = await employee.put(f"{path}/watchers/{employee.id}")
    assert mine["is_watching"] is True
    added = await agent.put(f"{path}/watchers/{colleague.id}")
    again = await agent.put(f"{path}/watchers/{colleague.id}")
    assert (
        [w["gives_sight"] for w in again["watchers"]] == [w["gives_sight"] for w in added["watchers"]] == [False, True]
    )
    assert (await colleague.get(path))["id"] == ticket["id"]
    found = await colleague.get("/tickets", params={"limit": 100})
    assert ticket["id"] in [t["id"] for t in found["items"]], "lists show it as the page does"
    assert "choose_watchers" not in (await colleague.get(f"{path}/surroundings"))["allowed_actions"]
    words = [e["summary"] for e in (await agent.get(f"{path}/history"))["items"]]
    assert words[-2] == "started to watch it"
    assert words[-1].startswith("added ")
    assert words[-1].endswith(" to those who watch it")
    await employee.call("DELETE", f"{path}/watchers/{colleague.id}", expect=403)
    await colleague.call("DELETE", f"{path}/watchers/{colleague.id}", expect=204)
    await colleague.call("DELETE", f"{path}/watchers/{colleague.id}", expect=204)
    await colleague.get(path, expect=404)


async def test_watching_oneself_gives_no_sight(who: Any, support: Any) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    ticket = await employee.post("/tickets", support(), expect=201)
    path = f"/tickets/{ticket['id']}"
    await manager.put(f"{path}/watchers/{manager.id}")
    await agent.put(path, {"is_confidential": True, "version": ticket["version"]})
    await manager.get(path, expect=404)
    await manager.call("DELETE", f"{path}/watchers/{manager.id}", expect=204)
    kept = await agent.get(f"{path}/surroundings")
    assert kept["watchers"] == []


async def test_watchers_are_told_as_long_as_they_may_see_it(who: Any, support: Any, database: Any) -> None:
    from waypost.kernel import relay

    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    outsider = await who("outsider")
    ticket = await employee.post("/tickets", support(), expect=201)
    path = f"/tickets/{ticket['id']}"
    await manager.put(f"{path}/watchers/{manager.id}")
    await agent.put(f"{path}/watchers/{outsider.id}")
    await agent.post(f"{path}/comments", {"body": "First"}, expect=201)
    await agent.post(f"{path}/comments", {"body": "Inside", "visibility": "INTERNAL"}, expect=201)
    await agent.put(path, {"is_confidential": True, "version": ticket["version"]})
    await relay.drain(database)
    await agent.post(f"{path}/comments", {"body": "Second"}, expect=201)
    await relay.drain(database)
    async with database.read() as session:
        rows = (await session.scalars(select(Notification).where(Notification.ticket_id == ticket["id"]))).all()
    told = {(n.user_id, n.kind, n.body.split("\n")[-1]) for n in rows}
    assert (outsider.id, "comment.created", "First") in told
    assert (outsider.id, "comment.created", "Second") in told
    assert any(user == outsider.id and kind == "ticket.watching" for user, kind, _ in told)
    assert not any("Inside" in body for _, _, body in told)
    assert (manager.id, "comment.created", "Second") not in told, "confidential by then"


async def test_many_add_the_same_watcher(who: Any, support: Any, database: Any) -> None:
    employee, agent, outsider = await who("employee"), await who("agent"), await who("outsider")
    ticket = await employee.post("/tickets", support(), expect=201)
    path = f"/tickets/{ticket['id']}/watchers/{outsider.id}"
    await asyncio.gather(*(agent.put(path) for _ in range(8)))
    async with database.read() as session:
        events = select(EventRow.id).where(EventRow.type == "ticket.watched", EventRow.object_id == ticket["id"])
        assert len((await session.scalars(events)).all()) == 1


async def test_opening_a_ticket_costs_little(who: Any, support: Any, database: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    ticket = await employee.post("/tickets", support(tags=["one"]), expect=201)
    await agent.put(f"/tickets/{ticket['id']}/watchers/{agent.id}")
    for path in (f"/tickets/{ticket['id']}", f"/tickets/{ticket['id']}/surroundings"):
        statements: list[str] = []

        def count(*args: Any, statements: list[str] = statements) -> None:
            statements.append(args[2])

        engine = database.read_engine.sync_engine
        event.listen(engine, "before_cursor_execute", count)
        try:
            names.forget()
            actors._kept.clear()
            await agent.get(path)
        finally:
            event.remove(engine, "before_cursor_execute", count)
        # who asks, once a second; the ticket; names that the process does not know
        assert len(statements) <= (3 if path.endswith(str(ticket["id"])) else 4), statements


# --- tags -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "pointer"),
    [
        ([""], "/tags/0"),
        (["ok", " \u200b "], "/tags/1"),
        (["a,b"], "/tags/0"),
        (["x" * 41], "/tags/0"),
        ([5], "/tags/0"),
        (["a\x07b"], "/tags/0"),
        ([f"t{n}" for n in range(21)], "/tags"),
        ("laptop", "/tags"),
        (None, "/tags"),
    ],
)
async def test_wrong_tags_are_named(who: Any, support: Any, tags: Any, pointer: str) -> None:
    employee = await who("employee")
    problem = await employee.post("/tickets", support(tags=tags), expect=422)
    assert [e["pointer"] for e in problem["errors"]] == [pointer]


async def test_tags_are_found_by_who_may_see_their_tickets(who: Any, support: Any) -> None:
    employee, agent, outsider = await who("employee"), await who("agent"), await who("outsider")
    ticket = await employee.post("/tickets", support(tags=["Wombat Fleet", "wombat  fleet", "wombat"]), expect=201)
    assert ticket["tags"] == ["wombat fleet", "wombat"]
    assert (await agent.get("/tags", params={"q": "WOMB"}))["items"] == ["wombat", "wombat fleet"]
    assert (await outsider.get("/tags", params={"q": "womb"}))["items"] == []
    assert len((await agent.get("/tags", params={"limit": 1}))["items"]) == 1
    for odd in ("%", "_", "\\", "é", "\uffff", "' --"):
        assert (await agent.get("/tags", params={"q": odd}))["items"] == []
    path = f"/tickets/{ticket['id']}"
    changed = await agent.put(path, {"tags": ["wombat"], "version": ticket["version"]})
    assert changed["tags"] == ["wombat"]
    assert (await agent.get("/tags", params={"q": "womb"}))["items"] == ["wombat"]
    entry = (await agent.get(f"{path}/history"))["items"][-1]
    assert entry["changes"] == [{"field": "tags", "old": ["wombat fleet", "wombat"], "new": ["wombat"]}]


@given(st.text(max_size=60))
def test_a_kept_tag_is_kept_the_same_again(text: str) -> None:
    try:
        tag = tagging.normal(text)
    except ValueError:
        return
    assert tagging.normal(tag) == tag
    assert 0 < len(tag) <= tagging.LONGEST


def test_tags_are_counted_once_normal() -> None:
    assert tagging.checked(["A", "a", "B"]) == ["a", "b"]
    with pytest.raises(Invalid) as refused:
        tagging.checked([str(n) for n in range(21)])
    assert refused.value.errors[0].pointer == "/tags"
