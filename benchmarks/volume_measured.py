"""Asking the application and looking at what PostgreSQL did: times, statements, their plans, tables read as a whole."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2

from benchmarks.volume_asked import BOUNDS, Asked

PASSWORD = "demo-Passw0rd-2026"
TOKEN_SECONDS = 400
BIG = (
    "tickets", "ticket_comments", "events", "search_documents", "notifications", "approval_workflows", "approval_stages",
    "approval_steps", "report_facts", "report_decisions", "sla_clocks", "sla_timers", "attachments",
)  # fmt: skip
MANY_ROWS = 10_000  # that make a table one of many rows
_SEQUENTIAL = re.compile(r"Seq Scan on (?:public\.)?(\w+)")


@dataclass
class Measured:
    """What one kind of request took (milliseconds), and the statements of the slowest one."""

    asked: Asked
    took: list[float]
    statements: list[tuple[str, Any, float]]
    scans: list[str] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return statistics.median(self.took)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.took, n=20)[-1]

    @property
    def best(self) -> float:
        return min(self.took)

    @property
    def is_slow(self) -> bool:
        bound = BOUNDS[self.asked.kind]
        return bound is not None and self.p95 > bound


class NoAnswer(Exception):
    """The application answered that something went wrong."""


class People:
    """The application, and those who ask it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.known: dict[str, tuple[httpx2.AsyncClient, float]] = {}

    async def client(self, who: str) -> httpx2.AsyncClient:
        """Somebody signed in."""
        if who not in self.known or time.monotonic() - self.known[who][1] > TOKEN_SECONDS:
            transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
            client = httpx2.AsyncClient(transport=transport, base_url="http://waypost.test/api/v1", timeout=60)
            answer = await client.post("/auth/login", json={"username": who, "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            self.known[who] = client, time.monotonic()
        return self.known[who][0]

    async def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; raises `NoAnswer` for any other answer than a good one."""
        client = await self.client(who)
        answer = await client.request(method, path, **({} if body is None else {"json": body}))
        if answer.status_code >= 300:
            raise NoAnswer(f"{who}: {method} {path} gives {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None


class Listener:
    """Every statement that goes to PostgreSQL, with its values and how long it took."""

    def __init__(self, database: Any) -> None:
        from sqlalchemy import event

        self.said: list[tuple[str, Any, float]] = []
        for engine in (database.read_engine.sync_engine, database.write_engine.sync_engine):
            event.listen(engine, "before_cursor_execute", self._before)
            event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, conn: Any, *_: Any) -> None:
        conn.info["began"] = time.perf_counter()

    def _after(self, conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            self.said.append((statement, parameters, (time.perf_counter() - conn.info["began"]) * 1000))


async def measured(people: People, listener: Listener, asked: Asked, times: int, warm: int) -> Measured:
    """Ask `times` times, after `warm` times that do not count: prepared statements settle on a plan after five."""
    found = Measured(asked, [], [])
    method = "GET" if asked.body is None else "POST"
    slowest = 0.0
    for n in range(warm + times):
        await people.client(asked.who)  # signing in anew, which takes its time, is not what is measured
        listener.said.clear()
        began = time.perf_counter()
        await people.call(asked.who, method, asked.paths[n % len(asked.paths)], asked.body)
        took = (time.perf_counter() - began) * 1000
        if n < warm:
            continue
        found.took.append(took)
        if took > slowest:
            slowest, found.statements = took, list(listener.said)
    return found


async def explained(database: Any, found: Measured, big: Collection[str]) -> str:
    """The plans of what was sent, as they ran, with buffers; fills `found.scans` with those of `big` that were read as a whole."""
    settings = ""
    parts = [f"=== {found.asked.name}, {found.asked.who}: p50 {found.p50:.1f}, p95 {found.p95:.1f} ms\n"]
    for statement, values, took in found.statements:
        if "FOR UPDATE" in statement or "FOR NO KEY UPDATE" in statement:
            continue
        if "set_config('enable_seqscan'" in statement:
            settings = statement  # those of the transaction, by which what follows was planned
            continue
        async with database.write_engine.connect() as connection, connection.begin() as work:
            if settings:
                await connection.exec_driver_sql(settings)
            plan = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values)
            lines = [row[0] for row in plan]
            await work.rollback()
        found.scans += [table for line in lines for table in _SEQUENTIAL.findall(line) if table in big]
        parts.append(f"--- {took:.1f} ms when it was asked\n{statement.strip()}\n\n" + "\n".join(lines) + "\n\n")
    return "".join(parts)


async def whole_reads(owner: str) -> dict[str, int]:
    """How often each table of many rows was read as a whole so far, by whoever, as PostgreSQL counts it."""
    await asyncio.sleep(1.5)  # sessions tell of it once a second
    connection = await asyncpg.connect(owner)
    try:
        rows = await connection.fetch(
            "SELECT s.relname, s.seq_scan FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
            " WHERE s.relname = ANY($1) AND c.reltuples >= $2",
            list(BIG),
            MANY_ROWS,
        )
        return {row["relname"]: row["seq_scan"] for row in rows}
    finally:
        await connection.close()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
