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


async def test_who_changes_it_does_not_choose_who_decides_it(who: Any, hardware: Any, find_step: Any) -> None:
    """It was handed on to somebody, who handed it on and changes it afterwards."""
    employee, manager, agent = await who("employee"), await who("manager"), await who("agent")
    agent2 = await who("agent2")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    for person, to in ((manager, agent), (agent, agent2)):
        step = await find_step(person, ticket["id"])
        await person.post(f"/approvals/{step['id']}/delegate", {"delegate_to": to.id})
    step = await find_step(agent2, ticket["id"])
    version = (await employee.get(f"/tickets/{ticket['id']}"))["version"]
    await agent.put(f"/tickets/{ticket['id']}", {"due_date": "2031-05-01T12:00:00Z", "version": version})
    refused = await agent2.post(f"/approvals/{step['id']}/approve", {}, expect=409)
    assert refused["code"] == "step_decided"
    assert await find_step(manager, ticket["id"]) is not None


async def merged(who: Any, double: dict[str, Any], main: dict[str, Any]) -> None:
    admin = await who("admin")
    there = f"/tickets/{double['id']}"
    seen = await admin.get(f"{there}/merge-preview", params={"into": main["id"]})
    await admin.post(f"{there}/merge", {"into_id": main["id"], "seen": seen["seen"], "accept": seen["warnings"]})


async def test_who_asked_for_the_same_does_not_decide_it(who: Any, hardware: Any, find_step: Any) -> None:
    """The manager's own request turns out to be the employee's, which they decide."""
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    main = await employee.post("/tickets", hardware("500.00"), expect=201)
    double = await manager.post("/tickets", hardware("500.00"), expect=201)
    step = await find_step(manager, main["id"])
    await merged(who, double, main)
    assert await find_step(manager, main["id"]) is None
    refused = await manager.post(f"/approvals/{step['id']}/approve", {}, expect=403)
    assert refused["code"] == "self_approval"
    theirs = await find_step(head, main["id"])
    assert "next in line" in theirs["reason"]
    await head.post(f"/approvals/{theirs['id']}/delegate", {"delegate_to": manager.id}, expect=422)
    flow = (await employee.get(f"/tickets/{main['id']}/approvals"))["items"][0]
    assert "asked for the same" in flow["stages"][0]["reason"]


async def test_merging_asks_nobody_again_who_has_no_part_in_it(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, outsider = await who("employee"), await who("manager"), await who("outsider")
    main = await employee.post("/tickets", hardware("500.00"), expect=201)
    double = await outsider.post("/tickets", hardware("500.00"), expect=201)
    step = await find_step(manager, main["id"])
    await merged(who, double, main)
    assert (await find_step(manager, main["id"]))["id"] == step["id"]


async def test_of_a_part_of_it_neither(who: Any, find_step: Any) -> None:
    """What is split off is nothing for who wrote the whole to decide."""
    from waypost.kernel.db import database
    from waypost.tickets.models import Ticket

    manager, employee, agent = await who("manager"), await who("employee"), await who("agent")
    body = {"title": "Two things", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    origin = await manager.post("/tickets", {**body, "requester_id": employee.id}, expect=201)
    said = await employee.post(f"/tickets/{origin['id']}/comments", {"body": "And a chair"}, expect=201)
    part = {"title": "A chair", "description": "", "ticket_type": "IT_SUPPORT", "comment_ids": [said["id"]]}
    made = await agent.post(f"/tickets/{origin['id']}/split", {**part, "custom_fields": {}}, expect=201)
    async with database().read() as session:
        kept = await session.get_one(Ticket, made["ticket"]["id"])
    assert {manager.id, agent.id} <= set(kept.edited_by_ids)
