"""The main job over HTTP, and what bad input and bad luck get."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import event

from waypost.directory.names import names


async def test_scenario_one(who: Any, hardware: Any, find_step: Any) -> None:
    """Somebody asks, the right person approves, the team fulfils, and every step stands in the history."""
    employee, manager, agent = await who("employee"), await who("manager"), await who("agent")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    assert ticket["status"] == "IN_REVIEW"
    assert ticket["ticket_number"].startswith("ITH-")
    assert set(ticket["allowed_actions"]) >= {"edit", "withdraw", "comment"}
    step = await find_step(manager, ticket["id"])
    assert step is not None
    assert step["reason"].startswith("the requester's manager")
    done = await manager.post(f"/approvals/{step['id']}/approve", {"comments": "Fine"})
    assert done["step"]["status"] == done["workflow"]["status"] == "APPROVED"
    ticket = await agent.post(f"/tickets/{ticket['id']}/assign", {"assignee_id": agent.id})
    assert ticket["assignee"]["username"] == "agent"
    await agent.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_PROGRESS"})
    await agent.post(f"/tickets/{ticket['id']}/transitions", {"to": "COMPLETED", "comment": "On your desk"})
    ticket = await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "CLOSED"})
    assert ticket["status"] == "CLOSED"
    assert ticket["allowed_actions"] == []
    history = await employee.get(f"/tickets/{ticket['id']}/history")
    assert [e["type"] for e in history["items"]] == [
        "ticket.created",
        "ticket.submitted",
        "ticket.review_started",
        "approval.started",
        "approval.requested",
        "sla.attached",
        "approval.approved",
        "ticket.approved",
        "ticket.assigned",
        "ticket.work_started",
        "ticket.completed",
        "comment.created",
        "ticket.closed",
    ]


async def test_draft_edit_and_stale_version(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    draft = await employee.post("/tickets", hardware(submit=False, custom_fields={}), expect=201)
    assert draft["status"] == "DRAFT"
    lacking = await employee.post(f"/tickets/{draft['id']}/submit", expect=422)
    assert {e["pointer"] for e in lacking["errors"]} == {"/custom_fields/budget_code", "/custom_fields/justification"}
    path = f"/tickets/{draft['id']}"
    await employee.put(path, {"title": "Without a version"}, expect=428)
    edited = await employee.put(path, {"title": "Another title", "version": draft["version"]})
    assert edited["version"] == draft["version"] + 1
    stale = await employee.put(path, {"title": "Too late", "version": draft["version"]}, expect=412)
    assert stale["code"] == "stale_version"
    etag = (await employee.get(path, expect=None)).headers["etag"]
    await employee.put(path, {"custom_fields": hardware()["custom_fields"]}, headers={"If-Match": etag})
    await employee.put(path, {"title": "x"}, expect=412, headers={"If-Match": "nonsense"})
    await employee.put(path, {"title": "x", "version": 1}, expect=412, headers={"If-Match": '"1-9"'})
    submitted = await employee.post(f"{path}/submit")
    assert submitted["status"] == "IN_REVIEW"
    await employee.post(f"{path}/submit", expect=409)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"title": ""}, "/title"),
        ({"title": 5}, "/title"),
        ({"title": None}, "/title"),
        ({"priority": "SOON"}, "/priority"),
        ({"amount": "-1"}, "/amount"),
        ({"amount": 1.5}, "/amount"),
        ({"amount": "1e5"}, "/amount"),
        ({"currency": "dollars"}, "/currency"),
        ({"due_date": "tomorrow"}, "/due_date"),
        ({"due_date": "2030-02-30T00:00:00Z"}, "/due_date"),
        ({"ticket_type": "NO_SUCH_TYPE"}, "/ticket_type"),
        ({"custom_fields": {"budget_code": 5, "justification": "x"}}, "/custom_fields/budget_code"),
        ({"custom_fields": {"budget_code": "x"}}, "/custom_fields/justification"),
        ({"custom_fields": {"budget_code": "x", "justification": "y", "more": 1}}, "/custom_fields/more"),
        ({"ticket_type": "HR", "amount": "5.00", "custom_fields": {}}, "/amount"),
    ],
)
async def test_bad_input_names_the_field(who: Any, hardware: Any, change: dict[str, Any], pointer: str) -> None:
    employee = await who("employee")
    before = (await employee.get("/tickets", params={"requester_id": "me", "limit": 1}))["items"][0]["id"]
    problem = await employee.post("/tickets", hardware() | change, expect=422)
    assert pointer in [e["pointer"] for e in problem["errors"]]
    after = (await employee.get("/tickets", params={"requester_id": "me", "limit": 1}))["items"][0]["id"]
    assert before == after, "something was stored"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 5000,
        b'{"title": "a\\u0000b"}',
        b'{"title": "\\ud800"}',
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"title": "x", "title": "y"}',
        b"null",
        b'{"custom_fields": ' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}",
    ],
)
async def test_hostile_bodies_are_a_problem(who: Any, body: bytes) -> None:
    employee = await who("employee")
    answer = await employee.post("/tickets", expect=None, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_too_large_and_wrong_type(who: Any) -> None:
    employee = await who("employee")
    json = {"Content-Type": "application/json"}
    answer = await employee.post("/tickets", expect=None, content=b'"' + b"a" * 1_100_000 + b'"', headers=json)
    assert answer.status_code == 413
    answer = await employee.post("/tickets", expect=None, content=b"title=x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


async def test_order_of_refusals(who: Any, hardware: Any) -> None:
    """401, then 404, then 403, then 422, then 409 (contract, Conventions)."""
    ticket = await (await who("employee")).post("/tickets", hardware(), expect=201)
    path = f"/tickets/{ticket['id']}"
    await (await who(None)).put(path, {"surprise": 1}, expect=401)
    await (await who("outsider")).put(path, {"surprise": 1}, expect=404)
    await (await who("auditor")).put(path, {"title": "Mine now", "version": 1}, expect=403)
    await (await who("employee")).put(path, {"surprise": 1, "version": 1}, expect=422)
    await (await who("employee")).post(f"{path}/transitions", {"to": "COMPLETED"}, expect=409)


async def test_twenty_edits_of_one_version_are_one(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    ticket = await employee.post("/tickets", hardware(submit=False), expect=201)
    path, version = f"/tickets/{ticket['id']}", ticket["version"]
    answers = await asyncio.gather(
        *(employee.put(path, {"title": f"Edit {n}", "version": version}, expect=None) for n in range(20))
    )
    assert sorted(a.status_code for a in answers) == [200] + [412] * 19


async def test_idempotency_key(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    body, key = hardware(), {"Idempotency-Key": "test-key-1"}
    answers = await asyncio.gather(*(employee.post("/tickets", body, expect=201, headers=key) for _ in range(5)))
    assert len({a["id"] for a in answers}) == 1
    again = await employee.post("/tickets", body, expect=None, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    other = await employee.post("/tickets", hardware(), expect=422, headers=key)
    assert other["code"] == "idempotency_key_reused"
    await (await who("colleague")).post("/tickets", body, expect=201, headers=key)


async def test_numbers_are_unique_under_load(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    made = await asyncio.gather(*(employee.post("/tickets", hardware(submit=False), expect=201) for _ in range(30)))
    assert len({t["ticket_number"] for t in made}) == 30


async def test_internal_comments_stay_internal(who: Any) -> None:
    employee, agent, auditor = await who("employee"), await who("agent"), await who("auditor")
    body = {"title": "Printer", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    ticket = await employee.post("/tickets", body, expect=201)
    assert ticket["status"] == "APPROVED", "needs nobody's approval"
    path = f"/tickets/{ticket['id']}/comments"
    await agent.post(path, {"body": "The old one again", "visibility": "INTERNAL"}, expect=201)
    await agent.post(path, {"body": "We look at it"}, expect=201)
    await employee.post(path, {"body": "x", "visibility": "INTERNAL"}, expect=403)
    await auditor.post(path, {"body": "x"}, expect=403)
    assert [c["body"] for c in (await employee.get(path))["items"]] == ["We look at it"]
    assert len((await agent.get(path))["items"]) == len((await auditor.get(path))["items"]) == 2
    assert (await employee.get(f"/tickets/{ticket['id']}"))["comment_count"] == 1
    words = str(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert "INTERNAL" not in words


async def test_assigning(who: Any, find_step: Any) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    body = {"title": "Screen", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    ticket = await employee.post("/tickets", body, expect=201)
    path = f"/tickets/{ticket['id']}"
    people = await agent.get(f"{path}/assignees")
    assert {p["username"] for p in people["items"]} == {"agent", "agent2"}
    await employee.post(f"{path}/assign", {"assignee_id": employee.id}, expect=403)
    wrong = await agent.post(f"{path}/assign", {"assignee_id": employee.id}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/assignee_id"
    await agent.post(f"{path}/assign", {"assignee_id": agent2.id, "team_id": 999_999}, expect=422)
    given = await agent.post(f"{path}/assign", {"assignee_id": agent2.id})
    assert given["assignee"]["id"] == agent2.id
    same = await agent.post(f"{path}/assign", {"assignee_id": agent2.id})
    assert same["version"] == given["version"], "nothing changed"
    nobody = await agent.post(f"{path}/assign", {"assignee_id": None})
    assert nobody["assignee"] is None
    team = next(t["id"] for t in (await agent.get("/teams"))["items"] if t["name"] == "HR Services")
    moved = await agent.post(f"{path}/assign", {"assignee_id": None, "team_id": team}, expect=None)
    assert moved.status_code == 204, "the ticket is HR's now, and the agent may not see it any more"
    await agent.get(path, expect=404)
    assert (await (await who("hragent")).get(path))["team"]["id"] == team


async def test_reopen_and_withdraw(who: Any, hardware: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    body = {"title": "Mouse", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    ticket = await employee.post("/tickets", body, expect=201)
    path = f"/tickets/{ticket['id']}/transitions"
    for to in ("IN_PROGRESS", "COMPLETED"):
        await agent.post(path, {"to": to})
    again = await employee.post(path, {"to": "IN_PROGRESS", "comment": "It squeaks"})
    assert again["status"] == "IN_PROGRESS"
    assert again["completed_at"] is None
    asked = await employee.post("/tickets", hardware(), expect=201)
    back = await employee.post(f"/tickets/{asked['id']}/transitions", {"to": "DRAFT"})
    assert back["status"] == "DRAFT"
    flow = await employee.get(f"/tickets/{asked['id']}/approvals")
    assert [w["status"] for w in flow["items"]] == ["CANCELLED"]


async def test_lists_filter_sort_and_page(who: Any) -> None:
    agent = await who("agent")
    seen: list[int] = []
    cursor = None
    while True:
        page = await agent.get(
            "/tickets",
            params={"limit": 7, "status": ["APPROVED", "IN_PROGRESS"], **({"cursor": cursor} if cursor else {})},
        )
        assert all(t["status"] in ("APPROVED", "IN_PROGRESS") for t in page["items"])
        seen += [t["id"] for t in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) > 3
    for sort in ("created_at", "-updated_at", "priority", "-priority", "due_date", "-due_date"):
        first = await agent.get("/tickets", params={"sort": sort, "limit": 3})
        second = await agent.get("/tickets", params={"sort": sort, "limit": 3, "cursor": first["next_cursor"]})
        assert not {t["id"] for t in first["items"]} & {t["id"] for t in second["items"]}
        await agent.get("/tickets", params={"sort": "-created_at", "cursor": first["next_cursor"]}, expect=422)
    found = await agent.get("/tickets", params={"q": "VPN drops"})
    assert any("VPN" in t["title"] for t in found["items"])
    for odd in ("'", "%", "\\", "a & | !", '"', "(((", "   ", "漢字", "a:*"):
        await agent.get("/tickets", params={"q": odd})
    for wrong in (
        {"limit": 0},
        {"limit": 101},
        {"status": "SOON"},
        {"cursor": "x"},
        {"sort": "title"},
        {"assignee_id": "him"},
    ):
        await agent.get("/tickets", params=wrong, expect=422)
    mine = await agent.get("/tickets", params={"assignee_id": "me"})
    assert all(t["assignee"]["username"] == "agent" for t in mine["items"])
    free = await agent.get(
        "/tickets", params={"assignee_id": ["none", str(agent.id)], "created_from": "2020-01-01T00:00:00Z"}
    )
    assert all(t["assignee"] is None or t["assignee"]["username"] == "agent" for t in free["items"])
    none = await agent.get(
        "/tickets", params={"created_to": "2020-01-01T00:00:00Z", "due_before": "2020-01-01T00:00:00Z"}
    )
    assert none["items"] == []


async def test_an_edit_in_review_asks_again_only_when_it_matters(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, head = await who("employee"), await who("manager"), await who("head")
    ticket = await employee.post("/tickets", hardware("900.00"), expect=201)
    path = f"/tickets/{ticket['id']}"
    old = await find_step(manager, ticket["id"])
    typo = await employee.put(path, {"title": "Typo gone", "version": ticket["version"]})
    kept = await find_step(manager, ticket["id"])
    assert kept["id"] == old["id"]
    assert kept["ticket"]["title"] == "Typo gone"
    changed = await employee.put(path, {"amount": "4500.00", "currency": "USD", "version": typo["version"]})
    assert changed["status"] == "IN_REVIEW"
    assert await find_step(manager, ticket["id"]) is None
    step = await find_step(head, ticket["id"])
    refused = await manager.post(f"/approvals/{old['id']}/approve", {}, expect=409)
    assert refused["code"] == "step_decided"
    await head.post(f"/approvals/{step['id']}/request-info", {"comments": "Which model?"})
    assert (await employee.get(path))["status"] == "PENDING_INFO"
    lower = await employee.put(
        path, {"amount": "200.00", "currency": "USD", "version": (await employee.get(path))["version"]}
    )
    assert lower["status"] == "IN_REVIEW", "the question went with the place it was asked in"
    assert await find_step(manager, ticket["id"]) is not None
    flow = await employee.get(f"{path}/approvals")
    [round_] = flow["items"]
    assert round_["status"] == "RUNNING"
    told = [(s["order"], s["status"]) for s in round_["stages"] if s["steps"]]
    assert told == [(1, "SUPERSEDED"), (1, "OPEN"), (2, "SUPERSEDED")], "one round; what changed is asked again"
    assert "amount changed from 4,500.00 USD to 200.00 USD" in round_["stages"][-2][
        "reason"
    ] or "amount changed" in str(flow)


async def test_nothing_approved_is_changed_afterwards(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager, agent = await who("employee"), await who("manager"), await who("agent")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve")
    now = await agent.get(f"/tickets/{ticket['id']}")
    refused = await agent.put(
        f"/tickets/{ticket['id']}", {"amount": "9.00", "currency": "USD", "version": now["version"]}, expect=409
    )
    assert refused["code"] == "approved_facts"
    fine = await agent.put(f"/tickets/{ticket['id']}", {"due_date": "2031-01-01T00:00:00Z", "version": now["version"]})
    assert fine["due_date"].startswith("2031-01-01")


async def test_what_was_written_before_it_was_sent_is_nobody_else_s(who: Any, hardware: Any, find_step: Any) -> None:
    employee, manager = await who("employee"), await who("manager")
    draft = await employee.post("/tickets", hardware(title="Complaint", submit=False), expect=201)
    path = f"/tickets/{draft['id']}"
    edited = await employee.put(path, {"description": "About somebody", "version": draft["version"]})
    cleaned = await employee.put(path, {"description": "", "title": "A laptop", "version": edited["version"]})
    await employee.post(f"{path}/submit")
    assert cleaned["title"] == "A laptop"
    theirs, own = await manager.get(f"{path}/history"), await employee.get(f"{path}/history")
    assert "About somebody" not in str(theirs)
    assert "About somebody" in str(own)
    await employee.post(f"{path}/transitions", {"to": "DRAFT"})
    read = await employee.get(path)
    await employee.put(path, {"title": "Secret plans", "version": read["version"]})
    await manager.get(path, expect=404)
    assert "Secret plans" not in str(await manager.get("/notifications", params={"limit": 100}))


async def test_a_version_belongs_to_its_ticket(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    one, two = [await employee.post("/tickets", hardware(submit=False), expect=201) for _ in range(2)]
    foreign = {"If-Match": f'"{one["id"]}-{two["version"]}"'}
    await employee.put(f"/tickets/{two['id']}", {"title": "Other"}, expect=412, headers=foreign)
    own = {"If-Match": f'"{two["id"]}-{two["version"]}"'}
    await employee.put(f"/tickets/{two['id']}", {"title": "Other"}, headers=own)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/tickets?limit=100", 1),
        ("/tickets?limit=100&q=laptop", 2),  # what the words find, and of that the list
        ("/tickets/{id}", 2),
        ("/tickets/{id}/comments", 2),
        ("/tickets/{id}/history", 2),
        ("/tickets/{id}/approvals", 12),  # while it runs, with all that is to come foretold
        ("/approvals/pending?limit=100", 4),
        ("/notifications?limit=100", 2),
        ("/reports/dashboard", 7),
        ("/people?limit=100", 1),
        ("/ticket-types?limit=100", 1),
    ],
)
async def test_a_screen_costs_few_statements(who: Any, hardware: Any, database: Any, path: str, most: int) -> None:
    manager = await who("manager")
    ticket = await (await who("employee")).post("/tickets", hardware(), expect=201)
    path = path.replace("{id}", str(ticket["id"]))
    names.forget()
    await manager.get(path)  # names of people and teams are known now, for half a minute
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:  # who asks is looked up once a second
            statements.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", count)
    try:
        await manager.get(path)
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", count)
    assert len(statements) <= most, statements
