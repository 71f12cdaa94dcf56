"""Of one ticket that asks for two things, a second one: in the requester's name, with the words and files that belong to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.catalog.answers import answer_files
from waypost.directory.models import User
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import record
from waypost.tickets import events, linking, policy, reviewing, service
from waypost.tickets.errors import AttachmentIsAnswer, NotYours
from waypost.tickets.models import Attachment, Ticket, TicketComment
from waypost.tickets.queries import find_ticket


async def split(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    *,
    title: str,
    description: str,
    ticket_type: str,
    comment_ids: list[int],
    attachment_ids: list[int],
    custom_fields: dict[str, Any],
) -> Ticket:
    """Make a ticket of its own of what some public comments ask for; chosen files move there, the comments stay.

    It is submitted, as confidential and as urgent as the first, and linked to it. Raises `NotYours`, `AttachmentIsAnswer`,
    names what is not of this ticket, and what making a ticket is refused with.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    if not policy.may_split(actor, found.facts):
        raise NotYours
    origin = found.ticket
    said = select(TicketComment.id).where(
        TicketComment.ticket_id == ticket_id,
        TicketComment.id.in_(comment_ids),
        TicketComment.visibility == "PUBLIC",  # the new request is the requester's to read
        TicketComment.removed_at.is_(None),
    )
    _check_all(comment_ids, set(await session.scalars(said)), "/comment_ids", "is no public comment of this ticket")
    kept = select(Attachment.id).where(
        Attachment.ticket_id == ticket_id, Attachment.id.in_(attachment_ids), Attachment.visibility == "PUBLIC"
    )
    _check_all(attachment_ids, set(await session.scalars(kept)), "/attachment_ids", "is no public file of this ticket")
    if answer_files(found.form, origin.custom_fields) & set(attachment_ids):
        raise AttachmentIsAnswer("A chosen file answers a question of this request, and stays with the answer.")
    made = await service.create_ticket(
        session,
        actor,
        title=title,
        description=description,
        ticket_type=ticket_type,
        priority=origin.priority,
        due_date=None,
        custom_fields=custom_fields,
        amount=None,
        currency=None,
        submit=True,
        requester=await session.get_one(User, origin.requester_id),
        in_their_name=True,  # it may go to another team, and be confidential
        also_by=reviewing.written_by(origin),
        is_confidential=origin.is_confidential,
    )
    await session.execute(update(Attachment).where(Attachment.id.in_(attachment_ids)).values(ticket_id=made.id))
    await record(
        session,
        events.TicketSplit(ticket_id=ticket_id, other_ticket_id=made.id, comment_ids=comment_ids),
        actor=actor,
    )
    await linking.make_link(session, actor, "RELATES_TO", origin, made)
    return made


def _check_all(wanted: list[int], found: set[int], pointer: str, message: str) -> None:
    if wrong := [n for n, i in enumerate(wanted) if i not in found]:
        raise Invalid(errors=tuple(FieldError(f"{pointer}/{n}", message) for n in wrong))
