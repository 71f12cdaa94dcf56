"""Edits in review, one more approver, overriding: over HTTP, and the pure rule of who owns a fact."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from waypost.approvals.definition import FIELDS as SUBJECT_FIELDS
from waypost.approvals.reading import read
from waypost.approvals.revising import named_facts, owners
from waypost.kernel.conditions.fields import Field, Kind

_budgets = itertools.count(1)
FIELDS = {"custom.payee": Field("custom.payee", Kind.TEXT, "payee")} | SUBJECT_FIELDS


def stage(name: str, condition: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "condition": condition, "approvers": [{"kind": "REQUESTER_MANAGER"}], **more}


def above(amount: str) -> dict[str, Any]:
    return {"all": [{"field": "amount", "op": "gt", "value": amount}]}


def test_whose_a_fact_is() -> None:
    document = {"name": "Two", "stages": [stage("Manager"), stage("Finance", above("1000"))]}
    stages = read(document, FIELDS).stages
    assert named_facts(stages[1]) == {"amount"}
    assert owners("amount", stages, {1, 2}) == {2}, "who names it"
    assert owners("currency", stages, {1, 2}) == {2}, "an amount is compared in the company's currency"
    assert owners("amount", stages, {1}) == {1}, "never nobody's"
    assert owners("custom.payee", stages, {1, 2}) == {1, 2}
    assert owners("title", stages, {1, 2}) == frozenset(), "a typo"
    judged = {"name": "Judged", "stages": [stage("Manager", judges=["title"]), stage("Payee", judges=["custom.payee"])]}
    stages = read(judged, FIELDS).stages
    assert owners("title", stages, {1, 2}) == {1}
    assert owners("custom.payee", stages, {1, 2}) == {2}
    assert owners("custom.payee", stages, {1}) == frozenset(), "whoever says what they judge judges nothing else"
    by_field = stage("Owner") | {"approvers": [{"kind": "FORM_FIELD", "field": "owner"}, {"kind": "DEPARTMENT_HEAD"}]}
    [only] = read({"name": "By field", "stages": [by_field]}, FIELDS).stages
    assert named_facts(only) == {"custom.owner", "department_id"}


@pytest.fixture
async def two_stages(who: Any, hardware: Any) -> Any:
    """Hardware of one budget goes to the manager, then to the head when it is above 2,000: the body of a request."""
    budget = f"R-{next(_budgets)}"
    condition = {
        "all": [
            {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
            {"field": "custom.budget_code", "op": "eq", "value": budget},
        ]
    }
    stages = [stage("Manager"), stage("Head", above("2000")) | {"approvers": [{"kind": "DEPARTMENT_HEAD"}]}]
    body = {"name": f"Budget {budget}", "condition": condition, "stages": stages}
    await (await who("admin")).post("/approval-workflows", body, expect=201)
    asked = hardware("3000.00")
    return asked | {"custom_fields": asked["custom_fields"] | {"budget_code": budget}}


async def flow(person: Any, ticket: dict[str, Any]) -> dict[str, Any]:
    found = (await person.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    assert len(found) == 1, "one round"
    return dict(found[0])


async def places(person: Any, ticket: dict[str, Any]) -> list[tuple[str, str]]:
    return [(s["name"], s["status"]) for s in (await flow(person, ticket))["stages"]]


async def approve(person: Any, find_step: Any, ticket: dict[str, Any]) -> None:
    await person.post(f"/approvals/{(await find_step(person, ticket['id']))['id']}/approve")


async def edit(person: Any, ticket: dict[str, Any], **values: Any) -> None:
    seen = await person.get(f"/tickets/{ticket['id']}")
    await person.put(f"/tickets/{ticket['id']}", {**values, "version": seen["version"]})


async def test_raising_the_amount_asks_again_only_who_judges_it(two_stages: Any, who: Any, find_step: Any) -> None:
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    ticket = await employee.post("/tickets", two_stages, expect=201)
    await approve(manager, find_step, ticket)
    await edit(employee, ticket, title="A laptop, spelt rightly")
    assert await places(employee, ticket) == [("Manager", "APPROVED"), ("Head", "OPEN")], "a typo asks nobody"
    await edit(employee, ticket, amount="4000.00", currency="USD")
    assert await places(employee, ticket) == [("Manager", "APPROVED"), ("Head", "OPEN")], "nobody had judged it yet"
    step = await find_step(head, ticket["id"])
    assert step["ticket"]["amount"] == "4000.00"


async def test_what_was_approved_on_other_facts_is_asked_again_with_the_difference(
    two_stages: Any, who: Any, find_step: Any
) -> None:
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    ticket = await employee.post("/tickets", two_stages, expect=201)
    await approve(manager, find_step, ticket)
    waiting = await find_step(head, ticket["id"])
    fields = dict((await employee.get(f"/tickets/{ticket['id']}"))["custom_fields"])
    await edit(employee, ticket, custom_fields=fields | {"justification": "For somebody else altogether"})
    assert await places(employee, ticket) == [("Manager", "SUPERSEDED"), ("Manager", "OPEN"), ("Head", "WAITING")]
    refused = await head.post(f"/approvals/{waiting['id']}/approve", {}, expect=409)
    assert refused["code"] == "step_not_open"
    shown = await flow(employee, ticket)
    assert "changed" in shown["stages"][0]["reason"]
    assert "asked “Manager” again" in str(await employee.get(f"/tickets/{ticket['id']}/history"))
    await approve(manager, find_step, ticket)
    again = await find_step(head, ticket["id"])
    assert again["id"] == waiting["id"]
    await approve(head, find_step, ticket)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_a_stage_that_begins_to_apply_comes_first(who: Any, hardware: Any, find_step: Any) -> None:
    """It stands before the one that is open, where a question waits: that one is put later, and told so."""
    employee, manager, finance1 = await who("employee"), await who("manager"), await who("finance1")
    budget = f"R-{next(_budgets)}"
    condition = {
        "all": [
            {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
            {"field": "custom.budget_code", "op": "eq", "value": budget},
        ]
    }
    stages = [
        stage("Manager", above("2000")),
        stage("Finance") | {"approvers": [{"kind": "USER", "user_id": finance1.id}]},
    ]
    body = {"name": f"Budget {budget}", "condition": condition, "stages": stages}
    await (await who("admin")).post("/approval-workflows", body, expect=201)
    asked = hardware("1000.00")
    asked["custom_fields"] = asked["custom_fields"] | {"budget_code": budget}
    ticket = await employee.post("/tickets", asked, expect=201)
    step = await find_step(finance1, ticket["id"])
    await finance1.post(f"/approvals/{step['id']}/request-info", {"comments": "Which?"})
    await edit(employee, ticket, amount="3000.00", currency="USD")
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "IN_REVIEW"
    assert await places(employee, ticket) == [("Manager", "SUPERSEDED"), ("Manager", "OPEN"), ("Finance", "WAITING")]
    refused = await finance1.post(f"/approvals/{step['id']}/approve", {}, expect=409)
    assert refused["code"] == "step_not_open"
    assert (await finance1.get(f"/tickets/{ticket['id']}"))["id"] == ticket["id"], "who was asked goes on seeing it"
    await approve(manager, find_step, ticket)
    assert (await find_step(finance1, ticket["id"]))["id"] == step["id"]
    await approve(finance1, find_step, ticket)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_a_stage_that_applies_no_more_is_not_asked(two_stages: Any, who: Any, find_step: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    ticket = await employee.post("/tickets", two_stages, expect=201)
    await approve(manager, find_step, ticket)
    await edit(employee, ticket, amount="100.00", currency="USD")
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "IN_REVIEW", "the amount is the manager's now"
    assert await places(employee, ticket) == [
        ("Manager", "SUPERSEDED"),
        ("Manager", "OPEN"),
        ("Head", "SUPERSEDED"),
        ("Head", "SKIPPED"),
    ]
    await approve(manager, find_step, ticket)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_one_more_approver(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    step = await find_step(manager, ticket["id"])
    assert "add_approver" in step["allowed_actions"]
    path = f"/approvals/{step['id']}/add-approver"
    for wrong, status in (
        ({}, 422),
        ({"approver_id": employee.id}, 422),
        ({"approver_id": manager.id}, 422),
        ({"approver_id": 2**40}, 422),
        ({"approver_id": -1}, 422),
    ):
        await manager.post(path, wrong, expect=status)
    await head.post(path, {"approver_id": head.id}, expect=403)
    await (await who("outsider")).post(path, {"approver_id": head.id}, expect=404)
    await manager.post(path, {"approver_id": head.id, "comments": "Your budget as well"})
    done = await manager.post(f"/approvals/{step['id']}/approve")
    assert done["workflow"]["status"] == "RUNNING", "all have to say yes"
    theirs = await find_step(head, ticket["id"])
    done = await head.post(f"/approvals/{theirs['id']}/approve")
    assert done["workflow"]["status"] == "APPROVED"
    history = str(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert "had one more person decide" in history
    assert "Your budget as well" in history


async def test_overriding(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, admin = await who("employee"), await who("manager"), await who("admin")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    workflow = await flow(admin, ticket)
    assert workflow["may_override"]
    assert not (await flow(employee, ticket))["may_override"]
    path = f"/approvals/workflows/{workflow['id']}/override"
    body = {"action": "APPROVE", "comments": "The manager is on a boat"}
    await (await who("outsider")).post(path, body, expect=404)
    await admin.post("/approvals/workflows/999999999/override", body, expect=404)
    await manager.post(path, {"nonsense": 1}, expect=403)
    assert (await admin.post(path, {"action": "APPROVE", "comments": " "}, expect=422))["code"]
    await admin.post(path, {"action": "MAYBE", "comments": "x"}, expect=422)
    await admin.post(path, body | {"version": 7}, expect=412)
    done = await admin.post(path, body)
    assert done["workflow"] == {"id": workflow["id"], "status": "APPROVED"}
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
    ended = await flow(employee, ticket)
    assert ended["override"]["by"]["username"] == "admin"
    assert ended["override"]["reason"] == body["comments"]
    assert [s["status"] for t in ended["stages"] for s in t["steps"]] == ["NOT_NEEDED"], "nobody's answer is made up"
    assert (await admin.post(path, body, expect=409))["code"] == "step_decided"
    own = await admin.post("/tickets", hardware("500.00"), expect=201)
    path = f"/approvals/workflows/{(await flow(admin, own))['id']}/override"
    assert (await admin.post(path, body, expect=403))["code"] == "self_approval"
    rejected = await admin.post(path, body | {"action": "REJECT"})
    assert rejected["workflow"]["status"] == "REJECTED", "denying one's own is allowed"


async def test_what_is_published_meanwhile_judges_what_comes_afterwards(
    two_stages: Any, who: Any, find_step: Any
) -> None:
    """A workflow that fits better is published while one judges: a typo, or another amount, begins nothing anew."""
    employee, manager, admin = await who("employee"), await who("manager"), await who("admin")
    ticket = await employee.post("/tickets", two_stages, expect=201)
    await approve(manager, find_step, ticket)
    budget = two_stages["custom_fields"]["budget_code"]
    comparisons = [
        {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
        {"field": "custom.budget_code", "op": "eq", "value": budget},
        {"field": "amount", "op": "gt", "value": "1"},
    ]
    better = {"name": f"Better {budget}", "condition": {"all": comparisons}, "stages": [stage("Another")]}
    await admin.post("/approval-workflows", better, expect=201)
    await edit(employee, ticket, title="A laptop, spelt rightly")
    assert await places(employee, ticket) == [("Manager", "APPROVED"), ("Head", "OPEN")]
    await edit(employee, ticket, amount="3500.00", currency="USD")
    assert await places(employee, ticket) == [("Manager", "APPROVED"), ("Head", "OPEN")]
    other = await employee.post("/tickets", two_stages, expect=201)
    assert await places(employee, other) == [("Another", "OPEN")]


async def test_facts_that_choose_another_workflow_begin_a_new_round(two_stages: Any, who: Any, hardware: Any) -> None:
    employee = await who("employee")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    await edit(employee, ticket, custom_fields=two_stages["custom_fields"])
    found = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    assert [f["status"] for f in found] == ["RUNNING", "CANCELLED"]
    history = str(await employee.get(f"/tickets/{ticket['id']}/history?limit=100"))
    assert "cancelled the approval: what is judged has changed" in history


async def test_an_emergency_is_not_begun_anew_by_who_sorts_the_work(who: Any, hardware: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    ticket = await employee.post("/tickets", hardware("9000.00", priority="CRITICAL"), expect=201)
    before = (await flow(employee, ticket))["id"]
    await edit(agent, ticket, due_date="2031-05-01T12:00:00Z")
    after = await flow(employee, ticket)
    assert (after["id"], after["status"]) == (before, "RUNNING")
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "DRAFT"})


async def test_what_is_not_asked_any_more_is_not_said_to_be_asked_again(
    two_stages: Any, who: Any, find_step: Any
) -> None:
    employee, manager = await who("employee"), await who("manager")
    ticket = await employee.post("/tickets", two_stages, expect=201)
    await approve(manager, find_step, ticket)
    change = {"amount": "100.00", "currency": "USD"}
    foreseen = await employee.post(f"/tickets/{ticket['id']}/path", change)
    assert foreseen["asks_again"]["stages"] == ["Manager"]
    await edit(employee, ticket, **change)
    entries = (await employee.get(f"/tickets/{ticket['id']}/history?limit=100"))["items"]
    words = [e["summary"] for e in entries if e["type"] in ("approval.reopened", "approval.dropped")]
    assert [w.partition(",")[0] for w in words] == ["asked “Manager” again", "made “Head” unnecessary"]
    reasons = {s["name"]: s["reason"] for s in (await flow(employee, ticket))["stages"] if s["status"] == "SUPERSEDED"}
    assert "asked again, because" in reasons["Manager"]
    assert "not asked any more, because" in reasons["Head"]


async def test_an_edit_that_leaves_nobody_to_ask_is_nobody_s_decision(
    two_stages: Any, who: Any, hardware: Any, find_step: Any
) -> None:
    """Everybody who has to agree has agreed, and what is left applies no more: approved, but not by who changed it."""
    employee, manager, admin = await who("employee"), await who("manager"), await who("admin")
    budget = f"R-{next(_budgets)}"
    condition = {
        "all": [
            {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
            {"field": "custom.budget_code", "op": "eq", "value": budget},
        ]
    }
    stages = [stage("Manager", judges=["title"]), stage("Head", above("2000"))]
    body = {"name": f"Budget {budget}", "condition": condition, "stages": stages}
    await admin.post("/approval-workflows", body, expect=201)
    asked = hardware("3000.00")
    asked["custom_fields"] = asked["custom_fields"] | {"budget_code": budget}
    ticket = await employee.post("/tickets", asked, expect=201)
    await approve(manager, find_step, ticket)
    await edit(employee, ticket, amount="100.00", currency="USD")
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
    entries = (await employee.get(f"/tickets/{ticket['id']}/history?limit=100"))["items"]
    ended = next(e for e in entries if e["type"] == "ticket.approved")
    assert ended["actor"] is None
    assert "everybody who has to agree has agreed" in ended["comment"]
