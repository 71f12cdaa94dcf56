"""Stages that count in working time: due, foretold, handed on and shown in the approver's own calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from tests.approvals.test_timing import name_of, run_until, steps_of
from waypost.access.queries import actor_of_user
from waypost.approvals import queries, service
from waypost.approvals.models import ApprovalStep
from waypost.approvals.states import Verb
from waypost.kernel.clock import clock, rfc3339
from waypost.kernel.db import database as current
from waypost.sla.models import SlaWorkingCalendar
from waypost.tickets import foreseeing
from waypost.tickets import service as tickets
from waypost.tickets.path_router import _NOT_JUDGED
from waypost.tickets.path_schemas import PathAsk

HOUR = timedelta(hours=1)
OFFICE = [[{"from": "08:00", "to": "17:00"}]] * 5 + [[]] * 2
FRIDAY = datetime(2026, 11, 27, 15, tzinfo=UTC)  # four in the afternoon in Berlin


@pytest.fixture
async def alone(database: Any) -> Any:
    """No other timer is due, and nobody works by a calendar of their own, before and afterwards."""
    async with database.transaction() as session:
        await session.execute(update(ApprovalStep).values(timer_at=None))
        await session.execute(delete(SlaWorkingCalendar))
    yield
    async with database.transaction() as session:
        await session.execute(delete(SlaWorkingCalendar))


@pytest.fixture
def set_up(who: Any, database: Any) -> Callable[..., Any]:
    """A calendar for somebody, by username: the office in Berlin without some days, or other hours."""

    async def give(username: str, name: str, **more: Any) -> dict[str, Any]:
        admin = await who("admin")
        made = await admin.post("/sla/calendars", {"name": name, "zone": "Europe/Berlin", "week": OFFICE} | more, 201)
        async with database.read() as session:
            user_id = await session.scalar(text("SELECT id FROM users WHERE username = :name"), {"name": username})
        return await admin.put(f"/sla/people/{user_id}/calendar", {"calendar_id": made["id"]})

    return give


@pytest.fixture
def sent(who: Any, hardware: Any) -> Callable[..., Any]:
    """A request of the employee's, sent at an instant: its id."""

    async def send(amount: str, at: datetime, **more: Any) -> int:
        employee = await who("employee")
        draft = await employee.post("/tickets", hardware(amount, **more) | {"submit": False}, 201)
        with clock(lambda: at):
            async with current().transaction() as session:
                actor = await actor_of_user(session, employee.id)
                assert actor is not None
                await tickets.submit_ticket(session, actor, draft["id"])
        return int(draft["id"])

    return send


async def publish(who: Any, amount: str, **more: Any) -> None:
    stage = {
        "name": "Budget",
        "approvers": [{"kind": "REQUESTER_MANAGER"}],
        "due_in_minutes": 480,
        "counts": "WORKING_TIME",
        **more,
    }
    both = [
        {"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"},
        {"field": "amount", "op": "eq", "value": amount},
    ]
    body = {"name": f"Worked {amount}", "condition": {"all": both}, "stages": [stage]}
    await (await who("admin")).post("/approval-workflows", body, expect=201)


async def test_eight_working_hours_from_friday_at_four_are_tuesday_when_monday_is_off(
    alone: None, who: Any, hardware: Any, set_up: Any, sent: Any, database: Any
) -> None:
    monday_off = [{"kind": "CLOSED", "day": "2026-11-30", "name": "Off"}]
    await set_up("manager", "Monday off", days=monday_off)
    ladder = {"remind_before_minutes": [60], "after_minutes": 120, "to": {"kind": "NEXT_MANAGER"}, "repeat": 1}
    await publish(who, "91.01", escalation=ladder)
    ticket_id = await sent("91.01", FRIDAY)
    [step] = await steps_of(ticket_id)
    due = datetime(2026, 12, 1, 14, tzinfo=UTC)
    assert step.due_at == due, "an hour on Friday, seven on Tuesday"
    assert step.timer_at == due - HOUR
    employee = await who("employee")
    with clock(lambda: FRIDAY):
        async with database.read() as session:
            actor = await actor_of_user(session, employee.id)
            assert actor is not None
            asked = PathAsk(**{k: v for k, v in hardware("91.01").items() if k != "submit"})
            path = await foreseeing.path_of_new(session, actor, **asked.model_dump(exclude=_NOT_JUDGED))
            [workflow] = await queries.workflows_of(session, actor, "ticket", ticket_id)
    [stage] = path["stages"]
    assert (stage["counts"], stage["people"][0]["due_at"]) == ("WORKING_TIME", rfc3339(due))
    ahead = [(one["at"], one["what"]) for one in workflow["ahead"]]
    climbs = datetime(2026, 12, 1, 16, tzinfo=UTC)
    assert ahead[:2] == [(rfc3339(due - HOUR), "REMIND"), (rfc3339(climbs), "ASK_FURTHER")]
    await run_until(ticket_id, due - HOUR)
    assert (await steps_of(ticket_id))[0].timer_at == climbs
    found = await run_until(ticket_id, climbs)
    assert len(found) == 2
    assert found[0] == ("manager", "PENDING")


async def test_who_it_is_handed_to_has_as_much_of_their_own_time(
    alone: None, who: Any, set_up: Any, sent: Any, database: Any
) -> None:
    await set_up("manager", "Five days")
    night = [[{"from": "20:00", "to": "24:00"}]] * 7
    await set_up("finance1", "Nights", week=night)
    await publish(who, "91.02", due_in_minutes=960)
    ticket_id, to = await sent("91.02", FRIDAY), (await who("finance1")).id
    [step] = await steps_of(ticket_id)
    with clock(lambda: FRIDAY + 3 * 24 * HOUR - 3 * HOUR):  # Monday at one: one hour and five are over, ten are left
        async with database.transaction() as session:
            actor = await actor_of_user(session, step.approver_id)
            assert actor is not None
            await service.decide(session, actor, step.id, Verb.DELEGATE, comments="Yours", delegate_to=to)
    steps = await steps_of(ticket_id)
    assert [await name_of(s.approver_id) for s in steps] == ["manager", "finance1"]
    assert steps[1].due_at == datetime(2026, 12, 2, 21, tzinfo=UTC), "four on Monday, four on Tuesday, two on Wednesday"


async def test_an_emergency_and_a_stage_that_says_nothing_go_by_the_clock(
    alone: None, who: Any, set_up: Any, sent: Any
) -> None:
    await set_up("manager", "Closed on Fridays", week=[*OFFICE[:4], [], [], []])
    await publish(who, "91.03")
    await publish(who, "91.04", counts="CLOCK")
    urgent = await sent("91.03", FRIDAY, priority="CRITICAL")
    plain = await sent("91.04", FRIDAY)
    assert {s.due_at for s in await steps_of(urgent)} == {FRIDAY + HOUR / 4}
    assert {s.due_at for s in await steps_of(plain)} == {FRIDAY + 8 * HOUR}


async def test_how_a_stage_counts_is_one_of_two_words(who: Any) -> None:
    admin = await who("admin")
    stage = {"name": "Budget", "approvers": [{"kind": "REQUESTER_MANAGER"}], "counts": "SOMETIMES"}
    wrong = await admin.post("/approval-workflows", {"name": "Never kept", "stages": [stage]}, 422)
    assert wrong["errors"][0]["pointer"] == "/stages/0/counts"


async def test_whose_calendar_is_whose(alone: None, who: Any, database: Any) -> None:
    admin, auditor, employee = await who("admin"), await who("auditor"), await who("employee")
    made = await admin.post("/sla/calendars", {"name": "Of a department", "zone": "Asia/Tokyo", "week": OFFICE}, 201)
    me = (await who("manager")).me
    person, department = f"/sla/people/{me['id']}/calendar", f"/sla/departments/{me['department']['id']}/calendar"
    before = await auditor.get(person)
    assert (before["calendar"], before["comes_from"], before["allowed_actions"]) == (None, "COMPANY", [])
    await admin.put(department, {"calendar_id": made["id"]})
    found = await admin.get(person)
    assert (found["calendar"], found["in_force"]["name"], found["comes_from"]) == (
        None,
        "Of a department",
        "DEPARTMENT",
    )
    own = before["in_force"]["id"]
    set_ = await admin.put(person, {"calendar_id": own})
    assert (set_["calendar"]["id"], set_["comes_from"], set_["allowed_actions"]) == (own, "PERSON", ["update"])
    await admin.put(person, {"calendar_id": own})  # the same again is nothing new
    assert (await admin.put(person, {"calendar_id": None}))["comes_from"] == "DEPARTMENT"
    async with database.read() as session:
        events = list(
            await session.scalars(
                text("SELECT data FROM events WHERE type = 'sla_working_calendar.set' ORDER BY id DESC LIMIT 3")
            )
        )
        kept = list(await session.scalars(select(SlaWorkingCalendar.calendar_id)))
    assert kept == [made["id"]]
    told = [(e["whose"], e["before"], e["after"]) for e in events]
    assert told == [("person", own, None), ("person", None, own), ("department", None, made["id"])]

    await admin.delete(f"/sla/calendars/{made['id']}", 409)
    await auditor.put(person, {"calendar_id": own}, 403)
    await employee.get(person, 403)
    await employee.put(department, {}, 403)
    for path in (person, department):
        wrong = await admin.put(path, {"calendar_id": 10**9}, 422)
        assert wrong["errors"][0]["pointer"] == "/calendar_id"
        await admin.put(path, {}, 422)
        await admin.put(path, {"calendar_id": "1"}, 422)
    await admin.put("/sla/people/999999999/calendar", {"calendar_id": own}, 404)
    await admin.get("/sla/departments/999999999/calendar", 404)
    await admin.put("/sla/departments/999999999/calendar", {}, 404)


async def test_hours_meant_where_the_person_is(alone: None, who: Any, set_up: Any, sent: Any, database: Any) -> None:
    await set_up("manager", "Office hours anywhere", in_persons_zone=True)
    await publish(who, "91.05")
    async with database.transaction() as session:
        zone = await session.scalar(text("SELECT timezone FROM users WHERE username = 'manager'"))
        await session.execute(text("UPDATE users SET timezone = 'Asia/Tokyo' WHERE username = 'manager'"))
    try:
        ticket_id = await sent("91.05", FRIDAY)
    finally:
        async with database.transaction() as session:
            await session.execute(text("UPDATE users SET timezone = :zone WHERE username = 'manager'"), {"zone": zone})
    [step] = await steps_of(ticket_id)
    assert step.due_at == datetime(2026, 11, 30, 7, tzinfo=UTC), "Monday from eight to four in Tokyo"
