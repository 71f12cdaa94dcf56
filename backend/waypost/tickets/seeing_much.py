"""Who sees so many tickets that a list is found sooner by looking at each one of all than at all of theirs.

One who approves may have been asked about a twentieth of all tickets, and their people may have asked for as many. No index has
these in a list's order, so a list of one who sees few takes all of theirs and sorts them. Of one who sees many, the next in an
index of all tickets is soon one of theirs.
"""

from __future__ import annotations

import time

from sqlalchemy import ColumnElement, func, literal, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import subjects_seen_by
from waypost.tickets.models import Ticket

MANY = 2000  # tickets
ONE_IN = 300  # of all: fifty of theirs are found among fifteen thousand at the most
KEPT = 600.0  # seconds an answer is good for; it decides how fast a list is, never what it holds
_MOST_KEPT = 5000  # people
_all = text("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'tickets'::regclass")
_known: dict[tuple[int, int, int], tuple[float, bool]] = {}


def forget() -> None:
    """What is known is asked anew."""
    _known.clear()


async def sees_much(session: AsyncSession, actor: Actor) -> bool:
    """Whether they see many tickets as an approver, or because of their people or departments. At most two small statements."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None or scope is Scope.ALL:
        return False
    people = sorted(actor.report_ids) if scope >= Scope.LINE else []
    departments = sorted(actor.department_ids) if scope >= Scope.DEPARTMENT else []
    if not people and not departments and not actor.may(Permission.APPROVALS_DECIDE):
        return False
    who = (actor.user_id, len(people), len(departments))
    until, answer = _known.get(who, (0.0, False))
    if until > time.monotonic():
        return answer
    enough = max(MANY, (await session.scalar(_all) or 0) // ONE_IN)
    limit: ColumnElement[int] = literal_column(str(enough))
    parts = [
        subjects_seen_by("ticket", actor.user_id).limit(limit),
        select(literal(1)).where(Ticket.requester_id.in_(people)).limit(limit),
        select(literal(1)).where(Ticket.department_id.in_(departments)).limit(limit),
    ]
    counts = [select(func.count()).select_from(part.subquery()).scalar_subquery() for part in parts]
    seen = await session.scalar(select(sum(counts[1:], counts[0]))) or 0
    while len(_known) >= _MOST_KEPT:
        del _known[next(iter(_known))]
    _known[who] = (time.monotonic() + KEPT, seen >= enough)
    return _known[who][1]
