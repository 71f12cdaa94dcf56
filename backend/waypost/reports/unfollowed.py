"""What happened since the sums were followed last: counted from the tickets themselves, so that states are never behind.

The worker follows the log every few seconds. Whoever decides a request and looks at the numbers then wants to see it in them:
of the few tickets the log tells of beyond the sums' position, what was counted is taken off and what is so now is added.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.reports.models import ReportFact
from waypost.reports.reading import Board, Cell, over_facts
from waypost.tickets import policy
from waypost.tickets.models import Ticket

STATE = "state"
MOST = 500  # tickets; when the worker is further behind, the sums are told as they are
_EVENTS = 5000  # of the log that are looked at, at most

# how far the sums have followed, and the tickets of what came after
_after = text(
    "SELECT p.txid::text, p.event_id, p.rebuild_next, ARRAY(SELECT DISTINCT e.object_id FROM"
    " (SELECT later.object_type, later.object_id FROM events later WHERE (later.txid, later.id) > (p.txid, p.event_id)"
    " AND p.rebuild_next IS NULL ORDER BY later.txid, later.id LIMIT :events) AS e"
    " WHERE e.object_type = 'ticket' LIMIT :most) FROM report_position p"
)
_position = text("SELECT txid::text, event_id, rebuild_next FROM report_position")


class Unfollowed(NamedTuple):
    """The tickets the sums are behind of, and how far the sums had followed then."""

    position: tuple[Any, ...]
    ticket_ids: list[int]


async def unfollowed(session: AsyncSession) -> Unfollowed:
    """What the sums are behind of."""
    *position, ids = (await session.execute(_after, {"events": _EVENTS, "most": MOST + 1})).one()
    return Unfollowed(tuple(position), [] if len(ids) > MOST else ids)


async def still_holds(session: AsyncSession, found: Unfollowed) -> bool:
    """Whether the sums stand where they stood: what was read since then belongs together. Of nothing it always does."""
    return not found.ticket_ids or tuple((await session.execute(_position)).one()) == found.position


async def states(session: AsyncSession, actor: Actor, board: Board, found: Unfollowed) -> list[Cell]:
    """Cells to add to those of `sums`, of tickets by status and priority; negative ones take off what is not so any more."""
    if not found.ticket_ids:
        return []
    facts = ReportFact.__table__.c
    cells = []
    for sign, of, mine, team, status, priority, sight in (
        (-1, facts.ticket_id, facts.requester_id, facts.team_id, facts.status, facts.priority, over_facts),
        (1, Ticket.id, Ticket.requester_id, Ticket.team_id, Ticket.status, Ticket.priority, _as_it_is),
    ):
        narrowed: list[ColumnElement[bool]] = []
        if board is Board.OWN:
            narrowed.append(mine == actor.user_id)
        elif board is Board.TEAM:
            narrowed.append(team.in_(sorted(actor.team_ids)))
        counted = (
            select(status, priority, func.count())
            .where(of.in_(found.ticket_ids), sight(policy.visible_to(actor)), *narrowed)
            .group_by(status, priority)
        )
        rows = (await session.execute(counted, policy.values(actor))).all()
        cells += [Cell(STATE, None, str(word), str(more), 0, sign * n, 0) for word, more, n in rows]
    return cells


def _as_it_is(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition
