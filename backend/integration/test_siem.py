"""The trail sent on to rsyslog: whole, in order and once, by each way, with hostile words in it and while it is away."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, text, update

from integration.rsyslog import Rsyslog, rsyslog
from integration.test_tls import Authority, authority, openssl
from waypost.audit import sealing
from waypost.audit.models import AuditSeal
from waypost.audit.streams import sending
from waypost.audit.streams.models import AuditStream
from waypost.kernel.events import SYSTEM, Event, EventRow, record
from waypost.kernel.settings import get_settings

HOSTILE = 'two\nlines\r\n "quoted" \\ ] [evil@1 x="y"] <13>1 - - ☃ 🎟️ \u2028 \x7f \x1b[31m\tend ' + "ä" * 5000


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """Something that was said."""

    type: ClassVar[str] = "test.said"
    object_type: ClassVar[str] = "test"
    number: int
    words: str

    @property
    def object_id(self) -> int:
        return self.number


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="waypost-rsyslog-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return authority(folder / "ours")


@pytest.fixture(scope="module")
def receiver(folder: Path, ours: Authority) -> Iterator[Rsyslog]:
    with rsyslog(folder / "open", *ours) as made:
        yield made


@pytest.fixture(autouse=True)
async def emptied(database: Any, receiver: Rsyslog) -> Any:
    os.environ["OUTGOING_ALLOW"] = '["127.0.0.0/8", "::1/128"]'
    get_settings.cache_clear()
    yield
    del os.environ["OUTGOING_ALLOW"]
    get_settings.cache_clear()
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM audit_streams"))
    receiver.stop()
    (receiver.folder / "kept").unlink(missing_ok=True)
    receiver.start()


async def say(database: Any, count: int, words: str = HOSTILE) -> None:
    for start in range(0, count, 200):
        async with database.transaction() as session:
            for number in range(start, min(start + 200, count)):
                await record(session, Said(number=number, words=f"{number} {words}"), actor=SYSTEM)
    await sealing.seal_all(database)


async def positions(database: Any) -> list[int]:
    async with database.read() as session:
        return list(await session.scalars(select(AuditSeal.position).order_by(AuditSeal.position)))


def destination(port: int, transport: str, **more: Any) -> dict[str, Any]:
    wanted = {"name": f"By {transport}", "kind": "SYSLOG", "host": "localhost", "port": port, "is_on": True}
    return {**wanted, "transport": transport, "longest": 131_072 if transport != "UDP" else 65_507, **more}


async def send_all(database: Any) -> None:
    while await sending.run_due(database):
        pass


@pytest.mark.parametrize("transport", ["TCP", "TLS", "UDP"])
async def test_every_row_arrives_whole_once_and_in_order(
    transport: str, receiver: Rsyslog, ours: Authority, who: Any, database: Any
) -> None:
    admin = await who("admin")
    await say(database, 20)
    port = {"TCP": receiver.tcp, "TLS": receiver.tls, "UDP": receiver.udp}[transport]
    more = {"ca_certificate": ours[0].read_text()} if transport == "TLS" else {}
    await admin.post("/audit/streams", destination(port, transport, start="BEGINNING", **more), expect=201)
    await sealing.seal_all(database)
    wanted = await positions(database)
    await send_all(database)
    kept = receiver.kept(len(wanted))
    assert [m["json"]["position"] for m in kept] == wanted
    async with database.read() as session:
        rows = await session.execute(
            select(EventRow.id, EventRow.type, EventRow.data, AuditSeal.chain_hash)
            .join(AuditSeal, AuditSeal.event_id == EventRow.id)
            .order_by(AuditSeal.position)
        )
    for row, message in zip(rows, kept, strict=True):
        assert message["json"]["data"] == row.data
        assert message["json"]["id"] == row.id
        assert message["msgid"] == row.type[:32]
        assert message["app"] == "waypost"
        told = dict(re.findall(r'(\w+)="((?:[^"\\\]]|\\.)*)"', message["sd"]))
        assert told["seq"] == str(message["json"]["position"])
        assert told["hash"] == row.chain_hash.hex()
        assert told["type"] == row.type
    said = [m for m in kept if m["msgid"] == "test.said"]
    assert len(said) >= 20
    assert all(HOSTILE in m["json"]["data"]["words"] for m in said)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_missing_after_it_was_down(
    how: signal.Signals, receiver: Rsyslog, who: Any, database: Any
) -> None:
    admin = await who("admin")
    made = await admin.post("/audit/streams", destination(receiver.tcp, "TCP", start="BEGINNING"), expect=201)
    await say(database, 300, "short")
    await send_all(database)
    first = len(await positions(database))
    assert len(receiver.kept(first)) == first  # written before it dies: syslog has no receipts for what is not
    receiver.stop(how)
    await say(database, 300, "short")
    await send_all(database)
    health = (await admin.get(f"/audit/streams/{made['id']}"))["health"]
    assert health["state"] == "FAILING"
    assert health["behind"] >= 300
    receiver.start()
    async with database.transaction() as session:
        await session.execute(update(AuditStream).values(open_until=None))
    await sealing.seal_all(database)
    await send_all(database)
    wanted = await positions(database)
    assert [m["json"]["position"] for m in receiver.kept(len(wanted))] == wanted


async def test_it_may_die_in_the_middle(receiver: Rsyslog, who: Any, database: Any) -> None:
    """Restarted again and again while it is sent to: all arrives, some twice perhaps, none out of the chain's order."""
    admin = await who("admin")
    await admin.post("/audit/streams", destination(receiver.tcp, "TCP", start="BEGINNING"), expect=201)
    await say(database, 3000, "x" * 2000)

    async def trouble() -> None:
        for _ in range(4):
            await asyncio.sleep(0.15)
            await asyncio.to_thread(receiver.stop)
            await asyncio.to_thread(receiver.start)

    troubled = asyncio.create_task(trouble())
    for _ in range(60):
        await send_all(database)
        async with database.transaction() as session:
            await session.execute(update(AuditStream).values(open_until=None))
            behind = await session.scalar(
                select(AuditStream.id).where(
                    AuditStream.position
                    < select(AuditSeal.position).order_by(AuditSeal.position.desc()).limit(1).scalar_subquery()
                )
            )
        if troubled.done() and behind is None:
            break
        await asyncio.sleep(0.05)
    await troubled
    wanted = await positions(database)
    seen: list[int] = []
    for message in receiver.kept(len(wanted)):
        position = message["json"]["position"]
        if position not in seen[-2000:]:
            seen.append(position)
    assert seen == wanted


async def test_tls_checks_both_sides(receiver: Rsyslog, folder: Path, ours: Authority, who: Any, database: Any) -> None:
    admin = await who("admin")
    stranger = authority(folder / "stranger")

    async def tried(port: int, **more: Any) -> dict[str, Any]:
        told: dict[str, Any] = await admin.post("/audit/streams/test", destination(port, "TLS", **more))
        return told

    ca = ours[0].read_text()
    assert (await tried(receiver.tls, ca_certificate=ca))["is_taken"]
    refused = await tried(receiver.tls, ca_certificate=stranger[0].read_text())
    assert "not trusted" in refused["error"]
    assert "not trusted" in (await tried(receiver.tls, ca_certificate=ca, host="127.0.0.1"))["error"]
    assert (await tried(receiver.tcp, ca_certificate=ca))["is_taken"] is False
    with rsyslog(folder / "closed", *ours, asks_for_certificate=True) as closed:
        own = folder / "sender"
        own.mkdir(exist_ok=True)
        openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=waypost"),
            *("-keyout", str(own / "key.pem"), "-out", str(own / "asked.pem")),
        )
        openssl(
            *("x509", "-req", "-in", str(own / "asked.pem"), "-CA", str(ours[0]), "-CAkey"),
            *(str(ours[0].with_name("ca.key")), "-CAcreateserial", "-days", "2", "-out", str(own / "cert.pem")),
        )
        pair = {"client_certificate": (own / "cert.pem").read_text(), "client_key": (own / "key.pem").read_text()}
        assert (await tried(closed.tls, ca_certificate=ca, **pair)) == {"is_taken": True, "error": None}
        assert closed.kept(1)[0]["msgid"] == "waypost.test"
        assert (await tried(closed.tls, ca_certificate=ca))["is_taken"] is False
        wrong = {"client_certificate": stranger[1].read_text(), "client_key": stranger[2].read_text()}
        assert (await tried(closed.tls, ca_certificate=ca, **wrong))["is_taken"] is False
        assert len(closed.kept()) == 1
