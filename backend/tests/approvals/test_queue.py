"""The queue over HTTP: what a card holds, stale decisions, what is decided one by one, counts, costs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from waypost.directory.names import names
from waypost.kernel.settings import get_settings


async def ask(who: Any, hardware: Any, amount: str | None = "500.00", by: str = "employee", **more: Any) -> Any:
    return await (await who(by)).post("/tickets", hardware(amount, **more), expect=201)


async def edit(who: Any, ticket: dict[str, Any], by: str = "employee", **new: Any) -> None:
    person = await who(by)
    now = await person.get(f"/tickets/{ticket['id']}")
    await person.put(f"/tickets/{ticket['id']}", {**new, "version": now["version"]})


async def first_asked(who: Any, ticket: dict[str, Any]) -> dict[str, Any]:
    flow = (await (await who("employee")).get(f"/tickets/{ticket['id']}/approvals"))["items"][0]
    return dict(next(s for stage in flow["stages"] for s in stage["steps"] if s["status"] == "PENDING"))


async def test_a_card_holds_what_is_needed_to_decide(who: Any, hardware: Any, find_step: Any) -> None:
    employee, one, two = [await who(n) for n in ("employee", "finance1", "finance2")]
    ticket = await ask(who, hardware, "9000.00")
    path = f"/tickets/{ticket['id']}/attachments"
    await employee.post(path, expect=201, files={"file": ("offer.txt", b"9000", "text/plain")})
    agent = await who("agent")
    secret = {"visibility": (None, "INTERNAL"), "file": ("notes.txt", b"x", "text/plain")}
    await agent.post(path, expect=201, files=secret)
    first = await find_step(one, ticket["id"])
    assert first["stage"] == {
        "number": 1,
        "of": 1,
        "mode": "PARALLEL",
        "needed": 2,
        "seats": 3,
        "approved": 0,
        "rejected": 0,
        "first_answer_counts": False,
    }
    assert [(a["person"]["username"], a["status"]) for a in first["also_asked"]] == [
        ("finance2", "PENDING"),
        ("finance3", "PENDING"),
    ]
    assert [(f["filename"], f["size"]) for f in first["ticket"]["attachments"]] == [("offer.txt", 4)]
    assert first["ticket"]["is_confidential"] is False
    assert first["ticket"]["requester"]["username"] == "employee"
    await one.post(f"/approvals/{first['id']}/approve", {"comments": "Within the budget"})
    second = await find_step(two, ticket["id"])
    assert (second["stage"]["approved"], [a["person"]["username"] for a in second["also_asked"]]) == (1, ["finance3"])
    (said,) = second["earlier_decisions"]
    assert (said["by"]["username"], said["status"], said["comments"]) == ("finance1", "APPROVED", "Within the budget")
    assert (said["is_outdated"], said["changes"]) == (False, [])


async def test_confidential_requests_say_so(who: Any, hardware: Any, find_step: Any) -> None:
    ticket = await ask(who, hardware, is_confidential=True)
    step = await find_step(await who("manager"), ticket["id"])
    assert step["ticket"]["is_confidential"] is True


async def test_a_stale_decision_is_refused_with_the_difference(who: Any, hardware: Any, find_step: Any) -> None:
    manager = await who("manager")
    ticket = await ask(who, hardware, title="Workstation", priority="LOW")
    step = await find_step(manager, ticket["id"])
    await edit(who, ticket, title="Sports car", description="Red, please")
    stale = await manager.post(f"/approvals/{step['id']}/approve", {"version": step["version"]}, expect=412)
    assert stale["code"] == "stale_version"
    assert stale["current_version"] == step["version"] + 1
    assert [(c["field"], c["label"], c["before"], c["after"]) for c in stale["changes"]] == [
        ("title", "Title", "Workstation", "Sports car"),
        ("description", "Description", None, "Red, please"),
    ]
    told = await manager.get(f"/approvals/{step['id']}/changes", params={"since": step["version"]})
    assert told == {"version": stale["current_version"], "changes": stale["changes"]}
    await edit(who, ticket, title="Workstation", description="")
    back = await manager.get(f"/approvals/{step['id']}/changes", params={"since": step["version"]})
    assert back == {"version": step["version"] + 2, "changes": []}, "it reads as it did, under a new version"
    never = await manager.post(f"/approvals/{step['id']}/approve", {"version": 77}, expect=412)
    assert never["changes"] == [], "a version that never was"
    many = {"step_ids": [step["id"]], "action": "APPROVE", "versions": {str(step["id"]): 2}}
    (result,) = (await manager.post("/approvals/bulk", many))["results"]
    assert [c["field"] for c in result["error"]["changes"]] == ["title", "description"]
    await manager.post(f"/approvals/{step['id']}/approve", {"version": back["version"]})


async def test_changes_are_read_by_who_sees_the_request(who: Any, hardware: Any, find_step: Any) -> None:
    ticket = await ask(who, hardware)
    path = f"/approvals/{(await find_step(await who('manager'), ticket['id']))['id']}/changes"
    assert (await (await who("employee")).get(path)) == {"version": 1, "changes": []}
    for name, status in (("outsider", 404), ("colleague", 404), (None, 401)):
        await (await who(name)).get(path, expect=status)
    for since in ("0", "x", str(2**63), "nan"):
        await (await who("manager")).get(path, expect=422, params={"since": since})
    await (await who("manager")).get("/approvals/999999999/changes", expect=404)


async def test_what_changed_since_others_decided(who: Any, hardware: Any, find_step: Any) -> None:
    one, two = await who("finance1"), await who("finance2")
    ticket = await ask(who, hardware, "9000.00", title="Ten screens")
    step = await find_step(one, ticket["id"])
    await one.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})
    await edit(who, ticket, title="Ten big screens")
    (said,) = (await find_step(two, ticket["id"]))["earlier_decisions"]
    assert said["is_outdated"]
    assert [(c["field"], c["before"], c["after"]) for c in said["changes"]] == [
        ("title", "Ten screens", "Ten big screens")
    ]


async def test_who_is_asked_again_reads_what_they_said_before(who: Any, hardware: Any, find_step: Any) -> None:
    one = await who("finance1")
    ticket = await ask(who, hardware, "9000.00")
    step = await find_step(one, ticket["id"])
    await one.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})
    await edit(who, ticket, amount="9500.00")
    again = await find_step(one, ticket["id"])
    assert again["id"] != step["id"]
    assert [again["stage"][k] for k in ("number", "of", "seats", "approved")] == [1, 1, 3, 0]
    assert len(again["also_asked"]) == 2
    (said,) = again["earlier_decisions"]
    assert (said["by"]["username"], said["status"], said["is_outdated"]) == ("finance1", "APPROVED", True)
    assert [(c["before"], c["after"]) for c in said["changes"]] == [("9000.00 USD", "9500.00 USD")]


@pytest.mark.parametrize(
    ("amount", "more", "why"),
    [
        ("5000.00", {}, None),
        ("5000.01", {}, "AMOUNT"),
        (None, {}, None),
        ("10.00", {"priority": "CRITICAL"}, "EMERGENCY"),
        ("10.00", {"currency": "XAU"}, "AMOUNT"),
    ],
)
async def test_what_is_large_or_urgent_is_decided_one_by_one(
    who: Any, hardware: Any, find_step: Any, amount: str | None, more: dict[str, Any], why: str | None
) -> None:
    ticket = await ask(who, hardware, amount, **more)
    person = await who((await first_asked(who, ticket))["approver"]["username"])
    step = await find_step(person, ticket["id"])
    assert (step["one_by_one"] or {}).get("why") == why
    for action in ("APPROVE", "REJECT"):
        body = {"step_ids": [step["id"]], "action": action, "comments": "all of them"}
        (result,) = (await person.post("/approvals/bulk", body))["results"]
        if why is None:
            assert result["ok"]
            break
        assert result["error"]["code"] == "one_by_one"
    else:
        await person.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})


async def test_who_is_not_asked_learns_nothing_of_limits(who: Any, hardware: Any, find_step: Any) -> None:
    ticket = await ask(who, hardware, "9000.00")
    step = await find_step(await who("finance1"), ticket["id"])
    body = {"step_ids": [step["id"]], "action": "APPROVE"}
    (result,) = (await (await who("hragent")).post("/approvals/bulk", body))["results"]
    assert result["error"]["code"] == "step_not_found"


async def test_an_edit_makes_it_large(who: Any, hardware: Any, find_step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another currency for the same amount: what it is worth is judged anew."""
    monkeypatch.setenv("EXCHANGE_RATES", '{"JPY": "0.0065"}')
    get_settings.cache_clear()
    ticket = await ask(who, hardware, "6000.00", currency="JPY")
    step = await find_step(await who("manager"), ticket["id"])
    assert step["one_by_one"] is None, "39 dollars"
    await edit(who, ticket, currency="USD")
    large = await find_step(await who("finance1"), ticket["id"])
    assert large["one_by_one"] == {"why": "AMOUNT", "above": "5000.00", "currency": "USD"}
    monkeypatch.undo()
    get_settings.cache_clear()


async def test_filters_and_summary(fresh_who: Any, hardware: Any) -> None:
    employee, manager = await fresh_who("employee"), await fresh_who("manager")
    before = await manager.get("/approvals/pending/summary")
    for amount in ("100.00", "250.50", None):
        await employee.post("/tickets", hardware(amount), expect=201)
    euros = await employee.post("/tickets", hardware("5.00", currency="USD"), expect=201)
    page = await manager.get("/approvals/pending", params={"limit": 100})
    step = next(i for i in page["items"] if i["ticket"]["id"] == euros["id"])
    await manager.post(f"/approvals/{step['id']}/request-info", {"comments": "Why?"})
    now = await manager.get("/approvals/pending/summary")
    assert now["count"] == before["count"] + 4
    assert now["waiting_for_answer"] == before["waiting_for_answer"] + 1
    assert now["overdue"] == before["overdue"]

    def usd(summary: Any) -> float:
        return sum(float(t["amount"]) for t in summary["totals"] if t["currency"] == "USD")

    assert usd(now) - usd(before) == pytest.approx(355.50)
    assert sum(w["count"] for w in now["by_workflow"]) == sum(t["count"] for t in now["by_type"]) == now["count"]
    kind = next(t for t in now["by_type"] if t["key"] == "IT_HARDWARE")
    only = await manager.get("/approvals/pending", params={"limit": 100, "ticket_type": "IT_HARDWARE"})
    assert len(only["items"]) == kind["count"]
    assert {i["ticket"]["ticket_type"] for i in only["items"]} == {"IT_HARDWARE"}
    workflow = now["by_workflow"][0]
    only = await manager.get("/approvals/pending", params={"limit": 100, "workflow": workflow["name"]})
    assert len(only["items"]) == workflow["count"]
    assert (await manager.get("/approvals/pending", params={"workflow": "none of that name"}))["items"] == []
    await manager.get("/approvals/pending", params={"workflow": "x" * 101}, expect=422)
    await (await fresh_who("auditor")).get("/approvals/pending/summary", expect=403)


@pytest.mark.parametrize("path", ["/approvals/pending?limit=100", "/approvals/pending/summary"])
async def test_it_costs_as_much_for_many_as_for_few(who: Any, hardware: Any, database: Any, path: str) -> None:
    one = await who("finance3")
    for n in range(4):
        ticket = await ask(who, hardware, "9000.00")
        step = await first_asked(who, ticket)
        other = await who(step["approver"]["username"])
        await other.post(f"/approvals/{step['id']}/approve", {"version": 1})
        await edit(who, ticket, title=f"Changed {n}")
    names.forget()
    await one.get(path)
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:  # who asks is looked up once a second
            statements.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", count)
    try:
        await one.get(path)
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", count)
    # the page, what stands beside it, and earlier wordings where there are any
    assert len(statements) <= (1 if path.endswith("summary") else 3), statements


async def test_every_version_is_kept(who: Any, hardware: Any, database: Any) -> None:
    ticket = await ask(who, hardware, title="One")
    await edit(who, ticket, title="Two")
    await edit(who, ticket, title="Two")
    statement = text(
        "SELECT v.version, v.subject->>'title' FROM approval_subject_versions v"
        " JOIN approval_workflows w ON w.id = v.workflow_id WHERE w.subject_id = :id ORDER BY 1"
    )
    async with database.read() as session:
        rows = (await session.execute(statement, {"id": ticket["id"]})).all()
    assert [tuple(r) for r in rows] == [(1, "One"), (2, "Two")]


async def test_a_workflow_says_above_what_it_is_alone(who: Any, find_step: Any) -> None:
    admin, employee, manager = [await who(n) for n in ("admin", "employee", "manager")]
    key = "SMALL_THINGS"
    form = {"type": "object", "properties": {}}
    await admin.post(
        "/ticket-types", {"key": key, "name": "Small things", "form": form, "has_amount": True}, expect=201
    )
    workflow = {
        "name": "Small things",
        "condition": {"all": [{"field": "ticket_type", "op": "eq", "value": key}]},
        "stages": [{"name": "Manager", "approvers": [{"kind": "REQUESTER_MANAGER"}]}],
        "one_by_one_above": "20.00",
    }
    await admin.post("/approval-workflows", workflow, expect=201)
    for amount, alone in (("20.00", None), ("20.01", {"why": "AMOUNT", "above": "20.00", "currency": "USD"})):
        body = {"title": "Pens", "ticket_type": key, "custom_fields": {}, "amount": amount, "submit": True}
        ticket = await employee.post("/tickets", body | {"currency": "USD"}, expect=201)
        assert (await find_step(manager, ticket["id"]))["one_by_one"] == alone
