"""Following the event log in an API process.

Ids commit out of order, so the log is followed by (transaction, id) up to the oldest transaction still running: an
event is seen exactly when no earlier one can appear any more. One reader a process; every stream reads from its memory,
or from the log when it has been away for longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel import background
from waypost.kernel.db import Database
from waypost.kernel.hints import CHANNEL
from waypost.kernel.logs import get_logger
from waypost.tickets.policy import TicketFacts
from waypost.tickets.queries import facts_by_id

log = get_logger(__name__)
Position = tuple[int, int]
KEPT = 5000
BATCH = 500
SWEEP = 1.0  # seconds between two looks when no hint comes
GATHER = 0.03  # seconds in which hints are gathered into one look


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as the log holds it, at its position in the log's visible order."""

    position: Position
    type: str
    object_type: str
    object_id: int
    data: dict[str, Any]
    actor_id: int | None
    at: Any

    @property
    def id(self) -> int:
        return self.position[1]


_COLUMNS = "txid::text::bigint AS tx, id, type, object_type, object_id, data, actor_id, at"
_after = text(
    f"SELECT {_COLUMNS} FROM events WHERE (txid, id) > (CAST(CAST(:tx AS text) AS xid8), :id)"  # noqa: S608
    " AND txid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY txid, id LIMIT :most"
)
_head = text(
    "SELECT txid::text::bigint AS tx, id FROM events WHERE txid < pg_snapshot_xmin(pg_current_snapshot())"
    " ORDER BY txid DESC, id DESC LIMIT 1"
)
_position = text("SELECT txid::text::bigint AS tx, id FROM events WHERE id = :id")


async def events_after(session: AsyncSession, position: Position) -> list[Happened]:
    """The next events behind a position, in visible order, at most `BATCH`."""
    rows = await session.execute(_after, {"tx": str(position[0]), "id": position[1], "most": BATCH})
    return [Happened((r.tx, r.id), r.type, r.object_type, r.object_id, r.data, r.actor_id, r.at) for r in rows]


async def position_of(session: AsyncSession, event_id: int) -> Position | None:
    """Where an event stands; None when there is no such event."""
    row = (await session.execute(_position, {"id": event_id})).first()
    return None if row is None else (row.tx, row.id)


class Follower:
    """One process's view of the log's end."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.head: Position = (0, 0)
        self.is_closing = False
        self._recent: deque[Happened] = deque(maxlen=KEPT)
        self._floor: Position = (0, 0)  # events at or before this position are not in memory
        self._facts: dict[int, asyncio.Future[dict[int, TicketFacts]]] = {}
        self._facts_at: Position = (0, 0)
        self._changed = asyncio.Condition()
        self._hinted = asyncio.Event()

    async def begin(self) -> None:
        """Start at the end of the log."""
        async with self.database.read() as session:
            row = (await session.execute(_head)).first()
        self.head = self._floor = (row.tx, row.id) if row else (0, 0)

    def hint(self) -> None:
        """Something was committed somewhere."""
        self._hinted.set()

    async def after(self, position: Position) -> list[Happened]:
        """The events behind a position, from memory when they are there."""
        if position >= self._floor:
            newer = itertools.takewhile(lambda e: e.position > position, reversed(self._recent))
            return list(newer)[::-1]  # a thousand streams ask this: only what is new is looked at
        async with self.database.read() as session:
            return await events_after(session, position)

    async def facts(self, events: list[Happened]) -> dict[int, TicketFacts]:
        """What may be seen of these events' tickets depends on: read once for all streams that ask at one head."""
        if self._facts_at != self.head:
            self._facts_at, self._facts = self.head, {}
        wanted = {e.object_id for e in events if e.object_type == "ticket"}
        if missing := sorted(i for i in wanted if i not in self._facts):
            loading = asyncio.ensure_future(self._load_facts(missing))
            self._facts.update((i, loading) for i in missing)
        found = {i: (await asyncio.shield(self._facts[i])).get(i) for i in wanted}
        return {i: facts for i, facts in found.items() if facts is not None}

    async def _load_facts(self, ids: list[int]) -> dict[int, TicketFacts]:
        try:
            async with self.database.read() as session:
                return await facts_by_id(session, ids)
        except BaseException:
            self._facts = {}  # whoever asks next asks again
            raise

    async def wait(self, position: Position, seconds: float) -> None:
        """Until there is something behind a position, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self.head > position or self.is_closing)

    async def run(self) -> None:
        """Read on, forever; a database that is away is asked again."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hinted.wait(), SWEEP)
                await asyncio.sleep(GATHER)
            self._hinted.clear()
            try:
                await self._read_on()
            except Exception as error:  # whatever it is, streams must go on when it is over
                log.warning("log not readable", error=f"{type(error).__name__}: {error}"[:200])
                await asyncio.sleep(SWEEP)

    async def _read_on(self) -> None:
        while True:
            async with self.database.read() as session:
                found = await events_after(session, self.head)
            if not found:
                return
            for happened in found:
                if len(self._recent) == KEPT:
                    self._floor = self._recent[0].position
                self._recent.append(happened)
            self.head = found[-1].position
            async with self._changed:
                self._changed.notify_all()

    async def close(self) -> None:
        """Let every stream end."""
        self.is_closing = True
        async with self._changed:
            self._changed.notify_all()


async def _listen(valkey: Redis, follower: Follower) -> None:
    while True:
        try:
            async with valkey.pubsub() as channel:
                await channel.subscribe(CHANNEL)
                while True:
                    await channel.get_message(ignore_subscribe_messages=True, timeout=30)
                    follower.hint()
        except (RedisError, OSError) as error:
            log.warning("no hints", error=type(error).__name__)
            await asyncio.sleep(1)


@asynccontextmanager
async def follow(database: Database, valkey: Redis) -> AsyncIterator[Follower]:
    """While this is open, the log is followed: woken by hints, and once a second without any."""
    follower = Follower(database)
    await follower.begin()
    tasks = [asyncio.create_task(follower.run()), asyncio.create_task(_listen(valkey, follower))]
    try:
        yield follower
    finally:
        await follower.close()
        await background.end(*tasks)
