"""Files' texts for the index: each read once, in the worker, after the virus scanner has let it pass.

A file is opened here and read in a child process with limits of its own (`extracting`). What is wrong with a file is kept
and told in the log, and not tried again; what was wrong around it is tried again, a few times.
"""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel import crypto
from waypost.kernel.clock import now
from waypost.kernel.confined import Bounds, TooLong, TooMuch, confined
from waypost.kernel.db import Database
from waypost.kernel.errors import Unavailable
from waypost.kernel.logs import get_logger
from waypost.kernel.relay import wait_before
from waypost.search import extracting, file_texts
from waypost.search.index_models import AttachmentText
from waypost.tickets.attaching import contents
from waypost.tickets.models import Attachment
from waypost.vendors.object_store import StoreFailed

log = get_logger(__name__)
TASK = "search.read_files"
A_RUN = 20.0  # seconds
BOUNDS = Bounds(memory=1_000_000_000, seconds=20, patience=40.0)
MOST_TRIES = 5
MOST_BYTES = 60_000_000
MOST_ANSWER = 4_000_000
TOO_MUCH = "it takes more time or memory than it may have"
WORD, NONE, FAILED = "READ", "EMPTY", "FAILED"

_AGAIN = text("INSERT INTO search_pending (ticket_id) VALUES (:id) ON CONFLICT DO NOTHING")


async def run_due(database: Database) -> bool:
    """Read the files that wait. True when any was read, so that the index has something to do."""
    until, done = time.monotonic() + A_RUN, False
    while time.monotonic() < until and (taken := await _take(database)) is not None:
        await _keep(database, taken, await _read(taken))
        done = True
    return done


async def _take(database: Database) -> Attachment | None:
    """The next file, put off to its next try in the same moment: a process that dies leaves it to that."""
    at = now()
    async with database.transaction() as session:
        due = select(AttachmentText).where(AttachmentText.state == "WAITING", AttachmentText.next_at <= at)
        waiting = await session.scalar(due.order_by(AttachmentText.next_at).limit(1).with_for_update(skip_locked=True))
        if waiting is None:
            return None
        waiting.tries += 1
        waiting.next_at = at + wait_before(waiting.tries + 4)
        if waiting.tries > MOST_TRIES:
            waiting.state, waiting.next_at, waiting.why = FAILED, None, "it could not be read in several tries"
            log.warning("text of a file not read", attachment_id=waiting.attachment_id, why=waiting.why)
            return await _following(session)
        return await session.get(Attachment, waiting.attachment_id)


async def _following(session: AsyncSession) -> Attachment | None:
    """Nothing this time; the next look takes the next one."""
    await session.flush()
    return None


async def _read(row: Attachment) -> dict[str, Any] | None:
    """What is in a file; None when something around it was wrong."""
    if row.size > MOST_BYTES:
        return {"fault": "it is too large"}
    try:
        data = b"".join([piece async for piece in await contents(row, start=0, length=row.size)])
    except (Unavailable, StoreFailed, crypto.Damaged) as failed:
        log.warning("file not opened for its text", attachment_id=row.id, why=type(failed).__name__)
        return None
    return await extract(data)


async def extract(data: bytes) -> dict[str, Any]:
    """What the child says of a file. One that dies or takes too long says it by that."""
    try:
        said = await confined(extracting.told, data, BOUNDS)
    except TooLong:
        return {"fault": "it takes too long"}
    except TooMuch:
        return {"fault": TOO_MUCH}
    if len(said) > MOST_ANSWER:
        return {"fault": TOO_MUCH}
    answer: dict[str, Any] = json.loads(said)
    return answer


async def _keep(database: Database, row: Attachment, answer: dict[str, Any] | None) -> None:
    if answer is None:
        return  # its next try is set
    async with database.transaction() as session:
        kept = await session.get(AttachmentText, row.id, with_for_update=True)
        if kept is None:  # taken away meanwhile
            return
        kept.next_at = None
        if "text" in answer:
            text_ = answer["text"].replace("\x00", " ").encode(errors="replace").decode()
            kept.state, kept.text, kept.is_cut = WORD, "", bool(answer.get("is_cut"))
            kept.sealed = file_texts.sealed(row, text_)
            await session.execute(_AGAIN, {"id": row.ticket_id})
        elif "fault" in answer:
            kept.state, kept.why = FAILED, str(answer["fault"])[:200]
            log.warning("text of a file not read", attachment_id=row.id, why=kept.why)
        else:
            kept.state = NONE
