"""What is answered to a mail: that it was taken, that it has to be completed, or, once a day, that it was not.

Such an answer is marked as one (RFC 3834), so nothing answers it, and goes to people only.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.settings import get_settings
from waypost.notifications.choices import EMAIL
from waypost.notifications.incoming import matching
from waypost.notifications.incoming.reading import Arrived
from waypost.notifications.incoming.taking_events import MailAnswered
from waypost.notifications.models import Delivery
from waypost.notifications.rendering import one_line
from waypost.notifications.words import Words
from waypost.tickets.models import Ticket

TAKEN, TO_COMPLETE, REFUSED = "mail.taken", "mail.to_complete", "mail.refused"
ONCE = timedelta(days=1)  # a sender is refused in words so often at most
BECAUSE = "you wrote to us by mail"


def taken(ticket: Ticket) -> Words:
    """That a mail has become a request."""
    return Words(
        title=f"We have your request: {ticket.title}",
        body="Your mail has become a request. You can follow it in Waypost, and answer by mail.",
        number=ticket.ticket_number,
        ticket_id=ticket.id,
        link=f"{get_settings().origin}/tickets/{ticket.id}",
        action="Open the request",
        because=BECAUSE,
    )


def to_complete(ticket: Ticket) -> Words:
    """That a mail has become a draft, because its form asks for more than a mail says."""
    return Words(
        title=f"Please complete your request: {ticket.title}",
        body=(
            "Your mail is kept as a draft. This kind of request asks for more than a mail can say, so nobody has been "
            "asked yet: please open it, fill in what is missing and submit it."
        ),
        number=ticket.ticket_number,
        ticket_id=ticket.id,
        link=f"{get_settings().origin}/tickets/{ticket.id}",
        action="Complete the request",
        because=BECAUSE,
    )


def refused(subject: str, why: str) -> Words:
    """That a mail was not taken."""
    return Words(
        title=f"Your mail was not taken: {subject[:100]}",
        body=f"{why}\n\nNothing was done with it.",
        link=get_settings().origin,
        action="Open Waypost",
        because=BECAUSE,
    )


async def answer(
    session: AsyncSession,
    mail_id: int,
    mail: Arrived,
    to: str,
    user_id: int | None,
    kind: str,
    words: Words,
    *,
    reply_to: str | None = None,
) -> bool:
    """Have it sent, in the thread of the mail it answers; whether it will be. A refusal goes to an address once a day.

    `reply_to` is where an answer to this answer is read.
    """
    if not to or not matching.may_be_answered(mail):
        return False
    at = now()
    if kind == REFUSED:
        before = select(Delivery.id).where(
            Delivery.kind == REFUSED, Delivery.recipient == to, Delivery.created_at > at - ONCE
        )
        if await session.scalar(before.limit(1)) is not None:
            return False
    event_id = await record(session, MailAnswered(mail_id=mail_id, kind=kind), actor=SYSTEM, at=at)
    headers = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", "X-Loop": own_address()}
    if mail.message_id and mail.message_id.isascii() and len(mail.message_id) <= 250:
        headers |= {"In-Reply-To": mail.message_id, "References": mail.message_id}
    if words.number:
        headers["X-Waypost-Ticket"] = words.number
    if reply_to:
        headers["Reply-To"] = reply_to
    await session.execute(
        insert(Delivery).values(
            channel=EMAIL,
            user_id=user_id,
            event_id=event_id,
            kind=kind,
            recipient=to,
            subject=one_line(words.subject),
            words=words.kept(),
            headers=headers,
            message_id=f"<{event_id}.{user_id or 0}@{get_settings().mail_domain}>",
            status="PENDING",
            next_at=at,
            created_at=at,
        )
    )
    return True


def own_address() -> str:
    """The address mails of ours come from, without a name."""
    return get_settings().mail_from.rpartition("<")[2].rstrip("> ")
