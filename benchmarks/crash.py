"""Kill one process after another, without warning, while people submit; then count what was acknowledged and what arrived.

make crash                                # every process in turn, then the worker and Valkey while messages go out
python -m benchmarks.crash messages       # only the latter (see benchmarks.messages)

Each round submits 200 requests over four connections. A request that gets no answer is sent again with its
`Idempotency-Key`, as the web app does, until it is acknowledged. In the end every acknowledged request must be there
once, its approver told once in the app, and at least once by mail.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from aiosmtpd.controller import UnthreadedController

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "demo-Passw0rd-2026"
REQUESTS, AT_ONCE = 200, 4
ARRIVAL = 120  # seconds given to what is still on its way


class Mailbox:
    """An SMTP server that can be taken away and put back, and remembers what it took."""

    def __init__(self, port: int, takes: float = 0) -> None:
        self.port, self.takes = port, takes  # seconds between having a mail and saying so
        self.taken: list[str] = []
        self._server: asyncio.Server | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        self.taken.append(bytes(envelope.content).decode(errors="replace"))
        await asyncio.sleep(self.takes)
        return "250 OK"

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        factory = UnthreadedController(self, hostname="127.0.0.1", port=self.port, loop=loop).factory
        self._server = await loop.create_server(factory, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Be gone."""
        if self._server is not None:
            self._server.close()
            self._server = None


class Installation:
    """`make run`'s own command on a folder of its own."""

    def __init__(self, folder: Path, port: int, smtp_port: int, more: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, port
        smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(smtp_port), "SMTP_SECURITY": "none"}
        self.env = {
            **os.environ,
            "DATA_DIR": str(folder),
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
            **smtp,
            **(more or {}),
        }
        self.env["PYTHONPATH"] = str(ROOT / "backend")

    async def start(self) -> None:
        """Start and wait until it is ready."""
        with (self.folder.parent / "run.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "waypost.cli", "run"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
        await self.ready()

    async def ready(self) -> None:
        """Until it says so itself."""
        async with httpx2.AsyncClient() as client:
            for _ in range(600):
                try:
                    if (await client.get(f"http://127.0.0.1:{self.port}/api/v1/health/ready")).status_code == 200:
                        return
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        raise SystemExit((self.folder.parent / "run.log").read_text())

    def stop(self) -> None:
        """As Ctrl-C does."""
        self.process.terminate()
        self.process.wait(60)

    def below(self, pid: int) -> list[int]:
        """The processes below one, itself last."""
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(
                    int(stat.parent.name)
                )
            except OSError:
                continue
        found = []
        todo = [pid]
        while todo:
            found.append(todo.pop())
            todo += parents.get(found[-1], [])
        return found[::-1]

    def child(self, word: str) -> int:
        """The supervised process whose command line holds a word."""
        for pid in self.below(self.process.pid):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == self.process.pid and word in line:
                return pid
        raise SystemExit(f"no process {word}")

    @property
    def database_url(self) -> str:
        return str(json.loads((self.folder / "runtime.json").read_text())["DATABASE_OWNER_URL"])


@dataclass
class Round:
    """What the clients saw."""

    acknowledged: dict[str, int] = field(default_factory=dict)  # title -> ticket id
    tried_again: int = 0
    longest: float = 0.0  # seconds the slowest one took, repeats included


async def submit(
    installation: Installation, name: str, strike: Callable[[], Awaitable[None]], requests: int = REQUESTS
) -> Round:
    """Submit requests as people do, and strike when a third of them is under way."""
    seen = Round()
    base = f"http://127.0.0.1:{installation.port}/api/v1"
    todo = [f"crash {name} {n:03d}" for n in range(requests)][::-1]
    struck: asyncio.Task[None] | None = None

    async def person() -> None:
        nonlocal struck
        async with httpx2.AsyncClient(timeout=20) as client:
            token = ""
            while todo:
                title = todo.pop()
                if len(todo) == requests * 2 // 3 and struck is None:
                    struck = asyncio.create_task(strike())  # type: ignore[arg-type]
                body = {
                    "title": title,
                    "ticket_type": "IT_HARDWARE",
                    "custom_fields": {"budget_code": "B-1", "justification": "For the test"},
                    "amount": "500.00",
                    "currency": "USD",
                    "submit": True,
                }
                began = time.monotonic()
                while True:
                    try:
                        if not token:
                            login = {"username": "employee", "password": PASSWORD}
                            token = (await client.post(f"{base}/auth/login", json=login)).json()["access_token"]
                        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": title.replace(" ", "-")}
                        answer = await client.post(f"{base}/tickets", json=body, headers=headers)
                        if answer.status_code == 201:
                            seen.acknowledged[title] = answer.json()["id"]
                            break
                        if answer.status_code < 500:
                            raise SystemExit(f"{title}: {answer.status_code} {answer.text}")
                    except (httpx2.HTTPError, KeyError, ValueError):
                        pass
                    seen.tried_again += 1
                    await asyncio.sleep(0.1)
                seen.longest = max(seen.longest, time.monotonic() - began)

    await asyncio.gather(*(person() for _ in range(AT_ONCE)))
    if struck is not None:
        await struck
    return seen


async def _arrived(installation: Installation, mailbox: Mailbox, name: str) -> tuple[int, int, int, int, int]:
    """Tickets, distinct titles among them, notices to the approver, tickets with a mail, mails more than needed."""
    connection = await asyncpg.connect(installation.database_url)
    try:
        rows = await connection.fetch(
            "SELECT t.id, t.title, t.ticket_number, t.status,"
            " (SELECT count(*) FROM notifications n WHERE n.ticket_id = t.id AND n.kind = 'approval.requested') told"
            " FROM tickets t WHERE title LIKE $1",
            f"crash {name} %",
        )
    finally:
        await connection.close()
    mails = Counter(r["title"] for r in rows for mail in mailbox.taken if f"{r['title']}\r\n" in mail)
    assert all(r["status"] == "IN_REVIEW" for r in rows), "a ticket stands half-way"
    return (
        len(rows),
        len({r["title"] for r in rows}),
        sum(r["told"] for r in rows),
        len(mails),
        sum((mails - Counter(mails.keys())).values()),
    )


async def _rounds(folder: Path) -> bool:
    from waypost.kernel.embedded import free_port

    mailbox = Mailbox(free_port())
    await mailbox.open()
    installation = Installation(folder / "data", free_port(), mailbox.port)
    await installation.start()

    def killer(word: str) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            os.kill(installation.child(word), signal.SIGKILL)

        return strike

    async def no_mail() -> None:
        await mailbox.close()
        await asyncio.sleep(5)
        await mailbox.open()

    async def supervisor() -> None:
        below = installation.below(installation.process.pid)[:-1]
        installation.process.kill()
        installation.process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in below):
            await asyncio.sleep(0.1)
        await installation.start()

    async def everything() -> None:
        for pid in reversed(installation.below(installation.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        installation.process.wait()
        await installation.start()

    strikes: dict[str, Callable[[], Awaitable[None]]] = {
        "nothing": lambda: asyncio.sleep(0),
        "web": killer("serve-api"),
        "worker": killer("celery -A waypost.worker worker"),
        "scheduler": killer(" beat "),
        "valkey": killer("valkey"),
        "postgres": killer("postgres"),
        "mail server, for 5 s": no_mail,
        "supervisor": supervisor,
        "everything at once": everything,
    }
    print(
        f"{'killed':<24}{'acknowledged':>13}{'sent again':>12}{'slowest s':>11}{'tickets':>9}{'told':>6}{'mailed':>8}"
        f"{'twice':>7}{'all there s':>13}"
    )
    fine = True
    try:
        for name, strike in strikes.items():
            seen = await submit(installation, name, strike)
            began = time.monotonic()
            while True:
                tickets, titles, told, mailed, more = await _arrived(installation, mailbox, name)
                if mailed == told == tickets or time.monotonic() - began > ARRIVAL:
                    break
                await asyncio.sleep(0.5)
            took = time.monotonic() - began
            print(
                f"{name:<24}{len(seen.acknowledged):>13}{seen.tried_again:>12}{seen.longest:>11.1f}{tickets:>9}{told:>6}"
                f"{mailed:>8}{more:>7}{took:>13.1f}",
                flush=True,
            )
            fine &= len(seen.acknowledged) == tickets == titles == told == mailed
    finally:
        installation.stop()
        await mailbox.close()
    return fine


def main() -> None:
    """Run all rounds. Ends with 1 when anything acknowledged is missing or there twice."""
    from benchmarks.messages import messages

    runs = [messages] if "messages" in sys.argv[1:] else [_rounds, messages]
    fine = True
    for run in runs:
        with tempfile.TemporaryDirectory(prefix="waypost-crash-", ignore_cleanup_errors=True) as name:
            Path(name).chmod(0o755)
            fine &= asyncio.run(run(Path(name)))
    print("\nNothing acknowledged is missing, nothing is there twice." if fine else "\nSOMETHING IS MISSING OR DOUBLE")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
