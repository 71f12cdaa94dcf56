"""Whether what waits to be sent is still its reader's to read: a message can wait for hours, and a right end meanwhile."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actors_of_users
from waypost.notifications.models import Delivery
from waypost.notifications.settling import SETTLED
from waypost.tickets import policy
from waypost.tickets.queries import facts_by_id

INTERNAL = "is_internal"  # among what is kept of a message's words: it holds words of the team
WHY = "Not sent: they may not see this request any more."


async def not_theirs(session: AsyncSession, rows: Collection[Delivery]) -> set[int]:
    """The ids of the messages about requests (or of the team's words) that their readers may not see now.

    What replaces a message with its outcome goes out: it says nothing that did not stand there. Two statements at most.
    """
    about = [r for r in rows if r.user_id is not None and named_in(r) and r.kind != SETTLED]
    if not about:
        return set()
    readers = await actors_of_users(session, sorted({r.user_id for r in about if r.user_id is not None}))
    facts = await facts_by_id(session, sorted({i for r in about for i in named_in(r)}))
    return {r.id for r in about if not _may(readers, facts, r)}


def named_in(row: Delivery) -> set[int]:
    """The requests a message speaks of."""
    one = row.words.get("ticket_id")
    return {int(i) for i in (*row.words.get("ticket_ids", ()), *((one,) if one else ()))}


def _may(readers: dict[int, Actor], facts: dict[int, policy.TicketFacts], row: Delivery) -> bool:
    reader = readers.get(row.user_id or 0)
    if reader is None:
        return False
    is_internal = row.words.get(INTERNAL)
    return all(
        (ticket := facts.get(i)) is not None
        and policy.may_read(reader, ticket)
        and (not is_internal or policy.may_see_internal(reader, ticket))
        for i in named_in(row)
    )
