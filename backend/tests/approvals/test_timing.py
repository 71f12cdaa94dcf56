"""Reminders and escalation by time, against the database and a clock that is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from waypost.approvals import climbing, timing
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


async def test_a_ticket_somebody_is_changing_waits_and_holds_up_nobody(
    quiet: None, who: Any, hardware: Any, workflow: Any
) -> None:
    """Busy is not broken: its timer stays due, and fires as soon as the ticket is free."""
    from waypost.tickets.reviewing import TicketRoom

    await workflow(None, amount="77.07")
    employee = await who("employee")
    busy, free = [await employee.post("/tickets", hardware("77.07"), expect=201) for _ in range(2)]
    [before] = await steps_of(busy["id"])
    late = now() + timedelta(hours=3)
    with clock(lambda: late):
        async with current().transaction() as session:
            await TicketRoom().lock(session, busy["id"])
            await session.execute(
                update(ApprovalStep).where(ApprovalStep.id == before.id).values(timer_at=before.timer_at)
            )
            began = time.monotonic()
            await timing.run_due(current())
            assert time.monotonic() - began < 2
        assert (await steps_of(free["id"]))[0].reminders == 1
        [kept] = await steps_of(busy["id"])
        assert (kept.reminders, kept.timer_at) == (0, before.timer_at)
        await timing.run_due(current())
    assert (await steps_of(busy["id"]))[0].reminders == 1


async def test_what_fails_and_cannot_be_put_off_holds_up_nobody(
    quiet: None, who: Any, hardware: Any, workflow: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    await workflow(None, amount="77.08")
    employee = await who("employee")
    broken, other = [await employee.post("/tickets", hardware("77.08"), expect=201) for _ in range(2)]
    [step] = await steps_of(broken["id"])
    real = timing._on_time

    async def breaks(session: Any, running: Any, step_id: int, at: datetime) -> None:
        if step_id == step.id:
            raise RuntimeError("out of order")
        await real(session, running, step_id, at)

    async def refuses(*_: Any) -> None:
        raise RuntimeError("cannot be written either")

    monkeypatch.setattr(timing, "_on_time", breaks)
    monkeypatch.setattr(timing, "_postpone", refuses)
    late = now() + timedelta(hours=3)
    with clock(lambda: late):
        await timing.run_due(current())
    assert (await steps_of(other["id"]))[0].reminders == 1
    assert "could not be put off" in caplog.text


async def test_many_that_are_due_fire_in_one_run(
    quiet: None, who: Any, hardware: Any, workflow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After hours without a worker: batch by batch, and with a run's end the next is asked for."""
    await workflow(None, amount="77.09")
    employee = await who("employee")
    tickets = [await employee.post("/tickets", hardware("77.09"), expect=201) for _ in range(5)]
    monkeypatch.setattr(timing, "BATCH", 2)
    late = now() + timedelta(hours=3)
    with clock(lambda: late):
        assert await timing.run_due(current()) is False
        assert [(await steps_of(t["id"]))[0].reminders for t in tickets] == [1] * 5
    with clock(lambda: late + 3 * DAY):
        monkeypatch.setattr(timing, "LONGEST_RUN", -1.0)
        assert await timing.run_due(current()) is True
        fired = [len(await steps_of(t["id"])) for t in tickets]
    assert sorted(fired) == [1, 1, 1, 1, 2]


@pytest.mark.parametrize("finally_", ["ADMINISTRATORS", "REJECT"])
async def test_a_rule_that_cannot_be_followed_asks_the_administrators(
    quiet: None,
    who: Any,
    hardware: Any,
    workflow: Any,
    monkeypatch: pytest.MonkeyPatch,
    finally_: str,
) -> None:
    amount = "77.10" if finally_ == "REJECT" else "77.11"
    await workflow({"after_minutes": 10, "to": {"kind": "NEXT_MANAGER"}, "finally": finally_}, amount=amount)
    ticket = await (await who("employee")).post("/tickets", hardware(amount), expect=201)

    async def cannot(*_: Any, **__: Any) -> Any:
        raise KeyError("a word of an earlier release")

    monkeypatch.setattr(climbing, "chosen_version", cannot)
    assert await run_until(ticket["id"], now() + timedelta(minutes=125)) == [("manager", "PENDING")]
    assert (await steps_of(ticket["id"]))[0].reminders == 1, "nobody has to be found to remind somebody"
    found = await run_until(ticket["id"], now() + timedelta(minutes=135))
    assert found == [("manager", "PENDING"), ("admin", "PENDING")]
    assert "cannot be read" in (await steps_of(ticket["id"]))[1].reason
    assert "next" in str(await (await who("employee")).get(f"/tickets/{ticket['id']}/approvals")), "the page is there"


async def test_who_was_late_is_told_once(quiet: None, who: Any, hardware: Any, workflow: Any, database: Any) -> None:
    from waypost.kernel import relay
    from waypost.notifications.models import Notification

    team = {"after_minutes": 10, "to": {"kind": "ROLE", "role": "finance_committee"}, "repeat": 1}
    await workflow(team, amount="77.12")
    ticket = await (await who("employee")).post("/tickets", hardware("77.12"), expect=201)
    await run_until(ticket["id"], now() + timedelta(minutes=125))
    assert len(await run_until(ticket["id"], now() + timedelta(minutes=135))) == 4
    await relay.drain(database)
    async with database.read() as session:
        told = select(Notification.kind, Notification.user_id).where(Notification.ticket_id == ticket["id"])
        kinds = [kind for kind, _ in await session.execute(told)]
    assert kinds.count("approval.escalated") == 1
    assert kinds.count("approval.requested") == 4
    history = (await (await who("employee")).get(f"/tickets/{ticket['id']}/history?limit=100"))["items"]
    assert len([e for e in history if e["type"] == "approval.escalated"]) == 3, (
        "each who is asked stands in the history"
    )
