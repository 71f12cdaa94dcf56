"""Reading one ticket with what permission depends on, and that of many at once. Lists and counts: `listing.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, ScalarSelect, Select, and_, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals.queries import people_asked_about
from waypost.approvals.standing import deputies_of
from waypost.catalog.models import FormVersion, TicketType
from waypost.kernel.clock import now
from waypost.tickets import policy
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.reading_log import note_read
from waypost.tickets.working_models import TicketWatcher


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket with what permission depends on and what its page shows beside it."""

    ticket: Ticket
    facts: policy.TicketFacts
    type_name: str
    form: dict[str, Any]


def _invited() -> ScalarSelect[Any]:
    """The ids of the watchers whom the team let in, of the outer query's ticket."""
    invited = select(TicketWatcher.user_id).where(TicketWatcher.ticket_id == Ticket.id, TicketWatcher.gives_sight)
    return invited.scalar_subquery()


def _deputies(*, open_only: bool = True) -> ScalarSelect[Any]:
    """The ids of those who see the outer query's ticket as somebody's deputy."""
    right_now = bindparam("right_now", type_=DateTime(timezone=True))
    return deputies_of("ticket", Ticket.id, right_now, open_only=open_only)


@lru_cache
def _ticket_statement() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Ticket,
            TicketType.name,
            FormVersion.form,
            func.array(people_asked_about("ticket", Ticket.id)).label("approver_ids"),
            func.array(_deputies()).label("deputy_ids"),
            func.array(_invited()).label("invited_ids"),
        )
        .join(TicketType, TicketType.id == Ticket.ticket_type_id)
        .join(
            FormVersion,
            and_(FormVersion.ticket_type_id == Ticket.ticket_type_id, FormVersion.version == Ticket.form_version),
        )
        .where(Ticket.id == bindparam("ticket_id"))
    )


async def find_ticket(session: AsyncSession, actor: Actor, ticket_id: int, *, lock: bool = False) -> Found:
    """A ticket this person may see, locked for a change when asked. Raises `TicketNotFound` for every other id."""
    found = await any_ticket(session, ticket_id, lock=lock)
    if not policy.may_read(actor, found.facts):
        raise TicketNotFound
    if found.ticket.is_confidential:
        await note_read(session, actor, ticket_id)
    return found


async def any_ticket(session: AsyncSession, ticket_id: int, *, lock: bool = False) -> Found:
    """A ticket for a caller who asks policy themselves. Raises `TicketNotFound` when there is none."""
    statement = _ticket_statement()
    if lock:
        statement = statement.with_for_update(of=Ticket, key_share=True)
    row = (await session.execute(statement, {"ticket_id": ticket_id, "right_now": now()})).first()
    if row is None:
        raise TicketNotFound
    ticket = row[0]
    return Found(ticket, _facts(ticket, row), row[1], row[2])


def _facts(row: Any, people: Any) -> policy.TicketFacts:
    """What permission depends on, of a row with a ticket's columns and one with the ids of the people around it."""
    return facts_of(
        row,
        frozenset(people.approver_ids or ()),
        frozenset(people.invited_ids or ()),
        frozenset(people.deputy_ids or ()),
        frozenset(getattr(people, "left_ids", None) or ()),
    )


def facts_of(
    row: Any,
    approver_ids: frozenset[int],
    invited_ids: frozenset[int],
    deputy_ids: frozenset[int] = frozenset(),
    left_ids: frozenset[int] = frozenset(),
) -> policy.TicketFacts:
    """What permission depends on, of a row with a ticket's columns."""
    return policy.TicketFacts(
        status=Status(row.status),
        requester_id=row.requester_id,
        assignee_id=row.assignee_id,
        team_id=row.team_id,
        department_id=row.department_id,
        approver_ids=approver_ids,
        created_by_id=row.created_by_id,
        was_sent=row.submitted_at is not None,
        is_confidential=row.is_confidential,
        invited_ids=invited_ids,
        deputy_ids=deputy_ids,
        left_ids=left_ids,
    )


@lru_cache
def _facts_statement() -> Select[*tuple[Any, ...]]:
    return select(
        Ticket.id,
        Ticket.status,
        Ticket.requester_id,
        Ticket.assignee_id,
        Ticket.team_id,
        Ticket.department_id,
        Ticket.created_by_id,
        Ticket.submitted_at,
        Ticket.is_confidential,
        func.array(people_asked_about("ticket", Ticket.id)).label("approver_ids"),
        func.array(_deputies()).label("deputy_ids"),
        func.array(_deputies(open_only=False)).label("left_ids"),
        func.array(_invited()).label("invited_ids"),
    ).where(Ticket.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))


async def facts_by_id(session: AsyncSession, ticket_ids: Sequence[int]) -> dict[int, policy.TicketFacts]:
    """What permission depends on, of many tickets at once (live updates, mails). Applies no permission itself."""
    rows = await session.execute(_facts_statement(), {"ids": list(ticket_ids), "right_now": now()})
    return {r.id: _facts(r, r) for r in rows}
