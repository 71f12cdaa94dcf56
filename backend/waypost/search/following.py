"""Keeping the index: what the event log tells is indexed, what is older is gone through once, from the newest on.

One process at a time does it. It reads the log in its visible order, so nothing is passed by, and whoever changes a ticket
pays nothing for it. The place in the log moves in the transaction that writes the index: a process that dies costs a
portion done twice.
"""

from __future__ import annotations

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.privacy.events import PersonErased
from waypost.directory.events import (
    DepartmentDeleted,
    TeamChanged,
    TeamDeleted,
    UserChanged,
    UserEmailChanged,
)
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.search.indexing import index_tickets
from waypost.tickets.events import TicketRead

log = get_logger(__name__)
TASK = "search.index"
LOCK = 0x57415F53
BATCH = 500  # events
PORTION = 100  # tickets written in one transaction
A_RUN = 6.0  # seconds; then others have their turn
EVERYTHING = 2**63 - 1
WORDS_EVERY = 3600.0  # seconds between two looks at which words there are
MOST_WORDS = 30_000

_PROGRESS = text("SELECT txid::text AS txid, event_id, fill_below, words_at FROM search_progress WHERE id = 1")
_EVENTS = text(
    "SELECT txid::text AS txid, id, type, object_type, object_id, data FROM events"
    " WHERE (txid, id) > (CAST(CAST(:txid AS text) AS xid8), :id)"
    " AND txid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY txid, id LIMIT :most"
)
_MOVE = text("UPDATE search_progress SET txid = CAST(CAST(:txid AS text) AS xid8), event_id = :id WHERE id = 1")
_OF_PERSON = text(
    "INSERT INTO search_pending SELECT id FROM tickets WHERE requester_id = :id"
    " UNION SELECT id FROM tickets WHERE assignee_id = :id ON CONFLICT DO NOTHING"
)
_OF_TEAM = text("INSERT INTO search_pending SELECT id FROM tickets WHERE team_id = :id ON CONFLICT DO NOTHING")
_OF_DEPARTMENT = text(
    "INSERT INTO search_pending SELECT id FROM tickets WHERE department_id = :id ON CONFLICT DO NOTHING"
)
_PENDING = text(
    "DELETE FROM search_pending WHERE ticket_id IN"
    " (SELECT ticket_id FROM search_pending ORDER BY ticket_id DESC LIMIT :most) RETURNING ticket_id"
)
_BELOW = text("SELECT id FROM tickets WHERE id < :below ORDER BY id DESC LIMIT :most")
_FILLED = text("UPDATE search_progress SET fill_below = :below, filled = filled + :most WHERE id = 1")
_WORDS = text("""
    INSERT INTO search_words (word, documents)
    SELECT word, ndoc FROM ts_stat('SELECT d.words FROM search_documents d JOIN tickets t ON t.id = d.ticket_id
        WHERE NOT d.is_inner AND NOT t.is_confidential ORDER BY d.ticket_id DESC LIMIT 4000')
    WHERE ndoc >= 2 AND length(word) BETWEEN 4 AND 40 AND word !~ '[0-9@]' ORDER BY ndoc DESC LIMIT :most
""")
_QUIET = frozenset({TicketRead.type})  # nothing of the ticket changed


async def run_due(database: Database) -> bool:
    """Bring the index up to date. True when there is more to do than fits into one run."""
    until = time.monotonic() + A_RUN
    async with database.alone(LOCK) as is_alone:
        if not is_alone:
            return False
        more = True
        while more and time.monotonic() < until:
            more = await _step(database)
        if not more:
            await _learn_words(database)
        return more


async def _step(database: Database) -> bool:
    """The next portion: of the log first, then of what waits, then of what was there before. False when there is none."""
    if await _follow(database) or await _catch_up(database):
        return True
    return await _fill(database)


async def _follow(database: Database) -> bool:
    async with database.transaction() as session:
        at = (await session.execute(_PROGRESS)).one()
        rows = (await session.execute(_EVENTS, {"txid": at.txid, "id": at.event_id, "most": BATCH})).all()
        if not rows:
            return False
        changed: dict[int, None] = {}
        last = rows[-1]
        for row in rows:
            if row.object_type == "ticket" and row.type not in _QUIET:
                changed[row.object_id] = None
                if len(changed) >= PORTION:
                    last = row
                    break
            else:
                await _spread(session, row.type, row.object_id, row.data)
        await index_tickets(session, changed)
        await session.execute(_MOVE, {"txid": last.txid, "id": last.id})
        return True


async def _spread(session: AsyncSession, type_: str, object_id: int, data: dict[str, object]) -> None:
    """What is no event of a ticket, and changes what stands in some."""
    if type_ in (UserChanged.type, UserEmailChanged.type, PersonErased.type):
        await session.execute(_OF_PERSON, {"id": data.get("user_id", object_id)})
    elif type_ == TeamChanged.type:
        await session.execute(_OF_TEAM, {"id": object_id})
    elif type_ == TeamDeleted.type and data.get("moved_to_id"):
        await session.execute(_OF_TEAM, {"id": data["moved_to_id"]})
    elif type_ == DepartmentDeleted.type and data.get("moved_to_id"):
        await session.execute(_OF_DEPARTMENT, {"id": data["moved_to_id"]})


async def _catch_up(database: Database) -> bool:
    async with database.transaction() as session:
        ids = (await session.scalars(_PENDING, {"most": PORTION})).all()
        await index_tickets(session, ids)
        return bool(ids)


async def _fill(database: Database) -> bool:
    async with database.transaction() as session:
        below = (await session.execute(_PROGRESS)).one().fill_below
        if below is None:
            return False
        ids = (await session.scalars(_BELOW, {"below": below, "most": PORTION})).all()
        await index_tickets(session, ids)
        await session.execute(_FILLED, {"below": min(ids) if ids else None, "most": len(ids)})
        if not ids:
            log.info("the search index is complete")
        return bool(ids)


async def _learn_words(database: Database) -> None:
    """Look which words the newest tickets are made of, now and then; words that are gone are forgotten with it."""
    async with database.transaction() as session:
        at = (await session.execute(_PROGRESS)).one().words_at
        if at is not None and (now() - at).total_seconds() < WORDS_EVERY:
            return
        # of its own, and first: should the look itself fail, it is not tried again at once, and nothing else waits for it
        await session.execute(text("UPDATE search_progress SET words_at = :at WHERE id = 1"), {"at": now()})
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM search_words"))
        await session.execute(_WORDS, {"most": MOST_WORDS})


async def fill_anew(database: Database) -> None:
    """Go through all tickets once more, from the newest on; what is found meanwhile is what was there before."""
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE search_progress SET fill_below = :all, filled = 0, words_at = NULL WHERE id = 1"),
            {"all": EVERYTHING},
        )


async def run_all(database: Database) -> None:
    """Until nothing is left: for the command line, demos and tests."""
    while await run_due(database):
        pass
