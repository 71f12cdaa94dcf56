"""What a thousand open screens cost while nothing happens, and how soon a change reaches one of them.

make bench-live                   # about two minutes
STREAMS=200 make bench-live       # fewer
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from benchmarks.crash import PASSWORD, Installation, Mailbox

STREAMS = int(os.environ.get("STREAMS", "1000"))
IDLE = 30.0  # seconds in which nothing happens
CHANGES = 20
WITHIN, WITHIN_URGENT, SHARE = 2.0, 1.0, 25.0  # seconds, seconds, per cent of one core


def measure_live() -> bool:
    """Start the product, open the streams, measure, print. Whether all is as it must be."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (STREAMS * 4, max(STREAMS * 4, _most_files())))
    with tempfile.TemporaryDirectory(prefix="waypost-live-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        return asyncio.run(_run(Path(name)))


def _most_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


async def _run(folder: Path) -> bool:
    from waypost.kernel.embedded import free_port

    mailbox = Mailbox(free_port())
    await mailbox.open()
    installation = Installation(folder / "data", free_port(), mailbox.port)
    await installation.start()
    try:
        tokens = await _people(installation)
        before = _cpu(installation)
        began = time.monotonic()
        screens = await _open_all(installation.port, tokens)
        print(
            f"{len(screens)} streams of as many people opened in {time.monotonic() - began:.1f} s"
            f" ({(_cpu(installation) - before) / len(screens) * 1000:.1f} ms of CPU each)"
        )
        await asyncio.sleep(12)  # what opening them made to do is done
        idle, server = await _idle(installation)
        print(
            f"idle for {IDLE:.0f} s: API {idle:.1f} %, database {server:.1f} % of one core (API at most {SHARE:.0f} %)"
        )
        common, urgent = await _changes(installation)
        lost = sum(screen.is_closed for screen in screens)
        print(f"streams that broke: {lost}")
        for screen in screens:
            screen.close()
        return idle < SHARE and max(common) <= WITHIN and max(urgent) <= WITHIN_URGENT and not lost
    finally:
        installation.stop()
        await mailbox.close()


# --- who watches ------------------------------------------------------------------------------------------------------


async def _people(installation: Installation) -> list[str]:
    """So many people of the company's, each signed in once; their tokens."""
    os.environ.update(DATA_DIR=str(installation.folder), DATABASE_URL=installation.database_url)
    from waypost.access.tokens import issue_access_token
    from waypost.kernel.clock import now

    connection = await asyncpg.connect(installation.database_url)
    try:
        await connection.execute(
            f"""
            INSERT INTO users (username, email, first_name, last_name, department_id, timezone, locale, is_active)
            SELECT 'screen' || n, 'screen' || n || '@example.com', 'Screen', n::text,
                   (SELECT id FROM departments ORDER BY id LIMIT 1), 'UTC', 'en', true
            FROM generate_series(1, {STREAMS}) n;
            INSERT INTO user_roles (user_id, role_id)
            SELECT u.id, r.id FROM users u, roles r WHERE u.username LIKE 'screen%' AND upper(r.key) = 'EMPLOYEE'
            """
        )
        rows = await connection.fetch(
            """
            INSERT INTO login_sessions (user_id, created_at, last_seen_at, proved_at, expires_at, ip_address, user_agent)
            SELECT id, now(), now(), now(), now() + interval '1 day', '127.0.0.1', 'benchmark'
            FROM users WHERE username LIKE 'screen%' RETURNING user_id, id
            """
        )
    finally:
        await connection.close()
    return [issue_access_token(row["user_id"], row["id"], now())[0] for row in rows]


@dataclass
class Screen(asyncio.Protocol):
    """One open stream; `heard` is called with each event and the moment it came."""

    token: str
    heard: Callable[[str, dict[str, Any], float], None] | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: bool = False
    _text: str = ""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(
            b"GET /api/v1/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            b"Authorization: Bearer " + self.token.encode() + b"\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        if not self.opened.is_set():
            if not data.startswith(b"HTTP/1.1 200"):
                raise SystemExit(data[:300].decode(errors="replace"))
            self.opened.set()
        if self.heard is None:
            return
        at = time.monotonic()
        *blocks, self._text = (self._text + data.decode()).split("\n\n")
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in fields and "data" in fields:
                self.heard(fields["event"], json.loads(fields["data"]), at)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True

    def close(self) -> None:
        """Leave."""
        self.transport.close()


async def _open_all(port: int, tokens: list[str]) -> list[Screen]:
    screens = []
    for n in range(0, len(tokens), 50):
        batch = await asyncio.gather(*(_open(port, token) for token in tokens[n : n + 50]))
        screens += batch
    return screens


async def _open(port: int, token: str) -> Screen:
    screen = Screen(token)
    await asyncio.get_running_loop().create_connection(lambda: screen, "127.0.0.1", port)
    async with asyncio.timeout(60):
        await screen.opened.wait()
    return screen


# --- what it costs ----------------------------------------------------------------------------------------------------


def _seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _cpu(installation: Installation, word: str = "serve-api") -> float:
    """Seconds of CPU a process and all below it have used."""
    return _seconds(installation.below(installation.child(word)))


async def _idle(installation: Installation) -> tuple[float, float]:
    before, base, began = _cpu(installation), _cpu(installation, "postgres"), time.monotonic()
    await asyncio.sleep(IDLE)
    spent = time.monotonic() - began
    return (_cpu(installation) - before) / spent * 100, (_cpu(installation, "postgres") - base) / spent * 100


# --- how soon ---------------------------------------------------------------------------------------------------------


async def _changes(installation: Installation) -> tuple[list[float], list[float]]:
    """Seconds from sending a change to its coming out of a stream: of a comment, and of an emergency."""
    base = f"http://127.0.0.1:{installation.port}/api/v1"
    async with httpx2.AsyncClient(base_url=base, timeout=30) as client:
        tokens = {}
        for who in ("employee", "agent", "manager"):
            login = await client.post("/auth/login", json={"username": who, "password": PASSWORD})
            tokens[who] = login.json()["access_token"]

        async def send(who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = await client.post(path, json=body, headers={"Authorization": f"Bearer {tokens[who]}"})
            if answer.status_code not in (200, 201):
                raise SystemExit(answer.text)
            return dict(answer.json())

        inbox: asyncio.Queue[tuple[str, str, dict[str, Any], float]] = asyncio.Queue()
        for who in ("employee", "manager"):
            screen = await _open(installation.port, tokens[who])
            screen.heard = lambda name, data, at, who=who: inbox.put_nowait((who, name, data, at))  # type: ignore[misc]

        async def came(who: str, name: str, ticket_id: int) -> float:
            async with asyncio.timeout(30):
                while True:
                    whom, what, data, at = await inbox.get()
                    if (whom, what, data.get("ticket_id")) == (who, name, ticket_id):
                        return at

        new = {
            "title": "A laptop",
            "ticket_type": "IT_HARDWARE",
            "custom_fields": {"budget_code": "B-1", "justification": "For the measurement"},
            "amount": "500.00",
            "currency": "USD",
            "submit": True,
        }
        ticket = await send("employee", "/tickets", new)
        common, urgent, told = [], [], []
        for n in range(CHANGES):
            sent = time.monotonic()
            await send("agent", f"/tickets/{ticket['id']}/comments", {"body": f"Update {n}", "visibility": "PUBLIC"})
            common.append(await came("employee", "comment.created", ticket["id"]) - sent)
            await asyncio.sleep(0.5)
        for n in range(CHANGES // 2):
            sent = time.monotonic()
            made = await send("employee", "/tickets", new | {"title": f"Emergency {n}", "priority": "CRITICAL"})
            urgent.append(await came("manager", "approval.requested", made["id"]) - sent)
            told.append(await came("manager", "notification.created", made["id"]) - sent)
            await asyncio.sleep(0.5)
    for name, times, most in (
        ("a comment, at the requester's screen", common, WITHIN),
        ("an emergency, at its approver's screen", urgent, WITHIN_URGENT),
        ("an emergency, in its approver's notices", told, WITHIN_URGENT),
    ):
        print(f"{name}: median {statistics.median(times):.2f} s, longest {max(times):.2f} s (at most {most:.0f} s)")
    return common, urgent + told
