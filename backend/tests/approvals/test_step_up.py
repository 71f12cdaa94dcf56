"""Approvals that ask for a confirmation of who approves: which, of whom, and that nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from tests.conftest import PASSWORD, Api
from waypost.access.models import LoginSession
from waypost.approvals.step_up import demands
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.settings import get_settings

PROOF = {"factor": "password", "password": PASSWORD}


@pytest.fixture
def above(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Approving what is worth more than 1,000, and emergencies, asks for it."""
    monkeypatch.setenv("STEP_UP_ABOVE", "1000")
    monkeypatch.setenv("STEP_UP_EMERGENCIES", "true")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def stale(app: Any, database: Any) -> Any:
    """`await stale("head")`: signed in, longer ago than counts."""

    async def sign_in(username: str) -> Api:
        api = await Api(app, username).sign_in()
        async with database.transaction() as session:
            past = now() - timedelta(hours=1)
            await session.execute(update(LoginSession).where(LoginSession.user_id == api.id).values(proved_at=past))
        return api

    return sign_in


async def ask(who: Any, hardware: Any, amount: str, **more: Any) -> Any:
    return await (await who("employee")).post("/tickets", hardware(amount, **more), expect=201)


async def test_approving_above_the_limit_asks_once_for_minutes(
    above: None, who: Any, stale: Any, hardware: Any, find_step: Any
) -> None:
    head = await stale("head")
    first, second = [await ask(who, hardware, "2000.00") for _ in range(2)]
    step = await find_step(head, first["id"])
    assert step["step_up"] is True
    (flow,) = (await head.get(f"/tickets/{first['id']}/approvals"))["items"]
    assert flow["step_up"] is True
    refused = await head.post(f"/approvals/{step['id']}/approve", {"version": 1}, expect=403)
    assert (refused["code"], refused["factors"], refused["max_age_seconds"]) == ("step_up_needed", ["password"], 300)
    assert (await head.get(f"/tickets/{first['id']}"))["status"] == "IN_REVIEW"
    await head.post("/auth/step-up", PROOF)
    await head.post(f"/approvals/{step['id']}/approve", {"version": 1})
    other = await find_step(head, second["id"])
    await head.post(f"/approvals/{other['id']}/approve")
    again = await head.post(f"/approvals/{other['id']}/approve")
    assert again["step"]["status"] == "APPROVED"


async def test_below_it_nothing_is_asked(above: None, who: Any, stale: Any, hardware: Any, find_step: Any) -> None:
    manager = await stale("manager")
    for amount in ("999.99", "0.01"):
        ticket = await ask(who, hardware, amount)
        step = await find_step(manager, ticket["id"])
        assert step["step_up"] is False
        await manager.post(f"/approvals/{step['id']}/approve")


async def test_unset_it_is_off(who: Any, stale: Any, hardware: Any, find_step: Any) -> None:
    head = await stale("head")
    step = await find_step(head, (await ask(who, hardware, "4999.00"))["id"])
    assert step["step_up"] is False
    await head.post(f"/approvals/{step['id']}/approve")


async def test_refusing_asking_back_and_sending_it_up_need_none(
    above: None, who: Any, stale: Any, hardware: Any, find_step: Any
) -> None:
    head = await stale("head")
    for verb, body in (("reject", {"comments": "No"}), ("request-info", {"comments": "Why?"}), ("escalate", {})):
        step = await find_step(head, (await ask(who, hardware, "2000.00"))["id"])
        await head.post(f"/approvals/{step['id']}/{verb}", body)


async def test_choosing_who_decides_asks_too(above: None, who: Any, stale: Any, hardware: Any, find_step: Any) -> None:
    """Else whoever sits at a stolen screen hands it to themself, and proves that it is them."""
    head, outsider = await stale("head"), await who("outsider")
    step = await find_step(head, (await ask(who, hardware, "2000.00"))["id"])
    path, to = f"/approvals/{step['id']}/delegate", {"delegate_to": outsider.id}
    assert (await head.post(path, to, expect=403))["code"] == "step_up_needed"
    await head.post("/auth/step-up", PROOF)
    await head.post(path, to)


async def test_an_emergency_asks_too(above: None, who: Any, stale: Any, hardware: Any, find_step: Any) -> None:
    manager = await stale("manager")
    ticket = await ask(who, hardware, "10.00", priority="CRITICAL")
    step = await find_step(manager, ticket["id"])
    assert step["step_up"] is True
    await manager.post(f"/approvals/{step['id']}/approve", expect=403)
    await manager.post("/auth/step-up", PROOF)
    await manager.post(f"/approvals/{step['id']}/approve")


async def test_breaking_the_glass_asks_too(above: None, who: Any, stale: Any, hardware: Any) -> None:
    ticket = await ask(who, hardware, "9000.00", priority="CRITICAL")
    admin = await stale("admin")
    (flow,) = (await admin.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    assert flow["may_break_glass"]
    path, body = f"/approvals/workflows/{flow['id']}/break-glass", {"comments": "Everybody is on a plane"}
    assert (await admin.post(path, body, expect=403))["code"] == "step_up_needed"
    await admin.post("/auth/step-up", PROOF)
    await admin.post(path, body, expect=None)
    assert (await admin.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"


async def test_many_at_once_say_it_of_each(above: None, who: Any, stale: Any, hardware: Any, find_step: Any) -> None:
    head = await stale("head")
    steps = [await find_step(head, (await ask(who, hardware, "2000.00"))["id"]) for _ in range(2)]
    many = {"step_ids": [s["id"] for s in steps], "action": "APPROVE"}
    results = (await head.post("/approvals/bulk", many))["results"]
    assert [(r["ok"], r["error"]["code"]) for r in results] == [(False, "step_up_needed")] * 2
    await head.post("/auth/step-up", PROOF)
    assert all(r["ok"] for r in (await head.post("/approvals/bulk", many))["results"])
    rejected = [await find_step(head, (await ask(who, hardware, "2000.00"))["id"])]
    later = await stale("head")
    no = {"step_ids": [s["id"] for s in rejected], "action": "REJECT", "comments": "No"}
    assert (await later.post("/approvals/bulk", no))["results"][0]["ok"]


async def test_adding_an_approver_and_overriding_ask_too(
    above: None, who: Any, stale: Any, hardware: Any, find_step: Any
) -> None:
    head, admin, executive = await stale("head"), await stale("admin"), await who("executive")
    ticket = await ask(who, hardware, "2000.00")
    step = await find_step(head, ticket["id"])
    body = {"approver_id": executive.id}
    assert (await head.post(f"/approvals/{step['id']}/add-approver", body, expect=403))["code"] == "step_up_needed"
    (flow,) = (await admin.get(f"/tickets/{ticket['id']}/approvals"))["items"]
    path = f"/approvals/workflows/{flow['id']}/override"
    yes, no = ({"action": action, "comments": "Because"} for action in ("APPROVE", "REJECT"))
    assert (await admin.post(path, yes, expect=403))["code"] == "step_up_needed"
    await admin.post(path, no)
    other = await ask(who, hardware, "2000.00")
    (flow,) = (await admin.get(f"/tickets/{other['id']}/approvals"))["items"]
    await admin.post("/auth/step-up", PROOF)
    await admin.post(f"/approvals/workflows/{flow['id']}/override", yes)


async def test_a_deputy_confirms_that_it_is_them(
    above: None, who: Any, stale: Any, hardware: Any, find_step: Any
) -> None:
    head, deputy = await who("head"), await stale("finance2")
    until = {"starts_at": rfc3339(now()), "ends_at": rfc3339(now() + timedelta(days=9))}
    made = await head.post("/approvals/delegations", {"delegate_id": deputy.id, **until}, expect=201)
    try:
        step = await find_step(deputy, (await ask(who, hardware, "2000.00"))["id"])
        await deputy.post(f"/approvals/{step['id']}/approve", expect=403)
        await deputy.post("/auth/step-up", PROOF)
        await deputy.post(f"/approvals/{step['id']}/approve")
    finally:
        await head.delete(f"/approvals/delegations/{made['id']}")


async def test_nobody_confirms_for_what_is_refused_anyway(
    above: None, who: Any, stale: Any, hardware: Any, find_step: Any
) -> None:
    head = await stale("head")
    ticket = await ask(who, hardware, "2000.00")
    step = await find_step(head, ticket["id"])
    assert (await head.post(f"/approvals/{step['id']}/approve", {"version": 9}, expect=412))["code"] == "stale_version"
    await (await who("outsider")).post(f"/approvals/{step['id']}/approve", expect=404)
    refused = await (await who("employee")).post(f"/approvals/{step['id']}/approve", expect=403)
    assert refused["code"] != "step_up_needed"


@pytest.mark.parametrize(
    ("limit", "emergencies", "subject", "facts", "expected"),
    [
        (None, False, {"amount": "1000000.00", "priority": "CRITICAL"}, {"v": {"amount": 1000000}}, False),
        ("1000", False, {"amount": "1000.00", "priority": "LOW"}, {"v": {"amount": 1000}}, False),
        ("1000", False, {"amount": "1000.01", "priority": "LOW"}, {"v": {"amount": 1000.01}}, True),
        ("0", False, {"amount": "0.01", "priority": "LOW"}, {"v": {"amount": 0.01}}, True),
        ("0", False, {"amount": None, "priority": "CRITICAL"}, {"v": {}}, False),
        ("1000", False, {"amount": "1.00", "priority": "LOW"}, None, True),
        ("1000", False, {"amount": "1.00", "priority": "LOW"}, {"v": {}}, True),
        ("1000", False, {"amount": "5.00", "currency": "JPY"}, {"v": {"amount": 999999999999.99}}, True),
        (None, True, {"amount": None, "priority": "CRITICAL"}, {"v": {}}, True),
        (None, True, {"amount": None, "priority": "HIGH"}, {"v": {}}, False),
    ],
)
def test_what_asks_for_it(
    limit: str | None, emergencies: bool, subject: dict[str, Any], facts: dict[str, Any] | None, expected: bool
) -> None:
    changed = {"step_up_above": None if limit is None else Decimal(limit), "step_up_emergencies": emergencies}
    settings = get_settings().model_copy(update=changed)
    assert demands(settings, subject, facts) is expected
