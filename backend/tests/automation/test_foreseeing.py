"""The form's preview and rules: whom it names is who is asked once the rules have heard of the request. Nothing is written."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.automation.conftest import COMMENT
from tests.automation.test_starting import approvals_of, start, workflow
from tests.tickets.test_path import promised
from waypost.automation.models import AutomationRun
from waypost.kernel.events import EventRow
from waypost.tickets.models import Ticket

__all__ = ["workflow"]  # the fixture
DEAR = {"field": "amount", "op": "gte", "value": "500"}
STANDS = {"field": "sla_state", "op": "eq", "value": "PAUSED"}  # until its approvers have decided, by the policy of all
DO = {
    "critical": {"do": "SET_PRIORITY", "priority": "CRITICAL"},
    "high": {"do": "SET_PRIORITY", "priority": "HIGH"},
    "raise": {"do": "ESCALATE", "how": "RAISE_PRIORITY"},
    "assignees": {"do": "ESCALATE", "how": "ASSIGNEES_MANAGER"},
    "begin": {"do": "TRANSITION", "to": "IN_PROGRESS"},
    "tag": {"do": "ADD_TAGS", "tags": ["vip"]},
    "nobody": {"do": "ASSIGN", "to": "NOBODY"},
    "turn": {"do": "ASSIGN", "to": "ROUND_ROBIN"},
    "say": COMMENT,
    "code": {"do": "SET_FIELD", "field": "custom.budget_code", "value": "OPS-1"},
    "bad code": {"do": "SET_FIELD", "field": "custom.budget_code", "value": "not a code"},
    "no field": {"do": "SET_FIELD", "field": "custom.location", "value": "Here"},
}
HARDWARE = {"budget_code": "MKT-1", "justification": "For work"}
FINANCE = {"cost_center": "MKT-CONTENT", "purpose": "For work"}
BODIES: list[dict[str, Any]] = [
    {"title": "Please", "currency": "USD", **more}
    for more in (
        {"ticket_type": "IT_HARDWARE", "custom_fields": HARDWARE, "amount": "40.00"},
        {"ticket_type": "FINANCE", "custom_fields": FINANCE, "amount": "900.00", "priority": "LOW", "tags": ["Ours"]},
        {"ticket_type": "IT_HARDWARE", "custom_fields": HARDWARE, "amount": "6000.00", "is_confidential": True},
    )
]
# what rules there are: (trigger, condition, what they do, more)
RULES: dict[str, list[tuple[Any, Any, list[str], dict[str, Any]]]] = {
    "names one": [("SUBMITTED", None, ["board"], {})],
    "names one where it is dear": [("CREATED", DEAR, ["say", "board"], {})],
    "the first one counts": [("SUBMITTED", DEAR, ["board"], {}), ("SUBMITTED", None, ["other"], {})],
    "one that stops is the last": [("SUBMITTED", DEAR, ["tag"], {"stops": True}), ("SUBMITTED", None, ["board"], {})],
    "waits for the review": [({"on": "STATUS_CHANGED", "statuses": ["IN_REVIEW"]}, None, ["board"], {})],
    "waits for what never is": [({"on": "STATUS_CHANGED", "statuses": ["APPROVED"]}, DEAR, ["board"], {})],
    "who did it": [({"on": "SUBMITTED", "by": "REQUESTER"}, None, ["board"], {}), ("SUBMITTED", None, ["other"], {})],
    "what is refused takes all back": [("SUBMITTED", None, ["board", "begin"], {}), ("SUBMITTED", DEAR, ["other"], {})],
    "no field": [("SUBMITTED", None, ["board", "no field"], {})],
    "nobody to bring in": [("SUBMITTED", None, ["board", "assignees"], {})],
    "by its tag": [("SUBMITTED", {"field": "tags", "op": "contains", "value": "ours"}, ["board"], {})],
    "no stage applies": [("SUBMITTED", None, ["dear", "tag"], {})],
    "it is urgent then": [("SUBMITTED", DEAR, ["critical"], {})],
    "urgent and named": [("SUBMITTED", None, ["board", "critical"], {})],
    "raised": [("SUBMITTED", None, ["raise", "raise", "raise"], {})],
    "one hears of the other": [
        ("SUBMITTED", None, ["high", "tag"], {}),
        ({"on": "UPDATED", "fields": ["priority"]}, {"field": "tags", "op": "contains", "value": "vip"}, ["board"], {}),
    ],
    "a comment is heard of": [("SUBMITTED", DEAR, ["say"], {}), ("COMMENTED", None, ["board"], {})],
    "an assignment is heard of": [("SUBMITTED", None, ["nobody", "turn"], {}), ("ASSIGNED", None, ["board"], {})],
    "no rule follows itself": [("UPDATED", None, ["board"], {}), ("SUBMITTED", DEAR, ["tag"], {})],
    "its service level": [
        ("SUBMITTED", STANDS, ["board"], {}),
        ("SUBMITTED", {"field": "sla_state", "op": "is_empty"}, ["other"], {}),
    ],
    "its service level once it is urgent": [
        ("SUBMITTED", DEAR, ["critical"], {}),
        ({"on": "UPDATED", "fields": ["priority"]}, STANDS, ["board"], {}),
    ],
    "its own answer": [("SUBMITTED", None, ["code", "board"], {})],
    "an answer that does not fit": [("SUBMITTED", None, ["bad code", "board"], {})],
}


@pytest.fixture
async def actions(workflow: Any) -> dict[str, Any]:
    board, other = await workflow(), await workflow()
    dear = await workflow({"field": "amount", "op": "gte", "value": "500"})
    return DO | {"board": start(board), "other": start(other), "dear": start(dear)}


async def asked_now(who: Any, ticket: dict[str, Any]) -> tuple[str | None, list[Any]]:
    running = [f for f in await approvals_of(who, ticket) if f["status"] == "RUNNING"]
    if not running:
        return None, []
    (flow,) = running
    stages = [
        [s["name"], s["mode"], s["needed"], [t["approver"]["username"] for t in s["steps"]]]
        for s in flow["stages"]
        if s["status"] != "SKIPPED"
    ]
    return flow["workflow_name"], stages


async def written(database: Any) -> list[Any]:
    async with database.read() as session:
        return [await session.scalar(select(func.count()).select_from(t)) for t in (Ticket, EventRow, AutomationRun)]


@pytest.mark.parametrize("rules", list(RULES))
async def test_what_is_shown_is_what_is_asked_once_rules_have_heard_of_it(
    who: Any, rule: Any, actions: Any, drain: Any, database: Any, rules: str
) -> None:
    for trigger, condition, does, more in RULES[rules]:
        await rule(trigger, *(actions[word] for word in does), condition=condition, **more)
    employee = await who("employee")
    for body in BODIES:
        before = await written(database)
        path = await employee.post("/tickets/path", body)
        assert await written(database) == before
        ticket = await employee.post("/tickets", {**body, "submit": True}, expect=201)
        await drain()
        name, stages = await asked_now(who, ticket)
        assert (path["workflow"] and path["workflow"]["name"], promised(path)) == (name, stages), body
        sent = await employee.get(f"/tickets/{ticket['id']}")
        assert path["priority"] == sent["priority"]
        await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "DRAFT"})  # out of their queues


async def test_a_request_has_the_service_level_it_will_have(
    who: Any, rule: Any, actions: Any, hardware: Any, database: Any
) -> None:
    """New or a draft: as the policy says that holds for it. Nothing of it is kept."""
    employee = await who("employee")
    await rule("SUBMITTED", actions["board"], condition=STANDS)
    path = await employee.post("/tickets/path", BODIES[0])
    assert [s[0] for s in promised(path)] == ["Board"]
    draft = await employee.post("/tickets", hardware("40.00", submit=False), expect=201)
    path = await employee.post(f"/tickets/{draft['id']}/path", {"priority": "HIGH"})
    assert [s[0] for s in promised(path)] == ["Board"]
    async with database.read() as session:
        row = await session.get_one(Ticket, draft["id"])
        assert (row.sla_state, row.sla_due_at) == (None, None)


async def test_what_needs_nobodys_yes_is_approved_before_rules_hear_of_it(
    who: Any, rule: Any, actions: Any, support: Any, drain: Any
) -> None:
    await rule("SUBMITTED", actions["board"])
    path = await (await who("employee")).post("/tickets/path", {"ticket_type": "IT_SUPPORT", "title": "Please"})
    assert (path["needs_approval"], path["workflow"], path["stages"]) == (False, None, [])
    ticket = await support()
    await drain()
    assert await asked_now(who, ticket) == (None, [])


async def test_a_form_that_is_not_filled_in_yet_has_the_path_too(who: Any, rule: Any, actions: Any) -> None:
    await rule("SUBMITTED", actions["code"], actions["board"])
    path = await (await who("employee")).post("/tickets/path", {"ticket_type": "IT_HARDWARE"})
    assert [s[0] for s in promised(path)] == ["Board"]
    assert path["workflow"]["why"].startswith("the rule “Rule ")


async def test_a_draft_that_is_sent_and_a_change_that_is_made_say_so_too(
    who: Any, rule: Any, actions: Any, hardware: Any, drain: Any
) -> None:
    employee = await who("employee")
    draft = await employee.post("/tickets", hardware("40.00", submit=False), expect=201)
    await rule("SUBMITTED", actions["board"])
    path = await employee.post(f"/tickets/{draft['id']}/path", {"title": "Otherwise"})
    assert [s[0] for s in promised(path)] == ["Board"]
    await employee.post(f"/tickets/{draft['id']}/transitions", {"to": "SUBMITTED"})
    await drain()
    name, stages = await asked_now(who, draft)
    assert stages == promised(path)
    # a new round goes on by the workflow that was named, so the preview of an edit says that one
    change = {"priority": "CRITICAL"}
    path = await employee.post(f"/tickets/{draft['id']}/path", change)
    assert path["asks_again"]["extent"] == "ROUND"
    now = await employee.get(f"/tickets/{draft['id']}")
    await employee.put(f"/tickets/{draft['id']}", {**change, "version": now["version"]})
    assert (path["workflow"]["name"], promised(path)) == await asked_now(who, draft)
    assert path["workflow"]["name"] == name
