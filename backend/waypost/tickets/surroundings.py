"""What stands beside a ticket on its page: who watches it. One request, at most three statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.tickets import watching
from waypost.tickets.queries import find_ticket
from waypost.tickets.working_models import TicketWatcher


async def surroundings(session: AsyncSession, actor: Actor, ticket_id: int) -> dict[str, Any]:
    """Everything beside one ticket that this person may see."""
    found = await find_ticket(session, actor, ticket_id)
    watchers = (
        await session.scalars(
            select(TicketWatcher).where(TicketWatcher.ticket_id == ticket_id).order_by(TicketWatcher.created_at)
        )
    ).all()
    people = await names.people(session, [w.user_id for w in watchers])
    may_choose = watching.may_choose_watchers(actor, found.facts)
    return {
        "watchers": [
            {"person": people[w.user_id], "gives_sight": w.gives_sight, "since": rfc3339(w.created_at)}
            for w in watchers
            if w.user_id in people
        ],
        "is_watching": any(w.user_id == actor.user_id for w in watchers),
        "allowed_actions": ["choose_watchers"] if may_choose else [],
    }
