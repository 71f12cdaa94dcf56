"""Who wrote a mail, and which request it is about: `matching`'s questions, asked of the database."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications.incoming import matching
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.reading import Arrived
from waypost.notifications.models import Delivery
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.models import Ticket, TicketComment
from waypost.tickets.queries import any_ticket
from waypost.tickets.watching import watchers_of

TAKEN = ("TICKET", "COMMENT")
_OURS = re.compile(r"<(\d{1,18})\.(\d{1,18})@([^<>@]+)>")
_THREAD = re.compile(r"<ticket\.(\d{1,18})@([^<>@]+)>")


@dataclass(frozen=True, slots=True)
class Match:
    """The request a mail is about. `is_internal`: it answers what only the team reads."""

    ticket_id: int
    is_internal: bool = False


def reply_key() -> bytes:
    """The installation's key for the codes of reply addresses."""
    return hmac.digest(get_settings().signing_secret(), b"reply addresses", "sha256")


async def own_addresses(session: AsyncSession) -> set[str]:
    """The addresses mail of ours comes from or comes in by."""
    boxes = await session.scalars(select(func.lower(Mailbox.address)))
    sender = parseaddr(get_settings().mail_from)[1]
    return {matching.without_detail(address) for address in (*boxes, sender) if address}


async def person_with(session: AsyncSession, address: str) -> int | None:
    """The active person with this mail address."""
    wanted = select(User.id).where(func.lower(User.email) == address, User.is_active)
    found: int | None = await session.scalar(wanted) if address else None
    return found


async def taken_of_late(session: AsyncSession, address: str) -> int:
    """How many mails of this sender were taken within the last hour."""
    of_late = select(func.count()).where(
        IncomingMail.from_address == address,
        IncomingMail.created_at > now() - timedelta(hours=2),
        IncomingMail.settled_at > now() - timedelta(hours=1),
        IncomingMail.outcome.in_(TAKEN),
    )
    return await session.scalar(of_late) or 0


async def meant(session: AsyncSession, mail: Arrived, user_id: int | None) -> Match | None:
    """The request a mail is about, in the order `matching` gives; None for a new one.

    `user_id` is who wrote it. A code of somebody else's says which request it is as well; who they are, it does not.
    """
    if matching.is_forwarded(mail.subject):
        return None
    signed = [s for address in mail.recipients if (s := matching.read_reply_address(address, reply_key()))]
    signed.sort(key=lambda s: s.user_id != user_id)
    ids = matching.answered_ids(mail)
    known = await _answered(session, ids, user_id)
    if signed:
        is_internal = signed[0].is_internal or (
            known is not None and known.ticket_id == signed[0].ticket_id and known.is_internal
        )
        return Match(await _kept(session, signed[0].ticket_id), is_internal)
    if known is not None or user_id is None:
        return known
    return await _numbered(session, mail, ids, user_id)


async def _kept(session: AsyncSession, ticket_id: int) -> int:
    """The request that goes on with this one, where it was merged into another."""
    into = await session.scalar(select(Ticket.merged_into_id).where(Ticket.id == ticket_id))
    return into or ticket_id


async def _answered(session: AsyncSession, ids: Sequence[str], user_id: int | None) -> Match | None:
    """By the mails of ours they were sent themselves, then by mails that were taken before."""
    if not ids:
        return None
    ours = await _told(session, ids, user_id) if user_id is not None else None
    if ours is not None:
        return ours
    earlier = (
        select(IncomingMail.ticket_id, TicketComment.visibility)
        .join(TicketComment, TicketComment.id == IncomingMail.comment_id, isouter=True)
        .where(
            IncomingMail.message_id.in_(ids),
            IncomingMail.outcome.in_(TAKEN),
            IncomingMail.ticket_id.is_not(None),
        )
        .order_by(IncomingMail.id)
        .limit(1)
    )
    row = (await session.execute(earlier)).first()
    if row is None or row.ticket_id is None:
        return None
    return Match(await _kept(session, row.ticket_id), row.visibility == "INTERNAL")


async def _told(session: AsyncSession, ids: Sequence[str], user_id: int) -> Match | None:
    domain = get_settings().mail_domain
    named = [m for i in ids if (m := _OURS.fullmatch(i)) and m[3] == domain and int(m[2]) == user_id]
    if not named:
        return None
    told = select(Delivery).where(
        Delivery.event_id.in_([int(m[1]) for m in named]),
        Delivery.user_id == user_id,
        Delivery.channel == "email",
    )
    rows = {row.message_id: row for row in await session.scalars(told)}
    row = next((rows[m[0]] for m in named if m[0] in rows and rows[m[0]].words.get("ticket_id")), None)
    if row is None:
        return None
    ticket_id = int(row.words["ticket_id"])
    return Match(await _kept(session, ticket_id), await is_internal(session, [row]))


async def is_internal(session: AsyncSession, deliveries: Sequence[Delivery]) -> bool:
    """Whether anything in the mail these deliveries went out as is for the team alone."""
    bundles = [row.bundle for row in deliveries if row.bundle]
    users = [row.user_id for row in deliveries]
    of_mail = or_(
        Delivery.id.in_([row.id for row in deliveries]),
        (Delivery.bundle.in_(bundles)) & (Delivery.user_id.in_(users)) & (Delivery.channel == "email"),
    )
    internal = (
        select(EventRow.id)
        .join(Delivery, Delivery.event_id == EventRow.id)
        .where(of_mail, EventRow.data["visibility"].astext == "INTERNAL")
        .limit(1)
    )
    return await session.scalar(internal) is not None


async def _numbered(session: AsyncSession, mail: Arrived, ids: Sequence[str], user_id: int) -> Match | None:
    """By a number in the subject, or the thread our mails are in: both can be guessed, so only for who has a part in it."""
    domain = get_settings().mail_domain
    threads = [int(m[1]) for i in ids if (m := _THREAD.fullmatch(i)) and m[2] == domain]
    numbers = matching.numbers_in(mail.subject)
    if not threads and not numbers:
        return None
    wanted = or_(Ticket.id.in_(threads), Ticket.ticket_number.in_(numbers))
    rows = await session.execute(select(Ticket.id, Ticket.merged_into_id).where(wanted).order_by(Ticket.id).limit(10))
    found = {row.id: row.merged_into_id for row in rows}
    for ticket_id in (*(t for t in threads if t in found), *found):
        if await takes_part(session, ticket_id, user_id):
            return Match(found[ticket_id] or ticket_id)
    return None


async def takes_part(session: AsyncSession, ticket_id: int, user_id: int) -> bool:
    """Whether somebody has a part in a request already: it is theirs, they work on it, decide it, watch it, or spoke."""
    try:
        facts = (await any_ticket(session, ticket_id)).facts
    except TicketNotFound:
        return False
    people = {facts.requester_id, facts.created_by_id, facts.assignee_id}
    people |= facts.approver_ids | facts.invited_ids | facts.deputy_ids
    if user_id in people or user_id in await watchers_of(session, ticket_id):
        return True
    spoke = select(TicketComment.id).where(TicketComment.ticket_id == ticket_id, TicketComment.author_id == user_id)
    return await session.scalar(spoke.limit(1)) is not None
