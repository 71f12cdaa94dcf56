"""Destinations of the trail: set up, sent to in order and once, and what happens when one is away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from tests.audit.streams.receivers import http_receiver, syslog_receiver
from waypost.audit import sealing
from waypost.audit.models import AuditSeal
from waypost.audit.streams import delivering, sending, standing
from waypost.audit.streams.models import AuditStream
from waypost.kernel import outgoing, relay
from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications.models import Notification

PATH = "/audit/streams"
CA = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def may_call_here() -> Any:
    """This machine may be called, as an operator would allow a network."""
    os.environ["OUTGOING_ALLOW"] = '["127.0.0.0/8", "::1/128"]'
    get_settings.cache_clear()
    yield
    del os.environ["OUTGOING_ALLOW"]
    get_settings.cache_clear()


@pytest.fixture
async def admin(who: Any, database: Any) -> AsyncIterator[Any]:
    yield await who("admin")
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM audit_streams"))


def syslog(port: int, **more: Any) -> dict[str, Any]:
    return {
        "name": "Syslog",
        "kind": "SYSLOG",
        "host": "localhost",
        "port": port,
        "transport": "TCP",
        "is_on": True,
        **more,
    }


def https(port: int, **more: Any) -> dict[str, Any]:
    return {
        "name": "Json",
        "kind": "HTTPS",
        "url": f"http://localhost:{port}/ingest?key=1",
        "auth": "BEARER",
        "secret": "s3cret-token",
        "is_on": True,
        **more,
    }


async def positions(database: Any, family: str | None = None) -> list[int]:
    async with database.read() as session:
        wanted = select(AuditSeal.position).join(EventRow, EventRow.id == AuditSeal.event_id)
        if family:
            wanted = wanted.where(EventRow.type.startswith(f"{family}."))
        return list(await session.scalars(wanted.order_by(AuditSeal.position)))


async def row_of(database: Any, stream_id: int) -> AuditStream:
    async with database.read() as session:
        row = await session.get(AuditStream, stream_id)
        assert row is not None
        return row


async def at_once(database: Any) -> None:
    """Nobody waits for a pause to be over."""
    async with database.transaction() as session:
        await session.execute(update(AuditStream).values(open_until=None))


async def test_everything_arrives_in_order_and_once(admin: Any, database: Any) -> None:
    async with syslog_receiver() as receiver:
        made = await admin.post(PATH, syslog(receiver.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        await sending.run_due(database)
        assert receiver.positions() == await positions(database)
        read = await admin.get(f"{PATH}/{made['id']}")
        assert read["health"]["state"] == "WORKS"
        assert read["health"]["behind"] == 0
        assert read["health"]["sent_count"] == len(receiver.messages)
        before = len(receiver.messages)
        await sending.run_due(database)
        assert len(receiver.messages) == before


async def test_from_now_on_and_only_some_kinds(admin: Any, database: Any, who: Any) -> None:
    await sealing.seal_all(database)
    async with http_receiver() as receiver:
        made = await admin.post(
            PATH, https(receiver.port, families=["auth"], is_gzip=True, body_format="ARRAY"), expect=201
        )
        start = (await row_of(database, made["id"])).position
        nobody = await who(None)
        for _ in range(2):
            await nobody.post("/auth/login", {"username": "employee", "password": "wrong"}, expect=401)
        await sealing.seal_all(database)
        await sending.run_due(database)
        wanted = [p for p in await positions(database, "auth") if p > start]
        assert receiver.positions() == wanted
        assert [e["previous"] for e in receiver.entries] == [start, *wanted[:-1]]
        assert receiver.headers[0]["authorization"] == "Bearer s3cret-token"
        assert receiver.headers[0]["host"].startswith("localhost")
        assert receiver.headers[0]["x-waypost-positions"] == f"{wanted[0]}-{wanted[-1]}"
        row = await row_of(database, made["id"])
        assert row.position == (await positions(database))[-1]


async def test_what_a_receiver_did_not_read_comes_again(admin: Any, database: Any) -> None:
    async with syslog_receiver() as receiver:
        receiver.dies_after = 10
        made = await admin.post(PATH, syslog(receiver.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        await sending.run_due(database)
        row = await row_of(database, made["id"])
        assert (row.position, row.failures) == (0, 1)
        assert row.open_until is not None
        assert (await admin.get(f"{PATH}/{made['id']}"))["health"]["behind_since"]
        receiver.dies_after = None
        await sending.run_due(database)
        assert receiver.messages == []  # it is left alone for a moment
        await at_once(database)
        await sending.run_due(database)
        assert receiver.positions() == await positions(database)
        assert (await row_of(database, made["id"])).failures == 0


async def test_several_senders_send_each_row_once(admin: Any, database: Any) -> None:
    async with syslog_receiver() as receiver:
        receiver.delay = 0.2
        await admin.post(PATH, syslog(receiver.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        await asyncio.gather(*(sending.run_due(database) for _ in range(4)))
        assert receiver.positions() == await positions(database)


async def test_a_lease_that_ran_out_is_taken_over(admin: Any, database: Any) -> None:
    async with syslog_receiver() as receiver:
        made = await admin.post(PATH, syslog(receiver.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        async with database.transaction() as session:
            await session.execute(update(AuditStream).values(lease="x", leased_until=now() + sending.LEASE))
        await sending.run_due(database)
        assert receiver.messages == []
        async with database.transaction() as session:
            await session.execute(update(AuditStream).values(leased_until=now() - timedelta(seconds=1)))
        await sending.run_due(database)
        assert receiver.positions() == await positions(database)
        assert (await row_of(database, made["id"])).lease is None


async def test_one_that_is_away_holds_up_nobody(admin: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "LONGEST", 1.0)
    async with syslog_receiver() as slow, http_receiver() as quick:
        slow.delay = 30
        await admin.post(PATH, syslog(slow.port, start="BEGINNING"), expect=201)
        await admin.post(PATH, https(quick.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        sent = asyncio.create_task(sending.run_due(database))
        async with asyncio.timeout(5):
            while quick.positions() != await positions(database):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await sent


async def test_an_error_of_one_is_its_own(admin: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bring = delivering.bring

    async def breaks(destination: Any, *args: Any, **more: Any) -> None:
        if destination.kind == "SYSLOG":
            raise RuntimeError("nobody thought of this")
        await asyncio.sleep(0.2)
        await bring(destination, *args, **more)

    monkeypatch.setattr(sending, "bring", breaks)
    async with http_receiver() as receiver:
        made = await admin.post(PATH, syslog(9, start="BEGINNING"), expect=201)
        await admin.post(PATH, https(receiver.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        await sending.run_due(database)
        assert receiver.positions() == await positions(database)
    row = await row_of(database, made["id"])
    assert (row.failures, row.lease, row.leased_until) == (1, None, None)
    assert "RuntimeError" in (row.last_error or "")


async def test_an_answer_that_is_no_yes(admin: Any, database: Any) -> None:
    async with http_receiver() as receiver:
        receiver.status, receiver.more = "429 Too Many Requests", "Retry-After: 600\r\n"
        made = await admin.post(PATH, https(receiver.port, start="BEGINNING"), expect=201)
        await sealing.seal_all(database)
        await sending.run_due(database)
        row = await row_of(database, made["id"])
        assert row.open_until is not None
        assert row.open_until - now() > timedelta(minutes=9)
        assert "429" in (row.last_error or "")
        await at_once(database)
        receiver.status, receiver.more = "401 Unauthorized", ""
        await sending.run_due(database)
        health = (await admin.get(f"{PATH}/{made['id']}"))["health"]
        assert (health["state"], health["failures"], health["position"]) == ("FAILING", 2, 0)
        assert "401" in health["last_error"]
        assert "key=1" not in health["last_error"]


async def test_administrators_hear_of_one_that_fails_for_long(admin: Any, database: Any) -> None:
    made = await admin.post(PATH, syslog(9, start="BEGINNING"), expect=201)
    await sealing.seal_all(database)
    await sending.run_due(database)

    async def told() -> int:
        await relay.drain(database)
        async with database.read() as session:
            kinds = select(func.count()).select_from(Notification).where(Notification.kind == standing.KIND)
            return await session.scalar(kinds) or 0

    assert await told() == 0
    async with database.transaction() as session:
        early = now() - standing.ALARM_AFTER
        await session.execute(update(AuditStream).values(failing_since=early, open_until=None))
    await sending.run_due(database)
    once = await told()
    assert once >= 1
    await at_once(database)
    await sending.run_due(database)
    assert await told() == once
    async with syslog_receiver() as receiver:
        async with database.transaction() as session:
            row = await session.get(AuditStream, made["id"])
            row.settings, row.open_until = {**row.settings, "port": receiver.port}, None
        await sending.run_due(database)
        assert receiver.messages
    async with database.read() as session:
        assert await session.scalar(select(EventRow.id).where(EventRow.type == "audit_stream.recovered"))


async def test_only_what_lies_outside_or_is_named_is_called(admin: Any) -> None:
    os.environ["OUTGOING_ALLOW"] = "[]"
    get_settings.cache_clear()
    outgoing._allowed.cache_clear()
    for wanted in (syslog(514), syslog(514, transport="UDP"), syslog(6514, transport="TLS"), https(80)):
        said = await admin.post(f"{PATH}/test", wanted)
        assert said["is_taken"] is False
        assert "may" in said["error"], said


async def test_a_try_sends_one_entry(admin: Any, database: Any) -> None:
    async with syslog_receiver() as receiver:
        assert await admin.post(f"{PATH}/test", syslog(receiver.port)) == {"is_taken": True, "error": None}
        assert b"waypost.test" in receiver.messages[0]
    gone = await admin.post(f"{PATH}/test", syslog(receiver.port))
    assert gone["is_taken"] is False
    await admin.post(f"{PATH}/test", syslog(9, stream_id=999_999), expect=404)
    async with database.read() as session:
        tried = list(await session.scalars(select(EventRow).where(EventRow.type == "audit_stream.tried")))
    assert tried[-1].data["error"] == gone["error"]
    assert tried[-1].data["where"] == f"tcp://localhost:{receiver.port}"


async def test_a_secret_goes_nowhere_else(admin: Any, database: Any) -> None:
    async with http_receiver() as receiver, http_receiver() as other:
        made = await admin.post(PATH, https(receiver.port, is_on=False), expect=201)
        assert "secret" not in made
        assert made["has_secrets"]
        path = f"{PATH}/{made['id']}"
        body = {**https(receiver.port, is_on=False), "secret": None}
        assert (await admin.post(f"{PATH}/test", {**body, "stream_id": made["id"]}))["is_taken"]
        elsewhere = {**body, "url": f"http://localhost:{other.port}/"}
        problem = await admin.post(f"{PATH}/test", {**elsewhere, "stream_id": made["id"]}, expect=422)
        assert problem["errors"][0]["pointer"] == "/secret"
        await admin.put(path, {**elsewhere, "version": 1}, expect=422)
        for near in (f"http://localhost:{receiver.port}/other", f"http://localhost:{receiver.port}/ingest?key=2"):
            await admin.post(f"{PATH}/test", {**body, "url": near, "stream_id": made["id"]}, expect=422)
        another_ca = {**body, "ca_certificate": CA, "stream_id": made["id"]}
        problem = await admin.post(f"{PATH}/test", another_ca, expect=422)
        assert "/secret" in [e["pointer"] for e in problem["errors"]]
        assert len(receiver.headers) == 1
        assert other.headers == []
        kept = await admin.put(path, {**body, "version": 1, "name": "Other"})
        assert kept["version"] == 2
        await admin.put(path, {**body, "version": 1}, expect=412)
        await admin.put(path, {**body, "name": "Other", "version": 2, "secret": "another"})
        await admin.call("DELETE", path, expect=204)
        await admin.get(path, expect=404)
    async with database.read() as session:
        rows = list(
            await session.scalars(
                select(EventRow).where(EventRow.object_type == "audit_stream", EventRow.object_id == made["id"])
            )
        )
    told = {r.type: r.data for r in rows}
    assert told["audit_stream.changed"]["after"] == {"secret": "(another)"}
    assert told["audit_stream.changed"]["before"] == {"secret": "(set)"}
    url = told["audit_stream.added"]["after"]["url"]
    assert url.startswith(f"http://localhost:{receiver.port}/… (sha256:")
    assert not any("key=1" in str(r.data) or "ingest" in str(r.data) for r in rows)
    assert told["audit_stream.removed"]["before"]["secret"] == "(set)"
    assert not any("s3cret" in str(r.data) or "another'" in str(r.data).replace("(another)", "") for r in rows)


async def test_it_can_begin_anew(admin: Any, database: Any) -> None:
    async with syslog_receiver() as receiver:
        await sealing.seal_all(database)
        made = await admin.post(PATH, syslog(receiver.port), expect=201)
        assert made["health"]["behind"] == 0
        body = {**syslog(receiver.port), "version": 1, "start": "BEGINNING"}
        changed = await admin.put(f"{PATH}/{made['id']}", body)
        assert changed["health"]["position"] == 0
        await sealing.seal_all(database)
        await sending.run_due(database)
        assert receiver.positions() == await positions(database)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (syslog(514, host=None), "/host"),
        (syslog(514, host="a b"), "/host"),
        (syslog(70_000), "/port"),
        (syslog(514, longest=100), "/longest"),
        (syslog(514, name=""), "/name"),
        (syslog(514, ca_certificate="nonsense"), "/ca_certificate"),
        (syslog(514, client_certificate="nonsense"), "/client_certificate"),
        (syslog(514, families=["x.y"]), "/families/0"),
        (https(1, url="ftp://x"), "/url"),
        (https(1, url="https://a:b@example.com/"), "/url"),
        (https(1, url=None), "/url"),
        (https(1, secret=None), "/secret"),
        (https(1, secret="a\r\nX: y"), "/secret"),
        (https(1, auth="HEADER"), "/header_name"),
        (https(1, auth="HEADER", header_name="Host"), "/header_name"),
        (https(1, auth="HEADER", header_name="X\r\nY"), "/header_name"),
        (https(1, more=1), "/more"),
    ],
)
async def test_what_cannot_be(admin: Any, body: dict[str, Any], pointer: str) -> None:
    problem = await admin.post(PATH, body, expect=422)
    assert pointer in [e["pointer"] for e in problem["errors"]]


async def test_names_are_told_apart(admin: Any) -> None:
    await admin.post(PATH, syslog(514), expect=201)
    await admin.post(PATH, syslog(514), expect=409)


async def test_not_for_auditors_and_not_without_a_proof(who: Any, admin: Any) -> None:
    for username in ("auditor", "employee", "agent"):
        somebody = await who(username)
        await somebody.get(PATH, expect=403)
        await somebody.post(PATH, {"nonsense": 1}, expect=403)
        await somebody.post(f"{PATH}/test", syslog(514), expect=403)
    made = await admin.post(PATH, syslog(514, is_on=False), expect=201)
    later = now() + timedelta(minutes=6)
    with clock(lambda: later):
        for method, path in (("PUT", f"{PATH}/{made['id']}"), ("DELETE", f"{PATH}/{made['id']}"), ("POST", PATH)):
            body = {**syslog(515), "version": 1} if method == "PUT" else syslog(515) if method == "POST" else None
            refused = await admin.call(method, path, body, expect=403)
            assert refused["code"] == "step_up_needed"
    await admin.put(f"{PATH}/999999", {**syslog(515), "version": 1}, expect=404)
