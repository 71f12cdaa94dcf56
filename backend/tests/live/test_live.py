"""Live updates: what happens reaches the open screens of those who may see it, in order, and nobody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from waypost.live import router as live
from waypost.live.follower import Follower, events_after


class Stream:
    """A client of `/events/stream`, fed by the ASGI app directly: answers that never end cannot go through httpx2."""

    def __init__(self, app: Any, token: str, last_event_id: str | None = None) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        self.opened = asyncio.Event()
        self._gone = asyncio.Event()
        headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", b"waypost.test")]
        if last_event_id:
            headers.append((b"last-event-id", last_event_id.encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/events/stream",
            "raw_path": b"/api/v1/events/stream",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("waypost.test", 80),
            "root_path": "",
        }
        self._text = ""
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self.opened.is_set() and self.status == 0:
            self.status = -1
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self._text += message.get("body", b"").decode()
        self.opened.set()
        *whole, self._text = self._text.split("\n\n")
        for block in whole:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in fields:
                await self.events.put({**fields, "data": json.loads(fields["data"])})

    async def next(self, name: str, **wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                event = await self.events.get()
                if event["event"] == name and wanted.items() <= event["data"].items():
                    return event

    async def close(self) -> None:
        self._gone.set()
        async with asyncio.timeout(10):
            await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def listen(app: Any, who: Any) -> AsyncIterator[Any]:
    streams: list[Stream] = []

    async def open_for(username: str, last_event_id: str | None = None) -> Stream:
        api = await who(username)
        streams.append(Stream(app, api.http.headers["authorization"].removeprefix("Bearer "), last_event_id))
        async with asyncio.timeout(10):
            await streams[-1].opened.wait()
        assert streams[-1].status == 200
        return streams[-1]

    yield open_for
    for stream in streams:
        await stream.close()


async def test_those_concerned_hear_of_it_and_nobody_else(who: Any, hardware: Any, listen: Any) -> None:
    jane, mike, outsider = await listen("employee"), await listen("manager"), await listen("outsider")
    employee, agent = await who("employee"), await who("agent")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    event = await mike.next("approval.requested", ticket_id=ticket["id"])
    assert "title" not in event["data"], "ids only, never texts"
    await jane.next("ticket.updated", ticket_id=ticket["id"], type="ticket.submitted")
    path = f"/tickets/{ticket['id']}/comments"
    internal = await agent.post(path, {"body": "Shelf 2", "visibility": "INTERNAL"}, expect=201)
    public = await agent.post(path, {"body": "Soon", "visibility": "PUBLIC"}, expect=201)
    heard = await jane.next("comment.created", ticket_id=ticket["id"])
    assert heard["data"]["comment_id"] == public["id"] != internal["id"]
    assert outsider.events.empty()


async def test_what_was_missed_is_told_after_a_break(who: Any, hardware: Any, listen: Any) -> None:
    stream = await listen("employee")
    employee = await who("employee")
    first = await employee.post("/tickets", hardware(submit=False), expect=201)
    seen = await stream.next("ticket.updated", ticket_id=first["id"])
    await stream.close()
    second = await employee.post("/tickets", hardware(submit=False), expect=201)
    again = await listen("employee", seen["id"])
    assert (await again.next("ticket.updated"))["data"]["ticket_id"] == second["id"]


@pytest.mark.parametrize("last", ["abc", "-1", "9" * 30, "١٢"])
async def test_a_place_that_does_not_exist_is_the_end(listen: Any, last: str) -> None:
    stream = await listen("employee", last.encode("utf-8").decode("latin-1") if last.isascii() else "x")
    assert stream.events.empty()


async def test_signing_out_ends_the_stream(app: Any, monkeypatch: pytest.MonkeyPatch, database: Any) -> None:
    from tests.conftest import Api

    monkeypatch.setattr(live, "LOOK", 0.1)
    api = await Api(app, "colleague").sign_in()
    stream = Stream(app, api.http.headers["authorization"].removeprefix("Bearer "))
    await stream.opened.wait()
    await api.post("/auth/logout", expect=204)
    async with asyncio.timeout(10):
        await stream.task


async def test_who_must_set_up_a_second_factor_now_hears_nothing_more(app: Any, who: Any) -> None:
    """At once, when a role of theirs begins to need one; whose roles need none hear on."""
    from tests.conftest import Api

    admin = await Api(app, "admin").sign_in()
    people = [await Api(app, name).sign_in() for name in ("hragent", "outsider")]
    streams = [Stream(app, api.http.headers["authorization"].removeprefix("Bearer ")) for api in people]
    for stream in streams:
        await stream.opened.wait()
    roles = (await admin.get("/roles", params={"limit": 100}))["items"]
    needed = next(r for r in roles if r["key"] == "agent")
    try:
        await admin.put(f"/roles/{needed['id']}/second-factor", {"is_needed": True})
        async with asyncio.timeout(live.LOOK / 2):
            await streams[0].task
        assert not streams[1].task.done()
    finally:
        await admin.put(f"/roles/{needed['id']}/second-factor", {"is_needed": False})
        await streams[1].close()


async def test_a_stream_ends_when_its_sign_in_does(app: Any, fresh_database: Any, fresh_who: Any) -> None:
    """At the instant, also while things happen that are none of its person's business."""
    from datetime import timedelta

    from sqlalchemy import update

    from waypost.access.models import LoginSession
    from waypost.access.queries import actors
    from waypost.kernel.clock import now

    api = await fresh_who("colleague")
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(expires_at=now() + timedelta(seconds=2)))
    actors.forget_all()
    stream = Stream(app, api.http.headers["authorization"].removeprefix("Bearer "))
    await stream.opened.wait()
    async with asyncio.timeout(live.LOOK / 2):
        await stream.task


async def test_a_session_that_somebody_else_ends_ends_its_stream_at_once(app: Any, database: Any) -> None:
    """Well before a quiet stream would look by itself: so it is when an identity provider says that somebody left."""
    from tests.conftest import Api
    from waypost.access.sessions import end_all_sessions
    from waypost.kernel.clock import now
    from waypost.kernel.events import SYSTEM

    api = await Api(app, "finance3").sign_in()
    stream = Stream(app, api.http.headers["authorization"].removeprefix("Bearer "))
    await stream.opened.wait()
    async with database.transaction() as session:
        await end_all_sessions(session, api.id, "provider_logout", now(), SYSTEM)
    async with asyncio.timeout(live.LOOK / 2):
        await stream.task
    await api.http.aclose()


async def test_without_a_session_there_is_none(app: Any) -> None:
    stream = Stream(app, "nothing")
    await stream.opened.wait()
    assert stream.status == 401
    await stream.close()


async def test_a_late_commit_is_not_skipped(fresh_database: Any) -> None:
    """Ids are given before commits: what commits late has a lower id than what was seen, and is told all the same."""
    from waypost.kernel.events import SYSTEM, record
    from waypost.tickets.events import TicketClosed

    def closed(n: int) -> TicketClosed:
        return TicketClosed(ticket_id=n, ticket_version=1, old_status="REJECTED", new_status="CLOSED")

    follower = Follower(fresh_database)
    await follower.begin()
    async with fresh_database.transaction() as slow:
        await record(slow, closed(1), actor=SYSTEM)
        async with fresh_database.transaction() as quick:
            await record(quick, closed(2), actor=SYSTEM)
        await follower._read_on()
        assert await follower.after((0, 0)) is not None
        seen = [e.object_id for e in follower._recent]
        assert seen == [], "nothing behind a transaction that still runs"
    await follower._read_on()
    assert [e.object_id for e in follower._recent] == [1, 2]


async def test_memory_is_bounded_and_the_log_has_the_rest(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.kernel.events import SYSTEM, record
    from waypost.live import follower as module
    from waypost.tickets.events import TicketClosed

    monkeypatch.setattr(module, "KEPT", 3)
    follower = Follower(fresh_database)
    follower._recent = module.deque(maxlen=3)
    await follower.begin()
    start = follower.head
    for n in range(1, 7):
        async with fresh_database.transaction() as session:
            event = TicketClosed(ticket_id=n, ticket_version=1, old_status="REJECTED", new_status="CLOSED")
            await record(session, event, actor=SYSTEM)
    await follower._read_on()
    assert [e.object_id for e in await follower.after(start)] == [1, 2, 3, 4, 5, 6]
    assert [e.object_id for e in await follower.after(follower._floor)] == [4, 5, 6]
    async with fresh_database.read() as session:
        assert len(await events_after(session, start)) == 6


async def test_many_streams_ask_once_what_they_may_see(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.kernel.events import SYSTEM, record
    from waypost.live import follower as module
    from waypost.tickets.events import TicketClosed

    asked: list[list[int]] = []
    plain = module.facts_by_id

    async def counted(session: Any, ids: list[int]) -> Any:
        asked.append(ids)
        if len(asked) == 1:
            raise OSError("the database is away")
        return await plain(session, ids)

    monkeypatch.setattr(module, "facts_by_id", counted)
    follower = Follower(fresh_database)
    await follower.begin()
    for n in (1, 2, 999_999):
        async with fresh_database.transaction() as session:
            event = TicketClosed(ticket_id=n, ticket_version=1, old_status="REJECTED", new_status="CLOSED")
            await record(session, event, actor=SYSTEM)
    await follower._read_on()
    events = list(follower._recent)
    with pytest.raises(OSError, match="away"):
        await follower.facts(events)
    answers = await asyncio.gather(*(follower.facts(events) for _ in range(50)))
    assert asked == [[1, 2, 999_999]] * 2, "a failure is asked again, an answer is shared"
    assert all(sorted(a) == [1, 2] for a in answers), "what does not exist is left out"
    follower.head = (follower.head[0] + 1, follower.head[1])
    await follower.facts(events)
    assert len(asked) == 3, "after something has happened it is asked anew"


async def test_one_person_holds_only_so_many_streams(app: Any, listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 2)
    one = await listen("facilityagent")
    await listen("facilityagent")
    token = next(iter(live._open))
    assert live._open[token] == 2
    from tests.conftest import Api

    api = await Api(app, "facilityagent").sign_in()
    third = Stream(app, api.http.headers["authorization"].removeprefix("Bearer "))
    await third.opened.wait()
    assert third.status == 429
    await third.close()
    await one.close()
    await listen("facilityagent")


async def test_who_loses_sight_hears_nothing_more_on_the_same_stream(who: Any, hardware: Any, listen: Any) -> None:
    """Asked at each event: a stream that was opened while one might see a request says nothing of it afterwards."""
    employee, colleague, agent = await who("employee"), await who("colleague"), await who("agent")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    path = f"/tickets/{ticket['id']}"
    await agent.put(f"{path}/watchers/{colleague.id}")
    await colleague.get(path)
    stream = await listen("colleague")
    first = await employee.post(f"{path}/comments", {"body": "Seen", "visibility": "PUBLIC"}, expect=201)
    heard = await stream.next("comment.created", ticket_id=ticket["id"])
    assert heard["data"]["comment_id"] == first["id"]
    await agent.delete(f"{path}/watchers/{colleague.id}", expect=204)
    await colleague.get(path, expect=404)
    await employee.post(f"{path}/comments", {"body": "Unseen", "visibility": "PUBLIC"}, expect=201)
    own = await colleague.post("/tickets", hardware(submit=False), expect=201)
    while True:
        event = await asyncio.wait_for(stream.events.get(), 10)
        if event["data"].get("ticket_id") == own["id"]:
            break
        assert event["event"] != "comment.created", "it was told of what may not be seen any more"


async def test_a_restart_leaves_no_gap_and_tells_nothing_twice(
    who: Any, hardware: Any, listen: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came while no process was there is told from the log, in order, then what comes now."""
    employee = await who("employee")
    stream = await listen("employee")
    before = [await employee.post("/tickets", hardware(submit=False), expect=201) for _ in range(3)]
    heard = [await stream.next("ticket.updated", type="ticket.created") for _ in before]
    await stream.close()
    missed = [await employee.post("/tickets", hardware(submit=False), expect=201) for _ in range(4)]
    fresh = Follower(database)
    await fresh.begin()  # as a process that has just started: nothing of the past is in its memory
    assert fresh._recent == type(fresh._recent)()
    monkeypatch.setattr(live, "_follower", fresh)
    running = asyncio.create_task(fresh.run())
    try:
        again = await listen("employee", heard[0]["id"])
        now = await employee.post("/tickets", hardware(submit=False), expect=201)
        expected = [t["id"] for t in (*before[1:], *missed, now)]
        told = [await again.next("ticket.updated", type="ticket.created") for _ in expected]
        assert [e["data"]["ticket_id"] for e in told] == expected
        assert len({e["id"] for e in (heard[0], *told)}) == len(expected) + 1
        await again.close()
    finally:
        running.cancel()
