"""What rules will make of a request that is still written, as far as it decides who is asked: which workflow they name for
it, and what of it they change before. Nothing is written.

Rules are asked as `running` asks them: of each thing that happens when it is sent and of what they cause themselves, in
their order, each of the request as the ones before left it. What only tells somebody is passed over; what would be refused
takes its rule back, all of it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import named
from waypost.approvals.definitions import Chosen
from waypost.approvals.errors import JudgedAlready, NobodyToAsk
from waypost.approvals.foreseeing import plan_all
from waypost.automation import facts
from waypost.automation.acting import changed_by, manager_above
from waypost.automation.errors import NotNow
from waypost.automation.models import AutomationRule
from waypost.automation.rules import Action, Do, Rule, matches, reason_of, stopped
from waypost.automation.running import in_force
from waypost.catalog.errors import FormNotFilled
from waypost.catalog.models import TicketType
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.errors import Refusal
from waypost.kernel.events import Event
from waypost.tickets import assigning, by_rule, clocking, events, filling, reviewing, service, tagging
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket

MOST_HAPPENING = 100  # what rules cause, looked at of one request
Chain = tuple[int, ...]
# What can change who is asked: another workflow, or facts that workflows look at.
DECIDING = (Do.START_APPROVAL, Do.SET_PRIORITY, Do.SET_FIELD, Do.SET_DUE, Do.ESCALATE)
_decides = or_(*(AutomationRule.document.contains({"actions": [{"do": do.value}]}) for do in DECIDING))


@dataclass(slots=True)
class _Ahead:
    """A request as it would be, and what of its story no rule has heard of yet: events, who did it, the rules behind them."""

    ticket: Ticket
    kind: TicketType
    form: dict[str, Any]
    by: Chosen | None = None
    happening: list[tuple[Event, int | None, Chain]] = field(default_factory=list)
    fired: int = 0

    def record(self, change: Any) -> dict[str, Any]:
        """What conditions look at: answers that will be kept sealed are none to rules."""
        sealed = {f"{CUSTOM}{key}" for key in self.kind.sealed_keys}
        return {k: v for k, v in facts.judged(self.ticket, change).items() if k not in sealed}

    def kept(self) -> tuple[Any, ...]:
        """What a rule that is refused leaves as it was."""
        return {f: getattr(self.ticket, f) for f in _CHANGED}, self.by, list(self.happening)

    def take_back(self, kept: tuple[Any, ...]) -> None:
        values, self.by, self.happening = kept
        for name, value in values.items():
            setattr(self.ticket, name, value)


_CHANGED = (*service.EDITABLE_FIELDS, "assignee_id", "team_id", "sla_due_at", "sla_state")


async def when_sent(
    session: AsyncSession, actor_id: int, ticket: Ticket, kind: TicketType, form: dict[str, Any]
) -> Chosen | None:
    """The workflow that rules name for a request somebody would have sent just now, if any.

    `ticket` is nobody's row, in review: what rules change of it is changed in it. Where no rule in use does what could
    change who is asked, this is one statement.
    """
    if not await session.scalar(select(exists().where(AutomationRule.is_active, _decides))):
        return None
    await clocking.foresee(session, ticket)
    ahead = _Ahead(ticket, kind, form)
    try:
        await _check_asks(session, ahead, None)
    except NobodyToAsk:
        return None  # it cannot be sent
    return await _after_sending(session, actor_id, ahead)


async def _after_sending(session: AsyncSession, actor_id: int, ahead: _Ahead) -> Chosen | None:
    """Let rules hear of it, and of what they cause."""
    rules = await in_force(session)
    moves = (
        (events.TicketSubmitted, Status.DRAFT, Status.SUBMITTED),
        (events.ReviewStarted, Status.SUBMITTED, Status.IN_REVIEW),
    )
    for what, old, new in moves:
        moved = what(ticket_id=ahead.ticket.id, ticket_version=0, old_status=old.value, new_status=new.value)
        ahead.happening.append((moved, actor_id, ()))
    for _ in range(MOST_HAPPENING):
        if not ahead.happening:
            break
        await _ask(session, rules, ahead, *ahead.happening.pop(0))
    return ahead.by


async def _ask(
    session: AsyncSession, rules: list[Rule], ahead: _Ahead, event: Event, by: int | None, chain: Chain
) -> None:
    change = await facts.change_of(session, event, by, ahead.ticket)
    for rule in rules:
        if not matches(rule.trigger, change) or (ahead.ticket.is_confidential and not rule.reaches_confidential):
            continue
        if not holds(rule.condition, ahead.record(change)):
            continue
        if not stopped(rule.id, chain, ahead.fired):
            ahead.fired += await _fire(session, rule, ahead, (*chain, rule.id))
        if rule.stops:
            return


async def _fire(session: AsyncSession, rule: Rule, ahead: _Ahead, chain: Chain) -> bool:
    """All of a rule's actions, or none."""
    kept = ahead.kept()
    try:
        for action in rule.actions:
            happened = await _do(session, rule, action, ahead)
            if happened is not None:
                ahead.happening.append((happened, None, chain))
    except Refusal:
        ahead.take_back(kept)
        return False
    return True


async def _do(session: AsyncSession, rule: Rule, action: Action, ahead: _Ahead) -> Event | None:
    """One action; what a rule could follow of it. Raises the refusal it would meet."""
    values = await changed_by(session, action, ahead.ticket, ahead.form)
    if values is not None:
        return await _change(session, ahead, values)
    match action.do:
        case Do.START_APPROVAL:
            with suppress(Refusal):  # where it is not possible, that is no reason to leave the rest undone
                ahead.by = await _named(session, rule, action.values["workflow_id"], ahead)
        case Do.ASSIGN:
            return await _assign(session, action, ahead)
        case Do.COMMENT:
            return events.CommentAdded(ticket_id=ahead.ticket.id, comment_id=0, visibility=action.values["visibility"])
        case Do.ESCALATE:
            await manager_above(session, ahead.ticket, action.values["how"])
        case Do.TRANSITION:
            raise NotNow("Nothing leads out of a review but its approvers.")
        case _:
            pass  # who is told, and which other system is called, decides nothing here
    return None


async def _change(session: AsyncSession, ahead: _Ahead, values: dict[str, Any]) -> Event | None:
    ticket = ahead.ticket
    if "tags" in values:
        values["tags"] = tagging.checked(values["tags"])
    if "custom_fields" in values:
        await _check_field(session, ahead, values["custom_fields"])
    changed = service.changed_of(ticket, values)
    if not changed:
        return None
    told = service.told_of(ticket, changed)
    for name, value in changed.items():
        setattr(ticket, name, value)
    await clocking.foresee(session, ticket)  # another policy may hold for it now
    if changed.keys() - service.NOT_SHOWN:
        if ahead.by is not None and not named.fits(ahead.by, _subject(ahead)):
            ahead.by = None  # the conditions choose again
        await _check_asks(session, ahead, ahead.by)
    return events.TicketUpdated(ticket_id=ticket.id, ticket_version=0, changes=told)


async def _check_field(session: AsyncSession, ahead: _Ahead, fields: dict[str, Any]) -> None:
    """Raises `FormNotFilled` for the answer a rule gives; what the person has not filled in yet is no fault of the rule's."""
    own = ahead.ticket.custom_fields
    given = tuple(f"/custom_fields/{k}/" for k in fields if fields[k] != own.get(k))
    about = filling.facts_of(ahead.ticket)
    try:
        await filling.check_filled(session, ahead.form, fields, facts=about, is_draft=True, ticket_id=ahead.ticket.id)
    except FormNotFilled as lacking:
        if any(f"{error.pointer}/".startswith(given) for error in lacking.errors):
            raise


async def _assign(session: AsyncSession, action: Action, ahead: _Ahead) -> Event | None:
    ticket, v = ahead.ticket, action.values
    place = await by_rule.place_for(
        session, ticket, to=v["to"], user_id=v.get("user_id"), team_id=v.get("team_id"), takes_turn=False
    )
    if place is None or place[:2] == (ticket.assignee_id, ticket.team_id):
        return None
    assignee, team, _ = place
    await assigning.check_place(session, ticket, assignee, team)
    told = events.TicketAssigned(
        ticket_id=ticket.id,
        ticket_version=0,
        old_assignee_id=ticket.assignee_id,
        new_assignee_id=assignee,
        old_team_id=ticket.team_id,
        new_team_id=team,
    )
    ticket.assignee_id, ticket.team_id = assignee, team
    await clocking.foresee(session, ticket)
    return told


async def _named(session: AsyncSession, rule: Rule, workflow_id: int, ahead: _Ahead) -> Chosen:
    """The workflow an action names, where it may take the place of the one that runs. Raises why it may not."""
    subject = _subject(ahead)
    if ahead.by is not None:
        raise JudgedAlready
    [running] = await plan_all(session, [subject])
    if running.chosen.definition_id == workflow_id:
        raise JudgedAlready
    by = await named.named(session, workflow_id, subject, reason_of(rule))
    await _check_asks(session, ahead, by)
    return by


async def _check_asks(session: AsyncSession, ahead: _Ahead, by: Chosen | None) -> None:
    """Raises `NobodyToAsk`."""
    [planned] = await plan_all(session, [_subject(ahead)], chosen=by)
    if planned.lacking:
        raise NobodyToAsk


def _subject(ahead: _Ahead) -> Any:
    return reviewing.subject_of(ahead.ticket, ahead.kind.name, ahead.form)
