"""The mails themselves, as they came: sealed in the store of files, each under a key of its own, opened only to be read."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.notifications.incoming.models import IncomingMail
from waypost.vendors import sealed_files
from waypost.vendors.object_store import Missing

ROW_BATCH = 500


Original = sealed_files.SealedFile  # a mail that lies in the store


async def keep_original(raw: bytes) -> Original:
    """Seal a mail and store it; durable when this returns. Raises `StoreFailed`.

    Without a row that names it, it is removed after a day like any other file nobody names.
    """
    return await sealed_files.keep(raw)


async def read_original(row: IncomingMail) -> bytes:
    """A mail as it came, or its headers alone when it is not `is_whole`.

    Raises `StoreFailed` (`Missing` when it is kept no longer) and `Damaged`.
    """
    if row.raw_name is None or row.raw_key_id is None or row.raw_key is None:
        raise Missing("the mail itself is kept no longer")
    kept = Original(row.raw_name, row.raw_size, row.raw_key_id, row.raw_key)
    return b"".join([piece async for piece in sealed_files.contents(kept)])


async def drop_original(name: str) -> None:
    """Remove a mail from the store; one that cannot be removed now is found by the housekeeping later."""
    await sealed_files.drop(name)


async def names_kept(session: AsyncSession, names: Collection[str]) -> set[str]:
    """Which of these objects are mails of ours."""
    known = await session.scalars(select(IncomingMail.raw_name).where(IncomingMail.raw_name.in_(names)))
    return {name for name in known if name}
