"""Sessions and transactions: one transaction per use case, committed before the answer is sent.

`ReadSession` and `WriteSession` are dependencies with function scope: FastAPI leaves them, and so commits, after the
handler has produced its answer and before the first byte goes out. A 2xx therefore means stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from fastapi import Depends
from sqlalchemy import BigInteger, DateTime, Identity, MetaData, String, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.pool import AsyncAdaptedQueuePool

from waypost.kernel.settings import Settings

BigId = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
Code = Annotated[str, mapped_column(String(64))]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Document = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """Every table. Constraint names are fixed by rule, so a migration can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def tls_of(settings: Settings) -> dict[str, Any]:
    """What the driver is told of TLS beyond what stands in `DATABASE_URL`."""
    context = settings.database_tls()
    return {"ssl": context} if context else {}


def make_engine(settings: Settings, *, readonly: bool) -> AsyncEngine:
    """A pool of this process. Never create it before a fork: its sockets belong to one event loop.

    The read pool runs each statement in its own implicit transaction (no BEGIN and ROLLBACK round trips) and the server
    refuses writes on it.
    """
    server_settings = {"application_name": "waypost", "timezone": "UTC", "jit": "off"}
    server_settings |= {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}
    if readonly:
        server_settings["default_transaction_read_only"] = "on"
    engine = create_async_engine(
        settings.sqlalchemy_url(),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_recycle=1800,
        pool_pre_ping=False,
        hide_parameters=True,  # an error that is logged names the statement, never what people wrote
        connect_args={"server_settings": server_settings, "timeout": 5, "command_timeout": 30} | tls_of(settings),
        json_serializer=_encode_json,
        json_deserializer=msgspec.json.decode,
    )
    return engine.execution_options(isolation_level="AUTOCOMMIT") if readonly else engine


BUSY = frozenset({"40001", "40P01", "55P03"})  # could not be serialised, a deadlock, a lock that is not to be had


def sqlstate(error: DBAPIError) -> str:
    """PostgreSQL's code of an error; empty when it did not come from there."""
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")


def took_too_long(error: DBAPIError) -> bool:
    """Whether PostgreSQL stopped a statement because its time was over."""
    return sqlstate(error) == "57014"


_T = TypeVar("_T")


async def in_time(session: AsyncSession, work: Awaitable[_T]) -> _T | None:
    """What statements in a session with a time limit (`limited_read`) give; None when one of them takes too long.

    The session goes on either way.
    """
    try:
        async with session.begin_nested():
            return await work
    except DBAPIError as error:
        if not took_too_long(error):
            raise
        return None


def is_busy(error: Exception) -> bool:
    """Whether somebody else was changing the same at that moment: the same again, a moment later, is fine."""
    return isinstance(error, DBAPIError) and sqlstate(error) in BUSY


Work = Callable[[AsyncSession], Awaitable[None]]
_WAITING = "before_commit"


def before_commit(session: AsyncSession, work: Work) -> None:
    """Have this done once in this transaction, at its end: what several changes of it lead to together."""
    session.info.setdefault(_WAITING, {})[work] = None


async def settle(session: AsyncSession) -> None:
    """Do now what waits for the transaction's end, for who reads what comes of it in the same transaction."""
    waiting: dict[Work, None] = session.info.get(_WAITING, {})
    while waiting:
        work = next(iter(waiting))
        del waiting[work]
        await work(session)


class Database:
    """The two pools of a process and the way to open sessions on them."""

    def __init__(self, read_engine: AsyncEngine, write_engine: AsyncEngine) -> None:
        self.read_engine = read_engine
        self.write_engine = write_engine
        self.after_commit: list[Callable[[AsyncSession], None]] = []

    @classmethod
    def connect(cls, settings: Settings) -> Database:
        """Pools for `settings`; connections open on first use."""
        return cls(make_engine(settings, readonly=True), make_engine(settings, readonly=False))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for looking only; the server refuses a write on it."""
        async with AsyncSession(self.read_engine, autoflush=False, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def limited_read(self, milliseconds: int, *, by_index: bool = False) -> AsyncIterator[AsyncSession]:
        """A session for looking only, in one transaction, none of whose statements takes longer than this.

        Each is planned for its own values: what asks for a limit asks for common and for rare things with one statement,
        and a plan made for any of them reads a big table as a whole sooner or later. With `by_index` none is read so that has an
        index for what is asked: PostgreSQL would read one in the hope of soon meeting what may not be there.
        """
        async with self.read_engine.connect() as connection:
            await connection.execution_options(isolation_level="READ COMMITTED")
            async with connection.begin(), AsyncSession(connection, autoflush=False, expire_on_commit=False) as session:
                await session.execute(
                    text(
                        f"SELECT set_config('statement_timeout', '{milliseconds:d}', true),"
                        " set_config('plan_cache_mode', 'force_custom_plan', true),"
                        f" set_config('enable_seqscan', '{'off' if by_index else 'on'}', true)"
                    )
                )
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, undone when it raises."""
        async with AsyncSession(self.write_engine, autoflush=False, expire_on_commit=False) as session:
            async with session.begin():
                yield session
                await settle(session)
            for hook in self.after_commit:
                hook(session)

    @asynccontextmanager
    async def alone(self, key: int) -> AsyncIterator[bool]:
        """Whether this process is now the only one that holds `key`: never waits, and is over the moment it dies.

        Holds a connection (no transaction) while the block runs, for work that waits on a network.
        """
        async with self.write_engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            is_alone = bool(await connection.scalar(select(func.pg_try_advisory_lock(key))))
            try:
                yield is_alone
            finally:
                if is_alone:
                    try:
                        await connection.scalar(select(func.pg_advisory_unlock(key)))
                    except BaseException:
                        await connection.invalidate()  # closing the connection frees the key for certain
                        raise

    async def dispose(self) -> None:
        """Close every connection of this process."""
        await self.read_engine.dispose()
        await self.write_engine.dispose()


_database: Database | None = None


def use_database(database: Database | None) -> None:
    """Make this the process's database (called by the doors at start, and by tests)."""
    global _database  # noqa: PLW0603
    _database = database


def database() -> Database:
    """The process's database. Raises `RuntimeError` before `use_database`."""
    if _database is None:
        raise RuntimeError("no database yet: a door calls use_database() at start")
    return _database


async def _read_session() -> AsyncIterator[AsyncSession]:
    async with database().read() as session:
        yield session


async def _write_session() -> AsyncIterator[AsyncSession]:
    async with database().transaction() as session:
        yield session


ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(_write_session, scope="function")]
