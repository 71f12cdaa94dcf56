"""What somebody waits on: each of their requests that is not over, who holds it now, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Select, and_, bindparam, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals.queries import asked_now
from waypost.catalog.models import TicketType
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.tickets import lifecycle
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a request now, and the word for what they do next with it. Nobody: it lies with the administrators."""

    people: tuple[int, ...] = ()
    team_id: int | None = None
    next_step: str = ""


def holder(
    status: Status,
    *,
    requester_id: int,
    assignee_id: int | None,
    team_id: int | None,
    approver_ids: tuple[int, ...],
) -> Holder:
    """Who holds a request that is not over. `approver_ids` are those who are asked and have not answered."""
    match status:
        case Status.DRAFT:
            return Holder((requester_id,), None, "SUBMIT")
        case Status.SUBMITTED | Status.IN_REVIEW:
            return Holder(approver_ids, None, "DECIDE")
        case Status.PENDING_INFO:
            return Holder((requester_id,), None, "ANSWER")
        case Status.COMPLETED:
            return Holder((requester_id,), None, "CONFIRM")
    step = "START" if status is Status.APPROVED else "COMPLETE"
    return Holder((), team_id, step) if assignee_id is None else Holder((assignee_id,), None, step)


@lru_cache
def _statement(*, follows: bool) -> Select[*tuple[Any, ...]]:
    """One's own and what one asked for others, each a bounded walk of its index; then who is asked about them."""
    me, limit = bindparam("me", type_=BigInteger), bindparam("rows", type_=BigInteger)
    keys = [
        (Ticket.created_at, bindparam("last", type_=DateTime(timezone=True)), True),
        (Ticket.id, bindparam("last_id", type_=BigInteger), True),
    ]
    is_open = and_(Ticket.status.not_in(sorted(lifecycle.OVER)), after(keys) if follows else true())
    order = (Ticket.created_at.desc(), Ticket.id.desc())
    walks = [
        select(Ticket.id).where(way, is_open).order_by(*order).limit(limit).subquery()
        for way in (
            Ticket.requester_id == me,
            and_(Ticket.created_by_id == me, Ticket.created_by_id != Ticket.requester_id),
        )
    ]
    ids = union_all(*(select(walk.c.id) for walk in walks)).subquery()
    asked = asked_now("ticket", Ticket.id)
    return (
        select(
            Ticket.id,
            Ticket.ticket_number,
            Ticket.title,
            Ticket.ticket_type,
            TicketType.name.label("type_name"),
            Ticket.status,
            Ticket.priority,
            Ticket.requester_id,
            Ticket.assignee_id,
            Ticket.team_id,
            Ticket.due_date,
            Ticket.created_at,
            Ticket.updated_at,
            asked.c.approver_ids,
            asked.c.requested_at,
            asked.c.due_at,
        )
        .join(TicketType, TicketType.id == Ticket.ticket_type_id)
        .outerjoin(asked, Ticket.status.in_([Status.SUBMITTED.value, Status.IN_REVIEW.value]))
        .where(Ticket.id.in_(select(ids.c.id)))
        .order_by(*order)
        .limit(limit)
    )


async def waiting_page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """One's requests that are not over, the newest first: `{items, next_cursor}`. One statement when names are known."""
    values: dict[str, Any] = {"me": actor.user_id, "rows": limit + 1}
    if cursor:
        values["last"], values["last_id"] = decode_cursor(cursor, "waiting", datetime, int)
    rows = (await session.execute(_statement(follows=bool(cursor)), values)).all()
    page = [
        (
            row,
            holder(
                Status(row.status),
                requester_id=row.requester_id,
                assignee_id=row.assignee_id,
                team_id=row.team_id,
                approver_ids=tuple(row.approver_ids or ()),
            ),
        )
        for row in rows[:limit]
    ]
    people = await names.people(session, [i for row, held in page for i in (row.requester_id, *held.people)])
    teams = await names.teams(session, [held.team_id for _, held in page])
    items = [
        {
            "id": row.id,
            "ticket_number": row.ticket_number,
            "title": row.title,
            "ticket_type": row.ticket_type,
            "ticket_type_name": row.type_name,
            "status": row.status,
            "priority": row.priority,
            "requester": people.get(row.requester_id),
            "due_date": row.due_date and rfc3339(row.due_date),
            "created_at": rfc3339(row.created_at),
            "updated_at": rfc3339(row.updated_at),
            "waits_for": {
                "is_you": actor.user_id in held.people,
                "people": [people[i] for i in held.people if i in people],
                "team": teams.get(held.team_id),
                "next_step": held.next_step,
                "since": row.requested_at and rfc3339(row.requested_at),
                "due_at": row.due_at and rfc3339(row.due_at),
            },
        }
        for row, held in page
    ]
    end = page[-1][0] if len(rows) > limit else None
    return {"items": items, "next_cursor": encode_cursor("waiting", end.created_at, end.id) if end else None}
