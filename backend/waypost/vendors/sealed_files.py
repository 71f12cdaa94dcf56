"""Whole files in the store, each sealed under a key of its own: what is made here and read here.

The row that names a file keeps its key, wrapped for the file's name. A file that no row names is removed by housekeeping.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from waypost.kernel import crypto
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.vendors.object_store import StoreFailed, object_store

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that lies in the store: what its row needs to find and open it. `size` is in bytes, before it was sealed."""

    name: str
    size: int
    key_id: str
    key: bytes


async def keep(raw: bytes) -> SealedFile:
    """Seal a file and store it; durable when this returns. Raises `StoreFailed`."""
    name, key = secrets.token_hex(20), crypto.new_key()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), crypto.CHUNK):
            yield raw[start : start + crypto.CHUNK]

    await object_store(get_settings()).put(name, crypto.seal(key, pieces()))
    wrapped = crypto.keyring().wrap(key, name.encode())
    return SealedFile(name, len(raw), wrapped.key_id, wrapped.value)


def contents(file: SealedFile) -> AsyncIterator[bytes]:
    """Its bytes, piece by piece. Raises `StoreFailed` (`Missing` when it is kept no longer) and `Damaged`."""
    key = crypto.keyring().unwrap(crypto.WrappedKey(file.key_id, file.key), file.name.encode())
    _, offset, sealed = crypto.place_of(0, file.size, file.size)
    stored = object_store(get_settings()).get(file.name, offset, sealed)
    return crypto.open_part(key, stored, start=0, length=file.size, size=file.size)


async def drop(name: str) -> None:
    """Remove a file from the store; one that cannot be removed now is found by the housekeeping later."""
    try:
        await object_store(get_settings()).delete(name)
    except StoreFailed:
        log.warning("object left behind", object_name=name)
