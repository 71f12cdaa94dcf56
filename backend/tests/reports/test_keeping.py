"""What is kept as facts and sums is what one counts from tickets, approvals and the log: whatever happened, in any order."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from waypost.access.queries import actor_of_user, actors
from waypost.reports import keeping, own_sums, readers, reading
from waypost.reports.cells import BY_MONTH, COLUMNS, WITH_MONTHS, cells_of
from waypost.reports.dashboards import EVER
from waypost.reports.reading import Board, stretches, sums
from waypost.tickets import policy
from waypost.tickets.models import Ticket

PEOPLE = (
    "employee colleague manager head finance1 outsider agent agent2 hragent executive auditor admin".split()  # noqa: SIM905
)


async def counted(database: Any) -> None:
    while await keeping.run_due(database):
        pass


async def kept(database: Any) -> tuple[Counter[Any], list[Any]]:
    async with database.read() as session:
        rows = (await session.execute(text(f"SELECT {COLUMNS}, n, total FROM report_sums"))).all()
        facts = (await session.execute(text("SELECT * FROM report_facts ORDER BY ticket_id"))).all()
    assert all(r.n for r in rows), "an empty sum stays"
    return Counter({tuple(r[:-2]): (r.n, r.total) for r in rows}), list(facts)


async def made_anew(database: Any) -> tuple[Counter[Any], list[Any]]:
    async with database.transaction() as session:
        await keeping.begin_rebuild(session)
    await counted(database)
    return await kept(database)


async def give_sums(database: Any, user_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's own sums, as they come about: they look, and the worker counts."""
    monkeypatch.setattr(readers, "MANY", -1)
    async with database.read() as session:
        actor = await actor_of_user(session, user_id)
        assert actor is not None
        await readers.note(actor, await readers.standing(session, actor), 0)
    await counted(database)


async def dies(database: Any, ticket_ids: list[int]) -> None:
    async with database.transaction() as session:
        await keeping.work_out(session, ticket_ids)
        raise RuntimeError("the worker dies")


async def numbers_by_hand(session: Any) -> dict[str, Counter[Any]]:
    """Some of the sums, counted straight from the tables they stand for."""
    by_hand: dict[str, Counter[Any]] = {}
    for what, statement in {
        "state": "SELECT status, priority, count(*) FROM tickets GROUP BY 1, 2",
        "created": "SELECT (created_at AT TIME ZONE 'UTC')::date, '', count(*) FROM tickets GROUP BY 1",
        "completed": "SELECT (completed_at AT TIME ZONE 'UTC')::date, CASE WHEN c.breached_at IS NOT NULL THEN 'LATE'"
        " WHEN c.run IS NOT NULL OR completed_at <= due_date THEN 'KEPT' WHEN completed_at > due_date THEN 'LATE' ELSE '' END,"
        " count(*) FROM tickets t LEFT JOIN sla_clocks c ON c.ticket_id = t.id AND c.metric = 'RESOLUTION'"
        " WHERE completed_at IS NOT NULL GROUP BY 1, 2",
        "decided": "SELECT s.approver_id::text, g.name, count(*) FROM approval_steps s JOIN approval_stages g"
        " ON g.id = s.stage_id WHERE s.decided_at IS NOT NULL AND s.requested_at IS NOT NULL AND"
        " s.status IN ('APPROVED', 'REJECTED', 'DELEGATED', 'ESCALATED') GROUP BY 1, 2",
    }.items():
        by_hand[what] = Counter({(a, b): n for a, b, n in await session.execute(text(statement))})
    return by_hand


async def test_the_sums_are_those_one_counts(fresh_database: Any) -> None:
    await counted(fresh_database)
    stored, facts = await kept(fresh_database)
    async with fresh_database.read() as session:
        by_hand = await numbers_by_hand(session)
        assert len(facts) == await session.scalar(text("SELECT count(*) FROM tickets")) > 20
        source = "report_facts f"
        again = await session.execute(
            text(f"SELECT {COLUMNS}, sum(n), sum(total) FROM ({cells_of(source)}) c GROUP BY {COLUMNS}")
        )
        assert stored == Counter({tuple(r[:-2]): (int(r[-2]), int(r[-1])) for r in again})
    found: dict[str, Counter[Any]] = {what: Counter() for what in by_hand}
    for (place, _, what, day, _, word, more, _), (n, _) in stored.items():
        if place == "A" and what in found:
            key = {"created": (day, ""), "completed": (day, word)}.get(what, (word, more))
            found[what][key] += n
    assert found == by_hand
    assert sum(by_hand["completed"].values()) > 0


async def test_months_are_the_sums_of_their_days(fresh_database: Any) -> None:
    await counted(fresh_database)
    stored, _ = await kept(fresh_database)
    by_month: Counter[Any] = Counter()
    months: Counter[Any] = Counter()
    for (place, place_id, what, day, *more), (n, total) in stored.items():
        key = (place, place_id, what.removesuffix(BY_MONTH), day.replace(day=1), *more)
        if what.endswith(BY_MONTH):
            assert day.day == 1
            months[key, "n"] += n
            months[key, "total"] += total
        elif what in WITH_MONTHS:
            by_month[key, "n"] += n
            by_month[key, "total"] += total
    assert months == by_month
    assert {key[2] for key, _ in months} >= {"resolution", "decided", "stage"}


@pytest.mark.parametrize("username", ["manager", "agent", "executive", "admin", "employee"])
async def test_a_window_is_the_same_by_days_and_by_months(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    await counted(database)
    api = await who(username)
    firsts = [date(2026, 11, 1), date(2026, 10, 31), date(2026, 9, 15), date(2025, 12, 2)]
    async with database.read() as session:
        actor = await actor_of_user(session, api.id)
        assert actor is not None
        for board in Board:
            for first in firsts:
                wanted = dict.fromkeys(sorted(WITH_MONTHS), first)
                found = await sums(session, actor, board, wanted, first=EVER)
                with monkeypatch.context() as patched:
                    patched.setattr(reading, "WITH_MONTHS", frozenset())
                    by_days = await sums(session, actor, board, wanted, first=EVER)
                assert Counter(found) == Counter(by_days)


def test_stretches_of_a_window_are_days_and_then_months() -> None:
    last = date.max
    assert stretches({"created": date(2026, 2, 3)}) == [("created", "created", date(2026, 2, 3), last)]
    assert stretches({"stage": date(2026, 2, 1)}) == [("stage", "stage_m", date(2026, 2, 1), last)]
    assert stretches({"stage": date(2025, 12, 31)}) == [
        ("stage", "stage", date(2025, 12, 31), date(2025, 12, 31)),
        ("stage", "stage_m", date(2026, 1, 1), last),
    ]


async def test_what_happens_is_followed_exactly_once(
    fresh_database: Any, fresh_who: Any, hardware: Any, find_step: Any
) -> None:
    await counted(fresh_database)
    jane, mike, agent = await fresh_who("employee"), await fresh_who("manager"), await fresh_who("agent")
    ticket = await jane.post("/tickets", hardware(due_date="2099-01-01T00:00:00Z"), expect=201)
    draft = await jane.post("/tickets", hardware(submit=False), expect=201)
    other = await jane.post("/tickets", hardware(is_confidential=True), expect=201)
    await counted(fresh_database)
    path = f"/tickets/{ticket['id']}"
    await mike.post(f"/approvals/{(await find_step(mike, ticket['id']))['id']}/approve", {})
    await agent.post(f"{path}/assign", {"assignee_id": agent.id, "team_id": None}, expect=None)
    await agent.post(f"{path}/comments", {"body": "I look at it.", "visibility": "PUBLIC"}, expect=201)
    await agent.post(f"{path}/transitions", {"to": "IN_PROGRESS"})
    # two workers at once, and one that dies in between
    await asyncio.gather(*(keeping.run_due(fresh_database) for _ in range(4)))
    with pytest.raises(RuntimeError):
        await dies(fresh_database, [ticket["id"], draft["id"], other["id"]])
    await agent.post(f"{path}/transitions", {"to": "COMPLETED"})
    await agent.post(f"{path}/transitions", {"to": "IN_PROGRESS", "comment": "Not yet."})
    await agent.post(f"{path}/transitions", {"to": "COMPLETED"})
    await counted(fresh_database)
    followed = await kept(fresh_database)
    fact = next(f for f in followed[1] if f.ticket_id == ticket["id"])
    assert (fact.status, fact.was_kept, fact.reopened) == ("COMPLETED", True, 1)
    assert fact.submitted_at <= fact.responded_at <= fact.completed_at
    assert followed == await made_anew(fresh_database)


async def test_a_rebuild_goes_on_where_it_was_stopped(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await counted(fresh_database)
    before = await kept(fresh_database)
    monkeypatch.setattr(keeping, "TICKETS", 7)
    monkeypatch.setattr(keeping, "CLEARED", 100)
    async with fresh_database.transaction() as session:
        await keeping.begin_rebuild(session)
    turns = 0
    while True:
        assert await keeping.follow(fresh_database) in (True, False)
        turns += 1
        async with fresh_database.read() as session:
            if await session.scalar(text("SELECT rebuild_next IS NULL FROM report_position")):
                break
    assert turns > 10
    assert await kept(fresh_database) == before


@pytest.mark.parametrize("has_sums", [False, True])
@pytest.mark.parametrize("username", PEOPLE)
async def test_a_reader_counts_exactly_what_they_see(
    who: Any, database: Any, username: str, has_sums: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rule with the list: the sums of each scope, and what is seen beside it; with and without sums of their own."""
    await counted(database)
    api = await who(username)
    if has_sums:
        await give_sums(database, api.id, monkeypatch)
    async with database.read() as session:
        actor = await actor_of_user(session, api.id)
        assert actor is not None
        assert (await readers.standing(session, actor)).is_whole is has_sums
        seen = (
            await session.execute(Ticket.__table__.select().where(policy.visible_to(actor)), policy.values(actor))
        ).all()
        for board in Board:
            mine = [
                t
                for t in seen
                if board is Board.EVERYTHING
                or (board is Board.OWN and t.requester_id == api.id)
                or (board is Board.TEAM and t.team_id in actor.team_ids)
            ]
            cells = await sums(session, actor, board, {"state": EVER, "created": EVER}, first=EVER)
            by_state: Counter[Any] = Counter()
            by_day: Counter[Any] = Counter()
            for cell in cells:
                if cell.what == "state":
                    by_state[cell.word, cell.more] += cell.n
                else:
                    by_day[cell.day] += cell.n
            assert by_state == Counter((t.status, t.priority) for t in mine), (username, board)
            assert by_day == Counter(t.created_at.date() for t in mine)


async def of_person(database: Any, user_id: int) -> Counter[Any]:
    stored, _ = await kept(database)
    return Counter({key: n for key, n in stored.items() if key[:2] == ("P", user_id)})


async def test_sums_for_other_people_than_ones_own_are_passed_over_and_set_right_after_a_look(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mike, jane = await who("manager"), await who("employee")
    await counted(database)
    await give_sums(database, mike.id, monkeypatch)
    own = await of_person(database, mike.id)
    assert own
    for manager_id in (None, mike.id):
        async with database.transaction() as session:
            values = {"to": manager_id, "me": jane.id}
            await session.execute(text("UPDATE users SET manager_id = :to WHERE id = :me"), values)
        actors.forget_all()
        async with database.read() as session:
            actor = await actor_of_user(session, mike.id)
            assert actor is not None
            assert await readers.standing(session, actor) == readers.Standing(
                is_whole=False, is_kept=True, is_news=True
            )
        board = await mike.get("/reports/dashboard")  # counted on the spot, and asks for others
        seen = await mike.get("/tickets/count")
        assert sum(board["tickets_by_status"].values()) == seen["count"]
        await counted(database)
        assert (await of_person(database, mike.id) == own) is (manager_id is not None)
        async with database.read() as session:
            assert (await readers.standing(session, actor)).is_whole
        assert await mike.get("/reports/dashboard") == board


async def test_sums_are_for_so_many_people_and_forgotten_when_nobody_reads_them(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE report_readers SET is_stale = true"))
    await counted(database)  # nobody sees very much, so nobody has sums any more
    mike, jane = await who("manager"), await who("employee")
    await give_sums(database, mike.id, monkeypatch)
    monkeypatch.setattr(readers, "MOST", 1)
    await give_sums(database, jane.id, monkeypatch)
    assert await of_person(database, mike.id)
    assert not await of_person(database, jane.id)
    async with database.transaction() as session:
        await own_sums.forget_unread(session)
    await counted(database)
    assert await of_person(database, mike.id)
    monkeypatch.setattr(own_sums, "FORGOTTEN", -own_sums.FORGOTTEN)
    async with database.transaction() as session:
        await own_sums.forget_unread(session)
    await counted(database)
    assert not await of_person(database, mike.id)
    async with database.read() as session:
        assert not await session.scalar(text("SELECT count(*) FROM report_readers"))
