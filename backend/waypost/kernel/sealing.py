"""What stands sealed in the database, and how all of it is changed over to a new key of the installation.

Three ways. A table with a secret or an object's key has a column for it and one for the id of the key that wrapped it: its
class names both in `sealed_columns`, and says in `about` what they belong to. A text that is nobody's to read in the
database is of type `SealedText`, which seals on the way in and opens on the way out; bytes are of type `SealedBytes`. Phone
numbers must be found by who knows them, and have a way of their own (`sealed_numbers.py`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, ClassVar, Protocol

from sqlalchemy import Column, LargeBinary, Table, func, literal, select, tuple_, update
from sqlalchemy.types import TypeDecorator

from waypost.kernel import sealed_numbers
from waypost.kernel.crypto import Keyring, WrappedKey, keyring
from waypost.kernel.db import Base, Database

BATCH = 500
_END_OF_ID = b":"
_SEALED = b"~"


class Sealed(Protocol):
    """A row of a table with something sealed."""

    sealed_columns: ClassVar[tuple[str, str]]  # the sealed value's, and that of its key's id

    @property
    def about(self) -> bytes:
        """What the value belongs to: authenticated with it, so that it opens in its own row only."""
        ...


class SealedText(TypeDecorator[str]):
    """A short text, kept as `key id : number used once, ciphertext and tag` (AES-256-GCM), for the column `about`.

    It cannot be searched or compared in SQL; that is what it is for.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, about: str) -> None:
        super().__init__()
        self.about = about

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else seal_text(value, self.about)

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        return None if value is None else open_text(value, self.about)


class SealedBytes(TypeDecorator[bytes]):
    """The same for bytes. What an earlier release kept in the open is read as it is: it does not begin as sealed ones do."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, about: str) -> None:
        super().__init__()
        self.about = about

    def process_bind_param(self, value: bytes | None, dialect: Any) -> bytes | None:
        if value is None:
            return None
        wrapped = keyring().wrap(value, self.about.encode())
        return _SEALED + wrapped.key_id.encode() + _END_OF_ID + wrapped.value

    def process_result_value(self, value: bytes | None, dialect: Any) -> bytes | None:
        if value is None or not value.startswith(_SEALED):
            return value
        key_id, _, rest = value.removeprefix(_SEALED).partition(_END_OF_ID)
        return keyring().unwrap(WrappedKey(key_id.decode(), rest), self.about.encode())


def seal_text(value: str, about: str) -> bytes:
    """A text as `SealedText` keeps it."""
    wrapped = keyring().wrap(value.encode(), about.encode())
    return wrapped.key_id.encode() + _END_OF_ID + wrapped.value


def open_text(kept: bytes, about: str) -> str:
    """The text again. Raises `Damaged`."""
    key_id, _, value = kept.partition(_END_OF_ID)
    return keyring().unwrap(WrappedKey(key_id.decode(), value), about.encode()).decode()


async def rewrap_all(database: Database, *, patience: float = 120.0) -> int:
    """Change everything sealed over to the installation's current key; returns how many values were changed."""
    changed = 0
    for mapper in sorted(Base.registry.mappers, key=lambda m: str(m.local_table)):
        if hasattr(mapper.class_, "sealed_columns"):
            changed += await rewrap(database, mapper.class_, patience=patience)
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, SealedText):
                changed += await _reseal(database, table, column, b"")
            elif isinstance(column.type, SealedBytes):
                changed += await _reseal(database, table, column, _SEALED)
            elif getattr(column.type, "seals_parts", False):
                changed += await _write_again(database, table, column)
    return changed + await sealed_numbers.reseal(database, patience=patience)


async def rewrap(database: Database, table: Any, *, patience: float = 120.0) -> int:
    """Wrap a table's sealed values with the current key, batch by batch; returns how many were changed.

    Rows that somebody holds are passed over and come again: when this returns, none is left. Raises `TimeoutError`
    when nothing moves for so many seconds, because somebody holds on to a row.
    """
    ring, changed, until = keyring(), 0, time.monotonic() + patience
    value, key_id = (getattr(table, name) for name in table.sealed_columns)
    rest = (key_id != ring.current, value.is_not(None))
    key = table.__mapper__.primary_key
    while True:
        async with database.transaction() as session:
            left = select(table).where(*rest).order_by(*key).limit(BATCH).with_for_update(skip_locked=True)
            rows = (await session.scalars(left)).all()
            for row in rows:
                new = _wrapped(ring, row)
                this = tuple_(*key) == tuple_(*table.__mapper__.primary_key_from_instance(row))
                # Not by the row itself: what is written with it, such as the time of its last change, stays as it is.
                await session.execute(update(table).where(this).values({value: new.value, key_id: new.key_id}))
        if rows:
            changed, until = changed + len(rows), time.monotonic() + patience
            continue
        async with database.read() as session:
            if await session.scalar(select(key[0]).select_from(table).where(*rest).limit(1)) is None:
                return changed
        if time.monotonic() >= until:
            raise TimeoutError(f"rows of {table.__tablename__} are held by somebody else; run this again")
        await asyncio.sleep(0.2)


def _wrapped(ring: Keyring, row: Any) -> WrappedKey:
    value, key_id = (getattr(row, name) for name in row.sealed_columns)
    return ring.wrap(ring.unwrap(WrappedKey(key_id, value), row.about), row.about)


async def _write_again(database: Database, table: Table, column: Column[Any]) -> int:
    """The same for a column of documents of which parts are sealed (its type says `seals_parts`): few, and small."""
    keys = list(table.primary_key.columns)
    async with database.transaction() as session:
        rows = (await session.execute(select(*keys, column).order_by(*keys).with_for_update())).all()
        for *key, document in rows:
            this = tuple_(*keys) == tuple_(*key)
            await session.execute(update(table).where(this).values({column: document}))
    return len(rows)


async def _reseal(database: Database, table: Table, column: Column[Any], prefix: bytes) -> int:
    """The same for a column of sealed values; their keys' ids stand in the values, behind `prefix`."""
    current, changed = prefix + keyring().current.encode() + _END_OF_ID, 0
    raw = column.cast(LargeBinary)
    is_old = func.substring(raw, 1, len(current)) != literal(current, LargeBinary)
    keys = list(table.primary_key.columns)
    while True:
        async with database.transaction() as session:
            left = select(*keys, column).where(is_old).order_by(*keys).limit(BATCH).with_for_update()
            rows = (await session.execute(left)).all()
            for *key, text in rows:
                this = tuple_(*keys) == tuple_(*key)
                await session.execute(update(table).where(this).values({column: text}))
        if not rows:
            return changed
        changed += len(rows)
