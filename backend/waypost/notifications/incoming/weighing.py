"""What a mail is to become: settled by what it is, or somebody's to be acted on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.notifications.incoming import finding, matching
from waypost.notifications.incoming.finding import Match
from waypost.notifications.incoming.matching import Nature
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.reading import Arrived


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail: one of `models.OUTCOMES`, and why in words for the log."""

    word: str
    reason: str | None = None
    ticket_id: int | None = None
    comment_id: int | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A person's mail, before anything is done: who acts, and on which request. `is_stranger`: in somebody's name."""

    user_id: int
    match: Match | None
    is_stranger: bool = False


async def decide(session: AsyncSession, box: Mailbox, mail: Arrived) -> Outcome | Intent:
    """What a mail is to become, as far as that is known before it is done; nothing is changed."""
    judged = matching.judge(mail, await finding.own_addresses(session))
    if judged.nature is Nature.BOUNCE:
        return Outcome("BOUNCE", judged.why)
    if judged.nature is Nature.OURS:
        return Outcome("IGNORED", judged.why)
    user_id = await finding.person_with(session, mail.sender)
    if judged.nature is not Nature.PERSON:
        # filed at its request, where it can be told; no clock stops, and nothing is re-opened
        about = await finding.meant(session, mail, user_id)
        word = "AUTO_REPLY" if judged.nature is Nature.AUTO_REPLY else "IGNORED"
        return Outcome(word, judged.why, about.ticket_id if about else None, user_id=user_id)
    if not mail.sender:
        return Outcome("QUARANTINED", "it names no sender, or several")
    if box.authserv_id and not matching.is_authentic(mail, box.authserv_id):
        return Outcome("QUARANTINED", f"{box.authserv_id} did not find that it comes from {mail.sender}")
    if await finding.taken_of_late(session, mail.sender) >= matching.MOST_AN_HOUR:
        return Outcome("QUARANTINED", f"more than {matching.MOST_AN_HOUR} mails of this sender within an hour")
    if user_id is not None:
        return Intent(user_id, await finding.meant(session, mail, user_id))
    if box.unknown_senders == "ACCEPT" and box.accept_as_user_id is not None:
        return Intent(box.accept_as_user_id, await _same_stranger(session, mail), is_stranger=True)
    if box.unknown_senders == "REFUSE":
        return Outcome("REFUSED", "nobody here has the address it comes from")
    return Outcome("QUARANTINED", "nobody here has the address it comes from")


async def _same_stranger(session: AsyncSession, mail: Arrived) -> Match | None:
    """The request a stranger's earlier mail has become, when this one answers it."""
    ids = matching.answered_ids(mail)
    earlier = select(IncomingMail.ticket_id).where(
        IncomingMail.message_id.in_(ids),
        IncomingMail.from_address == mail.sender,
        IncomingMail.outcome.in_(finding.TAKEN),
        IncomingMail.ticket_id.is_not(None),
    )
    ticket_id = await session.scalar(earlier.order_by(IncomingMail.id).limit(1)) if ids else None
    return Match(ticket_id) if ticket_id is not None else None
