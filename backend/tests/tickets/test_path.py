"""The path of a request that is still written: what is shown is what is asked when it is sent, and nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.approvals.test_foreseeing import counted
from waypost.kernel.events import EventRow
from waypost.tickets.models import Ticket


def promised(path: dict[str, Any]) -> list[Any]:
    return [
        [s["name"], s["mode"], s["needed"], [p["person"]["username"] for p in s["people"]]]
        for s in path["stages"]
        if s["applies"]
    ]


async def asked(api: Any, ticket_id: int) -> list[Any]:
    flow = (await api.get(f"/tickets/{ticket_id}/approvals"))["items"][0]
    return [
        [s["name"], s["mode"], s["needed"], [t["approver"]["username"] for t in s["steps"]]]
        for s in flow["stages"]
        if s["status"] != "SKIPPED"
    ]


@pytest.mark.parametrize("by", ["employee", "manager", "head", "executive", "finance1", "ithead", "agent", "outsider"])
async def test_what_is_shown_is_what_is_asked(who: Any, hardware: Any, by: str) -> None:
    api = await who(by)
    for amount in (None, "0", "999.99", "1000.00", "5000.00", "5000.01"):
        for priority in ("MEDIUM", "CRITICAL"):
            body = hardware(amount, priority=priority)
            path = await api.post("/tickets/path", body)
            ticket = await api.post("/tickets", body, expect=201)
            assert promised(path) == await asked(api, ticket["id"]), body
            assert path["needs_approval"] is True
            assert path["is_emergency"] is (priority == "CRITICAL")
            await api.post(f"/tickets/{ticket['id']}/transitions", {"to": "DRAFT"})  # out of their queues


async def test_the_path_changes_with_the_amount_and_says_why(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    path = await employee.post("/tickets/path", hardware("999.00"))
    assert promised(path) == [["Manager", "PARALLEL", 1, ["manager"]]]
    path = await employee.post("/tickets/path", hardware("6000.00"))
    assert promised(path) == [["Finance Committee", "PARALLEL", 2, ["finance1", "finance2", "finance3"]]]
    [stage] = [s for s in path["stages"] if s["applies"]]
    assert stage["why"] == "amount is above 5,000"
    assert path["workflow"]["name"] == "Purchases by amount"
    assert path["missing"] == []


async def test_an_unfinished_form_has_a_path_and_says_what_it_depends_on(who: Any) -> None:
    employee = await who("employee")
    path = await employee.post("/tickets/path", {"ticket_type": "IT_HARDWARE"})
    assert promised(path) == [["Manager", "PARALLEL", 1, ["manager"]]]
    assert path["missing"] == [{"field": "amount", "label": "amount"}]
    broken = {"ticket_type": "IT_HARDWARE", "custom_fields": {"budget_code": 7, "nothing_like_it": [1]}}
    assert promised(await employee.post("/tickets/path", broken)) == promised(path)
    # an amount that the type does not ask for decides nothing
    support = {"ticket_type": "IT_SUPPORT", "title": "Broken", "amount": "9000.00", "currency": "USD"}
    path = await employee.post("/tickets/path", support)
    assert (path["needs_approval"], path["workflow"], path["stages"]) == (False, None, [])


async def test_on_behalf_of_somebody_it_goes_by_them(who: Any, hardware: Any) -> None:
    manager, employee, outsider = await who("manager"), await who("employee"), await who("outsider")
    body = hardware("10.00", requester_id=employee.id)
    path = await manager.post("/tickets/path", body)
    ticket = await manager.post("/tickets", body, expect=201)
    assert promised(path) == await asked(manager, ticket["id"]) == [["Manager", "PARALLEL", 1, ["head"]]]
    await employee.post("/tickets/path", {**body, "requester_id": outsider.id, "no": 1}, expect=403)


async def test_what_creating_refuses_only_where_it_must(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    unknown = await employee.post("/tickets/path", {"ticket_type": "NO_SUCH"}, expect=422)
    assert unknown["errors"][0]["pointer"] == "/ticket_type"
    for wrong in (
        {"amount": "NaN"},
        {"amount": "-1"},
        {"title": "x" * 10_000},
        {"title": "a\x00b"},
        {"due_date": "99999-01-01T00:00:00Z"},
        {"requester_id": 2**63},
        {"surprise": 1},
        {"priority": "URGENT"},
    ):
        await employee.post("/tickets/path", {**hardware(), **wrong}, expect=422)
    await (await who(None)).post("/tickets/path", hardware(), expect=401)
    await (await who("auditor")).post("/tickets/path", hardware(), expect=403)


async def test_nothing_is_stored_and_it_costs_little(database: Any, who: Any, hardware: Any) -> None:
    employee = await who("employee")

    async def there() -> tuple[Any, ...]:
        async with database.read() as session:
            counts = [await session.scalar(select(func.count()).select_from(t)) for t in (Ticket, EventRow)]
            return tuple(counts)

    before = await there()
    body = hardware("6000.00")
    await employee.post("/tickets/path", body)
    with counted(database) as sent:
        await employee.post("/tickets/path", body)
    assert len([s for s in sent if "FROM users u" not in s]) <= 12, sent
    assert await there() == before


async def test_a_change_says_whom_it_asks_again_and_does_so(who: Any, hardware: Any, find_step: Any) -> None:
    employee, finance = await who("employee"), await who("finance1")
    ticket = await employee.post("/tickets", hardware("6000.00"), expect=201)
    here = f"/tickets/{ticket['id']}"
    step = await find_step(finance, ticket["id"])
    await finance.post(f"/approvals/{step['id']}/approve", {})

    async def foretold(**change: Any) -> dict[str, Any]:
        path: dict[str, Any] = await employee.post(f"{here}/path", change)
        return path

    assert (await foretold(title="Better words"))["asks_again"]["extent"] == "NOTHING"
    larger = await foretold(amount="7000.00")
    assert larger["asks_again"] == {
        "extent": "STAGES",
        "stages": ["Finance Committee"],
        "why": "amount changed from 6,000.00 USD to 7,000.00 USD",
    }
    smaller = await foretold(amount="500.00")
    assert smaller["asks_again"]["extent"] == "STAGES"
    assert promised(smaller) == [["Manager", "PARALLEL", 1, ["manager"]]]
    # nothing of it has happened
    assert (await employee.get(here))["amount"] == "6000.00"
    [flow] = (await employee.get(f"{here}/approvals"))["items"]
    assert not [s for s in flow["stages"] if s["status"] == "SUPERSEDED"]
    # and then it does
    await employee.put(here, {"amount": "7000.00", "version": ticket["version"]})
    [flow] = (await employee.get(f"{here}/approvals"))["items"]
    again = [s["name"] for s in flow["stages"] if s["status"] == "SUPERSEDED"]
    assert again == larger["asks_again"]["stages"]
    assert larger["asks_again"]["why"] in next(s["reason"] for s in flow["stages"] if s["status"] == "SUPERSEDED")


async def test_a_change_of_a_draft_has_a_path_and_of_others_none(who: Any, hardware: Any) -> None:
    employee, colleague, manager = await who("employee"), await who("colleague"), await who("manager")
    draft = await employee.post("/tickets", hardware("10.00", submit=False), expect=201)
    path = await employee.post(f"/tickets/{draft['id']}/path", {"amount": "6000.00"})
    assert path["asks_again"] is None
    assert promised(path)[0][0] == "Finance Committee"
    sent = await employee.post("/tickets", hardware("10.00"), expect=201)
    here = f"/tickets/{sent['id']}/path"
    await manager.post(here, {"amount": "20.00"}, expect=403)
    await colleague.post(here, {"surprise": 1}, expect=404)
    await employee.post(here, {"amount": "-1"}, expect=422)
    await employee.post(f"/tickets/{sent['id']}/transitions", {"to": "DRAFT"})
    done = await employee.post("/tickets", {"ticket_type": "IT_SUPPORT", "title": "x", "submit": True}, expect=201)
    await employee.post(f"/tickets/{done['id']}/path", {"title": "y"}, expect=403)


async def test_who_asks_very_often_waits(who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.tickets import path_router

    monkeypatch.setattr(path_router, "ALLOWED", 0)
    employee, body = await who("employee"), hardware("10.00")
    answer = await employee.post("/tickets/path", body, expect=None)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_paths")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit-policy"] == '"paths";q=0;w=60'
    ticket = await employee.post("/tickets", body, expect=201)
    await employee.post(f"/tickets/{ticket['id']}/path", {"amount": "20.00"}, expect=429)
    await (await who(None)).post("/tickets/path", body, expect=401)
