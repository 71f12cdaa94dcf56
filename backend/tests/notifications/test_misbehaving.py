"""Providers that misbehave, by HTTP and by SMTP: what arrives when, and that nobody else waits for it.

`pytest -s` prints the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.notifications.wire import CLOSE, CUT, DRIP, ENDLESS, HANG, Request, Said, wire
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.channels import registry
from waypost.notifications.channels.slack import _accounts, _talks
from waypost.notifications.models import ChannelSettings, Delivery
from waypost.vendors import smtp

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
WAITS = [timedelta(seconds=s) for s in (0, 3, 10, 31, 61, 130, 600, 3600, 7200)]


# --- the two systems --------------------------------------------------------------------------------------------------


@dataclass
class ChatHouse:
    """Slack's Web API as far as a message needs it; `next` is what posting meets, once each. Keeps what it took."""

    next: list[Any] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Any:
        method = request.path.strip("/")
        if method == "users.lookupByEmail":
            return {"ok": True, "user": {"id": "U1"}}
        if method == "conversations.open":
            return {"ok": True, "channel": {"id": "D1"}}
        if method == "conversations.history":
            return {"ok": True, "messages": [{"ts": p["ts"], "metadata": p["metadata"]} for p in self.posted]}
        if self.next:
            how = self.next.pop(0)
            if how in (CUT, DRIP, ENDLESS, HANG):  # it has the message, and only its answer is bad
                self._take(request)
            return how
        return {"ok": True, "channel": "D1", "ts": self._take(request)}

    def _take(self, request: Request) -> str:
        self.posted.append(request.json | {"ts": f"{len(self.posted) + 1}.0"})
        return str(self.posted[-1]["ts"])

    @property
    def seen(self) -> list[str]:
        return [p["metadata"]["event_payload"]["id"] for p in self.posted]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class PostOffice:
    """A mail server; `next` is what conversations meet, once each. Keeps what it took."""

    next: list[Any] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    talks: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks += 1
        how = self.next.pop(0) if self.next else ""
        try:
            await self._talk(reader, writer, how)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str) -> None:
        async def say(what: str) -> None:
            writer.write(f"{what}\r\n".encode())
            await writer.drain()

        if how == CLOSE:
            return
        if how == HANG:
            await asyncio.sleep(30)
        while how == ENDLESS:
            await say("220-" + "x" * 500)
        await say(how if how and how[0] in "4H" else "220 ready")
        while True:
            line = (await reader.readuntil(b"\r\n")).decode().upper()
            if line.startswith("EHLO"):
                await say("250 mail.test")
            elif line.startswith("RCPT") and how.startswith("RCPT"):
                await say(how[5:])
            elif line.startswith("DATA"):
                await say("354 go on")
                mail = (await reader.readuntil(b"\r\n.\r\n")).decode()
                if how.startswith("DATA"):
                    await say(how[5:])
                    continue
                self.taken.append(mail)
                if how == "hang at the end":
                    await asyncio.sleep(30)
                if how == "close at the end":
                    return
                await say("250 taken")
            else:
                await say("250 fine")

    @property
    def seen(self) -> list[str]:
        return [line.partition(": ")[2] for m in self.taken for line in m.splitlines() if line.startswith("Message-ID")]


@dataclass
class House:
    """The product with both systems around it, and one slow clock."""

    database: Any
    who: Any
    hardware: Any
    chat: ChatHouse
    post: PostOffice
    at: datetime = START

    async def ask(self, count: int = 1) -> None:
        """So many requests; their approver is told of each by mail and by Slack."""
        for _ in range(count):
            await self.who.post("/tickets", self.hardware("500.00"), expect=201)
        await relay.drain(self.database)

    async def send(self, after: timedelta = timedelta(0)) -> None:
        self.at += after
        with clock(lambda: self.at):
            await sending.send_due(self.database)

    async def rows(self, channel: str) -> list[Delivery]:
        async with self.database.read() as session:
            found = select(Delivery).where(Delivery.channel == channel, Delivery.created_at >= START)
            return list(await session.scalars(found.order_by(Delivery.id)))

    async def pause(self, channel: str) -> timedelta | None:
        """For how long the system is left alone from now on."""
        async with self.database.read() as session:
            row = await session.get(ChannelSettings, channel)
        return None if row is None or row.open_until is None else row.open_until - self.at


@pytest.fixture
async def house(
    fresh_database: Any, fresh_who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    monkeypatch.setattr("waypost.vendors.slack.LONGEST", 0.4)
    monkeypatch.setattr(smtp, "TIMEOUT", 0.4)
    monkeypatch.setattr(smtp, "PATIENCE", 0.4)
    monkeypatch.setattr(sending, "LOOK", 0.05)
    chat, post = ChatHouse(), PostOffice()
    office = await asyncio.start_server(post.serve, "127.0.0.1", 0)
    port = office.sockets[0].getsockname()[1]
    async with wire(chat) as made, office:
        for name, value in {"SLACK_API_URL": made.url, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port)}.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        _talks.clear()
        _accounts.clear()
        async with fresh_database.transaction() as session:
            await session.execute(update(Delivery).values(status="SENT", created_at=START - timedelta(days=1)))
            row = ChannelSettings(key="slack", is_on=True, settings={}, updated_at=now())
            registry.seal(row, {"token": "xoxb-1", "signing_secret": "a" * 32})
            session.add(row)
        jane = await fresh_who("employee")
        yield House(fresh_database, jane, hardware, chat, post)
    get_settings.cache_clear()


# --- what arrives when ------------------------------------------------------------------------------------------------


def table(system: str, how: str, tries: list[timedelta], status: str, pause: timedelta | None) -> None:
    left = "-" if pause is None else f"{pause.total_seconds():.0f} s"
    when = ", ".join(f"{t.total_seconds():.0f}" for t in tries)
    print(f"\n{system:<6} {how:<34} left alone {left:>6}   tried at {when:<18} {status}", end="")  # noqa: T201


HTTP = {
    "429, Retry-After in seconds": (Said({"ok": False}, 429, {"Retry-After": "40"}), 40, True),
    "429, Retry-After as a date": (
        Said({"ok": False}, 429, {"Retry-After": format_datetime(START + timedelta(seconds=100), usegmt=True)}),
        100,
        True,
    ),
    "429 without": (Said({"ok": False}, 429), 30, True),
    "429, Retry-After nonsense": (Said({"ok": False}, 429, {"Retry-After": "soon, -1"}), 30, True),
    "503": (Said(b"upstream", 503), 1, True),
    "503, Retry-After in seconds": (Said(b"", 503, {"Retry-After": "50"}), 50, True),
    "no answer": (HANG, 1, True),
    "closes before the answer": (CLOSE, 1, True),
    "closes within the answer": (CUT, 1, True),
    "answers byte by byte": (DRIP, 1, True),
    "an endless answer": (ENDLESS, 1, True),
    "garbage": (Said(b"\x00\xff<html>"), 1, False),
    "an empty answer": (Said(b""), 1, False),
    "JSON that is no object": (Said(["ok"]), 1, False),
}


@pytest.mark.parametrize("how", HTTP)
async def test_http(house: House, how: str) -> None:
    says, least, is_shut = HTTP[how]
    house.chat.next = [says]
    with clock(lambda: START):
        await house.ask()
    await house.send()
    pause = await house.pause("slack")
    assert (pause is not None) == is_shut
    assert len(house.post.seen) == 1, "the mail went out in the same run"
    assert await house.who.get("/tickets"), "and the API answers"
    (row,) = await house.rows("slack")
    assert row.status == "PENDING"
    tries = [timedelta(0)]
    for wait in WAITS[1:]:
        before = row.attempts
        house.at = START + wait
        await house.send()
        (row,) = await house.rows("slack")
        if row.attempts > before:
            tries.append(wait)
        if row.status != "PENDING":
            break
    table("Slack", how, tries, row.status, pause)
    assert row.status == "SENT"
    assert len(tries) == 2
    assert tries[1] >= timedelta(seconds=least), "not before it may be asked again"
    assert house.chat.seen == [row.message_id], "arrived once, whether or not it said so the first time"
    assert await house.pause("slack") is None


async def test_an_answer_that_leads_elsewhere_is_not_followed(house: House) -> None:
    house.chat.next = [Said(b"", 302, {"Location": "http://127.0.0.1:1/steal"})]
    with clock(lambda: START):
        await house.ask()
    await house.send()
    (row,) = await house.rows("slack")
    table("Slack", "redirects", [timedelta(0)], row.status, await house.pause("slack"))
    assert (row.status, row.last_error, house.chat.seen) == ("FAILED", "Slack answers 302", [])


SMTP = {
    "421 as its greeting": ("421 too busy", True, "SENT", 1),
    "no greeting": (HANG, True, "SENT", 1),
    "closes at once": (CLOSE, True, "SENT", 1),
    "another protocol": ("HTTP/1.1 400 Bad Request", True, "SENT", 1),
    "an endless greeting": (ENDLESS, True, "SENT", 1),
    "450 for the recipient (greylisting)": ("RCPT 450 later", False, "SENT", 1),
    "451 for the mail": ("DATA 451 later", False, "SENT", 1),
    "takes the mail and says nothing": ("hang at the end", False, "SENT", 2),
    "takes the mail and closes": ("close at the end", False, "SENT", 2),
    "550 for the recipient": ("RCPT 550 unknown", False, "FAILED", 0),
    "554 for the mail": ("DATA 554 no", False, "FAILED", 0),
}


@pytest.mark.parametrize("how", SMTP)
async def test_smtp(house: House, how: str) -> None:
    says, is_shut, ends, arrivals = SMTP[how]
    house.post.next = [says]
    with clock(lambda: START):
        await house.ask()
    await house.send()
    pause = await house.pause("email")
    assert (pause is not None) == is_shut
    assert len(house.chat.seen) == 1, "Slack's message went out in the same run"
    assert await house.who.get("/tickets"), "and the API answers"
    (row,) = await house.rows("email")
    tries = [timedelta(0)]
    for wait in WAITS[1:]:
        if row.status != "PENDING":
            break
        before = row.attempts
        house.at = START + wait
        await house.send()
        (row,) = await house.rows("email")
        if row.attempts > before:
            tries.append(wait)
    table("SMTP", how, tries, row.status, pause)
    assert row.status == ends
    assert house.post.seen == [row.message_id] * arrivals
    assert len(set(house.post.seen)) <= 1, "a mailbox shows it once"


# --- the breaker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["slack", "email"])
async def test_the_breaker_opens_half_opens_and_closes(house: House, channel: str) -> None:
    system: Any = house.chat if channel == "slack" else house.post
    system.next = [CLOSE] * 3
    with clock(lambda: START):
        await house.ask(3)

    def met() -> int:
        return 3 - len(system.next)

    await house.send()
    assert met() == 1, "open: the other two are not even tried"
    pauses = [await house.pause(channel)]
    await house.send()
    assert met() == 1, "nobody knocks while it is open"
    for n in (2, 3):
        await house.send(timedelta(minutes=5))
        assert met() == n, "half open: one knocks"
        pauses.append(await house.pause(channel))
    assert pauses == [timedelta(seconds=s) for s in (2, 4, 8)], "longer each time"
    other = house.post if channel == "slack" else house.chat
    assert len(other.seen) == 3, "the other channel had long finished"
    await house.send(timedelta(minutes=5))
    rows = await house.rows(channel)
    assert [r.status for r in rows] == ["SENT"] * 3, "closed: the one got through, and the others with it"
    assert sorted(system.seen) == sorted(r.message_id for r in rows)
    assert await house.pause(channel) is None


async def test_while_it_hangs_people_work_and_are_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """During one call that hangs: requests are made and read, and their mails and notices arrive."""
    monkeypatch.setattr("waypost.vendors.slack.LONGEST", 8)
    asked, ends = asyncio.Event(), asyncio.Event()

    async def hangs(request: Request) -> Any:
        asked.set()
        await ends.wait()
        return {"ok": True, "channel": "D1", "ts": "7.0"}

    plain = house.chat.__class__.__call__
    monkeypatch.setattr(
        ChatHouse, "__call__", lambda me, r: hangs(r) if r.path.endswith("postMessage") else plain(me, r)
    )
    await house.ask()
    run = asyncio.create_task(sending.send_due(house.database))
    async with asyncio.timeout(20):
        await asked.wait()
        await house.ask(4)
        assert len((await house.who.get("/tickets"))["items"]) >= 5
        while len(set(house.post.seen)) < 5:  # noqa: ASYNC110 - the sender's doing
            await asyncio.sleep(0.02)
    assert not run.done()
    ends.set()
    await run


def test_what_this_file_waits_with_is_what_is_waited_with() -> None:
    """The tries above come late enough for any jitter of the product's own waits."""
    assert relay.wait_before(1) <= timedelta(seconds=2.4) < WAITS[1]
