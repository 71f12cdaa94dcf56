"""A thousand messages on their way, by mail and by Slack, while the worker and Valkey are killed again and again.

Both receivers keep a message first and say so a moment later, as real ones do: a worker that dies in between does not
know that it has arrived, and sends it again. A person sees a mail of one Message-ID once; in Slack they see what was
posted. So what counts is: nothing lost, and nothing seen twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from benchmarks.crash import PASSWORD, Installation, Mailbox, submit

TICKETS = 500  # each tells its approver by mail and by Slack
PAUSE = (3.0, 12.0)  # seconds between two kills
TAKES = 0.04  # seconds a receiver needs to say that it has a message
KILLING, LONGEST = 300, 900  # seconds
NAME = "messages"


class Posts:
    """Where Slack's Web API is called: keeps what is posted, and shows it when it is asked for, a page at a time."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/api/"

    def close(self) -> None:
        """Be gone."""
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method = head.split(" ", 2)[1].rpartition("/")[2]
                length = re.search(r"(?i)content-length: *(\d+)", head)
                asked = json.loads(await reader.readexactly(int(length[1]) if length else 0) or b"{}")
                self.asked[method] += 1
                answer = json.dumps({"ok": True, **self._answer(method, asked)}).encode()
                await asyncio.sleep(TAKES)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        if method == "users.lookupByEmail":
            return {"user": {"id": "U" + asked["email"].partition("@")[0].upper()}}
        if method == "conversations.open":
            return {"channel": {"id": "D" + asked["users"][1:]}}
        if method == "chat.postMessage":
            ts = f"{time.time():.6f}"
            self.posted.append({"ts": ts, "channel": asked["channel"], "metadata": asked["metadata"]})
            return {"channel": asked["channel"], "ts": ts}
        if method == "conversations.history":
            since, until = float(asked.get("oldest", 0)), float(asked.get("cursor") or "inf")
            found = [p for p in reversed(self.posted) if p["channel"] == asked["channel"]]
            found = [p for p in found if since < float(p["ts"]) < until]
            page, more = found[: asked["limit"]], len(found) > asked["limit"]
            return {
                "messages": page,
                "has_more": more,
                **({"response_metadata": {"next_cursor": page[-1]["ts"]}} if more else {}),
            }
        return {}


async def messages(folder: Path) -> bool:
    """Send, kill, count, print; whether nothing is lost and nothing seen twice."""
    from waypost.kernel.embedded import free_port

    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    mailbox, posts = Mailbox(free_port(), TAKES), Posts()
    await mailbox.open()
    await posts.open()
    installation = Installation(folder / "data", free_port(), mailbox.port, {"SLACK_API_URL": posts.url})
    await installation.start()
    killed: Counter[str] = Counter()
    began = time.monotonic()
    try:
        await _set_up_slack(installation)

        async def strike() -> None:
            while await _waiting(installation) and time.monotonic() - began < KILLING:
                await asyncio.sleep(chance.uniform(*PAUSE))
                which = chance.choice(["worker", "worker", "worker's parent", "Valkey"])
                try:
                    _kill(installation, which)
                except (SystemExit, ProcessLookupError):
                    continue  # it is only just coming back from the kill before
                killed[which] += 1

        seen = await submit(installation, NAME, strike, TICKETS)
        while await _waiting(installation) and time.monotonic() - began < LONGEST:
            await asyncio.sleep(0.5)
        took = time.monotonic() - began
        wanted = await _wanted(installation)
    finally:
        installation.stop()
        posts.close()
        await mailbox.close()
    return _report(seed, len(seen.acknowledged), wanted, mailbox, posts, killed, took)


def _report(
    seed: int,
    tickets: int,
    wanted: dict[str, set[str]],
    mailbox: Mailbox,
    posts: Posts,
    killed: Counter[str],
    took: float,
) -> bool:
    about = [m for m in mailbox.taken if f"crash {NAME} " in m]
    mails = Counter(re.search(r"(?im)^Message-ID:\s*(<[^>]+>)", m)[1] for m in about)  # type: ignore[index]
    titles = {(re.search(rf"crash {NAME} \d+", m)[0], i) for m, i in zip(about, _ids(about), strict=True)}  # type: ignore[index]
    posted = Counter(p["metadata"]["event_payload"]["id"] for p in posts.posted)
    kills = ", ".join(f"{n} × {name}" for name, n in sorted(killed.items()))
    print(
        f"\n{tickets} requests, {sum(map(len, wanted.values()))} messages in {took:.0f} s; killed: {kills} (SEED={seed})"
    )
    print(f"{'':<24}{'wanted':>8}{'arrived':>9}{'lost':>6}{'sent twice':>12}{'seen twice':>12}")
    fine = tickets == TICKETS
    for channel, taken, seen_twice in (
        ("email", mails, len(titles) - len({t for t, _ in titles})),
        ("slack", posted, sum(n - 1 for i, n in posted.items() if i in wanted["slack"])),
    ):
        arrived = Counter({i: n for i, n in taken.items() if i in wanted[channel]})
        lost = wanted[channel] - set(arrived)
        again = sum(arrived.values()) - len(arrived)
        fine &= len(wanted[channel]) == TICKETS and not lost and not seen_twice
        print(
            f"{channel:<24}{len(wanted[channel]):>8}{len(arrived):>9}{len(lost):>6}{again:>12}{seen_twice:>12}",
            flush=True,
        )
    print(f"asked of Slack: {', '.join(f'{n} × {method}' for method, n in sorted(posts.asked.items()))}")
    return fine


def _ids(mails: list[str]) -> list[str]:
    return [re.search(r"(?im)^Message-ID:\s*(<[^>]+>)", m)[1] for m in mails]  # type: ignore[index]


def _kill(installation: Installation, which: str) -> None:
    if which == "Valkey":
        os.kill(installation.child("valkey"), signal.SIGKILL)
        return
    parent = installation.child("celery -A waypost.worker worker")
    below = [parent] if which == "worker's parent" else installation.below(parent)
    for pid in reversed(below):
        os.kill(pid, signal.SIGKILL)


async def _set_up_slack(installation: Installation) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{installation.port}/api/v1") as client:
        login = await client.post("/auth/login", json={"username": "admin", "password": PASSWORD})
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
        settings = {"token": "xoxb-test", "signing_secret": "a" * 32}
        version = (await client.get("/notification-channels/slack", headers=headers)).json()["version"]
        body = {"version": version, "is_on": True, "settings": settings}
        answer = await client.put("/notification-channels/slack", json=body, headers=headers)
        if answer.status_code != 200:
            raise SystemExit(answer.text)


_ABOUT = f"d.kind = 'approval.requested' AND t.title LIKE 'crash {NAME} %'"


async def _waiting(installation: Installation) -> bool:
    """Whether anything is still on its way, as far as the database can be asked."""
    query = (
        "SELECT count(*) FILTER (WHERE d.status = 'SENT') < 2 * $1 FROM notification_deliveries d"
        f" JOIN tickets t ON (d.words ->> 'ticket_id') = t.id::text WHERE {_ABOUT}"
    )
    connection = await asyncpg.connect(installation.database_url)
    try:
        return bool(await connection.fetchval(query, TICKETS))
    finally:
        await connection.close()


async def _wanted(installation: Installation) -> dict[str, set[str]]:
    query = (
        "SELECT d.channel, d.message_id FROM notification_deliveries d"
        f" JOIN tickets t ON (d.words ->> 'ticket_id') = t.id::text WHERE {_ABOUT}"
    )
    connection = await asyncpg.connect(installation.database_url)
    try:
        found: dict[str, set[str]] = {"email": set(), "slack": set()}
        for row in await connection.fetch(query):
            found[row["channel"]].add(row["message_id"])
        return found
    finally:
        await connection.close()
