"""Putting a mail from quarantine where it belongs: as a comment on a request, by whoever looked at it."""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.errors import Unavailable
from waypost.kernel.events import record
from waypost.notifications.incoming import wording
from waypost.notifications.incoming.arrivals import quarantined
from waypost.notifications.incoming.errors import MailNotFound, MailNotReadable, MailNotWhole
from waypost.notifications.incoming.events import MailPutOnTicket
from waypost.notifications.incoming.models import IncomingMail
from waypost.notifications.incoming.originals import read_original
from waypost.notifications.incoming.reading import Arrived, Unreadable, read
from waypost.notifications.incoming.taking import CHANNEL, store_files
from waypost.tickets import handing_in, talking
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.models import Ticket
from waypost.tickets.queries import Found, find_ticket
from waypost.vendors.object_store import Missing, StoreFailed


async def put_on_ticket(database: Database, actor: Actor, mail_id: int, asked: str, visibility: str) -> None:
    """Make it a comment on the request of this number (or id), with its files.

    Raises `MailNotFound`, `NotQuarantined`, `MailNotWhole`, `MailNotReadable`, `TicketNotFound`, what commenting there
    raises, and `Unavailable` when the store fails; nothing is changed then.
    """
    async with database.read() as session:
        row = await session.get(IncomingMail, mail_id)
        if row is None:
            raise MailNotFound
        ticket_id = (await _place(session, actor, asked, visibility)).ticket.id
    if not row.is_whole:
        raise MailNotWhole
    mail = await _read(row)
    try:
        stored, left_out = await store_files(mail)
    except StoreFailed as failed:
        raise Unavailable("Files cannot be stored at the moment. Please try again shortly.", retry_after=30) from failed
    kept = False
    try:
        async with database.transaction() as session:
            held = await quarantined(session, mail_id)
            found = await find_ticket(session, actor, ticket_id, lock=True)
            talking.check_may_say(actor, found, visibility)
            files = stored[: await handing_in.room_for(session, ticket_id)]
            late = [f"{len(stored) - len(files)} files: a request holds no more"] if len(files) < len(stored) else []
            written = wording.reply(mail, [*left_out, *late], has_files=bool(files), is_stranger=True)
            comment = await talking.keep_comment(session, actor, found.ticket, written.body, visibility, [])
            comment.channel = CHANNEL  # so the mail behind it is found there
            await handing_in.keep_files(session, actor, ticket_id, files, visibility=visibility)
            at = now()
            held.outcome, held.settled_at = "COMMENT", at
            held.ticket_id, held.comment_id = ticket_id, comment.id
            await session.flush()
            placed = MailPutOnTicket(mail_id=mail_id, ticket_id=ticket_id, comment_id=comment.id)
            await record(session, placed, actor=actor, at=at)
        kept = True
    finally:
        await handing_in.drop_files(stored[len(files) :] if kept else stored)


async def _place(session: AsyncSession, actor: Actor, asked: str, visibility: str) -> Found:
    """The request, when this person may say something there. Raises `TicketNotFound` and what commenting raises."""
    wanted = asked.strip().removeprefix("#")
    same = Ticket.ticket_number == wanted.upper()
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        same = Ticket.id == int(wanted)
    ticket_id = await session.scalar(select(Ticket.id).where(same))
    if ticket_id is None:
        raise TicketNotFound
    found = await find_ticket(session, actor, ticket_id)
    talking.check_may_say(actor, found, visibility)
    return found


async def _read(row: IncomingMail) -> Arrived:
    try:
        mail = await asyncio.to_thread(read, await read_original(row))
    except (Missing, Damaged) as gone:
        raise MailNotReadable from gone
    except StoreFailed as failed:
        raise Unavailable("This mail cannot be read at the moment.", retry_after=30) from failed
    if isinstance(mail, Unreadable):
        raise MailNotReadable
    return mail
