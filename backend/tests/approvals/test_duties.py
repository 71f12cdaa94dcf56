"""Nobody decides what they changed themselves, whoever changes it after them and however the question reaches them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.tickets.models import Ticket
from waypost.tickets.moving import bar


@given(st.lists(st.integers(1, 9), max_size=12))
def test_whoever_changed_it_stays_barred(editors: list[int]) -> None:
    ticket = Ticket(edited_by_ids=[])
    for person in editors:
        bar(ticket, person)
    assert set(ticket.edited_by_ids) == set(editors)
    assert len(ticket.edited_by_ids) == len(set(editors))


async def changed_by_both(who: Any, hardware: Any, how: str) -> dict[str, Any]:
    """A request that an agent changed first and its requester afterwards."""
    employee, agent = await who("employee"), await who("agent")
    ticket: dict[str, Any] = await employee.post("/tickets", hardware("500.00"), expect=201)
    path = f"/tickets/{ticket['id']}"
    if how == "bulk":
        body = {"ticket_ids": [ticket["id"]], "action": {"type": "update", "priority": "HIGH"}}
        await agent.post("/tickets/bulk", body, expect=200)
    else:
        change = {"priority": "HIGH"} if how == "priority" else {"due_date": "2031-05-01T12:00:00Z"}
        await agent.put(path, {**change, "version": ticket["version"]})
    version = (await employee.get(path))["version"]
    changed: dict[str, Any] = await employee.put(path, {"amount": "501.00", "currency": "USD", "version": version})
    return changed


@pytest.mark.parametrize("how", ["priority", "due_date", "bulk"])
async def test_the_next_editor_does_not_erase_the_one_before(who: Any, hardware: Any, find_step: Any, how: str) -> None:
    agent, manager = await who("agent"), await who("manager")
    ticket = await changed_by_both(who, hardware, how)
    step = await find_step(manager, ticket["id"])
    there = f"/approvals/{step['id']}/delegate"
    wrong = await manager.post(there, {"delegate_to": agent.id}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/delegate_to"
    assert await find_step(agent, ticket["id"]) is None


async def test_sent_again_it_remembers_who_changed_it(who: Any, hardware: Any, find_step: Any) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    ticket = await changed_by_both(who, hardware, "priority")
    path = f"/tickets/{ticket['id']}/transitions"
    await employee.post(path, {"to": "DRAFT"})
    await employee.post(path, {"to": "SUBMITTED"})
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/delegate", {"delegate_to": agent.id}, expect=422)


async def test_who_is_asked_and_changes_it_is_asked_no_more(who: Any, hardware: Any, find_step: Any) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/delegate", {"delegate_to": agent.id})
    theirs = await find_step(agent, ticket["id"])
    version = (await employee.get(f"/tickets/{ticket['id']}"))["version"]
    await agent.put(f"/tickets/{ticket['id']}", {"due_date": "2031-05-01T12:00:00Z", "version": version})
    await agent.post(f"/approvals/{theirs['id']}/approve", expect=None)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "IN_REVIEW"
    assert await find_step(agent, ticket["id"]) is None
    assert await find_step(manager, ticket["id"]) is not None


async def test_tags_are_nothing_that_is_judged(who: Any, hardware: Any, find_step: Any) -> None:
    employee, agent, manager = await who("employee"), await who("agent"), await who("manager")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    await agent.put(f"/tickets/{ticket['id']}", {"tags": ["laptop"], "version": ticket["version"]})
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/delegate", {"delegate_to": agent.id})
    await agent.post(f"/approvals/{(await find_step(agent, ticket['id']))['id']}/approve")
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_what_was_approved_stays_readable_as_it_was(who: Any, hardware: Any, find_step: Any) -> None:
    employee, agent, manager, admin = [await who(n) for n in ("employee", "agent", "manager", "admin")]
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    await manager.post(f"/approvals/{(await find_step(manager, ticket['id']))['id']}/approve")
    path = f"/tickets/{ticket['id']}"
    for person in (agent, admin):
        seen = await person.get(path)
        assert "edit" not in seen["allowed_actions"]
        assert "edit:priority" in seen["allowed_actions"]
        for change in ({"title": "Another"}, {"description": "Another"}, {"priority": "LOW", "title": "Another"}):
            refused = await person.put(path, {**change, "version": seen["version"]}, expect=409)
            assert refused["code"] == "approved_facts"
    sorted_ = await agent.put(path, {"priority": "LOW", "version": (await agent.get(path))["version"]})
    assert (sorted_["title"], sorted_["description"]) == (ticket["title"], ticket["description"])


async def test_words_nobody_approved_the_team_puts_right(who: Any) -> None:
    body = {"title": "Scren", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    ticket = await (await who("employee")).post("/tickets", body, expect=201)
    agent = await who("agent")
    assert "edit" in (await agent.get(f"/tickets/{ticket['id']}"))["allowed_actions"]
    right = await agent.put(f"/tickets/{ticket['id']}", {"title": "Screen", "version": ticket["version"]})
    assert right["title"] == "Screen"
