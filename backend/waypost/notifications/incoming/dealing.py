"""Letting what came in become what it is: one mail after another, and none holds up those behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select, update

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.kernel.relay import wait_before
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.storing import hold_back
from waypost.vendors.object_store import Missing, StoreFailed

log = get_logger(__name__)
DEALER_LOCK = 0x57415980
MOST_TRIES = 3  # after which a mail is held back
STORE_AWAY = timedelta(seconds=30)
Take = Callable[[Database, int], Awaitable[object]]


async def take_due(database: Database, take: Take) -> int:
    """Let `take` decide about every mail that is due, in the order they came; returns how many it was asked about.

    One process at a time does this. A mail whose taking breaks is tried again later, and held back after `MOST_TRIES`.
    """
    asked = 0
    async with database.alone(DEALER_LOCK) as is_alone:
        while is_alone and (claimed := await _claim(database)) is not None:
            mail_id, attempts = claimed
            asked += 1
            try:
                await take(database, mail_id)
            except StoreFailed as away:
                if isinstance(away, Missing):  # the mail itself is gone: no waiting brings it back
                    await _give_up(database, mail_id, str(away)[:500])
                    continue
                log.warning("mails wait for the store of files", why=str(away))
                await _put_off(database, mail_id)
                break
            except Exception as fault:
                log.exception("mail not taken", mail_id=mail_id, attempts=attempts)
                if attempts >= MOST_TRIES:
                    await _give_up(database, mail_id, f"{type(fault).__name__}: {fault}"[:500])
    return asked


async def _claim(database: Database) -> tuple[int, int] | None:
    """The next mail that is due, put off in the same moment in case its taking ends this process."""
    at = now()
    due = (
        select(IncomingMail.id, IncomingMail.attempts)
        .where(IncomingMail.outcome == "PENDING", IncomingMail.next_at <= at)
        .order_by(IncomingMail.next_at, IncomingMail.id)
        .limit(1)
    )
    async with database.transaction() as session:
        row = (await session.execute(due)).first()
        if row is None:
            return None
        attempts = row.attempts + 1
        values = {"attempts": attempts, "next_at": at + wait_before(attempts)}
        await session.execute(update(IncomingMail).where(IncomingMail.id == row.id).values(**values))
    if attempts > MOST_TRIES:  # it ended the process each time
        await _give_up(database, row.id, "taking it in breaks off each time")
        return await _claim(database)
    return row.id, attempts


async def _put_off(database: Database, mail_id: int) -> None:
    """Not the mail's fault: due again in a while, with all its tries before it."""
    values = {"attempts": IncomingMail.attempts - 1, "next_at": now() + STORE_AWAY}
    async with database.transaction() as session:
        await session.execute(
            update(IncomingMail).where(IncomingMail.id == mail_id, IncomingMail.outcome == "PENDING").values(**values)
        )


async def _give_up(database: Database, mail_id: int, why: str) -> None:
    async with database.transaction() as session:
        row = await session.get(IncomingMail, mail_id, with_for_update=True)
        if row is None or row.outcome != "PENDING":
            return
        row.outcome, row.reason, row.settled_at = "QUARANTINED", why, now()
        box = await session.get(Mailbox, row.mailbox_id) if row.mailbox_id else None
        await session.flush()
        await hold_back(session, mail_id, box.name if box else "", why)
