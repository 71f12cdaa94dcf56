"""Somebody with the database owner's rights changes things, each in another way: every change is found where it was made."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from waypost.audit import anchors, checking, keys, sealing
from waypost.audit.chain import chain_hash
from waypost.audit.commands import in_words
from waypost.audit.sealing import seal_all
from waypost.audit.verifying import Found, verify
from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings

OWNER = "SET waypost.maintenance = 'on'"


@pytest.fixture
async def sealed(fresh_database: Any, monkeypatch: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A database whose log is sealed and signed, with a file of checkpoints of its own."""
    monkeypatch.setattr(anchors, "anchor_path", lambda: tmp_path / "checkpoints.jsonl")
    await seal_all(fresh_database)
    return fresh_database


async def check(database: Any, **more: Any) -> Found:
    return await verify(database, keys.public_keys(), anchor=anchors.anchor_path(), **more)


async def change(database: Any, *statements: str, **values: Any) -> None:
    async with owner() as connection:
        for statement in statements:
            await connection.execute(text(statement), values)


@asynccontextmanager
async def owner() -> AsyncIterator[Any]:
    """A transaction of the tables' owner, with the triggers told to look away."""
    engine = create_async_engine(get_settings().owner_url(), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(OWNER))
            yield connection
    finally:
        await engine.dispose()


async def ends(database: Any) -> tuple[int, int]:
    async with database.read() as session:
        last = await session.scalar(text("SELECT max(position) FROM audit_seals"))
        return last, await session.scalar(
            text("SELECT event_id FROM audit_seals WHERE position = :p"), {"p": last // 2}
        )


def first(found: Found) -> tuple[str, int | None]:
    problem = found.first
    assert problem is not None
    assert not found.told()["valid"]
    assert any("BROKEN" in line for line in in_words(found.told()))
    return problem.kind.value, problem.position


async def test_what_nobody_touched_is_whole(sealed: Any) -> None:
    found = await check(sealed)
    assert found.told()["valid"], found.problems
    assert found.rows == found.position > 50
    assert found.checkpoints >= 1
    assert found.anchored == found.checkpoints
    assert "whole" in in_words(found.told())[-1]
    later = await check(sealed, after=found.position - 10)
    assert later.told()["valid"]
    assert later.rows == 10
    assert first(await check(sealed, after=found.position + 10))[0] == "TRUNCATED"


COLUMNS = {
    "type": "'ticket.closed'",
    "version": "version + 1",
    "object_type": "'other'",
    "object_id": "object_id + 1",
    "data": """data || '{"x": 1}'""",
    "actor_id": "COALESCE(actor_id, 0) + 1",
    "on_behalf_of_id": "COALESCE(on_behalf_of_id, 0) + 1",
    "channel": "'other'",
    "request_id": "'other'",
    "at": "at + interval '1 microsecond'",
    "txid": "(txid::text::bigint + 1)::text::xid8",
}


async def test_every_column_of_every_place_is_guarded(sealed: Any) -> None:
    last, _ = await ends(sealed)
    for number, (column, value) in enumerate(COLUMNS.items()):
        position = (1, last // 2, last)[number % 3]
        where = "WHERE id = (SELECT event_id FROM audit_seals WHERE position = :p)"
        await change(sealed, "CREATE TABLE kept AS SELECT * FROM events")
        await change(sealed, f"UPDATE events SET {column} = {value} {where}", p=position)
        assert first(await check(sealed)) == ("ALTERED", position), column
        await change(
            sealed, f"UPDATE events SET {column} = kept.{column} FROM kept WHERE kept.id = events.id", "DROP TABLE kept"
        )
    assert (await check(sealed)).told()["valid"]


@pytest.mark.parametrize("where", ["first", "middle", "last"])
async def test_a_removed_event_is_missed(sealed: Any, where: str) -> None:
    last, _ = await ends(sealed)
    position = {"first": 1, "middle": last // 2, "last": last}[where]
    await change(
        sealed, "DELETE FROM events WHERE id = (SELECT event_id FROM audit_seals WHERE position = :p)", p=position
    )
    assert first(await check(sealed)) == ("REMOVED", position)
    await change(sealed, "DELETE FROM audit_seals WHERE position = :p", p=position)
    kind, place = first(await check(sealed))
    assert (kind, place) == (("TRUNCATED", last) if where == "last" else ("SEAL_REMOVED", position))


async def test_exchanged_events_are_found(sealed: Any) -> None:
    last, _ = await ends(sealed)
    one, other = last // 2, last // 2 + 1
    ids = "SELECT event_id FROM audit_seals WHERE position = "
    await change(
        sealed,
        f"UPDATE events SET id = -1 WHERE id = ({ids} {one})",
        f"UPDATE events SET id = ({ids} {one}) WHERE id = ({ids} {other})",
        f"UPDATE events SET id = ({ids} {other}) WHERE id = -1",
    )
    assert first(await check(sealed)) == ("ALTERED", one)


async def test_exchanged_seals_are_found(sealed: Any) -> None:
    last, _ = await ends(sealed)
    one = last // 2
    await change(
        sealed,
        f"UPDATE audit_seals SET position = -1 WHERE position = {one}",
        f"UPDATE audit_seals SET position = {one} WHERE position = {one + 1}",
        f"UPDATE audit_seals SET position = {one + 1} WHERE position = -1",
    )
    assert first(await check(sealed)) == ("REORDERED", one)


async def test_an_event_put_in_is_found(sealed: Any) -> None:
    await change(
        sealed,
        "INSERT INTO events (txid, type, version, object_type, object_id, data, channel, at) "
        "SELECT txid, type, version, object_type, object_id, data, channel, at FROM events ORDER BY id LIMIT 1",
    )
    await seal_all(sealed)  # the sealer does not take it for a new one
    found = await check(sealed)
    assert first(found) == ("INSERTED", None)
    assert found.first is not None
    assert found.first.event_id is not None


async def test_a_cut_off_end_is_found(sealed: Any) -> None:
    last, _ = await ends(sealed)
    await change(
        sealed,
        "DELETE FROM events WHERE id IN (SELECT event_id FROM audit_seals WHERE position > :p)",
        "DELETE FROM audit_seals WHERE position > :p",
        p=last - 5,
    )
    assert first(await check(sealed)) == ("TRUNCATED", last - 4)
    await change(sealed, "DELETE FROM audit_checkpoints")  # and what was signed, too: the file knows
    found = await check(sealed)
    assert ("TRUNCATED", last - 4) in [(p.kind.value, p.position) for p in found.problems]
    assert any(p.kind.value == "CHECKPOINT_MISSING" for p in found.problems)


async def rewrite(database: Any, position: int) -> None:
    """Change an event and seal everything from there again, as somebody would who knows how."""
    from waypost.audit.chain import row_hash
    from waypost.audit.reading import SEALED, event_of, seal_of

    await change(
        database,
        "UPDATE events SET channel = 'forged' WHERE id = (SELECT event_id FROM audit_seals WHERE position = :p)",
        p=position,
    )
    async with owner() as session:
        before = await session.scalar(
            text("SELECT chain_hash FROM audit_seals WHERE position = :p"), {"p": position - 1}
        )
        for row in (await session.execute(SEALED, {"after": position - 1, "upto": 10**9, "most": 10**6})).all():
            of_row = row_hash(event_of(row), seal_of(row).salt)
            before = chain_hash(before, row.position, of_row)
            await session.execute(
                text("UPDATE audit_seals SET row_hash = :r, chain_hash = :c WHERE position = :p"),
                {"r": of_row, "c": before, "p": row.position},
            )


async def test_a_rewritten_chain_is_not_the_one_that_was_signed(sealed: Any) -> None:
    last, _ = await ends(sealed)
    await rewrite(sealed, last // 2)
    kind, place = first(await check(sealed))
    assert kind == "REWRITTEN"
    assert place is not None
    assert place <= last // 2
    await change(sealed, "DELETE FROM audit_checkpoints")
    found = await check(sealed)
    assert {p.kind.value for p in found.problems} == {"CHECKPOINT_MISSING", "REWRITTEN"}


async def test_a_checkpoint_nobody_signed_is_false(sealed: Any, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from waypost.audit.checkpoints import Checkpoint, Signed, read, sign

    last, _ = await ends(sealed)
    await rewrite(sealed, last // 2)
    async with sealed.read() as session:
        kept = (await session.execute(text("SELECT * FROM audit_checkpoints ORDER BY number DESC LIMIT 1"))).one()
        new = await session.scalar(text("SELECT chain_hash FROM audit_seals WHERE position = :p"), {"p": kept.position})
    old = read(Signed(kept.body, kept.signature), keys.public_keys())
    forged = Checkpoint(old.number, old.kind, old.position, new.hex(), old.count, old.at, old.previous, old.key_id)
    signed = sign(forged, Ed25519PrivateKey.generate())
    set_ = "UPDATE audit_checkpoints SET body = :b, signature = :s WHERE number = :n"
    await change(sealed, set_, b=signed.body, s=signed.signature, n=old.number)
    found = await check(sealed)
    assert "CHECKPOINT_FALSE" in {p.kind.value for p in found.problems}
    assert "REWRITTEN" in {p.kind.value for p in found.problems}  # by the file
    for body in ("{}", "[]", "nonsense", json.dumps({**json.loads(old.body), "key_id": "other"})):
        await change(sealed, set_, b=body, s=signed.signature, n=old.number)
        assert "CHECKPOINT_FALSE" in {p.kind.value for p in (await check(sealed)).problems}
    await change(sealed, set_, b=old.body, s="zz", n=old.number)
    assert "CHECKPOINT_FALSE" in {p.kind.value for p in (await check(sealed)).problems}
    anchors.anchor_path().write_text("nonsense\n")
    assert "CHECKPOINT_FALSE" in {p.kind.value for p in (await check(sealed)).problems}


async def test_a_checkpoint_taken_out_is_missed(sealed: Any) -> None:
    for _ in range(2):
        await _event(sealed)
        await seal_all(sealed)
    assert (await check(sealed)).told()["valid"]
    await change(sealed, "DELETE FROM audit_checkpoints WHERE number = 2")
    found = await check(sealed)
    assert {p.kind.value for p in found.problems} == {"CHECKPOINT_MISSING"}
    await change(sealed, "UPDATE audit_checkpoints SET position = position - 1 WHERE number = 3")
    assert "CHECKPOINT_FALSE" in {p.kind.value for p in (await check(sealed)).problems}


async def _event(database: Any, at: Any = None) -> None:
    from waypost.audit.events import AuditCheckAsked
    from waypost.kernel.events import SYSTEM, record

    async with database.transaction() as session:
        await record(session, AuditCheckAsked(), actor=SYSTEM, at=at)


async def test_what_waits_too_long_is_said(sealed: Any) -> None:
    from datetime import timedelta

    from waypost.kernel.clock import clock, now

    await _event(sealed)
    found = await check(sealed)
    assert (found.told()["valid"], found.waiting) == (True, 1)
    await _event(sealed, now() - timedelta(days=300))  # brought in by an import: the sealer is at work
    assert (await check(sealed)).told()["valid"]
    later = now() + timedelta(minutes=6)
    with clock(lambda: later):
        assert first(await check(sealed))[0] == "UNSEALED"
    await seal_all(sealed)
    assert (await check(sealed)).told()["valid"]


async def test_a_running_transaction_is_waited_for(sealed: Any) -> None:
    """An event whose transaction began earlier and ends later gets its place before what came after."""
    from waypost.audit.events import AuditCheckAsked
    from waypost.kernel.events import SYSTEM, record

    async with sealed.transaction() as slow:
        early = await record(slow, AuditCheckAsked(), actor=SYSTEM)
        await _event(sealed)
        await sealing.run_due(sealed)
        assert (await check(sealed)).waiting >= 1
    await sealing.run_due(sealed)
    async with sealed.read() as session:
        rows = await session.execute(text("SELECT event_id FROM audit_seals ORDER BY position DESC LIMIT 2"))
        assert [row.event_id for row in rows] == [early + 1, early]
    assert (await check(sealed)).told()["valid"]


async def test_a_restored_database_goes_on(sealed: Any) -> None:
    """In a new server the numbers of transactions begin anew, below those that were sealed."""
    await change(
        sealed,
        "UPDATE audit_seals SET txid = txid + 1000000000",
        "UPDATE events SET txid = (txid::text::bigint + 1000000000)::text::xid8",
    )
    await _event(sealed)
    async with sealed.transaction() as session:
        assert await sealing.seal_next(session) == 1


async def test_a_changed_key_still_verifies_what_is_old(sealed: Any) -> None:
    old = keys.signing_keys().current
    keys.rotate()
    await _event(sealed)
    await seal_all(sealed)
    kept = keys.signing_keys()
    assert kept.current != old
    assert old in kept.public
    assert (await check(sealed)).told()["valid"]
    told = json.loads(keys._path(None).read_text())
    assert "private" not in told["keys"][old]


async def test_the_check_is_kept_and_told(sealed: Any, fresh_who: Any) -> None:
    auditor, manager = await fresh_who("auditor"), await fresh_who("manager")
    await manager.get("/audit/verify", 403)
    await manager.post("/audit/verify", expect=403)
    await manager.get("/audit/keys", 403)
    told = await auditor.get("/audit/verify")
    assert told["valid"] is True
    assert told["last_check"] is None
    await auditor.post("/audit/verify", expect=202)
    assert (await auditor.get("/audit/verify"))["running"]["done"] == 0
    await seal_all(sealed)
    await checking.run_due(sealed)
    told = await auditor.get("/audit/verify")
    assert told["last_check"]["valid"] is True
    assert told["running"] is None
    assert {k["key_id"] for k in (await auditor.get("/audit/keys"))["items"]} == set(keys.public_keys())
    actions = [e["action"] for e in (await auditor.get("/audit"))["items"]]
    assert {"audit.check_asked", "audit.checked"} <= set(actions)
    await seal_all(sealed)
    last, _ = await ends(sealed)
    await change(
        sealed,
        "UPDATE events SET channel = 'x' WHERE id = (SELECT event_id FROM audit_seals WHERE position = :p)",
        p=last,
    )
    told = await auditor.get("/audit/verify")
    assert told["valid"] is False
    assert told["quick"]["first_problem"]["position"] == last


async def _try(database: Any, statement: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(OWNER))
        await session.execute(text(statement))


CHANGES = {"events": "channel = 'x'", "audit_seals": "txid = 1", "audit_checkpoints": "body = ''"}


@pytest.mark.parametrize("table", CHANGES)
async def test_the_application_cannot_change_it(sealed: Any, table: str) -> None:
    """Tried with the application's own connection, whatever it sets before: the server refuses."""
    for statement in (
        f"UPDATE {table} SET {CHANGES[table]}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"DROP TRIGGER only_added ON {table}",
        f"DROP TABLE {table}",
        "CREATE OR REPLACE FUNCTION waypost_refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "SET session_replication_role = 'replica'",
        "SET ROLE waypost",
    ):
        with pytest.raises(DBAPIError, match=r"(?i)permission denied|must be owner"):
            await _try(sealed, statement)
    await _try(sealed, f"GRANT ALL ON {table} TO CURRENT_USER")  # which grants nothing
    found = await check(sealed)
    assert found.is_guarded
    assert found.told()["valid"]


@pytest.mark.parametrize("table", CHANGES)
async def test_with_one_role_triggers_refuse(sealed: Any, table: str) -> None:
    engine = create_async_engine(get_settings().owner_url(), poolclass=NullPool)
    for statement in (f"UPDATE {table} SET {CHANGES[table]}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(DBAPIError, match="only ever added"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    one_role = Database(engine, engine)
    found = await check(one_role)
    assert not found.is_guarded
    assert any("may change the log" in line for line in in_words(found.told()))
    await engine.dispose()


async def test_numbers_that_were_left_out_cost_nothing(sealed: Any) -> None:
    """A restored or a busy database leaves gaps in its numbers: what stands behind one is found as soon."""
    await change(sealed, "SELECT setval(pg_get_serial_sequence('events', 'id'), 1000000000)")
    await _event(sealed)
    asked: list[str] = []

    def keep(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = sealed.read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    try:
        found = await check(sealed)
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    assert found.waiting == 1
    assert sum("FROM events" in statement for statement in asked) < 20
