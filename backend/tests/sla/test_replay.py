"""A month of the whole company, replayed through the application: use cases, event log, clocks as they are kept, and the
worker that tells of them. Afterwards every number is what the pencil of `test_month` finds in what one could see happen.

The month has a change of the clocks in Europe and in America, holidays, hours of seven kinds, new versions of the policies
in the middle, and two days on which no worker ran.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.company import KINDS, Company
from tests.sla.test_calendar import MINUTE, is_open, utc
from tests.sla.test_month import Day, Pencil, by_pencil, priority_at
from tests.tickets.test_clocks import Time
from waypost.directory.models import TeamMember
from waypost.kernel import clock
from waypost.sla import queries
from waypost.sla.calendar import Calendar
from waypost.sla.clock import Run
from waypost.sla.clock_models import SlaTimer
from waypost.sla.marking import Happening, Metric, What
from waypost.sla.measuring import Deal
from waypost.sla.policies import PRIORITIES
from waypost.tickets import clock_reading, clocking, running_late
from waypost.tickets.models import Ticket, TicketComment

START = utc(2031, 3, 6)  # America changes its clocks on the 9th, Europe on the 30th
END = START + timedelta(days=31)
DOWN = (START + timedelta(days=12, hours=7), START + timedelta(days=14, hours=10))  # no worker between these
RENEWED = START + timedelta(days=16)  # the policies get another version
DEEDS = 500
WHAT = (
    ("create",) * 6
    + ("approve",) * 4
    + ("say",) * 6
    + ("start", "complete", "reopen", "answer") * 3
    + ("ask_back", "edit", "assign", "close", "submit") * 2
    + ("reject", "take_back", "merge")
)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Europe/Lisbon")


class Still(Time):
    """What is done at once is done at one instant: a model by the minute has no finer ones."""

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Diary:
    """What anybody who looked at the requests after each deed could have written down."""

    company: Company
    days: dict[int, Day] = field(default_factory=dict)
    seen: dict[int, Ticket] = field(default_factory=dict)
    deals: dict[int, Deal] = field(default_factory=dict)  # that held when it was sent first
    deeds: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    last_comment: int = 0

    async def look(self, agreed: dict[str, Deal]) -> None:
        at, ids = self.company.wall.at, self.company.ids
        async with self.company.database.read() as session:
            tickets = list(await session.scalars(select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id)))
            said = list(
                await session.scalars(
                    select(TicketComment).where(TicketComment.id > self.last_comment).order_by(TicketComment.id)
                )
            )
            teams: dict[int, set[int]] = defaultdict(set)
            for member in await session.scalars(select(TeamMember)):
                teams[member.team_id].add(member.user_id)
        for ticket in tickets:
            before = self.seen.get(ticket.id)
            day = self.days.setdefault(ticket.id, Day(self.company.dice, at))
            if before is None or before.team_id != ticket.team_id:
                day.happenings.append(Happening(at, What.HANDED, team_id=ticket.team_id))
            if before is None or before.status != ticket.status:
                day.happenings.append(Happening(at, What.MOVED, status=ticket.status))
            if before is None or before.priority != ticket.priority:
                day.priorities.append((at, ticket.priority))
            if ticket.status != "DRAFT":
                self.deals.setdefault(ticket.id, agreed[ticket.ticket_type])
            if before is None or before.version != ticket.version:
                self.deeds[ticket.id].append(at)
            self.seen[ticket.id] = ticket
        for comment in said:
            self.last_comment = comment.id
            if comment.visibility != "PUBLIC" or comment.ticket_id not in self.days:
                continue
            ticket = self.seen[comment.ticket_id]
            of_team = {ticket.assignee_id, self.company.people["admin"], *teams[ticket.team_id or 0]}
            what = What.ASKED if comment.author_id == ticket.requester_id else What.ANSWERED
            if what is What.ASKED or comment.author_id in of_team:
                self.days[ticket.id].happenings.append(Happening(at, what))
                self.deeds[ticket.id].append(at)


def hours(dice: random.Random) -> list[dict[str, str]]:
    opens, closes = dice.randrange(6, 10), dice.randrange(15, 20)
    if dice.random() < 0.5:
        return [{"from": f"{opens:02}:30", "to": f"{closes:02}:00"}]
    return [{"from": f"{opens:02}:00", "to": "12:15"}, {"from": "13:05", "to": f"{closes:02}:45"}]


def a_calendar(dice: random.Random, name: str, zone: str) -> dict[str, Any]:
    days = [(START + timedelta(days=d)).date() for d in dice.sample(range(1, 30), 4)]
    return {
        "name": name,
        "zone": zone,
        # one that works through the nights in which clocks change
        "week": [[{"from": "00:00", "to": "24:00"}]] * 7
        if name == "C3"
        else [*(hours(dice) for _ in range(5)), [], []],
        "days": [
            {"kind": "CLOSED", "day": str(days[0]), "name": "Closed"},
            {"kind": "CLOSED", "day": str(days[1]), "name": "Closed too"},
            {"kind": "YEARLY", "month_day": f"{days[2]:%m-%d}", "name": "Every year"},
            {"kind": "SPECIAL", "day": str(days[3]), "hours": [{"from": "10:00", "to": "12:00"}], "name": "Short"},
        ],
    }


def a_policy(dice: random.Random, kind: str, calendar_id: int, team_id: int) -> dict[str, Any]:
    def targets(most: int) -> dict[str, Any]:
        return {p: {"amount": dice.randrange(20, most), "unit": "MINUTES"} for p in PRIORITIES}

    return {
        "name": f"Replay {kind}",
        "condition": {"field": "ticket_type", "op": "eq", "value": kind},
        "calendar_id": calendar_id,
        "targets": {"FIRST_RESPONSE": targets(600), "NEXT_UPDATE": targets(900), "RESOLUTION": targets(4000)},
        "own_time": [{"team_id": team_id, "targets": targets(2000)}] if kind == "IT_SUPPORT" else [],
        "paused": dice.choice([["PENDING_INFO"], ["PENDING_INFO", "APPROVED"]]),
        "counts_approval": kind == "FINANCE",
        "reopening": {"IT_SUPPORT": "RESUME", "FACILITY": "RESTART"}.get(kind, "STAY"),
        "warnings": [50, 75],
        "actions": [],
    }


async def agreed_now(database: Any) -> dict[str, Deal]:
    async with database.read() as session:
        policies, calendars = await queries.policies(session), await queries.calendars(session)
    by_name = {p.name: p for p in policies}
    return {k: Deal(p := by_name[f"Replay {k}"], calendars.of(p.calendar_id)) for k in KINDS}


async def work_until(database: Any, wall: Time, until: datetime) -> None:
    """The worker looks each minute: here only in those in which it finds something, and in none while it is down."""
    while True:
        async with database.read() as session:
            following = select(SlaTimer.fires_at).where(SlaTimer.fired_at.is_(None)).order_by(SlaTimer.fires_at)
            due = await session.scalar(following.limit(1))
        if due is None:
            break
        minute = max(wall.at, due.replace(second=0, microsecond=0) + MINUTE * bool(due.second or due.microsecond))
        if DOWN[0] <= minute < DOWN[1]:
            minute = DOWN[1]
        if minute >= until:
            break
        wall.at = minute
        await running_late.run_due(database)
    wall.at = until


@pytest.fixture(scope="module")
async def month(database: Any, who: Any) -> tuple[Company, Diary]:
    dice = random.Random(20310306)
    admin = await who("admin")
    teams = {t["name"]: t["id"] for t in (await admin.get("/teams", params={"limit": 100}))["items"]}
    made = []
    for n, kind in enumerate(KINDS):
        calendar = await admin.post("/sla/calendars", a_calendar(dice, f"C{n}", ZONES[n]), 201)
        body = a_policy(dice, kind, calendar["id"], teams["IT Support"])
        made.append((await admin.post("/sla/policies", {**body, "position": 1}, 201), kind, calendar["id"]))
    wall = Still(START)
    company = Company(database, wall, dice)
    diary = Diary(company)
    with clock.clock(wall):
        agreed = await agreed_now(database)
        was_renewed = False
        for minute in sorted(dice.sample(range(1, 30 * 1440), DEEDS)):
            await work_until(database, wall, START + MINUTE * minute)
            if wall.at > RENEWED and not was_renewed:
                was_renewed = True
                with clock.clock(lambda: datetime.now(START.tzinfo)):  # whoever is signed in is so today
                    for policy, kind, calendar_id in made:
                        body = a_policy(dice, kind, calendar_id, teams["IT Support"])
                        await admin.put(f"/sla/policies/{policy['id']}", {**body, "version": policy["version"]})
                agreed = await agreed_now(database)
            await company.do(dice.choice(WHAT))
            await diary.look(agreed)
        await work_until(database, wall, END)
    return company, diary


async def shown(company: Company, ticket_id: int) -> dict[tuple[str, int], Any]:
    """The targets of a request as a person sees them."""
    admin = await company.actor("admin")
    wall = Still(END)
    with clock.clock(wall):
        async with company.database.read() as session:
            found = await clock_reading.ticket_sla(session, admin, ticket_id)
    return {(t["metric"], (t["team"] or {"id": 0})["id"]): t for t in found["targets"]}


def instant(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def compare(target: Any, pencil: Pencil, day: Day, counts: Counter[str]) -> None:
    assert target["run"] == pencil.run
    assert target["priority"] == priority_at(day, instant(target["stopped_at"]) or END)
    assert target["used_seconds"] == 60 * len(pencil.counted)
    lines = target["ledger"]
    assert sum(line["seconds"] for line in lines if line["kind"] == "RUNNING") == target["used_seconds"]
    assert sum(line["seconds"] for line in lines) == target["elapsed_seconds"]
    for before, line in pairwise(lines):
        assert before["end"] == line["start"]
    budget = int(target["target_seconds"]) // 60
    if len(pencil.counted) > budget or (len(pencil.counted) == budget and pencil.run is Run.RUNNING):
        assert instant(target["breached_at"]) == pencil.counted[budget - 1] + MINUTE
        counts["breached"] += 1
    else:
        assert target["breached_at"] is None
        counts["met"] += pencil.run is Run.STOPPED
    counts["clocks"] += 1
    counts["ledger lines"] += len(lines)
    counts["working minutes"] += len(pencil.counted)
    counts["paused or closed lines"] += sum(line["kind"] != "RUNNING" for line in lines)


async def test_every_clock_is_what_the_pencil_says(
    month: tuple[Company, Diary], capsys: pytest.CaptureFixture[str]
) -> None:
    company, diary = month
    counts: Counter[str] = Counter()
    known: dict[tuple[str, datetime], bool] = {}

    def opens(calendar: Calendar, at: datetime) -> bool:
        key = calendar.zone, at  # each zone has one calendar here
        if key not in known:
            known[key] = is_open(calendar, at)
        return known[key]

    for ticket_id, day in diary.days.items():
        found = await shown(company, ticket_id)
        counts["requests"] += 1
        if ticket_id not in diary.deals:
            assert found == {}, "a draft has no clocks"
            continue
        deal = diary.deals[ticket_id]
        teams = {h.team_id for h in day.happenings if h.what is What.HANDED and h.team_id in deal.policy.own_time}
        wanted: list[tuple[Metric, int]] = [(m, 0) for m in Metric if m is not Metric.OWN_TIME]
        for metric, team in [*wanted, *((Metric.OWN_TIME, t or 0) for t in teams)]:
            pencil = by_pencil(day, deal, metric, team or None, END, opens)
            target = found.pop((metric.value, team), None)
            if target is None:
                assert not pencil.counted, "what is not there has not run"
                continue
            compare(target, pencil, day, counts)
        assert found == {}
        counts["happenings"] += len(day.happenings)
    done = {k: n for k, n in company.done.items() if not k.startswith("nothing") and not k.endswith("refused")}
    with capsys.disabled():
        sys.stdout.write("\nA month replayed: " + ", ".join(f"{n} {what}" for what, n in counts.items()) + "\n")
        sys.stdout.write(f"{sum(done.values())} deeds: " + ", ".join(f"{n} {what}" for what, n in done.items()) + "\n")
    assert counts["requests"] > 60
    assert counts["clocks"] > 120
    assert min(counts["breached"], counts["met"]) > 20
    assert set(WHAT) <= done.keys()


async def test_each_breach_was_told_once_and_on_time(
    month: tuple[Company, Diary], capsys: pytest.CaptureFixture[str]
) -> None:
    """Within its minute; after the days without a worker, when it was back; what a change made late, when it was changed."""
    company, diary = month
    statement = text(
        "SELECT object_id, type, data, at FROM events WHERE type IN ('sla.breached', 'sla.warned')"
        " AND object_id = ANY(:ids) ORDER BY id"
    )
    async with company.database.read() as session:
        rows = (await session.execute(statement, {"ids": company.ids})).all()
    told: Counter[Any] = Counter()
    late: Counter[str] = Counter()
    for row in rows:
        due = instant(row.data["due_at"])
        assert due is not None
        key = (row.object_id, row.data["metric"], row.data["team_id"])
        told[*key, row.type, row.data.get("percent"), row.data["due_at"]] += 1
        if row.type != "sla.breached":
            continue
        if row.at < due + MINUTE:
            late["on time"] += 1
        elif DOWN[0] <= due + MINUTE and row.at == DOWN[1]:
            late["when the worker was back"] += 1
        else:
            changed = [at for at in diary.deeds[row.object_id] if at >= due]
            assert any(row.at - MINUTE <= at <= row.at or DOWN[0] <= at < DOWN[1] for at in changed), (row, changed)
            late["when a change made it late"] += 1
    assert not [key for key, n in told.items() if n > 1], "nothing is told twice"
    breached = {(i, m, t) for i, m, t, kind, _, _ in told if kind == "sla.breached"}
    for ticket_id in company.ids:
        for (metric, team), target in (await shown(company, ticket_id)).items():
            if target["breached_at"] is not None and instant(target["breached_at"]) < END:  # type: ignore[operator]
                assert (ticket_id, metric, team) in breached, "nothing is left out"
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(rows)} things told; breaches " + ", ".join(f"{n} {w}" for w, n in late.items()) + "\n"
        )
    assert late["on time"] > 20
    assert late["when the worker was back"] > 0


async def test_the_log_alone_gives_the_same_clocks(month: tuple[Company, Diary]) -> None:
    company, _ = month
    kept = text("SELECT * FROM sla_clocks WHERE ticket_id = ANY(:ids) ORDER BY ticket_id, metric, team_id")
    async with company.database.read() as session:
        before = (await session.execute(kept, {"ids": company.ids})).all()
    async with company.database.transaction() as session:
        await session.execute(text("DELETE FROM sla_clocks WHERE ticket_id = ANY(:ids)"), {"ids": company.ids})
    with clock.clock(Still(END)):
        await clocking.rebuild(company.database)
    async with company.database.read() as session:
        assert (await session.execute(kept, {"ids": company.ids})).all() == before
