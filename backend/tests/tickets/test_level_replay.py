"""Service levels tried out on the newest requests: what the clocks would be, beside what they are, and nothing is written."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import text

from tests.sla.test_calendar import MINUTE, is_open, utc
from tests.sla.test_month import a_calendar, a_deal, a_life, by_pencil
from tests.tickets.test_clocks import HOUR, Desk, Time, desk, own_policy, wall
from tests.tickets.test_trying import counted, rows
from waypost.sla.clock import Run
from waypost.sla.marking import Metric
from waypost.sla.measuring import Deal, Story, measure, promised
from waypost.sla.models import SlaPolicy, SlaPolicyVersion
from waypost.sla.policy_setting import Setup
from waypost.tickets import clocking, level_replay
from waypost.tickets.level_effects import differences
from waypost.tickets.lifecycle import Status

__all__ = ["desk", "own_policy", "wall"]  # fixtures
Json = dict[str, Any]


def hours(**by_metric: int) -> Json:
    return {m: {"HIGH": {"amount": n, "unit": "HOURS"}} for m, n in by_metric.items()}


class Trying:
    """The one policy there is, with other words."""

    def __init__(self, desk: Desk, policy_id: int) -> None:
        self.desk, self.id = desk, policy_id

    async def document(self) -> Json:
        async with self.desk.database.read() as session:
            row = await session.get_one(SlaPolicy, self.id)
            return dict((await session.get_one(SlaPolicyVersion, (self.id, row.version))).document)

    async def replay(self, *, username: str = "admin", is_active: bool = True, **parts: Any) -> Json:
        actor = await self.desk.actor(username)
        setup = Setup("All requests", await self.document() | parts, is_active)
        async with self.desk.database.read() as session:
            return await level_replay.replay(session, actor, setup, self.id)

    async def of(self, ticket_id: int, **parts: Any) -> Json | None:
        told = await self.replay(**parts)
        return next((one for one in told["different"] if one["ticket"]["id"] == ticket_id), None)


@pytest.fixture
async def trying(desk: Desk, own_policy: Any) -> Trying:
    policy_id = await own_policy(
        condition=None, targets=hours(FIRST_RESPONSE=2, RESOLUTION=40), own_time=[], paused=[], warnings=[], actions=[]
    )
    return Trying(desk, policy_id)


def clock_of(one: Json | None, metric: str) -> Json:
    assert one is not None
    return dict(next(c for c in one["clocks"] if c["metric"] == metric))


async def test_what_is_in_force_differs_in_nothing(trying: Trying, desk: Desk, wall: Time, own_policy: Any) -> None:
    """Whatever versions requests went by: unchanged words change nothing."""
    await desk.ask()
    wall.go(3 * HOUR)
    await desk.say("agent")
    await own_policy(targets=hours(FIRST_RESPONSE=4), paused=["IN_PROGRESS"])
    await desk.ask()
    await desk.move("agent", Status.IN_PROGRESS)
    wall.go(6 * HOUR)
    told = await trying.replay()
    assert told["total"] > 10, "the demo company's too"
    assert (told["same"], told["different"], told["hidden"]) == (told["total"], [], 0)
    assert (told["late"], told["eased"], told["other"], told["moved"]) == (0, 0, 0, 0)
    assert told["fits"] == told["total"]
    assert told["older"] >= 1


async def test_what_would_be_late_stands_first(trying: Trying, desk: Desk, wall: Time) -> None:
    late = (await desk.ask()).id
    wall.go(3 * HOUR)
    await desk.say("agent")
    at_once = (await desk.ask()).id
    asked_at = wall.at
    wall.go(timedelta(minutes=90))
    await desk.say("agent")
    waits = (await desk.ask()).id
    begun = (await desk.clocks())["FIRST_RESPONSE"]["started_at"]

    told = await trying.replay(targets=hours(FIRST_RESPONSE=1, RESOLUTION=40))
    assert {d["outcome"] for d in told["different"][: told["late"]]} == {"LATE"}
    assert told["late"] + told["eased"] + told["other"] + told["same"] == told["total"]
    assert len(told["different"]) == told["total"] - told["same"]
    mine = {d["ticket"]["id"]: d for d in told["different"]}
    first = clock_of(mine[at_once], "FIRST_RESPONSE")
    assert [c["metric"] for c in mine[at_once]["clocks"]] == ["FIRST_RESPONSE"], "the other clock is the same"
    assert (first["before"]["state"], first["after"]["state"]) == ("MET", "BREACHED")
    assert first["before"]["due_at"][:16] == (asked_at + 2 * HOUR).isoformat()[:16], "when it would have been due"
    assert first["after"]["due_at"][:16] == (asked_at + HOUR).isoformat()[:16]
    assert (first["is_otherwise"], first["had"], first["team"]) == (False, None, None)
    assert mine[late]["outcome"] == "OTHER", "late on both sides, earlier with the draft"
    assert clock_of(mine[waits], "FIRST_RESPONSE")["after"] == {
        "state": "RUNNING",
        "due_at": (begun + HOUR).isoformat().replace("+00:00", "Z"),
        "left_seconds": None,
    }

    eased = await trying.of(late, targets=hours(FIRST_RESPONSE=8, RESOLUTION=40))
    assert eased is not None
    assert eased["outcome"] == "EASED"
    assert (eased["is_moved"], eased["before"], eased["after"]) == (False, "All requests", "All requests")
    ended = await trying.of(waits, targets=hours(RESOLUTION=40))
    assert clock_of(ended, "FIRST_RESPONSE")["after"] is None


async def test_both_sides_are_what_the_ledger_says(trying: Trying, desk: Desk, wall: Time, own_policy: Any) -> None:
    """Before it is saved, and after it was saved and applied."""
    await desk.ask()
    wall.go(timedelta(minutes=50))
    await desk.move("agent", Status.IN_PROGRESS)
    wall.go(20 * HOUR)
    draft = {"targets": hours(FIRST_RESPONSE=7, RESOLUTION=9), "paused": ["IN_PROGRESS"]}
    foretold = await trying.of(desk.id, **draft)
    assert foretold is not None
    kept = await desk.clocks()
    for clock in foretold["clocks"]:
        assert clock["before"]["due_at"] == kept[clock["metric"]]["due_at"].isoformat().replace("+00:00", "Z")
    await own_policy(**draft)
    assert await clocking.apply_newest(desk.database, "All requests", "tried out before") is not None
    kept = await desk.clocks()
    assert {c["metric"] for c in foretold["clocks"]} == set(kept)
    for clock in foretold["clocks"]:
        row = kept[clock["metric"]]
        due = row["due_at"] and row["due_at"].isoformat().replace("+00:00", "Z")
        assert (clock["after"]["state"], clock["after"]["due_at"]) == (row["run"], due)
        assert row["run"] == "PAUSED"
        assert clock["after"]["left_seconds"] == row["target_seconds"] - row["used_seconds"]


async def test_what_went_by_an_earlier_version_says_so(trying: Trying, desk: Desk, wall: Time, own_policy: Any) -> None:
    await desk.ask()
    wall.go(3 * HOUR)
    await desk.say("agent")
    await own_policy(targets=hours(FIRST_RESPONSE=4))
    one = clock_of(await trying.of(desk.id, targets=hours(FIRST_RESPONSE=5)), "FIRST_RESPONSE")
    assert (one["before"]["state"], one["after"]["state"], one["is_otherwise"]) == ("MET", "MET", True)
    assert one["had"]["state"] == "BREACHED", "in fact it had two hours"


async def test_whom_it_would_be_for(trying: Trying, desk: Desk) -> None:
    """A condition moves requests from policy to policy; one that is not used is nobody's."""
    support = (await desk.ask()).id
    facility = (await desk.ask(ticket_type="FACILITY")).id
    only = {"field": "ticket_type", "op": "eq", "value": "IT_SUPPORT"}
    told = await trying.replay(condition=only)
    mine = {d["ticket"]["id"]: d for d in told["different"]}
    assert support not in mine
    assert (mine[facility]["is_moved"], mine[facility]["after"]) == (True, None)
    assert told["moved"] == told["total"] - told["fits"] == len(told["different"])
    unused = await trying.replay(is_active=False)
    assert (unused["fits"], unused["moved"]) == (0, unused["total"])
    admin = await desk.actor("admin")
    urgent = Setup("New", {"condition": only, "targets": hours(RESOLUTION=1)})
    async with desk.database.read() as session:
        new = await level_replay.replay(session, admin, urgent, None)
    assert new["moved"] == new["fits"] == told["fits"]
    assert {d["after"] for d in new["different"]} == {"New"}


async def test_own_times_are_for_whom_they_concern(trying: Trying, desk: Desk, who: Any) -> None:
    """And requests one may not see are counted, and not shown."""
    await desk.ask(title="Quokka")
    team = (await desk.ticket()).team_id
    own = {"own_time": [{"team_id": team, "targets": {"HIGH": {"amount": 1, "unit": "HOURS"}}}]}
    clock = clock_of(await trying.of(desk.id, **own), "OWN_TIME")
    assert (clock["team"]["id"], clock["before"]) == (team, None)
    person = await level_keeper(desk)
    hidden = await trying.replay(username=person, **own)
    assert (hidden["different"], hidden["hidden"], hidden["same"]) == ([], 0, hidden["total"])
    hidden = await trying.replay(username=person, targets=hours(RESOLUTION=1))
    assert hidden["hidden"] >= 1
    assert desk.id not in [d["ticket"]["id"] for d in hidden["different"]]
    assert "Quokka" not in str(hidden)


async def level_keeper(desk: Desk) -> str:
    """Somebody who configures service levels and sees their own requests only."""
    async with desk.database.transaction() as session:
        await session.execute(
            text(
                "WITH r AS (INSERT INTO roles (key, name) VALUES ('level_keeper', 'Keeper') RETURNING id), p AS ("
                " INSERT INTO role_permissions (role_id, permission, scope) SELECT id, 'sla:configure', 9 FROM r)"
                " INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id FROM users u, r WHERE username = 'colleague'"
            )
        )
    return "colleague"


async def test_nothing_is_written(trying: Trying, desk: Desk) -> None:
    await desk.ask()
    before = await rows(desk.database)
    told = await trying.replay(targets=hours(FIRST_RESPONSE=1), paused=["IN_PROGRESS"])
    assert told["different"]
    assert await rows(desk.database) == before


TARGETS = hours(RESOLUTION=4)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/targets"),
        ({"targets": {"RESOLUTION": {"HIGH": {"amount": 0, "unit": "HOURS"}}}}, "/targets/RESOLUTION/HIGH/amount"),
        ({"targets": {"RESOLUTION": {"HIGH": {"amount": 366, "unit": "DAYS"}}}}, "/targets/RESOLUTION/HIGH/amount"),
        ({"targets": TARGETS, "calendar_id": 999_999}, "/calendar_id"),
        (
            {"targets": TARGETS, "own_time": [{"team_id": 999_999, "targets": TARGETS["RESOLUTION"]}]},
            "/own_time/0/team_id",
        ),
        ({"targets": TARGETS, "paused": ["APPROVED", "IN_PROGRESS"]}, "/paused"),
        ({"targets": TARGETS, "condition": {"field": "colour", "op": "eq", "value": 1}}, "/condition/field"),
        ({"targets": TARGETS, "warnings": [75, 75]}, "/warnings/1"),
        ({"targets": TARGETS, "is_active": "yes"}, "/is_active"),
        ({"targets": TARGETS, "name": "x" * 101}, "/name"),
        ({"targets": TARGETS, "wage": 1}, "/wage"),
    ],
)
async def test_what_cannot_be_tried(who: Any, body: Json, pointer: str) -> None:
    admin = await who("admin")
    (policy, *_) = (await admin.get("/sla/policies"))["items"]
    for path in ("/sla/policies/replay", f"/sla/policies/{policy['id']}/replay"):
        assert (await admin.post(path, body, expect=422))["errors"][0]["pointer"] == pointer
    await admin.post("/sla/policies/999999/replay", body, expect=404)


async def test_who_may_try(who: Any) -> None:
    for username in ("employee", "manager", "agent", "auditor", "executive"):
        await (await who(username)).post("/sla/policies/replay", {"targets": TARGETS}, expect=403)
        await (await who(username)).post("/sla/policies/1/replay", {}, expect=403)
    await (await who(None)).post("/sla/policies/replay", {"targets": TARGETS}, expect=401)
    told = await (await who("admin")).post("/sla/policies/replay", {"targets": TARGETS})
    assert told["total"] == told["late"] + told["eased"] + told["other"] + told["same"]


async def test_five_hundred_in_a_handful_of_statements(fresh_database: Any, fresh_who: Any) -> None:
    """However many there are; what there is no time for is not looked at, and the answer says so."""
    admin = await fresh_who("admin")
    async with fresh_database.transaction() as session:
        await session.execute(
            text(
                "WITH made AS (INSERT INTO tickets (ticket_number, title, ticket_type_id, ticket_type, form_version,"
                " status, priority, requester_id, created_by_id, version, round, created_at, updated_at, submitted_at)"
                " SELECT 'T-' || n, 'Old ' || n, t.id, t.key, 1, 'APPROVED', 'HIGH', u.id, u.id, 1, 1,"
                " now() + n * interval '1 ms', now(), now() FROM generate_series(1, 600) n, ticket_types t, users u"
                " WHERE t.key = 'IT_SUPPORT' AND u.username = 'employee' RETURNING id)"
                " INSERT INTO events (type, version, object_type, object_id, data, channel, at)"
                " SELECT type, 1, 'ticket', id, data::jsonb, 'api', '2031-06-02 08:00+00' FROM made, (VALUES"
                " ('ticket.created', '{\"priority\": \"HIGH\"}'), ('ticket.approved', '{\"new_status\": \"APPROVED\"}')"
                " ) AS e(type, data)"
            )
        )
    await admin.post("/sla/policies/replay", {"targets": TARGETS})  # calendars and forms are known from here on
    with counted(fresh_database) as statements:
        told = await admin.post("/sla/policies/replay", {"targets": TARGETS})
    assert (told["total"], told["fits"], told["moved"], told["is_whole"]) == (500, 500, 500, True)
    assert {clock_of(d, "RESOLUTION")["after"]["due_at"] for d in told["different"]} == {"2031-06-02T12:00:00Z"}
    assert len(statements) <= 35, statements
    async with fresh_database.transaction() as session:
        # a walk of one index, however many rows there are
        await session.execute(text("SET LOCAL enable_sort = off"))
        plan = (
            await session.scalars(
                text(
                    "EXPLAIN SELECT * FROM tickets WHERE submitted_at IS NOT NULL"
                    " ORDER BY created_at DESC, id DESC LIMIT 500"
                )
            )
        ).all()
    assert "ix_tickets_newest" in " ".join(plan)


async def test_what_there_is_no_time_for(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_replay, "SECONDS", 0.0)
    monkeypatch.setattr(level_replay, "BATCH", 3)
    told = await (await who("admin")).post("/sla/policies/replay", {"targets": TARGETS})
    assert (told["total"], told["is_whole"]) == (3, False)


def test_what_is_late_on_either_side_is_what_a_pencil_says() -> None:
    """Random lives by two random agreements, against the model that counts minutes."""
    seen: Counter[str] = Counter()
    for n in range(12):
        dice = random.Random(5100 + n)
        start = utc(2031, 3, 10) + timedelta(days=n)
        day = a_life(dice, start)
        calendar = a_calendar(dice, start)
        deals = [a_deal(dice, calendar), a_deal(dice, calendar)]
        until = start + 16 * 24 * HOUR
        opens = cache(is_open)
        sides = [measure(story(day, deal), until) for deal in deals]
        assert differences(sides[0], sides[0]) == []
        words = {(d.metric, d.team_id): d.words for d in differences(*sides)}
        for metric in (Metric.FIRST_RESPONSE, Metric.NEXT_UPDATE, Metric.RESOLUTION):
            made = [next((c for c in side if c.metric is metric), None) for side in sides]
            if None in made:
                continue
            late = []
            for deal, clock in zip(deals, made, strict=True):
                assert clock is not None
                pencil = by_pencil(day, deal, metric, None, until, opens)
                budget = clock.target // MINUTE
                ran = len(pencil.counted)
                late.append(ran > budget or (ran == budget and pencil.run is Run.RUNNING))
                if ran >= budget and (due := promised(clock)) is not None:
                    assert due == pencil.counted[budget - 1] + MINUTE
            said = words.get((metric, 0), frozenset())
            assert ("late" in said, "eased" in said) == (late == [False, True], late == [True, False])
            seen.update(said)
    assert min(seen["late"], seen["eased"], seen["later"], seen["earlier"]) > 0, seen


def story(day: Any, deal: Deal) -> Story:
    return Story(tuple(day.happenings), tuple(day.priorities), ((day.start, deal),))
