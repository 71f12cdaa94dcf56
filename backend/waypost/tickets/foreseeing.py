"""Where a request will go, before it is sent: who must say yes, in which order and why. Nothing is written.

It is judged as sending it would: with the form's defaults, without what the form does not ask for, and with the
priority the routing rules would give it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.foreseeing import foresee
from waypost.catalog.forms import hidden_keys, with_defaults
from waypost.catalog.models import TicketType
from waypost.catalog.service import type_to_ask_for
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.settings import get_settings
from waypost.tickets import dispatching, filling, reviewing
from waypost.tickets.asking import requester_of
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket


async def path_of_new(
    session: AsyncSession,
    actor: Actor,
    *,
    ticket_type: str,
    title: str,
    description: str,
    priority: str | None,
    due_date: datetime | None,
    custom_fields: dict[str, Any],
    amount: Decimal | None,
    currency: str | None,
    requester_id: int | None,
) -> dict[str, Any]:
    """The path of a request as far as it is filled in. Raises `NotYoursToAskFor` or `UnknownTicketType`.

    What is not filled in yet, or wrongly, is no reason to show nothing: it counts as empty where it decides.
    """
    actor.require(Permission.TICKETS_CREATE)
    requester = await requester_of(session, actor, requester_id)
    kind = await type_to_ask_for(session, ticket_type)
    at = now()
    ticket = Ticket(
        id=0,
        ticket_number="",
        title=title,
        description=description,
        ticket_type=kind.key,
        ticket_type_id=kind.id,
        status=Status.DRAFT.value,
        priority=priority or kind.default_priority,
        amount=amount if kind.has_amount else None,
        currency=(currency or get_settings().currency) if kind.has_amount and amount is not None else None,
        requester_id=requester.id,
        created_by_id=actor.user_id,
        edited_by_ids=[],
        department_id=requester.department_id,
        team_id=kind.team_id,
        due_date=due_date,
        custom_fields=custom_fields,
        round=0,
        created_at=at,
    )
    ticket.custom_fields = with_defaults(kind.form, custom_fields, filling.facts_of(ticket))
    return await path_when_sent(session, ticket, kind, kind.form)


async def path_when_sent(
    session: AsyncSession, ticket: Ticket, kind: TicketType, form: dict[str, Any]
) -> dict[str, Any]:
    """The path of a request if it were sent as it stands. `ticket` is nobody's row: it is changed here."""
    gone = hidden_keys(form, ticket.custom_fields, filling.facts_of(ticket))
    ticket.custom_fields = {k: v for k, v in ticket.custom_fields.items() if k not in gone}
    wished, ticket.priority = ticket.priority, await dispatching.priority_when_sent(session, ticket, kind)
    path: dict[str, Any] = {
        "needs_approval": kind.requires_approval,
        "priority": ticket.priority,
        "priority_is_ruled": ticket.priority != wished,
        "missing": [],
        "workflow": None,
        "is_emergency": False,
        "problem": None,
        "depends_on": [],
        "stages": [],
    }
    if kind.requires_approval:
        path |= await foresee(session, reviewing.subject_of(ticket, kind.name, form))
        facts = reviewing.facts_of(ticket)
        asked_for = {f"{CUSTOM}{key}" for key in form.get("properties", {}) if key not in gone}
        asked_for |= {"amount"} if kind.has_amount else set()
        path["missing"] = [
            f for f in path["depends_on"] if f["field"] in asked_for and facts.get(f["field"]) in (None, "", [])
        ]
    return path
