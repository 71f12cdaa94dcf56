"""Workflows tried out on tickets: one that is made up or exists, and the newest five hundred. Nothing is written.

Both sides of a comparison are planned with the people of today: what differs is what the workflow says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.foreseeing import NOBODY, Foreseen, plan_all, told_all
from waypost.approvals.subject import Subject
from waypost.approvals.trying import NEW, trial
from waypost.catalog.forms import hidden_keys, with_defaults
from waypost.catalog.models import TicketType
from waypost.directory.models import Department, User
from waypost.directory.names import Refs, names
from waypost.kernel.clock import now
from waypost.kernel.errors import invalid_field
from waypost.kernel.settings import get_settings
from waypost.tickets import dispatching, filling, policy, queries, reviewing, sealed
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket

MOST = 500
Json = dict[str, Any]


async def simulate(
    session: AsyncSession,
    actor: Actor,
    *,
    definition_id: int | None,
    document: Json | None,
    ticket_id: int | None,
    made_up: Json | None,
) -> Json:
    """The path a ticket would take, were this workflow in force. Raises `TicketNotFound`, `DefinitionNotFound`, or
    names what is wrong with what was typed in."""
    actor.require(Permission.APPROVALS_CONFIGURE)
    tried = await trial(session, document, definition_id)
    if (ticket_id is None) is (made_up is None):
        raise invalid_field("/ticket", "is needed, or the id of one that exists, not both")
    if ticket_id is not None:
        found = await queries.find_ticket(session, actor, ticket_id)
        kind = await session.get_one(TicketType, found.ticket.ticket_type_id)
        ticket, form = found.ticket, found.form
    else:
        ticket, kind = await _made_up(session, actor, **(made_up or {}))
        form = kind.form
    subject = reviewing.subject_of(ticket, kind.name, form)
    (foreseen,) = await plan_all(session, [subject], among=tried.then)
    (path,) = await told_all(session, [subject], [foreseen])
    if path["workflow"]["id"] == NEW:
        path["workflow"]["id"] = None
    return {
        **path,
        "needs_approval": kind.requires_approval,
        "priority": ticket.priority,
        "is_used": None if tried.own is None else foreseen.chosen.definition_id == tried.own.definition_id,
        "why_not": tried.why_not(foreseen, subject),
    }


async def _made_up(
    session: AsyncSession,
    actor: Actor,
    *,
    ticket_type: str,
    title: str,
    description: str,
    priority: str | None,
    due_date: datetime | None,
    custom_fields: Json,
    amount: Decimal | None,
    currency: str | None,
    requester_id: int | None,
    department_id: int | None,
) -> tuple[Ticket, TicketType]:
    kind = await session.scalar(select(TicketType).where(TicketType.key == ticket_type))
    if kind is None:
        raise invalid_field("/ticket/ticket_type", "does not exist")
    requester = await session.get(User, actor.user_id if requester_id is None else requester_id)
    if requester is None or not requester.is_active:
        raise invalid_field("/ticket/requester_id", "is nobody who works here")
    if department_id is not None and await session.get(Department, department_id) is None:
        raise invalid_field("/ticket/department_id", "does not exist")
    ticket = Ticket(
        id=0,
        ticket_number="",
        title=title,
        description=description,
        ticket_type=kind.key,
        ticket_type_id=kind.id,
        status=Status.DRAFT.value,
        priority=priority or kind.default_priority,
        amount=amount,
        currency=(currency or get_settings().currency) if amount is not None else None,
        requester_id=requester.id,
        created_by_id=requester.id,
        edited_by_ids=[],
        department_id=department_id or requester.department_id,
        team_id=kind.team_id,
        due_date=due_date,
        custom_fields=custom_fields,
        round=0,
        created_at=now(),
    )
    ticket.custom_fields = sealed.without_given_marks(with_defaults(kind.form, custom_fields, filling.facts_of(ticket)))
    gone = hidden_keys(kind.form, ticket.custom_fields, filling.facts_of(ticket))
    ticket.custom_fields = {k: v for k, v in ticket.custom_fields.items() if k not in gone}
    await dispatching.route_ahead(session, ticket, kind)
    return ticket, kind


# --- replay -----------------------------------------------------------------------------------------------------------

_COLUMNS = (
    Ticket.id,
    Ticket.ticket_number,
    Ticket.title,
    Ticket.description,
    Ticket.status,
    Ticket.ticket_type,
    Ticket.priority,
    Ticket.amount,
    Ticket.currency,
    Ticket.requester_id,
    Ticket.created_by_id,
    Ticket.edited_by_ids,
    Ticket.department_id,
    Ticket.due_date,
    Ticket.custom_fields,
    Ticket.round,
)


async def replay(session: AsyncSession, actor: Actor, *, definition_id: int, document: Json | None) -> Json:
    """Which of the newest `MOST` tickets that were submitted would have been routed differently, and to whom.

    A handful of statements, whatever their number. Tickets the caller may not see are counted and not shown. Raises
    `DefinitionNotFound`, or names what keeps the document from being read.
    """
    actor.require(Permission.APPROVALS_CONFIGURE)
    tried = await trial(session, document, definition_id)
    rows = (
        await session.execute(
            select(*_COLUMNS, policy.visible_to(actor).label("is_seen"))
            .join(TicketType, TicketType.id == Ticket.ticket_type_id)
            .where(Ticket.submitted_at.is_not(None), TicketType.requires_approval)
            .order_by(Ticket.created_at.desc(), Ticket.id.desc())
            .limit(MOST),
            policy.values(actor),
        )
    ).all()
    concerned = [(row, s) for row in rows if tried.concerns(s := _subject(row))]
    subjects = [s for _, s in concerned]
    before = await plan_all(session, subjects, among=tried.now)
    after = await plan_all(session, subjects, among=tried.then)
    planned = [(row, b, a) for (row, _), b, a in zip(concerned, before, after, strict=True)]
    return await _compared(session, rows, planned)


def _subject(row: Any) -> Subject:
    """A ticket's row as workflows judge it; nobody reads it, so nothing is shown."""
    return reviewing.described(row, shown={})


async def _compared(
    session: AsyncSession, rows: Sequence[Any], planned: Sequence[tuple[Any, Foreseen, Foreseen]]
) -> Json:
    lacking = [(row, a) for row, _, a in planned if a.lacking]
    changed = [(row, b, a) for row, b, a in planned if not a.lacking and _way(b) != _way(a)]
    seen = [(row, b, a) for row, b, a in changed if row.is_seen]
    people = await names.people(
        session,
        [i for _, b, a in seen for f in (b, a) for i in _asked(f)] + [row.requester_id for row, _, _ in seen],
    )
    before, after = (Counter(i for _, *f in seen for i in _asked(f[n])) for n in (0, 1))
    return {
        "total": len(rows),
        "same": len(rows) - len(changed) - len(lacking),
        "changed": len(changed),
        "hidden": len(changed) - len(seen) + sum(1 for row, _ in lacking if not row.is_seen),
        "different": [
            {"ticket": _ticket(row, people), "before": _told(b, people), "after": _told(a, people)}
            for row, b, a in seen
        ],
        "cannot": [
            {"ticket": _ticket(row, people), "reason": NOBODY, "stages": [s.name for s in a.lacking]}
            for row, a in lacking
            if row.is_seen
        ],
        "people": [
            {"person": people[i], "before": before[i], "after": after[i]}
            for i in sorted({*before, *after}, key=lambda i: (before[i] - after[i], i))
            if before[i] != after[i] and i in people
        ],
    }


def _way(foreseen: Foreseen) -> tuple[Any, ...]:
    """What a requester would notice: who is asked in which order, and how many must say yes. Names are not the way."""
    return tuple(
        (s.mode, s.needed, s.first_answer_counts, tuple((step.order, step.approver) for step in s.steps))
        for s in foreseen.state.stages
        if s.steps
    )


def _asked(foreseen: Foreseen) -> list[int]:
    return [step.approver for stage in foreseen.state.stages for step in stage.steps]


def _ticket(row: Any, people: Refs) -> Json:
    return {
        "id": row.id,
        "ticket_number": row.ticket_number,
        "title": row.title,
        "status": row.status,
        "amount": None if row.amount is None else str(row.amount),
        "currency": row.currency,
        "requester": people.get(row.requester_id),
    }


def _told(foreseen: Foreseen, people: Refs) -> Json:
    chosen = foreseen.chosen
    return {
        "workflow": {
            "id": None if chosen.definition_id == NEW else chosen.definition_id,
            "version": chosen.version,
            "name": chosen.definition.name,
            "why": chosen.why,
        },
        "stages": [
            {
                "name": stage.name,
                "mode": stage.mode.value,
                "needed": stage.needed,
                "first_answer_counts": stage.first_answer_counts,
                "people": [people[step.approver] for step in stage.steps if step.approver in people],
            }
            for stage in foreseen.state.stages
            if stage.steps
        ],
    }
