"""A dry run of routing rules: what they would have done with the tickets of late. Nothing is written."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.catalog.models import TicketType
from waypost.directory.names import names
from waypost.tickets import policy, routing, rules
from waypost.tickets.errors import RehearsalRunning
from waypost.tickets.models import Ticket
from waypost.tickets.reviewing import facts_of
from waypost.tickets.routing import Company, Decision, Rule
from waypost.tickets.routing_models import TicketRouting

MOST = 500
_alone = threading.Lock()  # a dry run takes a second of a core: one at a time in each process

_COLUMNS = (
    Ticket.id,
    Ticket.ticket_number,
    Ticket.title,
    Ticket.ticket_type,
    Ticket.status,
    Ticket.priority,
    Ticket.amount,
    Ticket.currency,
    Ticket.department_id,
    Ticket.requester_id,
    Ticket.assignee_id,
    Ticket.team_id,
    Ticket.due_date,
    Ticket.custom_fields,
    TicketType.team_id.label("type_team_id"),
    TicketRouting.priority.label("routed_priority"),
    TicketRouting.before,
    TicketRouting.way,
)


class _AsSent:
    """A ticket's row with the priority it was sent with: what earlier rules set is not the requester's word."""

    def __init__(self, row: Any) -> None:
        self._row = row
        is_theirs = row.before is None or row.priority != row.routed_priority
        self.priority = row.priority if is_theirs else row.before["priority"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


async def rehearse(session: AsyncSession, actor: Actor, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """What these rules would do with the newest `MOST` tickets the caller may see, compared with what those have now.

    One statement for the tickets, at most two for what the rules name. Raises `RehearsalRunning`, and what `rules.check` raises.
    """
    if _alone.locked():
        raise RehearsalRunning
    checked, _ = await rules.check(session, documents)
    rows = (
        await session.execute(
            select(*_COLUMNS)
            .join(TicketType, TicketType.id == Ticket.ticket_type_id)
            .outerjoin(TicketRouting, TicketRouting.ticket_id == Ticket.id)
            .where(Ticket.submitted_at.is_not(None), policy.visible_to(actor))
            .order_by(Ticket.created_at.desc(), Ticket.id.desc())
            .limit(MOST),
            policy.values(actor),
        )
    ).all()
    there = await rules.company(session, checked, *{r.type_team_id for r in rows})
    # Five hundred tickets through two hundred rules take a moment, in which others are answered and have the connection.
    await session.close()
    decided = await asyncio.to_thread(_decide_all, checked, rows, there)
    teams = await names.teams(session, [i for r, d in decided for i in (r.team_id, r.type_team_id, d.team_id)])
    items = [item for row, decision in decided if (item := _item(row, decision, teams)) is not None]
    held = Counter(f.rule.key for _, d in decided for f in d.fired)
    took = Counter(f.rule.key for _, d in decided for f in d.fired if f.gave)
    broken = Counter(s.rule.key for _, d in decided for s in d.skipped)
    never = routing.unreachable(checked)
    return {
        "looked_at": len(rows),
        "routed": sum(1 for _, d in decided if d.fired),
        "different": sum(1 for item in items if item["differs"]),
        "rules": [
            {
                "key": r.key,
                "name": r.name,
                "held": held[r.key],
                "took_effect": took[r.key],
                "skipped": broken[r.key],
                "unreachable": never.get(r.key),
                "broken": routing.fault(r, there),
            }
            for r in checked
        ],
        "items": items,
    }


def _decide_all(checked: tuple[Rule, ...], rows: Any, there: Company) -> list[tuple[Any, Decision]]:
    # held by the thread: it goes on computing when who asked has gone
    if not _alone.acquire(blocking=False):
        raise RehearsalRunning
    try:
        return [(row, routing.decide(checked, facts_of(_AsSent(row)), there, team_id=row.type_team_id)) for row in rows]
    finally:
        _alone.release()


def _item(row: Any, decision: Decision, teams: dict[int | None, dict[str, Any]]) -> dict[str, Any] | None:
    """What would be different for a ticket; None when the rules say nothing of it and it is as without them."""
    sent = _AsSent(row)
    team_id = decision.team_id or row.type_team_id
    priority = decision.priority or sent.priority
    differs = [
        word
        for word, now, then in (
            ("team", row.team_id, team_id),
            ("priority", row.priority, priority),
            ("way", row.way, decision.way),
        )
        if now != then
    ]
    if not decision.fired and not decision.skipped and not differs:
        return None
    return {
        "ticket": {"id": row.id, "ticket_number": row.ticket_number, "title": row.title, "status": row.status},
        "rules": [f.rule.name for f in decision.fired],
        "skipped": [{"rule": s.rule.name, "reason": s.reason} for s in decision.skipped],
        "differs": differs,
        "now": {"team": teams.get(row.team_id), "priority": row.priority, "way": row.way},
        "then": {"team": teams.get(team_id), "priority": priority, "way": decision.way},
    }
