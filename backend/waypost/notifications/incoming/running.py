"""The process that reads the mailboxes: one reader for each that is on, begun and ended as administrators set them up.

Several of these processes may run: each mailbox is read by one, by a lock that ends with the process that holds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.notifications.incoming import dealing
from waypost.notifications.incoming.fetching import Reader
from waypost.notifications.incoming.models import Mailbox

log = get_logger(__name__)
MAILBOX_LOCKS = 0x57415981_00000000  # and a mailbox's id behind it
LOOK = 2.0  # seconds between two looks at the settings, and at what is due
PATIENCE = 5.0  # seconds a reader has to end by itself


@dataclass
class _Read:
    """A mailbox that this process reads, as it was set up."""

    version: int
    reader: Reader
    task: asyncio.Task[None]


class Locks:
    """Which mailboxes are ours, held by one connection for as long as it lives."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, mailbox_id: int) -> bool:
        """Whether it is ours now."""
        return bool(await self._connection.scalar(select(func.pg_try_advisory_lock(MAILBOX_LOCKS + mailbox_id))))

    async def give_back(self, mailbox_id: int) -> None:
        """Let another process read it."""
        await self._connection.scalar(select(func.pg_advisory_unlock(MAILBOX_LOCKS + mailbox_id)))

    async def check(self) -> None:
        """Raises when the connection, and so every lock, is gone."""
        await self._connection.scalar(select(1))


@asynccontextmanager
async def _locks(database: Database) -> AsyncIterator[Locks]:
    async with database.write_engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield Locks(connection)
        finally:
            await connection.invalidate()  # closing it frees them for certain


async def run(database: Database, take: dealing.Take, stop: asyncio.Event) -> None:
    """Read every mailbox that is on until `stop` is set. Never raises for a database that is away."""
    came = asyncio.Event()
    taking = asyncio.create_task(_deal(database, take, came, stop))
    try:
        while not stop.is_set():
            try:
                async with _locks(database) as locks:
                    await _watch(database, locks, came, stop)
            except Exception:  # the database is away: without it nothing can be stored, so nothing is read
                log.exception("mailboxes cannot be looked after")
                await _pause(stop, LOOK)
    finally:
        came.set()
        await taking


async def _watch(database: Database, locks: Locks, came: asyncio.Event, stop: asyncio.Event) -> None:
    """Begin and end readers as the settings have it, until `stop` or until the locks are lost."""
    reads: dict[int, _Read] = {}
    try:
        while not stop.is_set():
            await locks.check()
            async with database.read() as session:
                boxes = {b.id: b for b in await session.scalars(select(Mailbox).where(Mailbox.is_on))}
            for mailbox_id, read in list(reads.items()):
                box = boxes.get(mailbox_id)
                if box is None or box.version != read.version or read.task.done():
                    await _end([reads.pop(mailbox_id)])
                    await locks.give_back(mailbox_id)
            for mailbox_id, box in boxes.items():
                if mailbox_id not in reads and await locks.take(mailbox_id):
                    reader = Reader(database, box, came.set)
                    reads[mailbox_id] = _Read(box.version, reader, asyncio.create_task(reader.run()))
            await _pause(stop, LOOK)
    finally:
        await _end(list(reads.values()))


async def _end(reads: list[_Read]) -> None:
    """Let readers end; whose server does not answer is cut off."""
    for read in reads:
        read.reader.stop()
    if not reads:
        return
    _, late = await asyncio.wait([read.task for read in reads], timeout=PATIENCE)
    for read in reads:
        if read.task in late:
            read.reader.abort()
    if late:
        await asyncio.wait(late, timeout=PATIENCE)
    for read in reads:
        if read.task.done() and not read.task.cancelled() and (fault := read.task.exception()):
            log.error("a mailbox's reader failed", exc_info=fault)


async def _deal(database: Database, take: dealing.Take, came: asyncio.Event, stop: asyncio.Event) -> None:
    """Let what came become what it is: at once, and what is due again at the next look."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(LOOK):
                await came.wait()
        except TimeoutError:
            pass
        came.clear()
        if stop.is_set():
            return
        try:
            await dealing.take_due(database, take)
        except Exception:
            log.exception("mails cannot be dealt with")
            await _pause(stop, LOOK)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
