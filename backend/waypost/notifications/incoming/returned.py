"""Mails of ours that came back: what they were, and that nothing more goes to an address that is no more.

Anybody can write a report. One counts for a mail we sent to that recipient; for the address itself only when it gives
back that mail's own reply address, whose code nobody else can make.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.notifications.accounts import keep_point
from waypost.notifications.choices import EMAIL
from waypost.notifications.incoming import bounces, matching
from waypost.notifications.incoming.finding import reply_key
from waypost.notifications.incoming.reading import Arrived
from waypost.notifications.incoming.taking_events import AddressWorksAgain, MailReturned
from waypost.notifications.models import ContactPoint, Delivery

BELIEVED = timedelta(days=14)  # after a mail was sent its report is taken for one


async def note_returned(session: AsyncSession, mail_id: int, mail: Arrived) -> tuple[int | None, str]:
    """Write a report down at the mails it is about; the request they were about, and what it said."""
    report, at = bounces.report_of(mail), now()
    found: list[Delivery] = []
    said = "it names no mail of ours"
    for bounce in report.bounces:
        rows = await _sent(session, report.message_ids, bounce.recipient, at)
        if not rows:
            continue
        found += rows
        said = f"{bounce.recipient}: {bounce.why}"[:500]
        for row in rows:
            row.last_error = f"It came back. {bounce.why}"[:500]
            if bounce.is_permanent:
                row.status = "FAILED"
        user_id = rows[0].user_id
        is_gone = bounce.is_gone and user_id is not None and _is_proven(mail, user_id)
        if is_gone and user_id is not None:
            await keep_point(session, user_id, EMAIL, bounce.recipient, stopped_at=at, verified_at=None)
        returned = MailReturned(
            mail_id=mail_id,
            delivery_ids=tuple(row.id for row in rows),
            user_id=user_id,
            is_permanent=bounce.is_permanent,
            is_gone=is_gone,
        )
        await record(session, returned, actor=SYSTEM, at=at)
    ticket_id = next((row.words.get("ticket_id") for row in found if row.words.get("ticket_id")), None)
    return ticket_id, said


async def _sent(session: AsyncSession, message_ids: tuple[str, ...], recipient: str, at: datetime) -> list[Delivery]:
    """The deliveries that went out as one of these mails to this recipient, not long ago."""
    # a Message-ID of ours begins with the event's id, which an index finds
    events = [int(n) for i in message_ids if (n := i[1:].partition(".")[0]).isascii() and n.isdigit() and len(n) < 19]
    if not events:
        return []
    wanted = select(Delivery).where(
        Delivery.event_id.in_(events),
        Delivery.channel == EMAIL,
        Delivery.message_id.in_(message_ids),
        func.lower(Delivery.recipient) == recipient,
        Delivery.status.in_(("SENT", "FAILED")),
        Delivery.created_at > at - BELIEVED,
    )
    return list(await session.scalars(wanted.with_for_update()))


def _is_proven(mail: Arrived, user_id: int) -> bool:
    """Whether the mail that is given back bears the reply address we made for this person."""
    for name, value in mail.returned:
        if name == "reply-to":
            address = value.rpartition("<")[2].rstrip("> ")
            signed = matching.read_reply_address(address, reply_key())
            if signed is not None and signed.user_id == user_id:
                return True
    return False


async def note_works(session: AsyncSession, actor: Doer, user_id: int) -> None:
    """Mails go to this person's address again, if it had been given up: they wrote from it."""
    address = select(func.lower(User.email)).where(User.id == user_id).scalar_subquery()
    theirs = (ContactPoint.user_id == user_id, ContactPoint.channel == EMAIL, ContactPoint.address == address)
    again = update(ContactPoint).where(*theirs, ContactPoint.stopped_at.is_not(None)).values(stopped_at=None)
    if (await session.execute(again.returning(ContactPoint.id))).first() is not None:
        await record(session, AddressWorksAgain(user_id=user_id), actor=actor)


async def try_again(session: AsyncSession, delivery_ids: Sequence[int]) -> None:
    """Mails go again to the addresses these went to, though they came back: an administrator says so."""
    sent = select(Delivery.user_id, func.lower(Delivery.recipient)).where(
        Delivery.id.in_(delivery_ids), Delivery.channel == EMAIL
    )
    given_up = (ContactPoint.channel == EMAIL, ContactPoint.stopped_at.is_not(None))
    await session.execute(
        update(ContactPoint)
        .where(*given_up, tuple_(ContactPoint.user_id, ContactPoint.address).in_(sent))
        .values(stopped_at=None)
        .execution_options(synchronize_session=False)
    )
