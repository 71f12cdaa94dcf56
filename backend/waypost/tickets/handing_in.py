"""Files that come with something else, such as a mail: stored first, and kept in the transaction of what they came with.

What is stored and then not kept lies in the store without a row, and is removed by `keeping.forget_orphans`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel import crypto
from waypost.kernel.settings import get_settings
from waypost.tickets import attaching
from waypost.tickets.models import Attachment


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies sealed in the store, and has no row yet."""

    filename: str
    name: str
    key: crypto.WrappedKey
    taken: attaching.Taken


async def store_file(filename: str, data: bytes) -> Stored:
    """Seal a file and store it. Raises `AttachmentTooLarge`, `StoreFailed`."""
    name, key = secrets.token_hex(20), crypto.new_key()
    taken = attaching.Taken(digest=hashlib.sha256())

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), crypto.CHUNK):
            yield data[start : start + crypto.CHUNK]

    watched = attaching.watched(pieces(), taken, get_settings().attachment_max_bytes)
    await attaching.store().put(name, crypto.seal(key, watched))
    return Stored(filename, name, crypto.keyring().wrap(key, name.encode()), taken)


async def keep_files(
    session: AsyncSession, actor: Actor, ticket_id: int, files: Sequence[Stored], *, visibility: str
) -> list[Attachment]:
    """Make stored files the ticket's, as far as it has room. The caller holds its lock, and has asked whether they may."""
    kept = []
    for file in files[: await room_for(session, ticket_id)]:
        row = await attaching.keep_row(
            session, actor, file.filename, file.name, file.key, file.taken, ticket_id, visibility
        )
        kept.append(row)
    return kept


async def room_for(session: AsyncSession, ticket_id: int) -> int:
    """How many files a ticket still takes."""
    count = await session.scalar(select(func.count()).where(Attachment.ticket_id == ticket_id)) or 0
    return max(0, attaching.MOST_PER_TICKET - count)


async def hashes_of(session: AsyncSession, ticket_id: int, hashes: Collection[str]) -> set[str]:
    """Which of these files a ticket has already."""
    wanted = select(Attachment.sha256).where(Attachment.ticket_id == ticket_id, Attachment.sha256.in_(hashes))
    return set(await session.scalars(wanted))


async def drop_files(files: Sequence[Stored]) -> None:
    """Remove files that were stored and not kept."""
    for file in files:
        await attaching.drop(attaching.store(), file.name)
