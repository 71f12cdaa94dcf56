"""What stands sealed in the database: nobody reads it there, and all of it can be changed over to a new key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from waypost.kernel import crypto, sealing
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Base
from waypost.kernel.sealing import SealedText
from waypost.migrations import tables  # noqa: F401 - every table there is

REASON = "An operation on the left knee"
# Sealed, but gone within minutes or with their session: what an old key sealed it opens until then.
SHORT_LIVED = {"sign_in_challenges", "sign_in_transactions", "login_sessions"}


def test_whatever_is_sealed_is_changed_over_with_the_keys() -> None:
    known = {m.class_.__tablename__ for m in Base.registry.mappers if hasattr(m.class_, "sealed_columns")}
    for table in Base.metadata.sorted_tables:
        has_key = any(c.name.endswith(("key_id", "sealed_with")) for c in table.columns)
        is_ours = table.name in known | SHORT_LIVED
        assert is_ours or not has_key, (
            f"{table.name} keeps something sealed: give its class `sealed_columns` and `about`"
        )
    for mapper in Base.registry.mappers:
        if columns := getattr(mapper.class_, "sealed_columns", None):
            assert all(name in mapper.columns for name in columns)
            assert isinstance(mapper.class_.about, property)


async def test_a_private_reason_is_read_by_those_who_may_and_not_in_the_database(who: Any, database: Any) -> None:
    manager = await who("colleague")
    window = {"starts_at": rfc3339(now() + timedelta(days=400)), "ends_at": rfc3339(now() + timedelta(days=401))}
    made = await manager.post("/absences", window | {"user_id": manager.id, "reason": REASON}, expect=201)
    assert made["reason"] == REASON
    raw = text("SELECT sealed_reason FROM absences WHERE id = :id")
    async with database.read() as session:
        kept = bytes(await session.scalar(raw, {"id": made["id"]}))
    assert b"knee" not in kept
    key_id = crypto.add_key()
    assert await sealing.rewrap_all(database) >= 1
    assert await sealing.rewrap_all(database) == 0
    async with database.read() as session:
        again = bytes(await session.scalar(raw, {"id": made["id"]}))
    assert again.startswith(f"{key_id}:".encode())
    assert again != kept
    mine = await manager.get(f"/absences?user_id={manager.id}&limit=100")
    assert REASON in [a["reason"] for a in mine["items"]]
    await manager.delete(f"/absences/{made['id']}")


@given(st.text(max_size=300))
def test_a_text_opens_where_it_belongs_and_nowhere_else(servers: Any, words: str) -> None:
    kept = sealing.seal_text(words, "absences.reason")
    assert sealing.open_text(kept, "absences.reason") == words
    assert sealing.seal_text(words, "absences.reason") != kept
    with pytest.raises(crypto.Damaged):
        sealing.open_text(kept, "absences.other")
    with pytest.raises(crypto.Damaged):
        sealing.open_text(kept[:-1] + bytes([kept[-1] ^ 1]), "absences.reason")


def test_nothing_stays_nothing() -> None:
    kind = SealedText("a.b")
    assert kind.process_bind_param(None, None) is None
    assert kind.process_result_value(None, None) is None
