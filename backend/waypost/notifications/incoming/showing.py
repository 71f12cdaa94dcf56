"""The mail behind a comment, for whoever may read the comment: its words in full, without what is its reader's alone."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import rfc3339
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.errors import Unavailable
from waypost.kernel.logs import get_logger
from waypost.notifications.errors import OriginalNotFound
from waypost.notifications.incoming.models import IncomingMail
from waypost.notifications.incoming.originals import read_original
from waypost.notifications.incoming.reading import Arrived, Unreadable, read
from waypost.notifications.incoming.wording import without_secrets
from waypost.tickets.talking import find_comment
from waypost.vendors.object_store import Missing, StoreFailed

log = get_logger(__name__)


async def original_of(database: Database, actor: Actor, ticket_id: int, comment_id: int) -> dict[str, Any]:
    """The mail a comment came by. No session is open while it is read from the store.

    Raises `TicketNotFound`, `CommentNotFound`, `OriginalNotFound` (also for a comment that was taken back),
    `Unavailable`.
    """
    async with database.read() as session:
        row = await _mail_of(session, actor, ticket_id, comment_id)
    try:
        mail = await asyncio.to_thread(read, await read_original(row))
    except Missing as gone:
        raise OriginalNotFound("The original mail is kept no longer.") from gone
    except (StoreFailed, Damaged) as failed:
        log.exception("original cannot be read", mail_id=row.id)
        raise Unavailable("The original mail cannot be read at the moment.", retry_after=30) from failed
    if isinstance(mail, Unreadable):
        raise OriginalNotFound("The original mail cannot be shown.")
    return _json(row, mail)


async def _mail_of(session: AsyncSession, actor: Actor, ticket_id: int, comment_id: int) -> IncomingMail:
    said = await find_comment(session, actor, ticket_id, comment_id)
    row = None
    if said.comment.removed_at is None:
        wanted = select(IncomingMail).where(IncomingMail.comment_id == comment_id).order_by(IncomingMail.id).limit(1)
        row = await session.scalar(wanted)
    if row is None:
        raise OriginalNotFound
    return row


def _json(row: IncomingMail, mail: Arrived) -> dict[str, Any]:
    sender = next(iter(mail.senders), None)
    recipients = (without_secrets(address) for address in mail.recipients)
    return {
        "sender": {"name": sender.name if sender else "", "email": sender.email if sender else ""},
        "recipients": list(dict.fromkeys(recipients))[:50],
        "subject": without_secrets(mail.subject)[:500],
        "sent_at": mail.sent_at and rfc3339(mail.sent_at),
        "received_at": rfc3339(row.received_at),
        "text": without_secrets(mail.text),
        "files": [file.name for file in mail.files],
    }
