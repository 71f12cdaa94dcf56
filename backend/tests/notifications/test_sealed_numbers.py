"""Phone numbers in the database: nobody reads them there, and who knows them finds them; also while keys change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from tests.notifications.test_phones import PATH, code, phone
from tests.notifications.texting import OTHER, PHONE, Texting
from waypost.kernel import crypto, sealed_numbers, sealing
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Base
from waypost.kernel.sealed_numbers import open_number, seal_number, ways_to_write
from waypost.migrations import tables  # noqa: F401 - every table there is
from waypost.migrations.run import config
from waypost.notifications import phones
from waypost.notifications.models import ContactPoint, Delivery
from waypost.notifications.sms_models import IncomingSms, ReplyCode

ABOUT = "contact_points.address"
numbers = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z")


@given(numbers)
def test_a_number_comes_back_and_is_always_written_alike(servers: Any, number: str) -> None:
    kept = seal_number(number, ABOUT)
    assert number[1:] not in kept
    assert (open_number(kept, ABOUT), seal_number(number, ABOUT)) == (number, kept)
    assert seal_number(kept, ABOUT) == kept
    assert kept in ways_to_write(number, ABOUT)
    assert seal_number(number, "elsewhere") != kept
    with pytest.raises(Damaged):
        open_number(kept, "elsewhere")
    with pytest.raises(Damaged):
        open_number(f"~999999:{kept.partition(':')[2]}", ABOUT)


@given(st.text(max_size=40).filter(lambda s: not sealed_numbers.is_number(s)))
def test_what_is_no_number_is_left_alone(servers: Any, value: str) -> None:
    if not value.startswith("~"):
        assert (seal_number(value, ABOUT), open_number(value, ABOUT)) == (value, value)
    assert ways_to_write(value, ABOUT) == [value]


async def dumped(database: Any) -> str:
    """Every row of every table as text, whatever its columns are."""
    found = []
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = await session.execute(text(f"SELECT t::text FROM {table.name} t"))
            found += [row for (row,) in rows]
            for column in table.columns:
                if str(column.type) in ("BLOB", "BYTEA"):
                    raw = await session.execute(text(f"SELECT {column.name} FROM {table.name}"))
                    found += [bytes(v).decode("latin-1") for (v,) in raw if v is not None]
    return "\n".join(found)


async def test_it_stands_nowhere_in_the_database(texting: Texting) -> None:
    jane = await texting.who("employee")
    key = {"Idempotency-Key": "a-phone-of-mine"}
    made = await jane.post(PATH, phone(), expect=201, headers=key)
    again = await jane.post(PATH, phone(), expect=201, headers=key)
    assert made == again, "what was answered is sealed, and answered again"
    await jane.post(f"{PATH}/{made['id']}/verify", {"code": await code(texting)})
    await texting.tell()
    assert (await jane.get(PATH))["items"][0]["address"] == PHONE
    assert any(PHONE in str(sent) for sent in texting.sent()), "it is sent to the number itself"
    async with texting.database.transaction() as session:
        values = {"provider": "twilio", "provider_id": "SM1", "outcome": "TAKEN", "received_at": now()}
        await session.execute(insert(IncomingSms).values(phone=PHONE, **values))
    everything = await dumped(texting.database)
    assert "a-phone-of-mine" in everything
    assert PHONE[1:] not in everything
    async with texting.database.transaction() as session:
        (found,) = await phones.points_of(session, PHONE)
        assert (found.user_id, found.address) == (jane.id, PHONE)
        assert await phones.points_of(session, OTHER) == []
        same = select(IncomingSms.phone).where(IncomingSms.phone == PHONE)
        assert list(await session.scalars(same)) == [PHONE]
    admin = await texting.who("admin")
    listed = (await admin.get("/notification-deliveries", params={"q": PHONE}))["items"]
    assert listed
    assert {d["recipient"] for d in listed} == {PHONE}
    assert not (await admin.get("/notification-deliveries", params={"q": OTHER}))["items"]


async def test_new_keys_and_what_stood_in_the_open(texting: Texting) -> None:
    """Found at every moment: in the open, under an old key, under the new one."""
    jane = await texting.who("employee")
    made = await jane.post(PATH, phone(OTHER), expect=201)
    await jane.post(f"{PATH}/{made['id']}/verify", {"code": await code(texting)})
    database = texting.database

    async def found() -> list[int]:
        async with database.transaction() as session:
            return [row.user_id for row in await phones.points_of(session, OTHER)]

    async def raw() -> str:
        async with database.read() as session:
            statement = text("SELECT address FROM contact_points WHERE id = :id")
            return str(await session.scalar(statement, {"id": made["id"]}))

    before = await raw()
    key_id = crypto.add_key()
    assert await found() == [jane.id], "while the rotation goes on"
    assert await sealing.rewrap_all(database) > 0
    assert (await raw()).startswith(f"~{key_id}:")
    assert await raw() != before
    assert await found() == [jane.id]
    assert await sealing.rewrap_all(database) == 0
    async with database.transaction() as session:  # as an earlier release kept it
        await session.execute(
            text("UPDATE contact_points SET address = :n WHERE id = :id"), {"n": OTHER, "id": made["id"]}
        )
        await session.execute(
            text("UPDATE notification_deliveries SET recipient = :n WHERE channel = 'sms'"), {"n": OTHER}
        )
    assert await found() == [jane.id]
    await sealed_numbers.seal_plain(database)
    assert (await raw()).startswith(f"~{key_id}:")
    assert OTHER[1:] not in await dumped(database)
    async with database.read() as session:
        assert set(await session.scalars(select(Delivery.recipient).where(Delivery.channel == "sms"))) == {OTHER}
        assert set(await session.scalars(select(ContactPoint.address).where(ContactPoint.id == made["id"]))) == {OTHER}


async def test_what_stands_twice_once_open_and_once_sealed_stays_sealed(texting: Texting) -> None:
    """A process of the release before wrote the same beside one of this: neither is in the way of the other numbers."""
    database, jane = texting.database, await texting.who("employee")
    told = (
        "INSERT INTO notification_deliveries (channel, user_id, event_id, kind, recipient, subject, words, headers, "
        "message_id, status, next_at, created_at) VALUES ('sms', :user, :event, 'x', :to, '', '{}', '{}', 'm', 'SENT', "
        "now(), now())"
    )
    sealed = seal_number(PHONE, "notification_deliveries.recipient")
    async with database.transaction() as session:
        for event, to in ((10**12, PHONE), (10**12, sealed), (10**12 + 1, PHONE), (10**12 + 2, OTHER)):
            await session.execute(text(told), {"user": jane.id, "event": event, "to": to})
    await sealed_numbers.seal_plain(database)
    async with database.read() as session:
        kept = text(
            "SELECT event_id - 1000000000000, recipient FROM notification_deliveries WHERE event_id >= 1000000000000"
        )
        found = sorted((int(event), to) for event, to in await session.execute(kept))
    other = seal_number(OTHER, "notification_deliveries.recipient")
    assert found == [(0, sealed), (1, sealed), (2, other)]


async def test_going_up_from_the_release_before(fresh_database: Any) -> None:
    async def one(statement: str) -> Any:
        async with fresh_database.transaction() as session:
            return (await session.execute(text(statement))).scalar()

    await fresh_database.dispose()
    await asyncio.to_thread(command.downgrade, config(), "0078")
    added = (
        "INSERT INTO sms_incoming (provider, provider_id, phone, outcome, received_at) "
        f"VALUES ('twilio', 'SM9', '{PHONE}', 'TAKEN', now()) RETURNING id"
    )
    number = await one(added)
    await fresh_database.dispose()
    await asyncio.to_thread(command.upgrade, config(), "head")
    await sealed_numbers.seal_plain(fresh_database)
    assert str(await one(f"SELECT phone FROM sms_incoming WHERE id = {number}")).startswith("~")
    async with fresh_database.read() as session:
        assert await session.scalar(select(IncomingSms.phone).where(IncomingSms.id == number)) == PHONE


def test_every_column_of_numbers_is_known() -> None:
    kept = {f"{table.name}.{column.name}" for table, column in sealed_numbers._columns()}
    assert kept == {
        "contact_points.address",
        "notification_deliveries.recipient",
        "sms_incoming.phone",
        "sms_reply_codes.phone",
    }
    assert all(f"{t.name}.{c.name}" == c.type.about for t, c in sealed_numbers._columns())
    assert ReplyCode.__tablename__ == "sms_reply_codes"
