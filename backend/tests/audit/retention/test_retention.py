"""What is older than the policy keeps goes, signed; the chain holds; and nothing goes in another way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.audit.test_tampering import change, check, sealed  # noqa: F401 - a fixture
from tests.conftest import Api
from waypost.access.events import StepUpFailed
from waypost.audit.chain import Kind
from waypost.audit.commands import in_words
from waypost.audit.retention import removing, rules
from waypost.audit.retention.rules import FalseRemoval, Removal, digest_of
from waypost.audit.sealing import seal_all
from waypost.kernel.clock import clock, now
from waypost.kernel.events import SYSTEM, record

PATH = "/audit/retention"
ONE = "(SELECT min(id) FROM events WHERE type = 'auth.step_up_failed')"


async def old(database: Any, count: int, days: int) -> None:
    """So many refused confirmations, of so many days ago."""
    async with database.transaction() as session:
        for _ in range(count):
            event = StepUpFailed(user_id=1, session_id=1, factor="password", reason="wrong", ip_address="192.0.2.1")
            await record(session, event, actor=SYSTEM, at=now() - timedelta(days=days))


async def keep(database: Any, **years: int) -> None:
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO audit_retention (id, years, version, updated_at) VALUES (1, CAST(:y AS jsonb), 1, now())"
                " ON CONFLICT (id) DO UPDATE SET years = excluded.years"
            ),
            {"y": str(years).replace("'", '"')},
        )


async def count(database: Any, condition: str = "type = 'auth.step_up_failed'") -> int:
    async with database.read() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM events WHERE {condition}")) or 0)


async def test_what_is_older_goes_and_the_chain_holds(sealed: Any) -> None:  # noqa: F811
    await old(sealed, 5, 800)
    await old(sealed, 3, 400)
    await seal_all(sealed)
    tickets = await count(sealed, "object_type = 'ticket'")
    await removing.run_due(sealed)
    assert await count(sealed) == 8  # without a policy everything is kept for ever
    await keep(sealed, sign_ins=2)
    await removing.run_due(sealed)
    assert await count(sealed) == 3
    await seal_all(sealed)
    found = await check(sealed)
    assert found.count == 0, found.problems
    assert (found.removed, found.removals) == (5, 1)
    said = "\n".join(in_words(found.told()))
    assert "5 rows were removed by policy, up to row" in said
    assert "signed removal 1" in said
    await keep(sealed, sign_ins=1)
    await removing.run_due(sealed)
    await seal_all(sealed)
    found = await check(sealed)
    assert (found.count, found.removed, found.removals) == (0, 8, 2)
    assert await count(sealed, "object_type = 'ticket'") == tickets
    assert await count(sealed, "type = 'audit.removed'") == 2


async def test_only_what_every_destination_has(sealed: Any) -> None:  # noqa: F811
    await old(sealed, 2, 800)
    await seal_all(sealed)
    await keep(sealed, sign_ins=1)
    async with sealed.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO audit_streams (name, kind, is_on, position, created_at, updated_at)"
                " VALUES ('x', 'SYSLOG', true, 1, now(), now())"
            )
        )
    await removing.run_due(sealed)
    assert await count(sealed) == 2
    async with sealed.transaction() as session:
        await session.execute(text("UPDATE audit_streams SET is_on = false"))
    await removing.run_due(sealed)
    assert await count(sealed) == 0


@pytest.mark.parametrize("table", ["event_outbox", "event_deliveries"])
async def test_only_what_nobody_is_still_to_be_told_of(sealed: Any, table: str) -> None:  # noqa: F811
    await old(sealed, 2, 800)
    await seal_all(sealed)
    await keep(sealed, sign_ins=1)
    waiting = {
        "event_outbox": f"INSERT INTO event_outbox (event_id) VALUES ({ONE}) ON CONFLICT DO NOTHING",
        "event_deliveries": "INSERT INTO event_deliveries (consumer, event_id, object_type, object_id, next_at, parked_at)"
        f" VALUES ('x', {ONE}, 'user', 1, now(), now())",
    }
    async with sealed.transaction() as session:
        await session.execute(text("DELETE FROM event_outbox"))
        await session.execute(text(waiting[table]))
    await removing.run_due(sealed)
    assert await count(sealed) == 1
    async with sealed.transaction() as session:
        await _removal(session, 9)
        left = f"SELECT position FROM audit_seals WHERE event_id = {ONE}"
        with pytest.raises(DBAPIError, match="may not be removed"):
            await session.execute(text(f"SELECT waypost_remove_events(9, ARRAY({left}))"))
        await session.rollback()
    async with sealed.transaction() as session:
        await session.execute(text(f"DELETE FROM {table}"))
    await removing.run_due(sealed)
    assert await count(sealed) == 0


async def _removal(session: Any, number: int) -> None:
    statement = "INSERT INTO audit_removals (number, body, signature, at) VALUES (:n, 'x', 'y', now())"
    await session.execute(text(statement), {"n": number})


@pytest.mark.parametrize("which", ["type LIKE 'ticket.%'", "type LIKE 'auth.%' AND at > now() - interval '300 days'"])
async def test_the_function_takes_nobodys_word(sealed: Any, which: str) -> None:  # noqa: F811
    """The application's role, with a record it made up itself: a ticket's event, and a young one, stay."""
    await old(sealed, 1, 100)
    await seal_all(sealed)
    async with sealed.read() as session:
        position = await session.scalar(
            text(f"SELECT min(s.position) FROM audit_seals s JOIN events e ON e.id = s.event_id WHERE e.{which}")
        )
    assert position

    async def remove(number: int, *, with_record: bool) -> None:
        async with sealed.transaction() as session:
            if with_record:
                await _removal(session, number)
            asked = {"n": number, "p": position}
            await session.execute(text("SELECT waypost_remove_events(:n, ARRAY[:p]::bigint[])"), asked)

    with pytest.raises(DBAPIError, match="may not be removed"):
        await remove(1, with_record=True)
    with pytest.raises(DBAPIError, match="not the last one"):
        await remove(1, with_record=False)
    with pytest.raises(DBAPIError):
        async with sealed.transaction() as session:
            await session.execute(text("DELETE FROM events WHERE type = 'auth.step_up_failed'"))


async def _removed(database: Any) -> None:
    await old(database, 4, 800)
    await seal_all(database)
    await keep(database, sign_ins=2)
    await removing.run_due(database)
    await old(database, 2, 500)
    await seal_all(database)


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (
            (
                f"UPDATE audit_seals SET removed_in = 1, salt = NULL WHERE event_id = {ONE}",
                f"DELETE FROM events WHERE id = {ONE}",
            ),
            Kind.REMOVED,
        ),
        (("DELETE FROM events WHERE type = 'auth.step_up_failed'",), Kind.REMOVED),
        (("UPDATE audit_seals SET removed_in = NULL WHERE removed_in = 1",), Kind.REMOVED),
        (("UPDATE audit_removals SET body = replace(body, '2', '3')",), Kind.CHECKPOINT_FALSE),
        (("DELETE FROM audit_removals",), Kind.REMOVED),
        (
            ("UPDATE audit_seals SET row_hash = decode(repeat('ab', 32), 'hex') WHERE removed_in = 1",),
            Kind.REORDERED,
        ),
        (
            ("UPDATE audit_seals SET removed_in = 1 WHERE event_id = (SELECT max(id) FROM events)",),
            Kind.ALTERED,
        ),
    ],
)
async def test_what_went_in_another_way_is_found(sealed: Any, statements: tuple[str, ...], kind: Kind) -> None:  # noqa: F811
    await _removed(sealed)
    assert (await check(sealed)).count == 0
    await change(sealed, *statements)
    found = await check(sealed)
    assert kind in {p.kind for p in found.problems}, found.problems


async def test_the_policy_is_set_by_who_may(fresh_who: Any, fresh_database: Any) -> None:
    admin: Api = await fresh_who("admin")
    was = await admin.get(PATH)
    assert {g["key"]: g["years"] for g in was["groups"]} == dict.fromkeys(rules.GROUPS)
    body = {"sign_ins": 5, "readings": None, "messages": 2, "system": 1, "version": 0}
    kept = await admin.put(PATH, body)
    assert kept["version"] == 1
    assert [g["years"] for g in kept["groups"] if g["key"] == "sign_ins"] == [5]
    await admin.put(PATH, body, expect=412)
    for bad in ({"sign_ins": 0}, {"sign_ins": 31}, {"sign_ins": 1.5}, {"tickets": 1}):
        await admin.put(PATH, {**body, **bad, "version": 1}, expect=422)
    await (await fresh_who("auditor")).get(PATH, 403)
    await (await fresh_who("auditor")).put(PATH, {"x": 1}, expect=403)
    later = now() + timedelta(minutes=6)
    with clock(lambda: later):
        refused = await admin.put(PATH, {**body, "version": 1}, expect=403)
    assert refused["code"] == "step_up_needed"


def test_the_database_knows_the_same_kinds() -> None:
    import importlib

    migration = importlib.import_module("waypost.migrations.versions.0076_retention")
    assert sorted(migration.KINDS) == sorted(kind for kinds in rules.GROUPS.values() for kind in kinds)
    assert not [k for kinds in rules.GROUPS.values() for k in kinds if k.split(".")[0] in ("approval", "role", "user")]


def test_no_less_than_a_year() -> None:
    at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    assert at - rules.cutoff(1, at) >= timedelta(days=365)
    for years in (0, -1, 31):
        with pytest.raises(ValueError, match="years"):
            rules.cutoff(years, at)


removals = st.builds(
    Removal,
    number=st.integers(1, 2**40),
    group=st.sampled_from(sorted(rules.GROUPS)),
    upto=st.integers(1, 2**60),
    count=st.integers(1, 5000),
    before=st.just("2020-01-01T00:00:00Z"),
    digest=st.just("ab" * 32),
    at=st.just("2026-01-01T00:00:00Z"),
    key_id=st.just("k"),
)


@given(removals)
def test_a_record_is_read_as_it_was_signed(removal: Removal) -> None:
    key = Ed25519PrivateKey.generate()
    keys = {"k": key.public_key().public_bytes_raw()}
    signature = rules.sign(removal, key)
    assert rules.read(removal.body, signature, keys) == removal
    others = {"k": Ed25519PrivateKey.generate().public_key().public_bytes_raw()}
    for body, signed, known in (
        (removal.body, signature, others),
        (removal.body, signature, {}),
        (removal.body + " ", signature, keys),
        ("{}", signature, keys),
        ('{"format":"other"}', signature, keys),
        (removal.body, "xx", keys),
    ):
        with pytest.raises(FalseRemoval):
            rules.read(body, signed, known)


@given(st.lists(st.tuples(st.integers(1, 2**60), st.binary(min_size=32, max_size=32)), min_size=1, max_size=5))
def test_a_digest_is_of_all_of_them(rows: list[tuple[int, bytes]]) -> None:
    assert digest_of(rows) == digest_of(rows)
    assert digest_of(rows) != digest_of(rows[:-1])
    assert digest_of(rows) != digest_of([*rows, rows[0]])
