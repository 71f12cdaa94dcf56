"""What the log of messages costs an administrator to search, with 200,000 messages in it.

PYTHONPATH=backend python -m benchmarks.deliveries       # about a minute
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx2

from benchmarks.corpus import WORDS
from benchmarks.crash import PASSWORD, Installation, Mailbox

MESSAGES = int(os.environ.get("MESSAGES", "200000"))
TIMES, MOST = 20, 200  # requests of each kind; milliseconds that half of them may take at most


def main() -> None:
    """Fill the log, search it, print. Ends with 1 when anything takes too long."""
    with tempfile.TemporaryDirectory(prefix="waypost-log-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        sys.exit(0 if asyncio.run(_run(Path(name))) else 1)


async def _run(folder: Path) -> bool:
    from waypost.kernel.embedded import free_port

    mailbox = Mailbox(free_port())
    await mailbox.open()
    installation = Installation(folder / "data", free_port(), mailbox.port)
    await installation.start()
    try:
        began = time.monotonic()
        await _fill(installation.database_url)
        print(f"{MESSAGES:,} messages written in {time.monotonic() - began:.0f} s")
        return await _measure(installation)
    finally:
        installation.stop()
        await mailbox.close()


async def _fill(url: str) -> None:
    words = ", ".join(f"'{word}'" for word in WORDS)
    connection = await asyncpg.connect(url, command_timeout=600)
    try:
        await connection.execute(
            f"""
            INSERT INTO notification_deliveries (channel, user_id, event_id, kind, recipient, subject, words, headers,
                message_id, status, attempts, next_at, sent_at, last_error, created_at)
            SELECT (ARRAY['email', 'email', 'email', 'slack', 'teams'])[1 + n % 5], u.id, 1000000 + n,
                (ARRAY['comment.created', 'approval.requested', 'ticket.assigned', 'ticket.completed'])[1 + n % 4], u.email,
                '[ITH-2026-' || lpad((n / 10)::text, 6, '0') || '] ' || (ARRAY[{words}])[1 + n % {len(WORDS)}] || ' '
                    || (ARRAY[{words}])[1 + (n * 7 / 3) % {len(WORDS)}] || ' ' || n,
                jsonb_build_object('ticket_id', n / 10, 'title', 'x', 'body', repeat('What it said. ', 20)), '{{}}',
                '<' || n || '@bench>', CASE WHEN n % 1000 = 0 THEN 'FAILED' ELSE 'SENT' END, 1,
                now() - n * interval '1 minute', CASE WHEN n % 1000 > 0 THEN now() - n * interval '1 minute' END,
                CASE WHEN n % 1000 = 0 THEN '550 no such user' END, now() - n * interval '1 minute'
            FROM generate_series(1, {MESSAGES}) n
            JOIN (SELECT id, email, row_number() OVER (ORDER BY id) r, count(*) OVER () c FROM users) u
                ON u.r = 1 + n % u.c
            """
        )
        await connection.execute("VACUUM ANALYZE notification_deliveries")
    finally:
        await connection.close()


async def _measure(installation: Installation) -> bool:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{installation.port}/api/v1", timeout=60) as client:
        login = await client.post("/auth/login", json={"username": "admin", "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        searches = {
            "newest": {},
            "what failed": {"status": "FAILED"},
            "a channel": {"channel": "teams"},
            "a kind of a channel": {"channel": "slack", "kind": "ticket.assigned"},
            "a person": {"user_id": "5"},
            "a request": {"ticket": "1234"},
            "a word": {"q": "laptop"},
            "one message": {"q": "123456"},
            "what is nowhere": {"q": "zebra crossing"},
            "words among what failed": {"q": "printer", "status": "FAILED"},
            "a day": {"since": _ago(30), "until": _ago(29)},
        }
        print(f"\n{'':<28}{'median ms':>10}{'longest':>9}{'rows':>6}")
        fine = True
        for name, asked in searches.items():
            times, rows = [], 0
            for _ in range(TIMES):
                began = time.perf_counter()
                answer = await client.get("/notification-deliveries", params={**asked, "limit": "50"})
                times.append((time.perf_counter() - began) * 1000)
                if answer.status_code != 200:
                    raise SystemExit(answer.text)
                rows = len(answer.json()["items"])
            fine &= statistics.median(times) <= MOST
            print(f"{name:<28}{statistics.median(times):>10.1f}{max(times):>9.1f}{rows:>6}")
        return fine


def _ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    main()
