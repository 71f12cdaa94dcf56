"""Fifty people at once on the same approvals: one outcome each, no answer lost, nobody stuck."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from waypost.approvals import engine, leaving, states, timing
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.rows import load
from waypost.approvals.states import StageStatus, WorkflowStatus
from waypost.directory.events import UserDeactivated
from waypost.directory.models import User
from waypost.kernel.clock import clock, now, rfc3339
from waypost.kernel.db import Database, is_busy, use_database
from waypost.kernel.errors import Refusal
from waypost.kernel.events import SYSTEM, EventRow
from waypost.kernel.settings import get_settings

PEOPLE = ("manager", "head", "executive", "finance1", "finance2", "finance3", "colleague", "admin", "employee", "agent")
SESSIONS = 50
DEEDS = 8
FINE = {200, 201, 403, 404, 409, 412, 422}


@pytest.fixture
async def wide(database: Any) -> AsyncIterator[Any]:
    """Connections for everybody at once: what is tested are locks, not the pool that spares the database."""
    made = Database.connect(get_settings().model_copy(update={"database_pool_size": SESSIONS + 10}))
    use_database(made)
    yield made
    use_database(database)
    async with made.transaction() as session:  # who stood in for whom is nothing to other tests
        await session.execute(delete(ApprovalDeputy))
        await session.execute(delete(ApprovalDelegation))
    await made.dispose()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_fifty_sessions_at_once(who: Any, hardware: Any, wide: Any, seed: int) -> None:
    database = wide
    chance = random.Random(seed)
    employee = await who("employee")
    people = {name: await who(name) for name in PEOPLE}
    amounts = ["500.00", "2500.00", "9000.00", "9500.00", "900.00", "6000.00"]
    tickets = [await employee.post("/tickets", hardware(amount), expect=201) for amount in amounts]
    ids = {t["id"] for t in tickets}
    said: list[tuple[str, int, int, str]] = []  # who, ticket, step, verb; of answers that were taken
    seen: Counter[int] = Counter()

    def note(answer: Any) -> None:
        seen[answer.status_code] += 1

    async def decide(person: Any, ticket: dict[str, Any]) -> None:
        rows = await database_steps(database, ticket["id"])
        open_ = [s for s in rows if s.status in ("PENDING", "INFO_REQUESTED")] or rows
        step = chance.choice(open_)
        verb = chance.choice(["approve", "approve", "reject", "request-info", "delegate", "escalate", "add-approver"])
        by = next((p for p in people.values() if p.id == step.approver_id and chance.random() < 0.8), person)
        other = chance.choice(list(people.values())).id
        body: dict[str, Any] = {"comments": "because"}
        if verb == "delegate":
            body["delegate_to"] = other
        if verb == "add-approver":
            body["approver_id"] = other
        if chance.random() < 0.3:
            body["version"] = chance.randint(1, 3)
        answer = await by.post(f"/approvals/{step.id}/{verb}", body, expect=None)
        note(answer)
        if answer.status_code == 200 and verb in ("approve", "reject"):
            said.append((by.username, ticket["id"], step.id, verb))

    async def edit(ticket: dict[str, Any]) -> None:
        now_ = await employee.get(f"/tickets/{ticket['id']}")
        change = chance.choice(
            [{"title": "Spelt rightly"}, {"amount": chance.choice(amounts), "currency": "USD"}, {"priority": "HIGH"}]
        )
        answer = await employee.put(f"/tickets/{ticket['id']}", {**change, "version": now_["version"]}, expect=None)
        note(answer)

    async def recall(ticket: dict[str, Any]) -> None:
        body = {"to": chance.choice(["DRAFT", "IN_REVIEW"]), "comment": "An answer, or taken back"}
        answer = await employee.post(f"/tickets/{ticket['id']}/transitions", body, expect=None)
        note(answer)
        if chance.random() < 0.5:
            note(await employee.post(f"/tickets/{ticket['id']}/submit", expect=None))

    async def stand_in(person: Any) -> None:
        """Somebody lets another decide for them, or ends all that they said so."""
        if chance.random() < 0.6:
            other = chance.choice(list(people.values())).id
            window = {"starts_at": rfc3339(now()), "ends_at": rfc3339(now() + timedelta(hours=2))}
            body = {"delegate_id": other, **window, "include_waiting": True}
            note(await person.post("/approvals/delegations", body, expect=None))
            return
        for item in (await person.get("/approvals/delegations"))["items"]:
            if "delete" in item["allowed_actions"]:
                gone = await person.delete(f"/approvals/delegations/{item['id']}", expect=None)
                assert gone.status_code in (204, 403, 404, 409), gone.text

    async def leave(person: Any) -> None:
        """Somebody leaves, and is back at once: what waited for them is somebody else's."""
        try:
            async with database.transaction() as session:
                await session.execute(update(User).where(User.id == person.id).values(is_active=False))
                await leaving.on_user_deactivated(session, UserDeactivated(user_id=person.id), SYSTEM)
                await session.execute(update(User).where(User.id == person.id).values(is_active=True))
        except Exception as error:
            if not (isinstance(error, Refusal) or is_busy(error)):  # then they stay
                raise
        await leaving.sweep(database)

    async def tick() -> None:
        async with database.transaction() as session:
            mine = update(ApprovalStep).where(ApprovalStep.subject_id.in_(ids), ApprovalStep.timer_at.is_not(None))
            await session.execute(mine.values(timer_at=now() - timedelta(seconds=1)))
        with clock(lambda: now_at):
            await timing.run_due(database)

    now_at = now() + timedelta(days=3)

    async def session_() -> None:
        person = people[chance.choice(PEOPLE)]
        for _ in range(DEEDS):
            ticket = chance.choice(tickets)
            deed = chance.random()
            if deed < 0.72:
                await decide(person, ticket)
            elif deed < 0.84:
                await edit(ticket)
            elif deed < 0.90:
                await recall(ticket)
            elif deed < 0.96:
                await stand_in(person)
            elif deed < 0.98:
                await leave(person)
            else:
                await tick()

    async with database.transaction() as session:  # nothing of other tests is due
        await session.execute(update(ApprovalStep).where(ApprovalStep.subject_id.not_in(ids)).values(timer_at=None))
    before = await deadlocks(database)
    await asyncio.wait_for(asyncio.gather(*(session_() for _ in range(SESSIONS))), 240)
    assert set(seen) <= FINE, seen
    assert await deadlocks(database) == before, "locks are always taken in one order"
    assert len(said) > 10, "answers were taken"
    assert sum(seen.values()) >= SESSIONS * DEEDS * 0.8

    async with database.read() as session:
        for ticket in tickets:
            found = select(ApprovalWorkflow).where(
                ApprovalWorkflow.subject_type == "ticket", ApprovalWorkflow.subject_id == ticket["id"]
            )
            workflows = (await session.scalars(found.order_by(ApprovalWorkflow.id))).all()
            assert [w.status for w in workflows[:-1] if w.status == "RUNNING"] == [], "one round at a time"
            status = (await employee.get(f"/tickets/{ticket['id']}"))["status"]
            last = workflows[-1].status
            fits = {
                "RUNNING": {"IN_REVIEW", "PENDING_INFO"},
                "APPROVED": {"APPROVED", "DRAFT"},
                "REJECTED": {"REJECTED", "DRAFT", "IN_REVIEW"},
                "CANCELLED": {"DRAFT"},
            }
            assert status in fits[last], (status, last)
            for workflow in workflows:
                check_outcome((await load(session, workflow.id, lock=False)).state)
                ended = select(EventRow).where(
                    EventRow.object_type == "ticket",
                    EventRow.object_id == ticket["id"],
                    EventRow.type == "approval.decided",
                    EventRow.data["workflow_id"].as_integer() == workflow.id,
                )
                events = (await session.scalars(ended)).all()
                assert len(events) == (workflow.status in ("APPROVED", "REJECTED")), "one outcome, told once"
        for username, _, step_id, verb in said:
            step = await session.get_one(ApprovalStep, step_id)
            wanted = "APPROVED" if verb == "approve" else "REJECTED"
            assert (step.status, step.decided_by_id) == (wanted, people[username].id), "an answer was lost"


def check_outcome(state: states.State) -> None:
    """What is kept is what counting the kept answers gives."""
    for stage in state.stages:
        if stage.status in (StageStatus.APPROVED, StageStatus.REJECTED, StageStatus.OPEN):
            assert engine.result_of(stage) is stage.status
    live = [s.status for s in state.stages if s.status is not StageStatus.SUPERSEDED]
    if state.status is WorkflowStatus.APPROVED:
        assert set(live) <= {StageStatus.APPROVED, StageStatus.SKIPPED}
    if state.status is WorkflowStatus.REJECTED:
        assert live.count(StageStatus.REJECTED) == 1
    assert bool(state.asked()) == (state.status is WorkflowStatus.RUNNING)


async def deadlocks(database: Any) -> int:
    """How many deadlocks PostgreSQL has broken in this database; one that waits too long for a lock is none."""
    async with database.read() as session:
        counted = text(
            "SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return int((await session.execute(counted)).one()[1])


async def database_steps(database: Any, ticket_id: int) -> list[ApprovalStep]:
    async with database.read() as session:
        found = select(ApprovalStep).where(ApprovalStep.subject_id == ticket_id, ApprovalStep.subject_type == "ticket")
        return list((await session.scalars(found.order_by(ApprovalStep.id))).all())
