"""The mails themselves, as they came: sealed in the store of files, each under a key of its own, opened only to be read."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel import crypto
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.notifications.incoming.models import IncomingMail
from waypost.vendors.object_store import Missing, StoreFailed, object_store

log = get_logger(__name__)
ROW_BATCH = 500


@dataclass(frozen=True, slots=True)
class Original:
    """A mail that lies in the store: what its row needs to find and open it."""

    name: str
    size: int
    key_id: str
    key: bytes


async def keep_original(raw: bytes) -> Original:
    """Seal a mail and store it; durable when this returns. Raises `StoreFailed`.

    Without a row that names it, it is removed after a day like any other file nobody names.
    """
    name, key = secrets.token_hex(20), crypto.new_key()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), crypto.CHUNK):
            yield raw[start : start + crypto.CHUNK]

    await object_store(get_settings()).put(name, crypto.seal(key, pieces()))
    wrapped = crypto.keyring().wrap(key, name.encode())
    return Original(name, len(raw), wrapped.key_id, wrapped.value)


async def read_original(row: IncomingMail) -> bytes:
    """A mail as it came, or its headers alone when it is not `is_whole`.

    Raises `StoreFailed` (`Missing` when it is kept no longer) and `Damaged`.
    """
    if row.raw_name is None or row.raw_key_id is None or row.raw_key is None:
        raise Missing("the mail itself is kept no longer")
    key = crypto.keyring().unwrap(crypto.WrappedKey(row.raw_key_id, row.raw_key), row.raw_name.encode())
    _, offset, sealed = crypto.place_of(0, row.raw_size, row.raw_size)
    stored = object_store(get_settings()).get(row.raw_name, offset, sealed)
    plain = crypto.open_part(key, stored, start=0, length=row.raw_size, size=row.raw_size)
    return b"".join([piece async for piece in plain])


async def drop_original(name: str) -> None:
    """Remove a mail from the store; one that cannot be removed now is found by the housekeeping later."""
    try:
        await object_store(get_settings()).delete(name)
    except StoreFailed:
        log.warning("object left behind", object_name=name)


async def names_kept(session: AsyncSession, names: Collection[str]) -> set[str]:
    """Which of these objects are mails of ours."""
    known = await session.scalars(select(IncomingMail.raw_name).where(IncomingMail.raw_name.in_(names)))
    return {name for name in known if name}
