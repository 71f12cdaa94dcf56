"""Taking what was found in the trail away as a file, batch by batch and in constant memory.

The file is written whole into a nameless temporary file before its first byte goes out: so the trail holds that it was
taken, and the file's hash, before anything leaves, and no session is open while a slow client reads.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.errors import SessionEnded
from waypost.access.permissions import Permission
from waypost.access.queries import actors
from waypost.audit.events import AuditExported
from waypost.audit.looking import A_STATEMENT, PATIENCE, look
from waypost.audit.queries import entries, in_full
from waypost.audit.searching import Sought, narrowed, newest_first
from waypost.kernel.cells import BOM, csv_bytes
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Kind, Refusal
from waypost.kernel.events import EventRow, record

KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
COLUMNS = (
    "id",
    "at",
    "actor",
    "actor_name",
    "on_behalf_of",
    "action",
    "object_type",
    "object_id",
    "channel",
    "request_id",
    "data",
)
MOST_ROWS = 100_000
MOST_BYTES = 512 * 1024 * 1024
BATCH = 500
CHUNK = 64 * 1024
PER_WINDOW, WINDOW = 30, timedelta(minutes=10)
_writing = asyncio.Semaphore(2)  # files a process writes at a time


class TooManyAuditExports(Refusal):
    """You took away many parts of the trail in a short time. Please wait a little."""

    code, kind, title = "too_many_audit_exports", Kind.THROTTLED, "Too many exports"


class Abandoned(Exception):
    """Nobody waits for the file any more."""


@dataclass(slots=True)
class Exported:
    """A file that is ready. `is_cut`: there were more rows than a file may have."""

    file: IO[bytes]
    size: int = 0
    rows: int = 0
    is_cut: bool = False
    sha256: str = ""

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file's bytes; it is gone once they were read, or nobody reads on."""
        try:
            while piece := await asyncio.to_thread(self.file.read, CHUNK):
                yield piece
        finally:
            self.file.close()


async def export(
    database: Database,
    actor: Actor,
    sought: Sought,
    format: str,
    *,
    is_waited_for: Callable[[], Awaitable[bool]],
) -> Exported:
    """What was found, as a file. Raises `StepUpNeeded`, `TooManyAuditExports`, `Abandoned`."""
    actor.require(Permission.AUDIT_READ)
    async with database.read() as session:
        await step_up.require(session, actor)
        await _check_rate(session, actor)
    async with _writing:
        made = Exported(tempfile.TemporaryFile())  # noqa: SIM115 - it outlives this call, until it was read
        try:
            await _write(database, actor, sought, format, made, is_waited_for)
            async with database.transaction() as session:
                told = AuditExported(
                    filters=sought.told(), format=format, rows=made.rows, is_cut=made.is_cut, sha256=made.sha256
                )
                await record(session, told, actor=actor)
        except BaseException:
            made.file.close()
            raise
    return made


async def _check_rate(session: AsyncSession, actor: Actor) -> None:
    since = now() - WINDOW
    taken = select(func.count()).select_from(
        select(EventRow.id)
        .where(EventRow.actor_id == actor.user_id, EventRow.type == AuditExported.type, EventRow.at > since)
        .limit(PER_WINDOW)
        .subquery()
    )
    if (await session.scalar(taken) or 0) >= PER_WINDOW:
        raise TooManyAuditExports(retry_after=60)


async def _write(
    database: Database,
    actor: Actor,
    sought: Sought,
    format: str,
    made: Exported,
    is_waited_for: Callable[[], Awaitable[bool]],
) -> None:
    digest = hashlib.sha256()

    def put(content: bytes) -> None:
        made.file.write(content)
        digest.update(content)
        made.size += len(content)

    if format == "csv":
        put(BOM + csv_bytes([COLUMNS]))
    before: int | None = None
    while True:
        if not await is_waited_for():
            raise Abandoned
        await _is_still_allowed(database, actor)
        ids, floor = await _batch(database, actor, sought, before)
        page = ids[: min(BATCH, MOST_ROWS - made.rows)]
        async with database.read() as session:
            items = await in_full(session, await entries(session, page))
        await asyncio.to_thread(put, written(items, format))
        made.rows += len(items)
        if len(ids) <= len(page) and not floor:
            break
        if made.rows >= MOST_ROWS or made.size >= MOST_BYTES:
            made.is_cut = True
            break
        before = page[-1] if len(ids) > len(page) else floor
    made.sha256 = digest.hexdigest()
    made.file.seek(0)


async def _batch(database: Database, actor: Actor, sought: Sought, before: int | None) -> tuple[Sequence[int], int]:
    """The ids of the next rows, one more than `BATCH` when there are more; and from which id on was looked, 0 for everything."""
    if sought.has_letters:
        async with database.limited_read(A_STATEMENT) as session:
            wanted = await narrowed(session, actor, sought)
            found = await look(session, wanted, before=before, rows=BATCH + 1, patience=PATIENCE)
        return found.ids, found.floor
    async with database.read() as session:
        statement = newest_first((await narrowed(session, actor, sought)).plain, before, BATCH + 1)
        return list(await session.scalars(statement.with_only_columns(EventRow.id))), 0


async def _is_still_allowed(database: Database, actor: Actor) -> None:
    if actor.session_id is None:
        return
    found = await actors.get(database, user_id=actor.user_id, session_id=actor.session_id)
    if found is None:
        raise SessionEnded
    found.require(Permission.AUDIT_READ)


def written(items: Sequence[dict[str, Any]], format: str) -> bytes:
    """Rows as a part of the file."""
    if format == "ndjson":
        return b"".join(json.dumps(i, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for i in items)
    return csv_bytes([_cells(item) for item in items])


def _cells(item: dict[str, Any]) -> list[str]:
    actor, other = item["actor"] or {}, item["on_behalf_of"] or {}
    return [
        str(item["id"]),
        item["at"],
        actor.get("username", ""),
        actor.get("name", ""),
        other.get("username", ""),
        item["action"],
        item["object_type"],
        str(item["object_id"]),
        item["channel"],
        item["request_id"] or "",
        json.dumps(item["data"], ensure_ascii=False),
    ]
