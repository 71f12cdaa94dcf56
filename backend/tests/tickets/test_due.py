"""Due dates that come near and pass: who is told, when, and once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from tests.conftest import Api
from waypost.directory.models import TeamMember
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery, Notification
from waypost.tickets import due
from waypost.tickets.models import Ticket


@pytest.fixture
async def ticket(fresh_who: Any, fresh_database: Any, hardware: Any) -> dict[str, Any]:
    """A submitted request that an agent has taken, in a database of its own."""
    employee, agent = await fresh_who("employee"), await fresh_who("agent")
    made = await employee.post("/tickets", hardware("50.00", submit=True), expect=201)
    async with fresh_database.transaction() as session:
        await session.execute(
            update(Ticket).where(Ticket.id == made["id"]).values(status="IN_PROGRESS", assignee_id=agent.id)
        )
    return made


async def set_due(database: Any, ticket_id: int, submitted: datetime, due_date: datetime, **more: Any) -> None:
    async with database.transaction() as session:
        values = {"submitted_at": submitted, "due_date": due_date, **more}
        await session.execute(update(Ticket).where(Ticket.id == ticket_id).values(**values))


async def said(database: Any, ticket_id: int) -> list[tuple[str, tuple[int, ...]]]:
    async with database.read() as session:
        rows = await session.scalars(
            select(EventRow)
            .where(EventRow.object_id == ticket_id, EventRow.type.in_(["ticket.due_soon", "ticket.overdue"]))
            .order_by(EventRow.id)
        )
        return [(row.type, tuple(row.data["told_ids"])) for row in rows]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("submitted", "due_date", "expected"),
    [
        (-7 * HOUR, 3 * HOUR, []),
        (-75 * HOUR / 10, 25 * HOUR / 10, ["ticket.due_soon"]),
        (-9 * HOUR, HOUR, ["ticket.due_soon"]),
        (-9 * HOUR, -HOUR / 60, ["ticket.overdue"]),
        (-9 * HOUR, -20 * HOUR, ["ticket.overdue"]),
        (-300 * 24 * HOUR, 4 * 24 * HOUR, []),  # three quarters are over, but there are days left
        (-300 * 24 * HOUR, 71 * HOUR, ["ticket.due_soon"]),
    ],
)
async def test_when_it_is_said(
    ticket: dict[str, Any], fresh_database: Any, submitted: timedelta, due_date: timedelta, expected: list[str]
) -> None:
    at = now()
    await set_due(fresh_database, ticket["id"], at + submitted, at + due_date)
    for _ in range(3):
        await due.run_due(fresh_database)
    assert [kind for kind, _ in await said(fresh_database, ticket["id"])] == expected, "and once"


async def test_once_by_many_workers_at_once_and_anew_for_another_day(
    ticket: dict[str, Any], fresh_database: Any
) -> None:
    at = now()
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at + HOUR)
    counts = await asyncio.gather(*(due.run_due(fresh_database) for _ in range(5)))
    assert sum(counts) == 1
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at - HOUR)
    await asyncio.gather(*(due.run_due(fresh_database) for _ in range(5)))
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at + 2 * HOUR)
    await due.run_due(fresh_database)
    kinds = [kind for kind, _ in await said(fresh_database, ticket["id"])]
    assert kinds == ["ticket.due_soon", "ticket.overdue", "ticket.due_soon"]


@pytest.mark.parametrize("status", ["DRAFT", "PENDING_INFO", "REJECTED", "COMPLETED", "CLOSED"])
async def test_nothing_is_said_of_what_is_done_or_waits_for_an_answer(
    ticket: dict[str, Any], fresh_database: Any, status: str
) -> None:
    at = now()
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at - HOUR, status=status)
    await due.run_due(fresh_database)
    assert await said(fresh_database, ticket["id"]) == []
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at - HOUR, status="IN_PROGRESS")
    await due.run_due(fresh_database)
    assert len(await said(fresh_database, ticket["id"])) == 1


async def test_who_is_told(ticket: dict[str, Any], fresh_who: Any, fresh_database: Any) -> None:
    agent, lead = await fresh_who("agent"), await fresh_who("agent2")
    async with fresh_database.transaction() as session:
        team_id = await session.scalar(select(Ticket.team_id).where(Ticket.id == ticket["id"]))
        await session.execute(update(TeamMember).values(is_lead=False))
        leads = update(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == lead.id)
        assert (await session.execute(leads.values(is_lead=True))).rowcount == 1
    at = now()
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at + HOUR)
    await due.run_due(fresh_database)
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at - HOUR)
    await due.run_due(fresh_database)
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at + HOUR / 2, assignee_id=None)
    await due.run_due(fresh_database)
    assert await said(fresh_database, ticket["id"]) == [
        ("ticket.due_soon", (agent.id,)),
        ("ticket.overdue", (agent.id, lead.id)),
        ("ticket.due_soon", (lead.id,)),
    ]
    while await relay.drain(fresh_database):
        pass
    async with fresh_database.read() as session:
        notices = await session.scalars(
            select(Notification.title).where(Notification.user_id == lead.id, Notification.kind == "ticket.overdue")
        )
        mails = await session.execute(
            select(Delivery.kind, Delivery.channel).where(Delivery.user_id == agent.id, Delivery.channel == "email")
        )
        assert list(notices) == [f"Late: {ticket['title']}"]
        assert {kind for kind, _ in mails} >= {"ticket.due_soon", "ticket.overdue"}
    history = await agent.get(f"/tickets/{ticket['id']}/history", params={"limit": 100})
    assert any("late" in str(entry) for entry in history["items"])


async def test_a_request_nobody_works_on_tells_nobody_and_is_not_looked_at_again(
    ticket: dict[str, Any], fresh_database: Any
) -> None:
    async with fresh_database.transaction() as session:
        await session.execute(update(TeamMember).values(is_lead=False))
    at = now()
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at - HOUR, assignee_id=None)
    assert await due.run_due(fresh_database) >= 1
    assert await due.run_due(fresh_database) == 0


async def test_its_statements_find_what_is_due_by_their_indexes(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        for name, which in (("ix_tickets_untold_late", due.UNTOLD_LATE), ("ix_tickets_unwarned", due.UNWARNED)):
            plan = await session.scalars(
                text(f"EXPLAIN SELECT id FROM tickets WHERE {which} AND due_date <= now() ORDER BY due_date LIMIT 200")
            )
            assert name in "\n".join(plan)


async def test_a_held_request_is_left_for_the_next_time(ticket: dict[str, Any], fresh_database: Any) -> None:
    at = now()
    await set_due(fresh_database, ticket["id"], at - 9 * HOUR, at - HOUR)
    async with fresh_database.transaction() as session:
        await session.get(Ticket, ticket["id"], with_for_update=True)
        await due.run_due(fresh_database)
        assert await said(fresh_database, ticket["id"]) == []
    await due.run_due(fresh_database)
    assert len(await said(fresh_database, ticket["id"])) == 1


async def test_preferences_name_both(fresh_who: Any) -> None:
    api: Api = await fresh_who("agent")
    events = (await api.get("/notifications/preferences"))["events"]
    assert events["sla.warning"]["email"] is True
    assert events["sla.breach"]["in_app"] is True
