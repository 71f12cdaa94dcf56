"""What a rule can ask: the ticket's fields, and what was before and who did it; and what an event means to rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.automation.rules import By, Change, On
from waypost.directory.models import TeamMember
from waypost.kernel.conditions.fields import CUSTOM, OPERATORS, Catalogue, Field, Kind, catalogue
from waypost.kernel.events import Event
from waypost.sla.clock_events import SlaBreached, SlaWarned
from waypost.tickets import events
from waypost.tickets.fields import FIELDS, field_list, known_fields, record_of
from waypost.tickets.lifecycle import Priority, Status
from waypost.tickets.models import Ticket
from waypost.tickets.reviewing import facts_of

BEFORE = "before."
CHANGE: Catalogue = catalogue(
    Field("before.status", Kind.CHOICE, "status before", tuple(s.value for s in Status)),
    Field("before.priority", Kind.CHOICE, "priority before", tuple(p.value for p in Priority)),
    Field("before.due_date", Kind.INSTANT, "due date before"),
    Field("before.is_assigned", Kind.BOOLEAN, "somebody had it before"),
    Field("change.by", Kind.CHOICE, "who did it", tuple(b.value for b in By)),
    Field("change.fields", Kind.LIST, "changed fields"),
)
_BY_WORDS = {By.REQUESTER: "The requester", By.TEAM: "Its team", By.OTHER: "Somebody else", By.WAYPOST: "Waypost"}

# The events of tickets that mean something to rules. Of the approvals it is the ticket's own event that is told.
FOLLOWED: tuple[type[Event], ...] = (
    events.TicketUpdated,
    events.TicketSubmitted,
    events.ReviewStarted,
    events.TicketApproved,
    events.TicketRejected,
    events.InfoRequested,
    events.InfoProvided,
    events.WorkStarted,
    events.TicketCompleted,
    events.TicketReopened,
    events.TicketClosed,
    events.TicketWithdrawn,
    events.TicketMerged,
    events.TicketAssigned,
    events.CommentAdded,
    events.AttachmentAdded,
    events.TicketDueSoon,
    events.TicketOverdue,
    SlaWarned,
    SlaBreached,
)
_OF: dict[type[Event], frozenset[On]] = {
    events.TicketUpdated: frozenset({On.UPDATED}),
    events.TicketSubmitted: frozenset({On.SUBMITTED, On.STATUS_CHANGED}),
    events.TicketApproved: frozenset({On.APPROVAL_DECIDED, On.STATUS_CHANGED}),
    events.TicketRejected: frozenset({On.APPROVAL_DECIDED, On.STATUS_CHANGED}),
    events.TicketAssigned: frozenset({On.ASSIGNED}),
    events.CommentAdded: frozenset({On.COMMENTED}),
    events.TicketDueSoon: frozenset({On.DUE_SOON}),
    events.TicketOverdue: frozenset({On.OVERDUE}),
    SlaWarned: frozenset({On.SLA_WARNED}),
    SlaBreached: frozenset({On.SLA_BREACHED}),
}


def types_of(on: On) -> list[str]:
    """The kinds of events that can be what a rule waits for."""
    if on is On.CREATED:
        return [events.TicketSubmitted.type]
    if on is On.STATUS_CHANGED:
        return [kind.type for kind in FOLLOWED if issubclass(kind, events.StatusChanged)]
    return [kind.type for kind in FOLLOWED if on in _OF.get(kind, ())]


async def fields_of_rules(session: AsyncSession) -> Catalogue:
    """Every field a rule's condition may speak of."""
    return {**await known_fields(session), **CHANGE}


OWN: Catalogue = {**FIELDS, **CHANGE}


async def described(session: AsyncSession, actor: Actor) -> list[dict[str, Any]]:
    """The same for people who put conditions together, as `GET /ticket-fields` shows it."""
    return await field_list(session, actor, only=None) + [_described(f) for f in CHANGE.values()]


def _described(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label[:1].upper() + field.label[1:],
        "kind": field.kind.value,
        "operators": list(OPERATORS[field.kind]),
        "choices": [{"value": c, "label": _label(field, c)} for c in field.choices],
        "refers_to": None,
        "currency": None,
        "types": [],
    }


def _label(field: Field, choice: str) -> str:
    return _BY_WORDS[By(choice)] if field.name == "change.by" else choice.replace("_", " ").capitalize()


async def change_of(session: AsyncSession, event: Event, actor_id: int | None, ticket: Ticket) -> Change:
    """What an event of a ticket means to rules."""
    on = set(_OF.get(type(event), frozenset()))
    if isinstance(event, events.StatusChanged):
        on.add(On.STATUS_CHANGED)
    if isinstance(event, events.TicketSubmitted) and ticket.round == 1:
        on.add(On.CREATED)  # of a draft nobody knows: a request is there once it was sent for the first time
    changed: Mapping[str, Any] = event.changes if isinstance(event, events.TicketUpdated) else {}
    if isinstance(event, events.TicketUpdated) and event.was_draft:
        on.clear()
    return Change(
        on=frozenset(on),
        fields=_fields(changed),
        status=event.new_status if isinstance(event, events.StatusChanged) else None,
        visibility=event.visibility if isinstance(event, events.CommentAdded) else None,
        by=await _by(session, actor_id, ticket),
        outcome=_outcome(event),
        before=_before(event, changed),
    )


def _fields(changed: Mapping[str, Any]) -> frozenset[str]:
    """The changed fields; of a form's answers each one by its own name."""
    found = set(changed)
    if "custom_fields" in changed:
        old, new = (each or {} for each in changed["custom_fields"])
        found |= {f"custom.{key}" for key in {*old, *new} if old.get(key) != new.get(key)}
    return frozenset(found)


def _outcome(event: Event) -> str | None:
    if isinstance(event, events.TicketApproved):
        return "APPROVED"
    return "REJECTED" if isinstance(event, events.TicketRejected) else None


def _before(event: Event, changed: Mapping[str, Any]) -> dict[str, Any]:
    before: dict[str, Any] = {}
    if isinstance(event, events.StatusChanged):
        before["status"] = event.old_status
    if isinstance(event, events.TicketAssigned):
        before["is_assigned"] = event.old_assignee_id is not None
    if "priority" in changed:
        before["priority"] = changed["priority"][0]
    if "due_date" in changed and changed["due_date"][0]:
        before["due_date"] = datetime.fromisoformat(changed["due_date"][0])
    return before


async def _by(session: AsyncSession, actor_id: int | None, ticket: Ticket) -> By:
    if actor_id is None:
        return By.WAYPOST
    if actor_id == ticket.requester_id:
        return By.REQUESTER
    if actor_id == ticket.assignee_id:
        return By.TEAM
    member = select(TeamMember.user_id).where(TeamMember.team_id == ticket.team_id, TeamMember.user_id == actor_id)
    return By.TEAM if ticket.team_id and await session.scalar(member) is not None else By.OTHER


def judged(ticket: Ticket, change: Change | None) -> dict[str, Any]:
    """The ticket as conditions look at it now: amounts in the company's currency; beside it, what was before."""
    own = {name: value for name, value in record_of(ticket).items() if not name.startswith(CUSTOM)}
    record = {**own, **facts_of(ticket)}  # of a form's answers those that are not sensitive
    if change is not None:
        record |= {f"{BEFORE}{name}": value for name, value in change.before.items()}
        record |= {"change.by": change.by.value, "change.fields": sorted(change.fields)}
    return record


def kinds_of(spoken: Collection[Field]) -> dict[str, Any]:
    """What custom fields mean in a rule, kept with it."""
    return {
        f.name: {"kind": f.kind.value, "label": f.label, "choices": list(f.choices)}
        for f in spoken
        if f.name not in OWN
    }


def catalogue_of(kept: Mapping[str, Any]) -> Catalogue:
    """The fields a kept rule speaks of."""
    custom = {name: Field(name, Kind(f["kind"]), f["label"], tuple(f["choices"])) for name, f in kept.items()}
    return {**custom, **OWN}
