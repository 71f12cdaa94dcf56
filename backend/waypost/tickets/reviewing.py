"""Tickets and approvals: a ticket is handed over to be judged, and what the approvers say moves it along.

Down by call, up by event: `approvals` is called with a plain description; its decisions come back through the
handlers at the end, in the same transaction (`wiring.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.approvals import events as approval_events
from waypost.approvals import named, review_events, revising
from waypost.approvals import service as approvals
from waypost.approvals.definitions import Chosen
from waypost.approvals.revising import Extent, Revision
from waypost.approvals.subject import Subject
from waypost.catalog.answers import answers
from waypost.catalog.kinds import AMOUNT
from waypost.catalog.models import TicketType
from waypost.catalog.sensitive import without_marks
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, Doer, System, record
from waypost.kernel.settings import get_settings
from waypost.tickets import events, judged, lifecycle, policy, queries, sealed, tagging
from waypost.tickets.errors import TicketNotFound
from waypost.tickets.events import IMPORT
from waypost.tickets.lifecycle import Part, Priority, Status, Step
from waypost.tickets.models import Ticket
from waypost.tickets.moving import apply_step, bar, touch

TICKET = "ticket"


WITHOUT_RATE = Decimal("999999999999.99")  # larger than any limit a workflow may name


def worth(amount: Decimal | None, currency: str | None) -> Decimal | None:
    """An amount in the company's own currency, in which workflows write their limits.

    What has no exchange rate is judged like the largest of all amounts: nobody gets around a limit by naming a currency.
    """
    settings = get_settings()
    if amount is None or currency is None or currency == settings.currency:
        return amount
    rate = settings.exchange_rates.get(currency)
    return WITHOUT_RATE if rate is None else (amount * rate).quantize(Decimal("0.01"))


def _judged(value: Any) -> Any:
    """A form's value as conditions compare it: money in the company's own currency, as the ticket's amount is."""
    amount, currency = (value.get("amount"), value.get("currency")) if isinstance(value, dict) else (None, None)
    if isinstance(amount, str) and isinstance(currency, str) and AMOUNT.fullmatch(amount):
        return worth(Decimal(amount), currency)
    return value


def facts_of(ticket: Any, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What workflows and routing rules judge of a ticket (or of a row with its columns).

    `fields` are its form's as `sealed.opened` reads them; without them, sensitive answers count as none.
    """
    return {
        "ticket_type": ticket.ticket_type,
        "priority": ticket.priority,
        "amount": worth(ticket.amount, ticket.currency),
        "currency": ticket.currency,
        "department_id": ticket.department_id,
        "requester_id": ticket.requester_id,
        "title": ticket.title,
        "due_date": ticket.due_date,
        **{
            f"custom.{key}": _judged(value)
            for key, value in without_marks(ticket.custom_fields if fields is None else fields).items()
        },
    }


def subject_of(
    ticket: Ticket, type_name: str, form: dict[str, Any], opened: Mapping[str, Any] | None = None
) -> Subject:
    """The ticket as approvers see and conditions judge it; they judge the fields as they are `opened`."""
    fields = ticket.custom_fields
    titles = {k: str(v.get("title") or k) for k, v in (form.get("properties") or {}).items() if isinstance(v, dict)}
    shown = {
        "id": ticket.id,
        "ticket_number": ticket.ticket_number,
        "title": ticket.title,
        "description": ticket.description,
        "ticket_type": ticket.ticket_type,
        "ticket_type_name": type_name,
        "priority": ticket.priority,
        "amount": None if ticket.amount is None else str(ticket.amount),
        "currency": ticket.currency,
        "requester_id": ticket.requester_id,
        "department_id": ticket.department_id,
        "due_date": ticket.due_date and rfc3339(ticket.due_date),
        "created_at": rfc3339(ticket.created_at),
        "custom_fields": fields,
        "answers": answers(form, fields),
        "field_titles": {k: titles.get(k, k) for k in fields},
    }
    return described(ticket, shown, opened)


def described(ticket: Any, shown: dict[str, Any], opened: Mapping[str, Any] | None = None) -> Subject:
    """A ticket (or a row with its columns) as conditions judge it; `shown` is what approvers read."""
    return Subject(
        type=TICKET,
        id=ticket.id,
        round=ticket.round,
        requester_id=ticket.requester_id,
        department_id=ticket.department_id,
        urgency=list(Priority).index(Priority(ticket.priority)) + 1,
        facts=facts_of(ticket, opened),
        custom_fields=ticket.custom_fields if opened is None else opened,
        shown=shown,
        barred=written_by(ticket),
        sealed=frozenset(f"custom.{key}" for key in sealed.marks_in(ticket.custom_fields)),
    )


async def subject_now(session: AsyncSession, ticket: Ticket, type_name: str, form: dict[str, Any]) -> Subject:
    """The ticket as it is judged now, sensitive answers too; what is kept of it does not hold them."""
    return subject_of(ticket, type_name, form, await sealed.opened(session, ticket))


async def start(session: AsyncSession, actor: Actor, ticket: Ticket, kind: TicketType, form: dict[str, Any]) -> None:
    """Hand a submitted ticket to its approvers, or approve it by rule when its type needs nobody's yes."""
    if not kind.requires_approval:
        by = System(IMPORT) if actor.channel == IMPORT else SYSTEM
        await apply_step(session, by, ticket, Step.APPROVE, Status.APPROVED, by_rule=True)
        return
    await apply_step(session, actor, ticket, Step.START_REVIEW, Status.IN_REVIEW)
    await approvals.start(session, actor, await subject_now(session, ticket, kind.name, form))


async def revision(
    session: AsyncSession, before: Subject, ticket: Ticket, type_name: str, form: dict[str, Any]
) -> Revision:
    """What an edit in review asks for: nothing, places asked again, or a new round."""
    return await revising.revision(session, before, await subject_now(session, ticket, type_name, form))


async def revise(
    session: AsyncSession,
    actor: Doer,
    before: Subject,
    ticket: Ticket,
    type_name: str,
    form: dict[str, Any],
    found: Revision,
    why: str = "",
) -> None:
    """Let approvers read the ticket as it is now, and ask again as far as the edit reaches. `why` is in words."""
    after = await subject_now(session, ticket, type_name, form)
    if found.extent is not Extent.ROUND:
        why = why or differences(before, after, found.changed) or "what is judged has changed"
        await revising.revise(session, actor, after, found, why)
        return
    goes_on = await named.goes_on(session, after)
    await approvals.cancel(session, actor, TICKET, ticket.id, why or "what is judged has changed")
    if ticket.status == Status.PENDING_INFO:
        await apply_step(session, actor, ticket, Step.ANSWER, Status.IN_REVIEW, comment="The request was changed.")
    await _next_round(session, actor, ticket, type_name, form, goes_on)


async def _next_round(
    session: AsyncSession, actor: Doer, ticket: Ticket, type_name: str, form: dict[str, Any], by: Chosen | None
) -> None:
    ticket.round += 1
    await session.flush()
    await approvals.start(session, actor, await subject_now(session, ticket, type_name, form), named=by)


async def start_named(session: AsyncSession, actor: Doer, found: queries.Found, workflow_id: int, why: str) -> None:
    """Have a ticket judged by a workflow somebody names. The caller holds the ticket's lock.

    One that was just sent goes to that workflow's approvers. While another one is running that nobody has acted on, it
    takes its place, in a round of its own. From anywhere else the lifecycle leads nobody to approvers: raises
    `ImpossibleTransition`, and `NotInForce`, `NoStageFits`, `JudgedAlready`, `BegunAlready` or `NobodyToAsk`.
    """
    ticket, status = found.ticket, found.facts.status
    subject = await subject_now(session, ticket, found.type_name, found.form)
    running = await named.make_way(session, subject, workflow_id) if status in lifecycle.IN_REVIEW else None
    if running is None:
        facts, parts = lifecycle.Facts(status, ticket.completed_at), frozenset({Part.APPROVALS})
        edge = lifecycle.decide(facts, Status.IN_REVIEW, parts, now(), reopen_within=timedelta())
        by = await named.named(session, workflow_id, subject, why)
        await apply_step(session, actor, ticket, edge.step, edge.target)
        await approvals.start(session, actor, subject, named=by)
        return
    by = await named.named(session, workflow_id, subject, why)
    await approvals.cancel(session, actor, TICKET, ticket.id, f"“{by.definition.name}” takes its place: {why}")
    await _next_round(session, actor, ticket, found.type_name, found.form, by)


async def asked_for_by_more(session: AsyncSession, actor: Actor, found: queries.Found, people: Collection[int]) -> None:
    """A ticket stands for what these people asked for or wrote as well: they do not decide it, and others are asked
    where they were. Raises `NobodyToAsk` when there are none.
    """
    ticket = found.ticket
    before = await subject_now(session, ticket, found.type_name, found.form)
    for person in sorted(people):
        bar(ticket, person)
    await session.flush()
    if found.facts.status in lifecycle.IN_REVIEW:
        asks = await revision(session, before, ticket, found.type_name, found.form)
        why = "somebody who decides it asked for the same"
        await revise(session, actor, before, ticket, found.type_name, found.form, asks, why)


def written_by(ticket: Any) -> frozenset[int]:
    """Who asked for a ticket (or a row with its columns), wrote it or changed it."""
    return frozenset({ticket.requester_id, ticket.created_by_id, *ticket.edited_by_ids})


def differences(before: Subject, after: Subject, changed: Collection[str]) -> str:
    """The changed facts in words: "amount changed from 800.00 EUR to 950.00 EUR"; long texts only by their name."""
    said = []
    for fact in changed:
        key = fact.removeprefix("custom.")
        is_custom = fact.startswith("custom.")
        old, new = (
            s.shown["custom_fields"].get(key) if is_custom else s.shown.get(fact, s.facts.get(fact))
            for s in (before, after)
        )
        name = after.shown["field_titles"].get(key, key) if is_custom else fact.removesuffix("_id").replace("_", " ")
        if old == new:
            continue  # judged differently, written alike: an amount's currency says it
        if fact == "amount":
            old, new = _money_said(before), _money_said(after)
        brief = all(v is None or (isinstance(v, (str, int)) and len(str(v)) <= 60) for v in (old, new))
        brief = brief and not fact.endswith("_id") and not isinstance(old, bool) and not isinstance(new, bool)
        said.append(f"{name} changed from {old or 'nothing'} to {new or 'nothing'}" if brief else f"{name} changed")
    return "; ".join(said)


def _money_said(subject: Subject) -> str | None:
    amount, currency = subject.shown.get("amount"), subject.shown.get("currency")
    return None if amount is None else f"{Decimal(amount):,} {currency or ''}".strip()


async def answer(session: AsyncSession, actor: Actor, ticket: Ticket, comment: str) -> None:
    """The requester's answer to the approvers' question; it comes back as `on_info_answered`."""
    await approvals.answer(session, actor, TICKET, ticket.id, comment)


async def withdraw(session: AsyncSession, actor: Actor, ticket: Ticket, comment: str) -> None:
    """The requester takes the ticket back: nobody is asked any more."""
    await approvals.cancel(session, actor, TICKET, ticket.id, comment.strip() or "the request was withdrawn")


async def complete_facts(database: Database) -> None:
    """Give approvals that an earlier release began the facts it did not keep: limited delegations reach them by these."""
    async with database.read() as session:
        lacking = await approvals.lacking_facts(session, TICKET)
    room = TicketRoom()
    for ticket_id in lacking:
        async with database.transaction() as session:
            await room.lock(session, ticket_id)
            await approvals.add_facts(session, described(await _ticket(session, ticket_id), shown={}))


# --- what approvals say back ------------------------------------------------------------------------------------------


async def _ticket(session: AsyncSession, ticket_id: int) -> Ticket:
    return await session.get_one(Ticket, ticket_id)


async def on_decision(session: AsyncSession, event: approval_events.ApprovalDecided, actor: Doer) -> None:
    """The approvers have decided: the ticket is approved or rejected."""
    if event.subject_type == TICKET:
        ticket = await _ticket(session, event.subject_id)
        if event.status == "APPROVED":
            await apply_step(session, actor, ticket, Step.APPROVE, Status.APPROVED, comment=event.comments)
        else:
            await apply_step(session, actor, ticket, Step.REJECT, Status.REJECTED, comment=event.comments)


async def on_info_requested(session: AsyncSession, event: approval_events.InfoRequested, actor: Doer) -> None:
    """An approver asked the requester a question: the ticket waits for the answer."""
    if event.subject_type == TICKET:
        ticket = await _ticket(session, event.subject_id)
        if ticket.status == Status.IN_REVIEW:
            await apply_step(session, actor, ticket, Step.ASK, Status.PENDING_INFO, comment=event.comments)


async def on_info_answered(session: AsyncSession, event: approval_events.InfoAnswered, actor: Doer) -> None:
    """No question is open any more: the ticket is back in review."""
    if event.subject_type == TICKET:
        ticket = await _ticket(session, event.subject_id)
        if ticket.status == Status.PENDING_INFO:
            words = event.comments or "Decided without an answer."
            await apply_step(session, actor, ticket, Step.ANSWER, Status.IN_REVIEW, comment=words)


OBJECTED = "objected"  # the tag by which lists find what a review found wrong


async def on_review_objected(session: AsyncSession, event: review_events.ReviewObjected, actor: Doer) -> None:
    """A review found it wrong that the ticket was approved: it is marked, so that lists show it; nothing is undone."""
    if event.subject_type != TICKET:
        return
    ticket = await _ticket(session, event.subject_id)
    if OBJECTED in ticket.tags:
        return
    before, ticket.tags = ticket.tags, [*ticket.tags, OBJECTED]
    at = touch(ticket)
    await session.flush()
    await tagging.keep(session, ticket.id, ticket.tags)
    marked = events.TicketUpdated(
        ticket_id=ticket.id, ticket_version=ticket.version, changes={"tags": [before, ticket.tags]}
    )
    await record(session, marked, actor=actor, at=at)


class TicketRoom:
    """What approvals ask of tickets."""

    async def lock(self, session: AsyncSession, subject_id: int) -> None:
        """Lock the ticket's row; the fresh row replaces what this session may have read before."""
        await session.execute(
            select(Ticket)
            .where(Ticket.id == subject_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )

    async def versions_of(self, session: AsyncSession, subject_ids: Collection[int]) -> dict[int, int]:
        """The tickets' versions."""
        found = select(Ticket.id, Ticket.version).where(Ticket.id.in_(sorted(subject_ids)))
        return {row.id: row.version for row in await session.execute(found)}

    async def may_read(self, session: AsyncSession, actor: Actor, subject_id: int) -> bool:
        """Whether this person may see the ticket."""
        try:
            await queries.find_ticket(session, actor, subject_id)
        except TicketNotFound:
            return False
        return True

    async def those_read(self, session: AsyncSession, actor: Actor, subject_ids: Collection[int]) -> frozenset[int]:
        """Those of these tickets this person may see."""
        if not subject_ids:
            return frozenset()
        seen = select(Ticket.id).where(Ticket.id.in_(sorted(subject_ids)), policy.visible_to(actor))
        return frozenset(await session.scalars(seen, policy.values(actor)))

    async def beside(
        self, session: AsyncSession, actor: Actor, subject_ids: Collection[int]
    ) -> dict[int, dict[str, Any]]:
        """Whether each is confidential, and the files this person may open."""
        return await judged.beside(session, actor, subject_ids)
