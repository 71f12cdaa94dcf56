"""Calendar files: looked at, taken, fetched again, and what happens when that fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.sla.test_ical import event, file
from waypost.kernel.clock import clock, now
from waypost.kernel.settings import get_settings
from waypost.sla import calendar_files, ical_reading
from waypost.sla.models import SlaCalendarFile

WEEK = [[{"from": "08:00", "to": "18:00"}]] * 5 + [[], []]
HOLIDAYS = file(
    event("DTSTART;VALUE=DATE:20101225", "RRULE:FREQ=YEARLY", name="Christmas Day"),
    event("DTSTART;VALUE=DATE:20101226", "RRULE:FREQ=YEARLY", name="Boxing Day", uid="two"),
    event("DTSTART:20261224T090000Z", "DTEND:20261224T100000Z", name="Meeting", uid="three"),
)


@pytest.fixture(autouse=True)
def _loopback_may_be_called() -> Iterator[None]:
    os.environ["OUTGOING_ALLOW"] = '["127.0.0.0/8"]'
    get_settings.cache_clear()
    yield
    del os.environ["OUTGOING_ALLOW"]
    get_settings.cache_clear()


@asynccontextmanager
async def serving(answer: dict[str, Any]) -> AsyncIterator[str]:
    """A server that answers with `answer["status"]` and `answer["body"]`."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {answer['status']} x\r\nContent-Length: {len(answer['body'])}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answer["body"])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret-token/holidays.ics"
    finally:
        server.close()
        await server.wait_closed()


async def made(admin: Any, name: str) -> str:
    found = await admin.post("/sla/calendars", {"name": name, "zone": "Europe/Berlin", "week": WEEK}, 201)
    return f"/sla/calendars/{found['id']}"


def upload(data: bytes) -> dict[str, Any]:
    return {"files": {"file": ("holidays.ics", data, "text/calendar")}}


async def test_a_file_is_looked_at_and_taken(who: Any, database: Any) -> None:
    admin = await who("admin")
    path = await made(admin, "With a file")
    year = now().year
    seen = await admin.post(f"{path}/file/preview", **upload(HOLIDAYS))
    assert {d["day"] for d in seen["days"]} >= {f"{year}-12-25", f"{year + 3}-12-26"}
    assert all(d["is_new"] for d in seen["days"])
    assert (seen["gone"], seen["ignored_count"], seen["ignored"][0]["name"]) == ([], 1, "Meeting")
    assert (await admin.get(path))["days"] == [], "nothing is kept of a look"

    taken = await admin.post(f"{path}/file", params={"version": 1}, **upload(HOLIDAYS))
    assert taken["version"] == 2
    assert {(d["name"], d["source"]) for d in taken["days"]} == {("Christmas Day", "ICAL"), ("Boxing Day", "ICAL")}
    assert (taken["file"]["name"], taken["file"]["is_fetched"]) == ("holidays.ics", False)
    await admin.post(f"{path}/file", None, 412, params={"version": 1}, **upload(HOLIDAYS))
    again = await admin.post(f"{path}/file/preview", **upload(file(event("DTSTART;VALUE=DATE:20101225"))))
    assert (len(again["days"]), len(again["gone"])) == (0, len(taken["days"]))
    # by hand beside the file
    by_hand = {"name": "With a file", "zone": "Europe/Berlin", "week": WEEK, "version": 2}
    both = await admin.put(path, {**by_hand, "days": [{"kind": "CLOSED", "day": f"{year}-12-25", "name": "Ours"}]})
    of_day = (await admin.get(f"{path}/years/{year}"))["days"]
    assert next(d["name"] for d in of_day if d["day"] == f"{year}-12-25") in (
        "Christmas Day, Ours",
        "Ours, Christmas Day",
    )
    left = await admin.delete(f"{path}/file", 200, params={"version": both["version"]})
    assert [d["name"] for d in left["days"]] == ["Ours"]
    assert left["file"] is None


async def test_the_years_go_by_and_the_file_is_followed(who: Any, database: Any) -> None:
    admin = await who("admin")
    path = await made(admin, "Years")
    taken = await admin.post(f"{path}/file", params={"version": 1}, **upload(HOLIDAYS))
    later = now() + timedelta(days=400)
    with clock(lambda: later):
        await calendar_files.run_due(database)
    followed = await admin.get(path)
    assert max(d["day"] for d in followed["days"]) > max(d["day"] for d in taken["days"])
    assert followed["version"] == 3


async def test_an_address_is_fetched_again_and_a_failure_keeps_the_days(who: Any, database: Any) -> None:
    admin = await who("admin")
    path = await made(admin, "Fetched")
    answer: dict[str, Any] = {"status": 200, "body": HOLIDAYS}
    async with serving(answer) as address:
        assert (await admin.post(f"{path}/feed/preview", {"address": address}))["days"]
        taken = await admin.put(f"{path}/feed", {"address": address, "version": 1})
        assert (taken["file"]["name"], taken["file"]["is_fetched"]) == ("127.0.0.1", True)
        assert "secret-token" not in str(taken)
        answer["body"] = file(event("DTSTART;VALUE=DATE:20101225", "RRULE:FREQ=YEARLY", name="Christmas Day"))
        later = now() + timedelta(days=1, minutes=1)
        with clock(lambda: later):
            await calendar_files.run_due(database)
        followed = await admin.get(path)
        assert {d["name"] for d in followed["days"]} == {"Christmas Day"}
        answer["status"] = 500
        for hours in (25, 27):
            failing = later + timedelta(hours=hours)
            with clock(lambda failing=failing: failing):
                await calendar_files.run_due(database)
    failed = await admin.get(path)
    assert failed["days"] == followed["days"]
    assert failed["version"] == followed["version"]
    assert failed["file"]["error"] == "That address answers 500."
    listed = next(c for c in (await admin.get("/sla/calendars"))["items"] if c["name"] == "Fetched")
    assert listed["is_failing"]
    async with database.read() as session:
        alarms = "SELECT count(*) FROM events WHERE type = 'system.alarm' AND data->>'topic' = :topic"
        assert await session.scalar(text(alarms), {"topic": f"sla_calendar.{path.rpartition('/')[2]}"}) == 1
        raw = await session.scalar(
            text("SELECT sealed_address FROM sla_calendar_files WHERE sealed_address IS NOT NULL")
        )
        assert b"secret-token" not in raw
        kept = await session.get(SlaCalendarFile, int(path.rpartition("/")[2]))
        assert kept.address == address


async def test_what_lies_inside_is_not_called(who: Any) -> None:
    admin = await who("admin")
    path = await made(admin, "Inside")
    for address in (
        "https://10.0.0.1/x.ics",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "https://user:pw@example.com/x",
    ):
        refused = await admin.post(f"{path}/feed/preview", {"address": address}, 422)
        assert refused["errors"][0]["pointer"] == "/address"
    assert (await admin.get(path))["file"] is None


async def test_who_may_not_configure_may_not_bring_a_file(who: Any) -> None:
    admin, auditor, employee = await who("admin"), await who("auditor"), await who("employee")
    path = await made(admin, "Not theirs")
    for other in (auditor, employee):
        await other.post(f"{path}/file/preview", None, 403, **upload(HOLIDAYS))
        await other.put(f"{path}/feed", {}, 403)
    await admin.post(f"{path}/file/preview", None, 422, **upload(b"hello"))
    await admin.post("/sla/calendars/4611686018427387904/file/preview", None, 404, **upload(HOLIDAYS))


async def test_no_connection_is_held_while_a_file_is_read(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await who("admin")
    path = await made(admin, "Read slowly")
    held: list[int] = []
    read = ical_reading.read

    async def slowly(*said: Any) -> Any:
        held.append(sum(engine.pool.checkedout() for engine in (database.read_engine, database.write_engine)))
        return await read(*said)

    monkeypatch.setattr(ical_reading, "read", slowly)
    await admin.post(f"{path}/file/preview", **upload(HOLIDAYS))
    await admin.post(f"{path}/file", params={"version": 1}, **upload(HOLIDAYS))
    assert held == [0, 0]
