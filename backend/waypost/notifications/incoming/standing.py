"""How it goes with a mailbox: when it was last read, what went wrong, how long it is left alone, who hears of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import select, update

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.notifications.incoming.events import MailboxFailed
from waypost.notifications.incoming.models import Mailbox

log = get_logger(__name__)
LONGEST_PAUSE = timedelta(minutes=5)
# A wrong password does not become right by trying, and many accounts are locked by it.
FIRST_PAUSE_WRONG, LONGEST_PAUSE_WRONG = timedelta(minutes=2), timedelta(hours=1)
WORTH_TELLING = 6  # failures in a row after which administrators are told of a server that is away
SILENT = timedelta(minutes=15)  # a mailbox nobody read or failed to read for so long: the process that does it is gone


def pause_after(failures: int, *, is_wrong: bool) -> timedelta:
    """How long a mailbox is left alone after so many failures in a row; `is_wrong`: until somebody changes something."""
    if is_wrong:
        wait = min(FIRST_PAUSE_WRONG * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_WRONG)
    else:
        wait = min(timedelta(seconds=2.0 ** min(failures, 12)), LONGEST_PAUSE)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311


async def note_worked(database: Database, mailbox_id: int) -> None:
    """It was read to its end."""
    async with database.transaction() as session:
        values = {"failures": 0, "open_until": None, "worked_at": now()}
        await session.execute(update(Mailbox).where(Mailbox.id == mailbox_id).values(**values))


async def note_failed(
    database: Database, mailbox_id: int, version: int, why: str, *, is_wrong: bool
) -> datetime | None:
    """It could not be read: until when it is left alone; None when it was changed meanwhile, or is no more."""
    at = now()
    async with database.transaction() as session:
        wanted = select(Mailbox).where(Mailbox.id == mailbox_id, Mailbox.version == version)
        row = (await session.scalars(wanted.with_for_update())).first()
        if row is None:
            return None
        is_known = row.failures > 0 and row.last_error == why[:500]
        row.failures = min(row.failures + 1, 30)
        row.last_error, row.failed_at = why[:500], at
        row.open_until = until = at + pause_after(row.failures, is_wrong=is_wrong)
        await session.flush()
        if (is_wrong and not is_known) or (not is_wrong and row.failures == WORTH_TELLING):
            failed = MailboxFailed(mailbox_id=row.id, name=row.name, why=why[:500])
            await record(session, failed, actor=SYSTEM, at=at)
    log.warning("mailbox not read", mailbox_id=mailbox_id, why=why, is_wrong=is_wrong)
    return until


async def note_trouble(database: Database, mailbox_id: int, why: str) -> None:
    """It is read, but something about it is not as it should be (such as a folder that cannot be made)."""
    log.warning("mailbox has trouble", mailbox_id=mailbox_id, why=why)
    async with database.transaction() as session:
        values = {"last_error": why[:500], "failed_at": now()}
        await session.execute(update(Mailbox).where(Mailbox.id == mailbox_id).values(**values))


def state_of(row: Mailbox, at: datetime) -> str:
    """`OFF`, `UNTRIED`, `WORKS`, `FAILING`, or `UNREAD`: nobody reads it, though it is on."""
    if not row.is_on:
        return "OFF"
    if is_silent(row, at):
        return "UNREAD"
    if row.failures:
        return "FAILING"
    return "WORKS" if row.worked_at else "UNTRIED"


def is_silent(row: Mailbox, at: datetime) -> bool:
    """Whether nothing was heard of a mailbox that is on, for longer than any wait of ours."""
    last = max(m for m in (row.updated_at, row.worked_at, row.failed_at, row.open_until) if m is not None)
    return at - last > SILENT


async def check(database: Database) -> str:
    """For the state of the installation: whether mailboxes that are on are read by some process."""
    at = now()
    async with database.read() as session:
        on = list(await session.scalars(select(Mailbox).where(Mailbox.is_on)))
    silent = sum(is_silent(row, at) for row in on)
    return f"{silent} of {len(on)} are not read: is the process `mail-in` running?" if silent else "ok"
