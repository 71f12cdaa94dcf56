"""The mails themselves: kept sealed, given back as they came, not taken for something nobody names."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from waypost.catalog.models import TicketType
from waypost.kernel import crypto, sealing
from waypost.kernel.settings import get_settings
from waypost.notifications.incoming import originals
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.tickets import keeping
from waypost.vendors.object_store import Missing

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)


def mail_row(kept: originals.Original, **more: Any) -> IncomingMail:
    values = {
        "uidvalidity": 1,
        "uid": 1,
        "content_hash": "0" * 64,
        "from_address": "jane@example.com",
        "subject": "Hello",
        "received_at": AT,
        "size": kept.size,
        "next_at": AT,
        "created_at": AT,
        "raw_name": kept.name,
        "raw_size": kept.size,
        "raw_key_id": kept.key_id,
        "raw_key": kept.key,
    }
    return IncomingMail(**{**values, **more})


@pytest.mark.parametrize("size", [0, 1, crypto.CHUNK, crypto.CHUNK * 3 + 17])
async def test_a_mail_comes_back_as_it_came(database: Any, size: int) -> None:
    raw = os.urandom(size)
    kept = await originals.keep_original(raw)
    stored = get_settings().data_dir / "attachments" / kept.name[:2] / kept.name
    assert stored.stat().st_size == crypto.sealed_size(size)
    assert raw[:64] not in stored.read_bytes() or size < 2
    assert await originals.read_original(mail_row(kept)) == raw


async def test_a_mail_no_longer_kept_says_so(database: Any) -> None:
    kept = await originals.keep_original(b"x")
    await originals.drop_original(kept.name)
    with pytest.raises(Missing):
        await originals.read_original(mail_row(kept))
    with pytest.raises(Missing):
        await originals.read_original(mail_row(kept, raw_name=None))


async def test_the_housekeeping_and_a_new_key_leave_a_mail_readable(database: Any) -> None:
    named, forgotten = await originals.keep_original(b"named"), await originals.keep_original(b"forgotten")
    async with database.transaction() as session:
        type_id = await session.scalar(select(TicketType.id).limit(1))
        box = Mailbox(name="IT", address="it-originals@example.com", kind="imap", ticket_type_id=type_id)
        box.created_at = box.updated_at = AT
        session.add(box)
        await session.flush()
        row = mail_row(named, mailbox_id=box.id)
        session.add(row)
    yesterday = time.time() - 2 * 86400
    for path in (get_settings().data_dir / "attachments").rglob("*"):
        if path.is_file():
            os.utime(path, (yesterday, yesterday))
    assert await keeping.forget_orphans(database, originals.names_kept) >= 1
    crypto.add_key()
    assert await sealing.rewrap(database, IncomingMail) >= 1
    assert await sealing.rewrap(database, IncomingMail) == 0
    async with database.read() as session:
        again = await session.get_one(IncomingMail, row.id)
    assert again.raw_key_id != named.key_id
    assert await originals.read_original(again) == b"named"
    with pytest.raises(Missing):
        await originals.read_original(mail_row(forgotten))
