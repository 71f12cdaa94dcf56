"""The dashboard's numbers, under the reader's permissions, in one statement over the tickets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Date, cast, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals.queries import count_pending
from waypost.kernel.clock import now
from waypost.tickets import policy
from waypost.tickets.lifecycle import Priority, Status
from waypost.tickets.models import Ticket

TREND_DAYS = 30


async def dashboard(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """The contract's six members.

    `sla_compliance` is the share (0 to 1) of completed tickets with a due date that were completed by it;
    `average_resolution_hours` runs from submission to completion; both are null when there is nothing to judge.
    `trend` has one entry for each of the last 30 days (UTC).
    """
    at = now()
    seen = (
        select(
            Ticket.status, Ticket.priority, Ticket.created_at, Ticket.submitted_at, Ticket.completed_at, Ticket.due_date
        )
        .where(policy.visible_to(actor))
        .cte("seen")
    )
    done = seen.c.completed_at.is_not(None)
    due = done & seen.c.due_date.is_not(None)
    hours = func.extract("epoch", seen.c.completed_at - seen.c.submitted_at) / 3600
    by_status = select(literal("status").label("what"), seen.c.status.label("word"), func.count().label("n")).group_by(
        seen.c.status
    )
    by_priority = select(literal("priority"), seen.c.priority, func.count()).group_by(seen.c.priority)
    first = (at - timedelta(days=TREND_DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    created = _per_day("created", seen.c.created_at, first)
    completed = _per_day("completed", seen.c.completed_at, first)
    due_count = select(literal("due"), literal(""), func.count()).where(due).select_from(seen)
    kept_count = (
        select(literal("kept"), literal(""), func.count()).where(due, seen.c.completed_at <= seen.c.due_date)
    ).select_from(seen)
    minutes = (
        select(literal("minutes"), literal(""), func.coalesce(func.round(func.avg(hours) * 60), -1))
        .where(done, seen.c.submitted_at.is_not(None))
        .select_from(seen)
    )
    rows = (
        await session.execute(
            union_all(by_status, by_priority, created, completed, due_count, kept_count, minutes), policy.values(actor)
        )
    ).all()
    counted: dict[str, dict[str, int]] = {}
    for what, word, n in rows:
        counted.setdefault(what, {})[word] = int(n)
    due_n, kept_n = counted["due"][""], counted["kept"][""]
    average = counted["minutes"][""]
    return {
        "tickets_by_status": {s.value: counted.get("status", {}).get(s.value, 0) for s in Status},
        "tickets_by_priority": {p.value: counted.get("priority", {}).get(p.value, 0) for p in Priority},
        "pending_approvals": await count_pending(session, actor),
        "sla_compliance": round(kept_n / due_n, 4) if due_n else None,
        "average_resolution_hours": round(average / 60, 2) if average >= 0 else None,
        "trend": [
            {
                "date": day,
                "created": counted.get("created", {}).get(day, 0),
                "completed": counted.get("completed", {}).get(day, 0),
            }
            for day in ((first + timedelta(days=n)).date().isoformat() for n in range(TREND_DAYS))
        ],
    }


def _per_day(what: str, column: Any, first: datetime) -> Any:
    day = cast(func.timezone("UTC", column), Date)
    return select(literal(what), func.to_char(day, "YYYY-MM-DD"), func.count()).where(column >= first).group_by(day)
