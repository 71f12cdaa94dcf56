"""A company of any size, loaded by COPY into a database with the demo company in it. Minutes for a million tickets.

Secondary indexes of the tables that are filled are dropped first and made again at the end, from their own definitions.
What follows from the rows is worked out by the product's own statements: facts and sums of the reports, the words that
spelling is held against. Left out: the seals of the audit chain (the worker makes them, row after row, in its own time).
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from benchmarks.company import BASE, PEOPLE, TABLES, TEAM_PEOPLE, TEAMS, Facts, Words, made, parts, prepare

PART = 4_000  # tickets made at once
FEW = 20_000  # tickets whose facts are worked out in one statement
MANY = 200_000  # and whose sums
APPROVERS = 30
_SETTINGS = (
    "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '512MB'; SET jit = off;"
    " SET max_parallel_maintenance_workers = 2; SET session_replication_role = replica; SET timezone = 'UTC'"
)
_STEPS_OF_ALL = """
INSERT INTO sla_clocks (ticket_id, metric, team_id, policy_id, policy_version, calendar_id, calendar_version, priority,
    target_seconds, marks, run, started_at, changed_at, used_seconds, due_at, breached_at, stopped_at, reopens)
SELECT t.id, 'RESOLUTION', 0, p.policy_id, p.version, c.calendar_id, c.version, t.priority, 72000,
    jsonb_build_array(jsonb_build_array((extract(epoch FROM t.submitted_at) * 1000000)::bigint, 'RUNNING', 'APPROVED')),
    CASE WHEN t.sla_due_at IS NULL THEN 'STOPPED' ELSE 'RUNNING' END, t.submitted_at,
    coalesce(t.completed_at, t.submitted_at), CASE WHEN t.completed_at IS NULL THEN 0 ELSE 36000 END, t.sla_due_at,
    CASE WHEN t.sla_due_at IS NULL AND t.id % 11 = 0 THEN t.completed_at END, t.completed_at, 0
FROM tickets t, (SELECT policy_id, version FROM sla_policy_versions LIMIT 1) p,
    (SELECT calendar_id, version FROM sla_calendar_versions LIMIT 1) c
WHERE t.id >= $1 AND t.submitted_at IS NOT NULL AND (t.sla_due_at IS NOT NULL OR t.completed_at IS NOT NULL)
"""
_TIMERS = """
INSERT INTO sla_timers (ticket_id, metric, team_id, kind, percent, fires_at)
SELECT ticket_id, metric, 0, k.kind, k.percent, due_at - k.before FROM sla_clocks,
    (VALUES ('BREACH', 100, interval '0'), ('WARN', 75, interval '5 hours')) k(kind, percent, before)
WHERE ticket_id >= $1 AND run = 'RUNNING' AND due_at - k.before > $2::timestamptz
"""


@contextmanager
def _told(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"  {what}: {time.perf_counter() - began:.0f} s", flush=True)


async def load(url: str, tickets: int) -> None:
    """The whole company. `url` is the owner's, of a database that was just migrated and has the demo company."""
    began = time.perf_counter()
    connection = await asyncpg.connect(url, command_timeout=7200)
    try:
        await connection.execute(_SETTINGS)
        facts = await _facts(connection, tickets)
        stems = await _stems(connection)
        with _told("indexes dropped"):
            indexes = await _without_indexes(connection)
        with _told("COPY"):
            await _copy(connection, facts, stems)
        await _numbers_on(connection)
        for definition in indexes:
            with _told(definition.split(" ON ")[0].removeprefix("CREATE ")):
                await connection.execute(definition)
        with _told("clocks and timers"):
            await connection.execute(_STEPS_OF_ALL, facts.ticket)
            await connection.execute(_TIMERS, facts.ticket, datetime.now(UTC))
        await _report(connection, facts)
        await connection.execute("UPDATE search_progress SET fill_below = NULL, words_at = NULL")
        with _told("VACUUM ANALYZE"):
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")
        size = await connection.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
        events = await connection.fetchval("SELECT count(*) FROM events")
        print(
            f"{tickets:,} tickets, {events:,} events: loaded in {time.perf_counter() - began:.0f} s, {size}", flush=True
        )
    finally:
        await connection.close()


async def _facts(connection: asyncpg.Connection, tickets: int) -> Facts:
    """People, teams and types to load for, made or found; whose ids the new rows begin with."""
    await connection.execute(
        "INSERT INTO users (username, email, first_name, last_name, department_id, manager_id, timezone, locale, is_active)"
        " SELECT 'person' || n, 'person' || n || '@example.com', 'Person', n::text,"
        " (SELECT id FROM departments ORDER BY id LIMIT 1 OFFSET n % 6),"
        " CASE WHEN n < 20 THEN (SELECT id FROM users WHERE username = 'manager') END, 'UTC', 'en', true"
        f" FROM generate_series(0, {PEOPLE - 1}) n"
    )
    await connection.execute(f"INSERT INTO teams (name) SELECT 'Queue ' || n FROM generate_series(1, {TEAMS - 4}) n")
    people = await _ids(connection, "SELECT id FROM users WHERE username LIKE 'person%' ORDER BY id")
    teams = await _ids(connection, "SELECT id FROM teams ORDER BY id")
    agent = await connection.fetchval("SELECT id FROM users WHERE username = 'agent'")
    workers = [people[n * TEAM_PEOPLE : (n + 1) * TEAM_PEOPLE] for n in range(TEAMS)]
    await connection.executemany(
        "INSERT INTO team_members (team_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [(team, person) for team, of in zip(teams, workers, strict=True) for person in of],
    )
    workers[0] = [agent, *workers[0]]
    types = await connection.fetch(
        "SELECT y.id, y.key, (SELECT max(f.version) FROM form_versions f WHERE f.ticket_type_id = y.id) FROM ticket_types y"
        " ORDER BY y.key DESC"
    )
    decide = ("manager", "head", "finance1", "finance2", "ithead")
    asked = await _ids(connection, f"SELECT id FROM users WHERE username IN {decide} ORDER BY username DESC")
    begin = {
        name: await connection.fetchval(f"SELECT coalesce(max(id), 0) + 1 FROM {name}")
        for name in ("tickets", "ticket_comments", "events", "approval_workflows", "approval_stages", "approval_steps")
    }
    return Facts(
        [tuple(t) for t in types], people, workers, teams, await _ids(connection, "SELECT id FROM departments ORDER BY id"),
        asked + people[100 : 100 + APPROVERS],
        await connection.fetchval("SELECT id FROM users WHERE username = 'employee'"),
        *begin.values(), tickets, datetime.now(UTC),
    )  # fmt: skip


async def _ids(connection: asyncpg.Connection, query: str) -> list[int]:
    return [r[0] for r in await connection.fetch(query)]


async def _stems(connection: asyncpg.Connection) -> dict[str, dict[str, tuple[str, ...]]]:
    from waypost.search.words import LANGUAGES, fold

    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for code in BASE:
        words = sorted({fold(w) for w in Words(code).words})
        rows = await connection.fetch(
            f"SELECT w, ts_lexize('{LANGUAGES[code]}_stem', w) AS s FROM unnest($1::text[]) w", words
        )
        found[code] = {r["w"]: (r["s"][0],) for r in rows if r["s"] and r["s"][0] != r["w"]}
    return found


async def _without_indexes(connection: asyncpg.Connection) -> list[str]:
    """Drop what can be made again; how to make it."""
    rows = await connection.fetch(
        "SELECT c.relname, pg_get_indexdef(i.indexrelid) AS made FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_class t ON t.oid = i.indrelid WHERE t.relname = ANY($1) AND NOT i.indisunique ORDER BY t.relname, c.relname",
        list(TABLES),
    )
    for row in rows:
        await connection.execute(f"DROP INDEX {row['relname']}")
    return [row["made"] for row in rows]


async def _copy(connection: asyncpg.Connection, facts: Facts, stems: Any) -> None:
    """Lines are made by two processes while this one sends them."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2, initializer=prepare, initargs=(stems,)) as pool:
        wanted = list(parts(facts.total, PART))
        waiting = [loop.run_in_executor(pool, made, a, b, facts) for a, b in wanted[:4]]
        for n in range(len(wanted)):
            lines = await waiting.pop(0)
            if n + 4 < len(wanted):
                waiting.append(loop.run_in_executor(pool, made, *wanted[n + 4], facts))
            for table, columns in TABLES.items():
                await connection.copy_to_table(
                    table, source=io.BytesIO(lines[table]), columns=columns.split(), format="text"
                )
            if n % 25 == 24:
                print(f"    {wanted[n][1]:,} tickets", flush=True)


async def _numbers_on(connection: asyncpg.Connection) -> None:
    """The next ids come after those that were loaded."""
    for table, columns in TABLES.items():
        if columns.startswith("id "):
            await connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )


async def _report(connection: asyncpg.Connection, facts: Facts) -> None:
    """Facts and sums as the worker makes them, all of them at once."""
    from waypost.reports.keeping import DECISIONS, FACTS, SUMS

    facts_of, decisions_of, sums_of = (s.replace(":ids", "$1") for s in (FACTS, DECISIONS, SUMS))
    # nothing that is measured asks how much of the waiting was working time
    for name in ("waited_ids", "waited_approval", "waited_requester"):
        facts_of = facts_of.replace(f":{name}", "'{}'")
    ids = range(1, facts.ticket + facts.total)
    with _told("facts of reports"):
        await connection.execute("TRUNCATE report_sums, report_decisions, report_facts")
        for n in range(0, len(ids), FEW):
            for statement in (facts_of, decisions_of):
                await connection.execute(statement, list(ids[n : n + FEW]))
    with _told("sums of reports"):
        for n in range(0, len(ids), MANY):
            await connection.execute(sums_of, list(ids[n : n + MANY]))
        await connection.execute("UPDATE report_position SET rebuild_next = NULL, rebuilt_at = now()")
