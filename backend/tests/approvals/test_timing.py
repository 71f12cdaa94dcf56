"""Reminders and escalation by time, against the database and a clock that is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from waypost.approvals import timing
from waypost.approvals.models import ApprovalStep
from waypost.kernel.clock import clock, now
from waypost.kernel.db import database as current

DAY = timedelta(days=1)


async def steps_of(ticket_id: int) -> list[ApprovalStep]:
    async with current().read() as session:
        found = select(ApprovalStep).where(ApprovalStep.subject_id == ticket_id).order_by(ApprovalStep.id)
        return list((await session.scalars(found)).all())


async def run_until(ticket_id: int, at: datetime) -> list[tuple[str, str]]:
    """Let the timers run at an instant until nothing of this ticket is due; its steps as (username, status)."""
    with clock(lambda: at):
        for _ in range(20):
            await timing.run_due(current())
            if not any(s.timer_at and s.timer_at <= at for s in await steps_of(ticket_id)):
                break
    return [(await name_of(s.approver_id), s.status) for s in await steps_of(ticket_id)]


async def name_of(person_id: int) -> str:
    from waypost.directory.models import User

    async with current().read() as session:
        return str(await session.scalar(select(User.username).where(User.id == person_id)))


@pytest.fixture
async def quiet(database: Any) -> None:
    """Nothing else is due, so that a test sees its own timers only."""
    async with database.transaction() as session:
        await session.execute(update(ApprovalStep).values(timer_at=None))


@pytest.fixture
def workflow(who: Any) -> Callable[..., Any]:
    """Publish a workflow for hardware that is asked for by this amount."""

    async def publish(escalation: dict[str, Any] | None, *, amount: str, **more: Any) -> None:
        stage = {
            "name": "Budget",
            "approvers": [{"kind": "REQUESTER_MANAGER"}],
            "due_in_minutes": 120,
            "escalation": escalation,
            **more,
        }
        condition = {
            "all": [
                {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
                {"field": "amount", "op": "eq", "value": amount},
            ]
        }
        body = {"name": f"For {amount}", "condition": condition, "stages": [stage]}
        await (await who("admin")).post("/approval-workflows", body, expect=201)

    return publish


async def test_a_late_step_is_reminded_then_climbs_and_the_late_one_may_still_decide(
    quiet: None, who: Any, hardware: Any, find_step: Any, workflow: Any
) -> None:
    rule = {"remind_before_minutes": [60, 0], "after_minutes": 30, "to": {"kind": "NEXT_MANAGER"}, "repeat": 2}
    await workflow(rule, amount="77.01")
    employee, manager = await who("employee"), await who("manager")
    ticket = await employee.post("/tickets", hardware("77.01"), expect=201)
    began = now()
    assert await run_until(ticket["id"], began + timedelta(minutes=59)) == [("manager", "PENDING")]
    assert (await steps_of(ticket["id"]))[0].reminders == 0
    await run_until(ticket["id"], began + timedelta(minutes=62))
    assert (await steps_of(ticket["id"]))[0].reminders == 1
    await run_until(ticket["id"], began + timedelta(minutes=122))
    assert (await steps_of(ticket["id"]))[0].reminders == 2
    assert await run_until(ticket["id"], began + timedelta(minutes=152)) == [
        ("manager", "PENDING"),
        ("head", "PENDING"),
    ]
    assert await find_step(await who("head"), ticket["id"]) is not None
    assert await run_until(ticket["id"], began + timedelta(minutes=184)) == [
        ("manager", "PENDING"),
        ("head", "PENDING"),
        ("executive", "PENDING"),
    ]
    history = str(await employee.get(f"/tickets/{ticket['id']}/history"))
    assert "reminded" in history
    assert "escalated the decision" in history
    step = await find_step(manager, ticket["id"])
    done = await manager.post(f"/approvals/{step['id']}/approve")
    assert done["workflow"]["status"] == "APPROVED"
    assert [s.status for s in await steps_of(ticket["id"])] == ["APPROVED", "NOT_NEEDED", "NOT_NEEDED"]
    assert all(s.timer_at is None for s in await steps_of(ticket["id"]))


async def test_in_the_end_administrators_are_asked_or_it_is_rejected(
    quiet: None, who: Any, hardware: Any, workflow: Any
) -> None:
    team = {"after_minutes": 10, "to": {"kind": "ROLE", "role": "finance_committee"}, "repeat": 3}
    await workflow(team, amount="77.02")
    await workflow(team | {"finally": "REJECT"}, amount="77.03")
    employee = await who("employee")
    handed = await employee.post("/tickets", hardware("77.02"), expect=201)
    ended = await employee.post("/tickets", hardware("77.03"), expect=201)
    later = now() + 10 * DAY
    found = await run_until(handed["id"], later)
    for _ in range(6):
        later += timedelta(hours=1)
        found = await run_until(handed["id"], later)
    names = [n for n, _ in found]
    assert (names[0], sorted(names[1:4]), names[4:]) == ("manager", ["finance1", "finance2", "finance3"], ["admin"])
    assert {s for _, s in found} == {"PENDING"}
    assert (await employee.get(f"/tickets/{handed['id']}"))["status"] == "IN_REVIEW", "time alone never approves"
    for _ in range(6):
        later += timedelta(hours=1)
        await run_until(ended["id"], later)
    assert (await employee.get(f"/tickets/{ended['id']}"))["status"] == "REJECTED"
    assert "Nobody answered in time." in str(await employee.get(f"/tickets/{ended['id']}/approvals"))


async def test_who_is_asked_further_is_the_stage_s_own_rule_also_where_the_first_answer_counts(
    quiet: None, who: Any, hardware: Any, workflow: Any
) -> None:
    team = {"kind": "ROLE", "role": "finance_committee"}
    rule = {"remind_before_minutes": [], "after_minutes": 10, "to": team, "repeat": 1}
    await workflow(rule, amount="77.06", quorum="FIRST")
    ticket = await (await who("employee")).post("/tickets", hardware("77.06"), expect=201)
    found = await run_until(ticket["id"], now() + timedelta(minutes=135))
    assert sorted(n for n, _ in found) == ["finance1", "finance2", "finance3", "manager"]


async def test_a_question_stops_the_ladder(quiet: None, who: Any, hardware: Any, find_step: Any, workflow: Any) -> None:
    await workflow({"after_minutes": 10, "to": {"kind": "NEXT_MANAGER"}, "repeat": 1}, amount="77.04")
    employee, manager = await who("employee"), await who("manager")
    ticket = await employee.post("/tickets", hardware("77.04"), expect=201)
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/request-info", {"comments": "Which?"})
    assert await run_until(ticket["id"], now() + 9 * DAY) == [("manager", "INFO_REQUESTED")]
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_REVIEW", "comment": "This one"})
    assert await run_until(ticket["id"], now() + timedelta(minutes=100)) == [("manager", "PENDING")]
    assert len(await run_until(ticket["id"], now() + timedelta(minutes=140))) == 2


async def test_an_emergency_climbs_every_fifteen_minutes(quiet: None, who: Any, hardware: Any) -> None:
    """Specification, Scenario 3: no response in 15 minutes, so senior management is asked as well."""
    employee = await who("employee")
    ticket = await employee.post("/tickets", hardware("9000.00", priority="CRITICAL"), expect=201)
    began = now()
    committee = [("finance1", "PENDING"), ("finance2", "PENDING"), ("finance3", "PENDING")]
    assert await run_until(ticket["id"], began + timedelta(minutes=14)) == committee
    found = await run_until(ticket["id"], began + timedelta(minutes=15, seconds=5))
    assert found == [*committee, ("executive", "PENDING")]
    again = await run_until(ticket["id"], began + timedelta(minutes=29))
    assert again == found, "once, however often the clock ticks"
    assert len(await run_until(ticket["id"], began + timedelta(minutes=31))) == 5


async def test_a_timer_that_fails_stands_in_nobody_s_way(
    quiet: None, who: Any, hardware: Any, workflow: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    await workflow(None, amount="77.05")
    employee = await who("employee")
    first = await employee.post("/tickets", hardware("77.05"), expect=201)
    second = await employee.post("/tickets", hardware("77.05"), expect=201)
    [broken] = await steps_of(first["id"])
    real = timing._on_time

    async def breaks(session: Any, running: Any, step_id: int, at: datetime) -> None:
        if step_id == broken.id:
            raise RuntimeError("out of order")
        await real(session, running, step_id, at)

    monkeypatch.setattr(timing, "_on_time", breaks)
    late = now() + timedelta(hours=3)
    with clock(lambda: late):
        await timing.run_due(current())
    assert (await steps_of(second["id"]))[0].reminders == 1
    [kept] = await steps_of(first["id"])
    assert kept.reminders == 0
    assert kept.timer_at == late + timing.AGAIN_AFTER
    assert "the timer of an approval step failed" in caplog.text
