"""What people do with tickets. Each use case locks the row, asks policy and lifecycle, changes, and records once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.revising import Extent
from waypost.catalog.errors import FormNotFilled
from waypost.catalog.forms import with_defaults
from waypost.catalog.models import TicketType
from waypost.catalog.service import type_to_ask_for
from waypost.directory.models import User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid, invalid_field
from waypost.kernel.events import Doer, record
from waypost.kernel.settings import get_settings
from waypost.tickets import dispatching, events, filling, lifecycle, policy, reviewing, sealed, tagging
from waypost.tickets.asking import requester_of
from waypost.tickets.conflicts import check_version
from waypost.tickets.drafts import discard_draft
from waypost.tickets.errors import ApprovedFacts, NotYours
from waypost.tickets.lifecycle import Status, Step
from waypost.tickets.models import Ticket
from waypost.tickets.moving import apply_step, bar, touch
from waypost.tickets.queries import Found, find_ticket
from waypost.tickets.talking import keep_comment, people_called

# What was judged: an edit of these in review asks again, and after approval they stay as they were approved.
JUDGED = ("amount", "currency", "custom_fields")
# Approvers neither read these nor judge by them: who changes nothing else may still decide.
NOT_SHOWN = frozenset({"tags", "is_confidential"})
EDITABLE_FIELDS = (
    "title",
    "description",
    "priority",
    "due_date",
    "amount",
    "currency",
    "custom_fields",
    "tags",
    "is_confidential",
)


def reopen_window() -> timedelta:
    """How long after completion a ticket may be re-opened."""
    return timedelta(days=get_settings().reopen_days)


# --- writing one ------------------------------------------------------------------------------------------------------


async def create_ticket(
    session: AsyncSession,
    actor: Actor,
    *,
    title: str,
    description: str,
    ticket_type: str,
    priority: str | None,
    due_date: datetime | None,
    custom_fields: dict[str, Any],
    amount: Decimal | None,
    currency: str | None,
    submit: bool,
    requester_id: int | None = None,
    requester: User | None = None,
    in_their_name: bool = False,
    also_by: Collection[int] = (),
    draft_id: UUID | None = None,
    is_rehearsal: bool = False,
    tags: list[str] | None = None,
    is_confidential: bool = False,
    team_id: int | None = None,
) -> Ticket:
    """Write a ticket, as a draft or submitted at once; what it was written as so far (`draft_id`) goes with it.

    `requester_id` is for whom it is, when not for oneself: their department, managers and approvers it goes by.
    `requester` is the same, where the caller has asked whether they may. `in_their_name`: it counts as written by the
    requester, so who really wrote it sees it only as anybody else would; deciding it is still not theirs, nor of those
    it is `also_by`: who wrote what it was made of.
    `is_rehearsal`: the caller takes it back, so it uses up no number. `team_id` is whose work it is, when not the type's team's.
    A draft may still lack required fields. Raises `NotYoursToAskFor`, or `UnknownTicketType`, `FormNotFilled` or
    `Invalid`, each naming fields.
    """
    actor.require(Permission.TICKETS_CREATE)
    requester = requester or await requester_of(session, actor, requester_id)
    kind = await type_to_ask_for(session, ticket_type)
    amount, currency = _money(kind, amount, currency)
    facts = {
        "priority": priority or kind.default_priority,
        "amount": amount,
        "currency": currency,
        "title": title,
        "department_id": requester.department_id,
        "requester_id": requester.id,
    }
    custom_fields = sealed.without_given_marks(with_defaults(kind.form, custom_fields, facts))
    await filling.check_filled(session, kind.form, custom_fields, facts=facts, is_draft=not submit, ticket_id=None)
    at = now()
    open_fields = {key: value for key, value in custom_fields.items() if key not in kind.sealed_keys}
    ticket = Ticket(
        ticket_number=await _number(session, kind, at, is_rehearsal=is_rehearsal),
        title=title,
        description=description,
        ticket_type_id=kind.id,
        ticket_type=kind.key,
        form_version=kind.form_version,
        status=Status.DRAFT.value,
        priority=priority or kind.default_priority,
        amount=amount,
        currency=currency,
        requester_id=requester.id,
        created_by_id=requester.id if in_their_name else actor.user_id,
        edited_by_ids=sorted({actor.user_id, *also_by}) if in_their_name else [],
        team_id=team_id or kind.team_id,
        department_id=requester.department_id,
        due_date=due_date,
        custom_fields=open_fields,
        tags=tagging.checked(tags or ()),
        is_confidential=is_confidential,
        version=1,
        round=0,
        comment_count=0,
        internal_comment_count=0,
        created_at=at,
        updated_at=at,
    )
    session.add(ticket)
    await session.flush()
    if open_fields != custom_fields:
        ticket.custom_fields = await sealed.keep(session, ticket.id, kind.sealed_keys, custom_fields)
        await session.flush()
    if ticket.tags:
        await tagging.keep(session, ticket.id, ticket.tags)
    await record(
        session,
        events.TicketCreated(
            ticket_id=ticket.id,
            ticket_number=ticket.ticket_number,
            ticket_type=ticket.ticket_type,
            title=ticket.title,
            priority=ticket.priority,
            requester_id=ticket.requester_id,
            created_by_id=ticket.created_by_id,
            is_confidential=is_confidential,
        ),
        actor=actor,
        at=at,
    )
    if draft_id is not None:
        await discard_draft(session, actor, draft_id)
    if submit:
        await _submit(session, actor, ticket, kind, kind.form, at)
    return ticket


async def _number(session: AsyncSession, kind: TicketType, at: datetime, *, is_rehearsal: bool) -> str:
    if is_rehearsal:
        return f"{kind.prefix}-TRY-{token_hex(6)}"
    number = await session.scalar(select(func.next_ticket_number(literal(kind.prefix), literal(at.year))))
    return f"{kind.prefix}-{at.year}-{number:06d}"


def _money(kind: TicketType, amount: Decimal | None, currency: str | None) -> tuple[Decimal | None, str | None]:
    if amount is None:
        return None, None
    if not kind.has_amount:
        raise Invalid(errors=(FieldError("/amount", "is not asked for by this type of request"),))
    return amount, currency or get_settings().currency


async def update_ticket(
    session: AsyncSession, actor: Actor, ticket_id: int, *, version: Callable[[], int], values: dict[str, Any]
) -> Ticket:
    """Edit fields of the version one read; `version` is asked once it is clear that they may edit at all.

    In review, an edit asks those approvers again whose facts changed; a typo asks nobody. After approval what was
    approved stays. Raises `NotYours`, `TicketIsClosed`, `ApprovedFacts`, `StaleVersion`, or names the wrong field.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    ticket = found.ticket
    parts = policy.parts_of(actor, found.facts)
    lifecycle.check_edit(found.facts.status, parts, values)
    for field in ("title", "description", "priority", "custom_fields", "tags", "is_confidential"):
        if field in values and values[field] is None:
            raise invalid_field(f"/{field}", "must not be null")
    await check_version(session, ticket, version())
    if ticket.is_confidential and values.get("is_confidential") is False and not policy.may_open(actor, found.facts):
        lifecycle.check_takes_more(found.facts.status, "What was confidential when it was closed stays so.")
        raise NotYours("Only the requester, or an administrator, makes a confidential request visible to others.")
    kind = await session.get_one(TicketType, ticket.ticket_type_id)
    if "amount" in values or "currency" in values:
        amount, currency = values.get("amount", ticket.amount), values.get("currency") or ticket.currency
        values["amount"], values["currency"] = _money(kind, amount, currency)
        if values["amount"] is None and ticket.amount is not None and found.facts.status is not Status.DRAFT:
            # it would leave those who must judge such an amount
            raise invalid_field("/amount", "must not be taken away from a request that was submitted")
    return await change(session, actor, found, values)


async def change(session: AsyncSession, actor: Doer, found: Found, values: dict[str, Any]) -> Ticket:
    """Give a locked ticket these values, where somebody has said that they may be given; what follows from it follows.

    Raises `ApprovedFacts`, or names the wrong field.
    """
    ticket = found.ticket
    kind = await session.get_one(TicketType, ticket.ticket_type_id)
    kept, plain_before = ticket.custom_fields, await sealed.opened(session, ticket)
    if "custom_fields" in values:
        values["custom_fields"] = sealed.filled_in(values["custom_fields"], kept, plain_before)
    await filling.fit(session, ticket, found.form, values, plain_before)
    before = reviewing.subject_of(ticket, found.type_name, found.form, plain_before)
    if "custom_fields" in values:
        values["custom_fields"] = await sealed.keep(
            session, ticket.id, kind.sealed_keys, values["custom_fields"], kept=kept, plain=plain_before
        )
    if "tags" in values:
        values["tags"] = tagging.checked(values["tags"])
    if not (changed := changed_of(ticket, values)):
        return ticket
    in_review = found.facts.status in lifecycle.IN_REVIEW
    undecided = in_review or found.facts.status is Status.DRAFT
    if not undecided and any(f in changed for f in JUDGED):
        raise ApprovedFacts
    changes = told_of(ticket, changed)
    for field, value in changed.items():
        setattr(ticket, field, value)
    if undecided and changed.keys() - NOT_SHOWN and actor.person_id is not None:
        bar(ticket, actor.person_id)
    at = touch(ticket)
    await session.flush()
    if "tags" in changed:
        await tagging.keep(session, ticket.id, ticket.tags)
    asks = await reviewing.revision(session, before, ticket, found.type_name, found.form) if in_review else None
    await record(
        session,
        events.TicketUpdated(
            ticket_id=ticket.id,
            ticket_version=ticket.version,
            changes=changes,
            restarts_approval=asks is not None and asks.extent is Extent.ROUND,
            was_draft=found.facts.status is Status.DRAFT,
        ),
        actor=actor,
        at=at,
    )
    if asks is not None:
        await reviewing.revise(session, actor, before, ticket, found.type_name, found.form, asks)
    return ticket


def changed_of(ticket: Ticket, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of these values that a ticket does not have yet."""
    return {f: v for f in EDITABLE_FIELDS if f in values and (v := values[f]) != getattr(ticket, f)}


def told_of(ticket: Ticket, changed: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What is about to change, as `TicketUpdated` says it."""
    return {f: [_plain_value(getattr(ticket, f)), _plain_value(v)] for f, v in changed.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value) if isinstance(value, Decimal) else value


# --- moving it along --------------------------------------------------------------------------------------------------


async def submit_ticket(session: AsyncSession, actor: Actor, ticket_id: int) -> Ticket:
    """Send a draft off: it is complete now, and approvers are asked or it is approved by rule."""
    found = await find_ticket(session, actor, ticket_id, lock=True)
    _decide(actor, found, Status.SUBMITTED, "")
    kind = await session.get_one(TicketType, found.ticket.ticket_type_id)
    await _submit(session, actor, found.ticket, kind, found.form, now())
    return found.ticket


async def _submit(
    session: AsyncSession, actor: Actor, ticket: Ticket, kind: TicketType, form: dict[str, Any], at: datetime
) -> None:
    """`form` is the one the ticket was written with, which may be older than its type's."""
    try:
        await filling.check_filled(
            session,
            form,
            await sealed.opened(session, ticket),
            facts=filling.facts_of(ticket),
            is_draft=False,
            ticket_id=ticket.id,
        )
    except FormNotFilled as lacking:
        raise FormNotFilled("The form is not complete yet.", errors=lacking.errors) from lacking
    ticket.round += 1
    ticket.submitted_at = at
    await apply_step(session, actor, ticket, Step.SUBMIT, Status.SUBMITTED)
    await dispatching.route(session, ticket, kind)
    await reviewing.start(session, actor, ticket, kind, form)


def _decide(actor: Actor, found: Found, target: Status, comment: str) -> lifecycle.Transition:
    return lifecycle.decide(
        lifecycle.Facts(found.facts.status, found.ticket.completed_at),
        target,
        policy.parts_of(actor, found.facts),
        now(),
        comment=comment,
        reopen_within=reopen_window(),
    )


async def change_status(
    session: AsyncSession, actor: Actor, ticket_id: int, *, to: Status, comment: str, version: int | None = None
) -> Ticket:
    """Take one of the transitions `allowed_actions` offers, of this version when one is given.

    Raises `StaleVersion`, and what `lifecycle.decide` raises.
    """
    found = await find_ticket(session, actor, ticket_id, lock=True)
    if policy.parts_of(actor, found.facts):
        await check_version(session, found.ticket, version)
    edge = _decide(actor, found, to, comment)
    ticket = found.ticket
    if edge.step is Step.SUBMIT:
        kind = await session.get_one(TicketType, ticket.ticket_type_id)
        await _submit(session, actor, ticket, kind, found.form, now())
        return ticket
    if edge.step is Step.ANSWER:
        await reviewing.answer(session, actor, ticket, comment)
        return ticket
    if edge.step is Step.WITHDRAW:
        await reviewing.withdraw(session, actor, ticket, comment)
    await apply_step(session, actor, ticket, edge.step, to, comment=comment)
    if comment.strip() and edge.step in (Step.COMPLETE, Step.REOPEN, Step.CLOSE, Step.START):
        called = await people_called(session, found, comment, "PUBLIC", strict=False)
        await keep_comment(session, actor, ticket, comment, "PUBLIC", called)
    return ticket


# --- what may be done -------------------------------------------------------------------------------------------------


def allowed_actions(actor: Actor, found: Found) -> list[str]:
    """What this person may do with this ticket now, as words: the buttons of its page."""
    parts = policy.parts_of(actor, found.facts)
    status = found.facts.status
    words = []
    if lifecycle.may_edit(status, parts):
        words.append("edit")
    may_mark = not found.facts.is_confidential or policy.may_open(actor, found.facts)
    words += [
        f"edit:{f}"
        for f in lifecycle.SORTING
        if lifecycle.may_change(f, status, parts) and (f != "is_confidential" or may_mark)
    ]
    facts = lifecycle.Facts(status, found.ticket.completed_at)
    for edge in lifecycle.possible(facts, parts, now(), reopen_within=reopen_window()):
        if edge.step in (Step.SUBMIT, Step.WITHDRAW, Step.ANSWER, Step.REOPEN):
            words.append(edge.step.value)
        if edge.step is not Step.SUBMIT:
            words.append(f"transition:{edge.target.value}")
    if status in lifecycle.ASSIGNABLE:
        if policy.may_assign(actor, found.facts):
            words.append("assign")
        if policy.may_claim(actor, found.facts):
            if found.facts.assignee_id is None:
                words.append("claim")
            elif found.facts.assignee_id == actor.user_id:
                words.append("release")
    if lifecycle.takes_more(status):
        if policy.may_comment(actor, found.facts):
            words.append("comment")
        if policy.may_comment_internally(actor, found.facts):
            words.append("comment_internal")
    if sealed.marks_in(found.ticket.custom_fields) and policy.may_reveal(actor, found.facts):
        words.append("reveal")
    return words
