"""Where an answer to a mail of ours goes: to a mailbox, with a code that says which request and who was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.notifications.incoming.finding import reply_key
from waypost.notifications.incoming.matching import read_reply_address, reply_address
from waypost.notifications.incoming.models import Mailbox
from waypost.tickets.models import Ticket

HEADER = "Reply-To"


async def mailbox_for(session: AsyncSession, ticket: Ticket) -> str | None:
    """The address of the mailbox that is read for this kind of request, else of the first that is read at all."""
    is_others = Mailbox.ticket_type_id != ticket.ticket_type_id
    found: str | None = await session.scalar(
        select(Mailbox.address).where(Mailbox.is_on).order_by(is_others, Mailbox.id).limit(1)
    )
    return found


def reply_to(mailbox: str | None, ticket_id: int, user_id: int, *, is_internal: bool) -> dict[str, str]:
    """The header of a mail to one person about one request; none where no mailbox is read."""
    if mailbox is None:
        return {}
    return {HEADER: reply_address(mailbox, ticket_id, user_id, reply_key(), is_internal=is_internal)}


def of_all(headers: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The headers of a mail that tells several notices: an answer is to one request or to none, and to the team alone
    when one of them was."""
    first = dict(headers[0])
    written = [h.get(HEADER) for h in headers]
    if len(set(written)) == 1:
        return first
    first.pop(HEADER, None)
    signed = [(a, read_reply_address(a, reply_key())) for a in written if a]
    meant = {s.ticket_id for _, s in signed if s}
    if len(meant) == 1 and len(signed) == len(written) and all(s for _, s in signed):
        first[HEADER] = next((a for a, s in signed if s and s.is_internal), signed[0][0])
    return first
