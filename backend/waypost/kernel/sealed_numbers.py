"""Phone numbers as they stand in the database: sealed, and still found by those who know them.

A number is sealed in a way that gives the same text for the same number, column and key (AES-SIV, RFC 5297), so that an
index finds it and nobody without the installation's keys reads it or tries all numbers. The key is derived from each of the
installation's keys; a comparison asks with all of them, so that numbers are found while a rotation goes on, too, and before
what an earlier release kept in the open is sealed (`seal_plain`). What is no number passes as it is: a column of addresses
holds accounts and mail addresses as well.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    delete,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import TypeDecorator, TypeEngine

from waypost.kernel.crypto import Damaged, keyring
from waypost.kernel.db import Base, Database, sqlstate

BATCH = 500
_PURPOSE = b"waypost numbers"
_NUMBER = re.compile(r"\+[0-9]{5,19}", re.ASCII)
_SEALED = re.compile(r"~([0-9]+):([A-Za-z0-9_-]+)", re.ASCII)


def is_number(value: str) -> bool:
    """Whether this is a phone number with its country, as they are kept."""
    return _NUMBER.fullmatch(value) is not None


def seal_number(value: str, about: str, key_id: str | None = None) -> str:
    """A number as it is kept in the column `about`, by default under the current key; what is none as it is."""
    if not is_number(value):
        return value
    ring = keyring()
    key_id = key_id or ring.current
    sealed = AESSIV(ring.derived(_PURPOSE)[key_id]).encrypt(value.encode(), [about.encode()])
    return f"~{key_id}:{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def open_number(kept: str, about: str) -> str:
    """The number again. Raises `Damaged`."""
    found = _SEALED.fullmatch(kept)
    if found is None:
        return kept
    sealed = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
    try:
        return AESSIV(keyring().derived(_PURPOSE)[found[1]]).decrypt(sealed, [about.encode()]).decode()
    except (KeyError, InvalidTag) as wrong:
        raise Damaged(f"the key {found[1]!r} does not open a number of {about}") from wrong


def ways_to_write(value: str, about: str) -> list[str]:
    """All texts under which a value may stand in a column: under each key, and in the open."""
    if not is_number(value):
        return [value]
    return [seal_number(value, about, key_id) for key_id in keyring().derived(_PURPOSE)] + [value]


class SealedNumber(TypeDecorator[str]):
    """A text that is sealed when it is a phone number; `about` names the column. Equality finds it; nothing else does."""

    impl = String
    cache_ok = True

    def __init__(self, about: str, length: int | None = None) -> None:
        super().__init__(length)
        self.about, self.length = about, length

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        return Text() if self.length is None else String(self.length)

    class comparator_factory(TypeDecorator.Comparator[str]):
        """Equal to a number is what stands for it under any key."""

        def __eq__(self, other: Any) -> ColumnElement[bool]:  # type: ignore[override]
            if isinstance(other, str):
                about: str = self.expr.type.about  # type: ignore[attr-defined]
                return type_coerce(self.expr, String).in_(ways_to_write(other, about))
            equal: ColumnElement[bool] = super().__eq__(other)  # type: ignore[assignment]
            return equal

        __hash__ = TypeDecorator.Comparator.__hash__

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else seal_number(value, self.about)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else open_number(value, self.about)


def same_digest(column: Any, value: str) -> ColumnElement[bool]:
    """Equality by an index of the column's MD5: for columns in which texts may be long."""
    about: str = column.type.about
    wanted = [hashlib.md5(v.encode(), usedforsecurity=False).hexdigest() for v in ways_to_write(value, about)]
    return func.md5(type_coerce(column, String)).in_(wanted)


def _columns() -> list[tuple[Table, Column[Any]]]:
    return [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedNumber)
    ]


async def seal_plain(database: Database) -> None:
    """Seal what an earlier release kept in the open, batch by batch; what others hold comes with the next turn."""
    for table, column in _columns():
        while await _seal_some(database, table, column, _in_the_open(type_coerce(column, String))):
            pass


async def reseal(database: Database, *, patience: float = 120.0) -> int:
    """Seal all numbers with the current key; how many were changed. Raises `TimeoutError` when rows are held for long."""
    changed = 0
    for table, column in _columns():
        raw, until = type_coerce(column, String), time.monotonic() + patience
        of_others = raw.like("~%") & ~raw.like(f"~{keyring().current}:%")
        is_old = or_(_in_the_open(raw), of_others)
        while True:
            if done := await _seal_some(database, table, column, is_old):
                changed, until = changed + done, time.monotonic() + patience
                continue
            async with database.read() as session:
                if await session.scalar(select(func.count()).select_from(table).where(is_old)) == 0:
                    break
            if time.monotonic() >= until:
                raise TimeoutError(f"rows of {table.name} are held by somebody else; run this again")
            await asyncio.sleep(0.2)
    return changed


def _in_the_open(raw: ColumnElement[str]) -> ColumnElement[bool]:
    return raw.like("+%") & raw.regexp_match("^[+][0-9]{5,19}$")


async def _seal_some(database: Database, table: Table, column: Column[Any], which: ColumnElement[bool]) -> int:
    keys = list(table.primary_key.columns)
    async with database.transaction() as session:
        left = select(*keys, column).where(which).order_by(*keys).limit(BATCH).with_for_update(skip_locked=True)
        rows = (await session.execute(left)).all()
        for *key, value in rows:
            this = tuple_(*keys) == tuple_(*key)
            try:
                async with session.begin_nested():
                    await session.execute(update(table).where(this).values({column: value}))
            except IntegrityError as twice:
                if sqlstate(twice) != "23505":
                    raise
                # the very same stands there sealed already, by another process or under the new key: that one stays
                await session.execute(delete(table).where(this))
    return len(rows)
