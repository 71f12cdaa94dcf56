"""Lists and counts are answered by indexes: as long as any plan with an index is preferred, no ticket is read for nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from waypost.access.queries import actor_of_user
from waypost.kernel.settings import get_settings
from waypost.search import few as few_module
from waypost.search.following import run_all
from waypost.tickets.listing import SORTS, Filters, ticket_count
from waypost.tickets.models import Ticket

WHOLE = re.compile(r"Seq Scan on (tickets|search_documents|events|ticket_comments|report_facts)\b")


class Said:
    """The statements a request sends."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.statements: list[tuple[str, Any]] = []

    def _keep(self, _conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            self.statements.append((statement, parameters))

    async def of(self, person: Any, path: str, *without: str, no: tuple[str, ...] = ()) -> list[str]:
        """The plan of each, where only what has no index is read as a whole; `without` other ways of PostgreSQL too.

        `no` names indexes that are thought away: of a table as small as here another one may seem as good.
        """
        engine = self.database.read_engine.sync_engine
        self.statements.clear()
        event.listen(engine, "before_cursor_execute", self._keep)
        try:
            await person.get(path)
        finally:
            event.remove(engine, "before_cursor_execute", self._keep)
        plans = []
        owner = create_async_engine(get_settings().owner_url(), poolclass=NullPool)
        async with owner.connect() as connection, connection.begin() as work:
            for way in ("seqscan", *without):
                await connection.execute(text(f"SET LOCAL enable_{way} = off"))
            for name in no:
                await connection.execute(text(f"DROP INDEX {name}"))
            for statement, parameters in self.statements:
                lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                plans.append("\n".join(row[0] for row in lines))
            await work.rollback()
        return plans


@pytest.mark.parametrize("username", ["employee", "agent", "head", "admin"])
async def test_no_list_reads_every_ticket(database: Any, who: Any, username: str) -> None:
    person, said = await who(username), Said(database)
    team = "&team_id=1"
    paths = [f"/tickets?sort={sort}" for sort in SORTS]
    paths += [f"/tickets?sort={sort}{team}&status=APPROVED&status=IN_PROGRESS" for sort in SORTS]
    paths += ["/tickets/count", "/tickets/count?status=IN_PROGRESS", f"/tickets/count?priority=HIGH{team}"]
    paths += ["/tickets?q=laptop", "/tickets/count?q=laptop", "/reports/dashboard", "/my-requests"]
    for path in paths:
        for plan in await said.of(person, path):
            assert not WHOLE.search(plan), f"{path}\n{plan}"


@pytest.mark.parametrize("sort", ["due_date", "-due_date", "sla_due_at", "-sla_due_at"])
async def test_a_teams_list_is_walked_in_its_order(database: Any, who: Any, sort: str) -> None:
    agent, said = await who("agent"), Said(database)
    of_all = f"ix_tickets_{'sla' if 'sla' in sort else 'due'}_{'last' if sort.startswith('-') else 'first'}"
    plans = await said.of(agent, f"/tickets?team_id=1&sort={sort}", "sort", "bitmapscan", no=(of_all,))
    assert any("ix_tickets_team_" in plan and "Sort" not in plan for plan in plans), "\n".join(plans)


@pytest.mark.parametrize("sort", ["due_date", "-due_date", "sla_due_at", "-sla_due_at"])
async def test_what_somebody_is_assigned_is_walked_in_its_order(database: Any, who: Any, sort: str) -> None:
    """In a list of its own, and as one of the ways to all that an agent sees."""
    agent = await who("agent")
    for path in (f"/tickets?assignee_id={agent.id}&sort={sort}", f"/tickets?sort={sort}"):
        plans = await Said(database).of(agent, path, "sort", "bitmapscan")
        assert any("ix_tickets_assignee_" in plan for plan in plans), "\n".join(plans)


async def test_open_work_is_walked_by_due_date(database: Any, who: Any) -> None:
    for username in ("agent", "admin"):
        said = Said(database)
        path = "/tickets?team_id=1&status=IN_PROGRESS&sort=due_date"
        plans = await said.of(await who(username), path, "sort", "bitmapscan")
        assert any("open_due" in plan for plan in plans), "\n".join(plans)


async def test_what_is_counted_of_a_team_stands_in_its_index(database: Any, who: Any) -> None:
    """An index answers what a queue or a count asks of tens of thousands: nothing is asked that does not stand in it."""
    agent, said = await who("agent"), Said(database)
    held = {
        str(index.name): {
            *index.columns.keys(),
            *(index.dialect_options["postgresql"]["include"] or ()),
            "created_at",
            "id",
        }
        for index in Ticket.__table__.indexes
    }
    for path, name in (
        ("/queues", "ix_tickets_team_waiting"),
        ("/tickets/count?priority=HIGH", "ix_tickets_team_newest"),
        ("/tickets/count?team_id=1&priority=HIGH&ticket_type=HR", "ix_tickets_team_newest"),
        (f"/tickets/count?assignee_id={agent.id}&priority=HIGH", "ix_tickets_assignee_newest"),
    ):
        await said.of(agent, path)
        first = next(statement for statement, _ in said.statements if "FROM tickets" in statement)
        assert set(re.findall(r"\btickets\.(\w+)", first)) <= held[name], first


async def test_who_sees_most_by_their_team_is_counted_by_it_first(database: Any, who: Any) -> None:
    """The other ways are asked for only where the team's tickets are not enough."""
    user_id, said = (await who("agent")).id, Said(database)
    engine = database.read_engine.sync_engine
    asked = []
    for most in (10_000, 0):
        async with database.read() as session:
            actor = await actor_of_user(session, user_id)
            assert actor is not None
            said.statements.clear()
            event.listen(engine, "before_cursor_execute", said._keep)
            try:
                found = await ticket_count(session, actor, Filters(), most=most)
            finally:
                event.remove(engine, "before_cursor_execute", said._keep)
        assert found[1] is (most == 0)
        asked.append(sum("FROM tickets" in statement for statement, _ in said.statements))
    assert asked == [2, 1]


@pytest.mark.parametrize("username", ["employee", "agent", "head", "executive", "admin"])
async def test_a_count_is_what_the_list_has(who: Any, username: str) -> None:
    person = await who(username)
    for narrow in ("", "&status=CLOSED", "&priority=HIGH&priority=LOW", "&team_id=1", f"&assignee_id={person.id}"):
        listed = (await person.get(f"/tickets?limit=100{narrow}"))["items"]
        assert (await person.get(f"/tickets/count?{narrow[1:]}"))["count"] == len(listed)


@pytest.mark.parametrize("username", ["employee", "agent", "head", "admin"])
async def test_words_of_few_and_of_many_tickets_find_the_same(
    database: Any, who: Any, username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_all(database)
    person = await who(username)
    asked = [
        f"/tickets?limit=100&sort={s}&q={q}" for s in ("-created_at", "due_date") for q in ("a", "laptop", "request")
    ]
    looked_up = [await person.get(path) for path in asked]
    monkeypatch.setattr(few_module, "FEW", 0)  # for those who see little
    monkeypatch.setattr(few_module, "OFTEN", 0)  # and much
    assert [await person.get(path) for path in asked] == looked_up
