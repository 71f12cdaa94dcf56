"""Clocks of requests: when they run, what is said when, once, and that the log alone gives them again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select, text, update

from waypost.access.queries import actor_of_user
from waypost.directory.models import TeamMember, User
from waypost.kernel import clock as time
from waypost.kernel import relay
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery, Notification
from waypost.sla.models import SlaPolicy, SlaPolicyVersion
from waypost.tickets import assigning, clocking, running_late, service, talking
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MONDAY = datetime(2031, 6, 2, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")  # where the demo company keeps its hours
_numbers = itertools.count(1)


class Time:
    """The clock on the wall, moved by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = self.began = at

    def __call__(self) -> datetime:
        self.at += timedelta(microseconds=1)
        return self.at

    def go(self, by: timedelta) -> datetime:
        self.at = (self.at + by).replace(microsecond=0)
        return self.at


@pytest.fixture
def wall() -> Iterator[Time]:
    made = Time(MONDAY + timedelta(weeks=4 * next(_numbers)))  # time never goes back
    with time.clock(made):
        yield made


class Desk:
    """People at work on one request, through the use cases they have."""

    def __init__(self, database: Any, wall: Time) -> None:
        self.database, self.wall, self.id = database, wall, 0

    async def actor(self, username: str) -> Any:
        async with self.database.read() as session:
            user_id = await session.scalar(select(User.id).where(User.username == username))
            return await actor_of_user(session, user_id)

    async def ask(self, **more: Any) -> Desk:
        values = {
            "title": f"Clock {next(_numbers)}",
            "ticket_type": "IT_SUPPORT",
            "custom_fields": {},
            "submit": True,
            "priority": "HIGH",
            "description": "",
            "due_date": None,
            "amount": None,
            "currency": None,
        }
        actor = await self.actor("employee")
        async with self.database.transaction() as session:
            self.id = (await service.create_ticket(session, actor, **values | more)).id
        return self

    async def say(self, username: str, visibility: str = "PUBLIC") -> None:
        actor = await self.actor(username)
        async with self.database.transaction() as session:
            await talking.add_comment(session, actor, self.id, body="Words", visibility=visibility)

    async def move(self, username: str, to: Status, comment: str = "") -> None:
        actor = await self.actor(username)
        async with self.database.transaction() as session:
            await service.change_status(session, actor, self.id, to=to, comment=comment)

    async def edit(self, username: str, **values: Any) -> None:
        actor = await self.actor(username)
        async with self.database.transaction() as session:
            ticket = await session.get_one(Ticket, self.id)
            await service.update_ticket(session, actor, self.id, version=lambda: ticket.version, values=values)

    async def give(self, assignee: str | None, team_id: int | None = None) -> None:
        admin = await self.actor("admin")
        person = (await self.actor(assignee)).user_id if assignee else None
        async with self.database.transaction() as session:
            await assigning.assign_ticket(
                session, admin, self.id, assignee_id=person, team_id=team_id, move_team=team_id is not None
            )

    async def clocks(self) -> dict[str, Any]:
        rows = await self.rows("SELECT * FROM sla_clocks WHERE ticket_id = :id ORDER BY metric, team_id")
        return {r["metric"]: r for r in rows}

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        async with self.database.read() as session:
            return [dict(r) for r in (await session.execute(text(statement), {"id": self.id})).mappings()]

    async def ticket(self) -> Ticket:
        async with self.database.read() as session:
            return (await session.scalars(select(Ticket).where(Ticket.id == self.id))).one()

    async def events(self, *types: str) -> list[tuple[str, dict[str, Any]]]:
        async with self.database.read() as session:
            rows = await session.scalars(
                select(EventRow).where(EventRow.object_id == self.id, EventRow.type.in_(types)).order_by(EventRow.id)
            )
            return [(row.type, row.data) for row in rows]

    async def said(self) -> list[str]:
        told = await self.events("sla.warned", "sla.breached")
        return [f"{d['metric']} {d.get('percent', 'late')}" for _, d in told]


@contextmanager
def today() -> Iterator[datetime]:
    """The hour it really is, for who is signed in."""
    with time.clock(lambda: datetime.now(UTC)):
        yield time.now()


@pytest.fixture
async def desk(database: Any, wall: Time) -> Desk:
    async with database.transaction() as session:  # one policy, whatever else the demo company has
        await session.execute(update(SlaPolicy).values(is_active=SlaPolicy.name == "All requests"))
    return Desk(database, wall)


async def policy(database: Any, **parts: Any) -> int:
    """Publish another version of the one policy there is; its id."""
    async with database.transaction() as session:
        row = (await session.scalars(select(SlaPolicy).where(SlaPolicy.name == "All requests"))).one()
        latest = await session.get_one(SlaPolicyVersion, (row.id, row.version))
        row.version += 1
        session.add(
            SlaPolicyVersion(
                policy_id=row.id,
                version=row.version,
                name=latest.name,
                document=latest.document | parts,
                field_kinds=latest.field_kinds,
            )
        )
        return int(row.id)


@pytest.fixture
async def own_policy(database: Any) -> Any:
    """The policy is put back as it was, as another version."""
    async with database.read() as session:
        first = await session.scalar(
            select(SlaPolicyVersion)
            .where(SlaPolicyVersion.name == "All requests")
            .order_by(SlaPolicyVersion.version.desc())
            .limit(1)
        )
    yield lambda **parts: policy(database, **parts)
    await policy(database, **first.document)


# --- when they run ----------------------------------------------------------------------------------------------------


async def test_what_is_sent_has_its_clocks_at_once(desk: Desk, wall: Time) -> None:
    await desk.ask()
    clocks = await desk.clocks()
    assert set(clocks) == {"FIRST_RESPONSE", "RESOLUTION"}
    first = clocks["FIRST_RESPONSE"]
    assert (first["run"], first["target_seconds"], first["priority"]) == ("RUNNING", 7200, "HIGH")
    assert first["due_at"] - first["started_at"] == 2 * HOUR
    second = (wall.began + timedelta(days=2)).astimezone(BERLIN)
    assert clocks["RESOLUTION"]["due_at"] == second.replace(hour=18), "the end of the second working day"
    ticket = await desk.ticket()
    assert (ticket.sla_state, ticket.sla_due_at) == ("RUNNING", first["due_at"])
    assert [d["policy_name"] for _, d in await desk.events("sla.attached")] == ["All requests"]


async def test_a_draft_has_none(desk: Desk) -> None:
    await desk.ask(submit=False)
    assert await desk.clocks() == {}
    assert (await desk.ticket()).sla_state is None


async def test_only_an_outward_answer_of_who_works_on_it_is_a_response(desk: Desk, wall: Time) -> None:
    await desk.ask()
    wall.go(10 * MINUTE)
    await desk.say("employee")
    await desk.say("agent", "INTERNAL")
    assert (await desk.clocks())["FIRST_RESPONSE"]["run"] == "RUNNING"
    wall.go(24 * MINUTE)
    await desk.say("agent")
    first = (await desk.clocks())["FIRST_RESPONSE"]
    assert (first["run"], round(first["used_seconds"] / 60), first["breached_at"]) == ("STOPPED", 34, None)
    assert "NEXT_UPDATE" not in await desk.clocks()
    wall.go(HOUR)
    await desk.say("employee")
    following = (await desk.clocks())["NEXT_UPDATE"]
    assert (following["run"], following["target_seconds"]) == ("RUNNING", 8 * 3600)
    assert following["due_at"] - following["started_at"] == 22 * HOUR, "the rest of it tomorrow"
    wall.go(HOUR)
    await desk.say("agent")
    assert (await desk.clocks())["NEXT_UPDATE"]["run"] == "STOPPED", "the agent spoke last"


async def test_waiting_for_approval_is_not_charged(desk: Desk, wall: Time) -> None:
    await desk.ask(
        ticket_type="IT_HARDWARE",
        amount=None,
        custom_fields={"budget_code": "X", "justification": "Y"},
    )
    clocks = await desk.clocks()
    assert {c["run"] for c in clocks.values()} == {"PAUSED"}
    assert {c["due_at"] for c in clocks.values()} == {None}
    ticket = await desk.ticket()
    assert (ticket.sla_state, ticket.sla_due_at) == ("PAUSED", None)
    assert await desk.rows("SELECT 1 FROM sla_timers WHERE ticket_id = :id") == []


async def test_a_higher_priority_counts_from_the_beginning_and_stale_warnings_are_not_said(
    desk: Desk, wall: Time
) -> None:
    await desk.ask(priority="LOW")
    wall.go(10 * MINUTE)
    await desk.say("agent")
    wall.go(5 * HOUR)
    await desk.edit("admin", priority="CRITICAL")
    clocks = await desk.clocks()
    assert clocks["FIRST_RESPONSE"]["priority"] == "LOW", "what is answered stays as it was"
    late = clocks["RESOLUTION"]
    assert (late["target_seconds"], late["due_at"]) == (4 * 3600, late["started_at"] + 4 * HOUR)
    assert late["breached_at"] == late["due_at"]
    assert (await desk.ticket()).sla_state == "BREACHED"
    await running_late.run_due(desk.database)
    await running_late.run_due(desk.database)
    assert await desk.said() == ["RESOLUTION late"], "and no warning that is stale"


async def test_a_reopened_request_goes_on_without_the_time_it_was_done(desk: Desk, wall: Time) -> None:
    await desk.ask()
    await desk.give("agent")
    await desk.move("agent", Status.IN_PROGRESS)
    wall.go(HOUR)
    await desk.move("agent", Status.COMPLETED)
    assert (await desk.clocks())["RESOLUTION"]["run"] == "STOPPED"
    assert (await desk.ticket()).sla_state == "MET"
    wall.go(3 * HOUR)
    await desk.move("employee", Status.IN_PROGRESS, "It is broken again")
    again = (await desk.clocks())["RESOLUTION"]
    assert (again["run"], again["reopens"], round(again["used_seconds"])) == ("RUNNING", 1, 3600)
    assert (await desk.clocks())["FIRST_RESPONSE"]["run"] == "STOPPED", "never again"


async def test_what_was_taken_back_waits(desk: Desk, wall: Time) -> None:
    hardware = {"ticket_type": "IT_HARDWARE", "custom_fields": {"budget_code": "X", "justification": "Y"}}
    await desk.ask(**hardware)
    wall.go(HOUR)
    await desk.move("employee", Status.DRAFT)
    assert {c["run"] for c in (await desk.clocks()).values()} == {"PAUSED"}
    wall.go(HOUR)
    actor = await desk.actor("employee")
    async with desk.database.transaction() as session:
        await service.submit_ticket(session, actor, desk.id)
    assert len(await desk.events("sla.attached")) == 1, "it is the same agreement"


# --- what is said -----------------------------------------------------------------------------------------------------


async def test_each_moment_is_said_once_by_many_workers(desk: Desk, wall: Time) -> None:
    await desk.ask()
    wall.go(89 * MINUTE)
    await running_late.run_due(desk.database)
    assert await desk.said() == []
    wall.go(2 * MINUTE)
    await asyncio.gather(*(running_late.run_due(desk.database) for _ in range(5)))
    assert await desk.said() == ["FIRST_RESPONSE 75"]
    wall.go(30 * MINUTE)
    await asyncio.gather(*(running_late.run_due(desk.database) for _ in range(5)))
    assert await desk.said() == ["FIRST_RESPONSE 75", "FIRST_RESPONSE late"]
    first = (await desk.clocks())["FIRST_RESPONSE"]
    assert first["breached_at"] == first["due_at"]
    assert (await desk.ticket()).sla_state == "BREACHED"


async def test_after_a_time_without_workers_a_breach_is_told_once_and_nothing_stale(desk: Desk, wall: Time) -> None:
    await desk.ask()
    wall.go(30 * HOUR)
    await desk.say("agent")  # it is answered by now, and was late all the same
    await running_late.run_due(desk.database)
    await running_late.run_due(desk.database)
    assert await desk.said() == ["FIRST_RESPONSE late"]
    first = (await desk.clocks())["FIRST_RESPONSE"]
    assert (first["run"], first["breached_at"]) == ("STOPPED", first["started_at"] + 2 * HOUR)


async def test_nothing_is_said_while_it_is_paused(desk: Desk, wall: Time, own_policy: Any) -> None:
    await own_policy(paused=["IN_PROGRESS"])
    await desk.ask()
    wall.go(HOUR)
    await desk.give("agent")
    await desk.move("agent", Status.IN_PROGRESS)
    wall.go(100 * HOUR)
    await running_late.run_due(desk.database)
    assert await desk.said() == []
    assert (await desk.ticket()).sla_state == "PAUSED"


async def test_what_the_policy_does_is_done_once(desk: Desk, wall: Time, own_policy: Any) -> None:
    async with desk.database.read() as session:
        other = await session.scalar(text("SELECT id FROM teams WHERE name <> 'IT Support' ORDER BY id LIMIT 1"))
    nothing = {"percent": None, "user_id": None, "team_id": None, "metrics": []}
    lead = await desk.actor("head")
    actions = [
        nothing | {"on": "BREACH", "do": "RAISE_PRIORITY"},
        nothing | {"on": "BREACH", "do": "TELL_PERSON", "user_id": lead.user_id},
        nothing | {"on": "BREACH", "do": "TELL_MANAGER"},
        nothing | {"on": "BREACH", "do": "HAND_TO_TEAM", "team_id": other},
    ]
    await own_policy(actions=actions, warnings=[])
    await desk.ask(priority="MEDIUM")
    await desk.give("agent")
    wall.go(48 * HOUR)
    await asyncio.gather(*(running_late.run_due(desk.database) for _ in range(3)))
    await running_late.run_due(desk.database)
    ticket = await desk.ticket()
    assert (ticket.priority, ticket.team_id, ticket.assignee_id) == ("HIGH", other, None)
    assert await desk.said() == ["FIRST_RESPONSE late"], "the earlier due date that follows is the same breach"
    (_, told), *_ = await desk.events("sla.breached")
    async with desk.database.read() as session:
        manager = await session.scalar(select(User.manager_id).where(User.username == "agent"))
    assert told["told_ids"] == [lead.user_id] + ([manager] if manager and manager != lead.user_id else [])
    assert [d["done"] for _, d in await desk.events("sla.escalated")] == [
        ["raised its priority", f"handed it to {await _team(desk, other)}"]
    ]


async def _team(desk: Desk, team_id: int) -> str:
    async with desk.database.read() as session:
        return str(await session.scalar(text("SELECT name FROM teams WHERE id = :id"), {"id": team_id}))


async def test_people_are_told_in_their_own_time(desk: Desk, wall: Time) -> None:
    await desk.ask()
    await desk.give("agent")
    agent = await desk.actor("agent")
    async with desk.database.transaction() as session:
        await session.execute(update(User).where(User.id == agent.user_id).values(timezone="Asia/Tokyo"))
        await session.execute(update(TeamMember).values(is_lead=False))
    wall.go(121 * MINUTE)
    await running_late.run_due(desk.database)
    while await relay.drain(desk.database):
        pass
    async with desk.database.read() as session:
        notices = list(
            await session.scalars(
                select(Notification).where(Notification.user_id == agent.user_id, Notification.kind == "sla.breached")
            )
        )
        mails = list(
            await session.scalars(
                select(Delivery).where(Delivery.user_id == agent.user_id, Delivery.kind == "sla.breached")
            )
        )
    said = {n.title: n for n in notices}[f"Late: the first response of {(await desk.ticket()).title}"]
    due = (wall.began + 2 * HOUR).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"Monday, {due.day} {due:%B %Y}, 20:00 JST" in said.body
    assert any(mail.channel == "email" for mail in mails)


# --- versions and the log ---------------------------------------------------------------------------------------------


async def test_what_runs_keeps_its_version_until_somebody_applies_the_newest(
    desk: Desk, wall: Time, own_policy: Any
) -> None:
    await desk.ask()
    before = (await desk.clocks())["RESOLUTION"]
    targets = {"RESOLUTION": {"HIGH": {"amount": 3, "unit": "HOURS", "days": None}}}
    await own_policy(targets=targets)
    wall.go(HOUR)
    await desk.edit("admin", tags=["late"])
    assert (await desk.clocks())["RESOLUTION"]["due_at"] == before["due_at"]
    await clocking.apply_newest(desk.database, "All requests", "applied to running requests")
    after = await desk.clocks()
    assert set(after) == {"RESOLUTION"}
    assert after["RESOLUTION"]["policy_version"] == before["policy_version"] + 1
    assert after["RESOLUTION"]["due_at"] == before["started_at"] + 3 * HOUR, "from the original start"
    await clocking.apply_newest(desk.database, "All requests", "applied to running requests")
    assert len(await desk.events("sla.attached")) == 2, "the second time changes nothing"
    assert await clocking.apply_newest(desk.database, "Nobody's", "applied") is None


async def test_the_log_alone_gives_the_same_numbers(desk: Desk, wall: Time) -> None:
    for priority in ("LOW", "HIGH", "CRITICAL"):
        await desk.ask(priority=priority)
        wall.go(HOUR)
        await desk.give("agent")
        await desk.say("agent")
        await desk.move("agent", Status.IN_PROGRESS)
        wall.go(20 * HOUR)
        await desk.say("employee")
        await desk.edit("admin", priority="MEDIUM")
        await desk.move("agent", Status.COMPLETED)
        wall.go(HOUR)
        await desk.move("employee", Status.IN_PROGRESS, "Not yet")
    wall.go(3 * HOUR)
    await running_late.run_due(desk.database)
    every = "SELECT * FROM sla_clocks ORDER BY ticket_id, metric, team_id"
    timers = (
        "SELECT ticket_id, metric, team_id, kind, percent, fires_at, fired_at FROM sla_timers ORDER BY 1, 2, 3, 5, 6"
    )
    shown = "SELECT id, sla_due_at, sla_state FROM tickets ORDER BY id"
    kept = [await desk.rows(s) for s in (every, timers, shown)]
    async with desk.database.transaction() as session:
        await session.execute(text("UPDATE sla_clocks SET used_seconds = -1, due_at = NULL, marks = '[]'"))
    assert await clocking.rebuild(desk.database) > 2
    for before, after in zip(kept, [await desk.rows(s) for s in (every, timers, shown)], strict=True):
        assert [a for a in after if a not in before] == []
        assert after == before


async def test_own_time_of_teams(desk: Desk, wall: Time, own_policy: Any) -> None:
    await desk.ask()
    team_id = (await desk.ticket()).team_id
    async with desk.database.read() as session:
        other = await session.scalar(text("SELECT id FROM teams WHERE id <> :t ORDER BY id LIMIT 1"), {"t": team_id})
    target = {"HIGH": {"amount": 2, "unit": "HOURS", "days": None}}
    await own_policy(own_time=[{"team_id": t, "targets": target} for t in (team_id, other)])
    await desk.ask()
    wall.go(HOUR)
    await desk.give(None, other)
    wall.go(HOUR / 2)
    await desk.give(None, team_id)
    rows = await desk.rows("SELECT * FROM sla_clocks WHERE ticket_id = :id AND metric = 'OWN_TIME' ORDER BY team_id")
    found = {r["team_id"]: (r["run"], round(r["used_seconds"] / 60)) for r in rows}
    assert found == {team_id: ("RUNNING", 60), other: ("PAUSED", 30)}


# --- as it is read ----------------------------------------------------------------------------------------------------


async def test_a_ticket_says_by_when_and_why(desk: Desk, wall: Time, who: Any, own_policy: Any) -> None:
    async with desk.database.read() as session:
        team_id = await session.scalar(text("SELECT id FROM teams WHERE name = 'IT Support'"))
    target = {"HIGH": {"amount": 2, "unit": "HOURS", "days": None}}
    await own_policy(own_time=[{"team_id": team_id, "targets": target}])
    wall.at = datetime.now(UTC) - timedelta(days=8)
    await desk.ask()
    with today():
        employee, agent = await who("employee"), await who("agent")
        mine, theirs = await employee.get(f"/tickets/{desk.id}/sla"), await agent.get(f"/tickets/{desk.id}/sla")
        short = (await employee.get(f"/tickets/{desk.id}"))["sla"]
        await (await who("outsider")).get(f"/tickets/{desk.id}/sla", expect=404)
    assert [t["metric"] for t in mine["targets"]] == ["FIRST_RESPONSE", "RESOLUTION"]
    assert [t["metric"] for t in theirs["targets"]] == ["FIRST_RESPONSE", "RESOLUTION", "OWN_TIME"]
    assert (mine["policy"]["name"], mine["calendar"]["zone"]) == ("All requests", "Europe/Berlin")
    for target in theirs["targets"]:
        assert target["state"] == "BREACHED"
        assert sum(line["seconds"] for line in target["ledger"]) == pytest.approx(target["elapsed_seconds"])
        running = sum(line["seconds"] for line in target["ledger"] if line["kind"] == "RUNNING")
        assert running == pytest.approx(target["used_seconds"]) == pytest.approx(target["sums"]["RUNNING"])
        assert target["used_seconds"] - target["target_seconds"] == pytest.approx(-target["left_seconds"])
        for line, following in itertools.pairwise(target["ledger"]):
            assert line["end"] == following["start"]
    assert short == {"state": "RUNNING", "next_due_at": mine["targets"][0]["due_at"]}, "until the timer has said it"


async def test_lists_are_sorted_and_narrowed_by_it(desk: Desk, wall: Time, who: Any) -> None:
    wall.at = datetime.now(UTC) - timedelta(days=8)
    await desk.ask(priority="CRITICAL")
    first = desk.id
    wall.at = datetime.now(UTC)
    await desk.ask(priority="LOW")

    async def listed(**params: Any) -> list[Any]:
        return list((await agent.get("/tickets", params={"limit": 100, **params}))["items"])

    with today():
        agent = await who("agent")
        for sort, backwards in (("sla_due_at", False), ("-sla_due_at", True)):
            page = await listed(sort=sort)
            dues = [i["sla"]["next_due_at"] for i in page if i["sla"] and i["sla"]["next_due_at"]]
            assert dues == sorted(dues, reverse=backwards)
            assert len(dues) > 2
            whole: list[int] = []
            cursor = None
            while True:
                part = await agent.get(
                    "/tickets", params={"sort": sort, "limit": 7} | ({"cursor": cursor} if cursor else {})
                )
                whole += [i["id"] for i in part["items"]]
                if not (cursor := part["next_cursor"]):
                    break
            assert whole[: len(page)] == [i["id"] for i in page]
        over = await listed(condition='{"field": "sla_due_at", "op": "lt", "value": "now"}')
        assert first in [i["id"] for i in over]
        assert desk.id not in [i["id"] for i in over]
        await running_late.run_due(desk.database)
        late = await listed(condition='{"field": "sla_state", "op": "eq", "value": "BREACHED"}')
        assert first in [i["id"] for i in late]
        assert {i["sla"]["state"] for i in late} == {"BREACHED"}


async def test_how_many_statements_it_takes(desk: Desk, wall: Time) -> None:
    await desk.ask()
    statements: list[str] = []
    engine = desk.database.write_engine.sync_engine

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        await desk.say("agent")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    words = ("FROM sla_", "INTO sla_", "FROM events", "SET sla_")
    ours = [s for s in statements if any(word in s for word in words)]
    assert len(ours) == 3, ours
