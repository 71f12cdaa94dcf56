"""Where a request will go, before it is sent: who must say yes, in which order and why. Nothing is written.

It is judged as sending it would: with the form's defaults, without what the form does not ask for, with the priority the
routing rules would give it, and by the workflow that automation rules would name for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals import named, revising
from waypost.approvals.definitions import Chosen
from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.foreseeing import NOBODY, foresee
from waypost.approvals.revising import Extent
from waypost.approvals.subject import Subject
from waypost.catalog.forms import hidden_keys, with_defaults
from waypost.catalog.models import TicketType
from waypost.catalog.service import type_to_ask_for
from waypost.catalog.showing import FACTS
from waypost.kernel.clock import now
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.errors import Invalid
from waypost.kernel.settings import get_settings
from waypost.tickets import dispatching, filling, lifecycle, policy, reviewing, sealed, tagging
from waypost.tickets.asking import requester_of
from waypost.tickets.errors import ApprovedFacts
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket
from waypost.tickets.moving import bar
from waypost.tickets.queries import find_ticket
from waypost.tickets.service import NOT_SHOWN


class RulesAhead(Protocol):
    """What automation rules make of a request that has just been sent."""

    async def __call__(
        self, session: AsyncSession, actor_id: int, ticket: Ticket, kind: TicketType, form: dict[str, Any]
    ) -> Chosen | None:
        """The workflow they name for it, if any. `ticket` is nobody's row: what they change is changed in it."""
        ...


_rules_ahead: list[RulesAhead] = []


def use_rules_ahead(rules: RulesAhead) -> None:
    """Say who knows the rules that hear of requests (called once, by the wiring)."""
    _rules_ahead[:] = [rules]


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
    tags: Sequence[str] = (),
    is_confidential: bool = False,
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
        tags=_tags(tags),
        is_confidential=is_confidential,
        round=0,
        created_at=at,
        updated_at=at,
    )
    ticket.custom_fields = sealed.without_given_marks(with_defaults(kind.form, custom_fields, filling.facts_of(ticket)))
    return await path_when_sent(session, actor, ticket, kind, kind.form)


async def path_of_change(
    session: AsyncSession, actor: Actor, ticket_id: int, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Whom a change of a ticket would ask, and what of a running approval it would ask again (`asks_again`).

    Of a draft it is the path it takes when it is sent. Raises `TicketNotFound`, and what editing these fields raises.
    """
    found = await find_ticket(session, actor, ticket_id)
    ticket, status = found.ticket, found.facts.status
    lifecycle.check_edit(status, policy.parts_of(actor, found.facts), values)
    kind = await session.get_one(TicketType, ticket.ticket_type_id)
    fields = await sealed.opened(session, ticket)
    given = values.get("custom_fields")
    values = (
        dict(values)
        if given is None
        else {**values, "custom_fields": sealed.filled_in(given, ticket.custom_fields, fields)}
    )
    ticket = _changed(ticket, kind, {"custom_fields": fields})  # judged as it reads, and nobody's row
    before = reviewing.subject_of(ticket, found.type_name, found.form)
    changed = _changed(ticket, kind, values)
    if any(getattr(changed, f) != getattr(ticket, f) for f in values if f not in NOT_SHOWN):
        bar(changed, actor.user_id)
    if status is Status.DRAFT:
        return await path_when_sent(session, actor, changed, kind, found.form) | {"asks_again": None}
    if status not in lifecycle.IN_REVIEW:
        raise ApprovedFacts
    after = reviewing.subject_of(_without_hidden(changed, found.form), found.type_name, found.form)
    try:
        asks = await revising.revision(session, before, after, lock=False)
    except NobodyToAsk:
        return await _path(session, after, kind, found.form) | {"problem": NOBODY, "asks_again": None}
    goes_on = asks.keeps or await named.goes_on(session, after)  # a new round goes on by what was named
    path = await _path(session, after, kind, found.form, goes_on)
    why = reviewing.differences(before, after, asks.changed)
    # a stage that applies no more asks nobody again
    extent = Extent.NOTHING if asks.extent is Extent.STAGES and not asks.stages else asks.extent
    return path | {"asks_again": {"extent": extent.value, "stages": list(asks.stages), "why": why}}


def _tags(given: Sequence[str]) -> list[str]:
    try:
        return tagging.checked(given)
    except Invalid:
        return []


def _changed(ticket: Ticket, kind: TicketType, values: Mapping[str, Any]) -> Ticket:
    """A copy of a ticket, nobody's row, as it would be. What must not be empty stays as it is where it is null."""
    copy = Ticket(**{c.key: getattr(ticket, c.key) for c in inspect(Ticket).column_attrs})
    for field, value in values.items():
        if value is not None or field in ("due_date", "amount"):
            setattr(copy, field, value)
    if copy.amount is None or not kind.has_amount:
        copy.amount = copy.currency = None
    else:
        copy.currency = copy.currency or get_settings().currency
    return copy


def _without_hidden(ticket: Ticket, form: dict[str, Any]) -> Ticket:
    gone = hidden_keys(form, ticket.custom_fields, filling.facts_of(ticket))
    ticket.custom_fields = {k: v for k, v in ticket.custom_fields.items() if k not in gone}
    return ticket


async def path_when_sent(
    session: AsyncSession, actor: Actor, ticket: Ticket, kind: TicketType, form: dict[str, Any]
) -> dict[str, Any]:
    """The path of a request if this person sent it as it stands. `ticket` is nobody's row: it is changed here."""
    _without_hidden(ticket, form)
    wished = ticket.priority
    await dispatching.route_ahead(session, ticket, kind)
    by = None
    if kind.requires_approval:  # what needs nobody's yes is approved before any rule hears of it
        ticket.status, ticket.round, ticket.submitted_at = Status.IN_REVIEW.value, ticket.round + 1, now()
        for rules in _rules_ahead:
            by = await rules(session, actor.user_id, ticket, kind, form)
    path = await _path(session, reviewing.subject_of(ticket, kind.name, form), kind, form, by)
    return path | {"priority_is_ruled": ticket.priority != wished}


async def _path(
    session: AsyncSession, subject: Subject, kind: TicketType, form: dict[str, Any], keeps: Chosen | None = None
) -> dict[str, Any]:
    path: dict[str, Any] = {
        "needs_approval": kind.requires_approval,
        "priority": subject.facts["priority"],
        "priority_is_ruled": False,
        "missing": [],
        "workflow": None,
        "is_emergency": False,
        "problem": None,
        "depends_on": [],
        "stages": [],
    }
    if kind.requires_approval:
        path |= await foresee(session, subject, keeps)
        path["missing"] = [
            fact
            for fact in path["depends_on"]
            if subject.facts.get(fact["field"]) in (None, "", []) and fact["field"] in _asked_for(kind, form, subject)
        ]
    return path


def _asked_for(kind: TicketType, form: dict[str, Any], subject: Subject) -> set[str]:
    """The facts one can still fill in: the form's fields that are shown, and the amount where there is one."""
    gone = hidden_keys(form, subject.custom_fields, {name: subject.facts.get(name) for name in FACTS})
    shown = {f"{CUSTOM}{key}" for key in form.get("properties", {}) if key not in gone}
    return shown | ({"amount"} if kind.has_amount else set())
