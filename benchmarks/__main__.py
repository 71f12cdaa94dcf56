"""What the main screens cost, on one run side by side: the app, the same app with a fixed body, the bare SQL.

make bench                        # about three minutes
make bench-views                  # saved views instead of screens
make bench-live                   # a thousand open screens
make bench-volume                 # 100,000 and 1,000,000 tickets
SECONDS_EACH=15 make bench        # longer runs, steadier figures
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import corpus
from benchmarks.load import Result, http, measure
from benchmarks.views import measure_views

CONNECTIONS = 16
SECONDS = float(os.environ.get("SECONDS_EACH", "6"))
ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "demo-Passw0rd-2026"


def main() -> None:
    """Fill a database, start the app, measure, print."""
    if "live" in sys.argv:
        from benchmarks.live import measure_live

        sys.exit(0 if measure_live() else 1)
    if "volume" in sys.argv:
        from benchmarks.volume import main as measure_volume

        measure_volume()
        return
    from waypost.kernel import embedded

    with tempfile.TemporaryDirectory(prefix="waypost-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(folder) as urls:
            os.environ.update(urls, DATA_DIR=name, LOG_LEVEL="ERROR", SMTP_HOST="127.0.0.1", SMTP_PORT="9")
            _fill(urls["DATABASE_OWNER_URL"])
            port = embedded.free_port()
            with _serving(port):
                if "views" in sys.argv:
                    measure_views(f"http://127.0.0.1:{port}")
                else:
                    _measure_all(port, urls["DATABASE_OWNER_URL"])


def _fill(url: str) -> None:
    from waypost.demo.loading import load as load_demo
    from waypost.kernel.db import Database
    from waypost.kernel.events import use_wiring
    from waypost.kernel.settings import get_settings
    from waypost.migrations.run import migrate
    from waypost.wiring import build_wiring

    began = time.monotonic()
    migrate()
    use_wiring(build_wiring())

    async def load() -> None:
        database = Database.connect(get_settings())
        await load_demo(database)
        await database.dispose()
        await corpus.fill(url)

    asyncio.run(load())
    print(f"{corpus.TICKETS:,} tickets written in {time.monotonic() - began:.0f} s")


class _serving:
    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> None:
        workers = str(os.cpu_count() or 1)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "benchmarks.server:app", "--interface", "asgi", "--loop", "uvloop"),
                *("--host", "127.0.0.1", "--port", str(self.port), "--workers", workers, "--no-ws"),
                *("--backlog", "2048", "--log-level", "warning"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backend'}"},
        )
        for _ in range(200):
            try:
                _call(self.port, "GET", "/api/v1/health/ready")
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server does not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)


def _call(port: int, method: str, path: str, body: object = None, token: str = "") -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _token(port: int, username: str) -> str:
    answer = _call(port, "POST", "/api/v1/auth/login", {"username": username, "password": PASSWORD})
    return str(answer["access_token"])


def _measure_all(port: int, url: str) -> None:
    agent, employee = _token(port, "agent"), _token(port, "employee")
    mine = asyncio.run(_rows(url, "SELECT id FROM teams WHERE name = 'Queue 1'"))[0]
    ids = asyncio.run(_rows(url, f"SELECT id FROM tickets WHERE team_id = {mine} ORDER BY id LIMIT 4000"))
    words = [f"{a} {b}ix" for a in corpus.WORDS[:20] for b in corpus.WORDS[:10]]
    queue = f"/api/v1/tickets?limit=50&team_id={mine}&status=APPROVED&status=IN_PROGRESS"
    body = json.dumps(
        {
            "title": "A laptop",
            "ticket_type": "IT_HARDWARE",
            "custom_fields": {"budget_code": "B-1", "justification": "For the measurement"},
            "amount": "500.00",
            "currency": "USD",
            "submit": True,
        }
    ).encode()
    everything = "/api/v1/tickets?limit=50"
    operations: dict[str, Callable[[int], bytes]] = {
        "list: an agent's queue, 50 rows": lambda n: http("GET", queue, agent),
        "list: all one may see, 50 rows": lambda n: http("GET", everything, agent),
        "detail": lambda n: http("GET", f"/api/v1/tickets/{ids[n * 7 % len(ids)]}", agent),
        "search: two words, 25 rows": lambda n: http(
            "GET", f"/api/v1/tickets?limit=25&q={words[n % len(words)].replace(' ', '+')}", agent
        ),
        "create and submit": lambda n: http("POST", "/api/v1/tickets", employee, body),
    }
    print(
        f"\n{'concurrency ' + str(CONNECTIONS):<34}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'bytes':>8}{'SQL':>6}{'Little':>8}"
        f"{'fixed':>9}{'bare SQL':>10}"
    )
    for name, request in operations.items():
        before = asyncio.run(_calls(url))
        result = measure("127.0.0.1", port, request, connections=CONNECTIONS, seconds=SECONDS)
        counted = asyncio.run(_calls(url))
        statements = {q: n - before.get(q, 0) for q, n in counted.items() if n > before.get(q, 0)}
        asked = result.requests * (SECONDS + 1) / SECONDS  # the warm-up second is counted by PostgreSQL too
        fixed = measure(
            "127.0.0.1", port, lambda n, r=result: http("GET", f"/fixed/{r.body_bytes}", ""), seconds=SECONDS / 2
        )
        bare = asyncio.run(_bare(url, name, mine, ids, words))
        _print(name, result, sum(statements.values()) / asked, fixed, bare)
        if os.environ.get("SHOW_SQL"):
            for query, n in sorted(statements.items(), key=lambda kv: -kv[1])[:14]:
                print(f"      {n / asked:6.2f}  {' '.join(query.split())[:150]}")


def _print(name: str, result: Result, statements: float, fixed: Result, bare: float | None) -> None:
    print(
        f"{name:<34}{result.rate:>8.0f}{result.p50:>8.1f}{result.p99:>8.1f}{result.body_bytes:>8}{statements:>6.1f}"
        f"{result.holds(CONNECTIONS):>8.2f}{fixed.rate / result.rate:>8.1f}x"
        + (f"{bare / result.rate:>9.1f}x" if bare else f"{'':>10}")
        + (f"   {result.errors} ERRORS" if result.errors else "")
    )


async def _rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [r[0] for r in await connection.fetch(query)]
    finally:
        await connection.close()


async def _calls(url: str) -> dict[str, int]:
    """How often each statement ran so far, without the transactions' own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        rows = await connection.fetch(
            "SELECT query, sum(calls)::bigint n FROM pg_stat_statements"
            " WHERE query !~* '^(begin|commit|rollback|savepoint|release)' GROUP BY query"
        )
        return {r["query"]: r["n"] for r in rows if "pg_stat_statements" not in r["query"]}
    finally:
        await connection.close()


async def _bare(url: str, name: str, team: int, ids: list[int], words: list[str]) -> float | None:
    """The same rows asked for with prepared statements on bare connections; answers a second."""
    columns = (
        "id, ticket_number, title, ticket_type, status, priority, amount, currency, requester_id, assignee_id, team_id,"
        " department_id, due_date, version, comment_count, created_at, updated_at"
    )
    visible = f"team_id = {team}"
    if name.startswith("list: an"):
        query = (
            f"SELECT {columns} FROM tickets WHERE {visible} AND status IN ('APPROVED', 'IN_PROGRESS')"
            " ORDER BY created_at DESC, id DESC LIMIT 51"
        )
        arguments: Callable[[int], tuple[Any, ...]] = lambda n: ()  # noqa: E731
    elif name == "detail":
        query, arguments = "SELECT * FROM tickets WHERE id = $1", lambda n: (ids[n * 7 % len(ids)],)
    elif name.startswith("search"):
        query = (
            f"SELECT {columns} FROM tickets WHERE {visible} AND id IN"
            " (SELECT ticket_id FROM search_documents WHERE words @@ to_tsquery('simple', $1))"
            " ORDER BY created_at DESC, id DESC LIMIT 26"
        )
        arguments = lambda n: (" & ".join(f"{w}:*" for w in words[n % len(words)].split()),)  # noqa: E731
    else:
        return None
    end = time.perf_counter() + SECONDS / 2
    done = 0

    async def one() -> None:
        nonlocal done
        connection = await asyncpg.connect(url)
        try:
            statement = await connection.prepare(query)
            while time.perf_counter() < end:
                await statement.fetch(*arguments(done))
                done += 1
        finally:
            await connection.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return done / (SECONDS / 2)


if __name__ == "__main__":
    main()
