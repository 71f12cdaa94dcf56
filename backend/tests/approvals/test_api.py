"""Approvals over HTTP: who is asked, races, modes, questions, handing on, definitions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from waypost.kernel.settings import get_settings


async def ask(
    who: Any, hardware: Any, amount: str | None = "500.00", by: str = "employee", **more: Any
) -> dict[str, Any]:
    return dict(await (await who(by)).post("/tickets", hardware(amount, **more), expect=201))


@pytest.mark.parametrize(
    ("by", "amount", "approvers"),
    [
        ("employee", "999.99", ["manager"]),
        ("employee", "1000.00", ["head"]),
        ("employee", "5000.00", ["head"]),
        ("employee", "5000.01", ["finance1", "finance2", "finance3"]),
        ("employee", None, ["manager"]),
        ("manager", "500.00", ["head"]),
        ("head", "3000.00", ["executive"]),
        ("finance1", "9000.00", ["finance2", "finance3"]),
        ("executive", "10.00", ["admin"]),
    ],
)
async def test_the_amount_decides_who_is_asked(
    who: Any, hardware: Any, find_step: Any, by: str, amount: str | None, approvers: list[str]
) -> None:
    ticket = await ask(who, hardware, amount, by)
    flow = (await (await who(by)).get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    asked = [s["approver"]["username"] for stage in flow["stages"] for s in stage["steps"]]
    assert asked == approvers
    assert await find_step(await who(by), ticket["id"]) is None
    for name in approvers:
        assert await find_step(await who(name), ticket["id"]) is not None


async def test_committee_two_of_three(who: Any, hardware: Any, find_step: Any) -> None:
    ticket = await ask(who, hardware, "9000.00")
    for name, verb, status in (
        ("finance1", "approve", "RUNNING"),
        ("finance2", "reject", "RUNNING"),
        ("finance3", "approve", "APPROVED"),
    ):
        person = await who(name)
        step = await find_step(person, ticket["id"])
        done = await person.post(f"/approvals/{step['id']}/{verb}", {"comments": "vote"})
        assert done["workflow"]["status"] == status
    assert (await (await who("employee")).get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_races_have_one_outcome(who: Any, hardware: Any, find_step: Any) -> None:
    manager = await who("manager")
    ticket = await ask(who, hardware)
    step = await find_step(manager, ticket["id"])
    verbs = ["approve", "reject"] * 6
    answers = await asyncio.gather(
        *(manager.post(f"/approvals/{step['id']}/{v}", {"comments": "x"}, expect=None) for v in verbs)
    )
    winners = {v for v, a in zip(verbs, answers, strict=True) if a.status_code == 200}
    assert len(winners) == 1
    assert {a.status_code for a in answers} == {200, 409}
    status = (await manager.get(f"/tickets/{ticket['id']}"))["status"]
    assert status == {"approve": "APPROVED", "reject": "REJECTED"}[winners.pop()]
    types = [e["type"] for e in (await manager.get(f"/tickets/{ticket['id']}/history"))["items"]]
    assert sum(t in ("approval.approved", "approval.rejected") for t in types) == 1


async def test_decision_against_withdrawal_and_edit(who: Any, hardware: Any, find_step: Any) -> None:
    """Three who want the same rows in different orders: no deadlock, one outcome, nobody stays asked."""
    employee, manager = await who("employee"), await who("manager")
    for _ in range(5):
        ticket = await ask(who, hardware)
        step = await find_step(manager, ticket["id"])
        path = f"/tickets/{ticket['id']}"
        answers = await asyncio.gather(
            manager.post(f"/approvals/{step['id']}/approve", {}, expect=None),
            employee.post(f"{path}/transitions", {"to": "DRAFT"}, expect=None),
            employee.put(path, {"amount": "4000.00", "currency": "USD", "version": ticket["version"]}, expect=None),
        )
        # 403: the edit came after the approval, when the form is no longer the requester's to change
        assert {a.status_code for a in answers} <= {200, 403, 409, 412}, [a.text for a in answers]
        assert any(a.status_code == 200 for a in answers)
        flows = (await employee.get(f"{path}/approvals"))["items"]
        status = (await employee.get(path))["status"]
        running = [w for w in flows if w["status"] == "RUNNING"]
        assert len(running) == (1 if status == "IN_REVIEW" else 0)


async def test_a_question_and_its_answer(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    ticket = await ask(who, hardware)
    step = await find_step(manager, ticket["id"])
    path = f"/approvals/{step['id']}"
    lacking = await manager.post(f"{path}/request-info", {}, expect=422)
    assert lacking["errors"][0]["pointer"] == "/comments"
    await manager.post(f"{path}/request-info", {"comments": "Which model?"})
    await manager.post(f"{path}/request-info", {"comments": "Which model?"}, expect=409)
    assert (await find_step(manager, ticket["id"]))["status"] == "INFO_REQUESTED"
    now = await employee.get(f"/tickets/{ticket['id']}")
    assert now["status"] == "PENDING_INFO"
    assert "answer" in now["allowed_actions"]
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_REVIEW"}, expect=422)
    back = await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_REVIEW", "comment": "The light one"})
    assert back["status"] == "IN_REVIEW"
    await manager.post(f"{path}/request-info", {"comments": "And the colour?"})
    await manager.post(f"{path}/approve")
    history = await employee.get(f"/tickets/{ticket['id']}/history")
    words = [e["comment"] for e in history["items"] if e["comment"]]
    assert {"Which model?", "The light one", "And the colour?"} <= set(words)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_delegate_and_escalate(who: Any, hardware: Any, find_step: Any) -> None:
    manager, colleague, head, employee = [await who(n) for n in ("manager", "colleague", "head", "employee")]
    ticket = await ask(who, hardware)
    step = await find_step(manager, ticket["id"])
    path = f"/approvals/{step['id']}"
    for body in ({}, {"delegate_to": employee.id}, {"delegate_to": manager.id}, {"delegate_to": 999_999}):
        wrong = await manager.post(f"{path}/delegate", body, expect=422)
        assert wrong["errors"][0]["pointer"] == "/delegate_to"
    await manager.post(f"{path}/approve", {"delegate_to": colleague.id}, expect=422)
    await manager.post(f"{path}/approve", {"action": "REJECT"}, expect=422)
    await manager.post(
        f"{path}/delegate", {"action": "DELEGATE", "delegate_to": colleague.id, "comments": "You know it"}
    )
    await manager.post(f"{path}/approve", expect=409)
    theirs = await find_step(colleague, ticket["id"])
    assert theirs["on_behalf_of"]["username"] == "manager"
    await colleague.post(f"/approvals/{theirs['id']}/escalate", {"comments": "Too big for me"})
    # The colleague's own manager has had a part in this stage already, so it goes further up.
    top = await find_step(head, ticket["id"])
    assert top is not None
    assert [d["status"] for d in top["earlier_decisions"]] == ["DELEGATED", "ESCALATED"]
    await head.post(f"/approvals/{top['id']}/approve")
    history = str(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert "escalated the decision to Henrik Lindqvist" in history
    name = (await colleague.get("/auth/me"))["name"]
    assert f"handed the decision to {name}" in history


async def test_who_may_not(who: Any, hardware: Any, find_step: Any) -> None:
    ticket = await ask(who, hardware)
    step = await find_step(await who("manager"), ticket["id"])
    for name, status in (
        ("outsider", 404),
        ("colleague", 404),
        ("employee", 403),
        ("auditor", 403),
        ("head", 403),
        (None, 401),
    ):
        for body in ({}, {"surprise": 1}):
            await (await who(name)).post(f"/approvals/{step['id']}/approve", body, expect=status)
    await (await who("manager")).post(f"/approvals/{step['id']}/approve", {"surprise": 1}, expect=422)
    await (await who("manager")).post("/approvals/999999999/approve", expect=404)
    await (await who("manager")).post("/approvals/x/approve", expect=404)


async def test_bulk_decides_each_on_its_own(who: Any, hardware: Any, find_step: Any) -> None:
    manager, head = await who("manager"), await who("head")
    mine = [await find_step(manager, (await ask(who, hardware))["id"]) for _ in range(3)]
    other = await find_step(head, (await ask(who, hardware, "2000.00"))["id"])
    ids = [s["id"] for s in mine] + [other["id"], 999_999_999]
    done = await manager.post("/approvals/bulk", {"step_ids": ids, "action": "APPROVE", "comments": "routine"})
    assert [r["ok"] for r in done["results"]] == [True] * 3 + [False] * 2
    assert done["results"][3]["error"]["code"] in ("not_asked", "step_not_found")
    again = await manager.post("/approvals/bulk", {"step_ids": ids[:1], "action": "APPROVE"})
    assert again["results"][0]["ok"], "the same answer again is answered as it was"
    await manager.post("/approvals/bulk", {"step_ids": [], "action": "APPROVE"}, expect=422)
    await manager.post("/approvals/bulk", {"step_ids": [1], "action": "DELEGATE"}, expect=422)


async def test_in_bulk_one_that_is_being_changed_hides_nothing_of_the_others(
    who: Any, hardware: Any, find_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three cannot be had at that moment: the others are decided, and each says what became of it."""
    from waypost.kernel.db import database
    from waypost.tickets.reviewing import TicketRoom

    manager = await who("manager")
    tickets = [await ask(who, hardware) for _ in range(3)]
    ids = [(await find_step(manager, t["id"]))["id"] for t in tickets]
    real = TicketRoom.lock

    async def impatient(self: Any, session: Any, subject_id: int) -> None:
        await session.execute(text("SET LOCAL lock_timeout = '100ms'"))
        await real(self, session, subject_id)

    monkeypatch.setattr(TicketRoom, "lock", impatient)
    async with database().transaction() as session:
        await real(TicketRoom(), session, tickets[1]["id"])
        done = await manager.post("/approvals/bulk", {"step_ids": ids, "action": "APPROVE"})
    assert [r["ok"] for r in done["results"]] == [True, False, True]
    assert done["results"][1]["error"]["code"] == "busy"
    again = await manager.post("/approvals/bulk", {"step_ids": ids, "action": "APPROVE"})
    assert [r["ok"] for r in again["results"]] == [True] * 3


@pytest.mark.parametrize("verb", ["approve", "request-info", "delegate", "escalate", "add-approver"])
async def test_the_same_press_twice_is_once(who: Any, hardware: Any, find_step: Any, verb: str) -> None:
    """The answer was lost on the way: with its key, the same request is answered as it was."""
    manager, finance1, employee = await who("manager"), await who("finance1"), await who("employee")
    ticket = await ask(who, hardware)
    step = await find_step(manager, ticket["id"])
    path, key = f"/approvals/{step['id']}/{verb}", {"Idempotency-Key": f"{verb}-{ticket['id']}"}
    body: dict[str, Any] = {"comments": "As we said"}
    body |= {"delegate_to": finance1.id} if verb == "delegate" else {}
    body |= {"approver_id": finance1.id} if verb == "add-approver" else {}
    first, second = await asyncio.gather(*(manager.post(path, body, headers=key) for _ in range(2)))
    assert first == second
    third = await manager.post(path, body, headers=key, expect=None)
    assert third.headers["idempotency-replayed"] == "true"
    await manager.post(path, body | {"comments": "Something else"}, headers=key, expect=422)
    flow = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    assert len(flow["stages"][0]["steps"]) == (1 if verb in ("approve", "request-info") else 2)
    await (await who("outsider")).post(path, body, headers=key, expect=404)


async def test_an_override_is_one_however_often_it_is_sent(who: Any, hardware: Any) -> None:
    admin = await who("admin")
    ticket = await ask(who, hardware)
    workflow = (await admin.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    path, key = f"/approvals/workflows/{workflow['id']}/override", {"Idempotency-Key": f"over-{workflow['id']}"}
    body = {"action": "REJECT", "comments": "Bought already"}
    assert await admin.post(path, body, headers=key) == await admin.post(path, body, headers=key)


async def test_how_many_agree_is_counted_in_seats(who: Any, hardware: Any, find_step: Any) -> None:
    """A committee of three, one of whom handed their part on: three answers there can be, not four."""
    finance1, finance2, head = await who("finance1"), await who("finance2"), await who("head")
    ticket = await ask(who, hardware, "9000.00")
    step = await find_step(finance1, ticket["id"])
    await finance1.post(f"/approvals/{step['id']}/delegate", {"delegate_to": head.id})
    step = await find_step(head, ticket["id"])
    await head.post(f"/approvals/{step['id']}/approve", {})
    stage = (await finance2.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]["stages"][-1]
    assert len(stage["steps"]) == 4
    assert (stage["needed"], stage["seats"], stage["approved"]) == (2, 3, 1)
    assert stage["first_answer_counts"] is False
    urgent = await ask(who, hardware, "9000.00", priority="CRITICAL")
    stage = (await finance2.get(f"/tickets/{urgent['id']}/approvals"))["items"][0]["stages"][0]
    assert (stage["quorum"], stage["needed"], stage["seats"]) == ("FIRST", 1, 3)
    assert stage["first_answer_counts"] is True
    await (await who("employee")).post(f"/tickets/{urgent['id']}/transitions", {"to": "DRAFT"})


async def test_emergency(who: Any, hardware: Any, find_step: Any) -> None:
    ticket = await ask(who, hardware, "6000.00", priority="CRITICAL")
    people = [await who(n) for n in ("finance1", "finance2", "finance3")]
    steps = [await find_step(p, ticket["id"]) for p in people]
    first = (await people[2].get("/approvals/pending", params={"limit": 1}))["items"][0]
    assert first["ticket"]["id"] == ticket["id"], "on top of the queue"
    await people[2].post(f"/approvals/{steps[2]['id']}/approve")
    assert (await people[0].get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
    assert await find_step(people[0], ticket["id"]) is None


async def test_the_queue_pages_by_urgency(who: Any, hardware: Any) -> None:
    manager = await who("manager")
    for priority in ("LOW", "HIGH", "MEDIUM", "HIGH", "LOW"):
        await ask(who, hardware, priority=priority)
    seen, cursor = [], None
    while True:
        page = await manager.get("/approvals/pending", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [i["ticket"]["priority"] for i in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    order = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    assert seen == sorted(seen, key=order.index)
    assert len(seen) == (await manager.get("/reports/dashboard"))["pending_approvals"]


@pytest.fixture
async def kind(who: Any) -> Any:
    """A ticket type of one's own, with a workflow made of stages."""
    admin = await who("admin")
    number = iter(range(10_000))

    async def make(*stages: dict[str, Any], form: dict[str, Any] | None = None) -> str:
        key = f"TEST_{id(stages) % 10**8}_{next(number)}"
        form = form or {"type": "object", "properties": {"boss": {"type": "string"}, "size": {"type": "number"}}}
        await admin.post("/ticket-types", {"key": key, "name": key, "form": form}, expect=201)
        if stages:
            whole = [{"name": f"Stage {n}", **s} for n, s in enumerate(stages, 1)]
            condition = {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}
            await admin.post("/approval-workflows", {"name": key, "condition": condition, "stages": whole}, expect=201)
        return key

    return make


async def request(who: Any, key: str, **more: Any) -> tuple[int, list[list[str]]]:
    employee = await who("employee")
    body = {"title": "Own type", "ticket_type": key, "submit": True, "custom_fields": {}, **more}
    ticket = await employee.post("/tickets", body, expect=201)
    flow = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    return ticket["id"], [[s["approver"]["username"] for s in stage["steps"]] for stage in flow["stages"]]


async def test_every_kind_of_approver(who: Any, kind: Any) -> None:
    admin = await who("admin")
    team = next(t for t in (await admin.get("/teams"))["items"] if t["name"] == "HR Services")
    finance = next(d for d in (await admin.get("/departments"))["items"] if d["name"] == "Finance")
    stages = [
        [{"kind": "USER", "user_id": (await who("head")).id}],
        [{"kind": "REQUESTER_MANAGER"}],
        [{"kind": "MANAGERS_MANAGER"}],
        [{"kind": "MANAGER_LEVEL", "level": 9}],
        [{"kind": "DEPARTMENT_HEAD"}],
        [{"kind": "DEPARTMENT_HEAD", "department_id": finance["id"]}],
        [{"kind": "ROLE", "role": "finance_committee"}],
        [{"kind": "TEAM", "team_id": team["id"]}],
        [{"kind": "USERS", "user_ids": [(await who("head")).id, (await who("agent")).id]}],
        [{"kind": "FORM_FIELD", "field": "boss"}],
    ]
    key = await kind(*({"approvers": a} for a in stages))
    _, asked = await request(who, key, custom_fields={"boss": "outsider@example.com"})
    assert asked == [
        ["head"],
        ["manager"],
        ["head"],
        ["executive"],
        ["head"],
        ["finance1"],
        ["finance1", "finance2", "finance3"],
        ["hragent"],
        ["head", "agent"],
        ["outsider"],
    ]
    _, asked = await request(who, key, custom_fields={"boss": "nobody at all"})
    assert asked[-1] == ["admin"], "nobody found: the administrators"


async def test_a_stage_says_who_is_asked_when_nobody_is_found(who: Any, kind: Any) -> None:
    own = [{"kind": "USERS", "user_ids": [(await who("agent")).id]}]
    key = await kind({"approvers": [{"kind": "FORM_FIELD", "field": "boss"}], "fallback": own})
    ticket_id, asked = await request(who, key, custom_fields={"boss": "nobody at all"})
    assert asked == [["agent"]]
    flow = (await (await who("employee")).get(f"/tickets/{ticket_id}/approvals"))["items"][0]
    assert flow["stages"][0]["steps"][0]["reason"] == "named in the workflow: nobody else was found"
    _, asked = await request(who, key, custom_fields={"boss": "outsider"})
    assert asked == [["outsider"]]


async def test_conditions_on_form_fields_and_the_default(who: Any, kind: Any) -> None:
    big = {"field": "custom.size", "op": "gt", "value": "5"}
    key = await kind(
        {"approvers": [{"kind": "REQUESTER_MANAGER"}], "condition": {"not": big}},
        {"approvers": [{"kind": "DEPARTMENT_HEAD"}], "condition": big},
    )
    assert (await request(who, key, custom_fields={"size": 3}))[1] == [["manager"], []]
    assert (await request(who, key, custom_fields={"size": 9}))[1] == [[], ["head"]]
    assert (await request(who, await kind()))[1] == [["manager"]], "no workflow of its own: the manager"
    never = await kind({"approvers": [{"kind": "DEPARTMENT_HEAD"}], "condition": big})
    assert (await request(who, never, custom_fields={"size": 1}))[1] == [["manager"]], "no stage fits: never by itself"


async def test_running_workflows_keep_their_version(who: Any, kind: Any, find_step: Any) -> None:
    admin, head = await who("admin"), await who("head")
    key = await kind({"approvers": [{"kind": "DEPARTMENT_HEAD"}]})
    ticket_id, _ = await request(who, key)
    page = await admin.get("/approval-workflows", params={"limit": 100})
    mine = next(d for d in page["items"] if d["name"] == key)
    path = f"/approval-workflows/{mine['id']}"
    changed = {
        "name": key,
        "condition": mine["condition"],
        "stages": [{"name": "Other", "approvers": [{"kind": "REQUESTER_MANAGER"}]}],
    }
    await admin.put(path, changed | {"version": mine["version"] + 5}, expect=412)
    new = await admin.put(path, changed | {"version": mine["version"]})
    assert new["version"] == mine["version"] + 1
    assert await find_step(head, ticket_id) is not None
    assert (await request(who, key))[1] == [["manager"]]
    await admin.get("/approval-workflows/999999", expect=404)
    await admin.put("/approval-workflows/999999", changed | {"version": 1}, expect=404)


@pytest.mark.parametrize(
    ("stage", "pointer"),
    [
        ({"approvers": [{"kind": "USER", "user_id": 999_999}]}, "/stages/0/approvers/0/user_id"),
        ({"approvers": [{"kind": "USERS", "user_ids": [1, 999_999]}]}, "/stages/0/approvers/0/user_ids/1"),
        ({"approvers": [{"kind": "ROLE", "role": "nope"}]}, "/stages/0/approvers/0/role"),
        (
            {"approvers": [{"kind": "REQUESTER_MANAGER"}], "fallback": [{"kind": "TEAM", "team_id": 999_999}]},
            "/stages/0/fallback/0/team_id",
        ),
        ({"approvers": [{"kind": "TEAM", "team_id": 999_999}]}, "/stages/0/approvers/0/team_id"),
        ({"approvers": [{"kind": "DEPARTMENT_HEAD", "department_id": 999_999}]}, "/stages/0/approvers/0/department_id"),
        ({"approvers": [{"kind": "ROLE", "role": "finance_committee"}], "quorum": 4}, "/stages/0/quorum"),
        (
            {
                "approvers": [{"kind": "REQUESTER_MANAGER"}],
                "escalation": {"after_minutes": 5, "to": {"kind": "ROLE", "role": "nope"}, "repeat": 1},
            },
            "/stages/0/escalation/to/role",
        ),
    ],
)
async def test_definitions_are_checked_against_who_is_there(who: Any, stage: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    wrong = await admin.post("/approval-workflows", {"name": "Bad", "stages": [{"name": "One", **stage}]}, expect=422)
    assert wrong["errors"][0]["pointer"] == pointer
    await (await who("manager")).post("/approval-workflows", {"name": "Bad", "stages": [{}]}, expect=403)


async def test_a_decision_is_bound_to_what_was_looked_at(who: Any, hardware: Any, find_step: Any) -> None:
    employee, finance1, finance2 = [await who(n) for n in ("employee", "finance1", "finance2")]
    ticket = await ask(who, hardware, "9000.00", title="Workstations")
    one, two = await find_step(finance1, ticket["id"]), await find_step(finance2, ticket["id"])
    await finance1.post(f"/approvals/{one['id']}/approve", {"version": one["version"]})
    read = await employee.get(f"/tickets/{ticket['id']}")
    await employee.put(f"/tickets/{ticket['id']}", {"title": "A sports car", "version": read["version"]})
    stale = await finance2.post(f"/approvals/{two['id']}/approve", {"version": two["version"]}, expect=412)
    assert stale["current_version"] == two["version"] + 1
    again = await find_step(finance2, ticket["id"])
    assert again["ticket"]["title"] == "A sports car"
    assert [d["is_outdated"] for d in again["earlier_decisions"]] == [True], "who said yes said it to other words"
    await finance2.post(f"/approvals/{two['id']}/approve", {"version": again["version"]})
    (flow,) = (await employee.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    steps = {s["approver"]["username"]: s for stage in flow["stages"] for s in stage["steps"]}
    assert steps["finance1"]["is_outdated"]
    assert not steps["finance2"]["is_outdated"]


async def test_an_edit_of_whatever_decides_the_way_asks_again(who: Any, hardware: Any, find_step: Any) -> None:
    admin, employee, manager, head = [await who(n) for n in ("admin", "employee", "manager", "head")]
    key = "SERVER_ROOM"
    form = {"type": "object", "properties": {}}
    await admin.post("/ticket-types", {"key": key, "name": "Server room", "form": form}, expect=201)
    has_server = {"all": [{"field": "title", "op": "contains", "value": "server"}]}
    stages = [
        {"name": "Head", "condition": has_server, "approvers": [{"kind": "USER", "user_id": head.id}]},
        {"name": "Manager", "condition": None, "approvers": [{"kind": "REQUESTER_MANAGER"}]},
    ]
    only = {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}
    await admin.post("/approval-workflows", {"name": key, "condition": only, "stages": stages}, expect=201)
    body = {"title": "A mouse", "ticket_type": key, "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    assert await find_step(manager, ticket["id"]) is not None
    path = f"/tickets/{ticket['id']}"
    await employee.put(path, {"title": "A new server", "version": ticket["version"]})
    assert await find_step(manager, ticket["id"]) is None
    assert await find_step(head, ticket["id"]) is not None


async def test_no_currency_gets_around_a_limit(
    who: Any, hardware: Any, find_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    employee, manager, finance1 = [await who(n) for n in ("employee", "manager", "finance1")]
    gold = await employee.post("/tickets", hardware("900.00", currency="XAU"), expect=201)
    assert await find_step(finance1, gold["id"]) is not None, "without a rate it counts as the largest of all"
    monkeypatch.setenv("EXCHANGE_RATES", '{"JPY": "0.0065"}')
    get_settings.cache_clear()
    yen = await employee.post("/tickets", hardware("90000.00", currency="JPY"), expect=201)
    assert yen["currency"] == "JPY"
    assert await find_step(manager, yen["id"]) is not None
    path = f"/tickets/{yen['id']}"
    more = await employee.put(path, {"amount": "95000.00", "version": yen["version"]})
    assert more["currency"] == "JPY", "an amount alone keeps its currency"
    dollars = await employee.put(path, {"currency": "USD", "version": more["version"]})
    assert dollars["currency"] == "USD"
    assert await find_step(finance1, yen["id"]) is not None
    gone = await employee.put(path, {"amount": None, "version": dollars["version"]}, expect=422)
    assert gone["errors"][0]["pointer"] == "/amount"
    monkeypatch.undo()
    get_settings.cache_clear()


async def test_nobody_is_asked_who_may_not_decide(who: Any, hardware: Any, find_step: Any) -> None:
    admin, manager, auditor = [await who(n) for n in ("admin", "manager", "auditor")]
    ticket = await ask(who, hardware)
    step = await find_step(manager, ticket["id"])
    wrong = await manager.post(f"/approvals/{step['id']}/delegate", {"delegate_to": auditor.id}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/delegate_to"
    key = "AUDITORS_YES"
    form = {"type": "object", "properties": {}}
    await admin.post("/ticket-types", {"key": key, "name": "Odd", "form": form}, expect=201)
    stages = [{"name": "Audit", "condition": None, "approvers": [{"kind": "USER", "user_id": auditor.id}]}]
    only = {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}
    await admin.post("/approval-workflows", {"name": key, "condition": only, "stages": stages}, expect=201)
    body = {"title": "Odd", "ticket_type": key, "custom_fields": {}, "submit": True}
    odd = await (await who("employee")).post("/tickets", body, expect=201)
    executive = await find_step(await who("executive"), odd["id"])
    assert "cannot decide it any more" in executive["reason"], "the auditor's manager is asked instead"
