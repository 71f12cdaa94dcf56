"""The checklist of a ticket: what is to be done before it is done. The team's to write, everybody's on the ticket to read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.kernel.events import record
from waypost.tickets import events, lifecycle, policy
from waypost.tickets.errors import ChecklistFull, NoSuchItem, NotYours
from waypost.tickets.lifecycle import Part
from waypost.tickets.models import Ticket
from waypost.tickets.queries import find_ticket
from waypost.tickets.working_models import ChecklistItem

MOST_ITEMS = 100


async def _to_write(session: AsyncSession, actor: Actor, ticket_id: int) -> tuple[Ticket, list[ChecklistItem]]:
    """The locked ticket and its items in their order."""
    found = await find_ticket(session, actor, ticket_id, lock=True)
    if Part.FULFILLER not in policy.parts_of(actor, found.facts):
        raise NotYours
    lifecycle.check_takes_more(found.facts.status, "The checklist of a closed ticket is not changed any more.")
    rows = select(ChecklistItem).where(ChecklistItem.ticket_id == ticket_id).order_by(ChecklistItem.position)
    return found.ticket, list((await session.scalars(rows)).all())


async def _counted(session: AsyncSession, ticket: Ticket) -> None:
    """Keep how far it is with the ticket, where lists read it. Like a comment it leaves `version` alone."""
    await session.flush()
    is_done = func.count().filter(ChecklistItem.is_done)
    total, done = (
        await session.execute(select(func.count(), is_done).where(ChecklistItem.ticket_id == ticket.id))
    ).one()
    ticket.checklist_total, ticket.checklist_done = total, done
    await session.flush()


async def add_item(session: AsyncSession, actor: Actor, ticket_id: int, *, text: str) -> ChecklistItem:
    """Put one more thing at the end. Raises `NotYours`, `TicketIsClosed`, `ChecklistFull`."""
    ticket, items = await _to_write(session, actor, ticket_id)
    if len(items) >= MOST_ITEMS:
        raise ChecklistFull(f"A checklist holds at most {MOST_ITEMS} items.")
    item = ChecklistItem(
        ticket_id=ticket_id,
        position=items[-1].position + 1 if items else 0,
        text=text,
        is_done=False,
        done_by_id=None,
        done_at=None,
        created_at=now(),
    )
    session.add(item)
    await _counted(session, ticket)
    await record(session, events.ChecklistItemAdded(ticket_id=ticket_id, item_id=item.id, text=text), actor=actor)
    return item


async def change_item(
    session: AsyncSession, actor: Actor, ticket_id: int, item_id: int, values: dict[str, Any]
) -> ChecklistItem:
    """Put it in other words (`text`), tick it or not (`is_done`), or move it (`position`, counted from 0)."""
    ticket, items = await _to_write(session, actor, ticket_id)
    item = next((i for i in items if i.id == item_id), None)
    if item is None:
        raise NoSuchItem
    at, is_done, text = now(), values.get("is_done"), values.get("text")
    if is_done is not None and is_done is not item.is_done:
        item.is_done = is_done
        item.done_by_id, item.done_at = (actor.user_id, at) if is_done else (None, None)
        ticked = events.ChecklistItemTicked(ticket_id=ticket_id, item_id=item_id, text=item.text, is_done=is_done)
        await record(session, ticked, actor=actor, at=at)
    if text is not None and text != item.text:
        old, item.text = item.text, text
        changed = events.ChecklistItemChanged(ticket_id=ticket_id, item_id=item_id, old_text=old, text=text)
        await record(session, changed, actor=actor, at=at)
    if values.get("position") is not None:
        items.remove(item)
        items.insert(min(values["position"], len(items)), item)
        for n, other in enumerate(items):
            other.position = n
    await _counted(session, ticket)
    return item


async def remove_item(session: AsyncSession, actor: Actor, ticket_id: int, item_id: int) -> None:
    """Take one off. Raises `NoSuchItem`, and what writing is refused with."""
    ticket, items = await _to_write(session, actor, ticket_id)
    item = next((i for i in items if i.id == item_id), None)
    if item is None:
        raise NoSuchItem
    await session.delete(item)
    await _counted(session, ticket)
    gone = events.ChecklistItemRemoved(ticket_id=ticket_id, item_id=item_id, text=item.text)
    await record(session, gone, actor=actor)
