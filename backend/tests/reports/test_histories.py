"""Whatever happens at a company, in whichever order its log is followed: the sums are those one counts by hand."""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.company import Company
from tests.reports.by_hand import MOVES, WHERE_TIME_GOES, counted_by_hand
from tests.reports.test_keeping import counted, kept
from tests.sla.test_calendar import MINUTE, is_open
from tests.tickets.test_clocks import MONDAY, Time
from waypost.kernel import clock
from waypost.reports import keeping, own_sums, readers
from waypost.sla import clocks
from waypost.sla.calendar import Calendar
from waypost.sla.clock import Kind, ledger
from waypost.sla.measuring import unpacked
from waypost.sla.queries import calendar_versions
from waypost.tickets import running_late

HISTORIES = 10
DEEDS = (
    ("create",) * 2
    + ("approve",) * 4
    + ("say", "start", "complete", "edit", "assign") * 3
    + ("start", "complete", "reopen", "close", "answer", "merge") * 2
    + ("submit", "ask_back", "reject", "hand_on", "take_back", "unsay", "split")
    + ("close_team", "close_department", "erase_words")
)
# what the one who follows the log does: goes on, goes back, looks twice, dies on the way, begins from nothing
FOLLOWS = ("on", "back", "twice", "dies", "anew")
compared: Counter[str] = Counter()


class Dies(Exception):
    """The worker does, in the middle."""


@pytest.fixture(scope="module")
def wall() -> Time:
    return Time(MONDAY + timedelta(weeks=4000))  # later than other tests' time, for it goes on


async def die_on(database: Any, ids: list[int]) -> None:
    async with database.transaction() as session:
        await keeping.work_out(session, ids)
        raise Dies


async def follow(database: Any, how: str, ids: list[int], dice: random.Random) -> None:
    """Deliveries that are late, come again, or come in another order."""
    if how == "on":
        await keeping.follow(database)
    elif how == "back":
        back = text(
            "UPDATE report_position p SET (txid, event_id) = (SELECT e.txid, e.id FROM events e"
            " WHERE (e.txid, e.id) <= (p.txid, p.event_id) ORDER BY e.txid DESC, e.id DESC OFFSET :by LIMIT 1)"
            " WHERE (SELECT count(*) FROM events e WHERE (e.txid, e.id) <= (p.txid, p.event_id)) > :by"
        )
        async with database.transaction() as session:
            await session.execute(back, {"by": dice.randrange(60)})
    elif how == "twice":
        some = dice.sample(ids, min(len(ids), 5))
        async with database.transaction() as session:
            await keeping.work_out(session, some)
            await keeping.work_out(session, [*reversed(some)])
    elif how == "dies":
        with pytest.raises(Dies):
            await die_on(database, ids[-5:])
    else:
        async with database.transaction() as session:
            await keeping.begin_rebuild(session)


async def places_of(database: Any) -> dict[str, list[int]]:
    """Everybody and everything that somebody may have to do with requests through."""
    async with database.read() as session:
        return {
            name: list(await session.scalars(text(f"SELECT id FROM {name} ORDER BY id")))
            for name in ("teams", "users", "departments")
        }


def some_authority(places: dict[str, list[int]], dice: random.Random, user_id: int) -> dict[str, Any]:
    """People, teams and departments that may not be theirs: a sum does not ask."""
    return {
        "me": user_id,
        "r_teams": dice.sample(places["teams"], 1),
        "r_reports": dice.sample(places["users"], dice.randrange(5)),
        "r_departments": dice.sample(places["departments"], 1),
    }


async def wish_for_sums(database: Any, places: dict[str, list[int]], dice: random.Random) -> None:
    """Some people get sums of their own. Who has some already gets them set right or removed, as `readers.MANY` says."""
    async with database.transaction() as session:
        for user_id in dice.sample(places["users"], 3):
            await session.execute(
                text(
                    "INSERT INTO report_readers (user_id, team_ids, report_ids, department_ids, counted_to, is_stale, read_at)"
                    " VALUES (:me, :r_teams, :r_reports, :r_departments, 0, false, '9000-01-01Z')"
                    " ON CONFLICT (user_id) DO UPDATE SET is_stale = true"
                ),
                some_authority(places, dice, user_id),
            )


def noted_moving(moved: Any) -> Any:
    """The same, and it is counted how often sums were set right by what it was about, and how often that was too much."""

    async def noted(*values: Any) -> bool:
        was_moved: bool = await moved(*values)
        compared["sums moved" if was_moved else "sums made anew"] += 1
        return was_moved

    return noted


async def look(database: Any) -> None:
    await counted(database)
    stored, facts = await kept(database)
    async with database.read() as session:
        by_hand = await counted_by_hand(session)
    assert stored == by_hand, {k: (stored.get(k), by_hand.get(k)) for k in stored.keys() ^ by_hand.keys()}
    compared["sums"] += len(by_hand)
    compared["requests"] += len(facts)
    compared["looks"] += 1
    compared["sums of a person"] += sum(key[0] == "P" for key in by_hand)


@given(seed=st.integers(0, 2**32), length=st.integers(25, 45))
@settings(max_examples=HISTORIES, suppress_health_check=list(HealthCheck))
async def test_sums_are_those_counted_by_hand(database: Any, wall: Time, seed: int, length: int) -> None:
    company = Company(database, wall, random.Random(seed))
    places = await places_of(database)
    await wish_for_sums(database, places, company.dice)
    with clock.clock(wall), pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EVENTS", 7)  # so that following stops on the way
        patch.setattr(keeping, "TICKETS", 11)
        patch.setattr(own_sums, "REQUESTS", company.dice.choice((13, 200)))
        patch.setattr(own_sums, "REMOVED", 50)
        patch.setattr(readers, "MANY", company.dice.choice((-1, -1, 1000)))
        patch.setattr(own_sums, "authority", lambda actor: some_authority(places, company.dice, actor.user_id))
        patch.setattr(own_sums, "_moved", noted_moving(own_sums._moved))
        for kind in ("IT_SUPPORT", "FACILITY", "IT_HARDWARE", "IT_SUPPORT"):
            await company.create(kind=kind, submit=True)
        for _ in range(length):
            wall.go(timedelta(minutes=company.dice.randrange(2000)))
            if company.dice.random() < 0.1:
                await wish_for_sums(database, places, company.dice)
            elif company.dice.random() < 0.2:
                await follow(database, company.dice.choice(FOLLOWS), company.ids, company.dice)
            else:
                await company.do(company.dice.choice(DEEDS))
        await running_late.run_due(database)
        await look(database)
        async with database.transaction() as session:  # what everybody has to do with changes, and nothing else
            await session.execute(text("UPDATE report_readers SET is_stale = true"))
        await look(database)
    compared.update({what: n for what, n in company.done.items() if what in DEEDS})
    compared["histories"] += 1


async def test_what_was_followed_is_what_is_made_anew(database: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """After all these histories."""
    await counted(database)
    followed = await kept(database)
    async with database.transaction() as session:
        await keeping.begin_rebuild(session)
    await counted(database)
    assert await kept(database) == followed
    with capsys.disabled():
        sys.stdout.write("\n" + ", ".join(f"{n} {what}" for what, n in compared.items()) + "\n")
    assert min(compared["sums moved"], compared["sums made anew"]) > 0
    assert sum(bool(compared[deed]) for deed in set(DEEDS)) > 15, "the dice did too little for anything to be known"


async def test_measures_of_working_time_are_the_ledgers_own(database: Any, who: Any) -> None:
    """Of reports people make: from each clock's stretches of time, added up one by one."""
    await counted(database)
    worked: dict[str, list[int]] = {"FIRST_RESPONSE": [], "RESOLUTION": []}
    kept_ones = []
    async with database.read() as session:
        statement = text(
            "SELECT c.*, t.completed_at FROM sla_clocks c JOIN tickets t ON t.id = c.ticket_id"
            " WHERE c.stopped_at IS NOT NULL AND c.metric IN ('FIRST_RESPONSE', 'RESOLUTION')"
        )
        rows = (await session.execute(statement)).all()
        pins = [(c.policy_id, c.policy_version, c.calendar_id, c.calendar_version) for c in rows]
        deals = await clocks.agreed(session, pins)
    for c, pin in zip(rows, pins, strict=True):
        lines = ledger(deals[pin].calendar.calendar, unpacked(c.marks), c.stopped_at)
        ran = sum((line.length for line in lines if line.kind is Kind.RUNNING), timedelta())
        if c.metric == "FIRST_RESPONSE":
            kept_ones.append(c.breached_at is None)
        elif c.completed_at is None:
            continue
        worked[c.metric].append(round(ran.total_seconds()))
    first, done = (sorted(worked[metric]) for metric in ("FIRST_RESPONSE", "RESOLUTION"))
    assert min(len(first), len(done)) > 3
    assert done[-1] > 0
    by_hand = {
        "response_worked_p50": percentile(first, 0.5),
        "response_worked_p90": percentile(first, 0.9),
        "response_kept_share": sum(kept_ones) / len(kept_ones),
        "resolution_worked_avg": sum(done) / len(done),
        "resolution_worked_p50": percentile(done, 0.5),
        "resolution_worked_p90": percentile(done, 0.9),
    }
    admin = await who("admin")
    for some in (list(by_hand)[:3], list(by_hand)[3:]):
        found = await admin.post("/reports/preview", {"definition": {"measures": some, "rows": None}})
        values = [float(v) for v in found["lines"][0]["values"]]
        for key, value in zip(some, values, strict=True):  # lengths of time are told in whole seconds
            assert value == pytest.approx(by_hand[key], abs=1e-4 if key.endswith("share") else 0.5)


async def test_waiting_in_working_time_is_what_a_pencil_finds(database: Any, who: Any) -> None:
    """Minute by minute of what each request waited, by the clock on the wall of its service level's calendar."""
    await counted(database)
    async with database.read() as session:
        log = await by_ticket(session)
        facts = (await session.execute(text("SELECT * FROM report_facts ORDER BY ticket_id"))).all()
        rows = await session.execute(text("SELECT * FROM sla_clocks WHERE team_id = 0 ORDER BY ticket_id, metric"))
        known = {c.ticket_id: (c.calendar_id, c.calendar_version) for c in rows}  # the last metric is resolution
        calendars = await calendar_versions(session, set(known.values()))
    kept_ones = {f.ticket_id: (f.approval_worked, f.requester_worked) for f in facts}
    assert {i for i, worked in kept_ones.items() if worked != (None, None)} == set(known)
    looked_at: Counter[str] = Counter()
    asked_back = {i for i in known if any(one.data["new_status"] == "PENDING_INFO" for one in log[i])}
    for ticket_id in sorted(known, key=lambda i: (i in asked_back, len(log[i])), reverse=True)[:MOST_BY_PENCIL]:
        calendar = calendars[known[ticket_id]].calendar
        spent = {what: timedelta() for what in ("approval", "requester")}
        for what, start, until in waits(log[ticket_id]):
            spent[what] += open_time(calendar, start, until)
        by_pencil = tuple(round(of.total_seconds()) for of in spent.values())
        assert kept_ones[ticket_id] == by_pencil, ticket_id
        looked_at.update(what for what, of in spent.items() if of)
    assert looked_at["approval"] > 10
    assert looked_at["requester"] > 1, "the dice asked nobody back"
    admin = await who("admin")
    for n, what in enumerate(("approval", "requester")):
        ordered = sorted(worked[n] for worked in kept_ones.values() if worked[n] is not None)
        by_hand = [sum(ordered) / len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.9)]
        measures = [f"{what}_worked_{end}" for end in ("avg", "p50", "p90")]
        found = await admin.post("/reports/preview", {"definition": {"measures": measures, "rows": None}})
        assert found["lines"][0]["values"] == pytest.approx(by_hand, abs=0.5)
        assert {c["unit"] for c in found["columns"]} == {"WORKED_SECONDS"}


MOST_BY_PENCIL = 40  # requests: those that were asked back, then those with the longest stories


async def by_ticket(session: Any) -> dict[int, list[Any]]:
    moves = text("SELECT object_id, type, data, at FROM events WHERE object_type = 'ticket' ORDER BY id")
    found: dict[int, list[Any]] = defaultdict(list)
    for row in await session.execute(moves):
        if row.type in MOVES:
            found[row.object_id].append(row)
    return found


def waits(moves: list[Any]) -> Iterator[tuple[str, datetime, datetime]]:
    """What a request waited for, from when until when; the last wait is not over."""
    for one, following in pairwise(moves):
        for what in ("approval", "requester"):
            if one.data["new_status"] in WHERE_TIME_GOES[what]:
                yield what, one.at, following.at


def open_time(calendar: Calendar, start: datetime, until: datetime) -> timedelta:
    """Each minute by itself; the first and the last may be parts of one."""
    found, at = timedelta(), start
    while at < until:
        following = min(until, at.replace(second=0, microsecond=0) + MINUTE)
        found += following - at if is_open(calendar, at) else timedelta()
        at = following
    return found


def percentile(ordered: list[int], share: float) -> float:
    """Between the two that stand around it, as far along as it lies."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
