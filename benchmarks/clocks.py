"""What the timers of 100,000 running clocks cost: a share of a core, minute by minute, and in the worst minute.

PYTHONPATH=backend python -m benchmarks.clocks            # about two minutes
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CLOCKS = int(os.environ.get("CLOCKS", "100000"))
MINUTES = int(os.environ.get("MINUTES", "20"))
MOST = 0.05  # of a core
A_MINUTE = 4  # the timer runs every 15 seconds
_WEEKS = 4  # over so many weeks of working time the due moments are spread
_RUNNING = f"""
INSERT INTO sla_clocks (ticket_id, metric, team_id, policy_id, policy_version, calendar_id, calendar_version, priority,
    target_seconds, marks, run, started_at, changed_at, used_seconds, due_at, reopens)
SELECT id, 'RESOLUTION', 0, p.policy_id, p.version, c.calendar_id, c.version, 'HIGH', 72000,
    jsonb_build_array(jsonb_build_array((extract(epoch FROM t.created_at) * 1000000)::bigint, 'RUNNING', 'APPROVED')),
    'RUNNING', created_at, created_at, 0, $1::timestamptz + n * ({_WEEKS} * interval '7 days' / {CLOCKS}), 0
FROM (SELECT id, created_at, row_number() OVER (ORDER BY id) n FROM tickets WHERE ticket_number LIKE 'BEN-%') t,
    (SELECT policy_id, version FROM sla_policy_versions LIMIT 1) p,
    (SELECT calendar_id, version FROM sla_calendar_versions LIMIT 1) c
"""
_TIMERS = """
INSERT INTO sla_timers (ticket_id, metric, team_id, kind, percent, fires_at)
SELECT ticket_id, metric, 0, k.kind, k.percent, due_at - k.before FROM sla_clocks,
    (VALUES ('BREACH', 100, interval '0'), ('WARN', 75, interval '5 hours')) k(kind, percent, before)
WHERE ticket_id IN (SELECT id FROM tickets WHERE ticket_number LIKE 'BEN-%') AND due_at - k.before > $1::timestamptz
"""


def main() -> None:
    """Fill a database, let the timers run through some minutes, print."""
    from benchmarks import corpus
    from waypost.demo.loading import load as load_demo
    from waypost.kernel import embedded
    from waypost.kernel.db import Database
    from waypost.kernel.events import use_wiring
    from waypost.kernel.settings import get_settings
    from waypost.migrations.run import migrate
    from waypost.wiring import build_wiring

    with tempfile.TemporaryDirectory(prefix="waypost-clocks-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        with embedded.running(Path(name)) as urls:
            os.environ.update(urls, DATA_DIR=name, SMTP_HOST="127.0.0.1", SMTP_PORT="9", LOG_LEVEL="ERROR")
            get_settings.cache_clear()
            migrate()
            use_wiring(build_wiring())

            async def run() -> None:
                database = Database.connect(get_settings())
                await load_demo(database)
                await corpus.fill(urls["DATABASE_OWNER_URL"])
                await _run(database, urls["DATABASE_OWNER_URL"])
                await database.dispose()

            asyncio.run(run())


async def _run(database: Any, owner: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(owner, command_timeout=600)
    start = datetime.now(UTC)
    await connection.execute(_RUNNING, start)
    await connection.execute(_TIMERS, start)
    await connection.execute("UPDATE tickets SET sla_state = 'RUNNING' WHERE ticket_number LIKE 'BEN-%'")
    await connection.execute("VACUUM ANALYZE sla_clocks, sla_timers, tickets")
    await connection.close()
    share, told = await cost(database, owner)
    print(told)
    if share > MOST:
        raise SystemExit(f"more than {MOST:.0%} of a core")


async def cost(database: Any, owner: str) -> tuple[float, str]:
    """The share of a core that the timers of this database's running clocks take, by some minutes of them; and in words."""
    import asyncpg

    from waypost.kernel import clock
    from waypost.tickets import running_late

    connection = await asyncpg.connect(owner, command_timeout=600)
    start = datetime.now(UTC)
    plan = await connection.fetch(
        "EXPLAIN SELECT ticket_id FROM sla_timers WHERE fired_at IS NULL AND fires_at <= now() ORDER BY fires_at LIMIT 100"
    )
    running = await connection.fetchval("SELECT count(*) FROM sla_clocks WHERE run = 'RUNNING'")
    await running_late.run_due(database)  # what is late already
    costs, said = [], 0
    for minute in range(1, MINUTES + 1):
        began, used = time.perf_counter(), _cpu(connection)
        for turn in range(A_MINUTE):
            at = start + timedelta(minutes=minute, seconds=15 * turn)
            with clock.clock(lambda at=at: at):  # type: ignore[misc]
                said += await running_late.run_due(database)
        costs.append((_cpu(connection) - used, time.perf_counter() - began))
    idle = time.perf_counter()
    with clock.clock(lambda: start):
        for _ in range(100):
            await running_late.run_due(database)
    idle = (time.perf_counter() - idle) / 100
    await connection.close()
    cpu = sum(cost for cost, _ in costs) / MINUTES
    wall = sum(took for _, took in costs) / MINUTES
    return cpu / 60, "\n".join(
        [
            f"{running:,} running clocks, {MINUTES} minutes, {said:,} moments came ({said / MINUTES:.0f} a minute)",
            f"  a minute of timers: {1000 * wall:.0f} ms from beginning to end, {1000 * cpu:.0f} ms of processor",
            f"  share of a core:    {100 * cpu / 60:.2f} % on average, {100 * max(c for c, _ in costs) / 60:.2f} % in the worst",
            f"  a turn with nothing to say: {1000 * idle:.1f} ms",
            *(f"  {row[0]}" for row in plan),
        ]
    )


def _cpu(connection: Any) -> float:
    """Seconds of processor of this process and of all of PostgreSQL's, so far."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    server = Path(f"/proc/{connection.get_server_pid()}/stat").read_text().rpartition(")")[2].split()
    parent = server[1]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it is over
        if fields[1] == parent or stat.parent.name == parent:
            ticks += int(fields[11]) + int(fields[12])
    return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
